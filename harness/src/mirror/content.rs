//! What is served: in memory where the server has made it, and otherwise in a file, of which no more is in memory than is on its way.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use axum::body::Body;
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

/// How much of a file is read at a time, in bytes.
const PIECE: usize = 1 << 16;

/// Content of a known length.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    File { file: File, length: u64 },
}

impl Content {
    /// That of a file.
    ///
    /// # Errors
    /// When the file cannot say its length.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::File { file, length })
    }

    /// In bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// So many bytes of it, from this one on; both are within it.
    ///
    /// # Errors
    /// When the file cannot be read there.
    pub(super) fn part(self, first: u64, length: u64) -> io::Result<Body> {
        match self {
            Self::Memory(bytes) => {
                let (first, length) = (usize::try_from(first), usize::try_from(length));
                let (first, length) = (first.map_err(io::Error::other)?, length.map_err(io::Error::other)?);
                Ok(Body::from(bytes.slice(first..first + length)))
            }
            Self::File { mut file, .. } => {
                file.seek(SeekFrom::Start(first))?;
                let rest = tokio::fs::File::from_std(file).take(length);
                Ok(Body::from_stream(ReaderStream::with_capacity(rest, PIECE)))
            }
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Memory(text.into())
    }
}
