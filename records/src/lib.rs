//! What was refused, what staff did.
//!
//! The journal of breaches, the grants, restrictions and minutes, and the stores that keep them. It decides nothing.

mod clock;
mod in_force;
pub mod minutes;
mod recorder;
mod refused;

pub use clock::{Clock, ClockState};
pub use in_force::{Current, InForce};
pub use recorder::Recorder;
pub use refused::{HostText, Identified, Refused};
