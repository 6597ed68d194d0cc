//! Bedtime, with all that a device may have open: over both families, within the time that was promised.

use crate::device::{
    CUT, closes, connect, datagrams, download, echoes, exchange, is_refusal, lapses, look_up, on_this_machine,
};
use crate::internet::{ECHO, wait_at_most, wait_for};
use crate::lab::{Lab, Who, at};
use crate::machine::{Program, program};
use crate::router::{episodes, held};
use crate::sockets;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

pub(crate) const FAMILIES: [&str; 2] = ["-4", "-6"];
/// When Jordan's day ends.
const BEDTIME: &str = "2026-11-21T21:00:00";
/// A little before, when all is open.
const BEFORE: &str = "2026-11-21T20:59:54";
/// Nothing may last so long: that it ended at all is another thing than that it ended in time.
const MOST: Duration = Duration::from_secs(60);
/// A browser may take so long to show its page on a busy machine.
const BROWSER: Duration = Duration::from_secs(90);

/// A ping that goes on.
struct Ping {
    _program: Program,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Ping {
    fn begin(lab: &Lab, who: Who, to: IpAddr) -> Self {
        let mut ping = program("ping");
        ping.args([if to.is_ipv4() { "-4" } else { "-6" }, "-i", "0.2", &to.to_string()]);
        ping.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut ping = lab.of(who).start(ping);
        let said = BufReader::new(ping.0.stdout.take().unwrap());
        let last = Arc::new(Mutex::new(None));
        let told = Arc::clone(&last);
        spawn(move || {
            for _ in said.lines().map_while(Result::ok).filter(|line| line.contains(" bytes from ")) {
                *told.lock().unwrap() = Some(Instant::now());
            }
        });
        Self { _program: ping, last }
    }

    /// When something came back last.
    fn last(&self) -> Option<Instant> {
        *self.last.lock().unwrap()
    }
}

/// When a stream ends.
fn is_closed(stream: TcpStream) -> Instant {
    closes(stream, MOST);
    Instant::now()
}

/// When a WebSocket ends.
fn is_gone(socket: TcpStream) -> Instant {
    sockets::closes(socket, MOST);
    Instant::now()
}

/// When a download ends; it must not have come to its end.
fn is_cut(mut download: Program) -> Instant {
    let ended = download.0.wait().unwrap();
    assert!(!ended.success(), "it was not cut");
    Instant::now()
}

/// When datagrams are refused.
fn is_refused(socket: &UdpSocket) -> Instant {
    let began = Instant::now();
    loop {
        match exchange(socket, b"hello") {
            Err(error) if is_refusal(&error) => return Instant::now(),
            // One may be lost when the flow is cut.
            Ok(_) | Err(_) => assert!(began.elapsed() < MOST, "datagrams go on"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// When each thing ends, by what it is.
type Ends = Vec<(String, JoinHandle<Instant>)>;

/// Everything at a site but the browser's: streams, WebSockets in the clear, datagrams and downloads.
fn all_at(lab: &Lab, sites: [IpAddr; 2]) -> Ends {
    let mut ends = Ends::new();
    for (family, to) in FAMILIES.into_iter().zip(sites) {
        let mut stream = connect(lab, Who::Jordan, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}");
        let mut socket = sockets::open(lab, Who::Jordan, "open.test", to);
        assert!(sockets::echoes(&mut socket).unwrap(), "{to}");
        let datagrams = datagrams(lab, Who::Jordan, to, ECHO);
        assert_eq!(exchange(&datagrams, b"hello").unwrap(), b"hello", "{to}");
        let download = download(lab, Who::Jordan, family, "open.test");
        ends.push((format!("a stream to {to}"), spawn(move || is_closed(stream))));
        ends.push((format!("a WebSocket to {to}"), spawn(move || is_gone(socket))));
        ends.push((format!("datagrams to {to}"), spawn(move || is_refused(&datagrams))));
        ends.push((format!("a download {family}"), spawn(move || is_cut(download))));
    }
    ends
}

#[test]
fn bedtime_closes_all_that_is_open_over_both_families_within_five_seconds_and_help_stays() {
    let Some(lab) = held("2026-11-21T20:50:00") else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let (help4, help6) = look_up(&lab, Who::Jordan, "helpline.test");
    let (sites, helplines) = ([four, six], [help4, help6]);
    let mut kates = {
        let (four, six) = look_up(&lab, Who::Kate, "open.test");
        [four, six].map(|to| connect(&lab, Who::Kate, to, ECHO).unwrap())
    };
    let browser = crate::browser::goes_on(&lab, "https://open.test/live");
    let told = |words: &str| lab.internet.told(words);
    for site in ["four.open.test", "six.open.test", "helpline.test"] {
        wait_at_most(BROWSER, site, || (told(&format!("{site}-hello")) > 0).then_some(()));
    }
    let ends = all_at(&lab, sites);
    let mut help = helplines.map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    let mut call = helplines.map(|to| sockets::open(&lab, Who::Jordan, "helpline.test", to));
    let mut counsel = FAMILIES.map(|family| download(&lab, Who::Jordan, family, "helpline.test"));
    let pings = sites.map(|to| Ping::begin(&lab, Who::Jordan, to));
    let helps = helplines.map(|to| Ping::begin(&lab, Who::Jordan, to));
    wait_for("the pings", || pings.iter().chain(&helps).all(|ping| ping.last().is_some()).then_some(()));
    for what in ["four.open.test", "six.open.test"] {
        assert_eq!(told(&format!("{what}-closed")), 0, "{what} is open");
    }

    lab.passes_until(BEFORE);
    let bedtime = lab.will_be(BEDTIME);
    let in_time = |what: &str, ended: Instant| {
        let late = ended.checked_duration_since(bedtime);
        assert!(late.is_some_and(|late| late < on_this_machine(CUT)), "{what} ended {late:?} after bedtime");
    };
    for site in ["four.open.test", "six.open.test"] {
        wait_at_most(MOST, site, || (told(&format!("{site}-closed")) > 0).then_some(()));
        in_time(&format!("the browser's WebSocket to {site}"), Instant::now());
    }
    for (what, end) in ends {
        in_time(&what, end.join().unwrap());
    }
    // Those that would still come come by then.
    let (by, counted) = (bedtime + on_this_machine(CUT), told("helpline.test-hello"));
    std::thread::sleep(by.saturating_duration_since(Instant::now()) + Duration::from_secs(1));
    for (ping, to) in pings.iter().zip(sites) {
        let last = ping.last().unwrap();
        assert!(last > bedtime - Duration::from_secs(2), "{to}: it went on until then");
        assert!(last < by, "{to}: pings are answered");
    }

    for (ping, to) in helps.iter().zip(helplines) {
        assert!(ping.last().unwrap() > by, "{to}: help's go on");
    }
    assert!(
        told("helpline.test-hello") > counted && told("helpline.test-closed") == 0,
        "help's WebSocket stays"
    );
    drop(browser);
    assert!(counsel.iter_mut().all(|download| download.0.try_wait().unwrap().is_none()), "help's goes on");
    assert!(help.iter_mut().all(|help| echoes(help).unwrap()), "help stays open");
    assert!(call.iter_mut().all(|call| sockets::echoes(call).unwrap()), "help stays open");
    assert!(kates.iter_mut().all(|stream| echoes(stream).unwrap()), "another person's flows are not touched");
    for (to, help) in sites.into_iter().zip(helplines) {
        assert!(
            is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()),
            "{to}: and no new one begins"
        );
        assert!(echoes(&mut connect(&lab, Who::Jordan, help, ECHO).unwrap()).unwrap(), "{help}");
    }
    // Coming back to it is outside the agreed times, and no way around.
    let told = wait_for("the episode", || Some(episodes(&lab)).filter(|list| !list.is_empty()));
    assert!(told.iter().all(|e| e["rule"] == "online" && e["severity"] == "low"), "{told:?}");
}

/// How long the match takes yet.
const MATCH: &str = "20m";

#[test]
fn more_time_that_is_given_before_bedtime_carries_what_is_open_over_it_to_its_own_end() {
    let Some(lab) = held("2026-11-21T20:50:00") else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let mut streams = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()));
    let first = lab.now();
    let words = format!("grant --person jordan --extra-time {MATCH} --by r.osei --reason match");
    lab.command(&words.split(' ').collect::<Vec<_>>());
    let twenty = chrono::TimeDelta::minutes(20);
    let (earliest, latest) = (first + twenty, lab.now() + twenty);

    lab.passes_until(BEFORE);
    // The addresses were given until bedtime.
    [four, six].into_iter().for_each(|to| lapses(&lab, Who::Jordan, to));
    let bedtime = lab.will_be(BEDTIME);
    // For as long as what bedtime ends may take.
    while Instant::now() < bedtime + CUT {
        for (stream, to) in streams.iter_mut().zip([four, six]) {
            assert!(echoes(stream).unwrap(), "{to}: at {}", lab.now());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(lab.now() > at(BEDTIME), "it is past bedtime");
    assert_eq!(look_up(&lab, Who::Jordan, "open.test"), (four, six), "and the name is still answered");
    for to in [four, six] {
        assert!(
            echoes(&mut connect(&lab, Who::Jordan, to, ECHO).unwrap()).unwrap(),
            "{to}: a new one begins"
        );
    }

    lab.passes((earliest - lab.now()).num_seconds() - 4);
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()), "until then");
    let now = lab.now();
    let [early, late] = [earliest, latest].map(|end| Instant::now() + (end - now).to_std().unwrap());
    let ends = streams.map(|stream| spawn(move || is_closed(stream)));
    for (end, to) in ends.into_iter().zip([four, six]) {
        let end = end.join().unwrap();
        assert!(end > early - Duration::from_secs(1), "{to}: {:?} early", early - end);
        let after = end.saturating_duration_since(late);
        assert!(after < on_this_machine(CUT), "{to}: {after:?} late");
        assert!(
            is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()),
            "{to}: and no new one begins"
        );
    }
}
