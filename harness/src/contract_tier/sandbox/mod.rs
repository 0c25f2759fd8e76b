//! The sandbox of the contract tier: a program runs in namespaces of its own (mount, process, network, user), on a root of its
//! own, with the host's `/usr` to read and stubs of what would reach outside. It is made by bubblewrap.

mod candidate;
mod error;
mod programs;
mod scratch;
mod workspace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::contract_tier::stub::record::{self, Orders};
use crate::engine::private::Toolbox;
use crate::outcome::with_causes;

use scratch::ScratchFolder;

pub(crate) use candidate::Candidate;
pub(crate) use error::SandboxError;
pub(crate) use scratch::remove_stale;
pub(crate) use workspace::Workspace;

/// The search path in the sandbox: the images'.
pub(crate) const PATH: &str = "/usr/local/wsgi/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the program of the stubs is in the sandbox.
const PROGRAM: &str = "/run/wsgi-proof/program";
/// Where the host's `/usr` is in the sandbox, beside the one without the programs that have stubs.
const HOST: &str = "/run/host/usr";
/// Folders of the root that things are mounted on.
const MOUNTS: [&str; 13] = [
    "app",
    "dev",
    "etc",
    "proc",
    "root",
    "run/host/usr",
    "run/stubs",
    "run/wsgi-proof",
    "tmp",
    "usr",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/tmp",
];
/// Set in the container that this program runs in where the machine permits no namespaces.
pub(crate) const IN_CONTAINER: &str = "WSGI_PROOF_IN_CONTAINER";
/// Folders of the root that are the host's own, or links into `/usr`.
const HOST_FOLDERS: [&str; 5] = ["bin", "lib", "lib32", "lib64", "sbin"];
/// What programs look up in `/etc`: copied, since each thing mounted costs each sandbox more than a small file.
const ETC: [&str; 4] = ["group", "ld.so.cache", "localtime", "passwd"];
/// Where the candidate's folder has the links of `/etc/alternatives`.
const ALTERNATIVES: &str = "/usr/local/etc/alternatives";
/// How long a program may run, unless another limit is set.
const LIMIT: Duration = Duration::from_secs(60);
/// The most that is read of a log, in bytes.
const MAX_LOG: u64 = 16 << 20;

#[derive(Debug)]
pub(crate) struct Sandboxes {
    bubblewrap: PathBuf,
    toolbox: Toolbox,
    program: PathBuf,
    /// How long a program may run.
    pub limit: Duration,
    /// Whether sandboxes have users of their own. In a container, where that is not permitted, they
    /// have the container's, who is root.
    own_users: bool,
    /// The folder in which each sandbox has its own.
    folder: ScratchFolder,
    programs: PathBuf,
}

/// How a program is started in a sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Start<'a> {
    /// The candidate whose files are in `/usr/local`.
    pub candidate: &'a Candidate,
    /// The program and its arguments.
    pub command: Vec<String>,
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
}

/// How a program ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// Its exit code; `None` when it was still running at its limit, and was killed.
    pub exit_code: Option<i64>,
    /// What it wrote to standard output and standard error, in order.
    pub log: Vec<String>,
    /// How long it ran.
    pub took: Duration,
}

impl Sandboxes {
    /// Finds bubblewrap, or unpacks it into the cache, and makes what all sandboxes share. `folder` is where they have their files.
    ///
    /// # Errors
    /// When bubblewrap is not available or is not permitted to do its work.
    pub(crate) async fn new(
        cache: &Path,
        offline: bool,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, SandboxError> {
        let missing = |why: String| SandboxError::NoBubblewrap { why };
        let toolbox = Toolbox::of_sandbox(cache)
            .fill(&["bwrap"], offline, progress)
            .await
            .map_err(|error| missing(with_causes(&error)))?;
        let bubblewrap = toolbox.program("bwrap").ok_or_else(|| missing("it is not in its package".to_owned()))?;
        let program = std::env::current_exe().map_err(SandboxError::io("the running program"))?;
        let folder = ScratchFolder::new(cache).map_err(SandboxError::io(cache))?;
        let programs = folder.path().join("usr-bin");
        programs::link(&programs, Path::new("/usr/bin"), Path::new(HOST)).map_err(SandboxError::io(&programs))?;
        let own_users = std::env::var_os(IN_CONTAINER).is_none();
        Ok(Self { bubblewrap, toolbox, program, limit: LIMIT, own_users, folder, programs })
    }

    /// What keeps a program in a sandbox from the outside, in words.
    pub(crate) fn isolation(&self) -> &'static str {
        if self.own_users {
            "own mounts, processes, network and users; the host's /usr read-only; stubs of pip, apt-get, git, hg and \
             mod_wsgi-express"
        } else {
            "in one container, since this machine permits no user namespaces: own mounts, processes and network, the \
             container's root; the host's /usr read-only; stubs of pip, apt-get, git, hg and mod_wsgi-express"
        }
    }

    /// Whether a sandbox can be made at all.
    ///
    /// # Errors
    /// When it cannot, and why.
    pub(crate) async fn probe(&self) -> Result<(), SandboxError> {
        let mut command = self.toolbox.command(&self.bubblewrap);
        // Not all of `/`: mounts come and go below it, as those of an engine do, and one that goes meanwhile is an error.
        command.args(self.namespaces((0, 0))).args(["--ro-bind", "/usr", "/usr"]);
        for name in HOST_FOLDERS {
            let (host, own) = (Path::new("/").join(name), format!("/{name}"));
            if let Ok(target) = fs::read_link(&host) {
                command.arg("--symlink").arg(target).arg(own);
            } else if host.is_dir() {
                command.arg("--ro-bind").arg(&host).arg(own);
            }
        }
        command.args(["--proc", "/proc", "--", "/usr/bin/true"]);
        let output = command.stdin(Stdio::null()).output().await.map_err(SandboxError::io(&self.bubblewrap))?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("bwrap: ").to_owned();
        Err(SandboxError::Refused { why })
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
        let folder = tempfile::Builder::new()
            .prefix("workspace-")
            .tempdir_in(self.folder.path())
            .map_err(SandboxError::io(self.folder.path()))?;
        let workspace = Workspace { folder };
        let base = workspace.root();
        for name in MOUNTS {
            let path = base.join(name);
            fs::create_dir_all(&path).map_err(SandboxError::io(&path))?;
        }
        for name in HOST_FOLDERS {
            let (host, own) = (Path::new("/").join(name), base.join(name));
            if let Ok(target) = fs::read_link(&host) {
                std::os::unix::fs::symlink(target, &own).map_err(SandboxError::io(&own))?;
            } else if host.is_dir() {
                fs::create_dir(&own).map_err(SandboxError::io(&own))?;
            }
        }
        for name in ETC {
            let (host, own) = (Path::new("/etc").join(name), base.join("etc").join(name));
            if host.is_file() {
                fs::copy(&host, &own).map_err(SandboxError::io(&own))?;
            }
        }
        let alternatives = base.join("etc/alternatives");
        std::os::unix::fs::symlink(ALTERNATIVES, &alternatives).map_err(SandboxError::io(&alternatives))?;
        let program = base.join(PROGRAM.trim_start_matches('/'));
        fs::write(&program, "").map_err(SandboxError::io(&program))?;
        workspace.order(orders)?;
        Ok(workspace)
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When the sandbox cannot be made; never for what the program does.
    pub(crate) async fn run(&self, workspace: &Workspace, start: &Start<'_>) -> Result<End, SandboxError> {
        let path = workspace.folder.path().join("log");
        let log = File::create(&path).map_err(SandboxError::io(&path))?;
        let errors = log.try_clone().map_err(SandboxError::io(&path))?;
        let mut command = self.toolbox.command(&self.bubblewrap);
        command.args(self.arguments(workspace, start)).arg("--").args(self.as_user(start.user)).args(&start.command);
        command.stdin(Stdio::null()).stdout(log).stderr(errors).kill_on_drop(true);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(SandboxError::io(&self.bubblewrap))?;
        let status = match tokio::time::timeout(self.limit, child.wait()).await {
            Ok(status) => Some(status.map_err(SandboxError::io(&self.bubblewrap))?),
            Err(_) => {
                // bubblewrap takes everything in the sandbox with it.
                child.kill().await.map_err(SandboxError::io(&self.bubblewrap))?;
                None
            }
        };
        let took = begun.elapsed();
        let lines = read_log(&path).map_err(SandboxError::io(&path))?;
        let exit_code = match status {
            Some(status) => Some(exit_code(status, &lines)?),
            None => None,
        };
        Ok(End { exit_code, log: lines, took })
    }

    /// The words for namespaces of its own, with a user.
    fn namespaces(&self, (user, group): (u32, u32)) -> Vec<OsString> {
        let mut words = Words::default();
        words.add(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]);
        if self.own_users {
            words.add(["--unshare-user", "--uid", &user.to_string(), "--gid", &group.to_string()]);
        }
        if user == 0 || !self.own_users {
            words.add(["--cap-add", "ALL"]);
        }
        words.0
    }

    /// The words that have a program run as a user whom the sandbox does not have as its own.
    fn as_user(&self, (user, group): (u32, u32)) -> Vec<String> {
        if self.own_users || user == 0 {
            return Vec::new();
        }
        let words = ["setpriv", "--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups", "--"];
        words.map(str::to_owned).to_vec()
    }

    fn arguments(&self, workspace: &Workspace, start: &Start<'_>) -> Vec<OsString> {
        let mut words = Words(self.namespaces(start.user));
        words.add(["--hostname", "wsgi-proof", "--as-pid-1", "--die-with-parent", "--new-session"]);
        words.mount(if start.read_only { "--ro-bind" } else { "--bind" }, &workspace.root(), "/");
        words.mount("--ro-bind", Path::new("/usr"), "/usr");
        words.mount("--ro-bind", Path::new("/usr"), HOST);
        words.mount("--ro-bind", &self.programs, "/usr/bin");
        // Python packages of the host would be found by the application.
        for folder in ["/usr/lib/python3/dist-packages", "/run/host/usr/lib/python3/dist-packages"] {
            if Path::new("/usr/lib/python3/dist-packages").is_dir() {
                words.add(["--tmpfs", folder]);
            }
        }
        words.mount("--ro-bind", start.candidate.folder(), "/usr/local");
        for name in HOST_FOLDERS.map(|name| format!("/{name}")) {
            let host = Path::new(&name);
            if host.is_dir() && !host.is_symlink() {
                words.mount("--ro-bind", host, &name);
            }
        }
        words.mount("--ro-bind", &self.program, PROGRAM);
        words.mount("--bind", &workspace.stubs(), record::FOLDER);
        words.add(["--proc", "/proc", "--dev", "/dev"]);
        if !start.keeps_tmp {
            words.add(["--tmpfs", "/tmp"]);
        }
        for path in &start.tmpfs {
            words.add(["--tmpfs", path]);
        }
        if let Some((folder, writable)) = start.volume {
            words.mount(if writable { "--bind" } else { "--ro-bind" }, folder, "/app");
        }
        words.add(["--chdir", "/app", "--clearenv"]);
        let modules = format!("{}:/usr/local/wsgi/site", record::MODULES);
        let usual = [
            ("PATH", PATH),
            ("LANG", "C.UTF-8"),
            ("HOME", "/root"),
            ("PYTHONPATH", &modules),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ];
        let given = start.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in usual.into_iter().chain(given) {
            words.add(["--setenv", name, value]);
        }
        words.0
    }
}

/// The words of a command line.
#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    fn mount(&mut self, how: &str, from: &Path, to: &str) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }
}

fn read_log(path: &Path) -> io::Result<Vec<String>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LOG).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect())
}

/// The program's exit code; that of a shell where a signal ended it or it could not be started.
fn exit_code(status: std::process::ExitStatus, log: &[String]) -> Result<i64, SandboxError> {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
    match log.first().and_then(|line| line.strip_prefix("bwrap: ")) {
        Some(why) if code == 1 && why.starts_with("execvp ") => {
            Ok(if why.ends_with("No such file or directory") { 127 } else { 126 })
        }
        Some(why) if code == 1 => Err(SandboxError::Refused { why: why.to_owned() }),
        _ => Ok(i64::from(code)),
    }
}
