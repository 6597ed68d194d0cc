//! "Will you show me?" and its answer (seed 003 §4.7c), and incidents that staff write down by hand (§4.7d).

use crate::commit::instant;
use crate::entry::{By, Entry, Incident, Line as Agreed, ShowAnswered, ShowAsked, Showing, stamp};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, close, reasoned, register, worded};
use crate::store::{Cell, StoreError};
use chrono::{DateTime, Utc};

/// So many are read at once, the newest.
const MOST: i64 = 500;

/// Staff asked to be shown something, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked whom.
    pub asked: ShowAsked,
    /// What became of it; none while it is open.
    pub answered: Option<ShowAnswered>,
}

/// An incident that staff wrote down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenDown {
    /// Its number in the journal.
    pub entry: i64,
    /// When it was written down.
    pub at: DateTime<Utc>,
    /// What it says.
    pub incident: Incident,
}

impl Records {
    /// Staff ask a young person to show them what they are doing. Asking again while it is open is the same. Its number.
    pub async fn ask_to_show(&self, person: &str, by: By, words: &str) -> Result<i64, NotDone> {
        let words = worded(words)?;
        let mut tx = self.deciding().await?;
        let sql = "SELECT entry FROM register WHERE kind = 'show_asked' AND closed = 0 AND person = $1";
        if let Some(line) = tx.row(sql, &[person.into()]).await? {
            return Ok(line.int(0)?);
        }
        let now = self.now();
        let entry = Entry::ShowAsked(ShowAsked { person: person.to_owned(), by, words });
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "show_asked", person, about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// What became of it: the young person says so, or staff write it down. Only what is open is answered.
    pub async fn answer_show(
        &self,
        show: i64,
        by: By,
        outcome: Showing,
        words: &str,
    ) -> Result<i64, NotDone> {
        let entry = Entry::ShowAnswered(ShowAnswered { entry: show, by, outcome, words: worded(words)? });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, "show_asked", show, seq).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// What staff asked to be shown since an instant, and what is still open, the newest first.
    pub async fn shows(&self, since: DateTime<Utc>) -> Result<Vec<Show>, StoreError> {
        let sql = "SELECT r.entry, r.starts, b.text, coalesce(a.text, '') FROM register r \
                   JOIN body b ON b.seq = r.entry LEFT JOIN body a ON a.seq = r.closed \
                   WHERE r.kind = 'show_asked' AND (r.closed = 0 OR r.ends >= $1) ORDER BY r.entry DESC LIMIT $2";
        let mut shows = Vec::new();
        for line in self.store.rows(sql, &[since.timestamp_millis().into(), MOST.into()]).await? {
            let Some(Entry::ShowAsked(asked)) = Entry::read("show_asked", line.text(2)?) else { continue };
            let answered = match Entry::read("show_answered", line.text(3)?) {
                Some(Entry::ShowAnswered(answered)) => Some(answered),
                Some(_) | None => None,
            };
            shows.push(Show { entry: line.int(0)?, at: instant(line.int(1)?), asked, answered });
        }
        Ok(shows)
    }

    /// Writes down an incident about somebody (by id): when it was, the line of the agreement that it is about, and what
    /// happened. Its number.
    pub async fn write_down(
        &self,
        person: &str,
        (at, about): (DateTime<Utc>, Option<Agreed>),
        by: By,
        words: &str,
    ) -> Result<i64, NotDone> {
        let (now, at, words) = (self.now(), stamp(at), reasoned(words)?);
        let entry = Entry::Incident(Incident { person: person.to_owned(), at, by, about, words });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, now, &entry).await?;
        register(&mut tx, seq, Registered { kind: "incident", person, about: 0, starts: at, ends: now })
            .await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Incidents that were written down within a stretch of time, of one person (by id) or of everybody, the newest first.
    pub async fn incidents(
        &self,
        person: Option<&str>,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<WrittenDown>, StoreError> {
        let sql = "SELECT r.entry, r.ends, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'incident' AND r.ends >= $1 AND r.ends < $2 AND ($3 = '' OR r.person = $3) \
                   ORDER BY r.entry DESC LIMIT $4";
        let cells: [Cell; 4] = [
            from.timestamp_millis().into(),
            to.timestamp_millis().into(),
            person.unwrap_or_default().into(),
            MOST.into(),
        ];
        let mut incidents = Vec::new();
        for line in self.store.rows(sql, &cells).await? {
            let Some(Entry::Incident(incident)) = Entry::read("incident", line.text(2)?) else { continue };
            incidents.push(WrittenDown { entry: line.int(0)?, at: instant(line.int(1)?), incident });
        }
        Ok(incidents)
    }
}
