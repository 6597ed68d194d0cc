//! What a home's coverage says, by its files.

use super::*;
use std::collections::HashSet;

fn lines(gateway: &str, devices: &str) -> Vec<Covered> {
    let jo = format!("person: Jo\nfor: staff\notherwise: allow\nonline: all_day\ndevices: {devices}\n");
    lines_of("circumvention", gateway, &[("jo", &jo)], &Running::default())
}

/// What everybody is kept from, gateway.yaml, agreements, and what the running gateway finds.
fn lines_of(block: &str, gateway: &str, people: &[(&str, &str)], running: &Running) -> Vec<Covered> {
    let home = format!("home: Oakview\neveryone: {{block: [{block}]}}\nunknown_devices: block\n");
    let mut files = vec![("home.yaml".to_owned(), home), ("gateway.yaml".to_owned(), gateway.to_owned())];
    let agreement = |(id, text): &(&str, &str)| (format!("agreements/{id}.yaml"), (*text).to_owned());
    files.extend(people.iter().map(agreement));
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date");
    let reading = crate::read(&files, today);
    coverage(&reading.gateway.expect("the network"), &reading.house, running)
}

fn held(lines: &[Covered], key: &str) -> String {
    let found = lines.iter().find(|line| line.key == key);
    found.map_or("-".to_owned(), |line| format!("{:?}", line.held))
}

const BARE: &str = "listen: {}\n";
const UP: &str = "upstream: [\"udp://192.0.2.1\"]\n";

/// What is listened on, whose device, a key, how far it is held (`-`: it is no matter).
#[test]
fn each_line_follows_from_the_files() {
    let listen = |what: &str| format!("listen: {{{what}}}\n{UP}");
    let (dns, doh) = (listen("dns: \"127.0.0.1:0\""), listen("dns_https: \"127.0.0.1:0\""));
    let proxy = listen("proxy: \"127.0.0.1:0\"");
    let routed = format!("router: {{mode: nftables, lan: [br-lan], wan: [eth0]}}\n{dns}");
    let any = routed.replace("wan: [eth0]", "wan: [eth0], ports: any");
    let named = format!("name: dns.oakview.example\n{doh}");
    let stood_in_for = routed.replace("wan: [eth0]", "wan: [eth0], fail: baseline");
    let with_others = routed.replace("wan: [eth0]", "wan: [eth0], others: [office]");
    let (none, token) = ("[]", "[{name: a, token: jo-phone-7f3a19c6d2}]");
    let made_up = "[{name: a, mac: \"02:00:00:00:00:01\"}, {name: b, ip: 192.168.4.9}]";
    for (gateway, devices, key, held) in [
        (BARE, none, "names", "Off"),
        (&dns, none, "names", "Holds"),
        (&dns, none, "encrypted_dns", "Off"),
        (&doh, none, "encrypted_dns", "Holds"),
        (&doh, none, "names", "Holds"),
        (&dns, none, "web", "Off"),
        (&proxy, none, "web", "Partly"),
        (&dns, none, "what_is_open", "Off"),
        (&proxy, none, "what_is_open", "Partly"),
        (BARE, none, "hidden_names", "-"),
        (&dns, none, "router", "Off"),
        (&routed, none, "router", "Holds"),
        (&routed, none, "minutes", "Holds"),
        (&dns, none, "when_away", "-"),
        (&routed, none, "when_away", "Partly"),
        (&stood_in_for, none, "when_away", "Holds"),
        (&with_others, none, "router", "Partly"),
        (&routed, none, "other_resolvers", "Partly"),
        (&routed, none, "wireguard", "Holds"),
        (&dns, none, "wireguard", "Off"),
        (&routed, none, "vpn_app", "Holds"),
        (&dns, none, "vpn_app", "Partly"),
        (BARE, none, "vpn_app", "Off"),
        (&dns, none, "ech", "Partly"),
        (&routed, none, "second_gateway", "Partly"),
        (&routed, none, "ports", "Partly"),
        (&any, none, "ports", "Off"),
        (&dns, none, "ports", "-"),
        (&dns, made_up, "copied_hardware", "Partly"),
        (&dns, none, "other_resolvers", "Partly"),
        (&routed, none, "addresses", "Holds"),
        (&routed, none, "what_is_open", "Holds"),
        (&dns, token, "outside", "Off"),
        (&doh, none, "outside", "Off"),
        (&doh, token, "outside", "Off"),
        (&named, token, "outside", "Partly"),
        (&dns, none, "hardware_addresses", "-"),
        (&dns, made_up, "hardware_addresses", "Partly"),
        (&dns, made_up, "lent_addresses", "Partly"),
        (&dns, none, "unknown_devices", "Holds"),
        (&dns, none, "sealed_lists", "Off"),
        (&dns, none, "mobile_data", "Cannot"),
        (&dns, none, "inside_apps", "Cannot"),
    ] {
        assert_eq!(self::held(&lines(gateway, devices), key), held, "{key}: {gateway}{devices}");
    }
}

/// What the running gateway finds on its machine, a key, how far it was held without that and is held with it.
#[test]
fn what_the_machine_lacks_lowers_its_line() {
    let listen =
        "listen: {dns: [\"0.0.0.0:53\", \"[::]:53\"], transparent: [\"0.0.0.0:3129\", \"[::]:3129\"]}\n";
    let gateway =
        format!("{listen}{UP}router: {{mode: nftables, lan: [br-lan], wan: [eth0], fail: baseline}}\n");
    let fine = Running::default();
    let not_in_place = Running { not_in_place: true, ..fine.clone() };
    let dark = Running { dark: true, ..fine.clone() };
    let unbounded = Running { unbounded: true, ..fine.clone() };
    let missing = Running { missing: vec![("lan", "br-lan".to_owned())], ..fine.clone() };
    let offloaded = Running { offloaded: true, ..fine.clone() };
    let not_counted = Running { not_counted: true, ..fine.clone() };
    let alone = Running { alone: true, ..fine.clone() };
    for (running, key, before, now) in [
        (&not_in_place, "router", "Holds", "Off"),
        (&not_in_place, "addresses", "Holds", "Partly"),
        (&not_in_place, "what_is_open", "Holds", "Partly"),
        (&not_in_place, "minutes", "Holds", "Partly"),
        (&not_in_place, "redirected_web", "Holds", "Partly"),
        (&not_in_place, "wireguard", "Holds", "Off"),
        (&not_in_place, "vpn_app", "Holds", "Partly"),
        (&not_in_place, "direct_address", "Holds", "Off"),
        (&dark, "router", "Holds", "Partly"),
        (&dark, "addresses", "Holds", "Holds"),
        (&unbounded, "router", "Holds", "Partly"),
        (&unbounded, "addresses", "Holds", "Holds"),
        (&missing, "router", "Holds", "Partly"),
        (&offloaded, "router", "Holds", "Partly"),
        (&offloaded, "what_is_open", "Holds", "Partly"),
        (&offloaded, "minutes", "Holds", "Partly"),
        (&not_counted, "minutes", "Holds", "Partly"),
        (&not_counted, "what_is_open", "Holds", "Holds"),
        (&alone, "when_away", "Holds", "Partly"),
        (&alone, "router", "Holds", "Holds"),
    ] {
        let [without, with] = [&fine, running].map(|found| lines_of("circumvention", &gateway, &[], found));
        assert_eq!(
            (held(&without, key), held(&with, key)),
            (before.into(), now.into()),
            "{key}: {running:?}"
        );
    }
    let told = lines_of("circumvention", &gateway, &[], &missing);
    assert!(told.iter().any(|line| line.key == "router" && line.sentence.contains("`br-lan`")), "{told:?}");
}

#[test]
fn a_floor_without_ways_around_lowers_what_it_would_close() {
    let gateway = format!(
        "listen: {{dns: \"0.0.0.0:53\"}}\n{UP}router: {{mode: nftables, lan: [br-lan], wan: [eth0]}}\n"
    );
    for (key, with, without) in [
        ("addresses", "Holds", "Partly"),
        ("direct_address", "Holds", "Partly"),
        ("wireguard", "Holds", "Partly"),
        ("vpn_app", "Holds", "Partly"),
        ("default_doh", "Holds", "Partly"),
        // Refused to everybody, whatever a file says.
        ("dot", "Holds", "Holds"),
        ("quic", "Holds", "Holds"),
        ("own_resolver", "Holds", "Holds"),
    ] {
        let [closed, open] =
            ["circumvention", "malware"].map(|block| lines_of(block, &gateway, &[], &Running::default()));
        assert_eq!((held(&closed, key), held(&open, key)), (with.into(), without.into()), "{key}");
    }
}

#[test]
fn the_web_is_held_by_its_names_where_both_families_come_by() {
    let gateway = |transparent: &str| {
        format!(
            "listen: {{dns: \"0.0.0.0:53\", transparent: [{transparent}]}}\n{UP}router: {{mode: nftables, lan: [br-lan], wan: [eth0]}}\n"
        )
    };
    for (transparent, held, says) in [
        ("\"0.0.0.0:3129\", \"[::]:3129\"", "Holds", "IPv4 and IPv6"),
        ("\"0.0.0.0:3129\"", "Partly", "Over IPv6 it is held by addresses"),
        ("\"[::]:3129\"", "Partly", "Over IPv4 it is held by addresses"),
        ("", "Off", "passes by"),
    ] {
        let lines = lines_of("circumvention", &gateway(transparent), &[], &Running::default());
        assert_eq!(self::held(&lines, "redirected_web"), held, "{transparent}");
        let line = lines.iter().find(|line| line.key == "redirected_web").expect("the line");
        assert!(line.sentence.contains(says), "{transparent}: {line:?}");
    }
}

#[test]
fn each_exception_is_named() {
    let routed = format!(
        "listen: {{dns: \"0.0.0.0:53\"}}\n{UP}router: {{mode: nftables, lan: [br-lan], wan: [eth0]}}\n"
    );
    let console = "person: Lounge console\nfor: device\notherwise: allow\nonline: all_day\n\
        devices: [{name: box, mac: \"3c:06:30:11:22:33\"}]\nany_address_on: [games, udp 9000]\n";
    let television = "person: Lounge TV\nfor: device\notherwise: allow\nonline: all_day\n\
        devices: [{name: tv, mac: \"3c:06:30:11:22:44\"}]\n";
    let people = [("console", console), ("tv", television)];
    let lines = lines_of("circumvention", &routed, &people, &Running::default());
    let line = lines.iter().find(|line| line.key == "exceptions").expect("the line");
    assert_eq!(line.held, Held::Partly);
    assert!(line.sentence.contains("Lounge console (games, udp 9000)"), "{line:?}");
    assert!(!line.sentence.contains("Lounge TV"), "{line:?}");
    let unrouted = lines_of("circumvention", &format!("listen: {{}}\n{UP}"), &people, &Running::default());
    assert_eq!(held(&unrouted, "exceptions"), "Off");
    let none = lines_of("circumvention", &routed, &people[1..], &Running::default());
    assert_eq!(held(&none, "exceptions"), "-");
}

#[test]
fn every_line_has_a_key_of_its_own_and_full_sentences() {
    let lines = lines(&format!("listen: {{dns: \"127.0.0.1:0\"}}\n{UP}"), "[]");
    let keys: Vec<_> = rows().map(|(key, _)| *key).chain(DETECTORS.iter().map(|row| row.key)).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    for line in &lines {
        assert!(line.sentence.ends_with('.') && !line.because.is_empty(), "{line:?}");
        assert!(line.help.is_empty() || line.help.ends_with('.'), "{line:?}");
    }
    assert!(lines.is_sorted_by_key(|line| line.held), "what holds stands first");
}
