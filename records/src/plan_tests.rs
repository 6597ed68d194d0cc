//! How the store finds what pages show: by an index, however long the lists are.

use crate::breaches::{PAGE_BY_ENTRY, PAGE_GRAVEST, PAGE_NEWEST};
use crate::counts::{BEGAN, KINDS, REACHED, SHARES, TALLY};
use crate::reports::THEIRS;
use crate::staff::ASKS;
use crate::store::Store;

async fn plan(store: &Store, sql: &str) -> String {
    let asked: &'static str = String::leak(format!("EXPLAIN QUERY PLAN {sql}"));
    let lines = store.rows(asked, &[]).await.unwrap();
    lines.iter().map(|line| line.text(3).unwrap().to_owned()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn no_page_looks_through_a_whole_list() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = agreements::Store::Sqlite("home.db".into());
    let store = Store::in_memory_for(&at, folder.path()).await.unwrap();
    let by_time = "SEARCH e USING INDEX episode_last (last>?)";
    for (name, sql, by) in [
        ("a shift, as it was", PAGE_BY_ENTRY, by_time),
        ("a shift, the gravest first", PAGE_GRAVEST, by_time),
        ("somebody's, the newest first", PAGE_NEWEST, by_time),
        ("a shift by person", SHARES, by_time),
        ("what a shift has", TALLY, "SEARCH episode USING INDEX episode_last (last>?)"),
        ("a day of the month", BEGAN, "SEARCH episode USING INDEX episode_first (first>? AND first<?)"),
        ("what is reached", REACHED, "USING INDEX episode_person (person=? AND first>?)"),
        ("kinds of four weeks", KINDS, "USING INDEX episode_person (person=? AND first>?)"),
        ("what was asked and waits", ASKS, "SEARCH register USING INDEX register_kind (kind=? AND closed=?)"),
        ("what was answered", ASKS, "SEARCH register USING INDEX register_kind (kind=? AND closed>?)"),
        ("what somebody told", THEIRS, "SEARCH register USING INDEX register_kind (kind=? AND closed=?)"),
        ("what was heard", THEIRS, "SEARCH register USING INDEX register_kind (kind=? AND closed>?)"),
    ] {
        let plan = plan(&store, sql).await;
        assert!(plan.contains(by), "{name}: {plan}");
        // What is sorted already may be gone through.
        let read = ["SCAN e", "SCAN open", "SCAN done", "SCAN f"];
        let is_read = |step: &str| read.iter().any(|read| step.starts_with(read));
        let scanned = plan.split("; ").any(|step| step.starts_with("SCAN") && !is_read(step));
        assert!(!scanned && !plan.contains("SCAN episode"), "{name}: {plan}");
    }
}
