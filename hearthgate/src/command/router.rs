//! `hearthgate router`: the rules at the router, looked at and taken away.

use crate::control;
use crate::failure::{Exit, Failure};
use crate::gateway::router::{failure, written_plan};
use crate::home::HomeArg;
use crate::terminal;
use clap::{Args, Subcommand};
use proxy::router;

/// The rules at the router: show them, check them, take them away.
///
/// `router: {mode: nftables, lan: [...], wan: [...]}` of gateway.yaml makes the running gateway hold every device of the home:
/// names are looked up here, the web comes through here, and any other address is reached only after an answer gave it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate router show          the rules that gateway.yaml asks for, as a script for nft
  hearthgate router check         whether nft on this machine would take them; nothing is changed
  hearthgate router status        the rules that are in place, with their counters
  hearthgate router off           take them away; the home's devices are then not held by the router

The rules stay in place when the gateway stops or dies, so that the router is never open by accident. While it runs it puts them
back whenever something takes them away, so `off` is for when it has stopped.

Exit codes: 0 done, 1 the answer is no (nft refuses the rules; no rules are in place; the gateway runs), 2 cannot read.")]
pub(crate) struct Router {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Print the rules that gateway.yaml asks for.
    Show,
    /// Ask nft whether it would take them.
    Check,
    /// Print the rules that are in place, with their counters.
    Status,
    /// Take the rules away.
    Off,
}

impl Router {
    /// Does what was asked.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        match self.what {
            What::Show => {
                terminal::say(&self.plan()?.rules());
                Ok(Exit::Done)
            }
            What::Check => match self.plan()?.check() {
                Ok(()) => told("nft takes the rules.", Exit::Done),
                Err(router::NotHeld::Refused(said)) => told(&said, Exit::No),
                Err(error) => Err(failure(error)),
            },
            What::Status if !router::is_in_place().map_err(failure)? => told(NONE, Exit::No),
            What::Status => told(router::in_place().map_err(failure)?.trim_end(), Exit::Done),
            What::Off if self.is_held() => told(HELD, Exit::No),
            What::Off => match router::remove().map_err(failure)? {
                true => told(
                    "The rules are gone: the router holds nobody until the gateway starts again.",
                    Exit::Done,
                ),
                false => told(NONE, Exit::Done),
            },
        }
    }

    /// Whether a running gateway holds the router: it would put the rules back. Where that cannot be known the way out is open.
    fn is_held(&self) -> bool {
        let Ok(loaded) = self.home.load(crate::clock::now()) else { return false };
        let runs = loaded.state().is_some_and(|state| control::ask(&state.socket(), "status").is_some());
        runs && loaded.gateway().is_ok_and(|gateway| written_plan(gateway).is_some())
    }

    fn plan(&self) -> Result<router::Plan, Failure> {
        let loaded = self.home.load(crate::clock::now())?;
        written_plan(loaded.gateway()?).ok_or_else(|| {
            Failure::no("gateway.yaml has no router to hold")
                .help("add `router: {mode: nftables, lan: [br-lan], wan: [eth0]}`")
        })
    }
}

const HELD: &str = "Hearthgate is running and holds the router: it would put the rules back within a second.\n\
                    Write `router: {mode: off}` into gateway.yaml, or stop Hearthgate first.";
const NONE: &str = "No rules of Hearthgate's are in place.";

fn told(words: &str, exit: Exit) -> Result<Exit, Failure> {
    terminal::say(&format!("{words}\n"));
    Ok(exit)
}
