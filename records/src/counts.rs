//! How many episodes there are, counted where they lie: none of them is read.

use crate::breaches::Which;
use crate::commit::instant;
use crate::room::Records;
use crate::spell;
use crate::store::{Cell, Line, StoreError, Tx};
use agreements::Severity;
use chrono::{DateTime, Utc};

/// What stands in a stretch of time: what whoever signs a shift has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All episodes, those that a young person told of too.
    pub episodes: u64,
    /// Episodes that are breaches: not those that a young person told of, unless they are serious.
    pub breaches: u64,
    /// Those of high or critical severity.
    pub serious: u64,
    /// The number of the newest episode; 0 where there is none.
    pub newest: i64,
}

/// Episodes by how much they tell staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Breaches of critical severity.
    pub critical: u64,
    /// Breaches of high severity.
    pub high: u64,
    /// Breaches of medium severity.
    pub medium: u64,
    /// Breaches of low severity, and what devices did by themselves.
    pub small: u64,
    /// What the young person told of by themselves, where that makes it no breach.
    pub told: u64,
}

impl std::ops::AddAssign for Counted {
    fn add_assign(&mut self, other: Self) {
        let Self { critical, high, medium, small, told } = other;
        self.critical += critical;
        self.high += high;
        self.medium += medium;
        self.small += small;
        self.told += told;
    }
}

impl Counted {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.critical + self.high + self.medium + self.small + self.told
    }

    fn add(&mut self, severity: Severity, told: bool, count: u64) {
        let of = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            _ if told => &mut self.told,
            Severity::Medium => &mut self.medium,
            Severity::Low | Severity::Technical => &mut self.small,
        };
        *of += count;
    }
}

/// What an agreement's consequence counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'k> {
    /// Every breach.
    Breaches,
    /// Ways around the gateway.
    Circumvention,
    /// Breaches of this severity.
    Severity(Severity),
    /// What this rule refused, or a site of this category, by its word.
    Word(&'k str),
}

/// [`Tally`] of a stretch of time.
pub(crate) const TALLY: &str = "SELECT count(*), count(CASE WHEN reported = 0 OR severity IN ('high', 'critical') THEN 1 END), \
     count(CASE WHEN severity IN ('high', 'critical') THEN 1 END), coalesce(max(entry), 0) \
     FROM episode WHERE last >= $1 AND +first < $2";

/// By person and severity, whether it was told of: as [`crate::breaches::PAGE_BY_ENTRY`] chooses.
pub(crate) const SHARES: &str = concat!(
    "SELECT e.person, e.severity, CASE WHEN e.reported = 0 THEN 0 ELSE 1 END AS told, count(*) FROM episode e WHERE ",
    crate::breaches::chosen!(),
    " GROUP BY e.person, e.severity, told ORDER BY e.person"
);

/// By severity, whether it was told of, of those that began within a stretch of time.
pub(crate) const BEGAN: &str = "SELECT severity, CASE WHEN reported = 0 THEN 0 ELSE 1 END AS told, count(*) FROM episode \
     WHERE first >= $1 AND first < $2 GROUP BY severity, told";

/// A person's breaches of one kind since an instant. An entry's text is canonical JSON, keys in order: a string in it cannot
/// hold what stands between its members.
pub(crate) const REACHED: &str = "SELECT count(*) FROM episode e WHERE e.person = $1 AND e.first >= $2 \
     AND (e.reported = 0 OR e.severity IN ('high', 'critical')) AND ($3 = '' OR e.severity = $3) \
     AND ($4 = '' OR e.rule = $4 OR EXISTS (SELECT 1 FROM body b WHERE b.seq = e.entry AND b.text LIKE $5))";

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// A severity as a line has it. A word of a newer program is taken for the gravest: nothing is made small.
fn severity(line: &Line, at: usize) -> Result<Severity, StoreError> {
    Ok(spell::read(line.text(at)?).unwrap_or(Severity::Critical))
}

fn tally(line: Option<Line>) -> Result<Tally, StoreError> {
    let Some(line) = line else { return Ok(Tally::default()) };
    let [episodes, breaches, serious] = [number(line.int(0)?), number(line.int(1)?), number(line.int(2)?)];
    Ok(Tally { episodes, breaches, serious, newest: line.int(3)? })
}

fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> [Cell; 2] {
    [from.timestamp_millis().into(), to.timestamp_millis().into()]
}

/// The tally within a transaction that writes.
pub(crate) async fn tally_in(
    tx: &mut Tx,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Tally, StoreError> {
    tally(tx.row(TALLY, &between(from, to)).await?)
}

impl Records {
    /// What stands in a stretch of time.
    pub async fn tally(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Tally, StoreError> {
        tally(self.store.row(TALLY, &between(from, to)).await?)
    }

    /// How many of the chosen episodes are whose, by the person's id.
    pub async fn shares(&self, which: &Which) -> Result<Vec<(String, Counted)>, StoreError> {
        let mut shares: Vec<(String, Counted)> = Vec::new();
        for line in self.store.rows(SHARES, &which.cells()).await? {
            let person = line.text(0)?;
            if shares.last().is_none_or(|(last, _)| last != person) {
                shares.push((person.to_owned(), Counted::default()));
            }
            if let Some((_, counted)) = shares.last_mut() {
                counted.add(severity(&line, 1)?, line.int(2)? > 0, number(line.int(3)?));
            }
        }
        Ok(shares)
    }

    /// How many episodes began within a stretch of time.
    pub async fn began(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Counted, StoreError> {
        let mut counted = Counted::default();
        for line in self.store.rows(BEGAN, &between(from, to)).await? {
            counted.add(severity(&line, 0)?, line.int(1)? > 0, number(line.int(2)?));
        }
        Ok(counted)
    }

    /// How many breaches of a kind somebody's have begun since an instant.
    pub async fn reached(&self, person: &str, since: DateTime<Utc>, of: Kind<'_>) -> Result<u64, StoreError> {
        let (severity, word, text) = match of {
            Kind::Breaches => (String::new(), "", String::new()),
            // No rule is called so: only the entry says it.
            Kind::Circumvention => (String::new(), "circumvention", "%,\"circumvention\":true,%".to_owned()),
            Kind::Severity(severity) => (spell::word(&severity), "", String::new()),
            Kind::Word(word) => {
                (String::new(), word, format!("%\"categories\":[%\"{word}\"%],\"circumvention\":%"))
            }
        };
        let cells =
            [person.into(), since.timestamp_millis().into(), severity.into(), word.into(), text.into()];
        self.store.row(REACHED, &cells).await?.map_or(Ok(0), |line| line.int(0).map(number))
    }

    /// What said no to somebody since an instant, and when: the category of the site, or the rule where it has none.
    pub async fn kinds(
        &self,
        person: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, String)>, StoreError> {
        let cells = [person.into(), since.timestamp_millis().into()];
        self.store.rows(KINDS, &cells).await?.iter().map(kind).collect()
    }
}

/// A person's episodes, the part of their entries alone that says what kind they are.
pub(crate) const KINDS: &str = "SELECT e.first, e.rule, b.text FROM episode e JOIN body b ON b.seq = e.entry \
                                WHERE e.person = $1 AND e.first >= $2";

fn kind(line: &Line) -> Result<(DateTime<Utc>, String), StoreError> {
    #[derive(serde::Deserialize)]
    struct Categories {
        #[serde(default)]
        categories: Vec<String>,
    }
    let read: Option<Categories> = serde_json::from_str(line.text(2)?).ok();
    let category = read.and_then(|of| of.categories.into_iter().next());
    let kind = category.map_or_else(|| line.text(1).map(str::to_owned), Ok)?;
    Ok((instant(line.int(0)?), kind))
}
