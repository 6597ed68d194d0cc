//! Enforcement at the router: a device of the home reaches what its own judged answers gave it, and nothing else.
//!
//! - [`rules`] is the table, as a script that is checked and put in place in one transaction; [`vpn`] its part that knows VPNs;
//! - [`openings`] is what each device may reach now, and what of the agreement says so: it stands under judgement; [`room`] bounds
//!   them, [`known`] says who is meant, and [`changes`] what the kernel has to be told of them;
//! - [`except`] is what shared devices may reach by number;
//! - [`watch`] looks after them, and marks minutes of use by what [`passed`];
//! - [`keeper`] is the thread that tells the kernel, by [`sets`] and [`flows`]; [`lan`] says which flows are the home's;
//! - [`heard`] is what the rules refused, [`door`] what becomes of it, and [`attempts`] how much it tells;
//! - [`turned`] is what the rules turn away by themselves, as sums;
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
mod known;
mod lan;
mod memory;
mod netlink;
mod opening;
mod openings;
mod passed;
#[cfg(test)]
pub(crate) mod play;
mod restart;
mod room;
mod rules;
mod sets;
mod turned;
mod vpn;
mod watch;

pub use openings::Openings;
pub(crate) use openings::{Wanted, Why};
pub use rules::Plan;
pub use turned::TurnedAway;

use netlink::Netlink;
use rules::Stays;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
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
        self.script(Stays::default(), bound())
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
    nft(&["-c", "-f", "-"], &plan.script(open, bound()))?;
    put(plan, open)
}

/// The same with rules that were checked before.
fn put(plan: &Plan, open: Stays<'_>) -> Result<(), NotHeld> {
    nft(&["-f", "-"], &plan.script(open, bound())).map(drop)
}

/// One device has no more than this part of the kernel's table of flows, within these bounds: a large household behind another
/// router has some thousand at once, and the smallest table has room for several devices.
const SHARE: u32 = 8;
const FLOWS: (u32, u32) = (512, 4096);

/// Asks whether the kernel can count the flows of each device: a module of its own (`nft_connlimit`), which some routers lack.
const COUNTS_FLOWS: &str = "table inet hearthgate_asks {
	set flows { type ether_addr; size 16; flags dynamic; }
	chain asks { add @flows { ether saddr ct count over 1 } drop; }
}
";

/// How many flows one device may have at once; none where the kernel cannot count them. It is asked once.
fn bound() -> Option<u32> {
    static BOUND: OnceLock<Option<u32>> = OnceLock::new();
    *BOUND.get_or_init(|| nft(&["-c", "-f", "-"], COUNTS_FLOWS).is_ok().then(|| share(most_flows())))
}

fn share(most: Option<u32>) -> u32 {
    let (least, most_of_one) = FLOWS;
    most.map_or(most_of_one, |most| (most / SHARE).clamp(least, most_of_one))
}

/// How many flows the kernel's table has room for.
fn most_flows() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_max").ok()?.trim().parse().ok()
}

/// Whether the kernel keeps one device from taking all the room for flows. Without it, whoever floods it takes everybody's.
pub fn bounds_flows() -> bool {
    bound().is_some()
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
    keeper::end_all_that_pass(&mut kernel, &lan::Lan::now(plan)).map_err(NotHeld::Kernel)
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
    Err(NotHeld::Refused(reason(&String::from_utf8_lossy(&output.stderr))))
}

/// So much of what `nft` says is kept.
const MOST_SAID: usize = 300;

/// Why `nft` does not take rules, without the rules: it quotes the line that is wrong, and in the line of a set stands what each
/// device may reach, which is nobody's to read in a log.
fn reason(said: &str) -> String {
    let errors = said.lines().filter_map(|line| Some(line.split_once("Error: ")?.1));
    let reasons: Vec<String> = errors.map(without_addresses).collect();
    reasons.join("; ").chars().take(MOST_SAID).collect()
}

fn without_addresses(text: &str) -> String {
    // An address or a hardware address has at least two of these in it; no word of an error has.
    let is_address =
        |word: &str| word.matches(['.', ':']).count() > 1 && word.contains(|c: char| c.is_ascii_hexdigit());
    let words = text.split(' ').map(|word| if is_address(word) { "(an address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_may_reach_does_not_come_into_the_log_by_nfts_words() {
        let said = "/dev/stdin:9:16-60: Error: Could not process rule: Too many open files in system\n\
                    \t\telements = { 02:00:00:00:00:11 . 192.0.2.1 timeout 90000ms, 02:00:00:00:00:12 . 192.0.2.2 timeout 1ms }\n\
                    \t\t             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n\
                    /dev/stdin:12:1-2: Error: syntax error, unexpected 2001:db8::7, expecting newline\n";
        let kept = NotHeld::Refused(reason(said)).to_string();
        for secret in ["192.0.2", "02:00", "2001:db8"] {
            assert!(!kept.contains(secret), "{kept}");
        }
        assert!(kept.contains("Too many open files in system") && kept.contains("syntax error"), "{kept}");
        assert!(reason(&said.repeat(90)).len() <= MOST_SAID);
    }

    #[test]
    fn a_devices_share_of_flows_fits_the_kernels_table() {
        for (most, of_one) in
            [(Some(65_536), 4096), (Some(16_384), 2048), (Some(4096), 512), (Some(1024), 512), (None, 4096)]
        {
            assert_eq!(share(most), of_one, "{most:?}");
        }
    }
}
