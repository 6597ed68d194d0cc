//! The lab: a whole home in network namespaces, with real clients and real servers. No packet leaves the machine.
//!
//! Needs root, nftables and what else `./test` installs: where no namespace can be made every test fails. `HEARTHGATE_NO_LAB=1` leaves the
//! lab out, and says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(clippy::print_stdout, reason = "what was skipped is printed")]

mod around;
mod bedtime;
mod boundary;
mod browser;
mod desk;
mod device;
mod except;
mod figures;
mod flows;
#[allow(dead_code, unreachable_pub, reason = "the proxy's own tests use more of it, and are elsewhere")]
#[path = "../../../proxy/tests/http/hello.rs"]
mod hello;
mod identity;
mod internet;
mod lab;
mod life;
mod machine;
mod nameless;
mod outside;
mod promises;
mod recipe;
mod router;
mod sign_in;
mod sockets;
mod transparent;
mod ttl;

/// An afternoon without school hours in the way: Saturday.
const SATURDAY: &str = "2026-11-21T16:00:00";
