//! The commands of builds by `BuildKit`, on an engine of this machine. Its API takes no limits for them and tells of no containers; but
//! each has a folder of the engine's as long as it runs, in which stands what it was started with: its control groups, and the file with
//! the address of the build's own relay.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use serde::Deserialize;

use crate::beneath::used;
use crate::engine::private::remains::{mounts, unescape};
use crate::engine::size::ENTRY;
use crate::suite::limits::Limits;

/// How long a command may take from its folder to its control groups.
const GROUPS_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait before looking for them again: they tell of nothing.
const AGAIN_AFTER: Duration = Duration::from_millis(1);

/// Watches the commands of one build until it is dropped.
pub(super) struct Commands {
    folder: PathBuf,
    relay: IpAddr,
    has_seen: Arc<AtomicBool>,
    _watcher: RecommendedWatcher,
}

/// What a command is started with, as far as it matters (OCI runtime specification 1.0, `config.json`).
#[derive(Deserialize)]
struct Config {
    linux: Linux,
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
struct Linux {
    #[serde(rename = "cgroupsPath")]
    groups: PathBuf,
}

#[derive(Deserialize)]
struct Mount {
    destination: PathBuf,
    #[serde(default)]
    source: PathBuf,
}

/// The folder in which commands have theirs.
pub(in crate::engine) fn folder(data_root: &str) -> PathBuf {
    Path::new(data_root).join("buildkit/executor")
}

impl Commands {
    /// Limits every command of the build with this relay from now on.
    ///
    /// # Errors
    /// When the folder cannot be watched.
    pub(super) fn watch(data_root: &str, relay: IpAddr, limits: Limits) -> notify::Result<Self> {
        let folder = folder(data_root);
        let has_seen = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&has_seen);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Create(_)) {
                return;
            }
            for path in event.paths {
                seen.store(true, Ordering::Relaxed);
                // Beside the watch: others begin meanwhile.
                thread::spawn(move || limit(&path, relay, limits));
            }
        })?;
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        Ok(Self { folder, relay, has_seen, _watcher: watcher })
    }

    /// Whether the engine has begun any command since: where it has not, its folder is another one.
    pub(super) fn has_seen(&self) -> bool {
        self.has_seen.load(Ordering::Relaxed)
    }

    /// Whether a command of the build that runs now has written more than this many bytes.
    pub(super) async fn are_larger(commands: &Arc<Self>, bytes: u64) -> bool {
        let commands = Arc::clone(commands);
        tokio::task::spawn_blocking(move || commands.have_written(bytes)).await.unwrap_or(false)
    }

    fn have_written(&self, bytes: u64) -> bool {
        let own: HashSet<PathBuf> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| config(path).is_some_and(|config| is_of(&config, self.relay)))
            .map(|path| path.join("rootfs"))
            .collect();
        let written = mounts()
            .unwrap_or_default()
            .into_iter()
            .filter(|mount| own.contains(&unescape(&mount.mount_point)))
            .filter_map(|mount| {
                let upper = mount.super_options.get("upperdir").cloned().flatten()?;
                Some(used(&unescape(Path::new(&upper)), bytes, ENTRY))
            });
        written.fold(0, u64::saturating_add) > bytes
    }
}

fn config(folder: &Path) -> Option<Config> {
    serde_json::from_slice(&fs::read(folder.join("config.json")).ok()?).ok()
}

/// Whether a command belongs to the build with this relay: no other has its address among its hosts.
fn is_of(config: &Config, relay: IpAddr) -> bool {
    let hosts = config.mounts.iter().find(|mount| mount.destination == Path::new("/etc/hosts"));
    let text = hosts.and_then(|mount| fs::read_to_string(&mount.source).ok()).unwrap_or_default();
    text.lines().any(|line| line.split_whitespace().eq([relay.to_string().as_str(), crate::mirror::HOST]))
}

/// Limits a command, if it is the build's, as soon as it has control groups.
fn limit(folder: &Path, relay: IpAddr, limits: Limits) {
    let begun = Instant::now();
    let mut rest = None;
    while folder.is_dir() && begun.elapsed() < GROUPS_WITHIN {
        match config(folder) {
            Some(config) if !is_of(&config, relay) => return,
            Some(config) => {
                let files = rest.get_or_insert_with(|| files(&config.linux.groups, limits));
                files.retain(|(file, value)| !is_written(file, *value));
                if files.is_empty() {
                    return;
                }
            }
            None => {}
        }
        thread::sleep(AGAIN_AFTER);
    }
    if folder.is_dir() {
        tracing::warn!(folder = %folder.display(), "cannot limit a command of a build");
    }
}

/// Whether a limit has been written. A kernel that does not count what is swapped out has no file for it.
fn is_written(file: &Path, value: u64) -> bool {
    match OpenOptions::new().write(true).open(file).and_then(|mut file| file.write_all(value.to_string().as_bytes())) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound && file.parent().is_some_and(Path::is_dir),
    }
}

/// The files of control groups that limit what is in a group, of either version, and what is written there.
fn files(group: &Path, limits: Limits) -> Vec<(PathBuf, u64)> {
    let group = group.strip_prefix("/").unwrap_or(group);
    let mounts = mounts().unwrap_or_default();
    let of = |controller: &str| {
        mounts
            .iter()
            .find(|mount| mount.fs_type == "cgroup" && mount.super_options.contains_key(controller))
            .map(|mount| mount.mount_point.join(group))
    };
    let both = mounts.iter().find(|mount| mount.fs_type == "cgroup2").map(|mount| mount.mount_point.join(group));
    let (memory, processes) = (u64::from(limits.memory()), u64::from(limits.processes));
    match (of("memory"), of("pids"), both) {
        (Some(memory_group), Some(processes_group), _) => vec![
            (memory_group.join("memory.limit_in_bytes"), memory),
            // With what is swapped out; none beside it.
            (memory_group.join("memory.memsw.limit_in_bytes"), memory),
            (processes_group.join("pids.max"), processes),
        ],
        (_, _, Some(both)) => vec![
            (both.join("memory.max"), memory),
            (both.join("memory.swap.max"), 0),
            (both.join("pids.max"), processes),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A command's folder, as the engine makes it: with these hosts, and these control groups.
    fn command(executor: &Path, hosts: &str, groups: &str) -> PathBuf {
        let (folder, file) = (executor.join("abc"), executor.join("hosts.1"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, hosts).unwrap();
        let config = serde_json::json!({
            "linux": { "cgroupsPath": groups },
            "mounts": [{ "destination": "/proc", "type": "proc" }, { "destination": "/etc/hosts", "source": file }],
        });
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        folder
    }

    #[test]
    fn a_command_is_of_the_build_whose_relay_is_among_its_hosts() {
        let executor = tempfile::tempdir().unwrap();
        let hosts = format!("127.0.0.1 localhost\n10.229.0.7\t{}\n", crate::mirror::HOST);
        let config = config(&command(executor.path(), &hosts, "/docker/buildkit/abc")).unwrap();
        assert!(is_of(&config, [10, 229, 0, 7].into()));
        assert!(!is_of(&config, [10, 229, 0, 71].into()) && !is_of(&config, [127, 0, 0, 1].into()));
    }

    #[test]
    fn limits_are_written_to_the_commands_own_groups() {
        let files = files(Path::new("/docker/buildkit/abc"), Limits::default());
        let names: Vec<_> = files.iter().filter_map(|(file, _)| file.file_name()).collect();
        assert!(names.contains(&"pids.max".as_ref()), "{files:?}");
        assert!(
            files.iter().all(|(file, _)| file.parent().is_some_and(|group| group.ends_with("docker/buildkit/abc")))
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids.max");
        // A kernel without it; the group itself is not there yet.
        assert!(is_written(&file, 7) && !is_written(&folder.path().join("none/pids.max"), 7));
        fs::write(&file, "").unwrap();
        assert!(is_written(&file, 7));
        assert_eq!(fs::read_to_string(&file).unwrap(), "7");
    }

    #[test]
    fn commands_that_begin_are_seen() {
        let executor = tempfile::tempdir().unwrap();
        let root = executor.path().join("buildkit/executor");
        fs::create_dir_all(&root).unwrap();
        let relay = [10, 229, 0, 7].into();
        let commands = Commands::watch(executor.path().to_str().unwrap(), relay, Limits::default()).unwrap();
        assert!(!commands.has_seen());
        command(&root, "", "/none");
        let begun = Instant::now();
        while !commands.has_seen() && begun.elapsed() < GROUPS_WITHIN {
            thread::sleep(AGAIN_AFTER);
        }
        assert!(commands.has_seen() && !commands.have_written(0));
        assert!(Commands::watch("/none", relay, Limits::default()).is_err());
    }
}
