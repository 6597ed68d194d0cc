//! An axis: its ends, its marks, and where a value stands on it.

/// An axis over values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Where lines stand, with a number.
    pub(crate) marks: Vec<f64>,
}

impl Axis {
    /// An axis over these values: from zero, or from a power of ten to another.
    pub(crate) fn over(values: impl Iterator<Item = f64>, log: bool) -> Self {
        let values: Vec<f64> = values.filter(|value| !log || *value > 0.0).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        if log { Self::powers(least.min(most), most) } else { Self::even(most) }
    }

    fn powers(least: f64, most: f64) -> Self {
        let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        let last = last.max(first + 1);
        let marks: Vec<f64> = (first..=last).map(|power| 10f64.powi(power)).collect();
        Self { low: 10f64.powi(first), high: 10f64.powi(last), log: true, marks }
    }

    /// Four to eight even steps of 1, 2 or 5 times a power of ten.
    fn even(most: f64) -> Self {
        let rough = most / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let count = (most / step).ceil() as u32;
        let marks: Vec<f64> = (0..=count).map(|n| f64::from(n) * step).collect();
        Self { low: 0.0, high: f64::from(count) * step, log: false, marks }
    }

    /// Where a value stands, from 0 to 1.
    pub(crate) fn place(&self, value: f64) -> f64 {
        match self.log {
            true => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
            false => (value - self.low) / (self.high - self.low),
        }
    }
}

/// A number as people write it: `10k`, `0.5`, `2M`.
pub(crate) fn shown(value: f64) -> String {
    let (value, unit) = match value {
        v if v >= 1e6 => (v / 1e6, "M"),
        v if v >= 1e4 => (v / 1e3, "k"),
        v => (v, ""),
    };
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_hold_every_value() {
        let cases = [
            (vec![3.1, 17.6], false, vec![0.0, 5.0, 10.0, 15.0, 20.0]),
            (vec![0.4], false, vec![0.0, 0.1, 0.2, 0.30000000000000004, 0.4]),
            (vec![1.0, 10_000.0], true, vec![1.0, 10.0, 100.0, 1000.0, 10_000.0]),
            (vec![20.0, 70.0], true, vec![10.0, 100.0]),
        ];
        for (values, log, marks) in cases {
            let axis = Axis::over(values.iter().copied(), log);
            assert_eq!(axis.marks, marks);
            assert!(values.iter().all(|value| (0.0..=1.0).contains(&axis.place(*value))), "{values:?}");
        }
        assert_eq!(Axis::over([1.0, 100.0].into_iter(), true).place(10.0), 0.5);
    }

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (0.25, "0.25"), (1000.0, "1000"), (10_000.0, "10k"), (2_500_000.0, "2.5M")];
        assert!(cases.iter().all(|(value, text)| shown(*value) == *text));
    }
}
