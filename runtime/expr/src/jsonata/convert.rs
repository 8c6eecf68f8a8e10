//! Values to and from those of `jsonata-core`, for the long way.
//!
//! What JSON cannot say (buffers, dates, handles) stands as an object with one hidden property, the number of a value that
//! the [`Session`] keeps, and is itself again when it comes back.

use super::session::{self, Kept};
use indexmap::IndexMap;
use jsonata_core::value::JValue;
use std::collections::HashSet;
use vgdc_value::{Key, Object, Value, json};

/// The property that numbers a kept value.
const KEPT: &str = "\u{0}vgdc";

/// How the hidden property looks once JSONata has made a text of it.
const KEPT_TEXT: &str = "{\"\\u0000vgdc\":";

/// A message with only those properties that an expression can reach; `None`: all.
pub(super) fn input(value: &Value, only: Option<&HashSet<String>>) -> JValue {
    match (only, value) {
        (Some(only), Value::Object(object)) => {
            let reached = object
                .iter()
                .filter(|(key, value)| !value.is_undefined() && only.contains(key.as_str()));
            JValue::object(
                reached
                    .map(|(key, value)| (key.as_str().to_owned(), to(value)))
                    .collect(),
            )
        }
        _ => to(value),
    }
}

pub(super) fn to(value: &Value) -> JValue {
    match value {
        Value::Undefined => JValue::Undefined,
        Value::Null => JValue::Null,
        Value::Bool(b) => JValue::Bool(*b),
        Value::Number(n) => JValue::Number(*n),
        Value::Str(text) => JValue::string(&**text),
        Value::Array(items) => JValue::array(items.iter().map(to).collect()),
        Value::Object(object) => JValue::object(properties(object)),
        // What can be read of it is readable, the thing itself comes back as it was.
        Value::Handle(handle) => {
            let mut map = handle
                .props()
                .as_object()
                .map(properties)
                .unwrap_or_default();
            map.insert(KEPT.to_owned(), number(Kept::Value(value.clone())));
            JValue::object(map)
        }
        Value::Buffer(_) | Value::Date(_) | Value::Rare(_) => keep(Kept::Value(value.clone())),
    }
}

fn properties(object: &Object) -> IndexMap<String, JValue> {
    let said = object.iter().filter(|(_, value)| !value.is_undefined());
    said.map(|(key, value)| (key.as_str().to_owned(), to(value)))
        .collect()
}

fn number(kept: Kept) -> JValue {
    JValue::Number(session::keep(kept) as f64)
}

/// Something that is kept, as the object that stands for it.
pub(super) fn keep(kept: Kept) -> JValue {
    JValue::object(IndexMap::from([(KEPT.to_owned(), number(kept))]))
}

/// What an object stands for.
pub(super) fn kept(value: &JValue) -> Option<Kept> {
    match value {
        JValue::Object(map) => match map.get(KEPT) {
            Some(JValue::Number(number)) => session::kept(*number as usize),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn from(value: &JValue) -> Value {
    match value {
        JValue::Null => Value::Null,
        JValue::Bool(b) => Value::Bool(*b),
        JValue::Number(n) => Value::Number(*n),
        JValue::String(text) if text.contains(KEPT_TEXT) => Value::from(told(text)),
        JValue::String(text) => Value::from(&**text),
        JValue::Array(items) => Value::from(items.iter().map(from).collect::<Vec<_>>()),
        JValue::Object(map) => match kept(value) {
            Some(kept) => kept.into_value(),
            None => {
                let said = map
                    .iter()
                    .filter(|(_, value)| !matches!(value, JValue::Undefined));
                Value::Object(
                    said.map(|(key, value)| (Key::data(key), from(value)))
                        .collect::<Object>(),
                )
            }
        },
        // (functions and regular expressions have no value outside of an expression)
        _ => Value::Undefined,
    }
}

/// A text that JSONata made of kept values, with the JSON that JavaScript makes of them.
fn told(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(KEPT_TEXT) {
        out.push_str(&rest[..at]);
        let after = &rest[at + KEPT_TEXT.len()..];
        let end = after.find('}');
        let value = end
            .and_then(|end| after[..end].parse().ok())
            .and_then(session::kept);
        match (value, end) {
            (Some(kept), Some(end)) => {
                let text = json::stringify(&kept.into_value(), 0);
                out.push_str(&text.ok().flatten().unwrap_or_else(|| "{}".to_owned()));
                rest = &after[end + 1..];
            }
            _ => {
                out.push_str(KEPT_TEXT);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
