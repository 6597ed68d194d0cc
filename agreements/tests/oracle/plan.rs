//! Homes at random: a plan that can be written as YAML and that the oracle reads as data.

use crate::days::{Clock, Date, Table, any_date, bedtime, clock, date, days, online, windows_word};
use crate::questions::{FLOOR, KEYS, LEARNING, PROTECTED, WORDS};
use crate::random::Random;
use std::fmt::Write as _;

/// A home.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub seed: u64,
    pub terms: Vec<(Date, Date)>,
    pub days_off: Vec<Date>,
    pub hours: (Clock, Clock),
    pub short_friday: bool,
    pub bank_holidays: bool,
    pub day_starts: Clock,
    pub floor: Vec<&'static str>,
    pub safe_search: &'static str,
    pub unknown_devices: &'static str,
    pub baseline: Words,
    pub baseline_online: Table<Vec<(Clock, Clock)>>,
    /// Alex, Sam, and the laptop `lap`.
    pub people: Vec<PersonPlan>,
}

/// What is said of words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// A word, and `allow`, `ask`, `with_staff` or `block`.
    pub said: Vec<(&'static str, &'static str)>,
    pub otherwise: &'static str,
}

/// Somebody's agreement.
#[derive(Clone, Debug)]
pub(crate) struct PersonPlan {
    pub id: &'static str,
    pub kind: &'static str,
    pub profile: &'static str,
    pub draft: bool,
    pub online: Table<Vec<(Clock, Clock)>>,
    pub bedtime: Table<Clock>,
    pub limits: Vec<(&'static str, Table<u16>)>,
    pub words: Words,
    pub school_hours: &'static str,
    /// Empty where it is left out.
    pub safe_search: &'static str,
    pub education_sites: Vec<&'static str>,
    /// Whether what the language has as its defaults is left out.
    pub terse: bool,
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
            day_starts: r.pick(&[240, 240, 240, 0, 60, 90, 120, 330]),
            floor: r.some(FLOOR, 45),
            safe_search: r.pick(&["strict", "moderate", "off", "off"]),
            unknown_devices: r.pick(&["baseline", "baseline", "sign_in", "block"]),
            baseline: Words { said: said(&mut r, 15), otherwise: r.pick(&["block", "block", "ask"]) },
            baseline_online: lit(online(&mut r)),
            people: vec![alex(&mut r), sam(&mut r), laptop()],
        }
    }

    /// A home in which Alex has an agreement in force, with everything in it that can be.
    pub(crate) fn rich(seed: u64) -> Self {
        let mut plan = Self::generate(seed);
        let mut r = Random::new(seed + 1);
        let alex = &mut plan.people[0];
        (alex.kind, alex.profile, alex.draft) = ("young person", "agreement", false);
        alex.limits = limits(&mut r, 90);
        alex.words = Words { said: said(&mut r, 60), otherwise: "allow" };
        alex.words.said.extend([("tiktok", "ask"), ("gambling", "block"), ("circumvention", "block")]);
        alex.school_hours = "with_staff";
        if alex.bedtime.is_empty() {
            alex.bedtime = bedtime(&mut r);
        }
        (plan.safe_search, plan.people[0].safe_search) = ("off", "strict");
        plan.floor = vec!["pornography", "bad.example", "places.example/forum", "=open.shut.example"];
        plan
    }

    pub(crate) fn person(&self, id: &str) -> Option<&PersonPlan> {
        self.people.iter().find(|p| p.id == id)
    }

    /// The plan as a home's files.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let agreement = |p: &PersonPlan| (format!("agreements/{}.yaml", p.id), p.text());
        let mut files: Vec<_> = self.people.iter().map(agreement).collect();
        files.push(("home.yaml".into(), self.home()));
        files
    }

    fn home(&self) -> String {
        let list = |dates: Vec<String>| dates.join(", ");
        let hours = if self.short_friday {
            format!("{{mon-thu: {0}-{1}, fri: {0}-12:00}}", clock(self.hours.0), clock(self.hours.1))
        } else {
            format!("{{mon-fri: {}-{}}}", clock(self.hours.0), clock(self.hours.1))
        };
        let mut text = format!(
            "home: Oracle House\ntimezone: Europe/London\nday_starts: {}\nshifts: [07:30, 14:30, 21:30]\nschool:\n  hours: {hours}\n  terms: [{}]\n  days_off: [{}]\n",
            clock(self.day_starts),
            list(self.terms.iter().map(|(a, b)| format!("{}..{}", date(*a), date(*b))).collect()),
            list(self.days_off.iter().map(|d| date(*d)).collect()),
        );
        if self.bank_holidays {
            text.push_str("  bank_holidays: england\n");
        }
        let _ = writeln!(
            text,
            "everyone:\n  block: [{}]\n  safe_search: {}",
            self.floor.join(", "),
            self.safe_search
        );
        text.push_str("protected:\n");
        for (set, site) in PROTECTED {
            let _ = writeln!(text, "  {set}: [{site}]");
        }
        text.push_str("baseline:\n  online:\n");
        table(&mut text, "    ", &self.baseline_online, |w| windows_word(w));
        self.baseline.write(&mut text, "  ", false);
        let _ = writeln!(text, "unknown_devices: {}", self.unknown_devices);
        text
    }
}

impl Words {
    fn write(&self, text: &mut String, indent: &str, terse: bool) {
        for ruled in ["allow", "ask", "with_staff", "block"] {
            let words: Vec<_> = self.said.iter().filter(|(_, r)| *r == ruled).map(|(w, _)| *w).collect();
            // A baseline that leaves out `allow` allows education.
            let _ = writeln!(text, "{indent}{ruled}: [{}]", words.join(", "));
        }
        if !terse {
            let _ = writeln!(text, "{indent}otherwise: {}", self.otherwise);
        }
    }
}

impl PersonPlan {
    fn text(&self) -> String {
        let id = self.id;
        let mut text = format!("person: {}{}\nfor: {}\n", id[..1].to_uppercase(), &id[1..], self.kind);
        let _ = writeln!(text, "devices: [{{name: phone, token: {id}-1}}]");
        if self.profile == "education_session" {
            text.push_str("profile: education_session\n");
            return text;
        }
        text.push_str("agreed:\n  risk_assessment: {ref: R, on: 2026-01-01}\n  review_by: 2029-01-01\n  young_person: {on: 2026-01-01, view: ok}\n  home_manager: {name: C, on: 2026-01-01}\n");
        if !self.draft {
            text.push_str("  social_worker: {name: A, authority: B, on: 2026-01-01}\n");
        }
        if !(self.terse && self.profile == "agreement") {
            let _ = writeln!(text, "profile: {}", self.profile);
        }
        text.push_str("online:\n");
        table(&mut text, "  ", &self.online, |w| windows_word(w));
        if !self.bedtime.is_empty() {
            text.push_str("bedtime:\n");
            table(&mut text, "  ", &self.bedtime, |at| clock(*at));
        }
        if !self.limits.is_empty() {
            text.push_str("limits:\n");
        }
        for (key, minutes) in &self.limits {
            let _ = writeln!(text, "  {key}:");
            table(&mut text, "    ", minutes, |m| format!("{m}m"));
        }
        self.words.write(&mut text, "", self.terse && self.words.otherwise == "allow");
        if !(self.terse && self.school_hours == "education_only") {
            let _ = writeln!(text, "school_hours: {}", self.school_hours);
        }
        if !self.safe_search.is_empty() {
            let _ = writeln!(text, "safe_search: {}", self.safe_search);
        }
        let _ = writeln!(text, "education_sites: [{}]", self.education_sites.join(", "));
        text
    }
}

fn table<T>(text: &mut String, indent: &str, table: &Table<T>, word: impl Fn(&T) -> String) {
    for (day, value) in table {
        let _ = writeln!(text, "{indent}{}: {}", day.word(), word(value));
    }
}

fn alex(r: &mut Random) -> PersonPlan {
    let kind = r.pick(&[
        "young person",
        "young person",
        "young person",
        "young person",
        "staff",
        "visitor",
        "device",
    ]);
    PersonPlan {
        id: "alex",
        kind,
        profile: if r.chance(15) { "email_only" } else { "agreement" },
        draft: kind == "young person" && r.chance(12),
        online: online(r),
        bedtime: if r.chance(70) { bedtime(r) } else { Vec::new() },
        limits: limits(r, 45),
        words: Words { said: said(r, 35), otherwise: r.pick(&["allow", "ask", "block"]) },
        school_hours: r.pick(&["education_only", "with_staff", "as_agreed", "offline"]),
        safe_search: r.pick(&["", "", "strict", "moderate", "off"]),
        education_sites: r.some(LEARNING, 40),
        terse: r.chance(50),
    }
}

/// Whose lessons the laptop is for, too.
fn sam(r: &mut Random) -> PersonPlan {
    let education_sites = vec!["samwork.example"];
    PersonPlan { id: "sam", kind: "young person", education_sites, ..alex(r) }
}

fn laptop() -> PersonPlan {
    PersonPlan {
        id: "lap",
        kind: "device",
        profile: "education_session",
        draft: false,
        online: Vec::new(),
        bedtime: Vec::new(),
        limits: Vec::new(),
        words: Words { said: Vec::new(), otherwise: "allow" },
        school_hours: "as_agreed",
        safe_search: "",
        education_sites: Vec::new(),
        terse: true,
    }
}

/// Words and what is said of them, a few twice: then the stricter holds.
fn said(r: &mut Random, percent: u64) -> Vec<(&'static str, &'static str)> {
    let mut said = Vec::new();
    for word in WORDS {
        let ruled = ["allow", "ask", "with_staff", "block", "block"];
        if r.chance(percent) {
            said.push((*word, r.pick(&ruled)));
            if r.chance(10) {
                said.push((*word, r.pick(&ruled)));
            }
        }
    }
    said
}

fn limits(r: &mut Random, percent: u64) -> Vec<(&'static str, Table<u16>)> {
    let keys = r.some(KEYS, percent);
    keys.into_iter()
        .map(|key| (key, days(r).into_iter().map(|day| (day, r.pick(&[15, 45, 60, 90, 240]))).collect()))
        .collect()
}

/// A baseline is never dark.
fn lit(mut table: Table<Vec<(Clock, Clock)>>) -> Table<Vec<(Clock, Clock)>> {
    if table.iter().all(|(_, windows)| windows.is_empty()) {
        table[0].1 = vec![(7 * 60, 21 * 60)];
    }
    table
}
