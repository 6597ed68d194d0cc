//! The pages listener and the proxy's own pages: the console's router, told who visits.

use super::told;
use crate::asked::{Asked, AskedHost};
use crate::signing::{Signing, Tried, pins};
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, StatusCode, header};
use blocklists::Domain;
use bytes::Bytes;
use console::{AskKey, Form, Heard, Known, Refusals, Showing, Token, Told, Visit, Visitors};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use proxy::http::{OwnBody, OwnPages, ShownToken};
use proxy::identify::Shown;
use proxy::{Gate, Page, Pages, Places, Seats, Tls, Want, Who};
use records::{Current, Face, Identified, Records, Refused};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Connections to a listener at once, and of one device: nobody keeps the others from the page with the helplines. When all
/// are taken, the oldest of whoever has the most gives way.
const PLACES: Places = Places { all: 256, one: 16, spare: 0 };
/// A request's head comes within this, and a connection is quiet no longer.
const HEAD: Duration = Duration::from_secs(10);
/// A form comes whole within this. The room that it goes to says how large it may be; nothing here holds more than this.
const BODY: Duration = Duration::from_secs(20);
const LARGEST: usize = 256 * 1024;

/// For how long a connection is served.
#[derive(Clone, Copy)]
pub(crate) struct Whole(Duration);

/// Pages are small, and nothing is streamed.
pub(crate) const PAGES: Whole = Whole(Duration::from_secs(60));
/// The desk's pages follow what happens over one connection; a browser opens the next by itself.
pub(crate) const DESK: Whole = Whole(Duration::from_secs(600));

/// What renders refusals, for pages that are served on this port; without one the proxy alone serves them.
pub(crate) fn refusals(key: &AskKey, own: &Domain, port: Option<u16>) -> Arc<Refusals> {
    Arc::new(Refusals::new(key.clone(), &own_url(own, port)))
}

/// The gateway's own address, as a browser reaches it: with the port where it is not the one that browsers take by themselves.
pub(crate) fn own_url(own: &Domain, port: Option<u16>) -> String {
    match port {
        None | Some(80) => format!("http://{own}"),
        Some(port) => format!("http://{own}:{port}"),
    }
}

/// The renderer for the proxy.
pub(crate) fn for_proxy(refusals: Arc<Refusals>, clock: Arc<dyn records::Clock>) -> Pages {
    Arc::new(move |current: &Current, who, explanation, want, language| {
        let form = form_of(want);
        let body = refusals.render(current, who.person, explanation, (form, language), clock.now());
        Page { content_type: form.content_type(), body: Bytes::from(body) }
    })
}

fn form_of(want: Want) -> Form {
    match want {
        Want::Html => Form::Html,
        Want::Json => Form::Json,
        Want::Text => Form::Text,
    }
}

/// The console's routes for visitors of the gateway itself.
pub(crate) fn router(
    gate: Arc<Gate>,
    own: Domain,
    refusals: Arc<Refusals>,
    records: Arc<Records>,
    signing: Arc<Signing>,
) -> Router {
    console::router(refusals, Arc::new(AtTheGate { gate, own, records, signing }))
}

/// What the pages need to know, from the gate and the records.
struct AtTheGate {
    gate: Arc<Gate>,
    own: Domain,
    records: Arc<Records>,
    signing: Arc<Signing>,
}

impl Visitors for AtTheGate {
    fn visit(
        &self,
        address: IpAddr,
        token: Option<&str>,
        host: &str,
        path: &str,
        showing: Showing<'_>,
    ) -> Visit {
        let current = self.gate.in_force.current();
        // What is somebody's own is shown on their device, to nobody else who knows its token.
        let device = self.is_own(host).then(|| self.gate.who(&current, address, None));
        let device = device.filter(|who| matches!(who.identified, Identified::Mac | Identified::SignIn));
        let who = device.unwrap_or_else(|| self.gate.who(&current, address, token));
        drop(current);
        visit(&self.gate, &self.own, (&who, address), (host, path), showing)
    }

    fn tell(&self, told: Told) -> std::pin::Pin<Box<dyn Future<Output = Heard> + Send>> {
        let records = Arc::clone(&self.records);
        let current = self.gate.in_force.to_keep();
        Box::pin(async move { told::keep(&records, &current.snapshot.house, told).await })
    }

    fn knows_pin(
        &self,
        address: IpAddr,
        name: String,
        pin: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = Known> + Send + '_>> {
        Box::pin(async move {
            let face = self.gate.meet_face(address).await;
            // As with signing in: nobody outside the home tries PINs.
            if !self.gate.is_inside(address) {
                return Known::Wrong;
            }
            match self.signing.knows(face, &name, &pin).await {
                Ok(person) => Known::As(person),
                Err(Tried::Wrong | Tried::SignedIn) => Known::Wrong,
                Err(Tried::Locked(_) | Tried::Busy) => Known::Often,
            }
        })
    }

    fn pin_mark(
        &self,
        person: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        Box::pin(async move {
            let kept = self.records.password(&pins::account(&person)).await;
            kept.ok().flatten().map(|hash| console::print_of(&hash))
        })
    }

    fn form(&self, headers: &hyper::HeaderMap) -> Form {
        form_of(proxy::http::want(headers))
    }

    fn is_own(&self, host: &str) -> bool {
        host == self.own.as_str() || host.parse::<IpAddr>().is_ok()
    }

    fn records(&self) -> &Arc<Records> {
        &self.records
    }
}

/// Judges a visit. A refusal page that is shown is evidence, as strong as the request for it.
fn visit(
    gate: &Gate,
    own: &Domain,
    (who, address): (&Who, IpAddr),
    (host, path): (&str, &str),
    showing: Showing<'_>,
) -> Visit {
    let current = gate.in_force.to_keep();
    let at = gate.clock.now();
    let asked = asked(host, path);
    let tags = current.snapshot.tags(asked.host());
    let request = agreements::Request { host: asked.host(), tags, path: asked.path.as_deref() };
    let (person, house) = (gate.person(who), &current.snapshot.house);
    let standing = current.standing.on(who.device);
    let explanation = house.explain(person, at, &request, &standing);
    if let Showing::Refusal(method, headers) = showing
        && is_a_site(&asked.host, own)
    {
        let verdict = house.judge(person, at, &request, &standing);
        if !verdict.allows() {
            gate.recorder.refused(&Refused {
                at,
                current: &current,
                who: person,
                device: who.device,
                identified: who.identified,
                stranger: who.stranger,
                host: asked.host(),
                verdict,
                evidence: proxy::http::evidence(method, headers),
                detected: None,
            });
        }
    }
    drop(standing);
    let face = gate.face(&Shown { address, token: None, hardware: None });
    Visit { current, who: person, whose: who.person, face, explanation, at }
}

/// What a visitor's `Host` says; whatever is no host is a name that nobody has.
fn asked(host: &str, path: &str) -> Asked {
    let host = Asked::parse(host).map(|asked| asked.host);
    let nowhere = || AskedHost::Name(Domain::parse("no-host.invalid").expect("a written name"));
    Asked { host: host.unwrap_or_else(|_| nowhere()), path: Some(path.to_owned()) }
}

/// Whether a visit is to some site, and not to the gateway by its own name or address.
fn is_a_site(host: &AskedHost, own: &Domain) -> bool {
    matches!(host, AskedHost::Name(name) if name != own && !name.as_str().ends_with(".invalid"))
}

/// The gateway's own pages through the proxy.
pub(crate) fn through_proxy(router: Router) -> OwnPages {
    Arc::new(move |peer, request| -> BoxFuture<'static, Response<OwnBody>> {
        let router = router.clone();
        Box::pin(async move {
            answered(router, peer, request).await.map(|b| b.map_err(Into::into).boxed_unsync())
        })
    })
}

async fn answered(
    router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<axum::body::Body> {
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        Ok(Err(_)) => return refused(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT),
    };
    let mut request = Request::from_parts(parts, axum::body::Body::from(body));
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(ShownToken(token)) = request.extensions_mut().remove() {
        request.extensions_mut().insert(Token(token.into()));
    }
    match TowerToHyperService::new(router).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// An answer without a page, to whoever is no browser; the connection ends with it, since what follows was not read.
fn refused(status: StatusCode) -> Response<axum::body::Body> {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Which device an address is: one with many addresses is one.
pub(crate) type Faces = Arc<dyn Fn(IpAddr) -> Face + Send + Sync>;

/// The faces that a gate knows.
pub(crate) fn faces(gate: &Arc<Gate>) -> Faces {
    let gate = Arc::clone(gate);
    Arc::new(move |address| gate.face(&Shown { address, token: None, hardware: None }))
}

/// What a listener serves.
pub(crate) struct Served {
    pub(crate) router: Router,
    pub(crate) whole: Whole,
    pub(crate) tls: Option<Tls>,
    pub(crate) faces: Faces,
}

/// Serves the pages listener until told to stop. A connection that finds no place is closed, so that nobody waits behind it.
pub(crate) async fn serve(listener: TcpListener, served: Served, stop: CancellationToken) {
    let Served { router, whole, tls, faces } = served;
    let seats = Seats::new(PLACES);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of files: the next one may find some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let cut = stop.child_token();
        let Some(seat) = seats.take(faces(peer.ip()), cut.clone()) else { continue };
        // Whoever reads nothing of what they asked for is cut like whoever sends nothing (RFC 5482): the system sees it, and a
        // system that does not know how leaves it to the whole time of a connection.
        let _if_it_knows = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(BODY));
        let (router, tls) = (router.clone(), tls.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                _in_time = tokio::time::timeout(whole.0, opened(stream, peer, tls, router)) => {}
            }
            drop(seat);
        });
    }
}

/// A connection, inside TLS where the listener takes it.
async fn opened(stream: TcpStream, peer: SocketAddr, tls: Option<Tls>, router: Router) {
    match tls {
        None => converse(stream, peer, router).await,
        // Whoever does not trust the certificate, or speaks no TLS, has been told so by their browser.
        Some(tls) => {
            if let Ok(stream) = proxy::tls::open(stream, &tls, proxy::tls::HANDSHAKE).await {
                converse(stream, peer, router).await;
            }
        }
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, peer: SocketAddr, router: Router) {
    let service = service_fn(|request| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answered(router, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new()) // Without a timer hyper's limits are silently off.
        .header_read_timeout(HEAD)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is its client's affair.
    let _broken = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn own() -> Domain {
        Domain::parse(agreements::OWN_NAME).expect("a name")
    }

    #[test]
    fn the_gateway_itself_is_no_site() {
        for (host, site) in [
            ("www.tiktok.com", true),
            ("hearthgate.home.arpa", false),
            ("127.0.0.1", false),
            ("[::1]:8080", false),
            ("", false),
            ("not a host", false),
        ] {
            assert_eq!(is_a_site(&asked(host, "/").host, &own()), site, "{host}");
        }
    }

    /// Opens connections from an address of this machine, which say nothing.
    async fn silent(from: [u8; 4], to: SocketAddr, count: usize) -> Vec<TcpStream> {
        let mut open = Vec::new();
        for _ in 0..count {
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket.bind(SocketAddr::from((from, 0))).expect("an address of this machine");
            open.push(socket.connect(to).await.expect("connected"));
        }
        open
    }

    /// The first line that is answered to a request from an address; nothing where the connection is closed.
    async fn asked_from(from: [u8; 4], to: SocketAddr) -> String {
        let mut stream = silent(from, to, 1).await.remove(0);
        let mut answer = String::new();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        if stream.write_all(request).await.is_ok() {
            let _cut_off = stream.read_to_string(&mut answer).await;
        }
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn whoever_holds_every_connection_gives_way_to_the_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (to, stop) = (listener.local_addr().expect("its address"), CancellationToken::new());
        // 127.0.1.x is one device with many addresses, as with IPv6 in a home.
        let faces: Faces = Arc::new(|address| match address {
            IpAddr::V4(v4) if v4.octets()[2] == 1 => Face::Mac([2, 0, 0, 0, 0, 1]),
            other => Face::Address(other),
        });
        let router = Router::new().fallback(|| async { "a page" });
        let serving =
            tokio::spawn(serve(listener, Served { router, whole: PAGES, tls: None, faces }, stop.clone()));
        let mut held = Vec::new();
        for last in 1..=PLACES.one as u8 {
            held.extend(silent([127, 0, 1, last], to, 1).await);
        }
        assert_eq!(
            asked_from([127, 0, 1, 99], to).await,
            "",
            "one device has its share, whatever its addresses"
        );
        assert_eq!(asked_from([127, 0, 0, 2], to).await, "HTTP/1.1 200 OK", "another has room");
        for device in 10..40 {
            held.extend(silent([127, 0, 2, device], to, PLACES.one).await);
        }
        for guest in 50..60 {
            assert_eq!(asked_from([127, 0, 0, guest], to).await, "HTTP/1.1 200 OK", "all places were taken");
        }
        stop.cancel();
        serving.await.expect("it ended");
        drop(held);
    }

    const AGREED: &str = "agreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28}\n  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n  home_manager: {name: R. Osei, on: 2026-11-02}\neducation: none\nonline: {every_day: all_day}\notherwise: allow\n";

    /// A gate of a home in which Jordan's phone is known by its hardware address, and Sam's by a token.
    async fn visitors(folder: &std::path::Path) -> AtTheGate {
        let person =
            |name: &str, by: &str| format!("person: {name}\ndevices: [{{name: phone, {by}}}]\n{AGREED}");
        let files = [
            ("home.yaml".to_owned(), "home: Oakview\ntimezone: Europe/London\n".to_owned()),
            ("agreements/jordan.yaml".to_owned(), person("Jordan", "mac: \"02:00:00:00:00:01\"")),
            ("agreements/sam.yaml".to_owned(), person("Sam", "token: sams-phone-7f3a19c6d2")),
        ];
        let house = agreements::read(&files, "2026-11-21".parse().expect("a date")).house;
        let snapshot = agreements::Snapshot { house, catalogue: Arc::new(blocklists::Catalogue::empty()) };
        let clock = Arc::new(records::SetClock::at("2026-11-21T12:00:00Z".parse().expect("an instant")));
        let store = agreements::Store::Sqlite("home.db".into());
        let records = Records::open(&store, folder, clock.clone()).await.expect("records");
        let in_force = Arc::new(records::InForce::new(Arc::new(snapshot), Arc::default()));
        let records = Arc::new(records);
        let (recorder, _recording) = records::Recorder::start(records.clone(), in_force.clone());
        let gateway = agreements::Gateway::default();
        let settings = proxy::resolver::ResolverSettings::new(&gateway);
        let resolver = proxy::resolver::Resolver::new(settings, clock.clone()).expect("a resolver");
        let neighbours = proxy::identify::Neighbours::fixed([(
            "192.0.2.1".parse().expect("an address"),
            [2, 0, 0, 0, 0, 1],
        )]);
        let page =
            |_: &_, _: &_, _: &_, _, _: Option<&_>| Page { content_type: "text/plain", body: "".into() };
        let signing = Arc::new(Signing::new(in_force.clone(), clock.clone(), records.clone()));
        let gate = Gate::new(in_force, clock, recorder, neighbours, resolver, Arc::new(page));
        AtTheGate { gate: Arc::new(gate), own: own(), records, signing }
    }

    #[tokio::test]
    async fn nobody_elses_pages_are_shown_on_a_known_device_whatever_token_it_gives() {
        let folder = tempfile::tempdir().expect("a folder");
        let visitors = visitors(folder.path()).await;
        let sams = Some("sams-phone-7f3a19c6d2");
        for (name, from, token, host, whose) in [
            ("their_own_device", "192.0.2.1", None, agreements::OWN_NAME, "jordan"),
            ("with_anothers_token", "192.0.2.1", sams, agreements::OWN_NAME, "jordan"),
            ("a_device_that_is_not_known", "192.0.2.9", sams, agreements::OWN_NAME, "sam"),
            ("a_site_is_judged_by_the_token", "192.0.2.1", sams, "open.example", "sam"),
        ] {
            let address = from.parse().expect("an address");
            let visit = visitors.visit(address, token, host, "/", Showing::Nothing);
            assert_eq!(visit.explanation.person, whose, "{name}");
            let known =
                if from.ends_with(".1") { Face::Mac([2, 0, 0, 0, 0, 1]) } else { Face::Address(address) };
            assert_eq!(visit.face, known, "{name}: whatever address or token it has");
        }
    }

    #[test]
    fn the_gateways_own_address_carries_its_port() {
        for (port, url) in [
            (None, "http://hearthgate.home.arpa"),
            (Some(80), "http://hearthgate.home.arpa"),
            (Some(8080), "http://hearthgate.home.arpa:8080"),
        ] {
            assert_eq!(own_url(&own(), port), url);
        }
    }
}
