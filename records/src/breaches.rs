//! Reading breaches: a shift's, a person's, since an instant.

use crate::commit::instant;
use crate::entry::{BreachOpened, Entry, Line, Marked, Note};
use crate::journal::Row;
use crate::refusal::why;
use crate::refused::Identified;
use crate::room::Records;
use crate::shift::Shift;
use crate::spell;
use crate::store::{Cell, StoreError};
use agreements::{Evidence, Outcome, Rule, Severity};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::HashMap;

/// The most episodes that one reading gives.
pub const MOST_EPISODES: i64 = 10_000;

/// Which episodes.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Those that go on at this instant or after it.
    pub from: Option<DateTime<Utc>>,
    /// Those that began before this instant.
    pub to: Option<DateTime<Utc>>,
    /// Those of this person (by id).
    pub person: Option<String>,
    /// Those with a higher number than this entry: to read on after [`MOST_EPISODES`].
    pub after: i64,
}

impl From<Shift> for Which {
    fn from(shift: Shift) -> Self {
        Self { from: Some(shift.from), to: Some(shift.to), ..Self::default() }
    }
}

/// A breach episode as staff read it. The field names are those of the exports, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// Its number in the journal.
    pub entry: i64,
    /// The person's id; `nobody` for an unknown device.
    pub person: String,
    /// The name that people see.
    pub name: String,
    /// The device's name in the agreement, if it has one.
    pub device: Option<String>,
    /// How the gateway knew.
    pub identified: Identified,
    /// When the first refusal was.
    pub first: DateTime<Utc>,
    /// When the last one was, so far.
    pub last: DateTime<Utc>,
    /// How many, so far.
    pub count: u64,
    /// The service, site or address; `sealed` for a sealed list.
    pub site: String,
    /// The site's categories.
    pub categories: Vec<String>,
    /// What happened to the requests.
    pub outcome: Outcome,
    /// The rule that spoke.
    pub rule: Rule,
    /// The highest severity.
    pub severity: Severity,
    /// The strongest evidence.
    pub evidence: Evidence,
    /// Whether it was a way around the gateway.
    pub circumvention: bool,
    /// Whether the young person reported it themselves in time: see [`Episode::is_breach`].
    pub reported: bool,
    /// Whether it may still go on.
    pub open: bool,
    /// The verdict in one sentence.
    pub sentence: String,
    /// How the gateway knows, and what it cannot know.
    pub why: String,
    /// The line that says so.
    pub source: Option<Line>,
    /// What staff made of it.
    pub marks: Vec<Marked>,
    /// What people have noted.
    pub notes: Vec<Note>,
}

impl Episode {
    /// Whether it counts as a breach. What the young person reported themselves in time does not, and whoever reports is
    /// never worse off for it; but what is of high or critical severity stays one, with "reported by the young person"
    /// beside it: a program that reports all the time must not hide from staff what they have to look at.
    pub fn is_breach(&self) -> bool {
        !self.reported || self.severity >= Severity::High
    }
}

/// A page of episodes.
#[derive(Clone, Debug, Default)]
pub struct Episodes {
    /// The episodes, in the order of their numbers.
    pub episodes: Vec<Episode>,
    /// Lines of the list whose entry is no breach that can be read: verifying the journal says more.
    pub unreadable: Vec<i64>,
    /// Where to read on ([`Which::after`]); none at the end.
    pub next: Option<i64>,
}

/// By the entry that they speak of.
type Of<T> = HashMap<i64, Vec<T>>;

/// An entry of the journal as it is read.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Its number.
    pub entry: i64,
    /// When.
    pub at: String,
    /// Its kind.
    pub kind: String,
    /// What it says; none where it was purged or a newer program wrote it.
    pub says: Option<Entry>,
}

impl Records {
    /// Episodes in the order of their numbers, at most [`MOST_EPISODES`]: [`Records::episodes_page`] says whether there
    /// are more. None only where there are none.
    pub async fn episodes(&self, which: &Which) -> Result<Vec<Episode>, StoreError> {
        let mut which = which.clone();
        loop {
            let page = self.episodes_page(&which).await?;
            match page.next {
                Some(next) if page.episodes.is_empty() => which.after = next,
                Some(_) | None => return Ok(page.episodes),
            }
        }
    }

    /// A page of episodes. A line of the list that cannot be read hides no other.
    pub async fn episodes_page(&self, which: &Which) -> Result<Episodes, StoreError> {
        let millis = |at: Option<DateTime<Utc>>, none| at.map_or(none, |at| at.timestamp_millis());
        let cells: [Cell; 5] = [
            millis(which.from, i64::MIN).into(),
            millis(which.to, i64::MAX).into(),
            which.person.clone().unwrap_or_default().into(),
            which.after.into(),
            MOST_EPISODES.into(),
        ];
        let sql = "SELECT e.entry, e.last, e.count, e.evidence, e.severity, e.reported, e.ended, b.text \
                   FROM episode e JOIN body b ON b.seq = e.entry \
                   WHERE e.last >= $1 AND e.first < $2 AND ($3 = '' OR e.person = $3) AND e.entry > $4 \
                   ORDER BY e.entry LIMIT $5";
        let lines = self.store.rows(sql, &cells).await?;
        let (mut notes, mut marks) = match (lines.first(), lines.last()) {
            (Some(first), Some(last)) => self.notes(first.int(0)?, last.int(0)?).await?,
            _ => Default::default(),
        };
        let full = i64::try_from(lines.len()).is_ok_and(|n| n >= MOST_EPISODES);
        let next = lines.last().filter(|_| full).map(|line| line.int(0)).transpose()?;
        let mut page = Episodes { episodes: Vec::with_capacity(lines.len()), unreadable: Vec::new(), next };
        for line in lines {
            let entry = line.int(0)?;
            let Some(Entry::BreachOpened(opened)) = Entry::read("breach_opened", line.text(7)?) else {
                tracing::warn!(entry, "the list of breaches has an entry that is no breach");
                page.unreadable.push(entry);
                continue;
            };
            let (evidence, severity) = (spell::read(line.text(3)?), spell::read(line.text(4)?));
            let mut episode = begun(entry, opened);
            episode.last = instant(line.int(1)?);
            episode.count = u64::try_from(line.int(2)?).unwrap_or_default();
            episode.evidence = evidence.unwrap_or(episode.evidence);
            episode.severity = severity.unwrap_or(episode.severity);
            (episode.reported, episode.open) = (line.int(5)? > 0, line.int(6)? == 0);
            episode.why = why(&episode.name, episode.device.as_deref(), episode.identified, episode.evidence);
            episode.notes = notes.remove(&entry).unwrap_or_default();
            episode.marks = marks.remove(&entry).unwrap_or_default();
            page.episodes.push(episode);
        }
        Ok(page)
    }

    /// One episode.
    pub async fn episode(&self, entry: i64) -> Result<Option<Episode>, StoreError> {
        let which = Which { after: entry - 1, ..Which::default() };
        Ok(self.episodes(&which).await?.into_iter().next().filter(|e| e.entry == entry))
    }

    /// The notes and marks on the entries of a stretch.
    async fn notes(&self, from: i64, to: i64) -> Result<(Of<Note>, Of<Marked>), StoreError> {
        let sql = "SELECT r.kind, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind IN ('note', 'mark') AND r.about >= $1 AND r.about <= $2 ORDER BY r.entry";
        let (mut notes, mut marks) = (Of::<Note>::new(), Of::<Marked>::new());
        for line in self.store.rows(sql, &[from.into(), to.into()]).await? {
            match Entry::read(line.text(0)?, line.text(1)?) {
                Some(Entry::Note(note)) => notes.entry(note.entry).or_default().push(note),
                Some(Entry::Mark(mark)) => marks.entry(mark.entry).or_default().push(mark),
                Some(_) | None => {}
            }
        }
        Ok((notes, marks))
    }

    /// The journal's entries from a number on, at most a thousand.
    pub async fn entries(&self, from: i64) -> Result<Vec<Logged>, StoreError> {
        let rows = self.store.page(from, i64::MAX).await?;
        Ok(rows.into_iter().map(logged).collect())
    }

    /// The journal's last entries, newest first, at most a thousand.
    pub async fn newest(&self, count: u16) -> Result<Vec<Logged>, StoreError> {
        let count = i64::from(count).min(1000);
        let mut entries = self.entries((self.head().await?.entries - count + 1).max(1)).await?;
        entries.reverse();
        Ok(entries)
    }
}

fn logged(row: Row) -> Logged {
    let says = Entry::read(&row.kind, &row.text);
    Logged { entry: row.seq, at: row.at, kind: row.kind, says }
}

/// An episode as it began.
fn begun(entry: i64, opened: BreachOpened) -> Episode {
    let BreachOpened {
        person,
        name,
        device,
        identified,
        rule,
        outcome,
        site,
        categories,
        severity,
        evidence,
        circumvention,
        first,
        sentence,
        source,
    } = opened;
    Episode {
        entry,
        person,
        name,
        device,
        identified,
        first,
        last: first,
        count: 1,
        site,
        categories,
        outcome,
        rule,
        severity,
        evidence,
        circumvention,
        reported: false,
        open: true,
        sentence,
        why: String::new(),
        source,
        marks: Vec::new(),
        notes: Vec::new(),
    }
}
