//! JSON as JavaScript reads and writes it. The messages of errors are those of Node.js 22.

use crate::{Array, ErrorValue, Key, Object, Rare, Value, date, number};

/// How deep values may be nested.
pub const MAX_DEPTH: usize = 512;

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What V8 says.
    pub message: String,
    /// The byte where it went wrong.
    pub position: usize,
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

/// `JSON.parse`.
///
/// # Errors
/// The text is no JSON, or nested deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
    };
    parser.space();
    let value = parser.value(0)?;
    parser.space();
    if parser.at < parser.bytes.len() {
        let at = parser.at;
        let message = format!(
            "Unexpected non-whitespace character after JSON at position {}",
            parser.units(at)
        );
        return Err(JsonError {
            message: parser.placed(message, at),
            position: at,
        });
    }
    Ok(value)
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The position in UTF-16 units, as JavaScript counts.
    fn units(&self, at: usize) -> usize {
        self.text
            .get(..at)
            .map_or(at, |before| before.encode_utf16().count())
    }

    fn placed(&self, message: String, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .encode_utf16()
            .count()
            + 1;
        format!("{message} (line {line} column {column})")
    }

    fn unexpected(&self) -> JsonError {
        let at = self.at;
        let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else {
            return JsonError {
                message: "Unexpected end of JSON input".to_owned(),
                position: at,
            };
        };
        // V8 shows the whole text when it is short, else a piece around the place.
        let length = self.text.encode_utf16().count();
        let chars: Vec<char> = self.text.chars().collect();
        let place = self.text[..at].chars().count();
        let around = 10;
        let shown = if length <= 40 {
            format!("\"{}\"", self.text)
        } else {
            let from = place.saturating_sub(around);
            let to = (place + around).min(chars.len());
            let piece: String = chars[from..to].iter().collect();
            let dots = |more: bool| if more { "..." } else { "" };
            format!("{}\"{piece}\"{} ", dots(from > 0), dots(to < chars.len()))
                .trim_end()
                .to_owned()
        };
        JsonError {
            message: format!("Unexpected token '{c}', {shown} is not valid JSON"),
            position: at,
        }
    }

    fn said(&self, what: &str) -> JsonError {
        let message = format!("{what} in JSON at position {}", self.units(self.at));
        JsonError {
            message: self.placed(message, self.at),
            position: self.at,
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            let message = format!(
                "JSON is nested deeper than {MAX_DEPTH} levels at position {}",
                self.units(self.at)
            );
            return Err(JsonError {
                message,
                position: self.at,
            });
        }
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::from),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for expected in word.bytes() {
            if self.bytes.get(self.at) != Some(&expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            let before = parser.at;
            while matches!(parser.bytes.get(parser.at), Some(b'0'..=b'9')) {
                parser.at += 1;
            }
            parser.at > before
        };
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => drop(digits(self)),
            _ => return Err(self.said("No number after minus sign")),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !digits(self) {
                return Err(self.said("Unterminated fractional number"));
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !digits(self) {
                return Err(self.said("Exponent part is missing a number"));
            }
        }
        Ok(Value::Number(
            self.text[start..self.at].parse().unwrap_or(f64::NAN),
        ))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let start = self.at;
        // The common case: no escape.
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let text = self.text[start..self.at].to_owned();
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => break,
                Some(0..=0x1f) => return Err(self.said("Bad control character in string literal")),
                Some(_) => self.at += 1,
                None => return Err(self.unterminated()),
            }
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            let from = self.at;
            while matches!(self.bytes.get(self.at), Some(b) if *b != b'"' && *b != b'\\' && *b >= 0x20)
            {
                self.at += 1;
            }
            text.push_str(&self.text[from..self.at]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    text.push(c);
                }
                Some(_) => return Err(self.said("Bad control character in string literal")),
                None => return Err(self.unterminated()),
            }
        }
    }

    fn unterminated(&self) -> JsonError {
        let message = format!(
            "Unterminated string in JSON at position {}",
            self.units(self.at)
        );
        JsonError {
            message: self.placed(message, self.at),
            position: self.at,
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let c = match self.bytes.get(self.at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex4()?;
                if !(0xd800..0xdc00).contains(&unit)
                    || self.text.get(self.at..self.at + 2) != Some("\\u")
                {
                    return Ok(char::from_u32(unit).unwrap_or('\u{fffd}'));
                }
                let before = self.at;
                self.at += 2;
                let low = self.hex4()?;
                if (0xdc00..0xe000).contains(&low) {
                    return Ok(
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                            .unwrap_or('\u{fffd}'),
                    );
                }
                self.at = before;
                return Ok('\u{fffd}');
            }
            _ => return Err(self.said("Bad escaped character")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(self.said("Bad Unicode escape")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        self.space();
        let mut items = Vec::new();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Value::Array(Array::new()));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::from(items));
                }
                _ => return Err(self.said("Expected ',' or ']' after array element")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        self.space();
        let mut object = Object::new();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(Value::Object(object));
        }
        let mut first = true;
        loop {
            self.space();
            if self.bytes.get(self.at) != Some(&b'"') {
                let what = if first {
                    "Expected property name or '}'"
                } else {
                    "Expected double-quoted property name"
                };
                return Err(self.said(what));
            }
            first = false;
            let key = self.string()?;
            self.space();
            if self.bytes.get(self.at) != Some(&b':') {
                return Err(self.said("Expected ':' after property name"));
            }
            self.at += 1;
            self.space();
            let value = self.value(depth + 1)?;
            object.insert(Key::from(key.as_str()), value);
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(object));
                }
                _ => return Err(self.said("Expected ',' or '}' after property value")),
            }
        }
    }
}

/// `JSON.stringify`, with this many spaces of indentation (10 at most). `None`: the value has no JSON (`undefined`).
///
/// # Errors
/// What JavaScript throws: a big integer, a circular structure.
pub fn stringify(value: &Value, indent: usize) -> Result<Option<String>, ErrorValue> {
    let mut out = String::new();
    let written = write(&mut out, value, &" ".repeat(indent.min(10)), 0)?;
    Ok(written.then_some(out))
}

/// A text in quotes, as JSON has it.
pub fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            8 => "\\b",
            12 => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

fn write(out: &mut String, value: &Value, indent: &str, depth: usize) -> Result<bool, ErrorValue> {
    match value {
        Value::Undefined => return Ok(false),
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) if n.is_finite() => out.push_str(&number::to_js_string(*n)),
        Value::Number(_) => out.push_str("null"),
        Value::Str(text) => quote_into(out, text),
        Value::Date(ms) => match date::iso(*ms) {
            Some(text) => quote_into(out, &text),
            None => out.push_str("null"),
        },
        Value::Buffer(bytes) => {
            let data: Array = bytes
                .iter()
                .map(|byte| Value::from(f64::from(*byte)))
                .collect();
            let object: Object = [
                ("type", Value::from("Buffer")),
                ("data", Value::Array(data)),
            ]
            .into_iter()
            .collect();
            write_object(out, &object, indent, depth)?;
        }
        Value::Array(items) => {
            if items.is_empty() {
                out.push_str("[]");
                return Ok(true);
            }
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, indent, depth + 1);
                if !write(out, item, indent, depth + 1)? {
                    out.push_str("null");
                }
            }
            line(out, indent, depth);
            out.push(']');
        }
        Value::Object(object) => write_object(out, object, indent, depth)?,
        Value::Handle(handle) => match handle.kind() {
            "function" | "symbol" => return Ok(false),
            _ => match handle.props() {
                Value::Object(props) => write_object(out, props, indent, depth)?,
                _ => out.push_str("{}"),
            },
        },
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(_) => {
                return Err(ErrorValue::new(
                    "TypeError",
                    "Do not know how to serialize a BigInt",
                ));
            }
            Rare::Circular(_) => {
                return Err(ErrorValue::new(
                    "TypeError",
                    "Converting circular structure to JSON",
                ));
            }
            Rare::Error(error) => write_object(out, &error.properties, indent, depth)?,
            Rare::RegExp { .. } | Rare::Map(_) | Rare::Set(_) => out.push_str("{}"),
        },
    }
    Ok(true)
}

fn line(out: &mut String, indent: &str, depth: usize) {
    if !indent.is_empty() {
        out.push('\n');
        for _ in 0..depth {
            out.push_str(indent);
        }
    }
}

fn write_object(
    out: &mut String,
    object: &Object,
    indent: &str,
    depth: usize,
) -> Result<(), ErrorValue> {
    out.push('{');
    let mut any = false;
    for (key, value) in object.iter() {
        let before = out.len();
        if any {
            out.push(',');
        }
        line(out, indent, depth + 1);
        quote_into(out, key.as_str());
        out.push(':');
        if !indent.is_empty() {
            out.push(' ');
        }
        if write(out, value, indent, depth + 1)? {
            any = true;
        } else {
            out.truncate(before);
        }
    }
    if any {
        line(out, indent, depth);
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_v8s() {
        for (text, message) in [
            ("", "Unexpected end of JSON input"),
            (
                "{",
                "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
            ),
            ("abc", "Unexpected token 'a', \"abc\" is not valid JSON"),
            (
                "{\"a\" 1}",
                "Expected ':' after property name in JSON at position 5 (line 1 column 6)",
            ),
            (
                "[1 2]",
                "Expected ',' or ']' after array element in JSON at position 3 (line 1 column 4)",
            ),
            (
                "{}x",
                "Unexpected non-whitespace character after JSON at position 2 (line 1 column 3)",
            ),
            (
                "\"ab",
                "Unterminated string in JSON at position 3 (line 1 column 4)",
            ),
        ] {
            assert_eq!(
                parse(text).map_err(|e| e.message),
                Err(message.to_owned()),
                "{text}"
            );
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn values_come_and_go() {
        let text = r#"{"2":1,"a":[1,2.5,"x\n\u00e9\ud83d\ude00",true,null,{}],"b":{"c":-0.5}}"#;
        let value = parse(text).expect("parses");
        let compact = stringify(&value, 0).expect("writes").expect("has JSON");
        assert_eq!(
            compact,
            "{\"2\":1,\"a\":[1,2.5,\"x\\né😀\",true,null,{}],\"b\":{\"c\":-0.5}}"
        );
        assert_eq!(
            stringify(&parse("{\"a\":[1]}").expect("parses"), 4)
                .expect("writes")
                .as_deref(),
            Some("{\n    \"a\": [\n        1\n    ]\n}")
        );
        let buffer = Value::from(vec![1u8, 2]);
        assert_eq!(
            stringify(&buffer, 0).expect("writes").as_deref(),
            Some("{\"type\":\"Buffer\",\"data\":[1,2]}")
        );
        assert_eq!(stringify(&Value::Undefined, 0).expect("writes"), None);
    }
}
