//! Who runs the program: the user of the tests, or an ordinary one with files of their own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use super::cache::cache;
use super::program::{NO_ENGINE, program, root, text};
use super::slots::Slot;
use super::suite::Suite;

/// The user id of nobody, whom no files belong to.
const NOBODY: &str = "65534";

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    /// The user of the tests, in CI often root.
    Own,
    /// An ordinary user, where the test may become one.
    Ordinary,
}

/// A place where the person can run the program: a copy of it, of the images and of a cache folder.
pub(crate) struct Place {
    folder: TempDir,
    person: Person,
}

impl Place {
    /// A place with this suite.
    pub(crate) fn new(person: Person, suite: &Suite) -> Self {
        sandboxes_are_there();
        let folder = TempDir::new().expect("a temporary folder");
        let place = Self { folder, person };
        let path = place.path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let copy = |from: &Path, to: &str| {
            let copied = Command::new("cp").arg("-rL").arg(from).arg(path.join(to)).status().expect("cp runs");
            assert!(copied.success(), "{} is copied", from.display());
        };
        copy(program(), "wsgi-proof");
        copy(&root().join("images"), "images");
        copy(&suite.path().join("scenarios"), "scenarios");
        std::fs::create_dir(path.join("cache")).expect("a folder");
        if cache().join("sandbox").exists() {
            copy(&cache().join("sandbox"), "cache/sandbox");
        }
        if place.becomes_nobody() {
            let owner = format!("{NOBODY}:{NOBODY}");
            let given = Command::new("chown").arg("-R").arg(owner).arg(path).status().expect("chown runs");
            assert!(given.success());
        }
        place
    }

    /// The folder that all is in.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A call of the program, with a report in the folder `report`.
    pub(crate) fn call(&self, arguments: &[&str]) -> Command {
        let program = self.path().join("wsgi-proof");
        let mut command = if self.becomes_nobody() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .args(["run", "--tier", "contract", "--report", "report"])
            .args(arguments)
            .current_dir(self.path())
            .env("WSGI_PROOF_CACHE", self.path().join("cache"))
            .env("HOME", self.path())
            .env("DOCKER_HOST", NO_ENGINE)
            .env("NO_COLOR", "1")
            .env_remove("WSGI_PROOF_SUITE")
            .env_remove("GITHUB_ACTIONS");
        command
    }

    /// Runs the program; how it ended, and its report.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Output, Value) {
        self.report_of(self.call(arguments))
    }

    /// The same from a shell that has a file of its own open as descriptor 9, and a variable that is nobody else's business.
    pub(crate) fn run_with_descriptor(&self, arguments: &[&str], file: &Path) -> (Output, Value) {
        let call = self.call(arguments);
        let mut shell = Command::new("sh");
        shell.args(["-c", "file=$1; shift; exec \"$@\" 9< \"$file\"", "sh"]).arg(file);
        shell.arg(call.get_program()).args(call.get_args()).current_dir(self.path());
        for (name, value) in call.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("WSGI_PROOF_SECRET", "x");
        self.report_of(shell)
    }

    fn report_of(&self, mut command: Command) -> (Output, Value) {
        let _slot = Slot::take();
        let output = command.output().expect("the program runs");
        let report = std::fs::read(self.path().join("report/report.json"))
            .unwrap_or_else(|error| panic!("no report: {error}\n{}", text(&output)));
        (output, serde_json::from_slice(&report).expect("report.json is JSON"))
    }

    fn becomes_nobody(&self) -> bool {
        self.person == Person::Ordinary && rustix::process::geteuid().is_root()
    }
}

/// Sees to it that the cache folder has what sandboxes take.
fn sandboxes_are_there() {
    static THERE: OnceLock<()> = OnceLock::new();
    THERE.get_or_init(|| {
        let _slot = Slot::take();
        let run = super::program::without_engine(&["run", "--tier", "contract", "=hello-wsgi"]).output();
        let output = run.expect("the program runs");
        assert!(output.status.success(), "{}", text(&output));
    });
}
