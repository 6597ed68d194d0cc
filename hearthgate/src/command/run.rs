//! `hearthgate run`: the gateway.

use crate::failure::{Exit, Failure};
use crate::gateway::{self, Options};
use crate::home::HomeArg;
use clap::Args;

/// Runs the gateway.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate run                                        the installed home, else the sample home
  hearthgate run --home deploy/sample-home              on loopback, as you; it prints what to try
  hearthgate run --home oakview --pretend-now 21:55     to see bedtime come

It reads changed files by itself; SIGHUP makes it look at once. A file with errors waits, and its last good text stays in force
(`hearthgate status`). SIGTERM stops it. The log goes to stderr; HEARTHGATE_LOG=debug says more.

Exit codes: 0 it was told to stop, 2 it could not start (the sentence says why and what would help).")]
pub(crate) struct Run {
    #[command(flatten)]
    home: HomeArg,
    /// Start the gateway's clock at this time: for trying out and for tests, never for a home.
    #[arg(long, value_name = "TIME")]
    pretend_now: Option<String>,
}

impl Run {
    /// Runs until told to stop.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let options = Options { home: self.home.dir()?, pretend_now: self.pretend_now.clone() };
        let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = built.map_err(|e| Failure::cannot_read(format!("no runtime: {e}")))?;
        let ended = runtime.block_on(gateway::run(options));
        // Workers that read sockets look up within a fraction of a second; nothing else is left.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        ended
    }
}
