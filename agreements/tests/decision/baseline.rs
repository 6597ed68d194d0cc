//! Who is on the baseline, and what that is: unknown devices, everybody while the clock cannot be believed or the records cannot be read.

use crate::build::{at, judge, oakview, with_request};
use agreements::*;

#[test]
fn unknown_devices_that_a_home_blocks_or_lets_sign_in_have_what_is_protected() {
    for kind in [UnknownDevices::Block, UnknownDevices::SignIn] {
        have_what_is_protected(kind);
    }
}

fn have_what_is_protected(kind: UnknownDevices) {
    let mut build = crate::build::Build::new();
    build.home.unknown_devices = kind;
    build.person("dee").with(|p| p.draft = Some(Draft::Unusable));
    let house = build.house();
    for (who, host, outcome) in [
        ("nobody", "help.example #support", Outcome::Allow),
        ("nobody", "mail.example #private_mail", Outcome::Allow),
        ("nobody", "school.example #education", Outcome::Block),
        ("nobody", "cdn.example #infrastructure", Outcome::Block),
        // A draft is a person whom the home knows.
        ("dee", "school.example #education", Outcome::Allow),
    ] {
        let (verdict, _) = judge(&house, who, at("2026-11-28T16:00"), host, &Standing::default());
        assert_eq!(verdict.outcome, outcome, "{who} {host}");
    }
}

#[test]
fn without_a_clock_there_is_the_baseline_and_no_night() {
    let house = oakview();
    let moment = house.moment(House::NO_CLOCK, at("2026-11-24T12:00"), &Standing::default());
    assert!(moment.holds(at("1970-01-01T02:00")) && moment.until().is_none());
    for (host, outcome, severity) in [
        ("school.example #education", Outcome::Allow, None),
        ("help.example #support", Outcome::Allow, None),
        ("x.example #malware", Outcome::Block, Some(Severity::High)),
        ("bbc.example", Outcome::Block, Some(Severity::Medium)),
    ] {
        let verdict = with_request(host, |request| house.judge_in(&moment, request));
        assert_eq!(verdict.outcome, outcome, "{host}");
        assert!(severity.is_none_or(|s| s == verdict.severity), "{host}");
        assert_eq!(verdict.until, None, "{host}");
    }
    let sentence = with_request("bbc.example", |request| {
        house.explain(House::NO_CLOCK, at("1970-01-01T02:00"), request, &Standing::default()).sentence
    });
    assert_eq!(
        sentence,
        "The gateway does not know the right time yet, and until it does only some sites are open."
    );
}

#[test]
fn without_a_clock_nobody_has_less_than_the_baseline_and_what_is_closed_stays_closed() {
    for kind in [UnknownDevices::Baseline, UnknownDevices::Block, UnknownDevices::SignIn] {
        let mut build = crate::build::Build::new();
        build.home.unknown_devices = kind;
        build.person("dee").with(|_| {});
        let house = build.house();
        let known = house.person("dee").unwrap();
        let strangers = kind == UnknownDevices::Baseline;
        for (case, who, has_baseline) in [
            ("somebody whom the home knows", known, true),
            ("an unknown device", House::NOBODY, strangers),
            ("a lost device", House::LOST, false),
        ] {
            let moment =
                house.moment(House::without_clock(who), at("1970-01-01T02:00"), &Standing::default());
            for (host, allowed) in [
                ("help.example #support", true),
                ("school.example #education", has_baseline),
                ("bbc.example", false),
            ] {
                let verdict = with_request(host, |request| house.judge_in(&moment, request));
                assert_eq!(verdict.allows(), allowed, "{kind:?}: {case}, {host}");
            }
        }
    }
}

#[test]
fn without_records_everybody_is_on_the_baseline() {
    let house = crate::build::build_oakview().without_records();
    for (who, host, outcome) in [
        ("jordan", "school.example #education", Outcome::Allow),
        ("jordan", "help.example #support", Outcome::Allow),
        ("jordan", "bbc.example", Outcome::Block),
        ("jordan", "x.example #malware", Outcome::Block),
        ("kate", "bbc.example", Outcome::Block),
    ] {
        let (verdict, sentence) = judge(&house, who, at("2026-11-28T16:00"), host, &Standing::default());
        assert_eq!(verdict.outcome, outcome, "{who} {host}: {sentence}");
        if host == "bbc.example" {
            assert_eq!(
                sentence,
                "Something is wrong with the gateway's memory, and until it is put right only some sites are open."
            );
        }
    }
}
