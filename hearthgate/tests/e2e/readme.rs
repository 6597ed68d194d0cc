//! README's first command, and every line that it prints to try: typed into a shell, as a newcomer does.

use crate::world::{Process, read_file, wait_for};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The sample home as it stands, but for its ports, in a folder of its own.
fn sample_home() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let sample = Path::new(REPOSITORY).join("deploy/sample-home");
    copy_folder(&sample, copy.path());
    let file = copy.path().join("gateway.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let mut ports = 0;
    let free: Vec<String> = text
        .lines()
        .map(|line| {
            match line
                .split_once("127.0.0.1:")
                .and_then(|(before, rest)| Some((before, rest.split_once('"')?)))
            {
                Some((before, (_, after))) => {
                    ports += 1;
                    format!("{before}127.0.0.1:0\"{after}")
                }
                None => line.to_owned(),
            }
        })
        .collect();
    assert_eq!(ports, 5, "dns, proxy, pages, console, metrics: {text}");
    fs::write(&file, free.join("\n") + "\n").unwrap();
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let beside = to.join(path.file_name().unwrap());
        match path.is_dir() {
            // What a gateway of this checkout keeps is no part of the sample.
            true if path.ends_with("state") => {}
            true => copy_folder(&path, &beside),
            false => drop(fs::copy(&path, &beside).unwrap()),
        }
    }
}

/// The gateway as a person starts it, and the file that has what it prints.
fn run(home: &Path) -> (Process, PathBuf) {
    let printed = home.join("printed");
    let child = Command::new(env!("CARGO_BIN_EXE_hearthgate"))
        .args(["run", "--home"])
        .arg(home)
        .env_remove("INVOCATION_ID")
        .env_remove("NOTIFY_SOCKET")
        .stdout(fs::File::create(&printed).unwrap())
        .stderr(fs::File::create(home.join("log")).unwrap())
        .spawn()
        .unwrap();
    let process = Process(child);
    wait_for("the guide", || read_file(&printed).contains("Ctrl-C stops it.").then_some(()));
    (process, printed)
}

/// What a line prints, on both of its outputs.
fn typed(line: &str) -> String {
    let out = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn what_the_first_command_prints_to_try_does_what_it_says() {
    let readme = fs::read_to_string(Path::new(REPOSITORY).join("README.md")).unwrap();
    assert!(readme.contains("\n    cargo run -- run --home deploy/sample-home\n"));
    let home = sample_home();
    let (_process, printed) = run(home.path());
    let guide = read_file(&printed);
    let tries: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let find = |part: &str| -> &str {
        tries.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}: {guide}"))
    };
    let site = find("dig ").rsplit(' ').next().unwrap();

    let program = env!("CARGO_BIN_EXE_hearthgate");
    let now =
        typed(&format!("{program} explain --home {} --person jordan --json {site}", home.path().display()));
    let now: serde_json::Value = serde_json::from_str(&now).unwrap_or_else(|e| panic!("{e}: {now}"));
    let sentence = now["sentence"].as_str().unwrap();
    assert_ne!(now["verdict"], "allow", "the guide's site is refused: {now}");

    // Every line that is printed, and what must come of it.
    let expected: [(&str, &[&str]); 7] = [
        ("dig ", &["EDE: ", sentence]),
        // At night it says that the internet is off, by day that betting sites are closed: which line says so stands in both.
        ("curl ", &["of your agreement", "Childline", "0800 1111"]),
        (" explain ", &["BLOCK  jordan", site, "agreements/jordan.yaml:"]),
        (" week ", &["Jordan", "Mon", "Sun"]),
        (" breaches", &["Jordan", site, sentence]),
        (" verify", &["The journal is whole"]),
        (" status ", &["the gateway runs", "all in force"]),
    ];
    assert_eq!(tries.len(), expected.len(), "each is tried here: {guide}");
    for (part, said) in expected {
        let line = find(part);
        let told = wait_for(line, || {
            // A refusal is in the log within a second; until then the list is one short.
            let told = typed(line);
            (part != " breaches" || told.contains(site)).then_some(told)
        });
        for words in said {
            assert!(told.contains(words), "`{line}` does not say `{words}`: {told}");
        }
    }
    let log = read_file(&home.path().join("log"));
    assert!(!log.contains("ERROR") && !log.contains("jordan"), "{log}");
}
