//! Listed names and questions about them.
//!
//! Real names come from the data folder (`HEARTHGATE_DATA`, else `../shared/data` beside the repository). What is
//! missing to the wanted number is put together from halves of their labels, so that it packs and hashes like them.

use blocklists::Name;
use blocklists::format::{Limits, ListInput, read_list};
use flate2::read::GzDecoder;
use std::collections::HashSet;
use std::io::Read;
use std::path::PathBuf;

/// A fixed generator (splitmix64), so that every run measures the same names.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator with a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        ((u128::from(self.next()) * sides as u128) >> 64) as usize
    }

    /// A number from 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The seed of everything here.
pub const SEED: u64 = 20_240_607;

/// Words that stand in for real names where the data folder is absent.
const WORDS: &str = "casino poker shop store game play live news photo video music chat travel hotel bank credit \
    sport health food home garden school learn cloud host data media stream stats click pixel track banner promo \
    secure login account update mail forum blog wiki download free best online world city green blue star sun moon";

fn data_folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("HEARTHGATE_DATA").map_or_else(|| beside.into(), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// All distinct names of the published lists, in the order in which they stand there; empty without the data folder.
pub fn real() -> Vec<String> {
    let Some(folder) = data_folder() else { return Vec::new() };
    let (mut seen, mut names) = (HashSet::new(), Vec::new());
    for archive in ["ut1-blacklists.tar.gz", "shadowwhisperer-lists.tar.gz", "blocklistproject-lists.tar.gz"]
    {
        let Ok(bytes) = std::fs::read(folder.join(archive)) else { continue };
        for body in members(&bytes) {
            let list = ListInput::new(archive, blocklists::Tags::NONE, &body);
            // A member that is no list (a licence, a folder's usage note) has no names to give.
            let _outcome = read_list(list, &Limits::default(), &mut |tagged| {
                let name = tagged.entry.name.as_str();
                if name.contains('.') && !seen.contains(name) {
                    seen.insert(name.to_owned());
                    names.push(name.to_owned());
                }
            });
        }
    }
    names
}

fn members(archive: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for mut member in archive.entries().into_iter().flatten().map_while(Result::ok) {
        let path = member.path().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        let mut body = Vec::new();
        if !path.ends_with("/urls")
            && !path.ends_with("/expressions")
            && member.read_to_end(&mut body).is_ok()
        {
            bodies.push(body);
        }
    }
    bodies
}

/// `count` distinct listed names: real ones first.
pub fn listed(real: &[String], count: usize) -> Vec<String> {
    let mut names: Vec<String> = real.iter().take(count).cloned().collect();
    let mut seen: HashSet<String> = names.iter().cloned().collect();
    let mut dice = Dice::new(SEED);
    while names.len() < count {
        let name = synthetic(real, &mut dice);
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}

/// A name from halves of two real labels, under a real ending, sometimes with a label before it.
fn synthetic(real: &[String], dice: &mut Dice) -> String {
    let words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
    let label = |dice: &mut Dice| match real.len() {
        0 => words[dice.roll(words.len())].to_owned(),
        count => {
            let site = Name::trusted(&real[dice.roll(count)]).registrable().as_str();
            site.split('.').next().unwrap_or_default().to_owned()
        }
    };
    let (first, second) = (label(dice), label(dice));
    let ending = match real.len() {
        0 => ["com", "net", "org", "co.uk", "de", "info", "ru", "xyz"][dice.roll(8)],
        count => {
            let site = Name::trusted(&real[dice.roll(count)]).registrable().as_str();
            site.split_once('.').map_or("com", |(_, ending)| ending)
        }
    };
    let front = first.get(..first.len().div_ceil(2)).unwrap_or("a");
    let back = second.get(second.len() / 2..).unwrap_or("b");
    let digits = if real.is_empty() { dice.roll(100_000).to_string() } else { String::new() };
    let site = format!("{front}{back}{digits}.{ending}");
    let site = site.trim_matches('-');
    match dice.roll(6) {
        0 => format!("{}.{site}", ["www", "cdn", "static", "m", "api", "ads"][dice.roll(6)]),
        _ => site.to_owned(),
    }
}

/// Distinct questions: 30 % are listed or stand below a listed name, 2 to 5 labels each. Below few listed names stand more hosts.
pub fn questions(real: &[String], listed: &[String], count: usize) -> Vec<String> {
    let mut dice = Dice::new(SEED ^ 1);
    let known: HashSet<&str> = listed.iter().map(String::as_str).collect();
    let is_hit = |name: &str| Name::trusted(name).suffixes().any(|suffix| known.contains(suffix.as_str()));
    let few = listed.len() < count * 3 / 20;
    let (mut seen, mut questions) = (HashSet::new(), Vec::with_capacity(count));
    while questions.len() < count {
        let wants_hit = questions.len() % 10 < 3;
        let name = match wants_hit {
            true => listed[dice.roll(listed.len())].clone(),
            false => synthetic(real, &mut dice),
        };
        let name = match dice.roll(6) {
            0 | 1 => format!("www.{name}"),
            2 => format!("www.cdn.{name}"),
            _ if few && wants_hit => format!("h{}.{name}", dice.roll(count)),
            _ => name,
        };
        let labels = name.split('.').count();
        if (2..=5).contains(&labels) && is_hit(&name) == wants_hit && seen.insert(name.clone()) {
            questions.push(name);
        }
    }
    // What is asked most must be neither all listed nor all not.
    for index in (1..questions.len()).rev() {
        questions.swap(index, dice.roll(index + 1));
    }
    questions
}

/// `count` draws by Zipf's law (s = 1) from `of` questions, by rank.
pub fn zipf(of: usize, count: usize) -> Vec<usize> {
    let mut dice = Dice::new(SEED ^ 2);
    let mut sums = Vec::with_capacity(of);
    let mut sum = 0.0;
    for rank in 1..=of {
        sum += 1.0 / rank as f64;
        sums.push(sum);
    }
    (0..count).map(|_| sums.partition_point(|s| *s < dice.unit() * sum).min(of - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_distinct_and_30_percent_are_listed_however_few_names_are() {
        for listed_names in [20, 1000] {
            let names = listed(&[], listed_names);
            let questions = questions(&[], &names, 2000);
            assert_eq!(questions.iter().collect::<HashSet<_>>().len(), 2000);
            let known: HashSet<&str> = names.iter().map(String::as_str).collect();
            let hit = |name: &&String| Name::trusted(name).suffixes().any(|s| known.contains(s.as_str()));
            assert_eq!(questions.iter().filter(hit).count(), 600, "{listed_names}");
        }
    }
}
