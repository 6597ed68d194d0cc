//! Problems of the home's files, as a person reads them: the line, a caret under the place, a sentence, what would be right.

use crate::terminal::{Ink, Paint, counted};
use agreements::{Level, Problem};
use std::fmt::Write;

/// A line longer than this is shown only around the place.
const WIDEST: usize = 100;

/// One problem in several lines.
pub(crate) fn problem(problem: &Problem, paint: Paint) -> String {
    let (word, ink) = match problem.level {
        Level::Error => ("error", Ink::Bad),
        Level::Warning => ("warning", Ink::Careful),
    };
    let mut told = format!(
        "{}: {}\n  {}\n",
        paint.ink(ink, word),
        problem.sentence,
        paint.ink(Ink::Quiet, &format!("{}:{}:{}", problem.file, problem.line, problem.column)),
    );
    if !problem.text.trim().is_empty() {
        told.push_str(&shown(problem, ink, paint));
    }
    if let Some(other) = &problem.other {
        let _ = writeln!(told, "  see also {}:{}:{}", other.file, other.line, other.column);
    }
    if !problem.help.is_empty() {
        let _ = writeln!(told, "  {} {}", paint.ink(Ink::Good, "help:"), problem.help);
    }
    told
}

/// The line with its number, and the caret.
fn shown(problem: &Problem, ink: Ink, paint: Paint) -> String {
    let number = problem.line.to_string();
    let margin = " ".repeat(number.len());
    let (text, before) = excerpt(&problem.text, problem.column as usize - usize::from(problem.column > 0));
    format!("  {margin} |\n  {number} | {text}\n  {margin} | {}{}\n", " ".repeat(before), paint.ink(ink, "^"),)
}

/// At most [`WIDEST`] characters of a line around a column (from 0), with control characters made harmless, and where
/// the column is in it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let harmless = |c: char| if c.is_control() { ' ' } else { c };
    let characters: Vec<char> = line.trim_end().chars().map(harmless).collect();
    let column = column.min(characters.len());
    let from = column.saturating_sub(WIDEST / 2).min(characters.len().saturating_sub(WIDEST));
    (characters.iter().skip(from).take(WIDEST).collect(), column - from)
}

/// The last line: how many of each.
pub(crate) fn summary(problems: &[Problem], paint: Paint) -> String {
    let errors = problems.iter().filter(|p| p.level == Level::Error).count();
    let warnings = problems.len() - errors;
    let counted = |n: usize, what: &str| counted(n as u64, what);
    match (errors, warnings) {
        (0, 0) => paint.ink(Ink::Good, "No problems."),
        (0, w) => paint.ink(Ink::Careful, &format!("{}; nothing is refused.", counted(w, "warning"))),
        (e, 0) => paint.ink(Ink::Bad, &format!("{}.", counted(e, "error"))),
        (e, w) => paint.ink(Ink::Bad, &format!("{} and {}.", counted(e, "error"), counted(w, "warning"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_problem(text: &str, column: u32) -> Problem {
        Problem {
            level: Level::Error,
            file: "agreements/jo.yaml".to_owned(),
            line: 12,
            column,
            code: "bad-time",
            sentence: "`25:00` is no time of day.".to_owned(),
            help: "Write a time from 00:00 to 24:00.".to_owned(),
            text: text.to_owned(),
            other: None,
        }
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let told = problem(&a_problem("  müsli: 25:00", 10), Paint::PLAIN);
        assert_eq!(
            told,
            "error: `25:00` is no time of day.\n  agreements/jo.yaml:12:10\n     |\n  12 |   müsli: 25:00\n     |          ^\n  \
             help: Write a time from 00:00 to 24:00.\n"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (text, before) = excerpt(&line, 500);
        assert_eq!(text.chars().count(), WIDEST);
        assert_eq!(text.chars().nth(before), Some('X'));
    }

    #[test]
    fn a_column_beyond_the_line_points_at_its_end() {
        assert_eq!(excerpt("abc", 99), ("abc".to_owned(), 3));
        assert_eq!(excerpt("a\u{1b}[31m", 0).0, "a [31m");
    }

    #[test]
    fn the_summary_counts() {
        let error = a_problem("", 1);
        let warning = Problem { level: Level::Warning, ..error.clone() };
        assert_eq!(summary(&[], Paint::PLAIN), "No problems.");
        assert_eq!(summary(std::slice::from_ref(&warning), Paint::PLAIN), "1 warning; nothing is refused.");
        assert_eq!(summary(&[error.clone(), error, warning], Paint::PLAIN), "2 errors and 1 warning.");
    }
}
