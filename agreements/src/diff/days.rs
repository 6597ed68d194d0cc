//! Days on which the same is different, said shortly.

use super::DAYS;
use chrono::{Datelike, NaiveDate, Weekday};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Dates that are named one by one before they are only counted.
const NAMED: usize = 3;

/// The days that are compared.
pub(super) fn of_the_year(from: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take(DAYS)
}

/// What is different on some days, by what it is, from the most days to the fewest: each with the days in words and how many
/// they are.
pub(super) fn grouped<T: Ord>(
    from: NaiveDate,
    different: impl Iterator<Item = (T, NaiveDate)>,
) -> Vec<(T, String, usize)> {
    let mut groups: BTreeMap<T, Vec<NaiveDate>> = BTreeMap::new();
    different.for_each(|(what, date)| groups.entry(what).or_default().push(date));
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, dates)| Reverse(dates.len()));
    let all = by_weekday(of_the_year(from));
    groups.into_iter().map(|(what, dates)| (what, said(&dates, &all), dates.len())).collect()
}

fn by_weekday(dates: impl Iterator<Item = NaiveDate>) -> [usize; 7] {
    let mut count = [0; 7];
    dates.for_each(|date| count[date.weekday().num_days_from_monday() as usize] += 1);
    count
}

/// Which days these are: a few dates by name, else by day of the week with how many of the year's.
fn said(dates: &[NaiveDate], all: &[usize; 7]) -> String {
    if dates.len() <= NAMED {
        return dates.iter().map(|d| d.format("%a %-d %b %Y").to_string()).collect::<Vec<_>>().join(", ");
    }
    let count = by_weekday(dates.iter().copied());
    if count == *all {
        return "every day".to_owned();
    }
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
        let day = |n| NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + chrono::Duration::days(n);
        let all = [2, 2, 2, 2, 2, 2, 2];
        let days = |numbers: &[i64]| said(&numbers.iter().map(|n| day(*n)).collect::<Vec<_>>(), &all);
        assert_eq!(days(&[0]), "Mon 23 Nov 2026");
        assert_eq!(days(&[0, 7, 1, 8]), "every Mon, every Tue");
        assert_eq!(days(&[0, 1, 2, 7]), "every Mon, Tue (1 of 2), Wed (1 of 2)");
        assert_eq!(days(&(0..14).collect::<Vec<_>>()), "every day");
    }

    #[test]
    fn the_most_days_come_first() {
        let from = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let different = of_the_year(from).map(|date| (date.weekday() == Weekday::Sun, date));
        let told: Vec<_> =
            grouped(from, different).into_iter().map(|(what, _, count)| (what, count)).collect();
        assert_eq!(told, [(false, 314), (true, 52)]);
    }
}
