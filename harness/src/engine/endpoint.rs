//! Where an engine is reached, and why this one.

use std::fmt;
use std::path::{Path, PathBuf};

use super::transport::{Address, Place, TransportError, Way};

/// An engine that can be asked, as long as this or a clone of it exists.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// Where it was found.
    pub origin: Origin,
    pub(super) way: Way,
}

impl Endpoint {
    /// Opens the way to an engine, with its socket at this place if it needs one.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn reach(address: Address, origin: Origin, place: Option<Place>) -> Result<Self, TransportError> {
        let way = Way::open(&address, place).await?;
        Ok(Self { address, origin, way })
    }

    /// An engine of this machine.
    pub(super) fn of_socket(socket: PathBuf, origin: Origin) -> Self {
        let way = Way::of_socket(&socket);
        Self { address: Address::Socket(socket), origin, way }
    }

    /// The socket of this machine at which it is asked, in the form of `DOCKER_HOST`.
    pub(crate) fn docker_host(&self) -> &str {
        &self.way.docker_host
    }

    /// Where it can be asked by other programs: nothing for a way that ends with this process.
    pub(crate) fn lasting(&self) -> Option<&Path> {
        match &self.address {
            Address::Socket(path) => Some(path),
            Address::Tcp(_) | Address::Ssh(_) => None,
        }
    }

    /// Removes what the way has on this machine. It is of no use any more.
    pub(crate) fn close(&self) {
        self.way.close();
    }
}

/// Where an engine was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// The option `--engine`.
    Option,
    /// The environment variable `DOCKER_HOST`.
    Variable,
    /// A context of the docker client.
    Context(String),
    /// Podman's environment variable `CONTAINER_HOST`.
    Podman,
    /// A socket in a usual place.
    Socket(PathBuf),
    Private,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("named by --engine"),
            Self::Variable => f.write_str("named by DOCKER_HOST"),
            Self::Context(name) => write!(f, "the docker context `{name}`"),
            Self::Podman => f.write_str("named by CONTAINER_HOST"),
            Self::Socket(path) => write!(f, "found at {}", path.display()),
            Self::Private => f.write_str("the private engine"),
        }
    }
}
