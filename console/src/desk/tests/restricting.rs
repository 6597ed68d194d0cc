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
        ("no_person", vec![("person", "")], "Say whom the restriction is for. Reg 22"),
        ("nobody", vec![("person", "nobody")], "Nobody of this home has the id `nobody`"),
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
    assert!(
        page.contains("Ended early by R. Osei, planned until Mon 17:00: the police have the phone"),
        "{page}"
    );
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

/// An emergency of a whole day, which ends when the authority should have full details.
const EMERGENCY: &[(&str, &str)] = &[
    ("consent", ""),
    ("consent_on", ""),
    ("emergency", "yes"),
    ("until", "2026-11-23T17:30"),
    ("review", "2026-11-23"),
];

#[tokio::test]
async fn an_authority_waits_until_it_is_told_whatever_became_of_the_emergency() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    manager.post("/restrictions/place", &with(EMERGENCY)).await;
    manager.post("/restrictions/place", &with(&[EMERGENCY, &[("person", "sam")]].concat())).await;
    let placed = play.records.restrictions().await.unwrap();
    let of = |person: &str| placed.iter().find(|one| one.said.person == person).unwrap().entry;
    manager.post(&format!("/restrictions/{}/end", of("sam")), &[("words", "all is well")]).await;
    play.clock.advance(Duration::from_secs(24 * 3600 - 60));
    let page = play.signed_in("r.osei").await.get("/restrictions").await.words();
    assert_eq!(page.matches("within a minute").count(), 2, "{page}");
    // Over by itself, and ended early: neither takes the clock or the form away.
    play.clock.advance(Duration::from_secs(3600 + 60));
    let mut manager = play.signed_in("r.osei").await;
    let late = "The placing authority should have had full details";
    let page = manager.get("/restrictions").await;
    assert!(page.words().contains("In force None."), "{}", page.words());
    assert_eq!(page.words().matches(late).count(), 2, "{}", page.words());
    let now = play.signed_in("k.lane").await.get("/").await.words();
    assert!(now.contains(&format!("Jordan: {late}")) && now.contains(&format!("Sam: {late}")), "{now}");
    let now = play.signed_in("visitor").await.get("/").await.words();
    assert!(!now.contains(late), "{now}");
    for (person, left) in [("jordan", 1), ("sam", 0)] {
        let told = format!("/restrictions/{}/told", of(person));
        assert!(manager.get("/restrictions").await.text.contains(&told), "{person}");
        manager.post(&told, &[("words", "A. Mensah, by telephone")]).await;
        let page = manager.get("/restrictions").await;
        assert_eq!(page.words().matches(late).count(), left, "{person}: {}", page.words());
        assert!(!page.text.contains(&told), "{person}");
    }
    assert!(!play.signed_in("k.lane").await.get("/").await.words().contains(late));
    // Whether it was within 24 hours stands in the register, for a visitor too.
    for account in ["r.osei", "visitor"] {
        let page = play.signed_in(account).await.get("/restrictions").await.words();
        let told = "A. Mensah, by telephone had full details on 23 November 2026 at 18:30, 1 h late";
        assert_eq!(page.matches(told).count(), 2, "{account}: {page}");
    }
}

#[tokio::test]
async fn a_review_falls_due_and_is_done() {
    let play = Play::new().await;
    play.signed_in("r.osei").await.post("/restrictions/place", LAWFUL).await;
    let entry = play.records.restrictions().await.unwrap()[0].entry;
    let (due, overdue) =
        ("Its review is due", "Jordan’s restriction (video.example) is to be reviewed today.");
    play.clock.advance(Duration::from_secs(4 * 86_400));
    let early = play.signed_in("r.osei").await.get("/restrictions").await.words();
    assert!(!early.contains(due), "{early}");
    play.clock.advance(Duration::from_secs(86_400));
    let mut manager = play.signed_in("r.osei").await;
    let page = manager.get("/restrictions").await.words();
    assert!(page.contains(due), "{page}");
    assert!(manager.get("/").await.words().contains(overdue));
    let at = format!("/restrictions/{entry}/reviewed");
    let done = [("words", "the stranger still writes"), ("view", "I want it back"), ("next", "2026-11-28")];
    for (name, field, value, says) in [
        ("no_reason", "words", "", "Write why it is still necessary, or end it. (Reg 22)"),
        ("no_view", "view", "", "What the young person says about it now"),
        ("past_the_end", "next", "2026-11-30", "The review comes after the restriction has ended"),
        ("no_date", "next", "soon", "is no date"),
    ] {
        let form = done.map(|(key, was)| (key, if key == field { value } else { was }));
        let page = manager.post(&at, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let (said, says) = (page.words().to_lowercase(), says.to_lowercase());
        assert!(said.contains(&says), "{name}: {said}");
    }
    assert!(manager.get("/restrictions").await.words().contains(due), "nothing was written");
    assert_eq!(manager.post(&at, &done).await.location(), "/restrictions?done=reviewed");
    let page = manager.get("/restrictions").await.words();
    assert!(!page.contains(due) && !manager.get("/").await.words().contains(overdue), "{page}");
    for words in [
        "Review 28 November 2026",
        "Reviewed on 27 November 2026 by R. Osei: the stranger still writes They say: I want it back",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    play.settle().await;
    assert!(!open(&play, "video.example"), "it stays in force");
    assert!(matches!(play.records.verify(None).await.unwrap(), Verified::Whole { .. }));
    // The next one, and none of what is over.
    play.clock.advance(Duration::from_secs(86_400));
    let mut manager = play.signed_in("r.osei").await;
    assert!(manager.get("/restrictions").await.words().contains(due));
    manager.post(&format!("/restrictions/{entry}/end"), &[("words", "the police have the phone")]).await;
    let page = manager.post(&at, &[("words", "still"), ("view", "ok")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "it has ended");
    assert!(!manager.get("/").await.words().contains(overdue));
}

#[tokio::test]
async fn neither_a_group_nor_a_shared_device_is_restricted() {
    let console = "person: Lounge console\nfor: device\notherwise: allow\nonline: all_day\n\
                   devices: [{name: box, ip: 192.0.2.77}]\n";
    let sam = super::play::JORDAN.replace("Jordan", "Sam").replace("3c:06:30:11:22:33", "3c:06:30:11:22:44");
    let people = [("jordan", super::play::JORDAN), ("sam", &sam), ("lounge", console)];
    let play = Play::of(super::play::HOME, &people).await;
    let mut manager = play.signed_in("r.osei").await;
    let group = [LAWFUL, &[("person", "sam")]].concat();
    for (name, form, says) in [
        ("a_group", group, "a group is never restricted for what one of them did. Reg 19(2)(j)"),
        ("a_device", with(&[("person", "lounge")]), "A restriction is of a young person"),
        (
            "nobody_beside",
            [LAWFUL, &[("person", "jordn")]].concat(),
            "Nobody of this home has the id `jordn`",
        ),
        ("a_device_beside", [LAWFUL, &[("person", "lounge")]].concat(), "A restriction is of a young person"),
    ] {
        let page = manager.post("/restrictions/place", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(page.words().contains(says), "{name}: {}", page.words());
        let typed = page.text.contains("value=\"jordan\" selected");
        assert_eq!(typed, name != "a_device", "{name}: who was chosen still is");
    }
    assert!(play.records.live_restrictions().await.unwrap().is_empty());
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

#[tokio::test]
async fn when_it_was_reviewed_and_how_late_stands_in_the_register_and_in_the_export() {
    let play = Play::new().await;
    play.signed_in("r.osei").await.post("/restrictions/place", LAWFUL).await;
    let entry = play.records.restrictions().await.unwrap()[0].entry;
    play.clock.advance(Duration::from_secs(6 * 86_400));
    let mut manager = play.signed_in("r.osei").await;
    assert!(manager.get("/").await.words().contains("was to be reviewed on 27 November 2026."));
    let done = [("words", "the stranger still writes"), ("view", "I want it back"), ("next", "")];
    manager.post(&format!("/restrictions/{entry}/reviewed"), &done).await;
    manager.post(&format!("/restrictions/{entry}/end"), &[("words", "all is well")]).await;
    for account in ["r.osei", "visitor"] {
        let page = play.signed_in(account).await.get("/restrictions").await.words();
        for said in [
            "Reviewed on 28 November 2026, a day late by R. Osei",
            "17:30 to 17:30",
            "planned until Sun 20:00",
        ] {
            assert!(page.contains(said), "{account}: {said}: {page}");
        }
        assert_eq!(page.contains("still writes"), account == "r.osei", "{account}: {page}");
    }
}
