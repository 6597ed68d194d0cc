//! Devices that nobody here is known to have: staff let one in for somebody for a while, and out again.

use super::page::{clock, length};
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Desk, Place};
use agreements::{DeviceBy, House, PersonKind, is_made_up};
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Face, Which};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Devices that nobody knows are shown for so long after they were last seen.
const SHOWN: TimeDelta = TimeDelta::hours(24);
/// And no more than so many of them, the newest first.
const MOST: usize = 30;
/// For how long a device may be let in, in minutes, and how that is said.
pub(super) const LENGTHS: [(u16, &str); 4] =
    [(30, "30 minutes"), (60, "an hour"), (120, "two hours"), (720, "today")];

/// A device that nobody knows.
pub(super) struct Stranger {
    pub(super) face: String,
    /// What it calls itself; empty where nobody knows.
    pub(super) name: String,
    /// Whether it made its hardware address up.
    pub(super) private: bool,
    /// When it was last seen; empty for one that was not, of late.
    pub(super) seen: String,
}

/// A device on which somebody is signed in.
pub(super) struct Guest {
    pub(super) face: String,
    pub(super) name: String,
    pub(super) left: String,
}

/// A device is let in.
#[derive(Deserialize)]
pub(crate) struct LetIn {
    device: String,
    person: String,
    #[serde(rename = "for")]
    minutes: u16,
}

/// A device is let out.
#[derive(Deserialize)]
pub(crate) struct LetOut {
    device: String,
}

/// Whoever is signed in on a device that is nobody's own.
pub(super) async fn guests(desk: &Desk, house: &House) -> Vec<(Face, Guest)> {
    let name = |id: &str| super::now::person_name(house, id);
    let all = desk.running.signed_in().await.into_iter();
    all.map(|(face, person, minutes)| {
        let left = length(minutes.try_into().unwrap_or(i64::MAX));
        (face, Guest { face: face.to_string(), name: name(&person), left })
    })
    .collect()
}

/// The devices that nobody knows and that were seen of late, and the one that is asked for; but those that are let in.
pub(super) async fn strangers(
    desk: &Desk,
    house: &House,
    (guests, asked): (&[(Face, Guest)], Option<Face>),
    now: DateTime<Utc>,
) -> Result<Vec<Stranger>, Wrong> {
    let which = Which { from: Some(now - SHOWN), person: Some("nobody".to_owned()), ..Which::default() };
    let mut seen: BTreeMap<Face, DateTime<Utc>> = BTreeMap::new();
    for episode in desk.records.episodes(&which).await? {
        // An unknown device's episode is named by what it is known by.
        if let Ok(face) = episode.site.parse::<Face>() {
            let last = seen.entry(face).or_insert(episode.last);
            *last = episode.last.max(*last);
        }
    }
    seen.retain(|face, _| !guests.iter().any(|(guest, _)| guest == face));
    let unseen = asked.filter(|face| !seen.contains_key(face) && !is_known(house, *face));
    let mut seen: Vec<(Face, DateTime<Utc>)> =
        seen.into_iter().filter(|(face, _)| !is_known(house, *face)).collect();
    seen.sort_by_key(|(_, last)| std::cmp::Reverse(*last));
    let shown: Vec<(Face, Option<DateTime<Utc>>)> = unseen
        .map(|face| (face, None))
        .into_iter()
        .chain(seen.into_iter().take(MOST).map(|(face, last)| (face, Some(last))))
        .collect();
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let names = desk.running.names().await;
    let stranger = |(face, last): (Face, Option<DateTime<Utc>>)| Stranger {
        face: face.to_string(),
        name: names.get(&face).cloned().unwrap_or_default(),
        private: matches!(face, Face::Mac(mac) if is_made_up(mac)),
        seen: last.map(|last| clock(house, last, now)).unwrap_or_default(),
    };
    Ok(shown.into_iter().map(stranger).collect())
}

/// Whether an agreement names the device by now.
fn is_known(house: &House, face: Face) -> bool {
    let by = match face {
        Face::Mac(mac) => DeviceBy::Mac(mac),
        Face::Address(address) => DeviceBy::Ip(address),
    };
    house.devices().iter().any(|device| device.known.by == by)
}

/// The young people of the home, by id and name.
pub(super) fn young(house: &House) -> Vec<(String, String)> {
    let young = house.people().filter(|(_, person)| person.kind == PersonKind::YoungPerson);
    young.map(|(_, person)| (person.id.clone(), person.name.clone())).collect()
}

fn face(text: &str) -> Result<Face, Wrong> {
    text.parse().map_err(|_| Wrong::Missing)
}

/// `POST /devices/let-in`: somebody's agreement holds on a device that is nobody's own, for a while.
pub(crate) async fn let_in(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(typed): Form<LetIn>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let current = desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let face = face(&typed.device)?;
    let person = house.person(&typed.person).and_then(|who| house.agreement(who)).ok_or(Wrong::Missing)?;
    let (minutes, said) = *LENGTHS.iter().find(|(known, _)| *known == typed.minutes).ok_or(Wrong::Missing)?;
    if person.kind != PersonKind::YoungPerson {
        return Err(Wrong::Missing);
    }
    // The journal has it before the device is in.
    let what = format!("let {face} in for {}", person.id);
    desk.records.staff_action(who.by(), &what, &format!("for {said} at most")).await?;
    if !desk.running.let_in(face, &person.id, minutes).await {
        return Err(Wrong::Typed("There is no room for one more device. Sign another out first.".to_owned()));
    }
    Ok(Redirect::to("/devices?done=let-in").into_response())
}

/// `POST /devices/let-out`: whoever is signed in on a device is so no longer.
pub(crate) async fn let_out(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(typed): Form<LetOut>,
) -> Result<Response, Wrong> {
    let face = face(&typed.device)?;
    place.desk.records.staff_action(who.by(), &format!("signed {face} out"), "").await?;
    if !place.desk.running.let_out(face).await {
        return Err(Wrong::Typed("Nobody was signed in there any more.".to_owned()));
    }
    Ok(Redirect::to("/devices?done=let-out").into_response())
}
