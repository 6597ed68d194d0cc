//! The thread that tells the kernel: many changes in one transaction, and an end to flows that are no longer allowed.

use super::PATIENCE;
use super::except;
use super::flows::{self, Flow, Port};
use super::lan::Lan;
use super::netlink::Netlink;
use super::openings::Openings;
use super::passed::Meter;
use super::sets::{self, Change, Element};
use crate::target::is_own;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, Weak};
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the thread.
pub(super) const WAITING: usize = 1024;
/// Changes in one transaction, about.
const TOGETHER: usize = 512;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Change the sets; tell when that was tried. The openings say what came of it.
    Change(Vec<Change>, oneshot::Sender<()>),
    /// Take these out of the sets and end what flows there.
    Shut(Vec<Shutting>),
    /// Let shared devices reach by number what they may now, and nothing else.
    Except,
    /// See what flows: count it, and end what nothing let begin.
    Flows,
    /// See that the table is in place, and finish what could not be done before.
    LookOver,
}

/// What is shut: an element, and the address that its device last asked from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shutting {
    pub(super) element: Element,
    pub(super) asked_from: IpAddr,
    /// Whether it may be in the kernel's sets.
    pub(super) is_in_set: bool,
}

/// What the thread remembers from one work to the next.
#[derive(Default)]
struct Keeper {
    /// What the kernel did not shut when it was asked.
    owed: Vec<Shutting>,
    /// A packet that was on its way while elements were taken out may have begun a flow since.
    sweeps: bool,
    /// What has passed.
    meter: Meter,
}

/// Starts the thread. It ends with the openings.
pub(super) fn start(
    openings: Weak<Openings>,
    mut work: mpsc::Receiver<Work>,
    meter: Meter,
) -> io::Result<()> {
    std::thread::Builder::new().name("router".into()).spawn(move || {
        let mut keeper = Keeper { meter, ..Keeper::default() };
        while let Some(first) = work.blocking_recv() {
            let Some(openings) = openings.upgrade() else { return };
            let mut next = Some(first);
            while let Some(one) = next.take() {
                let kernel = &mut *openings.kernel();
                match one {
                    Work::Shut(shutting) => keeper.shut(kernel, &openings, shutting),
                    Work::Except => change_exceptions(kernel, &openings),
                    Work::Flows => keeper.flows(kernel, &openings),
                    Work::LookOver => keeper.look_over(kernel, &openings),
                    Work::Change(changes, done) => {
                        next = change(kernel, &openings, vec![(changes, done)], &mut work);
                    }
                }
            }
        }
    })?;
    Ok(())
}

/// Makes this change with others that wait already, and gives back what waits behind them.
fn change(
    kernel: &mut Netlink,
    openings: &Openings,
    mut asked: Vec<(Vec<Change>, oneshot::Sender<()>)>,
    work: &mut mpsc::Receiver<Work>,
) -> Option<Work> {
    let mut behind = None;
    while behind.is_none() && asked.iter().map(|(changes, _)| changes.len()).sum::<usize>() < TOGETHER {
        match work.try_recv() {
            Ok(Work::Change(changes, done)) => asked.push((changes, done)),
            Ok(other) => behind = Some(other),
            Err(_) => break,
        }
    }
    let all: Vec<Change> = asked.iter().flat_map(|(changes, _)| changes).copied().collect();
    let together = sets::change(kernel, &all).is_ok();
    if !together {
        hold(kernel, openings);
    }
    for (changes, done) in asked {
        let made = together || one_by_one(kernel, &changes);
        openings.tried(&changes, made);
        // Whoever asked may have gone.
        let _ = done.send(());
    }
    behind
}

/// One element after the other, for when one of them spoils the transaction of all: an element that was to be renewed has
/// just ended by itself.
fn one_by_one(kernel: &mut Netlink, changes: &[Change]) -> bool {
    let mut made = true;
    for one in changes {
        let again = match (sets::change(kernel, &[*one]), one) {
            (Ok(()), _) => continue,
            (Err(_), Change::Renew(element, time)) => sets::change(kernel, &[Change::Add(*element, *time)]),
            (Err(error), Change::Remove(_)) if error.kind() == io::ErrorKind::NotFound => continue,
            (Err(error), Change::Remove(_) | Change::Add(..)) => Err(error),
        };
        if let Err(error) = again {
            tracing::warn!(%error, "the router's rules cannot be changed");
            made = false;
        }
    }
    made
}

/// Puts the table back where somebody has taken it away, or put another in its place: a firewall that starts anew often clears
/// all there is, or brings back what was saved.
fn hold(kernel: &mut Netlink, openings: &Openings) {
    let held = match openings.is_in_place(kernel) {
        _ if openings.is_retired() => return,
        Ok(true) => return openings.is_placed(true),
        Ok(false) => openings.put_back(kernel),
        Err(error) => Err(super::NotHeld::Kernel(error)),
    };
    openings.is_placed(held.is_ok());
    let ended = match held {
        Ok(()) => end_strays(kernel, openings).map_err(super::NotHeld::Kernel),
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => tracing::warn!("the router's rules had been taken away; they are in place again"),
        Err(error) => tracing::error!(%error, "THE ROUTER'S RULES ARE NOT IN PLACE; trying again"),
    }
}

/// Brings the sets of exceptions to what holds now, and ends what flows by one that is over.
fn change_exceptions(kernel: &mut Netlink, openings: &Openings) {
    if openings.is_retired() {
        return;
    }
    let done = super::nft(&["-f", "-"], &except::change(&openings.except_for()));
    openings.except_placed(done.is_ok());
    if let Err(error) = done {
        tracing::warn!(%error, "what shared devices may reach by number cannot be changed; trying again");
        return hold(kernel, openings);
    }
    if end_strays(kernel, openings).is_err() {
        begin_anew(kernel);
    }
}

impl Keeper {
    /// Takes elements out of the sets, then ends the flows that they let pass; in this order, so that none begins in between.
    fn shut(&mut self, kernel: &mut Netlink, openings: &Openings, mut shutting: Vec<Shutting>) {
        // Between the decision and now another answer may have led there.
        shutting.retain(|s| !openings.knows(s.element.device, s.element.to));
        if shutting.is_empty() {
            return;
        }
        let removed: Vec<Change> =
            shutting.iter().filter(|s| s.is_in_set).map(|s| Change::Remove(s.element)).collect();
        let mut done = true;
        for some in removed.chunks(TOGETHER) {
            done &= sets::change(kernel, some).is_ok() || one_by_one(kernel, some);
        }
        let ended = end_some(kernel, &openings.lan(), |from, to, port| {
            let device = openings.device(from, None);
            let is_shut =
                |s: &Shutting| s.element.to == to && (s.element.device == device || s.asked_from == from);
            (shutting.iter().any(is_shut) && openings.excepted_as(from, port).is_none())
                || openings.is_stray_to_end(from, to, port)
        });
        if let Err(error) = &ended {
            tracing::warn!(%error, "some of the kernel's flows cannot be ended; trying again");
        }
        if !done || ended.is_err() {
            self.owed.extend(shutting);
            begin_anew(kernel);
        }
        self.sweeps = true;
    }

    /// Counts what has passed, and ends flows that nothing let begin, as far as anybody remembers: one that began before there
    /// were rules, or while they were away. One through which nothing passes may be a device's whom the kernel has forgotten.
    fn flows(&mut self, kernel: &mut Netlink, openings: &Openings) {
        if openings.is_retired() {
            return;
        }
        let all = match flows::all(kernel) {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(%error, "the kernel does not say what flows; trying again");
                return begin_anew(kernel);
            }
        };
        let mut moving = self.meter.look(&all);
        // Where the kernel does not count, all that is there may be moving.
        moving.extend(all.iter().filter(|flow| flow.bytes.is_none()).map(|flow| (flow, 0)));
        // What nobody answers is nobody's use: anybody can send it with another's address.
        for (flow, bytes) in moving.iter().filter(|(flow, _)| flow.forwarded && flow.is_answered) {
            openings.flowed(flow.from.to_canonical(), flow.to.to_canonical(), flow.port, *bytes);
        }
        let moving = moving.iter().map(|(flow, _)| *flow);
        let is_stray = |from, to, port| openings.is_stray_to_end(from, to, port);
        let ended = end_of(kernel, moving, &openings.lan(), is_stray);
        // Where nothing can be ended, what flows is not said to go on.
        if let Err(error) = ended.and_then(|()| openings.lives(kernel)) {
            tracing::warn!(%error, "the kernel's flows cannot be looked after; trying again");
            begin_anew(kernel);
        }
    }

    fn look_over(&mut self, kernel: &mut Netlink, openings: &Openings) {
        hold(kernel, openings);
        if openings.is_retired() {
            return;
        }
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|s| !openings.knows(s.element.device, s.element.to));
        if !owed.is_empty() {
            return self.shut(kernel, openings, owed);
        }
        if self.sweeps {
            self.sweeps = end_strays(kernel, openings).is_err();
            if self.sweeps {
                begin_anew(kernel);
            }
        }
    }
}

/// Takes another socket: on the old one an answer that was given up on may still be under way.
fn begin_anew(kernel: &mut Netlink) {
    match Netlink::open(PATIENCE) {
        Ok(fresh) => *kernel = fresh,
        Err(error) => tracing::warn!(%error, "the kernel cannot be asked anew; trying again"),
    }
}

/// What was ended when the rules came, before anybody was there to remember it: from where to where. Rules come before the
/// openings do, which take it up.
static ENDED_BEFORE: Mutex<Vec<(IpAddr, IpAddr)>> = Mutex::new(Vec::new());
/// So many of them: a home has some thousand flows.
const MOST_ENDED: usize = 16_384;

/// Takes up what was ended when the rules came.
pub(super) fn ended_before() -> Vec<(IpAddr, IpAddr)> {
    std::mem::take(&mut *ENDED_BEFORE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Ends every flow from the home that passes through the router.
pub(super) fn end_all_that_pass(kernel: &mut Netlink, lan: &Lan) -> io::Result<()> {
    let mut ended = ENDED_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    end_some(kernel, lan, |from, to, _| {
        if ended.len() < MOST_ENDED {
            ended.push((from, to));
        }
        true
    })
}

/// Ends what no answer gave, as far as anybody remembers.
pub(super) fn end_strays(kernel: &mut Netlink, openings: &Openings) -> io::Result<()> {
    end_some(kernel, &openings.lan(), |from, to, port| openings.is_stray_to_end(from, to, port))
}

fn end_some(
    kernel: &mut Netlink,
    lan: &Lan,
    ends: impl FnMut(IpAddr, IpAddr, Port) -> bool,
) -> io::Result<()> {
    let all = flows::all(kernel)?;
    end_of(kernel, all.iter(), lan, ends)
}

/// Ends the flows from the home through the router for which `ends` says so, by who began them and where they go. One that
/// cannot be ended keeps none of the others.
fn end_of<'a>(
    kernel: &mut Netlink,
    flows: impl Iterator<Item = &'a Flow>,
    lan: &Lan,
    mut ends: impl FnMut(IpAddr, IpAddr, Port) -> bool,
) -> io::Result<()> {
    let (mut sieve, mut seen, mut wrong) = (Sieve::of(lan), HashSet::new(), None);
    let mut judged: HashMap<(IpAddr, IpAddr, Port), bool> = HashMap::new();
    for flow in flows {
        if !sieve.leaves_home(flow) || !seen.insert(flow.id) {
            continue;
        }
        let (from, to) = (flow.from.to_canonical(), flow.to.to_canonical());
        if *judged.entry((from, to, flow.port)).or_insert_with(|| ends(from, to, flow.port))
            && let Err(error) = flows::end(kernel, flow)
        {
            wrong = Some(error);
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// What flows from the home through the router, from where to where, and how much has passed so far. Where it cannot be said what
/// flows, what does is judged like something new.
pub(super) fn what_flows(kernel: &mut Netlink, lan: &Lan) -> (Vec<(IpAddr, IpAddr, Port)>, Meter) {
    let (mut sieve, mut meter) = (Sieve::of(lan), Meter::default());
    let Ok(all) = flows::all(kernel) else { return (Vec::new(), meter) };
    meter.look(&all);
    let leave = all.iter().filter(|flow| sieve.leaves_home(flow));
    (leave.map(|flow| (flow.from.to_canonical(), flow.to.to_canonical(), flow.port)).collect(), meter)
}

/// Tells flows that leave the home by this router from all others: of many flows few addresses are asked about.
struct Sieve<'a> {
    lan: &'a Lan,
    own: HashMap<IpAddr, bool>,
    at_home: HashMap<IpAddr, bool>,
}

impl<'a> Sieve<'a> {
    fn of(lan: &'a Lan) -> Self {
        Self { lan, own: HashMap::new(), at_home: HashMap::new() }
    }

    fn leaves_home(&mut self, flow: &Flow) -> bool {
        let mut is_ours = |address| *self.own.entry(address).or_insert_with(|| is_own(address));
        let is_ours = is_ours(flow.from) || is_ours(flow.to);
        let mut is_home = |address| *self.at_home.entry(address).or_insert_with(|| self.lan.has(address));
        flow.forwarded && !is_ours && is_home(flow.from) && !is_home(flow.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::openings::Why;
    use crate::router::play::{JORDAN, MAC, Play, site};
    use crate::router::sets::Device;

    #[test]
    fn what_another_answer_has_opened_meanwhile_is_not_shut() {
        let play = Play::new([JORDAN]);
        play.opens_by("help.test", JORDAN.0, site(1), Why::Connected);
        let element = Element::open(Device::Mac(MAC), site(1));
        let shutting = vec![Shutting { element, asked_from: JORDAN.0, is_in_set: true }];
        let mut keeper = Keeper::default();
        keeper.shut(&mut play.openings.kernel(), &play.openings, shutting);
        assert!(!keeper.sweeps && keeper.owed.is_empty(), "nothing was taken out");
    }
}
