//! Writes values, without recursion.

use crate::json::quote_into;
use crate::object::Iter;
use crate::{ErrorValue, Object, PathSegment, Rare, Value, date, number};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::slice;

/// A value as a JSON text.
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    encode_into(&mut out, value);
    out
}

/// Appends a value as a JSON text.
pub fn encode_into(out: &mut String, value: &Value) {
    let mut writer = Writer {
        out,
        frames: Vec::new(),
    };
    writer.value(value);
    while writer.step() {}
}

enum Items<'v> {
    List(slice::Iter<'v, Value>),
    /// `"name":value`.
    Properties(Iter<'v>),
    /// `["name",value]`.
    Entries(Iter<'v>),
    /// `[key,value]`; of the last one begun, the value that is still to be written.
    Pairs(slice::Iter<'v, (Value, Value)>, Option<&'v Value>),
}

struct Frame<'v> {
    items: Items<'v>,
    begun: bool,
    /// What comes after the last item.
    end: &'static str,
}

struct Writer<'o, 'v> {
    out: &'o mut String,
    frames: Vec<Frame<'v>>,
}

impl<'v> Writer<'_, 'v> {
    /// Writes the next item of the innermost list, or its end. False: everything is written.
    fn step(&mut self) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return false;
        };
        let begun = frame.begun;
        let next = match &mut frame.items {
            Items::List(items) => items.next().map(|value| (None, ",", "", value)),
            Items::Properties(items) => items
                .next()
                .map(|(key, value)| (Some(key), ",", ":", value)),
            Items::Entries(items) => items
                .next()
                .map(|(key, value)| (Some(key), "],", ",", value)),
            Items::Pairs(items, rest) => match rest.take() {
                Some(value) => Some((None, ",", "", value)),
                None => items.next().map(|(key, value)| {
                    *rest = Some(value);
                    (None, "],", "", key)
                }),
            },
        };
        let in_pair = matches!(frame.items, Items::Entries(_) | Items::Pairs(..));
        let Some((key, between, after_key, value)) = next else {
            let end = frame.end;
            self.frames.pop();
            self.out.push_str(if begun && in_pair { "]" } else { "" });
            self.out.push_str(end);
            return true;
        };
        frame.begun = true;
        self.out.push_str(if begun { between } else { "" });
        if in_pair && between != "," {
            self.out.push('[');
        }
        if let Some(key) = key {
            quote_into(self.out, key.as_str());
            self.out.push_str(after_key);
        }
        self.value(value);
        true
    }

    fn open(&mut self, begin: &str, items: Items<'v>, end: &'static str) {
        self.out.push_str(begin);
        self.frames.push(Frame {
            items,
            begun: false,
            end,
        });
    }

    /// An object, and what comes right after it: nothing, or a brace.
    fn object(&mut self, object: &'v Object, brace_after: bool) {
        if object.contains_key("$type") {
            let end = if brace_after { "]}}" } else { "]}" };
            return self.open(
                "{\"$type\":\"object\",\"entries\":[",
                Items::Entries(object.iter()),
                end,
            );
        }
        if object.is_error() {
            return self.error_object(object, brace_after);
        }
        let end = if brace_after { "}}" } else { "}" };
        self.open("{", Items::Properties(object.iter()), end);
    }

    /// An object that stands for an error: its own three texts, and the rest as the error's properties.
    fn error_object(&mut self, object: &'v Object, brace_after: bool) {
        let mut rest = object.iter();
        let mut own = || rest.next().map(|(_, value)| value.to_js_string());
        let own: Vec<String> = std::iter::from_fn(&mut own).take(3).collect();
        let named: Vec<(&str, &str)> = ["name", "message", "stack"]
            .into_iter()
            .zip(own.iter().map(String::as_str))
            .collect();
        self.begin_texts("error", &named);
        let end = if brace_after { "}}}" } else { "}}" };
        self.open(",\"properties\":{", Items::Properties(rest), end);
    }

    /// Writes a value, of what holds others the beginning.
    fn value(&mut self, value: &'v Value) {
        match value {
            Value::Undefined => self.out.push_str("{\"$type\":\"undefined\"}"),
            Value::Null => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => write_number(self.out, *n),
            Value::Str(text) => quote_into(self.out, text),
            Value::Buffer(bytes) => {
                self.out.push_str("{\"$type\":\"buffer\",\"base64\":\"");
                STANDARD.encode_string(&**bytes, self.out);
                self.out.push_str("\"}");
            }
            Value::Date(ms) => match date::iso(*ms) {
                Some(text) => self.texts("date", &[("iso", &text)]),
                None => self.out.push_str("{\"$type\":\"date\",\"iso\":null}"),
            },
            Value::Array(items) => self.open("[", Items::List(items.iter()), "]"),
            Value::Object(object) => self.object(object, false),
            Value::Handle(handle) => {
                self.texts("handle", &[("kind", handle.kind()), ("id", handle.id())])
            }
            Value::Rare(rare) => self.rare(rare),
        }
    }

    fn rare(&mut self, rare: &'v Rare) {
        match rare {
            Rare::BigInt(digits) => self.texts("bigint", &[("value", digits)]),
            Rare::RegExp { source, flags } => {
                self.texts("regexp", &[("source", source), ("flags", flags)])
            }
            Rare::Map(pairs) => self.open(
                "{\"$type\":\"map\",\"entries\":[",
                Items::Pairs(pairs.iter(), None),
                "]}",
            ),
            Rare::Set(values) => self.open(
                "{\"$type\":\"set\",\"values\":[",
                Items::List(values.iter()),
                "]}",
            ),
            Rare::Error(error) => self.error(error),
            Rare::Circular(path) => self.circular(path),
        }
    }

    /// A form whose fields are all texts.
    fn texts(&mut self, ty: &str, fields: &[(&str, &str)]) {
        self.begin_texts(ty, fields);
        self.out.push('}');
    }

    fn begin_texts(&mut self, ty: &str, fields: &[(&str, &str)]) {
        self.out.extend(["{\"$type\":\"", ty, "\""]);
        for (name, text) in fields {
            self.out.extend([",\"", name, "\":"]);
            quote_into(self.out, text);
        }
    }

    fn error(&mut self, error: &'v ErrorValue) {
        self.begin_texts(
            "error",
            &[
                ("name", &error.name),
                ("message", &error.message),
                ("stack", &error.stack),
            ],
        );
        if error.properties.is_empty() {
            return self.out.push('}');
        }
        self.out.push_str(",\"properties\":");
        self.object(&error.properties, true);
    }

    fn circular(&mut self, path: &[PathSegment]) {
        self.out.push_str("{\"$type\":\"circular\",\"path\":[");
        for (i, segment) in path.iter().enumerate() {
            self.out.push_str(if i > 0 { "," } else { "" });
            match segment {
                PathSegment::Key(key) => quote_into(self.out, key.as_str()),
                PathSegment::Index(index) => number::write(self.out, *index as f64),
                PathSegment::Nested(path) => quote_into(self.out, &path.to_string()),
            }
        }
        self.out.push_str("]}");
    }
}

fn write_number(out: &mut String, n: f64) {
    let is_minus_zero = n == 0.0 && n.is_sign_negative();
    if n.is_finite() && !is_minus_zero {
        return number::write(out, n);
    }
    out.push_str("{\"$type\":\"number\",\"value\":\"");
    out.push_str(if is_minus_zero { "-" } else { "" });
    number::write(out, n);
    out.push_str("\"}");
}
