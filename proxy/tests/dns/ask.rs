//! A client: it asks, and says in one line what it was told. Another engine (`domain`) reads the answers.

use crate::internet::{rtype, wire};
use domain::base::opt::exterr::ExtendedError;
use domain::base::{Message, Rtype};
use domain::rdata::AllRecordData;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

/// Nothing on loopback takes longer unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A question to be sent.
#[derive(Clone, Debug)]
pub struct Question {
    pub name: String,
    pub rtype: u16,
    pub id: u16,
    pub flags: u16,
    /// What the OPT record says: size, flags, options. None for no OPT record.
    pub edns: Option<(u16, u32, Vec<u8>)>,
}

impl Question {
    /// Reads `www.test A`, with `+edns`, `+do`, `+cd`, `+ad`, `+norec`, `+size=N` after it.
    pub fn read(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let name = words.next().expect("a name").to_owned();
        let rtype = rtype(words.next().expect("a type"));
        let mut question = Self { name, rtype, id: 0x4711, flags: 0x0100, edns: None };
        for word in words {
            let edns = question.edns.take();
            let mut with = edns.clone().unwrap_or((1232, 0, Vec::new()));
            match word.split_once('=').unwrap_or((word, "")) {
                ("+edns", _) => {}
                ("+do", _) => with.1 |= 0x8000,
                ("+size", size) => with.0 = size.parse().expect("a size"),
                ("+version", version) => with.1 |= version.parse::<u32>().expect("a version") << 16,
                ("+cd", _) => question.flags |= 0x0010,
                ("+ad", _) => question.flags |= 0x0020,
                ("+norec", _) => question.flags &= !0x0100,
                other => panic!("no such flag: {other:?}"),
            }
            let of_header = matches!(word, "+cd" | "+ad" | "+norec");
            question.edns = if of_header { edns } else { Some(with) };
        }
        question
    }

    pub fn with_option(mut self, code: u16, value: &[u8]) -> Self {
        let (size, flags, mut options) = self.edns.unwrap_or((1232, 0, Vec::new()));
        options.extend(code.to_be_bytes());
        options.extend((value.len() as u16).to_be_bytes());
        options.extend(value);
        self.edns = Some((size, flags, options));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        bytes.extend(wire(&self.name));
        bytes.extend(self.rtype.to_be_bytes());
        bytes.extend([0, 1]);
        if let Some((size, flags, options)) = &self.edns {
            bytes.extend([0, 0, 41]);
            bytes.extend(size.to_be_bytes());
            bytes.extend(flags.to_be_bytes());
            bytes.extend((options.len() as u16).to_be_bytes());
            bytes.extend(options);
        }
        bytes
    }
}

/// Asks over UDP from a device's address. None: no answer came in the given time.
pub async fn udp_raw(device: &str, server: SocketAddr, bytes: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((device, 0)).await.expect("a loopback address");
    socket.connect(server).await.expect("a server");
    socket.send(bytes).await.expect("sent");
    let mut answer = vec![0; 65_535];
    let length = tokio::time::timeout(patience, socket.recv(&mut answer)).await.ok()?.ok()?;
    answer.truncate(length);
    Some(answer)
}

/// Asks over TCP, on a connection of its own.
pub async fn ask_over_tcp(device: &str, server: SocketAddr, question: &str) -> String {
    let mut stream = connect(device, server).await;
    tcp_send(&mut stream, &Question::read(question).bytes()).await;
    said(&tcp_hear(&mut stream).await.expect("an answer"))
}

/// Opens a TCP connection from a device's address.
pub async fn connect(device: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(device.parse().expect("an address"), 0)).expect("a loopback address");
    socket.connect(server).await.expect("the server is there")
}

pub async fn tcp_send(stream: &mut TcpStream, bytes: &[u8]) {
    let framed = [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    stream.write_all(&framed).await.expect("the server takes it");
}

/// The next answer of a TCP connection; none at its end.
pub async fn tcp_hear(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let read = async {
        let length = stream.read_u16().await.ok()?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.ok()?;
        Some(answer)
    };
    tokio::time::timeout(PATIENCE, read).await.expect("in time")
}

/// An answer in one line: code, flags, answers, the SOA's time to live, extended error.
pub fn said(answer: &[u8]) -> String {
    let message = Message::from_octets(answer).expect("a header");
    let header = message.header();
    let mut said = match message.opt_rcode().to_int() {
        0 => "NOERROR".to_owned(),
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        16 => "BADVERS".to_owned(),
        other => format!("{other}"),
    };
    assert!(header.qr() && header.ra());
    for (flag, set) in [("tc", header.tc()), ("ad", header.ad()), ("cd", header.cd()), ("aa", header.aa())] {
        if set {
            said += &format!(" {flag}");
        }
    }
    if header.tc() && message.header_counts().qdcount() == 0 {
        return said;
    }
    for record in message.answer().expect("answers") {
        let record =
            record.expect("a record").into_record::<AllRecordData<_, _>>().expect("data").expect("data");
        said += &format!("; {} {} {}", record.owner(), record.ttl().as_secs(), record.rtype());
        said += &match record.data() {
            AllRecordData::Unknown(_) => String::new(),
            data => format!(" {data}"),
        };
    }
    for record in message.authority().expect("authority") {
        let record = record.expect("a record");
        if record.rtype() == Rtype::SOA {
            said += &format!("; soa {}", record.ttl().as_secs());
        }
    }
    if let Some((code, _)) = ede(answer) {
        said += &format!("; ede {code}");
    }
    said
}

/// The extended error's code and text.
pub fn ede(answer: &[u8]) -> Option<(u16, String)> {
    let message = Message::from_octets(answer).ok()?;
    let opt = message.opt()?;
    let error = opt.opt().iter::<ExtendedError<_>>().next()?.ok()?;
    let text = error.text().map(|text| match text {
        Ok(text) => text.to_string(),
        Err(bytes) => format!("{bytes:?}"),
    });
    Some((error.code().to_int(), text.unwrap_or_default()))
}

pub fn has_opt(answer: &[u8]) -> bool {
    Message::from_octets(answer).expect("a header").opt().is_some()
}
