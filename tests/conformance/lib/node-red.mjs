// The real Node-RED, from npm, behind the part of the control protocol (docs/control-protocol.md) that recording needs:
// info, deploy, nodes, receive, send, button, stop, watch, context.keys, context.get, context.set, clock.advance, settle.
//
//   node node-red.mjs DIR SETTINGS [START]    DIR holds node_modules with node-red; SETTINGS is JSON in the protocol's form
//
// With START (a date) nodes see a clock that only clock.advance moves. One process has one set of settings, as nodes read some of them only once.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { install } from "./clock.mjs";
import { decode, encode } from "./values.mjs";

const [root, given = "{}", virtualStart] = process.argv.slice(2);
const settings = decode(JSON.parse(given));
const load = createRequire(path.join(path.resolve(root), "package.json"));

// (only lines of the protocol may go to standard output)
console.log = console.info = console.debug = console.error;
const write = line => process.stdout.write(JSON.stringify(line) + "\n");

const RED = load("node-red");
const flows = load("@node-red/runtime/lib/flows");
const credentialStore = load("@node-red/runtime/lib/nodes/credentials");
const Context = load("@node-red/runtime/lib/nodes/context");
const Node = load("@node-red/runtime/lib/nodes/Node");
const { Flow } = load("@node-red/runtime/lib/flows/Flow");
const runtimeNodes = load("@node-red/runtime/lib/nodes");
const { events, util, log } = load("@node-red/util");

// Event kind -> ids of nodes.
const watched = new Map();
const running = new Map();
let activity = 0;

function tell(kind, id, fields) {
    activity++;
    const ids = watched.get(kind);
    if (ids?.has(id) || ids?.has("*")) write({ event: kind, node: id, ...fields });
}
function before(method, act) {
    const original = Node.prototype[method];
    Node.prototype[method] = function (...args) {
        act.apply(this, args);
        return original.apply(this, args);
    };
}
before("_emitInput", function (msg) { tell("input", this.id, { msg: encode(msg) }); });
before("_complete", function (msg, error) { if (!error) tell("done", this.id, { msg: encode(msg) }); });
before("error", function (message) { tell("error", this.id, { message: encode(message) }); });
// (instances of subflows set theirs without `Node.status`; what goes up to the flows around is muted)
const handleStatus = Flow.prototype.handleStatus;
Flow.prototype.handleStatus = function (node, status, reporting, muted) {
    const whole = status !== null && typeof status === "object" ? status : { text: String(status) };
    if (!muted) tell("status", node.id, { status: encode(whole) });
    return handleStatus.call(this, node, status, reporting, muted);
};

// (each node gets its own `send` whenever it is wired)
const updateWires = Node.prototype.updateWires;
Node.prototype.updateWires = function (wires) {
    updateWires.call(this, wires);
    running.set(this.id, this);
    const send = this.send;
    const told = msg => {
        const list = value => (Array.isArray(value) ? value : [value]);
        if (msg === null || msg === undefined) return;
        list(msg).forEach((messages, output) => list(messages).forEach(one => {
            if (one !== null && one !== undefined) tell("send", this.id, { output, msg: encode(one) });
        }));
    };
    const value = function (msg) { told(msg); return send.call(this, msg); };
    Object.defineProperty(this, "send", { value, configurable: true, enumerable: false, writable: true });
};

// What a debug node shows is taken before it is cut and made a text.
let shown;
const encodeObject = util.encodeObject;
util.encodeObject = function (msg, options) {
    shown = msg && typeof msg === "object" && Object.hasOwn(msg, "msg") ? { value: encode(msg.msg) } : undefined;
    return encodeObject.call(this, msg, options);
};
events.on("comms", ({ topic, data }) => {
    if (topic !== "debug" || data.level !== undefined) return;
    const { name, property, format } = data;
    tell("debug", data.id, { name, topic: data.topic, property, value: shown ? shown.value : data.msg, format });
});
const LEVELS = { 30: "warn", 40: "info" };
const logger = { emit: (_, entry) => LEVELS[entry.level] && tell("log", entry.id, { level: LEVELS[entry.level], message: encode(entry.msg) }) };
process.on("uncaughtException", error => console.error(error));
process.on("unhandledRejection", error => console.error(error));

let stored = [];
const none = async () => ({});
const storageModule = {
    init: none, getFlows: async () => stored, saveFlows: async all => { stored = all; },
    getCredentials: none, saveCredentials: none, getSettings: none, saveSettings: none, getSessions: none, saveSessions: none,
    getLibraryEntry: async () => [], saveLibraryEntry: none,
};
const server = http.createServer();

async function start() {
    const app = load("express")();
    // (as the command node-red does)
    app.disable("x-powered-by");
    server.on("request", app);
    RED.init(server, {
        ...settings, httpAdminRoot: false, httpNodeRoot: "/", storageModule, credentialSecret: false,
        userDir: fs.mkdtempSync(path.join(os.tmpdir(), "recorder-")), logging: { console: { level: "off" } },
        telemetry: { enabled: false },
    });
    // (before the debug node's, which changes the entries)
    log.addHandler(logger);
    app.use("/", RED.httpNode);
    await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
    const started = new Promise(resolve => events.once("flows:started", resolve));
    await RED.start();
    await started;
    runtimeNodes.registerType("recorder", "helper", function (config) {
        runtimeNodes.createNode(this, config);
        this.on("input", () => {});
    });
}

const nodeOf = id => {
    const node = flows.getNode ? flows.getNode(id) || running.get(id) : running.get(id);
    if (!node) throw new Error(`no node "${id}" runs`);
    return node;
};
const contextOf = scope => {
    const [kind, id] = scope.split(":");
    if (kind === "global") return Context.get("global");
    return kind === "node" ? nodeOf(id).context() : Context.getFlowContext(id);
};
const called = (context, method, ...args) => new Promise((resolve, reject) =>
    context[method](...args, (error, value) => (error ? reject(error) : resolve(value))));

/** Under a virtual clock nothing waits for time, so that a few turns of the loop of events are long enough. */
async function quiet() {
    for (let turns = 0; turns < 12; turns++) {
        const seen = activity;
        await new Promise(resolve => setImmediate(resolve));
        if (activity !== seen) turns = -1;
    }
}

const operations = {
    info: () => ({ name: "Node-RED", version: RED.settings.version, http: { url: `http://127.0.0.1:${server.address().port}` } }),
    async deploy({ flows: all, credentials, type = "full" }) {
        if (credentials || type === "full") await credentialStore.load(credentials || {});
        if (type === "full") {
            await flows.stopFlows("full");
            running.clear();
        }
        const done = new Promise(resolve => {
            events.once("flows:started", () => resolve());
            events.on("runtime-event", ({ id, payload }) => id === "runtime-state" && payload?.error && resolve(payload));
        });
        await flows.setFlows(all, null, type, false, true);
        const problem = await done;
        if (problem) throw new Error(JSON.stringify(problem));
    },
    nodes: () => Array.from(running.values(), ({ id, type, z, name, wires }) => ({ id, type, z, name, wires })),
    receive: ({ node, msg }) => { nodeOf(node).receive(decode(msg)); },
    send: ({ node, msg }) => { nodeOf(node).send(decode(msg)); },
    button: ({ node, msg }) => { nodeOf(node).receive(decode(msg)); },
    stop: ({ nodes }) => Promise.all(nodes.map(id => nodeOf(id).close())).then(() => {}),
    watch({ nodes: named, events: kinds }) {
        const nodes = named === "*" ? ["*"] : named;
        for (const kind of kinds) {
            if (!watched.has(kind)) watched.set(kind, new Set());
            nodes.forEach(id => watched.get(kind).add(id));
        }
    },
    "context.get": async ({ scope, key }) => encode(await called(contextOf(scope), "get", key, undefined)),
    "context.keys": ({ scope }) => called(contextOf(scope), "keys", undefined),
    "context.set": ({ scope, key, value }) => called(contextOf(scope), "set", key, decode(value), undefined),
    "clock.advance": ({ ms }) => {
        if (!clock) throw new Error("the clock is the computer's");
        return clock.advance(ms, quiet);
    },
    // Node-RED does not say when it is idle: quiet for a while is taken for it.
    async settle() {
        if (clock) return quiet().then(() => clock.advance(0, quiet));
        for (let quiet = 0; quiet < 10; quiet++) {
            const seen = activity;
            await new Promise(resolve => setTimeout(resolve, 2));
            if (activity !== seen) quiet = -1;
        }
    },
};

await start();
// (not before: what starts needs the real one)
const clock = virtualStart ? install(Date.parse(virtualStart)) : undefined;
let turn = Promise.resolve();
const answer = async ({ id, op, ...fields }) => {
    try {
        const result = await operations[op](fields);
        write({ id, ok: true, ...(result === undefined ? {} : { result }) });
    } catch (error) {
        write({ id, ok: false, error: { message: String(error.message ?? error) } });
    }
};
createInterface({ input: process.stdin })
    .on("line", line => { const request = JSON.parse(line); turn = turn.then(() => answer(request)); })
    .on("close", () => { turn.finally(() => process.exit(0)); });
