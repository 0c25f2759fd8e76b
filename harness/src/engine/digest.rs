//! Digests of large files that are kept in the cache folder, each in a file beside it: compared before the file is used.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn file_of(kept: &Path) -> PathBuf {
    let mut name = kept.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

/// Records the digest of a file that is about to be kept at a place.
pub(super) async fn record(made: &Path, kept: &Path) -> io::Result<()> {
    let digest = digest(made).await?;
    fs::write(file_of(kept), format!("{digest}\n"))
}

/// Whether a file is what was recorded. One without a record, of an earlier version of this program, is recorded now.
pub(super) async fn holds(kept: &Path) -> io::Result<bool> {
    match fs::read_to_string(file_of(kept)) {
        Ok(recorded) => Ok(recorded.trim() == digest(kept).await?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => record(kept, kept).await.map(|()| true),
        Err(error) => Err(error),
    }
}

async fn digest(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    let hash = move || {
        let mut hash = Sha256::new();
        io::copy(&mut File::open(path)?, &mut hash)?;
        Ok(hex::encode(hash.finalize()))
    };
    tokio::task::spawn_blocking(hash).await.map_err(io::Error::other)?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_was_changed_does_not_hold() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("bookworm.tar");
        fs::write(&kept, "as it was made").unwrap();
        record(&kept, &kept).await.unwrap();
        assert!(holds(&kept).await.unwrap());
        fs::write(&kept, "as somebody else made it").unwrap();
        assert!(!holds(&kept).await.unwrap());
    }

    #[tokio::test]
    async fn what_has_no_record_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("bookworm.tar");
        fs::write(&kept, "x").unwrap();
        assert!(holds(&kept).await.unwrap());
        fs::write(&kept, "y").unwrap();
        assert!(!holds(&kept).await.unwrap());
    }
}
