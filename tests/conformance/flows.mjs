#!/usr/bin/env node
// Runs whole flow files on the real Node-RED and on vgdc, puts the same messages into both, and shows where they part.
//
//   node flows.mjs --node-red DIR --vgdc PROGRAM (FILES… | --folder DIR) [--odd] [--ends] [--redeploy] [--messages N] [--json FILE]
import fs from "node:fs";
import path from "node:path";
import { LIKELY, ODD } from "./lib/battery.mjs";
import { masked, nodeRed, short, vgdc } from "./lib/drive.mjs";
import { entrances, harmless, readFlow } from "./lib/harmless.mjs";

const VALUED = ["--node-red", "--vgdc", "--folder", "--messages", "--json", "--only", "--most"];
const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const has = name => process.argv.includes(name);
const dir = option("--node-red");
const given = process.argv.slice(2).filter((word, at, words) => !word.startsWith("--") && !VALUED.includes(words[at - 1]));
if (!dir || !(given.length || option("--folder"))) {
    console.error("usage: node flows.mjs --node-red DIR --vgdc PROGRAM (FILES… | --folder DIR) [--odd] [--ends] [--redeploy] [--messages N] [--only REGEX] [--json FILE]");
    process.exit(2);
}
/** Messages put into a flow, at most. */
const MOST = Number(option("--messages", 6000));
/** When both clocks begin. */
const START = "2026-03-04T05:06:07.000Z";
/** How long an answer may take, in ms. */
const PATIENCE = 20000;
/** After which times the clock is looked at again, when all messages are in. (Odd, so that no timer is due at the very end.) */
const LATER = [1003, 5011, 30013, 120017];
const battery = has("--odd") ? ODD : LIKELY;

/** All that is done to a flow: parts, each of steps; every step is `[OP, FIELDS, WHAT]`. */
function script(nodes) {
    const doors = entrances(nodes);
    const buttons = doors.filter(door => door.button);
    const fed = doors.filter(door => !door.button);
    const each = Math.max(1, Math.min(battery.length, Math.floor(MOST / Math.max(1, fed.length))));
    const parts = [[["clock.advance", { ms: 211 }, "the first 211 ms"]]];
    parts.push(buttons.map(({ button }) => ["button", { node: button }, `button ${button}`]));
    let number = 0;
    fed.forEach((door, at) => {
        const steps = [];
        for (let n = 0; n < each; n++) {
            // (where there is no time for all, each node gets others)
            const msg = { _msgid: `m${++number}`, ...battery[(n + (each < battery.length ? at * each : 0)) % battery.length] };
            if (door.receive) steps.push(["receive", { node: door.receive, msg }, `to ${door.receive}: ${JSON.stringify(msg)}`]);
            else steps.push(["send", { node: door.send, msg: [...Array(door.output).fill(null), msg] }, `from ${door.send}: ${JSON.stringify(msg)}`]);
        }
        steps.push(["clock.advance", { ms: 17 }, "17 ms later"]);
        parts.push(steps);
        if (has("--redeploy") && at === Math.floor(fed.length / 2)) parts.push("redeploy");
    });
    for (const ms of LATER) parts.push([["clock.advance", { ms }, `${ms} ms later`]]);
    return parts;
}

/** The same flow with a tab's worth of changes: what a user deploys who has moved a wire and edited a node. */
function changed(nodes) {
    const at = nodes.findIndex(node => node.type === "function");
    return nodes.map((node, n) => (n === at ? { ...node, func: `${node.func}\n` } : node));
}

const running = { prefix: "\0", places: [] };
const buttons = new Set();
const consoles = new Set();
const patience = (server, promise) => {
    const timer = setTimeout(() => server.kill(`no answer in ${PATIENCE / 1000} s`), PATIENCE);
    return promise.finally(() => clearTimeout(timer));
};

/** Does steps; for each, a map from nodes to what they did. */
async function play(server, steps) {
    const asked = [];
    steps.forEach(([op, fields], at) => {
        asked.push(server.ask(op, fields).catch(error => server.ended ? Promise.reject(error) : undefined));
        asked.push(server.ask("settle", {}, at));
    });
    let failure;
    await patience(server, Promise.all(asked)).catch(error => { failure = error.message; });
    const told = steps.map(() => new Map());
    let at = 0;
    for (const event of server.events.splice(0)) {
        if (event.mark !== undefined) at = event.mark + 1;
        else if (at < told.length) record(told[at], event);
    }
    return { told, failure, reached: at };
}

/** Whether a node is one of these, or stands for one of them in an instance of a subflow (`INSTANCE-ID`). */
const isOf = (ids, id) => {
    for (let at = 0; ; at++) {
        if (ids.has(id.slice(at))) return true;
        at = id.indexOf("-", at);
        if (at < 0) return false;
    }
};

function record(of, event) {
    if (!event.node || event.event === "lifecycle") return;
    if (event.event === "log" && !["warn", "info"].includes(event.level)) return;
    // (a pressed button is no message that came)
    if (event.event === "input" && isOf(buttons, event.node)) return;
    // (what it writes on the console is the process's)
    if (event.event === "log" && isOf(consoles, event.node)) return;
    const line = JSON.stringify(told(event));
    // (some nodes of Node-RED handle messages later: what comes to a node and what it does are two accounts)
    const account = event.event === "input" ? `${event.node} in` : event.node;
    if (!of.has(account)) of.set(account, []);
    of.get(account).push(line);
}

/** A message or value in the form that is compared; a copy of a message has `req` and `res` at its end (docs/differences.md). */
function compared(value) {
    const whole = masked(value, running);
    if (whole === null || typeof whole !== "object" || Array.isArray(whole)) return whole;
    const { req, res, ...others } = whole;
    return { ...others, ...(req === undefined ? {} : { req }), ...(res === undefined ? {} : { res }) };
}

/** An event in short, messages with the place of their id. */
function told(event) {
    switch (event.event) {
        case "input": return ["in", compared(event.msg)];
        // (what has no id gets one when it is sent: Node-RED tells of it before)
        case "send": return [event.output + 1, compared(Object.hasOwn(event.msg, "_msgid") ? event.msg : { ...event.msg, _msgid: "#" })];
        case "debug": return short({ ...event, value: compared(event.value) }, running, -1);
        default: return short(event, running, -1);
    }
}

async function begin(kind, nodes) {
    nodes.filter(node => node.type === "inject").forEach(node => buttons.add(node.id));
    nodes.filter(node => /\bconsole\./.test(node.func)).forEach(node => consoles.add(node.id));
    const server = kind.start({}, {}, START);
    // (with `ends`, nothing between the nodes is watched, so that what vgdc joins into one stays joined)
    const between = has("--ends") ? [] : ["input", "send", "done"];
    await server.ask("watch", { nodes: "*", events: [...between, "error", "status", "log", "debug"] });
    if (has("--ends")) await server.ask("watch", { nodes: nodes.filter(node => node.type === "helper").map(node => node.id), events: ["input"] });
    return server;
}

async function deploy(server, nodes, type) {
    let refused;
    await patience(server, server.ask("deploy", { flows: nodes, type })).catch(error => { refused = error.message; });
    if (refused) return { refused, told: [new Map()] };
    return play(server, [["settle", {}, "deployed"]]);
}

/** What contexts hold, as a map from scopes and keys. */
async function contexts(server, nodes) {
    const held = new Map();
    const ids = nodes.filter(node => node.type === "tab").map(node => `flow:${node.id}`);
    for (const scope of ["global", ...ids]) {
        const keys = await server.ask("context.keys", { scope }).catch(() => []);
        for (const key of [...keys].sort()) {
            const value = await server.ask("context.get", { scope, key: /^[\w$]+$/.test(key) ? key : `["${key}"]` }).catch(error => error.message);
            held.set(`${scope} ${key}`, [JSON.stringify(short({ event: "status", status: value }, running, -1)[1])]);
        }
    }
    return held;
}

/** Texts of JavaScript's own errors in which the engines' words differ, or V8 tells of a value (docs/differences.md). */
const WORDS = new RegExp([
    "Cannot destructure property '[^']*' of '[^']*' as it is (?:undefined|null)\\.",
    "Cannot convert undefined or null to object",
    "Cannot read properties of (?:undefined|null) \\(reading '[^']*'\\)",
    "[^\":]{1,80} is not iterable(?: \\(cannot read property [\\w.()]+\\))?",
    "Spread syntax requires \\.\\.\\.iterable\\[Symbol\\.iterator\\] to be a function",
    "Cannot use 'in' operator to search for '[^']*' in [^\"]*",
    "invalid 'in' operand", "Iterator value [^\"]* is not an entry object", "not an object",
    "[\\w.()]+ is not a function or its return value is not iterable", "[\\w.()]+ is not a function", "not a function", ", col \\d+\\)",
].join("|"), "g");
const alike = (one, other) => one === other
    || (one !== undefined && other !== undefined && one.replace(WORDS, "…") === other.replace(WORDS, "…"));

/** Times of day, as languages write them. */
const TIMES = /\d{1,2}:\d\d(?::\d\d)?(?:[\s\u00a0\u202f]?[ap]\.?[\s\u00a0]?m\.?)?/gi;
/** Rows of docs/differences.md, and what they look like. */
const KNOWN = [
    ["An array's own properties", ({ got }) => /keeps no properties/.test(got)],
    ["A **function** node outside of any flow", ({ wanted }, node) => node?.type === "function" && !node.z && /Cannot read properties of undefined \(reading '(?:get|set|keys)'\)/.test(wanted)],
    ["What a **function** sends at once in its *On Start*", ({ step, input, wanted }) => step === 0 && input && wanted === undefined],
    ["`toLocaleString` and `Intl` in languages", ({ wanted, got }) => wanted !== undefined && got !== undefined && wanted.replace(TIMES, "") === got.replace(TIMES, "")],
    ["Look-around and back-references in JSONata", ({ got }) => /look-around|backreferences/.test(got)],
];

/** Where two accounts of a step differ. */
function parted(step, what, one, other) {
    return [...new Set([...one.keys(), ...other.keys()])].flatMap(node => {
        const [wanted, got] = [one.get(node) ?? [], other.get(node) ?? []];
        const at = Array.from({ length: Math.max(wanted.length, got.length) }).findIndex((_, n) => !alike(wanted[n], got[n]));
        return at < 0 ? [] : [{ step, what, node: node.replace(/ in$/, ""), wanted: wanted[at], got: got[at], input: isInput(wanted[at]) || isInput(got[at]) }];
    });
}
// (a node that gets something else is not at fault)
const isInput = line => line !== undefined && line.startsWith("[\"in\"");

/** Plays a flow on two servers; the differences of the first steps that have any. */
async function hold(nodes, kinds, most = Number(option("--most", 6))) {
    const [one, other] = await Promise.all(kinds.map(kind => begin(kind, nodes)));
    const found = [];
    let steps = 0;
    try {
        const started = await Promise.all([deploy(one, nodes, "full"), deploy(other, nodes, "full")]);
        if (started[0].refused) return { skipped: `Node-RED: ${started[0].refused}` };
        if (started[1].refused) return { found: [{ step: 0, what: "deploy", node: "", wanted: "deployed", got: started[1].refused }], steps };
        found.push(...parted(0, "deploy", started[0].told[0], started[1].told[0]));
        for (const part of script(nodes)) {
            if (part === "redeploy") {
                for (const type of ["nodes", "flows"]) {
                    const again = await Promise.all([deploy(one, changed(nodes), type), deploy(other, changed(nodes), type)]);
                    found.push(...parted(steps, `redeploy ${type}`, again[0].told[0], again[1].told[0]));
                }
                continue;
            }
            const [wanted, got] = await Promise.all([play(one, part), play(other, part)]);
            for (let at = 0; at < Math.min(wanted.reached, got.reached); at++) found.push(...parted(++steps, part[at][2], wanted.told[at], got.told[at]));
            if (wanted.failure && got.failure) return { found, steps, ended: wanted.failure };
            if (wanted.failure) return { found, steps, ended: `Node-RED: ${wanted.failure}` };
            if (got.failure) {
                found.push({ step: steps, what: part[Math.min(got.reached, part.length - 1)]?.[2], node: "", wanted: "an answer", got: got.failure });
                return { found, steps };
            }
            if (found.length && new Set(found.map(one => one.step)).size > most) return { found, steps, ended: "enough" };
        }
        const [wanted, got] = await Promise.all([contexts(one, nodes), contexts(other, nodes)]);
        found.push(...parted(steps + 1, "contexts", wanted, got));
        return { found, steps };
    } finally {
        await Promise.all([one.end(), other.end()]);
    }
}

function filesOf(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
        const whole = path.join(folder, entry.name);
        if (entry.isDirectory()) return filesOf(whole);
        return /\.json$/.test(entry.name) ? [whole] : [];
    }).sort();
}

const kinds = [nodeRed(dir), vgdc(option("--vgdc", "vgdc"))];
const only = new RegExp(option("--only", ""));
const files = [...given, ...(option("--folder") ? filesOf(option("--folder")) : [])].filter(file => only.test(file));
const cut = (text, from = 0) => {
    if (text === undefined) return "nothing";
    return text.length < 400 ? text : `${from > 0 ? "…" : ""}${text.slice(from, from + 400)}…`;
};
/** Both of a difference, from shortly before they part. */
const both = ({ wanted, got }) => {
    let at = 0;
    while (wanted && got && at < wanted.length && wanted[at] === got[at]) at++;
    return [wanted, got].map(text => cut(text, Math.max(0, at - 100)));
};
const table = new Map();
const counts = { same: 0, differs: 0, skipped: 0, messages: 0 };
const all = [];
for (const file of files) {
    let nodes, result;
    try {
        nodes = harmless(readFlow(file));
        if (!entrances(nodes).length) throw new Error("has nothing to put messages into");
        result = await hold(nodes, kinds);
    } catch (error) {
        result = { skipped: error.message };
    }
    if (result.skipped) {
        counts.skipped++;
        console.log(`${file}: skipped: ${result.skipped}`);
        continue;
    }
    counts.messages += result.steps;
    if (result.found.length) {
        // (what Node-RED itself does otherwise the second time is not compared)
        const twice = await hold(nodes, [kinds[0], kinds[0]], Infinity);
        const unsteady = new Map();
        for (const { node, step } of twice.found ?? []) unsteady.set(node, Math.min(step, unsteady.get(node) ?? Infinity));
        const steady = ({ node, step }) => !(unsteady.get(node) <= step);
        result.found = result.found.filter(steady);
        if (!result.found.length && result.ended === "enough") {
            result = await hold(nodes, kinds, Infinity);
            result.found = result.found.filter(steady);
        }
    }
    const type = id => id === "" ? "flow" : nodes.find(node => node.id === id || id.endsWith(`-${node.id}`))?.type ?? "context";
    const node = id => nodes.find(node => node.id === id || id.endsWith(`-${node.id}`));
    for (const one of result.found) one.row = KNOWN.find(([, is]) => is(one, node(one.node)))?.[0];
    // (a node that got something else once is not at fault from then on)
    const misled = new Map();
    for (const { input, node, step } of result.found) if (input) misled.set(node, Math.min(step, misled.get(node) ?? Infinity));
    const own = result.found.filter(one => !one.input && !one.row && !(misled.get(one.node) <= one.step));
    const rows = new Set(result.found.flatMap(one => one.row ?? []));
    if (!result.found.length || (rows.size && !own.length)) {
        counts.same++;
        console.log(`${file}: same${rows.size ? ` but for ${[...rows].join(", ")}` : ""} (${nodes.length} nodes, ${result.steps} steps${result.ended ? `; ended early: ${result.ended}` : ""})`);
        continue;
    }
    counts.differs++;
    console.log(`${file}: differs`);
    const seen = new Set();
    for (const one of own.length ? own : result.found.slice(0, 1)) {
        const key = `${type(one.node)}: ${cause(one)}`;
        all.push({ file, type: type(one.node), ...one });
        if (seen.has(key) || seen.size > 4) continue;
        seen.add(key);
        table.set(key, (table.get(key) ?? 0) + 1);
        console.log(`    ${type(one.node)} ${one.node}, step ${one.step} (${cut(one.what)})\n      Node-RED ${both(one)[0]}\n      vgdc     ${both(one)[1]}`);
    }
}
/** A difference without its particulars. */
function cause({ wanted, got }) {
    const kind = line => (line === undefined ? "nothing" : /^\["?([\w ]+)/.exec(line)?.[1] ?? line.slice(0, 30));
    const [a, b] = [kind(wanted), kind(got)];
    return a === b ? `another ${/^\d/.test(a) ? "message" : a}` : `${/^\d/.test(a) ? "send" : a} / ${/^\d/.test(b) ? "send" : b}`;
}
console.log("\nNode-RED / vgdc, in how many flows:");
for (const [key, count] of [...table].sort((a, b) => b[1] - a[1])) console.log(`  ${String(count).padStart(4)}  ${key}`);
console.log(`${counts.same} same, ${counts.differs} differ, ${counts.skipped} skipped; ${counts.messages} steps`);
if (option("--json")) fs.writeFileSync(option("--json"), JSON.stringify(all, null, 1));
process.exitCode = counts.differs ? 1 : 0;
