//! What is lowered and what is refused, and how much of a corpus.

use super::*;
use std::collections::BTreeMap;

/// The instructions of a text, or why it has none.
fn shown(text: &str) -> String {
    match lower(text) {
        Ok(body) => body.to_string(),
        Err(Refusal { construct, line }) => format!("{construct}, line {line}"),
    }
}

#[test]
fn numbers_are_unboxed() {
    insta::assert_snapshot!(shown(
        "let sum = 0;\nfor (let i = 0; i < 10; i++) { sum += i * msg.payload; }\nmsg.payload = sum;\nreturn msg;"
    ));
}

#[test]
fn properties_and_texts() {
    insta::assert_snapshot!(shown(
        "msg.topic = `${msg.topic}/x`;\nif (msg.payload.on === true && !msg.retain) return [msg, null];\nreturn null;"
    ));
}

#[test]
fn another_name_is_taken_for_what_it_names() {
    for (text, lowered) in [
        ("let p = msg.payload; p.x = 1; return msg;", true),
        ("for (const e of msg.payload) e.x = 1; return msg;", true),
        ("msg.payload.forEach(e => { e.x = 1; }); return msg;", true),
        (
            "msg.payload = msg.payload.map(e => { e.x = 1; return e; }); return msg;",
            true,
        ),
        (
            "for (const e of msg.payload) { msg.payload = 1; e.x = 1; } return msg;",
            false,
        ),
        (
            "const p = msg.payload; p.x = 1; msg.payload = p; return msg;",
            true,
        ),
        ("var m = msg; m.payload = 1; return m;", true),
        (
            "for (let i = 0; i < 3; i++) { const e = msg.list[i]; e.x = i; } return msg;",
            true,
        ),
        ("const o = {}; o.x = 1; msg.payload = o; return msg;", true),
        (
            "const out = []; for (const e of msg.payload) { const o = {v: e}; o.w = 1; out.push(o); } msg.payload = out; return msg;",
            true,
        ),
        (
            "msg.payload = msg.payload.data; msg.payload.x = 1; return msg;",
            true,
        ),
        (
            "let a = flow.get('a') || []; a.push(1); flow.set('a', a); return msg;",
            true,
        ),
        // The other name is changed, or what it names is: such code works on references.
        ("let p = msg.payload; p.x = 1; p = {}; return msg;", false),
        (
            "let p = msg.payload; msg.payload = 1; p.x = 1; msg.old = p; return msg;",
            false,
        ),
        ("const o = {}; msg.payload = o; o.x = 1; return msg;", false),
        (
            "const o = {}; msg.list = [o, o]; msg.list[0].x = 1; return msg;",
            false,
        ),
        (
            "let i = 0; const e = msg.list[i]; i = 1; e.x = 1; return msg;",
            false,
        ),
        (
            "const n = {...msg}; n.payload.x = 1; return [msg, n];",
            false,
        ),
    ] {
        let values = lower(text).is_ok_and(|body| !body.shared);
        assert_eq!(values, lowered, "{text}: {}", shown(text));
    }
}

#[test]
fn what_is_changed_under_two_names_works_on_references() {
    insta::assert_snapshot!(shown(
        "const o = {};\nmsg.payload = o;\no.x = 1;\nreturn msg;"
    ));
    for text in [
        "const s = flow.get(`s${msg.topic}`) || {}; s.n = 1; flow.set(`s${msg.topic}`, s); return msg;",
        "let at = msg; for (const k of ['a', 'b']) { at[k] = {}; at = at[k]; } return msg;",
        "const l = [1]; l.forEach(e => { l.push(e); }); msg.l = l; return msg;",
        "const f = ({a, b: [c] = []}, d = {}) => { d.x = a; return c; }; msg.r = f(msg); return msg;",
        "const l = Array(2).fill({}); l[0].x = 1; msg.l = l; return msg;",
        "Object.assign(msg, {a: 1}); return msg;",
        "msg.r = (() => { const o = msg.o; o.x = 1; return o; })(); return msg;",
        "const twice = (use, x) => use(use(x)); msg.r = twice(n => n + msg.n, 1); return msg;",
        "const on = (use, x) => use(x), all = (use) => msg.l.map(e => on(use, e)), f = (e) => e; msg.l = all(f); return msg;",
        "const s = new Set(msg.l); s.add(1); msg.l = [...s]; msg.n = s.size; for (const e of s) msg.e = e; return msg;",
        "const m = new Map(); m.set('a', {}); m.get('a').n = 1; m.forEach((v, k) => { msg[k] = v; }); return msg;",
        "msg.l = Array.from(new Map(Object.entries(msg.o)).keys()); return msg;",
    ] {
        let body = lower(text);
        assert!(
            body.is_ok_and(|body| body.shared && body.left.is_empty()),
            "{text}: {}",
            shown(text)
        );
    }
}

#[test]
fn what_the_language_has_is_lowered_whole() {
    for text in [
        "msg.r = msg.payload.replace(/(a)b/g, (all, a) => a.toUpperCase()).split(/[,;]/); return msg;",
        "const m = msg.payload.match(/(\\d+)/); if (m) msg.n = Number(m[1]); return msg;",
        "const d = new Date(msg.ts); d.setHours(0, 0, 0, 0); msg.d = d.toLocaleDateString('en-GB'); return msg;",
        "msg.r = msg.payload.slice().sort((a, b) => b.v - a.v).map(e => e.v); return msg;",
        "msg.r = [...Object.keys(msg)].sort((a, b) => a.localeCompare(b)); return msg;",
        "msg.payload = Buffer.from([1, 2]).readUInt16BE(0); return msg;",
        "function f(a, b = 2) { return a + b; } msg.r = Array.from({length: 3}, (_, i) => f(i)); return msg;",
        "{ function inner() { return 1; } msg.r = inner(); } return msg;",
        "msg.r = flow.keys().filter(Boolean).map(String); console.log('n', msg.r.length); return msg;",
        "msg.r = [msg.l?.slice(1), msg.l?.map(e => e + 1)?.length, msg.l.some(isNaN), msg.l.every(Boolean)]; return msg;",
        "clearTimeout(msg.timer); if (msg.payload instanceof Date) return [, msg]; return [msg, , ];",
        "const keys = global.keys ? global.keys() : []; msg.r = keys; return msg;",
        "msg.r = Math.max(...msg.payload); return RED.util.getMessageProperty(msg, 'a.b') ? msg : null;",
    ] {
        assert!(
            lower(text).is_ok_and(|body| body.left.is_empty()),
            "{text}: {}",
            shown(text)
        );
    }
}

#[test]
fn what_not_every_call_comes_to_is_left_to_the_engine() {
    for text in [
        "if (!msg.payload) return null;\nsetTimeout(() => node.send(msg), 5);",
        "msg.r = msg.r || new Proxy({}, {});\nreturn msg;",
        "msg.r = msg.x ? new Proxy({}, {}) : 1;\nreturn msg;",
        "for (const e of msg.l) { if (e) continue; new Proxy({}, {}); }\nreturn msg;",
    ] {
        let left = lower(text).map(|body| body.left.len());
        assert_eq!(left, Ok(1), "{text}: {}", shown(text));
    }
    // (a `break` that stays inside leads nowhere else)
    let text = "switch (msg.x) { case 1: break; }\nnew Proxy({}, {});";
    assert_eq!(shown(text), "`new Proxy`, line 2");
}

#[test]
fn no_function_is_put_in_inside_of_itself() {
    for text in [
        "const walk = (n) => { n.forEach(walk); }; walk(msg.payload); return msg;",
        "const on = (use) => use(), f = () => on(f); f(); return msg;",
        "const f = (n) => n.map(f); msg.r = f(msg.payload); return msg;",
    ] {
        assert_eq!(
            shown(text),
            "a function that calls itself, line 1",
            "{text}"
        );
    }
    let left = lower("const f = (n) => n > 0 ? f(n - 1) : n; msg.r = f(3); return msg;");
    assert_eq!(left.map(|body| body.left.len()), Ok(1));
}

#[test]
fn what_nobody_calls_keeps_nothing_from_being_lowered() {
    let text =
        "function never() { return new Proxy({}, {}); } const f = async () => 1; return msg;";
    assert_eq!(shown(text), "a closure, line 1");
    let text = "function never() { return other(); } function other() { return new Proxy({}, {}); } return msg;";
    assert!(lower(text).is_ok(), "{}", shown(text));
}

#[test]
fn variables_without_a_declaration_are_the_calls_own_where_they_are_set_first() {
    let body = lower("for (i = 0; i < 2; i++) { t = i; }\nmsg.i = i;\nreturn msg;");
    assert_eq!(
        body.map(|body| body.globals),
        Ok(vec!["i".to_owned(), "t".to_owned()])
    );
    for text in [
        "if (msg.x) t = 1;\nmsg.t = t;\nreturn msg;",
        "msg.t = f();\nt = 1;\nfunction f() { return t; }\nreturn msg;",
        "t += 1;\nreturn msg;",
    ] {
        assert!(
            shown(text).starts_with("an assignment to `t`"),
            "{text}: {}",
            shown(text)
        );
    }
}

#[test]
fn branches_that_cannot_be_lowered_are_left_to_the_engine() {
    let body = lower(
        "if (msg.rare) {\n  setTimeout(() => node.send(msg), 10);\n  return null;\n}\nreturn msg;",
    );
    assert_eq!(
        body.map(|body| body.left),
        Ok(vec![("`setTimeout()`".to_owned(), 2)])
    );
}

#[test]
fn refusals_name_the_construct_and_its_line() {
    for (text, expected) in [
        ("let a = 1;\nreturn x => x;", "a closure, line 2"),
        ("return new WeakMap()", "`new WeakMap`, line 1"),
        (
            "const {...a} = msg;",
            "destructuring of a rare kind, line 1",
        ),
        ("if (y) y = 5;", "an assignment to `y`, line 1"),
        (
            "\n\nreturn msg.payload.map(Symbol)",
            "the method `map`, line 3",
        ),
        ("let a = ;", "a text that is no JavaScript, line 1"),
        ("const k = 1; k = 2;", "an assignment to a constant, line 1"),
        (
            "return y; let y = 1;",
            "a variable before its declaration, line 1",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

/// `VGDC_CORPUS=bodies.jsonl cargo test -p vgdc-script --lib -- --ignored --nocapture corpus`
#[test]
#[ignore = "needs a corpus of bodies, which is not in the repository"]
fn corpus() {
    let path = std::env::var_os("VGDC_CORPUS").expect("VGDC_CORPUS names a file");
    let text = std::fs::read_to_string(path).expect("reads");
    let (mut native, mut partly, mut all) = (0, 0, 0);
    let mut left: BTreeMap<String, u32> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for line in text.lines() {
        let body: serde_json::Value = serde_json::from_str(line).expect("JSON");
        all += 1;
        match lower(body["func"].as_str().expect("a text")) {
            Ok(body) => {
                native += 1;
                partly += u32::from(!body.left.is_empty());
                for (construct, _) in body.left {
                    *left.entry(construct).or_default() += 1;
                }
            }
            Err(refusal) => *reasons.entry(refusal.construct).or_default() += 1,
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{native} of {all} are lowered, {partly} of them but for branches:");
    let mut left: Vec<_> = left.into_iter().collect();
    left.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in left.iter().take(20) {
        println!("   branches {count:5} {reason}");
    }
    for (reason, count) in reasons.iter().take(60) {
        println!("{count:5} {reason}");
    }
}

/// The bodies that are refused, or a branch of which is left to the engine, for a reason (`VGDC_REASON`), to look at.
#[test]
#[ignore = "needs a corpus of bodies, which is not in the repository"]
fn refused() {
    let path = std::env::var_os("VGDC_CORPUS").expect("VGDC_CORPUS names a file");
    let reason = std::env::var("VGDC_REASON").expect("VGDC_REASON is a part of a reason");
    let text = std::fs::read_to_string(path).expect("reads");
    for line in text.lines() {
        let body: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = body["func"].as_str().expect("a text");
        match lower(text) {
            Err(Refusal { construct, line }) if construct.contains(&reason) => {
                println!("---- {construct}, line {line}\n{text}");
            }
            Ok(body) => {
                let left = body.left.iter();
                for (construct, line) in left.filter(|(construct, _)| construct.contains(&reason)) {
                    println!("---- branch: {construct}, line {line}\n{text}");
                }
            }
            Err(_) => {}
        }
    }
}
