//! The value.

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
#[derive(Clone, Debug, Default)]
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
    pub fn get(&self, key: &str) -> Value {
        match self {
            Value::Object(object) => object.get(key).cloned().unwrap_or(Value::Undefined),
            Value::Array(array) => match crate::key::index_of(key) {
                Some(index) => array
                    .get(index as usize)
                    .cloned()
                    .unwrap_or(Value::Undefined),
                None if key == "length" => Value::from(array.len()),
                None => Value::Undefined,
            },
            Value::Str(text) => match crate::key::index_of(key) {
                Some(index) => {
                    let unit = text.encode_utf16().nth(index as usize);
                    unit.map_or(Value::Undefined, |unit| {
                        Value::from(String::from_utf16_lossy(&[unit]))
                    })
                }
                None if key == "length" => Value::from(text.encode_utf16().count()),
                None => Value::Undefined,
            },
            Value::Buffer(bytes) => match crate::key::index_of(key) {
                Some(index) => bytes
                    .get(index as usize)
                    .map_or(Value::Undefined, |byte| Value::from(f64::from(*byte))),
                None if key == "length" => Value::from(bytes.len()),
                None => Value::Undefined,
            },
            Value::Handle(handle) => handle.props().get(key),
            Value::Rare(rare) => match &**rare {
                Rare::Error(error) => match key {
                    "name" => Value::Str(error.name.clone()),
                    "message" => Value::Str(error.message.clone()),
                    "stack" => Value::Str(error.stack.clone()),
                    _ => error
                        .properties
                        .get(key)
                        .cloned()
                        .unwrap_or(Value::Undefined),
                },
                Rare::Map(entries) if key == "size" => Value::from(entries.len()),
                Rare::Set(values) if key == "size" => Value::from(values.len()),
                _ => Value::Undefined,
            },
            _ => Value::Undefined,
        }
    }

    /// Rough size in bytes, for limits.
    pub fn size_hint(&self) -> usize {
        16 + match self {
            Value::Str(text) => text.len(),
            Value::Buffer(bytes) => bytes.len(),
            Value::Array(array) => array.iter().map(Value::size_hint).sum(),
            Value::Object(object) => object.values().map(Value::size_hint).sum(),
            _ => 0,
        }
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

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.deep_eq(other)
    }
}
