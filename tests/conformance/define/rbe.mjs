// rbe (filter): each way of comparing, by topic, with gaps, and what is reset.
import { buffer, date, KINDS, MINUS0, NAN, undef } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs) => cases.push({ name, node: { type: "rbe", func: "rbe", gap: "", start: "", inout: "out", septopics: true, property: "payload", ...node }, msgs });
const values = Object.values(KINDS).flatMap(value => [value, value]);
for (const func of ["rbe", "rbei"]) {
    add(`${func}: all kinds twice`, { func }, values.map(payload => ({ payload })));
    add(`${func}: topics`, { func }, ["a", "b", "a", undef, "", 5, "5", null, "a"].flatMap((topic, at) => [{ topic, payload: at }, { topic, payload: at }]));
    add(`${func}: without topics`, { func, septopics: false }, ["a", "b", "a"].map(topic => ({ topic, payload: 1 })));
    add(`${func}: key order and depth`, { func }, [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 3 }] } }, [1, 2], [1, 2], [2, 1]].map(payload => ({ payload })));
    add(`${func}: kinds that look alike`, { func }, [1, "1", true, "true", null, "null", 0, MINUS0, false, "", undef, NAN, NAN, buffer("a"), buffer("a"), "a", date("2020-01-01T00:00:00.000Z"), date("2020-01-01T00:00:00.000Z"), "2020-01-01T00:00:00.000Z"].map(payload => ({ payload })));
    add(`${func}: reset`, { func }, [{ payload: 1 }, { payload: 1 }, { reset: true }, { payload: 1 }, { payload: 1, reset: true }, { payload: 1 }, { topic: "a", payload: 1 }, { topic: "a", reset: "" }, { topic: "a", payload: 1 }, { payload: 1 }, { reset: false }, { payload: 1 }]);
}
const runs = { rising: [1, 2, 3, 5, 5.5, 9, 20], falling: [20, 9, 8, 3, -4], jumps: [0, 100, 1, 99, "50", "51", "abc", "12px", NAN, null, undef, true, [5], {}, 50, 50.4] };
for (const func of ["deadband", "deadbandEq", "narrowband", "narrowbandEq"]) {
    for (const inout of ["out", "in"]) {
        for (const gap of ["2", "10%", "0", "", "-3", "abc", "50%", "2.5"]) {
            for (const start of ["", "5"]) {
                add(`${func}, ${inout}, gap ${JSON.stringify(gap)}${start ? ", from 5" : ""}`, { func, inout, gap, start }, Object.values(runs).flat().map(payload => ({ payload })));
            }
        }
    }
}
for (const start of ["0", "abc", 10, "1e1"]) add(`from ${JSON.stringify(start)}`, { func: "narrowband", gap: "5", start }, [3, 8, 9, 30, 14].map(payload => ({ payload })));
for (const property of ["payload.v", "topic", "", "a['b c']", "payload[", "nothing"]) {
    add(`property ${property || "of no name"}`, { property }, [{ payload: { v: 1 }, topic: "x" }, { payload: { v: 1 }, topic: "y" }, { payload: { v: 2 }, topic: "y" }, { a: { "b c": 1 } }, {}]);
}
for (const topi of ["topic", "payload.id", "other", ""]) add(`topics by ${topi || "nothing"}`, { topi }, [{ topic: "a", other: 1, payload: { id: 1 } }, { topic: "b", other: 1, payload: { id: 1 } }, { topic: "a", other: 2, payload: { id: 1 } }, { topic: "a", other: 1, payload: { id: 2 } }]);
cases.push({ name: "nothing is set", node: { type: "rbe" }, msgs: [1, 1, 2, "2"].map(payload => ({ payload })) });
add("an unknown way", { func: "strange" }, [1, 1, 2].map(payload => ({ payload })));
add("kinds within a band", { func: "narrowbandEq", gap: "5", septopics: true }, ["a", "b"].flatMap(topic => [{ topic, payload: 1 }, { topic, payload: 5 }, { topic, payload: 11 }]));
add("reset within a band", { func: "deadband", gap: "5" }, [{ payload: 10 }, { payload: 12 }, { reset: 1 }, { payload: 12 }, { payload: 13 }, { topic: "t", payload: 1 }, { topic: "t", reset: 1 }, { topic: "t", payload: 1 }]);
export default cases;
