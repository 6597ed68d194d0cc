//! Conversations with the DNS half of the gateway, over real sockets on loopback, with a small internet behind it.

mod ask;
mod encrypted;
mod fuzzed;
mod home;
mod internet;
mod judged;
mod packets;
mod upstreams;
