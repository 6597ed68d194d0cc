//! A hundred thousand refusals a second for a minute: memory must not grow, the journal must keep its bounds, and nothing
//! in it may be lost that the folding should keep.

use crate::dns::number;
use crate::machine::Machine;
use crate::peers::{HEARTHGATE, PEERS};
use crate::process::on_core;
use crate::world::World;
use crate::{Done, home, say};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Refusals a second.
const RATE: u32 = 100_000;

/// What waits has so long to be written down once the load is over.
const SETTLES: Duration = Duration::from_secs(10);

/// What is looked at every second.
struct Look {
    second: u64,
    resident_mib: f64,
    journal_mib: f64,
    entries: f64,
    queued: f64,
    shed: f64,
}

/// Floods Hearthgate and writes what came of it.
pub(crate) fn run(world: &World<'_>) -> Done {
    let options = world.options;
    let seconds = if options.quick { 5 } else { 60 };
    let home = home::Home::build(world, options.people, "")?;
    let peer = PEERS.iter().find(|peer| peer.name == HEARTHGATE).ok_or("the subject has a row")?;
    let subject = home.start(world, peer, 1)?;
    subject.running.settle();
    let look = |second| -> Done<Look> {
        let metrics = scrape(&home)?;
        Ok(Look {
            second,
            resident_mib: subject.running.resident() / 1024.0,
            journal_mib: journal_bytes(&home) as f64 / f64::from(1 << 20),
            entries: metric(&metrics, "journal_entries"),
            queued: metric(&metrics, "recorder_queued"),
            shed: metric(&metrics, "recorder_shed"),
        })
    };
    let mut looks = vec![look(0)?];
    let command = format!(
        "{}/dns-load load {} {} --rate {RATE} --window 8000 --seconds {seconds} --people {} --devices {}",
        options.built.display(),
        subject.address,
        world.lists.join("recorded").display(),
        options.people.people,
        options.people.devices
    );
    let mut load = on_core(options.load_core, &command);
    let load = load.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let begun = Instant::now();
    for second in 1..=seconds {
        let at = Duration::from_secs(second);
        std::thread::sleep(at.saturating_sub(begun.elapsed()));
        looks.push(look(second)?);
        let last = &looks[looks.len() - 1];
        say(format!(
            "{second} s: {:.1} MiB resident, journal {:.1} MiB, {} entries",
            last.resident_mib, last.journal_mib, last.entries
        ));
    }
    let came: Value = serde_json::from_slice(&load.wait_with_output()?.stdout)?;
    subject.running.settle();
    looks.push(settled(|| look(seconds + 10))?);
    drop(subject);
    let verified = home.command(world, &["breaches", "verify"]);
    let verified = verified.unwrap_or_else(|error| format!("FAILED: {error}"));
    let told = told(&home.command(world, &["breaches", "list", "--json"])?)?;
    let report = report(world, &came, &looks, (&told, &verified));
    let shed = looks.last().map_or(0.0, |last| last.shed);
    if (told.refusals as f64) + shed < number(&came, "refused") {
        return Err(format!("refusals were lost that nobody counted:\n{report}").into());
    }
    print!("{report}");
    if !options.quick {
        let day = Machine::look(&[]).date;
        let day = day.split(' ').next().unwrap_or("undated");
        fs::create_dir_all(&options.record)?;
        fs::write(options.record.join(format!("{day}-flood.md")), report)?;
        fs::write(options.record.join(format!("{day}-flood.csv")), csv(&looks))?;
    }
    Ok(())
}

/// What the list says afterwards.
struct Told {
    episodes: usize,
    refusals: u64,
}

fn told(list: &str) -> Done<Told> {
    let list: Vec<Value> = serde_json::from_str(list)?;
    let refusals = list.iter().filter_map(|episode| episode["count"].as_u64()).sum();
    Ok(Told { episodes: list.len(), refusals })
}

/// Looks until nothing waits any more: the gateway says so a few times a second.
fn settled(look: impl Fn() -> Done<Look>) -> Done<Look> {
    let begun = Instant::now();
    loop {
        let seen = look()?;
        if seen.queued == 0.0 || begun.elapsed() > SETTLES {
            return Ok(seen);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn report(world: &World<'_>, came: &Value, looks: &[Look], (told, verified): (&Told, &str)) -> String {
    let machine = Machine::look(&[]);
    let answers = number(came, "answers");
    let mut text = format!("# A flood of refusals, {}\n\n    benches/compare --flood\n\n", machine.date);
    let _infallible = writeln!(
        text,
        "{}; commit {}. {}.\n\n{:.0} questions a second for {:.0} s, from {} addresses of {} people: {:.0} refused, {:.0} allowed, {:.0} limited,\n{:.0} failed, {:.0} lost; p99 {:.0} µs.\n",
        machine.processor,
        machine.commit,
        world.names,
        (answers + number(came, "lost")) / number(came, "seconds"),
        number(came, "seconds"),
        world.options.people.people * world.options.people.devices,
        world.options.people.people,
        number(came, "refused"),
        number(came, "allowed"),
        number(came, "limited"),
        number(came, "failed"),
        number(came, "lost"),
        number(came, "p99")
    );
    text +=
        "| second | resident, MiB | journal, MiB | entries | waiting | shed |\n|---|---|---|---|---|---|\n";
    let last = looks.len() - 1;
    for (place, look) in looks.iter().enumerate() {
        if place % 10 == 0 || place >= last - 1 || place == 1 {
            let when = if place == last { "settled".to_owned() } else { look.second.to_string() };
            let _infallible = writeln!(
                text,
                "| {when} | {:.1} | {:.1} | {} | {} | {} |",
                look.resident_mib, look.journal_mib, look.entries, look.queued, look.shed
            );
        }
    }
    let _infallible = writeln!(
        text,
        "\n{} refusals stand in {} episodes (those that were asked for before the load among them).\n\n`hearthgate breaches verify`: {verified}",
        told.refusals, told.episodes
    );
    text
}

fn csv(looks: &[Look]) -> String {
    let mut text = "second,resident_mib,journal_mib,entries,queued,shed\n".to_owned();
    for look in looks {
        let Look { second, resident_mib, journal_mib, entries, queued, shed } = look;
        let _infallible =
            writeln!(text, "{second},{resident_mib:.2},{journal_mib:.3},{entries},{queued},{shed}");
    }
    text
}

/// The bytes of the journal's files.
fn journal_bytes(home: &home::Home) -> u64 {
    let files = fs::read_dir(home.folder.join("state")).into_iter().flatten().flatten();
    let journal = files.filter(|file| file.file_name().to_string_lossy().starts_with("home.db"));
    journal.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// What the gateway tells Prometheus.
fn scrape(home: &home::Home) -> Done<String> {
    let mut stream = TcpStream::connect(home.metrics)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", home.metrics)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A number of a scrape; counters end in `_total` there.
fn metric(text: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix("hearthgate_")?.strip_prefix(name)?;
        rest.strip_prefix("_total").unwrap_or(rest).strip_prefix(' ')?.parse().ok()
    };
    text.lines().find_map(value).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_gauges_are_found_by_their_whole_name() {
        let text = "# TYPE hearthgate_recorder_shed counter\nhearthgate_recorder_shed_total 7\nhearthgate_journal_entries 12\n";
        assert_eq!((metric(text, "recorder_shed"), metric(text, "journal_entries")), (7.0, 12.0));
        assert!(metric(text, "recorder").is_nan());
    }
}
