//! The explicit HTTP proxy, met as programs meet it: over sockets, with a real home in force, a clock that the test
//! moves, real records, real name resolution, and origins on loopback. A device is a loopback address of its own.

// A test is a program: nothing of it can be reached from elsewhere, and `pub` only says which module uses what.
#![allow(unreachable_pub)]
// What goes wrong in a test is told by its failing, and a measurement is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod attacks;
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
