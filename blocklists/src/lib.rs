//! What a name on the internet is.
//!
//! This room knows names, categories, services, list formats, and the compiled catalogue with its lookup. It opens no
//! sockets, reads no clock and knows no people.

mod addresses;
pub mod builtin;
mod catalogue;
pub mod compile;
pub mod format;
mod name;
pub mod subscription;
mod tags;
mod words;

pub use addresses::AddressRange;
#[doc(hidden)]
pub use catalogue::fuzz;
pub use catalogue::{Catalogue, Finding, Info, ListInfo, OpenError, Probe, explain};
pub use compile::{CompileError, Compiler, ListReport};
pub use name::{Domain, MAX_LABEL, MAX_NAME, Name, NotADomain};
pub use tags::Tags;
pub use words::{Category, FourC, Service};
