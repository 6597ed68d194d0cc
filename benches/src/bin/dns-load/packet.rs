//! Questions and answers as bytes (RFC 1035 §4.1).

/// A question for the IPv4 address of a name, with EDNS (RFC 6891) as every system asks today. Its number is zero.
pub(crate) fn query(name: &str) -> Vec<u8> {
    let mut query = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    query.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    query
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The upstream's address.
    Allowed,
    /// The gateway's own address: the page that says why.
    Refused,
    /// Come back over TCP: the device asks too fast.
    Limited,
    /// Anything else.
    Failed,
}

/// Reads what an answer to a question of `asked` bytes says.
pub(crate) fn read(answer: &[u8], asked: usize) -> Said {
    // The question without EDNS stands first, then a record: name (a pointer), type, class, TTL, length, address.
    const EDNS: usize = 11;
    let at = asked - EDNS;
    let address = answer.get(at + 12..at + 16);
    let Some(&[_, _, flags, code, ..]) = answer.get(..12) else { return Said::Failed };
    if flags & 2 != 0 {
        return Said::Limited;
    }
    match address {
        _ if code & 15 != 0 || answer[6..8] == [0, 0] => Said::Failed,
        Some([192, 0, 2, _]) => Said::Allowed,
        Some([127, ..]) => Said::Refused,
        _ => Said::Failed,
    }
}
