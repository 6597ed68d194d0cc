//! Exports: whole, verifiable, and written down.

use super::play::{JORDAN, Page, Play};
use super::shifts::happens;
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use records::Mark;
use std::process::Command;
use std::time::Duration;

/// Unpacks an archive, lets `sha256sum` say that it is whole, and gives everything that stands in it.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    std::fs::write(&path, bytes).unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let made = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&path).arg(&out).status().ok()?;
    assert!(made.success());
    let whole = Command::new("sha256sum")
        .args(["-c", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&out)
        .output()
        .ok()?;
    assert!(whole.status.success(), "{whole:?}");
    let files = std::fs::read_dir(&out).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    Some(files.collect())
}

pub(super) async fn export(play: &Play, form: &[(&str, &str)]) -> (Page, Vec<u8>) {
    let mut manager = play.signed_in("r.osei").await;
    let form: Vec<String> =
        form.iter().map(|(key, value)| format!("{key}={}", value.replace(' ', "+"))).collect();
    let request = manager.request(Method::POST, "/evidence").body(Body::from(form.join("&"))).unwrap();
    manager.send_for_bytes(request).await
}

async fn lived() -> Play {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    let entry = play.records.episodes(&records::Which::default()).await.unwrap()[0].entry;
    let by = records::By { role: records::ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() };
    play.records.mark(entry, by.clone(), Mark::SpokeWithThem, "Jordan was upset").await.unwrap();
    play.records.concern(entry, "jordan", by, "Jordan named a stranger").await.unwrap();
    play.records.ask("jordan", "chat.example", "please").await.unwrap();
    play.records.ask("sam", "sams-site.example", "please").await.unwrap();
    play.clock.advance(Duration::from_secs(60));
    play
}

#[tokio::test]
async fn what_was_late_stands_on_the_page_to_print() {
    let play = lived().await;
    let mut manager = play.signed_in("r.osei").await;
    let placed = manager
        .post(
            "/restrictions/place",
            &[
                ("person", "jordan"),
                ("closes", "video.example"),
                ("reason", "Jordan was followed"),
                ("tried", "Talked it through"),
                ("emergency", "yes"),
                ("until", "2026-11-23T17:30"),
                ("review", "2026-11-23"),
                ("told_on", "2026-11-22"),
                ("view", "fair enough"),
            ],
        )
        .await;
    assert_eq!(placed.location(), "/restrictions?done=placed", "{}", placed.words());
    let entry = play.records.restrictions().await.unwrap()[0].entry;
    play.clock.advance(Duration::from_secs(26 * 3600));
    let mut manager = play.signed_in("r.osei").await;
    manager.post(&format!("/restrictions/{entry}/told"), &[("words", "A. Mensah")]).await;
    let concern = play.records.concerns(true).await.unwrap()[0].entry;
    let closed = [("with", "A. Mensah"), ("words", "a meeting")];
    manager.post(&format!("/concerns/{concern}"), &closed).await;
    let days =
        [("from", "2026-11-01"), ("to", "2026-11-23"), ("recipient", "the visitor"), ("purpose", "reg 44")];
    let full: Vec<_> = days.into_iter().chain([("names", "full")]).collect();
    for (form, named) in [(&days[..], false), (&full[..], true)] {
        let (_, bytes) = export(&play, form).await;
        let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
        let text = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).expect(wanted).1;
        let page = text("summary.html");
        let late = "A. Mensah had full details on 23 November 2026 at 19:31, 2 h late";
        assert!(page.contains(late), "{page}");
        assert_eq!(page.contains("Why: Jordan was followed"), named, "{page}");
        assert!(
            text("restrictions.json").contains("\"authority_late\": true"),
            "{}",
            text("restrictions.json")
        );
        let at = "\"closed_at\":\"2026-11-23T19:31:00Z\"";
        assert!(text("concerns.json").replace(": ", ":").contains(at), "{}", text("concerns.json"));
    }
}

#[tokio::test]
async fn one_persons_records_and_nobody_elses() {
    let play = lived().await;
    let form = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    let (page, bytes) = export(&play, &form).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let name = page.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, "attachment; filename=\"hearthgate-jordan-2026-11-22.zip\"");
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in [
        "episodes.csv",
        "episodes.json",
        "asks.json",
        "restrictions.json",
        "concerns.json",
        "journal.json",
        "minutes.csv",
        "monitored.csv",
        "agreement.yaml",
        "manifest.json",
        "SHA256SUMS",
        "README.txt",
    ] {
        assert!(names.contains(&wanted), "{wanted} in {names:?}");
    }
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    assert!(all.contains("games.example") && all.contains("chat.example"), "{all}");
    assert!(!all.contains("Sam") && !all.contains("sams-site"), "{all}");
    let journal = format!("{:?}", play.records.newest(3).await.unwrap());
    assert!(
        journal.contains("exported the records of jordan for Jordan") && journal.contains("they asked"),
        "{journal}"
    );
}

#[tokio::test]
async fn an_inspector_reads_initials_unless_names_were_asked_for() {
    let play = lived().await;
    let days =
        [("from", "2026-11-01"), ("to", "2026-11-22"), ("recipient", "the visitor"), ("purpose", "reg 44")];
    let (_, bytes) = export(&play, &days).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let all: String =
        files.iter().filter(|(name, _)| name != "README.txt").map(|(_, text)| text.as_str()).collect();
    assert!(all.contains("games.example") && all.contains("J."), "{all}");
    for secret in ["Jordan", "jordan", "upset", "stranger"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    let full: Vec<_> = days.into_iter().chain([("names", "full")]).collect();
    let (_, bytes) = export(&play, &full).await;
    let files = unpacked(&bytes).unwrap();
    let journal = &files.iter().find(|(name, _)| name == "journal.jsonl").unwrap().1;
    assert!(journal.contains("Jordan named a stranger"), "{journal}");
    let head = play.records.head().await.unwrap();
    assert_eq!(journal.lines().count() as i64, head.entries - 1, "all but the export’s own entry");
}

#[tokio::test]
async fn every_row_of_a_manifest_has_its_regulation_and_a_page_to_print_lists_it() {
    let play = lived().await;
    let days =
        [("from", "2026-11-01"), ("to", "2026-11-22"), ("recipient", "the visitor"), ("purpose", "reg 44")];
    let subject = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    for (form, wanted) in [
        (
            &days[..],
            &[
                ("episodes.csv", "reg 12"),
                ("episodes.json", "reg 44(4)"),
                ("restrictions.json", "reg 22"),
                ("concerns.json", "reg 34"),
                ("reports.json", "reg 7"),
                ("shifts.json", "reg 13"),
                ("nights.json", "reg 10"),
                ("by-hand.json", "reg 12"),
                ("summary.html", "reg 45(2)"),
            ][..],
        ),
        (
            &subject[..],
            &[("episodes.csv", "reg 12"), ("asks.json", "UK GDPR art 15"), ("minutes.csv", "UK GDPR art 15")]
                [..],
        ),
    ] {
        let (_, bytes) = export(&play, form).await;
        let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
        let text = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).expect(wanted).1;
        let manifest: serde_json::Value = serde_json::from_str(text("manifest.json")).unwrap();
        let rows = manifest["files"].as_array().unwrap();
        for row in rows {
            let tags = row["regulations"].as_array().unwrap();
            assert!(!tags.is_empty() && tags.iter().all(|tag| tag.as_str().unwrap().contains(' ')), "{row}");
        }
        for (name, tag) in wanted {
            let row = rows.iter().find(|row| row["name"] == *name).expect(name);
            assert!(row["regulations"].as_array().unwrap().contains(&(*tag).into()), "{name}: {row}");
        }
    }
    let (_, bytes) = export(&play, &days).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let text = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).expect(wanted).1;
    let csv = text("episodes.csv");
    assert!(csv.starts_with("\"entry\",\"person\",\"name\"") && csv.contains("\"J.\",\"J.\",\"\""), "{csv}");
    let page = text("summary.html");
    for said in [
        "Oakview House",
        "<th scope=\"row\">J.</th><td data-of=\"How many\">1 medium</td>",
        "1 open, 0 with",
        "reg 12, reg 34",
        "0 of",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    for (name, content) in
        files.iter().filter(|(name, _)| name.starts_with("episodes") || name == "shifts.json")
    {
        let row = page.split(&format!("<th scope=\"row\">{name}</th>")).nth(1).expect(name);
        let sum = row.split("<code>").nth(1).unwrap().split('<').next().unwrap();
        assert!(text("SHA256SUMS").contains(&format!("{sum}  {name}")), "{name}: {}", content.len());
    }
    for secret in ["Jordan", "jordan", "upset", "stranger"] {
        assert!(!page.contains(secret) && !csv.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn without_whom_and_why_nothing_goes_out() {
    let play = lived().await;
    for form in [
        [("person", "jordan"), ("recipient", ""), ("purpose", "x"), ("from", "")],
        [("person", "jordan"), ("recipient", "x"), ("purpose", " "), ("from", "")],
        [("person", ""), ("recipient", "x"), ("purpose", "x"), ("from", "yesterday")],
        [("person", ""), ("recipient", "x"), ("purpose", "x"), ("from", "0001-01-01")],
    ] {
        let (page, _) = export(&play, &[&form[..], &[("to", "2026-11-22")]].concat()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
    }
    let (page, _) = export(&play, &[("person", "nobody"), ("recipient", "x"), ("purpose", "x")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

/// Something of every kind that is about somebody, for Jordan and for Sam; what is Sam's says so.
async fn everything(play: &Play, id: &str, secret: &str) {
    use agreements::{GrantKind, LimitKey, What, lawful::RestrictionDraft};
    use records::{Answer, Booking, By, ByRole, Clock, NewGrant};
    let by = || By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() };
    let records = &play.records;
    let now = play.clock.now();
    happens(play, id, "games.example").await;
    let of_them = records::Which { person: Some(id.to_owned()), ..records::Which::default() };
    let entry = records.episodes(&of_them).await.unwrap()[0].entry;
    let words = |what: &str| format!("{secret}-{what}");
    records.note(entry, by(), &words("note")).await.unwrap();
    records.mark(entry, by(), Mark::FalseAlarm, &words("mark")).await.unwrap();
    let concern = records.concern(entry, id, by(), &words("concern")).await.unwrap();
    records.close_concern(concern, by(), &words("with"), &words("closed")).await.unwrap();
    let report = records.report(id, by(), &words("report"), None).await.unwrap();
    let hearer = records::Hearer { by: by(), manages: false };
    records.open_words(report, By { name: words("opener"), ..by() }).await.unwrap();
    records.hear_report(report, &hearer, &words("heard")).await.unwrap();
    let ask = records.ask(id, &format!("{secret}-asked.example"), &words("ask")).await.unwrap();
    records.answer(ask, Answer::Decline, by(), &words("answer")).await.unwrap();
    let until = now + chrono::TimeDelta::hours(1);
    let kind = GrantKind::ExtraTime(LimitKey::Everything);
    let new = NewGrant { person: id.into(), kind, until, by: by(), reason: words("grant") };
    let grant = records.grant(new).await.unwrap();
    records.revoke(grant, by(), &words("revoked")).await.unwrap();
    let draft = RestrictionDraft {
        people: vec![id.into()],
        kind: agreements::PersonKind::YoungPerson,
        what: Some(What::Everything),
        reason: words("restricted"),
        tried: words("tried"),
        from: now,
        until: Some(until),
        review_on: Some("2026-11-22".parse().unwrap()),
        consent: Some(("A. Mensah, Leeds".into(), "2026-11-22".parse().unwrap())),
        emergency: false,
        told_on: Some("2026-11-22".parse().unwrap()),
        view: words("view"),
    };
    let house = play.in_force.to_keep();
    let protected = &house.snapshot.house.home().protected;
    let placed = records.restrict(draft, protected, by()).await.unwrap();
    records.authority_told(placed, by(), &words("whom")).await.unwrap();
    let reviewed =
        records.restriction_reviewed(placed, by(), (&words("reviewed"), &words("now"), None)).await;
    reviewed.unwrap();
    records.end_restriction(placed, by(), &words("lifted")).await.unwrap();
    records.book(id, "phone", Booking::Out, by(), &words("device")).await.unwrap();
    records.staff_action(by(), &format!("looked at the agreement of {id}"), &words("looked")).await.unwrap();
}

const KINDS: [&str; 21] = [
    "note",
    "mark",
    "concern",
    "with",
    "closed",
    "report",
    "opener",
    "heard",
    "asked.example",
    "ask",
    "answer",
    "grant",
    "revoked",
    "restricted",
    "tried",
    "view",
    "whom",
    "reviewed",
    "now",
    "lifted",
    "device",
];

#[tokio::test]
async fn who_opened_what_was_told_for_somebody_else_stands_in_the_export() {
    let play = Play::new().await;
    let by = records::By { role: records::ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    let report = play.records.report("jordan", by, "a mean message", Some("m.ali")).await.unwrap();
    play.signed_in("k.lane").await.post(&format!("/reports/{report}/open"), &[]).await;
    let days =
        [("from", "2026-11-22"), ("to", "2026-11-22"), ("recipient", "Ofsted"), ("purpose", "a visit")];
    for form in [days.to_vec(), [&days[..], &[("names", "full")]].concat()] {
        let (_, bytes) = export(&play, &form).await;
        let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
        let told = &files.iter().find(|(name, _)| name == "reports.json").unwrap().1;
        let opened = told.split("\"opened\"").nth(1).unwrap_or_else(|| panic!("{told}"));
        assert!(opened.contains("k.lane") && opened.contains("2026-11-22T17:30"), "{told}");
    }
}

#[tokio::test]
async fn everything_about_one_and_nothing_about_others() {
    let play = Play::new().await;
    everything(&play, "jordan", "jordans").await;
    everything(&play, "sam", "sams").await;
    let by = records::By { role: records::ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() };
    let episodes = play.records.episodes(&records::Which::default()).await.unwrap();
    let own = episodes.iter().find(|episode| episode.person == "jordan").unwrap().entry;
    play.records.note(own, by.clone(), "he was with Sam all evening").await.unwrap();
    let shift = records::shift::last(&[], chrono_tz::Europe::London, records::Clock::now(&*play.clock));
    let seen = play.records.tally(shift.from, shift.to).await.unwrap();
    play.records.sign_shift(shift, None, by.clone(), "Jordan and Sam argued", seen).await.unwrap();
    // More than any list of the desk shows at once.
    for n in 0..1200 {
        play.records.staff_action(by.clone(), "looked", &n.to_string()).await.unwrap();
    }
    play.clock.advance(Duration::from_secs(20 * 60));
    everything(&play, "jordan", "jordans-later").await;
    let form = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    let (_, bytes) = export(&play, &form).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    for kind in KINDS {
        for secret in ["jordans", "jordans-later"] {
            assert!(all.contains(&format!("{secret}-{kind}")), "{secret}-{kind}: {all}");
        }
        assert!(!all.contains(&format!("sams-{kind}")), "{kind}");
    }
    assert!(all.contains("jordans-looked") && all.contains("was with S. all evening"), "{all}");
    assert!(!all.contains("Sam") && !all.contains("sam\""), "{all}");
    let journal: serde_json::Value =
        serde_json::from_str(&files.iter().find(|(name, _)| name == "journal.json").unwrap().1).unwrap();
    let kinds: std::collections::BTreeSet<&str> =
        journal.as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str()).collect();
    for kind in [
        "breach_opened",
        "note",
        "mark",
        "concern",
        "concern_closed",
        "report",
        "grant",
        "grant_revoked",
        "restriction",
        "restriction_ended",
        "authority_told",
        "restriction_reviewed",
        "ask",
        "ask_answered",
        "device",
        "staff_action",
    ] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
}

#[tokio::test]
async fn no_free_text_of_staff_goes_out_with_initials() {
    let play = Play::new().await;
    everything(&play, "jordan", "jordans").await;
    let by = records::By { role: records::ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() };
    let shift = records::shift::at(&[], chrono_tz::Europe::London, records::Clock::now(&*play.clock));
    let seen = play.records.tally(shift.from, shift.to).await.unwrap();
    play.records.sign_shift(shift, None, by, "Jordan and a stranger argued", seen).await.unwrap();
    let days =
        [("from", "2026-11-01"), ("to", "2026-11-22"), ("recipient", "the visitor"), ("purpose", "reg 44")];
    let (_, bytes) = export(&play, &days).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    for (name, text) in files.iter().filter(|(name, _)| name != "README.txt") {
        for secret in ["ordan", "stranger", "jordans-"] {
            assert!(!text.contains(secret), "{secret} in {name}: {text}");
        }
    }
    let shifts = &files.iter().find(|(name, _)| name == "shifts.json").unwrap().1;
    assert!(shifts.contains("Kate Lane"), "who signed is no young person: {shifts}");
}

#[tokio::test]
async fn what_staff_write_down_by_hand_stands_where_it_is_read_and_in_the_exports() {
    let jordan = format!("{}behaviour:\n  - I will not share pictures.\n", super::play::JORDAN);
    let play = Play::of(super::play::HOME, &[("jordan", &jordan)]).await;
    let mut kate = play.signed_in("k.lane").await;
    let page = kate.get("/people/jordan").await.words();
    assert!(page.contains("It cannot see inside an app"), "the page says what the gateway cannot do: {page}");
    let path = "/people/jordan/incident";
    for (form, wrong) in [
        (&[("words", "")][..], "write down what happened"),
        (&[("words", "x"), ("at", "2026-11-23T10:00")], "still to come"),
        (&[("words", "x"), ("at", "noon")], "is no time"),
    ] {
        let page = kate.post(path, form).await;
        assert!(page.status.is_client_error() && page.words().contains(wrong), "{wrong}: {}", page.words());
    }
    let form = [
        ("words", "a picture of Sam <b> was passed on"),
        ("at", "2026-11-22T15:10"),
        ("about", "0"),
        ("concern", "yes"),
    ];
    let done = kate.post(path, &form).await;
    assert_eq!(done.location(), "/people/jordan?done=written#incidents", "{}", done.words());
    assert_eq!(kate.post("/people/nobody/incident", &form).await.status, StatusCode::NOT_FOUND);
    let said = "a picture of Sam &#60;b&#62; was passed on";
    for page in [
        "/people/jordan",
        "/shift?at=2026-11-22T17:30:00Z",
        "/shift/sheet?at=2026-11-22T17:30:00Z&names=full",
    ] {
        let page = kate.get(page).await.text;
        assert!(page.contains(said) && page.contains("I will not share pictures."), "{page}");
    }
    let visitor = play.signed_in("visitor").await.get("/shift?at=2026-11-22T17:30:00Z").await;
    assert!(visitor.words().contains("J. , 15:10 by Kate Lane"), "{}", visitor.words());
    assert!(!visitor.text.contains("picture"), "no words for whoever reads initials: {}", visitor.text);
    assert_eq!(
        play.records.concerns(true).await.unwrap()[0].concern.words,
        "a picture of Sam <b> was passed on"
    );
    play.clock.advance(Duration::from_secs(60));
    let days = [
        ("from", "2026-11-01"),
        ("to", "2026-11-22"),
        ("recipient", "the visitor"),
        ("purpose", "reg 44"),
        ("names", "full"),
    ];
    let subject = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    for form in [&days[..], &subject[..]] {
        let (_, bytes) = export(&play, form).await;
        let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
        let text = &files.iter().find(|(name, _)| name == "by-hand.json").unwrap().1;
        let told: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(told[0]["at"], "2026-11-22T15:10:00Z", "{text}");
        assert_eq!(told[0]["about"]["text"], "I will not share pictures.", "{text}");
        assert_eq!(
            (told[0]["about"]["line"].as_u64(), told[0]["regulations"][0].as_str()),
            (Some(22), Some("reg 12")),
            "{text}"
        );
        assert!(told[0]["words"].as_str().unwrap().contains("was passed on"), "{text}");
    }
    assert!(matches!(play.records.verify(None).await.unwrap(), records::Verified::Whole { .. }));
}

#[tokio::test]
async fn a_young_person_has_a_page_of_their_own_to_read_in_both_languages() {
    let play = Play::new().await;
    everything(&play, "jordan", "jordans").await;
    everything(&play, "sam", "sams").await;
    let by = records::By { role: records::ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    let episodes = play.records.episodes(&records::Which::default()).await.unwrap();
    let own = episodes.iter().find(|episode| episode.person == "jordan").unwrap().entry;
    play.records.note(own, by, "That wasn’t me it was <b>Sam</b>").await.unwrap();
    let ask = play.records.ask_time("jordan", "for my art").await.unwrap();
    let mut kate = play.signed_in("k.lane").await;
    kate.post(&format!("/asks/{ask}/no"), &[("kind", "0"), ("why", "")]).await;
    let told =
        kate.post("/people/jordan/incident", &[("words", "Sam was unkind"), ("about", ""), ("at", "")]).await;
    assert!(told.status.is_redirection(), "{}", told.words());
    let subject = [("person", "jordan"), ("recipient", "Jordan <i>"), ("purpose", "they asked")];
    let (_, bytes) = export(&play, &subject).await;
    let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
    let text = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).expect(wanted).1;
    let (english, welsh) = (text("summary.html"), text("summary-cy.html"));
    for said in [
        "<html lang=\"en-GB\"",
        "What is kept about me",
        "It goes to Jordan &#60;i&#62;.",
        "Why it was made: they asked",
        "<th scope=\"row\">Monday</th><td>07:00–21:00</td>",
        "<b>Ask first:</b> chat.example",
        "Your phone tried to open games.example.",
        "You said: That wasn’t me it was &#60;b&#62;S.&#60;/b&#62;",
        "S. was unkind",
        "jordans-asked.example jordans-ask",
        "Not this time: jordans-answer",
        "more time for my art",
        "Not this time: Not tonight: it is late",
        "The internet: 22 November 2026 17:30 to 22 November 2026 17:30.",
        "The reason: jordans-restricted",
        "Tried before: jordans-tried",
        "What you said: jordans-view",
        "Kate Lane has read it. jordans-report jordans-heard",
        "<td>the agreement of jordan</td><td>1</td>",
        "episodes.csv, episodes.json",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    for said in [
        "<html lang=\"cy\"",
        "Beth sy’n cael ei gadw amdana i",
        "dydd Llun",
        "Dywedaist ti: Nid fi oedd hwnna<span lang=\"\"> it was",
        "Nid y tro hwn: Ddim heno: mae’n hwyr",
        "Nid y tro hwn: <span lang=\"en-GB\">jordans-answer</span>",
    ] {
        assert!(welsh.contains(said), "{said}: {welsh}");
    }
    for page in [english, welsh] {
        for not in ["<script", "http:", "https:", "Sam", "sams", "src=", "<link", "<b>S"] {
            assert!(!page.contains(not), "{not}: {page}");
        }
    }
}

#[tokio::test]
async fn whose_agreement_is_not_in_force_is_told_so_on_their_own_copy() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    let unsigned = JORDAN.replace("  home_manager: {name: R. Osei, on: 2026-11-02}\n", "");
    let unusable = JORDAN.replace("otherwise: allow", "otherwise: perhaps");
    let (draft, broken) = ("Your agreement is not finished.", "Your agreement cannot be used just now.");
    let subject = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    for (agreement, told, times) in [
        (JORDAN, None, true),
        (unsigned.as_str(), Some(draft), true),
        (unusable.as_str(), Some(broken), false),
    ] {
        super::kept::becomes(&play, &[("jordan", agreement)]);
        let (_, bytes) = export(&play, &subject).await;
        let Some(files) = unpacked(&bytes) else { return super::missing("python3") };
        let own = &files.iter().find(|(name, _)| name == "summary.html").expect("their own copy").1;
        for said in [draft, broken] {
            assert_eq!(own.contains(said), told == Some(said), "{said}: {own}");
        }
        assert_eq!(own.contains("<th scope=\"row\">Monday</th>"), times, "{own}");
        assert!(own.contains("<h2>My agreement</h2>"), "{own}");
    }
}
