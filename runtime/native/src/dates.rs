//! Dates: what their methods show and change, in local time and in UTC. `None` is a bail-out.

use crate::{locale, ops};
use vgdc_plan::native::{Method, Mutation};
use vgdc_value::{Value, date};

/// Calls a method of a date that changes nothing.
pub(crate) fn method(which: Method, ms: f64, args: &[Value]) -> Option<Value> {
    if locale::is_of_dates(which) {
        return locale::date(which, ms, args);
    }
    let (field, local) = match which {
        Method::GetTime | Method::ValueOf => return Some(Value::Number(ms)),
        Method::ToIsoString => return date::iso(ms).map(Value::from),
        Method::ToJson => return Some(date::iso(ms).map_or(Value::Null, Value::from)),
        Method::ToString if args.is_empty() => return text(ms).map(Value::from),
        Method::ToDateString => return parts(ms).map(|(day, _)| Value::from(day)),
        Method::ToTimeString => return parts(ms).map(|(_, time)| Value::from(time)),
        Method::GetTimezoneOffset => {
            // (0 and never -0)
            let ahead = date::minutes_ahead(ms);
            return Some(Value::Number(ahead.map_or(f64::NAN, |ahead| 0.0 - ahead)));
        }
        Method::GetFullYear => (0, true),
        Method::GetMonth => (1, true),
        Method::GetDate => (2, true),
        Method::GetHours => (3, true),
        Method::GetMinutes => (4, true),
        Method::GetSeconds => (5, true),
        Method::GetMilliseconds => (6, true),
        Method::GetDay => (7, true),
        Method::GetUtcFullYear => (0, false),
        Method::GetUtcMonth => (1, false),
        Method::GetUtcDate => (2, false),
        Method::GetUtcHours => (3, false),
        Method::GetUtcMinutes => (4, false),
        Method::GetUtcSeconds => (5, false),
        Method::GetUtcMilliseconds => (6, false),
        Method::GetUtcDay => (7, false),
        _ => return None,
    };
    match date::fields(ms, local) {
        Some(fields) => Some(Value::Number(fields[field])),
        // (near the ends of time local time is beyond them)
        None => ms.is_nan().then_some(Value::Number(f64::NAN)),
    }
}

/// The text of a date. Years before the first are left to the engine.
pub(crate) fn text(ms: f64) -> Option<String> {
    let known = ms.is_nan() || date::fields(ms, true)?[0] >= 0.0;
    known.then(|| date::js_string(ms))
}

/// The day and the time in the text of a date.
fn parts(ms: f64) -> Option<(String, String)> {
    let whole = text(ms)?;
    if ms.is_nan() {
        return Some((whole.clone(), whole));
    }
    // ("Wed Jan 01 2025 10:00:00 GMT+0000 (…)")
    let (end, _) = whole.match_indices(' ').nth(3)?;
    Some((whole[..end].to_owned(), whole[end + 1..].to_owned()))
}

/// Calls a method that changes a date. What is not a number, and the invalid date, are left to the engine.
pub(crate) fn mutate(which: Mutation, ms: &mut f64, args: &[Value]) -> Option<Value> {
    let numbers: Option<Vec<f64>> = args.iter().map(ops::to_number).collect();
    let numbers = numbers?;
    if numbers.is_empty() || !numbers.iter().all(|n| n.is_finite()) {
        return None;
    }
    let (first, most, local) = match which {
        Mutation::SetTime => {
            *ms = date::clip(numbers[0]);
            return Some(Value::Number(*ms));
        }
        Mutation::SetFullYear => (0, 3, true),
        Mutation::SetMonth => (1, 2, true),
        Mutation::SetDate => (2, 1, true),
        Mutation::SetHours => (3, 4, true),
        Mutation::SetMinutes => (4, 3, true),
        Mutation::SetSeconds => (5, 2, true),
        Mutation::SetMilliseconds => (6, 1, true),
        Mutation::SetUtcFullYear => (0, 3, false),
        Mutation::SetUtcMonth => (1, 2, false),
        Mutation::SetUtcDate => (2, 1, false),
        Mutation::SetUtcHours => (3, 4, false),
        Mutation::SetUtcMinutes => (4, 3, false),
        Mutation::SetUtcSeconds => (5, 2, false),
        Mutation::SetUtcMilliseconds => (6, 1, false),
        _ => return None,
    };
    let [y, m, d, h, min, s, milli, _] = date::fields(*ms, local)?;
    let mut fields = [y, m, d, h, min, s, milli];
    for (field, number) in fields[first..].iter_mut().zip(&numbers).take(most) {
        *field = number.trunc();
    }
    *ms = date::of_fields(fields, local);
    Some(Value::Number(*ms))
}

/// The date that a text is. What is not written as `toISOString` writes it, or a part of that, is left to the engine, which has
/// its own way of reading dates.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let shape: Vec<u8> = text
        .bytes()
        .map(|b| if b.is_ascii_digit() { b'0' } else { b })
        .collect();
    let (day, time) = match shape.iter().position(|b| *b == b'T') {
        Some(at) => (&shape[..at], &shape[at + 1..]),
        None => (&shape[..], &b""[..]),
    };
    let zone = time.iter().position(|b| matches!(b, b'Z' | b'+' | b'-'));
    let (time, zone) = time.split_at(zone.unwrap_or(time.len()));
    let known = matches!(day, b"0000-00-00")
        && (matches!(time, b"00:00" | b"00:00:00" | b"00:00:00.000") || text.len() == 10)
        && matches!(zone, b"" | b"Z" | b"+00:00" | b"-00:00");
    if !known {
        return None;
    }
    if text.len() == 10 || !zone.is_empty() {
        return Some(date::parse(text));
    }
    // (local time, as QuickJS finds it)
    let at = date::parse(&format!("{text}Z"));
    Some(date::clip(at - date::minutes_ahead(at)? * 60_000.0))
}

/// `new Date(year, month, …)` and `Date.UTC(…)`.
pub(crate) fn of_parts(args: &[Value], local: bool) -> Option<f64> {
    let mut fields = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    for (at, (field, arg)) in fields.iter_mut().zip(args).enumerate() {
        let number = ops::to_number(arg)?;
        if !number.is_finite() {
            return Some(f64::NAN);
        }
        *field = number.trunc();
        if at == 0 && (0.0..100.0).contains(field) {
            *field += 1900.0;
        }
    }
    Some(date::of_fields(fields, local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_beyond_their_ends_are_carried_over() {
        let number = |n: f64| Value::from(n);
        let mut ms = date::of_fields([2024.0, 0.0, 31.0, 10.0, 0.0, 0.0, 0.0], false);
        mutate(Mutation::SetUtcMonth, &mut ms, &[number(1.0)]).expect("a month");
        assert_eq!(date::iso(ms).as_deref(), Some("2024-03-02T10:00:00.000Z"));
        mutate(
            Mutation::SetUtcHours,
            &mut ms,
            &[number(25.0), number(-1.0)],
        )
        .expect("hours");
        assert_eq!(date::iso(ms).as_deref(), Some("2024-03-03T00:59:00.000Z"));
        assert_eq!(method(Method::GetUtcDay, ms, &[]), Some(number(0.0)));
        assert!(mutate(Mutation::SetUtcDate, &mut ms, &[number(f64::NAN)]).is_none());
    }

    #[test]
    fn only_texts_of_one_shape_are_read_here() {
        for (text, ms) in [
            ("1970-01-02", Some(86_400_000.0)),
            ("1970-01-01T00:00:01Z", Some(1000.0)),
            ("1970-01-01T00:00:00.001Z", Some(1.0)),
            ("1970-01-01T00:00", None),
            ("<1>", None),
            ("Tue, 14 Nov 2023", None),
            ("1970-01-02Z", None),
            ("T", None),
        ] {
            if let Some(ms) = ms {
                assert_eq!(parse(text), Some(ms), "{text}");
            } else if !text.starts_with("1970-01-01") {
                assert_eq!(parse(text), None, "{text}");
            }
        }
        assert!(method(Method::GetHours, f64::NAN, &[]).is_some_and(|h| h.to_number().is_nan()));
        assert_eq!(
            of_parts(&[Value::from(99), Value::from(0)], false),
            Some(915_148_800_000.0)
        );
    }
}
