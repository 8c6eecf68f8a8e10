//! How a node is best written in the text language (docs/flow-text.md): said by the node, in constant data.
//!
//! Whatever is said here, every property can be written as `name = value`; a form says what can be written without a name.

use serde::{Deserialize, Serialize};

/// What a node's arguments without a name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// There are none.
    Plain,
    /// The first one is this property.
    First(&'static str),
    /// The first one is the typed property `property`; conditions are the elements of `rules`, one for each output.
    Conditions,
    /// Each one changes a property of a message, and is an element of `rules`.
    Assignments,
    /// Each one sets a property of a new message, and is an element of `props`.
    Properties,
}

/// The same, owned: in the description of a node that is not in this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OwnText {
    Plain,
    First(String),
    Conditions,
    Assignments,
    Properties,
}

impl From<Text> for OwnText {
    fn from(text: Text) -> OwnText {
        match text {
            Text::Plain => OwnText::Plain,
            Text::First(name) => OwnText::First(name.to_owned()),
            Text::Conditions => OwnText::Conditions,
            Text::Assignments => OwnText::Assignments,
            Text::Properties => OwnText::Properties,
        }
    }
}

impl OwnText {
    pub(crate) fn leak(self) -> Text {
        match self {
            OwnText::Plain => Text::Plain,
            OwnText::First(name) => Text::First(name.leak()),
            OwnText::Conditions => Text::Conditions,
            OwnText::Assignments => Text::Assignments,
            OwnText::Properties => Text::Properties,
        }
    }
}

/// What follows a condition's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value: `v`, of the type `vt`.
    Value,
    /// A text, which is the value (`v`) and its type (`vt`) at once.
    Kind,
    /// A text `v` of the type `str`, and whether case is ignored (`case`).
    Pattern,
    /// A text `v` of the type `jsonata`.
    Expression,
    /// Two values, `v` and `v2`, with two dots between.
    Span,
}

/// A kind of condition ([`Text::Conditions`]): how it is written, and the `t` of its element of `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Its sign or words.
    pub sign: &'static str,
    /// The rule's `t`.
    pub t: &'static str,
    /// What follows.
    pub takes: Takes,
}

const fn condition(sign: &'static str, t: &'static str, takes: Takes) -> Condition {
    Condition { sign, t, takes }
}

/// All kinds of conditions. `..=` stands between its values; a value alone is `==`.
pub const CONDITIONS: &[Condition] = &[
    condition("==", "eq", Takes::Value),
    condition("!=", "neq", Takes::Value),
    condition("<", "lt", Takes::Value),
    condition("<=", "lte", Takes::Value),
    condition(">", "gt", Takes::Value),
    condition(">=", "gte", Takes::Value),
    condition("..=", "btwn", Takes::Span),
    condition("contains", "cont", Takes::Value),
    condition("matches", "regex", Takes::Pattern),
    condition("is", "istype", Takes::Kind),
    condition("has", "hask", Takes::Value),
    condition("head", "head", Takes::Value),
    condition("tail", "tail", Takes::Value),
    condition("index", "index", Takes::Span),
    condition("jsonata", "jsonata_exp", Takes::Expression),
    condition("true", "true", Takes::Nothing),
    condition("false", "false", Takes::Nothing),
    condition("null", "null", Takes::Nothing),
    condition("not null", "nnull", Takes::Nothing),
    condition("empty", "empty", Takes::Nothing),
    condition("not empty", "nempty", Takes::Nothing),
    condition("else", "else", Takes::Nothing),
];

/// The `t` of an assignment ([`Text::Assignments`]) that sets.
pub const SET: &str = "set";
/// The `t` of one that deletes.
pub const DELETE: &str = "delete";
/// The `t` of one that moves.
pub const MOVE: &str = "move";
/// The `t` of one that replaces.
pub const REPLACE: &str = "change";
