//! My week, as a picture and as a table that says the same.

use super::agreed::not_in_force;
use super::{Frame, Voice, Whose, shown};
use crate::pages::Visit;
use agreements::{House, PersonId, SegmentKind, WeekDay};
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use chrono::{Datelike, Days, NaiveDate};
use std::fmt::Write;

#[derive(Template)]
#[template(path = "young/week.html")]
struct WeekPage {
    frame: Frame,
    lead: &'static str,
    picture: String,
    days: Vec<Day>,
}

/// A day, in words.
pub(crate) struct Day {
    pub(crate) name: &'static str,
    pub(crate) today: bool,
    pub(crate) online: String,
    pub(crate) school: String,
    pub(crate) bed: String,
    pub(crate) limits: Vec<String>,
}

/// `/week`.
pub(crate) fn page(visit: &Visit, v: Voice) -> Response<Body> {
    let house = &visit.current.snapshot.house;
    let person = match Whose::of(visit) {
        Whose::Nobody => {
            return super::said(StatusCode::NOT_FOUND, v, visit, ("missing", &["device.unknown"]));
        }
        Whose::Shared(person) | Whose::Own(person) => person,
    };
    let today = visit.at.with_timezone(&house.home().timezone).date_naive();
    let monday = today - Days::new(today.weekday().num_days_from_monday().into());
    let week = house.week(visit.who, monday);
    let page = WeekPage {
        frame: Frame::of(v, visit, "/week", v.say("week")),
        lead: not_in_force(person, v).unwrap_or_else(|| v.say("week.lead")),
        picture: picture(&week.days, v),
        days: week.days.iter().map(|day| in_words(day, today, v)).collect(),
    };
    shown(StatusCode::OK, &page)
}

/// The seven days from a date on.
pub(crate) fn days(
    house: &House,
    who: PersonId,
    from: NaiveDate,
    (today, v): (NaiveDate, Voice),
) -> Vec<Day> {
    house.week(who, from).days.iter().map(|day| in_words(day, today, v)).collect()
}

fn in_words(day: &WeekDay, today: NaiveDate, v: Voice) -> Day {
    let limits = day.limits.iter();
    Day {
        name: v.weekday(day.date),
        today: day.date == today,
        online: spans(day, SegmentKind::Online),
        school: spans(day, SegmentKind::School),
        bed: day.bedtime.clone().unwrap_or_default(),
        limits: limits
            .map(|limit| format!("{} {}", v.of_key(&limit.key), v.length(limit.minutes.into())))
            .collect(),
    }
}

/// `07:00–08:30, 15:30–21:00`; neighbours of one kind are told as one.
pub(super) fn spans(day: &WeekDay, kind: SegmentKind) -> String {
    let mut spans: Vec<(&str, &str)> = Vec::new();
    for segment in day.segments.iter().filter(|s| s.kind == kind) {
        match spans.last_mut().filter(|(_, ends)| *ends == segment.starts) {
            Some((_, ends)) => *ends = &segment.ends,
            None => spans.push((&segment.starts, &segment.ends)),
        }
    }
    spans.iter().map(|(a, b)| format!("{a}–{b}")).collect::<Vec<_>>().join(", ")
}

/// A minute of the day, as a segment's clock shows it.
fn minute(clock: &str) -> u32 {
    let (hours, minutes) = clock.split_once(':').unwrap_or(("0", "0"));
    hours.parse::<u32>().unwrap_or(0) * 60 + minutes.parse::<u32>().unwrap_or(0)
}

/// Where the bars begin: beside the days' names.
const LEFT: u32 = 52;

/// Each day as a bar from midnight to midnight, drawn small so that its letters can be read on a phone. Only numbers of ours and words of the language stand in it.
fn picture(days: &[WeekDay], v: Voice) -> String {
    let height = days.len() * 26 + 24;
    let mut svg = format!(
        "<svg class=\"weekbars\" viewBox=\"0 0 424 {height}\" role=\"img\" aria-label=\"{}\">",
        v.say("week.picture")
    );
    for (row, day) in days.iter().enumerate() {
        let y = row * 26;
        let short: String = v.weekday(day.date).trim_start_matches("dydd ").chars().take(3).collect();
        let _ = write!(svg, "<text x=\"0\" y=\"{}\">{short}</text>", y + 15);
        for segment in &day.segments {
            let (from, to) = (minute(&segment.starts), minute(&segment.ends));
            let class = match segment.kind {
                SegmentKind::Offline => "offline",
                SegmentKind::School => "school",
                SegmentKind::Online => "online",
            };
            let (x, width) = (LEFT + from / 4, to.saturating_sub(from) / 4);
            let _ =
                write!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"20\"/>");
        }
    }
    for hour in (0..=24).step_by(6) {
        let (x, y) = (LEFT + hour * 15, days.len() as u32 * 26 + 16);
        let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{hour}</text>");
    }
    svg + "</svg>"
}
