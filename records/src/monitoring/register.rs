//! The beginning and end of monitoring, in the journal: that it was raised stays visible.

use super::Terms;
use crate::entry::{Entry, MonitoringBegan, MonitoringEnded};
use crate::journal;
use crate::room::Records;
use crate::shift;
use crate::store::{StoreError, Tx};
use agreements::House;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What the journal says is on: by person, the entry that began it.
pub(super) type Raised = BTreeMap<String, (i64, MonitoringBegan)>;

const OVER: &str = "its last day is over";
const CHANGED: &str = "the agreement says otherwise now";

/// Reads what the journal says is on.
pub(super) async fn raised(records: &Records) -> Result<Raised, StoreError> {
    let sql = "SELECT r.entry, b.text FROM register r JOIN body b ON b.seq = r.entry \
               WHERE r.kind = 'monitoring' AND r.closed = 0 ORDER BY r.entry";
    let mut raised = Raised::new();
    for line in records.store.rows(sql, &[]).await? {
        if let Some(Entry::MonitoringBegan(began)) = Entry::read("monitoring_began", line.text(1)?) {
            raised.insert(began.person.clone(), (line.int(0)?, began));
        }
    }
    Ok(raised)
}

/// What the journal must still be told at an instant: ends first.
pub(super) fn turns(raised: &Raised, house: &House, at: DateTime<Utc>) -> Vec<Entry> {
    let terms = |(_, person)| Some((Terms::of(house, person)?, person.id.as_str()));
    let on = || house.people().filter_map(terms).filter(|(terms, _)| terms.hold_at(at));
    let goes_on = |began: &MonitoringBegan| on().any(|(terms, id)| id == began.person && terms.are(began));
    let ended = raised.values().filter(|(_, began)| !goes_on(began)).map(|(entry, began)| {
        let reason = if is_over(house, began, at) { OVER } else { CHANGED };
        let (entry, person) = (*entry, began.person.clone());
        Entry::MonitoringEnded(MonitoringEnded { entry, person, reason: reason.to_owned() })
    });
    let is_raised = |terms: &Terms<'_>, id: &str| raised.get(id).is_some_and(|(_, began)| terms.are(began));
    let began = on().filter(|(terms, id)| !is_raised(terms, id));
    ended.chain(began.map(|(terms, id)| Entry::MonitoringBegan(terms.began(id, at)))).collect()
}

fn is_over(house: &House, began: &MonitoringBegan, at: DateTime<Utc>) -> bool {
    let midnight = began.until.succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
    midnight.is_some_and(|midnight| shift::instant(house.home().timezone, midnight) <= at)
}

/// Appends a beginning or an end, and keeps what is on readable.
pub(crate) async fn store_turn(tx: &mut Tx, at: DateTime<Utc>, turn: &Entry) -> Result<i64, StoreError> {
    let seq = journal::append(tx, at, turn).await?;
    if let Entry::MonitoringBegan(began) = turn {
        let starts = began.from.timestamp_millis();
        tx.exec(
            "INSERT INTO register (entry, kind, person, about, starts, ends, closed) \
             VALUES ($1, 'monitoring', $2, 0, $3, 0, 0)",
            &[seq.into(), began.person.as_str().into(), starts.into()],
        )
        .await?;
    } else if let Entry::MonitoringEnded(ended) = turn {
        let sql = "UPDATE register SET closed = $2 WHERE entry = $1 AND kind = 'monitoring'";
        tx.exec(sql, &[ended.entry.into(), seq.into()]).await?;
    }
    Ok(seq)
}
