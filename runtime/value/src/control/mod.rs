//! Values as the control protocol writes them (`docs/control-protocol.md`, "Values"): JSON, and an object with `$type` for
//! what JSON cannot say.

mod decode;
mod encode;

use crate::{Value, json, nest};
pub use encode::{encode, encode_into};

/// Reads a value.
///
/// # Errors
/// The text is no JSON or nested too deep, or an object with a `$type` is not of its form.
pub fn decode(text: &str) -> Result<Value, json::JsonError> {
    json::parse_with(text, nest::MAX_DEPTH, decode::finish)
}

/// Turns the `$type` forms in plain JSON into what they stand for.
///
/// # Errors
/// An object with a `$type` is not of its form, or it is nested too deep.
pub fn from_json(plain: Value) -> Result<Value, String> {
    decode::from_json(plain, nest::MAX_DEPTH)
}

/// A value as plain JSON, with `$type` forms: what [`from_json`] reads.
pub fn to_json(value: &Value) -> Value {
    // What was written is JSON, and is read however deep it is.
    json::parse_with(&encode(value), usize::MAX, |object| {
        Ok(Value::Object(object))
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Object;

    #[test]
    fn every_form_comes_and_goes() {
        for text in [
            r#"{"a":[1,"x",null,true,{"$type":"undefined"}]}"#,
            r#"{"$type":"buffer","base64":"YWI="}"#,
            r#"{"$type":"date","iso":"2026-01-02T03:04:05.678Z"}"#,
            r#"{"$type":"date","iso":null}"#,
            r#"[{"$type":"number","value":"NaN"},{"$type":"number","value":"-0"}]"#,
            r#"[{"$type":"number","value":"Infinity"},{"$type":"number","value":"-Infinity"}]"#,
            r#"{"$type":"bigint","value":"-123"}"#,
            r#"{"$type":"regexp","source":"a","flags":"g"}"#,
            r#"{"$type":"map","entries":[]}"#,
            r#"{"$type":"map","entries":[["k",{"$type":"undefined"}],[{"a":[]},{"$type":"map","entries":[[1,2]]}]]}"#,
            r#"{"$type":"set","values":[1,"a",{"$type":"set","values":[]}]}"#,
            r#"{"$type":"error","name":"TypeError","message":"no","stack":"s"}"#,
            r#"{"$type":"error","name":"TypeError","message":"no","stack":"s","properties":{"code":"E","in":{"x":[1]}}}"#,
            r#"[{"$type":"error","name":"E","message":"","stack":"","properties":{"$type":"object","entries":[["$type","mine"]]}},1]"#,
            r#"{"x":{"$type":"circular","path":["a",0]}}"#,
            r#"{"$type":"handle","kind":"socket","id":"other7"}"#,
            r#"{"$type":"object","entries":[["$type","mine"],["x",{"$type":"object","entries":[["$type",1],["y",[]]]}]]}"#,
            r#"{"a":{},"b":[]}"#,
            "\"\\u0001\\\"\\\\\u{e9}\"",
        ] {
            let value = decode(text).expect(text);
            assert_eq!(encode(&value), text);
            assert!(
                from_json(to_json(&value)).expect(text).same(&value),
                "{text}"
            );
        }
    }

    #[test]
    fn other_ways_to_write_them_are_read() {
        for (text, same) in [
            (
                r#"{"iso":"1970-01-01","$type":"date"}"#,
                r#"{"$type":"date","iso":"1970-01-01T00:00:00.000Z"}"#,
            ),
            (r#"{"$type":"number","value":"1.5"}"#, "1.5"),
            (
                r#"{"$type":"buffer","base64":"YWI"}"#,
                r#"{"$type":"buffer","base64":"YWI="}"#,
            ),
            (
                r#"{"$type":"error","message":"m"}"#,
                r#"{"$type":"error","name":"Error","message":"m","stack":"Error: m"}"#,
            ),
        ] {
            assert_eq!(encode(&decode(text).expect(text)), same);
        }
    }

    #[test]
    fn wrong_forms_are_refused_with_their_place() {
        for (text, message, position) in [
            (
                r#"{"a":{"$type":"no such"}}"#,
                "unknown $type \"no such\" in a value",
                5,
            ),
            (r#"{"$type":1}"#, "a $type must be a text", 0),
            (
                r#"{"$type":"buffer"}"#,
                "a value of $type \"buffer\" needs the text \"base64\"",
                0,
            ),
            (
                r#"{"$type":"set","values":1}"#,
                "a value of $type \"set\" needs the array \"values\"",
                0,
            ),
            (
                r#"{"$type":"map","entries":[[1]]}"#,
                "\"entries\" of a value of $type \"map\" must hold pairs",
                0,
            ),
            (
                r#"{"$type":"bigint","value":"1.5"}"#,
                "a bigint cannot be \"1.5\"",
                0,
            ),
            (
                r#"{"$type":"date","iso":7}"#,
                "a date's iso must be a text or null",
                0,
            ),
        ] {
            let error = decode(text).expect_err(text);
            assert_eq!(
                (error.message.as_str(), error.position),
                (message, position),
                "{text}"
            );
        }
        assert!(decode(r#"{"$type":"buffer","base64":"*"}"#).is_err());
    }

    #[test]
    fn a_handle_that_comes_back_is_the_same() {
        let handle = crate::Handle::new("Socket", Value::Undefined, std::sync::Arc::new(()));
        let text = encode(&Value::Handle(handle.clone()));
        assert!(decode(&text).is_ok_and(|back| back.strict_eq(&Value::Handle(handle))));
    }

    #[test]
    fn an_object_that_stands_for_an_error_is_written_as_one() {
        let error = crate::ErrorValue::new("TypeError", "no").with("code", "E");
        let mut object = Object::of_error(&error);
        object.insert("_msgid", "m");
        let text = r#"{"$type":"error","name":"TypeError","message":"no","stack":"TypeError: no","properties":{"code":"E","_msgid":"m"}}"#;
        assert_eq!(encode(&Value::Object(object.clone())), text);
        let list = Value::from(vec![
            Value::Object(object.clone()),
            Value::Object(Object::new()),
        ]);
        assert_eq!(encode(&list), format!("[{text},{{}}]"));
        assert!(object.clone().is_error() && !Object::new().is_error());
        object.remove("name");
        let _ = encode(&Value::Object(object));
    }

    #[test]
    fn deep_values_are_written_and_refused() {
        let deep = (0..100_000).fold(Value::Null, |inner, _| {
            Value::Object(Object::from_iter([("a", Value::from(vec![inner]))]))
        });
        assert!(decode(&encode(&deep)).is_err());
        assert!(from_json(deep.clone()).is_err());
        assert!(to_json(&deep) == deep);
    }
}
