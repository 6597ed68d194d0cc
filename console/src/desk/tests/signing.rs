//! Signing in, being signed out, and everything between.

use super::play::{PASSWORD, Play};
use crate::desk::password_link;
use axum::http::{StatusCode, header};
use records::{Entry, SignInFailed};
use std::time::{Duration, Instant};

const WRONG: &str = "That did not fit";

#[tokio::test]
async fn a_first_link_a_password_and_the_desk() {
    let play = Play::new().await;
    assert_eq!(play.desk.locked_out(agreements::Role::Manager).await.unwrap(), ["r.osei"]);
    let (path, _) = password_link(&play.records, "r.osei").await.unwrap().unwrap();
    let mut browser = play.browser();
    let page = browser.get(&path).await;
    assert!(page.words().contains("Hello R. Osei"), "{}", page.text);
    assert_eq!(browser.get(&path).await.status, StatusCode::OK, "looking does not use it up");
    for (password, again, says) in [
        ("teapot", "teapot", "Please use 12 or more"),
        ("teapot glacier nine", "teapot glacier ten", "not the same"),
        ("password123456", "password123456", "everybody tries first"),
        ("Oakview House 1", "Oakview House 1", "the home’s"),
    ] {
        let page = browser.post(&path, &[("password", password), ("again", again)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.words().contains(says), "{}", page.words());
    }
    let done = browser.post(&path, &[("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    assert_eq!(play.browser().get(&path).await.status, StatusCode::NOT_FOUND, "used up");
    assert!(play.desk.locked_out(agreements::Role::Manager).await.unwrap().is_empty());
    let kept = play.records.password("r.osei").await.unwrap().unwrap();
    assert!(kept.starts_with("$argon2id$") && !kept.contains(PASSWORD), "{kept}");
    let said: Vec<_> = play.records.newest(10).await.unwrap().into_iter().filter_map(|e| e.says).collect();
    let signed = said
        .iter()
        .any(|e| matches!(e, Entry::StaffAction(a) if a.by.id == "r.osei" && a.what.contains("signed in")));
    assert!(signed, "the journal says who signed in: {said:?}");
}

#[tokio::test]
async fn a_session_is_new_with_each_sign_in() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut browser = play.signed_in("r.osei").await;
    let planted = browser.cookie.clone();
    let page = browser.post("/sign-in", &[("account", " K.Lane "), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/", "{}", page.text);
    assert_ne!(browser.cookie, planted, "a fresh token");
    assert!(browser.get("/").await.text.contains("Kate Lane"));
    let mut other = play.browser();
    other.cookie = planted;
    assert_eq!(other.get("/").await.location(), "/sign-in", "what was open in this browser before is over");
    let token = browser.cookie.clone().unwrap();
    browser.post("/sign-out", &[]).await;
    let mut thief = play.browser();
    thief.cookie = Some(token);
    assert_eq!(thief.get("/").await.location(), "/sign-in", "signed out is signed out everywhere");
}

#[tokio::test]
async fn over_https_the_cookie_is_for_this_host_alone() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut browser = play.browser();
    browser.secure = true;
    let page = browser.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    let cookie = page.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-hearthgate=") && cookie.contains("; Secure"), "{cookie}");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    browser.cookie = browser.cookie.map(|cookie| cookie.replace("__Host-", ""));
    assert_eq!(browser.get("/").await.location(), "/sign-in", "another name is not taken over HTTPS");
}

#[tokio::test]
async fn whoever_cannot_sign_in_learns_nothing() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    // An account that home.yaml no longer has keeps no door open.
    play.has_password("left.us").await;
    let mut told = Vec::new();
    for (account, password) in [
        ("k.lane", "teapot glacier ten forks"),
        ("nobody", PASSWORD),
        ("visitor", PASSWORD),
        ("left.us", PASSWORD),
        ("", ""),
    ] {
        let page = play.browser().post("/sign-in", &[("account", account), ("password", password)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{account}");
        assert!(page.words().contains(WRONG), "{account}: {}", page.words());
        told.push(page.words());
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "the same words for all: {told:?}");
}

/// How much longer each try takes than the first of them: the middle of so many rounds. Whatever else a machine does falls on
/// neighbours alike, so that each is compared with the first of its own round.
async fn ratios(play: &Play, tried: &[(&str, &str)], set: usize) -> Vec<f64> {
    const ROUNDS: usize = 30;
    let mut ratios = vec![Vec::new(); tried.len()];
    for round in 0..ROUNDS {
        let mut times = Vec::new();
        for (place, (account, password)) in tried.iter().enumerate() {
            let mut browser = play.browser();
            browser.address = format!("192.{set}.{round}.{place}");
            let start = Instant::now();
            browser.post("/sign-in", &[("account", account), ("password", password)]).await;
            times.push(start.elapsed().as_secs_f64());
        }
        for (ratios, time) in ratios.iter_mut().zip(&times) {
            ratios.push(time / times[0]);
        }
        // So that nobody waits for having tried too often.
        play.clock.advance(Duration::from_secs(3600));
    }
    let middle = |mut ratios: Vec<f64>| {
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[ROUNDS / 2]
    };
    ratios.into_iter().map(middle).collect()
}

#[tokio::test]
async fn how_long_it_takes_tells_nobody_which_accounts_there_are() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    // One that home.yaml no longer has.
    play.has_password("left.us").await;
    let tried = [
        ("k.lane", "no such password"),
        ("nobody", "no such password"),
        ("m.ali", "no such password"),
        ("left.us", PASSWORD),
        ("k.lane", PASSWORD),
    ];
    // Whoever signs in really is let in, which takes a little more; of the others nobody can tell which is which.
    let alike = |ratios: &[f64]| {
        ratios.iter().take(4).all(|ratio| (0.8..1.25).contains(ratio)) && ratios.last() > Some(&0.8)
    };
    let mut seen = Vec::new();
    // What tells them apart does so each time; a machine that is busy with something else does not.
    for set in 168..171 {
        let ratios = ratios(&play, &tried, set).await;
        if alike(&ratios) {
            return;
        }
        seen.push(ratios);
    }
    panic!("{tried:?} take these times as long as the first: {seen:?}");
}

#[tokio::test]
async fn tries_are_few_and_nobody_is_kept_out_for_good() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut browser = play.browser();
    for _ in 0..5 {
        let page = browser.post("/sign-in", &[("account", "k.lane"), ("password", "a wrong password")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    let page = browser.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "even the right one");
    assert!(page.words().contains("Please wait 2 minutes"), "{}", page.words());
    let mut elsewhere = play.browser();
    elsewhere.address = "192.168.4.10".to_owned();
    let page = elsewhere.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/", "from another place they can");
    play.clock.advance(Duration::from_secs(121));
    let page = browser.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/", "and here after a while");
}

#[tokio::test]
async fn whoever_does_nothing_is_signed_out() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    for _ in 0..3 {
        play.clock.advance(Duration::from_secs(4 * 60));
        assert_eq!(browser.get("/").await.status, StatusCode::OK, "used within five minutes");
    }
    play.clock.advance(Duration::from_secs(4 * 60));
    let follows = |browser: &super::play::Browser| {
        browser
            .request(axum::http::Method::GET, "/")
            .header("x-desk-follows", "yes")
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let request = follows(&browser);
    assert_eq!(browser.send(request).await.status, StatusCode::OK, "the page follows what happens");
    assert!(browser.get("/locked").await.words().contains("still signed in"), "and a locked page is no use");
    play.clock.advance(Duration::from_secs(61));
    let request = follows(&browser);
    assert_eq!(browser.send(request).await.location(), "/sign-in", "which is no sign of anybody being there");
    assert!(browser.get("/locked").await.words().contains("you were signed out"));
    assert!(play.records.sessions().await.unwrap().is_empty(), "and the session is gone");
}

#[tokio::test]
async fn a_session_ends_with_its_shift() {
    let play = Play::new().await;
    // 17:30 until the handover at 21:30, and half an hour for it.
    let mut browser = play.signed_in("k.lane").await;
    let mut minutes = 0;
    while browser.get("/").await.status == StatusCode::OK {
        play.clock.advance(Duration::from_secs(60));
        minutes += 1;
        assert!(minutes < 1000);
    }
    assert_eq!(minutes, 4 * 60 + 30);
}

#[tokio::test]
async fn whoever_has_left_is_out_with_the_next_click() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    let home = super::play::HOME.replace("{id: k.lane,", "{id: other,");
    let snapshot = super::play::snapshot(&home, &[]);
    play.in_force.replace(snapshot, std::sync::Arc::default());
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    let manager = super::play::HOME.replace("Mo Ali, role: staff", "Mo Ali, role: manager");
    play.in_force.replace(super::play::snapshot(&manager, &[]), std::sync::Arc::default());
    let mut browser = play.signed_in("m.ali").await;
    assert_eq!(browser.get("/accounts").await.status, StatusCode::OK);
    play.in_force.replace(super::play::snapshot(super::play::HOME, &[]), std::sync::Arc::default());
    assert_eq!(browser.get("/accounts").await.status, StatusCode::FORBIDDEN, "the role is read each time");
}

#[tokio::test]
async fn a_manager_makes_links_and_ends_sessions() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut manager = play.signed_in("r.osei").await;
    let mut staff = play.signed_in("k.lane").await;
    let page = manager.get("/accounts").await;
    for words in ["Kate Lane", "none yet", "192.168.4.9", "(you, here)"] {
        assert!(page.words().contains(words), "{words}: {}", page.words());
    }
    let page = manager.post("/accounts/link", &[("account", "k.lane")]).await;
    let path = page.text.split("href=\"/first/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(staff.get("/").await.status, StatusCode::OK, "what was stays until the link is used");
    let mut fresh = play.browser();
    let chosen = "nine kettles under snow";
    let page = fresh.post(&format!("/first/{path}"), &[("password", chosen), ("again", chosen)]).await;
    assert_eq!(page.location(), "/");
    assert_eq!(staff.get("/").await.location(), "/sign-in", "who was in by the old password is out");
    assert_eq!(manager.post("/accounts/link", &[("account", "nobody")]).await.status, StatusCode::NOT_FOUND);
    let token =
        play.records.sessions().await.unwrap().into_iter().find(|s| s.account == "k.lane").unwrap().token;
    assert_eq!(manager.post("/accounts/end", &[("session", &token)]).await.location(), "/accounts");
    assert_eq!(fresh.get("/").await.location(), "/sign-in", "ended from elsewhere");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_good_once() {
    use crate::desk::codes::tests::shown;
    use records::Clock;
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.post("/me", &[("step", "offer")]).await;
    let secret =
        page.text.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let code = |play: &Play| shown(&secret, play.clock.now().timestamp());
    let wrong = kate.post("/me", &[("step", "on"), ("secret", &secret), ("code", "000000")]).await;
    assert!(wrong.words().contains("did not fit"), "{}", wrong.words());
    let on = kate.post("/me", &[("step", "on"), ("secret", &secret), ("code", &code(&play))]).await;
    assert_eq!(on.location(), "/me", "{}", on.words());
    assert!(kate.get("/me").await.words().contains("asks for a code"));
    // Somebody at the open desk does not put a code of their own in the place of hers.
    let other = crate::desk::codes::tests::STANDARD;
    let theirs = shown(other, play.clock.now().timestamp());
    kate.post("/me", &[("step", "on"), ("secret", other), ("code", &theirs)]).await;
    assert_eq!(play.records.codes("k.lane").await.unwrap().unwrap().0, secret);
    assert!(!kate.post("/me", &[("step", "offer")]).await.text.contains("name=\"secret\""));

    let mut browser = play.browser();
    let used = code(&play);
    let without = [("account", "k.lane"), ("password", PASSWORD)];
    assert_eq!(browser.post("/sign-in", &without).await.status, StatusCode::FORBIDDEN, "the password alone");
    let again = [("account", "k.lane"), ("password", PASSWORD), ("code", used.as_str())];
    assert_eq!(browser.post("/sign-in", &again).await.status, StatusCode::FORBIDDEN, "a code that was used");
    play.clock.advance(Duration::from_secs(60));
    let next = code(&play);
    let with = [("account", "k.lane"), ("password", PASSWORD), ("code", next.as_str())];
    assert_eq!(browser.post("/sign-in", &with).await.location(), "/");
    assert_eq!(play.browser().post("/sign-in", &with).await.status, StatusCode::FORBIDDEN, "read along");
    let off = kate.post("/me", &[("step", "off"), ("code", "000000")]).await;
    assert!(off.words().contains("did not fit"));
    play.clock.advance(Duration::from_secs(60));
    assert_eq!(kate.post("/me", &[("step", "off"), ("code", &code(&play))]).await.location(), "/me");
    let page = play.browser().post("/sign-in", &without).await;
    assert_eq!(page.location(), "/", "{}", page.words());
}

#[tokio::test]
async fn the_second_factor_is_not_guessed_away_at_an_open_desk() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut kate = play.signed_in("k.lane").await;
    play.records.set_codes("k.lane", crate::desk::codes::tests::STANDARD, 0).await.unwrap();
    let mut guess = async || kate.post("/me", &[("step", "off"), ("code", "000000")]).await.status;
    for _ in 0..5 {
        assert_eq!(guess().await, StatusCode::OK);
    }
    assert_eq!(guess().await, StatusCode::TOO_MANY_REQUESTS);
    assert!(play.records.codes("k.lane").await.unwrap().is_some());
}

#[tokio::test]
async fn a_stranger_keeps_nobody_out_of_their_own_browser_and_is_told_of() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut kate = play.browser();
    assert_eq!(kate.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await.location(), "/");
    kate.post("/sign-out", &[]).await;
    let tries = [("account", "k.lane"), ("password", "a wrong password")];
    for device in 20..27 {
        let mut stranger = play.browser();
        stranger.address = format!("192.168.4.{device}");
        for _ in 0..5 {
            stranger.post("/sign-in", &tries).await;
        }
    }
    let new = play.browser().post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(new.status, StatusCode::TOO_MANY_REQUESTS, "a browser that nobody knows waits a little");
    let page = kate.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/", "a browser that signed in before does not: {}", page.words());
    for _ in 0..5 {
        assert_eq!(kate.post("/sign-in", &tries).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(
        kate.post("/sign-in", &tries).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "nor guesses there"
    );
    let mut typed_wrong = play.browser();
    typed_wrong.address = "192.168.4.50".to_owned();
    typed_wrong.post("/sign-in", &[("account", PASSWORD), ("password", "k.lane")]).await;
    let said: Vec<SignInFailed> = (play.records.newest(60).await.unwrap().into_iter())
        .filter_map(|e| if let Some(Entry::SignInFailed(failed)) = e.says { Some(failed) } else { None })
        .collect();
    let of = |account: &str, address: &str| {
        let theirs = said.iter().filter(|f| f.account == account && f.address == address);
        theirs.map(|failed| failed.count).collect::<Vec<_>>()
    };
    assert_eq!(of("k.lane", "192.168.4.20"), [5, 1], "{said:?}");
    assert_eq!(of("", "192.168.4.50"), [1], "what was typed as the account stands nowhere: {said:?}");
    let audit = play.signed_in("r.osei").await.get("/audit").await.words();
    assert!(audit.contains("Somebody at 192.168.4.20 could not sign in, 5 times: k.lane"), "{audit}");
    assert!(!audit.contains(PASSWORD), "{audit}");
}

#[tokio::test]
async fn the_home_says_how_long_a_desk_is_left_open() {
    let home = format!("{}desk: {{idle: 10m}}\n", super::play::HOME);
    let play = Play::of(&home, &[]).await;
    let mut browser = play.signed_in("k.lane").await;
    assert!(browser.get("/").await.text.contains("data-idle=\"600\""));
    play.clock.advance(Duration::from_secs(9 * 60));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    play.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    let today = "2026-11-22".parse().unwrap();
    for (idle, good) in
        [("1m", true), ("30m", true), ("31m", false), ("0m", false), ("2h", false), ("x", false)]
    {
        let text = format!("{}desk: {{idle: {idle}}}\n", super::play::HOME);
        let reading = agreements::read(&[("home.yaml".to_owned(), text)], today);
        let errors = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).count();
        assert_eq!(errors == 0, good, "{idle}: {:?}", reading.problems);
    }
}

#[tokio::test]
async fn a_former_accounts_password_does_not_outlive_it() {
    let play = Play::new().await;
    for account in ["k.lane", "m.ali", "pin:jordan"] {
        play.has_password(account).await;
    }
    let mut kate = play.browser();
    kate.post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    play.desk.forget_former().await;
    assert!(play.records.password("k.lane").await.unwrap().is_some(), "who is still there keeps theirs");
    let left = super::play::HOME.replace("{id: k.lane,", "{id: n.new,");
    play.in_force.replace(super::play::snapshot(&left, &[]), std::sync::Arc::default());
    play.desk.forget_former().await;
    // A slip of the pen takes nobody's password away.
    play.clock.advance(std::time::Duration::from_secs(23 * 3600));
    play.desk.forget_former().await;
    assert!(play.records.password("k.lane").await.unwrap().is_some(), "not before a day has passed");
    let refused = play.browser().post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "but nobody comes in by it");
    play.in_force.replace(super::play::snapshot(super::play::HOME, &[]), std::sync::Arc::default());
    play.desk.forget_former().await;
    play.in_force.replace(super::play::snapshot(&left, &[]), std::sync::Arc::default());
    play.clock.advance(std::time::Duration::from_secs(23 * 3600));
    play.desk.forget_former().await;
    assert!(play.records.password("k.lane").await.unwrap().is_some(), "who was back is away anew");
    play.clock.advance(std::time::Duration::from_secs(24 * 3600));
    play.desk.forget_former().await;
    assert_eq!(play.records.password("k.lane").await.unwrap(), None);
    assert!(play.records.password("m.ali").await.unwrap().is_some());
    assert!(play.records.password("pin:jordan").await.unwrap().is_some(), "a PIN is no account of staff");
    play.in_force.replace(super::play::snapshot(super::play::HOME, &[]), std::sync::Arc::default());
    let again = play.browser().post("/sign-in", &[("account", "k.lane"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "another K. Lane chooses a password of their own");
    let journal = format!("{:?}", play.records.newest(5).await.unwrap());
    assert!(journal.contains("forgot the password of k.lane"), "{journal}");
}

#[tokio::test]
async fn a_new_password_ends_every_session_of_its_account() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut elsewhere = play.signed_in("k.lane").await;
    let mut other = play.signed_in("m.ali").await;
    let (path, _) = password_link(&play.records, "k.lane").await.unwrap().unwrap();
    let new = "eleven green teapots sing";
    let done = play.browser().post(&path, &[("password", new), ("again", new)]).await;
    assert_eq!(done.location(), "/", "{}", done.words());
    assert_eq!(elsewhere.get("/").await.location(), "/sign-in");
    assert_eq!(other.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn everybody_sees_and_ends_their_own_sessions_and_nobody_elses() {
    let play = Play::new().await;
    let mut elsewhere = play.browser();
    elsewhere.address = "192.168.4.77".to_owned();
    let secret = play.desk.begin("k.lane", &axum::http::HeaderMap::new(), &elsewhere.address).await.unwrap();
    elsewhere.cookie = Some(format!("hearthgate={}", secret.shown()));
    let mut manager = play.signed_in("r.osei").await;
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/me").await.words();
    assert!(page.contains("192.168.4.77") && page.contains("192.168.4.9 (here)"), "{page}");
    assert_eq!(page.matches("Sign out at").count(), 2, "their own alone: {page}");
    let now = kate.get("/").await.words();
    assert!(now.contains("Your account is open at 192.168.4.77 too"), "{now}");
    assert!(!manager.get("/").await.words().contains("Your account is open"), "theirs is open once");
    let sessions = play.records.sessions().await.unwrap();
    let of = |account: &str, address: &str| {
        sessions.iter().find(|s| s.account == account && s.address == address).unwrap().token.clone()
    };
    let managers = of("r.osei", "192.168.4.9");
    assert_eq!(kate.post("/accounts/end", &[("session", &managers)]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(manager.get("/").await.status, StatusCode::OK);
    let own = of("k.lane", "192.168.4.77");
    assert_eq!(kate.post("/accounts/end", &[("session", &own)]).await.location(), "/me");
    assert_eq!(elsewhere.get("/").await.location(), "/sign-in");
    assert_eq!(kate.get("/").await.status, StatusCode::OK);
}
