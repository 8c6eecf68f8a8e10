//! Times in the format of moment.js, which Node-RED's timestamps use.

use chrono::{DateTime, Datelike, Local, Timelike, Utc};

/// Formats a time in the local time zone. Tokens that are unknown stay as they are; text in brackets is copied.
pub fn format(ms: f64, format: &str) -> String {
    let Some(at) = DateTime::<Utc>::from_timestamp_millis(ms.floor() as i64) else { return "Invalid date".to_owned() };
    let at = at.with_timezone(&Local);
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '['
            && let Some(end) = rest.find(']')
        {
            out.push_str(&rest[1..end]);
            rest = &rest[end + 1..];
            continue;
        }
        match TOKENS.iter().find(|token| rest.starts_with(**token)) {
            Some(token) => {
                out.push_str(&piece(&at, token));
                rest = &rest[token.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// Longest first.
const TOKENS: &[&str] = &[
    "YYYY", "MMMM", "dddd", "DDDD", "SSS", "MMM", "ddd", "DDD", "LLLL", "LTS", "LLL", "Do", "YY", "MM", "DD", "dd", "HH", "hh", "mm", "ss",
    "SS", "ZZ", "LT", "LL", "WW", "M", "D", "d", "H", "h", "m", "s", "S", "Z", "A", "a", "X", "x", "Q", "E", "W", "L", "k",
];

fn piece(at: &DateTime<Local>, token: &str) -> String {
    let hour12 = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let millis = at.timestamp_subsec_millis();
    match token {
        "YYYY" => format!("{:04}", at.year()),
        "YY" => format!("{:02}", at.year().rem_euclid(100)),
        "Q" => ((at.month() + 2) / 3).to_string(),
        "MMMM" => at.format("%B").to_string(),
        "MMM" => at.format("%b").to_string(),
        "MM" => format!("{:02}", at.month()),
        "M" => at.month().to_string(),
        "DDDD" => format!("{:03}", at.ordinal()),
        "DDD" => at.ordinal().to_string(),
        "DD" => format!("{:02}", at.day()),
        "D" => at.day().to_string(),
        "Do" => ordinal(at.day()),
        "dddd" => at.format("%A").to_string(),
        "ddd" => at.format("%a").to_string(),
        "dd" => at.format("%a").to_string().chars().take(2).collect(),
        "d" => at.weekday().num_days_from_sunday().to_string(),
        "E" => at.weekday().number_from_monday().to_string(),
        "WW" => format!("{:02}", at.iso_week().week()),
        "W" => at.iso_week().week().to_string(),
        "HH" => format!("{:02}", at.hour()),
        "H" => at.hour().to_string(),
        "k" => (if at.hour() == 0 { 24 } else { at.hour() }).to_string(),
        "hh" => format!("{hour12:02}"),
        "h" => hour12.to_string(),
        "mm" => format!("{:02}", at.minute()),
        "m" => at.minute().to_string(),
        "ss" => format!("{:02}", at.second()),
        "s" => at.second().to_string(),
        "SSS" => format!("{millis:03}"),
        "SS" => format!("{:02}", millis / 10),
        "S" => (millis / 100).to_string(),
        "Z" => at.format("%:z").to_string(),
        "ZZ" => at.format("%z").to_string(),
        "A" => (if at.hour() < 12 { "AM" } else { "PM" }).to_owned(),
        "a" => (if at.hour() < 12 { "am" } else { "pm" }).to_owned(),
        "X" => at.timestamp().to_string(),
        "x" => at.timestamp_millis().to_string(),
        "LTS" => format!("{hour12}:{:02}:{:02} {}", at.minute(), at.second(), piece(at, "A")),
        "LT" => format!("{hour12}:{:02} {}", at.minute(), piece(at, "A")),
        "L" => at.format("%m/%d/%Y").to_string(),
        "LL" => format!("{} {}, {}", at.format("%B"), at.day(), at.year()),
        "LLL" => format!("{} {}", piece(at, "LL"), piece(at, "LT")),
        "LLLL" => format!("{}, {}", at.format("%A"), piece(at, "LLL")),
        other => other.to_owned(),
    }
}

fn ordinal(day: u32) -> String {
    let ending = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn formats_have_moments_tokens() {
        // (parts that do not depend on the time zone)
        let ms = 1_767_323_045_678.0;
        assert_eq!(super::format(ms, "YYYY [at] ss.SSS X x"), "2026 at 05.678 1767323045 1767323045678");
    }
}
