//! Lists of a million names, and questions about them.

use benches::names::{Dice, SEED, listed, questions, real, zipf};
use blocklists::Name;
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// Names on the lists.
const LISTED: usize = 1_000_000;
/// The categories that they stand under, in equal parts.
const LISTS: [&str; 4] = ["gambling", "advertising", "malware", "pornography"];
/// Sites that nobody refuses.
const SITES: usize = 5_000;
/// Questions in a file that is drawn by Zipf's law.
const DRAWN: usize = 500_000;

/// Writes everything into a folder.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let real = real();
    let names = listed(&real, LISTED);
    let sites = allowed(&real, &names);
    for (part, list) in LISTS.iter().enumerate() {
        let of_part = names.iter().skip(part).step_by(LISTS.len());
        write_lines(&folder.join(format!("{list}.txt")), of_part)?;
    }
    write_lines(&folder.join("education.txt"), sites.iter())?;

    let shuffled = shuffled(&names);
    write_lines(&folder.join("refused-once"), shuffled.iter().copied())?;
    let refused: Vec<&String> = zipf(LISTED, DRAWN).into_iter().map(|rank| shuffled[rank]).collect();
    write_lines(&folder.join("refused"), refused.iter().copied())?;
    let open: Vec<&String> = zipf(SITES, DRAWN).into_iter().map(|rank| &sites[rank]).collect();
    write_lines(&folder.join("allowed"), open.iter().copied())?;
    write_lines(&folder.join("mixed"), mixed(&refused, &open).iter())?;
    // Each site with and without www., so that what is allowed is in the cache before it is measured.
    let warm: Vec<String> = sites.iter().flat_map(|s| [s.clone(), format!("www.{s}")]).collect();
    write_lines(&folder.join("warm"), warm.iter())?;
    println!("{LISTED} names, {} of them real; {SITES} sites that are allowed", real.len().min(LISTED));
    Ok(())
}

fn write_lines<'a>(path: &Path, lines: impl Iterator<Item = &'a String>) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    std::fs::write(path, text)
}

/// Sites that are on no list and below no listed name.
fn allowed(real: &[String], names: &[String]) -> Vec<String> {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_open = |name: &str| !Name::trusted(name).suffixes().any(|s| known.contains(s.as_str()));
    let mut seen = HashSet::new();
    let asked = questions(real, names, SITES * 3);
    let sites =
        asked.iter().filter(|name| is_open(name)).map(|name| Name::trusted(name).registrable().as_str());
    let sites = sites.filter(|site| site.contains('.') && seen.insert((*site).to_owned()));
    let sites: Vec<String> = sites.take(SITES).map(str::to_owned).collect();
    assert_eq!(sites.len(), SITES, "there are enough names that nobody lists");
    sites
}

/// In an order that has nothing to do with the lists'.
fn shuffled(names: &[String]) -> Vec<&String> {
    let mut dice = Dice::new(SEED ^ 3);
    let mut shuffled: Vec<&String> = names.iter().collect();
    for index in (1..shuffled.len()).rev() {
        shuffled.swap(index, dice.roll(index + 1));
    }
    shuffled
}

/// 30 % refused and 70 % allowed, a third of all below `www.`.
fn mixed(refused: &[&String], open: &[&String]) -> Vec<String> {
    let mut dice = Dice::new(SEED ^ 4);
    let pairs = refused.iter().zip(open);
    let drawn = pairs.map(|(refused, open)| if dice.roll(10) < 3 { refused } else { open });
    let drawn: Vec<&&String> = drawn.collect();
    drawn
        .into_iter()
        .map(|name| if dice.roll(3) == 0 { format!("www.{name}") } else { (*name).clone() })
        .collect()
}
