//! The engine, behind one narrow API: build, inspect, instrument, create, start, log, exec, stop, remove, network.
//!
//! Nothing else in the program names bollard or testcontainers.

mod apart;
mod application;
mod archive;
mod attended;
mod build;
mod canary;
mod container;
mod digest;
mod discover;
mod distribution;
mod endpoint;
mod error;
mod exported;
mod file;
mod foundation;
mod gate;
mod got_to;
mod guard;
mod handover;
mod image;
mod mark;
mod network;
mod own_container;
mod packed;
mod pending;
pub(crate) mod private;
mod relay;
mod resources;
mod room;
mod saved;
mod size;
mod start;
mod stream;
mod sweep;
mod transport;
mod trial;
mod volume;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::pending::Pending;
use self::room::Room;
use self::transport::{Address, Way};
use crate::host::journal::Journal;
use crate::outcome::RunId;
use bollard::Docker;
use bollard::models::SystemInfoCgroupVersionEnum;

pub(crate) use apart::Invocation;
pub(crate) use application::Application;
pub(crate) use attended::Attended;
pub(crate) use build::{BuildRequest, Fate, named_containers};
pub(crate) use canary::canary_build;
pub(crate) use discover::{Discovery, discover};
pub(crate) use distribution::{Distribution, ensure_distribution};
pub(crate) use endpoint::{Endpoint, Origin};
pub(crate) use error::EngineError;
#[cfg(test)]
pub(crate) use guard::Stay;
pub(crate) use guard::{Clients, Guard};
pub(crate) use handover::Handover;
pub(crate) use mark::Mark;
pub(crate) use network::Network;
pub(crate) use own_container::OwnProgram;
pub(crate) use relay::Relay;

pub(crate) use saved::{Identity, SavedImages, names_something};
pub(crate) use start::Start;
pub(crate) use transport::TransportError;
pub(crate) use trial::{Capability, State};
pub(crate) use volume::{Mounted, Volume};

/// The label that names the run whose image this is. It is on no image that is kept, so what inherits it is the run's as well.
pub(crate) const LABEL_RUN: &str = "wsgi-proof.run";
/// The label with the secret of the cache folder: on the unnamed images that kept ones are built on, and with another value on those.
pub(crate) const LABEL_OWNER: &str = "wsgi-proof.owner";
/// The label that says what an image was made from.
pub(crate) const LABEL_KEY: &str = "wsgi-proof.key";

/// For how long a full disk explains what the engine could not do.
const LATELY: Duration = Duration::from_secs(10);

/// How long the engine may take to begin an answer, in seconds. An answer of a loaded engine can take long; one that never
/// comes must not hang the run.
const ANSWER_SECONDS: u64 = 300;

#[derive(Clone)]
pub(crate) struct Engine {
    docker: Docker,
    /// The socket at which it is asked.
    docker_host: String,
    /// Where it is.
    address: Address,
    /// What leads from the socket to it.
    way: Way,
    data_root: String,
    description: Description,
    pending: Arc<Pending>,
    room: Arc<Room>,
    /// The engine's own id.
    id: String,
    /// What the runs of a cache folder have made on it. Without one nothing is known to be ours.
    journal: Option<Journal>,
    /// Held while what builds begin with is made, so that steps which run at the same time make it once.
    founding: Arc<tokio::sync::Mutex<()>>,
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
    /// The limits that it takes and does not enforce, by their names as `--limit` has them.
    pub unenforced: Vec<&'static str>,
    /// The version of control groups that it has, where it says.
    pub control_groups: Option<u8>,
    pub rootless: bool,
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
        let Endpoint { address, origin, way } = endpoint.clone();
        let docker_host = way.docker_host.clone();
        let of = |error| EngineError::of(&address.to_string(), "connecting", error).because(way.trouble());
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
            origin: match address {
                Address::Socket(_) => origin.to_string(),
                Address::Tcp(_) | Address::Ssh(_) => format!("{origin}, {address}"),
            },
            // As it says itself: it takes such a limit all the same, and drops it.
            unenforced: [("memory-megabytes", info.memory_limit), ("processes", info.pids_limit)]
                .into_iter()
                .filter(|(_, enforced)| *enforced == Some(false))
                .map(|(name, _)| name)
                .collect(),
            control_groups: match info.cgroup_version {
                Some(SystemInfoCgroupVersionEnum::_1) => Some(1),
                Some(SystemInfoCgroupVersionEnum::_2) => Some(2),
                _ => None,
            },
            rootless: info.security_options.iter().flatten().any(|option| option.contains("rootless")),
        };
        Ok(Self {
            docker,
            docker_host,
            address,
            way,
            data_root: info.docker_root_dir.unwrap_or_default(),
            description,
            pending: Arc::default(),
            room: Arc::default(),
            id: info.id.unwrap_or_default(),
            journal: None,
            founding: Arc::default(),
        })
    }

    /// The same engine, with the journal of a cache folder.
    ///
    /// # Errors
    /// When the journal cannot be opened.
    pub(crate) fn with_journal(self, cache: &std::path::Path) -> Result<Self, EngineError> {
        let failed = |source| EngineError::Cache { path: cache.display().to_string(), source };
        let journal = Journal::open(cache, &self.id).map_err(failed)?;
        Ok(Self { journal: Some(journal), ..self })
    }

    /// The same engine, as this run has it: what is made there from now on is written down as the run's.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) fn of_run(self, run: &RunId) -> Result<Self, EngineError> {
        let journal = self.journal()?.begin(run).map_err(EngineError::journal)?;
        // The folder of this name on this machine is another one.
        let elsewhere = self.address.may_be_elsewhere();
        let room = if elsewhere { Arc::default() } else { Room::watch(std::path::Path::new(&self.data_root)) };
        Ok(Self { journal: Some(journal), room, ..self })
    }

    fn journal(&self) -> Result<&Journal, EngineError> {
        self.journal.as_ref().ok_or_else(|| EngineError::Unexpected {
            operation: "writing down what is made".to_owned(),
            what: "internal error: there is no journal".to_owned(),
        })
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

    /// The error that an output ended before it was whole.
    fn broke_off(&self, operation: &str) -> EngineError {
        EngineError::Unreachable {
            engine: self.address.to_string(),
            operation: operation.to_owned(),
            cause: "its output broke off".to_owned(),
        }
        .because(self.way.trouble())
    }

    fn error(&self, operation: &str, error: bollard::errors::Error) -> EngineError {
        let error = EngineError::of(&self.address.to_string(), operation, error).because(self.way.trouble());
        // An engine without room fails in many ways.
        let may_be = matches!(error, EngineError::Refused { status: 500.., .. } | EngineError::Unexpected { .. });
        let since = may_be.then(|| Instant::now().checked_sub(LATELY)).flatten();
        since.and_then(|since| self.room.full_since(since, &error.to_string())).unwrap_or(error)
    }
}

/// A client of the engine that is asked at this socket.
fn client(docker_host: &str) -> Result<Docker, bollard::errors::Error> {
    Docker::connect_with_unix(docker_host, ANSWER_SECONDS, bollard::API_DEFAULT_VERSION)
}
