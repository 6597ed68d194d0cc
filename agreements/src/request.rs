//! What somebody's device asked for.

use blocklists::{Name, Tags};
use std::net::IpAddr;

/// What a request is for: a name, or an address with no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A host name.
    Name(Name<'a>),
    /// An address (`CONNECT 192.0.2.1:443`): a way around names, unless `home_network` has it.
    Address(IpAddr),
}

/// A question for the decision: the host, what the catalogue says of it, and the path where it is seen.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub host: Host<'a>,
    /// What the catalogue says of the name ([`blocklists::Catalogue::lookup`]); [`Tags::NONE`] for an address.
    pub tags: Tags,
    /// The path with its leading slash and without its query, where the gateway sees one (plain HTTP).
    pub path: Option<&'a str>,
}
