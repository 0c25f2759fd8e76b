//! A place that another user can read, with a copy of the program and a suite: some things hold for root alone, or for everybody but root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::program::{NO_ENGINE, program, root, text, without_engine};
use super::slots::Slot;
use super::suite::Suite;

/// The contract tier's sandboxes in memory, by their user's id.
const MEMORY: &str = "/dev/shm/wsgi-proof-";

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Who runs the tests.
    Own,
    /// Somebody without rights. The same as the other one where the tests are run by such a user.
    Ordinary,
}

/// A suite, a program and a cache folder for one user.
pub(crate) struct Place {
    folder: TempDir,
    suite: Suite,
    /// The id of another user, as whom the program is run.
    other: Option<u32>,
}

impl Place {
    pub(crate) fn of(user: User) -> Self {
        static USERS: AtomicU32 = AtomicU32::new(0);
        sandboxes_are_there();
        let own = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
        let number = std::process::id() % 20_000 * 50 + USERS.fetch_add(1, Ordering::SeqCst) % 50;
        let other = (user == User::Ordinary && own == 0).then_some(100_000 + number);
        let place = Self { folder: TempDir::new().unwrap(), suite: Suite::new(), other };
        // The suite has a link to the repository, which the other user may not be able to read.
        let images = place.suite.path().join("images");
        fs::remove_file(&images).unwrap();
        copy(&root().join("images"), &images);
        for folder in [place.path(), place.suite.path()] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        fs::copy(program(), place.path().join("wsgi-proof")).unwrap();
        for name in ["cache", "home"] {
            let folder = place.path().join(name);
            fs::create_dir(&folder).unwrap();
            chown(&folder, other, other).unwrap();
        }
        // Its sandbox needs no download.
        let sandbox = super::cache::cache().join("sandbox");
        if sandbox.exists() {
            copy(&sandbox, &place.path().join("cache/sandbox"));
            let changed = Command::new("chown").arg("-R").arg(place.id(own)).arg(place.path().join("cache")).status();
            assert!(changed.unwrap().success());
        }
        place
    }

    fn id(&self, own: u32) -> String {
        self.other.unwrap_or(own).to_string()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn suite(&self) -> &Suite {
        &self.suite
    }

    /// The repository's own suite, which the user can read.
    pub(crate) fn whole_suite(&self) -> PathBuf {
        let folder = self.path().join("whole");
        if !folder.exists() {
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
            for name in ["images", "scenarios"] {
                copy(&root().join(name), &folder.join(name));
            }
        }
        folder
    }

    pub(crate) fn is_of_another_user(&self) -> bool {
        self.other.is_some()
    }

    /// Where the user's sandboxes are.
    pub(crate) fn sandboxes(&self) -> PathBuf {
        let own = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
        PathBuf::from(format!("{MEMORY}{}", self.id(own)))
    }

    /// A folder with a build step, as `--steps` takes it.
    pub(crate) fn steps(&self, build: &str) -> PathBuf {
        let folder = self.path().join("steps");
        fs::create_dir_all(&folder).unwrap();
        let step = folder.join("mod_wsgi-docker-build");
        drop(fs::remove_file(&step));
        fs::write(&step, build).unwrap();
        fs::set_permissions(&step, Permissions::from_mode(0o755)).unwrap();
        folder
    }

    /// A call of the program as the user, with an end even where the program has none.
    pub(crate) fn call(&self, arguments: &[&str]) -> Command {
        let mut words = vec!["timeout".to_owned(), "--signal=KILL".to_owned(), "120".to_owned()];
        if let Some(id) = self.other {
            words.extend(["setpriv", "--reuid", &id.to_string(), "--regid", &id.to_string()].map(str::to_owned));
            words.extend(["--clear-groups", "--"].map(str::to_owned));
        }
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg(self.path().join("wsgi-proof"))
            .args(arguments)
            .current_dir(self.suite.path())
            .env_remove("WSGI_PROOF_SUITE")
            .env_remove("GITHUB_ACTIONS")
            .env("NO_COLOR", "1")
            .env("DOCKER_HOST", NO_ENGINE)
            .env("HOME", self.path().join("home"))
            .env("WSGI_PROOF_CACHE", self.path().join("cache"));
        command
    }

    /// A run of the contract tier on these steps.
    pub(crate) fn run(&self, steps: &Path) -> Output {
        self.call(&["run", "--tier", "contract", "--steps", steps.to_str().unwrap()]).output().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.other.is_some() {
            drop(Command::new("rm").arg("-rf").arg(self.sandboxes()).status());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{}", from.display());
    let readable = Command::new("chmod").args(["-R", "a+rX"]).arg(to).status().unwrap();
    assert!(readable.success(), "{}", to.display());
}

/// Sees to it that the cache folder has what sandboxes take, so that no other user has to download it.
fn sandboxes_are_there() {
    static THERE: OnceLock<()> = OnceLock::new();
    THERE.get_or_init(|| {
        let _slot = Slot::take();
        let run = without_engine(&["run", "--tier", "contract", "=hello-wsgi"]).output();
        let output = run.expect("the program runs");
        assert!(output.status.success(), "{}", text(&output));
    });
}
