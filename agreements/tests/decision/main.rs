//! The deciding side: the order of decisions, days, windows, sentences, and what `explain` says. Tables are data beside this
//! folder; their descriptions are the specification.

mod build;
mod calendar;
mod days;
mod explain;
mod order;
mod promises;
mod sentences;
mod windows;
