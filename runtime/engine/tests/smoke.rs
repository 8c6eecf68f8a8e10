//! A first look at the engine: what a call costs, printed.
mod common;
use common::bench;

#[test]
fn smoke() {
    for (body, msg) in [
        ("return msg;", r#"{"payload":1}"#),
        (
            "msg.payload = msg.payload + 1; return msg;",
            r#"{"payload":1}"#,
        ),
        ("msg.payload.foo(1)", r#"{"payload":1}"#),
        ("foo.bar", r#"{"payload":1}"#),
        ("  undef()", r#"{"payload":1}"#),
        ("return x + 1", r#"{"payload":1}"#),
        ("await 1; return msg", r#"{"payload":1}"#),
        (
            "node.send([msg, null, [msg,{payload:2}]]); node.done()",
            r#"{"payload":1}"#,
        ),
        (
            "let p = msg.payload; p.x = 1; p.l.push(3); return msg",
            r#"{"payload":{"l":[1,2]}}"#,
        ),
        ("while(1);", r#"{"payload":{"l":[1,2]}}"#),
        ("let a=[]; while(1) a.push('xxxxxxxxx'+a.length);", r#"{}"#),
        ("function f(){f()}; f()", r#"{}"#),
        ("async function f(){return f()}; await f()", r#"{}"#),
        ("throw 'x'", r#"{}"#),
        ("throw {a:1}", r#"{}"#),
        ("JSON.parse('abc')", r#"{}"#),
        (
            "msg.payload=new Date(0); msg.d=Date.now(); return msg",
            r#"{}"#,
        ),
    ] {
        let b = bench(body);
        println!("{body}\n   {:?}", b.call(msg));
    }
}
