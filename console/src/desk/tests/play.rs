//! A home, its records, its desk and a browser: what the tests of every page need.

use crate::desk::{Desk, Doing, Kept, NoPin, NotKept, Running, State, Weighed, print_of};
use agreements::{Snapshot, Store};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode, header};
use blocklists::Catalogue;
use chrono::{DateTime, Utc};
use http_body_util::BodyExt;
use records::{By, Face, InForce, Records, SetClock};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tower::ServiceExt;

/// Sunday afternoon: nothing is closed.
pub(crate) const START: &str = "2026-11-22T17:30:00Z";
pub(crate) const PASSWORD: &str = "teapot glacier nine forks";

pub(crate) const HOME: &str = "
home: Oakview House
timezone: Europe/London
day_starts: 04:00
shifts: [07:30, 14:30, 21:30]
everyone:
  block: [pornography, circumvention]
protected:
  support: [oakviewhouse.example]
  assistive: [relay.example]
staff:
  - {id: r.osei, name: R. Osei, role: manager}
  - {id: k.lane, name: Kate Lane, role: staff}
  - {id: m.ali, name: Mo Ali, role: staff}
  - {id: visitor, name: Reg 44 visitor, role: visitor}
  - {id: it, name: IT support, role: it}
";

pub(crate) const JORDAN: &str = "
person: Jordan
agreed:
  risk_assessment: {ref: RA-2026-031, on: 2026-10-28, level: medium}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
devices:
  - {name: phone, mac: \"3c:06:30:11:22:33\"}
online: {every_day: 07:00-22:30}
bedtime: {every_day: 21:00}
limits:
  everything: 4h
  video.example: 45m
allow: [bbc.example]
ask: [chat.example]
block: [games.example]
otherwise: allow
school_hours: as_agreed
";

/// The accounts of [`HOME`], one of each role.
pub(crate) const ACCOUNTS: [&str; 4] = ["r.osei", "k.lane", "visitor", "it"];

/// A gateway that is as the test says, with a home's folder in memory.
#[derive(Default)]
pub(crate) struct Set {
    pub(crate) state: Mutex<State>,
    pub(crate) files: Mutex<BTreeMap<String, String>>,
    pub(crate) full_disk: AtomicBool,
    pub(crate) guests: Mutex<Vec<(Face, String, u64)>>,
    pub(crate) names: Mutex<BTreeMap<Face, String>>,
    /// The PINs that were given, by the person's id.
    pub(crate) pins: Mutex<BTreeMap<String, String>>,
}

impl Running for Set {
    fn signed_in(&self) -> Doing<'_, Vec<(Face, String, u64)>> {
        let guests = self.guests.lock().unwrap().clone();
        Box::pin(async move { guests })
    }

    fn names(&self) -> Doing<'_, BTreeMap<Face, String>> {
        let names = self.names.lock().unwrap().clone();
        Box::pin(async move { names })
    }

    fn let_in<'a>(&'a self, face: Face, person: &'a str, minutes: u16) -> Doing<'a, bool> {
        self.guests.lock().unwrap().push((face, person.to_owned(), minutes.into()));
        Box::pin(async { true })
    }

    fn let_out(&self, face: Face) -> Doing<'_, bool> {
        let mut guests = self.guests.lock().unwrap();
        let before = guests.len();
        guests.retain(|(guest, _, _)| *guest != face);
        let out = guests.len() < before;
        Box::pin(async move { out })
    }

    fn face(&self, address: IpAddr) -> Doing<'_, Face> {
        Box::pin(async move { Face::Address(address) })
    }

    fn state(&self) -> Doing<'_, State> {
        let state = self.state.lock().unwrap().clone();
        Box::pin(async move { state })
    }

    fn coverage(&self) -> Doing<'_, Vec<agreements::Covered>> {
        let console = "person: Lounge console\nfor: device\notherwise: allow\nonline: all_day\n\
            devices: [{name: box, mac: \"3c:06:30:11:22:77\"}]\nany_address_on: [games, udp 9000]\n";
        let snapshot = snapshot(HOME, &[("jordan", JORDAN), ("lounge", console)]);
        let lines = agreements::coverage(
            &agreements::Gateway::default(),
            &snapshot.house,
            &agreements::Running::default(),
        );
        Box::pin(async move { lines })
    }

    fn text<'a>(&'a self, file: &'a str) -> Doing<'a, Option<String>> {
        let text = self.files.lock().unwrap().get(file).cloned();
        Box::pin(async move { text })
    }

    fn weigh<'a>(&'a self, file: &'a str, text: &'a str) -> Doing<'a, Weighed> {
        let mut files = self.files.lock().unwrap().clone();
        files.insert(file.to_owned(), text.to_owned());
        let files: Vec<_> = files.into_iter().collect();
        let reading = agreements::read(&files, START.parse::<DateTime<Utc>>().unwrap().date_naive());
        let problems = reading.problems.into_iter().filter(|p| p.file == file).collect();
        Box::pin(async move { Weighed { problems, house: reading.house } })
    }

    fn keep<'a>(
        &'a self,
        file: &'a str,
        text: &'a str,
        was: &'a str,
        _by: (&'a By, &'a str),
        first: Doing<'a, bool>,
    ) -> Doing<'a, Result<Kept, NotKept>> {
        Box::pin(async move {
            let now = self.files.lock().unwrap().get(file).cloned();
            match now {
                Some(now) if print_of(&now) != was => return Err(NotKept::Meanwhile(now)),
                _ if !first.await => return Err(NotKept::Journal),
                _ if self.full_disk.load(Ordering::Relaxed) => return Err(NotKept::Disk),
                _ => {}
            }
            self.files.lock().unwrap().insert(file.to_owned(), text.to_owned());
            Ok(Kept::Alone)
        })
    }

    fn give_pin<'a>(&'a self, person: &'a str, pin: &'a str) -> Doing<'a, Result<(), NoPin>> {
        let given = if pin.len() < 6 {
            Err(NoPin::Weak("A PIN has 6 to 8 digits.".to_owned()))
        } else {
            self.pins.lock().unwrap().insert(person.to_owned(), pin.to_owned());
            self.guests.lock().unwrap().retain(|(_, guest, _)| guest != person);
            Ok(())
        };
        Box::pin(async move { given })
    }
}

/// A home with its desk.
pub(crate) struct Play {
    pub(crate) clock: Arc<SetClock>,
    pub(crate) records: Arc<Records>,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) running: Arc<Set>,
    pub(crate) desk: Arc<Desk>,
    folder: TempDir,
}

pub(crate) fn snapshot(home: &str, people: &[(&str, &str)]) -> Arc<Snapshot> {
    let mut files = vec![("home.yaml".to_owned(), home.to_owned())];
    files.extend(people.iter().map(|(id, text)| (format!("agreements/{id}.yaml"), (*text).to_owned())));
    let reading = agreements::read(&files, START.parse::<DateTime<Utc>>().unwrap().date_naive());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(Snapshot { house: reading.house, catalogue: Arc::new(Catalogue::empty()) })
}

impl Play {
    pub(crate) async fn new() -> Self {
        let sam = JORDAN.replace("Jordan", "Sam").replace("3c:06:30:11:22:33", "3c:06:30:11:22:44");
        Self::of(HOME, &[("jordan", JORDAN), ("sam", &sam)]).await
    }

    pub(crate) async fn of(home: &str, people: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(SetClock::at(START.parse().unwrap()));
        let store = Store::Sqlite("home.db".into());
        let records = Arc::new(Records::open(&store, folder.path(), clock.clone()).await.unwrap());
        let snapshot = snapshot(home, people);
        let standing = Arc::new(records.standing(&snapshot.house).await.unwrap());
        let in_force = Arc::new(InForce::new(snapshot, standing));
        let names = vec!["hearthgate.home.arpa".to_owned()];
        let running = Arc::new(Set::default());
        let texts = people.iter().map(|(id, text)| (format!("agreements/{id}.yaml"), (*text).to_owned()));
        *running.files.lock().unwrap() = texts.chain([("home.yaml".to_owned(), home.to_owned())]).collect();
        let desk = Desk::new(records.clone(), in_force.clone(), running.clone(), names);
        Self { clock, records, in_force, running, desk, folder }
    }

    /// Gives an account the password of these tests.
    pub(crate) async fn has_password(&self, account: &str) {
        let hash = self.desk.vault.hash(PASSWORD.to_owned()).await.unwrap();
        self.records.set_password(account, &hash).await.unwrap();
    }

    /// The file of the records.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("home.db")
    }

    /// A browser on the home's network, nobody signed in.
    pub(crate) fn browser(&self) -> Browser {
        let known = Vec::new();
        Browser {
            desk: self.desk.clone(),
            cookie: None,
            known,
            address: "192.168.4.9".to_owned(),
            secure: false,
        }
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn signed_in(&self, account: &str) -> Browser {
        let mut browser = self.browser();
        let headers = axum::http::HeaderMap::new();
        let secret = self.desk.begin(account, &headers, &browser.address).await.unwrap();
        browser.cookie = Some(format!("hearthgate={}", secret.shown()));
        browser
    }

    /// What time it is there.
    pub(crate) fn clock_now(&self) -> DateTime<Utc> {
        records::Clock::now(&*self.clock)
    }

    /// What was decided is in force, as in a running gateway.
    pub(crate) async fn settle(&self) {
        let current = self.in_force.to_keep();
        let standing = self.records.standing(&current.snapshot.house).await.unwrap();
        self.in_force.replace_standing(Arc::new(standing));
    }
}

/// What a page answered.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// What a reader sees.
    pub(crate) fn words(&self) -> String {
        words(&self.text)
    }
}

/// What a reader sees of a page: no tags, one space between words.
pub(crate) fn words(page: &str) -> String {
    let main = page.split("<main").nth(1).unwrap_or(page);
    let mut words = String::new();
    let mut within = true;
    for c in main.chars() {
        match c {
            '<' => within = true,
            '>' => {
                within = false;
                words.push(' ');
            }
            c if !within => words.push(c),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A browser with the cookie of a session, and those that say who signed in here before.
pub(crate) struct Browser {
    desk: Arc<Desk>,
    pub(crate) cookie: Option<String>,
    pub(crate) known: Vec<String>,
    pub(crate) address: String,
    pub(crate) secure: bool,
}

impl Browser {
    /// A request as this browser makes it.
    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request =
            Request::builder().method(method.clone()).uri(path).header(header::HOST, "127.0.0.1:8443");
        if method == Method::POST {
            request = request
                .header(header::ORIGIN, "http://127.0.0.1:8443")
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let cookies: Vec<&str> = self.cookie.iter().chain(&self.known).map(String::as_str).collect();
        if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) }
    }

    /// Sends a request, whatever it is; the cookie of the answer is kept.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Page {
        self.send_for_bytes(request).await.0
    }

    /// The same, with the bytes of what was answered.
    pub(crate) async fn send_for_bytes(&mut self, mut request: Request<Body>) -> (Page, Vec<u8>) {
        let peer: SocketAddr = format!("{}:40000", self.address).parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response: Response<Body> = self.desk.router(self.secure).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            match pair.contains("-known-") {
                true => self.known.push(pair.to_owned()),
                false => self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned()),
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (Page { status: parts.status, headers: parts.headers, text }, bytes.to_vec())
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let form: Vec<_> =
            form.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
        let request = self.request(Method::POST, path).body(Body::from(form.join("&"))).unwrap();
        self.send(request).await
    }
}

/// As a form encodes it.
fn encoded(text: &str) -> String {
    let byte = |b: u8| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}
