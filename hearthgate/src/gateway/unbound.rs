//! A listener that cannot bind: which one, and the likely way out.

use crate::failure::Failure;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// UDP or TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
}

impl Over {
    const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// The failure of a listener that cannot bind, with its likely fix.
pub(crate) fn failure(kind: &str, over: Over, address: SocketAddr, error: &io::Error) -> Failure {
    let what = format!("`{kind}` cannot listen on {address} ({})", over.word());
    let told = Failure::cannot_read(format!("{what}: {error}"));
    match error.kind() {
        io::ErrorKind::PermissionDenied if address.port() < 1024 => told.help(
            "ports below 1024 need a right of their own: start it through the systemd unit in deploy/, or give it to the \
             program: `setcap cap_net_bind_service=+ep $(command -v hearthgate)`",
        ),
        io::ErrorKind::AddrInUse => told.help(in_use(over, address)),
        io::ErrorKind::AddrNotAvailable => {
            told.help(format!("this machine has no address {}; `ip address` lists those it has", address.ip()))
        }
        _ => told.help(format!("see `listen: {kind}` in gateway.yaml")),
    }
}

fn in_use(over: Over, address: SocketAddr) -> String {
    let port = address.port();
    match holder(over, address) {
        Some(program) if program == "systemd-resolve" => {
            "systemd-resolved has the port: set `DNSStubListener=no` in /etc/systemd/resolved.conf and restart it".to_owned()
        }
        Some(program) => format!("`{program}` has the port: stop it, or choose another port in gateway.yaml"),
        None => format!("another program has the port: `ss -lpn sport = :{port}` as root tells which"),
    }
}

/// The name of the program that listens there, as far as this account may see.
fn holder(over: Over, address: SocketAddr) -> Option<String> {
    let tables = [over.word().to_owned(), format!("{}6", over.word())];
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/net/{table}")).ok())
        .flat_map(|text| sockets(&text, address))
        .collect();
    if inodes.is_empty() { None } else { program_with(&inodes) }
}

/// The inodes of bound sockets of a `/proc/net` table that stand in an address's way.
fn sockets(table: &str, address: SocketAddr) -> Vec<String> {
    const LISTENING: &str = "0A";
    const UNCONNECTED: &str = "07";
    let of_line = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (*cells.get(1)?, *cells.get(3)?, *cells.get(9)?);
        let (ip, port) = local.split_once(':')?;
        let same_port = u16::from_str_radix(port, 16).ok()? == address.port();
        let in_the_way =
            ip.bytes().all(|b| b == b'0') || address.ip().is_unspecified() || ip == hex(address.ip());
        (same_port && in_the_way && [LISTENING, UNCONNECTED].contains(&state)).then(|| inode.to_owned())
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

/// An address as `/proc/net` writes it: 32-bit words in the machine's own order, in hex.
fn hex(ip: IpAddr) -> String {
    let words = |bytes: &[u8]| -> String {
        bytes
            .chunks_exact(4)
            .filter_map(|word| word.try_into().ok())
            .map(|word| format!("{:08X}", u32::from_ne_bytes(word)))
            .collect()
    };
    match ip {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    }
}

fn program_with(inodes: &[String]) -> Option<String> {
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter(|p| p.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit())).find_map(
        |process| {
            let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
            let has = files.any(|fd| {
                let link = fs::read_link(fd.path()).unwrap_or_default();
                wanted.iter().any(|w| link.as_os_str() == w.as_str())
            });
            let name =
                || fs::read_to_string(process.path().join("comm")).ok().map(|name| name.trim().to_owned());
            if has { name() } else { None }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_that_is_taken_names_who_has_it() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = taken.local_addr().expect("an address");
        let error = TcpListener::bind(address).expect_err("taken");
        let told = failure("proxy", Over::Tcp, address, &error);
        assert!(told.sentence.contains("`proxy` cannot listen on 127.0.0.1:"), "{told}");
        assert!(told.help.contains("hearthgate"), "it is this very test that has it: {told}");
    }

    #[test]
    fn an_address_of_another_machine_is_said_to_be_one() {
        let address = "192.0.2.1:0".parse().expect("an address");
        let error = TcpListener::bind(address).expect_err("not ours");
        assert!(failure("dns", Over::Udp, address, &error).help.contains("no address 192.0.2.1"));
    }

    #[test]
    fn a_low_port_names_the_right_it_needs() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let told = failure("dns", Over::Udp, "0.0.0.0:53".parse().expect("an address"), &error);
        assert!(told.help.contains("setcap cap_net_bind_service"));
    }

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:0CF8 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n   \
                     1: 00000000:0CF8 00000000:0000 01 0:0 0:0 0 0 0 4712 1\n";
        assert_eq!(sockets(table, "127.0.0.1:3320".parse().expect("an address")), ["4711"]);
        assert_eq!(sockets(table, "127.0.0.2:3320".parse().expect("an address")), [""; 0]);
        assert_eq!(sockets(table, "0.0.0.0:3320".parse().expect("an address")), ["4711"]);
    }
}
