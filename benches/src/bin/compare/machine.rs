//! The machine: what it is, and what others do on it.

use serde::{Deserialize, Serialize};
use std::fs;
use std::process::Command;
use std::time::Instant;

/// What a record says of the machine and the programs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    pub(crate) commit: String,
    pub(crate) rustc: String,
    pub(crate) load: String,
    /// Package and version.
    pub(crate) versions: Vec<(String, String)>,
}

impl Machine {
    pub(crate) fn look(packages: &[&str]) -> Self {
        let dirty = if output("git", &["status", "--porcelain"]).is_empty() { "" } else { ", with changes" };
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let of_cpu = |key: &str| {
            let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|k| k.trim() == key));
            line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value)
        };
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = memory.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
        let version = |package: &&str| {
            let version = output("dpkg-query", &["-W", "-f=${Version}", package]);
            ((*package).to_owned(), version)
        };
        Self {
            date: output("date", &["-u", "+%Y-%m-%d %H:%M"]),
            processor: format!("{} (model {})", of_cpu("model name"), of_cpu("model")),
            // All of the machine's: this program keeps to one of them.
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            memory_mib: memory.unwrap_or(0) / 1024,
            kernel: output("uname", &["-sr"]),
            commit: output("git", &["log", "-1", "--format=%h (%s)"]) + dirty,
            rustc: output("rustc", &["--version"]),
            load: fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned(),
            versions: packages.iter().map(version).collect(),
        }
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    let text = command.output().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    text.unwrap_or_default()
}

/// What the cores have done so far, in seconds.
pub(crate) struct Cores {
    at: Instant,
    server_busy: f64,
    load_busy: f64,
    steal: f64,
}

/// What they did between two looks: parts of a core.
pub(crate) struct Between {
    pub(crate) seconds: f64,
    pub(crate) server_busy: f64,
    pub(crate) load_busy: f64,
    pub(crate) steal: f64,
}

impl Cores {
    pub(crate) fn look(server: usize, load: usize) -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let (server_busy, server_steal) = core(&stat, server);
        let (load_busy, load_steal) = core(&stat, load);
        Self { at: Instant::now(), server_busy, load_busy, steal: server_steal + load_steal }
    }

    pub(crate) fn since(&self, server: usize, load: usize) -> Between {
        let now = Self::look(server, load);
        Between {
            seconds: (now.at - self.at).as_secs_f64(),
            server_busy: now.server_busy - self.server_busy,
            load_busy: now.load_busy - self.load_busy,
            steal: now.steal - self.steal,
        }
    }
}

/// Seconds that a core was busy, and seconds that the host took from it (proc(5): user, nice, system, idle, iowait, irq,
/// softirq, steal, in hundredths).
fn core(stat: &str, core: usize) -> (f64, f64) {
    let key = format!("cpu{core}");
    let line =
        stat.lines().find(|line| line.split_ascii_whitespace().next() == Some(&key)).unwrap_or_default();
    let ticks: Vec<f64> = line.split_ascii_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = ticks[..] else { return (0.0, 0.0) };
    ((user + nice + system + irq + softirq) / 100.0, steal / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_all_but_idle_waiting_and_stolen() {
        let stat = "cpu  1 2\ncpu0 100 10 50 9999 7 5 15 30 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(core(stat, 0), (1.8, 0.3));
        assert_eq!(core(stat, 2), (0.0, 0.0));
    }
}
