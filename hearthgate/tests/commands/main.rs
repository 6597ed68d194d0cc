//! The commands as scripts meet them: the built program, its exit codes, its JSON, its words.
//!
//! `HEARTHGATE_BLESS=1 cargo test -p hearthgate --test commands` writes the golden files anew.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod detectors;
mod docs;
mod fetching;
mod home;
mod keeping;
mod looking;
mod running;
mod shapes;
mod times;
mod unit;
