//! Homes at random: a plan that can be written as YAML and that the oracle reads as data.

use std::fmt::Write as _;

/// A small generator of numbers (SplitMix64), so that a seed names a home for ever.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// A date as (year, month, day): jiff and chrono meet in text only.
pub(crate) type Date = (i16, i8, i8);

#[allow(clippy::enum_variant_names, reason = "`every_day` is the language's word")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Day {
    Date(Date),
    Range(Date, Date),
    SchoolNights,
    SchoolDays,
    Holidays,
    /// Monday is 0.
    Named(Vec<u8>),
    Weekdays,
    Weekends,
    EveryDay,
}

/// Minutes after midnight.
pub(crate) type Clock = u16;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub seed: u64,
    pub terms: Vec<(Date, Date)>,
    pub days_off: Vec<Date>,
    pub hours: (Clock, Clock),
    pub short_friday: bool,
    pub bank_holidays: bool,
    pub online: Vec<(Day, Vec<(Clock, Clock)>)>,
    pub bedtime: Vec<(Day, Clock)>,
    pub school_hours: &'static str,
    pub otherwise: &'static str,
    pub staff: bool,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn date(d: Date) -> String {
    format!("{:04}-{:02}-{:02}", d.0, d.1, d.2)
}

fn clock(c: Clock) -> String {
    format!("{:02}:{:02}", c / 60, c % 60)
}

impl Day {
    fn word(&self) -> String {
        match self {
            Day::Date(d) => date(*d),
            Day::Range(a, b) => format!("{}..{}", date(*a), date(*b)),
            Day::SchoolNights => "school_nights".into(),
            Day::SchoolDays => "school_days".into(),
            Day::Holidays => "holidays".into(),
            Day::Named(days) => days.iter().map(|d| NAMES[usize::from(*d)]).collect::<Vec<_>>().join(", "),
            Day::Weekdays => "weekdays".into(),
            Day::Weekends => "weekends".into(),
            Day::EveryDay => "every_day".into(),
        }
    }
}

impl Plan {
    pub(crate) fn generate(seed: u64) -> Self {
        let mut r = Random::new(seed);
        let terms = vec![
            ((2026, 1, 5), (2026, 2, 13)),
            ((2026, 2, 23), (2026, 4, 1)),
            ((2026, 9, 2), (2026, 10, 23)),
            ((2026, 10, 26), (2026, 12, 18)),
            ((2027, 1, 4), (2027, 3, 31)),
            ((2027, 9, 6), (2027, 12, 17)),
        ];
        let days_off = (0..r.below(4)).map(|_| any_date(&mut r)).collect();
        Self {
            seed,
            terms: if r.chance(10) { Vec::new() } else { terms },
            days_off,
            hours: (r.pick(&[8 * 60 + 30, 9 * 60]), r.pick(&[12 * 60, 15 * 60 + 15])),
            short_friday: r.chance(30),
            bank_holidays: r.chance(70),
            online: online(&mut r),
            bedtime: if r.chance(70) { bedtime(&mut r) } else { Vec::new() },
            school_hours: r.pick(&["education_only", "with_staff", "as_agreed", "offline"]),
            otherwise: r.pick(&["allow", "ask", "block"]),
            staff: r.chance(10),
        }
    }

    /// The plan as a home's files: the agreement first.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        vec![("agreements/alex.yaml".into(), self.agreement()), ("home.yaml".into(), self.home())]
    }

    fn agreement(&self) -> String {
        let mut text = String::from(
            "person: Alex\nagreed:\n  risk_assessment: {ref: R, on: 2026-01-01}\n  review_by: 2029-01-01\n  young_person: {on: 2026-01-01, view: ok}\n  social_worker: {name: A, authority: B, on: 2026-01-01}\n  home_manager: {name: C, on: 2026-01-01}\n",
        );
        if self.staff {
            text = String::from("person: Alex\nfor: staff\n");
        }
        text.push_str("online:\n");
        for (day, windows) in &self.online {
            let _ = writeln!(text, "  {}: {}", day.word(), windows_word(windows));
        }
        if !self.bedtime.is_empty() {
            text.push_str("bedtime:\n");
            for (day, at) in &self.bedtime {
                let _ = writeln!(text, "  {}: {}", day.word(), clock(*at));
            }
        }
        let _ = write!(
            text,
            "allow: [open.shut.example]\nask: [maybe.example]\nblock: [shut.example]\notherwise: {}\nschool_hours: {}\neducation_sites: [homework.example]\n",
            self.otherwise, self.school_hours
        );
        text
    }

    fn home(&self) -> String {
        let list = |dates: Vec<String>| dates.join(", ");
        let hours = if self.short_friday {
            format!("{{mon-thu: {0}-{1}, fri: {0}-12:00}}", clock(self.hours.0), clock(self.hours.1))
        } else {
            format!("{{mon-fri: {}-{}}}", clock(self.hours.0), clock(self.hours.1))
        };
        let mut text = format!(
            "home: Oracle House\ntimezone: Europe/London\nshifts: [07:30, 14:30, 21:30]\nschool:\n  hours: {hours}\n  terms: [{}]\n  days_off: [{}]\n",
            list(self.terms.iter().map(|(a, b)| format!("{}..{}", date(*a), date(*b))).collect()),
            list(self.days_off.iter().map(|d| date(*d)).collect()),
        );
        if self.bank_holidays {
            text.push_str("  bank_holidays: england\n");
        }
        text.push_str("everyone:\n  block: [pornography]\nbaseline:\n  online: {every_day: 07:00-21:00}\n  otherwise: block\nunknown_devices: baseline\n");
        text
    }
}

fn windows_word(windows: &[(Clock, Clock)]) -> String {
    match windows {
        [] => "never".into(),
        [(0, 1440)] => "all_day".into(),
        many => many
            .iter()
            .map(|(a, b)| {
                format!("{}-{}", clock(*a), if *b == 1440 { "24:00".into() } else { clock(*b % 1440) })
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn any_date(r: &mut Random) -> Date {
    // Around the clock changes more often than not.
    r.pick(&[
        (2026, 3, 28),
        (2026, 3, 29),
        (2026, 10, 24),
        (2026, 10, 25),
        (2026, 12, 24),
        (2027, 3, 27),
        (2027, 3, 28),
        (2027, 10, 30),
        (2027, 10, 31),
        (2026, 5, 12),
        (2027, 1, 18),
        (2026, 11, 27),
    ])
}

/// Day keys of one table, no two of equal rank on one day.
fn days(r: &mut Random) -> Vec<Day> {
    let mut days = Vec::new();
    let mut dates = vec![any_date(r), any_date(r)];
    dates.sort_unstable();
    dates.dedup();
    days.extend(dates.into_iter().filter(|_| r.chance(60)).map(Day::Date));
    if r.chance(40) {
        days.push(Day::Range((2026, 10, 20), (2026, 10, 26)));
        days.push(Day::Range((2027, 3, 20), (2027, 4, 2)));
    }
    for (day, percent) in [
        (Day::SchoolNights, 40),
        (Day::SchoolDays, 40),
        (Day::Holidays, 30),
        (Day::Weekdays, 40),
        (Day::Weekends, 40),
        (Day::EveryDay, 85),
    ] {
        if r.chance(percent) {
            days.push(day);
        }
    }
    if r.chance(30) {
        days.push(Day::Named(vec![4, 5]));
        if r.chance(50) {
            days.push(Day::Named(vec![6]));
        }
    }
    if days.is_empty() {
        days.push(Day::EveryDay);
    }
    days
}

/// One day's windows: in order, apart from each other; the last may run into the next day.
fn windows(r: &mut Random) -> Vec<(Clock, Clock)> {
    match r.below(10) {
        0 => return Vec::new(),
        1 => return vec![(0, 1440)],
        _ => {}
    }
    let mut windows = Vec::new();
    let mut from = r.pick(&[0, 30, 60, 75, 90, 7 * 60, 9 * 60, 15 * 60 + 30]);
    for _ in 0..=r.below(3) {
        let to = from + r.pick(&[15, 30, 60, 90, 240, 600]);
        if to > 1440 {
            break;
        }
        windows.push((from, to));
        from = to + r.pick(&[15, 45, 120, 300]);
        if from >= 1440 {
            break;
        }
    }
    if r.chance(25) {
        let start = 21 * 60;
        if windows.last().is_none_or(|w| w.1 < start) {
            // Past midnight: ends in the small hours, also inside the hour that is missing or comes twice.
            windows.push((start, 1440 + r.pick(&[30, 60, 75, 90, 120, 150])));
        }
    }
    windows
}

fn online(r: &mut Random) -> Vec<(Day, Vec<(Clock, Clock)>)> {
    days(r).into_iter().map(|day| (day, windows(r))).collect()
}

fn bedtime(r: &mut Random) -> Vec<(Day, Clock)> {
    days(r)
        .into_iter()
        .map(|day| (day, r.pick(&[20 * 60, 21 * 60, 22 * 60 + 30, 23 * 60 + 59, 0, 30, 60, 75, 90, 120])))
        .collect()
}
