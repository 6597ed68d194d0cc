//! What the comparison of name servers needs beside them: lists and questions, an authoritative server that knows every
//! name, and a load of questions from as many addresses as one likes.
//!
//! The load comes from many addresses of the loopback network, because identity is by address.

// Its output is what `compare` reads.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod authority;
mod files;
mod load;
mod packet;

use clap::Parser;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::ExitCode;

/// Names, questions, and a load of DNS over UDP.
#[derive(Parser)]
enum Command {
    /// Writes the lists and the files of questions.
    Names {
        /// Where to.
        folder: PathBuf,
        /// How many names the lists hold.
        #[arg(long, default_value_t = 1_000_000)]
        listed: usize,
    },
    /// Answers every question for an IPv4 address with 192.0.2.80 (`origin.test`: 127.0.0.1).
    Authority {
        /// Where it listens.
        address: SocketAddrV4,
    },
    /// Waits for the first answer, for two minutes.
    First {
        /// The server.
        address: SocketAddrV4,
    },
    /// Asks and tells, as one line of JSON, what came of it.
    Load(load::Load),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Names { folder, listed } => {
            files::write(&folder, listed).map_err(|e| format!("{}: {e}", folder.display()))
        }
        Command::Authority { address } => authority::run(address).map_err(|e| format!("{address}: {e}")),
        Command::First { address } => load::first(address),
        Command::Load(load) => load.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
