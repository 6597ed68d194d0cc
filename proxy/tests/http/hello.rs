//! TLS ClientHellos, built byte by byte, so that a test can say exactly what is in them.

/// A ClientHello to be.
#[derive(Clone)]
pub struct Hello {
    /// What stands in the server name extension; none leaves it out.
    pub name: Option<Vec<u8>>,
    /// Further extensions: type and body.
    pub extensions: Vec<(u16, Vec<u8>)>,
    /// Records are at most this long.
    pub record: usize,
}

impl Hello {
    pub fn to(name: &str) -> Self {
        Self { name: Some(name.into()), extensions: Vec::new(), record: 16_384 }
    }

    pub fn nameless() -> Self {
        Self { name: None, ..Self::to("") }
    }

    /// As large as with the X25519MLKEM768 key share that browsers send (1,216 bytes).
    pub fn post_quantum(self) -> Self {
        let mut share = vec![0x04, 0xc4, 0x11, 0xec, 0x04, 0xc0];
        share.resize(6 + 1216, 0x5a);
        self.with(0x0033, share)
    }

    /// With an encrypted hello, or noise that looks like one: outer, HKDF-SHA256, AES-128-GCM.
    pub fn encrypted(self) -> Self {
        let mut body = vec![0, 0, 1, 0, 1, 7, 0, 32];
        body.resize(8 + 32, 0xaa);
        body.extend([0, 144]);
        body.resize(body.len() + 144, 0xbb);
        self.with(0xfe0d, body)
    }

    pub fn with(mut self, kind: u16, body: Vec<u8>) -> Self {
        self.extensions.push((kind, body));
        self
    }

    pub fn in_records_of(mut self, bytes: usize) -> Self {
        self.record = bytes;
        self
    }

    /// The handshake message.
    pub fn message(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        if let Some(name) = &self.name {
            extension(&mut extensions, 0, &vector(&[&[0][..], &vector(name)].concat()));
        }
        // Without these rustls takes it for no hello of a client that it could serve.
        extension(&mut extensions, 13, &vector(&[0x04, 0x03, 0x08, 0x04]));
        extension(&mut extensions, 10, &vector(&[0x00, 0x1d]));
        for (kind, body) in &self.extensions {
            extension(&mut extensions, *kind, body);
        }
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.push(32);
        body.extend([9; 32]);
        body.extend(vector(&[0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b]));
        body.extend([1, 0]);
        body.extend(vector(&extensions));
        let length = (body.len() as u32).to_be_bytes();
        [&[1, length[1], length[2], length[3]][..], &body].concat()
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let message = self.message();
        message.chunks(self.record).flat_map(|part| [&[22, 3, 1][..], &vector(part)].concat()).collect()
    }
}

fn vector(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn extension(to: &mut Vec<u8>, kind: u16, body: &[u8]) {
    to.extend(kind.to_be_bytes());
    to.extend(vector(body));
}
