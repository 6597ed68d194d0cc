//! The server: PostgreSQL, for homes whose group keeps records centrally.

use super::{OpenError, Purpose, SCHEMA, StoreError, schema_check, steps_from};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Row, Transaction};
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::Mutex;

/// The advisory lock that the one running gateway holds ("hearth g").
const GATEWAY_LOCK: i64 = 0x6865_6172_7468_0067;
/// The advisory lock that whoever appends to the chain holds until it commits ("hearth j").
const CHAIN_LOCK: i64 = 0x6865_6172_7468_006a;

/// What makes each version of the store from the one before.
const STEPS: [&str; SCHEMA as usize] = [
    include_str!("../../schema/postgres_1.sql"),
    include_str!("../../schema/postgres_2.sql"),
    include_str!("../../schema/postgres_3.sql"),
    include_str!("../../schema/postgres_4.sql"),
    include_str!("../../schema/postgres_5.sql"),
];

#[derive(Debug)]
pub(crate) struct Postgres {
    pub(super) pool: PgPool,
    /// The session that holds [`GATEWAY_LOCK`]; the server lets go of it when the session ends.
    lock: Mutex<Option<PgConnection>>,
}

impl Postgres {
    pub(super) async fn open(url: &str, purpose: Purpose) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)?.application_name("hearthgate");
        // The password is in the URL: what is shown names only the server and the database.
        let what = format!("{}/{}", options.get_host(), options.get_database().unwrap_or_default());
        let lock = match purpose {
            Purpose::Gateway => Some(lock(&options, &what).await?),
            Purpose::Beside | Purpose::Read => None,
        };
        let options = match purpose {
            Purpose::Read => options.options([("default_transaction_read_only", "on")]),
            Purpose::Gateway | Purpose::Beside => options,
        };
        let pool = PgPoolOptions::new()
            .max_connections(5)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        let found = version(&pool).await?;
        if schema_check(found, purpose, &what)? {
            upgrade(&pool, found).await?;
        }
        Ok(Self { pool, lock: Mutex::new(lock) })
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, sqlx::Postgres>, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(CHAIN_LOCK).execute(&mut *tx).await?;
        Ok(tx)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
        if let Some(session) = self.lock.lock().await.take() {
            // A server that is gone has let go of the lock as well.
            let _ = session.close().await;
        }
    }

    /// Rewrites the tables whose lines were deleted, so that the server's files no longer hold them. Its log, its
    /// replicas and its backups are the server's keeper's to expire.
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        for sql in [
            "VACUUM FULL body",
            "VACUUM FULL episode",
            "VACUUM FULL register",
            "VACUUM FULL minutes",
            "VACUUM FULL monitored",
            "VACUUM FULL desk_session",
        ] {
            sqlx::query(sql).execute(&self.pool).await?;
        }
        Ok(())
    }
}

/// Takes the gateway's lock. A gateway that was just killed may hold it for the moment that the server needs to notice.
async fn lock(options: &PgConnectOptions, what: &str) -> Result<PgConnection, OpenError> {
    let mut session = options.connect().await?;
    for _ in 0..20 {
        let row =
            sqlx::query("SELECT pg_try_advisory_lock($1)").bind(GATEWAY_LOCK).fetch_one(&mut session).await?;
        if row.try_get(0)? {
            return Ok(session);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(OpenError::Busy(what.to_owned()))
}

async fn version(pool: &PgPool) -> Result<Option<i64>, OpenError> {
    let there = sqlx::query("SELECT to_regclass('hearthgate_schema') IS NOT NULL").fetch_one(pool).await?;
    if !there.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let version = sqlx::query("SELECT max(version) FROM hearthgate_schema").fetch_one(pool).await?;
    Ok(Some(version.try_get(0)?))
}

async fn upgrade(pool: &PgPool, found: Option<i64>) -> Result<(), OpenError> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS hearthgate_schema (version BIGINT NOT NULL)")
        .execute(&mut *tx)
        .await?;
    for (version, step) in steps_from(found, &STEPS) {
        sqlx::raw_sql(step).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO hearthgate_schema VALUES ($1)").bind(version).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
