//! A redirected connection that is no plain HTTP: its client began with its first bytes and no `CONNECT`, so that these
//! are all that tells where it wants to go.
//!
//! | the client begins with | and then |
//! |---|---|
//! | TLS with a server name, its hello encrypted or not | the name is judged and resolved, and an address that it really has is dialled: whatever address was meant, and whatever an encrypted hello hides, reach no other server than that |
//! | TLS without a name, broken TLS, anything else | it shows no name: the address that was meant is judged as one; on other ports than 80 and 443, where programs speak what they like, by the name that opened the address at the router, if one did |
//! | the first words of a VPN | the same, and it has to be allowed as a way around |
//! | nothing within the deadline | it is closed |

use super::opening::{self, Spoken};
use super::{Asked, Asker, Lease, relay};
use crate::http::{Counter, Proxy, Visit, prefer};
use crate::identify::Shown;
use crate::target::{Target, TargetHost};
use agreements::Evidence;
use std::net::SocketAddr;
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
    let shown = Shown::bare(visit.peer.ip());
    proxy.gate.meet(&shown).await;
    let mut first = Vec::new();
    let spoken = opening::listen(&mut client, &mut first, proxy.config.limits.opening).await.ok()?;
    let heard = match &spoken {
        Spoken::Around(heard) => Some(*heard),
        Spoken::Tls(_) | Spoken::Plain(_) | Spoken::Nameless | Spoken::Nothing => None,
    };
    let target = Target { host: wanted(proxy, spoken, meant, &shown)?, port: meant.port() };
    if !proxy.may_ask(visit, &target) {
        return None;
    }
    let asker = Asker { address: visit.peer.ip().to_canonical(), token: None };
    let asked = Asked::host(target.host.clone());
    if heard.is_some_and(|heard| !proxy.admits_around(&asker, asked.clone(), heard)) {
        return None;
    }
    let mut admitted = match proxy.admit(asker, asked, Evidence::Connection) {
        Ok(admitted) => admitted,
        Err(_) => {
            proxy.counters.refused_inside(&target.host);
            return None;
        }
    };
    let mut found = proxy.find(&mut admitted, &target.host).await.ok()?;
    prefer(&mut found, Some(meant));
    let mut origin = proxy.dial(&target, &found).await.ok()?;
    let lease = admitted.hold(proxy, proxy.config.limits.tunnel_quiet, visit);
    origin.write_all(&first).await.ok()?;
    lease.moved().fetch_add(first.len() as u64, Ordering::Relaxed);
    Some((client, origin, lease))
}

/// What the first bytes ask for.
fn wanted(proxy: &Proxy, spoken: Spoken, meant: SocketAddr, shown: &Shown<'_>) -> Option<TargetHost> {
    let named = match spoken {
        Spoken::Tls(hello) => {
            if hello.encrypted {
                proxy.counters.encrypted_hellos.add(1);
            }
            hello.name.map(TargetHost::Name)
        }
        Spoken::Nameless | Spoken::Around(_) => None,
        // Plain HTTP has gone another way, before its first byte was read.
        Spoken::Plain(_) | Spoken::Nothing => return None,
    };
    let opened = || {
        let openings = proxy.gate.openings.as_ref().filter(|_| ![80, 443].contains(&meant.port()))?;
        openings.name_of(shown, meant.ip())
    };
    Some(named.or_else(opened).unwrap_or(TargetHost::Address(meant.ip())))
}
