//! What is kept of somebody, for how long and who sees it, is told wherever it is promised.

use super::{JORDANS, KATES, Young};
use crate::desk::tests::play::{HOME, JORDAN, Play, words};
use std::time::Duration;

/// Each in English, in easy words and in Welsh: what is told of everybody's records, with what home.yaml has under `keep`.
const TOLD: &[[&str; 3]] = &[
    ["the site, the time, and the device", "the name of a closed site", "y safle, yr amser, a’r ddyfais"],
    ["The minutes in which you are online", "We count your minutes online", "ym mha funudau rwyt ti ar-lein"],
    ["Staff can see them, those at night too.", "at night too", "y nosweithiau hefyd"],
    ["What you ask and tell staff", "what you ask and tell us", "ei ofyn ac yn ei ddweud"],
    [
        "open, close or note about you",
        "what staff say, do and note",
        "ei agor, ei gau neu ei nodi amdanat ti",
    ],
    ["where your devices are", "where your devices are", "ble mae dy ddyfeisiau"],
    [
        "that one and the manager read first",
        "they and the manager read first",
        "a’r rheolwr sy’n ei ddarllen gyntaf",
    ],
    ["can give a copy to others", "may give others a copy", "roi copi i eraill"],
    ["who looked at your pages", "who looked", "phwy edrychodd"],
    ["a second copy of it all", "a second copy", "ail gopi"],
    [
        "for 400 days, and minutes for 80 days",
        "for 400 days. Minutes are kept for 80 days",
        "am 400 diwrnod, a munudau am 80 diwrnod",
    ],
    ["are kept longer", "kept longer", "cadw’n hirach"],
];

const VOICES: [&str; 3] = ["lang=en", "lang=en&easy=yes", "lang=cy"];
const KATE: &str = "person: Kate\nfor: staff\notherwise: allow\nonline: all_day\n";

async fn home() -> Young {
    let home = HOME.to_owned() + "keep: {breaches: 400 days, minutes: 80 days, monitoring: 20 days}\n";
    let jordan = JORDAN.to_owned()
        + "monitoring: {level: sites, until: 2026-11-30, reason: agreed together, authorised_by: R. Osei, told_on: 2026-11-20}\n";
    Young::over(Play::of(&home, &[("jordan", &jordan), ("kate", KATE)]).await)
}

#[tokio::test]
async fn all_that_is_kept_is_told() {
    let young = home().await;
    for path in ["/agreement", "/policy"] {
        for (at, voice) in VOICES.iter().enumerate() {
            let page = words(&young.get(JORDANS, &format!("{path}?{voice}")).await.1);
            for said in TOLD {
                let said = said[at];
                assert!(page.contains(said), "{path}?{voice}: `{said}` is told: {page}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_looked_at_more_closely_goes_and_is_the_managers() {
    let young = home().await;
    for (voice, who, goes) in [
        ("lang=en", "the manager can also see", "gone after 20 days"),
        ("lang=en&easy=yes", "the manager can see more", "gone after 20 days"),
        ("lang=cy", "gall y rheolwr weld hefyd", "ar ôl 20 diwrnod"),
    ] {
        for path in ["/", "/agreement"] {
            let page = words(&young.get(JORDANS, &format!("{path}?{voice}")).await.1);
            assert!(page.contains(who) && page.contains(goes), "{path}?{voice}: {page}");
        }
    }
}

#[tokio::test]
async fn what_was_looked_at_more_closely_is_told_until_the_last_of_it_is_gone() {
    let young = home().await;
    let day = Duration::from_secs(86_400);
    let said = [
        ("lang=en", "Until 30 November 2026 more was kept about you.", "is gone on 21 December 2026."),
        ("lang=en&easy=yes", "More was kept until 30 November 2026.", "is gone on 21 December 2026."),
        ("lang=cy", "Tan 30 Tachwedd 2026 roedd mwy", "wedi mynd ar 21 Rhagfyr 2026."),
    ];
    // On the last day it holds, on the next its days are kept, and on the last of those they are still there.
    for (days, over) in [(8, false), (1, true), (19, true)] {
        young.play.clock.advance(day * days);
        for (voice, until, gone) in said {
            for path in ["/", "/agreement"] {
                let page = words(&young.get(JORDANS, &format!("{path}?{voice}")).await.1);
                assert!(page.contains("agreed together"), "{days} {path}?{voice}: {page}");
                assert_eq!(page.contains(until), over, "{days} {path}?{voice}: {page}");
                assert_eq!(page.contains(gone), over, "{days} {path}?{voice}: {page}");
            }
        }
    }
    young.play.clock.advance(day);
    let page = words(&young.get(JORDANS, "/agreement?lang=en").await.1);
    assert!(!page.contains("more was kept") && !page.contains("agreed together"), "{page}");
}

#[tokio::test]
async fn of_staff_only_limited_minutes_are_counted() {
    let young = home().await;
    let page = words(&young.get(KATES, "/agreement?lang=en").await.1);
    assert!(page.contains("Your minutes are counted only where you have a limit."), "{page}");
    assert!(!page.contains("those at night") && !page.contains("Staff see that, too"), "{page}");
}

#[tokio::test]
async fn what_is_kept_of_adults_is_told_in_words_for_adults() {
    for kate in [KATE.to_owned(), KATE.replace("for: staff", "for: visitor")] {
        let young = Young::over(Play::of(HOME, &[("jordan", JORDAN), ("kate", &kate)]).await);
        for (voice, given, longer, childs) in [
            (
                "lang=en",
                "The manager can give a copy to others. To whom",
                "Worries about safety are kept longer.",
                ["social worker", "to keep you safe", "about your safety"],
            ),
            (
                "lang=en&easy=yes",
                "The manager may give others a copy.",
                "If it is about safety, it is kept longer.",
                ["social worker", "keep you safe", "about your safety"],
            ),
            (
                "lang=cy",
                "Gall y rheolwr roi copi i eraill. Mae i bwy",
                "Mae pryderon am ddiogelwch yn cael eu cadw’n hirach",
                ["weithiwr cymdeithasol", "dy gadw’n ddiogel", "am dy ddiogelwch"],
            ),
        ] {
            let page = words(&young.get(KATES, &format!("/agreement?{voice}")).await.1);
            assert!(page.contains(given) && page.contains(longer), "{voice}: {page}");
            for said in childs {
                assert!(!page.contains(said), "{voice}: `{said}`: {page}");
            }
        }
    }
}
