//! A folder of files as one download: a ZIP archive (PKWARE APPNOTE 6.3) whose files are stored as they are, so that every
//! machine opens it and nothing in it needs to be trusted.

/// The archive as it is written.
#[derive(Default)]
pub(crate) struct Zip {
    bytes: Vec<u8>,
    central: Vec<u8>,
    count: u16,
}

/// Every file has this date: an archive says nothing of the machine that made it (1 January 1980, DOS's first).
const DATE: u16 = 0x21;
/// Names are UTF-8 (general purpose bit 11).
const UTF8: u16 = 0x0800;

impl Zip {
    /// Adds a file. Names are ours, short and few.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) {
        let at = size(self.bytes.len());
        let fields = |to: &mut Vec<u8>| {
            to.extend(20u16.to_le_bytes());
            to.extend(UTF8.to_le_bytes());
            to.extend([0; 4]); // Stored; midnight.
            to.extend(DATE.to_le_bytes());
            to.extend(crc32(content).to_le_bytes());
            to.extend(size(content.len()).to_le_bytes());
            to.extend(size(content.len()).to_le_bytes());
            to.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
            to.extend([0; 2]); // No extra field.
        };
        self.bytes.extend(b"PK\x03\x04");
        fields(&mut self.bytes);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(content);
        self.central.extend(b"PK\x01\x02");
        self.central.extend(20u16.to_le_bytes());
        fields(&mut self.central);
        self.central.extend([0; 10]); // No comment; disk 0; no attributes.
        self.central.extend(at.to_le_bytes());
        self.central.extend(name.as_bytes());
        self.count += 1;
    }

    /// The whole archive.
    pub(crate) fn end(mut self) -> Vec<u8> {
        let (at, length) = (size(self.bytes.len()), size(self.central.len()));
        self.bytes.extend(&self.central);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}

/// A length as the format has it. A home's records are megabytes; what is larger than four gigabytes never gets here.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The checksum that the format asks for (ISO 3309). It is against slips; against people there is the manifest.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "another program opens it")]
    fn an_archive_opens_again() {
        let mut zip = Zip::default();
        zip.add("a.txt", b"hello\n");
        zip.add("ordner/b.txt", "é".as_bytes());
        let bytes = zip.end();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.zip");
        std::fs::write(&path, &bytes).unwrap();
        let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist(), z.read('a.txt'))";
        let out = std::process::Command::new("python3").args(["-c", script]).arg(&path).output();
        let Ok(out) = out else {
            return crate::desk::tests::missing("python3");
        };
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(
            said.trim(),
            "['a.txt', 'ordner/b.txt'] b'hello\\n'",
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
}
