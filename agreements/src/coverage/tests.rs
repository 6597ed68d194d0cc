//! What a home's coverage says, by its files.

use super::*;
use std::collections::HashSet;

fn lines(gateway: &str, devices: &str) -> Vec<Covered> {
    let jo = format!("person: Jo\nfor: staff\notherwise: allow\nonline: all_day\ndevices: {devices}\n");
    let files = [
        (
            "home.yaml".to_owned(),
            "home: Oakview\neveryone: {block: [circumvention]}\nunknown_devices: block\n".to_owned(),
        ),
        ("gateway.yaml".to_owned(), gateway.to_owned()),
        ("agreements/jo.yaml".to_owned(), jo),
    ];
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date");
    let reading = crate::read(&files, today);
    coverage(&reading.gateway.expect("the network"), &reading.house)
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
    let with_others = routed.replace("wan: [eth0]", "wan: [eth0], others: [office]");
    let (none, token) = ("[]", "[{name: a, token: jo-phone-7f3a}]");
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
        let lines = lines(gateway, devices);
        let found = lines.iter().find(|line| line.key == key);
        assert_eq!(
            found.map_or("-".to_owned(), |l| format!("{:?}", l.held)),
            held,
            "{key}: {gateway}{devices}"
        );
    }
}

#[test]
fn every_line_has_a_key_of_its_own_and_full_sentences() {
    let lines = lines(&format!("listen: {{dns: \"127.0.0.1:0\"}}\n{UP}"), "[]");
    let keys = ROWS.iter().map(|(key, _)| *key).chain(DETECTORS.iter().map(|row| row.key));
    let keys: HashSet<_> = keys.collect();
    assert_eq!(keys.len(), ROWS.len() + DETECTORS.len());
    for line in &lines {
        assert!(line.sentence.ends_with('.') && !line.because.is_empty(), "{line:?}");
        assert!(line.help.is_empty() || line.help.ends_with('.'), "{line:?}");
    }
    assert!(lines.is_sorted_by_key(|line| line.held), "what holds stands first");
}
