//! Values as Node-RED's debug sidebar and its context panel get them: a text and the name of its format, long ones cut short.

use vgdc_value::{Array, ErrorValue, Object, Rare, Value, json};

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// A text; of a bigint an object.
    pub msg: Value,
    /// `string[5]`, `Object`, `array[2]` …
    pub format: String,
}

impl Shown {
    /// Both as the properties of an object, in Node-RED's order.
    pub(crate) fn into_object(self) -> Object {
        let mut object = Object::new();
        object.insert("msg", self.msg);
        object.insert("format", self.format.as_str());
        object
    }
}

/// How a value is shown, of which at most so many letters or elements are.
pub(crate) fn shown(value: &Value, most: usize) -> Shown {
    let text = |msg: String, format: String| Shown {
        msg: Value::from(msg),
        format,
    };
    match value {
        Value::Undefined => text("(undefined)".into(), "undefined".into()),
        Value::Null => text("(undefined)".into(), "null".into()),
        Value::Bool(_) => text(value.to_js_string(), "boolean".into()),
        Value::Number(_) => text(value.to_js_string(), "number".into()),
        Value::Str(whole) => {
            let (cut, length) = cut(whole, most);
            text(cut, format!("string[{length}]"))
        }
        Value::Buffer(bytes) => {
            let hex = crate::tokens::hex(&bytes[..bytes.len().min(most.div_ceil(2))]);
            let hex = hex
                .get(..most.min(hex.len()))
                .unwrap_or_default()
                .to_owned();
            text(hex, format!("buffer[{}]", bytes.len()))
        }
        Value::Date(_) => text(value.to_js_string(), "Date".into()),
        Value::Array(items) => {
            let format = format!("array[{}]", items.len());
            text(stringified(&inner(value, most)), format)
        }
        Value::Object(_) | Value::Handle(_) => {
            text(stringified(&inside(value, most)), "Object".into())
        }
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(_) => Shown {
                msg: inner(value, most),
                format: "bigint".into(),
            },
            Rare::RegExp { .. } => text(value.to_js_string(), "regexp".into()),
            Rare::Map(_) => text(stringified(&inner(value, most)), "map".into()),
            Rare::Set(values) => text(
                stringified(&inner(value, most)),
                format!("set[{}]", values.len()),
            ),
            Rare::Error(_) => text(stringified(&inner(value, most)), "error".into()),
            Rare::Circular(_) => text("[Circular ~]".into(), "Object".into()),
        },
    }
}

/// A text with at most so many of JavaScript's letters, and how many it has.
fn cut(text: &str, most: usize) -> (String, usize) {
    let length = text.encode_utf16().count();
    if length <= most {
        return (text.to_owned(), length);
    }
    let units: Vec<u16> = text.encode_utf16().take(most).collect();
    (String::from_utf16_lossy(&units) + "...", length)
}

fn stringified(value: &Value) -> String {
    match json::stringify(value, 0) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

/// What JSON cannot say, as Node-RED's editor reads it.
fn special(ty: &str, data: Option<Value>, length: Option<usize>) -> Value {
    let mut object = Object::new();
    object.insert("__enc__", true);
    object.insert("type", ty);
    if let Some(data) = data {
        object.insert("data", data);
    }
    if let Some(length) = length {
        object.insert("length", length as f64);
    }
    Value::Object(object)
}

/// A value inside another one.
fn inner(value: &Value, most: usize) -> Value {
    match value {
        Value::Undefined => special("undefined", None, None),
        Value::Number(n) if !n.is_finite() => {
            special("number", Some(value.to_js_string().into()), None)
        }
        Value::Str(text) => Value::from(cut(text, most).0),
        Value::Buffer(bytes) => {
            let data: Array = bytes
                .iter()
                .take(most)
                .map(|byte| Value::from(f64::from(*byte)))
                .collect();
            let mut object = Object::new();
            object.insert("type", "Buffer");
            object.insert("data", Value::Array(data));
            object.insert("__enc__", true);
            object.insert("length", bytes.len() as f64);
            Value::Object(object)
        }
        Value::Array(items) if items.len() > most => special(
            "array",
            Some(Value::Array(elements(&items[..most], most))),
            Some(items.len()),
        ),
        Value::Array(items) => Value::Array(elements(items, most)),
        Value::Object(_) => inside(value, most),
        Value::Handle(handle) => match handle.kind() {
            "function" => special("function", None, None),
            _ => special("internal", None, None),
        },
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(digits) => special("bigint", Some(digits.as_str().into()), None),
            Rare::RegExp { .. } => special("regexp", Some(value.to_js_string().into()), None),
            Rare::Map(entries) => {
                let mut data = Object::new();
                for (key, value) in entries.iter().take(most) {
                    data.insert(key.to_js_string(), inner(value, most));
                }
                special("map", Some(Value::Object(data)), Some(entries.len()))
            }
            Rare::Set(values) => {
                let data = elements(&values[..values.len().min(most)], most);
                special("set", Some(Value::Array(data)), Some(values.len()))
            }
            Rare::Error(error) => special("error", Some(of_error(error)), None),
            Rare::Circular(_) => Value::from("[Circular ~]"),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Date(_) => value.clone(),
    }
}

fn elements(items: &[Value], most: usize) -> Array {
    items.iter().map(|item| inner(item, most)).collect()
}

/// An object with what is in it.
fn inside(value: &Value, most: usize) -> Value {
    let Value::Object(object) = value else {
        return inner(value, most);
    };
    let mut out = Object::new();
    for (key, member) in object {
        let shown = match key.as_str() {
            "_req" | "_res" => special("internal", None, None),
            _ => inner(member, most),
        };
        out.insert(key, shown);
    }
    Value::Object(out)
}

fn of_error(error: &ErrorValue) -> Value {
    let mut data = Object::new();
    data.insert("name", error.name.clone());
    data.insert("message", error.message.clone());
    for key in ["code", "cause"] {
        if let Some(value) = error.properties.get(key) {
            data.insert(key, value.clone());
        }
    }
    data.insert("stack", error.stack.clone());
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::control;

    fn of(text: &str, most: usize) -> (String, String) {
        let shown = shown(&control::decode(text).expect("a value"), most);
        (shown.msg.to_js_string(), shown.format)
    }

    #[test]
    fn long_values_are_cut_short() {
        assert_eq!(of("\"abcd\"", 3), ("abc...".into(), "string[4]".into()));
        assert_eq!(of("\"😀😀\"", 4), ("😀😀".into(), "string[4]".into()));
        assert_eq!(
            of("[1,2,3]", 2),
            (
                r#"{"__enc__":true,"type":"array","data":[1,2],"length":3}"#.into(),
                "array[3]".into()
            )
        );
        assert_eq!(
            of(r#"{"$type":"buffer","base64":"YWJj"}"#, 3),
            ("616".into(), "buffer[3]".into())
        );
    }

    #[test]
    fn what_json_cannot_say_is_said() {
        assert_eq!(
            of(r#"{"a":{"$type":"number","value":"NaN"},"_req":1}"#, 1000).0,
            r#"{"a":{"__enc__":true,"type":"number","data":"NaN"},"_req":{"__enc__":true,"type":"internal"}}"#
        );
    }
}
