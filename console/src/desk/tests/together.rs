//! Shifts that are read as one; what young people told, until somebody heard it; a concern and the home's own way.

use super::play::{HOME, JORDAN, Play};
use super::shifts::{happens, seen};
use axum::http::StatusCode;
use records::{By, ByRole, Side, Verified, Which};
use std::time::Duration;

fn jordan() -> By {
    By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() }
}

const HOUR: Duration = Duration::from_secs(3600);

/// What the form that signs sends back besides who signs.
fn hidden(page: &str, name: &str) -> String {
    let after = page.split("action=\"/shift/sign\"").nth(1).expect("the form to sign with");
    let after = after.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("its field");
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_nobody_signed_is_one_review_with_one_pair_of_signatures() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.clock.advance(HOUR * 6);
    happens(&play, "sam", "games.example").await;
    // Past the handovers of the night and the morning.
    play.clock.advance(HOUR * 16);
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/shift").await;
    for said in [
        "Sunday 22 November 14:30 to Monday 23 November 14:30, 3 shifts",
        "Jordan’s phone tried to open games.example, at 17:30.",
        "Sam’s phone tried to open games.example, at 23:30.",
        "One signature is for all 3 shifts: Sunday 22 November, 14:30 to 21:30 Sunday 22 November, 21:30 to 07:30 Monday 23 November, 07:30 to 14:30",
        "You sign for its 2 episodes.",
    ] {
        assert!(page.words().contains(said), "{said}: {}", page.words());
    }
    assert!(!page.words().contains("earlier shift"), "{}", page.words());
    // Marking an episode leads back to all of them.
    let episode = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let (at, upto) = (hidden(&page.text, "at"), hidden(&page.text, "upto"));
    let form = [("mark", "note"), ("words", "We talked"), ("at", at.as_str()), ("upto", upto.as_str())];
    let done = kate.post(&format!("/episodes/{episode}"), &form).await;
    assert_eq!(done.location(), format!("/shift?at={at}&upto={upto}&done=noted#episode-{episode}"));
    let one = kate.get(&format!("/shift?at={at}")).await.words();
    assert!(one.contains("2 earlier shifts are not signed") && one.contains("Read as one"), "{one}");
    let sheet = kate.get(&format!("/shift/sheet?at={at}&upto={upto}")).await.words();
    for said in
        ["3 shifts", "One signature is for all of these", "A device of S. tried to open games.example"]
    {
        assert!(sheet.contains(said), "{said}: {sheet}");
    }
    let seen = seen(&page.text).to_owned();
    let sign = |side| {
        [
            ("at", at.as_str()),
            ("upto", upto.as_str()),
            ("side", side),
            ("seen", seen.as_str()),
            ("words", "A long night"),
        ]
    };
    assert!(kate.post("/shift/sign", &sign("outgoing")).await.location().contains("done=signed"));
    assert!(kate.get("/").await.words().contains("3 shifts wait"), "one side is not both");
    let mut mo = play.signed_in("m.ali").await;
    assert!(mo.post("/shift/sign", &sign("incoming")).await.location().contains("done=signed"));
    assert!(!mo.get("/").await.words().contains("wait to be read"), "one pair covers all of them");
    let night = mo.get("/shift?at=2026-11-22T23:00:00Z").await.words();
    let whole = "Kate Lane Worked the shift (Sunday 22 November 14:30 to Monday 23 November 14:30, 3 shifts) : A long night";
    assert!(night.contains(whole), "{night}");
    let month = mo.get("/month").await.words();
    assert!(month.contains("3 of"), "{month}");
    // After the next handover it begins where that ended.
    play.clock.advance(HOUR * 7);
    let next = play.signed_in("m.ali").await.get("/shift").await.words();
    assert!(next.contains("Monday 23 November, 14:30 to 21:30"), "{next}");
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

#[tokio::test]
async fn one_person_does_not_sign_both_sides_of_a_shift_by_way_of_another() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.clock.advance(HOUR * 5);
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/shift").await.text;
    let (at, seen) = (hidden(&page, "at"), seen(&page).to_owned());
    let form = [("at", at.as_str()), ("side", "outgoing"), ("seen", seen.as_str())];
    assert!(kate.post("/shift/sign", &form).await.location().contains("done=signed"));
    play.clock.advance(HOUR * 10);
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/shift").await.text;
    assert!(
        page.contains("Worked the shift (Sunday 22 November, 14:30 to 21:30)"),
        "what was said of one: {page}"
    );
    let (at, upto, seen) =
        (hidden(&page, "at"), hidden(&page, "upto"), super::shifts::seen(&page).to_owned());
    let form = [("at", at.as_str()), ("upto", upto.as_str()), ("side", "incoming"), ("seen", seen.as_str())];
    assert!(kate.post("/shift/sign", &form).await.location().contains("done=signed"));
    let current = play.in_force.to_keep();
    let unsigned = play.records.unsigned(&current.snapshot.house, play.clock_now()).await.unwrap();
    assert_eq!(unsigned.len(), 2, "Kate alone signed nothing off");
    let reviews = play.records.reviews(unsigned[0]).await.unwrap();
    let sides: Vec<_> = reviews.iter().map(|review| (review.side, review.by.id.as_str())).collect();
    assert_eq!(sides, [(Some(Side::Outgoing), "k.lane"), (Some(Side::Incoming), "k.lane")]);
}

#[tokio::test]
async fn what_they_saw_stands_everywhere_until_somebody_heard_it() {
    let play = Play::new().await;
    let report = play.records.report("jordan", jordan(), "a mean message", None).await.unwrap();
    // Two handovers later it is there still.
    play.clock.advance(HOUR * 18);
    let mut kate = play.signed_in("k.lane").await;
    for path in ["/", "/shift", "/shift/sheet?names=full"] {
        let words = kate.get(path).await.words();
        assert!(words.contains("a mean message") && words.contains("Jordan"), "{path}: {words}");
    }
    let shift = kate.get("/shift").await.words();
    assert!(shift.contains("it is no breach") && shift.contains("nothing was recorded"), "{shift}");
    let printed = kate.get("/shift/sheet").await;
    assert!(
        printed.words().contains("J. (Sun 17:30)") && !printed.text.contains("mean message"),
        "{}",
        printed.words()
    );
    let mut visitor = play.signed_in("visitor").await;
    for path in ["/", "/shift"] {
        let page = visitor.get(path).await;
        assert!(!page.text.contains("mean message") && !page.text.contains("/reports/"), "{path}");
    }
    let silent = kate.post(&format!("/reports/{report}"), &[("words", " ")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "it says what was done");
    let raised = [("mark", "concern"), ("words", "A stranger asks Jordan for pictures")];
    assert_eq!(kate.post(&format!("/reports/{report}"), &raised).await.location(), "/shift?done=concern");
    assert!(kate.get("/").await.words().contains("a mean message"), "a concern does not close it");
    let concern = play.records.concerns(true).await.unwrap().remove(0).concern;
    assert_eq!((concern.person.as_str(), concern.entry), ("jordan", report));
    let heard = [("words", "We sat together; Mo told the school")];
    assert_eq!(kate.post(&format!("/reports/{report}"), &heard).await.location(), "/?done=heard");
    for path in ["/", "/shift", "/shift/sheet?names=full"] {
        assert!(!kate.get(path).await.words().contains("a mean message"), "{path}");
    }
    assert!(kate.get("/").await.words().contains("1 safeguarding concern is open"), "and that is open still");
    let audit = play.signed_in("r.osei").await.get("/audit").await.words();
    assert!(
        audit.contains(&format!("heard report {report}")) && audit.contains("Mo told the school"),
        "{audit}"
    );
    let twice = kate.post(&format!("/reports/{report}"), &heard).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

#[tokio::test]
async fn what_was_told_for_somebody_is_theirs_to_read_and_to_hear() {
    let play = Play::new().await;
    let report = play.records.report("jordan", jordan(), "Kate took my phone", Some("m.ali")).await.unwrap();
    let heard = [("words", "We sat together")];
    let (at, open) = (format!("/reports/{report}"), format!("/reports/{report}/open"));
    let pages = ["/", "/shift", "/asks", &at];
    let mut kate = play.signed_in("k.lane").await;
    for path in pages {
        let words = kate.get(path).await.words();
        for said in
            ["Jordan", "17:30", "They would like to talk to Mo Ali", "It cannot wait: open it", "Pass it on"]
        {
            assert!(words.contains(said), "{path}: {said}: {words}");
        }
        assert!(!words.contains("took my phone") && !words.contains("I have heard it"), "{path}: {words}");
    }
    for who in ["k.lane", "m.ali", "r.osei"] {
        let sheet = play.signed_in(who).await.get("/shift/sheet?names=full").await.words();
        assert!(sheet.contains("talk to Mo Ali") && !sheet.contains("took my phone"), "on no paper: {sheet}");
    }
    for form in [heard.to_vec(), vec![("words", "x"), ("upto", "999")]] {
        let not_hers = kate.post(&at, &form).await;
        assert_eq!(not_hers.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(not_hers.words().contains("told for somebody by name"), "{}", not_hers.words());
    }
    // What cannot wait is passed on, or opened; both are written down.
    let concern = [("mark", "concern"), ("words", "Jordan told something and Mo is off until Monday")];
    assert_eq!(kate.post(&at, &concern).await.location(), "/shift?done=concern");
    for _ in 0..2 {
        assert_eq!(kate.post(&open, &[]).await.location(), at);
    }
    assert!(kate.get("/").await.words().contains("took my phone"));
    assert_eq!(
        kate.post(&at, &heard).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "to read is not to hear"
    );
    let audit = play.signed_in("r.osei").await.get("/audit").await.words();
    assert_eq!(audit.matches(&format!("opened report {report}, which was told for")).count(), 1, "{audit}");
    for who in ["m.ali", "r.osei"] {
        let mut browser = play.signed_in(who).await;
        for path in pages {
            let words = browser.get(path).await.words();
            assert!(
                words.contains("took my phone") && words.contains("I have heard it"),
                "{who} {path}: {words}"
            );
            assert!(words.contains("Opened by Kate Lane"), "{who} {path}: {words}");
        }
        assert_eq!(browser.post(&open, &[]).await.location(), at);
    }
    assert_eq!(
        play.records.open_report(report).await.unwrap().unwrap().opened.len(),
        1,
        "they need not open it"
    );
    let mut mo = play.signed_in("m.ali").await;
    assert_eq!(mo.post(&at, &heard).await.location(), "/?done=heard");
    let second = play.records.report("jordan", jordan(), "again", Some("m.ali")).await.unwrap();
    let by_manager = play.signed_in("r.osei").await.post(&format!("/reports/{second}"), &heard).await;
    assert_eq!(by_manager.location(), "/?done=heard");
    // Whoever has left is chosen by nobody else: it is the manager's.
    play.records.report("jordan", jordan(), "a third", Some("j.gone")).await.unwrap();
    let now = kate.get("/").await.words();
    assert!(now.contains("somebody who does not work here any more") && !now.contains("a third"), "{now}");
}

#[tokio::test]
async fn who_tells_all_the_time_is_heard_as_one_and_hides_nobody() {
    let play = Play::new().await;
    let sam = By { id: "sam".into(), name: "Sam".into(), ..jordan() };
    let mut flood = Vec::new();
    for n in 0..60 {
        flood.push(play.records.report("jordan", jordan(), &format!("message {n}."), None).await.unwrap());
    }
    play.records.report("sam", sam, "somebody wrote to me", None).await.unwrap();
    let mut kate = play.signed_in("k.lane").await;
    let now = kate.get("/").await;
    let words = now.words();
    assert!(words.contains("somebody wrote to me") && words.contains("And 57 more of the same"), "{words}");
    assert!(words.contains("message 0.") && !words.contains("message 3."), "{words}");
    let from = format!("/reports/{}", flood[2]);
    assert!(now.text.contains(&format!("href=\"{from}\"")), "{}", now.text);
    let all = kate.get(&from).await;
    let upto = flood[59].to_string();
    assert!(all.words().contains("message 59.") && !all.words().contains("message 1."), "{}", all.words());
    assert!(all.text.contains(&format!("name=\"upto\" value=\"{upto}\"")), "{}", all.text);
    // Any of them can be raised, whichever the pages show.
    let concern = [("mark", "concern"), ("words", "somebody keeps writing")];
    assert_eq!(
        kate.post(&format!("/reports/{}", flood[58]), &concern).await.location(),
        "/shift?done=concern"
    );
    let heard = [("words", "We sat together"), ("upto", upto.as_str())];
    assert_eq!(kate.post(&from, &heard).await.location(), "/?done=heard");
    let words = kate.get("/").await.words();
    for (said, stands) in
        [("message 0.", true), ("message 1.", true), ("message 2.", false), ("wrote to me", true)]
    {
        assert_eq!(words.contains(said), stands, "{said}: {words}");
    }
}

#[tokio::test]
async fn a_concern_shows_the_homes_own_way() {
    let way = "safeguarding:\n  - {who: Designated lead R. Osei, reach: 0113 496 0000}\n  - {who: Out of hours team, reach: 0113 496 0001}\n";
    let play = Play::of(&format!("{HOME}{way}"), &[("jordan", JORDAN)]).await;
    happens(&play, "jordan", "games.example").await;
    let episode = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let mut kate = play.signed_in("k.lane").await;
    assert!(!kate.get("/shift").await.words().contains("0113 496 0000"), "nobody needs it yet");
    let form = [("mark", "concern"), ("words", "A stranger wrote to Jordan there")];
    let done = kate.post(&format!("/episodes/{episode}"), &form).await;
    let page = kate.get(done.location().split('#').next().unwrap()).await.words();
    for said in [
        "Now tell whoever leads on safeguarding",
        "Designated lead R. Osei : 0113 496 0000 Out of hours team : 0113 496 0001",
        "Nothing closes it by itself",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let sheet = kate.get("/shift/sheet").await.words();
    assert!(
        sheet.contains("Whom to reach: Designated lead R. Osei, 0113 496 0000; Out of hours team"),
        "{sheet}"
    );
    play.clock.advance(HOUR * 24 * 40);
    assert!(
        play.signed_in("k.lane").await.get("/shift").await.words().contains("A stranger wrote"),
        "forty days later"
    );
}
