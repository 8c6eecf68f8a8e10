// Runs cases against a server of the control protocol (Node-RED behind node-red.mjs, or vgdc) and gives their answers.
// README.md says what a case is. tests/whole/recorded.rs does the same in Rust: the two must agree.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as outside from "./outside.mjs";

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const isObject = value => value !== null && typeof value === "object" && !Array.isArray(value);
/** How many cases are deployed together. */
const TOGETHER = 60;

/** A process that speaks the protocol. */
export class Server {
    constructor(command, args, env) {
        this.events = [];
        this.waiting = new Map();
        this.next = 0;
        this.child = spawn(command, args, { stdio: ["pipe", "pipe", process.env.VERBOSE ? "inherit" : "ignore"], env });
        this.child.stdin.on("error", () => {});
        this.child.on("exit", (code, signal) => {
            this.ended ??= `the server has ended (${signal ?? code})`;
            this.waiting.forEach(({ reject }) => reject(new Error(this.ended)));
        });
        createInterface({ input: this.child.stdout }).on("line", line => {
            // (of one that has been ended half a line may be left)
            if (this.ended) return;
            const said = JSON.parse(line);
            // (a case that goes round and round would fill the memory)
            if (said.event && this.events.length > 200000) return void this.kill("more than 200000 events at once");
            if (said.event) return void this.events.push(said);
            const { resolve, reject, mark } = this.waiting.get(said.id) ?? {};
            this.waiting.delete(said.id);
            if (mark !== undefined) this.events.push({ mark });
            if (said.ok) resolve?.(said.result);
            else reject?.(new Error(said.error?.message ?? line));
        });
    }
    /** Asks; with `mark`, the answer's place among the events is marked with it. */
    ask(op, fields = {}, mark) {
        const id = ++this.next;
        return new Promise((resolve, reject) => {
            if (this.ended) return reject(new Error(this.ended));
            this.waiting.set(id, { resolve, reject, mark });
            this.child.stdin.write(JSON.stringify({ id, op, ...fields }) + "\n");
        });
    }
    /** Ends it at once; what is asked fails with the reason. */
    kill(reason) {
        this.ended ??= reason;
        this.child.kill("SIGKILL");
    }
    end() {
        if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve();
        this.child.stdin.end();
        const killed = setTimeout(() => this.child.kill("SIGKILL"), 4000);
        return new Promise(resolve => this.child.on("exit", () => { clearTimeout(killed); resolve(); }));
    }
}

/** Node-RED from npm; a process for each set of settings and variables. */
export const nodeRed = dir => ({
    start(settings, env, virtualStart) {
        const script = path.join(path.dirname(fileURLToPath(import.meta.url)), "node-red.mjs");
        return new Server(process.execPath, [script, dir, JSON.stringify(settings), ...(virtualStart ? [virtualStart] : [])], { ...process.env, TZ: "UTC", ...env });
    },
    told: () => ({}),
});

/** vgdc, which gets settings and variables with what it deploys. */
export const vgdc = program => ({
    start: (settings, env, virtualStart) =>
        new Server(program, ["run", "--control", "stdio", ...(virtualStart ? [`--virtual-time=${virtualStart}`] : [])], { ...process.env, TZ: "UTC" }),
    told: (settings, env) => ({ settings, env }),
});

let number = 0;

/** A case as it is deployed: its nodes under ids of their own. */
function prepared(one, ports, url) {
    const prefix = `k${++number}_`;
    const tab = `${prefix}t`;
    const text = JSON.stringify(one);
    const dir = one.files || text.includes("@DIR@") || text.includes('"$file"') ? fs.mkdtempSync(path.join(os.tmpdir(), "case-")) : undefined;
    for (const [name, content] of Object.entries(one.files ?? {})) fs.writeFileSync(path.join(dir, name), content);
    let nodes;
    if (one.node) {
        const outputs = one.outputs ?? 1;
        nodes = [
            { id: tab, type: "tab", label: "tab" },
            { ...one.node, id: `${prefix}n`, z: tab, wires: Array.from({ length: outputs }, () => [`${prefix}h`]) },
            { id: `${prefix}h`, type: "helper", z: tab, wires: [] },
        ];
    } else {
        const ids = new Set(one.flow.map(node => node.id));
        const renamed = value => {
            if (typeof value === "string") {
                if (ids.has(value)) return prefix + value;
                const inner = value.startsWith("subflow:") ? value.slice(8) : undefined;
                return ids.has(inner) ? `subflow:${prefix}${inner}` : value;
            }
            if (Array.isArray(value)) return value.map(renamed);
            return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renamed(item)])) : value;
        };
        nodes = renamed(one.flow);
        if (!nodes.some(node => node.type === "tab")) {
            nodes = [{ id: tab, type: "tab", label: "tab" }, ...nodes.map(node => (node.z || node.type === "subflow" ? node : { ...node, z: tab }))];
        }
    }
    const credentials = Object.fromEntries(Object.entries(one.credentials ?? {}).map(([id, secrets]) => [prefix + id, secrets]));
    const http = text.includes("@H") ? url : undefined;
    const places = [["@DIR@", dir], ["@PORT1@", ports?.[0]], ["@PORT2@", ports?.[1]], ["@HTTP@", http], ["@HOST@", http?.slice("http://".length)], ["@HPORT@", http?.split(":")[2]], ["@ID@", prefix]]
        .filter(([, text]) => text !== undefined);
    return { one, prefix, nodes, credentials, places, dir, url, clients: new Map() };
}

const filled = (value, places) => {
    let text = JSON.stringify(value);
    for (const [name, real] of places) text = text.replaceAll(`"${name}"`, /^\d+$/.test(real) ? `"${real}"` : JSON.stringify(real)).replaceAll(name, real);
    return JSON.parse(text);
};

const DAY = 86400000;
const isNow = time => Math.abs(time - Date.now()) < DAY;

/** Without what is another each time: ids, times, stacks, places. */
export function masked(value, running) {
    if (typeof value === "string") {
        let text = value.replaceAll(running.prefix, "").toWellFormed();
        for (const [name, real] of running.places) text = text.replaceAll(real, name);
        if (/^([0-9a-f]{16}|[0-9a-f]{28})$/.test(text)) return "#";
        if (/^pid:\d+$/.test(text)) return "pid:#";
        if (/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text) && !text.includes(" 1970 ")) return "#now";
        if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && isNow(Date.parse(text))) return "#now";
        return text;
    }
    const port = typeof value === "number" && running.places.find(([name, real]) => name.startsWith("@PORT") && real === String(value));
    if (port) return port[0];
    if (typeof value === "number") return Number.isInteger(value) && isNow(value) ? "#now" : value;
    if (Array.isArray(value)) return value.map(item => masked(item, running));
    if (!isObject(value)) return value;
    if (value.$type === "handle") return { ...value, id: "#" };
    const kept = Object.keys(value).filter(key => !(key === "stack" && typeof value[key] === "string"));
    const inner = (key, item) => {
        // (a sum over headers that are others each time)
        if (key === "x-node-red-request-node") return "#";
        const known = masked(item, running);
        return key === "port" && typeof known === "number" && known >= 1024 ? "#port" : known;
    };
    return Object.fromEntries(kept.map(key => [key, inner(key, value[key])]));
}

/** An event in a case's short form. */
export function short(event, running, step) {
    const message = msg => {
        const { _msgid, req, res, ...rest } = masked(msg, running);
        // (in a copy they stand last)
        const others = { ...rest, ...(req === undefined ? {} : { req }), ...(res === undefined ? {} : { res }) };
        // (one that has lost its id gets a new one)
        return _msgid === `m${step}` ? [others] : [others, _msgid ?? "#"];
    };
    switch (event.event) {
        case "send": return [event.output + 1, ...message(event.msg)];
        case "input": return ["in", ...message(event.msg)];
        case "done": {
            const id = isObject(event.msg) ? event.msg._msgid : undefined;
            return id === `m${step}` ? "done" : `done ${masked(id ?? "0123456789abcdef", running)}`;
        }
        case "log": return [event.level, masked(event.message, running)];
        case "debug": {
            const { name, topic, property, value, format } = event;
            return ["debug", masked({ ...(name ? { name } : {}), topic, property, value, format }, running)];
        }
        case "seen": return ["seen", masked(event.seen, running)];
        default: return [event.event, masked(event[event.event === "error" ? "message" : "status"], running)];
    }
}

const target = (running, id) => running.prefix + (id ?? running.one.to ?? "n");

/** What is logged as an error is an event of its own, too. */
const LOGGED = ["warn", "info"];

/** Does a step. */
async function act(server, running, index) {
    const step = filled(running.one.msgs[index], running.places);
    const tell = (id, what) => server.events.push({ event: what[0], node: running.prefix + id, ...what[1] });
    if (step.$wait !== undefined) return;
    if (step.$stop) return server.ask("stop", { nodes: running.ids });
    if (step.$set) return server.ask("context.set", { scope: named(step.$set[0], running), key: step.$set[1], value: step.$set[2] });
    if (step.$get) {
        const value = await server.ask("context.get", { scope: named(step.$get[0], running), key: step.$get[1] }).catch(error => error.message);
        return tell(running.one.node ? "n" : "context", ["status", { status: { context: value ?? { $type: "undefined" } } }]);
    }
    const saw = seen => seen !== undefined && tell(running.one.node ? "n" : "client", ["seen", { seen }]);
    if (step.$file) return saw(outside.file(running.dir, step));
    if (step.$tcp) return saw(await outside.tcp(running.clients, step));
    if (step.$request) {
        const seen = await outside.request(running.url, step);
        return step.quiet ? undefined : saw(seen);
    }
    if (step.$button) return server.ask("button", { node: target(running, step.$button), ...(step.msg ? { msg: step.msg } : {}) });
    const msg = step.$to ? step.msg : step;
    const whole = Object.hasOwn(msg, "_msgid") ? msg : { _msgid: `m${index + 1}`, ...msg };
    // (a node that could not start)
    return server.ask("receive", { node: target(running, step.$to), msg: whole }).catch(() => {});
}
const named = (scope, running) => {
    const [kind, id] = scope.split(":");
    return id === undefined ? kind : `${kind}:${running.prefix}${id}`;
};

/** The events since the last time, by case, in short form. */
function taken(server, batch, step) {
    const events = server.events.splice(0);
    const of = new Map(batch.map(running => [running.prefix, running]));
    for (const event of events) {
        const prefix = /^k\d+_/.exec(event.node ?? "")?.[0];
        const running = of.get(prefix);
        if (!running) continue;
        const node = event.node.slice(prefix.length);
        if (running.isOver) continue;
        if (running.one.hide?.includes(event.event) || running.one.ignore?.includes(node)) continue;
        if ((running.one.node && node !== "n") || (event.event === "log" && !LOGGED.includes(event.level))) continue;
        const at = running.one.timed ? 0 : Math.min(step, running.answers.length - 1);
        const line = short(event, running, running.one.timed ? -1 : step + 1);
        if (running.one.node) running.answers[at].push(line);
        else (running.answers[at][node] ??= []).push(line);
    }
}

function watching(server, batch) {
    const [single, helpers, others] = [[], [], []];
    for (const running of batch) {
        if (running.one.node) single.push(`${running.prefix}n`);
        else for (const node of running.nodes) (node.type === "helper" ? helpers : others).push(node.id);
        running.ids = running.nodes.filter(node => !["tab", "group", "subflow"].includes(node.type) && node.type !== "helper").map(node => node.id);
    }
    const kinds = ["error", "status", "log", "debug"];
    return Promise.all([
        server.ask("watch", { nodes: single, events: ["send", "done", ...kinds] }),
        server.ask("watch", { nodes: helpers, events: ["input"] }),
        server.ask("watch", { nodes: others, events: kinds }),
    ]);
}

async function runBatch(server, kind, batch) {
    const { settings = {}, env = {} } = batch[0].one;
    await watching(server, batch);
    for (const running of batch) {
        const empty = () => (running.one.node ? [] : {});
        running.answers = running.one.timed ? [empty()] : running.one.msgs.map(empty);
    }
    server.events.length = 0;
    const flows = batch.flatMap(running => filled(running.nodes, running.places));
    const credentials = Object.assign({}, ...batch.map(running => running.credentials));
    await server.ask("deploy", { flows, credentials, ...kind.told(settings, env) });
    await server.ask("settle");
    if (batch[0].one.timed) {
        const all = batch.map(async running => {
            // (steps without a wait between them are asked for at once)
            const asked = [];
            for (let at = 0; at < running.one.msgs.length; at++) {
                const wait = running.one.msgs[at].$wait;
                if (wait !== undefined) await sleep(wait);
                else asked.push(act(server, running, at));
            }
            await Promise.all(asked);
            await sleep(running.one.tail ?? 250);
            taken(server, batch, -1);
            running.isOver = true;
        });
        await Promise.all(all);
        return;
    }
    const steps = Math.max(...batch.map(running => running.one.msgs.length));
    for (let step = 0; step < steps; step++) {
        const at = batch.filter(running => step < running.one.msgs.length);
        await Promise.all(at.map(running => act(server, running, step)));
        const slow = Math.max(0, ...at.map(running => running.one.slow ?? running.one.msgs[step].$wait ?? 0));
        // (vgdc's answer to `settle` waits for commands, too)
        if (slow) await sleep(slow);
        else await server.ask("settle");
        taken(server, batch, step);
    }
}

let next = 20000 + Math.floor(Math.random() * 8000);
/** A port that nobody listens on, another each time, below those that the system gives to who asks for any. */
const freePort = () => new Promise(resolve => {
    next = next >= 31990 ? 20000 : next + 1;
    const port = next;
    const server = net.createServer();
    server.on("error", () => resolve(freePort()));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(String(port))));
});

/** Answers of all cases, in their order; `kind` is nodeRed(…) or vgdc(…). */
export async function answersOf(kind, cases, report = () => {}) {
    const groups = new Map();
    cases.forEach((one, at) => {
        const key = JSON.stringify([one.settings ?? {}, one.env ?? {}, one.timed ?? false, one.slow ?? 0, one.alone ? at : 0]);
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(at);
    });
    const [answers, servers] = [[], new Map()];
    for (const [key, members] of groups) {
        const [settings, env] = JSON.parse(key);
        const needed = JSON.stringify([settings, env]);
        if (!servers.has(needed)) {
            await Promise.all(Array.from(servers.values(), server => server.end()));
            servers.clear();
            servers.set(needed, kind.start(settings, env));
        }
        const server = servers.get(needed);
        for (let from = 0; from < members.length; from += TOGETHER) {
            const part = members.slice(from, from + TOGETHER);
            const batch = [];
            const { url } = await server.ask("info").then(info => info.http);
            for (const at of part) {
                const text = JSON.stringify(cases[at]);
                const ports = text.includes("@PORT") ? [await freePort(), await freePort()] : undefined;
                batch.push(prepared(cases[at], ports, url));
            }
            await runBatch(server, kind, batch);
            batch.forEach((running, index) => {
                answers[part[index]] = running.answers;
                running.clients.forEach(client => client.close());
                if (running.dir) fs.rmSync(running.dir, { recursive: true, force: true });
            });
            report(answers.filter(Boolean).length);
        }
    }
    await Promise.all(Array.from(servers.values(), server => server.end()));
    return answers;
}
