//! What the catalogue stores for a name: three sets of tags.

use super::file::Damaged;
use crate::{Category, Service, Tags};

/// What an entry says of its own name, of the names below, and what it keeps from coming down from its parents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Set {
    pub(crate) here: Tags,
    pub(crate) below: Tags,
    pub(crate) not: Tags,
}

impl Set {
    /// Bytes of a set in the file.
    pub(crate) const BYTES: usize = 72;

    /// Both together, as two records of the same name.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self {
            here: self.here.union(other.here),
            below: self.below.union(other.below),
            not: self.not.union(other.not),
        }
    }

    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        for tags in [self.here, self.below, self.not] {
            let (categories, services) = tags.to_bits();
            to.extend_from_slice(&categories.to_le_bytes());
            to.extend_from_slice(&services.to_le_bytes());
        }
    }

    fn read(bytes: &[u8; Self::BYTES], words: &Words) -> Self {
        let tags = |at: usize| {
            let mut categories = [0; 8];
            categories.copy_from_slice(&bytes[at..at + 8]);
            let mut services = [0; 16];
            services.copy_from_slice(&bytes[at + 8..at + 24]);
            words.translate(u64::from_le_bytes(categories), u128::from_le_bytes(services))
        };
        Self { here: tags(0), below: tags(24), not: tags(48) }
    }

    /// All sets of a file, and behind them one that says nothing.
    pub(super) fn read_all(bytes: &[u8], words: &Words) -> Result<Box<[Self]>, Damaged> {
        let (sets, rest) = bytes.as_chunks::<{ Self::BYTES }>();
        if !rest.is_empty() || sets.len() > usize::from(u16::MAX) + 1 {
            return Err(Damaged("sets"));
        }
        let nothing = std::iter::once(Self::default());
        Ok(sets.iter().map(|set| Self::read(set, words)).chain(nothing).collect())
    }
}

/// The words table of a file: what each bit of its masks meant to the build that wrote it, and what this build calls it.
pub(super) struct Words {
    categories: Vec<Option<Category>>,
    services: Vec<Option<Service>>,
}

impl Words {
    /// This build's own words, one a line, categories and services apart.
    pub(super) fn write() -> Vec<u8> {
        let categories = Category::all().map(Category::word).collect::<Vec<_>>().join("\n");
        let services = Service::all().map(Service::word).collect::<Vec<_>>().join("\n");
        format!("{categories}\n\n{services}").into_bytes()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let text = std::str::from_utf8(bytes).map_err(|_| Damaged("words"))?;
        let (categories, services) = text.split_once("\n\n").ok_or(Damaged("words"))?;
        Ok(Self {
            categories: categories.lines().map(Category::from_word).collect(),
            services: services.lines().map(Service::from_word).collect(),
        })
    }

    /// The tags as this build numbers them. A word that this build does not know is dropped.
    pub(super) fn translate(&self, categories: u64, services: u128) -> Tags {
        let mut tags = Tags::NONE;
        for (bit, category) in self.categories.iter().enumerate().take(64) {
            if let Some(category) = category.filter(|_| categories >> bit & 1 == 1) {
                tags = tags.union(Tags::category(category));
            }
        }
        for (bit, service) in self.services.iter().enumerate().take(128) {
            if let Some(service) = service.filter(|_| services >> bit & 1 == 1) {
                tags = tags.union(Tags::service(service));
            }
        }
        tags
    }
}
