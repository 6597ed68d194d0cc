//! What flows through the router now, by the kernel's own table of connections.

use super::netlink::{ACK, Attributes, Came, Messages, Netlink, REQUEST};
use agreements::Transport;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const CTNETLINK: u16 = 1;
const GET: u16 = CTNETLINK << 8 | 1;
const DELETE: u16 = CTNETLINK << 8 | 2;
const TUPLE_ORIGINAL: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const COUNTERS_ORIGINAL: u16 = 9;
const COUNTERS_REPLY: u16 = 10;
const COUNTED_BYTES: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const PROTO_NUMBER: u16 = 1;
const PROTO_TO_PORT: u16 = 3;
const NESTED: u16 = 0x8000;

/// Over what, and to which port; none where there are no ports.
pub(super) type Port = Option<(Transport, u16)>;

/// One connection, or exchange of datagrams.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Who began it.
    pub(super) from: IpAddr,
    /// Where it was meant to go.
    pub(super) to: IpAddr,
    /// Over what, and to which port.
    pub(super) port: Port,
    /// Whether it goes there: what was redirected to the gateway itself does not.
    pub(super) forwarded: bool,
    /// Its number, as the kernel has it.
    pub(super) id: u32,
    /// What has passed, both ways together; none where the kernel was not told to count when it began.
    pub(super) bytes: Option<u64>,
    /// Whether anything came back, as far as the kernel counts.
    pub(super) is_answered: bool,
    family: u8,
    original: Vec<u8>,
    zone: Option<Vec<u8>>,
}

/// Every flow there is.
pub(super) fn all(netlink: &mut Netlink) -> io::Result<Vec<Flow>> {
    let mut flows = Vec::new();
    netlink.dump(GET, 0, |_| {}, |came| flows.extend(read(&came)))?;
    Ok(flows)
}

fn read(came: &Came<'_>) -> Option<Flow> {
    let attributes = came.attributes();
    let original = attributes.of(TUPLE_ORIGINAL)?;
    let (from, to) = ends(Attributes(original))?;
    let (answers, _) = ends(attributes.inside(TUPLE_REPLY)?)?;
    Some(Flow {
        from,
        to,
        port: port(Attributes(original)),
        forwarded: answers == to,
        bytes: counted(attributes, COUNTERS_ORIGINAL)
            .and_then(|out| Some(out.saturating_add(counted(attributes, COUNTERS_REPLY)?))),
        is_answered: counted(attributes, COUNTERS_REPLY).is_none_or(|bytes| bytes > 0),
        id: attributes.of(ID).and_then(|id| id.first_chunk::<4>()).map_or(0, |id| u32::from_be_bytes(*id)),
        family: came.family,
        original: original.to_vec(),
        zone: attributes.of(ZONE).map(<[u8]>::to_vec),
    })
}

fn counted(attributes: Attributes<'_>, way: u16) -> Option<u64> {
    let bytes = attributes.inside(way)?.of(COUNTED_BYTES)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*bytes))
}

#[cfg(test)]
impl Flow {
    /// A flow of nobody's.
    pub(super) fn for_tests(id: u32, bytes: Option<u64>) -> Self {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            from: any,
            to: any,
            port: None,
            forwarded: true,
            id,
            bytes,
            is_answered: true,
            family: 2,
            original: Vec::new(),
            zone: None,
        }
    }
}

fn port(tuple: Attributes<'_>) -> Port {
    let proto = tuple.inside(TUPLE_PROTO)?;
    let transport = match proto.of(PROTO_NUMBER)?.first()? {
        6 => Transport::Tcp,
        17 => Transport::Udp,
        _ => return None,
    };
    Some((transport, u16::from_be_bytes(*proto.of(PROTO_TO_PORT)?.first_chunk::<2>()?)))
}

/// The two ends of a tuple: source and destination.
fn ends(tuple: Attributes<'_>) -> Option<(IpAddr, IpAddr)> {
    let ip = tuple.inside(TUPLE_IP)?;
    let four = |kind| Some(IpAddr::V4(Ipv4Addr::from(*ip.of(kind)?.first_chunk::<4>()?)));
    let six = |kind| Some(IpAddr::V6(Ipv6Addr::from(*ip.of(kind)?.first_chunk::<16>()?)));
    Some((four(1).or_else(|| six(3))?, four(2).or_else(|| six(4))?))
}

/// Ends a flow: its next packet is a new one, and meets the rules as they are now.
///
/// # Errors
///
/// What the kernel says; `NotFound` where it has ended by itself is none.
pub(super) fn end(netlink: &mut Netlink, flow: &Flow) -> io::Result<()> {
    let sequence = netlink.sequence(2);
    let mut messages = Messages::default();
    messages.begin(DELETE, REQUEST | ACK, sequence + 1, (flow.family, 0));
    messages.attribute(TUPLE_ORIGINAL | NESTED, &flow.original);
    messages.attribute(ID, &flow.id.to_be_bytes());
    if let Some(zone) = &flow.zone {
        messages.attribute(ZONE, zone);
    }
    messages.end();
    netlink.send(&messages)?;
    match netlink.acknowledged(sequence, 1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        ended => ended,
    }
}
