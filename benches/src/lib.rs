//! What to measure with: names (real ones first, the rest made from their pieces by a fixed seed), a home, the addresses
//! of its people, and the kernel's calls that the load programs need.

pub mod delays;
pub mod homes;
pub mod kernel;
pub mod names;
pub mod people;
