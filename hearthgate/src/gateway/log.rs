//! The log, on stderr: what the gateway does, without names of people and without hosts.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Libraries that tell about single connections and queries are quiet unless somebody asks for them.
const DEFAULT: &str =
    "info,hickory_net=off,hickory_resolver=off,hickory_proto=off,hyper=warn,sqlx=warn,netlink_proto=error";

/// Starts the log. `HEARTHGATE_LOG` takes filters (`debug`, `proxy=debug,info`). The journal of systemd has its own times.
pub(crate) fn start() {
    let filter = std::env::var("HEARTHGATE_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT));
    // It writes the paths of requests down, and in those of encrypted DNS stand devices' tokens.
    let filter = filter.add_directive("h2=warn".parse().expect("a written directive"));
    let plain = crate::terminal::Paint::for_stderr().colours() && std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(plain);
    // A second start in one process (tests) keeps the first log.
    let _already_there = match std::env::var_os("JOURNAL_STREAM") {
        Some(_) => log.without_time().with_target(false).try_init(),
        None => log.with_timer(SystemTime).with_target(false).try_init(),
    };
}
