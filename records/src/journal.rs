//! The chain: every entry's hash holds the one before.
//!
//! An inspector needs nothing of ours to repeat it. For an entry, from the exported journal:
//!
//! ```sh
//! printf '%s\n%s' "$SALT" "$BODY" | sha256sum                                    # gives the body's hash
//! printf '%s\n%s\n%s\n%s\n%s\n' "$HASH_BEFORE" "$SEQ" "$AT" "$KIND" "$BODY_HASH" | sha256sum   # gives the entry's
//! ```
//!
//! The first entry's hash before is sixty-four zeros. The salt stands beside the body and goes with it when it is
//! purged, so that nobody can find out what an old entry said by trying out guesses against its hash.

mod decided;
mod lists;

pub(crate) use decided::{Decided, InBoth};

use crate::entry::{Entry, Purged, stamp};
use crate::store::{Store, StoreError, Tail, Tx};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use lists::Lists;
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// The hash before the first entry.
pub(crate) const BEFORE_ALL: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How many lines are read at a time.
pub(crate) const PAGE: i64 = 1000;

/// Nothing is kept for less than this: the shortest that `keep` can say in home.yaml.
const SHORTEST_KEPT: TimeDelta = TimeDelta::days(1);

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The SHA-256 of these parts one after the other, in hex.
pub(crate) fn sha256(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.as_bytes());
    }
    hex(context.finish().as_ref())
}

pub(crate) fn body_hash(salt: &str, text: &str) -> String {
    sha256(&[salt, "\n", text])
}

fn entry_hash(before: &str, seq: i64, at: &str, kind: &str, body_hash: &str) -> String {
    sha256(&[before, "\n", &seq.to_string(), "\n", at, "\n", kind, "\n", body_hash, "\n"])
}

fn salt() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StoreError::shape("the machine gives no random numbers"))?;
    Ok(hex(&bytes))
}

/// Appends within a transaction that began with [`Store::begin`], and so alone has the chain's tail.
pub(crate) async fn append(tx: &mut Tx, at: DateTime<Utc>, entry: &Entry) -> Result<i64, StoreError> {
    let Tail { entries, hash: before, standing } = tx.tail().await?;
    let seq = entries + 1;
    let (at, kind, text, salt) = (written(at), entry.kind(), entry.text(), salt()?);
    let body_hash = body_hash(&salt, &text);
    let hash = entry_hash(&before, seq, &at, kind, &body_hash);
    tx.exec(
        "INSERT INTO journal (seq, at, kind, body_hash, hash) VALUES ($1, $2, $3, $4, $5)",
        &[seq.into(), at.into(), kind.into(), body_hash.into(), hash.as_str().into()],
    )
    .await?;
    tx.exec(
        "INSERT INTO body (seq, salt, text) VALUES ($1, $2, $3)",
        &[seq.into(), salt.into(), text.into()],
    )
    .await?;
    let standing = if entry.moves_standing() { seq } else { standing };
    tx.ends_at(Tail { entries: seq, hash, standing });
    Ok(seq)
}

/// An instant as the journal writes it: RFC 3339, UTC, milliseconds.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    stamp(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// How far the chain has come: a number and a hash. Whoever keeps one elsewhere (a signed print-out, a manager's
/// mail) can later prove that nothing before it was rewritten, even by somebody who rewrote the whole store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// How many entries.
    pub entries: i64,
    /// The last one's hash, in hex.
    pub hash: String,
}

/// What verifying the journal found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// Every entry fits.
    Whole {
        /// How far the chain has come.
        head: Head,
        /// How many entries' texts were purged, as entries that fit say.
        purged: u64,
        /// The purges since the head that was kept elsewhere; none without one.
        purges: Vec<LaterPurge>,
        /// How many episodes go on: how often, and until when, is proved for none of them before its end.
        open: u64,
    },
    /// The first place that does not fit.
    Broken {
        /// The entry's number.
        entry: i64,
        /// What is wrong there.
        misfit: Misfit,
    },
}

/// A purge since the head that was kept elsewhere: whoever kept it sees what has gone since, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LaterPurge {
    /// The purge's own number.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was older than this went.
    pub before: DateTime<Utc>,
    /// How many entries' texts went.
    pub count: u64,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfit {
    /// The entry is not there, and later ones are.
    Removed,
    /// Its number, time, kind or place is not what its hash says.
    Altered,
    /// Its text is not what its hash says.
    BodyAltered,
    /// Its text is gone, and no purge says so that may: one that came later, when the entry was old enough to go, of a
    /// kind that goes.
    BodyRemoved,
    /// The journal ends before the place that the store says it reached.
    CutOff,
    /// It stands after the place that the store says the journal reached.
    Added,
    /// An episode in the list says other than the entries that it is made of.
    ListAltered,
    /// A line of the register (grants, restrictions, asks, notes, reviews) says other than the entries that it is made
    /// of.
    RegisterAltered,
    /// The chain does not pass through the head that was kept elsewhere.
    OtherChain,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "the entry has been removed",
            Self::Altered => "the entry has been altered or moved",
            Self::BodyAltered => "what the entry says has been altered",
            Self::BodyRemoved => "what the entry says has been removed, and no purge explains it",
            Self::CutOff => "the journal has been cut off here",
            Self::Added => "the entry has been added beside the gateway",
            Self::ListAltered => "the list of breaches says other than the journal here",
            Self::RegisterAltered => {
                "the list of grants, restrictions, asks, notes and reviews says other than the journal here"
            }
            Self::OtherChain => "the journal is not the one whose head was kept",
        })
    }
}

impl Store {
    pub(crate) async fn head(&self) -> Result<Head, StoreError> {
        match self.row("SELECT entries, hash FROM head", &[]).await? {
            Some(line) => Ok(Head { entries: line.int(0)?, hash: line.text(1)?.to_owned() }),
            None => Err(StoreError::shape("the head is gone")),
        }
    }

    /// Reads the journal from its first entry to its last and stops at the first that does not fit.
    /// `now` is none where the clock cannot be believed.
    pub(crate) async fn verify(
        &self,
        kept: Option<&Head>,
        now: Option<DateTime<Utc>>,
    ) -> Result<Verified, StoreError> {
        // A gateway that purges or ends an episode between two of our looks is no misfit: then we look again.
        for _ in 0..2 {
            let before = self.head().await?;
            let found = self.verify_once(kept, now).await?;
            if matches!(found, Verified::Whole { .. }) || self.head().await? == before {
                return Ok(found);
            }
        }
        self.verify_once(kept, now).await
    }

    async fn verify_once(
        &self,
        kept: Option<&Head>,
        now: Option<DateTime<Utc>>,
    ) -> Result<Verified, StoreError> {
        let head = self.head().await?;
        let mut walk = Walk::new(kept, now);
        while walk.next <= head.entries {
            let page = self.page(walk.next, head.entries).await?;
            if page.is_empty() {
                return Ok(broken(walk.next, Misfit::CutOff));
            }
            for row in page {
                if let Err((entry, misfit)) = walk.step(&row) {
                    return Ok(broken(entry, misfit));
                }
                if kept.is_some_and(|k| k.entries == row.seq && k.hash != row.hash) {
                    return Ok(broken(row.seq, Misfit::OtherChain));
                }
            }
        }
        self.end(walk, head, kept).await
    }

    async fn end(&self, mut walk: Walk, head: Head, kept: Option<&Head>) -> Result<Verified, StoreError> {
        if kept.is_some_and(|k| k.entries > head.entries) {
            return Ok(broken(head.entries + 1, Misfit::CutOff));
        }
        if walk.before != head.hash {
            return Ok(broken(head.entries, Misfit::Altered));
        }
        if let Some(entry) = walk.unexplained() {
            return Ok(broken(entry, Misfit::BodyRemoved));
        }
        if let Some(entry) = self.added(&head).await? {
            return Ok(broken(entry, Misfit::Added));
        }
        if let Some((entry, misfit)) = self.lists_misfit(&mut walk.lists).await? {
            return Ok(broken(entry, misfit));
        }
        let Walk { purged, purges, lists, .. } = walk;
        Ok(Verified::Whole { head, purged, purges, open: lists.open })
    }

    /// An entry after the head that no gateway's commit brought: the head, read again, has not reached it either.
    async fn added(&self, head: &Head) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT min(j.seq) FROM journal j, head h WHERE j.seq > h.entries AND j.seq > $1 HAVING count(*) > 0";
        self.row(sql, &[head.entries.into()]).await?.map(|line| line.int(0)).transpose()
    }

    /// A page of the journal, from an entry on, as it stands in the store.
    pub(crate) async fn page(&self, from: i64, to: i64) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT j.seq, j.at, j.kind, j.body_hash, j.hash, coalesce(b.salt, ''), coalesce(b.text, '') \
                   FROM journal j LEFT JOIN body b ON b.seq = j.seq \
                   WHERE j.seq >= $1 AND j.seq <= $2 ORDER BY j.seq LIMIT $3";
        let lines = self.rows(sql, &[from.into(), to.into(), PAGE.into()]).await?;
        lines
            .iter()
            .map(|l| {
                Ok(Row {
                    seq: l.int(0)?,
                    at: l.text(1)?.to_owned(),
                    kind: l.text(2)?.to_owned(),
                    body_hash: l.text(3)?.to_owned(),
                    hash: l.text(4)?.to_owned(),
                    salt: l.text(5)?.to_owned(),
                    text: l.text(6)?.to_owned(),
                })
            })
            .collect()
    }
}

/// A line of the journal as it stands. The field names are those of the exported journal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) body_hash: String,
    pub(crate) hash: String,
    /// Empty where the text was purged; so is `text`.
    pub(crate) salt: String,
    #[serde(rename = "body")]
    pub(crate) text: String,
}

/// Where verifying has come to.
struct Walk {
    next: i64,
    before: String,
    /// When the entries were whose text is gone, and that no purge has explained yet.
    missing: BTreeMap<i64, DateTime<Utc>>,
    purged: u64,
    /// The number of the head that was kept elsewhere.
    kept: Option<i64>,
    purges: Vec<LaterPurge>,
    now: Option<DateTime<Utc>>,
    lists: Lists,
}

impl Walk {
    fn new(kept: Option<&Head>, now: Option<DateTime<Utc>>) -> Self {
        Self {
            next: 1,
            before: BEFORE_ALL.to_owned(),
            missing: BTreeMap::new(),
            purged: 0,
            kept: kept.map(|head| head.entries),
            purges: Vec::new(),
            now,
            lists: Lists::default(),
        }
    }

    fn step(&mut self, row: &Row) -> Result<(), (i64, Misfit)> {
        if row.seq != self.next {
            return Err((self.next, Misfit::Removed));
        }
        if entry_hash(&self.before, row.seq, &row.at, &row.kind, &row.body_hash) != row.hash {
            return Err((row.seq, Misfit::Altered));
        }
        // A time that cannot be read is of no old entry.
        let at = DateTime::parse_from_rfc3339(&row.at).map_or(DateTime::<Utc>::MAX_UTC, |at| at.to_utc());
        if row.salt.is_empty() {
            if !Entry::is_purgeable(&row.kind) {
                return Err((row.seq, Misfit::BodyRemoved));
            }
            self.missing.insert(row.seq, at);
        } else if body_hash(&row.salt, &row.text) != row.body_hash {
            return Err((row.seq, Misfit::BodyAltered));
        } else if let Some(Entry::Purged(purged)) = Entry::read(&row.kind, &row.text) {
            self.purge(row.seq, at, purged);
        }
        self.lists.read(row);
        self.before.clone_from(&row.hash);
        self.next += 1;
        Ok(())
    }

    /// What a purge explains: entries before it that were old enough to go, by its own word and by the clock's.
    fn purge(&mut self, entry: i64, at: DateTime<Utc>, purged: Purged) {
        let Purged { before, count, entries } = purged;
        let soonest = self.now.map_or(at, |now| now.min(at));
        let may = before.checked_add_signed(SHORTEST_KEPT).is_some_and(|kept| kept <= soonest);
        for (from, to) in entries.into_iter().filter(|(from, to)| may && from <= to) {
            let old = |(_, at): &(&i64, &DateTime<Utc>)| **at < before;
            let gone: Vec<i64> = self.missing.range(from..=to).filter(old).map(|(seq, _)| *seq).collect();
            self.purged += gone.len() as u64;
            gone.iter().for_each(|seq| _ = self.missing.remove(seq));
        }
        if self.kept.is_some_and(|kept| entry > kept) {
            self.purges.push(LaterPurge { entry, at, before, count });
        }
    }

    /// The first entry without a text that no purge explains.
    fn unexplained(&self) -> Option<i64> {
        self.missing.keys().next().copied()
    }
}

fn broken(entry: i64, misfit: Misfit) -> Verified {
    Verified::Broken { entry, misfit }
}
