//! Devices that are nobody's own: the page to sign in at, the agreement that holds then, and being signed out again.

use crate::SATURDAY;
use crate::device::{CUT, closes, connect, echoes, look_up, on_this_machine};
use crate::internet::{ECHO, wait_for};
use crate::lab::{JORDAN, Lab, Who, jordan};
use crate::router::with_router;
use std::time::{Duration, Instant};

const PAGE: &str = "http://hearthgate.home.arpa/sign-in";
const STRANGER: &str = "02:00:00:00:00:99";

/// A lab where unknown devices sign in, and Jordan's PIN.
fn with_sign_in(now: &str) -> Option<(Lab, String)> {
    let mut lab = Lab::build()?;
    lab.write("gateway.yaml", &with_router());
    let home = std::fs::read_to_string(lab.home.path().join("home.yaml")).unwrap();
    lab.write("home.yaml", &home.replace("unknown_devices: baseline", "unknown_devices: sign_in"));
    lab.open(now);
    let told = lab.command(&["pin", "jordan", "--fresh", "--by", "r.osei"]);
    let pin = told.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).unwrap().to_owned();
    Some((lab, pin))
}

/// What `curl` on the stranger's device writes: status, where it leads, and the page.
fn visit(lab: &Lab, words: &[&str]) -> (String, String) {
    let mut all = vec!["-sS", "--max-time", "15", "-w", "\n%{http_code} %{redirect_url}"];
    all.extend(words);
    let said = lab.of(Who::Stranger).says("curl", &all);
    let (page, last) = said.rsplit_once('\n').unwrap_or(("", &said));
    (last.trim().to_owned(), page.to_owned())
}

/// The token of the form that is shown.
fn token(lab: &Lab) -> String {
    wait_for("the form", || {
        let (_, page) = visit(lab, &[PAGE]);
        let (_, rest) = page.split_once("name=\"token\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    })
}

fn sign_in(lab: &Lab, name: &str, pin: &str) -> (String, String) {
    let form = format!("token={}&name={name}&pin={pin}", token(lab));
    visit(lab, &["--data", &form, PAGE])
}

fn captive(lab: &Lab) -> serde_json::Value {
    let (_, page) = visit(lab, &["http://hearthgate.home.arpa/captive-portal"]);
    serde_json::from_str(&page).unwrap_or_else(|e| panic!("{e}: {page}"))
}

fn is_refused(lab: &Lab, name: &str) -> bool {
    lab.dig(Who::Stranger, &[name, "A"]).contains("EDE: 15")
}

fn other(pin: &str) -> &'static str {
    if pin == "482913" { "482914" } else { "482913" }
}

#[test]
fn an_unknown_device_reaches_the_page_to_sign_in_and_nothing_else_until_somebody_does() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    assert!(
        is_refused(&lab, "open.test") && is_refused(&lab, "school.test"),
        "nothing but what is protected"
    );
    let (help, _) = look_up(&lab, Who::Stranger, "helpline.test");
    assert!(echoes(&mut connect(&lab, Who::Stranger, help, ECHO).unwrap()).unwrap(), "help is open");
    for url in [
        "http://open.test/",
        "http://captive.apple.com/hotspot-detect.html",
        "http://connectivitycheck.gstatic.com/generate_204",
    ] {
        assert_eq!(visit(&lab, &[url]).0, format!("302 {PAGE}"), "{url} leads there");
    }
    assert!(connect(&lab, Who::Stranger, "11.0.1.1".parse().unwrap(), ECHO).is_err());
    assert_eq!(captive(&lab)["captive"], true);

    let (said, page) = sign_in(&lab, "Jordan", other(&pin));
    assert!(said.starts_with("403") && page.contains("do not go together"), "{said} {page}");
    assert!(is_refused(&lab, "open.test"));
    let (said, _) = sign_in(&lab, "jordan", &pin);
    assert_eq!(said, format!("303 {PAGE}?lang=en"));
    assert!(visit(&lab, &[PAGE]).1.contains("You are signed in, Jordan"));

    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    let mut streams =
        [four, six].map(|to| connect(&lab, Who::Stranger, to, ECHO).unwrap_or_else(|e| panic!("{to}: {e}")));
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()), "Jordan's agreement holds");
    assert!(lab.dig(Who::Stranger, &["casino.test", "A"]).contains("EDE: 17"), "and refuses, too");
    let told = captive(&lab);
    let left = told["seconds-remaining"].as_i64().unwrap();
    assert!(told["captive"] == false && (17_000..=18_000).contains(&left), "until nine: {told}");

    let form = format!("token={}", token(&lab));
    assert!(visit(&lab, &["--data", &form, "http://hearthgate.home.arpa/sign-out"]).0.starts_with("303"));
    for stream in streams {
        let took = closes(stream, 6 * CUT);
        assert!(took < on_this_machine(CUT), "{took:?}");
    }
    assert!(is_refused(&lab, "open.test"));
    let unknown: Vec<serde_json::Value> =
        serde_json::from_str(&lab.command(&["breaches", "list", "--json"])).unwrap();
    let unknown: Vec<_> = unknown.iter().filter(|episode| episode["person"] == "nobody").collect();
    assert_eq!(unknown.len(), 1, "one episode, whatever it asked for: {unknown:?}");
    assert_eq!((&unknown[0]["site"], &unknown[0]["severity"]), (&STRANGER.into(), &"high".into()));
}

#[test]
fn signing_in_is_locked_after_failures_and_staff_let_the_device_in_for_a_while() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    for n in 1..=5 {
        let (said, _) = sign_in(&lab, "jordan", other(&pin));
        assert!(said.starts_with(if n < 5 { "403" } else { "429" }), "{n}: {said}");
    }
    let (said, page) = sign_in(&lab, "jordan", &pin);
    assert!(
        said.starts_with("429") && page.contains("Whoever is on shift"),
        "even with the right one: {said}"
    );
    assert!(is_refused(&lab, "open.test"));

    lab.command(&["sign-in", STRANGER, "jordan", "--for", "1m", "--by", "r.osei"]);
    let let_in = Instant::now();
    let (four, _) = look_up(&lab, Who::Stranger, "open.test");
    let mut stream = connect(&lab, Who::Stranger, four, ECHO).unwrap();
    assert!(echoes(&mut stream).unwrap());
    closes(stream, Duration::from_secs(300));
    let lasted = let_in.elapsed();
    let minute = Duration::from_secs(60);
    assert!(lasted > minute - Duration::from_secs(2) && lasted < minute + on_this_machine(CUT), "{lasted:?}");
    assert!(is_refused(&lab, "open.test"));
}

#[test]
fn signing_in_is_the_devices_and_not_its_addresss() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    assert!(sign_in(&lab, "jordan", &pin).0.starts_with("303"));
    look_up(&lab, Who::Stranger, "open.test");
    // Another device takes its address.
    let device = lab.of(Who::Stranger);
    device.ip("link set eth0 down");
    device.ip("link set eth0 address 02:00:00:00:00:77");
    device.ip("link set eth0 up");
    device.ip(&format!("route add default via {}", crate::lab::ROUTER.0));
    wait_for("the other device to be a stranger", || is_refused(&lab, "open.test").then_some(()));
    assert_eq!(visit(&lab, &["http://open.test/"]).0, format!("302 {PAGE}"));
}

#[test]
fn a_shared_device_has_its_own_agreement_until_somebody_signs_in() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    lab.write(
        "agreements/lounge.yaml",
        &jordan(&JORDAN.replace("otherwise: allow", "allow: [school.test]\notherwise: block"))
            .replace("person: Jordan", "person: Lounge PC\nfor: device")
            .replace("02:00:00:00:00:11", STRANGER),
    );
    lab.wait_until_known_by(Who::Stranger, "school.test");
    assert!(lab.dig(Who::Stranger, &["open.test", "A"]).contains("EDE: 17"), "its own agreement");
    assert_eq!(captive(&lab)["captive"], false, "and nobody is sent away");
    assert!(sign_in(&lab, "jordan", &pin).0.starts_with("303"));
    let (four, _) = look_up(&lab, Who::Stranger, "open.test");
    assert!(echoes(&mut connect(&lab, Who::Stranger, four, ECHO).unwrap()).unwrap(), "now Jordan's");
    lab.command(&["sign-out", "jordan", "--by", "r.osei"]);
    wait_for("its own agreement again", || {
        lab.dig(Who::Stranger, &["open.test", "A"]).contains("EDE: 17").then_some(())
    });
    // The phone shows itself for the first time here.
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    let (said, page) = {
        let jordans = lab.of(Who::Jordan).says("curl", &["-s", PAGE]);
        (jordans.contains("nobody signs in on it"), jordans)
    };
    assert!(said, "a device of one's own: {page}");
}

#[test]
fn a_lost_device_is_cut_off_within_five_seconds_and_comes_back() {
    let Some((lab, _)) = with_sign_in(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    let (help, _) = look_up(&lab, Who::Jordan, "helpline.test");
    let stream = connect(&lab, Who::Jordan, four, ECHO).unwrap();
    let mut stays = connect(&lab, Who::Jordan, help, ECHO).unwrap();
    lab.command(&["lost", "jordan", "phone", "--by", "r.osei", "--words", "bus"]);
    let took = closes(stream, 6 * CUT);
    assert!(took < on_this_machine(CUT), "{took:?}");
    assert!(echoes(&mut stays).unwrap(), "help stays");
    let refused = lab.dig(Who::Jordan, &["open.test", "A"]);
    assert!(refused.contains("marked as lost"), "{refused}");
    assert!(
        !lab.of(Who::Jordan).says("curl", &["-s", PAGE]).contains("name=\"pin\""),
        "nobody signs in on it"
    );
    lab.command(&["lost", "jordan", "phone", "--found", "--by", "r.osei"]);
    let (again, _) = look_up(&lab, Who::Jordan, "open.test");
    assert!(echoes(&mut connect(&lab, Who::Jordan, again, ECHO).unwrap()).unwrap());
}
