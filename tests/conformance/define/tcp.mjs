// tcp in, tcp out and tcp request: servers and clients, ways to split, answers, several clients, ends.
import { fn, node, placed, sink } from "./_flows.mjs";
import { buffer, KINDS } from "./_values.mjs";

const slow = 300;
const cases = [];
const add = (name, flow, msgs, more = {}) => cases.push({ name, flow: placed(flow), slow, ...more, msgs });
const PORT = "@PORT1@";
const input = (config = {}) => node("in", "tcp in", { server: "server", host: "", port: PORT, datamode: "stream", datatype: "buffer", newline: "", topic: "", trim: false, base64: false, tls: "", ...config }, ["out"]);
const output = (config = {}) => node("n", "tcp out", { host: "127.0.0.1", port: PORT, beserver: "client", base64: false, end: false, tls: "", ...config });
const client = (send, more = {}) => ({ $tcp: "a", port: PORT, ...(send === undefined ? {} : { send }), ...more });

// A server that gets.
const bytes = buffer(Buffer.from([0x68, 0xc3, 0xa4, 0xff, 10, 13, 10, 0x62]));
for (const datamode of ["stream", "single", ""]) for (const datatype of ["buffer", "utf8", "base64", ""]) for (const newline of datatype === "utf8" ? ["", "\\n", "\\r\\n", ";;"] : ["", "\\n"]) for (const trim of newline ? [false, true] : [false]) {
    add(`a server gets: ${datamode} ${datatype} ${newline} ${trim}`, [input({ datamode, datatype, newline, trim, topic: "t" }), sink()], [client("one\ntwo\r\nthr"), client("ee;;four\n"), client(bytes), client("end", { end: true }), { $wait: 50 }]);
}
add("a server gets of several", [input({ datatype: "utf8", newline: "\\n" }), sink()], [client("a1\na"), { $tcp: "b", port: PORT, send: "b1\n" }, client("2\n"), { $tcp: "b", port: PORT, send: "b2", close: true }, client(undefined, { close: true }), { $wait: 50 }]);
add("old properties", [node("in", "tcp in", { server: true, port: PORT, datamode: "stream", datatype: "utf8", newline: "", topic: "" }, ["out"]), sink()], [client("x"), client(undefined, { close: true })]);
add("two servers on a port", [input(), node("in2", "tcp in", { server: "server", port: PORT, datamode: "stream", datatype: "utf8", newline: "", topic: "" }, ["out"]), sink()], [{ $wait: 50 }]);
add("a server that stops", [input({ datatype: "utf8" }), sink()], [client("x"), { $stop: true }, client(undefined, { read: "end" })], { alone: true, hide: ["status"] });

// A server that answers.
const answers = (config = {}, func = "msg.payload = 'got ' + msg.payload; return msg;") => [input({ datatype: "utf8" }), fn("out", func, {}, ["n"]), output({ beserver: "reply", host: "", port: "", ...config }), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")];
add("answers who asked", answers(), [client("x", { read: 5 }), { $tcp: "b", port: PORT, send: "y", read: 5 }, client("z", { read: 5 })]);
add("answers a buffer", answers({}, "msg.payload = Buffer.from([1, 255]); return msg;"), [client("x", { read: 2 })]);
add("answers base64", answers({ base64: true }, "msg.payload = 'aGk='; return msg;"), [client("x", { read: 2 })]);
for (const [kind, code] of [["a number", "5"], ["true", "true"], ["null", "null"], ["undefined", "undefined"], ["an object", "{ a: 1 }"], ["an empty text", "''"]]) add(`answers ${kind}`, answers({}, `msg.payload = ${code}; return [[msg, { ...msg, payload: '|' }]];`), [client("x", { read: "|" })]);
add("answers all", answers({}, "return { payload: 'all' };"), [{ $tcp: "b", port: PORT }, client("x", { read: 3 }), { $tcp: "b", port: PORT, read: 3 }], { alone: true });
add("answers a session that is none", answers({}, "msg._session.id = 'none'; node.send(RED.util.cloneMessage(msg)); msg._session = { type: 'other' }; msg.payload = 'b'; return msg;"), [client("x", { read: 1 })], { alone: true });
add("ends a connection", answers({}, "msg.reset = true; return msg;"), [client("x", { read: "end" })]);
add("answers and ends", answers({ end: true }), [client("x", { read: 5 })]);

// A client that sends.
const echo = (config = {}) => [output(config), input({ datatype: "utf8" }), sink(), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin"), node("c", "catch", { scope: null }, ["err"]), sink("err")];
for (const base64 of [false, true]) for (const [kind, payload] of Object.entries(KINDS)) add(`a client sends ${kind}, ${base64}`, echo({ base64 }), [{ $wait: 100 }, { $to: "n", msg: { payload } }, { $to: "n", msg: { payload: "|" } }]);
add("a client sends and ends", echo({ end: true }), [{ $wait: 100 }, { $to: "n", msg: { payload: "one" } }, { $wait: 100 }, { $to: "n", msg: { payload: "two" } }], { ignore: ["in"] });
add("a client to nobody", [output({ port: "@PORT2@" }), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")], [{ $wait: 100 }, { $to: "n", msg: { payload: "one" } }]);
add("a client that stops", echo(), [{ $wait: 100 }, { $to: "n", msg: { payload: "one" } }, { $stop: true }], { alone: true, hide: ["status"] });

// A server that sends.
const sender = (config = {}) => [output({ beserver: "server", host: "", ...config }), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")];
const sends = (name, config, msgs) => add(name, sender(config), msgs, { hide: ["log"] });
sends("a server sends to all", {}, [{ $to: "n", msg: { payload: "nobody" } }, client(), { $tcp: "b", port: PORT }, { $to: "n", msg: { payload: "all" } }, client(undefined, { read: 3 }), { $tcp: "b", port: PORT, read: 3 }, client(undefined, { close: true }), { $wait: 50 }, { $to: "n", msg: { payload: 5 } }, { $tcp: "b", port: PORT, read: 1 }]);
sends("a server sends and ends", { end: true }, [client(), { $to: "n", msg: { payload: "bye" } }, client(undefined, { read: "end" })]);
sends("a server sends base64", { base64: true }, [client(), { $to: "n", msg: { payload: "aGk=" } }, client(undefined, { read: 2 })]);

// A client that gets.
for (const datamode of ["stream", "single"]) for (const datatype of ["buffer", "utf8", "base64"]) add(`a client gets: ${datamode} ${datatype}`, [node("in", "tcp in", { server: "client", host: "127.0.0.1", port: PORT, datamode, datatype, newline: datatype === "utf8" ? "\\n" : "", topic: "t", trim: false }, ["out"]), sink(), output({ beserver: "server", host: "", end: true })], [{ $wait: 100 }, { $to: "n", msg: { payload: "one\ntwo" } }], { hide: ["log", "status"] });
add("a client whose server is not there", [node("in", "tcp in", { server: "client", host: "127.0.0.1", port: "@PORT2@", datamode: "stream", datatype: "utf8", newline: "", topic: "" }, ["out"]), sink()], [{ $wait: 100 }]);
add("an answer of a client", [node("in", "tcp in", { server: "client", host: "127.0.0.1", port: PORT, datamode: "stream", datatype: "utf8", newline: "", topic: "" }, ["f"]), fn("f", "msg.payload = 'got ' + msg.payload; return msg;", {}, ["r"]), node("r", "tcp out", { beserver: "reply" }), node("s", "tcp in", { server: "server", port: PORT, datamode: "stream", datatype: "utf8", newline: ";", topic: "" }, ["out"]), sink(), node("n", "tcp out", { beserver: "reply" })], [{ $wait: 100 }, { $to: "n", msg: { payload: "all;" } }], { alone: true, hide: ["status"] });

// Requests.
const server = func => [node("s", "tcp in", { server: "server", host: "", port: PORT, datamode: "stream", datatype: "utf8", newline: "", topic: "" }, ["sf"]), fn("sf", func, {}, ["sr"]), node("sr", "tcp out", { beserver: "reply", end: false })];
const ask = (config = {}) => [node("n", "tcp request", { server: "127.0.0.1", port: PORT, out: "time", splitc: "50", ret: "buffer", newline: "", trim: false, tls: "", ...config }, ["out"]), sink(), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin"), node("c", "catch", { scope: null }, ["err"]), sink("err")];
const requests = (name, config, func, msgs, more = {}) => add(`requests ${name}`, [...ask(config), ...server(func)], msgs, { to: "n", hide: ["log"], ...more });
const ECHO = "msg.payload = 'got ' + msg.payload + '!'; return msg;";
for (const ret of ["buffer", "string"]) {
    for (const [out, splitc] of [["time", "50"], ["time", "0"], ["char", "!"], ["char", "\\n"], ["char", "0x21"], ["char", "33"], ["count", "3"], ["count", "0"], ["count", "100"], ["immed", ""], ["sit", ""]]) for (const newline of out === "sit" && ret === "string" ? ["", "t"] : [""]) requests(`${out} ${splitc} ${ret} ${newline}`, { out, splitc, ret, newline }, ECHO, [{ payload: "one", topic: "t" }, { payload: "two" }], { slow: 900 });
}
for (const [kind, payload] of Object.entries(KINDS)) if (kind !== "null") requests(`with ${kind}`, { out: "time", splitc: "50", ret: "string" }, "msg.payload = '[' + msg.payload + ']'; return msg;", [{ payload }], { slow: 900 });
requests("where the message says", { server: "", port: "", ret: "string" }, ECHO, [{ payload: "x", host: "127.0.0.1", port: PORT }, { payload: "y" }, { payload: "z", host: "127.0.0.1" }], { slow: 900, hide: [] });
requests("in pieces", { out: "char", splitc: "!", ret: "string" }, "return [[{ ...msg, payload: 'a' }, { ...msg, payload: 'b!c' }, { ...msg, payload: 'd!' }]];", [{ payload: "x" }], { slow: 900 });
requests("and lines with ends", { out: "sit", ret: "string", newline: "\\n", trim: true }, "msg.payload = 'a\\nb\\nc'; return msg;", [{ payload: "x" }, { payload: "y" }]);
requests("and resets", { out: "sit", ret: "string" }, ECHO, [{ payload: "x" }, { reset: true }, { payload: "y" }, { reset: `127.0.0.1:${PORT}` }, { reset: "other:1" }]);
for (const out of ["time", "char", "sit", "count", "immed"]) add(`requests of nobody: ${out}`, ask({ port: "@PORT2@", out, splitc: out === "char" ? "x" : "50" }), [{ payload: "x" }], { to: "n", slow: 900 });
requests("and is ended", { out: "char", splitc: "!", ret: "string" }, "msg.payload = 'no end'; node.send(msg); setTimeout(() => node.send({ ...msg, reset: true }), 20);", [{ payload: "x" }], { slow: 900 });
for (const one of cases) if (/^a server gets: (stream|) base64 \\n|^a server gets: single base64/.test(one.name)) one.differs = "Base64 of what comes in several packets (**tcp in**)";
export default cases;
