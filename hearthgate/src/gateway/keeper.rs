//! Keeps the lists fresh: fetches what is due, compiles when something changed, hands the catalogue over.
//!
//! It works beside the gateway and holds up nothing: fetches wait on the network, compiling runs in a thread of low
//! priority, and until the new catalogue is there the old one serves.

use crate::catalogue::{Compiled, Notes, Recipe};
use crate::clock;
use crate::failure::Failure;
use crate::lists::fetch::{Fetched, Marks};
use crate::lists::shelf::{Label, Shelf};
use crate::lists::update::{Renewed, Renewing};
use crate::lists::{self, calendar, is_fetched};
use crate::state::State;
use agreements::{House, ListSource};
use blocklists::subscription::{next_fetch, next_try};
use chrono::{DateTime, Utc};
use records::{InForce, ListMissing, Records};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Without anything due it still looks this often.
const SELDOM: Duration = Duration::from_secs(3600);
/// A calendar of school terms is fetched this often.
const CALENDAR: Duration = Duration::from_secs(24 * 3600);

/// Keeps the lists fresh.
pub(crate) struct Keeper {
    pub(crate) in_force: Arc<InForce>,
    pub(crate) renewing: Renewing,
    pub(crate) state: State,
    /// The fingerprint of the catalogue in force.
    pub(crate) fingerprint: String,
    /// Where compiled catalogues go.
    pub(crate) ready: mpsc::Sender<Compiled>,
    /// Rung when the lists or the files may have changed.
    pub(crate) bell: Arc<Notify>,
    /// Rung when a calendar came.
    pub(crate) files: Arc<Notify>,
    /// Where it is written down that a list of the floor has no copy.
    pub(crate) records: Arc<Records>,
    /// The lists of which that is told.
    pub(crate) told: BTreeSet<String>,
}

impl Keeper {
    /// Works until told to stop.
    pub(crate) async fn work(mut self, stop: CancellationToken) {
        // Homes that start at the same moment do not fetch at the same moment.
        let seed = seed();
        loop {
            let pause = {
                // Not held while waiting: it would keep a catalogue in memory that is out of force.
                let current = self.in_force.to_keep();
                let house = &current.snapshot.house;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.renew(house, seed) => {}
                }
                if let Err(failure) = self.compile(house).await {
                    tracing::error!(%failure, "the lists cannot be compiled; the last catalogue stays");
                }
                self.tell_missing(house).await;
                self.until_due(house, seed)
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Says in the log and in the journal which lists of the floor have no copy: once for each, until it has come.
    async fn tell_missing(&mut self, house: &House) {
        let notes = Notes::load(&self.state).unwrap_or_default();
        let missing = lists::without_copy(house, &notes);
        for source in missing.iter().filter(|source| !self.told.contains(&source.from)) {
            let own = source.categories.iter().map(|(_, ours)| ours);
            let categories = source.category.iter().chain(own).map(|c| c.word().to_owned()).collect();
            let place = house.source(source.source);
            let (file, line) = place.map_or(("home.yaml".to_owned(), 1), |s| (s.file.clone(), s.line));
            tracing::error!(
                file,
                line,
                "a list that the floor relies on has no copy: what it alone names is open (`hearthgate lists status`)"
            );
            let entry = ListMissing { file, line, categories, sealed: source.sealed };
            if let Err(error) = self.records.list_missing(entry).await {
                tracing::error!(%error, "that a list is missing could not be written into the journal");
            }
        }
        self.told = missing.into_iter().map(|source| source.from.clone()).collect();
    }

    async fn renew(&self, house: &House, seed: u64) {
        let Ok(lock) = self.lock().await else { return };
        let sources = &house.home().lists;
        let terms = calendar::address(house);
        let known = sources.iter().map(|s| s.from.as_str()).chain(terms.as_deref());
        if let Err(error) = self.renewing.shelf.tidy(known) {
            tracing::warn!(%error, "old copies of lists cannot be removed");
        }
        for source in sources {
            if is_fetched(&source.from) && self.due(&source.from, refresh(source), seed) > Duration::ZERO {
                continue;
            }
            // The address of a list is not told: it may hold a licence key.
            if let Renewed::Kept(why) = self.renewing.renew(source, clock::now()).await {
                tracing::warn!(%why, "a list could not be renewed; its last good copy stays (`hearthgate lists status`)");
            }
        }
        if let Some(url) = terms.filter(|url| self.due(url, CALENDAR, seed) == Duration::ZERO) {
            self.renew_calendar(&url).await;
        }
        drop(lock);
    }

    async fn lock(&self) -> std::io::Result<std::fs::File> {
        let shelf = self.state.lists();
        let locked = tokio::task::spawn_blocking(move || lists::lock(&shelf)).await;
        locked.unwrap_or_else(|e| Err(std::io::Error::other(e)))
    }

    async fn renew_calendar(&self, url: &str) {
        let shelf = &self.renewing.shelf;
        let label = Label { tried: Some(clock::now()), ..shelf.label(url) };
        let marks = Marks { etag: label.etag.clone(), last_modified: label.last_modified.clone() };
        let fetched = self.renewing.fetcher.fetch(url, &marks, &shelf.arriving(url)).await;
        let kept = match fetched.map_err(|e| e.to_string()).and_then(|f| take_in(shelf, &label, f)) {
            Ok(new) => {
                if new {
                    self.files.notify_one();
                }
                return;
            }
            Err(why) => {
                tracing::warn!(%why, "the school calendar could not be renewed; its last good copy stays");
                let failures = label.failures.saturating_add(1);
                shelf.write(&Label { failures, error: Some(why), ..label })
            }
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "what is known of the school calendar cannot be kept");
        }
    }

    /// How long until a fetched list is due.
    fn due(&self, from: &str, refresh: Duration, seed: u64) -> Duration {
        let label = self.renewing.shelf.label(from);
        let Some(tried) = label.tried else { return Duration::ZERO };
        let now = since_1970(clock::now());
        // A time to come (the clock was wrong then) is no reason to wait for it.
        let last = since_1970(tried).min(now);
        let next = match label.failures {
            0 => next_fetch(last, refresh, seed),
            failures => next_try(last, refresh, failures, seed),
        };
        next.saturating_sub(now)
    }

    fn until_due(&self, house: &House, seed: u64) -> Duration {
        let fetched = house.home().lists.iter().filter(|source| is_fetched(&source.from));
        let due = fetched.map(|source| self.due(&source.from, refresh(source), seed));
        let terms = calendar::address(house).map(|url| self.due(&url, CALENDAR, seed));
        let soonest = due.chain(terms).min().unwrap_or(SELDOM);
        soonest.clamp(Duration::from_secs(1), SELDOM)
    }

    /// Compiles, if what the catalogue is made from is other than what it was made from.
    async fn compile(&mut self, house: &House) -> Result<(), Failure> {
        let recipe = Recipe::of(house, &self.renewing.home, Some(&self.renewing.shelf));
        if recipe.fingerprint() == self.fingerprint {
            return Ok(());
        }
        let fingerprint = recipe.fingerprint().to_owned();
        let state = self.state.clone();
        let compiled = quietly(move || match recipe.open(&state) {
            // Somebody else compiled it meanwhile (`hearthgate lists compile`).
            Some(compiled) => Ok(compiled),
            None => recipe.renew(&state, clock::now(), &mut |_| {}),
        });
        let compiled = compiled.await?;
        self.fingerprint = fingerprint;
        tracing::info!(names = compiled.catalogue.info().names, "the lists are compiled");
        // When nobody takes it any more the gateway is stopping.
        let _stopping = self.ready.send(compiled).await;
        Ok(())
    }
}

/// Takes a fetched calendar in. Whether it is another than before.
fn take_in(shelf: &Shelf, label: &Label, fetched: Fetched) -> Result<bool, String> {
    let well = |label: Label| Label { failures: 0, error: None, confirmed: Some(clock::now()), ..label };
    match fetched {
        Fetched::Current => {
            shelf.write(&well(label.clone())).map_err(|e| e.to_string())?;
            Ok(false)
        }
        Fetched::Body { marks, sha256, bytes } => {
            let arrived = shelf.arriving(&label.from);
            let text = std::fs::read_to_string(&arrived).map_err(|e| e.to_string())?;
            if !calendar::is_one(&text) {
                return Err("what was fetched is no iCalendar file".to_owned());
            }
            let new = sha256 != label.sha256;
            let fetched = Some(clock::now());
            let Marks { etag, last_modified } = marks;
            let label = well(Label { etag, last_modified, fetched, sha256, bytes, ..label.clone() });
            shelf.put(&arrived, &label).map_err(|e| e.to_string())?;
            Ok(new)
        }
    }
}

fn refresh(source: &ListSource) -> Duration {
    source.refresh.to_std().unwrap_or(CALENDAR).max(Duration::from_secs(60))
}

fn since_1970(at: DateTime<Utc>) -> Duration {
    Duration::from_secs(u64::try_from(at.timestamp()).unwrap_or_default())
}

/// A number of this process's own.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

/// Runs heavy work in a thread of low priority.
async fn quietly<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (done, waiting) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().name("compile".to_owned()).spawn(move || {
        // Without a number it is the calling thread's own priority (setpriority(2), notes for Linux), and ends with it.
        let _at_full_priority_then = rustix::process::setpriority_process(None, 10);
        let _nobody_waits = done.send(work());
    });
    started.map_err(|e| Failure::no(format!("no thread to compile in: {e}")))?;
    waiting.await.unwrap_or_else(|_| Err(Failure::no("compiling ended before it was done")))
}
