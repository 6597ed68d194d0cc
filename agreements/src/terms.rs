//! School terms and days off from an iCalendar file (RFC 5545), as schools and councils publish them.
//!
//! Such files have no field that says what a day is, so the summaries are read: `half term`, `INSET`, `term begins`. The file is a
//! stranger's: its events are cut out one by one, counted and bounded before the parser sees them, and a rule that could
//! repeat without end or without ever happening is not followed.

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use icalendar::{Calendar, CalendarDateTime, CalendarEvent, Component, DatePerhapsTime};
use std::borrow::Cow;

/// The longest calendar, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The most events of one calendar.
const MAX_EVENTS: usize = 5000;
/// The most events that say something of terms or days off: many years of them.
const MAX_SAYING: usize = 300;
/// The longest single event, in bytes.
const MAX_EVENT: usize = 8 << 10;
/// How often an event may repeat.
const MAX_REPEATS: u16 = 100;
/// How many events may repeat.
const MAX_REPEATING: usize = 50;
/// The longest term or holiday, in days; longer ones are somebody's mistake.
const MAX_SPAN: i64 = 200;
/// The years around today that count.
const YEARS: u64 = 3;
/// An event with hours is a day off only when it takes most of the day: `Staff training 15:30-17:00` is none.
const MOST_OF_A_DAY: TimeDelta = TimeDelta::hours(4);

/// What a calendar says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Terms, both ends included.
    pub(crate) terms: Vec<(NaiveDate, NaiveDate)>,
    /// Days without school.
    pub(crate) days_off: Vec<NaiveDate>,
    /// What could not be used.
    pub(crate) problems: Vec<Trouble>,
}

/// Something in a calendar that could not be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The byte where it stands.
    pub(crate) at: usize,
    /// The problem's code.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) sentence: Cow<'static, str>,
    /// What to do.
    pub(crate) help: &'static str,
}

/// What an event says of its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    /// Its days are without school.
    Off,
    /// Its days are a term.
    Term,
    /// A term begins.
    Begins,
    /// A term ends.
    Ends,
}

/// An event that says something, with its days (both included) and where it stands.
struct Said {
    saying: Saying,
    first: NaiveDate,
    last: NaiveDate,
    at: usize,
}

/// Reads a calendar. Days far from today are left out.
pub(crate) fn read(text: &str, zone: Tz, today: NaiveDate) -> Terms {
    let mut found = Terms::default();
    if text.len() > MAX_BYTES || text.contains('\0') {
        return unreadable("The calendar is far bigger than a school's, or is no text.");
    }
    if !text.trim_start().starts_with("BEGIN:VCALENDAR") {
        return unreadable("This is no calendar: it does not begin with BEGIN:VCALENDAR.");
    }
    let mut said = Vec::new();
    let mut repeating = 0;
    let mut sayings = 0;
    for (i, (at, event)) in events(text).enumerate() {
        // Most events of a school's calendar say nothing here, and cost no parsing.
        let Some(saying) = summary(&event).and_then(|s| saying(&s)) else { continue };
        sayings += 1;
        if i >= MAX_EVENTS || sayings > MAX_SAYING {
            found.problems.push(too_many(at));
            break;
        }
        read_event((&event, at, saying), zone, &mut repeating, &mut said, &mut found.problems);
    }
    let near = |day: NaiveDate| (day - today).num_days().unsigned_abs() <= YEARS * 366;
    said.retain(|s| near(s.first) && near(s.last));
    said.sort_by_key(|s| s.first);
    collect(&said, &mut found);
    found
}

fn unreadable(sentence: &'static str) -> Terms {
    let help = "Ask the school for its calendar as an .ics file, or write the terms into home.yaml.";
    let trouble = Trouble { at: 0, code: "bad-calendar", sentence: sentence.into(), help };
    Terms { problems: vec![trouble], ..Terms::default() }
}

fn too_many(at: usize) -> Trouble {
    let sentence =
        format!("The calendar has more than {MAX_EVENTS} events; those from here on are not read.");
    Trouble { at, code: "too-many", sentence: sentence.into(), help: "Use a calendar of term dates alone." }
}

/// The events of a calendar without what stands inside them (alarms), each with the byte where it begins. Folded lines
/// (RFC 5545 §3.1) are joined.
fn events(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = text.split_inclusive('\n').scan(0, |at, line| {
        let here = *at;
        *at += line.len();
        Some((here, line.trim_end_matches(['\n', '\r'])))
    });
    std::iter::from_fn(move || {
        let begin = lines.find(|(_, line)| line.eq_ignore_ascii_case("BEGIN:VEVENT"))?.0;
        let mut event = String::new();
        let mut inner = 0u32;
        for (_, line) in lines.by_ref() {
            let upper = line.get(..6).map(str::to_ascii_uppercase).unwrap_or_default();
            if line.eq_ignore_ascii_case("END:VEVENT") {
                break;
            } else if upper == "BEGIN:" {
                inner += 1;
            } else if upper.starts_with("END:") {
                inner = inner.saturating_sub(1);
            } else if inner == 0 && event.len() + line.len() <= MAX_EVENT {
                match line.strip_prefix([' ', '\t']) {
                    Some(rest) => event.push_str(rest),
                    None => {
                        event.push_str("\r\n");
                        event.push_str(line);
                    }
                }
            }
        }
        Some((begin, event))
    })
}

fn read_event(
    (event, at, saying): (&str, usize, Saying),
    zone: Tz,
    repeating: &mut usize,
    said: &mut Vec<Said>,
    problems: &mut Vec<Trouble>,
) {
    let whole = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    let calendar: Option<Calendar> = whole.parse().ok();
    let Some((event, (first, last))) = calendar
        .as_ref()
        .and_then(|c| c.calendar_events().next())
        .and_then(|e| days(&e, zone).map(|d| (e, d)))
    else {
        let sentence = "This event has no days that can be read.";
        problems.push(Trouble { at, code: "bad-event", sentence: sentence.into(), help: "" });
        return;
    };
    if (last - first).num_days() > MAX_SPAN {
        let sentence = "This event lasts longer than any term, so it is left out.";
        problems.push(Trouble {
            at,
            code: "bad-event",
            sentence: sentence.into(),
            help: "Check its last day.",
        });
        return;
    }
    // One long event is a term; one day with the word in it is an assembly.
    if saying == Saying::Term && first == last || is_short(&event) {
        return;
    }
    let Some(rule) = event.property_value("RRULE") else {
        said.push(Said { saying, first, last, at });
        return;
    };
    *repeating += 1;
    let length = last - first;
    match repeats(&event, rule).filter(|_| *repeating <= MAX_REPEATING) {
        Some(firsts) => {
            said.extend(firsts.into_iter().map(|first| Said { saying, first, last: first + length, at }));
        }
        None => {
            let sentence = "How this event repeats is not understood: only its first time counts.";
            problems.push(Trouble { at, code: "bad-repeat", sentence: sentence.into(), help: "" });
            said.push(Said { saying, first, last, at });
        }
    }
}

/// The summary of an event, in small letters. What the text escapes (RFC 5545 §3.3.11) matters to no word of ours.
fn summary(event: &str) -> Option<String> {
    let line = event.split("\r\n").find(|line| {
        line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("SUMMARY"))
            && matches!(line.as_bytes().get(7), Some(b':' | b';'))
    })?;
    line.split_once(':').map(|(_, text)| text.to_lowercase())
}

/// What a summary says. `half term` is no term, so days off are asked for first.
fn saying(summary: &str) -> Option<Saying> {
    let has = |word: &str| summary.contains(word);
    let whole = |word: &str| summary.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
    if has("half term") || has("half-term") || whole("halfterm") {
        return Some(Saying::Off);
    }
    if whole("term") {
        let begins = ["begins", "starts", "start of", "first day", "opens", "begin", "start"];
        let ends = ["ends", "end of", "last day", "closes", "finishes"];
        return Some(match (begins.iter().any(|w| has(w)), ends.iter().any(|w| has(w))) {
            (true, false) => Saying::Begins,
            (false, true) => Saying::Ends,
            _ => Saying::Term,
        });
    }
    let off = [
        "holiday",
        "inset",
        "in-service",
        "training day",
        "staff training",
        "teacher training",
        "closed",
        "non-pupil",
        "non pupil",
    ];
    let none = ["holiday club", "holiday homework", "holiday camp"];
    (off.iter().any(|w| has(w)) && !none.iter().any(|w| has(w))).then_some(Saying::Off)
}

/// The first and last day of an event. The end of an event of whole days is the day after (RFC 5545 §3.6.1).
fn days(event: &CalendarEvent<'_>, zone: Tz) -> Option<(NaiveDate, NaiveDate)> {
    let first = date(&event.get_start()?, zone);
    let last = match event.get_end() {
        Some(DatePerhapsTime::Date(after)) => after.pred_opt()?,
        Some(time) => date(&time, zone),
        None => first,
    };
    Some((first, last.max(first)))
}

fn date(when: &DatePerhapsTime, zone: Tz) -> NaiveDate {
    match when {
        DatePerhapsTime::Date(date) => *date,
        DatePerhapsTime::DateTime(CalendarDateTime::Floating(time)) => time.date(),
        DatePerhapsTime::DateTime(CalendarDateTime::Utc(time)) => time.with_timezone(&zone).date_naive(),
        DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, .. }) => date_time.date(),
    }
}

/// Whether an event has hours, and few of them.
fn is_short(event: &CalendarEvent<'_>) -> bool {
    let naive = |when: Option<DatePerhapsTime>| match when? {
        DatePerhapsTime::DateTime(CalendarDateTime::Floating(time)) => Some(time),
        DatePerhapsTime::DateTime(CalendarDateTime::Utc(time)) => Some(time.naive_utc()),
        DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, .. }) => Some(date_time),
        DatePerhapsTime::Date(_) => None,
    };
    match (naive(event.get_start()), naive(event.get_end())) {
        (Some(start), Some(end)) => end - start < MOST_OF_A_DAY,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// The first days of an event that repeats; none when its rule is not one that surely happens again soon.
fn repeats(event: &CalendarEvent<'_>, rule: &str) -> Option<Vec<NaiveDate>> {
    if !surely_repeats(rule) {
        return None;
    }
    let all = event.get_recurrence().ok()?.all(MAX_REPEATS);
    Some(all.dates.iter().map(|time| time.date_naive()).collect())
}

/// Whether a rule is simple enough that following it ends soon. `BYMONTH=2;BYMONTHDAY=30` never happens, and looking for
/// it takes a hundred thousand years.
fn surely_repeats(rule: &str) -> bool {
    let upper = rule.to_ascii_uppercase();
    let parts: Option<Vec<(&str, &str)>> = upper.split(';').map(|part| part.split_once('=')).collect();
    let Some(parts) = parts else { return false };
    let value = |name: &str| parts.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    let within = |text: &str, most: i32| text.parse::<i32>().is_ok_and(|n| n != 0 && n.abs() <= most);
    let known = parts.iter().all(|(name, value)| match *name {
        "FREQ" => matches!(*value, "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY"),
        "INTERVAL" => within(value, 100),
        "COUNT" => within(value, 10_000),
        "UNTIL" | "WKST" => true,
        "BYMONTH" => upper.contains("FREQ=YEARLY") && value.split(',').all(|m| within(m, 12)),
        "BYMONTHDAY" => !upper.contains("FREQ=WEEKLY") && value.split(',').all(|d| within(d, 28)),
        "BYDAY" => value.split(',').all(|d| {
            let digits = d.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            digits.is_empty() || within(digits, 4)
        }),
        _ => false,
    });
    // With an interval a rule can miss its own days for ever: every seventh day from a Monday is never a Tuesday.
    let chosen = parts.iter().filter(|(name, _)| name.starts_with("BY")).count();
    let weekly = value("FREQ") == Some("WEEKLY");
    known && (value("INTERVAL").is_none_or(|i| i == "1") || chosen == 0 || weekly)
}

fn collect(said: &[Said], found: &mut Terms) {
    for s in said {
        match s.saying {
            Saying::Off => found.days_off.extend(s.first.iter_days().take_while(|day| *day <= s.last)),
            Saying::Term => found.terms.push((s.first, s.last)),
            Saying::Begins | Saying::Ends => {}
        }
    }
    pair(said, found);
    found.terms.sort();
    found.terms.dedup();
    found.days_off.sort();
    found.days_off.dedup();
}

/// Terms of which the calendar has only the first and the last day. Of several ends the last before the next beginning
/// counts: the assembly is a day earlier.
fn pair(said: &[Said], found: &mut Terms) {
    let begins: Vec<&Said> = said.iter().filter(|s| s.saying == Saying::Begins).collect();
    for (i, begin) in begins.iter().enumerate() {
        let next = begins.get(i + 1).map_or(NaiveDate::MAX, |n| n.first);
        let far = begin.first.checked_add_days(Days::new(MAX_SPAN as u64)).unwrap_or(NaiveDate::MAX);
        let mut ends = said.iter().filter(|s| s.saying == Saying::Ends && s.last >= begin.first);
        match ends.rfind(|s| s.first < next && s.last <= far) {
            Some(end) => found.terms.push((begin.first, end.last)),
            None if next == begin.first => {}
            None => {
                let sentence = "A term begins here, and no event says when it ends.";
                let help = "Write the term into home.yaml.";
                found.problems.push(Trouble {
                    at: begin.at,
                    code: "open-term",
                    sentence: sentence.into(),
                    help,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_as_schools_write_them() {
        for (summary, meant) in [
            ("Autumn Term", Some(Saying::Term)),
            ("Autumn term 2026", Some(Saying::Term)),
            ("Term starts", Some(Saying::Begins)),
            ("First day of Spring Term", Some(Saying::Begins)),
            ("Summer term begins for pupils", Some(Saying::Begins)),
            ("Term ends 1.30pm", Some(Saying::Ends)),
            ("Last day of term", Some(Saying::Ends)),
            ("End of term", Some(Saying::Ends)),
            ("Half term", Some(Saying::Off)),
            ("HALF-TERM HOLIDAY", Some(Saying::Off)),
            ("INSET Day", Some(Saying::Off)),
            ("Staff training day", Some(Saying::Off)),
            ("School closed", Some(Saying::Off)),
            ("Early May bank holiday", Some(Saying::Off)),
            ("Christmas holidays", Some(Saying::Off)),
            ("Football training", None),
            ("Holiday club", None),
            ("Midterm reports", None),
            ("Parents' evening", None),
            ("", None),
        ] {
            assert_eq!(saying(&summary.to_lowercase()), meant, "{summary}");
        }
    }

    #[test]
    fn only_rules_that_surely_happen_again_are_followed() {
        for (rule, follows) in [
            ("FREQ=YEARLY", true),
            ("FREQ=YEARLY;BYMONTH=5;BYDAY=1MO", true),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", true),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20270101", true),
            ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=10", true),
            ("FREQ=DAILY;INTERVAL=2", true),
            ("FREQ=SECONDLY", false),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", false),
            ("FREQ=YEARLY;BYSETPOS=400", false),
            ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", false),
            ("FREQ=DAILY;BYMONTH=2", false),
            ("FREQ=MONTHLY;BYDAY=6MO", false),
            ("FREQ=DAILY;INTERVAL=0", false),
            ("FREQ", false),
        ] {
            assert_eq!(surely_repeats(rule), follows, "{rule}");
        }
    }
}
