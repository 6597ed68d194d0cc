//! What the gateway knows without any list: who must always be reachable, what services are made of, the known ways
//! around, safe search.
//!
//! Every table is one file below `data/`, with its columns, sources and omissions in its header; a new host is a new
//! row there and nothing here. The compiler adds [`entries`] to every catalogue; the resolver asks [`safe_search`] and
//! [`off_switch`] by name, the connection judge asks [`address_is_circumvention`], pages show [`support`].
//!
//! Names are in normal form: lower-case ASCII without a trailing dot, as [`crate::Name`] has them.

mod address;
mod around;
mod row;
mod safe_search;
mod support;
mod table;
#[cfg(test)]
mod tests;

pub use address::address_is_circumvention;
pub use around::{encodes, way_around};
pub use safe_search::{Level, Rewrite, safe_search, search_cannot_be_made_safe};
pub use support::{Nation, SupportContact, Topic, support, support_about, support_in};

use crate::{Category, Domain, Tags, words};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One built-in fact: what a host or a whole site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name, in normal form.
    pub name: &'static str,
    /// Whether everything below the name is meant too; otherwise that host alone.
    pub whole_site: bool,
    /// The categories and services that it is in.
    pub tags: Tags,
}

impl Builtin {
    /// The name as a value of its own.
    pub fn domain(self) -> Domain {
        crate::Name::trusted(self.name).to_domain()
    }
}

/// Everything that the built-in tables say, table by table. A name may come from several tables: its tags add up.
pub fn entries() -> impl Iterator<Item = Builtin> {
    table::entries().chain(services())
}

/// The sites and hosts of the services, each with its service and the service's categories.
fn services() -> impl Iterator<Item = Builtin> {
    crate::Service::all().zip(words::service_blocks()).flat_map(|(service, block)| {
        let tags = Tags::service(service).union(service.categories());
        row::service_sites(block).map(move |(name, whole_site)| Builtin { name, whole_site, tags })
    })
}

/// The built-in rows of one category of protected sites: support, assistive, private mail.
///
/// For any other category there are none: what is not protected cannot be looked up as if it were.
pub fn protected_sites(category: Category) -> impl Iterator<Item = Builtin> {
    let protected = [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL].contains(&category);
    table::entries().filter(move |entry| protected && entry.tags.has(category))
}

/// Where a young person learns more about a kind of site that was refused (seed 003 §4.12): a host of the support set,
/// so that the refusal page never links to what it refuses. `None` for what is no risk.
pub fn category_help(category: Category) -> Option<&'static str> {
    category.four_c().map(|_| category.learn_host())
}

/// How a vendor wants its question answered, so that its own way around the network's resolver stays off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffSwitch {
    /// The name does not exist (Apple's Private Relay, Mozilla's canary).
    NoSuchName,
    /// The name exists and has no such record (RFC 9462: no designated resolver).
    NoData,
}

/// Whether a name is an off switch that a vendor documents, and the answer that it waits for.
pub fn off_switch(name: &str) -> Option<OffSwitch> {
    static SWITCHES: LazyLock<HashMap<&'static str, OffSwitch, FixedState>> = LazyLock::new(|| {
        let rows = row::rows(table::CIRCUMVENTION).filter_map(|row| match row.kind() {
            "off_nxdomain" => Some((row.name, OffSwitch::NoSuchName)),
            "off_nodata" => Some((row.name, OffSwitch::NoData)),
            _ => None,
        });
        rows.collect()
    });
    /// Bit `n` is set when a switch has `n` letters: most names need no look.
    static LENGTHS: LazyLock<u64> =
        LazyLock::new(|| SWITCHES.keys().fold(0, |bits, name| bits | 1 << (name.len() % 64)));
    let is_as_long = *LENGTHS & 1 << (name.len() % 64) != 0;
    is_as_long.then(|| SWITCHES.get(name).copied()).flatten()
}
