//! What is told before anything else: what is written down about me, who sees it, and that I can ask (seed 000 §3.1). It stands on
//! the first page that is somebody's own until they say that they have read it.

use super::{Voice, Whose, said};
use crate::pages::{Desk, Visit};
use crate::sent::Sent;
use agreements::Person;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::{IntoResponse, Redirect};
use records::{By, ByRole, Records};

/// The path of the form.
pub(crate) const FIRST: &str = "/hearthgate/first";
/// Which version of the notice it is: another is told anew. A test ties it to the words.
pub(super) const VERSION: &str = "notice 2";

/// The notice, as the page shows it.
pub(crate) struct First {
    pub(crate) action: String,
    pub(crate) token: String,
    pub(crate) agreement: String,
}

#[derive(serde::Deserialize)]
pub(crate) struct FirstForm {
    #[serde(default)]
    token: String,
}

/// The notice; none where they have read it, or where nobody can tell.
pub(crate) async fn notice(desk: &Desk, visit: &Visit, person: &Person, v: Voice) -> Option<First> {
    let read = desk.visitors.records().has_read(&person.id, &person.id, VERSION).await;
    let unread = read.is_ok_and(|read| !read);
    unread.then(|| First {
        action: v.link(FIRST),
        token: desk.refusals.key().token(&person.id, VERSION, visit.at),
        agreement: v.link("/agreement"),
    })
}

/// `POST` [`FIRST`].
pub(crate) async fn seen(State(desk): State<Desk>, Sent { here, form }: Sent<FirstForm>) -> Response<Body> {
    let v = here.v;
    let (visit, _) = super::pin::signed_in(&desk, here.visit(&desk, ""), &here.headers).await;
    let made_here = |id: &str| desk.refusals.key().accepts(&form.token, id, VERSION, visit.at);
    let person = Whose::of(&visit).own().filter(|person| made_here(&person.id));
    let Some(person) = person else {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]));
    };
    match keep(desk.visitors.records(), person).await {
        Ok(()) => Redirect::to(&v.link("/")).into_response(),
        Err(why) => {
            tracing::warn!(%why, "that somebody has read the notice was not kept");
            said(StatusCode::SERVICE_UNAVAILABLE, v, &visit, ("wrong", &["wrong.kept"]))
        }
    }
}

async fn keep(records: &Records, person: &Person) -> Result<(), records::NotDone> {
    if !records.has_read(&person.id, &person.id, VERSION).await? {
        let by = By { role: ByRole::YoungPerson, id: person.id.clone(), name: person.name.clone() };
        records.read_agreement(&person.id, VERSION, by).await?;
    }
    Ok(())
}
