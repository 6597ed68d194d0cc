//! Whatever the bytes are, nothing panics, and what comes out can be read.

use crate::ask::Question;
use crate::internet::wire;
use proptest::prelude::*;
use proxy::dns::fuzz;

/// A response to `www.test A` with records that nearly make sense.
fn response() -> impl Strategy<Value = Vec<u8>> {
    let owner = prop_oneof![
        Just(wire("www.test")),
        Just(vec![0xC0, 0x0C]),
        Just(wire("other.test")),
        Just(vec![0xC0, 0x10]),
        proptest::collection::vec(any::<u8>(), 1..6),
    ];
    let rtype = prop_oneof![
        Just(1u16),
        Just(2),
        Just(5),
        Just(6),
        Just(15),
        Just(16),
        Just(28),
        Just(33),
        Just(35),
        Just(39),
        Just(46),
        Just(64),
        Just(65),
        any::<u16>(),
    ];
    let data = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        Just(wire("target.test")),
        Just(vec![0xC0, 0x0C]),
        Just([&[0, 1][..], &wire("svc.test"), &[0, 5, 0, 2, 1, 2]].concat()),
    ];
    let record = (owner, rtype, any::<u32>(), data).prop_map(|(owner, rtype, ttl, data)| {
        let length = (data.len() as u16).to_be_bytes();
        [&owner[..], &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, &data].concat()
    });
    let records = proptest::collection::vec(record, 0..6);
    let qtype = prop_oneof![Just(1u16), Just(28), Just(65), Just(5), Just(255)];
    (records, qtype, any::<u8>(), 0u8..4).prop_map(|(records, qtype, code, authority)| {
        let authority = usize::from(authority).min(records.len());
        let answers = (records.len() - authority) as u8;
        let header = [0x47, 0x11, 0x81, 0x80 | (code & 0x03), 0, 1, 0, answers, 0, authority as u8, 0, 0];
        [&header[..], &wire("www.test"), &qtype.to_be_bytes(), &[0, 1], &records.concat()].concat()
    })
}

/// A question with some of its bytes changed.
fn query() -> impl Strategy<Value = Vec<u8>> {
    let whole = Question::read("www.test A +do").with_option(8, &[0, 1, 24, 0, 192, 0, 2]).bytes();
    let changes = proptest::collection::vec((0..whole.len(), any::<u8>()), 0..5);
    (changes, 0..=whole.len()).prop_map(move |(changes, length)| {
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(length);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz(&bytes);
    }

    #[test]
    fn changed_questions(bytes in query()) {
        fuzz(&bytes);
    }

    #[test]
    fn changed_answers(bytes in response()) {
        fuzz(&bytes);
    }
}
