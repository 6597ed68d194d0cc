//! The home in force, and the decision.

use crate::explain::{Explanation, TraceStep};
use crate::meant::{DeviceMatch, Home, LimitKey, Person, SafeSearch};
use crate::request::Request;
use crate::source::{Source, SourceId};
use crate::standing::Standing;
use crate::verdict::Verdict;
use blocklists::{Catalogue, Tags};
use chrono::{DateTime, NaiveDate, Utc};

/// A person of a house, by place. It is good for the house that gave it and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub u16);

/// A device of a house and whose it is.
#[derive(Clone, Debug)]
pub struct Device {
    /// How it is known.
    pub known: DeviceMatch,
    /// Whose it is.
    pub person: PersonId,
}

/// The home in force: immutable, and all that the decision needs.
#[derive(Debug)]
pub struct House {
    home: Home,
    sources: Vec<Source>,
    devices: Vec<Device>,
}

/// A house with the catalogue that was compiled for it.
#[derive(Debug)]
pub struct Snapshot {
    /// The people and their rules.
    pub house: House,
    /// What names are.
    pub catalogue: Catalogue,
}

impl House {
    /// Nobody in particular: an unknown device, a draft, the clock unknown. The baseline applies.
    pub const NOBODY: PersonId = PersonId(0);

    /// Prepares a home for deciding. Person `i` of `home.people` becomes `PersonId(i + 1)`.
    pub fn new(home: Home, sources: Vec<Source>) -> Self {
        Self { home, sources, devices: Vec::new() }
    }

    /// The home as meant.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Everybody with an agreement.
    pub fn people(&self) -> impl Iterator<Item = (PersonId, &Person)> {
        self.home.people.iter().enumerate().map(|(i, p)| (PersonId(i as u16 + 1), p))
    }

    /// The person with that id (the name of the agreement's file).
    pub fn person(&self, id: &str) -> Option<PersonId> {
        self.people().find(|(_, p)| p.id == id).map(|(i, _)| i)
    }

    /// The agreement of a person; none for [`House::NOBODY`].
    pub fn agreement(&self, who: PersonId) -> Option<&Person> {
        usize::from(who.0).checked_sub(1).and_then(|i| self.home.people.get(i))
    }

    /// Every device that the files name.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The line that a verdict points at.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// Decides. The same person, instant, request and standing always give the same verdict.
    pub fn judge(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> Verdict {
        let _ = (who, at, request, standing);
        todo!()
    }

    /// Decides, and tells of every rule in order whether it spoke.
    pub fn trace(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> (Verdict, Vec<TraceStep>) {
        let _ = (who, at, request, standing);
        todo!()
    }

    /// Decides, and says it all in the shape of `explain --json`.
    pub fn explain(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> Explanation {
        let _ = (who, at, request, standing);
        todo!()
    }

    /// The verdict in one plain sentence for the person it is about.
    pub fn sentence(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        verdict: &Verdict,
    ) -> String {
        let _ = (who, at, request, verdict);
        todo!()
    }

    /// How strictly search is held for a person: never looser than the home's.
    pub fn safe_search(&self, who: PersonId) -> SafeSearch {
        let _ = who;
        todo!()
    }

    /// The keys that minutes are counted for, in the order of [`crate::Counts`] bits: everything first, then the limits'.
    pub fn counted_keys(&self, who: PersonId) -> &[LimitKey] {
        let _ = who;
        todo!()
    }

    /// The home's day that an instant belongs to: days start at `day_starts`, wall-clock time.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        let _ = at;
        todo!()
    }

    /// When the home's day that holds `at` ends.
    pub fn day_ends(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let _ = at;
        todo!()
    }

    /// What is known of a name in this home beyond the catalogue: what the home protects.
    pub fn home_tags(&self, name: blocklists::Name<'_>) -> Tags {
        let _ = name;
        todo!()
    }
}

impl Snapshot {
    /// Looks the name up and decides.
    pub fn judge(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        host: crate::Host<'_>,
        path: Option<&str>,
        standing: &Standing,
    ) -> Verdict {
        let tags = match host {
            crate::Host::Name(name) => self.catalogue.lookup(name),
            crate::Host::Address(_) => Tags::NONE,
        };
        self.house.judge(who, at, &Request { host, tags, path }, standing)
    }
}
