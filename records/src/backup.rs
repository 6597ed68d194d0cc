//! Copies of the records: made beside a running gateway, read whole before anybody relies on them, and written down (seed 001 §6).

use crate::commit::instant;
use crate::entry::{BackedUp, By, Entry};
use crate::journal::{self, Head};
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, register};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::path::Path;

impl Records {
    /// Copies the records as they are at one instant into an empty file, beside a gateway that goes on writing. An error for
    /// PostgreSQL, whose server has means of its own.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        self.store.copy_to(file).await
    }

    /// Writes down that a copy was made and fits: how far it goes, and its SHA-256.
    pub async fn backed_up(&self, head: Head, sha256: &str, by: By) -> Result<i64, NotDone> {
        let Head { entries, hash } = head;
        let entry = Entry::BackedUp(BackedUp { by, entries, hash, sha256: sha256.to_owned() });
        let mut tx = self.deciding().await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "backed_up", person: "", about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// When the last copy was made that fits; none where there was none.
    pub async fn last_backup(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT coalesce(max(ends), 0) FROM register WHERE kind = 'backed_up'";
        let at = self.store.row(sql, &[]).await?.map_or(Ok(0), |line| line.int(0))?;
        Ok((at > 0).then(|| instant(at)))
    }
}
