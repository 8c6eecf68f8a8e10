// csv: both parsers, both directions, with what can be chosen.
import { buffer, KINDS, date, undef, NAN } from "./_values.mjs";

const cases = [];
const base = { type: "csv", sep: ",", hdrin: "", hdrout: "none", multi: "one", ret: "\\n", temp: "", skip: "0", strings: true, include_empty_strings: "", include_null_values: "" };
const add = (name, node, msgs, more = {}) => {
    for (const spec of ["rfc", ""]) cases.push({ name: `${name} (${spec || "legacy"})`, node: { ...base, spec, ...node }, ...more, msgs });
};
const texts = ["a,b,c\n1,2,3\n4,5,6", "a,b\n\"x, y\",\"he said \"\"hi\"\"\"\n", "1,2,3", "", "\n", "a,b\r\n1,2\r\n", "a,,c\n,2,\n", " a , b \n 1 , 2 ", "a,b\n1", "a,b\n1,2,3", "\"a\nb\",c\n1,2", "a\tb\n1\t2", "a;b\n1;2", "ä,ö\n€,😀", "x,y\n\"open,1\n2,3",
    "a,b\n01,1e3\n-1,+2\n0x1F,.5\n1.,1_000", "a,b\ntrue,null\nNaN,undefined", "# c\na,b\n1,2", "a,b\n\n1,2\n\n", "a,a\n1,2", ",\n,", "\"\",\"\"\n\"\",1", "a,b\n\"1\",2", "\ufeffa,b\n1,2", "1\n2\n3", "a,b\n1,\"2", "a,b\n1,2\"3", "'a','b'\n'1','2'"];
for (const hdrin of ["", true]) {
    for (const multi of ["one", "mult"]) {
        for (const strings of [true, false]) add(`texts${hdrin ? ", with names" : ""}, ${multi}${strings ? "" : ", numbers stay texts"}`, { hdrin, multi, strings }, texts.map(payload => ({ payload })));
    }
}
for (const temp of ["a,b,c", "a,,c", "x", "", "\"a b\",c", "a,b,c,d,e", "ä,b", " a , b "]) {
    for (const multi of ["one", "mult"]) add(`columns ${temp || "of none"}, ${multi}`, { temp, multi }, ["1,2,3", "1,2\n3,4", "a,b,c\n1,2,3", "\"x,y\",\"z\"", ""].map(payload => ({ payload })));
    for (const hdrout of ["none", "all", "once", "out", "strange"]) {
        add(`columns ${temp || "of none"}, names ${hdrout}`, { temp, hdrout }, [{ a: 1, b: "x,y", c: null }, [{ a: 1, b: 2 }, { b: 3, d: 4 }], [[1, 2, 3], [4, 5]], [1, "a", true], {}, [], [{}], { a: "q\"q", b: "l\nl", c: "" }, { a: undef, b: NAN, c: { d: 1 } }].map(payload => ({ payload })));
    }
}
for (const sep of [";", "\\t", "|", " ", "ab", "", ":", "."]) {
    add(`separator ${JSON.stringify(sep)}, read`, { sep, hdrin: true, multi: "mult" }, ["a;b\n1;2", "a\tb\n1\t2", "a|b\n1|2", "a b\n1 2", "xaby\n1ab2", "a:b\n1:2"].map(payload => ({ payload })));
    add(`separator ${JSON.stringify(sep)}, written`, { sep, hdrout: "all" }, [{ payload: [{ a: "1;2", b: "x\ty", c: "p|q" }, { a: "r s", b: "ab", c: 1.5 }] }]);
}
for (const ret of ["\\r\\n", "\\r", "\\n", "", "x"]) add(`ends of lines ${JSON.stringify(ret)}`, { ret, hdrout: "all" }, [{ payload: [{ a: 1, b: "x" }, { a: 2, b: "y\r\nz" }] }, { payload: { a: 1 } }]);
for (const skip of ["1", "2", "9", "x", ""]) for (const hdrin of ["", true]) add(`skips ${skip || "nothing"}${hdrin ? ", with names" : ""}`, { skip, hdrin, multi: "mult" }, ["# one\na,b\n1,2\n3,4", "\"x\ny\",b\n1,2"].map(payload => ({ payload })));
for (const include_empty_strings of ["", true]) for (const include_null_values of ["", true]) {
    add(`empty texts ${!!include_empty_strings}, null ${!!include_null_values}`, { include_empty_strings, include_null_values, hdrin: true, multi: "mult" }, ["a,b,c\n1,,3\n,,\n\"\",x,", "a,b\n1,null\n\"null\",\"\""].map(payload => ({ payload })));
}
add("kinds", { hdrout: "all" }, Object.values(KINDS).map(payload => ({ payload })));
add("kinds in columns", { hdrout: "all" }, [{ payload: [Object.fromEntries(Object.entries(KINDS).map(([, value], at) => [`k${at}`, value]))] }]);
add("messages' columns", { hdrout: "all" }, [{ payload: { a: 1, b: 2 }, columns: "b,a" }, { payload: [{ a: 1, b: 2 }], columns: "a" }, { payload: [[1, 2]], columns: "x,y" }, { payload: "1,2", columns: "p,q" }]);
add("names once", { hdrout: "once", temp: "a,b" }, [{ payload: { a: 1, b: 2 } }, { payload: { a: 3, b: 4 } }, { reset: true }, { payload: { a: 5, b: 6 } }, { payload: { a: 7 }, reset: true }]);
add("a sequence of lines", { hdrin: true, multi: "mult" }, ["a,b", "1,2", "3,4"].map((payload, index) => ({ payload, parts: { id: "s", index, count: 3 } })));
add("a sequence of lines, one at a time", { hdrin: true }, ["a,b", "1,2", "3,4"].map((payload, index) => ({ payload, parts: { id: "s", index, count: 3 } })));
add("columns in a message", { hdrin: true, multi: "mult" }, [{ payload: "x,y\n1,2", columns: "old" }]);
add("buffers", {}, [{ payload: buffer("a,b\n1,2") }]);
add("dates", { hdrout: "all" }, [{ payload: [{ d: date("2020-01-01T00:00:00.000Z"), e: [1, 2], f: true }] }]);
cases.push({ name: "nothing is set", node: { type: "csv" }, msgs: [{ payload: "1,2" }, { payload: { a: 1 } }] });
export default cases;
