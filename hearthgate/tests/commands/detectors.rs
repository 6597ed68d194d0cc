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

#[test]
fn every_detector_has_its_test_and_its_line_in_the_documentation() {
    let (sources, page) = (sources(), fs::read_to_string(format!("{ROOT}/docs/router.md")).unwrap());
    for row in DETECTORS {
        assert!(sources.contains(&format!("fn {}()", row.test)), "{}: no test `{}`", row.key, row.test);
        let weight = format!("{:?}", row.weight).to_lowercase();
        let line = format!("| `{}` | {} | {weight} |\n", row.key, row.sentence);
        assert!(page.contains(&line), "docs/router.md lacks this line:\n{line}");
    }
    assert_eq!(page.matches("\n| `").count(), DETECTORS.len(), "and has no other");
}
