//! Every address of a young person's pages, on each kind of device: taken from the routes themselves.

use super::{JORDANS, LOUNGE, OWN, STRANGER, Young};
use crate::desk::tests::four_weeks::in_use;
use crate::desk::tests::play::JORDAN;
use crate::pages::addresses;
use axum::http::StatusCode;

/// What a device finds at each address: one of somebody's own, one that several share, one that nobody knows. Looked at: `y`: a
/// page; `-`: nothing is there for it. And what becomes of a form that is sent there without having been opened: `x`:
/// it is refused; `-`: nothing takes forms there.
pub(super) const MATRIX: &[(&str, &str, &str)] = &[
    ("/", "yyy", "---"),
    ("/week", "yy-", "---"),
    ("/agreement", "y--", "---"),
    ("/recorded", "y--", "---"),
    ("/talk", "yyy", "---"),
    ("/policy", "yyy", "---"),
    ("/hearthgate/ask", "---", "xxx"),
    ("/hearthgate/saw", "yyy", "xxx"),
    ("/hearthgate/note", "---", "xxx"),
    ("/hearthgate/first", "---", "xxx"),
    ("/hearthgate/show", "---", "xxx"),
    ("/hearthgate/me", "---", "-x-"),
];

#[tokio::test]
async fn every_address_on_every_kind_of_device() {
    let known: Vec<&str> = MATRIX.iter().map(|(path, _, _)| *path).collect();
    assert_eq!(known.len(), addresses().len(), "{:?}", addresses());
    let young = Young::new().await;
    let before = young.play.records.head().await.unwrap().entries;
    for path in addresses() {
        let (_, gets, sends) = MATRIX
            .iter()
            .find(|(known, _, _)| *known == path)
            .unwrap_or_else(|| panic!("{path} is in no line"));
        for (place, from) in [JORDANS, LOUNGE, STRANGER].into_iter().enumerate() {
            let (status, page) = young.get(from, path).await;
            let got = if status == StatusCode::OK { 'y' } else { '-' };
            assert_eq!(Some(got), gets.chars().nth(place), "{path} on {from}: {status}");
            assert!(status.is_success() || status == StatusCode::NOT_FOUND, "{path} on {from}: {status}");
            assert!(page.contains("<h1>") && !page.contains("<h1></h1>"), "{path} on {from}: {page}");
            let own = page.contains("Jordan");
            assert!(!own || from == JORDANS, "{path} on {from} says a name: {page}");
            let origin = format!("http://{OWN}");
            let (status, _) =
                young.post(from, path, &origin, "host=chat.example&words=x&token=0&entry=1").await;
            let sent = if status.is_success() || status == StatusCode::NOT_FOUND { '-' } else { 'x' };
            assert_eq!(Some(sent), sends.chars().nth(place), "a form to {path} from {from}: {status}");
        }
    }
    assert_eq!(young.play.records.head().await.unwrap().entries, before, "nothing was written");
    assert!(young.gate.told.lock().unwrap().is_empty(), "and nobody was told anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn my_minutes_left_after_some_and_when_none_are() {
    let young = Young::of(&JORDAN.replace("everything: 4h", "everything: 6m")).await;
    for (used, english, welsh) in [
        (0, "6 min of 6 min left", "6 mun o 6 mun ar ôl"),
        (4, "2 min of 6 min left", "2 mun o 6 mun ar ôl"),
        (2, "None of 6 min left", "Dim o 6 mun ar ôl"),
    ] {
        in_use(&young.play, used).await;
        young.play.settle().await;
        for (voice, said) in [("en", english), ("cy", welsh)] {
            let (_, page) = young.get(JORDANS, &format!("/?lang={voice}")).await;
            assert!(page.contains(said), "{said}: {page}");
        }
    }
    let (_, page) = young.get(JORDANS, "/").await;
    assert!(page.contains("<progress max=\"6\" value=\"6\""), "{page}");
    // The home's day begins at four in the night, and nobody is sent to wait for that.
    assert!(
        page.contains("You have used today’s minutes. You can go online again at 07:00 tomorrow."),
        "{page}"
    );
    let (_, welsh) = young.get(JORDANS, "/?lang=cy").await;
    assert!(welsh.contains("Gelli di fynd ar-lein eto am 07:00 yfory."), "{welsh}");
    assert!(page.contains("45 min of 45 min left"), "what else is limited is as it was: {page}");
}
