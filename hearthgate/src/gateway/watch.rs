//! Tells when something in the home's folder changes.
//!
//! Editors write a file in several steps, so changes are gathered for a moment. Whether anything really changed is found
//! by comparing contents, never by trusting the kernel's events; they only say when to look.

use crate::folder;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A save is over when nothing moved for this long.
const QUIET: Duration = Duration::from_millis(200);
/// A folder that never stops changing is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// Without the kernel's events the folder is looked at this often; with them too, for file systems that send none.
pub(crate) const SELDOM: Duration = Duration::from_secs(30);

/// Watches a home's folder, its agreements and its lists.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    changes: mpsc::Receiver<()>,
    /// What is being waited for. It outlives the waiting, which others interrupt every second.
    until: Until,
    // Kept so that the channel stays open when there is no watcher.
    _sender: mpsc::Sender<()>,
}

/// Until when nothing is told.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// Nothing has moved: until it is time to look all the same.
    Seldom(Instant),
    /// Something moves: until it is quiet, or patience ends.
    Settled { quiet: Instant, patience: Instant },
}

impl Until {
    fn seldom() -> Self {
        Self::Seldom(Instant::now() + SELDOM)
    }

    fn moved(self) -> Self {
        let now = Instant::now();
        let patience = if let Self::Settled { patience, .. } = self { patience } else { now + PATIENCE };
        Self::Settled { quiet: now + QUIET, patience }
    }

    fn end(self) -> Instant {
        match self {
            Self::Seldom(end) => end,
            Self::Settled { quiet, patience } => quiet.min(patience),
        }
    }
}

impl Watch {
    /// Starts to watch. Where the kernel will not (too many watches), the folder is still looked at now and then.
    pub(crate) fn start(home: &Path) -> Self {
        let (sender, changes) = mpsc::channel(1);
        let watcher = watcher(home, sender.clone());
        if let Err(error) = &watcher {
            tracing::warn!(%error, "the folder's changes are not told by the kernel; it is read every 30 s instead");
        }
        Self { watcher: watcher.ok(), changes, until: Until::seldom(), _sender: sender }
    }

    /// Returns when something may have changed and the folder has been quiet for a moment. Cancelling it loses nothing.
    pub(crate) async fn changed(&mut self) {
        // Patience is looked at first: a folder that never stops changing always has a word waiting.
        while Instant::now() < self.until.end()
            && tokio::time::timeout_at(self.until.end(), self.changes.recv()).await.is_ok()
        {
            self.until = self.until.moved();
        }
        self.until = Until::seldom();
    }
}

impl Watch {
    /// Watches the folders inside the home that came since; those that are watched already stay so.
    pub(crate) fn follow(&mut self, home: &Path) {
        if let Some(watcher) = &mut self.watcher {
            let _it_went_again = inner_folders(watcher, home);
        }
    }
}

fn inner_folders(watcher: &mut RecommendedWatcher, home: &Path) -> notify::Result<()> {
    for inner in ["agreements", "lists"] {
        let path = home.join(inner);
        if path.is_dir() {
            watcher.watch(&path, RecursiveMode::NonRecursive)?;
        }
    }
    Ok(())
}

fn watcher(home: &Path, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let root = home.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // One waiting word is enough: whoever reads it looks at everything.
        if event.map_or(true, |event| concerns(&root, &event)) {
            let _one_is_waiting_already = sender.try_send(());
        }
    })?;
    watcher.watch(home, RecursiveMode::NonRecursive)?;
    inner_folders(&mut watcher, home)?;
    Ok(watcher)
}

/// Whether an event is about a file that the gateway reads. The records inside the folder change all the time.
fn concerns(root: &Path, event: &notify::Event) -> bool {
    if event.kind.is_access() {
        return false;
    }
    let in_lists = |path: &PathBuf| path.parent().is_some_and(|p| p.ends_with("lists"));
    let inner = |path: &PathBuf| path.parent() == Some(root) && path.extension().is_none();
    event.paths.iter().any(|path| folder::belongs(path) || in_lists(path) || inner(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, ModifyKind};

    #[test]
    fn only_files_of_the_home_concern_it() {
        let root = Path::new("/home");
        let event = |path: &str| {
            notify::Event::new(notify::EventKind::Modify(ModifyKind::Data(DataChange::Any)))
                .add_path(path.into())
        };
        for (path, told) in [
            ("/home/home.yaml", true),
            ("/home/agreements/jo.yaml", true),
            ("/home/lists/a.txt", true),
            ("/home/.home.yaml.swp", false),
            ("/home/home.db-wal", false),
            ("/home/run.log", false),
        ] {
            assert_eq!(concerns(root, &event(path)), told, "{path}");
        }
        let made = notify::Event::new(notify::EventKind::Create(CreateKind::Folder))
            .add_path("/home/agreements".into());
        assert!(concerns(root, &made));
    }

    #[tokio::test]
    async fn a_save_is_told_once_it_is_over() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut watch = Watch::start(dir.path());
        std::fs::write(dir.path().join("home.yaml"), "home: A\n").expect("written");
        tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.expect("told");
    }

    #[tokio::test]
    async fn a_save_is_told_to_one_who_is_interrupted_all_the_time() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut watch = Watch::start(dir.path());
        std::fs::write(dir.path().join("home.yaml"), "home: A\n").expect("written");
        let interrupted = async {
            // The steward's tick ends its waiting in the midst of it: shorter than a save takes to be over.
            while tokio::time::timeout(QUIET / 10, watch.changed()).await.is_err() {}
        };
        tokio::time::timeout(SELDOM / 3, interrupted).await.expect("told");
    }
}
