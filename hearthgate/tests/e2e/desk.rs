//! The desk of a running gateway, with `curl` for a browser.

use crate::SATURDAY;
use crate::home::{Gateway, Home, JORDAN};
use crate::world::{World, wait_for};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

const PASSWORD: &str = "teapot glacier nine forks";

/// A browser: `curl` with a jar of cookies.
struct Browser {
    jar: PathBuf,
    at: String,
}

impl Browser {
    fn new(home: &Home, gateway: &Gateway, name: &str) -> Self {
        Self { jar: home.path().join(name), at: format!("http://127.0.0.1:{}", gateway.console) }
    }

    fn curl(&self, path: &str, rest: &[&str]) -> String {
        let out = Command::new("curl")
            .args(["-sS", "--max-time", "20", "-i", "-b"])
            .arg(&self.jar)
            .arg("-c")
            .arg(&self.jar)
            .args(rest)
            .arg(format!("{}{path}", self.at))
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.curl(path, &[])
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let origin = format!("Origin: {}", self.at);
        let mut rest = vec!["-X".to_owned(), "POST".to_owned(), "-H".to_owned(), origin];
        for (key, value) in form {
            rest.extend(["--data-urlencode".to_owned(), format!("{key}={value}")]);
        }
        self.curl(path, &rest.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Chooses a password with a fresh link, and is signed in.
    fn sign_in(&self, home: &Home, account: &str) {
        let (code, told, err) = home.command(&["password-link", account]);
        assert_eq!(code, 0, "{err}");
        let link = told.split("/first/").nth(1).unwrap().trim().to_owned();
        assert!(told.contains(&self.at), "the real port: {told}");
        let done = self.post(&format!("/first/{link}"), &[("password", PASSWORD), ("again", PASSWORD)]);
        assert!(done.starts_with("HTTP/1.1 303"), "{done}");
    }
}

#[test]
fn staff_sign_in_and_see_who_is_online() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let browser = Browser::new(&home, &gateway, "jar");

    assert!(browser.get("/").contains("location: /sign-in"), "nobody is signed in");
    browser.sign_in(&home, "r.osei");
    let page = browser.get("/");
    for words in
        ["Test House", "R. Osei", "Jordan", "Open until 21:00", "Not online", "gambling (lists/gambling.txt)"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let url = format!("http://open.test:{}/", world.http_port);
    assert_eq!(gateway.curl(JORDAN, &["-H", "Accept: text/html", &url]).0, 0);
    wait_for("Jordan to be online", || browser.get("/").contains("Online: phone").then_some(()));

    home.write("agreements/sam.yaml", "person: Sam\nonline: {every_day: 25:00-26:00}\n");
    let page = wait_for("the file to wait", || {
        Some(browser.get("/")).filter(|page| page.contains("sam.yaml</b> waits"))
    });
    assert!(page.contains("Meanwhile its last good text is in force") && page.contains("Line 2"), "{page}");

    let log = gateway.log().to_lowercase();
    for secret in ["jordan", "open.test", PASSWORD, "/first/"] {
        assert!(!log.contains(secret), "the log says `{secret}`: {log}");
    }
    assert!(browser.post("/sign-out", &[]).contains("location: /sign-in"));
    assert!(browser.get("/").contains("location: /sign-in"));
    assert_eq!(gateway.stop("-TERM"), Some(0));
    let (code, told, err) = home.command(&["breaches", "verify"]);
    assert!(code == 0 && told.contains("The journal is whole"), "{code}: {told}{err}");
}

#[test]
fn the_desk_follows_and_holds_nobody_up() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let browser = Browser::new(&home, &gateway, "jar");
    browser.sign_in(&home, "r.osei");

    let events = home.path().join("events");
    let mut following = Command::new("curl")
        .args(["-sSN", "--max-time", "30", "-b"])
        .arg(&browser.jar)
        .arg("-o")
        .arg(&events)
        .arg(format!("{}/live", browser.at))
        .spawn()
        .unwrap();
    wait_for("the page to follow", || {
        // Another process decides something: within a second the page hears of it.
        let (code, _, err) = home.command(&[
            "grant",
            "--person",
            "jordan",
            "--extra-time",
            "20m",
            "--by",
            "r.osei",
            "--reason",
            "film night",
        ]);
        assert_eq!(code, 0, "{err}");
        crate::world::read_file(&events).contains("event: changed").then_some(())
    });
    assert!(browser.get("/").contains("Extra time"));

    // Connections that say half of something keep nobody out: one place has so many and no more, and from elsewhere there is room.
    let slow: Vec<_> = (0..16).map(|_| says_half(gateway.console)).collect();
    for (from, answered) in [(SLOW, false), ("127.0.0.2", true), ("127.0.0.1", true)] {
        let page = browser.curl("/locked", &["--interface", from]);
        assert_eq!(page.starts_with("HTTP/1.1 200"), answered, "{from}: {page}");
    }
    drop(slow);
    // The gateway stops although a page follows.
    assert_eq!(gateway.stop("-TERM"), Some(0));
    let _ended = following.wait();
}

/// Where slow clients are.
const SLOW: &str = "127.0.0.3";

/// A connection from there, with half of a form.
fn says_half(port: u16) -> TcpStream {
    let at = |text: &str| SockAddr::from(text.parse::<SocketAddr>().unwrap());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&at(&format!("{SLOW}:0"))).unwrap();
    socket.connect(&at(&format!("127.0.0.1:{port}"))).unwrap();
    let mut stream = TcpStream::from(socket);
    let half = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nacc";
    stream.write_all(half).unwrap();
    stream
}

#[test]
fn beyond_this_machine_the_desk_is_https() {
    let world = World::start();
    let home = Home::new(&world);
    let text = std::fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    home.write("gateway.yaml", &text.replace("console: [\"127.0.0.1:0\"]", "console: [\"0.0.0.0:0\"]"));
    let gateway = Gateway::start(&home, SATURDAY);
    let ca = home.path().join("ca.pem");
    let (code, _, err) = home.command(&["ca", "--out", &ca.display().to_string()]);
    assert_eq!(code, 0, "{err}");
    let (code, told, err) = home.command(&["password-link", "r.osei"]);
    assert_eq!(code, 0, "{err}");
    let at = format!("https://127.0.0.1:{}", gateway.console);
    let path = told.split_once(&at).unwrap_or_else(|| panic!("{told}")).1.trim().to_owned();
    let curl = |url: String, rest: &[&str]| {
        let out =
            Command::new("curl").args(["-sSi", "--max-time", "20"]).args(rest).arg(url).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let (ca, origin) = (ca.display().to_string(), format!("Origin: {at}"));
    let page = curl(format!("{at}{path}"), &["--cacert", &ca]);
    assert!(page.contains("Choose a password"), "{page}");
    let passwords = [format!("password={PASSWORD}"), format!("again={PASSWORD}")];
    let form = ["--data-urlencode", &passwords[0], "--data-urlencode", &passwords[1]];
    let done = curl(format!("{at}{path}"), &[&["--cacert", &ca, "-H", &origin], &form[..]].concat());
    let cookie = done.lines().find(|line| line.to_lowercase().starts_with("set-cookie")).unwrap_or_default();
    assert!(cookie.contains("__Host-hearthgate=") && cookie.contains("Secure"), "{done}");
    // Nobody speaks plain HTTP here, and nobody is led to.
    assert_eq!(curl(format!("http://127.0.0.1:{}/sign-in", gateway.console), &[]), "");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
