//! The desk and the young person's pages by key alone: in an order that reads, always seen where one is, and kept there when the
//! page is drawn anew.

use super::lived_in::LivedIn;
use super::pages::readable;
use super::{begins, own_of, young, young_window};
use crate::driver::{Driver, ENTER, TAB, Window};
use crate::world::{World, wait_for};
use serde_json::json;

/// What has the focus: its place among all that can have it, and whether that is seen.
const FOCUS: &str = r"(() => {
  const at = document.activeElement, style = getComputedStyle(at), r = at.getBoundingClientRect();
  const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex]:not([tabindex=\x22-1\x22])')]
    .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled);
  return {place: all.indexOf(at), all: all.length, nowhere: at === document.body, seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && r.width > 0 && r.left >= 0 && r.right <= innerWidth + 1,
    said: at.outerHTML.slice(0, 100)};
})()";

/// Goes through a page by key, from its first part to its last: each in turn, each seen.
fn goes_through(window: &Window<'_>, page: &str) {
    window.open(page);
    window.width(1280);
    let mut places = Vec::new();
    for _ in 0..400 {
        window.press(TAB);
        let at = window.value(FOCUS);
        if at["nowhere"] == true {
            break;
        }
        // A part that scrolls is reached by key, too; a field for a date has several parts.
        let Some(place) = at["place"].as_i64().filter(|place| *place >= 0) else { continue };
        assert_eq!(at["seen"], true, "{page}: nobody sees where they are: {at}");
        match places.last() {
            Some(last) if *last == place => {}
            // After the last part a browser begins anew.
            Some(last) if place == 0 && *last > 0 => break,
            _ => places.push(place),
        }
    }
    let all = window.value(FOCUS)["all"].as_i64().unwrap();
    // Of several boxes of one choice the keys reach the one that is chosen.
    let skipped = window.value("[...document.querySelectorAll('input[type=radio]:not(:checked)')].filter(e => e.checkVisibility()).length");
    assert!(
        places.windows(2).all(|two| two[0] < two[1]),
        "{page}: not in the order in which it reads: {places:?}"
    );
    assert_eq!(places.len() as i64, all - skipped.as_i64().unwrap(), "{page}: {places:?} of {all}");
}

/// Goes on by key until something has the focus.
fn goes_to(window: &Window<'_>, css: &str) {
    for _ in 0..200 {
        window.press(TAB);
        if window.value(&format!("document.activeElement.matches({})", json!(css))) == true {
            return;
        }
    }
    panic!("no key leads to {css}");
}

#[test]
fn the_desk_is_used_by_key_alone() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let desk = lived.desk.as_str();
    let staff = driver.window(&lived.home.path().join("staff"), &[]);
    begins(&staff, &lived.home, "m.ali");
    for (_, by_manager, address) in readable() {
        goes_through(if by_manager { &lived.manager } else { &staff }, &format!("{desk}{address}"));
    }
    let theirs = young_window(&driver, &lived.home, &lived.gateway);
    for address in young::readable() {
        goes_through(&theirs, &format!("{}{address}", own_of(&lived.gateway)));
    }
    // The first key leads past the navigation.
    staff.open(desk);
    staff.press(TAB);
    staff.press(ENTER);
    assert_eq!(staff.value("document.activeElement.id"), "main");

    // An ask is answered, a fold opened, an episode marked, all by key.
    staff.open(desk);
    goes_to(&staff, "#asks a");
    staff.press(ENTER);
    wait_for("the asks", || staff.at().ends_with("/asks").then_some(()));
    goes_to(&staff, "button[value='30m']");
    staff.press(ENTER);
    staff.shows("Opened.");
    staff.open(&format!("{desk}/shift"));
    goes_to(&staff, "details.of[open] [id^='make-'] summary");
    staff.press(ENTER);
    goes_to(&staff, "[id^='make-'][open] button[value='spoke']");
    staff.press(ENTER);
    staff.shows("It is in the journal.");

    keeps_its_place(&staff, &lived);
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// Whoever is at a fold, a link or a button stays there when something happens and the page is drawn anew.
fn keeps_its_place(staff: &Window<'_>, lived: &LivedIn<'_>) {
    for css in ["#why-jordan summary", "a[href='/give/sam']", "nav a[href='/people']"] {
        staff.open(&lived.desk);
        staff.shows("Sam");
        goes_to(staff, css);
        staff.run("document.getElementById('main').firstChild.before(document.createComment('as it was'));");
        let line = [
            "grant",
            "--person",
            "jordan",
            "--sites",
            "chat.test",
            "--for",
            "20m",
            "--by",
            "r.osei",
            "--reason",
            "film night",
        ];
        let (code, _, err) = lived.home.command(&line);
        assert_eq!(code, 0, "{err}");
        wait_for("the page to be drawn anew", || {
            (staff.value("document.getElementById('main').firstChild.nodeType !== 8") == true).then_some(())
        });
        let at = staff.value(&format!("document.activeElement.matches({})", json!(css)));
        assert_eq!(at, true, "{css}: the focus went to {}", staff.value(FOCUS));
    }
}
