//! The two stores behind one small surface: SQLite in a file (the default) and PostgreSQL.
//!
//! Everything above speaks SQL that both understand (`$1`, `ON CONFLICT`) through [`Store::rows`] and [`Tx`]; what
//! differs stands in `sqlite.rs`, `postgres.rs` and the two schema files. Nothing in the tables is ever NULL: 0 and
//! the empty text mean "none", so that the two engines cannot disagree about it.

mod cell;
mod postgres;
mod sqlite;

pub(crate) use cell::{Cell, Line};

use agreements::Store as Where;
use std::fmt;
use std::path::{Path, PathBuf};

/// The newest schema that this program knows.
pub(crate) const SCHEMA: i64 = 5;

/// What a program opens the store for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run the gateway: creates and upgrades the store, and keeps a second gateway out.
    Gateway,
    /// To append beside a running gateway: a command line or a test. The store must exist.
    Beside,
    /// To read only. The store must exist.
    Read,
}

/// Why the store could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no store yet: no gateway has run here.
    Missing(String),
    /// Another gateway has it open for writing.
    Busy(String),
    /// It was written by a newer program: the version found and the newest that this program knows.
    Newer(i64, i64),
    /// It was written by an older program and only a starting gateway upgrades it: the version found.
    Older(i64),
    /// It is some other program's database.
    Foreign(String),
    /// The bundled SQLite is older than 3.51.3, whose predecessors could lose committed writes.
    OldEngine(String),
    /// A file or folder could not be made or locked.
    File(PathBuf, std::io::Error),
    /// The engine said no.
    Store(StoreError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => {
                write!(f, "there are no records yet at `{what}`: no gateway has run with them")
            }
            Self::Busy(what) => write!(f, "another gateway is already keeping the records at `{what}`"),
            Self::Newer(found, known) => write!(
                f,
                "these records were written by a newer hearthgate (schema {found}; this one knows {known}): use that one"
            ),
            Self::Older(found) => write!(
                f,
                "these records are of an older hearthgate (schema {found}): start this one's gateway once, it upgrades them"
            ),
            Self::Foreign(what) => write!(f, "`{what}` is another program's database"),
            Self::OldEngine(version) => {
                write!(f, "SQLite {version} can lose committed writes: this program needs 3.51.3 or newer")
            }
            Self::File(path, e) => write!(f, "`{}` cannot be used for the records: {e}", path.display()),
            Self::Store(e) => write!(f, "the records cannot be opened: {e}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<sqlx::Error> for OpenError {
    fn from(e: sqlx::Error) -> Self {
        Self::Store(e.into())
    }
}

impl From<StoreError> for OpenError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

/// The store failed. Nothing of what was being written has been kept; trying again is harmless.
#[derive(Debug)]
pub struct StoreError(String);

impl StoreError {
    pub(crate) fn shape(what: impl fmt::Display) -> Self {
        Self(format!("a record is not in the expected shape: {what}"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

impl From<sqlx::Error> for StoreError {
    /// Only the engine's own words are kept: a statement's parameters, which may name people, never stand in them.
    fn from(e: sqlx::Error) -> Self {
        Self(match e.as_database_error() {
            Some(db) => db.message().to_owned(),
            None => e.to_string(),
        })
    }
}

/// One of the two stores, open.
#[derive(Debug)]
pub(crate) enum Store {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    pub(crate) async fn open(at: &Where, home_dir: &Path, purpose: Purpose) -> Result<Self, OpenError> {
        match at {
            Where::Sqlite(path) => {
                let path = path.strip_prefix("sqlite:").unwrap_or(path);
                Ok(Self::Sqlite(sqlite::Sqlite::open(&home_dir.join(path), purpose).await?))
            }
            Where::Postgres(url) => Ok(Self::Postgres(postgres::Postgres::open(url, purpose).await?)),
        }
    }

    /// An empty store in memory, while the one that the home names cannot be used.
    pub(crate) async fn in_memory_for(at: &Where, home_dir: &Path) -> Result<Self, OpenError> {
        Ok(Self::Sqlite(match at {
            Where::Sqlite(path) => {
                let path = path.strip_prefix("sqlite:").unwrap_or(path);
                sqlite::Sqlite::in_memory(&home_dir.join(path)).await?
            }
            Where::Postgres(_) => return Self::of_memory().await,
        }))
    }

    /// Opens a store in memory that stands for none.
    pub(crate) async fn of_memory() -> Result<Self, OpenError> {
        Ok(Self::Sqlite(sqlite::Sqlite::of_memory().await?))
    }

    /// Looks into every table: a store that was cut off, overwritten or half restored is found out before it is relied
    /// upon. What its entries say is for [`Store::verify`].
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        for sql in [
            "SELECT seq, at, kind, body_hash, hash FROM journal ORDER BY seq DESC LIMIT 1",
            "SELECT seq, salt, text FROM body ORDER BY seq DESC LIMIT 1",
            "SELECT entry, person, rule, site, first, last, count, evidence, severity, reported, ended \
             FROM episode ORDER BY entry DESC LIMIT 1",
            "SELECT count(*) FROM episode WHERE ended = 0",
            "SELECT entry, kind, person, about, starts, ends, closed FROM register ORDER BY entry DESC LIMIT 1",
            "SELECT count(*) FROM register WHERE closed = 0",
            "SELECT day, person, word, counted, estimated, map FROM minutes ORDER BY day DESC LIMIT 1",
            "SELECT day, kind, count FROM total ORDER BY day DESC LIMIT 1",
            "SELECT day, person, kind, word, counted, estimated FROM monitored ORDER BY day DESC LIMIT 1",
        ] {
            self.rows(sql, &[]).await?;
        }
        self.head().await.map(drop)
    }

    /// Reads. It sees what was committed, by this process or another.
    pub(crate) async fn rows(&self, sql: &'static str, cells: &[Cell]) -> Result<Vec<Line>, StoreError> {
        match self {
            Self::Sqlite(s) => cell::sqlite_rows(&s.readers, sql, cells).await,
            Self::Postgres(s) => cell::postgres_rows(&s.pool, sql, cells).await,
        }
    }

    /// Reads one line, if there is one.
    pub(crate) async fn row(&self, sql: &'static str, cells: &[Cell]) -> Result<Option<Line>, StoreError> {
        Ok(self.rows(sql, cells).await?.into_iter().next())
    }

    /// Begins to write. Only one writer at a time gets past this, across processes.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite(s) => s.begin().await.map(|t| Tx { on: On::Sqlite(t), tail: None }),
            Self::Postgres(s) => s.begin().await.map(|t| Tx { on: On::Postgres(t), tail: None }),
        }
    }

    /// A number that changes when some connection has committed something since; for SQLite without reading a table.
    pub(crate) async fn pulse(&self) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(s) => s.data_version().await,
            Self::Postgres(_) => match self.row("SELECT entries FROM head", &[]).await? {
                Some(line) => line.int(0),
                None => Ok(0),
            },
        }
    }

    /// Overwrites what was deleted, as far as the engine lets us.
    pub(crate) async fn scrub(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(s) => s.scrub().await,
            Self::Postgres(s) => s.scrub().await,
        }
    }

    /// Copies what was committed into an empty file.
    pub(crate) async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(s) => s.copy_to(file).await,
            Self::Postgres(_) => {
                Err(StoreError::shape("PostgreSQL is copied by its own means, like pg_dump"))
            }
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(s) => s.close().await,
            Self::Postgres(s) => s.close().await,
        }
    }
}

/// A writing transaction. Dropping it without [`Tx::commit`] writes nothing.
#[derive(Debug)]
pub(crate) struct Tx {
    on: On,
    /// The chain's tail, once the journal has appended in this transaction: it is written down with the end of it.
    tail: Option<Tail>,
}

#[derive(Debug)]
enum On {
    Sqlite(sqlite::Writing),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// How far the chain has come within a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    /// How many entries.
    pub(crate) entries: i64,
    /// The last one's hash.
    pub(crate) hash: String,
    /// The newest entry of this transaction that moves what stands; 0 for none.
    pub(crate) standing: i64,
}

impl Tx {
    /// The chain's tail as this transaction has it.
    pub(crate) async fn tail(&mut self) -> Result<Tail, StoreError> {
        if let Some(tail) = &self.tail {
            return Ok(tail.clone());
        }
        let head = self.row("SELECT entries, hash FROM head", &[]).await?;
        let head = head.ok_or_else(|| StoreError::shape("the head is gone"))?;
        Ok(Tail { entries: head.int(0)?, hash: head.text(1)?.to_owned(), standing: 0 })
    }

    /// From now on the chain ends so.
    pub(crate) fn ends_at(&mut self, tail: Tail) {
        self.tail = Some(tail);
    }

    async fn write_tail(&mut self) -> Result<(), StoreError> {
        let Some(Tail { entries, hash, standing }) = self.tail.take() else { return Ok(()) };
        let sql =
            "UPDATE head SET entries = $1, hash = $2, standing = CASE WHEN $3 > 0 THEN $3 ELSE standing END";
        self.exec(sql, &[entries.into(), hash.into(), standing.into()]).await.map(drop)
    }

    /// Whether parameters are written with their numbers. SQLite looks for a number's name among all before it, so that a long
    /// statement's cost more than they need: there they stand in their order.
    pub(crate) fn numbers_parameters(&self) -> bool {
        matches!(self.on, On::Postgres(_))
    }

    /// Writes; the number of lines touched.
    pub(crate) async fn exec(&mut self, sql: &'static str, cells: &[Cell]) -> Result<u64, StoreError> {
        match &mut self.on {
            On::Sqlite(t) => {
                let done = cell::sqlite_exec(t.connection()?, sql, cells).await;
                t.noting(done)
            }
            On::Postgres(t) => cell::postgres_exec(&mut **t, sql, cells).await,
        }
    }

    /// Reads within the transaction.
    pub(crate) async fn rows(&mut self, sql: &'static str, cells: &[Cell]) -> Result<Vec<Line>, StoreError> {
        match &mut self.on {
            On::Sqlite(t) => {
                let done = cell::sqlite_rows(t.connection()?, sql, cells).await;
                t.noting(done)
            }
            On::Postgres(t) => cell::postgres_rows(&mut **t, sql, cells).await,
        }
    }

    /// Reads one line within the transaction, if there is one.
    pub(crate) async fn row(
        &mut self,
        sql: &'static str,
        cells: &[Cell],
    ) -> Result<Option<Line>, StoreError> {
        Ok(self.rows(sql, cells).await?.into_iter().next())
    }

    /// Makes it last: when this returns without an error it is on the disk.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        self.write_tail().await?;
        match self.on {
            On::Sqlite(t) => t.commit().await?,
            On::Postgres(t) => t.commit().await?,
        }
        Ok(())
    }
}

/// The steps that lead from the version found to [`SCHEMA`], with the version that each makes. Nothing is ever taken out of
/// `steps` or changed in it: stores have been made by them.
fn steps_from<'s>(
    found: Option<i64>,
    steps: &'s [&'static str],
) -> impl Iterator<Item = (i64, &'static str)> + 's {
    (1..).zip(steps.iter().copied()).filter(move |(version, _)| *version > found.unwrap_or(0))
}

/// What a store without our tables, or with them, means for each purpose; `None` asks for the upgrade.
fn schema_check(found: Option<i64>, purpose: Purpose, what: &str) -> Result<bool, OpenError> {
    match (found, purpose) {
        (Some(v), _) if v > SCHEMA => Err(OpenError::Newer(v, SCHEMA)),
        (Some(SCHEMA), _) => Ok(false),
        (_, Purpose::Gateway) => Ok(true),
        (Some(v), _) => Err(OpenError::Older(v)),
        (None, _) => Err(OpenError::Missing(what.to_owned())),
    }
}
