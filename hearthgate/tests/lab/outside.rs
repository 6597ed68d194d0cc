//! Encrypted DNS as devices use it: found by themselves in the home, and outside it with a token of their own.

use crate::SATURDAY;
use crate::internet::wait_for;
use crate::lab::{JORDAN, Lab, ROUTER, Who, jordan};
use crate::machine::Machine;
use crate::promises::{encrypted, with_encrypted};

/// The router's addresses on the internet's side.
const OUTSIDE: [&str; 2] = ["11.0.0.2", "2d00:1::2"];
/// The token of Jordan's tablet.
pub(crate) const TOKEN: &str = "jordan-tablet-7f3a19c6d2";

/// Jordan's agreement, with a tablet that is known by its token.
pub(crate) fn with_tablet() -> String {
    let tablet = format!("}}, {{name: tablet, token: {TOKEN}}}]");
    jordan(JORDAN).replacen("}]", &tablet, 1)
}

/// The ways a token goes: the server name over TLS, and the path over HTTPS.
pub(crate) fn ways() -> [Vec<String>; 2] {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    [
        words(&["+tls", &format!("+tls-sni={TOKEN}.hearthgate.home.arpa")]),
        words(&[&format!("+https=/dns-query/{TOKEN}"), "-p", "8853"]),
    ]
}

#[test]
fn outside_the_home_a_token_has_its_agreement_and_nobody_else_more_than_the_baseline() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_encrypted());
    lab.write("agreements/jordan.yaml", &with_tablet());
    lab.held_before();
    lab.open(SATURDAY);
    // Somebody further out, with an address that is none of the open internet's.
    lab.internet.machine.ip(&format!("address add {FAR}/32 dev lo"));
    lab.router.ip(&format!("route add {FAR}/32 via 11.0.0.1"));
    let asks = |way: &[String], at: &str, name: &str| {
        let at = format!("@{at}");
        let words: Vec<&str> =
            way.iter().map(String::as_str).chain(["+time=3", "+retry=1", &at, name, "A"]).collect();
        lab.internet.machine.says("kdig", &words)
    };
    for at in OUTSIDE {
        for way in ways() {
            wait_for("the token's answer", || asks(&way, at, "open.test").contains("11.0.1.1").then_some(()));
            let refused = asks(&way, at, "casino.test");
            assert!(refused.contains("EDE: 17") && !refused.contains("11.0.1.2"), "{at} {way:?}: {refused}");
        }
        for way in [vec!["+tls".to_owned()], ["+https", "-p", "8853"].map(str::to_owned).to_vec()] {
            let refused = asks(&way, at, "open.test");
            assert!(refused.contains("EDE: 15") && !refused.contains("11.0.1.1"), "{at} {way:?}: {refused}");
            let allowed = asks(&way, at, "school.test");
            assert!(allowed.contains("11.0.1.4"), "{at} {way:?}: the baseline: {allowed}");
        }
        let host = if at.contains(':') { format!("[{at}]") } else { at.to_owned() };
        for url in [format!("http://{host}/sign-in"), format!("https://{host}:8853/sign-in")] {
            let near = visits(
                &lab.internet.machine,
                &["--interface", if at.contains(':') { "2d00:1::1" } else { "11.0.0.1" }],
                &url,
            );
            let far = (!at.contains(':')).then(|| visits(&lab.internet.machine, &["--interface", FAR], &url));
            for (page, code) in [Some(near), far].into_iter().flatten() {
                assert!(!code.starts_with('2') && !page.contains("name=\"pin\""), "{url}: {code} {page}");
            }
        }
    }
    let (page, code) = visits(lab.of(Who::Stranger), &[], "http://192.168.4.1/sign-in");
    assert_eq!(code, "200", "inside there is one: {page}");
}

/// An address outside the home that a network of a home might have.
const FAR: &str = "10.200.0.9";

/// The page that `curl` gets as the gateway's own, and its code.
fn visits(from: &Machine, more: &[&str], url: &str) -> (String, String) {
    let words = ["-ksS", "--max-time", "10", "-w", "\n%{http_code}", "-H", "Host: hearthgate.home.arpa"];
    let said = from.says("curl", &[&words[..], more, &[url]].concat());
    let (page, code) = said.rsplit_once('\n').unwrap();
    (page.to_owned(), code.to_owned())
}

/// What a record of DDR (RFC 9462) says under a key.
fn told<'r>(record: &'r str, key: &str) -> &'r str {
    let found = record.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {key}: {record}")).trim_matches('"')
}

#[test]
fn a_device_finds_encrypted_dns_by_itself_over_both_families() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_encrypted());
    lab.held_before();
    lab.open(SATURDAY);
    for (from, server, hint) in
        [(Who::Jordan.four(), ROUTER.0, "ipv4hint"), (Who::Jordan.six(), ROUTER.1, "ipv6hint")]
    {
        lab.wait_until_known(Who::Jordan, &from, "open.test");
        let server = format!("@{server}");
        let found = lab.of(Who::Jordan).says("kdig", &["+short", &server, "_dns.resolver.arpa", "SVCB"]);
        let record =
            found.lines().find(|line| line.contains("alpn=dot")).unwrap_or_else(|| panic!("{found}"));
        let at = format!("@{}", told(record, hint));
        let words = ["+tls", &at, "-p", told(record, "port")];
        let open = encrypted(&lab, Who::Jordan, &[&words[..], &["open.test", "A"]].concat());
        assert!(open.contains("11.0.1.1"), "{record}: {open}");
        let closed = encrypted(&lab, Who::Jordan, &[&words[..], &["casino.test", "A"]].concat());
        assert!(closed.contains("EDE: 17") && closed.contains("Jordan"), "{record}: {closed}");
    }
}
