//! A histogram of delays: 32 steps for each doubling, so that a figure is right to 3 %.

const STEPS: usize = 32;

/// How long answers took.
#[derive(Clone, Debug)]
pub struct Delays {
    counts: Vec<u64>,
    count: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { counts: vec![0; 64 * STEPS], count: 0 }
    }
}

impl Delays {
    /// Takes one delay in nanoseconds.
    pub fn add(&mut self, nanoseconds: u64) {
        self.counts[step(nanoseconds)] += 1;
        self.count += 1;
    }

    /// The delay in microseconds within which this part of the answers came; zero without answers.
    pub fn within(&self, part: f64) -> f64 {
        let wanted = (self.count as f64 * part).ceil() as u64;
        let mut sum = 0;
        let place = self.counts.iter().position(|count| {
            sum += count;
            sum >= wanted && sum > 0
        });
        place.map_or(0.0, |place| begin(place) as f64 / 1e3)
    }
}

/// Small numbers are their own step; then the first bits after the highest tell.
fn step(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let doubling = value.ilog2() as usize - 5;
    (doubling + 1) * STEPS + ((value >> doubling) as usize - STEPS)
}

fn begin(step: usize) -> u64 {
    if step < STEPS {
        return step as u64;
    }
    let doubling = step / STEPS - 1;
    ((STEPS + step % STEPS) as u64) << doubling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_at_most_one_in_thirty_two_below_its_values() {
        let mut checked = 0;
        for value in (0..100_000).chain([u64::MAX >> 1, u64::MAX]) {
            let begin = begin(step(value));
            assert!(begin <= value && value - begin <= value / 32, "{value} is told as {begin}");
            checked += 1;
        }
        assert_eq!(checked, 100_002);
    }

    #[test]
    fn of_a_hundred_the_median_is_the_fiftieth_and_the_worst_the_last() {
        let mut delays = Delays::default();
        (1..=100).for_each(|n| delays.add(n * 1000));
        let told = [0.5, 0.99, 1.0].map(|part| delays.within(part));
        for (told, real) in told.iter().zip([50.0, 99.0, 100.0]) {
            assert!(*told <= real && *told > real * 0.96, "{told} for {real}");
        }
    }
}
