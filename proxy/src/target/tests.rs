use super::*;

fn address(text: &str) -> TargetHost {
    TargetHost::Address(text.parse().unwrap())
}

fn name(text: &str) -> TargetHost {
    TargetHost::Name(Domain::parse(text).unwrap())
}

#[test]
fn authorities_are_read_as_written() {
    /// What is written, the port where none is, what it means.
    type Case = (&'static str, Option<u16>, Result<(TargetHost, u16), NotATarget>);
    let cases: &[Case] = &[
        ("site.test", Some(80), Ok((name("site.test"), 80))),
        ("SITE.test.", Some(80), Ok((name("site.test"), 80))),
        ("site.test:", Some(80), Ok((name("site.test"), 80))),
        ("site.test:8080", Some(80), Ok((name("site.test"), 8080))),
        ("site.test:65535", None, Ok((name("site.test"), 65535))),
        ("192.0.2.1:443", None, Ok((address("192.0.2.1"), 443))),
        ("[2001:db8::1]:443", None, Ok((address("2001:db8::1"), 443))),
        ("[::ffff:192.0.2.1]:443", None, Ok((address("192.0.2.1"), 443))),
        ("site.test", None, Err(NotATarget::Port)),
        ("site.test:", None, Err(NotATarget::Port)),
        ("site.test:0", None, Err(NotATarget::Port)),
        ("site.test:65536", None, Err(NotATarget::Port)),
        ("site.test:+80", None, Err(NotATarget::Port)),
        ("site.test:80:80", None, Err(NotATarget::Port)),
        ("site.test:000000080", None, Err(NotATarget::Port)),
        ("user@site.test:80", None, Err(NotATarget::UserInfo)),
        ("user:word@site.test:80", None, Err(NotATarget::UserInfo)),
        ("[2001:db8::1", Some(80), Err(NotATarget::Port)),
        ("[fe80::1%25eth0]:80", None, Err(NotATarget::Host)),
        ("2001:db8::1", Some(80), Err(NotATarget::Port)),
        ("127.1:80", None, Err(NotATarget::Host)),
        ("2130706433:80", None, Err(NotATarget::Host)),
        ("0x7f000001:80", None, Err(NotATarget::Host)),
        ("0x7f.0.0.0x1:80", None, Err(NotATarget::Host)),
        ("0177.0.0.1:80", None, Err(NotATarget::Host)),
        (":80", None, Err(NotATarget::Host)),
        ("", Some(80), Err(NotATarget::Host)),
        ("a..b:80", None, Err(NotATarget::Host)),
        ("a b:80", None, Err(NotATarget::Host)),
    ];
    for (text, default, meant) in cases {
        let read = Target::parse(text, *default).map(|t| (t.host, t.port));
        assert_eq!(&read, meant, "`{text}`");
    }
}

#[test]
fn nothing_inside_the_home_is_dialled() {
    let reach = Reach::default();
    let cases: &[(&str, Result<(), Closed>)] = &[
        ("8.8.8.8:80", Ok(())),
        ("[2606:4700::1111]:80", Ok(())),
        ("[64:ff9b::808:808]:80", Ok(())),
        ("[::ffff:8.8.8.8]:80", Ok(())),
        ("172.32.0.1:80", Ok(())),
        ("100.128.0.1:80", Ok(())),
        ("0.0.0.0:80", Err(Closed::Gateway)),
        ("127.0.0.1:80", Err(Closed::Gateway)),
        ("127.9.9.9:80", Err(Closed::Gateway)),
        ("[::1]:80", Err(Closed::Gateway)),
        ("[::]:80", Err(Closed::Gateway)),
        ("[::ffff:127.0.0.1]:80", Err(Closed::Gateway)),
        ("[64:ff9b::7f00:1]:80", Err(Closed::Gateway)),
        ("0.1.2.3:80", Err(Closed::Inside)),
        ("10.1.2.3:80", Err(Closed::Inside)),
        ("100.64.0.1:80", Err(Closed::Inside)),
        ("100.127.255.255:80", Err(Closed::Inside)),
        ("169.254.169.254:80", Err(Closed::Inside)),
        ("172.16.0.1:80", Err(Closed::Inside)),
        ("172.31.255.255:80", Err(Closed::Inside)),
        ("192.168.0.1:80", Err(Closed::Inside)),
        ("192.0.0.8:80", Err(Closed::Inside)),
        ("192.0.2.1:80", Err(Closed::Inside)),
        ("198.19.0.1:80", Err(Closed::Inside)),
        ("224.0.0.251:80", Err(Closed::Inside)),
        ("239.255.255.250:80", Err(Closed::Inside)),
        ("255.255.255.255:80", Err(Closed::Inside)),
        ("[::ffff:10.0.0.1]:80", Err(Closed::Inside)),
        ("[::10.0.0.1]:80", Err(Closed::Inside)),
        ("[64:ff9b::a00:1]:80", Err(Closed::Inside)),
        ("[64:ff9b:1::a00:1]:80", Err(Closed::Inside)),
        ("[2002:a00:1::1]:80", Err(Closed::Inside)),
        ("[2001:0:a00:1::1]:80", Err(Closed::Inside)),
        ("[2001:db8::1]:80", Err(Closed::Inside)),
        ("[2a00:1450::5efe:a00:1]:80", Err(Closed::Inside)),
        ("[fe80::1]:80", Err(Closed::Inside)),
        ("[fec0::1]:80", Err(Closed::Inside)),
        ("[fc00::1]:80", Err(Closed::Inside)),
        ("[fd12:3456::1]:80", Err(Closed::Inside)),
        ("[ff02::1]:80", Err(Closed::Inside)),
    ];
    for (to, meant) in cases {
        assert_eq!(&reach.check(to.parse().unwrap()).map(drop), meant, "{to}");
    }
}

#[test]
fn an_opened_network_is_dialled_save_the_gateways_own_ports() {
    let reach = Reach { home_network: vec![("127.0.0.0".parse().unwrap(), 8)], own_ports: vec![3128] };
    assert!(reach.check("127.0.0.1:80".parse().unwrap()).is_ok());
    assert!(reach.check("[::ffff:127.0.0.1]:80".parse().unwrap()).is_ok());
    assert_eq!(reach.check("127.0.0.1:3128".parse().unwrap()), Err(Closed::Gateway));
    assert_eq!(reach.check("127.44.0.1:3128".parse().unwrap()), Err(Closed::Gateway));
    assert_eq!(reach.check("0.0.0.0:3128".parse().unwrap()), Err(Closed::Gateway));
    assert_eq!(reach.check("[::1]:80".parse().unwrap()), Err(Closed::Gateway), "only what was opened");
    assert_eq!(reach.check("192.168.1.1:80".parse().unwrap()), Err(Closed::Inside));
}

#[test]
fn the_machines_own_addresses_are_its_own() {
    assert!(is_own("127.0.0.1".parse().unwrap()));
    assert!(!is_own("192.0.2.1".parse().unwrap()));
}

#[test]
fn ports_are_open_for_the_web_and_for_mail() {
    for port in [80, 443, 993, 995, 465, 8443, 8080, 1024] {
        assert_eq!(tunnel_port(port), PortUse::ClientFirst, "{port}");
    }
    for port in [110, 143, 587] {
        assert_eq!(tunnel_port(port), PortUse::ServerFirst, "{port}");
    }
    for port in [1, 22, 25, 53, 119, 445, 853, 1080, 3128, 9050] {
        assert_eq!(tunnel_port(port), PortUse::Closed, "{port}");
    }
    for port in [22, 25, 53, 110, 443, 853, 6667] {
        assert_eq!(plain_port(port), PortUse::Closed, "{port}");
    }
    assert_eq!(plain_port(80), PortUse::ClientFirst);
    assert_eq!(plain_port(8080), PortUse::ClientFirst);
}
