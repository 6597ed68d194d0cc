//! What staff gave somebody and took back, and when the home's files changed: what a report on nights is made of (seed 003 §4.8).

use crate::entry::{Ended, Entry, Granted};
use crate::live::live_grant;
use crate::room::Records;
use crate::store::{Cell, StoreError};
use agreements::LiveGrant;
use chrono::{DateTime, Utc};

/// So many grants are read, the newest: more than a year of one person's.
const MOST: i64 = 2000;
/// So many changes of files are looked through, the newest.
const CHANGES: i64 = 500;

/// A grant, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its number in the journal.
    pub entry: i64,
    /// What it says.
    pub said: Granted,
    /// Who took it back before its time, and when.
    pub taken_back: Option<(DateTime<Utc>, Ended)>,
}

impl Given {
    /// What it opens, as the decision has it; none where it has a word that this program does not know.
    pub fn live(&self) -> Option<LiveGrant> {
        live_grant(self.entry, self.said.clone())
    }

    /// When it was over, whoever ended it.
    pub fn over(&self) -> DateTime<Utc> {
        let early = self.taken_back.as_ref().map(|(at, _)| *at);
        early.map_or(self.said.until, |at| at.min(self.said.until))
    }
}

impl Records {
    /// What somebody (by id) was given that held within a stretch of time, the oldest first.
    pub async fn given(
        &self,
        person: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Given>, StoreError> {
        let sql = "SELECT r.entry, b.text, coalesce(e.text, ''), coalesce(j.at, '') FROM register r \
                   JOIN body b ON b.seq = r.entry LEFT JOIN body e ON e.seq = r.closed LEFT JOIN journal j ON j.seq = r.closed \
                   WHERE r.kind = 'grant' AND r.person = $1 AND r.ends > $2 AND r.starts < $3 ORDER BY r.entry DESC LIMIT $4";
        let cells: [Cell; 4] =
            [person.into(), from.timestamp_millis().into(), to.timestamp_millis().into(), MOST.into()];
        let mut given = Vec::new();
        for line in self.store.rows(sql, &cells).await? {
            let Some(Entry::Grant(said)) = Entry::read("grant", line.text(1)?) else { continue };
            let at = line.text(3)?.parse::<DateTime<Utc>>().ok();
            let taken_back = match (at, Entry::read("grant_revoked", line.text(2)?)) {
                (Some(at), Some(Entry::GrantRevoked(ended))) => Some((at, ended)),
                (Some(_) | None, _) => None,
            };
            given.push(Given { entry: line.int(0)?, said, taken_back });
        }
        given.reverse();
        Ok(given)
    }

    /// When the journal was begun: what was before, nobody can know. None while nothing is written.
    pub async fn first_written(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let line = self.store.row("SELECT at FROM journal WHERE seq = 1", &[]).await?;
        Ok(line.and_then(|line| line.text(0).ok()?.parse().ok()))
    }

    /// When what stands in one of these files was last changed, as far back as is looked for; none where that was before.
    pub async fn files_changed(&self, files: &[&str]) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT b.text, j.at FROM journal j JOIN body b ON b.seq = j.seq \
                   WHERE j.kind = 'files' ORDER BY j.seq DESC LIMIT $1";
        let mut lines = self.store.rows(sql, &[CHANGES.into()]).await?;
        lines.reverse();
        let (mut known, mut changed) = (vec![None; files.len()], None);
        for line in &lines {
            let Some(Entry::Files(said)) = Entry::read("files", line.text(0)?) else { continue };
            for (file, was) in files.iter().zip(&mut known) {
                let Some(now) = said.in_force.iter().find(|of| of.file == *file) else { continue };
                // What the first entry says was there before: it is known, and no change.
                if was.replace(now.sha256.clone()).is_some_and(|was| was != now.sha256) {
                    changed = line.text(1)?.parse().ok().or(changed);
                }
            }
        }
        Ok(changed)
    }
}
