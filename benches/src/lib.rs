//! Names to measure with: real ones first, the rest made from their pieces by a fixed seed.

pub mod names;
