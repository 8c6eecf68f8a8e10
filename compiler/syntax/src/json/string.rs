//! JSON strings: decoding, and the way from a place in the decoded text back to the place in the file.

use std::borrow::Cow;

/// Decodes a JSON string literal, quotes and all.
///
/// A fault that the reader has reported before (a bad escape, half of a surrogate pair, a missing quote) gives the nearest
/// sensible character, `U+FFFD` for half of a pair, which Rust's strings cannot hold.
pub fn decode(literal: &str) -> Cow<'_, str> {
    let inner = inner(literal);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (decoded, used) = escape(&rest[at..]);
        out.push(decoded);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Maps bytes of a decoded string to bytes of its literal.
///
/// Made for one literal; each look-up is a binary search over its escapes.
#[derive(Clone, Debug)]
pub struct DecodedMap {
    /// For each escape: (offset after it in the decoded text, offset after it in the literal).
    after: Vec<(u32, u32)>,
    /// For each escape: its first byte in the decoded text.
    before: Vec<u32>,
    /// Bytes of the opening quote.
    quote: u32,
    /// Length of the literal without its closing quote.
    end: u32,
}

impl DecodedMap {
    /// The map of a literal, quotes and all.
    pub fn new(literal: &str) -> DecodedMap {
        let inner = inner(literal);
        let quote = u32::from(literal.starts_with('"'));
        let (mut after, mut before) = (Vec::new(), Vec::new());
        let (mut decoded, mut raw) = (0u32, 0usize);
        while let Some(at) = inner[raw..].find('\\') {
            decoded += at as u32;
            before.push(decoded);
            let (character, used) = escape(&inner[raw + at..]);
            decoded += character.len_utf8() as u32;
            raw += at + used;
            after.push((decoded, raw as u32));
        }
        DecodedMap {
            after,
            before,
            quote,
            end: quote + inner.len() as u32,
        }
    }

    /// The offset in the literal of the byte `decoded` of the decoded text. Inside the character that an escape stands for,
    /// it is the beginning of the escape. Past the end, it is the closing quote.
    pub fn to_literal(&self, decoded: u32) -> u32 {
        let escapes = self.after.partition_point(|&(end, _)| end <= decoded);
        let (decoded_base, raw_base) = match escapes.checked_sub(1) {
            Some(last) => self.after[last],
            None => (0, 0),
        };
        let inside = self
            .before
            .get(escapes)
            .map_or(decoded, |&start| decoded.min(start));
        (self.quote + raw_base + (inside - decoded_base)).min(self.end)
    }
}

/// The text between the quotes; the closing one may be missing.
fn inner(literal: &str) -> &str {
    let inner = literal.strip_prefix('"').unwrap_or(literal);
    match inner.strip_suffix('"') {
        Some(closed) if !ends_escaped(closed) => closed,
        _ => inner,
    }
}

/// Whether the text ends in an odd number of backslashes, so that a following quote would not close the string.
fn ends_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|&b| b == b'\\').count() % 2 == 1
}

/// Decodes the escape at the beginning of `text`: the character and how many bytes it takes.
fn escape(text: &str) -> (char, usize) {
    let bytes = text.as_bytes();
    let simple = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode_escape(bytes),
        // A quote, a backslash and a slash stand for themselves; so does what is no escape at all.
        Some(_) => {
            return text[1..]
                .chars()
                .next()
                .map_or(('\\', 1), |c| (c, 1 + c.len_utf8()));
        }
        None => return ('\\', 1),
    };
    (simple, 2)
}

/// Decodes `\uXXXX`, or a pair of them.
fn unicode_escape(bytes: &[u8]) -> (char, usize) {
    let Some(first) = hex4(bytes, 2) else {
        return ('u', 2);
    };
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    let low = match bytes.get(6..8) {
        Some(b"\\u") if first < 0xDC00 => hex4(bytes, 8),
        _ => None,
    };
    if let Some(second @ 0xDC00..0xE000) = low {
        let joined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (
            char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER),
            12,
        );
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

/// The value of the four hexadecimal digits at `at`.
pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &b| {
        Some(value * 16 + char::from(b).to_digit(16)?)
    })
}

/// Writes a JSON string literal as `JSON.stringify` does.
pub(crate) fn encode_into(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode(r#""plain""#), "plain");
        assert_eq!(decode(r#""a\nb\t\"\\\/""#), "a\nb\t\"\\/");
        assert_eq!(decode(r#""\u00e9\ud83d\ude00""#), "é😀");
        assert_eq!(decode(r#""\ud83d!""#), "\u{fffd}!");
        assert_eq!(decode(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
    }

    #[test]
    fn faulty_literals_decode_to_something() {
        assert_eq!(decode(r#""open"#), "open");
        assert_eq!(decode(r#""open\"#), "open\\");
        assert_eq!(decode(r#""open\""#), "open\"");
        assert_eq!(decode(r#""\x41 \u12""#), "x41 u12");
        assert_eq!(decode("\""), "");
        assert_eq!(decode(""), "");
    }

    #[test]
    fn decoded_offsets_lead_back_to_the_literal() {
        let literal = r#""a\nb\u00e9c😀\ud83d\ude00d""#;
        let decoded = decode(literal).into_owned();
        let map = DecodedMap::new(literal);
        let at = |needle: &str| map.to_literal(decoded.find(needle).unwrap() as u32) as usize;
        assert!(literal[at("a")..].starts_with('a'));
        assert!(literal[at("\n")..].starts_with("\\n"));
        assert!(literal[at("b")..].starts_with('b'));
        assert!(literal[at("é")..].starts_with("\\u00e9"));
        assert!(literal[at("c")..].starts_with('c'));
        assert!(literal[at("d")..].starts_with('d'));
        let second = decoded.rfind('😀').unwrap() as u32;
        for inside in second..second + 4 {
            assert!(literal[map.to_literal(inside) as usize..].starts_with("\\ud83d"));
        }
        assert_eq!(
            map.to_literal(decoded.len() as u32) as usize,
            literal.len() - 1
        );
        assert_eq!(map.to_literal(9999) as usize, literal.len() - 1);
    }

    #[test]
    fn strings_are_written_as_javascript_writes_them() {
        let mut out = String::new();
        encode_into(&mut out, "a\"\\\n\u{1}é\u{7f}");
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001é\u{7f}\"");
    }
}
