//! The register of restrictions in a browser: what the law forbids is refused in its words, and a lawful one ends.

use super::kept::{AT_ONCE, Kept};
use super::{begins, desk_of, home, signs_in, visits, young_window};
use crate::SATURDAY;
use crate::driver::{Driver, Window};
use crate::home::{Gateway, JORDAN, SAM};
use crate::world::World;

/// A restriction with everything that makes it lawful.
const LAWFUL: [(&str, &str); 10] = [
    ("#person", "jordan"),
    ("#closes", "open.test"),
    ("#reason", "a stranger there asked Jordan to meet"),
    ("#tried", "we talked, and blocked the stranger"),
    ("#until", "2026-11-25T20:00"),
    ("#review", "2026-11-23"),
    ("#consent", "A. Mensah, Leeds"),
    ("#consent_on", "2026-11-21"),
    ("#told_on", "2026-11-21"),
    ("#view", "I know why"),
];

/// What is not lawful about a draft, in which fields it differs, and what is said with which regulation.
type Unlawful = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

const REFUSED: [Unlawful; 12] = [
    (
        "support",
        &[("#closes", "childline.org.uk")],
        "is among helplines, advocacy and emergency services: no restriction may close it.",
        "Reg 19(2)(c)",
    ),
    (
        "the home's own helpline",
        &[("#closes", "helpline.test")],
        "no restriction may close it.",
        "Reg 19(2)(c)",
    ),
    (
        "aids",
        &[("#closes", "assistive")],
        "is among communication aids of a disabled young person",
        "Reg 19(2)(h) and Reg 22",
    ),
    (
        "private mail",
        &[("#closes", "private_mail")],
        "is among private mail: no restriction may close it.",
        "Reg 22",
    ),
    (
        "a punishment",
        &[("#reason", "no gaming for swearing at staff")],
        "The reason reads as a punishment.",
        "Reg 19",
    ),
    (
        "no reason",
        &[("#reason", "")],
        "Write why it is necessary for the young person's safety or welfare.",
        "Reg 22",
    ),
    ("nothing tried", &[("#tried", "")], "Write what was tried or considered that restricts less.", "Reg 22"),
    ("no end", &[("#until", "")], "Say when it ends: a restriction never stands open-ended.", "Reg 22"),
    ("too long", &[("#until", "2027-03-25T20:00")], "It stands for 92 days at most.", "Reg 22"),
    (
        "no consent",
        &[("#consent", ""), ("#consent_on", "")],
        "The placing authority's consent is missing",
        "Reg 22",
    ),
    ("not told", &[("#told_on", "")], "Say when the young person was told.", "Reg 22"),
    ("no view", &[("#view", "")], "Write what the young person said about it", "Reg 7"),
];

/// Fills in a draft that is lawful but for some fields, and sends it.
fn drafts(window: &Window<'_>, desk: &str, differs: &[(&str, &str)]) {
    window.open(&format!("{desk}/restrictions/new"));
    window.shows("A restriction");
    window.fills(&LAWFUL);
    window.fills(differs);
    window.click("main form button");
}

#[test]
fn what_the_law_forbids_is_refused_in_its_words_and_a_lawful_one_ends() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = desk_of(&gateway);
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");
    for (case, differs, sentence, regulation) in REFUSED {
        drafts(&manager, &desk, differs);
        manager.shows("It was not placed");
        let said = manager.words_of("[role=alert]");
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(sentence)).collect();
        assert!(lines.len() == 1 && lines[0].ends_with(regulation), "{case}: {said}");
        // What was typed is still there.
        let typed = manager
            .value("document.getElementById('closes').value + document.getElementById('reason').value");
        assert!(typed.as_str().is_some_and(|kept| !kept.is_empty()), "{case}");
    }
    // The form takes one; whoever sends several all the same reads what the law says of a group.
    manager.open(&format!("{desk}/restrictions/new"));
    manager.fills(&LAWFUL);
    manager.run(
        "const person = document.getElementById('person'); person.multiple = true; \
         for (const one of person.options) one.selected = one.value !== ''; return 'done';",
    );
    manager.click("main form button");
    manager.shows("It was not placed");
    let said = manager.words_of("[role=alert]");
    assert!(said.contains("a group is never restricted for what one of them did. Reg 19(2)(j)"), "{said}");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("hello"), "nothing was placed");

    let mut kept = Kept::open(&gateway, "open.test", world.http_port);
    assert_eq!(kept.status(), 200);
    drafts(&manager, &desk, &[]);
    let took = kept.turns(403);
    assert!(took < AT_ONCE, "{took:?}");
    manager.shows("Placed.");
    manager.shows("Jordan: open.test");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("Paused for now"));
    assert!(
        !visits(&gateway, SAM, "open.test", world.http_port).contains("Paused"),
        "one young person's alone"
    );
    manager.open(&desk);
    manager.shows("Restricted: open.test");
    assert!(manager.words().contains("until Wed 20:00"), "{}", manager.words());

    // To the minute, by itself; the register keeps it.
    gateway.passes_until("2026-11-25T19:59:50");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("Paused for now"));
    gateway.passes(11);
    let took = kept.turns(200);
    assert!(took < AT_ONCE, "{took:?}");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("hello"));
    signs_in(&manager, &desk, "r.osei");
    manager.open(&format!("{desk}/restrictions"));
    manager.shows("By itself");
    let over = manager.words_of("section[aria-labelledby='over'] tbody tr");
    assert!(over.contains("Jordan") && over.contains("open.test") && over.contains("By itself"), "{over}");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn one_that_staff_end_early_opens_at_once_in_the_same_browser() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = desk_of(&gateway);
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");
    let young = young_window(&driver, &home, &gateway);
    let site = format!("http://open.test:{}/", world.http_port);
    drafts(&manager, &desk, &[]);
    manager.shows("Placed.");
    let mut kept = Kept::open(&gateway, "open.test", world.http_port);
    kept.turns(403);
    young.open(&site);
    young.shows("Paused for now");

    manager.click("[id^='end-'] summary");
    manager.types("[id^='why-']", "the police have the phone");
    manager.click("[id^='end-'] button");
    let took = kept.turns(200);
    assert!(took < AT_ONCE, "{took:?}");
    manager.shows("Ended. It is lifted within a second.");
    young.open(&site);
    assert!(young.words().contains("hello"), "{}", young.words());
    manager.open(&format!("{desk}/restrictions"));
    manager.shows("Ended early by R. Osei, planned until Wed 20:00: the police have the phone");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
