//! Dates as JavaScript reads and writes them. A date is the number of milliseconds since 1970 (UTC); NaN is the invalid
//! date. Local time is the process's time zone.

mod parse;

use chrono::{Local, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
pub use parse::parse;

/// The largest time that a date can hold, in milliseconds.
const MAX_MS: f64 = 8.64e15;
const DAY_MS: f64 = 86_400_000.0;

/// A time, as a calendar shows it.
struct Calendar {
    year: i64,
    month: i64,
    day: i64,
    weekday: usize,
    ms: i64,
}

/// The names of the months.
pub const MONTH_NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The names of the days, Sunday first.
pub const DAY_NAMES: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `new Date(ms)`: cut to whole milliseconds; NaN beyond what a date can hold.
pub fn clip(ms: f64) -> f64 {
    // (adding 0 makes -0 to 0)
    if ms.abs() <= MAX_MS {
        ms.trunc() + 0.0
    } else {
        f64::NAN
    }
}

/// Days since 1970 of a day in the Gregorian calendar; months are counted from 1.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last: 400 of them are 146,097 days.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

fn calendar(ms: f64) -> Option<Calendar> {
    let ms = clip(ms);
    if ms.is_nan() {
        return None;
    }
    let (days, ms) = (ms.div_euclid(DAY_MS) as i64, ms.rem_euclid(DAY_MS) as i64);
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day_of_year + 2) / 153;
    let month = (march + 2) % 12 + 1;
    Some(Calendar {
        year: era * 400 + year + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * march + 2) / 5 + 1,
        weekday: (days + 4).rem_euclid(7) as usize,
        ms,
    })
}

impl Calendar {
    fn time(&self) -> (i64, i64, i64, i64) {
        (
            self.ms / 3_600_000,
            self.ms / 60_000 % 60,
            self.ms / 1000 % 60,
            self.ms % 1000,
        )
    }
}

/// `toISOString`; `None` for the invalid date.
pub fn iso(ms: f64) -> Option<String> {
    let at = calendar(ms)?;
    let mut text = String::with_capacity(27);
    match at.year {
        0..=9999 => push(&mut text, at.year, 4),
        year => {
            text.push(if year < 0 { '-' } else { '+' });
            push(&mut text, year.abs(), 6);
        }
    }
    let (hour, minute, second, ms) = at.time();
    for (before, number, digits) in [
        ('-', at.month, 2),
        ('-', at.day, 2),
        ('T', hour, 2),
        (':', minute, 2),
        (':', second, 2),
        ('.', ms, 3),
    ] {
        text.push(before);
        push(&mut text, number, digits);
    }
    text.push('Z');
    Some(text)
}

/// A number with this many digits.
fn push(text: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// `String(date)`. (JavaScript names the time zone in brackets; here other zones than UTC are shown as their offset, as the
/// names come with a large library.)
pub fn js_string(ms: f64) -> String {
    let Some(offset) = local_offset(ms) else {
        return "Invalid Date".to_owned();
    };
    let Some(at) = calendar(ms + offset * 1000.0) else {
        return "Invalid Date".to_owned();
    };
    let (hour, minute, second, _) = at.time();
    let sign = if offset < 0.0 { '-' } else { '+' };
    let minutes = (offset.abs() / 60.0) as i64;
    let (zone_hours, zone_minutes) = (minutes / 60, minutes % 60);
    let zone = match minutes {
        0 => "Coordinated Universal Time".to_owned(),
        _ => format!("GMT{sign}{zone_hours:02}:{zone_minutes:02}"),
    };
    let (weekday, month) = (WEEKDAYS[at.weekday], MONTHS[at.month as usize - 1]);
    let year = if at.year < 0 {
        format!("-{:06}", -at.year)
    } else {
        format!("{:04}", at.year)
    };
    let day = at.day;
    format!(
        "{weekday} {month} {day:02} {year} {hour:02}:{minute:02}:{second:02} GMT{sign}{zone_hours:02}{zone_minutes:02} ({zone})"
    )
}

/// The years of which time zones are known: dates before and after are shifted by whole cycles of the calendar.
fn shown_year(ms: f64) -> Option<NaiveDateTime> {
    const CYCLE: f64 = 146_097.0 * DAY_MS;
    let cycles = if ms.abs() > 4e15 {
        (ms / CYCLE).trunc()
    } else {
        0.0
    };
    chrono::DateTime::from_timestamp_millis((ms - cycles * CYCLE) as i64).map(|at| at.naive_utc())
}

/// What the methods of a date show of it: year, month (from 0), day, hours, minutes, seconds, milliseconds, day of the week
/// (from Sunday, which is 0). `None` for the invalid date.
pub fn fields(ms: f64, local: bool) -> Option<[f64; 8]> {
    let ahead = match local {
        true => minutes_ahead(ms)? * 60_000.0,
        false => 0.0,
    };
    let at = calendar(ms + ahead)?;
    let (hour, minute, second, ms) = at.time();
    Some(
        [
            at.year,
            at.month - 1,
            at.day,
            hour,
            minute,
            second,
            ms,
            at.weekday as i64,
        ]
        .map(|field| field as f64),
    )
}

/// The date of a year, a month (from 0), a day, hours, minutes, seconds and milliseconds, which may be more than there are;
/// NaN where there is none. How far local time is ahead is asked for at that time in UTC, as QuickJS does.
pub fn of_fields(fields: [f64; 7], local: bool) -> f64 {
    let [year, month, day, hours, minutes, seconds, ms] = fields;
    if !fields.iter().all(|field| field.is_finite()) {
        return f64::NAN;
    }
    let year = year + (month / 12.0).floor();
    if !(-271_821.0..=275_760.0).contains(&year) {
        return f64::NAN;
    }
    let month = month.rem_euclid(12.0);
    let days = days_of(year as i64, month as i64 + 1, 1) as f64 + day - 1.0;
    let time = hours * 3_600_000.0 + minutes * 60_000.0 + seconds * 1000.0 + ms;
    let at = days * DAY_MS + time;
    match local {
        true => minutes_ahead(at).map_or(f64::NAN, |ahead| clip(at - ahead * 60_000.0)),
        false => clip(at),
    }
}

/// How far local time is ahead of UTC then, in whole minutes.
pub fn minutes_ahead(ms: f64) -> Option<f64> {
    Some((local_offset(ms)? / 60.0).trunc())
}

/// How far local time is ahead of UTC then, in seconds.
fn local_offset(ms: f64) -> Option<f64> {
    let utc = shown_year(clip(ms)).filter(|_| !clip(ms).is_nan())?;
    Some(f64::from(
        Local.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
    ))
}

/// The time that local clocks show as this. Of an hour that clocks show twice the first is meant, and one that they skip
/// is counted as if they had not been changed yet.
fn from_local(ms: f64) -> f64 {
    let Some(local) = shown_year(ms) else {
        return f64::NAN;
    };
    let offset = match Local.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
            offset.fix().local_minus_utc()
        }
        MappedLocalTime::None => {
            let before = local - chrono::Duration::hours(3);
            Local
                .offset_from_local_datetime(&before)
                .earliest()
                .map_or(0, |offset| offset.fix().local_minus_utc())
        }
    };
    ms - f64::from(offset) * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iso_texts() {
        for (ms, text) in [
            (0.0, Some("1970-01-01T00:00:00.000Z")),
            (-1.0, Some("1969-12-31T23:59:59.999Z")),
            (1767323045678.9, Some("2026-01-02T03:04:05.678Z")),
            (951782400000.0, Some("2000-02-29T00:00:00.000Z")),
            (4e15, Some("+128724-12-15T07:06:40.000Z")),
            (8.64e15, Some("+275760-09-13T00:00:00.000Z")),
            (-8.64e15, Some("-271821-04-20T00:00:00.000Z")),
            (-62198755200000.0, Some("-000001-01-01T00:00:00.000Z")),
            (8.64e15 + 1.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(iso(ms).as_deref(), text, "{ms}");
        }
    }

    #[test]
    fn texts() {
        assert_eq!(js_string(f64::NAN), "Invalid Date");
        let text = js_string(1767323045678.0);
        assert!(text.contains(" 2026 ") && text.contains(" GMT"), "{text}");
        assert_eq!(parse(&text), 1767323045000.0, "{text}");
    }

    proptest! {
        #[test]
        fn an_iso_text_is_read_the_same(ms in -8_640_000_000_000_000_i64..=8_640_000_000_000_000) {
            let text = iso(ms as f64).expect("a date");
            prop_assert_eq!(parse(&text), ms as f64);
        }

        #[test]
        fn days_are_chronos(days in -100_000_000_i64..100_000_000) {
            let ours = calendar(days as f64 * DAY_MS).map(|at| days_of(at.year, at.month, at.day));
            prop_assert_eq!(ours, Some(days));
            if let Some(theirs) = chrono::DateTime::from_timestamp_millis(days * 86_400_000) {
                let text = iso(days as f64 * DAY_MS).expect("a date");
                prop_assert!(text.contains(&theirs.format("-%m-%dT").to_string()));
            }
        }

        #[test]
        fn local_times_come_back(ms in -2_000_000_000_000_i64..4_000_000_000_000) {
            let (ms, offset) = (ms as f64, local_offset(ms as f64).expect("a date"));
            let back = from_local(ms + offset * 1000.0);
            // (in the hour that comes twice, the first is given)
            prop_assert!(back == ms || (back - ms).abs() <= 7_200_000.0 && local_offset(back) != Some(offset));
        }
    }
}
