//! Writes JSON, without recursion: values may be nested as deep as they like.

use super::scan;
use crate::object::Iter;
use crate::{ErrorValue, Key, Object, PathSegment, Rare, Value, date, number};
use std::slice;

/// A text in quotes, as JSON has it.
pub fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    while let Some(at) = scan::special(text.as_bytes(), from) {
        out.push_str(&text[from..at]);
        escape_into(out, text.as_bytes()[at]);
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

fn escape_into(out: &mut String, byte: u8) {
    let short = match byte {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        8 => "\\b",
        12 => "\\f",
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            out.push_str("\\u00");
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
            return;
        }
    };
    out.push_str(short);
}

/// `JSON.stringify`, appended to a text. False, and nothing is appended: the value has no JSON (`undefined`).
///
/// # Errors
/// What JavaScript throws: a big integer, a circular structure. Then a part of the JSON may have been appended.
pub fn stringify_into(out: &mut String, value: &Value, indent: usize) -> Result<bool, ErrorValue> {
    if !has_json(value) {
        return Ok(false);
    }
    let mut writer = Writer {
        out,
        indent: indent.min(10),
        frames: Vec::new(),
    };
    writer.value(value)?;
    while writer.step()? {}
    Ok(true)
}

fn has_json(value: &Value) -> bool {
    match value {
        Value::Undefined => false,
        Value::Handle(handle) => !matches!(handle.kind(), "function" | "symbol"),
        _ => true,
    }
}

enum Items<'v> {
    List(slice::Iter<'v, Value>),
    Object(Iter<'v>),
}

/// An array or object that is being written.
struct Frame<'v> {
    items: Items<'v>,
    /// The last item begun: its index, or its name.
    count: usize,
    key: Option<&'v Key>,
}

struct Writer<'o, 'v> {
    out: &'o mut String,
    indent: usize,
    frames: Vec<Frame<'v>>,
}

impl<'v> Writer<'_, 'v> {
    /// Writes the next item of the innermost array or object, or its end. False: everything is written.
    fn step(&mut self) -> Result<bool, ErrorValue> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(false);
        };
        let next = match &mut frame.items {
            Items::List(items) => items.next().map(|value| (None, value)),
            Items::Object(items) => items
                .find(|(_, value)| has_json(value))
                .map(|(key, value)| (Some(key), value)),
        };
        let Some((key, value)) = next else {
            self.close();
            return Ok(true);
        };
        frame.count += 1;
        frame.key = key;
        let first = frame.count == 1;
        if !first {
            self.out.push(',');
        }
        self.line(self.frames.len());
        if let Some(key) = key {
            quote_into(self.out, key.as_str());
            self.out.push_str(if self.indent == 0 { ":" } else { ": " });
        }
        if has_json(value) {
            self.value(value)?;
        } else {
            self.out.push_str("null");
        }
        Ok(true)
    }

    fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            if frame.count > 0 {
                self.line(self.frames.len());
            }
            self.out.push(if matches!(frame.items, Items::List(_)) {
                ']'
            } else {
                '}'
            });
        }
    }

    fn line(&mut self, depth: usize) {
        if self.indent > 0 {
            self.out.push('\n');
            self.out
                .extend(std::iter::repeat_n(' ', depth * self.indent));
        }
    }

    fn open(&mut self, begin: char, items: Items<'v>) {
        self.out.push(begin);
        self.frames.push(Frame {
            items,
            count: 0,
            key: None,
        });
    }

    fn object(&mut self, object: &'v Object) {
        self.open('{', Items::Object(object.iter()));
    }

    /// Writes a value, of an array or object the beginning.
    fn value(&mut self, value: &'v Value) -> Result<(), ErrorValue> {
        match value {
            Value::Undefined | Value::Null => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) if n.is_finite() => number::write(self.out, *n),
            Value::Number(_) => self.out.push_str("null"),
            Value::Str(text) => quote_into(self.out, text),
            Value::Date(ms) => match date::iso(*ms) {
                Some(text) => quote_into(self.out, &text),
                None => self.out.push_str("null"),
            },
            Value::Buffer(bytes) => self.buffer(bytes),
            Value::Array(items) => self.open('[', Items::List(items.iter())),
            Value::Object(object) => self.object(object),
            Value::Handle(handle) => match handle.props() {
                Value::Object(props) => self.object(props),
                _ => self.out.push_str("{}"),
            },
            Value::Rare(rare) => return self.rare(rare),
        }
        Ok(())
    }

    fn rare(&mut self, rare: &'v Rare) -> Result<(), ErrorValue> {
        match rare {
            Rare::BigInt(_) => {
                return Err(ErrorValue::new(
                    "TypeError",
                    "Do not know how to serialize a BigInt",
                ));
            }
            Rare::Circular(path) => return Err(self.circular(path)),
            Rare::Error(error) => self.object(&error.properties),
            Rare::RegExp { .. } | Rare::Map(_) | Rare::Set(_) => self.out.push_str("{}"),
        }
        Ok(())
    }

    /// `{"type":"Buffer","data":[…]}`.
    fn buffer(&mut self, bytes: &[u8]) {
        let depth = self.frames.len();
        let colon = if self.indent == 0 { ":" } else { ": " };
        self.out.push('{');
        self.line(depth + 1);
        self.out.push_str("\"type\"");
        self.out.push_str(colon);
        self.out.push_str("\"Buffer\",");
        self.line(depth + 1);
        self.out.push_str("\"data\"");
        self.out.push_str(colon);
        self.out.push('[');
        for (i, byte) in bytes.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.line(depth + 2);
            number::write(self.out, f64::from(*byte));
        }
        if !bytes.is_empty() {
            self.line(depth + 1);
        }
        self.out.push(']');
        self.line(depth);
        self.out.push('}');
    }

    /// V8's error for an object inside itself. The path may begin further out than what is written: its end is compared.
    fn circular(&self, path: &[PathSegment]) -> ErrorValue {
        let names: Vec<String> = self.frames.iter().map(Frame::name).collect();
        let outer = names.len().saturating_sub(1);
        let ends = |count: &usize| {
            path.iter()
                .rev()
                .zip(names[..*count].iter().rev())
                .all(|(segment, name)| segment_name(segment) == *name)
        };
        let start = (0..=outer.min(path.len())).rev().find(ends).unwrap_or(0);
        let mut text = String::from(
            "Converting circular structure to JSON\n    --> starting at object with constructor '",
        );
        text.push_str(self.frames.get(start).map_or("Object", Frame::constructor));
        text.push('\'');
        // V8 shows the first two steps and the last, and dots for those between.
        let steps = start..outer;
        for (i, step) in steps.clone().enumerate() {
            if i < 2 || i + 1 == steps.len() {
                let constructor = self
                    .frames
                    .get(step + 1)
                    .map_or("Object", Frame::constructor);
                text.push_str(&format!(
                    "\n    |     {} -> object with constructor '{constructor}'",
                    names[step]
                ));
            } else if i == 2 {
                text.push_str("\n    |     ...");
            }
        }
        text.push_str(&format!(
            "\n    --- {} closes the circle",
            names.last().map_or("", String::as_str)
        ));
        ErrorValue::new("TypeError", text)
    }
}

fn segment_name(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Key(key) => format!("property '{key}'"),
        PathSegment::Index(index) => format!("index {index}"),
        PathSegment::Nested(path) => format!("property '{path}'"),
    }
}

impl Frame<'_> {
    fn name(&self) -> String {
        match self.key {
            Some(key) => format!("property '{key}'"),
            None => format!("index {}", self.count.saturating_sub(1)),
        }
    }

    fn constructor(&self) -> &'static str {
        match self.items {
            Items::List(_) => "Array",
            Items::Object(_) => "Object",
        }
    }
}
