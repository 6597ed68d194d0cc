//! The hand-over sheet of a shift, to print.

use super::concerns::Concerns;
use super::handover::{Signed, signed};
use super::kept::Kept;
use super::now::person_name;
use super::page::{Frame, clock, html, initials, name_for};
use super::reports::{Saw, told as saw};
use super::session::SignedIn;
use super::shift::{Person, Span, asked, people, span, summary, whose};
use super::together::{Written, written};
use super::wrong::Wrong;
use super::{Place, redact};
use agreements::Role;
use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use records::{Counted, Episode, Order, Records, StoreError, Which};
use serde::Deserialize;

/// So many episodes are told one by one, the most serious first; of the others the sheet says whose they are and how many.
const TOLD: usize = 400;

#[derive(Template)]
#[template(path = "desk/sheet.html")]
struct SheetPage {
    frame: Frame,
    shift: Span,
    people: Vec<Person>,
    /// What is not for whoever reads the sheet.
    kept: Kept,
    withheld: u64,
    /// How many episodes there are, where not all are told one by one.
    many: Option<u64>,
    /// Whose they are, then.
    everybody: Vec<(String, String)>,
    told: usize,
    all: u64,
    /// The shift's newest episode.
    newest: i64,
    concerns: Concerns,
    saw: Vec<Saw>,
    incidents: Vec<Written>,
    decided: Vec<String>,
    asks: Vec<String>,
    signed: Vec<Signed>,
    full: bool,
    entries: i64,
    head: String,
    printed: String,
    by: String,
}

/// Which sheet.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// The instant of a shift; where there is none, everything since the last that both sides signed.
    #[serde(default)]
    at: String,
    /// Where the last of several shifts ends.
    #[serde(default)]
    upto: String,
    /// `full` shows names.
    #[serde(default)]
    names: String,
}

/// `GET /shift/sheet`: the hand-over sheet, to print. Initials, unless somebody who knows the names asks for them.
pub(crate) async fn sheet(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(which): Query<Asked>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let shift = match asked(house, &which.at, &which.upto, now) {
        Some(shift) => shift,
        None => desk.records.to_review(house, now).await?,
    };
    let full = which.names == "full" && who.knows_names();
    if full {
        desk.looks(&who, "a hand-over sheet with names".to_owned()).await?;
    }
    // The sheet is read as a visitor would, unless names were asked for.
    let reader = if full { who.clone() } else { SignedIn { role: Role::Visitor, ..who.clone() } };
    let tally = desk.records.tally(shift.from, shift.to).await?;
    let every = Which::from(shift);
    let parts = desk.records.shares(&every).await?;
    let kept = Kept::of(&desk.records, (house, &reader), (&every, &parts)).await?;
    let withheld = kept.episodes();
    let which = Which { without: kept.ids(), ..every };
    let read = tally.episodes.saturating_sub(withheld);
    let (episodes, shares) = told(&desk.records, &which, read).await?;
    let many = (read > episodes.len() as u64).then_some(read);
    let everybody = shares.iter().filter(|_| many.is_some());
    let (concerns, raised) = Concerns::of(&desk.records, house, &reader, now).await?;
    let reviews = desk.records.reviews_between(shift.from, shift.to).await?;
    let head = desk.records.head().await?;
    let name = |id: &str| name_for(reader.role, &person_name(house, id));
    let asks = desk.records.asks(Some(shift.from)).await?;
    let asks = asks.iter().filter(|ask| ask.at < shift.to).map(|ask| {
        let answer = match &ask.answered {
            Some(answered) if answered.grant.is_some() => format!("yes, by {}", answered.by.name),
            Some(answered) => format!("no, by {}", answered.by.name),
            None => "waits for an answer".to_owned(),
        };
        format!("{} asked for {}: {answer}.", name(&ask.asked.person), ask.asked.what())
    });
    let (grants, restrictions) = (desk.records.live_grants().await?, desk.records.live_restrictions().await?);
    let granted = grants.iter().map(|g| {
        format!(
            "{}: {}, until {}.",
            name(&g.person),
            super::now::grant_words(house, g),
            clock(house, g.until, now)
        )
    });
    let restricted = restrictions.iter().map(|r| {
        format!(
            "{}: restricted: {}, until {}.",
            name(&r.person),
            super::now::what_words(&r.what),
            clock(house, r.until, now)
        )
    });
    let page = SheetPage {
        frame: Frame::of("Hand-over", "/shift", house, &who),
        everybody: everybody.map(|(id, counted)| (whose(house, &reader, id), summary(counted))).collect(),
        many,
        told: episodes.len(),
        all: tally.episodes,
        newest: tally.newest,
        people: people(house, &reader, (&episodes.iter().collect::<Vec<_>>(), &shares), &raised),
        kept,
        withheld,
        concerns,
        incidents: written((&desk.records, house), &reader, (None, (shift.from, shift.to)), now).await?,
        saw: saw(&desk.records, house, &reader, now).await?,
        decided: granted.chain(restricted).collect(),
        asks: asks.collect(),
        signed: reviews.iter().map(|review| signed(house, &reader, review, shift, now)).collect(),
        shift: span(house, shift, now),
        full,
        entries: head.entries,
        head: head.hash,
        printed: format!(
            "{}, {}",
            now.with_timezone(&house.home().timezone).format("%-d %B %Y"),
            clock(house, now, now)
        ),
        by: if full { who.name.clone() } else { initials(&who.name) },
    };
    let sheet = html(&page);
    Ok(if full { sheet } else { redact::pages(reader.role, (&desk.records, house), sheet).await })
}

/// What the sheet tells one by one, and whose all of it is.
async fn told(
    records: &Records,
    which: &Which,
    count: u64,
) -> Result<(Vec<Episode>, Vec<(String, Counted)>), StoreError> {
    let order = if count > TOLD as u64 { Order::Gravest } else { Order::Oldest };
    let episodes = records.episodes_in(which, order, 0, TOLD as i64).await?.episodes;
    Ok((episodes, records.shares(which).await?))
}
