//! What pages do by themselves: they close when nobody is there, say so when the gateway is silent, ring, and count down.

use super::{asks_for, begins, desk_of, home, own_of, sends_own, young_window};
use crate::SATURDAY;
use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, JORDAN, SAM};
use crate::world::{World, free_port, wait_for};

#[test]
fn a_desk_that_nobody_uses_signs_out() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = desk_of(&gateway);
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    staff.shows("Jordan");
    gateway.passes(4 * 60);
    staff.open(&desk);
    staff.shows("Jordan");
    // Five minutes in which nobody does anything: the page that follows goes by itself, and the session is over.
    gateway.passes(5 * 60 + 1);
    wait_for("the page to close", || staff.at().ends_with("/locked").then_some(()));
    staff.shows("you were signed out");
    assert!(!staff.words().contains("Jordan"), "{}", staff.words());
    staff.click("main a.button");
    staff.shows("Sign in");
    for page in ["/", "/people/jordan", "/shift"] {
        staff.open(&format!("{desk}{page}"));
        assert!(staff.at().ends_with("/sign-in"), "{page}: {}", staff.at());
    }
    // Nobody else has a session of theirs.
    begins(&staff, &home, "r.osei");
    staff.open(&format!("{desk}/accounts"));
    staff.shows("Signed in now");
    let signed_in = staff.words_of("section[aria-labelledby='open'] tbody th");
    assert!(signed_in.contains("R. Osei") && !signed_in.contains("Kate"), "{signed_in}");

    // Where the gateway does not say so, the page closes by its own clock.
    staff.open(&desk);
    staff.shows("Jordan");
    staff.run("const now = Date.now; Date.now = () => now() + 6 * 60 * 1000;");
    wait_for("the page to close", || staff.at().ends_with("/locked").then_some(()));
    assert!(!staff.words().contains("Jordan"), "{}", staff.words());
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn a_gateway_that_falls_silent_is_told_of_and_comes_back() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    // The page follows at one address: the gateway that comes back has to have the same.
    let text = std::fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    let port = free_port();
    home.write(
        "gateway.yaml",
        &text.replace("console: [\"127.0.0.1:0\"]", &format!("console: [\"127.0.0.1:{port}\"]")),
    );
    let gateway = Gateway::start(&home, SATURDAY);
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    staff.shows("Jordan");
    let told = || staff.words_of("#silent:not([hidden])");
    assert_eq!(told(), "");
    let _killed = gateway.stop("-KILL");
    // What half a minute of silence is to the page.
    staff.run("window.past = 30 * 1000; const now = Date.now; Date.now = () => now() + window.past;");
    wait_for("the silence to be told", || told().contains("The gateway does not answer").then_some(()));
    let since = staff.value("document.getElementById('since').textContent");
    assert!(since.as_str().is_some_and(|at| at.len() >= 4 && at.contains(':')), "{since}");
    staff.shows("Jordan");
    let gateway = Gateway::start(&home, "2026-11-21T16:01:00");
    wait_for("the gateway to be heard again", || told().is_empty().then_some(()));
    home_goes_on(&home, &staff);
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// The page follows again: what is decided elsewhere comes to it by itself.
fn home_goes_on(home: &Home, staff: &Window<'_>) {
    let line =
        ["grant", "--person", "jordan", "--extra-time", "20m", "--by", "r.osei", "--reason", "film night"];
    let (code, _, err) = home.command(&line);
    assert_eq!(code, 0, "{err}");
    staff.shows("Extra time");
}

/// Counts what is played instead of playing it.
const EARS: &str = "window.rung = 0; window.AudioContext = class { constructor() { this.currentTime = 0; this.destination = {}; } createGain() { return {gain: {setValueAtTime() {}, exponentialRampToValueAtTime() {}}, connect: (to) => to}; } createOscillator() { return {frequency: {}, connect: (to) => to, start() { window.rung += 1; }, stop() {}}; } };";

#[test]
fn an_ask_and_what_somebody_saw_ring_where_somebody_wants_it_and_nowhere_else() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let staff = driver.window(&home.path().join("staff"), &[]);
    staff.hooks(EARS);
    begins(&staff, &home, "k.lane");
    staff.open(&format!("{}/asks", desk_of(&gateway)));
    staff.shows("Nobody waits for an answer");
    assert_eq!(staff.value("document.getElementById('sound').checked"), false);
    asks_for(&gateway, JORDAN, "chat.test", "please");
    staff.shows("Jordan asks for");
    assert_eq!(staff.value("window.rung"), 0, "off until somebody wants it");
    staff.click("#sound");
    asks_for(&gateway, SAM, "video.test", "please");
    staff.shows("Sam asks for");
    wait_for("the sound", || (staff.value("window.rung") == 1).then_some(()));
    assert_eq!(
        staff.value("document.getElementById('sound').checked"),
        true,
        "still on when the page is drawn anew"
    );
    let said = sends_own(&gateway, SAM, "/hearthgate/saw", &[("words", "a mean message")]);
    assert!(said.contains("Staff have been told"), "{said}");
    wait_for("the sound of what somebody saw", || (staff.value("window.rung") == 2).then_some(()));
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn the_countdown_counts_and_the_page_comes_anew_before_the_end() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, "2026-11-21T19:30:00");
    let young = young_window(&driver, &home, &gateway);
    // Once the window is there: however long that took, most of this minute is still to come.
    gateway.passes_until("2026-11-21T20:00:01");
    young.open(&own_of(&gateway));
    young.shows("59 min to go");
    // Minutes go by for both.
    let both = |minutes: i64| {
        gateway.passes(minutes * 60);
        young.run(&format!("const now = Date.now; Date.now = () => now() + {minutes} * 60 * 1000;"));
    };
    both(10);
    young.shows("49 min to go");
    assert!(!young.words().contains("closes in less than"), "{}", young.words());
    both(36);
    young.shows("closes in less than 15 minutes");
    both(14);
    young.shows("The internet is off for you until 07:00 tomorrow");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// What is told beside an open page of what has come since.
fn news(window: &Window<'_>) -> String {
    let region = window.value("document.getElementById('news').getAttribute('role')");
    assert_eq!(region, "status", "read out, when whoever listens is ready for it");
    window.value("document.getElementById('news').textContent").as_str().unwrap_or_default().to_owned()
}

#[test]
fn who_asks_or_tells_is_announced_on_a_page_that_is_open() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    assert_eq!(news(&staff), "");
    let told = |from: &str, words: &str| {
        let said = sends_own(&gateway, from, "/hearthgate/saw", &[("words", words)]);
        assert!(said.contains("Staff have been told"), "{said}");
    };
    let arrives = |words: &str| wait_for(words, || (news(&staff) == words).then_some(()));
    told(SAM, "a mean message");
    staff.shows("They saw something");
    staff.shows("a mean message");
    arrives("Sam saw something.");
    asks_for(&gateway, JORDAN, "chat.test", "please");
    staff.shows("Jordan asks for chat.test");
    arrives("Jordan asks for chat.test.");
    // A page on which somebody is typing stays as it is, and says so all the same.
    staff.click("[id^='saw-'] summary");
    staff.types("[id^='heard-']", "We sat together");
    asks_for(&gateway, SAM, "video.test", "for my art");
    arrives("Sam asks for video.test.");
    assert!(!staff.words_of("main").contains("video.test"), "{}", staff.words());
    assert_eq!(staff.value("document.querySelector('[id^=heard-]').value"), "We sat together");
    // What stood there when a page was opened is no news, and whoever looks at asks alone hears of what was seen.
    staff.open(&format!("{}/asks", desk_of(&gateway)));
    staff.shows("Sam asks for");
    assert_eq!(news(&staff), "");
    told(JORDAN, "");
    arrives("Jordan saw something.");
    assert!(staff.words_of("section[aria-labelledby=told]").contains("Jordan"), "{}", staff.words());
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn a_device_that_asks_for_names_alone_is_online() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    let card = || {
        let words = staff.value(
            "[...document.querySelectorAll('.person')].find(e => e.textContent.includes('Jordan')).innerText",
        );
        words.as_str().unwrap_or_default().to_owned()
    };
    assert!(card().contains("Not online") && card().contains("Open until 21:00"), "{}", card());
    // Four different names within a minute read like use, and a minute may turn between them.
    wait_for("the phone", || {
        for name in ["open.test", "video.test", "www.open.test", "school.test", "ech.test"] {
            gateway.dig(JORDAN, &[name, "A"]);
        }
        staff.open(&desk_of(&gateway));
        card().contains("Online: phone").then_some(())
    });
    assert!(card().contains("Open until 21:00"), "{}", card());
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
