//! Where the home's devices are: booked out and in, lost, inspected.

use crate::commit::instant;
use crate::entry::{Booked, Booking, By, Entry};
use crate::journal;
use crate::not_done::NotDone;
use crate::room::Records;
use crate::staff::{Registered, register, worded};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Bookings that are read: years of a home's.
const MOST: i64 = 5000;

/// Where a device is, by what was written down last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// When it was last booked out, in, or lost, and by whom.
    pub booked: Option<(Booking, DateTime<Utc>, String)>,
    /// What was said of it then.
    pub words: String,
    /// When it was last inspected.
    pub inspected: Option<DateTime<Utc>>,
}

impl Records {
    /// Writes down what became of a device.
    pub async fn book(
        &self,
        person: &str,
        device: &str,
        booking: Booking,
        by: By,
        words: &str,
    ) -> Result<i64, NotDone> {
        let (person, device) = (person.to_owned(), device.to_owned());
        let entry =
            Entry::Device(Booked { person: person.clone(), device, booking, by, words: worded(words)? });
        let mut tx = self.deciding().await?;
        let now = self.now();
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "device", person: &person, about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Where every device is that was ever booked, by whose it is and what it is called.
    pub async fn whereabouts(&self) -> Result<BTreeMap<(String, String), Whereabouts>, StoreError> {
        let sql = "SELECT r.starts, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'device' ORDER BY r.entry DESC LIMIT $1";
        let mut all: BTreeMap<(String, String), Whereabouts> = BTreeMap::new();
        for line in self.store.rows(sql, &[MOST.into()]).await? {
            let Some(Entry::Device(said)) = Entry::read("device", line.text(1)?) else { continue };
            let at = instant(line.int(0)?);
            let known = all.entry((said.person, said.device)).or_default();
            // The newest comes first, and stands.
            match said.booking {
                Booking::Inspected => known.inspected = known.inspected.or(Some(at)),
                Booking::Out | Booking::In | Booking::Lost if known.booked.is_none() => {
                    known.booked = Some((said.booking, at, said.by.name));
                    known.words = said.words;
                }
                Booking::Out | Booking::In | Booking::Lost => {}
            }
        }
        Ok(all)
    }
}
