//! What the catalogue says of a name: a set of categories and services, small enough to copy.

use crate::words::{Category, Service};

/// A set of categories and services. It is 24 bytes and is copied, never allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags {
    categories: u64,
    services: u128,
}

impl Tags {
    /// Nothing is known of the name.
    pub const NONE: Tags = Tags { categories: 0, services: 0 };

    /// The set of one category.
    pub const fn category(category: Category) -> Self {
        Self { categories: 1 << category.index(), services: 0 }
    }

    /// The set of one service.
    pub const fn service(service: Service) -> Self {
        Self { categories: 0, services: 1 << service.index() }
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self { categories: self.categories | other.categories, services: self.services | other.services }
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self { categories: self.categories & !other.categories, services: self.services & !other.services }
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self { categories: self.categories & other.categories, services: self.services & other.services }
    }

    /// Whether the sets share anything.
    pub const fn intersects(self, other: Self) -> bool {
        self.categories & other.categories != 0 || self.services & other.services != 0
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.categories == 0 && self.services == 0
    }

    /// Whether the category is in the set.
    pub const fn has(self, category: Category) -> bool {
        self.categories & (1 << category.index()) != 0
    }

    /// Whether the service is in the set.
    pub const fn has_service(self, service: Service) -> bool {
        self.services & (1 << service.index()) != 0
    }

    /// The categories, in the order of the table.
    pub fn categories(self) -> impl Iterator<Item = Category> {
        (0..64).filter(move |i| self.categories & (1 << i) != 0).filter_map(Category::from_index)
    }

    /// The services, in the order of the table.
    pub fn services(self) -> impl Iterator<Item = Service> {
        (0..128).filter(move |i| self.services & (1 << i) != 0).filter_map(Service::from_index)
    }

    /// The two words as they stand in the catalogue file.
    pub const fn to_bits(self) -> (u64, u128) {
        (self.categories, self.services)
    }

    /// The set from the two words of the catalogue file.
    pub const fn from_bits(categories: u64, services: u128) -> Self {
        Self { categories, services }
    }
}
