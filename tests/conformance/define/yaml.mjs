// yaml: what cases beside the node do not ask: kinds, properties, options.
import { KINDS, buffer, date } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs) => cases.push({ name, node: { type: "yaml", property: "payload", ...node }, msgs });
for (const [kind, payload] of Object.entries(KINDS)) add(kind, {}, [{ payload }, { payload: { value: payload } }, { payload: [payload, [payload]] }]);
for (const property of ["payload.a", "topic", "nothing", "", "payload[", "a.b.c"]) add(`property ${property || "of no name"}`, { property }, [{ payload: { a: "b: 1" }, topic: "- x" }, { payload: "c: 2", topic: { q: [1] } }]);
add("texts that need quotes", {}, ["yes", "1", "null", "~", " a", "a: b", "#c", "- d", "'", "\"", "\n", "a\nb", "é", "", "0x1", "1e3", "2020-01-01", "@x", "`y", "%z", "!t", "&a", "*a", "[", "{", "|", ">", "a #b", "true", "a\tb"].map(text => ({ payload: { text } })));
add("deep", {}, [{ payload: { a: { b: [{ c: [[1], { d: null }] }, []], e: {} } } }, { payload: [[[]]] }]);
add("dates and buffers", {}, [{ payload: { d: date("2020-01-01T00:00:00.000Z"), b: buffer("hi") } }]);
export default cases;
