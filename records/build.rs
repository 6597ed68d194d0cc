//! Tells the program when it was built: a clock that says less is not yet right.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

// The build's own time is no time of the gateway's, and cargo is spoken to by printing.
#[allow(clippy::disallowed_methods, clippy::print_stdout)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // reproducible-builds.org: whoever wants the same bytes twice says the time.
    let told = env::var("SOURCE_DATE_EPOCH").ok().and_then(|t| t.parse::<u64>().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    println!("cargo::rustc-env=HEARTHGATE_BUILT_AT={}", told.unwrap_or_else(now));
}
