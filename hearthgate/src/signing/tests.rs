//! One room for PINs: whoever types one, and wherever.

use super::*;
use agreements::{Snapshot, Store};
use blocklists::Catalogue;
use records::SetClock;
use tempfile::TempDir;

const AGREED: &str = "agreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28}\n  young_person: {on: 2026-11-02}\n  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n  home_manager: {name: R. Osei, on: 2026-11-02}\nonline: {every_day: 07:00-21:00}\n";

async fn signing(folder: &TempDir) -> Signing {
    let now = "2026-11-22T17:30:00Z".parse::<DateTime<Utc>>().unwrap();
    let files = [
        ("home.yaml".to_owned(), "home: Oakview\ntimezone: Europe/London\n".to_owned()),
        ("agreements/jo.yaml".to_owned(), format!("person: Jo\n{AGREED}")),
        ("agreements/sam.yaml".to_owned(), format!("person: Sam\n{AGREED}")),
    ];
    let house = agreements::read(&files, now.date_naive()).house;
    let snapshot = Arc::new(Snapshot { house, catalogue: Arc::new(Catalogue::empty()) });
    let clock = Arc::new(SetClock::at(now));
    let store = Store::Sqlite("home.db".into());
    let records = Arc::new(Records::open(&store, folder.path(), clock.clone()).await.unwrap());
    let standing = Arc::new(records.standing(&snapshot.house).await.unwrap());
    Signing::new(Arc::new(InForce::new(snapshot, standing)), clock, records)
}

fn device(n: u8) -> Face {
    Face::Mac([2, 0, 0, 0, 0, n])
}

#[tokio::test]
async fn tries_at_one_page_count_at_the_other() {
    let folder = TempDir::new().unwrap();
    let signing = signing(&folder).await;
    signing.give("jo", "482913").await.unwrap();
    assert_eq!(signing.knows(device(2), "Jo", " 482913 ").await, Ok("jo".to_owned()));
    for wrong in ["111111", "482914"] {
        assert_eq!(signing.knows(device(1), "Jo", wrong).await, Err(Tried::Wrong), "{wrong}");
        assert_eq!(signing.try_pin(device(1), "Jo", wrong).await, Tried::Wrong, "{wrong}");
    }
    assert!(matches!(signing.knows(device(1), "Jo", "482915").await, Err(Tried::Locked(_))), "the fifth");
    // The right one opens nothing there any more, at either page; on another device it does.
    assert!(matches!(signing.try_pin(device(1), "Jo", "482913").await, Tried::Locked(_)));
    assert!(matches!(signing.knows(device(1), "Jo", "482913").await, Err(Tried::Locked(_))));
    assert_eq!(signing.try_pin(device(2), "jo", "482913").await, Tried::SignedIn);
}

#[tokio::test]
async fn a_housemate_who_guesses_keeps_nobody_from_the_device_they_sign_in_on() {
    let folder = TempDir::new().unwrap();
    let signing = signing(&folder).await;
    signing.give("jo", "482913").await.unwrap();
    assert_eq!(signing.try_pin(device(1), "Jo", "482913").await, Tried::SignedIn);
    assert!(signing.end(device(1)));
    // A housemate's phone, under as many hardware addresses as it takes.
    let now = signing.clock.steady();
    for n in 0..10 {
        let guess = vec![Of::Device(device(100 + n)), Of::Person("jo".to_owned())];
        assert_eq!(signing.attempts().failed(guess, now).0.len(), usize::from(n == 9));
    }
    assert!(matches!(signing.try_pin(device(120), "Jo", "482913").await, Tried::Locked(_)));
    assert_eq!(signing.try_pin(device(1), "Jo", "482913").await, Tried::SignedIn);
    assert!(matches!(signing.try_pin(device(120), "Jo", "482913").await, Tried::Locked(_)), "still");
    // A slip of their own that makes that lock longer is a slip here.
    for n in 0..9 {
        signing.attempts().failed(vec![Of::Device(device(130 + n)), Of::Person("jo".to_owned())], now);
    }
    assert_eq!(signing.try_pin(device(1), "Jo", "482914").await, Tried::Wrong);
    assert_eq!(signing.try_pin(device(1), "Jo", "482913").await, Tried::SignedIn);
    // Whoever knows the PIN of before has shown nothing.
    signing.give("jo", "731904").await.unwrap();
    for n in 0..10 {
        signing.attempts().failed(vec![Of::Device(device(100 + n)), Of::Person("jo".to_owned())], now);
    }
    assert!(matches!(signing.try_pin(device(1), "Jo", "731904").await, Tried::Locked(_)));
}

#[tokio::test]
async fn whoever_gives_a_pin_there_is_one_rule() {
    let folder = TempDir::new().unwrap();
    let signing = signing(&folder).await;
    for weak in ["4719", "123456", "48291348291", "48291a"] {
        assert!(matches!(signing.give("sam", weak).await, Err(NoPin::Weak(_))), "{weak}");
    }
    signing.give("sam", "482913").await.unwrap();
    assert_eq!(signing.try_pin(device(3), "Sam", "482913").await, Tried::SignedIn);
    signing.give("sam", "731904").await.unwrap();
    assert!(!signing.end(device(3)), "a new one has signed them out");
    assert_eq!(signing.knows(device(4), "Sam", "731904").await, Ok("sam".to_owned()));
}
