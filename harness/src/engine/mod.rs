//! The engine, behind one narrow API: build, inspect, instrument, create, start, log, exec, stop, remove, network.
//!
//! Nothing else in the program names bollard or testcontainers.

mod application;
mod build;
mod canary;
mod container;
mod digest;
mod discover;
mod distribution;
mod endpoint;
mod error;
mod file;
mod guard;
mod image;
mod made;
mod namespace;
mod network;
mod own_container;
mod pending;
pub(crate) mod private;
mod resources;
mod size;
mod start;
mod stream;

use std::fmt;
use std::sync::Arc;

use self::made::Made;
use self::pending::Pending;
use bollard::Docker;

pub(crate) use application::Application;
pub(crate) use build::{BuildRequest, commands_of};
pub(crate) use canary::canary_build;
pub(crate) use discover::discover;
pub(crate) use distribution::{Distribution, ensure_distribution};
pub(crate) use endpoint::{Endpoint, Origin};
pub(crate) use error::EngineError;
pub(crate) use guard::Guard;
pub(crate) use namespace::NetworkNamespace;
pub(crate) use network::Network;
pub(crate) use own_container::OwnProgram;
#[cfg(test)]
pub(crate) use resources::Kind;
pub(crate) use resources::Leftover;
pub(crate) use start::{Bind, Start};

/// The label that says of which run a container or network is.
pub(crate) const LABEL_RUN: &str = "wsgi-proof.run";
/// The label of a run's networks that names the file which the run holds locked for as long as it lives.
pub(crate) const LABEL_LOCK: &str = "wsgi-proof.lock";
/// The label of images that are kept on purpose, to be used again. Images made from one inherit it, and so do the
/// containers of a build: what carries it without [`LABEL_RUN`] is a build's, or was.
pub(crate) const LABEL_CACHE: &str = "wsgi-proof.cache";
/// The label that says what an image was made from.
pub(crate) const LABEL_KEY: &str = "wsgi-proof.key";

/// How long the engine may take to begin an answer, in seconds. An answer of a loaded engine can take long; one that never
/// comes must not hang the run.
const ANSWER_SECONDS: u64 = 300;

#[derive(Clone)]
pub(crate) struct Engine {
    docker: Docker,
    docker_host: String,
    data_root: String,
    description: Description,
    pending: Arc<Pending>,
    /// Without one, no image is taken for one that was made before.
    made: Option<Made>,
}

/// What an engine is.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    /// Its name and version, such as `Docker 20.10.24`.
    pub version: String,
    pub storage: String,
    /// Its architecture, such as `amd64`.
    pub architecture: String,
    /// Where it was found.
    pub origin: String,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}), {}", self.version, self.storage, self.architecture, self.origin)
    }
}

impl Engine {
    /// Connects to an engine and asks what it is.
    ///
    /// # Errors
    /// When it does not answer, or is not one for Linux containers.
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, EngineError> {
        let docker_host = endpoint.docker_host.clone();
        let of = |error| EngineError::of(&docker_host, "connecting", error);
        let docker = client(&docker_host).map_err(of)?.negotiate_version().await.map_err(of)?;
        let version = docker.version().await.map_err(of)?;
        let info = docker.info().await.map_err(of)?;
        let os = version.os.unwrap_or_default();
        if os != "linux" {
            return Err(EngineError::Unsuitable { what: format!("it runs {os} containers, not Linux ones") });
        }
        let name = match version.components.iter().flatten().next() {
            Some(component) if component.name.contains("Podman") => "Podman",
            _ => "Docker",
        };
        let description = Description {
            version: format!("{name} {}", version.version.unwrap_or_default()),
            storage: info.driver.unwrap_or_default(),
            architecture: version.arch.unwrap_or_default(),
            origin: endpoint.origin.to_string(),
        };
        Ok(Self {
            docker,
            docker_host,
            data_root: info.docker_root_dir.unwrap_or_default(),
            description,
            pending: Arc::default(),
            made: None,
        })
    }

    /// The same engine, whose images are recorded in this cache folder when they are made to be kept.
    pub(crate) fn recording(self, cache: &std::path::Path) -> Self {
        Self { made: Some(Made::of(cache)), ..self }
    }

    /// What the engine is, and where it was found.
    pub(crate) fn describe(&self) -> &Description {
        &self.description
    }

    /// Its socket, if it has one in this host's file system.
    pub(crate) fn socket(&self) -> Option<&std::path::Path> {
        self.docker_host.strip_prefix("unix://").map(std::path::Path::new)
    }

    /// Whether the engine still answers.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn ping(&self) -> Result<(), EngineError> {
        self.docker.ping().await.map(drop).map_err(|error| self.error("pinging it", error))
    }

    /// Whether nothing further can succeed after this error. An answer that ended early may have been the only one: where the
    /// engine still answers, others may fare better.
    pub(crate) async fn is_lost(&self, error: &EngineError) -> bool {
        match error {
            EngineError::Unreachable { .. } => self.ping().await.is_err(),
            error => error.is_final(),
        }
    }

    /// Evidence of a failure counts only when the engine is still there: one that is being stopped takes its containers
    /// along, and their ends look like the candidate's.
    async fn still_there(&self, operation: &str) -> Result<(), EngineError> {
        self.docker.ping().await.map(drop).map_err(|error| self.error(operation, error))
    }

    fn error(&self, operation: &str, error: bollard::errors::Error) -> EngineError {
        EngineError::of(&self.docker_host, operation, error)
    }
}

/// A client of the engine at this address. The library's own choice would take the transport of the environment's TLS
/// settings; what is not a socket or plain TCP is refused instead.
fn client(docker_host: &str) -> Result<Docker, bollard::errors::Error> {
    if docker_host.starts_with("unix://") {
        Docker::connect_with_unix(docker_host, ANSWER_SECONDS, bollard::API_DEFAULT_VERSION)
    } else if docker_host.starts_with("tcp://") || docker_host.starts_with("http://") {
        Docker::connect_with_http(docker_host, ANSWER_SECONDS, bollard::API_DEFAULT_VERSION)
    } else {
        Err(bollard::errors::Error::UnsupportedURISchemeError { uri: docker_host.to_owned() })
    }
}
