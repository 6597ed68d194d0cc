//! Days, windows and bedtimes at random, and how the language writes them.

use crate::random::Random;

/// A date as (year, month, day): jiff and chrono meet in text only.
pub(crate) type Date = (i16, i8, i8);

#[allow(clippy::enum_variant_names, reason = "`every_day` is the language's word")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Day {
    Date(Date),
    Range(Date, Date),
    SchoolNights,
    SchoolDays,
    Holidays,
    /// Monday is 0.
    Named(Vec<u8>),
    Weekdays,
    Weekends,
    EveryDay,
}

/// Minutes after midnight.
pub(crate) type Clock = u16;

/// A value by day, as written.
pub(crate) type Table<T> = Vec<(Day, T)>;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(crate) fn date(d: Date) -> String {
    format!("{:04}-{:02}-{:02}", d.0, d.1, d.2)
}

pub(crate) fn clock(c: Clock) -> String {
    format!("{:02}:{:02}", c / 60, c % 60)
}

impl Day {
    pub(crate) fn word(&self) -> String {
        match self {
            Day::Date(d) => date(*d),
            Day::Range(a, b) => format!("{}..{}", date(*a), date(*b)),
            Day::SchoolNights => "school_nights".into(),
            Day::SchoolDays => "school_days".into(),
            Day::Holidays => "holidays".into(),
            Day::Named(days) => days.iter().map(|d| NAMES[usize::from(*d)]).collect::<Vec<_>>().join(", "),
            Day::Weekdays => "weekdays".into(),
            Day::Weekends => "weekends".into(),
            Day::EveryDay => "every_day".into(),
        }
    }
}

pub(crate) fn windows_word(windows: &[(Clock, Clock)]) -> String {
    match windows {
        [] => "never".into(),
        [(0, 1440)] => "all_day".into(),
        many => many
            .iter()
            .map(|(a, b)| {
                format!("{}-{}", clock(*a), if *b == 1440 { "24:00".into() } else { clock(*b % 1440) })
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

pub(crate) fn any_date(r: &mut Random) -> Date {
    // Around the clock changes more often than not.
    r.pick(&[
        (2026, 3, 28),
        (2026, 3, 29),
        (2026, 10, 24),
        (2026, 10, 25),
        (2026, 12, 24),
        (2027, 3, 27),
        (2027, 3, 28),
        (2027, 10, 30),
        (2027, 10, 31),
        (2026, 5, 12),
        (2027, 1, 18),
        (2026, 11, 27),
    ])
}

/// Day keys of one table, no two of equal rank on one day.
pub(crate) fn days(r: &mut Random) -> Vec<Day> {
    let mut days = Vec::new();
    let mut dates = vec![any_date(r), any_date(r)];
    dates.sort_unstable();
    dates.dedup();
    days.extend(dates.into_iter().filter(|_| r.chance(60)).map(Day::Date));
    if r.chance(40) {
        days.push(Day::Range((2026, 10, 20), (2026, 10, 26)));
        days.push(Day::Range((2027, 3, 20), (2027, 4, 2)));
    }
    for (day, percent) in [
        (Day::SchoolNights, 40),
        (Day::SchoolDays, 40),
        (Day::Holidays, 30),
        (Day::Weekdays, 40),
        (Day::Weekends, 40),
        (Day::EveryDay, 85),
    ] {
        if r.chance(percent) {
            days.push(day);
        }
    }
    if r.chance(30) {
        days.push(Day::Named(vec![4, 5]));
        if r.chance(50) {
            days.push(Day::Named(vec![6]));
        }
    }
    if days.is_empty() {
        days.push(Day::EveryDay);
    }
    days
}

/// One day's windows: in order, apart from each other; the last may run into the next day.
fn windows(r: &mut Random) -> Vec<(Clock, Clock)> {
    match r.below(10) {
        0 => return Vec::new(),
        1 => return vec![(0, 1440)],
        _ => {}
    }
    let mut windows = Vec::new();
    let mut from = r.pick(&[0, 30, 60, 75, 90, 7 * 60, 9 * 60, 15 * 60 + 30]);
    for _ in 0..=r.below(3) {
        let to = from + r.pick(&[15, 30, 60, 90, 240, 600]);
        if to > 1440 {
            break;
        }
        windows.push((from, to));
        from = to + r.pick(&[15, 45, 120, 300]);
        if from >= 1440 {
            break;
        }
    }
    if r.chance(40) {
        let start = 21 * 60;
        if windows.last().is_none_or(|w| w.1 < start) {
            // Past midnight: ends in the small hours, also inside the hour that is missing or comes twice.
            windows.push((start, 1440 + r.pick(&[30, 60, 75, 90, 120, 150])));
        }
    }
    windows
}

pub(crate) fn online(r: &mut Random) -> Table<Vec<(Clock, Clock)>> {
    days(r).into_iter().map(|day| (day, windows(r))).collect()
}

pub(crate) fn bedtime(r: &mut Random) -> Table<Clock> {
    days(r)
        .into_iter()
        .map(|day| (day, r.pick(&[20 * 60, 21 * 60, 22 * 60 + 30, 23 * 60 + 59, 0, 30, 60, 75, 90, 120])))
        .collect()
}
