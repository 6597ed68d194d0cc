//! The systemd unit, held against systemd's own judgement where that is installed.

use crate::home::gave;
use std::fs;
use std::process::Command;

/// The unit and the container read the home's folder and never write it, so the sample home as their own lines install it keeps
/// its records elsewhere.
#[test]
fn the_sample_home_as_it_is_installed_writes_nothing_into_its_folder() {
    for (recipe, makes_the_folder) in [
        ("deploy/hearthgate.service", "StateDirectory=hearthgate\n"),
        ("deploy/try/Dockerfile", "install -d -o hearthgate -m 0700 /var/lib/hearthgate\n"),
    ] {
        let text = read(recipe);
        let line = text.lines().find_map(|l| l.split_once("sed -i '")).expect("a line that moves the store");
        let (script, rest) = line.1.split_once("' ").unwrap();
        assert_eq!(rest.split(' ').next(), Some("/etc/hearthgate/gateway.yaml"), "{recipe}");
        assert!(text.contains(makes_the_folder), "{recipe}");
        let home = tempfile::tempdir().unwrap();
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/sample-home/.");
        assert!(Command::new("cp").args(["-r", sample]).arg(home.path()).status().unwrap().success());
        let gateway = home.path().join("gateway.yaml");
        assert!(Command::new("sed").args(["-i", script]).arg(&gateway).status().unwrap().success());
        let stores: Vec<String> = fs::read_to_string(&gateway)
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("store:"))
            .map(|l| l.split(" #").next().unwrap().trim().to_owned())
            .collect();
        assert_eq!(stores, ["store: sqlite:/var/lib/hearthgate/home.db"], "{recipe}");
        let checked = gave(crate::home::program().arg("check").arg("--home").arg(home.path()));
        assert_eq!(checked.code, 0, "{recipe}: {checked:?}");
    }
}

/// What the container for trying it is made from is there, and the ports that its comment names are the sample home's.
#[test]
fn the_container_for_trying_it_is_made_from_what_is_there() {
    let compose = read("deploy/try/compose.yaml");
    let field = |key: &str| {
        let line = compose.lines().find_map(|line| line.trim().strip_prefix(key));
        line.unwrap_or_else(|| panic!("{key} {compose}")).trim().to_owned()
    };
    let context = format!("deploy/try/{}", field("context:"));
    for line in read(&format!("{context}/{}", field("dockerfile:"))).lines() {
        let Some(words) = line.strip_prefix("COPY ").filter(|words| !words.starts_with("--from")) else {
            continue;
        };
        let from =
            format!("{}/../{context}/{}", env!("CARGO_MANIFEST_DIR"), words.split(' ').next().unwrap());
        assert!(fs::metadata(&from).is_ok(), "{from}");
    }
    let (ignored, sent) = (read(".dockerignore"), read("Cargo.toml"));
    let members = sent.lines().find_map(|l| l.strip_prefix("members = [")).expect("the workspace's rooms");
    let members = members.trim_end_matches(']').split(", ").map(|member| member.trim_matches('"'));
    for path in members.chain(["Cargo.toml", "Cargo.lock", "deploy/sample-home"]) {
        assert!(
            ignored.lines().any(|line| line.strip_prefix('!') == Some(path)),
            "{path} is not sent to the build"
        );
    }
    assert!(ignored.ends_with("\ndeploy/sample-home/state\n"), "the sample's records are not for an image");
    let gateway = read("deploy/sample-home/gateway.yaml");
    for port in ["5533", "3128", "8443"] {
        assert!(compose.contains(port) && gateway.contains(&format!("127.0.0.1:{port}")), "{port}");
    }
}

/// The text of a file of the source tree.
fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Each unit, what is dropped into it, and what `systemd-analyze security` may say of it at most, times ten: 10 is its best,
/// 100 its worst.
const UNITS: [(&str, Option<&str>, u32); 5] = [
    ("hearthgate.service", None, 16),
    ("hearthgate.service", Some("hearthgate-editing.conf"), 17),
    ("hearthgate.service", Some("hearthgate-router.conf"), 17),
    ("hearthgate-hold.service", None, 12),
    ("hearthgate-baseline.service", None, 18),
];

#[test]
fn the_units_are_well_formed_and_give_up_what_they_can() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        assert!(std::env::var_os("HEARTHGATE_MAY_SKIP").is_some(), "systemd-analyze is missing");
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    }
    for (name, dropped_in, exposure) in UNITS {
        let dir = tempfile::tempdir().unwrap();
        let text = read(&format!("deploy/{name}"));
        let unit = dir.path().join(name);
        // The program is looked for where the unit says that it is.
        let installed = "ExecStart=/usr/local/bin/hearthgate";
        assert!(text.contains(installed), "{name}");
        fs::write(&unit, text.replace(installed, concat!("ExecStart=", env!("CARGO_BIN_EXE_hearthgate"))))
            .unwrap();
        if let Some(file) = dropped_in {
            let beside = dir.path().join(format!("{name}.d"));
            fs::create_dir(&beside).unwrap();
            fs::write(beside.join("router.conf"), read(&format!("deploy/{file}"))).unwrap();
        }
        let verified = gave(Command::new("systemd-analyze").arg("verify").arg(&unit));
        assert_eq!(verified.code, 0, "{name}: {verified:?}");
        assert!(!verified.err.contains(name), "an unknown word is ignored with a word only: {verified:?}");

        let threshold = format!("--threshold={exposure}");
        let judged =
            gave(Command::new("systemd-analyze").args(["security", "--offline=true", &threshold]).arg(&unit));
        assert_eq!(judged.code, 0, "{name}: {}", judged.out);
        assert!(judged.out.contains("Overall exposure level"), "{judged:?}");
    }
}

/// What the page for whoever looks after the router tells them to write is read without a word against it.
#[test]
fn the_routers_page_shows_a_gateway_that_is_whole() {
    let page = read("docs/router.md");
    let block = |line: &&str| line.starts_with("       ");
    let lines: Vec<&str> = page.lines().skip_while(|l| !l.contains("gateway.yaml:")).skip(1).collect();
    let text: Vec<&str> =
        lines.into_iter().skip_while(|l| l.is_empty()).take_while(block).map(|l| &l[7..]).collect();
    assert!(text.iter().any(|line| line.starts_with("router: {mode: nftables")), "{text:?}");
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("home.yaml"), "home: Oakview\ntimezone: Europe/London\n").unwrap();
    fs::write(home.path().join("gateway.yaml"), text.join("\n") + "\n").unwrap();
    let checked = gave(crate::home::program().arg("check").arg("--home").arg(home.path()));
    let told = format!("{}{}", checked.out, checked.err);
    assert!(checked.code == 0 && !told.contains("gateway.yaml:"), "{told}");
}

/// What OpenWrt's `rc.common` and procd give a script, here each a line of what it was told.
const PROCD: &str = "\
for told in procd_open_instance procd_set_param procd_close_instance procd_send_signal sysctl hearthgate; do
    eval \"$told() { echo $told \\\"\\$@\\\"; }\"
done
start() { start_service; }
";

/// What the recipe for OpenWrt does at a boot, and at a reload.
#[test]
fn the_recipe_for_openwrt_holds_first_and_keeps_two_services() {
    let run = |name: &str, action: &str| {
        let script =
            read(&format!("deploy/openwrt/{name}.init")).replace("/usr/bin/hearthgate", "hearthgate");
        let done = gave(Command::new("sh").args(["-euc", &format!("{PROCD}{script}{action}\n")]));
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
        done.out
    };
    let instance = |name: &str, command: &str, limits: &str| {
        format!(
            "procd_open_instance {name}\nprocd_set_param command hearthgate {command} --home /etc/hearthgate\n\
             procd_set_param env RUNTIME_DIRECTORY=/tmp/run/hearthgate\nprocd_set_param respawn 0 1 0\n{limits}\
             procd_set_param stderr 1\nprocd_close_instance\n"
        )
    };
    let kept = "sysctl -qw net.netfilter.nf_conntrack_acct=1\n".to_owned()
        + &instance("gateway", "run", "procd_set_param limits nofile=65536 65536\n");
    assert_eq!(run("hearthgate", "boot"), format!("hearthgate router hold --home /etc/hearthgate\n{kept}"));
    assert_eq!(run("hearthgate", "start_service"), kept);
    assert_eq!(run("hearthgate", "reload_service"), "procd_send_signal hearthgate gateway HUP\n");
    // A service of its own: procd stops all instances of a service together, and this one is for when the other is stopped.
    let stands_in = instance("baseline", "router baseline", "");
    assert_eq!(run("hearthgate-baseline", "start_service"), stands_in);
    let page = read("docs/router.md");
    for name in ["hearthgate", "hearthgate-baseline"] {
        // Both before the network, which is 20, and kept by procd.
        assert_eq!(run(name, "echo $START $STOP $USE_PROCD"), "19 10 1\n", "{name}");
        let installed = format!("deploy/openwrt/{name}.init /etc/init.d/{name}\n");
        assert!(page.contains(&installed), "{installed}");
        assert!(page.contains(&format!("/etc/init.d/{name} enable\n")), "{name}");
    }
}

fn editing() -> String {
    read("deploy/hearthgate-editing.conf")
}

/// Runs a shell as an account of a service, with a group beside its own; none where this may not become another account.
fn as_service(group: u32, script: &str) -> Option<bool> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=61184",
        "--regid=61184",
        &format!("--groups={group}"),
        "--no-new-privs",
        "sh",
        "-ec",
    ]);
    let ran = command.arg(script).process_group(0).output().ok()?;
    Some(ran.status.success())
}

/// With the group and the modes that the drop-in's own lines give, a service account puts a file in another's place in the
/// folders that are edited, and nowhere else.
#[test]
fn the_desk_saves_where_the_drop_in_lets_it_and_nowhere_else() {
    let text = editing();
    for line in ["SupplementaryGroups=hearthgate-editing", "ReadWritePaths=/etc/hearthgate", "ReadOnlyPaths="]
    {
        assert!(text.lines().any(|l| l == line), "{line}");
    }
    assert!(text.contains("ReadOnlyPaths=-/etc/hearthgate/gateway.yaml"), "the network is not for the desk");
    let home = tempfile::tempdir().unwrap();
    let path = home.path().display();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let sh = |script: &str| Command::new("sh").args(["-ec", script]).status().unwrap().success();
    assert!(sh(&format!("cp -r {root}/deploy/sample-home/. {path} && chmod 0755 {path}")));
    let modes = text.lines().filter_map(|l| l.strip_prefix("#   ")).filter(|l| l.starts_with("ch"));
    let modes: Vec<String> = modes
        .map(|l| l.replace("/etc/hearthgate", &path.to_string()).replace("-R hearthgate-editing", "-R 61999"))
        .collect();
    assert_eq!(modes.len(), 3, "{modes:?}");
    let save = format!(
        "cd {path}/agreements && umask 0027 && cp jordan.yaml .new && mv .new jordan.yaml && cat jordan.yaml >&2"
    );
    if !sh("test $(id -u) = 0") || as_service(61999, "true") != Some(true) {
        eprintln!("skipped: this may not become another account");
        return;
    }
    assert!(
        sh("true") && as_service(61999, &save) == Some(false),
        "without the drop-in's modes nothing is saved"
    );
    assert!(sh(&modes.join(" && ")), "{modes:?}");
    assert_eq!(as_service(61999, &save), Some(true), "who is in the group saves");
    assert_eq!(as_service(61998, &save), Some(false), "who is not does not");
    assert_eq!(as_service(61999, &format!("echo x >> {path}/gateway.yaml")), Some(false));
}
