//! What a device of the lab does, and what comes of it.

use crate::internet::wait_for;
use crate::lab::{Lab, ROUTER, Who};
use crate::machine::{Program, program};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What the issue asks of a cut.
pub(crate) const CUT: Duration = Duration::from_secs(5);

/// A promise is one for a machine that has the time: on one that is asked for more it takes as much longer, and no more than this: a
/// promise that any load stretches is none.
const MOST_STRETCHED: f64 = 3.0;

/// How long a promise may take here: with `HEARTHGATE_STRICT=1`, where nothing else runs, exactly as long as was promised.
pub(crate) fn on_this_machine(promise: Duration) -> Duration {
    if std::env::var_os("HEARTHGATE_STRICT").is_some_and(|strict| strict == "1") {
        return promise;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let load: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    promise.mul_f64((load / cores).clamp(1.0, MOST_STRETCHED))
}

/// A site's addresses, as the gateway gives them to the device: which opens them.
pub(crate) fn look_up(lab: &Lab, who: Who, name: &str) -> (IpAddr, IpAddr) {
    // On a busy machine the first question may be answered before the kernel has said who asks: with a page's address.
    let is_site = |address: &IpAddr| ![ROUTER.0, ROUTER.1].contains(&address.to_string().as_str());
    let one = |kind: &str| {
        wait_for("the site's address", || {
            let answer = lab.dig(who, &["+short", name, kind]);
            answer.lines().last().and_then(|line| line.parse().ok()).filter(is_site)
        })
    };
    (one("A"), one("AAAA"))
}

/// The time for which a device was given an address is over, as the kernel ends it: for the kernel none passes at once.
pub(crate) fn lapses(lab: &Lab, who: Who, to: IpAddr) {
    let (set, number) = (if to.is_ipv4() { "mac4" } else { "mac6" }, who.number());
    let element = format!("delete element inet hearthgate {set} {{ 02:00:00:00:00:{number} . {to} }}");
    assert!(lab.router.output("nft", &[&element]).status.success(), "{to}");
}

/// Connects from a device.
pub(crate) fn connect(lab: &Lab, who: Who, to: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let to = SocketAddr::new(to, port);
    lab.of(who).within(move || {
        let stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    })
}

/// Whether words come back.
pub(crate) fn echoes(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"hello")?;
    let mut heard = [0; 5];
    stream.read_exact(&mut heard)?;
    Ok(&heard == b"hello")
}

/// A socket for datagrams on a device, connected, so that it hears of refusals.
pub(crate) fn datagrams(lab: &Lab, who: Who, to: IpAddr, port: u16) -> UdpSocket {
    let to = SocketAddr::new(to, port);
    lab.of(who).within(move || {
        let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0)).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        socket
    })
}

/// What becomes of a datagram: its echo, or the refusal.
pub(crate) fn exchange(socket: &UdpSocket, words: &[u8]) -> std::io::Result<Vec<u8>> {
    socket.send(words)?;
    let mut heard = [0; 512];
    let read = socket.recv(&mut heard)?;
    Ok(heard[..read].to_vec())
}

/// The refusal came back at once, and did not have to be waited for.
pub(crate) fn is_refusal(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::PermissionDenied
            | ErrorKind::ConnectionReset
    )
}

/// Both families' addresses.
pub(crate) fn addresses(pair: (&str, &str)) -> [IpAddr; 2] {
    [pair.0.parse().unwrap(), pair.1.parse().unwrap()]
}

/// `curl` on a device: exit code, and what it wrote followed by the status.
pub(crate) fn curl(lab: &Lab, who: Who, words: &[&str]) -> (i32, String) {
    let mut all = vec!["-ksS", "--max-time", "10", "-w", "%{http_code}"];
    all.extend(words);
    let out = lab.of(who).output("curl", &all);
    (out.status.code().unwrap_or(-1), String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A download that takes minutes, over one family: `-4` or `-6`.
pub(crate) fn download(lab: &Lab, who: Who, family: &str, site: &str) -> Program {
    let mut curl = program("curl");
    curl.args([family, "-ksS", "--max-time", "300", "-o", "/dev/null"]).arg(format!("https://{site}/slow"));
    curl.stdout(Stdio::null()).stderr(Stdio::null());
    lab.of(who).start(curl)
}

/// Waits until a stream is closed from outside: how long that took.
pub(crate) fn closes(mut stream: TcpStream, most: Duration) -> Duration {
    let began = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while echoes_once(&mut stream) {
        assert!(began.elapsed() < most, "it was never closed");
        std::thread::sleep(Duration::from_millis(100));
    }
    began.elapsed()
}

/// Whether a stream still carries words. On a busy machine they may come back late.
fn echoes_once(stream: &mut TcpStream) -> bool {
    let late = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    match stream.write_all(b"x").and_then(|()| stream.read(&mut [0; 64])) {
        Ok(heard) => heard > 0,
        Err(error) => late(&error),
    }
}
