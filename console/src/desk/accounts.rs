//! Accounts and sessions: who has set a password, who is signed in where; a new link, a session ended from elsewhere.

use super::page::{Frame, html, role_word};
use super::secret::Secret;
use super::session::{SignedIn, is_over};
use super::wrong::Wrong;
use super::{Place, page};
use agreements::Role;
use askama::Template;
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Link, Records, StoreError};
use serde::Deserialize;

/// For how long a link is good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

#[derive(Template)]
#[template(path = "desk/accounts.html")]
struct AccountsPage {
    frame: Frame,
    accounts: Vec<Account>,
    sessions: Vec<Open>,
    link: Option<Shown>,
}

struct Account {
    id: String,
    name: String,
    role: &'static str,
    since: Option<String>,
}

/// A session that is open.
pub(super) struct Open {
    pub(super) token: String,
    pub(super) name: String,
    pub(super) browser: String,
    pub(super) address: String,
    pub(super) began: String,
    pub(super) seen: String,
    pub(super) own: bool,
}

/// A link, shown once.
struct Shown {
    name: String,
    path: String,
    ends: String,
}

/// Which account a form is about.
#[derive(Deserialize)]
pub(crate) struct About {
    account: String,
}

/// Which session a form is about.
#[derive(Deserialize)]
pub(crate) struct Which {
    session: String,
}

/// Makes a link with which the password of an account of `home.yaml` is set, once: the path below the desk's address, and
/// until when it is good. None where the system has no randomness to give.
pub async fn password_link(
    records: &Records,
    account: &str,
) -> Result<Option<(String, DateTime<Utc>)>, StoreError> {
    let Some(secret) = Secret::fresh() else { return Ok(None) };
    let ends = records.clock().now() + GOOD_FOR;
    records.put_link(&Link { token: secret.hash(), account: account.to_owned(), ends }).await?;
    Ok(Some((format!("/first/{}", secret.shown()), ends)))
}

/// `GET /accounts`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, Wrong> {
    show(&place, &who, None).await
}

async fn show(place: &Place, who: &SignedIn, link: Option<Shown>) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let (house, set) = (&current.snapshot.house, desk.records.accounts().await?);
    let since =
        |id: &str| set.iter().find(|(account, _)| account == id).map(|(_, at)| page::clock(house, *at, now));
    let staff = &house.home().staff;
    let accounts = staff.iter().map(|s| Account {
        id: s.id.clone(),
        name: s.name.clone(),
        role: role_word(s.role),
        since: since(&s.id),
    });
    let sessions = open_sessions(place, who, |_| true).await?;
    let frame = Frame::of("Accounts", "/accounts", house, who);
    Ok(html(&AccountsPage { frame, accounts: accounts.collect(), sessions, link }))
}

/// The sessions that are open, of the accounts that are asked for.
pub(super) async fn open_sessions(
    place: &Place,
    who: &SignedIn,
    of: impl Fn(&str) -> bool,
) -> Result<Vec<Open>, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let name = |id: &str| house.home().staff.iter().find(|s| s.id == id).map(|s| s.name.clone());
    let sessions = desk.records.sessions().await?.into_iter();
    let open = sessions.filter(|session| of(&session.account) && !is_over(session, house, now));
    let shown = open.map(|session| Open {
        name: name(&session.account).unwrap_or(session.account),
        browser: session.browser,
        address: session.address,
        began: page::clock(house, session.began, now),
        seen: page::clock(house, session.seen, now),
        own: session.token == who.session,
        token: session.token,
    });
    Ok(shown.collect())
}

/// `POST /accounts/link`: a new link for an account. Its password stays until the link is used.
pub(crate) async fn link(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(about): Form<About>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let account = house.home().staff.iter().find(|s| s.id == about.account).ok_or(Wrong::Missing)?;
    let (path, ends) = password_link(&desk.records, &account.id).await?.ok_or(Wrong::Records)?;
    let what = format!("made a link to set the password of {}", account.id);
    desk.records.staff_action(who.by(), &what, "").await?;
    let shown = Shown { name: account.name.clone(), path, ends: page::clock(house, ends, now) };
    show(&place, &who, Some(shown)).await
}

/// `POST /accounts/end`: ends a session, wherever it is open.
pub(crate) async fn end(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(which): Form<Which>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let session = desk.records.session(&which.session).await?.ok_or(Wrong::Missing)?;
    // Whoever is no manager ends their own sessions only.
    if who.role != Role::Manager && session.account != who.id {
        return Err(Wrong::Role);
    }
    desk.records.end_session(&which.session).await?;
    let what = format!("ended a session of {}", session.account);
    desk.records.staff_action(who.by(), &what, "").await?;
    Ok(Redirect::to(if who.role == Role::Manager { "/accounts" } else { "/me" }).into_response())
}
