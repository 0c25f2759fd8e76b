//! How large an image's file system is. What engines say of an image's size means other things on other stores: with or without what
//! later layers remove, or packed.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::archive::{CHUNKS, Chunks, Ending, end_of};
use super::{Engine, EngineError};
use crate::check::evidence::SizeEvidence;
use crate::outcome::RunId;

/// What is being done.
const OPERATION: &str = "exporting an image's file system";

impl Engine {
    /// How large the file system of an image is: the bytes of all its files, each counted once, as the engine exports them. It is
    /// counted up to `enough`.
    ///
    /// # Errors
    /// When the engine cannot export it.
    pub(crate) async fn file_system_size(
        &self,
        image: &str,
        enough: u64,
        run: &RunId,
    ) -> Result<SizeEvidence, EngineError> {
        let container = self.create_at_rest(image, "size", run).await?;
        let result = self.exported(&container, enough).await;
        let removed = self.remove_container(&container).await;
        result.and_then(|size| removed.map(|()| size))
    }

    async fn exported(&self, container: &str, enough: u64) -> Result<SizeEvidence, EngineError> {
        let unexpected =
            |error: io::Error| EngineError::Unexpected { operation: OPERATION.to_owned(), what: error.to_string() };
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let count = tokio::task::spawn_blocking(move || count(Chunks { receiver, current: Bytes::new() }, enough));
        let mut stream = std::pin::pin!(self.docker.export_container(container));
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.error(OPERATION, error))?;
            // The reader has seen enough.
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
        drop(sender);
        count.await.map_err(io::Error::other).flatten().map_err(unexpected)
    }
}

/// The bytes of the files in an archive, up to so many. A file that is larger is not read to its end: it may have nothing but holes.
fn count(archive: impl Read, enough: u64) -> io::Result<SizeEvidence> {
    let (mut bytes, mut end) = (0_u64, 0);
    let mut archive = tar::Archive::new(Ending::of(archive));
    for entry in archive.entries()? {
        let entry = entry?;
        end = end_of(&entry)?;
        if entry.header().entry_type().is_file() {
            bytes = bytes.saturating_add(entry.size());
        }
        if bytes > enough {
            return Ok(SizeEvidence { bytes, whole: false });
        }
    }
    archive.into_inner().finish(end)?;
    Ok(SizeEvidence { bytes, whole: true })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn archive(files: &[(tar::EntryType, u64)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (number, (kind, size)) in files.iter().enumerate() {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_size(*size);
            archive.append_data(&mut header, number.to_string(), io::repeat(0).take(*size)).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn files_count_and_what_has_no_content_of_its_own_does_not() {
        let files = [(tar::EntryType::Regular, 1000), (tar::EntryType::Directory, 0), (tar::EntryType::Regular, 24)];
        assert_eq!(count(&archive(&files)[..], 5000).unwrap(), SizeEvidence { bytes: 1024, whole: true });
        assert_eq!(count(&archive(&files)[..], 999).unwrap(), SizeEvidence { bytes: 1000, whole: false });
    }

    #[test]
    fn an_archive_that_breaks_off_is_no_small_one() {
        let whole = archive(&[(tar::EntryType::Regular, 10_000), (tar::EntryType::Regular, 10_000)]);
        assert!(count(&whole[..8000], 50_000).is_err());
        // Between two entries, and within the end.
        for at in [512 + 10_240, whole.len() - 1024, whole.len() - 512] {
            assert!(count(&whole[..at], 50_000).is_err(), "{at}");
        }
        assert!(count(&b""[..], 50_000).is_err());
    }
}
