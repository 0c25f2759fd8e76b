//! The command line of bubblewrap.

use std::ffi::OsString;
use std::path::Path;

use super::running::{FILTER, GO, STATUS};
use super::skeleton::PROGRAM as EMPTY;
use super::{HOST, PATH, PROGRAM, Sandboxes, Start, Workspace};
use crate::contract_tier::stub::record;

/// What root may do in a sandbox: of what it may in a container, that which does not reach beyond files, users and processes of its own.
const CAPABILITIES: [&str; 8] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETUID",
];

/// What tells of the keys of a user that the kernel holds.
const KEYS: [&str; 2] = ["/proc/keys", "/proc/key-users"];

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

impl Sandboxes {
    /// The words for namespaces of its own, with a user.
    fn namespaces(&self, (user, group): (u32, u32)) -> Words {
        let mut words = Words::default();
        words.add(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]);
        if self.own_users {
            words.add(["--unshare-user", "--uid", &user.to_string(), "--gid", &group.to_string()]);
            if self.tools.keeps_from_users {
                words.add(["--disable-userns"]);
            }
        }
        words.add(["--cap-drop", "ALL"]);
        if user == 0 || !self.own_users {
            for capability in CAPABILITIES {
                words.add(["--cap-add", capability]);
            }
        }
        words
    }

    /// The words that have a program run as a user whom the sandbox does not have as its own.
    pub(super) fn as_user(&self, (user, group): (u32, u32)) -> Vec<String> {
        if self.own_users || user == 0 {
            return Vec::new();
        }
        let words = ["setpriv", "--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups", "--"];
        words.map(str::to_owned).to_vec()
    }

    /// The words for a sandbox that has nothing but this machine's programs.
    pub(super) fn of_probe(&self) -> Vec<OsString> {
        let mut words = self.namespaces((0, 0));
        // Not all of `/`: mounts come and go below it, as those of an engine do, and one that goes meanwhile is an error.
        words.mount("--ro-bind", Path::new("/usr"), "/usr");
        for (name, target) in &self.host_folders.links {
            words.mount("--symlink", target, &format!("/{name}"));
        }
        self.mount_host_folders(&mut words);
        words.add(["--proc", "/proc"]);
        words.0
    }

    fn mount_host_folders(&self, words: &mut Words) {
        for name in &self.host_folders.mounts {
            let path = format!("/{name}");
            words.mount("--ro-bind", Path::new(&path), &path);
        }
    }

    /// The words for the sandbox of a candidate.
    pub(super) fn words(&self, workspace: &Workspace, start: &Start<'_>) -> Vec<OsString> {
        let mut words = self.namespaces(start.user);
        words.add(["--hostname", "wsgi-proof", "--as-pid-1", "--die-with-parent", "--new-session"]);
        words.add(["--json-status-fd", &STATUS.to_string(), "--block-fd", &GO.to_string()]);
        for descriptor in (FILTER..).take(self.tools.filters.len()) {
            words.add([
                if self.tools.keeps_from_users { "--add-seccomp-fd" } else { "--seccomp" },
                &descriptor.to_string(),
            ]);
        }
        words.mount(if start.read_only { "--ro-bind" } else { "--bind" }, &workspace.root(), "/");
        words.mount("--ro-bind", Path::new("/usr"), "/usr");
        words.mount("--ro-bind", Path::new("/usr"), HOST);
        words.mount("--ro-bind", &self.programs, "/usr/bin");
        // Python packages of the host would be found by the application.
        for folder in ["/usr/lib/python3/dist-packages", "/run/host/usr/lib/python3/dist-packages"] {
            if Path::new("/usr/lib/python3/dist-packages").is_dir() {
                words.add(["--tmpfs", folder, "--remount-ro", folder]);
            }
        }
        words.mount("--ro-bind", start.candidate.folder(), "/usr/local");
        self.mount_host_folders(&mut words);
        words.mount("--ro-bind", &workspace.given(), record::GIVEN);
        words.mount("--ro-bind", self.program.path(), PROGRAM);
        words.mount("--bind", &workspace.stubs(), record::FOLDER);
        words.add(["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]);
        // The kernel's keys are those of this machine's user.
        for path in KEYS.into_iter().filter(|path| Path::new(path).exists()) {
            words.mount("--ro-bind", &workspace.given().join(EMPTY), path);
        }
        let size = start.bounds.disk.to_string();
        let kept = (!start.keeps_tmp).then_some("/tmp");
        for path in kept.into_iter().chain(["/dev/shm"]).chain(start.tmpfs.iter().map(String::as_str)) {
            words.add(["--perms", "1777", "--size", &size, "--tmpfs", path]);
        }
        if let Some((folder, writable)) = start.volume {
            words.mount(if writable { "--bind" } else { "--ro-bind" }, folder, "/app");
        }
        words.add(["--chdir", "/app", "--clearenv"]);
        let usual = [("PATH", PATH), ("LANG", "C.UTF-8"), ("HOME", "/root"), ("PYTHONDONTWRITEBYTECODE", "1")];
        let given = start.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in usual.into_iter().chain(given) {
            words.add(["--setenv", name, value]);
        }
        words.0
    }
}
