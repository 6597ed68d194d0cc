//! A router that is not there, for the tests: what it would be told is heard by the test.

use super::PATIENCE;
use super::keeper::Work;
use super::netlink::Netlink;
use super::opening::Stand;
use super::openings::{Openings, Parts, Wanted, Why, lock};
use super::rules::Plan;
use super::sets::{Change, Device};
use super::watch::REMEMBERED;
use crate::gate::{Gate, Page};
use crate::identify::Neighbours;
use crate::resolver::{Resolver, ResolverSettings};
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker, Crumbs, Made};
use agreements::{Counts, Dnssec, Gateway, PersonId, Snapshot, Standing, Store, Upstream};
use blocklists::{Catalogue, Domain};
use chrono::NaiveDate;
use records::{ClockState, Episode, InForce, Recorder, Records, SetClock, Which};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Jordan's phone (everything but what is blocked), and Sam's (what is listed).
pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x11];
pub(crate) const JORDAN: (IpAddr, [u8; 6]) = (IpAddr::V4(Ipv4Addr::new(192, 168, 4, 11)), MAC);
pub(crate) const SAM: (IpAddr, [u8; 6]) = (IpAddr::V4(Ipv4Addr::new(192, 168, 4, 12)), [2, 0, 0, 0, 0, 0x12]);

/// A laptop behind another router of the home's, known by its address, and that router's hardware address.
pub(super) const BEHIND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 9, 20));
pub(super) const INNER: [u8; 6] = [2, 0, 0, 0, 0, 0x02];

/// A device of many.
pub(super) fn device(n: u8) -> (IpAddr, [u8; 6]) {
    (IpAddr::from([192, 168, 5, n]), [2, 0, 0, 0, 5, n])
}

/// An address of the internet.
pub(crate) fn site(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0b00_0000 + n).into()
}

/// The openings, and whoever hears what the kernel would be told.
pub(crate) struct Play {
    pub(super) openings: Arc<Openings>,
    pub(super) clock: Arc<SetClock>,
    work: Mutex<mpsc::Receiver<Work>>,
}

impl Play {
    /// With nothing open, where the kernel knows these devices.
    pub(crate) fn new(devices: impl IntoIterator<Item = (IpAddr, [u8; 6])>) -> Self {
        let clock = Arc::new(SetClock::at("2026-11-21T12:00:00Z".parse().unwrap()));
        // All is remembered by then.
        clock.advance(REMEMBERED);
        let (work, heard_by_test) = mpsc::channel(1024);
        let (_, heard) = mpsc::channel(1);
        let parts = Parts {
            plan: Plan { lan: vec!["br-lan".into()], wan: vec!["wan".into()], ..Plan::default() },
            table: None,
            neighbours: Neighbours::fixed(devices),
            clock: clock.clone(),
            counts: true,
            alive: Duration::ZERO,
            // Nothing is sent there.
            kernel: Netlink::open(PATIENCE).unwrap(),
            work,
            heard,
            stop: &CancellationToken::new(),
        };
        let past = super::memory::Past::default();
        let (openings, _) = Openings::new(parts, None, Some(past));
        Self { openings: Arc::new(openings), clock, work: Mutex::new(heard_by_test) }
    }

    /// What an answer by a name gives a device.
    pub(super) fn wanted(&self, name: &str, from: IpAddr, to: IpAddr, why: Why) -> Wanted {
        let made = Made {
            generation: 1,
            person: PersonId(1),
            device: None,
            clock: ClockState::Right,
            at: "2026-11-21T12:00:00Z".parse().unwrap(),
            until: None,
            counts: Counts(0),
        };
        Wanted {
            asker: Asker { address: from, token: None },
            hardware: None,
            asked: Arc::new(Asked::host(TargetHost::Name(Domain::parse(name).unwrap()))),
            protected: false,
            unread: false,
            made,
            addresses: vec![to],
            usable: Duration::from_secs(300),
            why,
        }
    }

    /// It is given: what the kernel is asked for.
    pub(super) fn gives(&self, wanted: &Wanted) -> Vec<Change> {
        let device = self.openings.device(wanted.asker.address, None);
        let (changes, _) = self.openings.prepare(device, wanted, Duration::from_secs(900));
        self.openings.tried(&changes, true);
        changes
    }

    /// What an answer by a name gives a device, which is given it.
    pub(super) fn opens_by(&self, name: &str, from: IpAddr, to: IpAddr, why: Why) -> Vec<Change> {
        self.gives(&self.wanted(name, from, to, why))
    }

    /// The same over a connection, where nobody looks at what the kernel would be told.
    pub(crate) fn connects(&self, name: &str, from: IpAddr, to: IpAddr) {
        self.opens_by(name, from, to, Why::Connected);
    }

    /// The same by any name.
    pub(super) fn opens(&self, from: IpAddr, to: IpAddr, why: Why) {
        self.opens_by("open.test", from, to, why);
    }

    /// The time of an opening is over.
    pub(super) fn lapses(&self, from: IpAddr, to: IpAddr) {
        let device = self.openings.device(from, None);
        let mut shard = self.openings.shard(device);
        let opening = shard.get_mut(&device).and_then(|of| of.get_mut(&to)).unwrap();
        opening.stand = Stand::Lapsed;
        opening.closes = opening.closes.saturating_sub(Duration::from_secs(1000));
    }

    /// Where an opening is.
    pub(super) fn stands(&self, device: Device, to: IpAddr) -> Option<Stand> {
        self.openings.shard(device).get(&device).and_then(|of| of.get(&to)).map(|opening| opening.stand)
    }

    /// Everything is looked at once: what was shut.
    pub(super) fn looks(&self, gate: &Gate) -> Vec<(Device, IpAddr)> {
        let mut crumbs = Crumbs::default();
        let shut = self.openings.shards.iter().flat_map(|shard| {
            let shut = self.openings.look(&mut lock(shard), gate, &mut crumbs);
            shut.into_iter().map(|s| (s.element.device, s.element.to))
        });
        shut.collect()
    }

    /// What is asked of the kernel from now on is done at once, as the kernel would: what was asked.
    pub(super) fn kernel(&self) -> JoinHandle<()> {
        let (openings, mut work) = (self.openings.clone(), mpsc::channel(1).1);
        std::mem::swap(&mut *lock(&self.work), &mut work);
        tokio::spawn(async move {
            while let Some(one) = work.recv().await {
                if let Work::Change(changes, done) = one {
                    openings.tried(&changes, true);
                    let _ = done.send(());
                }
            }
        })
    }
}

const HOME: &str = "home: Oakview House\ntimezone: Europe/London\n\
                    everyone: {block: [circumvention]}\nprotected: {support: [help.test]}\nunknown_devices: sign_in\n";
const AGREED: &str = "agreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28, level: medium}\n  \
                      review_by: 2027-01-31\n  young_person: {on: 2026-11-02}\n  \
                      social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n  \
                      home_manager: {name: R. Osei, on: 2026-11-02}\neducation: none\n\
                      online: {every_day: 07:00-21:00}\n";

/// A gate whose episodes can be read.
pub(crate) struct Home {
    pub(crate) gate: Arc<Gate>,
    records: Arc<Records>,
    recording: JoinHandle<()>,
    _folder: TempDir,
}

impl Home {
    /// The home in force, by a play's clock, neighbours and openings.
    pub(crate) async fn of(play: &Play) -> Self {
        let person = |name: &str, known: &str, rules: &str| {
            let text = format!("person: {name}\ndevices: [{{name: phone, {known}}}]\n{AGREED}{rules}");
            (format!("agreements/{}.yaml", name.to_lowercase()), text)
        };
        let files = [
            ("home.yaml".to_owned(), HOME.to_owned()),
            person("Jordan", "mac: \"02:00:00:00:00:11\"", "block: [closed.test]\notherwise: allow\n"),
            person("Sam", "mac: \"02:00:00:00:00:12\"", "allow: [school.test]\notherwise: block\n"),
            person("Alex", "ip: 192.168.9.20", "otherwise: allow\n"),
        ];
        let reading = agreements::read(&files, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
        let errors: Vec<_> =
            reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let snapshot = Arc::new(Snapshot { house: reading.house, catalogue: Catalogue::empty().into() });
        let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
        let in_force = Arc::new(InForce::new(snapshot, standing));
        let folder = TempDir::new().unwrap();
        let store = Store::Sqlite("home.db".into());
        let records = Arc::new(Records::open(&store, folder.path(), play.clock.clone()).await.unwrap());
        let (recorder, recording) = Recorder::start(records.clone(), in_force.clone());
        let upstream = vec![Upstream::Udp("127.0.0.1:9".parse().unwrap())];
        let gateway = Gateway { upstream, dnssec: Dnssec::Off, store, ..Gateway::default() };
        let resolver = Resolver::new(ResolverSettings::new(&gateway), play.clock.clone()).unwrap();
        let page =
            |_: &_, _: &_, _: &_, _, _: Option<&_>| Page { content_type: "text/plain", body: "".into() };
        let neighbours = play.openings.neighbours.clone();
        let gate = Gate::new(in_force, play.clock.clone(), recorder, neighbours, resolver, Arc::new(page));
        let gate = Arc::new(gate.with_openings(Some(play.openings.clone())));
        Self { gate, records, recording, _folder: folder }
    }

    /// The episodes, once nothing more comes.
    pub(crate) async fn episodes(self) -> Vec<Episode> {
        self.gate.recorder.stop();
        self.recording.await.unwrap();
        self.records.episodes(&Which::default()).await.unwrap()
    }
}
