//! The ids that people type. Every command that takes one asks here, so that a slip of the finger gets the same answer
//! everywhere.

use crate::failure::Failure;
use agreements::{House, PersonId, did_you_mean, nearest};

/// Everybody else: an unknown device, a draft. A word of `explain` and `week`.
pub(crate) const BASELINE: &str = "baseline";
/// Unknown devices in the breach log.
pub(crate) const NOBODY: &str = "nobody";

/// Somebody with an agreement.
pub(crate) fn known(house: &House, id: &str) -> Result<PersonId, Failure> {
    house.person(id).ok_or_else(|| unknown(house, id, &[]))
}

/// Somebody with an agreement, or [`BASELINE`].
pub(crate) fn known_or_baseline(house: &House, id: &str) -> Result<PersonId, Failure> {
    if id == BASELINE {
        return Ok(House::NOBODY);
    }
    house.person(id).ok_or_else(|| unknown(house, id, &[BASELINE]))
}

/// What to tell of an id that nobody has: the near ones, and all there are. `also` are words that would do as well.
pub(crate) fn unknown(house: &House, id: &str, also: &[&str]) -> Failure {
    let mut ids: Vec<&str> = house.people().map(|(_, p)| p.id.as_str()).collect();
    let near = did_you_mean(&nearest(id, ids.iter().copied().chain(also.iter().copied())));
    ids.sort_unstable();
    let there_are = match ids.as_slice() {
        [] => "The home has no agreements yet.".to_owned(),
        ids => format!("There are: {}.", ids.join(", ")),
    };
    Failure::cannot_read(format!("nobody here has the id `{id}`"))
        .help(format!("{near} {there_are}").trim_start())
}
