//! Numbers as JavaScript reads and writes them.

/// Appends `String(n)`.
pub fn write(out: &mut String, n: f64) {
    // (whole numbers are most, and quicker by themselves)
    if n.fract() == 0.0 && n.abs() < 1e15 {
        return write_whole(out, n as i64);
    }
    if n.is_finite() {
        return out.push_str(ryu_js::Buffer::new().format_finite(n));
    }
    out.push_str(if n.is_nan() {
        "NaN"
    } else if n > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    });
}

fn write_whole(out: &mut String, n: i64) {
    if n < 0 {
        out.push('-');
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// `String(n)`.
pub fn to_js_string(n: f64) -> String {
    let mut out = String::new();
    write(&mut out, n);
    out
}

/// `Number(text)`: NaN for what is no number.
pub fn parse(text: &str) -> f64 {
    let text = text.trim_matches(is_js_space);
    if text.is_empty() {
        return 0.0;
    }
    let radix = |digits: &str, radix: u32| -> f64 {
        if digits.is_empty() {
            return f64::NAN;
        }
        digits
            .chars()
            .try_fold(0.0, |n, c| {
                c.to_digit(radix)
                    .map(|d| n * f64::from(radix) + f64::from(d))
            })
            .unwrap_or(f64::NAN)
    };
    match text.get(..2) {
        Some("0x" | "0X") => return radix(&text[2..], 16),
        Some("0o" | "0O") => return radix(&text[2..], 8),
        Some("0b" | "0B") => return radix(&text[2..], 2),
        _ => {}
    }
    match text {
        "Infinity" | "+Infinity" => return f64::INFINITY,
        "-Infinity" => return f64::NEG_INFINITY,
        _ => {}
    }
    // Rust also reads "inf", "nan" and "infinity": only digits, signs, points and exponents are JavaScript's.
    if !text
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return f64::NAN;
    }
    text.parse().unwrap_or(f64::NAN)
}

/// `parseFloat(text)`.
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_js_space);
    for (name, value) in [
        ("Infinity", f64::INFINITY),
        ("+Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
    ] {
        if text.starts_with(name) {
            return value;
        }
    }
    let bytes = text.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = |at: usize| {
        bytes[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let whole = digits(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return f64::NAN;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    text[..end].parse().unwrap_or(f64::NAN)
}

/// `n | 0`.
pub fn to_int32(n: f64) -> i32 {
    if !n.is_finite() {
        return 0;
    }
    let m = n.trunc().rem_euclid(4_294_967_296.0);
    (m as u64 as u32) as i32
}

/// What JavaScript's `trim` takes away.
pub fn is_js_space(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{9}'..='\u{d}' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_javascripts() {
        for (n, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (-0.0, "0"),
            (100.0, "100"),
            (123456789012345680000.0, "123456789012345680000"),
        ] {
            assert_eq!(to_js_string(n), text);
        }
        for (text, n) in [
            ("", 0.0),
            (" 12 ", 12.0),
            ("0x1f", 31.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-3", -3.0),
        ] {
            assert_eq!(parse(text), n, "{text}");
        }
        for text in ["abc", "1 2", "inf", "nan", "1e", "0x", "--1", "1_000"] {
            assert!(parse(text).is_nan(), "{text}");
        }
        for (text, n) in [
            ("12px", 12.0),
            ("1.5.2", 1.5),
            ("-.5x", -0.5),
            ("3e", 3.0),
            ("3e2x", 300.0),
        ] {
            assert_eq!(parse_float(text), n, "{text}");
        }
        assert!(parse_float("px").is_nan() && parse_float(".").is_nan());
        assert_eq!(
            (
                to_int32(4294967297.0),
                to_int32(-1.0),
                to_int32(2147483648.0)
            ),
            (1, -1, -2147483648)
        );
    }
}
