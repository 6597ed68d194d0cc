//! The gateway's pulse: it is alive only once its own DNS listener has answered, so that a gateway whose steward goes round while
//! nobody answers names is started again, too. systemd hears of it; where no systemd watches, a guard of the gateway's own does, and
//! ends the process, so that whoever started it (procd, a container's engine) starts it again.
//!
//! Each turn takes up the answer to the question of the turn before and asks the next one: the gateway's own name, which it answers by
//! itself. Nothing waits.

use crate::gateway::board::Listener;
use blocklists::Domain;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A question that waits for its answer.
#[derive(Debug)]
struct Asking {
    at: SocketAddr,
    socket: UdpSocket,
    number: u16,
}

/// Without a pulse for so many seconds the guard ends the process.
const MOST_MISSED: u32 = 30;

/// Watches the pulse from a thread of its own, which goes on whatever hangs. It ends with its last owner.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Seconds since the last beat. They are counted and not measured: a process that was stopped and goes on has missed none.
    missed: Arc<AtomicU32>,
}

impl Guard {
    /// Begins to watch. None where systemd does; where there can be no thread for it, that is said.
    pub(crate) fn start() -> Option<Self> {
        let second = Duration::from_secs(1);
        let ends = || {
            tracing::error!(
                "the gateway has not answered its own DNS listener for too long; it ends, to be started anew"
            );
            std::process::abort();
        };
        super::systemd::heartbeat().is_none().then(|| Self::of(second, ends))
    }

    fn of(second: Duration, ends: impl FnOnce() + Send + 'static) -> Self {
        let missed = Arc::new(AtomicU32::new(0));
        let watched = Arc::downgrade(&missed);
        let started = std::thread::Builder::new().name("guard".into()).spawn(move || {
            loop {
                std::thread::sleep(second);
                let Some(missed) = watched.upgrade() else { return };
                if misses(&missed) {
                    return ends();
                }
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "nobody watches whether the gateway hangs");
        }
        Self { missed }
    }

    /// It is alive.
    pub(crate) fn beat(&self) {
        self.missed.store(0, Ordering::Relaxed);
    }
}

/// A second without a beat. Whether there were too many.
fn misses(missed: &AtomicU32) -> bool {
    missed.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_MISSED
}

/// The pulse.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    asking: Option<Asking>,
}

impl Pulse {
    /// Whether the question of the turn before was answered; the next one is asked. Where no listener answers plain DNS there is
    /// nobody to ask, and the steward's own turn has to do.
    pub(crate) fn beats(&mut self, listeners: &[Listener], own: &Domain) -> bool {
        let Some(at) = listeners.iter().find(|listener| listener.kind == "dns").map(|l| within(l.address))
        else {
            return true;
        };
        if self.asking.as_ref().is_none_or(|asking| asking.at != at) {
            self.asking = Asking::begin(at).inspect_err(failed).ok();
        }
        let Some(asking) = &mut self.asking else { return false };
        let answered = asking.answered();
        if let Err(error) = asking.ask(own) {
            failed(&error);
            self.asking = None;
        }
        answered
    }
}

fn failed(error: &io::Error) {
    tracing::warn!(%error, "the gateway cannot ask its own DNS listener whether it answers");
}

/// Where a listener is reached from this machine.
fn within(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

impl Asking {
    fn begin(at: SocketAddr) -> io::Result<Self> {
        let any: IpAddr =
            if at.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(at)?;
        socket.set_nonblocking(true)?;
        Ok(Self { at, socket, number: 0 })
    }

    /// Whether the last question was answered. Answers to those before came too late.
    fn answered(&self) -> bool {
        let (mut answer, mut answered) = ([0; 512], false);
        // One question each turn: there are never many answers.
        for _ in 0..8 {
            match self.socket.recv(&mut answer) {
                Ok(length @ 12..) => {
                    let is_answer = length >= 12 && answer[2] & 0x80 != 0;
                    answered |= is_answer && answer[..2] == self.number.to_be_bytes();
                }
                Ok(_) => {}
                // There is none yet; or nobody listens, which is none as well.
                Err(_) => break,
            }
        }
        answered
    }

    /// Asks for the gateway's own address.
    fn ask(&mut self, own: &Domain) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        match self.socket.send(&question(self.number, own)) {
            // Nobody listens there now: that is what the next turn will find.
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A question for the address of a name (RFC 1035 §4.1).
fn question(number: u16, own: &Domain) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in own.as_str().split('.') {
        message.push(u8::try_from(label.len()).unwrap_or_default());
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    /// A listener that answers with what `answer` makes of a question.
    fn listener(answer: fn(&[u8]) -> Option<Vec<u8>>) -> Listener {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("its address");
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let Some(answer) = answer(&buffer[..length]) {
                    let _it_may_be_gone = socket.send_to(&answer, from);
                }
            }
        });
        Listener { kind: "dns", address }
    }

    /// Whether it beats within a while.
    fn beats(listeners: &[Listener], patience: Duration) -> bool {
        let own = Domain::parse("hearthgate.home.arpa").expect("a name");
        let (mut pulse, began) = (Pulse::default(), Instant::now());
        while began.elapsed() < patience {
            if pulse.beats(listeners, &own) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[test]
    fn it_beats_once_the_listener_has_answered_and_not_before() {
        let (long, short) = (Duration::from_secs(60), Duration::from_millis(300));
        let answers = |question: &[u8]| {
            let mut answer = question.to_vec();
            answer[2] |= 0x80;
            Some(answer)
        };
        let late = |question: &[u8]| {
            let mut answer = question.to_vec();
            (answer[1], answer[2]) = (answer[1].wrapping_sub(1), answer[2] | 0x80);
            Some(answer)
        };
        assert!(beats(&[listener(answers)], long));
        assert!(!beats(&[listener(|_| None)], short), "nobody answers");
        assert!(!beats(&[listener(late)], short), "an answer to another question");
        assert!(!beats(&[listener(|question| Some(question.to_vec()))], short), "an echo");
        let nobody = UdpSocket::bind("127.0.0.1:0").expect("a socket").local_addr().expect("its address");
        assert!(!beats(&[Listener { kind: "dns", address: nobody }], short), "nobody listens");
        assert!(beats(&[Listener { kind: "dns_tls", address: nobody }], long), "there is nothing to ask");
    }

    #[test]
    fn the_guard_ends_what_has_no_pulse_and_nothing_else() {
        let guard = Guard { missed: Arc::default() };
        for _ in 0..3 {
            assert!((1..MOST_MISSED).all(|_| !misses(&guard.missed)), "there is time yet");
            guard.beat();
        }
        assert!((1..MOST_MISSED).all(|_| !misses(&guard.missed)) && misses(&guard.missed));

        let (moment, patience) = (Duration::from_millis(1), Duration::from_secs(60));
        let (ended, has_ended) = mpsc::channel();
        let _guard = Guard::of(moment, move || ended.send(()).expect("heard"));
        has_ended.recv_timeout(patience).expect("nothing beats");
        let (ended, has_ended) = mpsc::channel();
        drop(Guard::of(Duration::from_millis(50), move || ended.send(()).expect("heard")));
        let told = has_ended.recv_timeout(patience);
        assert_eq!(told, Err(mpsc::RecvTimeoutError::Disconnected), "it is over");
    }

    #[test]
    fn it_asks_for_its_own_name() {
        let own = Domain::parse("hearthgate.home.arpa").expect("a name");
        assert_eq!(question(7, &own)[..12], [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&question(7, &own)[12..], b"\x0ahearthgate\x04home\x04arpa\0\0\x01\0\x01");
    }
}
