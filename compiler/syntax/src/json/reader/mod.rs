//! Reads a text into the table of a [`JsonDoc`](super::JsonDoc), and goes on after a fault.
//!
//! How it recovers: a missing comma, colon or quote is taken as if it were there; a closing bracket of the wrong kind closes
//! the nearest open one of its kind, or is skipped; what is no value becomes an invalid value; at the end of the text everything
//! open is closed. After [`Limits::max_faults`] faults it stops.

mod keys;
mod report;
mod token;

use report::{Habit, after_element};
use token::is_word;

use super::{Item, Kind, Limits};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::SourceId;

/// Reads `text` into rows; the first row is the outermost value.
pub(super) fn read(source: SourceId, text: &str, limits: &Limits) -> (Vec<Item>, Diagnostics) {
    let mut reader = Reader {
        source,
        text,
        bytes: text.as_bytes(),
        at: 0,
        items: Vec::with_capacity(text.len() / 16),
        open: Vec::new(),
        diagnostics: Diagnostics::new(),
        faults: 0,
        habits: Vec::new(),
        oddities: 0,
        stopped: false,
        cut: None,
        limits,
    };
    reader.document();
    (reader.items, reader.diagnostics)
}

struct Reader<'t> {
    source: SourceId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    items: Vec<Item>,
    /// Arrays and objects that are not closed yet.
    open: Vec<Open>,
    diagnostics: Diagnostics,
    /// Errors so far.
    faults: usize,
    /// Errors of which only the first is told, so far.
    habits: Vec<Habit>,
    /// Warnings so far.
    oddities: usize,
    /// Whether there were too many faults to go on.
    stopped: bool,
    /// What was wanted where the text ended inside an element.
    cut: Option<&'static str>,
    limits: &'t Limits,
}

/// An open array or object.
#[derive(Clone, Copy)]
struct Open {
    /// Its row.
    row: usize,
    kind: Kind,
    expect: Expect,
}

/// What may come next in an open array or object.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    FirstOrClose,
    CommaOrClose,
    Another,
}
impl Reader<'_> {
    fn document(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = 3;
        }
        self.skip_space();
        if self.at == self.bytes.len() {
            self.push(Kind::Invalid, self.at, self.at, false);
            self.fault(
                Diagnostic::error(codes::NOT_JSON, "the file is empty")
                    .with_label(self.span(0, 0), ""),
            );
            return;
        }
        self.value();
        while !self.open.is_empty() {
            if self.stopped {
                self.close_all();
            } else {
                self.step();
            }
        }
        if !self.stopped {
            self.after_root();
        }
    }

    fn after_root(&mut self) {
        self.skip_space();
        // Behind what is no value at all, everything is an echo of that.
        let nothing = self
            .items
            .first()
            .is_some_and(|root| root.kind == Kind::Invalid);
        if self.at < self.bytes.len() && !nothing {
            let message = format!(
                "expected the end of the file after the outermost value, found {}",
                self.found()
            );
            let label = self.found_span();
            self.fault(
                Diagnostic::error(codes::NOT_JSON, message)
                    .with_label(label, "this does not belong to the JSON"),
            );
        }
    }

    /// One step inside the innermost open array or object: a bracket, a comma, or an element.
    fn step(&mut self) {
        self.skip_space();
        let Some(&top) = self.open.last() else { return };
        match self.bytes.get(self.at) {
            None => self.truncated(),
            Some(&byte @ (b']' | b'}')) => self.close(byte, top),
            Some(b',') => self.comma(top),
            Some(_) => {
                if top.expect == Expect::CommaOrClose {
                    let message = format!(
                        "expected {}, found {}",
                        after_element(top.kind),
                        self.found()
                    );
                    let label = self.found_span();
                    self.fault(
                        Diagnostic::error(codes::NOT_JSON, message)
                            .with_label(label, "a comma is missing before this"),
                    );
                }
                self.expect(Expect::CommaOrClose);
                if top.kind == Kind::Object {
                    self.member()
                } else {
                    self.value()
                }
            }
        }
    }

    fn comma(&mut self, top: Open) {
        if top.expect != Expect::CommaOrClose {
            let what = if top.kind == Kind::Object {
                "a key"
            } else {
                "a value"
            };
            self.fault(
                Diagnostic::error(codes::NOT_JSON, format!("expected {what}, found `,`"))
                    .with_label(self.found_span(), "one comma too many")
                    .with_fix("remove the comma"),
            );
        }
        self.at += 1;
        self.expect(Expect::Another);
    }

    fn close(&mut self, byte: u8, top: Open) {
        let kind = if byte == b'}' {
            Kind::Object
        } else {
            Kind::Array
        };
        if top.expect == Expect::Another {
            let message = format!(
                "expected another element after the comma, found `{}`",
                char::from(byte)
            );
            self.fault(
                Diagnostic::error(codes::NOT_JSON, message)
                    .with_label(
                        self.found_span(),
                        "JSON allows no comma before a closing bracket",
                    )
                    .with_fix("remove the comma before it"),
            );
        }
        if kind == top.kind {
            self.at += 1;
            return self.pop();
        }
        let opened = self
            .items
            .get(top.row)
            .map_or(0, |item| item.start as usize);
        let message = format!(
            "expected {}, found `{}`",
            after_element(top.kind),
            char::from(byte)
        );
        self.fault(
            Diagnostic::error(codes::NOT_JSON, message)
                .with_label(self.found_span(), "this closes something else")
                .with_label(self.span(opened, opened + 1), "this is still open"),
        );
        match self.open.iter().rposition(|open| open.kind == kind) {
            Some(matching) => {
                while self.open.len() > matching + 1 {
                    self.pop();
                }
                self.at += 1;
                self.pop();
            }
            None => self.at += 1,
        }
    }

    /// A key, a colon and a value.
    fn member(&mut self) {
        self.key();
        self.skip_space();
        match self.bytes.get(self.at) {
            Some(b':') => self.at += 1,
            None => return self.cut_value("`:`"),
            Some(_) => {
                let message = format!("expected `:` after the key, found {}", self.found());
                let label = self.found_span();
                self.fault(
                    Diagnostic::error(codes::NOT_JSON, message)
                        .with_label(label, "a colon is missing before this"),
                );
            }
        }
        self.skip_space();
        match self.bytes.get(self.at) {
            Some(b',' | b'}' | b']') => {
                let message = format!("expected a value after the key, found {}", self.found());
                let label = self.found_span();
                self.fault(
                    Diagnostic::error(codes::NOT_JSON, message)
                        .with_label(label, "a value is missing before this"),
                );
                self.push(Kind::Invalid, self.at, self.at, false);
            }
            None => self.cut_value("a value"),
            Some(_) => self.value(),
        }
    }

    fn key(&mut self) {
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.string();
        }
        let start = self.at;
        let message = format!("expected a key in double quotes, found {}", self.found());
        if self.bytes.get(self.at) == Some(&b'\'') {
            self.skip_single_quoted()
        } else {
            self.skip_word()
        }
        let label = self.span(start, self.at.max(start + 1).min(self.bytes.len()));
        self.habit(
            Habit::BareKey,
            Diagnostic::error(codes::NOT_JSON, message)
                .with_label(label, "")
                .with_fix("write keys in double quotes"),
        );
        // The flag makes a look-up decode the key, which also copes with the missing quotes.
        self.push(Kind::String, start, self.at, true);
    }

    /// Reads a value at the current place, which is not the end of the text. An array or object is only opened.
    fn value(&mut self) {
        let start = self.at;
        match self.bytes.get(start) {
            Some(b'"') => self.string(),
            Some(b'{') => self.open_container(Kind::Object),
            Some(b'[') => self.open_container(Kind::Array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'\'') => {
                self.skip_single_quoted();
                self.push(Kind::Invalid, start, self.at, false);
                self.habit(
                    Habit::SingleQuotes,
                    Diagnostic::error(
                        codes::NOT_JSON,
                        "expected a value, found a text in single quotes",
                    )
                    .with_label(self.span(start, self.at), "")
                    .with_fix("write texts in double quotes"),
                );
            }
            Some(byte) if is_word(*byte) => self.word(),
            _ => {
                let message = format!("expected a value, found {}", self.found());
                let label = self.found_span();
                self.at += self.found_len();
                self.skip_number();
                let fix = if self.bytes.get(start) == Some(&b'<') {
                    "this looks like HTML or XML; give the JSON file"
                } else {
                    ""
                };
                self.invalid_value(start, &message, label, fix);
            }
        }
    }

    fn open_container(&mut self, kind: Kind) {
        if self.open.len() >= self.limits.max_depth {
            return self.too_deep();
        }
        self.open.push(Open {
            row: self.items.len(),
            kind,
            expect: Expect::FirstOrClose,
        });
        self.push(kind, self.at, self.at + 1, false);
        self.at += 1;
    }

    /// Skips an array or object that lies too deep, as one invalid value.
    fn too_deep(&mut self) {
        let start = self.at;
        let mut depth = 0usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b'"' => self.skip_string(),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
        self.push(Kind::Invalid, start, self.at, false);
        let message = format!(
            "arrays and objects are nested more than {} deep",
            self.limits.max_depth
        );
        self.fault(
            Diagnostic::error(codes::TOO_DEEP, message)
                .with_label(self.span(start, start + 1), "this one is too deep"),
        );
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.pop();
        }
    }

    /// Closes the innermost open array or object before the current place.
    fn pop(&mut self) {
        let Some(top) = self.open.pop() else { return };
        let next = self.items.len() as u32;
        if let Some(item) = self.items.get_mut(top.row) {
            item.end = self.at as u32;
            item.next = next;
            item.flag = next as usize > top.row + 1;
        }
        if top.kind == Kind::Object {
            self.check_keys(top.row);
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize, flag: bool) {
        let next = self.items.len() as u32 + 1;
        self.items.push(Item {
            start: start as u32,
            end: end as u32,
            next,
            kind,
            flag,
        });
    }

    fn expect(&mut self, expect: Expect) {
        if let Some(top) = self.open.last_mut() {
            top.expect = expect;
        }
    }
}
