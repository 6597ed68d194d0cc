//! The young person's pages: what is open now, my week, my minutes, my agreement, what is written down, whom I can talk to.
//!
//! They stand at the gateway's own address, and whose they are is told by the device. They work without JavaScript; with it
//! the countdown counts. On a device that several share nothing about one person is shown.

pub(crate) mod agreed;
pub(crate) mod first;
pub(crate) mod line;
pub(crate) mod now;
pub(crate) mod pin;
pub(crate) mod policy;
pub(crate) mod recorded;
pub(crate) mod show;
mod talk;
pub(crate) mod terms;
mod voice;
pub(crate) mod week;

pub(crate) use now::KIND;
pub(crate) use recorded::{NOTE, note};
pub(crate) use voice::Voice;

use self::line::{Line, Part};
use crate::pages::{Desk, Visit};
use crate::refusal::{Form, TALK};
use agreements::{Person, PersonKind};
use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};

pub(crate) const STYLE: &str =
    concat!(include_str!("../../templates/page.css"), include_str!("../../templates/young/young.css"));
const SCRIPT_TEXT: &str = include_str!("../../templates/young/young.js");
/// Where the pages' script stands.
pub const SCRIPT: &str = "/hearthgate/page.js";

/// Whose device a page is shown on.
pub(crate) enum Whose<'a> {
    /// Nobody's who is known here.
    Nobody,
    /// Several people's: nothing about one of them is shown.
    Shared(&'a Person),
    /// Somebody's own.
    Own(&'a Person),
}

impl<'a> Whose<'a> {
    pub(crate) fn of(visit: &'a Visit) -> Self {
        match visit.current.snapshot.house.agreement(visit.who) {
            None => Self::Nobody,
            Some(person) if person.kind == PersonKind::Device => Self::Shared(person),
            Some(person) => Self::Own(person),
        }
    }

    /// The person whose own device it is.
    pub(crate) fn own(&self) -> Option<&'a Person> {
        match self {
            Self::Own(person) => Some(person),
            Self::Nobody | Self::Shared(_) => None,
        }
    }
}

/// A page of a young person's, by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Now,
    Week,
    Agreement,
    Recorded,
    Talk,
}

/// All of them, as the navigation has them.
pub(crate) const PAGES: [Page; 5] = [Page::Now, Page::Week, Page::Agreement, Page::Recorded, Page::Talk];

impl Page {
    /// Its address, and what its tab is called.
    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Now => ("/", "tab.now"),
            Self::Week => ("/week", "tab.week"),
            Self::Agreement => ("/agreement", "tab.agreement"),
            Self::Recorded => ("/recorded", "tab.recorded"),
            Self::Talk => (TALK, "tab.talk"),
        }
    }

    /// Its address.
    pub(crate) const fn path(self) -> &'static str {
        self.place().0
    }

    /// The page at an address.
    fn at(path: &str) -> Option<Self> {
        let path = if path.is_empty() { "/" } else { path };
        PAGES.into_iter().find(|page| page.path() == path)
    }
}

/// A page's surroundings.
pub(crate) struct Frame {
    pub(crate) v: Voice,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) home: String,
    pub(crate) title: String,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) choices: Vec<(&'static str, String)>,
}

/// A page of the navigation.
pub(crate) struct Tab {
    pub(crate) href: String,
    pub(crate) label: &'static str,
    pub(crate) here: bool,
}

impl Frame {
    /// The frame of a page at an address.
    pub(crate) fn of(v: Voice, visit: &Visit, path: &str, title: impl Into<String>) -> Self {
        let tabs: &[Page] = match Whose::of(visit) {
            Whose::Nobody => &[Page::Now, Page::Talk],
            Whose::Shared(_) => &[Page::Now, Page::Week, Page::Talk],
            Whose::Own(_) => &PAGES,
        };
        let tab = |page: &Page| {
            let (href, label) = page.place();
            Tab { href: v.link(href), label: v.say(label), here: href == path }
        };
        Self {
            v,
            style: STYLE,
            script: SCRIPT,
            home: visit.current.snapshot.house.home().name.clone(),
            title: title.into(),
            tabs: tabs.iter().map(tab).collect(),
            choices: v.choices(path),
        }
    }
}

#[derive(Template)]
#[template(path = "young/said.html")]
struct SaidPage {
    frame: Frame,
    lines: Vec<&'static str>,
    /// What they wrote and is not kept, and what stands before it.
    typed: Option<(&'static str, Line)>,
}

/// A page of the gateway's own, by its address.
pub(crate) async fn page(desk: &Desk, visit: Visit, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let v = Voice::of(uri, headers);
    let (visit, shared) = pin::signed_in(desk, visit, headers).await;
    let mut response = match Page::at(uri.path()) {
        Some(Page::Now) => now::page(desk, &visit, v, shared.is_some()).await,
        Some(Page::Week) => week::page(&visit, v),
        Some(Page::Agreement) => agreed::page(&visit, v),
        Some(Page::Recorded) => recorded::page(desk, &visit, v, uri).await,
        Some(Page::Talk) => talk::page(&visit, v),
        None => said(StatusCode::NOT_FOUND, v, &visit, ("missing", &["missing.1"])),
    };
    if let Some(shared) = shared {
        pin::stays(desk, &visit, &shared, &mut response).await;
    }
    response
}

/// A page that says something in a few lines.
pub(crate) fn said(status: StatusCode, v: Voice, visit: &Visit, says: (&str, &[&str])) -> Response<Body> {
    given_back(status, v, visit, says, "")
}

/// The same with what they wrote, where it was not kept: nobody writes it twice.
pub(crate) fn given_back(
    status: StatusCode,
    v: Voice,
    visit: &Visit,
    (heading, lines): (&str, &[&str]),
    words: &str,
) -> Response<Body> {
    let frame = Frame::of(v, visit, "/", v.say(heading));
    let lines = lines.iter().map(|key| v.say(key)).collect();
    let typed = (!words.trim().is_empty()).then(|| (v.say("wrong.typed"), Part::of_them(v, words).into()));
    shown(status, &SaidPage { frame, lines, typed })
}

/// A rendered page.
pub(crate) fn shown(status: StatusCode, page: &impl Template) -> Response<Body> {
    const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    // Rendering writes into a string, which cannot fail.
    let mut response = crate::pages::respond(status, Form::Html, page.render().unwrap_or_default());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    response
}

/// The pages' script: it counts down, and nothing else.
pub(crate) fn script() -> Response<Body> {
    let mut response = Response::new(Body::from(SCRIPT_TEXT));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod reading;
#[cfg(test)]
pub(crate) mod tests;
