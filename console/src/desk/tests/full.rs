//! A home with thirty people and many episodes: every page stays quick, and shows no more than somebody reads.

use super::play::{HOME, JORDAN, Play};
use agreements::{Evidence, Host};
use blocklists::Name;
use records::{Clock, Identified, Recorder, Refused, Which};
use std::time::{Duration, Instant};

const PEOPLE: usize = 30;
/// `HEARTHGATE_EPISODES` says how many more: ten thousand take a debug build minutes to write down.
const EPISODES: usize = 600;
/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(6);

async fn full() -> Play {
    let agreement = |n: usize| {
        let mac = format!("3c:06:30:11:{:02x}:{:02x}", n / 256, n % 256);
        JORDAN
            .replace("Jordan", &format!("Person {n}"))
            .replace("3c:06:30:11:22:33", &mac)
            .replace("otherwise: allow", "otherwise: block")
    };
    let texts: Vec<(String, String)> = (0..PEOPLE).map(|n| (format!("person-{n}"), agreement(n))).collect();
    let people: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let play = Play::of(HOME, &people).await;
    let current = play.in_force.to_keep();
    let house = &current.snapshot.house;
    let mut count = 0;
    let wanted = std::env::var("HEARTHGATE_EPISODES").ok().and_then(|n| n.parse().ok()).unwrap_or(EPISODES);
    while play.records.episodes_page(&Which { after: 0, ..Which::default() }).await.unwrap().episodes.len()
        < wanted
    {
        let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
        for n in 0..PEOPLE * 20 {
            let who = house.person(&format!("person-{}", n % PEOPLE)).unwrap();
            let host = format!("site{}.example", n / PEOPLE);
            let name = Host::Name(Name::new(&host).unwrap());
            let verdict = current.snapshot.judge(who, play.clock.now(), name, None, &current.standing);
            recorder.refused(&Refused {
                at: play.clock.now(),
                current: &current,
                who,
                device: None,
                identified: Identified::Mac,
                stranger: None,
                host: &host,
                verdict,
                evidence: Evidence::Navigation,
                detected: None,
            });
        }
        recorder.stop();
        task.await.unwrap();
        play.clock.advance(Duration::from_secs(16 * 60));
        count += 1;
        assert!(count < 60, "episodes are folded: {count}");
    }
    play
}

#[tokio::test]
async fn every_page_stays_quick() {
    let play = full().await;
    let at = play.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut manager = play.signed_in("r.osei").await;
    for page in [
        "/".to_owned(),
        format!("/shift?at={at}"),
        "/shift/sheet".to_owned(),
        "/month".to_owned(),
        "/restrictions".to_owned(),
        "/people".to_owned(),
        "/people/person-7".to_owned(),
        "/people/person-7/charts".to_owned(),
        "/devices".to_owned(),
        "/lists?host=site1.example".to_owned(),
        "/audit".to_owned(),
        "/asks".to_owned(),
    ] {
        let begun = Instant::now();
        let shown = manager.get(&page).await;
        let took = begun.elapsed();
        println!("{page}: {} ms, {} KiB", took.as_millis(), shown.text.len() / 1024);
        assert_eq!(shown.status, axum::http::StatusCode::OK, "{page}");
        assert!(took < PATIENCE, "{page} took {took:?}");
        assert!(
            page == "/shift/sheet" || shown.text.len() < 700 * 1024,
            "{page} has {} bytes",
            shown.text.len()
        );
    }
}
