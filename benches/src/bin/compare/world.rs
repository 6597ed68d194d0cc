//! What every measurement stands on: the lists, the questions, the internet behind the servers, and free ports.

use crate::options::Options;
use crate::peers::{self, Kind, Peer};
use crate::process::{Running, on_core};
use crate::samples::{Noise, Sample, Samples};
use crate::{Done, home, lists, machine, say};
use benches::kernel;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the ports begin: below those that the kernel gives to connections.
const PORTS: u16 = 20_000;
/// Nobody needs longer to load a million names.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct World<'a> {
    pub(crate) options: &'a Options,
    pub(crate) lists: PathBuf,
    /// What the lists hold, as a sentence.
    pub(crate) names: String,
    /// The name at the end of the list.
    pub(crate) last_listed: String,
    pub(crate) measured: RefCell<Samples>,
    pub(crate) upstream: SocketAddrV4,
    authority: Running,
    web: Option<(Running, Running)>,
    /// The web server, and the server behind the tunnels.
    pub(crate) pages: SocketAddrV4,
    pub(crate) origin: SocketAddrV4,
    next_port: Cell<u16>,
}

/// A server that runs and has answered.
pub(crate) struct Subject {
    pub(crate) peer: &'static Peer,
    pub(crate) running: Running,
    pub(crate) address: SocketAddrV4,
    /// Where a relay takes what goes to the second server.
    pub(crate) second: SocketAddrV4,
    /// From the start to the first answer.
    pub(crate) started: Duration,
    pub(crate) begun: Instant,
    pub(crate) round: u32,
}

impl<'a> World<'a> {
    pub(crate) fn prepare(options: &'a Options) -> Done<Self> {
        if let Some(unknown) = peers::unknown(options) {
            return Err(unknown.into());
        }
        fs::create_dir_all(options.work.join("lists"))?;
        let lists = options.work.join("lists");
        say("writing the lists and the questions");
        let names = write_names(options, &lists)?;
        let listed = fs::read_to_string(lists.join("list.txt"))?;
        let last_listed = listed.lines().last().ok_or("the list is empty")?.to_owned();
        let next = Cell::new(PORTS);
        let upstream = free(&next);
        let [pages, origin] = [free(&next), free(&next)];
        let core = options.load_core;
        let folder = in_folder(options, "authority")?;
        let authority = format!("{}/dns-load authority {upstream}", options.built.display());
        let authority = Running::start("authority", core, &folder, &authority)?;
        let measured = RefCell::default();
        Ok(Self {
            options,
            lists,
            names,
            last_listed,
            measured,
            upstream,
            authority,
            web: None,
            pages,
            origin,
            next_port: next,
        })
    }

    /// Starts the web server and the server behind the tunnels.
    pub(crate) fn start_web(&mut self) -> Done {
        let folder = in_folder(self.options, "web")?;
        fs::write(folder.join("1k"), [b'x'; 1024])?;
        let conf = template("nginx.conf")?;
        let conf = conf
            .replace("@DIR@", &folder.display().to_string())
            .replace("@PORT@", &self.pages.port().to_string());
        fs::write(folder.join("nginx.conf"), conf)?;
        let nginx = format!("nginx -p {0} -c {0}/nginx.conf", folder.display());
        let nginx = Running::start("nginx", self.options.load_core, &folder, &nginx)?;
        let origin = format!("{}/bare origin {}", self.options.built.display(), self.origin);
        let folder = in_folder(self.options, "origin")?;
        let origin = Running::start("origin", self.options.load_core, &folder, &origin)?;
        self.web = Some((nginx, origin));
        Ok(())
    }

    /// An address that nobody uses.
    pub(crate) fn address(&self) -> SocketAddrV4 {
        free(&self.next_port)
    }

    /// A folder of one's own, empty.
    pub(crate) fn folder(&self, name: &str) -> Done<PathBuf> {
        in_folder(self.options, name)
    }

    /// Starts a peer; it is not waited for.
    pub(crate) fn start(&self, peer: &'static Peer, round: u32) -> Done<Subject> {
        if peer.kind == Kind::Hearthgate {
            return home::Home::build(self, self.options.people, "")?.start(self, peer, round);
        }
        let folder = self.folder(&format!("{:?}-{}", peer.half, peer.name))?;
        if let Some(list) = peer.list {
            lists::write(list, &self.lists)?;
        }
        let [address, second] = [self.address(), self.address()];
        let fill = |text: &str| {
            let ports = [("@PORT@", address), ("@PORT2@", second), ("@UPSTREAM@", self.upstream)];
            let more = [("@WEB@", self.pages), ("@ORIGIN@", self.origin)];
            let filled = ports.iter().chain(&more).fold(text.to_owned(), |text, (word, address)| {
                text.replace(word, &address.port().to_string())
            });
            let folders = [("@DIR@", &folder), ("@LISTS@", &self.lists), ("@BUILT@", &self.options.built)];
            folders.iter().fold(filled, |text, (word, path)| text.replace(word, &path.display().to_string()))
        };
        for file in peer.files {
            let path = folder.join(file);
            fs::write(&path, fill(&template(file)?))?;
            if file.ends_with(".sh") {
                run(Command::new("bash").arg("-e").arg(&path))?;
            }
        }
        let begun = Instant::now();
        let running = Running::start(peer.name, self.options.server_core, &folder, &fill(peer.command))?;
        let mut subject = Subject { peer, running, address, second, started: Duration::ZERO, begun, round };
        subject.wait(self)?;
        Ok(subject)
    }

    /// Runs a load program and gives what it tells.
    pub(crate) fn load(&self, command: &str) -> Done<Value> {
        let command = format!("{}/{command}", self.options.built.display());
        let people = self.options.people;
        let command = match command.contains("--people") {
            true => command,
            false => format!("{command} --people {} --devices {}", people.people, people.devices),
        };
        let mut load = on_core(self.options.load_core, &command);
        let out = load.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
        if !out.status.success() {
            return Err(format!("{command}: {}", String::from_utf8_lossy(&out.stderr).trim()).into());
        }
        Ok(serde_json::from_slice(&out.stdout)?)
    }

    /// Runs a load and notes what the server's processor and everybody else's did meanwhile. Returns what the load
    /// tells, with `server_seconds` added.
    pub(crate) fn measure(&self, subject: &mut Subject, work: &str, command: &str) -> Done<Value> {
        let (server, load) = (self.options.server_core, self.options.load_core);
        let cores = machine::Cores::look(server, load);
        let before = (subject.running.processor_seconds(), self.asking_seconds());
        let told = self.load(command);
        let alive = subject.running.alive();
        let mut told =
            alive.and(told).map_err(|error| format!("{} doing `{work}`: {error}", subject.peer.name))?;
        subject.running.settle();
        let between = cores.since(server, load);
        let spent = subject.running.processor_seconds() - before.0;
        let asking = self.asking_seconds() - before.1;
        told["server_seconds"] = spent.into();
        self.measured.borrow_mut().noise.push(Noise {
            round: subject.round,
            peer: subject.peer.name.into(),
            work: work.into(),
            steal: between.steal / between.seconds,
            others_server: ((between.server_busy - spent) / between.seconds).max(0.0),
            others_load: ((between.load_busy - asking) / between.seconds).max(0.0),
        });
        Ok(told)
    }

    /// The processor time of all that the load's core does for the comparison: the load programs that have ended, with
    /// their start and their reading of a million questions, the servers behind the measured one, and this program.
    fn asking_seconds(&self) -> f64 {
        let web = self.web.iter().flat_map(|(nginx, origin)| [nginx, origin]);
        let behind: f64 = web.chain([&self.authority]).map(Running::processor_seconds).sum();
        let own = [kernel::ended_children_time(), kernel::processor_time(std::process::id())];
        behind + own.into_iter().flatten().map(|time| time.as_secs_f64()).sum::<f64>()
    }

    /// Notes that somebody could not be measured; the others still are.
    pub(crate) fn failed(&self, peer: &str, round: u32, error: &dyn std::error::Error) {
        let failure = format!("round {round}, {peer}: {error}");
        say(&failure);
        self.measured.borrow_mut().failures.push(failure);
    }

    /// Keeps one figure.
    pub(crate) fn keep(&self, subject: &Subject, work: &str, figure: &str, value: f64) {
        self.measured.borrow_mut().samples.push(Sample {
            round: subject.round,
            peer: subject.peer.name.into(),
            work: work.into(),
            figure: figure.into(),
            value,
        });
    }
}

impl Subject {
    /// Waits for the first answer.
    pub(crate) fn wait(&mut self, world: &World<'_>) -> Done {
        let first: fn(&Subject, &World<'_>) -> bool = match self.peer.half {
            crate::options::Only::Dns => crate::dns::answers,
            crate::options::Only::Http => crate::http::answers,
        };
        while !first(self, world) {
            self.running.alive()?;
            if self.begun.elapsed() > PATIENCE {
                return Err(self.running.failure("does not answer"));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        self.started = self.begun.elapsed();
        Ok(())
    }
}

fn write_names(options: &Options, lists: &Path) -> Done<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = options.data.clone().unwrap_or(beside);
    let mut names = Command::new(options.built.join("dns-load"));
    names.arg("names").arg(lists).arg("--listed").arg(options.names.to_string()).env("HEARTHGATE_DATA", data);
    run(&mut names)
}

/// Runs a program to its end and gives what it says.
pub(crate) fn run(command: &mut Command) -> Done<String> {
    let out = command.output().map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if !out.status.success() {
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        return Err(format!("{command:?}: {said}{error}").into());
    }
    Ok(said)
}

/// A configuration of benches/peers/.
pub(crate) fn template(file: &str) -> Done<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(file);
    fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn in_folder(options: &Options, name: &str) -> Done<PathBuf> {
    let folder = options.work.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The next address whose port is free for UDP and TCP: not every server can take any port and say which.
fn free(next: &Cell<u16>) -> SocketAddrV4 {
    loop {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, next.get());
        next.set(if next.get() < 32_000 { next.get() + 1 } else { PORTS });
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
