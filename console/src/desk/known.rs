//! A browser in which somebody has signed in before keeps a second cookie, which says so and opens nothing: with it nobody
//! else's wrong passwords keep them out.
//!
//! It is signed with what is kept of the account's password, so that a new password makes every such cookie void, and none is
//! written down.

use super::secret::{Secret, hash};
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};
use ring::hmac;

/// For so many days a browser is known that nobody signs in with.
const DAYS: i64 = 90;

/// The cookie's name for an account: several people may share a browser. Over HTTPS no other host can set it.
fn name(account: &str, secure: bool) -> String {
    let print: String = hash(account).chars().take(12).collect();
    if secure { format!("__Host-hearthgate-known-{print}") } else { format!("hearthgate-known-{print}") }
}

fn key(kept: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, kept.as_bytes())
}

fn message(account: &str, said: &str) -> String {
    format!("known browser\n{account}\n{said}")
}

/// The cookie for a browser in which an account signed in; `kept` is what is kept of its password.
pub(crate) fn cookie(account: &str, kept: &str, now: DateTime<Utc>, secure: bool) -> Option<HeaderValue> {
    let said = format!("{}.{}", now.timestamp(), Secret::fresh()?.shown());
    let tag = hmac::sign(&key(kept), message(account, &said).as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (name, only, age) = (name(account, secure), if secure { "; Secure" } else { "" }, DAYS * 86_400);
    let text = format!("{name}={said}.{tag}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{only}");
    HeaderValue::from_str(&text).ok()
}

/// Which known browser of an account this is, if it is one.
pub(crate) fn browser(
    headers: &HeaderMap,
    account: &str,
    kept: &str,
    now: DateTime<Utc>,
    secure: bool,
) -> Option<[u8; 16]> {
    let name = name(account, secure);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let value = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)?;
    let (said, tag) = value.rsplit_once('.')?;
    let since: i64 = said.split_once('.')?.0.parse().ok()?;
    if !(0..=DAYS * 86_400).contains(&now.timestamp().checked_sub(since)?) {
        return None;
    }
    let byte = |at| u8::from_str_radix(tag.get(at..at + 2)?, 16).ok();
    let tag: Vec<u8> = (0..tag.len()).step_by(2).map(byte).collect::<Option<_>>()?;
    hmac::verify(&key(kept), message(account, said).as_bytes(), &tag).ok()?;
    tag.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_browser_is_known_for_its_account_and_password_alone() {
        let now: DateTime<Utc> = "2026-11-22T17:30:00Z".parse().unwrap();
        let set = cookie("k.lane", "$argon2id$one", now, true).unwrap();
        let set = set.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
            assert!(set.split("; ").any(|p| p == part), "{set}");
        }
        let pair = set.split(';').next().unwrap();
        let days = |n| now + chrono::TimeDelta::days(n);
        let last = if pair.ends_with('0') { '1' } else { '0' };
        let forged = format!("{}{last}", &pair[..pair.len() - 1]);
        for (name, sent, account, kept, at, known) in [
            ("as_it_was_given", pair, "k.lane", "$argon2id$one", days(1), true),
            ("a_new_password", pair, "k.lane", "$argon2id$two", days(1), false),
            ("another_account", pair, "r.osei", "$argon2id$one", days(1), false),
            ("long_ago", pair, "k.lane", "$argon2id$one", days(91), false),
            ("of_tomorrow", pair, "k.lane", "$argon2id$one", days(-1), false),
            ("none", "a=b", "k.lane", "$argon2id$one", days(1), false),
            ("forged", &forged, "k.lane", "$argon2id$one", days(1), false),
            ("with_half_a_byte_more", &format!("{pair}0"), "k.lane", "$argon2id$one", days(1), false),
            ("cut", &pair[..pair.len() - 2], "k.lane", "$argon2id$one", days(1), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(&format!("x=y; {sent}")).unwrap());
            assert_eq!(browser(&headers, account, kept, at, true).is_some(), known, "{name}");
        }
    }
}
