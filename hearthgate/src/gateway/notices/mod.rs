//! Whoever the home wants told is told: by mail, a web hook, or ntfy.
//!
//! The journal is the queue. For each recipient the records know up to which entry they have been told; what comes after it
//! is looked through, folded into one message, and sent. While the network is down nothing moves, and nothing is lost; the
//! records go on only when a message has been taken. A message says how many and how serious, never who or where: others
//! may read it.

mod said;
mod send;

use crate::lists::names::Names;
use crate::when;
use agreements::{Gateway, House, Notify};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Clock, InForce, Records, Side, shift};
use said::{Message, Waits, gather};
use send::Sender;
use std::collections::HashMap;
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
/// A shift that nobody has signed for so long is told.
const UNSIGNED: TimeDelta = TimeDelta::hours(2);

/// What tells people.
pub(crate) struct Notices {
    records: Arc<Records>,
    in_force: Arc<InForce>,
    clock: Arc<dyn Clock>,
    home: PathBuf,
    sender: Sender,
}

/// Tries for a recipient that failed: how many, and when the next one is.
#[derive(Default)]
struct Tries(HashMap<String, (u32, Duration)>);

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
        let mut tries = Tries::default();
        // Whoever is new is told of what happens from here on.
        self.round(&mut tries).await;
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
                () = self.round(&mut tries) => {}
            }
        }
    }

    async fn round(&self, tries: &mut Tries) {
        if self.records.broken().is_some() {
            // Nobody knows who was told of what; the log and the desk say what is wrong.
            return;
        }
        let current = self.in_force.to_keep();
        let house = &current.snapshot.house;
        let all = &house.home().notify;
        tries.0.retain(|key, _| all.iter().any(|notify| self::key(notify) == *key));
        for notify in all {
            if let Err(error) = self.tell(house, notify, tries).await {
                tracing::warn!(%error, "whom to tell of what could not be read");
            }
        }
    }

    async fn tell(
        &self,
        house: &House,
        notify: &Notify,
        tries: &mut Tries,
    ) -> Result<(), records::StoreError> {
        let (key, now) = (key(notify), self.clock.steady());
        if tries.0.get(&key).is_some_and(|(_, next)| *next > now) {
            return Ok(());
        }
        if let Some(message) = self.unsigned(house, notify, &key).await? {
            let told = (format!("{key}|review"), message.upto);
            self.send(notify, message, &key, told, tries).await?;
        }
        let Some(told) = self.records.told(&key).await? else {
            // Whoever is new is told of what happens from now on.
            return self.records.set_told(&key, self.records.head().await?.entries).await;
        };
        let entries = self.records.entries(told + 1).await?;
        match gather(house, notify, &entries, self.clock.now()) {
            Waits::Nothing => {}
            Waits::Nobody(upto) => self.records.set_told(&key, upto).await?,
            Waits::Later => {}
            Waits::Now(message) => {
                let told = (key.clone(), message.upto);
                self.send(notify, message, &key, told, tries).await?;
            }
        }
        Ok(())
    }

    /// The message that the last shift is not signed, once.
    async fn unsigned(
        &self,
        house: &House,
        notify: &Notify,
        key: &str,
    ) -> Result<Option<Message>, records::StoreError> {
        if !notify.when.iter().any(|word| word == "review") {
            return Ok(None);
        }
        let (home, now) = (house.home(), self.clock.now());
        let last = shift::last(&home.shifts, home.timezone, now);
        let told = self.records.told(&format!("{key}|review")).await?.unwrap_or(0);
        if now - last.to < UNSIGNED || told >= last.to.timestamp() || said::is_quiet(house, notify, now) {
            return Ok(None);
        }
        let reviews = self.records.reviews(last).await?;
        let signed = |side| reviews.iter().any(|review| review.side == Some(side));
        if signed(Side::Outgoing) && signed(Side::Incoming) {
            return Ok(None);
        }
        let ended = when::words(last.to, home.timezone);
        let line = format!("The shift that ended at {ended} is not signed by both sides.");
        Ok(Some(Message::of(house, "a shift is not signed", &[line], last.to.timestamp())))
    }

    /// Sends a message; only when it was taken is it told.
    async fn send(
        &self,
        notify: &Notify,
        message: Message,
        key: &str,
        (told, upto): (String, i64),
        tries: &mut Tries,
    ) -> Result<(), records::StoreError> {
        let mail = if notify.to.starts_with("mailto:") { self.gateway().and_then(|g| g.mail) } else { None };
        match self.sender.send(&notify.to, &message, mail.as_ref()).await {
            Ok(()) => {
                tries.0.remove(key);
                self.records.set_told(&told, upto).await
            }
            Err(why) => {
                // Where it goes may be a secret (the path of a web hook), and is not said.
                tracing::warn!(%why, "a message could not be sent; it waits");
                let (count, _) = tries.0.get(key).copied().unwrap_or_default();
                let wait = FIRST_WAIT.saturating_mul(1 << count.min(10)).min(LAST_WAIT);
                tries.0.insert(key.to_owned(), (count + 1, self.clock.steady() + wait));
                Ok(())
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
