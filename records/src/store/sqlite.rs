//! The file: SQLite, bundled. One writer connection, a few readers, one gateway.

use super::{OpenError, Purpose, SCHEMA, StoreError, schema_check, steps_from};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, Transaction};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Mutex;

/// SQLite before 3.51.3 can lose committed writes when a write-ahead log is reset.
const OLDEST_ENGINE: [u32; 3] = [3, 51, 3];

/// What makes each version of the store from the one before.
const STEPS: [&str; SCHEMA as usize] =
    [include_str!("../../schema/sqlite_1.sql"), include_str!("../../schema/sqlite_2.sql")];

#[derive(Debug)]
pub(crate) struct Sqlite {
    /// None when opened to read.
    writer: Option<SqlitePool>,
    pub(super) readers: SqlitePool,
    /// `data_version` only means something when it is asked on one and the same connection.
    listener: Mutex<Option<PoolConnection<sqlx::Sqlite>>>,
    /// Held for as long as this gateway runs; the kernel lets go of it whatever way the process ends.
    lock: std::sync::Mutex<Option<File>>,
}

/// Whether the records are there and may be read. Who may not look knows nothing of whether they are there.
fn is_there(path: &Path) -> Result<(), OpenError> {
    match File::open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenError::Missing(path.display().to_string()))
        }
        Err(error) => Err(OpenError::File(path.to_owned(), error)),
    }
}

impl Sqlite {
    pub(super) async fn open(path: &Path, purpose: Purpose) -> Result<Self, OpenError> {
        let what = path.display().to_string();
        let lock = match purpose {
            Purpose::Gateway => Some(prepare(path)?),
            Purpose::Beside | Purpose::Read => {
                is_there(path)?;
                None
            }
        };
        let options = options(path);
        let writer = match purpose {
            Purpose::Read => None,
            // The one writer is the one tail of the chain.
            Purpose::Gateway | Purpose::Beside => {
                Some(SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?)
            }
        };
        let readers =
            SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        check_engine(&readers).await?;
        let found = version(&readers, &what).await?;
        if schema_check(found, purpose, &what)?
            && let Some(writer) = &writer
        {
            upgrade(writer, found).await?;
        }
        Ok(Self { writer, readers, listener: Mutex::new(None), lock: lock.into() })
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, sqlx::Sqlite>, StoreError> {
        let writer = self.writer.as_ref().ok_or_else(|| StoreError("the records are open to read".into()))?;
        // A deferred transaction would fail at once where another process writes; an immediate one waits its turn.
        Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(super) async fn data_version(&self) -> Result<i64, StoreError> {
        let mut kept = self.listener.lock().await;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.readers.acquire().await?,
        };
        let row = sqlx::query("PRAGMA data_version").fetch_one(&mut *connection).await?;
        *kept = Some(connection);
        Ok(row.try_get(0)?)
    }

    /// `secure_delete` has overwritten the pages; the log that still holds the old ones is emptied.
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        if let Some(writer) = &self.writer {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(writer).await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.listener.lock().await.take();
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("secure_delete", "ON")
}

/// Makes the folder and the file for this user alone, and takes the lock that keeps a second gateway out.
fn prepare(path: &Path) -> Result<File, OpenError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |e| OpenError::File(path, e)
    };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
    }
    let private = |path: &Path| {
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
    };
    let lock_path = beside(path, ".lock");
    let lock = private(&lock_path).map_err(at(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Busy(path.display().to_string())),
        Err(TryLockError::Error(e)) => return Err(OpenError::File(lock_path, e)),
    }
    private(path).map_err(at(path))?;
    Ok(lock)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

async fn check_engine(pool: &SqlitePool) -> Result<(), OpenError> {
    let version: String = sqlx::query("SELECT sqlite_version()").fetch_one(pool).await?.try_get(0)?;
    let mut parts = version.split('.').map(|p| p.parse().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    if found < OLDEST_ENGINE { Err(OpenError::OldEngine(version)) } else { Ok(()) }
}

/// The schema's version; none for an empty file.
async fn version(pool: &SqlitePool, what: &str) -> Result<Option<i64>, OpenError> {
    let tables: i64 = sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(pool).await?.try_get(0)?;
    if tables == 0 {
        return Ok(None);
    }
    let ours = sqlx::query("SELECT count(*) FROM sqlite_schema WHERE name = 'hearthgate_schema'");
    if ours.fetch_one(pool).await?.try_get::<i64, _>(0)? == 0 {
        return Err(OpenError::Foreign(what.to_owned()));
    }
    let version = sqlx::query("SELECT max(version) FROM hearthgate_schema").fetch_one(pool).await?;
    Ok(Some(version.try_get(0)?))
}

async fn upgrade(writer: &SqlitePool, found: Option<i64>) -> Result<(), OpenError> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS hearthgate_schema (version INTEGER NOT NULL) STRICT")
        .execute(&mut *tx)
        .await?;
    for (version, step) in steps_from(found, &STEPS) {
        sqlx::raw_sql(step).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO hearthgate_schema VALUES ($1)").bind(version).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
