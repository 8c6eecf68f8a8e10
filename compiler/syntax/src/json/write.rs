//! Writes new JSON in the manner of the text around it.

use serde_json::Value;

use super::string::encode_into;
use super::{Json, Kind};

/// How the surrounding text is laid out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Style {
    /// The line break of the text.
    pub newline: &'static str,
    /// One step of indentation; `None` when elements stand on one line.
    pub indent: Option<String>,
    /// What stands after a comma on one line.
    pub comma_gap: String,
    /// What stands after a key's colon.
    pub colon_gap: String,
}

impl Style {
    /// Node-RED's own manner in a file that it writes "pretty": four spaces.
    pub fn node_red() -> Style {
        Style {
            newline: "\n",
            indent: Some("    ".to_owned()),
            comma_gap: String::new(),
            colon_gap: " ".to_owned(),
        }
    }

    /// The manner of an array or object in `text`. `base` is the indentation of the line that `text` begins in.
    pub(crate) fn of(container: Json<'_>, text: &str, base: &str) -> Style {
        let mut style = Style {
            newline: newline_of(text),
            indent: None,
            comma_gap: String::new(),
            colon_gap: String::new(),
        };
        let span = container.span().range();
        let mut starts = element_starts(container);
        let (Some(first), second) = (starts.next(), starts.next()) else {
            return style;
        };
        let lead = text.get(span.start + 1..first.start).unwrap_or("");
        if lead.contains('\n') {
            let own = line_indent(text, span.start, base);
            let inner = lead.rsplit('\n').next().unwrap_or("");
            style.indent = Some(inner.strip_prefix(own).unwrap_or(inner).to_owned());
        }
        if let Some(second) = second {
            let between = text.get(first.end..second.start).unwrap_or("");
            style.comma_gap = one_line_gap(between.trim_start().strip_prefix(',').unwrap_or(""));
        }
        if let Some(entry) = container.entries().next() {
            let between = text
                .get(entry.key.span().range().end..entry.value.span().range().start)
                .unwrap_or("");
            style.colon_gap = one_line_gap(between.trim_start().strip_prefix(':').unwrap_or(""));
        }
        style
    }

    /// The same manner, on one line.
    pub(super) fn on_one_line(&self) -> Style {
        Style {
            indent: None,
            ..self.clone()
        }
    }
}

/// The line break that a text uses.
pub(super) fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes().get(at - 1) == Some(&b'\r') => "\r\n",
        _ => "\n",
    }
}

/// The white space at the beginning of the line that `at` is in; `base` for the first line.
pub(crate) fn line_indent<'a>(text: &'a str, at: usize, base: &'a str) -> &'a str {
    let before = text.get(..at).unwrap_or(text);
    let Some(line_start) = before.rfind('\n').map(|newline| newline + 1) else {
        return base;
    };
    let line = text.get(line_start..).unwrap_or("");
    let width = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
    line.get(..width).unwrap_or("")
}

/// Where each element of an array, or member of an object, begins and ends.
pub(super) fn element_starts(container: Json<'_>) -> impl Iterator<Item = std::ops::Range<usize>> {
    let elements = container.elements().map(|element| element.span().range());
    let members = container
        .entries()
        .map(|entry| entry.key.span().range().start..entry.value.span().range().end);
    elements.chain(members)
}

fn one_line_gap(gap: &str) -> String {
    gap.chars()
        .take_while(|c| matches!(c, ' ' | '\t'))
        .collect()
}

/// Writes a value. `indent` is the indentation of the line that it begins in.
pub(crate) fn write_value(out: &mut String, value: &Value, style: &Style, indent: &str) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            let elements = list.iter().map(|element| (None, element));
            write_container(out, ('[', ']'), elements, style, indent);
        }
        Value::Object(map) if !map.is_empty() => {
            let members = map.iter().map(|(key, member)| (Some(key.as_str()), member));
            write_container(out, ('{', '}'), members, style, indent);
        }
        _ => write_scalar(out, value),
    }
}

fn write_container<'v>(
    out: &mut String,
    brackets: (char, char),
    elements: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    style: &Style,
    indent: &str,
) {
    let inner = style.indent.as_ref().map(|step| format!("{indent}{step}"));
    out.push(brackets.0);
    for (at, (key, element)) in elements.enumerate() {
        if at > 0 {
            out.push(',');
        }
        match &inner {
            Some(inner) => out.extend([style.newline, inner]),
            None if at > 0 => out.push_str(&style.comma_gap),
            None => {}
        }
        if let Some(key) = key {
            write_key(out, key, style);
        }
        write_value(out, element, style, inner.as_deref().unwrap_or(indent));
    }
    if inner.is_some() {
        out.extend([style.newline, indent]);
    }
    out.push(brackets.1);
}

/// Writes a key and its colon.
pub(crate) fn write_key(out: &mut String, key: &str, style: &Style) {
    encode_into(out, key);
    out.push(':');
    out.push_str(&style.colon_gap);
}

fn write_scalar(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => encode_into(out, text),
        // JavaScript writes a whole double without a fraction; serde_json would write `1.0`.
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(double) => out.push_str(ryu_js::Buffer::new().format(double)),
            None => out.push_str(&number.to_string()),
        },
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

/// The manner in which a new value should take the place of `old`, which is in a container of manner `style`.
pub(crate) fn replacement_style(old: Json<'_>, style: &Style) -> Style {
    let filled =
        matches!(old.kind(), Kind::Array | Kind::Object) && element_starts(old).next().is_some();
    if filled && !old.text().contains('\n') {
        style.on_one_line()
    } else {
        style.clone()
    }
}
