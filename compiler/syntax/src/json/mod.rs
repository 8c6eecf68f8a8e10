//! A lossless JSON reader: every value keeps its place in the text, and the text is kept as it is.
//!
//! The document is a flat table of values in the order of the text ([`JsonDoc`]); a value is looked at through the small
//! handle [`Json`]. Duplicate keys, the order of keys and the spelling of numbers and strings are all still there. The reader
//! uses no recursion, so depth is limited by [`Limits`] and not by the stack, and it goes on after a fault.

mod edit;
mod reader;
mod string;
mod value;
mod write;

pub use edit::PathError;
pub(crate) use edit::{remove_member, set_at_path};
pub use string::{DecodedMap, decode};
pub use value::{Elements, Entries, Entry, Json, Kind};
pub use write::Style;
pub(crate) use write::{line_indent, replacement_style, write_key, write_value};

use std::sync::Arc;

use crate::diag::Diagnostics;
use crate::source::{SourceId, Span};

/// What a reader takes before it refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Largest file, in bytes. Default 256 MiB; never more than 4 GiB, which is what a [`Span`] can address.
    pub max_bytes: usize,
    /// How many arrays and objects may be open inside one another. Default 512.
    pub max_depth: usize,
    /// After how many faults the reader gives up. Default 20: after that, faults are mostly echoes of the first ones.
    pub max_faults: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bytes: 256 << 20,
            max_depth: 512,
            max_faults: 20,
        }
    }
}

/// The manner in which an array or object of `text` is written.
pub(crate) fn style_of(container: Json<'_>, text: &str, base: &str) -> Style {
    Style::of(container, text, base)
}

/// A JSON document: its text and a table of its values.
#[derive(Clone)]
pub struct JsonDoc {
    source: SourceId,
    text: Arc<str>,
    /// Values in the order of the text; an object's keys stand before their values. Never empty after reading: a text
    /// without any value gives one invalid value.
    items: Vec<Item>,
}

/// A row of the table.
#[derive(Clone, Copy)]
struct Item {
    /// First byte.
    start: u32,
    /// One past the last byte.
    end: u32,
    /// Index of the row after this value and all that is in it.
    next: u32,
    kind: Kind,
    /// Whether a string has escapes, or a container any element or member.
    flag: bool,
}

impl JsonDoc {
    /// Reads a text. Faults are diagnostics; the document holds what could be made out.
    pub fn parse(source: SourceId, text: Arc<str>, limits: &Limits) -> (JsonDoc, Diagnostics) {
        let (items, diagnostics) = reader::read(source, &text, limits);
        (
            JsonDoc {
                source,
                text,
                items,
            },
            diagnostics,
        )
    }

    /// The outermost value.
    pub fn root(&self) -> Json<'_> {
        Json::new(self, 0)
    }

    /// The whole text, as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        self.text.clone()
    }

    /// The source that spans of this document refer to.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The value in row `at`, see [`Json::index`].
    pub(crate) fn at(&self, at: u32) -> Json<'_> {
        Json::new(self, at)
    }

    fn item(&self, at: u32) -> Item {
        const NOTHING: Item = Item {
            start: 0,
            end: 0,
            next: 0,
            kind: Kind::Invalid,
            flag: false,
        };
        self.items.get(at as usize).copied().unwrap_or(NOTHING)
    }

    fn span_of(&self, at: u32) -> Span {
        let item = self.item(at);
        Span::new(self.source, item.start..item.end)
    }
}

impl std::fmt::Debug for JsonDoc {
    // The text may hold secrets, and is long.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "JsonDoc({} bytes, {} values)",
            self.text.len(),
            self.items.len()
        )
    }
}
