//! What is left when the program is killed, and when two of it run at the same time. `WSGI_PROOF_KILLS` says how many are killed.

use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::leftovers::Neighbour;
use crate::support::proxy::next;
use crate::support::{EngineRun, PrivateEngine, Slot, call, docker_host, other_cache};

const RUN: [&str; 5] = ["run", "=hello-wsgi", "=django", "=failing-pre-build-hook", "=volume"];

fn silent(mut command: Command, temporary: &TempDir) -> Command {
    command.env("TMPDIR", temporary.path()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn kills() -> u64 {
    std::env::var("WSGI_PROOF_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

#[test]
fn what_killed_runs_leave_goes_with_one_prune() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let neighbour = Neighbour::begin(&engine);
    let temporary = TempDir::new().unwrap();
    let mut random = 20_261_124;
    for _ in 0..kills() {
        let mut child = silent(engine.call(&RUN), &temporary).spawn().unwrap();
        // At any moment of its life, from its first to the stop of the last container.
        std::thread::sleep(Duration::from_millis(next(&mut random) % 9000));
        drop(child.kill());
        child.wait().unwrap();
    }
    engine.command(&["prune"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
    neighbour.is_untouched();
    assert!(engine.volumes().is_empty(), "{:?}", engine.volumes());
    let entries = std::fs::read_dir(engine.cache().join("runs")).into_iter().flatten().flatten();
    let dead: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    assert!(dead.is_empty(), "runs: {dead:?}");
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_signal_cleans_up_and_a_second_one_leaves_at_once() {
    let engine = PrivateEngine::start();
    for signals in [&["-TERM"][..], &["-INT", "-INT"]] {
        let run = EngineRun::begin(&mut engine.call(&RUN));
        for signal in signals {
            run.signal(signal);
        }
        // One that waits for its builds would take minutes.
        let (code, text) = run.end_stopped();
        assert!(code.is_some_and(|code| code != 0), "{signals:?}: {code:?} {text}");
    }
    engine.command(&["prune"]).assert().success();
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    // The third has a cache folder of its own, and so does not see the locks of the others.
    let (other, host) = (other_cache(), docker_host());
    let temporary = TempDir::new().unwrap();
    let _slot = Slot::take();
    let mut commands = [(); 3].map(|()| silent(call(&RUN), &temporary));
    commands[2].env("WSGI_PROOF_CACHE", other.path()).env("DOCKER_HOST", host);
    let mut children: Vec<_> = commands.iter_mut().map(|command| command.spawn().unwrap()).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
}
