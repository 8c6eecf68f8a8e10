//! What the nodes share: delimiters as the form writes them, and the errors that JavaScript has for values of no use.

use vgdc_core::NodeError;
use vgdc_core::value::{ErrorValue, Value, number};

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

/// A `TypeError` of JavaScript.
pub fn type_error(why: impl Into<String>) -> NodeError {
    NodeError::from_value(ErrorValue::new("TypeError", why.into()).into())
}

/// What Node.js says of an argument whose type it has no use for.
pub fn wrong_type(why: impl Into<String>) -> NodeError {
    let error = ErrorValue::new("TypeError", why.into());
    NodeError::from_value(error.with("code", "ERR_INVALID_ARG_TYPE").into())
}

/// JavaScript's `parseInt` without a radix.
pub fn parse_int(text: &str) -> f64 {
    let text = text.trim_start_matches(number::is_js_space);
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) if text.starts_with('-') => (-1.0, rest),
        Some(rest) => (1.0, rest),
        None => (1.0, text),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (radix, digits) = hex.map_or((10, digits), |digits| (16, digits));
    let mut values = digits.chars().map_while(|c| c.to_digit(radix));
    let Some(first) = values.next() else {
        return f64::NAN;
    };
    let add = |whole: f64, digit: u32| whole * f64::from(radix) + f64::from(digit);
    sign * values.fold(f64::from(first), add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_at_the_beginning_of_a_text() {
        for (text, expected) in [
            ("7", 7.0),
            (" -12.9x", -12.0),
            ("+1e3", 1.0),
            ("0x1fg", 31.0),
        ] {
            assert_eq!(parse_int(text), expected, "{text}");
        }
        for text in ["", "x", "-", "0x", "null"] {
            assert!(parse_int(text).is_nan(), "{text}");
        }
    }
}
