//! **Together**: asking a young person to show what they are doing (seed 003 §4.7c), and writing down by hand what no gateway sees
//! (§4.7d). Nobody looks at a device from afar, and no page's content is kept: staff and the young person look together.

use super::Place;
use super::now::person_name;
use super::page::{clock, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, Person, PersonKind};
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use records::{Line, Records, Showing};
use serde::Deserialize;

/// What was asked so long ago stands on **Now** with its answer.
const LATELY: TimeDelta = TimeDelta::hours(12);
/// Incidents of so long ago stand on somebody's page.
const MONTH: TimeDelta = TimeDelta::days(31);

/// Staff asked somebody to show them something.
pub(super) struct Show {
    pub(super) entry: i64,
    pub(super) name: String,
    /// Who asked, when and why, and what became of it.
    pub(super) said: String,
    pub(super) open: bool,
}

/// An incident as a page says it.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) when: String,
    /// The promise of the agreement; empty where it is about none.
    pub(super) about: String,
    pub(super) words: String,
    pub(super) by: String,
}

/// What became of it, in a word.
pub(super) const fn word(outcome: Showing) -> &'static str {
    match outcome {
        Showing::Shown => "shown",
        Showing::Declined => "declined",
        Showing::Later => "later",
    }
}

/// What staff asked lately, and what is open.
pub(super) async fn shows(records: &Records, house: &House, now: DateTime<Utc>) -> Result<Vec<Show>, Wrong> {
    let within = |words: &str, before: &str, after: &str| match words {
        "" => String::new(),
        words => format!("{before}{words}{after}"),
    };
    let one = |show: records::Show| {
        let (by, at) = (&show.asked.by.name, clock(house, show.at, now));
        let asked = format!("asked by {by} at {at}{}", within(&show.asked.words, " (", ")"));
        let became = show.answered.as_ref().map(|said| {
            format!("; {}, says {}{}", word(said.outcome), said.by.name, within(&said.words, ": ", ""))
        });
        Show {
            entry: show.entry,
            name: person_name(house, &show.asked.person),
            said: asked + &became.unwrap_or_default(),
            open: show.answered.is_none(),
        }
    };
    Ok(records.shows(now - LATELY).await?.into_iter().map(one).collect())
}

/// Incidents that were written down within a stretch of time, of one person or of everybody. Whoever reads initials reads that
/// there was one, and no words about it.
pub(super) async fn written(
    (records, house): (&Records, &House),
    who: &SignedIn,
    (person, span): (Option<&str>, (DateTime<Utc>, DateTime<Utc>)),
    now: DateTime<Utc>,
) -> Result<Vec<Written>, Wrong> {
    let read = |text: String| if who.knows_names() { text } else { String::new() };
    let one = |written: records::WrittenDown| Written {
        name: name_for(who.role, &person_name(house, &written.incident.person)),
        when: clock(house, written.incident.at, now),
        about: read(written.incident.about.map(|line| line.text).unwrap_or_default()),
        words: read(written.incident.words),
        by: written.incident.by.name,
    };
    Ok(records.incidents(person, span).await?.into_iter().map(one).collect())
}

/// The last month's of one person.
pub(super) async fn of(
    at: (&Records, &House),
    who: &SignedIn,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<Vec<Written>, Wrong> {
    let span = (now - MONTH, now + TimeDelta::seconds(1));
    written(at, who, (Some(&person.id), span), now).await
}

/// A young person with that id.
fn young<'h>(house: &'h House, id: &str) -> Result<&'h Person, Wrong> {
    let found = house.person(id).and_then(|who| house.agreement(who));
    found.filter(|person| person.kind == PersonKind::YoungPerson).ok_or(Wrong::Missing)
}

/// Why staff ask.
#[derive(Deserialize)]
pub(crate) struct Asking {
    #[serde(default)]
    words: String,
}

/// `POST /people/{person}/show`.
pub(crate) async fn ask(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(asking): Form<Asking>,
) -> Result<Response, Wrong> {
    let current = place.desk.in_force.to_keep();
    let person = young(&current.snapshot.house, &id)?;
    let done = place.desk.records.ask_to_show(&person.id, who.by(), &asking.words).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&asking.words]))?;
    Ok(Redirect::to("/?done=asked").into_response())
}

/// What became of it.
#[derive(Deserialize)]
pub(crate) struct Became {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    words: String,
}

/// `POST /shows/{entry}`.
pub(crate) async fn became(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(became): Form<Became>,
) -> Result<Response, Wrong> {
    let all = [Showing::Shown, Showing::Declined, Showing::Later];
    let outcome = all.into_iter().find(|outcome| word(*outcome) == became.outcome).ok_or(Wrong::Missing)?;
    let done = place.desk.records.answer_show(entry, who.by(), outcome, &became.words).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&became.words]))?;
    Ok(Redirect::to("/?done=noted").into_response())
}

/// An incident as somebody writes it down.
#[derive(Deserialize)]
pub(crate) struct Incident {
    #[serde(default)]
    words: String,
    /// When it was, by the home's clock; empty for now.
    #[serde(default)]
    at: String,
    /// Which promise of the agreement, from 0; empty where it is about none.
    #[serde(default)]
    about: String,
    /// `yes`: it is a safeguarding concern as well.
    #[serde(default)]
    concern: String,
}

/// `POST /people/{person}/incident`.
pub(crate) async fn incident(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(typed): Form<Incident>,
) -> Result<Response, Wrong> {
    writes_down(&place, &who, &id, &typed).await.map_err(|wrong| wrong.with(&[&typed.words]))?;
    Ok(Redirect::to(&format!("/people/{id}?done=written#incidents")).into_response())
}

async fn writes_down(place: &Place, who: &SignedIn, id: &str, typed: &Incident) -> Result<(), Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let person = young(house, id)?;
    if typed.words.trim().is_empty() {
        return Err(Wrong::Typed("Please write down what happened.".to_owned()));
    }
    let at = when(house, &typed.at, now)?;
    let file = format!("agreements/{id}.yaml");
    let promise = typed.about.parse::<usize>().ok().and_then(|at| person.behaviour.get(at));
    let about = match promise {
        Some(promise) => {
            let text = desk.running.text(&file).await.unwrap_or_default();
            Some(Line { line: line_of(&text, promise), file, text: promise.clone() })
        }
        None => None,
    };
    let entry = desk.records.write_down(&person.id, (at, about), who.by(), &typed.words).await?;
    if typed.concern == "yes" {
        desk.records.concern(entry, &person.id, who.by(), &typed.words).await?;
    }
    Ok(())
}

/// When it was, as it is typed: by the home's clock, and not to come.
fn when(house: &House, typed: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Wrong> {
    if typed.is_empty() {
        return Ok(now);
    }
    let wall = NaiveDateTime::parse_from_str(typed, "%Y-%m-%dT%H:%M")
        .map_err(|_| Wrong::Typed(format!("`{typed}` is no time: write it as 2026-11-29T20:00.")))?;
    let at = records::shift::on(&[wall.time()], house.home().timezone, wall.date(), wall.time()).from;
    if at > now {
        return Err(Wrong::Typed("It cannot have been at a time that is still to come.".to_owned()));
    }
    Ok(at)
}

/// The line of an agreement's text on which a promise stands, from 1; the first where it stands in another form.
fn line_of(text: &str, promise: &str) -> u32 {
    let at = text.lines().position(|line| line.contains(promise)).unwrap_or(0);
    u32::try_from(at + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_found_in_its_text() {
        let text = "person: Jordan\nbehaviour:\n  - I will ask.\n  - I will not share pictures.\n";
        for (promise, line) in
            [("I will ask.", 3), ("I will not share pictures.", 4), ("folded over lines", 1)]
        {
            assert_eq!(line_of(text, promise), line, "{promise}");
        }
    }
}
