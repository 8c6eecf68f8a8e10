//! Times as moment.js has them: what Node-RED's timestamps are formatted with, and what `$moment` gives in JSONata.
//!
//! The locale is English. Durations (`moment.duration`), other locales and `calendar` are not there. An hour that clocks show
//! twice or leap over is taken as JavaScript's `Date` takes it, also where moment-timezone's setters take it otherwise.

mod format;
mod methods;
mod named;
mod parse;
mod units;

pub(crate) use methods::METHODS;

use chrono::{
    DateTime, Datelike, Local, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone,
    Timelike, Utc,
};
use named::Named;
pub use named::zone_at;
use vgdc_value::Value;

/// The times that JavaScript has: 100 million days either side of 1970.
const MAX_MS: f64 = 8.64e15;

/// Where a time is looked at from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Zone {
    /// The process' own.
    Local,
    Utc,
    /// Minutes east of Greenwich.
    Fixed(i32),
    Named(Named),
}

/// A point in time, looked at from a zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Milliseconds since the epoch; NaN for an invalid one.
    ms: f64,
    zone: Zone,
}

/// What a method or `$moment` is given.
pub(crate) enum Arg {
    Moment(Moment),
    Value(Value),
}

/// What a method gives.
pub(crate) enum Answer {
    Moment(Moment),
    Value(Value),
}

/// Formats a time in the process' zone. Tokens that are unknown stay as they are; text in brackets is copied.
pub(crate) fn format(ms: f64, format: &str) -> String {
    Moment::local(ms).format(format)
}

/// `moment(…)`.
pub(crate) fn make(args: &[Arg], now: f64) -> Moment {
    let text = |n: usize| match args.get(n) {
        Some(Arg::Value(Value::Str(text))) => Some(text),
        _ => None,
    };
    let ms = match args.first() {
        None | Some(Arg::Value(Value::Undefined)) => now,
        Some(Arg::Moment(moment)) => return *moment,
        Some(Arg::Value(Value::Number(ms) | Value::Date(ms))) => *ms,
        Some(Arg::Value(Value::Str(given))) => match text(1) {
            Some(format) => {
                let strict = args[1..]
                    .iter()
                    .any(|arg| matches!(arg, Arg::Value(Value::Bool(true))));
                return parse::by_format(given, format, strict, now);
            }
            None => parse::free(given),
        },
        Some(Arg::Value(Value::Array(parts))) => parse::parts(parts, now),
        Some(Arg::Value(Value::Object(parts))) => parse::named_parts(parts, now),
        Some(Arg::Value(_)) => f64::NAN,
    };
    Moment::local(ms)
}

impl Zone {
    /// Minutes east of Greenwich at a time (UTC).
    fn offset_at(self, utc: NaiveDateTime) -> f64 {
        let seconds = match self {
            Zone::Utc => 0,
            Zone::Fixed(minutes) => minutes * 60,
            Zone::Local => Local.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Zone::Named(zone) => zone.seconds_at(utc),
        };
        f64::from(seconds) / 60.0
    }

    /// The time at which clocks of the zone show this. An hour that clocks show twice is its first; one that they leap over
    /// is counted as if they did not leap.
    fn utc_of(self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Zone::Utc => Some(civil),
            Zone::Fixed(minutes) => {
                civil.checked_sub_signed(chrono::TimeDelta::minutes(i64::from(minutes)))
            }
            Zone::Local => match Local.from_local_datetime(&civil) {
                MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => {
                    Some(at.naive_utc())
                }
                MappedLocalTime::None => {
                    let before = civil.checked_sub_signed(chrono::TimeDelta::days(1))?;
                    let offset = Local.offset_from_utc_datetime(&before).fix();
                    civil.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(
                        offset.local_minus_utc(),
                    )))
                }
            },
            Zone::Named(zone) => zone.utc_of(civil),
        }
    }
}

impl Moment {
    /// A time looked at from the process' zone.
    pub(crate) fn local(ms: f64) -> Moment {
        Moment {
            ms,
            zone: Zone::Local,
        }
        .checked()
    }

    /// Milliseconds since the epoch; NaN for an invalid one.
    pub(crate) fn ms(&self) -> f64 {
        self.ms
    }

    fn checked(self) -> Moment {
        let valid = self.ms.abs() <= MAX_MS
            && DateTime::<Utc>::from_timestamp_millis(self.ms as i64).is_some();
        Moment {
            ms: if valid { self.ms.trunc() } else { f64::NAN },
            zone: self.zone,
        }
    }

    fn with_ms(&self, ms: f64) -> Moment {
        Moment {
            ms,
            zone: self.zone,
        }
        .checked()
    }

    fn is_valid(&self) -> bool {
        !self.ms.is_nan()
    }

    fn utc(&self) -> NaiveDateTime {
        DateTime::<Utc>::from_timestamp_millis(self.ms as i64)
            .unwrap_or_default()
            .naive_utc()
    }

    /// Minutes east of Greenwich.
    fn offset(&self) -> f64 {
        self.zone.offset_at(self.utc())
    }

    /// What calendar and clock of the zone show.
    fn civil(&self) -> NaiveDateTime {
        let shifted = self.ms + self.offset() * 60_000.0;
        DateTime::<Utc>::from_timestamp_millis(shifted as i64)
            .unwrap_or_default()
            .naive_utc()
    }

    /// The time at which calendar and clock of the zone show this.
    fn at_civil(&self, civil: Option<NaiveDateTime>) -> Moment {
        let utc = civil.and_then(|civil| self.zone.utc_of(civil));
        self.with_ms(utc.map_or(f64::NAN, |utc| utc.and_utc().timestamp_millis() as f64))
    }

    fn at_date(&self, date: Option<NaiveDate>) -> Moment {
        self.at_civil(date.map(|date| date.and_time(self.civil().time())))
    }
}

/// The time at which clocks of a zone show year, month (from 0), day, hour, minute, second, millisecond; what is too large
/// runs over into the next larger, as in JavaScript.
fn from_parts(parts: [f64; 7], zone: Zone) -> Moment {
    let moment = Moment { ms: 0.0, zone };
    let [year, month, day, hour, minute, second, milli] = parts;
    if parts.iter().any(|part| !part.is_finite()) {
        return moment.with_ms(f64::NAN);
    }
    let months = year * 12.0 + month;
    let (year, month) = (months.div_euclid(12.0), months.rem_euclid(12.0));
    let first = (year.abs() < 270_000.0)
        .then(|| NaiveDate::from_ymd_opt(year as i32, month as u32 + 1, 1))
        .flatten();
    let millis = (((day - 1.0) * 24.0 + hour) * 60.0 + minute) * 60_000.0 + second * 1000.0 + milli;
    let civil = first
        .and_then(|first| first.and_hms_opt(0, 0, 0))
        .and_then(|first| {
            first.checked_add_signed(chrono::TimeDelta::try_milliseconds(millis as i64)?)
        });
    moment.at_civil(civil)
}

/// Year, month (from 0), day, hour, minute, second, millisecond.
fn parts_of(civil: NaiveDateTime) -> [f64; 7] {
    [
        f64::from(civil.year()),
        f64::from(civil.month0()),
        f64::from(civil.day()),
        f64::from(civil.hour()),
        f64::from(civil.minute()),
        f64::from(civil.second()),
        f64::from(civil.and_utc().timestamp_subsec_millis()),
    ]
}

fn days_in_month(year: i32, month0: u32) -> u32 {
    let next = if month0 == 11 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month0 + 2, 1)
    };
    next.and_then(|next| next.pred_opt())
        .map_or(31, |last| last.day())
}
