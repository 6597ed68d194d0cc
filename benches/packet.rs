//! A packet's life without the kernel's share of it: bytes in, bytes out, in batches as a worker takes them, with
//! everything on. What a refusal costs the journal's task beside that is told as well.
//!
//! `HEARTHGATE_SECONDS` makes each measurement longer (1).

// A bench is a program whose figures go to its output.
#![allow(clippy::print_stdout)]

use agreements::{Gateway, Snapshot, Standing, Store, Upstream};
use benches::homes::instant;
use benches::names::{Dice, listed};
use benches::people::People;
use blocklists::format::ListInput;
use blocklists::{Catalogue, Category, Compiler, Tags};
use proxy::dns::{Asker, BATCH, Batches, Dns, DnsSettings, Step, Transport};
use proxy::resolver::{Resolver, ResolverSettings};
use proxy::{Gate, Page, identify::Neighbours};
use records::{InForce, Recorder, Records, SystemClock};
use rustix::time::{ClockId, clock_gettime};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The peers' home: six agreements that differ.
const HOME: &str = include_str!("peers/hearthgate/home.yaml");
const AGREEMENTS: [(&str, &str); 6] = [
    ("alex", include_str!("peers/hearthgate/agreements/alex.yaml")),
    ("ash", include_str!("peers/hearthgate/agreements/ash.yaml")),
    ("charlie", include_str!("peers/hearthgate/agreements/charlie.yaml")),
    ("jordan", include_str!("peers/hearthgate/agreements/jordan.yaml")),
    ("robin", include_str!("peers/hearthgate/agreements/robin.yaml")),
    ("sam", include_str!("peers/hearthgate/agreements/sam.yaml")),
];
const LISTED: [&str; 4] = ["gambling", "advertising", "malware", "pornography"];
const NAMES: usize = 1_000_000;
const PEOPLE: People = People { people: 6, devices: 16 };

fn house() -> agreements::House {
    let mut files = vec![("home.yaml".to_owned(), HOME.to_owned())];
    for (place, (name, text)) in (0..).zip(AGREEMENTS) {
        let text = text.replace("@NETWORK@", &PEOPLE.network(place));
        files.push((format!("agreements/{name}.yaml"), text));
    }
    let reading = agreements::read(&files, instant("2026-11-24T17:00:00Z").date_naive());
    assert!(reading.house.people().len() == 6, "six people");
    reading.house
}

fn catalogue(names: &[String]) -> Catalogue {
    let mut compiler = Compiler::with_seed(7);
    for (place, word) in LISTED.iter().enumerate() {
        let category = Category::from_word(word).expect("a category's word");
        let text: Vec<&str> = names.iter().skip(place).step_by(LISTED.len()).map(String::as_str).collect();
        let text = text.join("\n");
        compiler.add(ListInput::new(word, Tags::category(category), text.as_bytes())).expect("a list");
    }
    compiler.finish(0).expect("a million names fit")
}

/// A question for the addresses of a name, with an OPT record.
fn question(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn spent(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The gateway's DNS with everything on, its recorder writing to a folder.
fn dns(names: &[String], folder: &Path, runtime: &Runtime) -> Arc<Dns> {
    let snapshot = Arc::new(Snapshot { house: house(), catalogue: Arc::new(catalogue(names)) });
    let standing = Arc::new(Standing::new(&snapshot.house, &[], &[], &|_, _| 0));
    let in_force = Arc::new(InForce::new(snapshot, standing));
    let clock = Arc::new(SystemClock::new());
    let store = Store::Sqlite("home.db".into());
    let records = runtime.block_on(Records::open(&store, folder, clock.clone())).expect("records open");
    let (recorder, _recording) = Recorder::start(Arc::new(records), in_force.clone());
    let nobody = Upstream::Udp("127.0.0.1:9".parse().expect("an address"));
    let gateway = Gateway { upstream: vec![nobody], ..Gateway::default() };
    let resolver = Resolver::new(ResolverSettings::new(&gateway), clock.clone()).expect("a resolver");
    let pages = Arc::new(|_: &_, _: &_, _: &_, _, _: Option<&_>| Page {
        content_type: "text/plain",
        body: "".into(),
    });
    let gate = Gate::new(in_force, clock, recorder, Neighbours::fixed([]), resolver, pages);
    Dns::new(Arc::new(gate), DnsSettings { rate: None, ..DnsSettings::new(&gateway) })
}

/// Answers these packets again and again, and gives the processor time of one: the thread's own, and with the journal's task.
fn measure(dns: &Dns, batches: &mut Batches, packets: &[Vec<u8>], time: Duration) -> (u64, u64) {
    let asker = |number| Asker {
        from: PEOPLE.source(number).into(),
        to: Some(Ipv4Addr::LOCALHOST.into()),
        token: None,
        transport: Transport::Udp,
    };
    let (own, whole) = (spent(ClockId::ThreadCPUTime), spent(ClockId::ProcessCPUTime));
    let (mut count, mut answered) = (0, 0);
    while spent(ClockId::ThreadCPUTime) - own < time {
        for chunk in
            packets.chunks_exact(BATCH).skip(count as usize / BATCH % (packets.len() / BATCH)).take(100)
        {
            let asked = (count..).zip(chunk).map(|(number, bytes)| Some((bytes.as_slice(), asker(number))));
            answered += batches.answer(dns, asked).filter(|(step, _)| *step == Step::Answer).count() as u64;
            count += BATCH as u64;
        }
    }
    assert!(answered * 1000 > count * 999, "only {answered} of {count} were answered at once");
    let one = |clock, since| (spent(clock) - since).as_nanos() as u64 / count;
    (one(ClockId::ThreadCPUTime, own), one(ClockId::ProcessCPUTime, whole))
}

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let (folder, names) = (tempfile::tempdir().expect("a folder"), listed(&benches::names::real(), NAMES));
    let (dns, mut batches) = (dns(&names, folder.path(), &runtime), Batches::default());
    let (zipf, mut dice) = (benches::names::zipf(names.len(), 1_000_000), Dice::new(9));
    let once = (0..400_000).map(|_| dice.roll(names.len())).collect();
    let few = zipf.iter().copied().take(200).collect();
    let seconds = std::env::var("HEARTHGATE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    for (what, places) in [("200 names", few), ("Zipf", zipf), ("each once", once)] {
        let packets: Vec<_> = places.into_iter().map(|place| question(&names[place])).collect();
        for _ in 0..3 {
            let (own, whole) = measure(&dns, &mut batches, &packets, Duration::from_secs_f64(seconds));
            println!("refused, {what}: {own} ns a question, {whole} with the journal's task");
        }
    }
}
