//! A home in force with its DNS listeners running.

use crate::ask::{PATIENCE, Question, said, udp_raw};
use crate::internet::Server;
use agreements::{BlockedAnswer, DeviceBy, Gateway, House, Snapshot, SourceId, Standing, Store, Upstream};
use blocklists::Catalogue;
use chrono::{DateTime, NaiveDate, Utc};
use proxy::dns::{Bound, Dns, DnsSettings, Listening};
use proxy::identify::Neighbours;
use proxy::resolver::{Resolver, ResolverSettings};
use proxy::{Gate, Page};
use records::{Episode, InForce, Recorder, Records, SetClock, Which};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Jordan's phone, Sam's laptop (allow-only), a member of staff's, a device nobody knows.
pub const JORDAN: &str = "127.0.0.2";
pub const SAM: &str = "127.0.0.3";
pub const KATE: &str = "127.0.0.4";
pub const UNKNOWN: &str = "127.0.0.9";
pub const TOKEN: &str = "jordan-tablet-7f3a19c6d2";

const HOME: &str = "
home: Oakview House
timezone: Europe/London
everyone: {block: [pornography, circumvention, floor.test], safe_search: moderate}
protected: {support: [help.test], private_mail: [mail.test]}
baseline: {online: {every_day: all_day}, allow: [learn.test], otherwise: block}
unknown_devices: baseline
";

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
  - {name: phone, ip: 192.168.4.2}
  - {name: tablet, token: jordan-tablet-7f3a19c6d2}
online: {every_day: 07:00-21:00}
limits: {everything: 4h, video.test: 1h}
ask: [ask.test]
with_staff: [together.test]
block: [blocked.test]
otherwise: allow
safe_search: strict
";

const SAMS: &str = "
person: Sam
devices: [{name: laptop, ip: 192.168.4.3}]
online: {every_day: all_day}
allow: [www.test, carried.test]
otherwise: block
";

const KATES: &str = "
person: Kate
for: staff
devices: [{name: phone, ip: 192.168.4.4}]
online: {every_day: all_day}
otherwise: allow
";

/// A Saturday noon.
pub const NOON: &str = "2026-11-21T12:00:00Z";

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// The home's files, compiled.
pub fn snapshot() -> Arc<Snapshot> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("home.yaml", HOME),
        file("agreements/jordan.yaml", &format!("{JORDANS}{AGREED}")),
        file("agreements/sam.yaml", &format!("{SAMS}{AGREED}")),
        file("agreements/kate.yaml", &format!("{KATES}{AGREED}")),
    ];
    let reading = agreements::read(&files, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "the test's own home is right: {errors:#?}");
    Arc::new(Snapshot { house: on_loopback(&reading.house), catalogue: Catalogue::empty().into() })
}

/// The same home with its devices on loopback, where no file may have them: `192.168.4.x` is `127.0.0.x` here.
fn on_loopback(house: &House) -> House {
    let sources = (0..).map_while(|id| house.source(SourceId(id)).cloned()).collect();
    let mut home = house.home().clone();
    for device in home.people.iter_mut().flat_map(|person| &mut person.devices) {
        if let DeviceBy::Ip(IpAddr::V4(v4)) = &mut device.by {
            *v4 = Ipv4Addr::new(127, 0, 0, v4.octets()[3]);
        }
    }
    House::new(home, sources)
}

/// How a test's gateway differs from the usual one.
pub struct Setup {
    pub gateway: Gateway,
    pub dns: Box<dyn FnOnce(&mut DnsSettings)>,
    pub resolver: Box<dyn FnOnce(&mut ResolverSettings)>,
    /// Whose hardware address is behind an address.
    pub neighbours: Vec<(IpAddr, [u8; 6])>,
}

impl Setup {
    pub fn new(upstreams: &[&Arc<Server>]) -> Self {
        let upstream = upstreams.iter().map(|server| Upstream::Udp(server.address)).collect();
        let gateway = Gateway { upstream, ..gateway() };
        Self { gateway, dns: Box::new(|_| {}), resolver: Box::new(|_| {}), neighbours: Vec::new() }
    }

    pub fn blocked(mut self, answer: BlockedAnswer) -> Self {
        self.gateway.blocked_answer = answer;
        self
    }

    /// The kernel knows who is behind these addresses.
    pub fn neighbours(mut self, known: &[(&str, u8)]) -> Self {
        self.neighbours =
            known.iter().map(|(ip, last)| (ip.parse().unwrap(), [2, 0, 0, 0, 0, *last])).collect();
        self
    }

    pub fn dns(mut self, change: impl FnOnce(&mut DnsSettings) + 'static) -> Self {
        self.dns = Box::new(change);
        self
    }

    pub fn resolver(mut self, change: impl FnOnce(&mut ResolverSettings) + 'static) -> Self {
        self.resolver = Box::new(change);
        self
    }
}

fn gateway() -> Gateway {
    Gateway {
        listen: agreements::Listen::default(),
        upstream: Vec::new(),
        dnssec: agreements::Dnssec::Pass,
        store: Store::Sqlite("home.db".into()),
        blocked_answer: BlockedAnswer::Page,
        ..Gateway::default()
    }
}

/// A home with its DNS running.
pub struct Home {
    pub dns: Arc<Dns>,
    pub clock: Arc<SetClock>,
    pub in_force: Arc<InForce>,
    pub address: SocketAddr,
    stop: CancellationToken,
    listening: Listening,
    records: Arc<Records>,
    recording: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Home {
    pub async fn open(setup: Setup) -> Self {
        let clock = Arc::new(SetClock::at(instant(NOON)));
        let snapshot = snapshot();
        let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
        let in_force = Arc::new(InForce::new(snapshot, standing));
        let folder = tempfile::tempdir().expect("a folder for records");
        let records = Records::open(&setup.gateway.store, folder.path(), clock.clone()).await;
        let records = Arc::new(records.expect("records open"));
        let (recorder, recording) = Recorder::start(records.clone(), in_force.clone());
        // Whatever addresses the machine has that runs the tests: the gateway here has one.
        let is_own = |address| address == IpAddr::from([192, 0, 2, 77]);
        let mut resolver = ResolverSettings { is_own, ..ResolverSettings::new(&setup.gateway) };
        (setup.resolver)(&mut resolver);
        let mut settings = DnsSettings { workers: 2, ..DnsSettings::new(&setup.gateway) };
        (setup.dns)(&mut settings);
        let gate = Arc::new(Gate::new(
            in_force.clone(),
            clock.clone(),
            recorder,
            Neighbours::fixed(setup.neighbours),
            Resolver::new(resolver, clock.clone()).expect("a resolver"),
            Arc::new(|_, _, _, _, _| Page { content_type: "text/plain", body: "".into() }),
        ));
        let workers = settings.workers;
        let dns = Dns::new(gate, settings);
        let bound = Bound::bind("0.0.0.0:0".parse().unwrap(), workers).expect("a port");
        let stop = CancellationToken::new();
        let listening = dns.listen(bound, &stop).expect("it listens");
        let address = SocketAddr::new("127.0.0.1".parse().unwrap(), listening.address().port());
        Self { dns, clock, in_force, address, stop, listening, records, recording, _folder: folder }
    }

    /// Asks over UDP, and says what was answered.
    pub async fn ask(&self, device: &str, question: &str) -> String {
        said(&self.raw(device, question).await)
    }

    pub async fn raw(&self, device: &str, question: &str) -> Vec<u8> {
        let bytes = Question::read(question).bytes();
        let answer = udp_raw(device, self.address, &bytes, PATIENCE).await.expect("an answer");
        assert_eq!(answer[..2], bytes[..2], "the identifier is the question's");
        answer
    }

    /// From now on the first device of each of these is known otherwise.
    pub fn lives_with(&self, known: &[(&str, DeviceBy)]) {
        let current = self.in_force.to_keep();
        let house = &current.snapshot.house;
        let sources = (0..).map_while(|id| house.source(SourceId(id)).cloned()).collect();
        let mut home = house.home().clone();
        for person in &mut home.people {
            if let Some((_, by)) = known.iter().find(|(id, _)| *id == person.id) {
                person.devices[0].by = by.clone();
            }
        }
        let catalogue = current.snapshot.catalogue.clone();
        let snapshot = Arc::new(Snapshot { house: House::new(home, sources), catalogue });
        let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
        self.in_force.replace(snapshot, standing);
    }

    /// A counter's number.
    pub fn counted(&self, name: &str) -> u64 {
        let all = self.dns.counters().all();
        all.iter().find(|(n, ..)| *n == name).expect("a counter").2
    }

    /// Stops everything and gives what was recorded, in order.
    pub async fn breaches(self) -> Vec<Episode> {
        self.recorded().await.0
    }

    /// The same, and the day's sums by what they are of.
    pub async fn recorded(self) -> (Vec<Episode>, Vec<(String, u64)>) {
        self.stop.cancel();
        self.listening.ended().await;
        self.dns.gate().recorder.stop();
        self.recording.await.expect("the journal ends well");
        let episodes = self.records.episodes(&Which::default()).await.expect("the journal can be read");
        let totals = self.records.totals(instant(NOON).date_naive()).await.expect("and so can the sums");
        (episodes, totals.into_iter().map(|total| (total.kind, total.count)).collect())
    }
}
