//! What staff have decided and what has been used: the small second snapshot, which changes often.

use crate::house::{House, PersonId};
use crate::meant::LimitKey;
use crate::word::Word;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

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
    /// More time: times and limits are lifted (for everything, or for what one limit's key matches); words still hold, and
    /// so do school hours.
    ExtraTime(LimitKey),
    /// A supervised session: what the agreement calls `with_staff` is open (and these words, if any), and so is learning in
    /// `with_staff` school hours. Times and limits do not close it: a member of staff sits there.
    Supervised(Vec<Word>),
    /// An education session on a `profile: education_session` device, for a young person (by id), by that person's
    /// school-hours rules.
    Education {
        /// The young person's id.
        young_person: String,
    },
}

/// What a supervised session is bound to: a named adult sits at one device (seed 003 §7.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// The name of the member of staff who sits there.
    pub adult: String,
    /// What the device is called in the agreement of whom the grant is for. It opens there and nowhere else.
    pub device: String,
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
    /// The name of the member of staff who granted it.
    pub by: String,
    /// On which device it opens, beside whom; none where it opens on all of theirs.
    pub supervision: Option<Supervision>,
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

/// What staff decided and what has been used, by person of one [`House`].
///
/// It is built for one house and is replaced whenever either changes, and when the home's day starts.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    people: Vec<Option<Arc<OfPerson>>>,
    /// Devices that are lost, by their place in [`House::devices`].
    lost: Vec<u16>,
    /// Grants that open on one device alone, by its place there, and whose they are.
    bound: Vec<(u16, PersonId, Held)>,
}

/// One person's grants, restrictions and used minutes.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfPerson {
    pub(crate) grants: Vec<Held>,
    pub(crate) restrictions: Vec<LiveRestriction>,
    /// Minutes used in the home's current day, by the person's limits in order.
    pub(crate) used: Vec<u16>,
}

/// A grant, with the young person of an education session found among the house's people.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) grant: LiveGrant,
    pub(crate) learner: Option<PersonId>,
}

impl Standing {
    /// Puts what the store has in force into the order of a house's people. Entries for unknown people are left out, and so
    /// is an education session for an unknown young person: it would have no rules to go by. A grant that is bound to a device
    /// opens nothing until [`Standing::on`] is asked for that device; to one that is gone from the agreement, nothing at all.
    ///
    /// `used(person, limit)` tells the minutes that a person (by id) has used of a key in the home's current day.
    pub fn new(
        house: &House,
        grants: &[LiveGrant],
        restrictions: &[LiveRestriction],
        used: &dyn Fn(&str, &LimitKey) -> u16,
    ) -> Self {
        let mut people: Vec<OfPerson> =
            std::iter::repeat_with(OfPerson::default).take(house.people().count() + 1).collect();
        for (who, person) in house.people() {
            people[usize::from(who.0)].used =
                person.limits.iter().map(|l| used(&person.id, &l.key)).collect();
        }
        let mut bound = Vec::new();
        for live in grants {
            let (Some(who), Some(held)) = (house.person(&live.person), Held::new(house, live)) else {
                continue;
            };
            match &live.supervision {
                None => people[usize::from(who.0)].grants.push(held),
                Some(session) => {
                    let places = house.devices_called(who, &session.device);
                    bound.extend(places.map(|place| (place, who, held.clone())));
                }
            }
        }
        for live in restrictions {
            if let Some(who) = house.person(&live.person) {
                people[usize::from(who.0)].restrictions.push(live.clone());
            }
        }
        let people = people.into_iter().map(|p| (!p.is_idle()).then(|| Arc::new(p))).collect();
        Self { people, lost: Vec::new(), bound }
    }

    /// The same as it is on one device of the house: what staff opened there alone is open.
    pub fn on(&self, device: Option<u16>) -> Cow<'_, Self> {
        let Some(device) = device.filter(|device| self.bound.iter().any(|(on, ..)| on == device)) else {
            return Cow::Borrowed(self);
        };
        let mut here = self.clone();
        for (_, who, held) in self.bound.iter().filter(|(on, ..)| *on == device) {
            if let Some(place) = here.people.get_mut(usize::from(who.0)) {
                let mut theirs = place.as_deref().cloned().unwrap_or_default();
                theirs.grants.push(held.clone());
                *place = Some(Arc::new(theirs));
            }
        }
        Cow::Owned(here)
    }

    /// The same without the minutes that somebody has used: for whoever does not read what their devices did.
    pub fn without_minutes(&self, who: PersonId) -> Cow<'_, Self> {
        let Some(theirs) = self.of(who).filter(|theirs| theirs.used.iter().any(|&minutes| minutes > 0))
        else {
            return Cow::Borrowed(self);
        };
        let theirs = OfPerson { used: Vec::new(), ..OfPerson::clone(theirs) };
        let mut without = self.clone();
        if let Some(place) = without.people.get_mut(usize::from(who.0)) {
            *place = Some(Arc::new(theirs));
        }
        Cow::Owned(without)
    }

    /// The same, with the devices that are lost: whose each is (by id), and what it is called in the agreement.
    #[must_use]
    pub fn with_lost(self, house: &House, is_lost: &dyn Fn(&str, &str) -> bool) -> Self {
        let lost = house.devices().iter().zip(0_u16..).filter(|(device, _)| {
            let person = house.agreement(device.person);
            person.is_some_and(|person| is_lost(&person.id, &device.known.name))
        });
        Self { lost: lost.map(|(_, place)| place).collect(), ..self }
    }

    /// Whether a device is lost.
    pub fn is_lost(&self, device: Option<u16>) -> bool {
        device.is_some_and(|device| self.lost.contains(&device))
    }

    pub(crate) fn of(&self, who: PersonId) -> Option<&Arc<OfPerson>> {
        self.people.get(usize::from(who.0)).and_then(Option::as_ref)
    }
}

impl OfPerson {
    fn is_idle(&self) -> bool {
        self.grants.is_empty() && self.restrictions.is_empty() && self.used.iter().all(|&m| m == 0)
    }
}

impl Held {
    fn new(house: &House, live: &LiveGrant) -> Option<Self> {
        let learner = match &live.kind {
            GrantKind::Education { young_person } => Some(house.person(young_person)?),
            GrantKind::Sites(_) | GrantKind::ExtraTime(_) | GrantKind::Supervised(_) => None,
        };
        Some(Self { grant: live.clone(), learner })
    }
}
