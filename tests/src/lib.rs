//! What the tests of the whole program share: the program itself, the suite's folder, and a suite of one's own to break.

#![allow(clippy::expect_used, clippy::missing_panics_doc, clippy::panic, clippy::unwrap_used)]

pub mod proxy;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a member of the workspace").to_owned()
}

/// The program under test, which `cargo test` has built beside the tests.
pub fn program() -> PathBuf {
    let tests = std::env::current_exe().expect("a test has a file");
    let program = tests.ancestors().nth(2).expect("target/PROFILE").join("wsgi-proof");
    let built = program
        .metadata()
        .and_then(|data| data.modified())
        .unwrap_or_else(|_| panic!("{} is not built: run `cargo test` for the whole workspace", program.display()));
    assert!(
        newest(&root().join("harness/src")) <= built,
        "{} is older than its source: run `cargo test` for the whole workspace",
        program.display()
    );
    program
}

/// The folder with the steps of the compiled alternative, which is built first.
pub fn compiled_alternative() -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(root()).args(["build", "--locked", "--offline", "--package", "compiled-alternative"]);
    assert!(build.status().expect("cargo runs").success(), "the compiled alternative cannot be built");
    program().parent().expect("target/PROFILE").to_owned()
}

/// One of the repository's files of `images/base`, with one change.
pub fn changed(file: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(root().join("images/base").join(file)).expect("a file of images/base");
    let changed = text.replace(from, to);
    assert_ne!(text, changed, "{file} no longer has `{from}`: bring this test up to date");
    changed
}

fn newest(folder: &Path) -> SystemTime {
    let entries = folder.read_dir().expect("a folder of the workspace").map(|entry| entry.expect("an entry").path());
    let times = entries.filter_map(|path| match path.extension() {
        _ if path.is_dir() => Some(newest(&path)),
        Some(extension) if extension == "rs" => path.metadata().and_then(|data| data.modified()).ok(),
        _ => None,
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A call of the program, from the workspace's root.
pub fn wsgi_proof(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = Command::new(program());
    command
        .current_dir(root())
        .args(arguments)
        .env_remove("WSGI_PROOF_SUITE")
        .env_remove("GITHUB_ACTIONS")
        .env("NO_COLOR", "1");
    assert_cmd::Command::from_std(command)
}

/// What a finished run left: how it ended, and its report.
pub struct Run {
    /// How the program ended.
    pub assert: Assert,
    /// `report.json`.
    pub report: Value,
    /// `junit.xml`.
    pub junit: String,
}

impl Run {
    /// Runs the program with a report, with these arguments beside.
    pub fn of(arguments: &[&str]) -> Self {
        Self::with(&[], arguments)
    }

    /// Runs the program with a report, with these environment variables and arguments beside.
    pub fn with(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        warm();
        Self::cold(environment, arguments)
    }

    /// As [`Self::with`], without seeing to it that there is an engine.
    pub fn cold(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let place = folder.path().to_str().expect("a UTF-8 path");
        let mut command = wsgi_proof(&[&["run", "--report", place], arguments].concat());
        let assert = command.envs(environment.iter().copied()).assert();
        let read = |name: &str| {
            std::fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| {
                panic!("no {name}: {error}\n{}", String::from_utf8_lossy(&assert.get_output().stderr))
            })
        };
        let report = serde_json::from_str(&read("report.json")).expect("report.json is JSON");
        Self { report, junit: read("junit.xml"), assert }
    }

    /// The verdict of a scenario.
    pub fn verdict(&self, name: &str) -> &str {
        let scenarios = self.report["scenarios"].as_array().expect("scenarios");
        let found = scenarios.iter().find(|scenario| scenario["name"] == name);
        found.and_then(|scenario| scenario["verdict"].as_str()).unwrap_or("not reported")
    }

    /// What the report says of a scenario.
    pub fn scenario(&self, name: &str) -> String {
        let scenarios = self.report["scenarios"].as_array().expect("scenarios");
        let found = scenarios.iter().find(|scenario| scenario["name"] == name);
        found.map_or_else(|| self.output(), |scenario| format!("{scenario:#}"))
    }

    /// The names of the assertions of a scenario that did not hold.
    pub fn broken(&self, name: &str) -> Vec<String> {
        let scenarios = self.report["scenarios"].as_array().expect("scenarios");
        scenarios
            .iter()
            .filter(|scenario| scenario["name"] == name)
            .flat_map(|scenario| scenario["findings"].as_array().expect("findings"))
            .filter(|finding| finding["outcome"]["broken"].is_object())
            .map(|finding| finding["check"].as_str().expect("a check").to_owned())
            .collect()
    }

    /// What the program printed.
    pub fn output(&self) -> String {
        let output = self.assert.get_output();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }
}

/// Sees to it once that engine and images are there, so that tests which run at the same time do not all make them.
fn warm() {
    static WARM: OnceLock<()> = OnceLock::new();
    WARM.get_or_init(|| drop(wsgi_proof(&["run", "=hello-wsgi"]).assert().success()));
}

/// A suite of one's own: this repository's images, and scenarios written by the test.
pub struct Suite {
    folder: TempDir,
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// A suite without scenarios.
    pub fn new() -> Self {
        let suite = Self { folder: TempDir::new().expect("a temporary folder") };
        std::os::unix::fs::symlink(root().join("images"), suite.path().join("images")).expect("a link");
        suite.write(
            "packages.lock",
            &std::fs::read_to_string(root().join("scenarios/packages.lock")).expect("the lock"),
        );
        suite
    }

    /// The suite's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below `scenarios/`.
    pub fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.path().join("scenarios").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// Adds a hello application with this scenario file. Where that neither serves nor says why, it says so.
    pub fn hello(&self, name: &str, scenario: &str) -> &Self {
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
    pub fn run(&self) -> Run {
        Run::of(&["--suite", self.path().to_str().expect("a UTF-8 path")])
    }
}

/// A private engine of the test's own, on a cache folder that shares packages, distribution and fixtures with the user's.
pub struct PrivateEngine {
    folder: TempDir,
    docker_host: String,
}

impl PrivateEngine {
    /// Starts one.
    pub fn start() -> Self {
        warm();
        let folder = TempDir::new().expect("a temporary folder");
        let shared = cache();
        std::fs::create_dir_all(folder.path().join("engine")).expect("a folder");
        for name in ["store", "distributions", "engine/tree"] {
            if shared.join(name).exists() {
                std::os::unix::fs::symlink(shared.join(name), folder.path().join(name)).expect("a link");
            }
        }
        let mut engine = Self { folder, docker_host: String::new() };
        let output = engine.command(&["engine", "start"]).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).expect("text");
        text.trim().strip_prefix("DOCKER_HOST=").expect("a DOCKER_HOST").clone_into(&mut engine.docker_host);
        engine
    }

    /// Its address.
    pub fn docker_host(&self) -> &str {
        &self.docker_host
    }

    /// Its cache folder.
    pub fn cache(&self) -> &Path {
        self.folder.path()
    }

    /// A call of the program with this engine's cache folder.
    pub fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = wsgi_proof(arguments);
        command.env("WSGI_PROOF_CACHE", self.cache()).env_remove("DOCKER_HOST");
        if !self.docker_host.is_empty() {
            command.env("DOCKER_HOST", &self.docker_host);
        }
        command
    }

    /// Gives it an image without any files, for an architecture that few machines have.
    pub fn load_foreign_image(&self, name: &str) {
        let config = r#"{"architecture":"s390x","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;
        let manifest = format!(r#"[{{"Config":"config.json","RepoTags":["{name}"],"Layers":[]}}]"#);
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in [("config.json", config), ("manifest.json", manifest.as_str())] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, text.as_bytes()).expect("in memory");
        }
        let archive = archive.into_inner().expect("in memory");
        let socket = self.docker_host.strip_prefix("unix://").expect("a socket");
        let mut stream = UnixStream::connect(socket).expect("the engine listens");
        let head = format!("POST /images/load HTTP/1.0\r\nContent-Length: {}\r\n\r\n", archive.len());
        stream.write_all(&[head.as_bytes(), &archive].concat()).expect("the engine reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the engine answers");
        assert!(answer.contains("Loaded image"), "{answer}");
    }

    /// What `prune` would remove.
    pub fn leftovers(&self) -> Vec<String> {
        let output = self.command(&["prune", "--dry-run"]).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).expect("text");
        text.lines().filter(|line| line.starts_with("would remove")).map(str::to_owned).collect()
    }

    fn pid(&self) -> String {
        let pid = std::fs::read_to_string(self.cache().join("engine/docker.pid")).expect("a pid");
        pid.trim().to_owned()
    }

    /// Kills the daemon, as a crash would.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Sends the daemon a signal.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.pid()]).status().expect("kill").success());
    }

    /// A command that runs what its further arguments say in the engine's network namespace.
    pub fn entering(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid()));
        command
    }

    /// Runs a command in the engine's network namespace.
    pub fn inside(&self, command: &[&str]) {
        assert!(self.entering().args(command).status().expect("nsenter runs").success(), "{command:?}");
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        // After a kill it is started once more, so that it ends its containers and takes its mounts away itself.
        for action in ["start", "stop"] {
            drop(self.command(&["engine", action]).output());
        }
    }
}

/// Another cache folder, with the fixtures and the distribution of the one that is used by default.
pub fn other_cache() -> TempDir {
    warm();
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["store", "distributions"] {
        if cache().join(name).exists() {
            std::os::unix::fs::symlink(cache().join(name), folder.path().join(name)).expect("a link");
        }
    }
    folder
}

/// The address of the engine that the program uses by default.
pub fn docker_host() -> String {
    warm();
    let output = wsgi_proof(&["doctor"]).output().expect("the program runs").stdout;
    let text = String::from_utf8(output).expect("text");
    let line = text.lines().find(|line| line.starts_with("would use ")).expect("doctor names the engine");
    line.rsplit("DOCKER_HOST=").next().expect("the engine's address").to_owned()
}

/// The cache folder that the program uses by default.
pub fn cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    variable("WSGI_PROOF_CACHE").unwrap_or_else(|| {
        variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .expect("a home folder")
            .join("wsgi-proof")
    })
}
