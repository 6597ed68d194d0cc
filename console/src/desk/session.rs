//! Who is signed in: the cookie, the session that it opens, and what ends it.

use super::secret::{self, Secret};
use super::wrong::Wrong;
use super::{Desk, Place, redact};
use agreements::{House, Person, PersonKind, Role};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use records::{By, ByRole, Session, shift};

/// A session ends with the shift in which it began (seed 000 §5.4), and with as much time as a handover takes.
const HANDOVER: TimeDelta = TimeDelta::minutes(30);
/// And after so long in any case, where a home has few shifts.
const LONGEST: TimeDelta = TimeDelta::hours(13);
/// That a session is used is written down no more often than this.
const NOTED: TimeDelta = TimeDelta::seconds(15);
/// The most of what a browser says of itself that is kept.
const BROWSER: usize = 120;

/// The cookie over HTTPS (RFC 6265bis §4.1.3.2: with this prefix no other host can set it) and over plain HTTP, which is
/// only served on this machine itself.
const COOKIE: &str = "__Host-hearthgate";
const PLAIN: &str = "hearthgate";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The hash of the session's token.
    pub(crate) session: String,
}

impl SignedIn {
    /// Whether somebody may read what this person's devices did: a member of staff's own is for the manager alone, not for
    /// whoever works beside them.
    pub(crate) fn may_read(&self, person: &Person) -> bool {
        self.role == Role::Manager || person.kind != PersonKind::Staff
    }

    /// As the journal has it.
    pub(crate) fn by(&self) -> By {
        By { role: ByRole::Staff, id: self.id.clone(), name: self.name.clone() }
    }

    /// Whether they see the young people by name.
    pub(crate) fn knows_names(&self) -> bool {
        matches!(self.role, Role::Manager | Role::Staff)
    }
}

/// Who may come in by a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// Anybody: signing in itself.
    ToAll,
    /// Whoever is signed in in one of these roles.
    To(&'static [Role]),
}

/// The token that a request shows.
pub(crate) fn token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let name = if secure { COOKIE } else { PLAIN };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, token)| token)
}

/// The cookie that keeps a token, or takes it away.
pub(crate) fn cookie(secret: Option<&Secret>, secure: bool) -> HeaderValue {
    let (name, only) = if secure { (COOKIE, "; Secure") } else { (PLAIN, "") };
    let (token, age) = secret.map_or(("", "; Max-Age=0"), |secret| (secret.shown(), ""));
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{only}{age}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// When a session ends, whatever its owner does.
fn ends(session: &Session, house: &House) -> DateTime<Utc> {
    let home = house.home();
    let shift = shift::at(&home.shifts, home.timezone, session.began);
    (shift.to + HANDOVER).min(session.began + LONGEST)
}

/// Whether a session is over: nobody used it for a while, or its shift has ended. A clock that went back ends it too.
pub(crate) fn is_over(session: &Session, house: &House, now: DateTime<Utc>) -> bool {
    // Who does nothing for so long is signed out: a screen is not left open (seed 000 §5.1).
    let idle = TimeDelta::minutes(house.home().desk_idle.into());
    (now - session.seen).abs() >= idle || now >= ends(session, house)
}

impl Desk {
    /// Who is behind a token, if the session lives. `used` says that somebody is doing something.
    pub(crate) async fn who(&self, token: &str, used: bool) -> Result<Option<SignedIn>, Wrong> {
        let hash = secret::hash(token);
        let Some(session) = self.records.session(&hash).await? else { return Ok(None) };
        let (current, now) = (self.in_force.to_keep(), self.now());
        let house = &current.snapshot.house;
        // Whoever no longer has an account in home.yaml is out with the next click.
        let account = house.home().staff.iter().find(|s| s.id == session.account);
        let (false, Some(account)) = (is_over(&session, house, now), account) else {
            self.records.end_session(&hash).await?;
            return Ok(None);
        };
        if used && now - session.seen >= NOTED {
            self.records.saw_session(&hash, now).await?;
        }
        let (id, name, role) = (account.id.clone(), account.name.clone(), account.role);
        Ok(Some(SignedIn { id, name, role, session: hash }))
    }

    /// Opens a session for an account: always with a fresh token, so that nobody can have planted it.
    pub(crate) async fn begin(
        &self,
        account: &str,
        headers: &HeaderMap,
        address: &str,
    ) -> Result<Secret, Wrong> {
        let secret = Secret::fresh().ok_or(Wrong::Records)?;
        let browser = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let now = self.now();
        let session = Session {
            token: secret.hash(),
            account: account.to_owned(),
            began: now,
            seen: now,
            browser: browser.chars().take(BROWSER).collect(),
            address: address.to_owned(),
        };
        self.records.open_session(&session).await?;
        Ok(secret)
    }
}

/// Lets somebody in who may come in, and says who it is.
pub(crate) async fn guard(
    State((place, open)): State<(Place, Open)>,
    mut request: Request,
    next: Next,
) -> Response {
    let role = match enter(&place, open, &mut request).await {
        Ok(role) => role,
        Err(wrong) => return wrong.into_response(),
    };
    let response = next.run(request).await;
    match role {
        Some(role) => {
            let current = place.desk.in_force.to_keep();
            redact::pages(role, (&place.desk.records, &current.snapshot.house), response).await
        }
        None => response,
    }
}

/// Who comes in: in which role; none where anybody may.
async fn enter(place: &Place, open: Open, request: &mut Request) -> Result<Option<Role>, Wrong> {
    let Open::To(roles) = open else { return Ok(None) };
    // What the page's script asks by itself is no sign of somebody being there.
    let used = request.uri().path() != "/live" && !request.headers().contains_key("x-desk-follows");
    let token = token(request.headers(), place.secure).ok_or(Wrong::SignedOut)?.to_owned();
    let who = place.desk.who(&token, used).await?.ok_or(Wrong::SignedOut)?;
    if !roles.contains(&who.role) {
        return Err(Wrong::Role);
    }
    let role = who.role;
    request.extensions_mut().insert(who);
    Ok(Some(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_this_host_and_no_script() {
        let secret = Secret::fresh().unwrap();
        let over_https = cookie(Some(&secret), true);
        let text = over_https.to_str().unwrap();
        assert!(text.starts_with(&format!("__Host-hearthgate={}; ", secret.shown())), "{text}");
        for part in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(text.split("; ").any(|p| p == part), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        assert!(cookie(None, true).to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers
            .insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-hearthgate=abc; hearthgate=plain"));
        assert_eq!(token(&headers, true), Some("abc"));
        assert_eq!(token(&headers, false), Some("plain"));
        assert_eq!(token(&HeaderMap::new(), true), None);
    }
}
