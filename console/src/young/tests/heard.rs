//! What a young person told, and that they see who has read it.

use super::{JORDANS, LOUNGE, OWN, SAMS, STRANGER, Young, token};
use crate::pages::Told;
use axum::http::StatusCode;
use records::{Answer, By, ByRole, Clock};
use std::time::Duration;

#[tokio::test]
async fn they_choose_an_adult_and_see_who_has_read_it() {
    const SAW: &str = "/hearthgate/saw?lang=en";
    let young = Young::new().await;
    let own = format!("http://{OWN}");
    let (_, page) = young.get(JORDANS, SAW).await;
    assert!(page.contains("<option value=\"k.lane\">Kate Lane</option>"), "{page}");
    assert!(!page.contains("Reg 44") && !page.contains("IT support"), "adults of the home alone: {page}");
    let (_, stranger) = young.get(STRANGER, SAW).await;
    assert!(!stranger.contains("Kate Lane"), "who works here is told to nobody unknown");
    for (typed, adult) in [("k.lane", Some("k.lane")), ("", None), ("it", None), ("<b>", None)] {
        let form = format!("token={}&words=x&adult={typed}", token(&page));
        young.post(JORDANS, SAW, &own, &form).await;
        let told = std::mem::take(&mut *young.gate.told.lock().unwrap());
        let [Told::Saw(saw)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(saw.adult.as_deref(), adult, "{typed}");
    }
    let records = &young.play.records;
    let by = By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    let report = records.report("jordan", by, "a mean message", Some("k.lane")).await.unwrap();
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("17:30: it is there for Kate Lane."), "{page}");
    young.play.signed_in("m.ali").await.post(&format!("/reports/{report}/open"), &[]).await;
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("Nobody has said yet that they read it. Mo Ali opened it."), "{page}");
    let by = By { role: ByRole::YoungPerson, id: "sam".into(), name: "Sam".into() };
    records.report("sam", by, "a mean message", Some("j.gone")).await.unwrap();
    let (_, page) = young.get(SAMS, "/?lang=en").await;
    assert!(page.contains("17:30: who you chose does not work here now."), "{page}");
    let mut kate = young.play.signed_in("k.lane").await;
    let now = kate.get("/").await.words();
    assert!(now.contains("They would like to talk to Kate Lane"), "{now}");
    let heard =
        kate.post(&format!("/reports/{report}"), &[("words", "told the school; Jordan is fine")]).await;
    assert_eq!(heard.location(), "/?done=heard", "{}", heard.words());
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("17:30: Kate Lane has read it."), "{page}");
    assert!(
        !page.contains("told the school") && !page.contains("mean message"),
        "no words for others' eyes: {page}"
    );
    assert!(!young.get(SAMS, "/?lang=en").await.1.contains("has read it"), "nobody else's");
    young.play.clock.advance(Duration::from_secs(8 * 86_400));
    assert!(!young.get(JORDANS, "/?lang=en").await.1.contains("has read it"), "a week later it is gone");
}

#[tokio::test]
async fn what_they_told_and_asked_stands_there_until_it_is_heard_and_answered() {
    let young = Young::new().await;
    let records = &young.play.records;
    let by = By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    let report = records.report("jordan", by, "a mean message", None).await.unwrap();
    let ask = records.ask("jordan", "chat.example", "").await.unwrap();
    for at in 0..30 {
        // What has its answer hides nothing that waits.
        let other = records.ask("jordan", &format!("site{at}.example"), "").await.unwrap();
        records.answer(other, Answer::Decline, super::staff(), "not this week").await.unwrap();
    }
    young.play.clock.advance(Duration::from_secs(30 * 3600));
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("<b>chat.example</b>: Staff have not answered yet."), "it waits still: {page}");
    assert!(!page.contains("site29.example"), "that was answered yesterday: {page}");
    records.answer(ask, Answer::Decline, super::staff(), "Sorry that it took so long: no.").await.unwrap();
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("Sorry that it took so long: no."), "a late answer comes: {page}");
    young.play.clock.advance(Duration::from_secs(25 * 3600));
    assert!(!young.get(JORDANS, "/?lang=en").await.1.contains("chat.example"), "a day later it is gone");
    young.play.clock.advance(Duration::from_secs(8 * 86_400));
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("Nobody has said yet that they read it."), "days later it stands there: {page}");
    let mut kate = young.play.signed_in("k.lane").await;
    kate.post(&format!("/reports/{report}"), &[("words", "we talked")]).await;
    let (_, page) = young.get(JORDANS, "/?lang=en").await;
    assert!(page.contains("Kate Lane has read it."), "and that it was heard: {page}");
    young.play.clock.advance(Duration::from_secs(8 * 86_400));
    assert!(!young.get(JORDANS, "/?lang=en").await.1.contains("has read it"));
}

#[tokio::test]
async fn who_saw_something_is_heard_whatever_the_clock_and_whosever_the_device() {
    const SAW: &str = "/hearthgate/saw";
    let young = Young::new().await;
    let own = format!("http://{OWN}");
    let told = || std::mem::take(&mut *young.gate.told.lock().unwrap());
    let saw = |person: &str| {
        let words = "a mean message".to_owned();
        let device = (person == "nobody").then(|| records::Face::Address(STRANGER.parse().unwrap()));
        Told::Saw(crate::ask::Saw { person: person.to_owned(), device, words, adult: None })
    };
    let form = |page: &str| format!("token={}&words=a+mean+message", token(page));
    for (from, person) in [(JORDANS, "jordan"), (LOUNGE, "lounge"), (STRANGER, "nobody")] {
        for path in ["/", "/talk"] {
            assert!(young.get(from, path).await.1.contains(SAW), "{person}: the way there on {path}");
        }
        let (status, page) = young.get(from, SAW).await;
        assert_eq!(status, StatusCode::OK, "{person}");
        assert_eq!(young.post(from, SAW, &own, &form(&page)).await.0, StatusCode::OK, "{person}");
        assert_eq!(told(), [saw(person)]);
    }
    let (_, before) = young.get(JORDANS, SAW).await;
    // The clock jumps by years: everybody has the baseline, and Jordan is heard as Jordan.
    young.play.clock.set("2031-01-01T12:00:00Z".parse().unwrap());
    young.play.clock.look();
    assert!(young.get(JORDANS, "/talk").await.1.contains(SAW));
    let (status, page) = young.get(JORDANS, SAW).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for page in [&before, &page] {
        assert_eq!(young.post(JORDANS, SAW, &own, &form(page)).await.0, StatusCode::OK);
        assert_eq!(told(), [saw("jordan")]);
    }
    let (status, _) = young.post(SAMS, SAW, &own, &form(&page)).await;
    assert_eq!((status, told().len()), (StatusCode::FORBIDDEN, 0), "a form is for whoever it was made for");
    let (status, _) = young.post(JORDANS, SAW, "http://evil.example", &form(&page)).await;
    assert_eq!((status, told().len()), (StatusCode::FORBIDDEN, 0), "and is sent from here");
}

#[tokio::test]
async fn on_a_shared_device_whoever_showed_their_pin_is_who_tells() {
    const SAW: &str = "/hearthgate/saw?lang=en";
    let young = Young::new().await;
    let own = format!("http://{OWN}");
    let teller = || match &std::mem::take(&mut *young.gate.told.lock().unwrap())[..] {
        [Told::Saw(saw)] => saw.person.clone(),
        other => panic!("{other:?}"),
    };
    let cookie = young.jordan_in_the_lounge().await;
    let mut form = String::new();
    // From a refusal page's link no browser says who is signed in; with the form it does.
    for opened in ["", cookie.as_str()] {
        let (status, page) = young.get_with(LOUNGE, SAW, opened).await;
        assert_eq!(status, StatusCode::OK, "{opened}");
        form = format!("token={}&words=a+mean+message", token(&page));
        let (status, said) = young.post_with(LOUNGE, SAW, (&own, &cookie), &form).await;
        assert_eq!((status, teller().as_str()), (StatusCode::OK, "jordan"), "{opened}");
        assert!(!said.contains("not who you are"), "{said}");
    }
    let (status, _) = young.post_with(SAMS, SAW, (&own, &cookie), &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the form is the shared device's");
    // Their ten minutes are over while they write: it is not lost, and they are told who is not known.
    young.play.clock.advance(Duration::from_secs(601));
    let (status, said) = young.post_with(LOUNGE, SAW, (&own, &cookie), &form).await;
    assert_eq!((status, teller().as_str()), (StatusCode::OK, "lounge"));
    assert!(said.contains("Staff see which device it was, and not who you are."), "{said}");
}

#[tokio::test]
async fn what_could_not_be_taken_is_given_back() {
    let young = Young::new().await;
    let own = format!("http://{OWN}");
    for (path, about) in
        [("/hearthgate/saw", ""), ("/hearthgate/ask", "host=chat.example&"), ("/hearthgate/note", "entry=1&")]
    {
        for (lang, said) in [("en", "Nobody has it yet"), ("cy", "Does neb wedi’i gael eto")] {
            let form = format!("{about}token=0&words=%3Cb%3Ea+mean+message");
            let (status, page) = young.post(JORDANS, &format!("{path}?lang={lang}"), &own, &form).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
            assert!(
                page.contains(said) && page.contains("&#60;b&#62;a mean message"),
                "{path} {lang}: {page}"
            );
        }
        let form = format!("{about}token=0&words=");
        let (_, page) = young.post(JORDANS, &format!("{path}?lang=en"), &own, &form).await;
        assert!(!page.contains("Nobody has it yet"), "{path}: {page}");
    }
}
