//! DNS over HTTPS (RFC 8484), HTTP/2 and HTTP/1.1: a question in the address or the body, its answer in the body.

use super::counters::count;
use super::tcp::Connection;
use super::wire::{Counts, HEADER, Record, WireName, rcode, rtype};
use super::write::MOST;
use super::{Beside, Dns, StreamSettings};
use crate::identify::Shown;
use crate::seats::{Places, Seat};
use crate::tls::TlsStream;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Where questions are asked; a device's token may follow as one more segment.
pub const PATH: &str = "/dns-query";
/// What a question and its answer are (RFC 8484 §6).
pub const CONTENT_TYPE: &str = "application/dns-message";

/// A request's head: a question in the address is a few hundred bytes, or a few thousand where it is padded.
const HEAD: usize = 16 * 1024;
/// A request's head and body come within this.
const SLOW: Duration = Duration::from_secs(10);
/// What is answered and not yet taken, for each question of HTTP/2.
const UNSENT: usize = 64 * 1024;
/// What a client may send ahead, in HTTP/2: one whole question.
const WINDOW: u32 = MOST as u32;
/// Questions at once on one connection of HTTP/2 (RFC 9113 §6.5.2 wants no fewer than 100).
const STREAMS: u32 = 128;
/// A connection that was told to end has this long to do so.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers that were made and are not yet taken, over all connections and of one client: each is up to 64 KiB. Whoever has more is
/// told to try again; where all are taken, a connection of the client with the most is closed.
pub(super) const UNTAKEN: Places = Places { all: 1024, one: 128, spare: 0 };

/// Answers the requests of one connection until it ends or is idle, or its client does not take its answers.
pub(super) async fn converse(
    dns: &Arc<Dns>,
    stream: TlsStream<TcpStream>,
    connection: Connection,
    settings: StreamSettings,
    cut: &CancellationToken,
) -> io::Result<()> {
    let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let (connection, use_of_it) = (Arc::new(connection), Arc::new(InUse::new(settings, cut)));
    let service = {
        let (dns, use_of_it) = (Arc::clone(dns), Arc::clone(&use_of_it));
        service_fn(move |request| {
            let (dns, connection, use_of_it) =
                (Arc::clone(&dns), Arc::clone(&connection), Arc::clone(&use_of_it));
            async move { Ok::<_, Infallible>(answered(&dns, &connection, &use_of_it, request).await) }
        })
    };
    let stream = TokioIo::new(stream);
    if two {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD as u32)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(2 * WINDOW)
            .max_send_buf_size(UNSENT);
        until_idle(builder.serve_connection(stream, service), &use_of_it, |c| c.graceful_shutdown()).await;
    } else {
        let mut builder = http1::Builder::new();
        // Without a timer hyper's limits are silently off.
        builder.timer(TokioTimer::new()).header_read_timeout(SLOW).max_buf_size(HEAD);
        until_idle(builder.serve_connection(stream, service), &use_of_it, |c| c.graceful_shutdown()).await;
    }
    Ok(())
}

/// Drives a connection until it ends, or nothing was asked for so long, or an answer is not taken.
async fn until_idle<C: Future>(connection: C, use_of_it: &InUse, mut end: impl FnMut(std::pin::Pin<&mut C>)) {
    let mut connection = pin!(connection);
    loop {
        // An answer may be made meanwhile, and not be taken.
        let look_again = use_of_it.left().min(use_of_it.settings.taking);
        match timeout(look_again, connection.as_mut()).await {
            // How a connection ends is the client's business.
            Ok(_ended) => return,
            Err(_) if use_of_it.left().is_zero() => break,
            Err(_) => {}
        }
    }
    end(connection.as_mut());
    let _slow_to_go = timeout(FAREWELL, connection).await;
}

/// What goes on on a connection.
#[derive(Debug)]
struct InUse {
    settings: StreamSettings,
    /// What ends the connection.
    cut: CancellationToken,
    /// Room for what is asked or not yet taken.
    room: Arc<Semaphore>,
    doing: Mutex<Doing>,
}

#[derive(Debug)]
struct Doing {
    /// Questions that have no answer yet.
    asked: usize,
    /// When each answer was made that is not yet taken, the oldest first.
    untaken: BTreeMap<u64, Instant>,
    next: u64,
    /// When the last answer was taken.
    last: Instant,
}

impl InUse {
    fn new(settings: StreamSettings, cut: &CancellationToken) -> Self {
        let doing = Doing { asked: 0, untaken: BTreeMap::new(), next: 0, last: Instant::now() };
        let room = Arc::new(Semaphore::new(settings.at_once));
        Self { settings, cut: cut.clone(), room, doing: Mutex::new(doing) }
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the connection may go on as it is.
    fn left(&self) -> Duration {
        let (doing, StreamSettings { idle, taking, .. }) = (self.doing(), self.settings);
        match doing.untaken.first_key_value() {
            Some((_, made)) => taking.saturating_sub(made.elapsed()),
            None if doing.asked > 0 => idle,
            None => idle.saturating_sub(doing.last.elapsed()),
        }
    }
}

/// One request, from its beginning until its answer is taken: the answer's bytes hold it.
struct Used {
    of: Arc<InUse>,
    /// The answer's number, once it is made.
    made: Option<u64>,
    _room: OwnedSemaphorePermit,
}

impl Used {
    /// Waits for room; none where answers that came before are not taken.
    async fn begin(of: &Arc<InUse>) -> Option<Self> {
        let room = timeout(SLOW, Arc::clone(&of.room).acquire_owned()).await.ok()?.ok()?;
        of.doing().asked += 1;
        Some(Self { of: Arc::clone(of), made: None, _room: room })
    }

    /// The answer is made.
    fn made(&mut self) {
        let mut doing = self.of.doing();
        let number = doing.next;
        doing.next += 1;
        doing.asked -= 1;
        doing.untaken.insert(number, Instant::now());
        self.made = Some(number);
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        let mut doing = self.of.doing();
        doing.last = Instant::now();
        match self.made {
            Some(number) => drop(doing.untaken.remove(&number)),
            None => doing.asked -= 1,
        }
    }
}

/// An answer's bytes, with what they are counted by. It ends when the last of them is on its way, or nobody wants them any more.
struct Untaken {
    bytes: Bytes,
    _used: Used,
    _seat: Seat,
}

impl AsRef<[u8]> for Untaken {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The answer to a request. What of it is not taken is bounded, of one connection and of one client.
async fn answered(
    dns: &Arc<Dns>,
    connection: &Connection,
    use_of_it: &Arc<InUse>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let Some(mut used) = Used::begin(use_of_it).await else {
        count(&dns.counters.bad_requests);
        return refused(No::Untaken).map(Full::new);
    };
    let answered = respond(dns, connection, request).await;
    let face = dns.gate.face(&Shown::bare(connection.peer.ip()));
    let Some(seat) = dns.untaken.take(face, use_of_it.cut.clone()) else {
        count(&dns.counters.bad_requests);
        return refused(No::Untaken).map(Full::new);
    };
    used.made();
    answered.map(|bytes| Full::new(Bytes::from_owner(Untaken { bytes, _used: used, _seat: seat })))
}

/// Why a request is none for DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum No {
    Path,
    Method,
    Question,
    Large,
    Type,
    Slow,
    Guesses,
    Untaken,
}

impl No {
    /// The status, and a sentence for whoever set the device up.
    const fn said(self) -> (StatusCode, &'static str) {
        match self {
            Self::Path => {
                (StatusCode::NOT_FOUND, "Names are looked up at /dns-query, or /dns-query/TOKEN.\n")
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "A question comes by GET or POST.\n"),
            Self::Question => (StatusCode::BAD_REQUEST, "There is no DNS question in this request.\n"),
            Self::Large => (StatusCode::PAYLOAD_TOO_LARGE, "No DNS question is so long.\n"),
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "A question is application/dns-message.\n"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "The question did not come in time.\n"),
            Self::Guesses => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many wrong tokens came from this device. Wait a minute, then try again.\n",
            ),
            Self::Untaken => (StatusCode::SERVICE_UNAVAILABLE, "Answers from before have not been taken.\n"),
        }
    }
}

async fn respond(dns: &Arc<Dns>, connection: &Connection, request: Request<Incoming>) -> Response<Bytes> {
    let is_head = *request.method() == Method::HEAD;
    if let Some(beside) = dns.beside.get().filter(|beside| beside.paths.contains(&request.uri().path())) {
        return own_page(beside, connection, request).await;
    }
    let answered = match segment(request.uri().path()) {
        Err(no) => Err(no),
        Ok(segment) => {
            // The address speaks before the server name: it is this question's own.
            let token = segment.map(str::to_owned).or_else(|| connection.token.clone());
            let guesses = token.as_deref().is_some_and(|token| dns.passes_over(connection.peer.ip(), token));
            let connection = Connection { token: token.filter(|_| !guesses), ..connection.clone() };
            match question(request).await {
                // Whoever guesses reaches help all the same.
                Ok(query) if guesses && !dns.helps(&query, &connection.asker()) => Err(No::Guesses),
                Ok(query) => dns.handle(&query, &connection.asker()).await.ok_or(No::Question),
                Err(no) => Err(no),
            }
        }
    };
    answered.map_or_else(
        |no| {
            count(&dns.counters.bad_requests);
            let refused = refused(no);
            // A HEAD gets no body (RFC 9110 §9.3.2).
            if is_head { refused.map(|_| Bytes::new()) } else { refused }
        },
        answer,
    )
}

/// A page of the gateway's own.
async fn own_page(beside: &Beside, connection: &Connection, request: Request<Incoming>) -> Response<Bytes> {
    let page = (beside.pages)(SocketAddr::new(connection.asker().from, 0), request);
    let Ok(page) = timeout(2 * SLOW, page).await else { return refused(No::Slow) };
    let (parts, body) = page.into_parts();
    match body.collect().await {
        Ok(body) => Response::from_parts(parts, body.to_bytes()),
        Err(_) => refused(No::Path),
    }
}

/// The token of a path; none where it ends before one.
fn segment(path: &str) -> Result<Option<&str>, No> {
    let rest = path.strip_prefix(PATH).ok_or(No::Path)?;
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Ok(None),
        Some("") => Ok(None),
        Some(token) if !token.contains('/') => Ok(Some(token)),
        _ => Err(No::Path),
    }
}

/// The question of a request.
async fn question(request: Request<Incoming>) -> Result<Bytes, No> {
    match *request.method() {
        Method::GET => request.uri().query().and_then(in_address).ok_or(No::Question),
        Method::POST => {
            let is_dns = request
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|kind| kind.to_str().ok())
                .and_then(|kind| kind.split(';').next())
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(CONTENT_TYPE));
            if !is_dns {
                return Err(No::Type);
            }
            in_body(request.into_body()).await
        }
        _ => Err(No::Method),
    }
}

async fn in_body(body: Incoming) -> Result<Bytes, No> {
    let read = timeout(SLOW, Limited::new(body, MOST).collect()).await.map_err(|_| No::Slow)?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(No::Large),
        Err(_) => Err(No::Question),
    }
}

/// The question in an address: its `dns` parameter, once (RFC 8484 §4.1).
fn in_address(query: &str) -> Option<Bytes> {
    let mut found = query.split('&').filter_map(|pair| pair.strip_prefix("dns="));
    let question = found.next().filter(|_| found.next().is_none())?;
    // base64url without padding (RFC 4648 §5, RFC 8484 §6).
    URL_SAFE_NO_PAD.decode(question).ok().map(Bytes::from)
}

fn answer(message: Vec<u8>) -> Response<Bytes> {
    // The answer is this device's own: nobody in between keeps it for others.
    let keep = match good_for(&message) {
        Some(seconds) => HeaderValue::try_from(format!("private, max-age={seconds}")),
        None => Ok(NO_STORE.clone()),
    };
    let mut response = Response::new(Bytes::from(message));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, keep.unwrap_or_else(|_| NO_STORE.clone()));
    response
}

static NO_STORE: LazyLock<HeaderValue> = LazyLock::new(|| HeaderValue::from_static("no-store"));

fn refused(no: No) -> Response<Bytes> {
    let (status, sentence) = no.said();
    let mut response = Response::new(Bytes::from_static(sentence.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, NO_STORE.clone());
    match no {
        No::Method => drop(headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"))),
        No::Guesses => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"))),
        No::Path | No::Question | No::Large | No::Type | No::Slow | No::Untaken => {}
    }
    response
}

/// For how many seconds an answer of ours is good: no longer than any record of it (RFC 8484 §5.1). None: it is no answer.
fn good_for(message: &[u8]) -> Option<u32> {
    let counts = Counts::read(message)?;
    let is_answer = matches!(u16::from(message[3] & 0x0F), rcode::NOERROR | rcode::NXDOMAIN);
    if !is_answer || message[2] & 0x02 != 0 || counts.questions != 1 {
        return None;
    }
    let (_, question) = WireName::read(message, HEADER)?;
    let mut at = question + 4;
    let mut good: Option<u32> = None;
    for place in 0..counts.answers.saturating_add(counts.authorities) {
        let record = Record::read(message, at)?;
        at = record.end;
        if place < counts.answers || record.rtype == rtype::SOA {
            good = Some(good.map_or(record.ttl, |good| good.min(record.ttl)));
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, meant) in [
            ("/dns-query", Ok(None)),
            ("/dns-query/", Ok(None)),
            ("/dns-query/jordan-tablet-7f3a19c6d2", Ok(Some("jordan-tablet-7f3a19c6d2"))),
            ("/dns-query/a/b", Err(No::Path)),
            ("/dns-queryx", Err(No::Path)),
            ("/", Err(No::Path)),
            ("/DNS-QUERY", Err(No::Path)),
        ] {
            assert_eq!(segment(path), meant, "{path}");
        }
    }

    #[test]
    fn questions_in_an_address() {
        for (query, meant) in [
            ("dns=AAEC", Some(&[0u8, 1, 2][..])),
            ("x=1&dns=AAE", Some(&[0, 1])),
            ("dns=-_8", Some(&[0xFB, 0xFF])),
            ("dns=", Some(&[])),
            ("dns=AAE=", None),
            ("dns=AAF", None),
            ("dns=+/8", None),
            ("dns=A", None),
            ("dns=AAEC&dns=AAEC", None),
            ("dnss=AAEC", None),
            ("", None),
        ] {
            assert_eq!(in_address(query).as_deref(), meant, "{query}");
        }
    }
}
