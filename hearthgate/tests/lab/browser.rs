//! A real browser on a young person's device, with its own resolver switched on.

use crate::SATURDAY;
use crate::internet::{FOREIGN_RESOLVER, wait_for};
use crate::lab::{Lab, Who};
use crate::router::held;
use std::process::Command;

/// The page that Chromium shows, with its secure DNS as it is set: `automatic` falls back, `secure` does not.
fn page(lab: &Lab, mode: &str, template: &str, url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let chosen = serde_json::json!({"dns_over_https": {"mode": mode, "templates": template}});
    std::fs::write(profile.path().join("Local State"), chosen.to_string()).unwrap();
    let data = format!("--user-data-dir={}", profile.path().display());
    let words = [
        "120",
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--ignore-certificate-errors",
        &data,
        "--dump-dom",
        url,
    ];
    lab.of(Who::Jordan).says("timeout", &words)
}

#[test]
fn doh_in_chromium_falls_back_and_is_held() {
    if Command::new("chromium").arg("--version").output().is_err() {
        assert!(std::env::var_os("HEARTHGATE_MAY_SKIP").is_some(), "chromium is missing");
        return println!("SKIPPED: there is no Chromium here");
    }
    let Some(lab) = held(SATURDAY) else { return };
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    // One that everybody knows, and one that nobody does: whose name is allowed, and who answers no questions there.
    for template in ["https://dns.google/dns-query", "https://resolver.test/dns-query"] {
        let open = page(&lab, "automatic", template, "http://open.test/");
        assert!(open.contains("open.test at "), "{template}: it falls back: {open}");
        let casino = page(&lab, "automatic", template, "http://casino.test/");
        assert!(
            casino.contains("Your agreement keeps betting sites closed"),
            "{template}: and is held: {casino}"
        );
    }
    let strict = page(&lab, "secure", "https://dns.google/dns-query", "http://casino.test/");
    assert!(!strict.contains("casino.test at "), "{strict}");
    for port in [53, 853] {
        assert_eq!(
            [FOREIGN_RESOLVER.0, FOREIGN_RESOLVER.1].map(|at| lab.internet.heard.at(at, port)),
            [0, 0]
        );
    }
    let told = wait_for("the episode", || {
        let told = lab.command(&["breaches", "list", "--json"]);
        told.contains("casino.test").then_some(told)
    });
    assert!(
        !told.contains("\"severity\":\"high\""),
        "what a browser does by itself is no way around: {told}"
    );
}
