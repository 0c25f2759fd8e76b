//! What the engine packs of a path in a container, read as it comes.

use std::io::{self, Read};

use bollard::query_parameters::{DownloadFromContainerOptions, InspectContainerOptions};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{Engine, EngineError};
use crate::beneath::Bound;

/// How much an archive may have, in bytes: the engine packs holes of files, too.
const MAX_ARCHIVE: u64 = 2 << 30;
/// How many pieces of an archive wait to be read.
pub(super) const CHUNKS: usize = 4;
/// An archive consists of blocks, of so many bytes, and two of zeros are its end.
const BLOCK: u64 = 512;
const END: u64 = 2 * BLOCK;

impl Engine {
    /// Has this read what the engine packs of a path: the path itself first, then all that is below. It is kept nowhere, and whoever has
    /// read enough of it stops. `None` where nothing is at the path; a bound where there is more than is read.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(super) async fn read_archive<T: Send + 'static>(
        &self,
        container: &str,
        path: &str,
        operation: &str,
        read: impl FnOnce(Chunks) -> T + Send + 'static,
    ) -> Result<Option<Result<T, Bound>>, EngineError> {
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let mut stream = std::pin::pin!(self.docker.download_from_container(container, Some(options)));
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let reading = tokio::task::spawn_blocking(move || read(Chunks { receiver, current: Bytes::new() }));
        let mut size = 0;
        while let Some(chunk) = stream.next().await {
            match chunk.map_err(|error| self.error(operation, error)) {
                Ok(chunk) => {
                    size += chunk.len() as u64;
                    if size > MAX_ARCHIVE {
                        return Ok(Some(Err(Bound::Heavy { most: MAX_ARCHIVE })));
                    }
                    // The reader has seen enough.
                    if sender.send(chunk).await.is_err() {
                        break;
                    }
                }
                Err(error) if error.is_not_found() || error.is_no_path() => {
                    // Of a container that has gone it is said in the same way.
                    let container = self.docker.inspect_container(container, None::<InspectContainerOptions>).await;
                    container.map_err(|error| self.error(operation, error))?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        drop(sender);
        let unexpected = |error: tokio::task::JoinError| EngineError::Unexpected {
            operation: operation.to_owned(),
            what: error.to_string(),
        };
        reading.await.map(|read| Some(Ok(read))).map_err(unexpected)
    }
}

/// What comes from the engine, as something to read.
pub(super) struct Chunks {
    pub(super) receiver: mpsc::Receiver<Bytes>,
    pub(super) current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let size = buffer.len().min(self.current.len());
        buffer[..size].copy_from_slice(&self.current.split_to(size));
        Ok(size)
    }
}

/// An archive that is read, which remembers how much that was.
pub(super) struct Ending<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Ending<R> {
    pub(super) fn of(inner: R) -> Self {
        Self { inner, read: 0 }
    }

    /// Reads what is left of it. One that breaks off between two entries lacks the blocks of its end.
    ///
    /// # Errors
    /// When it breaks off after the last of its entries, which ends at this place.
    pub(super) fn finish(mut self, entries: u64) -> io::Result<()> {
        io::copy(&mut self, &mut io::sink())?;
        if self.read < entries + END { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.read += size as u64;
        Ok(size)
    }
}

/// Where an entry of an archive ends.
pub(super) fn end_of<R: Read>(entry: &tar::Entry<'_, R>) -> io::Result<u64> {
    Ok(entry.raw_file_position() + entry.header().entry_size()?.next_multiple_of(BLOCK))
}
