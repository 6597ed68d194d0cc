//! A machine of the lab: a network namespace with a thread in it, and a mount namespace for its `/etc/resolv.conf`.
//!
//! The namespaces have no name and no file. They live as long as its thread and the programs that the thread started, and
//! these end with the thread; so that nothing is left over, however a test ends.

use rustix::thread::UnshareFlags;
use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce() + Send>;

/// A machine with a network of its own.
pub(crate) struct Machine {
    thread: i32,
    jobs: Option<Sender<Job>>,
    working: Option<JoinHandle<()>>,
}

/// A program that ends with the test.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine {
    /// Makes a machine with a loopback interface and nothing else.
    ///
    /// # Errors
    ///
    /// When the kernel does not let us have a network namespace.
    pub(crate) fn new() -> io::Result<Self> {
        let (jobs, work) = channel::<Job>();
        let (begun, began) = channel();
        let working = std::thread::spawn(move || {
            #[expect(
                deprecated,
                reason = "other flags of this call would break what threads share; these do not"
            )]
            let own_network = rustix::thread::unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS);
            let own_network = own_network.map(|()| rustix::thread::gettid().as_raw_nonzero().get());
            let failed = own_network.is_err();
            begun.send(own_network).unwrap();
            if failed {
                return;
            }
            for job in work {
                job();
            }
        });
        let thread = began.recv().unwrap()?;
        let machine = Self { thread, jobs: Some(jobs), working: Some(working) };
        // No waiting for addresses that nobody else has.
        machine.write("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
        machine.write("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
        machine.ip("link set lo up");
        Ok(machine)
    }

    /// The id of its thread, by which `ip` finds its namespace.
    pub(crate) fn thread(&self) -> i32 {
        self.thread
    }

    /// Does something on the machine. Sockets that it opens stay in the machine's network wherever they are used.
    pub(crate) fn within<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel::<Result<T, Box<dyn Any + Send>>>();
        let job: Job = Box::new(move || {
            // Whoever asked hears of a panic; the machine goes on.
            let _ = done.send(catch_unwind(AssertUnwindSafe(job)));
        });
        self.jobs.as_ref().unwrap().send(job).unwrap();
        result.recv().unwrap().unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// From now on its programs look names up at these addresses.
    pub(crate) fn look_names_up_at(&self, servers: &[&str]) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for server in servers {
            writeln!(file, "nameserver {server}").unwrap();
        }
        // What is mounted in a namespace that shares with none stays with it; the file is read when a program starts.
        for words in
            [&["--make-rprivate", "/"][..], &["--bind", file.path().to_str().unwrap(), "/etc/resolv.conf"]]
        {
            let out = self.output("mount", words);
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        // A mounted file goes on after its name is gone.
        drop(file);
    }

    /// Writes a file, a setting of the kernel's.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let (path, text) = (path.to_owned(), text.to_owned());
        self.within(move || std::fs::write(&path, text).unwrap_or_else(|e| panic!("{path}: {e}")));
    }

    /// A program of [`program`] that is begun and goes on.
    pub(crate) fn start(&self, mut command: Command) -> Program {
        Program(self.within(move || command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"))))
    }

    /// A program run to its end.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = self::program(program);
        command.args(arguments);
        self.within(move || command.output().unwrap_or_else(|e| panic!("{command:?}: {e}")))
    }

    /// What a program writes, run to its end.
    pub(crate) fn says(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8_lossy(&self.output(program, arguments).stdout).into_owned()
    }

    /// `ip` with a line of words; it must work.
    pub(crate) fn ip(&self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let out = self.output("ip", &words);
        assert!(out.status.success(), "ip {line}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.jobs = None;
        // A job that panicked was told where it was asked for.
        let _ = self.working.take().map(JoinHandle::join);
    }
}

/// A program that the kernel kills when the thread that starts it ends, even if that is by a signal.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", name]).stdin(Stdio::null());
    command
}
