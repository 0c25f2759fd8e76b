//! What starts bubblewrap: a process of its own, as the user that is outside of sandboxes, with little in memory. To start a program
//! as another user, or with further handles, takes a fork, which copies the tables of all the memory that its parent has, and makes
//! every page of it be copied that is written to later (`fork(2)`): with a suite loaded, that takes longer than the rest of the start.
//! Here neither is asked of a start, so that the standard library has the kernel copy nothing (`vfork(2)`).

mod process;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::group::Group;
use super::helper::Helper;
use super::tools::Bubblewrap;
use super::user::HostUser;

pub use process::main;

/// The name by which this program is the starter.
const NAME: &str = "wsgi-proof-starter";
/// How an ending is told: a number for its kind, and one for the code, the signal or the error.
const EXITED: i32 = 0;
const SIGNALED: i32 = 1;
const NOT_STARTED: i32 = 2;
/// The bytes of both numbers.
const ENDING: usize = 8;

/// Nobody is there to start sandboxes, or to say how one ended.
#[derive(Debug, thiserror::Error)]
#[error("the process that starts sandboxes has ended, or cannot go on")]
pub(super) struct Gone;

impl Gone {
    /// This, where the other end of a socket is closed.
    fn instead(error: io::Error) -> io::Error {
        match error.kind() {
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Self.into(),
            _ => error,
        }
    }

    /// Whether an error is this.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

impl From<Gone> for io::Error {
    fn from(gone: Gone) -> Self {
        Self::other(gone)
    }
}

/// The starter, as the program has it that started it; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Starter(Helper);

/// The handles that bubblewrap gets.
pub(super) struct Given {
    /// For what it prints.
    pub prints: OwnedFd,
    /// Further ones, from descriptor [`STATUS`](super::running::STATUS) on.
    pub further: Vec<OwnedFd>,
}

/// bubblewrap that was started, until it has ended; dropping this kills it.
#[derive(Debug)]
pub(super) struct Started {
    connection: tokio::net::UnixStream,
    said: Vec<u8>,
}

impl Starter {
    /// Starts it, for this bubblewrap.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, bubblewrap: &Bubblewrap, user: HostUser) -> io::Result<Self> {
        Helper::start(program, NAME, &[&bubblewrap.program, &bubblewrap.libraries], user).map(Self)
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
        self.0.send(&handed).map_err(Gone::instead)?;
        // The ends that it has are its own.
        drop((other, given));
        let mut started = Started { connection: tokio::net::UnixStream::from_std(own)?, said: Vec::new() };
        match started.connection.write_all(&order).await {
            Ok(()) => Ok(started),
            // It has said why, or nothing any more.
            Err(error) => Err(started.wait().await.err().unwrap_or(error)),
        }
    }
}

impl Started {
    /// Waits for its end; may be given up and asked again.
    ///
    /// # Errors
    /// When it could not be started, or nobody is there any more to say how it ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        while self.said.len() < ENDING {
            if self.connection.read_buf(&mut self.said).await.map_err(Gone::instead)? == 0 {
                return Err(Gone.into());
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;
    use std::path::PathBuf;
    use std::thread;

    use rustix::io::Errno;

    use super::process::{Serving, serve};
    use super::*;
    use crate::contract_tier::sandbox::handles::{self, Handed};

    /// What does its work, of another program than bubblewrap.
    fn serving(program: &str) -> Serving {
        Serving::of(Bubblewrap { program: program.into(), libraries: PathBuf::new() }).unwrap()
    }

    /// A starter of another program than bubblewrap.
    fn starter(program: &str) -> Starter {
        let (own, other) = UnixStream::pair().unwrap();
        let serving = serving(program);
        thread::spawn(move || serve(other, serving));
        Starter(Helper::of(own).unwrap())
    }

    /// What becomes of these words, and what they print.
    async fn run(starter: &Starter, words: &[&str]) -> (io::Result<ExitStatus>, String) {
        run_with(starter, words, Vec::new()).await
    }

    /// The same with further handles.
    async fn run_with(starter: &Starter, words: &[&str], further: Vec<OwnedFd>) -> (io::Result<ExitStatus>, String) {
        let (mut prints, other) = io::pipe().unwrap();
        let given = Given { prints: other.into(), further };
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
        // One that is not among those of other tests.
        let further = tempfile::Builder::new().prefix("further-").tempfile().unwrap();
        let words = ["-c", "echo \"$1\"; ls -l /proc/$$/fd | grep -c \"$2\"; exit 3", "", "a\nb"];
        let path = further.path().to_str().unwrap().to_owned();
        let words = [words.as_slice(), &[path.as_str()]].concat();
        let (ended, text) = run_with(&starter, &words, vec![further.into_file().into()]).await;
        assert_eq!((ended.unwrap().code(), text.as_str()), (Some(3), "a\nb\n1\n"));
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

    #[tokio::test]
    async fn who_is_gone_starts_nothing() {
        let (own, other) = UnixStream::pair().unwrap();
        let starter = Starter(Helper::of(own).unwrap());
        let ending = thread::spawn(move || handles::receive(other).map(drop));
        // It has taken the handles, and ends.
        assert!(Gone::is(&run(&starter, &["-c", "true"]).await.0.unwrap_err()));
        ending.join().unwrap().unwrap();
        assert!(Gone::is(&run(&starter, &["-c", "true"]).await.0.unwrap_err()));
    }

    #[test]
    fn who_gets_too_few_handles_says_so() {
        let (own, other) = UnixStream::pair().unwrap();
        serving("/bin/true").attend(Handed { handles: vec![other.into()], is_whole: false }).unwrap();
        let mut said = [0; ENDING];
        (&own).read_exact(&mut said).unwrap();
        assert_eq!(said, *[NOT_STARTED.to_le_bytes(), Errno::MFILE.raw_os_error().to_le_bytes()].as_flattened());
    }
}
