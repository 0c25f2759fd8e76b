//! How much a container has written: into its own file system, into the files that the engine mounts in it, and into volumes. Engines can
//! limit that only on file systems with quotas, so it is polled.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::InspectContainerOptions;

use super::{Engine, EngineError};
use crate::beneath::{BLOCK, used};

/// How often it is polled: no event reports what is written.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is being done.
const OPERATION: &str = "asking how much a container has written";
/// How many times in a row the engine may not be able to say.
const PATIENCE: u32 = 15;
/// What an entry of a folder takes at the least, in bytes: files without content fill a disk, too.
pub(super) const ENTRY: u64 = 256;

impl Engine {
    /// Whether a container has written more than this many bytes. One that has gone has not.
    ///
    /// # Errors
    /// When the engine cannot say, as some do at times.
    pub(super) async fn is_larger(&self, container: &str, bytes: u64) -> Result<bool, EngineError> {
        let options = InspectContainerOptions { size: true };
        let found = self.docker.inspect_container(container, Some(options)).await;
        let found = match found.map_err(|error| self.error(OPERATION, error)) {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        };
        // Where it cannot say, it says -1: for one, as a tree of folders is too deep for it.
        let Some(own) = found.size_rw.and_then(|size| u64::try_from(size).ok()) else {
            return Err(EngineError::Unexpected {
                operation: OPERATION.to_owned(),
                what: "it does not say".to_owned(),
            });
        };
        if own > bytes {
            return Ok(true);
        }
        let mounted = mounted(found);
        let mounted = tokio::task::spawn_blocking(move || size_of_all(&mounted, bytes)).await;
        Ok(own.saturating_add(mounted.unwrap_or(0)) > bytes)
    }

    /// Waits until a container has written more than this many bytes.
    ///
    /// # Errors
    /// When the engine cannot say for a while.
    pub(crate) async fn until_larger(&self, container: &str, bytes: u64) -> Result<(), EngineError> {
        let mut looks = Looks::default();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if looks.told(self.is_larger(container, bytes).await)? {
                return Ok(());
            }
        }
    }
}

/// How often the engine could not say in a row.
#[derive(Debug, Default)]
pub(super) struct Looks(u32);

impl Looks {
    /// What the engine said, or the last it said where it cannot say at this moment: nothing of note.
    ///
    /// # Errors
    /// When it could not say so many times in a row: what is not measured is not limited.
    pub(super) fn told(&mut self, said: Result<bool, EngineError>) -> Result<bool, EngineError> {
        match said {
            Ok(larger) => {
                self.0 = 0;
                Ok(larger)
            }
            Err(error) if error.is_final() || self.0 >= PATIENCE => Err(error),
            Err(_) => {
                self.0 += 1;
                Ok(false)
            }
        }
    }
}

/// What a container can write to outside of its own file system: places on the engine's machine, which is this one.
fn mounted(container: ContainerInspectResponse) -> Vec<PathBuf> {
    let files = [container.hosts_path, container.hostname_path, container.resolv_conf_path];
    let mounts = container.mounts.unwrap_or_default().into_iter().filter(|mount| mount.rw != Some(false));
    let sources = mounts.filter_map(|mount| mount.source);
    files.into_iter().flatten().chain(sources).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// How much space these take with all that is in them; `u64::MAX` where it is more than the limit. What may not be read is not counted.
fn size_of_all(places: &[PathBuf], limit: u64) -> u64 {
    let size_of = |place: &PathBuf| match fs::symlink_metadata(place) {
        Ok(data) if data.is_dir() => used(place, limit, ENTRY),
        Ok(data) => ENTRY.max(data.blocks().saturating_mul(BLOCK)),
        Err(_) => 0,
    };
    places.iter().map(size_of).fold(0, u64::saturating_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_never_says_is_told() {
        let silent = || Err(EngineError::Refused { operation: OPERATION.to_owned(), status: 500, message: "x".into() });
        let mut looks = Looks::default();
        for _ in 0..PATIENCE {
            assert!(!looks.told(silent()).unwrap());
        }
        assert!(!looks.told(Ok(false)).unwrap());
        for _ in 0..PATIENCE {
            assert!(!looks.told(silent()).unwrap());
        }
        assert!(looks.told(silent()).is_err());
        assert!(looks.told(Ok(true)).unwrap());
    }

    #[test]
    fn what_is_written_into_mounts_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (hosts, volume) = (folder.path().join("hosts"), folder.path().join("volume"));
        fs::write(&hosts, vec![1; 100_000]).unwrap();
        fs::create_dir_all(volume.join("deep/deeper")).unwrap();
        fs::write(volume.join("deep/deeper/large"), vec![1; 500_000]).unwrap();
        std::os::unix::fs::symlink("/", volume.join("deep/root")).unwrap();
        let size = size_of_all(&[hosts, volume], 1 << 30);
        assert!((600_000..800_000).contains(&size), "{size}");
    }

    #[test]
    fn files_without_content_count_and_what_is_not_there_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..100 {
            fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        assert!(size_of_all(&[folder.path().to_owned()], 1 << 30) >= 100 * ENTRY);
        assert_eq!(size_of_all(&[folder.path().join("none")], 1 << 30), 0);
    }
}
