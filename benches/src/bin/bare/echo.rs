//! Datagrams back to where they came from.

use benches::kernel::Batch;
use std::io;
use std::net::{SocketAddrV4, UdpSocket};

pub(crate) fn run(address: SocketAddrV4) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    let mut batch = Batch::default();
    loop {
        let count = batch.receive(&socket, true)?;
        for place in 0..count {
            if let Some(flags) = batch.packet_mut(place).get_mut(2) {
                *flags |= 0x80;
            }
        }
        // A send that the kernel cuts short loses packets, which the load counts.
        batch.send(&socket, count)?;
    }
}
