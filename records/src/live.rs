//! What is granted and restricted now.
//!
//! The register finds the entries quickly; what they open or close, for whom and until when, and whether they were taken
//! back, their own entries say. Whoever changes the register alone can revive nothing.

use crate::clock::ClockState;
use crate::entry::{Entry, Granted, Granting};
use crate::room::Records;
use crate::spell;
use crate::store::StoreError;
use agreements::{GrantKind, LiveGrant, LiveRestriction};
use std::collections::BTreeMap;

/// None where this build no longer knows the limit's word.
fn granted(opens: &Granting) -> Option<GrantKind> {
    Some(match opens {
        Granting::Sites(words) => GrantKind::Sites(spell::to_what(words.as_deref())),
        Granting::ExtraTime(key) => GrantKind::ExtraTime(spell::to_key(key)?),
        Granting::Supervised(words) => GrantKind::Supervised(spell::to_words(words)),
        Granting::Education(young_person) => GrantKind::Education { young_person: young_person.clone() },
    })
}

/// A grant as the decision has it; none where it has a word that this program does not know.
pub(crate) fn live_grant(entry: i64, said: Granted) -> Option<LiveGrant> {
    let Some(kind) = granted(&said.opens) else {
        tracing::warn!(entry, "a grant has a word that this program does not know: it opens nothing");
        return None;
    };
    let Granted { person, from, until, by, supervision, .. } = said;
    Some(LiveGrant { entry, person, kind, from, until, by: by.name, supervision })
}

impl Records {
    /// The grants that have not ended, for everybody.
    pub async fn live_grants(&self) -> Result<Vec<LiveGrant>, StoreError> {
        let live = self.live("grant", "grant_revoked").await?.into_iter().filter_map(|(entry, body)| {
            let Entry::Grant(granted) = body else { return None };
            live_grant(entry, granted)
        });
        Ok(live.collect())
    }

    /// The restrictions that have not ended, for everybody.
    pub async fn live_restrictions(&self) -> Result<Vec<LiveRestriction>, StoreError> {
        let live =
            self.live("restriction", "restriction_ended").await?.into_iter().filter_map(|(entry, body)| {
                let Entry::Restriction(r) = body else { return None };
                let what = spell::to_what(r.closes.as_deref());
                Some(LiveRestriction { entry, person: r.person, what, from: r.from, until: r.until })
            });
        Ok(live.collect())
    }

    async fn live(
        &self,
        kind: &'static str,
        closing: &'static str,
    ) -> Result<BTreeMap<i64, Entry>, StoreError> {
        // While the clock is wrong nothing is thought to be over: the decision looks at the times itself.
        let now = match self.clock.state() {
            ClockState::Right => self.now().timestamp_millis(),
            ClockState::NotYet | ClockState::Jumped => 0,
        };
        let sql = "SELECT r.entry, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   JOIN journal j ON j.seq = r.entry \
                   WHERE r.kind = $1 AND j.kind = $1 AND r.closed = 0 AND r.ends > $2 ORDER BY r.entry";
        let mut live = BTreeMap::new();
        for line in self.store.rows(sql, &[kind.into(), now.into()]).await? {
            if let Some(body) = Entry::read(kind, line.text(1)?) {
                live.insert(line.int(0)?, body);
            }
        }
        self.take_back(&mut live, closing).await?;
        Ok(live)
    }

    /// Takes out what an entry says was taken back, whatever the register says.
    async fn take_back(
        &self,
        live: &mut BTreeMap<i64, Entry>,
        closing: &'static str,
    ) -> Result<(), StoreError> {
        let Some(first) = live.keys().next().copied() else { return Ok(()) };
        let sql =
            "SELECT b.text FROM journal j JOIN body b ON b.seq = j.seq WHERE j.seq > $1 AND j.kind = $2";
        for line in self.store.rows(sql, &[first.into(), closing.into()]).await? {
            if let Some(Entry::GrantRevoked(e) | Entry::RestrictionEnded(e)) =
                Entry::read(closing, line.text(0)?)
                && live.remove(&e.entry).is_some()
            {
                tracing::error!(
                    entry = e.entry,
                    "the register says that what was taken back is live: it is not"
                );
            }
        }
        Ok(())
    }
}
