//! Times in JSON: one form, everywhere. RFC 3339 to the second, with the home's offset.

use crate::home::{Gateway, Home, wait_for};
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Europe::London;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// In summer, so that UTC is not the home's clock by chance.
const JULY: &str = "2027-07-17T16:00";
const JO_FROM: &str = "127.0.0.11:0";

/// A request from Jo's phone, and the whole answer.
fn from_jos_phone(to: SocketAddr, request: &str) -> String {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&JO_FROM.parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Jo opens a site that is asked for first, and asks for it.
fn jo_asks(home: &Home) {
    let status = home.run("status --json").json();
    let listeners = status["listeners"].as_array().unwrap();
    let proxy = listeners.iter().find(|l| l["kind"] == "proxy").unwrap()["address"].as_str().unwrap();
    let proxy: SocketAddr = proxy.parse().unwrap();
    let head = "Host: chat.example\r\nAccept: text/html\r\nConnection: close\r\n";
    let page = from_jos_phone(proxy, &format!("GET http://chat.example/ HTTP/1.1\r\n{head}\r\n"));
    let part = |before: &str| page.split(before).nth(1).unwrap_or_else(|| panic!("no {before}: {page}"));
    let link = part("class=\"button\" href=\"").split('"').next().unwrap();
    let own = link.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let asking =
        from_jos_phone(proxy, &format!("GET {link} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"));
    let token =
        asking.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("no token: {asking}"));
    let token = token.split('"').next().unwrap();
    let action = link.split('?').next().unwrap();
    let form = format!("host=chat.example&token={token}&words=please");
    let told = from_jos_phone(
        proxy,
        &format!(
            "POST {action} HTTP/1.1\r\nHost: {own}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ),
    );
    assert!(told.contains("You have asked"), "{told}");
}

/// Every text that looks like an instant, with where it stands.
fn instants(json: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(fields) => fields.iter().for_each(|(k, v)| instants(v, &format!("{at}.{k}"), found)),
        Value::Array(items) => items.iter().for_each(|v| instants(v, &format!("{at}[]"), found)),
        Value::String(text) if text.len() > 16 && text.as_bytes()[10] == b'T' && text.starts_with("20") => {
            found.push((at.to_owned(), text.clone()));
        }
        _ => {}
    }
}

#[test]
fn every_command_tells_instants_by_the_homes_clock() {
    let home = Home::new();
    let _gateway = Gateway::start(&home, JULY);
    jo_asks(&home);
    let entry = wait_for("the episode", || {
        let list = home.run("breaches list --json").json();
        list[0]["entry"].as_i64()
    });
    assert_eq!(home.run(&format!("note {entry} seen --by k.lane")).code, 0);
    let ask = home.run("asks list --json").json()[0]["entry"].as_i64().unwrap();
    assert_eq!(home.run(&format!("asks answer {ask} --yes --for 1h --by k.lane --reason ok")).code, 0);

    // The command, and the fields in which an instant must stand.
    let commands = [
        ("explain --person jo --at 2027-07-17T22:00 --json news.example", &[".at", ".until"][..]),
        ("status --json", &[".started", ".now", ".catalogue.compiled", ".lists[].fetched"]),
        ("lists update --json", &[]),
        ("lists status --json", &["[].fetched"]),
        ("lists compile --json", &[".compiled"]),
        ("lists lookup casino.example --json", &[]),
        ("breaches list --json", &["[].first", "[].last"]),
        ("breaches export --for Ofsted --purpose review --format json", &["[].first", "[].last"]),
        ("breaches verify --json", &[]),
        ("asks list --since 2027-07-01 --json", &["[].at"]),
        ("minutes jo --json", &[]),
        ("check --json", &[]),
    ];
    for (line, fields) in commands {
        let mut found = Vec::new();
        instants(&home.run(line).json(), "", &mut found);
        for field in fields {
            assert!(found.iter().any(|(at, _)| at == field), "{line}: no instant in {field}: {found:?}");
        }
        for (at, text) in found {
            let instant =
                DateTime::parse_from_rfc3339(&text).unwrap_or_else(|e| panic!("{line}: {at}: {text}: {e}"));
            let right = instant.with_timezone(&London).to_rfc3339_opts(SecondsFormat::Secs, false);
            assert_eq!(text, right, "{line}: {at}");
        }
    }
    let manifest = home.run("breaches export --for Ofsted --purpose review --format json").err;
    assert!(manifest.contains("+01:00\""), "{manifest}");
    let csv = home.run("breaches export --for Ofsted --purpose review").out;
    assert!(csv.contains("\"2027-07-17T16:0") && !csv.contains("Z\""), "{csv}");
}
