//! A whole list as it was fetched: unpacked if it is gzip, recognised, bounded, read entry by entry.

use super::archive::{self, Reading};
use super::entry::{Entry, Skips};
use super::lines::{Line, for_each_line};
use super::out::Out;
use super::{Format, Reason, recognise};
use crate::{AddressRange, Tags};
use flate2::bufread::MultiGzDecoder;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// What a list may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes as fetched.
    pub bytes: u64,
    /// Bytes after decompression.
    pub unpacked: u64,
    /// Entries.
    pub entries: u64,
}

impl Default for Limits {
    /// The largest public lists in 2026 have about 10 million names, 250 MB as text and 60 MB packed.
    fn default() -> Self {
        Self { bytes: 256 << 20, unpacked: 1 << 30, entries: 20_000_000 }
    }
}

/// A list's bytes: in memory, or from a reader.
pub enum Body<'a> {
    /// All of it, in memory.
    Bytes(&'a [u8]),
    /// A stream. Text is never held whole; archives, which are read twice, are taken into memory as fetched.
    Reader(Box<dyn Read + 'a>),
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Reader(_) => f.write_str("Reader"),
        }
    }
}

/// A list that the home subscribes to, or one that is built in.
#[derive(Debug)]
pub struct ListInput<'a> {
    /// What reports call it: the source as the home wrote it, or a built-in table's word.
    pub id: &'a str,
    /// What its names are. Of an archive with `categories`, this is not used.
    pub tags: Tags,
    /// For archives: a folder or file of the archive, and what its names are.
    pub categories: &'a [(String, Tags)],
    /// Its bytes.
    pub body: Body<'a>,
    /// Its format, if the home says so; else it is recognised.
    pub format: Option<Format>,
    /// Names that nobody is shown, kept as digests only (IWF, CTIRU).
    pub sealed: bool,
    /// A table of this program: it may name protected sites, since it is what protects them.
    pub built_in: bool,
}

impl<'a> ListInput<'a> {
    /// A list of one kind of site, in memory, its format to be recognised.
    pub fn new(id: &'a str, tags: Tags, body: &'a [u8]) -> Self {
        Self {
            id,
            tags,
            categories: &[],
            body: Body::Bytes(body),
            format: None,
            sealed: false,
            built_in: false,
        }
    }
}

/// An entry and what its list says it is.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// What the name is.
    pub tags: Tags,
}

/// Why a body is no list.
#[derive(Debug)]
pub enum NotAList {
    /// There is nothing in it.
    Empty,
    /// It is a web page: most often a sign-in page or an error page of the publisher.
    Html,
    /// No format fits it.
    Unknown,
    /// It is larger than the limit, packed or unpacked.
    TooLarge,
    /// It could not be read, or its compression is damaged.
    Unreadable(io::Error),
}

impl fmt::Display for NotAList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the list is empty"),
            Self::Html => f.write_str("this is a web page, not a list"),
            Self::Unknown => f.write_str("no list format fits these lines"),
            Self::TooLarge => f.write_str("the list is larger than the limit"),
            Self::Unreadable(why) => write!(f, "the list cannot be read: {why}"),
        }
    }
}

impl std::error::Error for NotAList {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(why) => Some(why),
            Self::Empty | Self::Html | Self::Unknown | Self::TooLarge => None,
        }
    }
}

impl From<io::Error> for NotAList {
    fn from(why: io::Error) -> Self {
        if why.get_ref().is_some_and(|inner| inner.is::<OverLimit>()) {
            Self::TooLarge
        } else {
            Self::Unreadable(why)
        }
    }
}

/// What reading a list gave.
#[derive(Debug)]
pub struct Outcome {
    /// The format it was read as.
    pub format: Format,
    /// How many entries it has.
    pub entries: u64,
    /// The addresses that it lists, and what they are: of lists of addresses alone.
    pub addresses: Vec<(AddressRange, Tags)>,
    /// The lines that were skipped.
    pub skips: Skips,
}

/// How much of a list is looked at to recognise it, in bytes.
const HEAD: usize = 64 << 10;
/// How much of an archive is looked at to recognise it, in bytes: a large file may stand before the telling ones.
const HEAD_OF_ARCHIVE: u64 = 4 << 20;

/// Reads a whole list and passes every entry on. Bad lines are skipped; only a body that is no list is an error.
///
/// Entries that were passed on before an error (damaged compression, a limit) must be thrown away by the caller.
pub fn read_list(
    input: ListInput<'_>,
    limits: &Limits,
    each: &mut dyn FnMut(Tagged<'_>),
) -> Result<Outcome, NotAList> {
    let ListInput { id: _, tags, categories, body, format, sealed, built_in } = input;
    let mut wanted = Wanted { tags, words: categories, format, limits, built_in, each };
    let mut outcome = match body {
        Body::Bytes(bytes) => {
            let mut whole = Bounded { inner: bytes, left: limits.bytes };
            wanted.body(&mut whole, bytes)
        }
        Body::Reader(reader) => {
            let mut reader = BufReader::with_capacity(HEAD, Bounded { inner: reader, left: limits.bytes });
            wanted.body(&mut reader, &[])
        }
    }?;
    if sealed {
        outcome.skips.seal();
    }
    Ok(outcome)
}

/// How a body is to be read, and where its entries go.
struct Wanted<'a, 'e> {
    tags: Tags,
    words: &'a [(String, Tags)],
    format: Option<Format>,
    limits: &'a Limits,
    built_in: bool,
    each: &'e mut dyn FnMut(Tagged<'_>),
}

impl Wanted<'_, '_> {
    fn body(&mut self, packed: &mut dyn BufRead, in_memory: &[u8]) -> Result<Outcome, NotAList> {
        let packed_head = take_head(packed)?;
        let mut packed = packed_head.as_slice().chain(packed);
        if is_archive(&unpacked_head(&packed_head)) {
            // Archives are read twice, so a stream is taken into memory; its bytes are bounded already.
            let mut whole = Vec::new();
            if in_memory.is_empty() {
                packed.read_to_end(&mut whole)?;
            } else if in_memory.len() as u64 > self.limits.bytes {
                return Err(NotAList::TooLarge);
            }
            return self.archive(if in_memory.is_empty() { &whole } else { in_memory });
        }
        if packed_head.starts_with(&GZIP) {
            let unpacked = Bounded { inner: MultiGzDecoder::new(packed), left: self.limits.unpacked };
            self.text(&mut BufReader::with_capacity(HEAD, unpacked))
        } else {
            self.text(&mut packed)
        }
    }

    fn archive(&mut self, body: &[u8]) -> Result<Outcome, NotAList> {
        let mut head = Vec::new();
        unpack(body, self.limits).take(HEAD_OF_ARCHIVE).read_to_end(&mut head)?;
        let format = self.format.or_else(|| archive::recognise(&head)).ok_or(NotAList::Unknown)?;
        drop(head);
        let Self { tags, words, limits, each, format: wanted, .. } = self;
        let mut reading = Reading {
            body,
            limits,
            words,
            tags: *tags,
            each: &mut **each,
            skips: Skips::default(),
            entries: 0,
            addresses: Vec::new(),
        };
        match format {
            Format::Ut1 => reading.ut1()?,
            Format::V2fly => reading.v2fly()?,
            Format::Hosts
            | Format::Plain
            | Format::Dnsmasq
            | Format::Rpz
            | Format::Adblock
            | Format::Addresses => reading.files(*wanted)?,
        }
        Ok(Outcome { format, entries: reading.entries, addresses: reading.addresses, skips: reading.skips })
    }

    fn text(&mut self, reader: &mut dyn BufRead) -> Result<Outcome, NotAList> {
        let head = take_head(reader)?;
        let format = match (self.format, recognise(&head)) {
            // A web page is no list even where the home says which format it expects.
            (Some(_), Err(why @ (NotAList::Html | NotAList::Empty))) => return Err(why),
            (Some(format), _) => format,
            (None, recognised) => recognised?,
        };
        let (each, tags) = (&mut *self.each, self.tags);
        let mut pass = |entry: Entry<'_>| each(Tagged { entry, tags });
        let mut out = Out::new(self.limits.entries, &mut pass);
        out.takes_endings = self.built_in;
        read_lines(&mut head.as_slice().chain(reader), format, &mut out)?;
        let addresses = out.ranges.into_iter().map(|range| (range, tags)).collect();
        Ok(Outcome { format, entries: out.entries, addresses, skips: out.skips })
    }
}

/// Reads text of a known format, line by line.
pub(super) fn read_lines(reader: &mut dyn BufRead, format: Format, out: &mut Out<'_>) -> io::Result<()> {
    let mut lines = format.reader();
    for_each_line(reader, |number, line| {
        out.line = number;
        match line {
            Line::Text("") => {}
            Line::Text(text) => lines.line(text, out),
            Line::Garbage(bytes) => out.skip(Reason::NotText, &beginning(bytes)),
            Line::TooLong(bytes) => out.skip(Reason::TooLong, &beginning(bytes)),
        }
    })
}

/// As much of a bad line as a report can show.
fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(Skips::SAMPLE_LENGTH)]).into_owned()
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The first bytes of a reader.
pub(super) fn take_head(reader: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The head as it is after decompression, as far as it can be had.
pub(super) fn unpacked_head(head: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    if head.starts_with(&GZIP) {
        // The head of a gzip stream ends early: what came out before that is what is wanted.
        let _ends_early = MultiGzDecoder::new(head).take(HEAD as u64).read_to_end(&mut unpacked);
    } else {
        unpacked.extend_from_slice(head);
    }
    unpacked
}

/// Whether the bytes begin with a tar header (POSIX.1-1988 ustar, and GNU's spelling of it).
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// The unpacked bytes of a body in memory, bounded.
pub(super) fn unpack<'a>(body: &'a [u8], limits: &Limits) -> impl Read + use<'a> {
    let reader: Box<dyn Read + 'a> =
        if body.starts_with(&GZIP) { Box::new(MultiGzDecoder::new(body)) } else { Box::new(body) };
    BufReader::with_capacity(HEAD, Bounded { inner: reader, left: limits.unpacked })
}

/// A reader that fails, rather than ends, when more comes than is allowed: half a list is not a list.
struct Bounded<R> {
    inner: R,
    left: u64,
}

#[derive(Debug)]
struct OverLimit;

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more bytes than the limit")
    }
}

impl std::error::Error for OverLimit {}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(OverLimit))?;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let buffer = self.inner.fill_buf()?;
        if !buffer.is_empty() && self.left == 0 {
            return Err(io::Error::other(OverLimit));
        }
        let seen = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        Ok(&buffer[..seen])
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.inner.consume(amount);
    }
}
