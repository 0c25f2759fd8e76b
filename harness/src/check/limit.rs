//! Limits that were exceeded.

use std::fmt;
use std::time::Duration;

use crate::outcome::{At, Finding, Level, Outcome, Stage};

/// A limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// A build that was still running.
    BuildTime(Duration),
    /// A log that went on. The bytes that it may have.
    Log(usize),
    /// A file system that went on growing. The bytes that may be written.
    Disk(u64),
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuildTime(limit) => write!(f, "it was still running after {} s, and was stopped", limit.as_secs()),
            Self::Log(bytes) => write!(f, "its log is larger than {} MB; the rest was not read", bytes / 1_000_000),
            Self::Disk(bytes) => write!(f, "it wrote more than {} MB, and was stopped", bytes / 1_000_000),
        }
    }
}

impl Exceeded {
    /// The finding for it.
    pub fn finding(&self, what: &str, at: &At) -> Finding {
        let (check, expected) = match self {
            Self::BuildTime(limit) => {
                ("time", format!("the {what} to end within {} s (build-seconds)", limit.as_secs()))
            }
            Self::Disk(bytes) => {
                ("disk space", format!("the {what} to write at most {} MB (disk-megabytes)", bytes / 1_000_000))
            }
            Self::Log(bytes) => ("log size", format!("a log of at most {} MB (log-megabytes)", bytes / 1_000_000)),
        };
        Finding {
            check: format!("limit of the {what}'s {check}"),
            at: at.clone(),
            level: Level::Must,
            stage: Stage::Build,
            clauses: Vec::new(),
            outcome: Outcome::Broken { expected, got: self.to_string() },
        }
    }
}
