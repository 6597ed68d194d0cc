//! Safe search: a search engine's host is answered with the host that the engine documents as its safe one.

use super::question::Query;
use super::reply;
use super::wire::{WireName, rtype};
use crate::cache::Entry;
use agreements::SafeSearch;
use blocklists::Name;
use blocklists::builtin::{Level, Rewrite, safe_search};
use std::net::IpAddr;

/// What safe search does to a name for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Nothing: no search engine, or safe search is off.
    AsAsked,
    /// It is answered with the addresses of this host.
    Host(&'static str),
    /// It is answered with this address.
    Address(IpAddr),
}

/// What safe search does to a name for somebody who is held to it so strictly. An engine that nothing makes safe is refused
/// by the decision, and answered as asked where staff have opened it.
pub(crate) fn search(held: SafeSearch, name: Name<'_>) -> Search {
    let level = match held {
        SafeSearch::Off => return Search::AsAsked,
        SafeSearch::Moderate => Level::Moderate,
        SafeSearch::Strict => Level::Strict,
    };
    match safe_search(name.as_str(), level) {
        Some(Rewrite::Name(host)) if host == name.as_str() => Search::AsAsked,
        Some(Rewrite::Name(host)) => Search::Host(host),
        Some(Rewrite::Address(address)) => Search::Address(address),
        None => Search::AsAsked,
    }
}

/// Writes the alias and the safe host's addresses.
///
/// The HTTPS record of the safe host would be one for the name that was asked for, and of another service: there is none
/// (`NODATA`), and a browser goes on with the addresses.
pub(crate) fn write(query: &Query<'_>, host: &str, entry: &Entry, ttl: u32, out: &mut Vec<u8>) {
    let target = WireName::from_name(Name::trusted(host));
    let mut target_at = 0;
    reply::record(out, 6, &reply::QUESTION_NAME, rtype::CNAME, ttl, |out| {
        target_at = out.len();
        out.extend_from_slice(target.bytes());
    });
    // The question is at most 255 bytes long, so that the target begins within a pointer's reach.
    let pointer = (0xC000 | target_at as u16).to_be_bytes();
    for address in entry.addresses() {
        match (query.qtype, address) {
            (rtype::A, IpAddr::V4(v4)) => {
                reply::record(out, 6, &pointer, rtype::A, ttl, |out| out.extend(v4.octets()));
            }
            (rtype::AAAA, IpAddr::V6(v6)) => {
                reply::record(out, 6, &pointer, rtype::AAAA, ttl, |out| out.extend(v6.octets()));
            }
            _ => {}
        }
    }
}
