//! Evidence: what a step through the engine brought back. Plain values, without any engine type.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::captured::Captured;
use crate::check::limit::Exceeded;

/// A finished build: the image, or the reason for which the build step itself failed.
#[derive(Debug, Clone)]
pub(crate) struct BuildEvidence {
    pub end: BuildEnd,
    /// The log, a line each, without line ends and without terminal escapes.
    pub log: Captured,
}

/// How a build ended. An engine that could not build for a reason of its own is an error, not evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BuildEnd {
    /// The image was built.
    Built { image: String },
    Failed {
        /// The command that returned non-zero, as the engine words it (`/bin/sh -c mod_wsgi-docker-build`); `None` when
        /// another kind of instruction failed (`COPY` of a missing file).
        command: Option<String>,
        exit_code: Option<i64>,
        /// The engine's own message.
        message: String,
    },
    /// It took more than it may, and was stopped.
    Exceeded(Exceeded),
    /// It was not begun: the engine would have fetched something from outside of the run. What, and for which line or trigger.
    Refused(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageEvidence {
    pub id: String,
    /// `ONBUILD` triggers, in order.
    pub triggers: Vec<String>,
    pub entry_point: Vec<String>,
    pub command: Vec<String>,
    /// Exposed ports such as `80/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    pub working_directory: String,
    pub user: String,
    pub environment: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// Where it has volumes (`VOLUME`).
    pub volumes: Vec<String>,
    /// How large its file system is; none where it was not looked at.
    pub size: Option<SizeEvidence>,
    /// Architecture such as `amd64`.
    pub architecture: String,
}

/// How large a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SizeEvidence {
    /// The bytes of its files.
    pub bytes: u64,
    /// Whether these are all; otherwise there are more.
    pub whole: bool,
}

/// What is at a path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileEvidence {
    Absent,
    /// A file, link or other leaf.
    File {
        mode: u32,
        owner: String,
        /// The content, at most [`MAX_FILE_CONTENT`] bytes of it.
        content: Vec<u8>,
        /// How many bytes it has.
        size: u64,
    },
    Directory {
        mode: u32,
        owner: String,
        /// Names of its direct entries, sorted.
        entries: Vec<String>,
        /// Whether these are all: of one that is too large only some are read.
        all: bool,
    },
}

/// How much of a file's content is read, in bytes.
pub(crate) const MAX_FILE_CONTENT: usize = 4 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandEvidence {
    pub end: CommandEnd,
    /// Standard output and standard error as they came.
    pub output: Captured,
}

impl CommandEvidence {
    /// That of a program that could not be started, with the exit code of a shell and what the engine says.
    pub(crate) fn not_started(exit_code: i64, message: String) -> Self {
        Self { end: CommandEnd::Exited(exit_code), output: vec![message].into() }
    }
}

/// What a command came to whose two outputs are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApartEvidence {
    /// How it ended, or what the engine says of a program that cannot be started.
    pub end: Result<CommandEnd, String>,
    /// Standard output as it came.
    pub output: Vec<u8>,
    /// Standard error as it came.
    pub error: Vec<u8>,
    /// The limit that cut them, if one did.
    pub cut: Option<Exceeded>,
}

/// What there is to read at a path, where links lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContentEvidence {
    File {
        /// At most [`MAX_FILE_CONTENT`] bytes.
        content: Vec<u8>,
        /// How many bytes it has.
        size: u64,
    },
    /// What is there instead, in words.
    NoFile(&'static str),
}

/// What is at a path itself, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryEvidence {
    pub kind: EntryKind,
    /// Permission bits, with those of set-user-ID, set-group-ID and sticky.
    pub mode: u32,
    pub user: u64,
    pub group: u64,
}

/// What an entry of a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    Link,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandEnd {
    /// With this exit code; that of a shell where the program is not there (127) or may not be executed (126).
    Exited(i64),
    /// It was still running after this time.
    TimedOut(Duration),
    /// It never ran: the container had ended before.
    ContainerEnded,
}

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpEvidence {
    pub status: u16,
    /// Header names in lower case, values in order.
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: Vec<u8>,
}

/// What came of asking a started container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProbeEvidence {
    Answered(HttpEvidence),
    /// The container ended before it answered.
    Died {
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
pub(crate) struct StopEvidence {
    pub exit_code: i64,
    /// How long it took.
    pub took: Duration,
    /// Whether it had to be killed because its time was over.
    pub killed: bool,
}

/// What came of waiting for a container that was to end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndEvidence {
    /// The exit code; none when it was still running after its time, and had to be killed.
    pub exit_code: Option<i64>,
    /// How long it was waited for.
    pub waited: Duration,
}

/// Something that a container changed in its file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub kind: ChangeKind,
    /// The absolute path in the container.
    pub path: String,
}

/// What was done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    /// It is not as it was.
    Changed,
    /// It was taken away.
    Removed,
}
