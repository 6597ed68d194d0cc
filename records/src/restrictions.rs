//! The register of restrictions (Reg 22): every one that was placed, and what became of it.

use crate::entry::*;
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, is_of, reasoned, register};
use crate::store::{StoreError, Tx};
use agreements::lawful::{self, RestrictionDraft, Unlawful};
use chrono::{DateTime, Utc};

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
            placed.push(Placed { entry: line.int(0)?, said, ended, ended_at, told: None });
        }
        let sql = "SELECT b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'authority_told' ORDER BY r.entry";
        for line in self.store.rows(sql, &[]).await? {
            let Some(Entry::AuthorityTold(told)) = Entry::read("authority_told", line.text(0)?) else {
                continue;
            };
            if let Some(of) = placed.iter_mut().find(|p| p.entry == told.entry) {
                of.told.get_or_insert(told);
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
}
