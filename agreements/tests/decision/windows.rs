//! `windows.txt`: the instants at which somebody is online, through clock changes and across midnight.

use crate::build::{Build, at, at_in, person};
use agreements::{House, Standing};
use chrono::{DateTime, Duration, Utc};

fn spans(house: &House, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let (who, standing) = (person(house, "jordan"), Standing::default());
    let (mut at, mut spans) = (from, vec![]);
    while at < until {
        let (open, change) = house.moment(who, at, &standing).online();
        let end = change.unwrap_or(until).min(until);
        assert!(end > at, "time moves on");
        if open {
            spans.push((at, end));
        }
        at = end;
    }
    spans
}

fn build(zone: &str, online: &str, bedtime: &str) -> House {
    let mut build = Build::new();
    build.home.timezone = zone.parse().unwrap();
    let mut jordan = build.person("jordan");
    for entry in online.split(';') {
        let (when, windows) = entry.trim().split_once(' ').unwrap();
        jordan = jordan.online(when, windows.trim());
    }
    for entry in bedtime.split(';').map(str::trim).filter(|b| *b != "-") {
        let (when, time) = entry.split_once(' ').unwrap();
        jordan = jordan.bedtime(when, time);
    }
    drop(jordan);
    build.house()
}

#[test]
fn windows_open_and_close_at_the_instants_of_the_table() {
    let (mut checked, mut wrong) = (0, vec![]);
    for (number, line) in include_str!("../windows.txt").lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [case, zone, online, bedtime, range, expected] = columns[..] else {
            panic!("line {}: {line}", number + 1)
        };
        let house = build(zone, online, bedtime);
        let (from, until) = range.split_once(" to ").unwrap();
        let (from, until) = (at(from), at(until));
        let spans = spans(&house, from, until);
        let show = |t: &DateTime<Utc>| t.format("%dT%H:%M").to_string();
        let got: Vec<_> = spans.iter().map(|(a, b)| format!("{}-{}", show(a), show(b))).collect();
        let expected: Vec<_> = expected.split_whitespace().filter(|e| *e != "never").collect();
        if got != expected {
            wrong.push(format!(
                "windows.txt:{}: {case}\n  expected {expected:?}\n  got      {got:?}",
                number + 1
            ));
        }
        every_minute_agrees(&house, from, until, &spans, case);
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 30, "only {checked} cases were read");
}

/// What is told of a change is what every minute on the way finds.
fn every_minute_agrees(
    house: &House,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    spans: &[(DateTime<Utc>, DateTime<Utc>)],
    case: &str,
) {
    let (who, standing) = (person(house, "jordan"), Standing::default());
    let minutes = (until - from).num_minutes();
    for at in (0..minutes).map(|m| from + Duration::minutes(m)) {
        let open = house.moment(who, at, &standing).online().0;
        assert_eq!(open, spans.iter().any(|(a, b)| *a <= at && at < *b), "{case}: {at}");
    }
}

#[test]
fn the_last_second_counts() {
    let house = build("Europe/London", "every_day 09:00-17:00", "-");
    let (who, standing) = (person(&house, "jordan"), Standing::default());
    let open = |t: &str| house.moment(who, at(t), &standing).online().0;
    assert!(!open("2026-11-23T08:59:59"));
    assert!(open("2026-11-23T09:00:00"));
    assert!(open("2026-11-23T16:59:59"));
    assert!(!open("2026-11-23T17:00:00"));
    let almost = at("2026-11-23T16:59:59") + Duration::nanoseconds(999_999_999);
    assert!(house.moment(who, almost, &standing).online().0);
}

#[test]
fn a_table_that_names_one_date_opens_on_it_and_never_again() {
    let house = build("Europe/London", "2027-12-24 10:00-11:00", "-");
    let (who, standing) = (person(&house, "jordan"), Standing::default());
    let online = |t: &str| house.moment(who, at(t), &standing).online();
    assert_eq!(online("2026-01-01T00:00"), (false, Some(at("2027-12-24T10:00"))));
    assert_eq!(online("2027-12-24T10:30"), (true, Some(at("2027-12-24T11:00"))));
    assert_eq!(online("2027-12-24T11:00"), (false, None));
}

#[test]
fn windows_that_never_end_have_no_change() {
    for online in
        ["every_day all_day", "weekdays all_day; weekends 00:00-24:00", "weekdays all_day; every_day all_day"]
    {
        let house = build("Europe/London", online, "-");
        let moment = house.moment(person(&house, "jordan"), at("2026-11-23T12:00"), &Standing::default());
        assert_eq!(moment.online(), (true, None), "{online}");
        assert_eq!(moment.until(), None, "{online}");
    }
}

#[test]
fn absurd_instants_are_judged_without_panic() {
    let house = crate::build::oakview();
    for who in ["jordan", "sam", "alex", "mo", "kate", "laptop", "dee", "nobody"] {
        for t in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH] {
            let _ = crate::build::judge(house, who, t, "bbc.example", &Standing::default());
        }
    }
    let _ = at_in("2026-11-23T12:00", chrono_tz::UTC);
}
