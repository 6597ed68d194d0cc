//! Who is this? One file a way, tried in order: token, hardware address, address, network.

/// The kernel's neighbour table, kept up to date over netlink.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {}
