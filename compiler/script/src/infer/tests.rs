//! What is found of bodies, by example.

use vgdc_ir::Ty;

use super::infer;
use crate::Phase;

/// The types of what a body sends to two outputs.
fn sent(body: &str, message: &str) -> String {
    let message: Ty = message.parse().expect("a type");
    let found = infer(body, Phase::Body, &message, 2);
    // (every message has an id)
    let own = |ty: &Ty| match ty.field("_msgid").is_any() {
        true => ty.to_string(),
        false => ty.with("_msgid", Ty::UNDEFINED).to_string(),
    };
    let texts: Vec<String> = found.outputs.iter().map(own).collect();
    match texts.last().map(String::as_str) {
        Some("never") => texts[0].clone(),
        _ => texts.join(" ; "),
    }
}

fn faults(body: &str, message: &str) -> Vec<String> {
    let message: Ty = message.parse().expect("a type");
    let found = infer(body, Phase::Body, &message, 1);
    found
        .faults
        .into_iter()
        .map(|fault| fault.message)
        .collect()
}

const PLAIN: &str = "object{payload: object{a: number, s: string}, topic: string}";

#[test]
fn messages_are_followed() {
    let cases = [
        (
            "return msg;",
            "object{payload: object{a: number, s: string}, topic: string}",
        ),
        (
            "msg.payload = 5; return msg;",
            "object{payload: int32, topic: string}",
        ),
        (
            "msg.payload = msg.payload.a * 2; return msg;",
            "object{payload: number, topic: string}",
        ),
        (
            "return {payload: msg.payload.s + '!'};",
            "object{payload: string}",
        ),
        (
            "delete msg.topic; return msg;",
            "object{payload: object{a: number, s: string}}",
        ),
        ("return null;", "never"),
        (
            "return [null, {payload: 1}];",
            "never ; object{payload: int32}",
        ),
        (
            "return [[{payload: 1}, {payload: 'x'}]];",
            "object{payload: int32 | string}",
        ),
        (
            "node.send({payload: true}); return;",
            "object{payload: bool}",
        ),
        ("msg = {payload: 1}; return msg;", "object{payload: int32}"),
        (
            "var m = RED.util.cloneMessage(msg); m.payload = null; return [msg, m];",
            "object{payload: object{a: number, s: string}, topic: string} ; object{payload: null, topic: string}",
        ),
        (
            "const {topic} = msg; return {topic};",
            "object{topic: string}",
        ),
        (
            "return {...msg, payload: 1};",
            "object{payload: int32, topic: string}",
        ),
        (
            "if (msg.payload.a > 3) { msg.topic = 1; } return msg;",
            "object{payload: object{a: number, s: string}, topic: int32 | string}",
        ),
        (
            "let out = []; for (const x of [1, 2]) { out.push({n: x}); } return {payload: out};",
            "object{payload: array<object{n: int32 | undefined}>}",
        ),
        (
            "switch (msg.topic) { case 'a': msg.topic = 1; break; default: return null; } return msg;",
            "object{payload: object{a: number, s: string}, topic: int32}",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(sent(body, PLAIN), expected, "{body}");
    }
}

#[test]
fn changes_show_through_other_names() {
    let cases = [
        (
            "let p = msg.payload; p.a = 'x'; return msg;",
            "object{payload: object{a: string, s: string}, topic: string}",
        ),
        (
            "let o = {}; msg.payload = o; o.k = 1; return msg;",
            "object{payload: object{k: int32}, topic: string}",
        ),
        (
            "let m = msg; m.topic = 1; return msg;",
            "object{payload: object{a: number, s: string}, topic: int32}",
        ),
        (
            "let p = msg.payload; let q = msg.payload; q.a = true; return {payload: p};",
            "object{payload: object{a: bool, s: string}}",
        ),
        (
            "let o = {k: 1}; let l = [o]; o.k = 'x'; return {payload: l};",
            "object{payload: array<object{k: int32 | string}>}",
        ),
        (
            "foo(msg.payload); return msg;",
            "object{payload: object{..}, topic: string}",
        ),
        ("foo(msg); return msg;", "object{..}"),
        (
            "let o = {k: 1}; flow.set('o', o); let p = flow.get('o'); p.k = 'x'; return o;",
            "object{k: int32 | string}",
        ),
        (
            "let a = {}; [1].forEach(x => { a.k = x; }); return {a};",
            "object{a: any}",
        ),
        (
            "let n = 1; [1].forEach(x => { n = 'x'; }); return {payload: n};",
            "object{payload: any}",
        ),
        (
            "let o = {k: 1}; let l = [1].map(x => o); l[0].k = 'x'; return o;",
            "object{k: int32 | string}",
        ),
        (
            "let o = {k: {d: 1}}; let i = o.k; i.d = 's'; return o;",
            "object{k: object{d: string}}",
        ),
        (
            "let o; for (let i = 0; i < 2; i++) { let n = {}; if (o) { o.x = 1; } o = n; } return o;",
            "object{x: int32 | undefined}",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(sent(body, PLAIN), expected, "{body}");
    }
}

#[test]
fn conditions_narrow() {
    let message = "object{payload: number | string | undefined, list: array<bool> | null}";
    let cases = [
        (
            "if (typeof msg.payload === 'string') { return msg; }",
            "object{list: array<bool> | null, payload: string}",
        ),
        (
            "if (!msg.payload) { return null; } return msg;",
            "object{list: array<bool> | null, payload: number | string}",
        ),
        (
            "return {payload: msg.payload || 'x'};",
            "object{payload: number | string}",
        ),
        (
            "return {payload: msg.payload ?? true};",
            "object{payload: bool | number | string}",
        ),
        (
            "if (Array.isArray(msg.list)) { return {payload: msg.list}; }",
            "object{payload: array<bool>}",
        ),
        (
            "if (msg.list == null) { return msg; }",
            "object{list: null, payload: number | string | undefined}",
        ),
        (
            "return {payload: msg.list?.length};",
            "object{payload: number | undefined}",
        ),
        (
            "let v = msg.payload; if (v !== undefined && typeof v !== 'number') { return {v}; }",
            "object{v: string}",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(sent(body, message), expected, "{body}");
    }
}

#[test]
fn what_is_not_followed_is_unknown() {
    for body in [
        "eval('msg.x = 1'); return msg;",
        "with (msg) { payload = 1; } return msg;",
        "let f = node; f.send({}); return msg;",
        "await foo(); return msg;",
        "class A {}; return msg;",
        "try { return msg; } finally { msg.payload = 1; }",
        "Object.defineProperty(msg, 'payload', {get: () => 1}); return msg;",
        "a: for (;;) { break a; } return msg;",
        "return { get payload() { return 1; } };",
        "this.x = msg; return msg;",
    ] {
        assert_eq!(sent(body, PLAIN), "object{..} ; object{..}", "{body}");
    }
}

#[test]
fn messages_sent_later_are_known_too() {
    let later = "setTimeout(() => { node.send({payload: 1}); }, 10); return null;";
    let any = "object{payload: any} ; object{payload: any}";
    assert_eq!(sent(later, PLAIN), any);
    let msg = "setTimeout(function () { node.send(msg); }, 10);";
    assert_eq!(sent(msg, PLAIN), "object{..} ; object{..}");
}

#[test]
fn exceptions_are_followed() {
    let body = "let x = 1; try { x = 's'; JSON.parse(msg.payload.s); x = true; } catch (e) { return {x}; } return {x};";
    assert_eq!(sent(body, PLAIN), "object{x: bool | int32 | string}");
}

#[test]
fn what_fails_for_sure_is_found() {
    let found = |body: &str| faults(body, PLAIN);
    assert_eq!(
        found("return {payload: msg.data.x};"),
        ["`msg.data` is always undefined here, so reading `x` of it fails"]
    );
    assert_eq!(
        found("msg.payload = msg.payload * 2; return msg;"),
        ["`msg.payload` is always an object here, so calculating with it gives NaN"]
    );
    assert_eq!(
        found("let parts = msg.payload.a.split(','); return {payload: parts};"),
        ["`msg.payload.a` is always a number here, so calling `split` of it fails"]
    );
}

#[test]
fn what_may_be_right_is_not_reported() {
    for body in [
        "if (msg.data) { msg.x = msg.data.x; } return msg;",
        "return {payload: msg.data && msg.data.x};",
        "return {payload: msg.data?.x};",
        "try { msg.data.x = 1; } catch (e) { } return msg;",
        "if (msg.topic === 'a') { return null; } return msg.data.x;",
        "msg.data = msg.data || {}; msg.data.x = 1; return msg;",
        "return {payload: msg.payload + 1};",
        "const f = () => msg.data.x; return msg;",
        "return {payload: (msg.data || {}).x};",
    ] {
        assert_eq!(faults(body, PLAIN), Vec::<String>::new(), "{body}");
    }
    assert_eq!(
        faults("return msg.a.b.c;", "object{..}"),
        Vec::<String>::new()
    );
}

#[test]
fn texts_at_start_send_nothing_unless_they_may() {
    let at_start = |text: &str| infer(text, Phase::Setup, &Ty::UNDEFINED, 1).outputs[0].to_string();
    assert_eq!(at_start("flow.set('a', 1); node.status({});"), "never");
    assert_eq!(at_start("node.send({payload: 1});"), "object{..}");
    assert_eq!(at_start("foo(node)"), "object{..}");
}

#[test]
fn what_leads_back_is_no_object() {
    let circle = "let o = {n: {}}; o.n.back = o; return {payload: o.n};";
    let payload: Ty = sent(circle, PLAIN).parse().expect("a type");
    let back = payload.field("payload").field("back");
    assert!(Ty::OTHER.is(&back), "{back}");
    // What is made anew leads nowhere.
    let fresh = "msg.payload.b = {c: 1}; return msg;";
    let expected =
        "object{payload: object{a: number, b: object{c: int32}, s: string}, topic: string}";
    assert_eq!(sent(fresh, PLAIN), expected);
}

#[test]
fn a_new_message_gets_the_id_of_the_one_that_came() {
    let id = |body: &str| {
        let message = "object{_msgid: string}".parse().expect("a type");
        let found = infer(body, Phase::Body, &message, 1);
        found.outputs[0].field("_msgid").to_string()
    };
    assert_eq!(id("return {payload: 1};"), "string");
    assert_eq!(id("msg._msgid = 5; return {payload: 1};"), "int32 | string");
    assert_eq!(
        id("msg['_ms' + 'gid'] = true; return {payload: 1};"),
        "any-null-undefined"
    );
}
