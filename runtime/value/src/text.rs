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

    /// The elements for changing, when nobody else has them. Quicker than [`Array::make_mut`], which makes sure with a
    /// write to memory that no other core may look at meanwhile.
    #[inline]
    pub fn as_unique(&mut self) -> Option<&mut Vec<Value>> {
        if Arc::strong_count(&self.0) != 1 {
            return None;
        }
        // What others did before they let go of the elements comes before what is done now.
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        // SAFETY: this is the only reference (there are no weak ones to an array's elements, so none can be made of one),
        // and it is borrowed mutably.
        let elements = unsafe { &mut *Arc::as_ptr(&self.0).cast_mut() };
        Some(&mut elements.0)
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

    /// For machine code: how far from an array's memory the words are that say for how many elements there is room, where the
    /// first is, and how many there are. Nobody promises where they are, so that they are looked for: `None` when they are not
    /// found.
    pub fn words() -> Option<[usize; 3]> {
        let mut values = Vec::with_capacity(11);
        values.extend([Value::Undefined, Value::Null, Value::Bool(true)]);
        let wanted = [values.capacity(), values.as_ptr().addr(), values.len()];
        let array = Array::from(values);
        // (the count of weak references and the one in front of it come first)
        let count = 2 + std::mem::size_of::<Elements>() / std::mem::size_of::<usize>();
        let inside = Arc::as_ptr(&array.0);
        // SAFETY: the array's memory holds two counts and the elements' words, in this order, as `Arc::as_ptr` says; the words
        // are a number, an address and a number, all of them initialised.
        let words: Vec<usize> = (2..count)
            .map(|at| unsafe { inside.cast::<usize>().add(at - 2).read() })
            .collect();
        let place = |wanted: usize| {
            let mut found = words
                .iter()
                .enumerate()
                .filter(|(_, word)| **word == wanted);
            let (at, _) = found.next()?;
            found.next().is_none().then_some(at + 2)
        };
        let [room, first, len] = wanted.map(place);
        // (what an array points to must be where its counts begin)
        let words = [room?, first?, len?].map(|at| at * std::mem::size_of::<usize>());
        array.counts_are_in_front().then_some(words)
    }

    /// Whether the memory that an array points to begins with how often it is referred to, two words before its elements.
    fn counts_are_in_front(&self) -> bool {
        // SAFETY: an array is one pointer, which is not null.
        let memory = unsafe { std::ptr::from_ref(self).cast::<usize>().read() };
        let distance = Arc::as_ptr(&self.0).addr().checked_sub(memory);
        let other = self.clone();
        // SAFETY: the pointer leads to memory that begins at least two words before the elements (checked first).
        let count = || unsafe {
            std::ptr::from_ref(&other)
                .cast::<*const usize>()
                .read()
                .read()
        };
        distance == Some(2 * std::mem::size_of::<usize>()) && count() == 2
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
