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
    let report = play.records.report("jordan", jordan(), "a mean message", Some("m.ali")).await.unwrap();
    // Two handovers later it is there still.
    play.clock.advance(HOUR * 18);
    let mut kate = play.signed_in("k.lane").await;
    for path in ["/", "/shift", "/shift/sheet?names=full"] {
        let words = kate.get(path).await.words();
        assert!(words.contains("a mean message") && words.contains("Jordan"), "{path}: {words}");
        assert!(words.contains("They would like to talk to Mo Ali"), "{path}: {words}");
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
