//! Who of staff has read somebody's agreement as it stands now: a new version is read anew (seed 003 §4.1, 4.2).

use super::page::clock;
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Desk, Place, secret};
use agreements::{House, Person, PersonKind, Role};
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::LastRead;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Who has read which agreement, as the records have it.
pub(super) type Read = BTreeMap<(String, String), LastRead>;

/// Who has read an agreement as it stands.
#[derive(Default)]
pub(super) struct Readers {
    /// Their names, each with when.
    pub(super) have: Vec<(String, String)>,
    pub(super) not_yet: Vec<String>,
    /// The version that whoever looks could say they have read; none where they have.
    pub(super) mine: Option<String>,
}

/// What somebody says they have read.
#[derive(Deserialize)]
pub(crate) struct Version {
    #[serde(default)]
    version: String,
}

impl Readers {
    /// How many of how many, as the list of people says it; empty where nobody has to.
    pub(super) fn said(&self) -> String {
        let all = self.have.len() + self.not_yet.len();
        if all == 0 { String::new() } else { format!("{} of {all}", self.have.len()) }
    }
}

/// Who has read somebody's agreement; nobody has to where it is no young person's.
pub(super) async fn of(
    desk: &Desk,
    house: &House,
    (person, read): (&Person, &Read),
    who: &SignedIn,
    now: DateTime<Utc>,
) -> Readers {
    if person.kind != PersonKind::YoungPerson {
        return Readers::default();
    }
    let Some(version) = version(desk, person).await else { return Readers::default() };
    let mut readers = Readers::default();
    let staff = house.home().staff.iter().filter(|staff| matches!(staff.role, Role::Manager | Role::Staff));
    for account in staff {
        let last = read.get(&(person.id.clone(), account.id.clone()));
        match last.filter(|last| last.version == version) {
            Some(last) => readers.have.push((account.name.clone(), clock(house, last.at, now))),
            None => readers.not_yet.push(account.name.clone()),
        }
        if account.id == who.id && last.is_none_or(|last| last.version != version) {
            readers.mine = Some(version.clone());
        }
    }
    readers
}

/// What tells one version of an agreement's text from another.
async fn version(desk: &Desk, person: &Person) -> Option<String> {
    let text = desk.running.text(&format!("agreements/{}.yaml", person.id)).await?;
    Some(secret::hash(&text).chars().take(16).collect())
}

/// `POST /people/{person}/read`.
pub(crate) async fn read(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(said): Form<Version>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let current = desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let person = house.person(&id).and_then(|who| house.agreement(who)).ok_or(Wrong::Missing)?;
    let version = version(desk, person).await.ok_or(Wrong::Missing)?;
    if said.version != version {
        return Err(Wrong::Typed(
            "The agreement has changed since you opened it. Open it again, and read what is new.".to_owned(),
        ));
    }
    desk.records.read_agreement(&person.id, &version, who.by()).await?;
    Ok(Redirect::to(&format!("/people/{id}?done=read")).into_response())
}
