//! **Handover**: the two who sign a shift, and the shifts that nobody has signed yet.

use super::Place;
use super::session::SignedIn;
use super::shift::{Span, asked, span};
use super::wrong::Wrong;
use agreements::House;
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::shift::{self, Shift};
use records::{By, NotDone, Review, Side, Tally};
use serde::Deserialize;

/// A signature.
pub(super) struct Signed {
    pub(super) side: &'static str,
    pub(super) name: String,
    pub(super) words: String,
    /// Which shifts, where they are not those of the page.
    pub(super) of: String,
}

/// Somebody signs.
#[derive(Deserialize)]
pub(crate) struct Signing {
    at: String,
    /// Where the last of several shifts ends.
    #[serde(default)]
    upto: String,
    side: String,
    /// What the page had when it was read.
    #[serde(default)]
    seen: String,
    #[serde(default)]
    words: String,
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

/// A signature, as it stands on the page of some shifts.
pub(super) fn signed(
    house: &House,
    who: &SignedIn,
    review: &Review,
    shift: Shift,
    now: DateTime<Utc>,
) -> Signed {
    let words = if who.knows_names() { review.words.clone() } else { String::new() };
    let whole = Shift { from: review.from, to: review.to };
    let of = if whole == shift { String::new() } else { span(house, whole, now).said };
    Signed { side: side_words(review.side), name: review.by.name.clone(), words, of }
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

/// `POST /shift/sign`: one signature for all the shifts of the page.
pub(crate) async fn sign(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(signing): Form<Signing>,
) -> Result<Response, Wrong> {
    let signed = signs(&place, &who, &signing).await.map_err(|wrong| wrong.with(&[&signing.words]))?;
    Ok(Redirect::to(&format!("/shift?{}&done=signed", signed.query())).into_response())
}

/// Signs it: what was signed.
async fn signs(place: &Place, who: &SignedIn, signing: &Signing) -> Result<Span, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let shift = asked(house, &signing.at, &signing.upto, now).ok_or_else(|| {
        Wrong::Typed("Nobody can tell which shift was meant. Open it again, and sign it there.".to_owned())
    })?;
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
    Ok(span(house, shift, now))
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
