//! The records, opened for one command: to read them, or to append beside a running gateway.

use crate::clock;
use crate::control;
use crate::failure::Failure;
use crate::home::{HomeArg, Loaded};
use crate::people;
use crate::state::{State, may_not_read};
use crate::terminal;
use agreements::{House, Person, Role, Staff, Standing, did_you_mean, nearest};
use chrono::{DateTime, Utc};
use records::{By, ByRole, Clock, NotDone, OpenError, Purpose, Records, StoreError, SystemClock};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A home with its records, and a runtime to ask them with.
pub(crate) struct Desk {
    /// The home as the gateway holds it.
    pub(crate) loaded: Loaded,
    /// The records.
    pub(crate) records: Arc<Records>,
    runtime: Runtime,
}

/// A runtime for one command.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|e| Failure::cannot_read(format!("no runtime: {e}")))
}

/// The clock to date things by: the running gateway's, where it pretends another time, else the machine's.
pub(crate) fn clock_beside(state: &State) -> Arc<dyn Clock> {
    let machine: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let status = control::ask(&state.socket(), "clock");
    let pretended = status.filter(|s| s["pretended"] == true);
    match pretended.and_then(|s| s["now"].as_str().and_then(|now| now.parse::<DateTime<Utc>>().ok())) {
        Some(now) => Arc::new(clock::Pretend::starting(machine, now)),
        None => machine,
    }
}

impl Desk {
    /// Opens the records of a home.
    pub(crate) fn open(home: &HomeArg, purpose: Purpose) -> Result<Self, Failure> {
        let now = clock::now();
        let loaded = home.load(now)?.in_force(now);
        let gateway = loaded.gateway()?;
        let state = State::of(gateway, &loaded.dir);
        let (runtime, clock) = (runtime()?, clock_beside(&state));
        let opened = runtime.block_on(Records::open_for(purpose, &gateway.store, &loaded.dir, clock));
        let records = Arc::new(opened.map_err(not_open)?);
        Ok(Self { loaded, records, runtime })
    }

    /// Waits for the records.
    pub(crate) fn wait<T>(&self, asking: impl Future<Output = T>) -> T {
        self.runtime.block_on(asking)
    }

    /// Waits for the records, and says what went wrong.
    pub(crate) fn ask<T>(&self, asking: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        self.wait(asking).map_err(|e| Failure::cannot_read(format!("the records cannot be read: {e}")))
    }

    /// Waits for something to be written, and says why it was not.
    pub(crate) fn write<T>(&self, writing: impl Future<Output = Result<T, NotDone>>) -> Result<T, Failure> {
        self.wait(writing).map_err(not_done)
    }

    /// The time, by the clock that entries are dated by.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.records.clock().now()
    }

    /// The home's zone.
    pub(crate) fn zone(&self) -> chrono_tz::Tz {
        self.house().home().timezone
    }

    /// Who does it: an account of `home.yaml` with one of these roles.
    pub(crate) fn by(&self, id: &str, roles: &[Role]) -> Result<By, Failure> {
        let staff = &self.house().home().staff;
        by(staff, id, roles)
    }

    /// The home as it is in force.
    pub(crate) fn house(&self) -> &House {
        &self.loaded.reading.house
    }

    /// The agreement of somebody who has one, by id.
    pub(crate) fn agreement(&self, id: &str) -> Result<&Person, Failure> {
        let who = people::known(self.house(), id)?;
        self.house().agreement(who).ok_or_else(|| people::unknown(self.house(), id, &[]))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.runtime.block_on(self.records.close());
    }
}

fn by(staff: &[Staff], id: &str, roles: &[Role]) -> Result<By, Failure> {
    let known = || staff.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ");
    let found = staff.iter().find(|s| s.id == id).ok_or_else(|| {
        Failure::cannot_read(format!("`{id}` is no account of home.yaml")).help(
            format!(
                "{} There are: {}.",
                did_you_mean(&nearest(id, staff.iter().map(|s| s.id.as_str()))),
                known()
            )
            .trim_start(),
        )
    })?;
    if !roles.contains(&found.role) {
        return Err(Failure::no(format!("{} may not do this: it takes {}", found.name, named(roles))));
    }
    Ok(By { role: ByRole::CommandLine, id: found.id.clone(), name: found.name.clone() })
}

/// Whoever is signed in to the machine, where nobody said who does it. `sudo` tells for whom it works.
pub(crate) fn machine_user() -> By {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = user_name(&users, uid).unwrap_or_else(|| format!("user {uid}"));
    let asked_by =
        std::env::var("SUDO_USER").ok().filter(|_| uid == 0).map(|who| format!(", by sudo for {who}"));
    let name = format!("{user}{} (on the gateway itself)", asked_by.unwrap_or_default());
    By { role: ByRole::CommandLine, id: user, name }
}

/// The name of a user (passwd(5): name, password, number, …).
fn user_name(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

fn named(roles: &[Role]) -> String {
    let word = |role: &Role| match role {
        Role::Manager => "a manager",
        Role::Staff => "a member of staff",
        Role::Visitor => "a visitor",
        Role::It => "IT",
    };
    roles.iter().map(word).collect::<Vec<_>>().join(" or ")
}

fn not_open(error: OpenError) -> Failure {
    let failure = Failure::cannot_read(error.to_string());
    match error {
        OpenError::Missing(_) => failure.help("start the gateway once: `hearthgate run`"),
        OpenError::File(path, error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            may_not_read(&path)
        }
        _ => failure,
    }
}

fn not_done(error: NotDone) -> Failure {
    match error {
        NotDone::Broken => Failure::cannot_read(error.to_string()),
        NotDone::Store(error) => Failure::cannot_read(format!("the records cannot be written: {error}")),
        NotDone::Unlawful(found) => {
            let lines: Vec<String> =
                found.iter().map(|u| format!("{} ({})", u.sentence, u.regulation)).collect();
            Failure::no(format!("this restriction may not be placed:\n  {}", lines.join("\n  ")))
        }
        NotDone::LastsTooLong => Failure::no(error.to_string())
            .help("grant it again when it is over, or change the agreement together"),
        other => Failure::no(other.to_string()),
    }
}

/// What staff decided and what has been used, for commands that only ask; empty where there are no records.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// With the minutes of the home's current day.
    pub(crate) today: Standing,
    /// Without minutes: for another day.
    pub(crate) other_day: Standing,
}

impl Decided {
    /// Reads it. Where there are no records yet nothing is decided; records that cannot be read are told of, since without
    /// them an answer is not what the gateway does.
    pub(crate) fn read(loaded: &Loaded) -> Self {
        Self::try_read(loaded).unwrap_or_else(|why| {
            terminal::tell(&format!(
                "Grants, restrictions and used minutes are left out: {}",
                why.in_one_line().trim_end_matches('.')
            ));
            Self::default()
        })
    }

    fn try_read(loaded: &Loaded) -> Result<Self, Failure> {
        let Some(gateway) = loaded.gateway_in_force() else { return Ok(Self::default()) };
        let (runtime, clock) = (runtime()?, clock_beside(&State::of(gateway, &loaded.dir)));
        let house = &loaded.reading.house;
        let unread = |e: StoreError| Failure::cannot_read(format!("the records cannot be read: {e}"));
        runtime.block_on(async {
            let opened = Records::open_for(Purpose::Read, &gateway.store, &loaded.dir, clock).await;
            let records = match opened {
                Err(OpenError::Missing(_)) => return Ok(Self::default()),
                opened => opened.map_err(not_open)?,
            };
            let today = records.standing(house).await.map_err(unread)?;
            let grants = records.live_grants().await.map_err(unread)?;
            let restrictions = records.live_restrictions().await.map_err(unread)?;
            let other_day = Standing::new(house, &grants, &restrictions, &|_, _| 0);
            records.close().await;
            Ok(Self { today, other_day })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staff() -> Vec<Staff> {
        let one = |id: &str, role| Staff { id: id.to_owned(), name: id.to_uppercase(), role };
        vec![one("r.osei", Role::Manager), one("visitor", Role::Visitor)]
    }

    #[test]
    fn the_machines_user_has_a_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\nnonsense\nkate:x:1000:1000::/home/kate:/bin/sh\n";
        assert_eq!(user_name(users, 1000).as_deref(), Some("kate"));
        assert_eq!(user_name(users, 7), None);
    }

    #[test]
    fn who_does_it_has_an_account_and_the_role() {
        let allowed = by(&staff(), "r.osei", &[Role::Manager, Role::Staff]).expect("a manager may");
        assert_eq!(
            (allowed.id.as_str(), allowed.name.as_str(), allowed.role),
            ("r.osei", "R.OSEI", ByRole::CommandLine)
        );
        let stranger = by(&staff(), "nobody", &[Role::Manager]).expect_err("no account");
        assert!(stranger.help.contains("There are: r.osei, visitor."), "{stranger}");
        let visitor = by(&staff(), "visitor", &[Role::Manager, Role::Staff]).expect_err("read only");
        assert!(visitor.sentence.contains("a manager or a member of staff"), "{visitor}");
    }
}
