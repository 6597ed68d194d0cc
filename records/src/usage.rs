//! Reading minutes and totals.

use crate::minutes::{Look, Used};
use crate::room::Records;
use crate::spell;
use crate::store::StoreError;
use agreements::{House, PersonId, Standing};
use chrono::NaiveDate;
use serde::Serialize;

/// A day's minutes of one key, for a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The key's word.
    pub key: String,
    /// Minutes in which traffic passed.
    pub counted: u16,
    /// Minutes in which only names were looked up: an estimate.
    pub estimated: u16,
    map: Vec<u8>,
}

impl Chart {
    /// The minutes in use, counted from the start of the home's day. A day has up to 1500: 25 hours when clocks go back.
    pub fn minutes(&self) -> impl Iterator<Item = u16> {
        let bits =
            self.map.iter().zip(0u16..).flat_map(|(byte, i)| (0..8).map(move |b| (byte >> b & 1, i * 8 + b)));
        bits.filter(|(bit, _)| *bit == 1).map(|(_, minute)| minute)
    }
}

/// A total of a day: what is known without a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayTotal {
    /// `assistive`, `private_mail` or `technical`.
    pub kind: String,
    /// How often.
    pub count: u64,
}

impl Records {
    /// What a person has used of each of their keys in the home's current day, in the order of the agreement:
    /// everything first, then the limits.
    pub async fn minutes_today(&self, house: &House, who: PersonId) -> Result<Vec<Used>, StoreError> {
        let Some(person) = house.agreement(who) else { return Ok(Vec::new()) };
        self.have_day(house).await?;
        // With nothing used and nothing granted, what is left is the day's whole limit.
        let fresh = house.moment(who, self.now(), &Standing::default());
        let limit = |key| person.limits.iter().position(|l| l.key == key).and_then(|i| fresh.minutes_left(i));
        let ledger = self.ledger();
        let used = house.counted_keys(who).iter().map(|key| {
            let word = spell::of_key(key);
            let (counted, estimated) = ledger.split(&person.id, &word);
            Used { key: word, counted, estimated, limit: limit(key.clone()) }
        });
        let mut seen = std::collections::HashSet::new();
        Ok(used.filter(|u| seen.insert(u.key.clone())).collect())
    }

    /// The minutes of a day that the home began on `day`, as far as they are committed.
    pub async fn minutes_of(&self, day: NaiveDate, person: &str) -> Result<Vec<Chart>, StoreError> {
        let sql =
            "SELECT word, counted, estimated, map FROM minutes WHERE day = $1 AND person = $2 ORDER BY word";
        let lines = self.store.rows(sql, &[day.to_string().into(), person.into()]).await?;
        let minutes = |n: i64| u16::try_from(n).unwrap_or(u16::MAX);
        lines
            .iter()
            .map(|l| {
                let (counted, estimated) = (minutes(l.int(1)?), minutes(l.int(2)?));
                Ok(Chart { key: l.text(0)?.to_owned(), counted, estimated, map: l.blob(3)?.to_vec() })
            })
            .collect()
    }

    /// The minutes in which anything of a person's was in use, of each of some days of the home (both included) that has any.
    pub async fn days_of(
        &self,
        person: &str,
        (first, last): (NaiveDate, NaiveDate),
    ) -> Result<Vec<(NaiveDate, Chart)>, StoreError> {
        let sql = "SELECT day, counted, estimated, map FROM minutes \
                   WHERE person = $1 AND word = 'everything' AND day >= $2 AND day <= $3 ORDER BY day";
        let cells = [person.into(), first.to_string().into(), last.to_string().into()];
        let minutes = |n: i64| u16::try_from(n).unwrap_or(u16::MAX);
        let mut days = Vec::new();
        for line in self.store.rows(sql, &cells).await? {
            let Ok(day) = line.text(0)?.parse() else { continue };
            let (counted, estimated) = (minutes(line.int(1)?), minutes(line.int(2)?));
            let (key, map) = ("everything".to_owned(), line.blob(3)?.to_vec());
            days.push((day, Chart { key, counted, estimated, map }));
        }
        Ok(days)
    }

    /// The totals of a day.
    pub async fn totals(&self, day: NaiveDate) -> Result<Vec<DayTotal>, StoreError> {
        let sql = "SELECT kind, count FROM total WHERE day = $1 ORDER BY kind";
        let lines = self.store.rows(sql, &[day.to_string().into()]).await?;
        let total = |l: &crate::store::Line| {
            Ok(DayTotal { kind: l.text(0)?.to_owned(), count: u64::try_from(l.int(1)?).unwrap_or_default() })
        };
        lines.iter().map(total).collect()
    }

    /// A command, or a gateway that is just starting, has the day's minutes not yet in memory: they are read.
    pub(crate) async fn have_day(&self, house: &House) -> Result<(), StoreError> {
        if self.ledger().day().is_none() {
            let state = self.clock.look();
            let look = Look { wall: self.now(), steady: self.clock.steady(), state };
            self.turn(look, house.day_of(look.wall)).await?;
        }
        Ok(())
    }
}
