//! Minutes of each day that a change gives or takes.

use super::stretches::{Like, Stretch, of_day};
use super::{MinutesChange, Sides, days};
use chrono::NaiveDate;

/// Every group of days on which the minutes differ.
pub(super) fn changes(sides: &Sides<'_>) -> Vec<MinutesChange> {
    let different = days::of_the_year(sides.from).filter_map(|date| Some((on(sides, date)?, date)));
    let groups = days::grouped(sides.from, different);
    let change = |((old, new, given, taken), days, count): ((i64, i64, i64, i64), String, usize)| {
        MinutesChange { days, count, old, new, given, taken }
    };
    groups.into_iter().map(change).collect()
}

/// Minutes before and after, given and taken; none where nothing is either.
fn on(sides: &Sides<'_>, date: NaiveDate) -> Option<(i64, i64, i64, i64)> {
    let (before, after) = (of_day(sides.old, sides.was, date), of_day(sides.new, sides.is, date));
    let (mut given, mut taken) = (0, 0);
    for was in &before {
        for is in &after {
            let minutes = (was.until.min(is.until) - was.from.max(is.from)).num_minutes().max(0);
            match is.like.cmp(&was.like) {
                std::cmp::Ordering::Greater => given += minutes,
                std::cmp::Ordering::Less => taken += minutes,
                std::cmp::Ordering::Equal => {}
            }
        }
    }
    (given != 0 || taken != 0).then(|| (open(&before), open(&after), given, taken))
}

fn open(stretches: &[Stretch]) -> i64 {
    stretches.iter().filter(|s| s.like != Like::Off).map(|s| (s.until - s.from).num_minutes()).sum()
}
