//! One plain HTTP exchange: the request goes to its origin, the answer comes back, both as they flow.

use super::answer::{Body, Kept};
use super::counters::Counter;
use super::headers::{self, Asks, Hops};
use super::pool::{Returns, Sender};
use super::problem::{METHODS, Problem};
use super::visit::Visit;
use super::{Admitted, No, Proxy};
use crate::target::Target;
use crate::tunnel::{self, Lease, Warden};
use agreements::Evidence;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The largest head of an answer.
const LARGEST_HEAD: usize = 64 * 1024;

/// An answer's head, and the connection that it came over.
struct Answered {
    response: Response<Incoming>,
    sender: Sender,
    to: SocketAddr,
}

/// Why an exchange has no answer.
enum Failed {
    /// Nothing of the request was sent: it can be sent another way.
    Unsent(Box<Request<Body>>),
    /// Some of it may have been.
    Broke,
    /// It was sent, and then there was silence.
    Slow,
}

/// Sends the request on and brings the answer back.
pub(super) async fn exchange(
    proxy: &Arc<Proxy>,
    visit: &Arc<Visit>,
    admitted: Admitted,
    target: Target,
    found: &[IpAddr],
    mut request: Request<Incoming>,
) -> Result<Response<Body>, No> {
    if headers::count_hop(&request.method().clone(), request.headers_mut()) == Hops::EndHere {
        return Ok(options());
    }
    let client = hyper::upgrade::on(&mut request);
    if admitted.evidence == Evidence::Navigation {
        Warden::opened_a_page(&admitted.current, &admitted.made, &admitted.asked);
    }
    let lease = admitted.hold(proxy, proxy.config.limits.exchange_quiet, visit);
    let open = Counter::one(&proxy.counters, |c| &c.exchanges_open);
    let broke = Arc::new(AtomicBool::new(false));
    let (request, asks) = outgoing(request, &target, &lease, &broke)?;
    let tied = is_tied_to_login(request.headers(), header::AUTHORIZATION);
    let sent = send(proxy, &target, found, request, &lease).await;
    let mut answered =
        sent.map_err(|no| if broke.load(Ordering::Relaxed) { Problem::BadBody.into() } else { no })?;
    match answered.response.status() {
        // Only we may ask for proxy credentials, and only for our own.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(Problem::OriginBroke.into()),
        StatusCode::SWITCHING_PROTOCOLS if asks.upgrade.is_none() => Err(Problem::OriginBroke.into()),
        StatusCode::SWITCHING_PROTOCOLS => {
            let origin = hyper::upgrade::on(&mut answered.response);
            let upgraded = Upgraded { client, origin, lease, visit: Arc::clone(visit) };
            Ok(switch(proxy, answered.response, upgraded))
        }
        _ => Ok(bring_back(proxy, answered, target, tied, Kept { lease, returns: None, open })),
    }
}

/// The request as it goes to the origin.
fn outgoing(
    request: Request<Incoming>,
    target: &Target,
    lease: &Lease,
    broke: &Arc<AtomicBool>,
) -> Result<(Request<Body>, Asks), Problem> {
    let (mut parts, body) = request.into_parts();
    let has_length = parts.headers.contains_key(header::CONTENT_LENGTH);
    let chunked = !body.is_end_stream() && !has_length;
    let asks = headers::outgoing(&mut parts.headers, target, parts.version, chunked);
    parts.uri = origin_form(&parts.uri)?;
    parts.version = Version::HTTP_11;
    // What our own connection with the client left in there is not for the next one.
    parts.extensions.clear();
    let body = Body::request(body, Arc::clone(lease.moved()), Arc::clone(broke));
    Ok((Request::from_parts(parts, body), asks))
}

/// The path and query alone (RFC 9112 §3.2.1).
fn origin_form(uri: &Uri) -> Result<Uri, Problem> {
    let Some(path) = uri.path_and_query() else { return Ok(Uri::from_static("/")) };
    let mut parts = hyper::http::uri::Parts::default();
    parts.path_and_query = Some(path.clone());
    Uri::from_parts(parts).map_err(|_| Problem::BadTarget)
}

/// Sends over a kept connection if there is one, else over a new one.
///
/// A kept connection may have been closed by the server meanwhile. A request of which nothing was sent is then sent again;
/// one that was is sent again, once, only if it is idempotent (RFC 9110 §9.2.2) and has no body.
async fn send(
    proxy: &Arc<Proxy>,
    target: &Target,
    found: &[IpAddr],
    mut request: Request<Body>,
    lease: &Lease,
) -> Result<Answered, No> {
    let addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(ip.to_canonical(), target.port)).collect();
    if let Some((sender, to)) = proxy.pool.take(target, &addresses).await {
        let spare = spare(&request);
        match send_over(proxy, sender, to, request, lease).await {
            Ok(answered) => {
                proxy.counters.reused.add(1);
                return Ok(answered);
            }
            Err(Failed::Unsent(unsent)) => request = *unsent,
            Err(Failed::Broke) => request = spare.ok_or(Problem::OriginBroke)?,
            Err(Failed::Slow) => return Err(Problem::OriginSlow.into()),
        }
    }
    let (sender, to) = connect(proxy, target, found).await?;
    send_over(proxy, sender, to, request, lease).await.map_err(|failed| match failed {
        Failed::Unsent(_) | Failed::Broke => Problem::OriginBroke.into(),
        Failed::Slow => Problem::OriginSlow.into(),
    })
}

/// The request once more, if it may be sent twice.
fn spare(request: &Request<Body>) -> Option<Request<Body>> {
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

async fn connect(proxy: &Arc<Proxy>, target: &Target, found: &[IpAddr]) -> Result<(Sender, SocketAddr), No> {
    let stream = proxy.dial(target, found).await?;
    let to = stream.peer_addr().map_err(|_| Problem::Unreachable)?;
    let to = SocketAddr::new(to.ip().to_canonical(), to.port());
    let handshake = http1::Builder::new().max_header_size(LARGEST_HEAD).handshake(TokioIo::new(stream));
    let (sender, connection) = handshake.await.map_err(|_| Problem::OriginBroke)?;
    // It ends when its sender is dropped, or when the origin closes: there is nothing to wait for or to report.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    Ok((sender, to))
}

/// Sends and waits for the answer's head, for as long as the request's body still moves.
async fn send_over(
    proxy: &Proxy,
    mut sender: Sender,
    to: SocketAddr,
    request: Request<Body>,
    lease: &Lease,
) -> Result<Answered, Failed> {
    let mut head = std::pin::pin!(sender.try_send_request(request));
    let mut moved = 0;
    loop {
        match tokio::time::timeout(proxy.config.limits.answer, head.as_mut()).await {
            Ok(Ok(response)) => return Ok(Answered { response, sender, to }),
            Ok(Err(error)) => return Err(failed(error)),
            Err(_) if lease.moved().load(Ordering::Relaxed) == moved => return Err(Failed::Slow),
            Err(_) => moved = lease.moved().load(Ordering::Relaxed),
        }
    }
}

fn failed(mut error: TrySendError<Request<Body>>) -> Failed {
    error.take_message().map_or(Failed::Broke, |unsent| Failed::Unsent(Box::new(unsent)))
}

/// The answer as it goes to the client.
fn bring_back(
    proxy: &Arc<Proxy>,
    answered: Answered,
    target: Target,
    tied: bool,
    mut kept: Kept,
) -> Response<Body> {
    let Answered { response, sender, to } = answered;
    let (mut parts, body) = response.into_parts();
    let tied = tied || is_tied_to_login(&parts.headers, header::WWW_AUTHENTICATE);
    clean(&mut parts);
    kept.returns = (!tied).then(|| Returns { pool: Arc::clone(&proxy.pool), target, to, sender });
    Response::from_parts(parts, Body::answer(body, kept))
}

fn clean(parts: &mut hyper::http::response::Parts) {
    headers::incoming(&mut parts.headers, parts.version);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
}

/// Whether a login belongs to the connection and not to the request (RFC 4559 §6): such a connection is nobody else's.
fn is_tied_to_login(headers: &HeaderMap, name: header::HeaderName) -> bool {
    let schemes = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
    schemes.map(str::to_ascii_lowercase).any(|s| s.contains("ntlm") || s.contains("negotiate"))
}

/// Both ends of a connection that changes its protocol, and under what it does.
struct Upgraded {
    client: OnUpgrade,
    origin: OnUpgrade,
    lease: Lease,
    visit: Arc<Visit>,
}

/// `101 Switching Protocols`: from here on it is a tunnel.
fn switch(proxy: &Arc<Proxy>, response: Response<Incoming>, upgraded: Upgraded) -> Response<Body> {
    let (mut parts, _nothing) = response.into_parts();
    headers::switching(&mut parts.headers, parts.version);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    let Upgraded { client, origin, lease, visit } = upgraded;
    lease.quiet_for(proxy.config.limits.tunnel_quiet);
    let open = Counter::one(&proxy.counters, |c| &c.tunnels_open);
    proxy.tasks.spawn(async move {
        tunnel::join(client, origin, lease).await;
        drop((visit, open));
    });
    Response::from_parts(parts, Body::empty())
}

/// What this proxy says to `OPTIONS` when it is the last to be asked.
pub(super) fn options() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
    response
}
