//! The HTTP proxy: requests in absolute form, tunnels, upgrades, and the gateway's own pages; and connections that the
//! router redirected to it.
//!
//! The life of a request stands on one screen, in `Proxy::stages`. Everything that can refuse stands before the origin is
//! dialled; everything that is open afterwards stays under judgement (`tunnel/warden.rs`).

mod answer;
mod asked;
mod config;
mod counters;
mod forward;
mod headers;
mod memory;
mod pool;
mod problem;
mod redirected;
mod refuse;
mod token;
mod visit;

pub use answer::{BodyError, OwnBody, want};
pub use config::{Config, Limits, OwnPages};
pub use counters::{Counter, Counters};
pub use refuse::refusal_page;

pub(crate) use answer::Body;
pub(crate) use asked::Path;
pub(crate) use counters::One;
pub(crate) use redirected::prefer;
pub(crate) use visit::{Place, Visit};

use crate::gate::{Gate, Who};
use crate::identify::Shown;
use crate::limits::{self, Counted};
use crate::resolver::Unresolved;
use crate::seats::{Places, Seat, Seats};
use crate::target::{PortUse, Target, TargetHost};
use crate::tunnel::dial::{self, NotDialled};
use crate::tunnel::{self, Asked, Asker, Lease, Made, Warden, Way};
use agreements::Evidence;
use asked::For;
pub use asked::evidence;
use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use memory::Memory;
use pool::Pool;
use problem::Problem;
use records::{Current, Identified};
use refuse::Refused;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The token of a device that asks for the gateway's own pages, in the request's extensions: it is good.
#[derive(Clone, Debug)]
pub struct ShownToken(pub Box<str>);

/// The largest head of a request.
const LARGEST_HEAD: usize = 32 * 1024;
/// The most a connection reads ahead.
const LARGEST_BUFFER: usize = 64 * 1024;
/// So many connections beyond its share has a client for what is protected for it: a browser opens six at once.
const SPARE: usize = 8;

/// What every connection shares.
pub(crate) struct Proxy {
    pub(crate) gate: Arc<Gate>,
    pub(crate) config: Config,
    pub(crate) warden: Arc<Warden>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tasks: TaskTracker,
    pool: Arc<Pool>,
    memory: Memory,
    rates: limits::Limits,
    seats: Arc<Seats>,
}

/// Why a request goes no further.
pub(crate) enum No {
    /// A verdict refused it.
    Refused(Box<Refused>),
    /// Something is wrong with it, or with the way to its origin.
    Problem(Problem),
}

impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// A request that was judged and may go on.
pub(crate) struct Admitted {
    pub(crate) asker: Asker,
    pub(crate) who: Who,
    pub(crate) current: Arc<Current>,
    pub(crate) asked: Asked,
    pub(crate) made: Made,
    pub(crate) evidence: Evidence,
}

impl Admitted {
    /// Puts what was admitted into the warden's care. `visit` is ended when it is no longer allowed.
    pub(crate) fn hold(self, proxy: &Proxy, quiet: Duration, visit: &Visit) -> Lease {
        proxy.warden.hold(self.asker, self.asked, self.made, quiet, visit.cut.clone())
    }
}

/// The proxy's listeners, which the caller has bound.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Where clients come that know of the proxy.
    pub explicit: Vec<TcpListener>,
    /// Where the router redirects connections to: each has to keep the destination that it meant (`SO_ORIGINAL_DST`).
    pub redirected: Vec<TcpListener>,
}

impl From<Vec<TcpListener>> for Listeners {
    fn from(explicit: Vec<TcpListener>) -> Self {
        Self { explicit, redirected: Vec::new() }
    }
}

/// How connections come in at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Knowingly,
    Redirected,
}

/// Serves the proxy on these listeners until `shutdown`. Then no connection is taken any more, and what is open has
/// [`Limits::grace`] to end.
pub async fn serve(
    listeners: impl Into<Listeners>,
    gate: Arc<Gate>,
    config: Config,
    shutdown: CancellationToken,
) {
    let proxy = Arc::new(Proxy::new(gate, config));
    let stopped = CancellationToken::new();
    let warden = Arc::clone(&proxy.warden);
    let watching = tokio::spawn({
        let stopped = stopped.clone();
        async move { warden.watch(stopped).await }
    });
    let tidying = tokio::spawn(tidy(Arc::clone(&proxy.pool), stopped.clone()));
    let Listeners { explicit, redirected } = listeners.into();
    let explicit = explicit.into_iter().map(|l| (l, Came::Knowingly));
    let all = explicit.chain(redirected.into_iter().map(|l| (l, Came::Redirected)));
    join_all(all.map(|listener| accept(&proxy, listener, &shutdown, &stopped))).await;
    proxy.tasks.close();
    if tokio::time::timeout(proxy.config.limits.grace, proxy.tasks.wait()).await.is_err() {
        tracing::info!("the proxy stops; what is still open is closed now");
    }
    stopped.cancel();
    proxy.tasks.wait().await;
    // Both end with `stopped`, and neither panics.
    let _ = tokio::join!(watching, tidying);
}

/// Takes connections.
async fn accept(
    proxy: &Arc<Proxy>,
    (listener, came): (TcpListener, Came),
    shutdown: &CancellationToken,
    stopped: &CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => proxy.welcome((stream, peer, came), shutdown, stopped),
            Err(error) => {
                // Out of files, mostly. Without this pause the loop would spin until a connection ends.
                tracing::warn!(%error, "the proxy cannot take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Closes unused connections to origins in time, even when no request comes.
async fn tidy(pool: Arc<Pool>, stopped: CancellationToken) {
    let mut rounds = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            _ = rounds.tick() => pool.drop_old(),
        }
    }
}

impl Proxy {
    fn new(gate: Arc<Gate>, config: Config) -> Self {
        let counters = Arc::clone(&config.counters);
        Self {
            warden: Arc::new(Warden::new(Arc::clone(&gate), Arc::clone(&counters))),
            seats: Seats::new(Places {
                all: config.limits.connections,
                one: config.limits.per_client,
                spare: SPARE,
            }),
            tasks: TaskTracker::new(),
            pool: Arc::default(),
            memory: Memory::new(),
            rates: limits::Limits::new(config.limits.rate),
            gate,
            config,
            counters,
        }
    }

    /// Gives a new connection its place and its task, or closes it when its client has too many.
    fn welcome(
        self: &Arc<Self>,
        (stream, peer, came): (TcpStream, SocketAddr, Came),
        shutdown: &CancellationToken,
        stopped: &CancellationToken,
    ) {
        self.counters.accepted.add(1);
        let cut = stopped.child_token();
        let seat = self.seats.take(self.gate.face(&Shown::bare(peer.ip())), cut.clone());
        if seat.as_ref().is_none_or(Seat::is_spare) {
            self.counters.too_many.add(1);
        }
        let Some(seat) = seat else { return };
        let place = Arc::new(Place { seat, _open: Counter::one(&self.counters, |c| &c.connections_open) });
        dial::tune(&stream);
        let local = stream.local_addr().ok();
        let meant = match came {
            Came::Knowingly => None,
            Came::Redirected => redirected::meant(&stream),
        };
        let visit = Arc::new(Visit { peer, local, meant, cut, place });
        let (proxy, shutdown) = (Arc::clone(self), shutdown.clone());
        match (came, meant) {
            (Came::Knowingly, _) => drop(self.tasks.spawn(proxy.converse(stream, visit, shutdown))),
            (Came::Redirected, Some(meant)) => {
                drop(self.tasks.spawn(proxy.meet(stream, meant, visit, shutdown)));
            }
            (Came::Redirected, None) => {}
        }
    }

    /// One connection's requests, one after the other.
    async fn converse(self: Arc<Self>, stream: TcpStream, visit: Arc<Visit>, shutdown: CancellationToken) {
        Box::pin(self.gate.meet(&Shown::bare(visit.peer.ip()))).await;
        let cut = visit.cut.clone();
        let limits = &self.config.limits;
        let head = limits.head;
        let service = service_fn(|request| {
            let (proxy, visit) = (Arc::clone(&self), Arc::clone(&visit));
            async move { Ok::<_, Infallible>(Box::pin(proxy.answer(visit, request)).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new()) // Without a timer hyper's limits are silently off.
            .header_read_timeout(head)
            .max_header_size(LARGEST_HEAD)
            .max_buf_size(LARGEST_BUFFER)
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            // A connection that breaks is its client's affair.
            _ = connection.as_mut() => return,
            () = cut.cancelled() => return,
            () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = connection.as_mut() => {}
            () = cut.cancelled() => {}
        }
    }

    async fn answer(self: Arc<Self>, visit: Arc<Visit>, request: Request<Incoming>) -> Response<Body> {
        let want = answer::want(request.headers());
        let language = request.headers().get(header::ACCEPT_LANGUAGE).cloned();
        let mut response = match self.stages(&visit, request).await {
            Ok(response) => return response,
            Err(No::Refused(refused)) => refused.answer(&self.gate, want, language.as_ref()),
            Err(No::Problem(problem)) => {
                self.counters.problems.add(1);
                problem.answer(want)
            }
        };
        if visit.is_spare() {
            // It was kept for what is protected, and this was not.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The life of a request.
    async fn stages(
        self: &Arc<Self>,
        visit: &Arc<Visit>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, No> {
        // What is it for? The target as written decides, never `Host`.
        let wanted = asked::read(&request, visit, &self.config.own_names);
        // Not too fast. Own pages and what is wrong count as well: they cost the gateway as much as any other.
        if !self.has_allowance(visit, wanted.as_ref().ok()) {
            return Err(Problem::TooFast.into());
        }
        let wanted = wanted?;
        let (target, path) = match &wanted {
            For::Own => return Ok(self.own_page(visit, request).await),
            For::Plain(target, path) => (target.clone(), Some(Box::new(path.clone()))),
            For::Tunnel(target, _) => (target.clone(), None),
        };
        // Who asks? A token that a device shows stands before its address; a wrong one is never passed over in silence. Help is
        // reached whatever token is shown or missing, and so tells nothing of a token.
        let asker = match self.asker(visit, request.headers()) {
            Err(_) if self.is_protected(visit.peer.ip(), Some(&wanted)) => {
                Asker::without_token(visit.peer.ip())
            }
            asker => asker?,
        };
        // May they, now? Before anything of the name is told to anybody outside.
        let asked = Asked { host: target.host.clone(), path, way: None };
        let mut admitted = self.admit(asker, asked, evidence(request.method(), request.headers()))?;
        // Where is it? Every name on the way there is judged as well.
        let mut found = self.find(&mut admitted, &target.host).await?;
        prefer(&mut found, visit.meant);
        // Dial the address that was checked, relay, and stay under judgement.
        match wanted {
            For::Tunnel(_, port) => {
                self.counters.connects.add(1);
                tunnel::open(self, visit, admitted, (target, port), &found, request).await
            }
            For::Own | For::Plain(..) => {
                self.counters.plain.add(1);
                forward::exchange(self, visit, admitted, target, &found, request).await
            }
        }
    }

    /// Whether the client may make one more request. What is protected for it has an allowance of its own, which opens
    /// only when the other is used up, and the only one of a connection that came in beyond the client's share.
    fn has_allowance(&self, visit: &Visit, wanted: Option<&For>) -> bool {
        let address = visit.peer.ip();
        let face = self.gate.face(&Shown::bare(address));
        visit.place.seat.is_of(face);
        let client = Counted::one(face);
        let with_all = !visit.is_spare() && self.rates.allows(client);
        with_all || (self.is_protected(address, wanted) && self.rates.allows_protected(client))
    }

    /// Whether the client may ask for one more tunnel to there.
    pub(crate) fn may_ask(&self, visit: &Visit, target: &Target) -> bool {
        self.has_allowance(visit, Some(&For::Tunnel(target.clone(), PortUse::ClientFirst)))
    }

    /// Whether a request is for what is protected for whoever speaks from this address. A token is not looked at: what is
    /// protected is so for everybody, and nobody tries tokens out beyond the limit.
    fn is_protected(&self, client: IpAddr, wanted: Option<&For>) -> bool {
        let Some(For::Plain(target, _) | For::Tunnel(target, _)) = wanted else { return false };
        let current = self.gate.in_force.current();
        let who = Asker::without_token(client).who(&self.gate, &current);
        self.gate.is_protected(&current, &who, &target.host)
    }

    async fn own_page(&self, visit: &Visit, mut request: Request<Incoming>) -> Response<Body> {
        self.counters.own.add(1);
        // A wrong token is answered and counted here as anywhere: the pages are no place to try tokens out.
        match self.asker(visit, request.headers()) {
            Ok(Asker { token: Some(token), .. }) => drop(request.extensions_mut().insert(ShownToken(token))),
            Ok(Asker { token: None, .. }) => {}
            Err(problem) => return problem.answer(answer::want(request.headers())),
        }
        if *request.method() == Method::OPTIONS && request.uri().path() == "*" {
            return forward::options();
        }
        match &self.config.own_pages {
            // Nobody's lease watches over these: whoever never ends a form's body is told so.
            Some(pages) => {
                let want = answer::want(request.headers());
                let page = pages(visit.peer, request);
                match tokio::time::timeout(self.config.limits.answer, page).await {
                    Ok(page) => page.map(Body::Own),
                    Err(_) => Problem::SlowRequest.answer(want),
                }
            }
            None => Problem::NoOwnPages.answer(answer::want(request.headers())),
        }
    }

    fn asker(&self, visit: &Visit, headers: &HeaderMap) -> Result<Asker, Problem> {
        let address = visit.peer.ip().to_canonical();
        // Whoever guesses is not even told when a guess is right.
        let shows = headers.contains_key(header::PROXY_AUTHORIZATION);
        if shows && self.gate.guesses_tokens(address) {
            return Err(Problem::TooManyTokens);
        }
        let token = token::read(headers).inspect_err(|_| {
            self.counters.wrong_tokens.add(1);
            self.gate.wrong_token(address, None);
        })?;
        let asker = Asker { address, token };
        match &asker.token {
            Some(token) if self.gate.knows_token(address, token) => Ok(asker),
            Some(_) => {
                self.counters.wrong_tokens.add(1);
                Err(Problem::UnknownToken)
            }
            None if self.config.ask_unknown_for_token && self.is_unknown(&asker) => Err(Problem::TokenWanted),
            None => Ok(asker),
        }
    }

    fn is_unknown(&self, asker: &Asker) -> bool {
        asker.who(&self.gate, &self.gate.in_force.current()).identified == Identified::Unknown
    }

    /// Judges; a refusal is recorded.
    pub(crate) fn admit(&self, asker: Asker, asked: Asked, evidence: Evidence) -> Result<Admitted, No> {
        let current = self.gate.in_force.to_keep();
        let who = asker.who(&self.gate, &current);
        let verdict = asked.judge(&self.gate, &current, &who);
        if !verdict.allows() {
            return Err(self.refuse((&asker, who), &current, asked, verdict, evidence).into());
        }
        let made = Made::new(&self.gate, &current, &who, &verdict);
        Ok(Admitted { asker, who, current, asked, made, evidence })
    }

    /// The addresses of a host, on the judged path, which is noted: it stays under judgement.
    pub(crate) async fn find(&self, admitted: &mut Admitted, host: &TargetHost) -> Result<Vec<IpAddr>, No> {
        let name = match host {
            TargetHost::Address(address) => return Ok(vec![*address]),
            TargetHost::Name(name) => name.name(),
        };
        let Admitted { asker, who, current, evidence, asked, made } = admitted;
        let looking = self.gate.resolver.addresses(&self.gate, current, who, asker.address, name);
        let looked = tokio::time::timeout(self.config.limits.dial, Box::pin(looking)).await;
        match looked.map_err(|_| Problem::NamesDown)? {
            Ok(resolved) => {
                asked.way = Way::of(&resolved);
                // The names on the way may have a say sooner than the host's own: the warden looks at once.
                made.until = asked.way.as_ref().map_or(made.until, |_| Some(made.at));
                Ok(resolved.addresses)
            }
            Err(Unresolved::NoSuchName) => Err(Problem::NoSuchName.into()),
            Err(Unresolved::Rebinding) => Err(Problem::Rebinding.into()),
            Err(Unresolved::Upstream) => Err(Problem::NamesDown.into()),
            Err(Unresolved::Refused(leads_to, verdict)) => {
                let asked = Asked::host(TargetHost::Name(leads_to));
                Err(self.refuse((asker, *who), current, asked, *verdict, *evidence).into())
            }
        }
    }

    /// Connects to one of the addresses found. What is dialled is what was checked.
    pub(crate) async fn dial(&self, target: &Target, found: &[IpAddr]) -> Result<TcpStream, No> {
        let check = |ip: &IpAddr| self.config.reach.check(SocketAddr::new(*ip, target.port));
        let (open, closed): (Vec<_>, Vec<_>) = found.iter().map(check).partition(Result::is_ok);
        let open: Vec<SocketAddr> = open.into_iter().flatten().collect();
        if open.is_empty() && !closed.is_empty() {
            return Err(match target.host {
                TargetHost::Name(_) => Problem::Rebinding.into(),
                TargetHost::Address(_) => Problem::ClosedAddress.into(),
            });
        }
        let stream = dial::dial(&open, self.config.limits.dial).await.map_err(|why| match why {
            NotDialled::Refused => Problem::Unreachable,
            NotDialled::Timeout => Problem::DialTimeout,
        })?;
        self.counters.dialled.add(1);
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, MAC, Play};
    use records::Face;

    #[tokio::test]
    async fn a_connection_is_its_devices_once_the_kernel_has_met_it() {
        let play = Play::new([]);
        let home = Home::of(&play).await;
        let limits = Limits { per_client: 1, ..Limits::default() };
        let config = Config { limits, ..Config::default() };
        let proxy = Proxy::new(home.gate.clone(), config);
        let from = "2001:db8::11".parse().unwrap();
        let take = |face| proxy.seats.take(face, CancellationToken::new()).unwrap();
        let seat = take(Face::Address(from));
        let place = Arc::new(Place { seat, _open: Counter::one(&proxy.counters, |c| &c.connections_open) });
        let (peer, cut) = (SocketAddr::new(from, 50_000), CancellationToken::new());
        let visit = Visit { peer, local: None, meant: None, cut, place };
        home.gate.neighbours.meets(from, MAC);
        assert!(proxy.has_allowance(&visit, None));
        assert!(take(Face::Mac(MAC)).is_spare(), "it has its one");
        assert!(!take(Face::Address(from)).is_spare(), "and its network has all of its own");
    }
}
