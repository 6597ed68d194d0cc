//! A home with thirty people and many episodes: every page stays quick, and shows no more than somebody reads.

use super::play::{Browser, HOME, JORDAN, Page, Play};
use agreements::{Evidence, Host};
use blocklists::Name;
use records::{Clock, Identified, Recorder, Refused, Which};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PEOPLE: usize = 30;
/// `HEARTHGATE_EPISODES` says how many more: ten thousand take a debug build minutes to write down.
const EPISODES: usize = 600;
/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(6);

/// People's devices open sites that are refused, all at once, and it is on the disk.
pub(crate) async fn refused(play: &Play, asked: &[(String, String)]) {
    let current = play.in_force.to_keep();
    let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
    for (person, host) in asked {
        let who = current.snapshot.house.person(person).unwrap();
        let name = Host::Name(Name::new(host).unwrap());
        let verdict = current.snapshot.judge(who, play.clock.now(), name, None, &current.standing);
        recorder.refused(&Refused {
            at: play.clock.now(),
            current: &current,
            who,
            device: None,
            identified: Identified::Mac,
            stranger: None,
            host,
            verdict,
            evidence: Evidence::Navigation,
            detected: None,
        });
    }
    recorder.stop();
    task.await.unwrap();
}

async fn full() -> Play {
    let agreement = |n: usize| {
        let mac = format!("3c:06:30:11:{:02x}:{:02x}", n / 256, n % 256);
        JORDAN
            .replace("Jordan", &format!("Person {n}"))
            .replace("3c:06:30:11:22:33", &mac)
            .replace("otherwise: allow", "otherwise: block")
            + "consequences:\n  - {after: 3 breaches in 7 days, suggest: key-worker conversation}\n  - {after: 1 circumvention in 30 days, suggest: look at the agreement}\n"
    };
    let texts: Vec<(String, String)> = (0..PEOPLE).map(|n| (format!("person-{n}"), agreement(n))).collect();
    let people: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let play = Play::of(HOME, &people).await;
    let mut count = 0;
    let wanted = std::env::var("HEARTHGATE_EPISODES").ok().and_then(|n| n.parse().ok()).unwrap_or(EPISODES);
    while play.records.episodes_page(&Which { after: 0, ..Which::default() }).await.unwrap().episodes.len()
        < wanted
    {
        let asked: Vec<(String, String)> = (0..PEOPLE * 20)
            .map(|n| (format!("person-{}", n % PEOPLE), format!("site{}.example", n / PEOPLE)))
            .collect();
        refused(&play, &asked).await;
        play.clock.advance(Duration::from_secs(16 * 60));
        count += 1;
        assert!(count < 60, "episodes are folded: {count}");
    }
    play
}

/// Loads a page, and how long the second time takes: the first is written down as looked at, which waits for the disk.
async fn took(browser: &mut Browser, page: &str) -> (Page, Duration) {
    let first = browser.get(page).await;
    assert_eq!(first.status, axum::http::StatusCode::OK, "{page}");
    let begun = Instant::now();
    let shown = browser.get(page).await;
    (shown, begun.elapsed())
}

#[tokio::test]
async fn every_page_stays_quick() {
    let play = full().await;
    let at = play.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut manager = play.signed_in("r.osei").await;
    for page in [
        "/".to_owned(),
        "/shift".to_owned(),
        format!("/shift?at={at}"),
        format!("/shift?at={at}&skip=400"),
        format!("/shift?at={at}&severity=medium&unmarked=yes"),
        format!("/shift/sheet?at={at}"),
        format!("/shift/sheet?at={at}&names=full"),
        "/month".to_owned(),
        "/restrictions".to_owned(),
        "/restrictions/new".to_owned(),
        "/people".to_owned(),
        "/people/person-7".to_owned(),
        "/people/person-7?host=site1.example".to_owned(),
        "/people/person-7/charts".to_owned(),
        "/give/person-7".to_owned(),
        "/edit/agreements/person-7.yaml".to_owned(),
        "/devices".to_owned(),
        "/lists?host=site1.example".to_owned(),
        "/coverage".to_owned(),
        "/audit".to_owned(),
        "/asks".to_owned(),
        "/evidence".to_owned(),
        "/accounts".to_owned(),
        "/me".to_owned(),
    ] {
        let (shown, took) = took(&mut manager, &page).await;
        println!("{page}: {} ms, {} KiB", took.as_millis(), shown.text.len() / 1024);
        assert!(took < PATIENCE, "{page} took {took:?}");
        assert!(shown.text.len() < 700 * 1024, "{page} has {} bytes", shown.text.len());
    }
}

#[tokio::test]
async fn a_long_shift_is_read_page_by_page_and_signed_on_the_last() {
    let play = full().await;
    play.clock.advance(Duration::from_secs(4 * 3600));
    let shift = "2026-11-22T14:30:00Z";
    let all = play.records.tally(shift.parse().unwrap(), play.clock.now()).await.unwrap();
    let mut kate = play.signed_in("k.lane").await;
    let (mut read, mut skip) = (BTreeSet::new(), 0);
    loop {
        let page = kate.get(&format!("/shift?at={shift}&skip={skip}")).await;
        let here: Vec<i64> = page
            .text
            .split("id=\"episode-")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(!here.is_empty() && here.len() <= 200, "{skip}: {}", here.len());
        let words = page.words();
        assert!(words.contains("Person 29 : 20 medium"), "everybody is told of on every page");
        skip += here.len() as u64;
        read.extend(here);
        if skip < all.episodes {
            assert!(!page.text.contains("action=\"/shift/sign\""), "{skip}: not yet read to its end");
            assert!(words.contains(&format!("{} episodes from here", all.episodes - skip)), "{skip}");
            continue;
        }
        assert!(words.contains(&format!("You sign for its {skip} episodes.")), "{skip}");
        let form = [("at", shift), ("side", "outgoing"), ("seen", super::shifts::seen(&page.text))];
        assert!(kate.post("/shift/sign", &form).await.location().contains("done=signed"));
        break;
    }
    assert_eq!(read.len() as u64, all.episodes, "every episode was shown, and none twice");
    let sheet = kate.get(&format!("/shift/sheet?at={shift}")).await.words();
    assert!(sheet.contains(&format!("{skip} episodes. The 400 that tell most stand below")), "{sheet}");
    assert!(sheet.contains("P.2.: 20 medium"), "{sheet}");
}
