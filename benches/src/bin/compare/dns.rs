//! Name servers under load.

use crate::options::Only;
use crate::peers::{self, Kind, Peer};
use crate::world::{Subject, World};
use crate::{Done, say};
use serde_json::Value;
use std::net::UdpSocket;
use std::time::Duration;

/// The fixed rate at which delays are measured.
const RATE: u32 = 20_000;
/// The loads, in this order: cold comes first, while it is.
pub(crate) const LOADS: [(&str, &str, bool); 4] = [
    ("refused-once", "refused-once", true),
    ("refused", "refused", false),
    ("allowed", "allowed", false),
    ("mixed", "mixed", false),
];
/// What the delays are measured with.
pub(crate) const STEADY: &str = "mixed at 20,000 a second";

/// Whether a name server answers yet: one question about the list's last name, two milliseconds. Until it is refused, the
/// list is not loaded; the limit refuses nothing.
pub(crate) fn answers(subject: &Subject, world: &World<'_>) -> bool {
    let mut question = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0".to_vec();
    for label in world.last_listed.split('.') {
        question.push(label.len() as u8);
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let asked = || {
        let socket = UdpSocket::bind((world.options.people.source(0), 0))?;
        socket.connect(subject.address)?;
        socket.set_read_timeout(Some(Duration::from_millis(2)))?;
        socket.send(&question)?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer)?;
        Ok::<_, std::io::Error>(answer[..length].to_vec())
    };
    let is_refusal = |answer: &[u8]| {
        let no_such_name = answer.get(3).is_some_and(|flags| flags & 15 == 3);
        let address = answer.get(question.len() + 12..question.len() + 16);
        no_such_name || matches!(address, Some([127, ..] | [0, 0, 0, 0]))
    };
    asked().is_ok_and(|answer| subject.peer.kind == Kind::Limit || is_refusal(&answer))
}

/// One round: each in turn.
pub(crate) fn round(world: &World<'_>, round: u32) {
    for peer in peers::of(world.options, Only::Dns) {
        if let Err(error) = turn(world, peer, round) {
            world.failed(peer.name, round, &*error);
        }
    }
}

fn turn(world: &World<'_>, peer: &'static Peer, round: u32) -> Done {
    let mut subject = world.start(peer, round)?;
    if peer.kind != Kind::Limit {
        check(world, &mut subject)?;
    }
    subject.running.settle();
    world.keep(&subject, "start", "ms", subject.started.as_secs_f64() * 1e3);
    world.keep(&subject, "memory", "loaded_kib", subject.running.resident());
    let mut told = format!("round {round}, {}: {:.0} ms", peer.name, subject.started.as_secs_f64() * 1e3);
    for (work, file, once) in LOADS {
        // The limit does the same whatever the question says.
        if peer.kind == Kind::Limit && work != "mixed" {
            continue;
        }
        if work == "allowed" {
            warm(world, &subject)?;
        }
        let command = load(world, &subject, file, if once { "--once" } else { "" });
        let came = world.measure(&mut subject, work, &command)?;
        keep(world, &subject, work, &came);
        told += &format!("; {work} {:.0}/s {:.2} µs", rate(&came), processor(&came));
    }
    let command = load(world, &subject, "mixed", &format!("--rate {RATE} --window 4000"));
    let came = world.measure(&mut subject, STEADY, &command)?;
    keep(world, &subject, STEADY, &came);
    for percentile in ["p50", "p99", "p999"] {
        world.keep(&subject, STEADY, percentile, number(&came, percentile));
    }
    world.keep(&subject, "memory", "end_kib", subject.running.resident());
    say(format!(
        "{told}; p99 {:.0} µs; {:.0} MiB",
        number(&came, "p99"),
        subject.running.resident() / 1024.0
    ));
    Ok(())
}

/// Everything that is allowed once, so that it is in the cache. Misses are asked gently.
fn warm(world: &World<'_>, subject: &Subject) -> Done {
    for window in [50, 20] {
        world.load(&load(world, subject, "warm", &format!("--once --window {window} --seconds 20")))?;
    }
    Ok(())
}

fn load(world: &World<'_>, subject: &Subject, file: &str, more: &str) -> String {
    let seconds = world.options.seconds();
    let file = world.lists.join(file);
    let seconds = if more.contains("--seconds") { String::new() } else { format!("--seconds {seconds}") };
    format!("dns-load load {} {} {seconds} {more}", subject.address, file.display())
}

/// Nobody is timed who does nothing: five hundred names that must be refused are, and five hundred others are answered.
/// Who loads the list in the background is given time, and this is then the time of the first answer.
fn check(world: &World<'_>, subject: &mut Subject) -> Done {
    let begun = subject.begun;
    let mut first = true;
    loop {
        match check_once(world, subject) {
            Ok(()) => break,
            Err(error)
                if begun.elapsed() > Duration::from_secs(120) || subject.peer.kind == Kind::Hearthgate =>
            {
                return Err(subject.running.failure(&error.to_string()));
            }
            Err(_) => first = false,
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    if !first {
        subject.started = begun.elapsed();
    }
    Ok(())
}

fn check_once(world: &World<'_>, subject: &Subject) -> Done {
    for (file, wanted) in [("check-refused", "refused"), ("check-allowed", "allowed")] {
        let came = world.load(&load(world, subject, file, "--once --window 10 --seconds 20"))?;
        let [right, answers, lost] = [wanted, "answers", "lost"].map(|key| number(&came, key));
        // The published lists name some hosts of mail services, which Hearthgate keeps open whatever a list says.
        let open = if subject.peer.kind == Kind::Hearthgate { 5.0 } else { 0.0 };
        if right + open < answers || lost > 5.0 || answers + lost < 500.0 {
            return Err(format!(
                "is not measured: of the names of `{file}` only {right} are {wanted}: {came}"
            )
            .into());
        }
    }
    Ok(())
}

fn keep(world: &World<'_>, subject: &Subject, work: &str, came: &Value) {
    world.keep(subject, work, "rate", rate(came));
    world.keep(subject, work, "cpu_us", processor(came));
    let asked = number(came, "answers") + number(came, "lost");
    world.keep(subject, work, "lost_ppm", number(came, "lost") * 1e6 / asked.max(1.0));
    world.keep(subject, work, "limited_ppm", number(came, "limited") * 1e6 / asked.max(1.0));
    // The limit sends back what it is sent, which is no answer to anything.
    if subject.peer.kind != Kind::Limit {
        world.keep(subject, work, "failed_ppm", number(came, "failed") * 1e6 / asked.max(1.0));
    }
    world.keep(subject, work, "load_core", number(came, "own_seconds") / number(came, "seconds").max(1e-9));
}

/// Answers a second.
pub(crate) fn rate(came: &Value) -> f64 {
    number(came, "answers") / number(came, "seconds").max(1e-9)
}

/// Microseconds of the server's processor for an answer.
pub(crate) fn processor(came: &Value) -> f64 {
    number(came, "server_seconds") * 1e6 / number(came, "answers").max(1.0)
}

/// A number that a load program tells.
pub(crate) fn number(came: &Value, key: &str) -> f64 {
    came[key].as_f64().unwrap_or(0.0)
}
