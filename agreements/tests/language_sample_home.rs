//! The sample home that a manager starts from: it loads as it stands.

#![allow(clippy::disallowed_methods, reason = "the sample is files")]

use agreements::read;
use std::path::Path;

/// Every text file of a folder, by its path inside it.
fn files(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            files(root, &path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let inside = path.strip_prefix(root).expect("it is inside").to_string_lossy().into_owned();
            found.push((inside, text));
        }
    }
}

#[test]
fn the_sample_home_has_no_problems_and_nobody_is_on_a_draft() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sample-home");
    let mut found = Vec::new();
    files(&root, &root, &mut found);
    // Between its agreements' dates and their reviews.
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date");
    let reading = read(&found, today);
    let problems: Vec<String> = reading
        .problems
        .iter()
        // Robin's phone shows what a private address is like.
        .filter(|p| p.code != "random-mac")
        .map(|p| format!("{}:{}:{} {} {}", p.file, p.line, p.column, p.sentence, p.help))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(reading.gateway.is_some());
    let people = &reading.house.home().people;
    assert!(people.len() >= 5, "three young people, staff and the lounge: {}", people.len());
    assert!(people.iter().all(|p| p.draft.is_none()));
}
