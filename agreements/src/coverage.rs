//! What a home's set-up holds, what it holds in part, what is switched off, and what nobody can hold from a gateway.
//!
//! One ordered table, from the files alone: the command, the console and the tests show the same lines. It names no young
//! person, and promises nothing that is not there.

use crate::detector::{DETECTORS, Row, SeenBy};
use crate::gateway::{Certificate, Dnssec, Gateway, OWN_NAME, Router};
use crate::house::House;
use crate::meant::{DeviceBy, SafeSearch, UnknownDevices};
use crate::ports::Ports;
use serde::Serialize;

/// How far something is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It is held.
    Holds,
    /// It is held for some devices, or some of the time.
    Partly,
    /// It could be held, and is switched off.
    Off,
    /// It cannot be held from here, however the gateway is set up.
    Cannot,
}

/// One line of a home's coverage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Its key, for scripts and the console.
    pub key: &'static str,
    /// How far it is held.
    pub held: Held,
    /// What that means, in one sentence.
    pub sentence: String,
    /// Why it is so: the file's word, or the nature of things.
    pub because: &'static str,
    /// What would help; empty where nothing would.
    pub help: &'static str,
}

/// A line: its key, and what a home's files make of it. None: it is no matter here.
type Line = (&'static str, fn(&Facts<'_>) -> Option<Said>);

/// What a row says.
struct Said {
    held: Held,
    sentence: String,
    because: &'static str,
    help: &'static str,
}

/// What the rows look at.
struct Facts<'a> {
    gateway: &'a Gateway,
    house: &'a House,
}

impl Facts<'_> {
    fn encrypted(&self) -> bool {
        let listen = &self.gateway.listen;
        !listen.dns_tls.is_empty() || !listen.dns_https.is_empty()
    }

    fn asks_here(&self) -> bool {
        !self.gateway.listen.dns.is_empty() || self.encrypted()
    }

    /// Whether web traffic itself comes through the gateway, for some devices at least.
    fn carries(&self) -> bool {
        let listen = &self.gateway.listen;
        !listen.proxy.is_empty() || !listen.transparent.is_empty()
    }

    fn devices(&self, known: fn(&DeviceBy) -> bool) -> usize {
        self.house.devices().iter().filter(|device| known(&device.known.by)).count()
    }
}

fn said(held: Held, sentence: impl Into<String>, because: &'static str, help: &'static str) -> Option<Said> {
    Some(Said { held, sentence: sentence.into(), because, help })
}

/// A home's coverage, in the order of the table: what holds first.
pub fn coverage(gateway: &Gateway, house: &House) -> Vec<Covered> {
    let facts = Facts { gateway, house };
    let line = |(key, says): &Line| {
        let Said { held, sentence, because, help } = says(&facts)?;
        Some(Covered { key, held, sentence, because, help })
    };
    let mut lines: Vec<Covered> = ROWS.iter().filter_map(line).collect();
    lines.extend(DETECTORS.iter().map(|row| detected(&facts, row)));
    lines.sort_by_key(|line| line.held);
    lines
}

/// How far a way around is held: by where it would be seen.
fn detected(facts: &Facts<'_>, row: &Row) -> Covered {
    let (router, asks) = (is_at_router(facts), facts.asks_here());
    let (held, because, help) = match row.seen_by {
        SeenBy::Names if router => (Holds, "names are judged here, and packets at the router", ""),
        SeenBy::Names if asks || facts.carries() => {
            (Partly, "names are judged here; who asks elsewhere is not seen", ROUTER)
        }
        SeenBy::Answers if asks => {
            (Partly, "answers are read here; what is known from elsewhere is not seen", "")
        }
        SeenBy::Packets if router => (Holds, AT_ROUTER, ""),
        SeenBy::Network if router => {
            (Partly, "it is looked for, and staff are told; nothing is refused for it", "")
        }
        SeenBy::Names | SeenBy::Answers => (Off, "`listen` has no listener that would see it", ""),
        SeenBy::Packets | SeenBy::Network => (Off, "`router: {mode: off}`", ROUTER),
    };
    Covered { key: row.key, held, sentence: row.sentence.to_owned(), because, help }
}

const ROUTER: &str = "Let the gateway hold the router: `router: {mode: nftables, …}`.";

use Held::{Cannot, Holds, Off, Partly};

/// The table.
const ROWS: &[Line] = &[
    ("names", names),
    ("encrypted_dns", encrypted_dns),
    ("web", web),
    ("redirected_web", redirected_web),
    ("router", router),
    ("other_resolvers", other_resolvers),
    ("addresses", addresses),
    ("ports", ports),
    ("what_is_open", what_is_open),
    ("minutes", minutes),
    ("outside", outside),
    ("unknown_devices", unknown_devices),
    ("hardware_addresses", hardware_addresses),
    ("copied_hardware", copied_hardware),
    ("lent_addresses", lent_addresses),
    ("forwarders", forwarders),
    ("search", search),
    ("hidden_names", hidden_names),
    ("forged_answers", forged_answers),
    ("sealed_lists", sealed_lists),
    ("mobile_data", |_| {
        said(
            Cannot,
            "A device on its own mobile data is out of reach.",
            BEYOND,
            "Agree it, and ask the provider for its child controls.",
        )
    }),
    ("other_wifi", |_| {
        said(
            Cannot,
            "A neighbour's, a friend's or a library's Wi-Fi is out of reach.",
            BEYOND,
            "A device with a token and a profile asks here from anywhere, for as long as nobody takes the profile out.",
        )
    }),
    ("inside_apps", |_| {
        said(
            Cannot,
            "What people say, send and see inside an app or a game is not seen.",
            "names are judged, and allowed traffic is never opened",
            "It stands in the agreement under `behaviour`; people look after it.",
        )
    }),
    ("one_server_many_sites", |_| {
        said(
            Cannot,
            "A program can ask the server of an open site for another one that stands at the same server.",
            "inside TLS the gateway sees the one name and no more",
            "",
        )
    }),
    ("between_devices", |_| {
        said(
            Cannot,
            "What devices send each other (Bluetooth, AirDrop, one phone's hotspot) does not come by here.",
            BEYOND,
            "",
        )
    }),
    ("on_the_device", |_| said(Cannot, "What is on a device already works whatever the hour.", BEYOND, "")),
];

const BEYOND: &str = "it does not come through the gateway";

fn names(facts: &Facts<'_>) -> Option<Said> {
    if facts.asks_here() {
        let sentence = "Every name that a device looks up here is judged by its person's agreement, and so is every name that the answer leads to.";
        return said(Holds, sentence, "`listen` has a DNS listener", "");
    }
    said(
        Off,
        "No device can look names up here.",
        "`listen` has no DNS listener",
        "Add `dns: [\"0.0.0.0:53\"]`.",
    )
}

fn encrypted_dns(facts: &Facts<'_>) -> Option<Said> {
    if facts.encrypted() {
        let sentence = "Devices that want encrypted DNS find it here, under the same agreement.";
        return said(Holds, sentence, "`listen` has `dns_tls` or `dns_https`", "");
    }
    let sentence = "A device that wants encrypted DNS finds none here and may look elsewhere.";
    said(
        Off,
        sentence,
        "`listen` has neither `dns_tls` nor `dns_https`",
        "Add `dns_https: [\"0.0.0.0:8853\"]`.",
    )
}

fn web(facts: &Facts<'_>) -> Option<Said> {
    if facts.gateway.listen.proxy.is_empty() {
        return said(
            Off,
            "No browser can use this gateway as its proxy.",
            "`listen` has no `proxy`",
            "Add `proxy: [\"0.0.0.0:3128\"]`.",
        );
    }
    let sentence = "Browsers that use the proxy are held by site, by path on plain HTTP, and by the name that TLS shows. A browser that does not use it is not.";
    said(
        Partly,
        sentence,
        "`listen` has `proxy`, which a device has to be set to",
        "Set devices to /proxy.pac on the gateway's pages.",
    )
}

fn redirected_web(facts: &Facts<'_>) -> Option<Said> {
    if facts.gateway.listen.transparent.is_empty() {
        return said(
            Off,
            "Web traffic that knows nothing of a proxy passes by.",
            "`listen` has no `transparent`",
            "",
        );
    }
    let sentence =
        "Web traffic that the router sends here is held by the name that it connects to, on any device.";
    said(Partly, sentence, "`listen` has `transparent`; what the router does not redirect passes by", "")
}

fn router(facts: &Facts<'_>) -> Option<Said> {
    let sentence = "The router holds nothing by itself: what does not ask here is not held.";
    match &facts.gateway.router {
        Router::Off => {
            said(Off, sentence, "`router: {mode: off}`", "Let the router send all DNS to this gateway.")
        }
        Router::Nftables { others, .. } if !others.is_empty() => said(
            Partly,
            "Every device of the home's networks is held: it looks names up here and reaches only what its own answers gave it. Other networks of the same router are not.",
            "`router: {mode: nftables}`, and `others` names networks that it leaves alone",
            "Let no young person's device into those networks.",
        ),
        Router::Nftables { .. } => said(
            Holds,
            "Every device behind the router is held: it looks names up here and reaches only what its own answers gave it.",
            AT_ROUTER,
            "",
        ),
    }
}

/// Why a line holds where the router is ours.
const AT_ROUTER: &str = "`router: {mode: nftables}`";

fn is_at_router(facts: &Facts<'_>) -> bool {
    matches!(facts.gateway.router, Router::Nftables { .. })
}

fn other_resolvers(facts: &Facts<'_>) -> Option<Said> {
    if is_at_router(facts) {
        let sentence = "Questions to other resolvers are answered here or refused, and VPNs and relays by number meet a closed door. A VPN that stands behind a name of its own, or hides inside an allowed site's traffic, passes.";
        return said(
            Partly,
            sentence,
            AT_ROUTER,
            "What an agreement does not allow by name is closed to a VPN as well: `otherwise: block`.",
        );
    }
    let sentence = "Known addresses of other resolvers, VPNs and relays are refused as names. A device that brings its own resolver or VPN by number asks past the gateway.";
    said(
        Partly,
        sentence,
        "names are judged here, packets at the router",
        "Refuse ports 53 and 853 to the internet at the router.",
    )
}

fn addresses(facts: &Facts<'_>) -> Option<Said> {
    if is_at_router(facts) {
        let sentence = "An address in numbers that no answer gave the device is refused, on every port.";
        return said(Holds, sentence, AT_ROUTER, "");
    }
    let sentence = "An address in numbers is refused where traffic comes through the gateway, and passes where it does not.";
    if facts.carries() {
        return said(Partly, sentence, "`listen` has `proxy` or `transparent`", "");
    }
    said(
        Off,
        "A program that connects to an address in numbers looks no name up, and is not held.",
        "`listen` has neither `proxy` nor `transparent`",
        "",
    )
}

fn ports(facts: &Facts<'_>) -> Option<Said> {
    let Router::Nftables { ports, .. } = &facts.gateway.router else { return None };
    match ports {
        Ports::Any => said(
            Off,
            "An address that a name led to is open on every port, so that a VPN needs a name and no more.",
            "`router: {ports: [any]}`",
            "Name the ports that are needed: `ports: [web, mail, devices, calls]`.",
        ),
        Ports::These(_) => said(
            Partly,
            "An address that a name led to is open on the ports that are named; what speaks something else there passes.",
            "`router: ports`",
            "",
        ),
    }
}

fn copied_hardware(facts: &Facts<'_>) -> Option<Said> {
    let known = facts.devices(|by| matches!(by, DeviceBy::Mac(_)));
    if known == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by hardware address, which another device can copy: it is then taken for that one, with all that it may.",
        of(known, "device is", "devices are")
    );
    said(
        Partly,
        sentence,
        "`mac` in an agreement's `devices`",
        "Give staff's devices a `token`: it cannot be seen on the network. Staff are told when one hardware address has two names.",
    )
}

fn what_is_open(facts: &Facts<'_>) -> Option<Said> {
    if is_at_router(facts) {
        let sentence =
            "Downloads, calls and games are cut within seconds of a window's end, whatever port they use.";
        return said(Holds, sentence, AT_ROUTER, "");
    }
    if facts.carries() {
        let sentence = "Downloads, calls and games that go through the gateway are cut within seconds of a window's end. Beside it they run on until they look a name up.";
        return said(Partly, sentence, "`listen` has `proxy` or `transparent`", "");
    }
    let sentence = "What is open at a window's end runs on until its program looks a name up again.";
    said(Off, sentence, "`listen` has neither `proxy` nor `transparent`", "")
}

fn minutes(facts: &Facts<'_>) -> Option<Said> {
    if is_at_router(facts) {
        let sentence = "Minutes are counted from what really passes through the router, on every port.";
        return said(Holds, sentence, AT_ROUTER, "");
    }
    if facts.carries() {
        let sentence = "Minutes are counted from traffic where it goes through the gateway, and estimated from names where it does not.";
        return said(Partly, sentence, "`listen` has `proxy` or `transparent`", "");
    }
    said(Partly, "Minutes are an estimate, from the names that are looked up.", "only DNS comes here", "")
}

fn outside(facts: &Facts<'_>) -> Option<Said> {
    let tokens = facts.devices(|by| matches!(by, DeviceBy::Token(_)));
    let with = "Make a profile for each: `hearthgate profile PERSON DEVICE`.";
    let is_public =
        facts.gateway.name.as_str() != OWN_NAME && !facts.gateway.name.as_str().ends_with(".arpa");
    match (facts.encrypted(), tokens, is_public) {
        (false, ..) => said(
            Off,
            "No agreement goes with a device that leaves the home.",
            "`listen` has neither `dns_tls` nor `dns_https`",
            with,
        ),
        (_, 0, _) => said(
            Off,
            "No agreement goes with a device that leaves the home.",
            "no device has a `token`",
            with,
        ),
        (_, _, false) => said(
            Off,
            "Devices with a token find the gateway inside the home alone.",
            "`name` is no name of the internet's",
            "Give the gateway a public name, and a way in from outside.",
        ),
        (_, tokens, true) => {
            let sentence = format!(
                "The agreement goes with the {tokens} that have a token, where the gateway can be reached and the profile stays on.",
                tokens = of(tokens, "device", "devices")
            );
            let because = match facts.gateway.certificate {
                Certificate::Local => "devices have to know the home's own authority (`certificate: local`)",
                Certificate::Files { .. } => "`certificate` names files",
            };
            said(Partly, sentence, because, with)
        }
    }
}

fn unknown_devices(facts: &Facts<'_>) -> Option<Said> {
    let (sentence, because) = match facts.house.home().unknown_devices {
        UnknownDevices::Block => (
            "A device that nobody knows reaches what is protected and nothing else.",
            "`unknown_devices: block`",
        ),
        UnknownDevices::Baseline => {
            ("A device that nobody knows has the baseline.", "`unknown_devices: baseline`")
        }
        UnknownDevices::SignIn if facts.gateway.listen.pages.is_empty() => {
            let sentence = "A device that nobody knows reaches what is protected and nothing else: there is no page to sign in at.";
            return said(Partly, sentence, "`listen` has no `pages`", "Let `pages` listen on port 80.");
        }
        UnknownDevices::SignIn => (
            "A device that nobody knows reaches the page to sign in at and what is protected, until somebody signs in on it.",
            "`unknown_devices: sign_in`",
        ),
    };
    said(Holds, sentence, because, "")
}

fn hardware_addresses(facts: &Facts<'_>) -> Option<Said> {
    let private = facts.devices(|by| matches!(by, DeviceBy::Mac(mac) if is_made_up(*mac)));
    if private == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by a private hardware address, which a phone may change: it is unknown then, and has the baseline.",
        of(private, "device is", "devices are")
    );
    said(
        Partly,
        sentence,
        "the address says of itself that it is made up (IEEE 802c)",
        "Switch private addresses off for this network on the device, or give it a token.",
    )
}

fn lent_addresses(facts: &Facts<'_>) -> Option<Said> {
    let lent = facts.devices(|by| matches!(by, DeviceBy::Ip(_)));
    if lent == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by address alone: another device that takes the address is taken for it.",
        of(lent, "device is", "devices are")
    );
    said(Partly, sentence, "`ip` in an agreement's `devices`", "Use `mac`, or a `token`.")
}

fn forwarders(facts: &Facts<'_>) -> Option<Said> {
    if facts.gateway.trust_forwarders.is_empty() {
        return None;
    }
    let sentence =
        "Devices behind another resolver of the home are told apart as far as that resolver tells who asks.";
    said(
        Partly,
        sentence,
        "`trust_forwarders`",
        "Let it add the client's address (dnsmasq: `add-subnet=32,128`, `add-mac`).",
    )
}

fn search(facts: &Facts<'_>) -> Option<Said> {
    match facts.house.home().everyone.safe_search {
        SafeSearch::Strict => said(
            Holds,
            "Search engines that have safe search are held to it, strictly; others are closed.",
            "`safe_search: strict`",
            "",
        ),
        SafeSearch::Moderate => said(
            Holds,
            "Search engines that have safe search are held to it, moderately.",
            "`safe_search: moderate`",
            "",
        ),
        SafeSearch::Off => {
            said(Off, "Search is as each agreement has it.", "`safe_search: off` for everyone", "")
        }
    }
}

fn hidden_names(facts: &Facts<'_>) -> Option<Said> {
    let asks = facts.asks_here();
    asks.then(|| said(Partly, "The key that hides a site's name from the gateway (ECH) is taken out of answers; a device that has it from elsewhere can hide the name.", "answers of DNS listeners are read", ""))?
}

fn forged_answers(facts: &Facts<'_>) -> Option<Said> {
    match facts.gateway.dnssec {
        Dnssec::Validate => said(
            Partly,
            "Answers that are wrongly signed are no answers; zones that nobody signed cannot be checked.",
            "`dnssec: validate`",
            "",
        ),
        Dnssec::Pass => said(
            Off,
            "Signatures are not checked here; what the upstream says of them is passed on.",
            "`dnssec: pass`",
            "",
        ),
        Dnssec::Off => said(Off, "Signatures are neither asked for nor checked.", "`dnssec: off`", ""),
    }
}

fn sealed_lists(facts: &Facts<'_>) -> Option<Said> {
    if facts.house.home().lists.iter().any(|list| list.sealed) {
        return said(
            Holds,
            "What stands on the home's sealed lists is closed to everybody, by name.",
            "`lists` has a sealed one",
            "",
        );
    }
    said(
        Off,
        "No list of illegal material is in force (IWF, CTIRU).",
        "`lists` has no sealed one",
        "They come only under licence to the home.",
    )
}

/// Whether a hardware address says of itself that a device made it up (IEEE 802c: the second bit of the first byte).
pub fn is_made_up(mac: [u8; 6]) -> bool {
    mac[0] & 2 != 0
}

fn of(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
