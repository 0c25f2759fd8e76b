//! Why nothing can be run in a sandbox.

use std::io;
use std::path::{Path, PathBuf};

use crate::contract_tier::requirements::NoPip;

/// Why nothing can be run in a sandbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    /// bubblewrap is not available.
    #[error("bubblewrap, which makes sandboxes, is not available: {why}")]
    NoBubblewrap { why: String },
    /// Namespaces are not permitted, or something else keeps bubblewrap from its work.
    #[error("cannot make a sandbox: {why}")]
    Refused { why: String },
    /// What a program in a sandbox may use cannot be limited.
    #[error("cannot limit a sandbox: root has neither writable control groups nor CAP_SYS_RESOURCE")]
    NoLimits,
    /// This program is the stubs.
    #[error("`{}` was replaced while it ran", program.display())]
    Replaced { program: PathBuf },
    /// What starts sandboxes does not do so any more.
    #[error(transparent)]
    NoStarter(io::Error),
    /// A file of the sandbox.
    #[error("{}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// It is not known which pip the stub stands for.
    #[error("the variant's lock: {0}")]
    NoPip(#[from] NoPip),
}

impl SandboxError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoBubblewrap { .. } => {
                "install bubblewrap (`apt-get install bubblewrap`), or use the image tier, which requires an engine"
            }
            Self::Refused { .. } => {
                "permit user namespaces (in a container: `--security-opt seccomp=unconfined`), or start an engine, which can \
                 run all sandboxes in one container"
            }
            Self::NoLimits => {
                "run it as an ordinary user, or permit one of both (in a container: `--cap-add SYS_RESOURCE`), or start an engine, \
                 which can run all sandboxes in one container"
            }
            Self::NoPip(_) => "the stub of pip follows the version that the lock pins: add it",
            Self::Replaced { .. } => "run it again, and do not build it meanwhile",
            Self::NoStarter(_) => {
                "run it again; something ended a process of this program, or the machine had too little for it"
            }
            Self::Io { .. } => "check the space and permissions of the cache folder; --cache names another one",
        }
    }

    /// What bubblewrap says when it makes no sandbox.
    pub(super) fn refused(log: &str) -> Self {
        Self::Refused { why: log.trim().trim_start_matches("bwrap: ").to_owned() }
    }

    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }
}
