//! Property names.

use crate::Str;
use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;

/// Names that a thread remembers, so that equal names share their text.
const REMEMBERED: usize = 4096;

thread_local! {
    static KNOWN: RefCell<HashSet<Str>> = RefCell::new(HashSet::new());
}

/// A property's name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(Str);

impl Key {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a text value.
    pub fn to_str(&self) -> Str {
        self.0.clone()
    }

    /// The number of an integer-like name (`"0"`, `"17"`, not `"01"`), which JavaScript orders before others.
    pub fn index(&self) -> Option<u32> {
        index_of(&self.0)
    }
}

/// The number of an integer-like name, up to 2^32 - 2.
pub(crate) fn index_of(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    match bytes {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] if bytes.len() <= 10 && bytes.iter().all(u8::is_ascii_digit) => {
            text.parse::<u32>().ok().filter(|n| *n != u32::MAX)
        }
        _ => None,
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        KNOWN.with_borrow_mut(|known| {
            if let Some(found) = known.get(text) {
                return Key(found.clone());
            }
            let text = Str::from(text);
            // (past the limit names simply do not share their text)
            if known.len() < REMEMBERED && text.len() <= 64 {
                known.insert(text.clone());
            }
            Key(text)
        })
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Key::from(text.as_str())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Key::from(text.as_str())
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl From<Str> for Key {
    fn from(text: Str) -> Self {
        Key(text)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
