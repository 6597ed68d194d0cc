//! What a name on the internet is.
//!
//! This room knows names, categories, services, list formats, and the compiled catalogue with its lookup. It opens no
//! sockets, reads no clock and knows no people.

mod catalogue;
mod name;
mod tags;
mod words;

pub use catalogue::Catalogue;
pub use name::{Domain, Name, NotADomain, MAX_LABEL, MAX_NAME};
pub use tags::Tags;
pub use words::{Category, Service};
