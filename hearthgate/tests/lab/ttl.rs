//! How long answers may be kept: none beyond the moment at which it would be another one, by whatever way it was asked for.

use crate::lab::{Lab, ROUTER, Who, at};
use crate::promises::with_encrypted;

/// What is asked: a name and a type, and a word of the answer by which it is known to be the one that is meant.
const QUESTIONS: [(&str, &str, &str); 9] = [
    ("open.test", "A", "11.0.1.1"),
    ("open.test", "AAAA", "2d00:2::1"),
    ("modern.test", "HTTPS", "alpn=h2"),
    ("also.test", "A", "CNAME"),
    ("nothing.test", "A", "NXDOMAIN"),
    ("casino.test", "A", "EDE: 17"),
    ("casino.test", "AAAA", "EDE: 17"),
    ("helpline.test", "A", "11.0.1.3"),
    ("helpline.test", "AAAA", "2d00:2::3"),
];

/// Every way to ask at both of the router's addresses.
const WAYS: [&[&str]; 4] = [&["+notcp"], &["+tcp"], &["+tls"], &["+https", "-p", "8853"]];

/// The time that each record of an answer may be kept, in seconds.
fn times(answer: &str) -> Vec<f64> {
    let records = answer.lines().filter(|line| !line.starts_with(';'));
    records.filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect()
}

#[test]
fn the_ttl_of_every_answer_ends_by_the_boundary() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_encrypted());
    lab.held_before();
    lab.open("2026-11-21T20:50:00");
    for from in [Who::Jordan.four(), Who::Jordan.six()] {
        lab.wait_until_known(Who::Jordan, &from, "school.test");
    }
    lab.passes_until("2026-11-21T20:59:20");
    for server in [ROUTER.0, ROUTER.1].map(|at| format!("@{at}")) {
        for way in WAYS {
            for (name, kind, word) in QUESTIONS {
                let words = [&["+edns", "+time=3", "+retry=1"], way, &[&server, name, kind]].concat();
                let left = (at("2026-11-21T21:00:00") - lab.now()).as_seconds_f64();
                assert!(left > 0.0, "the preparations took too long");
                let answer = lab.of(Who::Jordan).says("kdig", &words);
                assert!(answer.contains(word), "{words:?}: {answer}");
                let times = times(&answer);
                assert!(!times.is_empty(), "{words:?}: {answer}");
                assert!(times.iter().all(|ttl| *ttl <= left), "{words:?}: {left} s are left: {answer}");
            }
        }
    }
    // And no element of the rules outlives it, save help's.
    let (left, rules) = (at("2026-11-21T21:00:00") - lab.now(), lab.command(&["router", "status"]));
    let to_site = |element: &&str| [" . 11.0.1.1 ", " . 2d00:2::1 "].iter().any(|to| element.contains(to));
    let times: Vec<&str> = rules
        .split(['{', ',', '}'])
        .filter(to_site)
        .filter_map(|element| element.split("expires ").nth(1)?.split_whitespace().next())
        .collect();
    assert!(times.len() >= 2, "{rules}");
    for time in times {
        assert!(seconds(time) <= left.as_seconds_f64(), "{time}, and {left} are left: {rules}");
    }
}

/// A time as nft writes it: `1h2m3s4ms`.
fn seconds(time: &str) -> f64 {
    let (mut all, mut number) = (0.0, String::new());
    let mut letters = time.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let worth = match (letter, letters.peek()) {
            ('d', _) => 86_400.0,
            ('h', _) => 3600.0,
            ('m', Some('s')) => 0.001,
            ('m', _) => 60.0,
            ('s', _) => 1.0,
            _ => panic!("{time}"),
        };
        if number.is_empty() {
            continue;
        }
        all += worth * std::mem::take(&mut number).parse::<f64>().unwrap();
    }
    all
}
