//! A redirected connection that is no plain HTTP: its client began with its first bytes and no `CONNECT`, so that these
//! are all that tells where it wants to go.
//!
//! | the client begins with | and then |
//! |---|---|
//! | TLS with a server name | the name is judged and resolved, and an address that it really has is dialled, whatever address was meant |
//! | the same with an encrypted hello | that may be only the outer name, which leads to any site of a carrier's: at a router whose rules are ours it is the site's own where the name has the address that was meant, or an answer of ours gave the device that address by it; else the address is judged as well. Browsers add noise that looks like an encrypted hello to every one |
//! | TLS without a name, broken TLS, what any server might take for HTTP and is none that we read | it shows no name, and a server of many sites could be asked for another inside: the address that was meant is judged as one |
//! | anything else | the same; on other ports of the web than 80 and 443, where programs speak what they like, it goes by the name that opened the address at the router, if one did that is not protected |
//! | the first words of a VPN | the same, and it has to be allowed as a way around |
//! | nothing within the deadline | it is closed |
//!
//! What is protected lends its name to nothing that does not show it: it would pass at night and leave no record, and its address
//! may be another site's, too. Nor does anything that is refused at an address that it led to leave one.

use super::opening::{self, Spoken, could_be_the_webs};
use super::{Asked, Asker, Lease, relay};
use crate::gate::Gate;
use crate::http::{Admitted, Counter, Proxy, Visit, prefer};
use crate::identify::Shown;
use crate::target::{Target, TargetHost};
use agreements::Evidence;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Lets a redirected connection flow until it ends or is ended. A refused one is closed without a word: any word would
/// need a false certificate.
pub(crate) async fn redirected(proxy: Arc<Proxy>, visit: Arc<Visit>, client: TcpStream, meant: SocketAddr) {
    let flow = async {
        // What is needed only at the beginning is boxed, so that an idle tunnel keeps no room for it.
        let Some((client, origin, lease)) = Box::pin(begin(&proxy, &visit, client, meant)).await else {
            return;
        };
        let open = Counter::one(&proxy.counters, |c| &c.tunnels_open);
        // Either side may close or break at any time: that is the end of a tunnel and no error of ours.
        let _ = relay::relay(&client, &origin, lease.moved()).await;
        drop(open);
    };
    tokio::select! {
        () = visit.cut.cancelled() => {}
        () = flow => {}
    }
}

async fn begin(
    proxy: &Arc<Proxy>,
    visit: &Visit,
    mut client: TcpStream,
    meant: SocketAddr,
) -> Option<(TcpStream, TcpStream, Lease)> {
    let asker = Asker::without_token(visit.peer.ip());
    let shown = Shown::bare(visit.peer.ip());
    proxy.gate.meet(&shown).await;
    let mut first = Vec::new();
    let spoken = opening::listen(&mut client, &mut first, proxy.config.limits.opening).await.ok()?;
    let hides = matches!(&spoken, Spoken::Tls(hello) if hello.encrypted);
    if hides {
        proxy.counters.encrypted_hellos.add(1);
    }
    let target = Target { host: wanted(&proxy.gate, &asker, (&spoken, &first), meant)?, port: meant.port() };
    if !proxy.may_ask(visit, &target) {
        return None;
    }
    if let Spoken::Around(heard) = spoken
        && !proxy.admits_around(&asker, Asked::host(target.host.clone()), heard)
    {
        return None;
    }
    let admit = |host: &TargetHost| {
        let admitted = proxy.admit(asker.clone(), Asked::host(host.clone()), Evidence::Connection);
        if admitted.is_err() {
            proxy.counters.refused_inside(host);
        }
        admitted.ok()
    };
    let mut admitted = admit(&target.host)?;
    let mut found = proxy.find(&mut admitted, &target.host).await.ok()?;
    let mut beside = None;
    if hides && may_be_outer(&proxy.gate, &asker, (&target.host, &found), meant.ip()) {
        beside = Some(admit(&TargetHost::Address(meant.ip()))?);
    }
    prefer(&mut found, Some(meant));
    let mut origin = proxy.dial(&target, &found).await.ok()?;
    let lease = admitted.hold(proxy, proxy.config.limits.tunnel_quiet, visit);
    if let Some(Admitted { asked, made, .. }) = beside {
        lease.also(asked, made);
    }
    origin.write_all(&first).await.ok()?;
    lease.moved().fetch_add(first.len() as u64, Ordering::Relaxed);
    Some((client, origin, lease))
}

/// What the first bytes ask for.
fn wanted(
    gate: &Gate,
    asker: &Asker,
    (spoken, first): (&Spoken, &[u8]),
    meant: SocketAddr,
) -> Option<TargetHost> {
    let name = match spoken {
        Spoken::Tls(hello) => hello.name.clone().map(TargetHost::Name),
        Spoken::Nameless | Spoken::Around(_) if could_be_the_webs(first) => None,
        Spoken::Nameless | Spoken::Around(_) => lent(gate, asker, meant),
        // Plain HTTP has gone another way, before its first byte was read.
        Spoken::Plain(_) | Spoken::Nothing => return None,
    };
    Some(name.unwrap_or(TargetHost::Address(meant.ip())))
}

/// The name that led to an address, for what shows none itself: the last that is not protected.
fn lent(gate: &Gate, asker: &Asker, meant: SocketAddr) -> Option<TargetHost> {
    let openings = gate.openings.as_ref().filter(|_| ![80, 443].contains(&meant.port()))?;
    let names = openings.names_of(asker.address, meant.ip())?;
    let current = gate.in_force.current();
    let who = asker.who(gate, &current);
    names.into_iter().find(|name| !gate.is_protected(&current, &who, name))
}

/// Whether a name that is shown with an encrypted hello may stand before another: nothing says that it is the one that was looked
/// up. What was looked up before a restart, by a name that nobody remembers, is believed; and help is, with whatever hello.
fn may_be_outer(gate: &Gate, asker: &Asker, (shown, found): (&TargetHost, &[IpAddr]), meant: IpAddr) -> bool {
    let (TargetHost::Name(_), Some(openings)) = (shown, &gate.openings) else { return false };
    let has_it = found.iter().any(|ip| ip.to_canonical() == meant);
    let led_there = || {
        let names = openings.names_of(asker.address, meant);
        names.is_some_and(|names| names.is_empty() || names.contains(shown))
    };
    let current = gate.in_force.current();
    let who = asker.who(gate, &current);
    !has_it && !led_there() && !gate.is_protected(&current, &who, shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, JORDAN, Play, site};
    use crate::sni::Hello;
    use blocklists::Domain;

    fn name(text: &str) -> TargetHost {
        TargetHost::Name(Domain::parse(text).unwrap())
    }

    const JORDANS: Asker = Asker { address: JORDAN.0, token: None };
    const BINARY: &[u8] = b"\x05\x01\0";

    #[tokio::test]
    async fn a_name_is_lent_to_what_no_web_server_reads_and_never_a_protected_one() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        let [help, open, shared, later] = [1, 2, 3, 4].map(site);
        play.connects("help.test", JORDAN.0, help);
        play.connects("open.test", JORDAN.0, open);
        for (first, second, to) in [("open.test", "help.test", shared), ("help.test", "open.test", later)] {
            play.connects(first, JORDAN.0, to);
            play.connects(second, JORDAN.0, to);
        }
        let tls = |name: Option<&str>| {
            Spoken::Tls(Hello { name: name.map(|name| Domain::parse(name).unwrap()), encrypted: false })
        };
        let nameless = Spoken::Nameless;
        for (case, spoken, first, to, port, host) in [
            ("no word of the web's", &nameless, BINARY, open, 8880, Some(name("open.test"))),
            ("the same, where another site is too", &nameless, BINARY, shared, 8880, Some(name("open.test"))),
            ("the same, in the other order", &nameless, BINARY, later, 8880, Some(name("open.test"))),
            ("the same to help", &nameless, BINARY, help, 8880, None),
            ("the same at the web's first port", &nameless, BINARY, open, 80, None),
            ("the same at its second", &nameless, BINARY, open, 443, None),
            ("the same to where no name led", &nameless, BINARY, site(9), 8880, None),
            ("an empty line first", &nameless, b"\r\nGET / HTTP/1.1\r\n", open, 8080, None),
            ("an empty line first, to help", &nameless, b"\r\nGET / HTTP/1.1\r\n", help, 8080, None),
            ("a line end of another kind first", &nameless, b"\nGET / HTTP/1.1\r\n", open, 8080, None),
            ("a tab", &nameless, b"GET\t/ HTTP/1.1\r\n", open, 8080, None),
            ("HTTP/2 without TLS", &nameless, b"PRI * HTTP/2.0\r\n", open, 8080, None),
            ("a method in pieces", &nameless, b"M-", open, 8080, None),
            ("broken TLS", &nameless, b"\x16\x03\x01\0\x01\x02", open, 8443, None),
            ("an alert first", &nameless, b"\x15\x03\x01\0\x02\x01\0", open, 8443, None),
            ("SSL 2", &nameless, b"\x80\x2e\x01\x03\x01", open, 8443, None),
            ("TLS without a name", &tls(None), b"\x16", open, 8443, None),
            ("TLS without a name, to help", &tls(None), b"\x16", help, 2053, None),
            ("TLS", &tls(Some("any.test")), b"\x16", help, 8443, Some(name("any.test"))),
            (
                "a VPN",
                &Spoken::Around(agreements::Detector::OpenVpn),
                b"\0\x0e\x38",
                open,
                8443,
                Some(name("open.test")),
            ),
        ] {
            let meant = SocketAddr::new(to, port);
            let wanted = wanted(&home.gate, &JORDANS, (spoken, first), meant);
            assert_eq!(wanted, Some(host.unwrap_or(TargetHost::Address(to))), "{case}");
        }
        let told = Spoken::Nothing;
        assert_eq!(wanted(&home.gate, &JORDANS, (&told, b""), SocketAddr::new(open, 8080)), None);
    }

    #[tokio::test]
    async fn an_outer_name_is_a_sites_own_where_an_answer_led_there_by_it() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        let [open, help, has_it, none] = [1, 2, 3, 4].map(site);
        play.connects("open.test", JORDAN.0, open);
        play.connects("help.test", JORDAN.0, help);
        for (case, shown, meant, is_outer) in [
            ("the name that led there", name("open.test"), open, false),
            ("a carrier's name, at a site's address", name("outer.test"), open, true),
            ("a carrier's name, at help's address", name("outer.test"), help, true),
            ("the name at an address of another's", name("open.test"), help, true),
            ("a name that has the address", name("any.test"), has_it, false),
            ("where no name led", name("any.test"), none, true),
            ("help, wherever it is", name("help.test"), none, false),
            ("an address, which is judged as one", TargetHost::Address(none), none, false),
        ] {
            assert_eq!(may_be_outer(&home.gate, &JORDANS, (&shown, &[has_it]), meant), is_outer, "{case}");
        }
    }
}
