//! The systemd unit, held against systemd's own judgement where that is installed.

use crate::home::gave;
use std::fs;
use std::process::Command;

/// What `systemd-analyze security` may say at most, times ten: 10 is its best, 100 its worst.
const EXPOSURE: u32 = 16;

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
