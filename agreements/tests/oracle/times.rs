//! Times as the language's page has them: civil time is jiff's, days are looked up entry by entry.

use crate::days::{Clock, Date, Day, Table};
use crate::plan::Plan;
use jiff::civil::{self, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::collections::HashMap;

/// Stretches of time, in seconds, sorted by when they begin.
#[derive(Default)]
pub(crate) struct Stretches(Vec<(i64, i64)>);

impl Stretches {
    pub(crate) fn hold(&self, at: i64) -> bool {
        // Windows of a day that runs past midnight may meet those of the next: look at the few that began before.
        let next = self.0.partition_point(|(opens, _)| *opens <= at);
        self.0[next.saturating_sub(6)..next].iter().any(|(_, closes)| at < *closes)
    }

    pub(crate) fn ends(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flat_map(|(opens, closes)| [*opens, *closes])
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Boundary {
    Opening,
    Closing,
}

/// A home's calendar.
pub(crate) struct Times<'p> {
    plan: &'p Plan,
    zone: TimeZone,
    pub(crate) school: Stretches,
    /// When each of the home's days starts, and which day it is.
    starts: Vec<(i64, civil::Date)>,
}

impl<'p> Times<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let zone = TimeZone::get("Europe/London").unwrap();
        let mut times = Self { plan, zone, school: Stretches::default(), starts: Vec::new() };
        for day in all_days() {
            let start = times.instant(day, plan.day_starts, Boundary::Opening);
            times.starts.push((start, day));
            if times.school_day(day) {
                let short = plan.short_friday && day.weekday() == Weekday::Friday;
                let end = if short { 12 * 60 } else { plan.hours.1 };
                let opens = times.instant(day, plan.hours.0, Boundary::Opening);
                times.school.0.push((opens, times.instant(day, end, Boundary::Closing)));
            }
        }
        times
    }

    /// When somebody with these tables is online.
    pub(crate) fn online(&self, online: &Table<Vec<(Clock, Clock)>>, bedtime: &Table<Clock>) -> Stretches {
        let mut stretches = Vec::new();
        for day in all_days() {
            let bedtime = self.entry(day, bedtime).map(|at| {
                let minutes = if at < 12 * 60 { at + 1440 } else { at };
                self.instant(day, minutes, Boundary::Closing)
            });
            for (from, to) in self.entry(day, online).unwrap_or_default() {
                let opens = self.instant(day, from, Boundary::Opening);
                let closes = self.instant(day, to, Boundary::Closing);
                let closes = bedtime.map_or(closes, |bedtime| closes.min(bedtime));
                if opens < closes {
                    stretches.push((opens, closes));
                }
            }
        }
        stretches.sort_unstable();
        Stretches(stretches)
    }

    /// The home's day at an instant.
    pub(crate) fn day(&self, at: i64) -> civil::Date {
        self.starts[self.starts.partition_point(|(start, _)| *start <= at) - 1].1
    }

    pub(crate) fn day_starts(&self) -> impl Iterator<Item = i64> {
        self.starts.iter().map(|(start, _)| *start)
    }

    /// The entry that gives the whole day: the first rank that has the day.
    pub(crate) fn entry<T: Clone>(&self, day: civil::Date, table: &Table<T>) -> Option<T> {
        (0..8).find_map(|rank| {
            table.iter().find(|(d, _)| rank_of(d) == rank && self.covers(d, day)).map(|(_, v)| v.clone())
        })
    }

    fn covers(&self, entry: &Day, day: civil::Date) -> bool {
        let of_week = day.weekday().to_monday_zero_offset() as u8;
        match entry {
            Day::Date(d) => civil_date(*d) == day,
            Day::Range(a, b) => civil_date(*a) <= day && day <= civil_date(*b),
            Day::SchoolNights => self.school_day(day.tomorrow().unwrap()),
            Day::SchoolDays => self.school_day(day),
            Day::Holidays => of_week < 5 && !self.school_day(day),
            Day::Named(days) => days.contains(&of_week),
            Day::Weekdays => of_week < 5,
            Day::Weekends => of_week >= 5,
            Day::EveryDay => true,
        }
    }

    fn school_day(&self, day: civil::Date) -> bool {
        let term = self.plan.terms.iter().any(|(a, b)| civil_date(*a) <= day && day <= civil_date(*b));
        let off = self.plan.days_off.iter().any(|d| civil_date(*d) == day);
        let holiday = self.plan.bank_holidays && bank_holidays(day.year()).contains(&day);
        term && !off && !holiday && day.weekday().to_monday_zero_offset() < 5
    }

    /// A wall-clock time as an instant: a gap's end; of two, the later opening and the earlier closing.
    fn instant(&self, day: civil::Date, minutes: Clock, boundary: Boundary) -> i64 {
        let day = if minutes >= 1440 { day.tomorrow().unwrap() } else { day };
        let minutes = minutes % 1440;
        let wall = day.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        match (ambiguous.offset(), boundary) {
            (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.unambiguous().unwrap().as_second(),
            (AmbiguousOffset::Fold { .. }, Boundary::Opening) => ambiguous.later().unwrap().as_second(),
            (AmbiguousOffset::Fold { .. }, Boundary::Closing) => ambiguous.earlier().unwrap().as_second(),
            (AmbiguousOffset::Gap { .. }, _) => {
                let after = ambiguous.later().unwrap() + jiff::Span::new().seconds(1);
                self.zone.preceding(after).next().unwrap().timestamp().as_second()
            }
        }
    }
}

fn all_days() -> impl Iterator<Item = civil::Date> {
    civil::date(2025, 12, 29).series(jiff::Span::new().days(1)).take_while(|d| *d < civil::date(2028, 1, 5))
}

fn rank_of(day: &Day) -> u8 {
    match day {
        Day::Date(_) => 0,
        Day::Range(..) => 1,
        Day::SchoolNights => 2,
        Day::SchoolDays => 3,
        Day::Holidays => 4,
        Day::Named(_) => 5,
        Day::Weekdays | Day::Weekends => 6,
        Day::EveryDay => 7,
    }
}

fn civil_date(d: Date) -> civil::Date {
    civil::date(d.0, d.1, d.2)
}

/// England's bank holidays of the two years, as published on gov.uk.
fn bank_holidays(year: i16) -> Vec<civil::Date> {
    let table: HashMap<i16, &[(i8, i8)]> = HashMap::from([
        (2026, &[(1, 1), (4, 3), (4, 6), (5, 4), (5, 25), (8, 31), (12, 25), (12, 28)][..]),
        (2027, &[(1, 1), (3, 26), (3, 29), (5, 3), (5, 31), (8, 30), (12, 27), (12, 28)][..]),
    ]);
    table
        .get(&year)
        .map(|days| days.iter().map(|(m, d)| civil::date(year, *m, *d)).collect())
        .unwrap_or_default()
}
