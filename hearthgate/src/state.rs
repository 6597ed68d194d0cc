//! What the gateway keeps beside its records: fetched lists, the compiled catalogue, last good texts, the control socket.

use crate::failure::Failure;
use agreements::{Gateway, Store};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the gateway keeps things when the records are in PostgreSQL, and a package's default.
const DEFAULT: &str = "/var/lib/hearthgate";

/// The folder that holds the records and what belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The folder.
    pub(crate) dir: PathBuf,
}

impl State {
    /// The folder of a gateway: where its SQLite file is; for PostgreSQL what systemd gave us, else the default.
    pub(crate) fn of(gateway: &Gateway, home: &Path) -> Self {
        match &gateway.store {
            Store::Sqlite(path) => {
                let file = home.join(path);
                Self { dir: file.parent().map_or_else(|| home.to_owned(), Path::to_owned) }
            }
            Store::Postgres(_) => Self::fallback(),
        }
    }

    /// Where the folder may be when gateway.yaml has errors: what its `store` line seems to say, then the usual places.
    pub(crate) fn guesses(text: &str, home: &Path) -> Vec<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("store:")).unwrap_or_default();
        let path = line.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let written = path.strip_prefix("sqlite:").map(|path| home.join(path));
        let written = written.and_then(|file| file.parent().map(|dir| Self { dir: dir.to_owned() }));
        written.into_iter().chain([Self::fallback(), Self { dir: home.join("state") }]).collect()
    }

    /// The folder when nobody can say where the records are.
    pub(crate) fn fallback() -> Self {
        Self { dir: std::env::var_os("STATE_DIRECTORY").map_or_else(|| DEFAULT.into(), PathBuf::from) }
    }

    /// Makes the folder and those in it, readable by the gateway alone.
    pub(crate) fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        // Also where somebody else made it: what is inside is about young people.
        fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.lists())
    }

    /// Fetched lists: a body and what is known of it, two files a list.
    pub(crate) fn lists(&self) -> PathBuf {
        self.dir.join("lists")
    }

    /// The compiled catalogue.
    pub(crate) fn catalogue(&self) -> PathBuf {
        self.dir.join("catalogue.hgc")
    }

    /// The home's own certificate authority: its certificate and its key, for this account alone.
    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.join("local-ca.pem")
    }

    /// What the router's rules that were in force last are made from.
    pub(crate) fn router(&self) -> PathBuf {
        self.dir.join("router.json")
    }

    /// Which devices are lost, for while the records cannot be read.
    pub(crate) fn lost(&self) -> PathBuf {
        self.dir.join("lost.json")
    }

    /// What the desk is changing, while it does.
    pub(crate) fn change(&self) -> PathBuf {
        self.dir.join("changing.json")
    }

    /// The last good texts of the home's files.
    pub(crate) fn kept(&self) -> PathBuf {
        self.dir.join("last-good.json")
    }

    /// Says so when this account may not look into the folder, instead of what it would look like from outside: as if no
    /// gateway ran and nothing were recorded.
    pub(crate) fn may_look(&self) -> Result<(), Failure> {
        match fs::metadata(self.socket()) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(may_not_read(&self.dir)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Where a running gateway answers `hearthgate status`.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("control.sock")
    }
}

/// The records are about young people: only the gateway's own account and the machine's own root read them.
pub(crate) fn may_not_read(what: &Path) -> Failure {
    Failure::cannot_read(format!("you may not read `{}`: it is the gateway's own", what.display()))
        .help("use `sudo`, or the account that the gateway runs as")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_line_is_read_from_a_broken_file() {
        let home = Path::new("/home");
        let first = |text| State::guesses(text, home)[0].dir.clone();
        assert_eq!(first("listen: {\nstore: sqlite:kept/home.db  # here\n"), home.join("kept"));
        assert_eq!(first("store: \"sqlite:/var/x/home.db\"\n"), Path::new("/var/x"));
        assert_eq!(first("nonsense\n"), State::fallback().dir);
    }

    #[test]
    fn the_folder_is_private_and_made_whole() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let state = State { dir: dir.path().join("a/b") };
        state.make().expect("made");
        state.make().expect("making it again is harmless");
        let mode = fs::metadata(&state.dir).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(state.lists().is_dir());
    }
}
