//! What can go wrong with an engine. None of it says anything about the candidate: the result is inconclusive.

use std::time::Duration;

use crate::check::captured::Captured;
use crate::outcome::with_causes;
use bollard::errors::Error;

/// What went wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// It does not answer, or stopped in the middle of an answer.
    #[error("the engine at {engine} stopped answering while {operation}: {cause}")]
    Unreachable {
        engine: String,
        /// What was being done.
        operation: String,
        /// What the connection said.
        cause: String,
    },
    /// The run's relay has ended, and with it whatever reached a container: the engine was started anew, or somebody removed it.
    #[error("the run's relay ended ({why}): the engine was restarted, or another program removed the container")]
    RelayLost { why: String },
    /// Nothing came through it for longer than what it carries may take.
    #[error("the run's relay was silent for a while: the engine, or the way to it, was held up")]
    RelayStalled,
    /// Its disk is full. That is measured: whoever says so may be a candidate.
    #[error("the engine's disk is full: {cause}")]
    NoSpace {
        /// What was measured, and what came of it.
        cause: String,
    },
    /// It says nothing any more.
    #[error("timed out after {} s waiting for the engine ({operation})", after.as_secs())]
    Idle {
        /// What was being done.
        operation: String,
        after: Duration,
    },
    #[error("the engine refused {operation}: {message} (status {status})")]
    Refused {
        /// What was being done.
        operation: String,
        /// The HTTP status code.
        status: u16,
        message: String,
    },
    /// It is not one that the suite can work with.
    #[error("this engine cannot be used: {what}")]
    Unsuitable { what: String },
    /// It did something that it should not.
    #[error("unexpected response of the engine while {operation}: {what}")]
    Unexpected {
        /// What was being done.
        operation: String,
        what: String,
    },
    /// A build ended for a reason that is not known to be the Dockerfile's.
    #[error("unexpected end of a build: {message}")]
    Unclear { message: String, log: Captured },
    /// Another run, or something else, has all the subnets.
    #[error("no free subnet for the run's network: {what}")]
    NoSubnet { what: String },
    /// No distribution is available.
    #[error("no {suite} distribution is available: {why}")]
    NoDistribution {
        /// The suite asked for.
        suite: String,
        why: String,
    },
    /// A file of the cache is not what was put there.
    #[error("{} was changed since it was made", path.display())]
    Altered { path: std::path::PathBuf },
    /// A file of the cache could not be read or written.
    #[error("{path}: {source}")]
    Cache { path: String, source: std::io::Error },
}

impl EngineError {
    /// The error that the journal cannot be read or written.
    pub(super) fn journal(source: std::io::Error) -> Self {
        Self::Cache { path: "the journal".to_owned(), source }
    }

    /// Sorts an error of the client's library. An engine repeats paths and names of any length.
    pub(super) fn of(engine: &str, operation: &str, error: Error) -> Self {
        let operation = operation.to_owned();
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                Self::Refused { operation, status: status_code, message: shortened(message) }
            }
            Error::DockerStreamError { error } => Self::Unexpected { operation, what: shortened(error) },
            Error::RequestTimeoutError => Self::Idle { operation, after: Duration::from_secs(super::ANSWER_SECONDS) },
            // The connection: refused, reset, or closed in the middle of an answer.
            Error::IOError { .. }
            | Error::HyperResponseError { .. }
            | Error::HyperLegacyError { .. }
            | Error::SocketNotFoundError(_) => {
                Self::Unreachable { engine: engine.to_owned(), operation, cause: with_causes(&error) }
            }
            Error::JsonSerdeError { ref err } if err.is_eof() || err.is_io() => {
                Self::Unreachable { engine: engine.to_owned(), operation, cause: with_causes(&error) }
            }
            other => Self::Unexpected { operation, what: with_causes(&other) },
        }
    }

    /// The same, with what is known to have gone wrong on the way to the engine.
    pub(super) fn because(self, trouble: Option<String>) -> Self {
        match (self, trouble) {
            (Self::Unreachable { engine, operation, cause }, Some(trouble)) => {
                Self::Unreachable { engine, operation, cause: format!("{cause} ({trouble})") }
            }
            (error, _) => error,
        }
    }

    /// Whether nothing further can succeed.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoSpace { .. } | Self::RelayLost { .. })
    }

    /// Whether the engine says that the thing is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the engine says that a path leads nowhere: through a file, or in circles. It hands on what the kernel says (`ENOTDIR`,
    /// `ELOOP`), after the path.
    pub(super) fn is_no_path(&self) -> bool {
        const WORDS: [&str; 2] = ["not a directory", "too many levels of symbolic links"];
        matches!(self, Self::Refused { message, .. } if WORDS.iter().any(|words| message.trim_end().ends_with(words)))
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } | Self::RelayLost { .. } => {
                "check whether it was stopped or killed (`wsgi-proof doctor` reports which engines answer), then run again"
            }
            Self::NoSpace { .. } => "free disk space, for example with `wsgi-proof prune --images`, then run again",
            Self::Idle { .. } | Self::RelayStalled => {
                "check whether the machine is overloaded or the engine hangs, then run again"
            }
            Self::Unsuitable { .. } => "name another engine with --engine or DOCKER_HOST",
            Self::NoSubnet { .. } => "remove networks of stale runs with `wsgi-proof prune`, then run again",
            Self::NoDistribution { .. } => {
                "the first run requires an engine that reaches a registry, or mmdebstrap and network access on this machine"
            }
            Self::Altered { .. } => "remove it, then run again, which makes it anew",
            Self::Refused { .. } | Self::Unexpected { .. } | Self::Unclear { .. } | Self::Cache { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// The beginning and the end of a message, which say what it is about and why.
fn shortened(message: String) -> String {
    /// How many characters of either are kept.
    const KEPT: usize = 500;
    let count = message.chars().count();
    if count <= 3 * KEPT {
        return message;
    }
    let begin: String = message.chars().take(KEPT).collect();
    let end: String = message.chars().skip(count - KEPT).collect();
    format!("{begin} [{} characters] {end}", count - 2 * KEPT)
}

/// The exit code that a shell gives for a program that the engine could not start at all: 127 when it is not there, 126
/// when it may not or cannot be executed. `None` when the trouble is another one.
pub(super) fn not_executable(message: &str) -> Option<i64> {
    // The engine's own files can be missing too; the runtime names the program that it was to execute.
    let (_, told) = message.split_once("exec: \"")?;
    // Its name can have any text in it; why it could not be is behind that.
    let cause = told.rsplit_once("\": ").map_or(told, |(_, cause)| cause);
    let not_there = ["executable file not found", "no such file or directory"];
    let not_allowed = ["permission denied", "exec format error", "is a directory"];
    if not_there.iter().any(|text| cause.contains(text)) {
        Some(127)
    } else if not_allowed.iter().any(|text| cause.contains(text)) {
        Some(126)
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn server(status_code: u16, message: &str) -> EngineError {
        EngineError::of(
            "unix:///e",
            "building",
            Error::DockerResponseServerError { status_code, message: message.into() },
        )
    }

    #[test]
    fn an_answer_is_not_a_lost_connection() {
        assert!(matches!(server(500, "oops"), EngineError::Refused { status: 500, .. }));
        assert!(server(404, "no such image").is_not_found());
        assert!(!server(500, "oops").is_final());
    }

    /// The engine repeats names that candidates have chosen.
    #[test]
    fn no_message_tells_of_a_full_disk() {
        for message in ["exec: \"no space left on device\": executable file not found", "x: no space left on device"] {
            assert!(matches!(server(500, message), EngineError::Refused { .. }), "{message}");
        }
    }

    #[test]
    fn an_answer_cut_short_is_unreachable_and_nonsense_is_not() {
        let of = |text: &str| {
            let error = serde_json::from_str::<u8>(text).unwrap_err();
            EngineError::of("unix:///e", "building", error.into())
        };
        assert!(matches!(of(""), EngineError::Unreachable { .. }));
        assert!(matches!(of("x"), EngineError::Unexpected { .. }));
        let gone = EngineError::of("unix:///e", "building", Error::SocketNotFoundError("/e".into()));
        assert!(gone.is_final() && gone.hint().is_some());
    }

    #[test]
    fn programs_that_cannot_be_started_have_a_shells_exit_codes() {
        let message = "OCI runtime create failed: exec: \"x\": executable file not found in $PATH: unknown";
        assert_eq!(not_executable(message), Some(127));
        assert_eq!(not_executable("exec: \"/app/x\": permission denied: unknown"), Some(126));
        assert_eq!(not_executable("exec /proc/self/exe: no such file or directory"), None);
        assert_eq!(not_executable("failed to mount cgroup"), None);
        // A program's name is no cause.
        assert_eq!(not_executable("exec: \"no such file or directory\": permission denied: unknown"), Some(126));
        assert_eq!(not_executable("exec: \"is a directory\": read-only file system: unknown"), None);
    }

    #[test]
    fn a_message_is_as_long_as_it_is_read() {
        let long = format!("unlinkat {}: too many open files", "d/".repeat(25_000));
        let EngineError::Refused { message, .. } = server(500, &long) else { unreachable!() };
        assert!(message.starts_with("unlinkat d/d/") && message.ends_with(": too many open files"), "{message}");
        assert!(message.contains("[49030 characters]") && message.len() < 1100, "{message}");
    }

    #[test]
    fn a_broken_connection_is_unreachable() {
        let reset = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset");
        let error = EngineError::of("unix:///e", "building", Error::IOError { err: reset });
        assert!(error.is_final());
        assert_eq!(error.to_string(), "the engine at unix:///e stopped answering while building: reset");
    }
}
