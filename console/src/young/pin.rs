//! On a device that several share: a young person shows their PIN and sees their own pages, for ten minutes. Whether it is theirs,
//! and how often somebody may try, is the program's to say: it is the one PIN with which they also sign in on a device.

use super::{Whose, said};
use crate::pages::{Desk, Known, Visit};
use crate::sent::Sent;
use agreements::{Explanation, Host, PersonId, PersonKind, Request};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use blocklists::Name;
use chrono::{DateTime, Utc};
use records::{Current, Face};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The path of the form.
pub(crate) const ME: &str = "/hearthgate/me";
/// What the form's token is made for, in place of a host: no host has a space.
pub(crate) const SIGN_IN: &str = "sign in";
const COOKIE: &str = "hearthgate-me";
/// Who looks at nothing for so long is signed out, in seconds: the next child sits down.
const LASTS: u32 = 600;

/// So many devices have a turn at once. Beyond them the one that began first is over: a home has fewer, and whoever makes up
/// addresses fills no memory.
const MOST: usize = 256;

/// Whose turn it is on each shared device. With everybody who signs in there, or is done there, a new one begins, and what a
/// browser kept of the one before opens nothing. Two devices of one agreement have a turn each.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Face, i64>>);

impl Turns {
    /// The turn that it is; none where nobody has had one.
    fn of(&self, device: Face) -> Option<i64> {
        self.all().get(&device).copied()
    }

    /// The next turn begins. Its number is no earlier one's, also not of a gateway whose listeners began anew meanwhile.
    fn next(&self, device: Face, at: DateTime<Utc>) {
        let mut all = self.all();
        if all.len() >= MOST && !all.contains_key(&device) {
            let first = all.iter().min_by_key(|(_, turn)| **turn).map(|(face, _)| *face);
            first.and_then(|face| all.remove(&face));
        }
        let turn = all.entry(device).or_default();
        *turn = at.timestamp_micros().max(*turn + 1);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Face, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct PinForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    pin: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    out: String,
}

/// What the cookie's seal is on: this person, while they have this PIN, on this device alone and while it is shared by these
/// people, in this turn, since this second.
fn about((id, mark): (&str, &str), (shared, device): (&str, Face), turn: i64, since: i64) -> String {
    format!("me\n{id}\n{mark}\n{shared}\n{device}\n{turn}\n{since}")
}

/// The visit as whoever is signed in on a shared device, and the device's agreement (by id); as it was where nobody is.
pub(crate) async fn signed_in(desk: &Desk, visit: Visit, headers: &HeaderMap) -> (Visit, Option<String>) {
    let Whose::Shared(device) = Whose::of(&visit) else { return (visit, None) };
    let device = device.id.clone();
    let Some(who) = who(desk, &visit, headers).await else { return (visit, None) };
    let explanation = explained(&visit, who);
    (Visit { who, whose: who, explanation, ..visit }, Some(device))
}

/// What the decision says to somebody of the host that a visit is about.
fn explained(visit: &Visit, who: PersonId) -> Explanation {
    let Current { snapshot, standing, .. } = &*visit.current;
    let asked = &visit.explanation.host;
    let host = match asked.parse() {
        Ok(address) => Some(Host::Address(address)),
        Err(_) => Name::new(asked).ok().map(Host::Name),
    };
    match host {
        Some(host) => {
            let request = Request { host, tags: snapshot.tags(host), path: None };
            snapshot.house.explain(who, visit.at, &request, standing)
        }
        None => {
            let person = snapshot.house.agreement(who).map(|person| person.id.clone()).unwrap_or_default();
            Explanation { person, ..visit.explanation.clone() }
        }
    }
}

async fn who(desk: &Desk, visit: &Visit, headers: &HeaderMap) -> Option<PersonId> {
    let Whose::Shared(device) = Whose::of(visit) else { return None };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| *name == COOKIE)?;
    let (rest, seal) = value.rsplit_once('.')?;
    let (id, since) = rest.rsplit_once('.')?;
    let since: i64 = since.parse().ok()?;
    // A browser forgets the cookie by itself; one that does not is not believed.
    let lasts = (0..=i64::from(LASTS)).contains(&visit.at.timestamp().saturating_sub(since));
    // Another PIN, or none: whoever was in with the old one is out.
    let mark = desk.visitors.pin_mark(id.to_owned()).await?;
    let words = about((id, &mark), (&device.id, visit.face), desk.turns.of(visit.face)?, since);
    let good = lasts && desk.refusals.key().is_seal(seal, &words);
    visit.current.snapshot.house.person(id).filter(|_| good)
}

/// The cookie that keeps somebody signed in for a while longer, or takes it away.
fn cookie(value: &str, lasts: u32) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Keeps whoever looks at a page signed in. `shared` is the agreement of the device.
pub(crate) async fn stays(desk: &Desk, visit: &Visit, shared: &str, response: &mut Response<Body>) {
    let (id, since) = (&visit.explanation.person, visit.at.timestamp());
    let (Some(turn), Some(mark)) = (desk.turns.of(visit.face), desk.visitors.pin_mark(id.clone()).await)
    else {
        return;
    };
    let seal = desk.refusals.key().seal(&about((id, &mark), (shared, visit.face), turn, since));
    response.headers_mut().insert(header::SET_COOKIE, cookie(&format!("{id}.{since}.{seal}"), LASTS));
}

/// `POST` [`ME`].
pub(crate) async fn enter(State(desk): State<Desk>, Sent { here, form }: Sent<PinForm>) -> Response<Body> {
    let (v, visit) = (here.v, here.visit(&desk, ""));
    let Whose::Shared(device) = Whose::of(&visit) else {
        return said(StatusCode::NOT_FOUND, v, &visit, ("missing", &["missing.1"]));
    };
    let mut home = Redirect::to(&v.link("/")).into_response();
    if !form.out.is_empty() {
        desk.turns.next(visit.face, visit.at);
        home.headers_mut().insert(header::SET_COOKIE, cookie("", 0));
        return home;
    }
    if !desk.refusals.key().accepts(&form.token, &device.id, SIGN_IN, visit.at) {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]));
    }
    let known = desk.visitors.knows_pin(here.peer.ip(), form.name, form.pin).await;
    let wrong = ("wrong", &["pin.wrong"][..]);
    let id = match known {
        Known::As(id) => id,
        Known::Wrong => return said(StatusCode::FORBIDDEN, v, &visit, wrong),
        Known::Often => return said(StatusCode::TOO_MANY_REQUESTS, v, &visit, ("wrong", &["pin.often"])),
    };
    let house = &visit.current.snapshot.house;
    let young = house.person(&id).and_then(|who| house.agreement(who));
    if young.is_none_or(|person| person.kind != PersonKind::YoungPerson) {
        return said(StatusCode::FORBIDDEN, v, &visit, wrong);
    }
    let device = device.id.clone();
    desk.turns.next(visit.face, visit.at);
    let explanation = Explanation { person: id, ..visit.explanation.clone() };
    stays(&desk, &Visit { explanation, ..visit }, &device, &mut home).await;
    home
}
