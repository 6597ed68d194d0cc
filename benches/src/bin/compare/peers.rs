//! The peers: one row each. Their configurations are in benches/peers/.

use crate::options::{Only, Options};

/// What a program is measured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The subject.
    Hearthgate,
    /// A filter like it.
    Filter,
    /// The kernel's own limit.
    Limit,
}

/// A list as a peer reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Unbound,
    Rpz,
    Dnsmasq,
    Squid,
}

/// A program to measure. `@DIR@` stands for its own folder, `@BUILT@` for the programs of this crate, `@PORT@` and
/// `@PORT2@` for its ports; see `World::fill` for the others.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) half: Only,
    pub(crate) kind: Kind,
    /// The Debian package; empty for programs of this repository.
    pub(crate) package: &'static str,
    /// Configurations, from benches/peers/ to the peer's folder.
    pub(crate) files: &'static [&'static str],
    pub(crate) command: &'static str,
    pub(crate) list: Option<List>,
    /// Whether it refuses the listed names. Those that cannot hold a million are measured without.
    pub(crate) refuses: bool,
    /// It relays to one server, and is told nothing.
    pub(crate) relay: bool,
    /// Idle tunnels that it can hold.
    pub(crate) idle: usize,
    /// What must be known to read its figures.
    pub(crate) note: &'static str,
}

const DNS: Peer = Peer {
    name: "",
    half: Only::Dns,
    kind: Kind::Filter,
    package: "",
    files: &[],
    command: "",
    list: None,
    refuses: true,
    relay: false,
    idle: 0,
    note: "",
};

const HTTP: Peer = Peer { half: Only::Http, idle: 5000, ..DNS };

/// Hearthgate is started by `home.rs`.
pub(crate) const HEARTHGATE: &str = "hearthgate";

/// All of them, in the order in which they take turns.
pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: HEARTHGATE,
        kind: Kind::Hearthgate,
        note: "six agreements, identity by address, breaches recorded; refused names lead to its page, with the reason in the answer",
        ..DNS
    },
    Peer {
        name: "unbound-local",
        package: "unbound",
        files: &["unbound-local.conf"],
        command: "unbound -d -c @DIR@/unbound-local.conf",
        list: Some(List::Unbound),
        note: "local-zone, always_nxdomain",
        ..DNS
    },
    Peer {
        name: "unbound-rpz",
        package: "unbound",
        files: &["unbound-rpz.conf"],
        command: "unbound -d -c @DIR@/unbound-rpz.conf",
        list: Some(List::Rpz),
        note: "RPZ: two records a name",
        ..DNS
    },
    Peer {
        name: "dnsdist",
        package: "dnsdist",
        files: &["dnsdist.conf"],
        command: "dnsdist --supervised --disable-syslog -C @DIR@/dnsdist.conf",
        note: "SuffixMatchNode and packet cache",
        ..DNS
    },
    Peer {
        name: "pdns-recursor",
        package: "pdns-recursor",
        files: &["recursor.conf", "recursor.lua"],
        command: "pdns_recursor --config-dir=@DIR@ --daemon=no",
        list: Some(List::Rpz),
        note: "RPZ; its packet cache answers refused names too",
        ..DNS
    },
    Peer {
        name: "knot-resolver",
        package: "knot-resolver",
        files: &["kresd.conf"],
        command: "kresd -n -c @DIR@/kresd.conf @DIR@",
        list: Some(List::Rpz),
        note: "policy.rpz",
        ..DNS
    },
    Peer {
        name: "dnsmasq",
        package: "dnsmasq",
        files: &["dnsmasq.conf"],
        command: "dnsmasq -k -C @DIR@/dnsmasq.conf",
        list: Some(List::Dnsmasq),
        note: "local=/name/",
        ..DNS
    },
    Peer {
        name: "bind9",
        package: "bind9",
        files: &["named.conf"],
        command: "named -f -n 1 -c @DIR@/named.conf",
        list: Some(List::Rpz),
        note: "RPZ",
        ..DNS
    },
    Peer {
        name: "echo",
        kind: Kind::Limit,
        command: "@BUILT@/bare echo 127.0.0.1:@PORT@",
        refuses: false,
        note: "recvmmsg and sendmmsg, nothing else",
        ..DNS
    },
    Peer {
        name: HEARTHGATE,
        kind: Kind::Hearthgate,
        note: "the same home; server names inside tunnels are read and judged",
        ..HTTP
    },
    Peer {
        name: "squid",
        package: "squid",
        files: &["squid.conf"],
        command: "squid -N -f @DIR@/squid.conf",
        list: Some(List::Squid),
        note: "dstdomain; names below listed names left out, which it refuses to load",
        ..HTTP
    },
    Peer {
        name: "e2guardian",
        package: "e2guardian",
        files: &["e2guardian.sh"],
        command: "e2guardian -N -c @DIR@/e2/e2guardian.conf",
        idle: 450,
        note: "500 workers, a tunnel each; bannedsitelist",
        ..HTTP
    },
    Peer {
        name: "tinyproxy",
        package: "tinyproxy",
        files: &["tinyproxy.conf"],
        command: "tinyproxy -d -c @DIR@/tinyproxy.conf",
        refuses: false,
        note: "without a list: it holds patterns, tried one by one; closes after each request",
        ..HTTP
    },
    Peer {
        name: "privoxy",
        package: "privoxy",
        files: &["privoxy.conf"],
        command: "privoxy --no-daemon @DIR@/privoxy.conf",
        refuses: false,
        note: "without a list: it holds patterns, tried one by one; filtering off",
        ..HTTP
    },
    Peer {
        name: "haproxy-tcp",
        package: "haproxy",
        kind: Kind::Limit,
        files: &["haproxy.cfg"],
        command: "haproxy -db -f @DIR@/haproxy.cfg",
        refuses: false,
        relay: true,
        note: "a bare relay: it reads nothing of what it carries, and there is no CONNECT",
        ..HTTP
    },
    Peer {
        name: "bare-copy",
        kind: Kind::Limit,
        command: "@BUILT@/bare relay 127.0.0.1:@PORT@",
        refuses: false,
        note: "epoll, one buffer; of a request it reads the first line",
        ..HTTP
    },
    Peer {
        name: "bare-splice",
        kind: Kind::Limit,
        command: "@BUILT@/bare relay --splice 127.0.0.1:@PORT@",
        refuses: false,
        note: "the same with splice(2)",
        ..HTTP
    },
];

/// Those that are asked for, of one half.
pub(crate) fn of(options: &Options, half: Only) -> Vec<&'static Peer> {
    let asked = |peer: &&Peer| peer.half == half && options.wants(half) && options.wants_peer(peer.name);
    PEERS.iter().filter(asked).collect()
}

/// A name that was asked for and is none of them.
pub(crate) fn unknown(options: &Options) -> Option<String> {
    let known: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
    let unknown = options.peers.iter().find(|name| !known.contains(&name.as_str()))?;
    Some(format!("there is no peer `{unknown}`; there are {}", known.join(", ")))
}

/// The Debian packages of those that are asked for.
pub(crate) fn packages(options: &Options) -> Vec<&'static str> {
    let alone = options.flood || options.growth;
    let peers = PEERS.iter().filter(|p| !alone && options.wants(p.half) && options.wants_peer(p.name));
    let mut packages: Vec<&str> = peers.map(|peer| peer.package).filter(|p| !p.is_empty()).collect();
    if options.wants(Only::Http) && !alone {
        packages.push("nginx-light");
    }
    packages.push("util-linux");
    packages.dedup();
    packages
}
