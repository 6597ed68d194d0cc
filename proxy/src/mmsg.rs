//! Datagrams in batches, each with the address of ours that it came to, each answer from that address.
//!
//! This is the only module of the room that may say `unsafe`: `recvmmsg`, `sendmmsg` and control messages have no safe
//! wrapper that keeps the local address for each packet (nix 0.31 loses it on re-use, nix#2813, and sends one for all,
//! nix#1954), and `sched_setattr`, by which a thread that answers them gets its turn soon, has none at all. What makes it sound: every pointer that the kernel is given is made anew for each call from buffers that
//! the batch owns and that outlive the call; lengths come from the buffers' own sizes; what the kernel wrote is read
//! no further than it says.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

/// Packets in one batch.
pub(crate) const PACKETS: usize = crate::dns::BATCH;
/// The longest query that is read whole; a longer one is cut and then malformed.
///
/// Not a power of two: the first bytes of a batch's packets would all compete for the same few lines of the first cache.
const LONGEST: usize = 4096 + 64;
/// The shortest slice that the kernel gives, in nanoseconds.
const SLICE_NS: u64 = 100_000;
/// Room for one packet-info control message of either family.
const CONTROL: usize = 64;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Our side of a packet: the address that it came to, and for link-local addresses on which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Our address.
    pub(crate) address: IpAddr,
    interface: u32,
}

/// Both sides of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// Where it came to, if the kernel said so.
    pub(crate) local: Option<Local>,
}

/// Asks the kernel to give the calling thread its turns in short slices and so sooner: a packet that comes while a commit or
/// a list is at work on the same core is answered before that has had its millisecond.
///
/// Linux 6.12 and later do so (sched_setattr(2): `sched_runtime` of an ordinary thread is its slice, 0.1 ms at least); the share
/// of the processor stays the same. Elsewhere nothing changes.
pub(crate) fn take_turns_soon() {
    /// `struct sched_attr` of the kernel's first version.
    #[repr(C)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    // SAFETY: it takes two numbers; without such a thread it would say so, and this one there is.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        flags: 0,
        nice,
        priority: 0,
        runtime: SLICE_NS,
        deadline: 0,
        period: 0,
    };
    // SAFETY: the kernel reads as many bytes of the structure as its first field says, which it has, and keeps no pointer.
    let _later_otherwise = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

/// Buffers for a batch of packets.
pub(crate) struct Batch {
    packets: Box<[[u8; LONGEST]; PACKETS]>,
    names: Box<[libc::sockaddr_storage; PACKETS]>,
    controls: Box<[Control; PACKETS]>,
    received: Vec<(usize, Option<Ends>)>,
}

impl Batch {
    /// Empty buffers.
    pub(crate) fn new() -> Self {
        let packets = vec![[0; LONGEST]; PACKETS].into_boxed_slice();
        Self {
            packets: packets.try_into().expect("the vector was made that long"),
            // SAFETY: `sockaddr_storage` is plain data, for which all-zero is a value (the family is AF_UNSPEC).
            names: Box::new(unsafe { zeroed() }),
            controls: Box::new([Control([0; CONTROL]); PACKETS]),
            received: Vec::with_capacity(PACKETS),
        }
    }

    /// Waits for a packet (as long as the socket's timeout says) and takes what else is there. Returns how many.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let mut vectors = self.packets.each_mut().map(|packet| vector(packet));
        // SAFETY: all-zero is a value of `mmsghdr`: null pointers and zero lengths.
        let mut headers: [libc::mmsghdr; PACKETS] = unsafe { zeroed() };
        for (i, header) in headers.iter_mut().enumerate() {
            let header = &mut header.msg_hdr;
            header.msg_name = (&raw mut self.names[i]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut vectors[i];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[i].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: the headers point into `self` and `vectors`, which live until the call returns; their lengths are the
        // buffers' own; the descriptor is open for as long as `socket` is borrowed.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                PACKETS as libc::c_uint,
                libc::MSG_WAITFORONE,
                ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.received.clear();
        for header in &headers[..count.min(PACKETS)] {
            let length = (header.msg_len as usize).min(LONGEST);
            self.received.push((length, ends(&header.msg_hdr)));
        }
        Ok(self.received.len())
    }

    /// A received packet and both its ends. None: it came from no address that could be answered.
    pub(crate) fn packet(&self, place: usize) -> Option<(&[u8], Ends)> {
        let (length, ends) = *self.received.get(place)?;
        Some((&self.packets[place][..length], ends?))
    }
}

fn vector(bytes: &mut [u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
}

/// Reads both ends from a header that the kernel has just filled.
fn ends(header: &libc::msghdr) -> Option<Ends> {
    // SAFETY: `msg_name` points at one of the batch's `sockaddr_storage`, which holds any address that the kernel writes.
    let name = unsafe { &*header.msg_name.cast::<libc::sockaddr_storage>() };
    let peer = match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that a `sockaddr_in` stands there, and the storage is aligned for every family.
            let v4 = unsafe { &*ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
            SocketAddr::V4(SocketAddrV4::new(address, u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: likewise, a `sockaddr_in6`.
            let v6 = unsafe { &*ptr::from_ref(name).cast::<libc::sockaddr_in6>() };
            let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            SocketAddr::V6(SocketAddrV6::new(address, port, v6.sin6_flowinfo, v6.sin6_scope_id))
        }
        _ => return None,
    };
    Some(Ends { peer, local: local(header) })
}

fn local(header: &libc::msghdr) -> Option<Local> {
    // SAFETY: `msg_control` points at a buffer of the batch and `msg_controllen` is what the kernel filled of it, which is
    // what CMSG_FIRSTHDR and CMSG_NXTHDR walk by. They add a message's own length to where it stands: one that is longer than
    // everything that was filled is not asked for what comes after it.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = message.as_ref().filter(|head| head.cmsg_len <= header.msg_controllen) {
            match (head.cmsg_level, head.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info: libc::in_pktinfo = data(header, message)?;
                    let address = Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr));
                    return Some(Local { address: address.into(), interface: 0 });
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info: libc::in6_pktinfo = data(header, message)?;
                    let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    // A route decides the link of every other address.
                    let interface =
                        if address.is_unicast_link_local() { info.ipi6_ifindex as u32 } else { 0 };
                    return Some(Local { address: address.into(), interface });
                }
                _ => message = libc::CMSG_NXTHDR(header, message),
            }
        }
    }
    None
}

/// What a control message carries, where all of it is there.
///
/// # Safety
///
/// `message` is one that CMSG_FIRSTHDR or CMSG_NXTHDR gave for this header, and any bytes are a value of `T`.
unsafe fn data<T>(header: &libc::msghdr, message: *const libc::cmsghdr) -> Option<T> {
    // SAFETY: the caller's word; the end is looked at before anything is read, unaligned, by its own size.
    unsafe {
        let at = libc::CMSG_DATA(message);
        // Their types are each C library's own.
        let (length, told): (usize, usize) = (header.msg_controllen as _, (*message).cmsg_len as _);
        let (end, least) = (header.msg_control as usize + length, libc::CMSG_LEN(size_of::<T>() as _));
        (told >= least as usize && at as usize + size_of::<T>() <= end)
            .then(|| ptr::read_unaligned(at.cast()))
    }
}

/// Reads bytes as what the kernel says of a packet: its sender, and its control messages. It is what the fuzzer calls.
pub(crate) fn fuzz(bytes: &[u8]) {
    let (name, control) = bytes.split_at(bytes.len().min(size_of::<libc::sockaddr_storage>()));
    let control = &control[..control.len().min(CONTROL)];
    // On the heap, and no longer than what is there: whoever reads on is caught.
    let mut given = vec![0_u64; control.len().div_ceil(8)].into_boxed_slice();
    // SAFETY: plain data, for which all-zero is a value, and copies into room that is as long; the header's lengths are the buffers' own.
    unsafe {
        let (mut sender, mut header): (libc::sockaddr_storage, libc::msghdr) = (zeroed(), zeroed());
        ptr::copy_nonoverlapping(name.as_ptr(), (&raw mut sender).cast(), name.len());
        ptr::copy_nonoverlapping(control.as_ptr(), given.as_mut_ptr().cast(), control.len());
        header.msg_name = (&raw mut sender).cast();
        header.msg_control = given.as_mut_ptr().cast();
        header.msg_controllen = control.len() as _;
        let _read = ends(&header);
    }
}

/// Sends answers, each to its peer and from the address that the peer asked. Returns how many could be sent: one that
/// cannot (its peer is unreachable by now) is passed over.
pub(crate) fn send(socket: &UdpSocket, answers: &[(&[u8], Ends)]) -> usize {
    answers.chunks(PACKETS).map(|chunk| send_chunk(socket, chunk)).sum()
}

fn send_chunk(socket: &UdpSocket, answers: &[(&[u8], Ends)]) -> usize {
    // SAFETY: all-zero is a value of these plain C structures.
    let (mut names, mut headers): ([libc::sockaddr_storage; PACKETS], [libc::mmsghdr; PACKETS]) =
        unsafe { (zeroed(), zeroed()) };
    let mut controls = [Control([0; CONTROL]); PACKETS];
    let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; PACKETS];
    for (i, (bytes, ends)) in answers.iter().enumerate() {
        // The kernel only reads what is sent; the C type has no way to say so.
        vectors[i] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let header = &mut headers[i].msg_hdr;
        header.msg_namelen = write_name(&mut names[i], ends.peer);
        header.msg_name = (&raw mut names[i]).cast();
        header.msg_iov = &raw mut vectors[i];
        header.msg_iovlen = 1;
        if let Some(local) = ends.local {
            header.msg_control = controls[i].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
            write_local(header, local);
        }
    }
    let (mut at, mut sent) = (0, 0);
    while at < answers.len() {
        // SAFETY: the headers from `at` on point into the arrays above, which live until the call returns.
        let count = unsafe {
            libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr().add(at), (answers.len() - at) as _, 0)
        };
        match usize::try_from(count) {
            Ok(count) if count > 0 => (at, sent) = (at + count, sent + count),
            // The first of the rest failed: the others are not to blame.
            Ok(_) | Err(_) => at += 1,
        }
    }
    sent
}

fn write_name(name: &mut libc::sockaddr_storage, peer: SocketAddr) -> libc::socklen_t {
    match peer {
        SocketAddr::V4(v4) => {
            // SAFETY: a `sockaddr_storage` is large enough and aligned for every family's structure.
            let to = unsafe { &mut *ptr::from_mut(name).cast::<libc::sockaddr_in>() };
            to.sin_family = libc::AF_INET as libc::sa_family_t;
            to.sin_port = v4.port().to_be();
            to.sin_addr.s_addr = v4.ip().to_bits().to_be();
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(v6) => {
            // SAFETY: likewise.
            let to = unsafe { &mut *ptr::from_mut(name).cast::<libc::sockaddr_in6>() };
            to.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            to.sin6_port = v6.port().to_be();
            to.sin6_addr.s6_addr = v6.ip().octets();
            to.sin6_flowinfo = v6.flowinfo();
            to.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// Writes the one control message that says where an answer comes from. The header's control buffer is empty and large
/// enough.
fn write_local(header: &mut libc::msghdr, local: Local) {
    // SAFETY: the buffer has room for the larger of the two messages (40 of 64 bytes), is zeroed and aligned for `cmsghdr`,
    // so that CMSG_FIRSTHDR is not null; the data is written unaligned, by its own size.
    unsafe {
        let message = libc::CMSG_FIRSTHDR(header);
        match local.address {
            IpAddr::V4(v4) => {
                let mut info: libc::in_pktinfo = zeroed();
                info.ipi_spec_dst.s_addr = v4.to_bits().to_be();
                let size = size_of::<libc::in_pktinfo>() as libc::c_uint;
                (*message).cmsg_level = libc::IPPROTO_IP;
                (*message).cmsg_type = libc::IP_PKTINFO;
                (*message).cmsg_len = libc::CMSG_LEN(size) as _;
                ptr::write_unaligned(libc::CMSG_DATA(message).cast(), info);
                header.msg_controllen = libc::CMSG_SPACE(size) as _;
            }
            IpAddr::V6(v6) => {
                let mut info: libc::in6_pktinfo = zeroed();
                info.ipi6_addr.s6_addr = v6.octets();
                info.ipi6_ifindex = local.interface as _;
                let size = size_of::<libc::in6_pktinfo>() as libc::c_uint;
                (*message).cmsg_level = libc::IPPROTO_IPV6;
                (*message).cmsg_type = libc::IPV6_PKTINFO;
                (*message).cmsg_len = libc::CMSG_LEN(size) as _;
                ptr::write_unaligned(libc::CMSG_DATA(message).cast(), info);
                header.msg_controllen = libc::CMSG_SPACE(size) as _;
            }
        }
    }
}

/// Asks the kernel to say for each packet which address of ours it came to.
pub(crate) fn tell_local_address(socket: &UdpSocket, v6: bool) -> io::Result<()> {
    if v6 {
        option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

/// Asks the kernel to send answers whole, whatever it was told of a route: a forged message that only small packets fit must
/// not have them cut into fragments that others can replace (RFC 8085 §3.2). No answer is longer than 1232 bytes; where even
/// that does not fit, the client comes over TCP.
pub(crate) fn send_whole(socket: &UdpSocket, v6: bool) -> io::Result<()> {
    if v6 {
        option(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)
    } else {
        option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
    }
}

fn option(socket: &UdpSocket, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the option's value is one integer, which lives until the call returns.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says of the calling thread's slice, in nanoseconds; none where it does not (before Linux 6.12).
    fn slice() -> Option<u64> {
        let told = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let row = told.lines().find_map(|line| line.strip_prefix("se.slice"))?;
        row.split(':').nth(1)?.trim().parse().ok()
    }

    #[test]
    fn a_thread_that_answers_packets_takes_short_turns() {
        let told = std::thread::spawn(|| {
            let before = slice();
            take_turns_soon();
            (before, slice())
        });
        match told.join().unwrap() {
            (Some(before), Some(after)) => assert!(after == SLICE_NS && before > after, "{before} {after}"),
            (before, after) => assert_eq!(before, after, "the kernel says nothing of slices"),
        }
    }

    /// Each answer must come from the address asked, however often the buffers are used.
    fn answers_come_from_the_address_asked(any: &str, asked: &[&str]) {
        let server = UdpSocket::bind((any.parse::<IpAddr>().unwrap(), 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        tell_local_address(&server, any.contains(':')).unwrap();
        let mut batch = Batch::new();
        for round in 0..3u8 {
            for address in asked {
                let address: IpAddr = address.parse().unwrap();
                let client = UdpSocket::bind((any.parse::<IpAddr>().unwrap(), 0)).unwrap();
                client.connect((address, port)).unwrap();
                for packet in 0..4u8 {
                    client.send(&[round, packet, 7]).unwrap();
                }
                let mut got = 0;
                while got < 4 {
                    let count = batch.receive(&server).unwrap();
                    let answers: Vec<_> = (0..count).map(|i| batch.packet(i).unwrap()).collect();
                    for (bytes, ends) in &answers {
                        assert_eq!(bytes.len(), 3);
                        assert_eq!(ends.local.unwrap().address, address);
                    }
                    assert_eq!(send(&server, &answers), count);
                    got += count;
                }
                // A connected socket hears only from the address that it asked.
                let mut answer = [0; 16];
                for _ in 0..4 {
                    assert_eq!(client.recv(&mut answer).unwrap(), 3);
                }
            }
        }
    }

    #[test]
    fn ipv4() {
        answers_come_from_the_address_asked("0.0.0.0", &["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    }

    #[test]
    fn ipv6() {
        answers_come_from_the_address_asked("::", &["::1"]);
    }

    #[test]
    fn one_that_cannot_be_sent_stops_no_other() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = |peer: SocketAddr| Ends { peer, local: None };
        let nowhere = "[2001:db8::1]:9".parse().unwrap();
        let good = client.local_addr().unwrap();
        let answers: Vec<(&[u8], Ends)> =
            vec![(b"a", to(good)), (b"b", to(nowhere)), (b"c", to(good)), (b"d", to(nowhere))];
        assert_eq!(send(&server, &answers), 2);
        let mut heard = [0; 4];
        assert_eq!((client.recv(&mut heard).unwrap(), heard[0]), (1, b'a'));
        assert_eq!((client.recv(&mut heard).unwrap(), heard[0]), (1, b'c'));
    }
}
