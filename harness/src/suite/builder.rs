//! Builders: what turns a Dockerfile into an image.

use std::fmt;

/// What turns a Dockerfile into an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Builder {
    /// The engine's own, which builds instruction by instruction.
    #[default]
    Classic,
    /// `BuildKit`, whose Dockerfiles may have more.
    BuildKit,
}

impl Builder {
    pub(crate) const ALL: [Self; 2] = [Self::Classic, Self::BuildKit];

    /// Its name, as files and the command line write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::BuildKit => "buildkit",
        }
    }

    /// Whether it can build what only `BuildKit` knows.
    pub(crate) fn is_buildkit(self) -> bool {
        match self {
            Self::Classic => false,
            Self::BuildKit => true,
        }
    }
}

impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::USUAL_BUILDER;

    #[test]
    fn files_and_the_command_line_write_the_same_name() {
        for builder in Builder::ALL {
            assert_eq!(serde_json::to_value(builder).unwrap(), builder.name());
        }
        assert_eq!(Builder::default().name(), USUAL_BUILDER);
    }
}
