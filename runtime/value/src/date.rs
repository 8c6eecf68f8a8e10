//! Dates as JavaScript reads and writes them. Local time is the process's time zone.

use chrono::{DateTime, Datelike, Local, NaiveDate, TimeZone, Utc};

/// The largest time that a date can hold, in milliseconds.
const MAX_MS: f64 = 8.64e15;

fn utc(ms: f64) -> Option<DateTime<Utc>> {
    if !ms.is_finite() || ms.abs() > MAX_MS {
        return None;
    }
    DateTime::from_timestamp_millis(ms.trunc() as i64)
}

/// `toISOString`; `None` for the invalid date.
pub fn iso(ms: f64) -> Option<String> {
    let at = utc(ms)?;
    let year = at.year();
    let rest = at.format("-%m-%dT%H:%M:%S%.3fZ");
    Some(match year {
        0..=9999 => format!("{year:04}{rest}"),
        y if y < 0 => format!("-{:06}{rest}", -y),
        y => format!("+{y:06}{rest}"),
    })
}

/// `String(date)`.
pub fn js_string(ms: f64) -> String {
    match utc(ms) {
        Some(at) => {
            let local = at.with_timezone(&Local);
            format!(
                "{} ({})",
                local.format("%a %b %d %Y %H:%M:%S GMT%z"),
                zone_name(&local)
            )
        }
        None => "Invalid Date".to_owned(),
    }
}

fn zone_name(at: &DateTime<Local>) -> String {
    match at.offset().local_minus_utc() {
        0 => "Coordinated Universal Time".to_owned(),
        _ => at.format("GMT%:z").to_string(),
    }
}

/// `Date.parse`: ISO 8601 (a date alone is UTC, with a time and no zone local), RFC 2822, and what `String(date)` gives.
/// NaN for other texts.
pub fn parse(text: &str) -> f64 {
    let text = text.trim();
    iso_parse(text)
        .or_else(|| loose_parse(text))
        .unwrap_or(f64::NAN)
}

fn iso_parse(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let (year, mut at) = match bytes.first()? {
        b'+' | b'-' => (text.get(..7)?.parse::<i32>().ok()?, 7),
        _ => (digits(text.get(..4)?)? as i32, 4),
    };
    let (mut month, mut day) = (1, 1);
    if bytes.get(at) == Some(&b'-') {
        month = digits(text.get(at + 1..at + 3)?)?;
        at += 3;
        if bytes.get(at) == Some(&b'-') {
            day = digits(text.get(at + 1..at + 3)?)?;
            at += 3;
        }
    }
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    if at == bytes.len() {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis() as f64);
    }
    if !matches!(bytes[at], b'T' | b't' | b' ') {
        return None;
    }
    at += 1;
    let hour = digits(text.get(at..at + 2)?)?;
    let minute = digits(text.get(at + 3..at + 5)?)?;
    if bytes[at + 2] != b':' {
        return None;
    }
    at += 5;
    let (mut second, mut millis) = (0, 0);
    if bytes.get(at) == Some(&b':') {
        second = digits(text.get(at + 1..at + 3)?)?;
        at += 3;
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let count = bytes[at + 1..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
            let fraction: String = text[at + 1..at + 1 + count]
                .chars()
                .chain("000".chars())
                .take(3)
                .collect();
            millis = digits(&fraction)?;
            at += 1 + count;
        }
    }
    let extra = i64::from(hour == 24 && minute == 0 && second == 0 && millis == 0);
    let time = date.and_hms_milli_opt(if extra == 1 { 0 } else { hour }, minute, second, millis)?
        + chrono::Duration::days(extra);
    let zone = text.get(at..)?.trim();
    match zone {
        "" => Local
            .from_local_datetime(&time)
            .earliest()
            .map(|t| t.timestamp_millis() as f64),
        "Z" | "z" => Some(time.and_utc().timestamp_millis() as f64),
        zone => {
            let minutes = offset_minutes(zone)?;
            Some((time.and_utc().timestamp_millis() - minutes * 60_000) as f64)
        }
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// `+05:30`, `-0800`, `+05`.
fn offset_minutes(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = zone[1..].replace(':', "");
    let (hours, minutes) = match rest.len() {
        2 => (digits(&rest)?, 0),
        4 => (digits(&rest[..2])?, digits(&rest[2..])?),
        _ => return None,
    };
    Some(sign * i64::from(hours * 60 + minutes))
}

fn loose_parse(text: &str) -> Option<f64> {
    // "(Coordinated Universal Time)" is a remark
    let text = text.split('(').next()?.trim();
    if let Ok(at) = DateTime::parse_from_rfc2822(text) {
        return Some(at.timestamp_millis() as f64);
    }
    for format in ["%a %b %d %Y %H:%M:%S GMT%z", "%a, %d %b %Y %H:%M:%S GMT%z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.timestamp_millis() as f64);
        }
    }
    let formats = [
        "%b %d, %Y %H:%M:%S",
        "%B %d, %Y %H:%M:%S",
        "%m/%d/%Y %H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%d %b %Y %H:%M:%S",
        "%d %B %Y %H:%M:%S",
        "%a %b %d %Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
        "%Y/%m/%d %H:%M",
    ];
    let local = |time: &chrono::NaiveDateTime| {
        Local
            .from_local_datetime(time)
            .earliest()
            .map(|t| t.timestamp_millis() as f64)
    };
    if let Some(time) = formats
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())
    {
        return local(&time);
    }
    let dates = [
        "%b %d, %Y",
        "%B %d, %Y",
        "%m/%d/%Y",
        "%Y/%m/%d",
        "%d %b %Y",
        "%d %B %Y",
        "%a %b %d %Y",
        "%m-%d-%Y",
    ];
    let date = dates
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok())?;
    local(&date.and_hms_opt(0, 0, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_texts_come_and_go() {
        assert_eq!(iso(0.0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(iso(f64::NAN), None);
        assert_eq!(iso(4e15).as_deref(), Some("+128724-12-15T07:06:40.000Z"));
        assert_eq!(
            iso(-62198755200000.0).as_deref(),
            Some("-000001-01-01T00:00:00.000Z")
        );
        for (text, ms) in [
            ("1970-01-01", 0.0),
            ("2026-01-02T03:04:05.678Z", 1767323045678.0),
            ("2026-01-02T03:04:05+01:00", 1767319445000.0),
            ("Fri, 02 Jan 2026 03:04:05 GMT", 1767323045000.0),
            ("2026", 1767225600000.0),
        ] {
            assert_eq!(parse(text), ms, "{text}");
        }
        assert!(
            parse("not a date").is_nan() && parse("2026-13-01").is_nan() && parse("é").is_nan()
        );
    }
}
