//! What is answered without waiting allocates nothing, from the packet's bytes to the answer's.

#[path = "../../../benches/tests/counting/mod.rs"]
mod counting;

use crate::ask::Question;
use crate::home::{Home, JORDAN, KATE, SAM, Setup, UNKNOWN};
use crate::internet::Server;
use crate::judged::ZONE;
use counting::allocations;
use proxy::dns::{Asker, BATCH, Batches, Step, Transport};

/// What is asked, and whether it is recorded. Left out is one thing that allocates: a sentence (for who understands EDNS) that
/// names the very site that was asked for is made anew each time.
const ASKED: [(&str, &str); 14] = [
    (JORDAN, "www.test A"),
    (JORDAN, "www.test AAAA +do"),
    (JORDAN, "alias.test A +edns"),
    (JORDAN, "nothere.test A"),
    (JORDAN, "blocked.test A"),
    (JORDAN, "a.b.blocked.test HTTPS"),
    (JORDAN, "ask.test A"),
    (SAM, "anything.test A +edns"),
    (UNKNOWN, "anything.test A +edns"),
    (KATE, "www.google.com A"),
    (JORDAN, "mask.icloud.com A"),
    (JORDAN, "hearthgate.home.arpa A"),
    (KATE, "www.test ANY"),
    (KATE, "www.test A +version=1"),
];

#[tokio::test]
async fn what_is_answered_at_once_allocates_nothing() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet]).dns(|dns| dns.rate = None)).await;
    for (device, question) in ASKED {
        home.raw(device, question).await;
    }
    let questions = ASKED.map(|(device, text)| (device.parse().unwrap(), Question::read(text).bytes()));
    let to = Some("127.0.0.1".parse().unwrap());
    let packets = questions.iter().map(|(from, bytes)| {
        Some((bytes.as_slice(), Asker { from: *from, to, token: None, transport: Transport::Udp }))
    });
    assert!(questions.len() <= BATCH);
    let mut batches = Batches::default();
    let mut answered = 0;
    let mut round = || {
        for (step, _) in batches.answer(&home.dns, packets.clone()) {
            answered += usize::from(step == Step::Answer);
        }
    };
    // The first time clients, moments and sentences are made.
    round();
    let counted = allocations(|| (0..50).for_each(|_| round()));
    assert_eq!(answered, ASKED.len() * 51, "all of them are answered at once");
    assert_eq!(counted, 0);
}
