//! **They saw something**: what young people told, on the pages that a shift begins and ends with, until somebody by name says
//! that they have heard it and what was done (seed 003 §4.7f). It is no breach.
//!
//! Where they chose an adult, that adult and managers read the words and say that it was heard. Others see that it is there; when
//! it cannot wait they open the words, which the journal keeps and the young person sees. What a member of staff told from their
//! own device is for whomever they chose and for the manager, and nobody hears what they told themselves.

use super::Place;
use super::kept::is_kept;
use super::now::person_name;
use super::page::{Frame, clock, html, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, PersonKind, Role};
use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::{Hearer, Records, Reported, StoreError};
use serde::Deserialize;

/// A young person told that they saw something, and nobody has heard it yet.
pub(super) struct Saw {
    pub(super) entry: i64,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) at: String,
    /// With whom they would like to talk; empty where they did not say.
    pub(super) adult: String,
    /// Who opened the words that were for that adult; empty where nobody did.
    pub(super) opened: String,
    /// Whether the words are for somebody else, so that they are opened first.
    pub(super) withheld: bool,
    /// Whether whoever reads it can pass it on.
    pub(super) may: bool,
    /// Whether they can close it.
    pub(super) hears: bool,
    /// How many more of the same teller are behind it.
    pub(super) more: u64,
    /// The newest of the same teller: a page that is open tells of it.
    pub(super) newest: i64,
}

/// What one teller told, from a report on.
#[derive(Template)]
#[template(path = "desk/told.html")]
struct ToldPage {
    frame: Frame,
    told: Vec<Saw>,
    /// Up to which it is, where several are heard as one; none where there is one, or where it is not for this reader.
    upto: Option<i64>,
}

/// Somebody has heard it.
#[derive(Deserialize)]
pub(crate) struct Heard {
    #[serde(default)]
    words: String,
    /// `concern`: it is a safeguarding concern as well.
    #[serde(default)]
    mark: String,
    /// Up to which of the same teller's it is said; of the one alone where it is not before it.
    #[serde(default)]
    upto: i64,
}

/// What nobody has heard yet, the oldest first, as somebody may read it.
pub(super) async fn told(
    records: &Records,
    house: &House,
    who: &SignedIn,
    now: DateTime<Utc>,
) -> Result<Vec<Saw>, Wrong> {
    shown(records, house, who, (records.open_reports().await?, now)).await
}

async fn shown(
    records: &Records,
    house: &House,
    who: &SignedIn,
    (told, now): (Vec<Reported>, DateTime<Utc>),
) -> Result<Vec<Saw>, Wrong> {
    let mut seen = Vec::new();
    for told in told {
        if sees(records, house, who, &told).await? {
            seen.push(saw(house, who, told, now));
        }
    }
    Ok(seen)
}

/// Whether it is this reader's to know of: what a member of staff told is not for whoever works beside them, unless they chose them.
async fn sees(records: &Records, house: &House, who: &SignedIn, told: &Reported) -> Result<bool, StoreError> {
    let chosen = told.report.adult.as_ref() == Some(&who.id);
    Ok(chosen || !is_kept(records, house, who, &told.report.person).await?)
}

/// Whether somebody at the desk told it themselves: an account and an agreement are one person's where they have one name or id.
fn is_own(house: &House, who: &SignedIn, told: &Reported) -> bool {
    let person = house.person(&told.report.person).and_then(|id| house.agreement(id));
    person.is_some_and(|person| {
        let same = person.id == who.id || person.name.to_lowercase() == who.name.to_lowercase();
        person.kind == PersonKind::Staff && same
    })
}

fn hearer(who: &SignedIn) -> Hearer {
    Hearer { by: who.by(), manages: who.role == Role::Manager }
}

fn saw(house: &House, who: &SignedIn, told: Reported, now: DateTime<Utc>) -> Saw {
    let (may, hears) = (who.knows_names(), hearer(who).may_hear(&told.report));
    let reads = hears || told.opened.iter().any(|by| by.id == who.id);
    let of_home = |id: &String| house.home().staff.iter().find(|staff| staff.id == *id);
    let adult = told.report.adult.as_ref().map(|id| {
        of_home(id).map_or("somebody who does not work here any more", |staff| staff.name.as_str()).to_owned()
    });
    let opened: Vec<&str> = told.opened.iter().map(|by| by.name.as_str()).collect();
    Saw {
        entry: told.entry,
        name: match told.report.person.as_str() {
            "nobody" => stranger(&told, may),
            id => name_for(who.role, &person_name(house, id)),
        },
        at: clock(house, told.at, now),
        adult: adult.unwrap_or_default(),
        opened: opened.join(", "),
        withheld: may && !reads,
        may,
        hears: may && hears && !is_own(house, who, &told),
        more: told.more,
        newest: told.newest,
        words: if may && reads { told.report.words } else { String::new() },
    }
}

/// Somebody whom nobody knows, and which device it was.
fn stranger(told: &Reported, may: bool) -> String {
    let device = Some(&told.report.by.id).filter(|device| may && *device != "nobody");
    let device = device.map_or(String::new(), |device| format!(" ({device})"));
    format!("Somebody on a device that nobody here is known to have{device}")
}

/// A report that is open, where it is this reader's to know of.
async fn open_report(place: &Place, who: &SignedIn, entry: i64) -> Result<Reported, Wrong> {
    let records = &place.desk.records;
    let current = place.desk.in_force.to_keep();
    let told = records.open_report(entry).await?.ok_or(Wrong::Missing)?;
    match sees(records, &current.snapshot.house, who, &told).await? {
        true => Ok(told),
        false => Err(Wrong::Role),
    }
}

/// `GET /reports/{entry}`: that one and what the same teller told after it: who tells all the time is heard, too.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
) -> Result<Response, Wrong> {
    open_report(&place, &who, entry).await?;
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let from = desk.records.open_reports_from(entry).await?;
    let told = shown(&desk.records, house, &who, (from, now)).await?;
    let upto = told.last().filter(|_| told.len() > 1 && told.iter().any(|saw| saw.hears));
    let upto = upto.map(|last| last.entry);
    Ok(html(&ToldPage { frame: Frame::of("What they told", "/", house, &who), told, upto }))
}

/// `POST /reports/{entry}/open`: the words of what was told for somebody else, because it cannot wait.
pub(crate) async fn open(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
) -> Result<Response, Wrong> {
    let told = open_report(&place, &who, entry).await?;
    if !hearer(&who).may_hear(&told.report) {
        place.desk.records.open_words(entry, who.by()).await?;
    }
    Ok(Redirect::to(&format!("/reports/{entry}")).into_response())
}

/// `POST /reports/{entry}`: somebody has heard it, or raises it as a safeguarding concern; then it stays here all the same.
pub(crate) async fn hear(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(heard): Form<Heard>,
) -> Result<Response, Wrong> {
    let to = hears(&place, &who, entry, &heard).await.map_err(|wrong| wrong.with(&[&heard.words]))?;
    Ok(Redirect::to(to).into_response())
}

/// Hears it, or raises it: where to go then.
async fn hears(place: &Place, who: &SignedIn, entry: i64, heard: &Heard) -> Result<&'static str, Wrong> {
    let records = &place.desk.records;
    let told = match open_report(place, who, entry).await {
        // Somebody else was quicker.
        Err(Wrong::Missing) => return Err(records::NotDone::NotOpen(entry).into()),
        other => other?,
    };
    if heard.mark == "concern" {
        records.concern(entry, &told.report.person, who.by(), &heard.words).await?;
        return Ok("/shift?done=concern");
    }
    let current = place.desk.in_force.to_keep();
    if is_own(&current.snapshot.house, who, &told) {
        let own = "You told this yourself, so somebody else hears it: whom you chose, or another manager.";
        return Err(Wrong::Typed(own.to_owned()));
    }
    records.hear_reports((entry, heard.upto.max(entry)), &hearer(who), &heard.words).await?;
    Ok("/?done=heard")
}
