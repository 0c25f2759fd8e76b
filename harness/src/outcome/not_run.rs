//! Why something of a scenario was not done.

use std::fmt;

/// What was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotRun {
    /// The scenario does not apply, for this reason.
    NotApplicable(String),
    /// The step needs an image that cannot be built.
    ImageMissing { step: String, image: String },
    /// The step comes after one that was inconclusive.
    Inconclusive { step: String },
    /// The step needs the application's image, which was not built.
    NotBuilt { step: String },
    /// The container does not answer.
    NoAnswer {
        /// What was to be done with it.
        what: String,
    },
    /// The contract tier's sandbox knows users by number only.
    UserByName,
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotApplicable(reason) => f.write_str(reason),
            Self::ImageMissing { step, image } => write!(f, "{step}: the {image} does not exist"),
            Self::Inconclusive { step } => write!(f, "{step}: an earlier step was inconclusive"),
            Self::NotBuilt { step } => write!(f, "{step}: the image was not built"),
            Self::NoAnswer { what } => write!(f, "{what}: the container does not answer"),
            Self::UserByName => f.write_str("the start: its user has a name, and the sandbox supports numbers only"),
        }
    }
}

impl serde::Serialize for NotRun {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
