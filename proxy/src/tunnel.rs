//! Tunnels: `CONNECT` and upgraded connections.
//!
//! The life of a tunnel: the host of `CONNECT` was judged, resolved and dialled before the client hears `200`
//! (`http.rs`) -> its first bytes are looked at ([`opening`]) -> a name that they show is judged too -> bytes flow
//! ([`relay`]) until one side closes or the warden ends it ([`warden`]).
//!
//! | the client begins with | and then |
//! |---|---|
//! | TLS for the host of `CONNECT` | it flows |
//! | TLS for another name | that name must be allowed as well; else it is closed and recorded |
//! | TLS without a name | it shows no name, so the address that was dialled is judged as one: many sites share an address, and without a name its server cannot tell that another is meant inside (fronting without a domain). To mail ports it flows, since some mail programs name nobody and no shared address serves mail |
//! | TLS with an encrypted hello, for the host of `CONNECT` | it flows: browsers add such an extension, filled with noise, to every hello |
//! | TLS with an encrypted hello, for another name | that is only the outer name, and the inner one is hidden: the outer name must be allowed, and the address as well |
//! | a plain WebSocket (`ws://`) to the same host | its path must be allowed too, and it flows after the origin's `101` |
//! | plain HTTP to another host | that must be allowed, or it is recorded; either way it does not flow |
//! | any other plain HTTP | it is told to use the proxy without a tunnel, where each request is judged |
//! | the first words of a VPN | what it speaks to must be allowed to whoever goes around, too; then as what follows |
//! | anything else, broken TLS too | it shows no name, so the address that was dialled is judged as one |
//! | nothing within the deadline | it is closed |
//!
//! What shows no name on its way to what is protected is closed: its server may be many sites', and without a name another could be
//! asked for inside, at night and without a record, since servers choose among their sites by `Host` where no server name was shown
//! (nginx, Apache without `SSLStrictSNIVHostCheck`). That it was closed leaves no record either: what is protected has none.
//!
//! A name that safe search answers in its own way is another site under its own name only: shown inside a tunnel to somewhere else it
//! is closed.
//!
//! On mail ports where servers greet first the origin has to greet as a mail server does ([`greeting`]); what does not is no
//! mail, and the address is judged.
//!
//! An address without a name is a way around every word for names (`agreements.md`: circumvention), so where the home blocks
//! such ways, as the floor does by default, what shows no name is refused and recorded as one.

pub(crate) mod dial;
mod greeting;
mod opening;
mod redirected;
mod relay;
mod upgrade;
mod warden;

pub(crate) use opening::is_token;
pub(crate) use redirected::redirected;
pub(crate) use warden::{Asked, Asker, Crumbs, Lease, Made, Passed, Warden, Way, minute};

use crate::gate::Want;
use crate::http::{Admitted, Body, Counter, No, One, Path, Place, Proxy, Visit};
use crate::target::{PortUse, Target, TargetHost, is_mail_over_tls};
use agreements::Evidence;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opening::Spoken;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A tunnel whose client has been told `200`.
struct Tunnel {
    proxy: Arc<Proxy>,
    asker: Asker,
    target: Target,
    port: PortUse,
    origin: TcpStream,
    lease: Arc<Lease>,
}

/// Dials, and only then says that there is a tunnel.
pub(crate) async fn open(
    proxy: &Arc<Proxy>,
    visit: &Arc<Visit>,
    admitted: Admitted,
    (target, port): (Target, PortUse),
    found: &[IpAddr],
    mut request: Request<Incoming>,
) -> Result<Response<Body>, No> {
    let origin = proxy.dial(&target, found).await?;
    let client = hyper::upgrade::on(&mut request);
    let asker = admitted.asker.clone();
    let lease = Arc::new(admitted.hold(proxy, proxy.config.limits.tunnel_quiet, visit));
    let tunnel = Tunnel { proxy: Arc::clone(proxy), asker, target, port, origin, lease };
    let open = Counter::one(&proxy.counters, |c| &c.tunnels_open);
    let lease = Arc::clone(&tunnel.lease);
    // What is needed only at the beginning is boxed before the task has it, so that an idle tunnel keeps no room for it.
    let begin = Box::pin(tunnel.begin(client));
    proxy.tasks.spawn(run(begin, lease, Arc::clone(&visit.place), open));
    Ok(Response::new(Body::empty()))
}

/// Lets a tunnel begin, and then flow until it ends or is ended.
async fn run<Begin>(begin: Pin<Box<Begin>>, lease: Arc<Lease>, place: Arc<Place>, open: One)
where
    Begin: Future<Output = Option<(TcpStream, TcpStream)>>,
{
    let flow = async {
        if let Some((client, origin)) = begin.await {
            // Either side may close or break at any time: that is the end of a tunnel and no error of ours.
            let _ = relay::relay(&client, &origin, lease.moved()).await;
        }
    };
    tokio::select! {
        () = lease.cut().cancelled() => {}
        () = flow => {}
    }
    drop((place, open));
}

/// Both ends of an upgraded plain connection become a tunnel.
pub(crate) async fn join(client: OnUpgrade, origin: OnUpgrade, lease: Lease) {
    let flow = async {
        // What is needed only at the beginning is boxed, so that it is gone from an idle tunnel.
        let ends = Box::pin(async {
            let (mut client, from_client) = socket(client.await.ok()?)?;
            let (mut origin, from_origin) = socket(origin.await.ok()?)?;
            origin.write_all(&from_client).await.ok()?;
            client.write_all(&from_origin).await.ok()?;
            Some((client, origin))
        });
        if let Some((client, origin)) = ends.await {
            // Either side may close or break at any time: that is the end of a tunnel and no error of ours.
            let _ = relay::relay(&client, &origin, lease.moved()).await;
        }
    };
    tokio::select! {
        () = lease.cut().cancelled() => {}
        () = flow => {}
    }
}

/// The socket under an upgraded connection, and what has been read from it already.
fn socket(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}

/// What a client's first bytes ask of us.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing: the tunnel flows.
    Flow,
    /// These must be allowed as well; the first that is not is recorded.
    Judge(Vec<TargetHost>),
    /// This path of the host must be allowed as well, and the origin must agree.
    Upgrade(Path),
    /// Plain HTTP to another host than that of `CONNECT`: it is judged so that it is recorded, and goes nowhere.
    Stray(TargetHost),
    /// Plain HTTP that should not be in a tunnel.
    Advise,
    /// There is nobody to serve.
    Close,
}

/// The table above.
fn then(spoken: &Spoken, target: &Target, dialled: IpAddr) -> Then {
    let Target { host: target, port } = target;
    let address = || TargetHost::Address(dialled.to_canonical());
    match spoken {
        Spoken::Tls(hello) => match hello.name.clone().map(TargetHost::Name) {
            Some(name) if name == *target => Then::Flow,
            Some(outer) if hello.encrypted => Then::Judge(vec![outer, address()]),
            Some(name) => Then::Judge(vec![name]),
            None if is_mail_over_tls(*port) || matches!(target, TargetHost::Address(_)) => Then::Flow,
            None => Then::Judge(vec![address()]),
        },
        Spoken::Plain(head) => match &head.websocket {
            None => Then::Advise,
            Some(_) if head.host.host != *target => Then::Stray(head.host.host.clone()),
            Some(path) => Then::Upgrade(path.clone()),
        },
        // The address that the client itself named was judged before it was dialled.
        Spoken::Nameless | Spoken::Around(_) if matches!(target, TargetHost::Address(_)) => Then::Flow,
        Spoken::Nameless | Spoken::Around(_) => Then::Judge(vec![address()]),
        Spoken::Nothing => Then::Close,
    }
}

impl Tunnel {
    /// Looks at how the client begins, and gives both sockets if it may go on.
    async fn begin(mut self, client: OnUpgrade) -> Option<(TcpStream, TcpStream)> {
        let (mut client, mut first) = socket(client.await.ok()?)?;
        if self.port == PortUse::ServerFirst && !self.greets(&mut client).await? {
            return None;
        }
        if self.port == PortUse::ClientFirst {
            let limits = &self.proxy.config.limits;
            let spoken = opening::listen(&mut client, &mut first, limits.opening).await.ok()?;
            if !self.may_go_on(&spoken, &mut client).await {
                return None;
            }
            if let Spoken::Plain(head) = &spoken {
                let after = first.split_off(head.length);
                let (head, patience, moved) = (&first, limits.answer, self.lease.moved());
                let asking = upgrade::ask(&mut client, &mut self.origin, head, patience, moved);
                asking.await.ok().filter(|switches| *switches)?;
                first = after;
            }
        }
        self.origin.write_all(&first).await.ok()?;
        self.lease.moved().fetch_add(first.len() as u64, Ordering::Relaxed);
        Some((client, self.origin))
    }

    /// Brings the mail server's greeting to the client; whatever else greets has to be allowed as an address.
    async fn greets(&mut self, client: &mut TcpStream) -> Option<bool> {
        let patience = self.proxy.config.limits.answer;
        let (greeting, mail) = greeting::hear(&mut self.origin, patience).await.ok()?;
        let dialled = self.origin.peer_addr().ok()?.ip().to_canonical();
        if !mail && !self.judge(Asked::host(TargetHost::Address(dialled)), &Spoken::Nameless, client).await {
            return Some(false);
        }
        client.write_all(&greeting).await.ok()?;
        self.lease.moved().fetch_add(greeting.len() as u64, Ordering::Relaxed);
        Some(true)
    }

    async fn may_go_on(&self, spoken: &Spoken, client: &mut TcpStream) -> bool {
        if matches!(spoken, Spoken::Tls(hello) if hello.encrypted) {
            self.proxy.counters.encrypted_hellos.add(1);
        }
        if let Spoken::Around(heard) = spoken
            && !self.proxy.admits_around(&self.asker, Asked::host(self.target.host.clone()), *heard)
        {
            return false;
        }
        let Ok(dialled) = self.origin.peer_addr() else { return false };
        match then(spoken, &self.target, dialled.ip()) {
            Then::Flow => true,
            Then::Close => false,
            Then::Judge(hosts) => {
                for host in hosts {
                    if !self.judge(Asked::host(host), spoken, client).await {
                        return false;
                    }
                }
                true
            }
            Then::Upgrade(path) => {
                let host = self.target.host.clone();
                self.judge(Asked { host, path: Some(Box::new(path)), way: None }, spoken, client).await
            }
            Then::Stray(host) => {
                if self.judge(Asked::host(host), spoken, client).await {
                    advise(client).await;
                }
                false
            }
            Then::Advise => {
                advise(client).await;
                false
            }
        }
    }

    /// Judges what the client showed inside the tunnel. What is refused is closed without a word inside TLS, since any
    /// word there would need a false certificate.
    async fn judge(&self, asked: Asked, spoken: &Spoken, client: &mut TcpStream) -> bool {
        let gate = &self.proxy.gate;
        let current = gate.in_force.to_keep();
        let who = self.asker.who(gate, &current);
        match &asked.host {
            TargetHost::Address(_) => {
                if gate.is_protected(&current, &who, &self.target.host) {
                    self.nameless_to_protected(spoken, client).await;
                    return false;
                }
            }
            TargetHost::Name(_) if !asked.is_found_as_asked(gate, &current, &who, &self.target.host) => {
                self.proxy.counters.names_refused.add(1);
                return false;
            }
            TargetHost::Name(_) => {}
        }
        let verdict = asked.judge(gate, &current, &who);
        if verdict.allows() {
            self.lease.also(asked, Made::new(gate, &current, &who, &verdict));
            return true;
        }
        self.proxy.counters.refused_inside(&asked.host);
        let refused = self.proxy.refuse((&self.asker, who), &current, asked, verdict, Evidence::Connection);
        if matches!(spoken, Spoken::Plain(_)) {
            let page = refused.page(gate, Want::Text, None);
            say(client, "403 Forbidden", page.content_type, &page.body).await;
        }
        false
    }

    /// What shows no name, on its way to a protected site, goes no further, and nothing is recorded.
    async fn nameless_to_protected(&self, spoken: &Spoken, client: &mut TcpStream) {
        self.proxy.counters.nameless_refused.add(1);
        if !matches!(spoken, Spoken::Tls(_)) {
            advise(client).await;
        }
    }
}

const ADVICE: &str =
    "This proxy carries plain http requests without a tunnel: send them to it in absolute form.\n";

/// Tells a client whose plain HTTP should not be in a tunnel.
async fn advise(client: &mut TcpStream) {
    say(client, "400 Bad Request", "text/plain; charset=utf-8", ADVICE.as_bytes()).await;
}

/// Answers plain HTTP inside a tunnel, then closes.
async fn say(client: &mut TcpStream, status: &str, content_type: &str, body: &[u8]) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    );
    // Whoever has gone need not hear it.
    if client.write_all(head.as_bytes()).await.is_ok() && client.write_all(body).await.is_ok() {
        let _ = client.shutdown().await;
    }
}

#[cfg(test)]
#[path = "tunnel/tests.rs"]
mod tests;
