// function: what it returns, sends, logs and raises; contexts, variables, timers, buffers and the language.
import { buffer, date, KINDS, NAN, undef } from "./_values.mjs";

const cases = [];
/** What vgdc does otherwise: rows of docs/differences.md. */
const engine = { differs: "Texts of some of JavaScript's errors" };
const globals = { differs: "`setImmediate`, `atob`, `btoa`, `structuredClone`, `TextEncoder` in a function" };
const objects = { differs: "A message that is a date, a map, a regular expression or an error" };
const add = (name, func, msgs = [{ payload: 1, topic: "t" }], more = {}) => {
    const { outputs = 1, config, ...others } = more;
    cases.push({ name, node: { type: "function", func, outputs, timeout: "", noerr: 0, initialize: "", finalize: "", libs: [], ...config }, outputs, ...others, msgs });
};
// What is returned.
const returns = ["msg", "null", "undefined", "", "[msg]", "[msg, msg]", "[[msg, {payload: 2}], {payload: 3}]", "[null, msg]", "[[], msg]", "[undefined, msg]", "{payload: 1}", "5", "'text'", "true", "[5]", "[['a']]", "[[msg, null, msg]]", "Buffer.from('x')", "new Date(0)", "() => 1", "[[[msg]]]", "Symbol('a')", "NaN", "0", "false", "[msg, msg, msg, msg]", "new Map()", "/x/", "Object.create(null)", "new Error('e')"];
for (const value of returns) {
    const known = ["new Date(0)", "new Map()", "/x/", "new Error('e')"].includes(value) ? objects : {};
    add(`returns ${value || "nothing"}`, `return ${value};`, undefined, { outputs: 3, ...known });
    if (!value.includes("Symbol") && !value.includes("=>")) add(`sends ${value || "nothing"}`, `node.send(${value});`, undefined, { outputs: 3, ...known });
}
// Kinds of values go in and out.
for (const [kind, payload] of Object.entries(KINDS)) add(`passes on ${kind}`, "msg.copy = RED.util.cloneMessage(msg).payload; msg.type = typeof msg.payload; msg.text = String(msg.payload); return msg;", [{ payload }]);
// Several messages, copies, ids.
add("copies of what is sent", "node.send(msg); msg.payload = 2; node.send([msg, msg]); msg.payload = 3; return msg;", undefined, { outputs: 2 });
add("an object that two messages share", "const o = {a: 1}; node.send([[{payload: o}, {payload: o}]]); o.a = 2; return {payload: o};");
add("a message without an id gets one", "return [{payload: 'a'}, {payload: 'b', _msgid: msg._msgid}];", undefined, { outputs: 2 });
add("each item of a list", "for (const p of msg.payload) node.send({ payload: p, topic: msg.topic }); return null;", [{ payload: [1, "a", null, { b: 2 }], topic: "t" }]);
add("counts in its context", "const n = (context.get('n') || 0) + 1; context.set('n', n); msg.payload = n; return msg;", [{}, {}, {}]);
// `msg` is another message: what is sent has the id that it came with.
for (const body of ["msg = {}; msg.payload = 'new'; return msg;", "if (msg.payload > 1) { msg = { payload: 'big' }; } return msg;", "var msg = { topic: 'var' }; return msg;", "const id = msg._msgid; msg = { payload: id }; node.send(msg); return [msg, { payload: msg._msgid }];", "msg = RED.util.cloneMessage(msg); delete msg._msgid; return msg;", "msg = { _msgid: 'own', payload: Object.keys(msg) }; return msg;", "msg.payload = [1, 2].map(n => { msg = { payload: n }; return n; }); return msg;"]) {
    add(`another message: ${body}`, body, [{ payload: 1, topic: "t" }, { payload: 2 }], { outputs: 2 });
}
// Asynchronous functions that a method of the message's own arrays calls.
add("waits for each item", "msg.payload = await Promise.all(msg.payload.map(async item => item * 2)); return msg;", [{ payload: [1, 2] }, { payload: [] }]);
add("waits inside of each item", "await Promise.all(msg.payload.map(async item => { await null; node.send({ payload: item }); })); return msg;", [{ payload: [1, "a"] }]);
add("fails inside of each item", "await Promise.all(msg.payload.map(async item => { await null; return item.a.b; })); return msg;", [{ payload: [{}] }]);
add("sorts and filters what waits", "const all = await Promise.all(msg.payload.filter(item => item > 1).map(async item => { await null; return [item, msg.topic]; })); msg.payload = all.sort((a, b) => b[0] - a[0]); return msg;", [{ payload: [1, 3, 2], topic: "t" }]);
// Errors.
for (const body of ["for (const x of msg.payload.list) { node.warn(x); }", "msg.payload = [...msg.payload.list];", "msg.payload = Math.max(...msg.payload.list);", "const [a, b] = msg.payload.list; msg.payload = a;", "for (const [key, value] of msg.payload.list) { node.warn(key); }"]) add(`fails: ${body}`, `${body}\nreturn msg;`, [{ payload: {} }, { payload: { list: [[1, 2], [3, 4]] } }]);
for (const thrown of ["new Error('bad')", "'text'", "new TypeError('type')", "{ a: 1 }", "5", "null", "undefined", "Object.assign(new Error('coded'), { code: 'E1', extra: [1] })"]) {
    add(`throws ${thrown}`, `\nthrow ${thrown};`, undefined, thrown === "null" ? { differs: "A function throws `null`" } : {});
    add(`node.error(${thrown}, msg)`, `node.error(${thrown}, msg); return msg;`);
    add(`node.error(${thrown})`, `node.error(${thrown}); return msg;`);
    add(`node.warn(${thrown})`, `node.warn(${thrown}); return msg;`);
    add(`node.log(${thrown})`, `node.log(${thrown}); return msg;`);
    add(`node.done(${thrown})`, `node.done(${thrown});`, undefined, /null|undefined/.test(thrown) ? { differs: "A function calls `node.done(null)`" } : {});
}
for (const body of ["msg.payload.a.b = 1;", "nothing.at.all", "undefinedFunction();", "const c = 1; c = 2;", "null.x", "undefined.y()", "msg.payload();", "new Array(-1)", "JSON.parse('{')", "'a'.repeat(-1)", "(1).toFixed(200)", "decodeURIComponent('%')", "BigInt('x')", "Symbol() + ''", "class A { constructor() { this.x; } } A();", "let x = x;", "[].reduce((a, b) => a)", "msg.payload.foo.bar", "in"]) {
    if (body !== "in") add(`fails: ${body}`, `${body}\nreturn msg;`, [{ payload: { } }], /^(const c|BigInt|class A)/.test(body) ? engine : {});
}
add("does not parse", "return msg", [{ payload: 1 }], { config: { func: "if (" } });
// Statuses, node's properties.
for (const status of ["{fill: 'red', shape: 'ring', text: 'x'}", "{}", "'text'", "{text: 5}", "{text: {a: 1}}", "null", "5", "{fill: 'red'}", "''"]) if (status !== "null") add(`status ${status}`, `node.status(${status}); return msg;`);
add("what a node knows of itself", "msg.payload = [node.id, node.name, typeof node.outputCount, node.outputCount]; return msg;", undefined, { config: { name: "a name" } });
add("done is called by hand", "node.done(); node.send(msg);");
add("what comes later", "setTimeout(() => { msg.payload = 'later'; node.send(msg); node.done(); }, 5);", undefined, { slow: 150 });
add("an async function", "await new Promise(r => setTimeout(r, 3)); msg.payload = 'awaited'; return msg;", undefined, { slow: 150 });
add("an async function that fails", "await new Promise(r => setTimeout(r, 3)); throw new Error('later');", undefined, { slow: 150 });
add("a promise is returned", "return Promise.resolve(msg);", undefined, { slow: 150 });
add("a promise that fails is returned", "return Promise.reject(new Error('no'));", undefined, { slow: 150 });
add("timers in their order", "const out = []; setTimeout(() => out.push('b'), 20); setTimeout(() => out.push('a'), 5); const t = setTimeout(() => out.push('c'), 10); clearTimeout(t); setTimeout(() => node.send({ payload: out }), 40);", undefined, { slow: 250 });
add("what is not there in a function", "setImmediate(() => {});", undefined, globals);
add("an interval", "let n = 0; const t = setInterval(() => { n++; node.send({ payload: n }); if (n === 3) clearInterval(t); }, 5);", undefined, { slow: 250 });
// At the start and at the end.
add("what is set up at the start", "msg.payload = [context.get('a'), flow.get('functionStart')]; return msg;", [{}], { config: { initialize: "context.set('a', 1); flow.set('functionStart', 2);" } });
add("what is sent at the start is lost or not", "return msg;", [{}], { config: { initialize: "context.set('b', (context.get('b') || 0) + 1); node.status({text: 'ready'});" } });
add("a start that fails", "return msg;", [{}], { config: { initialize: "throw new Error('start');" } });
add("an end", "return msg;", [{}, { $stop: true }], { config: { finalize: "node.warn('end');" } });
// Contexts and variables.
add("contexts", "flow.set('functionA', {x: [1]}); global.set('functionB', msg.payload); context.set(['c', 'd'], [1, 2]); msg.payload = [flow.get('functionA'), flow.get('functionA.x[0]'), global.get('functionB'), context.get('c'), context.get(['c', 'd']), context.keys().sort(), flow.get('nothing')]; return msg;");
add("contexts by a callback", "flow.set('functionC', 1, err => { flow.get('functionC', (err, value) => { msg.payload = [err, value]; node.send(msg); }); });", undefined, { slow: 100 });
add("contexts: what is put there is no copy", "const o = {a: 1}; context.set('o', o); o.a = 2; msg.payload = context.get('o'); return msg;");
add("a path in a context", "context.set('p.q[1]', 5); context.set('p.r', undefined); msg.payload = context.get('p'); return msg;");
add("variables", "msg.payload = ['CASE_F', 'NOT_THERE', 'NR_NODE_NAME', 'NR_FLOW_NAME', 'CASE_N'].map(name => [env.get(name), typeof env.get(name)]); return msg;", undefined, { env: { CASE_F: "house", CASE_N: "5" }, config: { name: "me" } });
add("global context from the settings", "msg.payload = [global.get('given'), global.get('given.a')]; return msg;", undefined, { settings: { functionGlobalContext: { given: { a: 1 } } } });
// RED.util
add("RED.util", "msg.payload = [RED.util.getMessageProperty(msg, 'payload.a[0]'), RED.util.compareObjects({a: [1]}, {a: [1]}), RED.util.normalisePropertyExpression(\"a['b c'][0].d\"), RED.util.ensureString({a: 1}), RED.util.ensureBuffer('x'), RED.util.setMessageProperty(msg, 'x.y', 2, true), msg.x, typeof RED.util.generateId()]; return msg;", [{ payload: { a: ["q"] } }]);
add("JSONata in a function", "const e = RED.util.prepareJSONataExpression('payload + 1', node); RED.util.evaluateJSONataExpression(e, msg, (err, v) => node.send({ payload: [err, v] }));", [{ payload: 1 }], { slow: 100 });
for (const [what, text, input] of [["in the older form", "msg.payload + 1", "msg"], ["of a list", "$sum($)", "[1, 2, 3]"], ["of a variable", "$env('NR_NODE_NAME')", "msg"], ["of a copy", "$clone($)", "msg"], ["of nothing", "nothing", "msg"]]) add(`JSONata ${what}`, `flow.set('jsonataCase', 7); const e = RED.util.prepareJSONataExpression(${JSON.stringify(text)}, node); RED.util.evaluateJSONataExpression(e, ${input}, (err, v) => node.send({ payload: [err, v] }));`, [{ payload: 4 }], { slow: 100 });
add("JSONata of a context", "flow.set('jsonataCase', 7); RED.util.evaluateJSONataExpression(RED.util.prepareJSONataExpression(\"$flowContext('jsonataCase')\", node), msg, (err, v) => node.send({ payload: [err, v] }));", undefined, { slow: 100, differs: "Contexts in JSONata in a function" });
add("JSONata that is none", "try { RED.util.prepareJSONataExpression('a b', node); } catch (e) { msg.payload = [e.code]; } return msg;");
add("JSONata without a callback", "try { RED.util.evaluateJSONataExpression(RED.util.prepareJSONataExpression('1', node), msg); } catch (e) { msg.payload = e.message; } return msg;");
add("JSONata with a variable", "const e = RED.util.prepareJSONataExpression('$x * payload', node); e.assign('x', 3); e.evaluate(msg).then(v => node.send({ payload: v }));", [{ payload: 5 }], { slow: 100 });
add("a property by JSONata", "RED.util.evaluateNodeProperty('payload * 2', 'jsonata', node, msg, (err, v) => node.send({ payload: [err, v] }));", [{ payload: 5 }], { slow: 100 });
add("JSONata that fails", "RED.util.evaluateJSONataExpression(RED.util.prepareJSONataExpression('payload + 1', node), msg, (err, v) => node.send({ payload: [err && err.code, v] }));", [{ payload: "x" }], { slow: 100 });
// The language.
const language = {
    "classes": "class A { #p = 1; static s = 2; get p() { return this.#p; } } class B extends A { toString() { return 'B' + super.p; } } msg.payload = [String(new B()), A.s, new B() instanceof A];",
    "destructuring": "const { payload: { a, ...rest }, topic = 'none' } = msg; const [x, , y = 3] = [1, 2]; msg.payload = { a, rest, topic, x, y };",
    "generators": "function* g() { yield 1; yield* [2, 3]; } msg.payload = [...g()];",
    "templates": "const n = 3; msg.payload = `a${n}b${[1, 2]}${{}}` + String.raw`\\n${n}`;",
    "maps and sets": "const m = new Map([['a', 1]]); m.set('b', 2); const s = new Set([1, 1, 2]); msg.payload = [m.get('b'), m.size, [...s], m, s];",
    "regular expressions": "msg.payload = ['2020-01-02'.match(/(?<y>\\d+)-(\\d+)/).groups.y, 'aXbX'.replace(/x/gi, '-'), 'a1b2'.split(/\\d/), [...'a1b2'.matchAll(/[a-z](\\d)/g)].map(m => m[1]), /a/y.sticky, 'x'.search(/y/)];",
    "numbers": "msg.payload = [0.1 + 0.2, (1234.5678).toFixed(2), (255).toString(16), parseInt('12px'), parseFloat('1.5e3x'), Number(''), Number('0b101'), 1 / 0, -1 / 0, 0 / 0, -0, 5 % -3, -5 % 3, 2 ** 10, 7 >>> 1, -7 >> 1, ~5, (25).toString(36), 1e21, 123456789012345678, (0.000001234).toString(), (1e-7).toPrecision(3), Math.round(-0.5), Math.max(), Math.min()];",
    "texts": "msg.payload = ['abc'.padStart(5, '*'), 'a-b-c'.split('-', 2), 'äÖ'.toUpperCase(), '😀'.length, [...'😀a'], 'abc'.at(-1), 'a,b'.replaceAll(',', ';'), ' x '.trim(), 'abc'.slice(-2), 'abc'.substr(1, 1), 'a'.codePointAt(0), 'b'.localeCompare('a'), 'x'.concat(1, null), 'abcabc'.lastIndexOf('b'), escape('ä'), encodeURIComponent('ä&')];",
    "arrays": "const a = [3, 1, 10, 2]; msg.payload = [[...a].sort(), [...a].sort((x, y) => x - y), a.flatMap(x => [x, x]), a.find(x => x > 3), a.findLast(x => x < 3), a.includes(NaN), [1, [2, [3]]].flat(Infinity), Array.from({ length: 3 }, (_, i) => i), a.reduceRight((s, x) => s + x, ''), [, 1], a.indexOf(9), a.toSorted?.(), a.entries().next(), Array.isArray(a), a.splice(1, 2), a, [1, 2].fill(0), a.join('-')];",
    "objects": "const o = { b: 1, a: 2, 1: 'x', [Symbol('s')]: 1, get c() { return 3; } }; msg.payload = [Object.keys(o), Object.entries(o), { ...o }, Object.assign({}, o, { d: 4 }), 'a' in o, delete o.b, o, Object.fromEntries([['q', 1]]), JSON.stringify(o), Object.freeze({ z: 1 })];",
    "dates": "const d = new Date(Date.UTC(2020, 1, 29, 12, 30, 15, 5)); msg.payload = [d, d.toISOString(), d.getTime(), JSON.stringify(d), new Date('x'), d.getUTCDay(), new Date(2020, 0, 31).getMonth(), d.toLocaleDateString('en-US'), Date.parse('2020-01-01')];",
    "buffers": "const b = Buffer.from('hé'); msg.payload = [b, b.length, b.toString('hex'), b.toString('base64'), Buffer.concat([b, Buffer.from([1, 2])]), Buffer.alloc(2, 'x'), b.readUInt8(0), b.slice(1), b.equals(Buffer.from('hé')), Buffer.byteLength('é'), [...b], Buffer.from('ff01', 'hex').readInt16BE(0), b.indexOf('h'), Buffer.isBuffer(b), JSON.stringify(b)];",
    "optional chaining": "msg.payload = [msg.x?.y, msg.payload?.[0], msg.f?.(), msg.topic ?? 'd', null ?? 1, 0 || 2, '' ?? 3]; msg.q ??= 5; msg.payload.push(msg.q);",
    "loops and labels": "let s = ''; outer: for (let i = 0; i < 3; i++) { for (const j of [0, 1, 2]) { if (j === 1) continue outer; if (i === 2) break outer; s += i + '' + j + ','; } } for (const k in { x: 1, y: 2 }) s += k; let n = 0; do { n++; } while (n < 5); msg.payload = s + n;",
    "switch and exceptions": "const r = []; for (const v of [1, '1', null, 9]) { switch (v) { case 1: r.push('one'); case '1': r.push('text'); break; case null: r.push('null'); break; default: r.push('other'); } } try { try { throw new Error('a'); } finally { r.push('finally'); } } catch ({ message }) { r.push(message); } msg.payload = r;",
    "closures": "const adders = []; for (let i = 0; i < 3; i++) adders.push(x => x + i); var v = []; for (var j = 0; j < 2; j++) v.push(() => j); msg.payload = [adders.map(f => f(10)), v.map(f => f())];",
    "this and arguments": "function f() { return [arguments.length, this === undefined || typeof this]; } msg.payload = [f(1, 2), (() => typeof this)(), f.call(5), f.apply(null, [1]), f.bind({})()];",
    "comparisons": "msg.payload = [null == undefined, null == 0, '1' == 1, [] == '', [1] == 1, NaN == NaN, 'b' > 'a', '10' < '9', 10 < '9', null >= 0, undefined == 0, {} + '', [] + [], 1 + '2', '3' * '4', true + true, typeof null, typeof undefined, typeof (() => 1), void 0];",
    "big integers": "msg.payload = [(2n ** 64n).toString(), typeof 1n, 5n / 2n === 2n, BigInt(10) + 1n];",
    "json": "msg.payload = [JSON.stringify({ a: undefined, b: () => 1, c: NaN, d: new Date(0), e: [undefined] }), JSON.stringify('\\u2028'), JSON.stringify({ a: [1, { b: 2 }] }, null, 2), JSON.parse('[1,{\"a\":null}]', (k, v) => v === null ? 0 : v), JSON.stringify({ a: 1, b: 2 }, ['b'])];",
    "getters of a message": "Object.defineProperty(msg, 'hidden', { value: 1, enumerable: false }); msg.seen = Object.keys(msg).length;",
    "proxies": "msg.payload = new Proxy({}, { get: (t, k) => k + '!' }).hello;",
    "sparse": "const a = []; a[3] = 1; msg.payload = [a, a.length, 1 in a];",
    "sorting is stable": "msg.payload = [{ k: 1, v: 'a' }, { k: 0, v: 'b' }, { k: 1, v: 'c' }].sort((x, y) => x.k - y.k);",
    "url and text coders": "msg.payload = [new URL('http://a.b/c?d=e').searchParams.get('d'), typeof console, typeof process, typeof require, typeof globalThis];",
};
for (const [name, body] of Object.entries(language)) add(`language: ${name}`, `${body}\nreturn msg;`, [{ payload: { a: 1, b: 2 }, topic: "t" }]);
add("odd messages", "msg.payload = [typeof msg.payload, msg.payload === undefined, Object.keys(msg)]; return msg;", [{}, { payload: undef }, { payload: NAN }, { payload: buffer("x") }, { payload: date("2020-01-01T00:00:00.000Z") }]);
for (const timeout of ["0.05", 0.05]) add(`is stopped after ${typeof timeout} ${timeout} s`, "while (true) {}", [{ payload: 1 }], { config: { timeout }, slow: 400 });
for (const outputs of [0, 1, 2]) add(`${outputs} outputs`, "node.send([msg, msg, msg]); return msg;", undefined, { outputs });
// Times of other zones.
for (const [locale, options] of [["en-US", { timeZone: "Asia/Shanghai" }], ["de-DE", { timeZone: "Europe/Berlin" }], ["en-US", { timeZone: "America/New_York", timeZoneName: "short" }], ["en-US", { timeZone: "Asia/Kolkata", timeZoneName: "short" }], ["sv-SE", { timeZone: "Europe/Stockholm", hour12: false }], ["ja-JP", { timeZone: "Asia/Tokyo" }], ["en-CA", { timeZone: "America/Toronto" }], ["es-ES", { timeZone: "Europe/Madrid", year: "numeric", month: "2-digit", day: "2-digit" }], ["pt-BR", { timeZone: "America/Sao_Paulo" }], ["fr-CA", { timeZone: "UTC" }], ["tr-TR", { timeZone: "Europe/Istanbul" }], ["es-CO", { timeZone: "UTC" }], ["es-CL", { timeZone: "UTC" }], ["es-MX", { timeZone: "UTC" }], ["en-AU", { timeZone: "UTC" }], ["en-NZ", { timeZone: "UTC" }], ["en-IE", { timeZone: "UTC" }], ["en-ZA", { timeZone: "UTC" }], ["de-AT", { timeZone: "UTC" }], ["fr-CH", { timeZone: "UTC" }], ["pt-PT", { timeZone: "UTC" }], ["nl-BE", { timeZone: "UTC" }], ["pl", { timeZone: "UTC" }], ["ru", { timeZone: "UTC" }], ["zh-CN", { timeZone: "UTC" }], ["nb", { timeZone: "UTC" }], ["hu", { timeZone: "UTC" }], ["ro", { timeZone: "UTC" }], ["sk", { timeZone: "UTC" }], ["cs", { timeZone: "UTC" }], ["tr", { timeZone: "UTC" }], ["it", { timeZone: "UTC" }], ["en-US", { timeZone: "+05:30" }], ["en-US", { timeZone: "Nowhere/There" }]]) {
    const text = JSON.stringify(options);
    add(`times in ${locale} ${text}`, `const d = new Date(msg.payload), o = ${text}; msg.payload = [d.toLocaleString("${locale}", o), d.toLocaleTimeString("${locale}", o), d.toLocaleDateString("${locale}", o)]; return msg;`, [{ payload: 1767323045000 }, { payload: 1782000000000 }]);
}
for (const locale of ["es-ES", "es-MX", "it", "pt-PT", "pl", "de-CH", "fr-CA", "en-ZA", "hu", "tr"]) add(`numbers in ${locale}`, `msg.payload = msg.payload.map(n => n.toLocaleString("${locale}")); return msg;`, [{ payload: [0, 12.5, 999, 1234.5, 12345.678, -1234567.891] }]);
for (const method of ["writeUInt8", "writeInt16BE", "writeUInt32LE", "writeInt32BE"]) add(`${method} of what is no number`, `const b = Buffer.alloc(4); b.${method}(msg.payload, 0); msg.payload = b; return msg;`, [{ payload: {} }, { payload: "12" }, { payload: undef }, { payload: null }, { payload: 1.7 }, { payload: -1 }, { payload: 1e12 }, { payload: NAN }]);
for (const options of [{ weekday: "long", day: "numeric", month: "long", year: "numeric" }, { weekday: "short", day: "numeric", month: "short" }, { dateStyle: "full", timeStyle: "short" }, { month: "long", year: "numeric" }]) for (const locale of ["en-US", "en-GB"]) {
    const text = JSON.stringify({ timeZone: "UTC", ...options });
    add(`days in ${locale} ${text}`, `msg.payload = [new Date(msg.payload).toLocaleString("${locale}", ${text}), new Intl.DateTimeFormat("${locale}", ${text}).format(new Date(msg.payload))]; return msg;`, [{ payload: 1772604367000 }, { payload: "x" }]);
}
export default cases;
