//! A real browser on a young person's device, with its own resolver switched on.

use crate::SATURDAY;
use crate::around::turned_away;
use crate::device::look_up;
use crate::internet::{FOREIGN_RESOLVER, wait_for};
use crate::lab::{Lab, Who};
use crate::machine::{Program, program};
use crate::router::{episodes, held};
use agreements::Detector;
use std::process::Stdio;
use tempfile::TempDir;

/// The page that Chromium shows, with its secure DNS as it is set: `automatic` falls back, `secure` does not.
fn page(lab: &Lab, mode: &str, template: &str, url: &str) -> String {
    page_with(lab, mode, template, &[url])
}

/// The same with more words on its command line.
fn page_with(lab: &Lab, mode: &str, template: &str, more: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let chosen = serde_json::json!({"dns_over_https": {"mode": mode, "templates": template}});
    std::fs::write(profile.path().join("Local State"), chosen.to_string()).unwrap();
    let data = format!("--user-data-dir={}", profile.path().display());
    let words = [&["120", "chromium"], &WORDS[..], &[&data, "--dump-dom"], more].concat();
    lab.of(Who::Jordan).says("timeout", &words)
}

/// What Chromium is always told.
const WORDS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--ignore-certificate-errors",
];

/// A browser that shows a page until what is returned is dropped.
pub(crate) fn goes_on(lab: &Lab, url: &str) -> (Program, TempDir) {
    let profile = tempfile::tempdir().unwrap();
    let mut chromium = program("chromium");
    chromium.args(WORDS).arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
    chromium.stdout(Stdio::null()).stderr(Stdio::null());
    (lab.of(Who::Jordan).start(chromium), profile)
}

#[test]
fn doh_in_chromium_falls_back_and_is_held() {
    let Some(lab) = held(SATURDAY) else { return };
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    // One that everybody knows, one that nobody does and who answers no questions, and one that nobody does and who answers all.
    for template in
        ["https://dns.google/dns-query", "https://resolver.test/dns-query", "https://dns.test/dns-query"]
    {
        let open = page(&lab, "automatic", template, "http://open.test/");
        assert!(open.contains("open.test at "), "{template}: it falls back: {open}");
        let casino = page(&lab, "automatic", template, "http://casino.test/");
        assert!(
            casino.contains("Your agreement keeps betting sites closed"),
            "{template}: and is held: {casino}"
        );
        // Over TLS nobody can be shown a page in its place. The name that it shows may hide in a hello of post-quantum size.
        let open = page(&lab, "automatic", template, "https://open.test/");
        assert!(open.contains("open.test at "), "{template}: {open}");
        let casino = page(&lab, "automatic", template, "https://casino.test/");
        assert!(!casino.contains("casino.test at "), "{template}: {casino}");
    }
    for url in ["http://casino.test/", "https://casino.test/"] {
        let strict = page(&lab, "secure", "https://dns.test/dns-query", url);
        assert!(!strict.contains("casino.test at "), "{url}: {strict}");
    }
    // A browser that takes no other resolver did ask that one: it does speak to it, and it helps nobody.
    let open = page(&lab, "secure", "https://dns.test/dns-query", "http://open.test/");
    assert!(open.contains("open.test at ") && lab.internet.resolver_was_asked("open.test"), "{open}");
    let strict = page(&lab, "secure", "https://dns.google/dns-query", "http://casino.test/");
    assert!(!strict.contains("casino.test at "), "{strict}");
    for port in [53, 853] {
        assert_eq!(
            [FOREIGN_RESOLVER.0, FOREIGN_RESOLVER.1].map(|at| lab.internet.heard.at(at, port)),
            [0, 0]
        );
    }
    let told = wait_for("the episode", || {
        Some(episodes(&lab)).filter(|told| told.iter().any(|episode| episode["site"] == "casino.test"))
    });
    // What a browser does by itself is no way around.
    let severe =
        |episode: &&serde_json::Value| !["low", "medium"].contains(&episode["severity"].as_str().unwrap());
    assert_eq!(told.iter().find(severe), None, "{told:?}");
}

/// A browser that is told to speak QUIC to a site shows it all the same: over TCP, since QUIC is refused at once.
#[test]
fn a_browser_that_wants_quic_falls_back_and_shows_the_page() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    // The site says that it speaks QUIC, and the page asks for another one.
    let told = page_with(&lab, "off", "", &["--enable-quic", "https://open.test/quic"]);
    assert!(told.contains("open.test at "), "{told}");
    // Somebody has it speak QUIC to the site from the first word on.
    let forced = ["--enable-quic", "--origin-to-force-quic-on=open.test:443", "https://open.test/"];
    let forced = page_with(&lab, "off", "", &forced);
    assert!(!forced.contains("HTTP/3"), "{forced}");
    for at in [four, six] {
        assert_eq!(lab.internet.heard.at(&at.to_string(), 443), 0, "no datagram arrives at {at}");
    }
    // And it did try.
    turned_away(&lab, Detector::Quic);
}
