//! What changes in folders and files, as the system tells it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Nothing has changed for so long: whoever saves several files has saved them all.
const QUIET: Duration = Duration::from_millis(100);
/// Who never stops writing is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Paths that are watched, from when it is made until it is dropped.
pub(crate) struct Changes {
    _watcher: RecommendedWatcher,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Seen>,
    news: Notify,
}

/// What has changed since somebody asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) paths: BTreeSet<PathBuf>,
    /// The system lost count: whatever is watched may have changed.
    pub(crate) lost_count: bool,
}

impl Changes {
    /// Watches folders with all that is in them, and files. Links in folders are not followed.
    ///
    /// # Errors
    /// When one of them is not there, or the system watches no more.
    pub(crate) fn of(folders: &[PathBuf], files: &[PathBuf]) -> notify::Result<Self> {
        let state = Arc::<State>::default();
        let heard = Arc::clone(&state);
        let hear = move |event| heard.hear(event);
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(hear, config)?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        // An editor puts another file in the place of one: the folder tells that.
        let around: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        for folder in around {
            if !folders.iter().any(|watched| folder.starts_with(watched)) {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(Self { _watcher: watcher, state })
    }

    /// Waits until something has changed, and then until that is over.
    pub(crate) async fn next(&self) -> Seen {
        self.state.news.notified().await;
        let quiet = async { while timeout(QUIET, self.state.news.notified()).await.is_ok() {} };
        // Over or not: what has changed by now is told.
        drop(timeout(PATIENCE, quiet).await);
        std::mem::take(&mut *self.state.lock())
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, event: notify::Result<Event>) {
        match event {
            // Whoever reads changes nothing.
            Ok(Event { kind: EventKind::Access(_), .. }) => return,
            Ok(event) if event.need_rescan() => self.lock().lost_count = true,
            Ok(event) => self.lock().paths.extend(event.paths),
            Err(_) => self.lock().lost_count = true,
        }
        self.news.notify_one();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_told_and_what_is_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (deep, alone) = (folder.path().join("a/deep"), folder.path().join("b"));
        for folder in [&deep, &alone] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let (file, beside) = (alone.join("file"), alone.join("beside"));
        std::fs::write(&file, "x").unwrap();
        let changes = Changes::of(&[folder.path().join("a")], std::slice::from_ref(&file)).unwrap();
        std::fs::read(&file).unwrap();
        std::fs::write(deep.join("new"), "x").unwrap();
        assert_eq!(changes.next().await.paths, BTreeSet::from([deep.join("new")]));
        // As editors do it.
        std::fs::write(&beside, "y").unwrap();
        std::fs::rename(&beside, &file).unwrap();
        assert!(changes.next().await.paths.contains(&file));
        assert!(Changes::of(&[folder.path().join("none")], &[]).is_err());
    }
}
