//! A gateway that is killed in the middle: the chain is whole, and at most the last second is gone.

use crate::play::{Play, until};
use agreements::{Evidence, Store};
use records::{Purpose, Verified, Which};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CHILD: &str = "HEARTHGATE_TEST_CRASH_FOLDER";

/// The child: hands over a refusal every few milliseconds, each of another site, and says how many, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let mut play = Play::sqlite();
    play.at = Store::Sqlite(format!("{folder}/home.db"));
    let gateway = play.gateway().await;
    let mut out = std::io::stderr();
    for i in 0.. {
        gateway.asks_for("jordan", &format!("{i}.chat.example"), Evidence::Lookup);
        gateway.asks_for("nobody", &format!("site{i}.example"), Evidence::Lookup);
        writeln!(out, "said {i}").unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_loses_at_most_the_last_second() {
    for after in [700, 1100, 1330] {
        let play = Play::sqlite();
        let log = play.home.path().join("said");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--nocapture"])
            .env(CHILD, play.home.path().join("records"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let said = || {
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().filter(|l| l.starts_with("said ")).count() as u64
        };
        until("the first refusal", async || said() > 0).await;
        let start = Instant::now();
        // What the child had said a second before its end must be on the disk.
        let mut safe = 0;
        while start.elapsed() < Duration::from_millis(after) {
            if start.elapsed() < Duration::from_millis(after).saturating_sub(Duration::from_secs(1)) {
                safe = said();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let records = play.open_for(Purpose::Read).await.unwrap();
        let verified = records.verify(None).await.unwrap();
        assert!(matches!(verified, Verified::Whole { .. }), "{verified:?}");
        let kept: u64 = records.episodes(&Which::default()).await.unwrap().iter().map(|e| e.count).sum();
        println!(
            "killed after {after} ms: {safe} said a second before, {} at the end, {} kept",
            said(),
            kept / 2
        );
        assert!(kept / 2 >= safe, "{} kept of {safe}", kept / 2);
        records.close().await;
        // And it goes on.
        let gateway = play.gateway().await;
        until("it goes on", async || {
            matches!(gateway.records.verify(None).await, Ok(Verified::Whole { .. }))
        })
        .await;
        gateway.stops().await;
    }
}
