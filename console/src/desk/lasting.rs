//! For how long something is opened: the five answers that staff give at the desk.

use agreements::{House, PersonId, SegmentKind};
use chrono::{DateTime, Days, TimeDelta, Utc};
use records::LONGEST_GRANT;

/// Once: long enough to open a page and read it.
const ONCE: TimeDelta = TimeDelta::minutes(10);

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Once.
    Once,
    /// So many minutes.
    Minutes(i64),
    /// Until the person's day ends: the last of their agreed times today.
    Tonight,
    /// For tonight, or once where the day has ended; and a line is proposed for the agreement.
    Always,
}

impl Lasting {
    /// As the form sends it.
    pub(crate) fn read(word: &str) -> Option<Self> {
        match word {
            "once" => Some(Self::Once),
            "15m" => Some(Self::Minutes(15)),
            "30m" => Some(Self::Minutes(30)),
            "1h" => Some(Self::Minutes(60)),
            "2h" => Some(Self::Minutes(120)),
            "tonight" => Some(Self::Tonight),
            "always" => Some(Self::Always),
            _ => None,
        }
    }

    /// The instant at which it ends; none where the person's day has ended already, so that there is no tonight.
    pub(crate) fn until(self, house: &House, who: PersonId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Once => Some(now + ONCE),
            Self::Minutes(minutes) => Some(now + TimeDelta::minutes(minutes)),
            Self::Tonight => tonight(house, who, now),
            Self::Always => Some(tonight(house, who, now).unwrap_or(now + ONCE)),
        }
    }
}

/// When the last of a person's agreed times ends in the home's day: bedtime stays bedtime, whatever is opened.
pub(crate) fn tonight(house: &House, who: PersonId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (day, ends) = (house.day_of(now), house.day_ends(now));
    // The week begins with the day before, whose late evening may still go on.
    let week = house.week(who, day.checked_sub_days(Days::new(1)).unwrap_or(day));
    let agreed = week.days.iter().flat_map(|day| &day.segments).filter(|s| s.kind != SegmentKind::Offline);
    let last = agreed.filter(|s| s.from < ends && s.until > now).map(|s| s.until.min(ends)).max()?;
    Some(last.min(now + LONGEST_GRANT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    #[test]
    fn tonight_ends_at_bedtime() {
        let snapshot = snapshot(HOME, &[("jordan", JORDAN)]);
        let who = snapshot.house.person("jordan").unwrap();
        for (name, now, ends) in [
            ("afternoon", "2026-11-22T17:30:00Z", Some("2026-11-22T21:00:00Z")),
            ("early_morning_of_the_same_day", "2026-11-22T05:00:00Z", Some("2026-11-22T21:00:00Z")),
            ("after_bedtime", "2026-11-22T22:30:00Z", None),
            ("in_the_night_it_is_still_yesterday", "2026-11-23T02:00:00Z", None),
        ] {
            let now = now.parse().unwrap();
            let ends = ends.map(|at| at.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(Lasting::Tonight.until(&snapshot.house, who, now), ends, "{name}");
            let always = Lasting::Always.until(&snapshot.house, who, now);
            assert_eq!(always, Some(ends.unwrap_or(now + ONCE)), "{name}: always begins at any time");
        }
    }

    #[test]
    fn tonight_may_run_past_midnight() {
        let late = JORDAN.replace("07:00-22:30", "09:00-00:30").replace("21:00", "00:30");
        let snapshot = snapshot(HOME, &[("jordan", &late)]);
        let who = snapshot.house.person("jordan").unwrap();
        for now in ["2026-11-22T22:00:00Z", "2026-11-23T00:10:00Z"] {
            let ends = Lasting::Tonight.until(&snapshot.house, who, now.parse().unwrap());
            assert_eq!(ends, Some("2026-11-23T00:30:00Z".parse().unwrap()), "{now}");
        }
    }
}
