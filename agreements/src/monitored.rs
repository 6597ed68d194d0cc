//! Who is monitored beyond breaches, on which days, and what was written down about it.

use crate::meant::{MonitoringLevel, Person};
use chrono::NaiveDate;

/// What an agreement says of monitoring beyond breaches, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitored<'a> {
    /// How much is recorded: more than breaches.
    pub level: MonitoringLevel,
    /// The day on which the young person was told, and the first on which more is recorded.
    pub told_on: NaiveDate,
    /// The last day.
    pub until: NaiveDate,
    /// Why.
    pub reason: &'a str,
    /// Who authorised it.
    pub authorised_by: &'a str,
}

impl Monitored<'_> {
    /// Whether more than breaches is recorded on a day of the home.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.told_on <= day && day <= self.until
    }
}

impl Person {
    /// What is recorded of them beyond breaches. None for most: an agreement that leaves out why, until when, who
    /// authorised it or when the young person was told says nothing here, and neither does a draft: nobody has agreed to it.
    pub fn monitored(&self) -> Option<Monitored<'_>> {
        let said = &self.monitoring;
        match said.level {
            MonitoringLevel::Breaches => return None,
            MonitoringLevel::Categories | MonitoringLevel::Sites => {}
        }
        if self.draft.is_some() {
            return None;
        }
        Some(Monitored {
            level: said.level,
            told_on: said.told_on?,
            until: said.until?,
            reason: said.reason.as_deref()?,
            authorised_by: said.authorised_by.as_deref()?,
        })
    }
}
