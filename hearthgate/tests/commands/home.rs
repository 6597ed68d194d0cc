//! A home of these tests, and the program run on it.

use socket2::{Domain, Socket, Type};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const JO: &str = "\
person: Jo
agreed:
  risk_assessment: {ref: RA-1, on: 2026-10-28}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02, view: ok}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
devices: [{name: phone, ip: 127.0.0.11}]
online: {every_day: 09:00-21:00}
limits: {everything: 4h}
ask: [chat.example]
block: [gambling, club.example]
otherwise: allow
school_hours: as_agreed
";

const HOME: &str = "\
home: Test House
timezone: Europe/London
shifts: [07:30, 14:30, 21:30]
everyone: {block: [circumvention]}
baseline: {online: {every_day: 07:00-21:00}, allow: [education], otherwise: block}
unknown_devices: baseline
lists: [{category: gambling, from: lists/gambling.txt}]
staff:
  - {id: r.osei, name: R. Osei, role: manager}
  - {id: k.lane, name: K. Lane, role: staff}
  - {id: visitor, name: Visitor, role: visitor}
";

const GATEWAY: &str = "\
listen: {dns: [\"127.0.0.1:0\"], proxy: [\"127.0.0.1:0\"], pages: [\"127.0.0.1:0\"], metrics: [\"127.0.0.1:0\"]}
upstream: [\"udp://127.0.0.1:9\"]
store: sqlite:state/home.db
";

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Gave {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Gave {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearthgate"));
    // What a gateway of this machine keeps is none of these tests' business.
    let nowhere = std::env::temp_dir().join("hearthgate-tests-keep-nothing-here");
    command.env_remove("NOTIFY_SOCKET").env_remove("INVOCATION_ID").env("STATE_DIRECTORY", nowhere);
    command
}

pub(crate) fn gave(command: &mut Command) -> Gave {
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Gave { code: out.status.code().unwrap_or(-1), out: text(out.stdout), err: text(out.stderr) }
}

pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        home.write("home.yaml", HOME);
        home.write("gateway.yaml", GATEWAY);
        home.write("agreements/jo.yaml", JO);
        home.write("lists/gambling.txt", "casino.example\nbet.example\nchat.example\n");
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command on this home.
    pub(crate) fn run(&self, line: &str) -> Gave {
        let words: Vec<&str> = line.split(' ').collect();
        gave(program().arg(words[0]).arg("--home").arg(self.path()).args(&words[1..]))
    }
}

/// A connection from Jo's phone: the whole of 127/8 is loopback.
fn from_jo(to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 11], 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

/// A gateway that runs until it is dropped.
pub(crate) struct Gateway {
    child: Child,
}

impl Gateway {
    /// Starts one and waits until it says that it is ready.
    pub(crate) fn start(home: &Home, now: &str) -> Self {
        let socket_path = home.path().join("notify");
        let _ = fs::remove_file(&socket_path);
        let socket = UnixDatagram::bind(&socket_path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let log = fs::OpenOptions::new().create(true).append(true).open(home.path().join("run.log")).unwrap();
        let mut command = program();
        command
            .args(["run", "--pretend-now", now, "--home"])
            .arg(home.path())
            .env("NOTIFY_SOCKET", &socket_path);
        let out = fs::File::create(home.path().join("run.out")).unwrap();
        let child = command.stdout(out).stderr(log).spawn().unwrap();
        let gateway = Self { child };
        let mut buffer = [0; 1024];
        loop {
            let n = match socket.recv(&mut buffer) {
                Ok(n) => n,
                // Whoever measures on this machine may stop us for a while.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => panic!("not ready: {error}: {}", home.log()),
            };
            if String::from_utf8_lossy(&buffer[..n]).lines().any(|l| l == "READY=1") {
                return gateway;
            }
        }
    }

    /// The whole answer to a request, through a listener of this kind. Jo's device asks.
    pub(crate) fn get(&self, home: &Home, kind: &str, url: &str, accept: &str) -> String {
        let listeners = home.run("status --json").json()["listeners"].clone();
        let listener = listeners.as_array().unwrap().iter().find(|l| l["kind"] == kind).unwrap().clone();
        let address: SocketAddr = listener["address"].as_str().unwrap().parse().unwrap();
        let host = url.strip_prefix("http://").and_then(|u| u.split('/').next()).unwrap_or("gateway");
        let asked =
            format!("GET {url} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        let mut stream = from_jo(address);
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn stop(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        wait_for("the gateway to stop", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Home {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("run.log")).unwrap_or_default()
    }
}

/// Asks again until the answer is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 s for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
