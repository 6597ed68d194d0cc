//! What was said to somebody of late: most refusals of an evening are the same few sentences.

use agreements::{Rule, Subject, Verdict};
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// So many sentences are kept for one person; the oldest are made again.
const MOST: usize = 16;

/// The sentences of one person within one house and standing, by what was decided and in which minute.
#[derive(Debug, Default)]
pub(crate) struct Sentences(ArcSwap<Vec<Said>>);

#[derive(Clone, Debug)]
struct Said {
    verdict: Verdict,
    /// Sentences tell times as seen from now (`21:00`, `07:00 on Monday`).
    minute: i64,
    text: Arc<str>,
}

impl Sentences {
    /// Shows what is said of a verdict now. `make` makes the sentence.
    pub(crate) fn show<T>(
        &self,
        verdict: &Verdict,
        now: DateTime<Utc>,
        make: impl FnOnce() -> String,
        show: impl FnOnce(&str) -> T,
    ) -> T {
        if !is_for_every_host(verdict) {
            return show(&make());
        }
        let minute = now.timestamp().div_euclid(60);
        let kept = self.0.load();
        let is_it = |said: &&Said| said.minute == minute && said.verdict == *verdict;
        if let Some(said) = kept.iter().find(is_it) {
            return show(&said.text);
        }
        let text: Arc<str> = make().into();
        let newest = Said { verdict: *verdict, minute, text: Arc::clone(&text) };
        let rest = kept.iter().filter(|said| said.minute == minute).take(MOST - 1).cloned();
        // Of two threads that do so at once one is forgotten, and says it anew next time.
        self.0.store(Arc::new(std::iter::once(newest).chain(rest).collect()));
        show(&text)
    }
}

/// Whether the sentence is the same for every host: the floor and the agreement's words speak of the site itself where
/// they are about no kind of site.
pub(crate) fn is_for_every_host(verdict: &Verdict) -> bool {
    let of_a_kind = matches!(verdict.subject, Subject::Category(_) | Subject::Service(_) | Subject::Search);
    let of_the_site = matches!(verdict.rule, Rule::Floor | Rule::Site | Rule::Service | Rule::Category);
    of_a_kind || !of_the_site
}
