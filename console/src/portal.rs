//! The page to sign in at, on a device that is nobody's own; and what a phone asks about it (RFC 8908).

use crate::pages::respond;
use crate::refusal::Form;
use crate::young::now::{counts_down, holds};
use crate::young::{self, SCRIPT, Voice};
use agreements::{PersonId, Rule};
use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use chrono::{DateTime, Utc};
use records::Current;
use serde::{Deserialize, Serialize};

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub enum Portal<'a> {
    /// The form to sign in with. `why` says what came of the last attempt.
    Form {
        /// What the form is sealed with.
        token: &'a str,
        /// Whether the device belongs to several, so that some things are open already.
        shared: bool,
        /// What came of the last attempt; nothing at first.
        slip: Option<Slip>,
    },
    /// Who is signed in.
    SignedIn {
        /// What the form to sign out with is sealed with.
        token: &'a str,
        /// Whose agreement holds.
        name: &'a str,
        /// What of it holds now, and for how long.
        stays: Stays<'a>,
    },
    /// The device is known as somebody's own: nobody signs in on it.
    Owned {
        /// Whose.
        name: &'a str,
    },
    /// Unknown devices do not sign in in this home.
    Elsewhere,
}

/// Somebody who is signed in, and what the time that is left to them is told from.
#[derive(Clone, Copy, Debug)]
pub struct Stays<'a> {
    /// What is in force.
    pub current: &'a Current,
    /// Whose rules hold.
    pub who: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// When they are signed out whatever happens.
    pub ends: Option<DateTime<Utc>>,
    /// The address of the gateway's own pages, without a slash at its end: the page to sign in at may stand at another port.
    pub pages: &'a str,
}

impl Stays<'_> {
    /// What holds until what, whichever comes first: the agreement's word, the day's minutes used up, being signed out.
    fn said(&self, v: Voice) -> Stay {
        let Stays { current, who, at, .. } = *self;
        let house = &current.snapshot.house;
        let left = house.left(who, at, &current.standing);
        let until = |key, ends| {
            let line = v.fill(key, &[("until", &v.when(ends, at, house.home().timezone))]);
            ("open", line, Some(ends))
        };
        let signed_out = self.ends.filter(|ends| left.open && left.until.is_none_or(|until| *ends < until));
        let (state, line, ends) = match (signed_out, left.until) {
            (Some(ends), _) => until("portal.until", ends),
            (None, Some(out)) if left.open && left.by == Some(Rule::Limit) => until("portal.minutes", out),
            (_, closes) => holds(current, (who, at), closes, v),
        };
        Stay {
            state,
            line,
            ends: ends.map(|ends| counts_down(ends, at, v)),
            now: at.timestamp(),
            pages: v.link(&format!("{}/", self.pages)),
        }
    }
}

/// The same in words.
struct Stay {
    /// How it is drawn.
    state: &'static str,
    line: String,
    /// When that ends, in seconds since 1970, and how long it is until then.
    ends: Option<(i64, String)>,
    now: i64,
    pages: String,
}

/// What somebody typed.
#[derive(Clone, Deserialize)]
pub struct Typed {
    /// What the form was sealed with.
    pub token: String,
    /// Their name.
    #[serde(default)]
    pub name: String,
    /// Their PIN.
    #[serde(default)]
    pub pin: String,
}

/// What a phone is told of the network that it is on (RFC 8908 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Captive {
    /// Whether it has to sign in first.
    pub captive: bool,
    /// Where.
    pub user_portal_url: String,
    /// For how long the internet stays open yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_remaining: Option<i64>,
    /// Nobody extends their time there: staff do.
    pub can_extend_session: bool,
}

/// How long the internet stays open for whoever holds a device, and whether it is time to say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeLeft {
    /// Whether it is open now.
    pub open: bool,
    /// When that changes, RFC 3339 in the home's zone.
    pub until: Option<String>,
    /// For how long it stays open yet.
    pub seconds_remaining: Option<i64>,
    /// The rule that closes it, now or then.
    pub by: Option<Rule>,
    /// 15 or 5, within so many minutes of the end.
    pub warning: Option<i64>,
}

impl TimeLeft {
    /// The answer to a device that asks.
    pub fn response(&self) -> Response<Body> {
        respond(StatusCode::OK, Form::Json, serde_json::to_string(self).unwrap_or_default())
    }
}

/// Why an attempt to sign in came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// The form was made too long ago, or elsewhere.
    TooOld,
    /// Nobody has that name with that PIN.
    Wrong,
    /// Too many try at the same moment.
    Busy,
    /// There were too many tries: it works again in so many minutes.
    Locked(u64),
}

impl Slip {
    fn said(self, v: Voice) -> String {
        match self {
            Self::TooOld => v.say("portal.old").to_owned(),
            Self::Wrong => v.say("portal.wrong").to_owned(),
            Self::Busy => v.say("portal.busy").to_owned(),
            Self::Locked(minutes) => v.fill("portal.locked", &[("n", &minutes.to_string())]),
        }
    }
}

#[derive(Template)]
#[template(path = "portal.html")]
struct PortalPage<'a> {
    style: &'static str,
    v: Voice,
    home: &'a str,
    title: String,
    lead: String,
    slip: String,
    /// The seal of the form to sign in, and of the form to sign out, where there is one.
    signs_in: Option<&'a str>,
    signs_out: Option<&'a str>,
    /// What holds for whoever is signed in.
    stays: Option<Stay>,
    choices: Vec<(&'static str, String)>,
}

/// Where people sign in.
pub const SIGN_IN: &str = "/sign-in";
/// Where they sign out.
pub const SIGN_OUT: &str = "/sign-out";

/// The page of sign-in as it speaks to whoever asked: to what a form of it leads, too.
pub fn sign_in_of(uri: &Uri, headers: &HeaderMap) -> String {
    Voice::of(uri, headers).link(SIGN_IN)
}

/// The page, in the words that a request asks for.
pub fn portal(
    home: &str,
    status: StatusCode,
    shows: Portal<'_>,
    (uri, headers): (&Uri, &HeaderMap),
) -> Response<Body> {
    let v = Voice::of(uri, headers);
    let (title, lead) = match shows {
        Portal::Form { shared, .. } => {
            let lead = if shared { "portal.lead.shared" } else { "portal.lead" };
            (v.say("sign_in").to_owned(), v.say(lead).to_owned())
        }
        Portal::SignedIn { name, .. } => {
            (v.fill("portal.in", &[("name", name)]), v.say("portal.in.lead").to_owned())
        }
        Portal::Owned { name } => {
            (v.say("portal.owned").to_owned(), v.fill("portal.owned.lead", &[("name", name)]))
        }
        Portal::Elsewhere => {
            (v.say("portal.elsewhere").to_owned(), v.say("portal.elsewhere.lead").to_owned())
        }
    };
    let (signs_in, signs_out, stays, slip) = match shows {
        Portal::Form { token, slip, .. } => (Some(token), None, None, slip),
        Portal::SignedIn { token, stays, .. } => (None, Some(token), Some(stays.said(v)), None),
        Portal::Owned { .. } | Portal::Elsewhere => (None, None, None, None),
    };
    let slip = slip.map(|slip| slip.said(v)).unwrap_or_default();
    let choices = v.choices(SIGN_IN);
    let style = young::STYLE;
    let page = PortalPage { style, v, home, title, lead, slip, signs_in, signs_out, stays, choices };
    young::shown(status, &page)
}

/// The way to the page.
pub fn to_portal(url: &str) -> Response<Body> {
    let body = format!("This device is not known here yet. Sign in at {url}\n");
    let mut response = respond(StatusCode::FOUND, Form::Text, body);
    if let Ok(url) = HeaderValue::try_from(url) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    response
}

impl Captive {
    /// The answer to a phone that asks.
    pub fn response(&self) -> Response<Body> {
        let body = serde_json::to_string(self).unwrap_or_default();
        let mut response = respond(StatusCode::OK, Form::Json, body);
        for (name, value) in
            [(header::CONTENT_TYPE, "application/captive+json"), (header::CACHE_CONTROL, "private, no-store")]
        {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::{Snapshot, Standing};
    use records::InForce;
    use std::sync::Arc;

    fn body(response: Response<Body>) -> String {
        let collected = axum::body::to_bytes(response.into_body(), 1 << 20);
        let bytes = futures_executor(collected);
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    /// A body in memory is there at once.
    fn futures_executor<F: Future>(future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("it waits for something"),
        }
    }

    #[test]
    fn what_a_phone_is_told() {
        let told = Captive {
            captive: false,
            user_portal_url: "https://dns.oakview.example/sign-in".to_owned(),
            seconds_remaining: Some(900),
            can_extend_session: false,
        };
        let response = told.response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/captive+json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-store");
        assert_eq!(
            body(response),
            r#"{"captive":false,"user-portal-url":"https://dns.oakview.example/sign-in","seconds-remaining":900,"can-extend-session":false}"#
        );
        let waiting = Captive { captive: true, seconds_remaining: None, ..told };
        assert!(!body(waiting.response()).contains("seconds-remaining"));
    }

    const HOME: &str = "home: Oakview House\ntimezone: Europe/London\n";
    const JO: &str = "person: Jo\nagreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28}\n  review_by: 2027-01-31\n  \
        young_person: {on: 2026-11-02}\n  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n  \
        home_manager: {name: R. Osei, on: 2026-11-02}\nonline: {every_day: 07:00-21:00}\nlimits: {everything: 4h}\n\
        otherwise: allow\nschool_hours: as_agreed\n";

    /// A home with Jo, who has used so many minutes today.
    fn jo(used: u16) -> (Arc<Current>, PersonId) {
        let files = [("home.yaml", HOME), ("agreements/jo.yaml", JO)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let reading = agreements::read(&files, "2026-11-22".parse().unwrap());
        let errors: Vec<_> =
            reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let house = reading.house;
        let (who, standing) = (house.person("jo").unwrap(), Standing::new(&house, &[], &[], &|_, _| used));
        let catalogue = Arc::new(blocklists::Catalogue::empty());
        let in_force = InForce::new(Arc::new(Snapshot { house, catalogue }), Arc::new(standing));
        (in_force.to_keep(), who)
    }

    #[test]
    fn whoever_is_signed_in_sees_how_long_until_what() {
        // A Sunday in winter: the home's clock shows the same.
        let at = |time: &str| format!("2026-11-22T{time}:00Z").parse::<DateTime<Utc>>().unwrap();
        for (now, used, ends, language, said, left) in [
            ("17:30", 0, None, "en", "The internet is open for you until 21:00.", "3 h 30 min to go"),
            (
                "17:30",
                0,
                Some("23:00"),
                "en",
                "The internet is open for you until 21:00.",
                "3 h 30 min to go",
            ),
            ("17:30", 0, Some("18:00"), "en", "You are signed in until 18:00.", "30 min to go"),
            ("17:30", 230, None, "en", "Your minutes last until 17:40 if you use each one.", "10 min to go"),
            ("17:30", 240, None, "en", "You have used today’s minutes.", "13 h 30 min to go"),
            ("22:00", 0, Some("22:30"), "en", "The internet is off for you until", "9 h to go"),
            ("17:30", 0, None, "cy", "Mae’r rhyngrwyd ar agor i ti tan 21:00.", "3 awr 30 mun i fynd"),
            ("17:30", 0, Some("18:00"), "cy", "Rwyt ti wedi mewngofnodi tan 18:00.", "30 mun i fynd"),
            ("17:30", 230, None, "cy", "Mae dy funudau’n para tan 17:40", "10 mun i fynd"),
        ] {
            let (current, who) = jo(used);
            let (now, ends) = (at(now), ends.map(at));
            let stays = Stays { current: &current, who, at: now, ends, pages: "http://hearthgate.home.arpa" };
            let shows = Portal::SignedIn { token: "t", name: "Jo", stays };
            let uri: Uri = format!("/sign-in?lang={language}").parse().unwrap();
            let response = portal("Oakview House", StatusCode::OK, shows, (&uri, &HeaderMap::new()));
            let csp = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            let page = body(response);
            let link = format!("href=\"http://hearthgate.home.arpa/?lang={language}\"");
            // What the script counts by.
            let counts = format!("data-now=\"{}\"", now.timestamp());
            for word in [said, left, &link, &counts, "<script src=\"/hearthgate/page.js\""] {
                assert!(page.contains(word), "{now} {used} {ends:?}: no {word} in {page}");
            }
            assert!(csp.contains("script-src 'self'"), "{csp}");
        }
    }

    #[test]
    fn what_the_page_shows() {
        let (current, who) = jo(0);
        let stays = Stays { current: &current, who, at: DateTime::UNIX_EPOCH, ends: None, pages: "" };
        let signed_in = Portal::SignedIn { token: "t", name: "Jo", stays };
        for (case, shows, has, has_not) in [
            (
                "at first",
                Portal::Form { token: "t", shared: false, slip: None },
                &[
                    "name=\"pin\"",
                    "0800 1111",
                    "value=\"t\"",
                    "not known here",
                    "action=\"/sign-in?lang=en\"",
                ][..],
                &["role=\"alert\"", "<script"][..],
            ),
            (
                "after a slip",
                Portal::Form { token: "t", shared: true, slip: Some(Slip::Wrong) },
                &["role=\"alert\"", "do not go together"],
                &["not known here"],
            ),
            ("signed in", signed_in, &["Jo", "Sign out"], &["name=\"pin\""]),
            ("a name with teeth", Portal::Owned { name: "<b>Jo</b>" }, &["&#60;b&#62;Jo"], &["<b>", "<form"]),
            ("no sign-in", Portal::Elsewhere, &["whoever is on shift"], &["<form"]),
        ] {
            let (uri, headers) = (Uri::from_static("/sign-in"), HeaderMap::new());
            let page = body(portal("Oakview House", StatusCode::OK, shows, (&uri, &headers)));
            for word in has {
                assert!(page.contains(word), "{case}: no {word} in {page}");
            }
            for word in has_not {
                assert!(!page.contains(word), "{case}: {word} in {page}");
            }
        }
    }

    #[test]
    fn it_speaks_as_its_reader_does() {
        let form = |slip| Portal::Form { token: "t", shared: false, slip };
        let shown = |uri: &'static str, language: &'static str, slip| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(language));
            body(portal("Oakview House", StatusCode::OK, form(slip), (&Uri::from_static(uri), &headers)))
        };
        let welsh = shown("/sign-in", "cy, en;q=0.5", Some(Slip::Locked(15)));
        for word in
            ["<html lang=\"cy\" dir=\"ltr\"", "Mewngofnodi", "ymhen 15 munud", "/sign-in?lang=en\">English"]
        {
            assert!(welsh.contains(word), "{word}: {welsh}");
        }
        for english in ["Your PIN", "Help is always", "not known"] {
            assert!(!welsh.contains(english), "{english}");
        }
        let chosen = shown("/sign-in?lang=en&easy=yes&contrast=high", "cy", None);
        for word in [
            "lang=\"en-GB\"",
            "easy strong",
            "Cymraeg",
            "action=\"/sign-in?lang=en&#38;easy=yes&#38;contrast=high\"",
        ] {
            assert!(chosen.contains(word), "{word}: {chosen}");
        }
    }
}
