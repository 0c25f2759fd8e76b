//! What bubblewrap says of a sandbox while it makes it, and when it has ended: JSON, a line at a time.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// The most that bubblewrap says of itself, in bytes.
const MAX_STATUS: usize = 64 << 10;

/// What it has said so far.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Said {
    child_pid: Option<i32>,
    /// How the program ended; not said where it could not be started.
    pub exit_code: Option<i64>,
}

impl Said {
    /// Process 1 of the sandbox, as this machine numbers it.
    pub(super) fn first(&self) -> Option<Pid> {
        self.child_pid.and_then(Pid::from_raw)
    }
}

/// The pipe that it says it in.
pub(super) struct Status {
    pipe: Receiver,
    bytes: Vec<u8>,
}

impl Status {
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(pipe)?, bytes: Vec::new() })
    }

    /// The first line, or nothing when there is none.
    pub(super) async fn line(&mut self) -> io::Result<Said> {
        while !self.bytes.contains(&b'\n') && self.bytes.len() < MAX_STATUS {
            if self.pipe.read_buf(&mut self.bytes).await? == 0 {
                break;
            }
        }
        Ok(self.said())
    }

    /// Process 1, waited for outside of any task; `None` where it is not said any more.
    pub(super) fn await_first(&mut self, most: &Timespec) -> Option<Pid> {
        let mut piece = [0; 512];
        while self.said().first().is_none() && self.bytes.len() < MAX_STATUS {
            let mut readable = [PollFd::new(&self.pipe, PollFlags::IN)];
            if poll(&mut readable, Some(most)) != Ok(1) {
                break;
            }
            match rustix::io::read(&self.pipe, &mut piece) {
                Ok(0) | Err(_) => break,
                Ok(length) => self.bytes.extend_from_slice(&piece[..length]),
            }
        }
        self.said().first()
    }

    /// All that was said, to the end.
    pub(super) async fn rest(&mut self) -> io::Result<Said> {
        while self.bytes.len() < MAX_STATUS && self.pipe.read_buf(&mut self.bytes).await? > 0 {}
        Ok(self.said())
    }

    fn said(&self) -> Said {
        let lines = self.bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        lines.fold(Said::default(), |all, line: Said| Said {
            child_pid: all.child_pid.or(line.child_pid),
            exit_code: all.exit_code.or(line.exit_code),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    const LONG: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

    #[tokio::test]
    async fn who_process_1_is_can_be_said_in_pieces() {
        let (pipe, mut says) = io::pipe().unwrap();
        let mut status = Status::new(pipe.into()).unwrap();
        let saying = std::thread::spawn(move || {
            for piece in ["{\"child-", "pid\": 12", "34}\n"] {
                says.write_all(piece.as_bytes()).unwrap();
                std::thread::yield_now();
            }
            says
        });
        assert_eq!(status.await_first(&LONG), Pid::from_raw(1234));
        drop(saying.join().unwrap());
    }

    #[tokio::test]
    async fn who_process_1_is_need_not_be_said() {
        let (pipe, mut says) = io::pipe().unwrap();
        let mut status = Status::new(pipe.into()).unwrap();
        says.write_all(b"x\n").unwrap();
        drop(says);
        assert_eq!(status.await_first(&LONG), None);
    }
}
