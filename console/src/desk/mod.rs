//! The desk: what staff look at and decide, in a browser on the home's own network.
//!
//! One table of routes says who comes in where ([`ROUTES`]); every request passes the door ([`door`]), then the guard
//! ([`session`]), then its handler. Nothing here decides what is allowed: pages show what the house says, and forms write
//! what staff decided into the records, from where the running gateway takes it within a second.

mod accounts;
mod asks;
mod attempts;
mod audit;
mod charts;
mod codes;
mod concerns;
mod devices;
mod door;
mod dossier;
mod edit;
mod evidence;
mod failures;
mod former;
mod give;
mod given;
mod handover;
mod inspections;
mod kept;
mod known;
mod lasting;
mod left;
mod lists;
mod live;
mod marking;
mod month;
mod nights;
mod now;
mod own_copy;
mod owning;
mod page;
mod password;
mod people;
mod printed;
mod proposal;
mod readers;
mod redact;
mod reports;
mod restrictions;
mod running;
mod secret;
mod session;
mod sheet;
mod shift;
mod sign_in;
mod strangers;
mod suggestions;
mod sweep;
mod together;
mod words;
mod wrong;
mod zip;

use agreements::Role::{self, It, Manager, Staff, Visitor};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use chrono::{DateTime, Utc};
use records::{Face, InForce, Records};
use session::{Open, SignedIn};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wrong::Wrong;

pub use accounts::password_link;
use attempts::Attempts;
use failures::Failures;
use password::Vault;
pub use running::{Doing, Kept, List, NoPin, NotKept, Running, State, Trouble, Waiting, Weighed};
pub use secret::hash as print_of;

#[cfg(test)]
pub(crate) mod tests;

/// The desk of one gateway.
pub struct Desk {
    records: Arc<Records>,
    in_force: Arc<InForce>,
    running: Arc<dyn Running>,
    /// The gateway's own names, besides its addresses.
    names: Vec<String>,
    vault: Vault,
    attempts: Mutex<Attempts>,
    failures: Mutex<Failures>,
    /// Since when home.yaml has been without accounts that something is kept of.
    absent: Mutex<former::Absent>,
    /// What each session has looked at: it is written down once.
    looked: Mutex<HashSet<(String, String)>>,
    /// Room for pages that follow what happens.
    followers: Arc<tokio::sync::Semaphore>,
}

/// The desk as a listener serves it.
#[derive(Clone)]
pub(crate) struct Place {
    desk: Arc<Desk>,
    /// Whether it is served over HTTPS.
    secure: bool,
}

const EVERYBODY: Open = Open::To(&[Manager, Staff, Visitor, It]);
const SHIFT: Open = Open::To(&[Manager, Staff]);
const READERS: Open = Open::To(&[Manager, Staff, Visitor]);
const ANSWERERS: Open = Open::To(&[Manager, It]);
const MANAGER: Open = Open::To(&[Manager]);

/// The largest form: a note of four thousand bytes, as a browser may encode it, and room.
const LARGEST: usize = 64 * 1024;

/// What was looked at that is remembered: what is forgotten is written down once more.
const MOST_LOOKED: usize = 4096;

/// A route: its path, who comes in, and what happens there.
type Route = (&'static str, Open, MethodRouter<Place>);

/// Every route of the desk. A route that changes something takes POST and nothing else does.
fn routes() -> Vec<Route> {
    vec![
        ("/sign-in", Open::ToAll, get(sign_in::form).post(sign_in::sign_in)),
        ("/first/{token}", Open::ToAll, get(sign_in::first).post(sign_in::choose)),
        ("/locked", Open::ToAll, get(sign_in::locked)),
        ("/assets/desk.css", Open::ToAll, get(style)),
        ("/assets/desk.js", Open::ToAll, get(script)),
        ("/live", EVERYBODY, get(live::follow)),
        ("/here", EVERYBODY, post(live::here)),
        ("/me", EVERYBODY, get(codes::show).post(codes::change)),
        ("/sign-out", EVERYBODY, post(sign_in::sign_out)),
        ("/", EVERYBODY, get(now::show)),
        ("/shift", READERS, get(shift::show)),
        ("/shift/sheet", READERS, get(sheet::sheet)),
        ("/shift/sign", SHIFT, post(handover::sign)),
        ("/month", READERS, get(month::show)),
        ("/episodes/{entry}", SHIFT, post(marking::mark)),
        ("/concerns/{entry}", SHIFT, post(concerns::close)),
        ("/reports/{entry}", SHIFT, get(reports::show).post(reports::hear)),
        ("/reports/{entry}/open", SHIFT, post(reports::open)),
        ("/asks", SHIFT, get(asks::list)),
        ("/asks/{entry}/yes", SHIFT, post(asks::yes)),
        ("/asks/{entry}/no", SHIFT, post(asks::no)),
        ("/give/{person}", SHIFT, get(give::form).post(give::give)),
        ("/grants/{entry}/end", SHIFT, get(give::take_back_form).post(give::take_back)),
        ("/restrictions", READERS, get(restrictions::list)),
        ("/restrictions/new", MANAGER, get(restrictions::draft)),
        ("/restrictions/place", MANAGER, post(restrictions::place_one)),
        ("/restrictions/{entry}/end", MANAGER, post(restrictions::end)),
        ("/restrictions/{entry}/told", MANAGER, post(restrictions::told)),
        ("/restrictions/{entry}/reviewed", MANAGER, post(restrictions::reviewed)),
        ("/people", SHIFT, get(people::list)),
        ("/people/{person}", SHIFT, get(people::show)),
        ("/people/{person}/read", SHIFT, post(readers::read)),
        ("/people/{person}/show", SHIFT, post(together::ask)),
        ("/people/{person}/incident", SHIFT, post(together::incident)),
        ("/shows/{entry}", SHIFT, post(together::became)),
        ("/people/{person}/pin", SHIFT, post(people::pin)),
        ("/people/{person}/charts", SHIFT, get(charts::show)),
        ("/people/{person}/nights", SHIFT, get(nights::show)),
        ("/edit", MANAGER, get(edit::new)),
        (
            "/edit/{*file}",
            MANAGER,
            get(edit::form).post(edit::act).layer(DefaultBodyLimit::max(edit::LARGEST)),
        ),
        ("/devices", EVERYBODY, get(devices::list)),
        ("/devices/book", SHIFT, post(devices::book)),
        ("/devices/own", MANAGER, get(owning::own)),
        ("/devices/let-in", SHIFT, post(strangers::let_in)),
        ("/devices/let-out", SHIFT, post(strangers::let_out)),
        ("/lists", EVERYBODY, get(lists::show)),
        ("/lists/report", SHIFT, post(lists::report)),
        ("/lists/reports/{entry}", ANSWERERS, post(lists::answer)),
        ("/coverage", EVERYBODY, get(lists::coverage)),
        ("/audit", MANAGER, get(audit::list)),
        ("/sample", MANAGER, get(sweep::form).post(sweep::draw)),
        ("/evidence", MANAGER, get(evidence::form).post(evidence::export)),
        ("/accounts", MANAGER, get(accounts::list)),
        ("/accounts/link", MANAGER, post(accounts::link)),
        ("/accounts/end", EVERYBODY, post(accounts::end)),
    ]
}

/// The address of every route of the desk, with `{…}` where something is named: for whoever looks at each of them, like the
/// tests with a browser.
pub fn addresses() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _, _)| path).collect()
}

impl Desk {
    /// The desk of a gateway that has these names besides its addresses.
    pub fn new(
        records: Arc<Records>,
        in_force: Arc<InForce>,
        running: Arc<dyn Running>,
        names: Vec<String>,
    ) -> Arc<Self> {
        Arc::new(Self {
            records,
            in_force,
            running,
            names,
            vault: Vault::new(),
            attempts: Mutex::default(),
            failures: Mutex::default(),
            absent: Mutex::default(),
            looked: Mutex::default(),
            followers: live::followers(),
        })
    }

    /// The routes, for a listener that is served over HTTPS or not.
    ///
    /// It needs the client's address as [`axum::extract::ConnectInfo`] in each request's extensions.
    pub fn router(self: &Arc<Self>, secure: bool) -> Router {
        let place = Place { desk: Arc::clone(self), secure };
        let mut router = Router::new();
        for (path, open, methods) in routes() {
            let guarded = methods.layer(from_fn_with_state((place.clone(), open), session::guard));
            router = router.route(path, guarded);
        }
        router
            .fallback(|| async { Wrong::Missing })
            .layer(DefaultBodyLimit::max(LARGEST))
            .layer(from_fn(plain_words))
            .layer(from_fn_with_state(place.clone(), door::pass))
            .with_state(place)
    }

    /// The accounts of `home.yaml` with this role that have no password yet; all of them where nobody of the role has one.
    ///
    /// While the home's own records cannot be used nobody can sign in, and nobody is locked out by having no password.
    pub async fn locked_out(&self, role: Role) -> Result<Vec<String>, records::StoreError> {
        if self.records.broken().is_some() {
            return Ok(Vec::new());
        }
        let current = self.in_force.to_keep();
        let set = self.records.accounts().await?;
        let of_role = current.snapshot.house.home().staff.iter().filter(|staff| staff.role == role);
        let ids: Vec<String> = of_role.map(|staff| staff.id.clone()).collect();
        let nobody = !ids.iter().any(|id| set.iter().any(|(account, _)| account == id));
        Ok(if nobody { ids } else { Vec::new() })
    }

    fn now(&self) -> DateTime<Utc> {
        self.records.clock().now()
    }

    /// Somebody looks at what is one young person's, or at names: the journal says so, once a session.
    async fn looks(&self, who: &SignedIn, at: String) -> Result<(), Wrong> {
        let seen = (who.session.clone(), at.clone());
        let is_new = {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.len() >= MOST_LOOKED {
                looked.clear();
            }
            looked.insert(seen)
        };
        if is_new {
            self.records.staff_action(who.by(), &format!("looked at {at}"), "").await?;
        }
        Ok(())
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody could not sign in: the journal says so, many times in few entries.
    async fn sign_in_failed(&self, account: &str, face: Face) {
        let failed = {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.add(account, &face.to_string(), self.records.clock().steady(), self.now())
        };
        let Some(failed) = failed else { return };
        if let Err(error) = self.records.sign_in_failed(failed).await {
            tracing::error!(%error, "that somebody could not sign in could not be written down");
        }
    }
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../templates/desk/desk.css"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../../templates/desk/desk.js"))
}

/// A file of the desk. It may be kept for an hour: nothing in it is about anybody.
fn asset(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}

/// What the framework refuses by itself (a form that is too large or has no such field) in the desk's own words.
async fn plain_words(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let response = next.run(request).await;
    let own = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let status = response.status();
    if own || !status.is_client_error() {
        return response;
    }
    let said = Wrong::Typed(
        "The form could not be read. Go back, load the page again, and try once more.".to_owned(),
    );
    let mut told = said.into_response();
    *told.status_mut() = status;
    told
}
