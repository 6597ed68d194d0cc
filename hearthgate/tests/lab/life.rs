//! The life of the router's rules: before anything runs, while it runs, when it is killed, and when they are taken away.

use crate::SATURDAY;
use crate::device::{
    CUT, addresses, closes, connect, datagrams, echoes, exchange, is_refusal, lapses, look_up,
    on_this_machine,
};
use crate::internet::{ECHO, FOREIGN_RESOLVER, RELAY, wait_for};
use crate::lab::{Lab, Who, gateway_yaml};
use crate::machine::{Program, program};
use crate::router::{episodes, held, with_router};
use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What the issue asks of a restart.
const RESTART: Duration = Duration::from_secs(2);

/// Every device looks names up, loads pages and meets refusals, until what is returned is dropped.
fn load(lab: &Lab) -> Vec<Program> {
    let busy = "while :; do for name in open.test casino.test school.test club.test; do dig +time=1 +tries=1 $name A; \
                curl -ks --max-time 2 -o /dev/null http://$name/slow; done; done";
    let begun = [Who::Jordan, Who::Sam, Who::Kate, Who::Stranger].map(|who| {
        let mut shell = program("sh");
        shell.args(["-c", busy]).stdout(Stdio::null()).stderr(Stdio::null());
        lab.of(who).start(shell)
    });
    begun.into()
}

/// Jordan's counted minutes of everything, and the numbers of everybody's episodes with their sites.
fn kept(lab: &Lab) -> (u64, BTreeSet<(u64, String)>) {
    let json = |words: &[&str]| serde_json::from_str::<serde_json::Value>(&lab.command(words)).unwrap();
    let minutes = json(&["minutes", "jordan", "--json"]);
    let episodes = json(&["breaches", "list", "--json"]);
    let number = |episode: &serde_json::Value| {
        (episode["entry"].as_u64().unwrap(), episode["site"].as_str().unwrap().to_owned())
    };
    let episodes = episodes.as_array().unwrap().iter().map(number).collect();
    (minutes["minutes"][0]["counted"].as_u64().unwrap(), episodes)
}

#[test]
fn on_kill_9_under_load_rules_hold_a_restart_is_fast_and_minutes_and_journal_are_whole() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let mut streams = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()));
    let _load = load(&lab);
    let of_jordan = |lab: &Lab| episodes(lab).iter().filter(|episode| episode["person"] == "jordan").count();
    wait_for("minutes and episodes", || (kept(&lab).0 > 0 && of_jordan(&lab) == 2).then_some(()));
    let (minutes, told) = kept(&lab);
    lab.kill();
    // Nothing opens by it.
    assert!(is_closed(&lab));
    for (to, resolver) in [four, six].into_iter().zip([FOREIGN_RESOLVER.0, FOREIGN_RESOLVER.1]) {
        assert!(connect(&lab, Who::Sam, to, ECHO).is_err(), "{to}");
        let at = format!("@{resolver}");
        let answer = lab.dig(Who::Jordan, &["+tries=1", &at, "casino.test", "A"]);
        assert!(!answer.contains("ANSWER: 1"), "DNS is closed: {answer}");
        assert_eq!(lab.internet.heard.at(resolver, 53), 0);
    }
    // What was open goes on for its time.
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()));
    let began = Instant::now();
    // In another minute, so that none which was lost is counted anew as if it had been kept.
    lab.open("2026-11-21T16:10:00");
    let took = began.elapsed();
    println!("ready again after {took:?}");
    assert!(took < on_this_machine(RESTART), "{took:?}");
    assert!(streams.iter_mut().all(|stream| echoes(stream).unwrap()), "and over the restart");
    for to in [four, six] {
        assert!(echoes(&mut connect(&lab, Who::Jordan, to, ECHO).unwrap()).unwrap(), "without asking again");
        assert!(is_refusal(&connect(&lab, Who::Sam, to, ECHO).unwrap_err()), "{to}");
    }
    // Each as it was, under its own number: one that was lost would have been told anew under another.
    let now = kept(&lab).1;
    assert!(now.is_superset(&told), "{told:?}: {now:?}");
    wait_for("this minute beside those before", || (kept(&lab).0 > minutes).then_some(()));
    // `command` would have failed had a single entry not fitted.
    lab.command(&["breaches", "verify"]);
}

#[test]
fn a_broken_configuration_never_leaves_the_router_open() {
    let Some(mut lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    lab.write("gateway.yaml", "router: [this is no router\n");
    wait_for("the file to wait", || {
        lab.command(&["status", "--json"]).contains("gateway.yaml").then_some(())
    });
    assert!(is_closed(&lab), "while it runs");
    lab.kill();
    assert!(is_closed(&lab), "while nothing runs");
    lab.open(SATURDAY);
    assert!(is_closed(&lab), "and with the last good text after a restart");
    // An interface that is not there yet is no reason to be open.
    lab.write("gateway.yaml", &with_router().replace("lan: [br-lan]", "lan: [br-lan, br-guest]"));
    wait_for("the new rules", || lab.command(&["router", "status"]).contains("br-guest").then_some(()));
    assert!(is_closed(&lab));
}

/// Whether the router lets nobody through, over both families.
pub(crate) fn is_closed(lab: &Lab) -> bool {
    let closed = |to| connect(lab, Who::Jordan, to, 9001).is_err_and(|e| is_refusal(&e));
    addresses(RELAY).into_iter().all(closed)
}

/// As after a reboot: no rule of ours is in the kernel, and something flows.
fn reboot(lab: &mut Lab) -> TcpStream {
    lab.kill();
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    let mut slipped = connect(lab, Who::Jordan, RELAY.0.parse().unwrap(), 9001).unwrap();
    assert!(echoes(&mut slipped).unwrap(), "without rules everything passes");
    slipped
}

#[test]
fn after_a_reboot_the_router_is_closed_whatever_else_fails() {
    let Some(mut lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let home = lab.home.path().to_owned();
    let broken = "router: [this is no router\n";
    type Case<'a> = (&'a str, &'a dyn Fn(&Lab));
    let cases: [Case<'_>; 3] = [
        ("its port is taken", &|_| {}),
        ("gateway.yaml has errors, and no good text of it is kept", &|lab| {
            lab.write("gateway.yaml", broken);
            std::fs::remove_file(home.join("state/last-good.json")).unwrap();
        }),
        ("its folder cannot be made", &|lab| {
            lab.write(
                "gateway.yaml",
                &with_router().replace("sqlite:state/home.db", "sqlite:state/none/home.db"),
            );
            lab.write("state/none", "a file in the folder's place");
        }),
    ];
    for (case, breaks) in cases {
        let mut slipped = reboot(&mut lab);
        let _taken =
            case.contains("port").then(|| lab.router.within(|| TcpListener::bind("0.0.0.0:53").unwrap()));
        breaks(&lab);
        let ran =
            lab.router.output(env!("CARGO_BIN_EXE_hearthgate"), &["run", "--home", home.to_str().unwrap()]);
        assert_eq!(ran.status.code(), Some(2), "{case}: {ran:?}");
        assert!(is_closed(&lab), "{case}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(!matches!(echoes(&mut slipped), Ok(true)), "{case}: what slipped through is ended");
    }
}

#[test]
fn the_router_is_held_before_anything_runs() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    assert!(lab.command(&["router", "hold"]).contains("in place already"), "while it runs");
    for text in [with_router(), "no: [good text".to_owned(), with_router()] {
        let mut slipped = reboot(&mut lab);
        lab.write("gateway.yaml", &text);
        assert!(lab.command(&["router", "hold"]).contains("nothing is open"));
        assert!(is_closed(&lab) && connect(&lab, Who::Jordan, four, ECHO).is_err());
        assert!(!matches!(echoes(&mut slipped), Ok(true)));
    }
    lab.open(SATURDAY);
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    assert!(echoes(&mut connect(&lab, Who::Jordan, four, ECHO).unwrap()).unwrap());
    lab.kill();
    lab.write("gateway.yaml", &gateway_yaml());
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    assert!(lab.command(&["router", "hold"]).contains("no router"), "a home that wants none is not closed");
    assert!(!is_closed(&lab));
}

#[test]
fn rules_of_a_router_that_was_given_up_while_nothing_ran_are_taken_away() {
    let Some(mut lab) = held(SATURDAY) else { return };
    lab.stop();
    lab.write("gateway.yaml", &gateway_yaml());
    lab.open(SATURDAY);
    assert!(!lab.router.says("nft", &["list", "tables"]).contains("hearthgate"));
}

#[test]
fn every_rule_is_gone_after_router_off_and_nobody_elses() {
    let Some(mut lab) = Lab::build() else { return };
    // Numbers of rules and counters apart, which go on with whatever passes.
    let rules = |lab: &Lab, what: &[&str]| lab.router.says("nft", &[&["-s", "list"], what].concat());
    let before = rules(&lab, &["ruleset"]);
    assert!(before.contains("masquerade"), "{before}");
    lab.write("gateway.yaml", &with_router());
    lab.held_before();
    lab.open(SATURDAY);
    assert_eq!(rules(&lab, &["table", "ip", "others"]), before, "the home's own table, while ours holds");
    let shown = lab.command(&["router", "show"]);
    assert!(shown.contains("table inet hearthgate") && shown.contains("redirect to :3129"), "{shown}");
    assert!(lab.command(&["router", "check"]).contains("nft takes the rules"));
    lab.stop();
    assert!(lab.router.says("nft", &["list", "tables"]).contains("hearthgate"), "stopping leaves it closed");
    lab.command(&["router", "off"]);
    assert_eq!(rules(&lab, &["ruleset"]), before, "as it was before");
    assert!(lab.command(&["router", "off"]).contains("No rules"));
    let to = RELAY.0.parse().unwrap();
    assert!(echoes(&mut connect(&lab, Who::Jordan, to, 9001).unwrap()).unwrap(), "as it was before");
}

#[test]
fn rules_that_nft_refuses_change_nothing() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    let table = || lab.router.says("nft", &["-s", "list", "chain", "inet", "hearthgate", "forward"]);
    let before = table();
    assert!(before.contains("br-lan"), "{before}");

    // On this machine, for a while, nft takes no rules when it is asked whether it would, and notes whoever puts some there all the same.
    let [real, fake, noted] = ["nft-real", "nft", "put-unasked"].map(|name| lab.home.path().join(name));
    std::fs::copy("/usr/sbin/nft", &real).unwrap();
    let words = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' -c '*) echo Error: no room >&2; exit 1;;\n*' -f '*) echo \"$*\" >>{};;\nesac\nexec {} \"$@\"\n",
        noted.display(),
        real.display()
    );
    lab.write("nft", &words);
    std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mounted = lab.router.output("mount", &["--make-rprivate", "/"]).status.success()
        && lab.router.output("mount", &["--bind", fake.to_str().unwrap(), "/usr/sbin/nft"]).status.success();
    assert!(mounted && !lab.router.output("nft", &["-c", "list", "tables"]).status.success());
    let with_guests = with_router().replace("lan: [br-lan]", "lan: [br-lan, br-guest]");
    lab.write("gateway.yaml", &with_guests);
    wait_for("the file to wait", || {
        let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
        status["waiting"].to_string().contains("gateway.yaml").then_some(())
    });
    assert!(lab.log().contains("no room"), "why it was not taken: {}", lab.log());
    assert!(is_closed(&lab));
    assert!(echoes(&mut connect(&lab, Who::Jordan, four, ECHO).unwrap()).unwrap(), "it holds as before");
    assert_eq!(table(), before);
    let unasked = std::fs::read_to_string(&noted).unwrap_or_default();
    assert_eq!(unasked, "", "nothing is put in place that nft would refuse");

    lab.router.says("umount", &["/usr/sbin/nft"]);
    lab.write("gateway.yaml", &format!("{with_guests}# once more\n"));
    wait_for("the new rules", || table().contains("br-guest").then_some(()));
    assert!(is_closed(&lab));
}

#[test]
fn rules_that_somebody_takes_away_come_back() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    let mut stays = connect(&lab, Who::Jordan, four, ECHO).unwrap();
    let program = env!("CARGO_BIN_EXE_hearthgate");
    let off = lab.router.output(program, &["router", "--home", lab.home.path().to_str().unwrap(), "off"]);
    assert_eq!(off.status.code(), Some(1), "while it runs, it holds: {off:?}");
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    // What slips through meanwhile is cut.
    let slipped = connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), 9001);
    for to in addresses(RELAY) {
        wait_for("the rules", || {
            connect(&lab, Who::Jordan, to, 9001).is_err_and(|e| is_refusal(&e)).then_some(())
        });
    }
    if let Ok(slipped) = slipped {
        closes(slipped, 6 * CUT);
    }
    assert!(echoes(&mut stays).unwrap(), "what was open stays open");
    assert!(echoes(&mut connect(&lab, Who::Jordan, four, ECHO).unwrap()).unwrap(), "and opens again");
}

#[test]
fn what_was_open_before_the_rules_came_is_judged() {
    let Some(mut lab) = Lab::build() else { return };
    let mut before = connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), 9001).unwrap();
    let mut six = connect(&lab, Who::Jordan, RELAY.1.parse().unwrap(), 9001).unwrap();
    assert!(echoes(&mut before).unwrap() && echoes(&mut six).unwrap());
    lab.write("gateway.yaml", &with_router());
    lab.open(SATURDAY);
    assert!(!matches!(echoes(&mut before), Ok(true)));
    assert!(!matches!(echoes(&mut six), Ok(true)));
}

/// gateway.yaml with somebody who stands in.
pub(crate) fn with_stand_in() -> String {
    with_router().replace("wan: [wan]", "wan: [wan], fail: baseline")
}

/// Whoever stands in for the gateway.
pub(crate) fn stand_in(lab: &Lab) -> Program {
    let mut by = program(env!("CARGO_BIN_EXE_hearthgate"));
    by.args(["router", "baseline", "--home"]).arg(lab.home.path());
    by.env("RUNTIME_DIRECTORY", lab.memory()).stdout(Stdio::null()).stderr(Stdio::null());
    lab.router.start(by)
}

#[test]
fn with_fail_baseline_help_goes_on_after_kill_9_and_nothing_else() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_stand_in());
    lab.open(SATURDAY);
    let _stand_in = stand_in(&lab);
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    let mut open = connect(&lab, Who::Jordan, four, ECHO).unwrap();
    lab.kill();
    // For everybody: whose agreement knows the site, and whose devices nobody knows.
    for who in [Who::Jordan, Who::Sam, Who::Stranger] {
        let (help4, help6) = look_up(&lab, who, "helpline.test");
        for to in [help4, help6] {
            assert!(echoes(&mut connect(&lab, who, to, ECHO).unwrap()).unwrap(), "{who:?} {to}");
        }
        let page = lab.of(who).output("curl", &["-ksS", "--max-time", "10", "https://helpline.test/"]);
        assert!(page.status.success(), "{who:?}: {page:?}");
        for name in ["open.test", "school.test", "casino.test"] {
            let refused = lab.dig(who, &["+tries=1", name, "A"]);
            assert!(refused.contains("EDE: 15") && !refused.contains("11.0.1."), "{who:?} {name}: {refused}");
        }
        let hidden =
            ["-ksS", "--max-time", "5", "--resolve", "school.test:443:11.0.1.3", "https://school.test/"];
        assert!(
            !lab.of(who).output("curl", &hidden).status.success(),
            "{who:?}: a name is judged, not an address"
        );
    }
    assert!(is_closed(&lab) && connect(&lab, Who::Sam, four, ECHO).is_err());
    assert!(echoes(&mut open).unwrap(), "what was open ends by its time");
    // Somebody's firewall starts anew, with nobody but the stand-in to see it.
    flush(&lab);
    // Sam's agreement lists what he may have: the helpline's name is not on it, and is known all the same when the gateway is back.
    let (help, _) = look_up(&lab, Who::Sam, "helpline.test");
    let mut call = connect(&lab, Who::Sam, help, ECHO).unwrap();
    assert!(echoes(&mut call).unwrap());

    lab.open(SATURDAY);
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    assert!(
        echoes(&mut connect(&lab, Who::Jordan, four, ECHO).unwrap()).unwrap(),
        "the gateway answers again"
    );
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(7) {
        assert!(echoes(&mut call).unwrap(), "a call for help goes on");
        std::thread::sleep(Duration::from_millis(200));
    }
    let sites = lab.command(&["breaches", "list", "--json"]);
    assert!(!sites.contains("invalid") && !sites.contains("helpline"), "{sites}");
    assert!(lab.dig(Who::Jordan, &["casino.test", "A"]).contains("Jordan"), "by agreements");
    lab.stop();
    wait_for("the stand-in", || {
        lab.dig(Who::Sam, &["+short", "helpline.test", "A"]).contains("11.0.1.3").then_some(())
    });
    lab.command(&["router", "off"]);
    assert!(!is_closed(&lab), "off is off");
    // Neither an answer that was under way nor another look brings anything back.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        lab.dig(Who::Sam, &["+time=1", "+tries=1", "@192.168.4.1", "-p", "10053", "helpline.test", "A"]);
        let tables = lab.router.says("nft", &["list", "tables"]);
        assert!(!tables.contains("hearthgate"), "{tables}");
    }
}

/// What is open in a lab, over both families: a stream to a site, and datagrams.
struct Open {
    streams: [TcpStream; 2],
    datagrams: [UdpSocket; 2],
}

impl Open {
    fn at(lab: &Lab, site: &str) -> Self {
        let (four, six) = look_up(lab, Who::Jordan, site);
        let streams = [four, six].map(|to| connect(lab, Who::Jordan, to, ECHO).unwrap());
        Self { streams, datagrams: [four, six].map(|to| datagrams(lab, Who::Jordan, to, ECHO)) }
    }

    /// The time for which its address was given is over.
    fn lapses(&self, lab: &Lab) {
        for stream in &self.streams {
            lapses(lab, Who::Jordan, stream.peer_addr().unwrap().ip());
        }
    }

    fn goes_on(&mut self) -> bool {
        self.streams.iter_mut().all(|stream| echoes(stream).unwrap())
            && self.datagrams.iter().all(|datagrams| exchange(datagrams, b"hello").unwrap() == b"hello")
    }

    fn meets_a_refusal(self) {
        for datagrams in &self.datagrams {
            assert!(exchange(datagrams, b"hello").is_err_and(|error| is_refusal(&error)), "{datagrams:?}");
        }
        for mut stream in self.streams {
            assert!(echoes(&mut stream).is_err_and(|error| is_refusal(&error)), "{stream:?}");
        }
    }
}

/// Whether the kernel has it that somebody looks after what flows, for both families and for two minutes at most.
fn is_alive(lab: &Lab) -> bool {
    let set = lab.router.says("nft", &["list", "set", "inet", "hearthgate", "alive"]);
    // What is carried over from one table to the next has what was left as its whole time.
    set.contains("ipv4 timeout") && set.contains("ipv6 timeout") && set.matches("expires 1m").count() == 2
}

/// For how many whole seconds the kernel still lets go on what flows.
fn left(lab: &Lab) -> u64 {
    let set = lab.router.says("nft", &["-j", "list", "set", "inet", "hearthgate", "alive"]);
    let set: serde_json::Value = serde_json::from_str(&set).unwrap();
    let families = set["nftables"][1]["set"]["elem"].as_array().cloned().unwrap_or_default();
    families.iter().filter_map(|family| family["elem"]["expires"].as_u64()).max().unwrap_or(0)
}

/// A call on a phone goes on until its person's bedtime, and not beyond it because nobody is there who cuts.
#[test]
fn what_flows_ends_soon_after_the_gateway_and_help_goes_on() {
    for (yaml, stands_in) in [(with_router(), false), (with_stand_in(), true)] {
        let Some(mut lab) = Lab::build() else { return };
        lab.write("gateway.yaml", &yaml);
        lab.held_before();
        lab.open(SATURDAY);
        let _stand_in = stands_in.then(|| stand_in(&lab));
        let (mut call, mut help) = (Open::at(&lab, "call.test"), Open::at(&lab, "helpline.test"));
        assert!(call.goes_on() && help.goes_on());
        // The time for which they were given is over.
        lab.passes(20 * 60);
        call.lapses(&lab);
        help.lapses(&lab);
        let mut given = Open::at(&lab, "open.test");
        assert!(given.goes_on());
        wait_for("the gateway to look at what flows", || is_alive(&lab).then_some(()));
        // Each look says it anew.
        wait_for("a while", || (left(&lab) <= 118).then_some(()));
        wait_for("another look", || (left(&lab) >= 119).then_some(()));
        assert!(call.goes_on(), "while the gateway lives");
        flush(&lab);
        assert!(call.goes_on(), "whoever takes the rules away ends no call");
        lab.write("gateway.yaml", &yaml.replace("lan: [br-lan]", "lan: [br-lan, br-guest]"));
        wait_for("other rules", || lab.command(&["router", "status"]).contains("br-guest").then_some(()));
        assert!(call.goes_on(), "nor does whoever changes them");
        lab.kill();
        lab.open(SATURDAY);
        assert!(call.goes_on() && help.goes_on(), "a restart loses nothing");
        lab.kill();
        let killed = Instant::now();
        if stands_in {
            wait_for("the stand-in", || {
                lab.dig(Who::Sam, &["+short", "helpline.test", "A"]).contains("11.0.1.3").then_some(())
            });
            // That it began does not say that somebody looks after what flows.
            let (most, left) = (Duration::from_secs(120) - killed.elapsed(), left(&lab));
            assert!(Duration::from_secs(left) <= most, "{left} s of {most:?}");
        }
        assert!(is_alive(&lab) && call.goes_on(), "for a while after it");
        // Two minutes.
        let over = "delete element inet hearthgate alive { ipv4, ipv6 }";
        assert!(lab.router.output("nft", &[over]).status.success());
        call.meets_a_refusal();
        assert!(given.goes_on(), "an address that was given goes on for its time");
        assert!(help.goes_on(), "help goes on");
        assert!(is_closed(&lab));
        // The gateway is back, and with it what it lets pass.
        lab.open(SATURDAY);
        assert!(Open::at(&lab, "call.test").goes_on() && help.goes_on());
        wait_for("the gateway to look at what flows", || is_alive(&lab).then_some(()));
    }
}

/// Somebody takes the rules away, and they come back.
fn flush(lab: &Lab) {
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    wait_for("the rules", || is_closed(lab).then_some(()));
}

#[test]
fn with_fail_closed_rules_that_somebody_takes_away_come_back_while_nothing_runs() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let _stands_by = stand_in(&lab);
    look_up(&lab, Who::Jordan, "open.test");
    lab.stop();
    lab.router.says("nft", &["flush", "ruleset"]);
    wait_for("the rules", || is_closed(&lab).then_some(()));
    let refused = lab.dig(Who::Sam, &["+tries=1", "+time=1", "helpline.test", "A"]);
    assert!(!refused.contains("11.0.1.3"), "closed is closed: {refused}");
    lab.command(&["router", "off"]);
    let tables = || lab.router.says("nft", &["list", "tables"]);
    assert!(!tables().contains("hearthgate"), "off is off");
}

#[test]
fn a_gateway_that_hangs_is_stood_in_for_until_it_answers() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_stand_in());
    lab.open(SATURDAY);
    let _stand_in = stand_in(&lab);
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    lab.signals("-STOP");
    wait_for("the stand-in", || {
        let answer = lab.dig(Who::Sam, &["+time=1", "+tries=1", "+short", "helpline.test", "A"]);
        answer.contains("11.0.1.3").then_some(())
    });
    assert!(is_closed(&lab));
    lab.signals("-CONT");
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
}

/// Where nobody but the gateway itself can see that it answers nobody: no systemd with a watchdog.
#[test]
fn a_gateway_whose_dns_answers_nobody_ends_by_itself() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let deaf =
        "table inet deaf { chain in { type filter hook input priority 0; iifname lo udp dport 53 drop; }; }";
    assert!(lab.router.output("nft", &[deaf]).status.success());
    let ended = lab.ends();
    let by = std::os::unix::process::ExitStatusExt::signal(&ended);
    assert_eq!(by, Some(6), "by SIGABRT, so that it is started again: {ended:?}");
    assert!(is_closed(&lab), "and nothing opened by it");
}

#[test]
fn an_old_ruleset_that_is_brought_back_is_not_taken_for_ours() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    // By name it is ours, and it lets everybody through.
    let old = "table inet hearthgate { chain forward { type filter hook forward priority filter - 5; policy accept; }; }";
    let script = format!("delete table inet hearthgate; {old}");
    assert!(lab.router.output("nft", &[&script]).status.success());
    wait_for("our rules", || is_closed(&lab).then_some(()));
    assert!(connect(&lab, Who::Sam, four, ECHO).is_err());
    assert!(echoes(&mut connect(&lab, Who::Jordan, four, ECHO).unwrap()).unwrap(), "what is open stays open");
}
