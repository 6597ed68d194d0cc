//! The command line: one ordered table of commands. Help, man page and completions are generated from it.

use crate::command::{
    asks::Asks,
    backup::Backup,
    breaches::Breaches,
    ca::Ca,
    check::Check,
    coverage::Coverage,
    devices::Devices,
    diff::Diff,
    explain::Explain,
    grant::Grant,
    lists::Lists,
    lost::Lost,
    manual,
    minutes::Minutes,
    note::Note,
    password_link::PasswordLink,
    pin::Pin,
    profile::Profile,
    restrict::Restrict,
    revoke::Revoke,
    router::Router,
    run::Run,
    sign_in::{SignIn, SignOut},
    status::Status,
    week::Week,
};
use crate::failure::{Exit, Failure};
use clap::{Parser, Subcommand};

/// The internet gateway for children's homes.
///
/// It holds each young person's own acceptable-use agreement at the home's router, explains every refusal, and keeps a
/// breach log for staff.
#[derive(Parser, Debug)]
#[command(
    name = "hearthgate",
    version = env!("HEARTHGATE_VERSION"),
    propagate_version = true,
    max_term_width = 120,
    after_help = "\
Start here:
  hearthgate run --home deploy/sample-home     try it on this machine; it prints what to try
  hearthgate check --home DIR                  every problem in a home's files
  hearthgate help COMMAND                      examples for each command

Exit codes: 0 done, 1 the answer is no, 2 something cannot be read or the command line is wrong, 3 no gateway runs (status, sign-in, sign-out).
Colour is used on terminals only; NO_COLOR=1 turns it off."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands, in the order of the help: what runs, what looks at files, what looks at records, what staff do.
#[derive(Subcommand, Debug)]
enum Command {
    Run(Box<Run>),
    Check(Check),
    Explain(Explain),
    Week(Week),
    Diff(Diff),
    Coverage(Coverage),
    Devices(Devices),
    Lists(Lists),
    Breaches(Breaches),
    Status(Status),
    Minutes(Minutes),
    Backup(Backup),
    Grant(Grant),
    Revoke(Revoke),
    Asks(Asks),
    Restrict(Box<Restrict>),
    Note(Note),
    Lost(Lost),
    PasswordLink(PasswordLink),
    Pin(Pin),
    SignIn(SignIn),
    SignOut(SignOut),
    Ca(Ca),
    Profile(Profile),
    Router(Router),
    Man(manual::Man),
    Completions(manual::Completions),
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn act(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Run(it) => it.act(),
            Command::Check(it) => it.act(),
            Command::Explain(it) => it.act(),
            Command::Week(it) => it.act(),
            Command::Diff(it) => it.act(),
            Command::Coverage(it) => it.act(),
            Command::Devices(it) => it.act(),
            Command::Lists(it) => it.act(),
            Command::Breaches(it) => it.act(),
            Command::Status(it) => it.act(),
            Command::Minutes(it) => it.act(),
            Command::Backup(it) => it.act(),
            Command::Grant(it) => it.act(),
            Command::Revoke(it) => it.act(),
            Command::Asks(it) => it.act(),
            Command::Restrict(it) => it.act(),
            Command::Note(it) => it.act(),
            Command::Lost(it) => it.act(),
            Command::PasswordLink(it) => it.act(),
            Command::Pin(it) => it.act(),
            Command::SignIn(it) => it.act(),
            Command::SignOut(it) => it.act(),
            Command::Ca(it) => it.act(),
            Command::Profile(it) => it.act(),
            Command::Router(it) => it.act(),
            Command::Man(it) => it.act(),
            Command::Completions(it) => it.act(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_table_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands().filter(|c| !c.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "`{}` has no example", command.get_name());
            assert!(command.get_about().is_some(), "`{}` says nothing of itself", command.get_name());
        }
    }
}
