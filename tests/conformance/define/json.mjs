// json: both directions, what is asked for, schemas, and what is no JSON.
import { buffer, date, KINDS, MINUS0, NAN, undef } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs) => cases.push({ name, node: { type: "json", property: "payload", action: "", pretty: false, ...node }, msgs });
const texts = ["{\"a\":1}", "[1,2]", "1", "\"x\"", "null", "true", "", " ", "{", "[1,]", "{\"a\":1}x", "{a:1}", "'a'", "NaN", "-0", "1e400", "01", "\"\\u00e9\\ud83d\\ude00\"", "\"a\nb\"", "{\"b\":1,\"a\":2,\"2\":3,\"1\":4}", "{\"a\":1,\"a\":2}", "[[[[1]]]]",
    "\ufeff{}", "{\"__proto__\":1}", "undefined", "tru", "nul", "\"open", "[1 2]", "{\"a\" 1}", "{\"a\":}", "1.", ".5", "-", "+1", "\t[ 1 , 2 ]\r\n", "123456789012345678901", "\"\\x\"", "\"\\u12\"", "//x", "{\"a\":[1,{\"b\":null}]}"];
for (const action of ["", "str", "obj", "strange"]) {
    for (const pretty of [false, true]) {
        add(`action ${action || "either"}${pretty ? ", formatted" : ""}: kinds`, { action, pretty }, [...Object.values(KINDS), [], { a: { b: [1, { c: undef }] }, d: date("2020-01-01T00:00:00.000Z") }, { n: NAN, m: MINUS0, b: buffer("x") }, [undef, NAN], { toJSON: 1 }, { $type: "map", entries: [["a", 1]] }, { $type: "bigint", value: "5" }].map(payload => ({ payload })));
    }
    add(`action ${action || "either"}: texts`, { action }, texts.map(payload => ({ payload })));
    add(`action ${action || "either"}: buffers`, { action }, texts.slice(0, 12).map(payload => ({ payload: buffer(payload) })));
}
for (const property of ["payload.a", "topic", "nothing", "", "payload[0]", "payload[", "a.b.c"]) {
    add(`property ${property || "of no name"}`, { property }, [{ payload: { a: "{\"x\":1}" }, topic: "[1]" }, { payload: ["2"], topic: { q: 1 } }, { payload: "5" }, { a: { b: {} } }]);
}
const schemas = {
    "an object": { type: "object", properties: { string: { type: "string" }, number: { type: "number" } }, required: ["number"], additionalProperties: false },
    "an array": { type: "array", items: { type: "integer", minimum: 1 }, minItems: 1, uniqueItems: true },
    "alternatives": { anyOf: [{ type: "string", pattern: "^a", maxLength: 3 }, { type: "null" }, { enum: [1, "two"] }] },
    "a reference": { definitions: { n: { type: "number", multipleOf: 2 } }, type: "object", additionalProperties: { $ref: "#/definitions/n" } },
    "a condition": { if: { type: "object", required: ["a"] }, then: { required: ["b"] }, else: { not: { type: "number" } } },
    "a format": { type: "object", properties: { t: { type: "string", format: "date-time" }, e: { type: "string", format: "email" }, c: { const: 5 } } },
    "a broken schema": { type: "strange" },
    "true": true,
    "no object": "x",
};
for (const [name, schema] of Object.entries(schemas)) {
    for (const action of ["", "obj", "str"]) {
        add(`schema: ${name}, action ${action || "either"}`, { action }, [{ number: 1 }, { string: "x" }, { number: "1" }, { number: 1, more: 2 }, [1, 2], [0], [], [1, 1], ["a"], "{\"number\":3}", "{\"a\":4}", "[3]", "\"abc\"", "\"abcd\"", "null", "1", "\"two\"", { a: 3 }, { a: 4, b: 2 }, { a: "x", b: 2 }, { t: "2020-01-01T00:00:00Z" }, { t: "x" }, { e: "x" }, { c: 6 }, 7, "{"].map(payload => ({ payload, schema })));
    }
}
add("a schema that is null", {}, [{ payload: "{}", schema: null }, { payload: "{}", schema: undef }, { payload: "{}", schema: {} }]);
cases.push({ name: "nothing is set", node: { type: "json" }, msgs: [{ payload: "{}" }, { payload: {} }] });
export default cases;
