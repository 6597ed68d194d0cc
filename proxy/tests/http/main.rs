//! The explicit HTTP proxy, met as programs meet it: over sockets, with a real home in force, a clock that the test
//! moves, real records, real name resolution, and origins on loopback. A device is a loopback address of its own.

mod bad;
mod client;
mod connections;
mod cut;
mod hello;
mod home;
mod names;
mod origin;
mod plain;
mod refusals;
mod tunnels;
