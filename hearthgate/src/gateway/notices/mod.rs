//! Whoever the home wants told is told: by mail, a web hook, or ntfy.
//!
//! The journal is the queue. For each recipient the records know up to which entry they have been told; what comes after it
//! is looked through, folded into one message, and sent. While the network is down nothing moves, and nothing is lost; the
//! records go on only when a message has been taken. A message says how many and how serious, never who or where: others
//! may read it.

mod due;
mod pending;
mod said;
mod send;
#[cfg(test)]
mod tests;

use crate::lists::names::Names;
use agreements::{Gateway, House, Notify, Severity};
use chrono::{DateTime, Utc};
use due::{Due, Unwritten};
use pending::{Known, Pending, Spent, Waits};
use records::{BreachOpened, Clock, Entry, Grown, InForce, Logged, Records, StoreError};
use said::Message;
use send::Sender;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// What comes together is told together.
const TOGETHER: Duration = Duration::from_secs(2);
/// Without news it is looked all the same: other programs write into the journal too, and time itself makes things due.
const LOOK: Duration = Duration::from_secs(10);
/// After a failure the next try comes this much later, twice as much after each, and no later than the last.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LAST_WAIT: Duration = Duration::from_secs(30 * 60);
/// To find out how grave an episode was before, so many pages of the journal are read.
const BEFORE: usize = 16;

/// What tells people.
pub(crate) struct Notices {
    records: Arc<Records>,
    in_force: Arc<InForce>,
    clock: Arc<dyn Clock>,
    home: PathBuf,
    sender: Sender,
}

/// What is remembered of each recipient while the gateway runs.
#[derive(Default)]
struct Recipients(HashMap<String, Recipient>);

#[derive(Default)]
struct Recipient {
    /// How often it failed in a row, and when the next try is.
    failed: Option<(u32, Duration)>,
    pending: Pending,
    spent: Spent,
    known: Known,
    /// They took a message that speaks of everything up to this entry, whether or not that could be written down.
    sent: i64,
    /// What was due and they took, and could not be written down so far.
    unkept: HashSet<(String, i64)>,
    unwritten: Unwritten,
}

impl Notices {
    /// For a home's folder.
    pub(crate) fn new(
        records: Arc<Records>,
        in_force: Arc<InForce>,
        clock: Arc<dyn Clock>,
        home: PathBuf,
        names: Names,
    ) -> Result<Self, reqwest::Error> {
        let sender = Sender::new(home.clone(), names)?;
        Ok(Self { records, in_force, clock, home, sender })
    }

    /// Tells until told to stop.
    pub(crate) async fn work(self, stop: CancellationToken) {
        let mut news = self.records.news();
        let mut recipients = Recipients::default();
        // Whoever is new is told of what happens from here on.
        self.round(&mut recipients).await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                heard = news.recv() => if matches!(heard, Err(RecvError::Closed)) { return },
                () = tokio::time::sleep(LOOK) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TOGETHER) => {}
            }
            while news.try_recv().is_ok() {}
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.round(&mut recipients) => {}
            }
        }
    }

    async fn round(&self, recipients: &mut Recipients) {
        let current = self.in_force.to_keep();
        let house = &current.snapshot.house;
        let all = &house.home().notify;
        recipients.0.retain(|key, _| all.iter().any(|notify| self::key(notify) == *key));
        for notify in all {
            let recipient = recipients.0.entry(key(notify)).or_default();
            if let Err(error) = self.tell(house, notify, recipient).await {
                tracing::warn!(%error, "whom to tell of what could not be read");
            }
        }
    }

    async fn tell(
        &self,
        house: &House,
        notify: &Notify,
        recipient: &mut Recipient,
    ) -> Result<(), StoreError> {
        let key = key(notify);
        let may_send = recipient.failed.is_none_or(|(_, next)| next <= self.clock.steady());
        if let Some(message) = self.unwritten(house, notify, &mut recipient.unwritten).filter(|_| may_send) {
            recipient.unwritten.told = self.send(notify, &message, recipient).await;
        }
        if self.records.broken().is_some() {
            // Nobody knows who was told of what.
            return Ok(());
        }
        let waits = self.look(house, notify, recipient, &key).await?;
        if recipient.failed.is_some_and(|(_, next)| next > self.clock.steady()) {
            return Ok(());
        }
        // What is urgent goes first.
        match waits {
            Waits::Nothing | Waits::Later => {}
            Waits::Nobody(upto) => {
                self.records.set_told(&key, upto).await?;
                recipient.pending = Pending::after(upto);
            }
            Waits::Now(message) if self.send(notify, &message, recipient).await => {
                recipient.sent = message.upto;
                recipient.pending.is_told(&mut recipient.spent, self.clock.steady());
                self.records.set_told(&key, message.upto).await?;
            }
            Waits::Now(_) => return Ok(()),
        }
        if self.records.failing().is_some() {
            // It is told when it can be written down that it was: else it would be told again and again.
            return Ok(());
        }
        let due = self.all_due(house, notify, &key).await?;
        recipient.unkept.retain(|told| due.iter().any(|due| due.told.contains(told)));
        for Due { message, told } in due {
            let is_sent = told.iter().all(|told| recipient.unkept.contains(told));
            if !is_sent && !self.send(notify, &message, recipient).await {
                return Ok(());
            }
            recipient.unkept.extend(told.iter().cloned());
            for (key, upto) in told {
                self.records.set_told(&key, upto).await?;
            }
        }
        Ok(())
    }

    /// Looks through what is new in the journal, all of it.
    async fn look(
        &self,
        house: &House,
        notify: &Notify,
        recipient: &mut Recipient,
        key: &str,
    ) -> Result<Waits, StoreError> {
        let Some(told) = self.records.told(key).await? else {
            // Whoever is new is told of what happens from now on.
            self.records.set_told(key, self.records.head().await?.entries).await?;
            return Ok(Waits::Nothing);
        };
        let told = told.max(recipient.sent);
        if recipient.pending.told() != told {
            (recipient.pending, recipient.known) = (Pending::after(told), Known::default());
        }
        recipient.known.begin_round();
        loop {
            let entries = self.records.entries(recipient.pending.upto() + 1).await?;
            if entries.is_empty() {
                break;
            }
            for logged in &entries {
                let rose = self.rose(logged, &mut recipient.known).await?;
                recipient.pending.add(logged, rose, &notify.when, self.clock.now());
            }
        }
        let (now, steady) = (self.clock.now(), self.clock.steady());
        Ok(recipient.pending.due(house, notify, now, &recipient.spent, steady))
    }

    /// The episodes that an entry makes graver: one that began as a look-up of its name may be a page that somebody opened.
    async fn rose(&self, logged: &Logged, known: &mut Known) -> Result<Vec<BreachOpened>, StoreError> {
        let grew = match &logged.says {
            Some(Entry::BreachOpened(opened)) => {
                known.put(logged.entry, opened.clone());
                return Ok(Vec::new());
            }
            Some(Entry::BreachesGrew(grew)) => grew,
            Some(_) | None => return Ok(Vec::new()),
        };
        let mut rose = Vec::new();
        for grown in &grew.episodes {
            if !known.has(grown.entry)
                && let Some(before) = self.known_before(grown, logged.entry, known).await?
            {
                known.put(grown.entry, before);
            }
            rose.extend(known.rises(grown));
        }
        Ok(rose)
    }

    /// An episode that is not remembered, as it was before. The journal is read through for some of them in a round, and no more,
    /// so that nobody's many make what is grave wait; of the others that are grave now, it is taken for what it began as.
    async fn known_before(
        &self,
        grown: &Grown,
        entry: i64,
        known: &mut Known,
    ) -> Result<Option<BreachOpened>, StoreError> {
        if known.may_look_back() {
            return self.before(grown, entry).await;
        }
        if grown.severity < Severity::High {
            return Ok(None);
        }
        let began = self.records.entry(grown.entry).await?.and_then(|logged| logged.says);
        Ok(match began {
            Some(Entry::BreachOpened(opened)) => Some(opened),
            Some(_) | None => None,
        })
    }

    /// An episode as the journal had it before an entry; none where it can no longer be read.
    async fn before(&self, grown: &Grown, entry: i64) -> Result<Option<BreachOpened>, StoreError> {
        let mut before = None;
        let mut from = grown.entry;
        for _ in 0..BEFORE {
            let page = self.records.entries(from).await?;
            for logged in page.iter().take_while(|logged| logged.entry < entry) {
                match (&logged.says, &mut before) {
                    (Some(Entry::BreachOpened(opened)), None) if logged.entry == grown.entry => {
                        before = Some(opened.clone());
                    }
                    (Some(Entry::BreachesGrew(grew)), Some(before)) => {
                        let of_it = grew.episodes.iter().filter(|one| one.entry == grown.entry);
                        before.severity = of_it.map(|one| one.severity).fold(before.severity, Ord::max);
                    }
                    _ => {}
                }
            }
            match page.last() {
                Some(last) if last.entry + 1 < entry && before.is_some() => from = last.entry + 1,
                Some(_) | None => break,
            }
        }
        Ok(before)
    }

    /// Sends a message; whether it was taken. One that was not is tried again after a while.
    async fn send(&self, notify: &Notify, message: &Message, recipient: &mut Recipient) -> bool {
        let mail = if notify.to.starts_with("mailto:") { self.gateway().and_then(|g| g.mail) } else { None };
        match self.sender.send(&notify.to, message, mail.as_ref()).await {
            Ok(()) => {
                recipient.failed = None;
                true
            }
            Err(why) => {
                // Where it goes may be a secret (the path of a web hook), and is not said.
                tracing::warn!(%why, "a message could not be sent; it waits");
                let (count, _) = recipient.failed.unwrap_or_default();
                let wait = FIRST_WAIT.saturating_mul(1 << count.min(10)).min(LAST_WAIT);
                recipient.failed = Some((count + 1, self.clock.steady() + wait));
                false
            }
        }
    }

    fn gateway(&self) -> Option<Gateway> {
        let now = self.clock.now();
        tokio::task::block_in_place(|| crate::home::load(&self.home, now).ok()?.gateway_in_force().cloned())
    }
}

/// Who it is, as the records know them: the same address may be told of different things.
fn key(notify: &Notify) -> String {
    format!("{} {}", notify.to, notify.when.join(","))
}

/// A moment of the home's clock.
type Instant = DateTime<Utc>;
