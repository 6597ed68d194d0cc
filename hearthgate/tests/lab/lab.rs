//! The lab: a home with four devices, its router with the gateway on it, and the internet.
//!
//! ```text
//! jordan ─┐
//! sam    ─┤            ┌────────┐
//! kate   ─┼─ br-lan ── │ router │ ── wan ── internet
//! stranger┘            └────────┘
//! ```
//!
//! Everything speaks IPv4 and IPv6. IPv4 is translated by a table of rules that is not ours, as on every home router.

use crate::internet::{Internet, LINE, NAMES, PATIENCE, wait_at_most, wait_for};
use crate::machine::{Machine, Program, program};
use chrono::{DateTime, Utc};
use std::fs;
use std::io::Write;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The gateway's addresses in the home.
pub(crate) const ROUTER: (&str, &str) = ("192.168.4.1", "2d00:77::1");

/// A device of the home: its name, the last part of its hardware address and of the addresses it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Jordan,
    Sam,
    Kate,
    Stranger,
}

impl Who {
    const ALL: [Self; 4] = [Self::Jordan, Self::Sam, Self::Kate, Self::Stranger];

    /// Its number, the last of its addresses.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Jordan => 11,
            Self::Sam => 12,
            Self::Kate => 13,
            Self::Stranger => 99,
        }
    }

    /// Its address in IPv4.
    pub(crate) fn four(self) -> String {
        format!("192.168.4.{}", self.number())
    }

    /// Its first address in IPv6.
    pub(crate) fn six(self) -> String {
        format!("2d00:77::{}", self.number())
    }
}

/// The lab.
pub(crate) struct Lab {
    pub(crate) router: Machine,
    pub(crate) internet: Internet,
    devices: Vec<Machine>,
    pub(crate) home: TempDir,
    gateway: Option<Program>,
}

impl Lab {
    /// Builds it; none, with a line that says so, where somebody does not want it (`HEARTHGATE_NO_LAB=1`). Where it cannot be built
    /// the test fails: what nobody saw does not hold.
    pub(crate) fn build() -> Option<Self> {
        if std::env::var_os("HEARTHGATE_NO_LAB").is_some_and(|no| no == "1") {
            println!("SKIPPED: HEARTHGATE_NO_LAB=1");
            return None;
        }
        let machines: Result<Vec<Machine>, _> = (0..6).map(|_| Machine::new()).collect();
        let mut machines = machines.unwrap_or_else(|error| {
            panic!("no network namespace can be made here ({error}): the lab needs root, or HEARTHGATE_NO_LAB=1 leaves it out")
        });
        let (internet, router) = (machines.remove(0), machines.remove(0));
        wire(&router, &internet);
        for (who, device) in Who::ALL.iter().zip(&machines) {
            plug_in(&router, *who, device);
        }
        let internet = Internet::start(internet);
        let home = tempfile::tempdir().unwrap();
        write_home(home.path());
        Some(Self { router, internet, devices: machines, home, gateway: None })
    }

    /// A device.
    pub(crate) fn of(&self, who: Who) -> &Machine {
        let place = Who::ALL.iter().position(|w| *w == who).unwrap();
        &self.devices[place]
    }

    /// Writes a file of the home.
    pub(crate) fn write(&self, file: &str, text: &str) {
        write(self.home.path(), file, text);
    }

    /// Starts the gateway on the router with its clock at `now` (the home's wall clock); it is ready afterwards.
    pub(crate) fn open(&mut self, now: &str) {
        // Whoever started it hears nothing more of it.
        let _notified = self.open_watched(now, None);
    }

    /// The same as systemd does with `WatchdogSec=`; what it says afterwards comes from the socket. Nobody reads for it: whoever takes
    /// a watchdog has to listen.
    pub(crate) fn open_watched(&mut self, now: &str, watchdog: Option<Duration>) -> UnixDatagram {
        let notify = self.home.path().join("notify");
        let _ = fs::remove_file(&notify);
        let socket = UnixDatagram::bind(&notify).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut gateway = program(env!("CARGO_BIN_EXE_hearthgate"));
        gateway.args(["run", "--pretend-now", now, "--home"]).arg(self.home.path());
        gateway.env("NOTIFY_SOCKET", &notify).env("RUNTIME_DIRECTORY", self.memory());
        if let Some(within) = watchdog {
            gateway.env("WATCHDOG_USEC", within.as_micros().to_string());
        }
        gateway.stdout(Stdio::null()).stderr(log);
        self.gateway = Some(self.router.start(gateway));
        let mut buffer = [0; 1024];
        loop {
            let n = match socket.recv(&mut buffer) {
                Ok(n) => n,
                // Whoever measures on this machine may stop us for a while.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => panic!("not ready: {error}: {}", self.log()),
            };
            if String::from_utf8_lossy(&buffer[..n]).lines().any(|line| line == "READY=1") {
                return socket;
            }
        }
    }

    /// What systemd gives the gateway in the machine's memory.
    pub(crate) fn memory(&self) -> PathBuf {
        self.home.path().join("run")
    }

    /// The router has held this home before: nothing that its devices were told is unknown to it.
    pub(crate) fn held_before(&self) {
        fs::create_dir_all(self.memory()).unwrap();
        fs::write(self.memory().join("openings"), "").unwrap();
    }

    /// Kills the gateway as nothing else can.
    pub(crate) fn kill(&mut self) {
        self.gateway = None;
    }

    /// Sends the gateway a signal: `-STOP`, and it hangs.
    pub(crate) fn signals(&self, signal: &str) {
        let gateway = self.gateway.as_ref().unwrap();
        self.router.says("kill", &[signal, &gateway.0.id().to_string()]);
    }

    /// Waits until the gateway ends by itself: how.
    pub(crate) fn ends(&mut self) -> std::process::ExitStatus {
        let mut gateway = self.gateway.take().unwrap();
        wait_at_most(3 * PATIENCE, "the gateway to end", || gateway.0.try_wait().unwrap())
    }

    /// Tells the gateway to stop, and waits.
    pub(crate) fn stop(&mut self) {
        let Some(mut gateway) = self.gateway.take() else { return };
        self.router.says("kill", &["-TERM", &gateway.0.id().to_string()]);
        wait_for("the gateway to stop", || gateway.0.try_wait().unwrap());
    }

    /// Runs a command of the program on the home, on the router: what it writes.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let home = self.home.path().to_str().unwrap();
        let (first, rest) = arguments.split_first().unwrap();
        let words: Vec<&str> = [*first, "--home", home].into_iter().chain(rest.iter().copied()).collect();
        let out = self.router.output(env!("CARGO_BIN_EXE_hearthgate"), &words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(out.status.success(), "{arguments:?}: {}{}", text(&out.stdout), text(&out.stderr));
        text(&out.stdout)
    }

    /// Asks the gateway over its control socket.
    fn asks(&self, question: &str) -> serde_json::Value {
        let mut stream = UnixStream::connect(self.home.path().join("state/control.sock")).unwrap();
        writeln!(stream, "{question}").unwrap();
        serde_json::from_reader(stream).unwrap_or_else(|e| panic!("{question}: {e}"))
    }

    /// What the gateway's clock says.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.asks("clock")["now"].as_str().unwrap().parse().unwrap()
    }

    /// Lets so many seconds pass for the gateway, at once. For the kernel none do.
    pub(crate) fn passes(&self, seconds: i64) {
        let said = self.asks(&format!("pass {seconds}"));
        assert!(said["now"].is_string(), "{seconds}: {said}");
    }

    /// Lets the time pass until the home's clock shows this, in winter: `2026-11-21T20:59:50`.
    pub(crate) fn passes_until(&self, clock: &str) {
        let left = (at(clock) - self.now()).num_seconds();
        assert!(left > 0, "{clock} is over: {}", self.now());
        self.passes(left);
    }

    /// When the gateway's clock will show this, or a moment before.
    pub(crate) fn will_be(&self, clock: &str) -> Instant {
        let asked = Instant::now();
        let left = at(clock) - self.now();
        asked + left.to_std().expect("the preparations took too long")
    }

    /// What the gateway has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("run.log")
    }

    /// `dig` on a device.
    pub(crate) fn dig(&self, who: Who, words: &[&str]) -> String {
        let mut all = vec!["+time=2", "+tries=2"];
        all.extend(words);
        self.of(who).says("dig", &all)
    }

    /// Waits until a device is allowed a site: a changed file is in force.
    pub(crate) fn wait_until_known_by(&self, who: Who, name: &str) {
        wait_for("the site to be allowed", || {
            self.dig(who, &["+short", name, "A"]).contains("11.0.1.").then_some(())
        });
    }

    /// Waits until the gateway knows whose hardware address is behind an address of the device's, by a question that only
    /// its owner is answered.
    pub(crate) fn wait_until_known(&self, who: Who, from: &str, name: &str) {
        let at = if from.contains(':') { ROUTER.1 } else { ROUTER.0 };
        wait_for("the gateway to know the device", || {
            let answer = self.dig(who, &["-b", from, &format!("@{at}"), name, "A"]);
            (answer.contains("NOERROR") && answer.contains("11.0.1.")).then_some(())
        });
    }
}

/// The line between router and internet, and the router's own side.
fn wire(router: &Machine, internet: &Machine) {
    let internet = internet.thread();
    router.ip(&format!("link add wan type veth peer name wan netns {internet}"));
    for (ours, _) in LINE {
        router.ip(&format!("address add {ours} dev wan"));
    }
    router.ip("link add br-lan type bridge forward_delay 0 stp_state 0 mcast_snooping 0");
    router.ip(&format!("address add {}/24 dev br-lan", ROUTER.0));
    router.ip(&format!("address add {}/64 dev br-lan", ROUTER.1));
    router.ip("link set br-lan up");
    router.ip("link set wan up");
    router.ip("route add default via 11.0.0.1");
    router.ip("route add default via 2d00:1::1");
    router.ip("route add 2d00:2::/32 via 2d00:1::1");
    router.write("/proc/sys/net/ipv4/ip_forward", "1");
    router.write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    let rules = "table ip others { chain out { type nat hook postrouting priority srcnat; oifname wan masquerade; }; }";
    let out = router.output("nft", &[rules]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// A device on a port of the bridge, with IPv6 privacy addresses (RFC 8981) as phones have them.
fn plug_in(router: &Machine, who: Who, device: &Machine) {
    let (number, thread) = (who.number(), device.thread());
    device.write("/proc/sys/net/ipv6/conf/default/use_tempaddr", "2");
    router.ip(&format!(
        "link add port{number} type veth peer name eth0 address 02:00:00:00:00:{number} netns {thread}"
    ));
    router.ip(&format!("link set port{number} master br-lan up"));
    device.write("/proc/sys/net/ipv6/conf/eth0/use_tempaddr", "2");
    device.ip("link set eth0 up");
    device.ip(&format!("address add {}/24 dev eth0", who.four()));
    device.ip(&format!("address add {}/64 dev eth0 mngtmpaddr nodad", who.six()));
    device.ip(&format!("route add default via {}", ROUTER.0));
    device.ip(&format!("route add default via {}", ROUTER.1));
    device.look_names_up_at(&[ROUTER.0, ROUTER.1]);
}

/// A time of the home's clock, in winter.
pub(crate) fn at(clock: &str) -> DateTime<Utc> {
    format!("{clock}Z").parse().unwrap()
}

fn write(home: &Path, file: &str, text: &str) {
    let path = home.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What gateway.yaml says in every test, before its `router`.
pub(crate) fn gateway_yaml() -> String {
    format!(
        "listen:\n  dns: [\"0.0.0.0:53\", \"[::]:53\"]\n  pages: [\"0.0.0.0:80\", \"[::]:80\"]\n  metrics: [\"127.0.0.1:9190\"]\n\
         upstream: [\"udp://{NAMES}\"]\nstore: sqlite:state/home.db\nblocked_answer: page\n"
    )
}

/// An agreement, by name, hardware address and rules.
fn agreement(name: &str, mac: u8, rules: &str) -> String {
    format!(
        "person: {name}\nagreed:\n  risk_assessment: {{ref: RA-1, on: 2026-10-28}}\n  review_by: 2027-01-31\n  \
         young_person: {{on: 2026-11-02, view: ok}}\n  \
         social_worker: {{name: A. Mensah, authority: Leeds, on: 2026-11-02}}\n  \
         home_manager: {{name: R. Osei, on: 2026-11-02}}\n\
         devices: [{{name: phone, mac: \"02:00:00:00:00:{mac}\"}}]\n{rules}school_hours: as_agreed\n"
    )
}

/// Jordan: until nine, everything but gambling and one site.
pub(crate) const JORDAN: &str = "online: {every_day: 07:00-22:30}\nbedtime: {every_day: 21:00}\nblock: [gambling, club.test]\notherwise: allow\n";
/// Sam: what is listed, and nothing else.
const SAM: &str = "online: {every_day: 07:00-23:00}\nallow: [school.test]\notherwise: block\n";

/// Writes Jordan's agreement with other rules.
pub(crate) fn jordan(rules: &str) -> String {
    agreement("Jordan", 11, rules)
}

fn write_home(home: &Path) {
    write(home, "gateway.yaml", &gateway_yaml());
    write(
        home,
        "home.yaml",
        "home: Test House\ntimezone: Europe/London\nshifts: [07:30, 14:30, 21:30]\n\
         school:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n\
         everyone:\n  block: [pornography, malware, circumvention]\n  safe_search: strict\n\
         protected:\n  support: [helpline.test]\n\
         baseline:\n  online: {every_day: 07:00-21:00}\n  allow: [school.test]\n  otherwise: block\n\
         unknown_devices: baseline\nlists:\n  - {category: gambling, from: lists/gambling.txt}\n  \
         - {category: circumvention, from: lists/resolvers.txt}\n  \
         - {category: circumvention, from: lists/addresses.txt}\n\
         staff:\n  - {id: r.osei, name: R. Osei, role: manager}\n",
    );
    write(home, "agreements/jordan.yaml", &jordan(JORDAN));
    write(home, "agreements/sam.yaml", &agreement("Sam", 12, SAM));
    write(
        home,
        "agreements/kate.yaml",
        "person: Kate\nfor: staff\ndevices: [{name: phone, mac: \"02:00:00:00:00:13\"}]\n\
         online: {every_day: all_day}\notherwise: allow\n",
    );
    write(home, "lists/gambling.txt", "0.0.0.0 casino.test\n");
    write(home, "lists/resolvers.txt", "doh.test\n");
    write(home, "lists/addresses.txt", "# by address\n11.0.4.3 # listed.test\n2d00:4::3\n");
}
