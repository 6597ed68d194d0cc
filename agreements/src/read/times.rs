//! Times, windows, bedtimes and durations.

use super::block::{short, text};
use super::sheet::Sheet;
use crate::meant::Window;
use crate::yaml::{Kind, Node};
use chrono::NaiveTime;

/// Minutes of a day.
pub(crate) const DAY: u16 = 1440;
/// The most windows that one day may have.
const MAX_WINDOWS: usize = 48;

/// Why a text is no time, and what to write.
type Wrong = (String, String);

/// Reads `HH:MM` (or `H:MM`) as minutes after midnight; `24:00` is 1440.
pub(crate) fn minutes(typed: &str) -> Result<u16, Wrong> {
    let shown = short(typed);
    let Some((hours, rest)) = typed
        .split_once(':')
        .and_then(|(h, m)| Some((two(h)?, two(m)?, m)))
        .and_then(|(h, m, written)| (written.len() == 2).then_some((h, m)))
    else {
        let help = other_time(typed).unwrap_or_else(|| "Write hours and minutes: 21:00.".to_owned());
        return Err((format!("`{shown}` is no time of day."), help));
    };
    if rest > 59 || hours > 24 || (hours == 24 && rest > 0) {
        let help = "A day runs from 00:00 to 24:00.".to_owned();
        return Err((format!("There is no such time as {shown}."), help));
    }
    Ok(hours * 60 + rest)
}

/// One or two digits.
fn two(text: &str) -> Option<u16> {
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// `9pm`, `9.30 pm`, `21.00` and `2100` as they were meant.
fn other_time(typed: &str) -> Option<String> {
    let text = typed.to_lowercase().replace(' ', "");
    let (number, half) = match (text.strip_suffix("pm"), text.strip_suffix("am")) {
        (Some(n), _) => (n, Some(12)),
        (_, Some(n)) => (n, Some(0)),
        _ => (text.as_str(), None),
    };
    let (hours, minutes) = match number.split_once(['.', ':', 'h']) {
        Some((h, m)) => (two(h)?, two(m)?),
        None if number.len() == 4 && number.is_ascii() => (two(&number[..2])?, two(&number[2..])?),
        None => (two(number)?, 0),
    };
    let hours = half.map_or(hours, |half| hours % 12 + half);
    (hours < 24 && minutes < 60).then(|| format!("Write `{hours:02}:{minutes:02}`."))
}

/// A time of day of a single value; `24:00` is none.
pub(crate) fn time(sheet: &mut Sheet<'_>, node: &Node, what: &str) -> Option<NaiveTime> {
    let typed = text(sheet, node, what)?;
    let wrong = match minutes(typed) {
        Ok(m) if m < DAY => return NaiveTime::from_hms_opt(u32::from(m / 60), u32::from(m % 60), 0),
        Ok(_) => ("24:00 can only end a window.".to_owned(), "Write `00:00`.".to_owned()),
        Err(wrong) => wrong,
    };
    sheet.error(node.at(), "bad-time", &wrong.0, &wrong.1);
    None
}

/// A bedtime: minutes after the day's midnight. Before noon it is after the next midnight.
pub(crate) fn bedtime(sheet: &mut Sheet<'_>, node: &Node) -> Option<u16> {
    let typed = text(sheet, node, "bedtime")?;
    match minutes(typed) {
        Ok(m) if m < DAY / 2 => Some(m + DAY),
        Ok(m) => Some(m),
        Err((sentence, help)) => {
            let help = match typed {
                "never" | "none" | "no" => {
                    "Leave the day out: a day that no entry covers has no bedtime.".to_owned()
                }
                _ => help,
            };
            sheet.error(node.at(), "bad-time", &sentence, &help);
            None
        }
    }
}

/// The windows of a day: one text with commas, or a list.
pub(crate) fn windows(sheet: &mut Sheet<'_>, node: &Node, what: &str) -> Option<Vec<Window>> {
    let before = sheet.errors();
    let mut found: Vec<(Window, usize)> = Vec::new();
    match &node.kind {
        Kind::List(items) => {
            for item in items {
                windows_of(sheet, item, what, &mut found);
            }
        }
        _ => windows_of(sheet, node, what, &mut found),
    }
    if found.len() > MAX_WINDOWS {
        sheet.error(node.at(), "too-many", "A day cannot have so many windows.", "Join those that touch.");
        return None;
    }
    found.sort();
    overlaps(sheet, &found);
    (sheet.errors() == before).then(|| found.into_iter().map(|(w, _)| w).collect())
}

fn windows_of(sheet: &mut Sheet<'_>, node: &Node, what: &str, found: &mut Vec<(Window, usize)>) {
    let Some(whole) = text(sheet, node, what) else { return };
    let mut offset = 0;
    for part in node.text().unwrap_or(whole).split(',') {
        let at = sheet.inside(node, offset + (part.len() - part.trim_start().len()));
        offset += part.len() + 1;
        match window(part.trim()) {
            Ok(Some(w)) => found.push((w, at)),
            Ok(None) => {}
            Err((sentence, help)) => sheet.error(at, "bad-time", &sentence, &help),
        }
    }
}

/// One window; none for `never`.
fn window(typed: &str) -> Result<Option<Window>, Wrong> {
    match typed {
        "all_day" => return Ok(Some(Window { start: 0, end: DAY })),
        "never" => return Ok(None),
        _ => {}
    }
    let example = "Write a beginning and an end: 07:00-21:00.";
    // A dash that a word processor made long is a dash.
    let Some((start, end)) = typed.split_once(['-', '–', '—']) else {
        let help = match super::spelling::nearest(typed, ["all_day", "never"]).first() {
            Some(word) => format!("Did you mean `{word}`?"),
            None => example.to_owned(),
        };
        return Err((format!("`{}` is no window of the day.", short(typed)), help));
    };
    let (start, end) = (minutes(start.trim())?, minutes(end.trim())?);
    if start == DAY {
        return Err((
            "A window cannot begin at 24:00.".to_owned(),
            "Begin it at 00:00 of the next day.".to_owned(),
        ));
    }
    Ok(Some(Window { start, end: if end <= start { end + DAY } else { end } }))
}

fn overlaps(sheet: &mut Sheet<'_>, sorted: &[(Window, usize)]) {
    for pair in sorted.windows(2) {
        let [(a, first), (b, second)] = pair else { continue };
        if b.start < a.end {
            let sentence = format!("The windows {} and {} overlap.", clock(*a), clock(*b));
            let help = format!(
                "Write one window for both: {}.",
                clock(Window { start: a.start, end: a.end.max(b.end) })
            );
            sheet.error(*first.max(second), "overlapping-windows", &sentence, &help);
            let other = sheet.place(*first.min(second));
            sheet.beside(Some(other));
        }
    }
}

/// A window as it is written.
pub(crate) fn clock(w: Window) -> String {
    let end = if w.end == DAY { DAY } else { w.end % DAY };
    format!("{:02}:{:02}-{:02}:{:02}", w.start / 60, w.start % 60, end / 60, end % 60)
}

/// A time of day as it is written.
pub(crate) fn clock_time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// A length of time within a day, in minutes: `4h`, `2h30m`, `45m`.
pub(crate) fn limit(sheet: &mut Sheet<'_>, node: &Node) -> Option<u16> {
    let typed = text(sheet, node, "limits")?;
    match parts(typed).and_then(|parts| limit_minutes(&parts)) {
        Some(m) if m <= u32::from(DAY) => Some(m as u16),
        Some(_) => {
            let sentence = format!("{} is longer than a day.", short(typed));
            sheet.error(node.at(), "bad-duration", &sentence, "A limit is for one day: at most 24h.");
            None
        }
        None => {
            let help = if typed.bytes().all(|b| b.is_ascii_digit()) {
                format!("Write `{typed}m` for minutes or `{typed}h` for hours.")
            } else {
                "Write hours and minutes: 4h, 2h30m, 45m.".to_owned()
            };
            let sentence = format!("`{}` is no length of time.", short(typed));
            sheet.error(node.at(), "bad-duration", &sentence, &help);
            None
        }
    }
}

fn limit_minutes(parts: &[(u32, String)]) -> Option<u32> {
    match parts {
        [(h, unit)] if is_hours(unit) => Some(h * 60),
        [(m, unit)] if is_minutes(unit) => Some(*m),
        [(h, hours), (m, minutes)] if is_hours(hours) && is_minutes(minutes) => Some(h * 60 + m),
        _ => None,
    }
}

fn is_hours(unit: &str) -> bool {
    matches!(unit, "h" | "hour" | "hours")
}

fn is_minutes(unit: &str) -> bool {
    matches!(unit, "m" | "min" | "mins" | "minute" | "minutes")
}

/// `2h30m` as numbers and units. Numbers have at most five digits.
fn parts(typed: &str) -> Option<Vec<(u32, String)>> {
    let mut parts: Vec<(u32, String)> = Vec::new();
    let mut rest = typed.trim();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 5 || parts.len() == 2 {
            return None;
        }
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        parts.push((number.parse().ok()?, unit.to_lowercase()));
        rest = tail.trim_start();
    }
    Some(parts)
}

/// How often something happens, in minutes: `30m`, `1h`, `1d`; `daily`, `hourly` and `weekly` too.
pub(crate) fn interval(typed: &str) -> Option<u32> {
    match typed {
        "hourly" => return Some(60),
        "daily" => return Some(u32::from(DAY)),
        "weekly" => return Some(7 * u32::from(DAY)),
        _ => {}
    }
    let parts = parts(typed)?;
    match parts.as_slice() {
        [(d, unit)] if matches!(unit.as_str(), "d" | "day" | "days") => Some(d * u32::from(DAY)),
        [(w, unit)] if matches!(unit.as_str(), "w" | "week" | "weeks") => {
            Some(w.checked_mul(7 * u32::from(DAY))?)
        }
        _ => limit_minutes(&parts),
    }
}

/// How long records stay, in days: `90 days`, `12 months`, `6 weeks`, `7 years`. Twelve months are a year of 365 days.
pub(crate) fn days_kept(typed: &str) -> Option<u32> {
    let parts = parts(typed)?;
    let [(n, unit)] = parts.as_slice() else { return None };
    let days = match unit.as_str() {
        "d" | "day" | "days" => *n,
        "w" | "week" | "weeks" => n * 7,
        "month" | "months" => (n * 365).div_ceil(12),
        "y" | "year" | "years" => n * 365,
        _ => return None,
    };
    (1..=36_500).contains(&days).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        for (typed, right) in [
            ("21:00", Ok(1260)),
            ("7:05", Ok(425)),
            ("00:00", Ok(0)),
            ("24:00", Ok(1440)),
            ("24:01", Err("A day runs from 00:00 to 24:00.")),
            ("21:60", Err("A day runs from 00:00 to 24:00.")),
            ("9pm", Err("Write `21:00`.")),
            ("9.30 pm", Err("Write `21:30`.")),
            ("21.00", Err("Write `21:00`.")),
            ("2100", Err("Write `21:00`.")),
            ("12am", Err("Write `00:00`.")),
            ("+9:00", Err("Write hours and minutes: 21:00.")),
            ("21:0", Err("Write `21:00`.")),
            ("bedtime", Err("Write hours and minutes: 21:00.")),
        ] {
            let got = minutes(typed);
            assert_eq!(got.as_ref().map_err(|w| w.1.as_str()), right.as_ref().map_err(|h| *h), "{typed}");
        }
    }

    #[test]
    fn an_end_at_or_before_its_start_runs_into_the_next_day() {
        for (typed, start, end) in [
            ("09:00-00:30", 540, 1470),
            ("22:00-22:00", 1320, 2760),
            ("07:00 – 24:00", 420, 1440),
            ("all_day", 0, 1440),
        ] {
            assert_eq!(window(typed), Ok(Some(Window { start, end })), "{typed}");
        }
        assert_eq!(window("never"), Ok(None));
    }

    #[test]
    fn records_stay_for_whole_days() {
        for (typed, days) in [
            ("12 months", Some(365)),
            ("1 month", Some(31)),
            ("90 days", Some(90)),
            ("2 weeks", Some(14)),
            ("0 days", None),
            ("for ever", None),
        ] {
            assert_eq!(days_kept(typed), days, "{typed}");
        }
    }
}
