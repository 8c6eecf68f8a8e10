//! Values for serde: plain JSON, as `JSON.stringify` and `JSON.parse` have it. (What JSON cannot say is for
//! `control` and `cbor`.) [`from_value`] and [`to_value`] are the way between values and types of Rust.

mod fault;
mod message;
mod read;
mod write;

pub use fault::Fault;
pub use message::{FromMsg, IntoMsg};
pub use read::from_value;
pub use write::to_value;

use crate::nest::MAX_DEPTH;
use crate::{Array, Key, Object, Rare, Value, date};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;

impl Serialize for Value {
    /// # Errors
    /// A big integer, a circular structure, or a value nested deeper than [`MAX_DEPTH`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        At {
            value: self,
            depth: 0,
        }
        .serialize(serializer)
    }
}

impl Serialize for Object {
    /// # Errors
    /// As a value's.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(self, 0, serializer)
    }
}

/// A value within others.
struct At<'v> {
    value: &'v Value,
    depth: usize,
}

impl Serialize for At<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom("a value is nested too deep"));
        }
        match self.value {
            Value::Undefined | Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Number(n) => number(*n, serializer),
            Value::Str(text) => serializer.serialize_str(text),
            Value::Date(ms) => match date::iso(*ms) {
                Some(text) => serializer.serialize_str(&text),
                None => serializer.serialize_unit(),
            },
            Value::Buffer(bytes) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("type", "Buffer")?;
                map.serialize_entry("data", &**bytes)?;
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for value in items {
                    list.serialize_element(&At {
                        value,
                        depth: self.depth + 1,
                    })?;
                }
                list.end()
            }
            Value::Object(properties) => object(properties, self.depth, serializer),
            Value::Handle(handle) => match handle.props() {
                Value::Object(properties) => object(properties, self.depth, serializer),
                _ => object(&Object::new(), self.depth, serializer),
            },
            Value::Rare(rare) => match &**rare {
                Rare::BigInt(_) => Err(S::Error::custom("Do not know how to serialize a BigInt")),
                Rare::Circular(_) => Err(S::Error::custom("Converting circular structure to JSON")),
                Rare::Error(error) => object(&error.properties, self.depth, serializer),
                _ => object(&Object::new(), self.depth, serializer),
            },
        }
    }
}

/// Whole numbers as such, so that JSON shows them without a point.
fn number<S: Serializer>(n: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if !n.is_finite() {
        return serializer.serialize_unit();
    }
    if n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0 {
        return serializer.serialize_i64(n as i64);
    }
    serializer.serialize_f64(n)
}

fn object<S: Serializer>(object: &Object, depth: usize, serializer: S) -> Result<S::Ok, S::Error> {
    let has_json = |value: &Value| match value {
        Value::Undefined => false,
        Value::Handle(handle) => !matches!(handle.kind(), "function" | "symbol"),
        _ => true,
    };
    let count = object.values().filter(|value| has_json(value)).count();
    let mut map = serializer.serialize_map(Some(count))?;
    for (key, value) in object.iter().filter(|(_, value)| has_json(value)) {
        map.serialize_entry(
            key.as_str(),
            &At {
                value,
                depth: depth + 1,
            },
        )?;
    }
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    /// # Errors
    /// What the format's own are; it also limits how deep values may be nested, as `serde_json` does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Object {
    /// # Errors
    /// It is something else.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(object) => Ok(object),
            other => Err(D::Error::custom(format_args!(
                "expected an object, found {}",
                other.type_of()
            ))),
        }
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Value::Number(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::from(bytes.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(Array::from(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        while let Some((key, value)) = entries.next_entry::<std::borrow::Cow<'de, str>, Value>()? {
            keys.push(Key::data(&key));
            values.push(value);
        }
        Ok(Value::Object(Object::of_data(
            keys.into_iter(),
            values.into_iter(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::any_value;
    use crate::{Object, Value, json};
    use proptest::prelude::*;

    #[test]
    fn objects_are_read() {
        let object: Object =
            serde_json::from_str(r#"{"b":1,"1":[null,2.5,"\n"],"b":2}"#).expect("an object");
        assert_eq!(
            json::stringify(&object.into(), 0).ok().flatten().as_deref(),
            Some(r#"{"1":[null,2.5,"\n"],"b":2}"#)
        );
        assert!(serde_json::from_str::<Object>("[]").is_err());
    }

    #[test]
    fn deep_values_are_refused() {
        let deep = (0..100_000).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        assert!(serde_json::to_string(&deep).is_err());
        assert!(serde_json::from_str::<Value>(&"[".repeat(100_000)).is_err());
    }

    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    enum Kind {
        Plain,
        Named { at: u8 },
        Both(String, Option<f32>),
        One(Vec<i64>),
    }

    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Reading {
        name: String,
        temp: f64,
        #[serde(default)]
        kinds: Vec<Kind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<std::collections::BTreeMap<u16, (char, bool)>>,
        unit: (),
    }

    fn parsed(text: &str) -> Value {
        json::parse(text).expect("JSON")
    }

    #[test]
    fn types_are_written_as_json_has_them_and_read_back() {
        let reading = Reading {
            name: "ü".to_owned(),
            temp: 20.0,
            kinds: vec![
                Kind::Plain,
                Kind::Named { at: 7 },
                Kind::Both("a".to_owned(), None),
                Kind::One(vec![-1, 1 << 40]),
            ],
            more: Some([(3, ('x', true))].into()),
            unit: (),
        };
        let value = super::to_value(&reading).expect("is written");
        let text = serde_json::to_string(&reading).expect("is written");
        let ours = json::stringify(&value, 0).ok().flatten().expect("JSON");
        assert_eq!(parsed(&ours), parsed(&text));
        assert_eq!(super::from_value::<Reading>(&value), Ok(reading));
        let big = super::to_value(&u64::MAX).expect("is written");
        assert_eq!(big.to_js_string(), u64::MAX.to_string());
        assert_eq!(super::to_value(&Value::Date(1.0)), Ok(Value::Date(1.0)));
    }

    #[test]
    fn what_json_has_not_is_read_too() {
        let bytes = Value::from(vec![1_u8, 2]);
        assert_eq!(super::from_value::<Vec<u8>>(&bytes), Ok(vec![1, 2]));
        assert_eq!(super::from_value::<i64>(&Value::Date(5.0)), Ok(5));
        let iso = super::from_value::<String>(&Value::Date(0.0));
        assert_eq!(iso.as_deref(), Ok("1970-01-01T00:00:00.000Z"));
        assert_eq!(super::from_value::<Option<u8>>(&Value::Undefined), Ok(None));
        assert_eq!(super::from_value::<Value>(&bytes), Ok(bytes));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let said = |text: &str| {
            let fault = super::from_value::<Reading>(&parsed(text)).expect_err("wrong");
            fault.to_string()
        };
        assert_eq!(
            said("3"),
            "invalid type: integer `3`, expected struct Reading"
        );
        assert_eq!(said(r#"{"name":"a","unit":null}"#), "missing field `temp`");
        assert_eq!(
            said(r#"{"name":"a","temp":"20"}"#),
            "temp: invalid type: string \"20\", expected f64"
        );
        assert_eq!(
            said(r#"{"name":"a","temp":1,"kinds":["Plain",{"Named":{"at":300}}]}"#),
            "kinds.1.Named.at: invalid value: integer `300`, expected u8"
        );
    }

    proptest! {
        #[test]
        fn json_comes_back_as_it_was(value in any_value()) {
            if let Ok(Some(text)) = json::stringify(&value, 0) {
                let plain = parsed(&text);
                let read = super::from_value::<serde_json::Value>(&plain).expect("JSON");
                prop_assert_eq!(super::to_value(&read), Ok(plain));
            }
        }

        #[test]
        fn serde_says_what_stringify_says(value in any_value()) {
            let by_serde = serde_json::to_string(&value).ok().and_then(|text| json::parse(&text).ok());
            let by_us = json::stringify(&value, 0).ok().map(|text| text.map_or(Value::Null, |text| json::parse(&text).expect("JSON")));
            prop_assert_eq!(by_serde.map(|value| json::stringify(&value, 0)), by_us.map(|value| json::stringify(&value, 0)));
        }
    }
}
