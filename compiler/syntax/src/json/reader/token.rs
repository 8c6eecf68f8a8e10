//! Reads the tokens of JSON: strings, numbers, words, and the space between them.

use super::report::{Habit, describe};
use super::{Kind, Reader};
use crate::codes;
use crate::diag::Diagnostic;
use crate::json::string::hex4;

/// Words that other languages have for values.
const FOREIGN: [&str; 8] = [
    "undefined",
    "NaN",
    "Infinity",
    "True",
    "False",
    "None",
    "nil",
    "NULL",
];

impl Reader<'_> {
    pub(super) fn word(&mut self) {
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
                // Other words are not quoted: one may be a secret that lost its quotes.
                let shown = match FOREIGN.contains(&word) {
                    true => format!("`{word}`"),
                    false => "a word without quotes".to_owned(),
                };
                let label = self.span(start, self.at);
                return self.invalid_value(
                    start,
                    &format!("expected a value, found {shown}"),
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

    pub(super) fn number(&mut self) {
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
        let label = self.span(start, self.at);
        self.invalid_value(start, "this is not a JSON number", label, "");
    }

    /// Reads a string; the current byte is its opening quote.
    pub(super) fn string(&mut self) {
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
    pub(super) fn escape(&mut self) {
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

    pub(super) fn unicode_escape(&mut self, start: usize) {
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

    /// Goes from the opening quote of a string to its closing quote.
    pub(super) fn skip_string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Goes past white space, and past comments with a fault.
    pub(super) fn skip_space(&mut self) {
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

    pub(super) fn skip_comment(&mut self) {
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

    pub(super) fn skip_word(&mut self) {
        while self.bytes.get(self.at).is_some_and(|&b| is_word(b)) {
            self.at += 1;
        }
    }

    /// Goes past what looks like the rest of a number.
    pub(super) fn skip_number(&mut self) {
        let part_of_number = |&b: &u8| is_word(b) || matches!(b, b'+' | b'-' | b'.');
        while self.bytes.get(self.at).is_some_and(part_of_number) {
            self.at += 1;
        }
    }

    /// Goes past a text in single quotes, or to the end of its line.
    pub(super) fn skip_single_quoted(&mut self) {
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
}

/// Whether a byte belongs to a word such as `true` or `undefined`.
pub(super) fn is_word(byte: u8) -> bool {
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
