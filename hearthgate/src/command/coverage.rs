//! `hearthgate coverage`: what this home's set-up holds, what is switched off, and what no gateway can hold.

use crate::control;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::state::State;
use crate::terminal::{self, Ink, Paint};
use agreements::{Covered, Held, Running, coverage};
use clap::Args;
use serde::{Deserialize, Serialize};

/// Tells what this home's set-up holds, what is switched off, and what it cannot hold.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate coverage            for whoever answers for the home: read it before you rely on it
  hearthgate coverage --json     for scripts

A running gateway says what it really holds on its machine. Where none runs, the lines say what the files in force would hold.
Each line says why it is so.

Exit codes: 0 told, 2 cannot read.")]
pub(crate) struct Coverage {
    #[command(flatten)]
    home: HomeArg,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The shape of `coverage --json`.
#[derive(Serialize)]
struct Answer {
    running: bool,
    coverage: Vec<Line>,
}

/// A line, as a running gateway tells it, too.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    held: Held,
    sentence: String,
    because: String,
    help: String,
}

impl From<Covered> for Line {
    fn from(covered: Covered) -> Self {
        let Covered { key, held, sentence, because, help } = covered;
        Self { key: key.to_owned(), held, sentence, because: because.to_owned(), help: help.to_owned() }
    }
}

impl Coverage {
    /// Tells it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = crate::clock::now();
        let loaded = self.home.load(now)?.in_force(now);
        let state = loaded.state();
        state.as_ref().map_or(Ok(()), State::may_look)?;
        let told = state.as_ref().and_then(|state| control::ask(&state.socket(), "coverage"));
        let told: Option<Vec<Line>> = told.and_then(|lines| serde_json::from_value(lines).ok());
        let running = told.is_some();
        let lines = match told {
            Some(lines) => lines,
            None => {
                let lines = coverage(loaded.gateway()?, &loaded.reading.house, &Running::default());
                lines.into_iter().map(Line::from).collect()
            }
        };
        if self.json {
            terminal::say_json(&Answer { running, coverage: lines });
            return Ok(Exit::Done);
        }
        let paint = Paint::for_stdout();
        if !running {
            let none = "No gateway runs, so nothing is held now. This is what the files would hold.";
            terminal::say(&format!("{}\n\n", paint.ink(Ink::Bad, none)));
        }
        terminal::say(&text(&lines, paint));
        Ok(Exit::Done)
    }
}

fn text(lines: &[Line], paint: Paint) -> String {
    let kinds = [
        (Held::Holds, "Held", Ink::Good),
        (Held::Partly, "Held in part", Ink::Careful),
        (Held::Off, "Switched off", Ink::Careful),
        (Held::Cannot, "Cannot be held from here", Ink::Bad),
    ];
    let group = |(held, title, ink): (Held, &str, Ink)| {
        let of = lines.iter().filter(|line| line.held == held);
        let said: String = of.map(|line| line_text(line, paint)).collect();
        if said.is_empty() { said } else { format!("{}\n{said}", paint.ink(ink, title)) }
    };
    kinds.into_iter().map(group).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

fn line_text(line: &Line, paint: Paint) -> String {
    let why = paint.ink(Ink::Quiet, &format!("({})", line.because));
    let help = if line.help.is_empty() { String::new() } else { format!("    {}\n", line.help) };
    format!("  {} {why}\n{help}", line.sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_what_they_come_to() {
        let line = |key, held, sentence: &str, help| {
            Line::from(Covered { key, held, sentence: sentence.to_owned(), because: "why", help })
        };
        let lines =
            [line("a", Held::Holds, "A holds.", ""), line("b", Held::Cannot, "B cannot.", "Agree it.")];
        assert_eq!(
            text(&lines, Paint::PLAIN),
            "Held\n  A holds. (why)\n\nCannot be held from here\n  B cannot. (why)\n    Agree it.\n"
        );
    }
}
