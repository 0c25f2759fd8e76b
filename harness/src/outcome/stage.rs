//! The stages of a scenario.

/// A stage of a scenario, for progress and timings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// The application image is being built.
    Build,
    /// Configuration, files and commands of the image are being inspected.
    Examine,
    /// The container is starting and being asked.
    Probe,
    /// The container is being stopped.
    Stop,
}

impl Stage {
    /// The word that progress shows.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Build => "building",
            Self::Examine => "inspecting",
            Self::Probe => "probing",
            Self::Stop => "stopping",
        }
    }
}
