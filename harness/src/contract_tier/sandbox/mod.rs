//! The sandbox of the contract tier: a program runs in namespaces of its own (mount, process, network, user), on a root of its
//! own, with the host's `/usr` to read and stubs of what would reach outside. It is made by bubblewrap.

mod candidate;
mod error;
mod group;
mod handles;
mod helper;
mod host_folders;
pub(crate) mod keeper;
mod program;
mod programs;
mod recorder;
mod running;
mod scratch;
mod seccomp;
mod skeleton;
pub(crate) mod starter;
mod status;
mod tools;
mod unpacked;
mod user;
mod words;
mod workspace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::check::captured::Captured;
use crate::contract_tier::stub::record::{self, Orders};

use group::Groups;
use host_folders::HostFolders;
use keeper::Keeper;
use program::Program;
use recorder::Recorder;
use running::{Ran, Watch};
use scratch::ScratchFolder;
use starter::{Gone, Starter};
use tools::Tools;

pub(crate) use candidate::Candidate;
pub(crate) use error::SandboxError;
pub(crate) use running::Bounds;
pub(crate) use scratch::remove_stale;
pub(crate) use unpacked::unpack;
pub(crate) use user::HostUser;
pub(crate) use workspace::Workspace;

/// The search path in the sandbox: the images'.
pub(crate) const PATH: &str = "/usr/local/wsgi/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the program of the stubs is in the sandbox.
const PROGRAM: &str = "/run/wsgi-proof/program";
/// Where the host's `/usr` is in the sandbox, beside the one without the programs that have stubs.
const HOST: &str = "/run/host/usr";
/// Set in the container that this program runs in where the machine permits no namespaces.
pub(crate) const IN_CONTAINER: &str = "WSGI_PROOF_IN_CONTAINER";
/// How files begin that the kernel executes: scripts, and programs in ELF.
const FORMATS: [&[u8]; 2] = [b"#!", b"\x7fELF"];
/// How long a program may run, unless another limit is set.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Sandboxes {
    tools: Tools,
    /// How long a program may run at the most.
    pub limit: Duration,
    /// Whether sandboxes have users of their own. In a container, where that is not permitted, they
    /// have the container's, who is root.
    own_users: bool,
    /// Who programs in sandboxes are on this machine.
    user: HostUser,
    program: Program,
    starter: Starter,
    keeper: Keeper,
    /// Control groups, where this program may make them.
    groups: Option<Groups>,
    /// The folder in which each sandbox has its own.
    folder: ScratchFolder,
    programs: PathBuf,
    host_folders: HostFolders,
}

/// How a program is started in a sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Start<'a> {
    /// The candidate whose files are in `/usr/local`.
    pub candidate: &'a Candidate,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Whether a shell starts it, which runs what the kernel does not know how to as a script of its own (POSIX, 2.9.1.6).
    pub by_shell: bool,
    pub environment: BTreeMap<String, String>,
    /// User and group id.
    pub user: (u32, u32),
    /// Whether the root is read-only.
    pub read_only: bool,
    /// Whether `/tmp` is the root's, as in a container, where it stays from one start to the next.
    pub keeps_tmp: bool,
    /// Where there are temporary file systems.
    pub tmpfs: Vec<String>,
    /// What is mounted on `/app`, and whether it can be written.
    pub volume: Option<(&'a Path, bool)>,
    /// What it may use.
    pub bounds: Bounds,
}

impl Start<'_> {
    /// The program, where the kernel does not know how to execute the candidate's file (`ENOEXEC` in execve(2)), and no shell does it.
    /// bubblewrap would have a shell do it, and no engine does.
    fn unknown_format(&self) -> Option<&str> {
        let program = self.command.first().filter(|_| !self.by_shell)?;
        let mut file = File::open(self.candidate.folder().join(program.strip_prefix("/usr/local/")?)).ok()?;
        let mut begin = Vec::new();
        (&mut file).take(FORMATS[1].len() as u64).read_to_end(&mut begin).ok()?;
        let known = FORMATS.iter().any(|format| begin.starts_with(format));
        (!known).then_some(program)
    }
}

/// How a program ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// Its exit code; `None` when it was stopped.
    pub exit_code: Option<i64>,
    /// What it wrote to standard output and standard error, in order.
    pub log: Captured,
    /// How long it ran.
    pub took: Duration,
}

impl End {
    /// As an engine tells it.
    fn unknown_format(program: &str) -> Self {
        let log = Captured::from(vec![format!("exec {program}: exec format error")]);
        Self { exit_code: Some(1), log, took: Duration::ZERO }
    }
}

impl Sandboxes {
    /// Finds bubblewrap, or unpacks it into the cache, and makes what all sandboxes share.
    ///
    /// # Errors
    /// When bubblewrap is not available or is not permitted to do its work.
    pub(crate) async fn new(
        cache: &Path,
        offline: bool,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, SandboxError> {
        let own_users = std::env::var_os(IN_CONTAINER).is_none();
        let user = if own_users { HostUser::of_process() } else { HostUser::Same };
        // There may be much to remove that others left.
        let place = cache.to_owned();
        let made = tokio::task::spawn_blocking(move || ScratchFolder::new(&place)).await;
        let (folder, warnings) = made.map_err(io::Error::from).flatten().map_err(SandboxError::io(cache))?;
        for line in &warnings {
            progress(line);
        }
        // Beside what follows: there may be much to copy.
        let copy = folder.path().join("program");
        let finding = tokio::task::spawn_blocking(move || Program::running(user, &copy));
        let tools = Tools::new(cache, offline, folder.path(), progress).await?;
        let programs = folder.path().join("usr-bin");
        programs::link(&programs, Path::new("/usr/bin"), Path::new(HOST)).map_err(SandboxError::io(&programs))?;
        let own = |error| SandboxError::io("the running program")(error);
        let program = finding.await.map_err(io::Error::from).flatten().map_err(own)?;
        let keeper = Keeper::start(program.path(), folder.path()).map_err(own)?;
        let starter = Starter::start(program.path(), &tools.bubblewrap, user).map_err(own)?;
        folder.note_groups().map_err(SandboxError::io(folder.path()))?;
        let groups = Groups::new(&folder.name());
        Ok(Self {
            tools,
            limit: LIMIT,
            own_users,
            user,
            program,
            starter,
            keeper,
            groups,
            folder,
            programs,
            host_folders: HostFolders::of_machine(),
        })
    }

    /// What keeps a program in a sandbox from the outside, in words.
    pub(crate) fn isolation(&self) -> String {
        let users = match (self.own_users, self.user) {
            (true, HostUser::Same) => "own mounts, processes, network and users",
            (true, HostUser::Dedicated(_)) => "own mounts, processes, network and users; an unprivileged user outside",
            (false, _) => {
                "in one container, since this machine permits none of its own: own mounts, processes and network, the \
                 container's root"
            }
        };
        let limits =
            if self.groups.is_some() { "by control groups" } else { "of single processes (no control groups)" };
        format!(
            "{users}; few capabilities and system calls; the host's /usr read-only; stubs of pip, apt-get, git, hg and \
             mod_wsgi-express; limits of memory and processes {limits}"
        )
    }

    /// Whether a sandbox can be made at all.
    ///
    /// # Errors
    /// When it cannot, and why.
    pub(crate) async fn probe(&self) -> Result<(), SandboxError> {
        if self.groups.is_none() && !self.user.can_be_limited() {
            return Err(SandboxError::NoLimits);
        }
        let mut command = self.bubblewrap();
        command.args(self.of_probe()).args(["--", "/usr/bin/true"]);
        let output =
            command.stdin(Stdio::null()).output().await.map_err(SandboxError::io(&self.tools.bubblewrap.program))?;
        if output.status.success() {
            return Ok(());
        }
        Err(SandboxError::refused(&String::from_utf8_lossy(&output.stderr)))
    }

    /// bubblewrap, as the user that is outside of sandboxes.
    fn bubblewrap(&self) -> Command {
        let mut command = self.tools.command();
        if let HostUser::Dedicated(id) = self.user {
            command.uid(id).gid(id);
        }
        command
    }

    /// The folder for files of a candidate.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An empty sandbox, for an application to be put in.
    ///
    /// # Errors
    /// When its files cannot be made.
    pub(crate) fn workspace(&self, orders: &Orders) -> Result<Workspace, SandboxError> {
        let workspace = Workspace::new(self.folder.path(), self.user).map_err(SandboxError::io(self.folder.path()))?;
        skeleton::lay_out(&workspace, &self.host_folders).map_err(SandboxError::io(workspace.root()))?;
        workspace.order(orders)?;
        Ok(workspace)
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When the sandbox cannot be made; never for what the program does.
    pub(crate) async fn run(&self, workspace: &Workspace, start: &Start<'_>) -> Result<End, SandboxError> {
        if let Some(program) = start.unknown_format() {
            return Ok(End::unknown_format(program));
        }
        skeleton::mount_points(workspace, start, &self.host_folders).map_err(SandboxError::io(workspace.root()))?;
        let mut words = self.words(workspace, start);
        words.push("--".into());
        words.extend(self.as_user(start.user).iter().chain(&start.command).map(OsString::from));
        let socket = workspace.given().join(record::SOCKET_FILE);
        let watch = Watch {
            user: self.user,
            filters: &self.tools.filters,
            groups: self.groups.as_ref(),
            keeper: &self.keeper,
            starter: &self.starter,
            folder: workspace.folder(),
            bounds: Bounds { time: start.bounds.time.min(self.limit), ..start.bounds },
        };
        let recorder = Recorder::new(&socket, self.program.identity(), workspace.said());
        let ran = watch.run(&words, recorder.map_err(SandboxError::io(&socket))?).await;
        if !self.program.is_there() {
            return Err(SandboxError::Replaced { program: self.program.path().to_owned() });
        }
        match ran.map_err(|error| self.not_run(error))? {
            Ran::Ended(end) => Ok(end),
            Ran::NotStarted(why) => not_started(&why),
        }
    }

    fn not_run(&self, error: io::Error) -> SandboxError {
        if Gone::is(&error) {
            SandboxError::NoStarter(error)
        } else {
            SandboxError::io(&self.tools.bubblewrap.program)(error)
        }
    }
}

/// The end of a program that bubblewrap could not start, which is a shell's, or why there is no sandbox. Nothing of a candidate has run.
fn not_started(log: &str) -> Result<End, SandboxError> {
    let ended = |exit_code| {
        let log = Captured::from(log.lines().map(str::to_owned).collect::<Vec<_>>());
        Ok(End { exit_code: Some(exit_code), log, took: Duration::ZERO })
    };
    let said = log.lines().next().and_then(|line| line.strip_prefix("bwrap: ")).unwrap_or_default();
    match said.strip_prefix("execvp ") {
        Some(why) if why.ends_with("No such file or directory") => ended(127),
        Some(_) => ended(126),
        // A folder that the candidate has closed to the user: an engine does not start a container in it, either.
        None if said.starts_with("Can't chdir to ") => ended(126),
        None => Err(SandboxError::refused(log)),
    }
}
