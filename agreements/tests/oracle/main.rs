//! The decision against an independent oracle, for homes generated at random, at every minute of 2026 and 2027.
//!
//! The oracle was written from the language's page alone. It shares no code with the room: civil time is jiff's, days are
//! looked up entry by entry, and a verdict is a chain of questions. Both sides meet in YAML text only.

// In a test a panic is the answer.
#![allow(clippy::unwrap_used)]

mod generate;
mod oracle;

use agreements::{Host, House, Outcome, PersonId, Request, Standing, read};
use blocklists::{Category, Name, Tags};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use generate::{Plan, Random};
use oracle::{Expected, Oracle};

/// What is asked of both: a host, and what the catalogue says of it.
pub(crate) const QUESTIONS: &[(&str, Option<Category>)] = &[
    ("plain.example", None),
    ("helpline.example", Some(Category::SUPPORT)),
    ("mail.example", Some(Category::PRIVATE_MAIL)),
    ("learn.example", Some(Category::EDUCATION)),
    ("homework.example", None),
    ("fonts.example", Some(Category::INFRASTRUCTURE)),
    ("floor.example", Some(Category::PORNOGRAPHY)),
    ("shut.example", None),
    ("open.shut.example", None),
    ("maybe.example", None),
    ("sealed.example", Some(Category::ILLEGAL)),
];

fn request(index: usize) -> Request<'static> {
    let (host, category) = QUESTIONS[index];
    let tags = category.map_or(Tags::NONE, Tags::category);
    Request { host: Host::Name(Name::trusted(host)), tags, path: None }
}

fn house(plan: &Plan) -> (House, PersonId) {
    let reading = read(&plan.files(), NaiveDate::from_ymd_opt(2026, 1, 1).unwrap());
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "seed {}: {errors:#?}\n{:#?}", plan.seed, plan.files());
    let who = reading.house.person("alex").expect("the generated home has Alex");
    (reading.house, who)
}

fn outcome(expected: Expected) -> (Outcome, &'static str) {
    match expected {
        Expected::Allow(rule) => (Outcome::Allow, rule),
        Expected::Ask(rule) => (Outcome::Ask, rule),
        Expected::WithStaff(rule) => (Outcome::WithStaff, rule),
        Expected::Block(rule) => (Outcome::Block, rule),
    }
}

fn rule_word(rule: agreements::Rule) -> String {
    serde_json::to_value(rule).unwrap().as_str().unwrap().to_owned()
}

/// Checks one home at every `step` minutes from `from`: how many verdicts agreed.
fn check(plan: &Plan, from: &str, minutes: i64, step: usize) -> u64 {
    let (house, who) = house(plan);
    let oracle = Oracle::new(plan);
    let standing = Standing::new(&house, &[], &[], &|_, _| 0);
    let start: DateTime<Utc> = from.parse().unwrap();
    let mut promised: Vec<Option<(DateTime<Utc>, Outcome, String)>> = vec![None; QUESTIONS.len()];
    let mut checked = 0;
    for minute in (0..minutes).step_by(step) {
        let at = start + Duration::minutes(minute);
        let time = oracle.time(at.timestamp());
        for index in 0..QUESTIONS.len() {
            let verdict = house.judge(who, at, &request(index), &standing);
            let got = (verdict.outcome, rule_word(verdict.rule));
            let (outcome, rule) = outcome(oracle.expect(&time, index));
            let host = QUESTIONS[index].0;
            assert_eq!(
                got,
                (outcome, rule.to_owned()),
                "seed {} at {at}: {host}\n{:#?}",
                plan.seed,
                plan.files()
            );
            // What was promised earlier must have held until now.
            if let Some((until, outcome, rule)) = &promised[index] {
                assert!(
                    at >= *until || (got.0, &got.1) == (*outcome, rule),
                    "seed {}: {host} changed at {at}, promised until {until}",
                    plan.seed
                );
            }
            promised[index] = verdict.until.map(|until| (until, got.0, got.1));
            if let Some(until) = verdict.until {
                assert!(until > at, "seed {}: {host} at {at} promises the past", plan.seed);
            }
            checked += 1;
        }
    }
    checked
}

const TWO_YEARS: i64 = 730 * 24 * 60;

/// Every minute of both years.
#[test]
fn every_minute_of_two_years() {
    let checked: u64 =
        [1, 2].map(|seed| check(&Plan::generate(seed), "2026-01-01T00:00:00Z", TWO_YEARS, 1)).iter().sum();
    assert_eq!(checked, 2 * TWO_YEARS as u64 * QUESTIONS.len() as u64);
}

/// Minutes drawn from both years, for many homes; the step shares no factor with a day.
#[test]
fn many_homes() {
    let mut checked = 0;
    for seed in 100..220 {
        checked += check(&Plan::generate(seed), "2026-01-01T00:00:00Z", TWO_YEARS, 337);
    }
    assert_eq!(checked, 120 * (TWO_YEARS as u64).div_ceil(337) * QUESTIONS.len() as u64);
}

/// Each minute of the days on which the clocks change, for many homes.
#[test]
fn clock_changes() {
    for seed in 300..320 {
        let plan = Plan::generate(seed);
        for day in ["2026-03-28", "2026-10-24", "2027-03-27", "2027-10-30"] {
            check(&plan, &format!("{day}T12:00:00Z"), 36 * 60, 1);
        }
    }
}

#[test]
fn the_generator_reaches_what_it_should() {
    let mut random = Random::new(1);
    let text: Vec<String> = (0..200).map(|_| Plan::generate(random.next()).files()[0].1.clone()).collect();
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
    ] {
        assert!(text.iter().any(|t| t.contains(word)), "no generated agreement has {word}");
    }
}
