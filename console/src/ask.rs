//! Asking staff, and telling them, from a refusal page.
//!
//! The form carries a token that only this gateway can make, so that no web page can ask in a young person's name. It is
//! bound to the person, the host and the hour, and is good for two to three hours.

use chrono::{DateTime, Utc};
use records::Face;
use ring::hmac;
use ring::rand::SystemRandom;

/// The most characters of an ask's words that are kept.
pub(crate) const MOST_WORDS: usize = 300;

/// What a young person asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The id of the person whose device it was.
    pub person: String,
    /// The host that was refused.
    pub host: String,
    /// Their words; may be empty.
    pub words: String,
}

/// A young person says that they saw something that upset them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saw {
    /// The id of the person whose device it was.
    pub person: String,
    /// What tells the device apart, where nobody knows it: one that tells all the time keeps no other from being heard.
    pub device: Option<Face>,
    /// Their words; may be empty.
    pub words: String,
    /// The account of staff (by id) with whom they would like to talk, if they said.
    pub adult: Option<String>,
}

/// The key that ask tokens are made with. It lives as long as the process.
#[derive(Clone)]
pub struct AskKey(hmac::Key);

impl AskKey {
    /// A fresh key; fails only when the system has no randomness to give.
    pub fn fresh() -> Result<Self, ring::error::Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    /// The token for an ask about `host` by `person`, in the hour of `at`.
    pub fn token(&self, person: &str, host: &str, at: DateTime<Utc>) -> String {
        self.seal(&message(person, host, hour(at)))
    }

    /// What only this gateway can put on words: 32 hexadecimal characters.
    pub(crate) fn seal(&self, words: &str) -> String {
        let tag = hmac::sign(&self.0, words.as_bytes());
        tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a seal was put on these words here.
    pub(crate) fn is_seal(&self, seal: &str, words: &str) -> bool {
        // Comparing digests of them takes the same time wherever they differ.
        same(seal, &self.seal(words))
    }

    /// Whether a token was made here for this person and host, in this hour or one of the two before.
    pub fn accepts(&self, token: &str, person: &str, host: &str, at: DateTime<Utc>) -> bool {
        (0..3)
            .any(|back| self.is_seal(token, &message(person, host, hour(at - chrono::Duration::hours(back)))))
    }
}

fn hour(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(3600)
}

fn message(person: &str, host: &str, hour: i64) -> String {
    format!("{person}\n{host}\n{hour}")
}

fn same(a: &str, b: &str) -> bool {
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest(a).as_ref() == digest(b).as_ref()
}

/// Words as they are kept: one line, no control characters, at most [`MOST_WORDS`].
pub(crate) fn tidy(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_WORDS).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_person_host_and_hours() {
        let key = AskKey::fresh().unwrap();
        let token = key.token("jordan", "chat.example", at("2026-11-22T21:50:00Z"));
        for (person, host, when, good) in [
            ("jordan", "chat.example", "2026-11-22T21:50:00Z", true),
            ("jordan", "chat.example", "2026-11-22T23:10:00Z", true),
            ("jordan", "chat.example", "2026-11-23T00:10:00Z", false),
            ("jordan", "other.example", "2026-11-22T21:50:00Z", false),
            ("sam", "chat.example", "2026-11-22T21:50:00Z", false),
        ] {
            assert_eq!(key.accepts(&token, person, host, at(when)), good, "{person} {host} {when}");
        }
        assert!(!key.accepts("", "jordan", "chat.example", at("2026-11-22T21:50:00Z")));
        assert!(!AskKey::fresh().unwrap().accepts(
            &token,
            "jordan",
            "chat.example",
            at("2026-11-22T21:50:00Z")
        ));
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(tidy("  please\r\nfor \u{7} homework  "), "please for homework");
        assert_eq!(tidy(&"x".repeat(5000)).len(), MOST_WORDS);
    }
}
