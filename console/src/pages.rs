//! The pages listener: refusal pages for names that were answered with the gateway's address, the asks and reports from
//! them, and the gateway's own front page.

use crate::ask::{Ask, Saw, tidy};
use crate::front;
use crate::refusal::{ASK, Form, Refusals, SAW, SAW_SOMETHING};
use agreements::{Explanation, PersonId};
use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::post;
use chrono::{DateTime, Utc};
use records::Current;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// Whether a visit shows the refusal page. Only then is it evidence.
#[derive(Clone, Copy, Debug)]
pub enum Showing<'a> {
    /// The refusal page is the answer to a request with this method and these headers, which tell whether somebody opened
    /// a page or a page's picture was asked for.
    Refusal(&'a Method, &'a HeaderMap),
    /// Something else (an ask, a report, the front page): nothing is recorded.
    Nothing,
}

/// The token that a device showed to the proxy, where the request came through it. The program puts it into a request's
/// extensions.
#[derive(Clone, Debug)]
pub struct Token(pub String);

/// What the program knows of somebody's visit to a host.
pub struct Visit {
    /// What is in force.
    pub current: Arc<Current>,
    /// Whose device it is.
    pub who: PersonId,
    /// The decision in words.
    pub explanation: Explanation,
    /// When.
    pub at: DateTime<Utc>,
}

/// What somebody told staff from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// They ask for a site.
    Ask(Ask),
    /// They saw something that upset them.
    Saw(Saw),
}

/// What became of what somebody told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is kept, and staff can see it.
    Kept,
    /// They have told or asked so often lately that staff could not read more. What they told before is kept.
    Often,
    /// It could not be kept.
    NotKept,
}

/// What the pages need of the program.
pub trait Visitors: Send + Sync + 'static {
    /// Tells who is behind an address or token, and judges the host and path.
    fn visit(
        &self,
        address: IpAddr,
        token: Option<&str>,
        host: &str,
        path: &str,
        showing: Showing<'_>,
    ) -> Visit;

    /// Keeps what somebody told.
    fn tell(&self, told: Told) -> Pin<Box<dyn Future<Output = Heard> + Send>>;

    /// In what form the client wants a refusal, by its `Accept` header (RFC 9110 §12.5.1): the proxy's rule is everybody's.
    fn form(&self, headers: &HeaderMap) -> Form;

    /// Whether a host is the gateway's own name or address.
    fn is_own(&self, host: &str) -> bool;
}

#[derive(Clone)]
struct Desk {
    refusals: Arc<Refusals>,
    visitors: Arc<dyn Visitors>,
}

#[derive(Template)]
#[template(path = "asked.html")]
struct AskedPage<'a> {
    style: &'static str,
    home: &'a str,
    heading: &'a str,
    lines: &'a [&'a str],
}

type Shown = Option<Extension<Token>>;

/// The routes of the pages listener. Whatever is not for the gateway itself is a visit to a refused host.
///
/// It needs the client's address: serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or put
/// [`ConnectInfo`] into the request's extensions.
pub fn router(refusals: Arc<Refusals>, visitors: Arc<dyn Visitors>) -> Router {
    Router::new()
        .route(ASK, post(asked))
        .route(SAW, post(saw))
        .fallback(visited)
        .layer(DefaultBodyLimit::max(8 * 1024))
        .with_state(Desk { refusals, visitors })
}

async fn visited(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    let host = host_of(&request).unwrap_or_default();
    let token = token.as_ref().map(|Extension(token)| token.0.as_str());
    if desk.visitors.is_own(&host) {
        let visit = desk.visitors.visit(peer.ip(), token, &host, "/", Showing::Nothing);
        return own_page(&visit, request.uri().path());
    }
    let visit = desk.visitors.visit(
        peer.ip(),
        token,
        &host,
        request.uri().path(),
        Showing::Refusal(request.method(), request.headers()),
    );
    let form = desk.visitors.form(request.headers());
    refused(&desk, &visit, form)
}

const NOT_HERE: &[&str] =
    &["The gateway has no page at this address. Its front page is the one without anything after the name."];

/// A page of the gateway itself: the front page, or that there is none.
fn own_page(visit: &Visit, path: &str) -> Response<Body> {
    if front::is_here(path) {
        return respond(StatusCode::OK, Form::Html, front::page(visit));
    }
    answer(StatusCode::NOT_FOUND, &visit.current.snapshot.house.home().name, "Nothing is here", NOT_HERE)
}

fn refused(desk: &Desk, visit: &Visit, form: Form) -> Response<Body> {
    let body = desk.refusals.render(&visit.current, visit.who, &visit.explanation, form, visit.at);
    if visit.explanation.verdict == agreements::Outcome::Allow {
        // The name was refused a moment ago and its answer is still remembered by the device; it lapses in seconds.
        let mut response = respond(StatusCode::SERVICE_UNAVAILABLE, form, body);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    }
    respond(StatusCode::FORBIDDEN, form, body)
}

#[derive(serde::Deserialize)]
struct AskForm {
    host: String,
    token: String,
    #[serde(default)]
    words: String,
}

#[derive(serde::Deserialize)]
struct SawForm {
    token: String,
    #[serde(default)]
    words: String,
}

const TOO_OLD: &[&str] = &["This form is too old. Go back, load the page again, and try once more."];
const NOT_KEPT: &[&str] =
    &["The gateway could not keep it. Please tell whoever is on shift: it is not your fault."];
const ASKED: &[&str] = &[
    "Staff can see it now. You can also go and find whoever is on shift.",
    "When they say yes, just load the page again.",
];
const TOLD: &[&str] = &[
    "Thank you for saying so. Staff can see it now, and you are not in trouble.",
    "You can also talk to whoever is on shift, or to Childline on 0800 1111, at any time.",
];

const ASKED_OFTEN: &[&str] = &[
    "You have asked for many things already, and they are all waiting for an answer. This one was not added.",
    "It is quicker to go and find whoever is on shift.",
];
const TOLD_OFTEN: &[&str] = &[
    "You have told staff many times within the hour. They have all of it, and you are not in trouble. This one was not added.",
    "Please go and find whoever is on shift now. You can also talk to Childline on 0800 1111, at any time.",
];

async fn asked(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    token: Shown,
    axum::Form(form): axum::Form<AskForm>,
) -> Response<Body> {
    let visit = visit_of(&desk, peer, &token, &form.host);
    let person = visit.explanation.person.clone();
    let about = form.host.clone();
    let ask = Told::Ask(Ask { person, host: form.host, words: tidy(&form.words) });
    take(&desk, &visit, &form.token, &about, ask, ("You have asked", ASKED)).await
}

async fn saw(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    token: Shown,
    axum::Form(form): axum::Form<SawForm>,
) -> Response<Body> {
    let visit = visit_of(&desk, peer, &token, "");
    let saw = Told::Saw(Saw { person: visit.explanation.person.clone(), words: tidy(&form.words) });
    take(&desk, &visit, &form.token, SAW_SOMETHING, saw, ("Staff have been told", TOLD)).await
}

fn visit_of(desk: &Desk, peer: SocketAddr, token: &Shown, host: &str) -> Visit {
    let token = token.as_ref().map(|Extension(token)| token.0.as_str());
    desk.visitors.visit(peer.ip(), token, host, "/", Showing::Nothing)
}

/// Takes what somebody tells, if the form was made here for them.
async fn take(
    desk: &Desk,
    visit: &Visit,
    token: &str,
    about: &str,
    told: Told,
    done: (&str, &[&str]),
) -> Response<Body> {
    let home = &visit.current.snapshot.house.home().name;
    if !desk.refusals.key().accepts(token, &visit.explanation.person, about, visit.at) {
        return answer(StatusCode::FORBIDDEN, home, "That did not work", TOO_OLD);
    }
    let often = match told {
        Told::Ask(_) => ASKED_OFTEN,
        Told::Saw(_) => TOLD_OFTEN,
    };
    match desk.visitors.tell(told).await {
        Heard::Kept => answer(StatusCode::OK, home, done.0, done.1),
        Heard::Often => answer(StatusCode::TOO_MANY_REQUESTS, home, "Staff have heard you", often),
        Heard::NotKept => answer(StatusCode::SERVICE_UNAVAILABLE, home, "That did not work", NOT_KEPT),
    }
}

fn answer(status: StatusCode, home: &str, heading: &str, lines: &[&str]) -> Response<Body> {
    let page = AskedPage { style: include_str!("../templates/page.css"), home, heading, lines };
    // Rendering writes into a string, which cannot fail.
    respond(status, Form::Html, page.render().unwrap_or_default())
}

/// The host that the device asked for: the URI's in absolute form, else the `Host` header's, without its port.
fn host_of(request: &Request) -> Option<String> {
    let authority = match request.uri().authority() {
        Some(authority) => authority.clone(),
        None => request.headers().get(header::HOST)?.to_str().ok()?.parse().ok()?,
    };
    Some(authority.host().trim_matches(['[', ']']).to_ascii_lowercase())
}

fn respond(status: StatusCode, form: Form, body: String) -> Response<Body> {
    const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action http:; base-uri 'none'; frame-ancestors 'none'";
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, form.content_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
