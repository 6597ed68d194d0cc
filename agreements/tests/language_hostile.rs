//! Hostile and damaged files: a problem report, never a crash, never a slow start.

#![allow(clippy::disallowed_methods, reason = "a hostile file must not take long")]

use agreements::{Draft, Level, Problem, Reading, read};
use chrono::NaiveDate;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const HOME: &str = include_str!("blocks/oakview/home.yaml");
const GATEWAY: &str = include_str!("blocks/oakview/gateway.yaml");
const JORDAN: &str = include_str!("blocks/oakview/agreements/jordan.yaml");
const TERMS: &str = include_str!("blocks/terms.ics");

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

fn read_all(files: &[(&str, &str)]) -> Reading {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    read(&files, today())
}

fn with_jordan(text: &str) -> Reading {
    read_all(&[("home.yaml", HOME), ("gateway.yaml", GATEWAY), ("agreements/jordan.yaml", text)])
}

/// Nine anchors, each ten times the one before.
fn laughs() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 {
        let before = format!("*a{}", i - 1);
        text.push_str(&format!("a{i}: &a{i} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    text
}

#[test]
fn hostile_files_are_told_and_are_told_fast() {
    let wide = format!("person: Jordan\nblock: [{}]\n", "gambling, ".repeat(100_000));
    let keys: String = (0..30_000).map(|i| format!("k{i}: 1\n")).collect();
    let days: String = (0..5000).map(|i| format!("  d{i}: never\n")).collect();
    let dates: String = (0..700)
        .map(|i| {
            format!(
                "  20{:02}-01-{:02}..20{:02}-01-{:02}: never\n",
                i / 28 + 10,
                i % 28 + 1,
                i / 28 + 10,
                i % 28 + 1
            )
        })
        .collect();
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("ten thousand opening brackets", format!("person: {}", "[".repeat(10_000)), &["too-deep"]),
        ("ten thousand opening braces", format!("person: {}", "{a: ".repeat(10_000)), &["too-deep"]),
        (
            "ten thousand levels of indentation",
            (0..10_000).map(|i| format!("{}a:\n", " ".repeat(i % 900))).collect(),
            &[],
        ),
        ("a list of lists by dashes", format!("{}x", "- ".repeat(10_000)), &["too-deep"]),
        ("a billion laughs", laughs(), &["too-big"]),
        ("two megabytes of text", format!("person: {}", "x".repeat(2 << 20)), &["too-big"]),
        ("a megabyte of comments", "# nothing\n".repeat(100_000), &["empty-file"]),
        ("a megabyte of spaces", " ".repeat(1 << 20), &["empty-file"]),
        ("a megabyte of line ends", "\n".repeat(1 << 20), &["empty-file"]),
        ("a megabyte of tabs", "\t".repeat(1 << 20), &[]),
        ("a megabyte of question marks", "? ".repeat(500_000), &[]),
        ("a megabyte of quotation marks", "\"".repeat(1 << 20), &[]),
        ("a megabyte of anchors", "&a ".repeat(300_000), &[]),
        ("a megabyte of zeros", "\0".repeat(1 << 20), &["hidden-character"]),
        ("one word a hundred thousand times", wide, &["too-big"]),
        ("thirty thousand keys", keys, &["too-big"]),
        ("five thousand days that are none", format!("online:\n{days}"), &["too-many", "missing-key"]),
        ("seven hundred ranges of dates", format!("person: Jordan\nonline:\n{dates}"), &[]),
        ("a merge key", "person: Jordan\n<<: {for: staff}\n".to_owned(), &["unknown-key"]),
        ("directives", "%YAML 1.2\n%TAG ! tag:example.test,2026:\n---\nperson: Jordan\n".to_owned(), &[]),
        (
            "an anchor used before it stands",
            "person: *jordan\nfor: &jordan staff\n".to_owned(),
            &["bad-character"],
        ),
        ("a very long key", format!("{}: 1\n", "k".repeat(100_000)), &[]),
        ("a very long site", format!("person: J\nblock: [{}example]\n", "a.".repeat(100_000)), &["bad-site"]),
        (
            "a very long path",
            format!("person: J\nblock: [a.example/{}]\n", "a/".repeat(100_000)),
            &["bad-site"],
        ),
        (
            "numbers beyond every width",
            "limits: {games: 99999999999999999999h}\n".to_owned(),
            &["bad-duration"],
        ),
        ("a window of many digits", "online: 00000000000000000007:00-21:00\n".to_owned(), &["bad-time"]),
        (
            "letters that are not ASCII everywhere",
            "pérson: Zoë\nonline: ٠٧:٠٠-21:00\ndevices: [{name: ü, mac: \"3ç:06:30:11:22:33\"}]\n".to_owned(),
            &["unknown-key", "missing-key", "bad-time", "bad-mac"],
        ),
    ];
    for (what, text, codes) in &cases {
        let start = Instant::now();
        let reading = with_jordan(text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{what} took {took:?}");
        let own: Vec<_> = reading.problems.iter().filter(|p| p.file == "agreements/jordan.yaml").collect();
        assert!(!own.is_empty() && own.len() <= 200, "{what}: {} problems", own.len());
        for code in *codes {
            assert!(
                own.iter().any(|p| p.code == *code),
                "{what}: no {code} in {:?}",
                own.iter().map(|p| p.code).collect::<Vec<_>>()
            );
        }
        // Whatever the file, the person is there, and others are untouched.
        assert_eq!(reading.house.home().people.len(), 1, "{what}");
        assert!(reading.gateway.is_some(), "{what}");
    }
    assert_eq!(cases.len(), 27);
}

#[test]
fn a_hostile_home_or_network_leaves_the_baseline_and_no_gateway() {
    let start = Instant::now();
    let reading = read_all(&[
        ("home.yaml", &laughs()),
        ("gateway.yaml", &"[".repeat(10_000)),
        ("agreements/jordan.yaml", JORDAN),
    ]);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(reading.house.home().people[0].draft, Some(Draft::HomeUnusable));
    assert!(reading.gateway.is_none());
}

#[test]
fn thousands_of_files_are_read_and_the_rest_is_told() {
    let files: Vec<(String, String)> = (0..20_100)
        .map(|i| (format!("agreements/p{i}.yaml"), format!("person: P{i}\nfor: staff\notherwise: allow\n")))
        .collect();
    let reading = read(&files, today());
    assert_eq!(reading.house.home().people.len(), 20_000);
    assert_eq!(reading.problems.iter().filter(|p| p.code == "too-many").count(), 100);
}

#[test]
fn what_an_editor_begins_a_file_with_moves_nothing() {
    let home = "home: Oakview House\nschool: {calendar: terms.ics}\n";
    let told = |home: &str, calendar: &[(&str, &str)]| {
        let reading = read_all(&[&[("home.yaml", home)], calendar].concat());
        let place = |p: Problem| (p.code, p.file, p.line, p.column, p.text);
        reading.problems.into_iter().map(place).collect::<Vec<_>>()
    };
    let marked = |text: &str| format!("\u{feff}{text}");
    for calendar in [
        "Easter\n",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Holiday\nDTSTART:never\nEND:VEVENT\nEND:VCALENDAR\n",
    ] {
        let plain = told(home, &[("terms.ics", calendar)]);
        assert!(plain.iter().any(|place| place.1 == "terms.ics"), "{plain:?}");
        assert_eq!(told(home, &[("terms.ics", &marked(calendar))]), plain);
    }
    let plain = told(home, &[]);
    assert!(plain.iter().any(|place| place.0 == "no-calendar"), "{plain:?}");
    assert_eq!(told(&marked(home), &[]), plain);
}

#[test]
fn a_hostile_calendar_is_told_fast() {
    let event = |inner: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Bank holiday\n{inner}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    for (what, calendar) in [
        ("nested without end", format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\n".repeat(70_000))),
        ("nested components", format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\n".repeat(100_000))),
        ("every second for ever", event("DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY")),
        (
            "a day that never comes",
            event("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        ),
        (
            "a Tuesday that never comes",
            event("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU"),
        ),
        ("a sixth Monday", event("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=MONTHLY;BYDAY=6MO")),
        ("ten thousand years", event("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99991231")),
        ("an interval of nothing", event("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;INTERVAL=0")),
        (
            "many that repeat",
            format!(
                "BEGIN:VCALENDAR\n{}",
                "BEGIN:VEVENT\nSUMMARY:Holiday\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY\nEND:VEVENT\n"
                    .repeat(2000)
            ),
        ),
        ("two megabytes", format!("BEGIN:VCALENDAR\n{}", "X".repeat(2 << 20))),
        (
            "one folded line",
            format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Holiday\n{}", " x\n".repeat(300_000)),
        ),
    ] {
        let home = "home: Oakview House\nschool: {calendar: terms.ics}\n";
        let start = Instant::now();
        let reading = read_all(&[("home.yaml", home), ("terms.ics", &calendar)]);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{what} took {took:?}");
        assert!(reading.house.home().school.days_off.len() < 3000, "{what}");
        assert!(
            reading.problems.iter().all(|p| p.file != "terms.ics" || p.level == Level::Warning),
            "{what}"
        );
    }
}

/// What a stroke of bad luck does to a text.
#[derive(Clone, Debug)]
enum Damage {
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, String),
    Copy(prop::sample::Index, prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = prop_oneof![
        Just("\t"),
        Just("\n"),
        Just("- "),
        Just(": "),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just("\""),
        Just("'"),
        Just("&a "),
        Just("*a"),
        Just("!x "),
        Just("|\n"),
        Just(">"),
        Just("#"),
        Just("%"),
        Just("---\n"),
        Just("é"),
        Just("\u{0}"),
        Just("\u{feff}"),
        Just(".."),
        Just("="),
        Just("/"),
        Just("99999999999"),
        Just("-1"),
        Just("\r"),
        Just("🙂"),
        Just("24:00"),
    ]
    .prop_map(str::to_owned);
    prop_oneof![
        (any::<prop::sample::Index>(), 1usize..30).prop_map(|(at, n)| Damage::Remove(at, n)),
        (any::<prop::sample::Index>(), piece).prop_map(|(at, text)| Damage::Insert(at, text)),
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1usize..60)
            .prop_map(|(a, b, n)| Damage::Copy(a, b, n)),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match damage {
            Damage::Remove(at, n) => {
                let at = at.index(length);
                bytes.drain(at..(at + n).min(length));
            }
            Damage::Insert(at, piece) => {
                let at = at.index(length);
                bytes.splice(at..at, piece.bytes());
            }
            Damage::Copy(from, to, n) => {
                let from = from.index(length);
                let piece = bytes[from..(from + n).min(length)].to_vec();
                let to = to.index(length);
                bytes.splice(to..to, piece);
            }
            Damage::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever happens to the files, reading them ends, and every problem stands at a place that is there.
    #[test]
    fn damaged_files_never_panic(
        which in 0usize..4,
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let mut files = vec![
            ("home.yaml".to_owned(), HOME.to_owned()),
            ("gateway.yaml".to_owned(), GATEWAY.to_owned()),
            ("agreements/jordan.yaml".to_owned(), JORDAN.to_owned()),
            ("terms.ics".to_owned(), TERMS.to_owned()),
        ];
        files[which].1 = damaged(&files[which].1, &damages);
        let reading = read(&files, today());
        prop_assert_eq!(reading.house.home().people.len(), 1);
        for problem in &reading.problems {
            let text = files.iter().find(|(path, _)| *path == problem.file).map_or("", |(_, text)| text.as_str());
            let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
            let line = text.split('\n').nth(problem.line as usize - 1);
            prop_assert_eq!(Some(problem.text.as_str()), line, "{:?}", problem);
            prop_assert!(problem.column >= 1 && problem.column as usize <= problem.text.chars().count() + 1, "{:?}", problem);
            if let Some(other) = &problem.other {
                prop_assert!(other.line >= 1 && other.column >= 1);
            }
        }
        let broken = reading.problems.iter().any(|p| p.level == Level::Error && p.file != "gateway.yaml");
        let draft = &reading.house.home().people[0].draft;
        prop_assert_eq!(broken, matches!(draft, Some(Draft::Unusable | Draft::HomeUnusable)));
    }
}
