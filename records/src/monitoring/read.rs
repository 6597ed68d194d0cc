//! Reading what monitoring kept.

use crate::room::Records;
use crate::spell;
use crate::store::StoreError;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a line of monitored minutes is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonitoredKind {
    /// A category of sites.
    Category,
    /// A site: a registrable domain.
    Site,
}

/// Minutes of a person on a category or site in a day, kept because they were monitored beyond breaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonitoredMinutes {
    /// The category's word, [`UNCATEGORISED`], the registrable domain, or [`OTHER_SITES`].
    ///
    /// [`UNCATEGORISED`]: super::UNCATEGORISED
    /// [`OTHER_SITES`]: super::OTHER_SITES
    pub key: String,
    /// What the key is. A minute on a site is one of its categories' minutes, too: kinds are not added up.
    pub kind: MonitoredKind,
    /// All minutes, estimated ones too.
    pub minutes: u16,
    /// Those of them in which only names were looked up.
    pub estimated: u16,
}

impl Records {
    /// What monitoring beyond breaches kept of a person in the day that the home began on `day`, as far as it is
    /// committed: categories, then sites, the most minutes first. Empty for who was not monitored.
    pub async fn monitored(&self, day: NaiveDate, person: &str) -> Result<Vec<MonitoredMinutes>, StoreError> {
        let sql = "SELECT kind, word, counted, estimated FROM monitored WHERE day = $1 AND person = $2 \
                   ORDER BY kind, counted + estimated DESC, word";
        let lines = self.store.rows(sql, &[day.to_string().into(), person.into()]).await?;
        let minutes = |n: i64| u16::try_from(n.max(0)).unwrap_or(u16::MAX);
        let mut kept = Vec::with_capacity(lines.len());
        for line in &lines {
            let kind = spell::read(line.text(0)?);
            let kind = kind.ok_or_else(|| StoreError::shape("monitored minutes have an unknown kind"))?;
            let (counted, estimated) = (minutes(line.int(2)?), minutes(line.int(3)?));
            let minutes = counted.saturating_add(estimated);
            kept.push(MonitoredMinutes { key: line.text(1)?.to_owned(), kind, minutes, estimated });
        }
        Ok(kept)
    }
}
