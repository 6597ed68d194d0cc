//! A home with thirty people and many episodes: every page stays quick, and shows no more than somebody reads.

use super::play::{Browser, HOME, JORDAN, Page, Play};
use crate::desk::{password_link, routes};
use crate::young::tests::{PERSON_7, Young};
use agreements::lawful::RestrictionDraft;
use agreements::{Evidence, GrantKind, Host, LimitKey, PersonKind, What};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use blocklists::Name;
use records::{Answer, By, ByRole, Clock, Identified, Mark, NewGrant, Recorder, Refused, Which};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PEOPLE: usize = 30;
/// `HEARTHGATE_EPISODES` says how many more: ten thousand take a debug build minutes to write down.
const EPISODES: usize = 600;
/// What a page may take of the gateway: a fifth of a second. A debug build on a busy machine has more.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 6000 } else { 200 });

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
            host: name,
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

/// What such a home has beside its episodes: asks, notes and marks, concerns, what was told, restrictions.
async fn lived_in(play: &Play) {
    let by = || By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() };
    let (records, now) = (&play.records, play.clock.now());
    let current = play.in_force.to_keep();
    let protected = &current.snapshot.house.home().protected;
    for n in 0..PEOPLE {
        let id = format!("person-{n}");
        for site in ["club.example", "band.example", "maps.example"] {
            records.ask(&id, site, "for a friend's birthday").await.unwrap();
        }
        let ask = records.ask_time(&id, "to finish the match").await.unwrap();
        records.answer(ask, Answer::Decline, by(), "It is late. Tomorrow.").await.unwrap();
        let which = Which { person: Some(id.clone()), ..Which::default() };
        for episode in records.episodes(&which).await.unwrap().into_iter().take(4) {
            records.note(episode.entry, by(), "They told us about it at supper.").await.unwrap();
            records.mark(episode.entry, by(), Mark::SpokeWithThem, "").await.unwrap();
        }
        let told = records.report(&id, by(), "somebody wrote to me", None).await.unwrap();
        if n % 3 == 0 {
            records.concern(told, &id, by(), "A stranger wrote to them.").await.unwrap();
            let day = Some(now.date_naive());
            let draft = RestrictionDraft {
                people: vec![id],
                kind: PersonKind::YoungPerson,
                what: Some(What::Everything),
                reason: "A stranger asked to meet them.".to_owned(),
                tried: "We talked about it.".to_owned(),
                from: now + chrono::TimeDelta::days(1),
                until: Some(now + chrono::TimeDelta::days(2)),
                review_on: now.date_naive().succ_opt(),
                consent: day.map(|day| ("A. Mensah, Leeds".to_owned(), day)),
                emergency: false,
                told_on: day,
                view: "They think that it is too long.".to_owned(),
            };
            records.restrict(draft, protected, by()).await.unwrap();
        }
    }
}

/// Loads a page, and how long the quickest of some more times takes: the first is written down as looked at, which waits for
/// the disk, and a busy machine makes single ones slow, never fast.
async fn took(browser: &mut Browser, page: &str) -> (Page, Duration) {
    let mut shown = browser.get(page).await;
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        shown = browser.get(page).await;
        least = least.min(begun.elapsed());
    }
    (shown, least)
}

fn is_quick(page: &str, took: Duration, bytes: usize) {
    println!("{page}: {} ms, {} KiB", took.as_millis(), bytes / 1024);
    assert!(took < PATIENCE, "{page} took {took:?}");
    assert!(bytes < 700 * 1024, "{page} has {bytes} bytes");
}

/// Every address of the desk that can be looked at, as this home has it.
async fn addresses(play: &Play) -> Vec<String> {
    let (link, _) = password_link(&play.records, "m.ali").await.unwrap().unwrap();
    let grant = NewGrant {
        person: "person-7".to_owned(),
        kind: GrantKind::ExtraTime(LimitKey::Everything),
        until: play.clock.now() + chrono::TimeDelta::minutes(30),
        by: By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() },
        reason: "film night".to_owned(),
    };
    let grant = play.records.grant(grant).await.unwrap().to_string();
    let told = play.records.open_reports().await.unwrap();
    play.settle().await;
    // What follows never ends.
    let routes = routes().into_iter().map(|(path, _, _)| path).filter(|path| *path != "/live");
    let named = |path: &str| match path {
        "/first/{token}" => link.clone(),
        "/grants/{entry}/end" => format!("/grants/{grant}/end"),
        // These lead to the editor, which is looked at.
        "/edit" => "/edit/agreements/robin.yaml".to_owned(),
        "/reports/{entry}" => format!("/reports/{}", told[0].entry),
        "/devices/own" => "/edit/agreements/person-7.yaml?add=192.0.2.9&name=laptop".to_owned(),
        path => path.replace("{person}", "person-7").replace("{*file}", "agreements/person-7.yaml"),
    };
    routes.map(named).collect()
}

#[tokio::test]
async fn every_page_stays_quick() {
    let play = full().await;
    lived_in(&play).await;
    let at = play.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let more = [
        format!("/shift?at={at}"),
        format!("/shift?at={at}&skip=400"),
        format!("/shift?at={at}&severity=medium&unmarked=yes"),
        format!("/shift/sheet?at={at}"),
        format!("/shift/sheet?at={at}&names=full"),
        "/people/person-7?host=site1.example".to_owned(),
        "/lists?host=site1.example".to_owned(),
    ];
    let addresses = addresses(&play).await;
    let mut manager = play.signed_in("r.osei").await;
    let mut looked = 0;
    for page in addresses.into_iter().chain(more) {
        let first = manager.get(&page).await;
        // Forms are sent there, and nobody looks at it.
        if first.status == StatusCode::METHOD_NOT_ALLOWED {
            continue;
        }
        assert_eq!(first.status, StatusCode::OK, "{page}");
        let (shown, took) = took(&mut manager, &page).await;
        is_quick(&page, took, shown.text.len());
        looked += 1;
    }
    assert!(looked > 25, "{looked}");
    let mut visitor = play.signed_in("visitor").await;
    for page in
        ["/".to_owned(), format!("/shift?at={at}"), format!("/shift/sheet?at={at}"), "/month".to_owned()]
    {
        let (shown, took) = took(&mut visitor, &page).await;
        is_quick(&format!("{page} (visitor)"), took, shown.text.len());
    }
    for who in ["person=person-7", "from=2026-11-01&to=2026-11-30&names=full"] {
        let begun = Instant::now();
        let form = format!("{who}&recipient=Ofsted&purpose=a+visit");
        let request = manager.request(Method::POST, "/evidence").body(Body::from(form)).unwrap();
        let (page, bytes) = manager.send_for_bytes(request).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        println!("/evidence ({who}): {} ms, {} KiB", begun.elapsed().as_millis(), bytes.len() / 1024);
    }
    let young = Young::over(play);
    let mut looked = 0;
    for page in crate::young_addresses() {
        let mut least = Duration::MAX;
        let (mut bytes, mut found) = (0, false);
        for _ in 0..4 {
            let begun = Instant::now();
            let (status, text) = young.get(PERSON_7, &format!("{page}?host=site1.example")).await;
            least = least.min(begun.elapsed());
            assert!([StatusCode::OK, StatusCode::NOT_FOUND].contains(&status), "{page}: {status}");
            bytes = text.len();
            // Forms are sent to some, and nobody looks at these.
            found = status == StatusCode::OK;
        }
        looked += usize::from(found);
        is_quick(&format!("{page} (young)"), least, bytes);
    }
    assert!(looked > 6, "{looked}");
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
        assert!(
            page.text.contains(&format!("skip={skip}\" aria-current=\"page\">")),
            "{skip}: each page is one click"
        );
        // What is written to an episode of a later page takes no click more: nothing is folded there.
        let tags = page.text.split("<details ").filter_map(|part| part.split('>').next());
        let opens = tags.filter(|tag| tag.contains("id=\"make-") && tag.ends_with(" open")).count();
        assert!(skip == 0 || opens == here.len(), "{skip}: {opens}");
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
