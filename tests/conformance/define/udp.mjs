// udp in and udp out: kinds of payloads, addresses from the message, answers, broadcast.
import { fn, node, placed, sink } from "./_flows.mjs";
import { buffer, KINDS } from "./_values.mjs";

const slow = 150;
const cases = [];
const input = (config = {}) => node("in", "udp in", { iface: "", port: "@PORT1@", ipv: "udp4", multicast: "false", group: "", datatype: "buffer", ...config }, ["out"]);
const output = (config = {}) => node("n", "udp out", { addr: "127.0.0.1", iface: "", port: "@PORT1@", ipv: "udp4", outport: "", base64: false, multicast: "false", ...config });
const add = (name, nodes, msgs, more = {}) => cases.push({ name, flow: placed([...nodes, sink(), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin"), node("c", "catch", { scope: null }, ["err"]), sink("err")]), to: "n", slow, hide: ["log"], ...more, msgs: [{ $wait: 120 }, ...msgs] });
/** Without the port that the system chose. */
const local = [input({ datatype: "utf8" }), output()];
for (const datatype of ["buffer", "utf8", "base64", ""]) add(`gets ${datatype}`, [{ ...input({ datatype }), wires: [["f"]] }, fn("f", "msg.fromip = msg.fromip.split(':')[0]; return msg;", {}, ["out"]), output()], [{ payload: "text ä" }, { payload: buffer(Buffer.from([0xff, 0, 0xc3])) }, { payload: "" }]);
for (const base64 of [false, true]) for (const [kind, payload] of Object.entries(KINDS)) if (!base64 || ["text", "buffer", "empty text", "number text", "array"].includes(kind)) add(`sends ${kind}, ${base64}`, [{ ...input({ datatype: "utf8" }), wires: [["f"]] }, fn("f", "return { payload: msg.payload };", {}, ["out"]), output({ base64 })], [{ payload }]);
add("sends nothing", local, [{ topic: "t" }]);
const bare = (config = {}) => [{ ...input({ datatype: "utf8" }), wires: [["f"]] }, fn("f", "return { payload: msg.payload };", {}, ["out"]), output(config)];
add("an address of the message", bare({ addr: "", port: "" }), [{ payload: 1, ip: "127.0.0.1", port: "@PORT1@" }, { payload: 2 }, { payload: 3, ip: "127.0.0.1" }, { payload: 4, ip: "127.0.0.1", port: "x" }, { payload: 5, ip: "127.0.0.1", port: 70000 }, { payload: 6, ip: "127.0.0.1", port: -1 }], { hide: [] });
add("an address that is none", bare({ addr: "nothing.invalid" }), [{ payload: 1 }], { slow: 400 });
add("an address of both", bare(), [{ payload: 1, ip: "nothing.invalid", port: 1 }]);
cases.push({ name: "too much", flow: placed([fn("f", "msg.payload = 'x'.repeat(70000); return msg;", {}, ["n"]), output(), node("c", "catch", { scope: null }, ["e"]), fn("e", "return { error: msg.error };", {}, ["err"]), sink("err")]), to: "f", slow, hide: ["log"], msgs: [{ $wait: 120 }, {}] });
add("answers", [node("in2", "udp in", { port: "@PORT2@", ipv: "udp4", multicast: "false", datatype: "utf8" }, ["g"]), fn("g", "return { payload: msg.payload, ip: msg.ip };", {}, ["out"]), { ...input({ datatype: "utf8" }), wires: [["f"]] }, fn("f", "msg.payload = 'got ' + msg.payload; return msg;", {}, ["r"]), node("r", "udp out", { addr: "", port: "", ipv: "udp4", outport: "", base64: false, multicast: "false" }), output({ outport: "@PORT2@" })], [{ payload: "x" }]);
add("sends from a port", [input({ datatype: "utf8" }), output({ outport: "@PORT2@" })], [{ payload: "x" }]);
add("broadcast", [{ ...input({ datatype: "utf8" }), wires: [["f"]] }, fn("f", "return { payload: msg.payload };", {}, ["out"]), output({ multicast: "broad", addr: "255.255.255.255" })], [{ payload: "x" }]);
add("IPv6", [input({ datatype: "utf8", ipv: "udp6" }), output({ ipv: "udp6", addr: "::1", outport: "@PORT2@" })], [{ payload: "x" }]);
add("two inputs on a port", [{ ...input({ datatype: "utf8" }), wires: [["f"]] }, node("in2", "udp in", { port: "@PORT1@", ipv: "udp4", multicast: "false", datatype: "buffer" }, ["f"]), fn("f", "return { payload: msg.payload };", {}, ["out"]), output()], [{ payload: "x" }]);
add("an interface that is none", [input({ iface: "none0" }), output({ iface: "none1" })], [], { hide: [] });
export default cases;
