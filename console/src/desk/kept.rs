//! What a member of staff's own devices did is for the manager to read. Everybody else sees how many episodes it was, and what
//! is to be done at once; no filter of the shift tells them more.

use super::now::person_name;
use super::page::name_for;
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, PersonId, Role, Severity, Standing};
use records::{Counted, Order, Records, StoreError, Which};
use std::borrow::Cow;

/// So many sealed episodes of one person stand by themselves; a home has none in most years.
const SEALED: i64 = 20;

/// Somebody's part of a shift that this reader does not read.
pub(super) struct Withheld {
    id: String,
    pub(super) name: String,
    pub(super) episodes: u64,
    /// The critical ones, by number: what is to be done at once does not wait for whoever may read it.
    pub(super) critical: Vec<i64>,
}

impl Withheld {
    /// How many, in words.
    pub(super) fn summary(&self) -> String {
        if self.episodes == 1 { "1 episode".to_owned() } else { format!("{} episodes", self.episodes) }
    }
}

/// Everybody's part of a shift that this reader does not read.
#[derive(Default)]
pub(super) struct Kept(pub(super) Vec<Withheld>);

impl Kept {
    /// Of those who have a part in what `which` chooses.
    pub(super) async fn of(
        records: &Records,
        (house, who): (&House, &SignedIn),
        (which, shares): (&Which, &[(String, Counted)]),
    ) -> Result<Self, StoreError> {
        let mut kept = Vec::new();
        for (id, counted) in shares {
            if !is_kept(records, house, who, id).await? {
                continue;
            }
            let critical = match counted.critical {
                0 => Vec::new(),
                _ => critical(records, which, id).await?,
            };
            let name = name_for(who.role, &person_name(house, id));
            kept.push(Withheld { id: id.clone(), name, episodes: counted.all(), critical });
        }
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self(kept))
    }

    /// How many episodes.
    pub(super) fn episodes(&self) -> u64 {
        self.0.iter().map(|one| one.episodes).sum()
    }

    /// Whose.
    pub(super) fn ids(&self) -> Vec<String> {
        self.0.iter().map(|one| one.id.clone()).collect()
    }

    /// Those of one person, where one is looked for.
    pub(super) fn only(mut self, person: &str) -> Self {
        self.0.retain(|one| person.is_empty() || one.id == person);
        self
    }
}

async fn critical(records: &Records, which: &Which, id: &str) -> Result<Vec<i64>, StoreError> {
    let severity = Some(Severity::Critical);
    let theirs = Which { severity, person: Some(id.to_owned()), ..which.clone() };
    let page = records.episodes_in(&theirs, Order::Oldest, 0, SEALED).await?;
    Ok(page.episodes.iter().map(|episode| episode.entry).collect())
}

/// Whether what somebody's devices did is not for this reader. Of whoever has no agreement any more the journal says whose it
/// was; where it does not, nobody but the manager reads it.
pub(super) async fn is_kept(
    records: &Records,
    house: &House,
    who: &SignedIn,
    id: &str,
) -> Result<bool, StoreError> {
    if who.role == Role::Manager || id == "nobody" {
        return Ok(false);
    }
    match house.person(id).and_then(|person| house.agreement(person)) {
        Some(person) => Ok(!who.may_read(person)),
        None => Ok(records.was_of_staff(id).await? != Some(false)),
    }
}

/// What is in force, as far as this reader may see it of somebody: that a limit is used up tells what their devices did.
pub(super) fn standing<'s>(
    standing: &'s Standing,
    (house, who): (&House, &SignedIn),
    person: PersonId,
) -> Cow<'s, Standing> {
    match house.agreement(person).is_none_or(|person| who.may_read(person)) {
        true => Cow::Borrowed(standing),
        false => standing.without_minutes(person),
    }
}

/// Nothing where this reader reads it.
pub(super) async fn readable(
    records: &Records,
    house: &House,
    who: &SignedIn,
    id: &str,
) -> Result<(), Wrong> {
    if is_kept(records, house, who, id).await? { Err(Wrong::Role) } else { Ok(()) }
}
