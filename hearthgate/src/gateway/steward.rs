//! The steward: waits for whatever changes, and brings the next snapshot into force. Nobody else does.

use super::files::{Change, Files};
use super::handed::Asked;
use super::network::{Network, Shared};
use super::post::Post;
use super::pulse::{Guard, Pulse};
use super::{lost, router, systemd, watch::Watch};
use crate::catalogue::Compiled;
use crate::clock::word;
use crate::failure::Failure;
use crate::state::State;
use agreements::{Gateway, House, Running, Snapshot};
use blocklists::Catalogue;
use records::{By, ByRole, ClockState, FilesChanged, InForce, Records};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// The steward looks at the clock and the upstreams this often.
const TICK: Duration = Duration::from_secs(1);
/// How often the home's network is looked at for what staff may want to know.
const HINTS: Duration = Duration::from_secs(10);
/// A port that its last listener has just given up may take a moment to be free.
pub(crate) const PORTS_FREE: Duration = Duration::from_secs(3);

/// While the records are broken it looks this often whether they still are.
const MENDED_EVERY: Duration = Duration::from_secs(10);
/// Why it ended: the records were broken and are no longer.
pub(crate) const MENDED: &str = "the records can be used again";
/// Why it ended: it listens nowhere any more.
const NOWHERE: &str = "it cannot listen any more";

/// Everything that changes while the gateway runs.
pub(crate) struct Steward {
    pub(crate) home: PathBuf,
    pub(crate) state: State,
    pub(crate) files: Files,
    pub(crate) shared: Shared,
    pub(crate) network: Network,
    pub(crate) post: Arc<Post>,
    /// Rings for the keeper of the lists.
    pub(crate) bell: Arc<Notify>,
    /// Rung when a calendar came.
    pub(crate) changed: Arc<Notify>,
    pub(crate) compiled: mpsc::Receiver<Compiled>,
    /// When the home's network was last looked at for hints.
    pub(crate) hinted: Option<Instant>,
    /// Who else hands out addresses in the home.
    pub(crate) handed: Asked,
    /// Whether the gateway's own DNS listener answers.
    pub(crate) pulse: Pulse,
    /// Why it listens nowhere any more. A gateway that answers nobody ends, so that it is started anew and whoever stands in for
    /// it steps in: helplines would be gone else, and nothing would say so.
    pub(crate) nowhere: Option<Failure>,
}

/// What the steward listens to: from before the gateway says that it is ready, so that nothing is missed.
pub(crate) struct Ears {
    watch: Watch,
}

/// The signals. Once they are caught they stay so for the life of the process: one that comes while the gateway starts anew is
/// heard when it has.
pub(crate) struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until the program is told to stop.
    pub(crate) async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Steward {
    /// Tells what the start brought.
    pub(crate) async fn begin(
        &mut self,
        journal: FilesChanged,
        signals: &mut Option<Signals>,
    ) -> std::io::Result<Ears> {
        self.tell_files();
        self.keep(journal).await;
        self.purge().await;
        self.forget_former().await;
        self.tell_unfinished().await;
        // What changed between the first reading and the watch is seen now; from here on nothing is missed.
        let ears = Ears { watch: Watch::start(&self.home) };
        if signals.is_none() {
            *signals = Some(Signals::catch()?);
        }
        self.look().await;
        self.bell.notify_one();
        let (listeners, gateway) = (self.network.listeners.clone(), self.files.gateway.clone());
        self.post.show(|shown| (shown.listeners, shown.gateway) = (listeners, gateway));
        self.look_at_the_router();
        systemd::ready("The gateway listens.");
        tracing::info!(listeners = self.network.listeners.len(), "ready");
        Ok(ears)
    }

    /// Works until a signal says stop, or until broken records are whole again; which.
    pub(crate) async fn work(&mut self, ears: Ears, signals: &mut Signals) -> &'static str {
        let Ears { mut watch } = ears;
        let mut tick = tokio::time::interval(systemd::heartbeat().map_or(TICK, |beat| beat.min(TICK)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (guard, mut clock) = (Guard::start(), self.shared.clock.state());
        let changed = self.changed.clone();
        let broken = self.shared.records.broken().is_some();
        let (store, home) = (self.files.gateway.store.clone(), self.home.clone());
        let mut mended = std::pin::pin!(mended(&store, &home));
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return "TERM",
                _ = signals.interrupt.recv() => return "INT",
                _ = signals.hang_up.recv() => {
                    systemd::reloading();
                    self.look().await;
                    self.bell.notify_one();
                    systemd::ready("The gateway listens.");
                }
                () = watch.changed() => {
                    watch.follow(&self.home);
                    self.look().await;
                    // Lists of the folder have no text of their own among the files.
                    self.bell.notify_one();
                }
                () = changed.notified() => self.look().await,
                Some(compiled) = self.compiled.recv() => self.bring_catalogue(compiled).await,
                _ = tick.tick() => clock = self.tick(clock, guard.as_ref()),
                () = &mut mended, if broken => return MENDED,
            }
            if self.nowhere.is_some() {
                return NOWHERE;
            }
        }
    }

    fn tick(&mut self, before: ClockState, guard: Option<&Guard>) -> ClockState {
        if self.pulse.beats(&self.network.listeners, &self.files.gateway.name) {
            guard.map_or_else(systemd::alive, Guard::beat);
        }
        let upstreams = self.network.upstreams();
        let everybody = self.network.everybody();
        self.post.show(|shown| {
            shown.upstreams = Some(upstreams);
            if let Some(address) = everybody.filter(|_| shown.everybody.is_none()) {
                tracing::warn!(%address, "every device looks like one: whoever stands in between does not say who asks");
            }
            shown.everybody = everybody;
        });
        self.look_at_the_router();
        if self.hinted.is_none_or(|then| then.elapsed() >= HINTS) {
            self.hinted = Some(Instant::now());
            // Lease files are few and small.
            let handed = self.handed.look(&self.files.gateway);
            let hints = self.network.hints(&self.files.gateway, &self.home, handed);
            self.post.show(|shown| shown.hints = hints);
            let new = tokio::task::block_in_place(|| self.shared.rules.look_at_turned_away());
            self.shared.recorder.by_themselves(new);
        }
        let state = self.shared.clock.state();
        if state != before {
            match state {
                ClockState::Right => tracing::info!("the clock is right"),
                ClockState::NotYet | ClockState::Jumped => {
                    tracing::warn!(
                        clock = word(state),
                        "the clock cannot be believed; the baseline applies to everybody"
                    );
                }
            }
        }
        state
    }

    /// Sees whether anything keeps the router from holding what it is meant to, and says so once.
    fn look_at_the_router(&self) {
        let running = tokio::task::block_in_place(|| self.shared.rules.running());
        let alone = router::wants_stand_in(&self.files.gateway) && !self.post.is_stood_by();
        let running = Running { alone, ..running };
        let troubles = router::troubles(&running);
        self.post.show(|shown| {
            shown.running = running;
            shown.turned_away = self.shared.rules.turned_away();
            for new in troubles.iter().filter(|trouble| !shown.router.contains(trouble)) {
                tracing::warn!(code = new.code, "{}", new.sentence);
            }
            shown.router = troubles;
        });
    }

    /// Looks at the folder, and brings what is good into force.
    async fn look(&mut self) {
        let now = self.shared.clock.now();
        let change = match tokio::task::block_in_place(|| self.files.look(now)) {
            Ok(Some(change)) => change,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the home's folder cannot be read; what was in force stays in force");
                return;
            }
        };
        let Change { house, journal, gateway } = change;
        // Its lists may be older than the files, until the keeper has compiled.
        let catalogue = self.shared.in_force.to_keep().snapshot.catalogue.clone();
        self.bring(house, catalogue).await;
        if let Some(gateway) = gateway {
            self.rebuild_network(gateway).await;
        }
        self.tell_files();
        match journal {
            Some(journal) => {
                tracing::info!(
                    in_force = journal.in_force.len(),
                    waiting = journal.waiting.len(),
                    "files changed"
                );
                self.keep(journal).await;
            }
            None => self.purge().await,
        }
    }

    async fn bring_catalogue(&mut self, compiled: Compiled) {
        let house = tokio::task::block_in_place(|| self.files.house(self.shared.clock.now()));
        self.bring(house, compiled.catalogue.into()).await;
    }

    /// Brings a house and a catalogue into force, with the standing that belongs to them.
    async fn bring(&mut self, house: House, catalogue: Arc<Catalogue>) {
        let snapshot = Arc::new(Snapshot { house, catalogue });
        match lost::standing(&self.shared.records, &snapshot.house, &self.state).await {
            Ok(standing) => {
                self.shared.in_force.replace(snapshot, Arc::new(standing));
                self.forget_former().await;
            }
            // A house with another's grants would open the wrong doors: the old one serves on until this works.
            Err(error) => {
                tracing::error!(%error, "the records cannot be read; what was in force stays in force");
                self.files.take_again();
            }
        }
    }

    /// Listens as the changed gateway.yaml says. When that cannot be, as it was before.
    async fn rebuild_network(&mut self, gateway: Gateway) {
        let before = self.files.gateway_before.take().unwrap_or_else(|| gateway.clone());
        if before.store != gateway.store {
            tracing::warn!("`store` in gateway.yaml has changed; it takes a restart");
            self.post.show(|shown| shown.needs_restart = vec!["store"]);
        }
        let (network, gateway) = match self.listen(&gateway).await {
            Ok(network) => (network, gateway),
            Err(failure) => {
                tracing::error!(%failure, "the gateway cannot listen as gateway.yaml says now; it listens as before");
                self.files.refuse_gateway(before.clone(), &failure);
                match self.listen(&before).await {
                    Ok(network) => (network, before),
                    Err(failure) => {
                        tracing::error!(%failure, "nor as before; it ends, to be started anew");
                        self.nowhere = Some(failure);
                        return;
                    }
                }
            }
        };
        let listeners = network.listeners.clone();
        self.network = network;
        self.post.show(|shown| (shown.listeners, shown.gateway) = (listeners, gateway));
    }

    /// Stops the network and starts another one. What goes through the first, tunnels included, has the proxy's grace to end and is
    /// closed then: programs connect again, to the new one.
    async fn listen(&mut self, gateway: &Gateway) -> Result<Network, Failure> {
        let ending = self.network.retire();
        tokio::spawn(ending);
        Network::start_within(PORTS_FREE, gateway, &self.shared).await
    }

    fn tell_files(&self) {
        for waits in &self.files.waiting {
            let places: Vec<String> =
                waits.problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.code)).collect();
            // The sentences may quote what a person wrote; the places are enough for the log.
            tracing::error!(
                file = waits.file,
                problems = places.join(", "),
                "a file waits (`hearthgate check`)"
            );
        }
        let (waiting, warnings) = (self.files.waiting.clone(), self.files.warnings.clone());
        self.post.show(|shown| {
            shown.waiting = waiting;
            shown.warnings = warnings;
        });
    }

    /// Whoever has left the home's files has no password any more. While home.yaml waits, what is in force may be half of it.
    async fn forget_former(&self) {
        let is_whole = !self.files.waiting.iter().any(|waits| waits.file == "home.yaml");
        if let Some(desk) = self.shared.desk.as_ref().filter(|_| is_whole) {
            desk.forget_former().await;
        }
    }

    /// Says in the journal what became of a change at the desk that the gateway's end cut short.
    async fn tell_unfinished(&self) {
        let editor = &self.post.editor;
        let Some((change, made)) = tokio::task::block_in_place(|| editor.unfinished()) else { return };
        let became = if made { "it is made" } else { "the file is as it was" };
        let what = format!("ended while the change of {change} was being saved: {became}");
        let by = By { role: ByRole::Gateway, id: "gateway".to_owned(), name: "the gateway".to_owned() };
        match self.shared.records.staff_action(by, &what, "").await {
            Ok(_) => editor.is_told(),
            Err(error) => tracing::error!(%error, "that a change was cut short could not be written down"),
        }
    }

    async fn keep(&self, journal: FilesChanged) {
        if journal.in_force.is_empty() && journal.waiting.is_empty() {
            return;
        }
        if let Err(error) = self.shared.records.files(journal).await {
            tracing::error!(%error, "that files changed could not be written into the journal");
        }
    }

    /// Purges what is older than the home keeps it: at the start and with each new day.
    async fn purge(&self) {
        let current = self.shared.in_force.to_keep();
        let home = current.snapshot.house.home();
        let today = self.shared.clock.now().with_timezone(&home.timezone).date_naive();
        match self.shared.records.purge(&home.keep, today).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old records were purged"),
            Err(error) => tracing::error!(%error, "old records could not be purged"),
        }
    }
}

/// Returns when a gateway could keep its records there again.
async fn mended(store: &agreements::Store, home: &Path) {
    loop {
        tokio::time::sleep(MENDED_EVERY).await;
        if Records::can_be_kept(store, home).await {
            return;
        }
    }
}

/// Reads the whole journal once and says in it what does not fit. Nobody waits for it.
pub(crate) async fn look_over(records: Arc<Records>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        found = records.look_over() => if let Err(error) = found {
            tracing::error!(%error, "the journal cannot be read as a whole");
        }
    }
}

/// Builds a new standing whenever staff decided something or minutes were used.
pub(crate) async fn follow_standing(
    records: Arc<Records>,
    in_force: Arc<InForce>,
    state: State,
    stop: CancellationToken,
) {
    let mut changes = records.changes();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.changed() => {}
        }
        let current = in_force.to_keep();
        match lost::standing(&records, &current.snapshot.house, &state).await {
            // When the house was replaced meanwhile, whoever did it has built the standing too.
            Ok(standing) => drop(in_force.replace_standing_of(&current.snapshot, Arc::new(standing))),
            Err(error) => {
                tracing::error!(%error, "the records cannot be read; what staff decided last holds on");
            }
        }
    }
}
