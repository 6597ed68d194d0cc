//! School: `school`.

use super::block::{Block, choice_of, date, items, read_date, short, text, text_of};
use super::days;
use super::sheet::Sheet;
use super::times;
use crate::meant::{DayTable, Days, Nation, School, Window};
use crate::yaml::{Kind, Node};
use chrono::{NaiveDate, NaiveTime};

const KEYS: &[&str] = &["hours", "terms", "days_off", "calendar", "bank_holidays"];
const NATIONS: [(&str, Option<Nation>); 5] = [
    ("england", Some(Nation::England)),
    ("wales", Some(Nation::Wales)),
    ("scotland", Some(Nation::Scotland)),
    ("northern-ireland", Some(Nation::NorthernIreland)),
    ("none", None),
];
/// The most terms, and the most single days off, that a home may list.
const MAX_DATES: usize = 500;

/// Reads `school`.
pub(crate) fn read(sheet: &mut Sheet<'_>, node: &Node) -> School {
    let Some(block) = Block::read(sheet, node, "`school`", KEYS) else { return School::default() };
    let school = School {
        hours: block.get("hours").map(|n| hours(sheet, n)).unwrap_or_default(),
        terms: terms(sheet, &block),
        days_off: days_off(sheet, &block),
        bank_holidays: choice_of(sheet, &block, "bank_holidays", &NATIONS, None),
        calendar: calendar(sheet, &block),
    };
    let taught = school.hours.iter().any(|day| !day.is_empty());
    if taught && school.terms.is_empty() && school.calendar.is_none() && block.get("terms").is_none() {
        let sentence = "There are school hours and no terms: no day is a school day.";
        sheet.warning(
            block.at,
            "no-terms",
            sentence,
            "Add `terms: [2026-09-02..2026-10-23, …]` or a `calendar`.",
        );
    }
    school
}

fn hours(sheet: &mut Sheet<'_>, node: &Node) -> [Vec<(NaiveTime, NaiveTime)>; 7] {
    let table = days::table(sheet, node, "hours", |s, n| {
        let windows = times::windows(s, n, "hours")?;
        let late = windows.iter().any(|w| w.end > times::DAY - 1);
        if late {
            let sentence = "School hours end on the day on which they begin.";
            s.error(n.at(), "bad-time", sentence, "Write them like 09:00-15:15.");
        }
        (!late).then_some(windows)
    });
    if let Kind::Block(written) = &node.kind {
        for (key, _) in written {
            only_weekdays(sheet, key);
        }
    }
    std::array::from_fn(|day| of_day(&table, day as u8))
}

/// School hours are those of a week: dates and school days cannot stand in them.
fn only_weekdays(sheet: &mut Sheet<'_>, key: &Node) {
    let typed = key.text().unwrap_or_default();
    let weekly = |d: &Days| matches!(d, Days::Named(_) | Days::Weekdays | Days::Weekends | Days::EveryDay);
    if days::read(typed).is_ok_and(|d| !weekly(&d)) {
        let sentence =
            format!("`{}` cannot stand here: school hours are those of the days of the week.", short(typed));
        sheet.error(
            key.at(),
            "bad-day",
            &sentence,
            "Write mon to sun, like `mon-fri`; days without school go under `days_off`.",
        );
    }
}

fn of_day(table: &DayTable<Vec<Window>>, day: u8) -> Vec<(NaiveTime, NaiveTime)> {
    let rank = |days: &Days| match days {
        Days::Named(mask) => (mask & (1 << day) != 0).then_some(0),
        Days::Weekdays => (day < 5).then_some(1),
        Days::Weekends => (day >= 5).then_some(1),
        Days::EveryDay => Some(2),
        Days::Date(_) | Days::Range(..) | Days::SchoolNights | Days::SchoolDays | Days::Holidays => None,
    };
    let best =
        table.entries.iter().filter_map(|(d, windows, _)| Some((rank(d)?, windows))).min_by_key(|(r, _)| *r);
    let time = |minutes: u16| NaiveTime::from_hms_opt(u32::from(minutes / 60), u32::from(minutes % 60), 0);
    let windows = best.map(|(_, windows)| windows.as_slice()).unwrap_or_default();
    windows.iter().filter_map(|w| Some((time(w.start)?, time(w.end)?))).collect()
}

fn terms(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<(NaiveDate, NaiveDate)> {
    let Some(node) = block.get("terms") else { return Vec::new() };
    let items = dates(sheet, node, "terms");
    let mut terms: Vec<(NaiveDate, NaiveDate, usize)> = Vec::new();
    for item in items {
        let Some(range) = text(sheet, item, "terms") else { continue };
        match days::read(range) {
            Ok(Days::Range(first, last)) => terms.push((first, last, item.at())),
            Ok(_) => {
                let sentence = format!("`{}` is no term: a term has a first and a last day.", short(range));
                sheet.error(item.at(), "bad-term", &sentence, "Write it like 2026-09-02..2026-10-23.");
            }
            Err((code, sentence, help)) if range.contains("..") => {
                sheet.error(item.at(), code, &sentence, &help);
            }
            Err(_) => {
                let sentence = format!("`{}` is no term.", short(range));
                sheet.error(item.at(), "bad-term", &sentence, "Write it like 2026-09-02..2026-10-23.");
            }
        }
    }
    overlapping(sheet, &mut terms);
    terms.into_iter().map(|(first, last, _)| (first, last)).collect()
}

fn overlapping(sheet: &mut Sheet<'_>, terms: &mut [(NaiveDate, NaiveDate, usize)]) {
    terms.sort();
    for pair in terms.windows(2) {
        let [(_, end, a), (begin, _, b)] = pair else { continue };
        if begin <= end {
            let other = sheet.place(*a.min(b));
            let sentence = format!("Two terms overlap: one ends on {end}, and the next begins on {begin}.");
            sheet.error(*a.max(b), "overlapping-terms", &sentence, "Check their dates.");
            sheet.beside(Some(other));
        }
    }
}

fn dates<'n>(sheet: &mut Sheet<'_>, node: &'n Node, what: &str) -> &'n [Node] {
    let items = items(sheet, node, what);
    if items.len() > MAX_DATES {
        sheet.error(node.at(), "too-many", &format!("`{what}` has more than {MAX_DATES} entries."), "");
        return &[];
    }
    items
}

/// Days without school: dates, and ranges of dates.
fn days_off(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<NaiveDate> {
    let Some(node) = block.get("days_off") else { return Vec::new() };
    let mut off = Vec::new();
    for item in dates(sheet, node, "days_off") {
        let Some(typed) = text(sheet, item, "days_off") else { continue };
        if !typed.contains("..") {
            off.extend(date(sheet, item, "days_off"));
            continue;
        }
        match days::read(typed) {
            Ok(Days::Range(first, last)) if (last - first).num_days() <= 366 => {
                off.extend(first.iter_days().take_while(|day| *day <= last));
            }
            Ok(_) => {
                let sentence = "More than a year without school cannot be days off.";
                sheet.error(item.at(), "bad-date", sentence, "Check the dates.");
            }
            Err((code, sentence, help)) => sheet.error(item.at(), code, &sentence, &help),
        }
    }
    off.sort();
    off.dedup();
    off
}

/// Where the iCalendar file is: in the home's folder, or at a URL.
fn calendar(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Option<String> {
    let typed = text_of(sheet, block, "calendar")?;
    let at = block.get("calendar").map_or(block.at, Node::at);
    if read_date(typed).is_ok() {
        sheet.error(at, "bad-path", "A calendar is a file or an address.", "Write it like `terms.ics`.");
        return None;
    }
    super::lists::place(sheet, at, typed).then(|| typed.to_owned())
}

/// Where `school.calendar` stands in a home's file.
pub(crate) fn calendar_at(root: &Node) -> usize {
    let of = |node: &Node, key: &str| match &node.kind {
        Kind::Block(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v.clone()),
        _ => None,
    };
    of(root, "school").and_then(|school| of(&school, "calendar")).map_or(0, |node| node.at())
}
