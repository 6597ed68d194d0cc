//! On a device that several share: a PIN, and the turn that it opens.

use super::{LOUNGE, LOUNGE_TOO, OWN, SAMS, Young, token};
use crate::desk::tests::shifts::happens;
use crate::pages::Told;
use axum::http::StatusCode;
use std::time::Duration;

#[tokio::test]
async fn on_a_shared_device_a_pin_shows_ones_own_pages_for_a_while() {
    let young = Young::new().await;
    happens(&young.play, "jordan", "games.example").await;
    let mut desk = young.play.signed_in("k.lane").await;
    let weak = desk.post("/people/jordan/pin", &[("pin", "1234")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        desk.post("/people/jordan/pin", &[("pin", "471982")]).await.location(),
        "/people/jordan?done=pin"
    );
    assert_eq!(desk.post("/people/lounge/pin", &[("pin", "471982")]).await.status, StatusCode::NOT_FOUND);

    let origin = format!("http://{OWN}");
    let (_, page) = young.get(LOUNGE, "/").await;
    let form = |name: &str, pin: &str| format!("name={name}&pin={pin}&token={}", token(&page));
    for (name, pin) in [("Jordan", "471981"), ("Sam", "471982"), ("nobody", "471982")] {
        let (status, said) = young.post(LOUNGE, "/hearthgate/me?lang=en", &origin, &form(name, pin)).await;
        assert!(status == StatusCode::FORBIDDEN && said.contains("That did not fit"), "{name}: {said}");
    }
    let (status, _) =
        young.post(LOUNGE, "/hearthgate/me", "http://evil.example", &form("Jordan", "471982")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "another site signs nobody in");
    let (status, _) = young.post(SAMS, "/hearthgate/me", &origin, &form("Jordan", "471982")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "on a device of one's own nobody signs in as another");

    let cookie = young.cookie(LOUNGE, &form("jordan", "471982")).await;
    let (_, own) = young.get_with(LOUNGE, "/recorded", &cookie).await;
    assert!(own.contains("Your phone tried to open games.example."), "{own}");
    let (_, sams) = young.get_with(SAMS, "/recorded", &cookie).await;
    assert!(!sams.contains("games.example"), "the cookie is for the shared device alone");
    let forged = cookie.replace("jordan.", "sam.");
    let (status, _) = young.get_with(LOUNGE, "/recorded", &forged).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "and for one person");
    desk.post("/people/jordan/pin", &[("pin", "582093")]).await;
    let (status, _) = young.get_with(LOUNGE, "/recorded", &cookie).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "another PIN ends what the old one began");
    let cookie = young.cookie(LOUNGE, &form("jordan", "582093")).await;
    let reads = async |cookie: &str| young.get_with(LOUNGE, "/recorded", cookie).await.0;
    young.play.clock.advance(Duration::from_secs(599));
    assert_eq!(reads(&cookie).await, StatusCode::OK);
    young.play.clock.advance(Duration::from_secs(2));
    assert_eq!(
        reads(&cookie).await,
        StatusCode::NOT_FOUND,
        "whoever kept it beyond its ten minutes has nothing"
    );
    let stretched = cookie.replace("jordan.179", "jordan.189");
    assert_eq!(reads(&stretched).await, StatusCode::NOT_FOUND, "nor who says that it is younger");
}

#[tokio::test]
async fn on_a_shared_device_nobody_keeps_or_plants_a_turn() {
    let young = Young::new().await;
    for id in ["jordan", "sam"] {
        young.play.running.pins.lock().unwrap().insert(id.to_owned(), "471982".to_owned());
    }
    let origin = format!("http://{OWN}");
    let hello = async |cookie: &str| young.get_with(LOUNGE, "/", cookie).await.1;
    let (_, page) = young.get(LOUNGE, "/").await;
    let form = |name: &str| format!("name={name}&pin=471982&token={}", token(&page));
    let first = young.cookie(LOUNGE, &form("jordan")).await;
    assert!(hello(&first).await.contains("Hello Jordan"));
    young.play.clock.advance(Duration::from_secs(1));
    // Somebody left a cookie of theirs in the browser: who signs in gets another, and the first is over.
    let second = young.cookie(LOUNGE, &form("sam")).await;
    assert_ne!(first, second);
    assert!(hello(&second).await.contains("Hello Sam"));
    assert!(!hello(&first).await.contains("Hello Jordan"), "a turn ends with the next one");
    let again = young.cookie(LOUNGE, &form("sam")).await;
    assert_ne!(second, again, "each sign-in has its own");
    assert!(!hello(&second).await.contains("Hello Sam"));
    let (status, _) = young.post(LOUNGE, "/hearthgate/me", &origin, "out=yes").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(!hello(&again).await.contains("Hello Sam"), "who is done is done, whatever a browser kept");
}

#[tokio::test]
async fn a_pin_is_not_found_by_trying() {
    let young = Young::new().await;
    let mut desk = young.play.signed_in("k.lane").await;
    desk.post("/people/jordan/pin", &[("pin", "471982")]).await;
    // A member of staff may have a PIN for a device. Their pages are nobody's here.
    young.play.running.pins.lock().unwrap().insert("lounge".to_owned(), "471982".to_owned());
    let origin = format!("http://{OWN}");
    let (_, page) = young.get(LOUNGE, "/").await;
    for (name, pin, status, words) in [
        ("jordan", "471981", StatusCode::FORBIDDEN, "That did not fit"),
        ("jordan", "often", StatusCode::TOO_MANY_REQUESTS, "There were many tries"),
        ("lounge", "471982", StatusCode::FORBIDDEN, "That did not fit"),
    ] {
        let form = format!("name={name}&pin={pin}&token={}", token(&page));
        let (found, said) = young.post(LOUNGE, "/hearthgate/me", &origin, &form).await;
        assert!(found == status && said.contains(words), "{name} {pin}: {found} {said}");
    }
    // A form that was not made here, or was sent from elsewhere, is no try.
    let tries = young.gate.tries.lock().unwrap().len();
    young.post(LOUNGE, "/hearthgate/me", &origin, "name=jordan&pin=471981&token=x").await;
    let form = format!("name=jordan&pin=471981&token={}", token(&page));
    young.post(LOUNGE, "/hearthgate/me", "http://evil.example", &form).await;
    assert_eq!((tries, young.gate.tries.lock().unwrap().len()), (3, 3));
}

#[tokio::test]
async fn a_turn_is_the_devices_and_not_the_agreements() {
    let young = Young::new().await;
    for id in ["jordan", "sam"] {
        young.play.running.pins.lock().unwrap().insert(id.to_owned(), "471982".to_owned());
    }
    let origin = format!("http://{OWN}");
    let (_, page) = young.get(LOUNGE, "/").await;
    let form = |name: &str| format!("name={name}&pin=471982&token={}", token(&page));
    let jordans = young.cookie(LOUNGE, &form("jordan")).await;
    young.play.clock.advance(Duration::from_secs(1));
    let sams = young.cookie(LOUNGE_TOO, &form("sam")).await;
    let hello = async |from: &str, cookie: &str| young.get_with(from, "/", cookie).await.1;
    assert!(
        hello(LOUNGE, &jordans).await.contains("Hello Jordan"),
        "the other tablet's turn ends nobody's here"
    );
    assert!(hello(LOUNGE_TOO, &sams).await.contains("Hello Sam"));
    assert!(
        !hello(LOUNGE_TOO, &jordans).await.contains("Hello Jordan"),
        "a cookie is good on its own device"
    );
    let (status, _) = young.post(LOUNGE_TOO, "/hearthgate/me", &origin, "out=yes").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(!hello(LOUNGE_TOO, &sams).await.contains("Hello Sam"));
    assert!(
        hello(LOUNGE, &jordans).await.contains("Hello Jordan"),
        "whoever is done there is done there alone"
    );
}

/// The token of the form that goes to an address.
fn token_of<'p>(page: &'p str, action: &str) -> &'p str {
    token(page.split(&format!("action=\"{action}")).last().expect("a form"))
}

#[tokio::test]
async fn on_a_shared_device_their_own_pages_ask_and_answer_as_they_do_elsewhere() {
    let young = Young::new().await;
    let origin = format!("http://{OWN}");
    let mut kate = young.play.signed_in("k.lane").await;
    kate.post("/people/jordan/show", &[("words", "")]).await;
    let cookie = young.jordan_in_the_lounge().await;
    let here = (origin.as_str(), cookie.as_str());
    let (_, page) = young.get_with(LOUNGE, "/?lang=en", &cookie).await;
    for said in [
        "Good to know before you start",
        "Kate Lane asks if you will show them",
        "Ask for more time",
        "Here it opens only if you can sign in here.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let asking = page.split("id=\"show\"").nth(1).unwrap();
    let entry = asking.split("name=\"entry\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let (first, show) = ("/hearthgate/first", "/hearthgate/show");
    for (path, form) in [
        (first, format!("token={}", token_of(&page, first))),
        (show, format!("token={}&entry={entry}&answer=later", token_of(&page, show))),
    ] {
        let (status, _) = young.post(LOUNGE, path, &origin, &form).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: nobody is signed in");
        let (status, said) = young.post_with(LOUNGE, path, here, &form).await;
        assert!(status.is_success() || status.is_redirection(), "{path}: {status} {said}");
    }
    let (_, after) = young.get_with(LOUNGE, "/?lang=en", &cookie).await;
    assert!(!after.contains("Good to know") && !after.contains("Kate Lane asks"), "{after}");
}

#[tokio::test]
async fn on_a_shared_device_an_ask_is_whosever_form_it_is() {
    const ASK: &str = "/hearthgate/ask";
    let young = Young::new().await;
    let origin = format!("http://{OWN}");
    let cookie = young.jordan_in_the_lounge().await;
    let here = (origin.as_str(), cookie.as_str());
    let asks = || match &std::mem::take(&mut *young.gate.told.lock().unwrap())[..] {
        [Told::Ask(ask)] => format!("{} {}", ask.person, ask.host),
        other => panic!("{other:?}"),
    };
    let site = "/hearthgate/ask?lang=en&host=chat.example";
    let (_, now) = young.get_with(LOUNGE, "/?lang=en", &cookie).await;
    let (_, theirs) = young.get_with(LOUNGE, site, &cookie).await;
    assert!(theirs.contains("class=\"host\">chat.example"), "{theirs}");
    let (_, devices) = young.get(LOUNGE, site).await;
    for (name, page, host, asked, said) in [
        ("more_time", &now, "", "jordan ", "The answer stands on your own page, also when it is no."),
        ("a_site", &theirs, "chat.example", "jordan chat.example", "also when it is no."),
        ("from_a_refusal_page", &devices, "chat.example", "lounge chat.example", "not who you are."),
    ] {
        let form = format!("host={host}&words=x&token={}", token_of(page, ASK));
        let (status, words) = young.post_with(LOUNGE, "/hearthgate/ask?lang=en", here, &form).await;
        assert_eq!(status, StatusCode::OK, "{name}: {words}");
        assert_eq!(asks(), asked, "{name}");
        assert!(words.contains(said), "{name}: {words}");
    }
    // What is open for them, and closed on this device, is said to be so.
    let (status, open) = young.get_with(LOUNGE, "/hearthgate/ask?lang=en&host=bbc.example", &cookie).await;
    assert!(status == StatusCode::NOT_FOUND && open.contains("Here it opens only if"), "{open}");
    let form = format!("host=&words=x&token={}", token_of(&now, ASK));
    let (status, _) = young.post(LOUNGE, ASK, &origin, &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "their form alone signs nobody in");
}
