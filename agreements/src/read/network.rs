//! The network: `gateway.yaml`.

use super::block::{Block, choice, choice_of, items, short, text, texts};
use super::devices::{interfaces, networks};
use super::sheet::Sheet;
use crate::gateway::{BlockedAnswer, Certificate, Dnssec, Fail, Gateway, Listen, Router, Store, Upstream};
use crate::ports::Ports;
use crate::yaml::Node;
use blocklists::Domain;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

const KEYS: &[&str] = &[
    "name",
    "certificate",
    "listen",
    "upstream",
    "dnssec",
    "store",
    "blocked_answer",
    "trust_forwarders",
    "leases",
    "home_network",
    "questions_a_second",
    "workers",
    "mail",
    "router",
];
const LISTENERS: [&str; 8] =
    ["dns", "dns_tls", "dns_https", "proxy", "transparent", "pages", "console", "metrics"];
const DNSSEC: [(&str, Dnssec); 3] =
    [("validate", Dnssec::Validate), ("pass", Dnssec::Pass), ("off", Dnssec::Off)];
const FAIL: [(&str, Fail); 2] = [("closed", Fail::Closed), ("baseline", Fail::Baseline)];
const ANSWERS: [(&str, BlockedAnswer); 3] =
    [("page", BlockedAnswer::Page), ("nxdomain", BlockedAnswer::Nxdomain), ("zero", BlockedAnswer::Zero)];

/// More questions a second than any machine answers are no limit: `off` says so.
const MOST_QUESTIONS: u32 = 10_000_000;
/// More threads than this share no work.
const MOST_WORKERS: u32 = 64;

/// Why a text is not what it should be: the sentence and the help.
type Wrong = (String, String);

/// Reads `gateway.yaml`.
pub(crate) fn read(sheet: &mut Sheet<'_>, root: &Node) -> Gateway {
    let mut gateway = Gateway::default();
    let Some(block) = Block::read(sheet, root, "gateway.yaml", KEYS) else { return gateway };
    if let Some(node) = block.get("name") {
        gateway.name = own_name(sheet, node).unwrap_or(gateway.name);
    }
    if let Some(node) = block.get("certificate") {
        gateway.certificate = certificate(sheet, node).unwrap_or_default();
    }
    if let Some(node) = block.get("listen") {
        gateway.listen = listen(sheet, node);
    }
    gateway.upstream = upstreams(sheet, &block);
    gateway.dnssec = choice_of(sheet, &block, "dnssec", &DNSSEC, Dnssec::default());
    gateway.blocked_answer = choice_of(sheet, &block, "blocked_answer", &ANSWERS, BlockedAnswer::default());
    if let Some(node) = block.get("store") {
        gateway.store = store(sheet, node).unwrap_or(gateway.store);
    }
    gateway.trust_forwarders = networks(sheet, &block, "trust_forwarders");
    gateway.leases = leases(sheet, &block);
    gateway.home_network = networks(sheet, &block, "home_network");
    if let Some(node) = block.get("questions_a_second") {
        let off = text(sheet, node, "questions_a_second") == Some("off");
        let number = (!off).then(|| count(sheet, node, "questions_a_second", MOST_QUESTIONS));
        gateway.questions_a_second = number.and_then(|number| number.or(gateway.questions_a_second));
    }
    gateway.workers = block.get("workers").and_then(|node| count(sheet, node, "workers", MOST_WORKERS));
    gateway.mail = block.get("mail").and_then(|node| super::mail::read(sheet, node));
    if let Some(node) = block.get("router") {
        gateway.router = router(sheet, node);
        warn_of_families(sheet, &block, &gateway);
    }
    needs_upstream(sheet, &block, &gateway);
    gateway
}

/// The longest name that leaves room for a token before it (RFC 1035 §2.3.4: 253 characters, 63 of them and a dot).
const LONGEST_NAME: usize = 253 - 64;

/// The gateway's own name: at least two labels, with room for a device's token before it.
fn own_name(sheet: &mut Sheet<'_>, node: &Node) -> Option<Domain> {
    let typed = text(sheet, node, "name")?;
    // A server name in TLS and a certificate have no underscores.
    let fits = |name: &Domain| {
        let name = name.as_str();
        name.contains('.') && name.len() <= LONGEST_NAME && !name.contains('_')
    };
    let found = Domain::parse(typed).ok().filter(fits);
    if found.is_none() {
        let sentence = format!("`{}` cannot be the gateway's own name.", short(typed));
        let help =
            format!("Write a name with a dot, like `{}`, or take the line out.", crate::gateway::OWN_NAME);
        sheet.error(node.at(), "bad-name", &sentence, &help);
    }
    found
}

/// `local`, or the two files.
fn certificate(sheet: &mut Sheet<'_>, node: &Node) -> Option<Certificate> {
    if node.text().is_some() {
        return choice(sheet, node, "certificate", &[("local", ())]).map(|()| Certificate::Local);
    }
    let block = Block::read(sheet, node, "`certificate`", &["chain", "key"])?;
    let mut path = |key: &str, what: &str| {
        let node = block.need(sheet, key, what)?;
        text(sheet, node, key).map(str::to_owned)
    };
    let chain = path("chain", "the file with the certificate, and those above it");
    let key = path("key", "the file with its private key");
    Some(Certificate::Files { chain: chain?, key: key? })
}

fn leases(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<String> {
    let Some(node) = block.get("leases") else { return Vec::new() };
    items(sheet, node, "leases")
        .iter()
        .filter_map(|item| text(sheet, item, "leases").map(str::to_owned))
        .collect()
}

/// A whole number from 1 to `most`.
fn count(sheet: &mut Sheet<'_>, node: &Node, key: &str, most: u32) -> Option<NonZeroU32> {
    let typed = text(sheet, node, key)?;
    let number = typed.parse().ok().filter(|n: &NonZeroU32| n.get() <= most);
    if number.is_none() {
        let sentence = format!("`{}` is no number that `{key}` can be.", short(typed));
        sheet.error(node.at(), "bad-number", &sentence, &format!("Write a whole number from 1 to {most}."));
    }
    number
}

fn needs_upstream(sheet: &mut Sheet<'_>, block: &Block<'_>, gateway: &Gateway) {
    let Listen { dns, dns_tls, dns_https, proxy, transparent, .. } = &gateway.listen;
    let asks = [dns, dns_tls, dns_https, proxy, transparent].iter().any(|l| !l.is_empty());
    if asks && block.get("upstream").is_none() {
        let sentence = "Nothing says where names are looked up.";
        sheet.error(
            block.at,
            "no-upstream",
            sentence,
            "Add `upstream: [\"tls://1.1.1.3#family.cloudflare-dns.com\"]`, or your provider's.",
        );
    }
}

fn listen(sheet: &mut Sheet<'_>, node: &Node) -> Listen {
    let Some(block) = Block::read(sheet, node, "`listen`", &LISTENERS) else { return Listen::default() };
    let mut taken: HashMap<SocketAddr, (usize, &str)> = HashMap::new();
    let mut of = |key: &'static str| {
        let addresses = addresses(sheet, &block, key);
        for (address, at) in &addresses {
            twice(sheet, &mut taken, (*address, *at), key);
        }
        addresses.into_iter().map(|(address, _)| address).collect::<Vec<_>>()
    };
    Listen {
        dns: of("dns"),
        dns_tls: of("dns_tls"),
        dns_https: of("dns_https"),
        proxy: of("proxy"),
        transparent: of("transparent"),
        pages: of("pages"),
        console: of("console"),
        metrics: of("metrics"),
    }
}

/// Tells when two listeners want the same address. Every listener uses TCP, DNS too (RFC 7766); port 0 is a new port each time.
fn twice<'k>(
    sheet: &mut Sheet<'_>,
    taken: &mut HashMap<SocketAddr, (usize, &'k str)>,
    (address, at): (SocketAddr, usize),
    key: &'k str,
) {
    if address.port() == 0 {
        return;
    }
    if let Some((other, before)) = taken.insert(address, (at, key)) {
        let place = sheet.place(other);
        let sentence = format!("`{before}` (line {}) listens at {address} already.", place.line);
        sheet.error(at, "same-address", &sentence, "Give one of the two another port.");
        sheet.beside(Some(place));
    }
}

fn addresses(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<(SocketAddr, usize)> {
    let Some(node) = block.get(key) else { return Vec::new() };
    let mut found = Vec::new();
    for item in items(sheet, node, key) {
        let Some(typed) = text(sheet, item, key) else { continue };
        match typed.parse() {
            Ok(address) => found.push((address, item.at())),
            Err(_) => {
                let sentence = format!("`{}` is no address to listen at.", short(typed));
                sheet.error(item.at(), "bad-address", &sentence, &address_help(typed, key));
            }
        }
    }
    found
}

/// What an address would be with what is missing: its port, or its first half.
fn address_help(typed: &str, key: &str) -> String {
    let port = match key {
        "dns" => 53,
        "dns_tls" => 853,
        "dns_https" => 8853,
        "proxy" => 3128,
        "transparent" => 3129,
        "pages" => 80,
        "console" => 8443,
        _ => 9153,
    };
    let bare = typed.trim_matches(['[', ']']).parse::<IpAddr>();
    match (bare, typed.trim_start_matches(['*', ':']).parse::<u16>()) {
        (Ok(address), _) => format!("Write `\"{}\"`.", SocketAddr::new(address, port)),
        (_, Ok(port)) => format!("Write `\"0.0.0.0:{port}\"`."),
        _ => format!("Write an address and a port: \"0.0.0.0:{port}\"."),
    }
}

fn upstreams(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<Upstream> {
    let Some(node) = block.get("upstream") else { return Vec::new() };
    let mut found = Vec::new();
    for item in items(sheet, node, "upstream") {
        let Some(typed) = text(sheet, item, "upstream") else { continue };
        match upstream(typed) {
            Ok(upstream) => found.push(upstream),
            Err((sentence, help)) => sheet.error(item.at(), "bad-upstream", &sentence, &help),
        }
    }
    only_named(sheet, node, &found);
    found
}

/// An upstream that is only a name needs another one to look it up.
fn only_named(sheet: &mut Sheet<'_>, node: &Node, upstreams: &[Upstream]) {
    let named = |u: &Upstream| matches!(u, Upstream::Https { address: None, host, .. } if host.parse::<IpAddr>().is_err());
    if !upstreams.is_empty() && upstreams.iter().all(named) {
        let sentence = "Every upstream here is a name, and there is nobody to look the name up.";
        sheet.error(
            node.at(),
            "bad-upstream",
            sentence,
            "Write one with its address: https://dns.example@192.0.2.1/dns-query.",
        );
    }
}

fn upstream(typed: &str) -> Result<Upstream, Wrong> {
    let wrong = |help: String| (format!("`{}` is no place to look names up.", short(typed)), help);
    let Some((scheme, rest)) = typed.split_once("://") else {
        let help = match at(typed, 53) {
            Some(_) => format!("Write `udp://{typed}`, or `tls://{typed}#its.name` if it can."),
            None => "Write it like tls://1.1.1.3#family.cloudflare-dns.com or udp://192.0.2.1.".to_owned(),
        };
        return Err(wrong(help));
    };
    let numbers = || wrong(format!("After `{scheme}://` write the server's address in numbers."));
    match scheme {
        "udp" => at(rest, 53).map(Upstream::Udp).ok_or_else(numbers),
        "tcp" => at(rest, 53).map(Upstream::Tcp).ok_or_else(numbers),
        "tls" => tls(rest).map_err(wrong),
        "https" => https(rest).map_err(wrong),
        _ => Err(wrong("It begins with `udp://`, `tcp://`, `tls://` or `https://`.".to_owned())),
    }
}

/// An address, and its port or the usual one.
fn at(text: &str, port: u16) -> Option<SocketAddr> {
    let bare = || text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text).parse().ok();
    text.parse().ok().or_else(|| bare().map(|address| SocketAddr::new(address, port)))
}

fn tls(rest: &str) -> Result<Upstream, String> {
    let Some((address, name)) = rest.split_once('#') else {
        return Err("After the address write # and the name in its certificate: tls://1.1.1.3#family.cloudflare-dns.com.".to_owned());
    };
    let address = at(address, 853).ok_or("Between tls:// and # write the server's address in numbers.")?;
    let name =
        Domain::parse(name).map_err(|why| format!("After # comes the name in its certificate: {why}."))?;
    Ok(Upstream::Tls(address, name.as_str().to_owned()))
}

fn https(rest: &str) -> Result<Upstream, String> {
    let Some((authority, path)) = rest.split_once('/').filter(|(_, path)| !path.is_empty()) else {
        return Err(format!(
            "Write its path as well: `https://{}/dns-query`.",
            short(rest.trim_end_matches('/'))
        ));
    };
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
        return Err("A path has no spaces.".to_owned());
    }
    let (name, address) = match authority.split_once('@') {
        Some((name, address)) => {
            let address = at(address, 443).ok_or("After @ write the server's address in numbers.")?;
            (name, Some(address))
        }
        None => (authority, None),
    };
    let (host, port) = host_and_port(name)?;
    let port = address.map_or(port, |a| if a.port() == 443 { port } else { a.port() });
    let address = address.map(|a| a.ip()).or_else(|| host.parse().ok());
    Ok(Upstream::Https { host, port, path: format!("/{path}"), address })
}

/// The host of a URL, which may be an address, and its port.
fn host_and_port(text: &str) -> Result<(String, u16), String> {
    if let Some(address) = at(text, 443) {
        return Ok((address.ip().to_string(), address.port()));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| "After the colon comes a port, like 443.")?),
        None => (text, 443),
    };
    let name = Domain::parse(name).map_err(|why| format!("The server's name is not right: {why}."))?;
    Ok((name.as_str().to_owned(), port))
}

fn store(sheet: &mut Sheet<'_>, node: &Node) -> Option<Store> {
    let typed = text(sheet, node, "store")?;
    let sqlite = typed.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if let Some(path) = sqlite.filter(|path| !path.is_empty() && !path.contains('\0')) {
        return Some(Store::Sqlite(path.to_owned()));
    }
    let postgres = typed.strip_prefix("postgres://").or_else(|| typed.strip_prefix("postgresql://"));
    if postgres.is_some_and(|rest| !rest.is_empty()) {
        return Some(Store::Postgres(typed.to_owned()));
    }
    // The text is not repeated: it may hold a password.
    let help = "Write `sqlite:/var/lib/hearthgate/home.db` or `postgres://…`.";
    sheet.error(node.at(), "bad-store", "This is no place to keep records.", help);
    None
}

#[derive(Clone, Copy)]
enum Mode {
    Off,
    Nftables,
}

fn router(sheet: &mut Sheet<'_>, node: &Node) -> Router {
    let keys = ["mode", "lan", "wan", "others", "fail", "ports"];
    let Some(block) = Block::read(sheet, node, "`router`", &keys) else {
        return Router::Off;
    };
    let modes = [("off", Mode::Off), ("nftables", Mode::Nftables)];
    let mode =
        block.need(sheet, "mode", "how the router is used").and_then(|n| choice(sheet, n, "mode", &modes));
    let [lan, wan, others] = ["lan", "wan", "others"].map(|key| interfaces(sheet, &block, key));
    let fail = choice_of(sheet, &block, "fail", &FAIL, Fail::default());
    let ports = ports(sheet, &block, "ports").map(|(ports, _)| ports).unwrap_or_default();
    let Some(Mode::Nftables) = mode else { return Router::Off };
    for (key, names) in [("lan", &lan), ("wan", &wan)] {
        if names.is_empty() && block.get(key).is_none() {
            let sentence = format!("`{key}` is missing: the router's interfaces on that side.");
            sheet.error(
                block.at,
                "missing-key",
                &sentence,
                &format!("Add `{key}: [...]`, as `ip link` shows them."),
            );
        }
    }
    on_one_side(sheet, &block, &lan, ("wan", &wan), "the home's side and the internet's side");
    on_one_side(sheet, &block, &lan, ("others", &others), "held and left alone");
    on_one_side(sheet, &block, &wan, ("others", &others), "the internet's side and another network");
    Router::Nftables { lan, wan, others, fail, ports }
}

/// No interface stands on two sides.
fn on_one_side(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    one: &[String],
    (key, other): (&str, &[String]),
    both: &str,
) {
    if let Some(name) = one.iter().find(|name| other.contains(name)) {
        let sentence = format!("`{}` cannot be {both} at once.", short(name));
        sheet.error(block.key_at(key), "same-interface", &sentence, "Name another one under one of them.");
    }
}

/// Packets of a family without a listener are held by address alone: which is said, since nobody would notice.
fn warn_of_families(sheet: &mut Sheet<'_>, block: &Block<'_>, gateway: &Gateway) {
    // What could not be read listens nowhere yet.
    if gateway.router == Router::Off || sheet.errors() > 0 {
        return;
    }
    let Listen { dns, transparent, .. } = &gateway.listen;
    for (key, listeners, what) in [
        ("dns", dns, "names are looked up by nobody"),
        (
            "transparent",
            transparent,
            "the web is held by its addresses alone, and not by the names that it shows",
        ),
    ] {
        let reached = |four| listeners.iter().any(|a| a.is_ipv4() == four && !a.ip().is_loopback());
        let (families, all) = match (reached(true), reached(false)) {
            (true, true) => continue,
            (false, true) => ("IPv4", "0.0.0.0"),
            (true, false) => ("IPv6", "[::]"),
            (false, false) => ("IPv4 and IPv6", "0.0.0.0"),
        };
        let sentence = format!(
            "Nothing that devices reach listens for `{key}` over {families}: at the router {what} there."
        );
        let help = format!("Add an address like `\"{all}:…\"` to `listen: {{{key}: […]}}`.");
        sheet.warning(block.key_at("router"), "router-family", &sentence, &help);
    }
}

/// The ports of a key, and how they are written; none where the key is not there, or something in it is no port.
pub(super) fn ports(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Option<(Ports, Vec<String>)> {
    let node = block.get(key)?;
    let written = texts(sheet, block, key);
    match Ports::read(written.iter().map(String::as_str)) {
        Ok(ports) => Some((ports, written)),
        Err(place) => {
            let sentence =
                format!("`{}` is no word for ports, no port and no range.", short(&written[place]));
            let words = Ports::words().collect::<Vec<_>>().join(", ");
            let help = format!("Write {words}, a port (`5000`) or a range (`udp 27000-27100`).");
            sheet.error(node.at(), "bad-ports", &sentence, &help);
            None
        }
    }
}
