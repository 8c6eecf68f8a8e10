//! Comparing big integers, which are kept as decimal digits, perhaps with a minus.

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
}
