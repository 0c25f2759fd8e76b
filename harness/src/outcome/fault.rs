//! Faults: why a result is inconclusive.

/// Why a result is inconclusive.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Fault {
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}
