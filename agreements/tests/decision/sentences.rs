//! `sentences.txt`: what people are told. Plain, kind, and nothing of the address of a sealed site.

use crate::build::{at, judge, oakview, standing};

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

#[test]
fn no_sentence_blames() {
    for word in ["guilty", "offend", "violat", "breach", "forbidden", "denied", "naughty", "punish", "caught"]
    {
        let told = include_str!("../sentences.txt").to_lowercase();
        assert!(!told.contains(word), "{word}");
    }
}
