//! What the reader says of faults, and how many of them.

use super::{Expect, Kind, Reader};
use crate::codes;
use crate::diag::Diagnostic;
use crate::source::Span;

/// Ways of JavaScript that JSON does not have.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Habit {
    BareKey,
    SingleQuotes,
    Comment,
}

impl Reader<'_> {
    pub(super) fn invalid_value(&mut self, start: usize, message: &str, label: Span, fix: &str) {
        self.push(Kind::Invalid, start, self.at, false);
        let diagnostic = Diagnostic::error(codes::NOT_JSON, message).with_label(label, "");
        self.fault(if fix.is_empty() {
            diagnostic
        } else {
            diagnostic.with_fix(fix)
        });
    }

    /// The text ends where the value of a member should stand.
    pub(super) fn cut_value(&mut self, wanted: &'static str) {
        self.push(Kind::Invalid, self.at, self.at, false);
        self.cut(wanted);
    }

    /// The text ends inside an element. Inside an array or object, the next step reports it.
    pub(super) fn cut(&mut self, wanted: &'static str) {
        self.cut.get_or_insert(wanted);
        if self.open.is_empty() {
            self.truncated();
        }
    }

    /// The text ends while something is open.
    pub(super) fn truncated(&mut self) {
        let end = self.text.trim_end().len();
        let mut diagnostic = Diagnostic::error(codes::TRUNCATED, "the file ends too early");
        let expected = self.cut.unwrap_or(match self.open.last() {
            None => "the rest of a value",
            Some(top) => match (top.expect, top.kind) {
                (Expect::CommaOrClose, kind) => after_element(kind),
                (Expect::Another, _) => "another element",
                (Expect::FirstOrClose, Kind::Object) => "a key or `}`",
                (Expect::FirstOrClose, _) => "a value or `]`",
            },
        });
        diagnostic = diagnostic.with_label(self.span(end, end), format!("expected {expected}"));
        if let Some(item) = self.open.last().and_then(|top| self.items.get(top.row)) {
            let what = if item.kind == Kind::Object {
                "this object is still open"
            } else {
                "this array is still open"
            };
            diagnostic = diagnostic.with_label(
                self.span(item.start as usize, item.start as usize + 1),
                what,
            );
        }
        diagnostic = diagnostic.with_note(
            "the file is incomplete: it may have been cut while it was copied or written",
        );
        self.fault(diagnostic);
        self.close_all();
    }

    /// Records an error that whoever wrote the file will have made everywhere: only the first one of its kind.
    pub(super) fn habit(&mut self, habit: Habit, diagnostic: Diagnostic) {
        if !self.habits.contains(&habit) {
            self.habits.push(habit);
            self.fault(diagnostic.with_note("others like this one are not reported"));
        }
    }

    /// Records an error; after too many, stops.
    pub(super) fn fault(&mut self, mut diagnostic: Diagnostic) {
        if self.stopped {
            return;
        }
        self.faults += 1;
        if self.faults >= self.limits.max_faults {
            self.stopped = true;
            diagnostic = diagnostic.with_note(format!(
                "after {} faults the rest of the file was not read",
                self.faults
            ));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Records a warning, unless there were many.
    pub(super) fn oddity(&mut self, diagnostic: Diagnostic) {
        self.oddities += 1;
        if self.oddities <= self.limits.max_faults {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let length = self.bytes.len();
        Span::new(
            self.source,
            start.min(length) as u32..end.min(length) as u32,
        )
    }

    /// What stands at the current place, for a message.
    pub(super) fn found(&self) -> String {
        describe(self.text, self.at)
    }

    pub(super) fn found_len(&self) -> usize {
        self.char_len(self.at)
    }

    pub(super) fn found_span(&self) -> Span {
        self.span(self.at, self.at + self.found_len())
    }

    pub(super) fn char_len(&self, at: usize) -> usize {
        self.text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8)
    }
}

/// What may follow an element.
pub(super) fn after_element(kind: Kind) -> &'static str {
    if kind == Kind::Object {
        "`,` or `}`"
    } else {
        "`,` or `]`"
    }
}

/// Names the character at a place.
pub(super) fn describe(text: &str, at: usize) -> String {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None => "the end of the file".to_owned(),
        Some('\n' | '\r') => "a line break".to_owned(),
        Some('\t') => "a tab".to_owned(),
        Some(c) if c.is_control() || c == '\u{feff}' => format!("the character U+{:04X}", c as u32),
        Some(c) => format!("`{c}`"),
    }
}
