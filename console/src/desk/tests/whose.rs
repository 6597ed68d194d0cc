//! A device becomes somebody's own, and is nobody's again; what should have been looked at by now.

use super::around::stranger_comes;
use super::play::{HOME, JORDAN, Page, Play, snapshot};
use axum::http::StatusCode;
use records::Face;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const LINE: &str = "  - {name: laptop, mac: \"02:1a:33:44:55:66\"}\n";

fn field(page: &Page, name: &str) -> String {
    let after = page.text.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("its field");
    after.split('"').next().unwrap().to_owned()
}

/// The text in the editor, as a browser has it.
fn typed(page: &Page) -> String {
    let after = page.text.split("<textarea id=\"text\"").nth(1).unwrap().split_once('>').unwrap().1;
    let text = after.split("</textarea>").next().unwrap().trim_start_matches('\n');
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
}

/// The gateway has read the folder again.
fn reload(play: &Play) {
    let files = play.running.files.lock().unwrap().clone();
    let snapshot = snapshot(&files["home.yaml"], &[("jordan", &files["agreements/jordan.yaml"])]);
    play.in_force.replace(snapshot, Arc::default());
}

#[tokio::test]
async fn an_unknown_device_becomes_somebodys_own_by_a_line_that_is_looked_at_first() {
    let jordan = format!("# agreed on Sunday\n{}", JORDAN.replace("22:30}", "22:30}  # as ever"));
    let play = Play::of(HOME, &[("jordan", &jordan)]).await;
    let face: Face = "02:1a:33:44:55:66".parse().unwrap();
    stranger_comes(&play, face).await;
    let staff = play.signed_in("k.lane").await.get("/devices").await;
    assert!(staff.text.contains("02:1a:33") && !staff.text.contains("/devices/own"), "a manager does that");
    let mut manager = play.signed_in("r.osei").await;
    assert!(manager.get("/devices").await.text.contains("action=\"/devices/own\""));
    let to = manager.get("/devices/own?device=02%3A1a%3A33%3A44%3A55%3A66&person=jordan&name=laptop").await;
    assert_eq!(to.location(), "/edit/agreements/jordan.yaml?add=02:1a:33:44:55:66&name=laptop");
    let page = manager.get(to.location()).await;
    assert_eq!(page.status, StatusCode::OK);
    for said in ["The device stands in the text now", "devices: laptop, phone in place of phone"] {
        assert!(page.words().contains(said), "{said}: {}", page.words());
    }
    let text = typed(&page);
    let wanted = jordan.replace("11:22:33\"}\n", &format!("11:22:33\"}}\n{LINE}"));
    assert_eq!(text, wanted, "one line more, and every comment where it was");
    let kept = || play.running.files.lock().unwrap()["agreements/jordan.yaml"].clone();
    assert_eq!(kept(), jordan, "nothing is saved by looking");
    let was = field(&page, "was");
    let form = [("text", text.as_str()), ("was", was.as_str()), ("why", "a new laptop"), ("step", "keep")];
    assert_eq!(
        manager.post("/edit/agreements/jordan.yaml", &form).await.location(),
        "/people/jordan?done=saved"
    );
    assert_eq!(kept(), wanted);
    reload(&play);
    let words = manager.get("/devices").await.words();
    assert!(
        words.contains("Jordan: laptop") && !words.contains("Seen last at"),
        "it is no stranger now: {words}"
    );
    // And out again.
    let page = manager.get("/edit/agreements/jordan.yaml?remove=laptop").await;
    assert_eq!(typed(&page), jordan, "as it was before");
    assert!(page.words().contains("devices: phone in place of laptop, phone"), "{}", page.words());
    for (address, status) in [
        ("/devices/own?device=fridge&person=jordan", StatusCode::NOT_FOUND),
        ("/devices/own?device=02:1a:33:44:55:66&person=nobody", StatusCode::NOT_FOUND),
        ("/edit/agreements/jordan.yaml?remove=fridge", StatusCode::OK),
    ] {
        assert_eq!(manager.get(address).await.status, status, "{address}");
    }
    let unknown = manager.get("/edit/agreements/jordan.yaml?remove=fridge").await;
    assert!(unknown.words().contains("Take `fridge` out of its devices"), "{}", unknown.words());
    // What is asked for stands there although it was never seen, unless somebody has it.
    let asked = manager.get("/devices?device=02:00:00:00:00:07").await;
    let shown = "02:00:00:00:00:07 A private address: the device made it up, and may change it. No agreement names it.";
    assert!(asked.words().contains(shown), "{}", asked.words());
    let theirs = manager.get("/devices?device=02:1a:33:44:55:66").await;
    assert!(!theirs.words().contains("No agreement names it."), "{}", theirs.words());
}

#[tokio::test]
async fn what_should_have_been_looked_at_by_now_stands_on_the_first_page() {
    let play = Play::of(&format!("{HOME}inspect_devices: 4 weeks\n"), &[("jordan", JORDAN)]).await;
    let mut staff = play.signed_in("k.lane").await;
    let never = "Jordan: phone. Nobody has looked at it together yet.";
    assert!(staff.get("/").await.words().contains(never), "{}", staff.get("/").await.words());
    let form = [("person", "jordan"), ("device", "phone"), ("what", "inspected"), ("words", "")];
    staff.post("/devices/book", &form).await;
    assert!(!staff.get("/").await.words().contains("Overdue"));
    let due = "To be looked at together again by 20 December 2026.";
    assert!(staff.get("/devices").await.words().contains(due));
    play.clock.advance(DAY * 28);
    assert!(
        !play.signed_in("k.lane").await.get("/").await.words().contains("Overdue"),
        "the last day counts"
    );
    play.clock.advance(DAY);
    let mut staff = play.signed_in("k.lane").await;
    let late = "Jordan: phone. It was to be looked at together again by 20 December 2026.";
    assert!(staff.get("/").await.words().contains(late), "{}", staff.get("/").await.words());
    let page = staff.get("/devices").await;
    assert!(page.text.contains("<b class=\"trouble\">It was to be looked at"), "{}", page.text);
    // What is handed in is looked at when it is given out again.
    let handed_in = [("person", "jordan"), ("device", "phone"), ("what", "in"), ("words", "")];
    staff.post("/devices/book", &handed_in).await;
    assert!(!staff.get("/").await.words().contains("Overdue"));
    play.clock.advance(DAY * 42);
    let mut staff = play.signed_in("k.lane").await;
    let review = "Jordan’s agreement was to be looked at again by 31 January 2027.";
    let page = staff.get("/").await;
    assert!(
        page.words().contains(review) && page.text.contains("href=\"/people/jordan\""),
        "{}",
        page.words()
    );
    for account in ["visitor", "it"] {
        assert!(!play.signed_in(account).await.get("/").await.text.contains("Jordan"), "{account}");
    }
}

#[tokio::test]
async fn a_device_that_was_handed_in_and_is_in_use_is_told() {
    let play = Play::of(HOME, &[("jordan", JORDAN)]).await;
    let uses = || play.in_force.to_keep().device_in_use(Some(0), play.clock_now());
    let said = "Jordan’s phone is handed in, and has been in use since, last at 17:32.";
    uses();
    play.clock.advance(Duration::from_secs(60));
    let mut staff = play.signed_in("k.lane").await;
    let books = [("person", "jordan"), ("device", "phone"), ("what", "in"), ("words", "")];
    staff.post("/devices/book", &books).await;
    assert!(!staff.get("/").await.words().contains("handed in"), "what was before is no matter");
    play.clock.advance(Duration::from_secs(60));
    uses();
    let now = staff.get("/").await;
    assert!(now.words().contains(said) && now.text.contains("href=\"/devices\""), "{}", now.words());
    let devices = staff.get("/devices").await.words();
    assert!(devices.contains("Handed in, and in use since: last at 17:32."), "{devices}");
    for account in ["visitor", "it"] {
        assert!(!play.signed_in(account).await.get("/").await.words().contains("handed in"), "{account}");
    }
    play.clock.advance(Duration::from_secs(60));
    staff
        .post("/devices/book", &[("person", "jordan"), ("device", "phone"), ("what", "out"), ("words", "")])
        .await;
    assert!(!staff.get("/").await.words().contains("handed in"), "its owner has it");
    staff
        .post("/devices/book", &[("person", "jordan"), ("device", "phone"), ("what", "lost"), ("words", "")])
        .await;
    play.clock.advance(Duration::from_secs(60));
    uses();
    let now = staff.get("/").await.words();
    assert!(now.contains("Jordan’s phone is lost, and has been in use since, last at 17:34."), "{now}");
}
