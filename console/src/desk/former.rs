//! Accounts that `home.yaml` no longer has lose their password, but not for a slip of the pen.
//!
//! Whoever is not in the file cannot sign in from that moment on. What is kept of them is forgotten only once they have been
//! away for a day: a file that was cut short by a power cut, or an account that somebody mistyped, takes nobody's password and
//! second factor away for good.

use super::Desk;
use records::{By, ByRole, StoreError};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

/// An account that has been away for so long is gone.
const GONE: Duration = Duration::from_secs(24 * 3600);

/// Since when each was seen to be away, by the steady clock. No more than there are accounts.
#[derive(Debug, Default)]
pub(super) struct Absent(BTreeMap<String, Duration>);

impl Absent {
    /// Those of the absent that have been so for long enough. Who is back is forgotten here.
    fn gone(&mut self, absent: Vec<String>, now: Duration) -> Vec<String> {
        self.0.retain(|account, _| absent.contains(account));
        let is_gone = |account: &String| *self.0.entry(account.clone()).or_insert(now) + GONE <= now;
        absent.into_iter().filter(is_gone).collect()
    }
}

impl Desk {
    /// Forgets the passwords of accounts that `home.yaml` has been without for a day, and says so in the journal. It is asked
    /// now and then, and only while the home's own file can be used: else nobody can tell who is meant.
    pub async fn forget_former(&self) {
        let current = self.in_force.to_keep();
        let staff = &current.snapshot.house.home().staff;
        if staff.is_empty() || self.records.broken().is_some() {
            return;
        }
        let kept: Vec<&str> = staff.iter().map(|account| account.id.as_str()).collect();
        let forgotten = match self.forget_all_but(&kept).await {
            Ok(forgotten) => forgotten,
            Err(error) => {
                return tracing::error!(%error, "passwords of former accounts could not be forgotten");
            }
        };
        for account in forgotten {
            let by = By { role: ByRole::Gateway, id: "gateway".to_owned(), name: "the gateway".to_owned() };
            let what = format!("forgot the password of {account}");
            if let Err(error) = self.records.staff_action(by, &what, "home.yaml has no such account").await {
                tracing::error!(%error, "that a password was forgotten could not be written down");
            }
        }
    }

    /// Those that were forgotten.
    async fn forget_all_but(&self, kept: &[&str]) -> Result<Vec<String>, StoreError> {
        let absent = self.records.former_accounts(kept).await?;
        let now = self.records.clock().steady();
        let gone = self.absent.lock().unwrap_or_else(PoisonError::into_inner).gone(absent, now);
        self.records.forget_accounts(&gone).await?;
        Ok(gone)
    }
}
