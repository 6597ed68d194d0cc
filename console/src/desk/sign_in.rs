//! Signing in and out, and setting one's password by a link.

use super::attempts::Origin;
use super::page::{Frame, html};
use super::password::{self, Busy, LEAST};
use super::session::{SignedIn, cookie, token};
use super::wrong::Wrong;
use super::{Place, codes, known, secret};
use agreements::Staff;
use askama::Template;
use axum::extract::{ConnectInfo, Extension, Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use records::{By, ByRole};
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Template)]
#[template(path = "desk/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    account: &'a str,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "desk/first.html")]
struct FirstPage<'a> {
    frame: Frame,
    token: &'a str,
    name: &'a str,
    account: &'a str,
    least: usize,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "desk/locked.html")]
struct LockedPage {
    frame: Frame,
    signed_in: bool,
}

/// What somebody types to sign in.
#[derive(Deserialize)]
pub(crate) struct Typed {
    account: String,
    password: String,
    /// A code of the app, where somebody uses one.
    #[serde(default)]
    code: String,
}

/// What somebody types to set a password.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    password: String,
    again: String,
}

/// The same for an unknown account, a wrong password and an account without one: it tells nobody which accounts there are.
const NO: &str = "That did not fit. Check the account’s id, the password, and the code if you use one. Whoever has lost a password asks the manager for a new link.";
const BROKEN: &str = "The gateway cannot use its records, so nobody can sign in; everybody has the baseline meanwhile. Whoever looks after the gateway finds more in `hearthgate status`.";
const BUSY: &str = "Several people are signing in at this moment. Please try again.";

/// `GET /sign-in`.
pub(crate) async fn form(State(place): State<Place>) -> Response {
    sign_in_page(&place, "", None)
}

fn sign_in_page(place: &Place, account: &str, wrong: Option<&str>) -> Response {
    let home = place.desk.in_force.current().snapshot.house.home().name.clone();
    let broken = place.desk.records.broken().map(|_| BROKEN);
    let wrong = broken.or(wrong);
    html(&SignInPage { frame: Frame { home, ..Frame::bare("Sign in") }, account, wrong })
}

/// `POST /sign-in`.
pub(crate) async fn sign_in(
    State(place): State<Place>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let account = typed.account.trim().to_lowercase();
    let known = staff(&place, &account);
    let kept = desk.records.password(&account).await?.filter(|_| known.is_some());
    let browser =
        kept.as_ref().and_then(|kept| known::browser(&headers, &account, kept, desk.now(), place.secure));
    let from = Origin { face: desk.running.face(peer.ip()).await, known: browser };
    if let Err(wait) = desk.attempts().take(&account, from, desk.records.clock().steady()) {
        let mut page = sign_in_page(&place, &typed.account, Some(&later(wait)));
        *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return Ok(page);
    }
    let opens = desk.vault.opens(typed.password.chars().take(password::MOST).collect(), kept).await;
    let Ok(opens) = opens else { return Err(Wrong::Often(BUSY.to_owned())) };
    // A code is looked at only with the right password, so that nobody uses another's up.
    let opens = opens && codes::fits(&place, &account, &typed.code).await?;
    let (true, Some(who)) = (opens, known) else {
        tracing::warn!("somebody could not sign in at the desk");
        // What is no account may be a password that somebody typed in the wrong place.
        let known = staff(&place, &account).map(|known| known.id).unwrap_or_default();
        desk.sign_in_failed(&known, from.face).await;
        let mut page = sign_in_page(&place, &typed.account, Some(NO));
        *page.status_mut() = StatusCode::FORBIDDEN;
        return Ok(page);
    };
    desk.attempts().forget(&account, from);
    welcome(&place, &who, &headers, peer, "signed in at the desk").await
}

/// Opens a session, and leads to the first page.
async fn welcome(
    place: &Place,
    account: &Staff,
    headers: &HeaderMap,
    peer: SocketAddr,
    what: &str,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    // Whatever session the browser had is over.
    if let Some(token) = token(headers, place.secure) {
        desk.records.end_session(&secret::hash(token)).await?;
    }
    let secret = desk.begin(&account.id, headers, &peer.ip().to_canonical().to_string()).await?;
    desk.records.staff_action(by(account), what, "").await?;
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie(Some(&secret), place.secure));
    let kept = desk.records.password(&account.id).await?;
    if let Some(known) = kept.and_then(|kept| known::cookie(&account.id, &kept, desk.now(), place.secure)) {
        response.headers_mut().append(header::SET_COOKIE, known);
    }
    Ok(response)
}

fn by(account: &Staff) -> By {
    By { role: ByRole::Staff, id: account.id.clone(), name: account.name.clone() }
}

fn staff(place: &Place, id: &str) -> Option<Staff> {
    place.desk.in_force.current().snapshot.house.home().staff.iter().find(|s| s.id == id).cloned()
}

fn later(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    let soon = if minutes <= 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
    format!("There were many tries. Please wait {soon}, then try again.")
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, Wrong> {
    place.desk.records.end_session(&who.session).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie(None, place.secure));
    Ok(response)
}

/// `GET /locked`: where a page goes that nobody has used for a while. It shows nothing, and is no use of the session.
pub(crate) async fn locked(State(place): State<Place>, headers: HeaderMap) -> Result<Response, Wrong> {
    let signed_in = match token(&headers, place.secure) {
        Some(token) => place.desk.who(token, false).await?.is_some(),
        None => false,
    };
    let home = place.desk.in_force.current().snapshot.house.home().name.clone();
    Ok(html(&LockedPage { frame: Frame { home, ..Frame::bare("Locked") }, signed_in }))
}

/// `GET /first/{token}`: a link to set a password with. Looking at it does not use it up.
pub(crate) async fn first(State(place): State<Place>, Path(token): Path<String>) -> Result<Response, Wrong> {
    let account = owner(&place, &token).await?;
    Ok(first_page(&place, &token, &account, None))
}

async fn owner(place: &Place, token: &str) -> Result<Staff, Wrong> {
    let link = place.desk.records.link(&secret::hash(token)).await?.ok_or(Wrong::Missing)?;
    staff(place, &link.account).ok_or(Wrong::Missing)
}

fn first_page(place: &Place, token: &str, account: &Staff, wrong: Option<&str>) -> Response {
    let home = place.desk.in_force.current().snapshot.house.home().name.clone();
    let frame = Frame { home, ..Frame::bare("Choose a password") };
    html(&FirstPage { frame, token, name: &account.name, account: &account.id, least: LEAST, wrong })
}

/// `POST /first/{token}`.
pub(crate) async fn choose(
    State(place): State<Place>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Wrong> {
    let account = owner(&place, &token).await?;
    let home = place.desk.in_force.current().snapshot.house.home().name.clone();
    let wrong = match chosen.password == chosen.again {
        true => password::weakness(&chosen.password, &[&account.id, &account.name, &home]),
        false => Some("The two are not the same.".to_owned()),
    };
    if let Some(wrong) = wrong {
        let mut page = first_page(&place, &token, &account, Some(&wrong));
        *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(page);
    }
    let hash = place.desk.vault.hash(chosen.password).await.map_err(|Busy| Wrong::Often(BUSY.to_owned()))?;
    let hashed = secret::hash(&token);
    place.desk.records.redeem(&hashed, &hash).await?.ok_or(Wrong::Missing)?;
    if place.desk.records.codes(&account.id).await?.is_some() {
        place.desk.records.staff_action(by(&account), "chose a password with a link", "").await?;
        // A link is no way around the second factor.
        return Ok(Redirect::to("/sign-in").into_response());
    }
    welcome(&place, &account, &headers, peer, "chose a password and signed in at the desk").await
}
