//! Letting go: texts older than the home keeps them are purged, and the chain stays whole.
//!
//! What is purged is an entry's text with its salt, and its line in the lists. Its number, time, kind and hashes stay,
//! so that the chain can still be read from its first entry; they name nobody, and without the salt the hash of the text
//! helps no guess. The purge is an entry itself and says which. What staff did, restrictions (Reg 35), reviews and what
//! the gateway did are kept: a home purges those with the young person's file.
//!
//! What is open is never old: a report that nobody has heard and a concern that has not gone its way stay whole, with the
//! episodes that they are about and what was said of those. Once closed they go when their end is as old as the rest.

use crate::entry::{Entry, Purged};
use crate::journal;
use crate::room::Records;
use crate::store::{StoreError, Tx};
use agreements::Keep;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// One purge takes no more than this, so that a commit stays short; the rest follows in the next.
const MOST_A_PURGE: i64 = 5000;

impl Records {
    /// Purges what is older than the home keeps it. `today` is the home's date. How many texts and days' minutes went.
    ///
    /// An entry counts as old when it is dated so and no entry before it is younger: what a wrong clock dated into the
    /// past is not lost early. While the clock is not right, nothing is purged.
    pub async fn purge(&self, keep: &Keep, today: NaiveDate) -> Result<u64, StoreError> {
        if self.clock.state() != crate::ClockState::Right {
            return Ok(0);
        }
        let before = self.now() - days(keep.breaches);
        let mut gone = 0;
        loop {
            let count = self.purge_some(before).await?;
            gone += count;
            if count < MOST_A_PURGE as u64 {
                break;
            }
        }
        gone += self.purge_minutes(today - days(keep.minutes)).await?;
        gone += self.purge_monitored(today - days(keep.monitoring), today).await?;
        if gone > 0 {
            self.store.scrub().await?;
        }
        Ok(gone)
    }

    async fn purge_minutes(&self, before: NaiveDate) -> Result<u64, StoreError> {
        let mut tx = self.store.begin().await?;
        let gone = tx.exec("DELETE FROM minutes WHERE day < $1", &[before.to_string().into()]).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Days ahead were dated by a clock that was wrong, and would stay longer than they may.
    async fn purge_monitored(&self, before: NaiveDate, today: NaiveDate) -> Result<u64, StoreError> {
        let mut tx = self.store.begin().await?;
        let cells = [before.to_string().into(), today.to_string().into()];
        let gone = tx.exec("DELETE FROM monitored WHERE day < $1 OR day > $2", &cells).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn purge_some(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let old = old(&mut tx, before, now).await?;
        if old.is_empty() {
            return Ok(0);
        }
        for seq in &old {
            tx.exec("DELETE FROM body WHERE seq = $1", &[(*seq).into()]).await?;
            tx.exec("DELETE FROM episode WHERE entry = $1", &[(*seq).into()]).await?;
            tx.exec("DELETE FROM register WHERE entry = $1", &[(*seq).into()]).await?;
        }
        let count = old.len() as u64;
        let entry = Entry::Purged(Purged { before, count, entries: runs(&old) });
        let seq = journal::append(&mut tx, now, &entry).await?;
        tx.commit().await?;
        self.tell(seq, &entry);
        Ok(count)
    }
}

fn days(count: u32) -> TimeDelta {
    TimeDelta::days(count.into())
}

/// What is not purged however old it is, since it is a safeguarding record that is open or was closed of late ($1 is the first
/// young entry): reports and concerns, what they are about, the episodes that a report marks, and what was said of those.
macro_rules! standing {
    () => {
        "WITH standing AS (SELECT entry, about FROM register \
                           WHERE kind IN ('report', 'concern') AND (closed = 0 OR closed >= $1)), \
              told AS (SELECT entry FROM standing UNION SELECT about FROM standing WHERE about > 0), \
              kept AS (SELECT entry FROM told \
                       UNION SELECT e.entry FROM episode e JOIN told t ON e.reported = t.entry) "
    };
}

/// The entries whose text is to go.
async fn old(tx: &mut Tx, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
    let (before, now) = (journal::written(before), journal::written(now));
    let sql = "SELECT coalesce(min(seq), 9223372036854775807) FROM journal WHERE at >= $1 AND at <= $2";
    let young =
        tx.row(sql, &[before.as_str().into(), now.into()]).await?.map_or(Ok(i64::MAX), |l| l.int(0))?;
    // An open episode stays whole with what the journal says of how it grew, and so does what is still granted.
    let sql = concat!(
        standing!(),
        "SELECT j.seq, j.kind FROM journal j JOIN body b ON b.seq = j.seq \
               WHERE j.seq < $1 AND j.at < $2 \
               AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.entry = j.seq) \
               AND NOT EXISTS (SELECT 1 FROM kept k JOIN register r ON r.about = k.entry WHERE r.entry = j.seq) \
               AND NOT EXISTS (SELECT 1 FROM kept k JOIN episode e ON e.entry = k.entry WHERE e.ended = j.seq) \
               AND NOT EXISTS (SELECT 1 FROM episode e WHERE e.entry = j.seq AND (e.ended = 0 OR e.ended >= $1)) \
               AND NOT (j.kind = 'breaches_grew' \
                        AND EXISTS (SELECT 1 FROM episode e WHERE e.ended = 0 AND e.entry < j.seq)) \
               AND NOT EXISTS (SELECT 1 FROM register r WHERE r.entry = j.seq AND r.closed = 0 AND r.ends >= $3) \
               ORDER BY j.seq"
    );
    let ends = DateTime::parse_from_rfc3339(&before).map_or(0, |b| b.timestamp_millis());
    let lines = tx.rows(sql, &[young.into(), before.into(), ends.into()]).await?;
    let mut old = Vec::new();
    for line in lines {
        if Entry::is_purgeable(line.text(1)?) {
            old.push(line.int(0)?);
        }
        if old.len() as i64 == MOST_A_PURGE {
            break;
        }
    }
    Ok(old)
}

/// Ascending numbers as runs, both ends included.
fn runs(of: &[i64]) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &n in of {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == n => *to = n,
            Some(_) | None => runs.push((n, n)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[1, 2, 3, 5, 7, 8]), [(1, 3), (5, 5), (7, 8)]);
    }
}
