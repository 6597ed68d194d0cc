//! One question on its way through the gateway: who asked what of whom, and when.

use super::question::Query;
use super::safe_search::Search;
use super::{Asker, Transport};
use crate::gate::{Client, Round};
use crate::identify::Shown;
use agreements::Verdict;
use agreements::holds;
use std::net::IpAddr;

/// One question on its way: all that is known of it before it is decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    /// What is asked.
    pub(super) query: &'a Query<'a>,
    /// Who sent it, and to which of our addresses.
    pub(super) asker: &'a Asker<'a>,
    /// What is in force, and when.
    pub(super) round: &'a Round,
    /// Who that is.
    pub(super) client: &'a Client,
}

/// What is said of a question, and what safe search makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// None for what is not judged.
    pub(super) verdict: Option<Verdict>,
    /// What safe search makes of it.
    pub(super) search: Search,
}

impl Decided {
    /// What goes to an upstream as it is.
    pub(super) const UNJUDGED: Decided = Decided { verdict: None, search: Search::AsAsked };
}

impl Case<'_> {
    /// Over what it came.
    pub(super) fn transport(&self) -> Transport {
        self.asker.transport
    }
}

/// What a client showed of itself, with its query; a trusted forwarder speaks for its clients.
pub(super) fn shown<'a>(query: &Query<'_>, asker: &Asker<'a>, forwarders: &[(IpAddr, u8)]) -> Shown<'a> {
    let from = asker.from.to_canonical();
    let trusted = || forwarders.iter().any(|&(net, length)| holds(net, length, from));
    let told = query.edns.filter(|_| trusted());
    Shown {
        address: told.and_then(|edns| edns.client).unwrap_or(from),
        token: asker.token,
        hardware: told.and_then(|edns| edns.hardware),
    }
}
