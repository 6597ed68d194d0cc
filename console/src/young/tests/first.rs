//! What is told before anything else.

use super::{JORDANS, LOUNGE, OWN, SAMS, STRANGER, Young, token};
use axum::http::StatusCode;

/// The token of the notice's form.
fn of_notice(page: &str) -> &str {
    token(page.split("action=\"/hearthgate/first").nth(1).expect("the notice"))
}

#[tokio::test]
async fn what_is_written_down_is_told_before_anything_else_until_they_have_read_it() {
    const SEEN: &str = "/hearthgate/first";
    let young = Young::new().await;
    let own = format!("http://{OWN}");
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    for said in ["Good to know before you start", "Never a page, never what you typed.", "I have read this"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let form = format!("token={}", of_notice(&page));
    let (status, _) = young.post(JORDANS, SEEN, "http://evil.example", &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "no other site says it for them");
    let (status, _) = young.post(SAMS, SEEN, &own, &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "nor anybody else");
    assert!(young.get(JORDANS, "/?lang=en").await.1.contains("Good to know"), "it is still there");
    assert_eq!(young.post(JORDANS, SEEN, &own, &form).await.0, StatusCode::SEE_OTHER);
    assert_eq!(young.post(JORDANS, SEEN, &own, &form).await.0, StatusCode::SEE_OTHER, "twice is once");
    assert!(!young.get(JORDANS, "/?lang=en").await.1.contains("Good to know"));
    assert!(young.get(SAMS, "/?lang=en").await.1.contains("Good to know"), "Sam has not read it");
    for from in [LOUNGE, STRANGER] {
        assert!(
            !young.get(from, "/?lang=en").await.1.contains("Good to know"),
            "it is for whoever a page is about"
        );
    }
    let told = young.play.records.newest(50).await.unwrap();
    assert_eq!(told.iter().filter(|logged| logged.kind == "agreement_read").count(), 1);
}
