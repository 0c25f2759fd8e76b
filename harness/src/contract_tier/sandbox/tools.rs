//! The program's own files that sandboxes are made with: copies, which no candidate shares with this machine or with another run.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::starter::Starter;
use super::user::HostUser;
use super::{SandboxError, seccomp};
use crate::engine::private::Toolbox;
use crate::outcome::with_causes;

/// The first bubblewrap that keeps a sandbox from making user namespaces; it also takes several filters.
const KEEPS_FROM_USERS: (u32, u32) = (0, 8);

/// What sandboxes are made with.
#[derive(Debug)]
pub(super) struct Tools {
    bubblewrap: PathBuf,
    /// The folder of the libraries that the machine lacks.
    libraries: PathBuf,
    /// This program, which is the stubs.
    pub program: PathBuf,
    /// The filters of system calls; one alone where bubblewrap takes no more.
    pub filters: Vec<PathBuf>,
    /// Whether a sandbox can be kept from making user namespaces.
    pub keeps_from_users: bool,
}

impl Tools {
    /// Finds bubblewrap, or unpacks it into the cache, and copies what is not the machine's own into a folder. `program` is where this
    /// program's copy is, or will be.
    ///
    /// # Errors
    /// When bubblewrap is not available, or a file cannot be copied.
    pub(super) async fn new(
        cache: &Path,
        offline: bool,
        folder: &Path,
        program: &Path,
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
        let bubblewrap = if found.starts_with(cache) {
            for library in toolbox.libraries().iter().flat_map(|folder| files(folder)) {
                let name = library.file_name().unwrap_or_default();
                fs::copy(&library, libraries.join(name)).map_err(SandboxError::io(&library))?;
            }
            copy(&found, &folder.join("bwrap")).map_err(SandboxError::io(&found))?
        } else {
            found
        };
        let program = program.to_owned();
        let mut tools = Self { bubblewrap, libraries, program, filters: Vec::new(), keeps_from_users: false };
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

    /// bubblewrap, with an environment that finds its libraries and is otherwise empty.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.bubblewrap);
        command.env_clear().env("LD_LIBRARY_PATH", &self.libraries);
        command
    }

    /// What starts bubblewrap as this user; this program's copy must be there.
    pub(super) fn starter(&self, user: HostUser) -> io::Result<Starter> {
        Starter::start(&self.program, &self.bubblewrap, &self.libraries, user)
    }

    /// Where bubblewrap is.
    pub(super) fn bubblewrap(&self) -> &Path {
        &self.bubblewrap
    }

    async fn version(&self) -> Option<(u32, u32)> {
        let output = self.command().arg("--version").output().await.ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().last()?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<PathBuf> {
    fs::copy(from, to)?;
    fs::set_permissions(to, Permissions::from_mode(0o555))?;
    Ok(to.to_owned())
}

/// Copies the program that is running, as far as it is needed to run it.
pub(super) fn copy_of_this_program(to: &Path) -> io::Result<()> {
    copy_loaded(&std::env::current_exe()?, to)
}

/// Copies that part of a program which the kernel loads: what tells a debugger of it is the larger part, and the folder is in memory.
fn copy_loaded(from: &Path, to: &Path) -> io::Result<()> {
    let mut program = File::open(from)?;
    let length = loaded(&program)?.unwrap_or(u64::MAX);
    io::copy(&mut (&mut program).take(length), &mut File::create_new(to)?)?;
    fs::set_permissions(to, Permissions::from_mode(0o555))
}

/// How much of a program is loaded, from its beginning on, in bytes; nothing where it is no program of 64 bits (`elf(5)`).
fn loaded(program: &File) -> io::Result<Option<u64>> {
    let mut head = [0; 64];
    program.read_exact_at(&mut head, 0)?;
    if !head.starts_with(b"\x7fELF\x02") {
        return Ok(None);
    }
    let long = |bytes: &[u8], at: usize| u64::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    let short = |at: usize| u16::from_ne_bytes([head[at], head[at + 1]]);
    let (segments, size, count) = (long(&head, 32), usize::from(short(54)), usize::from(short(56)));
    if size < 56 {
        return Ok(None);
    }
    let mut table = vec![0; size * count];
    program.read_exact_at(&mut table, segments)?;
    let ends = table.chunks_exact(size).map(|segment| long(segment, 8).saturating_add(long(segment, 32)));
    Ok(ends.chain([segments.saturating_add(table.len() as u64)]).max())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_runs_without_what_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        let copied = folder.path().join("program");
        copy_loaded(&own, &copied).unwrap();
        assert!(fs::metadata(&copied).unwrap().len() < fs::metadata(own).unwrap().len());
        assert!(Command::new(copied).arg("--list").output().unwrap().status.success());
    }

    #[test]
    fn what_is_no_program_is_copied_whole() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\n".repeat(20)).unwrap();
        let copied = folder.path().join("program");
        copy_loaded(&script, &copied).unwrap();
        assert_eq!(fs::read(script).unwrap(), fs::read(copied).unwrap());
    }
}
