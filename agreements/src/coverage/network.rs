//! Lines of the network: listeners, the router, what is asked and what flows.

use super::Held::{Holds, Off, Partly};
use super::{AT_ROUTER, CLOSE_IT, Facts, Line, NOT_FOR_EVERYONE, ROUTER, Said, of, said};
use crate::gateway::{Certificate, Dnssec, Fail, Router};
use crate::meant::{DeviceBy, Person};
use crate::ports::Ports;

/// The lines, in their order.
pub(super) const ROWS: &[Line] = &[
    ("names", names),
    ("encrypted_dns", encrypted_dns),
    ("web", web),
    ("redirected_web", redirected_web),
    ("router", router),
    ("when_away", when_away),
    ("other_resolvers", other_resolvers),
    ("addresses", addresses),
    ("ports", ports),
    ("exceptions", exceptions),
    ("what_is_open", what_is_open),
    ("minutes", minutes),
    ("outside", outside),
    ("forwarders", forwarders),
    ("hidden_names", hidden_names),
    ("forged_answers", forged_answers),
];

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
    let listeners = &facts.gateway.listen.transparent;
    let [four, six] =
        [true, false].map(|four| listeners.iter().any(|at| at.is_ipv4() == four && !at.ip().is_loopback()));
    let help = "Add `transparent: [\"0.0.0.0:3129\", \"[::]:3129\"]`.";
    match (facts.is_at_router(), four, six) {
        _ if listeners.is_empty() => {
            let sentence = "Web traffic that knows nothing of a proxy passes by.";
            said(Off, sentence, "`listen` has no `transparent`", help)
        }
        (true, true, true) => {
            let sentence =
                "The web is held by the name that it connects to, on any device, over IPv4 and IPv6.";
            said(Holds, sentence, AT_ROUTER, "")
        }
        (true, true, false) | (true, false, true) => {
            let (held, other) = if four { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
            let sentence = format!(
                "The web is held by the name that it connects to over {held} alone. Over {other} it is held by addresses, and one address can be many sites."
            );
            said(Partly, sentence, "`transparent` listens for one of them", help)
        }
        (true, false, false) | (false, _, _) => {
            let sentence = "Web traffic that the router sends here is held by the name that it connects to, on any device.";
            let because = "`listen` has `transparent`; what the router does not redirect passes by";
            said(Partly, sentence, because, "")
        }
    }
}

fn router(facts: &Facts<'_>) -> Option<Said> {
    let sentence = "The router holds nothing by itself: what does not ask here is not held.";
    let missing: Vec<String> = facts.running.missing.iter().map(|(_, name)| format!("`{name}`")).collect();
    match &facts.gateway.router {
        Router::Off => {
            said(Off, sentence, facts.not_at_router(), "Let the router send all DNS to this gateway.")
        }
        Router::Nftables { .. } if !facts.is_at_router() => {
            said(Off, "THE ROUTER HOLDS NOBODY.", facts.not_at_router(), "See `hearthgate status`.")
        }
        Router::Nftables { .. } if facts.running.dark => said(
            Partly,
            "Nobody gets through: none of the router's interfaces is there.",
            "`router` names interfaces that this machine lacks",
            "`ip link` shows the names.",
        ),
        Router::Nftables { .. } if facts.running.offloaded => said(
            Partly,
            "Devices look names up here, and what flows already is handed over to a path on which no rule sees it.",
            "the firewall has flow offload",
            "Switch flow offload off.",
        ),
        Router::Nftables { .. } if !missing.is_empty() => {
            let sentence = format!(
                "Every device of the home's networks that are there is held. {} {} not there now.",
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" }
            );
            said(
                Partly,
                sentence,
                "`router` names interfaces that this machine lacks",
                "`ip link` shows the names.",
            )
        }
        Router::Nftables { .. } if facts.running.unbounded => said(
            Partly,
            "Every device behind the router is held, and one that floods can take the room that the kernel has for everybody's connections.",
            "the kernel cannot count the flows of each device",
            "OpenWrt: `opkg install kmod-nft-connlimit`. Elsewhere: the kernel's module nft_connlimit.",
        ),
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

/// What becomes of questions to other resolvers where the router is ours.
const RESOLVERS: &str = "Questions to other resolvers are answered here or refused, over HTTPS as far as the resolver is known; what an unknown one says opens no address.";

/// What holds at the router while the gateway does not run.
fn when_away(facts: &Facts<'_>) -> Option<Said> {
    let Router::Nftables { fail, .. } = facts.gateway.router else { return None };
    let closed = "While the gateway does not run nobody gets past the router, and helplines are closed as well; what is open ends within minutes, help by its time.";
    match fail {
        Fail::Closed => said(
            Partly,
            closed,
            "`router: {fail: closed}`, as where nothing is written",
            "Write `fail: baseline`, and let its service run: then what is protected stays open.",
        ),
        Fail::Baseline if facts.running.alone => {
            said(Partly, closed, "`router: {fail: baseline}`, and nobody stands by", STAND_BY)
        }
        Fail::Baseline => said(
            Holds,
            "While the gateway does not run what is protected stays open and nothing else opens; what is open ends within minutes.",
            "`router: {fail: baseline}`",
            STAND_BY,
        ),
    }
}

const STAND_BY: &str = "The service `hearthgate-baseline` has to run beside the gateway.";

fn other_resolvers(facts: &Facts<'_>) -> Option<Said> {
    let told = "A VPN that hides inside an allowed site's traffic passes.";
    if facts.is_at_router() && facts.closes_ways_around() {
        let sentence = format!(
            "{RESOLVERS} VPNs and relays by number meet a closed door, and so do the first words of WireGuard, OpenVPN and IPsec wherever they go. {told}"
        );
        let help = "What an agreement does not allow by name is closed to a VPN as well: `otherwise: block`.";
        return said(Partly, sentence, AT_ROUTER, help);
    }
    if facts.is_at_router() {
        let sentence = format!("{RESOLVERS} VPNs are closed to whom an agreement closes them. {told}");
        return said(Partly, sentence, NOT_FOR_EVERYONE, CLOSE_IT);
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
    if facts.is_at_router() && !facts.closes_ways_around() {
        let sentence = "An address in numbers that no answer gave the device is refused to whom an agreement closes ways around, and open to everybody else.";
        return said(Partly, sentence, NOT_FOR_EVERYONE, CLOSE_IT);
    }
    if facts.is_at_router() {
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
    if !facts.is_at_router() {
        return None;
    }
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

/// Each exception by the name of its device.
fn exceptions(facts: &Facts<'_>) -> Option<Said> {
    let of = |person: &Person| {
        let except = person.any_address_on.as_ref().filter(|_| person.draft.is_none())?;
        Some(format!("{} ({})", person.name, except.written.join(", ")))
    };
    let all: Vec<String> = facts.house.people().filter_map(|(_, person)| of(person)).collect();
    if all.is_empty() {
        return None;
    }
    let sentence =
        format!("Within their times these may reach any address, by number too: {}.", all.join("; "));
    if !facts.is_at_router() {
        return said(Off, sentence, facts.not_at_router(), ROUTER);
    }
    said(
        Partly,
        sentence,
        "`any_address_on` in agreements for shared devices",
        "Keep the ports to what the maker names, and a password on the device.",
    )
}

fn what_is_open(facts: &Facts<'_>) -> Option<Said> {
    if facts.is_at_router() && facts.running.offloaded {
        let sentence = "What flows is handed over to a path on which no rule sees it: at a window's end it runs on for a while.";
        return said(Partly, sentence, "the firewall has flow offload", "Switch flow offload off.");
    }
    if facts.is_at_router() {
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
    if facts.is_at_router() && (facts.running.not_counted || facts.running.offloaded) {
        let (because, help) = match facts.running.offloaded {
            true => ("the firewall has flow offload, which counts nothing", "Switch flow offload off."),
            false => ("the kernel does not count what flows", "Set `net.netfilter.nf_conntrack_acct=1`."),
        };
        let sentence = "Minutes of the web are counted from traffic, and the rest is estimated from names.";
        return said(Partly, sentence, because, help);
    }
    if facts.is_at_router() {
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
    match (facts.encrypted(), tokens, facts.gateway.has_public_name()) {
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
