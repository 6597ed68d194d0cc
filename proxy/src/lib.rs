//! Packets in, the core's answer out.
//!
//! DNS and HTTP listeners, who is this, upstreams, cache, tunnels. This room parses no agreement and renders no staff page.

mod cache;
pub mod dns;
mod gate;
mod handshake;
pub mod http;
pub mod identify;
pub mod limits;
mod mmsg;
pub mod resolver;
pub mod router;
mod seats;
pub mod sni;
pub mod target;
pub mod tls;
mod tunnel;
mod upstream;

pub use gate::{Gate, Page, Pages, Want, Who};
pub use seats::{Places, Seat, Seats};
pub use tls::Tls;
