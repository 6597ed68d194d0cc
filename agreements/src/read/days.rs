//! Which days an entry is for, and tables of values by day.

use super::block::{looks_like_date, read_date, short};
use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest};
use crate::meant::{DayTable, Days};
use crate::yaml::{Kind, Node};

/// The most entries of one table: two years of single dates and more.
const MAX_ENTRIES: usize = 800;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const LONG_NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SETS: [(&str, Days); 6] = [
    ("weekdays", Days::Weekdays),
    ("weekends", Days::Weekends),
    ("every_day", Days::EveryDay),
    ("school_days", Days::SchoolDays),
    ("school_nights", Days::SchoolNights),
    ("holidays", Days::Holidays),
];

/// A table by day: a bare value is for every day. `value` reads one entry's value and tells what is wrong with it.
pub(crate) fn table<T>(
    sheet: &mut Sheet<'_>,
    node: &Node,
    what: &str,
    mut value: impl FnMut(&mut Sheet<'_>, &Node) -> Option<T>,
) -> DayTable<T> {
    let Kind::Block(written) = &node.kind else {
        let source = sheet.source(node.at());
        let entries = value(sheet, node).map(|v| (Days::EveryDay, v, source)).into_iter().collect();
        return DayTable { entries };
    };
    if written.len() > MAX_ENTRIES {
        sheet.error(node.at(), "too-many", &format!("`{what}` has more than {MAX_ENTRIES} entries."), "");
        return DayTable { entries: Vec::new() };
    }
    let mut entries = Vec::new();
    let mut places: Vec<(Days, usize, String)> = Vec::new();
    for (key, node) in written {
        let typed = key.text().unwrap_or_default();
        let days = days(sheet, key, typed, node);
        if days.is_none() && node.is_nothing() {
            continue;
        }
        let source = sheet.source(key.at());
        let value = if node.is_nothing() { nothing(sheet, node, typed) } else { value(sheet, node) };
        let Some(days) = days else { continue };
        equal_rank(sheet, key, &days, &places);
        places.push((days.clone(), key.at(), typed.to_owned()));
        entries.extend(value.map(|v| (days, v, source)));
    }
    DayTable { entries }
}

/// Tells of a day after which nothing stands, by the day's own word.
fn nothing<T>(sheet: &mut Sheet<'_>, node: &Node, day: &str) -> Option<T> {
    let day = short(day);
    let help = format!("Write the value after the colon, or take `{day}` out.");
    sheet.error(node.at(), "missing-value", &format!("Nothing stands after `{day}:`."), &help);
    None
}

/// Tells when a day stands in two entries of equal rank, and names both lines.
fn equal_rank(sheet: &mut Sheet<'_>, key: &Node, days: &Days, before: &[(Days, usize, String)]) {
    let Some((_, at, twin)) = before.iter().find(|(other, ..)| share_a_day(days, other)) else { return };
    let (at, line) = (*at, sheet.place(*at).line);
    let typed = short(key.text().unwrap_or_default());
    let sentence = format!("`{typed}` and `{}` (line {line}) both speak for the same day.", short(twin));
    sheet.error(key.at(), "equal-rank-days", &sentence, "Change one of them, or write that day by its date.");
    let other = sheet.place(at);
    sheet.beside(Some(other));
}

/// Whether two entries of equal rank share a day.
fn share_a_day(a: &Days, b: &Days) -> bool {
    match (a, b) {
        (Days::Range(a, b), Days::Range(c, d)) => a <= d && c <= b,
        (Days::Named(a), Days::Named(b)) => a & b != 0,
        (Days::Date(_), Days::Date(_))
        | (Days::SchoolDays, Days::SchoolDays)
        | (Days::SchoolNights, Days::SchoolNights)
        | (Days::Holidays, Days::Holidays)
        | (Days::Weekdays, Days::Weekdays)
        | (Days::Weekends, Days::Weekends)
        | (Days::EveryDay, Days::EveryDay) => a == b,
        (
            Days::Date(_)
            | Days::Range(..)
            | Days::SchoolNights
            | Days::SchoolDays
            | Days::Holidays
            | Days::Named(_)
            | Days::Weekdays
            | Days::Weekends
            | Days::EveryDay,
            _,
        ) => false,
    }
}

/// The days of a key.
fn days(sheet: &mut Sheet<'_>, key: &Node, typed: &str, value: &Node) -> Option<Days> {
    match read(typed) {
        Ok(days) => Some(days),
        Err(_) if value.is_nothing() && super::times::minutes(typed.split('-').next()?).is_ok() => {
            // `{every_day: 07:00-08:30, 15:30-22:30}`: inside braces a comma begins the next entry.
            let help = "Put the times between \"…\", or write the block without { }.";
            let sentence = "Between { and } a comma begins a new entry, so these times belong to no day.";
            sheet.error(key.at(), "comma-in-braces", sentence, help);
            None
        }
        Err((code, sentence, help)) => {
            sheet.error(key.at(), code, &sentence, &help);
            None
        }
    }
}

/// Reads a key of days; else the problem's code, sentence and help.
pub(crate) fn read(typed: &str) -> Result<Days, (&'static str, String, String)> {
    let typed = typed.trim();
    if let Some((_, days)) = SETS.iter().find(|(word, _)| word.eq_ignore_ascii_case(typed)) {
        return Ok(days.clone());
    }
    if let Some((a, b)) = typed.split_once("..") {
        return range(a.trim(), b.trim());
    }
    if looks_like_date(typed) {
        return read_date(typed).map(Days::Date).map_err(|(s, h)| ("bad-date", s, h));
    }
    named(typed).map(Days::Named)
}

fn range(a: &str, b: &str) -> Result<Days, (&'static str, String, String)> {
    let date = |text: &str| read_date(text).map_err(|(s, h)| ("bad-date", s, h));
    let (first, last) = (date(a)?, date(b)?);
    if last < first {
        let help = format!("Write `{last}..{first}`.");
        return Err(("reversed-dates", "This range of dates ends before it begins.".to_owned(), help));
    }
    Ok(Days::Range(first, last))
}

/// Named days: `mon`, `sun-thu`, `mon, wed`.
fn named(typed: &str) -> Result<u8, (&'static str, String, String)> {
    let mut mask = 0;
    for part in typed.split(',').map(str::trim) {
        mask |= match part.split_once('-') {
            Some((a, b)) => span(day(a.trim())?, day(b.trim())?),
            None => 1 << day(part)?,
        };
    }
    Ok(mask)
}

/// The days from one to another, over the end of the week if need be.
fn span(from: usize, to: usize) -> u8 {
    let length = (to + 7 - from) % 7;
    (0..=length).fold(0, |mask, i| mask | 1 << ((from + i) % 7))
}

fn day(typed: &str) -> Result<usize, (&'static str, String, String)> {
    let lower = typed.to_lowercase();
    let known = |names: &[&str; 7]| names.iter().position(|n| *n == lower);
    // `tues` and `thur` are how some people shorten them.
    let shortened = || LONG_NAMES.iter().position(|n| lower.len() > 3 && n.starts_with(&lower));
    known(&NAMES).or_else(|| known(&LONG_NAMES)).or_else(shortened).ok_or_else(|| {
        let words = NAMES.into_iter().chain(LONG_NAMES).chain(SETS.iter().map(|(word, _)| *word));
        let mut help = did_you_mean(&nearest(typed, words));
        if help.is_empty() {
            help = "Write mon to sun, weekdays, weekends, every_day, school_days, school_nights, holidays, or a date \
                    (2026-12-24)."
                .to_owned();
        }
        ("bad-day", format!("`{}` is no day.", short(typed)), help)
    })
}

/// The days of a mask in words: `Saturday and Sunday`.
pub(crate) fn in_words(mask: u8) -> String {
    let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let named: Vec<&str> = (0..7).filter(|d| mask & (1 << d) != 0).map(|d| names[d]).collect();
    match named.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        _ if mask == 0x7f => "any day".to_owned(),
        [first, .., last] if consecutive(mask) && named.len() > 2 => format!("{first} to {last}"),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn consecutive(mask: u8) -> bool {
    let shifted = mask >> mask.trailing_zeros();
    shifted & shifted.wrapping_add(1) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn days_as_the_language_writes_them() {
        let d = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (typed, right) in [
            ("mon", Days::Named(0b000_0001)),
            ("Sunday", Days::Named(0b100_0000)),
            ("mon-fri", Days::Named(0b001_1111)),
            ("sun-thu", Days::Named(0b100_1111)),
            ("fri-mon", Days::Named(0b111_0001)),
            ("mon, wed", Days::Named(0b000_0101)),
            ("mon, thu-sat", Days::Named(0b011_1001)),
            ("mon-sun", Days::Named(0x7f)),
            ("tue-mon", Days::Named(0x7f)),
            ("sat-sat", Days::Named(0b010_0000)),
            ("weekdays", Days::Weekdays),
            ("every_day", Days::EveryDay),
            ("2026-12-24", Days::Date(d("2026-12-24"))),
            ("2026-12-19..2027-01-03", Days::Range(d("2026-12-19"), d("2027-01-03"))),
        ] {
            assert_eq!(read(typed), Ok(right), "{typed}");
        }
    }

    #[test]
    fn what_is_no_day_is_told_with_its_nearest() {
        for (typed, code, help) in [
            ("school_day", "bad-day", "Did you mean `school_days`?"),
            ("everyday", "bad-day", "Did you mean `every_day`?"),
            ("mnday", "bad-day", "Did you mean `monday` or `sunday`?"),
            ("2026-02-30", "bad-date", "That month ends on the 28th."),
            ("24/12/2026", "bad-date", "Write `2026-12-24`."),
            ("2027-01-03..2026-12-19", "reversed-dates", "Write `2026-12-19..2027-01-03`."),
            ("mon,", "bad-day", ""),
        ] {
            let (got, _, said) = read(typed).expect_err(typed);
            assert_eq!(got, code, "{typed}");
            assert!(said.starts_with(help), "{typed}: {said}");
        }
    }

    #[test]
    fn masks_in_words() {
        assert_eq!(in_words(0b110_0000), "Saturday and Sunday");
        assert_eq!(in_words(0b001_1111), "Monday to Friday");
        assert_eq!(in_words(0b000_0101), "Monday and Wednesday");
        assert_eq!(in_words(0x7f), "any day");
    }
}
