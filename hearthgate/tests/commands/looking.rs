//! Commands that look at the home's files, without a gateway.

use crate::home::{Gateway, Gave, Home, JO, gave, program};
use std::fs;
use std::io::Write;
use std::process::Stdio;

#[test]
fn exit_codes_of_check() {
    let good = Home::new();
    assert_eq!(good.run("check").code, 0, "{:?}", good.run("check"));
    assert_eq!(good.run("check").out, "No problems.\n");

    let broken = Home::new();
    broken.write(
        "agreements/jo.yaml",
        &JO.replace("09:00-21:00", "25:00-21:00").replace("gambling", "gamblng"),
    );
    let told = broken.run("check");
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.out.contains("agreements/jo.yaml:9:") && told.out.contains("^"), "{told:?}");
    assert!(told.out.contains("gambling") && told.out.contains("2 errors."), "all at once: {told:?}");

    let unreadable = Home::new();
    std::os::unix::fs::symlink("nowhere.yaml", unreadable.path().join("agreements/al.yaml")).unwrap();
    assert_eq!(unreadable.run("check").code, 2);
    assert_eq!(gave(program().args(["check", "--home", "/nowhere/at/all"])).code, 2);
}

#[test]
fn the_shape_of_check_json() {
    let home = Home::new();
    home.write("agreements/jo.yaml", &JO.replace("09:00-21:00", "25:00-21:00"));
    home.write(
        "gateway.yaml",
        "listen: {dns: [\"127.0.0.1:0\"]}\nupstream: [\"udp://127.0.0.1:9\"]\nstore: sqlite:state/home.db\n",
    );
    let told = home.run("check --json");
    let json = told.json();
    let problems = json["problems"].as_array().unwrap();
    let keys: Vec<&String> = problems[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "column", "file", "help", "level", "line", "sentence"], "{told:?}");
    let found =
        |file: &str, code: &str| problems.iter().find(|p| p["file"] == file && p["code"] == code).cloned();
    assert_eq!(found("agreements/jo.yaml", "bad-time").unwrap()["level"], "error");
    assert_eq!(problems.iter().filter(|p| p["level"] == "error").count(), 1, "{told:?}");
}

#[test]
fn a_list_that_is_not_there_is_a_warning() {
    let home = Home::new();
    fs::remove_file(home.path().join("lists/gambling.txt")).unwrap();
    let told = home.run("check");
    assert_eq!(told.code, 0);
    assert!(told.out.contains("home.yaml:7:") && told.out.contains("lists/gambling.txt"), "{told:?}");
}

#[test]
fn what_explain_says() {
    let home = Home::new();
    let cases = [
        ("--at 2026-11-21T16:00 casino.example", "block", "category"),
        ("--at 2026-11-21T16:00 http://www.club.example/page", "block", "site"),
        ("--at 2026-11-21T16:00 chat.example", "ask", "site"),
        ("--at 2026-11-21T16:00 news.example", "allow", "otherwise"),
        ("--at 2026-11-21T22:00 news.example", "block", "online"),
        ("--at 2026-11-21T22:00 www.childline.org.uk", "allow", "protected"),
        ("--at 2026-11-21T16:00 192.0.2.1", "block", "otherwise"),
    ];
    for (options, verdict, rule) in &cases[..6] {
        let json = home.run(&format!("explain --person jo --json {options}")).json();
        assert_eq!(
            (json["verdict"].as_str(), json["rule"].as_str()),
            (Some(*verdict), Some(*rule)),
            "{options}: {json}"
        );
    }
    assert!(home.run(&format!("explain --person jo --json {}", cases[6].0)).json()["verdict"].is_string());
    let text = home.run("explain --person jo --at 2026-11-21T22:00 news.example");
    assert!(text.out.starts_with("BLOCK  jo, Sat 21 Nov 22:00, news.example\n"), "{text:?}");
    assert!(text.out.contains("agreements/jo.yaml:9"), "{text:?}");
}

/// What gateway.yaml opens inside the home is no way around names, and is held to the agreement's times.
#[test]
fn the_homes_own_addresses_are_explained_as_the_gateway_opens_them() {
    let home = Home::new();
    let gateway = fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    home.write("gateway.yaml", &format!("{gateway}home_network: [192.168.4.0/28, \"fd00::/64\"]\n"));
    for (at, host, verdict, rule) in [
        ("16:00", "192.168.4.10", "allow", "otherwise"),
        ("16:00", "http://192.168.4.10:631/ipp", "allow", "otherwise"),
        ("16:00", "[fd00::1]:443", "allow", "otherwise"),
        ("22:00", "192.168.4.10", "block", "online"),
        ("16:00", "192.168.4.16", "block", "floor"),
        ("16:00", "fd00:0:0:1::1", "block", "floor"),
        ("16:00", "192.0.2.1", "block", "floor"),
    ] {
        let json = home.run(&format!("explain --person jo --at 2026-11-21T{at} --json {host}")).json();
        assert_eq!((&json["verdict"], &json["rule"]), (&verdict.into(), &rule.into()), "{host}: {json}");
    }
}

#[test]
fn what_explain_cannot_answer() {
    let home = Home::new();
    for line in [
        "explain --person nobody-here news.example",
        "explain --person jo --at tomorrow news.example",
        "explain --person jo a..example",
        "explain --person jo",
        "explain news.example",
        "explain --person jo tiktok",
        "explain --person jo gambling",
    ] {
        let told = home.run(line);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{line}: {told:?}");
        assert!(!told.err.is_empty(), "{line}");
    }
    let service = home.run("explain --person jo tiktok").err;
    assert!(service.contains("`tiktok` is a service") && service.contains("tiktok.com`."), "{service}");
    assert_eq!(home.run("explain --person jo printer").code, 0, "a name of one label is a name all the same");
}

#[test]
fn an_id_that_nobody_has_is_told_with_the_near_ones() {
    let home = Home::new();
    home.write("agreements/jordan.yaml", &JO.replace("Jo", "Jordan").replace("127.0.0.11", "127.0.0.12"));
    assert_eq!(Gateway::start(&home, "2026-11-21T16:00").stop("-TERM"), Some(0), "so that there are records");
    let staff = "--by r.osei --reason test";
    let closes =
        "--closes news.example --for 2h --review 2026-11-21 --tried talking --emergency --told-on 2026-11-21";
    let lines = [
        "explain --person @ news.example".to_owned(),
        "week @".to_owned(),
        "minutes @".to_owned(),
        "breaches list --person @".to_owned(),
        "breaches export --for Ofsted --purpose review --person @".to_owned(),
        format!("grant --person @ --sites news.example --for 30m {staff}"),
        format!("grant --person jo --education-session @ --for 30m {staff}"),
        format!("restrict --person @ {closes} {staff}"),
    ];
    for line in lines {
        for (typo, near) in [("jordn", "Did you mean `jordan`?"), ("zebedee", "There are: jo, jordan.")] {
            let told = home.run(&line.replace('@', typo));
            assert_eq!((told.code, told.out.as_str()), (2, ""), "{line}: {told:?}");
            assert!(told.err.contains(&format!("nobody here has the id `{typo}`")), "{line}: {told:?}");
            assert!(
                told.err.contains(near) && told.err.contains("There are: jo, jordan."),
                "{line}: {told:?}"
            );
        }
    }
    for (line, code) in [
        ("explain --person baseline news.example", 0),
        ("week baseline", 0),
        ("breaches list --person nobody", 0),
        ("breaches list --person baseline", 2),
        ("minutes baseline", 2),
        ("grant --person baseline --sites news.example --for 30m --by r.osei --reason test", 2),
    ] {
        assert_eq!(home.run(line).code, code, "{line}: {:?}", home.run(line));
    }
    let batch = home.path().join("batch");
    fs::write(&batch, "{\"person\":\"jordn\",\"host\":\"news.example\"}\n").unwrap();
    let told = home.run(&format!("explain --batch {}", batch.display()));
    assert!(told.out.contains("Did you mean `jordan`?"), "{told:?}");
}

#[test]
fn a_batch_is_answered_line_by_line() {
    let home = Home::new();
    let questions = "{\"person\":\"jo\",\"at\":\"2026-11-21T16:00\",\"host\":\"casino.example\"}\n\nnonsense\n\
                     {\"person\":\"baseline\",\"at\":\"2026-11-21T16:00\",\"host\":\"news.example\"}\n";
    let mut child = program()
        .args(["explain", "--batch", "-", "--home"])
        .arg(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["verdict"], &lines[0]["person"]), (&"block".into(), &"jo".into()));
    assert_eq!(lines[1]["line"], 3);
    let error = lines[1]["error"].as_str().unwrap();
    assert!(error.contains("one JSON object a line") && !error.contains("column"), "{error}");
    assert_eq!(lines[2]["rule"], "baseline");
    assert_eq!(out.status.code(), Some(1), "one line was no question");
}

#[test]
fn a_week_in_words_and_as_a_picture() {
    let home = Home::new();
    let week = home.run("week jo --from 2026-11-23");
    assert_eq!(week.code, 0, "{week:?}");
    let row = format!("Mon 23 Nov  {}{}{}  09:00–21:00", "·".repeat(18), "█".repeat(24), "·".repeat(6));
    assert!(week.out.contains(&row) && week.out.contains("4 h a day"), "{}", week.out);
    let svg = home.run("week jo --from 2026-11-23 --svg -").out;
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("09:00–21:00"), "{svg}");
    assert_eq!(home.run("week nobody").code, 2);
}

#[test]
fn a_diff_says_what_a_change_gives_and_takes() {
    let (old, new) = (Home::new(), Home::new());
    let diff = |json: bool| -> Gave {
        let mut command = program();
        command.arg("diff").arg(old.path()).arg(new.path());
        gave(if json { command.arg("--json") } else { &mut command })
    };
    assert_eq!(diff(false).out, "Nothing changes for anybody.\n");
    let changed =
        JO.replace("09:00-21:00", "09:00-22:00").replace("club.example]", "games]").replace("4h", "3h");
    new.write("agreements/jo.yaml", &changed);
    let text = diff(false).out;
    for told in [
        "+1 h",
        "every day: 12 h -> 13 h",
        "club.example: block -> allow",
        "games: allow -> block",
        "takes    limit on the internet, every day: 4 h -> 3 h",
    ] {
        assert!(text.contains(told), "`{told}` is missing: {text}");
    }
    let json = diff(true).json();
    assert_eq!(json["people"][0]["minutes"][0]["old"], 720, "{json}");
    assert_eq!(json["people"][0]["minutes"][0]["new"], 780, "{json}");
}

#[test]
fn lists_can_be_compiled_and_looked_up() {
    let home = Home::new();
    let lookup = home.run("lists lookup www.casino.example --json").json();
    assert_eq!(lookup["categories"], serde_json::json!(["gambling"]));
    assert_eq!(
        home.run("lists lookup news.example").out,
        "news.example: no list and no built-in table has it.\n"
    );
    let update = home.run("lists update --json");
    assert_eq!((update.code, &update.json()[0]["became"]), (0, &"replaced".into()), "{update:?}");
    assert_eq!(home.run("lists update --json").json()[0]["became"], "current");
    assert_eq!(home.run("lists status --json").json()[0]["names"], 3);
    home.write("lists/gambling.txt", "<!DOCTYPE html><html>sign in</html>");
    let bad = home.run("lists update");
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(bad.out.contains("web page"), "{bad:?}");
    let lookup = home.run("lists lookup www.casino.example --json").json();
    assert_eq!(lookup["categories"], serde_json::json!(["gambling"]), "the last good copy stays");
    assert!(home.run("lists status").out.contains("the last good copy stays"));
    assert_eq!(home.run("lists compile").code, 0);
}

#[test]
fn a_list_that_never_came_is_said_to_close_nothing() {
    let home = Home::new();
    let text = fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write(
        "home.yaml",
        &text.replace("from: lists/gambling.txt", "from: \"http://127.0.0.1:1/bets.txt\""),
    );
    assert!(home.run("lists status").out.contains("0 names, 0 lines skipped, not fetched yet"));
    assert_eq!(home.run("lists update").code, 1);
    for line in ["lists status", "status"] {
        let told = home.run(line).out;
        assert!(told.contains("it never came, so it closes nothing yet"), "{line}: {told}");
        assert!(told.contains("cannot be fetched") && !told.contains("last good copy"), "{line}: {told}");
    }
    home.write("home.yaml", &text);
    home.write("lists/gambling.txt", "casino.example\nnot a name\n");
    assert_eq!(home.run("lists update").code, 0);
    let told = home.run("lists status").out;
    assert!(told.contains("1 name, 1 line skipped, less than a minute old"), "one is one: {told}");
}

#[test]
fn without_a_gateway_status_says_so() {
    let home = Home::new();
    let told = home.run("status --json");
    assert_eq!((told.code, &told.json()["running"]), (3, &false.into()), "{told:?}");
    assert!(home.run("status").out.contains("does not run"));
    for line in ["breaches list", "breaches verify", "minutes jo", "asks list"] {
        let told = home.run(line);
        assert_eq!(told.code, 2, "{line}: {told:?}");
        assert!(
            told.err.contains("no records yet") && told.err.contains("hearthgate run"),
            "{line}: {told:?}"
        );
    }
}

#[test]
fn help_is_as_it_was_blessed() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/help.txt");
    let help = gave(program().arg("--help").env("COLUMNS", "120"));
    assert_eq!(help.code, 0);
    if std::env::var_os("HEARTHGATE_BLESS").is_some() {
        fs::write(&golden, &help.out).unwrap();
    }
    assert_eq!(help.out, fs::read_to_string(&golden).unwrap_or_default(), "bless it: see main.rs");
}

#[test]
fn generated_texts_and_wrong_command_lines() {
    assert!(gave(program().arg("man")).out.contains(".TH hearthgate"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(gave(program().args(["completions", shell])).out.contains("hearthgate"), "{shell}");
    }
    assert!(gave(program().arg("--version")).out.starts_with("hearthgate "));
    for line in [&["nonsense"][..], &["explain", "--nonsense"], &["diff", "one"], &[]] {
        assert_eq!(gave(program().args(line)).code, 2, "{line:?}");
    }
}

#[test]
fn the_devices_that_the_dhcp_server_knows() {
    let home = Home::new();
    let gateway = fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    home.write("gateway.yaml", &format!("{gateway}leases: [dhcp.leases, nowhere.leases]\n"));
    home.write(
        "dhcp.leases",
        "0 3c:06:30:11:22:33 127.0.0.11 jos-phone *\n0 02:06:30:11:22:34 192.168.4.21 tv *\n1 3c:06:30:11:22:35 192.168.4.22 gone *\n",
    );
    let told = home.run("devices --json");
    assert_eq!(told.code, 0, "{told:?}");
    let json = told.json();
    assert_eq!(
        (&json["named"][0]["person"], &json["named"][0]["known_by"]),
        (&"jo".into(), &"ip".into()),
        "{json}"
    );
    let seen = json["seen"].as_array().unwrap();
    assert_eq!(seen.len(), 2, "what has ended is left out: {json}");
    assert_eq!((&seen[0]["person"], &seen[0]["calls_itself"]), (&"jo".into(), &"jos-phone".into()), "{json}");
    assert_eq!((&seen[1]["person"], &seen[1]["private"]), (&serde_json::Value::Null, &true.into()), "{json}");
    assert!(json["unreadable"][0].as_str().unwrap().contains("nowhere.leases"), "{json}");
    let told = home.run("devices");
    assert!(told.out.contains("private: it may change") && told.out.contains("unknown"), "{told:?}");
}
