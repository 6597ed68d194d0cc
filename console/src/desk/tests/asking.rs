//! Asks, grants, and taking back.

use super::play::{HOME, JORDAN, Page, Play};
use agreements::{GrantKind, Host, What, Word};
use axum::http::StatusCode;
use blocklists::Name;
use chrono::{DateTime, Utc};
use records::{Clock, Which};
use std::time::Duration;

/// Whether a host is open for Jordan, as the gateway would decide.
fn open(play: &Play, host: &str) -> bool {
    let current = play.in_force.current();
    let who = current.snapshot.house.person("jordan").unwrap();
    let host = Host::Name(Name::new(host).unwrap());
    current.snapshot.judge(who, play.clock.now(), host, None, &current.standing).allows()
}

/// Whether an address of the page is a script.
fn runs(page: &Page) -> bool {
    ["href", "src", "action"].iter().any(|key| page.text.contains(&format!("{key}=\"javascript:")))
}

fn hidden(page: &Page) -> bool {
    page.text.contains("<script>alert")
}

#[tokio::test]
async fn an_ask_is_approved_and_lapses() {
    let play = Play::new().await;
    let ask = play.records.ask("jordan", "chat.example", "everyone from school is on it").await.unwrap();
    let mut browser = play.signed_in("k.lane").await;
    let page = browser.get("/asks").await.words();
    for words in
        ["Jordan asks for chat.example", "everyone from school", "Tonight until 21:00", "Say no, kindly"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let done = browser.post(&format!("/asks/{ask}/yes"), &[("for", "30m"), ("why", "agreed at tea")]).await;
    assert_eq!(done.location(), "/asks?done=yes");
    play.settle().await;
    assert!(open(&play, "chat.example") && !open(&play, "games.example"));
    play.clock.advance(Duration::from_secs(60));
    let page = browser.get("/asks?done=yes").await.words();
    for words in [
        "Nobody waits",
        "It works within a second",
        "Yes: agreed at tea",
        "Kate Lane",
        "after less than a minute",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    play.clock.advance(Duration::from_secs(29 * 60));
    assert!(!open(&play, "chat.example"), "lapsed on time");
    let again = browser.post(&format!("/asks/{ask}/yes"), &[("for", "30m")]).await;
    assert_eq!(again.location(), "/sign-in", "half an hour later they have signed out");
    let again = play.signed_in("k.lane").await.post(&format!("/asks/{ask}/yes"), &[("for", "30m")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.words().contains("answered it already"), "{}", again.words());
}

#[tokio::test]
async fn for_how_long_each_answer_opens() {
    for (answer, ends) in [
        ("once", Some("2026-11-22T17:40:00Z")),
        ("30m", Some("2026-11-22T18:00:00Z")),
        ("1h", Some("2026-11-22T18:30:00Z")),
        ("tonight", Some("2026-11-22T21:00:00Z")),
        ("always", Some("2026-11-22T21:00:00Z")),
        ("for ever", None),
        ("", None),
    ] {
        let play = Play::new().await;
        let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
        let mut browser = play.signed_in("k.lane").await;
        let done = browser.post(&format!("/asks/{ask}/yes"), &[("for", answer)]).await;
        let live = play.records.live_grants().await.unwrap();
        let until = live.first().map(|grant| grant.until);
        assert_eq!(until, ends.map(|at| at.parse::<DateTime<Utc>>().unwrap()), "{answer}: {}", done.status);
        if answer == "always" {
            let page = browser.get(done.location()).await.words();
            assert!(
                page.contains("agreements/jordan.yaml")
                    && page.contains("allow: [bbc.example, chat.example]"),
                "{page}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_came_late_stands_there_with_its_line_and_its_wait() {
    let play = Play::new().await;
    let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
    play.clock.advance(Duration::from_secs(26 * 3600));
    let mut browser = play.signed_in("k.lane").await;
    let done =
        browser.post(&format!("/asks/{ask}/yes"), &[("for", "always"), ("why", "we looked at it")]).await;
    let page = browser.get(done.location()).await.words();
    for words in ["Yes: we looked at it", "after 26 h", "allow: [bbc.example, chat.example]"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    play.clock.advance(Duration::from_secs(25 * 3600));
    let page = play.signed_in("k.lane").await.get("/asks").await.words();
    assert!(!page.contains("we looked at it"), "that was the day before: {page}");
}

#[tokio::test]
async fn more_time_has_no_always() {
    let play = Play::new().await;
    let ask = play.records.ask_time("jordan", "one more game").await.unwrap();
    let mut browser = play.signed_in("k.lane").await;
    let page = browser.get("/asks").await;
    assert!(
        page.text.contains("value=\"tonight\"") && !page.text.contains("value=\"always\""),
        "{}",
        page.text
    );
    let page = browser.post(&format!("/asks/{ask}/yes"), &[("for", "always")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.words().contains("More time has no line"), "{}", page.words());
    assert!(play.records.live_grants().await.unwrap().is_empty());
    play.records.ask("jordan", "chat.example", "").await.unwrap();
    assert_eq!(browser.get("/asks").await.text.matches("value=\"always\"").count(), 1);
}

#[tokio::test]
async fn an_agreement_with_its_words_in_lines_gets_no_second_list() {
    let jordan = JORDAN
        .replace("allow: [bbc.example]", "allow:\n  - bbc.example")
        .replace("ask: [chat.example]", "ask:\n  - chat.example # everybody is there\n  - other.example");
    let play = Play::of(HOME, &[("jordan", &jordan)]).await;
    let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
    let mut browser = play.signed_in("k.lane").await;
    let done = browser.post(&format!("/asks/{ask}/yes"), &[("for", "always")]).await;
    let page = browser.get(done.location()).await.words();
    assert!(page.contains("goes: - chat.example # everybody is there"), "{page}");
    assert!(page.contains("set in like it: - chat.example") && !page.contains("allow: ["), "{page}");
}

#[tokio::test]
async fn always_is_no_answer_where_no_line_opens_anything() {
    let mail = JORDAN.replace("person: Jordan\n", "person: Jordan\nprofile: email_only\n");
    let play = Play::of(HOME, &[("jordan", &mail)]).await;
    play.records.ask("jordan", "chat.example", "").await.unwrap();
    let page = play.signed_in("k.lane").await.get("/asks").await;
    assert!(page.text.contains("value=\"once\"") && !page.text.contains("value=\"always\""), "{}", page.text);
}

#[tokio::test]
async fn always_is_an_answer_after_bedtime_too() {
    let play = Play::new().await;
    play.clock.advance(Duration::from_secs(5 * 3600));
    let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
    let mut browser = play.signed_in("k.lane").await;
    let page = browser.get("/asks").await;
    assert!(
        page.text.contains("value=\"always\"") && !page.text.contains("value=\"tonight\""),
        "{}",
        page.text
    );
    assert!(page.words().contains("Always 10 minutes, and a line for the agreement"), "{}", page.words());
    let done = browser.post(&format!("/asks/{ask}/yes"), &[("for", "always")]).await;
    let until = play.records.live_grants().await.unwrap()[0].until;
    assert_eq!(until, "2026-11-22T22:40:00Z".parse::<DateTime<Utc>>().unwrap(), "{}", done.status);
    let page = browser.get(done.location()).await.words();
    assert!(page.contains("allow: [bbc.example, chat.example]") && !page.contains("for tonight"), "{page}");
}

#[tokio::test]
async fn a_no_is_kind_and_stands_in_the_journal() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    for (form, reason) in [
        (vec![("kind", "0")], "Not tonight: it is late, and sleep matters. Ask me again tomorrow."),
        (
            vec![("kind", "1"), ("why", "Your sister rings at eight, let’s wait for her.")],
            "Your sister rings at eight, let’s wait for her.",
        ),
    ] {
        let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
        assert_eq!(browser.post(&format!("/asks/{ask}/no"), &form).await.location(), "/asks?done=no");
        let all = play.records.asks(Some("2026-11-22T00:00:00Z".parse().unwrap())).await.unwrap();
        let answered = all[0].answered.clone().unwrap();
        assert_eq!(
            (answered.reason.as_str(), answered.grant, answered.by.id.as_str()),
            (reason, None, "k.lane")
        );
    }
    let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
    let silent = browser.post(&format!("/asks/{ask}/no"), &[("kind", "99")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "a no without a reason is none");
    assert_eq!(play.records.asks(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_yes_that_would_open_nothing_is_told_before() {
    let floor = super::play::HOME
        .replace("[pornography, circumvention]", "[pornography, circumvention, chat.example]");
    let play = Play::of(&floor, &[("jordan", super::play::JORDAN)]).await;
    play.records.ask("jordan", "chat.example", "").await.unwrap();
    let page = play.signed_in("k.lane").await.get("/asks").await.words();
    assert!(page.contains("A yes would not open it. Still closed for Jordan: chat.example."), "{page}");
}

#[tokio::test]
async fn what_staff_give_and_take_back() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    for (form, kind) in [
        (vec![("what", "time"), ("of", "everything"), ("for", "30m"), ("why", "dinner")], Some("Extra time")),
        (
            vec![("what", "time"), ("of", "video.example"), ("for", "15m"), ("why", "birthday")],
            Some("Extra time for video.example"),
        ),
        (
            vec![
                ("what", "sites"),
                ("words", "games.example, chat.example"),
                ("for", "1h"),
                ("why", "together"),
            ],
            Some("Open: games.example, chat.example"),
        ),
        (
            vec![
                ("what", "supervised"),
                ("words", ""),
                ("for", "1h"),
                ("device", "phone"),
                ("adult", "m.ali"),
                ("why", "looked at it"),
            ],
            Some("Together with Mo Ali on the phone"),
        ),
        (
            vec![
                ("what", "supervised"),
                ("for", "1h"),
                ("device", "fridge"),
                ("adult", "m.ali"),
                ("why", "x"),
            ],
            None,
        ),
        (
            vec![("what", "supervised"), ("for", "1h"), ("device", "phone"), ("adult", "it"), ("why", "x")],
            None,
        ),
        (vec![("what", "supervised"), ("for", "1h"), ("device", "phone"), ("why", "x")], None),
        (vec![("what", "sites"), ("words", "gamez"), ("for", "1h"), ("why", "x")], None),
        (vec![("what", "sites"), ("words", ""), ("for", "1h"), ("why", "x")], None),
        (vec![("what", "time"), ("for", "30m"), ("why", " ")], None),
        (vec![("what", "education"), ("learner", "sam"), ("for", "30m"), ("why", "maths")], None),
        (vec![("what", "everything"), ("for", "30m"), ("why", "x")], None),
    ] {
        let before = play.records.live_grants().await.unwrap().len();
        let page = browser.post("/give/jordan", &form).await;
        let after = play.records.live_grants().await.unwrap();
        match kind {
            Some(kind) => {
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{form:?}: {}", page.words());
                let told = browser.get(page.location()).await.words();
                assert!(told.contains(&format!("{kind}, until")), "{kind}: {told}");
                play.settle().await;
                assert!(browser.get("/").await.words().contains(kind), "and it stands on Now");
            }
            None => assert_eq!((page.status.is_client_error(), after.len()), (true, before), "{form:?}"),
        }
    }
    let told = browser
        .post("/give/jordan", &[("what", "sites"), ("words", "gamez"), ("for", "1h"), ("why", "x")])
        .await;
    assert!(told.words().contains("games"), "what would be right: {}", told.words());
    assert!(open(&play, "games.example"));
    let grants = play.records.live_grants().await.unwrap();
    let sites = |g: &&agreements::LiveGrant| {
        g.kind
            == GrantKind::Sites(What::Words(vec![
                Word::parse("games.example").unwrap(),
                Word::parse("chat.example").unwrap(),
            ]))
    };
    let entry = grants.iter().find(sites).unwrap().entry;
    assert!(
        browser.get(&format!("/grants/{entry}/end")).await.words().contains("Jordan : Open: games.example")
    );
    let silent = browser.post(&format!("/grants/{entry}/end"), &[("why", "")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = browser.post(&format!("/grants/{entry}/end"), &[("why", "it got late")]).await;
    assert_eq!(done.location(), "/?done=back");
    play.settle().await;
    assert!(!open(&play, "games.example"));
    assert_eq!(browser.get(&format!("/grants/{entry}/end")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/give/nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_education_session_is_opened_on_its_device() {
    let laptop = "person: School laptop\nfor: device\nprofile: education_session\ndevices: [{name: laptop, ip: 192.168.4.20}]\n";
    let play = Play::of(super::play::HOME, &[("jordan", super::play::JORDAN), ("laptop", laptop)]).await;
    let mut browser = play.signed_in("k.lane").await;
    assert!(browser.get("/give/laptop").await.words().contains("An education session"));
    let form = [("what", "education"), ("learner", "jordan"), ("for", "1h"), ("why", "maths")];
    let page = browser.post("/give/laptop", &form).await;
    assert!(browser.get(page.location()).await.words().contains("Education session for Jordan, until 18:30"));
}

/// What somebody may have typed, or a device may be called.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><script>alert(2)</script>",
    "' onmouseover='alert(3)",
    "</textarea><script>alert(4)</script>",
    "javascript:alert(5)",
];

#[tokio::test]
async fn whatever_anybody_typed_is_shown_as_they_typed_it() {
    let mut checked = 0;
    for typed in HOSTILE {
        let quoted = typed.replace('\\', "\\\\").replace('"', "\\\"");
        let jordan = super::play::JORDAN
            .replace("person: Jordan", &format!("person: \"{quoted}\""))
            .replace("name: phone", &format!("name: \"{quoted}\""));
        let home = super::play::HOME.replace("name: Kate Lane", &format!("name: \"{quoted}\""));
        let play = Play::of(&home, &[("jordan", &jordan)]).await;
        play.running.state.lock().unwrap().waiting.push(crate::desk::Waiting {
            file: typed.to_owned(),
            meanwhile: typed.to_owned(),
            troubles: vec![crate::desk::Trouble {
                file: typed.to_owned(),
                line: 1,
                sentence: typed.to_owned(),
                help: typed.to_owned(),
            }],
        });
        let ask = play.records.ask("jordan", "chat.example", typed).await.unwrap();
        super::shifts::happens(&play, "jordan", "games.example").await;
        let episode = play.records.episodes(&Which::default()).await.unwrap()[0].entry;
        let mut browser = play.signed_in("k.lane").await;
        play.in_force.current().device_in_use(Some(0), play.clock.now());
        browser.post(&format!("/episodes/{episode}"), &[("mark", "note"), ("words", typed)]).await;
        browser.post(&format!("/episodes/{episode}"), &[("mark", "spoke"), ("words", typed)]).await;
        browser.post(&format!("/episodes/{episode}"), &[("mark", "concern"), ("words", typed)]).await;
        browser.post("/give/jordan", &[("what", "time"), ("for", "1h"), ("why", typed)]).await;
        let wrong = browser
            .post("/give/jordan", &[("what", "sites"), ("words", typed), ("for", "1h"), ("why", "x")])
            .await;
        assert!(!hidden(&wrong), "{typed}");
        let signing = play.browser().post("/sign-in", &[("account", typed), ("password", typed)]).await;
        assert!(!hidden(&signing), "{typed}");
        let at = "2026-11-22T17:30:00Z";
        let mut pages =
            vec!["/".to_owned(), "/asks".to_owned(), "/give/jordan".to_owned(), "/month".to_owned()];
        pages.push(format!("/shift?at={at}"));
        pages.push(format!("/shift/sheet?at={at}&names=full"));
        pages.push(format!(
            "/shift?at={at}&person=%3Cscript%3Ealert(1)%3C/script%3E&severity=%22%3E%3Cscript%3Ealert(1)"
        ));
        browser.post(&format!("/asks/{ask}/no"), &[("why", typed)]).await;
        pages.push("/asks?done=%3Cscript%3Ealert(1)%3C/script%3E".to_owned());
        for page in pages {
            let shown = browser.get(&page).await;
            assert_eq!(shown.status, StatusCode::OK, "{page} {typed}");
            assert!(
                !hidden(&shown) && !runs(&shown) && !shown.text.contains("' onmouseover='"),
                "{page} {typed}: {}",
                shown.text
            );
            checked += 1;
        }
    }
    assert_eq!(checked, HOSTILE.len() * 8);
}
