//! **Devices**: whose each is, when it was last in use, where it is, when it was last looked at together.

use super::now::used;
use super::owning::in_address;
use super::page::{Frame, clock, html, name_for};
use super::session::SignedIn;
use super::strangers::{Guest, LENGTHS, Stranger, guests, strangers, young};
use super::wrong::Wrong;
use super::{Place, inspections};
use agreements::{DeviceBy, House, PersonKind, Role};
use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::{Booking, Current, Face, Whereabouts};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "desk/devices.html")]
struct DevicesPage {
    frame: Frame,
    devices: Vec<Device>,
    strangers: Vec<Stranger>,
    guests: Vec<Guest>,
    young: Vec<(String, String)>,
    lengths: &'static [(u16, &'static str)],
    books: bool,
    manages: bool,
}

/// A device of the home.
struct Device {
    /// Whose it is, by id; empty for whoever is shown no names.
    person: String,
    owner: String,
    name: String,
    known_by: String,
    /// Whether its use is not for this reader.
    kept: bool,
    used: String,
    state: String,
    /// It is in use although it is not with its owner; none where it is not.
    astray: Option<String>,
    lost: bool,
    words: String,
    inspected: String,
    /// By when it is to be looked at together; empty where it is not.
    due: String,
    overdue: bool,
    /// What it is called, as an address has it.
    called: String,
    /// What it is known by, for whoever gives it to somebody else; none where that is no address.
    face: Option<String>,
}

/// What the page shows besides.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    done: String,
    /// A device that is nobody's any more, by what it is known by.
    device: String,
}

/// What became of a device.
#[derive(Deserialize)]
pub(crate) struct Typed {
    person: String,
    device: String,
    what: String,
    #[serde(default)]
    words: String,
}

/// `GET /devices`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(asked): Query<Asked>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let places = desk.records.whereabouts().await?;
    let house = &current.snapshot.house;
    let done = match asked.done.as_str() {
        "booked" => Some("It is in the journal."),
        "let-in" => Some("It is in. Their agreement holds on it until nobody uses it for half an hour."),
        "let-out" => Some("Signed out."),
        _ => None,
    };
    let knows = who.knows_names();
    let guests = if knows { guests(desk, house).await } else { Vec::new() };
    let face = asked.device.parse().ok().filter(|_| who.role == Role::Manager);
    let strangers = if knows { strangers(desk, house, (&guests, face), now).await? } else { Vec::new() };
    Ok(html(&DevicesPage {
        strangers,
        guests: guests.into_iter().map(|(_, guest)| guest).collect(),
        young: if knows { young(house) } else { Vec::new() },
        lengths: &LENGTHS,
        frame: Frame::of("Devices", "/devices", &current.snapshot.house, &who).after(done),
        devices: devices(&current, &who, &places, now),
        books: knows,
        manages: who.role == Role::Manager,
    }))
}

fn devices(
    current: &Current,
    who: &SignedIn,
    places: &BTreeMap<(String, String), Whereabouts>,
    now: DateTime<Utc>,
) -> Vec<Device> {
    let house = &current.snapshot.house;
    let all = house.each_device().zip(1..).filter_map(|((place, ways), number)| {
        let known = &ways.first()?.known;
        let person = house.agreement(ways.first()?.person)?;
        let kept = !who.may_read(person);
        let used = used(current, place, ways).filter(|_| !kept);
        let booked = places.get(&(person.id.clone(), known.name.clone()));
        let reads = who.knows_names();
        let look = inspections::of(house, person, booked, now);
        Some(Device {
            person: if reads { person.id.clone() } else { String::new() },
            owner: match (who.role, person.kind) {
                (Role::It, PersonKind::YoungPerson) => "A young person".to_owned(),
                _ => name_for(who.role, &person.name),
            },
            // What a young person calls a device may be their name, or what tells who they are.
            name: if reads { known.name.clone() } else { format!("device {number}") },
            known_by: ways.iter().map(|way| known_by(&way.known.by)).collect::<Vec<_>>().join(" and "),
            kept,
            used: used.map(|at| clock(house, at, now)).unwrap_or_default(),
            state: booked.map(|booked| state(house, booked, now)).unwrap_or_default(),
            astray: booked
                .and_then(|booked| astray(booked, used))
                .map(|(what, at)| format!("{what}, and in use since: last at {}.", clock(house, at, now))),
            lost: booked
                .and_then(|b| b.booked.as_ref())
                .is_some_and(|(booking, _, _)| *booking == Booking::Lost),
            words: booked.filter(|_| reads).map(|b| b.words.clone()).unwrap_or_default(),
            inspected: booked.and_then(|b| b.inspected).map(|at| day(house, at)).unwrap_or_default(),
            due: look.map(inspections::Look::said).unwrap_or_default(),
            overdue: look.is_some_and(|look| look.overdue),
            called: if reads { in_address(&known.name) } else { String::new() },
            face: ways.iter().find_map(|way| face(&way.known.by)).filter(|_| who.role == Role::Manager),
        })
    });
    all.collect()
}

/// What a device is that is not with its owner and has asked for something since, and when it did last.
fn astray(place: &Whereabouts, used: Option<DateTime<Utc>>) -> Option<(&'static str, DateTime<Utc>)> {
    let (booking, booked, _) = place.booked.as_ref()?;
    let what = match booking {
        Booking::In => "Handed in",
        Booking::Lost => "Lost",
        Booking::Out | Booking::Inspected => return None,
    };
    used.filter(|used| used > booked).map(|used| (what, used))
}

/// Whose devices are in use that were handed in or are lost, in a sentence each: for the first page. Of whose this reader may know.
pub(super) fn all_astray(
    current: &Current,
    who: &SignedIn,
    places: &BTreeMap<(String, String), Whereabouts>,
    now: DateTime<Utc>,
) -> Vec<String> {
    let house = &current.snapshot.house;
    let found = house.each_device().filter_map(|(place, ways)| {
        let device = ways.first()?;
        let person = house.agreement(device.person).filter(|person| who.may_read(person))?;
        let booked = places.get(&(person.id.clone(), device.known.name.clone()))?;
        let (what, at) = astray(booked, used(current, place, ways))?;
        let (what, at) = (what.to_lowercase(), clock(house, at, now));
        Some(format!(
            "{}’s {} is {what}, and has been in use since, last at {at}.",
            person.name, device.known.name
        ))
    });
    found.collect()
}

/// What a device that is taken out is found by again.
fn face(by: &DeviceBy) -> Option<String> {
    match by {
        DeviceBy::Mac(mac) => Some(Face::Mac(*mac).to_string()),
        DeviceBy::Ip(address) => Some(Face::Address(*address).to_string()),
        DeviceBy::Network(..) | DeviceBy::Token(_) => None,
    }
}

/// What a device is known by, never its token.
const fn known_by(by: &DeviceBy) -> &'static str {
    match by {
        DeviceBy::Mac(_) => "its hardware address",
        DeviceBy::Ip(_) => "its address",
        DeviceBy::Network(..) => "its network",
        DeviceBy::Token(_) => "a token of its own",
    }
}

fn state(house: &House, place: &Whereabouts, now: DateTime<Utc>) -> String {
    let Some((booking, at, by)) = &place.booked else { return String::new() };
    let what = match booking {
        Booking::Out => "With its owner",
        Booking::In => "Handed in",
        Booking::Lost => "Lost",
        Booking::Inspected => "Inspected",
    };
    format!("{what} since {}, written down by {by}", clock(house, *at, now))
}

fn day(house: &House, at: DateTime<Utc>) -> String {
    at.with_timezone(&house.home().timezone).format("%-d %B %Y").to_string()
}

/// `POST /devices/book`: writes down what became of a device.
pub(crate) async fn book(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(typed): Form<Typed>,
) -> Result<Response, Wrong> {
    books(&place, &who, &typed).await.map_err(|wrong| wrong.with(&[&typed.words]))?;
    Ok(Redirect::to("/devices?done=booked").into_response())
}

async fn books(place: &Place, who: &SignedIn, typed: &Typed) -> Result<(), Wrong> {
    let current = place.desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let person = house.person(&typed.person).and_then(|who| house.agreement(who)).ok_or(Wrong::Missing)?;
    let device = person.devices.iter().find(|device| device.name == typed.device).ok_or(Wrong::Missing)?;
    let booking = match typed.what.as_str() {
        "out" => Booking::Out,
        "in" => Booking::In,
        "lost" => Booking::Lost,
        "inspected" => Booking::Inspected,
        _ => return Err(Wrong::Missing),
    };
    place.desk.records.book(&person.id, &device.name, booking, who.by(), &typed.words).await?;
    Ok(())
}
