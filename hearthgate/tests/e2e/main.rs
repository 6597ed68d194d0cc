//! End to end, with real programs: `dig`, `kdig` and `curl` against the running gateway, nsd and nginx as the internet.
//!
//! Everything is on loopback. `./test` installs the programs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(clippy::print_stdout, reason = "a test that was skipped says so")]

mod browser;
mod desk;
mod driver;
mod home;
mod monitored;
mod notices;
mod readme;
mod supervised;
mod ways;
mod wire;
mod world;

use agreements::Detector;
use home::{Gateway, Home, JORDAN, JORDAN_YAML, SAM, STRANGER};
use std::process::Stdio;
use std::time::{Duration, Instant};
use world::{World, wait_for};

/// An afternoon without school hours in the way: Saturday.
const SATURDAY: &str = "2026-11-21T16:00:00";

#[test]
fn an_open_site_is_answered_and_leaves_no_trace() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);

    let answer = gateway.dig(JORDAN, &["open.test", "A"]);
    assert!(answer.contains("NOERROR") && answer.contains("127.0.0.1"), "{answer}");
    assert!(!answer.contains("EDE"), "{answer}");
    let over_tcp = gateway.dig(JORDAN, &["+tcp", "open.test", "A"]);
    assert!(over_tcp.contains("127.0.0.1"), "{over_tcp}");

    let url = format!("http://open.test:{}/", world.http_port);
    let (code, page) = gateway.curl(JORDAN, &[&url]);
    assert_eq!((code, page.as_str()), (0, "hello from the test internet\n"));

    let episodes = home.json(&["breaches", "list", "--json"]);
    assert_eq!(episodes.as_array().map(Vec::len), Some(0), "{episodes}");
    let log = gateway.log().to_lowercase();
    for secret in ["jordan", "open.test", "127.0.0.11"] {
        assert!(!log.contains(secret), "the log names `{secret}`: {log}");
    }
    assert_eq!(gateway.stop("-TERM"), Some(0));
    for file in std::fs::read_dir(home.path().join("state")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(9).any(|w| w == b"open.test"), "{} names an allowed site", path.display());
    }
}

#[test]
fn a_blocked_category_is_refused_with_its_reason() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);

    let answer = gateway.dig(JORDAN, &["casino.test", "A"]);
    assert!(answer.contains("EDE: 17"), "{answer}");
    assert!(answer.contains("Jordan"), "the sentence is the text: {answer}");

    let (code, body) = gateway.curl(
        JORDAN,
        &[
            "-o",
            "-",
            "-w",
            "%{http_code}",
            "-H",
            "Accept: text/html",
            &format!("http://casino.test:{}/", world.http_port),
        ],
    );
    assert_eq!(code, 0);
    assert!(
        body.ends_with("403") && body.contains("block: [gambling, club.test]") && body.contains("0800 1111"),
        "{body}"
    );

    let explained = home.json(&["explain", "--person", "jordan", "--at", SATURDAY, "--json", "casino.test"]);
    assert_eq!(
        (&explained["verdict"], &explained["rule"]),
        (&"block".into(), &"category".into()),
        "{explained}"
    );
}

#[test]
fn the_end_is_told_a_quarter_of_an_hour_before() {
    let world = World::start();
    let home = Home::new(&world);
    for (now, left, warning) in [
        ("2026-11-21T20:40:00", 20, None),
        ("2026-11-21T20:50:00", 10, Some(15)),
        ("2026-11-21T20:56:00", 4, Some(5)),
    ] {
        let gateway = Gateway::start(&home, now);
        let url = |path: &str| format!("http://127.0.0.1:{}{path}", gateway.pages);
        let (_, told) = gateway.curl(JORDAN, &["--noproxy", "*", &url("/time-left")]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {told}"));
        let seconds = told["seconds_remaining"].as_i64().unwrap();
        assert!(seconds <= left * 60 && seconds > (left - 2) * 60, "{now}: {told}");
        assert_eq!((&told["open"], &told["by"]), (&true.into(), &"online".into()), "{told}");
        assert_eq!(told["warning"].as_i64(), warning, "{told}");
        let (_, page) = gateway.curl(JORDAN, &["--noproxy", "*", &url("/")]);
        let says = |minutes: i64| page.contains(&format!("closes in less than {minutes} minutes"));
        assert_eq!([says(15), says(5)], [warning == Some(15), warning == Some(5)], "{page}");
    }
}

#[test]
fn a_cname_to_a_blocked_name_is_refused() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let answer = gateway.dig(JORDAN, &["innocent.test", "A"]);
    assert!(answer.contains("EDE: 17"), "{answer}");
    let url = format!("http://innocent.test:{}/", world.http_port);
    let (_, status) = gateway.curl(JORDAN, &["-o", "/dev/null", "-w", "%{http_code}", &url]);
    assert_eq!(status, "403");
}

#[test]
fn an_ask_first_site_offers_to_ask_and_opens_with_a_grant() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let url = format!("http://chat.test:{}/", world.http_port);

    let (_, page) = gateway.curl(JORDAN, &["-H", "Accept: text/html", &url]);
    assert!(page.contains("Ask first") && !page.contains("<form"), "{page}");
    let link = |page: &str, to: &str| {
        let from =
            page.split("href=\"").find(|rest| rest.contains(to)).unwrap_or_else(|| panic!("no {to}: {page}"));
        from.split('"').next().unwrap().to_owned()
    };
    let token = |page: &str| {
        let from = page.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("no token: {page}"));
        from.split('"').next().unwrap().to_owned()
    };
    let ask = link(&page, "/hearthgate/ask");
    let own = format!("http://hearthgate.home.arpa:{}", gateway.pages);
    assert_eq!(
        ask,
        format!("{own}/hearthgate/ask?host=chat.test"),
        "a browser without the proxy finds the pages by their port"
    );
    let (_, asking) = gateway.curl(JORDAN, &[&ask]);
    let form = format!("host=chat.test&token={}&words=for+my+cousin", token(&asking));
    let action = format!("{own}/hearthgate/ask");
    // Another site's script can send a form, and cannot hide where it sends it from.
    for origin in ["http://chat.test", "http://hearthgate.home.arpa", "null"] {
        let (_, forged) = gateway.curl(JORDAN, &["-H", &format!("Origin: {origin}"), "-d", &form, &action]);
        assert!(forged.contains("did not come from the gateway"), "{origin}: {forged}");
    }
    let (_, asked) = gateway.curl(JORDAN, &["-H", &format!("Origin: {own}"), "-d", &form, &action]);
    assert!(asked.contains("You have asked"), "{asked}");
    let (_, asks, _) = home.command(&["asks", "list"]);
    assert!(asks.contains("chat.test") && asks.contains("for my cousin"), "{asks}");

    // "I saw something" goes to staff and is no breach.
    let own = link(&page, "/hearthgate/saw");
    let (_, telling) = gateway.curl(JORDAN, &[&own]);
    let token = token(&telling);
    let (_, told) = gateway.curl(JORDAN, &["-d", &format!("token={token}&words=a+mean+message"), &own]);
    assert!(told.contains("Staff have been told"), "{told}");
    let again = format!("token={token}&words=again");
    let often: Vec<&str> =
        ["-d", again.as_str()].into_iter().chain(std::iter::repeat_n(own.as_str(), 60)).collect();
    let (_, told) = gateway.curl(JORDAN, &often);
    assert_eq!(told.matches("Thank you for saying so").count(), 59, "sixty within the hour are kept");
    assert!(told.contains("You have told staff many times") && told.contains("0800 1111"), "{told}");
    let (_, forged) = gateway.curl(JORDAN, &["-d", "token=00&words=x", &own]);
    assert!(forged.contains("That did not work"), "{forged}");

    let (code, out, err) = home.command(&[
        "grant",
        "--person",
        "jordan",
        "--sites",
        "chat.test",
        "--for",
        "30m",
        "--by",
        "r.osei",
        "--reason",
        "cousin",
    ]);
    assert_eq!(code, 0, "{out}{err}");
    let started = Instant::now();
    wait_for("the grant", || gateway.curl(JORDAN, &[&url]).1.contains("hello").then_some(()));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn a_server_name_that_differs_from_the_connect_host_is_judged_too() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let ca = world.folder.path().join("cert.pem");
    let ca = ca.to_str().unwrap();
    let port = world.https_port;

    let (code, page) = gateway.curl(JORDAN, &["--cacert", ca, &format!("https://open.test:{port}/")]);
    assert_eq!((code, page.as_str()), (0, "hello from the test internet\n"));

    // The CONNECT names an open site, the TLS hello a blocked one.
    let via = format!("casino.test:{port}:open.test:{port}");
    let (code, page) = gateway
        .curl(JORDAN, &["--cacert", ca, "--connect-to", &via, &format!("https://casino.test:{port}/")]);
    assert_ne!(code, 0, "{page}");
    let episodes = wait_for("the episode", || {
        let list = home.json(&["breaches", "list", "--json"]);
        list.as_array().is_some_and(|l| !l.is_empty()).then_some(list)
    });
    assert_eq!(episodes[0]["evidence"], "connection", "{episodes}");
}

#[test]
fn bedtime_cuts_an_open_download_and_leaves_the_helpline() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, "2026-11-21T20:50:00");
    let slow = |host: &str| {
        let url = format!("http://{host}:{}/slow", world.http_port);
        let to = home.path().join(host);
        let mut command = gateway.curl_command(JORDAN, &["-N", "-o", &to.display().to_string(), &url]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let download = world::Process(command.spawn().unwrap());
        wait_for("the download to begin", || {
            std::fs::metadata(&to).is_ok_and(|file| file.len() > 0).then_some(())
        });
        download
    };
    let (mut open, mut helpline) = (slow("open.test"), slow("helpline.test"));
    gateway.passes_until("2026-11-21T20:59:00");
    assert!(open.0.try_wait().unwrap().is_none(), "it is open until then");
    gateway.passes_until("2026-11-21T21:00:00");
    let bedtime = Instant::now();
    wait_for("the download to be cut", || open.0.try_wait().unwrap());
    assert!(bedtime.elapsed() < Duration::from_secs(5), "cut after {:?}", bedtime.elapsed());
    assert!(helpline.0.try_wait().unwrap().is_none(), "the helpline stays open");
    let answer = gateway.dig(JORDAN, &["open.test", "A"]);
    assert!(answer.contains("07:00"), "until when is said: {answer}");
}

#[test]
fn a_broken_file_waits_and_the_mended_one_goes_in() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    home.write("agreements/jordan.yaml", &JORDAN_YAML.replace("club.test]", "club.test, gamblng]"));
    let waiting = wait_for("the file to wait", || {
        let status = home.json(&["status", "--json"]);
        status["waiting"].as_array().is_some_and(|w| !w.is_empty()).then_some(status)
    });
    assert!(waiting["waiting"].to_string().contains("agreements/jordan.yaml"), "{waiting}");
    assert!(waiting["waiting"].to_string().contains("gambling"), "the nearest spelling: {waiting}");
    assert!(gateway.dig(JORDAN, &["club.test", "A"]).contains("EDE: 17"), "what was in force stays in force");

    home.write("agreements/jordan.yaml", &JORDAN_YAML.replace(", club.test]", "]"));
    wait_for("the mended file", || (!gateway.dig(JORDAN, &["club.test", "A"]).contains("EDE")).then_some(()));
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["waiting"].as_array().map(Vec::len), Some(0), "{status}");
}

#[test]
fn an_upstream_that_goes_and_comes_back() {
    let mut world = World::start();
    let home = Home::new(&world);
    let dns_port = world.dns_port;
    let gateway = Gateway::start(&home, SATURDAY);
    assert!(gateway.dig(JORDAN, &["open.test", "A"]).contains("127.0.0.1"));
    world.dns_down();
    let gone = gateway.dig(JORDAN, &["+time=8", "+tries=1", "video.test", "A"]);
    assert!(gone.contains("SERVFAIL"), "port {dns_port}: {gone}");
    assert!(gateway.dig(JORDAN, &["casino.test", "A"]).contains("EDE: 17"), "refusals need no upstream");
    world.dns_up();
    wait_for("answers again", || gateway.dig(JORDAN, &["video.test", "A"]).contains("NOERROR").then_some(()));
}

#[test]
fn a_killed_gateway_keeps_its_chain() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    gateway.dig(JORDAN, &["casino.test", "A"]);
    wait_for("the episode", || {
        let list = home.json(&["breaches", "list", "--json"]);
        list.as_array().is_some_and(|l| !l.is_empty()).then_some(())
    });
    for i in 0..50 {
        gateway.dig(SAM, &["+tries=1", &format!("site{i}.test"), "A"]);
    }
    gateway.stop("-KILL");
    let (code, out, err) = home.command(&["breaches", "verify"]);
    assert_eq!(code, 0, "{out}{err}");
    let gateway = Gateway::start(&home, SATURDAY);
    assert!(gateway.dig(JORDAN, &["casino.test", "A"]).contains("EDE: 17"));
    assert_eq!(gateway.stop("-TERM"), Some(0));
    let (code, out, err) = home.command(&["breaches", "verify"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn an_unknown_device_gets_the_baseline() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    assert!(gateway.dig(STRANGER, &["open.test", "A"]).contains("EDE"));
    for open in ["school.test", "helpline.test"] {
        assert!(!gateway.dig(STRANGER, &[open, "A"]).contains("EDE"), "{open}");
    }
}

#[test]
fn a_token_says_whose_device_it_is() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let url = format!("http://open.test:{}/", world.http_port);
    let (_, refused) = gateway.curl(STRANGER, &["-o", "/dev/null", "-w", "%{http_code}", &url]);
    assert_eq!(refused, "403");
    let (_, page) = gateway.curl(STRANGER, &["--proxy-user", "jordan-tablet-7f3a19c6d2:", &url]);
    assert!(page.contains("hello"), "{page}");
}

#[test]
fn hop_by_hop_headers_stay_here() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let url = format!("http://open.test:{}/echo", world.http_port);
    let (_, head) = gateway.curl(
        JORDAN,
        &[
            "-D",
            "-",
            "--proxy-user",
            "jordan-tablet-7f3a19c6d2:",
            "-H",
            "Connection: x-secret",
            "-H",
            "X-Secret: 1",
            &url,
        ],
    );
    let head = head.to_ascii_lowercase();
    assert!(!head.contains("x-proxy-auth: basic"), "{head}");
    assert!(head.contains("x-via: 1.1 hearthgate"), "{head}");
}

#[test]
fn encrypted_client_hello_is_taken_out_of_answers() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let direct =
        world::output("kdig", &["@127.0.0.1", "-p", &world.dns_port.to_string(), "ech.test", "HTTPS"]);
    assert!(direct.contains("ech="), "the test internet offers it: {direct}");
    let port = gateway.dns.to_string();
    let ours = world::output("kdig", &["@127.0.0.1", "-p", &port, "-b", JORDAN, "ech.test", "HTTPS"]);
    assert!(ours.contains("alpn") && !ours.contains("ech="), "{ours}");
    // Nobody is told of it by name: it is counted.
    let numbers =
        world::output("curl", &["-sS", &format!("http://127.0.0.1:{}/metrics", home.port("metrics"))]);
    let counted = format!("hearthgate_dns_{}_total 1\n", Detector::Ech.row().key);
    assert!(numbers.contains(&counted), "{numbers}");
    assert_eq!(home.json(&["breaches", "list", "--json"]), serde_json::json!([]));
}

#[test]
fn a_refused_name_leads_to_the_page_that_says_why() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let address = gateway.dig(JORDAN, &["+short", "casino.test", "A"]);
    assert_eq!(address.trim(), "127.0.0.1", "the gateway's own address");
    // What a browser does with that answer: plain HTTP to the address, with the site as its host.
    let url = format!("http://127.0.0.1:{}/", gateway.pages);
    let head =
        ["-sS", "-i", "--interface", JORDAN, "-H", "Host: casino.test", "-H", "Accept: text/html", &url];
    let page = world::output("curl", &head);
    assert!(
        page.starts_with("HTTP/1.1 403") && page.to_ascii_lowercase().contains("cache-control: no-store"),
        "{page}"
    );
    for part in ["casino.test", "block: [gambling, club.test]", "0800 1111", "Ask staff", "Saw something"] {
        assert!(page.contains(part), "no `{part}`: {page}");
    }
    let json = world::output(
        "curl",
        &["-sS", "--interface", JORDAN, "-H", "Host: casino.test", "-H", "Accept: application/json", &url],
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"));
    assert_eq!((&json["rule"], &json["person"]), (&"category".into(), &"".into()), "nobody is named: {json}");
    let episodes = wait_for("the page to be recorded", || {
        let list = home.json(&["breaches", "list", "--json"]);
        (list[0]["evidence"] == "navigation" || list[0]["evidence"] == "repeated").then_some(list)
    });
    assert_eq!(episodes.as_array().map(Vec::len), Some(1), "one episode, not one packet: {episodes}");
}

#[test]
fn a_clock_from_before_the_build_gives_everybody_the_baseline() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, "1970-01-01T00:00:05");
    let answer = gateway.dig(JORDAN, &["open.test", "A"]);
    assert!(answer.contains("does not know the right time"), "{answer}");
    for open in ["school.test", "helpline.test"] {
        assert!(!gateway.dig(JORDAN, &[open, "A"]).contains("EDE"), "{open}");
    }
    let status = home.json(&["status", "--json"]);
    assert!(status["clock"].to_string().contains("not"), "{status}");
}
