//! Asking staff for a site, and telling them "I saw something": pages of the gateway's own, under its own address.
//!
//! A refusal page leads here by a link. Each form carries a token that only this gateway can make (`ask.rs`), and is taken only
//! where the browser says that it was sent from here (RFC 6454 §7): no other site's script can read the one or send the other.

use crate::ask::{Ask, Saw, tidy};
use crate::pages::{self, Desk, Heard, Showing, Shown, Told, Visit, answer, authority_of, host_of, respond};
use crate::refusal::{ASK, Form, SAW, SAW_SOMETHING, STYLE, may_ask, tell_someone};
use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "telling.html")]
struct TellingPage<'a> {
    style: &'static str,
    home: &'a str,
    heading: &'static str,
    host: Option<&'a str>,
    line: &'a str,
    action: &'static str,
    token: String,
    label: &'static str,
    button: &'static str,
}

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

const ELSEWHERE: &[&str] =
    &["This form did not come from the gateway's own page. Load the page again, and try from there."];
const NOT_NEEDED: &[&str] =
    &["There is nothing to ask for here: it is open, or nobody in the home can open it."];
const WHO: &[&str] = &[
    "The gateway does not know whose device this is, so staff would not know whom to answer. Please go and find whoever is on shift.",
];

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
    let visit = visit_of(&desk, peer.0, &token, &about.host);
    let home = &visit.current.snapshot.house.home().name;
    if !may_ask(&visit.current, visit.who, &visit.explanation) {
        let known = visit.current.snapshot.house.agreement(visit.who).is_some();
        return answer(StatusCode::NOT_FOUND, home, "Ask staff", if known { NOT_NEEDED } else { WHO });
    }
    form(&TellingPage {
        style: STYLE,
        home,
        heading: "Ask staff",
        host: Some(&visit.explanation.host),
        line: &visit.explanation.to_you,
        action: ASK,
        token: desk.refusals.key().token(&visit.explanation.person, &visit.explanation.host, visit.at),
        label: "Say why, if you want to",
        button: "Ask staff",
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
    let visit = visit_of(&desk, peer.0, &token, "");
    let house = &visit.current.snapshot.house;
    if house.agreement(visit.who).is_none() {
        return answer(StatusCode::NOT_FOUND, &house.home().name, "Tell staff", WHO);
    }
    form(&TellingPage {
        style: STYLE,
        home: &house.home().name,
        heading: "Saw something that upset you?",
        host: None,
        line: tell_someone(&visit.current, visit.who),
        action: SAW,
        token: desk.refusals.key().token(&visit.explanation.person, SAW_SOMETHING, visit.at),
        label: "You do not have to say what it was",
        button: "Tell staff",
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
    let sent_here = is_sent_from_here(request.uri(), request.headers());
    let Ok(axum::Form(form)) = axum::Form::<AskForm>::from_request(request, &()).await else {
        return unreadable(&visit_of(&desk, peer.0, &token, ""));
    };
    let visit = visit_of(&desk, peer.0, &token, &form.host);
    let (person, about) = (visit.explanation.person.clone(), form.host.clone());
    let ask = Told::Ask(Ask { person, host: form.host, words: tidy(&form.words) });
    take(&desk, &visit, (&form.token, &about, sent_here), ask, ("You have asked", ASKED)).await
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
    let sent_here = is_sent_from_here(request.uri(), request.headers());
    let visit = visit_of(&desk, peer.0, &token, "");
    let Ok(axum::Form(form)) = axum::Form::<SawForm>::from_request(request, &()).await else {
        return unreadable(&visit);
    };
    let saw = Told::Saw(Saw { person: visit.explanation.person.clone(), words: tidy(&form.words) });
    let about = (form.token.as_str(), SAW_SOMETHING, sent_here);
    take(&desk, &visit, about, saw, ("Staff have been told", TOLD)).await
}

fn form(page: &TellingPage<'_>) -> Response<Body> {
    // Rendering writes into a string, which cannot fail.
    respond(StatusCode::OK, Form::Html, page.render().unwrap_or_default())
}

fn unreadable(visit: &Visit) -> Response<Body> {
    answer(StatusCode::BAD_REQUEST, &visit.current.snapshot.house.home().name, "That did not work", TOO_OLD)
}

/// Whether a request is for the gateway itself. Under any other name it is that name's, whatever the path.
fn is_ours(desk: &Desk, uri: &Uri, headers: &HeaderMap) -> bool {
    authority_of(uri, headers).is_some_and(|authority| desk.visitors.is_own(&host_of(&authority)))
}

/// Whether a form was sent from a page of this very address. Browsers say so with every form; a program that says nothing is no
/// other site's script.
fn is_sent_from_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let here = authority_of(uri, headers).map(|authority| format!("http://{authority}"));
    here.is_some_and(|here| origin.as_bytes().eq_ignore_ascii_case(here.as_bytes()))
}

fn visit_of(desk: &Desk, peer: SocketAddr, token: &Shown, host: &str) -> Visit {
    let token = token.as_ref().map(|Extension(token)| token.0.as_str());
    desk.visitors.visit(peer.ip(), token, host, "/", Showing::Nothing)
}

/// Takes what somebody tells, if the form was made here for them and sent from here.
async fn take(
    desk: &Desk,
    visit: &Visit,
    (token, about, sent_here): (&str, &str, bool),
    told: Told,
    done: (&str, &[&str]),
) -> Response<Body> {
    let home = &visit.current.snapshot.house.home().name;
    if !sent_here {
        return answer(StatusCode::FORBIDDEN, home, "That did not work", ELSEWHERE);
    }
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
