use super::*;
use crate::sni::Hello;
use crate::tunnel::opening::PlainHead;
use blocklists::Domain;

fn name(text: &str) -> TargetHost {
    TargetHost::Name(Domain::parse(text).unwrap())
}

fn tls(name: Option<&str>, encrypted: bool) -> Spoken {
    Spoken::Tls(Hello { name: name.map(|n| Domain::parse(n).unwrap()), encrypted })
}

fn plain(host: &str, websocket: Option<&str>) -> Spoken {
    let host = Target::parse(host, Some(80)).unwrap();
    Spoken::Plain(PlainHead { host, websocket: websocket.map(Path::read), length: 0 })
}

#[test]
fn what_follows_from_the_first_bytes() {
    let dialled: IpAddr = "198.51.100.7".parse().unwrap();
    let address = || TargetHost::Address(dialled);
    let to = |host: &TargetHost, port| Target { host: host.clone(), port };
    let site = || to(&name("site.test"), 443);
    let judge = |hosts: &[TargetHost]| Then::Judge(hosts.to_vec());
    for (spoken, target, meant) in [
        (tls(Some("site.test"), false), site(), Then::Flow),
        (tls(Some("site.test"), true), site(), Then::Flow),
        (tls(None, false), site(), judge(&[address()])),
        (tls(None, true), site(), judge(&[address()])),
        (tls(None, false), to(&name("mail.test"), 993), Then::Flow),
        (tls(None, false), to(&name("mail.test"), 8443), judge(&[address()])),
        (tls(None, false), to(&address(), 443), Then::Flow),
        (tls(Some("other.test"), false), site(), judge(&[name("other.test")])),
        (tls(Some("outer.test"), true), site(), judge(&[name("outer.test"), address()])),
        (tls(Some("site.test"), false), to(&address(), 443), judge(&[name("site.test")])),
        (plain("site.test", Some("/a")), site(), Then::Upgrade(Path::read("/a"))),
        (plain("site.test:8080", Some("/")), site(), Then::Upgrade(Path::read("/"))),
        (plain("other.test", Some("/")), site(), Then::Stray(name("other.test"))),
        (plain("site.test", None), site(), Then::Advise),
        (Spoken::Nameless, site(), judge(&[address()])),
        (Spoken::Nameless, to(&name("mail.test"), 993), judge(&[address()])),
        (Spoken::Nameless, to(&address(), 443), Then::Flow),
        (Spoken::Nothing, site(), Then::Close),
    ] {
        assert_eq!(then(&spoken, &target, dialled), meant, "{spoken:?} to {target:?}");
    }
}
