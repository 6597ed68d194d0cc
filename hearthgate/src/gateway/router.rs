//! The router's rules while the gateway runs: made before it serves, changed with gateway.yaml, left in place when it ends.

use super::hold;
use super::network::Shared;
use crate::failure::Failure;
use crate::state::State;
use agreements::{Fail, Gateway, Listen, Router};
use proxy::router::{self, NotHeld, Openings, Plan};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The rules that are in place, if any.
#[derive(Default)]
pub(crate) struct Rules {
    held: Mutex<Option<(Plan, Arc<Openings>)>>,
    /// Somebody stands in for the gateway: what it opened is its own to judge, and its rules are the ones that are kept.
    pub(crate) stands_in: bool,
    /// Cancelled when the program ends.
    pub(crate) ending: CancellationToken,
}

/// The rules that gateway.yaml asks for, with listeners as given; none where the router is not ours.
pub(crate) fn plan(gateway: &Gateway, dns: Vec<SocketAddr>, transparent: Vec<SocketAddr>) -> Option<Plan> {
    match &gateway.router {
        Router::Off => None,
        Router::Nftables { lan, wan, fail: _ } => {
            Some(Plan { lan: lan.clone(), wan: wan.clone(), dns, transparent })
        }
    }
}

/// The same with the listeners as they are written, for looking at without a running gateway.
pub(crate) fn written_plan(gateway: &Gateway) -> Option<Plan> {
    let Listen { dns, transparent, .. } = &gateway.listen;
    plan(gateway, dns.clone(), transparent.clone())
}

/// Whether gateway.yaml wants somebody to stand in for a gateway that does not run.
pub(crate) fn wants_stand_in(gateway: &Gateway) -> bool {
    matches!(gateway.router, Router::Nftables { fail: Fail::Baseline, .. })
}

impl Rules {
    /// Those of whoever stands in for the gateway.
    pub(crate) fn standing_in() -> Self {
        Self { stands_in: true, ..Self::default() }
    }

    /// Brings the rules into the kernel as they are to be, before anything is served. What is open stays open.
    pub(crate) fn hold(
        &self,
        plan: Option<Plan>,
        wants_stand_in: bool,
        shared: &Shared,
    ) -> Result<Option<Arc<Openings>>, Failure> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let openings = match (held.take(), &plan) {
            (None, None) => {
                if hold::is_kept(&shared.state) {
                    // gateway.yaml was changed while nothing ran.
                    let_go(&shared.state)?;
                }
                None
            }
            (None, Some(plan)) => Some(self.begin(plan, shared).map_err(failure)?),
            (Some((before, openings)), Some(plan)) => {
                if before != *plan
                    && let Err(error) = openings.replan(plan)
                {
                    *held = Some((before, openings));
                    return Err(failure(error));
                }
                Some(openings)
            }
            (Some(_), None) => {
                let_go(&shared.state)?;
                None
            }
        };
        if let Some(plan) = plan.as_ref().filter(|_| !self.stands_in) {
            hold::keep(&shared.state, plan, wants_stand_in);
        }
        *held = plan.zip(openings.clone());
        Ok(openings)
    }

    fn begin(&self, plan: &Plan, shared: &Shared) -> Result<Arc<Openings>, NotHeld> {
        let (neighbours, clock) = (shared.neighbours.clone(), shared.clock.clone());
        match self.stands_in {
            true => Openings::stand_in(plan, neighbours, clock),
            false => Openings::start(plan, neighbours, clock, self.ending.clone()),
        }
    }

    /// Puts the rules of whoever stands in back where there are none.
    pub(crate) fn hold_on(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((plan, _)) = held.as_ref()
            && let Err(error) = router::hold(plan)
        {
            tracing::error!(%error, "THE ROUTER'S RULES ARE NOT IN PLACE; trying again");
        }
    }
}

fn let_go(state: &State) -> Result<(), Failure> {
    router::remove().map_err(failure)?;
    hold::forget(state);
    tracing::info!("gateway.yaml has no router any more: its rules are taken away");
    Ok(())
}

/// What a person can do about it.
pub(crate) fn failure(error: NotHeld) -> Failure {
    let help = match &error {
        NotHeld::NoNft(_) => "install nftables: `apt install nftables`, or `opkg install nftables`",
        NotHeld::Refused(_) => "see `router` in gateway.yaml; `hearthgate router show` prints the rules",
        NotHeld::Kernel(_) => "it needs the right CAP_NET_ADMIN: see deploy/hearthgate-router.conf",
    };
    Failure::cannot_read(error.to_string()).help(help)
}
