//! A home in force with its proxy running.

use agreements::{LiveGrant, Snapshot, Standing, Store};
use blocklists::Catalogue;
use chrono::{DateTime, NaiveDate, Utc};
use proxy::http::{Config, Counters, Limits, serve};
use proxy::identify::Neighbours;
use proxy::resolver::{Resolver, ResolverSettings};
use proxy::target::Reach;
use proxy::{Gate, Page, Want};
use records::{Episode, InForce, Recorder, Records, SetClock, Which};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Jordan's phone, Sam's laptop (allow-only), the lounge's shared computer, a device nobody knows.
pub const JORDAN: &str = "127.0.0.2";
pub const SAM: &str = "127.0.0.3";
pub const UNKNOWN: &str = "127.0.0.9";
/// The token of Jordan's tablet.
pub const TOKEN: &str = "jordan-tablet-7f3a19c6d2";

const HOME: &str = "
home: Oakview House
timezone: Europe/London
everyone: {block: [circumvention, floor.test], safe_search: off}
protected: {support: [help.test], private_mail: [mail.test]}
baseline: {online: {every_day: all_day}, allow: [learn.test], otherwise: block}
unknown_devices: baseline
";

/// What every complete agreement has.
const AGREED: &str = "
agreed:
  risk_assessment: {ref: RA-1, on: 2026-10-28, level: medium}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
education: none
";

const JORDANS: &str = "
person: Jordan
devices:
  - {name: phone, network: 127.0.0.2/32}
  - {name: tablet, token: jordan-tablet-7f3a19c6d2}
online: {every_day: 07:00-21:00}
limits: {everything: 4h, video.test: 1h}
ask: [ask.test]
block: [blocked.test, plain.test/games]
otherwise: allow
";

const SAMS: &str = "
person: Sam
devices: [{name: laptop, network: 127.0.0.3/32}]
online: {every_day: all_day}
allow: [plain.test, learn.test]
otherwise: block
";

/// A Saturday noon.
pub const NOON: &str = "2026-11-21T12:00:00Z";

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A home's files compiled, with Jordan's agreement as given.
pub fn snapshot(jordans: &str) -> Arc<Snapshot> {
    snapshot_with(jordans, "127.0.0.0/8")
}

/// The same, with another network opened as the home's own. (The proxy may always dial loopback here, where the origins are.)
fn snapshot_with(jordans: &str, opened: &str) -> Arc<Snapshot> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("home.yaml", HOME),
        file("gateway.yaml", &format!("upstream: [\"udp://192.0.2.53\"]\nhome_network: [{opened}]\n")),
        file("agreements/jordan.yaml", &format!("{jordans}{AGREED}")),
        file("agreements/sam.yaml", &format!("{SAMS}{AGREED}")),
    ];
    let reading = agreements::read(&files, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "the test's own home is right: {errors:#?}");
    Arc::new(Snapshot { house: reading.house, catalogue: Catalogue::empty().into() })
}

/// Jordan's agreement with one text for another.
pub fn jordans_with(old: &str, new: &str) -> String {
    assert!(JORDANS.contains(old));
    JORDANS.replace(old, new)
}

/// A home with its proxy running.
pub struct Home {
    pub gate: Arc<Gate>,
    pub clock: Arc<SetClock>,
    pub in_force: Arc<InForce>,
    pub counters: Arc<Counters>,
    pub proxy: SocketAddr,
    pub stop: CancellationToken,
    pub serving: JoinHandle<()>,
    pub records: Arc<Records>,
    recording: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Home {
    /// The home as it stands above.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// The home with another configuration of its proxy.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(SetClock::at(instant(NOON)));
        let snapshot = snapshot(JORDANS);
        let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
        let in_force = Arc::new(InForce::new(snapshot, standing));
        let folder = tempfile::tempdir().expect("a folder for records");
        let store = Store::Sqlite("home.db".into());
        let records = Records::open(&store, folder.path(), clock.clone()).await.expect("records open");
        let records = Arc::new(records);
        let (recorder, recording) = Recorder::start(records.clone(), in_force.clone());
        let gate = Arc::new(Gate::new(
            in_force.clone(),
            clock.clone(),
            recorder,
            Neighbours::fixed([]),
            resolver(clock.clone()).await,
            Arc::new(|_, _, why, want, _| page(why, want)),
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = listener.local_addr().expect("an address");
        let mut config = Config {
            reach: Reach {
                home_network: vec![("127.0.0.0".parse().unwrap(), 8)],
                own_ports: vec![proxy.port()],
            },
            limits: Limits { opening: Duration::from_millis(500), ..Limits::default() },
            ..Config::default()
        };
        change(&mut config);
        let counters = config.counters.clone();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(vec![listener], gate.clone(), config, stop.clone()));
        Self { gate, clock, in_force, counters, proxy, stop, serving, records, recording, _folder: folder }
    }

    /// Brings another agreement of Jordan's into force.
    pub fn change_jordans(&self, jordans: &str) {
        self.change(snapshot(jordans));
    }

    /// What stands on loopback is not the home's own any more.
    pub fn close_addresses(&self) {
        self.change(snapshot_with(JORDANS, "127.66.0.0/16"));
    }

    fn change(&self, snapshot: Arc<Snapshot>) {
        let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
        self.in_force.replace(snapshot, standing);
    }

    /// Brings these grants into force, in place of any before.
    pub fn grant(&self, grants: &[LiveGrant]) {
        let house = &self.in_force.current().snapshot.house;
        let standing = Standing::new(house, grants, &[], &|_, _| 0);
        self.in_force.replace_standing(Arc::new(standing));
    }

    /// Stops everything and gives what was recorded, in order.
    pub async fn breaches(self) -> Vec<Episode> {
        self.stop.cancel();
        self.serving.await.expect("the proxy ends well");
        self.gate.recorder.stop();
        self.recording.await.expect("the journal ends well");
        self.records.episodes(&Which::default()).await.expect("the journal can be read")
    }

    /// Waits until something holds; the proxy's own tasks make it so.
    pub async fn until(&self, what: &str, holds: impl Fn(&Counters) -> bool) {
        let start = Instant::now();
        while !holds(&self.counters) {
            assert!(start.elapsed() < Duration::from_secs(10), "in ten seconds: {what}; {:?}", self.counters);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A page that says what the explanation says, so that a test can read it.
fn page(why: &agreements::Explanation, want: Want) -> Page {
    let (content_type, body) = match want {
        Want::Html => ("text/html; charset=utf-8", format!("<p>{}</p>", why.sentence)),
        Want::Json => ("application/json", serde_json::to_string(why).expect("an explanation is JSON")),
        Want::Text => ("text/plain; charset=utf-8", format!("{}\n", why.sentence)),
    };
    Page { content_type, body: body.into() }
}

/// The real resolver, with a small name server on loopback as the internet's.
async fn resolver(clock: Arc<SetClock>) -> Resolver {
    let server = crate::names::serve().await;
    let text = format!("upstream: [\"udp://{server}\"]\nhome_network: [127.0.0.0/8]\ndnssec: pass\n");
    let files = [("gateway.yaml".to_owned(), text), ("home.yaml".to_owned(), HOME.to_owned())];
    let reading = agreements::read(&files, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let gateway = reading.gateway.unwrap_or_else(|| panic!("{:?}", reading.problems));
    Resolver::new(ResolverSettings::new(&gateway), clock).unwrap_or_else(|_| panic!("a resolver"))
}
