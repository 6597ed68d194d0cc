//! Names to addresses on the judged path: cache, upstreams, and a judgement of every name in the answer.

mod flight;
mod order;

use crate::cache::{Age, Asking, Cache, Entry, Key};
use crate::dns::safe_search::{self, Search};
use crate::dns::wire::{WireName, rtype};
use crate::dns::{rebinding, special, verdicts};
use crate::gate::{Gate, Who};
use crate::identify::Shown;
use crate::limits::Counted;
use crate::target;
use crate::upstream::Validator;
use crate::upstream::{Failure, Question, Upstreams};
use agreements::{Dnssec, Gateway, Host, Upstream, Verdict, holds};
use blocklists::{Domain, Name};
use records::{Clock, Current, Face};
use rustls::pki_types::CertificateDer;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use flight::For;

pub use crate::cache::Keeping;
pub use crate::upstream::{Timing, UpstreamHealth};

/// How the resolver works. [`ResolverSettings::new`] takes `gateway.yaml`; the rest has defaults that fit a home.
#[derive(Clone, Debug)]
pub struct ResolverSettings {
    /// Where names are resolved, in order of preference.
    pub upstream: Vec<Upstream>,
    /// What is done about DNSSEC.
    pub dnssec: Dnssec,
    /// Addresses inside the home that answers may point to.
    pub home_network: Vec<(IpAddr, u8)>,
    /// Whether an address is this machine's own: no answer may point there either.
    pub is_own: fn(IpAddr) -> bool,
    /// For how long answers are kept.
    pub keeping: Keeping,
    /// How long upstreams are waited for.
    pub timing: Timing,
    /// How long a client waits before it gets an answer whose time is over (RFC 8767 §5).
    pub stale_after: Duration,
    /// For how long a question that failed is not asked again (RFC 9520 §3.2: at least 1 s).
    pub failure_memory: Duration,
    /// At most so many questions are with the upstreams at once, and as many again for protected names; more are answered
    /// with SERVFAIL. Over UDP each has a socket of its own, so that the limit of open files has to leave room for them.
    pub most_in_flight: usize,
    /// Of these, for one client ([`records::Face::counted`]). Names that never answer must not close the others to everybody.
    pub most_in_flight_of_one: usize,
    /// Who asks for others, by address and prefix length: each has more of these, and never all.
    pub trust_forwarders: Vec<(IpAddr, u8)>,
    /// Certificate authorities to trust for DoT and DoH beside those of the web.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Trust anchors for validation, as lines of a zone file; the root's own when empty.
    pub trust_anchors: String,
}

impl ResolverSettings {
    /// The defaults for what `gateway.yaml` says.
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            upstream: gateway.upstream.clone(),
            dnssec: gateway.dnssec,
            home_network: gateway.home_network.clone(),
            is_own: target::is_own,
            keeping: Keeping::default(),
            timing: Timing::default(),
            stale_after: Duration::from_millis(1800),
            failure_memory: Duration::from_secs(1),
            most_in_flight: 512,
            most_in_flight_of_one: 64,
            trust_forwarders: gateway.trust_forwarders.clone(),
            extra_roots: Vec::new(),
            trust_anchors: String::new(),
        }
    }
}

/// Why a resolver cannot be set up.
#[derive(Debug)]
pub enum NotAResolver {
    /// A certificate authority cannot be used.
    Roots(rustls::Error),
    /// The trust anchors cannot be read.
    TrustAnchors,
}

impl std::fmt::Display for NotAResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Roots(error) => write!(f, "a certificate authority for upstreams cannot be used: {error}"),
            Self::TrustAnchors => f.write_str("the DNSSEC trust anchors cannot be read"),
        }
    }
}

impl std::error::Error for NotAResolver {}

/// Resolves names through cache and upstreams. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    cache: Cache,
    upstreams: Arc<Upstreams>,
    validator: Option<Validator>,
    flights: flight::Flights,
    failed: quick_cache::sync::Cache<Key, (Duration, Failure)>,
    settings: ResolverSettings,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A few thousand failed questions are remembered for a moment.
const FAILED: usize = 4096;
/// How long an answer that could not be renewed is used before an upstream is asked again (RFC 8767 §5).
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// An answer for a question.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) entry: Arc<Entry>,
    /// Its time is over, and nothing better could be had.
    pub(crate) stale: bool,
}

/// What the cache has for a question.
#[derive(Debug)]
pub(crate) enum Cached {
    /// A good answer.
    Hit(Arc<Entry>),
    /// A good answer whose time is nearly over and that is in demand: the caller sees that it is fetched again.
    Renew(Arc<Entry>),
    /// Nothing that can be used without asking.
    Miss,
}

/// Addresses that a name really has, and how long they may be used.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// IPv6 and IPv4 addresses, in the order to try.
    pub addresses: Vec<IpAddr>,
    /// For how long.
    pub ttl: Duration,
    /// The names that led there (CNAME), each once. Whoever keeps a connection to one of the addresses has to judge them again
    /// when something changes.
    pub through: Box<[Domain]>,
    /// What safe search made of the name.
    pub(crate) search: Search,
}

/// Why a name has no addresses for whoever asks.
#[derive(Debug)]
pub enum Unresolved {
    /// The name, or one that it leads to (CNAME), is refused: which, and why.
    Refused(Domain, Box<Verdict>),
    /// There is no such name, or it has no address.
    NoSuchName,
    /// The answer points into the home's own network (DNS rebinding).
    Rebinding,
    /// No upstream answered.
    Upstream,
}

impl Resolver {
    /// Sets up cache and upstreams. No connection is made until a question needs it.
    pub fn new(settings: ResolverSettings, clock: Arc<dyn Clock>) -> Result<Self, NotAResolver> {
        let upstreams =
            Upstreams::new(&settings.upstream, settings.timing, &settings.extra_roots, Arc::clone(&clock))
                .map_err(NotAResolver::Roots)?;
        let upstreams = Arc::new(upstreams);
        let validator = match settings.dnssec {
            Dnssec::Validate => Some(
                Validator::new(&settings.trust_anchors, Arc::clone(&upstreams))
                    .ok_or(NotAResolver::TrustAnchors)?,
            ),
            Dnssec::Pass | Dnssec::Off => None,
        };
        let shared = Shared {
            clock,
            cache: Cache::new(settings.keeping),
            upstreams,
            validator,
            flights: flight::Flights::new(flight::Most {
                all: settings.most_in_flight,
                of_one: settings.most_in_flight_of_one,
            }),
            failed: quick_cache::sync::Cache::new(FAILED),
            settings,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether an address is of those who ask for others.
    pub(crate) fn is_forwarder(&self, address: IpAddr) -> bool {
        let (address, forwarders) = (address.to_canonical(), &self.shared.settings.trust_forwarders);
        forwarders.iter().any(|&(network, length)| holds(network.to_canonical(), length, address))
    }

    /// What is done about DNSSEC.
    pub(crate) fn dnssec(&self) -> Dnssec {
        self.shared.settings.dnssec
    }

    /// The number of answers kept, and their bytes.
    pub fn cache_size(&self) -> (usize, u64) {
        self.shared.cache.size()
    }

    /// How many upstreams answer, do not, and were never asked.
    pub fn upstream_health(&self) -> UpstreamHealth {
        self.shared.upstreams.health()
    }

    /// What the cache has. It never waits.
    pub(crate) fn cached(&self, asking: &Asking<'_>, now: Duration) -> Cached {
        match self.shared.cache.find(asking, now) {
            Some((entry, Age::Fresh(left))) if entry.used(left) => Cached::Renew(entry),
            Some((entry, Age::Fresh(_))) => Cached::Hit(entry),
            Some((_, Age::Stale | Age::Gone)) | None => Cached::Miss,
        }
    }

    /// Fetches an answer again although it is still good.
    pub(crate) fn renew(&self, asking: &Asking<'_>, of: For) {
        // When too much is in flight already, the answer simply ends in its time.
        let _ = self.shared.join(Key::from(*asking), of);
    }

    /// The answer to a question: kept, fetched, or one whose time is over when nothing better is to be had.
    pub(crate) async fn find(&self, asking: &Asking<'_>, of: For) -> Result<Found, Failure> {
        let shared = &self.shared;
        let now = shared.clock.steady();
        let old = match shared.cache.find(asking, now) {
            Some((entry, Age::Fresh(_))) => return Ok(Found { entry, stale: false }),
            Some((entry, Age::Stale)) if entry.rests(now) => return Ok(Found { entry, stale: true }),
            Some((entry, Age::Stale)) => Some(entry),
            Some((_, Age::Gone)) | None => None,
        };
        if let (None, Some((until, failure))) = (&old, shared.failed.get(asking))
            && now < until
        {
            return Err(failure);
        }
        let flight = match (shared.join(Key::from(*asking), of), &old) {
            (Some(flight), _) => flight,
            (None, Some(entry)) => return Ok(Found { entry: Arc::clone(entry), stale: true }),
            (None, None) => return Err(Failure::Busy),
        };
        let Some(entry) = old else { return Ok(Found { entry: flight.landed().await?, stale: false }) };
        match tokio::time::timeout(shared.settings.stale_after, flight.landed()).await {
            Ok(Ok(entry)) => Ok(Found { entry, stale: false }),
            // A forged answer is no reason to go on with the old one.
            Ok(Err(Failure::Bogus(how))) => Err(Failure::Bogus(how)),
            Ok(Err(Failure::Busy | Failure::NoAnswer | Failure::Failed(_))) | Err(_) => {
                Ok(Found { entry, stale: true })
            }
        }
    }

    /// The addresses of a name for somebody at a client's address. The name itself is judged by the caller; every name
    /// that the answer leads to is judged here.
    pub async fn addresses(
        &self,
        gate: &Gate,
        current: &Current,
        who: &Who,
        client: IpAddr,
        name: Name<'_>,
    ) -> Result<Resolved, Unresolved> {
        if special::is_local(name) {
            return Err(Unresolved::NoSuchName);
        }
        let search = safe_search::search(current.snapshot.house.safe_search(gate.person(who)), name);
        let wire = match search {
            Search::AsAsked => WireName::from_name(name),
            Search::Host(host) => WireName::from_name(Name::trusted(host)),
            Search::Address(address) => {
                let (addresses, ttl) = (vec![address], self.shared.settings.keeping.least);
                return Ok(Resolved { addresses, ttl, through: Box::default(), search });
            }
        };
        let asking = |qtype| Asking { name: &wire, qtype, flags: 0 };
        let (six, four) = (asking(rtype::AAAA), asking(rtype::A));
        let asked = gate.judge(current, who, Host::Name(name), None);
        let counted = gate.counted(&Shown::bare(client));
        let of = For::client(counted, verdicts::protects(&asked), true);
        let found = self.both(&six, &four, of).await?;
        for entry in &found {
            let judge = |target: Name<'_>| gate.judge(current, who, Host::Name(target), None);
            if let Err((target, verdict)) = verdicts::judge_names(judge, Some(&asked), entry.targets()) {
                return Err(Unresolved::Refused(target.clone(), Box::new(verdict)));
            }
        }
        let judge = |address| gate.judge(current, who, Host::Address(address), None);
        let around = found.iter().flat_map(|entry| verdicts::around(current, entry));
        if let Some((_, verdict)) = verdicts::judge_bare(judge, Some(&asked), around) {
            return Err(Unresolved::Refused(name.to_domain(), Box::new(verdict)));
        }
        let addresses = outside(&found)?;
        let now = self.shared.clock.steady();
        let ttl = found.iter().map(|entry| entry.left(now)).min().unwrap_or_default();
        let mut through: Vec<_> = found.iter().flat_map(|entry| entry.targets()).cloned().collect();
        through.sort_unstable();
        through.dedup();
        Ok(Resolved { addresses, ttl, through: through.into(), search })
    }

    /// The addresses of a name that the gateway itself needs, for nobody: whoever publishes a list. Nothing is judged, and no
    /// agreement can close it.
    pub async fn addresses_for_the_gateway(&self, name: Name<'_>) -> Result<Vec<IpAddr>, Unresolved> {
        if special::is_local(name) {
            return Err(Unresolved::NoSuchName);
        }
        let wire = WireName::from_name(name);
        let asking = |qtype| Asking { name: &wire, qtype, flags: 0 };
        let ourselves = Counted::one(Face::Address(Ipv4Addr::LOCALHOST.into()));
        let of = For::client(ourselves, false, true);
        outside(&self.both(&asking(rtype::AAAA), &asking(rtype::A), of).await?)
    }

    /// The answers for both families; one may be missing.
    async fn both(
        &self,
        six: &Asking<'_>,
        four: &Asking<'_>,
        of: For,
    ) -> Result<Vec<Arc<Entry>>, Unresolved> {
        let (six, four) = tokio::join!(self.find(six, of), self.find(four, of));
        if six.is_err() && four.is_err() {
            return Err(Unresolved::Upstream);
        }
        Ok([six, four].into_iter().flatten().map(|found| found.entry).collect())
    }
}

/// The addresses in answers, in the order to try, if none leads into the home.
fn outside(found: &[Arc<Entry>]) -> Result<Vec<IpAddr>, Unresolved> {
    if found.iter().any(|entry| entry.rebinds) {
        return Err(Unresolved::Rebinding);
    }
    let addresses = order::interleaved(found.iter().flat_map(|entry| entry.addresses()));
    if addresses.is_empty() { Err(Unresolved::NoSuchName) } else { Ok(addresses) }
}

impl Shared {
    /// Joins whoever asks the same already, or begins to ask. `None`: too much is being asked.
    fn join(self: &Arc<Self>, key: Key, of: For) -> Option<flight::Flight> {
        let shared = Arc::clone(self);
        self.flights.join(key, of, move |key| async move { shared.fetch(key).await })
    }

    async fn fetch(&self, key: Key) -> Result<Arc<Entry>, Failure> {
        let fetched = self.ask(&key).await;
        let now = self.clock.steady();
        match &fetched {
            Ok(entry) => self.cache.keep(key, Arc::clone(entry)),
            Err(failure) => {
                let asking = Asking { name: &key.name(), qtype: key.qtype, flags: key.flags };
                match self.cache.find(&asking, now) {
                    Some((entry, _)) => entry.rest(now + RENEW_AGAIN),
                    None => self.failed.insert(key, (now + self.settings.failure_memory, *failure)),
                }
            }
        }
        fetched
    }

    async fn ask(&self, key: &Key) -> Result<Arc<Entry>, Failure> {
        let wanted = key.flags & crate::cache::DNSSEC != 0;
        let unchecked = key.flags & crate::cache::UNCHECKED != 0;
        let validator = self.validator.as_ref().filter(|_| !unchecked);
        let name = key.name();
        let question = Question {
            name,
            qtype: key.qtype,
            dnssec: wanted || validator.is_some(),
            // Who validates wants to see what is wrong.
            unchecked: unchecked || validator.is_some(),
            keep_dnssec: wanted,
        };
        let (mut answer, raw) = self.upstreams.ask(&question).await?;
        if let Some(validator) = validator {
            answer.authentic = validator.check(&raw).await? && !answer.stripped;
        }
        let allowed = &self.settings.home_network;
        let local = name.text().name().is_under(Name::trusted("home.arpa"));
        let told = answer.addresses.iter().chain(&answer.hints);
        let inside = rebinding::points_inside(told, allowed, self.settings.is_own);
        Ok(Arc::new(Entry::new(answer, inside && !local, self.clock.steady(), &self.settings.keeping)))
    }
}
