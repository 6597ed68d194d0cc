//! The door for devices that are nobody's own: the page to sign in at, the way there for whatever such a device opens, and the
//! answer to a phone that asks whether it has to (RFC 8908).

use crate::signing::{Signing, Tried};
use crate::when;
use agreements::{House, Soon, UnknownDevices};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use blocklists::Domain;
use chrono::{DateTime, TimeDelta, Utc};
use console::{
    AskKey, Captive, Portal, SCRIPT, SIGN_IN, SIGN_OUT, Slip, Stays, TimeLeft, Token, Typed, portal,
    sign_in_of, to_portal,
};
use hyper::header;
use hyper::{HeaderMap, Method, StatusCode, Uri};
use proxy::Gate;
use records::{Current, Face, Identified};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where people sign in and out, and where a phone asks.
pub(crate) const PATHS: [&str; 4] = [SIGN_IN, SIGN_OUT, CAPTIVE, TIME_LEFT];
const CAPTIVE: &str = "/captive-portal";
const TIME_LEFT: &str = "/time-left";
/// What stands beside DNS over HTTPS, where phones open the page: it, and the script that counts down on it.
pub(crate) const BESIDE_DNS: [&str; 5] = [SIGN_IN, SIGN_OUT, CAPTIVE, TIME_LEFT, SCRIPT];
/// What a form is about, for the seal that its token is.
const ABOUT: &str = "sign-in";
/// No form of ours is longer.
const LONGEST: usize = 4096;

/// What the door needs.
pub(crate) struct Door {
    pub(crate) gate: Arc<Gate>,
    pub(crate) signing: Arc<Signing>,
    pub(crate) own: Domain,
    pub(crate) key: AskKey,
    /// The address of the gateway's own pages, over plain HTTP.
    pub(crate) pages: String,
    /// The page's address there.
    pub(crate) plain: String,
    /// The address that phones are told: over TLS where there is a listener for it.
    pub(crate) told: String,
}

/// Whose a device is, as far as signing in goes.
enum Whose {
    /// Nobody's, and nobody has signed in on it.
    Unknown,
    /// Several people's, and nobody has signed in on it.
    Shared,
    /// Somebody has signed in on it: their name.
    SignedIn(String),
    /// Somebody's own: their name.
    Owned(String),
    /// Nobody's, in a home where unknown devices do not sign in.
    Elsewhere,
}

/// Serves the door beside the pages.
pub(crate) fn beside(router: Router, door: Arc<Door>) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let door = Arc::clone(&door);
        async move {
            let peer =
                request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
            let shows_token = request.extensions().get::<Token>().is_some();
            match peer {
                Some(peer) if door.is_own(&request) && PATHS.contains(&request.uri().path()) => {
                    door.answer(peer, request).await
                }
                Some(peer) if !shows_token && !door.is_own(&request) && door.turns_away(peer, &request) => {
                    to_portal(&door.plain)
                }
                _ => next.run(request).await,
            }
        }
    }))
}

impl Door {
    /// Whether a request is for the gateway itself.
    fn is_own(&self, request: &Request) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or(host).unwrap_or_default();
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let bare = bare.map_or(host, |(bare, _)| bare).trim_matches(['[', ']']).to_ascii_lowercase();
        bare == self.own.as_str() || bare.parse::<IpAddr>().is_ok()
    }

    /// Whether whatever a device opens leads to the page: it has to sign in first. A phone that asks some name of its maker's
    /// whether the internet is there learns so from this.
    fn turns_away(&self, peer: IpAddr, request: &Request) -> bool {
        let current = self.gate.in_force.to_keep();
        matches!(*request.method(), Method::GET | Method::HEAD)
            && matches!(self.whose(&current, peer), Whose::Unknown)
            && self.gate.is_inside(peer)
    }

    fn whose(&self, current: &Current, peer: IpAddr) -> Whose {
        let who = self.gate.who(current, peer, None);
        let house = &current.snapshot.house;
        let name = || house.agreement(who.person).map_or_else(String::new, |person| person.name.clone());
        match who.identified {
            _ if who.person == House::LOST => Whose::Elsewhere,
            Identified::SignIn => Whose::SignedIn(name()),
            _ if who.person != House::NOBODY && house.is_for_whoever_signs_in(who.person) => Whose::Shared,
            _ if who.person != House::NOBODY => Whose::Owned(name()),
            _ if house.home().unknown_devices == UnknownDevices::SignIn => Whose::Unknown,
            _ => Whose::Elsewhere,
        }
    }

    /// Answers a request for one of [`PATHS`].
    pub(crate) async fn answer(&self, peer: IpAddr, request: Request) -> Response {
        let face = self.gate.meet_face(peer).await;
        // The listener for DNS inside TLS may be open to the internet. Nobody out there tries PINs.
        if !self.gate.is_inside(peer) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let asked = (request.uri().clone(), request.headers().clone());
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, CAPTIVE) => self.captive(peer).response(),
            (&Method::GET | &Method::HEAD, TIME_LEFT) => self.time_left(peer).response(),
            (&Method::GET | &Method::HEAD, _) => self.page((peer, face), StatusCode::OK, None, &asked),
            (&Method::POST, path @ (SIGN_IN | SIGN_OUT)) => {
                let signs_in = path == SIGN_IN;
                match typed(request).await.filter(|typed| self.is_sealed(face, &typed.token)) {
                    None => self.page((peer, face), StatusCode::FORBIDDEN, Some(Slip::TooOld), &asked),
                    Some(typed) if signs_in => self.sign_in((peer, face), &typed, &asked).await,
                    Some(_) => {
                        self.signing.end(face);
                        home(&asked)
                    }
                }
            }
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    async fn sign_in(&self, (peer, face): (IpAddr, Face), typed: &Typed, asked: &As) -> Response {
        let current = self.gate.in_force.to_keep();
        let may = matches!(self.whose(&current, peer), Whose::Unknown | Whose::Shared);
        drop(current);
        if !may {
            return self.page((peer, face), StatusCode::CONFLICT, None, asked);
        }
        let (status, slip) = match self.signing.try_pin(face, &typed.name, &typed.pin).await {
            Tried::SignedIn => return home(asked),
            Tried::Wrong => (StatusCode::FORBIDDEN, Slip::Wrong),
            Tried::Busy => (StatusCode::SERVICE_UNAVAILABLE, Slip::Busy),
            Tried::Locked(left) => (StatusCode::TOO_MANY_REQUESTS, Slip::Locked(left.as_secs().div_ceil(60))),
        };
        self.page((peer, face), status, Some(slip), asked)
    }

    fn page(
        &self,
        (peer, face): (IpAddr, Face),
        status: StatusCode,
        slip: Option<Slip>,
        (uri, headers): &As,
    ) -> Response {
        let current = self.gate.in_force.to_keep();
        let now = self.gate.clock.now();
        let token = &self.key.token(&face.to_string(), ABOUT, now);
        let whose = self.whose(&current, peer);
        let stays = || Stays {
            current: &current,
            who: self.gate.person(&self.gate.who(&current, peer, None)),
            at: now,
            ends: self.signed_out_at(face, now),
            pages: &self.pages,
        };
        let shows = match &whose {
            Whose::Unknown => Portal::Form { token, shared: false, slip },
            Whose::Shared => Portal::Form { token, shared: true, slip },
            Whose::SignedIn(name) => Portal::SignedIn { token, name, stays: stays() },
            Whose::Owned(name) => Portal::Owned { name },
            Whose::Elsewhere => Portal::Elsewhere,
        };
        portal(&current.snapshot.house.home().name, status, shows, (uri, headers))
    }

    /// When whoever is signed in on a device is signed out whatever happens.
    fn signed_out_at(&self, face: Face, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ends = self.gate.signed_in.of(face)?.ends;
        let left = TimeDelta::from_std(ends.saturating_sub(self.gate.clock.steady())).ok()?;
        now.checked_add_signed(left)
    }

    /// Whether a form was made here, for this device, within the last hours.
    fn is_sealed(&self, face: Face, token: &str) -> bool {
        self.key.accepts(token, &face.to_string(), ABOUT, self.gate.clock.now())
    }

    fn time_left(&self, peer: IpAddr) -> TimeLeft {
        let current = self.gate.in_force.to_keep();
        let (house, now) = (&current.snapshot.house, self.gate.clock.now());
        let left = house.left(self.gate.person(&self.gate.who(&current, peer, None)), now, &current.standing);
        TimeLeft {
            open: left.open,
            until: left.until.map(|until| when::rfc3339(until, house.home().timezone)),
            seconds_remaining: left.time(now).map(|left| left.num_seconds()),
            by: left.by,
            warning: left.warning(now).map(Soon::minutes),
        }
    }

    fn captive(&self, peer: IpAddr) -> Captive {
        let current = self.gate.in_force.to_keep();
        let (who, now) = (self.gate.who(&current, peer, None), self.gate.clock.now());
        let captive = matches!(self.whose(&current, peer), Whose::Unknown);
        let left = current.snapshot.house.left(self.gate.person(&who), now, &current.standing);
        Captive {
            captive,
            user_portal_url: self.told.clone(),
            seconds_remaining: left.time(now).filter(|_| !captive).map(|left| left.num_seconds()),
            can_extend_session: false,
        }
    }
}

/// What a request says of the words that its reader wants.
type As = (Uri, HeaderMap);

/// Back to the page, in the same words.
fn home((uri, headers): &As) -> Response {
    Redirect::to(&sign_in_of(uri, headers)).into_response()
}

/// What somebody typed; none where it is no form of ours.
async fn typed(request: Request) -> Option<Typed> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LONGEST).await.ok()?;
    let request = Request::from_parts(parts, Body::from(bytes));
    axum::Form::<Typed>::from_request(request, &()).await.ok().map(|axum::Form(typed)| typed)
}
