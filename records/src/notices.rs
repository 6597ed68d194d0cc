//! Whom messages have told of what: the journal itself is the queue, and each recipient has come so far in it.

use crate::room::Records;
use crate::store::{Cell, StoreError};

impl Records {
    /// Up to which entry a recipient has been told; none where they never were.
    pub async fn told(&self, recipient: &str) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT told FROM notice WHERE recipient = $1";
        let line = self.store.row(sql, &[recipient.into()]).await?;
        line.map(|line| line.int(0)).transpose()
    }

    /// A recipient has been told up to an entry.
    pub async fn set_told(&self, recipient: &str, entry: i64) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let cells: [Cell; 2] = [recipient.into(), entry.into()];
        tx.exec(
            "INSERT INTO notice (recipient, told) VALUES ($1, $2) \
             ON CONFLICT (recipient) DO UPDATE SET told = excluded.told",
            &cells,
        )
        .await?;
        tx.commit().await
    }
}
