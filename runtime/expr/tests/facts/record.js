// Records what Node-RED's own libraries answer to the cases, for `tests/facts.rs` to compare with.
// (Node-RED's own install is asked; a message that several cases share stands in a line of its own, `{"kind":"msg"}`.)
//
//     TZ=UTC node record.js PATH_TO_NODE_RED < typed.jsonl > new && mv new typed.jsonl
//
// A case is a line: {"kind":"typed"|"template"|"store"|"key", ...}; what comes out is the same line with `result` (in the control
// protocol's form) or `error`. Only questions and answers are kept here, none of Node-RED's text.
"use strict";
const path = require("path");
const readline = require("readline");
const root = process.argv[2];
const from = (name) => require(require.resolve(name, { paths: [root, path.join(root, "packages/node_modules/@node-red/nodes"), path.join(root, "packages/node_modules/@node-red/util")] }));

const NOW = 1767323045678;
const RealDate = Date;
global.Date = class extends RealDate {
    constructor(...args) {
        if (args.length === 0) { super(NOW); } else { super(...args); }
    }
    static now() { return NOW; }
};

const { util } = from("@node-red/util");
const mustache = from("mustache");
const contexts = from(path.join(root, "packages/node_modules/@node-red/runtime/lib/nodes/context/index.js"));
from("@node-red/util").log.init({ logging: { console: { level: "off" } } });

const CTX = { flow: { a: 1, s: "f<\n", o: { x: [1, 2], "k k": 3 }, list: { k: 3 } }, global: { b: 2, fn: null } };
const FILE = { flow: { a: "in file" }, global: { b: "global in file" } };
const ENV = { NAME: "vgdc", N: 7, EMPTY: "", NUL: null, T: true, OBJ: { x: 1 }, "A B": "spaced" };

function encode(value) {
    if (value === undefined) { return { $type: "undefined" }; }
    if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
        return { $type: "number", value: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (value === null || typeof value !== "object") { return typeof value === "function" ? { $type: "undefined" } : value; }
    if (Buffer.isBuffer(value)) { return { $type: "buffer", base64: value.toString("base64") }; }
    if (value instanceof RealDate) { return { $type: "date", iso: isNaN(value) ? null : value.toISOString() }; }
    if (value instanceof RegExp) { return { $type: "regexp", source: value.source, flags: value.flags }; }
    if (Array.isArray(value)) { return Array.from(value, encode); }
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && typeof v !== "function").map(([k, v]) => [k, encode(v)]));
}

function decode(value) {
    if (value === null || typeof value !== "object") { return value; }
    if (Array.isArray(value)) { return value.map(decode); }
    switch (value.$type) {
    case "undefined": return undefined;
    case "buffer": return Buffer.from(value.base64, "base64");
    case "date": return new RealDate(value.iso);
    case "number": return Number(value.value);
    }
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v)]));
}

const failed = (err) => ({ message: String(err && err.message !== undefined ? err.message : err), ...(err && err.code !== undefined ? { code: err.code } : {}) });

// What JSONata's numbers look like in errors: `value`, `token` and so on are left out, the text has them.
async function typed(it, node) {
    return new Promise((resolve, reject) => {
        util.evaluateNodeProperty(it.text, it.type, node, decode(it.message), (err, value) => err ? reject(err) : resolve(value));
    });
}

async function stepwise(steps) {
    const answers = [];
    contexts.init({ functionGlobalContext: { seed: { x: 1 }, shadow: "seed" }, contextStorage: { memory: { module: "memory" }, other: { module: "memory" }, default: "memory" } });
    await contexts.load();
    contexts.getFlowContext("outer");
    const scopes = { "global": contexts.get("global"), "flow:outer": contexts.getFlowContext("outer"), "flow:inner": contexts.getFlowContext("inner", "outer"), "node:n": contexts.get("n", "outer") };
    for (const [op, scope, ...args] of steps) {
        try {
            answers.push([true, encode(scopes[scope][op](...args.map(decode)))]);
        } catch (err) {
            answers.push([false, failed(err)]);
        }
    }
    return answers;
}

async function answer(it, node, load) {
    switch (it.kind) {
    case "typed": return encode(await typed(it, node));
    case "template": return await load(it);
    case "store": return await stepwise(it.steps);
    case "key": return util.parseContextStore(it.text);
    }
    throw new Error("unknown kind " + it.kind);
}

// The template node, asked through a stand-in for the runtime.
function templates(node) {
    let Node;
    from(path.join(root, "packages/node_modules/@node-red/nodes/core/function/80-template.js"))({
        util, library: { register() {} },
        nodes: { createNode() {}, registerType(_, node) { Node = node; } },
    });
    return (it) => new Promise((resolve, reject) => {
        const self = Object.create(node);
        self.on = (_, act) => { self.act = act; };
        Node.call(self, { template: it.text, output: it.json ? "json-text" : "str", field: "payload" });
        if (it.json) { self.outputFormat = "json"; }
        const parse = JSON.parse;
        if (it.json) { JSON.parse = (text) => text; }
        self.act.call(self, decode(it.message), (msg) => { JSON.parse = parse; resolve(msg.payload); },
            (err) => { JSON.parse = parse; if (err) { reject(err); } });
    });
}

async function main() {
    contexts.init({ contextStorage: { memory: { module: "memory" }, file: { module: "memory" }, default: "memory" } });
    await contexts.load();
    const fresh = () => {
        const flow = contexts.getFlowContext("flow"), global = contexts.get("global");
        for (const [key, value] of Object.entries(CTX.flow)) { flow.set(key, value); }
        for (const [key, value] of Object.entries(CTX.global)) { global.set(key, value); }
        for (const [key, value] of Object.entries(FILE.flow)) { flow.set(key, value, "file"); }
        for (const [key, value] of Object.entries(FILE.global)) { global.set(key, value, "file"); }
        return { flow, global };
    };
    const node = {
        id: "node", name: "a name", _path: "flow/node",
        _flow: { getSetting: (name) => ENV[name] },
        context: () => fresh(),
    };
    const render = templates(node);
    const shared = {};
    const message = (it) => it.with ? shared[it.with] : it.msg || {};
    for await (const line of readline.createInterface({ input: process.stdin })) {
        if (!line.trim()) { continue; }
        const it = JSON.parse(line);
        delete it.result;
        delete it.error;
        if (it.kind === "msg") {
            shared[it.name] = it.msg;
            process.stdout.write(line + "\n");
            continue;
        }
        Object.defineProperty(it, "message", { value: message(it) });
        if (it.kind === "store") {
            it.result = await stepwise(it.steps);
            contexts.init({ contextStorage: { memory: { module: "memory" }, file: { module: "memory" }, default: "memory" } });
            await contexts.load();
        } else {
            try { it.result = await answer(it, node, render); } catch (err) { it.error = failed(err); }
        }
        process.stdout.write(JSON.stringify(it) + "\n");
    }
}
main();
