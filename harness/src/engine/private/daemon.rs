//! Starting and stopping the private engine's daemon.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use super::packages::{ENGINE_PROGRAMS, lock};
use super::{PrivateError, Toolbox, folder, remains, seccomp, socket};
use crate::engine::discover::{ANSWER_LIMIT, answers};
use crate::engine::{Endpoint, Engine, Origin};

/// How long the daemon may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long to wait before asking again a daemon that does not answer yet: its socket appears without an event that
/// would also tell that somebody listens on it.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long the daemon may take to stop its containers and itself.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long taking containers and networks off the engine may take before it is stopped.
const CLEAR_LIMIT: Duration = Duration::from_secs(20);
/// Becomes its arguments, in a network in which no bridge leads to another, whatever this machine does in its own, and in which nobody
/// says who has the bridges' own addresses.
const CLOSED: &str =
    "cd /proc/sys/net/ipv4 && echo 0 > ip_forward && echo 8 > conf/all/arp_ignore && cd / && exec \"$@\"";
/// How much of what an instruction prints `BuildKit` passes on, in bytes and in bytes a second: more than any limit of ours.
const LOG: &str = "1073741824";
/// How much `BuildKit` keeps of builds: some times what the images of a cell take.
const BUILD_CACHE: &str = "3GB";
/// The file that the daemon writes its process's number to, beside its data.
const PID_FILE: &str = "docker.pid";
/// How long the path of the engine's folder may be: sockets of the engine lie in it, and a socket's path has at most 107
/// bytes.
const PATH_LIMIT: usize = 68;

/// Starts the private engine, or finds it running. Its programs are fetched if they are missing.
///
/// # Errors
/// When it cannot be: see [`PrivateError`].
pub(crate) async fn start(
    cache: &Path,
    offline: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Endpoint, PrivateError> {
    let cache = &absolute(cache)?;
    let endpoint = Endpoint::of_socket(socket(cache), Origin::Private);
    check(cache)?;
    let toolbox = Toolbox::of(cache).fill(&ENGINE_PROGRAMS, offline, progress).await?;
    let _lock = lock(cache, "start.lock").await?;
    if let Some(pid) = running(cache) {
        if answers(endpoint.docker_host(), ANSWER_LIMIT).await.is_ok() {
            return Ok(endpoint);
        }
        // One that is ending, or hangs.
        remains::end(pid, STOP_LIMIT)
            .await
            .map_err(PrivateError::io(format!("cannot stop the private engine (process {pid})")))?;
    }
    progress("starting the private engine");
    launch(cache, &toolbox, endpoint.docker_host()).await?;
    Ok(endpoint)
}

/// What must hold before a daemon can be started at all.
pub(super) fn check(cache: &Path) -> Result<(), PrivateError> {
    if !rustix::process::geteuid().is_root() {
        return Err(PrivateError::NotRoot);
    }
    let own = folder(cache);
    if own.as_os_str().as_bytes().len() > PATH_LIMIT {
        return Err(PrivateError::PathTooLong { path: own });
    }
    let mounts = remains::mounts().map_err(PrivateError::io("/proc/self/mountinfo"))?;
    if remains::has_cgroups(&mounts) { Ok(()) } else { Err(PrivateError::NoCgroups) }
}

async fn launch(cache: &Path, toolbox: &Toolbox, docker_host: &str) -> Result<(), PrivateError> {
    let own = folder(cache);
    // What a killed daemon left would be in the way of the new one, which takes even a dead process whose number is in
    // a file for a running one.
    forget(cache).await?;
    let log = own.join("dockerd.log");
    let file = File::create(&log).map_err(PrivateError::io(format!("{}", log.display())))?;
    let copy = file.try_clone().map_err(PrivateError::io(format!("{}", log.display())))?;
    // A configuration of its own: the system's may name another data root, and both would be refused.
    let configuration = own.join("daemon.json");
    let mut settings = serde_json::json!({
        // Nobody else takes away what BuildKit keeps of builds.
        "builder": { "gc": { "enabled": true, "defaultKeepStorage": BUILD_CACHE } },
    });
    if keeps_key(toolbox).await {
        settings["deprecated-key-path"] = serde_json::json!(own.join("key.json"));
    }
    std::fs::write(&configuration, settings.to_string())
        .map_err(PrivateError::io(format!("{}", configuration.display())))?;
    let profile = own.join("seccomp.json");
    std::fs::write(&profile, seccomp::profile().to_string())
        .map_err(PrivateError::io(format!("{}", profile.display())))?;
    // `setsid`: a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.
    // `unshare`: a network of its own, in which nothing listens and from which nothing leads out.
    let mut command = toolbox.command(Path::new("setsid"));
    command
        .args(["unshare", "--net", "sh", "-c", CLOSED, "sh", "dockerd"])
        .arg(format!("--config-file={}", configuration.display()))
        .arg(format!("--data-root={}", own.join("data").display()))
        .arg(format!("--exec-root={}", own.join("exec").display()))
        .arg(format!("--pidfile={}", pid_file(cache).display()))
        .arg(format!("--seccomp-profile={}", profile.display()))
        .arg(format!("--host={docker_host}"))
        .arg("--group=root")
        // Should the system's containerd be used, its contents are not mixed with those of another engine.
        .args(["--containerd-namespace=wsgi-proof", "--containerd-plugins-namespace=wsgi-proof-plugins"])
        // Nothing is to be forwarded, so nothing is set up for it. The default bridge is for builds by BuildKit, which take no other.
        .args([
            "--bip=10.229.0.1/24",
            "--iptables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--userland-proxy=false",
        ])
        .arg("--default-address-pool=base=10.230.0.0/16,size=24");
    let mut child = command
        .env("BUILDKIT_STEP_LOG_MAX_SIZE", LOG)
        .env("BUILDKIT_STEP_LOG_MAX_SPEED", LOG)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn()
        .map_err(PrivateError::io("cannot start dockerd"))?;
    let begun = Instant::now();
    loop {
        let fault = tokio::select! {
            answer = answers(docker_host, ANSWER_LIMIT) => match answer {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            },
            _ = child.wait() => return Err(PrivateError::Ended { tail: tail(&log), log }),
        };
        if begun.elapsed() > START_LIMIT {
            return Err(PrivateError::Silent { why: fault, tail: tail(&log), log });
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            _ = child.wait() => return Err(PrivateError::Ended { tail: tail(&log), log }),
        }
    }
}

/// Whether this daemon writes a key to `/etc/docker` unless its configuration says otherwise. Later ones do not know the
/// setting any more.
async fn keeps_key(toolbox: &Toolbox) -> bool {
    let output = toolbox.command(Path::new("dockerd")).arg("--version").stdin(Stdio::null()).output().await;
    output.is_ok_and(|output| major_version(&String::from_utf8_lossy(&output.stdout)).is_some_and(|major| major <= 20))
}

/// The major version in `Docker version 20.10.24+dfsg1, build 5d6db84`.
fn major_version(text: &str) -> Option<u32> {
    text.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

/// Stops the private engine and takes away its containers, networks, processes and mounts; `false` when it was not
/// running. Images stay in the cache folder.
///
/// # Errors
/// When it cannot be.
pub(crate) async fn stop(cache: &Path) -> Result<bool, PrivateError> {
    let cache = &absolute(cache)?;
    let own = folder(cache);
    if !own.is_dir() {
        return Ok(false);
    }
    let _lock = lock(cache, "start.lock").await?;
    let was_running = match running(cache) {
        Some(pid) => {
            // A network's bridge outlives the daemon, so networks go first. Best effort: a daemon that hangs is
            // stopped all the same.
            drop(tokio::time::timeout(CLEAR_LIMIT, clear_engine(cache)).await);
            remains::end(pid, STOP_LIMIT)
                .await
                .map_err(PrivateError::io(format!("cannot stop the private engine (process {pid})")))?;
            true
        }
        None => false,
    };
    forget(cache).await?;
    Ok(was_running)
}

/// Takes away all that is only there while a daemon runs.
async fn forget(cache: &Path) -> Result<(), PrivateError> {
    let own = folder(cache);
    remains::clear(&own).await?;
    for path in [socket(cache), pid_file(cache)] {
        drop(std::fs::remove_file(path));
    }
    drop(std::fs::remove_dir_all(own.join("exec")));
    Ok(())
}

/// Everything on the private engine is the suite's.
async fn clear_engine(cache: &Path) -> Result<(), crate::engine::EngineError> {
    let endpoint = Endpoint::of_socket(socket(cache), Origin::Private);
    Engine::connect(&endpoint).await?.remove_all().await
}

/// The daemon's process, if it is running and ours: another process may have its number by now.
pub(super) fn running(cache: &Path) -> Option<i32> {
    daemon(&pid_file(cache), &folder(cache).join("data"))
}

/// The process in a file, if it is a daemon that keeps its data in this folder.
fn daemon(pid_file: &Path, data_root: &Path) -> Option<i32> {
    let pid: i32 = std::fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let own = format!("--data-root={}", data_root.display());
    command.split(|byte| *byte == 0).any(|argument| argument == own.as_bytes()).then_some(pid)
}

/// Since when the daemon has been running.
pub(super) fn since(cache: &Path) -> Option<SystemTime> {
    std::fs::metadata(pid_file(cache)).and_then(|metadata| metadata.modified()).ok()
}

fn pid_file(cache: &Path) -> PathBuf {
    folder(cache).join(PID_FILE)
}

/// The daemon's working directory is not ours to rely on.
pub(super) fn absolute(cache: &Path) -> Result<PathBuf, PrivateError> {
    std::path::absolute(cache).map_err(PrivateError::io(format!("{}", cache.display())))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_found() {
        assert_eq!(major_version("Docker version 20.10.24+dfsg1, build 5d6db84"), Some(20));
        assert_eq!(major_version("Docker version 28.2.2, build e6534b4"), Some(28));
        assert_eq!(major_version("no version"), None);
    }
}
