// range: each action, with and without rounding, and what is no number.
import { buffer, date, NAN, MINUS0, undef, INF } from "./_values.mjs";

const values = [0, 5, 10, -3, 12.5, 25, MINUS0, NAN, INF, "", " 7 ", "3", "0x10", "1e1", "abc", "5px", true, false, null, undef,
    [], [5], [1, 2], {}, { valueOf: 1 }, buffer("8"), buffer("abc"), date("1970-01-01T00:00:00.004Z"), 0.1, 9.999999999999999, 1e21];
const cases = [];
for (const action of ["scale", "clamp", "roll", "drop"]) {
    for (const round of [false, true]) {
        cases.push({
            name: `${action}${round ? ", rounded" : ""}`,
            node: { type: "range", minin: "0", maxin: "10", minout: "0", maxout: "255", action, round, property: "payload" },
            msgs: values.map(payload => ({ payload })),
        });
    }
}
const odd = [
    ["numbers that are numbers", { minin: 0, maxin: 1, minout: -1, maxout: 1 }],
    ["from high to low", { minin: "10", maxin: "0", minout: "0", maxout: "100" }],
    ["to high from low", { minin: "0", maxin: "10", minout: "100", maxout: "0" }],
    ["an input range of one value", { minin: "5", maxin: "5", minout: "0", maxout: "1" }],
    ["empty bounds", { minin: "", maxin: "", minout: "", maxout: "" }],
    ["bounds that are no numbers", { minin: "a", maxin: "b", minout: "c", maxout: "d" }],
    ["bounds that are missing", {}],
    ["fractions", { minin: "0.5", maxin: "1.5", minout: "0.25", maxout: "9.75" }],
];
for (const [name, bounds] of odd) {
    for (const action of ["scale", "clamp", "roll", "drop"]) {
        for (const round of [false, true]) {
            cases.push({
                name: `${name}: ${action}${round ? ", rounded" : ""}`,
                node: { type: "range", ...bounds, action, round, property: "payload" },
                msgs: [-1, 0, 0.5, 1, 1.25, 5, 10, 11].map(payload => ({ payload })),
            });
        }
    }
}
const paths = ["topic", "payload.a", "payload.a.b", "payload[0]", "payload['a b']", "", "a..b", "payload.length"];
for (const property of paths) {
    cases.push({
        name: `property ${property || "of no name"}`,
        node: { type: "range", minin: "0", maxin: "10", minout: "0", maxout: "100", action: "scale", property },
        msgs: [{ payload: 3, topic: "4" }, { payload: { a: 5, "a b": 6 } }, { payload: { a: { b: "7" } } }, { payload: [8] }, { payload: null }, { payload: "text" }, {}],
    });
}
cases.push({ name: "no action and no property", node: { type: "range", minin: "0", maxin: "10", minout: "0", maxout: "100" }, msgs: [{ payload: 3 }, { topic: 3 }] });
export default cases;
