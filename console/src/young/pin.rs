//! On a device that several share: a young person signs in with a PIN that staff gave them, for ten minutes.

use super::{Voice, Whose, said};
use crate::desk::{Attempts, Vault};
use crate::pages::{Desk, Shown, Visit};
use crate::telling::{is_ours, is_sent_from_here, visit_of};
use agreements::{House, Person, PersonKind};
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use records::{NotDone, Records};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The path of the form.
pub(crate) const ME: &str = "/hearthgate/me";
/// What the form's token is made for, in place of a host: no host has a space.
pub(crate) const SIGN_IN: &str = "sign in";
const COOKIE: &str = "hearthgate-me";
/// Who looks at nothing for so long is signed out, in seconds: the next child sits down.
const LASTS: u32 = 600;
/// A PIN has four to eight digits.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// What signing in with a PIN needs.
pub(crate) struct Pins {
    vault: Option<Vault>,
    attempts: Mutex<Attempts>,
}

#[derive(serde::Deserialize)]
struct PinForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    pin: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    out: String,
}

impl Pins {
    /// Without randomness nobody signs in here.
    pub(crate) fn new() -> Self {
        Self { vault: Vault::new().ok(), attempts: Mutex::default() }
    }
}

/// A PIN's name among the passwords: no account of staff has a colon.
fn account(person: &str) -> String {
    format!("pin:{person}")
}

/// Why a PIN is none, if it is none: it has other signs, too few, or is among those that everybody tries.
pub(crate) fn weakness(pin: &str) -> Option<&'static str> {
    let digits: Vec<u32> = pin.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != pin.chars().count() || !DIGITS.contains(&digits.len()) {
        return Some("A PIN has four to eight digits, and nothing else.");
    }
    let step = |by: u32| digits.windows(2).all(|two| (two[0] + by) % 10 == two[1]);
    let pair = digits.iter().zip(digits.iter().skip(2)).all(|(a, b)| a == b);
    (step(0) || step(1) || step(9) || pair).then_some("Everybody tries such a PIN first. Take another.")
}

/// Gives somebody a PIN.
pub(crate) async fn give(records: &Records, vault: &Vault, person: &str, pin: &str) -> Result<(), NotDone> {
    let hash = vault.hash(pin.to_owned()).await.map_err(|_| NotDone::NotOpen(0))?;
    Ok(records.set_password(&account(person), &hash).await?)
}

/// What the cookie's token is made for: this device alone.
fn about(device: &str) -> String {
    format!("me on {device}")
}

/// The visit as whoever is signed in on a shared device; as it was where nobody is.
pub(crate) fn signed_in(desk: &Desk, visit: Visit, headers: &HeaderMap) -> (Visit, bool) {
    let found = who(desk, &visit, headers);
    let Some((who, id)) = found else { return (visit, false) };
    let explanation = agreements::Explanation { person: id, ..visit.explanation };
    (Visit { who, explanation, ..visit }, true)
}

fn who(desk: &Desk, visit: &Visit, headers: &HeaderMap) -> Option<(agreements::PersonId, String)> {
    let Whose::Shared(device) = Whose::of(visit) else { return None };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| *name == COOKIE)?;
    let (id, token) = value.rsplit_once('.')?;
    let good = desk.refusals.key().accepts(token, id, &about(&device.id), visit.at);
    let person = visit.current.snapshot.house.person(id).filter(|_| good)?;
    Some((person, id.to_owned()))
}

/// The cookie that keeps somebody signed in for a while longer, or takes it away.
fn cookie(value: &str, lasts: u32) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Keeps whoever looks at a page signed in. `device` is the shared one.
pub(crate) fn stays(desk: &Desk, visit: &Visit, device: &str, response: &mut Response<Body>) {
    let id = &visit.explanation.person;
    let token = desk.refusals.key().token(id, &about(device), visit.at);
    response.headers_mut().insert(header::SET_COOKIE, cookie(&format!("{id}.{token}"), LASTS));
}

/// `POST` [`ME`].
pub(crate) async fn enter(
    State(desk): State<Desk>,
    peer: ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    if !is_ours(&desk, request.uri(), request.headers()) {
        return crate::pages::visited(State(desk), peer, token, request).await;
    }
    let v = Voice::of(request.uri(), request.headers());
    let sent_here = is_sent_from_here(request.uri(), request.headers());
    let visit = visit_of(&desk, peer.0, &token, "");
    let Ok(axum::Form(form)) = axum::Form::<PinForm>::from_request(request, &()).await else {
        return said(StatusCode::BAD_REQUEST, v, &visit, ("wrong", &["wrong.old"]));
    };
    let Whose::Shared(device) = Whose::of(&visit) else {
        return said(StatusCode::NOT_FOUND, v, &visit, ("missing", &["missing.1"]));
    };
    if !sent_here {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.elsewhere"]));
    }
    let mut home = Redirect::to(&v.link("/")).into_response();
    if !form.out.is_empty() {
        home.headers_mut().insert(header::SET_COOKIE, cookie("", 0));
        return home;
    }
    if !desk.refusals.key().accepts(&form.token, &device.id, SIGN_IN, visit.at) {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]));
    }
    match opens(&desk, &visit.current.snapshot.house, peer.0, &form).await {
        Some(true) => {}
        Some(false) => return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["pin.wrong"])),
        None => return said(StatusCode::TOO_MANY_REQUESTS, v, &visit, ("wrong", &["pin.often"])),
    }
    let device = device.id.clone();
    let house = &visit.current.snapshot.house;
    let Some(id) = named(house, &form.name).map(|person| person.id.clone()) else { return home };
    let explanation = agreements::Explanation { person: id, ..visit.explanation.clone() };
    stays(&desk, &Visit { explanation, ..visit }, &device, &mut home);
    home
}

/// The young person of that name or id.
fn named<'h>(house: &'h House, typed: &str) -> Option<&'h Person> {
    let typed = typed.trim().to_lowercase();
    let young =
        house.people().filter(|(_, person)| person.kind == PersonKind::YoungPerson).map(|(_, person)| person);
    young.into_iter().find(|person| person.id == typed || person.name.to_lowercase() == typed)
}

/// Whether a PIN is right; none where there were many tries, or the records are out of reach. It takes as long for a name
/// that nobody has.
async fn opens(desk: &Desk, house: &House, peer: SocketAddr, form: &PinForm) -> Option<bool> {
    let records = desk.visitors.records();
    let person = named(house, &form.name);
    let account = account(person.map_or("", |person| person.id.as_str()));
    let tries = || desk.pins.attempts.lock().unwrap_or_else(PoisonError::into_inner);
    tries().take(&account, peer.ip(), records.clock().steady()).ok()?;
    let kept = records.password(&account).await.ok()?.filter(|_| person.is_some());
    let typed: String = form.pin.trim().chars().take(*DIGITS.end()).collect();
    let opens = desk.pins.vault.as_ref()?.opens(typed, kept).await.ok()?;
    if opens {
        tries().forget(&account, peer.ip());
    }
    Some(opens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_everybody_tries() {
        for (pin, good) in [
            ("4719", true),
            ("90210834", true),
            ("1234", false),
            ("9876", false),
            ("8901", false),
            ("0000", false),
            ("1212", false),
            ("471", false),
            ("471947194", false),
            ("47a9", false),
            ("", false),
        ] {
            assert_eq!(weakness(pin).is_none(), good, "{pin}");
        }
    }
}
