//! Exports: whole, verifiable, and written down.

use super::play::{Page, Play};
use super::shifts::happens;
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use records::Mark;
use std::process::Command;
use std::time::Duration;

/// Unpacks an archive, lets `sha256sum` say that it is whole, and gives everything that stands in it.
fn unpacked(bytes: &[u8]) -> Option<Vec<(String, String)>> {
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

async fn export(play: &Play, form: &[(&str, &str)]) -> (Page, Vec<u8>) {
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
async fn one_persons_records_and_nobody_elses() {
    let play = lived().await;
    let form = [("person", "jordan"), ("recipient", "Jordan"), ("purpose", "they asked")];
    let (page, bytes) = export(&play, &form).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let name = page.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, "attachment; filename=\"hearthgate-jordan-2026-11-22.zip\"");
    let Some(files) = unpacked(&bytes) else { return println!("skipped: python3 is not installed") };
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in [
        "episodes.csv",
        "episodes.json",
        "asks.json",
        "restrictions.json",
        "minutes.csv",
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
    let Some(files) = unpacked(&bytes) else { return println!("skipped: python3 is not installed") };
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
