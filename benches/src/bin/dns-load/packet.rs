//! Questions and answers as bytes (RFC 1035 §4.1).

/// What EDNS adds to a question.
pub(crate) const EDNS: usize = 11;

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
    /// The authoritative server's address.
    Allowed,
    /// No such name, no address (0.0.0.0), or the gateway's own: the page that says why.
    Refused,
    /// Come back over TCP: the device asks too fast.
    Limited,
    /// Anything else.
    Failed,
}

/// Reads what an answer to a question says. None: it is no answer to it.
pub(crate) fn read(answer: &[u8], query: &[u8]) -> Option<Said> {
    let question = &query[12..query.len() - EDNS];
    let flags = u16::from_be_bytes([*answer.get(2)?, *answer.get(3)?]);
    let rest = answer.get(12..)?;
    if flags & 0x8000 == 0 || !rest.starts_with(question) {
        return None;
    }
    // A record: its name (a pointer), type, class, TTL, length, and the address.
    let address = rest.get(question.len() + 12..question.len() + 16);
    let answers = u16::from_be_bytes([answer[6], answer[7]]);
    Some(match (flags & 15, answers, address) {
        _ if flags & 0x0200 != 0 => Said::Limited,
        (3, ..) => Said::Refused,
        (0, 1.., Some([0, 0, 0, 0] | [127, ..])) => Said::Refused,
        (0, 1.., Some([192, 0, 2, 80])) => Said::Allowed,
        _ => Said::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_say() {
        let query = query("site.example");
        let answer = |flags: u16, address: Option<[u8; 4]>| {
            let mut answer = query[..query.len() - EDNS].to_vec();
            answer[2..4].copy_from_slice(&flags.to_be_bytes());
            answer[7] = u8::from(address.is_some());
            answer.extend(
                address.iter().flat_map(|a| [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4], &a[..]].concat()),
            );
            answer
        };
        let cases = [
            ("the site", answer(0x8180, Some([192, 0, 2, 80])), Some(Said::Allowed)),
            ("our page", answer(0x8180, Some([127, 0, 0, 1])), Some(Said::Refused)),
            ("no address", answer(0x8180, Some([0; 4])), Some(Said::Refused)),
            ("no such name", answer(0x8183, None), Some(Said::Refused)),
            ("cut short", answer(0x8380, None), Some(Said::Limited)),
            ("an empty answer", answer(0x8180, None), Some(Said::Failed)),
            ("a failing server", answer(0x8182, None), Some(Said::Failed)),
            ("someone else's address", answer(0x8180, Some([198, 51, 100, 1])), Some(Said::Failed)),
            ("a question", answer(0x0100, None), None),
            ("half a header", vec![0; 7], None),
            ("another question", super::query("other.example"), None),
        ];
        for (case, answer, said) in cases {
            assert_eq!(read(&answer, &query), said, "{case}");
        }
    }
}
