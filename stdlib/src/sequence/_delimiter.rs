//! What split and join share: delimiters as the form writes them.

use vgdc_core::value::{Value, number};

/// The escapes that a delimiter may hold, as Node-RED's split and join read them (`\\e` is the letter, as there).
pub fn unescape(text: &str) -> String {
    let mut out = text.to_owned();
    for (escape, with) in [
        ("\\n", "\n"),
        ("\\r", "\r"),
        ("\\t", "\t"),
        ("\\e", "e"),
        ("\\f", "\u{c}"),
        ("\\0", "\0"),
    ] {
        out = out.replace(escape, with);
    }
    out
}

/// An array of numbers as bytes, as `Buffer.from` reads it.
pub fn bytes_of(items: &[Value]) -> Vec<u8> {
    items
        .iter()
        .map(|b| number::to_int32(b.to_number()) as u8)
        .collect()
}
