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
    let port = listener.local_addr().unwrap().port();
    serving(listener, heard, serve);
    port
}

fn serving(
    listener: TcpListener,
    heard: &Heard,
    serve: impl Fn(TcpStream, &Heard) -> Option<()> + Send + 'static,
) {
    let heard = heard.clone();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = serve(stream, &heard)));
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
    (listening(&heard, |stream, heard| smtp(stream, heard, false)), heard)
}

/// The same inside TLS, for whoever signs in (RFC 4954); with its certificate, which it signed itself.
fn mail_inside_tls() -> (u16, Heard, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (config, heard) = (Arc::new(config), Heard::default());
    let port = listening(&heard, move |stream, heard| {
        let connection = rustls::ServerConnection::new(config.clone()).ok()?;
        smtp(rustls::StreamOwned::new(connection, stream), heard, true)
    });
    (port, heard, made.cert.pem())
}

fn smtp(stream: impl Read + Write, heard: &Heard, signs_in: bool) -> Option<()> {
    let mut reader = BufReader::new(stream);
    reader.get_mut().write_all(b"220 mail.test ready\r\n").ok()?;
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
            Some("EHLO") if signs_in => "250-mail.test\r\n250 AUTH PLAIN",
            Some("EHLO") => "250 mail.test",
            // "\0gateway\0a secret" in base64.
            Some("AUTH") if line.trim_end().ends_with("AGdhdGV3YXkAYSBzZWNyZXQ=") => "235 come in",
            Some("AUTH") => "535 no",
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        };
        write!(reader.get_mut(), "{answer}\r\n").and_then(|()| reader.get_mut().flush()).ok()?;
    }
}

/// Jordan says that they saw something.
fn saw_something(gateway: &Gateway) {
    let own = format!("http://hearthgate.home.arpa:{}/hearthgate/saw", gateway.pages);
    let (_, page) = gateway.curl(JORDAN, &[&own]);
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let (_, said) = gateway.curl(JORDAN, &["-d", &format!("token={token}&words=a+mean+message"), &own]);
    assert!(said.contains("Staff have been told"), "{said}");
}

#[test]
fn mail_goes_inside_tls_with_a_login_and_to_no_stranger() {
    let world = World::start();
    let home = Home::new(&world);
    let (port, heard, authority) = mail_inside_tls();
    let (_, _, another) = mail_inside_tls();
    home.write("mail.pem", &another);
    home.write("mail.secret", "a secret\n");
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write(
        "home.yaml",
        &format!("{text}notify: [{{when: [report], to: \"mailto:manager@oakview.example\"}}]\n"),
    );
    let network = std::fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    let mail = format!(
        "mail: {{server: \"smtps://127.0.0.1:{port}\", from: gateway@oakview.example, user: gateway, \
         password_file: mail.secret, authority_file: mail.pem}}\n"
    );
    home.write("gateway.yaml", &format!("{network}{mail}"));
    let (code, told, err) = home.command(&["check"]);
    assert_eq!(code, 0, "{told}{err}");
    let gateway = Gateway::start(&home, SATURDAY);
    saw_something(&gateway);
    wait_for("the stranger to be refused", || gateway.log().contains("could not be sent").then_some(()));
    assert!(heard.lock().unwrap().is_empty(), "nothing was said to a server whose certificate does not fit");
    // The right authority: the message that waited goes.
    home.write("mail.pem", &authority);
    let letter = wait_for("the letter", || heard.lock().unwrap().first().cloned());
    assert!(
        letter.contains("AUTH PLAIN") && letter.contains("RCPT TO:<manager@oakview.example>"),
        "{letter}"
    );
    assert!(letter.contains("a young person told") && !letter.contains("Jordan"), "{letter}");
    assert!(!gateway.log().contains("a secret"), "{}", gateway.log());
    assert_eq!(gateway.stop("-TERM"), Some(0));
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
    let token = |page: &str| {
        page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    saw_something(&gateway);
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

#[test]
fn a_message_waits_over_a_restart_while_nobody_listens_and_is_told_once() {
    // An address of this test's own: nobody else takes its port while it is closed.
    let own = std::net::SocketAddr::from(([127, 88, 17, 4], 0));
    let closed = TcpListener::bind(own).unwrap();
    let at = closed.local_addr().unwrap();
    drop(closed);
    let world = World::start();
    let home = Home::new(&world);
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write("home.yaml", &format!("{text}notify: [{{when: [report], to: \"http://{at}/hook\"}}]\n"));
    let failed = |gateway: &Gateway| gateway.log().matches("could not be sent").count();
    let gateway = Gateway::start(&home, SATURDAY);
    saw_something(&gateway);
    wait_for("a try", || (failed(&gateway) > 0).then_some(()));
    let before = failed(&gateway);
    assert_eq!(gateway.stop("-TERM"), Some(0));
    // A gateway that starts anew tries again, and the message still waits.
    let gateway = Gateway::start(&home, "2026-11-21T16:10:00");
    wait_for("another try", || (failed(&gateway) > before).then_some(()));
    let heard = Heard::default();
    serving(TcpListener::bind(at).unwrap(), &heard, |stream, heard| hook(stream, &["200 ok"], heard));
    wait_for("the message", || (!heard.lock().unwrap().is_empty()).then_some(()));
    // What is told next is the next thing: the first is not told again.
    saw_something(&gateway);
    wait_for("the next", || (heard.lock().unwrap().len() > 1).then_some(()));
    assert_eq!(gateway.stop("-TERM"), Some(0));
    let gateway = Gateway::start(&home, "2026-11-21T16:20:00");
    saw_something(&gateway);
    wait_for("a third", || (heard.lock().unwrap().len() > 2).then_some(()));
    let all = heard.lock().unwrap().clone();
    let ids: std::collections::BTreeSet<&str> =
        all.iter().map(|said| said.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (3, 3), "each once: {all:?}");
    assert!(
        all.iter().all(|said| said.contains("a young person told") && !said.contains("times")),
        "{all:?}"
    );
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
