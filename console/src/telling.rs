//! Asking staff for a site, and telling them "I saw something": pages of the gateway's own, under its own address.
//!
//! A refusal page leads here by a link. Each form carries a token that only this gateway can make (`ask.rs`), and is taken only
//! where it was sent from here (`sent.rs`): no other site's script can read the one or send the other.

use crate::ask::{Ask, Saw, tidy};
use crate::pages::{Desk, Heard, Told, Visit};
use crate::refusal::{ASK, SAW, SAW_SOMETHING, may_ask, sentence};
use crate::sent::{Here, Sent};
use crate::young::line::{Line, Part};
use crate::young::pin::{signed_in, stays};
use crate::young::{Frame, Voice, given_back, said, shown};
use agreements::{PersonKind, Role};
use askama::Template;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, StatusCode};
use blocklists::Domain;
use chrono::{DateTime, Utc};

#[derive(Template)]
#[template(path = "young/telling.html")]
struct TellingPage<'a> {
    frame: Frame,
    host: Option<&'a str>,
    line: Line,
    action: String,
    token: String,
    label: &'static str,
    button: &'static str,
    /// With whom they may want to talk, by id and name; none where nobody is asked for.
    adults: Vec<(String, String)>,
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
pub(crate) struct AskForm {
    host: String,
    token: String,
    #[serde(default)]
    words: String,
}

#[derive(serde::Deserialize)]
pub(crate) struct SawForm {
    token: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    adult: String,
}

/// What a page says: the keys of its heading and of its lines.
type Said = (&'static str, &'static [&'static str]);

const TOO_OLD: Said = ("wrong", &["wrong.old"]);
const NOT_KEPT: Said = ("wrong", &["wrong.kept"]);
const ASKED: Said = ("ask.done", &["ask.done.1", "ask.done.2", "ask.done.3"]);
const DEVICE_ASKED: Said = ("ask.done", &["ask.done.1", "ask.done.2", "shared.who"]);
const ASKED_OFTEN: Said = ("ask.often", &["ask.often.1", "ask.often.2"]);
const TOLD: Said = ("saw.done", &["saw.done.1", "saw.done.2"]);
const DEVICE_TOLD: Said = ("saw.done", &["saw.done.1", "shared.who", "saw.done.2"]);
const TOLD_OFTEN: Said = ("ask.often", &["saw.often.1", "saw.often.2"]);
const NOT_NEEDED: Said = ("ask", &["ask.not_needed"]);
const NOT_NEEDED_HERE: Said = ("ask", &["ask.not_needed", "ask.shared"]);
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
pub(crate) async fn ask(State(desk): State<Desk>, here: Here, Query(about): Query<About>) -> Response<Body> {
    let v = here.v;
    let host = host_of_typed(&about.host);
    let visit = here.visit(&desk, host.as_deref().unwrap_or_default());
    let (visit, shared) = signed_in(&desk, visit, &here.headers).await;
    if visit.current.snapshot.house.agreement(visit.who).is_none() {
        return said(StatusCode::NOT_FOUND, v, &visit, WHO);
    }
    if host.is_none() {
        return said(StatusCode::NOT_FOUND, v, &visit, NO_SITE);
    }
    if !may_ask(&visit.current, visit.who, &visit.explanation) {
        let not_needed = if shared.is_some() { NOT_NEEDED_HERE } else { NOT_NEEDED };
        return said(StatusCode::NOT_FOUND, v, &visit, not_needed);
    }
    let page = TellingPage {
        frame: Frame::of(v, &visit, ASK, v.say("ask")),
        host: Some(&visit.explanation.host),
        line: Part::ours(sentence(&visit.explanation, v)).into(),
        action: v.link(ASK),
        token: desk.refusals.key().token(&visit.explanation.person, &visit.explanation.host, visit.at),
        label: v.say("ask.why"),
        button: v.say("ask"),
        adults: Vec::new(),
    };
    form(&desk, (&visit, shared), &page).await
}

/// The page that tells staff of something upsetting.
pub(crate) async fn see(State(desk): State<Desk>, here: Here) -> Response<Body> {
    let v = here.v;
    let visit = here.visit(&desk, "");
    // The form is the device's, and whoever is signed in when it is sent tells: where a turn ends meanwhile nothing is lost.
    let token = desk.refusals.key().token(teller(&visit), SAW_SOMETHING, ALWAYS);
    let (visit, shared) = signed_in(&desk, visit, &here.headers).await;
    let person = visit.current.snapshot.house.agreement(visit.whose);
    let tell = person.and_then(|person| person.tell_someone.as_deref());
    let page = TellingPage {
        frame: Frame::of(v, &visit, SAW, v.say("saw")),
        host: None,
        line: tell.map_or_else(|| Part::ours(v.say("saw.tell")), |tell| Part::of_home(v, tell)).into(),
        action: v.link(SAW),
        token,
        label: v.say("saw.label"),
        button: v.say("saw.go"),
        // Who works here is told to those who live here.
        adults: if person.is_some() { adults(&visit) } else { Vec::new() },
    };
    form(&desk, (&visit, shared), &page).await
}

/// Takes an ask.
pub(crate) async fn asked(State(desk): State<Desk>, Sent { here, form }: Sent<AskForm>) -> Response<Body> {
    let visit = here.visit(&desk, &form.host);
    let about = if form.host.is_empty() { MORE_TIME.to_owned() } else { form.host.clone() };
    let device = visit.explanation.person.clone();
    let (visit, _) = signed_in(&desk, visit, &here.headers).await;
    // A form that a refusal page led to is the device's: with a link from elsewhere no browser says who is signed in.
    let asks = [visit.explanation.person.clone(), device];
    let made_for = |person: &String| desk.refusals.key().accepts(&form.token, person, &about, visit.at);
    let person = asks.into_iter().find(made_for);
    let words = tidy(&form.words);
    let ask = person.map(|person| Told::Ask(Ask { person, host: form.host, words: words.clone() }));
    take(&desk, (&visit, here.v), ask, &words).await
}

/// Who tells: whose device it is or who is signed in on it, whatever the clock. Somebody whom nobody here knows may tell, too.
fn teller(visit: &Visit) -> &str {
    visit.current.snapshot.house.agreement(visit.whose).map_or("nobody", |person| &person.id)
}

/// Takes a report.
pub(crate) async fn saw(State(desk): State<Desk>, Sent { here, form }: Sent<SawForm>) -> Response<Body> {
    let visit = here.visit(&desk, "");
    let is_made_here = desk.refusals.key().accepts(&form.token, teller(&visit), SAW_SOMETHING, ALWAYS);
    let (visit, _) = signed_in(&desk, visit, &here.headers).await;
    let adult = adults(&visit).into_iter().map(|(id, _)| id).find(|id| *id == form.adult);
    let person = teller(&visit).to_owned();
    let device = (person == "nobody").then_some(visit.face);
    let words = tidy(&form.words);
    let saw = is_made_here.then(|| Told::Saw(Saw { person, device, words: words.clone(), adult }));
    take(&desk, (&visit, here.v), saw, &words).await
}

/// The adults of the home, by id and name.
fn adults(visit: &Visit) -> Vec<(String, String)> {
    let staff = visit.current.snapshot.house.home().staff.iter();
    let adults = staff.filter(|staff| matches!(staff.role, Role::Manager | Role::Staff));
    adults.map(|staff| (staff.id.clone(), staff.name.clone())).collect()
}

/// A page with a form. Whoever is signed in on a shared device has their ten minutes from then on.
async fn form(
    desk: &Desk,
    (visit, shared): (&Visit, Option<String>),
    page: &TellingPage<'_>,
) -> Response<Body> {
    let mut response = shown(StatusCode::OK, page);
    if let Some(shared) = shared {
        stays(desk, visit, &shared, &mut response).await;
    }
    response
}

/// Whether an agreement, by the person's id, is that of a device which several share: nobody can tell who it was.
fn is_shared(visit: &Visit, id: &str) -> bool {
    let house = &visit.current.snapshot.house;
    let agreement = house.person(id).and_then(|who| house.agreement(who));
    agreement.is_some_and(|agreement| agreement.kind == PersonKind::Device)
}

/// Takes what somebody tells; none where the form was not made here for them. What is not taken is given back.
async fn take(desk: &Desk, (visit, v): (&Visit, Voice), told: Option<Told>, words: &str) -> Response<Body> {
    let Some(told) = told else { return given_back(StatusCode::FORBIDDEN, v, visit, TOO_OLD, words) };
    let (done, often) = match &told {
        Told::Ask(ask) if is_shared(visit, &ask.person) => (DEVICE_ASKED, ASKED_OFTEN),
        Told::Ask(_) => (ASKED, ASKED_OFTEN),
        Told::Saw(saw) if is_shared(visit, &saw.person) => (DEVICE_TOLD, TOLD_OFTEN),
        Told::Saw(_) => (TOLD, TOLD_OFTEN),
    };
    match desk.visitors.tell(told).await {
        Heard::Kept => said(StatusCode::OK, v, visit, done),
        Heard::Often => given_back(StatusCode::TOO_MANY_REQUESTS, v, visit, often, words),
        Heard::NotKept => given_back(StatusCode::SERVICE_UNAVAILABLE, v, visit, NOT_KEPT, words),
    }
}
