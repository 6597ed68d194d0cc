//! What comes to the desk's and the pages' listeners and is no browser: too much, too slow, half of something. Each is cut in its
//! time, and keeps nobody's place.

use crate::SATURDAY;
use crate::home::{Gateway, Home};
use crate::world::{World, output};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A head comes within ten seconds, a form within twenty; this much more is a busy machine's.
const HEAD: Duration = Duration::from_secs(10);
const BODY: Duration = Duration::from_secs(20);
const MORE: Duration = Duration::from_secs(25);

/// What was answered until the connection was closed, and how long that took.
struct Ended {
    answer: String,
    after: Duration,
}

impl Ended {
    /// The status of the first answer; none where there was none.
    fn status(&self) -> Option<u16> {
        self.answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok())
    }
}

/// Sends bytes, and reads until the gateway closes the connection.
fn sends(at: SocketAddr, parts: &[&[u8]]) -> Ended {
    let mut stream = TcpStream::connect(at).unwrap();
    let begun = Instant::now();
    stream.set_read_timeout(Some(BODY + MORE)).unwrap();
    for part in parts {
        // It may have been told no, and closed, before it has said everything.
        if stream.write_all(part).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            // What was sent and not read ends a connection with a reset (RFC 9293 §3.10.4).
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {:?}: {}", begun.elapsed(), String::from_utf8_lossy(&answer)),
        }
    }
    Ended { answer: String::from_utf8_lossy(&answer).into_owned(), after: begun.elapsed() }
}

fn post(path: &str, headers: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

/// Both listeners, each with the path of a form of its own.
fn listeners(gateway: &Gateway) -> [(SocketAddr, &'static str); 2] {
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    [(at(gateway.console), "/sign-in"), (at(gateway.pages), "/hearthgate/saw")]
}

#[test]
fn too_much_is_refused_at_once() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let large = "words=".to_owned() + &"x".repeat(10 << 20);
    let chunk = format!("{:x}\r\n{}\r\n", 64 << 10, "y".repeat(64 << 10)).repeat(40) + "0\r\n\r\n";
    let multipart =
        "--b\r\nContent-Disposition: form-data; name=\"account\"; filename=\"a.exe\"\r\n\r\nMZ\r\n--b--\r\n";
    let head = format!("X-Large: {}\r\n", "z".repeat(10 << 20));
    for (at, path) in listeners(&gateway) {
        let with_length = post(path, &format!("{form}Content-Length: {}\r\n", large.len()));
        let chunked = post(path, &format!("{form}Transfer-Encoding: chunked\r\n"));
        let of_parts = post(
            path,
            &format!(
                "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n",
                multipart.len()
            ),
        );
        let large_head = post(path, &head);
        for (case, parts, statuses) in [
            ("ten_megabytes_that_say_so", [&with_length[..], large.as_bytes()], &[413][..]),
            ("chunks_without_a_length", [&chunked[..], chunk.as_bytes()], &[413]),
            ("an_upload", [&of_parts[..], multipart.as_bytes()], &[400, 415, 422]),
            ("a_head_of_ten_megabytes", [&large_head[..], b""], &[431]),
            ("no_http", [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &b"\r\n\r\n"[..]], &[400]),
        ] {
            let ended = sends(at, &parts);
            // Whoever still sends may lose the answer to a reset; the connection is closed all the same.
            let told = ended.status().is_none_or(|status| statuses.contains(&status));
            assert!(told, "{case} at {path}: {:?}", ended.answer.lines().next());
            assert!(ended.after < HEAD, "{case} at {path} took {:?}", ended.after);
            assert!(
                ended.answer.len() < 64 << 10 && !ended.answer.contains("MZ"),
                "{case}: {}",
                ended.answer
            );
        }
    }
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn whoever_is_slow_is_cut_and_keeps_nobodys_place() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let waiting: Vec<_> = listeners(&gateway)
        .into_iter()
        .flat_map(|(at, path)| {
            let half_a_body = [
                &post(path, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n")[..],
                b"acc",
            ]
            .concat();
            let half_a_chunk = [&post(path, "Transfer-Encoding: chunked\r\n")[..], b"40\r\nabc"].concat();
            [
                ("nothing", Vec::new(), HEAD, &[][..]),
                ("half a head", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ".to_vec(), HEAD, &[408]),
                ("half a body", half_a_body, BODY, &[408]),
                ("half a chunk", half_a_chunk, BODY, &[408]),
            ]
            .map(|(case, bytes, time, statuses)| {
                (case, path, time, statuses, thread::spawn(move || sends(at, &[&bytes[..]])))
            })
        })
        .collect();
    // Meanwhile everybody who asks is answered.
    for (at, _) in listeners(&gateway) {
        for _ in 0..20 {
            let asked = sends(at, &[b"GET /locked HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"]);
            assert!(asked.status().is_some() && asked.after < HEAD, "{:?}", asked.answer.lines().next());
        }
    }
    for (case, path, time, statuses, ended) in waiting {
        let ended = ended.join().unwrap();
        assert!(ended.after < time + MORE, "{case} at {path} was cut after {:?}", ended.after);
        assert!(ended.after > time / 2, "{case} at {path}: only {:?} for a slow phone", ended.after);
        // A head that never came whole is nobody's request: the connection is closed, with or without a word.
        let told = ended.status().is_none_or(|status| statuses.contains(&status));
        assert!(told && (time == HEAD || ended.status().is_some()), "{case} at {path}: {:?}", ended.answer);
    }
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn whoever_does_not_read_is_cut_too() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let request =
        b"GET /assets/desk.js HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n".repeat(2000);
    let slow: Vec<TcpStream> = listeners(&gateway)
        .into_iter()
        .flat_map(|(at, _)| {
            // More than one device has places for, each of which asks again and again and reads nothing.
            (0..20).map(|_| reads_nothing(at, &request)).collect::<Vec<_>>()
        })
        .collect();
    for (at, _) in listeners(&gateway) {
        let url = format!("http://{at}/locked");
        let elsewhere = [
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--max-time",
            "10",
            "--interface",
            "127.0.0.2",
            &url,
        ];
        let status = output("curl", &elsewhere);
        assert!(["200", "404"].contains(&status.as_str()), "another device has its places: {status}");
        // And the same device has them again once those who read nothing are cut.
        let begun = Instant::now();
        while sends(at, &[b"GET /locked HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"])
            .status()
            .is_none()
        {
            assert!(begun.elapsed() < BODY + MORE, "{at}: they keep their places");
            thread::sleep(Duration::from_millis(200));
        }
    }
    assert_eq!(slow.len(), 40);
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// A connection that asks for much and reads nothing.
fn reads_nothing(at: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (mut sent, mut told) = (0, 0);
    // Until nothing more is taken: then what was answered fills every buffer on the way.
    while sent < request.len() && told < 20 {
        match stream.write(&request[sent..]) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                told += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Err(_) => break,
        }
    }
    stream
}
