//! How the DNS listeners work.

use crate::limits::Rate;
use crate::tls::HANDSHAKE;
use agreements::{BlockedAnswer, Gateway};
use blocklists::Domain;
use std::net::IpAddr;
use std::time::Duration;

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
    pub tcp: StreamSettings,
    /// TLS and HTTPS.
    pub encrypted: StreamSettings,
    /// Where encrypted DNS is to be had, best first: what devices that look are told (RFC 9462).
    pub designated: Vec<Designated>,
    /// Whether browsers that look for a proxy by themselves (`wpad`) are led to our pages, which listen at port 80.
    pub answers_wpad: bool,
}

/// One encrypted listener of ours, under the gateway's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Designated {
    /// What it speaks.
    pub over: Over,
    /// Its port.
    pub port: u16,
    /// Its addresses, where it listens at some of ours only; else it is where the client reached us.
    pub addresses: Vec<IpAddr>,
}

/// What an encrypted listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// DNS over TLS.
    Tls,
    /// DNS over HTTPS.
    Https,
}

/// How DNS works on connections (RFC 7766), each kind of them.
#[derive(Clone, Copy, Debug)]
pub struct StreamSettings {
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// A connection on which nothing happens is closed after so long (RFC 7766 §6.2.3: a few seconds).
    pub idle: Duration,
    /// Connections of everybody. For one more, the oldest of the client that has the most is closed.
    pub most: usize,
    /// Connections of one client.
    pub most_of_one: usize,
    /// Questions at once on one connection; the next is looked at when one is answered and its answer taken.
    pub at_once: usize,
    /// A client that does not take an answer for so long has gone.
    pub taking: Duration,
}

impl DnsSettings {
    /// The defaults for what `gateway.yaml` says.
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            blocked_answer: gateway.blocked_answer,
            page_addresses: Vec::new(),
            own_name: gateway.name.clone(),
            trust_forwarders: gateway.trust_forwarders.clone(),
            rate: gateway.questions_a_second.map(Rate::with_burst),
            most_ttl: 300,
            workers: gateway.workers.map_or_else(one_a_core, |workers| workers.get() as usize),
            most_waiting: 4096,
            tcp: StreamSettings::idle(10),
            // A handshake costs more than a quiet connection does (RFC 7858 §3.4).
            encrypted: StreamSettings::idle(30),
            designated: Vec::new(),
            answers_wpad: false,
        }
    }
}

impl StreamSettings {
    /// The defaults, for connections that may be quiet for so many seconds.
    fn idle(seconds: u64) -> Self {
        let (handshake, idle) = (HANDSHAKE, Duration::from_secs(seconds));
        let taking = Duration::from_secs(5);
        Self { handshake, idle, most: 1024, most_of_one: 64, at_once: 32, taking }
    }
}

fn one_a_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
