//! The catalogue from damaged, crafted and foreign files.

use super::super::fuzz::{open_bytes, with_good_sums};
use super::*;

fn file_of(catalogue: &Catalogue) -> Vec<u8> {
    catalogue.memory.bytes().to_vec()
}

fn sample() -> Catalogue {
    let mut compiler = Compiler::with_seed(11);
    let names: String = (0..500).map(|n| format!("site{n}.example\n")).collect();
    compiler.add(ListInput::new("a", category("games"), names.as_bytes())).unwrap();
    let sealed =
        ListInput { sealed: true, ..ListInput::new("s", Tags::category(Category::ILLEGAL), b"s.test\n") };
    compiler.add(sealed).unwrap();
    compiler.finish(5).unwrap()
}

#[test]
fn a_damaged_file_is_refused_and_never_panics() {
    let good = file_of(&sample());
    let layout = Layout::read(&good).unwrap();
    // Cut at, before and after the beginning and end of every section.
    let mut cuts = vec![0, 1, 8, 15, 16, 64, HEADER - 1, HEADER];
    for section in Section::ALL {
        let range = layout.range(section);
        cuts.extend([range.start, range.start + 1, range.end.saturating_sub(1), range.end]);
    }
    for cut in cuts.into_iter().filter(|cut| *cut < good.len()) {
        let error = open_bytes(&good[..cut / 64 * 64]).expect_err("a cut file");
        assert!(matches!(error, OpenError::NotACatalogue | OpenError::Truncated { .. }), "{cut}: {error}");
    }
    // A flipped bit anywhere is noticed, or lies in the padding between sections and changes nothing.
    let mut noticed = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        let covered = at < HEADER || Section::ALL.iter().any(|s| layout.range(*s).contains(&at));
        let opened = open_bytes(&bad);
        assert_eq!(opened.is_err(), covered, "byte {at}");
        noticed += usize::from(covered);
    }
    assert!(noticed > good.len() / 2);
}

const HEADER: usize = super::file::HEADER;

#[test]
fn a_crafted_file_with_good_checksums_never_panics() {
    let good = file_of(&sample());
    let mut dice = Dice(4242);
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bad = good.clone();
        for _ in 0..1 + dice.roll(4) {
            let at = 16 + dice.roll(bad.len() - 16);
            bad[at] = dice.roll(256) as u8;
        }
        match open_bytes(&with_good_sums(bad)) {
            Ok(catalogue) => {
                for name in
                    ["site1.example", "www.site499.example", "s.test", "a.b.c.d.e.f.g.h.i.j.example", ""]
                {
                    let _any_answer = ask(&catalogue, name);
                }
                opened += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(opened > 1_000 && refused > 100, "{opened} opened, {refused} refused: the test should see both");
}

#[test]
fn another_version_says_which() {
    let mut other = file_of(&sample());
    other[8] = 9;
    let error = open_bytes(&other).expect_err("another version").to_string();
    assert_eq!(error, "the catalogue has version 9, this program reads version 5: compile the lists again");
}

#[test]
fn words_of_another_build_are_translated() {
    let good = file_of(&sample());
    let layout = Layout::read(&good).unwrap();
    // A build that called `games` something else: the word is unknown here and its tag is dropped.
    let mut bytes = good.clone();
    let words = layout.range(Section::Words);
    let at = words.start + bytes[words].windows(7).position(|w| w == b"\ngames\n").unwrap() + 1;
    bytes[at..at + 5].copy_from_slice(b"pasta");
    let catalogue = open_bytes(&with_good_sums(bytes)).unwrap();
    assert_eq!(ask(&catalogue, "site1.example"), Tags::NONE);
    assert_eq!(ask(&catalogue, "s.test"), Tags::category(Category::ILLEGAL));
    // A build whose table had two words the other way round: the bits follow the words.
    let text = String::from_utf8(good[layout.range(Section::Words)].to_vec()).unwrap();
    let swapped = text.replacen("illegal\n", "games\n", 1).replacen("\ngames\ns", "\nillegal\ns", 1);
    if swapped.len() == text.len() {
        let mut bytes = good.clone();
        bytes[layout.range(Section::Words)].copy_from_slice(swapped.as_bytes());
        let catalogue = open_bytes(&with_good_sums(bytes)).unwrap();
        assert_eq!(ask(&catalogue, "site1.example"), Tags::category(Category::ILLEGAL));
        assert_eq!(ask(&catalogue, "s.test"), category("games"));
    }
}
