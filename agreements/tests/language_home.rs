//! What a home is when parts of it are missing or broken, and what its calendar adds.

use agreements::*;
use chrono::NaiveDate;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn reading(files: &[(&str, &str)]) -> Reading {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    read(&files, day("2026-11-22"))
}

const JORDAN: &str = include_str!("blocks/oakview/agreements/jordan.yaml");

fn codes(reading: &Reading) -> Vec<String> {
    reading.problems.iter().map(|p| format!("{} {}", p.file, p.code)).collect()
}

/// The built-in home, word by word.
fn is_built_in(home: &Home) {
    let floor: Vec<String> = home.everyone.block.iter().map(|(w, _)| w.to_string()).collect();
    assert_eq!(floor, ["pornography", "malware", "circumvention"]);
    assert_eq!(home.everyone.safe_search, SafeSearch::Strict);
    let online: Vec<_> =
        home.baseline.online.entries.iter().map(|(d, w, _)| (d.clone(), w.clone())).collect();
    assert_eq!(online, [(Days::EveryDay, vec![Window { start: 420, end: 1260 }])]);
    let words: Vec<String> =
        home.baseline.words.iter().map(|r| format!("{:?} {}", r.ruled, r.word)).collect();
    assert_eq!(words, ["Allow education"]);
    assert_eq!(home.baseline.otherwise, Outcome::Block);
    assert_eq!(home.baseline.source, None);
}

/// A home about which there is nothing to tell.
const LITTLE: &str = "home: O\neveryone: {block: [circumvention]}\n";

#[test]
fn no_files_at_all() {
    let reading = reading(&[]);
    assert_eq!(codes(&reading), ["gateway.yaml no-gateway-file", "home.yaml no-home-file"]);
    let home = reading.house.home();
    is_built_in(home);
    assert_eq!((home.name.as_str(), home.timezone), ("This home", chrono_tz::Europe::London));
    assert_eq!(home.day_starts, chrono::NaiveTime::from_hms_opt(4, 0, 0).expect("a time"));
    assert_eq!(reading.gateway, Some(Gateway::default()));
}

#[test]
fn a_home_that_is_no_yaml_puts_everybody_on_the_built_in_baseline() {
    let reading = reading(&[
        ("home.yaml", "home: [\n"),
        ("gateway.yaml", "dnssec: off\n"),
        ("agreements/jordan.yaml", JORDAN),
    ]);
    assert_eq!(codes(&reading), ["home.yaml open-bracket"]);
    is_built_in(reading.house.home());
    let jordan = &reading.house.home().people[0];
    assert_eq!(jordan.draft, Some(Draft::HomeUnusable));
    assert_eq!(jordan.devices.len(), 4, "their devices are known all the same");
}

#[test]
fn a_home_with_one_slip_keeps_what_could_be_read_and_everybody_is_on_the_baseline() {
    let home = "home: Oakview\ntimezone: Europe/Paris\neveryone: {block: [gambling, gmaes]}\nprotected: {support: [help.example]}\n\
        staff: [{id: a, name: A, role: manager}]\nbaseline: {otherwise: blok}\n";
    let reading = reading(&[
        ("home.yaml", home),
        ("gateway.yaml", "dnssec: off\n"),
        ("agreements/jordan.yaml", JORDAN),
    ]);
    let told = ["home.yaml empty-category", "home.yaml unknown-word", "home.yaml unknown-value"];
    assert_eq!(codes(&reading), told);
    let home = reading.house.home();
    assert_eq!((home.name.as_str(), home.timezone), ("Oakview", chrono_tz::Europe::Paris));
    assert_eq!((home.staff.len(), home.protected.support.len()), (1, 1));
    // A slip opens nothing: what was readable of the floor holds, and the built-in floor beside it.
    let floor: Vec<String> = home.everyone.block.iter().map(|(w, _)| w.to_string()).collect();
    assert_eq!(floor, ["gambling", "pornography", "malware", "circumvention"]);
    assert_eq!(home.baseline.otherwise, Outcome::Block);
    assert_eq!(home.people[0].draft, Some(Draft::HomeUnusable));
}

#[test]
fn a_home_that_says_little_has_the_defaults() {
    let reading = reading(&[("home.yaml", "home: Oakview\n"), ("gateway.yaml", "dnssec: off\n")]);
    // What holds for everyone although nobody wrote it down is told.
    assert_eq!(codes(&reading), ["home.yaml implied-floor"]);
    let home = reading.house.home();
    is_built_in(home);
    assert_eq!(home.unknown_devices, UnknownDevices::SignIn);
    assert_eq!(home.keep, Keep { breaches: 365, minutes: 90, monitoring: 28 });
}

#[test]
fn an_empty_floor_is_empty_when_it_is_written() {
    let reading = reading(&[
        ("home.yaml", "home: Oakview\neveryone: {block: []}\n"),
        ("gateway.yaml", "dnssec: off\n"),
    ]);
    assert_eq!(codes(&reading), [""; 0]);
    assert!(reading.house.home().everyone.block.is_empty());
    assert_eq!(reading.house.home().everyone.safe_search, SafeSearch::Strict);
}

#[test]
fn a_broken_agreement_keeps_its_devices_and_its_name() {
    let broken = "person: Jordan\ndevices:\n  - {name: phone, mac: \"3c:06:30:11:22:33\"}\n  - {name: tablet, ip: nonsense}\n";
    let reading = reading(&[("home.yaml", "home: Oakview\n"), ("agreements/jordan.yaml", broken)]);
    let jordan = &reading.house.home().people[0];
    assert_eq!((jordan.id.as_str(), jordan.name.as_str()), ("jordan", "Jordan"));
    assert_eq!(jordan.draft, Some(Draft::Unusable));
    assert_eq!(jordan.devices.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["phone"]);
}

#[test]
fn a_draft_says_what_is_missing() {
    let draft = "person: Jordan\nonline: 07:00-21:00\notherwise: allow\nagreed: {home_manager: {name: R. Osei, on: 2026-11-01}}\n";
    let reading = reading(&[("home.yaml", "home: Oakview\n"), ("agreements/jordan.yaml", draft)]);
    let missing = vec!["a risk assessment", "the social worker's name and date"];
    assert_eq!(reading.house.home().people[0].draft, Some(Draft::Missing(missing)));
}

#[test]
fn a_device_with_two_people_stays_with_the_first() {
    let of = |name: &str| {
        format!("person: {name}\nfor: staff\notherwise: allow\ndevices: [{{name: pc, ip: 192.168.4.9}}]\n")
    };
    let (a, b) = (of("A"), of("B"));
    let reading = reading(&[("home.yaml", LITTLE), ("agreements/b.yaml", &b), ("agreements/a.yaml", &a)]);
    let people: Vec<_> = reading
        .house
        .home()
        .people
        .iter()
        .map(|p| (p.id.as_str(), p.devices.len(), p.draft.clone()))
        .collect();
    assert_eq!(people, [("a", 1, None), ("b", 0, Some(Draft::Unusable))]);
    let shared = reading.problems.iter().find(|p| p.code == "shared-device").expect("the problem");
    let other = shared.other.as_ref().expect("the other place");
    assert_eq!(
        (shared.file.as_str(), other.file.as_str(), other.line, other.column),
        ("agreements/b.yaml", "agreements/a.yaml", 4, 26)
    );
}

#[test]
fn two_entries_of_equal_rank_name_both_lines() {
    let text = "person: J\nfor: staff\notherwise: allow\nonline:\n  mon-wed: never\n  every_day: all_day\n  wed: all_day\n";
    let reading =
        reading(&[("home.yaml", LITTLE), ("gateway.yaml", "dnssec: off\n"), ("agreements/j.yaml", text)]);
    let [problem] = reading.problems.as_slice() else { panic!("{:?}", reading.problems) };
    assert_eq!((problem.line, problem.column), (7, 3));
    assert_eq!(problem.other, Some(Place { file: "agreements/j.yaml".into(), line: 5, column: 3 }));
    assert_eq!(problem.text, "  wed: all_day");
}

#[test]
fn a_calendar_adds_terms_and_days_off() {
    let home = "home: Oakview\neveryone: {block: [circumvention]}\nschool:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-06-01..2026-07-17]\n  calendar: terms.ics\n";
    let reading = reading(&[
        ("home.yaml", home),
        ("gateway.yaml", "dnssec: off\n"),
        ("terms.ics", include_str!("blocks/terms.ics")),
    ]);
    assert_eq!(codes(&reading), [""; 0]);
    let school = &reading.house.home().school;
    let terms: Vec<String> = school.terms.iter().map(|(a, b)| format!("{a}..{b}")).collect();
    // The listed one; the range; the pair of first and last day, past the assembly of the day before.
    assert_eq!(terms, ["2026-06-01..2026-07-17", "2026-09-02..2026-12-18", "2027-01-04..2027-02-12"]);
    let off: Vec<String> = school.days_off.iter().map(ToString::to_string).collect();
    assert_eq!(
        off,
        [
            "2026-05-04",
            "2026-10-26",
            "2026-10-27",
            "2026-10-28",
            "2026-10-29",
            "2026-10-30",
            "2026-11-27",
            "2027-03-05",
            "2027-05-03",
            "2028-05-01",
        ]
    );
}

#[test]
fn a_calendar_at_an_address_comes_under_its_address() {
    let home = "home: Oakview\neveryone: {block: [circumvention]}\nschool: {calendar: \"https://school.example/terms.ics\"}\n";
    let files = [("home.yaml", home), ("gateway.yaml", "dnssec: off\n")];
    assert_eq!(codes(&reading(&files)), ["home.yaml no-calendar"]);
    let mut fetched = files.to_vec();
    fetched.push(("https://school.example/terms.ics", include_str!("blocks/terms.ics")));
    let reading = reading(&fetched);
    assert_eq!(codes(&reading), [""; 0]);
    assert_eq!(reading.house.home().school.terms.len(), 2);
}

#[test]
fn the_network_in_every_form() {
    let text = "name: DNS.Oakview.example.\ncertificate: {chain: tls/chain.pem, key: tls/key.pem}\n\
        listen: {dns: \"[::1]:0\", console: [\"127.0.0.1:8443\"]}\n\
        upstream: [\"tcp://192.0.2.1\", \"udp://[2001:db8::1]:5353\", \"tls://[2001:db8::2]#dns.example\", \"tls://192.0.2.2:8853#dns.example\",\n\
        \x20 \"https://dns.example:8443/q\", \"https://dns.example@192.0.2.3/dns-query\", \"https://192.0.2.4/dns-query\"]\n\
        store: \"postgres://hearth@db.example/home\"\nblocked_answer: zero\ntrust_forwarders: [192.168.1.1, \"2001:db8::/32\"]\n\
        home_network: [192.168.4.0/24]\nleases: [/tmp/dhcp.leases]\nquestions_a_second: off\nworkers: 2\nrouter: {mode: nftables, lan: br-lan, wan: [eth0, wwan0], others: office, ports: [web, udp 27000-27100]}\n";
    let reading = reading(&[("home.yaml", LITTLE), ("gateway.yaml", text)]);
    // No device reaches what listens there.
    assert_eq!(codes(&reading), ["gateway.yaml router-family"; 2]);
    let gateway = reading.gateway.expect("the gateway");
    let at = |text: &str| text.parse::<std::net::SocketAddr>().expect("an address");
    let ip = |text: &str| text.parse::<std::net::IpAddr>().expect("an address");
    let https = |host: &str, port, path: &str, address: Option<&str>| Upstream::Https {
        host: host.into(),
        port,
        path: path.into(),
        address: address.map(ip),
    };
    assert_eq!(gateway.name.as_str(), "dns.oakview.example");
    let files = Certificate::Files { chain: "tls/chain.pem".into(), key: "tls/key.pem".into() };
    assert_eq!(gateway.certificate, files);
    assert_eq!(gateway.listen.dns, [at("[::1]:0")]);
    assert_eq!(
        gateway.upstream,
        [
            Upstream::Tcp(at("192.0.2.1:53")),
            Upstream::Udp(at("[2001:db8::1]:5353")),
            Upstream::Tls(at("[2001:db8::2]:853"), "dns.example".into()),
            Upstream::Tls(at("192.0.2.2:8853"), "dns.example".into()),
            https("dns.example", 8443, "/q", None),
            https("dns.example", 443, "/dns-query", Some("192.0.2.3")),
            https("192.0.2.4", 443, "/dns-query", Some("192.0.2.4")),
        ]
    );
    assert_eq!(gateway.store, Store::Postgres("postgres://hearth@db.example/home".into()));
    assert_eq!(gateway.trust_forwarders, [(ip("192.168.1.1"), 32), (ip("2001:db8::"), 32)]);
    assert_eq!(gateway.leases, ["/tmp/dhcp.leases"]);
    assert_eq!(gateway.home_network, [(ip("192.168.4.0"), 24)]);
    assert_eq!((gateway.questions_a_second, gateway.workers.map(|n| n.get())), (None, Some(2)));
    assert_eq!(
        gateway.router,
        Router::Nftables {
            lan: vec!["br-lan".into()],
            wan: vec!["eth0".into(), "wwan0".into()],
            others: vec!["office".into()],
            fail: Fail::Closed,
            ports: Ports::read(["web", "udp 27000-27100"]).unwrap(),
        }
    );
}

#[test]
fn plain_values_stay_what_was_written() {
    // YAML 1.1 would have read a base-sixty number, two booleans, an octal number and nothing.
    let text = "person: no\nfor: staff\notherwise: allow\nonline: 1:20-21:00\nsafe_search: strict\n\
        devices: [{name: yes, token: 0012345670}]\nbehaviour: [007, 1e3, null and void]\n";
    let reading =
        reading(&[("home.yaml", LITTLE), ("gateway.yaml", "dnssec: off\n"), ("agreements/j.yaml", text)]);
    assert_eq!(codes(&reading), [""; 0]);
    let person = &reading.house.home().people[0];
    assert_eq!((person.name.as_str(), person.devices[0].name.as_str()), ("no", "yes"));
    assert_eq!(person.devices[0].by, DeviceBy::Token("0012345670".into()));
    assert_eq!(person.behaviour, ["007", "1e3", "null and void"]);
    assert_eq!(person.online.entries[0].1, [Window { start: 80, end: 1260 }]);
}

#[test]
fn a_value_may_be_repeated_by_an_alias() {
    let text = "person: J\nfor: staff\notherwise: allow\nlimits: {games: &hour {weekdays: 1h, weekends: 2h}, video: *hour}\n";
    let reading =
        reading(&[("home.yaml", LITTLE), ("gateway.yaml", "dnssec: off\n"), ("agreements/j.yaml", text)]);
    assert_eq!(codes(&reading), [""; 0]);
    let limits = &reading.house.home().people[0].limits;
    assert_eq!(limits[0].minutes, limits[1].minutes);
    assert_eq!(limits[1].minutes.entries.len(), 2);
}

#[test]
fn single_words_stand_for_lists_and_for_every_day() {
    let text = "person: J\nfor: staff\nallow: bbc.co.uk\nask: [games]\notherwise: block\nonline: [07:00-09:00, 17:00-22:00]\nbedtime: 00:30\n";
    let reading =
        reading(&[("home.yaml", LITTLE), ("gateway.yaml", "dnssec: off\n"), ("agreements/j.yaml", text)]);
    assert_eq!(codes(&reading), [""; 0]);
    let person = &reading.house.home().people[0];
    assert_eq!(person.online.entries[0].0, Days::EveryDay);
    assert_eq!(person.online.entries[0].1.len(), 2);
    assert_eq!((person.bedtime.entries[0].0.clone(), person.bedtime.entries[0].1), (Days::EveryDay, 1470));
    assert_eq!(person.words.iter().map(|r| r.word.to_string()).collect::<Vec<_>>(), ["games", "bbc.co.uk"]);
}

#[test]
fn search_is_never_looser_than_the_homes() {
    for (home, own, held) in [
        ("strict", "off", SafeSearch::Strict),
        ("moderate", "strict", SafeSearch::Strict),
        ("moderate", "off", SafeSearch::Moderate),
        ("off", "moderate", SafeSearch::Moderate),
        ("off", "off", SafeSearch::Off),
    ] {
        let home = format!("home: O\neveryone: {{safe_search: {home}}}\n");
        let text = format!("person: J\nfor: staff\notherwise: allow\nsafe_search: {own}\n");
        let reading = reading(&[("home.yaml", &home), ("agreements/j.yaml", &text)]);
        assert_eq!(reading.house.home().people[0].safe_search, held, "{home} {own}");
    }
}

#[test]
fn an_adult_has_no_times_unless_they_are_written_and_a_young_person_has() {
    for (kind, online) in [("staff", true), ("visitor", true), ("device", false), ("young person", false)] {
        let text = format!("person: J\nfor: {kind}\notherwise: allow\n");
        let reading = reading(&[("home.yaml", LITTLE), ("agreements/j.yaml", &text)]);
        assert_eq!(!reading.house.home().people[0].online.entries.is_empty(), online, "{kind}");
        assert_eq!(reading.problems.iter().any(|p| p.code == "uncovered-day"), !online, "{kind}");
    }
}
