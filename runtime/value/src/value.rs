//! The value.

use crate::key::index_of;
use crate::{Array, Buffer, Handle, Key, Object, PathSegment, Str, nest};
use std::sync::Arc;

/// A JavaScript value, as flows carry it. 16 bytes.
#[derive(Clone, Default)]
#[repr(C, u8)]
#[allow(missing_docs)] // the names say it
pub enum Value {
    #[default]
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Str(Str),
    Buffer(Buffer),
    /// Milliseconds since the epoch; NaN is the invalid date.
    Date(f64),
    Array(Array),
    Object(Object),
    /// Lives in this process and cannot leave it.
    Handle(Handle),
    /// What flows carry seldom.
    Rare(Arc<Rare>),
}

const _: () = assert!(std::mem::size_of::<Value>() == 16);

/// The kinds of value that are seldom seen in messages.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Rare {
    /// Decimal digits.
    BigInt(String),
    RegExp {
        source: String,
        flags: String,
    },
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Error(ErrorValue),
    /// An object inside itself, as the path from the outermost value to it.
    Circular(Vec<PathSegment>),
}

impl Drop for Rare {
    fn drop(&mut self) {
        match self {
            Rare::Map(entries) => nest::release_pairs(std::mem::take(entries)),
            Rare::Set(values) => nest::release_values(std::mem::take(values)),
            _ => {}
        }
    }
}

/// A JavaScript error.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ErrorValue {
    pub name: Str,
    pub message: Str,
    pub stack: Str,
    /// Further properties, such as `code`.
    pub properties: Object,
}

impl ErrorValue {
    /// An error of a kind (`TypeError`) with a text.
    pub fn new(name: &str, message: impl Into<Str>) -> ErrorValue {
        let message = message.into();
        ErrorValue {
            name: name.into(),
            stack: format!("{name}: {message}").into(),
            message,
            properties: Object::new(),
        }
    }

    /// Adds a property.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> ErrorValue {
        self.properties.insert(key, value);
        self
    }
}

impl std::fmt::Display for ErrorValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name.is_empty(), self.message.is_empty()) {
            (true, _) => f.write_str(&self.message),
            (false, true) => f.write_str(&self.name),
            (false, false) => write!(f, "{}: {}", self.name, self.message),
        }
    }
}

impl std::error::Error for ErrorValue {}

impl From<ErrorValue> for Value {
    fn from(error: ErrorValue) -> Self {
        Value::Rare(Arc::new(Rare::Error(error)))
    }
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// The boolean of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The plain object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The plain object, for changing.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The array.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The array, for changing.
    pub fn as_array_mut(&mut self) -> Option<&mut Array> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The buffer.
    pub fn as_buffer(&self) -> Option<&Buffer> {
        match self {
            Value::Buffer(buffer) => Some(buffer),
            _ => None,
        }
    }

    /// The error.
    pub fn as_error(&self) -> Option<&ErrorValue> {
        match self {
            Value::Rare(rare) => match &**rare {
                Rare::Error(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// True for `undefined`.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// True for `undefined` and `null`.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    /// True for everything whose `typeof` is `object` and that is not null.
    pub fn is_object(&self) -> bool {
        self.type_of() == "object" && !self.is_null()
    }

    /// JavaScript's `typeof`.
    pub fn type_of(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Str(_) => "string",
            Value::Handle(handle) if handle.kind() == "function" => "function",
            Value::Handle(handle) if handle.kind() == "symbol" => "symbol",
            Value::Rare(rare) if matches!(**rare, Rare::BigInt(_)) => "bigint",
            _ => "object",
        }
    }

    /// Reads a property as JavaScript's `value[key]` does, `length` and indices included; undefined when there is none.
    /// What JavaScript finds on prototypes (methods, `constructor`) is not there.
    pub fn get(&self, key: &str) -> Value {
        match self {
            Value::Object(object) => object.get(key).cloned().unwrap_or_default(),
            Value::Array(items) => match index_of(key) {
                Some(index) => items.get(index as usize).cloned().unwrap_or_default(),
                None if key == "length" => Value::from(items.len()),
                None => Value::Undefined,
            },
            Value::Str(text) => match index_of(key) {
                Some(index) => text_unit(text, index as usize),
                None if key == "length" => Value::from(text_length(text)),
                None => Value::Undefined,
            },
            Value::Buffer(bytes) => match index_of(key) {
                Some(index) => bytes
                    .get(index as usize)
                    .copied()
                    .map(Value::from)
                    .unwrap_or_default(),
                None if matches!(key, "length" | "byteLength") => Value::from(bytes.len()),
                None => Value::Undefined,
            },
            Value::Handle(handle) => handle.props().get(key),
            Value::Rare(rare) => rare.get(key),
            _ => Value::Undefined,
        }
    }

    /// Rough size in bytes, for limits: what is shared counts at each place. Takes as long as the value is large.
    pub fn size_hint(&self) -> usize {
        let mut size = 0;
        let mut todo = vec![self];
        while let Some(value) = todo.pop() {
            size += std::mem::size_of::<Value>();
            match value {
                Value::Str(text) => size += text.len(),
                Value::Buffer(bytes) => size += bytes.len(),
                Value::Array(items) => todo.extend(items.iter()),
                Value::Object(object) => todo.extend(object.values()),
                Value::Rare(rare) => match &**rare {
                    Rare::BigInt(digits) => size += digits.len(),
                    Rare::RegExp { source, .. } => size += source.len(),
                    Rare::Map(entries) => {
                        todo.extend(entries.iter().flat_map(|(key, value)| [key, value]))
                    }
                    Rare::Set(values) => todo.extend(values),
                    Rare::Error(error) => {
                        size += error.message.len() + error.stack.len();
                        todo.extend(error.properties.values());
                    }
                    Rare::Circular(_) => {}
                },
                _ => {}
            }
        }
        size
    }

    /// From parsed JSON.
    pub fn from_json(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Number(n.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Array(items) => {
                Value::Array(items.iter().map(Value::from_json).collect())
            }
            serde_json::Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(k, v)| (Key::from(k), Value::from_json(v)))
                    .collect(),
            ),
        }
    }
}

impl Rare {
    fn get(&self, key: &str) -> Value {
        match (self, key) {
            (Rare::Error(error), "name") => Value::Str(error.name.clone()),
            (Rare::Error(error), "message") => Value::Str(error.message.clone()),
            (Rare::Error(error), "stack") => Value::Str(error.stack.clone()),
            (Rare::Error(error), key) => error.properties.get(key).cloned().unwrap_or_default(),
            (Rare::Map(entries), "size") => Value::from(entries.len()),
            (Rare::Set(values), "size") => Value::from(values.len()),
            (Rare::RegExp { source, .. }, "source") => Value::from(source),
            (Rare::RegExp { flags, .. }, "flags") => Value::from(flags),
            (Rare::RegExp { .. }, "lastIndex") => Value::Number(0.0),
            (Rare::RegExp { flags, .. }, "global") => Value::Bool(flags.contains('g')),
            (Rare::RegExp { flags, .. }, "ignoreCase") => Value::Bool(flags.contains('i')),
            (Rare::RegExp { flags, .. }, "multiline") => Value::Bool(flags.contains('m')),
            _ => Value::Undefined,
        }
    }
}

/// `text.length`: UTF-16 units.
fn text_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

/// `text[index]`. (Half of a pair of units becomes U+FFFD.)
fn text_unit(text: &str, index: usize) -> Value {
    match text.as_bytes().get(..=index) {
        Some(bytes) if bytes.is_ascii() => Value::from(&text[index..=index]),
        _ => {
            let unit = text.encode_utf16().nth(index);
            unit.map(|unit| Value::from(String::from_utf16_lossy(&[unit])))
                .unwrap_or_default()
        }
    }
}

macro_rules! from_number {
    ($($ty:ty),*) => { $(impl From<$ty> for Value {
        fn from(n: $ty) -> Self {
            Value::Number(n as f64)
        }
    })* };
}
from_number!(f64, f32, i32, u32, i64, u64, usize, u16, i16, u8);

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Str(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Value::Str(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Value::Array(values.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Buffer(bytes.into())
    }
}

impl From<Buffer> for Value {
    fn from(bytes: Buffer) -> Self {
        Value::Buffer(bytes)
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Value::Array(array)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

impl From<Handle> for Value {
    fn from(handle: Handle) -> Self {
        Value::Handle(handle)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Undefined, Into::into)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::control::encode(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read() {
        for (json, key, expected) in [
            (r#"{"a":1}"#, "a", "1"),
            ("[5,6]", "1", "6"),
            ("[5,6]", "01", r#"{"$type":"undefined"}"#),
            ("[5,6]", "length", "2"),
            (r#""aé😀b""#, "length", "5"),
            (r#""aé😀b""#, "0", r#""a""#),
            (r#""aé😀b""#, "1", r#""é""#),
            (r#""aé😀b""#, "4", r#""b""#),
            (r#""ab""#, "2", r#"{"$type":"undefined"}"#),
            (r#"{"$type":"buffer","base64":"BQY="}"#, "1", "6"),
            (r#"{"$type":"set","values":[1]}"#, "size", "1"),
            (
                r#"{"$type":"regexp","source":"a","flags":"g"}"#,
                "global",
                "true",
            ),
            ("7", "length", r#"{"$type":"undefined"}"#),
        ] {
            let value = crate::control::decode(json).expect(json);
            assert_eq!(
                crate::control::encode(&value.get(key)),
                expected,
                "{json} {key}"
            );
        }
    }

    #[test]
    fn sizes_grow_with_what_is_in_them() {
        let small = Value::from("x");
        let large = Value::from(vec![Value::from("x".repeat(1000)), small.clone()]);
        assert!(small.size_hint() < 20 && (1000..1100).contains(&large.size_hint()));
        let deep = (0..100_000).fold(small, |inner, _| Value::from(vec![inner]));
        assert!(deep.size_hint() > 1_600_000);
    }
}
