//! Packets that are no question, or a strange one, and what each gets.

use crate::ask::{PATIENCE, Question, connect, ede, has_opt, said, tcp_hear, tcp_send, udp_raw};
use crate::home::{Home, JORDAN, Setup};
use crate::internet::Server;
use crate::judged::ZONE;
use agreements::DeviceBy;
use domain::base::Message;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Header (identifier 4711), then the rest in hex; white space is for the eye. `www.test A IN` is `Q`.
fn packet(text: &str) -> Vec<u8> {
    let text = text.replace('Q', "03777777 04746573 7400 0001 0001");
    let hex: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

/// Case, packet, what it gets; `-` is no answer.
const PACKETS: &[(&str, &str, &str)] = &[
    ("empty", "", "-"),
    ("one_byte", "47", "-"),
    ("half_a_header", "4711 0100 0001", "-"),
    ("a_response", "4711 8180 0001 0000 0000 0000 Q", "-"),
    ("a_response_with_nothing", "4711 8000 0000 0000 0000 0000", "-"),
    ("header_alone", "4711 0100 0000 0000 0000 0000", "FORMERR"),
    ("header_that_promises", "4711 0100 0001 0000 0000 0000", "FORMERR"),
    ("two_questions", "4711 0100 0002 0000 0000 0000 Q Q", "FORMERR"),
    ("so_many_questions", "4711 0100 ffff 0000 0000 0000 Q", "FORMERR"),
    ("status", "4711 1100 0001 0000 0000 0000 Q", "NOTIMP"),
    ("notify", "4711 2100 0001 0000 0000 0000 Q", "NOTIMP"),
    ("update", "4711 2800 0001 0000 0000 0000 Q", "NOTIMP"),
    ("opcode_that_is_not", "4711 7900 0001 0000 0000 0000 Q", "NOTIMP"),
    ("name_without_end", "4711 0100 0001 0000 0000 0000 03777777", "FORMERR"),
    ("label_beyond_end", "4711 0100 0001 0000 0000 0000 3f777777", "FORMERR"),
    ("no_type", "4711 0100 0001 0000 0000 0000 0377777700", "FORMERR"),
    ("no_class", "4711 0100 0001 0000 0000 0000 0377777700 0001", "FORMERR"),
    ("pointer_to_itself", "4711 0100 0001 0000 0000 0000 c00c 0001 0001", "FORMERR"),
    ("pointer_to_header", "4711 0100 0001 0000 0000 0000 c000 0001 0001", "FORMERR"),
    ("pointer_forward", "4711 0100 0001 0000 0000 0000 c012 0001 0001 00", "FORMERR"),
    ("label_of_a_reserved_kind", "4711 0100 0001 0000 0000 0000 4101 00 0001 0001", "FORMERR"),
    ("chaos", "4711 0100 0001 0000 0000 0000 0776657273696f6e 0462696e64 00 0010 0003", "REFUSED"),
    ("class_any", "4711 0100 0001 0000 0000 0000 03777777 04746573 7400 0001 00ff", "REFUSED"),
    ("class_none", "4711 0100 0001 0000 0000 0000 03777777 04746573 7400 0001 00fe", "REFUSED"),
    ("zone_transfer", "4711 0100 0001 0000 0000 0000 04746573 7400 00fc 0001", "REFUSED"),
    ("incremental_transfer", "4711 0100 0001 0000 0000 0000 04746573 7400 00fb 0001", "REFUSED"),
    ("type_zero", "4711 0100 0001 0000 0000 0000 04746573 7400 0000 0001", "REFUSED"),
    ("type_opt", "4711 0100 0001 0000 0000 0000 04746573 7400 0029 0001", "REFUSED"),
    ("type_tsig", "4711 0100 0001 0000 0000 0000 04746573 7400 00fa 0001", "REFUSED"),
    ("answer_in_a_query", "4711 0100 0001 0001 0000 0000 Q c00c 0001 0001 00000001 0004 01020304", "FORMERR"),
    (
        "authority_in_a_query",
        "4711 0100 0001 0000 0001 0000 Q c00c 0001 0001 00000001 0004 01020304",
        "FORMERR",
    ),
    ("additional_promised", "4711 0100 0001 0000 0000 0001 Q", "FORMERR"),
    ("opt_cut", "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 0000", "FORMERR"),
    ("opt_data_beyond_end", "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 0009 0001", "FORMERR"),
    ("opt_option_cut", "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 0003 000a00", "FORMERR"),
    (
        "opt_option_too_long",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 0005 000a0008 01",
        "FORMERR",
    ),
    ("opt_with_a_name", "4711 0100 0001 0000 0000 0001 Q c00c 0029 04d0 00000000 0000", "FORMERR"),
    (
        "opt_twice",
        "4711 0100 0001 0000 0000 0002 Q 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
        "FORMERR",
    ),
    (
        "subnet_of_33_bits",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 000d 0008 0009 0001 21 00 0102030405",
        "FORMERR",
    ),
    (
        "subnet_too_short",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 000a 0008 0006 0001 20 00 0102",
        "FORMERR",
    ),
    ("bytes_after_the_end", "4711 0100 0001 0000 0000 0000 Q 00", "FORMERR"),
    ("version_1", "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00010000 0000", "BADVERS"),
    ("without_recursion", "4711 0000 0001 0000 0000 0000 Q", "REFUSED"),
    ("truncated_flag_is_ignored", "4711 0300 0001 0000 0000 0000 Q", "NOERROR; www.test 300 A 192.0.2.1"),
    ("reserved_bit_is_ignored", "4711 0140 0001 0000 0000 0000 Q", "NOERROR; www.test 300 A 192.0.2.1"),
    (
        "unknown_option_is_ignored",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 0006 fde8 0002 0102",
        "NOERROR; www.test 300 A 192.0.2.1",
    ),
    (
        "cookie_is_ignored",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 04d0 00000000 000c 000a 0008 0102030405060708",
        "NOERROR; www.test 300 A 192.0.2.1",
    ),
    (
        "small_size_means_512",
        "4711 0100 0001 0000 0000 0001 Q 00 0029 0001 00000000 0000",
        "NOERROR; www.test 300 A 192.0.2.1",
    ),
];

#[tokio::test]
async fn every_packet_gets_what_it_should() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let mut wrong = Vec::new();
    for (case, hex, expected) in PACKETS {
        let bytes = packet(hex);
        // What gets no answer is followed by a question that does, so that nothing has to be waited for.
        let patience = if *expected == "-" { Duration::from_millis(30) } else { PATIENCE };
        let answer = udp_raw(JORDAN, home.address, &bytes, patience).await;
        let got = answer.as_deref().map_or("-".to_owned(), said);
        // A refusal for want of recursion says why where it can; the table tells codes.
        if got != *expected {
            wrong.push(format!("{case}: expected {expected}, got {got}"));
        }
        if let Some(answer) = answer {
            assert_eq!(answer[..2], bytes[..2], "{case}");
            assert!(answer.len() <= 1232, "{case}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(PACKETS.len(), 48);
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 300 A 192.0.2.1", "it still serves");
}

#[tokio::test]
async fn edns_is_answered_with_edns() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    for (question, opt, dnssec) in [
        ("www.test A", false, false),
        ("www.test A +edns", true, false),
        ("www.test A +do", true, true),
        ("blocked.test A", false, false),
        ("blocked.test A +do", true, true),
        ("nothere.test A +edns", true, false),
        ("localhost A +edns", true, false),
    ] {
        let answer = home.raw(JORDAN, question).await;
        assert_eq!(has_opt(&answer), opt, "{question}");
        if opt {
            let found = Message::from_octets(&answer).unwrap().opt().unwrap();
            assert_eq!((found.udp_payload_size(), found.dnssec_ok()), (1232, dnssec), "{question}");
        }
    }
}

#[tokio::test]
async fn nothing_of_the_clients_goes_upstream() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let question = Question::read("www.test A +edns")
        .with_option(8, &[0, 1, 32, 0, 192, 0, 2, 99])
        .with_option(10, b"12345678")
        .with_option(65_001, &[2, 0, 0, 0, 0, 1])
        .with_option(12, &[0; 64]);
    let answer = udp_raw(JORDAN, home.address, &question.bytes(), PATIENCE).await.expect("an answer");
    assert_eq!(said(&answer), "NOERROR; www.test 300 A 192.0.2.1");
    let asked = internet.last();
    let opt = Message::from_octets(&asked).unwrap().opt().expect("our own OPT record");
    assert_eq!(opt.opt().len(), 0, "no option of the client's");
    assert_ne!(asked[..2], question.bytes()[..2], "nor its identifier");
}

/// Forty addresses do not fit into 512 bytes, nor do the 32 of them that are kept; and more than 1,232 bytes go over TCP from the upstream too.
fn large() -> String {
    let addresses: String = (1..=40).map(|i| format!("large.test 300 A 192.0.2.{i}\n")).collect();
    let texts: String = (1..=10).map(|i| format!("huge.test 300 TXT {}{i}\n", "x".repeat(200))).collect();
    format!("{ZONE}\n{addresses}\n{texts}")
}

#[tokio::test]
async fn what_does_not_fit_is_truncated_and_whole_over_tcp() {
    let internet = Server::start(&large()).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    assert_eq!(home.ask(JORDAN, "large.test A").await, "NOERROR tc");
    assert_eq!(home.ask(JORDAN, "large.test A +size=512").await, "NOERROR tc");
    let whole = home.ask(JORDAN, "large.test A +size=4096").await;
    assert_eq!(whole.matches(" A 192.0.2.").count(), 32, "{whole}");
    assert_eq!(home.ask(JORDAN, "huge.test TXT +size=4096").await, "NOERROR tc", "1,232 bytes at most");
    let mut tcp = connect(JORDAN, home.address).await;
    tcp_send(&mut tcp, &Question::read("huge.test TXT").bytes()).await;
    let answer = tcp_hear(&mut tcp).await.expect("an answer");
    assert!(answer.len() > 1232);
    assert_eq!(said(&answer).matches("TXT").count(), 10);
    assert!(internet.tcp.load(std::sync::atomic::Ordering::Relaxed) > 0, "the upstream was asked over TCP");
}

#[tokio::test]
async fn many_questions_on_one_connection_are_answered_as_they_are_ready() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    home.ask(JORDAN, "www.test A").await;
    internet.mood(crate::internet::Mood::Slow(Duration::from_millis(300)));
    let mut tcp = connect(JORDAN, home.address).await;
    let numbered = |id: u16, text: &str| Question { id, ..Question::read(text) }.bytes();
    let asked = [numbered(1, "long.test A"), numbered(2, "www.test A"), numbered(3, "blocked.test A")];
    for question in &asked {
        tcp_send(&mut tcp, question).await;
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        let answer = tcp_hear(&mut tcp).await.expect("an answer");
        order.push(u16::from_be_bytes([answer[0], answer[1]]));
    }
    assert_eq!(order, [2, 3, 1], "what waits for an upstream holds up nothing else");
    // A question in pieces, byte by byte.
    let framed = [&[0, asked[1].len() as u8][..], &asked[1]].concat();
    for byte in framed {
        tcp.write_all(&[byte]).await.expect("taken");
    }
    assert_eq!(said(&tcp_hear(&mut tcp).await.expect("an answer")), "NOERROR; www.test 300 A 192.0.2.1");
    // What is no question ends the connection.
    tcp_send(&mut tcp, b"no").await;
    assert_eq!(tcp_hear(&mut tcp).await, None);
}

#[tokio::test]
async fn connections_are_few_and_end_when_idle() {
    let internet = Server::start(ZONE).await;
    // Long enough for a slow machine to come with the third before the first is over.
    let setup =
        Setup::new(&[&internet]).dns(|dns| (dns.tcp.idle, dns.tcp.most_of_one) = (Duration::from_secs(2), 2));
    let home = Home::open(setup).await;
    let mut held = [connect(JORDAN, home.address).await, connect(JORDAN, home.address).await];
    for tcp in &mut held {
        tcp_send(tcp, &Question::read("localhost A").bytes()).await;
        assert!(tcp_hear(tcp).await.is_some());
    }
    assert_eq!(tcp_hear(&mut connect(JORDAN, home.address).await).await, None, "one too many");
    assert_eq!(home.counted("connections_refused"), 1);
    for tcp in &mut held {
        assert_eq!(tcp_hear(tcp).await, None, "idle");
    }
}

#[tokio::test]
async fn connections_under_many_addresses_close_the_door_to_nobody() {
    let internet = Server::start(ZONE).await;
    let home =
        Home::open(Setup::new(&[&internet]).dns(|dns| (dns.tcp.most, dns.tcp.most_of_one) = (4, 2))).await;
    let asked = async |tcp: &mut _| {
        tcp_send(tcp, &Question::read("localhost A").bytes()).await;
        tcp_hear(tcp).await.is_some()
    };
    let mut held = Vec::new();
    for from in ["127.0.0.21", "127.0.0.21", "127.0.0.22", "127.0.0.22"] {
        let mut tcp = connect(from, home.address).await;
        assert!(asked(&mut tcp).await);
        held.push(tcp);
    }
    let mut newcomer = connect(JORDAN, home.address).await;
    assert!(asked(&mut newcomer).await, "every place was taken");
    let mut closed = 0;
    for tcp in &mut held[..] {
        closed += usize::from(!asked(tcp).await);
    }
    assert_eq!(closed, 1, "one who had two has one");
    assert!(asked(&mut newcomer).await);
}

#[tokio::test]
async fn one_client_cannot_ask_without_end() {
    let internet = Server::start(ZONE).await;
    let number = |n| std::num::NonZeroU32::new(n).unwrap();
    let setup = Setup::new(&[&internet])
        .dns(move |dns| dns.rate = Some(proxy::limits::Rate { per_second: number(1), burst: number(3) }));
    let home = Home::open(setup).await;
    // A slow machine gives a few more in the seconds that it takes.
    let (answer, few) = ("NOERROR; www.test 300 A 192.0.2.1", 3..12);
    let mut answered = 0;
    let limited = loop {
        match home.ask(JORDAN, "www.test A").await {
            said if said == answer => answered += 1,
            other => break other,
        }
    };
    assert!(few.contains(&answered), "{answered}");
    assert_eq!((limited.as_str(), home.counted("limited")), ("NOERROR tc", 1), "over UDP: come over TCP");
    let help = home.ask(JORDAN, "help.test A").await;
    assert!(help.starts_with("NOERROR; help.test 30 CNAME"), "protected names are answered: {help}");
    let (mut tcp, mut heard) = (connect(JORDAN, home.address).await, Vec::new());
    while heard.last().is_none_or(|said| said == answer) {
        tcp_send(&mut tcp, &Question::read("www.test A").bytes()).await;
        heard.push(said(&tcp_hear(&mut tcp).await.expect("an answer")));
    }
    assert_eq!(heard.pop().as_deref(), Some("REFUSED"));
    assert!(
        few.contains(&heard.len()),
        "what others send over UDP in its name takes nothing here: {heard:?}"
    );
    assert_eq!(home.ask(crate::home::KATE, "www.test A").await, "NOERROR; www.test 300 A 192.0.2.1");
    assert_eq!(home.counted("limited"), 2);
}

#[tokio::test]
async fn a_trusted_forwarder_speaks_for_its_clients() {
    let internet = Server::start(ZONE).await;
    let subnet = |address: [u8; 4]| {
        let option = [&[0, 1, 32, 0][..], &address].concat();
        Question::read("blocked.test A +edns").with_option(8, &option).bytes()
    };
    let mut trusting = Setup::new(&[&internet]);
    trusting.gateway.trust_forwarders = vec![("127.0.0.50".parse().unwrap(), 32)];
    let home = Home::open(trusting).await;
    for (forwarder, client, expected) in [
        ("127.0.0.50", [127, 0, 0, 2], Some(17)),
        ("127.0.0.50", [127, 0, 0, 4], None),
        // Nobody else is believed: this one is an unknown device, whatever it says.
        ("127.0.0.51", [127, 0, 0, 4], Some(15)),
    ] {
        let answer = udp_raw(forwarder, home.address, &subnet(client), PATIENCE).await.expect("an answer");
        assert_eq!(
            ede(&answer).map(|(code, _)| code),
            expected,
            "{forwarder} for {client:?}: {}",
            said(&answer)
        );
    }
}

/// Option 65001 (dnsmasq's `add-mac`) and a client subnet of IPv6 (RFC 7871 §6, family 2), from whoever is trusted and from whoever is not.
#[tokio::test]
async fn a_trusted_forwarder_names_hardware_addresses_and_addresses_of_ipv6_too() {
    const KATES: [u8; 6] = [2, 0, 0, 0, 0, 4];
    const JORDANS: [u8; 16] = [0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    let internet = Server::start(ZONE).await;
    let mut trusting = Setup::new(&[&internet]);
    trusting.gateway.trust_forwarders = vec![("127.0.0.50".parse().unwrap(), 32)];
    let home = Home::open(trusting).await;
    home.lives_with(&[("kate", DeviceBy::Mac(KATES)), ("jordan", DeviceBy::Ip(JORDANS.into()))]);
    let subnet = |length: u8, address: &[u8]| (8, [&[0, 2, length, 0][..], address].concat());
    for (case, (code, option), believed) in [
        ("Kate's hardware address", (65001, KATES.to_vec()), None),
        ("nobody's hardware address", (65001, vec![2, 9, 9, 9, 9, 9]), Some(15)),
        ("half a hardware address", (65001, KATES[..3].to_vec()), Some(15)),
        ("Jordan's address of IPv6", subnet(128, &JORDANS), Some(17)),
        ("nobody's address of IPv6", subnet(128, &[0x2a; 16]), Some(15)),
        ("a network of IPv6, which is no device", subnet(56, &JORDANS[..7]), Some(15)),
    ] {
        // Nobody else is believed: they are an unknown device, whatever they say.
        for (forwarder, expected) in [("127.0.0.50", believed), ("127.0.0.51", Some(15))] {
            let question = Question::read("blocked.test A +edns").with_option(code, &option).bytes();
            let answer = udp_raw(forwarder, home.address, &question, PATIENCE).await.expect("an answer");
            let told = ede(&answer).map(|(code, _)| code);
            assert_eq!(told, expected, "{forwarder}: {case}: {}", said(&answer));
        }
    }
}
