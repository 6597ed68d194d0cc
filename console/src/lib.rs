//! What people see: the refusal page, and the asks that it takes.
//!
//! This room touches no packets and decides nothing. The program hands it what it needs to know of a visit, and takes from
//! it the pages, the asks and the reports.

mod ask;
mod contacts;
mod desk;
mod effect;
mod pages;
mod portal;
mod refusal;
mod sent;
mod telling;
mod typed;
mod young;

pub use ask::{Ask, AskKey, Saw};
pub use desk::{
    Desk, Doing, Kept, List, NoPin, NotKept, Running, State, Trouble, Waiting, Weighed,
    addresses as desk_addresses, password_link, print_of,
};
pub use effect::still_closed;
pub use pages::{Heard, Known, Showing, Token, Told, Visit, Visitors, addresses as young_addresses, router};
pub use portal::{
    Captive, Portal, SIGN_IN, SIGN_OUT, Slip, Stays, TimeLeft, Typed, portal, sign_in_of, to_portal,
};
pub use refusal::{Form, Refusals};
pub use typed::{Unread, what, word};
pub use young::SCRIPT;
