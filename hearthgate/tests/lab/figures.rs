//! What the router's rules cost: throughput and latency through the router without rules, with them, and with ten thousand
//! elements in a set. Not part of the tests: `cargo test -p hearthgate --test lab -- --ignored --nocapture figures`.

use crate::SATURDAY;
use crate::internet::ECHO;
use crate::lab::{Lab, Who};
use crate::router::{datagrams, look_up, with_router};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const SINK: u16 = 7778;
const ROUND_TRIPS: usize = 20_000;
const CONNECTIONS: usize = 3_000;
const SENDING: Duration = Duration::from_secs(4);

#[test]
#[ignore = "figures are measured on a quiet machine, and prove nothing by passing"]
fn figures_of_name_gating() {
    let Some(mut lab) = Lab::build() else { return };
    let [four, six]: [IpAddr; 2] = ["11.0.1.1".parse().unwrap(), "2d00:2::1".parse().unwrap()];
    for to in [four, six] {
        let at = SocketAddr::new(to, SINK);
        let sink = lab.internet.machine.within(move || TcpListener::bind(at).unwrap());
        std::thread::spawn(move || {
            for mut stream in sink.incoming().flatten() {
                std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
            }
        });
    }
    println!(
        "| rules | family | one stream, Gbit/s | round trip, µs: median, p99 | connect and close, µs: median, p99 |"
    );
    println!("|---|---|---|---|---|");
    measure(&lab, "none", [four, six]);
    lab.write("gateway.yaml", &with_router());
    lab.open(SATURDAY);
    look_up(&lab, Who::Jordan, "open.test");
    measure(&lab, "in place, a few elements", [four, six]);
    fill(&lab);
    measure(&lab, "in place, 10,000 elements of each family", [four, six]);
}

/// Puts ten thousand addresses of Jordan's phone into each family's set.
fn fill(lab: &Lab) {
    for (set, prefix) in [("mac4", "12.0."), ("mac6", "2d00:9::")] {
        let elements: Vec<String> = (0..10_000)
            .map(|n| {
                let to = if set == "mac4" {
                    format!("{prefix}{}.{}", n / 250, n % 250 + 1)
                } else {
                    format!("{prefix}{n}")
                };
                format!("02:00:00:00:00:11 . {to} timeout 1h")
            })
            .collect();
        for some in elements.chunks(500) {
            let script = format!("add element inet hearthgate {set} {{ {} }}", some.join(", "));
            assert!(lab.router.output("nft", &[&script]).status.success());
        }
    }
}

fn measure(lab: &Lab, rules: &str, to: [IpAddr; 2]) {
    for (family, to) in ["IPv4", "IPv6"].iter().zip(to) {
        let speed = throughput(lab, to);
        let (trip, slow_trip) = round_trips(lab, to);
        let (begin, slow_begin) = connections(lab, to);
        println!(
            "| {rules} | {family} | {speed:.2} | {trip:.1}, {slow_trip:.1} | {begin:.1}, {slow_begin:.1} |"
        );
    }
}

fn throughput(lab: &Lab, to: IpAddr) -> f64 {
    lab.of(Who::Jordan).within(move || {
        let mut stream = TcpStream::connect((to, SINK)).unwrap();
        let (began, mut sent, block) = (Instant::now(), 0_u64, vec![0; 128 * 1024]);
        while began.elapsed() < SENDING {
            sent += stream.write(&block).unwrap() as u64;
        }
        sent as f64 * 8.0 / began.elapsed().as_secs_f64() / 1e9
    })
}

fn round_trips(lab: &Lab, to: IpAddr) -> (f64, f64) {
    let socket = datagrams(lab, Who::Jordan, to, ECHO);
    let mut heard = [0; 64];
    times(ROUND_TRIPS, || {
        socket.send(b"0123456789012345").unwrap();
        socket.recv(&mut heard).unwrap();
    })
}

fn connections(lab: &Lab, to: IpAddr) -> (f64, f64) {
    lab.of(Who::Jordan).within(move || {
        times(CONNECTIONS, || {
            let mut stream = TcpStream::connect((to, ECHO)).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = stream.read(&mut [0; 1]);
        })
    })
}

/// Median and 99th percentile, in microseconds.
fn times(count: usize, mut once: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let began = Instant::now();
            once();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |part: usize| times[count * part / 100].as_secs_f64() * 1e6;
    (at(50), at(99))
}
