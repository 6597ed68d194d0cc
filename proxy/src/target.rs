//! Where a request wants to go, and which addresses the proxy never connects to.
//!
//! Two questions that must not be mixed: [`Target`] is what the client wrote, and it is judged by the agreement;
//! [`Reach`] is about the address that is really dialled, and it protects the home's own network. The second is asked
//! of the very [`SocketAddr`] that is dialled next, so that nothing can change in between.

use agreements::Host;
use agreements::holds;
use blocklists::{Domain, NotADomain};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// A host as a client wrote it: a name, or an address without a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetHost {
    /// A host name.
    Name(Domain),
    /// An address. IPv4 addresses in an IPv6 form are held as IPv4.
    Address(IpAddr),
}

/// A host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host.
    pub host: TargetHost,
    /// The port.
    pub port: u16,
}

/// Why a text names no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotATarget {
    /// There is a user name or password before the host (`user@host`): a way to make an address look like another.
    UserInfo,
    /// The host is no name and no address.
    Host,
    /// There is no port where one is needed, or it is no number from 1 to 65535.
    Port,
}

impl TargetHost {
    /// Reads a host as it stands in a URI: a name, `192.0.2.1`, or `[2001:db8::1]`.
    pub fn parse(text: &str) -> Result<Self, NotATarget> {
        if let Some(inside) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            // A zone (`%eth0`) names one of our own links: there is nothing for a client behind it.
            let address: Ipv6Addr = inside.parse().map_err(|_| NotATarget::Host)?;
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        match Domain::parse(text) {
            // `0x7f000001` is an address to some programs and a name to others (WHATWG URL, "ends in a number").
            Ok(name) if ends_in_hex_number(name.as_str()) => Err(NotATarget::Host),
            Ok(name) => Ok(Self::Name(name)),
            Err(NotADomain::Address) | Err(_) => Err(NotATarget::Host),
        }
    }

    /// The host as the decision takes it.
    pub fn judged(&self) -> Host<'_> {
        match self {
            Self::Name(name) => Host::Name(name.name()),
            Self::Address(address) => Host::Address(*address),
        }
    }
}

fn ends_in_hex_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Target {
    /// Reads an authority (`host`, `host:port`). Without a port it takes `default`; none means that one must be written,
    /// as in `CONNECT` (RFC 9110 §9.3.6).
    pub fn parse(authority: &str, default: Option<u16>) -> Result<Self, NotATarget> {
        if authority.contains('@') {
            return Err(NotATarget::UserInfo);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            // `example.test:` has an empty port, which means the default (RFC 3986 §3.2.3).
            None | Some("") => default.ok_or(NotATarget::Port)?,
            Some(digits) => read_port(digits)?,
        };
        Ok(Self { host: TargetHost::parse(host)?, port })
    }
}

/// The host with its brackets, and what stands after the colon that follows it.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_host = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_host..].find(':') {
        Some(colon) => (&authority[..after_host + colon], Some(&authority[after_host + colon + 1..])),
        None => (authority, None),
    }
}

fn read_port(digits: &str) -> Result<u16, NotATarget> {
    let written_as_number = digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(port) if written_as_number && port != 0 => Ok(port),
        Ok(_) | Err(_) => Err(NotATarget::Port),
    }
}

impl fmt::Display for TargetHost {
    /// As it stands in a URI or a `Host` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// What a port is for, which decides how a tunnel to it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortUse {
    /// The client speaks first, and it speaks TLS or upgrades plain HTTP: the server name is read and judged.
    ClientFirst,
    /// Mail ports where the server greets first (STARTTLS later), so that there is nothing to wait for.
    ServerFirst,
    /// Never connected to.
    Closed,
}

/// What a tunnel's port is for.
///
/// Open below 1024: the web and reading and sending mail (a young person's mail is private and works, Reg 22). Closed:
/// port 25, which programs use to send spam; 53 and 853, which are name servers and a way around the gateway's own;
/// every other service port, since no browser tunnels to it. From 1024 up servers of all kinds stand at any port; what
/// goes there must begin with TLS like at 443, save 1080, 3128 and 9050, which are proxies by registration or habit.
pub const fn tunnel_port(port: u16) -> PortUse {
    match port {
        80 | 443 | 465 | 993 | 995 => PortUse::ClientFirst,
        110 | 143 | 587 => PortUse::ServerFirst,
        0..1024 | 1080 | 3128 | 9050 => PortUse::Closed,
        1024.. => PortUse::ClientFirst,
    }
}

/// Whether a port is for mail inside TLS (RFC 8314 §3).
pub(crate) const fn is_mail_over_tls(port: u16) -> bool {
    matches!(port, 465 | 993 | 995)
}

/// Whether plain HTTP may be sent to a port: ports of other protocols are closed, as browsers close them, because a
/// server there could take the request's bytes for commands (Fetch standard §2.9, "bad port").
pub const fn plain_port(port: u16) -> PortUse {
    match port {
        1 | 7 | 9 | 11 | 13 | 15 | 17 | 19..=23 | 25 | 37 | 42 | 43 | 53 | 69 | 77 | 79 | 87 | 95 => {
            PortUse::Closed
        }
        101..=104 | 109..=111 | 113 | 115 | 117 | 119 | 123 | 135 | 137 | 139 | 143 | 161 | 179 => {
            PortUse::Closed
        }
        389 | 427 | 443 | 465 | 512..=515 | 526 | 530..=532 | 540 | 548 | 554 | 556 | 563 | 587 | 601 => {
            PortUse::Closed
        }
        636 | 853 | 989 | 990 | 993 | 995 | 1719..=1720 | 1723 | 2049 | 3659 | 4045 | 4190 | 5060..=5061 => {
            PortUse::Closed
        }
        6000 | 6566 | 6665..=6669 | 6679 | 6697 | 10080 | 0 => PortUse::Closed,
        _ => PortUse::ClientFirst,
    }
}

/// What the proxy may reach beside the open internet.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Networks inside the home that the home opened (`home_network` of `gateway.yaml`): address and prefix length.
    pub home_network: Vec<(IpAddr, u8)>,
    /// Ports on which this gateway itself listens. On its own addresses they stay closed whatever `home_network` says.
    pub own_ports: Vec<u16>,
}

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is this gateway.
    Gateway,
    /// It is inside the home, on this machine, or on no network at all.
    Inside,
}

impl Reach {
    fn opens(&self, address: IpAddr) -> bool {
        self.home_network.iter().any(|&(network, length)| holds(network.to_canonical(), length, address))
    }

    /// Gives the address back in the form in which it may be dialled, or says why not.
    ///
    /// IPv4 in an IPv6 form (mapped, and NAT64 by RFC 6052) is looked at as the IPv4 address it leads to.
    pub fn check(&self, to: SocketAddr) -> Result<SocketAddr, Closed> {
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        let ends_at = nat64(to.ip()).unwrap_or(to.ip());
        let own = is_own(ends_at);
        if own && self.own_ports.contains(&to.port()) {
            return Err(Closed::Gateway);
        }
        if self.opens(ends_at) {
            return Ok(to);
        }
        match (own, is_open_internet(ends_at)) {
            (true, _) => Err(Closed::Gateway),
            (false, false) => Err(Closed::Inside),
            (false, true) => Ok(to),
        }
    }
}

/// The IPv4 address that a NAT64 address of the well-known prefix leads to (RFC 6052 §2.1).
fn nat64(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else { return None };
    let segments = address.segments();
    (segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0])
        .then(|| IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() as u32)))
}

/// Whether an address is the machine's own. The kernel is asked which address it would speak from: to itself, it speaks
/// from the address it speaks to. Nothing is sent.
pub(crate) fn is_own(address: IpAddr) -> bool {
    if address.is_loopback() || address.is_unspecified() {
        return true;
    }
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let asked = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    asked.is_ok_and(|from| from.ip() == address)
}

/// Whether an address is on the open internet: not one of the special-purpose registries (IANA, RFC 6890 and its
/// successors). What the registries reserve is closed too.
pub(crate) fn is_open_internet(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|&(network, length)| {
            let network = IpAddr::V4(Ipv4Addr::from(network));
            holds(network, length, IpAddr::V4(address))
        }),
        IpAddr::V6(address) => is_open_internet_v6(address),
    }
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, and multicast.
const CLOSED_V4: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),       // "This network" (RFC 791 §3.2).
    ([10, 0, 0, 0], 8),      // Private (RFC 1918).
    ([100, 64, 0, 0], 10),   // Carrier-grade NAT (RFC 6598).
    ([127, 0, 0, 0], 8),     // Loopback (RFC 1122 §3.2.1.3).
    ([169, 254, 0, 0], 16),  // Link-local (RFC 3927).
    ([172, 16, 0, 0], 12),   // Private (RFC 1918).
    ([192, 0, 0, 0], 24),    // Protocol assignments (RFC 6890 §2.1).
    ([192, 0, 2, 0], 24),    // Documentation (RFC 5737).
    ([192, 88, 99, 0], 24),  // 6to4 relays, deprecated (RFC 7526).
    ([192, 168, 0, 0], 16),  // Private (RFC 1918).
    ([198, 18, 0, 0], 15),   // Benchmarking (RFC 2544).
    ([198, 51, 100, 0], 24), // Documentation (RFC 5737).
    ([203, 0, 113, 0], 24),  // Documentation (RFC 5737).
    ([224, 0, 0, 0], 3),     // Multicast (RFC 1112), reserved, and broadcast (RFC 919).
];

/// Global unicast is 2000::/3 (RFC 4291 §2.4); inside it, tunnels that end at an IPv4 address of the sender's choice
/// are closed, and so is what leads nowhere. The well-known NAT64 prefix was taken apart before.
fn is_open_internet_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global = segments[0] & 0xe000 == 0x2000;
    let closed = matches!(segments, [0x2002, ..]) // 6to4 (RFC 3056).
        || (segments[0] == 0x2001 && segments[1] < 0x0200) // Teredo and other assignments (RFC 2928).
        || matches!(segments, [0x2001, 0x0db8, ..]) // Documentation (RFC 3849).
        || (segments[0] == 0x3fff && segments[1] < 0x1000) // Documentation (RFC 9637).
        || segments[4..6] == [0, 0x5efe] || segments[4..6] == [0x0200, 0x5efe]; // ISATAP (RFC 5214 §6.1).
    global && !closed
}

#[cfg(test)]
#[path = "target/tests.rs"]
mod tests;
