//! Each daily task is three clicks from **Now** at most: links that are followed, folds that are opened, the button.

use super::play::Play;
use super::shifts::happens;
use std::time::Duration;

/// A task; the links that lead to it, each on the page of the one before; whether its form is folded; what its form sends to.
const TASKS: &[(&str, &[&str], bool, &str)] = &[
    ("answer an ask", &["/asks"], false, "/yes"),
    ("say no to an ask", &["/asks"], true, "/no"),
    ("give more time", &["/give/jordan"], false, "/give/jordan"),
    ("take something back", &["/grants/"], false, "/end"),
    ("read and sign the shift", &["/shift"], false, "/shift/sign"),
    ("note or mark an episode", &["/shift"], true, "/episodes/"),
    ("place a restriction", &["/restrictions", "/restrictions/new"], false, "/restrictions/place"),
    ("book a device", &["/devices"], true, "/devices/book"),
    ("ask why a site is closed", &["/lists"], false, "/lists"),
    ("export for an inspector", &["/evidence"], false, "/evidence"),
    ("print the hand-over sheet", &["/shift", "/shift/sheet"], false, ""),
    ("say that a report was heard", &[], true, "/reports/"),
    ("raise a concern", &["/shift"], true, "/episodes/"),
    ("close a concern", &["/shift"], true, "/concerns/"),
    ("write down that a list is wrong", &["/lists"], true, "/lists/report"),
    ("give a PIN", &["/people", "/people/jordan"], false, "/people/jordan/pin"),
    ("say that an agreement was read", &["/people", "/people/jordan"], false, "/people/jordan/read"),
    ("look for what matters in a shift", &["/shift"], false, "/shift"),
];

/// The first link of a page that begins so.
fn link(page: &str, begins: &str) -> Option<String> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.map(|href| href.replace("&#38;", "&")).find(|href| href.starts_with(begins))
}

#[tokio::test]
async fn three_clicks_at_most() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.clock.advance(Duration::from_secs(4 * 3600 + 600));
    play.records.ask("jordan", "chat.example", "please").await.unwrap();
    let by = records::By { role: records::ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    play.records.report("jordan", by, "a mean message", None).await.unwrap();
    let mut manager = play.signed_in("r.osei").await;
    let mut staff = play.signed_in("k.lane").await;
    let episode = play.records.episodes(&records::Which::default()).await.unwrap()[0].entry;
    staff.post(&format!("/episodes/{episode}"), &[("mark", "concern"), ("words", "a stranger")]).await;
    let gift = [("what", "time"), ("for", "30m"), ("why", "film night")];
    assert!(manager.post("/give/jordan", &gift).await.location().starts_with("/give/jordan?done="));
    for (task, links, folded, form) in TASKS {
        // What is a manager's to do a manager does; everything else whoever is on shift.
        let is_managers = ["/restrictions", "/evidence"].iter().any(|theirs| form.starts_with(theirs));
        let who = if is_managers { &mut manager } else { &mut staff };
        let mut page = who.get("/").await.text;
        let mut clicks = 0;
        for begins in *links {
            let href = link(&page, begins).unwrap_or_else(|| panic!("{task}: no link to {begins}"));
            page = who.get(&href).await.text;
            clicks += 1;
        }
        let actions: Vec<&str> =
            page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(form.is_empty() || actions.iter().any(|action| action.contains(form)), "{task}: {actions:?}");
        clicks += usize::from(*folded) + usize::from(!form.is_empty());
        assert!(clicks <= 3, "{task} takes {clicks} clicks");
    }
}
