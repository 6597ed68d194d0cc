//! `hearthgate check`: every problem in the home's files, all at once.

use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal::{self, Paint};
use crate::told;
use agreements::{Level, Problem};
use clap::Args;
use serde::Serialize;

/// Tells every problem in the home's files.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate check                          the installed home
  hearthgate check --home oakview           a folder of your own
  hearthgate check --home oakview --json    for scripts

Exit codes: 0 no errors (there may be warnings), 1 errors, 2 something cannot be read.")]
pub(crate) struct Check {
    #[command(flatten)]
    home: HomeArg,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The shape of `check --json`.
#[derive(Serialize)]
struct Answer<'a> {
    problems: &'a [Problem],
}

impl Check {
    /// Looks and tells.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let loaded = self.home.load(crate::clock::now())?;
        let problems = loaded.problems();
        if self.json {
            terminal::say_json(&Answer { problems: &problems });
        } else {
            terminal::say(&text(&problems, Paint::for_stdout()));
        }
        let unreadable = loaded.folder.unusable.iter().any(|u| u.unreadable);
        Ok(exit(&problems, unreadable))
    }
}

fn exit(problems: &[Problem], unreadable: bool) -> Exit {
    if unreadable {
        return Exit::CannotRead;
    }
    if problems.iter().any(|p| p.level == Level::Error) { Exit::No } else { Exit::Done }
}

fn text(problems: &[Problem], paint: Paint) -> String {
    let mut text: String = problems.iter().map(|p| told::problem(p, paint) + "\n").collect();
    text.push_str(&told::summary(problems, paint));
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(level: Level) -> Problem {
        Problem {
            level,
            file: "home.yaml".to_owned(),
            line: 1,
            column: 1,
            code: "unknown-key",
            sentence: "I do not know `hom`.".to_owned(),
            help: "Did you mean `home`?".to_owned(),
            text: "hom: A".to_owned(),
            other: None,
        }
    }

    #[test]
    fn exit_codes() {
        assert_eq!(exit(&[], false), Exit::Done);
        assert_eq!(exit(&[of(Level::Warning)], false), Exit::Done, "warnings refuse nothing");
        assert_eq!(exit(&[of(Level::Warning), of(Level::Error)], false), Exit::No);
        assert_eq!(exit(&[of(Level::Error)], true), Exit::CannotRead);
    }

    #[test]
    fn all_problems_and_then_how_many() {
        let text = text(&[of(Level::Warning), of(Level::Error)], Paint::PLAIN);
        assert_eq!(text.matches("home.yaml:1:1").count(), 2);
        assert!(text.ends_with("\n\n1 error and 1 warning.\n"), "{text}");
    }
}
