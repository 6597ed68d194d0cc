//! Conversations with the DNS half of the gateway, over real sockets on loopback, with a small internet behind it.
#![allow(unreachable_pub, reason = "the rooms of a test are pub for each other")]
// A measurement or what was skipped is printed.
#![allow(clippy::print_stdout)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps says by failing what went wrong")]

mod alike;
mod allocations;
mod ask;
mod delegations;
mod encrypted;
mod fuzzed;
mod home;
mod inside_tls;
mod internet;
mod judged;
mod packets;
mod shares;
mod signed;
mod untaken;
mod upstreams;
mod ways;
