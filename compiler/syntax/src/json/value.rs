//! The view of a value in a [`JsonDoc`].

use std::borrow::Cow;

use super::string::{DecodedMap, decode};
use super::{Item, JsonDoc};
use crate::source::Span;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, as it was spelled.
    Number,
    /// A string, and also an object's key.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// Text that is no JSON value, or a value that is missing; the reader has reported it.
    Invalid,
}

/// A value of a document: a small handle, copied freely.
#[derive(Clone, Copy)]
pub struct Json<'a> {
    doc: &'a JsonDoc,
    at: u32,
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The key, a string.
    pub key: Json<'a>,
    /// The value.
    pub value: Json<'a>,
}

impl<'a> Json<'a> {
    pub(super) fn new(doc: &'a JsonDoc, at: u32) -> Json<'a> {
        Json { doc, at }
    }

    /// The row of this value in its document, with which [`JsonDoc::at`] finds it again.
    pub(crate) fn index(self) -> u32 {
        self.at
    }

    fn item(self) -> Item {
        self.doc.item(self.at)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.item().kind
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.doc.span_of(self.at)
    }

    /// Its text in the file.
    pub fn text(self) -> &'a str {
        self.doc.text.get(self.span().range()).unwrap_or("")
    }

    /// The string, decoded.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let item = self.item();
        match (item.kind, item.flag) {
            (Kind::String, true) => Some(decode(self.text())),
            (Kind::String, false) => {
                let text = self.text();
                let text = text.strip_prefix('"').unwrap_or(text);
                Some(Cow::Borrowed(text.strip_suffix('"').unwrap_or(text)))
            }
            _ => None,
        }
    }

    /// For a string: how places in its decoded text map to its literal in the file.
    pub fn decoded_map(self) -> Option<DecodedMap> {
        (self.kind() == Kind::String).then(|| DecodedMap::new(self.text()))
    }

    /// The truth value.
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.text() == "true")
    }

    /// The number, as JavaScript reads it: the nearest double, infinite when too large.
    pub fn as_f64(self) -> Option<f64> {
        (self.kind() == Kind::Number)
            .then(|| self.text().parse().ok())
            .flatten()
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// What JavaScript's `String(value)` gives for a string, number, truth value or `null`; else `None`. Node-RED uses ids and
    /// the like as object keys, where a number does as well as its text.
    pub fn scalar_text(self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::String => self.as_str(),
            Kind::Number => self
                .as_f64()
                .map(|n| Cow::Owned(ryu_js::Buffer::new().format(n).to_owned())),
            Kind::Bool | Kind::Null => Some(Cow::Borrowed(self.text())),
            _ => None,
        }
    }

    /// The elements of an array; nothing for anything else.
    pub fn elements(self) -> Elements<'a> {
        let item = self.item();
        let (at, end) = if item.kind == Kind::Array {
            (self.at + 1, item.next)
        } else {
            (0, 0)
        };
        Elements {
            doc: self.doc,
            at,
            end,
        }
    }

    /// The members of an object in the order of the text, duplicate keys included; nothing for anything else.
    pub fn entries(self) -> Entries<'a> {
        let item = self.item();
        let (at, end) = if item.kind == Kind::Object {
            (self.at + 1, item.next)
        } else {
            (0, 0)
        };
        Entries {
            doc: self.doc,
            at,
            end,
        }
    }

    /// The member of an object with this key. Of duplicates the last, as in JavaScript.
    pub fn get(self, key: &str) -> Option<Json<'a>> {
        self.entries()
            .filter(|entry| entry.key.is_key(key))
            .last()
            .map(|entry| entry.value)
    }

    /// The element of an array.
    pub fn at(self, index: usize) -> Option<Json<'a>> {
        self.elements().nth(index)
    }

    /// Goes along keys and, in arrays, indices.
    pub fn at_path<S: AsRef<str>>(self, path: &[S]) -> Option<Json<'a>> {
        path.iter()
            .try_fold(self, |value, step| match value.kind() {
                Kind::Array => step.as_ref().parse().ok().and_then(|index| value.at(index)),
                _ => value.get(step.as_ref()),
            })
    }

    /// Whether this is the string `key`.
    pub fn is_key(self, key: &str) -> bool {
        let item = self.item();
        if item.kind != Kind::String {
            return false;
        }
        if item.flag {
            return self.as_str().is_some_and(|decoded| decoded == key);
        }
        // The cheap comparison: a key without escapes is its own decoded text.
        (item.end - item.start) as usize == key.len() + 2
            && self.text().get(1..=key.len()) == Some(key)
    }

    /// The value as `JSON.parse` would make it: of duplicate keys the last one counts, at the place of the first; numbers are
    /// doubles (whole ones up to 2^53 become integers, which print without a fraction). What the reader could not read
    /// and numbers too large for a double are null.
    pub fn to_serde(self) -> serde_json::Value {
        use serde_json::Value;
        match self.kind() {
            Kind::Null | Kind::Invalid => Value::Null,
            Kind::Bool => Value::Bool(self.text() == "true"),
            Kind::Number => number(self.as_f64().unwrap_or(f64::NAN)),
            Kind::String => Value::String(self.as_str().unwrap_or_default().into_owned()),
            Kind::Array => self.elements().map(Json::to_serde).collect(),
            Kind::Object => {
                let key = |entry: Entry<'_>| entry.key.as_str().unwrap_or_default().into_owned();
                Value::Object(
                    self.entries()
                        .map(|entry| (key(entry), entry.value.to_serde()))
                        .collect(),
                )
            }
        }
    }
}

/// A double as a JSON number.
fn number(value: f64) -> serde_json::Value {
    const SAFE: f64 = 9_007_199_254_740_992.0;
    let whole =
        value.fract() == 0.0 && value.abs() <= SAFE && !(value == 0.0 && value.is_sign_negative());
    if whole {
        serde_json::Value::from(value as i64)
    } else {
        serde_json::Value::from(value)
    }
}

impl std::fmt::Debug for Json<'_> {
    // The text may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let span = self.span();
        write!(f, "{:?}@{}..{}", self.kind(), span.start, span.end)
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    doc: &'a JsonDoc,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        if self.at >= self.end {
            return None;
        }
        let value = Json::new(self.doc, self.at);
        self.at = value.item().next;
        Some(value)
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    doc: &'a JsonDoc,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.at >= self.end {
            return None;
        }
        let key = Json::new(self.doc, self.at);
        let value = Json::new(self.doc, self.at + 1);
        self.at = value.item().next;
        Some(Entry { key, value })
    }
}
