//! A PostgreSQL server of the tests' own: its files in a temporary folder, reached by a socket there, run by a user
//! without privileges.

use sqlx::{Connection, Executor, PgConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub struct Server {
    folder: TempDir,
    programs: PathBuf,
}

/// Where Debian keeps the server's programs, the newest version first.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut all: Vec<_> =
        versions.flatten().map(|v| v.path().join("bin")).filter(|b| b.join("initdb").exists()).collect();
    all.sort();
    all.pop()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// The server refuses to run as root: then `nobody` runs it.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "nobody", "--"]).arg(program);
    command
}

impl Server {
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let server = Self { folder, programs };
        let data = server.data();
        let run = |command: &mut Command| {
            let out = command.current_dir("/").stdin(Stdio::null()).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        };
        let initdb = server.programs.join("initdb");
        run(command(&initdb).args(["-U", "home", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"]).arg(&data));
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off", server.folder());
        let log = format!("{}/log", server.folder());
        run(server.pg_ctl().args(["-w", "-l", &log, "-o", &options, "start"]).stdout(Stdio::null()));
        Some(server)
    }

    fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn pg_ctl(&self) -> Command {
        let mut command = command(&self.programs.join("pg_ctl"));
        command.arg("-D").arg(self.data());
        command
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://home@{}/{database}", self.folder().replace('/', "%2F"))
    }

    /// A new database; its URL.
    pub async fn database(&self, name: &str) -> String {
        let name = name.get(..60).unwrap_or(name);
        let mut c = PgConnection::connect(&self.url("postgres")).await.unwrap();
        c.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        c.close().await.unwrap();
        self.url(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.pg_ctl().args(["-m", "immediate", "stop"]).current_dir("/").output();
        // What the other user made, only they or root can remove; the folder's own removal does the rest.
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_with_postgresql() {
    let Some(server) = Server::start() else {
        println!("skipped: no PostgreSQL server is installed (Debian: apt-get install postgresql)");
        return;
    };
    assert_eq!(super::every_scenario(&server).await, 70);
}
