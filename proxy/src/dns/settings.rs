//! How the DNS listeners work.

use crate::limits::Rate;
use agreements::{BlockedAnswer, Gateway};
use blocklists::Domain;
use std::net::IpAddr;
use std::time::Duration;

/// The gateway's own name, unless the home gives it another.
const OWN_NAME: &str = "hearthgate.home.arpa";

/// How the DNS listeners work. [`DnsSettings::new`] takes `gateway.yaml`; the rest has defaults that fit a home.
#[derive(Clone, Debug)]
pub struct DnsSettings {
    /// What a refused name is answered with.
    pub blocked_answer: BlockedAnswer,
    /// Our addresses for the refusal page; when there are none, the address that the client reached us at.
    pub page_addresses: Vec<IpAddr>,
    /// The gateway's own name.
    pub own_name: Domain,
    /// Who may tell us a client's address (EDNS client subnet of one address, dnsmasq's hardware address option).
    pub trust_forwarders: Vec<(IpAddr, u8)>,
    /// How fast one client may ask; none for no limit.
    pub rate: Option<Rate>,
    /// No answer lives longer with a client, in seconds: a change of an agreement reaches what is looked up again.
    pub most_ttl: u32,
    /// Worker threads for each address.
    pub workers: usize,
    /// At most so many questions wait for upstreams; more are dropped and counted.
    pub most_waiting: usize,
    /// TCP.
    pub tcp: TcpSettings,
}

/// How DNS over TCP works (RFC 7766).
#[derive(Clone, Copy, Debug)]
pub struct TcpSettings {
    /// A connection on which nothing happens is closed after so long (RFC 7766 §6.2.3: a few seconds).
    pub idle: Duration,
    /// Connections of everybody.
    pub most: usize,
    /// Connections of one client.
    pub most_of_one: usize,
    /// Questions at once on one connection; the next is read when one is answered.
    pub at_once: usize,
}

impl DnsSettings {
    /// The defaults for what `gateway.yaml` says.
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            blocked_answer: gateway.blocked_answer,
            page_addresses: Vec::new(),
            own_name: Domain::parse(OWN_NAME).expect("the gateway's own name is a name"),
            trust_forwarders: gateway.trust_forwarders.clone(),
            rate: gateway.questions_a_second.map(Rate::with_burst),
            most_ttl: 300,
            workers: gateway.workers.map_or_else(one_a_core, |workers| workers.get() as usize),
            most_waiting: 4096,
            tcp: TcpSettings { idle: Duration::from_secs(10), most: 1024, most_of_one: 64, at_once: 32 },
        }
    }
}

fn one_a_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
