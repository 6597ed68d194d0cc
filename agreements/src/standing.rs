//! What staff have decided and what has been used: the small second snapshot, which changes often.

use crate::house::{House, PersonId};
use crate::meant::LimitKey;
use crate::word::Word;
use chrono::{DateTime, Utc};

/// What a grant or restriction is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything but what is protected.
    Everything,
    /// These words.
    Words(Vec<Word>),
}

/// What kind of grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// An approved ask: these sites are open, whatever the agreement's times, limits and words say.
    Sites(What),
    /// More time: times and limits are lifted (for everything, or for one limit's key); words still hold.
    ExtraTime(LimitKey),
    /// A supervised session: `with_staff` words are open (and these, if any), and so is learning in `with_staff` school hours.
    Supervised(Vec<Word>),
    /// An education session on a `profile: education_session` device, for a young person (by id), by that person's
    /// school-hours rules.
    Education {
        /// The young person's id.
        young_person: String,
    },
}

/// A grant as the store has it: people by id. Its device is the `person` for education sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGrant {
    /// Its number in the journal.
    pub entry: i64,
    /// The id of the person (or shared device) it is for.
    pub person: String,
    /// What it opens.
    pub kind: GrantKind,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; never open-ended.
    pub until: DateTime<Utc>,
    /// The name of the member of staff.
    pub by: String,
}

/// A restriction as the store has it (Reg 22): people by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRestriction {
    /// Its number in the journal.
    pub entry: i64,
    /// The id of the person.
    pub person: String,
    /// What it closes.
    pub what: What,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; never open-ended.
    pub until: DateTime<Utc>,
}

/// A grant of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number in the journal.
    pub entry: i64,
    /// What it opens.
    pub kind: GrantKind,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// The name of the member of staff.
    pub by: String,
}

/// A restriction of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// Its number in the journal.
    pub entry: i64,
    /// What it closes.
    pub what: What,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What staff decided and what has been used, by person of one [`House`].
///
/// It is built for one house and is replaced whenever either changes.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    people: Vec<OfPerson>,
}

/// One person's grants, restrictions and used minutes.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfPerson {
    pub(crate) grants: Vec<Grant>,
    pub(crate) restrictions: Vec<Restriction>,
    /// Minutes used in the home's current day, by the person's limits in order.
    pub(crate) used: Vec<u16>,
}

impl Standing {
    /// Puts what the store has in force into the order of a house's people. Entries for unknown people are left out.
    ///
    /// `used(person, limit)` tells the minutes that a person (by id) has used of a key in the home's current day.
    pub fn new(
        house: &House,
        grants: &[LiveGrant],
        restrictions: &[LiveRestriction],
        used: &dyn Fn(&str, &LimitKey) -> u16,
    ) -> Self {
        let _ = (house, grants, restrictions, used);
        todo!()
    }

    pub(crate) fn of(&self, who: PersonId) -> Option<&OfPerson> {
        self.people.get(usize::from(who.0))
    }
}
