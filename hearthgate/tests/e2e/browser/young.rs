//! Every page that a young person sees: their own, refusals, what forms say, and the pages of a device that is not theirs alone.

use super::fits::{NO_PICTURE, looks_well, reads_from_the_right};
use super::lived_in::{LivedIn, PIN, jordans, lounges, signs_in_unknown_devices};
use super::{own_of, young_window};
use crate::driver::{Driver, Window};
use crate::world::{World, wait_for};
use std::collections::BTreeSet;

/// A phone: the width that these pages are made for.
const PHONE: u32 = 320;
/// What a voice adds to the name of a picture, and to the address.
const VOICES: [(&str, &str); 4] = [
    ("", "lang=en"),
    ("-cy", "lang=cy"),
    ("-easy", "lang=en&easy=yes&contrast=high"),
    ("-cy-easy", "lang=cy&easy=yes&contrast=high"),
];

/// How an address of the gateway's own is looked at.
enum Route {
    /// As a page, in every voice: what the picture is called, and the address.
    Page(&'static str, &'static str),
    /// Forms are sent there, and there is nothing to look at. What comes of them is in the tests below.
    Sent,
}
use Route::{Page, Sent};

const ROUTES: &[(&str, Route)] = &[
    ("/", Page("young-now", "/")),
    ("/week", Page("young-week", "/week")),
    ("/agreement", Page("young-agreement", "/agreement")),
    ("/recorded", Page("young-recorded", "/recorded")),
    ("/talk", Page("young-talk", "/talk")),
    ("/policy", Page("young-policy", "/policy")),
    ("/hearthgate/ask", Page("young-ask", "/hearthgate/ask?host=club.test")),
    ("/hearthgate/saw", Page("young-saw", "/hearthgate/saw")),
    ("/hearthgate/note", Sent),
    ("/hearthgate/first", Sent),
    ("/hearthgate/show", Sent),
    ("/hearthgate/me", Sent),
    (console::SIGN_IN, Page("young-sign-in-owned", "/sign-in")),
    (console::SIGN_OUT, Sent),
];

/// What stands there only once somebody has done something, or elsewhere than at the gateway's own address.
const ACTED: [&str; 22] = [
    "young-now-from-the-right",
    "young-recorded-done",
    "young-ask-done",
    "young-saw-done",
    "young-form-too-old",
    "young-not-here",
    "refusal",
    "refusal-cy",
    "refusal-easy",
    "refusal-strong",
    "refusal-ask",
    "refusal-with-staff",
    "refusal-paused",
    "refusal-times",
    "young-shared",
    "young-shared-wrong-pin",
    "young-shared-signed-in",
    "young-sign-in",
    "young-sign-in-done",
    "young-unknown",
    "young-sign-in-unknown",
    "young-sign-in-elsewhere",
];

/// The names of these pages' pictures.
pub(super) fn pictures() -> impl Iterator<Item = String> {
    let of_routes = ROUTES.iter().filter_map(|(_, how)| match how {
        Page(name, _) => Some(*name),
        Sent => None,
    });
    let now = VOICES.iter().skip(1).map(|(voice, _)| format!("young-now{voice}"));
    of_routes.map(str::to_owned).chain(now).chain(ACTED.map(str::to_owned))
}

/// The pages that stand on a young person's own device, by their addresses.
pub(super) fn readable() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().filter_map(|(_, how)| match how {
        Page(_, at) => Some(*at),
        Sent => None,
    })
}

/// An address in a voice.
fn in_voice(own: &str, at: &str, voice: &str) -> String {
    format!("{own}{at}{}{voice}", if at.contains('?') { '&' } else { '?' })
}

#[test]
fn every_address_of_a_young_person_is_looked_at() {
    let known: BTreeSet<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    let doors = [console::SIGN_IN, console::SIGN_OUT];
    let routes: BTreeSet<&str> = console::young_addresses().into_iter().chain(doors).collect();
    assert_eq!(routes, known, "how is a page looked at that stands on one side alone?");
}

#[test]
fn every_page_of_a_young_person_fits_reads_and_is_touched() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let own = own_of(&lived.gateway);
    let young = young_window(&driver, &lived.home, &lived.gateway);
    for (_, how) in ROUTES {
        let Page(name, at) = how else { continue };
        for (voice, query) in VOICES {
            young.open(&in_voice(&own, at, query));
            // The words of a voice stand in one place: one page shows how each looks.
            let kept = voice.is_empty() || *at == "/";
            looks_well(&young, &format!("{name}{voice}"), if kept { PHONE } else { NO_PICTURE });
        }
        young.open(&in_voice(&own, at, "lang=en"));
        reads_from_the_right(&young, name);
        if *at == "/" {
            young.width(PHONE);
            young.keep("young-now-from-the-right");
        }
    }
    seldom(&young, &lived, &own);
    told(&young, &own);
    refused(&young, &lived, &world);
    shared(&young, &lived, &own);
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// What stands there seldom, in both languages: each is looked at, and no picture is kept.
fn seldom(young: &Window<'_>, lived: &LivedIn<'_>, own: &str) {
    lived.looks_together();
    let kept = "monitoring: {level: sites, until: 2026-11-30, reason: agreed at the strategy meeting, authorised_by: R. Osei, told_on: 2026-11-20}\n";
    lived.home.write("agreements/jordan.yaml", &format!("{}{kept}", jordans()));
    wait_for("what is kept beyond refusals", || {
        young.open(&in_voice(own, "/", "lang=en"));
        young.words().contains("What is kept beyond that").then_some(())
    });
    for (voice, query) in VOICES {
        for (at, sections) in [
            ("/", &["#show", "#opened", "#more"][..]),
            ("/recorded", &["#by-hand"]),
            ("/agreement", &["#kept"]),
        ] {
            young.open(&in_voice(own, at, query));
            for section in sections {
                assert!(young.element(section).is_some(), "{at}?{query}: no {section}: {}", young.words());
            }
            looks_well(young, &format!("{at}{voice} with what stands there seldom"), NO_PICTURE);
        }
    }
}

/// What the forms say.
fn told(young: &Window<'_>, own: &str) {
    young.open(&format!("{own}/recorded"));
    young.click("section details summary");
    young.click("input[value='not_me']");
    young.click("section form button");
    young.shows("It stands there now");
    looks_well(young, "young-recorded-done", PHONE);
    young.open(&format!("{own}/hearthgate/ask?host=club.test"));
    young.types("textarea", "it is my cousin's");
    young.click("form button");
    young.shows("You have asked");
    looks_well(young, "young-ask-done", PHONE);
    young.open(&format!("{own}/hearthgate/saw"));
    young.click("form button");
    young.shows("Staff have been told");
    looks_well(young, "young-saw-done", PHONE);
    young.open(&format!("{own}/hearthgate/saw"));
    young.run("document.querySelector('input[name=token]').value = '0'");
    young.click("form button");
    young.shows("This form is too old");
    looks_well(young, "young-form-too-old", PHONE);
    young.open(&format!("{own}/no/such/page"));
    young.shows("Nothing is here");
    looks_well(young, "young-not-here", PHONE);
}

/// Refusals of each kind, in each of their voices.
fn refused(young: &Window<'_>, lived: &LivedIn<'_>, world: &World) {
    let open = |site: &str, words: &str| {
        young.open(&format!("http://{site}:{}/", world.http_port));
        young.shows(words);
    };
    open("club.test", "Not open here");
    looks_well(young, "refusal", PHONE);
    for (switch, words, name) in [
        ("label[for='cy']", "Ddim ar agor yma", "refusal-cy"),
        (".cy label[for='easy']", "Mae dy gytundeb yn dweud na wrth hwn.", "refusal-easy"),
        (".cy label[for='strong']", "Ddim ar agor yma", "refusal-strong"),
    ] {
        young.click(switch);
        young.shows(words);
        looks_well(young, name, PHONE);
    }
    open("club.test", "Not open here");
    reads_from_the_right(young, "refusal");
    for (site, words, name) in [
        ("chat.test", "Ask first", "refusal-ask"),
        ("school.test", "Together with staff", "refusal-with-staff"),
        ("video.test", "Paused for now", "refusal-paused"),
    ] {
        open(site, words);
        looks_well(young, name, PHONE);
    }
    lived.gateway.passes_until("2026-11-21T21:05:00");
    open("open.test", "Not right now");
    looks_well(young, "refusal-times", PHONE);
}

/// The same browser as one that several share, and as one that nobody knows.
fn shared(young: &Window<'_>, lived: &LivedIn<'_>, own: &str) {
    let home = &lived.home;
    let becomes = |words: &str| {
        wait_for(words, || {
            young.open(own);
            young.words().contains(words).then_some(())
        });
    };
    home.write(
        "agreements/jordan.yaml",
        &jordans().replace("  - {name: laptop, ip: 127.0.0.1}  # the old one\n", ""),
    );
    home.write("agreements/lounge.yaml", &lounges(true));
    becomes("Other people use this device too");
    looks_well(young, "young-shared", PHONE);
    let enters = |pin: &str| {
        young.open(own);
        young.types("#name", "Jordan");
        young.types("#digits", pin);
        young.click("form[action^='/hearthgate/me'] button");
    };
    enters("000000");
    young.shows("That did not fit");
    looks_well(young, "young-shared-wrong-pin", PHONE);
    enters(PIN);
    young.shows("Hello Jordan");
    looks_well(young, "young-shared-signed-in", PHONE);
    young.click("button[name='out']");
    young.shows("It is me");

    young.open(&format!("{own}/sign-in"));
    young.shows("Several people share this device");
    looks_well(young, "young-sign-in", PHONE);
    reads_from_the_right(young, "young-sign-in");
    young.open(&format!("{own}/sign-in"));
    young.types("#name", "Jordan");
    young.types("#pin", PIN);
    young.click("form button");
    young.shows("You are signed in, Jordan");
    looks_well(young, "young-sign-in-done", PHONE);
    young.click("form[action^='/sign-out'] button");
    young.shows("Several people share this device");

    home.write("agreements/lounge.yaml", &lounges(false));
    becomes("This device is not known here yet");
    looks_well(young, "young-unknown", PHONE);
    young.open(&format!("{own}/sign-in"));
    young.shows("Sign in and your own agreement holds on it");
    looks_well(young, "young-sign-in-unknown", PHONE);
    signs_in_unknown_devices(home, false);
    wait_for("that nobody signs in", || {
        young.open(&format!("{own}/sign-in"));
        young.words().contains("Nobody signs in here").then_some(())
    });
    looks_well(young, "young-sign-in-elsewhere", PHONE);
}
