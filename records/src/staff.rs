//! What staff decide and young people ask: every doing is an entry with its author and its reason.

#[cfg(doc)]
use crate::breaches::Episode;
use crate::commit::instant;
use crate::entry::*;
use crate::journal::{self, InBoth};
use crate::not_done::NotDone;
use crate::restrictions::emergency_again;
use crate::room::Records;
use crate::spell;
use crate::store::{Cell, StoreError, Tx};
use agreements::lawful::RestrictionDraft;
use agreements::{GrantKind, House, NotAWord, ProtectedSites, Standing, Supervision, Word};
use blocklists::Domain;
use chrono::{DateTime, TimeDelta, Utc};

/// A report by a young person marks what happened this long before it as reported by them (seed 004 §9.2.5).
pub const GRACE: TimeDelta = TimeDelta::minutes(15);
/// So many reports of a young person within an hour mark what happened before them. More are kept, and mark nothing.
pub const MARKING_REPORTS: i64 = 2;
/// A young person, or a device that nobody knows, makes no more reports than this within an hour.
pub const MOST_REPORTS: i64 = 60;
/// And all devices that nobody knows make no more than this: one that is another every minute is bounded, too.
pub const MOST_UNKNOWN_REPORTS: i64 = 600;
/// A young person has no more asks open than this: staff could not answer them.
pub const MOST_ASKS: i64 = 20;
/// Words of an ask, a note, a report or a reason are at most this many bytes.
pub const MOST_WORDS: usize = 4000;

/// A grant lasts no longer than this: what is to hold for days is agreed with the young person, and stands in the agreement.
pub const LONGEST_GRANT: TimeDelta = TimeDelta::hours(24);

/// A grant that staff are about to make.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The id of the person (or shared device) it is for.
    pub person: String,
    /// What it opens.
    pub kind: GrantKind,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Who grants it.
    pub by: By,
    /// Why.
    pub reason: String,
}

/// How an ask is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Yes, until then: the site that was asked for, and everything under it.
    Approve {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// No.
    Decline,
}

/// An ask, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Ask {
    /// Its number in the journal.
    pub entry: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was asked by whom.
    #[serde(flatten)]
    pub asked: Asked,
    /// The answer; none while it waits.
    pub answered: Option<Answered>,
    /// When it was answered.
    #[serde(skip)]
    pub answered_at: Option<DateTime<Utc>>,
}

/// So many asks that wait, and so many of the answered, are read at once: the newest.
const MOST_READ: i64 = 1000;
/// Asks that wait, and of those that were answered last the ones answered since an instant; the newest ask first.
pub(crate) const ASKS: &str = "WITH found AS (\
     SELECT entry, starts, closed FROM (SELECT entry, starts, closed FROM register \
     WHERE kind = 'ask' AND closed = 0 ORDER BY entry DESC LIMIT $1) AS open UNION ALL \
     SELECT entry, starts, closed FROM (SELECT entry, starts, closed FROM register \
     WHERE kind = 'ask' AND closed > 0 ORDER BY closed DESC LIMIT $2) AS done) \
     SELECT f.entry, f.starts, b.text, coalesce(a.text, ''), coalesce(j.at, '') FROM found f \
     JOIN body b ON b.seq = f.entry LEFT JOIN journal j ON j.seq = f.closed LEFT JOIN body a ON a.seq = f.closed \
     WHERE f.closed = 0 OR j.at >= $3 ORDER BY f.entry DESC";

/// A line of the register: what of the standing lists an entry stands in.
pub(crate) struct Registered<'a> {
    pub(crate) kind: &'static str,
    pub(crate) person: &'a str,
    pub(crate) about: i64,
    pub(crate) starts: DateTime<Utc>,
    pub(crate) ends: DateTime<Utc>,
}

/// Puts a line into the register.
pub(crate) async fn register(tx: &mut Tx, entry: i64, line: Registered<'_>) -> Result<(), StoreError> {
    let Registered { kind, person, about, starts, ends } = line;
    let cells: [Cell; 6] = [
        entry.into(),
        kind.into(),
        person.into(),
        about.into(),
        starts.timestamp_millis().into(),
        ends.timestamp_millis().into(),
    ];
    tx.exec(
        "INSERT INTO register (entry, kind, person, about, starts, ends, closed) VALUES ($1, $2, $3, $4, $5, $6, 0)",
        &cells,
    )
    .await?;
    Ok(())
}

/// Closes a line of the register; an error where it is not open.
pub(crate) async fn close(tx: &mut Tx, kind: &'static str, entry: i64, by: i64) -> Result<(), NotDone> {
    let sql = "UPDATE register SET closed = $3 WHERE entry = $1 AND kind = $2 AND closed = 0";
    match tx.exec(sql, &[entry.into(), kind.into(), by.into()]).await? {
        0 => Err(match is_of(tx, kind, entry).await {
            Ok(()) => NotDone::NotOpen(entry),
            Err(other) => other,
        }),
        _ => Ok(()),
    }
}

/// An error where there is no such entry, or one of another kind.
pub(crate) async fn is_of(tx: &mut Tx, wanted: &'static str, entry: i64) -> Result<(), NotDone> {
    let line = tx.row("SELECT kind FROM journal WHERE seq = $1", &[entry.into()]).await?;
    match line.ok_or(NotDone::NoEntry(entry))?.text(0)? {
        is if is == wanted => Ok(()),
        is => Err(NotDone::OtherKind { entry, is: is.to_owned(), wanted }),
    }
}

/// Whether a report is taken, by how many there were within the last hour; then whether it marks what happened before it.
/// Devices that nobody knows are counted by device.
async fn taken(tx: &mut Tx, report: &Report, now: DateTime<Utc>) -> Result<bool, NotDone> {
    let own = reports(tx, &report.teller(), now).await?;
    let is_known = report.device().is_none();
    if own >= MOST_REPORTS || !is_known && reports(tx, "nobody%", now).await? >= MOST_UNKNOWN_REPORTS {
        return Err(NotDone::TooManyReports);
    }
    Ok(own < MARKING_REPORTS)
}

/// How many reports a teller made within the last hour; `nobody%` for all devices that nobody knows.
async fn reports(tx: &mut Tx, teller: &str, now: DateTime<Utc>) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM register WHERE kind = 'report' AND ends > $2 AND ends <= $3 \
               AND (person = $1 OR $1 = 'nobody%' AND person LIKE 'nobody%')";
    let since = (now - TimeDelta::hours(1)).timestamp_millis();
    let line = tx.row(sql, &[teller.into(), since.into(), now.timestamp_millis().into()]).await?;
    line.map_or(Ok(0), |l| l.int(0))
}

/// The episodes of whoever reports that went on at an instant or after it and that nobody has reported. Of a device that nobody
/// knows it is the one that tells that it is there; which of them did anything else no episode says.
async fn unreported(tx: &mut Tx, report: &Report, since: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT entry FROM episode WHERE person = $1 AND last >= $2 AND reported = 0 AND ($3 = '' OR site = $3) \
               ORDER BY entry";
    let cells: [Cell; 3] = [
        report.person.as_str().into(),
        since.timestamp_millis().into(),
        report.device().unwrap_or_default().into(),
    ];
    let lines = tx.rows(sql, &cells).await?;
    lines.iter().map(|l| l.int(0)).collect()
}

/// Whether the whole name is what a registry's names end in (`co.uk`, `com`), as agreements have it too.
fn is_an_ending(host: &Domain) -> bool {
    match host.as_str().contains('.') {
        true => matches!(Word::parse(host.as_str()), Err(NotAWord::PublicSuffix(_))),
        false => host.name().is_public_suffix(),
    }
}

pub(crate) fn reasoned(reason: &str) -> Result<String, NotDone> {
    let reason = worded(reason)?;
    if reason.is_empty() { Err(NotDone::NoReason) } else { Ok(reason) }
}

pub(crate) fn worded(words: &str) -> Result<String, NotDone> {
    let words = words.trim();
    if words.len() > MOST_WORDS { Err(NotDone::TooLong) } else { Ok(words.to_owned()) }
}

fn granting(kind: &GrantKind) -> Granting {
    match kind {
        GrantKind::Sites(what) => Granting::Sites(spell::of_what(what)),
        GrantKind::ExtraTime(key) => Granting::ExtraTime(spell::of_key(key)),
        GrantKind::Supervised(words) => Granting::Supervised(words.iter().map(Word::to_string).collect()),
        GrantKind::Education { young_person } => Granting::Education(young_person.clone()),
    }
}

impl Records {
    /// Begins to write what people decide. Records in memory take none of it: it would be gone with the gateway.
    pub(crate) async fn deciding(&self) -> Result<Tx, NotDone> {
        match self.broken() {
            None => Ok(self.store.begin().await?),
            Some(_) => Err(NotDone::Broken),
        }
    }

    /// Commits what was appended and tells of it.
    pub(crate) async fn done(&self, tx: Tx, told: &[(i64, Entry)]) -> Result<(), StoreError> {
        tx.commit().await?;
        told.iter().for_each(|(seq, entry)| self.tell(*seq, entry));
        Ok(())
    }

    /// Grants something from now until its end. The grant's number.
    pub async fn grant(&self, new: NewGrant) -> Result<i64, NotDone> {
        let mut tx = self.deciding().await?;
        let (seq, entry) = self.add_grant(&mut tx, new, (None, None)).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// The same for a supervised session, which opens on one device while a named adult sits there. Its number.
    pub async fn supervise(&self, new: NewGrant, supervision: Supervision) -> Result<i64, NotDone> {
        let mut tx = self.deciding().await?;
        let (seq, entry) = self.add_grant(&mut tx, new, (None, Some(supervision))).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    async fn add_grant(
        &self,
        tx: &mut Tx,
        new: NewGrant,
        (ask, supervision): (Option<i64>, Option<Supervision>),
    ) -> Result<(i64, Entry), NotDone> {
        let NewGrant { person, kind, until, by, reason } = new;
        let (from, until, reason) = (self.now(), stamp(until), reasoned(&reason)?);
        if until <= from {
            return Err(NotDone::OverAlready);
        }
        if until - from > LONGEST_GRANT {
            return Err(NotDone::LastsTooLong);
        }
        let line =
            |person| Registered { kind: "grant", person, about: ask.unwrap_or(0), starts: from, ends: until };
        let entry = Entry::Grant(Granted {
            opens: granting(&kind),
            person: person.clone(),
            from,
            until,
            by,
            reason,
            ask,
            supervision,
        });
        let seq = journal::append(tx, from, &entry).await?;
        register(tx, seq, line(&person)).await?;
        Ok((seq, entry))
    }

    /// Takes a grant back.
    pub async fn revoke(&self, grant: i64, by: By, reason: &str) -> Result<i64, NotDone> {
        let entry = Entry::GrantRevoked(Ended { entry: grant, by, reason: reasoned(reason)? });
        self.end("grant", grant, entry).await
    }

    /// Ends a restriction before its time.
    pub async fn end_restriction(&self, restriction: i64, by: By, reason: &str) -> Result<i64, NotDone> {
        let entry = Entry::RestrictionEnded(Ended { entry: restriction, by, reason: reasoned(reason)? });
        self.end("restriction", restriction, entry).await
    }

    async fn end(&self, kind: &'static str, which: i64, entry: Entry) -> Result<i64, NotDone> {
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, kind, which, seq).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Imposes a restriction, if the law allows it (Reg 22). `protected` is what the home protects. Its number.
    pub async fn restrict(
        &self,
        draft: RestrictionDraft,
        protected: &ProtectedSites,
        by: By,
    ) -> Result<i64, NotDone> {
        let unlawful = agreements::lawful::restriction(&draft, protected);
        if !unlawful.is_empty() {
            return Err(NotDone::Unlawful(unlawful));
        }
        let mut tx = self.deciding().await?;
        if let Some(unlawful) = emergency_again(&mut tx, &draft).await? {
            return Err(NotDone::Unlawful(vec![unlawful]));
        }
        let RestrictionDraft {
            people,
            kind: _,
            what,
            reason,
            tried,
            from,
            until,
            review_on,
            consent,
            emergency,
            told_on,
            view,
        } = draft;
        // A lawful draft has one person, something to close and an end.
        let (Some(person), Some(what), Some(until)) = (people.into_iter().next(), what, until) else {
            return Err(NotDone::OverAlready);
        };
        let (from, until) = (stamp(from).max(self.now()), stamp(until));
        if until <= from {
            return Err(NotDone::OverAlready);
        }
        let entry = Entry::Restriction(Restricted {
            person: person.clone(),
            closes: spell::of_what(&what),
            from,
            until,
            by,
            reason: reasoned(&reason)?,
            tried: worded(&tried)?,
            review_on,
            consent: consent.map(|(name, on)| Consent { name, on }),
            emergency,
            told_on,
            view: worded(&view)?,
        });
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        let line = Registered { kind: "restriction", person: &person, about: 0, starts: from, ends: until };
        register(&mut tx, seq, line).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// A young person asks for a host. Asking again while it waits is the same ask. Its number.
    pub async fn ask(&self, person: &str, host: &str, words: &str) -> Result<i64, NotDone> {
        let host = Domain::parse(host).map_err(|_| NotDone::NoHost)?;
        if is_an_ending(&host) {
            return Err(NotDone::NoSite(host.as_str().to_owned()));
        }
        self.asked(person, host.as_str(), words).await
    }

    /// A young person asks for more time. Asking again while it waits is the same ask. Its number.
    pub async fn ask_time(&self, person: &str, words: &str) -> Result<i64, NotDone> {
        self.asked(person, "", words).await
    }

    async fn asked(&self, person: &str, host: &str, words: &str) -> Result<i64, NotDone> {
        let words = worded(words)?;
        let mut tx = self.deciding().await?;
        let sql = "SELECT r.entry, b.text FROM register r JOIN body b ON b.seq = r.entry \
                   WHERE r.kind = 'ask' AND r.closed = 0 AND r.person = $1";
        let waiting = tx.rows(sql, &[person.into()]).await?;
        for line in &waiting {
            if matches!(Entry::read("ask", line.text(1)?), Some(Entry::Ask(a)) if a.host == host) {
                return Ok(line.int(0)?);
            }
        }
        if i64::try_from(waiting.len()).unwrap_or(i64::MAX) >= MOST_ASKS {
            return Err(NotDone::TooManyAsks);
        }
        let now = self.now();
        let entry = Entry::Ask(Asked { person: person.to_owned(), host: host.to_owned(), words });
        let seq = journal::append(&mut tx, now, &entry).await?;
        register(&mut tx, seq, Registered { kind: "ask", person, about: 0, starts: now, ends: now }).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Answers an ask. The grant's number, if it was approved.
    pub async fn answer(
        &self,
        ask: i64,
        answer: Answer,
        by: By,
        reason: &str,
    ) -> Result<Option<i64>, NotDone> {
        let reason = reasoned(reason)?;
        let mut tx = self.deciding().await?;
        is_of(&mut tx, "ask", ask).await?;
        let line = tx.row("SELECT text FROM body WHERE seq = $1", &[ask.into()]).await?;
        let asked = line.and_then(|l| Entry::read("ask", l.text(0).ok()?));
        let Some(Entry::Ask(asked)) = asked else { return Err(NotDone::NotOpen(ask)) };
        let mut told = Vec::new();
        if let Answer::Approve { until } = answer {
            let kind = asked.wanted().ok_or(NotDone::NoHost)?;
            let new = NewGrant { person: asked.person, kind, until, by: by.clone(), reason: reason.clone() };
            told.push(self.add_grant(&mut tx, new, (Some(ask), None)).await?);
        }
        let grant = told.first().map(|(seq, _)| *seq);
        let entry = Entry::AskAnswered(Answered { entry: ask, by, grant, reason });
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        close(&mut tx, "ask", ask, seq).await?;
        told.push((seq, entry));
        self.done(tx, &told).await?;
        Ok(grant)
    }

    /// Adds a note to an entry. It changes nothing of what it speaks of, and nobody can change or remove it.
    pub async fn note(&self, entry: i64, by: By, words: &str) -> Result<i64, NotDone> {
        let words = reasoned(words)?;
        let now = self.now();
        let mut tx = self.deciding().await?;
        if tx.row("SELECT seq FROM journal WHERE seq = $1", &[entry.into()]).await?.is_none() {
            return Err(NotDone::NoEntry(entry));
        }
        let note = Entry::Note(Note { entry, by, words });
        let seq = journal::append(&mut tx, now, &note).await?;
        register(&mut tx, seq, Registered { kind: "note", person: "", about: entry, starts: now, ends: now })
            .await?;
        self.done(tx, &[(seq, note)]).await?;
        Ok(seq)
    }

    /// A young person reports that they saw something. What happened within [`GRACE`] before is marked as reported by
    /// them, and is no breach, unless it tells staff so much that they must look at it ([`Episode::is_breach`]). It is taken whatever the clock and whoever else is told. Within an hour the first
    /// [`MARKING_REPORTS`] mark; a page that reports all the time must not make breaches vanish.
    /// `adult` is the account of staff (by id) with whom they would like to talk about it.
    pub async fn report(
        &self,
        person: &str,
        by: By,
        words: &str,
        adult: Option<&str>,
    ) -> Result<i64, NotDone> {
        let (words, now) = (worded(words)?, self.now());
        let mut tx = self.deciding().await?;
        let adult = adult.map(str::to_owned);
        let mut report = Report { person: person.to_owned(), by, words, entries: Vec::new(), adult };
        if taken(&mut tx, &report, now).await? {
            report.entries = unreported(&mut tx, &report, now - GRACE).await?;
        }
        let (entries, teller) = (report.entries.clone(), report.teller());
        let entry = Entry::Report(report);
        let seq = journal::append(&mut tx, now, &entry).await?;
        let line = Registered { kind: "report", person: &teller, about: 0, starts: now, ends: now };
        register(&mut tx, seq, line).await?;
        for episode in entries {
            tx.exec("UPDATE episode SET reported = $2 WHERE entry = $1", &[episode.into(), seq.into()])
                .await?;
        }
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Records something else that a member of staff did: an export, a sign-in, an edit.
    pub async fn staff_action(&self, by: By, what: &str, why: &str) -> Result<i64, NotDone> {
        let entry = Entry::StaffAction(StaffAction { by, what: worded(what)?, why: worded(why)? });
        let mut tx = self.deciding().await?;
        let seq = journal::append(&mut tx, self.now(), &entry).await?;
        self.done(tx, &[(seq, entry)]).await?;
        Ok(seq)
    }

    /// Records that somebody could not sign in at the desk.
    pub async fn sign_in_failed(&self, failed: SignInFailed) -> Result<i64, StoreError> {
        self.append(Entry::SignInFailed(failed)).await
    }

    /// Records that the home's files changed.
    pub async fn files(&self, changed: FilesChanged) -> Result<i64, StoreError> {
        self.append(Entry::Files(changed)).await
    }

    /// Records that a list which the floor relies on has no copy at all.
    pub async fn list_missing(&self, missing: ListMissing) -> Result<i64, StoreError> {
        self.append(Entry::ListMissing(missing)).await
    }

    /// The standing for a house: what staff decided and what has been used today. Where register and journal say different
    /// things of what staff decided, the stricter holds, and a gateway says so in the journal.
    pub async fn standing(&self, house: &House) -> Result<Standing, StoreError> {
        self.have_day(house).await?;
        let InBoth { grants, restrictions } = self.in_both().await?;
        let used = |person: &str, key: &agreements::LimitKey| self.ledger().used(person, &spell::of_key(key));
        let booked = self.whereabouts().await?;
        let is_lost = |person: &str, device: &str| {
            let place = booked.get(&(person.to_owned(), device.to_owned()));
            place.and_then(|place| place.booked.as_ref()).is_some_and(|(how, ..)| *how == Booking::Lost)
        };
        Ok(Standing::new(house, &grants, &restrictions, &used).with_lost(house, &is_lost))
    }

    /// Asks, newest first: those that wait for an answer, however long, and those that were answered since an instant,
    /// whenever they were asked. At most a thousand of each.
    pub async fn asks(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Ask>, StoreError> {
        let answered = if since.is_some() { MOST_READ } else { 0 };
        let since = since.map_or(String::new(), journal::written);
        let mut asks = Vec::new();
        for line in self.store.rows(ASKS, &[MOST_READ.into(), answered.into(), since.into()]).await? {
            let Some(Entry::Ask(asked)) = Entry::read("ask", line.text(2)?) else { continue };
            let answered = match Entry::read("ask_answered", line.text(3)?) {
                Some(Entry::AskAnswered(answered)) => Some(answered),
                Some(_) | None => None,
            };
            let answered_at = DateTime::parse_from_rfc3339(line.text(4)?).ok().map(|at| at.to_utc());
            asks.push(Ask { entry: line.int(0)?, at: instant(line.int(1)?), asked, answered, answered_at });
        }
        Ok(asks)
    }
}
