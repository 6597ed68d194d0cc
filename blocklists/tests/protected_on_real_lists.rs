//! Published lists name helplines, and the gateway keeps them reachable: FRANK stands among drugs, Missing People among
//! celebrities, an NHS clinic for gambling among casinos. The lists are not part of the repository: they are looked for
//! in `HEARTHGATE_DATA`, else in `../shared/data` beside the repository, and the test says so when they are absent.

#![allow(clippy::disallowed_methods, reason = "the lists are files")]

use blocklists::builtin::{self, Builtin};
use blocklists::format::ListInput;
use blocklists::{Category, Compiler, ListReport, Name, Tags};
use flate2::read::GzDecoder;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;

/// The archive, the member, what it lists, and a protected host that it names.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("blocklistproject-lists.tar.gz", "drugs.txt", "drugs", "talktofrank.com"),
    ("ut1-blacklists.tar.gz", "drogue/domains", "drugs", "release.org.uk"),
    ("ut1-blacklists.tar.gz", "celebrity/domains", "celebrity", "missingpeople.org.uk"),
    ("ut1-blacklists.tar.gz", "games/domains", "games", "internetmatters.org"),
    ("ut1-blacklists.tar.gz", "gambling/domains", "gambling", "northerngamblingservice.nhs.uk"),
    ("shadowwhisperer-lists.tar.gz", "Lists/Gambling", "gambling", "northerngamblingservice.nhs.uk"),
];

/// Straight to the terminal: what a passing test prints is swallowed, and a test that could not run must not look as if it
/// had.
fn say_skipped() {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "skipped {name}: no data folder (set HEARTHGATE_DATA)");
}

fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("HEARTHGATE_DATA").map_or_else(|| beside.into(), PathBuf::from);
    CASES.iter().all(|case| folder.join(case.0).exists()).then_some(folder)
}

/// The first member of an archive whose path ends so.
fn member(archive: &PathBuf, ending: &str) -> Vec<u8> {
    let mut archive =
        tar::Archive::new(GzDecoder::new(std::fs::File::open(archive).expect("the archive opens")));
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("a member");
        if entry.path().is_ok_and(|path| path.ends_with(ending)) {
            let mut body = Vec::new();
            entry.read_to_end(&mut body).expect("the member reads");
            return body;
        }
    }
    panic!("{ending} is not in the archive");
}

fn category(word: &str) -> Tags {
    Tags::category(Category::from_word(word).expect("a category"))
}

fn add_tables(compiler: &mut Compiler) {
    for Builtin { name, whole_site, tags } in builtin::entries() {
        let line = if whole_site { format!("{name}\n") } else { format!("0.0.0.0 {name}\n") };
        let input = ListInput { built_in: true, ..ListInput::new("built in", tags, line.as_bytes()) };
        compiler.add(input).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

fn reported(report: &ListReport) -> BTreeSet<&str> {
    report.protected.iter().filter_map(|hit| hit.names.as_ref()).map(|(entry, _)| entry.as_str()).collect()
}

#[test]
fn published_lists_cannot_take_a_helpline_away() {
    let Some(folder) = data() else {
        say_skipped();
        return;
    };
    let mut compiler = Compiler::with_seed(1);
    let protected = [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL];
    add_tables(&mut compiler);
    compiler.protect(protected.into_iter().flat_map(builtin::protected_sites).map(Builtin::domain));
    for (archive, ending, word, helpline) in CASES {
        let body = member(&folder.join(archive), ending);
        let report = compiler.add(ListInput::new(ending, category(word), &body)).expect("a list");
        assert!(
            reported(&report).contains(helpline),
            "{ending}: {helpline} was not reported: {:?}",
            report.protected
        );
    }
    let catalogue = compiler.finish(0).expect("a catalogue");
    for (_, _, word, helpline) in CASES {
        let tags = catalogue.lookup(Name::trusted(helpline));
        assert!(tags.has(Category::SUPPORT), "{helpline} is support");
        assert!(!tags.intersects(category(word)), "{helpline} is called {word}");
    }
    let harmful = CASES.iter().fold(Tags::NONE, |all, case| all.union(category(case.2)));
    for site in builtin::protected_sites(Category::SUPPORT) {
        assert!(!catalogue.lookup(Name::trusted(site.name)).intersects(harmful), "{}", site.name);
    }
}
