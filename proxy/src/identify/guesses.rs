//! Wrong tokens: whoever tries tokens out is slow, at the proxy and in DNS inside TLS alike. Bounded, and kept in memory alone.
//!
//! A program that goes on showing one old token guesses nothing: the same wrong token of the same device counts once a minute.

use foldhash::fast::RandomState;
use quick_cache::unsync;
use records::Face;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many clients' wrong tokens are remembered.
const CLIENTS: usize = 1024;
/// How many wrong tokens a client may show in a minute: programs retry, but nobody types so fast.
const WRONG_TOKENS: u32 = 30;
/// How many wrong tokens all clients may show together in a minute before each has only [`WRONG_TOKENS_IN_A_STORM`]: whoever
/// guesses from many addresses of the home is as slow as from one.
const WRONG_TOKENS_OF_ALL: u32 = 90;
/// How many a client has then. Who shows the right one at first is known all the same.
const WRONG_TOKENS_IN_A_STORM: u32 = 1;

/// Who has shown wrong tokens of late. Times are the steady clock's.
pub(crate) struct Guesses {
    wrong: Mutex<Wrong>,
    /// No token is kept, only what this makes of it.
    hasher: RandomState,
}

struct Wrong {
    of: unsync::Cache<Face, (Minute, Option<u64>)>,
    all: Minute,
}

/// A minute in which wrong tokens are counted: since when, and how many there were.
#[derive(Clone, Copy)]
struct Minute {
    since: Duration,
    count: u32,
}

impl Minute {
    fn is_on(self, now: Duration) -> bool {
        now.saturating_sub(self.since) < Duration::from_secs(60)
    }

    /// One more, in this minute or in a new one.
    fn one_more(self, now: Duration) -> Self {
        if self.is_on(now) {
            Self { count: self.count.saturating_add(1), ..self }
        } else {
            Self { since: now, count: 1 }
        }
    }
}

impl std::fmt::Debug for Guesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guesses").finish_non_exhaustive()
    }
}

impl Default for Guesses {
    fn default() -> Self {
        let all = Minute { since: Duration::ZERO, count: 0 };
        let wrong = Wrong { of: unsync::Cache::new(CLIENTS), all };
        Self { wrong: Mutex::new(wrong), hasher: RandomState::default() }
    }
}

impl Guesses {
    /// Notes a wrong token; none for what is no token at all.
    pub(crate) fn wrong(&self, client: Face, token: Option<&str>, now: Duration) {
        let client = client.counted();
        let token = token.map(|token| self.hasher.hash_one(token.to_ascii_lowercase()));
        let mut wrong = self.locked();
        let before = wrong.of.get(&client).copied().filter(|(minute, _)| minute.is_on(now));
        if token.is_some() && before.is_some_and(|(_, last)| last == token) {
            return;
        }
        let none = Minute { since: now, count: 0 };
        let minute = before.map_or(none, |(minute, _)| minute).one_more(now);
        wrong.of.insert(client, (minute, token));
        wrong.all = wrong.all.one_more(now);
        if minute.count == WRONG_TOKENS || wrong.all.count == WRONG_TOKENS_OF_ALL {
            tracing::warn!("somebody tries out tokens; theirs are not looked at until the minute is over");
        }
    }

    /// Whether a client has shown too many wrong tokens of late, so that none is looked at until the minute is over.
    pub(crate) fn is_guessing(&self, client: Face, now: Duration) -> bool {
        let wrong = self.locked();
        let storm = wrong.all.is_on(now) && wrong.all.count >= WRONG_TOKENS_OF_ALL;
        let most = if storm { WRONG_TOKENS_IN_A_STORM } else { WRONG_TOKENS };
        let late = wrong.of.get(&client.counted()).filter(|(minute, _)| minute.is_on(now));
        late.is_some_and(|(minute, _)| minute.count >= most)
    }

    fn locked(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Face = Face::Mac([2, 0, 0, 0, 0, 1]);

    fn guess(guesses: &Guesses, client: Face, n: u64, now: Duration) {
        guesses.wrong(client, Some(&format!("tablet-{n}")), now);
    }

    #[test]
    fn guessing_tokens_is_slow() {
        let guesses = Guesses::default();
        let second = Duration::from_secs;
        for i in 0..40 {
            assert_eq!(guesses.is_guessing(CLIENT, second(i)), i >= 30, "{i}");
            guess(&guesses, CLIENT, i, second(i));
        }
        assert!(guesses.is_guessing(CLIENT, second(59)) && !guesses.is_guessing(CLIENT, second(60)));
        guess(&guesses, CLIENT, 41, second(61));
        assert!(!guesses.is_guessing(CLIENT, second(61)));
    }

    #[test]
    fn a_program_with_an_old_token_guesses_nothing() {
        let guesses = Guesses::default();
        for i in 0..1000 {
            let token = if i % 2 == 0 { "tablet-1" } else { "TABLET-1" };
            guesses.wrong(CLIENT, Some(token), Duration::from_secs(i / 20));
        }
        assert!(!guesses.is_guessing(CLIENT, Duration::from_secs(50)));
        for _ in 0..30 {
            guesses.wrong(CLIENT, None, Duration::from_secs(50));
        }
        assert!(
            guesses.is_guessing(CLIENT, Duration::from_secs(50)),
            "what is no token at all counts each time"
        );
    }

    #[test]
    fn whoever_takes_other_addresses_is_the_same() {
        let guesses = Guesses::default();
        for i in 0..30 {
            let face = Face::Address(format!("2001:db8::{i:x}").parse().unwrap());
            guess(&guesses, face, i, Duration::ZERO);
        }
        let guessing = |face: &str| guesses.is_guessing(face.parse().unwrap(), Duration::ZERO);
        assert!(guessing("2001:db8::ffff"));
        assert!(!guessing("2001:db8:0:1::1") && !guessing("02:00:00:00:00:01"), "others are not");
    }

    #[test]
    fn guessing_from_many_addresses_is_as_slow() {
        let guesses = Guesses::default();
        let client = |i: u8| Face::Address([192, 0, 2, i].into());
        let looked_at = |second: u64| {
            let now = Duration::from_secs(second);
            let try_one = |i: u64| {
                let client = client((i % 35) as u8);
                let looked_at = !guesses.is_guessing(client, now);
                if looked_at {
                    guess(&guesses, client, i, now);
                }
                looked_at
            };
            (0..35 * 33).filter(|i| try_one(*i)).count()
        };
        // Thirty-five addresses with thirty guesses each would have a thousand and fifty.
        assert_eq!(looked_at(0), 90);
        assert_eq!(looked_at(30), 0, "and no more within the minute");
        // A device that shows the right token at first shows no wrong one, and is looked at.
        assert!(!guesses.is_guessing(client(200), Duration::from_secs(30)));
        assert_eq!(looked_at(60), 90);
    }
}
