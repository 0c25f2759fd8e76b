//! Which runs are alive: each holds a lock on a file of its own for as long as its process lives, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::outcome::RunId;

/// How the name of a note ends that a run's containers are kept.
const KEPT: &str = ".kept";

/// The lock of the present run; dropping it takes the file away.
pub(crate) struct Lease {
    path: PathBuf,
    _lock: File,
}

impl Lease {
    /// Marks a run as alive.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn begin(cache: &Path, run: &RunId) -> io::Result<Self> {
        let path = file_of(cache, run.as_str());
        std::fs::create_dir_all(cache.join("runs"))?;
        loop {
            let lock = File::create(&path)?;
            lock.lock()?;
            // Between the two another program may have taken the file for a stale run's, and removed it.
            let (own, there) = (lock.metadata()?, std::fs::metadata(&path));
            if there.is_ok_and(|there| (own.dev(), own.ino()) == (there.dev(), there.ino())) {
                return Ok(Self { path, _lock: lock });
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A file left behind is harmless: nobody holds its lock, and the next prune takes it.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Leaves a note that what is left of a run is left on purpose, until `prune`.
///
/// # Errors
/// When the note cannot be written.
pub(crate) fn keep(cache: &Path, run: &RunId) -> io::Result<()> {
    std::fs::write(kept_file(cache, run.as_str()), "")
}

/// Whether what is left of a run is left on purpose.
pub(crate) fn is_kept(cache: &Path, run: &str) -> bool {
    !run.is_empty() && kept_file(cache, run).exists()
}

/// Whether a run of this cache folder is alive.
pub(crate) fn is_live(cache: &Path, run: &str) -> bool {
    is_locked(&file_of(cache, run))
}

/// Whether somebody holds a lock on a file. One that may not be read is somebody else's, who may.
fn is_locked(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Whether any run of this cache folder is alive but the one given.
pub(crate) fn others(cache: &Path, own: Option<&RunId>) -> bool {
    let entries = std::fs::read_dir(cache.join("runs")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| own.is_none_or(|own| own.as_str() != name)).any(|name| is_live(cache, &name))
}

/// Removes the files of stale runs, and with `kept` also the marks of what is kept on purpose; returns how many.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn forget_stale(cache: &Path, kept: bool) -> io::Result<usize> {
    let entries = match std::fs::read_dir(cache.join("runs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut count = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = RunId::is_one(name.strip_suffix(KEPT).unwrap_or(&name));
        if is_ours && (kept || !name.ends_with(KEPT)) && remove_unlocked(&entry.path())? {
            count += 1;
        }
    }
    Ok(count)
}

/// Removes a file that nobody holds locked; whether it did. It holds the lock meanwhile, so that a run which begins just now
/// sees that its file has gone.
fn remove_unlocked(path: &Path) -> io::Result<bool> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let file = match File::open(path) {
        Ok(file) => file,
        // One that may not be read is somebody else's.
        Err(error) if gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.try_lock().is_err() {
        return Ok(false);
    }
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if gone(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn kept_file(cache: &Path, run: &str) -> PathBuf {
    file_of(cache, &format!("{run}{KEPT}"))
}

fn file_of(cache: &Path, run: &str) -> PathBuf {
    cache.join("runs").join(run)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lives_as_long_as_its_lock() {
        let cache = tempfile::tempdir().unwrap();
        let (run, other) = (RunId::new(), RunId::new());
        let live = Lease::begin(cache.path(), &run).unwrap();
        assert!(is_live(cache.path(), run.as_str()) && !is_live(cache.path(), other.as_str()));
        assert!(!others(cache.path(), Some(&run)) && others(cache.path(), Some(&other)));
        assert_eq!(forget_stale(cache.path(), true).unwrap(), 0);
        drop(live);
        assert!(!is_live(cache.path(), run.as_str()));
    }

    #[test]
    fn a_run_that_begins_while_another_forgets_is_not_forgotten() {
        let cache = tempfile::tempdir().unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    // The folder may not be there yet.
                    drop(forget_stale(cache.path(), true));
                }
            });
            for _ in 0..200 {
                let run = RunId::new();
                let lease = Lease::begin(cache.path(), &run).unwrap();
                assert!(lease.path.exists() && is_live(cache.path(), run.as_str()));
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn what_is_kept_stays_kept_until_it_is_pruned() {
        let cache = tempfile::tempdir().unwrap();
        let run = RunId::new();
        drop(Lease::begin(cache.path(), &run).unwrap());
        keep(cache.path(), &run).unwrap();
        forget_stale(cache.path(), false).unwrap();
        assert!(is_kept(cache.path(), run.as_str()));
        forget_stale(cache.path(), true).unwrap();
        assert!(!is_kept(cache.path(), run.as_str()));
    }
}
