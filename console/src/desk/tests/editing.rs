//! An agreement is changed at the desk.

use super::play::{Browser, JORDAN, Page, Play};
use axum::http::StatusCode;

const FILE: &str = "/edit/agreements/jordan.yaml";

/// The print of the text that the page was opened with.
fn was(page: &Page) -> String {
    let after = page.text.split("name=\"was\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

async fn look(browser: &mut Browser, text: &str, was: &str) -> Page {
    browser.post(FILE, &[("text", text), ("was", was), ("step", "look")]).await
}

#[tokio::test]
async fn a_mistake_stands_under_its_line_and_what_is_kept_is_what_was_typed() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let page = manager.get(FILE).await;
    assert!(page.text.contains("every_day: 07:00-22:30"), "{}", page.text);
    let was = was(&page);

    let wrong = JORDAN.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 25:00}");
    let page = look(&mut manager, &wrong, &was).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.words().contains("Line 12 has to be put right"), "{}", page.words());
    assert!(page.text.contains("bedtime: {every_day: 25:00}"), "what was typed stays");
    assert!(!page.text.contains("value=\"keep\""), "what is wrong cannot be saved");
    let kept = manager.post(FILE, &[("text", &wrong), ("was", &was), ("why", "x"), ("step", "keep")]).await;
    assert_eq!(
        kept.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "nor by somebody who sends the form all the same"
    );

    // As a browser sends it: every line ends with both.
    let right = format!(
        "# agreed on Sunday\n{}",
        JORDAN.replace("{every_day: 21:00}", "{every_day: 22:00}  # was 21:00")
    );
    let sent = right.replace('\n', "\r\n");
    let page = look(&mut manager, &sent, &was).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.words().contains("gives") && page.words().contains("1 h more"), "{}", page.words());
    let form = [
        ("text", sent.as_str()),
        ("was", &was),
        ("step", "look"),
        ("host", "bbc.example"),
        ("at", "2026-11-29T21:30"),
    ];
    let page = manager.post(FILE, &form).await;
    assert!(page.words().contains("Open."), "what if is asked of what is being written: {}", page.words());
    assert!(
        page.words().contains("site : this one speaks") || page.words().contains("site: this one speaks"),
        "and how it is decided: {}",
        page.words()
    );

    // The home's rules are nobody's own: whoever asks "what if" says of whom.
    let home = super::play::HOME.replace("block: [pornography, ", "block: [pornography, bbc.example, ");
    let form = [("text", home.as_str()), ("step", "look"), ("person", "sam"), ("host", "bbc.example")];
    let page = manager.post("/edit/home.yaml", &form).await;
    assert!(
        page.words().contains("Closed.") && page.words().contains("floor: this one speaks"),
        "{}",
        page.words()
    );

    let silent = manager.post(FILE, &[("text", &sent), ("was", &was), ("step", "keep")]).await;
    assert!(silent.words().contains("Please say why"), "{}", silent.words());
    assert_eq!(
        play.running.files.lock().unwrap()["agreements/jordan.yaml"],
        JORDAN,
        "nothing is written yet"
    );
    let why = "agreed with Jordan and A. Mensah";
    let kept = manager.post(FILE, &[("text", &sent), ("was", &was), ("why", why), ("step", "keep")]).await;
    assert_eq!(kept.location(), "/people/jordan?done=saved", "{}", kept.words());
    assert_eq!(play.running.files.lock().unwrap()["agreements/jordan.yaml"], right, "comments and layout");
    assert!(manager.get(kept.location()).await.words().contains("Saved."));
    let journal = format!("{:?}", play.records.newest(5).await.unwrap());
    assert!(
        journal.contains("changed agreements/jordan.yaml at the desk") && journal.contains(why),
        "{journal}"
    );
}

#[tokio::test]
async fn two_who_change_the_same_file_lose_nothing() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let was = was(&manager.get(FILE).await);
    let theirs = JORDAN.replace("45m", "50m");
    play.running.files.lock().unwrap().insert("agreements/jordan.yaml".into(), theirs.clone());
    let mine = JORDAN.replace("4h", "5h");
    let clash =
        manager.post(FILE, &[("text", &mine), ("was", &was), ("why", "more"), ("step", "keep")]).await;
    assert_eq!(clash.status, StatusCode::CONFLICT);
    assert!(clash.text.contains("50m") && clash.text.contains("5h"), "both are shown");
    // Who was shown a file by way of a clash has looked at it, and the journal says so.
    let looked = |entries: Vec<records::Logged>| {
        format!("{entries:?}").matches("looked at the agreement of jordan").count()
    };
    let before = looked(play.records.entries(1).await.unwrap());
    let form = [("text", mine.as_str()), ("was", "nothing"), ("why", "x"), ("step", "keep")];
    for _ in 0..2 {
        let shown = play.signed_in("r.osei").await.post(FILE, &form).await;
        assert_eq!(shown.status, StatusCode::CONFLICT);
    }
    assert_eq!(looked(play.records.entries(1).await.unwrap()), before + 2, "once a session");
    assert_eq!(play.running.files.lock().unwrap()["agreements/jordan.yaml"], theirs);
}

#[tokio::test]
async fn somebody_new_is_begun() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let led = manager.get("/edit?id=Alex").await;
    assert_eq!(led.location(), "/edit/agreements/alex.yaml");
    let page = manager.get(led.location()).await;
    assert!(page.text.contains("person: Alex") && page.text.contains("A new agreement"), "{}", page.text);
    let blank = include_str!("../../../templates/desk/blank.yaml").replace("NAME", "Alex");
    let form = [("text", blank.as_str()), ("was", ""), ("why", "moves in on Monday"), ("step", "keep")];
    let kept = manager.post("/edit/agreements/alex.yaml", &form).await;
    assert_eq!(kept.location(), "/people?done=saved", "{}", kept.words());
    for id in ["../home", "a/b", "", "%00"] {
        let page = manager.get(&format!("/edit?id={id}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{id}");
    }
}

#[tokio::test]
async fn what_is_typed_is_shown_and_never_run() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let hostile = "person: </textarea><script>alert(1)</script>\nonline: \"><img src=x>\"\n";
    for step in ["look", "check", "keep"] {
        let page = manager.post(FILE, &[("text", hostile), ("was", "x"), ("step", step)]).await;
        for bad in ["<script>alert", "</textarea><script", "<img src"] {
            assert!(!page.text.contains(bad), "{step}: {}", page.text);
        }
    }
    let long = "x".repeat(70 * 1024);
    let page = manager.post(FILE, &[("text", &long), ("step", "look")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = manager.post(FILE, &[("text", &"x".repeat(300 * 1024)), ("step", "look")]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done_and_what_cannot_be_done_is_written_down() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let was = was(&manager.get(FILE).await);
    let text = JORDAN.replace("45m", "50m");
    play.running.full_disk.store(true, std::sync::atomic::Ordering::Relaxed);
    let keep = [("text", text.as_str()), ("was", &was), ("why", "more"), ("step", "keep")];
    let page = manager.post(FILE, &keep).await;
    assert!(page.words().contains("nothing was saved"), "{}", page.words());
    let journal = format!("{:?}", play.records.newest(3).await.unwrap());
    assert!(journal.contains("could not save agreements/jordan.yaml: it is as it was"), "{journal}");
    play.running.full_disk.store(false, std::sync::atomic::Ordering::Relaxed);
    // A reason that the journal does not take.
    let long = "x".repeat(5000);
    let keep = [("text", text.as_str()), ("was", &was), ("why", &long), ("step", "keep")];
    let page = manager.post(FILE, &keep).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.words());
    assert_eq!(play.running.files.lock().unwrap()["agreements/jordan.yaml"], JORDAN);
}
