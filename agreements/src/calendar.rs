//! Which days have school in them: terms, days off, and the bank holidays of the four nations, computed for any year.

use crate::meant::{Nation, School};
use chrono::{Datelike, NaiveDate};

/// The number of 1970-01-01 when 1 January of year 1 is day 1, as [`Datelike::num_days_from_ce`] counts.
const EPOCH: i32 = 719_163;

/// A date as a number, so that the decision adds and compares days without a calendar at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i32);

impl Day {
    pub(crate) fn of(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce())
    }

    /// The date. A number beyond chrono's calendar gives its last day: nobody's agreement reaches there.
    pub(crate) fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0).unwrap_or(NaiveDate::MAX)
    }

    pub(crate) const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The day of the week: Monday is 0.
    pub(crate) const fn weekday(self) -> usize {
        // 1 January of year 1 of the Gregorian calendar, carried back, was a Monday.
        (self.0 - 1).rem_euclid(7) as usize
    }

    /// Seconds of wall-clock time from 1970-01-01T00:00 to this day's midnight.
    pub(crate) const fn midnight(self) -> i64 {
        (self.0 - EPOCH) as i64 * 86_400
    }

    /// The day that holds a wall-clock time, in seconds since 1970-01-01T00:00.
    pub(crate) fn holding(wall: i64) -> Self {
        Self(i32::try_from(wall.div_euclid(86_400)).unwrap_or(i32::MAX / 2) + EPOCH)
    }
}

/// When there is school, made ready to be asked often.
#[derive(Debug, Default)]
pub(crate) struct SchoolDays {
    /// The hours of each day of the week, Monday first: minutes after midnight.
    hours: [Vec<(u16, u16)>; 7],
    /// Terms, both ends included.
    terms: Vec<(Day, Day)>,
    /// Days off and bank holidays inside a term, in order.
    off: Vec<Day>,
}

impl SchoolDays {
    pub(crate) fn new(school: &School) -> Self {
        let terms: Vec<_> = school.terms.iter().map(|&(a, b)| (Day::of(a), Day::of(b))).collect();
        let mut off: Vec<_> = school.days_off.iter().map(|&d| Day::of(d)).collect();
        if let Some(nation) = school.bank_holidays {
            off.extend(
                years_of(&school.terms).flat_map(|y| bank_holidays(nation, y)).map(|(d, _)| Day::of(d)),
            );
        }
        off.sort_unstable();
        let hours = std::array::from_fn(|i| {
            let mut hours: Vec<_> = school.hours[i].iter().map(|&(a, b)| span(a, b)).collect();
            hours.sort_unstable();
            hours
        });
        Self { hours, terms, off }
    }

    /// Whether the day has school in it: in term, a weekday with hours, no day off, no bank holiday.
    pub(crate) fn has_school(&self, day: Day) -> bool {
        !self.hours[day.weekday()].is_empty()
            && self.terms.iter().any(|&(first, last)| first <= day && day <= last)
            && self.off.binary_search(&day).is_err()
    }

    /// The hours of a school day; nothing on any other day.
    pub(crate) fn hours(&self, day: Day) -> &[(u16, u16)] {
        if self.has_school(day) { &self.hours[day.weekday()] } else { &[] }
    }

    /// The days on which one week can begin to differ from the week before: terms' ends and days off.
    pub(crate) fn landmarks(&self) -> impl Iterator<Item = Day> {
        self.terms.iter().flat_map(|&(first, last)| [first, last]).chain(self.off.iter().copied())
    }

    /// The next school day after a day.
    pub(crate) fn next(&self, after: Day) -> Option<Day> {
        let mut day = after.plus(1);
        loop {
            // Between terms there is nothing to look for: the search goes on where the next one begins.
            day = match self
                .terms
                .iter()
                .map(|&(first, last)| (first.max(day), last))
                .filter(|(d, l)| d <= l)
                .min()
            {
                Some((next, _)) => next,
                None => return None,
            };
            if self.has_school(day) {
                return Some(day);
            }
            day = day.plus(1);
        }
    }
}

/// A pair of times as minutes after midnight; an end at or before its start is midnight's other end.
fn span(start: chrono::NaiveTime, end: chrono::NaiveTime) -> (u16, u16) {
    let (start, end) = (minutes(start), minutes(end));
    (start, if end <= start { 1440 } else { end })
}

/// Minutes after midnight.
pub(crate) fn minutes(time: chrono::NaiveTime) -> u16 {
    use chrono::Timelike;
    u16::try_from(time.hour() * 60 + time.minute()).expect("a day has 1440 minutes")
}

/// The years that terms touch. Bank holidays as we know them began in 1871; beyond 2400 nobody plans a term.
fn years_of(terms: &[(NaiveDate, NaiveDate)]) -> impl Iterator<Item = i32> {
    let first = terms.iter().map(|(a, _)| a.year()).min().unwrap_or(2400).max(1871);
    let last = terms.iter().map(|(_, b)| b.year()).max().unwrap_or(1871).min(2400);
    first..=last
}

/// The bank holidays of one nation in one year, in order, each with its name; substitute days are at the date on
/// which they are kept.
///
/// The days are those of the Banking and Financial Dealings Act 1971 (schedule 1) and of royal proclamation: New Year's
/// Day, early May, Boxing Day's substitutes; St Patrick's Day and 12 July in Northern Ireland; 2 January, St Andrew's
/// Day and the first Monday of August in Scotland. One-off days are known from 2011 to 2026; one that is proclaimed
/// later belongs in the home's `days_off` until this table has it. Years outside 1 to 9999 have none.
pub fn bank_holidays(nation: Nation, year: i32) -> Vec<(NaiveDate, &'static str)> {
    if !(1..=9999).contains(&year) {
        return Vec::new();
    }
    let mut days = Kept { nation, year, days: Vec::with_capacity(12) };
    days.at_new_year();
    days.at_easter();
    days.in_may();
    days.in_summer();
    days.in_winter();
    days.once();
    days.days.sort_unstable();
    days.days
}

/// The bank holidays of a year, while they are put together.
struct Kept {
    nation: Nation,
    year: i32,
    days: Vec<(NaiveDate, &'static str)>,
}

impl Kept {
    fn on(&self, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, month, day).expect("the table names days that every year has")
    }

    fn keep(&mut self, date: NaiveDate, name: &'static str) {
        self.days.push((date, name));
    }

    /// Keeps fixed dates; one on a weekend is kept on the next weekday that is not a bank holiday itself.
    fn keep_or_substitute(&mut self, fixed: &[(u32, u32, &'static str)]) {
        let (weekend, weekdays): (Vec<_>, Vec<_>) =
            fixed.iter().map(|&(m, d, name)| (self.on(m, d), name)).partition(|(d, _)| is_weekend(*d));
        self.days.extend(weekdays);
        for (date, name) in weekend {
            let free = date
                .iter_days()
                .find(|d| !is_weekend(*d) && self.days.iter().all(|(kept, _)| kept != d))
                .expect("a week holds a free weekday");
            self.keep(free, name);
        }
    }

    fn at_new_year(&mut self) {
        match self.nation {
            Nation::Scotland => self.keep_or_substitute(&[(1, 1, "New Year's Day"), (1, 2, "2nd January")]),
            Nation::England | Nation::Wales | Nation::NorthernIreland => {
                self.keep_or_substitute(&[(1, 1, "New Year's Day")]);
            }
        }
    }

    fn at_easter(&mut self) {
        let easter = Day::of(easter_sunday(self.year));
        self.keep(easter.plus(-2).date(), "Good Friday");
        match self.nation {
            Nation::Scotland => {}
            Nation::England | Nation::Wales | Nation::NorthernIreland => {
                self.keep(easter.plus(1).date(), "Easter Monday");
            }
        }
    }

    fn in_may(&mut self) {
        // 2020 moved the early May holiday to the 75th anniversary of VE Day, as 1995 did to its 50th.
        let early = match self.year {
            1995 | 2020 => self.on(5, 8),
            _ => first_monday(self.on(5, 1)),
        };
        self.keep(early, "Early May bank holiday");
        // The Golden, Diamond and Platinum Jubilees moved the spring holiday into June.
        let spring = match self.year {
            2002 | 2012 => self.on(6, 4),
            2022 => self.on(6, 2),
            _ => last_monday(self.on(5, 31)),
        };
        self.keep(spring, "Spring bank holiday");
    }

    fn in_summer(&mut self) {
        match self.nation {
            Nation::Scotland => self.keep(first_monday(self.on(8, 1)), "Summer bank holiday"),
            Nation::England | Nation::Wales => self.keep(last_monday(self.on(8, 31)), "Summer bank holiday"),
            Nation::NorthernIreland => {
                self.keep_or_substitute(&[(3, 17, "St Patrick's Day")]);
                self.keep_or_substitute(&[(7, 12, "Battle of the Boyne (Orangemen's Day)")]);
                self.keep(last_monday(self.on(8, 31)), "Summer bank holiday");
            }
        }
    }

    fn in_winter(&mut self) {
        match self.nation {
            Nation::Scotland => self.keep_or_substitute(&[(11, 30, "St Andrew's Day")]),
            Nation::England | Nation::Wales | Nation::NorthernIreland => {}
        }
        self.keep_or_substitute(&[(12, 25, "Christmas Day"), (12, 26, "Boxing Day")]);
    }

    /// Days that were proclaimed for one year.
    fn once(&mut self) {
        let scotland = self.nation == Nation::Scotland;
        for &(year, month, day, scotland_only, name) in ONCE {
            if year == self.year && (scotland || !scotland_only) {
                self.keep(self.on(month, day), name);
            }
        }
    }
}

/// Year, month, day, whether it was kept in Scotland only, name (gov.uk/bank-holidays).
const ONCE: &[(i32, u32, u32, bool, &str)] = &[
    (2002, 6, 3, false, "Golden Jubilee bank holiday"),
    (2011, 4, 29, false, "Royal wedding bank holiday"),
    (2012, 6, 5, false, "Diamond Jubilee bank holiday"),
    (2022, 6, 3, false, "Platinum Jubilee bank holiday"),
    (2022, 9, 19, false, "Bank Holiday for the State Funeral of Queen Elizabeth II"),
    (2023, 5, 8, false, "Bank holiday for the coronation of King Charles III"),
    (2026, 6, 15, true, "World Cup bank holiday"),
];

fn is_weekend(date: NaiveDate) -> bool {
    Day::of(date).weekday() > 4
}

/// The first Monday on or after a date.
fn first_monday(from: NaiveDate) -> NaiveDate {
    let day = Day::of(from);
    day.plus((7 - day.weekday() as i32) % 7).date()
}

/// The last Monday on or before a date.
fn last_monday(until: NaiveDate) -> NaiveDate {
    let day = Day::of(until);
    day.plus(-(day.weekday() as i32)).date()
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876, after Meeus, "Astronomical Algorithms").
fn easter_sunday(year: i32) -> NaiveDate {
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let moon_shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, (days / 31) as u32, (days % 31 + 1) as u32)
        .expect("Easter is between 22 March and 25 April")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_knows_its_weekday_and_its_date() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        assert_eq!(Day::of(date).weekday(), 0, "23 November 2026 is a Monday");
        assert_eq!(Day::of(date).date(), date);
        assert_eq!(Day::holding(Day::of(date).midnight()), Day::of(date));
        assert_eq!(Day::holding(Day::of(date).midnight() - 1), Day::of(date).plus(-1));
    }

    #[test]
    fn easter_falls_where_the_tables_have_it() {
        for (year, month, day) in [(1818, 3, 22), (1943, 4, 25), (2000, 4, 23), (2024, 3, 31), (2038, 4, 25)]
        {
            assert_eq!(easter_sunday(year), NaiveDate::from_ymd_opt(year, month, day).unwrap());
        }
    }
}
