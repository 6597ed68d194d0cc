//! The lab: a whole home in network namespaces, with real clients and real servers. No packet leaves the machine.
//!
//! Needs root, nftables and what else `./test` installs. Where no namespace can be made every test says that it was skipped.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(clippy::print_stdout, reason = "what was skipped is printed")]

mod around;
mod browser;
mod figures;
mod flows;
mod identity;
mod internet;
mod lab;
mod life;
mod machine;
mod router;
mod sign_in;
mod transparent;

/// An afternoon without school hours in the way: Saturday.
const SATURDAY: &str = "2026-11-21T16:00:00";
