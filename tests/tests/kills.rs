//! What is left when the program is killed, and when two of it run at the same time. `WSGI_PROOF_KILLS` says how many are killed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{File, TryLockError};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wsgi_proof_tests::proxy::next;
use wsgi_proof_tests::{Run, cache, docker_host, other_cache, program, root, wsgi_proof};

fn started(temporary: &TempDir) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(root())
        .args(["run", "=hello-wsgi", "=django", "=failing-pre-build-hook", "=volume"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn kills() -> u64 {
    std::env::var("WSGI_PROOF_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Whether a run of this name is alive, such as another test's.
fn is_live(name: &str) -> bool {
    let run = name.split(['.', '-']).next().unwrap_or(name);
    let lock = File::open(cache().join("runs").join(run));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

#[test]
fn what_killed_runs_leave_goes_with_one_prune() {
    Run::of(&["=hello-wsgi"]).assert.success();
    let temporary = TempDir::new().unwrap();
    let mut random = 20_261_124;
    for _ in 0..kills() {
        let mut child = started(&temporary).spawn().unwrap();
        // At any moment of its life, from its first to the stop of the last container.
        std::thread::sleep(Duration::from_millis(next(&mut random) % 9000));
        drop(child.kill());
        child.wait().unwrap();
    }
    wsgi_proof(&["prune"]).assert().success();
    let left = wsgi_proof(&["prune", "--dry-run"]).output().unwrap();
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(!left.contains("would remove"), "{left}");
    for folder in ["runs", "volumes"] {
        let entries = std::fs::read_dir(cache().join(folder)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let dead: Vec<String> = names.filter(|name| !is_live(name)).collect();
        assert!(dead.is_empty(), "{folder}: {dead:?}");
    }
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_signal_cleans_up_and_a_second_one_leaves_at_once() {
    let temporary = TempDir::new().unwrap();
    for signals in [&["-TERM"][..], &["-INT", "-INT"]] {
        let mut child = started(&temporary).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(3));
        let sent = Instant::now();
        for signal in signals {
            let pid = child.id().to_string();
            drop(Command::new("kill").args([signal, pid.as_str()]).stderr(Stdio::null()).status());
        }
        let status = child.wait().unwrap();
        // Not a measurement: a program that waits for its builds would take minutes.
        assert!(sent.elapsed() < Duration::from_secs(60), "{signals:?}");
        assert!(!status.success());
    }
    wsgi_proof(&["prune"]).assert().success();
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    Run::of(&["=hello-wsgi"]).assert.success();
    let temporary = TempDir::new().unwrap();
    // The third has a cache folder of its own, and so does not see the locks of the others.
    let other = other_cache();
    let mut commands = [started(&temporary), started(&temporary), started(&temporary)];
    commands[2].env("WSGI_PROOF_CACHE", other.path()).env("DOCKER_HOST", docker_host());
    let mut children: Vec<_> = commands.iter_mut().map(|command| command.spawn().unwrap()).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
}
