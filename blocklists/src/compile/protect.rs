//! The sites that no list may take away: support, assistive, private mail, and what the home adds.

use super::report::Touch;
use crate::catalogue::Hasher;
use crate::{Domain, Name};
use std::collections::{HashMap, HashSet};

/// Protected sites, asked once for every entry of every list.
///
/// Nearly every entry touches none, so 64 Ki bits of hashes are asked first.
pub(super) struct Protected {
    sites: HashSet<Domain>,
    /// A name above protected sites -> those sites.
    above: HashMap<Domain, Vec<Domain>>,
    site_bits: Box<[u64; 1024]>,
    above_bits: Box<[u64; 1024]>,
}

impl Protected {
    pub(super) fn new() -> Self {
        Self {
            sites: HashSet::new(),
            above: HashMap::new(),
            site_bits: Box::new([0; 1024]),
            above_bits: Box::new([0; 1024]),
        }
    }

    pub(super) fn add(&mut self, site: Domain, hasher: &Hasher) {
        // `Name::trusted` lets anything become a `Domain`; a text that is no name can be no site.
        if Name::new(site.as_str()).is_err() || !self.sites.insert(site.clone()) {
            return;
        }
        set(&mut self.site_bits, hasher.hash(site.as_str().as_bytes()));
        for parent in site.name().suffixes().skip(1) {
            set(&mut self.above_bits, hasher.hash(parent.as_str().as_bytes()));
            self.above.entry(parent.to_domain()).or_default().push(site.clone());
        }
    }

    /// Whether a suffix with this hash may be a site.
    #[inline]
    pub(super) fn may_be_site(&self, hash: u64) -> bool {
        get(&self.site_bits, hash)
    }

    /// Whether a name with this hash may stand above a site.
    #[inline]
    pub(super) fn may_be_above(&self, hash: u64) -> bool {
        get(&self.above_bits, hash)
    }

    /// The site that a name is, or stands below.
    pub(super) fn site_of(&self, name: Name<'_>) -> Option<(Touch, Domain)> {
        let suffix = name.suffixes().find(|suffix| self.sites.contains(suffix.as_str()))?;
        let touch = if suffix == name { Touch::Is } else { Touch::Below };
        Some((touch, suffix.to_domain()))
    }

    /// The sites below a name.
    pub(super) fn sites_below(&self, name: Name<'_>) -> &[Domain] {
        self.above.get(name.as_str()).map_or(&[], Vec::as_slice)
    }
}

fn set(bits: &mut [u64; 1024], hash: u64) {
    bits[(hash >> 6) as usize & 1023] |= 1 << (hash & 63);
}

fn get(bits: &[u64; 1024], hash: u64) -> bool {
    bits[(hash >> 6) as usize & 1023] >> (hash & 63) & 1 != 0
}
