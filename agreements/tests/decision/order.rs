//! `order.txt`: who asks for what, when, with which standing; what is decided, by which rule, and until when.

use crate::build::{at, judge, oakview, standing};
use agreements::Verdict;
use chrono_tz::Europe::London;

fn show(verdict: &Verdict) -> String {
    let until =
        verdict.until.map_or("-".into(), |t| t.with_timezone(&London).format("%Y-%m-%dT%H:%M").to_string());
    let rule = serde_json::to_value(verdict.rule).unwrap();
    format!("{} {} {until}", verdict.outcome.word(), rule.as_str().unwrap())
}

#[test]
fn every_case_of_the_order_is_decided_as_the_table_says() {
    let house = oakview();
    let (mut checked, mut wrong) = (0, vec![]);
    for (number, line) in include_str!("../order.txt").lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [case, who, when, host, given, expected] = columns[..] else {
            panic!("line {}: {line}", number + 1)
        };
        let standing = standing(house, who, &when[..10], given);
        let (verdict, _) = judge(house, who, at(when), host, &standing);
        let got = show(&verdict);
        if got != expected.split_whitespace().collect::<Vec<_>>().join(" ") {
            wrong.push(format!("order.txt:{}: {case}\n  expected {expected}\n  got      {got}", number + 1));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{} of {checked} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked >= 90, "only {checked} cases were read");
}
