//! Passwords: which are good enough, and how they are kept.
//!
//! Length counts and composition does not (NCSC password guidance; NIST SP 800-63B §3.1.1): a sentence is easy to keep in
//! mind, and `Passw0rd!` is what everybody tries. What is on the list of what everybody tries is refused, however dressed.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A password has at least so many characters.
pub(crate) const LEAST: usize = 12;
/// And at most so many: hashing more would be work that a stranger can order.
pub(crate) const MOST: usize = 200;
/// Passwords that are hashed at the same time: each takes 19 MiB.
const AT_ONCE: usize = 2;
/// Who waits longer than this for a turn is told to try again.
const PATIENCE: Duration = Duration::from_secs(10);
/// A common word is the most of a password when no more than this stands beside it.
const BESIDE: usize = 3;

static BREACHED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("../../data/breached.txt").lines();
    lines.filter(|line| !line.starts_with("# ")).collect()
});

/// Why a password is not good enough, as a sentence for the person who chose it; none when it is.
pub(crate) fn weakness(password: &str, names: &[&str]) -> Option<String> {
    let length = password.chars().count();
    if length < LEAST {
        return Some(format!(
            "It has {length} characters. Please use {LEAST} or more: three or four words that only you would put together are easy to keep in mind."
        ));
    }
    if length > MOST {
        return Some(format!("It is longer than {MOST} characters."));
    }
    let plain = password.to_lowercase();
    if is_common(&plain) {
        return Some(
            "It is among the passwords that everybody tries first, or nearly one of them.".to_owned(),
        );
    }
    if is_pattern(&plain) {
        return Some("It is one short piece again and again.".to_owned());
    }
    let named = names.iter().find(|name| name.chars().count() > 2 && is_mostly(&plain, &name.to_lowercase()));
    named.map(|_| "It is mostly your own name or the home’s.".to_owned())
}

/// Whether it is a password of the list: as it stands, without what stands around its letters, or with letters put back
/// for digits.
fn is_common(plain: &str) -> bool {
    let bare = plain.trim_matches(|c: char| !c.is_alphabetic());
    let words = [plain, if bare.chars().count() > BESIDE { bare } else { plain }];
    words.iter().any(|word| BREACHED.contains(word) || BREACHED.contains(letters_for_digits(word).as_str()))
}

fn letters_for_digits(plain: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'l',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    plain.chars().map(letter).collect()
}

/// Whether it is one piece of up to four characters again and again (`abcabcabcabc`).
fn is_pattern(plain: &str) -> bool {
    let all: Vec<char> = plain.chars().collect();
    (1..=4).any(|piece| all.iter().enumerate().all(|(i, c)| *c == all[i % piece]))
}

fn is_mostly(plain: &str, name: &str) -> bool {
    plain.contains(name) && plain.chars().count() - name.chars().count() <= BESIDE
}

/// No turn came in time: too many people sign in at the same moment.
#[derive(Debug)]
pub(crate) struct Busy;

/// Hashes and compares passwords (argon2id, RFC 9106), a few at a time.
pub(crate) struct Vault {
    turns: Arc<Semaphore>,
}

/// What a password is compared with where there is none, so that an unknown account takes as long as a known one. It has
/// the parameters of every other hash, and nobody's password makes it: whatever is compared, [`Vault::opens`] says no.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LCBub3doZXJlLg$bm9ib2R5IGNhbiBzaWduIGluIHdpdGggdGhpcyBvbmU";

impl Vault {
    /// A vault whose turns are all free.
    pub(crate) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Whether a password is the one whose hash is kept. It takes as long where none is kept.
    pub(crate) async fn opens(&self, password: String, kept: Option<String>) -> Result<bool, Busy> {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODY.to_owned());
        let same = self.work(move || {
            let hash = PasswordHash::new(&kept).ok()?;
            Argon2::default().verify_password(password.as_bytes(), &hash).ok()
        });
        Ok(same.await?.is_some() && known)
    }

    /// The hash of a password, as a PHC string.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Busy> {
        let hashed = self.work(move || Argon2::default().hash_password(password.as_bytes()).ok());
        hashed.await?.map(|hash| hash.to_string()).ok_or(Busy)
    }

    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let done = job();
            drop(turn);
            done
        });
        done.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_passwords_are_good_enough() {
        let names = ["r.osei", "R. Osei", "Oakview House"];
        for (name, password, good) in [
            ("four_words", "teapot glacier nine forks", true),
            ("no_composition_is_asked", "teapotglaciernineforks", true),
            ("other_alphabets", "три чайника и ледник", true),
            ("too_short", "Xk9!fq2#", false),
            ("eleven", "gl4cierteap", false),
            ("too_long", &"teapot glacier ".repeat(20), false),
            ("on_the_list", "qwertasdfgzxcvb", false),
            ("in_capitals", "QWERTASDFGZXCVB", false),
            ("a_common_one_with_digits_after", "password123456789", false),
            ("a_common_one_dressed", "P4$$w0rd2026!!", false),
            ("again_and_again", "abcabcabcabcabc", false),
            ("own_name", "r.osei-2026", false),
            ("own_name_and_a_little", "Oakview House!!", false),
            ("a_name_within_a_sentence", "Oakview House has nine teapots", true),
        ] {
            assert_eq!(
                weakness(password, &names).is_none(),
                good,
                "{name}: {:?}",
                weakness(password, &names)
            );
        }
        assert!(BREACHED.len() > 10_000, "the list is there");
    }

    #[tokio::test]
    async fn a_password_opens_what_it_was_set_for() {
        let vault = Vault::new();
        let kept = vault.hash("teapot glacier nine forks".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(vault.opens("teapot glacier nine forks".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!vault.opens("teapot glacier nine fork".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!vault.opens("nobody can sign in with this".to_owned(), None).await.unwrap());
        let params = |hash: &str| PasswordHash::new(hash).unwrap().params.to_string();
        assert_eq!(params(NOBODY), params(&kept), "an unknown account takes as long");
    }
}
