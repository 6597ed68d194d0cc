//! The PINs that people sign in with: of each only a hash is kept (argon2id, RFC 9106), in the records. Everybody has one, whether the
//! desk or the command line gave it, for signing in on a device and for seeing one's own pages on a shared one.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::LazyLock;

/// A PIN has at least so many digits: a million to try, with a lock after a few. With four, the lock of one person would open
/// for a guess in a thousand, and the four that a young person takes are the four that everybody knows of them.
const LEAST: usize = 6;
/// And at most so many.
const MOST: usize = 8;

/// A PIN's name among the passwords of the records: no account of staff has a colon.
pub(crate) fn account(person: &str) -> String {
    format!("pin:{person}")
}

/// What takes as long as a PIN does where there is none.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("nobody").unwrap_or_default());

/// What is kept of a PIN. It takes a while; none only when the system has no randomness to give.
pub(crate) fn hash(pin: &str) -> Option<String> {
    Argon2::default().hash_password(pin.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a PIN is the one that is kept. It takes a while, and as long where none is.
pub(crate) fn opens(kept: Option<&str>, pin: &str) -> bool {
    let opens = PasswordHash::new(kept.unwrap_or(&NOBODYS))
        .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok());
    opens && kept.is_some()
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
            ("48291348", true),
            ("48291", false),
            ("482913482", false),
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

    /// How long each takes beside the first of its own round: the middle of many rounds.
    fn ratios(tried: &[(Option<&str>, &str)]) -> Vec<f64> {
        const ROUNDS: usize = 20;
        let mut all = vec![Vec::new(); tried.len()];
        for _ in 0..ROUNDS {
            let took = |(kept, pin): &(Option<&str>, &str)| {
                let begun = std::time::Instant::now();
                assert!(!opens(*kept, pin), "{pin}");
                begun.elapsed().as_secs_f64()
            };
            let times: Vec<f64> = tried.iter().map(took).collect();
            all.iter_mut().zip(&times).for_each(|(ratios, time)| ratios.push(time / times[0]));
        }
        let middle = |mut ratios: Vec<f64>| {
            ratios.sort_unstable_by(f64::total_cmp);
            ratios[ROUNDS / 2]
        };
        all.into_iter().map(middle).collect()
    }

    #[test]
    fn how_long_it_takes_tells_nobody_who_has_a_pin() {
        let kept = hash("482913").expect("randomness");
        // Somebody's, that nobody has, that nobody gave: and what the stand-in for none would open.
        let tried = [(Some(kept.as_str()), "482914"), (None, "482913"), (None, "nobody"), (None, "")];
        let mut seen = Vec::new();
        // What tells them apart does so each time; a machine that is busy with something else does not.
        for _ in 0..3 {
            let ratios = ratios(&tried);
            if ratios.iter().all(|ratio| (0.8..1.25).contains(ratio)) {
                return;
            }
            seen.push(ratios);
        }
        panic!("they take these times as long as the first: {seen:?}");
    }

    #[test]
    fn only_a_hash_is_kept() {
        let kept = hash("482913").expect("randomness");
        assert!(kept.starts_with("$argon2id$") && !kept.contains("482913"), "{kept}");
        for (kept, pin, opens_it) in [
            (Some(kept.as_str()), "482913", true),
            (Some(&kept), "482914", false),
            (Some("broken"), "482913", false),
            (None, "482913", false),
            (None, "nobody", false),
        ] {
            assert_eq!(opens(kept, pin), opens_it, "{kept:?} {pin}");
        }
    }
}
