//! Bytes both ways between two sockets, with a buffer only while bytes flow.
//!
//! An idle tunnel costs its task and its two sockets: buffers come from a small pool of the thread, and go back as soon as there
//! is nothing to read. Each direction is closed by itself, as TCP allows.
//!
//! A direction whose receiver does not read keeps what was read for it, so whoever opens tunnels and reads nothing decides how
//! much is kept: that is little. Large buffers, which make a busy tunnel fast, are few in the whole program; a direction has one
//! once what it read last was written at once, and while one is to be had. Every other direction has a small one.

use socket2::SockRef;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

/// Large enough that a busy tunnel makes few system calls.
const LARGE: usize = 256 * 1024;
/// What each direction may keep: a client's 1024 connections with both directions stuck keep 32 MiB, and all 8192 connections
/// 256 MiB.
const SMALL: usize = 16 * 1024;
/// So many large ones are in use at once: 16 MiB. More directions at full speed than that no home has.
const MOST_LARGE: usize = 64;
/// How many buffers of each kind a thread keeps for the next burst.
const KEPT: usize = 4;
/// How many buffers one direction moves before other tasks have their turn.
const TURNS: usize = 4;

/// How many large buffers are in use.
static LARGE_IN_USE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IDLE: RefCell<Idle> = const { RefCell::new(Idle { small: Vec::new(), large: Vec::new() }) };
}

/// The pool of a thread.
struct Idle {
    small: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
}

impl Idle {
    fn of(&mut self, length: usize) -> &mut Vec<Box<[u8]>> {
        if length == LARGE { &mut self.large } else { &mut self.small }
    }
}

/// A buffer on loan from its thread's pool.
struct Buffer(Box<[u8]>);

impl Buffer {
    /// A large one, if one is wanted and there is one to be had; else a small one.
    fn take(wants_large: bool) -> Self {
        let one_more = |used: usize| (used < MOST_LARGE).then_some(used + 1);
        let is_large =
            wants_large && LARGE_IN_USE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok();
        let length = if is_large { LARGE } else { SMALL };
        let kept = IDLE.with_borrow_mut(|idle| idle.of(length).pop());
        Self(kept.unwrap_or_else(|| vec![0; length].into_boxed_slice()))
    }

    fn is_large(&self) -> bool {
        self.0.len() == LARGE
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.is_large() {
            LARGE_IN_USE.fetch_sub(1, Ordering::Relaxed);
        }
        let bytes = std::mem::take(&mut self.0);
        // When the thread is ending its pool may be gone already; then the buffer is simply freed.
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            let idle = idle.of(bytes.len());
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
    /// What was read last was written at once, all of it.
    flows: bool,
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
            if to.poll_write_ready(cx)?.is_pending() {
                self.flows = false;
                return Poll::Pending;
            }
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
            // What is held is written by now: a buffer of the other kind takes its place, where one is due.
            let held = self.held.take().filter(|(buffer, _)| buffer.is_large() == self.flows);
            let (buffer, filled) = self.held.insert(held.unwrap_or_else(|| (Buffer::take(self.flows), 0..0)));
            match from.try_read(&mut buffer.0) {
                Ok(0) => {
                    self.ended = true;
                    self.held = None;
                }
                Ok(read) => {
                    *filled = 0..read;
                    // Until its writing has to wait.
                    self.flows = true;
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    /// Both ends of a connection for which the kernel keeps little.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (one, other) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (one, (other, _)) = (one.unwrap(), other.unwrap());
        for end in [&one, &other] {
            SockRef::from(end).set_send_buffer_size(SMALL).unwrap();
            SockRef::from(end).set_recv_buffer_size(SMALL).unwrap();
        }
        (one, other)
    }

    /// A direction whose sender sends on and on, and whose receiver reads nothing: as it is once its writing waits.
    async fn stuck() -> Way {
        let ((mut sender, from), (to, _receiver)) = (pair().await, pair().await);
        let sending = tokio::spawn(async move { while sender.write_all(&[7; SMALL]).await.is_ok() {} });
        let (mut way, moved) = (Way::default(), AtomicU64::new(0));
        poll_fn(|cx| {
            assert!(way.poll(&from, &to, &moved, cx).is_pending());
            let waits = !way.flows && way.held.as_ref().is_some_and(|(_, left)| !left.is_empty());
            if waits { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        sending.abort();
        way
    }

    #[tokio::test]
    async fn whoever_opens_tunnels_and_reads_nothing_has_little_kept() {
        const STUCK: usize = MOST_LARGE + 32;
        let kept = |way: &Way| way.held.as_ref().map_or(0, |(buffer, _)| buffer.0.len());
        let all = join_all((0..STUCK).map(|_| stuck())).await;
        let sum: usize = all.iter().map(kept).sum();
        assert!(sum <= MOST_LARGE * LARGE + STUCK * SMALL, "{STUCK} directions keep {sum} bytes");
        drop(all);
        assert_eq!(LARGE_IN_USE.load(Ordering::Relaxed), 0, "what they kept is there for others");
        assert_eq!(kept(&stuck().await), LARGE, "and what flows has it");
        let ((mut sender, from), (to, receiver)) = (pair().await, pair().await);
        let (mut way, moved) = (Way::default(), AtomicU64::new(0));
        let reading = async {
            let mut buffer = vec![0; SMALL];
            for _ in 0..16 {
                sender.write_all(&[7; 4096]).await.unwrap();
                let mut read = 0;
                while read < 4096 {
                    receiver.readable().await.unwrap();
                    read += receiver.try_read(&mut buffer).unwrap_or(0);
                }
            }
        };
        tokio::select! {
            () = reading => {}
            ended = poll_fn(|cx| way.poll(&from, &to, &moved, cx)) => panic!("{ended:?}"),
        }
        assert_eq!(moved.load(Ordering::Relaxed), 16 * 4096);
        assert!(way.held.is_none(), "nothing flows");
    }
}
