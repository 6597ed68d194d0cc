//! What the journal itself says is restricted and granted, held against the register.
//!
//! The register finds quickly what stands in force, and has no hashes: whoever deletes a line of it, or closes it, must not
//! lift a restriction. So a gateway reads every decision from the journal once, at its first standing, and from then
//! on what is appended. What it has read it keeps: what is changed in the store behind a running gateway lifts nothing.
//!
//! Where the two differ the stricter holds: a restriction that either knows is in force, a grant has to be known to both.
//! The gateway says so in the journal, once for each entry, and puts a restriction's line back, so that staff see it and
//! can end it.

use super::{PAGE, body_hash};
use crate::clock::ClockState;
use crate::entry::{Entry, MisfitFound, Restricted};
use crate::journal::{self, Misfit};
use crate::room::Records;
use crate::staff::{Registered, register};
use crate::store::{Line, Purpose, Store, StoreError};
use agreements::{LiveGrant, LiveRestriction, Severity};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided and not taken back, by its entry, as far as the journal has been read. There are as many as staff
/// decide.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    read_to: i64,
    restrictions: BTreeMap<i64, Restricted>,
    /// Until when each grant opens something.
    grants: BTreeMap<i64, DateTime<Utc>>,
    /// Entries that are not what their hash says, or whose text is gone.
    altered: BTreeMap<i64, Misfit>,
    /// What has been told of already.
    told: BTreeSet<i64>,
}

/// What stands in force, by both the register and the journal.
pub(crate) struct InBoth {
    pub(crate) grants: Vec<LiveGrant>,
    pub(crate) restrictions: Vec<LiveRestriction>,
}

impl Decided {
    /// Takes the next decision of the journal: its number, kind, the hash of its text, salt, and text.
    fn read(&mut self, line: &Line) -> Result<(), StoreError> {
        let (seq, kind, hash) = (line.int(0)?, line.text(1)?, line.text(2)?);
        let (salt, text) = (line.text(3)?, line.text(4)?);
        if salt.is_empty() {
            // The text of an old grant is purged in its time, and a restriction's never is.
            if kind == "restriction" {
                self.altered.insert(seq, Misfit::BodyRemoved);
            }
            return Ok(());
        }
        let fits = body_hash(salt, text) == hash;
        if !fits {
            self.altered.insert(seq, Misfit::BodyAltered);
        }
        match Entry::read(kind, text) {
            // One that was altered holds as it reads: nobody can tell any more what it said.
            Some(Entry::Restriction(restricted)) => _ = self.restrictions.insert(seq, restricted),
            Some(Entry::RestrictionEnded(ended)) if fits => _ = self.restrictions.remove(&ended.entry),
            Some(Entry::Grant(granted)) if fits => _ = self.grants.insert(seq, granted.until),
            Some(Entry::GrantRevoked(ended)) => _ = self.grants.remove(&ended.entry),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Notes that a misfit is told of. Whether it had not been.
    pub(crate) fn tell(&mut self, entry: i64) -> bool {
        self.told.insert(entry)
    }

    fn restrictions(&self, now: DateTime<Utc>) -> impl Iterator<Item = (i64, &Restricted)> {
        self.restrictions.iter().filter(move |(_, r)| r.until > now).map(|(entry, r)| (*entry, r))
    }

    /// Entries in force, and what the register must say of when they end.
    fn wanted(&self, now: DateTime<Utc>) -> BTreeMap<i64, i64> {
        let grants =
            self.grants.iter().filter(|(_, until)| **until > now).map(|(entry, until)| (*entry, *until));
        let restrictions = self.restrictions(now).map(|(entry, r)| (entry, r.until));
        grants.chain(restrictions).map(|(entry, until)| (entry, until.timestamp_millis())).collect()
    }
}

impl Store {
    /// Brings what was decided up to where the journal is.
    async fn catch_up(&self, decided: &mut Decided) -> Result<(), StoreError> {
        let sql = "SELECT j.seq, j.kind, j.body_hash, coalesce(b.salt, ''), coalesce(b.text, '') \
                   FROM journal j LEFT JOIN body b ON b.seq = j.seq WHERE j.seq > $1 AND j.seq <= $2 \
                   AND j.kind IN ('grant', 'grant_revoked', 'restriction', 'restriction_ended') \
                   ORDER BY j.seq LIMIT $3";
        let head = self.head().await?.entries;
        while decided.read_to < head {
            let page = self.rows(sql, &[decided.read_to.into(), head.into(), PAGE.into()]).await?;
            page.iter().try_for_each(|line| decided.read(line))?;
            decided.read_to = if page.len() == PAGE as usize { page[page.len() - 1].int(0)? } else { head };
        }
        Ok(())
    }

    /// Which of these entries the register does not have as in force until then.
    async fn not_registered(&self, mut wanted: BTreeMap<i64, i64>) -> Result<BTreeMap<i64, i64>, StoreError> {
        let sql = "SELECT entry, ends FROM register \
                   WHERE kind IN ('grant', 'restriction') AND closed = 0 AND entry >= $1";
        let Some(first) = wanted.keys().next().copied() else { return Ok(wanted) };
        for line in self.rows(sql, &[first.into()]).await? {
            let (entry, ends) = (line.int(0)?, line.int(1)?);
            if wanted.get(&entry) == Some(&ends) {
                wanted.remove(&entry);
            }
        }
        Ok(wanted)
    }
}

impl Records {
    /// What is granted and restricted now: the stricter of what the register and the journal say.
    pub(crate) async fn in_both(&self) -> Result<InBoth, StoreError> {
        // The register first: what is appended in between is then known to the journal's side, and not missed.
        let (mut grants, mut restrictions) = (self.live_grants().await?, self.live_restrictions().await?);
        let mut decided = self.decided.lock().await;
        self.store.catch_up(&mut decided).await?;
        let now = self.believed();
        self.tell_misfits(&mut decided, now).await?;
        grants.retain(|grant| decided.grants.contains_key(&grant.entry));
        restrictions.retain(|restriction| !decided.restrictions.contains_key(&restriction.entry));
        restrictions.extend(decided.restrictions(now).map(|(entry, r)| r.live(entry)));
        restrictions.sort_by_key(|restriction| restriction.entry);
        Ok(InBoth { grants, restrictions })
    }

    /// While the clock is wrong nothing is thought to be over: the decision looks at the times itself.
    fn believed(&self) -> DateTime<Utc> {
        match self.clock.state() {
            ClockState::Right => self.now(),
            ClockState::NotYet | ClockState::Jumped => DateTime::UNIX_EPOCH,
        }
    }

    async fn tell_misfits(&self, decided: &mut Decided, now: DateTime<Utc>) -> Result<(), StoreError> {
        let missing = self.store.not_registered(decided.wanted(now)).await?;
        let mut found: BTreeMap<i64, Misfit> = decided.altered.clone();
        if !missing.is_empty() {
            // It may have been taken back between the two looks.
            self.store.catch_up(decided).await?;
            let still = decided.wanted(now);
            let missing = missing.into_keys().filter(|entry| still.contains_key(entry));
            missing.for_each(|entry| _ = found.insert(entry, Misfit::RegisterAltered));
        }
        found.retain(|entry, _| !decided.told.contains(entry));
        for (entry, misfit) in found {
            decided.told.insert(entry);
            // Whoever only looks, or does something beside the gateway, leaves it to the gateway to say so.
            if self.purpose == Purpose::Gateway {
                let mend = decided.restrictions.get(&entry).filter(|_| misfit == Misfit::RegisterAltered);
                self.misfit(entry, misfit, mend).await?;
            }
        }
        Ok(())
    }

    /// Says in the journal, the log and the status that something does not fit, and puts back a restriction's line.
    async fn misfit(&self, entry: i64, misfit: Misfit, mend: Option<&Restricted>) -> Result<(), StoreError> {
        tracing::error!(entry, %misfit, "the records do not fit; what is stricter holds. See `hearthgate breaches verify`");
        let said = Entry::Misfit(MisfitFound { entry, misfit, severity: Severity::High });
        let mut tx = self.store.begin().await?;
        let seq = journal::append(&mut tx, self.now(), &said).await?;
        if let Some(r) = mend {
            tx.exec("DELETE FROM register WHERE entry = $1", &[entry.into()]).await?;
            let line = Registered {
                kind: "restriction",
                person: &r.person,
                about: 0,
                starts: r.from,
                ends: r.until,
            };
            register(&mut tx, entry, line).await?;
        }
        tx.commit().await?;
        self.health.misfits(entry, misfit);
        self.tell(seq, &said);
        Ok(())
    }

    /// Reads the whole journal once, as a gateway does after it has started, and says in it what does not fit.
    pub async fn look_over(&self) -> Result<super::Verified, StoreError> {
        let found = self.verify(None).await?;
        // A gateway at work moves on while it is read: what does not fit does not fit the second time either.
        if let super::Verified::Broken { entry, misfit } = found
            && self.verify(None).await? == found
            && self.decided.lock().await.tell(entry)
        {
            self.misfit(entry, misfit, None).await?;
        }
        Ok(found)
    }
}

impl Restricted {
    fn live(&self, entry: i64) -> LiveRestriction {
        let what = crate::spell::to_what(self.closes.as_deref());
        LiveRestriction { entry, person: self.person.clone(), what, from: self.from, until: self.until }
    }
}
