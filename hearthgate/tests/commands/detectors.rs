//! The table of what is looked for, held against the tests that it names and the line that the documentation has for each.

use agreements::DETECTORS;
use std::fs;
use std::path::PathBuf;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const FOLDERS: [&str; 6] =
    ["agreements/src", "blocklists/src", "proxy/src", "proxy/tests", "hearthgate/src", "hearthgate/tests"];

/// Every Rust file of those folders, as one text.
fn sources() -> String {
    let mut folders: Vec<PathBuf> = FOLDERS.map(|folder| format!("{ROOT}/{folder}").into()).into();
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

/// A function's text: up to the brace that stands where its own line begins.
fn body<'s>(sources: &'s str, name: &str) -> &'s str {
    let head = format!("fn {name}()");
    let at = sources.find(&head).unwrap_or_else(|| panic!("no test `{name}`"));
    let indent = at - sources[..at].rfind('\n').map_or(0, |line| line + 1);
    let line = &sources[at - indent..at];
    let spaces = &line[..line.len() - line.trim_start().len()];
    let end = format!("\n{spaces}}}");
    sources[at..].split(&end).next().unwrap_or_default()
}

/// Whether a text has a word, and not only one that begins so (`Detector::Doh` is not `Detector::DohOfSomebody`).
fn names_it(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[at + word.len()..].starts_with(char::is_alphanumeric))
}

#[test]
fn every_detector_has_its_test_and_its_line_in_the_documentation() {
    let (sources, page) = (sources(), fs::read_to_string(format!("{ROOT}/docs/router.md")).unwrap());
    for row in DETECTORS {
        let (key, variant) = (format!("\"{}\"", row.key), format!("Detector::{:?}", row.detector));
        let test = body(&sources, row.test);
        let means_it = |text: &str| text.contains(&key) || names_it(text, &variant);
        assert!(means_it(test), "{}: the test `{}` says nothing of it:\n{test}", row.key, row.test);
        let weight = format!("{:?}", row.weight).to_lowercase();
        let line = format!("| `{}` | {} | {weight} |\n", row.key, row.sentence);
        assert!(page.contains(&line), "docs/router.md lacks this line:\n{line}");
    }
    assert_eq!(page.matches("\n| `").count(), DETECTORS.len(), "and has no other");
}
