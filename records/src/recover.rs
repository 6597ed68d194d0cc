//! The episodes that were open when the gateway last ended, as the journal proves them.
//!
//! The list of breaches has no hashes, and its counts change all the time. Whoever changes a line of it while no gateway
//! runs must not have the next one write that into the chain: so a gateway goes on with what the entries say. What the
//! list has beyond that is what a gateway could not write down before it was cut short, or a forgery; where the list says
//! other than a gateway can have written, the journal is told.

use crate::commit::instant;
use crate::entry::{BreachOpened, Entry, MisfitFound};
use crate::episode::{Episodes, Key, Recovered, Sum};
use crate::journal::{Misfit, PAGE, body_hash};
use crate::room::Records;
use crate::spell;
use crate::store::{Line, Store, StoreError};
use agreements::Severity;
use std::collections::BTreeMap;

/// What the journal says of an episode.
struct Proof {
    opened: BreachOpened,
    sum: Sum,
}

impl Records {
    /// Takes the episodes that were open when the gateway last ended, to go on with or to end. What does not fit is told
    /// once: these entries are to be appended.
    pub(crate) async fn recover(&self, episodes: &mut Episodes) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT e.entry, e.person, e.rule, e.site, e.first, e.last, e.count, e.evidence, e.severity \
                   FROM episode e WHERE e.ended = 0 ORDER BY e.entry";
        let lines = self.store.rows(sql, &[]).await?;
        let first = lines.first().map_or(Ok(i64::MAX), |line| line.int(0))?;
        let mut proofs = self.store.proofs(first).await?;
        let mut misfits = Vec::new();
        for line in &lines {
            let entry = line.int(0)?;
            let Some(proof) = proofs.remove(&entry) else {
                misfits.push((entry, Misfit::ListAltered));
                continue;
            };
            let listed = Listed::read(line)?;
            let fits = listed.can_be(&proof);
            if !fits {
                misfits.push((entry, Misfit::ListAltered));
                self.mend(entry, &proof.opened).await?;
            }
            let cut_short = !fits || listed.sum != Some(proof.sum);
            let BreachOpened { person, rule, site, .. } = proof.opened;
            episodes.recover(Recovered {
                key: Key { person, rule, site },
                entry,
                proved: proof.sum,
                cut_short,
            });
        }
        self.misfits_of(misfits).await
    }

    /// Puts back whose episode it is and of what; its counts follow with the next commit.
    async fn mend(&self, entry: i64, opened: &BreachOpened) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let cells = [
            entry.into(),
            opened.person.as_str().into(),
            spell::word(&opened.rule).into(),
            opened.site.as_str().into(),
            opened.first.timestamp_millis().into(),
        ];
        let sql = "UPDATE episode SET person = $2, rule = $3, site = $4, first = $5 WHERE entry = $1";
        tx.exec(sql, &cells).await?;
        tx.commit().await
    }

    /// What is to be said of misfits that have not been told yet.
    async fn misfits_of(&self, found: Vec<(i64, Misfit)>) -> Result<Vec<Entry>, StoreError> {
        let mut decided = self.decided.lock().await;
        let mut said = Vec::new();
        for (entry, misfit) in found.into_iter().take(MOST_MISFITS) {
            tracing::error!(entry, %misfit, "an open episode does not fit; what the journal says holds. See `hearthgate breaches verify`");
            self.health.misfits(entry, misfit);
            if decided.tell(entry) {
                said.push(Entry::Misfit(MisfitFound { entry, misfit, severity: Severity::High }));
            }
        }
        Ok(said)
    }
}

/// So many are told of one by one; whoever altered more is found by verifying.
const MOST_MISFITS: usize = 100;

/// What the list says of an episode.
struct Listed {
    person: String,
    rule: String,
    site: String,
    /// None where a word of it is unknown.
    sum: Option<Sum>,
}

impl Listed {
    fn read(line: &Line) -> Result<Self, StoreError> {
        let (first, last) = (instant(line.int(4)?), instant(line.int(5)?));
        let count = u64::try_from(line.int(6)?).unwrap_or_default();
        let words = (spell::read(line.text(7)?), spell::read(line.text(8)?));
        let sum = match words {
            (Some(evidence), Some(severity)) => Some(Sum { first, last, count, evidence, severity }),
            (None, _) | (_, None) => None,
        };
        let [person, rule, site] = [line.text(1)?, line.text(2)?, line.text(3)?].map(str::to_owned);
        Ok(Self { person, rule, site, sum })
    }

    /// Whether a gateway can have left it so beside these entries: counts run ahead of the journal, nothing else does.
    fn can_be(&self, proof: &Proof) -> bool {
        let Proof { opened, sum: proved } = proof;
        let same = self.person == opened.person
            && self.rule == spell::word(&opened.rule)
            && self.site == opened.site;
        same && self.sum.is_some_and(|sum| {
            let told =
                (sum.first, sum.evidence, sum.severity) == (proved.first, proved.evidence, proved.severity);
            told && sum.count >= proved.count && sum.last >= proved.last
        })
    }
}

impl Store {
    /// What the journal says of the episodes that are open, by the entry that opened them, from an entry on. Texts that are
    /// not what their hash says prove nothing.
    async fn proofs(&self, first: i64) -> Result<BTreeMap<i64, Proof>, StoreError> {
        let mut proofs = BTreeMap::new();
        let sql = "SELECT j.seq, j.kind, j.body_hash, b.salt, b.text FROM journal j JOIN body b ON b.seq = j.seq \
                   WHERE j.seq >= $1 AND (j.kind = 'breaches_grew' OR j.kind = 'breach_opened' \
                   AND EXISTS (SELECT 1 FROM episode e WHERE e.entry = j.seq AND e.ended = 0)) \
                   ORDER BY j.seq LIMIT $2";
        let mut from = first;
        loop {
            let page = self.rows(sql, &[from.into(), PAGE.into()]).await?;
            for line in &page {
                prove(&mut proofs, line)?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => from = last.int(0)? + 1,
                Some(_) | None => return Ok(proofs),
            }
        }
    }
}

fn prove(proofs: &mut BTreeMap<i64, Proof>, line: &Line) -> Result<(), StoreError> {
    let (kind, text) = (line.text(1)?, line.text(4)?);
    if body_hash(line.text(3)?, text) != line.text(2)? {
        return Ok(());
    }
    match Entry::read(kind, text) {
        Some(Entry::BreachOpened(opened)) => {
            let sum = Sum::of_opening(&opened);
            proofs.insert(line.int(0)?, Proof { opened, sum });
        }
        Some(Entry::BreachesGrew(grew)) => {
            for grown in &grew.episodes {
                if let Some(proof) = proofs.get_mut(&grown.entry) {
                    proof.sum.grow(grown);
                }
            }
        }
        Some(_) | None => {}
    }
    Ok(())
}
