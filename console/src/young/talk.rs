//! Whom I can talk to, always.

use super::{Frame, Voice, Whose, shown};
use crate::contacts::{self, Contact};
use crate::pages::Visit;
use crate::refusal::{SAW, TALK};
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use blocklists::builtin::Topic;

#[derive(Template)]
#[template(path = "young/talk.html")]
struct TalkPage<'a> {
    frame: Frame,
    tell: String,
    saw: String,
    first: Vec<Contact<'a>>,
    /// Whom the home has added.
    own: Vec<Contact<'a>>,
    /// Everybody else, by what they help with.
    about: Vec<(&'static str, Vec<Contact<'a>>)>,
}

/// [`TALK`].
pub(crate) fn page(visit: &Visit, v: Voice) -> Response<Body> {
    let home = visit.current.snapshot.house.home();
    let own = Whose::of(visit).own();
    let page = TalkPage {
        frame: Frame::of(v, visit, TALK, v.say("talk")),
        tell: own.and_then(|person| person.tell_someone.clone()).unwrap_or_default(),
        saw: v.link(SAW),
        first: contacts::first(home).collect(),
        own: contacts::own(home).collect(),
        about: Topic::ALL.map(|topic| (with(topic, v), contacts::about(home, topic).collect())).into(),
    };
    shown(StatusCode::OK, &page)
}

/// What somebody helps with, in words.
fn with(topic: Topic, v: Voice) -> &'static str {
    match topic {
        Topic::Mind => v.say("talk.mind"),
        Topic::Safe => v.say("talk.safe"),
        Topic::Rights => v.say("talk.rights"),
        Topic::Family => v.say("talk.family"),
        Topic::Drugs => v.say("talk.drugs"),
        Topic::Love => v.say("talk.love"),
        Topic::Body => v.say("talk.body"),
    }
}
