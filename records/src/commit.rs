//! One commit of the recorder: episodes, entries, totals and minutes together, or none of it.

use crate::entry::{BreachOpened, BreachesGrew, Entry};
use crate::episode::{Change, Key, Sum};
use crate::journal;
use crate::minutes::{Kept, Of, Tally};
use crate::monitoring::{Gained, store_gained, store_turn};
use crate::refusal::Total;
use crate::room::Records;
use crate::spell;
use crate::store::{Cell, Purpose, StoreError, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What one commit takes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    pub(crate) entries: Vec<(DateTime<Utc>, Entry)>,
    pub(crate) totals: Vec<(NaiveDate, Total, u64)>,
    pub(crate) minutes: Vec<Kept>,
    pub(crate) monitored: Vec<Gained>,
    /// Beginnings and ends of monitoring.
    pub(crate) turns: Vec<(DateTime<Utc>, Entry)>,
}

/// The numbers that the store gave to episodes that began.
pub(crate) type Numbers = Vec<(Key, u64, i64)>;

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { changes, entries, totals, minutes, monitored, turns } = self;
        let told = changes.is_empty() && entries.is_empty() && turns.is_empty();
        told && totals.is_empty() && minutes.is_empty() && monitored.is_empty()
    }
}

impl Records {
    /// Commits a batch and tells of it.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<Numbers, StoreError> {
        let (mut numbers, mut told) = (Vec::new(), Vec::new());
        let mut tx = self.store.begin().await?;
        // Most changes are only counts of episodes that go on: they take one statement for many.
        let (going_on, others): (Vec<_>, Vec<_>) = batch.changes.iter().partition(|c| c.goes_on());
        for change in others {
            store_change(&mut tx, change, self.now(), &mut numbers, &mut told).await?;
        }
        for changes in going_on.chunks(TOGETHER) {
            store_counts(&mut tx, changes).await?;
        }
        if let Some(grew) = grew(&going_on) {
            told.push((journal::append(&mut tx, self.now(), &grew).await?, grew));
        }
        for (at, entry) in &batch.entries {
            told.push((journal::append(&mut tx, *at, entry).await?, entry.clone()));
        }
        for (at, turn) in &batch.turns {
            told.push((store_turn(&mut tx, *at, turn).await?, turn.clone()));
        }
        for (day, kind, count) in &batch.totals {
            let cells = [day.to_string().into(), kind.word().into(), int(*count)];
            tx.exec(ADD_TOTAL, &cells).await?;
        }
        for kept in &batch.minutes {
            store_minutes(&mut tx, kept).await?;
        }
        for gained in &batch.monitored {
            store_gained(&mut tx, gained).await?;
        }
        tx.commit().await?;
        told.iter().for_each(|(seq, entry)| self.tell(*seq, entry));
        Ok(numbers)
    }

    /// A day's minutes as the store has them. Days after it were counted by a clock that was wrong: what was used then
    /// goes along, and the days go.
    pub(crate) async fn day(&self, day: NaiveDate) -> Result<HashMap<Of, Tally>, StoreError> {
        let sql =
            "SELECT person, word, counted, estimated, map, day FROM minutes WHERE day >= $1 ORDER BY day";
        let mut rows: HashMap<Of, Tally> = HashMap::new();
        let mut later = false;
        for line in self.store.rows(sql, &[day.to_string().into()]).await? {
            let tally = Tally::stored(line.int(2)?, line.int(3)?, line.blob(4)?);
            let of = (line.text(0)?.to_owned(), line.text(1)?.to_owned());
            if line.text(5)? == day.to_string() {
                rows.insert(of, tally);
            } else {
                later = true;
                rows.entry(of).or_default().carry(&tally);
            }
        }
        // A command leaves that to the gateway.
        if later && self.purpose == Purpose::Gateway {
            let mut tx = self.store.begin().await?;
            tx.exec("DELETE FROM minutes WHERE day > $1", &[day.to_string().into()]).await?;
            for (of, tally) in &rows {
                store_minutes(&mut tx, &Kept { day, of: of.clone(), tally: tally.clone() }).await?;
            }
            tx.commit().await?;
        }
        Ok(rows)
    }

    /// The last day that has minutes.
    pub(crate) async fn last_day(&self) -> Result<Option<NaiveDate>, StoreError> {
        let line = self.store.row("SELECT coalesce(max(day), '') FROM minutes", &[]).await?;
        Ok(line.and_then(|l| l.text(0).ok().and_then(|d| d.parse().ok())))
    }
}

const ADD_TOTAL: &str = "INSERT INTO total (day, kind, count) VALUES ($1, $2, $3) \
                         ON CONFLICT (day, kind) DO UPDATE SET count = total.count + excluded.count";

fn int(count: u64) -> Cell {
    Cell::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// An instant from the store's milliseconds.
pub(crate) fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// One entry for all that outgrew what the journal says of them.
fn grew(changes: &[&Change]) -> Option<Entry> {
    let grew = changes.iter().filter(|change| change.grew);
    let episodes: Vec<_> = grew.filter_map(|c| c.entry.map(|entry| c.sum.grown(entry))).collect();
    (!episodes.is_empty()).then_some(Entry::BreachesGrew(BreachesGrew { episodes }))
}

/// Counts of so many episodes are stored by one statement.
const TOGETHER: usize = 50;

/// The counts of several episodes. A statement's text is the same however many there are: what is over stands for none.
async fn store_counts(tx: &mut Tx, changes: &[&Change]) -> Result<(), StoreError> {
    static NUMBERED: LazyLock<&'static str> = LazyLock::new(|| update(|n| format!("${n}")));
    static IN_ORDER: LazyLock<&'static str> = LazyLock::new(|| update(|_| "?".to_owned()));
    let mut cells: Vec<Cell> = Vec::with_capacity(TOGETHER * 5);
    for change in changes {
        let Sum { last, count, evidence, severity, .. } = &change.sum;
        cells.push(change.entry.unwrap_or(NO_ENTRY).into());
        cells.push(last.timestamp_millis().into());
        cells.push(int(*count));
        cells.push(spell::word(evidence).into());
        cells.push(spell::word(severity).into());
    }
    for _ in changes.len()..TOGETHER {
        cells.extend([NO_ENTRY.into(), 0.into(), 0.into(), "".into(), "".into()]);
    }
    let sql: &'static str = if tx.numbers_parameters() { *NUMBERED } else { *IN_ORDER };
    tx.exec(sql, &cells).await?;
    Ok(())
}

/// The statement that stores counts, with its parameters written so. It is made once and lives as long as the program.
fn update(parameter: impl Fn(usize) -> String) -> &'static str {
    let row = |n: usize| {
        let [entry, last, count, evidence, severity] =
            [1, 2, 3, 4, 5].map(|column| parameter(n * 5 + column));
        format!(
            "(CAST({entry} AS BIGINT), CAST({last} AS BIGINT), CAST({count} AS BIGINT), \
             CAST({evidence} AS TEXT), CAST({severity} AS TEXT))"
        )
    };
    let rows = (0..TOGETHER).map(row).collect::<Vec<_>>().join(", ");
    // Both stores name the columns of VALUES so.
    String::leak(format!(
        "UPDATE episode SET last = v.column2, count = v.column3, evidence = v.column4, severity = v.column5 \
         FROM (VALUES {rows}) AS v WHERE episode.entry = v.column1"
    ))
}

/// No episode has this number.
const NO_ENTRY: i64 = -1;

async fn store_change(
    tx: &mut Tx,
    change: &Change,
    now: DateTime<Utc>,
    numbers: &mut Numbers,
    told: &mut Vec<(i64, Entry)>,
) -> Result<(), StoreError> {
    let entry = match (&change.entry, &change.opened) {
        (Some(entry), _) => *entry,
        (None, Some(opened)) => {
            let entry = open_episode(tx, opened, &change.sum, now, told).await?;
            numbers.push((change.key.clone(), change.id, entry));
            if !change.ended {
                return Ok(());
            }
            entry
        }
        // An episode without a number always has its opening: it loses it when it is given its number.
        (None, None) => return Ok(()),
    };
    let mut ended = 0;
    if change.ended {
        let end = Entry::BreachEnded(change.sum.ended(entry, change.sites, change.cut_short));
        ended = journal::append(tx, now, &end).await?;
        told.push((ended, end));
    }
    let sum = &change.sum;
    tx.exec(
        "UPDATE episode SET last = $2, count = $3, evidence = $4, severity = $5, ended = $6 WHERE entry = $1",
        &[
            entry.into(),
            sum.last.timestamp_millis().into(),
            int(sum.count),
            spell::word(&sum.evidence).into(),
            spell::word(&sum.severity).into(),
            ended.into(),
        ],
    )
    .await?;
    Ok(())
}

async fn open_episode(
    tx: &mut Tx,
    opened: &BreachOpened,
    sum: &Sum,
    now: DateTime<Utc>,
    told: &mut Vec<(i64, Entry)>,
) -> Result<i64, StoreError> {
    let begin = Entry::BreachOpened(opened.clone());
    let entry = journal::append(tx, now, &begin).await?;
    told.push((entry, begin));
    let first = opened.first.timestamp_millis();
    tx.exec(
        "INSERT INTO episode (entry, person, rule, site, first, last, count, evidence, severity, reported, ended) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)",
        &[
            entry.into(),
            opened.person.as_str().into(),
            spell::word(&opened.rule).into(),
            opened.site.as_str().into(),
            first.into(),
            sum.last.timestamp_millis().into(),
            int(sum.count),
            spell::word(&sum.evidence).into(),
            spell::word(&sum.severity).into(),
        ],
    )
    .await?;
    Ok(entry)
}

async fn store_minutes(tx: &mut Tx, kept: &Kept) -> Result<(), StoreError> {
    let Kept { day, of: (person, word), tally } = kept;
    tx.exec(
        "INSERT INTO minutes (day, person, word, counted, estimated, map) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (day, person, word) DO UPDATE \
         SET counted = excluded.counted, estimated = excluded.estimated, map = excluded.map",
        &[
            day.to_string().into(),
            person.as_str().into(),
            word.as_str().into(),
            i64::from(tally.counted).into(),
            i64::from(tally.estimated).into(),
            tally.map.to_vec().into(),
        ],
    )
    .await?;
    Ok(())
}
