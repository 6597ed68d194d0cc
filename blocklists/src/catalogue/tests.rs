//! The catalogue against a plain map, and under colliding hashes.

use super::*;
use crate::compile::Compiler;
use crate::format::{Format, ListInput};
use crate::{Category, Domain, Name, Tags};
use std::collections::{HashMap, HashSet};

/// A small fixed generator (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

fn category(word: &str) -> Tags {
    Tags::category(Category::from_word(word).expect("a word of the table"))
}

fn compile(lists: &[(&str, Format, Tags)]) -> Catalogue {
    compile_with(Compiler::with_seed(7), lists)
}

fn compile_with(mut compiler: Compiler, lists: &[(&str, Format, Tags)]) -> Catalogue {
    for (text, format, tags) in lists {
        let input = ListInput { format: Some(*format), ..ListInput::new("list", *tags, text.as_bytes()) };
        compiler.add(input).expect("a list");
    }
    compiler.finish(1_700_000_000).expect("a catalogue")
}

fn ask(catalogue: &Catalogue, name: &str) -> Tags {
    let one = catalogue.lookup(Name::trusted(name));
    let mut many = [Tags::category(Category::ILLEGAL); 3];
    catalogue.lookup_many(&[Name::trusted("other.example"), Name::trusted(name)], &mut many);
    assert_eq!(many[1], one, "alone and in a batch: {name}");
    assert_eq!(many[2], Tags::category(Category::ILLEGAL), "what was not asked is left alone");
    let (first, second) =
        (catalogue.probe(Name::trusted(name)), catalogue.probe(Name::trusted("other.example")));
    assert_eq!(second.tags(), many[0], "begun last, ended first");
    assert_eq!(first.tags(), one, "begun first, ended last: {name}");
    one
}

#[test]
fn entries_reach_as_far_as_they_say() {
    let (g, d) = (category("gambling"), category("dating"));
    let catalogue = compile(&[
        ("bet.example\n", Format::Plain, g),
        ("full:here.example\nsite.example\n", Format::V2fly, d),
        ("*.below.example CNAME .\n", Format::Rpz, g),
    ]);
    for (name, tags) in [
        ("bet.example", g),
        ("www.bet.example", g),
        ("a.b.c.d.e.f.g.h.i.j.k.bet.example", g),
        ("alphabet.example", Tags::NONE),
        ("example", Tags::NONE),
        ("bet.example.test", Tags::NONE),
        ("here.example", d),
        ("www.here.example", Tags::NONE),
        ("site.example", d),
        ("below.example", Tags::NONE),
        ("x.below.example", g),
        ("", Tags::NONE),
        (".", Tags::NONE),
        (".bet.example", g),
        ("bet.example.", Tags::NONE),
        ("BET.EXAMPLE", Tags::NONE),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}");
    }
}

#[test]
fn an_exception_speaks_for_its_own_list_only() {
    let (g, d) = (category("gambling"), category("dating"));
    let first = ("||x.example^\n@@||free.x.example^\n||deep.free.x.example^\n", Format::Adblock, g);
    let catalogue = compile(&[first]);
    for (name, tags) in [
        ("x.example", g),
        ("www.x.example", g),
        ("free.x.example", Tags::NONE),
        ("a.free.x.example", Tags::NONE),
        ("deep.free.x.example", Tags::NONE),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}, one list");
    }
    // The same category from another list stays; another category too.
    let catalogue = compile(&[first, ("x.example\n", Format::Plain, g), ("x.example\n", Format::Plain, d)]);
    for name in ["x.example", "free.x.example", "a.free.x.example", "deep.free.x.example"] {
        assert_eq!(ask(&catalogue, name), g.union(d), "{name}, three lists");
    }
    // Where both lists make exceptions, at different depths, nothing is left below the deeper one.
    let second = ("||x.example^\n@@||b.free.x.example^\n", Format::Adblock, g);
    let catalogue = compile(&[first, second]);
    for (name, tags) in
        [("free.x.example", g), ("b.free.x.example", Tags::NONE), ("c.b.free.x.example", Tags::NONE)]
    {
        assert_eq!(ask(&catalogue, name), tags, "{name}, two lists with exceptions");
    }
    // A single host that another list names below an exception.
    let catalogue = compile(&[first, ("0.0.0.0 a.free.x.example\n", Format::Hosts, g)]);
    for (name, tags) in
        [("a.free.x.example", g), ("b.free.x.example", Tags::NONE), ("z.a.free.x.example", Tags::NONE)]
    {
        assert_eq!(ask(&catalogue, name), tags, "{name}, hosts below an exception");
    }
}

#[test]
fn in_a_zone_the_most_specific_owner_decides() {
    let g = category("gambling");
    let zone = "x.example CNAME .\n*.x.example CNAME .\nok.x.example CNAME rpz-passthru.\n*.w.x.example CNAME rpz-passthru.\nbad.w.x.example CNAME .\n";
    let catalogue = compile(&[(zone, Format::Rpz, g)]);
    for (name, tags) in [
        ("x.example", g),
        ("a.x.example", g),
        ("ok.x.example", Tags::NONE),
        ("below.ok.x.example", g),
        ("w.x.example", g),
        ("a.w.x.example", Tags::NONE),
        ("bad.w.x.example", g),
        ("z.bad.w.x.example", Tags::NONE),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}");
    }
}

#[test]
fn no_list_takes_a_protected_site_away() {
    let (g, i) = (category("gambling"), Tags::category(Category::ILLEGAL));
    let mut compiler = Compiler::with_seed(3);
    compiler.protect(["help.example", "line.charity.example"].map(|s| Domain::parse(s).unwrap()));
    let list = "help.example\nwww.help.example\ncharity.example\nother.example\nexample.test\n";
    let report = compiler.add(ListInput::new("a", g, list.as_bytes())).unwrap();
    assert_eq!((report.names, report.touches_protected), (3, 3));
    let shown: Vec<_> = report.protected.iter().map(|hit| (hit.line, hit.touch)).collect();
    use crate::compile::Touch;
    assert_eq!(shown, [(1, Touch::Is), (2, Touch::Below), (3, Touch::Covers)]);
    let licensed = b"help.example\nwww.help.example\ncharity.example\nsealed.example\n!! bad\n";
    let sealed = ListInput { sealed: true, ..ListInput::new("s", i, licensed) };
    let report = compiler.add(sealed).unwrap();
    assert_eq!((report.names, report.touches_protected), (2, 3));
    let shown: Vec<_> =
        report.protected.iter().map(|hit| (hit.line, hit.touch, hit.names.is_some())).collect();
    assert_eq!(shown, [(1, Touch::Is, false), (2, Touch::Below, false), (3, Touch::Covers, false)]);
    assert!(report.skips.iter().all(|(_, _, samples)| samples.iter().all(|s| s.text.is_empty())));
    let support = category("support");
    let own = ListInput { built_in: true, ..ListInput::new("built in", support, b"help.example\n") };
    assert_eq!(compiler.add(own).unwrap().touches_protected, 0);
    let catalogue = compiler.finish(0).unwrap();
    for (name, tags) in [
        ("help.example", support),
        ("www.help.example", support),
        ("charity.example", g.union(i)),
        ("www.charity.example", g.union(i)),
        ("sealed.example", i),
        ("line.charity.example", Tags::NONE),
        ("a.line.charity.example", Tags::NONE),
        ("other.example", g),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}");
    }
}

#[test]
fn sealed_names_stand_nowhere_as_text() {
    let i = Tags::category(Category::ILLEGAL);
    let mut compiler = Compiler::with_seed(1);
    let names = "sealed-name-one.example\nsealed-name-two.example\n";
    compiler.add(ListInput { sealed: true, ..ListInput::new("s", i, names.as_bytes()) }).unwrap();
    compiler
        .add(ListInput::new("open", category("gambling"), b"bet.example\nsealed-name-two.example\n"))
        .unwrap();
    let catalogue = compiler.finish(0).unwrap();
    let bytes = catalogue.memory.bytes();
    assert!(!bytes.windows(15).any(|w| w == b"sealed-name-one"));
    assert_eq!(ask(&catalogue, "sealed-name-one.example"), i);
    assert_eq!(ask(&catalogue, "www.sealed-name-one.example"), i);
    assert_eq!(ask(&catalogue, "sealed-name-two.example"), i.union(category("gambling")));
    assert_eq!(ask(&catalogue, "sealed-name-three.example"), Tags::NONE);
}

/// What the catalogue should say, by walking suffixes of a plain map for each list.
struct Model {
    /// For each list: its tags, name -> (here, below), and its exceptions.
    lists: Vec<(Tags, Listed, HashSet<String>)>,
}

/// A name -> whether it is meant, and whether the names below are.
type Listed = HashMap<String, (bool, bool)>;

impl Model {
    fn ask(&self, name: &str) -> Tags {
        let mut tags = Tags::NONE;
        for (own, listed, excepted) in &self.lists {
            let suffixes: Vec<&str> = Name::trusted(name).suffixes().map(Name::as_str).collect();
            let meant = suffixes.iter().any(|s| match listed.get(*s) {
                Some((here, below)) => {
                    if *s == name {
                        *here
                    } else {
                        *below
                    }
                }
                None => false,
            });
            if meant && !suffixes.iter().any(|s| excepted.contains(*s)) {
                tags = tags.union(*own);
            }
        }
        tags
    }
}

fn random_name(dice: &mut Dice) -> String {
    const LABELS: &[&str] = &[
        "a",
        "b",
        "c",
        "www",
        "cdn",
        "shop",
        "casino",
        "x1",
        "xn--mller-kva",
        "a-long-label-of-a-site",
        "eighteen-letters-x",
        "nineteen-letters-xy",
        "eightchr",
    ];
    const ENDS: &[&str] = &["example", "test", "co.test", "invalid"];
    let mut name = String::new();
    for _ in 0..1 + dice.roll(5) {
        name.push_str(LABELS[dice.roll(LABELS.len())]);
        if dice.roll(3) == 0 {
            name.push_str(&dice.roll(30).to_string());
        }
        name.push('.');
    }
    if dice.roll(2) == 0 {
        // One of many sites, so that some have few names below them.
        name.push_str(&format!("site{}.", dice.roll(4_000)));
    }
    name + ENDS[dice.roll(ENDS.len())]
}

/// Lists of every reach, with exceptions, and the model that says what they mean.
fn random_lists(dice: &mut Dice, names: usize) -> (Vec<(String, Format, Tags)>, Model) {
    let words = ["gambling", "gambling", "dating", "games", "drugs"];
    let mut lists = Vec::new();
    let mut model = Model { lists: Vec::new() };
    for word in words {
        let (mut text, mut listed, mut excepted) = (String::new(), HashMap::new(), HashSet::new());
        let adblock = dice.roll(2) == 0;
        for _ in 0..names {
            let name = random_name(dice);
            let entry = listed.entry(name.clone()).or_insert((false, false));
            match (adblock, dice.roll(10)) {
                (true, 0) => {
                    text.push_str(&format!("@@||{name}^\n"));
                    excepted.insert(name);
                }
                (true, _) => {
                    text.push_str(&format!("||{name}^\n"));
                    *entry = (true, true);
                }
                (false, 0..3) => {
                    text.push_str(&format!("full:{name}\n"));
                    entry.0 = true;
                }
                (false, _) => {
                    text.push_str(&format!("{name}\n"));
                    *entry = (true, true);
                }
            }
        }
        lists.push((text, if adblock { Format::Adblock } else { Format::V2fly }, category(word)));
        model.lists.push((category(word), listed, excepted));
    }
    (lists, model)
}

/// Names that are listed, stand below or beside what is, or miss it by a letter.
fn probe(dice: &mut Dice, listed: &[&String]) -> String {
    let near = listed[dice.roll(listed.len())].clone();
    match dice.roll(8) {
        0 => near,
        1 => format!("sub.{near}"),
        2 => format!("a.b.c.d.e.f.g.h.{near}"),
        3 => format!("x{near}"),
        4 => near.split_once('.').map_or(near.clone(), |(_, rest)| format!("sibling.{rest}")),
        5 => near.split_once('.').map_or(near.clone(), |(_, rest)| rest.to_owned()),
        6 => near.replace('a', "e"),
        _ => random_name(dice),
    }
}

/// `spread` is how many names are sealed besides, so that their sites, and others of the same bits, are spread.
fn compare_with_model(hasher: Hasher, rounds: u64, names: usize, probes: usize, spread: usize) -> usize {
    let mut checked = 0;
    for round in 0..rounds {
        let mut dice = Dice(0x9e37_79b9 + round);
        let (lists, model) = random_lists(&mut dice, names);
        let lists: Vec<_> = lists.iter().map(|(t, f, tags)| (t.as_str(), *f, *tags)).collect();
        let mut compiler = Compiler::with_hasher(hasher);
        let sealed: String = (0..spread).map(|n| format!("a.b{n}.sealed{n}.invalid\n")).collect();
        if spread > 0 {
            let list =
                ListInput { sealed: true, ..ListInput::new("s", category("illegal"), sealed.as_bytes()) };
            compiler.add(list).expect("a list");
        }
        let catalogue = compile_with(compiler, &lists);
        let listed: Vec<&String> = model.lists.iter().flat_map(|list| list.1.keys()).collect();
        let asked: Vec<String> = (0..probes).map(|_| probe(&mut dice, &listed)).collect();
        let asked: Vec<Name<'_>> = asked.iter().map(|name| Name::trusted(name)).collect();
        let mut many = vec![Tags::NONE; asked.len()];
        catalogue.lookup_many(&asked, &mut many);
        for (name, many) in asked.iter().zip(many) {
            let meant = model.ask(name.as_str());
            assert_eq!(catalogue.lookup(*name), meant, "{name}");
            assert_eq!(many, meant, "{name} in a batch");
            checked += 1;
        }
    }
    checked
}

#[test]
fn a_million_questions_are_answered_as_a_plain_map_would() {
    assert_eq!(compare_with_model(Hasher::new(0x5eed), 10, 2_000, 100_000, 0), 1_000_000);
}

#[test]
fn sites_that_are_spread_for_nothing_change_no_answer() {
    // Of 4,096 bits each for sites and for names of three labels, about a fifth, and nearly all.
    for sealed in [900, 12_000] {
        assert_eq!(compare_with_model(Hasher::new(0x5b1ead), 3, 2_000, 50_000, sealed), 150_000);
    }
}

#[test]
fn names_that_share_a_fingerprint_or_a_hash_never_share_an_answer() {
    for kept in [
        // Every fingerprint equal; then fingerprint and all but 14 bits of the bucket; then 12 bits of hash in all.
        0xffff_ffff_ffff_0000,
        0xfffc_0000_0000_0000,
        0xfff0_0000_0000_0000,
    ] {
        let mut hasher = Hasher::new(0xc011_1de5);
        hasher.kept = kept;
        assert_eq!(compare_with_model(hasher, 2, 1_000, 20_000, 0), 40_000, "{kept:x}");
    }
}

#[test]
fn rare_sets_are_found_like_frequent_ones() {
    // So many frequent ones that numbers have some bits, and rare ones that have none of so few.
    let all: Vec<Tags> = Category::all().map(Tags::category).collect();
    let rare = |n: usize| all[n % all.len()].union(all[n * 7 % all.len()]).union(all[n * 3 % all.len()]);
    let frequent: Vec<String> = (0..5)
        .map(|set| (0..2_000).map(|n| format!("n{n}.s{set}.example\nn{n}s{set}.example\n")).collect())
        .collect();
    let single: Vec<String> = (0..120).map(|n| format!("rare{n}.example\nwww.rarest{n}.test\n")).collect();
    let mut lists: Vec<(&str, Format, Tags)> =
        frequent.iter().zip(&all).map(|(text, tags)| (text.as_str(), Format::V2fly, *tags)).collect();
    lists.extend(single.iter().enumerate().map(|(n, text)| (text.as_str(), Format::V2fly, rare(n))));
    let catalogue = compile(&lists);
    assert!((1..6).contains(&catalogue.header.set_bits), "{}", catalogue.header.set_bits);
    for n in (0..2_000).step_by(31) {
        for (set, tags) in all.iter().enumerate().take(5) {
            assert_eq!(ask(&catalogue, &format!("n{n}.s{set}.example")), *tags);
            assert_eq!(ask(&catalogue, &format!("www.n{n}s{set}.example")), *tags);
        }
    }
    for n in 0..120 {
        assert_eq!(ask(&catalogue, &format!("rare{n}.example")), rare(n), "{n}");
        assert_eq!(ask(&catalogue, &format!("a.www.rarest{n}.test")), rare(n), "{n}");
        assert_eq!(ask(&catalogue, &format!("rarest{n}.test")), Tags::NONE, "{n}");
    }
}

#[test]
fn the_empty_catalogue_knows_nothing() {
    let empty = Catalogue::empty();
    assert_eq!(ask(&empty, "www.example.test"), Tags::NONE);
    assert_eq!(empty.info().names, 0);
}

mod files;
mod places;
