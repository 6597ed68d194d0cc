//! What a restart must not forget: which name led a device to an address.
//!
//! It stands in a file of the machine's memory (`RuntimeDirectory=`), never on a disk: that something was allowed is kept by
//! nobody. Without such a file a restart forgets; then what devices do by themselves is not told apart for a while, and
//! nothing of it is written down.
//!
//! One line for each device, address and name, each written when it is opened; now and then the whole is written anew.

use super::attempts::COMES_BACK;
use super::opening::{Named, Opening};
use super::sets::Device;
use crate::dns::safe_search::{Search, search};
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker, Way};
use agreements::SafeSearch;
use blocklists::{Domain, Name};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The gateway's file, in the folder that is given, and that of whoever stands in for it.
const FILE: &str = "openings";
const STAND_INS: &str = "stand-in";
/// What a line begins with that says since when all is remembered.
const SINCE: &str = "since\t";
/// So many bytes at most are read, and written before the whole is written anew.
const MOST_BYTES: u64 = 32 << 20;
/// Nothing of it is read by a device that has no token.
const NONE: &str = "-";
/// What a line ends with whose name is protected.
const HELPS: &str = "\thelp";

/// One name that led a device to an address.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) device: Device,
    pub(super) to: IpAddr,
    pub(super) asker: Asker,
    /// For how long it had been over, and nothing had flowed, when it was written; zero while it was open.
    pub(super) over: Duration,
    pub(super) named: Named,
}

/// What a file says of the time before.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Since when all is remembered, by the steady clock, which goes on while the machine does; none where it always was.
    pub(super) since: Option<Duration>,
    pub(super) lines: Vec<Line>,
}

/// The file.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
    /// Since when all is remembered.
    since: Option<Duration>,
    /// None where it cannot be written: then the next writing anew tries again.
    file: Option<File>,
    written: u64,
}

impl Memory {
    /// The gateway's file in a folder, and what it says, and what whoever stood in has left; none where there was neither.
    pub(super) fn open(folder: &Path, now: Duration) -> (Self, Option<Past>) {
        let memory = Self::at(folder.join(FILE));
        let mut past = memory.read();
        let stand_in = Self::of_stand_in(folder);
        if let Some(theirs) = stand_in.read() {
            // What they remember is theirs alone.
            let past = past.get_or_insert_with(|| Past { since: Some(now), lines: Vec::new() });
            past.lines.extend(theirs.lines);
        }
        // Once taken up it is ours to remember. Where it is not there nobody stood in.
        let _ = fs::remove_file(&stand_in.path);
        (memory, past)
    }

    /// The file of whoever stands in for the gateway.
    pub(super) fn of_stand_in(folder: &Path) -> Self {
        Self::at(folder.join(STAND_INS))
    }

    fn at(path: PathBuf) -> Self {
        Self { path, since: None, file: None, written: 0 }
    }

    fn read(&self) -> Option<Past> {
        fs::metadata(&self.path).ok().filter(|file| file.len() <= MOST_BYTES)?;
        let text = fs::read_to_string(&self.path).ok()?;
        let since = text.lines().next().and_then(|line| line.strip_prefix(SINCE)?.parse().ok());
        let lines = text.lines().filter_map(read).collect();
        Some(Past { since: since.map(Duration::from_secs), lines })
    }

    /// Since when all is remembered: to be written with the rest.
    pub(super) fn is_whole_since(&mut self, since: Option<Duration>) {
        self.since = since;
    }

    /// Whether it is so long that it should be written anew.
    pub(super) fn is_long(&self) -> bool {
        self.written > MOST_BYTES / 2
    }

    /// Writes what was just opened.
    pub(super) fn add(&mut self, device: Device, to: &[IpAddr], asker: &Asker, named: &Named) {
        let text: String =
            to.iter().filter_map(|to| write(device, *to, asker, Duration::ZERO, named)).collect();
        let Some(file) = &mut self.file else { return };
        self.written += text.len() as u64;
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!(%error, "what is open cannot be remembered over a restart");
            self.file = None;
        }
    }

    /// Writes everything anew, in place of what was written.
    pub(super) fn write_all<'o>(
        &mut self,
        openings: impl Iterator<Item = (Device, IpAddr, &'o Opening)>,
        now: Duration,
    ) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut out = BufWriter::new(private(&new)?);
        let mut written = 0;
        if let Some(since) = self.since.filter(|since| *since + COMES_BACK > now) {
            writeln!(out, "{SINCE}{}", since.as_secs())?;
        }
        for (device, to, opening) in openings {
            // What flows is not over.
            let over = now.saturating_sub(opening.closes.max(opening.flowed));
            for named in &opening.names {
                let line = write(device, to, &opening.asker, over, named).unwrap_or_default();
                written += line.len() as u64;
                out.write_all(line.as_bytes())?;
            }
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&new, &self.path)?;
        (self.file, self.written) = (Some(file), written);
        Ok(())
    }
}

/// A file of nobody else's, in a folder that is made where it is missing.
fn private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// A line; none for what is not looked up.
fn write(device: Device, to: IpAddr, asker: &Asker, over: Duration, named: &Named) -> Option<String> {
    let Named { asked, protected } = named;
    let TargetHost::Name(host) = &asked.host else { return None };
    let device = match device {
        Device::Mac(mac) => mac.map(|byte| format!("{byte:02x}")).join("-"),
        Device::Address(address) => address.to_string(),
    };
    let token = asker.token.as_deref().filter(|token| !token.contains(['\t', '\n', '\r']));
    let (through, search) =
        asked.way.as_ref().map_or((&[][..], Search::AsAsked), |way| (&way.through, way.search));
    let search = match search {
        Search::AsAsked => NONE.to_owned(),
        Search::Host(host) => host.to_owned(),
        Search::Address(address) => address.to_string(),
    };
    let names: Vec<&str> = std::iter::once(host).chain(through).map(Domain::as_str).collect();
    let (asker, token, over) = (asker.address, token.unwrap_or(NONE), over.as_secs());
    let helps = if *protected { HELPS } else { "" };
    Some(format!("{device}\t{to}\t{asker}\t{token}\t{over}\t{search}\t{}{helps}\n", names.join(" ")))
}

fn read(line: &str) -> Option<Line> {
    let (line, protected) = line.strip_suffix(HELPS).map_or((line, false), |line| (line, true));
    let [device, to, asker, token, over, search, names] =
        line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let mut names = names.split(' ').map(Domain::parse);
    let host = names.next()?.ok()?;
    let through: Vec<Domain> = names.collect::<Result<_, _>>().ok()?;
    let search = searched(host.name(), search)?;
    let asked = Asked { host: TargetHost::Name(host), path: None, way: Way::to(&through, search) };
    let token = (token != NONE).then(|| token.into());
    Some(Line {
        device: read_device(device)?,
        to: to.parse().ok()?,
        asker: Asker { address: asker.parse().ok()?, token },
        over: Duration::from_secs(over.parse().ok()?),
        named: Named { asked: Arc::new(asked), protected },
    })
}

/// What safe search made of a name, as far as it still would for somebody.
fn searched(name: Name<'_>, written: &str) -> Option<Search> {
    let is_it = |found: &Search| match found {
        Search::AsAsked => written == NONE,
        Search::Host(host) => written == *host,
        Search::Address(address) => written == address.to_string(),
    };
    let held = [SafeSearch::Off, SafeSearch::Moderate, SafeSearch::Strict];
    held.into_iter().map(|held| search(held, name)).find(is_it)
}

fn read_device(text: &str) -> Option<Device> {
    if let Ok(address) = text.parse() {
        return Some(Device::Address(address));
    }
    let bytes: Option<Vec<u8>> = text.split('-').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok().map(Device::Mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(70);

    fn named(names: &[&str], search: Search, protected: bool) -> Named {
        let mut names = names.iter().map(|name| Domain::parse(name).unwrap());
        let host = TargetHost::Name(names.next().unwrap());
        let way = Way::to(&names.collect::<Vec<_>>(), search);
        Named { asked: Arc::new(Asked { host, path: None, way }), protected }
    }

    fn asker(token: Option<&str>) -> Asker {
        Asker { address: "192.168.4.11".parse().unwrap(), token: token.map(Into::into) }
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let mac = Device::Mac([2, 0, 0, 0, 0, 0xab]);
        let by = Device::Address("2001:db8::11".parse().unwrap());
        let safe = search(SafeSearch::Strict, Name::trusted("www.google.com"));
        assert_ne!(safe, Search::AsAsked);
        for (device, names, search, token, protected) in [
            (mac, &["open.test"][..], Search::AsAsked, None, false),
            (mac, &["helpline.test"], Search::AsAsked, None, true),
            (
                by,
                &["open.test", "edge.carrier.example", "other.example"],
                Search::AsAsked,
                Some("jo-7f3a19c6d2"),
                false,
            ),
            (mac, &["www.google.com"], safe, None, true),
        ] {
            let (named, to) = (named(names, search, protected), "2001:db8::1".parse().unwrap());
            let line = write(device, to, &asker(token), Duration::from_secs(9), &named).unwrap();
            let line = read(line.strip_suffix('\n').unwrap()).unwrap();
            assert_eq!((line.device, line.to, line.over.as_secs()), (device, to, 9));
            let Named { asked, protected } = line.named;
            assert_eq!((&asked.host, &asked.way), (&named.asked.host, &named.asked.way));
            assert_eq!(protected, named.protected, "{names:?}");
            assert_eq!(line.asker.token.as_deref(), token);
        }
        for broken in ["", "\t\t\t\t\t\t", "02-00\t192.0.2.1\t192.0.2.9\t-\t0\t-\topen.test", "nonsense"] {
            assert!(read(broken).is_none(), "{broken}");
        }
    }

    fn lapsed(names: &[&str], closes: u64, flowed: u64) -> Opening {
        let mut opening = Opening::over(asker(None), Duration::from_secs(closes));
        opening.name(named(names, Search::AsAsked, false));
        opening.flowed = Duration::from_secs(flowed);
        opening
    }

    #[test]
    fn what_was_opened_is_there_after_a_kill_and_nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("run");
        let (mut memory, before) = Memory::open(&folder, NOW);
        assert!(before.is_none(), "nothing is known yet");
        memory.is_whole_since(Some(Duration::from_secs(7)));
        let (device, to) = (Device::Mac([2, 0, 0, 0, 0, 1]), "192.0.2.1".parse().unwrap());
        let (one, flows) = (lapsed(&["open.test"], 10, 0), lapsed(&["call.test"], 10, 69));
        let all = [(device, to, &one), (device, "192.0.2.2".parse().unwrap(), &flows)];
        memory.write_all(all.into_iter(), Duration::from_secs(70)).unwrap();
        memory.add(device, &[to], &asker(None), &named(&["two.test"], Search::AsAsked, false));
        // No closing: the program was killed.
        let past = Memory::open(&folder, NOW).1.unwrap();
        let told = |line: &Line| (line.named.asked.host.to_string(), line.over.as_secs());
        let told: Vec<_> = past.lines.iter().map(told).collect();
        let expected = [("open.test", 60), ("call.test", 1), ("two.test", 0)];
        assert_eq!(told, expected.map(|(name, over)| (name.to_owned(), over)));
        assert_eq!(past.since, Some(Duration::from_secs(7)), "before that nothing is known");
        assert_eq!(fs::metadata(folder.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        // Hours later it is whole.
        memory.write_all(std::iter::empty(), COMES_BACK + Duration::from_secs(8)).unwrap();
        assert_eq!(Memory::open(&folder, NOW).1.unwrap().since, None);
    }

    #[test]
    fn what_whoever_stood_in_opened_is_taken_up_once() {
        let folder = tempfile::tempdir().unwrap();
        Memory::open(folder.path(), NOW).0.write_all(std::iter::empty(), Duration::ZERO).unwrap();
        let (device, to) = (Device::Mac([2, 0, 0, 0, 0, 1]), "192.0.2.3".parse().unwrap());
        let mut stand_in = Memory::of_stand_in(folder.path());
        stand_in.write_all(std::iter::empty(), Duration::ZERO).unwrap();
        stand_in.add(device, &[to], &asker(None), &named(&["helpline.test"], Search::AsAsked, true));
        let names = |past: Option<Past>| {
            past.unwrap().lines.iter().map(|line| line.named.asked.host.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(Memory::open(folder.path(), NOW).1), ["helpline.test"]);
        assert_eq!(names(Memory::open(folder.path(), NOW).1), [""; 0]);
    }
}
