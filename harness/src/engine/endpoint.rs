//! Where an engine is reached, and why this one.

use std::fmt;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// In the form of `DOCKER_HOST`, such as `unix:///var/run/docker.sock`.
    pub docker_host: String,
    /// Where it was found.
    pub origin: Origin,
}

/// Where an engine was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// The environment variable `DOCKER_HOST`.
    Variable,
    /// The docker client's current context.
    Context(String),
    /// A socket in a usual place.
    Socket(PathBuf),
    Private,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str("named by DOCKER_HOST"),
            Self::Context(name) => write!(f, "the docker context `{name}`"),
            Self::Socket(path) => write!(f, "found at {}", path.display()),
            Self::Private => f.write_str("the private engine"),
        }
    }
}
