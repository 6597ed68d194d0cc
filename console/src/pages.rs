//! The pages listener: refusal pages for names that were answered with the gateway's address, and the asks.

use crate::ask::{Ask, tidy};
use crate::refusal::{Form, Refusals};
use agreements::{Explanation, PersonId};
use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use chrono::{DateTime, Utc};
use records::Current;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

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

/// Whether a visit shows the refusal page. Only then is it evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// The refusal page is shown: the program records a refusal as a navigation.
    Refusal,
    /// Something else (an ask): nothing is recorded.
    Nothing,
}

/// Tells who is behind an address and judges the host and path.
pub type Visiting = Arc<dyn Fn(IpAddr, &str, &str, Showing) -> Visit + Send + Sync>;
/// Keeps an ask; `false` when it could not be kept.
pub type Asking = Arc<dyn Fn(Ask) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

#[derive(Clone)]
struct Desk {
    refusals: Arc<Refusals>,
    visit: Visiting,
    ask: Asking,
}

#[derive(Template)]
#[template(path = "asked.html")]
struct AskedPage<'a> {
    style: &'static str,
    home: &'a str,
    heading: &'a str,
    lines: &'a [&'a str],
}

/// The routes of the pages listener. Whatever is not an ask is a visit to a refused host.
///
/// It needs the client's address: serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or put
/// [`ConnectInfo`] into the request's extensions.
pub fn router(refusals: Arc<Refusals>, visit: Visiting, ask: Asking) -> Router {
    Router::new()
        .route("/hearthgate/ask", post(asked))
        .fallback(refused)
        .layer(DefaultBodyLimit::max(8 * 1024))
        .with_state(Desk { refusals, visit, ask })
}

async fn refused(State(desk): State<Desk>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response<Body> {
    let host = host_of(&request).unwrap_or_default();
    let visit = (desk.visit)(peer.ip(), &host, request.uri().path(), Showing::Refusal);
    let form = form_of(request.headers());
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

async fn asked(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    axum::Form(form): axum::Form<AskForm>,
) -> Response<Body> {
    let visit = (desk.visit)(peer.ip(), &form.host, "/", Showing::Nothing);
    let home = &visit.current.snapshot.house.home().name;
    let person = visit.explanation.person.clone();
    if !desk.refusals.key().accepts(&form.token, &person, &form.host, visit.at) {
        let lines = ["This form is too old. Go back, load the page again, and ask once more."];
        return answer(StatusCode::FORBIDDEN, home, "That did not work", &lines);
    }
    let ask = Ask { person, host: form.host, words: tidy(&form.words) };
    if (desk.ask)(ask).await {
        let lines = ["Staff can see it now. You can also go and find whoever is on shift.", "When they say yes, just load the page again."];
        return answer(StatusCode::OK, home, "You have asked", &lines);
    }
    let lines = ["The gateway could not keep your ask. Please tell whoever is on shift: it is not your fault."];
    answer(StatusCode::SERVICE_UNAVAILABLE, home, "That did not work", &lines)
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

/// The form that the client prefers, by its `Accept` header (RFC 9110 §12.5.1, without weights: the first known wins).
fn form_of(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("text/html");
    accept
        .split(',')
        .find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
            "text/html" | "application/xhtml+xml" => Some(Form::Html),
            "application/json" => Some(Form::Json),
            "text/plain" => Some(Form::Text),
            _ => None,
        })
        .unwrap_or(Form::Html)
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
