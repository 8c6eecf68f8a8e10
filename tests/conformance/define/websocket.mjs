// websocket in and out, at a listener and as clients: texts, buffers, whole messages, sessions, ends.
import { fn, node, placed, sink } from "./_flows.mjs";
import { buffer, KINDS, undef } from "./_values.mjs";

const slow = 150;
const cases = [];
const add = (name, flow, msgs, more = {}) => cases.push({ name, flow: placed(flow), slow, ...more, msgs });
const listener = (config = {}) => ({ id: "l", type: "websocket-listener", path: "/@ID@ws", wholemsg: "false", ...config });
const client = (config = {}) => ({ id: "k", type: "websocket-client", path: "ws://@HOST@/@ID@ws", tls: "", wholemsg: "false", hb: "0", subprotocol: "", headers: [], ...config });
const input = (id, config, to) => node(id, "websocket in", { name: "", server: "", client: "", ...config }, to);
const output = (id, config) => node(id, "websocket out", { name: "", server: "", client: "", ...config });
const done = [node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin"), node("c", "catch", { scope: null }, ["err"]), sink("err")];

// A raw client.
const open = (more = "") => ({ $tcp: "a", port: "@HPORT@", send: `GET /@ID@ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`, read: "head", show: ["upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol"] });
const frame = (op, content) => {
    const bytes = Buffer.from(content);
    const head = bytes.length < 126 ? [0x80 | bytes.length] : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
    return buffer(Buffer.concat([Buffer.from([0x80 | op, ...head, 0, 0, 0, 0]), bytes]));
};
const send = (op, content, more = {}) => ({ $tcp: "a", port: "@HPORT@", send: frame(op, content), ...more });
for (const wholemsg of ["false", "true", true, undefined]) add(`a listener gets, whole ${wholemsg}`, [listener({ wholemsg }), input("in", { server: "l" }, ["out"]), sink()], [open(), ...["text ä", "{\"payload\":1,\"topic\":\"t\"}", "[1,2]", "5", "\"x\"", "{", "", "true", "{\"_msgid\":\"own\",\"_session\":1}"].map(text => send(1, text)), send(2, Buffer.from([1, 255])), send(2, "{\"a\":1}"), send(8, Buffer.from([3, 232, 98]), { read: "end" }), { $wait: 50 }]);
add("a listener answers", [listener(), input("in", { server: "l" }, ["f"]), fn("f", "msg.payload = 'got ' + msg.payload; return msg;", {}, ["n"]), output("n", { server: "l" }), ...done], [open(), send(1, "x", { read: 7 }), send(9, "ping", { read: 6 }), send(8, "", { read: "end" })]);
add("a part of a text", [listener(), input("in", { server: "l" }, ["out"]), sink()], [open(), { $tcp: "a", port: "@HPORT@", send: buffer(Buffer.from([1, 0x81, 0, 0, 0, 0, 97])) }, { $tcp: "a", port: "@HPORT@", send: buffer(Buffer.from([0x80, 0x81, 0, 0, 0, 0, 98])) }]);
add("a frame that is none", [listener(), input("in", { server: "l" }, ["out"]), sink()], [open(), { $tcp: "a", port: "@HPORT@", send: buffer(Buffer.from([0x83, 0x80, 0, 0, 0, 0])), read: "end" }], { hide: ["log"] });
add("a protocol is asked for", [listener(), input("in", { server: "l" }, ["out"]), sink()], [open("Sec-WebSocket-Protocol: p, q\r\n")]);
add("no websocket at all", [listener(), input("in", { server: "l" }, ["out"]), sink()], [{ $request: "GET /@ID@ws" }]);
add("two listeners on a path", [listener(), { ...listener(), id: "l2" }, input("in", { server: "l" }, ["out"]), input("in2", { server: "l2" }, ["out"]), sink()], [open(), send(1, "x")]);
add("two inputs of a listener", [listener(), input("in", { server: "l" }, ["out"]), input("in2", { server: "l" }, ["out2"]), sink(), sink("out2")], [open(), send(1, "x"), send(8, "")]);

// What is sent.
for (const wholemsg of ["false", "true"]) for (const [kind, payload] of Object.entries(KINDS)) add(`sends ${kind}, whole ${wholemsg}`, [listener({ wholemsg }), output("n", { server: "l" }), ...done], [open(), { $to: "n", msg: { payload, topic: "t", _msgid: "m" } }, { $to: "n", msg: { payload: "|", _msgid: "m" } }, { $tcp: "a", port: "@HPORT@", read: "|" }]);
add("sends without a payload", [listener(), output("n", { server: "l" }), ...done], [open(), { $to: "n", msg: { topic: "t" } }, { $to: "n", msg: { payload: undef } }]);
add("sends to a session", [listener(), output("n", { server: "l" }), ...done], [open(), { $to: "n", msg: { payload: "x", _session: { type: "websocket", id: "none" } } }, { $to: "n", msg: { payload: "y", _session: { type: "other", id: "none" } } }, { $tcp: "a", port: "@HPORT@", read: 3 }, { $to: "n", msg: { payload: "z", _session: 5 } }]);
add("sends to all", [listener(), output("n", { server: "l" }), ...done], [open(), { ...open(), $tcp: "b" }, { $to: "n", msg: { payload: "all" } }, { $tcp: "a", port: "@HPORT@", read: 5 }, { $tcp: "b", port: "@HPORT@", read: 5, close: true }, { $wait: 50 }, { $to: "n", msg: { payload: "one" } }, { $tcp: "a", port: "@HPORT@", read: 5 }]);
add("a listener that stops", [listener(), input("in", { server: "l" }, ["out"]), sink()], [open(), { $stop: true }, { $wait: 50 }], { hide: ["log", "status"] });

// Clients.
const both = (more = {}, listening = {}) => [listener(listening), input("in", { server: "l" }, ["out"]), sink(), client(more), input("kin", { client: "k" }, ["kout"]), sink("kout"), output("n", { client: "k" }), output("ln", { server: "l" }), ...done];
for (const wholemsg of ["false", "true"]) {
    for (const [kind, payload] of Object.entries(KINDS)) add(`a client sends ${kind}, whole ${wholemsg}`, both({ wholemsg }), [{ $wait: 150 }, { $to: "n", msg: { payload, topic: "t", _msgid: "m" } }]);
    add(`a client gets, whole ${wholemsg}`, both({ wholemsg }), [{ $wait: 150 }, ...["text", "{\"payload\":1}", "[1]", "5", buffer("b")].map(payload => ({ $to: "ln", msg: { payload } }))]);
}
add("a client's protocol", both({ subprotocol: "p" }), [{ $wait: 150 }, { $to: "n", msg: { payload: "x" } }]);
add("a client without a server", [client({ path: "ws://127.0.0.1:@PORT1@/x" }), input("kin", { client: "k" }, ["kout"]), sink("kout"), output("n", { client: "k" }), ...done], [{ $wait: 150 }, { $to: "n", msg: { payload: "x" } }]);
add("a client where there is no websocket", [client({ path: "ws://@HOST@/@ID@none" }), input("kin", { client: "k" }, ["kout"]), sink("kout")], [{ $wait: 150 }]);
add("no configuration", [input("in", {}, ["out"]), sink(), output("n", {}), ...done], [{ $to: "n", msg: { payload: "x" } }]);
export default cases;
