//! A journal that cannot be written is told, although nothing that happens can be.

use super::*;
use sqlx::{Connection, Executor};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

impl Play {
    /// Runs something on the home's records behind the gateway's back.
    async fn behind(&self, sql: &'static str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("home.db"));
        let mut c = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
        c.execute(sqlx::raw_sql(sql)).await.expect("it ran");
        c.close().await.expect("closed");
    }

    /// Until the gateway knows that the journal can be written, or that it cannot.
    async fn comes_to(&self, failing: bool) {
        let looks = async {
            while self.records.failing().is_some() != failing {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looks).await.expect("it knows");
    }
}

/// A web hook that takes everything, and what was said to it.
async fn hook() -> (String, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let to = format!("http://{}/", listener.local_addr().expect("bound"));
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let taken = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.expect("a body");
            taken.lock().expect("whole").push(String::from_utf8(body).expect("text"));
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("answered");
        }
    });
    (to, heard)
}

const FULL: &str = "CREATE TRIGGER no_room BEFORE INSERT ON journal \
                    BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END; \
                    CREATE TRIGGER nor_here BEFORE INSERT ON notice \
                    BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END; \
                    CREATE TRIGGER nor_there BEFORE UPDATE ON notice \
                    BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END";
const ROOM: &str = "DROP TRIGGER no_room; DROP TRIGGER nor_here; DROP TRIGGER nor_there";

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_is_told_once_until_it_is_well_again() {
    let (to, heard) = hook().await;
    let mut play = Play::new(NOON, Notify { to, ..notify(&["ask"]) }).await;
    let told = || heard.lock().expect("whole").clone();
    play.round().await;
    // An ask that came just before: it is taken, and nobody can write down that it was.
    play.records.ask("jordan", "chat.example", "").await.expect("asked");
    let mut count = 0;
    for round in 0..2 {
        play.behind(FULL).await;
        let (recorder, task) = Recorder::start(play.records.clone(), play.notices.in_force.clone());
        play.comes_to(true).await;
        for _ in 0..3 {
            play.round().await;
        }
        count += usize::from(round == 0);
        assert_eq!(told().len(), count, "a moment is nothing, and the ask is told once: {:?}", told());
        play.clock.advance(Duration::from_secs(61));
        for _ in 0..3 {
            play.round().await;
        }
        count += 1;
        assert_eq!(told().len(), count, "once: {:?}", told());
        let last = told().pop().expect("a message");
        assert!(last.contains("Oakview House: the journal cannot be written"), "{last}");
        assert!(last.contains("nothing that happens is told until it can be"), "{last}");
        play.behind(ROOM).await;
        play.comes_to(false).await;
        play.round().await;
        recorder.stop();
        task.await.expect("it stopped");
        play.round().await;
        assert_eq!(told().len(), count, "{:?}", told());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_quiet_hours_an_unwritten_journal_is_told_to_whoever_hears_of_what_is_grave() {
    let play = Play::new("2026-11-22T23:00:00Z", notify(&["high"])).await;
    play.behind(FULL).await;
    let (recorder, task) = Recorder::start(play.records.clone(), play.notices.in_force.clone());
    play.comes_to(true).await;
    let house = house_of(HOME, &[]);
    for (when, told) in [("high", true), ("critical", true), ("ask", false), ("list_failed", false)] {
        let mut known = Unwritten::default();
        assert_eq!(play.notices.unwritten(&house, &notify(&[when]), &mut known), None, "{when}: a moment");
        play.clock.advance(Duration::from_secs(60));
        assert_eq!(play.notices.unwritten(&house, &notify(&[when]), &mut known).is_some(), told, "{when}");
    }
    play.behind(ROOM).await;
    play.comes_to(false).await;
    recorder.stop();
    task.await.expect("it stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_told_once_where_only_that_cannot_be_written_down() {
    let (to, heard) = hook().await;
    let mut play = Play::new(NOON, Notify { to, ..notify(&["review_due"]) }).await;
    let told = || heard.lock().expect("whole").clone();
    let by = By { role: ByRole::Staff, id: "r.osei".into(), name: "R. Osei".into() };
    let draft = restriction(play.clock.now(), false);
    let house = house_of(HOME, &[]);
    play.records.restrict(draft, &house.home().protected, by).await.expect("placed");
    play.round().await;
    for day in 1..=2 {
        play.clock.advance(Duration::from_secs(24 * 3600));
        // Nothing else happens that would show that the disk is full.
        play.behind(FULL).await;
        for _ in 0..3 {
            play.round().await;
        }
        assert_eq!(play.records.failing(), None);
        assert_eq!(told().len(), day, "{:?}", told());
        play.behind(ROOM).await;
        for _ in 0..2 {
            play.round().await;
        }
        assert_eq!(told().len(), day, "and once there is room: {:?}", told());
        assert!(play.recipient.unkept.is_empty() && play.due(&house).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_used_are_told_once() {
    let (to, heard) = hook().await;
    let mut play = Play::new(NOON, Notify { to, ..notify(&["ask"]) }).await;
    let store = Store::Sqlite("broken.db".into());
    let clock = play.clock.clone();
    let records = Records::in_memory(&store, play.folder.path(), clock, "they are broken".into()).await;
    play.notices.records = Arc::new(records.expect("records in memory"));
    play.round().await;
    assert!(heard.lock().expect("whole").is_empty(), "a moment is nothing");
    play.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        play.round().await;
    }
    let told = heard.lock().expect("whole").clone();
    let [told] = &told[..] else { panic!("once: {told:?}") };
    assert!(told.contains("The gateway cannot use its records"), "{told}");
}
