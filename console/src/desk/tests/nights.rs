//! Nights as they were agreed and as they were.

use super::four_weeks::in_use;
use super::play::Play;
use agreements::{GrantKind, LimitKey};
use chrono::{DateTime, Utc};
use records::{By, ByRole, Clock, FileHash, FilesChanged, NewGrant};

fn kate() -> By {
    By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() }
}

/// The clock goes on to an instant.
fn till(play: &Play, at: &str) {
    let at: DateTime<Utc> = at.parse().unwrap();
    play.clock.advance((at - play.clock.now()).to_std().unwrap());
}

async fn gives(play: &Play, until: &str, why: &str) -> i64 {
    let kind = GrantKind::ExtraTime(LimitKey::Everything);
    let until = until.parse().unwrap();
    let new = NewGrant { person: "jordan".into(), kind, until, by: kate(), reason: why.into() };
    play.records.grant(new).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_night_that_was_other_than_agreed_says_why() {
    let play = Play::new().await;
    let files = |text: &str| FilesChanged {
        in_force: vec![FileHash { file: "agreements/jordan.yaml".into(), sha256: text.into() }],
        waiting: Vec::new(),
    };
    play.records.files(files("first")).await.unwrap();
    // As agreed.
    till(&play, "2026-11-22T20:50:00Z");
    in_use(&play, 1).await;
    till(&play, "2026-11-23T12:00:00Z");
    play.records.files(files("another")).await.unwrap();
    // More, for a film; and somebody is up at half past ten without.
    till(&play, "2026-11-23T20:30:00Z");
    gives(&play, "2026-11-23T22:00:00Z", "film night").await;
    till(&play, "2026-11-23T21:40:00Z");
    in_use(&play, 1).await;
    till(&play, "2026-11-24T22:30:00Z");
    in_use(&play, 3).await;
    // What was taken back opens nothing any more.
    till(&play, "2026-11-25T20:30:00Z");
    let back = gives(&play, "2026-11-25T23:00:00Z", "a call").await;
    till(&play, "2026-11-25T21:15:00Z");
    play.records.revoke(back, kate(), "it was over").await.unwrap();
    till(&play, "2026-11-25T21:20:00Z");
    in_use(&play, 1).await;
    // And one evening is closed.
    till(&play, "2026-11-26T19:00:00Z");
    let closed = [
        ("person", "jordan"),
        ("closes", "everything"),
        ("reason", "A stranger asked Jordan to meet"),
        ("tried", "Talked it through"),
        ("until", "2026-11-27T06:00"),
        ("review", "2026-11-26"),
        ("consent", "A. Mensah, Leeds"),
        ("consent_on", "2026-11-26"),
        ("told_on", "2026-11-26"),
        ("view", "she said nothing to it"),
    ];
    let done = play.signed_in("r.osei").await.post("/restrictions/place", &closed).await;
    assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    till(&play, "2026-11-27T12:00:00Z");
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/people/jordan/nights").await;
    let words = page.words();
    for said in [
        "1 of 5 nights were as agreed; 2 with time that staff gave, 2 in use after bedtime with nothing given, 1 closed early by a restriction.",
        "has changed since 22 November",
        "Sun 22 November 21:00 (as agreed now) 20:50",
        "Mon 23 November 21:00 21:40 Given by Kate Lane, 20:30 to 22:00. Extra time. Why: film night 14:30–21:30: not signed",
        "Tue 24 November 21:00 22:32 In use after bedtime for 3 minutes, the last at 22:32, and nobody had given time then.",
        "Wed 25 November 21:00 21:20 Given by Kate Lane, 20:30 to 21:15. Extra time. Why: a call In use after bedtime for a minute, the last at 21:20",
        "Thu 26 November 21:00 not in use Closed by R. Osei from 19:00: everything but help, aids and private mail (reg 22). Why: A stranger asked Jordan to meet",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!words.contains("Fri 27"), "a night that is not over is not told");
    assert!(!page.text.contains("Sam"), "nobody is beside anybody");
    let sams = kate.get("/people/sam/nights").await.words();
    assert!(sams.contains("5 of 5 nights were as agreed."), "before the journal nobody knows: {sams}");
}
