//! `gateway.yaml` as meant: the network, for whoever looks after the router.

use crate::ports::Ports;
use blocklists::Domain;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

/// The gateway's own name, unless `gateway.yaml` gives it another (RFC 8375: `home.arpa` is for names inside a home).
pub const OWN_NAME: &str = "hearthgate.home.arpa";

/// What one client may ask where the file is silent: a browser that opens its session again asks a few hundred names, and
/// then hardly any.
const QUESTIONS_A_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("it is not zero");

/// What `gateway.yaml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The gateway's own name: in its certificates, its pages' addresses, and what encrypted DNS is asked at.
    pub name: Domain,
    /// What it shows to whoever connects over TLS.
    pub certificate: Certificate,
    /// Where the gateway listens. Every listener may be absent.
    pub listen: Listen,
    /// Where names are resolved, in order of preference.
    pub upstream: Vec<Upstream>,
    /// What is done about DNSSEC.
    pub dnssec: Dnssec,
    /// Where records are kept.
    pub store: Store,
    /// What a refused name is answered with.
    pub blocked_answer: BlockedAnswer,
    /// Who may tell us a client's address: address and prefix length.
    pub trust_forwarders: Vec<(IpAddr, u8)>,
    /// Files of the home's DHCP server (dnsmasq, odhcpd, Kea): what devices call themselves. A relative path is inside the
    /// home's folder.
    pub leases: Vec<String>,
    /// Addresses inside the home that the proxy may connect to and that answers may point to: address and prefix length.
    pub home_network: Vec<(IpAddr, u8)>,
    /// How many names one client may look up a second, and five times as many at once; none for no limit.
    pub questions_a_second: Option<NonZeroU32>,
    /// Threads that answer DNS for each address; none for one a processor core.
    pub workers: Option<NonZeroU32>,
    /// Who carries the home's mail.
    pub mail: Option<Mail>,
    /// Enforcement at the router.
    pub router: Router,
}

/// Who carries the home's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Whether the connection is TLS from its first byte (RFC 8314 §3.3); else STARTTLS, save on this machine itself.
    pub implicit_tls: bool,
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who the messages are from.
    pub from: String,
    /// The account there, and the file of the home's folder with its password.
    pub login: Option<(String, String)>,
    /// The file of the home's folder with the authority that signed the server's certificate, where no public one did (PEM).
    pub authority: Option<String>,
}

impl Default for Gateway {
    /// What holds where `gateway.yaml` is silent. Nothing listens and nobody is asked until the file says so: a gateway
    /// that opens ports by itself is an open resolver.
    fn default() -> Self {
        Self {
            name: Domain::parse(OWN_NAME).expect("the gateway's own name is a name"),
            certificate: Certificate::default(),
            listen: Listen::default(),
            upstream: Vec::new(),
            dnssec: Dnssec::default(),
            store: Store::Sqlite("/var/lib/hearthgate/home.db".to_owned()),
            blocked_answer: BlockedAnswer::default(),
            trust_forwarders: Vec::new(),
            leases: Vec::new(),
            home_network: Vec::new(),
            mail: None,
            questions_a_second: Some(QUESTIONS_A_SECOND),
            workers: None,
            router: Router::default(),
        }
    }
}

/// What the gateway shows to whoever connects over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// A certificate of short life from the gateway's own authority (`hearthgate ca`).
    #[default]
    Local,
    /// A certificate and its key from PEM files, read again when they change. A relative path is inside the home's folder.
    Files {
        /// The certificate, and those above it.
        chain: String,
        /// Its private key.
        key: String,
    },
}

/// The listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// DNS over UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// DNS over TLS.
    pub dns_tls: Vec<SocketAddr>,
    /// DNS over HTTPS.
    pub dns_https: Vec<SocketAddr>,
    /// The explicit HTTP proxy.
    pub proxy: Vec<SocketAddr>,
    /// Redirected 80 and 443.
    pub transparent: Vec<SocketAddr>,
    /// Refusal pages and the young person's page.
    pub pages: Vec<SocketAddr>,
    /// The staff's console.
    pub console: Vec<SocketAddr>,
    /// Prometheus metrics.
    pub metrics: Vec<SocketAddr>,
}

/// Names that lead nowhere on the internet, or in each network somewhere else (RFC 6761, 6762, 8375; ICANN on `internal`).
const AT_HOME: [&str; 8] = ["arpa", "home", "internal", "invalid", "lan", "local", "localhost", "test"];

impl Gateway {
    /// Whether the gateway's own name may lead there from anywhere on the internet.
    pub fn has_public_name(&self) -> bool {
        let name = self.name.as_str();
        let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
        !AT_HOME.contains(&last)
    }
}

/// An upstream resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// `udp://127.0.0.1:5301`: UDP, and TCP when truncated.
    Udp(SocketAddr),
    /// `tcp://127.0.0.1:5301`.
    Tcp(SocketAddr),
    /// `tls://1.1.1.3#family.cloudflare-dns.com`: DoT; the name is the certificate's.
    Tls(SocketAddr, String),
    /// `https://dns.example/dns-query`, or `https://dns.example@192.0.2.1/dns-query` with its address: DoH.
    Https {
        /// The host of the URL.
        host: String,
        /// The port.
        port: u16,
        /// The path.
        path: String,
        /// Its address, when given; else it is looked up through the other upstreams.
        address: Option<IpAddr>,
    },
}

/// What is done about DNSSEC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dnssec {
    /// Answers are validated here.
    Validate,
    /// The upstream's word is passed on.
    #[default]
    Pass,
    /// DNSSEC records are not asked for.
    Off,
}

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// A SQLite file; a relative path is inside the home's folder.
    Sqlite(String),
    /// A PostgreSQL URL.
    Postgres(String),
}

/// What a refused name is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockedAnswer {
    /// The gateway's address, so that plain HTTP shows why.
    #[default]
    Page,
    /// The name does not exist.
    Nxdomain,
    /// 0.0.0.0 and ::.
    Zero,
}

/// What holds at the router while the gateway does not run. There is no third word: it is never open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fail {
    /// What was open ends by its time, and nothing new is.
    #[default]
    Closed,
    /// Closed, and protected sites still resolve.
    Baseline,
}

/// Enforcement at the router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Router {
    /// None.
    #[default]
    Off,
    /// A table of nftables rules between these interfaces.
    Nftables {
        /// Where the home's devices are.
        lan: Vec<String>,
        /// Where the internet is.
        wan: Vec<String>,
        /// Other networks that the same router carries: nothing holds them.
        others: Vec<String>,
        /// What holds while the gateway does not run.
        fail: Fail,
        /// On which ports an address that a name led to is open.
        ports: Ports,
    },
}
