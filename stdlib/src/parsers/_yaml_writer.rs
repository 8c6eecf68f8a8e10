//! Writes YAML as js-yaml 4 does: block style, two spaces, lines folded at 80 columns, texts quoted where they would be read
//! as something else.

use super::yaml_types;
use vgdc_core::value::{Object, Rare, Value, date, number};

/// The value cannot be written: there are no words for it in YAML.
#[derive(Debug, PartialEq)]
pub struct Unwritable;

/// How deep what is written may be nested.
const DEEPEST: usize = 2_000;
/// The width of lines, as far as texts can be folded to it.
const WIDTH: usize = 80;
/// No text is folded to less than this.
const LEAST_WIDTH: usize = 40;
/// Keys that are longer get a line of their own.
const LONGEST_KEY: usize = 1024;

/// A value as a document. What an object has several times is written as often.
///
/// # Errors
/// Something in it cannot be written.
pub fn dump(value: &Value) -> Result<String, Unwritable> {
    let mut text = node(value, 0, true)?.unwrap_or_else(|| "null".to_owned());
    text.push('\n');
    Ok(text)
}

/// A node; `None` for undefined. A `compact` collection begins on the line that it stands on.
fn node(value: &Value, level: usize, compact: bool) -> Result<Option<String>, Unwritable> {
    if level > DEEPEST {
        return Err(Unwritable);
    }
    let text = match value {
        Value::Undefined => return Ok(None),
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => of_number(*n),
        Value::Date(ms) => date::iso(*ms).ok_or(Unwritable)?,
        Value::Str(text) => scalar(text, level, false),
        Value::Buffer(bytes) => format!("!!binary {}", scalar(&base64(bytes), level, false)),
        Value::Array(items) => sequence(items, level, compact)?,
        Value::Object(object) => mapping(object, level, compact)?,
        Value::Handle(_) => return Err(Unwritable),
        Value::Rare(rare) => match **rare {
            Rare::BigInt(_) | Rare::RegExp { .. } | Rare::Map(_) | Rare::Set(_) => {
                return Err(Unwritable);
            }
            Rare::Error(_) | Rare::Circular(_) => return Err(Unwritable),
        },
    };
    Ok(Some(text))
}

fn new_line(level: usize) -> String {
    format!("\n{}", "  ".repeat(level))
}

/// What is behind a sign: on the same line, unless it begins a line of its own.
fn behind(sign: &str, text: &str) -> String {
    let gap = if text.starts_with('\n') { "" } else { " " };
    format!("{sign}{gap}{text}")
}

fn sequence(items: &[Value], level: usize, compact: bool) -> Result<String, Unwritable> {
    let mut out = String::new();
    for item in items {
        let text = node(item, level + 1, true)?.unwrap_or_else(|| "null".to_owned());
        if !compact || !out.is_empty() {
            out.push_str(&new_line(level));
        }
        out.push_str(&behind("-", &text));
    }
    Ok(if out.is_empty() { "[]".to_owned() } else { out })
}

fn mapping(object: &Object, level: usize, compact: bool) -> Result<String, Unwritable> {
    let mut out = String::new();
    for (key, value) in object.iter() {
        let key = scalar(key.as_str(), level + 1, true);
        let long = key.encode_utf16().count() > LONGEST_KEY;
        let Some(text) = node(value, level + 1, long)? else {
            continue;
        };
        if !compact || !out.is_empty() {
            out.push_str(&new_line(level));
        }
        if long {
            out.push_str(&behind("?", &key));
            out.push_str(&new_line(level));
        } else {
            out.push_str(&key);
        }
        out.push_str(&behind(":", &text));
    }
    Ok(if out.is_empty() { "{}".to_owned() } else { out })
}

fn of_number(n: f64) -> String {
    if n.is_nan() {
        return ".nan".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if n == 0.0 && n.is_sign_negative() {
        return "-0.0".to_owned();
    }
    let text = number::to_js_string(n);
    // (YAML wants a point in a number with an exponent)
    match text.split_once('e') {
        Some((digits, exponent)) if n % 1.0 != 0.0 && !digits.contains('.') => {
            format!("{digits}.e{exponent}")
        }
        _ => text,
    }
}

/// Base64; nothing is written as three zero bytes, as js-yaml has it.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    if bytes.is_empty() {
        return "AAAA".to_owned();
    }
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

fn scalar(text: &str, level: usize, key: bool) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    // (what YAML 1.1 reads as a truth value or a time)
    if is_old_bool(text) || is_old_time(text) {
        return format!("'{text}'");
    }
    let indent = 2 * level.max(1);
    let width = LEAST_WIDTH.max(WIDTH.saturating_sub(indent));
    let units: Vec<u16> = text.encode_utf16().collect();
    match style(text, &units, key, width) {
        Style::Plain => text.to_owned(),
        Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double => format!("\"{}\"", escaped(text)),
        Style::Literal => format!("|{}{}", header(text), indented(text, indent)),
        Style::Folded => {
            let folded = folded(&units, width);
            let folded = String::from_utf16_lossy(&folded);
            format!(">{}{}", header(text), indented(&folded, indent))
        }
    }
}

fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// Numbers between colons: sexagesimal.
fn is_old_time(text: &str) -> bool {
    let digits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (front, fraction) = match text.split_once('.') {
        Some((front, fraction)) => (front, fraction),
        None => (text, ""),
    };
    front.contains(':') && front.split(':').all(digits) && (fraction.is_empty() || digits(fraction))
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn is_plain(c: char, before: Option<char>) -> bool {
    let behind_colon = before == Some(':');
    let is_text = is_printable(c) && c != ' ';
    let allowed = is_printable(c) && c != '#' && (!behind_colon || is_text);
    let hash = c == '#' && before.is_some_and(|before| is_printable(before) && before != ' ');
    allowed || hash || behind_colon && is_text
}

fn style(text: &str, units: &[u16], one_line: bool, width: usize) -> Style {
    const SIGNS: &str = "-?:,[]{}#&*!|=>'\"%@`";
    let first = text.chars().next().unwrap_or(' ');
    let last = text.chars().next_back().unwrap_or(' ');
    let mut plain = is_printable(first) && first != ' ' && !SIGNS.contains(first);
    plain = plain && !matches!(last, ' ' | '\t' | ':');
    let mut before = None;
    for c in text.chars() {
        if !is_printable(c) && (one_line || c != '\n') {
            return Style::Double;
        }
        plain = plain && is_plain(c, before);
        before = Some(c);
    }
    if !one_line {
        let lines = || units.split(|c| *c == u16::from(b'\n'));
        // (a line that is indented is not folded)
        let long = |line: &[u16]| line.len() > width && line[0] != u16::from(b' ');
        if lines().any(long) {
            return Style::Folded;
        }
        if lines().count() > 1 {
            return Style::Literal;
        }
    }
    match plain && yaml_types::implicit(text).is_none() {
        true => Style::Plain,
        false => Style::Single,
    }
}

/// What stands behind the sign of a block: how far it is indented, where that does not show, and what to do with its end.
fn header(text: &str) -> String {
    let indicator = match text.trim_start_matches('\n').starts_with(' ') {
        true => "2",
        false => "",
    };
    let chomping = match (text.ends_with('\n'), text.ends_with("\n\n") || text == "\n") {
        (_, true) => "+",
        (true, false) => "",
        (false, false) => "-",
    };
    format!("{indicator}{chomping}\n")
}

/// Every line that has something indented, without the last line break.
fn indented(text: &str, spaces: usize) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line != "\n" {
            out.push_str(&" ".repeat(spaces));
        }
        out.push_str(line);
    }
    if out.ends_with('\n') {
        out.pop();
    }
    out
}

/// Lines broken at spaces, and a line break more where one stood.
fn folded(text: &[u16], width: usize) -> Vec<u16> {
    let (space, line_break) = (u16::from(b' '), u16::from(b'\n'));
    let mut lines = text.split(|c| *c == line_break);
    let mut out = Vec::new();
    folded_line(lines.next().unwrap_or_default(), width, &mut out);
    let mut deeper_before = text[0] == line_break || text[0] == space;
    // (a run of line breaks belongs together, with the line behind it)
    let mut breaks = 0;
    let mut left = lines.clone().count();
    for line in lines {
        breaks += 1;
        left -= 1;
        if line.is_empty() && left > 0 {
            continue;
        }
        let deeper = line.first() == Some(&space);
        let more = usize::from(!deeper_before && !deeper && !line.is_empty());
        out.extend(std::iter::repeat_n(line_break, breaks + more));
        folded_line(line, width, &mut out);
        deeper_before = deeper;
        breaks = 0;
    }
    out
}

fn folded_line(line: &[u16], width: usize, out: &mut Vec<u16>) {
    let space = u16::from(b' ');
    if line.first().is_none_or(|first| *first == space) {
        out.extend_from_slice(line);
        return;
    }
    let (mut start, mut last) = (0, 0);
    let broken = |out: &mut Vec<u16>, piece: &[u16], more: bool| {
        out.extend_from_slice(piece);
        if more {
            out.push(u16::from(b'\n'));
        }
    };
    // (a line must not begin with a space; of a match, the search goes on behind both characters)
    let mut at = 0;
    while at + 1 < line.len() {
        if line[at] != space || line[at + 1] == space {
            at += 1;
            continue;
        }
        if at - start > width {
            let end = if last > start { last } else { at };
            broken(out, &line[start..end], true);
            start = end + 1;
        }
        last = at;
        at += 2;
    }
    if line.len() - start > width && last > start {
        broken(out, &line[start..last], true);
        broken(out, &line[last + 1..], false);
    } else {
        broken(out, &line[start..], false);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out
}
