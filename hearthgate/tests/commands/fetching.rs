//! Lists and terms from a publisher, while the gateway runs.

use crate::home::{Gateway, Home, JO, wait_for};
use crate::running::SATURDAY;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A publisher on loopback: what it answers for each path, and with which status.
fn publisher(pages: Arc<Mutex<Vec<(&'static str, &'static str)>>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let page =
                pages.lock().unwrap().iter().find(|(path, _)| head[0].contains(path)).map(|(_, page)| *page);
            let (status, page) = page.map_or(("404 Not Found", ""), |page| ("200 OK", page));
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            );
        }
    });
    port
}

const TERMS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261102\r\nDTEND;VALUE=DATE:20261219\r\nSUMMARY:Autumn term\r\n\
END:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn lists_and_terms_are_fetched_beside() {
    let pages = Arc::new(Mutex::new(vec![
        ("/bets.txt", "bet-one.example\nbet-two.example\n"),
        ("/terms.ics", TERMS),
    ]));
    let port = publisher(pages.clone());
    let home = Home::new();
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    let text =
        text.replace("from: lists/gambling.txt", &format!("from: \"http://127.0.0.1:{port}/bets.txt\""));
    let school = format!(
        "school: {{hours: {{mon-fri: 09:00-15:15}}, calendar: \"http://127.0.0.1:{port}/terms.ics\"}}\n"
    );
    home.write("home.yaml", &format!("{text}{school}"));
    home.write("agreements/jo.yaml", &JO.replace("as_agreed", "education_only"));
    let _gateway = Gateway::start(&home, SATURDAY);
    wait_for("the list", || (home.run("status --json").json()["lists"][0]["names"] == 2).then_some(()));
    let rule = |at: &str, host: &str| {
        home.run(&format!("explain --person jo --at {at} --json {host}")).json()["rule"].clone()
    };
    assert_eq!(rule("2026-11-21T16:00", "bet-one.example"), "category");
    wait_for("the terms", || (rule("2026-11-23T10:00", "news.example") == "school_hours").then_some(()));

    *pages.lock().unwrap() = vec![("/bets.txt", "<!DOCTYPE html><html>Please sign in</html>")];
    let update = home.run("lists update");
    assert_eq!(update.code, 1, "{update:?}");
    assert_eq!(rule("2026-11-21T16:00", "bet-one.example"), "category", "the last good copy stays");
    assert!(home.run("lists status").out.contains("web page"));
}

#[test]
fn a_list_of_addresses_is_fetched_too() {
    let pages = Arc::new(Mutex::new(vec![("/resolvers.txt", "203.0.113.9 # whose\n198.51.100.0/28\n")]));
    let port = publisher(pages);
    let home = Home::new();
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    let fetched =
        format!("lists: [{{category: circumvention, from: \"http://127.0.0.1:{port}/resolvers.txt\"}}, ");
    home.write("home.yaml", &text.replace("lists: [", &fetched));
    let _gateway = Gateway::start(&home, SATURDAY);
    wait_for("the list", || (home.run("status --json").json()["lists"][0]["names"] == 2).then_some(()));
    for (address, is_listed) in [("203.0.113.9", true), ("198.51.100.15", true), ("198.51.100.16", false)] {
        let told = home.run(&format!("explain --person jo --at 2026-11-21T16:00 --json {address}")).json();
        assert_eq!(told["verdict"], "block", "{address}: {told}");
        assert_eq!(told["categories"].to_string().contains("circumvention"), is_listed, "{address}: {told}");
    }
}
