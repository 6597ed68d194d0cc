//! What to try, printed once the gateway listens: with the real ports, and with what really happens now.

use crate::gateway::board::Listener;
use crate::terminal::{Ink, Paint};
use agreements::{DeviceBy, Host, Outcome, PersonId, Request, Snapshot, Standing};
use blocklists::Name;
use chrono::{DateTime, Utc};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

/// Sites that make good examples; the first that is refused is shown.
const EXAMPLES: [&str; 6] =
    ["casino.example", "www.tiktok.com", "discord.com", "fights.example", "www.roblox.com", "news.example"];

/// Somebody whose device can be played on this machine: the whole of 127/8 is loopback.
struct Player<'a> {
    id: &'a str,
    name: &'a str,
    who: PersonId,
    address: IpAddr,
}

fn player(snapshot: &Snapshot) -> Option<Player<'_>> {
    let house = &snapshot.house;
    house.devices().iter().find_map(|device| {
        let DeviceBy::Ip(address) = device.known.by else { return None };
        let person = house.agreement(device.person).filter(|_| address.is_loopback())?;
        Some(Player { id: &person.id, name: &person.name, who: device.person, address })
    })
}

fn refused(snapshot: &Snapshot, who: PersonId, now: DateTime<Utc>, standing: &Standing) -> &'static str {
    let is = |host: &&str| {
        let Ok(name) = Name::new(host) else { return false };
        let request = Request { host: Host::Name(name), tags: snapshot.catalogue.lookup(name), path: None };
        snapshot.house.judge(who, now, &request, standing).outcome != Outcome::Allow
    };
    EXAMPLES.into_iter().find(is).unwrap_or(EXAMPLES[0])
}

/// The guide, or where the listeners are when nobody can be played here.
pub(crate) fn text(
    home: &Path,
    listeners: &[Listener],
    (snapshot, standing): (&Snapshot, &Standing),
    first: &[(String, String)],
    now: DateTime<Utc>,
    paint: Paint,
) -> String {
    let name = &snapshot.house.home().name;
    if listeners.is_empty() {
        let title = format!("{name}: the gateway runs, and listens nowhere.");
        let why = format!(
            "gateway.yaml is missing or names no listener. `{} check --home {}` tells what is wrong with the home's files.",
            program(),
            quoted(&home.to_string_lossy())
        );
        return format!("{}\n\n  {why}\n\nCtrl-C stops it.\n", paint.ink(Ink::Bad, &title));
    }
    let title = format!("{name}: the gateway runs.");
    let mut text = format!("{}\n\n", paint.ink(Ink::Strong, &title));
    for listener in listeners {
        text.push_str(&format!("  {:8} {}\n", listener.kind, listener.address));
    }
    if let Some(desk) = listeners.iter().find(|l| l.kind == "console") {
        text.push_str(&format!("\nThe desk for staff: {}/\n", desk_url(desk.address)));
    }
    for (account, link) in first {
        let account = paint.ink(Ink::Strong, account);
        text.push_str(&format!(
            "  {account} has no password yet, and sets one here, once, within a day: {link}\n"
        ));
    }
    if let Some(player) = player(snapshot) {
        let site = refused(snapshot, player.who, now, standing);
        text.push_str(&format!(
            "\nTo try from another terminal, as {} (whose sample device is {}):\n",
            player.name, player.address
        ));
        let tries = tries(home, listeners, &player, site);
        tries.iter().for_each(|(what, line)| {
            text.push_str(&format!("\n  {}\n    {line}\n", paint.ink(Ink::Quiet, what)));
        });
    }
    text.push_str("\nCtrl-C stops it.\n");
    text
}

fn tries(
    home: &Path,
    listeners: &[Listener],
    player: &Player<'_>,
    site: &str,
) -> Vec<(&'static str, String)> {
    let find = |kind: &str| listeners.iter().find(|l| l.kind == kind).map(|l| l.address);
    let (program, home) = (program(), quoted(&home.to_string_lossy()));
    let Player { id, address, .. } = player;
    let mut tries = Vec::new();
    if let Some(dns) = find("dns") {
        let line = format!("dig @{} -p {} -b {address} {site}", dns.ip(), dns.port());
        tries.push(("a name that is refused, and why (see EDE)", line));
    }
    if let Some(proxy) = find("proxy") {
        let line = format!(
            "curl -sS --interface {address} -x http://{proxy} -H 'Accept: text/plain' http://{site}/"
        );
        tries.push(("the refusal page", line));
    }
    tries.push((
        "why, at another time",
        format!("{program} explain --home {home} --person {id} --at 21:30 {site}"),
    ));
    tries.push(("the week", format!("{program} week --home {home} {id}")));
    tries.push((
        "the breach log (what was refused stands in it within a second)",
        format!("{program} breaches --home {home} list"),
    ));
    tries.push(("whether anybody changed it", format!("{program} breaches --home {home} verify")));
    tries.push(("how the gateway is", format!("{program} status --home {home}")));
    tries
}

/// The program as it can be typed: by name where that is found, else by its path.
fn program() -> String {
    let this = std::env::current_exe().unwrap_or_else(|_| "hearthgate".into());
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("hearthgate") == this));
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| this.strip_prefix(here).ok().map(Path::to_owned));
    if found { "hearthgate".to_owned() } else { quoted(&short.unwrap_or(this).to_string_lossy()) }
}

/// A word as a shell takes it (POSIX sh §2.2.2): between single quotes, unless it needs none.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Where a browser reaches the desk: over HTTPS where it listens beyond this machine. A listener at every address is reached
/// from this machine by its own.
pub(crate) fn desk_url(address: SocketAddr) -> String {
    let scheme = if address.ip().is_loopback() { "http" } else { "https" };
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let reached = if address.ip().is_unspecified() { SocketAddr::new(here, address.port()) } else { address };
    format!("{scheme}://{reached}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_typed_as_the_shell_takes_it() {
        for (path, typed) in [
            ("deploy/sample-home", "deploy/sample-home"),
            ("/home/r osei/oakview", "'/home/r osei/oakview'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(path), typed);
        }
    }
}
