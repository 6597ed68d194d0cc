//! Every block of YAML in the language's and the program's pages, as it stands there: no errors, and what it means.

use agreements::*;
use chrono::NaiveDate;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn files(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn oakview() -> Vec<(String, String)> {
    files(&[
        ("home.yaml", include_str!("blocks/oakview/home.yaml")),
        ("gateway.yaml", include_str!("blocks/oakview/gateway.yaml")),
        ("agreements/jordan.yaml", include_str!("blocks/oakview/agreements/jordan.yaml")),
        ("agreements/sam.yaml", include_str!("blocks/profiles/sam.yaml")),
        ("agreements/study-laptop.yaml", include_str!("blocks/profiles/study-laptop.yaml")),
        ("agreements/kate-staff.yaml", include_str!("blocks/profiles/kate-staff.yaml")),
    ])
}

fn told(reading: &Reading) -> Vec<String> {
    reading
        .problems
        .iter()
        .map(|p| format!("{:?} {}:{}:{} {} {}", p.level, p.file, p.line, p.column, p.code, p.sentence))
        .collect()
}

fn person<'r>(reading: &'r Reading, id: &str) -> &'r Person {
    reading.house.home().people.iter().find(|p| p.id == id).expect("the person")
}

#[test]
fn the_pages_blocks_load_with_the_warnings_that_are_true() {
    let reading = read(&oakview(), day("2026-11-22"));
    // The page shows every word of the language, also those that this version does nothing about; it shows a few lists;
    // and it names `terms.ics`, which is not beside it.
    assert_eq!(
        told(&reading),
        [
            "Warning agreements/jordan.yaml:34:19 empty-category No list fills `violence`, so this closes nothing.",
            "Warning home.yaml:10:13 no-calendar The calendar is not there yet: its terms are not known.",
            "Warning home.yaml:14:24 empty-category No list fills `malware`, so this closes nothing.",
        ]
    );
    let ids: Vec<&str> = reading.house.home().people.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["jordan", "kate-staff", "sam", "study-laptop"]);
    assert!(reading.house.home().people.iter().all(|p| p.draft.is_none()));
}

#[test]
fn the_agreement_means_what_it_says() {
    let reading = read(&oakview(), day("2026-11-22"));
    let jordan = person(&reading, "jordan");
    assert_eq!(
        (jordan.name.as_str(), jordan.kind, jordan.profile),
        ("Jordan", PersonKind::YoungPerson, Profile::Agreement)
    );
    let by: Vec<&DeviceBy> = jordan.devices.iter().map(|d| &d.by).collect();
    assert_eq!(
        by,
        [
            &DeviceBy::Mac([0x3c, 0x06, 0x30, 0x11, 0x22, 0x33]),
            &DeviceBy::Ip("192.168.4.20".parse().expect("an address")),
            &DeviceBy::Token("jordan-tablet-7f3a19c6d2".to_owned()),
            &DeviceBy::Network("192.168.40.0".parse().expect("an address"), 24),
        ]
    );
    let windows: Vec<(&Days, Vec<(u16, u16)>)> = jordan
        .online
        .entries
        .iter()
        .map(|(d, w, _)| (d, w.iter().map(|w| (w.start, w.end)).collect()))
        .collect();
    assert_eq!(
        windows,
        [
            (&Days::SchoolDays, vec![(420, 510), (930, 1350)]),
            (&Days::EveryDay, vec![(540, 1350)]),
            (&Days::Date(day("2026-12-24")), vec![(540, 1470)]),
        ]
    );
    let beds: Vec<(&Days, u16)> = jordan.bedtime.entries.iter().map(|(d, m, _)| (d, *m)).collect();
    assert_eq!(
        beds,
        [(&Days::SchoolNights, 1260), (&Days::EveryDay, 1350), (&Days::Date(day("2026-12-24")), 1470)]
    );
    let limits: Vec<(String, Vec<u16>)> = jordan
        .limits
        .iter()
        .map(|l| {
            let key = match &l.key {
                LimitKey::Everything => "everything".to_owned(),
                LimitKey::Word(word) => word.to_string(),
            };
            (key, l.minutes.entries.iter().map(|(_, m, _)| *m).collect())
        })
        .collect();
    assert_eq!(
        limits,
        [
            ("everything".to_owned(), vec![240]),
            ("games".to_owned(), vec![60, 150]),
            ("youtube.com".to_owned(), vec![45])
        ]
    );
    let words: Vec<String> = jordan.words.iter().map(|r| format!("{:?} {}", r.ruled, r.word)).collect();
    assert_eq!(
        words,
        [
            "Block gambling",
            "Block violence",
            "WithStaff facebook.com",
            "Ask social_networks",
            "Ask discord.com",
            "Allow bbc.co.uk",
            "Allow scratch.mit.edu"
        ]
    );
    assert_eq!(jordan.otherwise, Outcome::Allow);
    assert_eq!((jordan.education, jordan.school_hours), (Education::School, SchoolHours::EducationOnly));
    assert_eq!(jordan.safe_search, SafeSearch::Strict);
    assert_eq!(jordan.monitoring, Monitoring::default());
    assert_eq!(jordan.behaviour, ["I will not share anyone's pictures without asking them."]);
    let after: Vec<(u32, &str, u32)> =
        jordan.consequences.iter().map(|c| (c.count, c.of.as_str(), c.days)).collect();
    assert_eq!(after, [(3, "breaches", 7), (1, "circumvention", 7)]);
    assert_eq!(jordan.agreed.review_by.map(|(d, _)| d), Some(day("2027-01-31")));
    assert_eq!(jordan.agreed.social_worker, Some(("A. Mensah".into(), "Leeds".into(), day("2026-11-02"))));
}

#[test]
fn a_line_is_quoted_without_its_comment() {
    let reading = read(&oakview(), day("2026-11-22"));
    let jordan = person(&reading, "jordan");
    let quoted = |id: SourceId| reading.house.source(id).map(|s| (s.line, s.text.clone())).expect("a source");
    assert_eq!(quoted(jordan.source), (1, "person: Jordan".to_owned()));
    assert_eq!(quoted(jordan.online.entries[2].2), (20, "2026-12-24: 09:00-00:30".to_owned()));
    assert_eq!(quoted(jordan.bedtime.entries[0].2), (22, "school_nights: 21:00".to_owned()));
    assert_eq!(quoted(jordan.otherwise_source).1, "otherwise: allow");
}

#[test]
fn the_home_means_what_it_says() {
    let reading = read(&oakview(), day("2026-11-22"));
    let home = reading.house.home();
    assert_eq!(home.name, "Oakview House");
    assert_eq!(home.timezone, chrono_tz::Europe::London);
    assert_eq!(
        home.shifts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["07:30:00", "14:30:00", "21:30:00"]
    );
    assert_eq!(home.school.terms.len(), 3);
    assert_eq!(home.school.days_off, [day("2026-11-27")]);
    assert_eq!(home.school.bank_holidays, Some(Nation::England));
    assert_eq!(home.school.hours.iter().filter(|h| !h.is_empty()).count(), 5);
    let floor: Vec<String> = home.everyone.block.iter().map(|(w, _)| w.to_string()).collect();
    assert_eq!(floor, ["pornography", "malware", "circumvention"]);
    assert_eq!(home.everyone.safe_search, SafeSearch::Strict);
    assert_eq!(
        home.protected.support.len() + home.protected.private_mail.len() + home.protected.assistive.len(),
        3
    );
    assert_eq!(home.baseline.otherwise, Outcome::Block);
    assert_eq!(home.unknown_devices, UnknownDevices::SignIn);
    assert_eq!(home.lists.len(), 3);
    assert_eq!(home.lists[1].format.as_deref(), Some("ut1"));
    assert_eq!(home.lists[1].categories.len(), 2);
    assert_eq!((home.lists[2].sealed, home.lists[2].refresh), (true, chrono::Duration::hours(1)));
    assert_eq!(home.lists[0].refresh, chrono::Duration::days(1));
    assert_eq!(home.staff.iter().map(|s| s.role).collect::<Vec<_>>(), [Role::Manager, Role::Staff]);
    assert_eq!(home.notify[0].when, ["circumvention", "illegal", "unknown_device"]);
    assert_eq!(home.keep, Keep { breaches: 365, minutes: 90, monitoring: 28 });
}

#[test]
fn the_network_means_what_it_says() {
    let gateway = read(&oakview(), day("2026-11-22")).gateway.expect("the gateway");
    assert_eq!(gateway.listen.dns.len(), 2);
    assert_eq!(gateway.listen.console, ["127.0.0.1:8443".parse().expect("an address")]);
    assert_eq!(
        gateway.upstream,
        [
            Upstream::Tls("1.1.1.3:853".parse().expect("an address"), "family.cloudflare-dns.com".into()),
            Upstream::Https {
                host: "dns.example".into(),
                port: 443,
                path: "/dns-query".into(),
                address: None
            },
            Upstream::Udp("127.0.0.1:5301".parse().expect("an address")),
        ]
    );
    assert_eq!(gateway.dnssec, Dnssec::Validate);
    assert_eq!(gateway.store, Store::Sqlite("/var/lib/hearthgate/home.db".into()));
    assert_eq!((gateway.blocked_answer, gateway.router), (BlockedAnswer::Page, Router::Off));
}

#[test]
fn the_other_two_profiles_and_a_member_of_staff() {
    let reading = read(&oakview(), day("2026-11-22"));
    assert_eq!(person(&reading, "sam").profile, Profile::EmailOnly);
    let laptop = person(&reading, "study-laptop");
    assert_eq!((laptop.profile, laptop.kind), (Profile::EducationSession, PersonKind::Device));
    let kate = person(&reading, "kate-staff");
    // Staff have no times of their own unless they are written.
    let all_day = vec![Window { start: 0, end: 1440 }];
    assert_eq!(kate.online.entries.iter().map(|(_, w, _)| w.clone()).collect::<Vec<_>>(), [all_day]);
}

#[test]
fn the_manager_is_told_of_a_review_in_time_and_every_day_after() {
    for (today, code) in [
        ("2027-01-10", None),
        ("2027-01-17", Some("review-soon")),
        ("2027-01-24", Some("review-soon")),
        ("2027-01-31", Some("review-due")),
        ("2027-02-01", Some("review-overdue")),
        ("2027-05-01", Some("review-overdue")),
    ] {
        let reading = read(&oakview(), day(today));
        let review: Vec<(&str, Level)> = reading
            .problems
            .iter()
            .filter(|p| p.file == "agreements/jordan.yaml" && p.code.starts_with("review"))
            .map(|p| (p.code, p.level))
            .collect();
        assert_eq!(review, code.map(|c| (c, Level::Warning)).into_iter().collect::<Vec<_>>(), "{today}");
        // A child does not lose what was agreed because an adult is late.
        assert_eq!(person(&reading, "jordan").draft, None, "{today}");
    }
}
