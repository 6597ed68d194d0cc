//! Every example of the language's page (docs/agreements.md) loads as it stands there.

#![allow(clippy::disallowed_methods, reason = "the page is a file")]

use agreements::{Level, read};

/// The page's blocks of YAML: what each is an example of, its first line, its text.
fn blocks(page: &str) -> Vec<(String, usize, String)> {
    let mut blocks: Vec<(String, usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(kind) if !open && kind.starts_with("yaml ") => {
                blocks.push((kind["yaml ".len()..].to_owned(), number + 2, String::new()));
                open = true;
            }
            Some(_) => open = false,
            None => {
                if let Some((_, _, text)) = blocks.last_mut().filter(|_| open) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    blocks
}

/// The codes of the errors in a block, read as the kind of file that it is a part of.
fn errors(kind: &str, text: &str) -> Vec<String> {
    let (path, text) = match kind {
        "home" => ("home.yaml", text.to_owned()),
        "gateway" => ("gateway.yaml", text.to_owned()),
        "whole" => ("agreements/jordan.yaml", text.to_owned()),
        "device" => ("agreements/lounge.yaml", text.to_owned()),
        // A part of an agreement, with a name and, for the profile's own words, nothing else.
        _ => ("agreements/jordan.yaml", format!("{text}person: Jordan\n")),
    };
    let mut files = vec![(path.to_owned(), text)];
    if path != "home.yaml" {
        files.push(("home.yaml".to_owned(), "home: Oakview House\n".to_owned()));
    }
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date");
    let problems = read(&files, today).problems;
    let errors = problems.iter().filter(|p| p.level == Level::Error);
    errors.map(|p| format!("{} {}: {}", p.code, p.text.trim(), p.sentence)).collect()
}

#[test]
fn every_example_loads_and_the_one_that_is_refused_is_refused() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/agreements.md");
    let page = std::fs::read_to_string(page).expect("the language's page");
    let blocks = blocks(&page);
    let mut refused = Vec::new();
    for (kind, line, text) in &blocks {
        let errors = errors(kind, text);
        if text.contains("sun-tue") {
            refused = errors;
        } else {
            assert!(errors.is_empty(), "docs/agreements.md, line {line}: {errors:#?}");
        }
    }
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("equal-rank-days sun-tue"), "{refused:?}");
    assert!(blocks.len() >= 11, "only {} examples were found", blocks.len());
}
