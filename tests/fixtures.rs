//! The fixture store in trouble: what is damaged, cut short or gone is fetched anew or refused, two runs fill it at once, and a full
//! disk leaves it as it was. The package index is the test's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;

use crate::support::{Run, Suite, cache, call, docker_host, other_cache, root, text};

/// How large each file of the index is, in bytes.
const SIZE: usize = 100_000;

/// A package index with two projects of a file each; it ends with the test's process.
struct Index {
    address: SocketAddr,
    /// How many files were fetched.
    fetched: Arc<AtomicUsize>,
}

fn content(project: &str) -> Vec<u8> {
    project.bytes().cycle().take(SIZE).collect()
}

impl Index {
    /// `honest`: it has what the lock says.
    fn start(honest: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, fetched) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&fetched);
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    let mut request = [0; 4096];
                    let read = client.read(&mut request).unwrap_or(0);
                    let request = String::from_utf8_lossy(&request[..read]).into_owned();
                    let path = request.split_whitespace().nth(1).unwrap_or_default();
                    let body = match path.strip_prefix("/files/").and_then(|file| file.strip_suffix("-1.tar.gz")) {
                        Some(project) => {
                            count.fetch_add(1, Ordering::SeqCst);
                            content(if honest { project } else { "something else" })
                        }
                        None => {
                            let project = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                            format!("<a href=\"/files/{project}-1.tar.gz\">{project}</a>").into_bytes()
                        }
                    };
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    drop(client.write_all(&[head.as_bytes(), &body].concat()));
                });
            }
        });
        Self { address, fetched }
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }
}

/// A suite whose lock has the two files, and a cache folder.
struct Store {
    suite: Suite,
    cache: TempDir,
    index: Index,
}

impl Store {
    fn new() -> Self {
        let suite = Suite::new();
        let mut lock = "version = 1\n".to_owned();
        for project in ["one", "two"] {
            lock.push_str(&format!(
                "[[package]]\nproject = \"{project}\"\nrelease = \"1\"\nfile = \"{project}-1.tar.gz\"\nsha256 = \"{}\"\nsize = {SIZE}\n",
                sha256(&content(project))
            ));
        }
        suite.write("packages.lock", &lock);
        Self { suite, cache: TempDir::new().unwrap(), index: Index::start(true) }
    }

    fn full() -> Self {
        let store = Self::new();
        assert!(store.fetch().status.success());
        store
    }

    fn command(&self) -> Command {
        let mut command = call(&["fetch", "--suite"]);
        command.arg(self.suite.path()).arg("--cache").arg(self.cache.path());
        self.environment(&mut command);
        command
    }

    fn environment(&self, command: &mut Command) {
        command.env("PIP_INDEX_URL", format!("http://{}/simple/", self.index.address)).env("NO_COLOR", "1");
        command.env("no_proxy", "*");
    }

    fn fetch(&self) -> Output {
        self.command().output().unwrap()
    }

    /// The place of a project's file.
    fn file(&self, project: &str) -> PathBuf {
        let hash = sha256(&content(project));
        self.cache.path().join("store/sha256").join(&hash[..2]).join(hash)
    }

    /// Whether every file is whole, and nothing else is in the store.
    fn assert_whole(&self) {
        for project in ["one", "two"] {
            assert_eq!(std::fs::read(self.file(project)).unwrap(), content(project), "{project}");
        }
        let entries = self.cache.path().join("store").read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["responses", "sha256"]);
    }
}

fn sha256(content: &[u8]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    String::from_utf8(output).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_flipped_byte_a_cut_file_and_one_that_is_gone_are_fetched_anew() {
    let store = Store::full();
    assert_eq!(store.index.fetched(), 2);
    let mut flipped = content("one");
    flipped[SIZE / 2] ^= 1;
    for (number, damaged) in
        [Some(flipped), Some(content("one")[..SIZE / 3].to_vec()), Some(Vec::new()), None].iter().enumerate()
    {
        match damaged {
            Some(damaged) => std::fs::write(store.file("one"), damaged).unwrap(),
            None => std::fs::remove_file(store.file("one")).unwrap(),
        }
        let output = store.fetch();
        assert!(output.status.success(), "{}", text(&output));
        assert!(text(&output).contains("downloaded one-1.tar.gz"), "{}", text(&output));
        store.assert_whole();
        assert_eq!(store.index.fetched(), 3 + number, "only what was damaged is fetched");
    }
}

#[test]
fn an_index_that_hands_out_something_else_is_refused() {
    let store = Store { index: Index::start(false), ..Store::new() };
    let output = store.fetch();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output).contains("its SHA-256 is "), "{}", text(&output));
    assert!(!store.file("one").exists() && !store.file("two").exists());
}

#[test]
fn two_that_fill_the_store_at_once_leave_it_whole() {
    let store = Store::new();
    for _ in 0..5 {
        drop(std::fs::remove_dir_all(store.cache.path().join("store")));
        let children: Vec<_> = (0..4).map(|_| store.command().spawn().unwrap()).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        store.assert_whole();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let store = Store::full();
    std::fs::remove_file(store.file("one")).unwrap();
    let saved = store.cache.path().join("saved");
    std::fs::rename(store.cache.path().join("store"), &saved).unwrap();
    // In mounts of its own: a file system of a size for one file and not for two.
    let script = format!(
        "mkdir -p \"$1/store\" && mount -t tmpfs -o size={}k none \"$1/store\" && cp -a \"$1/saved/.\" \"$1/store\" && shift && \"$@\"; code=$?; cp -a \"$CACHE/store\" \"$CACHE/after\"; exit $code",
        SIZE * 3 / 2 / 1000
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).arg(store.cache.path()).env("CACHE", store.cache.path());
    let fetch = store.command();
    command.arg(fetch.get_program()).args(fetch.get_args()).current_dir(root());
    store.environment(&mut command);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("No space left on device"), "{}", text(&output));
    // What was there is there, whole; what could not be written is not there at all.
    drop(std::fs::remove_dir_all(store.cache.path().join("store")));
    std::fs::rename(store.cache.path().join("after"), store.cache.path().join("store")).unwrap();
    assert!(!store.file("one").exists());
    assert_eq!(std::fs::read(store.file("two")).unwrap(), content("two"));
    assert!(store.fetch().status.success());
    store.assert_whole();
}

/// In the image tier, where it shows when pip asks for it.
#[test]
fn what_is_damaged_when_a_build_asks_for_it_is_repaired_or_is_an_error() {
    let mine = other_cache();
    let host = docker_host();
    // A copy of the store, of which a file is damaged.
    std::fs::remove_file(mine.path().join("store")).unwrap();
    let copied = Command::new("cp").arg("-r").arg(cache().join("store")).arg(mine.path()).status().unwrap();
    assert!(copied.success());
    let lock = std::fs::read_to_string(root().join("scenarios/packages.lock")).unwrap();
    let entries = lock.split("[[package]]").filter(|entry| entry.contains("project = \"six\""));
    let hashes = entries.map(|entry| entry.split("sha256 = \"").nth(1).unwrap().split('"').next().unwrap());
    let files: Vec<PathBuf> = hashes.map(|hash| mine.path().join("store/sha256").join(&hash[..2]).join(hash)).collect();
    let whole: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    for (offline, verdict) in [(true, "error"), (false, "pass")] {
        for (file, whole) in files.iter().zip(&whole) {
            let mut flipped = whole.clone();
            flipped[100] ^= 1;
            std::fs::write(file, flipped).unwrap();
        }
        let place = mine.path().to_str().unwrap();
        let mut arguments = vec!["=failing-build-hook", "--cache", place];
        arguments.extend(offline.then_some("--offline"));
        let run = Run::with(&[("DOCKER_HOST", &host)], &arguments);
        assert_eq!(run.verdict("failing-build-hook"), verdict, "{}", run.output());
        if offline {
            assert!(run.output().contains("was damaged, and was removed from the fixture store"), "{}", run.output());
            assert!(files.iter().any(|file| !file.exists()));
        } else {
            assert!(files.iter().zip(&whole).any(|(file, whole)| std::fs::read(file).unwrap() == *whole));
        }
    }
}
