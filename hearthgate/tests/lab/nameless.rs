//! What shows no name, or only an outer one, on ports of the web: every site of the lab's internet answers for every other, as a
//! carrier's server does.

use crate::SATURDAY;
use crate::device::{connect, look_up};
use crate::hello::Hello;
use crate::internet::wait_for;
use crate::lab::{Lab, ROUTER, Who};
use crate::router::{episodes, held, told_until, with_router};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::time::Duration;

/// So long nothing may come back before nothing will.
const PATIENCE: Duration = Duration::from_secs(3);

/// What comes back to a device that says this, each piece in a segment of its own.
fn said(lab: &Lab, to: IpAddr, port: u16, pieces: &[&[u8]]) -> String {
    let mut stream = connect(lab, Who::Jordan, to, port).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    for piece in pieces {
        if !answer.is_empty() || stream.write_all(piece).is_err() {
            break;
        }
        // Nothing can be awaited that shows a segment to have been looked at by itself.
        std::thread::sleep(Duration::from_millis(50));
    }
    // An end, a reset, or nothing more for a while.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(begins: &str, line: &str) -> Vec<u8> {
    format!("{begins}{line}\r\nHost: casino.test\r\nConnection: close\r\n\r\n").into_bytes()
}

#[test]
fn nothing_borrows_the_name_of_what_is_protected_and_nothing_is_recorded_of_its_address() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "helpline.test");
    // Another site, asked for in every way that a server could read and we might not.
    for to in [four, six] {
        for (begins, line) in [
            ("\r\n", "GET / HTTP/1.1"),
            ("\n", "GET / HTTP/1.1"),
            ("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", "GET / HTTP/1.1"),
            ("", "GET\t/ HTTP/1.1"),
            (" ", "GET / HTTP/1.1"),
            ("", "get / HTTP/1.1"),
            ("", "X-ANY_METHOD-THAT-IS-LONGER-THAN-WHAT-IS-LOOKED-AT / HTTP/1.1"),
            ("PROXY UNKNOWN\r\n", "GET / HTTP/1.1"),
        ] {
            let whole = get(begins, line);
            let (first, rest) = whole.split_at(1);
            for pieces in [&[&whole[..]][..], &[first, rest]] {
                let answer = said(&lab, to, 8080, pieces);
                assert!(!answer.contains("casino.test at"), "{to} {begins:?} {line}: {answer}");
            }
        }
        for port in [8443, 2053, 443] {
            for hello in [Hello::nameless(), Hello::nameless().encrypted()] {
                assert_eq!(said(&lab, to, port, &[&hello.bytes()]), "", "{to} {port}");
            }
        }
        for words in [&b"\x05\x01\0"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-any\r\n"] {
            for port in [8880, 80] {
                assert_eq!(said(&lab, to, port, &[words]), "", "{to} {port}");
            }
        }
        // What it is for works, at the web's other ports as well.
        let help = said(&lab, to, 8080, &[b"GET / HTTP/1.0\r\nHost: helpline.test:8080\r\n\r\n"]);
        assert!(help.contains("helpline.test at"), "{to}: {help}");
        assert_ne!(said(&lab, to, 8443, &[&Hello::to("helpline.test").encrypted().bytes()]), "", "{to}");
    }
    // Nor through the proxy, whose client names it before.
    let listen = with_router().replace("listen:\n", "listen:\n  proxy: [\"0.0.0.0:3128\"]\n");
    lab.write("gateway.yaml", &listen);
    let proxy: IpAddr = ROUTER.0.parse().unwrap();
    wait_for("the proxy", || connect(&lab, Who::Jordan, proxy, 3128).ok());
    let connects = b"CONNECT helpline.test:443 HTTP/1.1\r\nHost: helpline.test\r\n\r\n";
    let answer = said(&lab, proxy, 3128, &[connects, &Hello::nameless().bytes()]);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    let answer = said(&lab, proxy, 3128, &[connects, &Hello::to("helpline.test").bytes()]);
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.ends_with("\r\n\r\n"), "{answer}");
    // Another site is recorded by its name, and all of this came before it.
    let (open, _) = look_up(&lab, Who::Jordan, "open.test");
    assert_eq!(said(&lab, open, 443, &[&Hello::nameless().bytes()]), "");
    let mut told = told_until(&lab, &open.to_string());
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, [open.to_string(), "casino.test".to_owned()]);
}

#[test]
fn an_outer_name_that_led_nowhere_is_judged_with_the_address() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    for to in [four, six] {
        let shown = |name: &str| Hello::to(name).encrypted().bytes();
        assert_ne!(said(&lab, to, 443, &[&shown("open.test")]), "", "{to}: noise, or its own name");
        assert_eq!(said(&lab, to, 443, &[&shown("school.test")]), "", "{to}: an outer name");
        assert_ne!(said(&lab, to, 443, &[&Hello::to("school.test").bytes()]), "", "{to}: nothing is hidden");
        assert_ne!(said(&lab, to, 443, &[&shown("helpline.test")]), "", "{to}: help is reached");
    }
    wait_for("the episodes", || {
        let told = episodes(&lab);
        let mut sites: Vec<_> = told.iter().map(|episode| episode["site"].as_str().unwrap()).collect();
        sites.sort_unstable();
        (sites == ["11.0.1.1", "2d00:2::1"]).then_some(())
    });
}
