//! What people see: the refusal page, and the asks that it takes.
//!
//! This room touches no packets and decides nothing. The program hands it what it needs to know of a visit, and takes from
//! it the pages.

mod ask;
mod pages;
mod refusal;

pub use ask::{Ask, AskKey};
pub use pages::{Asking, Showing, Visit, Visiting, router};
pub use refusal::{Form, Refusals};
