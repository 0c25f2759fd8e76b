//! The process that starts bubblewrap: what it is asked for, and how it does it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{DupFlags, Errno, dup2, dup3};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_dumpable_behavior,
};

use super::{EXITED, NAME, NOT_STARTED, SIGNALED};
use crate::contract_tier::sandbox::group::ByThread;
use crate::contract_tier::sandbox::handles::{self, Handed};
use crate::contract_tier::sandbox::running::{FURTHER, STATUS};
use crate::contract_tier::sandbox::tools::Bubblewrap;

/// What an order may have, in bytes: more than the kernel gives any program (`execve(2)`).
const MAX_ORDER: u64 = 64 << 20;

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
            let serving = Serving::of(Bubblewrap { program: program.into(), libraries: libraries.into() })?;
            if !serving.has_places_in_order() {
                return Err(ErrorKind::Unsupported.into());
            }
            // It has the user of the sandboxes, and at times handles that they have not.
            set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
            serve(io::stdin(), serving)
        };
        i32::from(served().is_err())
    })
}

/// Starts what it is asked for, until the other end is closed.
pub(super) fn serve(socket: impl AsFd, serving: Serving) -> io::Result<()> {
    let serving = Arc::new(serving);
    while let Some(handed) = handles::receive(&socket)? {
        let serving = Arc::clone(&serving);
        // A thread for each: what is started ends with the one that started it (`PR_SET_PDEATHSIG` in prctl(2)). Where there can be
        // none, the other end is closed, which says so.
        drop(thread::Builder::new().spawn(move || serving.attend(handed)));
    }
    Ok(())
}

/// What the starter starts, and with what.
#[derive(Debug)]
pub(super) struct Serving {
    bubblewrap: Bubblewrap,
    places: Mutex<Places>,
}

impl Serving {
    pub(super) fn of(bubblewrap: Bubblewrap) -> io::Result<Self> {
        Ok(Self { bubblewrap, places: Places::new()?.into() })
    }

    /// Whether handles are put where bubblewrap is told that they are.
    fn has_places_in_order(&self) -> bool {
        self.places().kept.iter().map(AsRawFd::as_raw_fd).eq((STATUS..).take(FURTHER))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, and says how it ended.
    pub(super) fn attend(&self, handed: Handed) -> io::Result<()> {
        let mut handles = handed.handles.into_iter();
        let mut connection = UnixStream::from(handles.next().ok_or(ErrorKind::InvalidData)?);
        let ended = if handed.is_whole { self.run(&connection, handles) } else { Err(Errno::MFILE.into()) };
        let (kind, number) = match ended {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => (EXITED, code),
                (None, signal) => (SIGNALED, signal.unwrap_or_default()),
            },
            Err(error) => (NOT_STARTED, error.raw_os_error().unwrap_or_else(|| Errno::INVAL.raw_os_error())),
        };
        connection.write_all(&[kind.to_le_bytes(), number.to_le_bytes()].concat())
    }

    /// Runs it as ordered. After an error nothing of it runs.
    fn run(&self, connection: &UnixStream, mut handles: impl Iterator<Item = OwnedFd>) -> io::Result<ExitStatus> {
        let prints = handles.next().ok_or(ErrorKind::InvalidData)?;
        let order = Order::read(connection)?;
        let mut files = |count| handles.by_ref().take(count).map(File::from).collect::<Vec<_>>();
        let (there, home) = (files(order.there), files(order.home));
        let further: Vec<OwnedFd> = handles.collect();
        let mut command = self.bubblewrap.command();
        command.args(&order.words).stdin(Stdio::null()).stdout(prints.try_clone()?).stderr(prints);
        let by_thread = ByThread { there, home: &home };
        let (started, is_home) = by_thread.start(|| self.places().start(&mut command, &further));
        // Who waits for the end of what it prints waits for all that can print; the rest is not needed any more.
        drop((command, further, by_thread.there, home));
        let mut child = started?;
        let ended = is_home.and_then(|()| ending(&mut child, connection));
        ended.map_err(|error| given_up(&mut child, error))
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

    /// Starts a program that has these handles.
    fn start(&mut self, command: &mut Command, handles: &[OwnedFd]) -> io::Result<Child> {
        if handles.len() > self.kept.len() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let put = handles.iter().zip(&mut self.kept).try_for_each(|(handle, place)| dup2(handle, place));
        let started = put.map_err(io::Error::from).and_then(|()| command.spawn());
        let taken_back = self.kept.iter_mut().try_for_each(|place| dup3(&self.nothing, place, DupFlags::CLOEXEC));
        let mut child = started?;
        match taken_back {
            Ok(()) => Ok(child),
            Err(error) => Err(given_up(&mut child, error.into())),
        }
    }
}

/// Waits for a program's end, and kills it when nobody wants it any more.
fn ending(child: &mut Child, connection: &UnixStream) -> io::Result<ExitStatus> {
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let mut events = [PollFd::new(&process, PollFlags::IN), PollFd::new(connection, PollFlags::IN)];
    while let Err(Errno::INTR) = poll(&mut events, None) {}
    if events[0].revents().is_empty() {
        let _ = pidfd_send_signal(&process, Signal::KILL);
    }
    child.wait()
}

/// Kills a program because of an error; the error, or why it could not be killed.
fn given_up(child: &mut Child, error: io::Error) -> io::Error {
    child.kill().and_then(|()| child.wait()).err().unwrap_or(error)
}
