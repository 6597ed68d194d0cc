//! `days.txt`: which entry of a table gives a day. Each entry gives a limit of so many minutes, which tells it apart.

use crate::build::{Build, at, date, person};
use agreements::Standing;

#[test]
fn the_most_specific_entry_gives_the_whole_day() {
    let (mut checked, mut wrong) = (0, vec![]);
    for (number, line) in include_str!("../days.txt").lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [case, entries, day, expected] = columns[..] else { panic!("line {}: {line}", number + 1) };
        let mut build = Build::new();
        build.person("jordan").online("every_day", "all_day").limit("everything", entries);
        let house = build.house();
        let noon = at(&format!("{}T12:00", date(day)));
        let left = house.moment(person(&house, "jordan"), noon, &Standing::default()).minutes_left(0);
        let got = left.map_or("-".into(), |m| m.to_string());
        if got != expected {
            wrong.push(format!("days.txt:{}: {case}: expected {expected}, got {got}", number + 1));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 30, "only {checked} cases were read");
}

#[test]
fn a_school_day_is_in_term_on_a_weekday_that_is_no_day_off_and_no_bank_holiday() {
    let house = Build::new().house();
    for (day, school) in [
        ("2026-11-23", true),
        ("2026-11-27", false), // an INSET day
        ("2026-11-28", false), // a Saturday
        ("2026-10-26", false), // half-term
        ("2026-05-04", false), // the early May bank holiday
        ("2026-09-02", true),  // the first day of a term
        ("2026-10-23", true),  // the last
        ("2026-10-24", false),
    ] {
        assert_eq!(house.has_school(date(day)), school, "{day}");
    }
}

#[test]
fn the_homes_day_starts_when_the_home_says() {
    let house = Build::new().house();
    for (instant, day, ends) in [
        ("2026-11-23T03:59", "2026-11-22", "2026-11-23T04:00"),
        ("2026-11-23T04:00", "2026-11-23", "2026-11-24T04:00"),
        ("2026-03-29T03:59", "2026-03-28", "2026-03-29T04:00"), // the night is an hour shorter
        ("2026-10-25T03:59", "2026-10-24", "2026-10-25T04:00"), // and an hour longer
    ] {
        assert_eq!(house.day_of(at(instant)), date(day), "{instant}");
        assert_eq!(house.day_ends(at(instant)), at(ends), "{instant}");
    }
}

#[test]
fn a_day_that_starts_in_the_repeated_hour_starts_once() {
    let mut build = Build::new();
    build.home.day_starts = crate::build::time("01:30");
    let house = build.house();
    // 01:30 occurs twice on 25 October 2026: 00:30Z and 01:30Z. The second one starts the day.
    for (instant, day) in [
        ("2026-10-25T00:29Z", "2026-10-24"),
        ("2026-10-25T00:31Z", "2026-10-24"),
        ("2026-10-25T01:29Z", "2026-10-24"),
        ("2026-10-25T01:30Z", "2026-10-25"),
    ] {
        assert_eq!(house.day_of(at(instant)), date(day), "{instant}");
    }
    // 01:30 does not occur on 29 March 2026: the gap ends at 01:00Z.
    assert_eq!(house.day_of(at("2026-03-29T00:59Z")), date("2026-03-28"));
    assert_eq!(house.day_of(at("2026-03-29T01:00Z")), date("2026-03-29"));
}
