//! Comparing big integers, which are kept as decimal digits, perhaps with a minus, and their form in bytes.

use crate::number;
use std::cmp::Ordering;

/// Sign and digits without leading zeros; zero has none.
fn split(text: &str) -> (bool, &str) {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let digits = digits.trim_start_matches('0');
    (negative && !digits.is_empty(), digits)
}

/// True for zero, which is falsy.
pub(crate) fn is_zero(text: &str) -> bool {
    split(text).1.is_empty()
}

pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let ((a_negative, a), (b_negative, b)) = (split(a), split(b));
    let magnitude = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match (a_negative, b_negative) {
        (false, false) => magnitude,
        (true, true) => magnitude.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// Compares exactly; `None` for NaN.
pub(crate) fn compare_number(a: &str, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.is_infinite() {
        return Some(if b > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    let whole = compare(a, &format!("{:.0}", b.trunc()));
    let fraction = b.fract().partial_cmp(&0.0)?;
    Some(whole.then(fraction.reverse()))
}

/// The digits of a text that JavaScript's `BigInt(text)` takes.
pub(crate) fn parse(text: &str) -> Option<String> {
    let text = text.trim_matches(number::is_js_space);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match digits.bytes().all(|b| b.is_ascii_digit()) && (!digits.is_empty() || text.is_empty()) {
        true => Some(if text.is_empty() {
            "0".to_owned()
        } else {
            text.trim_start_matches('+').to_owned()
        }),
        false => None,
    }
}

/// How many digits are handled at once: the largest power of ten that a `u32` holds.
const CHUNK: usize = 9;

/// Whether it is negative, and its magnitude as big-endian bytes without leading zeros. Takes time with the square of the
/// length.
pub(crate) fn to_bytes(text: &str) -> (bool, Vec<u8>) {
    let (negative, digits) = split(text);
    let mut limbs: Vec<u32> = Vec::new();
    let first = digits.len() % CHUNK;
    let chunks = std::iter::once(&digits[..first]).chain(
        (first..digits.len())
            .step_by(CHUNK)
            .map(|at| &digits[at..at + CHUNK]),
    );
    for chunk in chunks {
        let mut carry = u64::from(chunk.parse::<u32>().unwrap_or(0));
        let factor = 10_u64.pow(chunk.len() as u32);
        for limb in &mut limbs {
            carry += u64::from(*limb) * factor;
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    let bytes = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes());
    (negative, bytes.skip_while(|byte| *byte == 0).collect())
}

/// The digits of a magnitude in big-endian bytes. Takes time with the square of the length.
pub(crate) fn from_bytes(negative: bool, bytes: &[u8]) -> String {
    let mut limbs: Vec<u32> = bytes
        .rchunks(4)
        .map(|chunk| chunk.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
        .collect();
    let mut chunks = Vec::new();
    loop {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        if limbs.is_empty() {
            break;
        }
        let mut rest = 0_u64;
        for limb in limbs.iter_mut().rev() {
            rest = rest << 32 | u64::from(*limb);
            *limb = (rest / 1_000_000_000) as u32;
            rest %= 1_000_000_000;
        }
        chunks.push(rest);
    }
    let Some(first) = chunks.pop() else {
        return "0".to_owned();
    };
    let mut text = format!("{}{first}", if negative { "-" } else { "" });
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:09}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_integers_compare() {
        let huge = "9007199254740993";
        assert_eq!(compare("10", "9"), Ordering::Greater);
        assert_eq!(compare("-10", "9"), Ordering::Less);
        assert_eq!(compare("-0", "0"), Ordering::Equal);
        assert_eq!(
            compare_number(huge, 9007199254740992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(compare_number("1", 1.5), Some(Ordering::Less));
        assert_eq!(compare_number("-1", -1.5), Some(Ordering::Greater));
        assert_eq!(compare_number("1", f64::NAN), None);
        assert_eq!(
            (
                parse(" +12 ").as_deref(),
                parse("").as_deref(),
                parse("1.5"),
                parse("-")
            ),
            (Some("12"), Some("0"), None, None)
        );
    }

    #[test]
    fn bytes_hold_them() {
        for (text, negative, bytes) in [
            ("0", false, &[][..]),
            ("-0", false, &[]),
            ("255", false, &[255]),
            ("-256", true, &[1, 0]),
            ("18446744073709551616", false, &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("1000000000", false, &[0x3b, 0x9a, 0xca, 0]),
        ] {
            assert_eq!(to_bytes(text), (negative, bytes.to_vec()), "{text}");
            let back = from_bytes(negative, bytes);
            assert_eq!(compare(&back, text), Ordering::Equal, "{text}");
        }
        let long = "9".repeat(1000);
        let (_, bytes) = to_bytes(&long);
        assert_eq!(from_bytes(false, &bytes), long);
    }
}
