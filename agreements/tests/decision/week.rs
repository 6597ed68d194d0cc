//! The timetable of a week.

use crate::build::{Build, date, oakview, person};
use agreements::*;

/// Golden file: `HEARTHGATE_BLESS=1 cargo test -p agreements --test decision week` writes what is drawn today.
#[test]
fn the_timetable_is_drawn_as_the_golden_file_has_it() {
    let house = oakview();
    let mut drawn = String::new();
    for (who, from) in
        [("jordan", "2026-11-23"), ("sam", "2026-03-23"), ("alex", "2026-10-19"), ("laptop", "2026-11-23")]
    {
        drawn += &house.week(person(house, who), date(from)).render(false);
        drawn += "\n";
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/week.txt");
    if std::env::var_os("HEARTHGATE_BLESS").is_some() {
        std::fs::write(golden, &drawn).unwrap();
    }
    assert_eq!(drawn, include_str!("../week.txt"), "see the comment above for how to regenerate it");
}

/// What no gateway can see stands on the print-out, as it was agreed.
#[test]
fn what_was_agreed_stands_under_the_timetable() {
    let mut build = Build::new();
    let said = vec!["I will not share pictures.".to_owned(), "I ask <first>.".to_owned()];
    build.person("jordan").online("every_day", "09:00-21:00").with(|p| p.behaviour = said);
    build.person("sam");
    let house = build.house();
    let week = |who| house.week(person(&house, who), date("2026-11-23"));
    let (text, svg) = (week("jordan").render(false), week("jordan").svg());
    assert!(
        text.ends_with(
            "What we agreed:\n            - I will not share pictures.\n            - I ask <first>.\n"
        ),
        "{text}"
    );
    assert!(
        svg.contains(">I will not share pictures.</text>") && svg.contains(">I ask &lt;first&gt;.</text>"),
        "{svg}"
    );
    assert!(!week("sam").render(false).contains("What we agreed"));
}

#[test]
fn colours_are_for_terminals_alone() {
    let week = oakview().week(person(oakview(), "jordan"), date("2026-11-23"));
    assert!(!week.render(false).contains('\u{1b}'));
    let (plain, mut coloured) = (week.render(false), week.render(true));
    for code in ["\u{1b}[2m", "\u{1b}[32m", "\u{1b}[34m", "\u{1b}[0m"] {
        coloured = coloured.replace(code, "");
    }
    assert_eq!(coloured, plain);
}

#[test]
fn the_segments_of_a_day_have_no_gap_and_are_as_long_as_the_day() {
    let house = oakview();
    for who in ["jordan", "sam", "alex", "mo", "kate", "laptop", "dee", "nobody"] {
        for (from, hours) in [("2026-03-23", 167), ("2026-10-19", 169), ("2026-11-23", 168)] {
            let week = house.week(person(house, who), date(from));
            let all: Vec<_> = week.days.iter().flat_map(|d| &d.segments).collect();
            assert!(all.windows(2).all(|pair| pair[0].until == pair[1].from), "{who} {from}");
            let kinds = [SegmentKind::Online, SegmentKind::School, SegmentKind::Offline];
            let minutes: i64 = week.days.iter().flat_map(|d| kinds.map(|k| d.minutes(k))).sum();
            assert_eq!(minutes, hours * 60, "{who} {from}");
        }
    }
}

#[test]
fn a_segment_points_at_its_line() {
    let week = oakview().week(person(oakview(), "jordan"), date("2026-11-23"));
    let told: Vec<_> = week.days[0]
        .segments
        .iter()
        .map(|s| (s.starts.as_str(), s.ends.as_str(), s.source.as_ref().unwrap().text.as_str()))
        .collect();
    let (school, bedtime) = ("school_days: 07:00-08:30, 15:30-22:30", "school_nights: 21:00");
    assert_eq!(
        told,
        [
            ("00:00", "07:00", bedtime),
            ("07:00", "08:30", school),
            ("08:30", "15:30", school),
            ("15:30", "21:00", school),
            ("21:00", "24:00", bedtime),
        ]
    );
}

#[test]
fn the_picture_is_self_contained_and_escapes_names() {
    let mut build = Build::new();
    build.person("jordan").online("every_day", "09:00-21:00").with(|p| p.name = "<J> & \"K\"".into());
    let house = build.house();
    let svg = house.week(person(&house, "jordan"), date("2026-11-23")).svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("<title id=\"t\">&lt;J&gt; &amp; &quot;K&quot;'s week</title>"));
    assert!(svg.contains("Monday 23 November: online 09:00–21:00."));
    for outside in ["href", "url(", "<script", "<image"] {
        assert!(!svg.contains(outside), "{outside}");
    }
    assert_eq!(
        svg.matches("<rect").count(),
        svg.matches("</rect>").count() + svg.matches("/>").count() - svg.matches("<line").count()
    );
}
