//! Safeguarding concerns that are open, with the home's own way that each goes (seed 003 §4.4), and those that went it. None
//! closes by itself.

use super::Place;
use super::kept::{is_kept, readable};
use super::now::person_name;
use super::page::{clock, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{Contact, House};
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::shift::Shift;
use records::{ConcernClosed, Raised, Records, StoreError};
use serde::Deserialize;

/// A concern that is open.
pub(super) struct Concern {
    pub(super) entry: i64,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) by: String,
    pub(super) at: String,
}

/// The concerns that are open, and whom the home reaches about them.
pub(super) struct Concerns {
    pub(super) open: Vec<Concern>,
    /// In the order in which home.yaml names them.
    pub(super) way: Vec<Contact>,
    /// Whether whoever reads it can close one.
    pub(super) may: bool,
}

/// A concern that went its way.
pub(super) struct Closed {
    pub(super) concern: Concern,
    /// Who has it; empty for whoever reads no words.
    pub(super) with: String,
    /// What was agreed; empty for them, too.
    pub(super) agreed: String,
    pub(super) by: String,
    pub(super) at: String,
}

/// A concern goes its way.
#[derive(Deserialize)]
pub(crate) struct Went {
    #[serde(default)]
    with: String,
    #[serde(default)]
    words: String,
}

impl Concerns {
    /// What is open, as somebody may read it.
    pub(super) async fn of(
        records: &Records,
        house: &House,
        who: &SignedIn,
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<Raised>), Wrong> {
        let raised = open(records, house, who).await?;
        let open = raised.iter().map(|raised| concern(house, who, raised, now)).collect();
        let way = house.home().safeguarding.clone();
        Ok((Self { open, way, may: who.knows_names() }, raised))
    }
}

/// The open ones that somebody may read: what is said of a member of staff's own device is not for whoever works beside them.
pub(super) async fn open(
    records: &Records,
    house: &House,
    who: &SignedIn,
) -> Result<Vec<Raised>, StoreError> {
    let mut read = Vec::new();
    for raised in records.concerns(true).await? {
        if !is_kept(records, house, who, &raised.concern.person).await? {
            read.push(raised);
        }
    }
    Ok(read)
}

/// Those that were raised or closed in a shift and went their way, as somebody may read them.
pub(super) async fn closed(
    (records, house): (&Records, &House),
    who: &SignedIn,
    shift: Shift,
    now: DateTime<Utc>,
) -> Result<Vec<Closed>, StoreError> {
    let reads = |text: String| if who.knows_names() { text } else { String::new() };
    let mut all = Vec::new();
    for raised in records.concerns_closed(shift.from, shift.to).await? {
        if is_kept(records, house, who, &raised.concern.person).await? {
            continue;
        }
        let concern = concern(house, who, &raised, now);
        if let Some(ConcernClosed { with, words, by, .. }) = raised.closed {
            let at = raised.closed_at.map(|at| clock(house, at, now)).unwrap_or_default();
            all.push(Closed { concern, with: reads(with), agreed: reads(words), by: by.name, at });
        }
    }
    Ok(all)
}

fn concern(house: &House, who: &SignedIn, raised: &Raised, now: DateTime<Utc>) -> Concern {
    let said = &raised.concern;
    Concern {
        entry: raised.entry,
        name: match said.person.as_str() {
            "nobody" => "Somebody on a device that nobody here is known to have".to_owned(),
            id => name_for(who.role, &person_name(house, id)),
        },
        words: if who.knows_names() { said.words.clone() } else { String::new() },
        by: said.by.name.clone(),
        at: clock(house, raised.at, now),
    }
}

/// `POST /concerns/{entry}`.
pub(crate) async fn close(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(went): Form<Went>,
) -> Result<Response, Wrong> {
    closes(&place, &who, entry, &went).await.map_err(|wrong| wrong.with(&[&went.with, &went.words]))?;
    Ok(Redirect::to("/shift?done=noted").into_response())
}

async fn closes(place: &Place, who: &SignedIn, entry: i64, went: &Went) -> Result<(), Wrong> {
    let records = &place.desk.records;
    let current = place.desk.in_force.to_keep();
    let open = records.concerns(true).await?.into_iter().find(|raised| raised.entry == entry);
    if let Some(raised) = open {
        readable(records, &current.snapshot.house, who, &raised.concern.person).await?;
    }
    records.close_concern(entry, who.by(), &went.with, &went.words).await?;
    Ok(())
}
