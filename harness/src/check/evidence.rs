//! Evidence: what a step through the engine brought back. Plain values, without any engine type.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::limit::Exceeded;

/// A finished build: the image, or the reason for which the build step itself failed.
#[derive(Debug, Clone)]
pub struct BuildEvidence {
    /// How it ended.
    pub end: BuildEnd,
    /// The whole log, a line each, without line ends and without terminal escapes.
    pub log: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// How a build ended. An engine that could not build for a reason of its own is an error, not evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEnd {
    /// The image was built.
    Built {
        /// The image's id.
        image: String,
    },
    /// An instruction failed.
    Failed {
        /// The command that returned non-zero, as the engine words it (`/bin/sh -c mod_wsgi-docker-build`); `None` when
        /// another kind of instruction failed (`COPY` of a missing file).
        command: Option<String>,
        /// Its exit code.
        exit_code: Option<i64>,
        /// The engine's own message.
        message: String,
    },
    /// It took more than it may, and was stopped.
    Exceeded(Exceeded),
}

/// An image's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageEvidence {
    /// The image's id.
    pub id: String,
    /// `ONBUILD` triggers, in order.
    pub triggers: Vec<String>,
    /// The entry point.
    pub entry_point: Vec<String>,
    /// The default command.
    pub command: Vec<String>,
    /// Exposed ports such as `80/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// The working directory.
    pub working_directory: String,
    /// The user.
    pub user: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Size in bytes.
    pub size: u64,
    /// Architecture such as `amd64`.
    pub architecture: String,
}

/// What is at a path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEvidence {
    /// Nothing.
    Absent,
    /// A file, link or other leaf.
    File {
        /// Permission bits.
        mode: u32,
        /// `uid:gid`.
        owner: String,
        /// The content, at most [`MAX_FILE_CONTENT`] bytes of it.
        content: Vec<u8>,
    },
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u32,
        /// `uid:gid`.
        owner: String,
        /// Names of its direct entries, sorted.
        entries: Vec<String>,
    },
}

/// How much of a file's content is read, in bytes.
pub const MAX_FILE_CONTENT: usize = 4 << 20;

/// A finished command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandEvidence {
    /// Its exit code.
    pub exit_code: i64,
    /// Standard output and standard error as they came.
    pub output: String,
}

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEvidence {
    /// Status code.
    pub status: u16,
    /// Header names in lower case, values in order.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came of asking a started container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeEvidence {
    /// It answered.
    Answered(HttpEvidence),
    /// The container ended before it answered.
    Died {
        /// Its exit code.
        exit_code: i64,
    },
    /// It did not answer in time, or broke the connection.
    Silent {
        /// How long it was asked.
        waited: Duration,
        /// The last fault seen.
        fault: String,
    },
}

/// What SIGTERM led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopEvidence {
    /// The exit code.
    pub exit_code: i64,
    /// How long it took.
    pub took: Duration,
    /// Whether it had to be killed because its time was over.
    pub killed: bool,
}

/// What came of waiting for a container that was to end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEvidence {
    /// The exit code; none when it was still running after its time, and had to be killed.
    pub exit_code: Option<i64>,
    /// How long it was waited for.
    pub waited: Duration,
}

/// Something that a container changed in its file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it did.
    pub kind: ChangeKind,
    /// The absolute path in the container.
    pub path: String,
}

/// What was done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was made.
    Added,
    /// It is not as it was.
    Changed,
    /// It was taken away.
    Removed,
}
