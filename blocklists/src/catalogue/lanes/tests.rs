//! Both ways to look at bytes say the same.

use super::*;

/// A small fixed generator (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

const PLAIN: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz0123456789-._";

fn plain(dice: &mut Dice, length: usize) -> Vec<u8> {
    (0..length).map(|_| PLAIN[dice.next() as usize % PLAIN.len()]).collect()
}

/// What the portable way says of a text, in numbers.
fn said<L: Lanes>(lanes: L, text: &[u8], mask: &[u8; WIDE]) -> Vec<u64> {
    let keys = [3, 1 << 31, 0xffff_ffff, 7, 0, 0x1234_5678, 0x8765_4321, 99];
    let mut all = Vec::new();
    for bytes in [lanes.last_of(text), lanes.first_of(text)] {
        for bytes in [bytes, lanes.keep(bytes, mask)] {
            all.extend([lanes.products(bytes, &keys), u64::from(lanes.others(bytes))]);
            all.extend([b'.', 0, b'a', 0xff].map(|value| u64::from(lanes.equal(bytes, value))));
            if lanes.others(bytes) == lanes.equal(bytes, 0) {
                all.extend(lanes.groups(bytes));
            }
        }
    }
    all
}

/// Work that compares this processor's way with the portable one.
struct Compare<'a> {
    text: &'a [u8],
    mask: &'a [u8; WIDE],
}

impl Work for Compare<'_> {
    type Output = ();

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) {
        let text = String::from_utf8_lossy(self.text);
        assert_eq!(said(lanes, self.text, self.mask), said(Portable, self.text, self.mask), "{text}");
        let Some(word) = self.text.first_chunk().map(|word| u64::from_le_bytes(*word)) else { return };
        if word.to_le_bytes().iter().all(|byte| is_plain(*byte)) {
            for lacking in 0..=8 {
                let word = word.checked_shl(lacking * 8).unwrap_or(0);
                assert_eq!(lanes.end(word), Portable.end(word), "{text}, {lacking} lacking");
            }
        }
        let words = [word, word.rotate_left(16)];
        for value in [0, b'.', 0x80, 0xff, word as u8, (word >> 24) as u8] {
            for other in [value, value ^ 0x80, (word >> 40) as u8] {
                assert_eq!(lanes.equal_two(words, value, other), Portable.equal_two(words, value, other));
            }
        }
    }
}

#[test]
fn both_ways_say_the_same_of_every_text() {
    let (help, mut dice) = (Help::of_this_processor(), Dice(0x1a9e5));
    for round in 0..20_000 {
        let length = round % 70;
        let mut text = plain(&mut dice, length);
        if round % 3 == 0 && length > 0 {
            text[dice.next() as usize % length] = dice.next() as u8;
        }
        let mask = std::array::from_fn(|at| if dice.next() >> (at % 60) & 3 == 0 { 0 } else { 0xff });
        work(help, Compare { text: &text, mask: &mask });
    }
    for byte in 0..=255 {
        work(help, Compare { text: &[byte; 40], mask: &[0xff; WIDE] });
    }
}

#[test]
fn nothing_outside_a_text_is_looked_at() {
    // The text ends, or begins, where its memory does: whoever reads beyond it reads what is not zero there.
    let mut dice = Dice(77);
    for length in 0..=WIDE {
        let text = plain(&mut dice, length).into_boxed_slice();
        let around = [b"zzzzzzzz".as_slice(), &text, b"zzzzzzzz"].concat();
        for text in [&*text, &around[8..8 + length]] {
            work(Help::of_this_processor(), Compare { text, mask: &[0xff; WIDE] });
            assert_eq!(Portable.last_of(text)[WIDE - length..], *text);
            assert!(Portable.last_of(text)[..WIDE - length].iter().all(|byte| *byte == 0));
            assert_eq!(Portable.first_of(text)[..length], *text);
        }
    }
}

#[test]
fn every_byte_of_a_name_has_a_symbol_of_its_own() {
    let mut symbols: Vec<u8> = PLAIN.iter().map(|byte| symbol(*byte)).collect();
    assert_eq!((u64::from(symbol(b'.')), symbol(0), symbol(b'A')), (DOT, 0, 0));
    symbols.sort_unstable();
    assert_eq!(symbols, (1..=39).collect::<Vec<u8>>());
    assert!((0..=255).all(|byte| is_plain(byte) == PLAIN.contains(&byte)));
}

#[test]
fn bytes_are_compared_exactly() {
    let mut dice = Dice(5);
    for _ in 0..10_000 {
        let word = dice.next() ^ 0x2e;
        // Some bytes made equal, and some next to equal.
        let words = [word, word << 16 | 0x2e2f];
        for value in [0, b'.', 0x80, 0xff, word as u8] {
            let bytes = words.iter().flat_map(|w| w.to_le_bytes()).enumerate();
            let bits = bytes.fold(0, |bits, (at, byte)| bits | u32::from(byte == value) << at);
            assert_eq!(equal(words, value), bits);
        }
    }
}
