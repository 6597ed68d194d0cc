//! What a member of staff's own device did is for the manager to read: on no page, by no filter and at no time for anybody else.

use super::four_weeks::in_use_by;
use super::listed::catalogue;
use super::play::{HOME, JORDAN, Page, Play, START};
use super::shifts::{handover, happens};
use agreements::{Snapshot, Standing};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use records::{Booking, By, ByRole, Which};
use std::sync::Arc;
use std::time::Duration;

pub(super) const LANE: &str = "person: Kate Lane\nfor: staff\ndevices: [{name: kates phone, ip: 192.0.2.60}]\nblock: [games.example]\n\
    otherwise: allow\nonline: all_day\n";
const OTHERS: [&str; 3] = ["k.lane", "m.ali", "visitor"];

/// The home's folder has these agreements from now on.
pub(super) fn becomes(play: &Play, people: &[(&str, &str)]) {
    let mut files = vec![("home.yaml".to_owned(), HOME.to_owned())];
    files.extend(people.iter().map(|(id, text)| (format!("agreements/{id}.yaml"), (*text).to_owned())));
    let house = agreements::read(&files, START.parse::<DateTime<Utc>>().unwrap().date_naive()).house;
    play.in_force.replace(Arc::new(Snapshot { house, catalogue: Arc::new(catalogue()) }), Arc::default());
}

/// A home with one young person and one member of staff.
async fn home() -> Play {
    let people = [("jordan", JORDAN), ("kate", LANE)];
    let play = Play::of(HOME, &people).await;
    becomes(&play, &people);
    play
}

async fn entry_of(play: &Play, person: &str) -> i64 {
    let which = Which { person: Some(person.to_owned()), ..Which::default() };
    play.records.episodes(&which).await.unwrap().last().unwrap().entry
}

pub(super) const AT: &str = "at=2026-11-22T17:30:00Z";

#[tokio::test]
async fn it_stays_so_when_the_agreement_is_gone_and_a_young_person_who_left_is_read_on() {
    let play = home().await;
    happens(&play, "jordan", "games.example").await;
    happens(&play, "kate", "games.example").await;
    let (jordan, kate) = (entry_of(&play, "jordan").await, entry_of(&play, "kate").await);
    becomes(&play, &[]);
    let told = |page: &Page| page.words().matches("tried to open games.example").count();
    let note = [("mark", "note"), ("words", "seen")];
    for account in OTHERS {
        let mut browser = play.signed_in(account).await;
        for path in [format!("/shift?{AT}"), format!("/shift/sheet?{AT}&names=full")] {
            let page = browser.get(&path).await;
            assert_eq!(told(&page), 1, "{account} {path}: {}", page.words());
            assert!(!page.text.contains("kates phone"), "{account} {path}");
        }
        let status = browser.post(&format!("/episodes/{kate}"), &note).await.status;
        assert_eq!(status, StatusCode::FORBIDDEN, "{account}");
    }
    let noted = play.signed_in("m.ali").await.post(&format!("/episodes/{jordan}"), &note).await;
    assert_eq!(noted.status, StatusCode::SEE_OTHER);
    assert_eq!(told(&play.signed_in("r.osei").await.get(&format!("/shift?{AT}")).await), 2);
}

#[tokio::test]
async fn a_concern_about_it_is_the_managers_to_read_and_to_close() {
    let play = home().await;
    happens(&play, "kate", "games.example").await;
    let entry = entry_of(&play, "kate").await;
    let mut manager = play.signed_in("r.osei").await;
    let form = [("mark", "concern"), ("words", "Kate was alone with them then")];
    manager.post(&format!("/episodes/{entry}"), &form).await;
    let concern = play.records.concerns(true).await.unwrap()[0].entry;
    let close = [("with", "R. Osei"), ("words", "nothing in it")];
    for account in OTHERS {
        let mut browser = play.signed_in(account).await;
        for path in [format!("/shift?{AT}"), format!("/shift/sheet?{AT}&names=full"), "/".to_owned()] {
            let page = browser.get(&path).await.words();
            assert!(!page.contains("alone with them"), "{account} {path}: {page}");
            for said in ["Safeguarding concerns that are open", "safeguarding concern is open"] {
                assert!(!page.contains(said), "{account} {path}: {page}");
            }
        }
        let status = browser.post(&format!("/concerns/{concern}"), &close).await.status;
        assert_eq!(status, StatusCode::FORBIDDEN, "{account}");
    }
    let now = manager.get("/").await;
    assert!(now.text.contains("<a href=\"/shift#concerns\">1 safeguarding concern is open."), "{}", now.text);
    assert!(manager.get("/shift").await.words().contains("Kate was alone with them then"));
    let done = manager.post(&format!("/concerns/{concern}"), &close).await;
    assert_eq!(done.location(), "/shift?done=noted");
    for account in OTHERS.into_iter().chain(["r.osei"]) {
        let page = play.signed_in(account).await.get(&format!("/shift?{AT}")).await.words();
        let reads = account == "r.osei";
        assert_eq!(
            page.contains("alone with them") && page.contains("nothing in it"),
            reads,
            "{account}: {page}"
        );
        assert_eq!(page.contains("concerns that went their way"), reads, "{account}: {page}");
    }
}

#[tokio::test]
async fn what_staff_told_themselves_is_the_managers_or_whom_they_chose() {
    let play = home().await;
    let by = || By { role: ByRole::Staff, id: "kate".into(), name: "kate".into() };
    let report = play.records.report("kate", by(), "an advert opened at work", None).await.unwrap();
    let heard = [("words", "We talked")];
    for account in OTHERS {
        let mut browser = play.signed_in(account).await;
        for path in ["/", "/shift", "/shift/sheet?names=full"] {
            let page = browser.get(path).await.words();
            assert!(!page.contains("saw something"), "{account} {path}: {page}");
        }
        for path in [format!("/reports/{report}"), format!("/reports/{report}/open")] {
            assert_eq!(browser.post(&path, &heard).await.status, StatusCode::FORBIDDEN, "{account} {path}");
        }
        assert_eq!(
            browser.get(&format!("/reports/{report}")).await.status,
            StatusCode::FORBIDDEN,
            "{account}"
        );
    }
    let mut manager = play.signed_in("r.osei").await;
    assert!(manager.get("/").await.words().contains("an advert opened at work"));
    assert_eq!(manager.post(&format!("/reports/{report}"), &heard).await.location(), "/?done=heard");
    let chosen = play.records.report("kate", by(), "another advert", Some("m.ali")).await.unwrap();
    let mut mo = play.signed_in("m.ali").await;
    assert!(mo.get("/").await.words().contains("another advert"), "Kate chose Mo");
    assert_eq!(mo.post(&format!("/reports/{chosen}"), &heard).await.location(), "/?done=heard");
    // Nobody hears their own, also where they chose themselves.
    let own = play.records.report("kate", by(), "a third", Some("k.lane")).await.unwrap();
    let mut kate = play.signed_in("k.lane").await;
    assert!(!kate.get("/").await.words().contains("I have heard it"));
    let page = kate.post(&format!("/reports/{own}"), &heard).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.words().contains("You told this yourself") && page.words().contains("We talked"),
        "{}",
        page.words()
    );
    assert!(play.records.open_report(own).await.unwrap().is_some());
}

#[tokio::test]
async fn no_filter_tells_how_grave_it_was() {
    let play = home().await;
    happens(&play, "jordan", "games.example").await;
    happens(&play, "kate", "games.example").await;
    happens(&play, "kate", "sealed.example").await;
    let mut mo = play.signed_in("m.ali").await;
    let card = |page: &str| {
        page.split("Kate Lane ").nth(1).map(|after| after.split(" critical").next().unwrap().to_owned())
    };
    let plain = mo.get(&format!("/shift?{AT}")).await.words();
    let wanted = card(&plain);
    assert!(wanted.as_ref().is_some_and(|said| said.starts_with("2 episodes What")), "{plain}");
    for filter in
        ["severity=high", "severity=medium", "kind=around", "kind=times", "unmarked=yes", "person=kate"]
    {
        for person in ["", "&person=kate"].into_iter().filter(|person| !person.contains(filter)) {
            let page = mo.get(&format!("/shift?{AT}&{filter}{person}")).await.words();
            assert_eq!(card(&page), wanted, "{filter}{person}: {page}");
            assert!(!page.contains("None of the 2"), "{filter}{person}: {page}");
        }
    }
    let jordans = mo.get(&format!("/shift?{AT}&person=jordan")).await.words();
    assert!(!jordans.contains("Kate Lane 2"), "{jordans}");
}

#[tokio::test]
async fn what_is_sealed_says_what_to_do_and_takes_a_concern_from_whoever_is_there() {
    let play = home().await;
    becomes(&play, &[("jordan", JORDAN), ("kate", LANE)]);
    happens(&play, "kate", "games.example").await;
    let small = entry_of(&play, "kate").await;
    happens(&play, "kate", "sealed.example").await;
    let entry = entry_of(&play, "kate").await;
    let mut mo = play.signed_in("m.ali").await;
    let page = mo.get(&format!("/shift?{AT}")).await;
    let said = "Leave the device as it is, and tell the manager now.";
    assert_eq!(page.words().matches(said).count(), 1, "{}", page.words());
    assert!(page.text.contains(&format!("action=\"/episodes/{entry}\"")), "{}", page.text);
    for secret in ["kates phone", "sealed list", "sealed.example"] {
        assert!(!page.text.contains(secret), "{secret}");
    }
    let sheet = mo.get(&format!("/shift/sheet?{AT}")).await.words();
    assert!(sheet.contains("1 of them critical: do not search for it"), "{sheet}");
    let concern = |entry: i64| {
        (format!("/episodes/{entry}"), [("mark", "concern"), ("words", "the tablet is in the office")])
    };
    let (path, form) = concern(entry);
    assert!(mo.post(&path, &form).await.location().contains("done=concern"));
    let (path, form) = concern(small);
    assert_eq!(mo.post(&path, &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        mo.post(&format!("/episodes/{entry}"), &[("mark", "note"), ("words", "x")]).await.status,
        StatusCode::FORBIDDEN
    );
    let page = play.signed_in("r.osei").await.get(&format!("/shift?{AT}")).await.words();
    assert!(page.contains("the tablet is in the office"), "{page}");
    assert!(page.contains("report it now to the police") && !page.contains("tell the manager now"), "{page}");
    let visitor = play.signed_in("visitor").await.get(&format!("/shift?{AT}")).await.text;
    assert!(
        visitor.contains("tell the manager now")
            && !visitor.contains(&format!("action=\"/episodes/{entry}\""))
    );
}

#[tokio::test]
async fn now_says_nothing_of_what_their_devices_do() {
    let play = home().await;
    let place = {
        let current = play.in_force.to_keep();
        let house = &current.snapshot.house;
        let kate = house.person("kate").unwrap();
        house.devices().iter().position(|device| device.person == kate).unwrap() as u16
    };
    play.in_force.to_keep().device_in_use(Some(place), play.clock_now());
    for (account, reads) in [("r.osei", true), ("k.lane", false), ("m.ali", false), ("visitor", false)] {
        let page = play.signed_in(account).await.get("/").await.words();
        let card =
            page.split("Kate Lane ").nth(1).unwrap_or_else(|| page.split("K.L.").nth(1).unwrap_or(&page));
        let card = card.split("The shift").next().unwrap();
        assert_eq!(card.contains("Online:"), reads, "{account}: {page}");
        assert_eq!(page.contains("kates phone"), reads, "{account}: {page}");
        assert!(!card.contains("Not online"), "{account}: {page}");
    }
}

/// A home in which Kate's agreement has a consequence and a limit; her phone was in use.
async fn used_home() -> Play {
    let lane = format!(
        "{LANE}limits: {{everything: 30m}}\nconsequences:\n  - {{after: 2 breaches in 7 days, suggest: a word with the manager}}\n"
    );
    let play = home().await;
    becomes(&play, &[("jordan", JORDAN), ("kate", &lane)]);
    let current = play.in_force.to_keep();
    let house = &current.snapshot.house;
    let kate = house.person("kate").unwrap();
    // All her minutes are used.
    let used = Standing::new(house, &[], &[], &|person, _| if person == "kate" { 30 } else { 0 });
    play.in_force.replace_standing(Arc::new(used));
    let place = house.devices().iter().position(|device| device.person == kate).unwrap() as u16;
    play.records.book("kate", "kates phone", Booking::Lost, staff("m.ali"), "on the bus").await.unwrap();
    play.clock.advance(Duration::from_secs(60));
    play.in_force.to_keep().device_in_use(Some(place), play.clock_now());
    play
}

fn staff(id: &str) -> By {
    By { role: ByRole::Staff, id: id.into(), name: id.into() }
}

/// Whether each reads some words on a page.
async fn read_by_the_manager_alone(play: &Play, path: &str, words: &str) {
    for (account, reads) in
        [("r.osei", true), ("k.lane", false), ("m.ali", false), ("visitor", false), ("it", false)]
    {
        let page = play.signed_in(account).await.get(path).await.words();
        assert_eq!(page.contains(words), reads, "{account} {path} {words}: {page}");
    }
}

#[tokio::test]
async fn when_their_devices_are_in_use_is_the_managers() {
    let play = used_home().await;
    let said = "In use at 17:31";
    read_by_the_manager_alone(&play, "/devices", said).await;
    read_by_the_manager_alone(&play, "/devices", "Lost, and in use since").await;
    read_by_the_manager_alone(&play, "/", "Kate Lane’s kates phone is lost, and has been in use since").await;
    let mo = play.signed_in("m.ali").await.get("/devices").await.words();
    assert!(mo.contains("Lost since 17:30, written down by m.ali"), "where it is stays everybody’s: {mo}");
    assert_eq!(mo.matches("Not in use since the gateway began to look").count(), 1, "Jordan’s alone: {mo}");
}

#[tokio::test]
async fn that_their_minutes_are_used_up_is_the_managers() {
    let play = used_home().await;
    // Each page says of Kate that her time is used up, to whoever reads what her devices did.
    read_by_the_manager_alone(&play, "/", "used up").await;
    play.records.ask("kate", "other.example", "for the rota").await.unwrap();
    for path in ["/lists?host=other.example", "/people/kate?host=other.example", "/asks"] {
        for (account, reads) in [("r.osei", true), ("k.lane", false), ("m.ali", false)] {
            let page = play.signed_in(account).await.get(path).await.words();
            assert_eq!(page.contains("used up"), reads, "{account} {path}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gift_leaves_closed_says_nothing_of_their_minutes() {
    let lane = format!("{LANE}limits: {{everything: 3m}}\n");
    let play = home().await;
    becomes(&play, &[("jordan", JORDAN), ("kate", &lane)]);
    in_use_by(&play, "kate", 3).await;
    let form = [
        ("what", "supervised"),
        ("words", "other.example"),
        ("for", "1h"),
        ("device", "kates phone"),
        ("adult", "m.ali"),
        ("why", "a course"),
    ];
    let done = play.signed_in("r.osei").await.post("/give/kate", &form).await;
    // The phone that it was given on is called otherwise by now, so that it opens nothing there.
    becomes(&play, &[("jordan", JORDAN), ("kate", &lane.replace("kates phone", "new phone"))]);
    for (account, reads) in [("r.osei", true), ("k.lane", false), ("m.ali", false)] {
        let page = play.signed_in(account).await.get(done.location()).await.words();
        assert!(page.contains("Together with Mo Ali on the kates phone"), "{account}: {page}");
        assert_eq!(page.contains("used up"), reads, "{account}: {page}");
    }
}

#[tokio::test]
async fn a_consequence_that_they_reached_is_the_managers() {
    let play = used_home().await;
    happens(&play, "kate", "games.example").await;
    play.clock.advance(Duration::from_secs(1200));
    happens(&play, "kate", "games.example").await;
    read_by_the_manager_alone(&play, "/restrictions", "a word with the manager").await;
}

#[tokio::test]
async fn whoever_signs_is_told_what_they_have_not_read_and_the_manager_that_it_waits() {
    let play = home().await;
    happens(&play, "jordan", "games.example").await;
    happens(&play, "kate", "games.example").await;
    let entry = entry_of(&play, "kate").await;
    handover(&play).await;
    for (account, more) in [("m.ali", ", of which 1 is for the manager"), ("r.osei", "")] {
        let mut browser = play.signed_in(account).await;
        let page = browser.get("/shift").await.words();
        let end = if more.is_empty() { "." } else { " to read." };
        assert!(page.contains(&format!("You sign for its 2 episodes{more}{end}")), "{account}: {page}");
        let sheet = browser.get("/shift/sheet?names=full").await.words();
        assert!(sheet.contains(&format!("this shift’s 2 episodes{more}, up to entry")), "{account}: {sheet}");
    }
    let waits = "1 episode of Kate Lane’s own devices is not marked.";
    assert!(!play.signed_in("m.ali").await.get("/").await.words().contains(waits));
    let mut manager = play.signed_in("r.osei").await;
    let now = manager.get("/").await;
    assert!(now.words().contains(waits), "{}", now.words());
    let link =
        now.text.split("href=\"/shift?at=").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let page = manager.get(&format!("/shift?at={link}")).await.words();
    assert!(page.contains("kates phone tried to open games.example"), "{page}");
    manager.post(&format!("/episodes/{entry}"), &[("mark", "spoke"), ("words", "")]).await;
    assert!(!manager.get("/").await.words().contains(waits));
}

#[tokio::test]
async fn words_that_cannot_be_used_are_given_back() {
    let play = home().await;
    happens(&play, "jordan", "games.example").await;
    let entry = entry_of(&play, "jordan").await;
    let mut mo = play.signed_in("m.ali").await;
    mo.post(&format!("/episodes/{entry}"), &[("mark", "concern"), ("words", "a stranger wrote")]).await;
    let concern = play.records.concerns(true).await.unwrap()[0].entry;
    let long = format!("We sat together {}", "x".repeat(5000));
    for (path, form) in [
        (format!("/concerns/{concern}"), [("with", ""), ("words", "We sat together and talked")]),
        (format!("/episodes/{entry}"), [("mark", "note"), ("words", long.as_str())]),
    ] {
        let page = mo.post(&path, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(page.words().contains("We sat together"), "{path}: {}", page.words());
    }
}
