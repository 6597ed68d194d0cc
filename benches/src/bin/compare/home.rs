//! Hearthgate's home: six young people with six agreements (or as many people as one likes, with these six in turn),
//! each with a network of devices; breaches are recorded.

use crate::Done;
use crate::peers::{HEARTHGATE, PEERS, Peer};
use crate::process::Running;
use crate::world::{Subject, World, run, template};
use benches::people::People;
use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A school day after school: everybody is within their times.
const NOW: &str = "2026-11-24T17:00:00";
const AGREEMENTS: [&str; 6] = ["jordan", "sam", "robin", "alex", "charlie", "ash"];
const LISTS: [&str; 5] = ["gambling", "advertising", "malware", "pornography", "education"];

/// A home's folder, its lists compiled.
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    dns: SocketAddrV4,
    proxy: SocketAddrV4,
    pub(crate) metrics: SocketAddrV4,
}

impl Home {
    /// Writes a home of so many people, with these lines more in gateway.yaml, and has its lists compiled.
    pub(crate) fn build(world: &World<'_>, people: People, gateway: &str) -> Done<Self> {
        let folder = world.options.work.join("home");
        let [dns, proxy, pages, metrics] = [(); 4].map(|()| world.address());
        fs::create_dir_all(folder.join("lists"))?;
        let _none_yet = fs::remove_dir_all(folder.join("agreements"));
        fs::create_dir_all(folder.join("agreements"))?;
        for list in LISTS {
            let name = format!("{list}.txt");
            let (from, to) = (world.lists.join(&name), folder.join("lists").join(&name));
            if !to.exists() {
                fs::copy(from, to)?;
            }
        }
        fs::write(folder.join("home.yaml"), template("hearthgate/home.yaml")?)?;
        let mut yaml = template("hearthgate/gateway.yaml")?;
        let upstream = world.upstream;
        for (word, address) in [
            ("@PORT@", dns),
            ("@PROXY@", proxy),
            ("@PAGES@", pages),
            ("@METRICS@", metrics),
            ("@UPSTREAM@", upstream),
        ] {
            yaml = yaml.replace(word, &address.port().to_string());
        }
        for line in [gateway, &world.options.gateway] {
            yaml.push_str(&line.replace("\\n", "\n"));
            yaml.push('\n');
        }
        fs::write(folder.join("gateway.yaml"), yaml)?;
        write_agreements(&folder, people)?;
        let home = Self { folder, dns, proxy, metrics };
        // What is warned of here is what everybody would be told; an error would put all on the baseline.
        home.command(world, &["check"])?;
        if !home.folder.join("state/catalogue.hgc").exists() {
            // The first run compiles the lists; what is measured opens them.
            let peer = PEERS.iter().find(|peer| peer.name == HEARTHGATE).ok_or("the subject has a row")?;
            drop(home.start(world, peer, 0)?);
        }
        Ok(home)
    }

    /// Runs a command of the program about this home.
    pub(crate) fn command(&self, world: &World<'_>, arguments: &[&str]) -> Done<String> {
        run(Command::new(world.options.built.join("hearthgate"))
            .args(arguments)
            .arg("--home")
            .arg(&self.folder))
    }

    /// Starts the gateway with an empty journal, and waits for its first answer.
    pub(crate) fn start(&self, world: &World<'_>, peer: &'static Peer, round: u32) -> Done<Subject> {
        for file in ["home.db", "home.db-wal", "home.db-shm"] {
            let _absent = fs::remove_file(self.folder.join("state").join(file));
        }
        let (home, built) = (self.folder.display(), world.options.built.display());
        let command = format!("{built}/hearthgate run --home {home} --pretend-now {NOW}");
        let begun = Instant::now();
        let running = Running::start(peer.name, world.options.server_core, &self.folder, &command)?;
        let address = if peer.half == crate::options::Only::Dns { self.dns } else { self.proxy };
        let mut subject =
            Subject { peer, running, address, second: address, started: Duration::ZERO, begun, round };
        subject.wait(world)?;
        Ok(subject)
    }
}

fn write_agreements(folder: &Path, people: People) -> Done {
    for person in 0..people.people {
        let agreement = AGREEMENTS[person as usize % AGREEMENTS.len()];
        let text = template(&format!("hearthgate/agreements/{agreement}.yaml"))?;
        let text = text.replace("@NETWORK@", &people.network(person));
        let round = person as usize / AGREEMENTS.len();
        let (file, text) = match round {
            0 => (format!("{agreement}.yaml"), text),
            // Nobody has the same name as somebody else.
            _ => (format!("{agreement}-{round}.yaml"), text.replacen('\n', &format!(" {round}\n"), 1)),
        };
        fs::write(folder.join("agreements").join(file), text)?;
    }
    Ok(())
}
