//! What ends sandboxes when this program is killed: a process of its own, which has a handle of each sandbox's process 1, and kills
//! them all when nobody is at the other end of its socket any more.
//!
//! The signal that a process gets when its parent dies is not enough. It belongs to a thread: where another thread of process 1
//! executes a program, it is gone (`PR_SET_PDEATHSIG` in prctl(2)). And bubblewrap that is killed while it starts a sandbox leaves
//! process 1 waiting for ever, before it has that signal, and before anybody has a handle of it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use procfs::ProcResult;
use procfs::process::{Process, all_processes};
use rustix::process::{Pid, Signal, pidfd_send_signal};

use super::handles;
use super::helper::Helper;
use super::running::{end, has_ended};
use super::user::HostUser;

/// The name by which this program is the keeper.
const NAME: &str = "wsgi-proof-keeper";
/// How many handles are kept before those of processes that have ended are closed.
const MANY: usize = 64;
/// How often processes are looked for: one that is just being started may not have been there before.
const LOOKS: usize = 100;

/// The keeper, as the program that started it has it; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Keeper(Helper);

impl Keeper {
    /// Starts it, for the folder of a run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        // It may end whatever this program may.
        Helper::start(program, NAME, &[folder], HostUser::Same).map(Self)
    }

    /// Gives it the handle of a process.
    ///
    /// # Errors
    /// When it is not there to take it.
    pub(super) fn keep(&self, process: &OwnedFd) -> io::Result<()> {
        self.0.send(&[process.as_fd()])
    }
}

/// Is the keeper, if the process was started as that; the exit code.
pub fn main() -> Option<i32> {
    let mut words = std::env::args_os();
    let name = words.next()?;
    let mut kept = || {
        let folder = words.next().ok_or(io::ErrorKind::InvalidInput)?;
        keep(io::stdin())?;
        end_programs_of(Path::new(&folder)).map_err(io::Error::other)
    };
    (name == NAME).then(|| i32::from(kept().is_err()))
}

/// Kills the other processes that execute a file of this folder, in which each program has bubblewrap for itself.
fn end_programs_of(folder: &Path) -> ProcResult<()> {
    let own = Process::myself()?.pid;
    let is_of_folder =
        |process: &Process| process.pid != own && process.exe().is_ok_and(|program| program.parent() == Some(folder));
    for _ in 0..LOOKS {
        let found: Vec<Process> = all_processes()?.flatten().filter(is_of_folder).collect();
        if found.is_empty() {
            break;
        }
        for process in found {
            if let Some(number) = Pid::from_raw(process.pid) {
                end(number, || is_of_folder(&process));
            }
        }
    }
    Ok(())
}

/// Takes handles until the other end is closed, and then kills what is left.
fn keep(socket: impl AsFd) -> io::Result<()> {
    let mut kept: Vec<OwnedFd> = Vec::new();
    // A socket that cannot be read has no other end, either.
    while let Ok(Some(handed)) = handles::receive(&socket) {
        kept.extend(handed.handles);
        if kept.len() > MANY {
            kept.retain(|process| !has_ended(process));
        }
    }
    kept.iter().try_for_each(|process| match pidfd_send_signal(process, Signal::KILL) {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    #[test]
    fn what_is_kept_ends_with_the_other_end() {
        let (own, other) = UnixStream::pair().unwrap();
        let keeper = std::thread::spawn(move || keep(other));
        let mut sleeping = Command::new("sleep").arg("1000").spawn().unwrap();
        let handle = pidfd_open(Pid::from_child(&sleeping), PidfdFlags::empty()).unwrap();
        let kept = Keeper(Helper::of(own).unwrap());
        kept.keep(&handle).unwrap();
        drop(kept);
        assert!(!sleeping.wait().unwrap().success());
        keeper.join().unwrap().unwrap();
    }

    #[test]
    fn what_executes_a_file_of_the_folder_ends() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::copy("/usr/bin/sleep", &program).unwrap();
        let mut others = Command::new("sleep").arg("1000").spawn().unwrap();
        let mut sleeping = Command::new(&program).arg("1000").spawn().unwrap();
        end_programs_of(folder.path()).unwrap();
        assert!(sleeping.try_wait().unwrap().is_some());
        assert!(others.try_wait().unwrap().is_none());
        others.kill().unwrap();
        others.wait().unwrap();
    }
}
