//! What starts bubblewrap: a process of its own, as the user that is outside of sandboxes, with little in memory. To start a program
//! as another user, or with further handles, takes a fork, which copies the tables of all the memory that its parent has, and makes
//! every page of it be copied that is written to later (`fork(2)`): with a suite loaded, that takes longer than the rest of the start.
//! Here neither is asked of a start, so that the standard library has the kernel copy nothing (`vfork(2)`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{DupFlags, Errno, dup2, dup3};
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::group::{ByThread, Group};
use super::handles;
use super::running::{FURTHER, STATUS};
use super::user::HostUser;

/// The name by which this program is the starter.
const NAME: &str = "wsgi-proof-starter";
/// What an order may have, in bytes: more than the kernel gives any program (`execve(2)`).
const MAX_ORDER: u64 = 64 << 20;
/// How an ending is told: a number for its kind, and one for the code, the signal or the error.
const EXITED: i32 = 0;
const SIGNALED: i32 = 1;
const NOT_STARTED: i32 = 2;
/// The bytes of both numbers.
const ENDING: usize = 8;

/// The starter, as the program has it that started it; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Starter {
    socket: Option<UnixStream>,
    process: Child,
}

/// The handles that bubblewrap gets.
pub(super) struct Given {
    /// For what it prints.
    pub prints: OwnedFd,
    /// Further ones, from descriptor [`STATUS`] on.
    pub further: Vec<OwnedFd>,
}

/// bubblewrap that was started, until it has ended; dropping this kills it.
#[derive(Debug)]
pub(super) struct Started {
    connection: tokio::net::UnixStream,
    said: Vec<u8>,
}

impl Starter {
    /// Starts it, from a copy of this program. A signal for the caller's group, as of a terminal, does not reach it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, bubblewrap: &Path, libraries: &Path, user: HostUser) -> io::Result<Self> {
        let (own, other) = UnixStream::pair()?;
        let mut command = Command::new(program);
        if let HostUser::Dedicated(id) = user {
            command.uid(id).gid(id);
        }
        let process = command
            .arg0(NAME)
            .args([bubblewrap, libraries])
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(OwnedFd::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { socket: Some(own), process })
    }

    /// Starts bubblewrap with these words, in a group if that is where it begins.
    ///
    /// # Errors
    /// When it cannot be asked for; that bubblewrap cannot be started is said by [`Started::wait`].
    pub(super) async fn run(&self, words: &[OsString], given: Given, group: Option<&Group<'_>>) -> io::Result<Started> {
        let by_thread = group.map(Group::by_thread).transpose()?.flatten();
        let there = by_thread.as_ref().map(|by_thread| by_thread.there.as_slice()).unwrap_or_default();
        let home = by_thread.as_ref().map(|by_thread| by_thread.home).unwrap_or_default();
        let order = order([there.len(), home.len()], words)?;
        let (own, other) = UnixStream::pair()?;
        own.set_nonblocking(true)?;
        let mut handed = vec![other.as_fd(), given.prints.as_fd()];
        handed.extend(there.iter().chain(home).map(AsFd::as_fd));
        handed.extend(given.further.iter().map(AsFd::as_fd));
        handles::send(self.socket.as_ref().ok_or(ErrorKind::BrokenPipe)?, &handed)?;
        // The ends that it has are its own.
        drop((other, given));
        let mut started = Started { connection: tokio::net::UnixStream::from_std(own)?, said: Vec::new() };
        started.connection.write_all(&order).await?;
        Ok(started)
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        drop(self.socket.take());
        drop(self.process.wait());
    }
}

impl Started {
    /// Waits for its end; may be given up and asked again.
    ///
    /// # Errors
    /// When it could not be started, or nobody is there any more to say how it ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        while self.said.len() < ENDING {
            if self.connection.read_buf(&mut self.said).await? == 0 {
                return Err(io::Error::other("the process that starts sandboxes has ended"));
            }
        }
        let number = |at: usize| i32::from_le_bytes(std::array::from_fn(|index| self.said[at + index]));
        match (number(0), number(ENDING / 2)) {
            (EXITED, code) => Ok(ExitStatus::from_raw(code << 8)),
            (SIGNALED, signal) => Ok(ExitStatus::from_raw(signal)),
            (_, error) => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Whether its end has been waited for.
    pub(super) fn has_ended(&self) -> bool {
        self.said.len() >= ENDING
    }

    pub(super) fn kill(&self) {
        // It may have ended already.
        let _ = shutdown(&self.connection, Shutdown::Write);
    }

    /// Waits for its end outside of any task.
    pub(super) fn await_end(&self, most: &Timespec) {
        let _ = poll(&mut [PollFd::new(&self.connection, PollFlags::IN)], Some(most));
    }
}

/// An order: its length, how many handles lead into a group and home from it, and the words.
fn order(counts: [usize; 2], words: &[OsString]) -> io::Result<Vec<u8>> {
    let mut order = vec![0; size_of::<u64>()];
    let counts = counts.map(|count| OsString::from(count.to_string()));
    for word in counts.iter().chain(words) {
        if word.as_bytes().contains(&0) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a NUL byte in a command line"));
        }
        order.extend_from_slice(word.as_bytes());
        order.push(0);
    }
    let length = (order.len() - size_of::<u64>()) as u64;
    order[..size_of::<u64>()].copy_from_slice(&length.to_le_bytes());
    Ok(order)
}

/// What an order says.
struct Order {
    there: usize,
    home: usize,
    words: Vec<OsString>,
}

impl Order {
    fn read(mut connection: impl Read) -> io::Result<Self> {
        let mut length = [0; size_of::<u64>()];
        connection.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut text = Vec::new();
        connection.take(length.min(MAX_ORDER)).read_to_end(&mut text)?;
        if text.len() as u64 != length || text.pop() != Some(0) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut words = text.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned());
        let mut count = || words.next().and_then(|count| count.to_str()?.parse().ok()).ok_or(ErrorKind::InvalidData);
        Ok(Self { there: count()?, home: count()?, words: words.collect() })
    }
}

/// Is the starter, if the process was started as that; the exit code.
pub fn main() -> Option<i32> {
    let mut words = std::env::args_os();
    (words.next()? == NAME).then(|| {
        let mut served = || {
            let (Some(program), Some(libraries)) = (words.next(), words.next()) else {
                return Err(ErrorKind::InvalidInput.into());
            };
            let places = Places::new()?;
            if places.first() != Some(STATUS) {
                return Err(ErrorKind::Unsupported.into());
            }
            serve(
                io::stdin(),
                Bubblewrap { program: program.into(), libraries: libraries.into(), places: places.into() },
            )
        };
        i32::from(served().is_err())
    })
}

/// Starts what it is asked for, until the other end is closed.
fn serve(socket: impl AsFd, bubblewrap: Bubblewrap) -> io::Result<()> {
    let bubblewrap = Arc::new(bubblewrap);
    while let Some(handed) = handles::receive(&socket)? {
        let bubblewrap = Arc::clone(&bubblewrap);
        // A thread for each: what is started ends with the one that started it (`PR_SET_PDEATHSIG` in prctl(2)). Where there can be
        // none, the other end is closed, which says so.
        drop(thread::Builder::new().spawn(move || bubblewrap.attend(handed)));
    }
    Ok(())
}

/// What the starter starts.
#[derive(Debug)]
struct Bubblewrap {
    program: PathBuf,
    libraries: PathBuf,
    places: Mutex<Places>,
}

impl Bubblewrap {
    /// Starts it, and says how it ended.
    fn attend(&self, handed: Vec<OwnedFd>) -> io::Result<()> {
        let mut handed = handed.into_iter();
        let mut connection = UnixStream::from(handed.next().ok_or(ErrorKind::InvalidData)?);
        let prints = handed.next().ok_or(ErrorKind::InvalidData)?;
        let order = Order::read(&connection)?;
        let mut files = |count| handed.by_ref().take(count).map(File::from).collect::<Vec<_>>();
        let (there, home) = (files(order.there), files(order.home));
        let by_thread = ByThread { there, home: &home };
        let mut command = Command::new(&self.program);
        command.args(&order.words).env_clear().env("LD_LIBRARY_PATH", &self.libraries);
        command.stdin(Stdio::null()).stdout(prints.try_clone()?).stderr(prints);
        let started = by_thread.start(|| {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.start(&mut command, &handed.collect::<Vec<_>>())
        });
        // Who waits for the end of what it prints waits for all that can print.
        drop(command);
        let (kind, number) = match started.and_then(|child| ending(child, &connection)) {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => (EXITED, code),
                (None, signal) => (SIGNALED, signal.unwrap_or_default()),
            },
            Err(error) => (NOT_STARTED, error.raw_os_error().unwrap_or_else(|| Errno::INVAL.raw_os_error())),
        };
        connection.write_all(&[kind.to_le_bytes(), number.to_le_bytes()].concat())
    }
}

/// Descriptors that are kept for the further handles of what is started. While one program is started they are its own, and any other
/// one that was started meanwhile would have them, too.
#[derive(Debug)]
struct Places {
    nothing: OwnedFd,
    kept: Vec<OwnedFd>,
}

impl Places {
    fn new() -> io::Result<Self> {
        let nothing = || File::open("/dev/null").map(OwnedFd::from);
        let kept = (0..FURTHER).map(|_| nothing()).collect::<io::Result<_>>()?;
        Ok(Self { kept, nothing: nothing()? })
    }

    fn first(&self) -> Option<i32> {
        self.kept.first().map(AsRawFd::as_raw_fd)
    }

    /// Starts a program that has these handles.
    fn start(&mut self, command: &mut Command, handles: &[OwnedFd]) -> io::Result<Child> {
        if handles.len() > self.kept.len() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let put = handles.iter().zip(&mut self.kept).try_for_each(|(handle, place)| dup2(handle, place));
        let started = put.map_err(io::Error::from).and_then(|()| command.spawn());
        let taken_back = self.kept.iter_mut().try_for_each(|place| dup3(&self.nothing, place, DupFlags::CLOEXEC));
        let mut child = started?;
        if let Err(error) = taken_back {
            child.kill().and_then(|()| child.wait())?;
            return Err(error.into());
        }
        Ok(child)
    }
}

/// Waits for a program's end, and kills it when nobody wants it any more.
fn ending(mut child: Child, connection: &UnixStream) -> io::Result<ExitStatus> {
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let mut events = [PollFd::new(&process, PollFlags::IN), PollFd::new(connection, PollFlags::IN)];
    while let Err(Errno::INTR) = poll(&mut events, None) {}
    if events[0].revents().is_empty() {
        let _ = pidfd_send_signal(&process, Signal::KILL);
    }
    child.wait()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A starter of another program than bubblewrap.
    fn starter(program: &str) -> Starter {
        let (own, other) = UnixStream::pair().unwrap();
        let places = Places::new().unwrap().into();
        let bubblewrap = Bubblewrap { program: program.into(), libraries: PathBuf::new(), places };
        thread::spawn(move || serve(other, bubblewrap));
        Starter { socket: Some(own), process: Command::new("true").spawn().unwrap() }
    }

    /// What becomes of these words, and what they print.
    async fn run(starter: &Starter, words: &[&str]) -> (io::Result<ExitStatus>, String) {
        let (mut prints, other) = io::pipe().unwrap();
        let (further, _) = io::pipe().unwrap();
        let given = Given { prints: other.into(), further: vec![further.into()] };
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let ended = match starter.run(&words, given, None).await {
            Ok(mut program) => program.wait().await,
            Err(error) => Err(error),
        };
        let mut text = String::new();
        prints.read_to_string(&mut text).unwrap();
        (ended, text)
    }

    #[tokio::test]
    async fn it_says_how_a_program_ended() {
        let starter = starter("/bin/sh");
        let (ended, text) =
            run(&starter, &["-c", "echo \"$1\"; ls -l /proc/self/fd | grep -c pipe; exit 3", "", "a\nb"]).await;
        assert_eq!((ended.unwrap().code(), text.as_str()), (Some(3), "a\nb\n4\n"));
        assert_eq!(run(&starter, &["-c", "kill -9 $$"]).await.0.unwrap().signal(), Some(9));
        assert_eq!(run(&starter, &["-c", "\0"]).await.0.unwrap_err().kind(), ErrorKind::InvalidInput);
        let much = "x".repeat(4 << 20);
        assert_eq!(run(&starter, &["-c", &much]).await.0.unwrap_err().kind(), ErrorKind::ArgumentListTooLong);
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_started() {
        let (ended, text) = run(&starter("/no/such/program"), &[]).await;
        assert_eq!((ended.unwrap_err().kind(), text.as_str()), (ErrorKind::NotFound, ""));
    }

    #[tokio::test]
    async fn what_nobody_wants_any_more_is_killed() {
        let starter = starter("/bin/sh");
        for is_dropped in [false, true] {
            let (mut prints, other) = io::pipe().unwrap();
            let given = Given { prints: other.into(), further: Vec::new() };
            let words = ["-c", "echo started; exec sleep 1000"].map(OsString::from);
            let mut program = starter.run(&words, given, None).await.unwrap();
            prints.read_exact(&mut [0; 8]).unwrap();
            if is_dropped {
                drop(program);
            } else {
                program.kill();
                program.await_end(&Timespec { tv_sec: 60, tv_nsec: 0 });
                assert_eq!(program.wait().await.unwrap().signal(), Some(9));
                assert!(program.has_ended());
            }
            assert_eq!(prints.read(&mut [0]).unwrap(), 0);
        }
    }
}
