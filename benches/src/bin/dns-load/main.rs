//! What `benches/dns` needs beside the servers: lists and questions, a free port, and a load from many devices.
//!
//! The load comes from many addresses of the loopback network, since the gateway answers each device only so many
//! questions a second over UDP, as it should. A load generator that asks from one address would measure that limit.

// Its output is what the script reads.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod files;
mod load;
mod packet;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
dns-load names FOLDER                          writes lists and questions
dns-load port                                  a port that is free
dns-load first ADDRESS                         waits for the first answer
dns-load load ADDRESS QUESTIONS SECONDS PID    asks, and tells what came of it and what PID spent";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["names", folder] => files::write(Path::new(folder)).map_err(|e| format!("{folder}: {e}")),
        ["port"] => port(),
        ["first", address] => server(address).and_then(first),
        ["load", address, questions, seconds, pid] => load(address, questions, seconds, pid),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn server(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is no address with a port"))
}

/// Prints a port that is free for UDP and TCP: not every server can take any port and say which.
fn port() -> Result<(), String> {
    for _ in 0..100 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
        let port = tcp.local_addr().map_err(|e| e.to_string())?.port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            println!("{port}");
            return Ok(());
        }
    }
    Err("no port is free".to_owned())
}

/// Asks until somebody answers, for a minute.
fn first(server: SocketAddr) -> Result<(), String> {
    let socket = UdpSocket::bind((load::client(0), 0)).map_err(|e| e.to_string())?;
    let asked = socket.connect(server).and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(2))));
    asked.map_err(|e| e.to_string())?;
    let (query, mut answer) = (packet::query("first.example"), [0; 512]);
    for _ in 0..30_000 {
        // Nobody is there yet, or the answer is on its way: both are tried again.
        let sent = socket.send(&query);
        if sent.is_ok() && socket.recv(&mut answer).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err(format!("{server} does not answer"))
}

fn load(address: &str, questions: &str, seconds: &str, pid: &str) -> Result<(), String> {
    let server = server(address)?;
    let text = std::fs::read_to_string(questions).map_err(|e| format!("{questions}: {e}"))?;
    let queries: Vec<Vec<u8>> = text.lines().map(packet::query).collect();
    let seconds: f64 = seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    let pid: u32 = pid.parse().map_err(|_| format!("`{pid}` is no process"))?;
    let figures = load::run(server, queries, Duration::from_secs_f64(seconds), pid);
    println!("{}", figures.map_err(|e| e.to_string())?);
    Ok(())
}
