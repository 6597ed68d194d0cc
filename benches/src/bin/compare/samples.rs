//! What was measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One figure of one round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) peer: String,
    /// What it did: `refused`, `tunnels`, …
    pub(crate) work: String,
    /// What was looked at: `rate`, `cpu_us`, …
    pub(crate) figure: String,
    pub(crate) value: f64,
}

/// How much of the machine went elsewhere during one measurement, in parts of a core.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Noise {
    pub(crate) round: u32,
    pub(crate) peer: String,
    pub(crate) work: String,
    /// Taken by the host, of both cores.
    pub(crate) steal: f64,
    /// Used by others on the server's core.
    pub(crate) others_server: f64,
    /// Used by others on the load's core.
    pub(crate) others_load: f64,
}

impl Noise {
    /// Whether others took enough to be seen in the figures.
    pub(crate) fn disturbs(&self) -> bool {
        self.steal.max(self.others_server).max(self.others_load) > 0.05
    }
}

/// Everything that a run has measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Samples {
    pub(crate) samples: Vec<Sample>,
    pub(crate) noise: Vec<Noise>,
    /// Who could not be measured, and why.
    pub(crate) failures: Vec<String>,
}

/// The middle and the ends of a figure's rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Samples {
    /// The rounds of one figure; none when it was not measured.
    pub(crate) fn spread(&self, peer: &str, work: &str, figure: &str) -> Option<Spread> {
        let is = |s: &&Sample| s.peer == peer && s.work == work && s.figure == figure;
        let mut values: Vec<f64> = self.samples.iter().filter(is).map(|s| s.value).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Some(Spread { median, least, most })
    }

    /// Peers in the order in which they were measured first.
    pub(crate) fn peers(&self, works: &[&str]) -> Vec<String> {
        let mut seen = BTreeMap::new();
        for (place, sample) in self.samples.iter().enumerate() {
            if works.contains(&sample.work.as_str()) {
                seen.entry(sample.peer.clone()).or_insert(place);
            }
        }
        let mut peers: Vec<_> = seen.into_iter().collect();
        peers.sort_by_key(|(_, place)| *place);
        peers.into_iter().map(|(peer, _)| peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        let sample = |(round, value): (usize, &f64)| Sample {
            round: round as u32,
            peer: "a".into(),
            work: "refused".into(),
            figure: "rate".into(),
            value: *value,
        };
        Samples { samples: values.iter().enumerate().map(sample).collect(), ..Samples::default() }
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = |values: &[f64]| samples(values).spread("a", "refused", "rate");
        let of = |median, least, most| Some(Spread { median, least, most });
        assert_eq!(spread(&[9.0, 1.0, 5.0]), of(5.0, 1.0, 9.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 8.0]), of(3.0, 1.0, 8.0));
        assert_eq!(spread(&[]), None);
    }
}
