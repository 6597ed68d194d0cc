//! The desk on paper, and in a browser that runs no scripts.

use super::fits::{NO_PICTURE, looks_well};
use super::lived_in::LivedIn;
use super::pages::readable;
use super::{begins, own_of, young, young_window};
use crate::driver::{Driver, Window};
use crate::home::Home;
use crate::world::{World, output};
use serde_json::json;
use std::path::PathBuf;

/// What nobody wants on paper, and which is none the less there.
const ON_SCREEN_ONLY: &str = "[...document.querySelectorAll('nav,form,button,.button,input,textarea,select,.skip')].filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 100))";

/// What a page has on paper: the words that must stand there, and those that must not.
const ON_PAPER: [(&str, &[&str], &[&str]); 7] = [
    (
        "/shift/sheet?at=2026-11-21T08:00:00Z",
        &[
            "Hand-over",
            "Saturday 21 November, 07:30 to 14:30",
            "tried to open club.test",
            "Worked the shift",
            "Took over",
            "The journal had",
            "breaches verify",
        ],
        &["Sign out", "Evidence", "Print it with the browser", "Jordan"],
    ),
    (
        "/shift?at=2026-11-21T08:00:00Z",
        &[
            "tried to open club.test",
            "known by",
            "block: [gambling, club.test]",
            "Spoke with them: It was a friend",
            "Sam showed it to us",
        ],
        &["Sign out", "Note or mark it", "Safeguarding concern ", "Show"],
    ),
    (
        "/people/jordan",
        &[
            "The week",
            "gambling",
            "Social worker",
            "Home manager",
            "RA-1",
            "What Jordan thinks of it, in their own words",
            "Signed On",
        ],
        &["Sign out", "Ask the gateway", "A PIN for shared devices", "Give it"],
    ),
    (
        "/people/jordan/nights",
        &["nights", "Bedtime", "were as agreed", "21:00", "November", "Kate Lane"],
        &["Sign out", "Print it with the browser", "Four weeks"],
    ),
    (
        "/month",
        &["The month", "November 2026", "shifts were read and signed by both sides", "Told by themselves"],
        &["The month before", "Sign out"],
    ),
    (
        "/people/jordan/charts",
        &[
            "Minutes by day, and the limit",
            "the last minute in use",
            "Episodes by kind",
            "Day by day",
            "In use",
        ],
        &["Night by night", "Sign out"],
    ),
    (
        "/restrictions",
        &["a stranger there asked Sam to meet", "A. Mensah, Leeds"],
        &["End it early", "Draft a restriction"],
    ),
];

#[test]
fn what_is_printed_is_what_is_read() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let manager = &lived.manager;
    for (page, there, not_there) in ON_PAPER {
        manager.open(&format!("{}{page}", lived.desk));
        // Everything folded is folded.
        manager.run("for (const fold of document.querySelectorAll('details')) fold.open = false;");
        prints(manager, page, there, not_there);
    }
    for (page, whose) in [("an inspector's export", ""), ("an export for one person", "jordan")] {
        manager.open(&lived.desk);
        let form = [
            ("person", whose),
            ("from", "2026-11-01"),
            ("to", "2026-11-21"),
            ("names", "full"),
            ("recipient", "A. Mensah"),
            ("purpose", "a visit"),
        ];
        let folder = exported(manager, &lived.home, &form);
        manager.open(&format!("file://{}/summary.html", folder.display()));
        let more: &[&str] = if whose.is_empty() {
            &["SHA-256"]
        } else {
            &["What you asked for", "chat.test", "Your phone tried to open club.test."]
        };
        prints(manager, page, &[&["A. Mensah", "a visit", "Test House"], more].concat(), &["Sign out"]);
        manager.cdp("Emulation.setEmulatedMedia", &json!({"media": ""}));
        looks_well(manager, page, NO_PICTURE);
        if !whose.is_empty() {
            manager.open(&format!("file://{}/summary-cy.html", folder.display()));
            looks_well(manager, "an export for one person in Welsh", NO_PICTURE);
        }
    }
    let theirs = young_window(&driver, &lived.home, &lived.gateway);
    theirs.open(&format!("{}/policy?lang=en", own_of(&lived.gateway)));
    let there = ["The internet in our home", "0800 1111", "It is never a punishment"];
    prints(&theirs, "/policy", &there, &["Cymraeg", "My week"]);
    // What a young person signs has room for what they think of it, in the language that they read.
    for (lang, room) in [
        ("en", ["What I think of it", "My name", "The day"]),
        ("cy", ["Beth dw i’n ei feddwl ohono", "Fy enw i", "Y diwrnod"]),
    ] {
        theirs.open(&format!("{}/agreement?lang={lang}", own_of(&lived.gateway)));
        assert!(!theirs.words().contains(room[0]), "on the screen there is nothing to write on");
        let paper = theirs.printed();
        let words = paper.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(room.iter().all(|said| words.contains(said)), "{lang}: {paper}");
    }
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// The page that a window shows has these words on paper and not those, and nothing that is only for a screen.
fn prints(window: &Window<'_>, page: &str, there: &[&str], not_there: &[&str]) {
    let paper = window.printed();
    let words = paper.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in there {
        assert!(words.contains(said), "{page}: no `{said}` on paper: {paper}");
    }
    for said in not_there {
        assert!(!words.contains(said), "{page}: `{said}` on paper: {paper}");
    }
    window.cdp("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    assert_eq!(window.value(ON_SCREEN_ONLY), json!([]), "{page}");
    window.wants(&[]);
}

/// An export that the desk makes for whoever is signed in, unpacked: its folder.
pub(super) fn exported(window: &Window<'_>, home: &Home, form: &[(&str, &str)]) -> PathBuf {
    let script = format!(
        "const done = arguments[arguments.length - 1]; fetch('/evidence', {{method: 'POST', body: new URLSearchParams({})}}).then(r => r.arrayBuffer()).then(b => done(btoa([...new Uint8Array(b)].map(c => String.fromCharCode(c)).join(''))), e => done(String(e)));",
        json!(form)
    );
    let folder = home.path().join("exported");
    std::fs::create_dir_all(&folder).unwrap();
    let packed = folder.join("packed");
    std::fs::write(&packed, window.run_async(&script).as_str().expect("an export")).unwrap();
    const UNPACK: &str = "import base64, io, sys, zipfile\nzipfile.ZipFile(io.BytesIO(base64.b64decode(open(sys.argv[1]).read()))).extractall(sys.argv[2])\nprint('unpacked')";
    let (from, to) = (packed.display().to_string(), folder.display().to_string());
    assert_eq!(output("python3", &["-c", UNPACK, &from, &to]).trim(), "unpacked");
    folder
}

#[test]
fn every_page_reads_without_scripts() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let staff = driver.window(&lived.home.path().join("staff"), &[]);
    begins(&staff, &lived.home, "m.ali");
    let theirs = young_window(&driver, &lived.home, &lived.gateway);
    for window in [&lived.manager, &staff, &theirs] {
        window.cdp("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    }
    for (name, by_manager, address) in readable() {
        let window = if by_manager { &lived.manager } else { &staff };
        reads(window, name, &format!("{}{address}", lived.desk));
    }
    for page in young::readable() {
        reads(&theirs, page, &format!("{}{page}", own_of(&lived.gateway)));
    }
    // What is said of a refusal is switched without them, too.
    theirs.open(&format!("http://club.test:{}/", world.http_port));
    assert!(theirs.words().contains("Not open here"), "{}", theirs.words());
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// The page says something, and stays as long as anybody reads it.
fn reads(window: &Window<'_>, name: &str, address: &str) {
    window.open(address);
    let words = window.words_of("main");
    assert!(words.split_whitespace().count() > 5, "{name}: {words}");
    // Half an hour is the longest that a home may leave a desk open.
    let sends_away = window.value(
        "[...document.querySelectorAll('meta[http-equiv=refresh i]')].map(e => parseInt(e.content)).filter(s => s < 1800)",
    );
    assert_eq!(sends_away, json!([]), "{name} sends its reader away");
}
