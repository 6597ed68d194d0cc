//! Whoever the home wants told is told once, also over a network that was down: a web hook, ntfy and mail, to real sockets.

use crate::SATURDAY;
use crate::home::{Gateway, Home, JORDAN};
use crate::world::{World, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Heard = Arc<Mutex<Vec<String>>>;

/// A web server that keeps what is posted to it, and answers with each status in turn, the last one for ever.
fn web(statuses: &'static [&'static str]) -> (u16, Heard) {
    let heard = Heard::default();
    (listening(&heard, move |stream, heard| hook(stream, statuses, heard)), heard)
}

fn listening(heard: &Heard, serve: impl Fn(TcpStream, &Heard) -> Option<()> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), heard.clone());
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = serve(stream, &heard)));
    port
}

fn hook(mut stream: TcpStream, statuses: &[&str], heard: &Heard) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut all = heard.lock().unwrap();
    let status = statuses.get(all.len()).or(statuses.last())?;
    all.push(format!("{head}\n{}", String::from_utf8_lossy(&body)));
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()
}

/// A mail server that takes everything (RFC 5321 as far as it is asked), and keeps what was said to it.
fn mail() -> (u16, Heard) {
    let heard = Heard::default();
    (listening(&heard, smtp), heard)
}

fn smtp(mut stream: TcpStream, heard: &Heard) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    stream.write_all(b"220 mail.test ready\r\n").ok()?;
    let (mut said, mut letter) = (String::new(), false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        said.push_str(&line);
        let answer = match line.split_whitespace().next() {
            Some(".") if letter => {
                letter = false;
                heard.lock().unwrap().push(std::mem::take(&mut said));
                "250 taken"
            }
            _ if letter => continue,
            Some("DATA") => {
                letter = true;
                "354 go on"
            }
            Some("EHLO") => "250 mail.test",
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        };
        write!(stream, "{answer}\r\n").ok()?;
    }
}

#[test]
fn everybody_is_told_once_in_their_own_way() {
    let world = World::start();
    let home = Home::new(&world);
    let ((hooks, hook), (topics, topic), (letters, letter)) =
        (web(&["503 no", "200 ok"]), web(&["200 ok"]), mail());
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write(
        "home.yaml",
        &format!(
            "{text}notify:\n  - {{when: [report], to: \"http://127.0.0.1:{hooks}/secret-path\"}}\n  \
             - {{when: [report, ask], to: \"ntfy:http://127.0.0.1:{topics}/desk\"}}\n  \
             - {{when: [report], to: \"mailto:manager@oakview.example\"}}\n"
        ),
    );
    let network = std::fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    let mail = format!("mail: {{server: \"smtp://127.0.0.1:{letters}\", from: gateway@oakview.example}}\n");
    home.write("gateway.yaml", &format!("{network}{mail}"));
    let (code, told, err) = home.command(&["check"]);
    assert_eq!(code, 0, "{told}{err}");
    let gateway = Gateway::start(&home, SATURDAY);
    let own = format!("http://hearthgate.home.arpa:{}/hearthgate/saw", gateway.pages);
    let token = |page: &str| {
        page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (_, page) = gateway.curl(JORDAN, &[&own]);
    let form = format!("token={}&words=a+mean+message", token(&page));
    let (_, said) = gateway.curl(JORDAN, &["-d", &form, &own]);
    assert!(said.contains("Staff have been told"), "{said}");
    let count = |heard: &Heard| heard.lock().unwrap().len();
    wait_for("somebody to be told", || (count(&topic) > 0 && count(&letter) > 0).then_some(()));
    // The hook that refused at first is told when it is asked again.
    wait_for("the hook to be asked again", || (count(&hook) >= 2).then_some(()));
    let all = [
        hook.lock().unwrap().join("\n"),
        topic.lock().unwrap().join("\n"),
        letter.lock().unwrap().join("\n"),
    ];
    assert!(all[0].contains("POST /secret-path") && all[0].contains("\"id\":"), "{}", all[0]);
    assert!(all[1].contains("\"topic\":\"desk\""), "{}", all[1]);
    assert!(
        all[2].contains("RCPT TO:<manager@oakview.example>") && all[2].contains("Subject: Test House: "),
        "{}",
        all[2]
    );
    for said in &all {
        assert!(
            said.contains("a young person told that they saw something") || said.contains("young person"),
            "{said}"
        );
        for secret in ["Jordan", "jordan", "mean message"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
    let log = gateway.log();
    assert!(log.contains("could not be sent") && !log.contains("secret-path"), "{log}");
    assert_eq!(gateway.stop("-TERM"), Some(0));
    // After a restart nobody is told again.
    let before = (count(&topic), count(&letter));
    let gateway = Gateway::start(&home, "2026-11-21T16:10:00");
    let ask = format!("http://chat.test:{}/", world.http_port);
    let (_, page) = gateway.curl(JORDAN, &["-H", "Accept: text/html", &ask]);
    assert!(page.contains("Ask first"), "{page}");
    let own = format!("http://hearthgate.home.arpa:{}/hearthgate/ask?host=chat.test", gateway.pages);
    let (_, page) = gateway.curl(JORDAN, &[&own]);
    let action = own.split('?').next().unwrap();
    gateway.curl(JORDAN, &["-d", &format!("host=chat.test&token={}&words=", token(&page)), action]);
    wait_for("the ask to be told", || (count(&topic) > before.0).then_some(()));
    assert_eq!(
        (count(&topic), count(&letter)),
        (before.0 + 1, before.1),
        "one message, and of the ask alone"
    );
    assert!(topic.lock().unwrap().last().unwrap().contains("an ask waits for an answer"));
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
