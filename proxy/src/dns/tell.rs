//! Whether an answer that was found may be told: every name and address in it is judged like the question.

use super::case::{Case, Decided};
use super::counters::count;
use super::deliver::{Moment, deliver};
use super::safe_search::Search;
use super::{Dns, verdicts};
use crate::resolver::Found;
use agreements::Host;
use blocklists::Name;
use chrono::{DateTime, Utc};

/// How an answer may be told, and until when what allowed it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    pub(super) moment: Moment,
    pub(super) until: Option<DateTime<Utc>>,
}

impl Dns {
    /// How an answer that was found may be told; none when a name or address in it is refused, which is then written.
    pub(super) fn may_tell(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        found: &Found,
        out: &mut Vec<u8>,
    ) -> Option<Telling> {
        let Case { query, asker, round, client } = *case;
        let Found { entry, stale } = found;
        let asked = decided.verdict.as_ref();
        let judge = |name: Name<'_>| round.current.snapshot.judge_in(&client.moment, Host::Name(name), None);
        let until = match verdicts::judge_names(judge, asked, entry.targets()) {
            Ok(earliest) => earliest,
            Err((target, refusal)) => {
                count(&self.counters.answers_refused);
                self.refuse(case, target.name(), &refusal, out);
                return None;
            }
        };
        let bare = |address| round.current.snapshot.judge_in(&client.moment, Host::Address(address), None);
        let around = verdicts::around(&round.current, entry);
        if let Some((address, refusal)) = verdicts::judge_bare(bare, asked, around) {
            count(&self.counters.answers_refused);
            let detected = verdicts::detected(&round.current, address);
            self.refuse_as(case, query.text, &refusal, detected, out);
            return None;
        }
        if entry.rebinds {
            count(&self.counters.rebinding);
            self.rebinds(query, asker, out);
            return None;
        }
        if *stale {
            count(&self.counters.stale);
        }
        let most = verdicts::allowed_for(until, round.now, self.settings.most_ttl);
        let private = asked.is_some_and(verdicts::protects);
        Some(Telling { moment: Moment { now: round.steady, most, stale: *stale, private }, until })
    }

    /// Writes an answer that may be told.
    pub(super) fn tell(
        &self,
        case: &Case<'_>,
        decided: &Decided,
        found: &Found,
        moment: Moment,
        out: &mut Vec<u8>,
    ) {
        let Case { query, asker, .. } = *case;
        match decided.search {
            Search::Host(host) => self.search_answer(query, asker, host, &found.entry, moment, out),
            Search::AsAsked | Search::Address(_) => {
                if found.entry.answer.stripped {
                    count(&self.counters.ech);
                }
                deliver(query, asker.transport, &found.entry, moment, out);
            }
        }
    }
}
