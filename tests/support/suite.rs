//! A suite of the test's own, to break.

use std::path::Path;

use tempfile::TempDir;

use super::program::root;
use super::run::Run;

/// A suite of one's own: this repository's images, and scenarios written by the test.
pub(crate) struct Suite {
    folder: TempDir,
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// A suite without scenarios.
    pub(crate) fn new() -> Self {
        let suite = Self { folder: TempDir::new().expect("a temporary folder") };
        std::os::unix::fs::symlink(root().join("images"), suite.path().join("images")).expect("a link");
        suite.write(
            "packages.lock",
            &std::fs::read_to_string(root().join("scenarios/packages.lock")).expect("the lock"),
        );
        // It has no contract.
        suite.write("contract.toml", "version = 1\n");
        // Its runs are held to no counts.
        suite.write("assertions.lock", "version = 2\n");
        suite
    }

    /// The suite's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below `scenarios/`.
    pub(crate) fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.path().join("scenarios").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// Removes a file below `scenarios/`.
    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join("scenarios").join(path)).expect("a file that was there");
    }

    /// Adds a hello application with this scenario file. Where that neither serves nor says why, it says so.
    pub(crate) fn hello(&self, name: &str, scenario: &str) -> &Self {
        let served = scenario.contains("[serve") || scenario.contains("nothing_to_serve");
        let scenario = match scenario.find("[build]") {
            Some(place) if !served && scenario.contains("outcome = \"success\"") => {
                let (head, rest) = scenario.split_at(scenario.find("\n[").unwrap_or(place));
                format!("{}\nnothing_to_serve = \"the test looks at something else\"\n{rest}", head.trim_end())
            }
            _ => scenario.to_owned(),
        };
        let scenario = scenario.as_str();
        self.write(&format!("{name}/scenario.toml"), scenario)
            .write(&format!("{name}/app/Dockerfile"), "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"wsgi.py\" ]\n")
            .write(
                &format!("{name}/app/wsgi.py"),
                "def application(environ, start_response):\n    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [b'Hello World!']\n",
            )
    }

    /// Runs all its scenarios.
    pub(crate) fn run(&self) -> Run {
        self.run_with(&[])
    }

    /// As [`Self::run`], with these arguments beside.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Run {
        Run::of(&[&["--suite", self.path().to_str().expect("a UTF-8 path")], arguments].concat())
    }
}
