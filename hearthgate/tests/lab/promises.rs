//! Promises with a time, over both families and for whoever they are made to: limits, lost devices, one episode for each thing.

use crate::SATURDAY;
use crate::device::{CUT, addresses, closes, connect, echoes, is_refusal, look_up, on_this_machine};
use crate::internet::{ECHO, KNOWN_RESOLVERS, RELAY, RESOLVER, VPN, wait_for};
use crate::lab::{JORDAN, Lab, ROUTER, Who, gateway_yaml, jordan};
use crate::life::{stand_in, with_stand_in};
use crate::machine::{Program, program};
use crate::outside::{TOKEN, ways, with_tablet};
use crate::router::{episodes, held, with_router};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_limit_that_is_used_up_cuts_raw_flows_of_both_families_within_five_seconds_and_help_stays() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_router());
    lab.write("agreements/jordan.yaml", &jordan(&format!("limits: {{everything: 1m}}\n{JORDAN}")));
    lab.open(SATURDAY);
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let (help4, help6) = look_up(&lab, Who::Jordan, "helpline.test");
    let open = |to| connect(&lab, Who::Jordan, to, ECHO).unwrap();
    let ([mut one, two], mut helps) = ([four, six].map(open), [help4, help6].map(open));
    // Enough for a minute of use, which is all there is.
    one.write_all(&[7; 40_000]).and_then(|()| one.read_exact(&mut [0; 40_000])).unwrap();
    let used_up = Instant::now();
    for stream in [one, two] {
        closes(stream, 6 * CUT);
        assert!(used_up.elapsed() < on_this_machine(CUT), "{:?}", used_up.elapsed());
    }
    let told: serde_json::Value =
        serde_json::from_str(&lab.command(&["minutes", "jordan", "--json"])).unwrap();
    assert_eq!(told["minutes"][0]["counted"], 1, "{told}");
    for to in [four, six] {
        assert!(connect(&lab, Who::Jordan, to, ECHO).is_err(), "{to}: and none begins");
    }
    assert!(helps.iter_mut().all(|help| echoes(help).unwrap()), "help uses no limit");
    assert!(lab.dig(Who::Jordan, &["open.test", "A"]).contains("EDE: 17"));
}

/// gateway.yaml with the router and DNS inside TLS and HTTPS.
pub(crate) fn with_encrypted() -> String {
    with_router().replace(
        "listen:\n",
        "listen:\n  dns_tls: [\"0.0.0.0:853\", \"[::]:853\"]\n  dns_https: [\"0.0.0.0:8853\", \"[::]:8853\"]\n",
    )
}

/// The addresses that `kdig` is given, over TLS or HTTPS.
pub(crate) fn encrypted(lab: &Lab, who: Who, words: &[&str]) -> String {
    let mut all = vec!["+time=3", "+retry=1"];
    all.extend(words);
    lab.of(who).says("kdig", &all)
}

#[test]
fn a_device_that_asks_by_encrypted_dns_has_its_openings_over_both_families() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_encrypted());
    lab.held_before();
    lab.open(SATURDAY);
    for from in [Who::Jordan.four(), Who::Jordan.six()] {
        lab.wait_until_known(Who::Jordan, &from, "school.test");
    }
    let sites = [("open.test", "game.test"), ("call.test", "open.test")];
    for (at, (over_tls, over_https)) in [ROUTER.0, ROUTER.1].into_iter().zip(sites) {
        let at = format!("@{at}");
        for (site, over) in [(over_tls, &["+tls"][..]), (over_https, &["+https", "-p", "8853"])] {
            for kind in ["A", "AAAA"] {
                let words = [over, &[&at, "+short", site, kind]].concat();
                let answer = encrypted(&lab, Who::Jordan, &words);
                let to: IpAddr = answer
                    .lines()
                    .last()
                    .and_then(|line| line.parse().ok())
                    .unwrap_or_else(|| panic!("{words:?}: {answer}"));
                assert!(echoes(&mut connect(&lab, Who::Jordan, to, ECHO).unwrap()).unwrap(), "{words:?}");
            }
            let refused = encrypted(&lab, Who::Jordan, &[over, &[&at, "casino.test", "A"]].concat());
            assert!(!refused.contains("11.0.1.2"), "{over:?}: {refused}");
        }
    }
}

/// A connection of DNS over TLS that stays open, by `openssl`.
struct Open(Program);

impl Open {
    fn to(lab: &Lab, who: Who, at: &str) -> Self {
        let host = if at.contains(':') { format!("[{at}]:853") } else { format!("{at}:853") };
        let mut client = program("openssl");
        let name = format!("{TOKEN}.hearthgate.home.arpa");
        client.args(["s_client", "-quiet", "-connect", &host, "-servername", &name]);
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(lab.of(who).start(client))
    }

    /// Whether a site's address is answered (RFC 7858 §3.3); a connection that is closed answers nothing.
    fn answers(&mut self, site: &str, address: [u8; 4]) -> bool {
        let mut question = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in site.split('.') {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend(label.bytes());
        }
        question.extend([0, 0, 1, 0, 1]);
        let length = u16::try_from(question.len()).unwrap().to_be_bytes();
        let client = &mut self.0.0;
        let (asked, said) = (client.stdin.as_mut().unwrap(), client.stdout.as_mut().unwrap());
        let mut answer = || -> std::io::Result<Vec<u8>> {
            asked.write_all(&[&length[..], &question].concat())?;
            let mut length = [0; 2];
            said.read_exact(&mut length)?;
            let mut answer = vec![0; u16::from_be_bytes(length).into()];
            said.read_exact(&mut answer)?;
            Ok(answer)
        };
        answer().is_ok_and(|answer| answer.windows(4).any(|part| part == address))
    }
}

#[test]
fn a_lost_devices_token_is_refused_over_tls_and_https_within_five_seconds_over_both_families() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_encrypted());
    lab.write("agreements/jordan.yaml", &with_tablet());
    lab.open(SATURDAY);
    // From Kate's phone: it is the token that says whose it is.
    let asks = |at: &str, way: &[String], name: &str| {
        let at = format!("@{at}");
        let words: Vec<&str> = way.iter().map(String::as_str).chain([at.as_str(), name, "A"]).collect();
        encrypted(&lab, Who::Kate, &words)
    };
    let ways = ways();
    let each = [ROUTER.0, ROUTER.1].into_iter().flat_map(|at| ways.each_ref().map(|way| (at, way)));
    for (at, way) in each.clone() {
        wait_for("the token's answer", || asks(at, way, "open.test").contains("11.0.1.1").then_some(()));
        assert!(!asks(at, way, "casino.test").contains("11.0.1.2"), "{at}: it is Jordan's agreement");
    }
    let mut connections = [ROUTER.0, ROUTER.1].map(|at| Open::to(&lab, Who::Kate, at));
    for open in &mut connections {
        assert!(open.answers("open.test", [11, 0, 1, 1]) && !open.answers("casino.test", [11, 0, 1, 2]));
    }
    lab.command(&["lost", "jordan", "tablet", "--by", "r.osei", "--words", "bus"]);
    let lost = Instant::now();
    for open in &mut connections {
        while open.answers("open.test", [11, 0, 1, 1]) {
            assert!(lost.elapsed() < on_this_machine(CUT), "{:?}", lost.elapsed());
        }
    }
    for (at, way) in each {
        while asks(at, way, "open.test").contains("11.0.1.1") {
            assert!(lost.elapsed() < on_this_machine(CUT), "{at}: {:?}", lost.elapsed());
        }
        assert!(lost.elapsed() < on_this_machine(CUT), "{at}: {:?}", lost.elapsed());
        assert!(asks(at, way, "helpline.test").contains("11.0.1.3"), "{at}: help stays");
    }
}

#[test]
fn with_otherwise_block_a_direct_address_and_a_handshake_are_told_as_ways_around_once() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Sam, "school.test");
    for to in addresses(RELAY) {
        for _ in 0..5 {
            assert!(is_refusal(&connect(&lab, Who::Sam, to, ECHO).unwrap_err()));
        }
    }
    let told = wait_for("the episodes", || Some(episodes(&lab)).filter(|told| told.len() == 2));
    for episode in &told {
        assert_eq!(
            (&episode["person"], &episode["rule"], &episode["detector"]),
            (&"sam".into(), &"floor".into(), &"direct_address".into()),
            "{episode}"
        );
    }
    let told = crate::around::told_of(&lab, "WireGuard", || {
        for to in addresses(VPN) {
            crate::around::says_wireguard(&lab, Who::Sam, to, 51820);
        }
    });
    assert_eq!((&told["person"], &told["circumvention"]), (&"sam".into(), &true.into()), "{told}");
}

#[test]
fn an_unknown_device_is_one_episode_whatever_it_tries_where_it_has_the_baseline() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Stranger, "school.test");
    for n in 0..20 {
        assert!(lab.dig(Who::Stranger, &[&format!("n{n}.open.test"), "A"]).contains("EDE: 15"));
    }
    for to in addresses(RELAY) {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to, ECHO).unwrap_err()));
    }
    // Something of somebody else's comes last, and stands in the journal when all that came before it does.
    look_up(&lab, Who::Jordan, "open.test");
    lab.dig(Who::Jordan, &["casino.test", "A"]);
    wait_for("Jordan's episode", || episodes(&lab).iter().any(|e| e["site"] == "casino.test").then_some(()));
    let all: Vec<serde_json::Value> =
        serde_json::from_str(&lab.command(&["breaches", "list", "--json"])).unwrap();
    let strangers: Vec<_> =
        all.iter().filter(|e| e["person"] == "nobody" && e["site"] == "02:00:00:00:00:99").collect();
    assert_eq!(strangers.len(), 1, "{all:?}");
    assert_eq!((&strangers[0]["rule"], &strangers[0]["severity"]), (&"baseline".into(), &"high".into()));
    let numbers = all.iter().filter(|e| e["person"] == "nobody" && e["rule"] != "baseline").count();
    assert_eq!(numbers, 0, "a number in a program of an unknown device is no episode of its own: {all:?}");
}

/// A name that leads to a resolver that everybody knows, or that a subscribed list of addresses names, opens nothing.
#[test]
fn a_name_of_ones_own_for_a_known_resolver_opens_nothing() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    for (name, (four, six)) in ["known.test", "listed.test"].into_iter().zip(KNOWN_RESOLVERS) {
        let addresses = [four, six];
        for kind in ["A", "AAAA"] {
            let answer = lab.dig(Who::Jordan, &[name, kind]);
            assert!(
                answer.contains("EDE: 15") && !addresses.iter().any(|to| answer.contains(to)),
                "{name}: {answer}"
            );
        }
        for to in addresses {
            let error = connect(&lab, Who::Jordan, to.parse().unwrap(), ECHO).unwrap_err();
            assert!(is_refusal(&error), "{name} {to}: {error}");
            assert_eq!(lab.internet.heard.at(to, ECHO), 0, "{name} {to}");
        }
    }
    let told = wait_for("the episodes", || {
        let told = episodes(&lab);
        ["known.test", "listed.test"]
            .iter()
            .all(|site| told.iter().any(|e| e["site"] == *site))
            .then_some(told)
    });
    assert!(told.iter().filter(|e| e["site"] == "known.test").all(|e| e["detector"] == "doh"), "{told:?}");
}

/// A resolver that is not ours and works: what it says opens nothing.
#[test]
fn a_resolver_that_is_not_ours_over_tls_and_https_opens_nothing() {
    let Some(lab) = held(SATURDAY) else { return };
    for from in [Who::Jordan.four(), Who::Jordan.six()] {
        lab.wait_until_known(Who::Jordan, &from, "school.test");
    }
    look_up(&lab, Who::Jordan, "dns.test");
    for at in [RESOLVER.0, RESOLVER.1] {
        let at = format!("@{at}");
        let tls = encrypted(&lab, Who::Jordan, &["+tls", &at, "casino.test", "A"]);
        assert!(!tls.contains("11.0.1.2"), "DNS over TLS is refused: {tls}");
        // Over HTTPS at a name that nobody lists it answers. That helps nobody: what it says is no answer of ours.
        let https = encrypted(&lab, Who::Jordan, &["+https", "+tls-sni=dns.test", &at, "casino.test", "A"]);
        assert!(https.contains("11.0.1.2"), "{at}: {https}");
    }
    assert!(lab.internet.resolver_was_asked("casino.test"));
    for to in ["11.0.1.2", "2d00:2::2"] {
        let to: IpAddr = to.parse().unwrap();
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()), "{to}");
        let hidden = format!("casino.test:443:{to}");
        let (code, _) =
            crate::device::curl(&lab, Who::Jordan, &["--resolve", &hidden, "https://casino.test/"]);
        assert_ne!(code, 0, "{to}: the name that it shows is judged");
    }
}

#[test]
fn coverage_says_what_really_runs() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_router());
    let told = |lab: &Lab| -> serde_json::Value {
        serde_json::from_str(&lab.command(&["coverage", "--json"])).unwrap()
    };
    let held = |told: &serde_json::Value, key: &str| {
        let lines = told["coverage"].as_array().unwrap();
        lines
            .iter()
            .find(|line| line["key"] == key)
            .map_or("-".to_owned(), |line| line["held"].as_str().unwrap().to_owned())
    };
    assert_eq!(told(&lab)["running"], false, "by the files alone");
    lab.open(SATURDAY);
    let now = told(&lab);
    assert_eq!((&now["running"], held(&now, "router").as_str()), (&true.into(), "holds"), "{now}");
    assert_eq!(
        (held(&now, "minutes").as_str(), held(&now, "wireguard").as_str()),
        ("holds", "holds"),
        "{now}"
    );
    let lowered = |change: &str, key: &str, to: &str| {
        wait_for(change, || (held(&told(&lab), key) == to).then_some(()));
    };
    // Somebody's firewall takes a fast path.
    let fast = "table inet fast { flowtable f { hook ingress priority 0; devices = { wan }; }; }";
    let placed = lab.router.output("nft", &[fast]);
    if placed.status.success() {
        lowered("what the fast path takes", "what_is_open", "partly");
        lowered("what nobody counts", "minutes", "partly");
        lab.router.says("nft", &["delete", "table", "inet", "fast"]);
        lowered("the fast path to go", "what_is_open", "holds");
    } else {
        // A kernel that is built without one (CONFIG_NF_FLOW_TABLE) has nothing that could be found.
        assert!(String::from_utf8_lossy(&placed.stderr).contains("No such file"), "{placed:?}");
    }
    // An interface is gone.
    lab.write("gateway.yaml", &with_router().replace("lan: [br-lan]", "lan: [br-lan, br-guest]"));
    lowered("the interface that is not there", "router", "partly");
    lab.write(
        "gateway.yaml",
        &with_router().replace("lan: [br-lan], wan: [wan]", "lan: [br-lam], wan: [wam]"),
    );
    wait_for("what it is to be without any of its interfaces", || {
        told(&lab).to_string().contains("Nobody gets through").then_some(())
    });
    // Whoever is to stand in for it does not run.
    lab.write("gateway.yaml", &with_stand_in());
    let warns = |lab: &Lab| lab.command(&["status", "--json"]).contains("nobody-stands-by");
    lowered("whoever would stand in", "when_away", "partly");
    wait_for("the warning", || warns(&lab).then_some(()));
    // Where nobody is to, nobody is missed.
    lab.write("gateway.yaml", &with_router());
    wait_for("no warning", || (!warns(&lab)).then_some(()));
    lab.write("gateway.yaml", &with_stand_in());
    let stands_by = stand_in(&lab);
    lowered("whoever stands by", "when_away", "holds");
    wait_for("no warning", || (!warns(&lab)).then_some(()));
    drop(stands_by);
    // IPv6 comes by without a listener.
    lab.write("gateway.yaml", &with_router().replace(", \"[::]:3129\"", ""));
    lowered("the web over IPv6", "redirected_web", "partly");
    // The floor has no ways around in it.
    let home = std::fs::read_to_string(lab.home.path().join("home.yaml")).unwrap();
    lab.write("home.yaml", &home.replace(", circumvention]", "]"));
    lowered("ways around", "addresses", "partly");
    assert!(gateway_yaml().contains("listen:"));
}

/// What systemd would hear: as long as the gateway's own DNS listener answers, and no longer.
#[test]
fn the_watchdog_hears_of_a_gateway_only_while_its_dns_answers() {
    let Some(mut lab) = Lab::build() else { return };
    let socket = lab.open_watched(SATURDAY, Some(Duration::from_secs(2)));
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let pings = |within: Duration| {
        let (began, mut buffer, mut pings) = (Instant::now(), [0; 1024], 0);
        while began.elapsed() < within {
            if let Ok(length) = socket.recv(&mut buffer) {
                pings += usize::from(String::from_utf8_lossy(&buffer[..length]).contains("WATCHDOG=1"));
            }
        }
        pings
    };
    wait_for("a ping", || (pings(Duration::from_secs(1)) > 0).then_some(()));
    let deaf =
        "table inet deaf { chain in { type filter hook input priority 0; iifname lo udp dport 53 drop; }; }";
    assert!(lab.router.output("nft", &[deaf]).status.success());
    // Those that were on their way.
    pings(Duration::from_secs(3));
    assert_eq!(pings(Duration::from_secs(4)), 0, "the steward goes round, and nobody answers names");
    lab.router.says("nft", &["delete", "table", "inet", "deaf"]);
    wait_for("a ping", || (pings(Duration::from_secs(1)) > 0).then_some(()));
}
