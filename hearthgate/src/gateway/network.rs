//! The network side: every listener that gateway.yaml names, bound together and stopped together.
//!
//! All sockets are bound before any is served, so that a gateway that cannot have one of them says so and serves none.

use crate::certificates::{Certificates, Speaks};
use crate::failure::Failure;
use crate::gateway::bind;
use crate::gateway::board::{Listener, Upstreams};
use crate::gateway::handed::Handed;
use crate::gateway::hints;
use crate::gateway::metrics::{self, Numbers};
use crate::gateway::portal::{self, Door};
use crate::gateway::router::{self, Rules};
use crate::gateway::unbound::{Over, failure};
use crate::gateway::{pac, pages};
use crate::lists::names::Names;
use crate::signing::Signing;
use crate::state::State;
use agreements::{Gateway, Listen, Problem};
use console::{AskKey, Desk, Refusals};
use proxy::Gate;
use proxy::dns::{Beside, Bound, Designated, Dns, DnsSettings, Over as Speech};
use proxy::http::{self, Config, Counters, Listeners};
use proxy::identify::Neighbours;
use proxy::resolver::{Resolver, ResolverSettings, UpstreamHealth};
use proxy::target::Reach;
use records::{Clock, InForce, Recorder, Records};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the network side shares with the rest of the gateway.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The home's folder.
    pub(crate) home: PathBuf,
    /// Where the gateway keeps things.
    pub(crate) state: State,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recorder: Recorder,
    pub(crate) records: Arc<Records>,
    pub(crate) neighbours: Neighbours,
    /// What the forms of refusal pages are sealed with, for the life of the process.
    pub(crate) ask_key: AskKey,
    /// How publishers of lists are found.
    pub(crate) names: Names,
    /// The router's rules, which outlive a change of the listeners.
    pub(crate) rules: Arc<Rules>,
    /// What staff sign in at; none where somebody stands in for the gateway.
    pub(crate) desk: Option<Arc<Desk>>,
    /// Who signs in on devices that are nobody's own.
    pub(crate) signing: Arc<Signing>,
}

/// Listeners that serve.
pub(crate) struct Network {
    /// Where they are, with the real ports.
    pub(crate) listeners: Vec<Listener>,
    dns: Arc<Dns>,
    resolver: Resolver,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Sockets that are bound and not yet served.
struct Sockets {
    dns: Vec<Bound>,
    dns_tls: Vec<TcpListener>,
    dns_https: Vec<TcpListener>,
    proxy: Vec<TcpListener>,
    transparent: Vec<TcpListener>,
    pages: Vec<TcpListener>,
    console: Vec<TcpListener>,
    metrics: Vec<TcpListener>,
}

impl Sockets {
    fn bind(listen: &Listen, workers: usize) -> Result<Self, Failure> {
        let Listen { dns, dns_tls, dns_https, proxy, transparent, pages, console, metrics } = listen;
        let all = |kind, list: &[SocketAddr]| {
            list.iter().map(|a| bind::tcp(kind, *a)).collect::<Result<Vec<_>, _>>()
        };
        let dns_bound = |a: &SocketAddr| {
            // Which of the two could not be had decides whose table is asked who has it.
            Bound::bind(*a, workers).map_err(|error| {
                let tcp_is_free = std::net::TcpListener::bind(*a).is_ok();
                failure("dns", if tcp_is_free { Over::Udp } else { Over::Tcp }, *a, &error)
            })
        };
        Ok(Self {
            dns: dns.iter().map(dns_bound).collect::<Result<_, _>>()?,
            dns_tls: all("dns_tls", dns_tls)?,
            dns_https: all("dns_https", dns_https)?,
            proxy: all("proxy", proxy)?,
            transparent: all("transparent", transparent)?,
            pages: all("pages", pages)?,
            console: all("console", console)?,
            metrics: all("metrics", metrics)?,
        })
    }

    /// Where a browser reaches the pages: port 80 if they listen there, else the first.
    fn pages_port(&self) -> Option<u16> {
        let ports = || self.pages.iter().filter_map(|l| l.local_addr().ok()).map(|address| address.port());
        ports().find(|port| *port == 80).or_else(|| ports().next())
    }

    /// The port of the proxy that browsers are told of.
    fn proxy_port(&self) -> Option<u16> {
        self.proxy.first().and_then(|l| l.local_addr().ok()).map(|address| address.port())
    }

    fn dns_addresses(&self) -> Vec<SocketAddr> {
        self.dns.iter().map(Bound::address).collect()
    }

    fn transparent_addresses(&self) -> Vec<SocketAddr> {
        self.transparent.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    fn listeners(&self) -> Vec<Listener> {
        let streams = [
            ("dns_tls", &self.dns_tls),
            ("dns_https", &self.dns_https),
            ("proxy", &self.proxy),
            ("transparent", &self.transparent),
            ("pages", &self.pages),
            ("console", &self.console),
            ("metrics", &self.metrics),
        ];
        let dns = self.dns.iter().map(|bound| Listener { kind: "dns", address: bound.address() });
        let rest = streams.into_iter().flat_map(|(kind, list)| {
            list.iter()
                .filter_map(move |l| l.local_addr().ok())
                .map(move |address| Listener { kind, address })
        });
        dns.chain(rest).collect()
    }

    /// Where encrypted DNS is to be had, for devices that look.
    fn designated(&self) -> Vec<Designated> {
        let over = |over, listeners: &[TcpListener]| {
            let all = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
            designated(over, all)
        };
        [over(Speech::Tls, &self.dns_tls), over(Speech::Https, &self.dns_https)].concat()
    }
}

/// One for each port. Where one listens at every address of ours, none is named.
fn designated(over: Speech, listeners: Vec<SocketAddr>) -> Vec<Designated> {
    let mut all: Vec<Designated> = Vec::new();
    for listener in &listeners {
        if all.iter().any(|one| one.port == listener.port()) {
            continue;
        }
        let same = listeners.iter().filter(|other| other.port() == listener.port());
        let at: Vec<IpAddr> = same.map(SocketAddr::ip).collect();
        let addresses = if at.iter().any(IpAddr::is_unspecified) { Vec::new() } else { at };
        all.push(Designated { over, port: listener.port(), addresses });
    }
    all
}

/// A single device asks so much in an evening, and a home with several has shown two of them long before.
const A_HOMES_QUESTIONS: u64 = 2_000;

/// What is spoken inside TLS (RFC 7858 has `dot` with IANA; RFC 8484 §5.2).
const DOT: Speaks = &[b"dot"];
const DOH: Speaks = &[b"h2", b"http/1.1"];
const WEB: Speaks = &[b"http/1.1"];

/// Whether a listener of the desk needs HTTPS: passwords are typed there, and beyond this machine others may listen.
fn is_beyond(listener: &TcpListener) -> bool {
    listener.local_addr().is_ok_and(|address| !address.ip().is_loopback())
}

impl Network {
    /// Binds and serves everything that gateway.yaml names.
    pub(crate) fn start(gateway: &Gateway, shared: &Shared) -> Result<Self, Failure> {
        let resolver = Resolver::new(ResolverSettings::new(gateway), shared.clock.clone());
        let resolver =
            resolver.map_err(|e| Failure::cannot_read(format!("names cannot be resolved: {e}")))?;
        shared.names.ask(resolver.clone());
        let mut settings = DnsSettings::new(gateway);
        // Where the pages listen on addresses of their own, refused names lead there.
        let own = gateway.listen.pages.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
        settings.page_addresses = own.collect();
        let sockets = Sockets::bind(&gateway.listen, settings.workers)?;
        settings.designated = sockets.designated();
        settings.answers_wpad = sockets.proxy_port().is_some() && sockets.pages_port() == Some(80);
        // Before anything is served: what is not yet judged must not pass meanwhile.
        let plan = router::plan(gateway, sockets.dns_addresses(), sockets.transparent_addresses());
        shared.neighbours.lead_out(plan.as_ref().map_or(&[], |plan| &plan.wan));
        let openings = shared.rules.hold(plan, router::wants_stand_in(gateway), shared)?;
        let refusals = pages::refusals(&shared.ask_key, &gateway.name, sockets.pages_port());
        let gate = Gate::new(
            shared.in_force.clone(),
            shared.clock.clone(),
            shared.recorder.clone(),
            shared.neighbours.clone(),
            resolver.clone(),
            pages::for_proxy(refusals.clone(), shared.clock.clone()),
        );
        let gate = gate.with_openings(openings.clone()).with_signed_in(shared.signing.signed_in.clone());
        let gate = Arc::new(gate);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        if let Some(openings) = openings.filter(|_| !shared.rules.stands_in) {
            tasks.spawn(openings.watch(gate.clone(), stop.clone()));
        }
        let dns = Dns::new(gate.clone(), settings);
        let mut network = Self { listeners: sockets.listeners(), dns, resolver, stop, tasks };
        network.serve(sockets, &gate, gateway, (shared, refusals))?;
        network.tasks.close();
        Ok(network)
    }

    /// The same, trying again for a while: ports that were just given up may take a moment to be free.
    pub(crate) async fn start_within(
        patience: Duration,
        gateway: &Gateway,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::start(gateway, shared) {
                Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(100)).await,
                started => return started,
            }
        }
    }

    fn serve(
        &mut self,
        sockets: Sockets,
        gate: &Arc<Gate>,
        gateway: &Gateway,
        (shared, refusals): (&Shared, Arc<Refusals>),
    ) -> Result<(), Failure> {
        let pages_port = sockets.pages_port();
        let script = sockets.proxy_port().map(|port| pac::script(&gateway.name, port));
        let dns = self.dns.clone();
        for bound in sockets.dns {
            let address = bound.address();
            let listening =
                dns.listen(bound, &self.stop).map_err(|e| failure("dns", Over::Tcp, address, &e))?;
            self.tasks.spawn(listening.ended());
        }
        let encrypted = !(sockets.dns_tls.is_empty() && sockets.dns_https.is_empty());
        let certificates = match encrypted || sockets.console.iter().any(is_beyond) {
            true => Some(Certificates::open(gateway, &shared.home, &shared.state)?),
            false => None,
        };
        if let Some(certificates) = &certificates {
            self.tasks.spawn(certificates.clone().tend(self.stop.clone()));
            self.serve_encrypted(&dns, (sockets.dns_tls, sockets.dns_https), certificates)?;
        }
        let router = pages::router(
            gate.clone(),
            gateway.name.clone(),
            refusals,
            shared.records.clone(),
            shared.signing.clone(),
        );
        let router = pac::beside(router, gateway.name.clone(), script);
        let router = portal::beside(router, self.door(gate, gateway, shared, pages_port));
        self.dns
            .serve_beside(Beside { paths: &portal::BESIDE_DNS, pages: pages::through_proxy(router.clone()) });
        let counters = Arc::new(Counters::default());
        let config = Config {
            reach: Reach { home_network: gateway.home_network.clone(), own_ports: self.ports() },
            own_names: vec![gateway.name.clone()],
            own_pages: Some(pages::through_proxy(router.clone())),
            counters: counters.clone(),
            ..Config::default()
        };
        let listeners = Listeners { explicit: sockets.proxy, redirected: sockets.transparent };
        self.tasks.spawn(http::serve(listeners, gate.clone(), config, self.stop.clone()));
        let faces = pages::faces(gate);
        let served = |router, whole, tls| pages::Served { router, whole, tls, faces: faces.clone() };
        for listener in sockets.pages {
            let served = served(router.clone(), pages::PAGES, None);
            self.tasks.spawn(pages::serve(listener, served, self.stop.clone()));
        }
        for (listener, desk) in sockets.console.into_iter().zip(shared.desk.iter().cycle()) {
            let tls = certificates.as_ref().filter(|_| is_beyond(&listener)).map(|shown| shown.of(WEB));
            let desk = desk.router(tls.is_some());
            self.tasks.spawn(pages::serve(listener, served(desk, pages::DESK, tls), self.stop.clone()));
        }
        let numbers = Numbers {
            dns,
            proxy: counters,
            records: shared.records.clone(),
            in_force: shared.in_force.clone(),
            clock: shared.clock.clone(),
            resolver: self.resolver.clone(),
            rules: shared.rules.clone(),
        };
        let metrics = metrics::router(Arc::new(numbers));
        for listener in sockets.metrics {
            let served = served(metrics.clone(), pages::PAGES, None);
            self.tasks.spawn(pages::serve(listener, served, self.stop.clone()));
        }
        Ok(())
    }

    /// Where devices that are nobody's own sign in.
    fn door(&self, gate: &Arc<Gate>, gateway: &Gateway, shared: &Shared, port: Option<u16>) -> Arc<Door> {
        let inside_tls = self.listeners.iter().find(|listener| listener.kind == "dns_https");
        let pages = pages::own_url(&gateway.name, port);
        let plain = format!("{pages}/sign-in");
        let told = inside_tls.map_or_else(
            || plain.clone(),
            |listener| format!("https://{}:{}/sign-in", gateway.name, listener.address.port()),
        );
        let (own, key) = (gateway.name.clone(), shared.ask_key.clone());
        Arc::new(Door { gate: gate.clone(), signing: shared.signing.clone(), own, key, pages, plain, told })
    }

    /// Serves DNS inside TLS, where a listener is named for it.
    fn serve_encrypted(
        &mut self,
        dns: &Arc<Dns>,
        (over_tls, over_https): (Vec<TcpListener>, Vec<TcpListener>),
        certificates: &Arc<Certificates>,
    ) -> Result<(), Failure> {
        let told = |error: std::io::Error| Failure::cannot_read(format!("a listener is gone: {error}"));
        for listener in over_tls {
            let listening = dns.listen_tls(listener, certificates.of(DOT), &self.stop).map_err(told)?;
            self.tasks.spawn(listening.ended());
        }
        for listener in over_https {
            let listening = dns.listen_https(listener, certificates.of(DOH), &self.stop).map_err(told)?;
            self.tasks.spawn(listening.ended());
        }
        Ok(())
    }

    fn ports(&self) -> Vec<u16> {
        self.listeners.iter().map(|l| l.address.port()).collect()
    }

    /// How many upstreams answer.
    pub(crate) fn upstreams(&self) -> Upstreams {
        let UpstreamHealth { answering, silent, unknown } = self.resolver.upstream_health();
        Upstreams { answering, not_asked: unknown, of: answering + silent + unknown }
    }

    /// The one client that everybody looks like, once so much was asked that several would have shown themselves.
    pub(crate) fn everybody(&self) -> Option<IpAddr> {
        let counters = self.dns.counters();
        let asked =
            counters.queries_udp.load(Ordering::Relaxed) + counters.queries_tcp.load(Ordering::Relaxed);
        self.dns.gate().only_client().filter(|_| asked >= A_HOMES_QUESTIONS)
    }

    /// What staff may want to know of the home's network.
    pub(crate) fn hints(&self, gateway: &Gateway, home: &Path, handed: Vec<Handed>) -> Vec<Problem> {
        hints::of(gateway, home, self.dns.gate(), handed)
    }

    /// Takes no connection any more at once; what is returned waits until what is open has ended.
    pub(crate) fn retire(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stop.cancel();
        let tasks = self.tasks.clone();
        async move { tasks.wait().await }
    }

    /// Takes no connection any more, and ends what is open within the proxy's grace.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
