//! What is said of a question: by the agreement of who asks, and by safe search; and what is looked up for it.

use super::again::Told;
use super::case::{Case, Decided};
use super::question::{Heard, Query, Room, hear};
use super::safe_search::{self, Search};
use super::special::{self, Local};
use super::wire::{WireName, rtype};
use super::{Asker, Dns, Transport, verdicts};
use crate::cache::{Asking, DNSSEC, UNCHECKED};
use crate::gate::{Client, Round};
use crate::resolver::For;
use agreements::{Dnssec, Host, Request};
use blocklists::{Name, Tags};

/// A question decided outside a worker's round, and on whose behalf an upstream is asked.
pub(super) struct Alone {
    pub(super) round: Round,
    pub(super) client: Client,
    pub(super) decided: Decided,
    pub(super) of: For,
}

impl Dns {
    /// What is said of a question, and what safe search makes of it.
    pub(super) fn decide(&self, case: &Case<'_>, tags: Tags, told: &mut Told) -> Decided {
        let Case { query, round, client, .. } = *case;
        let house = &round.current.snapshot.house;
        let request = Request { host: Host::Name(query.text), tags, path: None };
        let verdict = told.judge(house, &client.moment, &request);
        // What is refused is not looked for.
        let search = if verdict.allows() && (query.for_addresses() || query.qtype == rtype::SVCB) {
            safe_search::search(house.safe_search(client.person), query.text)
        } else {
            Search::AsAsked
        };
        Decided { verdict: Some(verdict), search }
    }

    /// Decides about a question outside a worker's round.
    pub(super) fn decide_alone(&self, query: &Query<'_>, asker: &Asker<'_>) -> Alone {
        let round = self.gate.round();
        let client = self.gate.client(&round, &self.shown(query, asker));
        let case = Case { query, asker, round: &round, client: &client };
        let decided = match self.special(query) {
            None => self.decide(&case, look_up(&round, query.text), &mut Told::default()),
            Some(_) => Decided::UNJUDGED,
        };
        let protected = decided.verdict.as_ref().is_some_and(verdicts::protects);
        let of = For::client(client.counted, protected, asker.transport != Transport::Udp);
        Alone { round, client, decided, of }
    }

    /// Whether the name is protected for who asks, and they may ask for one more such name.
    pub(super) fn is_protected(&self, case: &Case<'_>, tags: Tags, told: &mut Told) -> bool {
        let decided = self.decide(case, tags, told);
        decided.verdict.as_ref().is_some_and(verdicts::protects)
            && self.limits_of(case.transport()).allows_protected(case.client.counted)
    }

    /// Whether a question is for what is protected for who asks.
    pub(super) fn helps(&self, bytes: &[u8], asker: &Asker<'_>) -> bool {
        let mut room = Room::default();
        let Heard::Query(query) = hear(bytes, &mut room) else { return false };
        let decided = self.decide_alone(&query, asker).decided;
        decided.verdict.as_ref().is_some_and(verdicts::protects)
    }

    /// What is answered here and by nobody else, if it is.
    pub(super) fn special(&self, query: &Query<'_>) -> Option<Local> {
        let own = self.settings.own_name.name();
        if !self.settings.designated.is_empty() && special::asks_for_encrypted(query.text, query.qtype, own) {
            return Some(Local::Designated);
        }
        if self.settings.answers_wpad && special::looks_for_proxy(query.text, query.qtype) {
            return Some(Local::Ourselves);
        }
        special::local(query.text, query.qtype, own)
    }

    /// What is looked up: the question's name, or the safe host's.
    pub(super) fn asking<'n>(&self, query: &Query<'n>, safe: Option<&'n WireName>) -> Asking<'n> {
        let (dnssec, unchecked) = match self.gate.resolver.dnssec() {
            Dnssec::Off => (false, false),
            Dnssec::Pass | Dnssec::Validate => (query.dnssec(), query.unchecked()),
        };
        let flags = if dnssec { DNSSEC } else { 0 } | if unchecked { UNCHECKED } else { 0 };
        Asking { name: safe.unwrap_or(query.name), qtype: query.qtype, flags }
    }
}

/// What the catalogue knows of its name.
pub(super) fn look_up(round: &Round, name: Name<'_>) -> Tags {
    round.current.snapshot.catalogue.lookup(name)
}

/// The host whose records answer instead of the name's own.
pub(super) fn safe_host(decided: &Decided) -> Option<WireName> {
    match decided.search {
        Search::Host(host) => Some(WireName::from_name(Name::trusted(host))),
        Search::AsAsked | Search::Address(_) => None,
    }
}
