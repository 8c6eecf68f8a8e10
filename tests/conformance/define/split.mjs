// split: each kind of value by each way, as one message after another and as a stream.
import { older } from "./_older.mjs";
import { buffer, date, KINDS, undef } from "./_values.mjs";

const cases = older("split").map(one => ({ ...one, name: `older: ${one.name}` }));
const add = (name, node, msgs) => cases.push({ name, node: { type: "split", splt: "\\n", spltType: "str", arraySplt: 1, arraySpltType: "len", stream: false, addname: "", property: "payload", ...node }, msgs });
for (const [splt, spltType] of [["\\n", "str"], [",", "str"], ["", "str"], ["ab", "str"], ["2", "len"], ["0", "len"], ["x", "len"], ["[44]", "bin"], ["[97,98]", "bin"], ["\\t", "str"], ["\\x41", "str"]]) {
    for (const stream of [false, true]) {
        add(`${spltType} ${JSON.stringify(splt)}${stream ? ", as a stream" : ""}`, { splt, spltType, stream },
            ["a\nb\nc", "a,b,,c", "", "abab", "äö,ü€", "aAbA\tc", buffer("a\nb"), buffer("1,2,ab,3"), buffer(""), buffer("12345")].map(payload => ({ payload, topic: "t" })));
    }
}
add("half a character", { splt: "1", spltType: "len" }, [{ payload: "😀" }]);
for (const arraySplt of [1, 2, "3", 0, "", "x", -1]) add(`arrays by ${JSON.stringify(arraySplt)}`, { arraySplt }, [[1, 2, 3, 4, 5], [], ["a"], [[1], { b: 2 }, null, undef]].map(payload => ({ payload })));
for (const addname of ["", "topic", "key.of", "payload", "parts"]) add(`objects with keys in ${addname || "nothing"}`, { addname }, [{ a: 1, b: "x", c: [1] }, {}, { 2: "b", 1: "a" }, { "ä ö": null, z: undef }].map(payload => ({ payload, topic: "t" })));
add("kinds", {}, Object.values(KINDS).map(payload => ({ payload })));
add("parts of parts", {}, [{ payload: "a\nb", parts: { id: "outer", index: 0, count: 1 } }, { payload: [1, 2], parts: { id: "outer", index: 1, count: 2, type: "array" } }, { payload: "x", parts: null }]);
for (const property of ["topic", "payload.list", "nothing", "", "payload[", "payload.list[0]"]) add(`property ${property || "of no name"}`, { property }, [{ payload: { list: [1, "a\nb"] }, topic: "x\ny" }, { payload: "1\n2" }, {}]);
add("what else is in a message is in each", {}, [{ payload: [1, 2], a: { b: 1 }, complete: true, reset: 1 }]);
cases.push({ name: "nothing is set", node: { type: "split" }, msgs: [{ payload: "a\nb" }, { payload: [1, 2] }, { payload: { a: 1 } }, { payload: buffer("a\nb") }] });
add("streams of texts", { stream: true }, ["a\nb", "c\nd", "e\n", "", "f"].map(payload => ({ payload })));
add("streams of buffers by bytes", { stream: true, splt: "[98,99]", spltType: "bin" }, ["aab", "cdd", "ebc"].map(text => ({ payload: buffer(text) })));
add("streams of lengths", { stream: true, splt: "3", spltType: "len" }, ["ab", "cdef", "g"].map(payload => ({ payload })));
add("streams, reset", { stream: true }, [{ payload: "a\nb" }, { reset: true }, { payload: "c\nd" }]);
add("dates and what cannot be split", {}, [date("2020-01-01T00:00:00.000Z"), { $type: "regexp", source: "a", flags: "" }, { $type: "map", entries: [["a", 1]] }].map(payload => ({ payload })));
export default cases;
