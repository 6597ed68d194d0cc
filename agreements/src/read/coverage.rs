//! What the days of an agreement come to: days without times, and bedtimes that do not do what they say.
//!
//! Dates aside, a day is what its weekday and the school make of it. Each such kind of day is looked up once.

use super::days::in_words;
use super::sheet::Sheet;
use super::times::{DAY, clock_time};
use crate::meant::{DayTable, Days, School, Window};
use crate::yaml::{Kind, Node};
use std::collections::HashSet;

/// Where the two tables stand.
pub(crate) struct Places<'n> {
    /// The byte of the key `online`, or of the block when there is none.
    pub(crate) online: usize,
    /// The value of `bedtime`.
    pub(crate) bedtime: Option<&'n Node>,
}

impl Places<'_> {
    /// Where the entry of a bedtime stands. Every entry of a table without errors is there.
    fn entry(&self, index: usize) -> usize {
        match self.bedtime.map(|n| (&n.kind, n.at())) {
            Some((Kind::Block(entries), at)) => entries.get(index).map_or(at, |(key, _)| key.at()),
            Some((_, at)) => at,
            None => self.online,
        }
    }
}

/// A kind of day.
#[derive(Clone, Copy)]
struct DayKind {
    weekday: u8,
    school_day: bool,
    school_night: bool,
}

/// Every kind of day that the home's school hours make possible.
fn kinds(school: &School) -> Vec<DayKind> {
    let taught = |weekday: u8| !school.hours[usize::from(weekday % 7)].is_empty();
    let mut kinds = Vec::new();
    for weekday in 0..7 {
        for school_day in [false, true] {
            for school_night in [false, true] {
                if (!school_day || taught(weekday)) && (!school_night || taught(weekday + 1)) {
                    kinds.push(DayKind { weekday, school_day, school_night });
                }
            }
        }
    }
    kinds
}

/// The place of the entry that gives a kind of day its value, dates aside (agreements.md, "Days").
fn entry<T>(table: &DayTable<T>, day: DayKind) -> Option<usize> {
    let weekend = day.weekday >= 5;
    let rank = |days: &Days| match days {
        Days::SchoolNights => day.school_night.then_some(0),
        Days::SchoolDays => day.school_day.then_some(1),
        Days::Holidays => (!weekend && !day.school_day).then_some(2),
        Days::Named(mask) => (mask & (1 << day.weekday) != 0).then_some(3),
        Days::Weekdays => (!weekend).then_some(4),
        Days::Weekends => weekend.then_some(4),
        Days::EveryDay => Some(5),
        Days::Date(_) | Days::Range(..) => None,
    };
    let ranked = table.entries.iter().enumerate().filter_map(|(i, (days, ..))| Some((rank(days)?, i)));
    ranked.min().map(|(_, i)| i)
}

/// Warns of days that nothing covers and of bedtimes without effect.
pub(crate) fn warn(
    sheet: &mut Sheet<'_>,
    places: &Places<'_>,
    online: &DayTable<Vec<Window>>,
    bedtime: &DayTable<u16>,
    school: &School,
) {
    let kinds = kinds(school);
    uncovered(sheet, places, online, &kinds);
    too_early(sheet, places, online, bedtime, &kinds);
    reopens(sheet, places, online, bedtime);
}

fn uncovered(sheet: &mut Sheet<'_>, places: &Places<'_>, online: &DayTable<Vec<Window>>, kinds: &[DayKind]) {
    let (mut bare, mut whole) = (0u8, 0x7fu8);
    for day in kinds {
        match entry(online, *day) {
            Some(_) => whole &= !(1 << day.weekday),
            None => bare |= 1 << day.weekday,
        }
    }
    let partly = bare & !whole;
    let sentence = match (bare & whole, partly) {
        (0, 0) => return,
        (0x7f, _) => "Nothing says when they are online: they are offline every day.".to_owned(),
        (0, days) => format!(
            "Nothing says when they are online on some days ({}): they are offline then.",
            in_words(days)
        ),
        (days, 0) => {
            format!("Nothing says when they are online on {}: they are offline then.", in_words(days))
        }
        (days, _) => format!(
            "Nothing says when they are online on {} and some other days: they are offline then.",
            in_words(days)
        ),
    };
    let help = "Add the days under `online:`, or `every_day:` for all the others; write `never` if offline is meant.";
    sheet.warning(places.online, "uncovered-day", &sentence, help);
}

/// Bedtimes at or before the day's first window leave the day without internet.
fn too_early(
    sheet: &mut Sheet<'_>,
    places: &Places<'_>,
    online: &DayTable<Vec<Window>>,
    bedtime: &DayTable<u16>,
    kinds: &[DayKind],
) {
    let weekly = kinds.iter().filter_map(|day| Some((entry(bedtime, *day)?, entry(online, *day)?)));
    let dated = bedtime.entries.iter().enumerate().filter_map(|(b, (days, ..))| {
        let o =
            online.entries.iter().position(|(other, ..)| matches!(days, Days::Date(_)) && other == days)?;
        Some((b, o))
    });
    let pairs: Vec<(usize, usize)> = weekly.chain(dated).collect();
    let mut told = HashSet::new();
    for (b, o) in pairs {
        let (bed, windows) = (bedtime.entries[b].1, &online.entries[o].1);
        let Some(first) = windows.first().filter(|w| bed <= w.start) else { continue };
        if told.insert(b) {
            let sentence = format!(
                "This bedtime ({}) comes before the day's first window ({}): the day has no internet.",
                clock_time(bed),
                clock_time(first.start)
            );
            sheet.warning(places.entry(b), "bedtime-too-early", &sentence, "Check the times.");
        }
    }
}

/// A bedtime ends with the next day's first window: one that begins at midnight undoes it.
fn reopens(
    sheet: &mut Sheet<'_>,
    places: &Places<'_>,
    online: &DayTable<Vec<Window>>,
    bedtime: &DayTable<u16>,
) {
    for (b, (_, bed, _)) in bedtime.entries.iter().enumerate() {
        let night = (*bed).max(DAY);
        let early = |(_, windows, _): &&(Days, Vec<Window>, _)| {
            windows.first().is_some_and(|w| w.start + DAY <= night)
        };
        if online.entries.iter().find(early).is_some() {
            let sentence = format!(
                "After this bedtime ({}) the internet is back as soon as the next day's window opens, at midnight or soon after.",
                clock_time(*bed)
            );
            let help = "Let the day's first window begin in the morning: 07:00-24:00.";
            sheet.warning(places.entry(b), "bedtime-reopens", &sentence, help);
        }
    }
}
