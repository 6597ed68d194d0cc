//! **Restrictions** (Children's Homes (England) Regulations 2015, reg 22): the register, and placing one. What the law asks
//! for is checked where it is written down; a draft that lacks it is shown again with the regulation's words.

use super::now::{person_name, what_words};
use super::page::{After, Frame, clock, html, length, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Place, suggestions};
use crate::typed;
use agreements::lawful::RestrictionDraft;
use agreements::{House, Person, PersonKind, Role, What};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use records::{Looked, NotDone, Placed, Records, shift};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/restrictions.html")]
struct RegisterPage {
    frame: Frame,
    waits: Vec<Waiting>,
    live: Vec<Shown>,
    over: Vec<Shown>,
    suggestions: Vec<suggestions::Suggestion>,
    manages: bool,
    reads: bool,
}

/// A restriction of the register.
struct Shown {
    entry: i64,
    name: String,
    closes: String,
    span: String,
    reason: String,
    tried: String,
    by: String,
    consent: String,
    review: String,
    review_due: bool,
    /// What came of its reviews, the oldest first.
    reviews: Vec<String>,
    told: String,
    view: String,
    ended: Option<String>,
}

/// An emergency of which the placing authority has no full details yet, whether or not it is over.
pub(super) struct Waiting {
    entry: i64,
    pub(super) name: String,
    closes: String,
    /// What is left of the 24 hours.
    pub(super) clock: String,
    pub(super) over: bool,
}

#[derive(Template)]
#[template(path = "desk/restrict.html")]
struct DraftPage {
    frame: Frame,
    people: Vec<(String, String)>,
    typed: Typed,
    wrong: Vec<(String, String)>,
}

/// A restriction as somebody types it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    /// Whom it is for, by id. A form can name several, and the law's answer to that is a sentence.
    people: Vec<String>,
    closes: String,
    reason: String,
    tried: String,
    until: String,
    review: String,
    consent: String,
    consent_on: String,
    emergency: String,
    told_on: String,
    view: String,
}

impl Typed {
    fn of(fields: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (field, value) in fields {
            let place = match field.as_str() {
                "person" => {
                    typed.people.push(value);
                    continue;
                }
                "closes" => &mut typed.closes,
                "reason" => &mut typed.reason,
                "tried" => &mut typed.tried,
                "until" => &mut typed.until,
                "review" => &mut typed.review,
                "consent" => &mut typed.consent,
                "consent_on" => &mut typed.consent_on,
                "emergency" => &mut typed.emergency,
                "told_on" => &mut typed.told_on,
                "view" => &mut typed.view,
                _ => continue,
            };
            *place = value;
        }
        typed
    }
}

/// What a review came to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reviewed {
    words: String,
    view: String,
    next: String,
}

/// Why one ends, or who was told.
#[derive(Deserialize)]
pub(crate) struct Words {
    #[serde(default)]
    words: String,
}

/// `GET /restrictions`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let placed = desk.records.restrictions().await?;
    let waits = placed.iter().filter_map(|p| waits(house, &who, p, now)).collect();
    let (live, over): (Vec<Placed>, Vec<Placed>) = placed.into_iter().partition(|p| p.is_in_force(now));
    let shown = |placed: &Placed| shown(house, &who, placed, now);
    let frame = Frame::of("Restrictions", "/restrictions", house, &who).after(match after.done.as_str() {
        "placed" => {
            Some("Placed. It is in force within a second. Tell the young person, if they do not know yet.")
        }
        "ended" => Some("Ended. It is lifted within a second."),
        "reviewed" => Some("The review is in the journal. It stays in force."),
        "told" => Some("It is in the journal."),
        _ => None,
    });
    let reads = who.knows_names();
    if reads {
        desk.looks(&who, "the register of restrictions".to_owned()).await?;
    }
    let suggestions =
        if reads { suggestions::of(&desk.records, (house, &who), now).await? } else { Vec::new() };
    Ok(html(&RegisterPage {
        frame,
        waits,
        live: live.iter().map(shown).collect(),
        over: over.iter().map(shown).collect(),
        suggestions,
        manages: who.role == Role::Manager,
        reads,
    }))
}

/// What waits for the placing authority's full details, of everybody.
pub(super) async fn waiting(
    records: &Records,
    (house, who): (&House, &SignedIn),
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>, Wrong> {
    let placed = records.restrictions().await?;
    Ok(placed.iter().filter_map(|placed| waits(house, who, placed, now)).collect())
}

fn waits(house: &House, who: &SignedIn, placed: &Placed, now: DateTime<Utc>) -> Option<Waiting> {
    let due = placed.authority_due()?;
    Some(Waiting {
        entry: placed.entry,
        name: name_for(who.role, &person_name(house, &placed.said.person)),
        closes: closes(placed),
        clock: match (due - now).num_minutes() {
            minutes if minutes > 0 => {
                format!("Full details to the placing authority within {}.", length(minutes))
            }
            minutes => {
                format!("The placing authority should have had full details {} ago.", length(-minutes))
            }
        },
        over: now >= due,
    })
}

/// What one closes, in words.
pub(super) fn closes(placed: &Placed) -> String {
    let words = placed.said.closes.as_deref().unwrap_or(&["everything".to_owned()]).to_vec();
    typed::what(&words)
        .map_or_else(|_| "what this version does not know".to_owned(), |what| what_words(&what))
}

fn shown(house: &House, who: &SignedIn, placed: &Placed, now: DateTime<Utc>) -> Shown {
    let said = &placed.said;
    let reads = who.knows_names();
    let words = |words: &str| if reads { words.to_owned() } else { String::new() };
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let review = |(due, review): (Option<NaiveDate>, &Looked)| {
        let when = reviewed_on(house, due, review);
        match reads {
            true => format!("{when}: {} They say: {}", review.said.reason, review.said.view),
            false => format!("{when}."),
        }
    };
    Shown {
        entry: placed.entry,
        name: name_for(who.role, &person_name(house, &said.person)),
        closes: closes(placed),
        span: format!("{} to {}", clock(house, said.from, now), clock(house, placed.ends(), now)),
        reason: words(&said.reason),
        tried: words(&said.tried),
        by: said.by.name.clone(),
        consent: consent(house, placed),
        review: placed.review_on().map_or_else(|| "none before it ends".to_owned(), day),
        review_due: placed.review_due(today, now).is_some(),
        reviews: placed.reviewed().map(review).collect(),
        told: said.told_on.map(day).unwrap_or_default(),
        view: words(&said.view),
        ended: placed.ended.as_ref().map(|e| {
            let planned = clock(house, said.until, now);
            format!("Ended early by {}, planned until {planned}: {}", e.by.name, words(&e.reason))
        }),
    }
}

/// When a review was, by whom, and how late.
pub(super) fn reviewed_on(house: &House, due: Option<NaiveDate>, review: &Looked) -> String {
    let on = review.at.with_timezone(&house.home().timezone).date_naive();
    let late = match due.map_or(0, |due| (on - due).num_days()) {
        ..=0 => String::new(),
        1 => ", a day late".to_owned(),
        days => format!(", {days} days late"),
    };
    format!("Reviewed on {}{late} by {}", day(on), review.said.by.name)
}

pub(super) fn consent(house: &House, placed: &Placed) -> String {
    match (&placed.said.consent, &placed.told) {
        (Some(consent), _) => format!("{} consented on {}", consent.name, day(consent.on)),
        (None, Some(told)) => {
            let at = told.at.with_timezone(&house.home().timezone);
            let late = match placed.told_late() {
                Some(late) => format!("{} late", length(late.num_minutes().max(1))),
                None => "in time".to_owned(),
            };
            format!(
                "An emergency; {} had full details on {} at {}, {late}",
                told.whom,
                day(at.date_naive()),
                at.format("%H:%M")
            )
        }
        (None, None) => "An emergency, without consent yet".to_owned(),
    }
}

pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// `GET /restrictions/new`.
pub(crate) async fn draft(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Wrong> {
    Ok(draft_page(&place, &who, Typed::of(fields), Vec::new()))
}

fn draft_page(place: &Place, who: &SignedIn, typed: Typed, wrong: Vec<(String, String)>) -> Response {
    let current = place.desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let people = house.people().filter(|(_, p)| p.kind == PersonKind::YoungPerson);
    let people: Vec<(String, String)> = people.map(|(_, p)| (p.id.clone(), p.name.clone())).collect();
    let frame = Frame::of("A restriction", "/restrictions", house, who);
    html(&DraftPage { frame, people, typed, wrong })
}

/// `POST /restrictions/place`.
pub(crate) async fn place_one(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let typed = Typed::of(fields);
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let wrong = match read(house, &typed, now) {
        Err(sentence) => vec![(sentence, String::new())],
        Ok(draft) => match desk.records.restrict(draft, &house.home().protected, who.by()).await {
            Ok(_) => return Ok(Redirect::to("/restrictions?done=placed").into_response()),
            Err(NotDone::Unlawful(found)) => {
                found.into_iter().map(|u| (u.sentence.to_string(), u.regulation.to_string())).collect()
            }
            Err(other) => {
                let Typed { closes, reason, tried, consent, view, .. } = &typed;
                return Err(Wrong::from(other).with(&[closes, reason, tried, consent, view]));
            }
        },
    };
    let mut page = draft_page(&place, &who, typed, wrong);
    *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page)
}

/// A draft as meant; a sentence where something typed cannot be read. What is missing is the law's to tell.
fn read(house: &House, typed: &Typed, now: DateTime<Utc>) -> Result<RestrictionDraft, String> {
    let zone = house.home().timezone;
    let until = match typed.until.as_str() {
        "" => None,
        text => {
            let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
            let wall = wall.map_err(|_| format!("`{text}` is no time: write it as 2026-11-29T20:00."))?;
            Some(shift::on(&[wall.time()], zone, wall.date(), wall.time()).from)
        }
    };
    let words = typed::split(&typed.closes);
    let what = typed::what(&words).map_err(|why| format!("{}. {}", why.sentence, why.help))?;
    // Where one of several is nobody, what was meant is not known: nobody is restricted.
    if let Some(id) = typed.people.iter().find(|id| !id.is_empty() && house.person(id).is_none()) {
        return Err(format!("Nobody of this home has the id `{id}`, so nothing was placed."));
    }
    let known = typed.people.iter().filter_map(|id| house.agreement(house.person(id)?));
    let mut known: Vec<&Person> = known.collect();
    known.dedup_by(|a, b| a.id == b.id);
    let other = known.iter().map(|person| person.kind).find(|kind| *kind != PersonKind::YoungPerson);
    let name = typed.consent.trim();
    let consent_on = date(typed.consent_on.trim())?;
    Ok(RestrictionDraft {
        people: known.iter().map(|person| person.id.clone()).collect(),
        kind: other.unwrap_or_default(),
        what: (!words.is_empty()).then_some(what).filter(|what| *what != What::Words(Vec::new())),
        reason: typed.reason.trim().to_owned(),
        tried: typed.tried.trim().to_owned(),
        from: now,
        until,
        review_on: date(typed.review.trim())?,
        consent: consent_on.filter(|_| !name.is_empty()).map(|on| (name.to_owned(), on)),
        emergency: !typed.emergency.is_empty(),
        told_on: date(typed.told_on.trim())?,
        view: typed.view.trim().to_owned(),
    })
}

/// A date as typed; none where nothing was.
fn date(text: &str) -> Result<Option<NaiveDate>, String> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("`{text}` is no date: write it as 2026-11-29.")),
    }
}

/// `POST /restrictions/{entry}/end`.
pub(crate) async fn end(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(why): Form<Words>,
) -> Result<Response, Wrong> {
    let done = place.desk.records.end_restriction(entry, who.by(), &why.words).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&why.words]))?;
    Ok(Redirect::to("/restrictions?done=ended").into_response())
}

/// `POST /restrictions/{entry}/told`.
pub(crate) async fn told(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(whom): Form<Words>,
) -> Result<Response, Wrong> {
    let done = place.desk.records.authority_told(entry, who.by(), &whom.words).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&whom.words]))?;
    Ok(Redirect::to("/restrictions?done=told").into_response())
}

/// `POST /restrictions/{entry}/reviewed`.
pub(crate) async fn reviewed(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(typed): Form<Reviewed>,
) -> Result<Response, Wrong> {
    let next = date(typed.next.trim());
    let next = next.map_err(|why| Wrong::Typed(why).with(&[&typed.words, &typed.view]))?;
    let said = (typed.words.as_str(), typed.view.as_str(), next);
    let kept = place.desk.records.restriction_reviewed(entry, who.by(), said).await;
    kept.map_err(|why| Wrong::from(why).with(&[&typed.words, &typed.view]))?;
    Ok(Redirect::to("/restrictions?done=reviewed").into_response())
}
