//! The file: SQLite, bundled. One writer connection, a few readers, one gateway.

use super::{OpenError, Purpose, SCHEMA, StoreError, schema_check, steps_from};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Mutex;

/// SQLite before 3.51.3 can lose committed writes when a write-ahead log is reset.
const OLDEST_ENGINE: [u32; 3] = [3, 51, 3];

/// What makes each version of the store from the one before.
const STEPS: [&str; SCHEMA as usize] = [
    include_str!("../../schema/sqlite_1.sql"),
    include_str!("../../schema/sqlite_2.sql"),
    include_str!("../../schema/sqlite_3.sql"),
    include_str!("../../schema/sqlite_4.sql"),
    include_str!("../../schema/sqlite_5.sql"),
];

#[derive(Debug)]
pub(crate) struct Sqlite {
    /// None when opened to read.
    writer: Option<SqlitePool>,
    pub(super) readers: SqlitePool,
    /// `data_version` only means something when it is asked on one and the same connection.
    listener: Mutex<Option<PoolConnection<sqlx::Sqlite>>>,
    /// Held for as long as this gateway runs; the kernel lets go of it whatever way the process ends.
    lock: std::sync::Mutex<Option<File>>,
    /// Whether all of it is in memory, in its one connection.
    in_memory: bool,
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
                // A copy has no log of its own: whoever only reads leaves it so.
                let writes = options.clone().journal_mode(SqliteJournalMode::Wal);
                // It appends: what it wrote before is seldom looked at again. In KiB, where it is negative.
                let writes = writes.pragma("cache_size", "-512");
                Some(SqlitePoolOptions::new().max_connections(1).connect_with(writes).await?)
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
        Ok(Self { writer, readers, listener: Mutex::new(None), lock: lock.into(), in_memory: false })
    }

    /// An empty store in memory, in place of the file at `path`, which nothing is done to. A second gateway is kept out as
    /// if it were open, where that can be.
    pub(super) async fn in_memory(path: &Path) -> Result<Self, OpenError> {
        let lock = match lock_beside(path) {
            Ok(lock) => Some(lock),
            Err(OpenError::Busy(what)) => return Err(OpenError::Busy(what)),
            // On a disk that cannot be written nobody can be kept out, and nothing can be lost.
            Err(_) => None,
        };
        Ok(Self { lock: lock.into(), ..Self::of_memory().await? })
    }

    /// The same in place of a store that is no file.
    pub(super) async fn of_memory() -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        // The store is its connection: there is one, and it never ends by itself.
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect_with(options).await?;
        upgrade(&pool, None).await?;
        let (writer, listener) = (Some(pool.clone()), Mutex::new(None));
        Ok(Self { writer, readers: pool, listener, lock: None.into(), in_memory: true })
    }

    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        let writer = self.writer.as_ref().ok_or_else(|| StoreError("the records are open to read".into()))?;
        let connection = Some(writer.acquire().await?);
        let mut writing = Writing { connection, failed: false, in_memory: self.in_memory };
        // A deferred transaction would fail at once where another process writes; an immediate one waits its turn.
        writing.run("BEGIN IMMEDIATE").await?;
        Ok(writing)
    }

    pub(super) async fn data_version(&self) -> Result<i64, StoreError> {
        if self.in_memory {
            return Ok(sqlx::query("SELECT entries FROM head").fetch_one(&self.readers).await?.try_get(0)?);
        }
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
        if let Some(writer) = self.writer.as_ref().filter(|_| !self.in_memory) {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(writer).await?;
        }
        Ok(())
    }

    /// One consistent copy, whoever writes meanwhile (`VACUUM INTO`): without what was deleted, and without a log beside it.
    pub(super) async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_str().ok_or_else(|| StoreError::shape("the path is no text"))?;
        let mut connection = self.readers.acquire().await?;
        sqlx::query("VACUUM INTO $1").bind(file).execute(&mut *connection).await?;
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

/// A transaction on the writer's connection.
///
/// SQLite ends a transaction by itself when the disk is full, and whoever then asks it to roll back is told that there is
/// none. A connection that has failed is therefore never used again: it is closed, and the next writer opens another.
#[derive(Debug)]
pub(crate) struct Writing {
    /// None once it is committed.
    connection: Option<PoolConnection<sqlx::Sqlite>>,
    failed: bool,
    /// Then closing the connection would lose everything.
    in_memory: bool,
}

impl Writing {
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match &mut self.connection {
            Some(connection) if !self.failed => Ok(connection),
            Some(_) | None => Err(StoreError("this writing has failed already".into())),
        }
    }

    /// Notes whether a statement failed, and passes on what it said.
    pub(super) fn noting<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        self.failed |= done.is_err();
        done
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let done = sqlx::query(sql).execute(self.connection()?).await;
        self.noting(done.map(drop).map_err(StoreError::from))
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await?;
        // Only now may the connection go back to the pool as it is.
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let in_memory = self.in_memory;
        if self.failed && !in_memory {
            return connection.close_on_drop();
        }
        tokio::spawn(async move {
            if sqlx::query("ROLLBACK").execute(&mut *connection).await.is_err() && !in_memory {
                connection.close_on_drop();
            }
        });
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("secure_delete", "ON")
}

/// Makes the folder and the file for this user alone, and takes the lock that keeps a second gateway out.
fn prepare(path: &Path) -> Result<File, OpenError> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|e| OpenError::File(folder.to_owned(), e))?;
    }
    let lock = lock_beside(path)?;
    private(path)?;
    Ok(lock)
}

/// Opens a file for this user alone, made where it was not.
fn private(path: &Path) -> Result<File, OpenError> {
    let opened =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    opened.map_err(|e| OpenError::File(path.to_owned(), e))
}

fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, ".lock");
    let lock = private(&lock_path)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Busy(path.display().to_string())),
        Err(TryLockError::Error(e)) => return Err(OpenError::File(lock_path, e)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cell;

    /// Writes a page's worth until the store says no.
    async fn fill(store: &Sqlite) -> StoreError {
        let filling = async {
            loop {
                let mut tx = store.begin().await?;
                let sql = "INSERT INTO total (day, kind, count) SELECT hex(randomblob(4000)), 'x', 1";
                let done = cell::sqlite_exec(tx.connection()?, sql, &[]).await;
                tx.noting(done)?;
                tx.commit().await?;
            }
        };
        let filled: Result<(), StoreError> = filling.await;
        filled.expect_err("it is full in the end")
    }

    #[tokio::test]
    async fn a_full_disk_is_written_again_once_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&dir.path().join("home.db"), Purpose::Gateway).await.unwrap();
        let writer = store.writer.as_ref().unwrap();
        // The bound belongs to the connection: it is gone with it, as the want of room is when somebody clears the disk.
        sqlx::query("PRAGMA max_page_count = 60").fetch_all(writer).await.unwrap();
        let why = fill(&store).await;
        assert!(why.to_string().contains("full"), "{why}");
        for round in 0..3 {
            let mut tx = store.begin().await.unwrap_or_else(|e| panic!("round {round}: {e}"));
            let sql = "INSERT INTO total (day, kind, count) VALUES ('2026-11-22', 'a', 1) \
                       ON CONFLICT (day, kind) DO UPDATE SET count = total.count + 1";
            cell::sqlite_exec(tx.connection().unwrap(), sql, &[]).await.unwrap();
            tx.commit().await.unwrap();
        }
        // What is dropped unwritten leaves the connection good, and nothing behind.
        let mut tx = store.begin().await.unwrap();
        cell::sqlite_exec(tx.connection().unwrap(), "UPDATE total SET count = 9 WHERE kind = 'a'", &[])
            .await
            .unwrap();
        drop(tx);
        store.begin().await.unwrap().commit().await.unwrap();
        let count = sqlx::query("SELECT count FROM total WHERE kind = 'a'").fetch_one(&store.readers).await;
        assert_eq!(count.unwrap().get::<i64, _>(0), 3);
        store.close().await;
    }
}
