//! Reports for people: text and HTML. (The one for programs is [`crate::figure::Report::json`].)

pub mod html;
pub mod plot;
pub mod text;

/// A number as people read it: three digits at least, thousands apart.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut apart = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + rest
}

/// How often `value` is the first one.
pub fn ratio(value: f64, first: f64) -> Option<f64> {
    (first > 0.0 && value > 0.0).then(|| value / first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        let read = |value: f64| number(value);
        assert_eq!(read(0.1234), "0.12");
        assert_eq!(read(12.345), "12.3");
        assert_eq!(read(123.4), "123");
        assert_eq!(read(1234567.0), "1,234,567");
        assert_eq!(read(-100000.0), "-100,000");
        assert_eq!(read(0.0), "0.00");
    }

    #[test]
    fn there_is_no_ratio_to_nothing() {
        assert_eq!(ratio(6.0, 3.0), Some(2.0));
        assert_eq!(ratio(6.0, 0.0), None);
    }
}
