//! Those who have left: no agreement is theirs any more, and their records stay for as long as the home keeps them. What they
//! are called the journal says.

use agreements::House;
use records::{Records, StoreError};

/// Somebody who has left.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) id: String,
    /// The id, where the journal says no name.
    pub(super) name: String,
}

/// Everybody of whom there are records and who has no agreement, save of whom the journal knows that they were staff.
pub(super) async fn left(records: &Records, house: &House) -> Result<Vec<Left>, StoreError> {
    let here = house.people().map(|(_, person)| person.id.as_str()).collect();
    let gone = records.recorded_but(&here).await?.into_iter().filter(|one| one.of_staff != Some(true));
    Ok(gone
        .map(|one| Left { name: one.name.unwrap_or_else(|| one.person.clone()), id: one.person })
        .collect())
}
