//! The router's rules while the gateway runs: made before it serves, changed with gateway.yaml, left in place when it ends.

use crate::failure::Failure;
use agreements::{Gateway, Listen, Router};
use proxy::identify::Neighbours;
use proxy::router::{self, NotHeld, Openings, Plan};
use records::Clock;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The rules that are in place, if any.
#[derive(Default)]
pub(crate) struct Rules {
    held: Mutex<Option<(Plan, Arc<Openings>)>>,
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

impl Rules {
    /// Brings the rules into the kernel as they are to be, before anything is served. What is open stays open.
    pub(crate) fn hold(
        &self,
        plan: Option<Plan>,
        neighbours: &Neighbours,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Arc<Openings>>, Failure> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let openings = match (held.take(), &plan) {
            (None, None) => None,
            (None, Some(plan)) => {
                let ending = self.ending.clone();
                Some(Openings::start(plan, neighbours.clone(), clock.clone(), ending).map_err(failure)?)
            }
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
                router::remove().map_err(failure)?;
                tracing::info!("gateway.yaml has no router any more: its rules are taken away");
                None
            }
        };
        *held = plan.zip(openings.clone());
        Ok(openings)
    }
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
