//! Private engines, for tests that kill them, or look at all that is left on them.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::{cache, first_run, share};
use super::program::call;
use super::slots::{AT_ONCE, Slot};

/// A private engine that is this test's alone until it is dropped. Its images stay for the next test that takes it, in this run of the
/// tests or a later one: only the first one makes them.
pub(crate) struct PrivateEngine {
    folder: PathBuf,
    docker_host: String,
    /// Whoever holds this file locked has the engine.
    _lock: File,
    _slot: Slot,
}

impl PrivateEngine {
    /// Starts one, with nothing on it but the images of the tests before.
    pub(crate) fn start() -> Self {
        // It has packages and distribution from there.
        first_run();
        let slot = Slot::take();
        let (folder, lock) = free();
        for name in ["engine", "sandbox"] {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        for name in ["store", "distributions", "engine/tree", "engine/tree.json", "sandbox/tree", "sandbox/tree.json"] {
            share(name, &folder);
        }
        let mut engine = Self { folder, docker_host: String::new(), _lock: lock, _slot: slot };
        // One that a test left running which was killed.
        engine.command(&["engine", "stop"]).assert().success();
        let output = engine.command(&["engine", "start"]).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).expect("text");
        text.trim().strip_prefix("DOCKER_HOST=").expect("a DOCKER_HOST").clone_into(&mut engine.docker_host);
        engine.command(&["prune"]).assert().success();
        engine
    }

    /// Its address.
    pub(crate) fn docker_host(&self) -> &str {
        &self.docker_host
    }

    /// Its cache folder.
    pub(crate) fn cache(&self) -> &Path {
        &self.folder
    }

    /// A call of the program with this engine and its cache folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.call(arguments))
    }

    /// The same, for a process that the test watches while it runs.
    pub(crate) fn call(&self, arguments: &[&str]) -> Command {
        let mut command = call(arguments);
        command.env("WSGI_PROOF_CACHE", self.cache()).env_remove("DOCKER_HOST");
        if !self.docker_host.is_empty() {
            command.env("DOCKER_HOST", &self.docker_host);
        }
        command
    }

    /// Gives it an image without any files, for an architecture that few machines have.
    pub(crate) fn load_foreign_image(&self, name: &str) {
        self.load_image(
            name,
            r#"{"architecture":"s390x","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#,
        );
    }

    /// Gives it an image without any files, with this configuration.
    pub(crate) fn load_image(&self, name: &str, config: &str) {
        let manifest = format!(r#"[{{"Config":"config.json","RepoTags":["{name}"],"Layers":[]}}]"#);
        let image = archive([("config.json", config.as_bytes()), ("manifest.json", manifest.as_bytes())]);
        let (_, answer) = self.ask("POST", "/images/load", &image);
        assert!(answer.contains("Loaded image"), "{answer}");
    }

    /// What it knows of an image.
    pub(crate) fn image(&self, name: &str) -> serde_json::Value {
        let (_, answer) = self.ask("GET", &format!("/images/{name}/json"), b"");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
        serde_json::from_str(body).expect("an image")
    }

    /// Asks the engine itself, as another program would: the status and the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        ask(&self.docker_host, method, path, body)
    }

    /// The names of its volumes.
    pub(crate) fn volumes(&self) -> Vec<String> {
        volumes(&self.docker_host)
    }

    /// What `prune` would remove.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let output = self.command(&["prune", "--dry-run"]).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).expect("text");
        text.lines().filter(|line| line.starts_with("would remove")).map(str::to_owned).collect()
    }

    fn pid(&self) -> String {
        let pid = std::fs::read_to_string(self.cache().join("engine/docker.pid")).expect("a pid");
        pid.trim().to_owned()
    }

    /// Kills the daemon, as a crash would.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    /// Sends the daemon a signal.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.pid()]).status().expect("kill").success());
    }

    /// Runs a command in the engine's network namespace.
    pub(crate) fn inside(&self, command: &[&str]) {
        let mut entering = Command::new("nsenter");
        entering.arg(format!("--net=/proc/{}/ns/net", self.pid())).args(command);
        assert!(entering.status().expect("nsenter runs").success(), "{command:?}");
    }
}

/// Asks the engine at this address, as another program would: the status and the answer.
fn ask(docker_host: &str, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let socket = docker_host.strip_prefix("unix://").expect("a socket");
    let mut stream = UnixStream::connect(socket).expect("the engine listens");
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).expect("the engine reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the engine answers");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

/// The names of the volumes of the engine at this address.
pub(crate) fn volumes(docker_host: &str) -> Vec<String> {
    let (status, answer) = ask(docker_host, "GET", "/volumes", b"");
    assert_eq!(status, 200, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let found: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let volumes = found["Volumes"].as_array().into_iter().flatten();
    volumes.map(|volume| volume["Name"].as_str().expect("a name").to_owned()).collect()
}

/// The cache folder of an engine that nobody has, and its lock. There are as many as there are slots, so that other processes alone can
/// have them all.
fn free() -> (PathBuf, File) {
    let all = cache().join("tests");
    std::fs::create_dir_all(&all).expect("a folder");
    let open = |number: usize| {
        let file = File::create(all.join(format!("{number}.lock"))).expect("a file");
        (all.join(number.to_string()), file)
    };
    if let Some(free) = (0..AT_ONCE).map(open).find(|(_, lock)| lock.try_lock().is_ok()) {
        return free;
    }
    let (folder, lock) = open(0);
    lock.lock().expect("a lock");
    (folder, lock)
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        // After a kill it is started once more, so that it ends its containers and takes its mounts away itself.
        for action in ["start", "stop"] {
            drop(self.command(&["engine", action]).output());
        }
    }
}

/// An archive of these files.
pub(crate) fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content).expect("in memory");
    }
    archive.into_inner().expect("in memory")
}
