//! The internet of these tests: one small name server on loopback that answers from a text, and misbehaves when told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// What a name server does with a question. Names below `silent.test` never have an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Well,
    /// It hears and says nothing.
    Silent,
    /// It answers with this error.
    Error(u8),
    /// It answers after a while.
    Slow(Duration),
    /// It answers in lower case whatever was asked.
    LowerCase,
    /// It answers another question.
    OtherQuestion,
    /// It answers UDP with something else than TCP, without its being asked there.
    Forged,
}

/// One name server.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    zone: Mutex<Vec<Record>>,
    mood: Mutex<Mood>,
    authentic: AtomicBool,
    /// How many questions came over each.
    pub udp: AtomicU32,
    pub tcp: AtomicU32,
    /// The last question, as it came.
    last: Mutex<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Record {
    name: String,
    ttl: u32,
    rtype: u16,
    data: Vec<u8>,
}

/// The number of a type's name, `TYPE123` included.
pub fn rtype(name: &str) -> u16 {
    match name {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "DNAME" => 39,
        "DS" => 43,
        "RRSIG" => 46,
        "DNSKEY" => 48,
        "SVCB" => 64,
        "HTTPS" => 65,
        "ANY" => 255,
        other => other.strip_prefix("TYPE").and_then(|n| n.parse().ok()).expect("a type"),
    }
}

/// A name as it goes over the wire.
pub fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|l| !l.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a label"));
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

fn data(rtype: u16, words: &[&str]) -> Vec<u8> {
    if let ["\\#", bytes] = words {
        return hex(bytes);
    }
    let number = |i: usize| words[i].parse::<u16>().expect("a number").to_be_bytes().to_vec();
    match rtype {
        1 => words[0].parse::<std::net::Ipv4Addr>().expect("an address").octets().to_vec(),
        28 => words[0].parse::<std::net::Ipv6Addr>().expect("an address").octets().to_vec(),
        2 | 5 | 12 | 39 => wire(words[0]),
        15 => [number(0), wire(words[1])].concat(),
        33 => [number(0), number(1), number(2), wire(words[3])].concat(),
        16 => words.iter().flat_map(|w| [&[w.len() as u8][..], w.as_bytes()].concat()).collect(),
        6 => {
            let mut soa = [wire("ns.test"), wire("nobody.test")].concat();
            for number in [1, 2, 3, 4, words[0].parse::<u32>().expect("a minimum")] {
                soa.extend(number.to_be_bytes());
            }
            soa
        }
        // Service records: priority, target, then parameters as `key=hex`.
        64 | 65 => {
            let mut data = [number(0), wire(words[1])].concat();
            for param in &words[2..] {
                let (key, value) = param.split_once('=').expect("key=hex");
                let value = hex(value);
                data.extend(key.parse::<u16>().expect("a key").to_be_bytes());
                data.extend((value.len() as u16).to_be_bytes());
                data.extend(value);
            }
            data
        }
        _ => words.concat().into_bytes(),
    }
}

impl Server {
    /// Starts a name server: each line of its zone is `name ttl type data`.
    pub async fn start(zone: &str) -> Arc<Self> {
        // The port that UDP is given may be taken for TCP: then another.
        for _ in 0..16 {
            let udp = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            let address = udp.local_addr().expect("an address");
            if let Ok(tcp) = TcpListener::bind(address).await {
                return Self::serve(zone, address, udp, tcp);
            }
        }
        panic!("no port is free for UDP and TCP");
    }

    fn serve(zone: &str, address: SocketAddr, udp: UdpSocket, tcp: TcpListener) -> Arc<Self> {
        let server = Arc::new(Self {
            address,
            zone: Mutex::default(),
            mood: Mutex::new(Mood::Well),
            authentic: AtomicBool::new(false),
            udp: AtomicU32::new(0),
            tcp: AtomicU32::new(0),
            last: Mutex::default(),
        });
        server.publish(zone);
        tokio::spawn(Arc::clone(&server).serve_udp(udp));
        tokio::spawn(Arc::clone(&server).serve_tcp(tcp));
        server
    }

    /// Replaces the zone.
    pub fn publish(&self, zone: &str) {
        let lines = zone.lines().map(str::trim).filter(|l| !l.is_empty());
        let records = lines.map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let rtype = rtype(words[2]);
            Record {
                name: words[0].trim_end_matches('.').to_owned(),
                ttl: words[1].parse().expect("a time to live"),
                rtype,
                data: data(rtype, &words[3..]),
            }
        });
        *self.zone.lock().unwrap() = records.collect();
    }

    pub fn mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Whether it says that it has checked signatures.
    pub fn vouch(&self, authentic: bool) {
        self.authentic.store(authentic, Ordering::Relaxed);
    }

    /// How many questions came.
    pub fn asked(&self) -> u32 {
        self.udp.load(Ordering::Relaxed) + self.tcp.load(Ordering::Relaxed)
    }

    /// The last question that came.
    pub fn last(&self) -> Vec<u8> {
        self.last.lock().unwrap().clone()
    }

    async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut buffer = vec![0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            self.udp.fetch_add(1, Ordering::Relaxed);
            let (server, socket, query) = (Arc::clone(&self), Arc::clone(&socket), buffer[..length].to_vec());
            tokio::spawn(async move {
                if let Some(answer) = server.answer(&query, true).await {
                    let _ = socket.send_to(&answer, from).await;
                }
            });
        }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).converse(stream));
        }
    }

    pub async fn converse<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
        self: Arc<Self>,
        mut stream: S,
    ) {
        while let Ok(length) = stream.read_u16().await {
            let mut query = vec![0; usize::from(length)];
            if stream.read_exact(&mut query).await.is_err() {
                return;
            }
            self.tcp.fetch_add(1, Ordering::Relaxed);
            let Some(answer) = self.answer(&query, false).await else { continue };
            let framed = [&(answer.len() as u16).to_be_bytes()[..], &answer].concat();
            if stream.write_all(&framed).await.is_err() {
                return;
            }
        }
    }

    /// Answers a question that came over HTTPS.
    pub async fn over_https(&self, query: &[u8]) -> Option<Vec<u8>> {
        self.tcp.fetch_add(1, Ordering::Relaxed);
        self.answer(query, false).await
    }

    async fn answer(&self, query: &[u8], udp: bool) -> Option<Vec<u8>> {
        *self.last.lock().unwrap() = query.to_vec();
        if read_name(query).is_some_and(|(name, _)| name.to_ascii_lowercase().ends_with("silent.test")) {
            return None;
        }
        let mood = *self.mood.lock().unwrap();
        let mut code = None;
        match mood {
            Mood::Silent => return None,
            Mood::Error(error) => code = Some(error),
            Mood::Slow(time) => tokio::time::sleep(time).await,
            Mood::Well | Mood::LowerCase | Mood::OtherQuestion | Mood::Forged => {}
        }
        let (name, end) = read_name(query)?;
        let qtype = u16::from_be_bytes([query[end], query[end + 1]]);
        let mut question = query[12..end + 4].to_vec();
        match mood {
            Mood::LowerCase => question.make_ascii_lowercase(),
            Mood::OtherQuestion => question[1] ^= 0x01,
            Mood::Forged if udp => question.make_ascii_uppercase(),
            _ => {}
        }
        // Our own questions have an OPT record without options at their end: its flags tell whether DNSSEC is wanted.
        let signed = query[query.len() - 4] & 0x80 != 0;
        let (mut answers, soa, found) = self.look_up(&name, qtype, signed);
        if mood == Mood::Forged && udp {
            answers = vec![record(&name, 60, 1, &[6, 6, 6, 6])];
        }
        if code.is_some() {
            answers.clear();
        }
        let code = code.unwrap_or(if found { 0 } else { 3 });
        let authority = if answers.is_empty() { soa } else { None };
        let authentic = if self.authentic.load(Ordering::Relaxed) { 0x20 } else { 0 };
        let mut message = [&query[..2], &[0x81, 0x80 | authentic | code, 0, 1]].concat();
        message.extend((answers.len() as u16).to_be_bytes());
        message.extend([0, u8::from(authority.is_some()), 0, 0]);
        message.extend(&question);
        message.extend(answers.concat());
        message.extend(authority.unwrap_or_default());
        if udp && message.len() > 1232 {
            message.truncate(12 + question.len());
            message[2] |= 0x02;
            message[6..12].fill(0);
        }
        Some(message)
    }

    /// Records, the zone's SOA, and whether the name is there at all.
    fn look_up(&self, name: &str, qtype: u16, signed: bool) -> (Vec<Vec<u8>>, Option<Vec<u8>>, bool) {
        let zone = self.zone.lock().unwrap();
        let (mut at, mut answers, mut found) = (name.to_ascii_lowercase(), Vec::new(), false);
        for _ in 0..20 {
            let here: Vec<_> = zone.iter().filter(|r| r.name == at).collect();
            found = !here.is_empty();
            let signs = |r: &Record| signed && r.rtype == 46 && r.data[..2] == qtype.to_be_bytes();
            let of_type = here.iter().filter(|r| r.rtype == qtype || signs(r));
            answers.extend(of_type.map(|r| record(&at, r.ttl, r.rtype, &r.data)));
            match here.iter().find(|r| r.rtype == 5 && qtype != 5) {
                Some(alias) => {
                    answers.push(record(&at, alias.ttl, 5, &alias.data));
                    at = text(&alias.data);
                }
                None => break,
            }
        }
        let soa =
            zone.iter().find(|r| r.rtype == 6 && (at == r.name || at.ends_with(&format!(".{}", r.name))));
        (answers, soa.map(|r| record(&r.name, r.ttl, 6, &r.data)), found)
    }
}

fn record(name: &str, ttl: u32, rtype: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [&wire(name)[..], &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

fn text(wire: &[u8]) -> String {
    let (mut rest, mut labels) = (wire, Vec::new());
    while let Some((&length @ 1.., tail)) = rest.split_first() {
        let (label, tail) = tail.split_at(usize::from(length));
        labels.push(String::from_utf8_lossy(label).into_owned());
        rest = tail;
    }
    labels.join(".")
}

fn read_name(query: &[u8]) -> Option<(String, usize)> {
    let name = text(query.get(12..)?);
    let length = if name.is_empty() { 1 } else { name.len() + 2 };
    Some((name, 12 + length))
}
