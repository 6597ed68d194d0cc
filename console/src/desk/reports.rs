//! **They saw something**: what young people told, on the pages that a shift begins and ends with, until somebody by name says
//! that they have heard it and what was done (seed 003 §4.7f). It is no breach.

use super::Place;
use super::now::person_name;
use super::page::{clock, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::House;
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use records::{Records, Reported};
use serde::Deserialize;

/// A young person told that they saw something, and nobody has heard it yet.
pub(super) struct Saw {
    pub(super) entry: i64,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) at: String,
    /// With whom they would like to talk; empty where they did not say.
    pub(super) adult: String,
    /// Whether whoever reads it can close it.
    pub(super) may: bool,
}

/// Somebody has heard it.
#[derive(Deserialize)]
pub(crate) struct Heard {
    #[serde(default)]
    words: String,
    /// `concern`: it is a safeguarding concern as well.
    #[serde(default)]
    mark: String,
}

/// What nobody has heard yet, the newest first, as somebody may read it.
pub(super) async fn told(
    records: &Records,
    house: &House,
    who: &SignedIn,
    now: DateTime<Utc>,
) -> Result<Vec<Saw>, Wrong> {
    Ok(records.open_reports().await?.into_iter().map(|told| saw(house, who, told, now)).collect())
}

fn saw(house: &House, who: &SignedIn, told: Reported, now: DateTime<Utc>) -> Saw {
    let reads = who.knows_names();
    let adult = told.report.adult.and_then(|id| house.home().staff.iter().find(|staff| staff.id == id));
    Saw {
        entry: told.entry,
        name: match told.report.person.as_str() {
            "nobody" => "Somebody on a device that nobody here is known to have".to_owned(),
            id => name_for(who.role, &person_name(house, id)),
        },
        words: if reads { told.report.words } else { String::new() },
        at: clock(house, told.at, now),
        adult: adult.map(|staff| staff.name.clone()).unwrap_or_default(),
        may: reads,
    }
}

/// `POST /reports/{entry}`: somebody has heard it, or raises it as a safeguarding concern; then it stays here all the same.
pub(crate) async fn hear(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(heard): Form<Heard>,
) -> Result<Response, Wrong> {
    let records = &place.desk.records;
    if heard.mark == "concern" {
        let open = records.open_reports().await?.into_iter().find(|told| told.entry == entry);
        let person = open.ok_or(Wrong::Missing)?.report.person;
        let raised = records.concern(entry, &person, who.by(), &heard.words).await;
        raised.map_err(|why| Wrong::from(why).with(&[&heard.words]))?;
        return Ok(Redirect::to("/shift?done=concern").into_response());
    }
    let said = records.hear_report(entry, who.by(), &heard.words).await;
    said.map_err(|why| Wrong::from(why).with(&[&heard.words]))?;
    Ok(Redirect::to("/?done=heard").into_response())
}
