use super::*;

fn neighbour(address: &str, mac: &[u8], state: NeighbourState) -> NeighbourMessage {
    let destination = match address.parse().unwrap() {
        IpAddr::V4(v4) => NeighbourAddress::Inet(v4),
        IpAddr::V6(v6) => NeighbourAddress::Inet6(v6),
    };
    let mut message = NeighbourMessage::default();
    message.header.state = state;
    message.attributes = vec![
        NeighbourAttribute::Destination(destination),
        NeighbourAttribute::LinkLayerAddress(mac.to_vec()),
    ];
    message
}

#[test]
fn what_the_kernel_tells() {
    let mut table = Table::default();
    let mac = [2, 0, 0, 0, 0, 7];
    for (address, state) in [
        ("192.168.4.20", NeighbourState::Reachable),
        ("fe80::7", NeighbourState::Stale),
        ("2001:db8::1234", NeighbourState::Delay),
        ("192.168.4.99", NeighbourState::Failed),
        ("192.168.4.98", NeighbourState::Incomplete),
    ] {
        learn(&mut table, &neighbour(address, &mac, state), false);
    }
    learn(&mut table, &neighbour("192.168.4.97", &[1, 2], NeighbourState::Reachable), false);
    assert_eq!(table.len(), 3, "{table:?}");
    let gone = neighbour("fe80::7", &mac, NeighbourState::Stale);
    forget(&mut table, &gone, true);
    assert_eq!(table.len(), 3, "that is another one, outside");
    forget(&mut table, &gone, false);
    assert_eq!(table.len(), 2, "{table:?}");
}

#[test]
fn a_flood_from_outside_takes_no_room_of_the_homes() {
    let mut table = Table::default();
    for n in 0..u32::try_from(MOST).unwrap() + 100 {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string();
        learn(&mut table, &neighbour(&address, &[2; 6], NeighbourState::Reachable), true);
    }
    assert_eq!(table.len(), MOST_OUTSIDE);
}

#[test]
fn a_flood_is_bounded() {
    let mut table = Table::default();
    for n in 0..u32::try_from(MOST).unwrap() + 100 {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string();
        learn(&mut table, &neighbour(&address, &[2; 6], NeighbourState::Reachable), false);
    }
    assert_eq!(table.len(), MOST);
}

#[test]
fn who_is_on_a_link_that_leads_out_is_none_of_the_homes() {
    let mut table = Table::default();
    // Out there somebody has the link-local address of the home's device, too.
    for (address, mac, outside) in [
        ("203.0.113.9", [2, 0, 0, 0, 0, 9], true),
        ("fe80::7", [2, 0, 0, 0, 0, 9], true),
        ("192.168.4.20", [2, 0, 0, 0, 0, 7], false),
        ("fe80::7", [2, 0, 0, 0, 0, 7], false),
        ("fe80::7", [2, 0, 0, 0, 0, 9], true),
    ] {
        learn(&mut table, &neighbour(address, &mac, NeighbourState::Reachable), outside);
    }
    let neighbours = Neighbours::default();
    neighbours.publish(&table);
    let [own, both, others] = ["192.168.4.20", "fe80::7", "203.0.113.9"].map(|a| a.parse().unwrap());
    for own in [own, both] {
        assert_eq!((neighbours.mac(own), neighbours.is_outside(own)), (Some([2, 0, 0, 0, 0, 7]), false));
    }
    assert_eq!((neighbours.mac(others), neighbours.is_outside(others)), (None, true));
    assert!(!neighbours.has([2, 0, 0, 0, 0, 9]), "a device that an agreement names is not found out there");
}

#[test]
fn a_router_and_who_is_there_are_noticed() {
    let (neighbours, mac) = (Neighbours::default(), [2, 0, 0, 0, 0, 7]);
    let mut message = neighbour("fe80::7", &mac, NeighbourState::Stale);
    message.header.ifindex = 3;
    neighbours.heed(&message);
    assert!(neighbours.routers().is_empty() && !neighbours.was_there(mac, MEETING));
    message.header.flags = NeighbourFlags::Router;
    message.header.state = NeighbourState::Reachable;
    neighbours.heed(&message);
    assert_eq!(neighbours.routers(), [(3, mac)]);
    assert!(neighbours.was_there(mac, Duration::from_secs(60)));
}

#[tokio::test]
async fn whom_the_kernel_has_met_and_did_not_tell_of_yet_is_no_stranger() {
    // What is sent there is thrown away (RFC 6666).
    let [late, forged] = [20, 21].map(|n| IpAddr::from([0x100, 0, 0, 0, 0, 0, 0, n]));
    let neighbours = Neighbours::default();
    neighbours.shared.following.store(true, Ordering::Relaxed);
    let kernel = neighbours.clone();
    let reading = tokio::spawn(async move {
        loop {
            kernel.shared.wanted.notified().await;
            kernel.publish(&[(late, Behind { mac: [2; 6], outside: false })].into_iter().collect());
            kernel.shared.readings.send_replace(());
        }
    });
    tokio::join!(neighbours.meet(late), neighbours.meet(forged));
    reading.abort();
    assert_eq!(neighbours.mac(late), Some([2; 6]));
    let is_stranger = |address| neighbours.shared.strangers.peek(&address).is_some();
    assert_eq!([late, forged].map(is_stranger), [false, true]);
}

#[tokio::test]
async fn following_ends_when_told() {
    let stop = CancellationToken::new();
    let following = tokio::spawn(Neighbours::default().follow(stop.clone()));
    stop.cancel();
    following.await.unwrap();
}
