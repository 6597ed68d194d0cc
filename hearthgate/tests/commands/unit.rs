//! The systemd unit, held against systemd's own judgement where that is installed.

use crate::home::gave;
use std::fs;
use std::process::Command;

/// What `systemd-analyze security` may say at most, times ten: 10 is its best, 100 its worst.
const EXPOSURE: u32 = 16;

/// The unit reads the home's folder and never writes it, so the sample home as the unit's own lines install it keeps its
/// records elsewhere.
#[test]
fn the_sample_home_as_the_unit_installs_it_writes_nothing_into_its_folder() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let unit = fs::read_to_string(format!("{root}/deploy/hearthgate.service")).unwrap();
    let line = unit.lines().find_map(|l| l.strip_prefix("#   sed -i ")).expect("a line that moves the store");
    let (script, file) = line.trim_start_matches('\'').split_once("' ").unwrap();
    assert_eq!(file, "/etc/hearthgate/gateway.yaml");
    let home = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").args(["-r", &format!("{root}/deploy/sample-home/.")]).arg(home.path()).status();
    assert!(copied.unwrap().success());
    let gateway = home.path().join("gateway.yaml");
    assert!(Command::new("sed").args(["-i", script]).arg(&gateway).status().unwrap().success());
    let stores: Vec<String> = fs::read_to_string(&gateway)
        .unwrap()
        .lines()
        .filter(|l| l.starts_with("store:"))
        .map(|l| l.split(" #").next().unwrap().trim().to_owned())
        .collect();
    assert_eq!(stores, ["store: sqlite:/var/lib/hearthgate/home.db"]);
    assert!(unit.contains("StateDirectory=hearthgate\n"), "systemd makes /var/lib/hearthgate");
    let checked = gave(crate::home::program().arg("check").arg("--home").arg(home.path()));
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn the_unit_is_well_formed_and_gives_up_what_it_can() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    }
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/hearthgate.service")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let unit = dir.path().join("hearthgate.service");
    // The program is looked for where the unit says that it is.
    let installed = "/usr/local/bin/hearthgate";
    assert!(text.contains(installed));
    fs::write(
        &unit,
        text.replace(
            &format!("ExecStart={installed}"),
            concat!("ExecStart=", env!("CARGO_BIN_EXE_hearthgate")),
        ),
    )
    .unwrap();

    let verified = gave(Command::new("systemd-analyze").arg("verify").arg(&unit));
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(
        !verified.err.contains("hearthgate.service"),
        "an unknown word is ignored with a word only: {verified:?}"
    );

    let threshold = format!("--threshold={EXPOSURE}");
    let judged =
        gave(Command::new("systemd-analyze").args(["security", "--offline=true", &threshold]).arg(&unit));
    assert_eq!(judged.code, 0, "{}", judged.out);
    assert!(judged.out.contains("Overall exposure level"), "{judged:?}");
}
