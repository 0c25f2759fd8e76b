//! Starting and stopping the private engine's daemon.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::packages::lock;
use super::{PrivateError, Toolbox, docker_host, folder, socket};
use crate::engine::discover::answers;
use crate::engine::{Endpoint, Origin};

/// How long the daemon may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long to wait before asking again a daemon that does not answer yet.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long the daemon may take to stop its containers and itself.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Starts the private engine, or finds it running. Its programs are fetched if they are missing.
///
/// # Errors
/// When it cannot be: see [`PrivateError`].
pub async fn start(
    cache: &Path,
    offline: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Endpoint, PrivateError> {
    let endpoint = Endpoint { docker_host: docker_host(cache), origin: Origin::Private };
    if !rustix::process::geteuid().is_root() {
        return Err(PrivateError::NotRoot);
    }
    let toolbox = Toolbox::fill(cache, offline, progress).await?;
    let _lock = lock(cache, "start.lock").await?;
    if running(cache).is_some() && answers(&endpoint.docker_host).await.is_ok() {
        return Ok(endpoint);
    }
    progress("starting the private engine");
    launch(cache, &toolbox, &endpoint.docker_host).await?;
    Ok(endpoint)
}

async fn launch(cache: &Path, toolbox: &Toolbox, docker_host: &str) -> Result<(), PrivateError> {
    let own = folder(cache);
    let log = own.join("dockerd.log");
    let file = File::create(&log).map_err(PrivateError::io(format!("{}", log.display())))?;
    let copy = file.try_clone().map_err(PrivateError::io(format!("{}", log.display())))?;
    drop(std::fs::remove_file(socket(cache)));
    // `setsid`: a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.
    let mut child = toolbox
        .command(Path::new("setsid"))
        .arg("dockerd")
        .arg(format!("--data-root={}", own.join("data").display()))
        .arg(format!("--exec-root={}", own.join("exec").display()))
        .arg(format!("--pidfile={}", pid_file(cache).display()))
        .arg(format!("--host={docker_host}"))
        // No default bridge: every network is a run's own. And the system's routing stays as it is.
        .args(["--bridge=none", "--ip-forward=false", "--default-address-pool=base=10.230.0.0/16,size=24"])
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn()
        .map_err(PrivateError::io("dockerd could not be started"))?;
    let begun = Instant::now();
    loop {
        let fault = match answers(docker_host).await {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        let log = log.display().to_string();
        if begun.elapsed() > START_LIMIT {
            return Err(PrivateError::Silent { why: fault, log });
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            _ = child.wait() => return Err(PrivateError::Ended { tail: tail(&log), log }),
        }
    }
}

/// Stops the private engine and all its containers; `false` when it was not running.
///
/// # Errors
/// When it cannot be.
pub async fn stop(cache: &Path) -> Result<bool, PrivateError> {
    let Some(pid) = running(cache) else { return Ok(false) };
    let Some(pid) = Pid::from_raw(pid) else { return Ok(false) };
    let failed = |error: rustix::io::Errno| PrivateError::io("the private engine could not be stopped")(error.into());
    let process = Arc::new(pidfd_open(pid, PidfdFlags::empty()).map_err(failed)?);
    kill_process(pid, Signal::TERM).map_err(failed)?;
    if !ended(&process, STOP_LIMIT).await.map_err(failed)? {
        kill_process(pid, Signal::KILL).map_err(failed)?;
        ended(&process, STOP_LIMIT).await.map_err(failed)?;
    }
    drop(std::fs::remove_file(socket(cache)));
    Ok(true)
}

/// Waits until a process has ended; `false` when the time is over first.
async fn ended(process: &Arc<OwnedFd>, limit: Duration) -> Result<bool, rustix::io::Errno> {
    let process = Arc::clone(process);
    let limit = Timespec::try_from(limit).map_err(|_| rustix::io::Errno::INVAL)?;
    // A process's descriptor becomes readable when it ends; the wait has a thread of its own.
    let wait = move || poll(&mut [PollFd::new(&*process, PollFlags::IN)], Some(&limit));
    let ready = tokio::task::spawn_blocking(wait).await.map_err(|_| rustix::io::Errno::CANCELED)?;
    Ok(ready? > 0)
}

/// The daemon's process, if it is running and ours: another process may have its number by now.
pub(super) fn running(cache: &Path) -> Option<i32> {
    let pid: i32 = std::fs::read_to_string(pid_file(cache)).ok()?.trim().parse().ok()?;
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let own = folder(cache).join("data");
    String::from_utf8_lossy(&command).contains(&format!("--data-root={}", own.display())).then_some(pid)
}

fn pid_file(cache: &Path) -> PathBuf {
    folder(cache).join("docker.pid")
}

fn tail(log: &str) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
