//! Why the suite could not tell.

/// Why the suite could not tell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}
