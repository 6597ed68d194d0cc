//! Questions: begun with [`Catalogue::probe`], ended with [`Probe::tags`].

use super::Catalogue;
use super::ask::Asked;
use super::lanes::work;
use super::works::{Begin, End, Many, Whole};
use crate::{Name, Tags};
use std::fmt;

impl Catalogue {
    /// What is known of a name: what its own entry says of it, and what each parent's entry says of all below it.
    #[inline]
    pub fn lookup(&self, name: Name<'_>) -> Tags {
        work(self.hasher.help(), Whole { catalogue: self, name: name.as_str().as_bytes() })
    }

    /// Begins a lookup: hashes the name's site and asks the processor for the line that holds the answer, without
    /// waiting for it. [`Probe::tags`] ends it.
    ///
    /// Whoever has several questions at hand begins them all before ending the first, so that their waits overlap.
    #[inline]
    pub fn probe<'a>(&'a self, name: Name<'a>) -> Probe<'a> {
        let begin = Begin { catalogue: self, name: name.as_str().as_bytes() };
        Probe { catalogue: self, name, asked: work(self.hasher.help(), begin) }
    }

    /// [`Self::lookup`] of several names at once: their memory accesses overlap, which pays in large catalogues.
    ///
    /// `tags` is as long as `names`; what is longer of the two is left alone.
    pub fn lookup_many(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        work(self.hasher.help(), Many { catalogue: self, names, tags });
    }
}

/// A lookup that has begun: [`Catalogue::probe`] makes it, [`Self::tags`] ends it.
///
/// It is plain data (no allocation, no lock), so that a worker holds one for every packet of a batch on its stack:
///
/// ```
/// # use blocklists::{Catalogue, Name, Probe, Tags};
/// # let catalogue = Catalogue::empty();
/// let names = ["www.site.example", "bet.example"].map(Name::trusted);
/// let mut probes: [Option<Probe<'_>>; 32] = [None; 32];
/// for (probe, name) in probes.iter_mut().zip(names) {
///     *probe = Some(catalogue.probe(name));
/// }
/// for probe in probes.iter().flatten() {
///     assert_eq!(probe.tags(), Tags::NONE);
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    catalogue: &'a Catalogue,
    name: Name<'a>,
    asked: Asked,
}

impl Probe<'_> {
    /// What is known of the name: see [`Catalogue::lookup`].
    #[inline]
    pub fn tags(&self) -> Tags {
        let Self { catalogue, name, asked } = *self;
        work(catalogue.hasher.help(), End { catalogue, name: name.as_str().as_bytes(), asked })
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.name).finish()
    }
}
