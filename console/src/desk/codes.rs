//! The second factor: codes of an app on a member of staff's own phone (TOTP, RFC 6238 with the values that every app
//! knows: SHA-1, 30 seconds, six digits). Optional, and each person's own affair.

use super::Place;
use super::accounts::{Open as Session, open_sessions};
use super::page::{Frame, html};
use super::session::SignedIn;
use super::wrong::Wrong;
use askama::Template;
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use std::net::IpAddr;

/// A code is good for this many seconds (RFC 6238 §5.2).
const STEP: i64 = 30;
/// Clocks of phones are a little off: one step before and one after are taken (§5.2).
const SKEW: i64 = 1;
/// 160 bits, as long as the hash (RFC 4226 §4, requirement 6).
const SECRET: usize = 20;

#[derive(Template)]
#[template(path = "desk/me.html")]
struct MePage {
    frame: Frame,
    on: bool,
    /// A secret that is not in force until a code of it was typed.
    offered: Option<(String, String)>,
    wrong: bool,
    /// Where they are signed in.
    sessions: Vec<Session>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    step: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
}

/// `GET /me`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, Wrong> {
    me(&place, &who, None, false).await
}

async fn me(place: &Place, who: &SignedIn, offered: Option<String>, wrong: bool) -> Result<Response, Wrong> {
    let current = place.desk.in_force.to_keep();
    let house = &current.snapshot.house;
    let on = place.desk.records.codes(&who.id).await?.is_some();
    let offered = offered.map(|secret| {
        let spaced: Vec<&str> =
            secret.as_bytes().chunks(4).filter_map(|part| std::str::from_utf8(part).ok()).collect();
        (spaced.join(" "), secret)
    });
    let sessions = open_sessions(place, who, |account| account == who.id).await?;
    Ok(html(&MePage { frame: Frame::of("My account", "/me", house, who), on, offered, wrong, sessions }))
}

/// `POST /me`: offers a secret, takes it with its first code, or takes the second factor away with one.
pub(crate) async fn change(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(typed): Form<Typed>,
) -> Result<Response, Wrong> {
    let (records, now) = (&place.desk.records, place.desk.now().timestamp());
    match typed.step.as_str() {
        // Who finds a desk open puts no code of their own in the place of another's.
        "offer" | "on" if records.codes(&who.id).await?.is_some() => me(&place, &who, None, true).await,
        "offer" => {
            let secret = fresh().ok_or(Wrong::Records)?;
            me(&place, &who, Some(secret), false).await
        }
        "on" => match decode(&typed.secret).and_then(|key| step_of(&key, &typed.code, now)) {
            Some(step) => {
                records.set_codes(&who.id, &typed.secret, step).await?;
                done(&place, &who, "turned codes of an app on for signing in").await
            }
            None => me(&place, &who, Some(typed.secret).filter(|s| decode(s).is_some()), true).await,
        },
        "off" if !may_try(&place, &who.id) => Err(Wrong::Often(OFTEN.to_owned())),
        "off" => match fits(&place, &who.id, &typed.code).await? {
            true => {
                records.set_codes(&who.id, "", 0).await?;
                done(&place, &who, "turned codes of an app off for signing in").await
            }
            false => me(&place, &who, None, true).await,
        },
        _ => Err(Wrong::Missing),
    }
}

const OFTEN: &str = "That was tried too often. Wait some minutes, and try again.";

/// Whether one more code may be tried to turn the second factor off: as often as passwords, wherever the desk is open.
fn may_try(place: &Place, id: &str) -> bool {
    let now = place.desk.records.clock().steady();
    place.desk.attempts().take(&format!("codes of {id}"), IpAddr::from([0, 0, 0, 0]), now).is_ok()
}

async fn done(place: &Place, who: &SignedIn, what: &str) -> Result<Response, Wrong> {
    place.desk.records.staff_action(who.by(), what, "").await?;
    Ok(Redirect::to("/me").into_response())
}

/// Whether a code opens an account: always, where it has no second factor. A code is good once.
pub(crate) async fn fits(place: &Place, account: &str, code: &str) -> Result<bool, Wrong> {
    let records = &place.desk.records;
    let Some((secret, _)) = records.codes(account).await? else { return Ok(true) };
    let now = place.desk.now().timestamp();
    match decode(&secret).and_then(|key| step_of(&key, code, now)) {
        Some(step) => Ok(records.use_step(account, step).await?),
        None => Ok(false),
    }
}

/// The step whose code this is, among those that are good now.
fn step_of(key: &[u8], typed: &str, now: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.div_euclid(STEP);
    // All are compared, and each whole: how long it takes tells nothing.
    (current - SKEW..=current + SKEW).fold(None, |found, step| {
        let same =
            code(key, step).bytes().zip(typed.bytes()).fold(typed.len() == 6, |same, (a, b)| same & (a == b));
        if same { Some(step) } else { found }
    })
}

/// The code of a step (RFC 4226 §5.3).
fn code(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or(0) & 0xf);
    let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A fresh secret in base32 (RFC 4648 §6); none only when the system has no randomness to give.
fn fresh() -> Option<String> {
    let mut bytes = [0; SECRET];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(encode(&bytes))
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for five in bytes.chunks(5) {
        let bits =
            five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - five.len()));
        text.extend(
            (0..(five.len() * 8).div_ceil(5))
                .map(|n| char::from(LETTERS[(bits >> (35 - 5 * n) & 31) as usize])),
        );
    }
    text
}

/// The bytes of a secret of ours.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bits = 0u64;
    let mut bytes = Vec::with_capacity(SECRET);
    for (place, letter) in text.bytes().enumerate() {
        bits = bits << 5 | LETTERS.iter().position(|known| *known == letter)? as u64;
        if place % 8 == 7 {
            bytes.extend(bits.to_be_bytes().get(3..)?);
            bits = 0;
        }
    }
    (bytes.len() == SECRET && text.len() == SECRET * 8 / 5).then_some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The secret of RFC 6238 appendix B, in base32.
    pub(crate) const STANDARD: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    /// The code of a secret at an instant, as the app shows it.
    pub(crate) fn shown(secret: &str, at: i64) -> String {
        code(&decode(secret).unwrap(), at.div_euclid(STEP))
    }

    #[test]
    fn the_codes_of_the_standard() {
        // RFC 6238 appendix B, the last six of its eight digits.
        let key = b"12345678901234567890";
        for (at, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(code(key, at / STEP), expected, "{at}");
        }
    }

    #[test]
    fn secrets_as_apps_read_them() {
        assert_eq!(encode(b"12345678901234567890"), STANDARD);
        assert_eq!(decode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap(), b"12345678901234567890");
        for bad in [
            "",
            "GEZDGNBV",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
            "<script>",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode(&fresh().unwrap()).unwrap().len(), SECRET);
    }

    #[test]
    fn a_phone_may_be_half_a_minute_off() {
        let key = b"12345678901234567890";
        for (name, typed, fits) in [
            ("now", code(key, 100), true),
            ("the_one_before", code(key, 99), true),
            ("the_next", code(key, 101), true),
            ("spaced", format!("{} {}", &code(key, 100)[..3], &code(key, 100)[3..]), true),
            ("old", code(key, 98), false),
            ("empty", String::new(), false),
            ("half", code(key, 100)[..3].to_owned(), false),
        ] {
            assert_eq!(step_of(key, &typed, 100 * STEP + 7).is_some(), fits, "{name}");
        }
    }
}
