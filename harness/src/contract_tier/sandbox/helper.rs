//! A process that this program has beside it while it makes sandboxes: itself, by another name, at the other end of a socket.

use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::handles;
use super::user::HostUser;

/// The process, as the program has it that started it; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Helper {
    socket: Option<UnixStream>,
    process: Child,
}

impl Helper {
    /// Starts it by a name, with its socket as standard input. A signal for the caller's group, as of a terminal, does not reach it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, name: &str, words: &[&Path], user: HostUser) -> io::Result<Self> {
        let (own, other) = UnixStream::pair()?;
        let mut command = Command::new(program);
        if let HostUser::Dedicated(id) = user {
            command.uid(id).gid(id);
        }
        let process = command
            .arg0(name)
            .args(words)
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(OwnedFd::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { socket: Some(own), process })
    }

    /// One whose work is done by who has the other end of this socket.
    #[cfg(test)]
    pub(super) fn of(socket: UnixStream) -> io::Result<Self> {
        Ok(Self { socket: Some(socket), process: Command::new("true").spawn()? })
    }

    /// Gives it handles.
    ///
    /// # Errors
    /// When it is not there to take them.
    pub(super) fn send(&self, handles: &[BorrowedFd<'_>]) -> io::Result<()> {
        handles::send(self.socket.as_ref().ok_or(ErrorKind::BrokenPipe)?, handles)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.socket.take());
        drop(self.process.wait());
    }
}
