//! Monitoring beyond breaches: minutes by category or by site, for a person whose agreement says so and until when.
//!
//! It is the exception, decided by somebody with the right to (seed 004: the right to monitor volume and sites visited,
//! content not). So it holds only where the agreement gives the reason, the last day, who authorised it and when the
//! young person was told; it ends by itself; its beginning and end are entries of the journal; and it never has a path,
//! a host below its registrable domain, or an instant: minutes of a day, no more.
//!
//! The packet path marks a [`watch::Watch`] of the sheet; for everybody who has none, which is nearly everybody, that is
//! one comparison. The marks are harvested with the sheet's into a [`book::Book`] and committed with the journal.

mod book;
mod read;
mod register;
mod watch;

pub use read::{MonitoredKind, MonitoredMinutes};

pub(crate) use book::{Gained, store_gained};
pub(crate) use register::store_turn;
pub(crate) use watch::Watch;

use crate::clock::ClockState;
use crate::entry::{Entry, MonitoringBegan};
use crate::in_force::InForce;
use crate::minutes::{Look, Sheet};
use crate::room::Records;
use crate::shift;
use crate::spell;
use crate::store::StoreError;
use agreements::{House, LimitKey, Monitored, MonitoringLevel, Person, Snapshot};
use book::Book;
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

/// So many sites of a person have minutes of their own in a day; what comes after goes to [`OTHER_SITES`].
pub const MOST_SITES: usize = 2_000;

/// The key of what has no key of its own: sites beyond [`MOST_SITES`], and addresses without a name.
pub const OTHER_SITES: &str = "other sites";

/// The key of minutes on sites that no list puts into a category.
pub const UNCATEGORISED: &str = "uncategorised";

/// What an agreement says of monitoring beyond breaches, and the instants between which it holds.
#[derive(Clone, Copy, Debug)]
struct Terms<'a> {
    said: Monitored<'a>,
    /// The first instant of the day on which the young person was told.
    starts: DateTime<Utc>,
    /// The first instant after the last day, midnight in the home's zone.
    ends: DateTime<Utc>,
}

impl<'a> Terms<'a> {
    /// None for who is not monitored beyond breaches.
    fn of(house: &House, person: &'a Person) -> Option<Self> {
        let said = person.monitored()?;
        let midnight =
            |day: NaiveDate| Some(shift::instant(house.home().timezone, day.and_hms_opt(0, 0, 0)?));
        Some(Self { starts: midnight(said.told_on)?, ends: midnight(said.until.succ_opt()?)?, said })
    }

    /// Whether more than breaches is recorded at an instant: never before the day on which the young person was told.
    fn hold_at(&self, at: DateTime<Utc>) -> bool {
        self.starts <= at && at < self.ends
    }

    fn are(&self, began: &MonitoringBegan) -> bool {
        let Monitored { level, until, told_on, reason, authorised_by } = self.said;
        let now = (word(level), until, told_on, reason, authorised_by);
        now == (&began.level, began.until, began.told_on, &began.reason, &began.authorised_by)
    }

    fn began(&self, person: &str, from: DateTime<Utc>) -> MonitoringBegan {
        let Monitored { level, until, told_on, reason, authorised_by } = self.said;
        MonitoringBegan {
            person: person.to_owned(),
            level: word(level).to_owned(),
            reason: reason.to_owned(),
            from,
            until,
            authorised_by: authorised_by.to_owned(),
            told_on,
        }
    }
}

/// The level's word in the language of agreements.
fn word(level: MonitoringLevel) -> &'static str {
    match level {
        MonitoringLevel::Breaches => "breaches",
        MonitoringLevel::Categories => "categories",
        MonitoringLevel::Sites => "sites",
    }
}

/// The journal's task's part in it.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    book: Book,
    /// Whether the minute in which the gateway started has been looked at.
    resumed: bool,
    /// What the journal says is on; none until it has been read.
    raised: Option<register::Raised>,
}

impl Monitor {
    /// Reads what the journal says is on, unless that is known.
    pub(crate) async fn recover(&mut self, records: &Records) -> Result<(), StoreError> {
        if self.raised.is_none() {
            self.raised = Some(register::raised(records).await?);
        }
        Ok(())
    }

    /// Takes the marks of every sheet into the book. While the clock is not right nobody can say which day it is and
    /// whether monitoring has ended: then they are dropped. It comes before the ledger's own harvest.
    pub(crate) async fn harvest(
        &mut self,
        records: &Records,
        look: Look,
        of_day: u16,
        sheets: &[(Arc<Snapshot>, Arc<Sheet>)],
    ) -> Result<(), StoreError> {
        self.resume(records, look, of_day, sheets);
        let mut marks = Vec::new();
        for (snapshot, sheet) in sheets {
            for (who, person) in snapshot.house.people() {
                let taken = sheet.watch(who).and_then(Watch::take);
                marks.extend(taken.map(|taken| (person.id.clone(), taken)));
            }
        }
        let day = records.ledger().day();
        let (Some(day), ClockState::Right, false) = (day, look.state, marks.is_empty()) else {
            return Ok(());
        };
        if !self.book.is_of(day) {
            self.book.enter(day, records.monitored_sites(day).await?);
        }
        for (person, taken) in marks {
            self.book.add(&person, &taken, look.steady);
        }
        Ok(())
    }

    /// Once after a start: whoever's running minute is in the store already was monitored in it by the gateway that
    /// stopped, and is not again. An adult without limits has no minutes of their own to tell it by.
    fn resume(&mut self, records: &Records, look: Look, of_day: u16, sheets: &[(Arc<Snapshot>, Arc<Sheet>)]) {
        if self.resumed || look.state != ClockState::Right {
            return;
        }
        self.resumed = true;
        let everything = spell::of_key(&LimitKey::Everything);
        let ledger = records.ledger();
        let people = sheets.iter().flat_map(|(snapshot, _)| snapshot.house.people());
        let kept = people.filter(|(_, person)| ledger.has(&person.id, &everything, of_day));
        self.book.resume(look.steady, kept.map(|(_, person)| person.id.clone()).collect());
    }

    /// The entries that are due: what began, what ended.
    pub(crate) fn turns(&self, in_force: &InForce, look: Look) -> Vec<Entry> {
        match (&self.raised, look.state) {
            (Some(raised), ClockState::Right) => {
                register::turns(raised, &in_force.current().snapshot.house, look.wall)
            }
            (_, ClockState::Right | ClockState::NotYet | ClockState::Jumped) => Vec::new(),
        }
    }

    /// Entries that began or ended something are in the journal: it is read again.
    pub(crate) fn turned(&mut self) {
        self.raised = None;
    }

    /// Whether there is anything that the store does not have yet.
    pub(crate) fn is_due(&self) -> bool {
        self.book.is_due()
    }

    /// Takes what the store does not have yet.
    pub(crate) fn take_due(&mut self) -> Vec<Gained> {
        self.book.take_due()
    }

    /// Gives back what could not be stored.
    pub(crate) fn give_back(&mut self, gained: Vec<Gained>) {
        self.book.give_back(gained);
    }
}
