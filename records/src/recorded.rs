//! Of whom there are records: also those who have no agreement any more.

use crate::room::Records;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// Somebody of whom there are records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Their id.
    pub person: String,
    /// What they were called when their last episode began; none where they have none that can be read.
    pub name: Option<String>,
    /// Whether it was a member of staff's agreement then, where the journal knows.
    pub of_staff: Option<bool>,
}

/// Of fewer people than this are there records: a home has not so many in as long as they are kept.
const MOST: u16 = 2000;
/// A device that nobody knows reports as `nobody` and what it is.
const ALL: &str = "SELECT person, CAST(max(episode) AS BIGINT) FROM ( \
    SELECT person, max(entry) AS episode FROM episode GROUP BY person \
    UNION ALL SELECT DISTINCT person, 0 FROM register \
    UNION ALL SELECT DISTINCT person, 0 FROM minutes \
    UNION ALL SELECT DISTINCT person, 0 FROM monitored) AS everybody \
    WHERE person <> '' AND person <> 'nobody' AND person NOT LIKE 'nobody %' GROUP BY person ORDER BY person LIMIT $1";

impl Records {
    /// Everybody of whom there are records, by id, save of those who are known already. Where there are too many to tell it is
    /// an error: whoever hides names would not hide them all.
    pub async fn recorded_but(&self, known: &BTreeSet<&str>) -> Result<Vec<Recorded>, StoreError> {
        let lines = self.store.rows(ALL, &[i64::from(MOST).into()]).await?;
        if lines.len() >= usize::from(MOST) {
            return Err(StoreError::shape(format!("the records tell of {MOST} people or more")));
        }
        let mut all = Vec::new();
        for line in lines {
            let person = line.text(0)?;
            if known.contains(person) {
                continue;
            }
            let last = match line.int(1)? {
                0 => None,
                entry => self.episode(entry).await?,
            };
            let (name, of_staff) = last.map_or((None, None), |last| (Some(last.name), last.of_staff));
            all.push(Recorded { person: person.to_owned(), name, of_staff });
        }
        Ok(all)
    }
}
