//! **Handover**: the two who sign a shift, and the shifts that nobody has signed yet.

use super::Place;
use super::session::SignedIn;
use super::shift::{earlier, link, shift_of};
use super::wrong::Wrong;
use agreements::House;
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use records::shift::{self, Shift};
use records::{By, NotDone, Records, Review, Side, Tally};
use serde::Deserialize;

/// Shifts of so long ago that nobody signed are asked for.
const REMINDED: TimeDelta = TimeDelta::days(7);

/// A signature.
pub(super) struct Signed {
    pub(super) side: &'static str,
    pub(super) name: String,
    pub(super) words: String,
}

/// Somebody signs.
#[derive(Deserialize)]
pub(crate) struct Signing {
    at: String,
    side: String,
    /// What the page had when it was read.
    #[serde(default)]
    seen: String,
    #[serde(default)]
    words: String,
}

/// The shifts of late that are over and not signed by both sides, the oldest first. A home's first shifts, before there was
/// a journal, are none.
pub(crate) async fn unsigned(
    records: &Records,
    house: &House,
    now: DateTime<Utc>,
) -> Result<Vec<Shift>, Wrong> {
    let first = records.entries(1).await?.first().and_then(|e| e.at.parse::<DateTime<Utc>>().ok());
    let Some(first) = first else { return Ok(Vec::new()) };
    let since = (now - REMINDED).max(first);
    let reviews = records.reviews_between(since - TimeDelta::days(2), now).await?;
    let mut unsigned = Vec::new();
    let mut shift = shift::last(&house.home().shifts, house.home().timezone, now);
    while shift.to > since {
        let sides =
            |side| reviews.iter().any(|r| (r.from, r.to) == (shift.from, shift.to) && r.side == Some(side));
        if !(sides(Side::Outgoing) && sides(Side::Incoming)) {
            unsigned.push(shift);
        }
        shift = earlier(house, shift);
    }
    unsigned.reverse();
    Ok(unsigned)
}

/// What a shift has, as the form that signs it sends it back.
pub(super) fn stamp(tally: Tally) -> String {
    format!("{}.{}.{}.{}", tally.episodes, tally.breaches, tally.serious, tally.newest)
}

/// Reads what [`stamp`] wrote; none where it is anything else.
fn stamped(text: &str) -> Option<Tally> {
    let numbers: Vec<u64> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [episodes, breaches, serious, newest] = numbers[..] else { return None };
    Some(Tally { episodes, breaches, serious, newest: i64::try_from(newest).ok()? })
}

const fn side_words(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Outgoing) => "Worked the shift",
        Some(Side::Incoming) => "Took over",
        None => "Read it",
    }
}

pub(super) fn signed(who: &SignedIn, review: &Review) -> Signed {
    let words = if who.knows_names() { review.words.clone() } else { String::new() };
    Signed { side: side_words(review.side), name: review.by.name.clone(), words }
}

/// The sides that somebody may still sign.
pub(super) fn sides(reviews: &[Review], by: &By) -> Vec<(&'static str, &'static str)> {
    if reviews.iter().any(|r| r.side.is_some() && r.by.id == by.id) {
        return Vec::new();
    }
    let all =
        [(Side::Outgoing, "outgoing", "I worked this shift"), (Side::Incoming, "incoming", "I take over")];
    let free = all.iter().filter(|(side, _, _)| !reviews.iter().any(|r| r.side == Some(*side)));
    free.map(|(_, value, label)| (*value, *label)).collect()
}

/// `POST /shift/sign`.
pub(crate) async fn sign(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(signing): Form<Signing>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    if !DateTime::parse_from_rfc3339(&signing.at).is_ok_and(|at| at <= now) {
        return Err(Wrong::Typed(
            "Nobody can tell which shift was meant. Open it again, and sign it there.".to_owned(),
        ));
    }
    let shift = shift_of(&current.snapshot.house, &signing.at, now);
    if shift.to > now {
        return Err(Wrong::Typed("This shift still goes on. It is signed when it is over.".to_owned()));
    }
    let side = match signing.side.as_str() {
        "outgoing" => Side::Outgoing,
        "incoming" => Side::Incoming,
        _ => return Err(Wrong::Missing),
    };
    let seen = stamped(&signing.seen).ok_or(NotDone::NotSeen)?;
    desk.records.sign_shift(shift, Some(side), who.by(), &signing.words, seen).await?;
    Ok(Redirect::to(&format!("/shift?at={}&done=signed", link(shift))).into_response())
}

/// The shifts that end within a stretch of time.
pub(crate) fn shifts_of(house: &House, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Shift> {
    let mut shifts = Vec::new();
    let mut shift = shift::at(&house.home().shifts, house.home().timezone, from);
    while shift.to <= to && shift.to > shift.from {
        shifts.push(shift);
        shift = shift::at(&house.home().shifts, house.home().timezone, shift.to);
    }
    shifts
}
