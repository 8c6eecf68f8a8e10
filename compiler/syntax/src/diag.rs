//! Diagnostics: what the compiler has to say about a flow. They are collected, so that one run tells everything, and never
//! end the work early.

use serde::{Deserialize, Serialize};

use crate::codes::Code;
use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The flow cannot be built as it is.
    Error,
    /// The flow is built, and probably does not do what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// The node that a diagnostic is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct NodeRef {
    /// Id in the flow file.
    pub id: String,
    /// The name that the user gave it; may be empty.
    pub name: String,
    /// Node type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Id of the tab or subflow that it is on.
    pub z: Option<String>,
}

/// A place in a source with a remark. The first label of a diagnostic is its main place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// A place inside the decoded value of a property: "line 3, column 5 of the function body".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyPos {
    /// The property, such as `func`.
    pub property: String,
    /// Line in the decoded value, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte in the decoded value.
    pub start: u32,
    /// One past the last byte in the decoded value.
    pub end: u32,
    /// The JSON string in the file that the value was decoded from, for the renderer to show the value's own lines.
    pub value: Option<Span>,
}

/// One thing to tell the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Which kind of problem it is; has a page of explanation.
    pub code: Code,
    /// How bad it is.
    pub level: Level,
    /// One sentence about this very case, without a full stop at its end.
    pub message: String,
    /// The node it is about.
    pub node: Option<NodeRef>,
    /// Places in sources, the main one first.
    pub labels: Vec<Label>,
    /// The place inside a property's value, when the fault is in there.
    pub body: Option<BodyPos>,
    /// Further facts, a sentence each.
    pub notes: Vec<String>,
    /// What the user can do about it.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with the given level.
    pub fn new(level: Level, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            level,
            message: message.into(),
            node: None,
            labels: Vec::new(),
            body: None,
            notes: Vec::new(),
            fix: None,
        }
    }

    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Warning, code, message)
    }

    /// A note.
    pub fn note(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Note, code, message)
    }

    /// Says which node it is about.
    #[must_use]
    pub fn with_node(mut self, node: NodeRef) -> Diagnostic {
        self.node = Some(node);
        self
    }

    /// Adds a place; the first one added is the main place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says where inside a property's value it is.
    #[must_use]
    pub fn with_body(mut self, body: BodyPos) -> Diagnostic {
        self.body = Some(body);
        self
    }

    /// Adds a further fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Says what the user can do about it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Diagnostic {
        self.fix = Some(fix.into());
        self
    }

    /// The main place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Collects diagnostics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty collection.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        self.list.extend(other.list);
    }

    /// The same, to be added to.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.list.iter_mut()
    }

    /// Those collected so far, in the order in which they came.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are of a level.
    pub fn count(&self, level: Level) -> usize {
        self.list.iter().filter(|d| d.level == level).count()
    }

    /// Whether one of them is an error: then nothing may be built.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    /// Puts them in the order of their places: those without a place first, otherwise as they came.
    pub fn sort(&mut self) {
        self.list.sort_by_key(Diagnostic::span);
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, iter: I) {
        self.list.extend(iter);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Diagnostics {
        Diagnostics {
            list: iter.into_iter().collect(),
        }
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}
