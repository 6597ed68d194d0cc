//! Names to addresses on the judged path: cache, upstreams, and a judgement of every name in the answer.

use crate::gate::{Gate, Who};
use agreements::Verdict;
use blocklists::{Domain, Name};
use records::Current;
use std::net::IpAddr;
use std::time::Duration;

/// Resolves names through cache and upstreams.
#[derive(Clone, Debug)]
pub struct Resolver {}

/// Addresses that a name really has, and how long they may be used.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// IPv6 and IPv4 addresses, in the order to try.
    pub addresses: Vec<IpAddr>,
    /// For how long.
    pub ttl: Duration,
}

/// Why a name has no addresses for this person.
#[derive(Debug)]
pub enum Unresolved {
    /// The name, or one that it leads to (CNAME), is refused: which, and why.
    Refused(Domain, Box<Verdict>),
    /// There is no such name, or it has no address.
    NoSuchName,
    /// The answer points into the home's own network (DNS rebinding).
    Rebinding,
    /// No upstream answered.
    Upstream,
}

impl Resolver {
    /// The addresses of a name for somebody. The name itself is judged by the caller; every name that the answer leads
    /// to is judged here.
    pub async fn addresses(
        &self,
        gate: &Gate,
        current: &Current,
        who: &Who,
        name: Name<'_>,
    ) -> Result<Resolved, Unresolved> {
        let _ = (gate, current, who, name);
        todo!()
    }
}
