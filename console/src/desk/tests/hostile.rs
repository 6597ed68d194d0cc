//! Whatever a young person, a device, a file or a list may say stands on the desk as text, and as nothing else.

use super::play::{HOME, JORDAN, Play};
use super::shifts::happens;
use crate::desk::{List, Trouble, Waiting, routes};
use agreements::{GrantKind, LimitKey};
use chrono::TimeDelta;
use records::{By, ByRole, Mark, NewGrant, Which};
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

/// What a page says only when it is asked for it.
const ASKED: [&str; 4] = [
    "/shift/sheet?names=full",
    "/lists?host=games.example",
    "/people/jordan?host=games.example",
    "/sample?from=2026-11-22&to=2026-11-22",
];

/// Every address of the desk, as its routes have them. What takes forms alone says so, and is a page as well.
async fn pages(play: &Play) -> Vec<String> {
    let grant = play.records.live_grants().await.unwrap()[0].entry;
    let filled = |path: &str| {
        path.replace("{token}", "none")
            .replace("{entry}", &grant.to_string())
            .replace("{person}", "jordan")
            .replace("{*file}", "agreements/jordan.yaml")
    };
    // What a page follows never ends.
    let paths = routes().into_iter().map(|(path, _, _)| path).filter(|path| *path != "/live");
    paths.map(filled).chain(ASKED.map(str::to_owned)).collect()
}

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
    let (kind, until) = (GrantKind::ExtraTime(LimitKey::Everything), play.clock_now() + TimeDelta::hours(8));
    let new = NewGrant { person: "jordan".into(), kind, until, by: by(), reason: markup.into() };
    play.records.grant(new).await.unwrap();
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
        let pages = pages(&play).await;
        for account in ["r.osei", "visitor"] {
            let mut browser = play.signed_in(account).await;
            for path in &pages {
                let page = browser.get(path).await;
                assert!(!page.status.is_server_error(), "{account} {path}: {}", page.status);
                assert!(!page.text.contains(runs), "{account} {path} runs {markup}");
                seen += page.text.matches("alert(").count();
            }
            let typed = format!(
                "/lists?host={}",
                markup.replace(['%', '&', '#', '{', '}', '<', '>', '"', ' '], "%3C")
            );
            assert!(!browser.get(&typed).await.text.contains(runs));
        }
        // What stands on a page only once another form was sent.
        let mut manager = play.signed_in("r.osei").await;
        let text =
            format!("person: Robin\notherwise: block\nonline: {{every_day: 07:00-21:00}}\n# {markup}\n");
        for (path, form) in [
            ("/edit/agreements/robin.yaml", [("step", "look"), ("text", &*text), ("why", markup)]),
            ("/edit/agreements/robin.yaml", [("step", "keep"), ("text", markup), ("why", markup)]),
            ("/edit/agreements/robin.yaml", [("step", "keep"), ("text", &*text), ("why", markup)]),
            ("/me", [("step", "offer"), ("secret", markup), ("code", markup)]),
            ("/me", [("step", "on"), ("secret", markup), ("code", markup)]),
        ] {
            let page = manager.post(path, &form).await;
            assert!(!page.status.is_server_error(), "{path} {form:?}: {}", page.status);
            assert!(!page.text.contains(runs), "{path} {form:?} runs {markup}");
        }
        let audit = manager.get("/audit").await;
        assert!(!audit.text.contains(runs), "{markup} as why a file was changed");
        assert!(audit.words().contains("changed agreements/robin.yaml at the desk"), "{}", audit.words());
        let mut stranger = play.browser();
        let wrong = stranger.post("/sign-in", &[("account", markup), ("password", markup)]).await;
        assert!(!wrong.text.contains(runs), "{}", wrong.text);
    }
    assert!(seen > 200, "the corpus stands on the pages, as text: {seen}");
}
