// Asks the real Node-RED what its Admin API and its comms answer, and writes that to `recorded/NAME.json`: the suite
// (`tests/whole/editor.rs`) plays the same requests to `vgdc edit`.
//
//   node tests/conformance/editor/record.mjs --node-red DIR [--only NAME] [--check]
//   node tests/conformance/editor/record.mjs --node-red DIR --vgdc target/debug/vgdc [--only NAME]
//
// With --vgdc the same is asked of `vgdc edit`, and what it answers otherwise than was recorded is shown.
//
// DIR has `node_modules/node-red` and, where it has one, the Node.js that runs it (`node_modules/node/bin/node`). With --check nothing is
// written: what Node-RED answers otherwise than recorded is shown. The clock, ids that Node-RED draws and tokens are made equal (`equal`).

import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { scenarios } from "./scenarios.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const option = name => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? undefined : process.argv[at + 1];
};
const vgdc = option("vgdc");
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

/** A value as TOML. */
const toml = value => Array.isArray(value) ? `[${value.map(toml).join(", ")}]`
    : value && typeof value === "object" ? `{ ${Object.entries(value).map(([name, item]) => `${name} = ${toml(item)}`).join(", ")} }`
    : JSON.stringify(value);

/** What a scenario's settings are in a vgdc.toml. */
function vgdcToml({ contextStorage, adminAuth }) {
    const lines = [];
    for (const [name, { module }] of Object.entries(contextStorage ?? {})) lines.push(`[context.${name}]`, `module = "${module}"`);
    if (adminAuth) lines.push("[settings]", `adminAuth = ${toml(adminAuth)}`);
    return `${lines.join("\n")}\n`;
}

/** Starts `vgdc edit` on a flow file. */
async function startVgdc(scenario) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vgdc-replay-"));
    for (const [name, text] of Object.entries({ ...scenario.files, "vgdc.toml": vgdcToml(scenario.settings) })) {
        fs.writeFileSync(path.join(folder, name), text);
    }
    const token = "token-of-the-recorder";
    const child = spawn(vgdc, ["edit", folder, "--port", "0", "--no-open"], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, VGDC_EDITOR_TOKEN: token } });
    let said = "";
    const url = await new Promise((resolve, reject) => {
        child.stdout.on("data", data => {
            said += data;
            const found = /The editor is at (http:\/\/[^/\s]+)/.exec(said);
            if (found) resolve(found[1]);
        });
        child.on("exit", code => reject(new Error(`vgdc ended with ${code}: ${said}`)));
    });
    await new Promise(go => setTimeout(go, 700));
    const stop = () => new Promise(done => {
        child.removeAllListeners("exit");
        child.on("exit", () => {
            fs.rmSync(folder, { recursive: true, force: true });
            done();
        });
        child.kill("SIGTERM");
    });
    return { url, stop, bearer: scenario.settings.adminAuth ? undefined : token };
}

/** Starts Node-RED with a flow file, waits until it answers. */
async function startNodeRed(scenario) {
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

/** What is never the same twice is made equal: a value that `keep` named, by its name. What Node-RED notes in a node while it runs goes. */
function equal(value, kept) {
    const names = Object.entries(kept).filter(([name, text]) => name !== "bearer" && typeof text === "string" && text.length > 7);
    const drawn = text => text.replace(/"_msgid":"[0-9a-f]{16}"/g, '"_msgid":"#"').replace(/"stack":"(?:[^"\\]|\\.)*"/g, '"stack":"#"');
    const one = text => names.reduce((out, [name, found]) => out.replaceAll(found, `\${${name}}`), drawn(text));
    const walk = (value, key) => {
        if (typeof value === "string") return one(value);
        if (typeof value === "number" && (key === "timestamp" || key === "_ts" || key === "hb")) return 0;
        if (Array.isArray(value)) return value.map(item => walk(item));
        if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "_users").map(([name, item]) => [name, walk(item, name)]));
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
async function talk(url, kept) {
    const { WebSocket } = await import("node:module").then(it => it.createRequire(path.join(root, "package.json"))("ws")).then(it => ({ WebSocket: it }));
    const headers = kept.bearer ? { authorization: `Bearer ${kept.bearer}` } : {};
    const socket = new WebSocket(`${url.replace("http", "ws")}/comms`, { headers });
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

async function play(scenario, start) {
    const { url, stop, bearer } = await start(scenario);
    try {
        const kept = { bearer };
        let comms;
        const steps = [];
        for (const step of scenario.steps) {
            const done = { ...step };
            if (step.request) done.answer = equal(await ask(url, step, kept), kept);
            if (step.open) comms = await talk(url, kept);
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

/** What is said on one topic keeps its order; what is said on several need not. */
const byTopic = came => [...came].sort((a, b) => (a.topic ?? "").localeCompare(b.topic ?? ""));

/** The steps in which answers differ, in words. A step that says why it `differs` is left out, as is what it names in `apart`. */
function differences(was, is) {
    const all = [];
    was.steps.forEach((step, at) => {
        if (step.differs) return;
        const what = step.request ? `${step.request.method ?? "GET"} ${step.request.path}` : JSON.stringify(step.send ?? step.wait);
        const [left, right] = step.request ? [step.answer, is.steps[at].answer] : [byTopic(step.came ?? []), byTopic(is.steps[at].came ?? [])];
        if (!isDeepStrictEqual(left, right)) all.push(`step ${at}, ${what}\n  node-red: ${JSON.stringify(left)}\n  vgdc:     ${JSON.stringify(right)}`);
    });
    return all;
}

let differs = false;
for (const scenario of scenarios) {
    if (option("only") && option("only") !== scenario.name) continue;
    const file = path.join(here, "recorded", `${scenario.name}.json`);
    if (vgdc) {
        const was = JSON.parse(fs.readFileSync(file, "utf8"));
        const found = differences(was, await play(was, startVgdc));
        console.log(`${scenario.name}: ${was.steps.length} steps, ${found.length} differ${found.map(text => `\n${text}`).join("")}`);
        differs ||= found.length > 0;
        continue;
    }
    const text = `${JSON.stringify(await play(scenario, startNodeRed), null, 1)}\n`;
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
