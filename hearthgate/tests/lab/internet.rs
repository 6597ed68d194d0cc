//! The internet of the lab: a machine with many addresses, real servers (nsd, nginx) and a few of our own that count who
//! comes to them.

use crate::machine::{Machine, Program, program};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take to come up before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The router's own addresses on the internet's side, and those of the internet's end of that line.
pub(crate) const LINE: [(&str, &str); 2] = [("11.0.0.2/24", "11.0.0.1/24"), ("2d00:1::2/64", "2d00:1::1/64")];
/// The authoritative server, which the gateway asks.
pub(crate) const NAMES: &str = "11.0.0.53";

/// The names of the lab's internet and the addresses behind each: no two share one, save the two shops.
pub(crate) const SITES: &[(&str, &str, &str)] = &[
    ("open.test", "11.0.1.1", "2d00:2::1"),
    ("casino.test", "11.0.1.2", "2d00:2::2"),
    ("helpline.test", "11.0.1.3", "2d00:2::3"),
    ("school.test", "11.0.1.4", "2d00:2::4"),
    ("club.test", "11.0.1.5", "2d00:2::5"),
    ("game.test", "11.0.1.6", "2d00:2::6"),
    ("call.test", "11.0.1.7", "2d00:2::7"),
    ("resolver.test", "11.0.4.1", "2d00:4::1"),
    ("doh.test", "11.0.1.8", "2d00:2::8"),
    ("vps.test", "11.0.5.2", "2d00:5::2"),
];

/// Names with no site behind them: a resolver that is not ours, one that a list of addresses names, and a name of somebody's own for
/// one that everybody knows.
const OTHERS: &[(&str, &str, &str)] = &[
    ("dns.test", RESOLVER.0, RESOLVER.1),
    ("listed.test", "11.0.4.3", "2d00:4::3"),
    ("known.test", "9.9.9.9", "2620:fe::fe"),
];

/// A resolver that is not ours: it speaks DNS over TLS and over HTTPS, and knows every site of the lab.
pub(crate) const RESOLVER: (&str, &str) = ("11.0.4.2", "2d00:4::2");
/// Where a real VPN of somebody's own stands: OpenVPN, over UDP and TCP.
pub(crate) const OPENVPN: u16 = 1194;

/// Addresses that are known for resolvers: by the product, and by a list of the home's.
pub(crate) const KNOWN_RESOLVERS: [(&str, &str); 2] = [("9.9.9.9", "2620:fe::fe"), ("11.0.4.3", "2d00:4::3")];
/// Where nobody's name leads: a resolver, an onion relay, a VPN's server, and a web server by address alone.
pub(crate) const FOREIGN_RESOLVER: (&str, &str) = ("11.0.4.1", "2d00:4::1");
/// The end of a VPN.
pub(crate) const VPN: (&str, &str) = ("11.0.5.1", "2d00:5::1");
/// An onion relay.
pub(crate) const RELAY: (&str, &str) = ("11.0.6.1", "2d00:6::1");

/// Ports of our own servers: each echoes what it hears.
pub(crate) const ECHO: u16 = 7777;

/// A page that opens a WebSocket over TLS over each family, and one to help, says something on each again and again, writes what comes
/// back into itself, and tells help's site of it.
const LIVE: &str = "<!doctype html><title>live</title><body><script>
function tell(words) { document.body.append(words + ' '); fetch('https://helpline.test/told?' + words, {mode: 'no-cors', cache: 'no-store'}); }
for (const name of ['four.open.test', 'six.open.test', 'helpline.test']) {
    const socket = new WebSocket('wss://' + name + '/socket');
    socket.onopen = () => setInterval(() => socket.send('hello'), 500);
    socket.onmessage = message => tell(name + '-' + message.data);
    socket.onclose = () => tell(name + '-closed');
}
</script>";

/// What a server of ours heard: how many connections or datagrams.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<HashMap<SocketAddr, usize>>>);

impl Heard {
    fn count(&self, at: SocketAddr) {
        *self.0.lock().unwrap().entry(at).or_default() += 1;
    }

    /// How often something came there.
    pub(crate) fn at(&self, address: &str, port: u16) -> usize {
        let at = SocketAddr::new(address.parse().unwrap(), port);
        self.0.lock().unwrap().get(&at).copied().unwrap_or(0)
    }
}

/// The internet.
pub(crate) struct Internet {
    pub(crate) machine: Machine,
    pub(crate) heard: Heard,
    pub(crate) folder: TempDir,
    _servers: Vec<Program>,
}

impl Internet {
    /// A machine whose `wan` is the line to the router; its servers run.
    pub(crate) fn start(machine: Machine) -> Self {
        for (_, theirs) in LINE {
            machine.ip(&format!("address add {theirs} dev wan"));
        }
        let addresses = || {
            let sites = SITES.iter().map(|(_, four, six)| (*four, *six));
            let others = [FOREIGN_RESOLVER, RESOLVER, VPN, RELAY, (NAMES, "2d00:1::53")];
            sites.chain(others).chain(KNOWN_RESOLVERS)
        };
        for (four, six) in addresses() {
            machine.ip(&format!("address replace {four}/32 dev lo"));
            machine.ip(&format!("address replace {six}/128 dev lo"));
        }
        machine.ip("link set wan up");
        machine.ip("route add 2d00:77::/48 via 2d00:1::2");
        let folder = tempfile::tempdir().unwrap();
        // nginx and nsd drop to other users where the tests run as root.
        assert!(
            std::process::Command::new("chmod").arg("755").arg(folder.path()).status().unwrap().success()
        );
        certificate(folder.path());
        let mut servers = vec![
            nsd(&machine, folder.path()),
            nginx(&machine, folder.path()),
            unbound(&machine, folder.path()),
        ];
        let (four, six) =
            SITES.iter().find(|(name, ..)| *name == "vps.test").map(|(_, four, six)| (*four, *six)).unwrap();
        for (over, at) in [("udp4", four), ("udp6", six), ("tcp4-server", four), ("tcp6-server", six)] {
            servers.push(openvpn(&machine, folder.path(), over, at));
        }
        let heard = Heard::default();
        for (_, four, six) in SITES {
            for port in [ECHO, 8880] {
                stream_server(&machine, &heard, (four, port), echo);
                stream_server(&machine, &heard, (six, port), echo);
            }
        }
        for (four, six) in KNOWN_RESOLVERS {
            stream_server(&machine, &heard, (four, ECHO), echo);
            stream_server(&machine, &heard, (six, ECHO), echo);
        }
        for (four, six) in [VPN, RELAY, FOREIGN_RESOLVER] {
            for address in [four, six] {
                stream_server(&machine, &heard, (address, 9001), echo);
                if (four, six) != FOREIGN_RESOLVER {
                    stream_server(&machine, &heard, (address, ECHO), echo);
                }
                stream_server(&machine, &heard, (address, 853), echo);
                datagram_server(&machine, &heard, (address, 51820));
                datagram_server(&machine, &heard, (address, 53));
                datagram_server(&machine, &heard, (address, 443));
                datagram_server(&machine, &heard, (address, 853));
            }
        }
        for (_, four, six) in
            SITES.iter().filter(|(name, _, _)| ["open.test", "call.test", "helpline.test"].contains(name))
        {
            for address in [four, six] {
                datagram_server(&machine, &heard, (address, ECHO));
                datagram_server(&machine, &heard, (address, 443));
            }
        }
        let internet = Self { machine, heard, folder, _servers: servers };
        internet.wait_until_it_answers();
        internet
    }

    fn wait_until_it_answers(&self) {
        wait_for("nsd", || {
            let at = format!("@{NAMES}");
            let words = ["+time=1", "+tries=1", "+short", &at, "open.test", "A"];
            self.machine.says("dig", &words).contains("11.0.1.1").then_some(())
        });
        let told = ["nginx.err", "nginx.log"].map(|file| self.folder.path().join(file));
        wait_for("nginx", || {
            let connected = self.machine.within(|| TcpStream::connect(("11.0.1.1", 443)));
            let wrong = told
                .iter()
                .filter_map(|file| std::fs::read_to_string(file).ok())
                .find(|t| t.contains("[emerg]"));
            assert!(wrong.is_none(), "{wrong:?}");
            connected.ok()
        });
        wait_for("unbound", || {
            let words =
                ["+tls", "+time=1", "+retry=0", "+short", &format!("@{}", RESOLVER.0), "casino.test", "A"];
            self.machine.says("kdig", &words).contains("11.0.1.2").then_some(())
        });
    }

    /// How often a page has told these words.
    pub(crate) fn told(&self, words: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("told.log")).unwrap_or_default();
        log.lines().filter(|line| *line == words).count()
    }

    /// Whether the resolver that is not ours was asked for a name.
    pub(crate) fn resolver_was_asked(&self, name: &str) -> bool {
        let log = std::fs::read_to_string(self.folder.path().join("unbound.log")).unwrap_or_default();
        // What we asked ourselves, to see whether it runs, came from its own machine.
        log.lines()
            .any(|line| line.contains(&format!(" {name}. ")) && !line.contains(&format!(" {} ", RESOLVER.0)))
    }
}

/// Asks again until the answer is there; panics when patience ends.
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_at_most(PATIENCE, what, look)
}

/// The same with a patience of its own.
pub(crate) fn wait_at_most<T>(most: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < most, "waited {most:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn nsd(machine: &Machine, folder: &Path) -> Program {
    let mut zone =
        "$ORIGIN test.\n$TTL 300\n@ IN SOA ns.test. host.test. 1 3600 600 86400 60\n@ IN NS ns.test.\n\
                    ns IN A 11.0.0.53\nalias IN CNAME casino.test.\nalso IN CNAME open.test.\n\
                    six.open IN AAAA 2d00:2::1\nmodern IN A 11.0.1.1\nmodern IN HTTPS 1 . alpn=\"h2\"\n"
            .to_owned();
    for (name, four, six) in SITES {
        zone.push_str(&format!("{name}. IN A {four}\n{name}. IN AAAA {six}\n*.{name}. IN A {four}\n"));
    }
    for (name, four, six) in OTHERS {
        zone.push_str(&format!("{name}. IN A {four}\n{name}. IN AAAA {six}\n"));
    }
    std::fs::write(folder.join("test.zone"), zone).unwrap();
    let conf = format!(
        "server:\n ip-address: {NAMES}\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{dir}\"\n \
         pidfile: \"{dir}/nsd.pid\"\n xfrdfile: \"{dir}/xfrd\"\n xfrdir: \"{dir}\"\n zonelistfile: \"{dir}/zones\"\n rrl-ratelimit: 0\n\
         remote-control:\n control-enable: no\nzone:\n name: test\n zonefile: test.zone\n",
        dir = folder.display()
    );
    std::fs::write(folder.join("nsd.conf"), conf).unwrap();
    let mut nsd = program("/usr/sbin/nsd");
    nsd.arg("-d").arg("-c").arg(folder.join("nsd.conf")).stdout(Stdio::null());
    nsd.stderr(std::fs::File::create(folder.join("nsd.log")).unwrap());
    machine.start(nsd)
}

/// A resolver over TLS and HTTPS, whose log says what it was asked.
fn unbound(machine: &Machine, folder: &Path) -> Program {
    let at = |port| format!(" interface: {}@{port}\n interface: {}@{port}\n", RESOLVER.0, RESOLVER.1);
    let sites: String = SITES
        .iter()
        .map(|(name, four, six)| {
            format!(" local-data: \"{name}. 60 IN A {four}\"\n local-data: \"{name}. 60 IN AAAA {six}\"\n")
        })
        .collect();
    let conf = format!(
        "server:\n{tls}{https} tls-port: 853\n https-port: 443\n tls-service-key: \"{dir}/key.pem\"\n \
         tls-service-pem: \"{dir}/cert.pem\"\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n directory: \"{dir}\"\n \
         pidfile: \"{dir}/unbound.pid\"\n use-syslog: no\n logfile: \"{dir}/unbound.log\"\n log-queries: yes\n \
         access-control: 0.0.0.0/0 allow\n access-control: ::/0 allow\n module-config: \"iterator\"\n num-threads: 1\n \
         local-zone: \"test.\" static\n{sites}remote-control:\n control-enable: no\n",
        tls = at(853),
        https = at(443),
        dir = folder.display()
    );
    std::fs::write(folder.join("unbound.conf"), conf).unwrap();
    let mut unbound = program("/usr/sbin/unbound");
    unbound.arg("-d").arg("-c").arg(folder.join("unbound.conf")).stdout(Stdio::null());
    unbound.stderr(std::fs::File::create(folder.join("unbound.err")).unwrap());
    machine.start(unbound)
}

/// The end of a VPN, with a certificate that is its own authority. No packet of it reaches a network: it has a device that swallows all.
fn openvpn(machine: &Machine, folder: &Path, over: &str, at: &str) -> Program {
    let mut openvpn = program("/usr/sbin/openvpn");
    openvpn.args(["--dev", "null", "--proto", over, "--local", at, "--port", &OPENVPN.to_string()]);
    openvpn.args(["--tls-server", "--dh", "none", "--verb", "3", "--float"]);
    for (word, file) in [("--ca", "cert.pem"), ("--cert", "cert.pem"), ("--key", "key.pem")] {
        openvpn.arg(word).arg(folder.join(file));
    }
    let log = std::fs::File::create(folder.join(format!("openvpn.{over}.log"))).unwrap();
    openvpn.stdout(log.try_clone().unwrap()).stderr(log);
    machine.start(openvpn)
}

/// A self-signed certificate for every name of the lab.
fn certificate(folder: &Path) {
    let all = SITES.iter().chain(OTHERS);
    let names: Vec<String> = all.map(|(name, _, _)| format!("DNS:{name},DNS:*.{name}")).collect();
    let done = program("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=the lab's internet", "-addext", &format!("subjectAltName={}", names.join(","))])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn nginx(machine: &Machine, folder: &Path) -> Program {
    let root = folder.join("www");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("long"), vec![b'x'; 32 << 20]).unwrap();
    std::fs::write(root.join("live.html"), LIVE).unwrap();
    let listens: String = SITES
        .iter()
        .flat_map(|(_, four, six)| [(*four).to_owned(), format!("[{six}]")])
        .map(|at| {
            let web = |port| format!("listen {at}:{port};");
            let tls = |port| format!("listen {at}:{port} ssl http2;");
            [web(80), web(8080), tls(443), tls(8443), tls(2053)].concat()
        })
        .collect();
    let conf = format!(
        "daemon off; master_process off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log; user root;\n\
         events {{ worker_connections 512; }}\nhttp {{ access_log off; log_format told $args; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
         fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
         ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;\n\
         server {{ {listens} root {root};\n\
         location /quic {{ default_type text/html; add_header Alt-Svc 'h3=\":443\"; ma=3600' always;\n\
         return 200 '<script>x=new XMLHttpRequest();x.open(\"GET\",\"/\",false);x.send();document.write(x.responseText)</script>'; }}\n\
         location /slow {{ alias {root}/long; limit_rate 100k; }}\n\
         location = /live {{ default_type text/html; alias {root}/live.html; }}\n\
         location = /told {{ access_log {dir}/told.log told; return 204; }}\n\
         location / {{ return 200 \"$host at $server_addr over $server_protocol\\n\"; }}\n\
         location /socket {{ proxy_pass http://127.0.0.1:7000; proxy_http_version 1.1; proxy_read_timeout 1h;\n\
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }} }}\n",
        dir = folder.display(),
        root = root.display()
    );
    std::fs::write(folder.join("nginx.conf"), conf).unwrap();
    stream_server(machine, &Heard::default(), ("127.0.0.1", 7000), crate::sockets::serve);
    let mut nginx = program("/usr/sbin/nginx");
    nginx.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder).stdout(Stdio::null());
    nginx.stderr(std::fs::File::create(folder.join("nginx.err")).unwrap());
    machine.start(nginx)
}

/// A server of ours for streams, on a thread for each: it ends with the test's process.
fn stream_server(machine: &Machine, heard: &Heard, at: (&str, u16), serve: fn(TcpStream)) {
    let at = SocketAddr::new(at.0.parse::<IpAddr>().unwrap(), at.1);
    let listener = machine.within(move || TcpListener::bind(at).unwrap_or_else(|e| panic!("{at}: {e}")));
    let heard = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            heard.count(at);
            std::thread::spawn(move || serve(stream));
        }
    });
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

fn datagram_server(machine: &Machine, heard: &Heard, at: (&str, u16)) {
    let at = SocketAddr::new(at.0.parse::<IpAddr>().unwrap(), at.1);
    let socket = machine.within(move || UdpSocket::bind(at).unwrap_or_else(|e| panic!("{at}: {e}")));
    let heard = heard.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((read, from)) = socket.recv_from(&mut buffer) {
            heard.count(at);
            let _ = socket.send_to(&buffer[..read], from);
        }
    });
}
