// Asks the real Node-RED what its Admin API and its comms answer, and writes that to `recorded/NAME.json`: the suite
// (`tests/whole/editor.rs`) plays the same requests to `vgdc edit`.
//
//   node tests/conformance/editor/record.mjs --node-red DIR [--only NAME] [--check]
//
// DIR has `node_modules/node-red` and, where it has one, the Node.js that runs it (`node_modules/node/bin/node`). With --check nothing is
// written: what Node-RED answers otherwise than recorded is shown. The clock, ids that Node-RED draws and tokens are made equal (`equal`).

import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { scenarios } from "./scenarios.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const option = name => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? undefined : process.argv[at + 1];
};
const nodeRed = option("node-red") ?? process.env.VGDC_NODE_RED;
if (!nodeRed) {
    console.error("record.mjs: --node-red DIR is needed, a folder with node_modules/node-red");
    process.exit(2);
}
const root = path.join(nodeRed, "node_modules/node-red");
const own = path.join(nodeRed, "node_modules/node/bin/node");
const node = fs.existsSync(own) ? own : process.execPath;
const versions = { "node-red": JSON.parse(fs.readFileSync(path.join(root, "package.json"))).version };

const freePort = () => new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
        const { port } = server.address();
        server.close(() => resolve(port));
    });
});

/** Starts Node-RED with a flow file, waits until it answers. */
async function start(scenario) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vgdc-record-"));
    const port = await freePort();
    const settings = { ...scenario.settings, uiPort: port, uiHost: "127.0.0.1", flowFile: "flows.json", logging: { console: { level: "error" } }, telemetry: { enabled: false } };
    fs.writeFileSync(path.join(folder, "settings.js"), `module.exports = ${JSON.stringify(settings)};\n`);
    for (const [name, text] of Object.entries(scenario.files)) {
        fs.writeFileSync(path.join(folder, name), text);
    }
    const child = spawn(node, [path.join(root, "red.js"), "--userDir", folder], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", data => said += data);
    child.stderr.on("data", data => said += data);
    const url = `http://127.0.0.1:${port}`;
    for (let tries = 0; ; tries++) {
        try {
            await fetch(`${url}/auth/login`);
            break;
        } catch (error) {
            if (tries > 300 || child.exitCode !== null) throw new Error(`Node-RED does not start: ${error}\n${said}`);
            await new Promise(go => setTimeout(go, 100));
        }
    }
    // (flows start a moment after the listener)
    await new Promise(go => setTimeout(go, 1000));
    const stop = () => new Promise(done => {
        child.on("exit", () => {
            fs.rmSync(folder, { recursive: true, force: true });
            done();
        });
        child.kill("SIGTERM");
    });
    return { url, stop };
}

/** What is never the same twice is made equal: a value that `keep` named, by its name. */
function equal(value, kept) {
    const names = Object.entries(kept).filter(([, text]) => typeof text === "string" && text.length > 7);
    const drawn = text => text.replace(/"_msgid":"[0-9a-f]{16}"/g, '"_msgid":"#"').replace(/"stack":"(?:[^"\\]|\\.)*"/g, '"stack":"#"');
    const one = text => names.reduce((out, [name, found]) => out.replaceAll(found, `\${${name}}`), drawn(text));
    const walk = (value, key) => {
        if (typeof value === "string") return one(value);
        if (typeof value === "number" && (key === "timestamp" || key === "_ts" || key === "hb")) return 0;
        if (Array.isArray(value)) return value.map(item => walk(item));
        if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]));
        return value;
    };
    return walk(value);
}

const fill = (value, kept) => JSON.parse(JSON.stringify(value).replace(/\$\{([a-zA-Z]+)\}/g, (whole, name) => kept[name] ?? whole));
const at = (value, pointer) => pointer.split("/").slice(1).reduce((value, key) => value?.[key], value);

/** Sends one request, gives the answer in a comparable form. */
async function ask(url, step, kept) {
    const request = fill(step.request, kept);
    const headers = { ...request.headers };
    let body = request.text;
    if (request.body !== undefined) {
        body = JSON.stringify(request.body);
        headers["content-type"] ??= "application/json";
    }
    if (kept.bearer && !("authorization" in headers)) headers.authorization = `Bearer ${kept.bearer}`;
    const answer = await fetch(url + request.path, { method: request.method ?? "GET", headers, body, redirect: "manual" });
    const text = await answer.text();
    const type = answer.headers.get("content-type");
    const is = { status: answer.status };
    if (type) is.type = type;
    if (text) is.body = type?.startsWith("application/json") ? JSON.parse(text) : text;
    for (const [name, pointer] of Object.entries(step.keep ?? {})) kept[name] = at(is.body, pointer);
    if (step.bearer) kept.bearer = at(is.body, step.bearer);
    if (step.only) is.body = Object.fromEntries(Object.entries(step.only).map(([name, pointer]) => [name, at(is.body, pointer)]));
    if (step.bodyless) delete is.body;
    return is;
}

/** Speaks on /comms: what the steps send, and what comes in the time that they wait. */
async function talk(url, scenario, kept) {
    const { WebSocket } = await import("node:module").then(it => it.createRequire(path.join(root, "package.json"))("ws")).then(it => ({ WebSocket: it }));
    const socket = new WebSocket(`${url.replace("http", "ws")}/comms`);
    const got = [];
    socket.addEventListener("message", event => got.push(JSON.parse(event.data)));
    await new Promise((open, fail) => {
        socket.addEventListener("open", open);
        socket.addEventListener("error", fail);
    });
    return {
        send: what => socket.send(JSON.stringify(fill(what, kept))),
        /** What came until now, batches undone. */
        take: async (ms) => {
            await new Promise(go => setTimeout(go, ms));
            return got.splice(0).flat().filter(entry => entry.topic !== "hb");
        },
        close: () => socket.close(),
    };
}

async function play(scenario) {
    const { url, stop } = await start(scenario);
    try {
        const kept = {};
        let comms;
        const steps = [];
        for (const step of scenario.steps) {
            const done = { ...step };
            if (step.request) done.answer = equal(await ask(url, step, kept), kept);
            if (step.open) comms = await talk(url, scenario, kept);
            for (const what of step.send ?? []) comms.send(what);
            if (step.wait) done.came = equal(await comms.take(step.wait), kept);
            steps.push(done);
        }
        comms?.close();
        return { versions, settings: scenario.settings, files: scenario.files, steps };
    } finally {
        await stop();
    }
}

let differs = false;
for (const scenario of scenarios) {
    if (option("only") && option("only") !== scenario.name) continue;
    const file = path.join(here, "recorded", `${scenario.name}.json`);
    const text = `${JSON.stringify(await play(scenario), null, 1)}\n`;
    if (process.argv.includes("--check")) {
        const same = fs.existsSync(file) && fs.readFileSync(file, "utf8") === text;
        console.log(`${scenario.name}: ${same ? "the same" : "differs"}`);
        differs ||= !same;
    } else {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, text);
        console.log(`${scenario.name}: ${scenario.steps.length} steps`);
    }
}
process.exit(differs ? 1 : 0);
