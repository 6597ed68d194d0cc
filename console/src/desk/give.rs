//! **Give**: more time, a site for a while, a supervised or an education session; and taking it back.

use super::lasting::{Lasting, tonight};
use super::now::{grant_words, key_words};
use super::page::{Frame, clock, html};
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Place, kept};
use crate::effect::still_closed;
use crate::typed::{self, Unread};
use agreements::{
    GrantKind, House, LimitKey, LiveGrant, Person, PersonId, PersonKind, Profile, Role, Supervision,
};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::{Current, NewGrant};
use serde::Deserialize;
use std::borrow::Cow;

#[derive(Template)]
#[template(path = "desk/give.html")]
struct GivePage {
    frame: Frame,
    id: String,
    name: String,
    given: Option<Given>,
    tonight: Option<String>,
    /// The limits that more time can be given for: word and what it is called.
    limits: Vec<(String, String)>,
    devices: Vec<String>,
    /// Who may sit beside them, by id and name; and who is signed in.
    adults: Vec<(String, String)>,
    me: String,
    /// Young people for whom an education session can be opened on this device; none where it is for nothing of the kind.
    learners: Vec<(String, String)>,
    education: bool,
    with_staff: Vec<String>,
    grants: Vec<Held>,
    /// Whether they can be asked to show what they are doing.
    young: bool,
}

/// What was just given, and what stays closed all the same.
struct Given {
    what: String,
    until: String,
    closed: Vec<String>,
}

struct Held {
    entry: i64,
    what: String,
    until: String,
    by: String,
}

#[derive(Template)]
#[template(path = "desk/take_back.html")]
struct TakeBackPage {
    frame: Frame,
    entry: i64,
    name: String,
    what: String,
    until: String,
}

/// What the page shows besides.
#[derive(Deserialize)]
pub(crate) struct After {
    done: Option<i64>,
}

/// What somebody gives.
#[derive(Deserialize)]
pub(crate) struct Gift {
    what: String,
    #[serde(rename = "for")]
    lasting: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    device: String,
    /// The account of whoever sits beside them.
    #[serde(default)]
    adult: String,
    #[serde(default)]
    learner: String,
    #[serde(default)]
    why: String,
}

/// Why it is taken back.
#[derive(Deserialize)]
pub(crate) struct Why {
    #[serde(default)]
    why: String,
}

impl From<Unread> for Wrong {
    fn from(why: Unread) -> Self {
        let help = if why.help.is_empty() {
            String::new()
        } else {
            format!(" What would be right: {}.", why.help.trim_end_matches('.'))
        };
        Self::Typed(format!("{}.{help}", why.sentence.trim_end_matches('.')))
    }
}

/// The person with that id, who has an agreement.
fn person<'h>(house: &'h House, id: &str) -> Result<(PersonId, &'h Person), Wrong> {
    let found = house.person(id).and_then(|who| Some((who, house.agreement(who)?)));
    found.ok_or(Wrong::Missing)
}

/// `GET /give/{person}`.
pub(crate) async fn form(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let (place, person) = person(house, &id)?;
    desk.looks(&who, format!("what {id} was given")).await?;
    let grants = desk.records.live_grants().await?;
    let theirs: Vec<&LiveGrant> = grants.iter().filter(|g| g.person == id).collect();
    let done = after.done.and_then(|entry| theirs.iter().find(|g| g.entry == entry));
    let given = match done {
        Some(grant) => Some(given(&desk.records, (&current, &who), person, grant, now).await?),
        None => None,
    };
    let held = theirs.iter().map(|g| Held {
        entry: g.entry,
        what: grant_words(house, g),
        until: clock(house, g.until, now),
        by: g.by.clone(),
    });
    let education = person.profile == Profile::EducationSession;
    let page = GivePage {
        frame: Frame::of(format!("Give {} something", person.name), "/", house, &who),
        id: person.id.clone(),
        name: person.name.clone(),
        given,
        tonight: tonight(house, place, now).map(|at| clock(house, at, now)),
        limits: limits(person),
        devices: names_of(person),
        adults: adults(house),
        me: who.id.clone(),
        learners: if education { learners(house) } else { Vec::new() },
        education,
        with_staff: with_staff(person),
        grants: held.collect(),
        young: person.kind == PersonKind::YoungPerson,
    };
    Ok(html(&page))
}

fn limits(person: &Person) -> Vec<(String, String)> {
    let words = person.limits.iter().filter_map(|limit| match &limit.key {
        LimitKey::Everything => None,
        LimitKey::Word(word) => Some(word.to_string()),
    });
    words.map(|word| (word.clone(), key_words(&word))).collect()
}

fn learners(house: &House) -> Vec<(String, String)> {
    let people = house.people().filter(|(_, p)| p.kind == PersonKind::YoungPerson);
    people.map(|(_, p)| (p.id.clone(), p.name.clone())).collect()
}

fn with_staff(person: &Person) -> Vec<String> {
    let words = person.words.iter().filter(|r| r.ruled == agreements::Outcome::WithStaff);
    words.map(|r| r.word.to_string()).collect()
}

async fn given(
    records: &records::Records,
    (current, who): (&Current, &SignedIn),
    person: &Person,
    grant: &LiveGrant,
    now: DateTime<Utc>,
) -> Result<Given, Wrong> {
    let (house, catalogue) = (&current.snapshot.house, &current.snapshot.catalogue);
    // Judged by the records as they are, on the device where it opens: what is in force follows within a second.
    let standing = records.standing(house).await?;
    let standing = match house.person(&person.id) {
        Some(place) => kept::standing(&standing, (house, who), place),
        None => Cow::Borrowed(&standing),
    };
    let device = grant
        .supervision
        .as_ref()
        .and_then(|session| house.devices_called(house.person(&person.id)?, &session.device).next());
    Ok(Given {
        what: grant_words(house, grant),
        until: clock(house, grant.until, now),
        closed: still_closed((house, catalogue), &standing.on(device), person, &grant.kind, now),
    })
}

/// `POST /give/{person}`.
pub(crate) async fn give(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(gift): Form<Gift>,
) -> Result<Response, Wrong> {
    let entry = gives(&place, &who, &id, &gift).await;
    let entry = entry.map_err(|wrong| wrong.with(&[&gift.words, &gift.why]))?;
    Ok(Redirect::to(&format!("/give/{id}?done={entry}")).into_response())
}

/// Gives it: the grant's number.
async fn gives(place: &Place, who: &SignedIn, id: &str, gift: &Gift) -> Result<i64, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let (place, person) = person(house, id)?;
    let kind = kind(house, person, gift)?;
    let until = Lasting::read(&gift.lasting).ok_or(Wrong::Missing)?.until(house, place, now);
    let until = until.ok_or_else(|| {
        Wrong::Typed(
            "Their day has ended, so there is no tonight any more. Choose how many minutes.".to_owned(),
        )
    })?;
    let session = match kind {
        GrantKind::Supervised(_) => Some(supervision(house, person, gift)?),
        GrantKind::Sites(_) | GrantKind::ExtraTime(_) | GrantKind::Education { .. } => None,
    };
    let (id_of, reason) = (person.id.clone(), gift.why.trim().to_owned());
    let new = NewGrant { person: id_of, kind, until, by: who.by(), reason };
    Ok(match session {
        Some(session) => desk.records.supervise(new, session).await?,
        None => desk.records.grant(new).await?,
    })
}

/// What somebody's devices are called, each once however it is known.
pub(super) fn names_of(person: &Person) -> Vec<String> {
    let mut names: Vec<String> = person.devices.iter().map(|device| device.name.clone()).collect();
    names.dedup();
    names
}

/// Who may sit beside a young person, by id and name.
fn adults(house: &House) -> Vec<(String, String)> {
    let staff = house.home().staff.iter().filter(|staff| matches!(staff.role, Role::Manager | Role::Staff));
    staff.map(|staff| (staff.id.clone(), staff.name.clone())).collect()
}

/// A supervised session is with a named adult, on one device (seed 003 §7.5).
fn supervision(house: &House, person: &Person, gift: &Gift) -> Result<Supervision, Wrong> {
    let device = person.devices.iter().find(|device| device.name == gift.device);
    let adult = adults(house).into_iter().find(|(id, _)| *id == gift.adult);
    let (Some(device), Some((_, adult))) = (device, adult) else {
        return Err(Wrong::Typed(
            "A supervised session is on one device, and somebody of staff sits there: please say which, and who."
                .to_owned(),
        ));
    };
    Ok(Supervision { adult, device: device.name.clone() })
}

fn kind(house: &House, person: &Person, gift: &Gift) -> Result<GrantKind, Wrong> {
    match gift.what.as_str() {
        "time" if gift.of.is_empty() || gift.of == "everything" => {
            Ok(GrantKind::ExtraTime(LimitKey::Everything))
        }
        "time" => Ok(GrantKind::ExtraTime(LimitKey::Word(typed::word(&gift.of)?))),
        "sites" => {
            let words = typed::split(&gift.words);
            if words.is_empty() {
                return Err(Wrong::Typed("Please say which site, service or category.".to_owned()));
            }
            Ok(GrantKind::Sites(typed::what(&words)?))
        }
        "supervised" => {
            let words = typed::split(&gift.words);
            Ok(GrantKind::Supervised(words.iter().map(|w| typed::word(w)).collect::<Result<_, _>>()?))
        }
        "education" => {
            let (_, learner) = self::person(house, &gift.learner)?;
            if person.profile != Profile::EducationSession || learner.kind != PersonKind::YoungPerson {
                return Err(Wrong::Typed(
                    "An education session is for a young person, on a device that is for nothing else."
                        .to_owned(),
                ));
            }
            Ok(GrantKind::Education { young_person: learner.id.clone() })
        }
        _ => Err(Wrong::Missing),
    }
}

/// `GET /grants/{entry}/end`.
pub(crate) async fn take_back_form(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let grant =
        desk.records.live_grants().await?.into_iter().find(|g| g.entry == entry).ok_or(Wrong::Missing)?;
    Ok(html(&TakeBackPage {
        frame: Frame::of("Take it back", "/", house, &who),
        entry,
        name: super::now::person_name(house, &grant.person),
        what: grant_words(house, &grant),
        until: clock(house, grant.until, now),
    }))
}

/// `POST /grants/{entry}/end`.
pub(crate) async fn take_back(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(why): Form<Why>,
) -> Result<Response, Wrong> {
    let done = place.desk.records.revoke(entry, who.by(), &why.why).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&why.why]))?;
    Ok(Redirect::to("/?done=back").into_response())
}
