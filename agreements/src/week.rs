//! A person's week as a timetable: what the decision says of every minute, for the wall and for the terminal.

mod picture;
mod text;

use crate::calendar::Day;
use crate::house::moment::Moment;
use crate::house::rules::Body;
use crate::house::{House, PersonId, key_in_words};
use crate::meant::{LimitKey, SchoolHours};
use crate::schedule::{Local, instant};
use crate::source::{Source, SourceId};
use crate::standing::Standing;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// Seven days of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Week {
    /// The home's name.
    pub home: String,
    /// The person's id; `baseline` for nobody in particular.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The days, in order.
    pub days: Vec<WeekDay>,
    /// What was agreed that no gateway can see, as the agreement has it.
    pub behaviour: Vec<String>,
}

/// One day, from midnight to midnight on the home's clock: 23, 24 or 25 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeekDay {
    /// Its date.
    pub date: NaiveDate,
    /// Whether there is school.
    pub school: bool,
    /// What holds when, without gaps and in order.
    pub segments: Vec<Segment>,
    /// The evening's bedtime as the clock shows it (`21:00`); none where the day has none.
    pub bedtime: Option<String>,
    /// The minutes of each limit on that day.
    pub limits: Vec<WeekLimit>,
}

/// A stretch of a day in which one thing holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// What holds.
    pub kind: SegmentKind,
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// The same as the home's clock shows it (`07:00`).
    pub starts: String,
    /// The same as the home's clock shows it; `24:00` at the day's end.
    pub ends: String,
    /// Why, in a few words.
    pub reason: &'static str,
    /// The line that says so.
    pub source: Option<Source>,
}

/// What holds in a stretch of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// Nothing but what is protected.
    Offline,
    /// School hours: sites for learning.
    School,
    /// The agreed times.
    Online,
}

/// A limit on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeekLimit {
    /// What it counts.
    #[serde(skip)]
    pub key: LimitKey,
    /// The same in words (`games`).
    pub of: String,
    /// How many minutes.
    pub minutes: u16,
}

impl House {
    /// A person's seven days from a date on, as the agreement has them: without grants and restrictions, which are of the day.
    pub fn week(&self, who: PersonId, from: NaiveDate) -> Week {
        let who = self.known(who);
        let (person, name) = match self.agreement(who) {
            Some(p) => (p.id.clone(), p.name.clone()),
            None => ("baseline".into(), "Everybody else".into()),
        };
        let first = Day::of(from);
        let days = (0..7).map(|n| self.week_day(who, first.plus(n))).collect();
        let behaviour = self.agreement(who).map_or(Vec::new(), |p| p.behaviour.clone());
        Week { home: self.home().name.clone(), person, name, days, behaviour }
    }

    fn week_day(&self, who: PersonId, day: Day) -> WeekDay {
        let (start, end) = self.day_span(day);
        let rules = self.rules(who);
        WeekDay {
            date: day.date(),
            school: self.school().has_school(day),
            segments: self.segments(who, start, end),
            bedtime: rules.schedule.bed_minute(day, self.school()).map(|(minute, _)| clock(minute)),
            limits: self
                .limits_in_force(who, day)
                .map(|(key, minutes)| WeekLimit { key: key.clone(), of: key_in_words(key), minutes })
                .collect(),
        }
    }

    /// The limits of a day and their minutes; a draft's are not in force.
    pub(crate) fn limits_in_force(&self, who: PersonId, day: Day) -> impl Iterator<Item = (&LimitKey, u16)> {
        let rules = self.rules(who);
        let limits =
            self.agreement(who).filter(|_| rules.body == Body::Agreement).map_or(&[][..], |p| &p.limits);
        limits.iter().zip(rules.minutes(day, self.school())).filter_map(|(limit, m)| Some((&limit.key, m?)))
    }

    /// A day's first and last instant.
    pub(crate) fn day_span(&self, day: Day) -> (DateTime<Utc>, DateTime<Utc>) {
        let local = Local::at(self.home().timezone, day.midnight());
        let at = |day| instant(local.closing(day, 0)).unwrap_or(DateTime::<Utc>::MAX_UTC);
        (at(day), at(day.plus(1)))
    }

    /// What holds from one instant to another, neighbours that are alike put together.
    pub(crate) fn segments(&self, who: PersonId, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Segment> {
        let (mut at, mut segments) = (start, Vec::<Segment>::new());
        let standing = Standing::default();
        while at < end {
            let moment = self.moment(who, at, &standing);
            // A moment with a limit in it holds for seconds alone; a timetable is of what was agreed.
            let until = instant(moment.agreed_change()).unwrap_or(end).min(end);
            let (kind, reason, source) = self.what_holds(&moment);
            let source = source.and_then(|id| self.source(id)).cloned();
            match segments.last_mut().filter(|s| (s.kind, s.reason, &s.source) == (kind, reason, &source)) {
                Some(same) => (same.until, same.ends) = (until, self.wall(until, end)),
                None => segments.push(Segment {
                    kind,
                    from: at,
                    until,
                    starts: self.wall(at, end),
                    ends: self.wall(until, end),
                    reason,
                    source,
                }),
            }
            at = until;
        }
        segments
    }

    fn what_holds(&self, moment: &Moment) -> (SegmentKind, &'static str, Option<SourceId>) {
        let rules = self.rules(moment.who());
        let open = match rules.body {
            Body::EducationSession => {
                return (SegmentKind::Offline, "only in a learning session with staff", rules.source);
            }
            Body::EmailOnly => "private mail",
            Body::Baseline => "the home's baseline",
            Body::Agreement => "agreed times",
        };
        if !moment.online.open {
            return (SegmentKind::Offline, "outside the agreed times", moment.online.source);
        }
        match rules.school_hours.filter(|_| moment.school.on) {
            Some((SchoolHours::Offline, line)) => (SegmentKind::Offline, "school hours", Some(line)),
            Some((SchoolHours::EducationOnly, line)) => {
                (SegmentKind::School, "sites for learning", Some(line))
            }
            Some((SchoolHours::WithStaff, line)) => {
                (SegmentKind::School, "learning together with staff", Some(line))
            }
            Some((SchoolHours::AsAgreed, _)) | None => (SegmentKind::Online, open, moment.online.source),
        }
    }

    /// What the home's clock shows; `24:00` at the day's end.
    fn wall(&self, at: DateTime<Utc>, day_ends: DateTime<Utc>) -> String {
        if at == day_ends { "24:00".into() } else { self.on_the_wall(at).format("%H:%M").to_string() }
    }
}

impl WeekDay {
    /// How many minutes of the day a kind holds.
    pub fn minutes(&self, kind: SegmentKind) -> i64 {
        let of_kind = self.segments.iter().filter(|s| s.kind == kind);
        of_kind.map(|s| (s.until - s.from).num_minutes()).sum()
    }

    /// `07:00–08:30, 15:30–21:00`; neighbours of one kind are told as one.
    fn spans(&self, kind: SegmentKind) -> String {
        let mut spans: Vec<(&str, &str)> = Vec::new();
        for segment in self.segments.iter().filter(|s| s.kind == kind) {
            match spans.last_mut().filter(|(_, ends)| *ends == segment.starts) {
                Some((_, ends)) => *ends = &segment.ends,
                None => spans.push((&segment.starts, &segment.ends)),
            }
        }
        spans.iter().map(|(a, b)| format!("{a}–{b}")).collect::<Vec<_>>().join(", ")
    }
}

/// Minutes after midnight as a clock shows them: `00:30` for half past midnight of the next day.
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// Minutes as people say them: `2 h 30 min`.
pub fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instants that a week's timetable looks at.
    fn looks(house: &House, who: PersonId, start: DateTime<Utc>, end: DateTime<Utc>) -> usize {
        let standing = Standing::default();
        let after = |at: &DateTime<Utc>| instant(house.moment(who, *at, &standing).agreed_change());
        std::iter::successors(Some(start), after).take_while(|at| *at < end).take(100).count()
    }

    #[test]
    fn a_limit_makes_a_timetable_no_longer_to_reckon() {
        let agreed = "agreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28}\n  young_person: {on: 2026-11-02}\n  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n  home_manager: {name: R. Osei, on: 2026-11-02}\nonline: {every_day: 07:00-21:00}\n";
        let files = [
            ("home.yaml".to_owned(), "home: Oakview\ntimezone: Europe/London\n".to_owned()),
            ("agreements/jo.yaml".to_owned(), format!("person: Jo\n{agreed}")),
            ("agreements/sam.yaml".to_owned(), format!("person: Sam\n{agreed}limits: {{everything: 2h}}\n")),
        ];
        let house = crate::read(&files, "2026-11-22".parse().unwrap()).house;
        let (jo, sam) = (house.person("jo").unwrap(), house.person("sam").unwrap());
        let monday = "2026-11-23".parse().unwrap();
        let (free, limited) = (house.week(jo, monday), house.week(sam, monday));
        for (one, other) in free.days.iter().zip(&limited.days) {
            let spans =
                |day: &WeekDay| day.segments.iter().map(|s| (s.kind, s.from, s.until)).collect::<Vec<_>>();
            assert_eq!(spans(one), spans(other), "{}", one.date);
            assert_eq!((one.limits.len(), other.limits.len(), other.segments.len()), (0, 1, 3));
        }
        let (start, end) = ("2026-11-23T00:00:00Z".parse().unwrap(), "2026-11-30T00:00:00Z".parse().unwrap());
        for who in [jo, sam] {
            assert!(looks(&house, who, start, end) <= 28, "a handful a day");
        }
    }
}
