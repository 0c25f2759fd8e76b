//! Why pip ends without having installed anything.

/// What pip refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    /// What pip ends with: 1 for what it tells as an error, 2 for an exception that nobody caught.
    pub exit_code: i32,
    pub message: String,
    /// Whether it is only that there is more than this program reads.
    pub beyond: bool,
}

impl Refused {
    /// An error that pip tells.
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self { exit_code: 1, message: message.into(), beyond: false }
    }

    /// An exception that nobody caught.
    pub(super) fn exception(message: impl Into<String>) -> Self {
        Self { exit_code: 2, message: format!("Exception: {}", message.into()), beyond: false }
    }

    /// More than is read, with what pip says of it once its stack or the memory is full.
    pub(super) fn beyond(message: impl Into<String>) -> Self {
        Self { beyond: true, ..Self::exception(message) }
    }
}
