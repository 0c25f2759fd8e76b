//! What a daemon leaves behind when it is killed: processes and mounts. Only those of this engine's own folder are touched.

use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
    let text = std::fs::read_to_string("/proc/self/mountinfo").map_err(PrivateError::io("/proc/self/mountinfo"))?;
    for mount in mounts_below(&text, own) {
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
    let mut found: Vec<i32> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| is_of_engine(*pid, own, &containers))
        .collect();
    found.sort_unstable();
    found
}

fn is_of_engine(pid: i32, own: &Path, containers: &[String]) -> bool {
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let groups = String::from_utf8_lossy(&read("cgroup")).into_owned();
    if containers.iter().any(|id| groups.contains(id.as_str())) {
        return true;
    }
    let command = read("cmdline");
    let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
    let program = Path::new(std::ffi::OsStr::from_bytes(program)).file_name().unwrap_or_default();
    let mut below = own.as_os_str().as_bytes().to_vec();
    below.push(b'/');
    PROGRAMS.iter().any(|name| program == *name) && command.windows(below.len()).any(|window| window == below)
}

/// Mount points in or below a folder, innermost first, from the text of `mountinfo`.
fn mounts_below(mountinfo: &str, folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescape)
        .filter(|path| path.starts_with(folder))
        .collect();
    found.reverse();
    found
}

/// Whether control groups, of either version, are mounted.
pub(super) fn has_cgroups(mountinfo: &str) -> bool {
    mountinfo
        .lines()
        .filter_map(|line| line.split_once(" - "))
        .any(|(_, rest)| rest.starts_with("cgroup ") || rest.starts_with("cgroup2 "))
}

/// `mountinfo` writes blanks, tabs, line ends and backslashes as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let octal = text.get(index + 1..index + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
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
    use super::*;

    const MOUNTS: &str = "22 1 254:0 / / rw - ext4 /dev/root rw\n\
        30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
        40 22 0:40 / /c/a\\040b/engine/data/overlay2 rw - ext4 /dev/root rw\n\
        41 40 0:41 / /c/a\\040b/engine/data/overlay2/x/merged rw - overlay overlay rw\n\
        42 22 0:42 / /c/a\\040b/engine2 rw - tmpfs tmpfs rw\n";

    #[test]
    fn mounts_of_the_folder_come_innermost_first() {
        assert_eq!(
            mounts_below(MOUNTS, Path::new("/c/a b/engine")),
            [PathBuf::from("/c/a b/engine/data/overlay2/x/merged"), PathBuf::from("/c/a b/engine/data/overlay2"),]
        );
    }

    #[test]
    fn control_groups_are_seen() {
        assert!(has_cgroups(MOUNTS));
        assert!(!has_cgroups("22 1 254:0 / /cgroup rw - ext4 /dev/root rw\n"));
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
