//! What the documents, units and recipes tell people to type exists: each command, and each of its options.

use crate::home::{gave, program};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The program's commands in a line that stands in code: after a backtick or four spaces, or where a unit or a script
/// begins it.
fn commands(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("hearthgate ").filter(|(at, _)| {
        let before = &line[..*at];
        let before = before.strip_suffix("sudo ").unwrap_or(before);
        before.ends_with('`') || before == "    " || before.ends_with("/bin/")
    });
    let words = |(at, _): (usize, &str)| {
        let text = line[at + "hearthgate ".len()..].split(['`', '#']).next().unwrap_or_default();
        // What stands after two spaces says what the command does.
        let text = text.split("  ").next().unwrap_or_default();
        text.split_whitespace().map(|word| word.trim_end_matches([',', ';', '.']).to_owned()).collect()
    };
    starts.map(words).filter(|words: &Vec<String>| words.first().is_some_and(|word| is_word(word))).collect()
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// Every document and recipe.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["", "docs", "deploy", "deploy/try", "deploy/openwrt"];
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let ends = |end: &str| path.to_string_lossy().ends_with(end);
            path.is_file()
                && [".md", ".service", ".conf", ".init", "Dockerfile", ".yaml"].iter().any(|end| ends(end))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_command_and_option_that_is_written_down_exists() {
    let mut helps: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut help = |words: &[String]| {
        let key: Vec<String> = words.to_vec();
        let made = || {
            let gave = gave(program().args(words).arg("--help"));
            assert_eq!(gave.code, 0, "hearthgate {}: {}", words.join(" "), gave.err);
            gave.out
        };
        helps.entry(key).or_insert_with(made).clone()
    };
    let mut held = 0;
    for path in documents() {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            for words in commands(line) {
                let mut deepest = help(&words[..1]);
                if deepest.contains("\nCommands:\n") && words.get(1).is_some_and(|word| is_word(word)) {
                    deepest = help(&words[..2]);
                }
                for option in words.iter().filter(|word| word.starts_with("--")) {
                    let option = option.split('=').next().unwrap();
                    let place = format!("{}:{}", path.display(), number + 1);
                    assert!(deepest.contains(option), "{place}: `{}` has no {option}", words.join(" "));
                }
                held += 1;
            }
        }
    }
    assert!(held > 60, "the documents name commands: {held}");
}

#[test]
fn commands_are_found_where_they_stand_in_code_and_nowhere_else() {
    for (line, found) in [
        ("`sudo hearthgate router off` undoes it", vec!["router off"]),
        ("    hearthgate ca --renew                  # another one", vec!["ca --renew"]),
        ("    sudo hearthgate pin jo --fresh      one is made", vec!["pin jo --fresh"]),
        (
            "ExecStart=/usr/local/bin/hearthgate run --home /etc/hearthgate",
            vec!["run --home /etc/hearthgate"],
        ),
        ("`hearthgate check`, then `hearthgate status`.", vec!["check", "status"]),
        ("what hearthgate does", vec![]),
    ] {
        let joined: Vec<String> = commands(line).iter().map(|words| words.join(" ")).collect();
        assert_eq!(joined, found, "{line}");
    }
}
