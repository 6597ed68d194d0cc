//! What is said to clients: refusals, local names, safe search, failures.

use super::again::Told;
use super::case::{Case, Decided};
use super::counters::count;
use super::deliver::Moment;
use super::question::Query;
use super::reply::{self, Extended, ede};
use super::safe_search::{self, Search};
use super::special::{self, Local};
use super::wire::{rcode, rtype};
use super::{Asker, Dns, Step, Transport, svcb, verdicts};
use crate::cache::Entry;
use crate::upstream::Failure;
use agreements::{BlockedAnswer, Detector, Evidence, Host, Rule, Severity, Verdict};
use blocklists::Name;
use blocklists::builtin::OffSwitch;
use records::Refused;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Dns {
    /// Answers a question that may not be answered, if it is one.
    pub(super) fn refused(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        told: &mut Told,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(verdict) = decided.verdict.as_ref().filter(|verdict| !verdict.allows()) else {
            return false;
        };
        count(&self.counters.refused);
        if told.refuse(case, verdict, out) {
            self.record(case, case.query.text, *verdict, None);
        } else {
            self.refuse(case, case.query.text, verdict, out);
            told.refused(case, verdict, out);
        }
        true
    }

    /// Hands a refusal to the recorder and answers it.
    pub(super) fn refuse(&self, case: &Case<'_>, host: Name<'_>, verdict: &Verdict, out: &mut Vec<u8>) {
        self.refuse_as(case, host, verdict, None, out);
    }

    /// The same, where more is known of it than its name tells.
    pub(super) fn refuse_as(
        &self,
        case: &Case<'_>,
        host: Name<'_>,
        verdict: &Verdict,
        detected: Option<Detector>,
        out: &mut Vec<u8>,
    ) {
        // A datagram's sender can be anybody in anybody's name. What would weigh on a young person is recorded only when
        // the question comes over a connection, which proves the address: every client repeats it there.
        if case.transport() == Transport::Udp && verdicts::weighs(verdict) {
            return over_tcp(case.query, out);
        }
        self.record(case, host, *verdict, detected);
        let ttl = verdicts::refused_for(verdict, case.round.now);
        // The sentence is made only for who can read it.
        let mut answer = |reason: Extended<'_>| self.blocked(case.query, case.asker, ttl, reason, out);
        match case.query.edns {
            Some(_) => verdicts::show_reason(case, host, verdict, answer),
            None => answer(Extended::default()),
        }
    }

    fn record(&self, case: &Case<'_>, host: Name<'_>, verdict: Verdict, detected: Option<Detector>) {
        let Case { round, client, .. } = case;
        let is_unknown = client.who.stranger.is_some();
        if is_unknown
            && self.gate.is_a_guess(
                &round.current,
                &client.who,
                &self.shown(case.query, case.asker),
                verdict.rule,
            )
        {
            return;
        }
        // Devices look reverse names up by themselves, and nobody visits one.
        let technical = special::is_reverse(host) && verdict.rule != Rule::Sealed;
        let severity = if technical { Severity::Technical } else { verdict.severity };
        self.gate.recorder.refused(&Refused {
            at: round.now,
            current: &round.current,
            who: client.person,
            device: client.who.device,
            identified: client.who.identified,
            stranger: client.who.stranger,
            host: Host::Name(host),
            verdict: Verdict { severity, ..verdict },
            evidence: Evidence::Lookup,
            detected,
        });
    }

    /// Answers what is refused, in the way that the home chose.
    pub(super) fn blocked(
        &self,
        query: &Query<'_>,
        asker: &Asker<'_>,
        ttl: u32,
        reason: Extended<'_>,
        out: &mut Vec<u8>,
    ) {
        let code = match self.settings.blocked_answer {
            BlockedAnswer::Nxdomain => rcode::NXDOMAIN,
            BlockedAnswer::Page | BlockedAnswer::Zero => rcode::NOERROR,
        };
        reply::begin(query.bytes, query.end, code, false, out);
        match self.settings.blocked_answer {
            BlockedAnswer::Page => self.ourselves(query, asker, ttl, out),
            BlockedAnswer::Nxdomain => {}
            BlockedAnswer::Zero => match query.qtype {
                rtype::A => reply::address(out, Ipv4Addr::UNSPECIFIED.into(), ttl),
                rtype::AAAA => reply::address(out, Ipv6Addr::UNSPECIFIED.into(), ttl),
                _ => {}
            },
        }
        end_with_soa(ttl, out);
        reply::finish(query, asker.transport, code, Some(&reason), out);
    }

    /// Writes our own addresses of the family that was asked for: those that are configured, else the one that the client
    /// reached us at.
    pub(super) fn ourselves(&self, query: &Query<'_>, asker: &Asker<'_>, ttl: u32, out: &mut Vec<u8>) {
        let configured = &self.settings.page_addresses;
        let reached = asker.to.map(|to| to.to_canonical()).filter(|to| !to.is_unspecified());
        let fits = |address: &&IpAddr| match query.qtype {
            rtype::A => address.is_ipv4(),
            rtype::AAAA => address.is_ipv6(),
            _ => false,
        };
        let ours = configured.iter().chain(reached.as_ref().filter(|_| configured.is_empty()));
        for address in ours.filter(fits) {
            reply::address(out, *address, ttl);
        }
    }

    /// Answers what is answered without an upstream and without an agreement.
    pub(super) fn local(&self, case: &Case<'_>, local: Local, out: &mut Vec<u8>) -> Step {
        let Case { query, asker, .. } = *case;
        count(&self.counters.local);
        let (code, ttl) = match local {
            Local::NoSuchName | Local::Off(OffSwitch::NoSuchName) => {
                (rcode::NXDOMAIN, self.settings.most_ttl)
            }
            Local::Address(_) | Local::Ourselves | Local::Designated | Local::NoData | Local::Unjudged => {
                (rcode::NOERROR, 60)
            }
            Local::Off(OffSwitch::NoData) => (rcode::NOERROR, self.settings.most_ttl),
        };
        reply::begin(query.bytes, query.end, code, false, out);
        match local {
            Local::Address(address) => reply::address(out, address, ttl),
            Local::Ourselves => self.ourselves(query, asker, ttl, out),
            Local::Designated => self.designated(asker, ttl, out),
            Local::Off(_) => self.note_off_switch(case),
            Local::NoSuchName | Local::NoData | Local::Unjudged => {}
        }
        end_with_soa(ttl, out);
        reply::finish(query, asker.transport, code, None, out);
        Step::Answer
    }

    /// Writes where encrypted DNS is to be had (RFC 9462 §4, RFC 9461). Who showed a token is where it should be, and would
    /// lose it by going elsewhere.
    fn designated(&self, asker: &Asker<'_>, ttl: u32, out: &mut Vec<u8>) {
        if asker.token.is_some() {
            return;
        }
        let own = super::wire::WireName::from_name(self.settings.own_name.name());
        let reached = asker.to.map(|to| to.to_canonical()).filter(|to| !to.is_unspecified());
        for (place, designated) in (1..).zip(&self.settings.designated) {
            let here = reached.as_slice();
            let at = if designated.addresses.is_empty() { here } else { &designated.addresses };
            reply::record(out, 6, &reply::QUESTION_NAME, rtype::SVCB, ttl, |out| {
                svcb::write_designated(out, place, &own, designated, at);
            });
        }
    }

    /// A device that asks for an off switch tells what it would do by itself: technical, and never a breach.
    fn note_off_switch(&self, case: &Case<'_>) {
        let host = case.query.text;
        let verdict = case.round.current.snapshot.judge_in(&case.client.moment, Host::Name(host), None);
        if !verdict.allows() {
            self.record(case, host, Verdict { severity: Severity::Technical, ..verdict }, None);
        }
    }

    pub(super) fn limited(&self, query: &Query<'_>, asker: &Asker<'_>, out: &mut Vec<u8>) -> Step {
        count(&self.counters.limited);
        match asker.transport {
            Transport::Udp => over_tcp(query, out),
            Transport::Tcp | Transport::Tls | Transport::Https => {
                reply::begin(query.bytes, query.end, rcode::REFUSED, false, out);
                reply::finish(query, asker.transport, rcode::REFUSED, None, out);
            }
        }
        Step::Answer
    }

    /// An answer that points into the home from outside is as good as none.
    pub(super) fn rebinds(&self, query: &Query<'_>, asker: &Asker<'_>, out: &mut Vec<u8>) {
        let text = "The answer points into the home's own network.";
        reply::begin(query.bytes, query.end, rcode::NXDOMAIN, false, out);
        end_with_soa(60, out);
        let reason = Extended { code: ede::BLOCKED, text };
        reply::finish(query, asker.transport, rcode::NXDOMAIN, Some(&reason), out);
    }

    /// What safe search answers without an upstream: an address that the engine documents, and that the safe host's
    /// service records are not the asked name's.
    pub(super) fn search_without_asking(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        out: &mut Vec<u8>,
    ) -> bool {
        let Case { query, asker, round, .. } = *case;
        let address = match decided.search {
            Search::Address(address) => Some(address),
            Search::Host(_) if !matches!(query.qtype, rtype::A | rtype::AAAA) => None,
            Search::Host(_) | Search::AsAsked => return false,
        };
        count(&self.counters.safe_search);
        let until = decided.verdict.as_ref().and_then(|verdict| verdict.until);
        let ttl = verdicts::allowed_for(until, round.now, self.settings.most_ttl);
        reply::begin(query.bytes, query.end, rcode::NOERROR, false, out);
        match (query.qtype, address) {
            (rtype::A, Some(address @ IpAddr::V4(_))) | (rtype::AAAA, Some(address @ IpAddr::V6(_))) => {
                reply::address(out, address, ttl);
            }
            _ => {}
        }
        end_with_soa(ttl, out);
        reply::finish(query, asker.transport, rcode::NOERROR, None, out);
        true
    }

    /// Writes the alias to the safe host, and its addresses.
    pub(super) fn search_answer(
        &self,
        query: &Query<'_>,
        asker: &Asker<'_>,
        host: &str,
        entry: &Entry,
        moment: Moment,
        out: &mut Vec<u8>,
    ) {
        count(&self.counters.safe_search);
        let left = u32::try_from(entry.left(moment.now).as_secs()).unwrap_or(u32::MAX);
        reply::begin(query.bytes, query.end, rcode::NOERROR, false, out);
        safe_search::write(query, host, entry, left.max(1).min(moment.most), out);
        reply::finish(query, asker.transport, rcode::NOERROR, None, out);
    }

    pub(super) fn failed(&self, query: &Query<'_>, asker: &Asker<'_>, failure: Failure, out: &mut Vec<u8>) {
        count(&self.counters.failed);
        let code = match failure {
            // Over a connection there may be a seat still: there nobody sits in another's name.
            Failure::Busy if asker.transport == Transport::Udp => return over_tcp(query, out),
            Failure::Busy => ede::NOT_READY,
            Failure::NoAnswer => ede::NO_REACHABLE_AUTHORITY,
            Failure::Failed(_) => ede::NETWORK_ERROR,
            Failure::Bogus(how) => how.unwrap_or(ede::BOGUS),
        };
        reply::failure(query, asker.transport, code, out);
    }
}

/// Tells a client that asked over UDP to ask again over TCP (RFC 7766 §5): nothing is answered.
pub(super) fn over_tcp(query: &Query<'_>, out: &mut Vec<u8>) {
    reply::begin(query.bytes, query.end, rcode::NOERROR, false, out);
    reply::truncate(query, out, rcode::NOERROR);
}

/// An answer without answers says for how long that holds.
pub(super) fn end_with_soa(ttl: u32, out: &mut Vec<u8>) {
    if out[6..8] == [0, 0] {
        reply::soa(out, ttl);
    }
}
