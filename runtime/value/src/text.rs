//! The reference-counted leaves: texts, byte buffers, arrays.

use crate::{Value, nest};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An immutable text. UTF-8: a lone surrogate of JavaScript becomes U+FFFD.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Str(arcstr::ArcStr);

impl Str {
    /// A text that lives as long as the program. (It is copied once here, as every text; keep the result.)
    pub fn from_static(text: &'static str) -> Str {
        Str(arcstr::ArcStr::from(text))
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Str {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(arcstr::ArcStr::from(text))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(arcstr::ArcStr::from(text))
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Self {
        Str(arcstr::ArcStr::from(text.as_str()))
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

/// Bytes: Node.js's Buffer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Buffer(Arc<Vec<u8>>);

impl Buffer {
    /// The bytes for changing; copied first when they are shared.
    pub fn make_mut(&mut self) -> &mut Vec<u8> {
        Arc::make_mut(&mut self.0)
    }

    /// The bytes; no copy when they are not shared.
    pub fn into_vec(self) -> Vec<u8> {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| (*shared).clone())
    }

    /// True when both are the same bytes in memory.
    pub fn ptr_eq(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Buffer(Arc::new(bytes))
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Buffer(Arc::new(bytes.to_vec()))
    }
}

/// An array. Holes are `undefined`.
#[derive(Clone, Default)]
pub struct Array(Arc<Elements>);

/// What an array owns. Dropped without recursion, however deep it is nested.
#[derive(Clone, Default)]
struct Elements(Vec<Value>);

impl Drop for Elements {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            nest::release_values(std::mem::take(&mut self.0));
        }
    }
}

impl Array {
    /// An empty array.
    pub fn new() -> Array {
        Array::default()
    }

    /// The elements for changing; copied first (their references, not what they refer to) when they are shared.
    #[inline]
    pub fn make_mut(&mut self) -> &mut Vec<Value> {
        &mut Arc::make_mut(&mut self.0).0
    }

    /// The elements; no copy when they are not shared.
    pub fn into_vec(mut self) -> Vec<Value> {
        match Arc::get_mut(&mut self.0) {
            Some(elements) => std::mem::take(&mut elements.0),
            None => self.0.0.clone(),
        }
    }

    /// Appends an element.
    pub fn push(&mut self, value: impl Into<Value>) {
        self.make_mut().push(value.into());
    }

    /// True when both are the same array in memory.
    pub fn ptr_eq(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Array {
    type Target = [Value];
    #[inline]
    fn deref(&self) -> &[Value] {
        &self.0.0
    }
}

impl From<Vec<Value>> for Array {
    fn from(values: Vec<Value>) -> Self {
        Array(Arc::new(Elements(values)))
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Array::from(values.into_iter().collect::<Vec<_>>())
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
