//! Windows of wall-clock time, and the instants at which they open and close.
//!
//! A decision always converts the instant to the home's wall clock once. Only a boundary goes the other way: one inside the
//! gap of spring happens at the gap's end; in the hour that autumn repeats an opening takes the second occurrence and a
//! closing the first, so that nobody gains an hour by a clock.

use crate::calendar::{Day, SchoolDays};
use crate::meant::{DayTable, Days, Window};
use crate::source::SourceId;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// An instant, in seconds since 1970-01-01T00:00:00Z. Boundaries stand on whole seconds.
pub(crate) type Secs = i64;

/// No instant at all.
pub(crate) const NEVER: Secs = i64::MAX;

/// The instant as the public surface has it; none for [`NEVER`].
pub(crate) fn instant(at: Secs) -> Option<DateTime<Utc>> {
    if at == NEVER { None } else { DateTime::from_timestamp(at, 0) }
}

/// The home's wall clock around one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    zone: Tz,
    /// The day that the instant is in.
    pub(crate) day: Day,
    /// The days from `steady.0` to `steady.1` share one offset from UTC, in seconds, if they do.
    steady: Option<(Day, Day, i64)>,
}

impl Local {
    /// The wall clock at an instant.
    pub(crate) fn at(zone: Tz, at: Secs) -> Self {
        let offset = offset(zone, at);
        let day = Day::holding(at + offset);
        let (first, last) = (day.plus(-3), day.plus(4));
        // Most days of a year are far from a clock change: then a boundary is one subtraction. No zone has changed its
        // offset twice within a week and back, so looking at both ends is enough.
        let steady = offset == self::offset(zone, first.midnight() - offset)
            && offset == self::offset(zone, last.midnight() - offset);
        Self { zone, day, steady: steady.then_some((first, last, offset)) }
    }

    /// When something that opens `minute` minutes after the day's midnight opens.
    pub(crate) fn opening(&self, day: Day, minute: u16) -> Secs {
        self.boundary(day, minute, |_, second| second)
    }

    /// When something that closes `minute` minutes after the day's midnight closes.
    pub(crate) fn closing(&self, day: Day, minute: u16) -> Secs {
        self.boundary(day, minute, |first, _| first)
    }

    fn boundary(&self, day: Day, minute: u16, of_two: fn(Secs, Secs) -> Secs) -> Secs {
        let wall = day.midnight() + i64::from(minute) * 60;
        match self.steady {
            Some((first, last, offset)) if first <= day && wall < last.midnight() => wall - offset,
            _ => of_wall(self.zone, wall, of_two),
        }
    }
}

/// A zone's offset from UTC at an instant, in seconds.
fn offset(zone: Tz, at: Secs) -> i64 {
    let utc = naive(at);
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

/// Seconds as chrono's date and time; beyond its calendar, its last second.
fn naive(secs: i64) -> NaiveDateTime {
    DateTime::from_timestamp(secs, 0).map_or(NaiveDateTime::MAX, |t| t.naive_utc())
}

/// The instant of a wall-clock time; of two, the one that `of_two` picks; in a gap, the gap's end.
fn of_wall(zone: Tz, wall: i64, of_two: fn(Secs, Secs) -> Secs) -> Secs {
    let local = naive(wall);
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(t) => t.timestamp(),
        MappedLocalTime::Ambiguous(a, b) => {
            let (a, b) = (a.timestamp(), b.timestamp());
            of_two(a.min(b), a.max(b))
        }
        MappedLocalTime::None => {
            GapInfo::new(&local, &zone).and_then(|gap| gap.end).map_or(wall, |t| t.timestamp())
        }
    }
}

/// A value by day, the most specific entry first.
#[derive(Debug)]
pub(crate) struct ByDay<T> {
    rows: Vec<(When, T, SourceId)>,
}

/// Which days, as numbers, in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    Date(Day),
    Range(Day, Day),
    SchoolNight,
    SchoolDay,
    Holiday,
    Named(u8),
    WeekdaysOrWeekends(u8),
    EveryDay,
}

impl When {
    /// Days of the week as bits: bit 0 is Monday.
    const WEEKDAYS: u8 = 0b001_1111;
    const WEEKENDS: u8 = 0b110_0000;
    const WEEK: u8 = Self::WEEKDAYS | Self::WEEKENDS;

    fn of(days: &Days) -> Self {
        match days {
            Days::Date(date) => Self::Date(Day::of(*date)),
            Days::Range(first, last) => Self::Range(Day::of(*first), Day::of(*last)),
            Days::SchoolNights => Self::SchoolNight,
            Days::SchoolDays => Self::SchoolDay,
            Days::Holidays => Self::Holiday,
            Days::Named(mask) => Self::Named(*mask),
            Days::Weekdays => Self::WeekdaysOrWeekends(Self::WEEKDAYS),
            Days::Weekends => Self::WeekdaysOrWeekends(Self::WEEKENDS),
            Days::EveryDay => Self::EveryDay,
        }
    }

    fn has(self, day: Day, school: &SchoolDays) -> bool {
        match self {
            Self::Date(date) => date == day,
            Self::Range(first, last) => first <= day && day <= last,
            Self::SchoolNight => school.has_school(day.plus(1)),
            Self::SchoolDay => school.has_school(day),
            Self::Holiday => day.weekday() < 5 && !school.has_school(day),
            Self::Named(mask) | Self::WeekdaysOrWeekends(mask) => mask & (1 << day.weekday()) != 0,
            Self::EveryDay => true,
        }
    }

    /// The first and last day that it names by date.
    fn dates(self) -> Option<[Day; 2]> {
        match self {
            Self::Date(date) => Some([date, date]),
            Self::Range(first, last) => Some([first, last]),
            Self::SchoolNight
            | Self::SchoolDay
            | Self::Holiday
            | Self::Named(_)
            | Self::WeekdaysOrWeekends(_)
            | Self::EveryDay => None,
        }
    }

    /// The days of the week that it names, whatever the date and the school.
    fn mask(self) -> Option<u8> {
        match self {
            Self::Named(mask) | Self::WeekdaysOrWeekends(mask) => Some(mask),
            Self::Date(_)
            | Self::Range(..)
            | Self::SchoolNight
            | Self::SchoolDay
            | Self::Holiday
            | Self::EveryDay => None,
        }
    }

    /// Its place in the precedence: entries of the same place are of equal rank.
    fn rank(self) -> u8 {
        match self {
            Self::Date(_) => 0,
            Self::Range(..) => 1,
            Self::SchoolNight => 2,
            Self::SchoolDay => 3,
            Self::Holiday => 4,
            Self::Named(_) => 5,
            Self::WeekdaysOrWeekends(_) => 6,
            Self::EveryDay => 7,
        }
    }
}

impl<T> DayTable<T> {
    /// What is written, the most specific days first: of two that have a day, the earlier gives it.
    fn ranked(&self) -> impl Iterator<Item = &(Days, T, SourceId)> {
        let mut rows: Vec<_> = self.entries.iter().collect();
        rows.sort_by_key(|(days, ..)| When::of(days).rank());
        rows.into_iter()
    }

    /// The days and what is written of them, in the order in which they give a day its value.
    pub fn in_order(&self) -> impl Iterator<Item = (&Days, &T)> {
        self.ranked().map(|(days, value, _)| (days, value))
    }

    /// Whether every day has a value, whatever the school's calendar says.
    pub fn has_every_day(&self) -> bool {
        let has = |days: &Days| self.entries.iter().any(|(other, ..)| other == days);
        let by_school = if has(&Days::SchoolDays) && has(&Days::Holidays) { When::WEEKDAYS } else { 0 };
        let named = self.entries.iter().filter_map(|(days, ..)| When::of(days).mask());
        has(&Days::EveryDay) || named.fold(by_school, |all, mask| all | mask) == When::WEEK
    }

    /// Whether two entries may have the same day, `every_day` aside, so that their order matters.
    pub fn may_overlap(&self) -> bool {
        let some: Vec<_> = self.entries.iter().map(|(days, ..)| When::of(days)).collect();
        let some: Vec<_> = some.into_iter().filter(|when| *when != When::EveryDay).collect();
        let share = |a: &When, b: &When| a.mask().zip(b.mask()).is_none_or(|(a, b)| a & b != 0);
        some.iter().enumerate().any(|(at, when)| some.iter().skip(at + 1).any(|other| share(when, other)))
    }
}

impl<T> ByDay<T> {
    pub(crate) fn new<U>(table: &DayTable<U>, value: impl Fn(&U) -> T) -> Self {
        Self { rows: table.ranked().map(|(d, v, s)| (When::of(d), value(v), *s)).collect() }
    }

    /// The entry that gives the day.
    pub(crate) fn on(&self, day: Day, school: &SchoolDays) -> Option<(&T, SourceId)> {
        self.rows.iter().find(|(when, ..)| when.has(day, school)).map(|(_, value, source)| (value, *source))
    }

    /// The days that entries name by date: where they begin and end.
    fn dates(&self) -> impl Iterator<Item = Day> {
        self.rows.iter().filter_map(|(when, ..)| when.dates()).flatten()
    }
}

/// Whether somebody is online at an instant, since which line, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnlineNow {
    /// Whether the instant is inside a window that bedtime has not cut.
    pub(crate) open: bool,
    /// When that ends: the closing, or the next opening.
    pub(crate) change: Secs,
    /// The line that says so: of the day's windows, or of the bedtime.
    pub(crate) source: Option<SourceId>,
}

/// When somebody is online.
#[derive(Debug)]
pub(crate) struct Schedule {
    online: ByDay<Vec<Window>>,
    bedtime: ByDay<u16>,
    /// Every day, all day, and no bedtime: time never changes anything.
    always: bool,
    /// The days on which one week can begin to differ from the week before, in order.
    landmarks: Vec<Day>,
}

impl Schedule {
    pub(crate) fn new(
        online: &DayTable<Vec<Window>>,
        bedtime: Option<&DayTable<u16>>,
        school: &SchoolDays,
    ) -> Self {
        let sorted = |windows: &Vec<Window>| {
            let mut windows = windows.clone();
            windows.sort_unstable();
            windows
        };
        let none = DayTable { entries: Vec::new() };
        let (online, bedtime) = (ByDay::new(online, sorted), ByDay::new(bedtime.unwrap_or(&none), |&m| m));
        let all_day = |windows: &[Window]| matches!(windows, [w] if w.start == 0 && w.end == 1440);
        let always = bedtime.rows.is_empty()
            && online.rows.iter().all(|(_, windows, _)| all_day(windows))
            && online.rows.iter().any(|(when, ..)| *when == When::EveryDay);
        let mut landmarks: Vec<_> = online.dates().chain(bedtime.dates()).chain(school.landmarks()).collect();
        landmarks.sort_unstable();
        landmarks.dedup();
        Self { online, bedtime, always, landmarks }
    }

    /// The days from one on, in search of a change.
    fn search(&self, from: Day, local: &Local) -> Search<'_> {
        Search { schedule: self, zone: local.zone, day: from, alike: 0, last: None }
    }

    /// The day's windows as instants, cut by bedtime. Windows that nothing is left of are left out.
    pub(crate) fn windows<'a>(
        &'a self,
        day: Day,
        local: &'a Local,
        school: &'a SchoolDays,
    ) -> impl Iterator<Item = (Secs, Secs)> + 'a {
        let windows = self.online.on(day, school).map_or(&[][..], |(windows, _)| windows);
        windows.iter().filter_map(move |w| {
            let close = local.closing(day, w.end).min(self.cut(day, w.end, local, school));
            let open = local.opening(day, w.start);
            (open < close).then_some((open, close))
        })
    }

    /// When bedtime cuts a window of the day: its own evening's, or the next one's if the window runs that far.
    fn cut(&self, day: Day, end: u16, local: &Local, school: &SchoolDays) -> Secs {
        let own = self.bed(day, local, school).map_or(NEVER, |(at, _)| at);
        // A bedtime is noon at the earliest, so only a window that runs past the next noon meets the next one.
        let next = if end > 1440 + 720 { self.bed(day.plus(1), local, school) } else { None };
        own.min(next.map_or(NEVER, |(at, _)| at))
    }

    /// The bedtime of the day's evening.
    pub(crate) fn bed(&self, day: Day, local: &Local, school: &SchoolDays) -> Option<(Secs, SourceId)> {
        if self.bedtime.rows.is_empty() {
            return None;
        }
        self.bedtime.on(day, school).map(|(&minute, source)| (local.closing(day, minute), source))
    }

    /// The bedtime of the day's evening in minutes after the day's midnight, with its line.
    pub(crate) fn bed_minute(&self, day: Day, school: &SchoolDays) -> Option<(u16, SourceId)> {
        self.bedtime.on(day, school).map(|(&minute, source)| (minute, source))
    }

    /// Whether an instant is online.
    pub(crate) fn at(&self, at: Secs, local: &Local, school: &SchoolDays) -> OnlineNow {
        let source = self.online.on(local.day, school).map(|(_, source)| source);
        if self.always {
            return OnlineNow { open: true, change: NEVER, source };
        }
        // A window ends less than two days after its day's midnight, so three days hold every window that can be open.
        let days = [-2, -1, 0].map(|n| local.day.plus(n));
        let open = days.into_iter().find(|&d| self.windows(d, local, school).any(|(o, c)| o <= at && at < c));
        match open {
            Some(day) => {
                let source = self.online.on(day, school).map(|(_, source)| source);
                OnlineNow { open: true, change: self.closes(at, local, school), source }
            }
            None => {
                let source = self.bedtime_to_blame(at, local, school).or(source);
                OnlineNow { open: false, change: self.opens(at, local, school), source }
            }
        }
    }

    /// When somebody who is online at an instant goes offline: windows that meet are one.
    fn closes(&self, at: Secs, local: &Local, school: &SchoolDays) -> Secs {
        let mut reach = at;
        let mut before = None;
        for day in self.search(local.day.plus(-2), local) {
            if before.is_some_and(|b: Day| b.plus(1) < day) {
                // The search left out weeks in which every day met the next, as the ones before them did.
                reach = reach.max(local.opening(day, 0));
            }
            if day > local.day && local.opening(day, 0) > reach {
                return reach;
            }
            for (open, close) in self.windows(day, local, school) {
                if open <= reach {
                    reach = reach.max(close);
                }
            }
            before = Some(day);
        }
        NEVER
    }

    /// When the next window opens after an instant.
    fn opens(&self, at: Secs, local: &Local, school: &SchoolDays) -> Secs {
        let mut openings = self.search(local.day.plus(-1), local).filter_map(|day| {
            self.windows(day, local, school).map(|(open, _)| open).filter(|&open| open > at).min()
        });
        openings.next().unwrap_or(NEVER)
    }

    /// The line of the bedtime that has been reached, for as long as it is what keeps somebody offline: until the next
    /// day's first window, or to the end of its own day when the next has none.
    fn bedtime_to_blame(&self, at: Secs, local: &Local, school: &SchoolDays) -> Option<SourceId> {
        [local.day, local.day.plus(-1)].into_iter().find_map(|evening| {
            let (bed, source) = self.bed(evening, local, school).filter(|(bed, _)| *bed <= at)?;
            let morning = self.windows(evening.plus(1), local, school).next();
            let still = morning.map_or(evening == local.day, |(open, _)| at < open.max(bed));
            still.then_some(source)
        })
    }
}

/// Days in search of a change, leaving out those that can only be like the days a week before.
///
/// Weeks are alike between landmarks, apart from clock changes, which come at least once in 400 days or never. So whoever has
/// seen three weeks alike may go on where the next landmark or clock change is near; and after 400 days without a landmark
/// there is nothing more to find.
struct Search<'a> {
    schedule: &'a Schedule,
    zone: Tz,
    day: Day,
    /// How many days have been alike.
    alike: i32,
    /// The last day of the search, once no landmark lies ahead.
    last: Option<Day>,
}

impl Search<'_> {
    const ENOUGH: i32 = 21;
    const ROUND: i32 = 400;

    fn next_landmark(&self) -> Option<Day> {
        let all = &self.schedule.landmarks;
        all.get(all.partition_point(|&l| l < self.day)).copied()
    }

    /// The first week from the day on in which the clock changes, before a day.
    fn clock_change(&self, before: Day) -> Option<Day> {
        let now = offset(self.zone, self.day.midnight());
        let weeks = std::iter::successors(Some(self.day), |d| Some(d.plus(7))).take_while(|d| *d < before);
        weeks.take(1 + Self::ROUND as usize / 7).find(|d| offset(self.zone, d.plus(7).midnight()) != now)
    }

    /// Goes on where something can differ again.
    fn skip(&mut self) -> Option<()> {
        let landmark = self.next_landmark();
        if landmark.is_none() && self.last.is_none() {
            self.last = Some(self.day.plus(Self::ROUND));
        }
        let end = landmark.or(self.last)?;
        let next = self.clock_change(end).or(landmark)?;
        self.day = self.day.max(next.plus(-2));
        self.alike = 0;
        Some(())
    }
}

impl Iterator for Search<'_> {
    type Item = Day;

    fn next(&mut self) -> Option<Day> {
        if self.alike > Self::ENOUGH {
            self.skip()?;
        }
        let day = self.day;
        if self.last.is_some_and(|last| day > last) {
            return None;
        }
        // What a landmark changes, it may change for the day before (a school night) and for two days after (a window).
        let near = self.next_landmark().is_some_and(|l| l <= day.plus(1));
        self.alike = if near { 0 } else { self.alike + 1 };
        self.day = day.plus(1);
        Some(day)
    }
}

/// Whether school is on at an instant, and when that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchoolNow {
    /// Whether the instant is inside the school hours of a school day.
    pub(crate) on: bool,
    /// When that changes.
    pub(crate) change: Secs,
}

impl SchoolNow {
    /// For somebody without school hours.
    pub(crate) const NONE: Self = Self { on: false, change: NEVER };

    pub(crate) fn at(at: Secs, local: &Local, school: &SchoolDays) -> Self {
        let mut day = local.day;
        loop {
            if let Some(now) = Self::on_day(day, at, local, school) {
                return now;
            }
            match school.next(day) {
                Some(next) => day = next,
                None => return Self::NONE,
            }
        }
    }

    /// What a day's hours say of an instant; none once they are over.
    fn on_day(day: Day, at: Secs, local: &Local, school: &SchoolDays) -> Option<Self> {
        let mut reach = None;
        for &(start, end) in school.hours(day) {
            let (open, close) = (local.opening(day, start), local.closing(day, end));
            if open >= close || close <= at {
                continue;
            }
            match reach {
                None if open > at => return Some(Self { on: false, change: open }),
                None => reach = Some(close),
                // Hours that meet are one.
                Some(end) if open <= end => reach = Some(close.max(end)),
                Some(_) => {}
            }
        }
        reach.map(|change| Self { on: true, change })
    }
}
