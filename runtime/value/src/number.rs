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
    out.push_str(not_finite(n));
}

fn not_finite(n: f64) -> &'static str {
    match (n.is_nan(), n > 0.0) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        _ => "-Infinity",
    }
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

/// `n.toFixed(digits)`, for up to 100 digits (more count as 100).
pub fn to_fixed(n: f64, digits: usize) -> String {
    if n.is_nan() || n.abs() >= 1e21 {
        return to_js_string(n);
    }
    let digits = digits.min(100);
    let magnitude = n.abs();
    let text = if is_tie(magnitude, digits) {
        rounded_up(
            &format!("{magnitude:.digits$}"),
            &format!("{magnitude:.*}", digits + 1),
        )
    } else {
        format!("{magnitude:.digits$}")
    };
    if n < 0.0 { format!("-{text}") } else { text }
}

/// Exactly between two texts with this many digits: there JavaScript rounds up, and Rust to even.
fn is_tie(magnitude: f64, digits: usize) -> bool {
    let longer = format!("{magnitude:.*}", digits + 1);
    // (no number has more than 1074 digits behind its point)
    longer.ends_with('5') && longer.parse() == Ok(magnitude) && {
        let exact = format!("{magnitude:.1074}");
        exact[longer.len()..].bytes().all(|digit| digit == b'0') && exact.starts_with(&longer)
    }
}

/// Of a tie, the text with one digit less that is not below it.
fn rounded_up(even: &str, tie: &str) -> String {
    // Rust cut the last digit (and the point with it), or rounded up itself.
    let cut = tie[..tie.len() - 1].trim_end_matches('.');
    if even != cut {
        return even.to_owned();
    }
    let mut digits: Vec<u8> = even.bytes().collect();
    for digit in digits.iter_mut().rev() {
        match digit {
            b'9' => *digit = b'0',
            b'.' => {}
            _ => {
                *digit += 1;
                return String::from_utf8_lossy(&digits).into_owned();
            }
        }
    }
    format!("1{}", String::from_utf8_lossy(&digits))
}

/// `n.toString(radix)` for a radix from 2 to 36 (others count as 10).
pub fn to_radix(n: f64, radix: u32) -> String {
    if !(2..=36).contains(&radix) || radix == 10 || !n.is_finite() {
        return to_js_string(n);
    }
    let magnitude = n.abs();
    let mut whole = magnitude.floor();
    let fraction = fraction_digits(magnitude - whole, magnitude, radix, &mut whole);
    let mut text = String::new();
    if n < 0.0 {
        text.push('-');
    }
    whole_digits(&mut text, whole, radix);
    if !fraction.is_empty() {
        text.push('.');
        fraction
            .iter()
            .for_each(|digit| push_digit(&mut text, *digit, radix));
    }
    text
}

fn push_digit(text: &mut String, digit: u32, radix: u32) {
    text.push(char::from_digit(digit, radix).unwrap_or('0'));
}

/// As many digits behind the point as tell the number from its neighbours. Rounding may carry into the whole part.
fn fraction_digits(mut fraction: f64, of: f64, radix: u32, whole: &mut f64) -> Vec<u32> {
    let base = f64::from(radix);
    let mut half = (0.5 * (of.next_up() - of)).max(f64::from_bits(1));
    let mut digits: Vec<u32> = Vec::new();
    while fraction >= half {
        fraction *= base;
        half *= base;
        let digit = fraction as u32;
        digits.push(digit);
        fraction -= f64::from(digit);
        let up = fraction > 0.5 || (fraction == 0.5 && digit % 2 == 1);
        if up && fraction + half > 1.0 {
            carry(&mut digits, radix, whole);
            break;
        }
    }
    digits
}

/// Adds one to the last digit.
fn carry(digits: &mut Vec<u32>, radix: u32, whole: &mut f64) {
    while let Some(last) = digits.pop() {
        if last + 1 < radix {
            return digits.push(last + 1);
        }
    }
    *whole += 1.0;
}

fn whole_digits(text: &mut String, mut whole: f64, radix: u32) {
    let base = f64::from(radix);
    let mut digits = Vec::new();
    // Digits that a number of this size cannot tell apart are 0.
    while whole / base >= 9_007_199_254_740_992.0 {
        whole /= base;
        digits.push(0);
    }
    loop {
        let digit = whole % base;
        digits.push(digit as u32);
        whole = (whole - digit) / base;
        if whole <= 0.0 {
            break;
        }
    }
    digits
        .iter()
        .rev()
        .for_each(|digit| push_digit(text, *digit, radix));
}

/// `Number(text)`: NaN for what is no number.
pub fn parse(text: &str) -> f64 {
    let text = text.trim_matches(is_js_space);
    if text.is_empty() {
        return 0.0;
    }
    if let Some((radix, digits)) = prefixed(text) {
        return parse_radix(digits, radix);
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

/// The digits of a hexadecimal, octal or binary number.
fn prefixed(text: &str) -> Option<(u32, &str)> {
    let radix = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => return None,
    };
    text.get(2..).map(|digits| (radix, digits))
}

/// Digits of a radix that is a power of 2, correctly rounded; NaN for what is none.
fn parse_radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return f64::NAN;
    }
    let bits = radix.trailing_zeros();
    // 64 bits are kept; whether any further one is set decides ties.
    let (mut top, mut dropped, mut rest) = (0u64, 0i32, false);
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        for bit in (0..bits).rev().map(|bit| u64::from(digit >> bit & 1)) {
            if top >> 63 == 0 {
                top = top << 1 | bit;
            } else {
                dropped = dropped.saturating_add(1);
                rest |= bit == 1;
            }
        }
    }
    // (the last of 64 bits is below what a number keeps, so that it can stand for the rest)
    let top = if dropped > 0 && rest { top | 1 } else { top };
    top as f64 * 2f64.powi(dropped)
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
    let end = decimal_length(text.as_bytes());
    text.get(..end)
        .and_then(|number| number.parse().ok())
        .unwrap_or(f64::NAN)
}

/// How many of the bytes, from the first on, are a decimal number. 0: none.
fn decimal_length(bytes: &[u8]) -> usize {
    let digits = |at: usize| {
        bytes
            .iter()
            .skip(at)
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(end);
    end += whole;
    let fraction = if bytes.get(end) == Some(&b'.') {
        digits(end + 1)
    } else {
        0
    };
    if whole + fraction == 0 {
        return 0;
    }
    if fraction > 0 {
        end += 1 + fraction;
    } else if bytes.get(end) == Some(&b'.') {
        end += 1;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// `n | 0`.
pub fn to_int32(n: f64) -> i32 {
    to_uint32(n) as i32
}

/// `n >>> 0`.
pub fn to_uint32(n: f64) -> u32 {
    if !n.is_finite() {
        return 0;
    }
    n.trunc().rem_euclid(4_294_967_296.0) as u32
}

/// What JavaScript's `trim` takes away.
pub fn is_js_space(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{9}'..='\u{d}' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_of_numbers() {
        for (n, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (-0.0, "0"),
            (100.0, "100"),
            (-7.0, "-7"),
            (123456789012345680000.0, "123456789012345680000"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(to_js_string(n), text);
        }
    }

    #[test]
    fn numbers_of_texts() {
        for (text, n) in [
            ("", 0.0),
            (" 12 ", 12.0),
            ("\u{feff}\n7", 7.0),
            ("0x1f", 31.0),
            ("0B11", 3.0),
            ("0o17", 15.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-3", -3.0),
            ("+3", 3.0),
            ("0x20000000000001", 9007199254740992.0),
            ("0x20000000000003", 9007199254740996.0),
        ] {
            assert_eq!(parse(text), n, "{text}");
        }
        for text in [
            "abc", "1 2", "inf", "nan", "1e", "0x", "0xg", "-0x1", "--1", "1_000", ".", "e5", "é",
        ] {
            assert!(parse(text).is_nan(), "{text}");
        }
        for (text, n) in [
            ("12px", 12.0),
            ("1.5.2", 1.5),
            ("-.5x", -0.5),
            ("3e", 3.0),
            ("3e2x", 300.0),
            ("3.x", 3.0),
        ] {
            assert_eq!(parse_float(text), n, "{text}");
        }
        assert!(
            parse_float("px").is_nan() && parse_float(".").is_nan() && parse_float("-").is_nan()
        );
    }

    #[test]
    fn fixed_digits() {
        for (n, digits, text) in [
            (0.5, 0, "1"),
            (2.5, 0, "3"),
            (1.5, 0, "2"),
            (-1.5, 0, "-2"),
            (9.5, 0, "10"),
            (99.5, 0, "100"),
            (1.005, 2, "1.00"),
            (0.125, 2, "0.13"),
            (9.875, 2, "9.88"),
            (0.995, 2, "0.99"),
            (1e21, 2, "1e+21"),
            (-1e-7, 2, "-0.00"),
            (-0.0, 1, "0.0"),
            (123.456, 20, "123.45600000000000306954"),
            (f64::NAN, 2, "NaN"),
        ] {
            assert_eq!(to_fixed(n, digits), text, "{n}");
        }
    }

    #[test]
    fn other_radixes() {
        for (n, radix, text) in [
            (255.0, 16, "ff"),
            (
                0.1,
                2,
                "0.0001100110011001100110011001100110011001100110011001101",
            ),
            (-255.5, 16, "-ff.8"),
            (1e21, 36, "5v1j4f4ds7c000"),
            (0.000001, 36, "0.0001ogs5wo29m8"),
            (2f64.powi(60), 3, "21200101122222021102111220121112210000"),
            (1.0 / 3.0, 3, "0.1"),
            (0.0, 2, "0"),
            (1.5, 10, "1.5"),
        ] {
            assert_eq!(to_radix(n, radix), text, "{n}");
        }
    }

    #[test]
    fn whole_numbers_of_32_bits() {
        for (n, int) in [
            (4294967297.0, 1),
            (-1.0, -1),
            (2147483648.0, -2147483648),
            (1.9, 1),
            (-1.9, -1),
            (f64::NAN, 0),
        ] {
            assert_eq!(to_int32(n), int);
        }
        assert_eq!((to_uint32(-1.0), to_uint32(1e300)), (4294967295, 0));
    }

    proptest! {
        #[test]
        fn a_written_number_is_read_the_same(bits: u64) {
            let n = f64::from_bits(bits);
            prop_assume!(!n.is_nan());
            prop_assert_eq!(parse(&to_js_string(n)), n);
            prop_assert_eq!(parse_float(&to_js_string(n)), n);
        }

        #[test]
        fn reading_never_panics(text in r"[0-9xXbBoOeE+\-. ._aé]{0,12}", radix in 0_u32..40, n: f64) {
            let _ = (parse(&text), parse_float(&text), to_radix(n, radix), to_fixed(n, radix as usize));
        }
    }
}
