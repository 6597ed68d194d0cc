//! The PINs that people sign in with: of each only a hash is kept (argon2id, RFC 9106), in a file of the gateway's own.

use crate::last_good::write_whole;
use crate::state::State;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A PIN has at least so many digits: a million to try, with a lock after a few.
const LEAST: usize = 6;
/// And at most so many.
const MOST: usize = 12;
/// No home's file is longer.
const LONGEST: u64 = 1 << 20;

/// The PINs of a home.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    file: PathBuf,
}

/// What takes as long as a PIN does where there is none.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("nobody").unwrap_or_default());

fn hash(pin: &str) -> Option<String> {
    Argon2::default().hash_password(pin.as_bytes()).ok().map(|hash| hash.to_string())
}

impl Pins {
    /// Those that stand in a state folder.
    pub(crate) fn of(state: &State) -> Self {
        Self { file: state.dir.join("pins.json") }
    }

    fn read(&self) -> io::Result<BTreeMap<String, String>> {
        match crate::folder::at_most(&self.file, LONGEST) {
            Ok(Some(bytes)) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Ok(None) => Err(io::Error::other("the file is too long")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// Sets a person's PIN, or takes it away. It takes a while.
    pub(crate) fn set(&self, person: &str, pin: Option<&str>) -> io::Result<()> {
        let mut all = self.read()?;
        match pin {
            None => drop(all.remove(person)),
            Some(pin) => {
                let hash =
                    hash(pin).ok_or_else(|| io::Error::other("the system has no randomness to give"))?;
                all.insert(person.to_owned(), hash);
            }
        }
        write_whole(&self.file, &serde_json::to_vec_pretty(&all).map_err(io::Error::other)?)
    }

    /// Whether a PIN is the person's. It takes a while, and as long for somebody who has none.
    pub(crate) fn opens(&self, person: Option<&str>, pin: &str) -> bool {
        let all = self.read().unwrap_or_else(|error| {
            tracing::error!(%error, "the PINs cannot be read: nobody can sign in");
            BTreeMap::new()
        });
        let kept = person.and_then(|person| all.get(person));
        let opens = PasswordHash::new(kept.unwrap_or(&NOBODYS))
            .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok());
        opens && kept.is_some()
    }
}

/// Why a PIN is not good enough, as a sentence for whoever chose it; none when it is.
pub(crate) fn weakness(pin: &str) -> Option<String> {
    let digits: Vec<u8> = pin.bytes().collect();
    if !digits.iter().all(u8::is_ascii_digit) {
        return Some("A PIN is made of digits alone.".to_owned());
    }
    if !(LEAST..=MOST).contains(&digits.len()) {
        return Some(format!("A PIN has {LEAST} to {MOST} digits."));
    }
    let step = |pair: &[u8]| i16::from(pair[1]) - i16::from(pair[0]);
    let steps: Vec<i16> = digits.windows(2).map(step).collect();
    let runs = steps.iter().all(|s| *s == steps[0]) && steps[0].abs() <= 1;
    let again = (1..=3).any(|piece| digits.iter().enumerate().all(|(i, d)| *d == digits[i % piece]));
    (runs || again).then(|| "That is one of the first that everybody tries.".to_owned())
}

/// A PIN that nobody chose.
pub(crate) fn fresh() -> Option<String> {
    use ring::rand::{SecureRandom, SystemRandom};
    loop {
        let mut bytes = [0; LEAST];
        SystemRandom::new().fill(&mut bytes).ok()?;
        // 250 to 255 would make some digits likelier than others.
        if bytes.iter().any(|byte| *byte >= 250) {
            continue;
        }
        let pin: String = bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        if weakness(&pin).is_none() {
            return Some(pin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_pins_are_good_enough() {
        for (pin, good) in [
            ("482913", true),
            ("112358", true),
            ("482913482913", true),
            ("48291", false),
            ("4829134829131", false),
            ("123456", false),
            ("987654", false),
            ("000000", false),
            ("121212", false),
            ("123123", false),
            ("48291a", false),
            ("４８２９１３", false),
            ("", false),
        ] {
            let weak = weakness(pin);
            assert_eq!(weak.is_none(), good, "{pin}: {weak:?}");
        }
        assert!((0..100).all(|_| fresh().is_some_and(|pin| weakness(&pin).is_none())));
    }

    #[test]
    fn only_a_hash_is_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let pins = Pins::of(&State { dir: dir.path().to_owned() });
        assert!(!pins.opens(Some("jo"), "482913"), "none is set");
        pins.set("jo", Some("482913")).expect("set");
        let text = std::fs::read_to_string(dir.path().join("pins.json")).expect("written");
        assert!(text.contains("$argon2id$") && !text.contains("482913"), "{text}");
        for (person, pin, opens) in [
            (Some("jo"), "482913", true),
            (Some("jo"), "482914", false),
            (Some("sam"), "482913", false),
            (None, "482913", false),
            (None, "nobody", false),
        ] {
            assert_eq!(pins.opens(person, pin), opens, "{person:?} {pin}");
        }
        pins.set("jo", None).expect("taken away");
        assert!(!pins.opens(Some("jo"), "482913"));
    }
}
