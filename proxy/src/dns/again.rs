//! What a worker told a client in its running moment: who is refused is mostly refused the like of it again, and then neither
//! the decision nor the answer is made anew.

use super::case::Case;
use super::edns::Edns;
use super::reply;
use super::verdicts;
use super::wire::HEADER;
use crate::gate::is_for_every_host;
use agreements::{House, Moment, Request, Rule, Verdict};
use blocklists::Tags;
use std::net::IpAddr;

/// So many verdicts, and so many answers, are remembered of one client.
const MOST: usize = 8;

/// What was told to one client in one moment.
#[derive(Debug, Default)]
pub(crate) struct Told {
    verdicts: Recent<(Tags, Verdict)>,
    refusals: Recent<Refusal>,
}

/// The last few of something.
#[derive(Debug)]
struct Recent<T> {
    kept: Vec<T>,
    next: usize,
}

/// An answer that refuses, without what differs from name to name.
#[derive(Debug, Default)]
struct Refusal {
    like: Option<Like>,
    /// The header after the id.
    header: [u8; HEADER - 2],
    /// All that follows the question.
    rest: Vec<u8>,
}

/// What two answers that refuse differ in, the name apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Like {
    verdict: Verdict,
    ttl: u32,
    /// Sentences tell times as seen from now.
    minute: i64,
    qtype: u16,
    flags: [u8; 2],
    edns: Option<Edns>,
    to: Option<IpAddr>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), next: 0 }
    }
}

impl<T> Recent<T> {
    /// A new one, while there is room for it; else the one that is there for longest, to be written over.
    fn place(&mut self, new: impl FnOnce() -> T) -> &mut T {
        if self.kept.len() < MOST {
            self.kept.push(new());
        }
        let place = self.next % MOST;
        self.next = place + 1;
        &mut self.kept[place]
    }
}

impl Told {
    /// Decides, unless the same was decided of late.
    pub(super) fn judge(&mut self, house: &House, moment: &Moment, request: &Request<'_>) -> Verdict {
        if !house.goes_by_tags(moment, request) {
            return house.judge_in(moment, request);
        }
        if let Some((_, verdict)) = self.verdicts.kept.iter().find(|(tags, _)| *tags == request.tags) {
            return *verdict;
        }
        let verdict = house.judge_in(moment, request);
        let told = (request.tags, verdict);
        *self.verdicts.place(|| told) = told;
        verdict
    }

    /// Answers a refusal as one like it was answered. Whether one was.
    pub(super) fn refuse(&self, case: &Case<'_>, verdict: &Verdict, out: &mut Vec<u8>) -> bool {
        let like = Like::of(case, verdict);
        let Some(refusal) = self.refusals.kept.iter().find(|refusal| refusal.like == Some(like)) else {
            return false;
        };
        let query = case.query;
        out.clear();
        out.extend_from_slice(&query.bytes[..2]);
        out.extend_from_slice(&refusal.header);
        out.extend_from_slice(&query.bytes[HEADER..query.end]);
        out.extend_from_slice(&refusal.rest);
        // One that is too long is made anew, shorter.
        out.len() <= reply::limit(query, case.transport())
    }

    /// Remembers how a refusal was answered, if it says the same of every host.
    pub(super) fn refused(&mut self, case: &Case<'_>, verdict: &Verdict, out: &[u8]) {
        let query = case.query;
        let is_cut = out[2] & 0x02 != 0;
        // One without its sentence may be so because its name is long.
        let has_sentence = out.len() + reply::MOST_TEXT <= reply::limit(query, case.transport());
        let is_alike = verdict.rule == Rule::Sealed || is_for_every_host(verdict);
        if is_cut || query.edns.is_some() && !(has_sentence && is_alike) {
            return;
        }
        let refusal = self.refusals.place(Refusal::default);
        refusal.like = Some(Like::of(case, verdict));
        refusal.header.copy_from_slice(&out[2..HEADER]);
        refusal.rest.clear();
        refusal.rest.extend_from_slice(&out[query.end..]);
    }
}

impl Like {
    fn of(case: &Case<'_>, verdict: &Verdict) -> Self {
        let Case { query, asker, round, .. } = case;
        Self {
            verdict: *verdict,
            ttl: verdicts::refused_for(verdict, round.now),
            minute: round.now.timestamp().div_euclid(60),
            qtype: query.qtype,
            flags: [query.bytes[2], query.bytes[3]],
            edns: query.edns,
            to: asker.to,
        }
    }
}
