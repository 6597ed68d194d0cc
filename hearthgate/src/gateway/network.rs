//! The network side: every listener that gateway.yaml names, bound together and stopped together.
//!
//! All sockets are bound before any is served, so that a gateway that cannot have one of them says so and serves none.

use crate::failure::Failure;
use crate::gateway::bind;
use crate::gateway::board::{Listener, Upstreams};
use crate::gateway::metrics::{self, Numbers};
use crate::gateway::pages;
use crate::gateway::unbound::{Over, failure};
use agreements::{Gateway, Listen};
use console::{AskKey, Refusals};
use proxy::Gate;
use proxy::dns::{Bound, Dns, DnsSettings};
use proxy::http::{self, Config, Counters, Listeners};
use proxy::identify::Neighbours;
use proxy::resolver::{Resolver, ResolverSettings, UpstreamHealth};
use proxy::target::Reach;
use records::{Clock, InForce, Recorder, Records};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the network side shares with the rest of the gateway.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) in_force: Arc<InForce>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recorder: Recorder,
    pub(crate) records: Arc<Records>,
    pub(crate) neighbours: Neighbours,
    /// What the forms of refusal pages are sealed with, for the life of the process.
    pub(crate) ask_key: AskKey,
}

/// Listeners that serve.
pub(crate) struct Network {
    /// Where they are, with the real ports.
    pub(crate) listeners: Vec<Listener>,
    resolver: Resolver,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Sockets that are bound and not yet served.
struct Sockets {
    dns: Vec<Bound>,
    proxy: Vec<TcpListener>,
    transparent: Vec<TcpListener>,
    pages: Vec<TcpListener>,
    metrics: Vec<TcpListener>,
}

impl Sockets {
    fn bind(listen: &Listen, workers: usize) -> Result<Self, Failure> {
        // Kinds that this version has not are told as warnings where the files are read; see `notyet`.
        let Listen { dns, dns_tls: _, dns_https: _, proxy, transparent, pages, console: _, metrics } = listen;
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
            proxy: all("proxy", proxy)?,
            transparent: all("transparent", transparent)?,
            pages: all("pages", pages)?,
            metrics: all("metrics", metrics)?,
        })
    }

    /// Where a browser reaches the pages: port 80 if they listen there, else the first.
    fn pages_port(&self) -> Option<u16> {
        let ports = || self.pages.iter().filter_map(|l| l.local_addr().ok()).map(|address| address.port());
        ports().find(|port| *port == 80).or_else(|| ports().next())
    }

    fn listeners(&self) -> Vec<Listener> {
        let streams = [
            ("proxy", &self.proxy),
            ("transparent", &self.transparent),
            ("pages", &self.pages),
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
}

impl Network {
    /// Binds and serves everything that gateway.yaml names.
    pub(crate) fn start(gateway: &Gateway, shared: &Shared) -> Result<Self, Failure> {
        let resolver = Resolver::new(ResolverSettings::new(gateway), shared.clock.clone());
        let resolver =
            resolver.map_err(|e| Failure::cannot_read(format!("names cannot be resolved: {e}")))?;
        let mut settings = DnsSettings::new(gateway);
        // Where the pages listen on addresses of their own, refused names lead there.
        let own = gateway.listen.pages.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
        settings.page_addresses = own.collect();
        let sockets = Sockets::bind(&gateway.listen, settings.workers)?;
        let refusals = pages::refusals(&shared.ask_key, sockets.pages_port());
        let gate = Arc::new(Gate::new(
            shared.in_force.clone(),
            shared.clock.clone(),
            shared.recorder.clone(),
            shared.neighbours.clone(),
            resolver.clone(),
            pages::for_proxy(refusals.clone(), shared.clock.clone()),
        ));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut network = Self { listeners: sockets.listeners(), resolver, stop, tasks };
        network.serve(sockets, &gate, gateway, (shared, refusals), settings)?;
        network.tasks.close();
        Ok(network)
    }

    fn serve(
        &mut self,
        sockets: Sockets,
        gate: &Arc<Gate>,
        gateway: &Gateway,
        (shared, refusals): (&Shared, Arc<Refusals>),
        settings: DnsSettings,
    ) -> Result<(), Failure> {
        let dns = Dns::new(gate.clone(), settings);
        for bound in sockets.dns {
            let address = bound.address();
            let listening =
                dns.listen(bound, &self.stop).map_err(|e| failure("dns", Over::Tcp, address, &e))?;
            self.tasks.spawn(listening.ended());
        }
        let router = pages::router(gate.clone(), refusals, shared.records.clone());
        let counters = Arc::new(Counters::default());
        let config = Config {
            reach: Reach { home_network: gateway.home_network.clone(), own_ports: self.ports() },
            own_pages: Some(pages::through_proxy(router.clone())),
            counters: counters.clone(),
            ..Config::default()
        };
        let listeners = Listeners { explicit: sockets.proxy, redirected: sockets.transparent };
        self.tasks.spawn(http::serve(listeners, gate.clone(), config, self.stop.clone()));
        for listener in sockets.pages {
            self.tasks.spawn(pages::serve(listener, router.clone(), self.stop.clone()));
        }
        let numbers = Numbers {
            dns,
            proxy: counters,
            records: shared.records.clone(),
            in_force: shared.in_force.clone(),
            clock: shared.clock.clone(),
            resolver: self.resolver.clone(),
        };
        let metrics = metrics::router(Arc::new(numbers));
        for listener in sockets.metrics {
            self.tasks.spawn(pages::serve(listener, metrics.clone(), self.stop.clone()));
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
