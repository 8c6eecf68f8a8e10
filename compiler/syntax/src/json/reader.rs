//! Reads a text into the table of a [`JsonDoc`](super::JsonDoc), and goes on after a fault.
//!
//! How it recovers: a missing comma, colon or quote is taken as if it were there; a closing bracket of the wrong kind closes
//! the nearest open one of its kind, or is skipped; what is no value becomes an invalid value; at the end of the text everything
//! open is closed. After [`Limits::max_faults`] faults it stops.

use std::collections::HashMap;

use super::string::{decode, hex4};
use super::{Item, Kind, Limits};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, Span};

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

/// Ways of JavaScript that JSON does not have.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    BareKey,
    SingleQuotes,
    Comment,
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

    fn word(&mut self) {
        let start = self.at;
        self.skip_word();
        let word = self.text.get(start..self.at).unwrap_or("");
        let kind = match word {
            "true" | "false" => Kind::Bool,
            "null" => Kind::Null,
            // A file that was cut inside its last word is reported as cut.
            _ if self.at == self.bytes.len()
                && ["true", "false", "null"]
                    .iter()
                    .any(|full| full.starts_with(word)) =>
            {
                Kind::Invalid
            }
            _ => {
                let shown: String = word.chars().take(20).collect();
                let label = self.span(start, self.at);
                return self.invalid_value(
                    start,
                    &format!("expected a value, found `{shown}`"),
                    label,
                    "",
                );
            }
        };
        self.push(kind, start, self.at, false);
        if kind == Kind::Invalid {
            self.cut("the rest of a value");
        }
    }

    fn number(&mut self) {
        let start = self.at;
        self.skip_number();
        let literal = self.bytes.get(start..self.at).unwrap_or(&[]);
        if is_number(literal) {
            return self.push(Kind::Number, start, self.at, false);
        }
        if self.at == self.bytes.len() && is_number(&[literal, b"0"].concat()) {
            self.push(Kind::Invalid, start, self.at, false);
            return self.cut("the rest of a value");
        }
        let shown: String = String::from_utf8_lossy(literal).chars().take(40).collect();
        let label = self.span(start, self.at);
        self.invalid_value(start, &format!("`{shown}` is not a JSON number"), label, "");
    }

    fn invalid_value(&mut self, start: usize, message: &str, label: Span, fix: &str) {
        self.push(Kind::Invalid, start, self.at, false);
        let diagnostic = Diagnostic::error(codes::NOT_JSON, message).with_label(label, "");
        self.fault(if fix.is_empty() {
            diagnostic
        } else {
            diagnostic.with_fix(fix)
        });
    }

    /// Reads a string; the current byte is its opening quote.
    fn string(&mut self) {
        let start = self.at;
        let mut escaped = false;
        let mut control = None;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape();
                }
                Some(&byte) => {
                    if byte < 0x20 && control.is_none() {
                        control = Some(self.at);
                    }
                    self.at += 1;
                }
                None => {
                    self.at = self.bytes.len();
                    self.push(Kind::String, start, self.at, true);
                    return self.cut("`\"`");
                }
            }
        }
        self.at += 1;
        if let Some(place) = control {
            let message = format!(
                "expected an escape inside the string, found {}",
                describe(self.text, place)
            );
            self.fault(
                Diagnostic::error(codes::NOT_JSON, message)
                    .with_label(self.span(place, place + 1), "")
                    .with_label(self.span(start, start + 1), "the string begins here")
                    .with_fix("write a line break as `\\n` and a tab as `\\t`; or is a closing quote missing before?"),
            );
        }
        self.push(Kind::String, start, self.at, escaped);
    }

    /// Checks the escape at the current place and goes past it.
    fn escape(&mut self) {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => self.unicode_escape(start),
            Some(_) => {
                self.at += 1;
                let end = self.at + self.found_len();
                self.at = end;
                let shown = self.text.get(start..end).unwrap_or("\\");
                let message = format!(
                    "`{}` is not an escape of JSON",
                    shown.escape_debug().to_string().replacen("\\\\", "\\", 1)
                );
                self.fault(
                    Diagnostic::error(codes::NOT_JSON, message)
                        .with_label(self.span(start, end), "")
                        .with_fix("write a backslash as `\\\\`"),
                );
            }
            None => self.at += 1,
        }
    }

    fn unicode_escape(&mut self, start: usize) {
        self.at = start + 2;
        let Some(code) = hex4(self.bytes, start + 2) else {
            // Cut inside its digits, the file is reported as cut.
            if self.bytes.len() >= start + 6 {
                let diagnostic = Diagnostic::error(
                    codes::NOT_JSON,
                    "expected four hexadecimal digits after `\\u`",
                );
                self.fault(diagnostic.with_label(self.span(start, start + 2), ""));
            }
            return;
        };
        self.at = start + 6;
        if !(0xD800..0xE000).contains(&code) {
            return;
        }
        let low = (self.bytes.get(self.at..self.at + 2) == Some(b"\\u"))
            .then(|| hex4(self.bytes, self.at + 2))
            .flatten();
        if code < 0xDC00 && low.is_some_and(|low| (0xDC00..0xE000).contains(&low)) {
            self.at += 6;
            return;
        }
        let message = format!(
            "`\\u{code:04x}` is half of a surrogate pair; it is read as the replacement character"
        );
        self.oddity(
            Diagnostic::warning(codes::LONE_SURROGATE, message)
                .with_label(self.span(start, start + 6), ""),
        );
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

    /// Goes from the opening quote of a string to its closing quote.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// The text ends where the value of a member should stand.
    fn cut_value(&mut self, wanted: &'static str) {
        self.push(Kind::Invalid, self.at, self.at, false);
        self.cut(wanted);
    }

    /// The text ends inside an element. Inside an array or object, the next step reports it.
    fn cut(&mut self, wanted: &'static str) {
        self.cut.get_or_insert(wanted);
        if self.open.is_empty() {
            self.truncated();
        }
    }

    /// The text ends while something is open.
    fn truncated(&mut self) {
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

    /// Warns of keys that an object has twice.
    fn check_keys(&mut self, row: usize) {
        let keys = self.key_rows(row);
        if keys.len() <= 24 {
            for (at, &key) in keys.iter().enumerate() {
                if let Some(&first) = keys
                    .iter()
                    .take(at)
                    .find(|&&other| self.same_key(other, key))
                {
                    self.duplicate_key(first, key);
                }
            }
            return;
        }
        let mut seen = HashMap::with_capacity(keys.len());
        let mut twice = Vec::new();
        for item in keys {
            let literal = self
                .text
                .get(item.start as usize..item.end as usize)
                .unwrap_or("");
            if let Some(first) = seen.insert(decode(literal), item) {
                twice.push((first, item));
            }
        }
        for (first, second) in twice {
            self.duplicate_key(first, second);
        }
    }

    fn key_rows(&self, row: usize) -> Vec<Item> {
        let mut keys = Vec::with_capacity(16);
        let mut at = row + 1;
        while let (Some(&key), Some(value)) = (self.items.get(at), self.items.get(at + 1)) {
            keys.push(key);
            at = (value.next as usize).max(at + 2);
        }
        keys
    }

    fn same_key(&self, a: Item, b: Item) -> bool {
        let literal = |item: Item| {
            self.text
                .get(item.start as usize..item.end as usize)
                .unwrap_or("")
        };
        if a.flag || b.flag {
            decode(literal(a)) == decode(literal(b))
        } else {
            literal(a) == literal(b)
        }
    }

    fn duplicate_key(&mut self, first: Item, second: Item) {
        let literal = self
            .text
            .get(second.start as usize..second.end as usize)
            .unwrap_or("");
        let shown: String = decode(literal).chars().take(40).collect();
        self.oddity(
            Diagnostic::warning(
                codes::DUPLICATE_KEY,
                format!("the object has the key `{shown}` twice; the last one counts"),
            )
            .with_label(
                self.span(second.start as usize, second.end as usize),
                "this one counts",
            )
            .with_label(
                self.span(first.start as usize, first.end as usize),
                "this one is ignored",
            ),
        );
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

    /// Goes past white space, and past comments with a fault.
    fn skip_space(&mut self) {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(b'/') if matches!(self.bytes.get(self.at + 1), Some(b'/' | b'*')) => {
                    self.skip_comment()
                }
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let length = if rest.starts_with("//") {
            rest.find('\n')
        } else {
            rest.find("*/").map(|at| at + 2)
        };
        self.at = start + length.unwrap_or(rest.len());
        self.habit(
            Habit::Comment,
            Diagnostic::error(codes::NOT_JSON, "JSON has no comments")
                .with_label(self.span(start, start + 2), "")
                .with_fix("remove the comment; a comment node keeps a remark in a flow"),
        );
    }

    fn skip_word(&mut self) {
        while self.bytes.get(self.at).is_some_and(|&b| is_word(b)) {
            self.at += 1;
        }
    }

    /// Goes past what looks like the rest of a number.
    fn skip_number(&mut self) {
        let part_of_number = |&b: &u8| is_word(b) || matches!(b, b'+' | b'-' | b'.');
        while self.bytes.get(self.at).is_some_and(part_of_number) {
            self.at += 1;
        }
    }

    /// Goes past a text in single quotes, or to the end of its line.
    fn skip_single_quoted(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return;
                }
                b'\n' => return,
                b'\\' => self.at = (self.at + 1 + self.char_len(self.at + 1)).min(self.bytes.len()),
                _ => self.at += 1,
            }
        }
    }

    /// Records an error that whoever wrote the file will have made everywhere: only the first one of its kind.
    fn habit(&mut self, habit: Habit, diagnostic: Diagnostic) {
        if !self.habits.contains(&habit) {
            self.habits.push(habit);
            self.fault(diagnostic.with_note("others like this one are not reported"));
        }
    }

    /// Records an error; after too many, stops.
    fn fault(&mut self, mut diagnostic: Diagnostic) {
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
    fn oddity(&mut self, diagnostic: Diagnostic) {
        self.oddities += 1;
        if self.oddities <= self.limits.max_faults {
            self.diagnostics.push(diagnostic);
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let length = self.bytes.len();
        Span::new(
            self.source,
            start.min(length) as u32..end.min(length) as u32,
        )
    }

    /// What stands at the current place, for a message.
    fn found(&self) -> String {
        describe(self.text, self.at)
    }

    fn found_len(&self) -> usize {
        self.char_len(self.at)
    }

    fn found_span(&self) -> Span {
        self.span(self.at, self.at + self.found_len())
    }

    fn char_len(&self, at: usize) -> usize {
        self.text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8)
    }
}

/// What may follow an element.
fn after_element(kind: Kind) -> &'static str {
    if kind == Kind::Object {
        "`,` or `}`"
    } else {
        "`,` or `]`"
    }
}

/// Names the character at a place.
fn describe(text: &str, at: usize) -> String {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None => "the end of the file".to_owned(),
        Some('\n' | '\r') => "a line break".to_owned(),
        Some('\t') => "a tab".to_owned(),
        Some(c) if c.is_control() || c == '\u{feff}' => format!("the character U+{:04X}", c as u32),
        Some(c) => format!("`{c}`"),
    }
}

/// Whether a byte belongs to a word such as `true` or `undefined`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Whether the bytes are a number of JSON's grammar.
fn is_number(literal: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = literal.strip_prefix(b"-").unwrap_or(literal);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent
            .strip_prefix(b"+")
            .or_else(|| exponent.strip_prefix(b"-"))
            .unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
