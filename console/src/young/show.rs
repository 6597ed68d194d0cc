//! "Will you show me?" (seed 003 §4.7c): what staff ask stands on the young person's own page, kindly, with what may be answered.
//! Nobody looks from afar: who shows something shows it to somebody beside them.

use super::{Voice, Whose, said};
use crate::pages::{Desk, Visit};
use crate::sent::Sent;
use agreements::Person;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use chrono::{DateTime, Utc};
use records::{By, ByRole, NotDone, Records, Showing};

/// The path of the form.
pub(crate) const SHOW: &str = "/hearthgate/show";

/// What staff ask, as the page shows it.
pub(crate) struct Show {
    pub(crate) line: String,
    pub(crate) action: String,
    pub(crate) entry: i64,
    pub(crate) token: String,
}

/// Their answer: later, or no. Who shows it needs no form.
#[derive(serde::Deserialize)]
pub(crate) struct ShowForm {
    entry: i64,
    #[serde(default)]
    token: String,
    #[serde(default)]
    answer: String,
}

/// What the form's token is made for, in place of a host: no host has a space.
fn about(entry: i64) -> String {
    format!("show {entry}")
}

/// What staff ask of somebody; none where nobody does, or where nobody can tell.
pub(crate) async fn asked(desk: &Desk, visit: &Visit, person: &Person, v: Voice) -> Option<Show> {
    let show = open(desk.visitors.records(), person, visit.at).await.ok()??;
    Some(Show {
        line: v.fill("show.line", &[("name", &show.asked.by.name)]),
        action: v.link(SHOW),
        entry: show.entry,
        token: desk.refusals.key().token(&person.id, &about(show.entry), visit.at),
    })
}

async fn open(
    records: &Records,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<Option<records::Show>, records::StoreError> {
    let shows = records.shows(now).await?.into_iter();
    Ok(shows.filter(|show| show.answered.is_none()).find(|show| show.asked.person == person.id))
}

/// `POST` [`SHOW`].
pub(crate) async fn answer(State(desk): State<Desk>, Sent { here, form }: Sent<ShowForm>) -> Response<Body> {
    let v = here.v;
    let (visit, _) = super::pin::signed_in(&desk, here.visit(&desk, ""), &here.headers).await;
    let made_here = |id: &str| desk.refusals.key().accepts(&form.token, id, &about(form.entry), visit.at);
    let person = Whose::of(&visit).own().filter(|person| made_here(&person.id));
    let outcome = match form.answer.as_str() {
        "later" => Some(Showing::Later),
        "no" => Some(Showing::Declined),
        _ => None,
    };
    let (Some(person), Some(outcome)) = (person, outcome) else {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]));
    };
    let by = By { role: ByRole::YoungPerson, id: person.id.clone(), name: person.name.clone() };
    match desk.visitors.records().answer_show(form.entry, by, outcome, "").await {
        // Staff wrote down meanwhile what became of it: there is nothing left to say.
        Ok(_) | Err(NotDone::NotOpen(_)) => said(StatusCode::OK, v, &visit, ("show.done", &["show.done.1"])),
        Err(why) => {
            tracing::warn!(%why, "what somebody answered was not kept");
            said(StatusCode::SERVICE_UNAVAILABLE, v, &visit, ("wrong", &["wrong.kept"]))
        }
    }
}
