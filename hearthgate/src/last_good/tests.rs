//! A folder that changes under a gateway, told as a play: what is written, what waits, what is in force.

use super::*;
use crate::folder::Folder;

const HOME: &str = "home: A House\ntimezone: Europe/London\n";
const GATEWAY: &str = "store: sqlite:state/home.db\n";
const GOOD: &str = "person: Jo\nonline: {every_day: 09:00-21:00}\n";
const BROKEN: &str = "person: Jo\nonline: {every_day: 25:00-21:00}\n";

struct Play {
    disk: Folder,
    kept: Kept,
}

impl Play {
    fn begin() -> Self {
        let mut play = Self { disk: Folder::default(), kept: Kept::default() };
        play.write("home.yaml", HOME);
        play.write("gateway.yaml", GATEWAY);
        play
    }

    fn write(&mut self, file: &str, text: &str) {
        self.disk.texts.insert(file.to_owned(), text.to_owned());
    }

    /// Looks at the folder: who waits and what is in force for them, and whose windows are in force.
    fn look(&mut self) -> (Waits, Vec<(String, usize)>) {
        let accepted = accept(&self.kept, &self.disk, "2026-11-22T12:00:00Z".parse().expect("a time"));
        self.kept = accepted.kept;
        let waiting = accepted.waiting.into_iter().map(|w| (w.file, w.meanwhile)).collect();
        let people =
            accepted.reading.house.people().map(|(_, p)| (p.id.clone(), p.online.entries.len())).collect();
        (waiting, people)
    }
}

/// Files that wait, and what is in force for them.
type Waits = Vec<(String, Meanwhile)>;

fn waits(file: &str, meanwhile: Meanwhile) -> Waits {
    vec![(file.to_owned(), meanwhile)]
}

#[test]
fn a_broken_edit_leaves_the_last_good_text_in_force() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", GOOD);
    assert_eq!(play.look(), (vec![], vec![("jo".to_owned(), 1)]));
    play.write("agreements/jo.yaml", BROKEN);
    assert_eq!(play.look(), (waits("agreements/jo.yaml", Meanwhile::LastGood), vec![("jo".to_owned(), 1)]));
    play.write("agreements/jo.yaml", GOOD);
    assert_eq!(play.look().0, vec![], "mended");
}

#[test]
fn one_broken_file_holds_up_no_other() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", GOOD);
    play.look();
    play.write("agreements/jo.yaml", BROKEN);
    play.write("agreements/al.yaml", &GOOD.replace("Jo", "Al"));
    let (waiting, people) = play.look();
    assert_eq!(waiting, waits("agreements/jo.yaml", Meanwhile::LastGood));
    assert_eq!(people, [("al".to_owned(), 1), ("jo".to_owned(), 1)]);
}

#[test]
fn a_file_that_was_never_good_gives_its_person_the_baseline() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", BROKEN);
    let (waiting, people) = play.look();
    assert_eq!(waiting, waits("agreements/jo.yaml", Meanwhile::Baseline));
    assert_eq!(people.len(), 1, "the person is there");
}

#[test]
fn what_was_kept_serves_after_a_restart() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", GOOD);
    play.look();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let state = State { dir: dir.path().to_owned() };
    play.kept.save(&state, dir.path()).expect("kept");
    play.kept = Kept::load(&state, dir.path());
    play.write("agreements/jo.yaml", BROKEN);
    assert_eq!(play.look(), (waits("agreements/jo.yaml", Meanwhile::LastGood), vec![("jo".to_owned(), 1)]));
    std::fs::write(state.kept(), "{damaged").expect("written");
    assert_eq!(Kept::load(&state, dir.path()), Kept::default());
}

#[test]
fn what_was_kept_of_one_home_is_no_other_homes() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = |name: &str| {
        let folder = dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        folder
    };
    let kept = Kept { texts: BTreeMap::from([("home.yaml".to_owned(), HOME.to_owned())]) };
    let (oakview, elmhurst) = (folder("oakview"), folder("elmhurst"));
    let shared = State { dir: folder("var") };
    kept.save(&shared, &oakview).expect("kept");
    assert_eq!(Kept::load(&shared, &oakview), kept);
    assert_eq!(Kept::load(&shared, &oakview.join(".")), kept, "the same folder by another path");
    assert_eq!(Kept::load(&shared, &elmhurst), Kept::default(), "another home, the same state folder");

    let within = State { dir: folder("oakview/state") };
    kept.save(&within, &oakview).expect("kept");
    assert_eq!(Kept::load(&within, &elmhurst), Kept::default(), "another home, this one's state folder");
    std::fs::rename(&oakview, dir.path().join("moved")).expect("moved");
    let moved = dir.path().join("moved");
    assert_eq!(Kept::load(&State { dir: moved.join("state") }, &moved), kept, "they moved together");
}

#[test]
fn a_person_whose_file_is_removed_leaves() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", GOOD);
    play.look();
    play.disk.texts.remove("agreements/jo.yaml");
    assert_eq!(play.look(), (vec![], vec![]));
}

#[test]
fn the_homes_own_file_does_not_leave() {
    let mut play = Play::begin();
    play.look();
    for file in ESSENTIAL {
        let text = play.disk.texts.remove(file).expect("it was there");
        assert_eq!(play.look().0, waits(file, Meanwhile::LastGood));
        assert!(play.kept.texts.contains_key(file));
        play.write(file, &text);
        assert_eq!(play.look().0, vec![], "put back");
    }
}

#[test]
fn a_new_file_that_clashes_hurts_nobody_who_was_there() {
    let device = "devices: [{name: phone, ip: 192.168.4.20}]\n";
    for newcomer in ["agreements/al.yaml", "agreements/zoe.yaml"] {
        let mut play = Play::begin();
        play.write("agreements/jo.yaml", &format!("{GOOD}{device}"));
        play.look();
        play.write(newcomer, &format!("{}{device}", GOOD.replace("Jo", "New")));
        // Looking again changes nothing: what is in force is found anew from what was kept.
        for _ in 0..2 {
            let (waiting, people) = play.look();
            assert_eq!(waiting, waits(newcomer, Meanwhile::Baseline));
            assert!(people.contains(&("jo".to_owned(), 1)), "{newcomer}: {people:?}");
        }
    }
}

#[test]
fn of_two_files_that_clash_the_changed_one_waits() {
    let device = "devices: [{name: phone, ip: 192.168.4.20}]\n";
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", &format!("{GOOD}{device}"));
    play.write("agreements/al.yaml", &GOOD.replace("Jo", "Al"));
    play.look();
    // Whichever of the two files the reader blames, the one that changed is held back.
    play.write("agreements/al.yaml", &format!("{}{device}", GOOD.replace("Jo", "Al")));
    let (waiting, people) = play.look();
    assert_eq!(waiting, waits("agreements/al.yaml", Meanwhile::LastGood));
    assert_eq!(people, [("al".to_owned(), 1), ("jo".to_owned(), 1)]);
}

#[test]
fn a_file_that_is_no_text_waits() {
    let mut play = Play::begin();
    play.write("agreements/jo.yaml", GOOD);
    play.look();
    play.disk.texts.remove("agreements/jo.yaml");
    play.disk
        .unusable
        .push(crate::folder::Unusable { problem: gone("agreements/jo.yaml"), unreadable: false });
    assert_eq!(play.look(), (waits("agreements/jo.yaml", Meanwhile::LastGood), vec![("jo".to_owned(), 1)]));
}
