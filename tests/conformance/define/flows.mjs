// What nodes do together: links, catch, status and complete with their scopes, subflows, groups, variables, inject, debug.
import { fn, node, placed, sink, start } from "./_flows.mjs";
import { buffer, KINDS, date } from "./_values.mjs";

const cases = [];
const add = (name, flow, msgs = [{ payload: 1 }], more = {}) => cases.push({ name, flow: placed(flow), to: flow.some(n => n.id === "in") ? "in" : undefined, ...more, msgs });
const fails = (id, ...to) => fn(id, "throw new Error('bad ' + msg.payload);", {}, ...to);

// Wires and links.
add("a wire to two nodes copies", [start("in", ["a", "b"]), fn("a", "msg.payload.x = 1; return msg;", {}, ["outa"]), fn("b", "msg.payload.y = 2; return msg;", {}, ["outb"]), sink("outa"), sink("outb")], [{ payload: {} }]);
add("links", [start("in", ["lo"]), { id: "lo", type: "link out", mode: "link", links: ["li", "li2"], wires: [] }, node("li", "link in", { links: ["lo"] }, ["out"]), node("li2", "link in", { links: ["lo"] }, ["out2"]), sink(), sink("out2")]);
add("a link that leads nowhere", [start("in", ["lo"]), { id: "lo", type: "link out", mode: "link", links: ["gone"], wires: [] }, sink()]);
const call = (config = {}) => node("lc", "link call", { links: ["li"], linkType: "static", timeout: "30", ...config }, ["out"]);
const target = (more = []) => [node("li", "link in", { links: [], name: "target" }, ["f"]), fn("f", "msg.payload += 1; return msg;", {}, ["ret"]), { id: "ret", type: "link out", mode: "return", links: [], wires: [] }, ...more];
add("a call comes back", [start("in", ["lc"]), call(), sink(), ...target()]);
add("calls by name", [start("in", ["lc"]), call({ linkType: "dynamic", links: [] }), sink(), node("c", "catch", {}, ["err"]), sink("err"), ...target()], [{ payload: 1, target: "target" }, { payload: 2, target: "nothing" }, { payload: 3 }, { payload: 4, target: 5 }]);
add("a call that never comes back", [start("in", ["lc"]), call({ timeout: "0.05" }), sink(), node("c", "catch", {}, ["err"]), sink("err"), node("li", "link in", { links: [] }, ["end"]), sink("end")], undefined, { slow: 250 });
add("a return without a call", [start("in", ["ret"]), { id: "ret", type: "link out", mode: "return", links: [], wires: [] }, node("c", "catch", {}, ["err"]), sink("err")]);
add("a call in a call", [start("in", ["lc"]), call(), sink(), node("li", "link in", {}, ["lc2"]), node("lc2", "link call", { links: ["li2"], linkType: "static", timeout: "30" }, ["ret"]), { id: "ret", type: "link out", mode: "return", wires: [] }, node("li2", "link in", {}, ["f"]), fn("f", "msg.payload *= 10; return msg;", {}, ["ret2"]), { id: "ret2", type: "link out", mode: "return", wires: [] }]);
add("a function calls a link", [start("in", ["f0"]), fn("f0", "const r = await node.linkcall('target', { payload: msg.payload * 2 }); msg.payload = r.payload; return msg;", {}, ["out"]), sink(), ...target()], undefined, { slow: 150 });

// Catch.
for (const [what, scope] of [["all", null], ["one", ["f"]], ["another", ["other"]], ["none", []]]) {
    add(`caught: ${what}`, [start("in", ["f"]), fails("f"), node("other", "junction"), node("c", "catch", { scope, uncaught: false }, ["err"]), sink("err")], [{ payload: 1, topic: "t" }, { payload: "x", error: "old" }]);
}
add("caught by those that are left", [start("in", ["f", "g"]), fails("f"), fails("g"), node("c", "catch", { scope: ["f"] }, ["err"]), node("u", "catch", { scope: null, uncaught: true }, ["left"]), sink("err"), sink("left")]);
add("caught twice", [start("in", ["f"]), fails("f"), node("c", "catch", { scope: null }, ["err"]), node("c2", "catch", { scope: ["f"] }, ["err2"]), sink("err"), sink("err2")]);
add("an error without a message", [start("in", ["f"]), fn("f", "node.error('nobody'); return msg;", {}, ["out"]), node("c", "catch", { scope: null }, ["err"]), sink("err"), sink()]);
for (const what of ["'text'", "{ a: 1 }", "new TypeError('t')", "5", "Object.assign(new Error('c'), { code: 'E' })"]) add(`caught ${what}`, [start("in", ["f"]), fn("f", `node.error(${what}, msg);`, { name: "named" }, []), node("c", "catch", { scope: null }, ["err"]), sink("err")]);
for (const [type, config] of [["change", { rules: [{ t: "set", p: "payload", pt: "msg", to: "$error('x')", tot: "jsonata" }] }], ["json", { property: "payload" }], ["template", { template: "{{#a}}", field: "payload", syntax: "mustache", output: "str" }], ["switch", { property: "payload", propertyType: "msg", rules: [{ t: "regex", v: "[", vt: "str" }], outputs: 1 }], ["csv", { sep: "," }], ["xml", {}], ["yaml", {}], ["split", {}], ["sort", { target: "payload", targetType: "msg", msgKey: "(", msgKeyType: "jsonata" }], ["join", { mode: "auto" }], ["file in", { filename: "/nothing/there", filenameType: "str", format: "utf8" }], ["html", { tag: "li[" }]]) {
    if (type !== "sort") add(`an error of a ${type} is caught`, [start("in", ["n"]), node("n", type, config, ["out"]), node("c", "catch", { scope: null }, ["err"]), sink("err"), sink()], [{ payload: "{" }], type === "file in" ? { slow: 150 } : {});
}

// Status and complete.
for (const scope of [null, ["f"], ["other"]]) {
    add(`statuses of ${JSON.stringify(scope)}`, [start("in", ["f"]), fn("f", "node.status({ fill: 'red', shape: 'dot', text: 's' + msg.payload }); node.status({});", { name: "n" }, []), node("other", "junction"), node("s", "status", { scope }, ["out"]), sink()]);
}
add("a status that is a text", [start("in", ["f"]), fn("f", "node.status('just text');", {}, []), node("s", "status", { scope: null }, ["out"]), sink()]);
for (const scope of [["f"], ["f", "g"], []]) add(`completed: ${JSON.stringify(scope)}`, [start("in", ["f"]), fn("f", "msg.payload++; return msg;", { name: "n" }, ["g"]), node("g", "change", { rules: [{ t: "set", p: "x", pt: "msg", to: "1", tot: "num" }] }, []), node("done", "complete", { scope }, ["out"]), sink()]);
add("completed by hand", [start("in", ["f"]), fn("f", "setTimeout(() => node.done(), 10);", {}, []), node("done", "complete", { scope: ["f"] }, ["out"]), sink()], undefined, { slow: 120 });
add("what fails is not completed", [start("in", ["f"]), fails("f"), node("done", "complete", { scope: ["f"] }, ["out"]), sink()]);
for (const [type, config, msg] of [["delay", { pauseType: "delay", timeout: "10", timeoutUnits: "milliseconds" }, {}], ["trigger", { op1: "1", op2: "0", op1type: "str", op2type: "str", duration: "20", units: "ms" }, {}], ["switch", { property: "payload", propertyType: "msg", rules: [{ t: "else" }], outputs: 1 }, {}], ["rbe", { func: "rbe" }, {}], ["template", { template: "x", field: "payload" }, {}], ["json", {}, { payload: {} }], ["range", { minin: 0, maxin: 1, minout: 0, maxout: 1 }, {}], ["split", {}, { payload: "a\nb" }], ["debug", { active: true, complete: "payload", tosidebar: true }, {}], ["csv", {}, { payload: "1,2" }], ["sort", { target: "payload", targetType: "msg" }, { payload: [2, 1] }]]) {
    add(`completed: a ${type}`, [start("in", ["f"]), node("f", type, config, ["out"]), node("done", "complete", { scope: ["f"] }, ["finished"]), sink(), sink("finished")], [{ payload: 1, ...msg }], { slow: 120 });
}

// Subflows.
const template = (config = {}, inner, id = "sub") => [{ id, type: "subflow", name: `S ${id}`, info: "", in: [{ wires: [{ id: "inner" }] }], out: [{ wires: [{ id: "inner", port: 0 }] }], env: [], ...config }, ...inner.map(n => ({ ...n, z: id }))];
const inst = (config = {}, to = ["out"]) => node("inst", "subflow:sub", { name: "I", ...config }, to);
add("a subflow", [...template({}, [fn("inner", "msg.payload = [msg.payload, node.z === undefined]; return msg;", {}, [])]), start("in", ["inst"]), inst(), sink()]);
add("two instances have their own contexts", [...template({}, [fn("inner", "const n = (flow.get('n') || 0) + 1; flow.set('n', n); msg.payload = n; return msg;", {}, [])]), start("in", ["inst", "i2"]), inst(), node("i2", "subflow:sub", {}, ["out2"]), sink(), sink("out2")], [{}, {}]);
add("a subflow's outputs", [...template({ out: [{ wires: [{ id: "inner", port: 0 }] }, { wires: [{ id: "inner", port: 1 }, { id: "sub", port: 0 }] }] }, [fn("inner", "return [{ payload: 'a' }, { payload: 'b' }];", {}, [], [])]), start("in", ["inst"]), node("inst", "subflow:sub", {}, ["out"], ["out2"]), sink(), sink("out2")]);
const types = [["str", "text"], ["num", "5"], ["bool", "true"], ["json", "{\"a\":[1]}"], ["bin", "[104,105]"], ["re", "a+"], ["date", ""], ["env", "CASE_S"], ["jsonata", "1+1"], ["cred", "x"], ["flow", "subA"], ["strange", "y"]];
for (const [type, value] of types) {
    const inner = [fn("inner", "const v = env.get('V'); msg.payload = [v, typeof v, env.get('W'), Buffer.isBuffer(v)]; return msg;", {}, [])];
    if (type === "cred") continue;
    add(`a subflow's variable: ${type}`, [...template({ env: [{ name: "V", type, value }, { name: "W", type: "str", value: "own" }] }, inner), start("in", ["inst"]), inst(), sink()], undefined, { env: { CASE_S: "house" } });
    add(`an instance's variable: ${type}`, [...template({ env: [{ name: "V", type: "str", value: "default" }] }, inner), start("in", ["inst"]), inst({ env: [{ name: "V", type, value }, { name: "W", type: "num", value: "7" }] }), sink()], undefined, { env: { CASE_S: "house" } });
}
for (const asked of ["A", "$parent.A", "$parent.$parent.A", "B", "$parent.B", "NR_SUBFLOW_NAME", "NR_SUBFLOW_ID", "NR_SUBFLOW_PATH", "NR_NODE_PATH", "NR_FLOW_NAME", "NR_GROUP_NAME", "${A}", "x-${A}-${B}"]) {
    const ask = `msg.payload = env.get(${JSON.stringify(asked)}); return msg;`;
    add(`variables around variables: ${asked}`, [{ id: "tab1", type: "tab", label: "the tab", env: [{ name: "A", type: "str", value: "tab" }, { name: "B", type: "env", value: "A" }] },
        ...template({ env: [{ name: "A", type: "str", value: "template" }] }, [fn("inner", ask, {}, [])]),
        { ...start("in", ["f", "inst"]), z: "tab1" }, { id: "g", type: "group", z: "tab1", name: "the group", nodes: ["f"], env: [{ name: "A", type: "str", value: "group" }] }, { ...fn("f", ask, {}, ["out"]), z: "tab1", g: "g" }, { ...inst({ env: [{ name: "A", type: "env", value: "$parent.A" }] }, ["out2"]), z: "tab1" }, { ...sink(), z: "tab1" }, { ...sink("out2"), z: "tab1" }]);
}
add("properties from variables", [...template({ env: [{ name: "TEXT", type: "str", value: "default" }, { name: "N", type: "num", value: "3" }] }, [node("inner", "change", { rules: [{ t: "set", p: "payload", pt: "msg", to: "${TEXT}", tot: "str" }, { t: "set", p: "n", pt: "msg", to: "N", tot: "env" }, { t: "set", p: "part", pt: "msg", to: "a ${TEXT}", tot: "str" }] }, [])]), start("in", ["inst", "i2"]), inst(), node("i2", "subflow:sub", { env: [{ name: "TEXT", type: "str", value: "own" }] }, ["out"]), sink()]);
add("an error leaves a subflow", [...template({}, [fails("inner", [])]), start("in", ["inst"]), inst(), node("c", "catch", { scope: null }, ["err"]), sink("err"), sink()]);
add("an error stays in a subflow", [...template({}, [fails("inner", []), node("c0", "catch", { scope: null }, [])]), start("in", ["inst"]), inst(), node("c", "catch", { scope: null }, ["err"]), sink("err"), sink()]);
add("a status of a subflow", [...template({ status: { wires: [{ id: "inner", port: 0 }] } }, [fn("inner", "return { payload: { fill: 'red', text: 'sub' } };", {}, [])]), start("in", ["inst"]), inst(), node("s", "status", { scope: ["inst"] }, ["st"]), sink("st"), sink()], undefined, { hide: ["status"] });
add("a subflow in a subflow", [...template({}, [node("inner", "subflow:sub2", { name: "inner one" }, [])]), { id: "sub2", type: "subflow", name: "S2", in: [{ wires: [{ id: "inner2" }] }], out: [{ wires: [{ id: "inner2", port: 0 }] }], env: [] }, { ...fn("inner2", "msg.payload = [env.get('NR_SUBFLOW_NAME'), env.get('NR_FLOW_NAME')]; return msg;", {}, []), z: "sub2" }, start("in", ["inst"]), inst(), sink()]);

// Groups.
add("a catch in a group", [{ id: "g", type: "group", name: "G", nodes: ["f", "c"], env: [] }, start("in", ["f", "f2"]), { ...fails("f"), g: "g" }, fails("f2"), { ...node("c", "catch", { scope: "group" }, ["err"]), g: "g" }, node("c2", "catch", { scope: null }, ["all"]), sink("err"), sink("all")]);
add("a status in a group", [{ id: "g", type: "group", name: "G", nodes: ["f", "s"], env: [] }, start("in", ["f", "f2"]), { ...fn("f", "node.status({ text: 'in' });", {}, []), g: "g" }, fn("f2", "node.status({ text: 'out' });", {}, []), { ...node("s", "status", { scope: "group" }, ["st"]), g: "g" }, sink("st")]);

// Inject.
const inject = (props, more = {}) => [node("i", "inject", { props, repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "", payloadType: "date", ...more }, ["out"]), sink()];
const press = [{ $button: "i" }];
for (const [v, vt] of [["text", "str"], ["5", "num"], ["x", "num"], ["true", "bool"], ["yes", "bool"], ["{\"b\":1,\"a\":2}", "json"], ["{", "json"], ["[1,2]", "bin"], ["", "date"], ["iso", "date"], ["object", "date"], ["CASE_I", "env"], ["injectFlow", "flow"], ["injectGlobal", "global"], ["1+1", "jsonata"], ["(", "jsonata"], ["$error('x')", "jsonata"], ["topic", "msg"], ["", "none"], ["a+", "re"]]) {
    if (v !== "(") add(`injects ${vt} ${v}`, inject([{ p: "payload", v, vt }, { p: "topic", v: "t", vt: "str" }, { p: "late.r", v: "payload", vt: "msg" }]), press, { env: { CASE_I: "house" } });
    if (vt !== "msg" && v !== "(") add(`injects ${vt} ${v}, of old flows`, inject(undefined, { payload: v, payloadType: vt, topic: "t" }), press, { env: { CASE_I: "house" } });
}
add("injects into paths", inject([{ p: "a.b.c", v: "1", vt: "num" }, { p: "a['d e']", v: "x", vt: "str" }, { p: "list[1]", v: "y", vt: "str" }, { p: "payload" }, { p: "topic", vt: "str" }], { payload: "p", payloadType: "str", topic: "q" }), press);
add("injects nothing", inject([]), press);
add("injects what is asked for", inject([{ p: "payload", v: "own", vt: "str" }]), [{ $button: "i", msg: { __user_inject_props__: [{ p: "payload", v: "other", vt: "str" }, { p: "n", v: "5", vt: "num" }] } }]);
add("injects a message on top", inject([{ p: "payload", v: "own", vt: "str" }]), [{ $button: "i", msg: { payload: "x", more: 1 } }]);

// Debug.
const debug = config => [start("in", ["d"]), { id: "d", type: "debug", name: "", active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", ...config, wires: [] }];
for (const complete of ["payload", "false", "true", "topic", "payload.a", "nothing", "payload[", "_msgid"]) add(`shows ${complete}`, debug({ complete }), [{ payload: { a: [1] }, topic: "t" }, { payload: "x" }]);
for (const [kind, payload] of Object.entries(KINDS)) add(`shows ${kind}`, debug({}), [{ payload }]);
for (const complete of ["payload", "true", "payload.a", "topic"]) for (const [statusVal, statusType] of [["", "auto"], ["payload", "msg"], ["topic", "msg"], ["$string(payload)", "jsonata"], ["", "counter"]]) add(`status of ${complete}, ${statusType} ${statusVal}`, debug({ complete, tostatus: true, statusVal, statusType, tosidebar: false }), [{ payload: 5, topic: "t" }, { payload: { a: "a text that is longer than thirty-two characters are" } }, { payload: true }, { payload: buffer("x") }, { payload: [1, 2] }, { payload: null }], statusType === "counter" ? { hide: ["status"] } : {}); // (counters are shown at intervals)
add("shows an expression", debug({ complete: "payload * 2", targetType: "jsonata" }), [{ payload: 4 }, { payload: "x" }]);
add("shows nothing while it is off", debug({ active: false }), [{ payload: 4 }]);
add("a debug node is named", debug({ name: "n" }), [{ payload: 4, topic: "t" }, { payload: 5, topic: 6 }]);
add("shows dates and others", debug({}), [date("2020-01-01T00:00:00.000Z"), { $type: "regexp", source: "a", flags: "g" }, { $type: "map", entries: [["a", 1]] }, { $type: "set", values: [1] }, { $type: "bigint", value: "5" }, { $type: "error", name: "TypeError", message: "e", stack: "s" }].map(payload => ({ payload })));
// What a timer begins gets its id when it is sent; an expression for the status is evaluated after the rest.
add("the id of what begins by itself", [{ id: "i", type: "inject", props: [{ p: "payload" }, { p: "topic", vt: "str" }], payload: "a", payloadType: "str", topic: "t", once: true, onceDelay: "0.05", wires: [["d"]] }, node("d", "debug", { active: true, tosidebar: true, complete: "true" })], [{ $wait: 200 }], { slow: 200 });
for (const complete of ["payload", "true"]) add(`a status by an expression, ${complete} shown`, [node("in", "debug", { active: true, tosidebar: true, tostatus: true, complete, statusType: "jsonata", statusVal: "topic & payload" })], [{ payload: 1, topic: "t" }, { payload: 2 }]);
export default cases;
