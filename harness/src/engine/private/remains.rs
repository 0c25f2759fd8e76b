//! What a daemon leaves behind when it is killed: processes and mounts. Only those of this engine's own folder are touched.

use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use procfs::process::{MountInfo, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::PrivateError;

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// The engine's own programs; another program that names a file in the folder (a pager on the log) is left alone.
const PROGRAMS: [&str; 6] =
    ["dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2", "runc"];

/// Ends what is left of the engine in this folder, and unmounts what it mounted there.
pub(super) async fn clear(own: &Path) -> Result<(), PrivateError> {
    for pid in leftover_processes(own) {
        kill(pid).await.map_err(PrivateError::io(format!("cannot end process {pid} of the private engine")))?;
    }
    let mounts = mounts().map_err(PrivateError::io("/proc/self/mountinfo"))?;
    for mount in mounts_below(&mounts, own) {
        unmount(&mount, UnmountFlags::DETACH)
            .map_err(|error| PrivateError::io(format!("cannot unmount {}", mount.display()))(error.into()))?;
    }
    Ok(())
}

/// Asks a process to end, and kills it when it has not after `limit`. Returns when it is gone.
pub(super) async fn end(pid: i32, limit: Duration) -> io::Result<()> {
    if signal_and_wait(pid, Signal::TERM, limit).await? { Ok(()) } else { kill(pid).await }
}

async fn kill(pid: i32) -> io::Result<()> {
    if signal_and_wait(pid, Signal::KILL, KILL_LIMIT).await? {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::TimedOut))
    }
}

/// Sends a signal and waits for the process's end; whether it came in time. The descriptor stands for this very process,
/// whatever becomes of its number.
async fn signal_and_wait(pid: i32, signal: Signal, limit: Duration) -> io::Result<bool> {
    let wait = move || {
        let Some(pid) = Pid::from_raw(pid) else { return Ok(true) };
        let process = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => process,
            Err(Errno::SRCH) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        match pidfd_send_signal(&process, signal) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        let begun = Instant::now();
        loop {
            let rest = Timespec::try_from(limit.saturating_sub(begun.elapsed())).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&rest)) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::task::spawn_blocking(wait).await.map_err(io::Error::other).flatten()
}

/// Processes of this engine: its programs, and what runs in its containers.
fn leftover_processes(own: &Path) -> Vec<i32> {
    let containers: Vec<String> = std::fs::read_dir(own.join("data/containers"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.len() == 64)
        .collect();
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let mut found: Vec<i32> =
        processes.filter(|process| is_of_engine(process, own, &containers)).map(|process| process.pid).collect();
    found.sort_unstable();
    found
}

fn is_of_engine(process: &Process, own: &Path, containers: &[String]) -> bool {
    let groups = process.cgroups().map(|groups| groups.0).unwrap_or_default();
    if groups.iter().any(|group| containers.iter().any(|id| group.pathname.contains(id.as_str()))) {
        return true;
    }
    let command = process.cmdline().unwrap_or_default();
    let Some(program) = command.first().and_then(|program| Path::new(program).file_name()) else { return false };
    let below = format!("{}/", own.display());
    PROGRAMS.iter().any(|name| program == *name) && command.iter().any(|argument| argument.contains(&below))
}

/// The mounts of this process's namespace.
pub(in crate::engine) fn mounts() -> io::Result<Vec<MountInfo>> {
    Process::myself().and_then(|own| own.mountinfo()).map(|mounts| mounts.0).map_err(io::Error::other)
}

/// Mount points in or below a folder, innermost first.
fn mounts_below(mounts: &[MountInfo], folder: &Path) -> Vec<PathBuf> {
    mounts.iter().rev().map(|mount| unescape(&mount.mount_point)).filter(|path| path.starts_with(folder)).collect()
}

/// Whether control groups, of either version, are mounted.
pub(super) fn has_cgroups(mounts: &[MountInfo]) -> bool {
    mounts.iter().any(|mount| mount.fs_type == "cgroup" || mount.fs_type == "cgroup2")
}

/// `mountinfo` writes blanks, tabs, line ends and backslashes as three octal digits, and the library leaves them so.
pub(in crate::engine) fn unescape(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let digits = bytes.get(index + 1..index + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (bytes[index], octal) {
            (b'\\', Some(byte)) => {
                plain.push(byte);
                index += 4;
            }
            (byte, _) => {
                plain.push(byte);
                index += 1;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(plain))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use procfs::FromRead;
    use procfs::process::MountInfos;

    use super::*;

    fn mounts(text: &str) -> Vec<MountInfo> {
        MountInfos::from_read(text.as_bytes()).unwrap().0
    }

    const MOUNTS: &str = "22 1 254:0 / / rw - ext4 /dev/root rw\n\
        30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
        40 22 0:40 / /c/a\\040b/engine/data/overlay2 rw - ext4 /dev/root rw\n\
        41 40 0:41 / /c/a\\040b/engine/data/overlay2/x/merged rw - overlay overlay rw\n\
        42 22 0:42 / /c/a\\040b/engine2 rw - tmpfs tmpfs rw\n";

    #[test]
    fn mounts_of_the_folder_come_innermost_first() {
        assert_eq!(
            mounts_below(&mounts(MOUNTS), Path::new("/c/a b/engine")),
            [PathBuf::from("/c/a b/engine/data/overlay2/x/merged"), PathBuf::from("/c/a b/engine/data/overlay2"),]
        );
    }

    #[test]
    fn control_groups_are_seen() {
        assert!(has_cgroups(&mounts(MOUNTS)));
        assert!(!has_cgroups(&mounts("22 1 254:0 / /cgroup rw - ext4 /dev/root rw\n")));
    }

    #[tokio::test]
    async fn a_process_is_waited_for_until_it_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        end(pid, Duration::from_secs(10)).await.unwrap();
        assert!(!child.wait().unwrap().success());
        end(pid, Duration::from_secs(10)).await.unwrap();
    }

    #[test]
    fn another_program_with_a_file_of_the_folder_is_left_alone() {
        let own = tempfile::tempdir().unwrap();
        assert!(leftover_processes(own.path()).is_empty());
    }
}
