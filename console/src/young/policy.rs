//! How the internet works in this home, for whoever lives here and for parents (seed 002): made from home.yaml, readable without
//! signing in on any device in the home, and to print. No young person's name and none of staff's stands in it.

use super::week::spans;
use super::{Frame, Voice, agreed, shown};
use crate::contacts::{self, Contact};
use crate::pages::{Desk, Visit};
use crate::sent::Here;
use agreements::{Home, House, PersonKind, SafeSearch, SegmentKind};
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use chrono::{Datelike, Days, NaiveTime};

/// Its address.
pub(crate) const POLICY: &str = "/policy";

#[derive(Template)]
#[template(path = "young/policy.html")]
struct PolicyPage<'a> {
    frame: Frame,
    lead: String,
    /// What is closed for everyone, in words; empty where nothing is.
    everyone: String,
    safe_search: bool,
    days: Vec<Day>,
    kept: Vec<String>,
    contacts: Vec<Contact<'a>>,
}

/// A day of the week.
struct Day {
    name: &'static str,
    /// When a device that nobody knows is online.
    online: String,
    /// School hours, on a day with school.
    school: String,
}

/// `GET` [`POLICY`].
pub(crate) async fn show(State(desk): State<Desk>, here: Here) -> Response<Body> {
    let visit = here.visit(&desk, "");
    page(&visit, here.v)
}

fn page(visit: &Visit, v: Voice) -> Response<Body> {
    let house = &visit.current.snapshot.house;
    let home = house.home();
    let words = home.everyone.block.iter().map(|(word, _)| v.of_word(word));
    let page = PolicyPage {
        frame: Frame::of(v, visit, POLICY, v.say("policy")),
        lead: v.fill("policy.lead", &[("home", &home.name)]),
        everyone: words.collect::<Vec<_>>().join(", "),
        safe_search: home.everyone.safe_search != SafeSearch::Off,
        days: days(house, visit, v),
        kept: kept(home, v),
        contacts: contacts::first(home).chain(contacts::own(home)).collect(),
    };
    shown(StatusCode::OK, &page)
}

/// This week, as a device has it that nobody knows, and the hours of school.
fn days(house: &House, visit: &Visit, v: Voice) -> Vec<Day> {
    let home = house.home();
    let today = visit.at.with_timezone(&home.timezone).date_naive();
    let monday = today - Days::new(today.weekday().num_days_from_monday().into());
    let clock = |time: &NaiveTime| time.format("%H:%M").to_string();
    let hours = |(from, to): &(NaiveTime, NaiveTime)| format!("{}–{}", clock(from), clock(to));
    let week = house.week(House::NOBODY, monday);
    let day = |(day, school): (&agreements::WeekDay, &Vec<(NaiveTime, NaiveTime)>)| Day {
        name: v.weekday(day.date),
        online: spans(day, SegmentKind::Online),
        school: school.iter().map(hours).collect::<Vec<_>>().join(", "),
    };
    week.days.iter().zip(&home.school.hours).map(day).collect()
}

/// What is written down of everybody, who sees it, and for how long.
fn kept(home: &Home, v: Voice) -> Vec<String> {
    let all = agreed::kept(PersonKind::YoungPerson, home, v);
    all.into_iter().chain([v.say("policy.kept.more").to_owned()]).collect()
}
