//! Every example of the language's page loads as it stands.

use agreements::{Level, read};
use chrono::NaiveDate;

const PAGE: &str = include_str!("../../docs/agreements.md");
const AGREED: &str = "agreed:\n  risk_assessment: {ref: R, on: 2026-10-28}\n  review_by: 2027-06-30\n  young_person: {on: 2026-11-02, view: ok}\n  social_worker: {name: A, authority: B, on: 2026-11-02}\n  home_manager: {name: C, on: 2026-11-02}\n";
const HOME: &str = "home: Oakview House\ntimezone: Europe/London\nshifts: [07:30, 14:30, 21:30]\nschool:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n";

/// The page's blocks: what stands behind the opening fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    PAGE.split("\n```yaml ")
        .skip(1)
        .filter_map(|b| b.split_once('\n'))
        .map(|(kind, rest)| (kind, rest.split("```").next().unwrap()))
        .collect()
}

/// The errors that a block gives when it is put where it belongs.
fn errors(kind: &str, text: &str) -> Vec<String> {
    let mut files = vec![("home.yaml".to_owned(), HOME.to_owned())];
    match kind {
        "agreement" => {
            files.push(("agreements/jordan.yaml".into(), format!("person: Jordan\n{AGREED}{text}")))
        }
        "whole" => files.push(("agreements/jordan.yaml".into(), text.to_owned())),
        "home" => files[0].1 = text.to_owned(),
        "gateway" => files.push(("gateway.yaml".into(), text.to_owned())),
        other => panic!("the page has a block of kind `{other}`"),
    }
    let reading = read(&files, NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
    reading
        .problems
        .iter()
        .filter(|p| p.level == Level::Error)
        .map(|p| format!("{}:{}: {}", p.file, p.line, p.sentence))
        .collect()
}

#[test]
fn every_example_loads() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 11);
    for (kind, text) in blocks {
        let errors = errors(kind, text);
        if text.contains("mon, wed: ") {
            // The page shows it as the one that is refused.
            assert_eq!(errors.len(), 1, "{errors:?}");
        } else {
            assert_eq!(errors, Vec::<String>::new(), "{text}");
        }
    }
}
