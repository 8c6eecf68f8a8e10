// Records what Node-RED does with random flows, for tests/recorded.rs:
// scopes: who hears of a node's error, status and completion, and what env.get gives in it;
// routes: which messages come to each node, in which order, through wires, junctions, links, link calls and subflows.
//
//   node record.js scopes COUNT SEED "node reference.js --root DIR" > scopes.json
//   node record.js routes COUNT SEED "node reference.js --root DIR" > routes.json
//
// reference.js is Node-RED behind the control protocol (shared/conformance).

const { spawn } = require("node:child_process");
const readline = require("node:readline");

const [what, count, seed, command] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5]];

// A small generator of numbers, so that a seed gives the same flows again.
let state = seed >>> 0;
function random() {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = n => Math.floor(random() * n);
const chance = p => random() < p;
const pick = list => list[below(list.length)];

const NAMES = ["A", "B", "C"];
const ASKED = [...NAMES, "$parent.A", "$parent.B", "$parent.$parent.A", "NR_FLOW_NAME", "NR_FLOW_ID", "NR_GROUP_NAME",
    "NR_GROUP_ID", "NR_SUBFLOW_NAME", "NR_SUBFLOW_ID", "NR_SUBFLOW_PATH", "NR_NODE_NAME", "NR_NODE_ID", "NR_NODE_PATH"];
// What a listener sends on must not start it all again.
const BODY = `if (msg.go && !msg.complete) {
    node.warn(JSON.stringify(${JSON.stringify(ASKED)}.map(n => { const v = env.get(n); return v === undefined ? null : v; })));
    node.error("boom", msg);
    node.status({ text: "s" });
    node.done();
}
return null;`;

function env(self) {
    const vars = [];
    for (const name of NAMES) {
        if (!chance(0.35)) continue;
        const kind = below(6);
        if (kind < 3) vars.push({ name, type: "str", value: `${self}.${name}` });
        else if (kind === 3) vars.push({ name, type: "env", value: pick(NAMES) });
        else if (kind === 4) vars.push({ name, type: "env", value: "$parent." + pick(NAMES) });
        else vars.push({ name, type: "num", value: String(below(9)) });
    }
    return vars;
}

// Fills a tab or a subflow template.
function fill(flow, z, templates, size) {
    const groups = [];
    for (let at = 0; at < below(4); at++) {
        const group = { id: `${z}g${at}`, type: "group", z, name: `group ${z}${at}`, nodes: [], env: env(`${z}g${at}`) };
        if (groups.length && chance(0.6)) group.g = pick(groups).id;
        groups.push(group);
    }
    // The inner ones may stand before the outer ones.
    flow.push(...(chance(0.5) ? groups.slice().reverse() : groups));
    const place = node => {
        Object.assign(node, { z, x: 1, y: 1 });
        if (groups.length && chance(0.6)) node.g = pick(groups).id;
        return node;
    };
    const nodes = [];
    for (let at = 0; at < 1 + below(size); at++) {
        nodes.push(place({ id: `${z}f${at}`, type: "function", name: chance(0.5) ? `fn ${at}` : "", func: BODY, wires: [[]] }));
    }
    for (let at = 0; templates.length && at < below(3); at++) {
        nodes.push(place({ id: `${z}i${at}`, type: "subflow:" + pick(templates), name: chance(0.5) ? `inst ${z}${at}` : "", env: env(`${z}i${at}`), wires: [] }));
    }
    const ids = nodes.map(node => node.id);
    const some = () => ids.filter(() => chance(0.4)).concat(chance(0.1) ? ["nowhere"] : []);
    const wires = () => (chance(0.5) ? [ids.filter(() => chance(0.3))] : [[]]);
    for (let at = 0; at < below(4); at++) {
        const scope = pick([null, null, "group", some()]);
        nodes.push(place({ id: `${z}c${at}`, type: "catch", scope, uncaught: scope === null && chance(0.4), wires: [[]] }));
    }
    for (let at = 0; at < below(3); at++) {
        nodes.push(place({ id: `${z}s${at}`, type: "status", scope: pick([null, "group", some()]), wires: wires() }));
    }
    for (let at = 0; at < below(3); at++) {
        nodes.push(place({ id: `${z}d${at}`, type: "complete", scope: some(), wires: wires() }));
    }
    nodes.sort(() => random() - 0.5);
    flow.push(...nodes);
    return ids;
}

function makeFlow() {
    const flow = [];
    const templates = [];
    for (let at = 0; at < below(4); at++) {
        const id = `t${at}`;
        const def = { id, type: "subflow", name: `template ${at}`, in: [], out: [], env: env(id) };
        flow.push(def);
        const ids = fill(flow, id, templates.slice(), 3);
        if (chance(0.3)) def.status = { x: 1, y: 1, wires: chance(0.5) ? [{ id: ids[0], port: 0 }] : [] };
        templates.push(id);
    }
    for (let at = 0; at < 1 + below(2); at++) {
        flow.push({ id: `m${at}`, type: "tab", label: `Tab ${at}`, env: env(`m${at}`) });
        fill(flow, `m${at}`, templates, 3);
    }
    if (chance(0.3)) flow.push({ id: "glob", type: "global-config", env: env("glob") });
    return flow;
}

// ---- routes

const STEP = "msg.path = (msg.path || '') + '/' + node.id; return Array(node.outputCount).fill(msg);";

// Fills a tab or a template with nodes whose wires lead to later ones only, so that every message ends. `extra` are ids that
// wires may lead to as well.
function route(flow, z, templates, outs) {
    const kinds = ["function", "function", "function", "junction", "link in", "link out", "link call"];
    const nodes = [];
    for (let at = 0; at < 3 + below(5); at++) {
        const id = `${z}n${at}`;
        const node = templates.length && chance(0.3) ? { id, type: "subflow:" + pick(templates).id } : { id, type: pick(kinds) };
        if (node.type === "function") Object.assign(node, { func: STEP, outputs: 1 + below(2) });
        if (node.type === "link out") node.mode = chance(0.3) ? "return" : "link";
        nodes.push(Object.assign(node, { name: "", z, x: 1, y: 1 }));
    }
    nodes.forEach((node, at) => {
        const later = nodes.slice(at + 1).map(node => node.id);
        const outputs = node.type === "function" ? node.outputs
            : node.type.startsWith("subflow:") ? templates.find(t => "subflow:" + t.id === node.type).out.length
            : node.type === "link out" ? 0 : 1;
        // Not only forwards in the order of the file, and sometimes twice to one node.
        const some = () => later.filter(() => chance(0.35)).sort(() => random() - 0.5).concat(chance(0.1) && later.length ? [later[0]] : []);
        node.wires = Array.from({ length: outputs }, some);
        const entries = nodes.slice(at + 1).filter(node => node.type === "link in");
        if (node.type === "link out") node.links = entries.filter(() => chance(0.6)).map(node => node.id);
        if (node.type === "link call") Object.assign(node, { linkType: "static", timeout: "0.05", links: entries.length ? [pick(entries).id] : [] });
        if (node.type === "link in") node.links = nodes.slice(0, at).filter(out => out.type === "link out" && chance(0.3)).map(out => out.id);
    });
    flow.push(...nodes.slice().sort(() => random() - 0.5));
    return nodes;
}

function makeRoutes() {
    const flow = [];
    const templates = [];
    for (let at = 0; at < below(3); at++) {
        const def = { id: `t${at}`, type: "subflow", name: "" };
        flow.push(def);
        const nodes = route(flow, def.id, templates.slice());
        const sources = nodes.filter(node => node.wires.length);
        const ends = () => sources.filter(() => chance(0.4)).map(node => ({ id: node.id, port: below(node.wires.length) }))
            .concat(chance(0.2) ? [{ id: def.id, port: 0 }] : []);
        def.in = [{ x: 1, y: 1, wires: nodes.filter(() => chance(0.4)).map(node => ({ id: node.id })) }];
        def.out = Array.from({ length: 1 + below(2) }, () => ({ x: 1, y: 1, wires: ends() }));
        templates.push(def);
    }
    flow.push({ id: "m", type: "tab", label: "" });
    route(flow, "m", templates);
    return flow;
}

async function seeRoutes(nodes, ask, seen) {
    const record = {};
    for (const node of nodes.filter(node => node.z === "m" && node.type === "function")) {
        const events = await seen(node.id, {});
        const arrived = {};
        // The first one is what was sent in.
        for (const event of events.filter(event => event.event === "input").slice(1)) {
            (arrived[event.node] ||= []).push(event.msg.path || "");
        }
        record[node.id] = arrived;
    }
    return record;
}

async function seeScopes(nodes, ask, seen) {
    const types = new Map(nodes.map(node => [node.id, node.type]));
    const record = {};
    for (const node of nodes.filter(node => node.type === "function")) {
        const events = await seen(node.id, { go: true });
        // What a listener's own wires lead to would speak for itself: only the first round counts.
        const first = events.filter(event => event.event === "input").slice(1);
        const cut = first.findIndex(event => /^(function|subflow:.*)$/.test(types.get(event.node)));
        const heard = (cut < 0 ? first : first.slice(0, cut)).map(event => event.node);
        const warned = events.find(event => event.event === "log" && event.level === "warn" && event.node === node.id);
        record[node.id] = { heard, env: warned ? JSON.parse(warned.message) : null };
    }
    return record;
}

// ---- asking

async function main() {
    const server = spawn(command, { shell: true, stdio: ["pipe", "pipe", "inherit"] });
    const waiting = new Map();
    let events = [];
    readline.createInterface({ input: server.stdout }).on("line", line => {
        const said = JSON.parse(line);
        if (said.id === undefined) return events.push(said);
        waiting.get(said.id)?.(said);
        waiting.delete(said.id);
    });
    let next = 0;
    const ask = (op, fields = {}) => new Promise(resolve => {
        waiting.set(++next, resolve);
        server.stdin.write(JSON.stringify({ id: next, op, ...fields }) + "\n");
    });
    const seen = async (node, msg) => {
        await ask("settle");
        events = [];
        await ask("receive", { node, msg });
        await ask("settle");
        return events;
    };
    const recorded = [];
    await ask("watch", { nodes: "*", events: ["input", "log"] });
    for (let number = 0; number < count; number++) {
        const flow = what === "routes" ? makeRoutes() : makeFlow();
        const deployed = await ask("deploy", { flows: flow });
        if (!deployed.ok) throw new Error(JSON.stringify(deployed));
        const nodes = (await ask("nodes")).result;
        const record = await (what === "routes" ? seeRoutes : seeScopes)(nodes, ask, seen);
        for (const node of flow) delete node.func;
        recorded.push({ flow, seen: record });
    }
    server.stdin.end();
    process.stdout.write(JSON.stringify({ asked: ASKED, cases: recorded }));
}

main();
