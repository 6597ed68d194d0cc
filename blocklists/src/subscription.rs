//! Subscribed lists: is what was fetched fit to replace what is there, and when is the next fetch?
//!
//! Pure decisions. The program fetches, keeps files and reads the clock; the last good copy stays whenever this says no.

use crate::format::{Format, Limits, ListInput, NotAList, read_list};
use std::fmt;
use std::time::Duration;

/// What is remembered of a body that was accepted, to judge the next one by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The format it was read as.
    pub format: Format,
    /// How many entries it has.
    pub names: u64,
    /// How many of its lines were skipped.
    pub skipped: u64,
}

/// Why a fetched body does not replace the last good one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is nothing in it, or comments only.
    Empty,
    /// It is a web page.
    Html,
    /// No format fits it.
    Unknown,
    /// It is larger than the limit, packed or unpacked.
    TooLarge,
    /// Its compression is damaged, or reading it failed.
    Unreadable(String),
    /// It was read, and not one name was in it.
    NoNames,
    /// It has less than half the names that the last good copy has: more likely a fault than a clean-up.
    LostMoreThanHalf {
        /// Names of the last good copy.
        before: u64,
        /// Names of this body.
        after: u64,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the fetched list is empty; the last good copy stays"),
            Self::Html => f.write_str("a web page was fetched instead of a list; the last good copy stays"),
            Self::Unknown => f.write_str("no list format fits what was fetched; the last good copy stays"),
            Self::TooLarge => {
                f.write_str("the fetched list is larger than the limit; the last good copy stays")
            }
            Self::Unreadable(why) => {
                write!(f, "the fetched list cannot be read ({why}); the last good copy stays")
            }
            Self::NoNames => f.write_str("the fetched list has no names; the last good copy stays"),
            Self::LostMoreThanHalf { before, after } => {
                write!(
                    f,
                    "the fetched list has {after} names where the last good copy has {before}; that one stays"
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<NotAList> for Refused {
    fn from(why: NotAList) -> Self {
        match why {
            NotAList::Empty => Self::Empty,
            NotAList::Html => Self::Html,
            NotAList::Unknown => Self::Unknown,
            NotAList::TooLarge => Self::TooLarge,
            NotAList::Unreadable(why) => Self::Unreadable(why.to_string()),
        }
    }
}

/// Judges a fetched body: whether it may replace what `previous` describes. The body is read once, nothing is kept.
pub fn judge_fetch(
    previous: Option<&Accepted>,
    fetched: ListInput<'_>,
    limits: &Limits,
) -> Result<Accepted, Refused> {
    let outcome = read_list(fetched, limits, &mut |_| {})?;
    let (before, after) = (previous.map_or(0, |p| p.names), outcome.entries);
    if after == 0 {
        return Err(Refused::NoNames);
    }
    if after < before - before / 2 {
        return Err(Refused::LostMoreThanHalf { before, after });
    }
    Ok(Accepted { format: outcome.format, names: after, skipped: outcome.skips.total() })
}

/// When to fetch again after a success, as a time since the same origin as `last`: after `refresh` and up to a tenth
/// more, so that all homes that subscribe to a list do not come at once. The seed is the home's own.
pub fn next_fetch(last: Duration, refresh: Duration, seed: u64) -> Duration {
    last.saturating_add(refresh).saturating_add(part_of(refresh / 10, last, seed))
}

/// When to try again after `failures` failures in a row: one minute, two, four, … and up to a tenth more, never later
/// than the ordinary refresh.
pub fn next_try(last: Duration, refresh: Duration, failures: u32, seed: u64) -> Duration {
    let minutes = 1u32 << failures.saturating_sub(1).min(16);
    let pause = Duration::from_secs(60).saturating_mul(minutes).min(refresh);
    last.saturating_add(pause).saturating_add(part_of(pause / 10, last, seed))
}

/// A part of `span` that the seed and the moment choose (splitmix64).
fn part_of(span: Duration, moment: Duration, seed: u64) -> Duration {
    let mut x = seed ^ (moment.as_nanos() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    // A span beyond 580 years is cut to that, which keeps the product inside 128 bits.
    let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(((u128::from(x) * u128::from(span)) >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tags;

    fn judge(previous: Option<u64>, body: &[u8]) -> Result<u64, Refused> {
        let previous = previous.map(|names| Accepted { format: Format::Plain, names, skipped: 0 });
        let limits = Limits { bytes: 1000, unpacked: 2000, entries: 100 };
        judge_fetch(previous.as_ref(), ListInput::new("list", Tags::NONE, body), &limits).map(|a| a.names)
    }

    #[test]
    fn what_replaces_the_last_good_copy() {
        let four = b"a.example\nb.example\nc.example\nd.example\n";
        let half_gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0xd4];
        let lost = |before, after| Err(Refused::LostMoreThanHalf { before, after });
        for (case, previous, body, expected) in [
            ("a first copy", None, &four[..], Ok(4)),
            ("as many as before", Some(4), four, Ok(4)),
            ("exactly half", Some(8), four, Ok(4)),
            ("just under half", Some(9), four, lost(9, 4)),
            ("nearly all lost", Some(400), four, lost(400, 4)),
            ("no bytes", Some(4), b"", Err(Refused::Empty)),
            ("blank lines", Some(4), b"\n\r\n  \n", Err(Refused::Empty)),
            ("comments only", Some(4), b"# nothing today\n", Err(Refused::Empty)),
            ("a web page", Some(4), b"<!DOCTYPE html>\n<p>Please sign in", Err(Refused::Html)),
            ("a web page without doctype", None, b"\n <HTML><body>", Err(Refused::Html)),
            ("prose", None, b"The list has moved.\nPlease look elsewhere.\n", Err(Refused::Unknown)),
            ("endings only", None, b"co.uk\ncom.au\n", Err(Refused::NoNames)),
            ("too many bytes", None, &[b'a'; 1001], Err(Refused::TooLarge)),
        ] {
            assert_eq!(judge(previous, body), expected, "{case}");
        }
        assert!(
            matches!(judge(None, &half_gzip), Err(Refused::Unreadable(_) | Refused::Empty)),
            "half a gzip"
        );
    }

    #[test]
    fn a_refresh_comes_after_its_time_and_not_all_at_once() {
        let (last, day) = (Duration::from_secs(1_800_000_000), Duration::from_secs(86_400));
        let times: Vec<Duration> = (0..1000).map(|seed| next_fetch(last, day, seed) - last).collect();
        assert!(times.iter().all(|t| *t >= day && *t < day + day / 10));
        let early = times.iter().filter(|t| **t < day + day / 20).count();
        assert!((400..600).contains(&early), "{early} of 1000 homes in the first half of the spread");
        assert_eq!(next_fetch(Duration::MAX, day, 1), Duration::MAX);
    }

    #[test]
    fn failures_are_tried_again_ever_later_but_never_later_than_the_refresh() {
        let (last, hour) = (Duration::from_secs(5), Duration::from_secs(3600));
        for (failures, minutes) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60), (u32::MAX, 60)]
        {
            let pause = next_try(last, hour, failures, 9) - last;
            let least = Duration::from_secs(60 * minutes);
            assert!(pause >= least && pause < least + least / 10, "{failures} failures: {pause:?}");
        }
    }
}
