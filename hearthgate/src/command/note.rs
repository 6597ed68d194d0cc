//! `hearthgate note`: words that are added to an entry of the journal.

use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use agreements::Role;
use clap::Args;
use records::Purpose;

/// Adds a note to an episode or another entry. Nobody can change or remove it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate note 42 \"that was the game's advert, we looked at it together\" --by k.lane

Exit codes: 0 added, 1 there is no such entry, 2 cannot read.")]
pub(crate) struct Note {
    #[command(flatten)]
    home: HomeArg,
    /// The entry's number, as `hearthgate breaches list` shows it.
    #[arg(value_name = "ENTRY")]
    entry: i64,
    /// The note.
    #[arg(value_name = "WORDS")]
    words: String,
    /// Who writes it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
}

impl Note {
    /// Adds it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager, Role::Staff])?;
        let entry = desk.write(desk.records.note(self.entry, by, &self.words))?;
        terminal::say_line(&format!("Noted as entry {entry}."));
        Ok(Exit::Done)
    }
}
