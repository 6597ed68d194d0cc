//! What is made, kept and shown; what is refused.

use super::*;
use rustls::pki_types::{ServerName, UnixTime};
use std::os::unix::fs::PermissionsExt;

fn gateway() -> Gateway {
    Gateway { home_network: vec![("203.0.113.0".parse().unwrap(), 24)], ..Gateway::default() }
}

fn state() -> (tempfile::TempDir, State) {
    let dir = tempfile::tempdir().unwrap();
    let state = State { dir: dir.path().to_owned() };
    (dir, state)
}

/// Whether a device that knows the authority believes the certificate, for a name or an address, at a time.
fn believed(authority: &Authority, leaf: &CertifiedKey, host: &str, at: DateTime<Utc>) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.certificate_der().to_vec().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.timestamp() as u64));
    let name = ServerName::try_from(host.to_owned()).unwrap();
    use rustls::client::danger::ServerCertVerifier;
    verifier.unwrap().verify_server_cert(&leaf.cert[0], &[], &name, &[], at).is_ok()
}

#[test]
fn a_device_believes_it_for_the_gateway_alone() {
    let authority = Authority::make(&gateway(), now()).unwrap();
    let at = |address: &str| authority.leaf("hearthgate.home.arpa", address.parse().ok(), now()).unwrap();
    for (address, host, expected) in [
        ("192.168.4.1", "hearthgate.home.arpa", true),
        ("192.168.4.1", "jordan-tablet-7f3a19c6d2.hearthgate.home.arpa", true),
        ("192.168.4.1", "192.168.4.1", true),
        ("192.168.4.1", "192.168.4.2", false),
        ("192.168.4.1", "a.b.hearthgate.home.arpa", false),
        ("fd00::1", "fd00::1", true),
        ("203.0.113.9", "203.0.113.9", true),
        // An address that it may not sign for is left out, so that the rest is still believed.
        ("8.8.8.8", "8.8.8.8", false),
        ("8.8.8.8", "hearthgate.home.arpa", true),
    ] {
        assert_eq!(believed(&authority, &at(address), host, now()), expected, "{host} at {address}");
    }
    // Whoever stole the key could not play anybody else.
    for host in ["bank.example", "hearthgate.home.arpa.bank.example", "xhearthgate.home.arpa"] {
        let stolen = authority.leaf(host, None, now()).unwrap();
        assert!(!believed(&authority, &stolen, host, now()), "{host}");
    }
    assert!(!authority.covers("xhearthgate.home.arpa") && authority.covers("a.hearthgate.home.arpa"));
}

#[test]
fn a_certificate_lives_a_week_and_the_authority_ten_years() {
    let authority = Authority::make(&gateway(), now()).unwrap();
    let leaf = authority.leaf("hearthgate.home.arpa", None, now()).unwrap();
    for (days, expected) in [(-2, false), (0, true), (6, true), (8, false)] {
        let at = now() + Duration::days(days);
        assert_eq!(believed(&authority, &leaf, "hearthgate.home.arpa", at), expected, "{days} days");
    }
    assert_eq!((authority.about().until - now()).num_days() / 365, 9);
}

#[test]
fn the_authority_is_made_once_and_kept_private() {
    let (_dir, state) = state();
    let file = state.authority();
    let (first, is_new) = authority(&file, &gateway(), now()).unwrap();
    assert!(is_new);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "its key is for this account alone");
    let (again, is_new) = authority(&file, &gateway(), now()).unwrap();
    assert!(!is_new);
    assert_eq!(first.about(), again.about());
    let third = Authority::make(&gateway(), now()).unwrap();
    assert!(
        !third.keep_first(&file).unwrap(),
        "another one that comes at the same moment does not take its place"
    );
    assert_eq!(std::fs::read_dir(&state.dir).unwrap().count(), 1, "nothing is left lying about");
    assert!(!format!("{third:?}").contains("key"), "a log would not tell it");
    // A file that somebody broke is told, and never replaced in silence.
    std::fs::write(&file, "nonsense").unwrap();
    let told = authority(&file, &gateway(), now()).unwrap_err().to_string();
    assert!(told.contains("local-ca.pem") && told.contains("no certificate"), "{told}");
}

#[test]
fn it_is_made_anew_before_it_ends_and_when_the_clock_jumps() {
    let (_dir, state) = state();
    let certificates = Certificates::open(&gateway(), &state.dir, &state).unwrap();
    let shown = || certificates.of(&[b"h2"])(Some("192.168.4.1".parse().unwrap())).unwrap();
    let first = shown();
    assert!(Arc::ptr_eq(&first, &shown()), "it is made once");
    assert!(!Arc::ptr_eq(&first, &certificates.of(&[b"dot"])(None).unwrap()));
    for (days, anew) in [(0, false), (2, false), (4, true), (4, false), (-4, true), (0, true)] {
        let before = shown();
        certificates.look(now() + Duration::days(days));
        assert_eq!(!Arc::ptr_eq(&before, &shown()), anew, "{days} days");
    }
    // Another authority in its place is seen.
    let before = shown();
    Authority::make(&gateway(), now()).unwrap().keep(&state.authority()).unwrap();
    certificates.look(now());
    assert!(!Arc::ptr_eq(&before, &shown()));
}

#[test]
fn addresses_without_end_fill_no_memory() {
    let (_dir, state) = state();
    let certificates = Certificates::open(&gateway(), &state.dir, &state).unwrap();
    let shown = certificates.of(&[b"h2"]);
    for last in 0..200 {
        assert!(shown(Some(IpAddr::from([192, 168, 4, last]))).is_some());
    }
    let kept = certificates.shown.load().made.lock().unwrap().len();
    assert!(kept <= MOST_KEPT, "{kept}");
}

/// Writes a pair of files that another authority signed.
fn pair(dir: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned(), format!("*.{name}")]).unwrap();
    params.not_after = rcgen::date_time_ymd(2099, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("chain.pem"), certificate.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

#[test]
fn files_are_read_again_when_both_have_changed() {
    let (dir, state) = state();
    let files = Certificate::Files { chain: "chain.pem".into(), key: "key.pem".into() };
    let gateway = Gateway { certificate: files, ..gateway() };
    let told = |gateway: &Gateway| Certificates::open(gateway, dir.path(), &state).err().unwrap().sentence;
    assert!(told(&gateway).contains("chain.pem"));
    pair(dir.path(), "other.example");
    assert!(told(&gateway).contains("it is not for hearthgate.home.arpa"), "{}", told(&gateway));
    pair(dir.path(), "hearthgate.home.arpa");
    let certificates = Certificates::open(&gateway, dir.path(), &state).unwrap();
    let shown = || certificates.of(&[b"h2"])(None).unwrap();
    let first = shown();
    // What renews certificates writes one file after the other: in between the two do not fit.
    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    pair(dir.path(), "hearthgate.home.arpa");
    let new_key = std::fs::read(dir.path().join("key.pem")).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    certificates.look(now());
    assert!(Arc::ptr_eq(&first, &shown()), "the last pair serves on");
    assert!(told(&gateway).contains("belongs to another certificate"));
    std::fs::write(dir.path().join("key.pem"), new_key).unwrap();
    certificates.look(now());
    assert!(!Arc::ptr_eq(&first, &shown()));
    assert!(!state.authority().exists(), "no authority is made where none is wanted");
}

#[test]
fn a_name_that_the_authority_may_not_sign_for_is_told() {
    let (_dir, state) = state();
    Certificates::open(&gateway(), &state.dir, &state).unwrap();
    let renamed = Gateway { name: blocklists::Domain::parse("dns.oakview.example").unwrap(), ..gateway() };
    let told = Certificates::open(&renamed, &state.dir, &state).err().unwrap();
    assert!(told.sentence.contains("dns.oakview.example") && told.help.contains("--renew"), "{told}");
}
