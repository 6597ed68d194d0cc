//! The register of restrictions (Reg 22): every one that was placed, and what became of it.

use crate::commit::instant;
use crate::entry::*;
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, is_of, reasoned, register, worded};
use crate::store::{StoreError, Tx};
use agreements::lawful::{self, RestrictionDraft, ReviewDraft, Unlawful};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

/// A restriction, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its number in the journal.
    pub entry: i64,
    /// What it says.
    pub said: Restricted,
    /// Who ended it before its time, if anybody did.
    pub ended: Option<Ended>,
    /// When that was.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who told the placing authority, of an emergency.
    pub told: Option<AuthorityTold>,
    /// Its reviews, the oldest first.
    pub reviews: Vec<Looked>,
}

/// A restriction was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// When.
    pub at: DateTime<Utc>,
    /// What came of it.
    #[serde(flatten)]
    pub said: RestrictionReviewed,
}

impl Placed {
    /// One that was just placed.
    pub const fn new(entry: i64, said: Restricted) -> Self {
        Self { entry, said, ended: None, ended_at: None, told: None, reviews: Vec::new() }
    }

    /// Whether it has neither ended nor been ended.
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && self.said.until > now
    }

    /// By when the placing authority has to have full details of an emergency (reg 22); none where it has them, or
    /// consented. That it is over takes nothing from it.
    pub fn authority_due(&self) -> Option<DateTime<Utc>> {
        let waits = self.said.emergency && self.said.consent.is_none() && self.told.is_none();
        waits.then(|| self.said.from + lawful::EMERGENCY)
    }

    /// On which day it is reviewed next; none where it ends before.
    pub fn review_on(&self) -> Option<NaiveDate> {
        self.reviews.last().map_or(self.said.review_on, |review| review.said.next)
    }

    /// Its reviews, each with the day on which it was due.
    pub fn reviewed(&self) -> impl Iterator<Item = (Option<NaiveDate>, &Looked)> {
        let next = self.reviews.iter().map(|review| review.said.next);
        std::iter::once(self.said.review_on).chain(next).zip(&self.reviews)
    }

    /// How late the placing authority had full details of an emergency (reg 22); none where it had them in time.
    pub fn told_late(&self) -> Option<TimeDelta> {
        let told = self.told.as_ref().filter(|_| self.said.emergency && self.said.consent.is_none())?;
        Some(told.at - (self.said.from + lawful::EMERGENCY)).filter(|late| *late > TimeDelta::zero())
    }

    /// When it ended or ends: earlier than was planned, where somebody ended it.
    pub fn ends(&self) -> DateTime<Utc> {
        self.ended_at.map_or(self.said.until, |at| at.min(self.said.until))
    }

    /// Since which day its review is due; none where it is not, or no longer.
    pub fn review_due(&self, today: NaiveDate, now: DateTime<Utc>) -> Option<NaiveDate> {
        self.review_on().filter(|on| *on <= today && self.is_in_force(now))
    }
}

/// What keeps a draft from following an earlier emergency of the same young person that the placing authority has not
/// consented to.
pub(crate) async fn emergency_again(
    tx: &mut Tx,
    draft: &RestrictionDraft,
) -> Result<Option<Unlawful>, StoreError> {
    let Some(person) = draft.people.first() else { return Ok(None) };
    let since = draft.from - lawful::EMERGENCY;
    let sql = "SELECT b.text, coalesce(j.at, '') FROM register r JOIN body b ON b.seq = r.entry \
               LEFT JOIN journal j ON j.seq = r.closed \
               WHERE r.kind = 'restriction' AND r.person = $1 AND r.ends > $2";
    for line in tx.rows(sql, &[person.as_str().into(), since.timestamp_millis().into()]).await? {
        let Some(Entry::Restriction(before)) = Entry::read("restriction", line.text(0)?) else { continue };
        if !before.emergency || before.consent.is_some() {
            continue;
        }
        // One that was ended early ended then.
        let ended = line.text(1)?.parse().map_or(before.until, |at: DateTime<Utc>| at.min(before.until));
        if let Some(unlawful) = lawful::emergency_after(draft, before.from, ended) {
            return Ok(Some(unlawful));
        }
    }
    Ok(None)
}

impl Records {
    /// Every restriction, the newest first, at most five hundred.
    pub async fn restrictions(&self) -> Result<Vec<Placed>, StoreError> {
        let sql = "SELECT r.entry, b.text, coalesce(e.text, ''), coalesce(j.at, '') FROM register r JOIN body b ON b.seq = r.entry \
                   LEFT JOIN body e ON e.seq = r.closed LEFT JOIN journal j ON j.seq = r.closed WHERE r.kind = 'restriction' ORDER BY r.entry DESC LIMIT 500";
        let mut placed = Vec::new();
        for line in self.store.rows(sql, &[]).await? {
            let Some(Entry::Restriction(said)) = Entry::read("restriction", line.text(1)?) else { continue };
            let ended = match Entry::read("restriction_ended", line.text(2)?) {
                Some(Entry::RestrictionEnded(ended)) => Some(ended),
                Some(_) | None => None,
            };
            let ended_at = line.text(3)?.parse().ok();
            placed.push(Placed { ended, ended_at, ..Placed::new(line.int(0)?, said) });
        }
        let sql = "SELECT r.kind, b.text, r.starts FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind IN ('authority_told', 'restriction_reviewed') ORDER BY r.entry";
        for line in self.store.rows(sql, &[]).await? {
            let at = instant(line.int(2)?);
            match Entry::read(line.text(0)?, line.text(1)?) {
                Some(Entry::AuthorityTold(told)) => {
                    let of = placed.iter_mut().find(|p| p.entry == told.entry);
                    of.into_iter().for_each(|p| _ = p.told.get_or_insert(told.clone()));
                }
                Some(Entry::RestrictionReviewed(review)) => {
                    let of = placed.iter_mut().find(|p| p.entry == review.entry);
                    of.into_iter().for_each(|p| p.reviews.push(Looked { at, said: review.clone() }));
                }
                Some(_) | None => {}
            }
        }
        Ok(placed)
    }

    /// The placing authority got the full details of an emergency restriction (Reg 22(3)(b)): who there got them.
    pub async fn authority_told(&self, restriction: i64, by: By, whom: &str) -> Result<i64, NotDone> {
        let now = self.now();
        let told = AuthorityTold { entry: restriction, by, whom: reasoned(whom)?, at: now };
        let entry = Entry::AuthorityTold(told);
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "restriction", restriction).await?;
        let seq = journal::append(&mut tx, now, &entry).await?;
        let (starts, ends): (DateTime<Utc>, DateTime<Utc>) = (now, now);
        let line = Registered { kind: "authority_told", person: "", about: restriction, starts, ends };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// A restriction was reviewed and stays in force: why, what the young person says, and when it is reviewed again.
    pub async fn restriction_reviewed(
        &self,
        restriction: i64,
        by: By,
        (reason, view, next): (&str, &str, Option<NaiveDate>),
    ) -> Result<i64, NotDone> {
        let now = self.now();
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "restriction", restriction).await?;
        let sql = "SELECT b.text FROM register r JOIN body b ON b.seq = r.entry WHERE r.entry = $1 AND r.closed = 0";
        let line = tx.row(sql, &[restriction.into()]).await?.ok_or(NotDone::NotOpen(restriction))?;
        let until = match Entry::read("restriction", line.text(0)?) {
            Some(Entry::Restriction(said)) if said.until > now => said.until,
            Some(_) | None => return Err(NotDone::NotOpen(restriction)),
        };
        let (reason, view) = (worded(reason)?, worded(view)?);
        let draft = ReviewDraft { at: now, until, reason: reason.clone(), view: view.clone(), next };
        let unlawful = lawful::review(&draft);
        if !unlawful.is_empty() {
            return Err(NotDone::Unlawful(unlawful));
        }
        let entry =
            Entry::RestrictionReviewed(RestrictionReviewed { entry: restriction, by, reason, view, next });
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered {
            kind: "restriction_reviewed",
            person: "",
            about: restriction,
            starts: now,
            ends: now,
        };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }
}
