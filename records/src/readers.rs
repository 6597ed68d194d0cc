//! Which member of staff has read which version of somebody's agreement (seed 003 §4.1, 4.2).

use crate::commit::instant;
use crate::entry::{AgreementRead, By, Entry};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, register};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// So many are read, the newest first: years of a home's.
const MOST: i64 = 5000;

/// What somebody has read of an agreement, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRead {
    /// The version, as whoever wrote it down tells versions apart.
    pub version: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Records {
    /// Somebody says that they have read a version of a person's agreement.
    pub async fn read_agreement(&self, person: &str, version: &str, by: By) -> Result<i64, NotDone> {
        let (person, version) = (person.to_owned(), version.to_owned());
        let entry = Entry::AgreementRead(AgreementRead { person: person.clone(), version, by });
        let mut tx = self.deciding().await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "agreement_read", person: &person, about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Whether somebody (by id) has said that they read this version of a person's agreement, or of what goes with it.
    pub async fn has_read(&self, person: &str, by: &str, version: &str) -> Result<bool, StoreError> {
        let sql = "SELECT b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'agreement_read' AND r.person = $1 ORDER BY r.entry DESC LIMIT $2";
        for line in self.store.rows(sql, &[person.into(), MOST.into()]).await? {
            if let Some(Entry::AgreementRead(said)) = Entry::read("agreement_read", line.text(0)?)
                && said.by.id == by
                && said.version == version
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What each account of staff has last read of whose agreement, by the person's id and the account's.
    pub async fn agreements_read(&self) -> Result<BTreeMap<(String, String), LastRead>, StoreError> {
        let sql = "SELECT r.starts, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'agreement_read' ORDER BY r.entry DESC LIMIT $1";
        let mut all = BTreeMap::new();
        for line in self.store.rows(sql, &[MOST.into()]).await? {
            let Some(Entry::AgreementRead(said)) = Entry::read("agreement_read", line.text(1)?) else {
                continue;
            };
            let at = instant(line.int(0)?);
            // The newest comes first, and stands.
            all.entry((said.person, said.by.id)).or_insert(LastRead { version: said.version, at });
        }
        Ok(all)
    }
}
