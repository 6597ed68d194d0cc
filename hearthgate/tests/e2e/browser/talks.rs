//! What people do together, click by click, while the gateway runs and its clock moves.

use super::kept::{AT_ONCE, Kept};
use super::{
    begins, chooses_a_password, desk_of, home, own_of, signs_in, visits, written_down, young_window,
};
use crate::SATURDAY;
use crate::driver::{Driver, Window};
use crate::home::{Gateway, JORDAN, SAM};
use crate::world::{World, output, wait_for};

#[test]
fn the_first_link_is_printed_once_and_opens_the_desk_once() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let printed = gateway.printed();
    let links: Vec<&str> = printed.split_whitespace().filter(|word| word.contains("/first/")).collect();
    assert_eq!(links.len(), 1, "one manager, one link: {printed}");
    assert!(printed.contains("r.osei has no password yet"), "{printed}");
    let manager = driver.window(&home.path().join("manager"), &[]);
    // A password that everybody tries is told to be one, and the link is still good.
    manager.open(links[0]);
    for field in ["#password", "#again"] {
        manager.types(field, "password123456");
    }
    manager.click("main button");
    manager.shows("everybody tries first");
    chooses_a_password(&manager, links[0]);
    let elsewhere = driver.window(&home.path().join("elsewhere"), &[]);
    elsewhere.open(links[0]);
    elsewhere.shows("There is nothing at this address");
    assert!(!gateway.log().contains("/first/"), "no link stands in the log");
    assert_eq!(gateway.stop("-TERM"), Some(0));

    let gateway = Gateway::start(&home, "2026-11-21T16:02:00");
    assert!(!gateway.printed().contains("/first/"), "somebody can sign in: {}", gateway.printed());
    signs_in(&manager, &desk_of(&gateway), "r.osei");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn an_ask_from_a_refusal_page_works_within_a_second_and_lapses_on_time() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    let young = young_window(&driver, &home, &gateway);
    let site = format!("http://chat.test:{}/", world.http_port);
    young.open(&site);
    young.shows("Ask first");
    young.click("a[href*='/hearthgate/ask']");
    young.types("textarea", "everyone from school is on it");
    young.click("form button");
    young.shows("You have asked");

    // The desk shows it by itself; the answer works at once, on a connection that was open before.
    staff.shows("asks for chat.test");
    staff.click("#asks a");
    staff.shows("everyone from school is on it");
    let mut kept = Kept::open(&gateway, "chat.test", world.http_port);
    assert_eq!(kept.status(), 403);
    let before = gateway.now();
    staff.click("button[value='30m']");
    let took = kept.turns(200);
    let after = gateway.now();
    assert!(took < AT_ONCE, "{took:?}");
    staff.shows("Opened.");
    young.open(&site);
    young.shows("hello from the test internet");

    // Seconds before the half hour is over it is open, and seconds after it not any more.
    gateway.passes(30 * 60 - 5 - (gateway.now() - before).num_seconds());
    assert_eq!(kept.status(), 200, "it goes on until the end");
    gateway.passes(6 + (after - before).num_seconds());
    let took = kept.turns(403);
    assert!(took < AT_ONCE, "{took:?}");
    young.open(&site);
    young.shows("Ask first");

    // What is given at the desk and taken back again: at once, both ways.
    signs_in(&staff, &desk_of(&gateway), "k.lane");
    staff.click("a[href='/give/jordan']");
    staff.types("#words", "chat.test");
    staff.types("#s-why", "a call with a cousin");
    staff.click("#s-why ~ .row button[value='30m']");
    let took = kept.turns(200);
    assert!(took < AT_ONCE, "{took:?}");
    staff.open(&desk_of(&gateway));
    staff.click("a[href^='/grants/']");
    staff.types("#why", "the call is over");
    staff.click("main form button");
    let took = kept.turns(403);
    assert!(took < AT_ONCE, "{took:?}");
    staff.shows("Taken back.");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn a_young_person_asks_for_time_and_goes_on_past_bedtime() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, "2026-11-21T20:40:00");
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    let young = young_window(&driver, &home, &gateway);
    let own = own_of(&gateway);
    young.open(&own);
    young.shows("open for you until 21:00");
    young.click("#ask ~ details:last-of-type summary");
    young.types("#words", "the film ends at ten past");
    young.click("#ask ~ details:last-of-type button");
    young.shows("You have asked");
    staff.shows("asks for");
    staff.click("#asks a");
    staff.shows("the film ends at ten past");
    staff.click("button[value='1h']");
    staff.shows("Opened.");
    gateway.passes_until("2026-11-21T21:10:00");
    assert!(
        visits(&gateway, JORDAN, "open.test", world.http_port).contains("hello"),
        "past bedtime, as staff said"
    );
    gateway.passes_until("2026-11-21T21:45:00");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("Not right now"));
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// What happens in a night: when, on whose device, and what is opened.
const NIGHT: [(&str, &str, &str); 6] = [
    ("2026-11-21T21:45:00", JORDAN, "casino.test"),
    ("2026-11-21T22:20:00", SAM, "club.test"),
    ("2026-11-21T23:30:00", JORDAN, "club.test"),
    ("2026-11-22T00:40:00", SAM, "video.test"),
    ("2026-11-22T02:15:00", JORDAN, "open.test"),
    ("2026-11-22T06:30:00", SAM, "chat.test"),
];

#[test]
fn a_nights_breaches_are_read_marked_and_signed_by_two() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, "2026-11-21T21:40:00");
    let desk = desk_of(&gateway);
    for (at, from, host) in NIGHT {
        gateway.passes_until(at);
        assert!(!visits(&gateway, from, host, world.http_port).contains("hello"), "{at} {host}");
    }
    written_down(&home, NIGHT.len());
    gateway.passes_until("2026-11-22T07:31:00");
    let kate = driver.window(&home.path().join("kate"), &[]);
    begins(&kate, &home, "k.lane");
    kate.shows("6 episodes");
    kate.click("#shift a");
    kate.shows("Saturday 21 November, 21:30 to 07:30");
    for host in ["casino.test", "club.test", "video.test", "open.test", "chat.test"] {
        assert!(kate.value("document.body.textContent").as_str().unwrap().contains(host), "{host}");
    }
    // What stands folded is opened; each is marked as it was.
    let marked = [
        ("casino.test", "note", "a pop-up; Jordan closed it"),
        ("casino.test", "spoke", ""),
        ("video.test", "false", ""),
        ("chat.test", "told", "at breakfast"),
        ("club.test", "concern", "somebody older sent Jordan the address"),
    ];
    for (host, mark, words) in marked {
        marks(&kate, host, mark, words);
    }
    kate.shows("Safeguarding concerns that are open");
    kate.click("input[name='unmarked']");
    kate.click(".filter button");
    kate.shows("not marked yet");
    let unmarked = kate.value("document.querySelectorAll('.episode').length").as_u64().unwrap();
    assert!(unmarked < 6 && unmarked > 0, "{unmarked}");
    kate.click(".filter a");
    kate.click("details[id^='concern-'] summary");
    kate.types("input[name='with']", "J. Adeyemi, designated lead");
    kate.types("textarea[id^='agreed-']", "she rings Jordan's social worker at nine");
    kate.click("details[id^='concern-'] button");
    wait_for("the concern to be closed", || (!kate.words().contains("concerns that are open")).then_some(()));

    // Two people sign, and the sheet proves what was read.
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");
    for (window, side, words) in
        [(&kate, "outgoing", "Jordan slept late, be gentle."), (&manager, "incoming", "")]
    {
        window.open(&format!("{desk}/shift"));
        window.types("#sign-words", words);
        window.click(&format!("button[value='{side}']"));
        window.shows("Signed. Thank you.");
    }
    kate.open(&format!("{desk}/shift"));
    kate.shows("Jordan slept late, be gentle.");
    assert!(kate.element("form[action='/shift/sign']").is_none(), "both sides have signed");
    manager.open(&desk);
    manager.click("#shift a");
    manager.click("a[href^='/shift/sheet']");
    manager.shows("Hand-over");
    let printed = manager.words();
    let after = |words: &str| printed.split(words).nth(1).unwrap_or_else(|| panic!("{words}: {printed}"));
    let entries = after("The journal had ").split(' ').next().unwrap();
    let hash = manager.words_of("main code:first-of-type");
    let (code, told, _) = home.command(&["breaches", "verify", "--head", &format!("{entries}:{hash}")]);
    assert_eq!(code, 0, "the sheet proves the journal: {told}");
    assert!(!manager.words_of("main section").contains("Jordan"), "initials stand on the sheet");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// Opens an episode's fold by its host, writes the words, and presses the mark.
fn marks(window: &Window<'_>, host: &str, mark: &str, words: &str) {
    let entry = wait_for(host, || {
        let script = format!(
            "(() => {{ const e = [...document.querySelectorAll('.episode')].find(e => e.querySelector('.said').textContent.includes('{host}')); if (!e) return null; e.closest('details').open = true; return e.id.replace('episode-', ''); }})()"
        );
        window.value(&script).as_str().map(str::to_owned)
    });
    if window.element(&format!("#make-{entry}:not([open])")).is_some() {
        window.click(&format!("#make-{entry} summary"));
    }
    if !words.is_empty() {
        window.types(&format!("#words-{entry}"), words);
    }
    window.click(&format!("#make-{entry} button[value='{mark}']"));
    window.shows(if mark == "concern" { "The concern is raised" } else { "It is in the journal." });
}

#[test]
fn an_agreement_with_a_mistake_is_mended_and_is_in_force() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let folder = home.path().display().to_string();
    output("git", &["-C", &folder, "init", "--quiet"]);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = desk_of(&gateway);
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");
    let young = young_window(&driver, &home, &gateway);
    young.open(&own_of(&gateway));
    young.shows("until 21:00");

    manager.open(&format!("{desk}/people/jordan"));
    manager.click("a[href='/edit/agreements/jordan.yaml']");
    let file = home.path().join("agreements/jordan.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    manager.pastes("#text", &text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 25:00}"));
    manager.shows("has to be put right");
    manager.click(".troubles a");
    manager.shows("Line 13: ");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing is saved while something is wrong");
    let mended =
        text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 22:00}   # we said: try it");
    manager.pastes("#text", &mended);
    manager.shows("Nothing to put right");
    manager.click("button[value='look']");
    manager.shows("1 h more");
    manager.types("#why", "agreed with Jordan at key-work");
    manager.click("button[value='keep']");
    manager.shows("Saved");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), mended, "comments and layout are as they were typed");
    wait_for("the new bedtime", || {
        young.open(&own_of(&gateway));
        young.words().contains("until 22:00").then_some(())
    });
    gateway.passes_until("2026-11-21T21:30:00");
    assert!(visits(&gateway, JORDAN, "open.test", world.http_port).contains("hello"), "in force past nine");
    let log = output("git", &["-C", &folder, "log", "--format=%an %s"]);
    assert!(log.contains("R. Osei agreements/jordan.yaml: agreed with Jordan at key-work"), "{log}");
    signs_in(&manager, &desk, "r.osei");
    manager.open(&format!("{desk}/audit"));
    manager.shows("agreed with Jordan at key-work");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn what_a_young_person_says_of_it_stands_beside_it() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let young = young_window(&driver, &home, &gateway);
    young.open(&format!("http://club.test:{}/", world.http_port));
    young.shows("Not open here");
    written_down(&home, 1);
    young.open(&own_of(&gateway));
    young.click("nav a[href*='/recorded']");
    young.shows("tried to open club.test");
    young.click("section details summary");
    young.click("input[value='advert']");
    young.types("section textarea", "it came with a game");
    young.click("section form button");
    young.shows("It stands there now");
    young.open(&format!("{}/recorded", own_of(&gateway)));
    young.shows("it came with a game");
    gateway.passes_until("2026-11-21T21:31:00");
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    staff.click("#shift a");
    staff.shows("That was an advert");
    staff.shows("it came with a game");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
