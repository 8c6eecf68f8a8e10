//! What the compiler knows about the texts inside nodes: whether they are well-formed, which context keys they use, and how
//! a function body could be compiled.
//!
//! Invariants of this crate:
//! * It never rejects a text that the runtime accepts.
//! * Positions are bytes of the text as the user wrote it.
//! * It knows no node: it is told the language.

mod javascript;
mod others;

pub use javascript::{JsInfo, Phase, Tier, check_javascript};
pub use others::{
    check_json, check_jsonata, check_mustache, check_path, check_regex, jsonata_context_uses,
    mustache_context_uses,
};

use std::collections::BTreeSet;
use std::ops::Range;

/// Something wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

impl ScriptError {
    /// An error at a place. The place is put within the text and onto character boundaries.
    pub(crate) fn new(message: impl Into<String>, text: &str, range: Range<usize>) -> ScriptError {
        let boundary = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(range.start);
        ScriptError {
            message: message.into(),
            range: start..boundary(range.end.max(start)),
        }
    }
}

/// Keys of one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// These, by the first part of their paths.
    Known(BTreeSet<String>),
    /// Not known: any.
    All,
}

impl Default for Keys {
    fn default() -> Self {
        Keys::Known(BTreeSet::new())
    }
}

impl Keys {
    /// Adds the key that a path begins with; one that cannot be told means all.
    pub(crate) fn add_path(&mut self, path: &str) {
        let path = path
            .strip_prefix("#:(")
            .and_then(|rest| rest.split_once(")::"))
            .map_or(path, |(_, path)| path);
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let name = path[..end].trim();
        match self {
            _ if name.is_empty() || name.starts_with('$') => *self = Keys::All,
            Keys::Known(names) => drop(names.insert(name.to_owned())),
            Keys::All => {}
        }
    }
}

/// The contexts that a text uses and shares with others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextUses {
    /// Keys of the flow's context.
    pub flow: Keys,
    /// Keys of the global context.
    pub global: Keys,
}
