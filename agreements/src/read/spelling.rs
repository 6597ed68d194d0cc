//! The nearest right spelling.

/// Words longer than this are no misspelling of anything.
const MAX_WORD: usize = 48;
/// Added to the distance of words that share only a beginning.
const UNSURE: usize = 100;

/// The words nearest to what was typed, best first, at most three; none that is far off.
pub fn nearest<'w>(typed: &str, words: impl IntoIterator<Item = &'w str>) -> Vec<&'w str> {
    let typed = typed.trim().to_lowercase().replace([' ', '-'], "_");
    let length = typed.chars().count();
    if length == 0 || length > MAX_WORD {
        return Vec::new();
    }
    let mut found: Vec<(usize, &str)> =
        words.into_iter().filter_map(|w| Some((far(&typed, w)?, w))).collect();
    found.sort();
    found.dedup();
    // A slip of the finger has one right spelling: what is only somewhat alike does not stand beside it.
    let most = found.first().map_or(0, |(d, _)| if *d < UNSURE { d + 1 } else { usize::MAX });
    found.retain(|(d, _)| *d <= most);
    found.into_iter().map(|(_, w)| w).take(3).collect()
}

/// How far a word is from what was typed; none when it is too far to be meant.
fn far(typed: &str, word: &str) -> Option<usize> {
    let plain = word.replace([' ', '-'], "_");
    let d = distance(typed, &plain);
    let most = (typed.chars().count().max(plain.chars().count()) / 3).max(1);
    if d <= most {
        return Some(d);
    }
    // `porn` for `pornography`, `gaming` for `games`: a common beginning, less sure than a slip of the finger.
    let common = typed.chars().zip(plain.chars()).take_while(|(a, b)| a == b).count();
    let shorter = typed.chars().count().min(plain.chars().count());
    (common >= 3 && common * 2 >= shorter).then_some(UNSURE + d)
}

/// Letters to add, drop, change or swap with a neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// `Did you mean …?`, or nothing.
pub fn did_you_mean(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("Did you mean `{one}`?"),
        [most @ .., last] => format!("Did you mean {}?", format_args!("`{}` or `{last}`", most.join("`, `"))),
    }
}

/// `a, b or c`, each between backticks.
pub(crate) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_spelling_is_found() {
        let keys = ["allow", "ask", "with_staff", "block", "online", "bedtime"];
        for (typed, right) in [
            ("alow", &["allow"][..]),
            ("Allow", &["allow"]),
            ("blcok", &["block"]),
            ("with staff", &["with_staff"]),
            ("bed-time", &["bedtime"]),
            ("onlin", &["online"]),
            ("completely different", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(typed, keys), right, "{typed}");
        }
    }

    #[test]
    fn a_common_beginning_is_near() {
        assert_eq!(nearest("porn", ["pornography", "games", "news"]), ["pornography"]);
        assert_eq!(nearest("gaming", ["pornography", "games", "news"]), ["games"]);
    }

    #[test]
    fn a_letter_more_less_other_or_swapped_is_one_step() {
        for (a, b) in [("abc", "abcd"), ("abcd", "abc"), ("abc", "abd"), ("abc", "acb")] {
            assert_eq!(distance(a, b), 1, "{a} {b}");
        }
        assert_eq!(distance("", "abc"), 3);
    }
}
