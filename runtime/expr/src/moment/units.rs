//! Units of time by moment.js's names, arithmetic with them.

use super::{Moment, Zone, days_in_month, from_parts, parts_of};
use chrono::{Datelike, NaiveDate, TimeDelta};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    IsoWeek,
    Day,
    /// The day of the month.
    Date,
    Weekday,
    IsoWeekday,
    DayOfYear,
    WeekYear,
    IsoWeekYear,
    Hour,
    Minute,
    Second,
    Milli,
}

/// A unit of a name (`days`, `day`, `d`).
pub(super) fn unit(name: &str) -> Option<Unit> {
    let short = |name: &str| {
        Some(match name {
            "Q" => Unit::Quarter,
            "M" => Unit::Month,
            "W" => Unit::IsoWeek,
            "D" => Unit::Date,
            "E" => Unit::IsoWeekday,
            "DDD" => Unit::DayOfYear,
            "GG" => Unit::IsoWeekYear,
            _ => return None,
        })
    };
    let long = |name: &str| {
        Some(match name {
            "y" | "year" | "years" => Unit::Year,
            "quarter" | "quarters" => Unit::Quarter,
            "month" | "months" => Unit::Month,
            "w" | "week" | "weeks" => Unit::Week,
            "isoweek" | "isoweeks" => Unit::IsoWeek,
            "d" | "day" | "days" => Unit::Day,
            "date" | "dates" => Unit::Date,
            "e" | "weekday" | "weekdays" => Unit::Weekday,
            "isoweekday" | "isoweekdays" => Unit::IsoWeekday,
            "dayofyear" | "dayofyears" => Unit::DayOfYear,
            "gg" | "weekyear" | "weekyears" => Unit::WeekYear,
            "isoweekyear" | "isoweekyears" => Unit::IsoWeekYear,
            "h" | "hour" | "hours" => Unit::Hour,
            "m" | "minute" | "minutes" => Unit::Minute,
            "s" | "second" | "seconds" => Unit::Second,
            "ms" | "millisecond" | "milliseconds" => Unit::Milli,
            _ => return None,
        })
    };
    short(name)
        .or_else(|| long(name))
        .or_else(|| long(&name.to_lowercase()))
}

/// A length of time: months and days are counted by the calendar.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Length {
    pub(super) months: f64,
    pub(super) days: f64,
    pub(super) millis: f64,
}

impl Length {
    pub(super) fn add(&mut self, count: f64, unit: Unit) {
        match unit {
            Unit::Year => self.months += count * 12.0,
            Unit::Quarter => self.months += count * 3.0,
            Unit::Month => self.months += count,
            Unit::Week | Unit::IsoWeek => self.days += count * 7.0,
            Unit::Day => self.days += count,
            Unit::Hour => self.millis += count * 3_600_000.0,
            Unit::Minute => self.millis += count * 60_000.0,
            Unit::Second => self.millis += count * 1000.0,
            Unit::Milli => self.millis += count,
            _ => {}
        }
    }
}

/// To the nearest, halves away from zero.
fn round(n: f64) -> f64 {
    n.abs().round().copysign(n)
}

impl Moment {
    /// `add`, or with `sign` -1 `subtract`.
    pub(super) fn plus(&self, length: Length, sign: f64) -> Moment {
        if !self.is_valid() {
            return *self;
        }
        let mut moment = *self;
        let (months, days) = (round(length.months) * sign, round(length.days) * sign);
        if months != 0.0 {
            moment = moment.plus_months(months);
        }
        if days != 0.0 {
            let civil = TimeDelta::try_days(days as i64)
                .and_then(|days| moment.civil().checked_add_signed(days));
            moment = moment.at_civil(civil);
        }
        moment.with_ms(moment.ms + length.millis * sign)
    }

    /// So many months later, on the last day of a month that is too short.
    pub(super) fn plus_months(&self, months: f64) -> Moment {
        let civil = self.civil();
        let count = f64::from(civil.year()) * 12.0 + f64::from(civil.month0()) + months;
        if count.abs() > 4e6 {
            return self.with_ms(f64::NAN);
        }
        let (year, month0) = (count.div_euclid(12.0) as i32, count.rem_euclid(12.0) as u32);
        let day = civil.day().min(days_in_month(year, month0));
        self.at_date(NaiveDate::from_ymd_opt(year, month0 + 1, day))
    }

    /// `startOf`.
    pub(super) fn start_of(&self, unit: Unit) -> Moment {
        if !self.is_valid() {
            return *self;
        }
        let civil = self.civil();
        let midnight = |date: Option<NaiveDate>| {
            self.at_civil(date.and_then(|date| date.and_hms_opt(0, 0, 0)))
        };
        let days_before = |days: u32| {
            midnight(
                civil
                    .date()
                    .checked_sub_signed(TimeDelta::days(i64::from(days))),
            )
        };
        let within = |length: f64, offset: f64| {
            self.with_ms(self.ms - (self.ms + offset).rem_euclid(length))
        };
        match unit {
            Unit::Year => midnight(NaiveDate::from_ymd_opt(civil.year(), 1, 1)),
            Unit::Quarter => midnight(NaiveDate::from_ymd_opt(
                civil.year(),
                civil.month0() / 3 * 3 + 1,
                1,
            )),
            Unit::Month => midnight(civil.date().with_day(1)),
            Unit::Week => days_before(civil.weekday().num_days_from_sunday()),
            Unit::IsoWeek => days_before(civil.weekday().num_days_from_monday()),
            Unit::Day | Unit::Date => midnight(Some(civil.date())),
            Unit::Hour => within(3_600_000.0, self.offset() * 60_000.0),
            Unit::Minute => within(60_000.0, 0.0),
            Unit::Second => within(1000.0, 0.0),
            _ => *self,
        }
    }

    /// `endOf`.
    pub(super) fn end_of(&self, unit: Unit) -> Moment {
        let mut length = Length::default();
        match unit {
            Unit::Year | Unit::Quarter | Unit::Month | Unit::Week | Unit::IsoWeek | Unit::Day => {
                length.add(1.0, unit)
            }
            Unit::Date => length.add(1.0, Unit::Day),
            Unit::Hour | Unit::Minute | Unit::Second => length.add(1.0, unit),
            _ => return *self,
        }
        let next = self.start_of(unit).plus(length, 1.0);
        next.with_ms(next.ms - 1.0)
    }

    /// Reads a part of the date or the time.
    pub(super) fn part(&self, unit: Unit) -> f64 {
        if !self.is_valid() {
            return f64::NAN;
        }
        let civil = self.civil();
        let [year, month, day, hour, minute, second, milli] = parts_of(civil);
        match unit {
            Unit::Year => year,
            Unit::Quarter => (month / 3.0).floor() + 1.0,
            Unit::Month => month,
            Unit::Week => f64::from(super::format::week_of(&civil).1),
            Unit::WeekYear => f64::from(super::format::week_of(&civil).0),
            Unit::IsoWeek => f64::from(civil.iso_week().week()),
            Unit::IsoWeekYear => f64::from(civil.iso_week().year()),
            Unit::Day | Unit::Weekday => f64::from(civil.weekday().num_days_from_sunday()),
            Unit::IsoWeekday => f64::from(civil.weekday().number_from_monday()),
            Unit::DayOfYear => f64::from(civil.ordinal()),
            Unit::Date => day,
            Unit::Hour => hour,
            Unit::Minute => minute,
            Unit::Second => second,
            Unit::Milli => milli,
        }
    }

    /// Sets a part of the date or the time.
    pub(super) fn with_part(&self, unit: Unit, value: f64) -> Moment {
        if !self.is_valid() || !value.is_finite() {
            return self.with_ms(f64::NAN);
        }
        let mut parts = parts_of(self.civil());
        let difference = value - self.part(unit);
        match unit {
            Unit::Year => return self.plus_months(difference * 12.0),
            Unit::Month => return self.plus_months(difference),
            Unit::Quarter => return self.plus_months(difference * 3.0),
            Unit::Week | Unit::IsoWeek => parts[2] += difference * 7.0,
            Unit::Day | Unit::Weekday | Unit::DayOfYear => parts[2] += difference,
            // (Sunday is the last day of its week)
            Unit::IsoWeekday => parts[2] += difference,
            Unit::WeekYear | Unit::IsoWeekYear => return *self,
            Unit::Date => parts[2] = value,
            Unit::Hour => parts[3] = value,
            Unit::Minute => return self.with_ms(self.ms + difference * 60_000.0),
            Unit::Second => return self.with_ms(self.ms + difference * 1000.0),
            Unit::Milli => return self.with_ms(self.ms + difference),
        }
        from_parts(parts, self.zone)
    }

    /// `diff`.
    pub(super) fn diff(&self, other: &Moment, unit: Unit, precisely: bool) -> f64 {
        let other = Moment {
            zone: self.zone,
            ..*other
        };
        if !self.is_valid() || !other.is_valid() {
            return f64::NAN;
        }
        let millis = self.ms - other.ms;
        let clock_change = (other.offset() - self.offset()) * 60_000.0;
        let exact = match unit {
            Unit::Year => month_diff(self, &other) / 12.0,
            Unit::Quarter => month_diff(self, &other) / 3.0,
            Unit::Month => month_diff(self, &other),
            Unit::Week => (millis - clock_change) / 604_800_000.0,
            Unit::Day => (millis - clock_change) / 86_400_000.0,
            Unit::Hour => millis / 3_600_000.0,
            Unit::Minute => millis / 60_000.0,
            Unit::Second => millis / 1000.0,
            _ => millis,
        };
        let result = if precisely { exact } else { exact.trunc() };
        if result == 0.0 { 0.0 } else { result }
    }

    /// The time as it is in another zone.
    pub(super) fn in_zone(&self, zone: Zone) -> Moment {
        Moment { zone, ..*self }
    }
}

/// Months from `b` to `a`, with the part of the last one.
fn month_diff(a: &Moment, b: &Moment) -> f64 {
    if a.part(Unit::Date) < b.part(Unit::Date) {
        return -month_diff(b, a);
    }
    let whole = (b.part(Unit::Year) - a.part(Unit::Year)) * 12.0
        + (b.part(Unit::Month) - a.part(Unit::Month));
    let anchor = a.plus_months(whole);
    let rest = if b.ms - anchor.ms < 0.0 {
        (b.ms - anchor.ms) / (anchor.ms - a.plus_months(whole - 1.0).ms)
    } else {
        (b.ms - anchor.ms) / (a.plus_months(whole + 1.0).ms - anchor.ms)
    };
    -(whole + rest)
}
