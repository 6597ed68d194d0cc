//! The door: the program that ties the rooms.
//!
//! It reads the home's folder and hands the texts to `agreements`, compiles the lists with `blocklists`, opens the
//! `records`, binds the listeners for `proxy` and `console`, and swaps what is in force whenever something changes. It has
//! no rules of its own: what is allowed is decided in `agreements`, and every command here asks there.

mod asked;
mod catalogue;
mod certificates;
mod cli;
mod clock;
mod command;
mod control;
mod desk;
mod failure;
mod folder;
mod gateway;
mod home;
mod judge;
mod last_good;
mod lists;
mod notyet;
mod people;
mod profile;
mod signing;
mod state;
mod terminal;
mod told;
mod when;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // One TLS provider for everything, before anything asks for one.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    match cli::Cli::parse().act() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let word = terminal::Paint::for_stderr().ink(terminal::Ink::Bad, "hearthgate");
            terminal::tell(&format!("{word}: {failure}"));
            failure.exit.into()
        }
    }
}
