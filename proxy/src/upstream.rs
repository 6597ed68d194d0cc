//! Where names are resolved: several upstreams in order of preference, one question to one of them at a time.

mod ask;
mod health;
mod plain;
mod secure;
mod validate;

pub(crate) use ask::Question;
pub(crate) use validate::Validator;

use crate::dns::answer::{Answer, Unusable, clean};
use agreements::Upstream;
use health::Health;
use records::Clock;
use rustls::pki_types::CertificateDer;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long upstreams are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For everything together: stub resolvers give up after about 5 s.
    pub total: Duration,
    /// For one upstream, while there is another to try.
    pub attempt: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { total: Duration::from_secs(4), attempt: Duration::from_millis(1500) }
    }
}

/// Why no upstream gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Too much is being asked at once.
    Busy,
    /// None answered in time, or none is configured.
    NoAnswer,
    /// The last one that answered gave this error.
    Failed(u16),
    /// The answer's signatures are wrong; the extended error (RFC 8914) that says how, if known.
    Bogus(Option<u16>),
}

/// The upstreams, in order of preference.
pub(crate) struct Upstreams {
    all: Vec<Arc<One>>,
    timing: Timing,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstreams").field("all", &self.all).finish_non_exhaustive()
    }
}

/// One upstream: how it is reached, and whether it answers.
#[derive(Debug)]
struct One {
    link: Link,
    place: Place,
    health: Health,
}

#[derive(Debug)]
enum Link {
    /// UDP, and TCP for what does not fit or looks forged.
    Plain(secure::Stream),
    /// TCP, DoT or DoH.
    Stream(secure::Stream),
}

#[derive(Debug)]
enum Place {
    At(SocketAddr),
    /// A name, to be looked up through the other upstreams; the address found last.
    Named {
        host: String,
        port: u16,
        found: Mutex<Option<IpAddr>>,
    },
}

/// How the upstreams are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamHealth {
    /// How many answered when they were last asked.
    pub answering: usize,
    /// How many did not.
    pub silent: usize,
    /// How many were never asked.
    pub unknown: usize,
}

impl Upstreams {
    pub(crate) fn new(
        upstreams: &[Upstream],
        timing: Timing,
        roots: &[CertificateDer<'static>],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, rustls::Error> {
        let context = secure::context(timing.total, roots)?;
        let all = upstreams.iter().map(|u| Arc::new(One::new(u, &context))).collect();
        Ok(Self { all, timing, clock })
    }

    /// Asks, in order of preference and health, until one answers. The answer's raw message goes with it.
    pub(crate) async fn ask(&self, question: &Question) -> Result<(Answer, Vec<u8>), Failure> {
        self.ask_without(question, None, Instant::now() + self.timing.total).await
    }

    async fn ask_without(
        &self,
        question: &Question,
        except: Option<&Arc<One>>,
        deadline: Instant,
    ) -> Result<(Answer, Vec<u8>), Failure> {
        let mut failure = Failure::NoAnswer;
        let candidates = self.candidates(except);
        for (place, one) in candidates.iter().enumerate() {
            let last = place + 1 == candidates.len();
            let until = if last { deadline } else { deadline.min(Instant::now() + self.timing.attempt) };
            match timeout_at(until, self.exchange(one, question, deadline)).await {
                Ok(Ok(answer)) => {
                    one.health.works();
                    return Ok(answer);
                }
                Ok(Err(Problem::Says(rcode))) => {
                    one.health.works();
                    failure = Failure::Failed(rcode);
                }
                // Its fault, or the name's: its own probe tells.
                Ok(Err(Problem::Silent)) | Err(_) => self.doubt(one),
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        Err(failure)
    }

    /// Those that work, in order; then the others, since a guess about health must never be the reason for silence.
    fn candidates(&self, except: Option<&Arc<One>>) -> Vec<Arc<One>> {
        let now = self.clock.steady();
        let others = || self.all.iter().filter(|one| !except.is_some_and(|e| Arc::ptr_eq(e, one)));
        let works: Vec<_> = others().filter(|one| one.health.is_up()).cloned().collect();
        for down in others().filter(|one| !one.health.is_up() && one.health.may_probe(now)) {
            self.probe(down);
        }
        let down: Vec<_> = others().filter(|one| !one.health.is_up()).cloned().collect();
        works.into_iter().chain(down).collect()
    }

    /// Looks whether an upstream that did not answer in time works, unless that was done just now.
    fn doubt(&self, one: &Arc<One>) {
        if one.health.may_probe(self.clock.steady()) {
            self.probe(one);
        }
    }

    /// Asks an upstream for the root's servers, beside the questions of people: any answer will do.
    fn probe(&self, one: &Arc<One>) {
        let (one, clock, total) = (Arc::clone(one), Arc::clone(&self.clock), self.timing.total);
        tokio::spawn(async move {
            let asked = match one.known_address() {
                Some(address) => tokio::time::timeout(total, one.send(&Question::root(), address)).await.ok(),
                None => None,
            };
            match asked {
                Some(Ok(_) | Err(Problem::Says(_))) => one.health.is_well(clock.steady()),
                Some(Err(Problem::Silent)) | None => {
                    one.forget_address();
                    one.health.fails(clock.steady());
                }
            }
        });
    }

    async fn exchange(
        &self,
        one: &Arc<One>,
        question: &Question,
        deadline: Instant,
    ) -> Result<(Answer, Vec<u8>), Problem> {
        let address = match one.known_address() {
            Some(address) => address,
            None => Box::pin(self.find_address(one, deadline)).await?,
        };
        one.send(question, address).await
    }

    /// Looks up the address of an upstream that is given by name, through the others.
    async fn find_address(&self, one: &Arc<One>, deadline: Instant) -> Result<SocketAddr, Problem> {
        let Place::Named { host, port, found } = &one.place else { return Err(Problem::Silent) };
        for question in Question::addresses_of(host).ok_or(Problem::Silent)? {
            if let Ok((answer, _)) = self.ask_without(&question, Some(one), deadline).await
                && let Some(address) = answer.addresses.first()
            {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(*address);
                return Ok(SocketAddr::new(*address, *port));
            }
        }
        Err(Problem::Silent)
    }

    /// How many answer, how many do not, and of how many nothing is known yet.
    pub(crate) fn health(&self) -> UpstreamHealth {
        let mut health = UpstreamHealth::default();
        for one in &self.all {
            *match (one.health.is_known(), one.health.is_up()) {
                (false, _) => &mut health.unknown,
                (true, true) => &mut health.answering,
                (true, false) => &mut health.silent,
            } += 1;
        }
        health
    }
}

/// Whose fault: the upstream said so, or it said nothing of use.
#[derive(Clone, Copy, Debug)]
enum Problem {
    Says(u16),
    Silent,
}

impl One {
    fn new(upstream: &Upstream, context: &Arc<secure::Context>) -> Self {
        use hickory_resolver::config::ConnectionConfig;
        let stream = |config, port| secure::Stream::new(config, port, Arc::clone(context));
        let (link, place) = match upstream {
            Upstream::Udp(at) => (Link::Plain(stream(ConnectionConfig::tcp(), at.port())), Place::At(*at)),
            Upstream::Tcp(at) => (Link::Stream(stream(ConnectionConfig::tcp(), at.port())), Place::At(*at)),
            Upstream::Tls(at, name) => {
                let config = ConnectionConfig::tls(name.as_str().into());
                (Link::Stream(stream(config, at.port())), Place::At(*at))
            }
            Upstream::Https { host, port, path, address } => {
                let config = ConnectionConfig::https(host.as_str().into(), Some(path.as_str().into()));
                let place = match address {
                    Some(address) => Place::At(SocketAddr::new(*address, *port)),
                    None => Place::Named { host: host.clone(), port: *port, found: Mutex::new(None) },
                };
                (Link::Stream(stream(config, *port)), place)
            }
        };
        Self { link, place, health: Health::default() }
    }

    fn known_address(&self) -> Option<SocketAddr> {
        match &self.place {
            Place::At(at) => Some(*at),
            Place::Named { port, found, .. } => {
                let found = *found.lock().unwrap_or_else(PoisonError::into_inner);
                found.map(|address| SocketAddr::new(address, *port))
            }
        }
    }

    fn forget_address(&self) {
        match &self.place {
            Place::At(_) => {}
            Place::Named { found, .. } => *found.lock().unwrap_or_else(PoisonError::into_inner) = None,
        }
    }

    async fn send(&self, question: &Question, address: SocketAddr) -> Result<(Answer, Vec<u8>), Problem> {
        match &self.link {
            Link::Stream(stream) => self.send_stream(stream, question, address).await,
            Link::Plain(tcp) => match plain::ask(address, question).await {
                Ok(plain::Heard::Message(message)) => match question.read(&message) {
                    Err(Unusable::Truncated) => self.send_stream(tcp, question, address).await,
                    other => judged(other, message),
                },
                Ok(plain::Heard::Doubtful) => self.send_stream(tcp, question, address).await,
                Err(_) => Err(Problem::Silent),
            },
        }
    }

    async fn send_stream(
        &self,
        stream: &secure::Stream,
        question: &Question,
        address: SocketAddr,
    ) -> Result<(Answer, Vec<u8>), Problem> {
        let message = stream.ask(address.ip(), &question.wire()).await.ok_or(Problem::Silent)?;
        judged(question.read(&message), message)
    }
}

fn judged(read: Result<Answer, Unusable>, message: Vec<u8>) -> Result<(Answer, Vec<u8>), Problem> {
    match read {
        Ok(answer) => Ok((answer, message)),
        Err(Unusable::Failed(rcode)) => Err(Problem::Says(rcode)),
        Err(Unusable::Malformed | Unusable::OtherQuestion | Unusable::Truncated) => Err(Problem::Silent),
    }
}

impl Question {
    fn read(&self, message: &[u8]) -> Result<Answer, Unusable> {
        clean(message, &self.name, self.qtype, self.keep_dnssec)
    }
}
