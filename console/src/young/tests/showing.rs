//! "Will you show me?": kindly on their own page, with an answer, and nothing but the answer is recorded.

use super::{JORDANS, LOUNGE, OWN, SAMS, Young, token};
use axum::http::StatusCode;
use records::{Entry, Showing};

/// The section of a page that asks.
fn asking(page: &str) -> Option<&str> {
    page.split("id=\"show\"").nth(1)?.split("</section>").next()
}

#[tokio::test]
async fn what_staff_ask_to_be_shown_is_answered_by_whom_it_is_asked() {
    let young = Young::new().await;
    let origin = format!("http://{OWN}");
    let mut kate = young.play.signed_in("k.lane").await;
    let asked = kate.post("/people/jordan/show", &[("words", "it is quiet in there")]).await;
    assert_eq!(asked.location(), "/?done=asked", "{}", asked.words());
    kate.post("/people/jordan/show", &[("words", "again")]).await;
    assert_eq!(kate.post("/people/lounge/show", &[]).await.status, StatusCode::NOT_FOUND);
    let now = kate.get("/").await.words();
    assert_eq!(now.matches("asked by Kate Lane at 17:30 (it is quiet in there)").count(), 1, "{now}");

    let (_, page) = young.get(JORDANS, "/").await;
    let form = asking(&page).unwrap_or_else(|| panic!("{page}"));
    assert!(form.contains("Kate Lane asks") && form.contains("Saying no is no breach"), "{form}");
    assert!(!page.contains("quiet in there"), "why staff ask is for staff: {page}");
    let (_, welsh) = young.get(JORDANS, "/?lang=cy&easy=yes").await;
    assert!(asking(&welsh).is_some_and(|form| form.contains("Kate Lane")), "{welsh}");
    for other in [SAMS, LOUNGE] {
        assert!(asking(&young.get(other, "/").await.1).is_none(), "nobody else's page asks");
    }
    let entry = form.split("name=\"entry\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let good = token(form).to_owned();
    for (name, from, origin, form) in [
        ("anothers_device", SAMS, origin.as_str(), format!("entry={entry}&token={good}&answer=no")),
        ("another_site", JORDANS, "http://evil.example", format!("entry={entry}&token={good}&answer=no")),
        ("no_token", JORDANS, origin.as_str(), format!("entry={entry}&answer=no")),
        ("no_answer", JORDANS, origin.as_str(), format!("entry={entry}&token={good}&answer=shown")),
    ] {
        let (status, _) = young.post(from, "/hearthgate/show", origin, &form).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
    }
    let later = format!("entry={entry}&token={good}&answer=later");
    let (status, said) = young.post(JORDANS, "/hearthgate/show?lang=en", &origin, &later).await;
    assert!(status == StatusCode::OK && said.contains("Staff know"), "{said}");
    assert!(asking(&young.get(JORDANS, "/").await.1).is_none(), "it is answered");
    let now = kate.get("/").await.words();
    assert!(now.contains("; later, says Jordan") && !now.contains("What became of it"), "{now}");

    // Staff write down what became of the next one, once.
    kate.post("/people/jordan/show", &[]).await;
    let show = young.play.records.shows(young.play.clock_now()).await.unwrap()[0].entry;
    let path = format!("/shows/{show}");
    assert_eq!(kate.post(&path, &[("outcome", "x")]).await.status, StatusCode::NOT_FOUND);
    let noted = kate.post(&path, &[("outcome", "shown"), ("words", "a film")]).await;
    assert_eq!(noted.location(), "/?done=noted", "{}", noted.words());
    assert_eq!(kate.post(&path, &[("outcome", "declined")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told: Vec<_> = young.play.records.newest(100).await.unwrap();
    let answers: Vec<_> = told
        .iter()
        .filter_map(|logged| match &logged.says {
            Some(Entry::ShowAnswered(said)) => Some((said.outcome, said.by.id.as_str(), said.words.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [(Showing::Shown, "k.lane", "a film"), (Showing::Later, "jordan", "")]);
}
