//! What to measure with: names (real ones first, the rest made from their pieces by a fixed seed), and a home.

pub mod homes;
pub mod names;
