//! Whom I can talk to, always.

use super::{Frame, Voice, Whose, shown};
use crate::pages::Visit;
use crate::refusal::{Contact, SAW, contacts};
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

#[derive(Template)]
#[template(path = "young/talk.html")]
struct TalkPage<'a> {
    frame: Frame,
    tell: String,
    saw: String,
    contacts: Vec<Contact<'a>>,
}

/// `/talk`.
pub(crate) fn page(visit: &Visit, v: Voice) -> Response<Body> {
    let own = Whose::of(visit).own();
    let page = TalkPage {
        frame: Frame::of(v, visit, "/talk", v.say("talk")),
        tell: own.and_then(|person| person.tell_someone.clone()).unwrap_or_default(),
        saw: v.link(SAW),
        contacts: contacts(visit.current.snapshot.house.home()),
    };
    shown(StatusCode::OK, &page)
}
