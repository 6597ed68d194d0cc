//! Asking staff for a site, and telling them "I saw something": pages of the gateway's own, under its own address.
//!
//! A refusal page leads here by a link. Each form carries a token that only this gateway can make (`ask.rs`), and is taken only
//! where the browser says that it was sent from here (RFC 6454 §7): no other site's script can read the one or send the other.

use crate::ask::{Ask, Saw, tidy};
use crate::pages::{self, Desk, Heard, Showing, Shown, Told, Visit, authority_of, host_of};
use crate::refusal::{ASK, SAW, SAW_SOMETHING, may_ask};
use crate::young::{Frame, Voice, said, shown};
use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use blocklists::Domain;
use chrono::{DateTime, Utc};
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "young/telling.html")]
struct TellingPage<'a> {
    frame: Frame,
    host: Option<&'a str>,
    line: &'a str,
    action: String,
    token: String,
    label: &'static str,
    button: &'static str,
}

/// What the token of an ask for more time is made for, in place of a host: no host has a space.
pub(crate) const MORE_TIME: &str = "more time";

/// What an ask is about.
#[derive(serde::Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    host: String,
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

/// What a page says: the keys of its heading and of its lines.
type Said = (&'static str, &'static [&'static str]);

const TOO_OLD: Said = ("wrong", &["wrong.old"]);
const NOT_KEPT: Said = ("wrong", &["wrong.kept"]);
const ELSEWHERE: Said = ("wrong", &["wrong.elsewhere"]);
const ASKED: Said = ("ask.done", &["ask.done.1", "ask.done.2"]);
const ASKED_OFTEN: Said = ("ask.often", &["ask.often.1", "ask.often.2"]);
const TOLD: Said = ("saw.done", &["saw.done.1", "saw.done.2"]);
const TOLD_OFTEN: Said = ("ask.often", &["saw.often.1", "saw.often.2"]);
const NOT_NEEDED: Said = ("ask", &["ask.not_needed"]);
const NO_SITE: Said = ("ask", &["ask.no_site"]);
const WHO: Said = ("ask", &["ask.who"]);

/// The form that tells of something upsetting is good for as long as the gateway runs: while its clock is being set, hours
/// say nothing, and nobody is sent away then.
const ALWAYS: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The host that somebody typed or that a refusal page names; none where it is none. People copy a whole address.
fn host_of_typed(typed: &str) -> Option<String> {
    let bare = typed.trim();
    let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let host = bare.split(['/', '?', '#']).next().unwrap_or_default().to_lowercase();
    let known = host.parse::<std::net::IpAddr>().is_ok() || Domain::parse(&host).is_ok();
    known.then_some(host)
}

/// The page that asks for a site.
pub(crate) async fn ask(
    State(desk): State<Desk>,
    peer: ConnectInfo<SocketAddr>,
    token: Shown,
    Query(about): Query<About>,
    request: Request,
) -> Response<Body> {
    if !is_ours(&desk, request.uri(), request.headers()) {
        return pages::visited(State(desk), peer, token, request).await;
    }
    let v = Voice::of(request.uri(), request.headers());
    let host = host_of_typed(&about.host);
    let visit = visit_of(&desk, peer.0, &token, host.as_deref().unwrap_or_default());
    if visit.current.snapshot.house.agreement(visit.who).is_none() {
        return said(StatusCode::NOT_FOUND, v, &visit, WHO);
    }
    if host.is_none() {
        return said(StatusCode::NOT_FOUND, v, &visit, NO_SITE);
    }
    if !may_ask(&visit.current, visit.who, &visit.explanation) {
        return said(StatusCode::NOT_FOUND, v, &visit, NOT_NEEDED);
    }
    form(&TellingPage {
        frame: Frame::of(v, &visit, ASK, v.say("ask")),
        host: Some(&visit.explanation.host),
        line: &visit.explanation.to_you,
        action: v.link(ASK),
        token: desk.refusals.key().token(&visit.explanation.person, &visit.explanation.host, visit.at),
        label: v.say("ask.why"),
        button: v.say("ask"),
    })
}

/// The page that tells staff of something upsetting.
pub(crate) async fn see(
    State(desk): State<Desk>,
    peer: ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    if !is_ours(&desk, request.uri(), request.headers()) {
        return pages::visited(State(desk), peer, token, request).await;
    }
    let v = Voice::of(request.uri(), request.headers());
    let visit = visit_of(&desk, peer.0, &token, "");
    let person = visit.current.snapshot.house.agreement(visit.whose);
    let tell = person.and_then(|person| person.tell_someone.as_deref());
    form(&TellingPage {
        frame: Frame::of(v, &visit, SAW, v.say("saw")),
        host: None,
        line: tell.unwrap_or(v.say("saw.tell")),
        action: v.link(SAW),
        token: desk.refusals.key().token(teller(&visit), SAW_SOMETHING, ALWAYS),
        label: v.say("saw.label"),
        button: v.say("saw.go"),
    })
}

/// Takes an ask.
pub(crate) async fn asked(
    State(desk): State<Desk>,
    peer: ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    if !is_ours(&desk, request.uri(), request.headers()) {
        return pages::visited(State(desk), peer, token, request).await;
    }
    let v = Voice::of(request.uri(), request.headers());
    let sent_here = is_sent_from_here(request.uri(), request.headers());
    let Ok(axum::Form(form)) = axum::Form::<AskForm>::from_request(request, &()).await else {
        return said(StatusCode::BAD_REQUEST, v, &visit_of(&desk, peer.0, &token, ""), TOO_OLD);
    };
    let visit = visit_of(&desk, peer.0, &token, &form.host);
    let about = if form.host.is_empty() { MORE_TIME.to_owned() } else { form.host.clone() };
    let person = visit.explanation.person.clone();
    let is_made_here = desk.refusals.key().accepts(&form.token, &person, &about, visit.at);
    let ask = Told::Ask(Ask { person, host: form.host, words: tidy(&form.words) });
    take(&desk, (&visit, v), (is_made_here, sent_here), ask).await
}

/// Who tells: whose device it is, whatever the clock. Somebody whom nobody here knows may tell, too.
fn teller(visit: &Visit) -> &str {
    visit.current.snapshot.house.agreement(visit.whose).map_or("nobody", |person| &person.id)
}

/// Takes a report.
pub(crate) async fn saw(
    State(desk): State<Desk>,
    peer: ConnectInfo<SocketAddr>,
    token: Shown,
    request: Request,
) -> Response<Body> {
    if !is_ours(&desk, request.uri(), request.headers()) {
        return pages::visited(State(desk), peer, token, request).await;
    }
    let v = Voice::of(request.uri(), request.headers());
    let sent_here = is_sent_from_here(request.uri(), request.headers());
    let visit = visit_of(&desk, peer.0, &token, "");
    let Ok(axum::Form(form)) = axum::Form::<SawForm>::from_request(request, &()).await else {
        return said(StatusCode::BAD_REQUEST, v, &visit, TOO_OLD);
    };
    let teller = teller(&visit);
    let is_made_here = desk.refusals.key().accepts(&form.token, teller, SAW_SOMETHING, ALWAYS);
    let saw = Told::Saw(Saw { person: teller.to_owned(), words: tidy(&form.words) });
    take(&desk, (&visit, v), (is_made_here, sent_here), saw).await
}

fn form(page: &TellingPage<'_>) -> Response<Body> {
    shown(StatusCode::OK, page)
}

/// Whether a request is for the gateway itself. Under any other name it is that name's, whatever the path.
pub(crate) fn is_ours(desk: &Desk, uri: &Uri, headers: &HeaderMap) -> bool {
    authority_of(uri, headers).is_some_and(|authority| desk.visitors.is_own(&host_of(&authority)))
}

/// Whether a form was sent from a page of this very address. Browsers say so with every form; a program that says nothing is no
/// other site's script.
pub(crate) fn is_sent_from_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let here = authority_of(uri, headers).map(|authority| format!("http://{authority}"));
    here.is_some_and(|here| origin.as_bytes().eq_ignore_ascii_case(here.as_bytes()))
}

pub(crate) fn visit_of(desk: &Desk, peer: SocketAddr, token: &Shown, host: &str) -> Visit {
    let token = token.as_ref().map(|Extension(token)| token.0.as_str());
    desk.visitors.visit(peer.ip(), token, host, "/", Showing::Nothing)
}

/// Takes what somebody tells, if the form was made here for them and sent from here.
async fn take(
    desk: &Desk,
    (visit, v): (&Visit, Voice),
    (is_made_here, sent_here): (bool, bool),
    told: Told,
) -> Response<Body> {
    if !sent_here {
        return said(StatusCode::FORBIDDEN, v, visit, ELSEWHERE);
    }
    if !is_made_here {
        return said(StatusCode::FORBIDDEN, v, visit, TOO_OLD);
    }
    let (done, often) = match told {
        Told::Ask(_) => (ASKED, ASKED_OFTEN),
        Told::Saw(_) => (TOLD, TOLD_OFTEN),
    };
    match desk.visitors.tell(told).await {
        Heard::Kept => said(StatusCode::OK, v, visit, done),
        Heard::Often => said(StatusCode::TOO_MANY_REQUESTS, v, visit, often),
        Heard::NotKept => said(StatusCode::SERVICE_UNAVAILABLE, v, visit, NOT_KEPT),
    }
}
