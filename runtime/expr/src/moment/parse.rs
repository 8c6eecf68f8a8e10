//! Texts and lists as times.

use super::format::{Piece, expanded, pieces};
use super::units::unit;
use super::{Moment, Zone, from_parts, parts_of};
use chrono::{Datelike, NaiveDate};
use vgdc_value::{Array, Object, date};

/// A text without a format: ISO 8601 (local time when it names no zone), else whatever JavaScript's `Date` reads.
pub(super) fn free(text: &str) -> f64 {
    match iso(text.trim_start()) {
        Some(ms) => ms,
        None => date::parse(text),
    }
}

/// Year, month, day, … in the process' zone; what is missing is its first. An empty list is now.
pub(super) fn parts(given: &Array, now: f64) -> f64 {
    if given.is_empty() {
        return now;
    }
    let mut parts = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    for (part, given) in parts.iter_mut().zip(given.iter()) {
        *part = given.to_number();
    }
    from_parts(parts, Zone::Local).ms()
}

/// `{year: …, month: …}` in the process' zone. What is larger than what is given is today's; no part at all is now.
pub(super) fn named_parts(given: &Object, now: f64) -> f64 {
    use super::units::Unit;
    if given.is_empty() {
        return now;
    }
    let order = [
        Unit::Year,
        Unit::Month,
        Unit::Date,
        Unit::Hour,
        Unit::Minute,
        Unit::Second,
        Unit::Milli,
    ];
    let mut parts: [Option<f64>; 7] = [None; 7];
    for (name, value) in given.iter() {
        let unit = match unit(name.as_str()) {
            Some(Unit::Day) => Some(Unit::Date),
            other => other,
        };
        if let Some(place) = order.iter().position(|known| Some(*known) == unit) {
            parts[place] = Some(value.to_number());
        }
    }
    filled(parts, Zone::Local, now).ms()
}

/// Fills what is missing: what is larger than all that is given with today's, the rest with the first of its kind.
fn filled(mut parts: [Option<f64>; 7], zone: Zone, now: f64) -> Moment {
    let today = parts_of(Moment { ms: now, zone }.civil());
    for (part, today) in parts.iter_mut().zip(today).take(3) {
        if part.is_some() {
            break;
        }
        *part = Some(today);
    }
    let first = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let mut all = first;
    for ((all, part), first) in all.iter_mut().zip(parts).zip(first) {
        *all = part.unwrap_or(first);
    }
    from_parts(all, zone)
}

/// Reads digits from a text.
struct Digits<'t>(&'t str);

impl Digits<'_> {
    fn number(&mut self, count: usize) -> Option<u32> {
        let text = self
            .0
            .get(..count)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        self.0 = &self.0[count..];
        text.parse().ok()
    }

    fn take(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn count(&self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }
}

/// ISO 8601, with or without separators.
fn iso(text: &str) -> Option<f64> {
    let mut at = Digits(text);
    let day = iso_date(&mut at)?;
    let valid_day = day.is_some();
    let day = day.unwrap_or_default();
    let mut time = [0.0; 4];
    let mut zone = Zone::Local;
    if !at.0.is_empty() {
        if !at.take('T') && !at.take(' ') {
            return None;
        }
        time = iso_time(&mut at)?;
        let rest = at.0.trim_start();
        if rest == "Z" {
            zone = Zone::Utc;
        } else if !at.0.is_empty() {
            let whole = at.0.len() == 3 || at.0.len() == 5 || at.0.len() == 6;
            zone = Zone::Fixed(offset(at.0).filter(|_| whole)? as i32);
        }
    }
    let parts = [
        f64::from(day.year()),
        f64::from(day.month0()),
        f64::from(day.day()),
        time[0],
        time[1],
        time[2],
        time[3],
    ];
    // (24:00 is the end of the day; nothing else is beyond it)
    let valid = time[0] < 24.0 || time == [24.0, 0.0, 0.0, 0.0];
    Some(if valid_day && valid && time[1] < 60.0 && time[2] < 60.0 {
        from_parts(parts, zone).ms()
    } else {
        f64::NAN
    })
}

/// The day; an inner `None` is one that no calendar has.
fn iso_date(at: &mut Digits<'_>) -> Option<Option<NaiveDate>> {
    let year = at.number(4)? as i32;
    let separated = at.take('-');
    if at.take('W') {
        let week = at.number(2)?;
        let has_day = if separated {
            at.take('-')
        } else {
            at.count() == 1
        };
        let day = if has_day { at.number(1)? } else { 1 };
        return Some(weekday(day).and_then(|day| NaiveDate::from_isoywd_opt(year, week, day)));
    }
    Some(match (at.count(), separated) {
        (3, _) => NaiveDate::from_yo_opt(year, at.number(3)?),
        (2, true) => {
            let month = at.number(2)?;
            let day = if at.take('-') { at.number(2)? } else { 1 };
            NaiveDate::from_ymd_opt(year, month, day)
        }
        (4, false) => {
            let month = at.number(2)?;
            NaiveDate::from_ymd_opt(year, month, at.number(2)?)
        }
        (2, false) => NaiveDate::from_ymd_opt(year, at.number(2)?, 1),
        (0, false) => NaiveDate::from_ymd_opt(year, 1, 1),
        _ => return None,
    })
}

fn weekday(from_monday: u32) -> Option<chrono::Weekday> {
    chrono::Weekday::try_from(u8::try_from(from_monday.checked_sub(1)?).ok()?).ok()
}

/// Hour, minute, second, millisecond.
fn iso_time(at: &mut Digits<'_>) -> Option<[f64; 4]> {
    let mut time = [0.0; 4];
    time[0] = f64::from(at.number(2)?);
    let separated = at.take(':');
    if !separated && at.count() < 2 {
        return Some(time);
    }
    time[1] = f64::from(at.number(2)?);
    if separated != at.take(':') || at.count() < 2 {
        return Some(time);
    }
    time[2] = f64::from(at.number(2)?);
    if at.take('.') || at.take(',') {
        let count = at.count();
        if count == 0 {
            return None;
        }
        let digits: String = at.0[..count].chars().take(3).collect();
        at.0 = &at.0[count..];
        time[3] = format!("{digits:0<3}").parse().unwrap_or(0.0);
    }
    Some(time)
}

/// Minutes east of Greenwich of `+01:00`, `-0130`, `+01`, `Z`.
pub(super) fn offset(text: &str) -> Option<f64> {
    if matches!(text, "Z" | "z") {
        return Some(0.0);
    }
    let sign = match text.chars().next()? {
        '+' => 1.0,
        '-' => -1.0,
        _ => return None,
    };
    let mut at = Digits(&text[1..]);
    let hours = f64::from(at.number(2)?);
    at.take(':');
    let minutes = if at.count() >= 2 {
        f64::from(at.number(2)?)
    } else {
        0.0
    };
    Some(sign * (hours * 60.0 + minutes))
}

/// What a text says by a format.
#[derive(Default)]
struct Said {
    parts: [Option<f64>; 7],
    day_of_year: Option<f64>,
    /// Midnight and noon by a clock of twelve hours.
    afternoon: Option<bool>,
    offset: Option<f64>,
    whole_ms: Option<f64>,
    wrong: bool,
}

/// A text by a format: for each token the next thing that fits is looked for, whatever stands between.
pub(super) fn by_format(text: &str, format: &str, strict: bool, now: f64) -> Moment {
    let format = expanded(format);
    let mut said = Said::default();
    let mut rest = text;
    let mut found_any = false;
    for piece in pieces(&format) {
        match piece {
            Piece::Token(token) => match find(rest, token) {
                Some((skipped, found)) => {
                    said.wrong |= strict && skipped > 0;
                    said.take(token, &rest[skipped..skipped + found]);
                    rest = &rest[skipped + found..];
                    found_any = true;
                }
                None => said.wrong |= strict,
            },
            Piece::Text(literal) => match rest.find(literal) {
                Some(at) => rest = &rest[at + literal.len()..],
                None => said.wrong |= strict && !literal.trim().is_empty(),
            },
        }
    }
    said.wrong |= !found_any || strict && !rest.is_empty();
    said.moment(now)
}

impl Said {
    fn take(&mut self, token: &str, text: &str) {
        let number = || text.parse::<f64>().ok();
        let [year, month, day, hour, minute, second, milli] = &mut self.parts;
        match token {
            "YYYY" | "YYYYY" | "YYYYYY" | "Y" if text.trim_start_matches(['+', '-']).len() != 2 => {
                *year = number()
            }
            "YY" | "YYYY" | "Y" => {
                *year = number().map(|n| n + if n > 68.0 { 1900.0 } else { 2000.0 })
            }
            "Q" => *month = number().map(|quarter| (quarter - 1.0) * 3.0),
            "M" | "MM" | "Mo" => *month = leading(text).map(|n| n - 1.0),
            "MMM" | "MMMM" => *month = name_place(&date::MONTH_NAMES, text),
            "D" | "DD" | "Do" => *day = leading(text),
            "DDD" | "DDDD" => self.day_of_year = number(),
            "H" | "HH" | "h" | "hh" => *hour = number(),
            "k" | "kk" => *hour = number().map(|n| if n == 24.0 { 0.0 } else { n }),
            "m" | "mm" => *minute = number(),
            "s" | "ss" => *second = number(),
            "A" | "a" => self.afternoon = Some(text.to_lowercase().starts_with('p')),
            "Z" | "ZZ" => self.offset = offset(text),
            "X" => self.whole_ms = number().map(|n| n * 1000.0),
            "x" => self.whole_ms = number(),
            "Hmm" | "hmm" => {
                let at = text.len() - 2;
                (*hour, *minute) = (text[..at].parse().ok(), text[at..].parse().ok());
            }
            "Hmmss" | "hmmss" => {
                let at = text.len() - 4;
                (*hour, *minute, *second) = (
                    text[..at].parse().ok(),
                    text[at..at + 2].parse().ok(),
                    text[at + 2..].parse().ok(),
                );
            }
            token if token.starts_with('S') => {
                *milli = format!("0.{text}")
                    .parse::<f64>()
                    .ok()
                    .map(|n| (n * 1000.0).trunc())
            }
            // (names of days say nothing that is not said otherwise)
            _ => {}
        }
    }

    fn moment(mut self, now: f64) -> Moment {
        let invalid = Moment::local(f64::NAN);
        if self.wrong {
            return invalid;
        }
        if let Some(ms) = self.whole_ms {
            return Moment::local(ms);
        }
        match (self.afternoon, &mut self.parts[3]) {
            (Some(true), Some(hour)) if *hour < 12.0 => *hour += 12.0,
            (Some(false), Some(hour)) if *hour == 12.0 => *hour = 0.0,
            _ => {}
        }
        let zone = self
            .offset
            .map_or(Zone::Local, |minutes| Zone::Fixed(minutes as i32));
        if let Some(day) = self.day_of_year {
            let year =
                self.parts[0].unwrap_or_else(|| parts_of(Moment { ms: now, zone }.civil())[0]);
            (self.parts[0], self.parts[1], self.parts[2]) = (Some(year), Some(0.0), Some(day));
        } else if !self.fits() {
            return invalid;
        }
        Moment::local(filled(self.parts, zone, now).ms())
    }

    /// Nothing runs over into the next larger.
    fn fits(&self) -> bool {
        let [year, month, day, hour, minute, second, _] = self.parts;
        let below = |part: Option<f64>, limit: f64| part.is_none_or(|part| part < limit);
        let days = match (year, month) {
            (year, Some(month)) if (0.0..12.0).contains(&month) => f64::from(super::days_in_month(
                year.map_or(2000, |year| year as i32),
                month as u32,
            )),
            _ => 31.0,
        };
        below(month, 12.0)
            && month.is_none_or(|month| month >= 0.0)
            && day.is_none_or(|day| (1.0..=days).contains(&day))
            && (below(hour, 24.0)
                || hour == Some(24.0)
                    && minute.unwrap_or(0.0) == 0.0
                    && second.unwrap_or(0.0) == 0.0)
            && below(minute, 60.0)
            && below(second, 60.0)
    }
}

fn leading(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

fn name_place(names: &[&str], text: &str) -> Option<f64> {
    let lower = text.to_lowercase();
    names
        .iter()
        .position(|name| name.to_lowercase().starts_with(&lower))
        .map(|place| place as f64)
}

/// Where the next thing that fits a token stands, and how long it is.
fn find(text: &str, token: &str) -> Option<(usize, usize)> {
    text.char_indices()
        .find_map(|(at, _)| fit(&text[at..], token).map(|length| (at, length)))
}

/// How much of a text's beginning fits a token.
fn fit(text: &str, token: &str) -> Option<usize> {
    let digits = |from: usize, most: usize| {
        let count = text
            .bytes()
            .skip(from)
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        (count > 0).then_some(from + count)
    };
    let word = |names: &[&str]| {
        let best = |name: &&str| {
            let full = text
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name));
            let short = text
                .get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case(&name[..3]));
            if full {
                Some(name.len())
            } else {
                short.then_some(3)
            }
        };
        names.iter().filter_map(best).max()
    };
    match token {
        "YYYY" => digits(0, 4),
        "YYYYY" | "YYYYYY" | "Y" => digits(usize::from(text.starts_with(['+', '-'])), 6),
        "DDD" | "DDDD" => digits(0, 3),
        "MMM" | "MMMM" => word(&date::MONTH_NAMES),
        "ddd" | "dddd" | "dd" => word(&date::DAY_NAMES),
        "Do" | "Mo" | "Qo" | "DDDo" | "do" | "wo" | "Wo" => {
            let end = digits(0, 3)?;
            let ending = text
                .get(end..end + 2)
                .is_some_and(|ending| matches!(ending, "st" | "nd" | "rd" | "th"));
            Some(if ending { end + 2 } else { end })
        }
        "A" | "a" => text
            .get(..2)
            .filter(|two| matches!(two.to_ascii_lowercase().as_str(), "am" | "pm"))
            .map(|_| 2),
        "Z" | "ZZ" => offset_length(text),
        "x" | "X" => {
            let end = digits(usize::from(text.starts_with(['+', '-'])), 20)?;
            let fraction = text[end..].strip_prefix('.').map_or(0, |rest| {
                rest.bytes().take(3).take_while(u8::is_ascii_digit).count()
            });
            Some(if token == "X" && fraction > 0 {
                end + 1 + fraction
            } else {
                end
            })
        }
        "Hmm" | "hmm" => digits(0, 4).filter(|end| *end >= 3),
        "Hmmss" | "hmmss" => digits(0, 6).filter(|end| *end >= 5),
        token if token.starts_with('S') => digits(0, token.len().max(3)),
        "gggg" | "GGGG" => digits(0, 4),
        "z" | "zz" => None,
        _ => digits(0, 2),
    }
}

fn offset_length(text: &str) -> Option<usize> {
    if text.starts_with(['Z', 'z']) {
        return Some(1);
    }
    [6, 5, 3].into_iter().find(|length| {
        let fits = |part: &str| {
            offset(part).is_some()
                && (part.len() != 6 || part.as_bytes()[3] == b':')
                && !part[1..].contains(['+', '-'])
        };
        text.get(..*length).is_some_and(|part| {
            fits(part) && part[1..].bytes().all(|b| b.is_ascii_digit() || b == b':')
        })
    })
}
