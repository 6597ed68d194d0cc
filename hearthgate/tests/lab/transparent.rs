//! Connections that the router redirects to the transparent listener: by rules that the home's own firewall makes here.

use crate::SATURDAY;
use crate::bedtime::FAMILIES;
use crate::device::{CUT, curl, download, on_this_machine};
use crate::hello::Hello;
use crate::internet::{ECHO, wait_at_most, wait_for};
use crate::lab::{Lab, Who, gateway_yaml};
use crate::router::episodes;
use crate::sockets;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

/// A lab whose firewall sends 80 and 443 to the transparent listener.
fn redirecting(now: &str) -> Option<Lab> {
    let mut lab = Lab::build()?;
    let listen =
        gateway_yaml().replace("listen:\n", "listen:\n  transparent: [\"0.0.0.0:3129\", \"[::]:3129\"]\n");
    lab.write("gateway.yaml", &listen);
    let rules = "table inet own { chain in { type nat hook prerouting priority dstnat; iifname br-lan fib daddr type \
                 unicast tcp dport { 80, 443 } redirect to :3129; }; }";
    assert!(lab.router.output("nft", &[rules]).status.success());
    lab.open(now);
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    lab.wait_until_known(Who::Jordan, &Who::Jordan.six(), "open.test");
    Some(lab)
}

#[test]
fn an_allowed_site_works_by_its_name_over_both_families() {
    let Some(lab) = redirecting(SATURDAY) else { return };
    for (words, answer) in [
        (["-4", "http://open.test/"], "open.test at 11.0.1.1 over HTTP/1.1\n200"),
        (["-4", "https://open.test/"], "open.test at 11.0.1.1 over HTTP/2.0\n200"),
    ] {
        assert_eq!(curl(&lab, Who::Jordan, &words), (0, answer.to_owned()), "{words:?}");
    }
    // The gateway itself may take either family to the site.
    for url in ["http://open.test/", "https://open.test/"] {
        let (code, answer) = curl(&lab, Who::Jordan, &["-6", url]);
        assert!(
            code == 0 && answer.starts_with("open.test at ") && answer.ends_with("200"),
            "{url}: {answer}"
        );
    }
    assert_eq!(episodes(&lab), Vec::<serde_json::Value>::new(), "allowed traffic leaves no record");
}

#[test]
fn the_name_decides_and_the_address_does_not() {
    let Some(lab) = redirecting(SATURDAY) else { return };
    for family in ["11.0.1.1", "2d00:2::1"] {
        let hidden = format!("casino.test:443:{family}");
        let (code, answer) = curl(&lab, Who::Jordan, &["--resolve", &hidden, "https://casino.test/"]);
        assert_eq!((code, answer.as_str()), (35, "000"), "the connection is closed without a lie");
        let hidden = format!("casino.test:80:{family}");
        let (code, page) = curl(
            &lab,
            Who::Jordan,
            &["--resolve", &hidden, "-H", "Accept: text/html", "http://casino.test/"],
        );
        assert!(
            code == 0 && page.ends_with("403") && page.contains("block: [gambling, club.test]"),
            "{page}"
        );
    }
    // An allowed name at a blocked site's address is the allowed site.
    for url in ["http://open.test/", "https://open.test/"] {
        let port = if url.starts_with("https") { 443 } else { 80 };
        let forged = format!("open.test:{port}:11.0.1.2");
        let (code, answer) = curl(&lab, Who::Jordan, &["--resolve", &forged, url]);
        assert!(code == 0 && answer.starts_with("open.test at "), "{answer}");
        assert!(answer.contains("11.0.1.1") || answer.contains("2d00:2::1"), "{answer}");
    }
    let (code, _) = curl(&lab, Who::Jordan, &["--resolve", "alias.test:443:11.0.1.1", "https://alias.test/"]);
    assert_eq!(code, 35, "a name that leads to a blocked one is refused");
}

/// A hello as large as browsers send it, in one piece and in three, over both families: its name decides.
#[test]
fn a_hello_of_any_size_in_any_pieces_is_read_over_both_families() {
    let Some(lab) = redirecting(SATURDAY) else { return };
    let hellos = |name: &str| {
        let plain = Hello::to(name);
        [
            plain.clone().bytes(),
            plain.clone().post_quantum().bytes(),
            plain.post_quantum().encrypted().in_records_of(400).bytes(),
        ]
    };
    for to in ["11.0.1.1", "2d00:2::1"] {
        for (name, answers) in [("open.test", true), ("casino.test", false)] {
            for bytes in hellos(name) {
                for pieces in [1, 3] {
                    let (to, bytes): (IpAddr, _) = (to.parse().unwrap(), bytes.clone());
                    let case = format!("{name} at {to}, {} bytes in {pieces}", bytes.len());
                    let answer = lab.of(Who::Jordan).within(move || {
                        let mut stream = TcpStream::connect((to, 443)).unwrap();
                        stream.set_nodelay(true).unwrap();
                        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                        for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
                            stream.write_all(piece).unwrap();
                            // Each is a segment of its own.
                            std::thread::sleep(Duration::from_millis(50));
                        }
                        let mut answer = [0; 8];
                        stream.read(&mut answer).unwrap_or(0)
                    });
                    assert_eq!(answer > 0, answers, "{case}: {answer} bytes came back");
                }
            }
        }
    }
}

#[test]
fn what_shows_no_name_is_refused_and_logged_once_over_both_families() {
    let Some(lab) = redirecting(SATURDAY) else { return };
    for to in ["11.0.1.2", "2d00:2::2"] {
        let at: IpAddr = to.parse().unwrap();
        let url = if at.is_ipv4() { format!("https://{to}/") } else { format!("https://[{to}]/") };
        for _ in 0..3 {
            assert_eq!(curl(&lab, Who::Jordan, &[&url]).0, 35);
        }
        for speech in
            [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"\x38\x00\x00\x00OpenVPN", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
        {
            let speech = speech.to_vec();
            let answer = lab.of(Who::Jordan).within(move || {
                let mut stream = TcpStream::connect((at, 443)).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                stream.write_all(&speech).unwrap();
                let mut answer = Vec::new();
                // A reset ends it as well.
                let _ = stream.read_to_end(&mut answer);
                answer
            });
            assert_eq!(answer, b"", "{to}: closed without a word");
        }
    }
    let episodes = wait_for("the episodes", || {
        let list: Vec<serde_json::Value> =
            serde_json::from_str(&lab.command(&["breaches", "list", "--json"])).unwrap();
        list.iter()
            .all(|episode| episode["count"].as_u64() == Some(6))
            .then_some(list)
            .filter(|l| l.len() == 2)
    });
    for episode in &episodes {
        assert_eq!((&episode["rule"], &episode["severity"]), (&"floor".into(), &"low".into()), "{episode}");
        assert!(["11.0.1.2", "2d00:2::2"].contains(&episode["site"].as_str().unwrap()), "{episode}");
    }
}

#[test]
fn a_websocket_works_and_bedtime_closes_it() {
    let Some(lab) = redirecting("2026-11-21T20:50:00") else { return };
    let sockets = ["11.0.1.1", "2d00:2::1"].map(|to| {
        let mut socket = sockets::open(&lab, Who::Jordan, "open.test", to.parse().unwrap());
        assert!(sockets::echoes(&mut socket).unwrap(), "{to}");
        socket
    });
    lab.passes_until("2026-11-21T20:59:55");
    let bedtime = lab.will_be("2026-11-21T21:00:00");
    let ends = sockets.map(|socket| {
        std::thread::spawn(move || {
            sockets::closes(socket, MOST);
            Instant::now()
        })
    });
    for end in ends {
        assert_in_time("a WebSocket", end.join().unwrap(), bedtime);
    }
    for family in FAMILIES {
        let (code, _) = curl(&lab, Who::Jordan, &[family, "https://open.test/"]);
        assert_ne!(code, 0, "it is bedtime");
        assert_eq!(curl(&lab, Who::Jordan, &[family, "https://helpline.test/"]).0, 0, "help stays");
    }
}

/// That it ended at all is another thing than that it ended in time.
const MOST: Duration = Duration::from_secs(60);

fn assert_in_time(what: &str, ended: Instant, bedtime: Instant) {
    let late = ended.checked_duration_since(bedtime);
    assert!(late.is_some_and(|late| late < on_this_machine(CUT)), "{what} ended {late:?} after bedtime");
}

#[test]
fn bedtime_closes_a_download_and_help_goes_on() {
    let Some(lab) = redirecting("2026-11-21T20:50:00") else { return };
    let mut fun = FAMILIES.map(|family| download(&lab, Who::Jordan, family, "open.test"));
    let mut help = FAMILIES.map(|family| download(&lab, Who::Jordan, family, "helpline.test"));
    lab.passes_until("2026-11-21T20:59:54");
    let bedtime = lab.will_be("2026-11-21T21:00:00");
    for (download, family) in fun.iter_mut().zip(FAMILIES) {
        let ended = wait_at_most(MOST, "the end of the download", || download.0.try_wait().unwrap());
        assert!(!ended.success(), "{family}: it was cut");
        assert_in_time(family, Instant::now(), bedtime);
    }
    assert!(help.iter_mut().all(|download| download.0.try_wait().unwrap().is_none()), "help is not");
}

#[test]
fn what_is_not_redirected_goes_its_own_way() {
    let Some(lab) = redirecting(SATURDAY) else { return };
    let echoed = lab.of(Who::Jordan).within(|| {
        let mut stream = TcpStream::connect(("11.0.1.1", ECHO)).unwrap();
        stream.write_all(b"hello").unwrap();
        let mut echoed = [0; 5];
        stream.read_exact(&mut echoed).unwrap();
        echoed
    });
    assert_eq!((&echoed, lab.internet.heard.at("11.0.1.1", ECHO)), (b"hello", 1));
}
