//! Stands in for the gateway at the router while it does not run (`fail: baseline`): what is protected is looked up and
//! reached, for whoever asks, and nothing else. With `fail: closed` it only puts the rules back where somebody takes them away.
//!
//! It is a process of its own that does next to nothing while the gateway runs and answers, so that nothing which ends the gateway, or
//! makes it hang, ends it as well. It needs no records and no lists. Its listeners have ports of their own, to which its rules
//! lead; the gateway's rules lead back as soon as they are in place, so that neither waits for the other. What the gateway opened
//! stays open until its time ends.

use super::network::{Network, Shared};
use super::router::{Rules, written_plan};
use super::steward::Signals;
use super::{ask_key, hold, log};
use crate::catalogue::Recipe;
use crate::clock;
use crate::control;
use crate::failure::{Exit, Failure};
use crate::home::{self, Loaded};
use crate::lists::names::Names;
use crate::signing::Signing;
use crate::state::State;
use agreements::{BlockedAnswer, Gateway, Listen, Snapshot, Standing};
use proxy::identify::Neighbours;
use records::{Clock, InForce, Recorder, Records, SystemClock};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often it looks whether the gateway runs.
const LOOK: Duration = Duration::from_millis(200);
/// For so long it is away before somebody stands in: a restart takes less.
const AWAY: Duration = Duration::from_secs(1);
/// How long it waits before it tries again what failed.
const AGAIN: Duration = Duration::from_secs(5);
/// Its listeners' ports are the gateway's and so many more.
const BESIDE: u16 = 10_000;

/// Stands in whenever the gateway does not run, until told to stop.
pub(crate) async fn stand_in(home: &Path) -> Result<Exit, Failure> {
    log::start();
    let mut signals =
        Signals::catch().map_err(|e| Failure::cannot_read(format!("signals cannot be caught: {e}")))?;
    tokio::select! {
        () = signals.told_to_stop() => Ok(Exit::Done),
        never = again_and_again(home) => match never {},
    }
}

async fn again_and_again(home: &Path) -> std::convert::Infallible {
    loop {
        let (state, wants_stand_in) = is_away(home).await;
        if !wants_stand_in {
            keep_closed(&state).await;
            continue;
        }
        match StandIn::begin(home, &state).await {
            Ok(stand_in) => stand_in.until_it_is_back(&state).await,
            Err(failure) => {
                tracing::error!(%failure, "nobody can stand in for the gateway; the router is closed");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// With `fail: closed`: puts the rules back where somebody takes them away, until the gateway is back.
async fn keep_closed(state: &State) {
    let hold_on = || match hold::hold_kept(state) {
        Ok(true) => tracing::warn!(
            "the router's rules had been taken away; they are in place again, with nothing open"
        ),
        Ok(false) => {}
        Err(failure) => tracing::error!(%failure, "THE ROUTER'S RULES ARE NOT IN PLACE; trying again"),
    };
    tokio::select! {
        () = it_answers(state) => {}
        () = while_it_is_kept(state, hold_on) => {}
    }
}

/// Does something again and again until nothing is to be held any more: `hearthgate router off` says so in the gateway's folder, too.
async fn while_it_is_kept(state: &State, mut does: impl FnMut()) {
    while hold::is_kept(state) {
        does();
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until a gateway that held the router is away: its folder, and whether it wants somebody to stand in for it.
async fn is_away(home: &Path) -> (State, bool) {
    let mut since = None;
    loop {
        let kept = hold::kept(home);
        let is_away = match &kept {
            Some((state, _)) => !control::answers(&state.socket()).await,
            None => false,
        };
        match kept.filter(|_| is_away) {
            Some(kept) if since.get_or_insert_with(Instant::now).elapsed() >= AWAY => return kept,
            Some(_) => {}
            None => since = None,
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What stands in.
struct StandIn {
    network: Network,
    shared: Shared,
    recording: JoinHandle<()>,
    stop: CancellationToken,
}

impl StandIn {
    async fn begin(home: &Path, state: &State) -> Result<Self, Failure> {
        let loaded = home::load(home, clock::now())?.in_force(clock::now());
        let gateway = reduced(loaded.gateway()?);
        if written_plan(&gateway).is_none() {
            return Err(Failure::cannot_read("gateway.yaml names no router, though one is held")
                .help("`hearthgate router off` takes the rules away; else put gateway.yaml back"));
        }
        let (stop, neighbours) = (CancellationToken::new(), Neighbours::default());
        tokio::spawn(neighbours.clone().follow(stop.clone()));
        neighbours.first_reading(super::NEIGHBOURS).await;
        let (shared, recording) = shared(loaded, state, neighbours).await?;
        match Network::start(&gateway, &shared) {
            Ok(network) => {
                tracing::warn!("the gateway does not run: what is protected is open, and nothing else");
                Ok(Self { network, shared, recording, stop })
            }
            Err(failure) => {
                stop.cancel();
                Err(failure)
            }
        }
    }

    async fn until_it_is_back(self, state: &State) {
        tokio::select! {
            () = it_answers(state) => {}
            () = while_it_is_kept(state, || self.shared.rules.hold_on()) => {}
        }
        if hold::is_kept(state) {
            tracing::info!("the gateway runs again");
        } else {
            // An answer that is under way must not bring the rules back.
            self.shared.rules.retire();
            tracing::info!("the router is held no more");
        }
        self.stop.cancel();
        self.network.stop().await;
        self.shared.recorder.stop();
        let _ended = self.recording.await;
        self.shared.records.close().await;
    }
}

/// Waits until the gateway answers again.
async fn it_answers(state: &State) {
    while !control::answers(&state.socket()).await {
        tokio::time::sleep(LOOK).await;
    }
}

/// gateway.yaml with nothing but what devices are led to by the rules, on ports beside the gateway's own.
fn reduced(gateway: &Gateway) -> Gateway {
    let beside = |listeners: &[SocketAddr]| -> Vec<SocketAddr> {
        let from_the_home = listeners.iter().filter(|listener| !listener.ip().is_loopback());
        from_the_home.map(|l| SocketAddr::new(l.ip(), l.port().checked_add(BESIDE).unwrap_or(0))).collect()
    };
    let Listen { dns, transparent, .. } = &gateway.listen;
    let listen = Listen { dns: beside(dns), transparent: beside(transparent), ..Listen::default() };
    // The page that a refused name leads to is the gateway's.
    Gateway { listen, blocked_answer: BlockedAnswer::Nxdomain, ..gateway.clone() }
}

/// A home where nobody is known, nothing is kept and no list is read.
async fn shared(
    loaded: Loaded,
    state: &State,
    neighbours: Neighbours,
) -> Result<(Shared, JoinHandle<()>), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let house = loaded.reading.house.protected_only();
    let catalogue = Recipe::of(&house, &loaded.dir, None).compile(clock.now(), &mut |_| {})?.catalogue;
    let standing = Arc::new(Standing::new(&house, &[], &[], &|_, _| 0));
    let in_force =
        Arc::new(InForce::new(Arc::new(Snapshot { house, catalogue: catalogue.into() }), standing));
    let records = Records::of_nobody(clock.clone()).await;
    let records = Arc::new(records.map_err(|e| Failure::cannot_read(e.to_string()))?);
    let (recorder, recording) = Recorder::start(records.clone(), in_force.clone());
    let signing = Arc::new(Signing::new(in_force.clone(), clock.clone(), records.clone()));
    let shared = Shared {
        home: loaded.dir,
        state: state.clone(),
        in_force,
        clock,
        recorder,
        records,
        neighbours,
        ask_key: ask_key()?,
        names: Names::default(),
        rules: Arc::new(Rules::standing_in()),
        desk: None,
        signing,
    };
    Ok((shared, recording))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_listeners_are_beside_the_gateways_and_there_are_no_others() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let all = vec![at("127.0.0.1:53"), at("0.0.0.0:53"), at("[::]:60000")];
        let listen = Listen {
            dns: all.clone(),
            transparent: all.clone(),
            pages: all.clone(),
            console: all,
            ..Listen::default()
        };
        let reduced = reduced(&Gateway { listen, ..Gateway::default() }).listen;
        let beside = vec![at("0.0.0.0:10053"), at("[::]:0")];
        assert_eq!(reduced, Listen { dns: beside.clone(), transparent: beside, ..Listen::default() });
    }
}
