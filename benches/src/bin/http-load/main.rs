//! What the comparison of proxies needs: requests in absolute form over connections that stay open, and tunnels.
//!
//! Every connection comes from an address of the loopback network that is some person's device.

// Its output is what `compare` reads.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod connection;
mod hello;
mod requests;
mod tunnels;

use clap::Parser;
use std::process::ExitCode;

/// Loads for an HTTP proxy. Each tells, as one line of JSON, what came of it.
#[derive(Parser)]
enum Command {
    /// Asks for a page again and again.
    Requests(requests::Requests),
    /// Opens tunnels, one after the other, until the first answer through each; then closes it.
    Tunnels(tunnels::Tunnels),
    /// Opens tunnels and leaves them open until standard input ends.
    Idle(tunnels::Idle),
    /// Reads as fast as it can through one tunnel.
    Flow(tunnels::Flow),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Requests(requests) => requests.run(),
        Command::Tunnels(tunnels) => tunnels.run(),
        Command::Idle(idle) => idle.run(),
        Command::Flow(flow) => flow.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
