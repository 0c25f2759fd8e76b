//! A program in a sandbox from its start to its end: watched from outside, held to its limits, and gone with all that it started.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::OptionFuture;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, pidfd_send_signal, prlimit};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::End;
use super::group::{Group, Groups};
use super::keeper::Keeper;
use super::recorder::Recorder;
use super::starter::{Given, Started, Starter};
use super::status::Status;
use super::user::HostUser;
use crate::beneath::take_more;
use crate::check::captured::Captured;
use crate::check::limit::Exceeded;

/// Descriptors of bubblewrap: where it says what it does, what it waits for, and the first filter of system calls; others follow. They are
/// in the order in which it gets them.
pub(super) const STATUS: i32 = 3;
pub(super) const GO: i32 = 4;
pub(super) const FILTER: i32 = 5;
/// How many they are at the most.
pub(super) const FURTHER: usize = 5;
/// How often the space that a program takes is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// What a file or folder takes of a disk at the least, in bytes: so that many empty ones have an end, too.
const ENTRY: u64 = 4096;
/// How many times its limit a log can have before the program is stopped.
const ENDLESS: usize = 10;
/// How long the end of what was killed is waited for.
const GONE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// The exit code of what the kernel has killed, as a shell and an engine have it: 128 and the signal's number.
const KILLED: i64 = 137;

/// What a program in a sandbox may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// Memory of all its processes, in bytes.
    pub memory: u64,
    pub processes: u32,
    /// What it may leave in the sandbox, in bytes.
    pub disk: u64,
    /// What it may print, in bytes.
    pub log: usize,
}

/// How it went.
pub(super) enum Ran {
    Ended(End),
    /// Nothing was started; what bubblewrap printed.
    NotStarted(String),
}

/// The surroundings of a program that is to run.
pub(super) struct Watch<'a> {
    pub user: HostUser,
    pub filters: &'a [PathBuf],
    pub groups: Option<&'a Groups>,
    pub keeper: &'a Keeper,
    pub starter: &'a Starter,
    /// The folder whose growth is limited.
    pub folder: &'a Path,
    pub bounds: Bounds,
}

/// Where a sandbox stands while it runs.
struct Sandbox<'a> {
    bubblewrap: Started,
    /// Process 1 of the sandbox: all others end with it.
    first: Option<OwnedFd>,
    status: Status,
    log: Log,
    /// What limits it.
    group: Option<Group<'a>>,
}

impl Watch<'_> {
    /// Runs bubblewrap with these words to the end of the program that it starts.
    pub(super) async fn run(&self, words: &[OsString], recorder: Recorder<'_>) -> io::Result<Ran> {
        let (status, says) = io::pipe()?;
        let (waits, go) = io::pipe()?;
        let (log, prints) = io::pipe()?;
        self.user.give_open(&prints)?;
        let mut further = vec![OwnedFd::from(says), waits.into()];
        for filter in self.filters {
            further.push(std::fs::File::open(filter)?.into());
        }
        let begun = Instant::now();
        let group = self.groups.map(|groups| groups.group(self.bounds.memory, self.bounds.processes)).transpose()?;
        let given = Given { prints: prints.into(), further };
        let bubblewrap = self.starter.run(words, given, group.as_ref()).await?;
        let status = Status::new(status.into())?;
        let mut sandbox =
            Sandbox { bubblewrap, first: None, status, log: Log::new(log.into(), self.bounds.log)?, group };
        let deadline = tokio::time::sleep(self.bounds.time);
        tokio::pin!(deadline);
        let ended = tokio::select! {
            ended = self.attend(&mut sandbox, go.into()) => ended?,
            () = recorder.record() => None,
            () = &mut deadline => Some(Stopped::Late),
        };
        // bubblewrap can have ended before process 1: where both are in one control group the kernel may kill it for their memory.
        sandbox.kill();
        let bubblewrap = sandbox.bubblewrap.wait().await?;
        sandbox.gone().await?;
        let used = sandbox.files_in_memory();
        drop(sandbox.group.take());
        // All that has the other ends of these pipes ends with process 1, but for what was sent in connections that nobody has taken.
        drop(recorder);
        let said = sandbox.status.rest().await?;
        sandbox.log.rest().await?;
        let took = begun.elapsed();
        let log = std::mem::take(&mut sandbox.log.bytes);
        let exit_code = match (&ended, said.exit_code) {
            (None, None) if bubblewrap.signal().is_some() => Some(KILLED),
            (None, None) => return Ok(Ran::NotStarted(String::from_utf8_lossy(&log).into_owned())),
            (None, code) => code,
            (Some(_), _) => None,
        };
        let exceeded = match ended {
            Some(Stopped::Exceeded(exceeded)) => Some(exceeded),
            Some(Stopped::Late) => None,
            // It ended before anyone looked.
            None if sandbox.log.is_cut() => Some(Exceeded::Log(self.bounds.log)),
            None => self.takes_too_much(used).await?,
        };
        let log = Captured::read(&log[..], self.bounds.log)?.stopped(exceeded);
        Ok(Ran::Ended(End { exit_code, log, took }))
    }

    /// Lets the program begin once its limits are set, and follows it to its end; why it is to be stopped, if so.
    async fn attend(&self, sandbox: &mut Sandbox<'_>, go: OwnedFd) -> io::Result<Option<Stopped>> {
        if let Some(process) = sandbox.status.line().await?.first() {
            sandbox.first = pidfd_open(process, PidfdFlags::empty()).ok();
            sandbox.first.as_ref().map_or(Ok(()), |first| self.keeper.keep(first))?;
            self.limit(sandbox.group.as_ref(), process)?;
        }
        drop(go);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.tick().await;
        // One look at the files at a time, beside all else: there may be many.
        let mut looking = None;
        loop {
            tokio::select! {
                biased;
                read = sandbox.log.read() => match read? {
                    Read::Some => {}
                    Read::TooMuch => return Ok(Some(Stopped::Exceeded(Exceeded::Log(self.bounds.log)))),
                    // Nobody has the pipe any more.
                    Read::End => {
                        sandbox.bubblewrap.wait().await?;
                        return Ok(None);
                    }
                },
                ended = sandbox.bubblewrap.wait() => {
                    ended?;
                    return Ok(None);
                }
                Some(more) = OptionFuture::from(looking.as_mut()) => {
                    looking = None;
                    if more? {
                        return Ok(Some(Stopped::Exceeded(Exceeded::Disk(self.bounds.disk))));
                    }
                }
                _ = look.tick() => {
                    if sandbox.files_in_memory() > self.bounds.disk {
                        return Ok(Some(Stopped::Exceeded(Exceeded::Disk(self.bounds.disk))));
                    }
                    looking.get_or_insert_with(|| self.look());
                }
            }
        }
    }

    /// Sets what a process may use, and all that it starts.
    fn limit(&self, group: Option<&Group<'_>>, process: Pid) -> io::Result<()> {
        if let Some(group) = group {
            group.add(process)?;
        }
        let mut limits = vec![(Resource::Core, 0)];
        if self.groups.is_none() {
            limits.extend([(Resource::Nproc, self.bounds.processes.into()), (Resource::Data, self.bounds.memory)]);
        }
        for (resource, most) in limits {
            // Without a control group it must be; with one it is a second guard, which not every root may set.
            match prlimit(Some(process), resource, Rlimit { current: Some(most), maximum: Some(most) }) {
                Err(error) if self.groups.is_none() && error != rustix::io::Errno::SRCH => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks whether the files in the sandbox's folder take more than they may.
    fn look(&self) -> JoinHandle<bool> {
        let (folder, most) = (self.folder.to_owned(), self.bounds.disk);
        tokio::task::spawn_blocking(move || take_more(&folder, most, ENTRY))
    }

    /// Whether the sandbox's files take more than they may: those found in its folder, and those in memory.
    async fn takes_too_much(&self, in_memory: u64) -> io::Result<Option<Exceeded>> {
        let most = self.bounds.disk;
        let too_much = in_memory > most || self.look().await?;
        Ok(too_much.then_some(Exceeded::Disk(most)))
    }
}

/// Why a program was stopped.
#[derive(Debug, Clone, Copy)]
enum Stopped {
    Late,
    Exceeded(Exceeded),
}

impl Sandbox<'_> {
    /// What its processes have in memory of files, in bytes, where a group counts it.
    fn files_in_memory(&self) -> u64 {
        self.group.as_ref().map_or(0, Group::files_in_memory)
    }

    /// Kills process 1, and all others with it.
    fn kill(&mut self) {
        // bubblewrap that is killed before it has said who that is leaves it waiting for ever.
        if self.first.is_none() {
            let first = self.status.await_first(&GONE);
            self.first = first.and_then(|first| pidfd_open(first, PidfdFlags::empty()).ok());
        }
        let killed = self.first.as_ref().is_some_and(|first| pidfd_send_signal(first, Signal::KILL).is_ok());
        if !killed {
            self.bubblewrap.kill();
        }
    }

    /// Waits until process 1 has ended, and so all others.
    async fn gone(&mut self) -> io::Result<()> {
        let Some(first) = self.first.take() else { return Ok(()) };
        // As a rule it has: bubblewrap waits for it.
        if !has_ended(&first) {
            tokio::task::spawn_blocking(move || await_end(&first, &GONE)).await?;
        }
        Ok(())
    }
}

/// Whether a process has ended.
pub(super) fn has_ended(process: &OwnedFd) -> bool {
    await_end(process, &Timespec::default())
}

/// Kills a process and waits for its end, if it still `is_meant` when there is a handle of it: its number may be another one's by then.
pub(super) fn end(process: Pid, is_meant: impl FnOnce() -> bool) {
    if let Ok(handle) = pidfd_open(process, PidfdFlags::empty())
        && is_meant()
        && pidfd_send_signal(&handle, Signal::KILL).is_ok()
    {
        await_end(&handle, &GONE);
    }
}

/// Waits for the end of a process; whether it has ended.
fn await_end(process: &OwnedFd, most: &Timespec) -> bool {
    let mut ended = [PollFd::new(process, PollFlags::IN)];
    poll(&mut ended, Some(most)).is_ok_and(|count| count > 0)
}

impl Drop for Sandbox<'_> {
    /// Ends a program that nobody waits for any more, since the run has ended.
    fn drop(&mut self) {
        if self.bubblewrap.has_ended() {
            return;
        }
        self.kill();
        if let Some(first) = &self.first {
            // Process 1 has ended when all others have.
            await_end(first, &GONE);
        }
        // With bubblewrap in it, its control group could not be removed.
        self.bubblewrap.kill();
        self.bubblewrap.await_end(&GONE);
    }
}

/// What a program prints, up to a limit. What comes after it is read and left out, so that the program can come to its end.
struct Log {
    pipe: Receiver,
    bytes: Vec<u8>,
    most: usize,
    /// How much was left out, in bytes.
    left_out: usize,
}

enum Read {
    Some,
    /// It prints without an end.
    TooMuch,
    End,
}

impl Log {
    fn new(pipe: OwnedFd, most: usize) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(pipe)?, bytes: Vec::new(), most, left_out: 0 })
    }

    async fn read(&mut self) -> io::Result<Read> {
        if self.pipe.read_buf(&mut self.bytes).await? == 0 {
            return Ok(Read::End);
        }
        if self.bytes.len() > self.most {
            self.left_out = self.left_out.saturating_add(self.bytes.len() - self.most);
            self.bytes.truncate(self.most);
        }
        Ok(if self.left_out > self.most.saturating_mul(ENDLESS) { Read::TooMuch } else { Read::Some })
    }

    fn is_cut(&self) -> bool {
        self.left_out > 0
    }

    /// What is left in the pipe of a program that has ended.
    async fn rest(&mut self) -> io::Result<()> {
        while matches!(self.read().await?, Read::Some) {}
        Ok(())
    }
}
