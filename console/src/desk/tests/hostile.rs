//! Whatever a young person, a device, a file or a list may say stands on the desk as text, and as nothing else.

use super::play::{HOME, JORDAN, Play};
use super::shifts::happens;
use crate::desk::{List, Trouble, Waiting};
use records::{By, ByRole, Mark, Which};
use std::time::Duration;

/// Markup that would run, each recognisable in a page that did not escape it.
const CORPUS: [(&str, &str); 6] = [
    ("<script>alert(1)</script>", "<script>alert"),
    ("\"><img src=x onerror=alert(2)>", "<img src=x"),
    ("'><svg onload=alert(3)>", "<svg onload"),
    ("</textarea><iframe src=//evil.example>", "<iframe"),
    ("</title><style>@import'//evil.example'", "<style>@import"),
    ("{{7*7}}<b onmouseover=alert(6)>x", "<b onmouseover"),
];

const PAGES: [&str; 19] = [
    "/",
    "/shift",
    "/shift/sheet",
    "/shift/sheet?names=full",
    "/month",
    "/asks",
    "/give/jordan",
    "/restrictions",
    "/restrictions/new",
    "/people",
    "/people/jordan",
    "/people/jordan/charts",
    "/edit/agreements/jordan.yaml",
    "/devices",
    "/lists",
    "/lists?host=games.example",
    "/audit",
    "/evidence",
    "/accounts",
];

async fn play(markup: &str) -> Play {
    let quoted = format!("'{}'", markup.replace('\'', "''"));
    let jordan = JORDAN
        .replace("person: Jordan", &format!("person: {quoted}"))
        .replace("name: phone", &format!("name: {quoted}"))
        .replace(
            "young_person: {on: 2026-11-02}",
            &format!("young_person: {{on: 2026-11-02, view: {quoted}}}"),
        )
        + &format!(
            "behaviour: [{quoted}]\ntell_someone: {quoted}\nconsequences: [{{after: 1 breach in 7 days, suggest: {quoted}}}]\n"
        );
    let home = HOME
        .replace("name: Kate Lane", &format!("name: {quoted}"))
        .replace("home: Oakview House", &format!("home: {quoted}"));
    let play = Play::of(&home, &[("jordan", &jordan)]).await;
    happens(&play, "jordan", "games.example").await;
    let entry = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
    let by = || By { role: ByRole::YoungPerson, id: "jordan".into(), name: markup.to_owned() };
    play.records.ask("jordan", "chat.example", markup).await.unwrap();
    play.records.note(entry, by(), markup).await.unwrap();
    play.records.mark(entry, by(), Mark::FalseAlarm, markup).await.unwrap();
    play.records.concern(entry, "jordan", by(), markup).await.unwrap();
    play.records.report("jordan", by(), markup, None).await.unwrap();
    play.records.staff_action(by(), markup, markup).await.unwrap();
    play.records.book("jordan", markup, records::Booking::Lost, by(), markup).await.unwrap();
    let trouble = || Trouble { file: markup.into(), line: 1, sentence: markup.into(), help: markup.into() };
    let mut state = play.running.state.lock().unwrap();
    state.lists.push(List {
        name: markup.into(),
        age: markup.into(),
        names: 1,
        trouble: Some(markup.into()),
    });
    state.waiting.push(Waiting { file: markup.into(), meanwhile: markup.into(), troubles: vec![trouble()] });
    state.warnings.push(trouble());
    drop(state);
    play.clock.advance(Duration::from_secs(4 * 3600 + 600));
    play
}

#[tokio::test]
async fn markup_is_text_on_every_page() {
    let mut seen = 0;
    for (markup, runs) in CORPUS {
        let play = play(markup).await;
        for account in ["r.osei", "visitor"] {
            let mut browser = play.signed_in(account).await;
            for path in PAGES {
                let page = browser.get(path).await;
                assert!(!page.text.contains(runs), "{account} {path} runs {markup}");
                seen += page.text.matches("alert(").count();
            }
            let typed = format!(
                "/lists?host={}",
                markup.replace(['%', '&', '#', '{', '}', '<', '>', '"', ' '], "%3C")
            );
            assert!(!browser.get(&typed).await.text.contains(runs));
        }
        let mut stranger = play.browser();
        let wrong = stranger.post("/sign-in", &[("account", markup), ("password", markup)]).await;
        assert!(!wrong.text.contains(runs), "{}", wrong.text);
    }
    assert!(seen > 200, "the corpus stands on the pages, as text: {seen}");
}
