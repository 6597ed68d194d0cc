//! Reading breaches: a shift's, a person's, since an instant.

use crate::commit::instant;
use crate::entry::{BreachOpened, Entry, Line, Marked, Note};
use crate::evidences::regulations;
use crate::journal;
use crate::refusal::why;
use crate::refused::Identified;
use crate::room::Records;
use crate::shift::Shift;
use crate::spell;
use crate::store::{Cell, Line as Row, StoreError};
use agreements::{Evidence, Outcome, Rule, Severity};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::HashMap;

/// The most episodes that one reading gives.
pub const MOST_EPISODES: i64 = 10_000;

/// Which lines of the list [`Which::cells`] choose. They are looked up by when they were last seen: what somebody reads stands
/// near the end of a long list. What has a sign before it is not what the store is to look them up by.
macro_rules! chosen {
    () => {
        "e.last >= $1 AND +e.first < $2 AND ($3 = '' OR e.person = $3) AND +e.entry > $4 \
         AND ($5 = 0 OR CASE e.severity WHEN 'technical' THEN 0 WHEN 'low' THEN 1 WHEN 'medium' THEN 2 \
                        WHEN 'high' THEN 3 ELSE 4 END >= $5) \
         AND ($6 = 0 OR NOT EXISTS (SELECT 1 FROM register r WHERE r.about = e.entry AND r.kind = 'mark')) \
         AND ($7 = '' OR $7 = 'times' AND e.rule IN ('online', 'limit', 'school_hours') \
              OR $7 = 'unknown' AND e.person = 'nobody' \
              OR $7 = 'around' AND EXISTS (SELECT 1 FROM body k WHERE k.seq = e.entry \
                                           AND k.text LIKE '%\"circumvention\":true,%')) \
         AND ($8 = '' OR replace($8, ',' || e.person || ',', '') = $8)"
    };
}
pub(crate) use chosen;

/// Episodes in some order, with what their entries say. One whose entry is gone hides no other.
macro_rules! page {
    ($order:literal) => {
        concat!(
            "SELECT e.entry, e.last, e.count, e.evidence, e.severity, e.reported, e.ended, coalesce(b.text, '') \
             FROM (SELECT * FROM episode e WHERE ",
            chosen!(),
            " ORDER BY ",
            $order,
            " LIMIT $9 OFFSET $10) e LEFT JOIN body b ON b.seq = e.entry ORDER BY ",
            $order
        )
    };
}

pub(crate) const PAGE_BY_ENTRY: &str = page!("+e.entry");
pub(crate) const PAGE_NEWEST: &str = page!("+e.entry DESC");
pub(crate) const PAGE_GRAVEST: &str = page!(
    "CASE e.severity WHEN 'technical' THEN 4 WHEN 'low' THEN 3 WHEN 'medium' THEN 2 WHEN 'high' THEN 1 ELSE 0 END, e.entry"
);

/// In what order episodes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they began.
    Oldest,
    /// The last that began first.
    Newest,
    /// What tells staff most first, and then as they began.
    Gravest,
}

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
    /// Those of this severity and above.
    pub severity: Option<Severity>,
    /// Those that nobody has marked.
    pub unmarked: bool,
    /// Those of one kind.
    pub sort: Option<Sort>,
    /// Those of nobody among these (by id).
    pub without: Vec<String>,
}

/// What an episode was about, as somebody looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Times and minutes: windows, limits, school hours.
    Times,
    /// Ways around the gateway.
    Around,
    /// Devices that nobody here is known to have.
    Unknown,
}

impl Which {
    /// What [`chosen`] is asked with.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let millis = |at: Option<DateTime<Utc>>, none| at.map_or(none, |at| at.timestamp_millis());
        let rank = self.severity.map_or(0, |severity| match severity {
            Severity::Technical => 0,
            Severity::Low => 1,
            Severity::Medium => 2,
            Severity::High => 3,
            Severity::Critical => 4,
        });
        vec![
            millis(self.from, i64::MIN).into(),
            millis(self.to, i64::MAX).into(),
            self.person.clone().unwrap_or_default().into(),
            self.after.into(),
            rank.into(),
            i64::from(self.unmarked).into(),
            match self.sort {
                None => "",
                Some(Sort::Times) => "times",
                Some(Sort::Around) => "around",
                Some(Sort::Unknown) => "unknown",
            }
            .into(),
            // No id has a comma in it: each stands between two.
            self.without.iter().map(|id| format!(",{id},")).collect::<String>().into(),
        ]
    }
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
    /// What in the law it is evidence of (`reg 12`): the Children's Homes (England) Regulations 2015.
    pub regulations: Vec<&'static str>,
    /// The line that says so.
    pub source: Option<Line>,
    /// What staff made of it.
    pub marks: Vec<Marked>,
    /// What people have noted.
    pub notes: Vec<Note>,
    /// Which way around the gateway it was, by the detector's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// Whether it was a member of staff's agreement when it began, where the journal knows.
    #[serde(skip)]
    pub of_staff: Option<bool>,
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
    /// Every chosen episode, in the order of their numbers: page after page, however many there are.
    pub async fn episodes(&self, which: &Which) -> Result<Vec<Episode>, StoreError> {
        let (mut which, mut all) = (which.clone(), Vec::new());
        loop {
            let page = self.episodes_page(&which).await?;
            all.extend(page.episodes);
            match page.next {
                Some(next) => which.after = next,
                None => return Ok(all),
            }
        }
    }

    /// A page of episodes in the order of their numbers, at most [`MOST_EPISODES`]. A line of the list that cannot be read
    /// hides no other.
    pub async fn episodes_page(&self, which: &Which) -> Result<Episodes, StoreError> {
        self.episodes_in(which, Order::Oldest, 0, MOST_EPISODES).await
    }

    /// At most `most` of the chosen episodes, in some order, after `skip` others.
    pub async fn episodes_in(
        &self,
        which: &Which,
        order: Order,
        skip: i64,
        most: i64,
    ) -> Result<Episodes, StoreError> {
        let most = most.clamp(0, MOST_EPISODES);
        let mut cells = which.cells();
        cells.extend([most.into(), skip.max(0).into()]);
        let sql = match order {
            Order::Oldest => PAGE_BY_ENTRY,
            Order::Newest => PAGE_NEWEST,
            Order::Gravest => PAGE_GRAVEST,
        };
        let lines = self.store.rows(sql, &cells).await?;
        let numbers = lines.iter().map(|line| line.int(0)).collect::<Result<Vec<_>, _>>()?;
        let (mut notes, mut marks) = match (numbers.iter().min(), numbers.iter().max()) {
            (Some(first), Some(last)) => self.notes(*first, *last).await?,
            _ => Default::default(),
        };
        let full = i64::try_from(lines.len()).is_ok_and(|n| n >= most);
        let next = numbers.last().copied().filter(|_| full);
        let mut page = Episodes { episodes: Vec::with_capacity(lines.len()), unreadable: Vec::new(), next };
        for line in &lines {
            let Some(mut episode) = episode(line)? else {
                page.unreadable.push(line.int(0)?);
                continue;
            };
            episode.notes = notes.remove(&episode.entry).unwrap_or_default();
            episode.marks = marks.remove(&episode.entry).unwrap_or_default();
            page.episodes.push(episode);
        }
        Ok(page)
    }

    /// Whether somebody's agreement was a member of staff's when their last episode began; none where the journal does not know.
    pub async fn was_of_staff(&self, person: &str) -> Result<Option<bool>, StoreError> {
        let which = Which { person: Some(person.to_owned()), ..Which::default() };
        let last = self.episodes_in(&which, Order::Newest, 0, 1).await?.episodes.pop();
        Ok(last.and_then(|episode| episode.of_staff))
    }

    /// One episode.
    pub async fn episode(&self, entry: i64) -> Result<Option<Episode>, StoreError> {
        let which = Which { after: entry - 1, ..Which::default() };
        let page = self.episodes_in(&which, Order::Oldest, 0, 1).await?;
        Ok(page.episodes.into_iter().next().filter(|e| e.entry == entry))
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

    /// One entry of the journal.
    pub async fn entry(&self, entry: i64) -> Result<Option<Logged>, StoreError> {
        Ok(self.store.page(entry, entry).await?.into_iter().map(logged).next())
    }

    /// The journal's last entries, newest first, at most a thousand.
    pub async fn newest(&self, count: u16) -> Result<Vec<Logged>, StoreError> {
        let count = i64::from(count).min(1000);
        let mut entries = self.entries((self.head().await?.entries - count + 1).max(1)).await?;
        entries.reverse();
        Ok(entries)
    }
}

fn logged(row: journal::Row) -> Logged {
    let says = Entry::read(&row.kind, &row.text);
    Logged { entry: row.seq, at: row.at, kind: row.kind, says }
}

/// An episode of the list; none where its entry is no breach that can be read.
fn episode(line: &Row) -> Result<Option<Episode>, StoreError> {
    let entry = line.int(0)?;
    let Some(Entry::BreachOpened(opened)) = Entry::read("breach_opened", line.text(7)?) else {
        tracing::warn!(entry, "the list of breaches has an entry that is no breach");
        return Ok(None);
    };
    let (evidence, severity) = (spell::read(line.text(3)?), spell::read(line.text(4)?));
    let mut episode = begun(entry, opened);
    episode.last = instant(line.int(1)?);
    episode.count = u64::try_from(line.int(2)?).unwrap_or_default();
    episode.evidence = evidence.unwrap_or(episode.evidence);
    episode.severity = severity.unwrap_or(episode.severity);
    (episode.reported, episode.open) = (line.int(5)? > 0, line.int(6)? == 0);
    episode.regulations = regulations(episode.rule, episode.reported);
    episode.why = why(&episode.name, episode.device.as_deref(), episode.identified, episode.evidence);
    Ok(Some(episode))
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
        detector,
        of_staff,
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
        regulations: Vec::new(),
        source,
        marks: Vec::new(),
        notes: Vec::new(),
        detector,
        of_staff,
    }
}
