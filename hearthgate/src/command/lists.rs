//! `hearthgate lists`: the home's lists, and the catalogue that is made of them.

use crate::catalogue::{Compiled, Notes, Recipe};
use crate::clock;
use crate::control;
use crate::desk::runtime;
use crate::failure::{Exit, Failure};
use crate::gateway::board::{self, ListShown};
use crate::home::{HomeArg, Loaded};
use crate::lists::fetch::Fetcher;
use crate::lists::names::Names;
use crate::lists::shelf::Shelf;
use crate::lists::update::{Renewed, Renewing};
use crate::state::State;
use crate::terminal::{self, Ink, Paint, counted, counted_as};
use crate::when;
use blocklists::Domain;
use blocklists::format::Limits;
use clap::{Args, Subcommand};
use proxy::resolver::{Resolver, ResolverSettings};
use records::SystemClock;
use serde::Serialize;
use std::fs::File;
use std::sync::Arc;

/// Fetches and compiles the home's lists, and tells what is known of a host.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate lists update                  fetch what changed, compile, tell the running gateway
  hearthgate lists status                  age, names and skipped lines of each list
  hearthgate lists lookup www.example.com  its categories and service

A running gateway updates its lists by itself; nobody needs `update` for that.")]
pub(crate) struct Lists {
    #[command(flatten)]
    home: HomeArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Fetches every list that changed, and compiles. Exit code 1 if a list could not be renewed.
    Update(Common),
    /// Shows each list: age, names, skipped lines, entries that touch a protected site.
    Status(Common),
    /// Compiles the lists at hand.
    Compile(Common),
    /// Tells a host's categories and services.
    Lookup(Lookup),
}

#[derive(Args, Debug)]
struct Common {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Lookup {
    #[command(flatten)]
    common: Common,
    /// The host.
    #[arg(value_name = "HOST")]
    host: String,
}

/// What became of a list, as `lists update --json` has it.
#[derive(Serialize)]
struct Update {
    from: String,
    /// `current`, `replaced` or `kept`.
    became: &'static str,
    /// Why the last good copy stays.
    error: Option<String>,
}

impl Lists {
    /// Does it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let home = &self.home;
        match &self.what {
            What::Update(common) => update(home, common),
            What::Status(common) => status(home, common),
            What::Compile(common) => compile(home, common),
            What::Lookup(lookup) => lookup.act(home),
        }
    }
}

/// A home, and where its lists are kept.
struct Kept {
    loaded: Loaded,
    state: State,
}

impl Kept {
    fn open(home: &HomeArg) -> Result<Self, Failure> {
        let loaded = home.load(clock::now())?;
        let state = State::of(loaded.gateway()?, &loaded.dir);
        Ok(Self { loaded, state })
    }

    /// The same, to change it: the folder is made, and nobody else changes it meanwhile.
    fn open_to_change(home: &HomeArg) -> Result<(Self, File), Failure> {
        let kept = Self::open(home)?;
        let cannot = |e: std::io::Error| {
            Failure::cannot_read(format!("`{}` cannot be written: {e}", kept.state.dir.display()))
        };
        kept.state.make().map_err(cannot)?;
        let lock = crate::lists::lock(&kept.state.lists()).map_err(cannot)?;
        Ok((kept, lock))
    }
}

fn update(home: &HomeArg, common: &Common) -> Result<Exit, Failure> {
    let (kept, lock) = Kept::open_to_change(home)?;
    let lists = &kept.loaded.reading.house.home().lists;
    let (runtime, names) = (runtime()?, Names::default());
    let resolver = {
        let _in_it = runtime.enter();
        Resolver::new(ResolverSettings::new(kept.loaded.gateway()?), Arc::new(SystemClock::new()))
    };
    names.ask(resolver.map_err(|e| Failure::cannot_read(format!("names cannot be resolved: {e}")))?);
    let fetcher = Fetcher::new(Limits::default().bytes, names);
    let fetcher = fetcher.map_err(|e| Failure::cannot_read(e.to_string()))?;
    let renewing = Renewing { home: kept.loaded.dir.clone(), shelf: Shelf::at(kept.state.lists()), fetcher };
    let bar = terminal::bar(lists.len() as u64, "lists");
    let mut updates = Vec::new();
    for source in lists {
        let renewed = runtime.block_on(renewing.renew(source, clock::now()));
        updates.push(Update::of(&source.from, renewed));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let compiled = compiled(&kept)?;
    drop(lock);
    let _nobody_runs = control::ask(&kept.state.socket(), "lists-changed");
    if common.json {
        terminal::say_json(&updates);
    } else {
        terminal::say(&updated(&updates, Paint::for_stdout()));
        terminal::say_line(&told(&compiled));
    }
    let failed = updates.iter().any(|u| u.error.is_some());
    Ok(if failed { Exit::No } else { Exit::Done })
}

impl Update {
    fn of(from: &str, renewed: Renewed) -> Self {
        let (became, error) = match renewed {
            Renewed::Current => ("current", None),
            Renewed::Replaced => ("replaced", None),
            Renewed::Kept(why) => ("kept", Some(why)),
        };
        Self { from: from.to_owned(), became, error }
    }
}

fn updated(updates: &[Update], paint: Paint) -> String {
    let row = |u: &Update| {
        let error = u.error.as_ref().map(|why| paint.ink(Ink::Bad, why)).unwrap_or_default();
        vec![u.from.clone(), u.became.to_owned(), error]
    };
    terminal::columns(&updates.iter().map(row).collect::<Vec<_>>())
}

fn compile(home: &HomeArg, common: &Common) -> Result<Exit, Failure> {
    let (kept, lock) = Kept::open_to_change(home)?;
    let compiled = compiled(&kept)?;
    drop(lock);
    let _nobody_runs = control::ask(&kept.state.socket(), "lists-changed");
    if common.json {
        let zone = kept.loaded.reading.house.home().timezone;
        terminal::say_json(&when::at_home(&compiled.notes, zone));
    } else {
        terminal::say_line(&told(&compiled));
    }
    let unread = compiled.notes.lists.iter().any(|note| note.error.is_some());
    Ok(if unread { Exit::No } else { Exit::Done })
}

fn compiled(kept: &Kept) -> Result<Compiled, Failure> {
    let recipe =
        Recipe::of(&kept.loaded.reading.house, &kept.loaded.dir, Some(&Shelf::at(kept.state.lists())));
    let bar = terminal::bar(recipe.lists() as u64, "compiling");
    let compiled = recipe.renew(&kept.state, clock::now(), &mut |_| bar.inc(1));
    bar.finish_and_clear();
    compiled
}

fn told(compiled: &Compiled) -> String {
    let info = compiled.catalogue.info();
    format!(
        "{} in {} KiB, {:.1} bytes a name.",
        counted(info.names, "name"),
        info.bytes >> 10,
        info.bytes_per_name()
    )
}

fn status(home: &HomeArg, common: &Common) -> Result<Exit, Failure> {
    let kept = Kept::open(home)?;
    let notes = Notes::load(&kept.state).unwrap_or_default();
    let shelf = Shelf::at(kept.state.lists());
    let lists = board::lists(&kept.loaded.reading.house, Some(&shelf), &notes, clock::now());
    if common.json {
        terminal::say_json(&lists);
    } else {
        terminal::say(&lists_text(&lists, Paint::for_stdout()));
    }
    Ok(Exit::Done)
}

fn lists_text(lists: &[ListShown], paint: Paint) -> String {
    if lists.is_empty() {
        return "The home has no lists; the built-in tables are always there.\n".to_owned();
    }
    lists.iter().map(|list| list_text(list, paint)).collect()
}

fn list_text(list: &ListShown, paint: Paint) -> String {
    let category = list.category.unwrap_or("categories of its own");
    let sealed = if list.sealed { ", sealed" } else { "" };
    let mut text = format!(
        "{}  ({category}{sealed})\n  {}, {} skipped, {}\n",
        paint.ink(Ink::Strong, &list.from),
        counted(list.names, "name"),
        counted(list.skipped, "line"),
        board::age_words(list.age_minutes, u64::from(list.failures)),
    );
    if list.floor_open {
        text.push_str(&format!("  {}\n", paint.ink(Ink::Bad, board::FLOOR_OPEN)));
    }
    for (reason, count) in &list.skipped_because {
        text.push_str(&format!("    {count} skipped: {reason}\n"));
    }
    if list.touches_protected > 0 {
        let touch = counted_as(list.touches_protected, "entry touches", "entries touch");
        let line = format!("  {touch} a protected site, which blocks nobody");
        text.push_str(&format!("{}\n", paint.ink(Ink::Careful, &line)));
        list.protected.iter().for_each(|hit| text.push_str(&format!("    {hit}\n")));
    }
    if let Some(error) = &list.error {
        let times =
            if list.failures > 1 { format!(" ({} times in a row)", list.failures) } else { String::new() };
        let stays = if list.fetched.is_some() { "; the last good copy stays" } else { "" };
        text.push_str(&format!("  {}{times}\n", paint.ink(Ink::Bad, &format!("{error}{stays}"))));
    }
    text
}

/// What is known of a host, as `lists lookup --json` has it.
#[derive(Serialize)]
struct Known {
    host: String,
    categories: Vec<&'static str>,
    services: Vec<&'static str>,
}

impl Lookup {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let loaded = home.load(clock::now())?;
        let host = Domain::parse(&self.host)
            .map_err(|e| Failure::cannot_read(format!("`{}` is no host name: {e}", self.host)))?;
        let state = loaded.state();
        let catalogue = crate::catalogue::for_command(&loaded, state.as_ref(), clock::now())?;
        let tags = catalogue.lookup(host.name());
        let known = Known {
            host: host.to_string(),
            categories: tags.categories().map(blocklists::Category::word).collect(),
            services: tags.services().map(blocklists::Service::word).collect(),
        };
        if self.common.json {
            terminal::say_json(&known);
        } else {
            terminal::say(&known_text(&known));
        }
        Ok(Exit::Done)
    }
}

fn known_text(known: &Known) -> String {
    if known.categories.is_empty() && known.services.is_empty() {
        return format!("{}: no list and no built-in table has it.\n", known.host);
    }
    let mut rows = Vec::new();
    for (title, words) in [("categories", &known.categories), ("services", &known.services)] {
        if !words.is_empty() {
            rows.push(vec![title.to_owned(), words.join(", ")]);
        }
    }
    format!("{}\n{}", known.host, terminal::columns(&rows))
}
