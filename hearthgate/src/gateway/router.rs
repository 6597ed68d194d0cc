//! The router's rules while the gateway runs: made before it serves, changed with gateway.yaml, left in place when it ends.

use super::hold;
use super::network::Shared;
use crate::failure::Failure;
use crate::state::State;
use agreements::{Fail, Gateway, Level, Listen, Problem, Router, Running};
use proxy::router::{self, NotHeld, Openings, Plan, TurnedAway};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The rules that are in place, if any.
#[derive(Default)]
pub(crate) struct Rules {
    held: Mutex<Option<(Plan, Arc<Openings>)>>,
    /// What the rules turned away by themselves.
    turned: Mutex<TurnedAway>,
    /// Somebody stands in for the gateway: what it opened is its own to judge, and its rules are the ones that are kept.
    pub(crate) stands_in: bool,
    /// Cancelled when the program ends.
    pub(crate) ending: CancellationToken,
}

/// The rules that gateway.yaml asks for, with listeners as given; none where the router is not ours.
pub(crate) fn plan(gateway: &Gateway, dns: Vec<SocketAddr>, transparent: Vec<SocketAddr>) -> Option<Plan> {
    match &gateway.router {
        Router::Off => None,
        Router::Nftables { lan, wan, others, fail: _, ports } => {
            let (lan, wan, others, ports) = (lan.clone(), wan.clone(), others.clone(), ports.clone());
            Some(Plan { lan, wan, others, dns, transparent, ports })
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
                // Whoever stands in holds what was in force, and decides nothing.
                if !self.stands_in && hold::is_kept(&shared.state) {
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
            (Some((_, openings)), None) => {
                openings.retire();
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
            true => Openings::stand_in(plan, neighbours, clock, memory().as_deref()),
            false => Openings::start(plan, neighbours, clock, memory().as_deref(), &self.ending),
        }
    }

    /// What keeps the rules from holding what they are meant to, as far as this machine shows it. Whether anybody stands by shows at
    /// the control socket.
    pub(crate) fn running(&self) -> Running {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((plan, openings)) = held.as_ref() else { return Running::default() };
        let there = interfaces();
        let is_missing = |name: &&String| !there.contains(*name);
        let sides = [("lan", &plan.lan), ("wan", &plan.wan), ("others", &plan.others)];
        let missing = sides
            .iter()
            .flat_map(|(key, names)| names.iter().filter(is_missing).map(move |name| (*key, name.clone())));
        Running {
            not_in_place: !openings.are_in_place(),
            dark: !plan.lan.is_empty() && plan.lan.iter().chain(&plan.wan).all(|name| is_missing(&name)),
            missing: missing.collect(),
            offloaded: router::is_offloaded().unwrap_or(false),
            unbounded: !router::bounds_flows(),
            not_counted: !openings.counts(),
            alone: false,
        }
    }

    /// Reads what the rules turned away by themselves: how much is new since the last time.
    pub(crate) fn look_at_turned_away(&self) -> u64 {
        let is_held = self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_held {
            return 0;
        }
        self.turned.lock().unwrap_or_else(PoisonError::into_inner).look().unwrap_or_else(|error| {
            tracing::debug!(%error, "what the rules turned away cannot be read");
            0
        })
    }

    /// The same since the gateway began, by the detectors' keys.
    pub(crate) fn turned_away(&self) -> TurnedAway {
        *self.turned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the rules away for good: nothing that is still asked of them brings them back.
    pub(crate) fn retire(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, openings)) = held.as_ref() {
            openings.retire();
        }
    }

    /// Puts the rules of whoever stands in back where there are none.
    pub(crate) fn hold_on(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, openings)) = held.as_ref()
            && let Err(error) = openings.put_back_where_none()
        {
            tracing::error!(%error, "THE ROUTER'S RULES ARE NOT IN PLACE; trying again");
        }
    }
}

/// The same as people are told of it.
pub(crate) fn troubles(running: &Running) -> Vec<Problem> {
    let Running { not_in_place, dark, missing, offloaded, unbounded, not_counted, alone } = running;
    let mut all: Vec<Problem> = missing.iter().map(|(key, name)| not_there(key, name)).collect();
    if *not_in_place {
        all.push(trouble("rules-not-in-place", NOT_IN_PLACE.into(), NOT_IN_PLACE_HELP));
    }
    if *dark {
        let sentence = "THE ROUTER IS CLOSED FOR EVERYBODY: none of its interfaces is there.";
        all.push(trouble("router-dark", sentence.into(), "See `router` there."));
    }
    if *offloaded {
        all.push(trouble("flow-offload", OFFLOADED.into(), OFFLOAD_HELP));
    }
    if *unbounded {
        all.push(trouble("flows-unbounded", UNBOUNDED.into(), UNBOUNDED_HELP));
    }
    if *not_counted {
        all.push(trouble("not-counted", NOT_COUNTED.into(), NOT_COUNTED_HELP));
    }
    if *alone {
        all.push(trouble("nobody-stands-by", ALONE.into(), ALONE_HELP));
    }
    all
}

/// An interface that is not there.
fn not_there(key: &str, name: &str) -> Problem {
    let sentence = format!("There is no interface `{name}` (`{key}`) on this machine now.");
    let help = match key {
        "lan" => {
            "What comes in by an interface that nobody named is held like the home. `ip link` shows the names."
        }
        "wan" => "`ip link` shows the names.",
        _ => "What it is called meanwhile is held like the rest of the home. `ip link` shows the names.",
    };
    trouble("no-interface", sentence, help)
}

/// The machine's interfaces: of the network that this program is in, which `/sys` may not show.
fn interfaces() -> BTreeSet<String> {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    let name = |line: &str| Some(line.split_once(':')?.0.trim().to_owned());
    table.lines().filter_map(name).collect()
}

const NOT_IN_PLACE: &str =
    "THE ROUTER'S RULES ARE NOT IN PLACE: somebody took them away, and they cannot be put back.";
const NOT_IN_PLACE_HELP: &str =
    "It is tried twice a second; the log says why it fails. `hearthgate router check` asks nft.";
const OFFLOADED: &str =
    "The firewall hands flows over to a fast path (flow offload) on which no rule sees them.";
const OFFLOAD_HELP: &str = "Switch it off: cuts come late there, and minutes are not counted. OpenWrt: `flow_offloading` and \
    `flow_offloading_hw` in /etc/config/firewall.";
const UNBOUNDED: &str = "The kernel cannot count how many connections each device has, so one device that floods takes everybody's room.";
const UNBOUNDED_HELP: &str =
    "OpenWrt: `opkg install kmod-nft-connlimit`. Elsewhere: the kernel's module nft_connlimit.";
const NOT_COUNTED: &str =
    "The kernel does not count what flows, so minutes are estimated from names where the web is not used.";
const NOT_COUNTED_HELP: &str = "Set `net.netfilter.nf_conntrack_acct=1`: hearthgate-hold.service does it.";
const ALONE: &str =
    "Nobody stands by to keep helplines open when the gateway does not run, though `fail: baseline` says so.";
const ALONE_HELP: &str = "Start the service beside it: `systemctl enable --now hearthgate-baseline`. OpenWrt: \
    `/etc/init.d/hearthgate-baseline enable`, then `start`.";

fn trouble(code: &'static str, sentence: String, help: &str) -> Problem {
    Problem {
        level: Level::Warning,
        file: "gateway.yaml".to_owned(),
        line: 1,
        column: 1,
        code,
        sentence,
        help: help.to_owned(),
        text: String::new(),
        other: None,
    }
}

fn let_go(state: &State) -> Result<(), Failure> {
    router::remove().map_err(failure)?;
    hold::forget(state);
    tracing::info!("gateway.yaml has no router any more: its rules are taken away");
    Ok(())
}

/// Where the names that led to what is open outlive the program: a folder that systemd makes in the machine's memory
/// (`RuntimeDirectory=`). Never on a disk.
fn memory() -> Option<PathBuf> {
    let folders = std::env::var("RUNTIME_DIRECTORY").ok()?;
    folders.split(':').next().filter(|folder| !folder.is_empty()).map(PathBuf::from)
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
