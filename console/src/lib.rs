//! What people see: the refusal page, and the asks that it takes.
//!
//! This room touches no packets and decides nothing. The program hands it what it needs to know of a visit, and takes from
//! it the pages, the asks and the reports.

mod ask;
mod front;
mod pages;
mod refusal;
mod telling;

pub use ask::{Ask, AskKey, Saw};
pub use pages::{Heard, Showing, Token, Told, Visit, Visitors, router};
pub use refusal::{Form, Refusals};
