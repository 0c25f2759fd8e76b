//! Whether the engine's disk is full. It is measured where the engine keeps its data, all the time: a message about a full disk may be a
//! candidate's, and what a build that failed has written is gone when it can be asked for.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::EngineError;

/// How often it is measured: nothing tells when a disk runs full.
const MEASURED_EVERY: Duration = Duration::from_millis(100);
/// A disk with less room than this is full, in bytes: as much may be written between two measurements.
const FULL: u64 = 64_000_000;
/// A disk with fewer files left than this is full.
const FEW_FILES: u64 = 1_000;

/// When a full disk was seen. The measurements end when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Room {
    seen: Mutex<Option<Full>>,
}

/// A full disk.
#[derive(Debug, Clone)]
struct Full {
    at: Instant,
    /// What was measured.
    what: String,
}

impl Room {
    /// Measures the disk of this folder from now on. Where it is not on this machine, nothing is ever seen.
    pub(super) fn watch(folder: &Path) -> Arc<Self> {
        let room = Arc::new(Self::default());
        let (watched, folder) = (Arc::downgrade(&room), folder.to_owned());
        // A thread: a disk that hangs must not hang the run.
        let started = thread::Builder::new().name("room".to_owned()).spawn(move || measure(&watched, &folder));
        if let Err(error) = started {
            tracing::warn!(%error, "cannot watch the room on the engine's disk");
        }
        room
    }

    fn note(&self, left: Left, folder: &Path) {
        if let Some(what) = left.is_full() {
            let full = Full { at: Instant::now(), what: format!("{what} on the disk of {}", folder.display()) };
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(full);
        }
    }

    /// The error that the disk was full since then, if it was.
    pub(super) fn full_since(&self, begun: Instant, cause: &str) -> Option<EngineError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let full = seen.filter(|full| full.at >= begun)?;
        Some(EngineError::NoSpace { cause: format!("{}: {cause}", full.what) })
    }
}

fn measure(room: &Weak<Room>, folder: &Path) {
    while let Some(room) = room.upgrade() {
        if let Ok(left) = Left::of(folder) {
            room.note(left, folder);
        }
        drop(room);
        thread::sleep(MEASURED_EVERY);
    }
}

/// What is left of a disk.
#[derive(Debug, Clone, Copy)]
struct Left {
    bytes: u64,
    /// None where the file system has no limit.
    files: Option<u64>,
}

impl Left {
    fn of(folder: &Path) -> Result<Self, rustix::io::Errno> {
        let found = rustix::fs::statvfs(folder)?;
        let files = (found.f_files > 0).then_some(found.f_favail);
        Ok(Self { bytes: found.f_bavail.saturating_mul(found.f_frsize), files })
    }

    /// What is too little, in words.
    fn is_full(self) -> Option<String> {
        if self.bytes < FULL {
            return Some(format!("{} MB are left", self.bytes / 1_000_000));
        }
        self.files.filter(|files| *files < FEW_FILES).map(|files| format!("{files} files are left"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_by_what_is_left_of_it() {
        assert!(Left { bytes: FULL, files: Some(FEW_FILES) }.is_full().is_none());
        assert!(Left { bytes: FULL, files: None }.is_full().is_none());
        assert_eq!(Left { bytes: 5_000_000, files: None }.is_full().unwrap(), "5 MB are left");
        assert_eq!(Left { bytes: FULL, files: Some(3) }.is_full().unwrap(), "3 files are left");
        assert!(Left::of(Path::new("/")).unwrap().bytes > 0 && Left::of(Path::new("/no/such/folder")).is_err());
    }

    #[test]
    fn what_was_full_before_is_no_reason() {
        let (room, before) = (Room::default(), Instant::now());
        room.note(Left { bytes: FULL, files: None }, Path::new("/x"));
        assert!(room.full_since(before, "the build failed").is_none());
        room.note(Left { bytes: 0, files: None }, Path::new("/x"));
        let error = room.full_since(before, "the build failed").unwrap();
        assert_eq!(error.to_string(), "the engine's disk is full: 0 MB are left on the disk of /x: the build failed");
        assert!(error.is_final());
        assert!(room.full_since(Instant::now() + Duration::from_secs(1), "x").is_none());
    }
}
