// join: by the parts of messages, by hand into each kind of value, and reduced.
import { older } from "./_older.mjs";
import { buffer, KINDS, undef } from "./_values.mjs";

const cases = older("join").map(one => ({ ...one, name: `older: ${one.name}` }));
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "join", mode: "custom", build: "string", property: "payload", propertyType: "msg", key: "topic", joiner: "\\n", joinerType: "str", accumulate: false, timeout: "", count: "3", reduceRight: false, ...node }, ...more, msgs });
const three = [{ topic: "a", payload: 1 }, { topic: "b", payload: "x" }, { topic: "a", payload: { c: [2] } }, { topic: "d", payload: null }];
for (const build of ["string", "buffer", "array", "object", "merged", "strange"]) {
    for (const accumulate of [false, true]) {
        add(`${build}${accumulate ? ", kept" : ""}`, { build, accumulate }, three);
        add(`${build}${accumulate ? ", kept" : ""}: kinds`, { build, accumulate, count: "2" }, Object.values(KINDS).map((payload, at) => ({ payload, topic: `t${at}` })), build === "buffer" && accumulate ? { differs: "A **join** that keeps a buffer" } : {});
        add(`${build}${accumulate ? ", kept" : ""}: until complete`, { build, accumulate, count: "" }, [...three, { complete: true }, { payload: "late" }, { payload: "last", complete: 1 }]);
        add(`${build}${accumulate ? ", kept" : ""}: reset`, { build, accumulate }, [three[0], three[1], { reset: true }, three[2], three[3], { payload: 9 }]);
    }
    add(`${build}: the whole message`, { build, propertyType: "full" }, three);
    add(`${build}: a property`, { build, property: "other.x" }, three.map((msg, at) => ({ ...msg, other: { x: `v${at}` } })));
    add(`${build}: a property that is missing`, { build, property: "nothing" }, three);
}
for (const [joiner, joinerType] of [[",", "str"], ["\\t|", "str"], ["", "str"], ["[44,32]", "bin"], ["[]", "bin"], ["x", "bin"]]) {
    for (const build of ["string", "buffer"]) add(`${build} with ${joinerType} ${JSON.stringify(joiner)}`, { build, joiner, joinerType }, ["a", "b", "c"].map(payload => ({ payload })).concat([buffer("1"), buffer("2"), buffer("3")].map(payload => ({ payload }))), joiner === "x" ? { differs: "A node that cannot start" } : {});
}
for (const count of ["0", "-1", "x", 2, "1", "2.5"]) add(`count ${JSON.stringify(count)}`, { build: "array", count }, [1, 2, 3, 4].map(payload => ({ payload })));
add("objects by keys of several kinds", { build: "object", key: "k" }, ["a", 1, true, null, undef, "", "a", { o: 1 }].map((k, payload) => ({ k, payload })));
add("objects by the key in parts", { build: "object", count: "2" }, [{ payload: 1, parts: { key: "p" } }, { payload: 2, parts: { key: "q" } }]);
for (const useparts of [true, false]) add(`numbered by parts: ${useparts}`, { build: "array", count: "", useparts }, [0, 2, 1].map(index => ({ payload: index, parts: { id: "x", index, count: 3 } })));
const seq = (count, more = {}) => Array.from({ length: count }, (_, index) => ({ payload: index + 1, parts: { id: "s", index, count, ...more } }));
for (const type of ["array", "string", "buffer", "object", undefined, "strange"]) {
    add(`as it was split: ${type}`, { mode: "auto" }, seq(3, { type, ch: ",", len: 1, key: "k" }).map((msg, at) => ({ ...msg, parts: { ...msg.parts, key: `k${at}` }, payload: type === "buffer" ? buffer(`${at}`) : `v${at}` })));
}
add("parts of parts come back", { mode: "auto" }, seq(2, { type: "array", len: 1, parts: { id: "outer", index: 4, count: 5 } }));
add("two sequences at a time", { mode: "auto" }, [0, 1].flatMap(index => ["a", "b"].map(id => ({ payload: `${id}${index}`, parts: { id, index, count: 2, type: "array" } }))));
const reduce = (name, node, msgs) => add(name, { mode: "reduce", reduceExp: "$A + payload", reduceInit: "0", reduceInitType: "num", reduceFixup: "", ...node }, msgs);
reduce("reduced to a sum", {}, seq(4));
reduce("reduced from the right", { reduceRight: true, reduceExp: "$A & payload", reduceInit: "", reduceInitType: "str" }, seq(4));
reduce("reduced, with a last word", { reduceFixup: "$A / $N" }, seq(4));
reduce("reduced, with the place", { reduceExp: "$A + payload * $I" }, seq(3));
reduce("reduced into an array", { reduceExp: "$append($A, payload)", reduceInit: "[]", reduceInitType: "json" }, seq(3));
reduce("reduced into an object", { reduceExp: "$merge([$A, {$string(payload): payload}])", reduceInit: "{}", reduceInitType: "json" }, seq(3));
reduce("reduced out of order", { reduceExp: "$A & payload", reduceInit: "", reduceInitType: "str" }, [2, 0, 1].map(at => seq(3)[at]));
reduce("reduced without parts", {}, [{ payload: 1 }, { payload: 2, parts: {} }]);
reduce("reduced with an expression that does not parse", { reduceExp: "$A +" }, seq(2));
for (const [reduceInit, reduceInitType] of [["5", "num"], ["x", "str"], ["true", "bool"], ["{\"a\":1}", "json"], ["payload", "msg"], ["1+2", "jsonata"], ["CASE_J", "env"], ["[1]", "bin"]]) reduce(`reduced from ${reduceInitType} ${reduceInit}`, { reduceInit, reduceInitType, reduceExp: "$string($A) & '|' & payload" }, seq(2));
cases.push({ name: "nothing is set", node: { type: "join" }, msgs: [...seq(2, { type: "array" }), { payload: 1 }] });
add("what the last message has besides", { build: "array", count: "2" }, [{ payload: 1, a: 1, topic: "x" }, { payload: 2, b: 2, topic: "y" }]);
add("restarted by a message", { build: "array" }, [{ payload: 1 }, { payload: 2, restartTimeout: true }, { payload: 3 }]);
export default cases;
