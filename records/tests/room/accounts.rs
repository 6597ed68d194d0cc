//! Who may sign in at the desk.

use crate::play::Play;
use chrono::TimeDelta;
use records::{Clock, Link, MOST_SESSIONS, Session};
use std::time::Duration;

fn session(play: &Play, token: &str, account: &str) -> Session {
    let now = play.clock.now();
    Session {
        token: token.into(),
        account: account.into(),
        began: now,
        seen: now,
        browser: "a browser".into(),
        address: "192.168.4.9".into(),
    }
}

fn link(play: &Play, token: &str) -> Link {
    Link { token: token.into(), account: "k.lane".into(), ends: play.clock.now() + TimeDelta::hours(24) }
}

pub async fn a_link_sets_a_password_once(play: Play) {
    let records = play.records().await;
    assert_eq!(records.password("k.lane").await.unwrap(), None);
    records.put_link(&link(&play, "first")).await.unwrap();
    records.put_link(&link(&play, "second")).await.unwrap();
    assert_eq!(records.redeem("first", "hash-1").await.unwrap(), None, "a newer link takes its place");
    records.open_session(&session(&play, "s", "k.lane")).await.unwrap();
    assert_eq!(records.redeem("second", "hash-1").await.unwrap().as_deref(), Some("k.lane"));
    assert_eq!(records.redeem("second", "hash-2").await.unwrap(), None, "used up");
    assert_eq!(records.password("k.lane").await.unwrap().as_deref(), Some("hash-1"));
    assert_eq!(records.session("s").await.unwrap(), None, "who was signed in by the old password is no more");
    records.put_link(&link(&play, "third")).await.unwrap();
    play.clock.advance(Duration::from_secs(24 * 3600 + 1));
    assert_eq!(records.link("third").await.unwrap(), None, "a day old");
    assert_eq!(records.redeem("third", "hash-3").await.unwrap(), None, "a day old");
    records.put_link(&link(&play, "fourth")).await.unwrap();
    records.set_password("k.lane", "hash-4").await.unwrap();
    assert_eq!(records.link("fourth").await.unwrap(), None, "whoever finds an old link opens nothing");
    let accounts = records.accounts().await.unwrap();
    assert_eq!(accounts, [("k.lane".to_owned(), play.clock.now())]);
}

pub async fn sessions_are_few_and_end(play: Play) {
    let records = play.records().await;
    records.open_session(&session(&play, "other", "r.osei")).await.unwrap();
    for n in 0..MOST_SESSIONS + 2 {
        play.clock.advance(Duration::from_secs(1));
        records.open_session(&session(&play, &format!("s{n}"), "k.lane")).await.unwrap();
    }
    let open = records.sessions().await.unwrap();
    let of = |account: &str| open.iter().filter(|s| s.account == account).count() as i64;
    assert_eq!((of("k.lane"), of("r.osei")), (MOST_SESSIONS, 1));
    assert_eq!(records.session("s0").await.unwrap(), None, "the one that was quiet longest made room");
    play.clock.advance(Duration::from_secs(60));
    records.saw_session("s5", play.clock.now()).await.unwrap();
    assert_eq!(records.session("s5").await.unwrap().unwrap().seen, play.clock.now());
    assert_eq!(records.sessions().await.unwrap()[0].token, "s5", "the one used last first");
    assert!(records.end_session("s5").await.unwrap());
    assert!(!records.end_session("s5").await.unwrap());
    assert_eq!(records.end_sessions("k.lane").await.unwrap(), MOST_SESSIONS as u64 - 1);
    play.clock.advance(Duration::from_secs(24 * 3600));
    records.open_session(&session(&play, "new", "k.lane")).await.unwrap();
    assert_eq!(records.session("other").await.unwrap(), None, "forgotten after a day");
}

pub async fn a_code_opens_once(play: Play) {
    let records = play.records().await;
    records.set_password("k.lane", "hash").await.unwrap();
    assert_eq!(records.codes("k.lane").await.unwrap(), None);
    records.set_codes("k.lane", "SECRET", 100).await.unwrap();
    assert_eq!(records.codes("k.lane").await.unwrap(), Some(("SECRET".to_owned(), 100)));
    for (step, opens) in [(100, false), (101, true), (101, false), (100, false), (102, true)] {
        assert_eq!(records.use_step("k.lane", step).await.unwrap(), opens, "{step}");
    }
    // A new password is no way around: the second factor stays.
    records.set_password("k.lane", "hash-2").await.unwrap();
    assert!(records.codes("k.lane").await.unwrap().is_some());
    records.set_codes("k.lane", "", 0).await.unwrap();
    assert_eq!(records.codes("k.lane").await.unwrap(), None);
}
