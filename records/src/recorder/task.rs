//! The journal's task.

use super::queue::Waiting;
use super::{COMMIT_EVERY, GATHER, HARVEST_EVERY, Shared};
use crate::clock::{ClockState, JUMP, drift};
use crate::commit::{Batch, Numbers};
use crate::entry::{ClockChanged, Entry, Shed, Started, Stopped};
use crate::episode::{Episodes, Folded};
use crate::in_force::InForce;
use crate::minutes::{Known, Look};
use crate::monitoring::Monitor;
use crate::refusal::{Total, key, opening, seen};
use crate::room::Records;
use crate::shift;
use crate::store::StoreError;
use agreements::{Counts, House, Person, PersonKind};
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

/// What was shed is recorded no more often than this: a flood makes few entries.
const SHED_EVERY: Duration = Duration::from_secs(1);
/// When stopping, the disk is given this long.
const LAST_WORDS: Duration = Duration::from_secs(5);

type Committing = JoinHandle<(Batch, Result<Numbers, StoreError>)>;

pub(super) struct Task {
    shared: Arc<Shared>,
    records: Arc<Records>,
    in_force: Arc<InForce>,
    /// What was taken from the queues last, for its room.
    taken: Waiting,
    episodes: Episodes,
    monitor: Monitor,
    entries: Vec<(DateTime<Utc>, Entry)>,
    shed: Option<Shed>,
    shed_told: Duration,
    look: Look,
    harvested: Duration,
    /// Whether the last commit took the counts of episodes that go on.
    with_counts: bool,
    recovered: bool,
    committing: Option<Committing>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, in_force: Arc<InForce>) -> Self {
        let records = shared.records.clone();
        let look = look(&records);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut entries = vec![(look.wall, Entry::Started(Started { version }))];
        if look.state != ClockState::Right {
            entries.push((look.wall, Entry::Clock(ClockChanged { state: look.state, by_seconds: 0 })));
        }
        Self {
            shared,
            records,
            in_force,
            taken: Waiting::default(),
            episodes: Episodes::default(),
            monitor: Monitor::default(),
            entries,
            shed: None,
            shed_told: Duration::ZERO,
            look,
            harvested: Duration::ZERO,
            with_counts: false,
            recovered: false,
            committing: None,
        }
    }

    /// Folds as refusals come, commits as time passes, until it is stopped.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        let mut tick = tokio::time::interval(COMMIT_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When what waits is looked at; none while nothing is known to wait.
        let mut look_at: Option<Instant> = None;
        loop {
            tokio::select! {
                // Time first: a flood must not keep what was folded from the disk. And nothing is folded before it is
                // known which episodes go on.
                biased;
                () = shared.stop.notified() => break,
                done = finished(&mut self.committing) => self.committed(done),
                _ = tick.tick() => self.tick().await,
                () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() && self.recovered => {
                    look_at = None;
                    self.fold();
                }
                () = shared.bell.notified() => {
                    let soon = if shared.queue.presses() || shared.urgent.presses() { Duration::ZERO } else { GATHER };
                    let soon = Instant::now() + soon;
                    look_at = Some(look_at.map_or(soon, |at| at.min(soon)));
                }
            }
        }
        self.end().await;
    }

    /// Folds what waits in the queues, what tells staff much first.
    fn fold(&mut self) {
        let Self { shared, records, episodes, taken, .. } = self;
        for queue in [&shared.urgent, &shared.queue] {
            queue.take(taken);
            taken.each(|refused| {
                let (key, seen) = (key(refused), seen(refused));
                if episodes.fold(&key, seen, |key| opening(refused, key, seen)) == Some(Folded::NoRoom) {
                    records.health.shed.fetch_add(1, Ordering::Relaxed);
                    shared.dropped.add(refused.at);
                }
            });
            taken.clear();
        }
    }

    async fn tick(&mut self) {
        self.records
            .health
            .queued
            .store((self.shared.queue.len() + self.shared.urgent.len()) as u64, Ordering::Relaxed);
        self.look_at_clock();
        if self.recovered {
            // What waits came before now: it is folded before an episode is found to be over.
            self.fold();
        } else {
            // Nothing is committed before this has worked: an episode must not begin beside one that goes on. And that the
            // gateway started is committed before anything that it refused.
            match self.records.recover(&mut self.episodes).await {
                Ok(misfits) => {
                    self.recovered = true;
                    self.entries.extend(misfits.into_iter().map(|misfit| (self.look.wall, misfit)));
                }
                Err(e) => return self.failed(&e),
            }
        }
        if let Err(e) = self.monitor.recover(&self.records).await {
            return self.failed(&e);
        }
        self.episodes.end_quiet(self.look.wall);
        if self.look.steady >= self.harvested + HARVEST_EVERY || self.harvested.is_zero() {
            self.harvest().await;
        }
        self.begin_commit();
    }

    fn look_at_clock(&mut self) {
        let (before, now) = (self.look, look(&self.records));
        self.look = now;
        let by = drift((before.wall, before.steady), (now.wall, now.steady));
        let by_seconds = if by.abs().to_std().is_ok_and(|by| by > JUMP) { by.num_seconds() } else { 0 };
        if (now.state != before.state || by_seconds != 0) && self.entries.len() < 1000 {
            self.entries.push((now.wall, Entry::Clock(ClockChanged { state: now.state, by_seconds })));
        }
    }

    fn gather_shed(&mut self) {
        let Some((count, from, to)) = self.shared.dropped.take() else { return };
        let (from, to) = (crate::commit::instant(from), crate::commit::instant(to));
        let before = self.shed.take();
        self.shed = Some(Shed {
            count: count + before.as_ref().map_or(0, |s| s.count),
            from: before.map_or(from, |s| s.from),
            to,
        });
    }

    fn begin_commit(&mut self) {
        if self.committing.is_some() || !self.recovered {
            return;
        }
        self.gather_shed();
        let batch = self.batch();
        if batch.is_empty() {
            // Counts that wait for the next commit may be what the disk did not take.
            if self.with_counts || self.episodes.is_clean() {
                self.succeeded();
            }
            return;
        }
        let records = self.records.clone();
        self.committing = Some(tokio::spawn(async move {
            let result = records.commit(&batch).await;
            (batch, result)
        }));
    }

    fn batch(&mut self) -> Batch {
        // Every second commit takes the counts of what goes on: they are most of the work.
        self.with_counts = !self.with_counts;
        let mut entries = std::mem::take(&mut self.entries);
        if self.look.steady >= self.shed_told + SHED_EVERY
            && let Some(shed) = self.shed.take()
        {
            self.shed_told = self.look.steady;
            entries.push((self.look.wall, Entry::Shed(shed)));
        }
        let day = self.day(&self.in_force.current().snapshot.house);
        let turns = self.monitor.turns(&self.in_force, self.look);
        let counts = Total::ALL.map(|t| (day, t, self.shared.totals[t as usize].swap(0, Ordering::Relaxed)));
        Batch {
            changes: self.episodes.changes(self.with_counts),
            entries,
            totals: counts.into_iter().filter(|(_, _, count)| *count > 0).collect(),
            minutes: self.records.ledger().take_dirty(),
            monitored: self.monitor.take_due(),
            turns: turns.into_iter().map(|turn| (self.look.wall, turn)).collect(),
        }
    }

    fn day(&self, house: &House) -> NaiveDate {
        self.records.ledger().day().unwrap_or_else(|| house.day_of(self.look.wall))
    }

    fn committed(&mut self, (batch, result): (Batch, Result<Numbers, StoreError>)) {
        self.committing = None;
        match result {
            Ok(numbers) => {
                self.episodes.taken(&batch.changes, &numbers);
                if !batch.turns.is_empty() {
                    self.monitor.turned();
                }
                self.succeeded();
                // A long list goes on at once; the rest waits for its time.
                if batch.changes.len() >= crate::episode::MOST_A_COMMIT {
                    self.begin_commit();
                }
            }
            Err(e) => {
                self.failed(&e);
                self.put_back(batch);
            }
        }
    }

    fn put_back(&mut self, batch: Batch) {
        self.episodes.not_taken(&batch.changes);
        self.records.ledger().give_back(batch.minutes);
        self.monitor.give_back(batch.monitored);
        for (_, total, count) in batch.totals {
            self.shared.totals[total as usize].fetch_add(count, Ordering::Relaxed);
        }
        let newer = std::mem::replace(&mut self.entries, batch.entries);
        self.entries.extend(newer);
    }

    fn succeeded(&self) {
        let steady = u64::try_from(self.look.steady.as_millis()).unwrap_or(u64::MAX);
        self.records.health.committed.store(steady, Ordering::Relaxed);
        if self.records.set_failing(None) {
            tracing::info!("the records are being written again");
        }
    }

    fn failed(&self, e: &StoreError) {
        if self.records.set_failing(Some(e.to_string())) {
            tracing::error!(error = %e, "the records cannot be written; trying again");
        }
    }

    async fn harvest(&mut self) {
        let (look, sheets) = (self.look, self.in_force.sheets());
        let Some((newest, _)) = sheets.last() else { return };
        let day = newest.house.day_of(look.wall);
        let turned = match self.records.turn(look, day).await {
            Ok(turned) => turned,
            Err(e) => return self.failed(&e),
        };
        self.harvested = look.steady;
        let of_day = minute_of_day(&newest.house, day, look.wall);
        if let Err(e) = self.monitor.harvest(&self.records, look, of_day, &sheets).await {
            self.failed(&e);
        }
        let mut grew = turned;
        let mut ledger = self.records.ledger();
        for (snapshot, sheet) in &sheets {
            for (who, person) in snapshot.house.people().filter(|(_, p)| is_counted(p)) {
                let (counted, estimated) = sheet.take(who);
                let keys = snapshot.house.counted_keys(who);
                for (known, bits) in [(Known::Counted, counted), (Known::Estimated, estimated)] {
                    for (_, key) in keys.iter().enumerate().filter(|(i, _)| has(bits, *i)) {
                        let word = crate::spell::of_key(key);
                        grew |= ledger.add(&person.id, &word, known, look.steady, of_day);
                    }
                }
            }
        }
        drop(ledger);
        if grew {
            self.records.due.send_modify(|n| *n += 1);
        }
    }

    /// Whether anything is known that the disk has not.
    fn has_more(&self) -> bool {
        let waits = self.committing.is_some() || self.shed.is_some() || !self.entries.is_empty();
        let totals = self.shared.totals.iter().any(|total| total.load(Ordering::Relaxed) > 0);
        let counted = totals || self.records.ledger().is_dirty() || self.monitor.is_due();
        !self.recovered || waits || counted || !self.episodes.is_clean()
    }

    /// Takes what is still in the queue, commits everything and says that it stopped.
    async fn end(mut self) {
        self.shared.queue.close();
        self.shared.urgent.close();
        self.tick().await;
        self.fold();
        self.harvested = Duration::ZERO;
        self.shed_told = Duration::ZERO;
        let last = async {
            self.tick().await;
            self.episodes.last_words();
            // That it stopped is the last that it says: what is known goes before.
            let mut stopped = Some((self.look.wall, Entry::Stopped(Stopped {})));
            while self.has_more() || stopped.is_some() {
                if !self.has_more() {
                    self.entries.extend(stopped.take());
                }
                match self.committing {
                    Some(_) => {
                        let done = finished(&mut self.committing).await;
                        let failed = done.1.is_err();
                        self.committed(done);
                        if failed {
                            tokio::time::sleep(COMMIT_EVERY).await;
                        }
                    }
                    None => {
                        self.tick().await;
                        if self.committing.is_none() {
                            tokio::time::sleep(COMMIT_EVERY).await;
                        }
                    }
                }
            }
        };
        if tokio::time::timeout(LAST_WORDS, last).await.is_err() {
            tracing::error!("the records could not all be written before the end");
        }
    }
}

impl Drop for Task {
    /// However it ends: nothing waits for a task that is gone.
    fn drop(&mut self) {
        self.shared.queue.close();
        self.shared.urgent.close();
    }
}

fn look(records: &Records) -> Look {
    let state = records.clock.look();
    Look { wall: records.now(), steady: records.clock.steady(), state }
}

fn has(bits: Counts, key: usize) -> bool {
    key < 64 && bits.0 & (1 << key) != 0
}

/// Minutes are kept for young people and shared devices, and for adults only where a limit asks for it.
fn is_counted(person: &Person) -> bool {
    match person.kind {
        PersonKind::YoungPerson | PersonKind::Device => true,
        PersonKind::Staff | PersonKind::Visitor => !person.limits.is_empty(),
    }
}

/// Minutes from the start of the home's day.
fn minute_of_day(house: &House, day: NaiveDate, at: DateTime<Utc>) -> u16 {
    let home = house.home();
    let start = shift::instant(home.timezone, day.and_time(home.day_starts));
    u16::try_from((at - start).num_minutes().max(0)).unwrap_or(u16::MAX)
}

/// The commit under way, when it is done; never, when none is.
async fn finished(committing: &mut Option<Committing>) -> (Batch, Result<Numbers, StoreError>) {
    match committing {
        None => std::future::pending().await,
        Some(handle) => match handle.await {
            Ok(done) => done,
            // A commit that panicked took its batch with it. It never does: it does nothing but talk to the store.
            Err(e) => (Batch::default(), Err(StoreError::shape(e))),
        },
    }
}
