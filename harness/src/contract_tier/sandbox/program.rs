//! This program, as sandboxes have it: it is the stubs. Where the user of sandboxes can reach it, it is mounted from where it is; else
//! as a copy in the folder of the run. A copy takes memory, which may have to be found first, and so time.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::user::HostUser;

/// Where the kernel has the program that is running, also when its file is not there any more.
const RUNNING: &str = "/proc/self/exe";

/// The file, and which one it is.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    identity: Identity,
}

/// The device and number of a file.
pub(super) type Identity = (u64, u64);

impl Program {
    /// The program that is running, or a copy of it at a path.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub(super) fn running(user: HostUser, copy: &Path) -> io::Result<Self> {
        let (own, running) = (std::env::current_exe()?, identity(Path::new(RUNNING))?);
        // A build may have put another one in its place by now.
        if user.reaches(&own) && identity(&own).is_ok_and(|there| there == running) {
            return Ok(Self { path: own, identity: running });
        }
        copy_loaded(Path::new(RUNNING), copy)?;
        Ok(Self { path: copy.to_owned(), identity: identity(copy)? })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether it is still at its path. A sandbox that was made with another one has stubs that are not heard.
    pub(super) fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|there| there == self.identity)
    }
}

/// Which file is at a path.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    let data = fs::metadata(path)?;
    Ok((data.dev(), data.ino()))
}

/// Copies that part of a program which the kernel loads: what tells a debugger of it is the larger part, and the folder is in memory.
fn copy_loaded(from: &Path, to: &Path) -> io::Result<()> {
    let program = File::open(from)?;
    let length = loaded(&program)?.unwrap_or(u64::MAX);
    put(program.take(length), to)
}

/// Writes a program that can be executed at once.
///
/// # Errors
/// When it cannot be read, something is there already, or it cannot be written.
pub(super) fn put(mut program: impl Read, to: &Path) -> io::Result<()> {
    let mut copy = File::create_new(to)?;
    copy.lock()?;
    io::copy(&mut program, &mut copy)?;
    fs::set_permissions(to, Permissions::from_mode(0o555))?;
    drop(copy);
    // A process that another thread has just started holds the file, and with it the lock, until it executes its own program; what is
    // open to be written cannot be executed (ETXTBSY).
    File::open(to)?.lock()
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
    fn a_copy_can_be_executed_while_others_start_programs() {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new("/bin/true");
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..300).for_each(|_| assert!(Command::new(program).status().unwrap().success())))
                })
                .collect();
            for number in 0.. {
                let copied = folder.path().join(number.to_string());
                copy_loaded(program, &copied).unwrap();
                assert!(Command::new(copied).status().unwrap().success());
                if others.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                    break;
                }
            }
        });
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

    #[test]
    fn who_reaches_the_program_needs_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("program");
        let own = Program::running(HostUser::Same, &copy).unwrap();
        assert_eq!((own.path(), copy.exists()), (std::env::current_exe().unwrap().as_path(), false));
        assert!(own.is_there());
    }

    #[test]
    fn another_program_in_its_place_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, "one").unwrap();
        let program = Program { identity: identity(&path).unwrap(), path };
        assert!(program.is_there());
        let other = folder.path().join("other");
        fs::write(&other, "two").unwrap();
        fs::rename(&other, program.path()).unwrap();
        assert!(!program.is_there());
        fs::remove_file(program.path()).unwrap();
        assert!(!program.is_there());
    }
}
