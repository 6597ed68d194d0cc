//! Bad files and what each gets: `bad_files.txt`, one case after another.

use agreements::{Draft, Level, Reading, read};
use chrono::NaiveDate;
use std::fmt::Write as _;

const SIGNED: &str = "agreed: {risk_assessment: {ref: R1, on: 2026-10-01}, review_by: 2027-06-30, \
     young_person: {on: 2026-10-01, view: Fine}, social_worker: {name: A, authority: B, on: 2026-10-01}, \
     home_manager: {name: C, on: 2026-10-01}}";
const HOME: &str = "\
home: Oakview House
school:
  hours: {mon-fri: 09:00-15:15}
  terms: [2026-09-02..2026-10-23, 2026-11-02..2026-12-18]
everyone: {block: [pornography, malware, circumvention], safe_search: strict}
protected: {support: [oakviewhouse.example], private_mail: [mail.oakview.example]}
lists:
  - {from: lists/all.tar.gz, categories: {a: pornography, b: malware, c: gambling, d: violence, e: games}}
";
const GATEWAY: &str = "listen: {dns: [\"127.0.0.1:0\"]}\nupstream: [\"udp://127.0.0.1:5301\"]\n";

/// A case of the table.
struct Case {
    title: String,
    files: Vec<(String, String)>,
    /// File, level, code and place of each problem; and the words that must be told.
    expected: Vec<(String, String)>,
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

fn spelt(line: &str) -> String {
    [
        ("<signed>", SIGNED),
        ("<tab>", "\t"),
        ("<nbsp>", "\u{a0}"),
        ("<nul>", "\0"),
        ("<bom>", "\u{feff}"),
        ("<cr>", "\r"),
        ("<zwsp>", "\u{200b}"),
    ]
    .iter()
    .fold(line.to_owned(), |text, (mark, meant)| text.replace(mark, meant))
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("bad_files.txt").lines() {
        if let Some(title) = line.strip_prefix("== ") {
            cases.push(Case { title: title.to_owned(), files: Vec::new(), expected: Vec::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(path) = line.strip_prefix("-- ") {
            case.files.push((path.to_owned(), String::new()));
        } else if let Some(told) = line.strip_prefix("=> ") {
            let (head, words) = told.split_once(" | ").expect("words after a bar");
            let file = &case.files.last().expect("a file before what it gets").0;
            case.expected.push((format!("{file} {head}"), words.to_owned()));
        } else if let Some((_, text)) = case.files.last_mut() {
            text.push_str(&spelt(line));
            text.push('\n');
        }
    }
    cases
}

/// Reads a case with a good home and network around it.
fn reading(case: &Case) -> Reading {
    let mut files = case.files.clone();
    for (path, text) in [("home.yaml", HOME), ("gateway.yaml", GATEWAY)] {
        if !files.iter().any(|(p, _)| p == path) {
            files.push((path.to_owned(), text.to_owned()));
        }
    }
    read(&files, today())
}

#[test]
fn every_bad_file_gets_what_the_table_says() {
    let mut wrong = String::new();
    let cases = cases();
    for case in &cases {
        let reading = reading(case);
        let told: Vec<String> = reading
            .problems
            .iter()
            .map(|p| format!("{} {} {} {}:{}", p.file, level(p.level), p.code, p.line, p.column))
            .collect();
        let expected: Vec<&str> = case.expected.iter().map(|(head, _)| head.as_str()).collect();
        if told != expected {
            let _ = writeln!(wrong, "{}\n  told     {told:#?}\n  expected {expected:#?}", case.title);
            continue;
        }
        for (problem, (_, words)) in reading.problems.iter().zip(&case.expected) {
            let said = format!("{} {}", problem.sentence, problem.help);
            if !said.contains(words.as_str()) {
                let _ = writeln!(wrong, "{}: `{words}` is not in `{said}`", case.title);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(cases.len(), 144, "the table lost cases, or grew: count them");
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

#[test]
fn every_problem_quotes_its_line_and_speaks_plainly() {
    for case in cases() {
        for problem in reading(&case).problems {
            let text = case
                .files
                .iter()
                .find(|(path, _)| *path == problem.file)
                .map_or("", |(_, text)| text.as_str());
            let line = text
                .trim_start_matches('\u{feff}')
                .lines()
                .nth(problem.line as usize - 1)
                .unwrap_or_default();
            assert_eq!(problem.text, line, "{}", case.title);
            // A file may be read past its last line: a value that was left out stands there.
            assert!(
                problem.column as usize <= line.chars().count() + 1,
                "{}: column {}",
                case.title,
                problem.column
            );
            assert!(problem.sentence.ends_with(['.', '?']), "{}: {}", case.title, problem.sentence);
            for jargon in
                ["mapping", " sequence", "scalar", "serde", "parse", "expected", "Option", "EOF", "token `"]
            {
                let own = problem.sentence.contains("is expected");
                assert!(own || !problem.sentence.contains(jargon), "{}: {}", case.title, problem.sentence);
            }
        }
    }
}

#[test]
fn an_error_refuses_the_file_and_a_warning_does_not() {
    let mut refused = 0;
    for case in cases() {
        let reading = reading(&case);
        let home_broken = reading.problems.iter().any(|p| p.level == Level::Error && p.file == "home.yaml");
        for person in &reading.house.home().people {
            let file = format!("agreements/{}.yaml", person.id);
            let errors = reading.problems.iter().any(|p| p.level == Level::Error && p.file == file);
            let misnamed = !case.files.iter().any(|(path, _)| *path == file);
            let unusable = match person.draft {
                Some(Draft::HomeUnusable) => home_broken,
                Some(Draft::Unusable) => (errors || misnamed) && !home_broken,
                Some(Draft::Missing(_)) | None => !errors && !misnamed && !home_broken,
                // No file says so.
                Some(Draft::NoRecords) => false,
            };
            assert!(unusable, "{}: {:?}", case.title, person.draft);
            refused += usize::from(errors);
        }
        let network = reading.problems.iter().any(|p| p.level == Level::Error && p.file == "gateway.yaml");
        assert_eq!(reading.gateway.is_none(), network, "{}", case.title);
    }
    assert!(refused > 60, "only {refused} files were refused");
}
