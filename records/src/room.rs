//! The room's door: the records, open.

use crate::clock::{Clock, ClockState};
use crate::entry::{Entry, stamp};
use crate::journal::{self, Decided, Head, Misfit, Verified};
use crate::minutes::{Ledger, Look};
use crate::store::{OpenError, Purpose, Store, StoreError};
use agreements::Store as Where;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// How often a running gateway looks whether another process has decided something.
pub(crate) const POLL: Duration = Duration::from_millis(400);

/// What was refused and what staff did, open to append and to read.
pub struct Records {
    pub(crate) store: Store,
    pub(crate) purpose: Purpose,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ledger: Mutex<Ledger>,
    /// Goes up whenever a new standing is due.
    pub(crate) due: watch::Sender<u64>,
    pub(crate) news: broadcast::Sender<News>,
    pub(crate) health: Health,
    pub(crate) decided: tokio::sync::Mutex<Decided>,
    /// Why the home's own records are out of use, so that these are in memory.
    pub(crate) broken: Option<String>,
}

/// Something new in the journal, for whoever shows it or tells people. Entries are numbers: what they say is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The entry.
    pub entry: i64,
    /// Its kind, as [`Entry::kind`] has it.
    pub kind: &'static str,
    /// For a breach that began, or records that do not fit: how much it tells staff.
    pub severity: Option<agreements::Severity>,
    /// For a breach that began: whether it was a way around the gateway.
    pub circumvention: bool,
}

/// How the writing goes.
#[derive(Debug, Default)]
pub(crate) struct Health {
    pub(crate) shed: AtomicU64,
    pub(crate) queued: AtomicU64,
    /// By the steady clock, in milliseconds; 0 before the first.
    pub(crate) committed: AtomicU64,
    pub(crate) failing: Mutex<Option<String>>,
    pub(crate) misfit: Mutex<Option<String>>,
}

impl Health {
    /// Keeps the first thing that does not fit, for the status.
    pub(crate) fn misfits(&self, entry: i64, misfit: Misfit) {
        let mut first = self.misfit.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("entry {entry}: {misfit}"));
    }
}

/// The records in numbers, for `hearthgate status` and the metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// How far the chain has come.
    pub journal: Head,
    /// Refusals dropped since the start, because the queue was full.
    pub shed: u64,
    /// Refusals waiting in the queue.
    pub queued: u64,
    /// Seconds since the last commit; none before the first.
    pub last_commit_seconds: Option<u64>,
    /// Seconds since the last copy of the records that fits; none where there was none.
    pub last_backup_seconds: Option<u64>,
    /// Why the last commit failed; none when it did not.
    pub failing: Option<String>,
    /// The first thing in the records that was found not to fit since the start; none when nothing was.
    pub misfit: Option<String>,
    /// Why the home's own records cannot be used; none when they are. Then these are in memory, and gone with the gateway.
    pub broken: Option<String>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Records {
    /// Opens the records for a gateway: they are created, or upgraded, and a second gateway is kept out.
    ///
    /// A relative SQLite path is inside `home_dir`.
    pub async fn open(at: &Where, home_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_for(Purpose::Gateway, at, home_dir, clock).await
    }

    /// Opens the records for what a program is about to do.
    pub async fn open_for(
        purpose: Purpose,
        at: &Where,
        home_dir: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let store = Store::open(at, home_dir, purpose).await?;
        // A command may be what an older program's store is asked by; a gateway relies on all of it.
        if purpose == Purpose::Gateway
            && let Err(e) = store.check().await
        {
            store.close().await;
            return Err(e.into());
        }
        Ok(Self::of(store, purpose, clock, None))
    }

    /// Records in memory for a gateway whose own cannot be used, and why: it must not leave the home dark. What is at `at` is
    /// left as it is. They take breaches and minutes, and nothing that people decide: it would be gone with the gateway.
    ///
    /// An error where another gateway keeps the records.
    pub async fn in_memory(
        at: &Where,
        home_dir: &Path,
        clock: Arc<dyn Clock>,
        why: String,
    ) -> Result<Self, OpenError> {
        let store = Store::in_memory_for(at, home_dir).await?;
        Ok(Self::of(store, Purpose::Gateway, clock, Some(why)))
    }

    /// Records in memory where nobody is known and nothing is to be kept: while somebody stands in for the gateway.
    pub async fn of_nobody(clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let store = Store::of_memory().await?;
        Ok(Self::of(store, Purpose::Gateway, clock, Some("the gateway does not run".to_owned())))
    }

    fn of(store: Store, purpose: Purpose, clock: Arc<dyn Clock>, broken: Option<String>) -> Self {
        Self {
            store,
            purpose,
            clock,
            ledger: Mutex::default(),
            due: watch::Sender::new(0),
            news: broadcast::Sender::new(256),
            health: Health::default(),
            decided: tokio::sync::Mutex::default(),
            broken,
        }
    }

    /// Whether a gateway could keep the records there now: they can be read, or there are none yet.
    pub async fn can_be_kept(at: &Where, home_dir: &Path) -> bool {
        match Store::open(at, home_dir, Purpose::Read).await {
            Ok(store) => {
                let checked = store.check().await;
                store.close().await;
                checked.is_ok()
            }
            Err(e) => matches!(e, OpenError::Missing(_)),
        }
    }

    /// Why the home's own records cannot be used, so that these are in memory; none when they are used.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Closes every connection. Whoever drops the records without this loses nothing, but may find a log file left.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The clock that entries are dated by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        stamp(self.clock.now())
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one entry that concerns no list.
    pub(crate) async fn append(&self, entry: Entry) -> Result<i64, StoreError> {
        let mut tx = self.store.begin().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        tx.commit().await?;
        self.tell(seq, &entry);
        Ok(seq)
    }

    /// Tells whoever listens of an entry that is on the disk.
    pub(crate) fn tell(&self, seq: i64, entry: &Entry) {
        let (severity, circumvention) = if let Entry::BreachOpened(b) = entry {
            (Some(b.severity), b.circumvention)
        } else if let Entry::Misfit(m) = entry {
            (Some(m.severity), false)
        } else {
            (None, false)
        };
        // Nobody listening is no error.
        let _ = self.news.send(News { entry: seq, kind: entry.kind(), severity, circumvention });
        if entry.moves_standing() {
            self.due.send_modify(|n| *n += 1);
        }
    }

    /// What this process appends from now on. Whoever is too slow misses some and is told how many.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// How far the chain has come.
    pub async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    /// Reads the whole journal and finds the first place that does not fit. With a head that was kept elsewhere it
    /// also finds a journal that was rewritten whole.
    pub async fn verify(&self, kept: Option<&Head>) -> Result<Verified, StoreError> {
        // A clock that is not right says nothing about what was purged in the future.
        let now = (self.clock.state() == ClockState::Right).then(|| self.now());
        self.store.verify(kept, now).await
    }

    /// The records in numbers.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let committed = self.health.committed.load(Ordering::Relaxed);
        let steady = u64::try_from(self.clock.steady().as_millis()).unwrap_or(u64::MAX);
        Ok(Status {
            journal: self.store.head().await?,
            shed: self.health.shed.load(Ordering::Relaxed),
            queued: self.health.queued.load(Ordering::Relaxed),
            last_commit_seconds: (committed > 0).then(|| steady.saturating_sub(committed) / 1000),
            last_backup_seconds: self
                .last_backup()
                .await?
                .map(|at| u64::try_from((self.now() - at).num_seconds()).unwrap_or_default()),
            failing: self.failing(),
            misfit: self.health.misfit.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            broken: self.broken.clone(),
        })
    }

    /// Why commits fail at the moment; none where they do not. It needs no store.
    pub fn failing(&self) -> Option<String> {
        self.health.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts why commits fail, or that they do not. Whether that is news.
    pub(crate) fn set_failing(&self, why: Option<String>) -> bool {
        let mut failing = self.health.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let news = failing.is_some() != why.is_some();
        *failing = why;
        news
    }

    /// Looks whether the home's day has turned, and turns the ledger. Whether it did.
    pub(crate) async fn turn(&self, look: Look, day: NaiveDate) -> Result<bool, StoreError> {
        let begun = self.ledger().day().is_some();
        // Before the clock is right, what is used belongs to the last day that there was.
        let day = match look.state {
            ClockState::NotYet if !begun => self.last_day().await?.unwrap_or(day),
            ClockState::Right | ClockState::NotYet | ClockState::Jumped => day,
        };
        let Some(turn) = self.ledger().turn(look, day) else { return Ok(false) };
        let stored = self.day(turn.to).await?;
        self.ledger().enter(turn, stored);
        Ok(true)
    }

    /// Tells when a new standing is due: this process or another has decided something, or a used total has changed.
    pub fn changes(self: &Arc<Self>) -> Changes {
        Changes { due: self.due.subscribe(), records: self.clone(), pulse: None, standing: None }
    }
}

/// Waits for what makes a new standing due.
#[derive(Debug)]
pub struct Changes {
    records: Arc<Records>,
    due: watch::Receiver<u64>,
    pulse: Option<i64>,
    standing: Option<i64>,
}

impl Changes {
    /// Returns when a new standing is due, and once soon after the first call in any case. What another process decided is noticed within half a second. A store that cannot be read is asked again.
    pub async fn changed(&mut self) {
        loop {
            tokio::select! {
                due = self.due.changed() => if due.is_ok() { return },
                () = tokio::time::sleep(POLL) => if self.looked().await.unwrap_or(false) { return },
            }
        }
    }

    async fn looked(&mut self) -> Result<bool, StoreError> {
        let pulse = self.records.store.pulse().await?;
        if self.pulse == Some(pulse) {
            return Ok(false);
        }
        let row = self.records.store.row("SELECT standing FROM head", &[]).await?;
        let standing = row.map_or(Ok(0), |line| line.int(0))?;
        self.pulse = Some(pulse);
        let before = self.standing.replace(standing);
        Ok(before != Some(standing))
    }
}
