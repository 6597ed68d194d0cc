//! The decision against an independent oracle, for homes generated at random.
//!
//! The oracle was written from the language's page alone. It shares no code with the room: civil time is jiff's, days are
//! looked up entry by entry, words are compared as text, and a verdict is a chain of questions. Both sides meet in YAML
//! text, in what staff decided, and in what the catalogue says of a host.

// In a test a panic is the answer.
#![allow(clippy::unwrap_used)]

mod days;
mod oracle;
mod plan;
mod questions;
mod random;
mod shift;
mod times;

use agreements::{Host, House, Moment, PersonId, Record, Request, Rule, Severity, Standing, Verdict, read};
use blocklists::{Category, Name, Service, Tags};
use chrono::{DateTime, NaiveDate, Utc};
use oracle::{Expected, Oracle, PEOPLE};
use plan::Plan;
use questions::{QUESTIONS, Question, SERVICES, WORDS};
use random::Random;
use shift::{Shift, instant};
use std::collections::BTreeSet;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const TWO_YEARS: i64 = 730 * DAY;

fn start() -> i64 {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp()
}

fn request(question: &'static Question) -> Request<'static> {
    let host = match question.host.parse() {
        Ok(address) => Host::Address(address),
        Err(_) => Host::Name(Name::trusted(question.host)),
    };
    let tag = |word: &str| match SERVICES.contains(&word) {
        true => Tags::service(Service::from_word(word).unwrap()),
        false => Tags::category(Category::from_word(word).unwrap()),
    };
    let tags = question.tags.iter().fold(Tags::NONE, |tags, word| tags.union(tag(word)));
    Request { host, tags, path: question.path }
}

fn rule_word(rule: Rule) -> &'static str {
    match rule {
        Rule::Sealed => "sealed",
        Rule::Protected => "protected",
        Rule::Restriction => "restriction",
        Rule::Floor => "floor",
        Rule::Grant => "grant",
        Rule::Online => "online",
        Rule::PrivateMail => "private_mail",
        Rule::SchoolHours => "school_hours",
        Rule::Limit => "limit",
        Rule::Site => "site",
        Rule::Service => "service",
        Rule::Category => "category",
        Rule::Otherwise => "otherwise",
        Rule::Baseline => "baseline",
        Rule::EducationSession => "education_session",
        Rule::EmailOnly => "email_only",
    }
}

fn house(plan: &Plan) -> House {
    let reading = read(&plan.files(), NaiveDate::from_ymd_opt(2026, 1, 1).unwrap());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "seed {}: {errors:#?}\n{:#?}", plan.seed, plan.files());
    reading.house
}

/// What was promised of a question.
type Promise = Option<(DateTime<Utc>, &'static str, &'static str)>;

/// A home on both sides.
struct Court<'p> {
    plan: &'p Plan,
    oracle: Oracle<'p>,
    house: House,
    people: [PersonId; 4],
    requests: Vec<Request<'static>>,
    shift: Shift,
    standing: Standing,
    /// A person's moment, kept for as long as it holds: that is how a gateway decides.
    kept: [Option<Moment>; 4],
    promised: Vec<[Promise; 4]>,
    random: Random,
    checked: u64,
    by_tags: u64,
    told: std::collections::BTreeMap<(&'static str, &'static str), u64>,
}

impl<'p> Court<'p> {
    fn new(plan: &'p Plan) -> Self {
        let house = house(plan);
        let people = PEOPLE.map(|id| house.person(id).unwrap_or(House::NOBODY));
        Self {
            plan,
            oracle: Oracle::new(plan),
            people,
            requests: QUESTIONS.iter().map(request).collect(),
            shift: Shift::default(),
            standing: Standing::default(),
            house,
            kept: [const { None }; 4],
            promised: vec![[None; 4]; QUESTIONS.len()],
            random: Random::new(plan.seed),
            checked: 0,
            by_tags: 0,
            told: std::collections::BTreeMap::new(),
        }
    }

    /// Staff decide anew: what was promised under other grants no longer binds.
    fn shift(&mut self, from: i64, until: i64, much: u64) {
        self.shift = Shift::generate(&mut self.random, self.plan, from, until, much);
        self.standing = self.shift.standing(&self.house);
        self.kept = [const { None }; 4];
        self.promised = vec![[None; 4]; QUESTIONS.len()];
    }

    /// Asks both sides.
    fn ask(&mut self, who: usize, at: i64, question: usize) {
        let (person, now) = (self.people[who], instant(at));
        if !self.kept[who].as_ref().is_some_and(|moment| moment.holds(now)) {
            self.kept[who] = Some(self.house.moment(person, now, &self.standing));
        }
        let moment = self.kept[who].as_ref().unwrap();
        let verdict = self.house.judge_in(moment, &self.requests[question]);
        self.compare(who, at, question, &verdict);
        if self.checked.is_multiple_of(16) {
            let fresh = self.house.judge(person, now, &self.requests[question], &self.standing);
            self.compare(who, at, question, &fresh);
            self.ask_by_tags(person, now, question);
        }
    }

    /// What goes by its tags is said of every other name with them, too. While staff have opened something, little does.
    fn ask_by_tags(&mut self, person: PersonId, now: DateTime<Utc>, question: usize) {
        let moment = self.house.moment(person, now, &Standing::default());
        let request = &self.requests[question];
        if self.house.goes_by_tags(&moment, request) {
            let host = Host::Name(Name::trusted("nobody.mentions.this.example"));
            let [this, other] =
                [host, request.host].map(|host| self.house.judge_in(&moment, &Request { host, ..*request }));
            assert_eq!(this, other, "{:?} goes by its tags", QUESTIONS[question]);
            self.by_tags += 1;
        }
    }

    fn compare(&mut self, who: usize, at: i64, question: usize, verdict: &Verdict) {
        let expected = self.oracle.expect(&self.shift, who, at, question);
        let (outcome, rule) = (verdict.outcome.word(), rule_word(verdict.rule));
        let case = || {
            let plan = self.plan;
            let (id, now, host) = (PEOPLE[who], instant(at), &QUESTIONS[question]);
            format!("seed {}: {id} at {now}: {host:?}\n{:#?}\n{:#?}", plan.seed, plan.files(), self.shift)
        };
        let severity = match verdict.severity {
            Severity::Technical => "technical",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        };
        let record = match verdict.record {
            Record::Nothing => "nothing",
            Record::Total => "total",
            Record::Episode => "episode",
        };
        let got = Expected { outcome, rule, counts: verdict.counts.0, severity, record };
        assert_eq!(got, expected, "{}", case());
        // What was promised earlier must have held until now.
        if let Some((until, outcome, rule)) = self.promised[question][who] {
            let holds = instant(at) >= until || (outcome, rule) == (got.outcome, got.rule);
            assert!(holds, "promised {outcome} {rule} until {until}: {}", case());
        }
        // A kept moment's promise may be of the past, but not of before it was made.
        self.promised[question][who] = verdict.until.map(|until| (until, outcome, rule));
        self.checked += 1;
        *self.told.entry((PEOPLE[who], rule)).or_default() += 1;
    }

    /// Asks some questions at an instant, turning through all of them.
    fn ask_some(&mut self, who: usize, at: i64, many: usize) {
        for _ in 0..many {
            let question = self.random.below(QUESTIONS.len() as u64) as usize;
            self.ask(who, at, question);
        }
    }
}

/// Every minute of both years, in homes that have everything: each week with another shift. The seed of a third one can be
/// given, to look where nobody has looked yet.
#[test]
fn every_minute_of_two_years() {
    let given = std::env::var("HEARTHGATE_ORACLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let rules: BTreeSet<&str> = [1, 2, given.unwrap_or(3)].into_iter().flat_map(two_years).collect();
    let but_mail: Vec<_> = rules.iter().filter(|rule| **rule != "email_only").collect();
    assert_eq!(but_mail.len(), 15, "every rule but e-mail only has spoken: {rules:?}");
}

/// The rules that have spoken.
fn two_years(seed: u64) -> BTreeSet<&'static str> {
    let plan = Plan::rich(seed);
    let mut court = Court::new(&plan);
    for week in (start()..start() + TWO_YEARS).step_by(7 * DAY as usize) {
        let ends = (week + 7 * DAY).min(start() + TWO_YEARS);
        court.shift(week, ends, 6);
        for at in (week..ends).step_by(MINUTE as usize) {
            court.ask_some(0, at, 2);
            let other = court.random.below(8) as usize;
            if (1..4).contains(&other) {
                court.ask_some(other, at, 1);
            }
        }
    }
    assert!(court.checked > 2 * (TWO_YEARS / MINUTE) as u64, "{}", court.checked);
    court.told.keys().map(|(_, rule)| *rule).collect()
}

/// For many homes: minutes drawn from both years, and each instant at which anything could change, with the minute before
/// and the minute after.
#[test]
fn many_homes() {
    let (mut checked, mut by_tags) = (0, 0);
    for seed in 100..200 {
        let plan = Plan::generate(seed);
        let mut court = Court::new(&plan);
        let turns = [0, 1, 2, 3].map(|who| court.oracle.turns(who));
        // A few weeks of the two years for each home, another part for each.
        let from = start() + (seed as i64 - 100) * 7 * DAY;
        for week in (0..3).map(|week| from + week * 7 * DAY) {
            court.shift(week, week + 7 * DAY, 8);
            for (who, turns) in turns.iter().enumerate() {
                let mut times: Vec<i64> = turns.iter().copied().chain(court.shift.turns()).collect();
                times = times.iter().flat_map(|t| [t - MINUTE, t - 1, *t, t + MINUTE]).collect();
                times.extend((0..60).map(|_| week + court.random.below(7 * DAY as u64) as i64));
                times.retain(|t| (week..week + 7 * DAY).contains(t));
                times.sort_unstable();
                for at in times {
                    court.ask_some(who, at, 6);
                }
            }
        }
        checked += court.checked;
        by_tags += court.by_tags;
    }
    assert!(checked > 1_500_000 && by_tags > 300, "{checked}, {by_tags} of them by their tags");
}

/// Each minute of the days on which the clocks change, for many homes.
#[test]
fn clock_changes() {
    for seed in 300..312 {
        let plan = Plan::generate(seed);
        let mut court = Court::new(&plan);
        for day in ["2026-03-28", "2026-10-24", "2027-03-27", "2027-10-30"] {
            let noon = format!("{day}T12:00:00Z").parse::<DateTime<Utc>>().unwrap().timestamp();
            court.shift(noon, noon + 36 * 60 * MINUTE, 4);
            for at in (noon..noon + 36 * 60 * MINUTE).step_by(MINUTE as usize) {
                court.ask_some(0, at, 3);
                court.ask_some(at as usize / 60 % 3 + 1, at, 1);
            }
        }
    }
}

#[test]
fn the_generator_reaches_what_it_should() {
    let homes: Vec<String> = (0..200)
        .map(|seed| Plan::generate(seed).files().into_iter().map(|(_, text)| text).collect::<String>())
        .collect();
    for word in [
        "bedtime",
        "school_nights",
        "..",
        "never",
        "all_day",
        "with_staff",
        "offline",
        "as_agreed",
        "otherwise: block",
        "00:30",
        "01:30",
        "email_only",
        "education_session",
        "for: staff",
        "for: visitor",
        "unknown_devices: block",
        "day_starts: 01:30",
    ]
    .iter()
    .chain(WORDS)
    {
        assert!(homes.iter().any(|t| t.contains(word)), "no generated home has {word}");
    }
    assert!(homes.iter().any(|t| t.matches("  social_worker").count() < 2), "no draft");
}
