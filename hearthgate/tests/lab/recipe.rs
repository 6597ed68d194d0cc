//! docs/router.md's steps for Debian, done on the lab's router: the gateway.yaml that the page shows, and the units as systemd would
//! run them. What a step of the page promises is looked at from the devices.

use crate::SATURDAY;
use crate::device::{connect, curl, is_refusal, on_this_machine};
use crate::internet::{FOREIGN_RESOLVER, NAMES, RELAY, wait_for};
use crate::lab::{Lab, Who};
use crate::life::is_closed;
use crate::machine::{Program, program};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What the page shows behind a line, to be copied.
fn block<'p>(page: &'p str, behind: &str) -> Vec<&'p str> {
    let rest = page.lines().skip_while(|line| !line.contains(behind)).skip(1);
    rest.skip_while(|line| !line.starts_with("       "))
        .map_while(|line| line.strip_prefix("       "))
        .collect()
}

/// The gateway.yaml of the page, with the lab's interface, upstream and store.
fn gateway_of_the_page() -> String {
    let page = read("docs/router.md");
    let block = block(&page, "**gateway.yaml:**");
    let told = |key: &str| block.iter().any(|line| line.starts_with(key));
    assert!(told("router: {mode: nftables, lan: [br-lan], wan: [eth0], fail: baseline}"), "{block:?}");
    let here = |line: &&str| match line.split(':').next() {
        Some("upstream") => format!("upstream: [\"udp://{NAMES}\"]"),
        Some("store") => "store: sqlite:state/home.db".to_owned(),
        _ => line.replace("eth0", "wan"),
    };
    block.iter().map(here).collect::<Vec<_>>().join("\n") + "\n"
}

/// A unit as it is installed, and as systemd would keep it running.
struct Unit<'l> {
    lab: &'l Lab,
    words: Vec<String>,
    restarts_after: Duration,
    watchdog: Option<Duration>,
    notify: UnixDatagram,
    running: Option<Program>,
    ended: Option<Instant>,
    beat: Instant,
    ready: usize,
}

/// What a unit says last for a key, in the unit or what is dropped into it.
fn said<'t>(texts: &'t [String], key: &str) -> Option<&'t str> {
    texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .next_back()
}

fn seconds(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(millis) => Duration::from_millis(millis.parse().unwrap()),
        None => Duration::from_secs(text.parse().unwrap()),
    }
}

/// A user as systemd makes one up (`DynamicUser=yes`).
const SERVICE: u32 = 61184;

/// What runs a program with a unit's rights and no more: its user, `AmbientCapabilities=`, `CapabilityBoundingSet=`, `NoNewPrivileges=`.
fn with_rights_of(texts: &[String]) -> Vec<String> {
    let list = |key: &str| {
        let names = said(texts, key).unwrap().split(' ');
        names.map(|name| format!(",+{}", name.trim_start_matches("CAP_").to_lowercase())).collect::<String>()
    };
    let (ambient, bounding) = (list("AmbientCapabilities"), list("CapabilityBoundingSet"));
    assert_eq!(said(texts, "NoNewPrivileges"), Some("yes"));
    vec![
        "setpriv".to_owned(),
        format!("--reuid={SERVICE}"),
        format!("--regid={SERVICE}"),
        "--clear-groups".to_owned(),
        format!("--inh-caps=-all{ambient}"),
        format!("--ambient-caps=-all{ambient}"),
        format!("--bounding-set=-all{bounding}"),
        "--no-new-privs".to_owned(),
    ]
}

impl Lab {
    /// The home, its state and its memory are the service's, as `StateDirectory=` and `RuntimeDirectory=` have them.
    fn belongs_to_the_service(&self) {
        let (owner, home) = (format!("{SERVICE}:{SERVICE}"), self.home.path().to_str().unwrap());
        let memory = self.memory();
        fs::create_dir_all(&memory).unwrap();
        let done = program("chown").args(["-R", &owner, home]).arg(&memory).status().unwrap();
        assert!(done.success());
    }
}

impl<'l> Unit<'l> {
    /// `deploy/NAME.service`, with what the page drops into it.
    fn installed(lab: &'l Lab, name: &str, dropped_in: &[&str]) -> Self {
        let files = std::iter::once(format!("deploy/{name}.service"))
            .chain(dropped_in.iter().map(|file| format!("deploy/{file}")));
        let texts: Vec<String> = files.map(|file| read(&file)).collect();
        let home = lab.home.path().to_str().unwrap();
        let program = format!("{home}/hearthgate");
        if !fs::exists(&program).unwrap() {
            fs::copy(env!("CARGO_BIN_EXE_hearthgate"), &program).unwrap();
        }
        let words = said(&texts, "ExecStart").unwrap().split(' ').map(|word| match word {
            "/usr/local/bin/hearthgate" => program.clone(),
            "/etc/hearthgate" => home.to_owned(),
            other => other.to_owned(),
        });
        let words = with_rights_of(&texts).into_iter().chain(words);
        let socket = lab.home.path().join(format!("notify-{name}"));
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_nonblocking(true).unwrap();
        Self {
            lab,
            words: words.collect(),
            restarts_after: said(&texts, "RestartSec").map_or(Duration::ZERO, seconds),
            watchdog: said(&texts, "WatchdogSec").map(seconds),
            notify,
            running: None,
            ended: None,
            beat: Instant::now(),
            ready: 0,
        }
    }

    /// Runs it to its end, as systemd does with `Type=oneshot`.
    fn runs(&self) -> String {
        self.lab.belongs_to_the_service();
        let words: Vec<&str> = self.words[1..].iter().map(String::as_str).collect();
        let out = self.lab.router.output(&self.words[0], &words);
        assert!(out.status.success(), "{:?}: {out:?}", self.words);
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn start(&mut self) {
        self.lab.belongs_to_the_service();
        let mut by = program(&self.words[0]);
        by.args(&self.words[1..]).env("RUNTIME_DIRECTORY", self.lab.memory());
        if self.words.iter().any(|word| word == "run") {
            // The lab's afternoon.
            by.args(["--pretend-now", SATURDAY]);
        }
        if let Some(within) = self.watchdog {
            by.env("NOTIFY_SOCKET", self.notify.local_addr().unwrap().as_pathname().unwrap());
            by.env("WATCHDOG_USEC", within.as_micros().to_string());
        }
        by.stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(self.lab.router.start(by));
        (self.ended, self.beat) = (None, Instant::now());
    }

    /// What systemd does meanwhile (systemd.service(5): `Restart=always`, `RestartSec=`, `WatchdogSec=`).
    fn look_after(&mut self) {
        let mut buffer = [0; 1024];
        while let Ok(read) = self.notify.recv(&mut buffer) {
            for line in String::from_utf8_lossy(&buffer[..read]).lines() {
                match line {
                    "READY=1" => (self.ready, self.beat) = (self.ready + 1, Instant::now()),
                    "WATCHDOG=1" => self.beat = Instant::now(),
                    _ => {}
                }
            }
        }
        if let Some(program) = self.running.as_mut().filter(|_| self.ready > 0)
            && self.watchdog.is_some_and(|within| self.beat.elapsed() > within)
        {
            program.0.kill().unwrap();
        }
        if self.running.as_mut().is_some_and(|program| program.0.try_wait().unwrap().is_some()) {
            (self.running, self.ended) = (None, Some(Instant::now()));
        }
        if self.ended.is_some_and(|then| then.elapsed() >= self.restarts_after) {
            self.start();
        }
    }

    /// Waits until it has said `READY=1` so many times.
    fn is_ready(&mut self, times: usize) {
        wait_for("the unit to be ready", || {
            self.look_after();
            (self.ready >= times).then_some(())
        });
    }

    fn signal(&self, signal: &str) {
        let id = self.running.as_ref().unwrap().0.id().to_string();
        assert!(self.lab.router.output("kill", &[signal, &id]).status.success());
    }

    /// `systemctl stop`.
    fn stop(&mut self) {
        self.signal("-TERM");
        let mut program = self.running.take().unwrap();
        wait_for("the unit to stop", || program.0.try_wait().unwrap());
    }
}

/// The lab with the page's gateway.yaml.
fn prepared() -> Option<Lab> {
    let lab = Lab::build()?;
    lab.write("gateway.yaml", &gateway_of_the_page());
    lab.held_before();
    Some(lab)
}

fn gateway(lab: &Lab) -> Unit<'_> {
    Unit::installed(lab, "hearthgate", &["hearthgate-router.conf"])
}

fn opens(lab: &Lab, who: Who, url: &str) -> bool {
    curl(lab, who, &["-o", "/dev/null", url]) == (0, "200".to_owned())
}

#[test]
fn the_pages_steps_hold_the_router_and_what_fails_is_as_the_page_says() {
    let Some(lab) = prepared() else { return };
    // Step 5: before anything holds.
    lab.command(&["check"]);
    assert!(lab.command(&["router", "show"]).contains("table inet hearthgate"));
    assert!(lab.command(&["router", "check"]).contains("nft takes the rules"));
    assert!(!is_closed(&lab), "nothing is held before step 6");

    // Step 6: hold it.
    let hold = Unit::installed(&lab, "hearthgate-hold", &[]);
    assert!(hold.runs().contains("nothing is open"));
    lab.router.output("sysctl", &["-qw", "net.netfilter.nf_conntrack_acct=1"]);
    let (mut gateway, mut stand_in) = (gateway(&lab), Unit::installed(&lab, "hearthgate-baseline", &[]));
    gateway.start();
    stand_in.start();
    gateway.is_ready(1);
    let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
    assert_eq!(status["running"], true, "{status}");
    // The lab's devices and lists are made up.
    let of_the_lab = ["random-mac", "empty-category"];
    let warnings = status["warnings"].as_array().unwrap().iter();
    let codes: Vec<&str> = warnings
        .filter_map(|warning| warning["code"].as_str())
        .filter(|code| !of_the_lab.contains(code))
        .collect();
    assert_eq!(codes, [""; 0], "nothing under warnings");

    // Step 7: from a device.
    wait_for("a page", || opens(&lab, Who::Jordan, "https://open.test/").then_some(()));
    assert!(opens(&lab, Who::Jordan, "http://open.test/"));
    let ping = lab.of(Who::Jordan).output("ping", &["-c1", "-W2", FOREIGN_RESOLVER.0]);
    assert!(!ping.status.success() && String::from_utf8_lossy(&ping.stdout).contains("filtered"), "{ping:?}");
    let elsewhere = format!("@{}", FOREIGN_RESOLVER.0);
    assert!(lab.dig(Who::Jordan, &[&elsewhere, "+short", "open.test", "A"]).starts_with("11.0.1."));
    assert_eq!(lab.internet.heard.at(FOREIGN_RESOLVER.0, 53), 0, "it is answered here");
    let (_, page) = curl(&lab, Who::Jordan, &["http://casino.test/"]);
    assert!(page.ends_with("403") && page.contains("casino.test"), "{page}");
    assert!(lab.command(&["router", "status"]).contains("counter packets"));
    let devices = lab.command(&["devices"]);
    assert!(devices.contains("jordan") && devices.contains("02:00:00:00:00:11"), "{devices}");
    assert!(lab.command(&["coverage"]).contains("router"));

    // Step 8: what happens when it fails. It is killed, and a page still opens.
    let killed = Instant::now();
    gateway.signal("-KILL");
    gateway.is_ready(2);
    let took = killed.elapsed();
    assert!(took < on_this_machine(Duration::from_secs(2)), "{took:?}");
    assert!(opens(&lab, Who::Jordan, "https://open.test/"));
    // It is stopped: a helpline opens and nothing else does.
    gateway.stop();
    wait_for("the helpline", || {
        stand_in.look_after();
        opens(&lab, Who::Jordan, "https://helpline.test/").then_some(())
    });
    assert!(is_closed(&lab) && !opens(&lab, Who::Jordan, "https://school.test/"));
    gateway.start();
    gateway.is_ready(3);
    wait_for("a page", || opens(&lab, Who::Jordan, "https://open.test/").then_some(()));
    // The machine starts anew: nothing passes until it is up.
    gateway.stop();
    stand_in.stop();
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    assert!(hold.runs().contains("nothing is open"));
    let (relay, six) = (RELAY.0.parse().unwrap(), RELAY.1.parse().unwrap());
    for to in [relay, six] {
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, 9001).unwrap_err()));
    }
    assert!(!opens(&lab, Who::Jordan, "https://open.test/"));
    gateway.start();
    gateway.is_ready(4);
    wait_for("a page", || opens(&lab, Who::Jordan, "https://open.test/").then_some(()));
}

/// What step 2 copies, and a laptop: with no more than that a page opens in step 7, and a blocked site shows why.
#[test]
fn the_sample_home_and_ones_own_laptop_are_enough_to_begin_with() {
    let Some(lab) = prepared() else { return };
    for folder in ["agreements", "lists"] {
        fs::remove_dir_all(lab.home.path().join(folder)).unwrap();
        for file in
            fs::read_dir(format!("{}/../deploy/sample-home/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        {
            let file = file.unwrap();
            let name = format!("{folder}/{}", file.file_name().to_str().unwrap());
            lab.write(&name, &fs::read_to_string(file.path()).unwrap());
        }
    }
    lab.write("home.yaml", &read("deploy/sample-home/home.yaml"));
    let page = read("docs/router.md");
    lab.write("agreements/laptop.yaml", &(block(&page, "**Your own laptop**").join("\n") + "\n"));
    lab.command(&["check"]);
    let mut gateway = gateway(&lab);
    gateway.start();
    gateway.is_ready(1);
    wait_for("a page", || opens(&lab, Who::Kate, "https://open.test/").then_some(()));
    let (_, refused) = curl(&lab, Who::Kate, &["http://xxx-films.example/"]);
    assert!(refused.ends_with("403") && refused.contains("xxx-films.example"), "{refused}");
    assert!(lab.command(&["devices"]).contains("laptop"));
    assert!(lab.command(&["password-link", "r.osei"]).contains("/first/"));
}

#[test]
fn a_watchdog_starts_a_gateway_that_hangs_anew() {
    let Some(lab) = prepared() else { return };
    let mut gateway = gateway(&lab);
    let watchdog = gateway.watchdog.unwrap();
    gateway.start();
    gateway.is_ready(1);
    let began = Instant::now();
    while began.elapsed() < watchdog + Duration::from_secs(2) {
        gateway.look_after();
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(gateway.ready, 1, "one that answers is left alone");
    gateway.signal("-STOP");
    gateway.is_ready(2);
    assert!(is_closed(&lab), "and nothing opened meanwhile");
    wait_for("a page", || opens(&lab, Who::Jordan, "https://open.test/").then_some(()));
}
