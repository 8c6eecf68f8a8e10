//! `Date.parse` as V8 has it: ISO 8601 first, and else nearly anything in which a day, and perhaps a time, can be seen.
//!
//! The text is cut into tokens. If they are not ISO's, numbers are taken as they come: with a colon behind it one belongs
//! to the time, after a sign behind a time to the zone, else to the day. Words count by their first three letters; unknown
//! ones may stand before the first number, as may anything in brackets.

use super::{DAY_MS, clip, days_of, from_local};
use crate::number::is_js_space;

/// `Date.parse`: milliseconds since 1970 (UTC), NaN for a text in which no date is seen. A date alone in ISO's form is UTC,
/// whatever else has no zone is local.
pub fn parse(text: &str) -> f64 {
    let mut reader = Reader::new(text);
    let (mut day, mut time, mut zone) = (Day::default(), Time::default(), Zone::default());
    let next = match iso(&mut reader, &mut day, &mut time, &mut zone) {
        Iso::Read => None,
        Iso::Not(token) => Some(token),
        Iso::Invalid => return f64::NAN,
    };
    if next.is_some_and(|next| loose(&mut reader, next, &mut day, &mut time, &mut zone).is_none()) {
        return f64::NAN;
    }
    assemble(&day, time, &zone).map_or(f64::NAN, clip)
}

fn assemble(day: &Day, time: Time, zone: &Zone) -> Option<f64> {
    let (year, month, day) = day.finish()?;
    let ms = days_of(year, month, day) as f64 * DAY_MS + time.finish()? as f64;
    Some(match zone.offset() {
        Some(minutes) => ms - minutes as f64 * 60_000.0,
        None => from_local(ms),
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    End,
    /// Its value, and how many digits it has.
    Number(i64, usize),
    /// One of `:` `-` `+` `.` `)`.
    Symbol(u8),
    Word(Word),
    Space,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Month(i64),
    /// Hours to add: 0 or 12.
    HalfDay(i64),
    /// Hours ahead of UTC.
    Zone(i64),
    Z,
    T,
    Other,
}

fn word(text: &str) -> Word {
    let lower = text.to_ascii_lowercase();
    if let Some(month) = lower.get(..3).and_then(|first| {
        super::MONTHS
            .iter()
            .position(|name| name.eq_ignore_ascii_case(first))
    }) {
        return Word::Month(month as i64 + 1);
    }
    match &*lower {
        "am" => Word::HalfDay(0),
        "pm" => Word::HalfDay(12),
        "z" => Word::Z,
        "ut" | "utc" | "gmt" => Word::Zone(0),
        "edt" => Word::Zone(-4),
        "est" | "cdt" => Word::Zone(-5),
        "cst" | "mdt" => Word::Zone(-6),
        "mst" | "pdt" => Word::Zone(-7),
        "pst" => Word::Zone(-8),
        "t" => Word::T,
        _ => Word::Other,
    }
}

struct Reader<'t> {
    rest: &'t str,
    peeked: Token,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Reader<'t> {
        let mut reader = Reader {
            rest: text,
            peeked: Token::End,
        };
        reader.peeked = reader.scan();
        reader
    }

    fn next(&mut self) -> Token {
        let next = self.scan();
        std::mem::replace(&mut self.peeked, next)
    }

    fn skip(&mut self, symbol: u8) -> bool {
        let there = self.peeked == Token::Symbol(symbol);
        if there {
            self.next();
        }
        there
    }

    /// The value of the next token, when it is a number of this many digits.
    fn fixed(&self, digits: usize) -> Option<i64> {
        match self.peeked {
            Token::Number(n, count) if count == digits => Some(n),
            _ => None,
        }
    }

    fn take(&mut self, count: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn scan(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else {
            return Token::End;
        };
        match first {
            '0'..='9' => {
                let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                let digits = self.take(count).trim_start_matches('0');
                // (digits beyond the ninth do not count)
                let n = digits
                    .bytes()
                    .take(9)
                    .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
                Token::Number(n, count)
            }
            ':' | '-' | '+' | '.' | ')' => Token::Symbol(self.take(1).as_bytes()[0]),
            '(' => {
                self.brackets();
                Token::Unknown
            }
            _ if is_js_space(first) => {
                self.take(first.len_utf8());
                Token::Space
            }
            'A'.. => {
                let end = self
                    .rest
                    .find(|c| c < 'A' || is_js_space(c))
                    .unwrap_or(self.rest.len());
                Token::Word(word(self.take(end)))
            }
            _ => {
                self.take(1);
                Token::Unknown
            }
        }
    }

    /// What is in brackets, nested ones too, is left out.
    fn brackets(&mut self) {
        let mut open = 0;
        let end = self.rest.char_indices().find(|(_, c)| {
            open += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            open == 0
        });
        self.take(end.map_or(self.rest.len(), |(at, _)| at + 1));
    }
}

#[derive(Default)]
struct Day {
    numbers: Vec<i64>,
    month: Option<i64>,
    iso: bool,
}

impl Day {
    fn add(&mut self, n: i64) -> Option<()> {
        (self.numbers.len() < 3).then(|| self.numbers.push(n))
    }

    /// Year, month and day. Missing numbers are 1.
    fn finish(&self) -> Option<(i64, i64, i64)> {
        let given = self.numbers.len();
        let n = |at: usize| self.numbers.get(at).copied().unwrap_or(1);
        let is_day = |n: i64| (1..=31).contains(&n);
        if given == 0 {
            return None;
        }
        let (mut year, month, day) = match self.month {
            None if self.iso || !is_day(n(0)) => (n(0), n(1), n(2)),
            None => (n(2), n(0), n(1)),
            Some(month) if !is_day(n(0)) => (n(0), month, n(1)),
            Some(month) => (n(1), month, n(0)),
        };
        if !self.iso {
            year += match year {
                0..=49 => 2000,
                50..=99 => 1900,
                _ => 0,
            };
        }
        ((1..=12).contains(&month) && is_day(day)).then_some((year, month, day))
    }
}

/// Hours, minutes, seconds and milliseconds, as far as they were given.
#[derive(Default)]
struct Time {
    parts: Vec<i64>,
    half_day: Option<i64>,
}

impl Time {
    fn add(&mut self, n: i64) -> Option<()> {
        (self.parts.len() < 4).then(|| self.parts.push(n))
    }

    /// Adds the last part. (V8 does not mind when there were four already.)
    fn end(&mut self, n: i64) {
        let _ = self.add(n);
        self.parts.resize(4, 0);
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn expects(&self, n: i64) -> bool {
        match self.parts.len() {
            1 | 2 => (0..60).contains(&n),
            3 => (0..1000).contains(&n),
            _ => false,
        }
    }

    /// In milliseconds.
    fn finish(mut self) -> Option<i64> {
        self.parts.resize(4, 0);
        let &[mut hour, minute, second, ms] = &self.parts[..] else {
            return None;
        };
        if let Some(half) = self.half_day {
            if !(0..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + half;
        }
        let within = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..1000).contains(&ms);
        let midnight = hour == 24 && minute == 0 && second == 0 && ms == 0;
        (within || midnight).then_some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
    }
}

#[derive(Default)]
struct Zone {
    sign: Option<i64>,
    hours: Option<i64>,
    minutes: Option<i64>,
}

impl Zone {
    fn set(&mut self, hours: i64) {
        *self = Zone {
            sign: Some(if hours < 0 { -1 } else { 1 }),
            hours: Some(hours.abs()),
            minutes: Some(0),
        };
    }

    fn is_utc(&self) -> bool {
        self.hours == Some(0) && self.minutes == Some(0)
    }

    fn expects(&self, n: i64) -> bool {
        self.hours.is_some() && self.minutes.is_none() && (0..60).contains(&n)
    }

    /// Minutes ahead of UTC; `None`: local time.
    fn offset(&self) -> Option<i64> {
        self.sign
            .map(|sign| sign * (self.hours.unwrap_or(0) * 60 + self.minutes.unwrap_or(0)))
    }
}

/// Digits behind a point as milliseconds: the first three count.
fn milliseconds(n: i64, digits: usize) -> i64 {
    match digits {
        1 => n * 100,
        2 => n * 10,
        _ => n / 10_i64.pow((digits.min(9) - 3) as u32),
    }
}

enum Iso {
    /// The whole text.
    Read,
    /// It is not ISO 8601, from this token on. What was read counts.
    Not(Token),
    /// It began as a time of ISO 8601 and went wrong.
    Invalid,
}

/// ISO 8601 as ECMAScript has it, with few digits more or less allowed for milliseconds.
fn iso(reader: &mut Reader<'_>, day: &mut Day, time: &mut Time, zone: &mut Zone) -> Iso {
    if let Some(next) = iso_day(reader, day) {
        return Iso::Not(next);
    }
    if reader.peeked == Token::Word(Word::T) {
        reader.next();
        if iso_time(reader, time).is_none()
            || iso_zone(reader, zone).is_none()
            || reader.peeked != Token::End
        {
            return Iso::Invalid;
        }
    } else if reader.peeked != Token::End {
        return Iso::Not(reader.next());
    }
    if zone.sign.is_none() && time.is_empty() {
        zone.set(0);
    }
    day.iso = true;
    Iso::Read
}

/// `YYYY`, `±YYYYYY`, with month and day or not. Gives the token from which on it is something else.
fn iso_day(reader: &mut Reader<'_>, day: &mut Day) -> Option<Token> {
    if let Token::Symbol(sign @ (b'+' | b'-')) = reader.peeked {
        let token = reader.next();
        let Some(year) = reader.fixed(6) else {
            return Some(token);
        };
        reader.next();
        if sign == b'-' && year == 0 {
            return Some(token);
        }
        day.add(if sign == b'-' { -year } else { year });
    } else if let Some(year) = reader.fixed(4) {
        reader.next();
        day.add(year);
    } else {
        return Some(reader.next());
    }
    for most in [12, 31] {
        if !reader.skip(b'-') {
            break;
        }
        match reader.fixed(2).filter(|n| (1..=most).contains(n)) {
            Some(n) => day.add(n),
            None => return Some(reader.next()),
        };
        reader.next();
    }
    None
}

/// `HH:mm`, with seconds and milliseconds or not. 24:00 is the only time with 24.
fn iso_time(reader: &mut Reader<'_>, time: &mut Time) -> Option<()> {
    let hour = reader.fixed(2).filter(|n| *n <= 24)?;
    let most = if hour == 24 { 0 } else { 59 };
    time.add(hour);
    reader.next();
    if !reader.skip(b':') {
        return None;
    }
    time.add(reader.fixed(2).filter(|n| *n <= most)?);
    reader.next();
    if reader.skip(b':') {
        time.add(reader.fixed(2).filter(|n| *n <= most)?);
        reader.next();
        if reader.skip(b'.') {
            match reader.next() {
                Token::Number(n, digits) if n == 0 || hour < 24 => {
                    time.add(milliseconds(n, digits))
                }
                _ => return None,
            };
        }
    }
    Some(())
}

/// `Z`, `±HH:mm`, `±HHmm`, or nothing.
fn iso_zone(reader: &mut Reader<'_>, zone: &mut Zone) -> Option<()> {
    match reader.peeked {
        Token::Word(Word::Z) => {
            reader.next();
            zone.set(0);
        }
        Token::Symbol(sign @ (b'+' | b'-')) => {
            reader.next();
            zone.sign = Some(if sign == b'-' { -1 } else { 1 });
            let (hours, minutes) = match reader.fixed(4) {
                Some(both) => (both / 100, both % 100),
                None => {
                    let hours = reader.fixed(2)?;
                    reader.next();
                    if !reader.skip(b':') {
                        return None;
                    }
                    (hours, reader.fixed(2)?)
                }
            };
            reader.next();
            if hours > 23 || minutes > 59 {
                return None;
            }
            (zone.hours, zone.minutes) = (Some(hours), Some(minutes));
        }
        _ => {}
    }
    Some(())
}

/// What is not ISO 8601, from a token on. `None`: it is no date.
fn loose(
    reader: &mut Reader<'_>,
    mut token: Token,
    day: &mut Day,
    time: &mut Time,
    zone: &mut Zone,
) -> Option<()> {
    let mut number_read = !day.numbers.is_empty();
    while token != Token::End {
        match token {
            Token::Number(n, _) => {
                number_read = true;
                number(reader, n, day, time, zone)?;
            }
            Token::Word(Word::HalfDay(hours)) if !time.is_empty() => time.half_day = Some(hours),
            Token::Word(Word::Month(month)) => {
                day.month = Some(month);
                reader.skip(b'-');
            }
            Token::Word(Word::Zone(hours)) if number_read => zone.set(hours),
            Token::Word(Word::Z) if number_read => zone.set(0),
            // Other words may stand before the first number, with something between them.
            Token::Word(_) if number_read || matches!(reader.peeked, Token::Number(..)) => {
                return None;
            }
            Token::Symbol(sign @ (b'+' | b'-')) if zone.is_utc() || !time.is_empty() => {
                zone.sign = Some(if sign == b'-' { -1 } else { 1 });
                number_read = true;
                offset(reader, zone)?;
            }
            Token::Symbol(b'+' | b'-' | b')') if number_read => return None,
            _ => {}
        }
        token = reader.next();
    }
    Some(())
}

/// A number: of a time, a zone or a day, by what is around it.
fn number(
    reader: &mut Reader<'_>,
    n: i64,
    day: &mut Day,
    time: &mut Time,
    zone: &mut Zone,
) -> Option<()> {
    if reader.skip(b':') {
        if reader.skip(b':') {
            if !time.is_empty() {
                return None;
            }
            time.add(n)?;
            return time.add(0);
        }
        time.add(n)?;
        reader.skip(b'.');
        return Some(());
    }
    if reader.skip(b'.') && time.expects(n) {
        time.add(n)?;
        let Token::Number(ms, digits) = reader.next() else {
            return None;
        };
        time.end(milliseconds(ms, digits));
        return Some(());
    }
    if zone.expects(n) {
        zone.minutes = Some(n);
        return Some(());
    }
    if time.expects(n) {
        time.end(n);
        let ends = matches!(
            reader.peeked,
            Token::End | Token::Space | Token::Word(Word::Z) | Token::Symbol(b'+' | b'-')
        );
        return ends.then_some(());
    }
    day.add(n)?;
    reader.skip(b'-');
    Some(())
}

/// What follows the sign of a zone.
fn offset(reader: &mut Reader<'_>, zone: &mut Zone) -> Option<()> {
    let (n, digits) = match reader.peeked {
        Token::Number(n, digits) => {
            reader.next();
            (n, digits)
        }
        _ => (0, 0),
    };
    (zone.hours, zone.minutes) = match digits {
        _ if reader.peeked == Token::Symbol(b':') => (Some(n), None),
        1 | 2 => (Some(n), Some(0)),
        3 | 4 => (Some(n / 100), Some(n % 100)),
        _ => return None,
    };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_with_a_zone() {
        for (text, ms) in [
            ("1970-01-01", 0.0),
            ("2026", 1767225600000.0),
            ("2026-01-02T03:04:05.678Z", 1767323045678.0),
            ("2026-01-02T03:04:05.6Z", 1767323045600.0),
            ("2026-01-02T03:04:05+01:00", 1767319445000.0),
            ("2026-01-02T24:00Z", 1767398400000.0),
            ("Fri, 02 Jan 2026 03:04:05 GMT", 1767323045000.0),
            (
                "Fri Jan 02 2026 03:04:05 GMT+0100 (Central European Standard Time)",
                1767319445000.0,
            ),
            ("2 January 2026 3:04 pm UTC", 1767366240000.0),
            ("1/2/26 3:04:05 PST", 1767351845000.0),
            ("2026-02-31T00:00Z", 1772496000000.0),
        ] {
            assert_eq!(parse(text), ms, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_dates() {
        for text in [
            "",
            "not a date",
            "2026-13-01T00:00Z",
            "2026-01-01T25:00",
            "é",
            "2026-01-01T",
            "1 2 3 4",
            "Jan",
            "12:30",
            "-000000",
        ] {
            assert!(parse(text).is_nan(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in r"[0-9:+\-. TZ()aJAé/,]{0,24}") {
            let _ = parse(&text);
        }
    }
}
