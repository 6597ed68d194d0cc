//! `hearthgate router`: the rules at the router, looked at and taken away.

use crate::control;
use crate::failure::{Exit, Failure};
use crate::gateway::hold::{self, Held, hold};
use crate::gateway::router::{failure, written_plan};
use crate::gateway::stand_in::stand_in;
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
  hearthgate router hold          put them in place with nothing open: before the network comes up
  hearthgate router baseline      keep helplines open while the gateway does not run (`fail: baseline`): a service beside it
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
    /// Put the rules in place with nothing open: what the machine does before its network comes up.
    Hold,
    /// Stand in for the gateway whenever it does not run, where gateway.yaml says `fail: baseline`: what is protected can be
    /// looked up and reached, and nothing else. Beside the gateway, for as long as the machine runs.
    Baseline,
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
            What::Hold if self.is_held() => told(HELD_ALREADY, Exit::Done),
            What::Hold => match hold(&self.home.dir()?, true)? {
                Held::Now => told("The router is held, and nothing is open.", Exit::Done),
                Held::Already => told(HELD_ALREADY, Exit::Done),
                Held::NoRouter => told("gateway.yaml has no router to hold.", Exit::Done),
                Held::Unknown => told(UNKNOWN, Exit::No),
            },
            What::Baseline => self.stand_in(),
            What::Off if self.is_held() => told(HELD, Exit::No),
            What::Off => match self.remove()? {
                true => told(
                    "The rules are gone: the router holds nobody until the gateway or the machine starts again.",
                    Exit::Done,
                ),
                false => told(NONE, Exit::Done),
            },
        }
    }

    fn stand_in(&self) -> Result<Exit, Failure> {
        let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = built.map_err(|e| Failure::cannot_read(format!("no runtime: {e}")))?;
        let ended = runtime.block_on(stand_in(&self.home.dir()?));
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        ended
    }

    /// Takes the rules away, and what would bring them back before the gateway or the machine starts again.
    fn remove(&self) -> Result<bool, Failure> {
        let may_stand_in = hold::kept(&self.home.dir()?).is_some();
        if let Some(state) = self.home.load(crate::clock::now()).ok().and_then(|loaded| loaded.state()) {
            hold::forget(&state);
        }
        let removed = router::remove().map_err(failure)?;
        if may_stand_in {
            // Whoever stands in may have been putting them back in this very moment: it has looked again by then.
            std::thread::sleep(LOOKS_AGAIN);
            router::remove().map_err(failure)?;
        }
        Ok(removed)
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

/// Whoever stands in for the gateway looks several times as often.
const LOOKS_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
const HELD: &str = "Hearthgate is running and holds the router: it would put the rules back within a second.\n\
                    Write `router: {mode: off}` into gateway.yaml, or stop Hearthgate first.";
const HELD_ALREADY: &str = "The rules are in place already.";
const UNKNOWN: &str =
    "gateway.yaml cannot be read, and no rules of an earlier start are kept: nobody knows what to hold.";
const NONE: &str = "No rules of Hearthgate's are in place.";

fn told(words: &str, exit: Exit) -> Result<Exit, Failure> {
    terminal::say(&format!("{words}\n"));
    Ok(exit)
}
