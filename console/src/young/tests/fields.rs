//! Whatever somebody types into a field, and whatever a file says, stands on a page as text and as nothing else. The fields are taken
//! from the forms as they are rendered, at the desk and on the young person's pages alike: whoever adds one says here whether it is
//! seen again, and where it is not, why.

use super::{JORDANS, LOUNGE, OWN, Young};
use crate::desk::tests::around::stranger_comes;
use crate::desk::tests::play::{Browser, HOME, JORDAN, Page, Play};
use crate::desk::tests::shifts::happens;
use crate::pages::{Told, addresses};
use agreements::{GrantKind, LimitKey};
use axum::http::StatusCode;
use chrono::TimeDelta;
use records::{By, ByRole, NewGrant, Which};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where a form goes and what a field of it is called; empty where what is typed is seen again, else why it is not.
const FIELDS: &[(&str, &str, &str)] = &[
    ("/asks/{entry}/no", "why", ""),
    ("/asks/{entry}/yes", "why", ""),
    ("/concerns/{entry}", "with", ""),
    ("/concerns/{entry}", "words", ""),
    ("/devices/book", "words", ""),
    ("/devices/own", "name", "what is no name of a device is not said again"),
    ("/edit", "id", "what is no id is not said again"),
    ("/edit/{*file}", "host", ""),
    ("/edit/{*file}", "text", ""),
    ("/edit/{*file}", "why", ""),
    ("/episodes/{entry}", "words", ""),
    ("/evidence", "purpose", ""),
    ("/evidence", "recipient", ""),
    ("/give/{person}", "why", ""),
    ("/give/{person}", "words", ""),
    ("/grants/{entry}/end", "why", ""),
    ("/hearthgate/ask", "host", "what is no site is not said again"),
    ("/hearthgate/ask", "words", ""),
    ("/hearthgate/me", "name", "who does not fit is told nothing of what they typed"),
    ("/hearthgate/me", "pin", "a PIN is nobody's to read"),
    ("/hearthgate/note", "words", ""),
    ("/hearthgate/saw", "words", ""),
    ("/lists", "host", ""),
    ("/lists/report", "host", ""),
    ("/lists/report", "why", ""),
    ("/lists/reports/{entry}", "words", ""),
    ("/me", "code", "a code is good for half a minute, and is kept nowhere"),
    ("/people/{person}", "host", ""),
    ("/people/{person}/incident", "words", ""),
    ("/people/{person}/pin", "pin", "a PIN is nobody's to read"),
    ("/people/{person}/show", "words", ""),
    ("/reports/{entry}", "words", ""),
    ("/restrictions/place", "closes", ""),
    ("/restrictions/place", "consent", ""),
    ("/restrictions/place", "reason", ""),
    ("/restrictions/place", "tried", ""),
    ("/restrictions/place", "view", ""),
    ("/restrictions/{entry}/end", "words", ""),
    ("/restrictions/{entry}/reviewed", "view", ""),
    ("/restrictions/{entry}/reviewed", "words", ""),
    ("/restrictions/{entry}/told", "words", ""),
    ("/sample", "seed", ""),
    ("/shift/sign", "words", ""),
    ("/shows/{entry}", "words", ""),
    ("/sign-in", "account", ""),
    ("/sign-in", "code", "a code is good for half a minute, and is kept nowhere"),
    ("/sign-in", "password", "a password is nobody's to read"),
];

/// What files say that somebody wrote freely, and empty where it is seen on a page.
const FILES: [(&str, &str); 13] = [
    ("home.yaml home", ""),
    ("home.yaml staff name", ""),
    ("home.yaml safeguarding who", ""),
    ("home.yaml safeguarding reach", ""),
    ("person", ""),
    ("risk_assessment ref", ""),
    ("young_person view", ""),
    ("social_worker name", ""),
    ("social_worker authority", ""),
    ("home_manager name", ""),
    ("behaviour", ""),
    ("monitoring reason", ""),
    ("consequences suggest", ""),
];

/// Markup that only this place has.
fn mark(place: usize) -> String {
    format!("<i id=f{place}z>\"'")
}

/// The same as it stands on a page that escapes it.
fn escaped(place: usize) -> String {
    format!("&#60;i id=f{place}z&#62;&#34;&#39;")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next().map(unescaped)
}

fn unescaped(value: &str) -> String {
    let mut text = value.to_owned();
    for (code, letter) in [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")] {
        text = text.replace(code, letter);
    }
    text
}

/// A form as a page has it: where it goes, and its fields. A text field has no value of its own here.
#[derive(Clone, Debug)]
struct Form {
    action: String,
    post: bool,
    fields: Vec<(String, Option<String>)>,
}

impl Form {
    /// Every form of a page that is at an address.
    fn all(page: &str, at: &str) -> Vec<Self> {
        page.split("<form")
            .skip(1)
            .map(|part| Self::read(part.split("</form>").next().unwrap(), at))
            .collect()
    }

    fn read(part: &str, at: &str) -> Self {
        let head = part.split('>').next().unwrap();
        let mut fields: Vec<(String, Option<String>)> = Vec::new();
        let mut choosing: Option<String> = None;
        for tag in part.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').unwrap_or((tag, ""));
            let word = tag.split([' ', '/']).next().unwrap();
            let (name, value) = (attribute(tag, "name"), attribute(tag, "value"));
            let kind = attribute(tag, "type").unwrap_or_else(|| "text".to_owned());
            match (word, kind.as_str(), name) {
                ("select", _, Some(name)) => choosing = Some(name),
                ("option", ..) => {
                    let value = value.unwrap_or_else(|| text.trim().to_owned());
                    if let Some(name) = choosing.clone().filter(|_| !value.is_empty()) {
                        fields.push((name, Some(value)));
                        choosing = None;
                    }
                }
                ("textarea", _, Some(name)) => fields.push((name, None)),
                ("input", "text" | "password" | "search" | "url" | "email", Some(name)) => {
                    fields.push((name, None));
                }
                ("input", "hidden" | "number", Some(name)) => fields.push((name, value)),
                ("input", "date" | "datetime-local", Some(name)) => {
                    let day = match name.as_str() {
                        "until" => "2026-11-23T10:00",
                        "review" => "2026-11-23",
                        "next" => "2026-11-24",
                        "at" => "",
                        _ => "2026-11-22",
                    };
                    fields.push((
                        name,
                        Some(value.filter(|v| !v.is_empty()).unwrap_or_else(|| day.to_owned())),
                    ));
                }
                // Of several buttons, and of several boxes of one choice, the first.
                ("input", "radio", Some(name)) | ("button", _, Some(name))
                    if !fields.iter().any(|(known, _)| *known == name) =>
                {
                    fields.push((name, value));
                }
                _ => {}
            }
        }
        let action = attribute(head, "action").filter(|action| !action.is_empty());
        Self {
            action: action.unwrap_or_else(|| at.to_owned()),
            post: attribute(head, "method").as_deref() == Some("post"),
            fields,
        }
    }

    /// Where it goes, whoever and whatever it is about.
    fn route(&self) -> String {
        let path = self.action.split('?').next().unwrap();
        let within = |part: &str| match part {
            "jordan" | "lounge" => "{person}".to_owned(),
            part if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => "{entry}".to_owned(),
            part if part.len() > 30 => "{token}".to_owned(),
            part => part.to_owned(),
        };
        let route = path.split('/').map(within).collect::<Vec<_>>().join("/");
        if route.starts_with("/edit/") { "/edit/{*file}".to_owned() } else { route }
    }

    fn typed(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str())
    }
}

/// What is typed where not everything is taken: with it the other fields of the form are kept.
const VALID: &[(&str, &str, &str)] = &[
    ("/restrictions/place", "closes", "video.example"),
    ("/give/{person}", "words", "casino.example"),
    ("/people/{person}/pin", "pin", "471982"),
    ("/lists/report", "host", "casino.example"),
    ("/hearthgate/ask", "host", "chat.example"),
];

/// What was filled, and what was seen.
#[derive(Default)]
struct Seen {
    places: BTreeMap<(String, String), usize>,
    seen: BTreeSet<usize>,
}

impl Seen {
    fn place(&mut self, route: &str, name: &str) -> usize {
        let next = FILES.len() + self.places.len();
        *self.places.entry((route.to_owned(), name.to_owned())).or_insert(next)
    }

    /// Looks at a page: nothing of it runs.
    fn looks(&mut self, at: &str, text: &str) {
        assert!(!text.contains("<i id=f"), "{at} has markup of somebody's: {text}");
        let found = text.split("&#60;i id=f").skip(1).filter_map(|rest| {
            let place: usize = rest.split('z').next()?.parse().ok()?;
            let whole = format!("&#60;i id=f{rest}");
            whole.starts_with(&escaped(place)).then_some(place)
        });
        self.seen.extend(found);
    }

    /// The form's fields as they are sent.
    fn filled(&mut self, form: &Form, valid: bool) -> Vec<(String, String)> {
        let route = form.route();
        let fields = form.fields.clone().into_iter();
        let one = |(name, value): (String, Option<String>)| {
            let known = VALID.iter().find(|(to, field, _)| valid && *to == route && *field == name);
            let value = match (value, known) {
                (Some(value), _) => value,
                (None, Some((_, _, value))) => (*value).to_owned(),
                (None, None) => mark(self.place(&route, &name)),
            };
            (name, value)
        };
        fields.map(one).collect()
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    let byte = |b: u8| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>().join("&")
}

/// Sends a form at the desk, and looks at where it led.
async fn sends(desk: &mut Browser, seen: &mut Seen, form: &Form, valid: bool) {
    let pairs = seen.filled(form, valid);
    let page: Page = if form.post {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        desk.post(&form.action, &pairs).await
    } else {
        desk.get(&format!("{}?{}", form.action.split('?').next().unwrap(), encoded(&pairs))).await
    };
    assert!(!page.status.is_server_error(), "{form:?}: {}", page.status);
    let kind = page.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind == "application/zip" {
        // The files stand in it as they are: its pages, and not what machines read.
        for file in page.text.split("PK\u{3}\u{4}").filter(|file| file.contains("<!doctype html>")) {
            seen.looks("an exported page", file);
        }
    } else {
        seen.looks(&form.action, &page.text);
    }
    let to = page.location().to_owned();
    if page.status == StatusCode::SEE_OTHER && to.starts_with('/') {
        let led = desk.get(&to).await;
        seen.looks(&to, &led.text);
        // What the editor was given stands in its text: nothing more is typed there.
    }
}

/// A home whose files say the marks of [`FILES`].
async fn home() -> Young {
    let quoted = |place: usize| format!("'{}'", mark(place).replace('\'', "''"));
    let home = HOME
        .replace("home: Oakview House", &format!("home: {}", quoted(0)))
        .replace("name: Kate Lane", &format!("name: {}", quoted(1)))
        + &format!("safeguarding: [{{who: {}, reach: {}}}]\n", quoted(2), quoted(3));
    let jordan = JORDAN
        .replace("person: Jordan", &format!("person: {}", quoted(4)))
        .replace("ref: RA-2026-031", &format!("ref: {}", quoted(5)))
        .replace(
            "young_person: {on: 2026-11-02}",
            &format!("young_person: {{on: 2026-11-02, view: {}}}", quoted(6)),
        )
        .replace("name: A. Mensah", &format!("name: {}", quoted(7)))
        .replace("authority: Leeds", &format!("authority: {}", quoted(8)))
        .replace("home_manager: {name: R. Osei", &format!("home_manager: {{name: {}", quoted(9)))
        + &format!(
            "behaviour: [{}]\nmonitoring: {{level: categories, until: 2026-11-30, reason: {}, authorised_by: R. Osei, told_on: 2026-11-20}}\n\
             consequences: [{{after: 3 breaches in 7 days, suggest: {}}}]\n",
            quoted(10),
            quoted(11),
            quoted(12)
        );
    let lounge = "person: Lounge\nfor: device\ndevices:\n  - {name: lounge, ip: 192.0.2.3}\nonline: {every_day: 09:00-21:00}\notherwise: block\n";
    Young::over(Play::of(&home, &[("jordan", &jordan), ("lounge", lounge)]).await)
}

/// Whatever makes a form stand somewhere.
async fn lives(young: &Young) {
    let play = &young.play;
    let by = |role| By { role, id: "r.osei".into(), name: "R. Osei".into() };
    for _ in 0..3 {
        happens(play, "jordan", "games.example").await;
        play.clock.advance(Duration::from_secs(1200));
    }
    stranger_comes(play, "02:1a:33:44:55:66".parse().unwrap()).await;
    let entry = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    for host in ["chat.example", "a.example", "b.example", "c.example", "d.example", "e.example"] {
        play.records.ask("jordan", host, "").await.unwrap();
    }
    for _ in 0..3 {
        play.records.concern(entry, "jordan", by(ByRole::Staff), "a worry").await.unwrap();
        play.records.report("jordan", by(ByRole::YoungPerson), "a word", None).await.unwrap();
        let (kind, until) =
            (GrantKind::ExtraTime(LimitKey::Everything), play.clock_now() + TimeDelta::hours(8));
        let new =
            NewGrant { person: "jordan".into(), kind, until, by: by(ByRole::Staff), reason: "x".into() };
        play.records.grant(new).await.unwrap();
    }
    let mut manager = play.signed_in("r.osei").await;
    manager.post("/people/jordan/show", &[("words", "")]).await;
    manager.post("/lists/report", &[("host", "casino.example"), ("why", "no game")]).await;
    manager.post("/lists/report", &[("host", "bets.example"), ("why", "no game")]).await;
    for emergency in ["yes", ""] {
        let consent = if emergency.is_empty() { "A. Mensah" } else { "" };
        let form = [
            ("person", "jordan"),
            ("closes", "video.example"),
            ("reason", "a stranger"),
            ("tried", "talked"),
            ("emergency", emergency),
            ("until", "2026-11-23T17:00"),
            ("review", "2026-11-23"),
            ("consent", consent),
            ("consent_on", if consent.is_empty() { "" } else { "2026-11-22" }),
            ("told_on", "2026-11-22"),
            ("view", "ok"),
        ];
        let done = manager.post("/restrictions/place", &form).await;
        assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    }
}

/// The pages of the desk with a form, as the manager finds them; the newest grant is the one to take back.
async fn desk_pages(play: &Play) -> Vec<String> {
    let grant = play.records.live_grants().await.unwrap().last().unwrap().entry;
    let at = |path: &str| path.to_owned();
    let fixed = [
        "/me",
        "/",
        "/asks",
        "/shift",
        "/give/jordan",
        "/give/lounge",
        "/restrictions",
        "/restrictions/new",
        "/people",
        "/people/jordan",
        "/people/jordan/charts",
        "/people/jordan/nights",
        "/edit/agreements/jordan.yaml",
        "/edit/home.yaml",
        "/edit/agreements/robin.yaml",
        "/devices",
        "/lists",
        "/lists?host=games.example",
        "/coverage",
        "/audit",
        "/sample?from=2026-11-21&to=2026-11-22",
        "/month",
        "/shift/sheet",
        "/shift/sheet?names=full",
        "/evidence",
        "/accounts",
    ];
    fixed.map(at).into_iter().chain([format!("/grants/{grant}/end")]).collect()
}

/// Fills every form of a page: with the marks alone, and with what is taken where not everything is.
async fn fills(desk: &mut Browser, seen: &mut Seen, at: &str) {
    let page = desk.get(at).await;
    assert_eq!(page.status, StatusCode::OK, "{at}: {}", page.words());
    let mut done: Vec<(String, Vec<String>)> = Vec::new();
    for form in Form::all(&page.text, at) {
        let names: Vec<String> = form.fields.iter().map(|(name, _)| name.clone()).collect();
        let one = (form.route(), names);
        if form.typed().next().is_none() || done.contains(&one) {
            continue;
        }
        for valid in [false, true] {
            // The page anew: what was sent before may have answered what the form was about.
            let now = desk.get(at).await;
            let same = |other: &Form| {
                other.route() == one.0 && other.fields.iter().map(|(name, _)| name).eq(one.1.iter())
            };
            if let Some(form) = Form::all(&now.text, at).into_iter().find(same) {
                sends(desk, seen, &form, valid).await;
            }
        }
        done.push(one);
    }
}

/// Fills the form that stands behind another: why a change is made, once it was looked at. It is refused, and then taken.
async fn looks_at_a_change(manager: &mut Browser, seen: &mut Seen) {
    let at = "/edit/agreements/jordan.yaml";
    let edits =
        |page: &Page| Form::all(&page.text, at).into_iter().find(|form| form.route() == "/edit/{*file}");
    let text = manager.get(at).await.text;
    let text = text.split("<textarea id=\"text\"").nth(1).and_then(|rest| rest.split_once('>')).unwrap().1;
    let text = unescaped(text.split("</textarea>").next().unwrap()) + "# looked at together\n";
    let mut page = manager.get(at).await;
    for (step, text) in [("look", &*text), ("keep", "no agreement"), ("look", &*text), ("keep", &*text)] {
        let mut pairs = seen.filled(&edits(&page).unwrap(), false);
        for (name, value) in &mut pairs {
            match name.as_str() {
                "text" => *value = text.to_owned(),
                "step" => *value = step.to_owned(),
                "host" | "at" => value.clear(),
                _ => {}
            }
        }
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        page = manager.post(at, &pairs).await;
        seen.looks(at, &page.text);
    }
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.words());
}

/// Fills the forms of somebody's own account: the code with which codes are turned on, and the one with which they are turned off.
async fn turns_codes(manager: &mut Browser, seen: &mut Seen, play: &Play) {
    let offered = manager.post("/me", &[("step", "offer")]).await;
    let form = Form::all(&offered.text, "/me").into_iter().find(|form| form.typed().next().is_some());
    sends(manager, seen, &form.expect("a code is asked for"), false).await;
    play.records.set_codes("r.osei", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 0).await.unwrap();
    fills(manager, seen, "/me").await;
}

/// Fills the forms of a young person's page. What they tell staff goes into the records, as the program does it.
async fn young_fills(young: &Young, seen: &mut Seen, (from, at): (&str, &str)) {
    let (_, page) = young.get(from, at).await;
    for form in Form::all(&page, at) {
        if form.typed().next().is_none() {
            continue;
        }
        for valid in [false, true] {
            let pairs = encoded(&seen.filled(&form, valid));
            let answer = match form.post {
                true => young.post(from, &form.action, &format!("http://{OWN}"), &pairs).await,
                false => young.get(from, &format!("{}?{pairs}", form.action)).await,
            };
            seen.looks(&form.action, &answer.1);
        }
    }
    let told = std::mem::take(&mut *young.gate.told.lock().unwrap());
    for told in told {
        let by = By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
        let records = &young.play.records;
        let _kept = match told {
            Told::Ask(ask) if ask.host.is_empty() => records.ask_time(&ask.person, &ask.words).await,
            Told::Ask(ask) => records.ask(&ask.person, &ask.host, &ask.words).await,
            Told::Saw(saw) => records.report(&saw.person, by, &saw.words, None).await,
        };
    }
}

#[tokio::test]
async fn what_is_typed_into_any_field_stands_on_the_pages_as_text() {
    let young = home().await;
    lives(&young).await;
    let play = &young.play;
    let mut seen = Seen::default();
    for place in [
        (JORDANS, "/?lang=en"),
        (JORDANS, "/recorded?lang=en"),
        (JORDANS, "/hearthgate/ask?lang=en&host=chat.example"),
        (JORDANS, "/hearthgate/saw?lang=en"),
        (LOUNGE, "/?lang=en"),
    ] {
        young_fills(&young, &mut seen, place).await;
    }
    play.has_password("r.osei").await;
    let mut manager = play.signed_in("r.osei").await;
    for at in desk_pages(play).await {
        fills(&mut manager, &mut seen, &at).await;
    }
    let mut nobody = play.browser();
    fills(&mut nobody, &mut seen, "/sign-in").await;
    looks_at_a_change(&mut manager, &mut seen).await;
    turns_codes(&mut manager, &mut seen, play).await;
    // Past the end of the shift, which is then signed.
    play.clock.advance(Duration::from_secs(4 * 3600));
    let mut manager = play.signed_in("r.osei").await;
    fills(&mut manager, &mut seen, "/shift").await;
    for at in desk_pages(play).await.into_iter().chain(["/shift?at=2026-11-22T18:00:00Z".to_owned()]) {
        let page = manager.get(&at).await;
        seen.looks(&at, &page.text);
    }
    for from in [JORDANS, LOUNGE] {
        for path in addresses() {
            for query in ["lang=en", "lang=cy"] {
                seen.looks(path, &young.get(from, &format!("{path}?{query}")).await.1);
            }
        }
    }
    let known: BTreeMap<(&str, &str), &str> =
        FIELDS.iter().map(|(to, name, why)| ((*to, *name), *why)).collect();
    let mut wrong = Vec::new();
    for ((route, name), place) in &seen.places {
        let is_seen = seen.seen.contains(place);
        match known.get(&(route.as_str(), name.as_str())) {
            None => wrong.push(format!("(\"{route}\", \"{name}\", \"{}\"),", if is_seen { "" } else { "?" })),
            Some(why) if why.is_empty() != is_seen => {
                wrong.push(format!("{route} {name}: seen {is_seen}, `{why}`"));
            }
            Some(_) => {}
        }
    }
    for (route, name) in known.keys() {
        if !seen.places.contains_key(&((*route).to_owned(), (*name).to_owned())) {
            wrong.push(format!("{route} {name}: no form has it"));
        }
    }
    for (place, (name, why)) in FILES.iter().enumerate() {
        if seen.seen.contains(&place) != why.is_empty() {
            wrong.push(format!("{name} of a file"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
