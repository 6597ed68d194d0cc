//! The desk from outside: what a browser gets.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an export is unpacked, and a test that was skipped says so"
)]

mod access;
mod agreements_shown;
mod around;
mod asking;
mod clicks;
mod editing;
mod exporting;
mod four_weeks;
pub(crate) mod full;
mod hostile;
mod listed;
mod names;
mod now;
pub(crate) mod play;
mod restricting;
pub(crate) mod shifts;
mod signing;
mod together;
mod whose;
