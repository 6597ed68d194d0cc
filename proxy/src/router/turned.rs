//! What the rules turn away by themselves, counted by the kernel: what devices do without anybody having chosen it (QUIC, DNS to
//! somebody else, a port that is not named). There are sums of it and nothing more: whose it was is written down nowhere.

use super::{NotHeld, TABLE, nft};
use agreements::Detector;
use std::fmt::Write;

/// What is counted, each by a counter that is called like the detector's key.
const COUNTED: [Detector; 5] =
    [Detector::Dot, Detector::Doq, Detector::OwnResolver, Detector::Quic, Detector::OtherPort];

/// The counters, for the table.
pub(super) fn counters(script: &mut String) {
    script.push_str("\t# What is turned away by itself, and told of as sums alone.\n");
    for detector in COUNTED {
        let _ = writeln!(script, "\tcounter {} {{\n\t}}", detector.row().key);
    }
}

/// The words of a rule that count for a detector.
pub(super) fn counts(detector: Detector) -> String {
    format!("counter name \"{}\"", detector.row().key)
}

/// What was turned away since the program began, in packets; of questions to other name servers, those that began something.
///
/// A table that is put in place anew begins at 0: what was read before is kept here, and what it counted since then is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnedAway {
    read: [u64; COUNTED.len()],
    sums: [u64; COUNTED.len()],
}

impl TurnedAway {
    /// Reads the kernel's counters: how much is new since the last time. It runs a program, and waits for it.
    ///
    /// # Errors
    ///
    /// When there is no table of ours, or it cannot be read; then the sums are as before.
    pub fn look(&mut self) -> Result<u64, NotHeld> {
        nft(&["list", "counters", "table", "inet", TABLE], "").map(|listed| self.add(&listed))
    }

    /// The sums, by the keys of their detectors.
    pub fn sums(&self) -> impl Iterator<Item = (Detector, u64)> {
        COUNTED.into_iter().zip(self.sums)
    }

    fn add(&mut self, listed: &str) -> u64 {
        let mut new = 0_u64;
        for (counter, now) in packets(listed) {
            let Some(at) = COUNTED.iter().position(|detector| detector.row().key == counter) else {
                continue;
            };
            // Less than before: somebody has put the table in place anew.
            let grown = now.checked_sub(self.read[at]).unwrap_or(now);
            self.read[at] = now;
            self.sums[at] = self.sums[at].saturating_add(grown);
            new = new.saturating_add(grown);
        }
        new
    }
}

/// The packets of each counter, as `nft list counters` writes them: `counter quic {`, and then `packets 3 bytes 180`.
fn packets(listed: &str) -> impl Iterator<Item = (&str, u64)> {
    let mut words = listed.split_whitespace().map(|word| word.trim_matches('"'));
    std::iter::from_fn(move || {
        loop {
            if words.next()? != "counter" {
                continue;
            }
            let (name, _brace, _packets) = (words.next()?, words.next()?, words.next()?);
            if let Ok(packets) = words.next()?.parse() {
                return Some((name, packets));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(counted: &[(&str, u64)]) -> String {
        let one = |(name, packets): &(&str, u64)| {
            format!("\tcounter {name} {{\n\t\tpackets {packets} bytes 60\n\t}}\n")
        };
        format!("table inet hearthgate {{\n{}}}\n", counted.iter().map(one).collect::<String>())
    }

    fn sum(turned: &TurnedAway, wanted: Detector) -> u64 {
        turned.sums().find(|(detector, _)| *detector == wanted).unwrap().1
    }

    #[test]
    fn what_was_counted_is_kept_over_a_table_that_is_made_anew() {
        let mut turned = TurnedAway::default();
        for (counted, new, quic, dot) in [
            (&[("dot", 3), ("quic", 12)][..], 15, 12, 3),
            (&[("dot", 3), ("quic", 14)], 2, 14, 3),
            (&[("dot", 0), ("quic", 1)], 1, 15, 3),
            (&[("dot", 0), ("quic", 1)], 0, 15, 3),
            (&[("somebody_elses", 90), ("\"dot\"", 2)], 2, 15, 5),
        ] {
            assert_eq!(turned.add(&listed(counted)), new, "{counted:?}");
            assert_eq!(
                (sum(&turned, Detector::Quic), sum(&turned, Detector::Dot)),
                (quic, dot),
                "{counted:?}"
            );
        }
        let keys: Vec<_> = turned.sums().map(|(detector, _)| detector.row().key).collect();
        assert_eq!(keys, ["dot", "doq", "own_resolver", "quic", "other_port"]);
    }

    #[test]
    fn what_is_no_list_of_counters_counts_nothing() {
        let whole = listed(&[("dot", u64::MAX), ("quic", 7)]);
        let cut = (0..whole.len()).map(|end| whole[..end].to_owned());
        let strange = [
            "counter",
            "counter dot",
            "counter dot { packets x bytes 1 }",
            "counter counter counter counter",
        ];
        for text in cut.chain(strange.map(str::to_owned)) {
            TurnedAway::default().add(&text);
        }
        let mut turned = TurnedAway::default();
        assert_eq!(strange.map(|text| turned.add(text)), [0; 4]);
        // A number that does not fit takes nothing else with it.
        assert_eq!(turned.add(&whole.replace("18446744073709551615", "99999999999999999999")), 7);
    }
}
