//! The register of restrictions.

use super::play::Play;
use agreements::{Host, House};
use axum::http::StatusCode;
use blocklists::Name;
use records::{Clock, Verified};
use std::time::Duration;

/// A restriction with everything that makes it lawful.
const LAWFUL: &[(&str, &str)] = &[
    ("person", "jordan"),
    ("closes", "video.example"),
    ("reason", "A stranger asked Jordan to meet; the police are informed"),
    ("tried", "Blocked the account, talked it through"),
    ("until", "2026-11-29T20:00"),
    ("review", "2026-11-27"),
    ("consent", "A. Mensah, Leeds"),
    ("consent_on", "2026-11-22"),
    ("told_on", "2026-11-22"),
    ("view", "fair enough"),
];

/// The same with other values.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = LAWFUL.to_vec();
    for (key, value) in changes {
        form.retain(|(known, _)| known != key);
        form.push((key, value));
    }
    form
}

fn open(play: &Play, host: &str) -> bool {
    let current = play.in_force.current();
    let who = current.snapshot.house.person("jordan").unwrap_or(House::NOBODY);
    current
        .snapshot
        .judge(who, play.clock.now(), Host::Name(Name::new(host).unwrap()), None, &current.standing)
        .allows()
}

#[tokio::test]
async fn a_lawful_one_closes_and_ends() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    assert!(manager.get("/restrictions/new?person=sam").await.text.contains("value=\"sam\" selected"));
    let done = manager.post("/restrictions/place", LAWFUL).await;
    assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    play.settle().await;
    assert!(!open(&play, "video.example") && open(&play, "bbc.example"));
    let page = manager.get("/restrictions").await.words();
    for words in [
        "Jordan: video.example",
        "17:30 to Sun 29 November 20:00",
        "A stranger asked",
        "A. Mensah, Leeds consented on 22 November 2026",
        "Review 27 November 2026",
        "fair enough",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let now = play.signed_in("k.lane").await.get("/").await.words();
    assert!(now.contains("Restricted: video.example"), "{now}");
    // It ends by itself, and stays in the register.
    play.clock.advance(Duration::from_secs(7 * 86_400 + 3 * 3600));
    play.settle().await;
    assert!(open(&play, "video.example"));
    let page = play.signed_in("r.osei").await.get("/restrictions").await.words();
    assert!(page.contains("In force None.") && page.contains("By itself"), "{page}");
}

#[tokio::test]
async fn what_the_law_forbids_is_refused_in_its_words() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    for (name, changes, says) in [
        ("support", vec![("closes", "childline.org.uk")], "`childline.org.uk` is among"),
        ("assistive", vec![("closes", "relay.example")], "no restriction may close it. Reg"),
        ("private_mail", vec![("closes", "private_mail")], "`private_mail` is among"),
        ("no_end", vec![("until", "")], "Say when it ends: a restriction never stands open-ended. Reg 22"),
        ("too_long", vec![("until", "2027-11-29T20:00")], "It stands for 92 days at most."),
        ("no_reason", vec![("reason", "")], "necessary for the young person's safety or welfare. Reg 22"),
        ("punishment", vec![("reason", "as a punishment")], "is no measure of discipline"),
        ("nothing_tried", vec![("tried", "")], "what was tried or considered that restricts less. Reg 22"),
        ("no_consent", vec![("consent", "")], "Reg 22"),
        ("nobody", vec![("person", "nobody")], "Say whom the restriction is for. Reg 22"),
        ("no_review", vec![("review", "")], "Say on which day it is reviewed. Reg 22"),
        ("not_told", vec![("told_on", "")], "Reg 22"),
        ("no_view", vec![("view", "")], "Reg"),
        ("no_such_word", vec![("closes", "vidoe")], "no site, service or category"),
        ("no_such_date", vec![("review", "tomorrow")], "is no date"),
    ] {
        let page = manager.post("/restrictions/place", &with(&changes)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", page.words());
        // In the alert itself: the form's labels have such words, too.
        let alert = page
            .text
            .split("aria-labelledby=\"wrong\"")
            .nth(1)
            .expect(name)
            .split("</section>")
            .next()
            .unwrap();
        let alert = super::play::Page { text: alert.to_owned(), ..page.clone() }.words();
        let alert = alert.replace("&#39;", "'").replace("&#x27;", "'");
        assert!(alert.contains(says), "{name}: {alert}");
        if changes[0].0 != "reason" {
            assert!(
                page.text.contains("A stranger asked Jordan to meet"),
                "{name}: what was typed is still there"
            );
        }
    }
    assert!(
        manager.post("/restrictions/place", &with(&[("until", "")])).await.words().contains("Reg"),
        "with the regulation"
    );
    assert!(play.records.live_restrictions().await.unwrap().is_empty());
    let staff = play.signed_in("k.lane").await.post("/restrictions/place", LAWFUL).await;
    assert_eq!(staff.status, StatusCode::FORBIDDEN, "a manager's decision");
}

#[tokio::test]
async fn an_emergency_has_a_day_and_a_clock() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let emergency = with(&[
        ("consent", ""),
        ("consent_on", ""),
        ("emergency", "yes"),
        ("until", "2026-11-23T17:00"),
        ("review", "2026-11-23"),
    ]);
    let done = manager.post("/restrictions/place", &emergency).await;
    assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    let page = manager.get("/restrictions").await.words();
    assert!(page.contains("Full details to the placing authority within 24 h"), "{page}");
    let entry = play.records.restrictions().await.unwrap()[0].entry;
    play.clock.advance(Duration::from_secs(120));
    let silent = manager.post(&format!("/restrictions/{entry}/told"), &[("words", "")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    manager.post(&format!("/restrictions/{entry}/told"), &[("words", "A. Mensah, by telephone")]).await;
    let page = manager.get("/restrictions").await.words();
    assert!(
        page.contains("A. Mensah, by telephone had full details") && !page.contains("within 2"),
        "{page}"
    );
    let done =
        manager.post(&format!("/restrictions/{entry}/end"), &[("words", "the police have the phone")]).await;
    assert_eq!(done.location(), "/restrictions?done=ended");
    let page = manager.get("/restrictions").await.words();
    assert!(page.contains("Ended early by R. Osei: the police have the phone"), "{page}");
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

#[tokio::test]
async fn an_authority_that_was_not_told_in_time_is_said() {
    let play = Play::new().await;
    let emergency = with(&[
        ("consent", ""),
        ("consent_on", ""),
        ("emergency", "yes"),
        ("until", "2026-11-23T17:30"),
        ("review", "2026-11-23"),
    ]);
    play.signed_in("r.osei").await.post("/restrictions/place", &emergency).await;
    play.clock.advance(Duration::from_secs(24 * 3600 - 60));
    let page = play.signed_in("r.osei").await.get("/restrictions").await.words();
    assert!(page.contains("within a minute"), "{page}");
}

#[tokio::test]
async fn reached_consequences_are_suggested_and_nothing_happens() {
    let agreed = format!(
        "{}consequences:\n  - {{after: 2 breaches in 7 days, suggest: key-worker conversation}}\n",
        super::play::JORDAN
    );
    let play = Play::of(super::play::HOME, &[("jordan", &agreed)]).await;
    super::shifts::happens(&play, "jordan", "games.example").await;
    let mut kate = play.signed_in("k.lane").await;
    assert!(!kate.get("/restrictions").await.words().contains("key-worker"));
    super::shifts::happens(&play, "jordan", "chat.example").await;
    let page = kate.get("/restrictions").await.words();
    assert!(
        page.contains("Jordan : key-worker conversation 2 of “breaches” in 7 days; 2 were agreed"),
        "{page}"
    );
    assert!(open(&play, "bbc.example"), "nothing happens by itself");
    play.clock.advance(Duration::from_secs(8 * 86_400));
    assert!(
        !play.signed_in("k.lane").await.get("/restrictions").await.words().contains("key-worker"),
        "a week later it is over"
    );
}

#[tokio::test]
async fn a_visitor_reads_the_register_without_names_and_reasons() {
    let play = Play::new().await;
    play.signed_in("r.osei").await.post("/restrictions/place", LAWFUL).await;
    let page = play.signed_in("visitor").await.get("/restrictions").await;
    assert!(
        page.words().contains("J.: video.example") && page.words().contains("A. Mensah, Leeds consented"),
        "{}",
        page.words()
    );
    for word in ["Jordan", "stranger", "fair enough", "<form method=\"post\" action=\"/restrictions"] {
        assert!(!page.text.contains(word), "{word}");
    }
}
