//! On a device that several share: a young person shows their PIN and sees their own pages, for ten minutes. Whether it is theirs,
//! and how often somebody may try, is the program's to say: it is the one PIN with which they also sign in on a device.

use super::{Whose, said};
use crate::pages::{Desk, Known, Visit};
use crate::sent::Sent;
use agreements::PersonKind;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};

/// The path of the form.
pub(crate) const ME: &str = "/hearthgate/me";
/// What the form's token is made for, in place of a host: no host has a space.
pub(crate) const SIGN_IN: &str = "sign in";
const COOKIE: &str = "hearthgate-me";
/// Who looks at nothing for so long is signed out, in seconds: the next child sits down.
const LASTS: u32 = 600;

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

/// What the cookie's token is made for: this device alone, while they have this PIN.
fn about(device: &str, mark: &str) -> String {
    format!("me on {device} with {mark}")
}

/// The visit as whoever is signed in on a shared device; as it was where nobody is.
pub(crate) async fn signed_in(desk: &Desk, visit: Visit, headers: &HeaderMap) -> (Visit, bool) {
    let found = who(desk, &visit, headers).await;
    let Some((who, id)) = found else { return (visit, false) };
    let explanation = agreements::Explanation { person: id, ..visit.explanation };
    (Visit { who, explanation, ..visit }, true)
}

async fn who(desk: &Desk, visit: &Visit, headers: &HeaderMap) -> Option<(agreements::PersonId, String)> {
    let Whose::Shared(device) = Whose::of(visit) else { return None };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| *name == COOKIE)?;
    let (id, token) = value.rsplit_once('.')?;
    // Another PIN, or none: whoever was in with the old one is out.
    let mark = desk.visitors.pin_mark(id.to_owned()).await?;
    let good = desk.refusals.key().accepts(token, id, &about(&device.id, &mark), visit.at);
    let person = visit.current.snapshot.house.person(id).filter(|_| good)?;
    Some((person, id.to_owned()))
}

/// The cookie that keeps somebody signed in for a while longer, or takes it away.
fn cookie(value: &str, lasts: u32) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Keeps whoever looks at a page signed in. `device` is the shared one.
pub(crate) async fn stays(desk: &Desk, visit: &Visit, device: &str, response: &mut Response<Body>) {
    let id = &visit.explanation.person;
    let Some(mark) = desk.visitors.pin_mark(id.clone()).await else { return };
    let token = desk.refusals.key().token(id, &about(device, &mark), visit.at);
    response.headers_mut().insert(header::SET_COOKIE, cookie(&format!("{id}.{token}"), LASTS));
}

/// `POST` [`ME`].
pub(crate) async fn enter(State(desk): State<Desk>, Sent { here, form }: Sent<PinForm>) -> Response<Body> {
    let (v, visit) = (here.v, here.visit(&desk, ""));
    let Whose::Shared(device) = Whose::of(&visit) else {
        return said(StatusCode::NOT_FOUND, v, &visit, ("missing", &["missing.1"]));
    };
    let mut home = Redirect::to(&v.link("/")).into_response();
    if !form.out.is_empty() {
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
    let explanation = agreements::Explanation { person: id, ..visit.explanation.clone() };
    stays(&desk, &Visit { explanation, ..visit }, &device, &mut home).await;
    home
}
