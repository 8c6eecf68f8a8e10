//! What scalars of a YAML text stand for: YAML 1.2's core schema with timestamps, merge keys and binary data, as js-yaml 4
//! reads it (which also takes `0b101` and sexagesimal hours for what they look like).

use base64::Engine as _;
use vgdc_core::value::{Object, Value, date, number};

/// The kinds of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text, or what it stands for.
    Scalar,
    /// A list.
    Sequence,
    /// Names and values.
    Mapping,
}

impl Kind {
    /// The word for it in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Scalar => "scalar",
            Kind::Sequence => "sequence",
            Kind::Mapping => "mapping",
        }
    }
}

/// What tags of YAML itself begin with.
pub const YAML: &str = "tag:yaml.org,2002:";
/// The tag of `<<`.
pub const MERGE: &str = "tag:yaml.org,2002:merge";

/// What a plain scalar stands for, with its tag; `None` when it is just a text.
pub fn implicit(text: &str) -> Option<(&'static str, Value)> {
    let scalar = |tag, value: Option<Value>| value.map(|value| (tag, value));
    scalar(
        "tag:yaml.org,2002:null",
        is_null(text).then_some(Value::Null),
    )
    .or_else(|| scalar("tag:yaml.org,2002:bool", bool_of(text).map(Value::Bool)))
    .or_else(|| scalar("tag:yaml.org,2002:int", int(text).map(Value::Number)))
    .or_else(|| scalar("tag:yaml.org,2002:float", float(text).map(Value::Number)))
    .or_else(|| {
        scalar(
            "tag:yaml.org,2002:timestamp",
            timestamp(text).map(Value::Date),
        )
    })
    .or_else(|| scalar(MERGE, (text == "<<").then(|| Value::from(text))))
}

/// A tag that is known, and of which kind its nodes are.
pub fn kind_of(tag: &str) -> Option<Kind> {
    match tag.strip_prefix(YAML)? {
        "str" | "null" | "bool" | "int" | "float" | "timestamp" | "merge" | "binary" => {
            Some(Kind::Scalar)
        }
        "seq" | "omap" | "pairs" => Some(Kind::Sequence),
        "map" | "set" => Some(Kind::Mapping),
        _ => None,
    }
}

/// A node of a known tag; `None` when the tag does not fit it. Where the node is empty, `value` is null.
pub fn explicit(tag: &str, value: Value) -> Option<Value> {
    let text = value.as_str();
    match (tag.strip_prefix(YAML)?, text) {
        ("str", None) => Some(Value::from("")),
        ("null", None) => Some(Value::Null),
        ("null", Some(text)) => is_null(text).then_some(Value::Null),
        ("bool", Some(text)) => bool_of(text).map(Value::Bool),
        ("int", Some(text)) => int(text).map(Value::Number),
        ("float", Some(text)) => float(text).map(Value::Number),
        ("timestamp", Some(text)) => timestamp(text).map(Value::Date),
        ("merge", Some(text)) => (text == "<<").then_some(value),
        ("binary", Some(text)) => binary(text).map(Value::from),
        ("seq" | "omap" | "pairs", None) if value.is_null() => {
            Some(Value::from(Vec::<Value>::new()))
        }
        ("map" | "set", None) if value.is_null() => Some(Value::Object(Object::new())),
        ("omap", None) => is_ordered_map(&value).then_some(value),
        ("pairs", None) => pairs(&value),
        ("set", None) => {
            let only_names = value.as_object()?.values().all(Value::is_null);
            only_names.then_some(value)
        }
        ("str", Some(_)) | ("seq" | "map" | "merge", None) => Some(value),
        _ => None,
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn int(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits == "0" {
        return Some(0.0);
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let (bits, digits) = match digits.get(..2) {
        Some("0b") => (1, &digits[2..]),
        Some("0o") => (3, &digits[2..]),
        Some("0x") => (4, &digits[2..]),
        _ => (0, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let n = if bits == 0 {
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()?
    } else {
        of_bits(digits, bits)?
    };
    f64::is_finite(n).then_some(sign * n)
}

/// A whole number in a base that is a power of two, rounded once.
fn of_bits(digits: &str, bits: u32) -> Option<f64> {
    let (mut high, mut lost, mut rest) = (0u64, 0u32, false);
    for digit in digits.chars() {
        let digit = digit.to_digit(1 << bits)?;
        for bit in (0..bits).rev() {
            let bit = digit >> bit & 1 == 1;
            if high >> 63 == 1 {
                lost = lost.saturating_add(1);
                rest |= bit;
            } else {
                high = high << 1 | u64::from(bit);
            }
        }
    }
    let scale = f64::from(lost).exp2();
    Some((high | u64::from(rest)) as f64 * scale)
}

fn float(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let has_sign = unsigned.len() != text.len();
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if !has_sign => return Some(f64::NAN),
        _ => {}
    }
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    let whole = unsigned.len() - rest.len();
    let (rest, fraction) = match rest.strip_prefix('.') {
        Some(after) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest, after.len() - rest.len())
        }
        None => (rest, 0),
    };
    // (what begins with the point has no sign, and digits after it)
    if whole == 0 && (has_sign || fraction == 0) {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    let n = number::parse_float(unsigned);
    n.is_finite().then_some(sign * n)
}

/// Reads pieces of a timestamp from the front of a text.
struct Pieces<'a>(&'a [u8]);

impl Pieces<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<f64> {
        let found = self.0.iter().take_while(|b| b.is_ascii_digit());
        let count = found.take(most).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let value = |value: f64, digit: &u8| value * 10.0 + f64::from(digit - b'0');
        Some(digits.iter().fold(0.0, value))
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn spaces(&mut self) -> usize {
        let count = self.0.iter().take_while(|b| matches!(b, b' ' | b'\t'));
        let count = count.count();
        self.0 = &self.0[count..];
        count
    }
}

/// A date, or a date with a time of day, in milliseconds since the epoch.
fn timestamp(text: &str) -> Option<f64> {
    let mut left = Pieces(text.as_bytes());
    let year = left.digits(4, 4)?;
    left.take(b'-')?;
    let before = left.0.len();
    let month = left.digits(1, 2)?;
    left.take(b'-')?;
    let day = left.digits(1, 2)?;
    // (JavaScript takes years before 100 for those of the 20th century)
    let year = if year < 100.0 { year + 1900.0 } else { year };
    let at = |[hour, minute, second, ms]: [f64; 4]| {
        date::of_fields([year, month - 1.0, day, hour, minute, second, ms], false)
    };
    if left.0.is_empty() {
        return (before == 5).then(|| at([0.0; 4]));
    }
    if left.take(b'T').or_else(|| left.take(b't')).is_none() && left.spaces() == 0 {
        return None;
    }
    let hour = left.digits(1, 2)?;
    left.take(b':')?;
    let minute = left.digits(2, 2)?;
    left.take(b':')?;
    let second = left.digits(2, 2)?;
    let mut ms = 0.0;
    if left.take(b'.').is_some() {
        let digits = left.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (fraction, rest) = left.0.split_at(digits);
        left.0 = rest;
        for place in 0..3 {
            ms = ms * 10.0 + fraction.get(place).map_or(0.0, |b| f64::from(b - b'0'));
        }
    }
    let time = at([hour, minute, second, ms]);
    let ended = left.0.is_empty();
    left.spaces();
    let ahead = match left.0.first() {
        None => return ended.then_some(time),
        Some(b'Z') => {
            left.0 = &left.0[1..];
            0.0
        }
        Some(sign @ (b'+' | b'-')) => {
            left.0 = &left.0[1..];
            let hours = left.digits(1, 2)?;
            let minutes = match left.take(b':') {
                Some(()) => left.digits(2, 2)?,
                None => 0.0,
            };
            let ahead = (hours * 60.0 + minutes) * 60_000.0;
            if *sign == b'-' { -ahead } else { ahead }
        }
        Some(_) => return None,
    };
    left.0.is_empty().then_some(time - ahead)
}

/// Base64 in any number of lines. An empty text is three zero bytes, as js-yaml has it.
fn binary(text: &str) -> Option<Vec<u8>> {
    let ok = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let kept = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n'));
    let kept: Vec<u8> = kept.collect();
    if !kept.iter().all(ok) || !kept.len().is_multiple_of(4) {
        return None;
    }
    let mut digits: Vec<u8> = kept.into_iter().filter(|b| *b != b'=').collect();
    if digits.is_empty() {
        return Some(vec![0; 3]);
    }
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    let lenient = base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    engine.decode(digits).ok()
}

fn is_ordered_map(value: &Value) -> bool {
    let mut known = std::collections::HashSet::new();
    let fits = |item: &Value| match item {
        Value::Object(pair) if pair.len() == 1 => {
            pair.keys().all(|key| known.insert(key.to_string()))
        }
        _ => false,
    };
    value.as_array().is_some_and(|items| items.iter().all(fits))
}

fn pairs(value: &Value) -> Option<Value> {
    let mut made = Vec::new();
    for item in value.as_array()?.iter() {
        let pair = item.as_object().filter(|pair| pair.len() == 1)?;
        let (key, value) = pair.iter().next()?;
        made.push(Value::from(vec![Value::from(key.as_str()), value.clone()]));
    }
    Some(Value::from(made))
}
