//! Reading shifts together: what staff make of episodes, concerns that go their way, and the two who sign.

use crate::commit::instant;
use crate::counts::{Tally, tally_in};
use crate::entry::{By, Concern, ConcernClosed, Entry, Mark, Marked, Review, Side};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::shift::{self, Shift};
use crate::staff::{Registered, close, is_of, reasoned, register, worded};
use crate::store::{Cell, Line, StoreError};
use agreements::House;
use chrono::{DateTime, TimeDelta, Utc};

/// Shifts of so long ago that nobody signed are asked for: what the visitor of the month has not seen yet.
const ASKED_FOR: TimeDelta = TimeDelta::days(31);

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
    /// When that was.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Concerns with what became of them, the newest first.
macro_rules! concerns {
    ($which:literal) => {
        concat!(
            "SELECT r.entry, r.starts, b.text, coalesce(c.text, ''), coalesce(j.at, '') FROM register r \
             JOIN body b ON b.seq = r.entry LEFT JOIN body c ON c.seq = r.closed LEFT JOIN journal j ON j.seq = r.closed \
             WHERE r.kind = 'concern' AND ",
            $which,
            " ORDER BY r.entry DESC LIMIT 500"
        )
    };
}

impl Review {
    /// Whether all of a shift, or of several in a row, is within what was signed.
    pub fn covers(&self, shift: Shift) -> bool {
        self.from <= shift.from && shift.to <= self.to
    }
}

/// Whether both sides of a handover have signed a shift, alone or together with those beside it. The two sides are two people.
pub fn is_signed(reviews: &[Review], shift: Shift) -> bool {
    let by = |side| reviews.iter().filter(move |review| review.side == Some(side) && review.covers(shift));
    by(Side::Outgoing).any(|left| by(Side::Incoming).any(|came| came.by.id != left.by.id))
}

/// The last shift that is over, with what stands unsigned right before it: [`Records::to_review`] of what
/// [`Records::unsigned`] gave.
pub fn together(last: Shift, unsigned: &[Shift]) -> Shift {
    let mut waiting = unsigned.iter().rev();
    if waiting.next() != Some(&last) {
        return last;
    }
    let mut from = last.from;
    // What stands before a shift that is signed was handed over already, or is asked for by itself.
    for shift in waiting {
        if shift.to != from {
            break;
        }
        from = shift.from;
    }
    Shift { from, ..last }
}

impl Records {
    /// Marks an episode. One that they told of by themselves counts as reported by them: what that means says
    /// [`Episode::is_breach`](crate::Episode::is_breach).
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
        if mark == Mark::TheirReport {
            let sql = "UPDATE episode SET reported = $2 WHERE entry = $1 AND reported = 0";
            tx.exec(sql, &[episode.into(), seq.into()]).await?;
        }
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Raises a safeguarding concern about an episode, an incident that was written down, or what a young person told. It needs words, and is open until
    /// somebody closes it.
    pub async fn concern(&self, about: i64, person: &str, by: By, words: &str) -> Result<i64, NotDone> {
        let words = reasoned(words)?;
        let entry = Entry::Concern(Concern { entry: about, person: person.to_owned(), by, words });
        let mut tx = self.deciding().await?;
        if is_of(&mut tx, "report", about).await.is_err() && is_of(&mut tx, "incident", about).await.is_err()
        {
            is_of(&mut tx, "breach_opened", about).await?;
        }
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        register(&mut tx, seq, Registered { kind: "concern", person, about, starts: now, ends: now }).await?;
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
        let sql = concerns!("(r.closed = 0 OR $1 = 0)");
        raised(&self.store.rows(sql, &[i64::from(open_only).into()]).await?)
    }

    /// Concerns that went their way, the newest first: those that were raised or closed from an instant on and before another.
    pub async fn concerns_closed(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Raised>, StoreError> {
        let sql =
            concerns!("r.closed <> 0 AND (r.starts >= $1 AND r.starts < $2 OR j.at >= $3 AND j.at < $4)");
        let cells: [Cell; 4] = [
            from.timestamp_millis().into(),
            to.timestamp_millis().into(),
            journal::written(from).into(),
            journal::written(to).into(),
        ];
        raised(&self.store.rows(sql, &cells).await?)
    }

    /// Signs the log of a shift, or of several in a row: who read it, on which side of the handover, and what they say of it.
    /// `seen` is what the log had when they read it ([`Records::tally`]): where it has other episodes by now, nobody has
    /// signed it. The two sides of a handover are two people, and each signs once.
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
        let of_it = signed.iter().filter(|review| review.covers(shift));
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

    /// The shifts of late that are over and not signed by both sides, the oldest first. What was before a home had a journal
    /// was no shift.
    pub async fn unsigned(&self, house: &House, now: DateTime<Utc>) -> Result<Vec<Shift>, StoreError> {
        let Some(first) = self.first_written().await? else { return Ok(Vec::new()) };
        let (home, since) = (house.home(), (now - ASKED_FOR).max(first));
        let reviews = self.reviews_between(since - TimeDelta::days(2), now).await?;
        let mut unsigned = Vec::new();
        let mut shift = shift::last(&home.shifts, home.timezone, now);
        while shift.to > since {
            if !is_signed(&reviews, shift) {
                unsigned.push(shift);
            }
            shift = shift::at(&home.shifts, home.timezone, shift.from - TimeDelta::milliseconds(1));
        }
        unsigned.reverse();
        Ok(unsigned)
    }

    /// What a handover is about: everything from the end of the last shift that both sides signed up to the last handover.
    /// Where both have signed the last shift, it is that one.
    pub async fn to_review(&self, house: &House, now: DateTime<Utc>) -> Result<Shift, StoreError> {
        let home = house.home();
        let last = shift::last(&home.shifts, home.timezone, now);
        Ok(together(last, &self.unsigned(house, now).await?))
    }

    /// Who signed all of a shift's log, alone or with those beside it, in the order of signing.
    pub async fn reviews(&self, shift: Shift) -> Result<Vec<Review>, StoreError> {
        let reviews = self.reviews_between(shift.from, shift.to).await?;
        Ok(reviews.into_iter().filter(|review| review.covers(shift)).collect())
    }

    /// Who signed the logs of shifts that were, even in part, within a stretch of time, in the order of signing.
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
                       WHERE r.kind = 'review' AND r.ends > $1 AND r.starts < $2 ORDER BY r.entry";

fn read(lines: &[Line]) -> Result<Vec<Review>, StoreError> {
    let mut reviews = Vec::new();
    for line in lines {
        if let Some(Entry::Review(review)) = Entry::read("review", line.text(0)?) {
            reviews.push(review);
        }
    }
    Ok(reviews)
}

fn raised(lines: &[Line]) -> Result<Vec<Raised>, StoreError> {
    let mut raised = Vec::new();
    for line in lines {
        let Some(Entry::Concern(concern)) = Entry::read("concern", line.text(2)?) else { continue };
        let closed = match Entry::read("concern_closed", line.text(3)?) {
            Some(Entry::ConcernClosed(closed)) => Some(closed),
            Some(_) | None => None,
        };
        let (entry, at, closed_at) = (line.int(0)?, instant(line.int(1)?), line.text(4)?.parse().ok());
        raised.push(Raised { entry, at, concern, closed, closed_at });
    }
    Ok(raised)
}
