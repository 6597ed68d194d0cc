//! Enforcement at the router: a device of the home reaches what its own judged answers gave it, and nothing else.
//!
//! - [`rules`] is the table, as a script that is checked and put in place in one transaction; [`vpn`] its part that knows VPNs;
//! - [`openings`] is what each device may reach now, and what of the agreement says so: it stands under judgement;
//! - [`changes`] is what the kernel has to be told of them, and [`except`] what shared devices may reach by number;
//! - [`watch`] looks after them, and marks minutes of use by what [`passed`];
//! - [`keeper`] is the thread that tells the kernel, by [`sets`] and [`flows`]; [`lan`] says which flows are the home's;
//! - [`heard`] is what the rules refused, [`door`] what becomes of it, and [`attempts`] how much it tells;
//! - [`memory`] is what outlives the program, and [`restart`] takes it up.
//!
//! Everything of ours in the kernel is one table (`inet hearthgate`). It holds while the program does not run: what is not
//! in its sets is refused, and what is in them ends by its time.

mod attempts;
mod changes;
mod door;
mod except;
mod flows;
mod heard;
mod keeper;
mod lan;
mod memory;
mod netlink;
mod opening;
mod openings;
mod passed;
mod restart;
mod rules;
mod sets;
mod vpn;
mod watch;

pub use openings::Openings;
pub(crate) use openings::Wanted;
pub use rules::Plan;

use netlink::Netlink;
use rules::Stays;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The table's name, in the family `inet`.
pub const TABLE: &str = "hearthgate";

/// How long the kernel may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the router's rules are not as they should be.
#[derive(Debug)]
pub enum NotHeld {
    /// The program `nft` cannot be run.
    NoNft(io::Error),
    /// `nft` does not take the rules: what it says.
    Refused(String),
    /// The kernel does not answer, or we lack the right.
    Kernel(io::Error),
}

impl std::fmt::Display for NotHeld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNft(error) => write!(f, "the program `nft` cannot be run: {error}"),
            Self::Refused(said) => write!(f, "`nft` does not take the rules: {said}"),
            Self::Kernel(error) => write!(f, "the kernel's table of rules cannot be reached: {error}"),
        }
    }
}

impl std::error::Error for NotHeld {}

impl Plan {
    /// The rules as they would be put in place on a router that has none of ours.
    pub fn rules(&self) -> String {
        self.script(Stays::default())
    }

    /// Asks `nft` whether it would take the rules. Nothing is changed.
    ///
    /// # Errors
    ///
    /// When it would not, or cannot be asked.
    pub fn check(&self) -> Result<(), NotHeld> {
        nft(&["-c", "-f", "-"], &self.rules()).map(drop)
    }
}

/// Checks rules, and puts them in place of those before, in one transaction, with what is open.
fn install(plan: &Plan, open: Stays<'_>) -> Result<(), NotHeld> {
    nft(&["-c", "-f", "-"], &plan.script(open))?;
    put(plan, open)
}

/// The same with rules that were checked before.
fn put(plan: &Plan, open: Stays<'_>) -> Result<(), NotHeld> {
    nft(&["-f", "-"], &plan.script(open)).map(drop)
}

/// Puts the rules in place where there are none, with nothing open, and ends what flowed before. Whether there were none.
///
/// # Errors
///
/// When they cannot be put in place.
pub fn hold(plan: &Plan) -> Result<bool, NotHeld> {
    if is_in_place()? {
        return Ok(false);
    }
    hold_anew(plan).map(|()| true)
}

/// Puts the rules in place with nothing open, whatever was there before, and ends what flowed.
///
/// # Errors
///
/// When they cannot be put in place.
pub fn hold_anew(plan: &Plan) -> Result<(), NotHeld> {
    install(plan, Stays::default())?;
    // What was open before there were rules was judged by nobody.
    let mut kernel = Netlink::open(PATIENCE).map_err(NotHeld::Kernel)?;
    keeper::end_all_that_pass(&mut kernel, &lan::Lan::now(&plan.lan)).map_err(NotHeld::Kernel)
}

/// Whether the table is in the kernel.
///
/// # Errors
///
/// When that cannot be asked.
pub fn is_in_place() -> Result<bool, NotHeld> {
    let table = Netlink::open(PATIENCE).and_then(|mut kernel| sets::table(&mut kernel));
    table.map(|table| table.is_some()).map_err(NotHeld::Kernel)
}

/// Whether somebody's rules hand flows over to a path on which no rule sees them (flow offload): cuts come late there, and
/// nothing is counted.
///
/// # Errors
///
/// When that cannot be asked.
pub fn is_offloaded() -> Result<bool, NotHeld> {
    Netlink::open(PATIENCE).and_then(|mut kernel| sets::is_offloaded(&mut kernel)).map_err(NotHeld::Kernel)
}

/// The table as it is in the kernel, counters and all.
///
/// # Errors
///
/// When there is none, or it cannot be read.
pub fn in_place() -> Result<String, NotHeld> {
    nft(&["list", "table", "inet", TABLE], "")
}

/// Takes the table away, and with it everything that we put there. Whether there was one.
///
/// # Errors
///
/// When it cannot be taken away.
pub fn remove() -> Result<bool, NotHeld> {
    if !is_in_place()? {
        return Ok(false);
    }
    nft(&["delete", "table", "inet", TABLE], "").map(|_| true)
}

/// Runs `nft` with a script, and gives what it writes.
fn nft(arguments: &[&str], script: &str) -> Result<String, NotHeld> {
    let mut child = Command::new("nft")
        .args(arguments)
        // Administrators' programs are not in every account's path.
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(NotHeld::NoNft)?;
    let mut input = child.stdin.take().expect("standard input is piped");
    let script = script.to_owned();
    // Written beside the reading, so that neither side waits for the other.
    let writing = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().map_err(NotHeld::NoNft)?;
    // Where it stopped reading, its own words say more.
    let _ = writing.join();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(NotHeld::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
