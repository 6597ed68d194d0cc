//! Copies of the records: made beside a running gateway, known to fit, and restored elsewhere.

use crate::home::{Gateway, Home, wait_for};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SATURDAY: &str = "2026-11-21T16:00";

#[test]
fn a_copy_is_made_beside_a_gateway_read_whole_and_restored_elsewhere() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    gateway.get(&home, "proxy", "http://casino.example/", "text/html");
    wait_for("the episode", || home.run("breaches list --json").json().get(0).map(|_| ()));
    let age = || home.run("status --json").json()["records"]["last_backup_seconds"].clone();
    assert!(age().is_null());
    assert!(gateway.get(&home, "metrics", "/metrics", "*/*").contains("hearthgate_backup_age_seconds -1"));
    let copy = home.path().join("copies/home.db");
    let backup = format!("backup --to {}", copy.display());
    let nowhere = home.run(&backup);
    assert_eq!(nowhere.code, 2, "there is no such folder: {nowhere:?}");
    fs::create_dir(home.path().join("copies")).unwrap();
    let told = home.run(&format!("{backup} --by visitor"));
    assert_eq!(told.code, 1, "a visitor takes no records away: {told:?}");
    let told = home.run(&backup);
    assert!(told.code == 0 && told.out.contains("Copied and read whole"), "{told:?}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(age().as_u64().is_some_and(|seconds| seconds < 600), "{}", age());
    let names: Vec<_> =
        fs::read_dir(home.path().join("copies")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(names, ["home.db"], "nothing half done is left");
    assert_eq!(gateway.stop("-TERM"), Some(0), "{}", home.log());

    // Elsewhere, the same comes out of it.
    let other = Home::new();
    fs::create_dir(other.path().join("state")).unwrap();
    fs::copy(&copy, other.path().join("state/home.db")).unwrap();
    let verified = other.run("breaches verify --json");
    assert_eq!(verified.code, 0, "{verified:?}");
    let listed = |home: &Home| home.run("breaches list --since 2026-11-01 --json").json()[0].clone();
    let (here, there) = (listed(&home), listed(&other));
    assert_eq!(
        (&here["entry"], &here["site"], &here["first"]),
        (&there["entry"], &there["site"], &there["first"])
    );

    // Records that do not fit are no copy, and the last good one stays.
    let good = fs::read(&copy).unwrap();
    let mut spoilt = fs::read(home.path().join("state/home.db")).unwrap();
    let at = spoilt
        .windows(14)
        .rposition(|bytes| bytes == b"casino.example")
        .expect("the site, as it is written down");
    spoilt[at] = b'k';
    fs::write(home.path().join("state/home.db"), &spoilt).unwrap();
    let refused = home.run(&backup);
    assert!(refused.code != 0, "{refused:?}");
    assert_eq!(fs::read(&copy).unwrap(), good, "the last good copy is as it was");
    assert_eq!(fs::read_dir(home.path().join("copies")).unwrap().count(), 1);
}
