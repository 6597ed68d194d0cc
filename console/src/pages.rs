//! The pages listener: refusal pages for names that were answered with the gateway's address, and the gateway's own pages.

use crate::ask::{Ask, Saw};
use crate::refusal::{ASK, Form, Refusals, SAW};
use crate::telling;
use crate::young;
use agreements::{Explanation, PersonId};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Extension, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::routing::{MethodRouter, get, post};
use chrono::{DateTime, Utc};
use records::{Current, Face, Records};
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
    /// Whose rules hold.
    pub who: PersonId,
    /// Whose device it is. The same, save while the clock is not believed and everybody has the baseline.
    pub whose: PersonId,
    /// What the device is told apart by: several can have one agreement.
    pub face: Face,
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

/// Whether somebody's PIN is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is this person's, by id.
    As(String),
    /// Nobody has that name with that PIN.
    Wrong,
    /// There were too many tries, at whatever page: nobody may try for a while.
    Often,
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

    /// Whether a PIN that somebody typed at an address is theirs.
    fn knows_pin(
        &self,
        address: IpAddr,
        name: String,
        pin: String,
    ) -> Pin<Box<dyn Future<Output = Known> + Send + '_>>;

    /// What tells somebody's PIN (by id) from another that they had before, and says nothing of it; none where they have none.
    fn pin_mark(&self, person: String) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;

    /// In what form the client wants a refusal, by its `Accept` header (RFC 9110 §12.5.1): the proxy's rule is everybody's.
    fn form(&self, headers: &HeaderMap) -> Form;

    /// Whether a host is the gateway's own name or address.
    fn is_own(&self, host: &str) -> bool;

    /// The home's records, for what is somebody's own.
    fn records(&self) -> &Arc<Records>;
}

#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) visitors: Arc<dyn Visitors>,
    /// Whose turn it is on the devices that several share.
    pub(crate) turns: Arc<young::pin::Turns>,
}

pub(crate) type Shown = Option<Extension<Token>>;

/// Where forms of the pages are shown or sent to. Every other address of the gateway's own is one of [`young::PAGES`].
fn routes() -> Vec<(&'static str, MethodRouter<Desk>)> {
    vec![
        (ASK, get(telling::ask).post(telling::asked)),
        (SAW, get(telling::see).post(telling::saw)),
        (young::NOTE, post(young::note)),
        (young::first::FIRST, post(young::first::seen)),
        (young::policy::POLICY, get(young::policy::show)),
        (young::show::SHOW, post(young::show::answer)),
        (young::pin::ME, post(young::pin::enter)),
    ]
}

/// The addresses of the young person's pages, and of what their forms are sent to: for whoever looks at each of them, like the
/// tests with a browser.
pub fn addresses() -> Vec<&'static str> {
    let pages = young::PAGES.iter().map(|page| page.path());
    pages.chain(routes().into_iter().map(|(path, _)| path)).collect()
}

/// The routes of the pages listener. Whatever is not for the gateway itself is a visit to a refused host.
///
/// It needs the client's address: serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or put
/// [`ConnectInfo`] into the request's extensions.
pub fn router(refusals: Arc<Refusals>, visitors: Arc<dyn Visitors>) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods.fallback(visited));
    }
    router.fallback(visited).layer(DefaultBodyLimit::max(8 * 1024)).with_state(Desk {
        refusals,
        visitors,
        turns: Arc::default(),
    })
}

pub(crate) async fn visited(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    let authority = authority_of(request.uri(), request.headers());
    let host = authority.as_ref().map(host_of).unwrap_or_default();
    let token = token.as_ref().map(|Extension(token)| token.0.as_str());
    if desk.visitors.is_own(&host) {
        if request.uri().path() == young::SCRIPT {
            return young::script();
        }
        let visit = desk.visitors.visit(peer.ip(), token, &host, "/", Showing::Nothing);
        return young::page(&desk, visit, request.uri(), request.headers()).await;
    }
    let visit = desk.visitors.visit(
        peer.ip(),
        token,
        &host,
        request.uri().path(),
        Showing::Refusal(request.method(), request.headers()),
    );
    let form = desk.visitors.form(request.headers());
    refused(&desk, &visit, form, request.headers().get(header::ACCEPT_LANGUAGE))
}

fn refused(desk: &Desk, visit: &Visit, form: Form, language: Option<&HeaderValue>) -> Response<Body> {
    let as_asked = (form, language);
    let body = desk.refusals.render(&visit.current, visit.who, &visit.explanation, as_asked, visit.at);
    if visit.explanation.verdict == agreements::Outcome::Allow {
        // The name was refused a moment ago and its answer is still remembered by the device; it lapses in seconds.
        let mut response = respond(StatusCode::SERVICE_UNAVAILABLE, form, body);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    }
    respond(StatusCode::FORBIDDEN, form, body)
}

/// The host and port that the device asked: the URI's in absolute form, else the `Host` header's.
pub(crate) fn authority_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    match uri.authority() {
        Some(authority) => Some(authority.clone()),
        None => headers.get(header::HOST)?.to_str().ok()?.parse().ok(),
    }
}

/// The host alone.
pub(crate) fn host_of(authority: &Authority) -> String {
    authority.host().trim_matches(['[', ']']).to_ascii_lowercase()
}

pub(crate) fn respond(status: StatusCode, form: Form, body: String) -> Response<Body> {
    const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, form.content_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        // A form has to show where it comes from (`telling`): without a referrer its origin would be hidden too.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
