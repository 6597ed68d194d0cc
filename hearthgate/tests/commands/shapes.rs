//! The shapes of docs/program.md, held against what the program answers: keys that scripts read, and nothing else.

use crate::home::{Gateway, Home, wait_for};
use serde_json::Value;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/program.md");

/// The text of a fenced block of the page.
fn block(head: &str) -> &'static str {
    let from = PAGE.split(&format!("```{head}\n")).nth(1).unwrap_or_else(|| panic!("no block `{head}`"));
    from.split("\n```").next().unwrap()
}

/// Every key, by its path. Arrays are known by their first member; an empty one says nothing of its members.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            let path = format!("{path}.{key}");
            keys(value, &path, found);
            found.insert(path);
        }
    } else if let Some(first) = value.as_array().and_then(|all| all.first()) {
        keys(first, &format!("{path}[]"), found);
    }
}

fn shape(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    keys(value, "", &mut found);
    found
}

#[test]
fn the_page_has_the_shapes_that_the_program_answers() {
    let home = Home::new();
    let gateway = Gateway::start(&home, "2026-11-21T16:00");
    gateway.get(&home, "proxy", "http://casino.example/", "text/html");
    wait_for("the episode", || home.run("breaches list --json").json().get(0).map(|_| ()));
    let out = home.path().join("report.csv");
    assert_eq!(
        home.run(&format!("breaches export --for Ofsted --purpose review --out {}", out.display())).code,
        0
    );
    let manifest = std::fs::read_to_string(home.path().join("report.csv.manifest.json")).unwrap();
    let mut checked = 0;
    for (name, answer) in [
        ("status", home.run("status --json").json()),
        ("minutes", home.run("minutes jo --json").json()),
        ("lookup", home.run("lists lookup casino.example --json").json()),
        ("breaches", home.run("breaches list --json").json()),
        ("verify", home.run("breaches verify --json").json()),
        ("manifest", serde_json::from_str(&manifest).unwrap()),
    ] {
        let written: Value = serde_json::from_str(block(&format!("json {name}"))).unwrap();
        assert_eq!(shape(&written), shape(&answer), "{name}: {answer}");
        checked += shape(&answer).len();
    }
    assert!(checked > 80, "only {checked} keys were compared");

    let scraped = gateway.get(&home, "metrics", "/metrics", "*/*");
    let told = |line: &str| line.strip_prefix("# TYPE ").and_then(|l| l.split(' ').next()).map(str::to_owned);
    let told: BTreeSet<String> = scraped.lines().filter_map(told).collect();
    let written: BTreeSet<String> = block("text metrics").split_whitespace().map(str::to_owned).collect();
    assert_eq!(written, told);
}
