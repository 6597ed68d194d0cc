//! Bytes both ways between two sockets, with a buffer only while bytes flow.
//!
//! An idle tunnel costs its task and its two sockets: buffers are large, come from a small pool of the thread, and go
//! back as soon as there is nothing to read. Each direction is closed by itself, as TCP allows.

use socket2::SockRef;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

/// Large enough that a busy tunnel makes few system calls.
const BUFFER: usize = 256 * 1024;
/// How many buffers a thread keeps for the next burst.
const KEPT: usize = 4;
/// How many buffers one direction moves before other tasks have their turn.
const TURNS: usize = 4;

thread_local! {
    static IDLE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer on loan from its thread's pool.
struct Buffer(Box<[u8]>);

impl Buffer {
    fn take() -> Self {
        let kept = IDLE.with_borrow_mut(Vec::pop);
        Self(kept.unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice()))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        // When the thread is ending its pool may be gone already; then the buffer is simply freed.
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.len() < KEPT {
                idle.push(bytes);
            }
        });
    }
}

/// One direction.
#[derive(Default)]
struct Way {
    /// What was read and is not yet written.
    held: Option<(Buffer, std::ops::Range<usize>)>,
    /// The sender has closed its side.
    ended: bool,
    /// And so have we towards the receiver.
    closed: bool,
}

impl Way {
    fn poll(
        &mut self,
        from: &TcpStream,
        to: &TcpStream,
        moved: &AtomicU64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..TURNS {
            if self.closed {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_write(to, cx))?;
            if self.ended {
                self.closed = true;
                // The receiver may be gone already, and then there is nothing to close.
                let _ = SockRef::from(to).shutdown(Shutdown::Write);
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_read(from, moved, cx))?;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes all that is held. A slow receiver keeps its one buffer and we read no more: that is the back-pressure.
    fn poll_write(&mut self, to: &TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((buffer, left)) = self.held.as_mut().filter(|(_, left)| left.start < left.end) {
            ready!(to.poll_write_ready(cx))?;
            match to.try_write(&buffer.0[left.clone()]) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(written) => left.start += written,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once. With nothing to read the buffer goes back to the pool.
    fn poll_read(
        &mut self,
        from: &TcpStream,
        moved: &AtomicU64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match from.poll_read_ready(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    self.held = None;
                    return Poll::Pending;
                }
            }
            let (buffer, filled) = self.held.get_or_insert_with(|| (Buffer::take(), 0..0));
            match from.try_read(&mut buffer.0) {
                Ok(0) => {
                    self.ended = true;
                    self.held = None;
                }
                Ok(read) => {
                    *filled = 0..read;
                    moved.fetch_add(read as u64, Ordering::Relaxed);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                Err(e) => return Poll::Ready(Err(e)),
            }
            return Poll::Ready(Ok(()));
        }
    }
}

/// Relays until both directions are closed or one breaks. `moved` counts what was read, both directions together.
///
/// When one side breaks, the other is reset too, so that nobody takes a cut message for a whole one.
pub(crate) async fn relay(client: &TcpStream, origin: &TcpStream, moved: &AtomicU64) -> io::Result<()> {
    let (mut up, mut down) = (Way::default(), Way::default());
    let done = poll_fn(|cx| {
        let up = up.poll(client, origin, moved, cx)?;
        let down = down.poll(origin, client, moved, cx)?;
        if up.is_ready() && down.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await;
    if done.is_err() {
        reset(client);
        reset(origin);
    }
    done
}

/// Makes the close that follows a reset (RST) instead of an orderly end (FIN).
pub(crate) fn reset(socket: &TcpStream) {
    // A socket that cannot be told closes in the orderly way, which is the lesser evil.
    let _ = SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO));
}
