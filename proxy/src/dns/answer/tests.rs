//! What upstreams send, and what is made of it.

use super::*;
use crate::dns::wire::rtype as t;

fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|l| !l.is_empty()) {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn rr(owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [owner, &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

type Records = Vec<Vec<u8>>;

fn named(owner: &str, rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    rr(&name(owner), rtype, ttl, data)
}

fn soa(zone: &str, ttl: u32, minimum: u32) -> Vec<u8> {
    let numbers = [1, 2, 3, 4, minimum].map(u32::to_be_bytes).concat();
    named(zone, t::SOA, ttl, &[name("ns.test"), name("nobody.test"), numbers].concat())
}

/// A response to `www.test`; flags and code as given.
fn response(flags: u16, qtype: u16, answers: &[Vec<u8>], authority: &[Vec<u8>]) -> Vec<u8> {
    let mut message = vec![0x47, 0x11];
    message.extend(flags.to_be_bytes());
    for count in [1, answers.len(), authority.len(), 0] {
        message.extend(u16::try_from(count).unwrap().to_be_bytes());
    }
    message.extend(name("www.test"));
    message.extend(qtype.to_be_bytes());
    message.extend([0, 1]);
    message.extend(answers.concat());
    message.extend(authority.concat());
    message
}

fn asked() -> WireName {
    WireName::read(&name("www.test"), 0).unwrap().0
}

/// The owners and types of what was kept, as another engine reads it.
fn kept(answer: &Answer) -> Vec<String> {
    let message = domain::base::Message::from_octets(&answer.wire).unwrap();
    let sections = [message.answer().unwrap(), message.authority().unwrap()];
    let records = sections.into_iter().flatten().map(|r| r.unwrap());
    records.map(|r| format!("{} {} {}", r.owner(), r.ttl().as_secs(), r.rtype())).collect()
}

const A1: [u8; 4] = [192, 0, 2, 1];

#[test]
fn an_answer_has_so_many_addresses_and_no_more() {
    let many: Records = (0..200).map(|n| named("www.test", t::A, 60, &[192, 0, 2, n])).collect();
    let answer = clean(&response(0x8180, t::A, &many, &[]), &asked(), t::A, false).unwrap();
    assert_eq!((answer.addresses.len(), kept(&answer).len()), (MOST_ADDRESSES, MOST_ADDRESSES));
    let hint = |n: u8| [&[0, 1, 0, 0, 4, 0, 4 * 16][..], &[192, 0, 2, n].repeat(16)].concat();
    let many: Records = (0..9).map(|n| named("www.test", t::HTTPS, 60, &hint(n))).collect();
    let answer = clean(&response(0x8180, t::HTTPS, &many, &[]), &asked(), t::HTTPS, false).unwrap();
    assert_eq!((answer.hints.len(), kept(&answer).len()), (MOST_ADDRESSES, 2));
}

#[test]
fn only_the_questions_own_chain_is_kept() {
    let alias = |from: &str, to: &str| named(from, t::CNAME, 60, &name(to));
    let cases: &[(&str, Records, &[&str], &[&str])] = &[
        ("one_address", vec![named("www.test", t::A, 60, &A1)], &["www.test 60 A"], &[]),
        (
            "a_strangers_record_beside_it",
            vec![named("www.test", t::A, 60, &A1), named("bank.test", t::A, 60, &A1)],
            &["www.test 60 A"],
            &[],
        ),
        (
            "a_chain_in_any_order",
            vec![named("c.test", t::A, 60, &A1), alias("b.test", "c.test"), alias("www.test", "b.test")],
            &["c.test 60 A", "b.test 60 CNAME", "www.test 60 CNAME"],
            &["c.test", "b.test"],
        ),
        (
            "another_type",
            vec![named("www.test", t::A, 60, &A1), named("www.test", 16, 60, b"\x01x")],
            &["www.test 60 A"],
            &[],
        ),
        (
            "an_alias_of_nobody",
            vec![named("www.test", t::A, 60, &A1), alias("x.test", "evil.test")],
            &["www.test 60 A"],
            &[],
        ),
        (
            "signatures_nobody_asked_for",
            vec![named("www.test", t::A, 9, &A1), named("www.test", 46, 9, b"sig")],
            &["www.test 9 A"],
            &[],
        ),
        ("a_ttl_below_zero_is_zero", vec![named("www.test", t::A, 0x8000_0000, &A1)], &["www.test 0 A"], &[]),
    ];
    for (case, answers, expected, targets) in cases {
        let answer = clean(&response(0x8180, t::A, answers, &[]), &asked(), t::A, false).unwrap();
        assert_eq!(kept(&answer), *expected, "{case}");
        let mut led: Vec<_> = answer.targets.iter().map(Domain::as_str).collect();
        led.sort_unstable();
        let mut expected = targets.to_vec();
        expected.sort_unstable();
        assert_eq!(led, expected, "{case}");
    }
    assert_eq!(cases.len(), 7);
}

#[test]
fn what_is_no_answer() {
    let good = named("www.test", t::A, 60, &A1);
    let alias = |from: &str, to: &str| named(from, t::CNAME, 60, &name(to));
    let long: Vec<_> = std::iter::once(alias("www.test", "n0.test"))
        .chain((0..20).map(|i| alias(&format!("n{i}.test"), &format!("n{}.test", i + 1))))
        .collect();
    let mut other = response(0x8180, t::A, std::slice::from_ref(&good), &[]);
    other[13] = b'x';
    let mut promises = response(0x8180, t::A, std::slice::from_ref(&good), &[]);
    promises[7] = 9;
    let mut no_question = response(0x8180, t::A, &[], &[]);
    no_question[5] = 0;
    let cases: &[(&str, Vec<u8>, Unusable)] = &[
        ("a_query", response(0x0100, t::A, &[], &[]), Unusable::Malformed),
        ("another_opcode", response(0xA180, t::A, &[], &[]), Unusable::Malformed),
        ("nothing", Vec::new(), Unusable::Malformed),
        ("half_a_header", vec![0; 7], Unusable::Malformed),
        ("servfail", response(0x8182, t::A, &[], &[]), Unusable::Failed(2)),
        ("refused", response(0x8185, t::A, &[], &[]), Unusable::Failed(5)),
        ("truncated", response(0x8380, t::A, &[], &[]), Unusable::Truncated),
        ("another_name", other, Unusable::OtherQuestion),
        ("another_type", response(0x8180, t::AAAA, &[], &[]), Unusable::OtherQuestion),
        ("no_question", no_question, Unusable::OtherQuestion),
        ("more_records_promised", promises, Unusable::Malformed),
        (
            "address_of_three_bytes",
            response(0x8180, t::A, &[named("www.test", t::A, 60, &[1, 2, 3])], &[]),
            Unusable::Malformed,
        ),
        (
            "alias_to_itself",
            response(0x8180, t::A, &[alias("www.test", "www.test")], &[]),
            Unusable::Malformed,
        ),
        (
            "aliases_in_a_ring",
            response(0x8180, t::A, &[alias("www.test", "b.test"), alias("b.test", "www.test")], &[]),
            Unusable::Malformed,
        ),
        ("aliases_without_end", response(0x8180, t::A, &long, &[]), Unusable::Malformed),
        (
            "alias_with_bytes_after_it",
            response(0x8180, t::A, &[named("www.test", t::CNAME, 60, b"\x01a\x00x")], &[]),
            Unusable::Malformed,
        ),
    ];
    for (case, message, expected) in cases {
        assert_eq!(clean(message, &asked(), t::A, false).unwrap_err(), *expected, "{case}");
    }
    assert_eq!(cases.len(), 16);
}

#[test]
fn how_long_a_no_holds() {
    let cases: &[(&str, u16, Records, u32, bool)] = &[
        ("the_minimum_if_less", 0x8183, vec![soa("test", 900, 60)], 60, true),
        ("the_soas_own_ttl_if_less", 0x8183, vec![soa("test", 30, 900)], 30, true),
        ("no_data", 0x8180, vec![soa("test", 900, 60)], 60, true),
        ("a_foreign_zone_says_nothing", 0x8183, vec![soa("bank.test", 900, 60)], 5, true),
        ("no_soa", 0x8183, vec![], 5, true),
    ];
    for (case, flags, authority, ttl, negative) in cases {
        let answer = clean(&response(*flags, t::A, &[], authority), &asked(), t::A, false).unwrap();
        assert_eq!((answer.ttl, answer.negative), (*ttl, *negative), "{case}");
        assert!(kept(&answer).len() <= 1, "{case}");
    }
}

#[test]
fn names_in_data_are_written_out_of_the_old_message() {
    // Pointers to the question's name (12) and into it (16).
    let exchange = rr(&[0xC0, 12], 15, 60, &[0, 10, 2, b'm', b'x', 0xC0, 16]);
    let answer = clean(&response(0x8180, 15, &[exchange], &[]), &asked(), 15, false).unwrap();
    let message = domain::base::Message::from_octets(&answer.wire).unwrap();
    let records = message.answer().unwrap().limit_to::<domain::rdata::Mx<_>>();
    let exchanges: Vec<_> = records.map(|r| r.unwrap().data().exchange().to_string()).collect();
    assert_eq!(exchanges, ["mx.test"]);
    // A service record's name must not be compressed (RFC 2782), and is read even so.
    let service = rr(&[0xC0, 12], 33, 60, &[0, 1, 0, 2, 0, 80, 0xC0, 12]);
    let answer = clean(&response(0x8180, 33, &[service], &[]), &asked(), 33, false).unwrap();
    assert!(answer.wire.ends_with(&name("www.test")), "written out");
}

#[test]
fn a_service_record_that_cannot_be_read_goes_no_further() {
    let broken = named("www.test", t::HTTPS, 60, &[0, 1, 0, 0, 5, 0, 9, 1]);
    let answer = clean(&response(0x8180, t::HTTPS, &[broken], &[]), &asked(), t::HTTPS, false).unwrap();
    assert!(answer.negative && kept(&answer).is_empty());
}

#[test]
fn stripped_answers_are_vouched_for_by_nobody() {
    let ech = [&[0, 1, 0][..], &[0, 5, 0, 2, 7, 7]].concat();
    let plain = [0, 1, 0, 0, 1, 0, 3, 2, b'h', b'2'];
    for (data, authentic) in [(&ech[..], false), (&plain[..], true)] {
        let message = response(0x81A0, t::HTTPS, &[named("www.test", t::HTTPS, 60, data)], &[]);
        let answer = clean(&message, &asked(), t::HTTPS, true).unwrap();
        assert_eq!((answer.authentic, answer.stripped), (authentic, !authentic));
    }
}
