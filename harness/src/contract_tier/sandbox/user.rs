//! As whom the programs of sandboxes run on this machine: never as root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use procfs::process::Process;
use rustix::fs::{AtFlags, Gid, Uid};
use rustix::process::geteuid;

/// Ids that systemd keeps for services without a user of their own (`DynamicUser=`); no account has one.
const IDS: std::ops::RangeInclusive<u32> = 61_184..=65_519;

/// The number of the capability to set what another user's process may use (`capabilities(7)`).
const CAP_SYS_RESOURCE: u32 = 24;

/// Who the programs of sandboxes are outside of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostUser {
    /// Who runs this program.
    Same,
    /// A user that nobody else is, since this program runs as root.
    Dedicated(u32),
}

impl HostUser {
    /// The one for sandboxes of this process. Root of a user namespace without such users is an ordinary user outside of it.
    pub(super) fn of_process() -> Self {
        let width = IDS.end() - IDS.start() + 1;
        let id = IDS.start() + std::process::id() % width;
        let is_there = ["/proc/self/uid_map", "/proc/self/gid_map"]
            .iter()
            .all(|map| fs::read_to_string(map).is_ok_and(|map| has(&map, id)));
        if geteuid().is_root() && is_there { Self::Dedicated(id) } else { Self::Same }
    }

    /// The user id that files of sandboxes have on this machine.
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::Same => geteuid().as_raw(),
            Self::Dedicated(id) => id,
        }
    }

    /// Whether this program may set what a process of this user may use (`prlimit(2)`).
    pub(super) fn can_be_limited(self) -> bool {
        let own = || Process::myself().and_then(|own| own.status());
        self == Self::Same || own().is_ok_and(|status| status.capeff & (1 << CAP_SYS_RESOURCE) != 0)
    }

    /// Whether this user can start a program where it is, as far as modes say.
    pub(super) fn reaches(self, program: &Path) -> bool {
        let permits = |path: &Path, mode: u32| fs::metadata(path).is_ok_and(|data| data.mode() & mode == mode);
        self == Self::Same
            || (permits(program, 0o005) && program.ancestors().skip(1).all(|folder| permits(folder, 0o001)))
    }

    /// Gives this user a file, and does not follow it.
    ///
    /// # Errors
    /// When its owner cannot be changed.
    pub(super) fn give(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::Dedicated(id) => lchown(path, Some(id), Some(id)),
        }
    }

    /// Gives this user a folder and all that is in it, which this program has made, and no sandbox has had yet.
    ///
    /// # Errors
    /// When an owner cannot be changed.
    pub(super) fn give_all(self, folder: &Path) -> io::Result<()> {
        if self == Self::Same {
            return Ok(());
        }
        let mut folders = vec![folder.to_owned()];
        self.give(folder)?;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                self.give(&entry.path())?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        Ok(())
    }

    /// Gives this user the end of a pipe, so that a program can open `/dev/stdout` again, as in a container.
    ///
    /// # Errors
    /// When its owner cannot be changed.
    pub(super) fn give_open(self, file: impl std::os::fd::AsFd) -> io::Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::Dedicated(id) => {
                let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
                Ok(rustix::fs::chownat(file, "", Some(user), Some(group), AtFlags::EMPTY_PATH)?)
            }
        }
    }
}

/// Whether a user namespace has this id; its map has a line for each range: the first id, that outside, how many (`user_namespaces(7)`).
fn has(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) => {
                (first..first.saturating_add(count)).contains(&id.into())
            }
            _ => false,
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_in_a_closed_folder_is_not_reached() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for (of_folder, of_program, reached) in [(0o711, 0o755, true), (0o710, 0o755, false), (0o755, 0o754, false)] {
            set(folder.path(), of_folder);
            set(&program, of_program);
            assert_eq!(HostUser::Dedicated(61_184).reaches(&program), reached, "{of_folder:o} {of_program:o}");
            assert!(HostUser::Same.reaches(&program));
        }
    }

    #[test]
    fn a_namespace_has_the_ids_of_its_map() {
        assert!(has("         0          0 4294967295\n", 61_184));
        assert!(has("0 1000 1\n1 100000 65536\n", 61_184));
        assert!(!has("0 1000 1\n1 100000 1000\n", 61_184));
        assert!(!has("", 0) && !has("0 0\n", 0));
    }
}
