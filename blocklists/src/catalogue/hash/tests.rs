//! The hashes of names, and what a place tells of them.

use super::*;
use crate::catalogue::lanes::is_plain;
use std::collections::{HashMap, HashSet};

fn names() -> Vec<String> {
    let fixed = ["", ".", "a", "a.b", "www.bbc.co.uk", "..", ".a", "a.", "x.abcdefghi.y"];
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
fn suffixes_begin_behind_every_dot() {
    for name in names() {
        let mut expected: Vec<usize> = name.match_indices('.').map(|(at, _)| at + 1).rev().collect();
        expected.push(0);
        assert_eq!(starts(name.as_bytes()).collect::<Vec<_>>(), expected, "{name:?}");
    }
}

#[test]
fn two_names_have_two_hashes_with_and_without_help() {
    let hasher = Hasher::new(0x5eed);
    let mut plain = hasher;
    plain.help = None;
    let (names, mut seen) = (names(), HashMap::new());
    for name in &names {
        for text in starts(name.as_bytes()).map(|start| &name[start..]) {
            let hash = hasher.hash(text.as_bytes());
            assert_eq!(hash, plain.hash(text.as_bytes()), "{text}");
            assert_eq!(*seen.entry(hash).or_insert(text), text, "two names, one hash");
        }
    }
    assert!(seen.len() > 1_000);
}

/// The hash of a name's head by what is seen of the whole name.
struct Head<'a> {
    hasher: &'a Hasher,
    name: &'a [u8],
    length: usize,
}

impl Work for Head<'_> {
    type Output = u64;

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) -> u64 {
        let bytes = lanes.last_of(self.name);
        let behind = lanes.equal(bytes, b'.').leading_zeros() as usize + 1;
        self.hasher.head(lanes, bytes, self.name, self.length, behind)
    }
}

#[test]
fn the_head_of_a_name_hashes_like_the_name_it_is() {
    let hasher = Hasher::new(0x5eed);
    let mut checked = 0;
    for name in names().iter().map(String::as_bytes) {
        // As it is asked: heads with a dot, in the last 32 bytes.
        for start in starts(name).skip(1).filter(|start| name.len() - start <= WIDE) {
            let length = name.len() - start;
            for help in [hasher.help(), None] {
                let hash = work(help, Head { hasher: &hasher, name, length });
                assert_eq!(hash, hasher.hash(&name[start..]), "{}", String::from_utf8_lossy(&name[start..]));
                checked += 1;
            }
        }
    }
    assert!(checked > 1_000);
}

#[test]
fn one_rest_and_two_ends_never_share_a_cell() {
    const BYTES: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
    let four: Vec<u32> = {
        let all = (0..BYTES.len().pow(4)).map(|number| {
            let letter = |place: u32| BYTES[number / BYTES.len().pow(place) % BYTES.len()];
            let word = u64::from_le_bytes([0, 0, 0, 0, letter(0), letter(1), letter(2), letter(3)]);
            Portable.end(word).0
        });
        all.collect()
    };
    assert_eq!(four.iter().collect::<HashSet<_>>().len(), four.len());
    let cell = |hash: u64, cells: u64| ((u128::from(hash) * u128::from(cells)) >> 64) as usize;
    for seed in 0..2 {
        let hasher = Hasher::new(seed);
        for state in [0, u64::MAX, 0x0123_4567_89ab_cdef] {
            // Where the fifth is in the record, it is the same.
            for cells in [cells_to_tell(4), 5_000_017] {
                for fifth in [0, 7, 39] {
                    let mut seen = vec![false; cells as usize];
                    for four in &four {
                        let cell = cell(hasher.finish(state, (*four, fifth)), cells);
                        assert!(!std::mem::replace(&mut seen[cell], true), "{four} {fifth} of {cells}");
                    }
                }
            }
        }
        // All that are told: too many to try, so some neighbours of each in the order of their places.
        let mut places: Vec<u64> = Vec::new();
        for four in four.iter().step_by(17) {
            places.extend((0..40).map(|fifth| hasher.finish(5, (*four, fifth))));
        }
        places.sort_unstable();
        let cells = cells_to_tell(5);
        assert!(places.windows(2).all(|two| cell(two[0], cells) != cell(two[1], cells)));
    }
    for (cells, bytes) in [(1, 0), (1 << 22, 0), (cells_to_tell(4), 4), (40 << 22, 4), (cells_to_tell(5), 5)]
    {
        assert_eq!(told(cells), bytes, "{cells}");
        assert!(cells_to_tell(bytes) <= cells);
    }
}

#[test]
fn numbered_names_spread() {
    for seed in 0..50 {
        let hasher = Hasher::new(seed);
        for name in [
            |n| format!("s{n:03}.numbered.example"),
            |n| format!("numbered{n:03}.example"),
            |n| format!("{n}.test"),
        ] {
            let mut crowds = [0; 200];
            for number in 0..1_000 {
                let hash = hasher.hash(name(number).as_bytes());
                crowds[((u128::from(hash) * 200) >> 64) as usize] += 1;
            }
            // Five on average; thirteen of a thousand random ones would be rare.
            assert!(crowds.iter().all(|crowd| *crowd < 20), "seed {seed}: {crowds:?}");
        }
    }
}

#[test]
fn ends_that_are_short_are_ends_too() {
    let ends = ["", "a", "aa", "aaa", "aaaa", "aaaaa", "b", "a-", "-a", "a_", "_a", "-", "_", "a.a"];
    let ends: HashSet<(u32, u32)> = ends.map(|text| Portable.end(before(text.as_bytes(), text.len()))).into();
    assert_eq!(ends.len(), 14);
    assert!(is_plain(b'_') && !is_plain(b'A'));
}

#[test]
fn the_bytes_before_a_place_are_those_wherever_it_is() {
    let bytes = b"0123456789abcdef";
    for length in 0..=bytes.len() {
        for end in 0..=length {
            let padded = [[0; 8].as_slice(), &bytes[..end]].concat();
            let last = u64::from_le_bytes(*padded.last_chunk().unwrap());
            assert_eq!(before(&bytes[..length], end), last, "{length} {end}");
        }
    }
}
