//! The home's own page, for everybody in it.

use super::{JORDANS, LOUNGE, STRANGER, Young};
use crate::desk::tests::play::{HOME, JORDAN, Play};
use axum::http::StatusCode;

const MORE: &str = "school:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n\
                    keep: {breaches: 180 days, minutes: 30 days, monitoring: 14 days}\n";

#[tokio::test]
async fn the_homes_page_is_read_by_anybody_and_names_nobody() {
    let home = HOME.replace(
        "  block: [pornography, circumvention]",
        "  block: [pornography, circumvention, gambling]\n  safe_search: strict",
    ) + MORE;
    let young = Young::over(Play::of(&home, &[("jordan", JORDAN)]).await);
    for from in [JORDANS, LOUNGE, STRANGER] {
        let (english, welsh) = (
            "porn, ways round the home&#39;s internet, betting sites",
            "pornograffi, ffyrdd heibio i ryngrwyd y cartref, safleoedd betio",
        );
        for query in ["lang=en", "lang=cy", "lang=en&easy=yes", "lang=cy&easy=yes"] {
            let closed = if query.contains("cy") { welsh } else { english };
            let (status, page) = young.get(from, &format!("/policy?{query}")).await;
            assert_eq!(status, StatusCode::OK, "{from} {query}");
            assert!(page.contains("Oakview House") && page.contains(closed), "{page}");
            assert!(page.contains("09:00–15:15") && page.contains("07:00–21:00"), "{query}: {page}");
            assert!(page.contains("0800 1111"), "{query}: {page}");
            for name in ["Jordan", "jordan", "Osei", "Kate", "Reg 44", "{", "video.example"] {
                let main = page.split("<main").nth(1).unwrap();
                assert!(!main.contains(name), "{query}: {name}: {main}");
            }
        }
    }
    let (_, page) = young.get(STRANGER, "/policy?lang=en").await;
    for said in ["kept for 180 days", "minutes for 30 days", "Safe search is on"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (_, front) = young.get(STRANGER, "/?lang=cy").await;
    assert!(front.contains("href=\"/policy?lang=cy\""), "it is found from the first page: {front}");
}

#[tokio::test]
async fn what_a_home_does_not_have_is_not_said() {
    let home = HOME.replace("circumvention]", "circumvention]\n  safe_search: off");
    let young = Young::over(Play::of(&home, &[("jordan", JORDAN)]).await);
    let (_, page) = young.get(STRANGER, "/policy?lang=en").await;
    assert!(page.contains("porn, ways round"), "{page}");
    assert!(!page.contains("Safe search is on") && !page.contains("Learning time"), "{page}");
}
