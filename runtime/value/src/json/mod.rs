//! JSON as JavaScript reads and writes it. The messages of errors are those of Node.js 22.
//!
//! Strings here are UTF-8: half of a surrogate pair in an escape (`"\ud83d"` alone) becomes U+FFFD.

mod error;
mod parse;
mod scan;
mod write;

pub use crate::nest::MAX_DEPTH;
use crate::{ErrorValue, Value};
pub use error::JsonError;
pub(crate) use parse::parse_with;
pub use write::{quote_into, stringify_into};

/// `JSON.parse`.
///
/// # Errors
/// The text is no JSON, or nested deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Value, JsonError> {
    parse_with(text, MAX_DEPTH, |object| Ok(Value::Object(object)))
}

/// `JSON.stringify`, with this many spaces of indentation (10 at most). `None`: the value has no JSON (`undefined`).
///
/// # Errors
/// What JavaScript throws: a big integer, a circular structure.
pub fn stringify(value: &Value, indent: usize) -> Result<Option<String>, ErrorValue> {
    let mut out = String::new();
    Ok(stringify_into(&mut out, value, indent)?.then_some(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Object, control};
    use proptest::prelude::*;

    #[test]
    fn texts_are_read() {
        for (text, written) in [
            (r#"{"b":1,"10":2,"9":3,"b":4}"#, r#"{"9":3,"10":2,"b":4}"#),
            (
                " [ 1 , -0 , 1.5e3 , 123456789012345678 , 1e400 ] ",
                r#"[1,0,1500,123456789012345680,null]"#,
            ),
            (
                r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#,
                "\"\\\"\\\\/\\b\\f\\n\\r\\té😀\"",
            ),
            (
                r#"["\ud83d","\ude00","\ud83d\u0041"]"#,
                "[\"\u{fffd}\",\"\u{fffd}\",\"\u{fffd}A\"]",
            ),
            ("[[],{},[{}],\"\"]", "[[],{},[{}],\"\"]"),
            ("\"\u{7f}\u{2028}\"", "\"\u{7f}\u{2028}\""),
        ] {
            let value = parse(text).expect(text);
            assert_eq!(
                stringify(&value, 0).expect(text).as_deref(),
                Some(written),
                "{text}"
            );
        }
        assert!(parse("-0").is_ok_and(|zero| zero.same(&Value::Number(-0.0))));
    }

    #[test]
    fn depth_is_limited_when_reading_and_not_when_writing() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        let error = parse(&deep(MAX_DEPTH + 1)).expect_err("too deep");
        assert_eq!(
            error.message,
            "JSON nested deeper than 512 levels at position 512 (line 1 column 513)"
        );
        let value = (0..100_000).fold(Value::from(1), |inner, _| {
            Value::Object(Object::from_iter([("a", inner)]))
        });
        assert_eq!(
            stringify(&value, 0).expect("writes").map(|text| text.len()),
            Some(600_001)
        );
    }

    #[test]
    fn values_that_json_has_not() {
        for (value, written) in [
            (
                r#"{"a":{"$type":"undefined"},"b":[{"$type":"undefined"}]}"#,
                r#"{"b":[null]}"#,
            ),
            (r#"{"$type":"number","value":"NaN"}"#, "null"),
            (r#"{"$type":"number","value":"-0"}"#, "0"),
            (
                r#"{"$type":"date","iso":"2026-01-02T03:04:05.678Z"}"#,
                r#""2026-01-02T03:04:05.678Z""#,
            ),
            (r#"{"$type":"date","iso":null}"#, "null"),
            (
                r#"{"$type":"buffer","base64":"AQI="}"#,
                r#"{"type":"Buffer","data":[1,2]}"#,
            ),
            (r#"{"$type":"map","entries":[[1,2]]}"#, "{}"),
            (
                r#"{"$type":"error","name":"E","message":"m","stack":"s","properties":{"code":1}}"#,
                r#"{"code":1}"#,
            ),
            (
                r#"{"f":{"$type":"handle","kind":"function","id":"other1"}}"#,
                "{}",
            ),
            (
                r#"{"f":{"$type":"handle","kind":"Socket","id":"other1"}}"#,
                r#"{"f":{}}"#,
            ),
        ] {
            let decoded = control::decode(value).expect(value);
            assert_eq!(
                stringify(&decoded, 0).expect(value).as_deref(),
                Some(written),
                "{value}"
            );
        }
        assert_eq!(stringify(&Value::Undefined, 0).expect("writes"), None);
    }

    #[test]
    fn indentation() {
        let value = control::decode(
            r#"{"a":[1,{"b":[]}],"c":{},"u":{"$type":"undefined"},"d":{"$type":"buffer","base64":"AQ=="}}"#,
        );
        let text = stringify(&value.expect("decodes"), 2)
            .expect("writes")
            .expect("has JSON");
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {},\n  \"d\": {\n    \"type\": \"Buffer\",\n    \"data\": [\n      1\n    ]\n  }\n}";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_cannot_be_written() {
        for (value, message) in [
            (
                r#"[{"$type":"bigint","value":"1"}]"#,
                "Do not know how to serialize a BigInt",
            ),
            (
                r#"{"a":{"$type":"circular","path":[]}}"#,
                "Converting circular structure to JSON\n    --> starting at object with constructor 'Object'\n    --- property 'a' closes the circle",
            ),
            (
                r#"{"x":{"a":[{"b":{"$type":"circular","path":["x"]}}]}}"#,
                "Converting circular structure to JSON\n    --> starting at object with constructor 'Object'\n    |     property 'a' -> object with constructor 'Array'\n    |     index 0 -> object with constructor 'Object'\n    --- property 'b' closes the circle",
            ),
            (
                r#"{"o":{"k":[{"l":{"m":[{"z":{"$type":"circular","path":["outer","o"]}}]}}]}}"#,
                "Converting circular structure to JSON\n    --> starting at object with constructor 'Object'\n    |     property 'k' -> object with constructor 'Array'\n    |     index 0 -> object with constructor 'Object'\n    |     ...\n    |     index 0 -> object with constructor 'Object'\n    --- property 'z' closes the circle",
            ),
        ] {
            let error = stringify(&control::decode(value).expect(value), 0).expect_err(value);
            assert_eq!((&*error.name, &*error.message), ("TypeError", message));
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in r#"[\[\]{}",:0-9eE.+\-tfn\\u d8é😀\n]{0,24}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn serde_reads_the_same(json in r#"(\{"[a-c1]":(1\.5e2|"\\u00e9\\n"|\[true,null\]|-7)(,"[d-f0]":(\{\}|\[\]|"😀"|0\.1))?\}|\[(1,)?"x"\])"#) {
            let by_serde: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            prop_assert!(parse(&json).expect("JSON").same(&Value::from_json(&by_serde)));
        }
    }
}
