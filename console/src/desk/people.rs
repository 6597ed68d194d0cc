//! **People**: each agreement as a week, in words, and as an answer to "what if".

use super::charts::has_changed;
use super::edit::done_words;
use super::give::names_of;
use super::now::key_words;
use super::page::{After, Frame, html};
use super::readers::{self, Readers};
use super::running::NoPin;
use super::session::SignedIn;
use super::together::Written;
use super::wrong::Wrong;
use super::{Place, kept, together};
use crate::young::Voice;
use crate::young::agreed::is_read;
use crate::young::line::Line as Told;
use crate::young::terms::{self, Term};
use agreements::{
    Draft, Education, Host, House, MonitoringLevel, Outcome, Person, PersonId, PersonKind, Profile, Request,
    Role, SchoolHours, SegmentKind, Standing, WeekDay, duration,
};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use blocklists::{Catalogue, Domain, Tags};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use records::{Current, shift};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/people.html")]
struct PeoplePage {
    frame: Frame,
    manages: bool,
    people: Vec<Line>,
}

/// Somebody in the list.
struct Line {
    id: String,
    name: String,
    kind: &'static str,
    state: String,
    review: String,
    due: bool,
    /// How many of staff have read it as it stands; and whether whoever looks has not.
    read: String,
    unread: bool,
    /// Whether something changed of late against their own pattern: what, their four weeks say.
    changed: bool,
}

#[derive(Template)]
#[template(path = "desk/person.html")]
struct PersonPage {
    frame: Frame,
    manages: bool,
    young: bool,
    /// Whether what their devices did is for whoever looks.
    reads: bool,
    id: String,
    name: String,
    file: String,
    state: String,
    /// Whether it is known what was agreed: of a file that cannot be used everything would read as if it had been left out.
    read: bool,
    picture: String,
    days: Vec<Day>,
    sites: Vec<(&'static str, Vec<String>)>,
    otherwise: &'static str,
    school: String,
    /// Times and minutes as agreed, day by day.
    times: Vec<Term>,
    /// Whether two of their lines may be for the same day.
    overlap: bool,
    /// Devices, sites for learning, search.
    terms: Vec<Term>,
    /// Where a shared device may go beside names.
    any_address: Option<String>,
    /// What monitoring beyond breaches keeps.
    monitoring: String,
    consequences: Vec<Told>,
    behaviour: Vec<String>,
    tell: String,
    agreed: Vec<(&'static str, String)>,
    view: String,
    readers: Readers,
    incidents: Vec<Written>,
    /// What their devices are called, each once.
    devices: Vec<String>,
    what_if: WhatIf,
    answer: Option<Answer>,
}

/// A day of the week, in words.
struct Day {
    said: String,
    school: bool,
    online: String,
    learning: String,
    bedtime: String,
    limits: Vec<String>,
}

/// A question to the decision.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WhatIf {
    pub(crate) host: String,
    pub(crate) at: String,
    /// On which of their devices; empty where on none in particular.
    pub(crate) device: String,
    /// Of whom, where the page is nobody's own.
    pub(crate) person: String,
}

impl WhatIf {
    /// Whether nothing is asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.host.trim().is_empty()
    }
}

/// Its answer.
pub(crate) struct Answer {
    pub(crate) verdict: &'static str,
    pub(crate) sentence: String,
    pub(crate) source: Option<String>,
    pub(crate) steps: Vec<(String, bool)>,
    pub(crate) wrong: Option<String>,
}

/// `GET /people`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let mut people: Vec<(PersonId, &Person)> = house.people().collect();
    people.sort_by_key(|(_, person)| person.kind != PersonKind::YoungPerson);
    let read = desk.records.agreements_read().await?;
    let mut lines = Vec::new();
    for (place, person) in people {
        let theirs = person.kind == PersonKind::YoungPerson && who.may_read(person);
        let changed = theirs && has_changed(&desk.records, house, (place, &person.id), now).await?;
        let (review, due) = review(person, today);
        let readers = readers::of(desk, house, (person, &read), &who, now).await;
        lines.push(Line {
            id: person.id.clone(),
            name: person.name.clone(),
            kind: kind(person.kind),
            state: state(person),
            review,
            due,
            read: readers.said(),
            unread: readers.mine.is_some(),
            changed,
        });
    }
    let frame = Frame::of("People", "/people", house, &who).after(done_words(&after.done));
    Ok(html(&PeoplePage { frame, manages: who.role == Role::Manager, people: lines }))
}

const fn kind(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::YoungPerson => "young person",
        PersonKind::Staff => "staff",
        PersonKind::Visitor => "visitor",
        PersonKind::Device => "shared device",
    }
}

/// Whether the agreement is in force.
fn state(person: &Person) -> String {
    match &person.draft {
        None => "In force".to_owned(),
        Some(Draft::Missing(what)) => format!("A draft: {} missing, so the baseline applies", missing(what)),
        Some(Draft::NoRecords) => {
            "The gateway cannot use its records, so the baseline applies to everybody".to_owned()
        }
        Some(Draft::HomeUnusable) => {
            "home.yaml has errors and was never good, so the baseline applies to everybody".to_owned()
        }
        Some(Draft::Unusable) => "The file has errors and was never good, so the baseline applies".to_owned(),
    }
}

fn missing(what: &[&str]) -> String {
    let verb = if what.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", what.join(", "))
}

/// When an agreement is looked at again, and whether that is within a fortnight or over.
fn review(person: &Person, today: NaiveDate) -> (String, bool) {
    let Some((by, _)) = &person.agreed.review_by else { return (String::new(), false) };
    let days = (*by - today).num_days();
    let said = match days {
        ..0 => format!("overdue since {}", by.format("%-d %B")),
        0 => "due today".to_owned(),
        1..=14 => format!("due in {days} days"),
        _ => by.format("%-d %B %Y").to_string(),
    };
    (said, days <= 14)
}

/// `GET /people/{person}`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(what_if): Query<WhatIf>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let place = house.person(&id).ok_or(Wrong::Missing)?;
    let person = house.agreement(place).ok_or(Wrong::Missing)?;
    desk.looks(&who, format!("the agreement of {id}")).await?;
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let monday = today - chrono::Days::new(u64::from(today.weekday().num_days_from_monday()));
    let week = house.week(place, monday);
    let answer = (!what_if.is_empty()).then(|| answer(&current, &who, place, &what_if, now));
    let read = desk.records.agreements_read().await?;
    let frame = Frame::of(person.name.clone(), "/people", house, &who).after(done_words(&after.done));
    let page = PersonPage {
        frame,
        manages: who.role == Role::Manager,
        young: person.kind == PersonKind::YoungPerson,
        reads: who.may_read(person),
        id: person.id.clone(),
        name: person.name.clone(),
        file: format!("agreements/{}.yaml", person.id),
        state: state(person),
        read: is_read(person),
        picture: week.svg(),
        days: week.days.iter().map(day).collect(),
        sites: sites(person),
        otherwise: otherwise(person),
        school: school(person),
        times: terms::times(person, Voice::default()),
        overlap: terms::overlap(person),
        terms: terms::more(person, Voice::default()),
        any_address: person.any_address_on.as_ref().map(|on| on.written.join(", ")),
        monitoring: monitoring(person, today),
        consequences: terms::consequences(person, Voice::default()),
        behaviour: person.behaviour.clone(),
        tell: person.tell_someone.clone().unwrap_or_default(),
        agreed: agreed(person, today),
        view: person.agreed.young_person_view.clone().unwrap_or_default(),
        readers: readers::of(desk, house, (person, &read), &who, now).await,
        incidents: together::of((&desk.records, house), &who, person, now).await?,
        devices: names_of(person),
        what_if,
        answer,
    };
    Ok(html(&page))
}

/// A PIN for shared devices.
#[derive(Deserialize)]
pub(crate) struct Pin {
    #[serde(default)]
    pin: String,
}

/// `POST /people/{person}/pin`: gives a young person their PIN.
pub(crate) async fn pin(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(typed): Form<Pin>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let current = desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let person = house.person(&id).and_then(|who| house.agreement(who)).ok_or(Wrong::Missing)?;
    if person.kind != PersonKind::YoungPerson {
        return Err(Wrong::Missing);
    }
    desk.running.give_pin(&person.id, typed.pin.trim()).await.map_err(|why| match why {
        NoPin::Weak(why) => Wrong::Typed(why),
        NoPin::NotKept => Wrong::Records,
    })?;
    desk.records.staff_action(who.by(), &format!("gave {id} a PIN for shared devices"), "").await?;
    Ok(Redirect::to(&format!("/people/{id}?done=pin")).into_response())
}

fn day(day: &WeekDay) -> Day {
    Day {
        said: day.date.format("%A %-d").to_string(),
        school: day.school,
        online: spans(day, SegmentKind::Online),
        learning: spans(day, SegmentKind::School),
        bedtime: day.bedtime.clone().unwrap_or_default(),
        limits: day
            .limits
            .iter()
            .map(|l| format!("{} {}", key_words(&l.of), duration(u32::from(l.minutes))))
            .collect(),
    }
}

/// `07:00–08:30, 15:30–21:00`; neighbours of one kind are told as one.
fn spans(day: &WeekDay, kind: SegmentKind) -> String {
    let mut spans: Vec<(&str, &str)> = Vec::new();
    for segment in day.segments.iter().filter(|s| s.kind == kind) {
        match spans.last_mut().filter(|(_, ends)| *ends == segment.starts) {
            Some((_, ends)) => *ends = &segment.ends,
            None => spans.push((&segment.starts, &segment.ends)),
        }
    }
    spans.iter().map(|(a, b)| format!("{a}–{b}")).collect::<Vec<_>>().join(", ")
}

/// What the agreement says of sites, each kind of word together: of those that change something.
fn sites(person: &Person) -> Vec<(&'static str, Vec<String>)> {
    let kinds = [
        (Outcome::Allow, "Open"),
        (Outcome::Ask, "Ask first"),
        (Outcome::WithStaff, "Together with staff"),
        (Outcome::Block, "Closed"),
    ];
    let of = |outcome| {
        terms::words(person).filter(move |r| r.ruled == outcome).map(|r| key_words(&r.word.to_string()))
    };
    kinds
        .into_iter()
        .map(|(outcome, said)| (said, of(outcome).collect::<Vec<_>>()))
        .filter(|(_, words)| !words.is_empty())
        .collect()
}

fn otherwise(person: &Person) -> &'static str {
    match (person.profile, person.otherwise) {
        (Profile::EmailOnly, _) => "Private mail is open, and nothing else.",
        (Profile::EducationSession, _) => "The device works only in a learning session that staff open.",
        (Profile::Agreement, Outcome::Allow) => "What nobody mentioned is open.",
        (Profile::Agreement, Outcome::Ask) => "What nobody mentioned is asked for first.",
        (Profile::Agreement, Outcome::WithStaff) => "What nobody mentioned is opened together with staff.",
        (Profile::Agreement, Outcome::Block) => "What nobody mentioned is closed.",
    }
}

fn school(person: &Person) -> String {
    if person.kind != PersonKind::YoungPerson {
        return String::new();
    }
    let learns = match person.education {
        Education::School => "Goes to school.",
        Education::Home => "Learns at home.",
        Education::None => "Is not in education at the moment.",
    };
    if person.profile != Profile::Agreement {
        return learns.to_owned();
    }
    let hours = match person.school_hours {
        SchoolHours::EducationOnly => "In school hours only sites for learning are open.",
        SchoolHours::WithStaff => {
            "In school hours sites for learning are open while a member of staff sits there."
        }
        SchoolHours::AsAgreed => "School hours change nothing.",
        SchoolHours::Offline => "In school hours the internet is off.",
    };
    format!("{learns} {hours}")
}

/// What monitoring beyond breaches keeps of them, in the words of the agreement that is in force.
fn monitoring(person: &Person, today: NaiveDate) -> String {
    let Some(kept) = person.monitored() else {
        return "no.".to_owned();
    };
    let day = |date: NaiveDate| date.format("%-d %B %Y").to_string();
    let what = match kept.level {
        MonitoringLevel::Breaches => "nothing more",
        MonitoringLevel::Categories => "minutes a day by kind of site",
        MonitoringLevel::Sites => "minutes a day by kind of site and by site",
    };
    let when = if kept.holds_on(today) { "now" } else { "not now" };
    let (until, told) = (day(kept.until), day(kept.told_on));
    format!(
        "{when}: {what}, from {told}, on which they were told, until {until}. {} decided it: {}",
        kept.authorised_by, kept.reason
    )
}

fn agreed(person: &Person, today: NaiveDate) -> Vec<(&'static str, String)> {
    let day = |date: NaiveDate| date.format("%-d %B %Y").to_string();
    let agreed = &person.agreed;
    let risk = agreed.risk_assessment.as_ref().map(|risk| {
        let level = risk.level.as_ref().map(|level| format!(", {level}")).unwrap_or_default();
        format!("{} of {}{level}", risk.reference, day(risk.on))
    });
    let worker = agreed
        .social_worker
        .as_ref()
        .map(|(name, authority, on)| terms::listed([name, authority, &day(*on)]));
    let manager = agreed.home_manager.as_ref().map(|(name, on)| format!("{name}, {}", day(*on)));
    let rows = [
        ("Risk assessment", risk),
        ("Drawn up with them", agreed.young_person_on.map(day)),
        ("Social worker", worker),
        ("Home manager", manager),
        ("Looked at again", Some(review(person, today).0).filter(|said| !said.is_empty())),
    ];
    rows.into_iter().filter_map(|(what, said)| Some((what, said?))).collect()
}

/// Asks the decision, as it stands: with what staff granted, on the device that is asked of, and what has been used where the
/// time is now.
fn answer(
    current: &Current,
    reader: &SignedIn,
    who: PersonId,
    what_if: &WhatIf,
    now: DateTime<Utc>,
) -> Answer {
    let house = &current.snapshot.house;
    let device = house.devices_called(who, &what_if.device).next();
    if device.is_none() && !what_if.device.is_empty() {
        return unanswered(format!("They have no device called `{}`.", what_if.device));
    }
    // At another time what was used and granted today says nothing.
    let other = Standing::default();
    let here = kept::standing(&current.standing, (house, reader), who);
    let standing = if what_if.at.is_empty() { &*here } else { &other };
    let who = if standing.is_lost(device) { House::LOST } else { who };
    answer_of(house, &current.snapshot.catalogue, &standing.on(device), who, what_if, now)
}

/// The same of any house: one that is being written, too.
pub(crate) fn answer_of(
    house: &House,
    catalogue: &Catalogue,
    standing: &Standing,
    who: PersonId,
    what_if: &WhatIf,
    now: DateTime<Utc>,
) -> Answer {
    let at = match instant(house, &what_if.at, now) {
        Ok(at) => at,
        Err(wrong) => return unanswered(wrong),
    };
    let typed = what_if.host.trim();
    let bare = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    let (host, path) =
        bare.split_once('/').map_or((bare, None), |(host, path)| (host, Some(format!("/{path}"))));
    let Ok(name) = Domain::parse(host) else {
        return unanswered(format!("`{typed}` is no site."));
    };
    let tags: Tags = catalogue.lookup(name.name());
    let request = Request { host: Host::Name(name.name()), tags, path: path.as_deref() };
    let said = house.explain(who, at, &request, standing);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
    Answer {
        verdict: match said.verdict {
            Outcome::Allow => "Open",
            Outcome::Ask => "Ask first",
            Outcome::WithStaff => "Together with staff",
            Outcome::Block => "Closed",
        },
        sentence: said.sentence,
        source: said.source.map(|s| format!("{} · {} line {}", s.text.trim(), s.file, s.line)),
        steps: said
            .trace
            .iter()
            .map(|step| (word(serde_json::to_value(step.rule).unwrap_or_default()), step.speaks))
            .collect(),
        wrong: None,
    }
}

fn unanswered(wrong: String) -> Answer {
    Answer { verdict: "", sentence: String::new(), source: None, steps: Vec::new(), wrong: Some(wrong) }
}

/// A time of the home's clock as a form sends it; now where it sends none.
fn instant(house: &House, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if text.is_empty() {
        return Ok(now);
    }
    let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
    let wall = wall.map_err(|_| format!("`{text}` is no time: write it as 2026-11-29T20:00."))?;
    Ok(shift::on(&[wall.time()], house.home().timezone, wall.date(), wall.time()).from)
}
