//! How long the internet stays open: what is counted down and warned of.

use crate::build::{at, oakview, person, standing};

#[test]
fn how_long_it_stays_open() {
    let house = oakview();
    // Who, when (a Saturday unless it says otherwise), what staff decided and was used; whether it is open, until when, by what.
    for (case, who, when, given, open, until, by) in [
        ("a window's end", "sam", "28T20:00", "-", true, "28T21:30", "Online"),
        ("a window's beginning", "sam", "28T07:00", "-", false, "28T08:00", "Online"),
        ("after the last window", "sam", "28T22:00", "-", false, "29T08:00", "Online"),
        ("minutes that could run out", "jordan", "28T16:00", "used everything 60", true, "28T19:00", "Limit"),
        ("minutes that outlast the window", "jordan", "28T21:00", "-", true, "28T22:30", "Online"),
        ("minutes that have run out", "jordan", "28T16:00", "used everything 240", false, "-", "Limit"),
        ("school that begins", "sam", "24T08:50", "-", true, "24T09:00", "SchoolHours"),
        ("school that ends", "sam", "24T09:30", "-", false, "24T15:15", "SchoolHours"),
        (
            "a restriction to come",
            "sam",
            "28T17:30",
            "restrict everything 18:00-19:00",
            true,
            "28T18:00",
            "Restriction",
        ),
        (
            "a restriction of one site",
            "sam",
            "28T20:00",
            "restrict games 18:00-21:00",
            true,
            "28T21:30",
            "Online",
        ),
        (
            "more time beyond the window",
            "sam",
            "28T21:00",
            "time everything 21:00-22:00",
            true,
            "28T22:00",
            "Online",
        ),
        (
            "more time after the window",
            "sam",
            "28T21:40",
            "time everything 21:40-22:00",
            true,
            "28T22:00",
            "Online",
        ),
        (
            "more minutes",
            "jordan",
            "28T16:00",
            "used everything 240; time everything 16:00-16:20",
            true,
            "28T16:20",
            "Limit",
        ),
        ("never", "kate", "28T20:00", "-", true, "-", "-"),
        ("the baseline's window", "nobody", "28T20:00", "-", true, "28T21:00", "Baseline"),
        ("a draft in the night", "dee", "28T22:00", "-", false, "29T07:00", "Baseline"),
        ("private mail alone", "mo", "28T19:00", "-", true, "28T20:00", "Online"),
    ] {
        let day = |text: &str| at(&format!("2026-11-{text}"));
        let (date, _) = when.split_once('T').unwrap();
        let standing = standing(house, who, &format!("2026-11-{date}"), given);
        let left = house.left(person(house, who), day(when), &standing);
        assert_eq!(left.open, open, "{case}: {left:?}");
        assert_eq!(left.until, (until != "-").then(|| day(until)), "{case}: {left:?}");
        assert_eq!(left.by.map_or("-".into(), |by| format!("{by:?}")), by, "{case}: {left:?}");
    }
}

#[test]
fn who_is_warned_and_when() {
    let house = oakview();
    let sam = person(house, "sam");
    let standing = standing(house, "sam", "2026-11-28", "-");
    for (when, warned) in [
        ("21:14:59", None),
        ("21:15:00", Some(15)),
        ("21:24:59", Some(15)),
        ("21:25:00", Some(5)),
        ("21:29:59", Some(5)),
        ("21:30:00", None),
        ("07:50:00", None),
    ] {
        let now = at(&format!("2026-11-28T{when}"));
        let soon = house.left(sam, now, &standing).warning(now);
        assert_eq!(soon.map(agreements::Soon::minutes), warned, "{when}");
    }
}
