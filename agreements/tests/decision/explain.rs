//! `explain --json`: the shape that every surface builds on.

use crate::build::{Build, at, oakview, person, standing, with_request};
use agreements::*;

/// The example of the program's reference: Jordan at half past nine on a Sunday.
#[test]
fn the_example_is_answered_to_the_letter() {
    let mut build = Build::new();
    build
        .person("jordan")
        .online("school_days", "07:00-08:30, 15:30-22:30")
        .online("every_day", "09:00-22:30")
        .bedtime("school_nights", "21:00")
        .bedtime("every_day", "22:30");
    for source in build.sources.iter_mut().filter(|s| s.text == "school_nights: 21:00") {
        source.line = 26;
    }
    let house = build.house();
    let explanation = with_request("www.tiktok.com #social_networks #tiktok", |request| {
        house.explain(person(&house, "jordan"), at("2026-11-22T21:30"), request, &Standing::default())
    });
    let expected = r#"{"person":"jordan","at":"2026-11-22T21:30:00+00:00","host":"www.tiktok.com","verdict":"block",
 "rule":"online","severity":"low","categories":["social_networks"],"service":"tiktok",
 "sentence":"The internet is off for Jordan until 07:00 on Monday.",
 "source":{"file":"agreements/jordan.yaml","line":26,"text":"school_nights: 21:00"},
 "until":"2026-11-23T07:00:00+00:00",
 "trace":[{"rule":"sealed","speaks":false},{"rule":"protected","speaks":false},{"rule":"restriction","speaks":false},
{"rule":"floor","speaks":false},{"rule":"grant","speaks":false},{"rule":"online","speaks":true,"verdict":"block"}]}"#;
    assert_eq!(serde_json::to_string(&explanation).unwrap(), expected.replace("\n ", "").replace('\n', ""));
}

#[test]
fn times_are_told_on_the_homes_clock() {
    let house = oakview();
    let explanation = with_request("bbc.example", |request| {
        house.explain(person(house, "jordan"), at("2026-07-06T20:30Z"), request, &Standing::default())
    });
    assert_eq!(explanation.at, "2026-07-06T21:30:00+01:00");
    assert_eq!(explanation.until.as_deref(), Some("2026-07-07T07:00:00+01:00"));
}

#[test]
fn an_allowed_request_has_no_severity_and_its_line() {
    let house = oakview();
    let explanation = with_request("bbc.example", |request| {
        house.explain(person(house, "jordan"), at("2026-11-28T16:00"), request, &Standing::default())
    });
    assert_eq!(explanation.severity, None);
    assert_eq!(explanation.service, None);
    assert!(explanation.source.unwrap().text.starts_with("allow: [bbc.example"));
}

/// Who, host, standing, and the rules of the trace up to the one that speaks.
#[test]
fn the_trace_tells_every_rule_up_to_the_one_that_speaks() {
    let house = oakview();
    let five = "sealed protected restriction floor grant";
    let nine = format!("{five} online private_mail school_hours limit");
    for (who, host, given, trace) in [
        ("jordan", "x.example #illegal", "-", "sealed".to_owned()),
        ("jordan", "x.example #malware", "-", "sealed protected restriction floor".into()),
        ("jordan", "else.example", "-", format!("{nine} site service category otherwise")),
        ("jordan", "bbc.example", "-", format!("{nine} site")),
        ("jordan", "roblox.com #roblox #games", "-", format!("{nine} site service")),
        ("jordan", "bets.example #gambling", "-", format!("{nine} site service category")),
        ("jordan", "mail.example #private_mail", "-", format!("{five} online private_mail")),
        ("jordan", "bbc.example", "sites everything 15:00-17:00", five.into()),
        ("dee", "bbc.example", "-", format!("{five} baseline")),
        ("nobody", "bbc.example", "-", format!("{five} baseline")),
        ("mo", "bbc.example", "-", format!("{five} online private_mail email_only")),
        ("laptop", "bbc.example", "-", format!("{five} education_session")),
    ] {
        let standing = standing(house, who, "2026-11-28", given);
        let (verdict, steps) =
            with_request(host, |r| house.trace(person(house, who), at("2026-11-28T16:00"), r, &standing));
        let words: Vec<_> = steps.iter().map(|s| serde_json::to_value(s.rule).unwrap()).collect();
        let words: Vec<_> = words.iter().map(|w| w.as_str().unwrap()).collect();
        assert_eq!(words.join(" "), trace, "{who} {host}");
        let last = steps.last().unwrap();
        assert!(
            last.speaks && last.verdict == Some(verdict.outcome) && last.rule == verdict.rule,
            "{who} {host}"
        );
        assert!(steps[..steps.len() - 1].iter().all(|s| !s.speaks && s.verdict.is_none()), "{who} {host}");
    }
}
