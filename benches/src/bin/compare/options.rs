//! What can be asked for.

use benches::people::People;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  benches/compare --quick                         one short round of everything, to see that it works
  benches/compare --quick --only dns --peers hearthgate,unbound-local
  benches/compare                                 the record: five rounds, some forty minutes; wants a quiet machine
  benches/compare --table                         README's table of ratios, from the newest record
  benches/compare --flood                         100,000 refusals a second for a minute
  benches/compare --growth                        processor time a question for 1 to 10,000 people, 1 to 8 workers
  benches/compare --plots                         the pictures of both

It installs the peers from Debian (root or sudo for that, and for nothing else), keeps to the loopback network, ports of
its own and a temporary folder, and ends what it started. Files go to benches/record/.";

/// Which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Only {
    Dns,
    Http,
}

/// Compares Hearthgate with its peers on this machine, side by side.
#[derive(clap::Parser)]
#[command(name = "benches/compare", after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Only name servers, or only proxies.
    #[arg(long)]
    pub(crate) only: Option<Only>,
    /// Only these, by commas (an unknown name lists those that there are).
    #[arg(long, value_delimiter = ',')]
    pub(crate) peers: Vec<String>,
    /// Rounds in which all take turns.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// One round of half seconds, to see that it works; nothing is written to benches/record/.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The published lists [default: ../shared/data beside the repository; without them, made-up names]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Names that the lists hold.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) names: usize,
    /// 100,000 refusals a second for a minute at Hearthgate.
    #[arg(long)]
    pub(crate) flood: bool,
    /// Processor time a question as the home and its workers grow.
    #[arg(long)]
    pub(crate) growth: bool,
    /// Prints README's table from the newest record.
    #[arg(long)]
    pub(crate) table: bool,
    /// Draws the pictures of benches/record/ from the newest flood and growth.
    #[arg(long)]
    pub(crate) plots: bool,
    /// The core of whoever is measured.
    #[arg(long, default_value_t = 0)]
    pub(crate) server_core: usize,
    /// The core of the load, the authoritative server and the web server.
    #[arg(long, default_value_t = 1)]
    pub(crate) load_core: usize,
    /// Lines added to Hearthgate's gateway.yaml, `\n` between them.
    #[arg(long, default_value = "", value_name = "YAML")]
    pub(crate) gateway: String,
    /// The line of gateway.yaml that sets how many workers there are, `@N@` in place of the number.
    #[arg(long, default_value = "", value_name = "YAML")]
    pub(crate) workers: String,
    #[command(flatten)]
    pub(crate) people: People,
    /// The folder for everything that is not kept.
    #[arg(long, hide = true, default_value = "/tmp/hearthgate-compare")]
    pub(crate) work: PathBuf,
    /// The folder of the built programs.
    #[arg(long, hide = true, default_value = "target/release")]
    pub(crate) built: PathBuf,
    /// The folder of the records.
    #[arg(long, hide = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/record"))]
    pub(crate) record: PathBuf,
    /// Prints the Debian packages that this needs.
    #[arg(long, hide = true)]
    pub(crate) packages: bool,
}

impl Options {
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    pub(crate) fn seconds(&self) -> f64 {
        if self.quick { 0.5 } else { self.seconds }
    }

    /// Whether this half is asked for.
    pub(crate) fn wants(&self, half: Only) -> bool {
        self.only.is_none_or(|only| only == half)
    }

    /// Whether this peer is asked for.
    pub(crate) fn wants_peer(&self, name: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|wanted| wanted == name)
    }
}
