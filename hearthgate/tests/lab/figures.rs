//! What the router's rules cost: without the gateway, with it as a resolver alone, with the rules, and with ten thousand elements
//! in a set of each family. Five rounds in which these take turns, so that a machine that grows slower is slow for all of them. Not part of
//! the tests: `cargo test --release -p hearthgate --test lab -- --ignored --nocapture figures` prints the table.

use crate::SATURDAY;
use crate::device::{datagrams, look_up};
use crate::internet::ECHO;
use crate::lab::{Lab, ROUTER, Who, gateway_yaml};
use crate::router::with_router;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const SINK: u16 = 7778;
const SENDING: Duration = Duration::from_secs(2);
const ROUND_TRIPS: usize = 10_000;
const CONNECTIONS: usize = 1_000;
const PAGES: usize = 200;
const KNOWN: usize = 2_000;
/// Of each round, family and state: all of them stay below what one device may have open.
const NEW: usize = 100;
/// The server behind the gateway, which knows an address of its own for each number.
const NUMBERS: &str = "11.0.0.54";

const STATES: [&str; 4] =
    ["no gateway", "a resolver alone", "rules, a few elements", "rules, 10,000 elements"];
const COLUMNS: [&str; 7] = [
    "one stream, Gbit/s",
    "datagram there and back",
    "connect and close",
    "page over 80",
    "page over 443",
    "a name known before",
    "a new name and address",
];

/// The medians of each round, by state, family and column.
type Figures = BTreeMap<(usize, usize, usize), Vec<f64>>;

#[test]
#[ignore = "figures are measured on a quiet machine, and prove nothing by passing"]
fn figures_of_name_gating() {
    let Some(mut lab) = Lab::build() else { return };
    let to: [IpAddr; 2] = ["11.0.1.1".parse().unwrap(), "2d00:2::1".parse().unwrap()];
    for to in to {
        sink(&lab, SocketAddr::new(to, SINK));
    }
    numbers(&lab);
    let (mut figures, mut next) = (Figures::new(), 0);
    for round in 1..=ROUNDS {
        for state in 0..STATES.len() {
            enter(&mut lab, state);
            for (family, to) in to.into_iter().enumerate() {
                let mut keep = |column: usize, value: f64| {
                    figures.entry((state, family, column)).or_default().push(value);
                };
                keep(0, throughput(&lab, to));
                keep(1, round_trips(&lab, to));
                keep(2, connections(&lab, to));
                keep(3, pages(&lab, to, "http"));
                keep(4, pages(&lab, to, "https"));
                if state > 0 {
                    let resolver = [ROUTER.0, ROUTER.1][family].parse().unwrap();
                    keep(5, questions(&lab, resolver, KNOWN, |_| "open.test".to_owned()));
                    keep(6, questions(&lab, resolver, NEW, |n| format!("n{}.numbers.test", next + n)));
                    next += NEW;
                }
            }
        }
        println!("round {round} of {ROUNDS}");
        lab.stop();
        lab.command(&["router", "off"]);
    }
    print(&figures);
}

/// Takes the lab from the state before to this one.
fn enter(lab: &mut Lab, state: usize) {
    let yaml = |text: String| text.replace(crate::internet::NAMES, NUMBERS) + "questions_a_second: off\n";
    match state {
        0 => {}
        1 => {
            lab.write("gateway.yaml", &yaml(gateway_yaml()));
            lab.open(SATURDAY);
            look_up(lab, Who::Jordan, "open.test");
        }
        2 => {
            lab.stop();
            lab.write("gateway.yaml", &yaml(with_router()));
            lab.open(SATURDAY);
            look_up(lab, Who::Jordan, "open.test");
        }
        _ => fill(lab),
    }
}

fn print(figures: &Figures) {
    println!("| state | family | {} |\n|{}", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len() + 2));
    for (state, name) in STATES.iter().enumerate() {
        for (family, version) in ["IPv4", "IPv6"].iter().enumerate() {
            let cells = (0..COLUMNS.len()).map(|column| {
                let Some(values) = figures.get(&(state, family, column)) else { return "–".to_owned() };
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                let digits = if column == 0 { 2 } else { 0 };
                let [least, middle, most] = [0, values.len() / 2, values.len() - 1].map(|at| values[at]);
                format!("{middle:.digits$} ({least:.digits$} to {most:.digits$})")
            });
            println!("| {name} | {version} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

/// A server that takes all that comes.
fn sink(lab: &Lab, at: SocketAddr) {
    let sink = lab.internet.machine.within(move || TcpListener::bind(at).unwrap());
    std::thread::spawn(move || {
        for mut stream in sink.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
}

/// A name server that knows `open.test`, and an address of its own for each `nN.numbers.test`.
fn numbers(lab: &Lab) {
    lab.internet.machine.ip(&format!("address replace {NUMBERS}/32 dev lo"));
    let socket = lab.internet.machine.within(|| UdpSocket::bind((NUMBERS, 53)).unwrap());
    std::thread::spawn(move || {
        let mut heard = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut heard) {
            let _ = socket.send_to(&answer(&heard[..length]), from);
        }
    });
}

/// The answer to a question in a packet of ours: an address record, or nothing.
fn answer(query: &[u8]) -> Vec<u8> {
    let ends = 12 + query[12..].iter().position(|b| *b == 0).unwrap() + 5;
    let number = query[13] == b'n' && query[14].is_ascii_digit();
    let digits =
        || query[14..13 + usize::from(query[12])].iter().fold(0_u16, |n, d| n * 10 + u16::from(d - b'0'));
    let address: Vec<u8> = match (query[ends - 3], number) {
        (1, true) => [[12, 0], digits().to_be_bytes()].concat(),
        (1, false) => vec![11, 0, 1, 1],
        (28, false) => "2d00:2::1".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec(),
        _ => Vec::new(),
    };
    let mut answer = query[..ends].to_vec();
    answer[2..4].copy_from_slice(&[0x85, 0x80]);
    answer[6..12].copy_from_slice(&[0, u8::from(!address.is_empty()), 0, 0, 0, 0]);
    if !address.is_empty() {
        answer.extend([0xc0, 12, 0, query[ends - 3], 0, 1, 0, 0, 1, 44, 0, address.len() as u8]);
        answer.extend(address);
    }
    answer
}

/// Puts ten thousand addresses of Jordan's phone into each family's set.
fn fill(lab: &Lab) {
    for (set, prefix) in [("mac4", "13.0."), ("mac6", "2d00:9::")] {
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

fn round_trips(lab: &Lab, to: IpAddr) -> f64 {
    let socket = datagrams(lab, Who::Jordan, to, ECHO);
    let mut heard = [0; 64];
    median(ROUND_TRIPS, |_| {
        socket.send(b"0123456789012345").unwrap();
        socket.recv(&mut heard).unwrap();
    })
}

fn connections(lab: &Lab, to: IpAddr) -> f64 {
    lab.of(Who::Jordan).within(move || {
        median(CONNECTIONS, |_| {
            let mut stream = TcpStream::connect((to, ECHO)).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = stream.read(&mut [0; 1]);
        })
    })
}

/// Pages of `open.test` by curl, each on a connection of its own, from the question for the connection to the last byte.
fn pages(lab: &Lab, to: IpAddr, scheme: &str) -> f64 {
    let to = if to.is_ipv6() { format!("[{to}]") } else { to.to_string() };
    let port = if scheme == "http" { 80 } else { 443 };
    let words = [
        "-ksS",
        "-o",
        "/dev/null",
        "--http1.1",
        "-H",
        "Connection: close",
        "-w",
        "%{http_code} %{time_total}\n",
        "--resolve",
        &format!("open.test:{port}:{to}"),
        &format!("{scheme}://open.test/[1-{PAGES}]"),
    ];
    let told = lab.of(Who::Jordan).says("curl", &words);
    let mut times: Vec<f64> = told
        .lines()
        .filter_map(|line| line.strip_prefix("200 ")?.parse::<f64>().ok())
        .map(|s| s * 1e6)
        .collect();
    assert_eq!(times.len(), PAGES, "{told}");
    times.sort_by(f64::total_cmp);
    times[PAGES / 2]
}

/// Questions for addresses, one after the other; each must be answered with one.
fn questions(lab: &Lab, resolver: IpAddr, count: usize, name: impl Fn(usize) -> String) -> f64 {
    let socket = datagrams(lab, Who::Jordan, resolver, 53);
    let mut heard = [0; 1500];
    median(count, |n| {
        let mut query = vec![(n >> 8) as u8, n as u8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name(n).split('.') {
            query.push(label.len() as u8);
            query.extend(label.bytes());
        }
        query.extend([0, 0, 1, 0, 1]);
        socket.send(&query).unwrap();
        let length = socket.recv(&mut heard).unwrap();
        assert!(heard[..2] == query[..2] && heard[3] & 15 == 0 && heard[7] > 0, "{:?}", &heard[..length]);
    })
}

/// In microseconds.
fn median(count: usize, mut once: impl FnMut(usize)) -> f64 {
    let mut times: Vec<Duration> = (0..count)
        .map(|n| {
            let began = Instant::now();
            once(n);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[count / 2].as_secs_f64() * 1e6
}
