//! The one place where the tests touch the API to set things up: a home, a clock, the records, a gateway.

use agreements::lawful::RestrictionDraft;
use agreements::{Evidence, Host, House, PersonId, Snapshot, Store, Verdict, What, Word};
use blocklists::{Catalogue, Name};
use chrono::{DateTime, TimeDelta, Utc};
use records::{
    By, ByRole, Clock, Current, Face, Identified, InForce, OpenError, Purpose, Recorder, Records, Refused,
    SetClock,
};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const HOME: &str = "
home: Oakview House
timezone: Europe/London
day_starts: 04:00
shifts: [07:30, 14:30, 21:30]
everyone:
  block: [pornography, circumvention]
protected:
  support: [oakviewhouse.example]
  assistive: [relay.example]
staff:
  - {id: k.lane, name: K. Lane, role: staff}
";

pub const JORDAN: &str = "
person: Jordan
agreed:
  risk_assessment: {ref: RA-2026-031, on: 2026-10-28, level: medium}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
education: school
devices:
  - {name: phone, mac: \"3c:06:30:11:22:33\"}
online:
  every_day: 07:00-22:30
limits:
  everything: 4h
  video.example: 45m
allow: [bbc.example]
ask: [chat.example]
block: [games.example, cdn.games.example]
otherwise: allow
tell_someone: Ring for whoever is on shift.
";

/// A name that must never be found on the disk.
pub const CANARY: &str = "canary-f81d4fae";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Half past five on a Sunday afternoon: nothing is closed.
pub const START: &str = "2026-11-22T17:30:00Z";

pub fn staff() -> By {
    By { role: ByRole::Staff, id: "k.lane".into(), name: "K. Lane".into() }
}

pub fn jordan() -> By {
    By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() }
}

pub fn snapshot() -> Arc<Snapshot> {
    snapshot_of(HOME, JORDAN, Catalogue::empty())
}

/// A home as its two files say.
pub fn snapshot_of(home: &str, jordan: &str, catalogue: Catalogue) -> Arc<Snapshot> {
    snapshot_read_on(START, home, jordan, catalogue)
}

/// The same, of files that were read at another time.
pub fn snapshot_read_on(when: &str, home: &str, jordan: &str, catalogue: Catalogue) -> Arc<Snapshot> {
    let files = [("home.yaml", home), ("agreements/jordan.yaml", jordan)];
    let files: Vec<_> = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let reading = agreements::read(&files, at(when).date_naive());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(Snapshot { house: reading.house, catalogue: catalogue.into() })
}

pub struct Play {
    pub at: Store,
    pub clock: Arc<SetClock>,
    pub home: TempDir,
}

impl Play {
    pub fn sqlite() -> Self {
        Self::new(Store::Sqlite("records/home.db".into()))
    }

    pub fn postgres(url: String) -> Self {
        Self::new(Store::Postgres(url))
    }

    fn new(at: Store) -> Self {
        let clock = Arc::new(SetClock::at(START.parse().unwrap()));
        Self { at, clock, home: TempDir::new().unwrap() }
    }

    pub fn file(&self) -> PathBuf {
        self.home.path().join("records/home.db")
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.at, Store::Sqlite(_))
    }

    pub async fn open_for(&self, purpose: Purpose) -> Result<Records, OpenError> {
        Records::open_for(purpose, &self.at, self.home.path(), self.clock.clone()).await
    }

    pub async fn records(&self) -> Arc<Records> {
        // Another test may just be starting a program, which holds a copy of every lock until it is that program.
        let patience = Instant::now() + Duration::from_secs(2);
        loop {
            match self.open_for(Purpose::Gateway).await {
                Err(OpenError::Busy(_)) if Instant::now() < patience => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => return Arc::new(opened.unwrap_or_else(|e| panic!("{e}"))),
            }
        }
    }

    pub async fn gateway(&self) -> Gateway {
        self.gateway_of(snapshot()).await
    }

    pub async fn gateway_of(&self, snapshot: Arc<Snapshot>) -> Gateway {
        let records = self.records().await;
        let standing = Arc::new(records.standing(&snapshot.house).await.unwrap());
        let in_force = Arc::new(InForce::new(snapshot, standing));
        let (recorder, task) = Recorder::start(records.clone(), in_force.clone());
        Gateway { records, in_force, recorder, task, clock: self.clock.clone() }
    }

    /// Somebody with the file or the database in their hands.
    pub async fn tamper(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Puts what the chain and the lists are made of aside.
    pub async fn set_aside(&self) {
        for table in ["journal", "body", "head", "episode", "register"] {
            self.tamper(&format!("CREATE TABLE {table}_aside AS SELECT * FROM {table}")).await;
        }
    }

    /// Puts back what was set aside.
    pub async fn put_back(&self) {
        for table in ["journal", "body", "head", "episode", "register"] {
            self.tamper(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM {table}_aside"))
                .await;
        }
    }

    pub async fn try_sql(&self, sql: &str) -> Result<(), String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.at {
            Store::Sqlite(_) => {
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(self.file()).foreign_keys(false);
                let mut c = SqliteConnection::connect_with(&options).await.unwrap();
                let done = c.execute(sqlx::raw_sql(sql)).await.map_err(|e| e.to_string());
                c.close().await.unwrap();
                done.map(|_| ())
            }
            Store::Postgres(url) => {
                let mut c = PgConnection::connect(url).await.unwrap();
                let done = c.execute(sqlx::raw_sql(sql)).await.map_err(|e| e.to_string());
                c.close().await.unwrap();
                done.map(|_| ())
            }
        }
    }

    /// Takes the guards away that stand in an honest program's way.
    pub async fn unguard(&self) {
        self.tamper(match self.is_sqlite() {
            true => "DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; DROP TRIGGER body_no_update",
            false => "DROP TRIGGER journal_no_change ON journal; DROP TRIGGER body_no_update ON body; ALTER TABLE body DROP CONSTRAINT body_seq_fkey",
        })
        .await;
    }
}

pub struct Gateway {
    pub records: Arc<Records>,
    pub in_force: Arc<InForce>,
    pub recorder: Recorder,
    pub task: tokio::task::JoinHandle<()>,
    pub clock: Arc<SetClock>,
}

impl Gateway {
    pub fn house(&self) -> Arc<Snapshot> {
        self.in_force.to_keep().snapshot.clone()
    }

    /// A device asks for a host; what the gateway decides is handed to the recorder, as the packet path does.
    pub fn asks_for(&self, person: &str, host: &str, evidence: Evidence) {
        self.recorder.refused(&self.refusal(person, host, evidence).refused());
    }

    /// The same of a device that nobody knows, told apart by its address.
    pub fn stranger_asks_for(&self, device: IpAddr, host: &str) {
        let refusal = self.refusal("nobody", host, Evidence::Navigation);
        self.recorder.refused(&Refused { stranger: Some(Face::Address(device)), ..refusal.refused() });
    }

    pub fn refusal(&self, person: &str, host: &str, evidence: Evidence) -> Refusal {
        let current = self.in_force.to_keep();
        let who = current.snapshot.house.person(person).unwrap_or(House::NOBODY);
        let at = self.clock.now();
        let asked = match host.parse::<IpAddr>() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(Name::new(host).unwrap()),
        };
        let verdict = current.snapshot.judge(who, at, asked, None, &current.standing);
        let known = who != House::NOBODY;
        let identified = if known { Identified::Mac } else { Identified::Unknown };
        Refusal {
            at,
            device: known.then_some(0),
            current,
            who,
            identified,
            host: host.to_owned(),
            verdict,
            evidence,
        }
    }

    pub async fn stops(self) {
        self.recorder.stop();
        self.task.await.unwrap();
        self.records.close().await;
    }
}

/// Waits until something is so: the task commits by itself, a few times a second.
pub async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Whether any file of the folder has these bytes.
pub fn on_disk(folder: &Path, bytes: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let path = file.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, bytes);
        }
        let content = std::fs::read(path).unwrap();
        content.windows(bytes.len()).any(|w| w == bytes.as_bytes())
    })
}

/// A refusal as a test may change it before it is handed over.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub at: DateTime<Utc>,
    pub current: Arc<Current>,
    pub who: PersonId,
    pub device: Option<u16>,
    pub identified: Identified,
    pub host: String,
    pub verdict: Verdict,
    pub evidence: Evidence,
}

impl Refusal {
    pub fn refused(&self) -> Refused<'_> {
        let Self { at, ref current, who, device, identified, ref host, verdict, evidence } = *self;
        Refused {
            at,
            current,
            who,
            device,
            identified,
            stranger: None,
            host: host.parse().map_or_else(|_| Host::Name(Name::trusted(host)), Host::Address),
            verdict,
            evidence,
            detected: None,
        }
    }
}

/// A restriction that nothing is wrong with: `video.example` closed for Jordan from now on for two days.
pub fn lawful(now: DateTime<Utc>) -> RestrictionDraft {
    RestrictionDraft {
        people: vec!["jordan".into()],
        kind: agreements::PersonKind::YoungPerson,
        what: Some(What::Words(vec![Word::parse("video.example").unwrap()])),
        reason: "contact from a stranger".into(),
        tried: "talked about it, moved the tablet downstairs".into(),
        from: now,
        until: Some(now + TimeDelta::days(2)),
        review_on: Some(now.date_naive()),
        consent: Some(("A. Mensah, Leeds".into(), now.date_naive())),
        emergency: false,
        told_on: Some(now.date_naive()),
        view: "I think it is unfair".into(),
    }
}
