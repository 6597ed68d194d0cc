//! What a home's set-up holds, what it holds in part, what is switched off, and what nobody can hold from a gateway.
//!
//! One ordered table, from the files and from what the running gateway finds on its machine: the command, the console and the tests
//! show the same lines. It names no young person, and promises nothing that is not there. Lines of the network stand in [`network`],
//! those of the home's people and devices, and what nobody can hold, in [`home`].

mod home;
mod network;

use crate::detector::{DETECTORS, Row, SeenBy};
use crate::gateway::{Gateway, Router};
use crate::house::House;
use crate::meant::DeviceBy;
use crate::verdict::Severity;
use crate::word::Word;
use blocklists::Category;
use serde::{Deserialize, Serialize};

/// How far something is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It is held.
    Holds,
    /// It is held for some devices, or some of the time.
    Partly,
    /// It could be held, and is switched off.
    Off,
    /// It cannot be held from here, however the gateway is set up.
    Cannot,
}

/// One line of a home's coverage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Its key, for scripts and the console.
    pub key: &'static str,
    /// How far it is held.
    pub held: Held,
    /// What that means, in one sentence.
    pub sentence: String,
    /// Why it is so: the file's word, or the nature of things.
    pub because: &'static str,
    /// What would help; empty where nothing would.
    pub help: &'static str,
}

/// What keeps a running gateway from holding what its files say, as far as its machine shows it. Nothing, by itself: for a gateway that
/// does not run, the lines say what the files would hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// The router's rules are not in place, and could not be put there.
    pub not_in_place: bool,
    /// None of the router's interfaces is there: nobody gets through.
    pub dark: bool,
    /// Interfaces of `router` that are not there: the key, and the name.
    pub missing: Vec<(&'static str, String)>,
    /// Somebody's rules hand flows over to a path on which no rule sees them.
    pub offloaded: bool,
    /// The kernel cannot keep one device from taking all the room that it has for flows.
    pub unbounded: bool,
    /// The kernel does not count what flows.
    pub not_counted: bool,
    /// Nobody stands by to keep help open while the gateway does not run, though the files want somebody to.
    pub alone: bool,
}

/// A line: its key, and what a home's files make of it. None: it is no matter here.
type Line = (&'static str, fn(&Facts<'_>) -> Option<Said>);

/// What a row says.
struct Said {
    held: Held,
    sentence: String,
    because: &'static str,
    help: &'static str,
}

/// What the rows look at.
struct Facts<'a> {
    gateway: &'a Gateway,
    house: &'a House,
    running: &'a Running,
}

impl Facts<'_> {
    fn encrypted(&self) -> bool {
        let listen = &self.gateway.listen;
        !listen.dns_tls.is_empty() || !listen.dns_https.is_empty()
    }

    fn asks_here(&self) -> bool {
        !self.gateway.listen.dns.is_empty() || self.encrypted()
    }

    /// Whether web traffic itself comes through the gateway, for some devices at least.
    fn carries(&self) -> bool {
        let listen = &self.gateway.listen;
        !listen.proxy.is_empty() || !listen.transparent.is_empty()
    }

    /// Whether the router's rules are to be ours, and hold.
    fn is_at_router(&self) -> bool {
        !self.running.not_in_place && matches!(self.gateway.router, Router::Nftables { .. })
    }

    /// Why nothing is held at the router, where that is so.
    fn not_at_router(&self) -> &'static str {
        match self.gateway.router {
            Router::Off => "`router: {mode: off}`",
            Router::Nftables { .. } => "the router's rules are not in place: see `hearthgate status`",
        }
    }

    /// Whether ways around are closed to everyone: else each agreement decides.
    fn closes_ways_around(&self) -> bool {
        let block = &self.house.home().everyone.block;
        block.iter().any(|(word, _)| *word == Word::Category(Category::CIRCUMVENTION))
    }

    fn devices(&self, known: fn(&DeviceBy) -> bool) -> usize {
        self.house.devices().iter().filter(|device| known(&device.known.by)).count()
    }
}

fn said(held: Held, sentence: impl Into<String>, because: &'static str, help: &'static str) -> Option<Said> {
    Some(Said { held, sentence: sentence.into(), because, help })
}

/// A home's coverage, in the order of the table: what holds first.
pub fn coverage(gateway: &Gateway, house: &House, running: &Running) -> Vec<Covered> {
    let facts = Facts { gateway, house, running };
    let line = |(key, says): &Line| {
        let Said { held, sentence, because, help } = says(&facts)?;
        Some(Covered { key, held, sentence, because, help })
    };
    let mut lines: Vec<Covered> = rows().filter_map(line).collect();
    lines.extend(DETECTORS.iter().map(|row| detected(&facts, row)));
    lines.sort_by_key(|line| line.held);
    lines
}

/// The table of lines.
fn rows() -> impl Iterator<Item = &'static Line> {
    network::ROWS.iter().chain(home::ROWS)
}

/// How far a way around is held: by where it would be seen.
fn detected(facts: &Facts<'_>, row: &Row) -> Covered {
    let (router, asks) = (facts.is_at_router(), facts.asks_here());
    // What a device does by itself is refused as such; the rest by whoever closes ways around.
    let decided = row.seen_by == SeenBy::Names || row.weight > Severity::Technical;
    let each = decided && !facts.closes_ways_around();
    let (held, because, help) = match row.seen_by {
        SeenBy::Names | SeenBy::Packets if router && each => (Partly, NOT_FOR_EVERYONE, CLOSE_IT),
        SeenBy::Names if router => (Holds, "names are judged here, and packets at the router", ""),
        SeenBy::Names if asks || facts.carries() => {
            (Partly, "names are judged here; who asks elsewhere is not seen", ROUTER)
        }
        SeenBy::Answers if asks => {
            (Partly, "answers are read here; what is known from elsewhere is not seen", "")
        }
        SeenBy::Packets if router => (Holds, AT_ROUTER, ""),
        SeenBy::Network if router => {
            (Partly, "it is looked for, and staff are told; nothing is refused for it", "")
        }
        SeenBy::Names | SeenBy::Answers => (Off, "`listen` has no listener that would see it", ""),
        SeenBy::Packets | SeenBy::Network => (Off, facts.not_at_router(), ROUTER),
    };
    Covered { key: row.key, held, sentence: row.sentence.to_owned(), because, help }
}

const ROUTER: &str = "Let the gateway hold the router: `router: {mode: nftables, …}`.";
/// Why a line holds where the router is ours.
const AT_ROUTER: &str = "`router: {mode: nftables}`";
const NOT_FOR_EVERYONE: &str =
    "`everyone: {block: […]}` lacks `circumvention`, so that each agreement decides";
const CLOSE_IT: &str = "Add `circumvention` to `everyone: {block: […]}` in home.yaml.";

use Held::{Holds, Off, Partly};

/// Whether a hardware address says of itself that a device made it up (IEEE 802c: the second bit of the first byte).
pub fn is_made_up(mac: [u8; 6]) -> bool {
    mac[0] & 2 != 0
}

fn of(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
