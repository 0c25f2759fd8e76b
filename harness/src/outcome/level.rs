//! How binding something is.

use serde::Deserialize;

/// How binding a clause is (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Level {
    /// It has to be kept.
    Must,
    /// It is to be kept unless there is a good reason.
    Should,
}

impl Level {
    /// The less binding of the two.
    pub(crate) fn weaker(self, other: Self) -> Self {
        match (self, other) {
            (Self::Must, Self::Must) => Self::Must,
            _ => Self::Should,
        }
    }

    /// The word of RFC 2119.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        }
    }
}
