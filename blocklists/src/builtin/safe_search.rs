//! Safe search by name: which host is answered as which, as each engine documents it.

use super::row::rows;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

/// How strict safe search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// As open as an engine's lock allows.
    Moderate,
    /// As strict as an engine's lock allows.
    Strict,
}

/// What a search engine's host is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The addresses of another host, as a CNAME to it.
    Name(&'static str),
    /// An address, where the engine documents one.
    Address(IpAddr),
}

impl Rewrite {
    fn read(target: &'static str) -> Self {
        target.parse().map_or(Self::Name(target), Self::Address)
    }
}

#[derive(Default)]
struct Engine {
    strict: Option<Rewrite>,
    moderate: Option<Rewrite>,
}

static ENGINES: LazyLock<HashMap<&'static str, Engine, FixedState>> = LazyLock::new(|| {
    let mut engines: HashMap<_, Engine, FixedState> = HashMap::default();
    for row in rows(include_str!("../../data/safe_search.txt")) {
        let &[level, target, _] = row.columns.as_slice() else { continue };
        let engine = engines.entry(row.name).or_default();
        let rewrite = Rewrite::read(target);
        if matches!(level, "strict" | "both") {
            engine.strict = Some(rewrite);
        }
        if matches!(level, "moderate" | "both") {
            engine.moderate = Some(rewrite);
        }
    }
    engines
});

/// What a host is answered with while safe search is on; `None` for what is no search engine's host, or has no lock.
///
/// One look into a table of borrowed names: nothing is allocated.
pub fn safe_search(name: &str, level: Level) -> Option<Rewrite> {
    let engine = ENGINES.get(name)?;
    match level {
        Level::Strict => engine.strict,
        Level::Moderate => engine.moderate,
    }
}

/// By what a few bits of their names say, the engines that no name makes safe: most names are none of them, and are told
/// so without a look into the table.
static LOCKLESS: LazyLock<[u64; 4]> = LazyLock::new(|| {
    let without = ENGINES.iter().filter(|(_, engine)| engine.strict.is_none() && engine.moderate.is_none());
    without.fold([0; 4], |mut bits, (name, _)| {
        let bit = bit_of(name);
        bits[bit / 64] |= 1 << (bit % 64);
        bits
    })
});

/// Of 256, by a name's length and its first and last letters.
fn bit_of(name: &str) -> usize {
    let letter = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
    let bytes = name.as_bytes();
    (name.len() * 31 + letter(bytes.first()) * 7 + letter(bytes.last())) % 256
}

/// Whether a host is a search engine that no name makes safe: while safe search is on, it is refused.
pub fn search_cannot_be_made_safe(name: &str) -> bool {
    let bit = bit_of(name);
    if LOCKLESS[bit / 64] & (1 << (bit % 64)) == 0 {
        return false;
    }
    ENGINES.get(name).is_some_and(|engine| engine.strict.is_none() && engine.moderate.is_none())
}

/// The hosts of the table, each once.
#[cfg(test)]
pub(super) fn hosts() -> impl Iterator<Item = &'static str> {
    ENGINES.keys().copied()
}
