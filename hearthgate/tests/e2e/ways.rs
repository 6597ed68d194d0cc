//! Encrypted DNS with the clients that homes have: `kdig`, `curl`, `openssl`, against the certificate of the home's own
//! authority.

use crate::SATURDAY;
use crate::home::{Gateway, Home, JORDAN, STRANGER};
use crate::world::{World, output, wait_for};
use std::fs;

const OWN: &str = "hearthgate.home.arpa";
const TOKEN: &str = "jordan-tablet-7f3a19c6d2";

/// A home whose gateway listens for encrypted DNS too.
fn home(world: &World) -> Home {
    let home = Home::new(world);
    let gateway = fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    let more = "listen:\n  dns_tls: [\"127.0.0.1:0\"]\n  dns_https: [\"127.0.0.1:0\"]\n";
    home.write("gateway.yaml", &gateway.replace("listen:\n", more));
    home
}

/// The authority's certificate as a file for devices.
fn authority(home: &Home) -> String {
    let file = home.path().join("ca.pem").display().to_string();
    let (code, out, err) = home.command(&["ca", "--out", &file]);
    assert_eq!(code, 0, "{out}{err}");
    file
}

/// One question over DoT, with a TLS server name.
fn dot(home: &Home, (from, ca, name): (&str, &str, &str), rest: &[&str]) -> String {
    let port = home.port("dns_tls").to_string();
    let (ca, host, sni) =
        (format!("+tls-ca={ca}"), format!("+tls-hostname={name}"), format!("+tls-sni={name}"));
    let first = ["@127.0.0.1", "-p", &port, "-b", from, "+timeout=5", "+retry=0", &ca, &host, &sni];
    output("kdig", &[&first[..], rest].concat())
}

/// One question over DoH, at a path.
fn doh(home: &Home, (from, ca, path): (&str, &str, &str), rest: &[&str]) -> String {
    let port = home.port("dns_https").to_string();
    let (ca, host, path) =
        (format!("+tls-ca={ca}"), format!("+tls-hostname={OWN}"), format!("+https={path}"));
    let first = ["@127.0.0.1", "-p", &port, "-b", from, "+timeout=5", "+retry=0", &path, &ca, &host];
    output("kdig", &[&first[..], rest].concat())
}

#[test]
fn kdig_over_tls_and_https_with_a_certificate_that_it_believes() {
    let world = World::start();
    let home = home(&world);
    let made = home.json(&["ca", "--json"]);
    assert_eq!((&made["made_now"], &made["in_use"]), (&true.into(), &true.into()), "{made}");
    let gateway = Gateway::start_logging(&home, SATURDAY, "trace");
    let ca = authority(&home);
    let same = home.json(&["ca", "--json"]);
    assert_eq!((&same["made_now"], &same["fingerprint"]), (&false.into(), &made["fingerprint"]), "{same}");

    // By address, then by the device's own token from an address that nobody knows.
    let by_token = format!("{TOKEN}.{OWN}");
    for (from, name, question, expected) in [
        (JORDAN, OWN, "open.test", "127.0.0.1"),
        (JORDAN, OWN, "casino.test", "EDE: 17"),
        (STRANGER, OWN, "open.test", "EDE: 15"),
        (STRANGER, by_token.as_str(), "open.test", "127.0.0.1"),
        (STRANGER, &by_token, "casino.test", "EDE: 17"),
        (STRANGER, "nobody-s-tablet.hearthgate.home.arpa", "open.test", "EDE: 15"),
    ] {
        let answer = dot(&home, (from, &ca, name), &[question, "A"]);
        assert!(answer.contains(expected), "DoT {from} {name} {question}: {answer}");
        assert!(answer.contains("Received 468 B"), "padded: {answer}");
    }
    let own_path = format!("/dns-query/{TOKEN}");
    for (from, path, question, expected) in [
        (JORDAN, "/dns-query", "open.test", "127.0.0.1"),
        (STRANGER, "/dns-query", "open.test", "EDE: 15"),
        (STRANGER, own_path.as_str(), "open.test", "127.0.0.1"),
        (STRANGER, &own_path, "casino.test", "EDE: 17"),
    ] {
        for how in ["+https", "+https-get"] {
            let flags: &[&str] = if how == "+https-get" { &[how, question, "A"] } else { &[question, "A"] };
            let answer = doh(&home, (from, &ca, path), flags);
            assert!(answer.contains(expected), "DoH {how} {from} {path} {question}: {answer}");
            assert!(answer.contains("HTTP/2"), "{answer}");
        }
    }
    // A device that does not know the authority does not believe it, and one that looks for another name neither.
    let stranger = world.folder.path().join("cert.pem").display().to_string();
    assert!(!dot(&home, (JORDAN, &stranger, OWN), &["open.test", "A"]).contains("NOERROR"));
    assert!(!dot(&home, (JORDAN, &ca, "dns.example"), &["open.test", "A"]).contains("NOERROR"));

    let log = gateway.log();
    assert!(
        log.len() > 1000 && !log.to_lowercase().contains(TOKEN),
        "no token stands in the log, whatever its level"
    );
    let (_, shown, _) = home.command(&["ca"]);
    assert!(shown.contains("SHA-256") && !shown.contains("PRIVATE KEY") && !log.contains("PRIVATE KEY"));
    assert_eq!(gateway.stop("-TERM"), Some(0), "with connections that were open");
}

#[test]
fn openssl_believes_the_certificate_and_its_address() {
    let world = World::start();
    let home = home(&world);
    let _gateway = Gateway::start(&home, SATURDAY);
    let ca = authority(&home);
    let at = format!("127.0.0.1:{}", home.port("dns_tls"));
    let verified = |more: &[&str]| {
        let first = ["s_client", "-connect", &at, "-CAfile", &ca, "-verify_return_error", "-brief"];
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(first).args(more).stdin(std::process::Stdio::null());
        openssl.output().expect("openssl is installed")
    };
    // RFC 9462 §4.2: the certificate names the address that the device asked in the clear.
    for more in [
        &["-verify_hostname", OWN, "-servername", OWN][..],
        &[
            "-verify_hostname",
            "jordan-tablet-7f3a19c6d2.hearthgate.home.arpa",
            "-servername",
            "jordan-tablet-7f3a19c6d2.hearthgate.home.arpa",
        ],
        &["-verify_ip", "127.0.0.1", "-noservername"],
    ] {
        let out = verified(more);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() && told.contains("Verification: OK"), "{more:?}: {told}");
    }
    assert!(!verified(&["-verify_ip", "127.0.0.2", "-noservername"]).status.success());
    let found =
        output("kdig", &["@127.0.0.1", "-p", &home.port("dns").to_string(), "_dns.resolver.arpa", "SVCB"]);
    for part in ["alpn=dot", "alpn=h2", "ipv4hint=127.0.0.1", &format!("port={}", home.port("dns_https"))] {
        assert!(found.contains(part), "no `{part}`: {found}");
    }
    let path = found.contains("key7=") || found.contains("dohpath=");
    assert!(path, "{found}");
}

#[test]
fn curl_with_a_doh_url() {
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let ca = authority(&home);
    let port = home.port("dns_https");
    let here = format!("{OWN}:{port}:127.0.0.1");
    let curl = |from: &str, path: &str, url: &str| {
        let doh = format!("https://{OWN}:{port}{path}");
        output(
            "curl",
            &[
                "-sS",
                "--max-time",
                "20",
                "--interface",
                from,
                "--cacert",
                &ca,
                "--resolve",
                &here,
                "--doh-url",
                &doh,
                url,
            ],
        )
    };
    let open = format!("http://open.test:{}/", world.http_port);
    assert_eq!(curl(JORDAN, "/dns-query", &open), "hello from the test internet\n");
    assert_eq!(
        curl(STRANGER, "/dns-query/jordan-tablet-7f3a19c6d2", &open),
        "hello from the test internet\n"
    );
    // Beside it, inside TLS, a phone asks how long the internet stays open (RFC 8908).
    let told = format!("https://{OWN}:{port}/captive-portal");
    let told = output("curl", &["-sS", "--interface", JORDAN, "--cacert", &ca, "--resolve", &here, &told]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["user-portal-url"], format!("https://{OWN}:{port}/sign-in"), "{told}");
    assert!(told["captive"] == false && told["seconds-remaining"].as_i64() > Some(60), "{told}");
    // So does what counts down on the page to sign in at.
    let script = format!("https://{OWN}:{port}/hearthgate/page.js");
    let script =
        output("curl", &["-sS", "--interface", JORDAN, "--cacert", &ca, "--resolve", &here, &script]);
    assert!(script.contains("[data-until]"), "{script}");
    // A refused name leads to the page that says why.
    let page = curl(JORDAN, "/dns-query", &format!("http://casino.test:{}/", gateway.pages));
    assert!(page.contains("casino.test") && page.contains("0800 1111"), "{page}");
    for (case, arguments, expected) in [
        ("body_too_long", &["--data-binary", "@-", "-H", "Content-Type: application/dns-message"][..], "413"),
        ("no_question", &[], "400"),
        ("other_type", &["-d", "x=1"], "415"),
    ] {
        let url = format!("https://{OWN}:{port}/dns-query");
        let first =
            ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", &ca, "--resolve", &here, &url];
        let ask = || {
            let mut child = std::process::Command::new("curl")
                .args(first)
                .args(arguments)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("curl is installed");
            let mut body = child.stdin.take().expect("a pipe");
            let _curl_may_not_want_it = std::io::Write::write_all(&mut body, &vec![b'x'; 100_000]);
            drop(body);
            let out = child.wait_with_output().expect("it ends");
            String::from_utf8_lossy(&out.stdout).into_owned()
        };
        // An answer that comes while curl still sends (RFC 9113 §8.1) is sometimes none to it: it then says 000.
        let said = (0..10).map(|_| ask()).find(|said| said != "000");
        assert_eq!(said.as_deref(), Some(expected), "{case}");
    }
}

#[test]
fn a_certificate_is_replaced_while_the_gateway_runs() {
    let world = World::start();
    let home = home(&world);
    let _gateway = Gateway::start(&home, SATURDAY);
    let first = authority(&home);
    assert!(dot(&home, (JORDAN, &first, OWN), &["open.test", "A"]).contains("NOERROR"));
    let old = fs::read(&first).unwrap();
    let (code, out, err) = home.command(&["ca", "--renew"]);
    assert_eq!(code, 0, "{out}{err}");
    let new = authority(&home);
    assert_ne!(fs::read(&new).unwrap(), old);
    wait_for("the new certificate", || {
        dot(&home, (JORDAN, &new, OWN), &["open.test", "A"]).contains("NOERROR").then_some(())
    });

    // From files, as what renews public certificates writes them.
    let pem = |name: &str| home.path().join(name).display().to_string();
    let certificate = |home: &Home| {
        let names = format!("subjectAltName=DNS:{OWN},DNS:*.{OWN}");
        let made = output(
            "sh",
            &[
                "-c",
                &format!(
                    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=files -addext {names} -keyout {} -out {} 2>&1",
                    pem("key.pem"),
                    pem("chain.pem")
                ),
            ],
        );
        assert!(home.path().join("chain.pem").exists(), "{made}");
    };
    certificate(&home);
    let gateway = fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    home.write("gateway.yaml", &format!("{gateway}certificate: {{chain: chain.pem, key: key.pem}}\n"));
    for round in 0..2 {
        wait_for("the certificate of the files", || {
            dot(&home, (JORDAN, &pem("chain.pem"), OWN), &["open.test", "A"])
                .contains("NOERROR")
                .then_some(())
        });
        if round == 0 {
            certificate(&home);
        }
    }
}

#[test]
fn a_profile_for_each_kind_of_device() {
    let world = World::start();
    let home = home(&world);
    let gateway = fs::read_to_string(home.path().join("gateway.yaml")).unwrap();
    let gateway = gateway
        .replace("dns_tls: [\"127.0.0.1:0\"]", "dns_tls: [\"0.0.0.0:853\"]")
        .replace("dns_https: [\"127.0.0.1:0\"]", "dns_https: [\"192.168.4.1:8853\"]");
    home.write("gateway.yaml", &gateway);
    let file = home.path().join("tablet.mobileconfig");
    let out = file.display().to_string();
    let (code, said, err) = home.command(&["profile", "jordan", "tablet", "--out", &out]);
    assert_eq!((code, said.as_str()), (0, ""), "{err}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds the device's token");
    let profile = fs::read_to_string(&file).unwrap();
    // Python's property lists are read by another's code; the certificate in it is the authority's.
    let script = "import plistlib,sys; p=plistlib.load(open(sys.argv[1],'rb')); c=p['PayloadContent']; \
        r=[(r['Action'], r.get('DNSServerAddressMatch')) for r in c[0].get('OnDemandRules', [])]; \
        print(c[0]['DNSSettings']['ServerURL'], c[0]['DNSSettings'].get('ServerAddresses'), r, c[0].get('ProhibitDisablement')); \
        open(sys.argv[2],'wb').write(c[1]['PayloadContent'])";
    let der = home.path().join("ca.der").display().to_string();
    let read = output("python3", &["-c", script, &out, &der]);
    // A name of the home's own: the profile holds where the home's name server is.
    let rules = "[('Connect', ['192.168.4.1']), ('Disconnect', None)]";
    let expected = format!("https://{OWN}:8853/dns-query/{TOKEN} ['192.168.4.1'] {rules} None\n");
    assert_eq!(read, expected, "{profile}");
    assert!(err.contains("and nowhere else"), "{err}");
    let shown =
        output("openssl", &["x509", "-inform", "DER", "-in", &der, "-noout", "-fingerprint", "-sha256"]);
    let told = home.json(&["ca", "--json"])["fingerprint"].as_str().unwrap().to_owned();
    assert!(shown.contains(&told), "{shown} {told}");

    let (code, android, _) = home.command(&["profile", "jordan", "tablet", "--kind", "android"]);
    assert!(android.contains("OUTSIDE THE HOME"), "{android}");
    assert!(
        code == 0 && android.contains(&format!("\n  {TOKEN}.{OWN}\n")) && android.contains("not work yet"),
        "{android}"
    );
    let (code, other, _) = home.command(&["profile", "jordan", "tablet", "--kind", "other"]);
    assert!(
        code == 0 && other.contains("port 853") && other.contains("/dns-query/jordan-tablet-7f3a19c6d2"),
        "{other}"
    );

    // A public name: it holds everywhere, and no address of the home's own stands in the way.
    home.write("gateway.yaml", &format!("name: dns.oakview.example\n{gateway}"));
    let to = ["profile", "jordan", "tablet", "--address", "192.168.4.1", "--out", &out];
    let (code, _, err) = home.command(&to);
    assert!(code == 0 && err.contains("left out"), "{code} {err}");
    let read = output("python3", &["-c", script, &out, &der]);
    assert_eq!(read, format!("https://dns.oakview.example:8853/dns-query/{TOKEN} None [] None\n"));
    // A name of the home's own, and nobody knows how a device sees that it is there.
    home.write("gateway.yaml", &gateway.replace("192.168.4.1:8853", "0.0.0.0:8853"));
    let (code, _, err) = home.command(&["profile", "jordan", "tablet"]);
    assert!(code == 1 && err.contains("--address"), "{code} {err}");
    home.write("gateway.yaml", &gateway);

    for (line, code, part) in [
        (&["profile", "jordn", "tablet"][..], 2, "Did you mean `jordan`"),
        (&["profile", "jordan", "tablit"], 2, "Did you mean `tablet`"),
        (&["profile", "jordan", "tablit"], 2, "There are: phone, tablet."),
        (&["profile", "jordan", "phone"], 1, "`token: jordan-phone-"),
    ] {
        let (gave, _, err) = home.command(line);
        assert!(gave == code && err.contains(part), "{line:?}: {gave} {err}");
    }
    home.write("gateway.yaml", "listen: {}\nstore: sqlite:state/home.db\n");
    let (code, _, err) = home.command(&["profile", "jordan", "tablet"]);
    assert!(code == 1 && err.contains("dns_https"), "{err}");
}

#[test]
fn a_browser_is_told_of_the_proxy() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", gateway.pages);
    for path in ["/wpad.dat", "/proxy.pac"] {
        let head = output("curl", &["-sS", "-i", &url(path)]);
        assert!(head.contains("application/x-ns-proxy-autoconfig"), "{head}");
        assert!(head.contains(&format!("PROXY {OWN}:{}", gateway.proxy)), "{head}");
    }
    // And a browser that goes by it is held by the proxy. Its own resolver knows the gateway's name and no other.
    let (profile, names) =
        (tempfile::tempdir().unwrap(), format!("MAP {OWN} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"));
    let page = output(
        "timeout",
        &[
            "120",
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            &format!("--user-data-dir={}", profile.path().display()),
            &format!("--host-resolver-rules={names}"),
            &format!("--proxy-pac-url={}", url("/proxy.pac")),
            "--dump-dom",
            "http://casino.test/",
        ],
    );
    assert!(page.contains("casino.test") && page.contains("otherwise: block"), "{page}");
    let refused = output("curl", &["-sS", "-i", "-H", "Host: casino.test", &url("/wpad.dat")]);
    assert!(refused.starts_with("HTTP/1.1 403"), "a site's own path is that site's: {refused}");
}
