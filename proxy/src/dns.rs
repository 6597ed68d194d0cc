//! The life of a DNS query.
//!
//! Bytes become a question; the question gets a person; the person's agreement judges it; what is allowed is answered
//! from the cache or by an upstream, and every name that the answer leads to is judged too; what is refused is handed
//! to the recorder and answered with its reason. No answer lives longer than its verdict.
//!
//! [`Dns::at_once`] is the whole life on one screen. It never waits, so that a worker runs it for a batch of packets;
//! what needs an upstream goes to [`Dns::later`], which is the same life with a pause in it.

pub(crate) mod answer;
mod counters;
mod deliver;
pub(crate) mod edns;
mod estimate;
mod listen;
pub(crate) mod question;
pub(crate) mod rebinding;
pub(crate) mod reply;
pub(crate) mod safe_search;
mod say;
mod settings;
pub(crate) mod special;
mod svcb;
mod tcp;
mod udp;
pub(crate) mod verdicts;
pub(crate) mod wire;
mod write;

pub use counters::Counters;
pub use listen::{Bound, Listening};
pub use settings::{DnsSettings, TcpSettings};

use crate::cache::{Asking, DNSSEC, UNCHECKED};
use crate::gate::{Gate, Who};
use crate::identify::{Shown, holds};
use crate::limits::{Limits, network_of_hardware};
use crate::resolver::{Cached, For, Found};
use crate::upstream::Failure;
use agreements::{Dnssec, Host, Verdict};
use blocklists::Name;
use counters::count;
use deliver::{Moment, deliver};
use estimate::Estimate;
use question::{Heard, Query, hear};
use records::Current;
use reply::{Extended, ede};
use safe_search::Search;
use special::Local;
use std::net::IpAddr;
use std::sync::Arc;
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
}

/// Who asks, what is said of it, and what safe search makes of it.
struct Decided {
    who: Who,
    /// None for what is not judged.
    verdict: Option<Verdict>,
    search: Search,
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
        let limits = || Limits::new(settings.rate).with_forwarders(&settings.trust_forwarders);
        let (limits, stream_limits) = (limits(), limits());
        Arc::new(Self {
            gate,
            settings,
            limits,
            stream_limits,
            estimate: Estimate::default(),
            counters: Counters::default(),
        })
    }

    /// What happened since the start, in numbers.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What every listener shares.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Answers a query, waiting for upstreams where it must. `None`: it gets no answer.
    pub async fn handle(self: &Arc<Self>, bytes: &[u8], asker: &Asker<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(512);
        match self.at_once(bytes, asker, &mut out) {
            Step::Nothing => return None,
            Step::Answer => {}
            Step::AnswerAndRenew => self.renew(bytes, asker),
            Step::Later => self.later(bytes, asker, &mut out).await,
        }
        Some(out)
    }

    /// The life of a query, as far as it goes without waiting. The answer is written over `out`.
    pub fn at_once(&self, bytes: &[u8], asker: &Asker<'_>, out: &mut Vec<u8>) -> Step {
        self.count_transport(asker.transport);

        // Bytes become a question. Whatever they are, there is one thing to do with them.
        let query = match hear(bytes) {
            Heard::Query(query) => query,
            Heard::Reject { rcode, end, edns } => {
                count(&self.counters.malformed);
                reply::reject(bytes, end, rcode, edns, out);
                return Step::Answer;
            }
            Heard::Nothing => return Step::Nothing,
        };

        // One client cannot take what belongs to all. Over UDP it is told to come back over TCP, which proves its address
        // and has an allowance of its own. What is protected is answered all the same.
        if !self.allows(&query, asker) {
            return self.limited(&query, asker, out);
        }
        // We resolve for clients; a question that wants to know only what is in the cache would show what others asked.
        if !query.recursion() {
            reply::begin(bytes, query.end, rcode::REFUSED, false, out);
            let reason = Extended::code(ede::NOT_AUTHORITATIVE);
            reply::finish(&query, asker.transport, rcode::REFUSED, Some(&reason), out);
            return Step::Answer;
        }

        // Some names are nobody's to look up, or ours.
        let current = self.gate.in_force.current();
        let judged = match self.special(&query) {
            None => true,
            Some(Local::Unjudged) => false,
            Some(local) => return self.local(&query, asker, &current, local, out),
        };

        // The question gets a person, and the person's agreement judges it. A refusal ends here.
        let decided = self.decide(&query, asker, &current, judged);
        if self.refused(&query, asker, &current, &decided, out) {
            return Step::Answer;
        }
        self.count_minute(&query, &current, &decided);
        if query.qtype == rtype::ANY {
            reply::begin(bytes, query.end, rcode::NOERROR, false, out);
            reply::any(out, self.settings.most_ttl);
            reply::finish(&query, asker.transport, rcode::NOERROR, None, out);
            return Step::Answer;
        }

        if self.search_without_asking(&query, asker, &decided, out) {
            return Step::Answer;
        }

        // What is allowed is answered from the cache, once every name in the answer is judged too.
        let name = asked_name(&query, &decided);
        let asking = self.asking(&query, &name);
        match self.gate.resolver.cached(&asking, self.gate.clock.steady()) {
            Cached::Miss => Step::Later,
            Cached::Hit(entry) => {
                count(&self.counters.cache_hits);
                self.answer(&query, asker, &current, &decided, &Found { entry, stale: false }, out);
                Step::Answer
            }
            Cached::Renew(entry) => {
                count(&self.counters.cache_hits);
                self.answer(&query, asker, &current, &decided, &Found { entry, stale: false }, out);
                Step::AnswerAndRenew
            }
        }
    }

    /// The rest of the life of a query that needs an upstream. What was in force may have changed meanwhile: it is judged
    /// again before it is answered.
    pub async fn later(&self, bytes: &[u8], asker: &Asker<'_>, out: &mut Vec<u8>) {
        let Heard::Query(query) = hear(bytes) else { return };
        count(&self.counters.cache_misses);
        let judged = self.special(&query).is_none();
        let before = self.decide(&query, asker, &self.gate.in_force.to_keep(), judged);
        let name = asked_name(&query, &before);
        let of = self.on_behalf(&query, asker, &before);
        let found = self.gate.resolver.find(&self.asking(&query, &name), of).await;

        let current = self.gate.in_force.to_keep();
        let decided = self.decide(&query, asker, &current, judged);
        if self.refused(&query, asker, &current, &decided, out) {
            return;
        }
        match found {
            Ok(found) if decided.search == before.search => {
                self.answer(&query, asker, &current, &decided, &found, out);
            }
            // Safe search changed in this very moment: the client asks again.
            Ok(_) => self.failed(&query, asker, Failure::Busy, out),
            Err(failure) => self.failed(&query, asker, failure, out),
        }
    }

    /// Fetches the answer to a query again although it is still good. It needs the runtime, and does not wait.
    pub fn renew(&self, bytes: &[u8], asker: &Asker<'_>) {
        let Heard::Query(query) = hear(bytes) else { return };
        count(&self.counters.prefetched);
        let judged = self.special(&query).is_none();
        let decided = self.decide(&query, asker, &self.gate.in_force.to_keep(), judged);
        let name = asked_name(&query, &decided);
        let of = self.on_behalf(&query, asker, &decided);
        self.gate.resolver.renew(&self.asking(&query, &name), of);
    }

    /// Whether a client may ask yet another question.
    fn allows(&self, query: &Query<'_>, asker: &Asker<'_>) -> bool {
        let limits = match asker.transport {
            Transport::Udp => &self.limits,
            Transport::Tcp | Transport::Tls | Transport::Https => &self.stream_limits,
        };
        let client = self.counted(asker, query);
        limits.allows(client) || {
            let decided = self.decide(query, asker, &self.gate.in_force.current(), true);
            decided.verdict.as_ref().is_some_and(verdicts::protects) && limits.allows_protected(client)
        }
    }

    /// For whom an upstream is asked.
    fn on_behalf(&self, query: &Query<'_>, asker: &Asker<'_>, decided: &Decided) -> For {
        let protected = decided.verdict.as_ref().is_some_and(verdicts::protects);
        let proven = asker.transport != Transport::Udp;
        For::client(self.counted(asker, query), protected, proven)
    }

    /// As whom a client is counted. A forwarder that tells hardware addresses alone has each device counted by its own.
    fn counted(&self, asker: &Asker<'_>, query: &Query<'_>) -> IpAddr {
        let Shown { address, hardware, token: _ } = self.client(asker, query);
        let itself = address == asker.from.to_canonical();
        hardware.filter(|_| itself).map_or(address, network_of_hardware)
    }

    /// Answers that too many wait. Anybody can fill the places of UDP in others' names: a real client comes over TCP.
    fn overloaded(bytes: &[u8], out: &mut Vec<u8>) {
        if let Heard::Query(query) = hear(bytes) {
            say::over_tcp(&query, out);
        }
    }

    fn special(&self, query: &Query<'_>) -> Option<Local> {
        special::local(query.text.name(), query.qtype, self.settings.own_name.name())
    }

    /// Who asks, what is said of it, and what safe search makes of it.
    fn decide(&self, query: &Query<'_>, asker: &Asker<'_>, current: &Current, judged: bool) -> Decided {
        let name = query.text.name();
        let who = self.gate.who_shows(current, &self.client(asker, query));
        if !judged {
            return Decided { who, verdict: None, search: Search::AsAsked };
        }
        let verdict = self.gate.judge(current, &who, Host::Name(name), None);
        let search = if query.for_addresses() || query.qtype == rtype::SVCB {
            safe_search::search(&self.gate, current, &who, name)
        } else {
            Search::AsAsked
        };
        Decided { who, verdict: Some(verdict), search }
    }

    /// What the client showed of itself; a trusted forwarder speaks for its clients.
    fn client<'a>(&self, asker: &Asker<'a>, query: &Query<'_>) -> Shown<'a> {
        let from = asker.from.to_canonical();
        let trusted = self.settings.trust_forwarders.iter().any(|&(net, length)| holds(net, length, from));
        match query.edns.filter(|_| trusted) {
            Some(edns) => {
                Shown { address: edns.client.unwrap_or(from), token: asker.token, hardware: edns.hardware }
            }
            None => Shown { address: from, token: asker.token, hardware: None },
        }
    }

    fn asking<'n>(&self, query: &Query<'_>, name: &'n WireName) -> Asking<'n> {
        let (dnssec, unchecked) = match self.gate.resolver.dnssec() {
            Dnssec::Off => (false, false),
            Dnssec::Pass | Dnssec::Validate => (query.dnssec(), query.unchecked()),
        };
        let flags = if dnssec { DNSSEC } else { 0 } | if unchecked { UNCHECKED } else { 0 };
        Asking { name, qtype: query.qtype, flags }
    }

    /// Writes an answer that was found, unless a name or address in it is refused.
    fn answer(
        &self,
        query: &Query<'_>,
        asker: &Asker<'_>,
        current: &Arc<Current>,
        decided: &Decided,
        found: &Found,
        out: &mut Vec<u8>,
    ) {
        let Found { entry, stale } = found;
        let asked = decided.verdict.as_ref();
        let until = match verdicts::judge_targets(&self.gate, current, &decided.who, asked, entry) {
            Ok(earliest) => earliest,
            Err((target, refusal)) => {
                count(&self.counters.answers_refused);
                return self.refuse(query, asker, current, &decided.who, target.name(), &refusal, out);
            }
        };
        if entry.rebinds {
            count(&self.counters.rebinding);
            return self.rebinds(query, asker, out);
        }
        if *stale {
            count(&self.counters.stale);
        }
        let most = verdicts::allowed_for(until, self.gate.clock.now(), self.settings.most_ttl);
        let moment = Moment { now: self.gate.clock.steady(), most, stale: *stale };
        match decided.search {
            Search::Host(host) => self.search_answer(query, asker, host, entry, moment, out),
            Search::AsAsked | Search::Address(_) | Search::Refused => {
                deliver(query, asker.transport, entry, moment, out);
            }
        }
    }

    /// Lookups that read like use mark the running minute.
    fn count_minute(&self, query: &Query<'_>, current: &Current, decided: &Decided) {
        let Some(verdict) = decided.verdict.filter(|v| v.counts.0 != 0 && query.for_addresses()) else {
            return;
        };
        let person = self.gate.person(&decided.who);
        let people = current.snapshot.house.people().count() + 1;
        let minute = self.gate.clock.steady().as_secs() / 60;
        let name = query.text.name().as_str();
        let counts = self.estimate.looked_up(person, people, minute, name, verdict.counts);
        if counts.0 != 0 {
            let host = Host::Name(query.text.name());
            current.looked_up(person, counts, self.gate.clock.now(), host);
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

/// The name whose records answer: the question's, or the safe host's.
fn asked_name(query: &Query<'_>, decided: &Decided) -> WireName {
    match decided.search {
        Search::Host(host) => WireName::from_name(Name::trusted(host)),
        Search::AsAsked | Search::Address(_) | Search::Refused => query.name,
    }
}

/// Reads bytes as a query and as an upstream's answer, every way that the gateway does. It is what the fuzzer calls: it
/// must never panic.
pub fn fuzz(bytes: &[u8]) {
    let mut out = Vec::new();
    match hear(bytes) {
        Heard::Query(query) => {
            reply::begin(bytes, query.end, rcode::NOERROR, false, &mut out);
            say::end_with_soa(1, &mut out);
            reply::finish(&query, Transport::Udp, rcode::NOERROR, Some(&Extended::code(1)), &mut out);
            let _ = special::local(query.text.name(), query.qtype, Name::trusted("gateway.test"));
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
