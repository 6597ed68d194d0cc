//! Lists of names, and questions about them.

use benches::names::{Dice, SEED, listed, questions, real, zipf};
use blocklists::Name;
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// The categories that the names stand under, in equal parts.
const LISTS: [&str; 4] = ["gambling", "advertising", "malware", "pornography"];
/// The place of the one whose refusals tell staff nothing and are not recorded.
const SILENT: usize = 1;
/// Sites that nobody refuses.
const SITES: usize = 20_000;
/// Questions in a file that is drawn by Zipf's law.
const DRAWN: usize = 1_000_000;
/// Names of each kind by which every server is checked before it is measured.
const CHECKED: usize = 500;

/// Writes everything into a folder.
pub(crate) fn write(folder: &Path, count: usize) -> io::Result<()> {
    let real = real();
    let names = listed(&real, count);
    let sites = allowed(&real, &names);
    let put = |file: &str, lines: &mut dyn Iterator<Item = &String>| write_lines(&folder.join(file), lines);
    put("list.txt", &mut names.iter())?;
    put("tops.txt", &mut tops(&names).into_iter())?;
    for (part, list) in LISTS.iter().enumerate() {
        put(&format!("{list}.txt"), &mut names.iter().skip(part).step_by(LISTS.len()))?;
    }
    put("education.txt", &mut sites.iter().chain([&"origin.test".to_owned()]))?;

    let shuffled = shuffled(&names);
    put("refused-once", &mut shuffled.iter().copied())?;
    let refused: Vec<&String> = zipf(count, DRAWN).into_iter().map(|rank| shuffled[rank]).collect();
    put("refused", &mut refused.iter().copied())?;
    put("recorded", &mut recorded(&names, &refused).into_iter())?;
    let open: Vec<&String> = zipf(SITES, DRAWN).into_iter().map(|rank| &sites[rank]).collect();
    put("allowed", &mut open.iter().copied())?;
    put("mixed", &mut mixed(&refused, &open).iter())?;
    // Each site once, so that what is allowed is in the cache before it is measured.
    put("warm", &mut sites.iter())?;
    put("check-refused", &mut shuffled.iter().copied().step_by(count.div_ceil(CHECKED)))?;
    put("check-allowed", &mut sites.iter().step_by(SITES / CHECKED))?;
    println!(
        "{count} names, {} of them real; {SITES} sites that are allowed; {DRAWN} questions a file; seed {SEED}",
        real.len().min(count)
    );
    Ok(())
}

fn write_lines(path: &Path, lines: &mut dyn Iterator<Item = &String>) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    std::fs::write(path, text)
}

/// The names that do not stand below another one: a peer that takes each name with all below it wants only these.
fn tops(names: &[String]) -> Vec<&String> {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let below =
        |name: &str| Name::trusted(name).suffixes().any(|s| s.as_str() != name && known.contains(s.as_str()));
    names.iter().filter(|name| !below(name)).collect()
}

/// Whether a name is one of these, or below one.
fn is_under(name: &str, sites: &HashSet<&str>) -> bool {
    Name::trusted(name).suffixes().any(|suffix| sites.contains(suffix.as_str()))
}

/// Those of which each refusal is recorded: that are not on the silent list or below a name on it, and of which the program
/// itself knows nothing (what pages and devices load by themselves accuses nobody, whatever list it is on).
fn recorded<'n>(names: &[String], refused: &[&'n String]) -> Vec<&'n String> {
    let listed = names.iter().skip(SILENT).step_by(LISTS.len()).map(String::as_str);
    let silent: HashSet<&str> =
        listed.chain(blocklists::builtin::entries().map(|known| known.name)).collect();
    refused.iter().copied().filter(|name| !is_under(name, &silent)).collect()
}

/// Sites that are on no list and below no listed name.
fn allowed(real: &[String], names: &[String]) -> Vec<String> {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_open = |name: &str| !is_under(name, &known);
    let mut seen = HashSet::new();
    let asked = questions(real, names, SITES * 3);
    let sites =
        asked.iter().filter(|name| is_open(name)).map(|name| Name::trusted(name).registrable().as_str());
    let sites = sites.filter(|site| site.contains('.') && is_open(site) && seen.insert((*site).to_owned()));
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

/// 70 % allowed and 30 % refused, two thirds of these with `www.` or `www.cdn.` in front.
fn mixed(refused: &[&String], open: &[&String]) -> Vec<String> {
    let mut dice = Dice::new(SEED ^ 4);
    let mut drawn = |(refused, open): (&&String, &&String)| {
        if dice.roll(10) >= 3 {
            return (*open).clone();
        }
        let front = ["", "www.", "www.cdn."][dice.roll(3)];
        format!("{front}{refused}")
    };
    refused.iter().zip(open).map(&mut drawn).collect()
}
