//! The timetable of a week, and what a change of the files gives and takes.

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

fn home(change: impl FnOnce(&mut Build)) -> House {
    let mut build = Build::new();
    build.floor("malware, gambling");
    build
        .person("jordan")
        .online("every_day", "09:00-21:00")
        .limit("games", "every_day 60")
        .words(Outcome::Allow, "bbc.example")
        .words(Outcome::Block, "games");
    change(&mut build);
    build.house()
}

#[test]
fn nothing_changes_where_nothing_was_changed() {
    let told = diff(&home(|_| {}), &home(|_| {}), date("2026-11-23"));
    assert!(told.is_empty());
    assert_eq!(told.to_string(), "Nothing changes for anybody.\n");
}

#[test]
fn a_change_is_told_in_minutes_and_words() {
    let new = home(|build| {
        let sat = build.line("agreements/jordan.yaml", "sat: 10:00-23:00");
        let jordan = &mut build.home.people[0];
        jordan.online.entries.push((crate::build::days("sat"), crate::build::windows("10:00-23:00"), sat));
        jordan.limits[0].minutes.entries.push((crate::build::days("sun"), 90, sat));
        jordan.words.retain(|r| r.word != crate::build::word("games"));
        jordan.words[0].ruled = Outcome::Ask;
        jordan.otherwise = Outcome::Block;
        build.home.everyone.block.pop();
        build.person("sam").online("every_day", "all_day");
    });
    let told = diff(&home(|_| {}), &new, date("2026-11-23"));
    let expected = "\
Jordan
  Sat 28 Nov: +2 h −1 h
  Sun 29 Nov, games: 1 h → 1 h 30 min
  bbc.example: allow → ask
  games: block → not mentioned
  what nobody mentioned: allow → block
Sam (new)
  Mon 23 Nov: +10 h
  Tue 24 Nov: +10 h
  Wed 25 Nov: +10 h
  Thu 26 Nov: +10 h
  Fri 27 Nov: +10 h
  Sat 28 Nov: +10 h
  Sun 29 Nov: +10 h
  agreed: not mentioned → complete
  education: not mentioned → school
  for: not mentioned → young person
  monitoring: not mentioned → breaches
  profile: not mentioned → agreement
  safe_search: not mentioned → off
  school_hours: not mentioned → as_agreed
Everyone (the floor)
  gambling: block → not mentioned
";
    assert_eq!(told.to_string(), expected);
    let back = diff(&new, &home(|_| {}), date("2026-11-23"));
    let sat = &back.people[0].days[0];
    assert_eq!((sat.given, sat.taken), (60, 120));
    assert_eq!(back.people[1].presence, Presence::Removed);
    assert_eq!(serde_json::to_value(&back.everyone).unwrap()["categories"][0]["word"], "gambling");
}

#[test]
fn a_change_is_told_in_the_languages_words() {
    let new = home(|build| {
        let line = build.line("agreements/jordan.yaml", "block: [tiktok, dating, =a.example]");
        let jordan = &mut build.home.people[0];
        for word in ["tiktok", "dating", "=a.example"] {
            let word = crate::build::word(word);
            jordan.words.push(agreements::Ruling { word, ruled: Outcome::WithStaff, source: line });
        }
        jordan.school_hours = agreements::SchoolHours::EducationOnly;
        jordan.profile = agreements::Profile::EmailOnly;
        jordan.monitoring.level = agreements::MonitoringLevel::Categories;
        jordan.kind = agreements::PersonKind::Visitor;
        build.home.unknown_devices = agreements::UnknownDevices::Block;
        build.home.everyone.safe_search = agreements::SafeSearch::Moderate;
        let education = crate::build::word("news");
        build.home.baseline.words.push(agreements::Ruling {
            word: education,
            ruled: Outcome::Ask,
            source: line,
        });
    });
    let told = diff(&home(|_| {}), &new, date("2026-11-23"));
    let words =
        |words: &[agreements::WordChange]| -> Vec<String> { words.iter().map(|w| w.word.clone()).collect() };
    let jordan = &told.people[0];
    assert_eq!(words(&jordan.words.sites), ["=a.example"]);
    assert_eq!(words(&jordan.words.services), ["tiktok"]);
    assert_eq!(words(&jordan.words.categories), ["dating"]);
    assert_eq!(words(&told.baseline.categories), ["news"]);
    let said = |settings: &[agreements::SettingChange]| -> Vec<String> {
        settings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        said(&jordan.settings),
        [
            "for: young person → visitor",
            "monitoring: breaches → categories",
            "profile: agreement → email_only",
            "school_hours: as_agreed → education_only",
        ]
    );
    assert_eq!(said(&told.settings), ["safe_search: off → moderate", "unknown_devices: sign_in → block"]);
    // No word of the program's own stands in what a manager or a script reads.
    let all = format!("{told}{}", serde_json::to_string(&told).unwrap());
    for own in ["EducationOnly", "WithStaff", "EmailOnly", "SignIn", "YoungPerson", "Service("] {
        assert!(!all.contains(own), "{own}: {all}");
    }
}
