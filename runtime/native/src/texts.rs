//! Functions of texts that are rarely used. `None` is a bail-out.

use crate::ops;
use std::cmp::Ordering;
use vgdc_value::{Value, number};

/// Characters that no function for parts of addresses escapes.
const PLAIN: &[u8] = b"-_.!~*'()";
/// Characters that stand for themselves in whole addresses.
const RESERVED: &[u8] = b";/?:@&=+$,#";

/// `encodeURIComponent`, or with `whole` `encodeURI`.
pub(crate) fn encode(value: &Value, whole: bool) -> Option<Value> {
    let text = ops::to_text(value)?;
    let mut made = String::new();
    for byte in text.as_str()?.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || PLAIN.contains(&byte)
            || whole && RESERVED.contains(&byte);
        match plain {
            true => made.push(char::from(byte)),
            false => made.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(Value::from(made))
}

/// `decodeURIComponent`, or with `whole` `decodeURI`. What is badly written is an exception.
pub(crate) fn decode(value: &Value, whole: bool) -> Option<Value> {
    let text = ops::to_text(value)?;
    let mut bytes = Vec::new();
    let mut rest = text.as_str()?.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = more;
            continue;
        }
        let digits = std::str::from_utf8(more.get(..2)?).ok()?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        match whole && RESERVED.contains(&byte) {
            true => bytes.extend_from_slice(&rest[..3]),
            false => bytes.push(byte),
        }
        rest = &more[2..];
    }
    String::from_utf8(bytes).ok().map(Value::from)
}

/// `String.fromCharCode`. Halves of pairs are left to the engine.
pub(crate) fn of_units(args: &[Value]) -> Option<Value> {
    let mut units = Vec::with_capacity(args.len());
    for arg in args {
        units.push(number::to_uint32(ops::to_number(arg)?) as u16);
    }
    String::from_utf16(&units).ok().map(Value::from)
}

/// What `console.log` writes, of primitives.
pub(crate) fn console(args: &[Value]) -> Option<Value> {
    let mut made = String::new();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            made.push(' ');
        }
        match arg {
            // (it says how the others are to be written)
            Value::Str(text) if at == 0 && args.len() > 1 && text.contains('%') => return None,
            Value::Number(n) if *n == 0.0 && n.is_sign_negative() => made.push_str("-0"),
            Value::Str(_) | Value::Number(_) | Value::Bool(_) | Value::Undefined | Value::Null => {
                made.push_str(&arg.to_js_string());
            }
            _ => return None,
        }
    }
    Some(Value::from(made))
}

/// The order of two texts by their UTF-16 units.
pub(crate) fn by_units(a: &str, b: &str) -> Ordering {
    match a.is_ascii() && b.is_ascii() {
        true => a.cmp(b),
        false => a.encode_utf16().cmp(b.encode_utf16()),
    }
}

/// `a.localeCompare(b)`, of texts of ASCII: signs before digits before letters, small letters before large ones.
pub(crate) fn by_locale(a: &str, b: &str) -> Option<Ordering> {
    if !a.is_ascii() || !b.is_ascii() {
        return None;
    }
    let rank = |byte: u8| match byte {
        b' ' | b'\t'..=b'\r' => 0,
        b'$' | b'+' | b'<' | b'=' | b'>' | b'^' | b'`' | b'|' | b'~' => 2,
        b'0'..=b'9' => 3,
        other if other.is_ascii_punctuation() => 1,
        _ => 4,
    };
    let key = |byte: u8| (rank(byte), byte.to_ascii_lowercase());
    let order = a.bytes().map(key).cmp(b.bytes().map(key));
    if order != Ordering::Equal {
        return Some(order);
    }
    let differing = a.bytes().zip(b.bytes()).find(|(a, b)| a != b);
    Some(match differing {
        Some((a, _)) if a.is_ascii_lowercase() => Ordering::Less,
        Some(_) => Ordering::Greater,
        None => Ordering::Equal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_addresses_are_escaped_and_read() {
        let text = Value::from("ä b&c=%");
        let encoded = encode(&text, false).expect("a text");
        assert_eq!(encoded.as_str(), Some("%C3%A4%20b%26c%3D%25"));
        assert_eq!(decode(&encoded, false), Some(text));
        assert_eq!(
            decode(&Value::from("%26a"), true),
            Some(Value::from("%26a"))
        );
        assert_eq!(decode(&Value::from("%C3"), false), None);
        assert_eq!(decode(&Value::from("%x1"), false), None);
    }

    #[test]
    fn the_order_of_dictionaries() {
        let mut words = ["b", "a", "B", "A1", "_", "a b", "a1", "1"];
        words.sort_by(|a, b| by_locale(a, b).expect("ASCII"));
        assert_eq!(words, ["_", "1", "a", "a b", "a1", "A1", "b", "B"]);
        assert_eq!(by_locale("ä", "a"), None);
    }

    #[test]
    fn a_console_writes_primitives() {
        let shown = |args: &[Value]| console(args).map(|text| text.to_js_string());
        assert_eq!(
            shown(&[Value::from("a"), Value::from(-0.0), Value::Null]).as_deref(),
            Some("a -0 null")
        );
        assert_eq!(shown(&[Value::from("%d"), Value::from(1)]), None);
    }
}
