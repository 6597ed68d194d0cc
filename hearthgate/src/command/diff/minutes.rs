//! Minutes of each day that a change gives or takes.

use super::Sides;
use crate::timetable::{self, Like};
use agreements::{House, PersonId};
use chrono::{Datelike, NaiveDate, Weekday};
use serde::Serialize;
use std::collections::BTreeMap;

/// Days ahead that are compared: a year, so that terms and holidays of every kind are in it.
const DAYS: usize = 366;
/// Dates that are named one by one before they are only counted.
const NAMED: usize = 3;

/// Days on which the minutes differ in the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct MinutesChange {
    /// Which days: `Mondays (39 of 52)`, or dates.
    pub(super) days: String,
    /// Minutes that were not off.
    pub(super) old: i64,
    /// Minutes that will not be off.
    pub(super) new: i64,
}

/// Every group of days on which the minutes differ, from the most days to the fewest.
pub(super) fn changes(sides: &Sides<'_>) -> Vec<MinutesChange> {
    let today = sides.now.with_timezone(&sides.new.home().timezone).date_naive();
    let mut groups: BTreeMap<(i64, i64), Vec<NaiveDate>> = BTreeMap::new();
    let mut all = [0_usize; 7];
    for date in today.iter_days().take(DAYS) {
        all[date.weekday().num_days_from_monday() as usize] += 1;
        let (old, new) = (open(sides.old, sides.was, date), open(sides.new, sides.is, date));
        if old != new {
            groups.entry((old, new)).or_default().push(date);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, dates)| std::cmp::Reverse(dates.len()));
    groups
        .into_iter()
        .map(|((old, new), dates)| MinutesChange { days: said(&dates, &all), old, new })
        .collect()
}

fn open(house: &House, who: PersonId, date: NaiveDate) -> i64 {
    timetable::minutes(&timetable::day(house, who, date), |like| like != Like::Off)
}

/// Which days these are: a few dates by name, else by day of the week with how many of the year's.
fn said(dates: &[NaiveDate], all: &[usize; 7]) -> String {
    if dates.len() <= NAMED {
        return dates.iter().map(|d| d.format("%a %-d %b %Y").to_string()).collect::<Vec<_>>().join(", ");
    }
    let mut count = [0_usize; 7];
    dates.iter().for_each(|d| count[d.weekday().num_days_from_monday() as usize] += 1);
    let mut weekday = Weekday::Mon;
    let mut words = Vec::new();
    for (n, of) in count.into_iter().zip(all) {
        match n {
            0 => {}
            n if n == *of => words.push(format!("every {weekday}")),
            n => words.push(format!("{weekday} ({n} of {of})")),
        }
        weekday = weekday.succ();
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_shortly() {
        let day = |n| NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date") + chrono::Duration::days(n);
        let all = [2, 2, 2, 2, 2, 2, 2];
        assert_eq!(said(&[day(0)], &all), "Mon 23 Nov 2026");
        assert_eq!(said(&[day(0), day(7), day(1), day(8)], &all), "every Mon, every Tue");
        assert_eq!(said(&[day(0), day(1), day(2), day(7)], &all), "every Mon, Tue (1 of 2), Wed (1 of 2)");
    }
}
