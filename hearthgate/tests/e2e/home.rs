//! A home of these tests, and the gateway that runs it.

use crate::world::{Process, World, read_file, wait_for};
use chrono::{DateTime, Utc};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The addresses that the home's people ask from: the whole of 127/8 is loopback.
pub(crate) const JORDAN: &str = "127.0.0.11";
pub(crate) const SAM: &str = "127.0.0.12";
pub(crate) const STRANGER: &str = "127.0.0.99";

pub(crate) const JORDAN_YAML: &str = "\
person: Jordan
agreed:
  risk_assessment: {ref: RA-1, on: 2026-10-28}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02, view: ok}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
devices:
  - {name: phone, ip: 127.0.0.11}
  - {name: tablet, token: jordan-tablet-7f3a19c6d2}
online: {every_day: 07:00-22:30}
bedtime: {every_day: 21:00}
ask: [chat.test]
block: [gambling, club.test]
otherwise: allow
school_hours: as_agreed
";

const SAM_YAML: &str = "\
person: Sam
agreed:
  risk_assessment: {ref: RA-2, on: 2026-10-28}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02, view: ok}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
devices: [{name: laptop, ip: 127.0.0.12}]
online: {every_day: 07:00-23:00}
allow: [school.test]
otherwise: block
school_hours: as_agreed
";

const HOME_YAML: &str = "\
home: Test House
timezone: Europe/London
shifts: [07:30, 14:30, 21:30]
school:
  hours: {mon-fri: 09:00-15:15}
  terms: [2026-11-02..2026-12-18]
everyone:
  block: [pornography, malware, circumvention]
  safe_search: strict
protected:
  support: [helpline.test]
baseline:
  online: {every_day: 07:00-21:00}
  allow: [school.test]
  otherwise: block
unknown_devices: baseline
lists:
  - {category: gambling, from: lists/gambling.txt}
staff:
  - {id: r.osei, name: R. Osei, role: manager}
";

/// A home's folder.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        let gateway = format!(
            "listen:\n  dns: [\"127.0.0.1:0\"]\n  proxy: [\"127.0.0.1:0\"]\n  pages: [\"127.0.0.1:0\"]\n  console: [\"127.0.0.1:0\"]\n  metrics: [\"127.0.0.1:0\"]\nupstream: [\"udp://127.0.0.1:{}\"]\nstore: sqlite:state/home.db\nblocked_answer: page\nhome_network: [127.0.0.0/8]\n",
            world.dns_port
        );
        home.write("gateway.yaml", &gateway);
        home.write("home.yaml", HOME_YAML);
        home.write("agreements/jordan.yaml", JORDAN_YAML);
        home.write("agreements/sam.yaml", SAM_YAML);
        home.write("lists/gambling.txt", "0.0.0.0 www.casino.test\n0.0.0.0 casino.test\n");
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

    /// Runs a command of the program on this home: exit code, standard output, standard error.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearthgate"));
        let (first, rest) = arguments.split_first().unwrap();
        command.arg(first).arg("--home").arg(self.path()).args(rest);
        let out = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
    }

    /// The real port of a listener of the running gateway.
    pub(crate) fn port(&self, kind: &str) -> u16 {
        let status = self.json(&["status", "--json"]);
        let listeners = status["listeners"].as_array().unwrap();
        let found = listeners.iter().find(|l| l["kind"] == kind);
        let found = found.unwrap_or_else(|| panic!("no {kind} in {status}"));
        found["address"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let (code, out, err) = self.command(arguments);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?} gave {code}, {e}: {out}{err}"))
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    process: Process,
    log: PathBuf,
    printed: PathBuf,
    control: PathBuf,
    pub(crate) dns: u16,
    pub(crate) proxy: u16,
    pub(crate) pages: u16,
    pub(crate) console: u16,
}

impl Gateway {
    /// Starts the gateway with its clock at `now` (the home's wall clock) and waits until it says that it is ready.
    pub(crate) fn start(home: &Home, now: &str) -> Self {
        Self::start_logging(home, now, "info")
    }

    /// The same, with so much in its log.
    pub(crate) fn start_logging(home: &Home, now: &str, level: &str) -> Self {
        let log = home.path().join("run.log");
        let socket_path = home.path().join("notify");
        let _ = fs::remove_file(&socket_path);
        let socket = UnixDatagram::bind(&socket_path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let printed = home.path().join("printed");
        let child = Command::new(env!("CARGO_BIN_EXE_hearthgate"))
            .args(["run", "--pretend-now", now, "--home"])
            .arg(home.path())
            .env("NOTIFY_SOCKET", &socket_path)
            // Under systemd it prints nothing: the tests may run under it, the gateway is started by hand.
            .env_remove("INVOCATION_ID")
            .envs((level != "info").then_some(("HEARTHGATE_LOG", level)))
            .stdout(fs::File::create(&printed).unwrap())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let process = Process(child);
        let mut buffer = [0; 1024];
        loop {
            let n = match socket.recv(&mut buffer) {
                Ok(n) => n,
                // A child of another test ended.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => panic!("not ready: {error}: {}", read_file(&log)),
            };
            if String::from_utf8_lossy(&buffer[..n]).lines().any(|l| l == "READY=1") {
                break;
            }
        }
        let port = |kind: &str| home.port(kind);
        let (dns, proxy, pages, console) = (port("dns"), port("proxy"), port("pages"), port("console"));
        let control = home.path().join("state/control.sock");
        Self { process, log, printed, control, dns, proxy, pages, console }
    }

    /// Asks over the gateway's control socket.
    fn asks(&self, question: &str) -> serde_json::Value {
        let mut stream = UnixStream::connect(&self.control).unwrap();
        writeln!(stream, "{question}").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{question}: {e}: {text}"))
    }

    /// What the gateway's clock says.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.asks("clock")["now"].as_str().unwrap().parse().unwrap()
    }

    /// Lets so much time pass for the gateway, at once.
    pub(crate) fn passes(&self, seconds: i64) {
        let said = self.asks(&format!("pass {seconds}"));
        assert!(said["now"].is_string(), "{seconds}: {said}");
    }

    /// Lets the time pass until the home's clock shows this, to the second: `2026-11-22T07:31:00`, in winter.
    pub(crate) fn passes_until(&self, clock: &str) {
        let until: DateTime<Utc> = format!("{clock}Z").parse().unwrap();
        let left = (until - self.now()).num_milliseconds();
        assert!(left > 0, "{clock} is over: {}", self.now());
        self.passes((left + 999) / 1000);
    }

    /// What it printed when it started.
    pub(crate) fn printed(&self) -> String {
        read_file(&self.printed)
    }

    /// `dig` from an address of the home.
    pub(crate) fn dig(&self, from: &str, rest: &[&str]) -> String {
        let port = self.dns.to_string();
        let mut arguments = vec!["+time=3", "+tries=2", "@127.0.0.1", "-p", &port, "-b", from];
        arguments.extend(rest);
        crate::world::output("dig", &arguments)
    }

    /// `curl` through the proxy from an address of the home: exit code and output.
    pub(crate) fn curl(&self, from: &str, rest: &[&str]) -> (i32, String) {
        let out = self.curl_command(from, rest).output().unwrap();
        (out.status.code().unwrap_or(-1), String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// The same, not yet run.
    pub(crate) fn curl_command(&self, from: &str, rest: &[&str]) -> Command {
        let mut command = Command::new("curl");
        let proxy = format!("http://127.0.0.1:{}", self.proxy);
        command.args(["-sS", "--max-time", "30", "--interface", from, "-x", &proxy]).args(rest);
        command
    }

    /// What the gateway has logged.
    pub(crate) fn log(&self) -> String {
        read_file(&self.log)
    }

    /// Sends a signal and waits for the end: the exit code.
    pub(crate) fn stop(mut self, signal: &str) -> Option<i32> {
        let pid = self.process.0.id().to_string();
        let _ = Command::new("kill").args([signal, &pid]).status();
        wait_for("the gateway to stop", || self.process.0.try_wait().unwrap()).code()
    }
}
