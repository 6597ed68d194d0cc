//! A shift read, marked and signed.

use super::play::{HOME, JORDAN, Play};
use agreements::{Detector, Evidence, Host};
use axum::http::StatusCode;
use blocklists::Name;
use records::{Clock, Identified, Recorder, Refused, Verified, Which};
use std::time::Duration;

/// Somebody's device asks for a host that is refused, and it is on the disk.
pub(crate) async fn happens(play: &Play, person: &str, host: &str) {
    sees(play, person, host, (Evidence::Navigation, None)).await;
}

/// Somebody's device says a VPN's first words to an address.
pub(crate) async fn goes_around(play: &Play, person: &str, address: &str, heard: Detector) {
    sees(play, person, address, (Evidence::Connection, Some(heard))).await;
}

pub(super) async fn sees(
    play: &Play,
    person: &str,
    host: &str,
    (evidence, detected): (Evidence, Option<Detector>),
) {
    let before = play.records.episodes(&Which::default()).await.unwrap().len();
    let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
    let current = play.in_force.to_keep();
    let house = &current.snapshot.house;
    let who = house.person(person).unwrap_or(agreements::House::NOBODY);
    let asked = host.parse().map_or_else(|_| Host::Name(Name::new(host).unwrap()), Host::Address);
    let verdict = current.snapshot.judge(who, play.clock.now(), asked, None, &current.standing);
    assert!(!verdict.allows(), "{host}");
    let device = house.devices().iter().position(|d| d.person == who).map(|place| place as u16);
    recorder.refused(&Refused {
        at: play.clock.now(),
        current: &current,
        who,
        device,
        identified: Identified::Mac,
        stranger: None,
        host: asked,
        verdict,
        evidence,
        detected,
    });
    recorder.stop();
    task.await.unwrap();
    assert_eq!(play.records.episodes(&Which::default()).await.unwrap().len(), before + 1, "{host}");
}

/// What the form that signs a shift sends back.
pub(crate) fn seen(page: &str) -> &str {
    let after = page.split("name=\"seen\" value=\"").nth(1).expect("the form to sign with");
    after.split('"').next().unwrap()
}

/// Past the handover at 21:30.
pub(super) async fn handover(play: &Play) {
    play.clock.advance(Duration::from_secs(4 * 3600 + 10 * 60));
}

#[tokio::test]
async fn a_quiet_shift_is_one_line() {
    let play = Play::new().await;
    handover(&play).await;
    let page = play.signed_in("k.lane").await.get("/shift").await.words();
    assert!(page.contains("Sunday 22 November, 14:30 to 21:30"), "{page}");
    assert!(page.contains("A quiet shift: nothing was recorded."), "{page}");
}

#[tokio::test]
async fn a_shift_is_read_marked_and_signed_by_two() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.clock.advance(Duration::from_secs(60));
    sees(&play, "sam", "chat.example", (Evidence::Lookup, None)).await;
    handover(&play).await;
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/shift").await;
    let words = page.words();
    for said in [
        "Jordan’s phone tried to open games.example, at 17:30.",
        "Sam’s phone looked up chat.example, at 17:31.",
        "1 medium",
        "1 small",
        "known by its hardware address",
        "block: [games.example] · agreements/jordan.yaml",
        "I worked this shift",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(words.find("Jordan").unwrap() < words.find("Sam").unwrap(), "the more serious first");
    assert!(
        page.text.contains("<details class=\"card of\" open")
            && page.text.contains("<details class=\"card of\" id"),
        "what is small is folded"
    );
    let all = play.records.episodes(&Which::default()).await.unwrap();
    let (jordan, sam) = (all[0].entry, all[1].entry);
    for (entry, form) in [
        (jordan, [("mark", "spoke"), ("words", "It was a friend’s link")]),
        (jordan, [("mark", "note"), ("words", "We looked at it together")]),
        (sam, [("mark", "false"), ("words", "the game’s advert")]),
    ] {
        let done = kate.post(&format!("/episodes/{entry}"), &form).await;
        assert!(done.location().ends_with(&format!("done=noted#episode-{entry}")), "{}", done.location());
    }
    let words = kate.get("/shift").await.words();
    for said in [
        "Spoke with them: It was a friend’s link (Kate Lane)",
        "We looked at it together (Kate Lane)",
        "False alarm: the game’s advert",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let filtered = kate.get("/shift?severity=medium&unmarked=yes").await.words();
    assert!(filtered.contains("None of the 2 episodes"), "{filtered}");
    assert!(kate.get("/shift?severity=medium").await.words().contains("Jordan’s phone"));
    assert!(!kate.get("/shift?severity=medium").await.words().contains("Sam’s phone"));

    let page = kate.get("/shift").await;
    assert!(page.words().contains("You sign for its 2 episodes."), "{}", page.words());
    let (at, seen) = ("2026-11-22T14:30:00Z", seen(&page.text).to_owned());
    let sign = |side| [("at", at), ("side", side), ("words", "Jordan was fine after."), ("seen", &*seen)];
    for other in ["", "2", "3.2.0.9", "2.2.0.99", "x.y.z.w"] {
        let form = [("at", at), ("side", "outgoing"), ("seen", other)];
        let blind = kate.post("/shift/sign", &form).await;
        assert_eq!(blind.status, StatusCode::UNPROCESSABLE_ENTITY, "{other}");
        assert!(blind.words().contains("Open it again, read it"), "{}", blind.words());
    }
    let filtered = kate.get("/shift?severity=medium").await;
    assert!(!filtered.text.contains("/shift/sign"), "what was looked for alone is not signed");
    assert!(kate.post("/shift/sign", &sign("outgoing")).await.location().contains("done=signed"));
    let twice = kate.post("/shift/sign", &sign("incoming")).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "the two sides are two people");
    assert!(kate.get("/").await.words().contains("1 shift waits"), "one side is not both");
    let mut mo = play.signed_in("m.ali").await;
    assert!(mo.get("/shift").await.words().contains("I take over"));
    assert!(mo.post("/shift/sign", &sign("incoming")).await.location().contains("done=signed"));
    let words = mo.get("/shift").await.words();
    for said in ["Kate Lane Worked the shift : Jordan was fine after.", "Mo Ali Took over"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!mo.get("/").await.words().contains("shift waits"));
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

#[tokio::test]
async fn a_shift_that_goes_on_is_not_signed() {
    let play = Play::new().await;
    let now = "2026-11-22T17:30:00Z";
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get(&format!("/shift?at={now}")).await.words();
    assert!(page.contains("still going on") && page.contains("signed when it is over"), "{page}");
    let early = kate.post("/shift/sign", &[("at", now), ("side", "outgoing")]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    for at in ["", "yesterday", "2036-11-22T17:30:00Z"] {
        let unknown = kate.post("/shift/sign", &[("at", at), ("side", "outgoing")]).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY, "{at}");
    }
}

#[tokio::test]
async fn a_concern_stays_open_until_somebody_has_it() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    handover(&play).await;
    let mut kate = play.signed_in("k.lane").await;
    let episode = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let silent = kate.post(&format!("/episodes/{episode}"), &[("mark", "concern"), ("words", " ")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "it needs words");
    let form = [("mark", "concern"), ("words", "A stranger wrote to Jordan there")];
    assert!(kate.post(&format!("/episodes/{episode}"), &form).await.location().contains("done=concern"));
    let concern = play.records.concerns(true).await.unwrap()[0].entry;
    // A week later, whoever looks sees it still.
    play.clock.advance(Duration::from_secs(7 * 86_400));
    let mut mo = play.signed_in("m.ali").await;
    assert!(mo.get("/").await.words().contains("1 safeguarding concern is open"));
    let page = mo.get("/shift").await.words();
    assert!(
        page.contains("A stranger wrote to Jordan there") && page.contains("stays here until somebody says"),
        "{page}"
    );
    for form in [[("with", ""), ("words", "talked")], [("with", "A. Mensah, Leeds"), ("words", "")]] {
        let page = mo.post(&format!("/concerns/{concern}"), &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
    }
    let form = [("with", "A. Mensah, Leeds"), ("words", "Strategy meeting on Monday")];
    assert_eq!(mo.post(&format!("/concerns/{concern}"), &form).await.location(), "/shift?done=noted");
    assert!(play.records.concerns(true).await.unwrap().is_empty());
    let closed = play.records.concerns(false).await.unwrap().remove(0).closed.unwrap();
    assert_eq!((closed.with.as_str(), closed.by.id.as_str()), ("A. Mensah, Leeds", "m.ali"));
    // The shift in which it was raised shows what became of it, and so does the one in which it was closed.
    let stands = ["A stranger wrote to Jordan there", "A. Mensah, Leeds has it: Strategy meeting on Monday"];
    for at in ["2026-11-22T21:35:00Z", "2026-11-29T21:35:00Z", "2026-11-25T21:35:00Z"] {
        let page = mo.get(&format!("/shift?at={at}")).await;
        let there = page.text.contains("<details class=\"card\" id=\"closed\">");
        assert_eq!(there, at != "2026-11-25T21:35:00Z", "{at}: {}", page.words());
        let words = page.words();
        let said = stands.iter().all(|said| words.contains(said)) && words.contains("closed 21:40 by Mo Ali");
        assert_eq!(said, there, "{at}: {words}");
        let visitor = play.signed_in("visitor").await.get(&format!("/shift?at={at}")).await.words();
        assert_eq!(visitor.contains("J. raised"), there, "{at}: {visitor}");
        assert!(!stands.iter().any(|said| visitor.contains(said)), "{at}: {visitor}");
    }
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

#[tokio::test]
async fn shifts_that_nobody_signed_are_asked_for_and_the_manager_is_told() {
    let play = Play::new().await;
    play.records
        .staff_action(
            records::By { role: records::ByRole::Gateway, id: "gateway".into(), name: "gateway".into() },
            "begin",
            "",
        )
        .await
        .unwrap();
    handover(&play).await;
    let staff = play.signed_in("k.lane").await.get("/").await;
    assert!(staff.words().contains("1 shift waits"), "{}", staff.words());
    assert!(!staff.text.contains("notice bad\">1"), "a reminder");
    play.clock.advance(Duration::from_secs(86_400));
    let staff = play.signed_in("k.lane").await.get("/shift").await.words();
    assert!(staff.contains("4 shifts") && staff.contains("One signature is for all 4 shifts"), "{staff}");
    let manager = play.signed_in("r.osei").await.get("/").await;
    assert!(manager.text.contains("notice bad\">4 shifts wait"), "{}", manager.text);
}

#[tokio::test]
async fn the_sheet_has_initials_and_the_journals_head() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.records.ask("jordan", "chat.example", "please").await.unwrap();
    handover(&play).await;
    let mut kate = play.signed_in("k.lane").await;
    let sheet = kate.get("/shift/sheet").await;
    for said in ["A device of J. tried to open games.example", "J. asked for chat.example: waits", "by K.L."]
    {
        assert!(sheet.words().contains(said), "{said}: {}", sheet.words());
    }
    assert!(!sheet.words().contains("Jordan"), "{}", sheet.words());
    let head = play.records.head().await.unwrap();
    assert!(
        sheet.text.contains(&head.hash) && sheet.words().contains(&format!("had {} entries", head.entries))
    );
    assert!(kate.get("/shift/sheet?names=full").await.words().contains("Jordan’s phone"));
    let visitor = play.signed_in("visitor").await.get("/shift/sheet?names=full").await;
    assert!(!visitor.text.contains("Jordan"), "a visitor has initials whatever they ask for");
}

#[tokio::test]
async fn a_visitor_reads_the_shift_and_the_month_without_names() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    let episode = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    play.signed_in("k.lane")
        .await
        .post(&format!("/episodes/{episode}"), &[("mark", "note"), ("words", "Jordan and Mia")])
        .await;
    handover(&play).await;
    let mut visitor = play.signed_in("visitor").await;
    let shift = visitor.get("/shift").await;
    assert!(shift.words().contains("A device of J. tried to open games.example"), "{}", shift.words());
    let month = visitor.get("/month").await;
    assert!(month.words().contains("1 episode, 0 of them high"), "{}", month.words());
    assert!(month.text.contains("<svg class=\"chart\""));
    for page in [shift, month] {
        for word in ["Jordan", "jordan", "Mia", "<form method=\"post\" action=\"/episodes"] {
            assert!(!page.text.contains(word), "{word}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn what_a_member_of_staffs_own_device_did_is_for_the_manager() {
    let lane = "person: Kate Lane\nfor: staff\ndevices: [{name: kates phone, ip: 192.0.2.60}]\nblock: [games.example]\n";
    let play = Play::of(HOME, &[("jordan", JORDAN), ("kate", lane)]).await;
    happens(&play, "jordan", "games.example").await;
    happens(&play, "kate", "games.example").await;
    let of_kate = Which { person: Some("kate".to_owned()), ..Which::default() };
    let entry = play.records.episodes(&of_kate).await.unwrap()[0].entry;
    handover(&play).await;
    for (account, reads) in [("r.osei", true), ("k.lane", false), ("m.ali", false), ("visitor", false)] {
        let mut browser = play.signed_in(account).await;
        for path in ["/shift", "/shift/sheet?names=full", "/shift?person=kate"] {
            let page = browser.get(path).await.words();
            let of_jordan = usize::from(path != "/shift?person=kate" || account == "visitor");
            let told = page.matches("tried to open games.example").count();
            assert_eq!(told, of_jordan + usize::from(reads), "{account} {path}: {page}");
            assert_eq!(page.contains("kates phone"), reads, "{account} {path}: {page}");
            assert_eq!(page.contains("is for the manager to read"), !reads, "{account} {path}: {page}");
        }
        for path in ["/people/kate/charts", "/people/kate/nights"] {
            let status = browser.get(path).await.status;
            assert_eq!(status == StatusCode::OK, reads, "{account} {path}: {status}");
        }
        let form = [("mark", "note"), ("words", "seen")];
        let status = browser.post(&format!("/episodes/{entry}"), &form).await.status;
        assert_eq!(status == StatusCode::SEE_OTHER, reads, "{account}: {status}");
        let page = browser.get("/people/jordan/charts").await.status;
        assert_eq!(page == StatusCode::OK, account != "visitor", "{account}");
    }
}

#[tokio::test]
async fn a_fold_of_many_small_episodes_takes_no_click_more_than_one_of_few() {
    let sites: Vec<String> = (1..=7).map(|n| format!("games{n}.example")).collect();
    let jordan = super::play::JORDAN.replace("games.example", &sites.join(", "));
    let play = Play::of(super::play::HOME, &[("jordan", &jordan)]).await;
    for site in &sites {
        sees(&play, "jordan", site, (Evidence::Lookup, None)).await;
    }
    let page = play.signed_in("k.lane").await.get("/shift?at=2026-11-22T17:30:00Z").await;
    assert!(page.words().contains("Jordan 7 small"), "{}", page.words());
    let tags: Vec<&str> =
        page.text.split("<details ").skip(1).filter_map(|part| part.split('>').next()).collect();
    let open = |what: &str| {
        tags.iter().filter(|tag| tag.contains(what) && tag.split(' ').any(|word| word == "open")).count()
    };
    assert_eq!(
        (open("id=\"of-"), open("id=\"make-")),
        (0, 7),
        "unfolded, each can be marked at once: {tags:?}"
    );
}
