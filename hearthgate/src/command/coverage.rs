//! `hearthgate coverage`: what this home's set-up holds, what is switched off, and what no gateway can hold.

use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal::{self, Ink, Paint};
use agreements::{Covered, Held, coverage};
use clap::Args;
use serde::Serialize;

/// Tells what this home's set-up holds, what is switched off, and what it cannot hold.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate coverage            for whoever answers for the home: read it before you rely on it
  hearthgate coverage --json     for scripts

It goes by the files in force. Each line says why it is so.

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
struct Answer<'a> {
    coverage: &'a [Covered],
}

impl Coverage {
    /// Tells it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = crate::clock::now();
        let loaded = self.home.load(now)?.in_force(now);
        let lines = coverage(loaded.gateway()?, &loaded.reading.house);
        if self.json {
            terminal::say_json(&Answer { coverage: &lines });
        } else {
            terminal::say(&text(&lines, Paint::for_stdout()));
        }
        Ok(Exit::Done)
    }
}

fn text(lines: &[Covered], paint: Paint) -> String {
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

fn line_text(line: &Covered, paint: Paint) -> String {
    let why = paint.ink(Ink::Quiet, &format!("({})", line.because));
    let help = if line.help.is_empty() { String::new() } else { format!("    {}\n", line.help) };
    format!("  {} {why}\n{help}", line.sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_what_they_come_to() {
        let line = |key, held, sentence: &str, help| Covered {
            key,
            held,
            sentence: sentence.to_owned(),
            because: "why",
            help,
        };
        let lines =
            [line("a", Held::Holds, "A holds.", ""), line("b", Held::Cannot, "B cannot.", "Agree it.")];
        assert_eq!(
            text(&lines, Paint::PLAIN),
            "Held\n  A holds. (why)\n\nCannot be held from here\n  B cannot. (why)\n    Agree it.\n"
        );
    }
}
