// file and file in: ways to write, encodings, names from anywhere, what is read in parts, what is not there.
import { fn, node, placed, sink } from "./_flows.mjs";
import { buffer, date, KINDS, NAN, undef } from "./_values.mjs";

const slow = 200;
const cases = [];
const write = (config = {}) => ({ type: "file", filename: "@DIR@/a.txt", filenameType: "str", appendNewline: true, createDir: false, overwriteFile: "false", encoding: "none", ...config });
const read = (config = {}) => ({ type: "file in", filename: "@DIR@/a.txt", filenameType: "str", format: "utf8", chunk: false, sendError: false, encoding: "none", allProps: false, ...config });
const add = (name, config, msgs, more = {}) => cases.push({ name, node: config, slow, ...more, msgs });
const look = { $file: "a.txt" };

// Writing.
for (const overwriteFile of ["false", "true", "delete", false, true, "strange"]) for (const appendNewline of [true, false]) {
    add(`writes: ${overwriteFile}, ${appendNewline}`, write({ overwriteFile, appendNewline }), [look, { payload: "one", topic: "t" }, look, { payload: "two" }, look, { payload: buffer("bytes") }, look]);
}
add("an old node", { type: "file", filename: "@DIR@/a.txt", overwriteFile: "false" }, [{ payload: "one" }, { payload: "two", filename: "@DIR@/b.txt" }, look, { $file: "b.txt" }]);
add("an old node without a name", { type: "file", filename: "", appendNewline: true, overwriteFile: "true" }, [{ payload: "one" }, { payload: "two", filename: "@DIR@/a.txt" }, look]);
for (const overwriteFile of ["false", "true"]) for (const [kind, payload] of Object.entries(KINDS)) add(`writes ${kind}, ${overwriteFile}`, write({ overwriteFile }), [{ payload }, look]);
add("writes nothing", write(), [{ topic: "t" }, { payload: undef }, look]);
add("writes what JSON cannot say", write(), [{ payload: [NAN, undef] }, { payload: { d: date("2020-01-01T00:00:00.000Z"), u: undef, b: buffer("x") } }, look]);
for (const encoding of ["none", "utf8", "ascii", "latin1", "base64", "hex", "utf16le", "utf-16be", "UTF-16", "ucs2", "win1251", "shift_jis", "big5", "gb18030", "euc-kr", "iso-8859-15", "cp437", "koi8-r", "macroman", "utf-7", "setbymsg", "nonsense"]) {
    add(`writes as ${encoding}`, write({ encoding, overwriteFile: "true", appendNewline: false }), [{ payload: "aäß€Ж日語😀", ...(encoding === "setbymsg" ? { encoding: "utf16le" } : {}) }, look, { payload: "YWJj" }, look]);
}
add("an encoding of the message", write({ encoding: "setbymsg", overwriteFile: "true" }), [{ payload: "ä" }, look, { payload: "ä", encoding: "latin1" }, look, { payload: "ä", encoding: "strange" }, { payload: "ä", encoding: "win1252" }, look]);
for (const createDir of [true, false]) for (const overwriteFile of ["false", "true"]) add(`a folder that is not there: ${createDir}, ${overwriteFile}`, write({ filename: "@DIR@/x/y/a.txt", createDir, overwriteFile }), [{ payload: "one" }, { $file: "x/y/a.txt" }, { payload: "two" }, { $file: "x/y/a.txt" }]);
for (const overwriteFile of ["false", "true", "delete"]) {
    add(`a folder in the place of a file: ${overwriteFile}`, write({ filename: "@DIR@", overwriteFile }), [{ payload: "one" }, { payload: "two" }]);
    add(`a file in the place of a folder: ${overwriteFile}`, write({ filename: "@DIR@/a.txt/b", overwriteFile, createDir: true }), [{ payload: "one" }], { files: { "a.txt": "x" } });
    for (const [filename, filenameType] of [["file", "msg"], ["a.b", "msg"], ["FILE_CASE", "env"], ["'@DIR@/' & name & '.txt'", "jsonata"], ["$error('x')", "jsonata"], ["", "str"], ["", "msg"]]) {
        add(`a name from ${filenameType} ${filename}: ${overwriteFile}`, write({ filename, filenameType, overwriteFile }), [{ payload: "one", file: "@DIR@/a.txt", a: { b: "@DIR@/a.txt" }, name: "a" }, look, { payload: "two" }, look], { env: { FILE_CASE: "/nothing/there" } });
    }
}
add("deletes", write({ overwriteFile: "delete" }), [{ payload: 1 }, look, { payload: 2 }, { topic: "no payload" }], { files: { "a.txt": "x" } });
add("deletes without a payload", write({ overwriteFile: "delete" }), [{ topic: "t" }, look], { files: { "a.txt": "x" } });
add("appends behind what is there", write(), [{ payload: "more" }, look], { files: { "a.txt": "before" } });
add("a file that is removed meanwhile", write(), [{ payload: "one" }, { $file: "a.txt", remove: true }, { payload: "two" }, look, { $file: "a.txt", write: "other\n" }, { payload: "three" }, look]);
add("no line end behind the last part", write(), [{ payload: "a", parts: { type: "string", index: 0, count: 2 } }, { payload: "b", parts: { type: "string", index: 1, count: 2 } }, { payload: "c", parts: { type: "array", index: 0, count: 1 } }, look]);
add("parts that are odd", write(), [{ payload: "a", parts: null }, { payload: "b", parts: "x" }, { payload: "c", parts: { type: "string" } }, look]);
cases.push({ name: "many at once", node: write({ overwriteFile: "false" }), timed: true, tail: 400, msgs: [...["a", "b", "c", "d"].map(payload => ({ payload })), { $wait: 300 }, look] });
cases.push({ name: "many at once, each over the one before", node: write({ overwriteFile: "true" }), timed: true, tail: 400, msgs: [...["a", "b", "c", "d"].map(payload => ({ payload })), { $wait: 300 }, look] });
cases.push({ name: "stops with much to do", node: write({ overwriteFile: "false", filename: "name", filenameType: "msg" }), timed: true, tail: 400, msgs: [...["a", "b", "c"].map(payload => ({ payload, name: "@DIR@/a.txt" })), { $stop: true }, { $wait: 300 }, look] });

// Reading.
const files = { "a.txt": "one\ntwo\r\nthree €\n\nlast" };
for (const format of ["utf8", "", "lines", "stream", undefined, "strange"]) for (const allProps of [true, false]) {
    add(`reads as ${format}, ${allProps}`, read({ format, allProps }), [{ payload: "p", topic: "t", more: { a: 1 } }, { more: 1 }], { files });
    for (const [name, content] of [["empty", ""], ["a line end", "\n"], ["a line", "x"], ["a line with its end", "x\n"]]) add(`reads ${name} as ${format}, ${allProps}`, read({ format, allProps }), [{ payload: "p" }], { files: { "a.txt": content } });
}
for (const format of ["utf8", "", "lines", "stream"]) for (const sendError of [true, false, undefined]) add(`what is not there as ${format}, ${sendError}`, read({ format, sendError, filename: "/nothing/there" }), [{ payload: "p", topic: "t" }, { more: 1, error: "old" }]);
for (const format of ["utf8", "lines"]) add(`reads a folder as ${format}`, read({ format, filename: "@DIR@", sendError: true }), [{ payload: "p" }]);
for (const format of ["lines", "stream", "utf8", ""]) cases.push({ name: `reads much as ${format}`, flow: placed([{ id: "n", ...read({ format, filename: "file", filenameType: "msg" }), wires: [["f"]] }, fn("f", "msg.payload = [msg.payload.length, typeof msg.payload]; return msg;", {}, ["out"]), sink()]), to: "n", slow, msgs: [{ $file: "a.txt", write: `${"0123456789€".repeat(70)}\n`, times: 200 }, { file: "@DIR@/a.txt" }] });
for (const encoding of ["none", "utf8", "ascii", "latin1", "base64", "hex", "utf16le", "utf-16be", "UTF-16", "win1251", "shift_jis", "gb18030", "euc-jp", "cp437", "setbymsg", "nonsense"]) for (const format of ["utf8", "lines"]) {
    add(`reads ${encoding} as ${format}`, read({ encoding, format }), [{ $file: "a.txt", write: buffer(Buffer.from([97, 98, 10, 0xe4, 0x80, 99, 0xe2, 0x82, 0xac, 10, 100, 101])) }, { payload: 1 }]);
}
add("reads what begins with a mark", read(), [{ $file: "a.txt", write: "\ufefftext" }, {}]);
add("reads what begins with a mark, as UTF-8", read({ encoding: "utf8" }), [{ $file: "a.txt", write: "\ufefftext" }, {}]);
for (const [filename, filenameType] of [["file", "msg"], ["a.b", "msg"], ["FILE_CASE2", "env"], ["'@DIR@/' & name & '.txt'", "jsonata"], ["", "str"], ["", "msg"], ["filename", "msg"]]) {
    add(`reads what ${filenameType} ${filename} names`, read({ filename, filenameType, format: "utf8" }), [{ file: "@DIR@/a.txt", a: { b: "@DIR@/a\t.txt\n" }, name: "a", filename: "@DIR@/a.txt" }, {}, { file: 7, name: 1, filename: 8 }], { files, env: { FILE_CASE2: "/nothing/there" } });
}
add("reads by an old node", { type: "file in", filename: "@DIR@/a.txt", format: "utf8" }, [{ filename: "@DIR@/b.txt", payload: 1 }], { files });
add("reads by an old node without a name", { type: "file in", filename: "", format: "utf8" }, [{ filename: "@DIR@/a.txt", payload: 1 }, { payload: 1 }], { files });
const missing = [{ id: "n", ...read({ filename: "@DIR@/gone", format: "utf8" }), wires: [["out"]] }, sink(), node("c", "catch", { scope: null }, ["err"]), sink("err"), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")];
for (const sendError of [true, false]) cases.push({ name: `what is not there is caught: ${sendError}`, flow: placed(missing.map(one => (one.id === "n" ? { ...one, sendError } : one))), to: "n", slow, msgs: [{ payload: 1 }] });
for (const overwriteFile of ["false", "true", "delete"]) cases.push({ name: `what cannot be written is caught: ${overwriteFile}`, flow: placed([{ id: "n", ...write({ filename: "@DIR@/x/y/z", overwriteFile }), wires: [["out"]] }, sink(), node("c", "catch", { scope: null }, ["err"]), sink("err"), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")]), to: "n", slow, msgs: [{ payload: 1 }] });
/** Rows of docs/differences.md, by the names of cases. */
const DIFFER = [
    [/^(a folder that is not there|what cannot be written is caught): false(, false)?$|^a folder in the place of a file: false$|^a name from env FILE_CASE: false$/, "An append to a file that cannot be opened (**file**)"],
    [/^a name from jsonata \$error/, "The error of a JSONata expression that fails in a file's name (**file**, **file in**)"],
    [/^reads (setbymsg|nonsense) as/, "A **file in** with an encoding that nobody knows"],
    [/^reads euc-jp as/, "Bytes that are no character of an encoding of East Asia (**file in**)"],
];
for (const one of cases) {
    const row = DIFFER.find(([names]) => names.test(one.name));
    if (row) one.differs = row[1];
}
export default cases;
