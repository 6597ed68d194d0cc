//! An upstream's answer, made safe to keep: checked, reduced to the question's own chain, rewritten without
//! compression tricks, without `ech`, and with everything that has to be judged set beside it.

use super::svcb;
use super::wire::{Counts, HEADER, IN, Record, WireName, rcode, rtype, u16_at, u32_at};
use super::write::{Section, TooLong, Writer};
use blocklists::{Domain, Name, builtin};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A chain of aliases is followed so far; resolvers give up at about the same length.
const MOST_ALIASES: usize = 16;
/// So many addresses of an answer are kept, and as many hints: no program tries more, and each is opened at the router.
const MOST_ADDRESSES: usize = 32;
/// A negative answer without SOA says not for how long (RFC 2308 §5 would not keep it at all): this short, in seconds,
/// keeps a client that asks again and again from reaching the upstream each time.
const NEGATIVE_WITHOUT_SOA: u32 = 5;
/// Bytes of an SOA's five numbers, which end it (RFC 1035 §3.3.13).
const SOA_NUMBERS: usize = 20;

/// An answer that is safe to keep.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The response: header, question in lower case, answers, authority. No OPT record.
    pub(crate) wire: Vec<u8>,
    /// Where the question ends.
    pub(crate) question_end: usize,
    /// Where the times to live stand.
    pub(crate) ttls: Vec<u16>,
    /// NOERROR or NXDOMAIN.
    pub(crate) rcode: u16,
    /// For how long it is good, in seconds.
    pub(crate) ttl: u32,
    /// Whether nothing of the type asked for is in it.
    pub(crate) negative: bool,
    /// Whether the upstream vouches for it (AD).
    pub(crate) authentic: bool,
    /// Whether `ech` was taken out of it: what we changed, nobody has signed.
    pub(crate) stripped: bool,
    /// The names it leads to: CNAME targets, SVCB and HTTPS targets.
    pub(crate) targets: Vec<Domain>,
    /// The addresses in it.
    pub(crate) addresses: Vec<IpAddr>,
    /// The addresses that its SVCB and HTTPS records hint at.
    pub(crate) hints: Vec<IpAddr>,
    /// An address that is no site's: one that the question's name, or one that it leads to, has written in it, or a known
    /// resolver's, VPN's or onion relay's. Whoever is told it by a name goes to an address without one.
    pub(crate) bare: Option<IpAddr>,
}

/// The first of addresses that is no site's, by the names that lead there.
fn bare<'n>(
    names: impl Iterator<Item = Name<'n>> + Clone,
    mut addresses: impl Iterator<Item = IpAddr>,
) -> Option<IpAddr> {
    addresses.find(|&address| {
        let address = address.to_canonical();
        builtin::address_is_circumvention(address).is_some()
            || names.clone().any(|name| builtin::encodes(name, address))
    })
}

/// Why an upstream's message is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It cannot be read.
    Malformed,
    /// It is cut short; the question has to go over TCP.
    Truncated,
    /// It answers another question.
    OtherQuestion,
    /// It is an error of the upstream's.
    Failed(u16),
}

impl From<TooLong> for Unusable {
    fn from(_: TooLong) -> Self {
        Self::Malformed
    }
}

/// Checks an upstream's message and makes it safe to keep. With `dnssec` signatures and denials are kept.
pub(crate) fn clean(message: &[u8], name: &WireName, qtype: u16, dnssec: bool) -> Result<Answer, Unusable> {
    let (counts, rcode, at) = header(message, name, qtype)?;
    let (answers, at) = section(message, at, counts.answers)?;
    let (authorities, _) = section(message, at, counts.authorities)?;
    let chain = chain(message, name, qtype, &answers)?;
    let mut cleaning = Cleaning::new(message, name, qtype, rcode, dnssec);
    for record in &answers {
        cleaning.answer(record, &chain)?;
    }
    for record in &authorities {
        cleaning.authority(record, &chain)?;
    }
    Ok(cleaning.finish(message[3] & 0x20 != 0))
}

/// The header and the question: they must be a whole response to what was asked.
fn header(message: &[u8], name: &WireName, qtype: u16) -> Result<(Counts, u16, usize), Unusable> {
    let counts = Counts::read(message).ok_or(Unusable::Malformed)?;
    let (flags, rcode) = (message[2], u16::from(message[3] & 0x0F));
    if flags & 0xF8 != 0x80 {
        return Err(Unusable::Malformed);
    }
    if !matches!(rcode, rcode::NOERROR | rcode::NXDOMAIN) {
        // Some servers leave the question out of an error.
        return Err(Unusable::Failed(rcode));
    }
    if counts.questions != 1 {
        return Err(Unusable::OtherQuestion);
    }
    let (asked, at) = WireName::read(message, HEADER).ok_or(Unusable::Malformed)?;
    if asked != *name || u16_at(message, at) != Some(qtype) || u16_at(message, at + 2) != Some(IN) {
        return Err(Unusable::OtherQuestion);
    }
    if flags & 0x02 != 0 {
        return Err(Unusable::Truncated);
    }
    Ok((counts, rcode, at + 4))
}

fn section(message: &[u8], mut at: usize, count: u16) -> Result<(Vec<Record>, usize), Unusable> {
    let mut records = Vec::with_capacity(usize::from(count).min(64));
    for _ in 0..count {
        let record = Record::read(message, at).ok_or(Unusable::Malformed)?;
        at = record.end;
        records.push(record);
    }
    Ok((records, at))
}

/// The names from the question along its aliases, whatever order the records stand in.
fn chain(message: &[u8], name: &WireName, qtype: u16, answers: &[Record]) -> Result<Vec<WireName>, Unusable> {
    let mut chain = vec![*name];
    if qtype == rtype::CNAME {
        return Ok(chain);
    }
    loop {
        let last = chain[chain.len() - 1];
        let leads = |r: &&Record| r.rtype == rtype::CNAME && r.class == IN && r.owner == last;
        let Some(alias) = answers.iter().find(leads) else { return Ok(chain) };
        let (target, end) = WireName::read(message, alias.data).ok_or(Unusable::Malformed)?;
        if end != alias.end || chain.contains(&target) || chain.len() > MOST_ALIASES {
            return Err(Unusable::Malformed);
        }
        chain.push(target);
    }
}

struct Cleaning<'a> {
    message: &'a [u8],
    name: WireName,
    qtype: u16,
    rcode: u16,
    dnssec: bool,
    writer: Writer,
    question_end: usize,
    answer_ttl: u32,
    negative_ttl: Option<u32>,
    matched: bool,
    stripped: bool,
    targets: Vec<Domain>,
    addresses: Vec<IpAddr>,
    hints: Vec<IpAddr>,
}

impl<'a> Cleaning<'a> {
    fn new(message: &'a [u8], name: &WireName, qtype: u16, rcode: u16, dnssec: bool) -> Self {
        let writer = Writer::new(name, qtype, rcode);
        Self {
            message,
            name: *name,
            qtype,
            rcode,
            dnssec,
            question_end: writer.len(),
            writer,
            answer_ttl: u32::MAX,
            negative_ttl: None,
            matched: false,
            stripped: false,
            targets: Vec::new(),
            addresses: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Keeps what belongs to the question's chain, and looks into what it leads to.
    fn answer(&mut self, record: &Record, chain: &[WireName]) -> Result<(), Unusable> {
        let belongs = match record.rtype {
            rtype::DNAME => chain.iter().any(|name| name.is_under(&record.owner)),
            _ => chain.contains(&record.owner),
        };
        let wanted = match record.rtype {
            rtype::CNAME | rtype::DNAME => true,
            rtype::RRSIG => self.dnssec || self.qtype == rtype::RRSIG,
            other => other == self.qtype,
        };
        if !belongs || !wanted || record.class != IN {
            return Ok(());
        }
        match record.rtype {
            rtype::CNAME => self.lead(record.data)?,
            rtype::A | rtype::AAAA if self.addresses.len() >= MOST_ADDRESSES => return Ok(()),
            rtype::A => self.addresses.push(Ipv4Addr::from(self.exactly::<4>(record)?).into()),
            rtype::AAAA => self.addresses.push(Ipv6Addr::from(self.exactly::<16>(record)?).into()),
            rtype::SVCB | rtype::HTTPS => return self.service(record),
            _ => {}
        }
        self.keep(Section::Answer, record)
    }

    fn exactly<const N: usize>(&self, record: &Record) -> Result<[u8; N], Unusable> {
        self.message[record.data..record.end].try_into().map_err(|_| Unusable::Malformed)
    }

    fn lead(&mut self, at: usize) -> Result<(), Unusable> {
        let (target, _) = WireName::read(self.message, at).ok_or(Unusable::Malformed)?;
        self.leads_to(&target);
        Ok(())
    }

    fn leads_to(&mut self, target: &WireName) {
        let domain = target.text().name().to_domain();
        if !domain.as_str().is_empty() && !self.targets.contains(&domain) {
            self.targets.push(domain);
        }
    }

    /// An SVCB or HTTPS record goes on without `ech`; one that cannot be read goes no further, since a client might read
    /// it otherwise than we do.
    fn service(&mut self, record: &Record) -> Result<(), Unusable> {
        let Some(service) = svcb::without_ech(&self.message[record.data..record.end]) else { return Ok(()) };
        if self.hints.len() + service.hints.len() > MOST_ADDRESSES {
            return Ok(());
        }
        self.leads_to(&service.target);
        self.stripped |= service.stripped;
        self.hints.extend(service.hints);
        self.note(record);
        let data = service.data;
        Ok(self.writer.record(Section::Answer, &record.owner, record.rtype, record.ttl, |w| w.raw(&data))?)
    }

    fn note(&mut self, record: &Record) {
        self.answer_ttl = self.answer_ttl.min(record.ttl);
        self.matched |= record.rtype == self.qtype;
    }

    /// Authority: the SOA that says how long "no" holds, and with DNSSEC what proves it.
    fn authority(&mut self, record: &Record, chain: &[WireName]) -> Result<(), Unusable> {
        if record.class != IN {
            return Ok(());
        }
        match record.rtype {
            // Only a zone that holds the end of the chain can say that the name is not there.
            rtype::SOA if !self.matched && chain[chain.len() - 1].is_under(&record.owner) => {
                let minimum = record.end.checked_sub(4).and_then(|at| u32_at(self.message, at));
                let ttl = record.ttl.min(minimum.ok_or(Unusable::Malformed)?);
                self.negative_ttl = Some(ttl);
                // Said as it is meant, for clients that look at one of the two only.
                self.write(Section::Authority, &Record { ttl, ..record.clone() })
            }
            rtype::NSEC | rtype::NSEC3 | rtype::RRSIG if self.dnssec => {
                self.write(Section::Authority, record)
            }
            // DS of a referral, NS and glue: nothing that a client asked for.
            _ => Ok(()),
        }
    }

    fn keep(&mut self, section: Section, record: &Record) -> Result<(), Unusable> {
        self.note(record);
        self.write(section, record)
    }

    fn write(&mut self, section: Section, record: &Record) -> Result<(), Unusable> {
        let message = self.message;
        let data = Data::read(message, record).ok_or(Unusable::Malformed)?;
        let Some(data) = data else { return Ok(()) };
        Ok(self
            .writer
            .record(section, &record.owner, record.rtype, record.ttl, |w| data.write(w, message))?)
    }

    fn finish(self, authentic: bool) -> Answer {
        let negative = !self.matched;
        let ttl = match (negative, self.negative_ttl) {
            (false, _) => self.answer_ttl,
            (true, Some(ttl)) => ttl.min(self.answer_ttl),
            (true, None) => NEGATIVE_WITHOUT_SOA.min(self.answer_ttl),
        };
        let text = self.name.text();
        let names = std::iter::once(text.name()).chain(self.targets.iter().map(Domain::name));
        let bare = bare(names, self.addresses.iter().chain(&self.hints).copied());
        let (wire, ttls) = self.writer.finish();
        Answer {
            bare,
            wire,
            question_end: self.question_end,
            ttls,
            rcode: self.rcode,
            ttl,
            negative,
            authentic: authentic && !self.stripped,
            stripped: self.stripped,
            targets: self.targets,
            addresses: self.addresses,
            hints: self.hints,
        }
    }
}

/// A record's data with the names in it read, since they may be compressed against the old message.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, for as long as one record is written")]
enum Data {
    /// No names.
    Plain { from: usize, end: usize },
    /// Fixed bytes, one or two names, the rest.
    Names {
        from: usize,
        names_at: usize,
        names: [Option<WireName>; 2],
        rest: usize,
        end: usize,
        compress: bool,
    },
}

impl Data {
    /// The outer `None`: malformed. The inner: a type of the first DNSSEC that nobody signs with any more; it is left
    /// out, since its names may be compressed.
    #[expect(clippy::option_option, reason = "malformed, or left out, or read")]
    fn read(message: &[u8], record: &Record) -> Option<Option<Self>> {
        let (from, end) = (record.data, record.end);
        let (skip, count, compress) = match record.rtype {
            rtype::SIG | rtype::NXT => return Some(None),
            // NS, MD, MF, CNAME, MB, MG, MR, PTR.
            2..=5 | 7..=9 | rtype::PTR => (0, 1, true),
            rtype::SOA | 14 => (0, 2, true),
            15 => (2, 1, true),
            // DNAME; RP; AFSDB, RT, KX; PX; SRV: later than RFC 1035, so written out.
            rtype::DNAME => (0, 1, false),
            17 => (0, 2, false),
            18 | 21 | 36 => (2, 1, false),
            26 => (2, 2, false),
            33 => (6, 1, false),
            35 => (naptr(message, record)?, 1, false),
            _ => return Some(Some(Self::Plain { from, end })),
        };
        let names_at = from + skip;
        let (mut rest, mut names) = (names_at, [None; 2]);
        for name in names.iter_mut().take(count) {
            let (read, after) = WireName::read(message, rest)?;
            (*name, rest) = (Some(read), after);
        }
        // What stands behind the names of another SOA than this is no time to live, and would be read as one.
        let is_whole = record.rtype != rtype::SOA || end.checked_sub(rest) == Some(SOA_NUMBERS);
        (rest <= end && is_whole).then_some(Some(Self::Names { from, names_at, names, rest, end, compress }))
    }

    fn write(&self, writer: &mut Writer, message: &[u8]) {
        match self {
            Self::Plain { from, end } => writer.raw(&message[*from..*end]),
            Self::Names { from, names_at, names, rest, end, compress } => {
                writer.raw(&message[*from..*names_at]);
                for name in names.iter().flatten() {
                    if *compress { writer.name(name) } else { writer.whole_name(name) }
                }
                writer.raw(&message[*rest..*end]);
            }
        }
    }
}

/// The length of what stands before a NAPTR record's name: order, preference and three strings (RFC 3403 §4.1).
fn naptr(message: &[u8], record: &Record) -> Option<usize> {
    let mut at = record.data + 4;
    for _ in 0..3 {
        at += 1 + usize::from(*message.get(at)?);
    }
    (at <= record.end).then_some(at - record.data)
}

#[cfg(test)]
mod tests;
