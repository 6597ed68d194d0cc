//! The kernel's own neighbour table, in a network namespace of the test's: who is behind an address follows it.
//!
//! Needs root and `ip`, and fails where it has neither, as the lab does: what nobody saw does not hold. The first test makes the namespace and runs the second inside it, in a process of its own.

// What goes wrong in a test is told by its failing, and what was skipped is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use agreements::{Gateway, Snapshot, Standing, Store, Upstream};
use blocklists::Catalogue;
use chrono::NaiveDate;
use proxy::identify::Neighbours;
use proxy::resolver::{Resolver, ResolverSettings};
use proxy::{Gate, Page};
use records::{Identified, InForce, Recorder, Records, SetClock};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Set for the process that runs inside the namespace.
const INSIDE: &str = "HEARTHGATE_TEST_NAMESPACE";

/// A network namespace, deleted with everything in it.
struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn ip(line: &str) -> Result<(), String> {
    let out = Command::new("ip").args(line.split(' ')).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    if out.status.success() { Ok(()) } else { Err(format!("ip {line}: {said}")) }
}

#[test]
fn who_is_behind_an_address_follows_the_kernels_table() {
    if std::env::var_os("HEARTHGATE_NO_LAB").is_some_and(|no| no == "1") {
        return println!("SKIPPED: HEARTHGATE_NO_LAB=1");
    }
    let name = format!("hearthgate-{}", std::process::id());
    if let Err(why) = ip(&format!("netns add {name}")) {
        panic!(
            "no network namespace can be made here ({why}): this needs root, or HEARTHGATE_NO_LAB=1 leaves it out"
        );
    }
    let namespace = Namespace(name);
    let this = std::env::current_exe().unwrap();
    let inside = Command::new("ip")
        .args(["netns", "exec", &namespace.0])
        .arg(this)
        .args(["--exact", "inside_the_namespace", "--ignored", "--nocapture"])
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success(), "{said}\n{}", String::from_utf8_lossy(&inside.stderr));
    assert!(said.contains("8 changes were seen"), "it ran: {said}");
}

const PERSON: &str = "
agreed:
  risk_assessment: {ref: RA-1, on: 2026-10-28, level: medium}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
education: none
online: {every_day: all_day}
otherwise: allow
";

fn snapshot() -> Arc<Snapshot> {
    let person =
        |name: &str, mac: &str| format!("person: {name}\ndevices: [{{name: phone, mac: \"{mac}\"}}]{PERSON}");
    let files = [
        ("home.yaml".to_owned(), "home: Oakview House\ntimezone: Europe/London\n".to_owned()),
        ("agreements/jordan.yaml".to_owned(), person("Jordan", "02:00:00:00:00:01")),
        ("agreements/sam.yaml".to_owned(), person("Sam", "02:00:00:00:00:02")),
    ];
    let reading = agreements::read(&files, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Arc::new(Snapshot { house: reading.house, catalogue: Catalogue::empty().into() })
}

async fn gate(neighbours: Neighbours, folder: &std::path::Path) -> Gate {
    let snapshot = snapshot();
    let clock = Arc::new(SetClock::at("2026-11-21T12:00:00Z".parse().unwrap()));
    let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
    let in_force = Arc::new(InForce::new(snapshot, standing));
    let records = Records::open(&Store::Sqlite("home.db".into()), folder, clock.clone()).await.unwrap();
    let (recorder, _recording) = Recorder::start(Arc::new(records), in_force.clone());
    let gateway = Gateway {
        listen: agreements::Listen::default(),
        upstream: vec![Upstream::Udp("127.0.0.1:9".parse().unwrap())],
        dnssec: agreements::Dnssec::Off,
        store: Store::Sqlite("home.db".into()),
        blocked_answer: agreements::BlockedAnswer::Zero,
        ..Gateway::default()
    };
    let resolver = Resolver::new(ResolverSettings::new(&gateway), clock.clone()).unwrap();
    let page = |_: &_, _: &_, _: &_, _, _: Option<&_>| Page { content_type: "text/plain", body: "".into() };
    Gate::new(in_force, clock, recorder, neighbours, resolver, Arc::new(page))
}

/// What is done to the table, the address, and whose it is then; none for nobody's.
const CHANGES: &[(&str, &str, Option<&str>)] = &[
    // The first stands there before anybody follows.
    (
        "neigh add 192.168.77.20 lladdr 02:00:00:00:00:01 dev home0 nud reachable",
        "192.168.77.20",
        Some("jordan"),
    ),
    ("neigh add 192.168.77.30 lladdr 02:00:00:00:00:02 dev home0 nud stale", "192.168.77.30", Some("sam")),
    ("neigh add fd77::abcd lladdr 02:00:00:00:00:01 dev home0 nud reachable", "fd77::abcd", Some("jordan")),
    (
        "neigh change 192.168.77.20 lladdr 02:00:00:00:00:02 dev home0 nud reachable",
        "192.168.77.20",
        Some("sam"),
    ),
    ("neigh change 192.168.77.20 lladdr 02:00:00:00:00:99 dev home0 nud reachable", "192.168.77.20", None),
    (
        "neigh change 192.168.77.20 lladdr 02:00:00:00:00:01 dev home0 nud permanent",
        "192.168.77.20",
        Some("jordan"),
    ),
    ("neigh del 192.168.77.30 dev home0", "192.168.77.30", None),
    (
        "neigh replace 192.168.77.30 lladdr 02:00:00:00:00:01 dev home0 nud reachable",
        "192.168.77.30",
        Some("jordan"),
    ),
];

#[tokio::test]
#[ignore = "runs inside the namespace that the other test makes"]
async fn inside_the_namespace() {
    if std::env::var_os(INSIDE).is_none() {
        return println!("skipped: the other test runs this one");
    }
    for line in [
        "link add home0 type veth peer name phone0",
        "address add 192.168.77.1/24 dev home0",
        "address add fd77::1/64 dev home0 nodad",
        "link set home0 up",
        "link set phone0 up",
        CHANGES[0].0,
    ] {
        ip(line).unwrap();
    }
    let (folder, stop, neighbours) =
        (tempfile::tempdir().unwrap(), CancellationToken::new(), Neighbours::default());
    let gate = gate(neighbours.clone(), folder.path()).await;
    let following = tokio::spawn(neighbours.follow(stop.clone()));
    for (place, (change, address, person)) in CHANGES.iter().enumerate() {
        if place > 0 {
            ip(change).unwrap();
        }
        let start = Instant::now();
        loop {
            let current = gate.in_force.to_keep();
            let who = gate.who(&current, address.parse().unwrap(), None);
            let meant = person.and_then(|person| current.snapshot.house.person(person));
            let known =
                who.identified == if person.is_some() { Identified::Mac } else { Identified::Unknown };
            if known && meant.is_none_or(|meant| meant == who.person) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{change}: {who:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    stop.cancel();
    following.await.unwrap();
    println!("{} changes were seen", CHANGES.len());
}
