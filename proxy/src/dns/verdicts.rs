//! What a verdict means in DNS: which names of an answer it reaches, for how long it may be kept, how it is said.

use super::case::Case;
use super::reply::{Extended, ede};
use crate::cache::Entry;
use agreements::{Detector, Evidence, Host, Record, Request, Rule, Severity, Subject, Verdict};
use blocklists::{Category, Domain, Name};
use chrono::{DateTime, Utc};
use records::Current;
use std::net::IpAddr;

/// A refusal is kept by clients for at most so long, in seconds: the home may change its mind.
const MOST_REFUSED: u32 = 30;
/// One that a grant can lift for less: a yes may come any moment, and takes effect within a second.
const MOST_LIFTED: u32 = 1;

/// Judges every name that an answer leads to, whether or not the name that was asked for was judged itself. The first that
/// is refused, with why; else the next instant at which any of the verdicts could differ.
pub(crate) fn judge_names<'n>(
    judge: impl Fn(Name<'_>) -> Verdict,
    asked: Option<&Verdict>,
    names: impl IntoIterator<Item = &'n Domain>,
) -> Result<Option<DateTime<Utc>>, (&'n Domain, Verdict)> {
    let mut until = asked.and_then(|asked| asked.until);
    for target in names {
        let verdict = judge(target.name());
        if reaches(asked, &verdict) {
            return Err((target, verdict));
        }
        until = earlier(until, verdict.until);
    }
    Ok(until)
}

/// Judges an address of an answer that is no site's ([`Entry::bare`](crate::cache::Entry::bare)) as what it is: an address without
/// a name. The refusal, where it reaches the name that was asked for.
pub(crate) fn judge_bare(
    judge: impl Fn(IpAddr) -> Verdict,
    asked: Option<&Verdict>,
    bare: impl IntoIterator<Item = IpAddr>,
) -> Option<(IpAddr, Verdict)> {
    let stands =
        |asked: &Verdict, verdict: &Verdict| protects(asked) || verdict.rule.place() > place_of(asked);
    let refused = |address| (address, judge(address));
    let reaches = |(_, verdict): &(IpAddr, Verdict)| {
        verdict.is_circumvention() && !asked.is_some_and(|asked| stands(asked, verdict))
    };
    bare.into_iter().map(refused).find(reaches)
}

/// The addresses of an answer that are no site's: the one that its names have written in them or the built-in table knows, and those
/// that a list of ways around names.
pub(crate) fn around<'e>(current: &'e Current, entry: &'e Entry) -> impl Iterator<Item = IpAddr> + 'e {
    let catalogue = &current.snapshot.catalogue;
    let listed = |to: &IpAddr| catalogue.lookup_address(*to).has(Category::CIRCUMVENTION);
    let known = entry.leads_to().filter(|_| catalogue.knows_addresses());
    entry.bare().into_iter().chain(known.copied().filter(listed))
}

/// What it is that a name leads to; none where a list alone knows, which tells no kind.
pub(crate) fn detected(current: &Current, address: IpAddr) -> Option<Detector> {
    let listed = current.snapshot.catalogue.lookup_address(address).has(Category::CIRCUMVENTION);
    match Detector::of_address(address) {
        Detector::DirectAddress => (!listed).then_some(Detector::EncodedAddress),
        known => Some(known),
    }
}

fn earlier(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Whether a refusal of a name that an answer leads to reaches the name that was asked for.
///
/// It has to be about that name: what nobody mentioned (an allow-only agreement, school hours) is not refused there,
/// since nobody could list every host that an allowed site is carried by. And a rule that spoke earlier for the name
/// that was asked for stands. What protects a helpline is not undone by the company that carries it, whatever a list, a sealed
/// one too, says of that company: help is always reached and never recorded.
fn reaches(asked: Option<&Verdict>, target: &Verdict) -> bool {
    let before = asked.is_none_or(|asked| !protects(asked) && target.rule.place() <= place_of(asked));
    !target.allows() && about_the_name(target) && before
}

/// The place that a verdict about the asked name stands at. What is protected stands with the protected, in whatever
/// place it is allowed: a restriction on a company's site reaches no mail host of theirs by way of the names that carry it.
fn place_of(asked: &Verdict) -> usize {
    match asked.record {
        Record::Total if asked.allows() => Rule::Protected.place(),
        Record::Total | Record::Nothing | Record::Episode => asked.rule.place(),
    }
}

/// Whether a name is one that the home protects: no limit of ours is a reason not to answer it.
pub(crate) fn protects(verdict: &Verdict) -> bool {
    verdict.allows() && verdict.rule == Rule::Protected
}

/// Whether a lookup of this kind tells staff more than a little, so that a forged address must not be able to make one.
pub(crate) fn weighs(verdict: &Verdict) -> bool {
    verdict.severity_seen(Evidence::Lookup) > Severity::Low
}

fn about_the_name(verdict: &Verdict) -> bool {
    match verdict.subject {
        Subject::Category(_) | Subject::Service(_) | Subject::Site | Subject::Search => true,
        Subject::Limit(_) | Subject::Entry(_) => matches!(verdict.rule, Rule::Limit | Rule::Restriction),
        // A sealed list tells no subject.
        Subject::None | Subject::Address => verdict.rule == Rule::Sealed,
    }
}

/// For how many seconds an allowed answer may live: `most`, and never beyond the instant at which it could differ.
pub(crate) fn allowed_for(until: Option<DateTime<Utc>>, now: DateTime<Utc>, most: u32) -> u32 {
    let left = until.map_or(i64::MAX, |until| (until - now).num_seconds());
    u32::try_from(left.max(0)).unwrap_or(u32::MAX).min(most)
}

/// For how many seconds a refusal may live.
pub(crate) fn refused_for(verdict: &Verdict, now: DateTime<Utc>) -> u32 {
    let most = if is_lifted(verdict.rule) { MOST_LIFTED } else { MOST_REFUSED };
    allowed_for(verdict.until, now, most)
}

/// Whether a grant comes before what a rule says. An unknown device's baseline is lifted when somebody signs in on it.
const fn is_lifted(rule: Rule) -> bool {
    match rule {
        Rule::Sealed | Rule::Protected | Rule::Restriction | Rule::Floor => false,
        Rule::Grant
        | Rule::Online
        | Rule::PrivateMail
        | Rule::SchoolHours
        | Rule::Limit
        | Rule::Site
        | Rule::Service
        | Rule::Category
        | Rule::Otherwise
        | Rule::Baseline
        | Rule::EducationSession
        | Rule::EmailOnly => true,
    }
}

/// Shows a refusal as an extended error: its code, and the sentence for the person it is about.
pub(super) fn show_reason<T>(
    case: &Case<'_>,
    host: Name<'_>,
    verdict: &Verdict,
    show: impl FnOnce(Extended<'_>) -> T,
) -> T {
    let code = match verdict.rule {
        Rule::Sealed => ede::CENSORED,
        Rule::Protected | Rule::Restriction | Rule::Floor | Rule::Baseline => ede::BLOCKED,
        Rule::Grant
        | Rule::Online
        | Rule::PrivateMail
        | Rule::SchoolHours
        | Rule::Limit
        | Rule::Site
        | Rule::Service
        | Rule::Category
        | Rule::Otherwise
        | Rule::EducationSession
        | Rule::EmailOnly => ede::FILTERED,
    };
    if verdict.rule == Rule::Sealed {
        // Nobody is shown the address, nor told anything that could be looked up.
        return show(Extended { code, text: "The law forbids what is at this address." });
    }
    let make = || {
        let snapshot = &case.round.current.snapshot;
        let request = Request { host: Host::Name(host), tags: snapshot.catalogue.lookup(host), path: None };
        snapshot.house.sentence(case.client.person, case.round.now, &request, verdict)
    };
    case.client.sentences.show(verdict, case.round.now, make, |text| show(Extended { code, text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::{Counts, Outcome};
    use blocklists::Category;

    fn verdict(outcome: Outcome, rule: Rule, subject: Subject, record: Record) -> Verdict {
        let (source, until, severity, counts) = (None, None, Severity::Low, Counts(0));
        Verdict { outcome, rule, source, subject, until, severity, record, counts }
    }

    #[test]
    fn what_a_grant_lifts_is_kept_for_a_second_and_never_beyond_its_end() {
        let now = DateTime::UNIX_EPOCH;
        let rules = [
            Rule::Sealed,
            Rule::Protected,
            Rule::Restriction,
            Rule::Floor,
            Rule::Grant,
            Rule::Online,
            Rule::PrivateMail,
            Rule::SchoolHours,
            Rule::Limit,
            Rule::Site,
            Rule::Service,
            Rule::Category,
            Rule::Otherwise,
            Rule::Baseline,
            Rule::EducationSession,
            Rule::EmailOnly,
        ];
        for rule in rules {
            let is_before_grants = rule.place() < Rule::Grant.place();
            for outcome in [Outcome::Block, Outcome::Ask, Outcome::WithStaff] {
                let refused = verdict(outcome, rule, Subject::None, Record::Episode);
                assert_eq!(refused_for(&refused, now), if is_before_grants { 30 } else { 1 }, "{rule:?}");
                for (left, kept) in [(7, if is_before_grants { 7 } else { 1 }), (0, 0)] {
                    let refused = Verdict { until: Some(now + chrono::TimeDelta::seconds(left)), ..refused };
                    assert_eq!(refused_for(&refused, now), kept, "{rule:?}, {left} s before its end");
                }
            }
        }
    }

    #[test]
    fn a_companys_restriction_reaches_no_mail_that_it_carries() {
        let page = verdict(Outcome::Allow, Rule::Otherwise, Subject::None, Record::Nothing);
        let mail = verdict(Outcome::Allow, Rule::PrivateMail, Subject::None, Record::Total);
        let of_a_draft = verdict(Outcome::Allow, Rule::Baseline, Subject::None, Record::Total);
        let restricted = verdict(Outcome::Block, Rule::Restriction, Subject::Entry(7), Record::Episode);
        let floored = verdict(Outcome::Block, Rule::Floor, Subject::Site, Record::Episode);
        let illegal = Subject::Category(Category::ILLEGAL);
        let sealed = verdict(Outcome::Block, Rule::Sealed, illegal, Record::Episode);
        for (asked, target, reached) in [
            (&page, &restricted, true),
            (&page, &floored, true),
            (&mail, &restricted, false),
            (&mail, &floored, false),
            (&of_a_draft, &floored, false),
            (&mail, &sealed, true),
        ] {
            assert_eq!(reaches(Some(asked), target), reached, "{:?} to {:?}", asked.rule, target.rule);
        }
    }
}
