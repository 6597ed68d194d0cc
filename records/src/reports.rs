//! "I saw something": what young people told, until a member of staff says that they have heard it (seed 003 §4.7f).
//!
//! A report is no breach and makes none graver. It is open until somebody by name says what was done, and the young person is
//! told who has read it.

use crate::commit::instant;
use crate::entry::{By, Entry, Report, ReportHeard};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{close, reasoned};
use crate::store::{Cell, Line, StoreError};
use chrono::{DateTime, Utc};

/// So many reports are read at once, the newest first.
const MOST: i64 = 200;

/// A young person told that they saw something, and who has heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What they said.
    pub report: Report,
    /// Who heard it and what was done; none while it is open.
    pub heard: Option<ReportHeard>,
}

const OPEN: &str = "SELECT r.entry, r.starts, b.text, '' FROM register r JOIN body b ON b.seq = r.entry \
                    WHERE r.kind = 'report' AND r.closed = 0 ORDER BY r.entry DESC LIMIT $1";
const SINCE: &str = "SELECT r.entry, r.starts, b.text, coalesce(h.text, '') FROM register r \
                     JOIN body b ON b.seq = r.entry LEFT JOIN body h ON h.seq = r.closed \
                     WHERE r.kind = 'report' AND r.person = $1 AND r.starts >= $2 ORDER BY r.entry DESC LIMIT $3";

impl Records {
    /// What young people told and nobody has heard yet, the newest first, at most two hundred.
    pub async fn open_reports(&self) -> Result<Vec<Reported>, StoreError> {
        read(&self.store.rows(OPEN, &[MOST.into()]).await?)
    }

    /// What somebody (by id) told since an instant, heard or not, the newest first.
    pub async fn reports_of(&self, person: &str, since: DateTime<Utc>) -> Result<Vec<Reported>, StoreError> {
        let cells: [Cell; 3] = [person.into(), since.timestamp_millis().into(), MOST.into()];
        read(&self.store.rows(SINCE, &cells).await?)
    }

    /// Somebody has heard what a young person told, and says what was done. Nothing else closes a report.
    pub async fn hear_report(&self, report: i64, by: By, words: &str) -> Result<i64, NotDone> {
        let entry = Entry::ReportHeard(ReportHeard { entry: report, by, words: reasoned(words)? });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, "report", report, seq).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }
}

fn read(lines: &[Line]) -> Result<Vec<Reported>, StoreError> {
    let mut reports = Vec::new();
    for line in lines {
        let Some(Entry::Report(report)) = Entry::read("report", line.text(2)?) else { continue };
        let heard = match Entry::read("report_heard", line.text(3)?) {
            Some(Entry::ReportHeard(heard)) => Some(heard),
            Some(_) | None => None,
        };
        reports.push(Reported { entry: line.int(0)?, at: instant(line.int(1)?), report, heard });
    }
    Ok(reports)
}
