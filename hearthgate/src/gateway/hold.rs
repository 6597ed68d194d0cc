//! Holds the router before anything else: before the records, the lists and the listeners, each of which may fail.
//!
//! The rules are in the kernel, and a reboot takes them away. What they are made from is therefore kept in the gateway's own
//! folder; `hearthgate router hold`, before the network comes up, and `hearthgate run`, before anything else, put them in
//! place from there with nothing open. It needs no network, no records, no lists, and no gateway.yaml without errors.

use super::router::{failure, written_plan};
use crate::clock;
use crate::failure::Failure;
use crate::last_good::{self, write_whole};
use crate::state::State;
use agreements::{Gateway, Ports, Router};
use proxy::router::{self, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// What came of holding the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The rules were in place.
    Already,
    /// They are now, and nothing is open.
    Now,
    /// gateway.yaml has no router.
    NoRouter,
    /// gateway.yaml cannot be read, and no rules were ever kept.
    Unknown,
}

/// The rules that were in force last, as they are kept.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    lan: Vec<String>,
    wan: Vec<String>,
    #[serde(default)]
    others: Vec<String>,
    dns: Vec<SocketAddr>,
    transparent: Vec<SocketAddr>,
    /// On which ports opened addresses are open.
    #[serde(default)]
    ports: Ports,
    /// Whether somebody stands in for a gateway that does not run (`fail: baseline`).
    #[serde(default)]
    stand_in: bool,
}

impl Kept {
    fn load(state: &State) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(state.router()).ok()?).ok()
    }

    fn plan(self) -> Plan {
        let Self { lan, wan, others, dns, transparent, ports, stand_in: _ } = self;
        Plan { lan, wan, others, dns, transparent, ports }
    }
}

/// Puts the rules in place: those of gateway.yaml, or those that were in force last while it has errors. What is in place stays
/// as it is, with all that is open, unless the machine has just begun (`anew`): then it is what somebody saved, and old.
pub(crate) fn hold(home: &Path, anew: bool) -> Result<Held, Failure> {
    let text = std::fs::read_to_string(home.join("gateway.yaml")).unwrap_or_default();
    let gateway = gateway_of(&text);
    if gateway.as_ref().is_some_and(|gateway| gateway.router == Router::Off) {
        return Ok(Held::NoRouter);
    }
    let written = gateway.as_ref().and_then(written_plan);
    let kept = State::guesses(&text, home).iter().find_map(Kept::load).map(Kept::plan);
    let mut said = None;
    for plan in written.into_iter().chain(kept) {
        let tried = if anew { router::hold_anew(&plan).map(|()| true) } else { router::hold(&plan) };
        match tried {
            Ok(true) => return Ok(Held::Now),
            Ok(false) => return Ok(Held::Already),
            Err(error) => said = Some(failure(error)),
        }
    }
    said.map_or(Ok(Held::Unknown), Err)
}

fn gateway_of(text: &str) -> Option<Gateway> {
    let texts = BTreeMap::from([("gateway.yaml".to_owned(), text.to_owned())]);
    last_good::reading(&texts, clock::now()).gateway
}

/// Whether rules are kept there: a gateway of this folder has put some in place and not taken them away.
pub(crate) fn is_kept(state: &State) -> bool {
    state.router().exists()
}

/// The folder of a gateway that has put rules in place, and whether it wants somebody to stand in for it.
pub(crate) fn kept(home: &Path) -> Option<(State, bool)> {
    let text = std::fs::read_to_string(home.join("gateway.yaml")).unwrap_or_default();
    let stands_in = |state: State| Kept::load(&state).map(|kept| (state, kept.stand_in));
    State::guesses(&text, home).into_iter().find_map(stands_in)
}

/// Puts the rules that were in force last back where there are none, with nothing open. Whether there were none.
pub(crate) fn hold_kept(state: &State) -> Result<bool, Failure> {
    let Some(kept) = Kept::load(state) else { return Ok(false) };
    router::hold(&kept.plan()).map_err(failure)
}

/// Keeps the rules that are in force for the next start.
pub(crate) fn keep(state: &State, plan: &Plan, stand_in: bool) {
    let Plan { lan, wan, others, dns, transparent, ports } = plan.clone();
    let kept = Kept { lan, wan, others, dns, transparent, ports, stand_in };
    if Kept::load(state).as_ref() == Some(&kept) {
        return;
    }
    let bytes = serde_json::to_vec(&kept).map_err(io::Error::other);
    if let Err(error) = bytes.and_then(|bytes| write_whole(&state.router(), &bytes)) {
        tracing::error!(%error, "the router's rules cannot be kept: after a reboot it is held only once gateway.yaml is read");
    }
}

/// Keeps none: gateway.yaml has no router any more.
pub(crate) fn forget(state: &State) {
    if let Err(error) = std::fs::remove_file(state.router())
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::error!(%error, "the router's kept rules cannot be removed");
    }
}
