//! People and their agreements.

use super::kept::becomes;
use super::play::{HOME, JORDAN, Play};
use axum::http::StatusCode;

#[tokio::test]
async fn an_agreement_as_a_week_and_in_words() {
    let play = Play::new().await;
    let mut kate = play.signed_in("k.lane").await;
    let list = kate.get("/people").await.words();
    assert!(list.contains("Jordan young person In force 31 January 2027"), "{list}");
    let page = kate.get("/people/jordan").await;
    let words = page.words();
    for said in [
        "07:00–21:00",
        "the internet 4 h",
        "Open: bbc.example.",
        "Ask first: chat.example.",
        "Closed: games.example.",
        "What nobody mentioned is open.",
        "RA-2026-031 of 28 October 2026, medium",
        "A. Mensah, Leeds, 2 November 2026",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(page.text.contains("<svg") && page.text.contains("Jordan's week"), "the picture");
    assert_eq!(kate.get("/people/nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_if_answers_as_the_gateway_does() {
    let play = Play::new().await;
    let mut kate = play.signed_in("k.lane").await;
    for (query, said) in [
        ("host=games.example", "Closed."),
        ("host=chat.example", "Ask first."),
        ("host=https://bbc.example/news", "Open."),
        ("host=bbc.example&at=2026-11-22T21:30", "The internet is off for Jordan until 07:00"),
        ("host=not%20a%20site", "is no site"),
        ("host=bbc.example&at=tomorrow", "is no time"),
    ] {
        let words = kate.get(&format!("/people/jordan?{query}")).await.words();
        assert!(words.contains(said), "{query}: {words}");
    }
    let words = kate.get("/people/jordan?host=games.example").await.words();
    assert!(
        words.contains("block: [games.example] · agreements/jordan.yaml line")
            && words.contains("site: this one speaks"),
        "{words}"
    );
}

#[tokio::test]
async fn reviews_and_drafts_are_said() {
    let soon = JORDAN.replace("2027-01-31", "2026-11-30");
    let late =
        JORDAN.replace("Jordan", "Sam").replace("2027-01-31", "2026-11-01").replace("11:22:33", "11:22:44");
    let draft = "person: Alex\nonline: {every_day: 09:00-20:00}\n";
    let play = Play::of(HOME, &[("jordan", &soon), ("sam", &late), ("alex", draft)]).await;
    let words = play.signed_in("k.lane").await.get("/people").await.words();
    for said in ["due in 8 days", "overdue since 1 November", "A draft: "] {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[tokio::test]
async fn what_if_knows_the_device_on_which_a_session_is_open() {
    let jordan = JORDAN.replace("devices:\n", "devices:\n  - {name: tablet, ip: 192.0.2.50}\n")
        + "with_staff: [forum.example]\n";
    let play = Play::of(HOME, &[("jordan", &jordan)]).await;
    let mut kate = play.signed_in("k.lane").await;
    let form = [
        ("what", "supervised"),
        ("adult", "k.lane"),
        ("device", "tablet"),
        ("why", "together"),
        ("for", "30m"),
    ];
    kate.post("/give/jordan", &form).await;
    kate.post("/devices/book", &[("person", "jordan"), ("device", "phone"), ("what", "lost")]).await;
    play.settle().await;
    let asks = async |kate: &mut super::play::Browser, query: &str| {
        kate.get(&format!("/people/jordan?host={query}")).await.words()
    };
    for (query, said) in [
        ("forum.example", "Together with staff."),
        ("forum.example&device=tablet", "Open."),
        ("forum.example&device=phone", "Closed."),
        ("bbc.example&device=phone", "Closed."),
        ("bbc.example&device=tablet", "Open."),
        ("bbc.example&device=radio", "no device called `radio`"),
        // At another time what is open now says nothing.
        ("forum.example&device=tablet&at=2026-11-23T18:00", "Together with staff."),
    ] {
        let page = asks(&mut kate, query).await;
        let answer = page.split("Ask the gateway").nth(1).unwrap();
        assert!(answer.contains(said), "{query}: {answer}");
    }
}

#[tokio::test]
async fn of_an_agreement_that_cannot_be_used_nothing_is_made_up() {
    let play = Play::new().await;
    let mut kate = play.signed_in("k.lane").await;
    let defaults = ["What nobody mentioned is", "Goes to school", "Looked at more closely"];
    let words = kate.get("/people/jordan").await.words();
    assert!(defaults.iter().all(|said| words.contains(said)), "{words}");
    becomes(&play, &[("jordan", &JORDAN.replace("otherwise: allow", "otherwise: perhaps"))]);
    let words = kate.get("/people/jordan").await.words();
    for said in [
        "The file has errors and was never good",
        "What was agreed is not told from a file that cannot be used.",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    for made_up in defaults.iter().chain(&["games.example", "22:30"]) {
        assert!(!words.contains(made_up), "{made_up}: {words}");
    }
}
