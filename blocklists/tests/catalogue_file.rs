//! The catalogue on disk: written whole or not at all, opened without parsing, refused when it is not what was written.

#![allow(clippy::disallowed_methods, reason = "it is about files")]
// A test that unwraps says by failing what went wrong.
#![allow(clippy::unwrap_used)]

use blocklists::format::ListInput;
use blocklists::{Catalogue, Category, CompileError, Compiler, Name, OpenError, Tags};
use std::path::PathBuf;

fn catalogue(list: &str) -> Catalogue {
    let mut compiler = Compiler::with_seed(1);
    let list = ListInput::new(
        "lists/games.txt",
        Tags::category(Category::from_word("games").unwrap()),
        list.as_bytes(),
    );
    compiler.add(list).unwrap();
    compiler.finish(1_790_000_000).unwrap()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home.catalogue");
    (folder, path)
}

fn is_game(catalogue: &Catalogue, name: &str) -> bool {
    !catalogue.lookup(Name::new(name).unwrap()).is_empty()
}

#[test]
fn a_catalogue_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Catalogue>();
}

#[test]
fn what_is_written_is_what_is_opened() {
    let (_folder, path) = folder();
    let written = catalogue("a.example\nb.example\nnot a name\n");
    written.write_to(&path).unwrap();
    for opened in [Catalogue::open(&path).unwrap(), Catalogue::open_verified(&path).unwrap()] {
        assert_eq!(opened.info(), written.info());
        assert!(
            is_game(&opened, "www.a.example")
                && is_game(&opened, "b.example")
                && !is_game(&opened, "c.example")
        );
        let list = &opened.info().lists[0];
        assert_eq!(
            (list.id.as_str(), list.names, list.skipped, list.sealed),
            ("lists/games.txt", 2, 1, false)
        );
        assert_eq!((opened.info().names, opened.info().built), (2, 1_790_000_000));
        assert_eq!(opened.info().bytes, std::fs::metadata(&path).unwrap().len());
    }
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn whoever_has_the_old_file_open_keeps_the_old_answers() {
    let (_folder, path) = folder();
    catalogue("old.example\n").write_to(&path).unwrap();
    let old = Catalogue::open(&path).unwrap();
    catalogue("new.example\n").write_to(&path).unwrap();
    let new = Catalogue::open(&path).unwrap();
    assert!(is_game(&old, "old.example") && !is_game(&old, "new.example"));
    assert!(is_game(&new, "new.example") && !is_game(&new, "old.example"));
}

#[test]
fn each_bad_file_has_its_own_sentence() {
    let (_folder, path) = folder();
    catalogue("a.example\n").write_to(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let flip = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bad
    };
    let longer = [good.as_slice(), &[0; 64]].concat();
    for (case, bytes, sentence) in [
        ("an empty file", Vec::new(), "this file is not a catalogue"),
        ("another file", b"SQLite format 3\0".to_vec(), "this file is not a catalogue"),
        (
            "the first bytes",
            good[..100].to_vec(),
            "the catalogue should have 1024 bytes and has 100: compile the lists again",
        ),
        ("a flipped header", flip(40), "the catalogue's first lines are damaged: compile the lists again"),
        ("a flipped word", flip(1030), "the catalogue's words are damaged: compile the lists again"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Catalogue::open(&path).expect_err(case).to_string(), sentence, "{case}");
    }
    for bytes in [&good[..good.len() - 64], &longer] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Catalogue::open(&path), Err(OpenError::Truncated { .. })));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(Catalogue::open(&path), Err(OpenError::Io(_))));
}

#[test]
fn a_catalogue_with_more_room_says_the_same() {
    let mut text: String = (0..210_000).map(|n| format!("name{n}.example\n")).collect();
    text.push_str("tracker.test\n");
    let compiled = |tries: usize| {
        let mut compiler = Compiler::with_seed(3).after(tries);
        let tags = Tags::category(Category::from_word("games").unwrap());
        compiler.add(ListInput::new("games", tags, text.as_bytes())).unwrap();
        compiler.finish(0)
    };
    let (_folder, path) = folder();
    let mut bytes = Vec::new();
    for tries in 0..Compiler::TRIES {
        let catalogue = compiled(tries).unwrap();
        catalogue.write_to(&path).unwrap();
        bytes.push(std::fs::metadata(&path).unwrap().len());
        for name in ["name0.example", "www.name209999.example", "tracker.test"] {
            assert!(is_game(&catalogue, name), "{name} after {tries} tries");
        }
        assert!(!is_game(&catalogue, "name210000.example"), "after {tries} tries");
    }
    assert!(bytes.is_sorted(), "{bytes:?}");
    assert_eq!(compiled(Compiler::TRIES).err(), Some(CompileError::Crowded));
}
