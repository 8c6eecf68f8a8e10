//! Nothing is left behind: messages, wrappers, functions and contexts go when they should, and values stay apart.

mod common;

use std::rc::Rc;

use common::{Recorder, bench, msg, source};
use vgdc_engine::{Completion, Engine};
use vgdc_value::{Msg, Value};

/// Bodies that use every kind of value and way out.
const BODIES: [&str; 16] = [
    "return msg;",
    "msg.payload = {...msg.payload, n: [1, {a: 2}]}; return msg;",
    "let p = msg.payload; p.self = p; msg.again = msg; return msg;",
    "msg.b = Buffer.from('abc'); msg.d = new Date(5); msg.m = new Map([[1, msg]]); msg.r = /x/g; return [[msg, msg]];",
    "for (const k in msg) msg[k + 'x'] = msg[k]; delete msg.payload; return msg;",
    "Object.freeze(msg.payload); Object.defineProperty(msg, 'g', {get() { return 1; }, enumerable: true}); return msg;",
    "throw new Error('x');",
    "msg.payload.nope.x;",
    "await null; node.send(msg); return msg;",
    "node.send(msg); node.error('e', msg); node.status({text: msg.topic}); node.done();",
    "flow.set('k', msg); let o = flow.get('k'); o.n = 1; context.set('f', () => msg); return null;",
    "const f = () => msg; msg.f = f; msg.cycle = {f}; return null;",
    "msg['k' + Math.random()] = 1; return {payload: Object.keys(msg).length};",
    "class Q { constructor(x) { this.x = x; } } msg.q = new Q(msg); return msg;",
    "const {send} = node; send({payload: structuredClone({a: [1]})}); return RED.util.cloneMessage(msg);",
    "msg.e = new TypeError('t'); msg.s = new Set([msg.e]); msg.big = 5n; return {payload: JSON.stringify(msg.payload)};",
];

const MESSAGE: &str = r#"{"payload":{"a":1,"l":[1,{"x":"y"}],"b":{"$type":"buffer","base64":"AQID"},"d":{"$type":"date","iso":"2020-01-01T00:00:00.000Z"}},"topic":"a topic"}"#;

#[test]
fn memory_comes_back_after_many_calls() {
    for body in BODIES {
        let b = bench(body);
        let run = |count: usize| {
            for call in 0..count {
                b.function.call(msg(MESSAGE), call as u64 + 1);
                b.host.take();
                b.host.sent.borrow_mut().clear();
            }
            b.engine.collect();
            b.engine.memory()
        };
        run(300);
        let (before, after) = (run(50), run(2000));
        assert_eq!(before.objects, after.objects, "objects of {body}");
        // Names are remembered, up to a limit (see the next test).
        let names = after.names.saturating_sub(before.names) * 128;
        assert!(
            after.bytes <= before.bytes + names + 16_384,
            "bytes of {body}: {before:?} {after:?}"
        );
    }
}

#[test]
fn ever_new_names_do_not_pile_up() {
    let b = bench(
        "for (let i = 0; i < 1000; i++) { msg['k' + msg.n + '_' + i] = 1; } return {n: Object.keys(msg).length};",
    );
    for n in 0..40 {
        b.function.call(msg(&format!(r#"{{"n":{n}}}"#)), 1);
    }
    b.engine.collect();
    assert!(b.engine.memory().names < 12_000, "{:?}", b.engine.memory());
}

#[test]
fn contexts_go_with_their_functions() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let run = |count: usize| {
        for _ in 0..count {
            for body in BODIES {
                let host = Rc::new(Recorder::default());
                let function = engine
                    .function(&source(body), host.clone())
                    .expect("a function");
                function.call(msg(MESSAGE), 1);
                function.close(true);
            }
        }
        engine.collect();
        engine.memory()
    };
    run(2);
    let (before, after) = (run(1), run(20));
    assert_eq!(before.objects, after.objects, "{before:?} {after:?}");
    assert!(after.bytes <= before.bytes + 65_536, "{before:?} {after:?}");
}

#[test]
fn an_untouched_message_comes_out_as_it_went_in() {
    let b = bench(
        "let p = msg.payload; let seen = p.l.length + p.b[0] + p.d.getTime(); for (const k in p) seen += k; return msg;",
    );
    let before = msg(MESSAGE);
    b.function.call(before.clone(), 1);
    let sent = b
        .host
        .sent
        .borrow_mut()
        .pop()
        .expect("sent")
        .pop()
        .expect("an output")
        .pop()
        .expect("a message");
    assert!(sent.ptr_eq(&before), "the very same storage");
}

#[test]
fn untouched_parts_stay_shared() {
    let b = bench("msg.topic = 'new'; msg.payload.a++; return msg;");
    let before = msg(r#"{"payload":{"a":1,"big":{"x":[1,2,3]},"list":[{"y":1}]},"topic":"t"}"#);
    b.function.call(before.clone(), 1);
    let sent = b
        .host
        .sent
        .borrow_mut()
        .pop()
        .expect("sent")
        .pop()
        .expect("an output")
        .pop()
        .expect("a message");
    for part in ["big", "list"] {
        assert!(
            sent.payload()
                .get(part)
                .strict_eq(&before.payload().get(part)),
            "{part}"
        );
    }
    assert_eq!(
        before.payload().get("a").as_f64(),
        Some(1.0),
        "the message that came in is not changed"
    );
    assert_eq!(sent.payload().get("a").as_f64(), Some(2.0));
}

#[test]
fn a_kept_message_is_not_changed_by_others_nor_changes_theirs() {
    let b = bench(
        "if (globalThis.kept) { kept.payload.n++; node.send(kept); } globalThis.kept = msg; return msg;",
    );
    let first = msg(r#"{"payload":{"n":1}}"#);
    b.function.call(first, 1);
    let mut sent = b
        .host
        .sent
        .borrow_mut()
        .pop()
        .expect("sent")
        .pop()
        .expect("an output")
        .pop()
        .expect("a message");
    // Downstream changes its message.
    sent.insert("payload", 99);
    b.function.call(msg(r#"{"payload":{"n":5}}"#), 2);
    let again = b
        .host
        .sent
        .borrow_mut()
        .remove(0)
        .pop()
        .expect("an output")
        .pop()
        .expect("a message");
    assert_eq!(again.payload().get("n").as_f64(), Some(2.0));
}

#[test]
fn sent_messages_do_not_see_later_changes() {
    let b = bench(
        "node.send(msg); msg.payload.n = 2; msg.payload.l.push(2); node.send([[msg, msg]]); msg.payload.n = 3; return msg;",
    );
    let events = b.call(r#"{"payload":{"n":1,"l":[1]}}"#);
    let payloads: Vec<&str> = events
        .iter()
        .filter_map(|event| event.strip_prefix("send 0 "))
        .collect();
    assert_eq!(
        payloads,
        [
            r#"{"payload":{"n":1,"l":[1]},"_msgid":"m"}"#,
            r#"{"payload":{"n":2,"l":[1,2]},"_msgid":"m"}"#,
            r#"{"payload":{"n":2,"l":[1,2]},"_msgid":"m"}"#,
            r#"{"payload":{"n":3,"l":[1,2]},"_msgid":"m"}"#
        ]
    );
}

#[test]
fn handles_come_back_the_same() {
    let handle = vgdc_value::Handle::new(
        "test",
        msg(r#"{"query":{"a":"1"},"ip":"::1"}"#).into_value(),
        std::sync::Arc::new(5_u8),
    );
    let mut message = msg("{}");
    message.insert("req", Value::Handle(handle.clone()));
    let b = bench(
        "msg.payload = [msg.req.query.a, typeof msg.req, msg.req === msg.req, Object.keys(msg.req)]; return {req: msg.req, payload: msg.payload};",
    );
    let Completion::Done(_) = b.function.call(message, 1) else {
        panic!("must be done")
    };
    let sent: Msg = b
        .host
        .sent
        .borrow_mut()
        .pop()
        .expect("sent")
        .pop()
        .expect("an output")
        .pop()
        .expect("a message");
    let Some(Value::Handle(back)) = sent.get("req") else {
        panic!("a handle")
    };
    assert_eq!(back.id(), handle.id());
    assert_eq!(
        common::show(sent.payload()),
        r#"["1","object",true,["query","ip","_msgid"]]"#
    );
}

#[test]
fn very_long_and_sparse_arrays_are_refused() {
    for body in [
        "msg.payload = new Array(1e9); return msg;",
        "let a = []; a[4e9] = 1; return {payload: a};",
    ] {
        assert_eq!(
            bench(body).call("{}"),
            ["failed RangeError: Invalid array length"],
            "{body}"
        );
    }
}

#[test]
fn shared_parts_cost_once() {
    // Thirty levels, each holding the next twice: a tree of a thousand million leaves when copied.
    let b = bench(
        "let o = {leaf: 1}; for (let i = 0; i < 30; i++) o = {a: o, b: o};
        flow.set('o', o); o.c = 1; let m = RED.util.cloneMessage({o}); msg.x = m.o.a === m.o.b; return {x: Object.keys(m.o)};",
    );
    assert_eq!(b.call("{}"), [r#"send 0 {"x":["a","b","c"],"_msgid":"m"}"#]);
}
