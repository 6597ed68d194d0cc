//! Whether the lists that staff read (episodes; grants, restrictions, asks, notes, reviews) say what the journal says.
//!
//! The lists have no hashes of their own. While the journal is read, what they must say is built again from its
//! entries, and compared both ways: every line has its entry, and every entry whose text is still there has its line.

use super::{Misfit, PAGE, Row};
use crate::entry::{BreachEnded, BreachOpened, Entry, Grown, Mark};
use crate::episode::Sum;
use crate::spell;
use crate::store::{Line, Store, StoreError};
use agreements::{Evidence, Severity};
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};

/// What does not fit, and where.
type Found = Result<Option<(i64, Misfit)>, StoreError>;

/// What a line is known by, short: a journal of many years must fit into a small machine.
type Short = [u8; 16];

fn short(parts: &[&str]) -> Short {
    let hash = digest(&SHA256, parts.join("\n").as_bytes());
    let mut short = Short::default();
    short.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    short
}

/// What the list of breaches must say of one.
struct Breach {
    what: Short,
    /// What the journal proves of it while it goes on.
    proved: Sum,
    /// The entry of the report that marks it; 0 for none.
    reported: i64,
    ended: Option<Over>,
}

/// What an episode's end says.
struct Over {
    by: i64,
    last: i64,
    count: u64,
    evidence: Evidence,
    severity: Severity,
}

/// What the register must say of an entry.
struct Registered {
    what: Short,
    /// The entry that closed it; 0 for none.
    closed: i64,
    /// Stores of an earlier program have no line for it.
    optional: bool,
}

/// What the lists must say, as far as the journal has been read.
#[derive(Default)]
pub(super) struct Lists {
    breaches: BTreeMap<i64, Breach>,
    register: BTreeMap<i64, Registered>,
    /// Entries whose text was purged, of the kinds that end or mark another.
    gone: BTreeSet<i64>,
    read_to: i64,
    /// How many lines are of episodes that go on.
    pub(super) open: u64,
}

/// The kinds that end or mark another entry.
const CLOSING: [&str; 10] = [
    "breach_ended",
    "mark",
    "report",
    "report_heard",
    "show_answered",
    "grant_revoked",
    "restriction_ended",
    "ask_answered",
    "monitoring_ended",
    "wrong_list_answered",
];

impl Lists {
    /// Takes the next entry of the journal.
    pub(super) fn read(&mut self, row: &Row) {
        self.read_to = row.seq;
        if row.salt.is_empty() {
            if CLOSING.contains(&row.kind.as_str()) {
                self.gone.insert(row.seq);
            }
            return;
        }
        let at = DateTime::parse_from_rfc3339(&row.at).unwrap_or_default().to_utc();
        let seq = row.seq;
        match Entry::read(&row.kind, &row.text) {
            Some(Entry::BreachOpened(o)) => _ = self.breaches.insert(seq, breach(&o)),
            Some(Entry::BreachesGrew(grew)) => grew.episodes.iter().for_each(|g| self.breach_grew(g)),
            Some(Entry::BreachEnded(e)) => self.breach_ended(seq, &e),
            Some(Entry::Report(r)) => {
                self.line(seq, "report", &r.teller(), 0, (at, at), true);
                r.entries.iter().for_each(|entry| self.reported(*entry, seq));
            }
            Some(Entry::Grant(g)) => {
                self.line(seq, "grant", &g.person, g.ask.unwrap_or(0), (g.from, g.until), false);
            }
            Some(Entry::Restriction(r)) => {
                self.line(seq, "restriction", &r.person, 0, (r.from, r.until), false);
            }
            Some(Entry::AuthorityTold(t)) => {
                self.line(seq, "authority_told", "", t.entry, (at, at), false);
            }
            Some(Entry::RestrictionReviewed(r)) => {
                self.line(seq, "restriction_reviewed", "", r.entry, (at, at), false);
            }
            Some(Entry::Ask(a)) => self.line(seq, "ask", &a.person, 0, (at, at), false),
            Some(Entry::Device(d)) => self.line(seq, "device", &d.person, 0, (at, at), false),
            Some(Entry::Note(n)) => self.line(seq, "note", "", n.entry, (at, at), false),
            Some(Entry::Mark(m)) => {
                self.line(seq, "mark", "", m.entry, (at, at), false);
                if m.mark == Mark::TheirReport {
                    self.reported(m.entry, seq);
                }
            }
            Some(Entry::Concern(c)) => self.line(seq, "concern", &c.person, c.entry, (at, at), false),
            Some(Entry::ConcernClosed(c)) => self.closed(c.entry, seq),
            Some(Entry::Review(r)) => self.line(seq, "review", "", 0, (r.from, r.to), false),
            Some(Entry::MonitoringBegan(m)) => {
                self.line(seq, "monitoring", &m.person, 0, (m.from, DateTime::UNIX_EPOCH), false);
            }
            Some(Entry::GrantRevoked(e) | Entry::RestrictionEnded(e)) => self.closed(e.entry, seq),
            Some(Entry::AskAnswered(a)) => self.closed(a.entry, seq),
            Some(Entry::ReportOpened(o)) => self.line(seq, "report_opened", "", o.entry, (at, at), false),
            Some(Entry::ReportHeard(heard)) => self.closed(heard.entry, seq),
            Some(Entry::AgreementRead(r)) => self.line(seq, "agreement_read", &r.person, 0, (at, at), false),
            Some(Entry::ShowAsked(s)) => self.line(seq, "show_asked", &s.person, 0, (at, at), false),
            Some(Entry::ShowAnswered(s)) => self.closed(s.entry, seq),
            Some(Entry::Incident(i)) => self.line(seq, "incident", &i.person, 0, (i.at, at), false),
            Some(Entry::BackedUp(_)) => self.line(seq, "backed_up", "", 0, (at, at), false),
            Some(Entry::WrongList(_)) => self.line(seq, "wrong_list", "", 0, (at, at), false),
            Some(Entry::WrongListAnswered(a)) => self.closed(a.entry, seq),
            Some(Entry::MonitoringEnded(m)) => self.closed(m.entry, seq),
            Some(_) | None => {}
        }
    }

    fn breach_grew(&mut self, grown: &Grown) {
        if let Some(breach) = self.breaches.get_mut(&grown.entry) {
            breach.proved.grow(grown);
        }
    }

    fn breach_ended(&mut self, by: i64, end: &BreachEnded) {
        let BreachEnded { entry, count, last, evidence, severity, sites: _, cut_short: _ } = *end;
        if let Some(breach) = self.breaches.get_mut(&entry) {
            breach.ended = Some(Over { by, last: last.timestamp_millis(), count, evidence, severity });
        }
    }

    fn reported(&mut self, breach: i64, by: i64) {
        if let Some(breach) = self.breaches.get_mut(&breach).filter(|b| b.reported == 0) {
            breach.reported = by;
        }
    }

    fn closed(&mut self, entry: i64, by: i64) {
        if let Some(line) = self.register.get_mut(&entry) {
            line.closed = by;
        }
    }

    fn line(
        &mut self,
        seq: i64,
        kind: &str,
        person: &str,
        about: i64,
        (starts, ends): (DateTime<Utc>, DateTime<Utc>),
        optional: bool,
    ) {
        let numbers = [about, starts.timestamp_millis(), ends.timestamp_millis()].map(|n| n.to_string());
        let what = short(&[kind, person, &numbers[0], &numbers[1], &numbers[2]]);
        self.register.insert(seq, Registered { what, closed: 0, optional });
    }

    /// Whether a number that the lists have may be newer than what was read of the journal.
    fn is_newer(&self, entry: i64, head: i64) -> bool {
        entry > self.read_to && entry <= head
    }

    /// Whether what a line says ended or marked it is what the journal says.
    fn is_by(&self, wanted: i64, found: i64, head: i64) -> bool {
        found == wanted || wanted == 0 && (self.gone.contains(&found) || self.is_newer(found, head))
    }

    /// Whether a line says of an episode that goes on what the journal proves: its counts run ahead of it, and what it
    /// tells staff does not. An entry that was appended since may say more.
    fn goes_on_from(&self, proved: Sum, line: &Line, head: i64) -> Result<bool, StoreError> {
        let (last, count) = (line.int(5)?, u64::try_from(line.int(6)?).unwrap_or_default());
        let (evidence, severity) = (spell::read(line.text(7)?), spell::read(line.text(8)?));
        let (evidence, severity): (Option<Evidence>, Option<Severity>) = (evidence, severity);
        let (before, told) = ((Some(proved.evidence), Some(proved.severity)), (evidence, severity));
        let newer = head > self.read_to && evidence >= before.0 && severity >= before.1;
        let counts = count >= proved.count && last >= proved.last.timestamp_millis();
        Ok(counts && (told == before || newer))
    }

    fn fits_breach(&self, line: &Line, breach: &Breach, head: i64) -> Result<bool, StoreError> {
        let (first, last, count) = (line.int(4)?, line.int(5)?, line.int(6)?);
        let what = short(&[line.text(1)?, line.text(2)?, line.text(3)?, &first.to_string()]);
        let (evidence, severity) = (spell::read(line.text(7)?), spell::read(line.text(8)?));
        let (Some(evidence), Some(severity)) = (evidence, severity) else { return Ok(false) };
        if what != breach.what || !self.is_by(breach.reported, line.int(9)?, head) {
            return Ok(false);
        }
        let ended = line.int(10)?;
        Ok(match &breach.ended {
            Some(over) => {
                let said = (over.by, over.last, i64::try_from(over.count), over.evidence, over.severity);
                said == (ended, last, Ok(count), evidence, severity)
            }
            None => self.is_by(0, ended, head) && self.goes_on_from(breach.proved, line, head)?,
        })
    }
}

fn breach(opened: &BreachOpened) -> Breach {
    let first = opened.first.timestamp_millis();
    let what = short(&[&opened.person, &spell::word(&opened.rule), &opened.site, &first.to_string()]);
    Breach { what, proved: Sum::of_opening(opened), reported: 0, ended: None }
}

impl Store {
    /// The first line of a list that says other than the journal, or entry that has lost its line.
    pub(super) async fn lists_misfit(&self, lists: &mut Lists) -> Found {
        match self.breaches_misfit(lists).await? {
            None => self.register_misfit(lists).await,
            found => Ok(found),
        }
    }

    async fn breaches_misfit(&self, lists: &mut Lists) -> Found {
        let sql = "SELECT entry, person, rule, site, first, last, count, evidence, severity, reported, ended \
                   FROM episode WHERE entry > $1 ORDER BY entry LIMIT $2";
        let mut after = i64::MIN;
        while let Some((page, head)) = self.page_after(sql, &mut after).await? {
            for line in &page {
                let entry = line.int(0)?;
                lists.open += u64::from(line.int(10)? == 0);
                let fits = match lists.breaches.remove(&entry) {
                    Some(breach) => lists.fits_breach(line, &breach, head)?,
                    None => lists.is_newer(entry, head),
                };
                if !fits {
                    return Ok(Some((entry, Misfit::ListAltered)));
                }
            }
        }
        self.without_line(lists.breaches.keys(), Misfit::ListAltered).await
    }

    async fn register_misfit(&self, lists: &mut Lists) -> Found {
        let sql = "SELECT entry, kind, person, about, starts, ends, closed \
                   FROM register WHERE entry > $1 ORDER BY entry LIMIT $2";
        let mut after = i64::MIN;
        while let Some((page, head)) = self.page_after(sql, &mut after).await? {
            for line in &page {
                let (entry, closed) = (line.int(0)?, line.int(6)?);
                let numbers = [line.int(3)?, line.int(4)?, line.int(5)?].map(|n| n.to_string());
                let what = short(&[line.text(1)?, line.text(2)?, &numbers[0], &numbers[1], &numbers[2]]);
                let fits = match lists.register.remove(&entry) {
                    Some(wanted) => wanted.what == what && lists.is_by(wanted.closed, closed, head),
                    None => lists.is_newer(entry, head),
                };
                if !fits {
                    return Ok(Some((entry, Misfit::RegisterAltered)));
                }
            }
        }
        let wanted = lists.register.iter().filter(|(_, line)| !line.optional).map(|(entry, _)| entry);
        self.without_line(wanted, Misfit::RegisterAltered).await
    }

    /// The next lines of a list, by entry, and how many entries the journal has by then; none at the list's end.
    async fn page_after(
        &self,
        sql: &'static str,
        after: &mut i64,
    ) -> Result<Option<(Vec<Line>, i64)>, StoreError> {
        let page = self.rows(sql, &[(*after).into(), PAGE.into()]).await?;
        let Some(last) = page.last() else { return Ok(None) };
        *after = last.int(0)?;
        Ok(Some((page, self.head().await?.entries)))
    }

    /// The first of these entries that has a text and so must have had its line. One that was purged since it was read
    /// has neither.
    async fn without_line(&self, entries: impl Iterator<Item = &i64>, misfit: Misfit) -> Found {
        for entry in entries {
            let sql = "SELECT seq FROM body WHERE seq = $1";
            if self.row(sql, &[(*entry).into()]).await?.is_some() {
                return Ok(Some((*entry, misfit)));
            }
        }
        Ok(None)
    }
}
