// Records what Node.js 22 and Node-RED's RED.util do, for tests/recorded.rs. A line a case.
//
//   node record.js json COUNT SEED > json.jsonl        JSON.parse: the value written again, or the error's message
//   node record.js dates COUNT SEED > dates.jsonl      Date.parse in UTC; `local` when it depends on the time zone
//   node record.js numbers COUNT SEED > numbers.jsonl  Number(text), parseFloat, String, toFixed, toString(radix)
//   node record.js paths COUNT SEED NODE_RED > paths.jsonl
//                     RED.util's normalisePropertyExpression, getObjectProperty, setObjectProperty of NODE_RED/packages
"use strict";

const [what, count, seed, root] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5]];

// A small generator of numbers, so that a seed gives the same cases again.
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
const times = (n, f) => Array.from({ length: n }, f);

function attempt(f) {
    try {
        return { result: f() };
    } catch (error) {
        return { error: error.message, code: error.code };
    }
}

// A right text of JSON, most of the time spoilt in one or two places.
const PIECES = ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "\\ud83d", "-", "0", "1", ".", "e", "E+", "true", "nul", "x", " ", "\n", "\r\n", "é", "😀", "\u0001", "undefined"];
function someJson(depth) {
    const key = () => JSON.stringify(pick(["a", "b", "1", "", "é", "a b", "__proto__"]));
    const space = () => pick(["", "", "", " ", "\n", "\r\n", "\t", "\r"]);
    if (depth > 0 && chance(0.4)) return `[${times(below(4), () => space() + someJson(depth - 1) + space()).join(",")}]`;
    if (depth > 0 && chance(0.5)) return `{${times(below(4), () => space() + key() + space() + ":" + space() + someJson(depth - 1)).join(",")}}`;
    return pick(["1", "-0", "0.5", "1e3", "-12.5E-2", "123456789012345678901234567890", "true", "false", "null", "\"\"", "\"x\\n\\u00e9\"", "\"😀\"", "\"\\ud83d\\ude00\"", "\"a long text that goes on\""]);
}
function spoil(text) {
    const at = below(text.length + 1);
    return text.slice(0, at) + (chance(0.6) ? pick(PIECES) : "") + text.slice(at + below(3));
}
function json() {
    let text = someJson(3);
    for (let n = below(3); n > 0; n--) text = spoil(text);
    const said = attempt(() => JSON.stringify(JSON.parse(text)));
    // Strings are UTF-8 in vgdc: halves of pairs of units are another matter.
    return text.isWellFormed() && !/\\ud[89a-f]/.test(said.result) ? { text, ...said } : json();
}

const DATE_PIECES = ["2026", "26", "1", "02", "31", "12", "99", "1999", "20260102", "003", "-", "-", "/", ":", ":", ".", ",", " ", " ", "T", "Z", "z", "t", "+", "+01:00", "-0830", "+5", "GMT", "UTC", "PST", "edt", "am", "PM", "Jan", "february", "Mon", "Tuesday", "(x)", "(", ")", "at", "of", "st", "24:00", "03:04:05", "3:4", "03:04:05.678", "23:59:60", "é", ";", "1 Jan 2026", "2026-01-02", "2026-01-02T03:04", "+002026-01-02", "-000001-01-01"];
function someDate() {
    const two = () => String(below(62)).padStart(2, "0");
    const year = () => pick(["2026", "1970", "26", "99", "1", "12026", "275760"]);
    const day = () => pick([`${year()}-${two()}-${two()}`, `${two()}/${two()}/${year()}`, `${below(40)} ${pick(["Jan", "sept", "DECEMBER"])} ${year()}`, `${pick(["Mon", "Fri,", ""])} ${pick(["Feb", "May"])} ${two()} ${year()}`]);
    const time = () => pick(["", `T${two()}:${two()}`, ` ${two()}:${two()}`, `T${two()}:${two()}:${two()}.${below(10000)}`, ` ${below(24)}:${two()}:${two()} ${pick(["am", "PM", ""])}`]);
    const zone = () => pick(["", "", "Z", "+01:00", "-0330", " GMT+0200", " UTC", " EST", "+5", " (CET)"]);
    return chance(0.5) ? day() + time() + zone() : times(1 + below(7), () => pick(DATE_PIECES)).join(pick(["", " "]));
}
function date() {
    const text = someDate();
    const [utc, india] = ["UTC", "Asia/Kolkata"].map(zone => {
        process.env.TZ = zone;
        return Date.parse(text);
    });
    return { text, ms: Number.isNaN(utc) ? null : utc, local: !Object.is(utc, india) };
}

function someNumber() {
    const parts = new DataView(new ArrayBuffer(8));
    parts.setUint32(0, below(4294967296));
    parts.setUint32(4, below(4294967296));
    const any = parts.getFloat64(0);
    return pick([below(1e6), below(2000) / 8 - 100, below(1e9) / 1000, random(), random() * 1e21, (below(2000) - 1000) / 2, Number.isNaN(any) ? 1 : any, 2 ** below(80), Math.floor(random() * 2 ** 60), random() * 1e-7]);
}
function number() {
    const digits = ["0", "1", "9", ".", "e", "E", "+", "-", "x", "0x", "0b1", "0o7", "Infinity", "_", " ", "\u00a0", "f", "12", "5."];
    const text = times(below(5), () => pick(digits)).join("");
    const [n, places, radix] = [someNumber(), below(22), 2 + below(35)];
    return { text, number: String(Number(text)), float: String(parseFloat(text)), n: String(n), places, fixed: n.toFixed(places), radix, digits: n.toString(radix), int: n | 0 };
}

function paths() {
    const util = require(`${root}/packages/node_modules/@node-red/util/lib/util.js`);
    const tokens = ["a", "b", "c", "msg", "0", "1", "'b'", "\"c d\"", "[0]", "[1]", "['b']", "[\"c\"]", "[msg.k]", "[msg.n]", "[msg['a']]", "[msg.f]", "[msg.gone]", ".", ".", ".", "[", "]", " ", "$x", "_y", "-z", "é", "😀", "2x", "[msg.o[msg.k]]", "'", "\""];
    const messages = [
        {},
        { a: { b: { c: 1 }, "c d": [1, { b: 2 }] }, b: [0, { c: "x" }, null], k: "b", n: 1, f: true, o: { b: "c" } },
        { a: "text", b: 5, c: null, k: "a", n: 0, msg: { a: "b", k: "c" }, o: { a: "b" } },
        { a: [[1, 2], [], "s"], b: { 0: "zero", 1: { a: [] } }, c: true, k: "c", n: 2, f: { x: 1 } },
    ];
    return () => {
        const expression = chance(0.7)
            ? pick(["a", "b", "c", "'c d'"]) + times(below(4), () => pick([".a", ".b", ".0", ".1", "[0]", "[1]", "['b']", "[msg.k]", "[msg.n]", "[msg.f]", "[msg.o[msg.k]]", "[msg['a']]", "[\"c d\"]"])).join("")
            : times(1 + below(5), () => pick(tokens)).join("");
        const on = below(messages.length);
        const before = JSON.stringify(messages[on]);
        const copy = () => JSON.parse(before);
        const parts = attempt(() => util.normalisePropertyExpression(expression));
        if (parts.error) return { expression, parts };
        // (holes are written as null; a message that was not changed is left out)
        const set = (value, create) => {
            const to = copy();
            const done = attempt(() => util.setObjectProperty(to, expression, value, create));
            const after = JSON.stringify(to);
            return after === before ? done : { ...done, msg: after };
        };
        return {
            expression,
            on: before,
            parts,
            text: attempt(() => util.normalisePropertyExpression(expression, copy(), true)),
            get: attempt(() => JSON.stringify(util.getObjectProperty(copy(), expression))),
            set: set("new", true),
            keep: set("new", false),
            delete: set(undefined, false),
        };
    };
}

const make = { json, dates: date, numbers: number, paths: what === "paths" ? paths() : null }[what];
for (let n = 0; n < count; n++) process.stdout.write(JSON.stringify(make()) + "\n");
