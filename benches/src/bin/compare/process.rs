//! Programs that run on one core and end with the comparison.

use crate::{Done, Failure};
use benches::kernel::processor_time;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that runs; it ends when this is dropped, and also when the comparison is killed.
pub(crate) struct Running {
    child: Child,
    pub(crate) name: String,
    log: std::path::PathBuf,
}

/// A command that is held to a core. `setpriv` has the kernel end it with whoever started it:
/// killed, because some servers look at a signal only after their list is loaded. None of them has children then.
pub(crate) fn on_core(core: usize, command: &str) -> Command {
    let mut on_core = Command::new("setpriv");
    on_core.args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()]);
    on_core.args(command.split_ascii_whitespace());
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps servers where an ordinary user's path does not lead.
    on_core.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    on_core
}

impl Running {
    /// Starts a program in a folder; what it says goes to a file there.
    pub(crate) fn start(name: &str, core: usize, folder: &Path, command: &str) -> Done<Self> {
        let log = folder.join("said");
        let said = fs::File::create(&log)?;
        let mut command = on_core(core, command);
        command.current_dir(folder).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let child = command.spawn().map_err(|e| format!("{name}: cannot be started (setpriv): {e}"))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// It and its children.
    fn tree(&self) -> Vec<u32> {
        let mut tree = vec![self.child.id()];
        let processes = processes();
        let mut at = 0;
        while at < tree.len() {
            let of = tree[at];
            tree.extend(processes.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
            at += 1;
        }
        tree
    }

    /// The processor time that it has used, in seconds.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let times = self.tree().into_iter().filter_map(|pid| processor_time(pid).ok());
        times.sum::<Duration>().as_secs_f64()
    }

    /// Waits until it does nothing any more, so that work which it puts off is counted to whoever caused it.
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        let mut before = self.processor_seconds();
        while begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.processor_seconds();
            if now - before < 0.002 {
                return;
            }
            before = now;
        }
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> f64 {
        let of = |pid: u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map(str::to_owned);
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0)
        };
        self.tree().into_iter().map(of).sum()
    }

    /// An error, with its last words, when it has ended by itself.
    pub(crate) fn alive(&mut self) -> Done {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.failure(&format!("ended ({status})"))),
        }
    }

    /// What went wrong with it, with its last words.
    pub(crate) fn failure(&self, what: &str) -> Failure {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n  ");
        format!("{} {what}. It said:\n  {last}", self.name).into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let tree = self.tree();
        // It is asked, and after five seconds told. What has gone by itself needs neither.
        let signal = |which: &str| {
            let pids: Vec<String> = tree.iter().map(u32::to_string).collect();
            let _gone = Command::new("kill").arg(which).args(pids).stderr(Stdio::null()).status();
        };
        signal("-TERM");
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > Duration::from_secs(5) {
                signal("-KILL");
                let _ended = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Every process with its parent (proc(5): the second field after the name in brackets).
fn processes() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}
