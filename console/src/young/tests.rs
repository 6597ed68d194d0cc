//! The young person's pages from outside: what a browser on a device of theirs gets.

use crate::ask::AskKey;
use crate::desk::tests::full::refused;
use crate::desk::tests::play::{HOME, JORDAN, Play, Set};
use crate::desk::tests::shifts::{goes_around, happens};
use crate::pages::{Heard, Known, Showing, Told, Visit, Visitors, addresses, router};
use crate::refusal::{Form, Refusals};
use agreements::{Detector, House};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use blocklists::{Name, Tags};
use http_body_util::BodyExt;
use records::{Answer, By, ByRole, Clock, ClockState, Face, InForce, Records, SetClock, Which};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

mod doors;
mod every_key;
mod fields;
mod first;
mod heard;
mod holds;
mod kept;
mod pins;
mod policy;
mod promises;
mod showing;
mod talk;
mod welsh;

const OWN: &str = "hearthgate.home.arpa";
/// Devices of the home by their addresses.
const DEVICES: [(&str, &str); 6] = [
    ("192.0.2.1", "jordan"),
    ("192.0.2.2", "sam"),
    ("192.0.2.3", "lounge"),
    ("192.0.2.4", "lounge"),
    (KATES, "kate"),
    (PERSON_7, "person-7"),
];
/// One of many in a home that is full.
pub(crate) const PERSON_7: &str = "192.0.2.7";

/// The program's side of the pages, with a home that is in the test's hand.
struct Gate {
    clock: Arc<SetClock>,
    records: Arc<Records>,
    in_force: Arc<InForce>,
    told: Mutex<Vec<Told>>,
    running: Arc<Set>,
    tries: Mutex<Vec<String>>,
}

impl Visitors for Gate {
    fn visit(&self, address: IpAddr, _: Option<&str>, host: &str, _: &str, _: Showing<'_>) -> Visit {
        let (current, at) = (self.in_force.to_keep(), self.clock.now());
        let house = &current.snapshot.house;
        let id = DEVICES.iter().find(|(known, _)| address.to_string() == *known);
        let whose = id.and_then(|(_, id)| house.person(id)).unwrap_or(House::NOBODY);
        let right = self.clock.state() == ClockState::Right;
        let who = if right { whose } else { House::NO_CLOCK };
        let host = if host.is_empty() { "no-host.invalid" } else { host };
        let name = Name::new(host).unwrap_or(Name::new("no-host.invalid").unwrap());
        let request =
            agreements::Request { host: agreements::Host::Name(name), tags: Tags::NONE, path: None };
        let explanation = house.explain(who, at, &request, &current.standing);
        Visit { current, who, whose, face: Face::Address(address), explanation, at }
    }

    fn tell(&self, told: Told) -> Pin<Box<dyn Future<Output = Heard> + Send>> {
        self.told.lock().unwrap().push(told);
        Box::pin(async { Heard::Kept })
    }

    fn knows_pin(
        &self,
        address: IpAddr,
        name: String,
        pin: String,
    ) -> Pin<Box<dyn Future<Output = Known> + Send + '_>> {
        let id = name.to_lowercase();
        let known = match self.running.pins.lock().unwrap().get(&id) {
            Some(kept) if *kept == pin => Known::As(id),
            Some(_) if pin == "often" => Known::Often,
            Some(_) | None => Known::Wrong,
        };
        self.tries.lock().unwrap().push(format!("{name} at {address}"));
        Box::pin(async move { known })
    }

    fn pin_mark(&self, person: String) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        let kept = self.running.pins.lock().unwrap().get(&person).map(|pin| crate::desk::print_of(pin));
        Box::pin(async move { kept })
    }

    fn form(&self, _: &HeaderMap) -> Form {
        Form::Html
    }

    fn is_own(&self, host: &str) -> bool {
        host == OWN
    }

    fn records(&self) -> &Arc<Records> {
        &self.records
    }
}

/// A home, and the pages as they are served.
pub(crate) struct Young {
    play: Play,
    gate: Arc<Gate>,
    router: axum::Router,
}

impl Young {
    async fn new() -> Self {
        Self::of(&format!("{JORDAN}behaviour: [\"I will <b>not</b> share pictures.\"]\n")).await
    }

    /// With what Jordan's agreement says.
    async fn of(jordan: &str) -> Self {
        let lounge = "person: Lounge\nfor: device\ndevices:\n  - {name: lounge, ip: 192.0.2.3}\nonline: {every_day: 09:00-21:00}\notherwise: block\n";
        let sam = JORDAN.replace("Jordan", "Sam").replace("3c:06:30:11:22:33", "3c:06:30:11:22:44");
        Self::over(Play::of(HOME, &[("jordan", jordan), ("sam", &sam), ("lounge", lounge)]).await)
    }

    /// The pages of a home that is there already.
    pub(crate) fn over(play: Play) -> Self {
        let gate = Arc::new(Gate {
            clock: play.clock.clone(),
            records: play.records.clone(),
            in_force: play.in_force.clone(),
            told: Mutex::default(),
            running: play.running.clone(),
            tries: Mutex::default(),
        });
        let refusals = Arc::new(Refusals::new(AskKey::fresh().unwrap(), &format!("http://{OWN}")));
        let router = router(refusals, gate.clone());
        Self { play, gate, router }
    }

    async fn send(&self, from: &str, mut request: Request<Body>) -> (StatusCode, String) {
        let peer: SocketAddr = format!("{from}:40000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (parts.status, text)
    }

    pub(crate) async fn get(&self, from: &str, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).header(header::HOST, OWN).body(Body::empty()).unwrap();
        self.send(from, request).await
    }

    async fn get_with(&self, from: &str, path: &str, cookie: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).header(header::HOST, OWN).header(header::COOKIE, cookie);
        self.send(from, request.body(Body::empty()).unwrap()).await
    }

    /// Signs in with a PIN: the cookie.
    async fn cookie(&self, from: &str, form: &str) -> String {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/hearthgate/me")
            .header(header::HOST, OWN)
            .header(header::ORIGIN, format!("http://{OWN}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let peer: SocketAddr = format!("{from}:40000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let set = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.contains("HttpOnly; SameSite=Strict; Max-Age=600"), "{set}");
        set.split(';').next().unwrap().to_owned()
    }

    async fn post(&self, from: &str, path: &str, origin: &str, form: &str) -> (StatusCode, String) {
        self.post_with(from, path, (origin, ""), form).await
    }

    async fn post_with(
        &self,
        from: &str,
        path: &str,
        (origin, cookie): (&str, &str),
        form: &str,
    ) -> (StatusCode, String) {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, OWN)
            .header(header::ORIGIN, origin)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(from, request).await
    }

    /// Signs Jordan in with a PIN on the device in the lounge: the cookie.
    async fn jordan_in_the_lounge(&self) -> String {
        self.play.running.pins.lock().unwrap().insert("jordan".to_owned(), "471982".to_owned());
        let (_, page) = self.get(LOUNGE, "/?lang=en").await;
        self.cookie(LOUNGE, &format!("name=jordan&pin=471982&token={}", token(&page))).await
    }
}

const JORDANS: &str = "192.0.2.1";
/// A member of staff's own.
const KATES: &str = "192.0.2.5";
const SAMS: &str = "192.0.2.2";
const LOUNGE: &str = "192.0.2.3";
/// Another device that the same people share, by the same agreement.
const LOUNGE_TOO: &str = "192.0.2.4";
const STRANGER: &str = "192.0.2.99";

/// The pages that somebody reads on a device of their own: every address at which something stands for them.
fn pages() -> impl Iterator<Item = &'static str> {
    doors::MATRIX.iter().filter(|(_, gets, _)| gets.starts_with('y')).map(|(path, _, _)| *path)
}

fn token(page: &str) -> &str {
    page.split("name=\"token\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no token: {page}"))
        .split('"')
        .next()
        .unwrap()
}

fn staff() -> By {
    By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() }
}

#[tokio::test]
async fn what_is_open_now_and_until_when() {
    let young = Young::new().await;
    let (status, page) = young.get(JORDANS, "/").await;
    assert_eq!(status, StatusCode::OK);
    for said in [
        "Hello Jordan",
        "The internet is open for you until 21:00.",
        "3 h 30 min to go",
        "45 min of 45 min left",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // The countdown ends at 21:00 on the home's clock.
    assert!(page.contains("data-until=\"1795381200\" data-now=\"1795368600\""), "{page}");
    young.play.clock.advance(Duration::from_secs(4 * 3600));
    let (_, page) = young.get(JORDANS, "/").await;
    assert!(page.contains("The internet is off for you until 07:00 tomorrow."), "{page}");
    let (_, page) = young.get(JORDANS, "/?lang=cy&easy=yes").await;
    assert!(page.contains("lang=\"cy\"") && page.contains("Mae i ffwrdd tan 07:00 yfory."), "{page}");
}

#[tokio::test]
async fn each_page_in_each_voice_says_everything_and_escapes_it() {
    let young = Young::new().await;
    happens(&young.play, "jordan", "games.example").await;
    for path in pages().filter(|path| !path.starts_with("/hearthgate/")) {
        for query in ["lang=en", "lang=cy", "lang=en&easy=yes", "lang=cy&contrast=high"] {
            let (status, page) = young.get(JORDANS, &format!("{path}?{query}")).await;
            assert_eq!(status, StatusCode::OK, "{path}?{query}");
            assert!(!page.contains("{until}") && !page.contains("<h1></h1>"), "{path}?{query}: {page}");
            assert!(!page.contains("<b>not</b>"), "{path}?{query}");
            let kept = format!("/?{}", query.replace('&', "&amp;"));
            assert!(
                page.contains(&format!("href=\"{kept}\"")) || page.contains(&kept.replace("&amp;", "&#38;")),
                "{path}?{query} keeps what was chosen: {page}"
            );
        }
    }
    let (_, page) = young.get(JORDANS, "/agreement").await;
    for said in [
        "Ask first",
        "chat.example",
        "Everything else is open.",
        "I will",
        "Staff who work with you can see it",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (_, page) = young.get(JORDANS, "/week").await;
    assert!(page.contains("07:00–21:00") && page.contains("(today)"), "{page}");
    assert!(page.contains("All together 4 h, video.example 45 min"), "{page}");
    let (_, welsh) = young.get(JORDANS, "/week?lang=cy").await;
    assert!(welsh.contains("Popeth gyda’i gilydd 4 awr, video.example 45 mun"), "{welsh}");
    let (_, page) = young.get(STRANGER, "/talk").await;
    assert!(page.contains("0800 1111"), "whoever it is can talk to somebody: {page}");
}

#[tokio::test]
async fn nobody_reads_what_is_anothers() {
    let young = Young::new().await;
    happens(&young.play, "jordan", "games.example").await;
    let (_, own) = young.get(JORDANS, "/recorded").await;
    assert!(own.contains("Your phone tried to open games.example."), "{own}");
    for from in [SAMS, LOUNGE, STRANGER] {
        for path in addresses() {
            let (_, page) = young.get(from, path).await;
            for secret in ["Jordan", "games.example."] {
                assert!(!page.contains(secret), "{from} {path}: {secret}");
            }
        }
    }
    let (status, _) = young.get(LOUNGE, "/recorded").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a shared device shows nothing of one person");
    // A note needs the form that was made for them, about this, and sent from here.
    let entry = young.play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let good = token(&own).to_owned();
    let (note, here) = ("/hearthgate/note", format!("http://{OWN}"));
    for (name, from, origin, form, status) in [
        (
            "anothers_device",
            SAMS,
            here.as_str(),
            format!("entry={entry}&token={good}&kind=not_me"),
            StatusCode::FORBIDDEN,
        ),
        (
            "another_site",
            JORDANS,
            "http://games.example",
            format!("entry={entry}&token={good}&kind=not_me"),
            StatusCode::FORBIDDEN,
        ),
        (
            "no_token",
            JORDANS,
            here.as_str(),
            format!("entry={entry}&token=&kind=not_me"),
            StatusCode::FORBIDDEN,
        ),
        (
            "another_entry",
            JORDANS,
            here.as_str(),
            format!("entry={}&token={good}&kind=not_me", entry + 1),
            StatusCode::FORBIDDEN,
        ),
        ("no_form", JORDANS, here.as_str(), "x".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(young.post(from, note, origin, &form).await.0, status, "{name}");
    }
    assert!(young.play.records.episodes(&Which::default()).await.unwrap()[0].notes.is_empty());
}

#[tokio::test]
async fn nothing_that_is_written_down_is_kept_from_them() {
    let young = Young::of(&JORDAN.replace("otherwise: allow", "otherwise: block")).await;
    let asked: Vec<_> = (0..130).map(|n| ("jordan".to_owned(), format!("site{n}.example"))).collect();
    refused(&young.play, &asked).await;
    let (_, newest) = young.get(JORDANS, "/recorded").await;
    assert!(newest.contains("These are 1 to 100 of 130") && newest.contains("open site129.example"));
    assert!(newest.contains("/recorded?skip=100&#38;lang=en") && !newest.contains("open site29.example"));
    let (_, oldest) = young.get(JORDANS, "/recorded?skip=100&lang=cy").await;
    assert!(oldest.contains("Dyma 101 i 130 o 130") && !oldest.contains("skip=200"));
    for n in 0..130 {
        let said = format!("site{n}.example.");
        assert!(newest.contains(&said) != oldest.contains(&said), "{said}");
    }
    let (status, beyond) = young.get(JORDANS, "/recorded?skip=99999999999999999999").await;
    assert!(status == StatusCode::OK && beyond.contains("1 to 100"), "what is no number is none");
    let (status, _) = young.get(JORDANS, "/recorded?skip=18446744073709551615").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_way_around_that_is_written_down_is_explained_in_plain_words() {
    let young = Young::new().await;
    goes_around(&young.play, "jordan", "192.0.2.77", Detector::WireGuard).await;
    let row = Detector::WireGuard.row();
    for (path, words) in [("/recorded", row.to_you), ("/recorded?lang=cy", row.to_you_in_welsh)] {
        let (_, page) = young.get(JORDANS, path).await;
        assert!(page.contains(words), "{path}: {page}");
        assert!(!page.contains(row.sentence), "staff's sentence is for staff: {page}");
    }
    happens(&young.play, "jordan", "games.example").await;
    let (_, page) = young.get(JORDANS, "/recorded").await;
    assert_eq!(page.matches(row.to_you).count(), 1, "and nothing else is: {page}");
}

#[tokio::test]
async fn that_was_an_advert() {
    let young = Young::new().await;
    happens(&young.play, "jordan", "games.example").await;
    let (_, page) = young.get(JORDANS, "/recorded?lang=cy").await;
    let entry = young.play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let form = format!("entry={entry}&token={}&kind=advert&words=on+a+%3Cb%3Egame%3C%2Fb%3E", token(&page));
    let origin = format!("http://{OWN}");
    let (status, said) = young.post(JORDANS, "/hearthgate/note?lang=cy", &origin, &form).await;
    assert!(status == StatusCode::OK && said.contains("Mae yno nawr"), "{said}");
    let (_, page) = young.get(JORDANS, "/recorded").await;
    assert!(
        page.contains("You said: That was an advert, or it opened by itself on a &#60;b&#62;game"),
        "{page}"
    );
    // Staff see it, by name and in the home's own language.
    young.play.clock.advance(Duration::from_secs(4 * 3600 + 600));
    let desk = young.play.signed_in("k.lane").await.get("/shift").await;
    assert!(desk.words().contains("That was an advert, or it opened by itself on a"), "{}", desk.words());
    assert!(desk.words().contains("(Jordan)"), "{}", desk.words());
    let mut again = String::new();
    for left in (0..4).rev() {
        let (_, page) = young.get(JORDANS, "/recorded").await;
        again = format!("entry={entry}&token={}&kind=mistake", token(&page));
        assert_eq!(
            young.post(JORDANS, "/hearthgate/note", &origin, &again).await.0,
            StatusCode::OK,
            "{left}"
        );
    }
    let (_, page) = young.get(JORDANS, "/recorded").await;
    assert!(!page.contains("name=\"token\""), "five are enough");
    let (status, _) = young.post(JORDANS, "/hearthgate/note", &origin, &again).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn asking_for_a_site_and_for_time() {
    let young = Young::new().await;
    for (host, status, said) in [
        ("chat.example", StatusCode::OK, "chat.example"),
        ("https%3A%2F%2Fchat.example%2Froom%3Fx", StatusCode::OK, "value=\"chat.example\""),
        ("bbc.example", StatusCode::NOT_FOUND, "There is nothing to ask for here"),
        ("not+a+site", StatusCode::NOT_FOUND, "This is no site."),
    ] {
        let (got, page) = young.get(JORDANS, &format!("/hearthgate/ask?lang=en&host={host}")).await;
        assert!(got == status && page.contains(said), "{host}: {got} {page}");
    }
    let (_, page) = young.get(JORDANS, "/").await;
    let origin = format!("http://{OWN}");
    let form = format!(
        "host=&token={}&words=film+night",
        token(page.split("action=\"/hearthgate/ask").last().unwrap())
    );
    let (status, _) = young.post(JORDANS, "/hearthgate/ask?lang=en", &origin, &form).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        matches!(&young.gate.told.lock().unwrap()[..], [Told::Ask(ask)] if ask.host.is_empty() && ask.words == "film night")
    );
    // What staff answered stands on the page.
    let records = &young.play.records;
    let time = records.ask_time("jordan", "film night").await.unwrap();
    let site = records.ask("jordan", "chat.example", "").await.unwrap();
    let until = young.play.clock.now() + chrono::TimeDelta::minutes(30);
    records.answer(time, Answer::Approve { until }, staff(), "as asked").await.unwrap();
    records.answer(site, Answer::Decline, staff(), "not tonight").await.unwrap();
    young.play.settle().await;
    let (_, page) = young.get(JORDANS, "/").await;
    for said in ["more time, until 18:00", "Staff said yes.", "Not this time: not tonight"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (_, sams) = young.get(SAMS, "/").await;
    assert!(!sams.contains("not tonight"), "{sams}");
}
