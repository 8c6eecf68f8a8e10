// change: each rule with each type of value; paths; what follows what; copies.
import { buffer, date, KINDS, MINUS0, NAN, undef } from "./_values.mjs";

const cases = [];
const add = (name, rules, msgs, more = {}) => cases.push({ name, node: { type: "change", rules }, ...more, msgs });
/** Values are shared in JavaScript: what is done to one is seen in the other. */
const shared = { differs: "An object under several names" };
const set = (p, to, tot, more = {}) => ({ t: "set", p, pt: "msg", to, tot, ...more });
const base = { payload: { a: 1, b: [1, 2, { c: "x" }], "d e": true }, topic: "t" };

// Set: types of values.
const values = [["text", "str"], ["", "str"], ["42", "num"], ["0x1F", "num"], ["1e3", "num"], [" 5 ", "num"], ["x", "num"], ["", "num"], ["-0", "num"], ["true", "bool"], ["false", "bool"], ["yes", "bool"],
    ["{\"z\":1,\"a\":[null]}", "json"], ["[1,2]", "json"], ["3", "json"], ["null", "json"], ["{", "json"], ["", "json"], ["[104,105]", "bin"], ["\"hi\"", "bin"], ["[300,-1]", "bin"], ["x", "bin"],
    ["topic", "msg"], ["payload.b", "msg"], ["payload.b[2].c", "msg"], ["nothing", "msg"], ["", "msg"], ["payload[", "msg"], ["payload[msg.topic]", "msg"],
    ["payload.a + 1", "jsonata"], ["$uppercase(topic)", "jsonata"], ["nothing", "jsonata"], ["{\"k\": payload.a}", "jsonata"], ["payload +", "jsonata"], ["$error('bad')", "jsonata"], ["payload.b.c", "jsonata"], ["[payload.a]", "jsonata"],
    ["$env('CASE_SET')", "jsonata"], ["CASE_SET", "env"], ["NOT_SET", "env"], ["${CASE_SET}/x", "env"], ["CASE_NUM", "env"], ["$parent.CASE_SET", "env"], ["^a+$", "re"], ["x", "strange"], ["", "date"], ["iso", "date"], ["object", "date"]];
for (const [to, tot] of values) {
    add(`set to ${tot} ${to}`, [set("payload", to, tot)], [base, { topic: "only" }, { payload: null, topic: null }], { env: { CASE_SET: "house", CASE_NUM: "7" } });
}
// Set: where.
for (const p of ["payload", "payload.a", "payload.b[0]", "payload.b[5]", "payload.b[2].c", "payload.new.deep.er", "payload['d e']", "payload[\"x y\"].z", "new", "new[2]", "new[0].a", "topic.x", "payload[msg.topic]",
    "payload.b.length", "payload.b[-1]", "a b", "", "payload.", "payload..a", "payload[]", "payload[0", "1", "payload.1", "_msgid", "payload.b['0']"]) {
    add(`set ${p || "what has no name"}`, [set(p, "new", "str")], [base, { payload: "text" }, { payload: 5 }, { payload: null }, { payload: [1] }, {}]);
}
for (const p of ["payload.b", "payload.new", "payload.b[0]", "topic", "new.deep"]) {
    add(`set ${p} to what is not there`, [set(p, "nothing.at.all", "msg")], [base, { payload: [] }]);
    add(`set ${p} to JSONata's nothing`, [set(p, "nothing", "jsonata")], [base]);
}
// Copies.
add("a copy is another", [set("copy", "payload", "msg"), set("copy.a", "2", "num")], [base, { payload: [1] }, { payload: buffer("ab") }], shared);
add("a deep copy is another", [set("copy", "payload", "msg", { dc: true }), set("copy.b[0]", "9", "num"), set("payload.b[1]", "8", "num")], [base]);
add("the message into itself", [set("payload.whole", "payload", "msg", { dc: true })], [base]);
add("JSON values are new each time", [set("payload", "{\"n\":[1]}", "json"), set("payload.n[1]", "2", "num")], [{ payload: 1 }, { payload: 2 }]);

// Change: what is looked for, and what comes in its place.
const texts = ["abcabc", "", "a.c", "A", 42, 421, "42", true, "true", false, null, undef, [1], { a: 1 }, buffer("abc"), NAN, MINUS0, date("2020-01-01T00:00:00.000Z"), "äöa"];
const searches = [["a", "str"], ["abcabc", "str"], [".", "str"], ["", "str"], ["42", "str"], ["42", "num"], ["4", "num"], ["x", "num"], ["true", "bool"], ["false", "bool"], ["a", "re"], ["(b)(c)", "re"], ["[", "re"], ["^", "re"], ["", "re"], ["4", "re"],
    ["needle", "msg"], ["CASE_FROM", "env"], ["$", "str"], ["{\"a\":1}", "json"], ["'b'", "jsonata"]];
for (const [from, fromt] of searches) {
    for (const [to, tot] of [["X", "str"], ["7", "num"], ["true", "bool"], ["$1$&-$$", "str"], ["", "str"]]) {
        add(`change ${fromt} ${from} to ${tot} ${to}`, [{ t: "change", p: "payload", pt: "msg", from, fromt, to, tot }], texts.map(payload => ({ payload, needle: "b" })), { env: { CASE_FROM: "c" } });
    }
}
for (const [to, tot] of [["needle", "msg"], ["nothing", "msg"], ["[1]", "json"], ["{\"a\":1}", "json"], ["[1]", "bin"], ["needle & '!'", "jsonata"], ["CASE_FROM", "env"], ["nothing", "jsonata"], ["payload +", "jsonata"], ["", "date"]]) {
    if (tot !== "date") add(`change text to ${tot} ${to}`, [{ t: "change", p: "payload", pt: "msg", from: "b", fromt: "str", to, tot }], ["b", "abc", 5, null].map(payload => ({ payload, needle: "N" })), { env: { CASE_FROM: "c" } });
}
for (const needle of ["a", 4, true, null, undef, [1], { a: 1 }, "", "[", { $type: "regexp", source: "b.", flags: "" }]) {
    add(`change what a message says: ${JSON.stringify(needle)}`, [{ t: "change", p: "payload", pt: "msg", from: "needle", fromt: "msg", to: "X", tot: "str" }], ["abca", "4", 4, 14, true, "true", null, [1], ""].map(payload => ({ payload, needle })));
}
add("change a property that is missing", [{ t: "change", p: "nothing.here", pt: "msg", from: "a", fromt: "str", to: "b", tot: "str" }], [base, {}]);
add("change in a path", [{ t: "change", p: "payload.b[2].c", pt: "msg", from: "x", fromt: "str", to: "y", tot: "str" }], [base, { payload: {} }]);

// Delete and move.
for (const p of ["payload", "payload.a", "payload.b[0]", "payload.b[9]", "payload.b[2].c", "nothing", "nothing.at.all", "topic.x", "payload['d e']", "", "payload[", "_msgid", "payload.b.length"]) {
    add(`delete ${p || "what has no name"}`, [{ t: "delete", p, pt: "msg" }], [base, { payload: "text" }, { payload: null }]);
    add(`move ${p || "what has no name"}`, [{ t: "move", p, pt: "msg", to: "moved.to", tot: "msg" }], [base, { payload: "text" }, { payload: null }]);
}
for (const to of ["payload", "payload.b", "payload.a.x", "topic", "topic.x", "", "payload[", "new[1]", "payload.b[1]", "new"]) {
    add(`move to ${to || "nothing"}`, [{ t: "move", p: "payload.b", pt: "msg", to, tot: "msg" }], [base, { payload: { b: "x" } }]);
    add(`move the payload to ${to || "nothing"}`, [{ t: "move", p: "payload", pt: "msg", to, tot: "msg" }], [base, { payload: 5, topic: { x: 1 } }]);
}
// Contexts.
for (const scope of ["flow", "global"]) {
    const where = scope === "flow" ? "flow:t" : "global";
    const key = `change${scope}`;
    const get = name => ({ $get: [where, name] });
    for (const [at, tail] of ["", ".a.b", ".list[1]", "['x y']"].entries()) {
        const [own, read, gone] = ["A", "B", "C"].map(name => `change${scope}${at}${name}`);
        add(`set ${scope} key${tail}`, [{ t: "set", p: own + tail, pt: scope, to: "payload", tot: "msg" }], [{ payload: 1 }, get(own), { payload: { q: [1] } }, get(own), { payload: undef }, get(own)]);
        add(`from ${scope} key${tail}`, [{ t: "set", p: "payload", pt: "msg", to: read + tail, tot: scope }], [{ payload: 1 }, { $set: [where, read, { a: { b: 5 }, list: [1, { z: 1 }], "x y": null }] }, { payload: 2 }]);
        add(`delete ${scope} key${tail}`, [{ t: "delete", p: gone + tail, pt: scope }], [{ $set: [where, gone, { a: { b: 5 }, list: [1, 2] }] }, { payload: 2 }, get(gone)]);
    }
    add(`move within ${scope}`, [{ t: "move", p: `${key}M.a`, pt: scope, to: `${key}M.b`, tot: scope }], [{ $set: [where, `${key}M`, { a: [1] }] }, { payload: 2 }, get(`${key}M`)]);
    add(`move from the message to ${scope}`, [{ t: "move", p: "payload", pt: "msg", to: `${key}N`, tot: scope }], [{ payload: { a: 1 } }, get(`${key}N`), {}, get(`${key}N`)]);
    add(`move from ${scope} to the message`, [{ t: "move", p: `${key}O.x`, pt: scope, to: "payload.y", tot: "msg" }], [{ $set: [where, `${key}O`, { x: [1] }] }, { payload: {} }, get(`${key}O`), { payload: 2 }]);
    add(`change ${scope}`, [{ t: "change", p: `${key}P`, pt: scope, from: "a", fromt: "str", to: "b", tot: "str" }], [{ payload: 1 }, get(`${key}P`), { $set: [where, `${key}P`, "banana"] }, { payload: 2 }, get(`${key}P`)]);
    add(`what ${scope} gives is no part of it`, [{ t: "set", p: "payload", pt: "msg", to: `${key}Q`, tot: scope }, set("payload.a", "2", "num")], [{ $set: [where, `${key}Q`, { a: 1 }] }, { payload: 2 }, get(`${key}Q`)], shared);
    add(`what is put into ${scope} is no part of the message`, [{ t: "set", p: `${key}R`, pt: scope, to: "payload", tot: "msg", dc: true }, set("payload.a", "2", "num")], [{ payload: { a: 1 } }, get(`${key}R`)]);
    add(`JSONata reads ${scope}`, [set("payload", `$${scope}Context('${key}S').a`, "jsonata")], [{ payload: 1 }, { $set: [where, `${key}S`, { a: [1, 2] }] }, { payload: 2 }]);
}
// Several rules, and legacy ones.
add("rules follow each other", [set("a", "1", "num"), set("b", "a", "msg"), { t: "delete", p: "a", pt: "msg" }, { t: "move", p: "b", pt: "msg", to: "payload.c", tot: "msg" }], [base, {}]);
add("a rule that fails ends it", [set("a", "1", "num"), set("payload", "$error('x')", "jsonata"), set("b", "2", "num")], [base]);
add("swap", [set("temp", "payload", "msg"), set("payload", "topic", "msg"), set("topic", "temp", "msg"), { t: "delete", p: "temp", pt: "msg" }], [base]);
add("no rules", [], [base]);
add("a strange rule", [{ t: "strange", p: "payload", pt: "msg" }, set("x", "1", "num")], [base]);
for (const to of ["msg.topic", "flow.x", "text", "global.x", ""]) {
    add(`set without types to ${to || "nothing"}`, [{ t: "set", p: "payload", to }], [base]);
    add(`change without types to ${to || "nothing"}`, [{ t: "change", p: "topic", from: "t", to }], [base]);
}
add("change with the old flag for expressions", [{ t: "change", p: "topic", from: "[st]", re: true, to: "x" }], [base]);
for (const node of [{ action: "replace", property: "payload", from: "", to: "new", reg: false }, { action: "change", property: "topic", from: "t", to: "u", reg: false }, { action: "change", property: "topic", from: "[t]", to: "u", reg: true },
    { action: "delete", property: "topic", from: "", to: "", reg: false }, { action: "replace", property: "payload", to: "msg.topic" }]) {
    cases.push({ name: `of old flows: ${JSON.stringify(node)}`, node: { type: "change", ...node }, msgs: [base] });
}
for (const [kind, payload] of Object.entries(KINDS)) add(`passes on ${kind}`, [set("copy", "payload", "msg", { dc: true }), set("text", "$string(payload)", "jsonata")], [{ payload }]);
export default cases;
