//! `hearthgate man` and `hearthgate completions`: generated from the same table as the help.

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::terminal;
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Prints the manual page, or writes one for each command.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate man | man -l -
  hearthgate man --dir /usr/share/man/man1      one page for each command")]
pub(crate) struct Man {
    /// Write one page for each command into this folder.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Prints shell completions.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate completions bash > /usr/share/bash-completion/completions/hearthgate
  hearthgate completions fish > ~/.config/fish/completions/hearthgate.fish")]
pub(crate) struct Completions {
    /// For which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Man {
    /// Prints or writes.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let cannot = |e| Failure::cannot_read(format!("the manual cannot be written: {e}"));
        match &self.dir {
            Some(dir) => clap_mangen::generate_to(Cli::command(), dir).map_err(cannot)?,
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(cannot)?;
                terminal::say(&String::from_utf8_lossy(&page));
            }
        }
        Ok(Exit::Done)
    }
}

impl Completions {
    /// Prints.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "hearthgate", &mut script);
        terminal::say(&String::from_utf8_lossy(&script));
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_for_every_command() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Man { dir: Some(dir.path().to_owned()) }.act().expect("written");
        for page in ["hearthgate.1", "hearthgate-explain.1", "hearthgate-breaches-list.1"] {
            assert!(dir.path().join(page).is_file(), "{page}");
        }
    }
}
