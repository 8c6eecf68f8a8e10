// Values that JSON cannot say, as the control protocol writes them; and short ways to write cases.

export const buffer = text => ({ $type: "buffer", base64: Buffer.from(text).toString("base64") });
export const date = iso => ({ $type: "date", iso });
export const undef = { $type: "undefined" };
export const number = value => ({ $type: "number", value });
export const NAN = number("NaN");
export const INF = number("Infinity");
export const MINUS0 = number("-0");

/** One of each kind of value. */
export const KINDS = {
    "number": 42, "zero": 0, "-0": MINUS0, "NaN": NAN, "infinity": INF, "fraction": 1.5, "text": "abc", "empty text": "", "number text": "42",
    "JSON text": "{\"a\":1}", "unicode": "äöü€😀", "true": true, "false": false, "null": null, "undefined": undef, "array": [1, "2", null],
    "empty array": [], "object": { b: 1, a: { c: [2] } }, "empty object": {}, "buffer": buffer("hi"), "empty buffer": buffer(""),
    "date": date("2020-02-03T04:05:06.007Z"),
};

/** A message for each kind of value. */
export const messages = (kinds = Object.keys(KINDS)) => kinds.map(kind => ({ payload: KINDS[kind] }));
