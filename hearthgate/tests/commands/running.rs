//! Commands beside a running gateway, and the gateway's own start, reload and end.

use crate::home::{Gateway, Home, JO, gave, program, wait_for};
use std::io::Write;
use std::net::TcpListener;

pub(crate) const SATURDAY: &str = "2026-11-21T16:00";

const LAPTOP: &str = "\
person: School laptop
for: device
profile: education_session
devices: [{name: laptop, ip: 127.0.0.13}]
";

#[test]
fn a_gateway_starts_is_asked_and_stops() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    let status = home.run("status --json");
    let json = status.json();
    assert_eq!((status.code, &json["running"], &json["clock"]), (0, &true.into(), &"right".into()), "{json}");
    assert!(json["now"].as_str().unwrap().starts_with("2026-11-21T16:0"), "{json}");
    let kinds: Vec<&str> =
        json["listeners"].as_array().unwrap().iter().map(|l| l["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dns", "proxy", "pages", "metrics"]);
    assert!(
        json["listeners"].as_array().unwrap().iter().all(|l| !l["address"].as_str().unwrap().ends_with(":0"))
    );
    assert_eq!(json["lists"][0]["names"], 3, "{json}");
    let told = home.run("status").out;
    assert!(told.contains("Test House: the gateway runs"), "{told}");
    assert!(told.contains("upstreams  1, not asked yet"), "nothing is claimed of what was not asked: {told}");

    let second = home.run("run");
    assert_eq!(second.code, 2, "{second:?}");
    assert!(second.err.contains("another gateway"), "{second:?}");
    assert_eq!(gateway.stop("-TERM"), Some(0), "{}", home.log());
    assert_eq!(home.run("status").code, 3);
    assert_eq!(home.run("breaches verify").code, 0);
    assert_eq!(Gateway::start(&home, SATURDAY).stop("-INT"), Some(0));
}

/// Never open, never dark: whatever became of the records, the gateway listens, says so, and leaves them as they are.
#[test]
fn broken_records_leave_the_home_on_its_baseline() {
    let home = Home::new();
    assert_eq!(Gateway::start(&home, SATURDAY).stop("-TERM"), Some(0), "{}", home.log());
    let file = home.path().join("state/home.db");
    let good = std::fs::read(&file).unwrap();
    let garbage: Vec<u8> = (0..8192u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&str, &[u8]); 2] = [("overwritten", &garbage), ("cut off", &good[..20_000])];
    for (name, bytes) in cases {
        std::fs::write(&file, bytes).unwrap();
        let gateway = Gateway::start(&home, SATURDAY);
        let status = home.run("status --json").json();
        assert_eq!(status["listeners"].as_array().map(Vec::len), Some(4), "{name}: {status}");
        assert!(status["records"]["broken"].is_string(), "{name}: {status}");
        let told = home.run("status").out;
        assert!(told.contains("records    BROKEN: everybody is on the baseline"), "{name}: {told}");
        let granted =
            home.run("grant --person jo --sites casino.example --for 30m --by k.lane --reason test");
        assert_eq!(granted.code, 2, "{name}: {granted:?}");
        assert_eq!(home.run("run").code, 2, "a second gateway is kept out all the same");
        assert!(home.log().contains("THE RECORDS ARE BROKEN"), "{name}: {}", home.log());
        assert_eq!(gateway.stop("-TERM"), Some(0), "{name}: {}", home.log());
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{name}: it is left as it is");
    }
    // With a good copy in its place the gateway starts anew by itself.
    let gateway = Gateway::start(&home, SATURDAY);
    let arriving = home.path().join("state/arriving");
    std::fs::write(&arriving, &good).unwrap();
    std::fs::rename(&arriving, &file).unwrap();
    wait_for("the records to be used again", || {
        let status = home.run("status --json").json();
        (status["running"] == true && status["records"]["broken"].is_null()).then_some(())
    });
    assert_eq!(home.run("breaches verify").code, 0);
    assert_eq!(gateway.stop("-TERM"), Some(0), "{}", home.log());
}

#[test]
fn pins_are_set_and_devices_let_in() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    let typed = |pin: &str| {
        let mut pinning = program();
        pinning.args(["pin", "jo", "--by", "k.lane", "--home"]).arg(home.path());
        pinning.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let mut child = pinning.stdout(std::process::Stdio::null()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{pin}").unwrap();
        child.wait().unwrap().code()
    };
    assert_eq!([typed("123456"), typed("4829"), typed("482913")], [Some(1), Some(1), Some(0)]);
    for (line, code) in [
        ("pin jo --fresh --by k.lane", 0),
        ("pin nobody --fresh --by k.lane", 2),
        ("pin jo --fresh --by visitor", 1),
        ("pin jo --remove --by k.lane", 0),
    ] {
        let told = home.run(line);
        assert_eq!(told.code, code, "{line}: {told:?}");
    }
    for (line, code) in [
        ("sign-out jo --by k.lane", 1),
        ("sign-in 192.168.4.40 jo --for 2h --by k.lane", 0),
        ("sign-in 02:1a:33:44:55:66 jo --by k.lane", 0),
        ("sign-in phone jo --by k.lane", 2),
        ("sign-in 192.168.4.40 nobody --by k.lane", 2),
        ("sign-out 192.168.4.40 --by k.lane", 0),
        ("sign-out 192.168.4.40 --by k.lane", 1),
        ("sign-out jo --by k.lane", 0),
        ("sign-out jo --by k.lane", 1),
    ] {
        let told = home.run(line);
        assert_eq!(told.code, code, "{line}: {told:?}");
    }
    assert_eq!(gateway.stop("-TERM"), Some(0));
    assert_eq!(home.run("sign-in 192.168.4.40 jo --by k.lane").code, 3);
}

#[test]
fn what_staff_do_is_in_force_and_in_the_journal() {
    let home = Home::new();
    let _gateway = Gateway::start(&home, SATURDAY);
    let explained =
        || home.run("explain --person jo --at 2026-11-21T16:10 --json casino.example").json()["rule"].clone();
    assert_eq!(explained(), "category");
    let granted = home.run("grant --person jo --sites casino.example --for 30m --by k.lane --reason test");
    assert_eq!(granted.code, 0, "{granted:?}");
    assert!(granted.out.starts_with("Granted until 16:30"), "by the gateway's clock: {granted:?}");
    assert_eq!(explained(), "grant");
    let entry = granted.out.trim_end_matches(".\n").rsplit(' ').next().unwrap().to_owned();
    assert_eq!(home.run(&format!("revoke {entry} --by k.lane --reason enough")).code, 0);
    assert_eq!(explained(), "category");
    assert_eq!(home.run(&format!("revoke {entry} --by k.lane --reason again")).code, 1, "it is over");

    for (line, code) in [
        ("grant --person jo --sites casino.example --for 30m --by nobody --reason test", 2),
        ("grant --person jo --sites casino.example --for 30m --by visitor --reason test", 1),
        ("grant --person nobody --sites casino.example --for 30m --by k.lane --reason test", 2),
        ("grant --person jo --sites gamblng --for 30m --by k.lane --reason test", 2),
        ("grant --person jo --sites casino.example --by k.lane --reason test", 2),
        ("grant --person jo --extra-time 20m --by k.lane --reason test", 0),
        ("note 1 seen --by k.lane", 0),
        ("note 9999 seen --by k.lane", 1),
        ("asks list", 0),
        ("asks answer 1 --no --by k.lane --reason no", 1),
        ("minutes jo", 0),
        ("breaches list --shift last", 0),
        ("breaches list --shift nonsense", 2),
        ("breaches export", 2),
        ("breaches export --by k.lane --purpose review", 2),
        ("breaches export --for Ofsted", 2),
        ("breaches export --for Ofsted --purpose review --by k.lane", 0),
        ("breaches verify", 0),
    ] {
        let told = home.run(line);
        assert_eq!(told.code, code, "{line}: {told:?}");
    }
    assert_eq!(home.run("breaches list --json").json(), serde_json::json!([]));
    assert_eq!(home.run("minutes jo --json").json()["minutes"][0]["key"], "everything");
}

#[test]
fn a_grant_ends_within_a_day_and_says_what_it_does_not_open() {
    let home = Home::new();
    home.write("agreements/laptop.yaml", LAPTOP);
    home.write(
        "agreements/lounge.yaml",
        &LAPTOP
            .replace("profile: education_session\n", "online: {every_day: all_day}\n")
            .replace("School laptop", "Lounge PC")
            .replace(".13", ".14"),
    );
    let _gateway = Gateway::start(&home, SATURDAY);
    let staff = "--by r.osei --reason test";
    let restriction =
        "--for 2h --review 2026-11-21 --tried talking --emergency --told-on 2026-11-21 --view ok";
    assert_eq!(
        home.run(&format!("restrict --person jo --closes news.example {restriction} {staff}")).code,
        0
    );
    // What is granted, the exit code, and what is said on standard output or error.
    let cases = [
        ("jo --sites club.example --for 30m", 0, &["Granted until 16:30"][..], &["Still closed"][..]),
        (
            "jo --sites news.example --for 30m",
            0,
            &["Still closed for Jo: news.example. The manager has closed this", "until 18:00"],
            &[],
        ),
        (
            "jo --sites club.example,circumvention --for 30m",
            0,
            &["Still closed for Jo: circumvention. The home keeps", "for everyone"],
            &["club.example."],
        ),
        ("jo --extra-time 30m", 0, &["Granted"], &["Still closed"]),
        ("jo --extra-time 30m --of gambling", 0, &["Still closed for Jo: gambling."], &[]),
        (
            "laptop --sites news.example --for 30m",
            0,
            &["Still closed for School laptop: news.example.", "learning session"],
            &[],
        ),
        ("laptop --education-session jo --for 30m", 0, &["Granted"], &["Still closed"]),
        (
            "lounge --education-session jo --for 30m",
            1,
            &["Lounge PC is no device for education sessions", "--sites education"],
            &["Granted"],
        ),
        ("laptop --education-session lounge --for 30m", 1, &["Lounge PC is no young person"], &["Granted"]),
        ("jo --sites club.example --for 24h", 0, &["Granted until 16:0"], &[]),
        ("jo --sites club.example --for 25h", 1, &["24 hours at most", "change the agreement"], &["Granted"]),
        ("jo --sites club.example --until 2026-11-23", 1, &["24 hours at most"], &["Granted"]),
        ("jo --extra-time 3d", 1, &["24 hours at most"], &["Granted"]),
    ];
    for (line, code, said, unsaid) in cases {
        let told = home.run(&format!("grant --person {line} {staff}"));
        let words = format!("{}{}", told.out, told.err);
        assert_eq!(told.code, code, "{line}: {told:?}");
        assert!(said.iter().all(|s| words.contains(s)), "{line}: {said:?}: {words}");
        assert!(!unsaid.iter().any(|s| words.contains(s)), "{line}: {unsaid:?}: {words}");
    }
}

#[test]
fn every_export_stands_in_the_journal() {
    let home = Home::new();
    let _gateway = Gateway::start(&home, SATURDAY);
    let head = || home.run("status --json").json()["records"]["journal"]["entries"].as_i64().unwrap();
    let database = home.path().join("state/home.db");
    let journal = || {
        // The texts of the journal stand in the store as they are: SQLite keeps them in one piece.
        let mut bytes = std::fs::read(&database).unwrap();
        bytes.extend(std::fs::read(database.with_extension("db-wal")).unwrap_or_default());
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let before = head();
    let out = home.path().join("november.csv");
    for missing in ["", " --for Ofsted", " --purpose review", " --for Ofsted --purpose="] {
        let told = home.run(&format!("breaches export{missing}"));
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{missing}: {told:?}");
        assert!(told.err.contains("to whom it goes and what for"), "{missing}: {told:?}");
        assert!(told.err.contains("For example `--for"), "{missing}: {told:?}");
    }
    assert_eq!(head(), before, "nothing went out");
    for options in ["", " --by k.lane", &format!(" --out {}", out.display())] {
        let told = home.run(&format!("breaches export --for Ofsted --purpose handover{options}"));
        assert_eq!(told.code, 0, "{options}: {told:?}");
    }
    assert_eq!(head(), before + 3, "one entry an export");
    let journal = journal();
    for told in ["exported 0 episodes for Ofsted", "on the gateway itself", "k.lane", "handover"] {
        assert!(journal.contains(told), "`{told}`");
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.run("breaches export --for Ofsted --purpose handover --out /nowhere/at/all.csv").code, 2);
    assert_eq!(home.run("breaches verify").code, 0);
}

#[test]
fn another_homes_last_good_texts_are_never_used() {
    let (oakview, elmhurst) = (Home::new(), Home::new());
    let gateway = Gateway::start(&oakview, SATURDAY);
    let state = oakview.path().join("state");
    elmhurst.write("gateway.yaml", "listen: {dns: [nonsense]}\n");
    // What a package's default is to every home of a machine.
    let beside = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = program();
        command
            .env("STATE_DIRECTORY", &state)
            .arg(words[0])
            .arg("--home")
            .arg(elmhurst.path())
            .args(&words[1..]);
        gave(&mut command)
    };
    let status = beside("status --json");
    assert_eq!((status.code, &status.json()["listeners"]), (3, &serde_json::json!([])), "{status:?}");
    assert_eq!(beside("minutes jo").code, 2, "nobody knows where its records are");
    assert_eq!(gateway.stop("-TERM"), Some(0));
    let told = beside("run");
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.err.contains("nobody knows where to listen"), "{told:?}");
}

#[test]
fn a_restriction_takes_all_that_the_law_asks() {
    let home = Home::new();
    home.write("agreements/sam.yaml", &JO.replace("Jo", "Sam").replace("127.0.0.11", "127.0.0.12"));
    let _gateway = Gateway::start(&home, SATURDAY);
    let bare = home.run("restrict --person jo --closes chat.example --by r.osei");
    assert_eq!(bare.code, 1, "{bare:?}");
    for asked in ["Say when it ends", "consent is missing", "restricts less", "was told"] {
        assert!(bare.err.contains(asked), "`{asked}`: {bare:?}");
    }
    let whole = "--for 2h --review 2026-11-21 --reason safety --tried talking --emergency --told-on 2026-11-21 --view ok";
    let group =
        home.run(&format!("restrict --person jo --person sam --closes news.example --by r.osei {whole}"));
    assert_eq!(group.code, 1, "a group: {group:?}");
    assert!(
        group.err.contains("a group is never restricted") && group.err.contains("Reg 19(2)(j)"),
        "{group:?}"
    );
    let mail = home.run(&format!("restrict --person jo --closes private_mail --by r.osei {whole}"));
    assert_eq!(mail.code, 1, "private mail cannot be closed: {mail:?}");
    assert_eq!(
        home.run(&format!("restrict --person jo --closes news.example --by k.lane {whole}")).code,
        1,
        "a manager's"
    );
    let placed = home.run(&format!("restrict --person jo --closes news.example --by r.osei {whole}"));
    assert_eq!(placed.code, 0, "{placed:?}");
    let rule =
        home.run("explain --person jo --at 2026-11-21T16:30 --json news.example").json()["rule"].clone();
    assert_eq!(rule, "restriction");
}

#[test]
fn a_broken_file_waits_over_a_restart() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    let waiting = || home.run("status --json").json()["waiting"].clone();
    assert_eq!(waiting(), serde_json::json!([]));
    home.write("agreements/jo.yaml", &JO.replace("gambling", "gamblng"));
    let waits = wait_for("the file to wait", || Some(waiting()).filter(|w| w[0].is_object()));
    assert_eq!(
        (&waits[0]["file"], &waits[0]["meanwhile"]),
        (&"agreements/jo.yaml".into(), &"last_good".into())
    );
    assert_eq!(gateway.stop("-TERM"), Some(0));

    let gateway = Gateway::start(&home, SATURDAY);
    assert_eq!(waiting()[0]["meanwhile"], "last_good", "what was in force is in force after a restart");
    home.write("agreements/jo.yaml", JO);
    gateway.signal("-HUP");
    wait_for("the mended file", || (waiting() == serde_json::json!([])).then_some(()));
    assert!(!home.log().contains("Jo"), "no name in the log: {}", home.log());
}

/// Beside a gateway that is not running, `status` tells what it would go by.
#[test]
fn a_file_that_waits_is_told_with_what_is_in_force_instead() {
    let home = Home::new();
    assert_eq!(Gateway::start(&home, SATURDAY).stop("-TERM"), Some(0));
    home.write("agreements/jo.yaml", &JO.replace("gambling", "gamblng"));
    home.write("agreements/sam.yaml", "person: Sam\nonlin: 07:00-21:00\n");
    let waiting = home.run("status --json").json()["waiting"].clone();
    let told = |n: usize| (waiting[n]["file"].as_str().unwrap(), waiting[n]["meanwhile"].as_str().unwrap());
    assert_eq!(told(0), ("agreements/jo.yaml", "last_good"), "{waiting}");
    assert_eq!(told(1), ("agreements/sam.yaml", "baseline"), "{waiting}");
}

/// The records belong to the gateway's account. Whoever may not read them is told so, and not that there are none.
#[test]
fn who_may_not_read_the_records_is_told_so() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let home = Home::new();
    let _gateway = Gateway::start(&home, SATURDAY);
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let root = std::fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m)).unwrap() == 0;
    let state = home.path().join("state");
    if root {
        open(home.path(), 0o755);
    } else {
        open(&state, 0o000);
    }
    let beside = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = program();
        command.arg(words[0]).arg("--home").arg(home.path()).args(&words[1..]);
        if root {
            command.uid(65534).gid(65534);
        }
        gave(&mut command)
    };
    for line in [
        "status",
        "minutes jo",
        "breaches list",
        "grant --person jo --sites a.example --for 5m --by k.lane --reason x",
    ] {
        let told = beside(line);
        assert_eq!(told.code, 2, "{line}: {told:?}");
        assert!(told.err.contains("you may not read") && told.err.contains("sudo"), "{line}: {told:?}");
    }
    let explained = beside("explain --person jo --at 2026-11-21T16:10 casino.example");
    assert_eq!(explained.code, 0, "{explained:?}");
    assert!(explained.err.contains("restrictions and used minutes are left out"), "{explained:?}");
    open(&state, 0o700);
}

/// One question, and one answer wherever it is asked.
#[test]
fn an_engine_without_safe_search_is_refused_alike_everywhere() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    let said = "This search engine has no safe search, so it is off here.";
    let explained = home.run("explain --person jo --at 2026-11-21T16:10 --json www.startpage.com").json();
    assert_eq!((&explained["rule"], &explained["sentence"]), (&"floor".into(), &said.into()), "{explained}");
    let page = gateway.get(&home, "proxy", "http://www.startpage.com/", "text/plain");
    assert!(page.starts_with("HTTP/1.1 403") && page.contains(said), "{page}");
    let page = gateway.get(&home, "pages", "http://www.startpage.com/", "text/plain");
    assert!(page.starts_with("HTTP/1.1 403") && page.contains(said), "{page}");
    assert_eq!(home.run("breaches list --json").json(), serde_json::json!([]), "it tells staff nothing");
}

/// To a browser a refusal is a page of the refused site, which that site's scripts may read.
#[test]
fn a_refusal_names_nobody_and_holds_no_form_and_its_links_lead_to_forms_that_work() {
    let home = Home::new();
    let gateway = Gateway::start(&home, SATURDAY);
    for way in ["proxy", "pages"] {
        for form in ["text/html", "application/json", "text/plain"] {
            let page = gateway.get(&home, way, "http://chat.example/", form);
            assert!(page.starts_with("HTTP/1.1 403"), "{way} {page}");
            let names = page.to_lowercase().contains("jo'") || page.contains("\"jo\"");
            assert!(!names && !page.contains("token") && !page.contains("<form"), "{way} {form}: {page}");
            assert!(page.contains("our agreement"), "{way} {form}: {page}");
        }
        let page = gateway.get(&home, way, "http://chat.example/", "text/html");
        let links: Vec<&str> = page.split("class=\"button\" href=\"").skip(1).collect();
        assert_eq!(links.len(), 4, "ask and tell, in each language, on each way: {page}");
        for link in links.iter().map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")) {
            assert!(link.contains(".home.arpa:"), "the pages are on a port of their own: {link}");
            let own = gateway.get(&home, way, &link, "text/html");
            let action =
                own.split("<form method=\"post\" action=\"").nth(1).unwrap_or_else(|| panic!("{own}"));
            assert!(action.starts_with("/hearthgate/"), "within the policy `form-action 'self'`: {own}");
            assert!(own.contains("form-action 'self'") && own.contains("name=\"token\""), "{own}");
            // Under another site's name the same path is that site's, and refused like it.
            let elsewhere = link.split("/hearthgate/").nth(1).unwrap();
            let stolen =
                gateway.get(&home, way, &format!("http://chat.example/hearthgate/{elsewhere}"), "text/html");
            assert!(stolen.starts_with("HTTP/1.1 403") && !stolen.contains("token"), "{stolen}");
        }
    }
}

#[test]
fn the_gateway_has_no_page_that_it_does_not_have() {
    let home = Home::new();
    let told = "monitoring: {level: sites, reason: agreed at the strategy meeting, until: 2026-12-01, authorised_by: R. Osei, told_on: 2026-11-20}\nbehaviour: [I will not share pictures of others.]\n";
    home.write("agreements/jo.yaml", &JO.replace("ask:", &format!("{told}ask:")));
    let gateway = Gateway::start(&home, SATURDAY);
    for (path, status, said) in [
        (
            "/",
            "200",
            &[
                "known here as Jo’s",
                "until the end of 1 December 2026",
                "agreed at the strategy meeting.",
                "R. Osei decided it",
                "20 November 2026",
            ][..],
        ),
        ("/agreement", "200", &["pictures of others", "agreed at the strategy meeting."]),
        ("/week", "200", &["Saturday"]),
        ("/generate_204", "404", &["Nothing is here"]),
        ("/wp-login.php", "404", &["Nothing is here"]),
    ] {
        let page = gateway.get(&home, "pages", &format!("http://hearthgate.home.arpa{path}"), "text/html");
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {page}");
        assert!(
            said.iter().all(|words| page.to_lowercase().contains(&words.to_lowercase())),
            "{path}: {page}"
        );
    }
}

#[test]
fn a_gateway_that_listens_nowhere_says_so() {
    let home = Home::new();
    home.write("gateway.yaml", "store: sqlite:state/home.db\n");
    let gateway = Gateway::start(&home, SATURDAY);
    let said = wait_for("the guide", || {
        Some(std::fs::read_to_string(home.path().join("run.out")).unwrap())
            .filter(|said| said.ends_with("stops it.\n"))
    });
    assert!(said.contains("listens nowhere") && said.contains("check --home"), "{said}");
    drop(gateway);
}

#[test]
fn a_changed_gateway_file_moves_the_listeners() {
    let home = Home::new();
    let _gateway = Gateway::start(&home, SATURDAY);
    let listeners = || home.run("status --json").json()["listeners"].clone();
    assert_eq!(listeners().as_array().unwrap().len(), 4);
    home.write(
        "gateway.yaml",
        "listen: {dns: [\"127.0.0.1:0\"]}\nupstream: [\"udp://127.0.0.1:9\"]\nstore: sqlite:state/home.db\n",
    );
    wait_for("one listener", || (listeners().as_array().unwrap().len() == 1).then_some(()));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    home.write(
        "gateway.yaml",
        &format!("listen: {{proxy: [\"127.0.0.1:{port}\"]}}\nupstream: [\"udp://127.0.0.1:9\"]\nstore: sqlite:state/home.db\n"),
    );
    let waits = wait_for("the refusal", || {
        Some(home.run("status --json").json()["waiting"].clone()).filter(|w| w[0].is_object())
    });
    assert_eq!(waits[0]["problems"][0]["code"], "cannot-listen", "{waits}");
    assert_eq!(listeners()[0]["kind"], "dns", "it listens as before");
}

#[test]
fn a_new_list_is_compiled_beside() {
    let home = Home::new();
    let _gateway = Gateway::start(&home, SATURDAY);
    home.write("lists/gambling.txt", "casino.example\nnew-casino.example\n");
    wait_for("the new list", || (home.run("status --json").json()["lists"][0]["names"] == 2).then_some(()));
}

#[test]
fn what_cannot_start_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let home = Home::new();
    home.write(
        "gateway.yaml",
        &format!("listen: {{proxy: [\"127.0.0.1:{port}\"]}}\nupstream: [\"udp://127.0.0.1:9\"]\nstore: sqlite:state/home.db\n"),
    );
    let told = home.run("run");
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.err.contains("`proxy` cannot listen on") && told.err.contains("has the port"), "{told:?}");
    home.write("gateway.yaml", "listen: {dns: [nonsense]}\n");
    let told = home.run("run");
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.err.contains("gateway.yaml"), "{told:?}");
    assert_eq!(gave(program().args(["run", "--home", "/nowhere/at/all"])).code, 2);
}
