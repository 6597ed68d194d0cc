//! Every page of the desk, in a home in which people live. The list is taken from the desk's own routes: whoever adds one says
//! here how it is looked at.

use super::fits::{NO_PICTURE, looks_well};
use super::lived_in::LivedIn;
use super::{PASSWORD, begins};
use crate::driver::{Driver, Window};
use crate::world::{World, wait_for};
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};

/// How a route is looked at.
enum Route {
    /// As pages: what the picture is called, who looks, and the address. `{…}` is filled in as the home has it.
    Pages(&'static [(&'static str, Who, &'static str)]),
    /// Forms are sent there, and there is nothing to look at. What comes of them is in [`acts`].
    Sent,
    /// No page: how one looks, what it does by itself, what it follows.
    Beside,
}

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Manager,
    Staff,
    Visitor,
    It,
    Nobody,
}
use Route::{Beside, Pages, Sent};
use Who::{It, Manager, Nobody, Staff, Visitor};

const ROUTES: &[(&str, Route)] = &[
    ("/sign-in", Pages(&[("desk-sign-in", Nobody, "/sign-in")])),
    ("/first/{token}", Pages(&[("desk-first", Nobody, "{link}")])),
    ("/locked", Pages(&[("desk-locked", Manager, "/locked"), ("desk-locked-signed-out", Nobody, "/locked")])),
    ("/assets/desk.css", Beside),
    ("/assets/desk.js", Beside),
    ("/live", Beside),
    ("/here", Sent),
    ("/me", Pages(&[("desk-me", Manager, "/me")])),
    ("/sign-out", Sent),
    ("/", Pages(&[("desk-now", Staff, "/"), ("desk-now-visitor", Visitor, "/"), ("desk-now-it", It, "/")])),
    (
        "/shift",
        Pages(&[
            ("desk-shift", Staff, "/shift"),
            ("desk-shift-signed", Staff, "/shift?at=2026-11-20T14:30:00Z"),
            ("desk-shift-nothing-found", Staff, "/shift?severity=high&unmarked=yes"),
            ("desk-shift-visitor", Visitor, "/shift"),
        ]),
    ),
    (
        "/shift/sheet",
        Pages(&[
            ("desk-shift-sheet", Staff, "/shift/sheet"),
            ("desk-shift-sheet-names", Staff, "/shift/sheet?names=full"),
        ]),
    ),
    ("/shift/sign", Sent),
    ("/month", Pages(&[("desk-month", Visitor, "/month")])),
    ("/episodes/{entry}", Sent),
    ("/concerns/{entry}", Sent),
    ("/reports/{entry}", Pages(&[("desk-told", Staff, "{report}")])),
    ("/reports/{entry}/open", Sent),
    ("/asks", Pages(&[("desk-asks", Staff, "/asks")])),
    ("/asks/{entry}/yes", Sent),
    ("/asks/{entry}/no", Sent),
    ("/give/{person}", Pages(&[("desk-give", Staff, "/give/jordan")])),
    ("/grants/{entry}/end", Pages(&[("desk-take-back", Staff, "{grant}")])),
    (
        "/restrictions",
        Pages(&[
            ("desk-restrictions", Manager, "/restrictions"),
            ("desk-restrictions-visitor", Visitor, "/restrictions"),
        ]),
    ),
    ("/restrictions/new", Pages(&[("desk-restrictions-new", Manager, "/restrictions/new")])),
    ("/restrictions/place", Sent),
    ("/restrictions/{entry}/end", Sent),
    ("/restrictions/{entry}/told", Sent),
    ("/restrictions/{entry}/reviewed", Sent),
    ("/people", Pages(&[("desk-people", Manager, "/people")])),
    (
        "/people/{person}",
        Pages(&[
            ("desk-person", Staff, "/people/jordan"),
            ("desk-person-what-if", Manager, "/people/jordan?host=club.test&at=2026-11-23T10:00"),
            ("desk-person-draft", Manager, "/people/kim"),
        ]),
    ),
    ("/people/{person}/show", Sent),
    ("/people/{person}/incident", Sent),
    ("/shows/{entry}", Sent),
    ("/people/{person}/pin", Sent),
    ("/people/{person}/read", Sent),
    ("/people/{person}/charts", Pages(&[("desk-charts", Staff, "/people/jordan/charts")])),
    ("/people/{person}/nights", Pages(&[("desk-nights", Staff, "/people/jordan/nights")])),
    ("/edit", Pages(&[("desk-edit-new", Manager, "/edit?id=robin")])),
    (
        "/edit/{*file}",
        Pages(&[
            ("desk-edit-agreement", Manager, "/edit/agreements/jordan.yaml"),
            ("desk-edit-home", Manager, "/edit/home.yaml"),
        ]),
    ),
    ("/devices", Pages(&[("desk-devices", Manager, "/devices"), ("desk-devices-it", It, "/devices")])),
    ("/devices/book", Sent),
    (
        "/devices/own",
        Pages(&[(
            "desk-devices-own",
            Manager,
            "/devices/own?device=127.0.0.99&person=jordan&name=television",
        )]),
    ),
    ("/devices/let-in", Sent),
    ("/devices/let-out", Sent),
    (
        "/lists",
        Pages(&[
            ("desk-lists", Staff, "/lists"),
            ("desk-lists-why", Staff, "/lists?host=casino.test"),
            ("desk-lists-no-site", Staff, "/lists?host=no%20site"),
        ]),
    ),
    ("/lists/report", Sent),
    ("/lists/reports/{entry}", Sent),
    ("/coverage", Pages(&[("desk-coverage", It, "/coverage")])),
    ("/audit", Pages(&[("desk-audit", Manager, "/audit")])),
    ("/sample", Pages(&[("desk-sample", Manager, "/sample?from=2026-11-19&to=2026-11-21")])),
    ("/evidence", Pages(&[("desk-evidence", Manager, "/evidence")])),
    ("/accounts", Pages(&[("desk-accounts", Manager, "/accounts")])),
    ("/accounts/link", Sent),
    ("/accounts/end", Sent),
];

#[test]
fn every_route_of_the_desk_is_looked_at() {
    let known: BTreeSet<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    let routes: BTreeSet<&str> = console::desk_addresses().into_iter().collect();
    assert_eq!(routes, known, "how is a page looked at that stands on one side alone?");
}

/// The pages that somebody who is signed in reads: what each is called, whether it takes the manager, and its address.
pub(super) fn readable() -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    let pages = ROUTES.iter().filter_map(|(_, how)| match how {
        Pages(pages) => Some(pages.iter()),
        Sent | Beside => None,
    });
    let theirs = pages.flatten().filter(|(_, who, at)| *who != Nobody && !at.starts_with('{'));
    theirs.map(|(name, who, at)| (*name, *who == Manager, *at))
}

/// The pages that a visitor reads, by their addresses.
pub(super) fn seen_by_a_visitor() -> impl Iterator<Item = &'static str> {
    let pages = ROUTES.iter().filter_map(|(_, how)| match how {
        Pages(pages) => Some(pages.iter()),
        Sent | Beside => None,
    });
    pages.flatten().filter(|(_, who, _)| *who == Visitor).map(|(_, _, at)| *at)
}

/// The windows of a home's staff.
struct Windows<'w, 'd> {
    home: &'w LivedIn<'d>,
    staff: Window<'d>,
    visitor: Window<'d>,
    it: Window<'d>,
    nobody: Window<'d>,
}

impl<'w, 'd> Windows<'w, 'd> {
    fn open(driver: &'d Driver, lived: &'w LivedIn<'d>) -> Self {
        let profile = |name: &str| lived.home.path().join(format!("browser-{name}"));
        let signed_in = |account: &str| {
            let window = driver.window(&profile(account), &[]);
            begins(&window, &lived.home, account);
            window
        };
        let (staff, visitor, it) = (signed_in("m.ali"), signed_in("visitor"), signed_in("it"));
        Self { home: lived, staff, visitor, it, nobody: driver.window(&profile("nobody"), &[]) }
    }

    fn of(&self, who: Who) -> &Window<'d> {
        match who {
            Manager => &self.home.manager,
            Staff => &self.staff,
            Visitor => &self.visitor,
            It => &self.it,
            Nobody => &self.nobody,
        }
    }

    /// An address as this home has it.
    fn address(&self, at: &str) -> String {
        let desk = &self.home.desk;
        match at {
            "{link}" => {
                let (code, told, err) = self.home.home.command(&["password-link", "k.lane"]);
                assert_eq!(code, 0, "{err}");
                told.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned()
            }
            "{grant}" => {
                self.staff.open(desk);
                let link =
                    self.staff.value("document.querySelector('a[href^=\"/grants/\"]').getAttribute('href')");
                format!("{desk}{}", link.as_str().expect("a grant on Now"))
            }
            "{report}" => {
                self.staff.open(desk);
                let first = self.staff.value("document.querySelector('li[id^=told-]').id.slice(5)");
                format!("{desk}/reports/{}", first.as_str().expect("a report on Now"))
            }
            at => format!("{desk}{at}"),
        }
    }
}

#[test]
fn every_page_of_the_desk_fits_reads_and_is_touched() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let windows = Windows::open(&driver, &lived);
    lived.looks_together();
    is_lived_in(&lived);
    for (route, how) in ROUTES {
        match how {
            Pages(pages) => {
                for (name, who, at) in *pages {
                    let window = windows.of(*who);
                    window.open(&windows.address(at));
                    let heading = window.words_of("h1");
                    let wrong = ["Sign in", "Not here", "Not for this account", "A little later"];
                    let meant = *name == "desk-sign-in";
                    assert!(
                        meant || !wrong.contains(&heading.as_str()),
                        "{name}: {heading}: {}",
                        window.words()
                    );
                    looks_well(window, name, 1280);
                }
            }
            Sent => {
                let address = route.replace("{entry}", "1").replace("{person}", "jordan");
                assert_eq!(got(&lived.manager, &address)[0], 405, "{route} is a page");
            }
            Beside if *route == "/live" => {}
            Beside => {
                let kind = got(&lived.manager, route)[1].as_str().unwrap_or_default().to_owned();
                assert!(!kind.starts_with("text/html"), "{route} is a page: {kind}");
            }
        }
    }
    acts(&lived, &windows);
    drop(windows);
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// No page is an empty frame: there are minutes, and a month of them.
fn is_lived_in(lived: &LivedIn<'_>) {
    let manager = &lived.manager;
    manager.open(&lived.desk);
    manager.shows("of 240 min");
    let used = manager.value("Math.max(...[...document.querySelectorAll('progress')].map(e => e.value))");
    assert!(used.as_i64().is_some_and(|used| used >= 5), "{used}");
    manager.open(&format!("{}/people/jordan/charts", lived.desk));
    let drawn = manager
        .value("[...document.querySelectorAll('.chart')].map(e => e.querySelectorAll('rect,circle').length)");
    let full =
        drawn.as_array().is_some_and(|all| all.len() >= 3 && all.iter().all(|of| of.as_i64() >= Some(2)));
    assert!(full, "{drawn}");
}

/// The status and the kind of what stands at an address.
fn got(window: &Window<'_>, address: &str) -> serde_json::Value {
    window.run_async(&format!(
        "const done = arguments[arguments.length - 1]; fetch({address:?}).then(r => done([r.status, r.headers.get('content-type') || '']), e => done([0, String(e)]));"
    ))
}

/// What stands there only once somebody has done something.
fn acts(lived: &LivedIn<'_>, windows: &Windows<'_, '_>) {
    let (manager, desk) = (&lived.manager, &lived.desk);
    let nobody = &windows.nobody;
    nobody.open(&format!("{desk}/sign-in"));
    nobody.types("#account", "k.lane");
    nobody.types("#password", "not the right one");
    nobody.click("main button");
    nobody.shows("That did not fit");
    looks_well(nobody, "desk-sign-in-wrong", 1280);
    nobody.open(&windows.address("{link}"));
    nobody.types("#password", PASSWORD);
    nobody.types("#again", "something else entirely");
    nobody.click("main button");
    nobody.shows("The two are not the same");
    looks_well(nobody, "desk-first-wrong", 1280);

    manager.open(&format!("{desk}/no/such/page"));
    manager.shows("There is nothing at this address");
    looks_well(manager, "desk-not-here", 1280);
    windows.visitor.open(&format!("{desk}/asks"));
    windows.visitor.shows("Your account does not do this");
    looks_well(&windows.visitor, "desk-not-for-you", 1280);

    manager.open(&format!("{desk}/me"));
    manager.click("button[value='offer']");
    manager.shows("Put this into your app");
    looks_well(manager, "desk-me-offered", 1280);
    manager.open(&format!("{desk}/accounts"));
    manager.click("form[action='/accounts/link'] button");
    manager.shows("A link for");
    looks_well(manager, "desk-accounts-link", 1280);
    manager.open(&format!("{desk}/restrictions/new"));
    manager.pastes("#closes", "childline.org.uk");
    manager.click("main form button");
    manager.shows("It was not placed");
    looks_well(manager, "desk-restrictions-refused", 1280);
    edits(manager, desk, &lived.home);

    let staff = &windows.staff;
    staff.open(&format!("{desk}/give/jordan"));
    staff.types("#s-why", "a film together");
    staff.types("#words", "chat.test");
    staff.click("#words ~ .row button[value='30m']");
    staff.shows("It works within a second");
    looks_well(staff, "desk-give-given", 1280);
    staff.open(&format!("{desk}/asks"));
    staff.click("button[value='always']");
    staff.shows("would have to stand");
    looks_well(staff, "desk-asks-always", 1280);

    seldom(manager, staff, lived);

    // A file that has to be put right stands on Now.
    lived.home.write("agreements/sam.yaml", "person: Sam\nonline: {every_day: 25:00-26:00}\n");
    wait_for("the file to wait", || {
        staff.open(desk);
        staff.words().contains("agreements/sam.yaml waits").then_some(())
    });
    looks_well(staff, "desk-now-a-file-waits", 1280);
}

/// What stands there seldom: each is looked at, and no picture is kept.
fn seldom(manager: &Window<'_>, staff: &Window<'_>, lived: &LivedIn<'_>) {
    let desk = &lived.desk;
    staff.open(desk);
    staff.shows("asked by R. Osei");
    looks_well(staff, "asked to show on Now", NO_PICTURE);
    staff.open(&format!("{desk}/people/jordan"));
    staff.shows("written down by R. Osei");
    looks_well(staff, "written down by hand", NO_PICTURE);
    let study = "person: Study laptop\nfor: device\nprofile: education_session\ndevices: [{name: study, ip: 127.0.0.15}]\n";
    lived.home.write("agreements/study.yaml", study);
    wait_for("the laptop for learning", || {
        staff.open(&format!("{desk}/give/study"));
        staff.words().contains("An education session").then_some(())
    });
    looks_well(staff, "an education session", NO_PICTURE);
    staff.open(&format!("{desk}/give/jordan"));
    staff.types("#s-why", "words that nobody wants to type again");
    staff.types("#words", "no site at all");
    staff.click("#words ~ .row button[value='30m']");
    staff.shows("is no site, service or category");
    looks_well(staff, "something that could not be done", NO_PICTURE);
    manager.open(&format!("{desk}/sample?from=2026-11-19&to=2026-11-21"));
    manager.run("document.querySelector('#s-purpose').selectedIndex = 1");
    manager.click("form[method='post'][action='/sample'] button");
    manager.shows("The seed is");
    looks_well(manager, "a sample that is drawn", NO_PICTURE);
    // Somebody else saves while the text is before the manager.
    let file = "agreements/jordan.yaml";
    let text = std::fs::read_to_string(lived.home.path().join(file)).unwrap();
    manager.open(&format!("{desk}/edit/{file}"));
    manager.pastes("#text", &format!("{text}# mine\n"));
    manager.shows("Nothing to put right");
    manager.click("button[value='look']");
    manager.types("#why", "we agreed it");
    lived.home.write(file, &format!("{text}# theirs\n"));
    manager.click("button[value='keep']");
    manager.shows("What stands in the file now");
    looks_well(manager, "two edits of one file", NO_PICTURE);
}

/// The editor with something wrong, and with what a change does.
fn edits(manager: &Window<'_>, desk: &str, home: &crate::home::Home) {
    let text = std::fs::read_to_string(home.path().join("agreements/jordan.yaml")).unwrap();
    manager.open(&format!("{desk}/edit/agreements/jordan.yaml"));
    manager.pastes("#text", &text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 25:00}"));
    manager.shows("One line to look at");
    manager.click(".troubles a");
    manager.shows("Line ");
    looks_well(manager, "desk-edit-wrong", 1280);
    manager.pastes(
        "#text",
        &text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 22:00}   # we said: try it"),
    );
    manager.shows("Nothing to put right");
    manager.click("button[value='look']");
    manager.shows("1 h more");
    looks_well(manager, "desk-edit", 1280);
}

/// Where the repository's pictures are, and beside them the hash of what they were drawn from.
const PICTURES: &str = "../docs/screenshots";
const DRAWN_FROM: &str = "drawn-from.txt";
/// Pages of exports, of which no picture is kept.
const NOT_DRAWN: [&str; 2] = ["export.html", "own_copy.html"];

/// What the pages are drawn from, as one hash: every template and style, and the words of both languages without their comments.
fn drawn_from() -> String {
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../console");
    let mut files = BTreeMap::new();
    for folder in ["templates", "templates/desk", "templates/young", "words"] {
        for file in std::fs::read_dir(room.join(folder)).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let drawn = name.ends_with(".html") || name.ends_with(".css") || folder == "words";
            if drawn && !NOT_DRAWN.contains(&name.as_str()) {
                let text = std::fs::read_to_string(file.path()).unwrap();
                let said = |line: &&str| folder != "words" || !(line.is_empty() || line.starts_with('#'));
                let lines: Vec<&str> = text.lines().filter(said).collect();
                files.insert(format!("{folder}/{name}"), lines.join("\n"));
            }
        }
    }
    assert!(files.len() > 40, "{:?}", files.keys());
    let all: String = files.iter().map(|(name, text)| format!("{name}\n{text}\n")).collect();
    let hash = digest(&SHA256, all.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The pictures show what the pages are now. `./test pictures`, which has just made them, writes down what they were drawn from.
#[test]
fn the_pictures_are_of_these_pages() {
    if let Some(folder) = std::env::var_os("HEARTHGATE_SCREENSHOTS") {
        let line = format!("{}\n", drawn_from());
        std::fs::write(std::path::Path::new(&folder).join(DRAWN_FROM), line).unwrap();
        return;
    }
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURES).join(DRAWN_FROM);
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    assert_eq!(
        kept.trim(),
        drawn_from(),
        "a template, a style or the words changed since docs/screenshots were made: run ./test pictures"
    );
}

/// The repository has a picture of each page, as it was called here, and of nothing else: `./test pictures` makes them anew.
#[test]
fn each_page_has_its_picture() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURES);
    let kept: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != DRAWN_FROM)
        .collect();
    let of_routes = ROUTES.iter().flat_map(|(_, how)| -> Vec<&'static str> {
        match how {
            Pages(pages) => pages.iter().map(|(name, _, _)| *name).collect(),
            Sent | Beside => Vec::new(),
        }
    });
    let acted = [
        "desk-sign-in-wrong",
        "desk-first-wrong",
        "desk-not-here",
        "desk-not-for-you",
        "desk-me-offered",
        "desk-accounts-link",
        "desk-restrictions-refused",
        "desk-edit-wrong",
        "desk-edit",
        "desk-give-given",
        "desk-asks-always",
        "desk-now-a-file-waits",
    ];
    let named = of_routes.map(str::to_owned).chain(acted.map(str::to_owned)).chain(super::young::pictures());
    let named: BTreeSet<String> = named.map(|name| format!("{name}.png")).collect();
    assert_eq!(kept, named, "docs/screenshots and the pages: run ./test pictures");
    let readme = include_str!("../../../../README.md");
    let shown: Vec<&str> =
        readme.split("docs/screenshots/").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(shown.len() >= 3 && shown.iter().all(|picture| kept.contains(*picture)), "{shown:?}");
}
