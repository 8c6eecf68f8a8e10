// switch: each operator with values of each kind and constants of each type; how rules follow each other; sequences.
import { buffer, date, KINDS, MINUS0, NAN, undef } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs, more = {}) => cases.push({
    name, node: { type: "switch", property: "payload", propertyType: "msg", checkall: "true", repair: false, ...node },
    outputs: node.rules.length, ...more, msgs,
});
const payloads = values => values.map(payload => ({ payload }));

const kinds = [...Object.values(KINDS), -1, 41.999, "41", "ABC", "abcd", [1], "0", "null", "undefined", "true", "Infinity", { a: 1 }];

// Each operator against a text, a number, and what looks like one.
for (const t of ["eq", "neq", "lt", "lte", "gt", "gte", "cont", "hask"]) {
    for (const [v, vt] of [["abc", "str"], ["42", "str"], ["42", "num"], ["", "str"], ["a", "str"], ["0", "num"], ["length", "str"], ["true", "str"]]) {
        add(`${t} ${vt} ${JSON.stringify(v)}`, { rules: [{ t, v, vt }] }, payloads(kinds));
    }
    for (const [v, vt] of [["other", "msg"], ["payload", "msg"], ["", "prev"]]) {
        add(`${t} ${vt} ${v}`, { rules: [{ t, v, vt }] }, [
            { payload: 5, other: 5 }, { payload: 5, other: "5" }, { payload: "b", other: "a" }, { payload: 7, other: 8 }, { payload: "7" },
            { payload: null, other: null }, { payload: undef, other: undef }, { payload: "a", other: undef }, { payload: { a: 1 }, other: { a: 1 } },
            { payload: { a: 1 }, other: "a" }, { payload: [1], other: 1 }, { payload: "1", other: [1] }, { other: 3 },
        ]);
    }
}
for (const [v, v2] of [["3", "5"], ["5", "3"], ["", ""], ["a", "c"], ["3", "3"], ["-1", "1e1"]]) {
    for (const [vt, v2t] of [["num", "num"], ["str", "str"], ["str", "num"]]) {
        if (vt !== "num" || !Number.isNaN(Number(v))) {
            add(`btwn ${vt} ${v} and ${v2t} ${v2}`, { rules: [{ t: "btwn", v, vt, v2, v2t }] }, payloads([...kinds, 3, 4, 5, "3", "4", "5", "b", "10"]));
        }
    }
}
add("btwn of messages' properties", { rules: [{ t: "btwn", v: "low", vt: "msg", v2: "high", v2t: "msg" }] },
    [{ payload: 4, low: 3, high: 5 }, { payload: 4, low: 5, high: 3 }, { payload: 4, low: "3" }, { payload: "4", low: "10", high: "5" }, { payload: 4 }]);
add("btwn and the value before", { rules: [{ t: "btwn", v: "", vt: "prev", v2: "10", v2t: "num" }] }, payloads([5, 6, 4, 11, 10, 3]));
for (const t of ["true", "false", "null", "nnull", "empty", "nempty", "else"]) add(t, { rules: [{ t }] }, payloads(kinds));
for (const vt of ["string", "number", "boolean", "array", "buffer", "object", "json", "undefined", "null", "strange", ""]) {
    add(`istype ${vt || "nothing"}`, { rules: [{ t: "istype", v: vt, vt }] }, payloads([...kinds, "[1]", "1", "{", "\"a\""]));
}
for (const [v, flag] of [["abc", false], ["ABC", true], ["ABC", false], ["^a.c$", false], ["", false], ["\\d+", false], ["b|4", true], ["[", false], ["ä", true], ["^$", false], ["(?<x>a)", false]]) {
    add(`regex ${v || "of nothing"}${flag ? " any case" : ""}`, { rules: [{ t: "regex", v, vt: "str", case: flag }] }, payloads(kinds));
}
add("regex from a message", { rules: [{ t: "regex", v: "pattern", vt: "msg", case: false }] }, [{ payload: "abc", pattern: "b" }, { payload: "abc", pattern: "x" }, { payload: "abc" }, { payload: 5, pattern: 5 }]);

// Constants of each type.
const own = [["true", "bool"], ["{\"a\":1}", "json"], ["[1,2]", "json"], ["1", "json"], ["$string(payload)", "jsonata"], ["1+1", "jsonata"], ["$uppercase('a')", "jsonata"],
    ["[104,105]", "bin"], ["a+", "re"], ["HOME_OF_CASES", "env"], ["NOT_THERE", "env"], ["x", "strange"], ["0x2a", "num"], ["", "num"], ["4e1", "num"], ["abc", "num"]];
for (const t of ["eq", "neq", "lt", "gte", "cont"]) {
    for (const [v, vt] of own) add(`${t} ${vt} ${v}`, { rules: [{ t, v, vt }] }, payloads([...kinds, 2, "A", true, [1, 2], "house"]), { env: { HOME_OF_CASES: "house" } });
}

// Properties of each type.
const whole = { payload: { a: [1, { b: "x" }], "c d": 2, n: null }, topic: "t", n: 3 };
for (const property of ["topic", "payload.a", "payload.a[0]", "payload.a[1].b", "payload['c d']", "payload[msg.topic]", "payload.a.length", "nothing", "nothing.at.all",
    "payload.n.x", "", "payload.", "a b", "payload[", "topic.length", "payload.a[1][\"b\"]"]) {
    add(`property msg.${property}`, { property, rules: [{ t: "eq", v: "t", vt: "str" }, { t: "eq", v: "1", vt: "num" }, { t: "eq", v: "x", vt: "str" }, { t: "null" }, { t: "nnull" }, { t: "else" }] }, [whole, { payload: 1 }, { payload: null }]);
}
for (const property of ["payload * 2", "$sum(payload)", "payload.a", "payload[0]", "(", "$error('no')", "$undefined", "payload & 'x'", "msg", "$exists(payload)", "null", "topic = 't'", "payload ~> $string"]) {
    add(`property jsonata ${property}`, { property, propertyType: "jsonata", rules: [{ t: "eq", v: "4", vt: "num" }, { t: "true" }, { t: "null" }, { t: "istype", v: "array", vt: "array" }, { t: "else" }] },
        [{ payload: 2 }, { payload: [1, 3] }, { payload: { a: true } }, { payload: "4", topic: "t" }, { payload: null }], property === "(" ? { differs: "The text of some of JSONata's errors of syntax" } : {});
}
add("property env", { property: "CASE_ENV", propertyType: "env", rules: [{ t: "eq", v: "house", vt: "str" }, { t: "else" }] }, payloads([1]), { env: { CASE_ENV: "house" } });
for (const scope of ["flow", "global"]) {
    add(`property of ${scope} context`, { property: "switchCase.a", propertyType: scope, rules: [{ t: "eq", v: "5", vt: "num" }, { t: "eq", v: "switchOther", vt: scope }, { t: "else" }] },
        [{ payload: 1 }, { $set: [scope === "flow" ? "flow:t" : scope, "switchCase", { a: 5 }] }, { payload: 2 }, { $set: [scope === "flow" ? "flow:t" : scope, "switchOther", 5] }, { payload: 3 }]);
}

// How rules follow each other.
const several = [{ t: "gt", v: "1", vt: "num" }, { t: "gt", v: "2", vt: "num" }, { t: "else" }, { t: "eq", v: "3", vt: "num" }, { t: "else" }];
for (const checkall of ["true", "false", true, false, undefined, ""]) add(`checkall ${JSON.stringify(checkall)}`, { checkall, rules: several }, payloads([0, 2, 3, "4", null]));
add("no rules", { rules: [] }, payloads([1]), { outputs: 1 });
add("rules that are missing parts", { rules: [{}, { t: "eq" }, { t: "eq", v: "1" }, { t: "strange", v: "1", vt: "num" }] }, payloads([1, "1", undef, ""]));
add("rules without types", { rules: [{ t: "eq", v: "5" }, { t: "lt", v: "5" }, { t: "btwn", v: "1", v2: "9" }, { t: "cont", v: "5" }, { t: "regex", v: "5" }] }, payloads([5, "5", 15, "a", null]));
add("the value before", { rules: [{ t: "eq", vt: "prev" }, { t: "neq", v: "", vt: "prev" }, { t: "gt", vt: "prev" }] }, payloads([1, 1, "1", 2, null, undef, undef, { a: 1 }, { a: 1 }, NAN, NAN, 0, MINUS0]));
add("the value before of several rules, where the first ends it", { checkall: "false", rules: [{ t: "lt", vt: "prev" }, { t: "gte", vt: "prev" }] }, payloads([5, 3, 3, 9, "x"]));
add("JSONata in rules", { rules: [{ t: "jsonata_exp", v: "payload > 2", vt: "jsonata" }, { t: "jsonata_exp", v: "$contains(topic, 'a')", vt: "jsonata" }, { t: "jsonata_exp", v: "payload", vt: "jsonata" }] },
    [{ payload: 3, topic: "abc" }, { payload: 1, topic: "b" }, { payload: 0, topic: "a" }, { payload: true }, { payload: "true", topic: 5 }, { payload: null }]);
add("JSONata that does not parse", { rules: [{ t: "jsonata_exp", v: "payload >", vt: "jsonata" }] }, payloads([1]));
add("a rule of JSONata that fails, then others", { rules: [{ t: "eq", v: "$error('x')", vt: "jsonata" }, { t: "else" }] }, payloads([1]));

// Rules of sequences.
const seq = (count, extra = {}) => Array.from({ length: count }, (_, index) => ({ payload: `p${index}`, parts: { id: "q", index, count, type: "array", ...extra } }));
for (const [name, rule] of [["head 2", { t: "head", v: "2", vt: "num" }], ["head 0", { t: "head", v: "0", vt: "num" }], ["tail 2", { t: "tail", v: "2", vt: "num" }], ["tail 0", { t: "tail", v: "0", vt: "num" }],
    ["index 1 to 2", { t: "index", v: "1", vt: "num", v2: "2", v2t: "num" }], ["index 2 to 1", { t: "index", v: "2", vt: "num", v2: "1", v2t: "num" }], ["index of texts", { t: "index", v: "1", vt: "str", v2: "1", v2t: "str" }]]) {
    for (const repair of [false, true]) {
        add(`${name}${repair ? ", repaired" : ""}`, { repair, rules: [rule, { t: "else" }] }, [...seq(4), { payload: "without parts" }]);
        add(`${name}${repair ? ", repaired" : ""}, out of order`, { repair, rules: [rule, { t: "else" }] }, [3, 0, 2, 1].map(at => seq(4)[at]));
    }
}
add("JSONata with $I and $N", { rules: [{ t: "jsonata_exp", v: "$I > 0", vt: "jsonata" }, { t: "jsonata_exp", v: "$N = 3", vt: "jsonata" }] }, seq(3));
add("JSONata with $I and $N behind a sequence", { rules: [{ t: "jsonata_exp", v: "$I > 0", vt: "jsonata" }, { t: "jsonata_exp", v: "$N = 3", vt: "jsonata" }] }, [...seq(3), { payload: 1 }], { differs: "`$I` and `$N` in a **switch**" });
add("repair of what several rules take", { repair: true, rules: [{ t: "regex", v: "[02]", vt: "str" }, { t: "cont", v: "1", vt: "str" }, { t: "else" }] }, seq(3));
add("repair of two sequences at a time", { repair: true, rules: [{ t: "regex", v: "[02]", vt: "str" }, { t: "else" }] },
    [0, 1, 2].flatMap(index => ["a", "b"].map(id => ({ payload: `${id}${index}`, parts: { id, index, count: 3 } }))));
add("repair without a count", { repair: true, rules: [{ t: "regex", v: "[02]", vt: "str" }] }, [{ payload: "p0", parts: { id: "x", index: 0 } }, { payload: "p1", parts: { id: "x", index: 1 } }, { payload: "p2", parts: { id: "x", index: 2, count: 3 } }]);
add("repair keeps what parts hold besides", { repair: true, rules: [{ t: "cont", v: "p", vt: "str" }] }, seq(2, { ch: ",", key: "k", parts: { id: "outer" } }));
add("more waiting messages than are allowed", { repair: true, rules: [{ t: "cont", v: "p", vt: "str" }] }, seq(4), { settings: { nodeMessageBufferMaxLength: 2 } });
add("odd parts", { repair: true, rules: [{ t: "head", v: "1", vt: "num" }, { t: "else" }] }, [{ payload: 2, parts: {} }, { payload: 3, parts: "x" }, { payload: 4, parts: { id: "i" } }, { payload: 5, parts: { index: 0 } }]);
add("parts that are null", { rules: [{ t: "else" }] }, [{ payload: 1, parts: null }, { payload: 2 }], { differs: "A **switch** gets a message whose `parts` is `null`" });
add("buffers and dates are compared", { rules: [{ t: "eq", v: "other", vt: "msg" }, { t: "lt", v: "other", vt: "msg" }, { t: "cont", v: "other", vt: "msg" }] },
    [{ payload: buffer("a"), other: buffer("a") }, { payload: buffer("a"), other: "a" }, { payload: date("2020-01-01T00:00:00.000Z"), other: date("2020-01-01T00:00:00.000Z") },
        { payload: date("2020-01-01T00:00:00.000Z"), other: date("2021-01-01T00:00:00.000Z") }, { payload: date("2020-01-01T00:00:00.000Z"), other: 1577836800000 }]);
export default cases;
