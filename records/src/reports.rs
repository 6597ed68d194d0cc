//! "I saw something": what young people told, until a member of staff says that they have heard it (seed 003 §4.7f).
//!
//! A report is no breach and makes none graver. It is open until somebody by name says what was done, and the young person is
//! told who has read it. Where they chose with whom they would like to talk, that adult or a manager says so, and nobody else.
//! Whoever tells all the time does not push out what others told: a few of each are read at once, the oldest first.

use crate::commit::instant;
use crate::entry::{By, Entry, Report, ReportHeard, ReportOpened};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, close, is_of, reasoned, register};
use crate::store::{Cell, Line, StoreError, Tx};
use chrono::{DateTime, Utc};

/// So many reports are read at once.
const MOST: i64 = 200;
/// So many of one person, or of one device that nobody knows, stand beside others'.
pub const FEW_REPORTS: i64 = 3;

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
    /// Who opened words that were told for somebody else.
    pub opened: Vec<By>,
    /// How many more of the same teller are open; none save on the last of the few that are read.
    pub more: u64,
    /// The newest open one of the same teller; itself where others are not looked for.
    pub newest: i64,
}

/// Who says that they have heard a report.
#[derive(Clone, Debug)]
pub struct Hearer {
    /// Who it is.
    pub by: By,
    /// Whether they manage the home.
    pub manages: bool,
}

impl Hearer {
    /// Whether they may say so of a report: where an adult was chosen, it is for that adult or a manager.
    pub fn may_hear(&self, report: &Report) -> bool {
        self.manages || report.adult.as_ref().is_none_or(|adult| *adult == self.by.id)
    }
}

/// The oldest first, those of people whom the home knows before those of strange devices; a few of each teller.
const OPEN: &str = "WITH told AS (SELECT entry, starts, person, row_number() OVER (PARTITION BY person ORDER BY entry) AS nth, \
                    count(*) OVER (PARTITION BY person) AS many, max(entry) OVER (PARTITION BY person) AS newest \
                    FROM register WHERE kind = 'report' AND closed = 0) \
                    SELECT t.entry, t.starts, b.text, '', CASE WHEN t.nth = $1 THEN t.many - t.nth ELSE 0 END, t.newest \
                    FROM told t JOIN body b ON b.seq = t.entry WHERE t.nth <= $1 \
                    ORDER BY CASE WHEN t.person LIKE 'nobody%' THEN 1 ELSE 0 END, t.entry LIMIT $2";
const ALIKE: &str = "SELECT r.entry, r.starts, b.text, '', 0, r.entry FROM register r JOIN body b ON b.seq = r.entry \
                     WHERE r.kind = 'report' AND r.closed = 0 AND r.entry >= $1 AND r.entry <= $2 \
                     AND r.person = (SELECT person FROM register WHERE entry = $1) ORDER BY r.entry LIMIT $3";
/// One teller's: those that nobody has heard, and of those that were heard last the ones heard since an instant.
pub(crate) const THEIRS: &str = "WITH found AS (\
     SELECT entry, starts, closed FROM (SELECT entry, starts, closed FROM register \
     WHERE kind = 'report' AND closed = 0 AND person = $1 ORDER BY entry DESC LIMIT $2) AS open UNION ALL \
     SELECT entry, starts, closed FROM (SELECT entry, starts, closed FROM register \
     WHERE kind = 'report' AND closed > 0 AND person = $1 ORDER BY closed DESC LIMIT $2) AS done) \
     SELECT f.entry, f.starts, b.text, coalesce(h.text, ''), 0, f.entry FROM found f JOIN body b ON b.seq = f.entry \
     LEFT JOIN journal j ON j.seq = f.closed LEFT JOIN body h ON h.seq = f.closed \
     WHERE f.closed = 0 OR j.at >= $3 ORDER BY f.entry DESC";

impl Records {
    /// What young people told and nobody has heard yet, the oldest first: of each teller the first [`FEW_REPORTS`], the last
    /// of which says how many more there are.
    pub async fn open_reports(&self) -> Result<Vec<Reported>, StoreError> {
        let mut open = self
            .with_openers(read(&self.store.rows(OPEN, &[FEW_REPORTS.into(), MOST.into()]).await?)?)
            .await?;
        open.sort_by_key(|told| told.entry);
        Ok(open)
    }

    /// A report that nobody has heard yet, however many stand before it; none where it is no such thing.
    pub async fn open_report(&self, entry: i64) -> Result<Option<Reported>, StoreError> {
        let cells: [Cell; 3] = [entry.into(), entry.into(), 1.into()];
        Ok(self.with_openers(read(&self.store.rows(ALIKE, &cells).await?)?).await?.pop())
    }

    /// A report that nobody has heard yet, and those that its teller told after it, the oldest first, at most two hundred.
    pub async fn open_reports_from(&self, entry: i64) -> Result<Vec<Reported>, StoreError> {
        let cells: [Cell; 3] = [entry.into(), i64::MAX.into(), MOST.into()];
        self.with_openers(read(&self.store.rows(ALIKE, &cells).await?)?).await
    }

    /// What somebody (by id) told: what nobody has heard yet, however long ago, and what was heard since an instant,
    /// whenever it was told. The newest first, at most two hundred of each.
    pub async fn reports_of(&self, person: &str, since: DateTime<Utc>) -> Result<Vec<Reported>, StoreError> {
        let cells: [Cell; 3] = [person.into(), MOST.into(), journal::written(since).into()];
        self.with_openers(read(&self.store.rows(THEIRS, &cells).await?)?).await
    }

    async fn with_openers(&self, mut told: Vec<Reported>) -> Result<Vec<Reported>, StoreError> {
        let sql = "SELECT b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.about = $1 AND r.kind = 'report_opened' ORDER BY r.entry LIMIT $2";
        // Without an adult there is nothing to open.
        for told in told.iter_mut().filter(|told| told.report.adult.is_some()) {
            for line in self.store.rows(sql, &[told.entry.into(), MOST.into()]).await? {
                if let Some(Entry::ReportOpened(opened)) = Entry::read("report_opened", line.text(0)?) {
                    told.opened.push(opened.by);
                }
            }
        }
        Ok(told)
    }

    /// Somebody opens the words of a report that was told for somebody else, because it cannot wait. Once is enough.
    pub async fn open_words(&self, report: i64, by: By) -> Result<(), NotDone> {
        let told = self.open_report(report).await?.ok_or(NotDone::NotOpen(report))?;
        if told.opened.iter().any(|opened| opened.id == by.id) {
            return Ok(());
        }
        let entry = Entry::ReportOpened(ReportOpened { entry: report, by });
        let mut tx = self.deciding().await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "report_opened", person: "", about: report, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(())
    }

    /// Somebody has heard what a young person told, and says what was done. Nothing else closes a report.
    pub async fn hear_report(&self, report: i64, hearer: &Hearer, words: &str) -> Result<(), NotDone> {
        self.hear_reports((report, report), hearer, words).await
    }

    /// The same for what one teller told from a report up to another: those that whoever hears it may hear.
    pub async fn hear_reports(
        &self,
        (from, upto): (i64, i64),
        hearer: &Hearer,
        words: &str,
    ) -> Result<(), NotDone> {
        let words = reasoned(words)?;
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "report", from).await?;
        let open = read(&tx.rows(ALIKE, &[from.into(), upto.into(), MOST.into()]).await?)?;
        if open.is_empty() {
            return Err(NotDone::NotOpen(from));
        }
        let mut said = Vec::new();
        for told in open.iter().filter(|told| hearer.may_hear(&told.report)) {
            said.push(self.hear(&mut tx, told.entry, hearer, &words).await?);
        }
        if said.is_empty() {
            return Err(NotDone::NotTheirs);
        }
        self.done(tx, &said).await?;
        Ok(())
    }

    async fn hear(
        &self,
        tx: &mut Tx,
        report: i64,
        hearer: &Hearer,
        words: &str,
    ) -> Result<(i64, Entry), NotDone> {
        let heard = ReportHeard { entry: report, by: hearer.by.clone(), words: words.to_owned() };
        let entry = Entry::ReportHeard(heard);
        let seq = journal::append(tx, self.now(), &entry).await?;
        close(tx, "report", report, seq).await?;
        Ok((seq, entry))
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
        let (entry, at) = (line.int(0)?, instant(line.int(1)?));
        let more = u64::try_from(line.int(4)?).unwrap_or_default();
        let newest = line.int(5)?;
        reports.push(Reported { entry, at, report, heard, opened: Vec::new(), more, newest });
    }
    Ok(reports)
}
