//! A record as Markdown: the machine, the versions, how, the medians with their spread, the ratios, and the noise.

use crate::dns::{LOADS, STEADY};
use crate::options::Only;
use crate::peers::PEERS;
use crate::record::Record;
use crate::samples::{Samples, Spread};
use crate::table;
use std::fmt::Write;

/// A column: its title, what it shows, with how many digits, divided by what.
type Column = (&'static str, &'static str, &'static str, usize, f64);

const DNS_RATES: &[Column] = &[
    ("refused, Zipf", "refused", "rate", 0, 1.0),
    ("refused, each once (cold)", "refused-once", "rate", 0, 1.0),
    ("allowed, cached", "allowed", "rate", 0, 1.0),
    ("mixed 30/70", "mixed", "rate", 0, 1.0),
];
const DNS_PROCESSOR: &[Column] = &[
    ("refused, Zipf", "refused", "cpu_us", 2, 1.0),
    ("refused, each once (cold)", "refused-once", "cpu_us", 2, 1.0),
    ("allowed, cached", "allowed", "cpu_us", 2, 1.0),
    ("mixed 30/70", "mixed", "cpu_us", 2, 1.0),
    ("mixed at 20,000 a second", STEADY, "cpu_us", 2, 1.0),
];
const DNS_DELAYS: &[Column] = &[
    ("p50, µs", STEADY, "p50", 0, 1.0),
    ("p99, µs", STEADY, "p99", 0, 1.0),
    ("p99.9, µs", STEADY, "p999", 0, 1.0),
    ("resident loaded, MiB", "memory", "loaded_kib", 1, 1024.0),
    ("resident at the end, MiB", "memory", "end_kib", 1, 1024.0),
    ("start to first answer, ms", "start", "ms", 0, 1.0),
];
const HTTP_RATES: &[Column] = &[
    ("1 KiB requests a second", "requests", "rate", 0, 1.0),
    ("p99, µs", "requests", "p99", 0, 1.0),
    ("CONNECT tunnels a second", "tunnels", "rate", 0, 1.0),
    ("one tunnel, GiB a second", "flow", "rate", 2, 1.0),
    ("idle tunnel, KiB", "idle", "kib", 1, 1.0),
    ("idle tunnels open", "idle", "opened", 0, 1.0),
];
const HTTP_PROCESSOR: &[Column] = &[
    ("µs a request", "requests", "cpu_us", 2, 1.0),
    ("µs a tunnel", "tunnels", "cpu_us", 1, 1.0),
    ("ms a GiB", "flow", "cpu_us", 0, 1000.0),
    ("core busy: requests", "requests", "busy", 2, 1.0),
    ("core busy: tunnels", "tunnels", "busy", 2, 1.0),
    ("core busy: one tunnel", "flow", "busy", 2, 1.0),
];

/// The record as a page.
pub(crate) fn whole(record: &Record) -> String {
    let measured = &record.measured;
    let mut text = head(record);
    text += "\n## Ratios\n\n";
    text += &table::table(measured);
    let dns: Vec<&str> = LOADS.iter().map(|(work, ..)| *work).chain([STEADY]).collect();
    if !measured.peers(&dns).is_empty() {
        text += &format!("\n## DNS over UDP\n\nAnswers a second:\n\n{}", columns(measured, DNS_RATES));
        text += &format!(
            "\nProcessor of the server, µs an answer, with the work that it puts off:\n\n{}",
            columns(measured, DNS_PROCESSOR)
        );
        text += &format!(
            "\nDelays at a fixed 20,000 questions a second (mixed), memory, start:\n\n{}",
            columns(measured, DNS_DELAYS)
        );
        text += &answered(measured, &dns);
    }
    if !measured.peers(&["requests"]).is_empty() {
        text += &format!("\n## HTTP\n\n{}", columns(measured, HTTP_RATES));
        text += &format!(
            "\nProcessor of the proxy. Where its core is busy less than 0.9, the load's core was the limit:\n\n{}",
            columns(measured, HTTP_PROCESSOR)
        );
    }
    text += &noise(record);
    text += &programs(record);
    text
}

fn head(record: &Record) -> String {
    let machine = &record.machine;
    let mut text = format!("# Hearthgate beside its peers, {}\n\n    {}\n\n", machine.date, record.command);
    let _infallible = writeln!(
        text,
        "{} cores of {}, {} MiB, {}; {}; commit {}. Load of the machine before: {}.\n\n{}.\n\
         Median of {} rounds of {} s, and from the least to the most. Each server is held to one core; who asks, the\n\
         authoritative server and the web server to another. The load comes from {} addresses of six people.",
        machine.cores,
        machine.processor,
        machine.memory_mib,
        machine.kernel,
        machine.rustc,
        machine.commit,
        machine.load,
        record.names,
        record.rounds,
        record.seconds,
        record.addresses
    );
    text
}

/// A table with a row for each peer.
fn columns(measured: &Samples, columns: &[Column]) -> String {
    let titles: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let mut text = format!("| | {} |\n|---|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
    let works: Vec<&str> =
        columns.iter().map(|column| column.1).filter(|w| !["memory", "start"].contains(w)).collect();
    for peer in measured.peers(&works) {
        let cells = columns.iter().map(|(_, work, figure, digits, unit)| {
            measured
                .spread(&peer, work, figure)
                .map_or("–".to_owned(), |spread| cell(spread, *digits, *unit))
        });
        let cells: Vec<String> = cells.collect();
        let _infallible = writeln!(text, "| {peer} | {} |", cells.join(" | "));
    }
    text
}

fn cell(spread: Spread, digits: usize, unit: f64) -> String {
    let show = |value: f64| format!("{:.digits$}", value / unit);
    let [median, least, most] = [spread.median, spread.least, spread.most].map(show);
    if least == most { median } else { format!("{median} ({least}–{most})") }
}

/// What was not answered as it should be; nothing when all was.
fn answered(measured: &Samples, works: &[&str]) -> String {
    let mut text = String::new();
    for peer in measured.peers(works) {
        for work in works {
            for (figure, what) in [
                ("lost_ppm", "lost"),
                ("limited_ppm", "told to come back over TCP"),
                ("failed_ppm", "answered otherwise"),
            ] {
                let Some(spread) = measured.spread(&peer, work, figure).filter(|s| s.most > 0.0) else {
                    continue;
                };
                let _infallible =
                    writeln!(text, "- {peer}, {work}: {} of a million {what}", cell(spread, 0, 1.0));
            }
        }
    }
    match text.is_empty() {
        true => "\nNo question was lost.\n".into(),
        false => format!("\nNot answered as asked:\n\n{text}"),
    }
}

fn noise(record: &Record) -> String {
    let noise = &record.measured.noise;
    let disturbed: Vec<_> = noise.iter().filter(|noise| noise.disturbs()).collect();
    let mut text = format!(
        "\n## How quiet the machine was\n\n{} of {} measurements lost more than 5 % of a core to the host or to other programs.\n",
        disturbed.len(),
        noise.len()
    );
    if disturbed.len() * 10 > noise.len() {
        text += "**The machine was noisy: rates are lower bounds, and only processor time can be compared, with care.**\n";
    }
    let mut worst = disturbed;
    worst.sort_by(|a, b| {
        (b.steal + b.others_server + b.others_load).total_cmp(&(a.steal + a.others_server + a.others_load))
    });
    for noise in worst.iter().take(20) {
        let _infallible = writeln!(
            text,
            "- round {}, {}, {}: the host took {:.0} % of a core, others {:.0} % of the server's and {:.0} % of the load's",
            noise.round,
            noise.peer,
            noise.work,
            noise.steal * 100.0,
            noise.others_server * 100.0,
            noise.others_load * 100.0
        );
    }
    for failure in &record.measured.failures {
        let _infallible = writeln!(text, "- **not measured**: {failure}");
    }
    text
}

fn programs(record: &Record) -> String {
    let mut text = "\n## The programs\n\nConfigurations are in benches/peers/, versions are Debian's.\n\n| | version | command | |\n|---|---|---|---|\n".to_owned();
    let measured = &record.measured;
    let versions = &record.machine.versions;
    for peer in PEERS {
        let work = if peer.half == Only::Dns { "mixed" } else { "requests" };
        if !measured.peers(&[work]).iter().any(|name| name == peer.name) {
            continue;
        }
        let version =
            versions.iter().find(|(package, _)| package == peer.package).map_or("", |(_, version)| version);
        let command = if peer.command.is_empty() { "hearthgate run" } else { peer.command };
        let _infallible = writeln!(text, "| {} | {version} | `{command}` | {} |", peer.name, peer.note);
    }
    text
}
