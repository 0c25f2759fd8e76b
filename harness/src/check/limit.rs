//! Limits that were exceeded.

use std::fmt;
use std::time::Duration;

use super::scope::Scope;
use super::text::printable;
use crate::beneath::{MAX_DEPTH, MAX_ENTRIES};
use crate::outcome::{At, CheckId, Finding, Level};

/// A limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
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
            Self::Log(bytes) => {
                write!(f, "its output is larger than {} MB; what the rest lacks cannot be known", bytes / 1_000_000)
            }
            Self::Disk(bytes) => write!(f, "it wrote more than {} MB, and was stopped", bytes / 1_000_000),
        }
    }
}

impl Exceeded {
    /// The finding for it; `what` was stopped, or read no further. Of what was written it is as binding as a MUST, whatever the scenario
    /// covers: what else was found says nothing of what was not seen. That something does not end has been seen.
    pub(crate) fn finding(&self, scope: &Scope, what: &str, at: &At) -> Finding {
        let (id, expected) = match self {
            Self::BuildTime(limit) => {
                (CheckId::LimitTime, format!("the {what} to end within {} s (build-seconds)", limit.as_secs()))
            }
            Self::Disk(bytes) => (
                CheckId::LimitDiskSpace,
                format!("the {what} to write at most {} MB (disk-megabytes)", bytes / 1_000_000),
            ),
            Self::Log(bytes) => {
                (CheckId::LimitLogSize, format!("a log of at most {} MB (log-megabytes)", bytes / 1_000_000))
            }
        };
        let finding = scope.holds(id, what, at, || Some((expected, self.to_string())));
        match self {
            Self::BuildTime(_) => finding,
            Self::Disk(_) | Self::Log(_) => Finding { level: Level::Must, ..finding },
        }
    }
}

/// The finding for more files than are read; `what` left them, in this folder.
pub(crate) fn left(scope: &Scope, what: &str, folder: &str, left: &dyn fmt::Display, at: &At) -> Finding {
    let finding = scope.holds(CheckId::LimitFiles, what, at, || {
        let expected = format!(
            "the {what} to leave files in {folder} that can be read: {MAX_DEPTH} levels, {MAX_ENTRIES} entries"
        );
        Some((expected, printable(&format!("it left {left} in {folder}"))))
    });
    Finding { level: Level::Must, ..finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::at;
    use crate::suite::contract::Contract;
    use crate::suite::contract::tests::clause;
    use crate::suite::dialect::Dialect;

    /// A scenario that covers SHOULDs alone is no excuse.
    #[test]
    fn a_limit_of_what_is_written_is_as_binding_as_a_must() {
        let clause = clause("BUILD-1", Level::Should, &[]);
        let scope = Scope::new(Some(&Contract::sample(vec![clause.clone()])), &[clause.id], Dialect::Docker);
        let finding = Exceeded::Log(16_000_000).finding(&scope, "build", &at(1));
        assert_eq!((finding.level, finding.clauses), (Level::Must, vec![clause.id]));
        let endless = Exceeded::BuildTime(Duration::from_secs(60)).finding(&scope, "build", &at(1));
        assert_eq!((endless.level, endless.clauses), (Level::Should, vec![clause.id]));
    }
}
