//! Sites about which a list is wrong: open until whoever looks after the lists says what became of it.

use crate::commit::instant;
use crate::entry::{By, Entry, WrongList, WrongListAnswered};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, close, reasoned, register};
use crate::store::StoreError;
use chrono::{DateTime, Utc};

/// So many are read at once, the newest first.
const MOST: i64 = 200;

/// A site about which a list is wrong, as somebody found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundWrong {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What is wrong.
    pub said: WrongList,
}

impl Records {
    /// Writes down that a list is wrong about a site. It needs words.
    pub async fn found_wrong(&self, host: &str, by: By, words: &str) -> Result<i64, NotDone> {
        let entry = Entry::WrongList(WrongList { host: host.to_owned(), by, words: reasoned(words)? });
        let mut tx = self.deciding().await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "wrong_list", person: "", about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Says what became of it: it is open no longer.
    pub async fn answer_wrong(&self, which: i64, by: By, words: &str) -> Result<i64, NotDone> {
        let entry = Entry::WrongListAnswered(WrongListAnswered { entry: which, by, words: reasoned(words)? });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, "wrong_list", which, seq).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// What nobody has answered yet, the newest first, at most two hundred.
    pub async fn open_wrong(&self) -> Result<Vec<FoundWrong>, StoreError> {
        let sql = "SELECT r.entry, r.starts, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'wrong_list' AND r.closed = 0 ORDER BY r.entry DESC LIMIT $1";
        let mut found = Vec::new();
        for line in self.store.rows(sql, &[MOST.into()]).await? {
            if let Some(Entry::WrongList(said)) = Entry::read("wrong_list", line.text(2)?) {
                found.push(FoundWrong { entry: line.int(0)?, at: instant(line.int(1)?), said });
            }
        }
        Ok(found)
    }
}
