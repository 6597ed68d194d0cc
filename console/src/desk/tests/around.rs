//! Devices, lists, coverage, and who did what.

use super::play::Play;
use agreements::{Evidence, Host, House};
use axum::http::StatusCode;
use blocklists::Name;
use records::{Booking, Clock, Face, Identified, Recorder, Refused};

#[tokio::test]
async fn a_device_is_given_out_lost_and_inspected() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    for (what, words) in [("out", ""), ("inspected", "nothing of note"), ("lost", "on the <b>bus</b>")] {
        let form = [("person", "jordan"), ("device", "phone"), ("what", what), ("words", words)];
        assert_eq!(staff.post("/devices/book", &form).await.location(), "/devices?done=booked", "{what}");
    }
    let page = staff.get("/devices").await;
    let words = page.words();
    for said in [
        "Jordan: phone",
        "its hardware address",
        "Lost since 17:30, written down by Kate Lane",
        "Looked at together on 22 November 2026",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!page.text.contains("<b>bus"), "{}", page.text);
    let places = play.records.whereabouts().await.unwrap();
    let phone = &places[&("jordan".to_owned(), "phone".to_owned())];
    assert!(matches!(phone.booked, Some((Booking::Lost, _, _))), "{phone:?}");
    let nobodys = [("person", "jordan"), ("device", "fridge"), ("what", "out")];
    assert_eq!(staff.post("/devices/book", &nobodys).await.status, StatusCode::NOT_FOUND);
    for account in ["visitor", "it"] {
        let page = play.signed_in(account).await.get("/devices").await;
        let owner = if account == "it" { "A young person: device 1" } else { "J.: device 1" };
        assert!(page.words().contains(owner) && !page.text.contains("Jordan"), "{account}: {}", page.text);
        assert!(!page.text.contains("bus") && !page.text.contains("jordan"), "{account}: {}", page.text);
    }
}

#[tokio::test]
async fn why_a_site_is_closed_and_that_it_is_wrong() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    let page = staff.get("/lists?host=https%3A%2F%2Fgames.example%2Fplay").await;
    let words = page.words();
    assert!(words.contains("games.example") && words.contains("Jordan : closed."), "{words}");
    assert!(staff.get("/lists?host=%3Cscript%3E").await.words().contains("is no site"));
    let looked = format!("{:?}", play.records.newest(1).await.unwrap());
    assert!(looked.contains("looked at what everybody may do with games.example"), "{looked}");
    let report = [("host", "games.example"), ("why", "it is a revision site")];
    assert_eq!(staff.post("/lists/report", &report).await.location(), "/lists?done=reported");
    let said = "games.example : it is a revision site Kate Lane, 17:30";
    let seen = staff.get("/lists").await;
    assert!(seen.words().contains(said) && !seen.text.contains("/lists/reports/"), "{}", seen.words());
    let mut it = play.signed_in("it").await;
    assert!(it.get("/lists").await.words().contains(said), "it stands there for IT until it is answered");
    assert!(!play.signed_in("visitor").await.get("/lists").await.text.contains("revision"));
    let entry = play.records.open_wrong().await.unwrap()[0].entry;
    let address = format!("/lists/reports/{entry}");
    assert_eq!(it.post(&address, &[("words", " ")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = [("words", "the publisher took it out")];
    assert_eq!(it.post(&address, &answer).await.location(), "/lists?done=answered");
    assert!(!it.get("/lists").await.words().contains("revision"));
    let journal = format!("{:?}", play.records.newest(3).await.unwrap());
    assert!(journal.contains("the publisher took it out") && journal.contains("\"it\""), "{journal}");
    assert_eq!(
        staff.post("/lists/report", &[("host", "games.example")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let it = play.signed_in("it").await.get("/lists?host=games.example").await;
    assert!(!it.text.contains("Jordan"), "{}", it.text);
    let page = staff.get("/coverage").await;
    assert!(page.words().contains("Cannot be held from here"), "{}", page.words());
    let named = "these may reach any address, by number too: Lounge console (games, udp 9000).";
    assert!(page.words().contains(named), "each exception is named: {}", page.words());
}

#[tokio::test]
async fn who_looked_and_who_changed_stands_in_the_journal() {
    let play = Play::new().await;
    let mut staff = play.signed_in("k.lane").await;
    for _ in 0..3 {
        staff.get("/people/jordan").await;
    }
    staff.get("/shift/sheet?names=full").await;
    play.signed_in("m.ali").await.get("/people/jordan").await;
    let words = play.signed_in("r.osei").await.get("/audit").await.words();
    assert_eq!(words.matches("Kate Lane (k.lane) looked at the agreement of jordan").count(), 1, "{words}");
    assert_eq!(words.matches("Mo Ali (m.ali) looked at the agreement of jordan").count(), 1, "{words}");
    assert!(words.contains("looked at a hand-over sheet with names"), "{words}");
}

/// A device that nobody knows asks for something.
pub(crate) async fn stranger_comes(play: &Play, face: Face) {
    let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
    let current = play.in_force.to_keep();
    let name = Host::Name(Name::new("games.example").unwrap());
    recorder.refused(&Refused {
        at: play.clock.now(),
        current: &current,
        who: House::NOBODY,
        device: None,
        identified: Identified::Unknown,
        stranger: Some(face),
        host: name,
        verdict: current.snapshot.judge(House::NOBODY, play.clock.now(), name, None, &current.standing),
        evidence: Evidence::Lookup,
        detected: None,
    });
    recorder.stop();
    task.await.unwrap();
}

#[tokio::test]
async fn a_device_that_nobody_knows_is_let_in_and_out_by_staff() {
    let play = Play::new().await;
    let face: Face = "02:1a:33:44:55:66".parse().unwrap();
    stranger_comes(&play, face).await;
    let mut staff = play.signed_in("k.lane").await;
    let page = staff.get("/devices").await;
    let private = "A private address: the device made it up, and may change it. Seen last at 17:30";
    assert!(page.words().contains(&format!("02:1a:33:44:55:66 {private}")), "{}", page.words());
    // What it calls itself is its own word.
    for (name, shown) in [("Jordans-phone", "Jordans-phone"), ("<b>Sam</b>", "&#60;b&#62;Sam&#60;/b&#62;")] {
        *play.running.names.lock().unwrap() = [(face, name.to_owned())].into();
        let page = staff.get("/devices").await;
        assert!(page.text.contains(&format!("It calls itself <b>{shown}</b>")), "{}", page.text);
    }
    // One whose maker gave it its address.
    let bought: Face = "3c:06:30:44:55:66".parse().unwrap();
    stranger_comes(&play, bought).await;
    let words = staff.get("/devices").await.words();
    assert!(words.contains("3c:06:30:44:55:66 Seen last at 17:30"), "{words}");
    let form = |person| [("device", "02:1a:33:44:55:66"), ("person", person), ("for", "60")];
    let done = staff.post("/devices/let-in", &form("jordan")).await;
    assert_eq!(done.location(), "/devices?done=let-in", "{}", done.words());
    assert_eq!(*play.running.guests.lock().unwrap(), [(face, "jordan".to_owned(), 60)]);
    let words = staff.get(done.location()).await.words();
    assert!(words.contains("Jordan: 02:1a:33:44:55:66 For 1 h more"), "{words}");
    assert!(!words.contains(private), "it is no stranger now: {words}");
    let out = [("device", "02:1a:33:44:55:66")];
    assert_eq!(staff.post("/devices/let-out", &out).await.location(), "/devices?done=let-out");
    assert!(play.running.guests.lock().unwrap().is_empty());
    let journal = format!("{:?}", play.records.newest(5).await.unwrap());
    for said in ["let 02:1a:33:44:55:66 in for jordan", "for an hour at most", "signed 02:1a:33:44:55:66 out"]
    {
        assert!(journal.contains(said), "{said}: {journal}");
    }
    for (device, person, minutes) in [
        ("02:1a:33:44:55:66", "nobody", "60"),
        ("02:1a:33:44:55:66", "jordan", "100000"),
        ("<script>", "jordan", "60"),
    ] {
        let form = [("device", device), ("person", person), ("for", minutes)];
        assert!(staff.post("/devices/let-in", &form).await.status.is_client_error(), "{form:?}");
    }
    assert!(play.running.guests.lock().unwrap().is_empty());
    for account in ["visitor", "it"] {
        let page = play.signed_in(account).await.get("/devices").await;
        assert!(!page.text.contains("02:1a:33"), "{account}");
    }
}

#[tokio::test]
async fn a_new_pin_signs_out_whoever_was_in_with_the_old_one() {
    let play = Play::new().await;
    let face: Face = "02:1a:33:44:55:66".parse().unwrap();
    let guest = |id: &str| (face, id.to_owned(), 60);
    *play.running.guests.lock().unwrap() = vec![guest("jordan"), guest("sam")];
    let mut staff = play.signed_in("k.lane").await;
    let page = staff.post("/people/jordan/pin", &[("pin", "471938")]).await;
    assert_eq!(page.location(), "/people/jordan?done=pin", "{}", page.words());
    assert_eq!(*play.running.guests.lock().unwrap(), [guest("sam")]);
}

#[tokio::test]
async fn what_a_young_person_saw_stands_on_the_first_page() {
    let play = Play::new().await;
    let by = records::By { role: records::ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    play.records.report("jordan", by.clone(), "a mean message", None).await.unwrap();
    let stranger = records::By { id: "192.0.2.9".into(), ..by };
    play.records.report("nobody", stranger, "somebody is scared", None).await.unwrap();
    let words = play.signed_in("k.lane").await.get("/").await.words();
    for said in [
        "They saw something 2",
        "Jordan : a mean message 17:30",
        "nobody here is known to have (192.0.2.9) : somebody",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    for path in ["/", "/shift"] {
        let visitor = play.signed_in("visitor").await.get(path).await;
        assert_eq!(
            visitor.text.contains("nobody here is known to have"),
            path == "/shift",
            "{}",
            visitor.text
        );
        for secret in ["mean message", "192.0.2.9"] {
            assert!(!visitor.text.contains(secret), "{path}: {secret}: {}", visitor.text);
        }
    }
}
