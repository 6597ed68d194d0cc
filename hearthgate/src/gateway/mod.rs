//! A running gateway: started in one order, kept up to date by one loop, stopped in the opposite order.
//!
//! Files become a house, lists a catalogue, both a snapshot; the records give the standing; then the listeners serve. From
//! there on the [`Steward`] waits for whatever changes and brings the next snapshot into force. It alone does.

mod bind;
pub(crate) mod board;
mod crowd;
mod editor;
mod files;
mod guide;
mod handed;
mod hints;
pub(crate) mod hold;
mod keeper;
mod log;
mod lost;
mod metrics;
mod network;
mod notices;
mod pac;
mod pages;
mod portal;
mod post;
mod pulse;
pub(crate) mod router;
pub(crate) mod stand_in;
mod steward;
mod systemd;
mod told;
mod unbound;
mod watch;

use crate::catalogue::{Compiled, Recipe};
use crate::clock::{self, Pretend};
use crate::control;
use crate::failure::{Exit, Failure};
use crate::lists::fetch::Fetcher;
use crate::lists::names::Names;
use crate::lists::shelf::Shelf;
use crate::lists::update::{Renewed, Renewing};
use crate::lists::{is_fetched, lock};
use crate::signing::Signing;
use crate::state::State;
use crate::terminal::{self, Paint};
use crate::when;
use agreements::{Gateway, House, Snapshot, Standing};
use blocklists::format::Limits;
use console::{AskKey, Desk};
use editor::Editor;
use files::{Begun, Files};
pub(crate) use guide::desk_url;
use hold::Held;
use keeper::Keeper;
use network::{Network, Shared};
use notices::Notices;
use post::{Post, Shown};
use proxy::identify::Neighbours;
use pulse::Pulse;
use records::{Clock, InForce, OpenError, Recorder, Records, SystemClock};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use steward::{Signals, Steward};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the start waits for the kernel's neighbour table, which takes it milliseconds.
const NEIGHBOURS: Duration = Duration::from_secs(2);

/// How the gateway is started.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The home's folder.
    pub(crate) home: PathBuf,
    /// A time to start the clock at.
    pub(crate) pretend_now: Option<String>,
}

/// How a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// It was told to.
    Told,
    /// Its records were broken and can be used again: it starts anew with them.
    Mended,
}

/// Runs the gateway until it is told to stop.
pub(crate) async fn run(options: Options) -> Result<Exit, Failure> {
    log::start();
    // Whatever fails from here on, the router is closed.
    match hold::hold(&options.home, false) {
        Ok(Held::Now) => tracing::info!("the router is held; nothing is open yet"),
        Ok(Held::Already | Held::NoRouter | Held::Unknown) => {}
        Err(failure) => tracing::error!(%failure, "THE ROUTER IS NOT HELD"),
    }
    let (mut patience, mut signals) = (Duration::ZERO, None);
    while Box::pin(run_once(&options, patience, &mut signals)).await? == Ended::Mended {
        tracing::info!("the records can be used again; the gateway starts anew with them");
        patience = steward::PORTS_FREE;
    }
    Ok(Exit::Done)
}

async fn run_once(
    options: &Options,
    patience: Duration,
    signals: &mut Option<Signals>,
) -> Result<Ended, Failure> {
    let machine: Arc<dyn Clock> = Arc::new(SystemClock::new());

    // The files say where everything else is.
    let Begun { mut files, house, journal, state } = Files::begin(&options.home, machine.now())?;
    let pretend = pretend(options, &house, &machine)?;
    let clock = pretend.clone().map_or(machine, |pretend| pretend as Arc<dyn Clock>);

    // The records keep a second gateway out; from here on the folder is ours.
    let Kept { records, house, standing } =
        open_records(&files.gateway, (&options.home, &state), &clock, house).await?;
    files.without_records = records.broken().is_some();
    let names = Names::default();
    let renewing = renewing(&options.home, &state, &names)?;
    let (compiled, fingerprint) = first_catalogue(&house, &renewing, &state).await?;

    // What is in force, and who writes down what it refuses.
    let snapshot = Arc::new(Snapshot { house, catalogue: compiled.catalogue.into() });
    let in_force = Arc::new(InForce::new(snapshot, Arc::new(standing)));
    let (recorder, recording) = Recorder::start(records.clone(), in_force.clone());

    // The network, and everything that works beside it.
    let (stop, tasks, neighbours) = (CancellationToken::new(), TaskTracker::new(), Neighbours::default());
    tasks.spawn(neighbours.clone().follow(stop.clone()));
    neighbours.first_reading(NEIGHBOURS).await;
    let ask_key = ask_key()?;
    let signing = Signing::new(in_force.clone(), clock.clone(), records.clone());
    let signing = Arc::new(signing);
    let (bell, changed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let post = Arc::new(Post {
        in_force: in_force.clone(),
        records: records.clone(),
        clock: clock.clone(),
        pretend,
        started: clock.now(),
        state: state.clone(),
        neighbours: neighbours.clone(),
        editor: Editor::new(options.home.clone(), &state),
        lists: bell.clone(),
        signing: signing.clone(),
        stood_by: Mutex::new(Instant::now()),
        shown: Mutex::new(Shown::default()),
    });
    let own = vec![files.gateway.name.as_str().to_owned()];
    let desk = Desk::new(records.clone(), in_force.clone(), post.clone(), own);
    let shared = Shared {
        home: options.home.clone(),
        state: state.clone(),
        in_force: in_force.clone(),
        clock: clock.clone(),
        recorder: recorder.clone(),
        records: records.clone(),
        neighbours,
        ask_key,
        names,
        rules: Arc::default(),
        desk: Some(desk),
        signing: signing.clone(),
    };
    tasks.spawn(signing.clone().tend(stop.clone()));
    let network = match Network::start_within(patience, &files.gateway, &shared).await {
        Ok(network) => network,
        Err(failure) => {
            // What was started is stopped in order, so that the journal says so.
            recorder.stop();
            let _ended = recording.await;
            records.close().await;
            return Err(failure);
        }
    };
    let (ready, compiled) = mpsc::channel(1);
    let keeper = Keeper {
        in_force: in_force.clone(),
        renewing,
        state: state.clone(),
        fingerprint,
        ready,
        bell: bell.clone(),
        files: changed.clone(),
        records: records.clone(),
        told: BTreeSet::new(),
    };
    tasks.spawn(keeper.work(stop.clone()));
    tasks.spawn(steward::follow_standing(records.clone(), in_force.clone(), state.clone(), stop.clone()));
    tasks.spawn(steward::look_over(records.clone(), stop.clone()));
    match Notices::new(
        records.clone(),
        in_force.clone(),
        clock.clone(),
        options.home.clone(),
        shared.names.clone(),
    ) {
        Ok(notices) => _ = tasks.spawn(notices.work(stop.clone())),
        Err(error) => tracing::error!(%error, "nobody can be told anything by a message"),
    }
    let answering = answer_questions(&state, &post)?;

    // It listens: systemd and people are told.
    tell_people(options, &shared, &network).await;
    let mut steward = Steward {
        home: options.home.clone(),
        state,
        files,
        shared,
        network,
        post,
        bell,
        changed,
        compiled,
        hinted: None,
        handed: handed::Asked::default(),
        pulse: Pulse::default(),
        nowhere: None,
    };
    let told = match (steward.begin(journal, signals).await, signals) {
        (Ok(ears), Some(signals)) => Box::pin(steward.work(ears, signals)).await,
        (Ok(_), None) => "none",
        (Err(error), _) => {
            tracing::error!(%error, "signals cannot be caught");
            "none"
        }
    };

    // It ends in the opposite order: no new connection, then the journal's last words.
    systemd::stopping();
    tracing::info!(why = told, "stopping");
    answering.abort();
    stop.cancel();
    steward.shared.rules.ending.cancel();
    steward.network.stop().await;
    tasks.close();
    tasks.wait().await;
    recorder.stop();
    let _ended = recording.await;
    records.close().await;
    let _it_may_be_gone = std::fs::remove_file(steward.state.socket());
    if let Some(failure) = steward.nowhere {
        return Err(failure);
    }
    Ok(if told == steward::MENDED { Ended::Mended } else { Ended::Told })
}

fn ask_key() -> Result<AskKey, Failure> {
    AskKey::fresh().map_err(|_| Failure::cannot_read("the system has no randomness to give"))
}

/// The clock that was started elsewhere, where somebody asked for one.
fn pretend(
    options: &Options,
    house: &House,
    machine: &Arc<dyn Clock>,
) -> Result<Option<Arc<Pretend>>, Failure> {
    let Some(text) = &options.pretend_now else { return Ok(None) };
    let now = when::instant(text, house.home().timezone, clock::now()).map_err(Failure::cannot_read)?;
    tracing::warn!(%now, "THE CLOCK IS PRETENDED: every window, limit and entry goes by it. For trying out and tests only");
    Ok(Some(Arc::new(Pretend::starting(Arc::clone(machine), now))))
}

/// The records, with the house and the standing that go with them.
struct Kept {
    records: Arc<Records>,
    house: House,
    standing: Standing,
}

/// Opens the records. Those that cannot be used leave the home neither open nor dark: it is on its baseline, with records in
/// memory, and says so wherever somebody looks. Only where another gateway keeps them there is nothing to run for.
async fn open_records(
    gateway: &Gateway,
    (home, state): (&Path, &State),
    clock: &Arc<dyn Clock>,
    house: House,
) -> Result<Kept, Failure> {
    let why = match usable(gateway, (home, state), clock, &house).await {
        Ok((records, standing)) => return Ok(Kept { records, house, standing }),
        Err(OpenError::Busy(what)) => return Err(Failure::cannot_read(OpenError::Busy(what).to_string())),
        Err(error) => error.to_string(),
    };
    tracing::error!(
        why,
        "THE RECORDS ARE BROKEN: everybody is on the baseline, nothing that staff decide can be kept, and what is refused is \
         gone when the gateway stops. They are left as they are; docs/program.md says what to do"
    );
    let cannot = |e: OpenError| Failure::cannot_read(e.to_string());
    let records = Records::in_memory(&gateway.store, home, clock.clone(), why).await.map_err(cannot)?;
    let house = house.without_records();
    let standing = lost::standing(&records, &house, state).await.map_err(|e| cannot(e.into()))?;
    Ok(Kept { records: Arc::new(records), house, standing })
}

async fn usable(
    gateway: &Gateway,
    (home, state): (&Path, &State),
    clock: &Arc<dyn Clock>,
    house: &House,
) -> Result<(Arc<Records>, Standing), OpenError> {
    let records = Records::open(&gateway.store, home, clock.clone()).await?;
    match lost::standing(&records, house, state).await {
        Ok(standing) => Ok((Arc::new(records), standing)),
        Err(error) => {
            records.close().await;
            Err(error.into())
        }
    }
}

fn renewing(home: &Path, state: &State, names: &Names) -> Result<Renewing, Failure> {
    let fetcher = Fetcher::new(Limits::default().bytes, names.clone())
        .map_err(|e| Failure::cannot_read(e.to_string()))?;
    Ok(Renewing { home: home.to_owned(), shelf: Shelf::at(state.lists()), fetcher })
}

/// The first catalogue: the one on disk if nothing has changed, else compiled from what is at hand. Nothing is fetched
/// yet, so that a home without the internet starts as fast.
async fn first_catalogue(
    house: &House,
    renewing: &Renewing,
    state: &State,
) -> Result<(Compiled, String), Failure> {
    let locked =
        lock(&state.lists()).map_err(|e| Failure::cannot_read(format!("the lists are out of reach: {e}")))?;
    for source in house.home().lists.iter().filter(|source| !is_fetched(&source.from)) {
        if let Renewed::Kept(why) = renewing.renew(source, clock::now()).await {
            tracing::warn!(list = source.from, %why, "a list of the folder was not taken");
        }
    }
    let recipe = Recipe::of(house, &renewing.home, Some(&renewing.shelf));
    let compiled = match recipe.open(state) {
        Some(compiled) => compiled,
        None => {
            let bar = terminal::bar(recipe.lists() as u64, "compiling the lists");
            let compiled = recipe.renew(state, clock::now(), &mut |_| bar.inc(1));
            bar.finish_and_clear();
            compiled?
        }
    };
    drop(locked);
    Ok((compiled, recipe.fingerprint().to_owned()))
}

fn answer_questions(state: &State, post: &Arc<Post>) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let socket = state.socket();
    let listener = control::bind(&socket).map_err(|error| {
        Failure::cannot_read(format!("the control socket `{}` cannot be made: {error}", socket.display()))
    })?;
    Ok(tokio::spawn(control::serve(listener, post::answering(post.clone()))))
}

/// Prints what to try, unless systemd started the gateway.
async fn tell_people(options: &Options, shared: &Shared, network: &Network) {
    let first = first_links(shared, network).await;
    if std::env::var_os("INVOCATION_ID").is_some() {
        // What systemd keeps of a service's output, others may read: a link does not go there.
        if let Some((account, _)) = first.first() {
            tracing::warn!(
                account,
                "no manager has a password for the desk yet: `hearthgate password-link ACCOUNT`"
            );
        }
        return;
    }
    let current = shared.in_force.to_keep();
    let in_force = (&*current.snapshot, &*current.standing);
    let paint = Paint::for_stdout();
    terminal::say(&guide::text(
        &options.home,
        &network.listeners,
        in_force,
        &first,
        shared.clock.now(),
        paint,
    ));
}

/// Where no manager can sign in yet and the desk is served: each manager's account, and the link to set its password with.
async fn first_links(shared: &Shared, network: &Network) -> Vec<(String, String)> {
    let Some(desk) = network.listeners.iter().find(|l| l.kind == "console") else { return Vec::new() };
    let Some(console) = &shared.desk else { return Vec::new() };
    let waiting = console.locked_out(agreements::Role::Manager).await.unwrap_or_default();
    if std::env::var_os("INVOCATION_ID").is_some() {
        return waiting.into_iter().map(|account| (account, String::new())).collect();
    }
    let mut links = Vec::new();
    for account in waiting {
        match console::password_link(&shared.records, &account).await {
            Ok(Some((path, _))) => links.push((account, format!("{}{path}", desk_url(desk.address)))),
            Ok(None) | Err(_) => tracing::error!("a link to set a password could not be made"),
        }
    }
    links
}
