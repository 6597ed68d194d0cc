//! The deciding side: the order of decisions, days, windows, sentences, and what `explain` says. Tables are data beside this
//! folder; their descriptions are the specification.

#![allow(clippy::disallowed_methods, reason = "golden pictures are files")]
// In a test a panic is the answer.
#![allow(clippy::unwrap_used)]

mod baseline;
mod build;
mod calendar;
mod days;
mod diff;
mod explain;
mod left;
mod order;
mod promises;
mod sentences;
mod supervised;
mod week;
mod windows;
