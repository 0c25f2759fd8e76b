//! What sandboxes are made with, beside this program: copies of what is not the machine's own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{SandboxError, program, seccomp};
use crate::engine::private::Toolbox;
use crate::outcome::with_causes;

/// The first bubblewrap that keeps a sandbox from making user namespaces; it also takes several filters.
const KEEPS_FROM_USERS: (u32, u32) = (0, 8);

/// bubblewrap, and what it needs.
#[derive(Debug)]
pub(super) struct Bubblewrap {
    pub program: PathBuf,
    /// The folder of the libraries that the machine lacks.
    pub libraries: PathBuf,
}

impl Bubblewrap {
    /// A call of it, with an environment that finds its libraries and is otherwise empty.
    pub(super) fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.env_clear().env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

/// What sandboxes are made with.
#[derive(Debug)]
pub(super) struct Tools {
    pub bubblewrap: Bubblewrap,
    /// The filters of system calls; one alone where bubblewrap takes no more.
    pub filters: Vec<PathBuf>,
    /// Whether a sandbox can be kept from making user namespaces.
    pub keeps_from_users: bool,
}

impl Tools {
    /// Finds bubblewrap, or unpacks it into the cache, and copies what is not the machine's own into a folder.
    ///
    /// # Errors
    /// When bubblewrap is not available, or a file cannot be copied.
    pub(super) async fn new(
        cache: &Path,
        offline: bool,
        folder: &Path,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, SandboxError> {
        let missing = |why: String| SandboxError::NoBubblewrap { why };
        let toolbox = Toolbox::of_sandbox(cache)
            .fill(&["bwrap"], offline, progress)
            .await
            .map_err(|error| missing(with_causes(&error)))?;
        let found = toolbox.program("bwrap").ok_or_else(|| missing("it is not in its package".to_owned()))?;
        let libraries = folder.join("lib");
        fs::create_dir(&libraries).map_err(SandboxError::io(&libraries))?;
        let program = if found.starts_with(cache) {
            for library in toolbox.libraries().iter().flat_map(|folder| files(folder)) {
                let name = library.file_name().unwrap_or_default();
                fs::copy(&library, libraries.join(name)).map_err(SandboxError::io(&library))?;
            }
            let copy = folder.join("bwrap");
            File::open(&found).and_then(|found| program::put(found, &copy)).map_err(SandboxError::io(&found))?;
            copy
        } else {
            found
        };
        let mut tools =
            Self { bubblewrap: Bubblewrap { program, libraries }, filters: Vec::new(), keeps_from_users: false };
        tools.keeps_from_users = tools.version().await.is_some_and(|version| version >= KEEPS_FROM_USERS);
        let made = [
            ("seccomp", seccomp::filter()),
            ("seccomp-missing", seccomp::missing()),
            ("seccomp-owners", seccomp::owners()),
        ];
        let count = if tools.keeps_from_users { made.len() } else { 1 };
        for (name, words) in made.into_iter().take(count) {
            let filter = folder.join(name);
            words.and_then(|words| fs::write(&filter, words)).map_err(SandboxError::io(&filter))?;
            tools.filters.push(filter);
        }
        Ok(tools)
    }

    /// bubblewrap, to be waited for in a task.
    pub(super) fn command(&self) -> Command {
        self.bubblewrap.command().into()
    }

    async fn version(&self) -> Option<(u32, u32)> {
        let output = self.command().arg("--version").output().await.ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().last()?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}
