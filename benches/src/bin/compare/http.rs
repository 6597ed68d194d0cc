//! Proxies under load.

use crate::dns::number;
use crate::options::Only;
use crate::peers::{self, Kind, Peer};
use crate::process::on_core;
use crate::world::{Subject, World};
use crate::{Done, say};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

/// The name of the web server. The peers find theirs in /etc/hosts; Hearthgate asks its upstream once and keeps it.
fn host(subject: &Subject) -> &'static str {
    if subject.peer.kind == Kind::Hearthgate { "origin.test" } else { "localhost" }
}

fn url(subject: &Subject, world: &World<'_>) -> String {
    format!("http://{}:{}/1k", host(subject), world.pages.port())
}

/// Whether a proxy answers yet, with the page that was asked for.
pub(crate) fn answers(subject: &Subject, world: &World<'_>) -> bool {
    let asked = || {
        let mut stream = TcpStream::connect(subject.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let (url, host) = (url(subject, world), host(subject));
        write!(
            stream,
            "GET {url} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n\r\n",
            world.pages.port()
        )?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).map(|()| head)
    };
    asked().is_ok_and(|head| head.ends_with(b" 200"))
}

/// One round: each in turn.
pub(crate) fn round(world: &World<'_>, round: u32) {
    for peer in peers::of(world.options, Only::Http) {
        if let Err(error) = turn(world, peer, round) {
            world.failed(peer.name, round, &*error);
        }
    }
}

fn turn(world: &World<'_>, peer: &'static Peer, round: u32) -> Done {
    let mut subject = world.start(peer, round)?;
    let mut told = format!("round {round}, {}:", peer.name);
    check(world, &subject)?;
    told += &requests(world, &mut subject)?;
    told += &tunnels(world, &mut subject)?;
    told += &flow(world, &mut subject)?;
    drop(subject);
    // Idle tunnels are weighed on a fresh server: what the loads before have left would hide them.
    let subject = world.start(peer, round)?;
    subject.running.settle();
    told += &idle(world, &subject)?;
    say(told);
    Ok(())
}

fn seconds(world: &World<'_>) -> String {
    format!("--seconds {}", world.options.seconds())
}

/// Nobody is timed who does nothing: the page is there, and a listed name's is not.
fn check(world: &World<'_>, subject: &Subject) -> Done {
    let ask = |url: &str| {
        world.load(&format!("http-load requests {} {url} --connections 4 --seconds 0.2", subject.address))
    };
    let open = ask(&url(subject, world))?;
    if number(&open, "good") < 10.0 || number(&open, "other") > 0.0 {
        return Err(subject.running.failure(&format!("is not measured: it does not give the page: {open}")));
    }
    if subject.peer.refuses {
        let names = std::fs::read_to_string(world.lists.join("check-refused"))?;
        for name in names.lines().step_by(50) {
            let closed = ask(&format!("http://{name}/"))?;
            if number(&closed, "good") > 0.0 || number(&closed, "other") < 1.0 {
                let what = format!("is not measured: it does not refuse a listed name: {closed}");
                return Err(subject.running.failure(&what));
            }
        }
    }
    Ok(())
}

fn requests(world: &World<'_>, subject: &mut Subject) -> Done<String> {
    let url = url(subject, world);
    let command = format!("http-load requests {} {url} --connections 50 {}", subject.address, seconds(world));
    let came = world.measure(subject, "requests", &command)?;
    let good = number(&came, "good");
    keep_rate(world, subject, "requests", good, &came);
    world.keep(subject, "requests", "p99", number(&came, "p99"));
    world.keep(subject, "requests", "failed", number(&came, "other") + number(&came, "broken"));
    Ok(format!(" {:.0} requests/s;", good / number(&came, "seconds")))
}

fn keep_rate(world: &World<'_>, subject: &Subject, work: &str, done: f64, came: &Value) {
    world.keep(subject, work, "rate", done / number(came, "seconds").max(1e-9));
    world.keep(subject, work, "cpu_us", number(came, "server_seconds") * 1e6 / done.max(1.0));
    world.keep(subject, work, "busy", number(came, "server_seconds") / number(came, "seconds").max(1e-9));
}

/// Where a tunnel begins and leads to, for the load program.
fn tunnel(world: &World<'_>, subject: &Subject) -> String {
    let (host, port) = (host(subject), world.origin.port());
    match subject.peer.relay {
        true => format!("{} {host}:{port} --relay", subject.second),
        false => format!("{} {host}:{port}", subject.address),
    }
}

fn tunnels(world: &World<'_>, subject: &mut Subject) -> Done<String> {
    let command = format!("http-load tunnels {} --under-way 32 {}", tunnel(world, subject), seconds(world));
    let came = world.measure(subject, "tunnels", &command)?;
    let opened = number(&came, "opened");
    keep_rate(world, subject, "tunnels", opened, &came);
    world.keep(subject, "tunnels", "failed", number(&came, "failed"));
    Ok(format!(" {:.0} tunnels/s, {} failed;", opened / number(&came, "seconds"), number(&came, "failed")))
}

fn flow(world: &World<'_>, subject: &mut Subject) -> Done<String> {
    let command = format!("http-load flow {} {}", tunnel(world, subject), seconds(world));
    let came = world.measure(subject, "flow", &command)?;
    let gib = number(&came, "bytes") / f64::from(1 << 30);
    keep_rate(world, subject, "flow", gib, &came);
    Ok(format!(" {:.2} GiB/s;", gib / number(&came, "seconds")))
}

fn idle(world: &World<'_>, subject: &Subject) -> Done<String> {
    let before = subject.running.resident();
    let people = world.options.people;
    let command = format!(
        "{}/http-load idle {} --count {} --people {} --devices {}",
        world.options.built.display(),
        tunnel(world, subject),
        subject.peer.idle,
        people.people,
        people.devices
    );
    let mut load = on_core(world.options.load_core, &command);
    let mut load = load.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(load.stdout.take().ok_or("its output is a pipe")?).read_line(&mut line)?;
    let came: Value = serde_json::from_str(&line)?;
    subject.running.settle();
    let (opened, after) = (number(&came, "opened"), subject.running.resident());
    // Its standard input ends, and so do the tunnels.
    drop(load.stdin.take());
    load.wait()?;
    world.keep(subject, "idle", "kib", (after - before) / opened.max(1.0));
    world.keep(subject, "idle", "opened", opened);
    world.keep(subject, "idle", "before_kib", before);
    Ok(format!(" {:.1} KiB an idle tunnel ({opened} open)", (after - before) / opened.max(1.0)))
}
