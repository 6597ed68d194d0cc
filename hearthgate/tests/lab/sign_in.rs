//! Devices that are nobody's own: the page to sign in at, the agreement that holds then, and being signed out again.

use crate::SATURDAY;
use crate::boundary::lapses;
use crate::device::{
    CUT, addresses, closes, connect, curl, datagrams, echoes, exchange, is_refusal, look_up, on_this_machine,
};
use crate::internet::{ECHO, FOREIGN_RESOLVER, RELAY, VPN, wait_for};
use crate::lab::{JORDAN, Lab, Who, jordan};
use crate::router::with_router;
use std::time::{Duration, Instant};

const PAGE: &str = "http://hearthgate.home.arpa/sign-in";
const STRANGER: &str = "02:00:00:00:00:99";

/// Has devices that nobody knows sign in.
pub(crate) fn with_unknown_to_sign_in(lab: &Lab) {
    let home = std::fs::read_to_string(lab.home.path().join("home.yaml")).unwrap();
    lab.write("home.yaml", &home.replace("unknown_devices: baseline", "unknown_devices: sign_in"));
}

/// A lab where unknown devices sign in, and Jordan's PIN.
fn with_sign_in(now: &str) -> Option<(Lab, String)> {
    let mut lab = Lab::build()?;
    lab.write("gateway.yaml", &with_router());
    with_unknown_to_sign_in(&lab);
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

/// Whatever else the stranger tries is refused over both families, and nothing of it arrives.
fn reaches_nothing_else(lab: &Lab) {
    let who = Who::Stranger;
    let (open, school) = (addresses(("11.0.1.1", "2d00:2::1")), addresses(("11.0.1.4", "2d00:2::4")));
    for (to, port) in [(open, ECHO), (addresses(RELAY), 9001), (addresses(FOREIGN_RESOLVER), 853)]
        .into_iter()
        .flat_map(|(pair, port)| pair.map(|to| (to, port)))
    {
        let error = connect(lab, who, to, port).unwrap_err();
        assert!(is_refusal(&error), "{to} {port}: {error}");
        assert_eq!(lab.internet.heard.at(&to.to_string(), port), 0, "{to} {port}: nothing arrives");
    }
    for to in addresses(VPN) {
        assert!(exchange(&datagrams(lab, who, to, 51820), b"hello").is_err(), "{to}");
        assert_eq!(lab.internet.heard.at(&to.to_string(), 51820), 0, "{to}: nothing arrives");
    }
    for to in open {
        let ping = lab.of(who).output("ping", &["-c1", "-W1", &to.to_string()]);
        assert!(!ping.status.success(), "{to}: {}", String::from_utf8_lossy(&ping.stdout));
    }
    for to in school {
        let (code, page) =
            curl(lab, who, &["--resolve", &format!("school.test:443:{to}"), "https://school.test/"]);
        assert!(code == 35 && !page.contains("school.test at"), "{to}: {code} {page}");
    }
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
    reaches_nothing_else(&lab);
    assert_eq!(captive(&lab)["captive"], true);

    let (said, page) = sign_in(&lab, "Jordan", other(&pin));
    assert!(said.starts_with("403") && page.contains("do not go together"), "{said} {page}");
    assert!(is_refused(&lab, "open.test"));
    let (said, _) = sign_in(&lab, "jordan", &pin);
    assert_eq!(said, format!("303 {PAGE}?lang=en"));
    let page = visit(&lab, &[PAGE]).1;
    for shown in [
        "You are signed in, Jordan",
        "The internet is open for you until 21:00.",
        " to go</p>",
        "href=\"http://hearthgate.home.arpa/?lang=en\"",
        "<script src=\"/hearthgate/page.js\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(visit(&lab, &["http://hearthgate.home.arpa/hearthgate/page.js"]).1.contains("[data-until]"));

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
    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    let ends = [four, six].map(|to| {
        let mut stream = connect(&lab, Who::Stranger, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}");
        std::thread::spawn(move || {
            closes(stream, Duration::from_secs(300));
            Instant::now()
        })
    });
    for end in ends {
        let lasted = end.join().unwrap() - let_in;
        let minute = Duration::from_secs(60);
        let in_time = lasted > minute - Duration::from_secs(2) && lasted < minute + on_this_machine(CUT);
        assert!(in_time, "{lasted:?}");
    }
    assert!(is_refused(&lab, "open.test"));
}

#[test]
fn who_uses_a_device_no_more_is_signed_out_after_half_an_hour_over_both_families() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    assert!(sign_in(&lab, "jordan", &pin).0.starts_with("303"));
    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    let streams = [four, six].map(|to| {
        let mut stream = connect(&lab, Who::Stranger, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}");
        stream
    });
    // The time that the kernel gave them passes as well.
    for (set, to) in [("mac4", four), ("mac6", six)] {
        lapses(&lab, set, &format!("02:00:00:00:00:99 . {to}"));
    }
    // What flowed a moment ago may be counted after the jump, as use of then: half an hour later it is over for certain.
    wait_for("nobody to be signed in", || {
        lab.passes(31 * 60);
        (captive(&lab)["captive"] == true).then_some(())
    });
    let idle = Instant::now();
    for stream in streams {
        closes(stream, 6 * CUT);
        assert!(idle.elapsed() < on_this_machine(CUT), "{:?}", idle.elapsed());
    }
    assert!(is_refused(&lab, "open.test"));
    for to in [four, six] {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to, ECHO).unwrap_err()), "{to}");
    }
}

#[test]
fn signing_in_is_the_devices_and_not_its_addresss() {
    let Some((lab, pin)) = with_sign_in(SATURDAY) else { return };
    assert!(sign_in(&lab, "jordan", &pin).0.starts_with("303"));
    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    let streams = [four, six].map(|to| {
        let mut stream = connect(&lab, Who::Stranger, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}");
        stream
    });
    // Another device takes its addresses.
    crate::identity::is_another_by_now(&lab, Who::Stranger);
    wait_for("the other device to be a stranger", || is_refused(&lab, "open.test").then_some(()));
    for to in [four, six] {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to, ECHO).unwrap_err()), "{to}");
    }
    for stream in streams {
        let took = closes(stream, 6 * CUT);
        assert!(took < on_this_machine(CUT), "{took:?}");
    }
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
    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    let streams = [four, six].map(|to| {
        let mut stream = connect(&lab, Who::Stranger, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}: now Jordan's");
        stream
    });
    lab.command(&["sign-out", "jordan", "--by", "r.osei"]);
    wait_for("its own agreement again", || {
        lab.dig(Who::Stranger, &["open.test", "A"]).contains("EDE: 17").then_some(())
    });
    for stream in streams {
        let took = closes(stream, 6 * CUT);
        assert!(took < on_this_machine(CUT), "{took:?}");
    }
    for to in [four, six] {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to, ECHO).unwrap_err()), "{to}");
    }
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
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let (help4, help6) = look_up(&lab, Who::Jordan, "helpline.test");
    let streams = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    let mut stay = [help4, help6].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    lab.command(&["lost", "jordan", "phone", "--by", "r.osei", "--words", "bus"]);
    let lost = Instant::now();
    for stream in streams {
        closes(stream, 6 * CUT);
        assert!(lost.elapsed() < on_this_machine(CUT), "{:?}", lost.elapsed());
    }
    for to in [four, six] {
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()), "{to}");
    }
    assert!(stay.iter_mut().all(|help| echoes(help).unwrap()), "help stays");
    let refused = lab.dig(Who::Jordan, &["open.test", "A"]);
    assert!(refused.contains("marked as lost"), "{refused}");
    assert!(
        !lab.of(Who::Jordan).says("curl", &["-s", PAGE]).contains("name=\"pin\""),
        "nobody signs in on it"
    );
    lab.command(&["lost", "jordan", "phone", "--found", "--by", "r.osei"]);
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    for to in [four, six] {
        assert!(echoes(&mut connect(&lab, Who::Jordan, to, ECHO).unwrap()).unwrap(), "{to}");
    }
}
