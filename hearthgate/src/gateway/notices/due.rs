//! What becomes due by time alone, or by how the gateway or the home's files are: a journal that cannot be written,
//! a shift that nobody signed, an agreement that is a draft, one that is to be looked at again, a restriction
//! that is to be reviewed, a placing authority that has to be told. Of each but the first the records know who was told.

use super::Notices;
use super::said::{Message, is_quiet};
use crate::when;
use agreements::{Draft, House, Notify, Person};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use records::{ClockState, StoreError, is_signed, shift};
use std::time::Duration;

/// A shift that nobody has signed for so long is told.
const UNSIGNED: TimeDelta = TimeDelta::hours(2);

/// That a placing authority waits for the full details of an emergency is told this long before it must have them.
const BEFORE_DETAILS: TimeDelta = TimeDelta::hours(4);

/// A journal that could not be written for so long is told: a disk that was busy for a moment is nothing.
const UNWRITTEN: Duration = Duration::from_secs(60);

/// That nothing can be written down, as one recipient knows it. It is remembered here alone: there is nowhere to write it.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// Since when, by the steady clock and by the wall's.
    since: Option<(Duration, DateTime<Utc>)>,
    pub(super) told: bool,
}

/// A message, and what is written down when it was taken: keys of the records, and how far each has been told.
pub(super) struct Due {
    pub(super) message: Message,
    pub(super) told: Vec<(String, i64)>,
}

impl Notices {
    /// That the journal cannot be written, or the records not be used at all: for everybody who is told of anything, since who
    /// hears nothing takes it that nothing happened. Once, until it is well again; in the quiet hours, for whoever hears of
    /// what is grave in them.
    pub(super) fn unwritten(&self, house: &House, notify: &Notify, known: &mut Unwritten) -> Option<Message> {
        let line = match (self.records.broken(), self.records.failing()) {
            (Some(_), _) => {
                "The gateway cannot use its records: everybody has the baseline, and nothing that happens is told."
            }
            (None, Some(_)) => {
                "The journal cannot be written, so nothing that happens is told until it can be. The disk may be full."
            }
            (None, None) => {
                *known = Unwritten::default();
                return None;
            }
        };
        let (now, steady) = (self.clock.now(), self.clock.steady());
        let (since, at) = *known.since.get_or_insert((steady, now));
        let at_any_time = notify.when.iter().any(|wanted| matches!(wanted.as_str(), "high" | "critical"));
        let waits = steady.saturating_sub(since) < UNWRITTEN || !at_any_time && is_quiet(house, notify, now);
        let subject = "the journal cannot be written";
        (!known.told && !waits).then(|| Message::of(house, subject, &[line.to_owned()], at.timestamp()))
    }

    /// Everything that is due for somebody now.
    pub(super) async fn all_due(
        &self,
        house: &House,
        notify: &Notify,
        key: &str,
    ) -> Result<Vec<Due>, StoreError> {
        let now = self.clock.now();
        // What day it is, and which shift is over, is not known while the clock is not believed.
        if self.clock.state() != ClockState::Right {
            return Ok(Vec::new());
        }
        let wants = |word: &str| notify.when.iter().any(|wanted| wanted == word);
        let mut due = Vec::new();
        // The law's hours run through the night.
        if wants("authority_due") {
            due.extend(self.authority(house, key, now).await?);
        }
        if is_quiet(house, notify, now) {
            return Ok(due);
        }
        if wants("review") {
            due.extend(self.unsigned(house, key, now).await?);
        }
        if wants("review_late") {
            due.extend(self.unsigned_late(house, key, now).await?);
        }
        if wants("draft") {
            due.extend(self.drafts(house, key).await?);
        }
        if wants("review_due") {
            let today = now.with_timezone(&house.home().timezone).date_naive();
            due.extend(self.reviews(house, key, today).await?);
            due.extend(self.restrictions(house, key, (today, now)).await?);
        }
        Ok(due)
    }

    /// Emergencies of which the placing authority has no full details: four hours before it has to, and when it should have.
    async fn authority(
        &self,
        house: &House,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Due>, StoreError> {
        let (mut told, mut late) = (Vec::new(), 0);
        for placed in self.records.restrictions().await? {
            let Some(due) = placed.authority_due() else { continue };
            let step = i64::from(now >= due - BEFORE_DETAILS) + i64::from(now >= due);
            let key = format!("{key}|authority|{}", placed.entry);
            if self.records.told(&key).await?.unwrap_or(0) < step {
                late += i64::from(now >= due);
                told.push((key, step));
            }
        }
        let line = match told.len() {
            0 => return Ok(None),
            1 => "The placing authority has no full details of an emergency restriction yet.".to_owned(),
            count => {
                format!("The placing authorities have no full details of {count} emergency restrictions yet.")
            }
        };
        let over = match late {
            0 => "The 24 hours are over in less than four.".to_owned(),
            _ => "The 24 hours are over: tell them now.".to_owned(),
        };
        let upto = self.records.head().await?.entries;
        let message = Message::of(house, "a placing authority is not told yet", &[line, over], upto);
        Ok(Some(Due { message, told }))
    }

    /// Restrictions in force whose review is due: on the day, and each day after.
    async fn restrictions(
        &self,
        house: &House,
        key: &str,
        (today, now): (NaiveDate, DateTime<Utc>),
    ) -> Result<Option<Due>, StoreError> {
        let (mut told, step) = (Vec::new(), i64::from(today.num_days_from_ce()));
        for placed in self.records.restrictions().await? {
            let key = format!("{key}|restriction|{}", placed.entry);
            if placed.review_due(today, now).is_some() && self.records.told(&key).await?.unwrap_or(0) < step {
                told.push((key, step));
            }
        }
        let line = match told.len() {
            0 => return Ok(None),
            1 => "The review of a restriction is due.".to_owned(),
            count => format!("The reviews of {count} restrictions are due."),
        };
        Ok(Some(Due { message: Message::of(house, "a restriction is to be reviewed", &[line], step), told }))
    }

    /// The last shift is not signed, once.
    async fn unsigned(
        &self,
        house: &House,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Due>, StoreError> {
        let home = house.home();
        let last = shift::last(&home.shifts, home.timezone, now);
        let (key, upto) = (format!("{key}|review"), last.to.timestamp());
        if now - last.to < UNSIGNED || self.records.told(&key).await?.unwrap_or(0) >= upto {
            return Ok(None);
        }
        if is_signed(&self.records.reviews(last).await?, last) {
            return Ok(None);
        }
        let ended = when::words(last.to, home.timezone);
        let line = format!("The shift that ended at {ended} is not signed by both sides.");
        let message = Message::of(house, "a shift is not signed", &[line], upto);
        Ok(Some(Due { message, told: vec![(key, upto)] }))
    }

    /// Shifts that are still not signed at the end of the one after them: for the manager, each once.
    async fn unsigned_late(
        &self,
        house: &House,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Due>, StoreError> {
        let home = house.home();
        let key = format!("{key}|review_late");
        let told = self.records.told(&key).await?.unwrap_or(0);
        let last = shift::last(&home.shifts, home.timezone, now);
        let late = self.records.unsigned(house, now).await?.into_iter().filter(|shift| shift.to < last.to);
        let late: Vec<i64> = late.map(|shift| shift.to.timestamp()).collect();
        let Some(upto) = late.last().copied().filter(|newest| *newest > told) else { return Ok(None) };
        let line = match late.len() {
            1 => "A shift is still not signed by both sides, and the one after it is over.".to_owned(),
            count => format!("{count} shifts are still not signed by both sides."),
        };
        let message = Message::of(house, "a shift stays unsigned", &[line], upto);
        Ok(Some(Due { message, told: vec![(key, upto)] }))
    }

    /// Agreements that are drafts: each once, and again when it was none meanwhile.
    async fn drafts(&self, house: &House, key: &str) -> Result<Option<Due>, StoreError> {
        let mut told = Vec::new();
        for (_, person) in house.people() {
            let (key, is_draft) = (format!("{key}|draft|{}", person.id), i64::from(is_draft(person)));
            let before = self.records.told(&key).await?.unwrap_or(0);
            match (before, is_draft) {
                (0, 1) => told.push((key, 1)),
                (1, 0) => self.records.set_told(&key, 0).await?,
                _ => {}
            }
        }
        let line = match told.len() {
            0 => return Ok(None),
            1 => "An agreement is a draft: a risk assessment or a signature is missing, or the file has errors, and the baseline applies.".to_owned(),
            count => format!("{count} agreements are drafts: a risk assessment or a signature is missing, or the file has errors, and the baseline applies."),
        };
        let upto = self.records.head().await?.entries;
        Ok(Some(Due { message: Message::of(house, "an agreement is a draft", &[line], upto), told }))
    }

    /// Agreements that are to be looked at again: 14 and 7 days before, on the day, and each day after.
    async fn reviews(&self, house: &House, key: &str, today: NaiveDate) -> Result<Option<Due>, StoreError> {
        let (mut told, mut late) = (Vec::new(), 0);
        for (_, person) in house.people() {
            let Some((by, _)) = person.agreed.review_by else { continue };
            let Some(step) = step(by, today) else { continue };
            let key = format!("{key}|due|{}", person.id);
            if self.records.told(&key).await? != Some(step) {
                late += i64::from(by < today);
                told.push((key, step));
            }
        }
        let line = match told.len() {
            0 => return Ok(None),
            1 => "The review of an agreement is due.".to_owned(),
            count => format!("The reviews of {count} agreements are due."),
        };
        let overdue = (late > 0).then(|| format!("Overdue: {late}. What was agreed stays in force."));
        let lines: Vec<String> = [line].into_iter().chain(overdue).collect();
        let message = Message::of(
            house,
            "an agreement is to be looked at again",
            &lines,
            today.num_days_from_ce().into(),
        );
        Ok(Some(Due { message, told }))
    }
}

/// Whether somebody's agreement waits for something that this home can mend. What is wrong with the whole home is told otherwise.
fn is_draft(person: &Person) -> bool {
    matches!(person.draft, Some(Draft::Missing(_) | Draft::Unusable))
}

/// Which of the tellings of a review it is time for: one number for each date and step; none where it is too early.
fn step(by: NaiveDate, today: NaiveDate) -> Option<i64> {
    let step = match (by - today).num_days() {
        15.. => return None,
        8..=14 => 1,
        1..=7 => 2,
        left => 3 - left,
    };
    Some(i64::from(by.num_days_from_ce()) * 100_000 + step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_told_at_fourteen_seven_and_no_days_and_each_day_after() {
        let day = |n: u64| "2026-11-01".parse::<NaiveDate>().unwrap() + chrono::Days::new(n);
        let mut told: Vec<u64> = Vec::new();
        let mut last = None;
        for n in 0..35 {
            let step = step(day(30), day(n));
            if step.is_some() && step != last {
                told.push(n);
            }
            last = step;
        }
        assert_eq!(told, [16, 23, 30, 31, 32, 33, 34]);
    }
}
