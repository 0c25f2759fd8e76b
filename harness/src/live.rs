//! Which runs are alive: each holds a lock on a file of its own for as long as its process lives, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::engine::RunId;

/// The lock of the present run; dropping it takes the file away.
pub struct LiveRun {
    path: PathBuf,
    _lock: File,
}

impl LiveRun {
    /// Marks a run as alive.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub fn begin(cache: &Path, run: &RunId) -> io::Result<Self> {
        let path = file_of(cache, run.as_str());
        std::fs::create_dir_all(cache.join("runs"))?;
        let lock = File::create(&path)?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for LiveRun {
    fn drop(&mut self) {
        // A file left behind is harmless: nobody holds its lock, and the next prune takes it.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Whether a run of this cache folder is alive.
pub fn is_live(cache: &Path, run: &str) -> bool {
    match File::open(file_of(cache, run)) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

/// Whether any run of this cache folder is alive but the one given.
pub fn others(cache: &Path, own: Option<&RunId>) -> bool {
    let entries = std::fs::read_dir(cache.join("runs")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| own.is_none_or(|own| own.as_str() != name)).any(|name| is_live(cache, &name))
}

/// Takes away the files of dead runs; says how many.
///
/// # Errors
/// When the folder cannot be read.
pub fn forget_dead(cache: &Path) -> io::Result<usize> {
    let entries = match std::fs::read_dir(cache.join("runs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut count = 0;
    for entry in entries {
        let entry = entry?;
        if !is_live(cache, &entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path())?;
            count += 1;
        }
    }
    Ok(count)
}

fn file_of(cache: &Path, run: &str) -> PathBuf {
    cache.join("runs").join(run)
}
