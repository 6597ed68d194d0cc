//! Shifts: the breach log is read and signed shift by shift.
//!
//! Handover times are wall-clock times. Where clocks change they follow the agreements' rule: a time inside the gap
//! happens at the gap's end; a time that occurs twice is a start at the second and so the end of the one before.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// A shift, from its start to the next one's start; or several in a row, where they are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// When it starts; it belongs to the shift.
    pub from: DateTime<Utc>,
    /// When the next starts; it does not.
    pub to: DateTime<Utc>,
}

/// The instant of a wall-clock time.
pub(crate) fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(_, at) => at.with_timezone(&Utc),
        MappedLocalTime::None => chrono_tz::GapInfo::new(&local, &zone)
            .and_then(|gap| gap.end)
            .map_or_else(|| local.and_utc(), |end| end.with_timezone(&Utc)),
    }
}

/// Every handover around a day, in order. A home without shifts has one a day, at midnight.
fn handovers(shifts: &[NaiveTime], zone: Tz, day: NaiveDate) -> Vec<DateTime<Utc>> {
    let times = if shifts.is_empty() { &[NaiveTime::MIN][..] } else { shifts };
    let days = [day.checked_sub_days(Days::new(2)), day.pred_opt(), Some(day), day.succ_opt()];
    let mut all: Vec<_> = days
        .into_iter()
        .flatten()
        .flat_map(|d| times.iter().map(move |t| instant(zone, d.and_time(*t))))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The shift that an instant falls in.
pub fn at(shifts: &[NaiveTime], zone: Tz, when: DateTime<Utc>) -> Shift {
    let all = handovers(shifts, zone, when.with_timezone(&zone).date_naive());
    let next = all.partition_point(|h| *h <= when);
    let from = next.checked_sub(1).and_then(|i| all.get(i)).copied().unwrap_or(when);
    Shift { from, to: all.get(next).copied().unwrap_or(when) }
}

/// The last shift that is over: what a handover is about.
pub fn last(shifts: &[NaiveTime], zone: Tz, now: DateTime<Utc>) -> Shift {
    let current = at(shifts, zone, now);
    at(shifts, zone, current.from - chrono::TimeDelta::milliseconds(1))
}

/// The shift that a wall-clock time falls in (`--shift 2026-11-22/21:30`).
pub fn on(shifts: &[NaiveTime], zone: Tz, date: NaiveDate, time: NaiveTime) -> Shift {
    at(shifts, zone, instant(zone, date.and_time(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFTS: [(u32, u32); 3] = [(7, 30), (14, 30), (21, 30)];

    fn check(shifts: &[(u32, u32)], cases: &[(&str, &str, &str, &str)]) {
        let shifts: Vec<_> = shifts.iter().map(|&(h, m)| NaiveTime::from_hms_opt(h, m, 0).unwrap()).collect();
        for (name, when, from, to) in cases {
            let shift = at(&shifts, chrono_tz::Europe::London, when.parse().unwrap());
            let want = Shift { from: from.parse().unwrap(), to: to.parse().unwrap() };
            assert_eq!(shift, want, "{name}");
        }
    }

    #[test]
    fn shifts_of_a_day_and_of_the_days_that_clocks_change() {
        check(
            &SHIFTS,
            &[
                ("afternoon", "2026-11-22T18:00:00Z", "2026-11-22T14:30:00Z", "2026-11-22T21:30:00Z"),
                ("at_the_handover", "2026-11-22T21:30:00Z", "2026-11-22T21:30:00Z", "2026-11-23T07:30:00Z"),
                ("just_before_it", "2026-11-22T21:29:59Z", "2026-11-22T14:30:00Z", "2026-11-22T21:30:00Z"),
                ("after_midnight", "2026-11-23T02:00:00Z", "2026-11-22T21:30:00Z", "2026-11-23T07:30:00Z"),
                ("summer", "2026-07-01T10:00:00Z", "2026-07-01T06:30:00Z", "2026-07-01T13:30:00Z"),
                (
                    "short_night_of_march",
                    "2026-03-29T02:00:00Z",
                    "2026-03-28T21:30:00Z",
                    "2026-03-29T06:30:00Z",
                ),
                (
                    "long_night_of_october",
                    "2026-10-25T02:00:00Z",
                    "2026-10-24T20:30:00Z",
                    "2026-10-25T07:30:00Z",
                ),
            ],
        );
        check(
            &[(1, 30)],
            &[
                ("in_the_gap", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
                ("before_the_gap", "2026-03-29T00:59:59Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"),
                (
                    "twice_starts_at_the_second",
                    "2026-10-25T01:00:00Z",
                    "2026-10-24T00:30:00Z",
                    "2026-10-25T01:30:00Z",
                ),
            ],
        );
        check(&[], &[("no_shifts", "2026-11-22T18:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")]);
    }

    #[test]
    fn the_last_shift_is_the_one_that_is_over() {
        let shifts: Vec<_> = SHIFTS.iter().map(|&(h, m)| NaiveTime::from_hms_opt(h, m, 0).unwrap()).collect();
        let shift = last(&shifts, chrono_tz::Europe::London, "2026-11-23T07:35:00Z".parse().unwrap());
        assert_eq!(shift.from, "2026-11-22T21:30:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(shift.to, "2026-11-23T07:30:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
