// sort: elements and messages, by each key, as texts and numbers.
import { older } from "./_older.mjs";
import { buffer, date, NAN, MINUS0, undef } from "./_values.mjs";

const cases = older("sort").map(one => ({ ...one, name: `older: ${one.name}` }));
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "sort", target: "payload", targetType: "msg", msgKey: "payload", msgKeyType: "elem", seqKey: "payload", seqKeyType: "msg", order: "ascending", as_num: false, ...node }, ...more, msgs });
const lists = [[3, 1, 2], ["b", "a", "C", "ä", "Z", "10", "9", ""], [1, "1", true, null, undef, "a", [0], { a: 1 }], [NAN, 1, MINUS0, 0, -1], [], [5], [10, 9, "8", "x", "7"], [date("2021-01-01T00:00:00.000Z"), date("2020-01-01T00:00:00.000Z")],
    Array.from({ length: 40 }, (_, at) => (at * 7919) % 41), ["x10", "x9", "X1"], "text", 5, null, { b: 1 }, buffer("cab")];
for (const order of ["ascending", "descending", "strange"]) {
    for (const as_num of [false, true]) add(`${order}${as_num ? ", as numbers" : ""}`, { order, as_num }, lists.map(payload => ({ payload })));
}
const people = [{ n: "b", a: 2 }, { n: "a", a: 10 }, { n: "c", a: "9" }, { a: 1 }, { n: null, a: null }];
for (const key of ["n", "a", "nothing", "a * -1", "$length(n)", "n & a", "(", "$", "$error('x')", "$lookup($, 'a')"]) {
    for (const as_num of [false, true]) add(`by ${key}${as_num ? ", as numbers" : ""}`, { msgKey: key, msgKeyType: "jsonata", as_num }, [{ payload: people.slice(0, 3) }, { payload: people }], ["a * -1", "$length(n)", "(", "$error('x')"].includes(key) ? { differs: "What **sort** says of a JSONata expression that fails" } : {});
}
for (const target of ["payload.list", "list", "nothing", "payload[", ""]) add(`of ${target || "nothing"}`, { target }, [{ payload: { list: [2, 1] }, list: ["b", "a"] }, { payload: [2, 1] }]);
const seq = (values, more = {}) => values.map((payload, index) => ({ payload, topic: `t${9 - index}`, parts: { id: "s", index, count: values.length, ...more } }));
for (const order of ["ascending", "descending"]) {
    for (const [seqKey, seqKeyType] of [["payload", "msg"], ["topic", "msg"], ["payload * -1", "jsonata"], ["nothing", "msg"], ["$length(topic)", "jsonata"]]) {
        add(`messages, ${order} by ${seqKeyType} ${seqKey}`, { targetType: "seq", order, seqKey, seqKeyType, as_num: order === "descending" }, seq([3, 1, 10, 2]));
    }
}
add("messages out of order", { targetType: "seq" }, [2, 0, 1].map(at => seq(["c", "a", "b"])[at]));
add("messages without parts", { targetType: "seq" }, [{ payload: 1 }, { payload: 2, parts: {} }, { payload: 3, parts: null }]);
add("messages of two sequences", { targetType: "seq" }, [0, 1].flatMap(index => ["a", "b"].map(id => ({ payload: `${id}${9 - index}`, parts: { id, index, count: 2 } }))));
add("equal keys keep their order", { msgKey: "k", msgKeyType: "jsonata" }, [{ payload: Array.from({ length: 20 }, (_, at) => ({ k: at % 3, at })) }]);
cases.push({ name: "nothing is set", node: { type: "sort" }, msgs: [{ payload: [2, 1] }] });
export default cases;
