//! `hearthgate revoke`: a grant is taken back, or a restriction ended early.

use crate::command::grant::Done;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use agreements::Role;
use clap::Args;
use records::Purpose;

/// Takes a grant back, or ends a restriction before its time.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate revoke 42 --by k.lane --reason \"granted to the wrong person\"
  hearthgate revoke 57 --restriction --by r.osei --reason \"no longer needed\"

Exit codes: 0 done, 1 there is no such entry or it is over, 2 cannot read.")]
pub(crate) struct Revoke {
    #[command(flatten)]
    home: HomeArg,
    /// The number that `hearthgate grant` or `restrict` told.
    #[arg(value_name = "ENTRY")]
    entry: i64,
    /// It is a restriction.
    #[arg(long)]
    restriction: bool,
    #[command(flatten)]
    done: Done,
}

impl Revoke {
    /// Takes it back.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let (what, reason) = (self.entry, self.done.reason.as_str());
        let entry = if self.restriction {
            let by = desk.by(&self.done.by, &[Role::Manager])?;
            desk.write(desk.records.end_restriction(what, by, reason))?
        } else {
            let by = desk.by(&self.done.by, &[Role::Manager, Role::Staff])?;
            desk.write(desk.records.revoke(what, by, reason))?
        };
        terminal::say_line(&format!("Entry {what} is ended, by entry {entry}."));
        Ok(Exit::Done)
    }
}
