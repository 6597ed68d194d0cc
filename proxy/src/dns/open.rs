//! At a router whose rules are ours: what an answer gives is opened before the answer is given.

use super::again::Told;
use super::case::{Case, Decided};
use super::decide::Alone;
use super::deliver::Moment;
use super::question::Query;
use super::safe_search::Search;
use super::tell::Telling;
use super::{Asker, Dns, Transport, verdicts};
use crate::cache::Entry;
use crate::router::{Wanted, Why};
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker as Who, Made, Way};
use crate::upstream::Failure;
use agreements::Rule;
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The address that safe search answers with by itself.
pub(super) fn fixed(decided: &Decided) -> Option<IpAddr> {
    match decided.search {
        Search::Address(address) => Some(address),
        Search::AsAsked | Search::Host(_) => None,
    }
}

/// How long a client may use an answer.
fn usable(entry: &Entry, moment: Moment) -> Duration {
    entry.left(moment.now).min(Duration::from_secs(moment.most.into()))
}

impl Dns {
    /// Whether the client may reach all that an answer leads to, for as long as it may use the answer.
    pub(super) fn is_open(&self, case: &Case<'_>, decided: &Decided, entry: &Entry, moment: Moment) -> bool {
        decided.verdict.is_none() || self.covers(case, entry.leads_to(), usable(entry, moment))
    }

    /// The same of the address that safe search answers with by itself.
    pub(super) fn is_fixed_open(&self, case: &Case<'_>, decided: &Decided) -> bool {
        let Some(address) = fixed(decided) else { return true };
        let until = decided.verdict.as_ref().and_then(|verdict| verdict.until);
        let most = verdicts::allowed_for(until, case.round.now, self.settings.most_ttl);
        self.covers(case, std::iter::once(&address), Duration::from_secs(most.into()))
    }

    fn covers<'a>(
        &self,
        case: &Case<'_>,
        leads_to: impl Iterator<Item = &'a IpAddr>,
        usable: Duration,
    ) -> bool {
        let Some(openings) = &self.gate.openings else { return true };
        let shown = self.shown(case.query, case.asker);
        openings.covers(&shown, case.query.text.as_str(), leads_to, usable)
    }

    /// Opens what an answer leads to. Whether that was done: if not, the answer must not be given.
    pub(super) async fn open(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        entry: &Entry,
        telling: Telling,
    ) -> bool {
        let Telling { moment, until } = telling;
        let way = Way::to(entry.targets(), decided.search);
        let addresses = entry.leads_to().copied().collect();
        self.open_to(case, decided, (addresses, way), usable(entry, moment), until).await
    }

    async fn open_to(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        (addresses, way): (Vec<IpAddr>, Option<Box<Way>>),
        usable: Duration,
        until: Option<DateTime<Utc>>,
    ) -> bool {
        let (Some(openings), Some(verdict)) = (&self.gate.openings, &decided.verdict) else { return true };
        if addresses.is_empty() {
            return true;
        }
        let shown = self.shown(case.query, case.asker);
        let host = TargetHost::Name(case.query.text.to_domain());
        let made = Made::new(&self.gate, &case.round.current, &case.client.who, verdict);
        let wanted = Wanted {
            asker: Who { address: shown.address, token: shown.token.map(Into::into) },
            hardware: shown.hardware,
            asked: Arc::new(Asked { host, path: None, way }),
            protected: verdicts::protects(verdict),
            unread: verdicts::protects(verdict) || verdict.rule == Rule::PrivateMail,
            made: Made { until, ..made },
            addresses,
            usable,
            why: if case.transport() == Transport::Udp { Why::Datagram } else { Why::Connected },
        };
        openings.open(wanted).await
    }

    /// Opens the address that safe search answers with by itself, and answers.
    pub(super) async fn tell_fixed(
        &self,
        query: &Query<'_>,
        asker: &Asker<'_>,
        alone: Alone,
        address: IpAddr,
        out: &mut Vec<u8>,
    ) {
        let Alone { round, client, decided, .. } = alone;
        let case = &Case { query, asker, round: &round, client: &client };
        if self.refused(case, &decided, &mut Told::default(), out) {
            return;
        }
        let until = decided.verdict.as_ref().and_then(|verdict| verdict.until);
        let most = verdicts::allowed_for(until, round.now, self.settings.most_ttl);
        let way = Way::to(&[], decided.search);
        let usable = Duration::from_secs(most.into());
        if self.open_to(case, &decided, (vec![address], way), usable, until).await {
            self.search_without_asking(case, &decided, out);
        } else {
            self.failed(query, asker, Failure::Busy, out);
        }
    }
}
