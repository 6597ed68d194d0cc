//! What the load programs need of the kernel and no safe wrapper offers: datagrams in batches, each from an address of
//! its own, and the processor time of another process.
//!
//! This is the only module of the crate that may say `unsafe`. What makes it sound: every pointer that the kernel is
//! given is made anew for each call from buffers that the batch owns and that outlive the call; lengths come from the
//! buffers' own sizes; what the kernel wrote is read no further than it says.
#![allow(unsafe_code)]

use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Duration;

/// Packets in one batch.
pub const PACKETS: usize = 32;
/// The longest packet that is read or written whole.
const LONGEST: usize = 1500;
/// A control message that says from which address a packet goes: header and body, rounded up as `CMSG_SPACE` does.
const CONTROL: usize = 32;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Buffers for a batch of packets over IPv4.
pub struct Batch {
    packets: Box<[[u8; LONGEST]; PACKETS]>,
    lengths: [usize; PACKETS],
    peers: [libc::sockaddr_in; PACKETS],
    controls: [Control; PACKETS],
    from: [bool; PACKETS],
}

impl Default for Batch {
    fn default() -> Self {
        let packets = vec![[0; LONGEST]; PACKETS].into_boxed_slice();
        Self {
            packets: packets.try_into().expect("the vector was made that long"),
            lengths: [0; PACKETS],
            // SAFETY: `sockaddr_in` is plain data, for which all-zero is a value.
            peers: unsafe { zeroed() },
            controls: [Control([0; CONTROL]); PACKETS],
            from: [false; PACKETS],
        }
    }
}

impl Batch {
    /// Takes the packets that are there, at most [`PACKETS`], and waits for the first if told to.
    ///
    /// # Errors
    ///
    /// What recvmmsg(2) says; `WouldBlock` when nothing is there.
    pub fn receive(&mut self, socket: &UdpSocket, waits: bool) -> io::Result<usize> {
        let (mut headers, mut vectors) = self.headers(PACKETS, |_| LONGEST);
        let headers = point(&mut headers, &mut vectors);
        let flags = if waits { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: the headers point into `self` and `vectors`, which live until the call returns, and say their sizes.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), PACKETS as _, flags, ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (place, header) in headers[..count].iter().enumerate() {
            self.lengths[place] = (header.msg_len as usize).min(LONGEST);
            self.from[place] = false;
        }
        Ok(count)
    }

    /// Sends the first `count` packets. Returns how many the kernel took.
    ///
    /// # Errors
    ///
    /// What sendmmsg(2) says of the first packet.
    pub fn send(&mut self, socket: &UdpSocket, count: usize) -> io::Result<usize> {
        let lengths = self.lengths;
        let (mut headers, mut vectors) = self.headers(count, |place| lengths[place]);
        let headers = point(&mut headers, &mut vectors);
        for (place, header) in headers.iter_mut().enumerate() {
            if self.from[place] {
                header.msg_hdr.msg_control = self.controls[place].0.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = CONTROL as _;
            }
        }
        // SAFETY: the headers point into `self` and `vectors`, which live until the call returns, and say their sizes.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as _, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn headers(
        &mut self,
        count: usize,
        length: impl Fn(usize) -> usize,
    ) -> (Vec<libc::mmsghdr>, [libc::iovec; PACKETS]) {
        // SAFETY: all-zero is a value of `iovec` and `mmsghdr`: null pointers and zero lengths.
        let mut vectors: [libc::iovec; PACKETS] = unsafe { zeroed() };
        let mut headers: Vec<libc::mmsghdr> = Vec::with_capacity(count);
        for (place, vector) in vectors.iter_mut().enumerate().take(count) {
            *vector = libc::iovec {
                iov_base: self.packets[place].as_mut_ptr().cast(),
                iov_len: length(place).min(LONGEST),
            };
            // SAFETY: as above.
            let mut header: libc::mmsghdr = unsafe { zeroed() };
            header.msg_hdr.msg_name = (&raw mut self.peers[place]).cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as _;
            headers.push(header);
        }
        (headers, vectors)
    }

    /// A packet's bytes.
    pub fn packet(&self, place: usize) -> &[u8] {
        &self.packets[place][..self.lengths[place]]
    }

    /// A packet's bytes, to be changed before it goes back to whom it came from.
    pub fn packet_mut(&mut self, place: usize) -> &mut [u8] {
        &mut self.packets[place][..self.lengths[place]]
    }

    /// Appends to a packet; what does not fit is cut.
    pub fn append(&mut self, place: usize, bytes: &[u8]) {
        let length = self.lengths[place];
        let room = &mut self.packets[place][length..];
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.lengths[place] += count;
    }

    /// Cuts a packet.
    pub fn cut(&mut self, place: usize, length: usize) {
        self.lengths[place] = self.lengths[place].min(length);
    }

    /// Writes a packet, with where it goes and from which of this machine's addresses.
    pub fn write(&mut self, place: usize, bytes: &[u8], from: Ipv4Addr, to: SocketAddrV4) {
        self.lengths[place] = 0;
        self.append(place, bytes);
        self.peers[place].sin_family = libc::AF_INET as _;
        self.peers[place].sin_port = to.port().to_be();
        self.peers[place].sin_addr.s_addr = to.ip().to_bits().to_be();
        let info = libc::in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: libc::in_addr { s_addr: from.to_bits().to_be() },
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        write_control(&mut self.controls[place], info);
        self.from[place] = true;
    }
}

/// Points each header at its vector; both stay where they are until the call is over.
fn point<'a>(
    headers: &'a mut [libc::mmsghdr],
    vectors: &'a mut [libc::iovec; PACKETS],
) -> &'a mut [libc::mmsghdr] {
    for (header, vector) in headers.iter_mut().zip(vectors) {
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
    headers
}

fn write_control(control: &mut Control, info: libc::in_pktinfo) {
    const BODY: libc::c_uint = size_of::<libc::in_pktinfo>() as _;
    // SAFETY: `CMSG_SPACE` only computes.
    const { assert!(unsafe { libc::CMSG_SPACE(BODY) } as usize == CONTROL) };
    // SAFETY: the buffer is as long as one header with this body, by the assertion, and aligned like the header.
    unsafe {
        let header = control.0.as_mut_ptr().cast::<libc::cmsghdr>();
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        (*header).cmsg_len = libc::CMSG_LEN(BODY) as _;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast(), info);
    }
}

/// The processor time that a process has used, user and kernel, ended threads included, to the nanosecond.
///
/// # Errors
///
/// When there is no such process.
pub fn processor_time(pid: u32) -> io::Result<Duration> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: the pointer is to a value of the right type that outlives the call.
    let error = unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as above.
    match unsafe { libc::clock_gettime(clock, &raw mut time) } {
        0 => Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The processor time of all children that have ended and were waited for (getrusage(2)).
///
/// # Errors
///
/// What the kernel says; it knows no reason here.
pub fn ended_children_time() -> io::Result<Duration> {
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a value of the right type that outlives the call, and all-zero is a value of it.
    let used = match unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, used.as_mut_ptr()) } {
        // SAFETY: as above.
        0 => unsafe { used.assume_init() },
        _ => return Err(io::Error::last_os_error()),
    };
    let time =
        |t: libc::timeval| Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64);
    Ok(time(used.ru_utime) + time(used.ru_stime))
}

/// Keeps the calling thread, and whatever it starts and that does not choose another, to one core.
///
/// # Errors
///
/// There is no such core.
pub fn keep_to(core: usize) -> io::Result<()> {
    let mut cores = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: all-zero is the empty set.
    let cores = unsafe { cores.assume_init_mut() };
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the number was looked at, and the kernel reads as many bytes as the set has.
    match unsafe {
        libc::CPU_SET(core, cores);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), cores)
    } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn each_packet_comes_from_its_own_address_and_the_answer_goes_back_to_it() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let SocketAddr::V4(to) = server.local_addr().unwrap() else { panic!("bound to IPv4") };
        let (mut asked, mut answered) = (Batch::default(), Batch::default());
        for place in 0..5 {
            asked.write(place, &[place as u8; 12], Ipv4Addr::new(127, 9, 0, place as u8 + 1), to);
        }
        assert_eq!(asked.send(&client, 5).unwrap(), 5);
        let mut seen = [0; 64];
        for place in 0..5u8 {
            let (length, from) = server.recv_from(&mut seen).unwrap();
            assert_eq!((&seen[..length], from.ip()), (&[place; 12][..], [127, 9, 0, place + 1].into()));
            server.send_to(&[place; 3], from).unwrap();
        }
        let mut count = 0;
        while count < 5 {
            let came = answered.receive(&client, true).unwrap();
            for place in 0..came {
                assert_eq!(answered.packet(place), [(count + place) as u8; 3]);
            }
            count += came;
        }
        assert!(answered.receive(&client, false).is_err());
    }

    #[test]
    fn a_child_counts_when_it_has_ended() {
        let before = ended_children_time().unwrap();
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
        assert!(ended_children_time().unwrap() > before);
    }

    #[test]
    fn a_thread_is_kept_to_a_core_that_there_is() {
        std::thread::spawn(|| {
            keep_to(0).unwrap();
            assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
            assert!(keep_to(1 << 20).is_err());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn processor_time_grows_while_one_works() {
        let before = processor_time(std::process::id()).unwrap();
        let mut sum = 0u64;
        while processor_time(std::process::id()).unwrap() < before + Duration::from_millis(2) {
            sum = std::hint::black_box(sum + 1);
        }
        // No process has a number above the kernel's limit of 2^22.
        assert!(processor_time((1 << 22) + 1).is_err());
    }
}
