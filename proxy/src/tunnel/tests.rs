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
    Spoken::Plain(PlainHead { host, websocket: websocket.map(Into::into), length: 0 })
}

#[test]
fn what_follows_from_the_first_bytes() {
    let dialled: IpAddr = "198.51.100.7".parse().unwrap();
    let site = || name("site.test");
    for (spoken, target, meant) in [
        (tls(Some("site.test"), false), site(), Then::Flow),
        (tls(Some("site.test"), true), site(), Then::Flow),
        (tls(None, false), site(), Then::Flow),
        (tls(None, false), TargetHost::Address(dialled), Then::Flow),
        (tls(Some("other.test"), false), site(), Then::Judge(name("other.test"))),
        (tls(Some("outer.test"), true), site(), Then::Judge(name("outer.test"))),
        (tls(Some("site.test"), false), TargetHost::Address(dialled), Then::Judge(site())),
        (plain("site.test", Some("/a")), site(), Then::Upgrade("/a".into())),
        (plain("site.test:8080", Some("/")), site(), Then::Upgrade("/".into())),
        (plain("other.test", Some("/")), site(), Then::Stray(name("other.test"))),
        (plain("site.test", None), site(), Then::Advise),
        (Spoken::Nameless, site(), Then::Judge(TargetHost::Address(dialled))),
        (Spoken::Nameless, TargetHost::Address(dialled), Then::Flow),
        (Spoken::Nothing, site(), Then::Close),
    ] {
        assert_eq!(then(&spoken, &target, dialled), meant, "{spoken:?} to {target}");
    }
}
