//! The same flows, run by the oracle (nothing optimised, one queue), optimised, and as artifacts: every node must be handed
//! the same messages in the same order, raise the same errors and show the same statuses.

#[path = "differential/fuzz.rs"]
mod fuzz;
#[path = "differential/release.rs"]
mod release;
mod types;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use vgdc_tests::{Control, Story, by_node, cases, run, text};

/// Ids of messages are random, times pass, and stacks name places.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| {
                !matches!(
                    key.as_str(),
                    "_msgid" | "id" | "ts" | "stack" | "_linkSource"
                )
            });
            let kept = kept.map(|(key, value)| (key.clone(), comparable(value)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(comparable).collect(),
        other => other.clone(),
    }
}

/// Sends these payloads to the first node, one after the other, and tells what happened.
fn story(control: &mut Control, payloads: &[Value]) -> Story {
    control.events.clear();
    for payload in payloads {
        let msg = json!({"payload": payload, "topic": "t"});
        control.good("receive", json!({"node": "n0", "msg": msg}));
        control.good("settle", json!({}));
    }
    by_node(&control.events, comparable)
}

const KINDS: [&str; 5] = ["input", "error", "status", "done", "debug"];

fn deployed(control: &mut Control, flow: &Value, payloads: &[Value]) -> Story {
    // (contexts of flows are gone with the flows: what one case left there is no part of the next)
    control.good("deploy", json!({"flows": []}));
    control.good("deploy", json!({"flows": flow}));
    // (global context outlives a deploy: a case that fails must not make the next ones fail)
    let nothing = json!({"$type": "undefined"});
    control.good(
        "context.set",
        json!({"scope": "global", "key": "seen", "value": nothing}),
    );
    story(control, payloads)
}

fn watching(mut control: Control) -> Control {
    control.good("watch", json!({"nodes": "*", "events": KINDS}));
    control
}

/// A node drawn by lot: which kind, which variant of it, and where its outputs lead.
type Draw = (u8, u8, Vec<Vec<u8>>);

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let wires = prop::collection::vec(prop::collection::vec(1u8..5, 0..3), 2..=2);
    prop::collection::vec((0u8..15, 0u8..10, wires), 2..12)
}

const CODE: [&str; 10] = [
    "msg.payload += 1; return msg;",
    "return [msg, {payload: msg.payload * 2}];",
    "node.send(msg); node.send([null, {payload: 'x'}]); return null;",
    "if (msg.payload % 3 == 0) throw new Error('three'); return [[msg, {payload: 0}], msg];",
    "flow.set('n', (flow.get('n') || 0) + 1); msg.n = flow.get('n'); return msg;",
    "node.status({fill: 'red', text: String(msg.payload)}); return [null, msg];",
    "global.set('seen', [...(global.get('seen') || []), msg.payload].slice(-5)); msg.seen = global.get('seen'); return msg;",
    "msg.list = [1, {a: msg.payload}]; msg.again = msg.list; node.error('told', msg); return msg;",
    "const s = flow.get('s') || {n: 0}; s.n += 1; flow.set('s', s); s.late = msg.payload; msg.s = s; return msg;",
    "const l = msg.list || []; msg.list = l; l.push({p: msg.payload}); const o = l[0]; o.last = l.length; if (l.length > 2) return [null, {payload: l}]; return msg;",
];

/// The node at a place. Wires and scopes lead forward only, so that every message comes to an end.
fn node(at: usize, count: usize, (kind, variant, wires): &Draw) -> Value {
    let wires: Vec<Vec<String>> = wires
        .iter()
        .map(|to| {
            let to = to.iter().map(|step| at + usize::from(*step));
            to.filter(|to| *to < count)
                .map(|to| format!("n{to}"))
                .collect()
        })
        .collect();
    let one = &wires[..1];
    let before: Vec<String> = (0..at).map(|earlier| format!("n{earlier}")).collect();
    let number = usize::from(*variant);
    let mut node = match kind {
        0..=3 => json!({"type": "function", "func": CODE[number], "outputs": 2, "wires": wires}),
        4 => {
            let rules = [
                json!([{"t": "set", "p": "payload", "pt": "msg", "to": "payload & 'j'", "tot": "jsonata"}]),
                json!([{"t": "move", "p": "payload", "pt": "msg", "to": "kept.deep", "tot": "msg"}]),
                json!([{"t": "change", "p": "payload", "pt": "msg", "from": "1", "fromt": "str", "to": "2", "tot": "num"}]),
                json!([{"t": "set", "p": "last", "pt": "flow", "to": "payload", "tot": "msg"}, {"t": "set", "p": "l", "pt": "msg", "to": "last", "tot": "flow"}]),
            ];
            json!({"type": "change", "rules": rules[number % 4], "wires": one})
        }
        5 => {
            json!({"type": "switch", "property": "payload", "propertyType": "msg", "checkall": (variant % 2 == 0).to_string(), "outputs": 2,
            "rules": [{"t": "gt", "v": "2", "vt": "num"}, {"t": if variant % 4 < 2 { "else" } else { "istype" }, "v": "number", "vt": "number"}], "wires": wires})
        }
        6 => {
            json!({"type": "range", "minin": 0, "maxin": "10", "minout": "0", "maxout": "100", "action": "scale", "round": variant % 2 == 0, "property": "payload", "wires": one})
        }
        7 => {
            json!({"type": "template", "field": "payload", "fieldType": "msg", "format": "handlebars", "syntax": "mustache", "template": "<{{payload}}>{{flow.n}}", "output": "str", "wires": one})
        }
        8 => json!({"type": "junction", "wires": one}),
        9 => json!({"type": "json", "property": "payload", "action": "", "wires": one}),
        10 => {
            json!({"type": "split", "splt": "\\n", "spltType": "str", "arraySplt": 1, "arraySpltType": "len", "property": "payload", "wires": one})
        }
        11 => json!({"type": "catch", "scope": before, "wires": one}),
        12 => json!({"type": "status", "scope": before, "wires": one}),
        13 => json!({"type": "complete", "scope": before, "wires": one}),
        _ => json!({"type": "subflow:s", "wires": one}),
    };
    node["id"] = format!("n{at}").into();
    node["z"] = if number == 7 && at > 0 { "u" } else { "t" }.into();
    node["x"] = 1.into();
    node["y"] = 1.into();
    node
}

fn flow(draws: &[Draw]) -> Value {
    let mut all = vec![
        json!({"id": "t", "type": "tab", "env": [{"name": "STEP", "value": "3", "type": "num"}]}),
        json!({"id": "u", "type": "tab"}),
        json!({"id": "s", "type": "subflow", "in": [{"wires": [{"id": "s1"}]}], "out": [{"wires": [{"id": "s2", "port": 0}, {"id": "s1", "port": 0}]}]}),
        json!({"id": "s1", "type": "function", "z": "s", "func": "flow.set('i', (flow.get('i') || 0) + 1); msg.i = flow.get('i'); return msg;", "outputs": 1, "wires": [["s2"]]}),
        json!({"id": "s2", "type": "link call", "z": "s", "links": ["in"], "linkType": "static", "timeout": "30", "wires": [[]]}),
        json!({"id": "in", "type": "link in", "z": "u", "links": [], "wires": [["f", "back"]]}),
        json!({"id": "f", "type": "function", "z": "u", "func": "return null;", "outputs": 1, "wires": [[]]}),
        json!({"id": "back", "type": "link out", "z": "u", "mode": "return", "links": [], "wires": []}),
    ];
    let count = draws.len();
    all.extend(
        draws
            .iter()
            .enumerate()
            .map(|(at, draw)| node(at, count, draw)),
    );
    Value::Array(all)
}

/// Two processes that serve all cases.
static RUNNING: Mutex<Option<[Control; 2]>> = Mutex::new(None);

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(150), max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn optimised_flows_do_what_the_oracle_does(draws in draws(), payloads in prop::collection::vec(prop_oneof![(0..7).prop_map(Value::from), Just(json!([1, 2])), Just(json!("1\n3")), Just(json!({"a": 1}))], 1..4)) {
        // (a case that failed has left the processes as they were: every case begins with a deploy)
        let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let [oracle, optimised] = running.get_or_insert_with(|| {
            [&["--target", "interp"][..], &[]].map(|args| watching(Control::start(args)))
        });
        let flow = flow(&draws);
        let expected = deployed(oracle, &flow, &payloads);
        let found = deployed(optimised, &flow, &payloads);
        prop_assert!(!expected.is_empty());
        prop_assert_eq!(expected, found, "{}", flow);
    }
}

/// A flow of each kind of node, of which an executable is made.
#[test]
fn artifacts_do_what_the_oracle_does() {
    let draws: Vec<Draw> = (0..15)
        .map(|kind| (kind, kind % 7, vec![vec![1, 2], vec![3]]))
        .collect();
    let flow = flow(&draws);
    let payloads = [json!(1), json!(3), json!([1, "x"]), json!("a\nb")];
    let expected = deployed(
        &mut watching(Control::start(&["--target", "interp"])),
        &flow,
        &payloads,
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, flow.to_string()).expect("writes");
    let app = folder.path().join("app");
    let built = run(&[
        "build",
        "--observable",
        &path.to_string_lossy(),
        "-o",
        &app.to_string_lossy(),
    ]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let mut command = Command::new(&app);
    let mut artifact = watching(Control::start_command(command.args(["--control", "stdio"])));
    assert_eq!(story(&mut artifact, &payloads), expected);
    assert_eq!(artifact.end(), Some(0));
    assert!(
        expected.len() > 12,
        "most nodes took part: {:?}",
        expected.keys()
    );
}

/// A function with four outputs and somebody at each.
fn function(body: &str) -> Value {
    let mut flow = vec![
        json!({"id": "t", "type": "tab", "env": [{"name": "STEP", "value": "3", "type": "num"}]}),
        json!({"id": "n0", "type": "function", "name": "F", "z": "t", "x": 1, "y": 1, "func": body, "outputs": 4, "wires": [["o0"], ["o1"], ["o2"], ["o3"]]}),
    ];
    flow.extend(
        (0..4).map(|at| json!({"id": format!("o{at}"), "type": "helper", "z": "t", "wires": []})),
    );
    Value::Array(flow)
}

const SHOWN: [&str; 4] = ["input", "error", "status", "log"];

/// What a function does with messages, by the engine and by machine code.
fn both(processes: &mut [Control; 2], body: &str, messages: &[Value]) -> [Story; 2] {
    both_with(processes, &function(body), messages)
}

/// Delivers messages to a node, one after the other, and tells what happened.
fn delivered(control: &mut Control, node: &str, messages: &[Value]) -> Story {
    control.events.clear();
    for message in messages {
        let mut message = message.clone();
        message["_msgid"] = json!("m");
        // (refused where the code does not start)
        control.ask("receive", json!({"node": node, "msg": message}));
        control.good("settle", json!({}));
    }
    by_node(&control.events, comparable)
}

/// What the flow's node `n0`, and those behind it, do with messages.
fn both_with(processes: &mut [Control; 2], flow: &Value, messages: &[Value]) -> [Story; 2] {
    let mut stories = processes.iter_mut().map(|control| {
        control.good("deploy", json!({"flows": flow}));
        delivered(control, "n0", messages)
    });
    [
        stories.next().unwrap_or_default(),
        stories.next().unwrap_or_default(),
    ]
}

fn engine_and_native() -> [Control; 2] {
    [&["--target", "interp"][..], &[]].map(|args| {
        let mut control = Control::start(args);
        control.good("watch", json!({"nodes": "*", "events": SHOWN}));
        control
    })
}

/// Two functions, one behind the other, whose messages nobody looks at on the way: they become one function.
fn chain(bodies: [&str; 2]) -> Value {
    let mut flow = vec![json!({"id": "t", "type": "tab"})];
    let outputs = [
        json!([["n1"], ["o1"], ["o2"], ["o3"]]),
        json!([["o0"], ["o1"], ["o2"], ["o3"]]),
    ];
    for (at, (body, wires)) in bodies.iter().zip(outputs).enumerate() {
        flow.push(json!({"id": format!("n{at}"), "type": "function", "z": "t", "func": body, "outputs": 4, "wires": wires}));
    }
    flow.extend(
        (0..4).map(|at| json!({"id": format!("o{at}"), "type": "helper", "z": "t", "wires": []})),
    );
    Value::Array(flow)
}

/// The same two processes, of which only the ends of flows are watched.
fn ends_of_engine_and_native() -> [Control; 2] {
    [&["--target", "interp"][..], &[]].map(|args| {
        let mut control = Control::start(args);
        let ends = json!({"nodes": ["o0", "o1", "o2", "o3"], "events": ["input"]});
        control.good("watch", ends);
        control
    })
}

/// Bodies whose result is another one each time, or which run on by themselves.
fn varies(body: &str) -> bool {
    [
        "Date",
        "random",
        "setTimeout",
        "setInterval",
        "Promise",
        "async",
        "await",
        "generateId",
        "hrtime",
        "setImmediate",
    ]
    .iter()
    .any(|word| body.contains(word))
}

#[test]
fn machine_code_does_what_the_engine_does_with_the_idioms() {
    let path = vgdc_tests::root().join("runtime/engine/tests/files/idioms.jsonl");
    let text = std::fs::read_to_string(path).expect("the idioms");
    let mut processes = engine_and_native();
    let (mut count, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let body = case["body"].as_str().expect("a body");
        if varies(body) || case.get("setup").is_some() || case.get("timeout").is_some() {
            continue;
        }
        let plain = |msg: &&Value| msg.is_object() && msg.get("$type").is_none();
        let messages: Vec<Value> = case["msgs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(plain)
            .cloned()
            .collect();
        let [engine, native] = both(&mut processes, body, &messages);
        if engine != native {
            wrong.push(format!("{body}\n  {engine:?}\n  {native:?}"));
        }
        count += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 200, "{count} idioms");
}

/// What code may do only exactly as the engine does it: who is whose other name, in which order things happen, and what is
/// odd about the language.
const ODDITIES: &[&str] = &[
    "const n = msg.payload; if (n => 2) msg.a = 1; msg.b = (x => x) ? 1 : 2; msg.c = !function () {}; return msg;",
    // Other names.
    "let p = msg.payload; p.x = 1; p = {}; p.x = 2; msg.q = p; return msg;",
    "const o = {}; msg.a = o; msg.b = o; o.n = 1; msg.same = msg.a === msg.b; msg.other = msg.a === {}; return msg;",
    "const o = {n: [1]}; const c = {...o}; c.n.push(2); c.m = 1; msg.o = o; msg.c = c; return msg;",
    "const l = [{k: 1}, {k: 2}]; const big = l.filter(e => e.k > 1); big[0].k = 9; l.forEach(e => { e.s = e.k; }); msg.l = l; return msg;",
    "const by = {}; for (const e of [{i: 'a'}, {i: 'b'}]) { by[e.i] = e; e.seen = true; } by.a.x = 1; msg.by = by; return msg;",
    "let at = msg; for (const k of ['a', 'b', 'c']) { at[k] = at[k] || {}; at = at[k]; } at.end = true; return msg;",
    "const o = {}; o.o = o; msg.o = o; return msg;",
    "const o = {}; o.o = o; msg.k = Object.keys(o); return msg;",
    "node.send({payload: msg.payload}); msg.payload = 2; node.send(msg); msg.payload = 3; return msg;",
    "const [a, b] = [msg, msg]; b.n = 1; return [a, b];",
    "const l = [1, 2]; for (const e of l) { if (l.length < 6) l.push(e * 10); } msg.l = l; return msg;",
    "const l = [1, 2, 3]; const seen = []; l.forEach((e, i) => { seen.push(e); l.push(i); }); msg.l = l; msg.seen = seen; return msg;",
    "const l = [1, 2, 3, 4]; const seen = []; l.forEach(e => { seen.push(e); l.shift(); }); msg.l = l; msg.seen = seen; return msg;",
    "const o = {a: 1, b: 2, c: 3}; const seen = []; for (const k in o) { seen.push(k); delete o.b; o.z = 1; } msg.seen = seen; return msg;",
    "let i = 0; const l = [{}, {}]; l[i++].at = i; l[i].at = i++; msg.l = l; return msg;",
    "let o = {n: 1}; o.n = (o = {n: 5}).n + 1; msg.o = o; return msg;",
    // Contexts hold the objects themselves.
    "const c = flow.get('c') || {n: 0}; c.n += 1; flow.set('c', c); c.after = true; msg.c = flow.get('c'); return msg;",
    "const c = flow.get('c'); if (c) { c.list = c.list || []; c.list.push(msg.payload); } msg.c = c; return msg;",
    "const a = flow.get('c'), b = flow.get('c'); if (a) { a.x = 1; msg.same = a === b; msg.x = b.x; } return msg;",
    "const c = flow.get('c') || {}; flow.set('c', 7); c.lost = true; msg.c = flow.get('c'); return msg;",
    "const c = flow.get('c') || {}; flow.set('d', c); c.both = 1; msg.c = flow.get('c'); msg.d = flow.get('d'); return msg;",
    "const d = flow.get('d'); if (d) d.late = 1; msg.d = flow.get('d.late'); return msg;",
    "flow.set('a.b', 1); msg.a = flow.get('a'); msg.keys = flow.keys(); return msg;",
    // Functions.
    "function f(a, b = a + 1, {c = b, d: [e] = [c]} = {}) { return [a, b, c, e]; } msg.all = [f(1), f(1, undefined, {c: 3}), f(1, null, {d: [4]})]; return msg;",
    "const g = list => { list.push(1); return list; }; const l = []; g(l); g(g(l)); msg.l = l; return msg;",
    "var r = f(); var x = 1; function f() { return x; } msg.r = typeof r; return msg;",
    "try { r = f(); const x = 1; function f() { return x; } msg.r = r; } catch (e) { msg.e = e.name; } return msg;",
    "t = 1; for (i = 0; i < 3; i++) { t += i; } msg.t = t + i; return msg;",
    // The language.
    "msg.r = ['a1b22'.replace(/\\d+/g, m => `<${m}>`), 'x-y'.replace(/(\\w)-(\\w)/, '$2-$1'), 'aXbX'.split(/x/i), 'a1'.match(/(\\d)/)[1], 'no'.match(/\\d/)]; return msg;",
    "const m = 'k=v'.match(/(\\w)=(\\w)/); msg.r = [m.index, m.length, Object.keys(m).length, m.groups]; return msg;",
    "msg.r = ''.split(/x*/).concat('ab'.split(/x*/), 'aXXb'.split(/(X)/), 'x'.replace(/x/, '$$$&$1')); return msg;",
    "const re = /a/g; msg.r = [re.test('aa'), re.test('aa'), re.test('aa'), re.lastIndex]; return msg;",
    "msg.r = ['ä😀b'.replace(/./, '_'), 'ä😀b'.length, 'ä😀b'.split(''), 'ÄB'.toLowerCase().match(/ä/) !== null]; return msg;",
    "const d = new Date(2024, 0, 31, 10, 5); const e = d; e.setMonth(1); msg.r = [d.getTime() === e.getTime(), d.getDate(), d.getDay(), d.toISOString(), `${d}`, d > 5, d === e]; return msg;",
    "const d = new Date('2024-03-10T12:00:00Z'); msg.d = d; d.setHours(25, 61); msg.r = [String(d), d.toDateString(), JSON.stringify({d}), d - 0, new Date(NaN).getDay(), new Date('x').getTime()]; return msg;",
    "msg.r = [new Date(1e12).toLocaleString(), new Date(1e12).toLocaleDateString('de-DE'), new Date(1e12).toLocaleTimeString('en-US', {hour: '2-digit', minute: '2-digit'}), (1234567.891).toLocaleString(), (-0.5).toLocaleString('fr')]; return msg;",
    "msg.r = [[3, 1, 10].sort(), [3, 1, 10].sort((a, b) => a - b), ['b', 'a', 'B', 'A1', '_'].sort((a, b) => a.localeCompare(b)), [{k: 2}, {k: 1}].sort((a, b) => b.k - a.k), [undefined, 2, 1].sort()]; return msg;",
    "const l = [{k: NaN}, {k: 1}, {k: 0}]; msg.r = l.sort((a, b) => a.k - b.k).length; return msg;",
    "msg.r = [Buffer.from('AQID', 'base64'), Buffer.from([1, 256, -1]), Buffer.from('ff00', 'hex').readUInt16BE(0), Buffer.alloc(2, 7).toString('hex')]; return msg;",
    "const b = Buffer.alloc(4); const c = b; c.writeUInt16LE(513, 1); b[0] = 300; msg.b = b; try { b.writeUInt8(256); } catch (e) { msg.e = e.name; } return msg;",
    "msg.r = [Array.from({length: 3}, (_, i) => i * i), Array(2).fill({}), new Array(3).fill(0).map((_, i) => i), [1, [2, [3]]].flat(), [1, 2].flatMap(x => [x, [x]])]; return msg;",
    "const l = Array(2).fill({}); l[0].x = 1; msg.l = l; return msg;",
    "msg.r = [Math.max(...[1, 5, 3]), Math.min(...[]), [1, 2].reduce((a, b) => a + b), ['1', 'x'].map(Number), [0, '', 'a'].filter(Boolean)]; return msg;",
    "msg.r = [encodeURIComponent('ä b&'), encodeURI('ä b&'), decodeURIComponent('%C3%A4'), String.fromCharCode(72, 228), Object.fromEntries([['a', 1], ['b', 2]])]; return msg;",
    "const o = Object.assign({a: 1}, null, {b: 2}, 'xy'); msg.o = o; msg.p = Object.assign(o, {c: 3}) === o; return msg;",
    "RED.util.setMessageProperty(msg, 'a.b', 1, true); RED.util.setMessageProperty(msg, 'x.y', 1, false); msg.r = RED.util.getMessageProperty(msg, 'msg.a.b'); return msg;",
    "msg.r = [Object.prototype.hasOwnProperty.call({a: undefined}, 'a'), 'a' in {a: 1}, '1' in [5, 6], 'x'.at(-1), [1, 2].at(-1)]; return msg;",
    // Many texts, of which one is wanted.
    "const r = []; for (const x of ['a', 'b', 'c', 'd', 'zz', '', 5, '5', null, undefined, true, 'true', 0, NaN]) { let n = 0; switch (x) { case 'a': n += 1; case 'b': n += 10; break; case 'c': case 'd': n += 100; break; case '5': n = 5; break; case 'a': n = -1; break; case '': n = 8; break; default: n = 7; } r.push(n); } msg.r = r; return msg;",
    "const r = []; for (const x of ['a', 'b', '', 5, '5', '05', 5.5, null, undefined, true, 'true', 1, 0, NaN, 'NaN', 'ä', '😀']) { if (x == 'a') r.push(1); else if (x == '5') r.push(2); else if (x == 'true') r.push(3); else if (x == '') r.push(4); else if (x == '1') r.push(5); else if (x == 'NaN') r.push(6); else if (x == '😀') r.push(7); else r.push(x); } msg.r = r; return msg;",
    "const r = []; for (const x of ['a', ['a'], {a: 1}, [5], [], '[object Object]']) { if (x == 'a') r.push(1); else if (x == '5') r.push(2); else if (x == '[object Object]') r.push(3); else if (x == '') r.push(4); else r.push(5); } msg.r = r; return msg;",
    "const r = []; for (const o of [{t: 'a'}, {t: 'b', u: 1}, {u: 2}, {t: 5}, {t: 'd'}]) { if (o.t === 'a') o.is = 'A'; else if (o.t === 'b') o.t = 'a'; else if (o.t === 'c') r.push(0); else if (o.t === 'd') r.push(o); else o.is = 'none'; r.push(o); } msg.r = r; return msg;",
    "switch (msg.payload.x ?? 'b') { case 'a': msg.r = 1; break; case 'b': msg.r = 2; break; case 'c': msg.r = 3; break; case 'd': msg.r = 4; break; case 0: msg.r = 5; } return msg;",
    // Lists in loops.
    "const l = [1, '2', null, {}, [4], true, undefined]; let s = 0; const seen = []; for (let k = 0; k < 3; k++) for (let i = -1; i < 9; i++) { const x = l[i]; if (typeof x !== 'object') { s += x * 1; seen.push(l[i] * 2); } } msg.r = [s, seen]; return msg;",
    "const a = [1, 2, 3], b = [4, 5, 6], c = []; for (let i = 0; i < 3; i++) { let s = 0; for (let k = 0; k < 3; k++) { s += a[k] * b[i - k]; b[k] = s; } c.push(s); if (i === 1) a.push(7); a[0] += 1; } msg.r = [a, b, c]; return msg;",
    "let l = [1, 2], s = 0; for (let i = 0; i < 4; i++) { s += l[i % 2] * 1; if (i === 1) l = [10, '20']; if (i === 2) l = 'xy'; } msg.s = s; return msg;",
    "let s = 0; const l = msg.payload; for (let i = 0; i < 3; i++) { for (let k = 0; k < 2; k++) { s += l[k] * l[i]; } } msg.s = s; return msg;",
    "const out = []; const walk = n => { if (n && n.l) { [n, n.l].forEach(walk); } out.push(n); }; walk(msg.payload && msg.payload.x); walk({l: 1}); msg.out = out; return msg;",
    "const run = (use, l) => { let t = 0; for (const e of l) t += use(e, t); return t; }; const twice = (f, x) => run((e) => f(e) * 2, x); msg.r = [run((e, t) => e + t, [1, 2, 3]), twice(e => e + msg.n, [1]), run(function (e) { return e; }, [])]; return msg;",
    "let n = 0; const each = (l, use) => l.map((e, i) => use(e, i)); const put = (o, i) => { n += 1; o.i = i; return o; }; const o = {}; msg.r = each([o, {}], put); msg.same = msg.r[0] === o; msg.n = n; return msg;",
    "msg.r = [(() => 1)(), ((a, b = a) => a + b)(2), (function () { var x = 3; return [x]; })(), (x => { x.y = 1; return x; })({})]; return msg;",
    "const o = {a: 1}, s = new Set([o, o, 1, '1', NaN, NaN, -0, 0, null, undefined]); s.add(o); s.delete(1); msg.r = [[...s], s.size, s.has(o), s.has({a: 1}), s.has(NaN), s.has(0)]; o.a = 2; msg.again = Array.from(s.values()); return msg;",
    "const m = new Map(); m.set('b', 1); m.set('a', {n: 1}); m.set('b', 2); m.get('a').n++; const seen = []; m.forEach((v, k) => seen.push([k, v])); for (const [k, v] of m) seen.push(k); m.delete('b'); m.set('b', 3); msg.r = [seen, [...m], [...m.keys()], m.get('c'), Object.fromEntries(m), m.size]; return msg;",
    "const m = new Map(Object.entries({x: [1], y: [2]})); const k = {}; m.set(k, m.get('x')); m.get(k).push(5); msg.r = [...m.values()]; m.clear(); msg.n = m.size; return msg;",
    "const s = new Set(msg.payload); msg.n = s.size; flow.set('s', s); msg.s = flow.get('s').size; return msg;",
    "msg.r = [msg.l?.slice(1), msg.no?.map(e => e.x).length, [1].some(isNaN), ['x'].some(isNaN), [0, 1].every(Boolean), ['1', 'x'].map(isFinite)]; return msg;",
    "clearTimeout(undefined); clearInterval(msg.nothing); if (msg.payload === 5) return [, msg]; msg.r = [5 instanceof Number, 'x' instanceof String, msg.payload instanceof Array, new Date(0) instanceof Date]; return msg;",
    "if (msg.payload === 5) return msg; msg.w = new WeakMap() !== null; return msg;",
    "msg.r = [new Buffer('ab').length, new Buffer([1, 2])[1], msg.x || new WeakMap().has({}), global.keys ? 'yes' : 'no']; return msg;",
    "msg.r = [-0, 0 * -1, [NaN].includes(NaN), [NaN].indexOf(NaN), 1e21 + '', (0.1 + 0.2).toFixed(10), parseInt('08'), parseInt('0x1f'), [] + {}, [2] == 2]; return msg;",
];

#[test]
fn machine_code_does_what_the_engine_does_with_what_is_odd() {
    let mut processes = engine_and_native();
    let messages = [
        json!({"payload": 5}),
        json!({"payload": {"x": 0, "l": [1]}}),
        json!({"payload": [3, 1, 2]}),
    ];
    let mut wrong = Vec::new();
    for body in ODDITIES {
        if let Err(refusal) = vgdc_script::lower(body) {
            // (one is here to be refused: a variable that is read before it has a value)
            assert!(body.contains("catch"), "{body}: {refusal:?}");
        }
        let [engine, native] = both(&mut processes, body, &messages);
        if engine != native {
            wrong.push(format!("{body}\n  {engine:?}\n  {native:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Messages that real bodies may expect, and some that they do not.
fn messages() -> Vec<Value> {
    let reading = json!({"id": 7, "temperature": 21.5, "humidity": 40, "name": "kitchen", "value": "12", "on": true, "state": "on",
        "list": [1, 2, 3], "data": {"a": 1, "b": [true, null], "value": 3}, "time": 1_700_000_000_000_i64});
    vec![
        json!({"payload": 5, "topic": "home/kitchen/temperature"}),
        json!({"payload": "on", "topic": "a"}),
        json!({"payload": "1,2;3 x=4", "topic": ""}),
        json!({"payload": reading, "topic": "t/1", "data": {"x": 1}, "req": {"query": {"q": "1"}, "params": {"id": "2"}}}),
        json!({"payload": [reading, {"id": 8, "value": -1}], "topic": 4}),
        json!({"payload": [3, 1, 2, "x", null], "parts": {"index": 0, "count": 2}}),
        json!({"payload": "{\"a\":[1,2,{\"b\":null}],\"temperature\":\"3\"}", "statusCode": 200}),
        json!({"payload": true, "error": {"message": "m", "source": {"id": "x"}}}),
        json!({"payload": null}),
        json!({"topic": "no payload"}),
        json!({"payload": {"$type": "buffer", "base64": "AQIDBAUGBwg="}}),
        json!({"payload": -0.5, "topic": "ä😀b"}),
    ]
}

/// Times pass between one process and the other: what may be one is left out.
fn timeless(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let mut shown = String::new();
            for c in text.chars() {
                match c.is_ascii_digit() {
                    true if shown.ends_with('#') => {}
                    // (nor does it matter which of two times was the later one)
                    true if shown.ends_with('-') => {
                        shown.pop();
                        if !shown.ends_with('#') {
                            shown.push('#');
                        }
                    }
                    true => shown.push('#'),
                    false => shown.push(c),
                }
            }
            Value::String(shown)
        }
        Value::Number(_) => json!("#"),
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(map) => {
            let shown = map.iter().map(|(key, value)| {
                let key = timeless(&Value::String(key.clone()));
                (key.as_str().unwrap_or_default().to_owned(), timeless(value))
            });
            Value::Object(shown.collect())
        }
        other => other.clone(),
    }
}

/// How many calls machine code finished, and what it bailed out of.
#[derive(Default)]
struct Calls {
    bodies: u64,
    finished: u64,
    bailed: BTreeMap<String, u64>,
    /// Calls that bailed out and were exceptions in the engine, too.
    thrown: u64,
}

impl Calls {
    /// Adds what a node's metrics say; all its bail-outs count for what it bailed out of the last time.
    fn add(&mut self, code: &Value, told: &Story) {
        self.bodies += u64::from(code.is_object());
        self.finished += code["finished"].as_u64().unwrap_or_default();
        if let (Some(bailed @ 1..), Some(of)) = (code["bailed"].as_u64(), code["of"].as_str()) {
            *self.bailed.entry(of.to_owned()).or_default() += bailed;
            let told = told.values().flatten();
            let errors = told.filter(|event| event["event"] == "error").count() as u64;
            self.thrown += errors.min(bailed);
        }
    }
}

impl std::fmt::Display for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bailed: u64 = self.bailed.values().sum();
        let (finished, bodies, thrown) = (self.finished, self.bodies, self.thrown);
        let all = finished + bailed;
        let share = |of: u64| finished as f64 * 100.0 / of.max(1) as f64;
        writeln!(
            f,
            "{finished} of {all} calls of {bodies} bodies ended in machine code: {:.1} %, and {:.1} % of those in which the engine raises no error ({thrown}); it bailed out of",
            share(all),
            share(all - thrown)
        )?;
        let mut reasons: Vec<_> = self.bailed.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (of, count) in reasons.iter().take(40) {
            let of = if of.is_empty() {
                "(a throw, or a branch that is left)"
            } else {
                of
            };
            writeln!(f, "{count:7} {of}")?;
        }
        Ok(())
    }
}

/// `VGDC_CORPUS=bodies.jsonl cargo test -p vgdc-tests --test differential -- --ignored --nocapture`
#[test]
#[ignore = "needs a corpus of bodies, which is not in the repository"]
fn machine_code_does_what_the_engine_does_with_a_corpus() {
    let path = std::env::var_os("VGDC_CORPUS").expect("VGDC_CORPUS names a file");
    let text = std::fs::read_to_string(path).expect("reads");
    let mut processes = engine_and_native();
    let (mut count, mut wrong) = (0, Vec::new());
    let mut calls = Calls::default();
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    // (bodies with times come last: what they leave in contexts is another time in each process)
    let has_dates = |case: &Value| {
        case["func"]
            .as_str()
            .is_some_and(|body| body.contains("Date"))
    };
    let (later, first): (Vec<_>, Vec<_>) = cases.iter().partition(|case| has_dates(case));
    for case in first.into_iter().chain(later) {
        let body = case["func"].as_str().expect("a body");
        let dates = body.contains("Date");
        if varies(&body.replace("Date", "")) || body.contains("while") {
            continue;
        }
        let [mut engine, mut native] = both(&mut processes, body, &messages());
        if dates {
            for event in engine.values_mut().chain(native.values_mut()).flatten() {
                *event = timeless(event);
            }
        }
        count += 1;
        let metrics = processes[1].good("metrics", json!({}));
        calls.add(&metrics["nodes"]["n0"]["code"], &engine);
        if engine != native {
            println!("{body}\n  {engine:?}\n  {native:?}\n-------");
            wrong.push(body.to_owned());
        }
    }
    println!("{calls}{count} bodies, {} differ", wrong.len());
    assert!(wrong.is_empty());
}

/// Expressions and statements by lot, as texts: what is inside variables, objects and lists, and what comes to be changed.
mod bodies {
    use proptest::prelude::*;

    const NAMES: [&str; 6] = ["a", "b", "o", "l", "msg.payload", "msg.x"];
    const KEYS: [&str; 5] = ["k", "n", "payload", "0", "length"];

    fn name() -> impl Strategy<Value = String> {
        (0..NAMES.len()).prop_map(|at| NAMES[at].to_owned())
    }

    fn literal() -> impl Strategy<Value = String> {
        let all = [
            "0",
            "1",
            "flow.get('f')",
            "{...o}",
            "[...l]",
            "{...flow.get('f')}",
            "-1",
            "2.5",
            "NaN",
            "''",
            "'1'",
            "'x y'",
            "'ä😀'",
            "true",
            "false",
            "null",
            "undefined",
            "[]",
            "{}",
            "[1, 'b']",
            "{k: 1, n: [2]}",
            "-0",
            "1e21",
            "7",
        ];
        (0..all.len()).prop_map(move |at| all[at].to_owned())
    }

    pub fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![3 => literal(), 5 => name()];
        leaf.prop_recursive(3, 16, 3, |inner| {
            let key = (0..KEYS.len()).prop_map(|at| KEYS[at]);
            let operators = [
                "+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>", ">>>", "<", ">", "<=",
                ">=", "==", "!=", "===", "!==", "&&", "||", "??",
            ];
            let unary = ["-", "+", "!", "~", "typeof ", "void "];
            let functions = [
                "Math.floor",
                "Math.round",
                "Math.abs",
                "Number",
                "String",
                "parseInt",
                "parseFloat",
                "isNaN",
                "Array.isArray",
                "JSON.stringify",
                "Math.sign",
                "Boolean",
            ];
            let methods = [
                ".toString()",
                ".toFixed(2)",
                ".trim()",
                ".slice(1)",
                ".indexOf('x')",
                ".split(' ')",
                ".includes(1)",
                ".toUpperCase()",
                ".join('-')",
                ".concat([9])",
                ".length",
                ".charAt(0)",
                ".substring(0, 2)",
                ".map(e => e + 1)",
                ".filter(e => e)",
                ".some(e => e === 1)",
                ".find(e => e)",
                ".reduce((s, e) => s + e, 0)",
                ".map(e => { a = e; return o; })",
                ".filter(e => { l = [e]; return true; })",
                ".forEach(e => { o = {k: e}; })",
                ".some(isNaN)",
                ".every(Boolean)",
                "?.slice(1)",
                "?.push(a)",
                "?.map(e => e)?.length",
                "?.k?.toString()",
            ];
            prop_oneof![
                (inner.clone(), 0..operators.len(), inner.clone()).prop_map(move |(a, at, b)| {
                    match operators[at] {
                        "??" => format!("(({a}) ?? ({b}))"),
                        "**" => format!("(({a}) ** ({b}))"),
                        operator => format!("({a} {operator} {b})"),
                    }
                }),
                (0..unary.len(), inner.clone())
                    .prop_map(move |(at, a)| format!("({}({a}))", unary[at])),
                (inner.clone(), key).prop_map(|(a, key)| format!(
                    "({a})[{}]",
                    if key == "0" {
                        "0".to_owned()
                    } else {
                        format!("'{key}'")
                    }
                )),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                (0..4_usize, inner.clone())
                    .prop_map(|(at, a)| format!("{}({a})", ["f", "g", "h", "p"][at])),
                (0..functions.len(), inner.clone())
                    .prop_map(move |(at, a)| format!("{}({a})", functions[at])),
                (inner.clone(), 0..methods.len())
                    .prop_map(move |(a, at)| format!("({a}){}", methods[at])),
                inner.clone().prop_map(|a| format!("`<${{{a}}}>`")),
                (inner.clone(), 0..3_usize).prop_map(|(a, at)| {
                    format!("(({a}) instanceof {})", ["Date", "Array", "String"][at])
                }),
                inner
                    .clone()
                    .prop_map(|a| format!("((x) => {{ b = x; return [a, x]; }})({a})")),
                inner
                    .clone()
                    .prop_map(|a| format!("c((x, y) => {{ o.k = x; return y; }}, {a})")),
                inner.clone().prop_map(|a| format!("[...new Set({a})]")),
                (inner.clone(), inner)
                    .prop_map(|(a, b)| format!("{{k: {a}, n: [{b}]}}"))
                    .prop_map(|text| format!("({text})")),
            ]
        })
    }

    fn simple() -> impl Strategy<Value = String> {
        let targets = [
            "a",
            "b",
            "o",
            "l",
            "msg.payload",
            "msg.x",
            "o.k",
            "o.n",
            "l[0]",
            "l[1]",
            "msg.payload.k",
            "msg.x.n",
            "o[a]",
            "l[b]",
        ];
        let assignments = ["=", "+=", "-=", "*=", "|="];
        let statements = [
            "l.push(a);",
            "l.push(o);",
            "l.pop();",
            "o = l;",
            "o = {k: o};",
            "l = [l, b];",
            "msg.x = o;",
            "msg.payload = l;",
            "a++;",
            "b--;",
            "o.k++;",
            "delete o.k;",
            "flow.set('f', a);",
            "b = flow.get('f');",
            "node.warn(a);",
            "node.send({payload: a});",
            "node.status({text: b});",
            "global.set('g', o);",
            "o = global.get('g') || {};",
            "l.reverse();",
            "l.splice(0, 1, a);",
            "l.shift();",
            "l.forEach(e => { a += e; });",
            "o = flow.get('f') || {};",
            "{ const m = l; m.push(a); msg.m = m; }",
            "{ const q = o; const r = q; r.w = a; }",
            "flow.set('f', o);",
            "for (const e of l) { if (l.length < 5) l.push(e); }",
            "{ const z = new Set(l); z.add(a); z.add(o); z.delete('q'); z.add(-0); msg.z = [[...z], z.size, z.has(o), z.has(NaN)]; }",
            "{ const y = new Map([['k', o], [1, b]]); y.set(a, b); y.set(o, l); const w = y.get('k'); if (w) w.m = a; msg.y = [...y.keys(), ...y.values()]; }",
            "{ const y = new Map(Object.entries(o)); y.delete('k'); y.set('k', a); y.forEach((v, k) => { b += k; l.push(v); }); for (const [k, v] of y) a = [k, v]; }",
            "{ const z = new Set(); for (const e of l) { if (!z.has(e)) z.add(e); } for (const e of z) o[e] = z.size; z.clear(); l = Array.from(z.values()); }",
            "{ const y = new Map(); l.forEach(e => { if (!y.has(e)) y.set(e, []); y.get(e).push(o); }); msg.y = Object.fromEntries(y); }",
            "l = [...new Set(l)];",
            "a = c(e => { b = a; return e; }, o);",
            "l.forEach(e => c(x => { a = x; }, e));",
            "if (a === 7) return msg;",
            "for (const e of l) { if (e === 3) continue; b = e; if (e === 'q') break; }",
            "b = a && (() => { a = 0; return l; })();",
            "clearTimeout(b);",
            "if (global.keys) a = 1;",
        ];
        prop_oneof![
            4 => (0..targets.len(), 0..assignments.len(), expression()).prop_map(move |(to, by, value)| format!("{} {} {value};", targets[to], assignments[by])),
            4 => (0..statements.len()).prop_map(move |at| statements[at].to_owned()),
        ]
    }

    fn statement() -> impl Strategy<Value = String> {
        simple().prop_recursive(2, 10, 3, |inner| {
            let list = prop::collection::vec(inner.clone(), 1..3).prop_map(|list| list.join(" "));
            prop_oneof![
                (expression(), list.clone(), list.clone())
                    .prop_map(|(test, yes, no)| format!("if ({test}) {{ {yes} }} else {{ {no} }}")),
                list.clone()
                    .prop_map(|body| format!("for (let i = 0; i < 3; i++) {{ {body} }}")),
                list.clone()
                    .prop_map(|body| format!("for (const e of [1, 'q', o]) {{ b = e; {body} }}")),
                list.clone()
                    .prop_map(|body| format!("try {{ {body} }} catch (e) {{ a = 'caught'; }}")),
                (expression(), list.clone(), list).prop_map(|(of, one, two)| format!(
                    "switch ({of}) {{ case 1: {one} break; case 'x y': {two} default: b = 3; }}"
                )),
            ]
        })
    }

    pub fn body() -> impl Strategy<Value = String> {
        (
            prop::collection::vec(statement(), 1..6),
            expression(),
            0..4_u8,
        )
            .prop_map(|(statements, value, end)| {
                let end = match end {
                    0 => "return msg;".to_owned(),
                    1 => format!("msg.result = {value}; return msg;"),
                    2 => format!("return [msg, {{payload: {value}}}];"),
                    _ => "msg.all = [a, b, o, l]; return msg;".to_owned(),
                };
                let functions = [
                    ("function f(x) { a = x; return a + 1; }", "f("),
                    ("const g = x => { o.k = x; return o; };", "g("),
                    ("function h(x) { l.push(x); return l; }", "h("),
                    ("const p = x => x;", "p("),
                    (
                        "function c(use, x) { const kept = a; const y = use(x, kept); return [y, use(y, b)]; }",
                        "c(",
                    ),
                ];
                let text = format!("{}\n{end}", statements.join("\n"));
                let used = functions
                    .iter()
                    .filter(|(_, call)| text.contains(call))
                    .map(|(text, _)| *text);
                let used = used.collect::<Vec<_>>().join("\n");
                format!(
                    "let a = 1, b = 'x y', o = {{k: 1, n: [2, 3]}}, l = [3, 'q'];\n{used}\n{text}"
                )
            })
    }
}

/// Bodies by lot whose parts fit together: texts where texts are wanted, and so on. They seldom fail, so that what they do
/// is done by machine code to the end.
mod fitting {
    use proptest::prelude::*;
    use proptest::strategy::BoxedStrategy;

    fn one_of(all: &'static [&'static str]) -> BoxedStrategy<String> {
        (0..all.len())
            .prop_map(move |at| all[at].to_owned())
            .boxed()
    }

    /// Fills the places `#` of a pattern.
    fn filled(
        patterns: &'static [&'static str],
        parts: BoxedStrategy<String>,
    ) -> BoxedStrategy<String> {
        (0..patterns.len(), prop::collection::vec(parts, 3))
            .prop_map(move |(at, parts)| {
                let mut parts = parts.iter().cycle();
                let mut made = String::new();
                for piece in patterns[at].split_inclusive('#') {
                    match (piece.strip_suffix('#'), parts.next()) {
                        (Some(before), Some(part)) => made.extend([before, part.as_str()]),
                        _ => made.push_str(piece),
                    }
                }
                made
            })
            .boxed()
    }

    const NUMBERS: &[&str] = &[
        "n",
        "n",
        "0",
        "1",
        "2",
        "-1.5",
        "-0",
        "1e21",
        "255",
        "s.length",
        "l.length",
        "o.k",
        "d.getTime()",
    ];
    const TEXTS: &[&str] = &[
        "s",
        "s",
        "''",
        "'a1 b22'",
        "'A-b,C'",
        "'ä ö😀'",
        "'x=1;y=2'",
        "'\\n \\t'",
        "`<${n}>`",
    ];
    const LISTS: &[&str] = &[
        "l",
        "l",
        "[]",
        "[3, 1, 2]",
        "['b', 'a', 'B']",
        "[o, o]",
        "o.n",
        "s.split('')",
        "Object.keys(o)",
    ];
    const OBJECTS: &[&str] = &[
        "o",
        "o",
        "{}",
        "{k: 2, n: [1]}",
        "{...o}",
        "{n: l, k: 1}",
        "Object.assign({}, o)",
        "m",
    ];

    pub fn number(depth: u32) -> BoxedStrategy<String> {
        let leaf = one_of(NUMBERS);
        if depth == 0 {
            return leaf;
        }
        let of_numbers = filled(
            &[
                "(# + #)",
                "(# - #)",
                "(# * #)",
                "(# / #)",
                "(# % #)",
                "(# ** 2)",
                "(# | #)",
                "(# >>> 1)",
                "Math.floor(#)",
                "Math.max(#, #)",
                "Math.round(#)",
                "(# > # ? # : 1)",
                "-(#)",
                "f(#)",
                "f()",
                "c(v => v + n, #)",
                "(() => { n += 1; return #; })()",
                "Math.pow(#, 0.5)",
                "(n = #)",
                "(o.k = #)",
                "new Date(#).getTime()",
                "new Date(2024, 1, #).getTime()",
                "Date.UTC(2020, #)",
                "d.setHours(#)",
                "d.setDate(#, 3)",
                "d.setUTCMonth(#)",
            ],
            number(depth - 1),
        );
        let of_texts = filled(
            &[
                "#.length",
                "Number(#)",
                "parseInt(#)",
                "parseInt(#, 16)",
                "parseFloat(#)",
                "#.indexOf(#)",
                "#.charCodeAt(1)",
                "#.search(/[a-z]\\d/)",
                "#.localeCompare('b')",
                "Buffer.byteLength(#)",
                "Buffer.from(#).length",
                "Date.parse(#)",
                "+#",
            ],
            text(depth - 1),
        );
        let of_lists = filled(
            &[
                "#.length",
                "#.indexOf(1)",
                "#.reduce((s, e) => s + 1, 0)",
                "#.findIndex(e => e === 2)",
                "#.push(n)",
                "#.unshift(o)",
                "Math.max(...#)",
                "#.lastIndexOf('a')",
                "new Set(#).size",
                "(#.some(isNaN) ? 1 : 0)",
            ],
            list(depth - 1),
        );
        let dates = one_of(&[
            "d.getHours()",
            "d.getFullYear()",
            "d.getMonth()",
            "d.getDate()",
            "d.getDay()",
            "d.getMinutes()",
            "d.getTimezoneOffset()",
            "d - 5",
            "d.getUTCHours()",
            "d.getMilliseconds()",
            "d.setMinutes(70)",
            "d.setFullYear(2021, 1, 30)",
            "d.setTime(1e12)",
            "d.valueOf()",
        ]);
        prop_oneof![3 => leaf, 4 => of_numbers, 3 => of_texts, 2 => of_lists, 2 => dates].boxed()
    }

    pub fn text(depth: u32) -> BoxedStrategy<String> {
        let leaf = one_of(TEXTS);
        if depth == 0 {
            return leaf;
        }
        let of_texts = filled(
            &[
                "(# + #)",
                "#.toUpperCase()",
                "#.trim()",
                "#.slice(1)",
                "#.slice(-2)",
                "#.substring(1, 3)",
                "#.substr(-3, 2)",
                "#.charAt(0)",
                "#.replace('a', '<$&>')",
                "#.replace(/a/g, 'b')",
                "#.replace(/(\\w)(\\d)/, '$2$1$$')",
                "#.replace(/\\s+/g, #)",
                "#.padStart(5, '0')",
                "#.repeat(2)",
                "encodeURIComponent(#)",
                "#.split(/[ ,;]/).join('|')",
                "#.split(/(\\d)/).join()",
                "(/[A-Z]/.test(#) ? # : 'no')",
                "(#.match(/\\w+/) || ['-'])[0]",
                "JSON.stringify(#)",
                "g({a: #})",
                "#.at(-1)",
                "#.replace(/(\\w)(\\d)/g, (all, a, b) => { n += 1; return b + a; })",
                "#.replace(/\\s/, () => n)",
                "#.concat(#, 1)",
                "(s = #)",
                "(o.t = #)",
                "(# < # ? # : '<')",
                "decodeURIComponent(encodeURI(#))",
                "Buffer.from(#).toString('base64')",
                "(/(\\d+)/.exec(#) || [0, 'none'])[1]",
                "#.replaceAll('1', '-')",
                "typeof #",
            ],
            text(depth - 1),
        );
        let of_numbers = filled(
            &[
                "String(#)",
                "(#).toFixed(2)",
                "(#).toString()",
                "(#).toString(16)",
                "`${#}/${#}`",
                "('' + #)",
                "String.fromCharCode(65 + (# & 15))",
                "JSON.stringify(#)",
            ],
            number(depth - 1),
        );
        let of_lists = filled(
            &[
                "#.join('-')",
                "JSON.stringify(#)",
                "String(#)",
                "#.map(e => typeof e).join()",
                "`${#}`",
                "(#.find(e => typeof e === 'string') ?? 'none')",
            ],
            list(depth - 1),
        );
        let of_objects = filled(
            &[
                "JSON.stringify(#)",
                "Object.keys(#).join()",
                "typeof #",
                "g(#)",
                "JSON.stringify(#, null, 2)",
                "Object.entries(#).map(([k, v]) => k + typeof v).join()",
            ],
            object(depth - 1),
        );
        let dates = one_of(&[
            "d.toISOString()",
            "String(d)",
            "d.toDateString()",
            "JSON.stringify(d)",
            "d.toJSON()",
            "d.toTimeString()",
            "`${d}`",
            "('' + d)",
        ]);
        prop_oneof![3 => leaf, 5 => of_texts, 2 => of_numbers, 2 => of_lists, 2 => of_objects, 1 => dates].boxed()
    }

    pub fn list(depth: u32) -> BoxedStrategy<String> {
        let leaf = one_of(LISTS);
        if depth == 0 {
            return leaf;
        }
        let of_lists = filled(
            &[
                "#.slice(1)",
                "#.concat(#)",
                "[...new Set(#)]",
                "Array.from(new Set(#.concat(#)).values())",
                "#.map(e => e)",
                "#.filter(e => e)",
                "#.filter(Boolean)",
                "#.map(String)",
                "#.map((e, i) => [e, i])",
                "[...#, ...#]",
                "#.reverse()",
                "#.sort()",
                "[...#].sort()",
                "#.map(e => 1).sort((a, b) => a - b)",
                "#.map(String).sort((a, b) => b.localeCompare(a))",
                "#.flat()",
                "#.flatMap(e => [e, 1])",
                "#.splice(0, 1)",
                "Array.from(#)",
                "(l = #)",
                "(o.n = #)",
                "#.fill(o)",
                "#.map(e => { n += 1; return o; })",
                "h(#)",
                "h(#, #)",
                "[#, #]",
                "#.map(e => ({e, w: n})).filter(x => { x.seen = true; return x.w > 0; })",
                "#.sort((x, y) => String(x).localeCompare(String(y)))",
            ],
            list(depth - 1),
        );
        let others = prop_oneof![
            filled(
                &[
                    "#.split(' ')",
                    "#.split(/\\W/)",
                    "(#.match(/\\d/g) || [])",
                    "[#, #]",
                    "Array(3).fill(#)"
                ],
                text(depth - 1)
            ),
            filled(
                &[
                    "[#, #, #]",
                    "Array.from({length: 3}, (_, i) => i * #)",
                    "new Array(2).fill(#)",
                    "[#].map(Number)"
                ],
                number(depth - 1)
            ),
            filled(
                &[
                    "[#, #]",
                    "Object.values(#)",
                    "Object.entries(#)",
                    "Object.keys(#)",
                    "[#].map(({k, n = []}) => [k, n])",
                    "Array(2).fill(#)"
                ],
                object(depth - 1)
            ),
        ];
        prop_oneof![3 => leaf, 4 => of_lists, 3 => others].boxed()
    }

    pub fn object(depth: u32) -> BoxedStrategy<String> {
        let leaf = one_of(OBJECTS);
        if depth == 0 {
            return leaf;
        }
        let of_objects = filled(
            &[
                "{...#, w: 1}",
                "Object.assign({}, #, #)",
                "Object.assign(#, {z: n})",
                "{a: #, b: #}",
                "Object.fromEntries(Object.entries(#))",
                "JSON.parse(JSON.stringify(#))",
                "(o = #)",
                "(m = #)",
                "(# || #)",
                "RED.util.cloneMessage(#)",
            ],
            object(depth - 1),
        );
        let others = prop_oneof![
            filled(
                &[
                    "{l: #, n: #}",
                    "{...#}",
                    "Object.fromEntries(#.map((e, i) => ['k' + i, e]))",
                    "#.reduce((all, e) => { all[e] = n; return all; }, {})"
                ],
                list(depth - 1)
            ),
            filled(&["{[#]: n}", "{t: #, [s]: #}"], text(depth - 1)),
        ];
        prop_oneof![3 => leaf, 3 => of_objects, 2 => others].boxed()
    }

    fn wrapped(
        values: BoxedStrategy<String>,
        patterns: &'static [&'static str],
    ) -> BoxedStrategy<String> {
        filled(patterns, values)
    }

    fn simple() -> BoxedStrategy<String> {
        prop_oneof![
            wrapped(
                number(2),
                &[
                    "n = #;",
                    "n += #;",
                    "o.k = #;",
                    "o['k'] = #;",
                    "l.push(#);",
                    "l[0] = #;",
                    "msg.n = #;",
                    "o[#] = n;",
                    "n **= #;",
                    "m.n = #;",
                    "x = #; msg.x = x;"
                ]
            ),
            wrapped(
                text(2),
                &[
                    "s = #;",
                    "s += #;",
                    "o.t = #;",
                    "msg.s = #;",
                    "l.push(#);",
                    "m[#] = n;",
                    "node.warn(#);",
                    "console.log(#);",
                    "node.status({text: #});",
                    "delete o[#];"
                ]
            ),
            wrapped(
                list(2),
                &[
                    "l = (#);",
                    "o.n = #;",
                    "msg.l = #;",
                    "for (const e of #) { n += 1; m.e = e; }",
                    "#.forEach((e, i) => { n += i; });",
                    "for (const e of [...#]) l.push(e);",
                    "{ const [x, y = 1, ...z] = #; msg.z = z; }",
                    "flow.set('l', #);",
                    "for (const e of #) { if (e && e.k) e.k = n; }",
                    "l.push(...#);",
                    "for (const i in #) n += Number(i);"
                ]
            ),
            wrapped(
                object(2),
                &[
                    "o = #;",
                    "m = #;",
                    "o.o = #;",
                    "msg.o = #;",
                    "l.push(#);",
                    "{ const q = #; q.w = n; msg.q = q; }",
                    "{ const y = new Map(Object.entries(#)); y.set('w', o); y.set(o, n); msg.y = [...y.keys()]; m = y.get('w'); }",
                    "{ const z = new Set(); z.add(#); z.add(o); z.add(m); n += z.size; for (const e of z) { if (e) e.z = n; } }",
                    "{ const {k = 1, n: {length} = []} = #; msg.k = k; }",
                    "flow.set('o', #);",
                    "node.send({payload: #});",
                    "msg.sent = #; node.send(msg);",
                    "for (const k in #) { s += k; }",
                    "for (const [k, v] of Object.entries(#)) { m[k] = v; }"
                ]
            ),
            one_of(&[
                "{ const c = flow.get('o') || {}; c.x = n; }",
                "{ let c = flow.get('o') || {k: 0}; c.k = n; flow.set('o', c); c.after = s; }",
                "{ const c = flow.get('l') || []; c.push(n); msg.c = c; }",
                "m = o;",
                "o.self = m;",
                "l = o.n || [];",
                "o.n = l;",
                "msg.payload = o;",
                "o = msg; o.own = 1;",
                "{ const c = flow.get('o'); if (c) { c.deep = c.deep || {}; c.deep.n = n; } }",
                "d = new Date(n);",
                "o.d = d;",
                "d = new Date(d);",
                "msg.d = d;",
                "{ const e = d; e.setHours(1); }",
                "o.n.push(o.k);",
                "n++;",
                "o.k--;",
                "l.length > 9 && l.pop();",
                "l.sort((a, b) => a - b);",
                "l.sort();",
                "l.shift();",
                "delete o.k;",
                "delete o.n;",
                "m = l.find(e => e && typeof e === 'object') || m;"
            ]),
        ]
        .boxed()
    }

    fn statement() -> impl Strategy<Value = String> {
        simple().prop_recursive(2, 8, 3, |inner| {
            let block = prop::collection::vec(inner, 1..3).prop_map(|list| list.join(" "));
            prop_oneof![
                (number(1), block.clone(), block.clone()).prop_map(|(test, yes, no)| format!(
                    "if ({test} > 1) {{ {yes} }} else {{ {no} }}"
                )),
                block
                    .clone()
                    .prop_map(|body| format!("for (let i = 0; i < 2; i++) {{ {body} }}")),
                block.clone().prop_map(|body| format!(
                    "try {{ {body} }} catch (e) {{ msg.caught = true; }}"
                )),
                (text(1), block.clone(), block).prop_map(|(of, one, two)| format!(
                    "switch ({of}) {{ case 'a1 b22': {one} break; default: {two} }}"
                )),
            ]
        })
    }

    pub fn body() -> impl Strategy<Value = String> {
        (prop::collection::vec(statement(), 1..6), object(2), 0..4_u8).prop_map(|(statements, value, end)| {
            let end = match end {
                0 => "return msg;".to_owned(),
                1 => format!("msg.result = {value}; return msg;"),
                2 => format!("return [msg, {{payload: {value}}}];"),
                _ => "msg.all = [n, s, o, l, m, d]; return msg;".to_owned(),
            };
            let text = format!("{}\n{end}", statements.join("\n"));
            let handed = if text.contains("c(") { "const c = (use, x) => { n -= 1; return use(x) + n; };\n" } else { "" };
            let functions = "function f(x = 7, y = x) { n += 1; return x + y; }\nconst g = ({a, k = a}) => `${k}:${a}`;\nconst h = (list, more = list) => { list.push(more.length); return more; };";
            format!(
                "let n = 1, s = 'a1 b22', o = {{k: 1, n: [2, 3]}}, l = [3, 'q', 1], m = {{}}, d = new Date(1700000000000);\n{handed}{functions}\n{text}"
            )
        })
    }
}
/// Two processes that serve all bodies.
static FUNCTIONS: Mutex<Option<[Control; 2]>> = Mutex::new(None);

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(250), max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// `PROPTEST_CASES=100000` looks longer.
    #[test]
    fn machine_code_does_what_the_engine_does_with_bodies_by_lot(body in bodies::body()) {
        let messages = [json!({"payload": 5}), json!({"payload": "x y", "x": {"n": [1], "k": 2}}), json!({"payload": {"k": 1}, "x": [0, "a"]}), json!({"payload": [1, 2]})];
        same(&ANY, &body, &messages)?;
    }

    #[test]
    fn machine_code_does_what_the_engine_does_with_fitting_bodies_by_lot(body in fitting::body()) {
        let messages = [json!({"payload": 5}), json!({"payload": {"k": 1}})];
        same(&FITTING, &body, &messages)?;
    }
}

/// Two processes that serve all chains.
static CHAINS: Mutex<Option<[Control; 2]>> = Mutex::new(None);

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(100), max_shrink_iters: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn functions_that_became_one_do_what_the_engine_does_by_lot(first in fitting::body(), second in fitting::body()) {
        let mut processes = CHAINS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let processes = processes.get_or_insert_with(ends_of_engine_and_native);
        let messages = [json!({"payload": 5}), json!({"payload": {"k": 1}})];
        let [engine, native] = both_with(processes, &chain([&first, &second]), &messages);
        prop_assert!(engine == native, "{first}\n--\n{second}\n  {engine:?}\n  {native:?}");
    }
}

/// How many bodies by lot there were, and how many of them are machine code.
struct Tally {
    of: &'static str,
    all: AtomicU32,
    lowered: AtomicU32,
}

impl Tally {
    const fn new(of: &'static str) -> Tally {
        Tally {
            of,
            all: AtomicU32::new(0),
            lowered: AtomicU32::new(0),
        }
    }
}

static ANY: Tally = Tally::new("any");
static FITTING: Tally = Tally::new("fitting");

/// Holds machine code of a body against the engine, and says now and then how many bodies are machine code.
fn same(tally: &Tally, body: &str, messages: &[Value]) -> Result<(), TestCaseError> {
    let all = tally.all.fetch_add(1, Ordering::Relaxed) + 1;
    let lowered = match vgdc_script::lower(body) {
        Ok(_) => tally.lowered.fetch_add(1, Ordering::Relaxed) + 1,
        Err(refusal) => {
            if std::env::var_os("VGDC_REFUSED").is_some() {
                println!("{}, line {}", refusal.construct, refusal.line);
            }
            tally.lowered.load(Ordering::Relaxed)
        }
    };
    if all.is_multiple_of(250) {
        println!(
            "{lowered} of {all} bodies by lot ({}) are machine code",
            tally.of
        );
    }
    let mut processes = FUNCTIONS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let processes = processes.get_or_insert_with(engine_and_native);
    let [engine, native] = both(processes, body, messages);
    prop_assert!(engine == native, "{body}\n  {engine:?}\n  {native:?}");
    Ok(())
}
