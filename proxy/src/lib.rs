//! Packets in, the core's answer out.
//!
//! DNS and HTTP listeners, who is this, upstreams, cache, tunnels. This room parses no agreement and renders no staff page.

mod gate;
pub mod identify;
pub mod resolver;

pub use gate::{Gate, Page, Pages, Want, Who};
