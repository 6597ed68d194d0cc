//! The life of a DNS query.
//!
//! Bytes become a question; the question gets a person; the person's agreement judges it; what is allowed is answered
//! from the cache or by an upstream, and every name that the answer leads to is judged too; what is refused is handed
//! to the recorder and answered with its reason. No answer lives longer than its verdict.
//!
//! [`Dns::at_once`] is the whole life on one screen. It never waits, so that a worker runs it for a batch of packets;
//! what needs an upstream goes to [`Dns::later`], which is the same life with a pause in it.

mod again;
pub(crate) mod answer;
mod batch;
mod case;
mod counters;
mod decide;
mod deliver;
pub(crate) mod edns;
mod estimate;
mod https;
mod listen;
mod open;
pub(crate) mod question;
pub(crate) mod rebinding;
pub(crate) mod reply;
pub(crate) mod safe_search;
mod say;
mod settings;
pub(crate) mod special;
mod streams;
mod svcb;
mod tcp;
mod tell;
mod udp;
pub(crate) mod verdicts;
pub(crate) mod wire;
mod write;

pub use batch::{BATCH, Batches};
pub use counters::Counters;
pub use https::{CONTENT_TYPE, PATH};
pub use listen::{Bound, Listening};
pub use settings::{Designated, DnsSettings, Over, StreamSettings};

use crate::gate::{Clients, Gate, Round};
use crate::http::OwnPages;
use crate::identify::Shown;
use crate::limits::Limits;
use crate::resolver::{Cached, Found};
use crate::seats::Seats;
use crate::upstream::Failure;
use again::Told;
use agreements::Host;
use blocklists::{Name, Tags};
use case::{Case, Decided};
use counters::count;
use decide::{Alone, look_up, safe_host};
use estimate::Estimate;
use open::fixed;
use question::{Heard, Query, Room, hear};
use reply::{Extended, ede};
use special::Local;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use wire::{WireName, rcode, rtype};

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram: the answer's size is limited.
    Udp,
    /// Over TCP.
    Tcp,
    /// Over TLS (DoT).
    Tls,
    /// Over HTTPS (DoH).
    Https,
}

/// Who sent a query, and to which of our addresses.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The address that it came from.
    pub from: IpAddr,
    /// Our address that it came to, where that is known.
    pub to: Option<IpAddr>,
    /// The token that the device showed.
    pub token: Option<&'a str>,
    /// How it came.
    pub transport: Transport,
}

/// What became of a query without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The answer is written.
    Answer,
    /// The answer is written, and [`Dns::renew`] should fetch it again: it is in demand and nearly over.
    AnswerAndRenew,
    /// It needs an upstream: [`Dns::later`].
    Later,
    /// It gets no answer.
    Nothing,
}

/// The DNS half of the gateway, whatever the transport.
pub struct Dns {
    gate: Arc<Gate>,
    settings: DnsSettings,
    limits: Limits,
    stream_limits: Limits,
    estimate: Estimate,
    counters: Counters,
    beside: OnceLock<Beside>,
    /// Answers over HTTPS that are not yet taken.
    untaken: Arc<Seats>,
}

/// Pages of the gateway's own that are served inside TLS beside DNS over HTTPS, at these paths.
#[derive(Clone)]
pub struct Beside {
    /// The paths.
    pub paths: &'static [&'static str],
    /// Who answers.
    pub pages: OwnPages,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Dns {
    /// Puts the DNS half together.
    pub fn new(gate: Arc<Gate>, settings: DnsSettings) -> Arc<Self> {
        // Anybody can use up an allowance over UDP in another's name; over a connection nobody can.
        let limits = || Limits::new(settings.rate);
        let (limits, stream_limits) = (limits(), limits());
        Arc::new(Self {
            gate,
            settings,
            limits,
            stream_limits,
            estimate: Estimate::default(),
            counters: Counters::default(),
            beside: OnceLock::new(),
            untaken: Seats::new(https::UNTAKEN),
        })
    }

    /// What happened since the start, in numbers.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// From now on these pages are served beside DNS over HTTPS.
    pub fn serve_beside(&self, beside: Beside) {
        // Whoever comes second has nothing else to serve.
        let _already = self.beside.set(beside);
    }

    /// What every listener shares.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Answers a query, waiting for upstreams where it must. `None`: it gets no answer.
    pub async fn handle(self: &Arc<Self>, bytes: &[u8], asker: &Asker<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(512);
        match self.first(bytes, asker, &mut out) {
            Step::Nothing => return None,
            Step::Answer => {}
            Step::AnswerAndRenew => self.renew(bytes, asker),
            Step::Later => self.later(bytes, asker, &mut out).await,
        }
        Some(out)
    }

    /// [`Dns::at_once`] for a query that came alone.
    pub fn first(&self, bytes: &[u8], asker: &Asker<'_>, out: &mut Vec<u8>) -> Step {
        self.count_transport(asker.transport);
        let (round, mut room) = (self.gate.round(), Room::default());
        let heard = hear(bytes, &mut room);
        let tags = || match &heard {
            Heard::Query(query) => look_up(&round, query.text),
            Heard::Reject { .. } | Heard::Nothing => Tags::NONE,
        };
        self.at_once(bytes, &heard, asker, &round, &mut Clients::new(1), tags, out)
    }

    /// The life of a query, as far as it goes without waiting. The answer is written over `out`. `tags` says what the
    /// catalogue knows of its name.
    #[expect(
        clippy::too_many_arguments,
        reason = "what came, from whom, what the worker has at hand, and where to"
    )]
    pub(crate) fn at_once(
        &self,
        bytes: &[u8],
        heard: &Heard<'_>,
        asker: &Asker<'_>,
        round: &Round,
        clients: &mut Clients<Told>,
        tags: impl Fn() -> Tags,
        out: &mut Vec<u8>,
    ) -> Step {
        // Bytes became a question. Whatever they are, there is one thing to do with them.
        let query = match heard {
            Heard::Query(query) => query,
            &Heard::Reject { rcode, end, edns } => {
                count(&self.counters.malformed);
                reply::reject(bytes, end, rcode, edns, out);
                return Step::Answer;
            }
            Heard::Nothing => return Step::Nothing,
        };

        // The question gets a person.
        let limits = self.limits_of(asker.transport);
        let (client, told, allowed) = clients.find(&self.gate, round, &self.shown(query, asker), limits);
        let case = &Case { query, asker, round, client };

        // A device that has just taken a new address is met first, so that it is not taken for a stranger.
        if client.to_be_met && allowed {
            return Step::Later;
        }
        // One client cannot take what belongs to all. Over UDP it is told to come back over TCP, which proves its address
        // and has an allowance of its own. What is protected is answered all the same.
        if !allowed && !self.is_protected(case, tags(), told) {
            return self.limited(query, asker, out);
        }
        // We resolve for clients; a question that wants to know only what is in the cache would show what others asked.
        if !query.recursion() {
            reply::begin(bytes, query.end, rcode::REFUSED, false, out);
            let reason = Extended::code(ede::NOT_AUTHORITATIVE);
            reply::finish(query, asker.transport, rcode::REFUSED, Some(&reason), out);
            return Step::Answer;
        }

        // Some names are nobody's to look up, or ours. The person's agreement judges every other, and a refusal ends here.
        let decided = match self.special(query) {
            None => self.decide(case, tags(), told),
            Some(Local::Unjudged) => Decided::UNJUDGED,
            Some(local) => return self.local(case, local, out),
        };
        if self.refused(case, &decided, told, out) {
            return Step::Answer;
        }
        self.count_minute(case, &decided);
        if query.qtype == rtype::ANY {
            reply::begin(bytes, query.end, rcode::NOERROR, false, out);
            reply::any(out, self.settings.most_ttl);
            reply::finish(query, asker.transport, rcode::NOERROR, None, out);
            return Step::Answer;
        }

        // At a router whose rules are ours, what an answer gives has to be open before the answer is given.
        if self.gate.openings.is_some() && !self.is_fixed_open(case, &decided) {
            return Step::Later;
        }
        if self.search_without_asking(case, &decided, out) {
            return Step::Answer;
        }

        // What is allowed is answered from the cache, once every name in the answer is judged too.
        let safe = safe_host(&decided);
        let asking = self.asking(query, safe.as_ref());
        let (entry, step) = match self.gate.resolver.cached(&asking, round.steady) {
            Cached::Miss => {
                count(&self.counters.cache_misses);
                return Step::Later;
            }
            Cached::Hit(entry) => (entry, Step::Answer),
            Cached::Renew(entry) => (entry, Step::AnswerAndRenew),
        };
        count(&self.counters.cache_hits);
        let found = Found { entry, stale: false };
        let Some(telling) = self.may_tell(case, &decided, &found, out) else { return step };
        if self.gate.openings.is_some() && !self.is_open(case, &decided, &found.entry, telling.moment) {
            return Step::Later;
        }
        self.tell(case, &decided, &found, telling.moment, out);
        step
    }

    /// The rest of the life of a query that needs an upstream. What was in force may have changed meanwhile: it is judged
    /// again before it is answered.
    pub async fn later(&self, bytes: &[u8], asker: &Asker<'_>, out: &mut Vec<u8>) {
        let mut room = Room::default();
        let Heard::Query(query) = hear(bytes, &mut room) else { return };
        if self.gate.meet(&self.shown(&query, asker)).await {
            // Now that it is known who asks, the query's life begins again.
            match self.first(bytes, asker, out) {
                Step::Later if self.special(&query).is_none() => {}
                Step::Later => return self.failed(&query, asker, Failure::Busy, out),
                Step::Answer | Step::AnswerAndRenew | Step::Nothing => return,
            }
        }
        let before = self.decide_alone(&query, asker);
        if let Some(address) = fixed(&before.decided) {
            return self.tell_fixed(&query, asker, before, address, out).await;
        }
        let safe = safe_host(&before.decided);
        let found = self.gate.resolver.find(&self.asking(&query, safe.as_ref()), before.of).await;

        let Alone { round, client, decided, .. } = self.decide_alone(&query, asker);
        let case = &Case { query: &query, asker, round: &round, client: &client };
        if self.refused(case, &decided, &mut Told::default(), out) {
            return;
        }
        match found {
            Ok(found) if decided.search == before.decided.search => {
                let Some(telling) = self.may_tell(case, &decided, &found, out) else { return };
                if !self.open(case, &decided, &found.entry, telling).await {
                    return self.failed(&query, asker, Failure::Busy, out);
                }
                self.tell(case, &decided, &found, telling.moment, out);
            }
            // Safe search changed in this very moment: the client asks again.
            Ok(_) => self.failed(&query, asker, Failure::Busy, out),
            Err(failure) => self.failed(&query, asker, failure, out),
        }
    }

    /// Fetches the answer to a query again although it is still good. It needs the runtime, and does not wait.
    pub fn renew(&self, bytes: &[u8], asker: &Asker<'_>) {
        let mut room = Room::default();
        let Heard::Query(query) = hear(bytes, &mut room) else { return };
        count(&self.counters.prefetched);
        let Alone { decided, of, .. } = self.decide_alone(&query, asker);
        self.gate.resolver.renew(&self.asking(&query, safe_host(&decided).as_ref()), of);
    }

    /// What a client showed of itself; a trusted forwarder speaks for its clients.
    fn shown<'a>(&self, query: &Query<'_>, asker: &Asker<'a>) -> Shown<'a> {
        case::shown(query, asker, &self.settings.trust_forwarders)
    }

    fn limits_of(&self, transport: Transport) -> &Limits {
        match transport {
            Transport::Udp => &self.limits,
            Transport::Tcp | Transport::Tls | Transport::Https => &self.stream_limits,
        }
    }

    /// Answers that too many wait. Anybody can fill the places of UDP in others' names: a real client comes over TCP.
    fn overloaded(bytes: &[u8], out: &mut Vec<u8>) {
        if let Heard::Query(query) = hear(bytes, &mut Room::default()) {
            say::over_tcp(&query, out);
        }
    }

    /// Lookups that read like use mark the running minute.
    fn count_minute(&self, case: &Case<'_>, decided: &Decided) {
        let Case { query, round, client, .. } = *case;
        let Some(verdict) = decided.verdict.filter(|v| v.counts.0 != 0 && query.for_addresses()) else {
            return;
        };
        // At the router what really passes is counted, and a name is no use.
        let counted = self.gate.openings.as_ref().is_some_and(|openings| openings.counts());
        if counted && self.gate.is_inside(case.asker.from) {
            return;
        }
        let people = round.current.snapshot.house.people().len() + 1;
        let (minute, name) = (round.steady.as_secs() / 60, query.text.as_str());
        let counts = self.estimate.looked_up(client.person, people, minute, name, verdict.counts);
        if counts.0 != 0 {
            round.current.looked_up(client.person, counts, round.now, Host::Name(query.text));
            round.current.device_in_use(client.who.device, round.now);
            self.gate.is_in_use(&self.shown(query, case.asker));
        }
    }

    fn count_transport(&self, transport: Transport) {
        count(match transport {
            Transport::Udp => &self.counters.queries_udp,
            Transport::Tcp => &self.counters.queries_tcp,
            Transport::Tls | Transport::Https => &self.counters.queries_other,
        });
    }
}

/// Reads bytes as a query, as an upstream's answer and as what the kernel says of a packet, every way that the gateway does. It is
/// what the fuzzer calls: it must never panic.
pub fn fuzz(bytes: &[u8]) {
    crate::mmsg::fuzz(bytes);
    let mut out = Vec::new();
    match hear(bytes, &mut Room::default()) {
        Heard::Query(query) => {
            reply::begin(bytes, query.end, rcode::NOERROR, false, &mut out);
            say::end_with_soa(1, &mut out);
            reply::finish(&query, Transport::Udp, rcode::NOERROR, Some(&Extended::code(1)), &mut out);
            let _ = special::local(query.text, query.qtype, Name::trusted("gateway.test"));
        }
        Heard::Reject { rcode, end, edns } => reply::reject(bytes, end, rcode, edns, &mut out),
        Heard::Nothing => {}
    }
    let question =
        WireName::read(bytes, wire::HEADER).and_then(|(n, at)| Some((n, wire::u16_at(bytes, at)?)));
    if let Some((name, qtype)) = question {
        for dnssec in [false, true] {
            if let Ok(clean) = answer::clean(bytes, &name, qtype, dnssec) {
                // What was made safe is read as it stands, and comes out the same.
                let again = answer::clean(&clean.wire, &name, qtype, dnssec);
                debug_assert!(again.is_ok_and(|again| again.wire == clean.wire));
            }
        }
    }
    let _ = svcb::without_ech(bytes);
}
