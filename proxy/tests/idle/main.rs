//! What an idle tunnel costs. It is a program of its own, since what other tests do beside it would be counted.

// A test is a program, and this one needs a part of what it shares with the others.
#![allow(unreachable_pub, dead_code)]
// What goes wrong in a test is told by its failing, and a measurement is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../http/client.rs"]
mod client;
#[path = "../http/hello.rs"]
mod hello;
#[path = "../http/home.rs"]
mod home;
#[path = "../http/names.rs"]
mod names;
#[path = "../http/origin.rs"]
mod origin;

use client::Client;
use hello::Hello;
use home::{Home, SAM};
use origin::echo_server;

/// What this process has in memory, in bytes (`/proc/self/statm`, field 2, pages of 4 KiB).
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    text.split(' ').nth(1).expect("a second field").parse::<u64>().expect("a number") * 4096
}

#[tokio::test]
async fn an_idle_tunnel_is_small() {
    const TUNNELS: usize = 1000;
    let (home, origin) = (Home::open().await, echo_server().await);
    let hello = Hello::to("plain.test").bytes();
    let mut held = Vec::with_capacity(TUNNELS);
    // The first hundred warm up what is there once; what the rest adds is theirs.
    let mut before = 0;
    for i in 0..TUNNELS {
        if i == 100 {
            before = resident();
        }
        let mut client = Client::of(&home, SAM).await;
        client.tunnel("plain.test", origin).await;
        client.send(&hello).await;
        assert_eq!(client.take(hello.len()).await, hello);
        held.push(client);
    }
    assert_eq!(home.counters.tunnels_open.get(), TUNNELS as u64);
    let each = resident().saturating_sub(before) / (TUNNELS as u64 - 100);
    // Both ends of the tunnel, its client and its origin live in this process; the origin's copy alone keeps 8 KiB.
    assert!(each < 14 * 1024, "{each} bytes a tunnel");
    println!("an idle tunnel with its client and its origin adds {each} bytes to this process");
    drop(held);
    home.until("all have ended", |c| c.tunnels_open.get() == 0).await;
}
