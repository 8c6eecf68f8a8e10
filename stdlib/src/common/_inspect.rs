//! Values as text for people, as Node.js' `util.inspect` writes them: what debug nodes print and show as a status.

use vgdc_core::value::{Object, PathSegment, Rare, Value, date, number};

/// The width that a line should keep within.
const LINE: usize = 80;
/// This many levels of nesting may stand on one line.
const COMPACT: usize = 3;
/// Items of an array (or set, or map) that are shown.
const ITEMS: usize = 100;
/// Bytes of a buffer that are shown.
const BYTES: usize = 50;
/// UTF-16 units of a text that are shown.
const TEXT: usize = 10_000;

/// How a terminal is told to colour something, and to end that.
#[derive(Clone, Copy)]
struct Style(&'static str, &'static str);

const NUMBER: Style = Style("33", "39");
/// (Node-RED's own choice; Node.js has yellow)
const TRUTH: Style = Style("31", "39");
const STRING: Style = Style("32", "39");
const DATE: Style = Style("35", "39");
const REGEXP: Style = Style("31", "39");
const SPECIAL: Style = Style("36", "39");
const NULL: Style = Style("1", "22");
const UNDEFINED: Style = Style("90", "39");

/// Writes a value; objects more than `depth` levels inside it are only named.
pub fn inspect(value: &Value, depth: usize) -> String {
    inspect_with(value, depth, false)
}

/// The same, in the colours of a terminal if wanted.
pub fn inspect_with(value: &Value, depth: usize, colors: bool) -> String {
    let mut writer = Writer {
        depth,
        colors,
        indent: 0,
        deepest: 0,
        path: Vec::new(),
        circular: Vec::new(),
    };
    writer.value(value, 0)
}

/// The first `units` UTF-16 units of a text (JavaScript's measure), and whether there is more.
pub fn cut(text: &str, units: usize) -> (&str, bool) {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        seen += c.len_utf16();
        if seen > units {
            return (&text[..at], true);
        }
    }
    (text, false)
}

struct Writer {
    depth: usize,
    colors: bool,
    indent: usize,
    /// The level of the last object that was entered.
    deepest: usize,
    /// The keys from the outermost value to the one being written.
    path: Vec<String>,
    /// Paths of objects that are inside themselves, in the order in which that was noticed.
    circular: Vec<Vec<String>>,
}

/// What an object is written with.
struct Frame {
    base: String,
    open: String,
    close: &'static str,
    /// Numbers in arrays are aligned to the right, anything else to the left; `None` for what is no array.
    align: Option<Align>,
}

#[derive(Clone, Copy, PartialEq)]
enum Align {
    Left,
    Right,
}

impl Writer {
    fn paint(&self, text: impl Into<String>, Style(begin, end): Style) -> String {
        let text = text.into();
        match self.colors {
            true => format!("\u{1b}[{begin}m{text}\u{1b}[{end}m"),
            false => text,
        }
    }

    fn value(&mut self, value: &Value, level: usize) -> String {
        match value {
            Value::Undefined => self.paint("undefined", UNDEFINED),
            Value::Null => self.paint("null", NULL),
            Value::Bool(truth) => self.paint(truth.to_string(), TRUTH),
            Value::Number(n) if *n == 0.0 && n.is_sign_negative() => self.paint("-0", NUMBER),
            Value::Number(n) => self.paint(number::to_js_string(*n), NUMBER),
            Value::Str(text) => self.text(text),
            Value::Date(ms) => {
                let text = date::iso(*ms).unwrap_or_else(|| "Invalid Date".to_owned());
                self.paint(text, DATE)
            }
            Value::Buffer(bytes) => buffer(bytes),
            Value::Array(items) => self.array(items, level),
            Value::Object(object) => self.object(object, level),
            Value::Handle(handle) => match handle.props() {
                _ if handle.kind() == "function" => self.paint("[Function (anonymous)]", SPECIAL),
                Value::Object(object) => self.object(object, level),
                _ => "{}".to_owned(),
            },
            Value::Rare(rare) => self.rare(rare, level),
        }
    }

    fn rare(&mut self, rare: &Rare, level: usize) -> String {
        match rare {
            Rare::BigInt(digits) => self.paint(format!("{digits}n"), NUMBER),
            Rare::RegExp { source, flags } => self.paint(format!("/{source}/{flags}"), REGEXP),
            Rare::Map(entries) => self.map(entries, level),
            Rare::Set(values) => self.set(values, level),
            Rare::Error(error) => {
                let base = if error.stack.is_empty() {
                    format!("[{error}]")
                } else {
                    let inner = format!("\n{}", " ".repeat(self.indent));
                    error.stack.replace('\n', &inner)
                };
                if error.properties.is_empty() {
                    return base;
                }
                let frame = Frame {
                    base,
                    open: "{".to_owned(),
                    close: "}",
                    align: None,
                };
                self.framed(frame, level, "[Error]", |writer| {
                    writer.properties(&error.properties, level + 1)
                })
            }
            Rare::Circular(path) => {
                let path: Vec<String> = path.iter().map(segment).collect();
                let known = self.circular.iter().position(|seen| *seen == path);
                let number = known.unwrap_or_else(|| {
                    self.circular.push(path);
                    self.circular.len() - 1
                });
                self.paint(format!("[Circular *{}]", number + 1), SPECIAL)
            }
        }
    }

    fn text(&self, text: &str) -> String {
        let (shown, more) = cut(text, TEXT);
        let units = shown.encode_utf16().count();
        let rest = if more {
            let rest = text.encode_utf16().count() - units;
            format!(
                "... {rest} more character{}",
                if rest > 1 { "s" } else { "" }
            )
        } else {
            String::new()
        };
        if units > 16
            && units + self.indent + 4 > LINE
            && shown.trim_end_matches('\n').contains('\n')
        {
            let lines = shown.split_inclusive('\n');
            let lines: Vec<String> = lines.map(|line| self.paint(quoted(line), STRING)).collect();
            return lines.join(&format!(" +\n{}", " ".repeat(self.indent + 2))) + &rest;
        }
        self.paint(quoted(shown), STRING) + &rest
    }

    fn array(&mut self, items: &[Value], level: usize) -> String {
        if items.is_empty() {
            return "[]".to_owned();
        }
        let numbers = |item: &Value| matches!(item.type_of(), "number" | "bigint");
        // (the first item that is left out decides, too)
        let align = match items.iter().take(ITEMS + 1).all(numbers) {
            true => Align::Right,
            false => Align::Left,
        };
        let frame = Frame {
            base: String::new(),
            open: "[".to_owned(),
            close: "]",
            align: Some(align),
        };
        self.framed(frame, level, "[Array]", |writer| {
            let shown = items.iter().take(ITEMS).enumerate();
            let mut out: Vec<String> = shown
                .map(|(index, item)| writer.inside(&index.to_string(), item, level + 1))
                .collect();
            out.extend(more_items(items.len()));
            out
        })
    }

    fn object(&mut self, object: &Object, level: usize) -> String {
        if object.is_empty() {
            return "{}".to_owned();
        }
        let frame = Frame {
            base: String::new(),
            open: "{".to_owned(),
            close: "}",
            align: None,
        };
        self.framed(frame, level, "[Object]", |writer| {
            writer.properties(object, level + 1)
        })
    }

    fn properties(&mut self, object: &Object, level: usize) -> Vec<String> {
        let entries = object.iter();
        entries
            .map(|(key, value)| {
                let name = key.as_str();
                let value = self.inside(name, value, level);
                if is_identifier(name) {
                    format!("{name}: {value}")
                } else {
                    format!("{}: {value}", self.paint(quoted(name), STRING))
                }
            })
            .collect()
    }

    fn map(&mut self, entries: &[(Value, Value)], level: usize) -> String {
        let open = format!("Map({}) {{", entries.len());
        if entries.is_empty() {
            return open + "}";
        }
        let frame = Frame {
            base: String::new(),
            open,
            close: "}",
            align: None,
        };
        self.framed(frame, level, "[Map]", |writer| {
            let mut out = Vec::new();
            for (index, (key, value)) in entries.iter().take(ITEMS).enumerate() {
                let at = index.to_string();
                let key = writer.inside(&at, key, level + 1);
                out.push(format!("{key} => {}", writer.inside(&at, value, level + 1)));
            }
            out.extend(more_items(entries.len()));
            out
        })
    }

    fn set(&mut self, values: &[Value], level: usize) -> String {
        let open = format!("Set({}) {{", values.len());
        if values.is_empty() {
            return open + "}";
        }
        let frame = Frame {
            base: String::new(),
            open,
            close: "}",
            align: None,
        };
        self.framed(frame, level, "[Set]", |writer| {
            let shown = values.iter().take(ITEMS).enumerate();
            let mut out: Vec<String> = shown
                .map(|(index, value)| writer.inside(&index.to_string(), value, level + 1))
                .collect();
            out.extend(more_items(values.len()));
            out
        })
    }

    fn inside(&mut self, key: &str, value: &Value, level: usize) -> String {
        self.path.push(key.to_owned());
        self.indent += 2;
        let text = self.value(value, level);
        self.indent -= 2;
        self.path.pop();
        text
    }

    /// Writes an object with its entries, on one line where they fit.
    fn framed(
        &mut self,
        mut frame: Frame,
        level: usize,
        name: &str,
        entries: impl FnOnce(&mut Self) -> Vec<String>,
    ) -> String {
        if level > self.depth {
            return self.paint(name, SPECIAL);
        }
        self.deepest = level;
        let entries = entries(self);
        if let Some(number) = self.circular.iter().position(|path| *path == self.path) {
            let reference = self.paint(format!("<ref *{}>", number + 1), SPECIAL);
            if frame.base.is_empty() {
                frame.open = format!("{reference} {}", frame.open);
            } else {
                frame.base = format!("{reference} {}", frame.base);
            }
        }
        self.joined(&frame, entries, level)
    }

    fn joined(&self, frame: &Frame, entries: Vec<String>, level: usize) -> String {
        let count = entries.len();
        let entries = match frame.align {
            Some(align) if count > 6 => self.columns(entries, align),
            _ => entries,
        };
        let base = if frame.base.is_empty() {
            String::new()
        } else {
            format!("{} ", frame.base)
        };
        if self.deepest.saturating_sub(level) < COMPACT
            && entries.len() == count
            && self.fits(frame, &entries)
        {
            return format!(
                "{base}{} {} {}",
                frame.open,
                entries.join(", "),
                frame.close
            );
        }
        let line = format!("\n{}", " ".repeat(self.indent));
        let entries = entries.join(&format!(",{line}  "));
        format!("{base}{}{line}  {entries}{line}{}", frame.open, frame.close)
    }

    fn fits(&self, frame: &Frame, entries: &[String]) -> bool {
        let start = entries.len()
            + self.indent
            + frame.open.chars().count()
            + frame.base.chars().count()
            + 10;
        let total = entries.len() + start + entries.iter().map(|entry| width(entry)).sum::<usize>();
        total <= LINE
            && !frame.base.contains('\n')
            && !entries.iter().any(|entry| entry.contains('\n'))
    }

    /// Puts many short entries of an array into columns; leaves long ones alone.
    fn columns(&self, entries: Vec<String>, align: Align) -> Vec<String> {
        let left_out = entries.len() > ITEMS;
        let shown = if left_out {
            entries.len() - 1
        } else {
            entries.len()
        };
        let widths: Vec<usize> = entries
            .iter()
            .take(shown)
            .map(|entry| width(entry))
            .collect();
        let longest = widths.iter().copied().max().unwrap_or(0);
        let total: usize = widths.iter().map(|width| width + 2).sum();
        let column = longest + 2;
        if column * 3 + self.indent >= LINE || (total as f64 / column as f64 <= 5.0 && longest > 6)
        {
            return entries;
        }
        let bias = (column as f64 - total as f64 / entries.len() as f64)
            .max(0.0)
            .sqrt();
        let biased = (column as f64 - 3.0 - bias).max(1.0);
        // (a character is about two and a half times as high as it is wide: the block should come out square)
        let square = ((2.5 * biased * shown as f64).sqrt() / biased).round() as usize;
        let count = square
            .min((LINE - self.indent) / column)
            .min(COMPACT * 4)
            .min(15);
        if count <= 1 {
            return entries;
        }
        let widest = |first: usize| {
            widths
                .iter()
                .skip(first)
                .step_by(count)
                .copied()
                .max()
                .unwrap_or(0)
                + 2
        };
        let widest: Vec<usize> = (0..count).map(widest).collect();
        let mut lines: Vec<String> = entries[..shown]
            .chunks(count)
            .map(|row| line_of(row, &widest, align))
            .collect();
        if left_out {
            lines.extend(entries.last().cloned());
        }
        lines
    }
}

fn line_of(row: &[String], widest: &[usize], align: Align) -> String {
    let mut line = String::new();
    for (at, (entry, column)) in row.iter().zip(widest).enumerate() {
        let last = at + 1 == row.len();
        let pad = |used: usize, column: usize| " ".repeat(column.saturating_sub(used));
        match (align, last) {
            (Align::Right, false) => line += &(pad(width(entry) + 2, *column) + entry + ", "),
            (Align::Right, true) => line += &(pad(width(entry) + 2, *column) + entry),
            (Align::Left, false) => {
                line += &(entry.clone() + ", " + &pad(width(entry) + 2, *column))
            }
            (Align::Left, true) => line += entry,
        }
    }
    line
}

/// The characters of a text that are seen: what colours it is not.
fn width(text: &str) -> usize {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().chars().count();
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
    first + rest.map(|part| part.chars().count()).sum::<usize>()
}

fn more_items(count: usize) -> Option<String> {
    let rest = count.checked_sub(ITEMS).filter(|rest| *rest > 0)?;
    Some(format!(
        "... {rest} more item{}",
        if rest > 1 { "s" } else { "" }
    ))
}

fn buffer(bytes: &[u8]) -> String {
    let mut out = String::from("<Buffer");
    for byte in bytes.iter().take(BYTES) {
        out += &format!(" {byte:02x}");
    }
    match bytes.len().saturating_sub(BYTES) {
        0 => {}
        1 => out += " ... 1 more byte",
        rest => out += &format!(" ... {rest} more bytes"),
    }
    if bytes.is_empty() {
        out.push(' ');
    }
    out + ">"
}

fn segment(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Key(key) => key.as_str().to_owned(),
        PathSegment::Index(index) => index.to_string(),
        PathSegment::Nested(path) => path.to_string(),
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A text in the quotes that need the least escaping.
fn quoted(text: &str) -> String {
    let quote = match (
        text.contains('\''),
        text.contains('"'),
        text.contains('`') || text.contains("${"),
    ) {
        (true, false, _) => '"',
        (true, true, false) => '`',
        _ => '\'',
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            '\r' => out += "\\r",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            '\\' => out += "\\\\",
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                out += &format!("\\x{:02X}", c as u32)
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::{ErrorValue, Handle, control};

    /// Values in the control protocol's form, and what Node.js 20 writes for them at depth 2.
    const CASES: &[(&str, &str)] = include!("inspect_cases.in");

    #[test]
    fn colours_are_those_of_node() {
        let value = control::decode(
            r#"{"a":[1,2,3,4,5,6,7,8,9,10,100,1000,20000],"b c":{"d":{"e":{"f":{}}}},"s":"it's","t":[true,null],"z":-0.5}"#,
        );
        let Ok(value) = value else {
            panic!("it is no value");
        };
        let expected = [
            "{",
            "  a: [",
            "        ^[33m1^[39m,  ^[33m2^[39m,   ^[33m3^[39m,    ^[33m4^[39m,",
            "        ^[33m5^[39m,  ^[33m6^[39m,   ^[33m7^[39m,    ^[33m8^[39m,",
            "        ^[33m9^[39m, ^[33m10^[39m, ^[33m100^[39m, ^[33m1000^[39m,",
            "    ^[33m20000^[39m",
            "  ],",
            "  ^[32m'b c'^[39m: { d: { e: ^[36m[Object]^[39m } },",
            "  s: ^[32m\"it's\"^[39m,",
            "  t: [ ^[31mtrue^[39m, ^[1mnull^[22m ],",
            "  z: ^[33m-0.5^[39m",
            "}",
        ];
        let got = inspect_with(&value, 2, true).replace('\u{1b}', "^");
        assert_eq!(got, expected.join("\n"));
    }

    #[test]
    fn writes_as_node_does() {
        for (given, expected) in CASES {
            let value = match control::decode(given) {
                Ok(value) => value,
                Err(error) => panic!("{given}: {error:?}"),
            };
            assert_eq!(inspect(&value, 2), *expected, "{given}");
        }
    }

    #[test]
    fn names_what_is_deeper_than_asked() {
        let value = control::decode(r#"{"a":{"b":{"c":{"d":1}}}}"#).unwrap_or_default();
        assert_eq!(inspect(&value, 0), "{ a: [Object] }");
        assert_eq!(inspect(&value, 10), "{\n  a: { b: { c: { d: 1 } } }\n}");
    }

    #[test]
    fn writes_errors_with_their_properties() {
        let error = ErrorValue::new("Error", "boom");
        assert_eq!(inspect(&Value::from(error.clone()), 2), "Error: boom");
        assert_eq!(
            inspect(&Value::from(error.with("code", "E1")), 2),
            "Error: boom { code: 'E1' }"
        );
    }

    #[test]
    fn writes_handles_by_what_flows_can_read() {
        let mut props = Object::new();
        props.insert("method", "GET");
        let handle = Handle::new(
            "http-request",
            Value::Object(props),
            std::sync::Arc::new(()),
        );
        assert_eq!(inspect(&Value::Handle(handle), 2), "{ method: 'GET' }");
    }

    #[test]
    fn cuts_by_utf16_units() {
        assert_eq!(cut("abc", 3), ("abc", false));
        assert_eq!(cut("abcd", 3), ("abc", true));
        assert_eq!(cut("a😀b", 2), ("a", true));
    }
}
