//! Cron expressions as Node-RED's inject form writes them and its users type them: five to seven fields (seconds and years are
//! optional), names, lists, steps, ranges that wrap around (`22-2`, `fri-mon`), `L`, `W`, `#`, and `@daily` and its like.
//!
//! The crate `croner` finds the times, in the machine's time zone; what it does not know of this language is first rewritten
//! into what it knows.

use chrono::{DateTime, Local, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A schedule.
pub struct Schedule {
    cron: Cron,
}

impl Schedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(expression: &str) -> Result<Schedule, String> {
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .sloppy_ranges(true)
            .build();
        let text = rewritten(expression);
        let cron = parser
            .parse(&text)
            .map_err(|e| format!("invalid cron expression \"{expression}\": {e}"))?;
        Ok(Schedule { cron })
    }

    /// The first time after `now` (both in milliseconds since the epoch), in the machine's time zone; `None` when there is
    /// none any more.
    pub fn next_after(&self, now: f64) -> Option<f64> {
        self.next_in(&Local, now)
    }

    fn next_in<Z: TimeZone>(&self, zone: &Z, now: f64) -> Option<f64>
    where
        Z::Offset: Send,
    {
        let now: DateTime<Utc> = DateTime::from_timestamp_millis(now as i64)?;
        let next = self
            .cron
            .find_next_occurrence(&now.with_timezone(zone), false)
            .ok()?;
        Some(next.timestamp_millis() as f64)
    }
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Values of a field, and how its items may end.
struct Field {
    first: u32,
    last: u32,
    wraps: bool,
    day_of_month: bool,
    names: &'static [&'static str],
}

const TIME: Field = Field {
    first: 0,
    last: 59,
    wraps: true,
    day_of_month: false,
    names: &[],
};

fn field(index: usize) -> Option<Field> {
    Some(match index {
        0 | 1 => TIME,
        2 => Field { last: 23, ..TIME },
        3 => Field {
            first: 1,
            last: 31,
            wraps: false,
            day_of_month: true,
            names: &[],
        },
        4 => Field {
            first: 1,
            last: 12,
            names: &MONTHS,
            ..TIME
        },
        5 => Field {
            last: 6,
            names: &DAYS,
            ..TIME
        },
        _ => return None,
    })
}

fn rewritten(expression: &str) -> String {
    let text = expression.trim().to_lowercase();
    if text == "@midnight" {
        return "@daily".to_owned();
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    // (without seconds, the first field is the minute)
    let shift = usize::from(fields.len() == 5);
    let fields = fields
        .iter()
        .enumerate()
        .map(|(index, text)| match field(index + shift) {
            Some(field) => text
                .split(',')
                .map(|item| field.rewrite(item))
                .collect::<Vec<_>>()
                .join(","),
            None => (*text).to_owned(),
        });
    fields.collect::<Vec<_>>().join(" ")
}

impl Field {
    fn rewrite(&self, item: &str) -> String {
        let mut item = item.to_owned();
        for (number, name) in self.names.iter().enumerate() {
            item = item.replace(name, &(number as u32 + self.first).to_string());
        }
        self.enumerate(&item).unwrap_or(item)
    }

    /// A range that wraps around, or one of nearest weekdays, as a list.
    fn enumerate(&self, item: &str) -> Option<String> {
        let end = item.find(['#', 'l', 'w']).unwrap_or(item.len());
        let (range, suffix) = item.split_at(end);
        let (range, step) = match range.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (range, 1),
        };
        let (from, to) = range.split_once('-')?;
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        let inside = |value| (self.first..=self.last).contains(&value);
        let wraps = self.wraps && from > to;
        let weekdays = self.day_of_month && suffix == "w" && from <= to;
        if !inside(from) || !inside(to) || !(wraps || weekdays) {
            return None;
        }
        let size = self.last - self.first + 1;
        let length = (to + size - from) % size;
        let values = (0..=length)
            .step_by(step as usize)
            .map(|at| self.first + (from - self.first + at) % size);
        Some(
            values
                .map(|value| format!("{value}{suffix}"))
                .collect::<Vec<_>>()
                .join(","),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first times after 2026-02-10T12:34:56Z, as cronosjs gives them.
    const CASES: &[(&str, &[&str])] = &[
        (
            "0 22-2 * * *",
            &[
                "02-10T22:00:00",
                "02-10T23:00:00",
                "02-11T00:00:00",
                "02-11T01:00:00",
                "02-11T02:00:00",
            ],
        ),
        ("5/20 * * * *", &["02-10T12:45:00", "02-10T13:05:00"]),
        ("0 0 L * *", &["02-28T00:00:00", "03-31T00:00:00"]),
        (
            "0 0 LW * *",
            &[
                "02-27T00:00:00",
                "03-31T00:00:00",
                "04-30T00:00:00",
                "05-29T00:00:00",
            ],
        ),
        ("0 0 15W * *", &["02-16T00:00:00", "03-16T00:00:00"]),
        (
            "0 0 1-5W * *",
            &[
                "03-02T00:00:00",
                "03-03T00:00:00",
                "03-04T00:00:00",
                "03-05T00:00:00",
            ],
        ),
        ("0 0 * * 5L", &["02-27T00:00:00", "03-27T00:00:00"]),
        ("0 0 * * SunL", &["02-22T00:00:00", "03-29T00:00:00"]),
        ("0 0 * * 1#2", &["03-09T00:00:00", "04-13T00:00:00"]),
        (
            "0 0 * * 5-1",
            &[
                "02-13T00:00:00",
                "02-14T00:00:00",
                "02-15T00:00:00",
                "02-16T00:00:00",
                "02-20T00:00:00",
            ],
        ),
        (
            "0 0 * * fri-mon/2",
            &["02-13T00:00:00", "02-15T00:00:00", "02-20T00:00:00"],
        ),
        ("0 0 1 nov-feb *", &["11-01T00:00:00", "12-01T00:00:00"]),
        ("0 0 ? * ?", &["02-11T00:00:00"]),
        ("@midnight", &["02-11T00:00:00"]),
        ("@hourly", &["02-10T13:00:00"]),
        (
            "0 0 1 * 1",
            &[
                "02-16T00:00:00",
                "02-23T00:00:00",
                "03-01T00:00:00",
                "03-02T00:00:00",
            ],
        ),
        (
            "0 0 */2 * 1",
            &[
                "02-11T00:00:00",
                "02-13T00:00:00",
                "02-15T00:00:00",
                "02-16T00:00:00",
            ],
        ),
        (
            "*/10 9-17 * * 1,2,3",
            &["02-10T12:40:00", "02-10T12:50:00", "02-10T13:00:00"],
        ),
        ("*/5 * * * * *", &["02-10T12:35:00", "02-10T12:35:05"]),
        ("00 12 * * *", &["02-11T12:00:00"]),
    ];

    #[test]
    fn finds_the_times_that_node_red_would() {
        for (expression, expected) in CASES {
            let schedule = match Schedule::parse(expression) {
                Ok(schedule) => schedule,
                Err(error) => panic!("{error}"),
            };
            let mut now = 1_770_726_896_000.0;
            for expected in *expected {
                let next = schedule.next_in(&Utc, now);
                let text = next
                    .and_then(vgdc_core::value::date::iso)
                    .unwrap_or_default();
                assert_eq!(text, format!("2026-{expected}.000Z"), "{expression}");
                now = next.unwrap_or_default();
            }
        }
    }

    #[test]
    fn ends_when_its_year_is_over() {
        let Ok(schedule) = Schedule::parse("0 0 0 1 1 * 2030") else {
            panic!("a valid expression")
        };
        let once = schedule.next_in(&Utc, 1_770_726_896_000.0);
        assert_eq!(
            once.and_then(vgdc_core::value::date::iso).as_deref(),
            Some("2030-01-01T00:00:00.000Z")
        );
        assert_eq!(schedule.next_in(&Utc, once.unwrap_or_default()), None);
    }

    #[test]
    fn refuses_what_is_none() {
        for expression in [
            "",
            "* * *",
            "61 * * * *",
            "a b c d e",
            "* * * * * * * *",
            "5-1 2",
        ] {
            assert!(Schedule::parse(expression).is_err(), "{expression}");
        }
    }
}
