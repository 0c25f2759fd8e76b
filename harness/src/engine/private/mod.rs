//! The private engine: the distribution's own engine packages, unpacked into the cache folder and started from there, with
//! a data root, a socket and subnets of its own. Nothing is installed, and nothing of the system changed.

mod daemon;
mod packages;
pub(super) mod remains;
mod seccomp;
mod system;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(crate) use daemon::{start, stop};
pub(crate) use packages::Toolbox;
pub(super) use packages::{DISTRIBUTION_PROGRAMS, lock};

/// Why there is no private engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateError {
    #[error("no container engine found, and starting a private one requires root")]
    NotRoot,
    /// Not Debian or Ubuntu.
    #[error("no container engine found, and a private one requires Debian or Ubuntu (this is {system})")]
    OtherSystem {
        /// What the system calls itself.
        system: String,
    },
    /// The cache folder's path is too long.
    #[error("the path {} is too long for an engine's sockets", path.display())]
    PathTooLong { path: PathBuf },
    #[error("a private engine requires control groups, and none are mounted (neither cgroup nor cgroup2)")]
    NoCgroups,
    #[error("the engine's packages are not in the cache, and --offline forbids downloading them")]
    Offline,
    /// The packages could not be had.
    #[error("cannot download the engine's packages: {why}")]
    Packages {
        /// What the package manager said.
        why: String,
    },
    #[error("the private engine exited while it started; the end of its log ({}):\n{tail}", log.display())]
    Ended { log: PathBuf, tail: String },
    /// The daemon does not answer.
    #[error("the private engine does not answer: {why}; the end of its log ({}):\n{tail}", log.display())]
    Silent {
        /// What the connection said.
        why: String,
        log: PathBuf,
        tail: String,
    },
    /// Somebody else can have changed an unpacked program.
    #[error("the unpacked programs cannot be trusted")]
    Planted { source: crate::host::trust::Distrust },
    /// An unpacked program is not the one that was unpacked.
    #[error("the unpacked programs are not used")]
    Changed { source: crate::host::unpacked::NotAsUnpacked },
    /// A file or a process.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it could not be.
        source: std::io::Error,
    },
}

impl PrivateError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotRoot => "start a Docker or Podman engine, name one with --engine, or run as root",
            Self::OtherSystem { .. } => "start a Docker or Podman engine, or name one with --engine",
            Self::PathTooLong { .. } => "name a cache folder with a shorter path (--cache)",
            Self::NoCgroups => {
                "mount them (`mount -t cgroup2 cgroup2 /sys/fs/cgroup`), or name an engine with --engine"
            }
            Self::Offline => "run once without --offline",
            Self::Packages { .. } => {
                "check the network and the package sources (`apt-get update`), or name an engine with --engine"
            }
            Self::Ended { .. } => "the log names the cause; a container without privileges cannot run an engine",
            Self::Silent { .. } => "`wsgi-proof engine stop` stops it",
            Self::Planted { .. } | Self::Changed { .. } => "remove them, then run again, which unpacks them anew",
            Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// How the private engine stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// Its packages are not in the cache.
    NotUnpacked,
    /// It is not running.
    Stopped,
    Running {
        pid: i32,
        /// Its address, as `DOCKER_HOST` takes it.
        docker_host: String,
        since: SystemTime,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnpacked => f.write_str("not unpacked, not running"),
            Self::Stopped => f.write_str("unpacked, not running"),
            Self::Running { pid, docker_host, since } => {
                let minutes = since.elapsed().unwrap_or_default().as_secs() / 60;
                write!(f, "running for {minutes} min as process {pid}, DOCKER_HOST={docker_host}")
            }
        }
    }
}

/// How the private engine of this cache folder stands.
pub(crate) fn status(cache: &Path) -> Status {
    let cache = &std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
    if let Some(pid) = daemon::running(cache) {
        let since = daemon::since(cache).unwrap_or_else(SystemTime::now);
        return Status::Running { pid, docker_host: docker_host(cache), since };
    }
    if Toolbox::of(cache).is_unpacked() { Status::Stopped } else { Status::NotUnpacked }
}

/// Whether a private engine could be started here, and how; otherwise why not.
///
/// # Errors
/// When it could not.
pub(crate) fn possible(cache: &Path) -> Result<String, PrivateError> {
    let cache = &daemon::absolute(cache)?;
    daemon::check(cache)?;
    if Toolbox::of(cache).has_engine() {
        return Ok("its programs are unpacked".to_owned());
    }
    system::system()?;
    Ok("its packages would be downloaded with apt and unpacked into the cache".to_owned())
}

/// The private engine's folder.
fn folder(cache: &Path) -> PathBuf {
    cache.join("engine")
}

/// The private engine's socket.
pub(super) fn socket(cache: &Path) -> PathBuf {
    folder(cache).join("docker.sock")
}

fn docker_host(cache: &Path) -> String {
    format!("unix://{}", socket(cache).display())
}
