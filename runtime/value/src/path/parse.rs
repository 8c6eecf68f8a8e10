//! Reads property expressions, character by character as Node-RED does: what it lets pass (`a[0]b`) passes, what it
//! refuses is refused at the same position with the same text. Positions count UTF-16 units.

use super::{Path, PathError, PathSegment, Step};
use crate::{Key, number};

/// How deep `[msg.…]` may be nested in itself.
const MAX_NESTED: usize = 64;

/// What a position or a character is in an error's text: units of UTF-16.
struct Units<'t>(&'t str);

impl Units<'_> {
    fn position(&self, byte: usize) -> usize {
        self.0
            .get(..byte)
            .map_or(byte, |before| before.encode_utf16().count())
    }

    /// The unit that begins at a byte. (Half of a pair cannot be shown.)
    fn character(&self, byte: usize) -> char {
        let found = self.0.get(byte..).and_then(|rest| rest.chars().next());
        found
            .filter(|c| c.len_utf16() == 1)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

pub(super) fn parse(text: &str, depth: usize) -> Result<Path, PathError> {
    if text.is_empty() {
        return Err(invalid("zero-length"));
    }
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        start: 0,
        state: State::Name,
        segments: Vec::new(),
        depth,
    };
    parser.run()?;
    Ok(Path::new(parser.segments))
}

fn invalid(what: impl std::fmt::Display) -> PathError {
    PathError::invalid(format!("Invalid property expression: {what}"))
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Name,
    /// Between `[` and `]`.
    Box,
    /// In a text with this quote, which is in brackets or not.
    Quoted {
        quote: u8,
        boxed: bool,
    },
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// Where the part that is being read begins.
    start: usize,
    state: State,
    segments: Vec<PathSegment>,
    depth: usize,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), PathError> {
        let mut at = 0;
        while at < self.bytes.len() {
            at = match self.state {
                State::Quoted { quote, boxed } if self.bytes[at] == quote => {
                    self.quote_ends(at, boxed)?
                }
                State::Quoted { .. } => at + 1,
                State::Name | State::Box => self.character(at)?,
            };
        }
        if self.state != State::Name {
            return Err(invalid("unterminated expression"));
        }
        if self.start < self.bytes.len() {
            self.name(self.bytes.len());
        }
        Ok(())
    }

    /// A character outside quotes. Gives where to go on, as all these do.
    fn character(&mut self, at: usize) -> Result<usize, PathError> {
        match self.bytes[at] {
            quote @ (b'\'' | b'"') => self.quote_begins(at, quote),
            b'.' => self.dot(at),
            b'[' => self.box_begins(at),
            b']' => self.box_ends(at),
            b' ' => Err(invalid(format_args!(
                "unexpected ' ' at position {}",
                self.units(at)
            ))),
            _ => Ok(at + 1),
        }
    }

    fn units(&self, at: usize) -> usize {
        Units(self.text).position(at)
    }

    fn unexpected(&self, at: usize, what: &str) -> PathError {
        let character = Units(self.text).character(at);
        invalid(format_args!(
            "unexpected {character}{what} at position {}",
            self.units(at)
        ))
    }

    fn is_last(&self, at: usize) -> bool {
        at + 1 == self.bytes.len()
    }

    /// The part up to here is a name.
    fn name(&mut self, end: usize) {
        let name = self.text.get(self.start..end).unwrap_or_default();
        self.segments.push(PathSegment::Key(Key::from(name)));
    }

    /// The part up to here, when it is digits.
    fn digits(&self, end: usize) -> Option<PathSegment> {
        let part = self.text.get(self.start..end)?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // (an index beyond what an array can have is a name)
        Some(match part.parse::<u64>() {
            Ok(index) if index < 1 << 53 => PathSegment::Index(index as usize),
            _ => PathSegment::Key(Key::from(number::to_js_string(number::parse(part)))),
        })
    }

    fn quote_begins(&mut self, at: usize, quote: u8) -> Result<usize, PathError> {
        if at != self.start {
            return Err(self.unexpected(at, ""));
        }
        self.state = State::Quoted {
            quote,
            boxed: self.state == State::Box,
        };
        self.start = at + 1;
        Ok(at + 1)
    }

    fn quote_ends(&mut self, at: usize, boxed: bool) -> Result<usize, PathError> {
        let start = self.units(self.start);
        if at == self.start {
            return Err(invalid(format_args!(
                "zero-length string at position {start}"
            )));
        }
        self.name(at);
        let next = self.bytes.get(at + 1);
        if boxed && next != Some(&b']') {
            return Err(invalid(format_args!(
                "unexpected array expression at position {start}"
            )));
        }
        if !boxed && next.is_some_and(|next| !matches!(next, b'[' | b'.')) {
            return Err(self.unexpected(at + 1, " expression"));
        }
        self.start = at + 1;
        self.state = if boxed { State::Box } else { State::Name };
        Ok(at + 1)
    }

    fn dot(&mut self, at: usize) -> Result<usize, PathError> {
        if at == 0 {
            return Err(self.unexpected(at, ""));
        }
        if self.start != at {
            match self.digits(at) {
                Some(index) => self.segments.push(index),
                None => self.name(at),
            }
        }
        if self.is_last(at) {
            return Err(invalid("unterminated expression"));
        }
        if !matches!(self.bytes[at + 1], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'$' | b'_') {
            return Err(self.unexpected(at + 1, ""));
        }
        self.start = at + 1;
        Ok(at + 1)
    }

    fn box_begins(&mut self, at: usize) -> Result<usize, PathError> {
        if at == 0 {
            return Err(self.unexpected(at, ""));
        }
        if self.start != at {
            self.name(at);
        }
        if self.is_last(at) {
            return Err(invalid("unterminated expression"));
        }
        let rest = &self.bytes[at + 1..];
        if rest.starts_with(b"msg.") || rest.starts_with(b"msg[") {
            return self.nested(at);
        }
        if !matches!(rest[0], b'"' | b'\'' | b'0'..=b'9') {
            return Err(self.unexpected(at + 1, ""));
        }
        self.start = at + 1;
        self.state = State::Box;
        Ok(at + 1)
    }

    fn box_ends(&mut self, at: usize) -> Result<usize, PathError> {
        if self.state != State::Box {
            return Err(self.unexpected(at, ""));
        }
        if self.start != at {
            let Some(index) = self.digits(at) else {
                let start = self.units(self.start);
                return Err(invalid(format_args!(
                    "unexpected array expression at position {start}"
                )));
            };
            self.segments.push(index);
        }
        self.start = at + 1;
        self.state = State::Name;
        Ok(at + 1)
    }

    /// `[msg.…]`, from its bracket on. The brackets alone say where it ends, quoted or not.
    fn nested(&mut self, at: usize) -> Result<usize, PathError> {
        let mut open = 1usize;
        for end in at + 1..self.bytes.len() {
            match self.bytes[end] {
                b'[' => open += 1,
                b']' => open -= 1,
                _ => {}
            }
            if open == 0 {
                let inner = self.text.get(at + 1..end).unwrap_or_default();
                self.segments
                    .push(self.reference(inner, self.units(at + 1))?);
                self.start = end + 1;
                self.state = State::Name;
                return Ok(end + 1);
            }
        }
        Err(invalid(format_args!(
            "unmatched '[' at position {}",
            self.units(at)
        )))
    }

    fn reference(&self, inner: &str, position: usize) -> Result<PathSegment, PathError> {
        let parsed = if self.depth < MAX_NESTED {
            parse(inner, self.depth + 1).ok()
        } else {
            None
        };
        let path = parsed.ok_or_else(|| PathError::started(position))?;
        Ok(PathSegment::Nested(
            path.nested_at(position, inner.starts_with("msg.")),
        ))
    }
}

/// The steps of segments of which none is nested.
pub(super) fn plain_steps(segments: &[PathSegment]) -> Option<Box<[Step]>> {
    let step = |segment: &PathSegment| match segment {
        PathSegment::Key(key) => Some(Step::Key(key.clone())),
        PathSegment::Index(index) => Some(Step::Index(*index)),
        PathSegment::Nested(_) => None,
    };
    segments.iter().map(step).collect()
}
