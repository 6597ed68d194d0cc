//! The internet of these tests: a real authoritative server (nsd) and a real web server (nginx), on loopback.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take to come up before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A child process that ends with the test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end and gives its standard output; the program must exist.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// What a test needs is not here. Only who says so (`HEARTHGATE_MAY_SKIP=yes`) does without; `./test` never does.
pub(crate) fn missing(what: &str) {
    let may = std::env::var_os("HEARTHGATE_MAY_SKIP").is_some();
    assert!(may, "{what} is missing; with HEARTHGATE_MAY_SKIP=yes the test is skipped");
    println!("skipped: {what} is missing");
}

/// Asks again until the answer is there; panics when patience ends.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that is free for UDP and TCP. The servers of Debian cannot be told to take any port and say which, so it
/// is chosen here, and below the ports (32768 and up) that the kernel gives to whoever asks for any: nobody else of
/// these tests takes it before the server does, or while the server is away.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const MANY: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    (0..MANY)
        .map(|_| {
            // Another run on this machine begins elsewhere.
            let turn = std::process::id().wrapping_mul(61).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            u16::try_from(FIRST + turn % MANY).unwrap()
        })
        .find(|port| {
            let at = (Ipv4Addr::LOCALHOST, *port);
            TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
        })
        .expect("a port is free")
}

/// The names of the test internet. `@WEB@` is where nginx stands.
const ZONE: &str = "\
$ORIGIN test.
$TTL 300
@ IN SOA ns.test. host.test. 1 3600 600 86400 60
@ IN NS ns.test.
ns IN A 127.0.0.1
open IN A 127.0.0.1
www.open IN A 127.0.0.1
video IN A 127.0.0.1
chat IN A 127.0.0.1
club IN A 127.0.0.1
casino IN A 127.0.0.1
www.casino IN A 127.0.0.1
innocent IN CNAME www.casino
school IN A 127.0.0.1
helpline IN A 127.0.0.1
ech IN HTTPS 1 . alpn=h2 ech=AEX+DQBBAAAgACBYmfTiEFYFoGbGuGDVhFWTQYmvJ9wZtNEVsu2z0Xl3TAAEAAEAAQASY2xvdWRmbGFyZS1lY2guY29tAAA=
ech IN A 127.0.0.1
big IN TXT \"one\"
";

/// The test internet.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) dns_port: u16,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    nsd: Option<Process>,
    _nginx: Process,
}

impl World {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // nginx and nsd drop to other users where the tests run as root.
        let _ = Command::new("chmod").arg("755").arg(folder.path()).status();
        let (dns_port, http_port, https_port) = (free_port(), free_port(), free_port());
        certificate(folder.path());
        let nginx = nginx(folder.path(), http_port, https_port);
        let mut world = Self { folder, dns_port, http_port, https_port, nsd: None, _nginx: nginx };
        world.dns_up();
        world
    }

    /// Starts the authoritative server and waits until it answers.
    pub(crate) fn dns_up(&mut self) {
        let dir = self.folder.path();
        fs::write(dir.join("test.zone"), ZONE).unwrap();
        let conf = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{dir}\"\n pidfile: \"{dir}/nsd.pid\"\n xfrdfile: \"{dir}/xfrd\"\n xfrdir: \"{dir}\"\n zonelistfile: \"{dir}/zones\"\n rrl-ratelimit: 0\n hide-version: yes\nremote-control:\n control-enable: no\nzone:\n name: test\n zonefile: test.zone\n",
            port = self.dns_port,
            dir = dir.display()
        );
        let path = dir.join("nsd.conf");
        fs::write(&path, conf).unwrap();
        let nsd = Command::new("/usr/sbin/nsd")
            .arg("-d")
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("nsd.log")).unwrap())
            .spawn()
            .expect("nsd is installed (./test installs it)");
        self.nsd = Some(Process(nsd));
        let port = self.dns_port.to_string();
        wait_for("nsd", || {
            let out = output(
                "dig",
                &["+time=1", "+tries=1", "+short", "@127.0.0.1", "-p", &port, "open.test", "A"],
            );
            out.contains("127.0.0.1").then_some(())
        });
    }

    /// Takes the authoritative server away.
    pub(crate) fn dns_down(&mut self) {
        self.nsd = None;
    }
}

/// A self-signed certificate for every name of the test internet.
fn certificate(dir: &Path) {
    let names: Vec<String> = ["open", "video", "chat", "club", "casino", "www.casino", "school", "helpline"]
        .iter()
        .map(|n| format!("DNS:{n}.test"))
        .collect();
    let done = Command::new("openssl")
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
        .args(["-subj", "/CN=test internet", "-addext", &format!("subjectAltName={}", names.join(","))])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .output()
        .expect("openssl is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn nginx(dir: &Path, http_port: u16, https_port: u16) -> Process {
    let root = dir.join("www");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("index.html"), "hello from the test internet\n").unwrap();
    fs::write(root.join("long"), vec![b'x'; 64 << 20]).unwrap();
    // One process: a worker would outlive a master that is killed.
    let conf = format!(
        r#"daemon off;
master_process off;
user root;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{}}
http {{
    access_log off;
    add_header Cache-Control no-store;
    client_body_temp_path {dir}/b;
    proxy_temp_path {dir}/p;
    fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u;
    scgi_temp_path {dir}/s;
    root {root};
    server {{
        listen 127.0.0.1:{http_port};
        location /slow {{ alias {root}/long; limit_rate 200k; }}
        location /echo {{
            add_header X-Connection "$http_connection";
            add_header X-Proxy-Auth "$http_proxy_authorization";
            add_header X-Via "$http_via";
            return 200 "$request_uri\n";
        }}
    }}
    server {{
        listen 127.0.0.1:{https_port} ssl;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        location /slow {{ alias {root}/long; limit_rate 200k; }}
    }}
}}
"#,
        dir = dir.display(),
        root = root.display()
    );
    // The `user` directive is refused quietly when the tests do not run as root.
    let path = dir.join("nginx.conf");
    fs::write(&path, conf).unwrap();
    let nginx = Command::new("/usr/sbin/nginx")
        .arg("-c")
        .arg(&path)
        .args(["-p"])
        .arg(dir)
        .stdout(Stdio::null())
        .stderr(fs::File::create(dir.join("nginx.err")).unwrap())
        .spawn()
        .expect("nginx is installed (./test installs it)");
    let process = Process(nginx);
    wait_for("nginx", || TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, http_port))).ok());
    wait_for("nginx with TLS", || {
        TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, https_port))).ok()
    });
    process
}

/// Reads what a child has written so far, without waiting for its end.
pub(crate) fn read_file(path: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut file) = fs::File::open(path) {
        let _ = file.read_to_string(&mut text);
    }
    text
}
