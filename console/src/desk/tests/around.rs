//! Devices, lists, coverage, and who did what.

use super::play::Play;
use axum::http::StatusCode;
use records::Booking;

#[tokio::test]
async fn a_device_is_given_out_lost_and_inspected() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    for (what, words) in [("out", ""), ("inspected", "nothing of note"), ("lost", "on the <b>bus</b>")] {
        let form = [("person", "jordan"), ("device", "phone"), ("what", what), ("words", words)];
        assert_eq!(staff.post("/devices/book", &form).await.location(), "/devices?done=booked", "{what}");
    }
    let page = staff.get("/devices").await;
    let words = page.words();
    for said in [
        "Jordan: phone",
        "its hardware address",
        "Lost since 17:30, written down by Kate Lane",
        "Looked at together on 22 November 2026",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!page.text.contains("<b>bus"), "{}", page.text);
    let places = play.records.whereabouts().await.unwrap();
    let phone = &places[&("jordan".to_owned(), "phone".to_owned())];
    assert!(matches!(phone.booked, Some((Booking::Lost, _, _))), "{phone:?}");
    let nobodys = [("person", "jordan"), ("device", "fridge"), ("what", "out")];
    assert_eq!(staff.post("/devices/book", &nobodys).await.status, StatusCode::NOT_FOUND);
    for account in ["visitor", "it"] {
        let page = play.signed_in(account).await.get("/devices").await;
        assert!(
            page.words().contains("J.: phone") && !page.text.contains("Jordan"),
            "{account}: {}",
            page.text
        );
        assert!(!page.text.contains("bus") && !page.text.contains("jordan"), "{account}: {}", page.text);
    }
}

#[tokio::test]
async fn why_a_site_is_closed_and_that_it_is_wrong() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    let page = staff.get("/lists?host=https%3A%2F%2Fgames.example%2Fplay").await;
    let words = page.words();
    assert!(words.contains("games.example") && words.contains("Jordan : closed."), "{words}");
    assert!(staff.get("/lists?host=%3Cscript%3E").await.words().contains("is no site"));
    let report = [("host", "games.example"), ("why", "it is a revision site")];
    assert_eq!(staff.post("/lists/report", &report).await.location(), "/lists?done=reported");
    assert_eq!(
        staff.post("/lists/report", &[("host", "games.example")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let it = play.signed_in("it").await.get("/lists?host=games.example").await;
    assert!(!it.text.contains("Jordan"), "{}", it.text);
    let page = staff.get("/coverage").await;
    assert!(page.words().contains("Cannot be held from here"), "{}", page.words());
}

#[tokio::test]
async fn who_looked_and_who_changed_stands_in_the_journal() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    for _ in 0..3 {
        staff.get("/people/jordan").await;
    }
    staff.get("/shift/sheet?names=full").await;
    play.signed_in("m.ali").await.get("/people/jordan").await;
    let words = play.signed_in("r.osei").await.get("/audit").await.words();
    assert_eq!(words.matches("Kate Lane (k.lane) looked at the agreement of jordan").count(), 1, "{words}");
    assert_eq!(words.matches("Mo Ali (m.ali) looked at the agreement of jordan").count(), 1, "{words}");
    assert!(words.contains("looked at a hand-over sheet with names"), "{words}");
}
