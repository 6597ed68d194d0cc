//! What is told before anything else.

use super::{JORDANS, LOUNGE, OWN, SAMS, STRANGER, Young, token};
use crate::young::first::VERSION;
use axum::http::StatusCode;
use ring::digest::{SHA256, digest};

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

/// What a part of a page says, without its tags.
fn words(part: &str) -> String {
    let text = part.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
    text.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn whoever_changes_the_notice_raises_its_version() {
    // Which words a version has, as their hash. Where this fails: raise `VERSION`, so that everybody is told anew, and put the hash here.
    const TIED: (&str, &str) =
        ("notice 2", "6cf041883c92999771a7af42eb2eb89a12d370893a8b750691ce31d6106fa2ab");
    let young = Young::new().await;
    let mut all = String::new();
    for voice in ["lang=en", "lang=en&easy=yes", "lang=cy", "lang=cy&easy=yes"] {
        let (_, page) = young.get(JORDANS, &format!("/?{voice}")).await;
        let notice = page.split("<section aria-labelledby=\"first\">").nth(1).expect("the notice");
        let said = words(&format!("<section>{}", notice.split("</section>").next().unwrap()));
        assert!(said.contains("Ofsted"), "{said}");
        all.push_str(&said);
        all.push('\n');
    }
    let hash: String =
        digest(&SHA256, all.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((VERSION, hash.as_str()), TIED, "{all}");
}
