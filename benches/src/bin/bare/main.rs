//! The kernel's own limit, to measure the servers against: programs that do nothing but move bytes, on one thread.
//!
//! What a proxy or a name server does beyond these is its own doing.

// What went wrong goes to whoever started it.
#![allow(clippy::print_stderr)]

mod echo;
mod origin;
mod relay;

use clap::Parser;
use std::net::SocketAddrV4;
use std::process::ExitCode;

/// Programs that do nothing but move bytes.
#[derive(Parser)]
enum Command {
    /// Sends every datagram back, marked as an answer, in batches (recvmmsg, sendmmsg).
    Echo {
        /// Where it listens.
        address: SocketAddrV4,
    },
    /// Relays connections to a server, or each to where its CONNECT says.
    Relay(relay::Relay),
    /// The server behind a tunnel: answers the first bytes with a few, and what follows with as much as is taken.
    Origin {
        /// Where it listens.
        address: SocketAddrV4,
    },
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Echo { address } => echo::run(address),
        Command::Relay(relay) => relay.run(),
        Command::Origin { address } => origin::run(address),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
