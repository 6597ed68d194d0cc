//! `sentences.txt`: what people are told. Plain, kind, and nothing of the address of a sealed site.

use crate::build::{at, judge, oakview, person, standing, with_request};
use agreements::PersonKind;

#[test]
fn sentences_are_those_of_the_table() {
    let house = oakview();
    let (mut checked, mut wrong) = (0, vec![]);
    for (number, line) in include_str!("../sentences.txt").lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [who, when, host, given, expected] = columns[..] else { panic!("line {}: {line}", number + 1) };
        let standing = standing(house, who, &when[..10], given);
        let (_, sentence) = judge(house, who, at(when), host, &standing);
        if sentence != expected {
            wrong
                .push(format!("sentences.txt:{}:\n  expected {expected}\n  got      {sentence}", number + 1));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 35, "only {checked} sentences were read");
}

/// What stands on a page, where others may read along.
#[test]
fn nobody_is_named_to_themself() {
    let house = oakview();
    let people = || house.people().map(|(_, person)| person).filter(|p| p.kind != PersonKind::Device);
    for line in include_str!("../sentences.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let (who, when, host) = (columns[0], at(columns[1]), columns[2]);
        let standing = standing(house, who, &columns[1][..10], columns[3]);
        let explained =
            with_request(host, |request| house.explain(person(house, who), when, request, &standing));
        for named in people().map(|p| p.name.as_str()) {
            let is_named = explained.to_you.split(|c: char| !c.is_alphabetic()).any(|word| word == named);
            assert!(!is_named, "{line}: {}", explained.to_you);
        }
        let grammar = ["you's", "You's", "you agreement", "Your can", "you has", "  "];
        assert!(!grammar.iter().any(|slip| explained.to_you.contains(slip)), "{line}: {}", explained.to_you);
        let by_name = explained.sentence == explained.to_you;
        assert!(
            by_name || explained.to_you.to_lowercase().contains("you") || who == "laptop",
            "{}",
            explained.to_you
        );
    }
}

#[test]
fn no_sentence_blames() {
    for word in ["guilty", "offend", "violat", "breach", "forbidden", "denied", "naughty", "punish", "caught"]
    {
        let told = include_str!("../sentences.txt").to_lowercase();
        assert!(!told.contains(word), "{word}");
    }
}
