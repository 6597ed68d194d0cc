//! The hashes of suffixes, and what a place tells of a name.

use super::*;
use std::collections::{HashMap, HashSet};

fn suffixes(hasher: &Hasher, name: &str) -> Vec<Suffix> {
    let mut all = Vec::new();
    hasher.suffixes(name.as_bytes(), |suffix| all.push(suffix));
    if let Some(short) = Short::new(name.as_bytes()) {
        let lengths: Vec<u8> = short.lengths().map(|length| length as u8).collect();
        let two_labels = lengths.get(1..).filter(|lengths| (1..=4).contains(&lengths.len()));
        let found = |s: Suffixes| (0..=s.site).rev().map(|number| s.length(number) as u8).collect::<Vec<_>>();
        assert_eq!(short.suffixes().map(found), two_labels.map(<[u8]>::to_vec), "{name:?}");
        assert_eq!(short.top(), name.len() - all[0].start);
    }
    all
}

fn names() -> Vec<String> {
    let fixed = ["", ".", "a", "a.b", "www.bbc.co.uk", "..", ".a", "a.", "é.ü.example", "x.abcdefghi.y"];
    let mut names: Vec<String> = fixed.map(str::to_owned).into();
    // Every length around the edges of windows, with dots in every place.
    for length in 0..100 {
        for every in [2, 3, 7, 31, 33, 64] {
            let letter =
                |at: usize| if at % every == every - 1 { '.' } else { (b'a' + (at % 26) as u8) as char };
            names.push((0..length).map(letter).collect());
        }
    }
    names.push("abcdefgh.".repeat(40));
    names
}

#[test]
fn suffixes_are_cut_at_every_dot() {
    for name in names() {
        let mut expected: Vec<usize> = name.match_indices('.').map(|(at, _)| at + 1).rev().collect();
        expected.push(0);
        let got: Vec<usize> = suffixes(&Hasher::new(7), &name).iter().map(|s| s.start).collect();
        assert_eq!(got, expected, "{name:?}");
    }
}

#[test]
fn a_suffix_hashes_like_the_name_it_is() {
    let hasher = Hasher::new(0x5eed);
    let names = names();
    let mut seen = HashMap::new();
    for name in &names {
        for suffix in suffixes(&hasher, name) {
            let text = &name[suffix.start..];
            assert_eq!(suffix.hash, hasher.hash(text.as_bytes()), "{text} of {name}");
            assert_eq!(*seen.entry(suffix.hash).or_insert(text), text, "two names, one hash");
        }
    }
    assert!(seen.len() > 1_000);
}

#[test]
fn one_rest_and_two_beginnings_never_share_a_cell() {
    const BYTES: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
    for seed in 0..3 {
        let hasher = Hasher::new(seed);
        for (cells, bytes) in
            [(1, 0), ((1 << 18) - 1, 0), (1 << 18, 3), (300_007, 3), (1 << 24, 4), (20_000_003, 4)]
        {
            assert_eq!(told(cells), bytes);
            assert!(cells_to_tell(bytes) <= cells);
            let count = bytes;
            let mut seen = vec![false; cells as usize];
            for number in 0..BYTES.len().pow(count as u32) {
                let mut left = number;
                let mut name: Vec<u8> = Vec::new();
                for _ in 0..count {
                    name.push(BYTES[left % BYTES.len()]);
                    left /= BYTES.len();
                }
                name.extend_from_slice(b"e.example");
                let cell = ((u128::from(hasher.hash(&name)) * u128::from(cells)) >> 64) as u64;
                assert!(
                    !std::mem::replace(&mut seen[cell as usize], true),
                    "seed {seed}, {cells} cells: {}",
                    String::from_utf8_lossy(&name)
                );
            }
        }
    }
}

#[test]
fn what_deeper_labels_add_depends_on_nothing_else() {
    let hasher = Hasher::new(3);
    for labels in ["", "www.", "a.b.", "a-label-of-some-length.", "cdn.a-label-of-some-length."] {
        let mut added = HashSet::new();
        for (before_them, head) in
            [("", "x.y"), ("q.", "x.y"), ("long-enough.", "site.example"), ("a.", "co.uk")]
        {
            let name = format!("{before_them}{labels}{head}");
            let eight = before(name.as_bytes(), name.len() - head.len());
            added.insert(hasher.deeper(eight).of(labels.len() as u32));
        }
        assert_eq!(added.len(), 1, "{labels:?}");
        assert_eq!(added.contains(&0), labels.is_empty(), "{labels:?}");
    }
}

#[test]
fn numbered_names_spread() {
    for seed in 0..50 {
        let hasher = Hasher::new(seed);
        let mut crowds = [0; 200];
        for number in 0..1_000 {
            let hash = hasher.hash(format!("s{number:03}.numbered.example").as_bytes());
            crowds[((u128::from(hash) * 200) >> 64) as usize] += 1;
        }
        // Five on average; thirteen of a thousand random ones would be rare.
        assert!(crowds.iter().all(|crowd| *crowd < 20), "seed {seed}: {crowds:?}");
    }
}

#[test]
fn beginnings_that_are_short_are_beginnings_too() {
    let leads: HashSet<u64> = ["", "a", "aa", "aaa", "aaaa", "b", "a-", "a.", "a_", "-", "_", "."]
        .map(|text| lead(text.as_bytes(), 0))
        .into();
    assert_eq!(leads.len(), 12);
    assert!(is_plain(b"az09-_.") && !is_plain(b"A") && !is_plain(b"a\0") && !is_plain("é".as_bytes()));
}

#[test]
fn parts_are_the_bytes_wherever_they_stand() {
    let bytes = b"0123456789abcdef";
    for length in 0..=bytes.len() {
        for at in 0..=length {
            for count in 0..=(length - at).min(8) {
                assert_eq!(
                    part(&bytes[..length], at, count),
                    short(&bytes[..length], at, count),
                    "{length} {at} {count}"
                );
            }
        }
    }
}
