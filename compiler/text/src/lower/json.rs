//! The JSON that a text becomes: a tree whose parts know their places in the text, and its writer, which notes where each part
//! came to stand.

use proc_macro2::Span;
use std::ops::Range;

/// A JSON value.
#[derive(Debug, Clone)]
pub struct Out {
    /// What it is.
    pub kind: OutKind,
    /// The tokens that it was made of.
    pub span: Option<Span>,
}

/// What a JSON value is.
#[derive(Debug, Clone)]
pub enum OutKind {
    /// A number, `true`, `false`, `null`, as written.
    Raw(String),
    /// A text; which bytes of its token its bytes come from, see [`crate::literal`].
    Text(String, Vec<(u32, u32)>),
    /// An array.
    List(Vec<Out>),
    /// An object.
    Map(Vec<(String, Out)>),
}

impl Out {
    /// A text that was made up.
    pub fn text(text: impl Into<String>) -> Out {
        Out {
            kind: OutKind::Text(text.into(), Vec::new()),
            span: None,
        }
    }

    /// A number, `true`, `false`, `null`.
    pub fn raw(text: impl Into<String>) -> Out {
        Out {
            kind: OutKind::Raw(text.into()),
            span: None,
        }
    }

    /// An array.
    pub fn list(elements: Vec<Out>) -> Out {
        Out {
            kind: OutKind::List(elements),
            span: None,
        }
    }

    /// An object.
    pub fn map(members: Vec<(String, Out)>) -> Out {
        Out {
            kind: OutKind::Map(members),
            span: None,
        }
    }

    /// The same, of these tokens.
    #[must_use]
    pub fn at(mut self, span: Span) -> Out {
        self.span = Some(span);
        self
    }

    /// Any JSON; texts that are none are texts.
    pub fn of_json(text: &str) -> Out {
        serde_json::from_str(text).map_or_else(|_| Out::text(text), |value| Out::of_value(&value))
    }

    /// Any JSON value.
    pub fn of_value(value: &serde_json::Value) -> Out {
        match value {
            serde_json::Value::String(text) => Out::text(text.clone()),
            serde_json::Value::Array(all) => Out::list(all.iter().map(Out::of_value).collect()),
            serde_json::Value::Object(all) => Out::map(
                all.iter()
                    .map(|(key, value)| (key.clone(), Out::of_value(value)))
                    .collect(),
            ),
            other => Out::raw(other.to_string()),
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            OutKind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn elements(&self) -> &[Out] {
        match &self.kind {
            OutKind::List(all) => all,
            _ => &[],
        }
    }

    /// Without places, and without blanks.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.compact(&mut out);
        out
    }

    fn compact(&self, out: &mut String) {
        match &self.kind {
            OutKind::Raw(text) => out.push_str(text),
            OutKind::Text(text, _) => {
                out.push_str(&serde_json::Value::from(text.as_str()).to_string())
            }
            OutKind::List(all) => {
                out.push('[');
                for (at, element) in all.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.compact(out);
                }
                out.push(']');
            }
            OutKind::Map(all) => {
                out.push('{');
                for (at, (key, value)) in all.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                    out.push(':');
                    value.compact(out);
                }
                out.push('}');
            }
        }
    }
}

/// Where a piece of JSON comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its bytes in the JSON.
    pub json: Range<u32>,
    /// The tokens.
    pub span: Span,
    /// Of a text: from which byte of the JSON on which bytes of its token go along with it.
    pub map: Vec<(u32, u32)>,
}

/// Writes JSON as Node-RED does, with four blanks.
#[derive(Default)]
pub struct Writer {
    /// What has been written.
    pub text: String,
    /// Where it came from.
    pub origins: Vec<Origin>,
}

impl Writer {
    fn here(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        for _ in 0..depth {
            self.text.push_str("    ");
        }
    }

    /// Writes a value.
    pub fn write(&mut self, out: &Out, depth: usize) {
        let start = self.here();
        let mut map = Vec::new();
        match &out.kind {
            OutKind::Raw(text) => self.text.push_str(text),
            OutKind::Text(text, from) => map = self.string(text, from),
            OutKind::List(all) if all.is_empty() => self.text.push_str("[]"),
            OutKind::Map(all) if all.is_empty() => self.text.push_str("{}"),
            OutKind::List(all) => {
                self.text.push('[');
                for (at, element) in all.iter().enumerate() {
                    if at > 0 {
                        self.text.push(',');
                    }
                    self.line(depth + 1);
                    self.write(element, depth + 1);
                }
                self.line(depth);
                self.text.push(']');
            }
            OutKind::Map(all) => {
                self.text.push('{');
                for (at, (key, value)) in all.iter().enumerate() {
                    if at > 0 {
                        self.text.push(',');
                    }
                    self.line(depth + 1);
                    self.string(key, &[]);
                    self.text.push_str(": ");
                    self.write(value, depth + 1);
                }
                self.line(depth);
                self.text.push('}');
            }
        }
        if let Some(span) = out.span {
            let json = start..self.here();
            self.origins.push(Origin { json, span, map });
        }
    }

    /// Writes a text; gives its map from bytes of the JSON.
    fn string(&mut self, text: &str, from: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut map: Vec<(u32, u32)> = Vec::new();
        let (mut entry, mut broken) = (0, true);
        self.text.push('"');
        for (at, c) in text.char_indices() {
            let at = at as u32;
            while from.get(entry + 1).is_some_and(|next| next.0 <= at) {
                entry += 1;
                broken = true;
            }
            if let Some((of, token)) = from.get(entry).filter(|_| broken) {
                map.push((self.here(), token + (at - of)));
            }
            let before = self.text.len();
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                c if (c as u32) < 0x20 => self.text.push_str(&format!("\\u{:04x}", c as u32)),
                c => self.text.push(c),
            }
            broken = self.text.len() - before != c.len_utf8();
        }
        if let Some((_, end)) = from.last() {
            map.push((self.here(), *end));
        }
        self.text.push('"');
        map
    }
}
