//! The desk from outside: what a browser gets.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an export is unpacked, and a test that was skipped says so"
)]

mod access;
mod agreements_shown;
pub(crate) mod around;
mod as_judged;
mod asking;
mod editing;
mod exporting;
pub(crate) mod four_weeks;
pub(crate) mod full;
mod hostile;
mod kept;
mod left;
mod listed;
mod names;
mod nights;
mod now;
pub(crate) mod play;
mod refused;
mod restricting;
mod sampling;
pub(crate) mod shifts;
mod signing;
mod together;
mod whose;

/// What a test needs is not here. Only who says so (`HEARTHGATE_MAY_SKIP=yes`) does without; `./test` never does.
pub(crate) fn missing(what: &str) {
    let may = std::env::var_os("HEARTHGATE_MAY_SKIP").is_some();
    assert!(may, "{what} is missing; with HEARTHGATE_MAY_SKIP=yes the test is skipped");
    println!("skipped: {what} is missing");
}
