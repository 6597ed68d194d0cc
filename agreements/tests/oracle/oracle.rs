//! The oracle: the language's page, as plainly as it can be said.

use crate::QUESTIONS;
use crate::generate::{Clock, Date, Day, Plan};
use jiff::Timestamp;
use jiff::civil::{self, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::collections::HashMap;

/// What should be decided, and which rule should say so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    Allow(&'static str),
    Ask(&'static str),
    WithStaff(&'static str),
    Block(&'static str),
}

/// What matters of an instant.
pub(crate) struct Time {
    online: bool,
    school: bool,
}

pub(crate) struct Oracle<'p> {
    plan: &'p Plan,
    zone: TimeZone,
    /// Stretches online and at school, in seconds, sorted: computed day by day at the start.
    online: Vec<(i64, i64)>,
    school: Vec<(i64, i64)>,
}

enum Boundary {
    Opening,
    Closing,
}

impl<'p> Oracle<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let zone = TimeZone::get("Europe/London").unwrap();
        let mut oracle = Self { plan, zone, online: Vec::new(), school: Vec::new() };
        let mut day = civil::date(2025, 12, 29);
        while day < civil::date(2028, 1, 5) {
            oracle.add_day(day);
            day = day.tomorrow().unwrap();
        }
        oracle.online.sort_unstable();
        oracle.school.sort_unstable();
        oracle
    }

    fn add_day(&mut self, day: civil::Date) {
        let plan = self.plan;
        let bedtime = self.entry(day, &plan.bedtime).map(|at| {
            let minutes = if at < 12 * 60 { at + 1440 } else { at };
            self.instant(day, minutes, &Boundary::Closing)
        });
        for (from, to) in self.entry(day, &plan.online).unwrap_or_default() {
            let opens = self.instant(day, from, &Boundary::Opening);
            let closes = self.instant(day, to, &Boundary::Closing);
            let closes = bedtime.map_or(closes, |bedtime| closes.min(bedtime));
            if opens < closes {
                self.online.push((opens, closes));
            }
        }
        if self.school_day(day) {
            let end =
                if plan.short_friday && day.weekday() == Weekday::Friday { 12 * 60 } else { plan.hours.1 };
            let opens = self.instant(day, plan.hours.0, &Boundary::Opening);
            let closes = self.instant(day, end, &Boundary::Closing);
            self.school.push((opens, closes));
        }
    }

    /// The entry that gives the whole day: the first rank that has the day.
    fn entry<T: Clone>(&self, day: civil::Date, table: &[(Day, T)]) -> Option<T> {
        (0..9).find_map(|rank| {
            table.iter().find(|(d, _)| self.rank(d) == rank && self.covers(d, day)).map(|(_, v)| v.clone())
        })
    }

    fn rank(&self, day: &Day) -> u8 {
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
    fn instant(&self, day: civil::Date, minutes: Clock, boundary: &Boundary) -> i64 {
        let day = if minutes >= 1440 { day.tomorrow().unwrap() } else { day };
        let minutes = minutes % 1440;
        let wall = day.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        match (ambiguous.offset(), boundary) {
            (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.unambiguous().unwrap().as_second(),
            (AmbiguousOffset::Fold { .. }, Boundary::Opening) => ambiguous.later().unwrap().as_second(),
            (AmbiguousOffset::Fold { .. }, Boundary::Closing) => ambiguous.earlier().unwrap().as_second(),
            (AmbiguousOffset::Gap { .. }, _) => {
                let after = ambiguous.later().unwrap();
                self.zone
                    .preceding(after + jiff::Span::new().seconds(1))
                    .next()
                    .unwrap()
                    .timestamp()
                    .as_second()
            }
        }
    }

    pub(crate) fn time(&self, at: i64) -> Time {
        let _ = Timestamp::from_second(at).unwrap();
        let inside = |stretches: &[(i64, i64)]| {
            // Windows of a day that runs past midnight may meet those of the next: look at the few that began before.
            let next = stretches.partition_point(|(opens, _)| *opens <= at);
            stretches[next.saturating_sub(6)..next].iter().any(|(_, closes)| at < *closes)
        };
        Time { online: inside(&self.online), school: inside(&self.school) }
    }

    pub(crate) fn expect(&self, time: &Time, question: usize) -> Expected {
        let (host, category) = QUESTIONS[question];
        let is = |word: blocklists::Category| category == Some(word);
        use blocklists::Category as C;
        if is(C::ILLEGAL) {
            return Expected::Block("sealed");
        }
        if is(C::SUPPORT) {
            return Expected::Allow("protected");
        }
        if is(C::PORNOGRAPHY) {
            return Expected::Block("floor");
        }
        if !time.online {
            return Expected::Block("online");
        }
        if is(C::PRIVATE_MAIL) {
            return Expected::Allow("private_mail");
        }
        let learning = is(C::EDUCATION) || host == "homework.example";
        if time.school && !self.plan.staff {
            match self.plan.school_hours {
                "education_only" if learning => return Expected::Allow("school_hours"),
                // No session is open here: the refusal has a way out.
                "with_staff" if learning => return Expected::WithStaff("school_hours"),
                "education_only" | "offline" | "with_staff" => {
                    // Hosts that only carry a page follow the page's fate where only learning is open.
                    if is(C::INFRASTRUCTURE) && self.plan.school_hours != "offline" {
                        return Expected::Allow("school_hours");
                    }
                    return Expected::Block("school_hours");
                }
                _ => {}
            }
        }
        match host {
            "shut.example" => return Expected::Block("site"),
            "open.shut.example" => return Expected::Allow("site"),
            "maybe.example" => return Expected::Ask("site"),
            _ => {}
        }
        match self.plan.otherwise {
            "allow" => Expected::Allow("otherwise"),
            // Where not everything is open, hosts that only carry a page work with the pages that are.
            _ if is(C::INFRASTRUCTURE) => Expected::Allow("otherwise"),
            "ask" => Expected::Ask("otherwise"),
            _ => Expected::Block("otherwise"),
        }
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
