//! The home's files as the desk changes them: weighed with all the others, written whole or not at all, committed to Git
//! where the folder is a repository of its own.

use crate::folder;
use crate::last_good;
use crate::lists::calendar;
use crate::lists::shelf::Shelf;
use crate::state::State;
use agreements::Problem;
use chrono::{DateTime, Utc};
use console::{Doing, Kept, NotKept, Weighed};
use records::By;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Git has this long to take a file.
const GIT: Duration = Duration::from_secs(20);

/// A change that is being made.
#[derive(Serialize, Deserialize)]
struct Change {
    file: String,
    /// The print of what the file will be.
    print: String,
    /// Whose change it is, by id.
    by: String,
}

/// What changes the home's files.
pub(crate) struct Editor {
    home: PathBuf,
    lists: PathBuf,
    /// Where it stands that a file is being changed, while it is.
    marker: PathBuf,
    /// One change after the other.
    turn: tokio::sync::Mutex<()>,
}

impl Editor {
    /// For a home's folder, and the place where its calendars are kept.
    pub(crate) fn new(home: PathBuf, state: &State) -> Self {
        let (lists, marker) = (state.lists(), state.change());
        Self { home, lists, marker, turn: tokio::sync::Mutex::default() }
    }

    /// A change that was begun before the gateway started anew, in a sentence, and whether it was made. It is told once.
    pub(crate) fn unfinished(&self) -> Option<(String, bool)> {
        let bytes = folder::at_most(&self.marker, folder::MAX_FILE).ok()??;
        let change: Change = serde_json::from_slice(&bytes).ok()?;
        let made = self.text(&change.file).is_some_and(|text| console::print_of(&text) == change.print);
        Some((format!("{} by {}", change.file, change.by), made))
    }

    /// What was unfinished is told.
    pub(crate) fn is_told(&self) {
        if let Err(error) = fs::remove_file(&self.marker)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "it could not be noted that a change is over");
        }
    }

    /// Notes that a file is being changed, so that whatever happens between can be told.
    fn begin(&self, change: &Change) -> io::Result<()> {
        let text = serde_json::to_vec(change).map_err(io::Error::other)?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.marker)?;
        file.write_all(&text)?;
        file.sync_all()
    }

    /// The home's folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The text of a file; none where there is none that can be read.
    pub(crate) fn text(&self, file: &str) -> Option<String> {
        let path = folder::contained(&self.home, file)?;
        let bytes = folder::at_most(&path, folder::MAX_FILE).ok()??;
        String::from_utf8(bytes).ok()
    }

    /// The home as it would be if a file had this text: with every other file as it stands.
    pub(crate) fn weigh(&self, file: &str, text: &str, now: DateTime<Utc>) -> Weighed {
        let mut disk = folder::read(&self.home).unwrap_or_default();
        let before = errors(&last_good::reading(&disk.texts, now).problems, |p| p.file != file);
        disk.texts.insert(file.to_owned(), text.to_owned());
        calendar::add(&mut disk, &Shelf::at(self.lists.clone()), now);
        // A person whose file is no text still exists: the empty text keeps them, on the baseline.
        let unusable: Vec<String> = disk.unusable.iter().map(|u| u.problem.file.clone()).collect();
        disk.texts
            .extend(unusable.into_iter().filter(|other| other != file).map(|other| (other, String::new())));
        let reading = last_good::reading(&disk.texts, now);
        // What is wrong here, and what is wrong elsewhere because of this.
        let elsewhere = |p: &Problem| p.file != file && points_at(p, file) && !before.contains(p);
        let problems = reading.problems.into_iter().filter(|p| p.file == file || elsewhere(p)).collect();
        Weighed { problems, house: reading.house }
    }

    /// Writes a file, if it still is what `was` is the print of.
    pub(crate) async fn keep(
        &self,
        file: &str,
        text: &str,
        was: &str,
        (by, why): (&By, &str),
        first: Doing<'_, bool>,
    ) -> Result<Kept, NotKept> {
        let _turn = self.turn.lock().await;
        let now = self.text(file);
        if now.is_none() && folder::contained(&self.home, file).is_some() {
            tracing::warn!("a file of the home cannot be read as text, and so is not replaced");
            return Err(NotKept::Disk);
        }
        let print = now.as_deref().filter(|now| !now.is_empty()).map(console::print_of).unwrap_or_default();
        if print != was {
            return Err(NotKept::Meanwhile(now.unwrap_or_default()));
        }
        let text = with_ends_of(now.as_deref().unwrap_or_default(), text);
        let change = Change { file: file.to_owned(), print: console::print_of(&text), by: by.id.clone() };
        if let Err(error) = tokio::task::block_in_place(|| self.begin(&change)) {
            tracing::warn!(%error, "it could not be noted that a file of the home is being changed");
            return Err(NotKept::Disk);
        }
        if !first.await {
            self.is_told();
            return Err(NotKept::Journal);
        }
        let written = tokio::task::block_in_place(|| self.write(file, &text));
        self.is_told();
        if let Err(error) = written {
            tracing::warn!(%error, "a file of the home could not be written");
            return Err(NotKept::Disk);
        }
        Ok(self.commit(file, (by, why)).await)
    }

    /// Beside the file and then in its place, so that nobody ever reads half of it.
    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        let target = match folder::contained(&self.home, file) {
            Some(path) => path,
            None => self.new_file(file)?,
        };
        let (dir, name) = (target.parent(), target.file_name());
        let (Some(dir), Some(name)) = (dir, name) else { return Err(io::ErrorKind::InvalidInput.into()) };
        // The gateway reads no file with such a name.
        let beside = dir.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        let _left_over = fs::remove_file(&beside);
        let mode = fs::metadata(&target).map_or(0o640, |known| known.permissions().mode() & 0o777);
        let mut new = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        let written = new.write_all(text.as_bytes());
        let done = written
            .and_then(|()| new.set_permissions(Permissions::from_mode(mode)))
            .and_then(|()| new.sync_all())
            .and_then(|()| fs::rename(&beside, &target));
        if done.is_err() {
            let _gone = fs::remove_file(&beside);
            return done;
        }
        File::open(dir)?.sync_all()
    }

    /// Where a file that is not there yet goes: into the folder or its agreements, and through no link.
    fn new_file(&self, file: &str) -> io::Result<PathBuf> {
        let path = self.home.canonicalize()?.join(file);
        if let Some(dir) = path.parent()
            && !dir.exists()
        {
            fs::create_dir(dir)?;
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            // It is there and cannot be read, or leads elsewhere.
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) => Err(error),
        }
    }

    /// Commits the file, where the folder is a repository itself. One that merely lies in another's is nobody's to commit to.
    async fn commit(&self, file: &str, (by, why): (&By, &str)) -> Kept {
        if !self.home.join(".git").exists() {
            return Kept::Alone;
        }
        let author = format!("{} <{}@hearthgate>", plain(&by.name), plain(&by.id));
        let message = format!("{}: {}", file, plain(why));
        let added = self.git(&["add", "--", file]).await;
        let committed = match added {
            true => {
                self.git(&[
                    "commit",
                    "--quiet",
                    "--no-verify",
                    "--author",
                    &author,
                    "-m",
                    &message,
                    "--",
                    file,
                ])
                .await
            }
            false => false,
        };
        if committed { Kept::Committed } else { Kept::NotCommitted }
    }

    async fn git(&self, arguments: &[&str]) -> bool {
        // Nothing but Git itself runs: no hook, no signing program, no question.
        let quiet = [
            "core.hooksPath=/dev/null",
            "commit.gpgSign=false",
            "user.name=Hearthgate",
            "user.email=hearthgate@localhost",
        ];
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.home);
        for setting in quiet {
            command.args(["-c", setting]);
        }
        command.args(arguments).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(GIT, command.output()).await {
            Ok(Ok(done)) if done.status.success() => true,
            Ok(Ok(done)) => {
                tracing::warn!(status = %done.status, "Git did not take a changed file of the home");
                false
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("Git could not be asked to take a changed file of the home");
                false
            }
        }
    }
}

fn errors(problems: &[Problem], which: impl Fn(&Problem) -> bool) -> Vec<Problem> {
    problems.iter().filter(|p| which(p)).cloned().collect()
}

/// Whether a problem of another file speaks of this one too (one device with two people).
fn points_at(problem: &Problem, file: &str) -> bool {
    problem.other.as_ref().is_some_and(|place| place.file == file)
}

/// One line, without what means something to Git.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '<' | '>') { ' ' } else { c }).collect()
}

/// A text with the line ends of the file as it was.
fn with_ends_of(before: &str, text: &str) -> String {
    let ends = before.matches('\n').count();
    if ends > 0 && before.matches("\r\n").count() * 2 > ends {
        text.replace('\n', "\r\n")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::ByRole;
    use std::os::unix::fs::symlink;

    const HOME: &str = "home: Oakview\ntimezone: Europe/London\n";
    const JO: &str = "# Jo, 15\nperson: Jo\ndevices:\n  - {name: phone, ip: 192.0.2.7}\nonline: {every_day: 09:00-21:00}\notherwise: allow\n";

    fn home() -> (tempfile::TempDir, Editor) {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("agreements")).expect("made");
        fs::write(dir.path().join("home.yaml"), HOME).expect("written");
        fs::write(dir.path().join("agreements/jo.yaml"), JO).expect("written");
        let editor = Editor::new(dir.path().to_owned(), &State { dir: dir.path().to_owned() });
        (dir, editor)
    }

    /// The journal takes it.
    fn taken() -> Doing<'static, bool> {
        Box::pin(async { true })
    }

    fn by() -> By {
        By { role: ByRole::Staff, id: "r.osei".into(), name: "R. Osei <x>".into() }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn a_text_is_weighed_with_all_the_others() {
        let (_dir, editor) = home();
        let sam = JO.replace("Jo", "Sam");
        let weighed = editor.weigh("agreements/sam.yaml", &sam, now());
        assert!(!weighed.problems.is_empty(), "one device with two people");
        let weighed = editor.weigh("agreements/sam.yaml", &sam.replace("192.0.2.7", "192.0.2.8"), now());
        let errors: Vec<_> =
            weighed.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert!(weighed.house.person("sam").is_some() && weighed.house.person("jo").is_some());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_kept_is_what_was_given_and_nobody_is_overwritten() {
        let (dir, editor) = home();
        let file = "agreements/jo.yaml";
        let was = console::print_of(JO);
        let new = JO.replace("21:00", "22:00");
        let kept = editor.keep(file, &new, &was, (&by(), "agreed"), taken()).await;
        assert_eq!(kept, Ok(Kept::Alone));
        assert_eq!(fs::read_to_string(dir.path().join(file)).expect("read"), new);
        let again = editor.keep(file, JO, &was, (&by(), "agreed"), taken()).await;
        assert_eq!(again, Err(NotKept::Meanwhile(new.clone())));
        let windows = new.replace('\n', "\r\n");
        fs::write(dir.path().join(file), &windows).expect("written");
        let print = console::print_of(&windows);
        let kept =
            editor.keep(file, &new.replace("22:00", "22:30"), &print, (&by(), "agreed"), taken()).await;
        assert_eq!(kept, Ok(Kept::Alone));
        let read = fs::read_to_string(dir.path().join(file)).expect("read");
        assert_eq!(read, windows.replace("22:00", "22:30"), "the file's own line ends");
        let entries: Vec<_> = fs::read_dir(dir.path().join("agreements")).expect("listed").collect();
        assert_eq!(entries.len(), 1, "nothing is left over");
        assert_eq!(
            editor.keep("agreements/sam.yaml", JO, "", (&by(), "new"), taken()).await,
            Ok(Kept::Alone)
        );
        assert_eq!(
            editor.keep("agreements/sam.yaml", JO, "", (&by(), "new"), taken()).await,
            Err(NotKept::Meanwhile(JO.into()))
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_link_leads_out_of_the_folder() {
        let (dir, editor) = home();
        let elsewhere = tempfile::tempdir().expect("a folder");
        let secret = elsewhere.path().join("secret.yaml");
        fs::write(&secret, "x: 1\n").expect("written");
        symlink(&secret, dir.path().join("agreements/out.yaml")).expect("linked");
        symlink(elsewhere.path().join("none.yaml"), dir.path().join("agreements/dangling.yaml"))
            .expect("linked");
        for file in ["agreements/out.yaml", "agreements/dangling.yaml"] {
            assert_eq!(editor.text(file), None, "{file}");
            assert_eq!(
                editor.keep(file, "y: 2\n", "", (&by(), "x"), taken()).await,
                Err(NotKept::Disk),
                "{file}"
            );
        }
        assert_eq!(fs::read_to_string(&secret).expect("read"), "x: 1\n");
        assert!(!elsewhere.path().join("none.yaml").exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    #[allow(clippy::print_stdout, reason = "a test that was skipped says so")]
    async fn a_folder_that_is_a_repository_gets_a_commit() {
        let (dir, editor) = home();
        let git = |arguments: &[&str]| {
            let out = std::process::Command::new("git").arg("-C").arg(dir.path()).args(arguments).output();
            out.ok().map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        };
        if git(&["init", "--quiet"]).is_none() {
            assert!(std::env::var_os("HEARTHGATE_MAY_SKIP").is_some(), "git is missing");
            println!("skipped: git is missing");
            return;
        }
        let new = JO.replace("21:00", "22:00");
        let kept = editor
            .keep("agreements/jo.yaml", &new, &console::print_of(JO), (&by(), "agreed\nwith Jo"), taken())
            .await;
        assert_eq!(kept, Ok(Kept::Committed));
        let log = git(&["log", "--format=%an|%ae|%s"]).expect("a log");
        assert_eq!(log.trim(), "R. Osei  x|r.osei@hearthgate|agreements/jo.yaml: agreed with Jo");
        let files = git(&["show", "--name-only", "--format="]).expect("shown");
        assert_eq!(files.trim(), "agreements/jo.yaml", "nothing else is committed");
        // A repository that refuses is told, and the file is kept all the same.
        fs::write(dir.path().join(".git/index.lock"), "").expect("written");
        let kept =
            editor.keep("agreements/jo.yaml", JO, &console::print_of(&new), (&by(), "back"), taken()).await;
        assert_eq!(kept, Ok(Kept::NotCommitted));
        assert_eq!(editor.text("agreements/jo.yaml").as_deref(), Some(JO));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_written_that_the_journal_does_not_have() {
        let (dir, editor) = home();
        let (file, was, new) = ("agreements/jo.yaml", console::print_of(JO), JO.replace("21:00", "22:00"));
        let no: Doing<'_, bool> = Box::pin(async { false });
        assert_eq!(editor.keep(file, &new, &was, (&by(), "agreed"), no).await, Err(NotKept::Journal));
        assert_eq!(editor.text(file).as_deref(), Some(JO));
        assert_eq!(editor.unfinished(), None);
        // While the journal is being written the file is as it was, and a gateway that ends there says so when it starts.
        let told = async {
            assert_eq!(editor.text(file).as_deref(), Some(JO));
            let other = Editor::new(dir.path().to_owned(), &State { dir: dir.path().to_owned() });
            assert_eq!(other.unfinished(), Some(("agreements/jo.yaml by r.osei".to_owned(), false)));
            true
        };
        assert_eq!(editor.keep(file, &new, &was, (&by(), "agreed"), Box::pin(told)).await, Ok(Kept::Alone));
        assert_eq!(editor.unfinished(), None, "it is over");
        // It ended after the file was in its place.
        let change =
            Change { file: file.to_owned(), print: console::print_of(&new), by: "r.osei".to_owned() };
        editor.begin(&change).expect("noted");
        assert_eq!(editor.unfinished(), Some(("agreements/jo.yaml by r.osei".to_owned(), true)));
        editor.is_told();
        assert_eq!(editor.unfinished(), None, "told once");
    }
}
