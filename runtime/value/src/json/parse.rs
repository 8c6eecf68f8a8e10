//! Reads JSON, without recursion: what is open is on a stack, so that depth is limited by a number and not by the thread.

use super::error::{self, JsonError, what};
use super::scan;
use crate::{Array, Key, Object, Value};

/// Parses a text in which arrays and objects are at most `limit` deep. `finish` may make something else of each object,
/// the inner ones first.
pub(crate) fn parse_with(
    text: &str,
    limit: usize,
    finish: impl FnMut(Object) -> Result<Value, String>,
) -> Result<Value, JsonError> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        limit,
        frames: Vec::new(),
        values: Vec::new(),
        keys: Vec::new(),
        finish,
    };
    parser.run()
}

/// An array or object that is not closed yet.
struct Frame {
    object: bool,
    /// The byte where it begins.
    begin: usize,
    /// Where its values and names begin on their stacks.
    values: usize,
    keys: usize,
}

/// What comes next.
enum Next {
    Value,
    Done,
}

struct Parser<'t, F> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    limit: usize,
    frames: Vec<Frame>,
    values: Vec<Value>,
    keys: Vec<Key>,
    finish: F,
}

impl<F: FnMut(Object) -> Result<Value, String>> Parser<'_, F> {
    fn run(&mut self) -> Result<Value, JsonError> {
        loop {
            let complete = self.value()?;
            if complete && matches!(self.after_value()?, Next::Done) {
                break;
            }
        }
        if self.at < self.bytes.len() {
            return Err(self.wrong(what::AFTER));
        }
        Ok(self.values.pop().unwrap_or_default())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no space.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    fn wrong(&self, what: &str) -> JsonError {
        error::at(self.text, self.at, what)
    }

    fn unexpected(&self) -> JsonError {
        error::unexpected(self.text, self.at)
    }

    /// A whole value, onto the stack; or the beginning of an array or object that has something in it (then false).
    #[inline]
    fn value(&mut self) -> Result<bool, JsonError> {
        let value = match self.token() {
            Some(b'"') => Value::Str(self.string(|text| text.into())?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b'{') => return self.open(true),
            Some(b'[') => return self.open(false),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.unexpected()),
        };
        self.values.push(value);
        Ok(true)
    }

    fn open(&mut self, object: bool) -> Result<bool, JsonError> {
        if self.frames.len() >= self.limit {
            let what = format!("JSON nested deeper than {} levels", self.limit);
            return Err(self.wrong(&what));
        }
        let frame = Frame {
            object,
            begin: self.at,
            values: self.values.len(),
            keys: self.keys.len(),
        };
        self.at += 1;
        let empty = self.token() == Some(if object { b'}' } else { b']' });
        self.frames.push(frame);
        if empty {
            self.close()?;
        } else if object {
            self.name(what::NAME_OR_BRACE)?;
        }
        Ok(empty)
    }

    /// Closes the innermost array or object and puts it onto the stack.
    fn close(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let Some(frame) = self.frames.pop() else {
            return Err(self.unexpected());
        };
        let values = self.values.drain(frame.values..);
        let value = if frame.object {
            let object = Object::of_data(self.keys.drain(frame.keys..), values);
            (self.finish)(object).map_err(|message| JsonError {
                message,
                position: frame.begin,
            })?
        } else {
            Value::Array(values.collect::<Array>())
        };
        self.values.push(value);
        Ok(())
    }

    /// What follows a whole value: the next of the same array or object, or ends.
    #[inline]
    fn after_value(&mut self) -> Result<Next, JsonError> {
        loop {
            let token = self.token();
            let Some(frame) = self.frames.last() else {
                return Ok(Next::Done);
            };
            match (token, frame.object) {
                (Some(b','), object) => {
                    self.at += 1;
                    if object {
                        self.name(what::QUOTED_NAME)?;
                    }
                    return Ok(Next::Value);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                (_, true) => return Err(self.wrong(what::COMMA_OR_BRACE)),
                (_, false) => return Err(self.wrong(what::COMMA_OR_BRACKET)),
            }
        }
    }

    /// A name and its colon.
    #[inline]
    fn name(&mut self, expected: &str) -> Result<(), JsonError> {
        if self.token() != Some(b'"') {
            return Err(self.wrong(expected));
        }
        let key = self.string(Key::data)?;
        if self.token() != Some(b':') {
            return Err(self.wrong(what::COLON));
        }
        self.at += 1;
        self.keys.push(key);
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<f64, JsonError> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.at;
        match self.digits() {
            0 => return Err(self.wrong(what::MINUS)),
            count if count > 1 && self.bytes[first] == b'0' => {
                self.at = first + 1;
                return Err(self.wrong(what::NUMBER));
            }
            // (up to 15 digits are exact)
            count if count <= 15 && !matches!(self.peek(), Some(b'.' | b'e' | b'E')) => {
                let whole = self.bytes[first..self.at]
                    .iter()
                    .fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0'))
                    as f64;
                return Ok(if negative { -whole } else { whole });
            }
            _ => self.fraction_and_exponent()?,
        }
        Ok(self.text[start..self.at].parse().unwrap_or(f64::NAN))
    }

    fn fraction_and_exponent(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wrong(what::FRACTION));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.wrong(what::EXPONENT));
            }
        }
        Ok(())
    }

    /// A text, from its first quote on.
    #[inline]
    fn string<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, JsonError> {
        let start = self.at + 1;
        self.at = self.plain(start)?;
        if self.bytes[self.at] == b'"' {
            self.at += 1;
            return Ok(make(&self.text[start..self.at - 1]));
        }
        self.escaped(start).map(|text| make(&text))
    }

    /// The end of plain text: a quote or a backslash.
    #[inline]
    fn plain(&mut self, from: usize) -> Result<usize, JsonError> {
        let end = scan::special(self.bytes, from);
        match end.map(|end| self.bytes[end]) {
            Some(b'"' | b'\\') => Ok(end.unwrap_or(from)),
            Some(_) => {
                self.at = end.unwrap_or(from);
                Err(self.wrong(what::CONTROL))
            }
            None => {
                self.at = self.bytes.len();
                Err(self.wrong(what::UNTERMINATED))
            }
        }
    }

    /// A text with escapes, from the first one on.
    fn escaped(&mut self, start: usize) -> Result<String, JsonError> {
        let mut text = self.text[start..self.at].to_owned();
        loop {
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return Ok(text);
            }
            self.at += 1;
            text.push(self.escape()?);
            let end = self.plain(self.at)?;
            text.push_str(&self.text[self.at..end]);
            self.at = end;
        }
    }

    /// What an escape stands for, from behind its backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            // (of characters beyond Latin-1, V8 does not say that an escape is wrong)
            Some(c) if c <= 0xc3 => return Err(self.wrong(what::ESCAPE)),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(c)
    }

    /// `uXXXX`, with a second escape when it is half of a pair. A lone half becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.unit()?;
        if !(0xd800..0xdc00).contains(&unit) || !self.bytes[self.at..].starts_with(b"\\u") {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        self.at += 1;
        let second = self.unit()?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Four hexadecimal digits, from the `u` on.
    fn unit(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|c| char::from(c).to_digit(16)) else {
                return Err(self.wrong(what::UNICODE));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
