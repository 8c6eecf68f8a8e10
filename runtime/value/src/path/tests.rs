//! The cases of Node-RED's own tests of property expressions, as data, and what they leave open. What its `RED.util` says
//! about many more expressions is in `tests/recorded`.

use super::*;
use crate::{control, json};
use proptest::prelude::*;

fn value(text: &str) -> Value {
    control::decode(text).expect(text)
}

fn object(text: &str) -> Object {
    value(text).as_object().expect("an object").clone()
}

/// The segments as `normalisePropertyExpression` gives them.
fn parts(path: &Path) -> Value {
    let part = |segment: &PathSegment| match segment {
        PathSegment::Key(key) => Value::from(key.to_str()),
        PathSegment::Index(index) => Value::from(*index),
        PathSegment::Nested(path) => parts(path),
    };
    path.segments().iter().map(part).collect::<Array>().into()
}

use crate::Array;

#[test]
fn expressions_that_are_right() {
    for (text, expected) in [
        ("a.b.c", r#"["a","b","c"]"#),
        (r#"a["b"]["c"]"#, r#"["a","b","c"]"#),
        (r#"a["b"].c"#, r#"["a","b","c"]"#),
        ("a['b'].c", r#"["a","b","c"]"#),
        ("a[0].c", r#"["a",0,"c"]"#),
        ("a.0.c", r#"["a",0,"c"]"#),
        ("a.0", r#"["a","0"]"#),
        ("0.a", r#"[0,"a"]"#),
        ("a.0[1]", r#"["a","0",1]"#),
        ("a['a.b[0]'].c", r#"["a","a.b[0]","c"]"#),
        ("a[0][0][0]", r#"["a",0,0,0]"#),
        ("'1.2.3.4'", r#"["1.2.3.4"]"#),
        ("'a.b'[1]", r#"["a.b",1]"#),
        ("'a.b'.c", r#"["a.b","c"]"#),
        ("a[msg.b]", r#"["a",["msg","b"]]"#),
        ("a[msg[msg.b]]", r#"["a",["msg",["msg","b"]]]"#),
        (r#"a[msg['b]"[']]"#, r#"["a",["msg","b]\"["]]"#),
        ("a[msg['b][']]", r#"["a",["msg","b]["]]"#),
        ("b[msg.a][2]", r#"["b",["msg","a"],2]"#),
        ("a.$b.c", r#"["a","$b","c"]"#),
        ("a._b.c", r#"["a","_b","c"]"#),
        (r#"a["_b"].c"#, r#"["a","_b","c"]"#),
        ("a[0]b", r#"["a",0,"b"]"#),
        ("é.ü", ""),
        ("€[1]", r#"["€",1]"#),
    ] {
        match Path::parse(text) {
            Ok(path) => assert_eq!(control::encode(&parts(&path)), expected, "{text}"),
            Err(error) => assert!(expected.is_empty(), "{text}: {error}"),
        }
    }
}

#[test]
fn expressions_that_are_wrong() {
    for (text, message) in [
        ("", "Invalid property expression: zero-length"),
        (
            "a'b'.c",
            "Invalid property expression: unexpected ' at position 1",
        ),
        (
            "a['b'.c",
            "Invalid property expression: unexpected array expression at position 3",
        ),
        (
            "a[]",
            "Invalid property expression: unexpected ] at position 2",
        ),
        (
            "a]",
            "Invalid property expression: unexpected ] at position 1",
        ),
        ("a[", "Invalid property expression: unterminated expression"),
        (
            "a[0d]",
            "Invalid property expression: unexpected array expression at position 2",
        ),
        (
            "a['",
            "Invalid property expression: unterminated expression",
        ),
        (
            "a[']",
            "Invalid property expression: unterminated expression",
        ),
        (
            "a[0']",
            "Invalid property expression: unexpected ' at position 3",
        ),
        (
            "a.[0]",
            "Invalid property expression: unexpected [ at position 2",
        ),
        (
            "[0]",
            "Invalid property expression: unexpected [ at position 0",
        ),
        (
            "a[0",
            "Invalid property expression: unterminated expression",
        ),
        ("a.", "Invalid property expression: unterminated expression"),
        (
            ".a",
            "Invalid property expression: unexpected . at position 0",
        ),
        (
            "a. b",
            "Invalid property expression: unexpected   at position 2",
        ),
        (
            " a.b",
            "Invalid property expression: unexpected ' ' at position 0",
        ),
        (
            "a[0].[1]",
            "Invalid property expression: unexpected [ at position 5",
        ),
        (
            "a['']",
            "Invalid property expression: zero-length string at position 3",
        ),
        (
            "'a.b'c",
            "Invalid property expression: unexpected c expression at position 5",
        ),
        (
            "a[b]",
            "Invalid property expression: unexpected b at position 2",
        ),
        ("a[msg.]", "Invalid expression started at position 2"),
        (
            "a[msg[]",
            "Invalid property expression: unmatched '[' at position 1",
        ),
        ("a[msg.[]]", "Invalid expression started at position 2"),
        ("a[msg['af]]", "Invalid expression started at position 2"),
        (
            "😀.é",
            "Invalid property expression: unexpected é at position 3",
        ),
    ] {
        let error = Path::parse(text).expect_err(text);
        assert_eq!(
            (error.code, error.message.as_str()),
            ("INVALID_EXPR", message),
            "{text}"
        );
    }
    assert!(Path::parse(&format!("a{}", "[msg".repeat(100_000))).is_err());
    assert!(
        Path::parse(&format!(
            "a{}.b{}",
            "[msg".repeat(10_000),
            "]".repeat(10_000)
        ))
        .is_err()
    );
}

#[test]
fn texts_of_expressions() {
    for (text, msg, expected) in [
        ("a['a.b[0]'].c", "{}", r#"a["a.b[0]"]["c"]"#),
        ("a.b.c", "{}", r#"a["b"]["c"]"#),
        (
            r#"a[msg.c][0]["fred"]"#,
            r#"{"c":"123"}"#,
            r#"a["123"][0]["fred"]"#,
        ),
        (r#"a['say "x"']"#, "{}", r#"a['say "x"']"#),
        ("a[msg.c]", r#"{"c":7}"#, "a[7]"),
    ] {
        let path = Path::parse(text)
            .expect(text)
            .resolve(&object(msg))
            .expect(text);
        assert_eq!(path.to_string(), expected, "{text}");
    }
}

#[test]
fn values_are_read() {
    for (msg, text, expected) in [
        (r#"{"a":"foo"}"#, "a", r#""foo""#),
        (r#"{"a":"foo"}"#, "b", r#"{"$type":"undefined"}"#),
        (r#"{"a":"foo","b":{"foo":1,"bar":2}}"#, "b[msg.a]", "1"),
        (r#"{"a":["foo","bar"]}"#, "a[0]", r#""foo""#),
        (r#"{"a":[null,{"b":"foo"}]}"#, "a[1].b", r#""foo""#),
        (r#"{"a":[[["foo"]]]}"#, "a[0][0][0]", r#""foo""#),
        (r#"{"a":["x"]}"#, "a['0']", r#""x""#),
        (r#"{"a":"xyz"}"#, "a.length", "3"),
        (r#"{"a":"xyz"}"#, "a[1]", r#""y""#),
        (r#"{"a":{"1":"x"}}"#, "a[1]", r#""x""#),
        (r#"{"a":7}"#, "a.b", r#"{"$type":"undefined"}"#),
        (r#"{"n":1,"a":["x","y"]}"#, "a[msg.n]", r#""y""#),
        (r#"{"f":true,"a":{"true":3}}"#, "a[msg.f]", "3"),
        (r#"{"msg":{"x":"k"},"a":{"k":3}}"#, "a[msg['x']]", "3"),
        (
            r#"{"e":{"$type":"error","name":"E","message":"m","stack":"s","properties":{"code":5}}}"#,
            "e.code",
            "5",
        ),
    ] {
        let found = Path::parse(text).expect(text).get(&value(msg)).expect(text);
        assert_eq!(control::encode(&found), expected, "{text} of {msg}");
    }
    for (msg, text, code, message) in [
        (
            r#"{"a":"foo"}"#,
            "a.b.c",
            "",
            "Cannot read properties of undefined (reading 'c')",
        ),
        (
            r#"{"a":null}"#,
            "a[0]",
            "",
            "Cannot read properties of null (reading '0')",
        ),
        (
            r#"{}"#,
            "b[msg.undefined][2]",
            "INVALID_EXPR",
            "Invalid expression started at position 2",
        ),
        (
            r#"{"x":"k"}"#,
            "a[msg['x']]",
            "INVALID_EXPR",
            "Invalid expression started at position 2",
        ),
    ] {
        let error = Path::parse(text)
            .expect(text)
            .get(&value(msg))
            .expect_err(text);
        assert_eq!(
            (error.code, error.message.as_str()),
            (code, message),
            "{text} of {msg}"
        );
    }
}

/// Whether `setObjectProperty` says that it was set, and what the message is then; or the error.
fn set(msg: &str, text: &str, new: &str, create: bool) -> String {
    let mut root = object(msg);
    let done = Path::parse(text).and_then(|path| path.set(&mut root, value(new), create));
    match done {
        Ok(done) => format!("{done} {}", control::encode(&Value::Object(root))),
        Err(error) => error.message,
    }
}

#[test]
fn values_are_set() {
    let bar = r#""bar""#;
    for (msg, text, create, expected) in [
        (r#"{"a":"foo"}"#, "a", true, r#"true {"a":"bar"}"#),
        (
            r#"{"a":{"b":{"c":"foo"}}}"#,
            "a.b.c",
            true,
            r#"true {"a":{"b":{"c":"bar"}}}"#,
        ),
        (
            r#"{"a":{}}"#,
            "a.b.c",
            true,
            r#"true {"a":{"b":{"c":"bar"}}}"#,
        ),
        (r#"{"a":{}}"#, "a.b.c", false, r#"false {"a":{}}"#),
        (r#"{"a":{}}"#, "a.b[1].c", false, r#"false {"a":{}}"#),
        (r#"{"a":"foo"}"#, "a.b.c", false, r#"false {"a":"foo"}"#),
        (r#"{"a":"foo"}"#, "a.b", true, r#"false {"a":"foo"}"#),
        (r#"{"a":123}"#, "a.b", true, r#"false {"a":123}"#),
        (r#"{"a":true}"#, "a.b.c", true, r#"false {"a":true}"#),
        (r#"{"a":null}"#, "a.b", true, r#"false {"a":null}"#),
        (
            r#"{"a":{"b":["foo",{"c":["",""]}]}}"#,
            "a.b[1].c[1]",
            true,
            r#"true {"a":{"b":["foo",{"c":["","bar"]}]}}"#,
        ),
        (
            r#"{"a":[]}"#,
            "a[2]",
            true,
            r#"true {"a":[{"$type":"undefined"},{"$type":"undefined"},"bar"]}"#,
        ),
        (
            r#"{}"#,
            "a[1].b",
            true,
            r#"true {"a":[{"$type":"undefined"},{"b":"bar"}]}"#,
        ),
        (
            r#"{}"#,
            "a[0][1]",
            true,
            r#"true {"a":[[{"$type":"undefined"},"bar"]]}"#,
        ),
        (r#"{"a":[]}"#, "a[1][1]", false, r#"false {"a":[]}"#),
        (r#"{"a":{}}"#, "a.b[2]", false, r#"false {"a":{}}"#),
        (
            r#"{"a":"foo","b":{}}"#,
            "b[msg.a]",
            true,
            r#"true {"a":"foo","b":{"foo":"bar"}}"#,
        ),
        (
            r#"{"a":"foo","b":{"foo":[0,0,0]}}"#,
            "b[msg.a][2]",
            true,
            r#"true {"a":"foo","b":{"foo":[0,0,"bar"]}}"#,
        ),
        (r#"{"a":["x"]}"#, "a['0']", true, r#"true {"a":["bar"]}"#),
        (r#"{"a":{}}"#, "a[0]", true, r#"true {"a":{"0":"bar"}}"#),
        (r#"{"a":[5]}"#, "a[0].x", true, r#"false {"a":[5]}"#),
        (r#"{"a":[5]}"#, "a[0].x.y", true, r#"false {"a":[5]}"#),
        (
            r#"{"a":[5]}"#,
            "a[0].x.y.z",
            true,
            "Cannot convert undefined or null to object",
        ),
        (r#"{"a":[null]}"#, "a[0].x", true, r#"false {"a":[null]}"#),
        (
            r#"{"a":[null]}"#,
            "a[0].x.y",
            true,
            "Cannot convert undefined or null to object",
        ),
        (
            r#"{"a":{"$type":"buffer","base64":"AAA="}}"#,
            "a[1]",
            true,
            r#"true {"a":{"$type":"buffer","base64":"AAA="}}"#,
        ),
        (
            r#"{"a":{"$type":"date","iso":null}}"#,
            "a.x",
            true,
            "Cannot set property 'x': a date keeps no properties",
        ),
        (
            r#"{"a":[]}"#,
            "a[4000000000]",
            true,
            "Cannot set property '4000000000': an array can have 10000000 elements",
        ),
    ] {
        assert_eq!(set(msg, text, bar, create), expected, "{text} of {msg}");
    }
    assert_eq!(
        set(r#"{"a":[1,2,3]}"#, "a.length", "1", true),
        r#"true {"a":[1]}"#
    );
    let error = r#"{"e":{"$type":"error","name":"E","message":"m","stack":"s"}}"#;
    let changed = r#"true {"e":{"$type":"error","name":"E","message":"m","stack":"s","properties":{"code":{"x":1}}}}"#;
    assert_eq!(set(error, "e.code.x", "1", true), changed);
}

#[test]
fn undefined_deletes() {
    let undefined = r#"{"$type":"undefined"}"#;
    for (msg, text, expected) in [
        (
            r#"{"a":{"b":{"c":"foo"}}}"#,
            "a.b.c",
            r#"true {"a":{"b":{}}}"#,
        ),
        (r#"{"a":{}}"#, "a.b.c", r#"false {"a":{}}"#),
        (r#"{"a":{}}"#, "a.b", r#"true {"a":{}}"#),
        (r#"{"a":[1,2,3]}"#, "a[1]", r#"true {"a":[1,3]}"#),
        (r#"{"a":[1,2,3]}"#, "a[7]", r#"true {"a":[1,2,3]}"#),
        (
            r#"{"a":[1,2]}"#,
            "a['0']",
            r#"true {"a":[{"$type":"undefined"},2]}"#,
        ),
        (
            r#"{"a":[null]}"#,
            "a[0].x",
            "Cannot convert undefined or null to object",
        ),
    ] {
        assert_eq!(set(msg, text, undefined, true), expected, "{text} of {msg}");
    }
}

#[test]
fn what_is_set_is_not_seen_by_clones() {
    let mut root = object(r#"{"a":{"b":[1]}}"#);
    let before = root.clone();
    let path = Path::parse("a.b[0]").expect("parses");
    assert_eq!(path.set(&mut root, Value::from(2), true), Ok(true));
    assert_eq!(
        (path.get_ref(&root), path.get_ref(&before)),
        (Some(&Value::from(2)), Some(&Value::from(1)))
    );
}

#[test]
fn a_text_is_read_and_written_the_same() {
    for text in [
        "a",
        r#"a["b"]"#,
        "a[0]",
        "a[msg.b]",
        r#"a[msg.b["c"]]["d"]"#,
        r#"a[msg["b"]]"#,
    ] {
        let path = Path::parse(text).expect(text);
        assert_eq!(path.to_string(), text);
        assert_eq!(Path::parse(&path.to_string()), Ok(path));
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in r#"[a-c0.'"\[\] é😀msg]{0,14}"#) {
        let _ = Path::parse(&text);
    }

    #[test]
    fn what_is_set_is_read(text in r"[a-c](\.[a-c]|\[[0-3]\]){0,4}", json in r#"\{"a":(1|\{\}|\[\]|"x"|\{"b":\[\]\}|null)\}"#) {
        let path = Path::parse(&text).expect("parses");
        let mut root = json::parse(&json).expect("JSON").as_object().expect("an object").clone();
        if path.set(&mut root, Value::from(7), true) == Ok(true) {
            prop_assert_eq!(path.get(&Value::Object(root)), Ok(Value::from(7)));
        }
    }
}
