//! `format`: a time as a text.

use super::{Moment, Zone};
use chrono::{Datelike, NaiveDateTime, Timelike};
use std::fmt::Write;
use vgdc_value::date::{DAY_NAMES, MONTH_NAMES};

/// The tokens, longer ones before those that they begin with.
const TOKENS: &[&str] = &[
    "Hmmss",
    "hmmss",
    "Hmm",
    "hmm",
    "Mo",
    "MMMM",
    "MMM",
    "MM",
    "M",
    "Do",
    "DDDo",
    "DDDD",
    "DDD",
    "DD",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "wo",
    "ww",
    "w",
    "Wo",
    "WW",
    "W",
    "Qo",
    "Q",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "Y",
    "yyyy",
    "yyy",
    "yy",
    "yo",
    "y",
    "NNNNN",
    "NNNN",
    "NNN",
    "NN",
    "N",
    "ggggg",
    "gggg",
    "gg",
    "GGGGG",
    "GGGG",
    "GG",
    "e",
    "E",
    "a",
    "A",
    "hh",
    "h",
    "HH",
    "H",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "x",
    "X",
    "zz",
    "z",
    "ZZ",
    "Z",
];

/// The short names of formats, and what they stand for.
const LONG: &[(&str, &str)] = &[
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// A piece of a format.
pub(super) enum Piece<'f> {
    Token(&'static str),
    /// Copied as it is.
    Text(&'f str),
}

/// Cuts a format into its pieces. `[text]` is copied without the brackets, `\` keeps a token from being one.
pub(super) fn pieces(format: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            // (up to the last closing bracket before another one opens)
            let until = rest[1..].find('[').map_or(rest.len(), |at| at + 1);
            if let Some(end) = rest[..until].rfind(']') {
                pieces.push(Piece::Text(&rest[1..end]));
                rest = &rest[end + 1..];
                continue;
            }
        }
        let (escaped, from) = if first == '\\' {
            (true, &rest[1..])
        } else {
            (false, rest)
        };
        let token = TOKENS.iter().find(|token| from.starts_with(**token));
        let length = match token {
            Some(token) => token.len(),
            None => from.chars().next().map_or(0, char::len_utf8),
        };
        pieces.push(match token {
            Some(token) if !escaped => Piece::Token(token),
            _ => Piece::Text(&from[..length]),
        });
        rest = &from[length..];
    }
    pieces
}

/// A format with the short names written out.
pub(super) fn expanded(format: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            let until = rest[1..].find('[').map_or(rest.len(), |at| at + 1);
            if let Some(end) = rest[..until].rfind(']') {
                out.push_str(&rest[..=end]);
                rest = &rest[end + 1..];
                continue;
            }
        }
        let from = if first == '\\' { &rest[1..] } else { rest };
        match LONG.iter().find(|(short, _)| from.starts_with(short)) {
            Some((short, long)) if first != '\\' => {
                out.push_str(long);
                rest = &from[short.len()..];
            }
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

impl Moment {
    /// `format(text)`.
    pub(super) fn format(&self, format: &str) -> String {
        if !self.is_valid() {
            return "Invalid date".to_owned();
        }
        let format = expanded(format);
        let civil = self.civil();
        let mut out = String::with_capacity(format.len() * 2);
        for piece in pieces(&format) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                // (a write to a text cannot fail)
                Piece::Token(token) => {
                    let _ = self.write(&mut out, token, &civil);
                }
            }
        }
        out
    }

    /// `format()`.
    pub(super) fn format_plainly(&self) -> String {
        self.format(if self.zone == Zone::Utc {
            "YYYY-MM-DDTHH:mm:ss[Z]"
        } else {
            "YYYY-MM-DDTHH:mm:ssZ"
        })
    }

    fn write(&self, out: &mut String, token: &str, at: &NaiveDateTime) -> std::fmt::Result {
        match token.as_bytes()[0] {
            b'Y' | b'M' | b'D' | b'Q' => write_date(out, token, at),
            b'd' | b'e' | b'E' | b'w' | b'W' | b'g' | b'G' => write_week(out, token, at),
            b'N' | b'y' => write_era(out, token, at),
            b'z' | b'Z' | b'x' | b'X' => self.write_zone(out, token),
            _ => write_time(out, token, at),
        }
    }

    fn write_zone(&self, out: &mut String, token: &str) -> std::fmt::Result {
        match token {
            "X" => write!(out, "{}", (self.ms / 1000.0).floor()),
            "x" => write!(out, "{}", self.ms),
            "z" | "zz" => write!(out, "{}", self.zone_name(token == "zz")),
            _ => {
                let offset = self.offset();
                let (sign, minutes) = (if offset < 0.0 { '-' } else { '+' }, offset.abs() as u32);
                let colon = if token == "Z" { ":" } else { "" };
                write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// The zone's abbreviation, or (long, of UTC) its name.
    pub(super) fn zone_name(&self, long: bool) -> String {
        match self.zone {
            Zone::Utc if long => "Coordinated Universal Time".to_owned(),
            Zone::Utc => "UTC".to_owned(),
            Zone::Named(zone) => zone.abbreviation_at(self.utc()),
            _ => String::new(),
        }
    }
}

fn write_date(out: &mut String, token: &str, at: &NaiveDateTime) -> std::fmt::Result {
    let (year, month, day) = (at.year(), at.month(), at.day());
    match token {
        "YYYYYY" => write!(out, "{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
        "YYYYY" => signed(out, year, 5),
        "YYYY" => signed(out, year, 4),
        "YY" => signed(out, year % 100, 2),
        "Y" if year > 9999 => write!(out, "+{year}"),
        "Y" => signed(out, year, 4),
        "MMMM" => out.write_str(MONTH_NAMES[at.month0() as usize % 12]),
        "MMM" => out.write_str(&MONTH_NAMES[at.month0() as usize % 12][..3]),
        "MM" => write!(out, "{month:02}"),
        "M" => write!(out, "{month}"),
        "Mo" => out.write_str(&ordinal(month)),
        "Q" => write!(out, "{}", month.div_ceil(3)),
        "Qo" => out.write_str(&ordinal(month.div_ceil(3))),
        "DDDD" => write!(out, "{:03}", at.ordinal()),
        "DDD" => write!(out, "{}", at.ordinal()),
        "DDDo" => out.write_str(&ordinal(at.ordinal())),
        "DD" => write!(out, "{day:02}"),
        "Do" => out.write_str(&ordinal(day)),
        _ => write!(out, "{day}"),
    }
}

fn write_week(out: &mut String, token: &str, at: &NaiveDateTime) -> std::fmt::Result {
    let weekday = at.weekday().num_days_from_sunday();
    let name = DAY_NAMES[weekday as usize % 7];
    let ((year, week), iso) = (week_of(at), at.iso_week());
    match token {
        "dddd" => out.write_str(name),
        "ddd" => out.write_str(&name[..3]),
        "dd" => out.write_str(&name[..2]),
        "do" => out.write_str(&ordinal(weekday)),
        "d" | "e" => write!(out, "{weekday}"),
        "E" => write!(out, "{}", at.weekday().number_from_monday()),
        "w" => write!(out, "{week}"),
        "ww" => write!(out, "{week:02}"),
        "wo" => out.write_str(&ordinal(week)),
        "W" => write!(out, "{}", iso.week()),
        "WW" => write!(out, "{:02}", iso.week()),
        "Wo" => out.write_str(&ordinal(iso.week())),
        "gg" => signed(out, year % 100, 2),
        "gggg" => signed(out, year, 4),
        "ggggg" => signed(out, year, 5),
        "GG" => signed(out, iso.year() % 100, 2),
        "GGGG" => signed(out, iso.year(), 4),
        _ => signed(out, iso.year(), 5),
    }
}

fn write_time(out: &mut String, token: &str, at: &NaiveDateTime) -> std::fmt::Result {
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    match token {
        "HH" => write!(out, "{hour:02}"),
        "H" => write!(out, "{hour}"),
        "hh" => write!(out, "{hour12:02}"),
        "h" => write!(out, "{hour12}"),
        "kk" => write!(out, "{:02}", if hour == 0 { 24 } else { hour }),
        "k" => write!(out, "{}", if hour == 0 { 24 } else { hour }),
        "mm" => write!(out, "{minute:02}"),
        "m" => write!(out, "{minute}"),
        "ss" => write!(out, "{second:02}"),
        "s" => write!(out, "{second}"),
        "A" => out.write_str(if hour < 12 { "AM" } else { "PM" }),
        "a" => out.write_str(if hour < 12 { "am" } else { "pm" }),
        "Hmm" => write!(out, "{hour}{minute:02}"),
        "hmm" => write!(out, "{hour12}{minute:02}"),
        "Hmmss" => write!(out, "{hour}{minute:02}{second:02}"),
        "hmmss" => write!(out, "{hour12}{minute:02}{second:02}"),
        fraction => {
            let digits = format!("{:03}000000", at.and_utc().timestamp_subsec_millis());
            out.write_str(digits.get(..fraction.len()).unwrap_or(&digits))
        }
    }
}

/// A year of the era, and the era.
fn write_era(out: &mut String, token: &str, at: &NaiveDateTime) -> std::fmt::Result {
    let (ours, year) = (
        at.year() > 0,
        if at.year() > 0 {
            at.year()
        } else {
            1 - at.year()
        },
    );
    match token {
        "NNNN" => out.write_str(if ours { "Anno Domini" } else { "Before Christ" }),
        "yo" => out.write_str(&ordinal(year.unsigned_abs())),
        era if era.starts_with('N') => out.write_str(if ours { "AD" } else { "BC" }),
        digits => signed(out, year, digits.len()),
    }
}

/// A year with at least so many digits.
fn signed(out: &mut String, year: i32, digits: usize) -> std::fmt::Result {
    write!(
        out,
        "{}{:0digits$}",
        if year < 0 { "-" } else { "" },
        year.abs()
    )
}

/// `1st`, `2nd`, …
pub(super) fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// Year and number of the week, which begins on Sunday; the first is the one with January 1st in it.
pub(super) fn week_of(at: &NaiveDateTime) -> (i32, u32) {
    let first_day = |year: i32| {
        chrono::NaiveDate::from_ymd_opt(year, 1, 1)
            .map_or(0, |day| day.weekday().num_days_from_sunday())
    };
    let next = at.year() + 1;
    let year_days = if chrono::NaiveDate::from_ymd_opt(at.year(), 2, 29).is_some() {
        366
    } else {
        365
    };
    // days until next year's January 1st: is it in this week?
    let until_next = year_days + 1 - at.ordinal();
    if until_next <= first_day(next)
        && at.weekday().num_days_from_sunday() + until_next == first_day(next)
    {
        return (next, 1);
    }
    (at.year(), (at.ordinal0() + first_day(at.year())) / 7 + 1)
}
