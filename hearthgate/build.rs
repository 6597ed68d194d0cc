//! Tells the program which commit it was built from, where there is one to tell.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    println!("cargo::rerun-if-env-changed=HEARTHGATE_COMMIT");
    let given = std::env::var("HEARTHGATE_COMMIT").ok();
    let commit = given.or_else(|| {
        let git = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
        git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
    });
    let version = std::env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let told = commit.filter(|c| !c.is_empty()).map_or(version.clone(), |c| format!("{version} ({c})"));
    println!("cargo::rustc-env=HEARTHGATE_VERSION={told}");
    // Eighty thousand places in the program's tables have to be moved to where it was loaded. Written densely they take some KiB in
    // place of 1.8 MiB that are read at each start and stay; glibc 2.36 (Debian 12) and later read them so.
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|is| is == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
