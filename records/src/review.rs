//! Reading a shift together: what staff make of episodes, concerns that go their way, and the two who sign.

use crate::commit::instant;
use crate::counts::{Tally, tally_in};
use crate::entry::{By, Concern, ConcernClosed, Entry, Mark, Marked, Report, Review, Side};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::shift::Shift;
use crate::staff::{Registered, close, is_of, reasoned, register, worded};
use crate::store::{Line, StoreError};
use chrono::{DateTime, Utc};

/// A safeguarding concern, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub concern: Concern,
    /// Where it went; none while it is open.
    pub closed: Option<ConcernClosed>,
}

/// A young person told that they saw something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What they said.
    pub report: Report,
}

impl Records {
    /// What young people told of since an instant, the newest first, at most two hundred.
    pub async fn reports(&self, since: DateTime<Utc>) -> Result<Vec<Reported>, StoreError> {
        let sql = "SELECT r.entry, r.starts, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'report' AND r.starts >= $1 ORDER BY r.entry DESC LIMIT 200";
        let mut reports = Vec::new();
        for line in self.store.rows(sql, &[since.timestamp_millis().into()]).await? {
            if let Some(Entry::Report(report)) = Entry::read("report", line.text(2)?) {
                reports.push(Reported { entry: line.int(0)?, at: instant(line.int(1)?), report });
            }
        }
        Ok(reports)
    }

    /// Marks an episode.
    pub async fn mark(&self, episode: i64, by: By, mark: Mark, words: &str) -> Result<i64, NotDone> {
        let entry = Entry::Mark(Marked { entry: episode, by, mark, words: worded(words)? });
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "breach_opened", episode).await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        register(
            &mut tx,
            seq,
            Registered { kind: "mark", person: "", about: episode, starts: now, ends: now },
        )
        .await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Raises a safeguarding concern about an episode. It needs words, and is open until somebody closes it.
    pub async fn concern(&self, episode: i64, person: &str, by: By, words: &str) -> Result<i64, NotDone> {
        let words = reasoned(words)?;
        let entry = Entry::Concern(Concern { entry: episode, person: person.to_owned(), by, words });
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "breach_opened", episode).await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        register(
            &mut tx,
            seq,
            Registered { kind: "concern", person, about: episode, starts: now, ends: now },
        )
        .await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Closes a concern: it needs the name of who has it now, and what was agreed.
    pub async fn close_concern(&self, concern: i64, by: By, with: &str, words: &str) -> Result<i64, NotDone> {
        let (with, words) = (reasoned(with)?, reasoned(words)?);
        let entry = Entry::ConcernClosed(ConcernClosed { entry: concern, by, with, words });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, "concern", concern, seq).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Concerns, the newest first: those that are open, or with those closed of late too.
    pub async fn concerns(&self, open_only: bool) -> Result<Vec<Raised>, StoreError> {
        let sql = "SELECT r.entry, r.starts, b.text, coalesce(c.text, '') FROM register r \
                   JOIN body b ON b.seq = r.entry LEFT JOIN body c ON c.seq = r.closed \
                   WHERE r.kind = 'concern' AND (r.closed = 0 OR $1 = 0) ORDER BY r.entry DESC LIMIT 500";
        let mut raised = Vec::new();
        for line in self.store.rows(sql, &[i64::from(open_only).into()]).await? {
            let Some(Entry::Concern(concern)) = Entry::read("concern", line.text(2)?) else { continue };
            let closed = match Entry::read("concern_closed", line.text(3)?) {
                Some(Entry::ConcernClosed(closed)) => Some(closed),
                Some(_) | None => None,
            };
            raised.push(Raised { entry: line.int(0)?, at: instant(line.int(1)?), concern, closed });
        }
        Ok(raised)
    }

    /// Signs a shift's log: who read it, on which side of the handover, and what they say of it. `seen` is what the log had
    /// when they read it ([`Records::tally`]): where it has other episodes by now, nobody has signed it. The two sides of
    /// a handover are two people, and each signs once.
    pub async fn sign_shift(
        &self,
        shift: Shift,
        side: Option<Side>,
        by: By,
        words: &str,
        seen: Tally,
    ) -> Result<i64, NotDone> {
        let words = worded(words)?;
        let mut tx = self.deciding().await?;
        let Shift { from, to } = shift;
        let cells = [from.timestamp_millis().into(), to.timestamp_millis().into()];
        let signed = read(&tx.rows(REVIEWS, &cells).await?)?;
        let of_it = signed.iter().filter(|r| (r.from, r.to) == (from, to));
        if side.is_some() && of_it.clone().any(|r| r.side.is_some() && (r.side == side || r.by.id == by.id)) {
            return Err(NotDone::SignedAlready);
        }
        if tally_in(&mut tx, from, to).await? != seen {
            return Err(NotDone::NotSeen);
        }
        let Tally { episodes, breaches, newest, .. } = seen;
        let entry = Entry::Review(Review { side, from, to, by, breaches, episodes, newest, words });
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        register(&mut tx, seq, Registered { kind: "review", person: "", about: 0, starts: from, ends: to })
            .await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Who signed a shift's log.
    pub async fn reviews(&self, shift: Shift) -> Result<Vec<Review>, StoreError> {
        let reviews = self.reviews_between(shift.from, shift.to).await?;
        Ok(reviews.into_iter().filter(|r| (r.from, r.to) == (shift.from, shift.to)).collect())
    }

    /// Who signed the logs of shifts that began within a stretch of time, in the order of signing.
    pub async fn reviews_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Review>, StoreError> {
        let cells = [from.timestamp_millis().into(), to.timestamp_millis().into()];
        read(&self.store.rows(REVIEWS, &cells).await?)
    }
}

const REVIEWS: &str = "SELECT b.text FROM register r JOIN body b ON b.seq = r.entry \
                       WHERE r.kind = 'review' AND r.starts >= $1 AND r.starts < $2 ORDER BY r.entry";

fn read(lines: &[Line]) -> Result<Vec<Review>, StoreError> {
    let mut reviews = Vec::new();
    for line in lines {
        if let Some(Entry::Review(review)) = Entry::read("review", line.text(0)?) {
            reviews.push(review);
        }
    }
    Ok(reviews)
}
