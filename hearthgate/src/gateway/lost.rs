//! Which devices are lost, beside the records: a device that is lost stays so while the records cannot be read.
//!
//! What staff decided is read from the records, and while these are broken nobody knows it: everybody is on the baseline. Whoever
//! found a lost phone would then have the baseline too. So a list of the lost devices is kept beside the records.

use crate::last_good::write_whole;
use crate::state::State;
use agreements::{House, Standing};
use records::{Records, StoreError};
use std::collections::BTreeSet;
use std::io;

/// Whose each is (by id), and what it is called in the agreement.
type Lost = BTreeSet<(String, String)>;

/// The standing for a house. While the records are broken, what was lost when they could last be read still is.
pub(crate) async fn standing(
    records: &Records,
    house: &House,
    state: &State,
) -> Result<Standing, StoreError> {
    let standing = records.standing(house).await?;
    let mut lost = of(house, &standing);
    if records.broken().is_none() {
        keep(state, &lost);
        return Ok(standing);
    }
    lost.extend(load(state));
    let is_lost = |person: &str, device: &str| lost.contains(&(person.to_owned(), device.to_owned()));
    Ok(standing.with_lost(house, &is_lost))
}

fn of(house: &House, standing: &Standing) -> Lost {
    let devices = house.devices().iter().zip(0_u16..).filter(|(_, place)| standing.is_lost(Some(*place)));
    let named = devices.filter_map(|(device, _)| {
        Some((house.agreement(device.person)?.id.clone(), device.known.name.clone()))
    });
    named.collect()
}

fn load(state: &State) -> Lost {
    let bytes = std::fs::read(state.lost()).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn keep(state: &State, lost: &Lost) {
    if load(state) == *lost {
        return;
    }
    let bytes = serde_json::to_vec(lost).map_err(io::Error::other);
    if let Err(error) = bytes.and_then(|bytes| write_whole(&state.lost(), &bytes)) {
        tracing::error!(%error, "which devices are lost cannot be kept beside the records");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::Store;
    use records::{Booking, By, ByRole, SetClock};
    use std::sync::Arc;

    const JO: &str = "person: Jo\nfor: staff\ndevices: [{name: phone, ip: 192.0.2.7}, {name: tablet, ip: 192.0.2.8}]\n\
                      online: {every_day: all_day}\notherwise: allow\n";

    fn house() -> House {
        let files = [
            ("home.yaml".to_owned(), "home: Oakview House\ntimezone: Europe/London\n".to_owned()),
            ("agreements/jo.yaml".to_owned(), JO.to_owned()),
        ];
        agreements::read(&files, "2026-11-22".parse().expect("a date")).house
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_device_stays_lost_while_the_records_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State { dir: folder.path().to_owned() };
        let clock = Arc::new(SetClock::at("2026-11-22T12:00:00Z".parse().expect("an instant")));
        let (store, house) = (Store::Sqlite("home.db".into()), house());
        let by = By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate".into() };
        for (booking, lost) in [(Booking::Lost, true), (Booking::In, false)] {
            let records = Records::open(&store, folder.path(), clock.clone()).await.expect("records");
            records.book("jo", "phone", booking, by.clone(), "").await.expect("written");
            let whole = standing(&records, &house, &state).await.expect("a standing");
            records.close().await;
            let why = "it is no database".to_owned();
            let records =
                Records::in_memory(&store, folder.path(), clock.clone(), why).await.expect("records");
            let broken = standing(&records, &house, &state).await.expect("a standing");
            records.close().await;
            for (case, standing) in [("whole", whole), ("broken", broken)] {
                let is_lost = [0, 1].map(|place| standing.is_lost(Some(place)));
                assert_eq!(is_lost, [lost, false], "{booking:?}, {case}");
            }
        }
    }
}
