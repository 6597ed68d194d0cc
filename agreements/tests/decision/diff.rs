//! What a change of the files gives and takes, over a year.

use crate::build::{Build, date, days, windows, word};
use agreements::*;

fn home(change: impl FnOnce(&mut Build)) -> House {
    let mut build = Build::new();
    build.floor("malware, gambling");
    build
        .person("jordan")
        .online("every_day", "09:00-21:00")
        .limit("games", "every_day 60")
        .limit("social_networks", "every_day 30")
        .words(Outcome::Allow, "bbc.example")
        .words(Outcome::Block, "games");
    change(&mut build);
    build.house()
}

fn changed(change: impl FnOnce(&mut Build)) -> Diff {
    diff(&home(|_| {}), &home(change), date("2026-11-23"))
}

/// `word: old → new` for each.
fn said(words: &[WordChange]) -> Vec<String> {
    words.iter().map(|w| format!("{}: {} → {}", w.what, w.old.word(), w.new.word())).collect()
}

fn of<'a>(told: &'a Diff, id: &str) -> &'a PersonDiff {
    told.people.iter().find(|p| p.person == id).unwrap_or_else(|| panic!("nothing of {id}: {told:#?}"))
}

#[test]
fn nothing_changes_where_nothing_was_changed() {
    assert!(changed(|_| {}).is_empty());
}

#[test]
fn minutes_are_those_of_a_year() {
    let told = changed(|build| {
        let sat = build.line("agreements/jordan.yaml", "sat: 10:00-23:00");
        let jordan = &mut build.home.people[0];
        jordan.online.entries.push((days("sat"), windows("10:00-23:00"), sat));
        jordan.online.entries.push((days("2027-06-01"), windows("09:00-22:00"), sat));
        jordan.limits[0].minutes.entries.push((days("sun"), 90, sat));
        jordan.limits[1].minutes.entries.push((days("sun"), 20, sat));
    });
    let jordan = of(&told, "jordan");
    let minutes: Vec<_> =
        jordan.minutes.iter().map(|m| (m.days.as_str(), m.count, m.old, m.new, m.given, m.taken)).collect();
    assert_eq!(minutes, [("every Sat", 52, 720, 780, 120, 60), ("Tue 1 Jun 2027", 1, 720, 780, 60, 0)]);
    let limits: Vec<_> =
        jordan.limits.iter().map(|l| (l.of.as_str(), l.days.as_str(), l.old, l.new, l.which)).collect();
    let expected = [
        ("games", "every Sun", Some(60), Some(90), Which::Gives),
        ("social_networks", "every Sun", Some(30), Some(20), Which::Takes),
    ];
    assert_eq!(limits, expected, "keys as the language writes them");
    assert!(jordan.limits.iter().any(|l| l.title == "social media"), "and as people say them: {limits:?}");
    assert_eq!(told.people.len(), 1, "nothing for anybody else: {told:#?}");
}

#[test]
fn a_window_that_moves_gives_and_takes_although_the_day_is_as_long() {
    let told = changed(|build| {
        let line = build.line("agreements/jordan.yaml", "every_day: 10:00-22:00");
        build.home.people[0].online.entries[0] = (days("every_day"), windows("10:00-22:00"), line);
    });
    let [all] = &of(&told, "jordan").minutes[..] else { panic!("one group: {told:#?}") };
    assert_eq!((all.old, all.new, all.given, all.taken), (720, 720, 60, 60));
    assert_eq!((all.days.as_str(), all.count), ("every day", 366));
}

#[test]
fn what_is_told_of_a_word_is_what_the_decision_says() {
    let told = changed(|build| {
        build.home.everyone.block.pop();
        build.floor("malware, closed.example");
        let line = build.line("agreements/jordan.yaml", "allow: [closed.example, tiktok]");
        let jordan = &mut build.home.people[0];
        jordan.words.retain(|r| r.word != word("games"));
        jordan.words[0].ruled = Outcome::Ask;
        for (text, ruled) in [
            ("closed.example", Outcome::Allow),
            ("=www.bbc.example", Outcome::Block),
            ("news.example/forum", Outcome::Block),
            ("tiktok", Outcome::WithStaff),
        ] {
            jordan.words.push(Ruling { word: word(text), ruled, source: line });
        }
    });
    let jordan = of(&told, "jordan");
    assert_eq!(
        said(&jordan.sites),
        [
            "bbc.example: allow → ask",
            // A word that opens it changes nothing: the floor closes it.
            "closed.example: allow → block",
            "news.example/forum: allow → block",
            "=www.bbc.example: allow → block",
        ]
    );
    assert_eq!(said(&jordan.services), ["tiktok: allow → with_staff"]);
    assert_eq!(said(&jordan.categories), ["gambling: block → allow", "games: block → allow"]);
    assert!(jordan.sites.iter().all(|w| w.which == Which::Takes));
    assert!(jordan.categories.iter().all(|w| w.which == Which::Gives));
    let floor = &told.home[0];
    assert_eq!((floor.what, floor.old.as_deref()), ("everyone block", Some("gambling, malware")));
}

#[test]
fn what_goes_with_the_rest_is_told_once() {
    let told = changed(|build| {
        let jordan = &mut build.home.people[0];
        jordan.otherwise = Outcome::Block;
        jordan.words.retain(|r| r.word != word("games"));
    });
    let jordan = of(&told, "jordan");
    let otherwise = jordan.otherwise.as_ref().map(|w| (w.old, w.new, w.which));
    assert_eq!(otherwise, Some((Outcome::Allow, Outcome::Block, Which::Takes)));
    assert_eq!(said(&jordan.categories), [""; 0], "games were and stay closed; what else closed is the rest");
    assert_eq!(said(&jordan.services), [""; 0]);
}

#[test]
fn who_comes_and_who_goes_is_held_against_everybody_else() {
    let with_sam = home(|build| drop(build.person("sam").online("every_day", "all_day")));
    let from = date("2026-11-23");
    let came = diff(&home(|_| {}), &with_sam, from);
    let sam = of(&came, "sam");
    assert_eq!((sam.how, sam.minutes[0].new, sam.minutes[0].taken), (Presence::Added, 1440, 0));
    let went = diff(&with_sam, &home(|_| {}), from);
    let sam = of(&went, "sam");
    assert_eq!((sam.how, sam.minutes[0].old, sam.minutes[0].given), (Presence::Removed, 1440, 0));
}

#[test]
fn a_baseline_is_everybody_elses_agreement() {
    let told = changed(|build| {
        let line = build.line("home.yaml", "ask: [news]");
        build.home.baseline.words.push(Ruling { word: word("news"), ruled: Outcome::Ask, source: line });
    });
    let else_ = of(&told, "baseline");
    assert_eq!((else_.name.as_str(), else_.how), ("Everybody else", Presence::Changed));
    assert_eq!(else_.categories.iter().map(|w| w.what.as_str()).collect::<Vec<_>>(), ["news"]);
}

#[test]
fn settings_are_told_in_the_languages_words() {
    let told = changed(|build| {
        let jordan = &mut build.home.people[0];
        jordan.school_hours = SchoolHours::EducationOnly;
        jordan.profile = Profile::EmailOnly;
        jordan.monitoring.level = MonitoringLevel::Categories;
        jordan.kind = PersonKind::Visitor;
        build.home.unknown_devices = UnknownDevices::Block;
        build.home.everyone.safe_search = SafeSearch::Moderate;
    });
    let said = |settings: &[SettingChange]| -> Vec<String> {
        let side = |value: &Option<String>| value.clone().unwrap_or_default();
        settings.iter().map(|s| format!("{}: {} → {}", s.what, side(&s.old), side(&s.new))).collect()
    };
    assert_eq!(
        said(&of(&told, "jordan").settings),
        [
            "for: young person → visitor",
            "monitoring: breaches → categories",
            "profile: agreement → email_only",
            "school_hours: as_agreed → education_only",
        ]
    );
    assert_eq!(
        said(&told.home),
        ["everyone safe_search: off → moderate", "unknown_devices: baseline → block"]
    );
    // No word of the program's own stands in what a manager or a script reads.
    let all = serde_json::to_string(&told).unwrap();
    for own in ["EducationOnly", "WithStaff", "EmailOnly", "SignIn", "YoungPerson", "Service("] {
        assert!(!all.contains(own), "{own}: {all}");
    }
}
