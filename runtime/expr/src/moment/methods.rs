//! The methods of what `$moment` gives.

use super::named::Named;
use super::units::{Length, Unit, unit};
use super::{Answer, Arg, Moment, Zone, days_in_month, make, parts_of};
use chrono::Datelike;
use vgdc_value::{Object, Value, date};

/// The names of the methods.
pub(crate) const METHODS: &[&str] = &[
    "format",
    "toISOString",
    "toJSON",
    "toString",
    "valueOf",
    "unix",
    "toDate",
    "isValid",
    "clone",
    "utc",
    "local",
    "tz",
    "utcOffset",
    "isUtc",
    "isUTC",
    "isLocal",
    "add",
    "subtract",
    "startOf",
    "endOf",
    "diff",
    "isBefore",
    "isAfter",
    "isSame",
    "isSameOrBefore",
    "isSameOrAfter",
    "isBetween",
    "year",
    "years",
    "quarter",
    "quarters",
    "month",
    "months",
    "week",
    "weeks",
    "isoWeek",
    "isoWeeks",
    "date",
    "dates",
    "day",
    "days",
    "weekday",
    "isoWeekday",
    "dayOfYear",
    "weekYear",
    "isoWeekYear",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
    "get",
    "set",
    "daysInMonth",
    "isLeapYear",
    "fromNow",
    "from",
    "toNow",
    "to",
    "toArray",
    "toObject",
    "locale",
    "zoneAbbr",
    "zoneName",
];

fn value(value: impl Into<Value>) -> Option<Answer> {
    Some(Answer::Value(value.into()))
}

impl Moment {
    /// Calls a method; `None` when there is none of that name.
    pub(crate) fn call(&self, name: &str, args: &[Arg], now: f64) -> Option<Answer> {
        let text = |n: usize| match args.get(n) {
            Some(Arg::Value(Value::Str(text))) => Some(&**text),
            _ => None,
        };
        match name {
            "format" => value(
                text(0)
                    .filter(|format| !format.is_empty())
                    .map_or_else(|| self.format_plainly(), |format| self.format(format)),
            ),
            "toISOString" | "toJSON" => value(date::iso(self.ms).map_or(Value::Null, Value::from)),
            "toString" => value(self.format("ddd MMM DD YYYY HH:mm:ss [GMT]ZZ")),
            "valueOf" => value(self.ms),
            "unix" => value((self.ms / 1000.0).floor()),
            "toDate" => value(Value::Date(self.ms)),
            "isValid" => value(self.is_valid()),
            "isUtc" | "isUTC" => value(self.zone == Zone::Utc),
            "isLocal" => value(self.zone == Zone::Local),
            "isLeapYear" => {
                value(chrono::NaiveDate::from_ymd_opt(self.civil().year(), 2, 29).is_some())
            }
            "daysInMonth" => value(days_in_month(self.civil().year(), self.civil().month0())),
            "zoneAbbr" => value(self.zone_name(false)),
            "zoneName" => value(self.zone_name(true)),
            "toArray" => value(parts_of(self.civil()).map(Value::from).to_vec()),
            "toObject" => value(self.to_object()),
            "clone" => Some(Answer::Moment(*self)),
            // (English is what there is)
            "locale" => Some(if args.is_empty() {
                Answer::Value(Value::from("en"))
            } else {
                Answer::Moment(*self)
            }),
            "utc" => Some(Answer::Moment(self.in_zone(Zone::Utc))),
            "local" => Some(Answer::Moment(self.in_zone(Zone::Local))),
            "tz" => self.tz(text(0)),
            "utcOffset" => self.utc_offset(args.first()),
            "add" => Some(Answer::Moment(self.plus(length(args), 1.0))),
            "subtract" => Some(Answer::Moment(self.plus(length(args), -1.0))),
            "startOf" => Some(Answer::Moment(
                text(0)
                    .and_then(unit)
                    .map_or(*self, |unit| self.start_of(unit)),
            )),
            "endOf" => Some(Answer::Moment(
                text(0)
                    .and_then(unit)
                    .map_or(*self, |unit| self.end_of(unit)),
            )),
            "diff" => {
                let precisely = matches!(args.get(2), Some(Arg::Value(flag)) if flag.truthy());
                value(self.diff(
                    &make(args.get(..1)?, now),
                    text(1).and_then(unit).unwrap_or(Unit::Milli),
                    precisely,
                ))
            }
            "isBefore" | "isAfter" | "isSame" | "isSameOrBefore" | "isSameOrAfter" => {
                let other = make(args.get(..1).unwrap_or_default(), now);
                value(self.compares(name, &other, text(1).and_then(unit)))
            }
            "isBetween" => self.is_between(args, now),
            "fromNow" => value(self.relative(&Moment::local(now), no_suffix(args.first()))),
            "from" => value(self.relative(&make(args.get(..1)?, now), no_suffix(args.get(1)))),
            "toNow" => value(Moment::local(now).relative(self, no_suffix(args.first()))),
            "to" => value(make(args.get(..1)?, now).relative(self, no_suffix(args.get(1)))),
            "get" => value(self.part(text(0).and_then(unit)?)),
            "set" => self.part_or_set(text(0).and_then(unit)?, args.get(1)),
            name if METHODS.contains(&name) => self.part_or_set(part_of(name)?, args.first()),
            _ => None,
        }
    }

    fn to_object(self) -> Object {
        let names = [
            "years",
            "months",
            "date",
            "hours",
            "minutes",
            "seconds",
            "milliseconds",
        ];
        names.into_iter().zip(parts_of(self.civil())).collect()
    }

    fn tz(&self, name: Option<&str>) -> Option<Answer> {
        let Some(name) = name else {
            let Zone::Named(zone) = self.zone else {
                return value(Value::Undefined);
            };
            return value(zone.name());
        };
        // (moment logs a name that is unknown, and leaves the time as it is)
        let known = Named::of(name);
        Some(Answer::Moment(
            known.map_or(*self, |zone| self.in_zone(Zone::Named(zone))),
        ))
    }

    fn utc_offset(&self, given: Option<&Arg>) -> Option<Answer> {
        let minutes = match given {
            None => {
                return value(if self.is_valid() {
                    self.offset()
                } else {
                    f64::NAN
                });
            }
            Some(Arg::Value(Value::Number(n))) => Some(if n.abs() < 16.0 { n * 60.0 } else { *n }),
            Some(Arg::Value(Value::Str(text))) => super::parse::offset(text),
            Some(_) => None,
        };
        let zone = match minutes {
            Some(0.0) => Zone::Utc,
            Some(minutes) if minutes.abs() <= 1440.0 => Zone::Fixed(minutes as i32),
            _ => return Some(Answer::Moment(*self)),
        };
        Some(Answer::Moment(self.in_zone(zone)))
    }

    fn part_or_set(&self, unit: Unit, given: Option<&Arg>) -> Option<Answer> {
        match given {
            None | Some(Arg::Value(Value::Undefined)) => value(self.part(unit)),
            Some(Arg::Value(given)) => {
                Some(Answer::Moment(self.with_part(unit, given.to_number())))
            }
            Some(Arg::Moment(_)) => Some(Answer::Moment(self.with_part(unit, f64::NAN))),
        }
    }

    fn compares(&self, how: &str, other: &Moment, unit: Option<Unit>) -> bool {
        if !self.is_valid() || !other.is_valid() {
            return false;
        }
        let unit = unit.unwrap_or(Unit::Milli);
        let (start, end) = (self.start_of(unit).ms, self.end_of(unit).ms);
        let same = start <= other.ms && other.ms <= end;
        match how {
            "isBefore" => end < other.ms,
            "isAfter" => other.ms < start,
            "isSame" => same,
            "isSameOrBefore" => same || end < other.ms,
            _ => same || other.ms < start,
        }
    }

    fn is_between(&self, args: &[Arg], now: f64) -> Option<Answer> {
        let (from, to) = (make(args.get(..1)?, now), make(args.get(1..2)?, now));
        let text = |n: usize| match args.get(n) {
            Some(Arg::Value(Value::Str(text))) => Some(&**text),
            _ => None,
        };
        let unit = text(2).and_then(unit);
        let ends = text(3).unwrap_or("()");
        let after = if ends.starts_with('(') {
            self.compares("isAfter", &from, unit)
        } else {
            !self.compares("isBefore", &from, unit)
        };
        let before = if ends.ends_with(')') {
            self.compares("isBefore", &to, unit)
        } else {
            !self.compares("isAfter", &to, unit)
        };
        value(self.is_valid() && from.is_valid() && to.is_valid() && after && before)
    }

    /// The time seen from another: `in 2 hours`, `a day ago`.
    fn relative(&self, from: &Moment, without_suffix: bool) -> String {
        if !self.is_valid() || !from.is_valid() {
            return "Invalid date".to_owned();
        }
        let from = Moment {
            zone: self.zone,
            ..*from
        };
        let (earlier, later) = if self.ms < from.ms {
            (self, &from)
        } else {
            (&from, self)
        };
        let months = later.diff(earlier, Unit::Month, false);
        let rest = (later.ms - earlier.plus_months(months).ms) / 86_400_000.0;
        let words = rough(months, rest);
        match (without_suffix, self.ms > from.ms) {
            (true, _) => words,
            (false, true) => format!("in {words}"),
            (false, false) => format!("{words} ago"),
        }
    }
}

fn no_suffix(arg: Option<&Arg>) -> bool {
    matches!(arg, Some(Arg::Value(flag)) if flag.truthy())
}

/// So many months and days, in words.
fn rough(months: f64, rest_days: f64) -> String {
    let days = (months * 146_097.0 / 4800.0).round() + rest_days;
    let all_months = months + rest_days * 4800.0 / 146_097.0;
    let (seconds, minutes, hours) = (
        (days * 86_400.0).round(),
        (days * 1440.0).round(),
        (days * 24.0).round(),
    );
    let (days, months, years) = (
        days.round(),
        all_months.round(),
        (all_months / 12.0).round(),
    );
    match () {
        () if seconds <= 44.0 => "a few seconds".to_owned(),
        () if minutes <= 1.0 => "a minute".to_owned(),
        () if minutes < 45.0 => format!("{minutes} minutes"),
        () if hours <= 1.0 => "an hour".to_owned(),
        () if hours < 22.0 => format!("{hours} hours"),
        () if days <= 1.0 => "a day".to_owned(),
        () if days < 26.0 => format!("{days} days"),
        () if months <= 1.0 => "a month".to_owned(),
        () if months < 11.0 => format!("{months} months"),
        () if years <= 1.0 => "a year".to_owned(),
        () => format!("{years} years"),
    }
}

/// What `add` and `subtract` are given: a number and a unit (in either order), or `{unit: number}`.
fn length(args: &[Arg]) -> Length {
    let mut length = Length::default();
    let given = |n: usize| match args.get(n) {
        Some(Arg::Value(value)) => value.clone(),
        _ => Value::Undefined,
    };
    match (given(0), given(1)) {
        (Value::Object(parts), _) => {
            for (name, count) in parts.iter() {
                if let Some(unit) = unit(name.as_str()) {
                    length.add(count.to_number(), unit);
                }
            }
        }
        (count, Value::Str(name)) => match (unit(&name), &count) {
            (Some(unit), count) => length.add(count.to_number(), unit),
            // (the older order)
            (None, Value::Str(first)) => {
                if let Some(unit) = unit(first) {
                    length.add(Value::Str(name).to_number(), unit);
                }
            }
            _ => {}
        },
        (Value::Str(name), count) if unit(&name).is_some() => {
            if let Some(unit) = unit(&name) {
                length.add(count.to_number(), unit);
            }
        }
        (count @ (Value::Number(_) | Value::Str(_)), _) => {
            length.add(count.to_number(), Unit::Milli)
        }
        _ => {}
    }
    let finite = |n: f64| if n.is_finite() { n } else { 0.0 };
    Length {
        months: finite(length.months),
        days: finite(length.days),
        millis: finite(length.millis),
    }
}

/// The part that a getter is named for.
fn part_of(name: &str) -> Option<Unit> {
    match name {
        "date" | "dates" => Some(Unit::Date),
        name => unit(name),
    }
}
