//! Time zones by name, from the IANA database that is part of the program: what a flow says does not depend on the machine.

use chrono::{NaiveDateTime, TimeDelta};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A zone of the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named(&'static TimeZone);

impl PartialEq for Named {
    fn eq(&self, other: &Named) -> bool {
        self.name() == other.name()
    }
}

impl Named {
    /// The zone of a name, in whatever case.
    pub(super) fn of(name: &str) -> Option<Named> {
        // (each zone is kept once it was asked for: there are some 600)
        static KNOWN: Mutex<BTreeMap<String, &'static TimeZone>> = Mutex::new(BTreeMap::new());
        static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
        let found = DATABASE
            .get_or_init(TimeZoneDatabase::bundled)
            .get(name)
            .ok()?;
        let own = found.iana_name().unwrap_or(name).to_owned();
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let zone = known
            .entry(own)
            .or_insert_with(|| Box::leak(Box::new(found)));
        Some(Named(zone))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.0.iana_name().unwrap_or_default()
    }

    /// Seconds east of Greenwich at a time (UTC).
    pub(super) fn seconds_at(self, utc: NaiveDateTime) -> i32 {
        self.0.to_offset(timestamp(utc)).seconds()
    }

    /// What the zone's time is called at a time (UTC): `CEST`, `-03`.
    pub(super) fn abbreviation_at(self, utc: NaiveDateTime) -> String {
        let info = self.0.to_offset_info(timestamp(utc));
        info.abbreviation().to_owned()
    }

    /// The time at which clocks of the zone show this. An hour that clocks show twice is its first; one that they leap over
    /// is counted as if they did not leap.
    pub(super) fn utc_of(self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = TimeDelta::days(1);
        let [before, after] = [
            civil.checked_sub_signed(day)?,
            civil.checked_add_signed(day)?,
        ]
        .map(|near| self.seconds_at(near));
        let with = |seconds: i32| civil.checked_sub_signed(TimeDelta::seconds(seconds.into()));
        for seconds in [before, after] {
            let utc = with(seconds)?;
            if self.seconds_at(utc) == seconds {
                return Some(utc);
            }
        }
        with(before)
    }
}

/// A zone's own name, its seconds east of Greenwich and what its time is called at a time (milliseconds since the epoch);
/// `None` where there is no zone of this name.
pub fn zone_at(name: &str, at_ms: f64) -> Option<(&'static str, i32, String)> {
    let zone = Named::of(name)?;
    let utc = chrono::DateTime::from_timestamp_millis(at_ms as i64)?.naive_utc();
    Some((zone.name(), zone.seconds_at(utc), zone.abbreviation_at(utc)))
}

/// A time for the database, which knows the years from -9999 to 9999; beyond them nothing changes any more.
fn timestamp(utc: NaiveDateTime) -> Timestamp {
    let seconds = utc.and_utc().timestamp();
    let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(least, most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().expect("a time")
    }

    #[test]
    fn zones_have_their_own_names_in_whatever_case() {
        assert_eq!(
            Named::of("europe/berlin").map(Named::name),
            Some("Europe/Berlin")
        );
        assert_eq!(Named::of("US/Eastern").map(Named::name), Some("US/Eastern"));
        assert_eq!(Named::of("Europe/Nowhere"), None);
        assert_eq!(Named::of("Asia/Tokyo"), Named::of("asia/tokyo"));
    }

    #[test]
    fn an_hour_that_is_there_twice_is_the_first_and_one_that_is_not_is_counted_through() {
        let zone = Named::of("Europe/Berlin").expect("a zone");
        for (civil, utc) in [
            ("2024-01-15T12:00:00", "2024-01-15T11:00:00"),
            ("2024-07-15T12:00:00", "2024-07-15T10:00:00"),
            ("2024-10-27T02:30:00", "2024-10-27T00:30:00"),
            ("2024-10-27T03:00:00", "2024-10-27T02:00:00"),
            ("2024-03-31T02:30:00", "2024-03-31T01:30:00"),
            ("2024-03-31T03:00:00", "2024-03-31T01:00:00"),
        ] {
            assert_eq!(zone.utc_of(at(civil)), Some(at(utc)), "{civil}");
        }
        assert_eq!(zone.abbreviation_at(at("2024-07-15T12:00:00")), "CEST");
        let zone = Named::of("America/Sao_Paulo").expect("a zone");
        assert_eq!(zone.abbreviation_at(at("2024-07-15T12:00:00")), "-03");
    }

    #[test]
    fn far_times_have_an_offset() {
        let zone = Named::of("Asia/Kolkata").expect("a zone");
        for far in ["+200000-01-01T00:00:00", "-200000-01-01T00:00:00"] {
            assert!(zone.seconds_at(at(far)) > 19_000, "{far}");
        }
    }
}
