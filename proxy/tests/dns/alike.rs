//! The batched path answers as the plain one does, and both as the decision says: the same bytes for a million questions,
//! malformed ones among them, while time, staff and files change what is in force.

use crate::ask::{Question, said};
use crate::home::{Home, JORDAN, KATE, SAM, Setup, UNKNOWN, snapshot};
use crate::internet::Server;
use crate::judged::ZONE;
use agreements::{Host, House, Snapshot, Standing};
use blocklists::format::ListInput;
use blocklists::{Category, Compiler, Name, Tags};
use proxy::dns::{Asker, BATCH, Batches, Step, Transport};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

const QUESTIONS: usize = 1_000_000;
/// After so many questions something else is in force.
const CHANGE: usize = 20_000;

/// What is asked about. The first are plain names, of which the decision alone says what becomes of them.
const NAMES: [&str; 24] = [
    "www.test",
    "learn.test",
    "mail.test",
    "help.test",
    "blocked.test",
    "a.b.blocked.test",
    "ask.test",
    "video.test",
    "together.test",
    "floor.test",
    "www.floor.test",
    "notblocked.test",
    "other.example",
    "alias.test",
    "hidden.test",
    "svc.test",
    "www.google.com",
    "use-application-dns.net",
    "mask.icloud.com",
    "printer.local",
    "word",
    "1.2.0.192.in-addr.arpa",
    "hearthgate.home.arpa",
    "inside.test",
];
const PLAIN: usize = 13;

/// Numbers by chance, the same each time (xorshift64*, Vigna 2016).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

struct Asked {
    bytes: Vec<u8>,
    from: IpAddr,
    to: IpAddr,
    /// A plain name's question for an address: the decision says what becomes of it.
    plain: Option<&'static str>,
}

fn asked(chance: &mut Chance) -> Asked {
    let name = NAMES[chance.below(NAMES.len())];
    let rtype = chance.one(&["A", "A", "A", "AAAA", "HTTPS", "TXT", "PTR", "ANY", "CNAME"]);
    let edns =
        chance.one(&["", "", "", " +edns", " +do", " +size=600", " +norec", " +ad", " +version=1", " +cd"]);
    let spelled: String =
        name.chars().map(|c| if chance.below(9) == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let mut question = Question::read(&format!("{spelled} {rtype}{edns}"));
    question.id = chance.below(65_536) as u16;
    let mut bytes = question.bytes();
    let whole = chance.below(8) != 0;
    if !whole {
        for _ in 0..chance.below(4) {
            let at = chance.below(bytes.len());
            bytes[at] = chance.below(256) as u8;
        }
        bytes.truncate(chance.below(bytes.len() + 20));
    }
    let from = chance.one(&[JORDAN, SAM, KATE, UNKNOWN, "127.0.0.77", "::ffff:127.0.0.2"]).parse().unwrap();
    let is_plain = whole && rtype == "A" && !matches!(edns, " +norec" | " +version=1");
    let plain = NAMES[..PLAIN].iter().find(|n| is_plain && **n == name).copied();
    let to = chance.one(&["127.0.0.1", "127.0.0.19"]).parse().unwrap();
    Asked { bytes, from, to, plain }
}

/// Each time something else: hours later, with minutes used up, with the files anew. What is allowed is in the cache.
async fn change(home: &Home, round: usize) {
    home.clock.advance(Duration::from_secs(7 * 3600 + 13));
    let current = home.in_force.to_keep();
    match round % 4 {
        0 => {
            let snapshot = listed(round);
            let standing = Arc::new(nothing_used(&snapshot.house));
            home.in_force.replace(snapshot, standing);
        }
        1 => {
            let used = Standing::new(&current.snapshot.house, &[], &[], &|_, _| 239);
            home.in_force.replace_standing(Arc::new(used));
        }
        _ => {}
    }
    for name in NAMES {
        for rtype in ["A", "AAAA", "HTTPS", "TXT", "PTR"] {
            home.raw(KATE, &format!("{name} {rtype}")).await;
        }
    }
}

/// The files anew, with a list that has some of the names, and the next time others.
fn listed(round: usize) -> Arc<Snapshot> {
    let list = ["www.test\nother.example\n", "www.floor.test\nlearn.test\n"][round / 4 % 2];
    let mut compiler = Compiler::new();
    let tags = Tags::category(Category::from_word("pornography").unwrap());
    compiler.add(ListInput::new("list", tags, list.as_bytes())).unwrap();
    let catalogue = compiler.finish(0).unwrap();
    let Snapshot { house, .. } = Arc::into_inner(snapshot()).expect("nobody else has it");
    Arc::new(Snapshot { house, catalogue: catalogue.into() })
}

fn nothing_used(house: &House) -> Standing {
    Standing::new(house, &[], &[], &|_, _| 0)
}

/// Whether a plain name's question is refused, as the decision has it.
fn is_refused(home: &Home, asked: &Asked, name: &str) -> bool {
    let current = home.in_force.to_keep();
    let Snapshot { house, .. } = &*current.snapshot;
    let who = home.dns.gate().who(&current, asked.from, None);
    let at = records::Clock::now(&*home.clock);
    let verdict =
        current.snapshot.judge(who.person, at, Host::Name(Name::trusted(name)), None, &current.standing);
    assert!(house.agreement(who.person).is_some() || who.person == House::NOBODY);
    !verdict.allows()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_questions_are_answered_alike() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet]).dns(|dns| dns.rate = None)).await;
    let (mut chance, mut batches) = (Chance(20_261_122), Batches::default());
    let (mut done, mut answers, mut later, mut refused, mut open) = (0, 0, 0, 0, 0);
    let mut plainly = Vec::new();
    while done < QUESTIONS {
        if done % CHANGE < BATCH {
            change(&home, done / CHANGE).await;
        }
        let size = 1 + chance.below(BATCH);
        let questions: Vec<_> = (0..size).map(|_| asked(&mut chance)).collect();
        let asker =
            |q: &Asked| Asker { from: q.from, to: Some(q.to), token: None, transport: Transport::Udp };
        let packets = questions.iter().map(|q| Some((q.bytes.as_slice(), asker(q))));
        let together = batches.answer(&home.dns, packets);
        for ((step, answer), question) in together.zip(&questions) {
            let alone = home.dns.first(&question.bytes, &asker(question), &mut plainly);
            let what = || format!("{:02x?} from {}", question.bytes, question.from);
            assert_eq!(step, alone, "{}", what());
            if !matches!(step, Step::Answer | Step::AnswerAndRenew) {
                later += usize::from(step == Step::Later);
                continue;
            }
            answers += 1;
            assert_eq!(*answer, plainly, "{}", what());
            if let Some(name) = question.plain {
                let said = said(answer);
                let is_page = said.contains(" A 127.0.0.1") || said.starts_with("NOERROR tc");
                assert_eq!(
                    is_page,
                    is_refused(&home, question, name),
                    "{name} from {}: {said}",
                    question.from
                );
                refused += usize::from(is_page);
                open += usize::from(!is_page);
            }
        }
        done += size;
    }
    // The questions were of every kind.
    assert!(answers > QUESTIONS / 2, "{answers}");
    assert!(later > 100, "{later}");
    assert!(refused > 50_000, "{refused}");
    assert!(open > 10_000, "{open}");
}

#[tokio::test]
async fn whom_a_worker_remembers_is_looked_at_anew_each_day() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let question = Question::read("blocked.test A").bytes();
    let mut batches = Batches::default();
    let mut asks = |from: &str| {
        let asker = Asker { from: from.parse().unwrap(), to: None, token: None, transport: Transport::Udp };
        batches.answer(&home.dns, [Some((&question[..], asker))].into_iter()).for_each(drop);
        home.dns.gate().only_client().map(|one| one.to_string())
    };
    let [phone, router] = ["192.168.4.2", "192.168.4.3"];
    assert_eq!((asks(phone).as_deref(), asks(router)), (Some(phone), None));
    let days = [(); 2].map(|()| {
        home.clock.advance(Duration::from_secs(24 * 3600));
        asks(router)
    });
    assert_eq!(
        days,
        [None, Some(router.to_owned())],
        "it is put in between, and is the only one from then on"
    );
}
