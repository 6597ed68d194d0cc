//! Hearthgate beside its peers, in one run on one machine. `benches/compare` builds this and calls it.
//!
//! Each peer runs on a core of its own with the same million names, while the load asks from another core. Peers take
//! turns, several rounds, so that a machine that grows slower is slow for all of them. Every answer's meaning is checked
//! before anything is timed.

// Progress goes to standard error, tables that were asked for to standard output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod dns;
mod flood;
mod growth;
mod home;
mod http;
mod lists;
mod machine;
mod options;
mod peers;
mod plots;
mod process;
mod record;
mod report;
mod samples;
mod table;
mod world;

use clap::Parser;
use options::Options;
use std::process::ExitCode;

/// What went wrong, as a sentence.
type Failure = Box<dyn std::error::Error>;
type Done<T = ()> = Result<T, Failure>;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Done {
    if options.packages {
        println!("{}", peers::packages(options).join(" "));
        return Ok(());
    }
    if options.table {
        print!("{}", table::newest(&options.record)?);
        return Ok(());
    }
    if options.plots {
        return plots::draw(options);
    }
    let mut world = world::World::prepare(options)?;
    // What it does itself is no load of the server's.
    benches::kernel::keep_to(options.load_core)?;
    if options.flood {
        return flood::run(&world);
    }
    if options.growth {
        return growth::run(&world);
    }
    if options.wants(options::Only::Http) {
        world.start_web()?;
    }
    record::run(&world)
}

/// Tells how far it is.
fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}
