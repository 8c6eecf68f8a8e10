//! What V8 (of Node.js 22) says about a text that is no JSON.

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What V8 says.
    pub message: String,
    /// The byte of the text where it went wrong.
    pub position: usize,
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

/// What was expected or wrong, as V8 puts it before "in JSON at position …".
pub(super) mod what {
    pub(crate) const NAME_OR_BRACE: &str = "Expected property name or '}' in JSON";
    pub(crate) const QUOTED_NAME: &str = "Expected double-quoted property name in JSON";
    pub(crate) const COLON: &str = "Expected ':' after property name in JSON";
    pub(crate) const COMMA_OR_BRACE: &str = "Expected ',' or '}' after property value in JSON";
    pub(crate) const COMMA_OR_BRACKET: &str = "Expected ',' or ']' after array element in JSON";
    pub(crate) const AFTER: &str = "Unexpected non-whitespace character after JSON";
    pub(crate) const NUMBER: &str = "Unexpected number in JSON";
    pub(crate) const STRING: &str = "Unexpected string in JSON";
    pub(crate) const MINUS: &str = "No number after minus sign in JSON";
    pub(crate) const FRACTION: &str = "Unterminated fractional number in JSON";
    pub(crate) const EXPONENT: &str = "Exponent part is missing a number in JSON";
    pub(crate) const UNTERMINATED: &str = "Unterminated string in JSON";
    pub(crate) const CONTROL: &str = "Bad control character in string literal in JSON";
    pub(crate) const ESCAPE: &str = "Bad escaped character in JSON";
    pub(crate) const UNICODE: &str = "Bad Unicode escape in JSON";
}

/// How many units V8 shows on each side of a wrong character.
const AROUND: usize = 10;

/// Something was expected or is wrong at a place.
#[cold]
pub(super) fn at(text: &str, position: usize, what: &str) -> JsonError {
    let before = text.get(..position).unwrap_or(text);
    let units = before.encode_utf16().count();
    let (line, column) = line_and_column(before);
    JsonError {
        message: format!("{what} at position {units} (line {line} column {column})"),
        position,
    }
}

/// Lines end with `\n`, `\r` or both. Columns count UTF-16 units from 1.
fn line_and_column(before: &str) -> (usize, usize) {
    let bytes = before.as_bytes();
    let ends = |at: &usize| match bytes[*at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    let lines = (0..bytes.len()).filter(ends).count();
    let start = (0..bytes.len()).rev().find(ends).map_or(0, |end| end + 1);
    (lines + 1, before[start..].encode_utf16().count() + 1)
}

/// A character that cannot be there, or the end.
#[cold]
pub(super) fn unexpected(text: &str, position: usize) -> JsonError {
    let error = |message: String| JsonError { message, position };
    if position >= text.len() {
        return error("Unexpected end of JSON input".to_owned());
    }
    if matches!(text, "undefined" | "NaN" | "Infinity" | "[object Object]") {
        return error(format!("\"{text}\" is not valid JSON"));
    }
    match text.as_bytes()[position] {
        b'0'..=b'9' | b'-' => return at(text, position, what::NUMBER),
        b'"' => return at(text, position, what::STRING),
        _ => {}
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let unit = text
        .get(..position)
        .map_or(0, |before| before.encode_utf16().count());
    let shown = |from: usize, to: usize| String::from_utf16_lossy(&units[from..to]);
    let token = shown(unit, unit + 1);
    let context = match units.len() {
        length if length <= 2 * AROUND => format!("\"{text}\""),
        _ if unit < AROUND => format!("\"{}\"...", shown(0, unit + AROUND)),
        length if unit < length - AROUND => {
            format!("...\"{}\"...", shown(unit - AROUND, unit + AROUND))
        }
        length => format!("...\"{}\"", shown(unit - AROUND, length)),
    };
    error(format!(
        "Unexpected token '{token}', {context} is not valid JSON"
    ))
}
