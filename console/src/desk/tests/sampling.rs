//! A sample of episodes: counted first, drawn for a purpose, written down, and drawn again with its seed.

use super::full::refused;
use super::play::{JORDAN, Page, Play};
use axum::http::StatusCode;
use records::Entry;

/// The entries that a page shows, and the seed.
fn drawn(page: &Page) -> (Vec<String>, String) {
    let entries = page.text.split("#episode-").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let seed = page.text.split("The seed is <code>").nth(1).map(|rest| rest.split('<').next().unwrap());
    (entries.collect(), seed.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_sample_is_drawn_for_a_purpose_written_down_and_drawn_again() {
    let jordan = JORDAN.replace("otherwise: allow", "otherwise: block");
    let play = Play::of(super::play::HOME, &[("jordan", &jordan)]).await;
    let asked: Vec<_> = (0..30).map(|n| ("jordan".to_owned(), format!("site{n}.example"))).collect();
    refused(&play, &asked).await;
    let mut manager = play.signed_in("r.osei").await;
    let page = manager.get("/sample").await;
    assert!(page.words().contains("Episodes in these days: 30: 30"), "{}", page.words());
    assert!(
        !page.text.contains("Jordan") && !page.text.contains("site1."),
        "first no names: {}",
        page.words()
    );
    let days = [("from", "2026-11-01"), ("to", "2026-11-22")];
    let with = |more: &[(&'static str, &'static str)]| [&days[..], more].concat();
    let before = play.records.head().await.unwrap().entries;
    for (form, wrong) in [
        (with(&[("count", "5")]), "what the sample is for"),
        (with(&[("purpose", "curiosity"), ("count", "5")]), "what the sample is for"),
        (with(&[("purpose", "fit"), ("count", "500")]), "between 1 and 20"),
        (with(&[("purpose", "fit"), ("count", "5"), ("seed", "<b>")]), "letters and figures"),
        (vec![("from", "2026-11-22"), ("to", "2026-11-01"), ("purpose", "fit"), ("count", "5")], "in order"),
    ] {
        let page = manager.post("/sample", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(page.words().contains(wrong), "{wrong}: {}", page.words());
    }
    assert_eq!(play.records.head().await.unwrap().entries, before, "nothing was drawn");
    let first = manager.post("/sample", &with(&[("purpose", "reading"), ("count", "5")])).await;
    let (entries, seed) = drawn(&first);
    assert_eq!((entries.len(), seed.len()), (5, 12), "{}", first.words());
    assert!(first.words().contains("5 of 30") && first.words().contains("Nobody has marked it."));
    let action = play.records.newest(1).await.unwrap().remove(0).says;
    let Some(Entry::StaffAction(action)) = action else { panic!("{action:?}") };
    let said = format!(
        "drew 5 of 30 episodes of 2026-11-01 to 2026-11-22 at random, with the seed {seed}: entries {} (of jordan)",
        entries.join(", ")
    );
    assert_eq!(action.what, said);
    assert!(action.why.starts_with("reading: Are shifts read"), "{}", action.why);
    let again = [("purpose", "fit"), ("count", "5"), ("seed", seed.as_str())];
    let form: Vec<(&str, &str)> = days.into_iter().chain(again).collect();
    assert_eq!(
        drawn(&manager.post("/sample", &form).await),
        (entries.clone(), seed.clone()),
        "the same seed, the same episodes"
    );
    // What came later moves nothing that was drawn among the earlier.
    let fewer = [("purpose", "fit"), ("count", "3"), ("seed", seed.as_str())];
    let form: Vec<(&str, &str)> = days.into_iter().chain(fewer).collect();
    let (three, _) = drawn(&manager.post("/sample", &form).await);
    assert!(three.len() == 3 && three.iter().all(|entry| entries.contains(entry)));
    let other =
        manager.post("/sample", &with(&[("purpose", "fit"), ("count", "5"), ("seed", "another")])).await;
    assert_ne!(drawn(&other).0, entries);
}
