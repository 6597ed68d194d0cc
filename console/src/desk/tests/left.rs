//! Those who have left: their records are theirs still, and their names nobody else's to read.

use super::exporting::{export, unpacked};
use super::kept::{AT, LANE, becomes};
use super::now::behind;
use super::play::{HOME, JORDAN, Play, snapshot};
use super::shifts::happens;
use agreements::Snapshot;
use axum::http::StatusCode;
use records::{By, ByRole, Which};
use std::sync::Arc;

/// Jordan Ellis and a member of staff have left, and Sam is here still. Of Jordan there are episodes alone.
async fn after_they_left() -> Play {
    let jordan = JORDAN.replace("person: Jordan", "person: Jordan Ellis");
    let sam = JORDAN.replace("person: Jordan", "person: Sam").replace("11:22:33", "11:22:44");
    let everybody = [("jordan", jordan.as_str()), ("sam", sam.as_str()), ("kate", LANE)];
    let play = Play::of(HOME, &everybody).await;
    becomes(&play, &everybody);
    for person in ["jordan", "kate", "sam"] {
        happens(&play, person, "games.example").await;
    }
    let episodes = play.records.episodes(&Which::default()).await.unwrap();
    let sams = episodes.iter().find(|episode| episode.person == "sam").unwrap().entry;
    let by = By { role: ByRole::Staff, id: "m.ali".into(), name: "Mo Ali".into() };
    play.records.concern(sams, "sam", by, "Sam followed Jordan, and Ellis told us").await.unwrap();
    becomes(&play, &[("sam", &sam)]);
    play
}

#[tokio::test]
async fn whoever_has_left_is_given_what_is_kept_about_them() {
    let play = after_they_left().await;
    play.records.ask("jordan", "chat.example", "please").await.unwrap();
    let page = play.signed_in("r.osei").await.get("/evidence").await.words();
    assert!(page.contains("Jordan Ellis (no agreement any more)"), "{page}");
    assert!(!page.contains("Kate Lane (no agreement") && !page.contains("kate (no agreement"), "{page}");
    let form = |person| [("person", person), ("recipient", "them"), ("purpose", "they asked")];
    for nobody in ["alex", "kate", "nobody"] {
        assert_eq!(export(&play, &form(nobody)).await.0.status, StatusCode::NOT_FOUND, "{nobody}");
    }
    let (page, bytes) = export(&play, &form("jordan")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let file = |wanted: &str| files.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
    assert!(file("episodes.json").unwrap().contains("games.example"));
    assert!(file("asks.json").unwrap().contains("chat.example"));
    assert!(file("agreement.yaml").is_none(), "none is theirs");
    for name in ["summary.html", "summary-cy.html"] {
        let own = file(name).unwrap();
        assert!(
            own.contains("Jordan Ellis") && own.contains("games.example") && !own.contains("07:00"),
            "{own}"
        );
    }
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    assert!(!all.contains("Sam"), "{all}");
    let journal = format!("{:?}", play.records.newest(1).await.unwrap());
    assert!(journal.contains("exported the records of jordan for them"), "{journal}");
}

#[tokio::test]
async fn their_name_goes_out_with_nobody_elses_records() {
    let play = after_they_left().await;
    let form = [("person", "sam"), ("recipient", "Sam"), ("purpose", "they asked")];
    let (_, bytes) = export(&play, &form).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    assert!(all.contains("Sam followed J.E., and J.E. told us"), "{all}");
    for name in ["Jordan", "jordan", "Ellis"] {
        assert!(!all.contains(name), "{name}: {all}");
    }
}

#[tokio::test]
async fn whoever_may_not_know_names_reads_none_of_theirs() {
    let play = after_they_left().await;
    let sam =
        JORDAN.replace("person: Jordan", "person: Sam").replace("games.example", "jordan-ellis.example");
    becomes(&play, &[("sam", &sam)]);
    happens(&play, "sam", "jordan-ellis.example").await;
    let page = play.signed_in("visitor").await.get(&format!("/shift?{AT}")).await;
    assert!(page.words().contains("J.E.-J.E..example"), "{}", page.words());
    for name in ["Jordan", "jordan", "Ellis"] {
        assert!(!page.text.contains(name), "{name}: {}", page.words());
    }
}

#[tokio::test]
async fn where_nobody_can_tell_all_who_left_a_page_is_refused() {
    let play = after_they_left().await;
    let sql = "INSERT INTO monitored (day, person, kind, word, counted, estimated) \
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
        SELECT '2026-11-22', 'person-' || i, 'minutes', 'games', 1, 0 FROM n";
    behind(&play, sql).await;
    let page = play.signed_in("visitor").await.get(&format!("/shift?{AT}")).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.words().contains("could not read or write its records"), "{}", page.words());
    assert!(!page.text.contains("games.example"), "{}", page.text);
    let page = play.signed_in("m.ali").await.get(&format!("/shift?{AT}")).await;
    assert!(page.status == StatusCode::OK && page.words().contains("games.example"), "{}", page.words());
}

#[tokio::test]
async fn what_was_agreed_is_not_made_up_where_nobody_can_tell() {
    let play = Play::new().await;
    let Snapshot { house, catalogue } = Arc::into_inner(snapshot(HOME, &[("jordan", JORDAN)])).unwrap();
    let unknown = Snapshot { house: house.without_records(), catalogue };
    play.in_force.replace(Arc::new(unknown), play.in_force.to_keep().standing.clone());
    let form = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    let (_, bytes) = export(&play, &form).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    for (wanted, told) in [
        ("summary.html", "<h2>My agreement</h2>\n<p>Your agreement cannot be used just now."),
        ("summary-cy.html", "<h2>Fy nghytundeb</h2>\n<p>Nid oes modd defnyddio dy gytundeb ar hyn o bryd."),
    ] {
        let own = &files.iter().find(|(name, _)| name == wanted).expect(wanted).1;
        assert!(own.contains("Jordan") && own.contains(told), "{told}: {own}");
        assert!(!own.contains("chat.example") && !own.contains("07:00"), "{own}");
    }
}
